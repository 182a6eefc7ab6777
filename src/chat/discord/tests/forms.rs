//! Forms: choices first, then words, and back into them when something was wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::form::{Draft, Move, modal_id, moved, typed};
use super::super::page::{carried, changed};
use super::super::press;
use super::{ANA, ROOM, holds, look};
use crate::chat::{Field, FieldKind, Form};

fn field(name: &str, kind: FieldKind) -> Field {
    Field {
        name: name.to_owned(),
        label: format!("What {name} is"),
        hint: None,
        kind,
        value: None,
        required: false,
    }
}

fn options(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|at| (format!("v{at}"), format!("Value {at}")))
        .collect()
}

fn form(fields: Vec<Field>) -> Form {
    Form {
        path: "open".to_owned(),
        fixed: BTreeMap::from([("incident".to_owned(), "INC-7".to_owned())]),
        title: "Open an incident".to_owned(),
        intro: None,
        fields,
        submit: "Open it".to_owned(),
    }
}

fn draft(fields: Vec<Field>) -> Draft {
    Draft::new("1234567890123456789", ROOM, &form(fields))
}

fn modal(draft: &Draft, after: usize) -> Value {
    let modal = draft.modal(after).expect("words are left");
    holds("ModalInteractionCallbackRequestData", &modal);
    modal
}

fn page(draft: &Draft) -> Value {
    let page = draft.page(&look());
    holds("MessageCreateRequest", &page);
    let rows = page["components"].as_array().expect("rows");
    assert!(rows.len() <= 5);
    page
}

#[test]
fn a_form_of_words_is_a_modal_at_once() {
    let mut title = field("title", FieldKind::Area);
    title.value = Some("Labels do not print".to_owned());
    title.required = true;
    let draft = draft(vec![title, field("since", FieldKind::DateTime)]);
    assert!(!draft.begins_with_choices());
    let modal = modal(&draft, 0);
    let input = &modal["components"][0]["components"][0];
    assert_eq!(
        (&input["style"], &input["required"], &input["value"]),
        (&json!(2), &json!(true), &json!("Labels do not print"))
    );
    assert!(
        modal["components"][1]["components"][0]["placeholder"]
            .as_str()
            .is_some_and(|hint| hint.contains("14:00"))
    );
}

#[test]
fn choices_are_asked_by_menus_and_switches_first() {
    let mut severity = field("severity", FieldKind::Select { options: options(5) });
    severity.value = Some("v2".to_owned());
    let mut owner = field("owner", FieldKind::Person);
    owner.value = Some("ana".to_owned());
    let mut draft = draft(vec![
        field("title", FieldKind::Area),
        severity,
        field("target", FieldKind::Several { options: options(3) }),
        owner,
        field("private", FieldKind::Tick),
    ]);
    assert!(draft.begins_with_choices());
    let shown = page(&draft);
    let menu = |at: usize| &shown["components"][at]["components"][0];
    assert_eq!(menu(0)["options"][2]["default"], true);
    assert_eq!(menu(1)["max_values"], 3);
    assert_eq!(menu(2)["default_values"], json!([{ "id": ANA, "type": "user" }]));
    let (id, what) = moved(menu(1)["custom_id"].as_str().expect("an id")).expect("ours");
    assert_eq!(
        (id, what),
        ("1234567890123456789", Move::Chose("target".to_owned()))
    );
    draft.choose("target", &["v0".to_owned(), "v2".to_owned()]);
    draft.turn("private");
    let shown = page(&draft);
    assert!(
        shown["components"][3]["components"][0]["label"]
            .as_str()
            .is_some_and(|label| label.starts_with('☑'))
    );
    assert_eq!(
        shown["components"][1]["components"][0]["options"][2]["default"],
        true
    );
    let settled = draft.settled();
    assert_eq!(settled.get("target").map(String::as_str), Some("v0,v2"));
    assert_eq!(settled.get("private").map(String::as_str), Some("yes"));
    draft.turn("private");
    assert!(!draft.settled().contains_key("private"));
}

#[test]
fn a_page_says_what_was_chosen_on_it_to_somebody_who_never_saw_it() {
    let mut draft = draft(vec![
        field("title", FieldKind::Area),
        field("severity", FieldKind::Select { options: options(5) }),
        field("target", FieldKind::Several { options: options(3) }),
        field("owner", FieldKind::Person),
        field("private", FieldKind::Tick),
    ]);
    draft.choose("target", &["v0".to_owned(), "v2".to_owned()]);
    let shown = page(&draft)["components"].clone();
    let draft_id = draft.id.clone();
    let read = |shown: &Value| carried(shown, &draft_id).expect("a page of ours");
    assert_eq!(read(&shown).path, draft.form.path);
    assert_eq!(read(&shown).settled, draft.settled());
    assert_eq!(carried(&shown, "1"), None, "another form");
    let mut now = shown;
    for (what, chosen) in [
        (Move::Chose("severity".to_owned()), vec!["v3".to_owned()]),
        (Move::Chose("target".to_owned()), vec!["v1".to_owned()]),
        (Move::Chose("owner".to_owned()), vec![ANA.to_owned()]),
        (Move::Turned("private".to_owned()), Vec::new()),
    ] {
        let answer = changed(&now, &draft_id, &what, &chosen);
        now = answer["components"].clone();
        match what {
            Move::Chose(field) => draft.choose(&field, &chosen),
            Move::Turned(field) => draft.turn(&field),
            Move::On => {}
        }
    }
    assert_eq!(read(&now).settled, draft.settled());
    let switch = changed(&now, &draft_id, &Move::Turned("private".to_owned()), &[]);
    draft.turn("private");
    assert_eq!(read(&switch["components"]).settled, draft.settled());
}

#[test]
fn more_than_five_fields_of_words_are_continued() {
    let fields = (0..7)
        .map(|at| field(&format!("f{at}"), FieldKind::Line))
        .collect();
    let mut draft = draft(fields);
    let first = modal(&draft, 0);
    assert_eq!(first["components"].as_array().map(Vec::len), Some(5));
    let filled = draft.fill(0, &BTreeMap::from([("f1".to_owned(), "one".to_owned())]));
    assert_eq!(filled, 5);
    let rest = modal(&draft, filled);
    assert_eq!(rest["components"].as_array().map(Vec::len), Some(2));
    assert_eq!(draft.fill(filled, &BTreeMap::new()), 7);
    assert_eq!(
        draft.values,
        BTreeMap::from([("f1".to_owned(), "one".to_owned())])
    );
}

#[test]
fn what_was_typed_is_understood_after_a_restart() {
    let draft = draft(vec![field("title", FieldKind::Line)]);
    let modal = modal(&draft, 0);
    let (id, kept) = modal_id(modal["custom_id"].as_str().expect("an id")).expect("ours");
    assert_eq!(id, "1234567890123456789");
    assert_eq!(
        kept.map(press::asked),
        Some((
            "open".to_owned(),
            BTreeMap::from([("incident".to_owned(), "INC-7".to_owned())])
        ))
    );
    let components =
        json!([{ "type": 1, "components": [{ "type": 4, "custom_id": "title", "value": "Labels" }] }]);
    assert_eq!(
        typed(&components),
        BTreeMap::from([("title".to_owned(), "Labels".to_owned())])
    );
}

#[test]
fn a_menu_that_discord_would_not_take_is_a_line_of_words() {
    let draft = draft(vec![field("action", FieldKind::Select { options: options(26) })]);
    assert!(!draft.begins_with_choices());
    modal(&draft, 0);
}

#[test]
fn what_was_wrong_leads_back_into_the_form() {
    let mut draft = draft(vec![field("title", FieldKind::Line)]);
    draft.fill(0, &BTreeMap::from([("title".to_owned(), "Labels".to_owned())]));
    let again = draft.again("since: that is in the future", "Mend it");
    holds("MessageCreateRequest", &again);
    let id = again["components"][0]["components"][0]["custom_id"]
        .as_str()
        .expect("an id");
    assert_eq!(moved(id), Some(("1234567890123456789", Move::On)));
    assert_eq!(
        modal(&draft, 0)["components"][0]["components"][0]["value"],
        "Labels"
    );
}
