//! Forms: choices first, then words, and back into them when something was wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::carried::Carried;
use super::super::form::{Draft, Move, modal_id, moved, typed};
use super::super::page::changed;
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

fn modal(draft: &Draft) -> Value {
    let modal = draft.modal().expect("words are left");
    holds("ModalInteractionCallbackRequestData", &modal);
    modal
}

fn page(draft: &Draft) -> Value {
    let page = draft.page(&look(), &as_typed);
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
    let modal = modal(&draft);
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
    let shown = page(&draft);
    let draft_id = draft.id.clone();
    let read = |shown: &Value| Carried::on(shown, &draft_id).expect("a page of ours");
    let known = unnamed(draft.carried());
    assert_eq!(unnamed(read(&shown)), Carried { left: 0, ..known });
    assert_eq!(Carried::on(&shown, "1"), None, "another form");
    let mut now = shown;
    for (what, chosen) in [
        (Move::Chose("severity".to_owned()), vec!["v3".to_owned()]),
        (Move::Chose("target".to_owned()), vec!["v1".to_owned()]),
        (Move::Chose("owner".to_owned()), vec![ANA.to_owned()]),
        (Move::Turned("private".to_owned()), Vec::new()),
    ] {
        now = changed(&now["components"], &draft_id, &what, &chosen);
        match what {
            Move::Chose(field) => draft.choose(&field, &chosen),
            Move::Turned(field) => draft.turn(&field),
            Move::On => {}
        }
    }
    assert_eq!(read(&now).values, draft.carried().values);
    let switch = changed(
        &now["components"],
        &draft_id,
        &Move::Turned("private".to_owned()),
        &[],
    );
    draft.turn("private");
    assert_eq!(read(&switch).values, draft.carried().values);
}

/// Seven lines of words, and a menu before them.
fn long_form() -> Draft {
    let mut fields = vec![field("severity", FieldKind::Select { options: options(5) })];
    fields.extend((0..7).map(|at| field(&format!("f{at}"), FieldKind::Line)));
    draft(fields)
}

fn names(draft: &Draft) -> Vec<String> {
    let modal = modal(draft);
    let rows = modal["components"].as_array().expect("rows");
    let name = |row: &Value| row["components"][0]["custom_id"].as_str().map(str::to_owned);
    rows.iter().filter_map(name).collect()
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn more_than_five_fields_of_words_are_continued() {
    let mut draft = long_form();
    assert_eq!(names(&draft), ["f0", "f1", "f2", "f3", "f4"]);
    draft.fill(&names(&draft), &values(&[("f1", "one")]));
    assert_eq!(
        (names(&draft), draft.words_left()),
        (vec!["f5".into(), "f6".into()], 2)
    );
    draft.fill(&names(&draft), &BTreeMap::new());
    assert_eq!((draft.modal(), draft.words_left()), (None, 0));
    assert_eq!(draft.values, values(&[("f1", "one")]));
}

fn as_typed(text: &str) -> String {
    text.to_owned()
}

/// What is known of a form without what its fields are called, which is told of those alone that are shown.
fn unnamed(carried: Carried) -> Carried {
    Carried {
        labels: Vec::new(),
        ..carried
    }
}

/// The message between two modals, through Discord and back.
fn between(draft: &Draft, masked: &dyn Fn(&str) -> String) -> Carried {
    let message = draft.carried().between("That is kept.", &draft.id, masked);
    let message = message.expect("what a message holds");
    holds("MessageCreateRequest", &message);
    Carried::on(&message, &draft.id).expect("a message of ours")
}

#[test]
fn what_stands_between_two_modals_is_understood_by_somebody_who_never_saw_the_first() {
    let mut draft = long_form();
    draft.choose("severity", &["v2".to_owned()]);
    let odd = "*bold* <@123> ```code``` | 50% & a=b?\n  two lines";
    draft.fill(&names(&draft), &values(&[("f1", odd), ("f4", "—")]));
    let carried = between(&draft, &as_typed);
    assert_eq!(unnamed(carried.clone()), unnamed(draft.carried()));
    assert_eq!(carried.left, 2);
    assert!(
        carried
            .labels
            .contains(&("f1".to_owned(), "What f1 is".to_owned())),
        "people read what they were asked: {:?}",
        carried.labels
    );
    let mut later = long_form();
    later.take_up(carried);
    assert_eq!((&later.values, names(&later)), (&draft.values, names(&draft)));
}

#[test]
fn what_is_carried_between_two_modals_is_masked() {
    let mut draft = long_form();
    draft.fill(&names(&draft), &values(&[("f1", "the password is tiger")]));
    let carried = between(&draft, &|text| text.replace("tiger", "[masked]"));
    assert_eq!(carried.values, values(&[("f1", "the password is [masked]")]));
}

#[test]
fn a_modal_that_is_not_the_last_says_so_itself() {
    let mut draft = long_form();
    draft.choose("severity", &["v2".to_owned()]);
    let first = modal(&draft)["custom_id"].as_str().expect("an id").to_owned();
    let (_, kept) = modal_id(&first).expect("ours");
    let mut carried = Carried::of_modal(kept.expect("all of it"));
    assert_eq!((carried.path.as_str(), carried.left), ("open", 7));
    assert_eq!(
        carried.fixed,
        values(&[("incident", "INC-7"), ("severity", "v2")])
    );
    carried.take(&names(&draft), &values(&[("f1", "one")]));
    assert_eq!((carried.left, &carried.values), (2, &values(&[("f1", "one")])));
    draft.fill(&names(&draft), &BTreeMap::new());
    let second = modal(&draft)["custom_id"].as_str().expect("an id").to_owned();
    assert_eq!(
        modal_id(&second),
        Some((draft.id.as_str(), None)),
        "the message says it"
    );
}

#[test]
fn all_that_several_modals_take_fits_between_them() {
    let mut draft = long_form();
    let modal = modal(&draft);
    let most = modal["components"][0]["components"][0]["max_length"].as_u64();
    let most = usize::try_from(most.expect("a limit")).expect("a length");
    let asked: Vec<String> = (0..7).map(|at| format!("f{at}")).collect();
    let full = "x".repeat(most);
    draft.fill(
        &asked,
        &asked.iter().map(|name| (name.clone(), full.clone())).collect(),
    );
    assert_eq!(unnamed(between(&draft, &as_typed)), unnamed(draft.carried()));
}

#[test]
fn a_text_longer_than_a_field_of_a_message_is_carried_in_several() {
    let mut draft = long_form();
    let long = "line of `code` ```and``` more\n\n".repeat(100);
    draft.fill(&names(&draft), &values(&[("f1", &long)]));
    assert_eq!(between(&draft, &as_typed).values, values(&[("f1", &long)]));
}

#[test]
fn more_than_a_message_holds_is_not_half_carried() {
    let mut draft = long_form();
    draft.fill(&names(&draft), &values(&[("f1", &"x".repeat(6_000))]));
    assert_eq!(
        draft.carried().between("That is kept.", &draft.id, &as_typed),
        None
    );
}

#[test]
fn what_an_earlier_version_left_between_two_modals_is_understood() {
    let message = json!({
        "embeds": [{ "description": "That is kept.", "fields": [
            { "name": "f0", "value": "```\none\n```" }, { "name": "f1", "value": "—" },
        ] }],
        "components": [{ "type": 1, "components": [{ "type": 2, "custom_id": "o1:f:7:on:2:open?incident=INC-7" }] }],
    });
    let carried = Carried::on(&message, "7").expect("a message of ours");
    assert_eq!((carried.left, &carried.values), (2, &values(&[("f0", "one")])));
    assert!(carried.asked.contains("f1"));
}

#[test]
fn what_was_typed_is_understood_after_a_restart() {
    let draft = draft(vec![field("title", FieldKind::Line)]);
    let modal = modal(&draft);
    let (id, kept) = modal_id(modal["custom_id"].as_str().expect("an id")).expect("ours");
    assert_eq!(id, "1234567890123456789");
    let carried = Carried::of_modal(kept.expect("all of it"));
    assert_eq!((carried.path.as_str(), carried.left), ("open", 0));
    assert_eq!(carried.fixed, values(&[("incident", "INC-7")]));
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
    modal(&draft);
}

/// A form that was sent in vain: a menu, a line that held something before and was emptied, and two lines of words.
fn wrong_form() -> Draft {
    let mut works = field("works", FieldKind::Line);
    works.value = Some("orders".to_owned());
    let mut draft = draft(vec![
        field("severity", FieldKind::Select { options: options(5) }),
        field("title", FieldKind::Line),
        works,
        field("since", FieldKind::DateTime),
    ]);
    draft.choose("severity", &["v2".to_owned()]);
    draft.fill(
        &names(&draft),
        &values(&[("title", "Labels"), ("since", "tomorrow")]),
    );
    draft.is_wrong("What since is: that is in the future");
    draft
}

fn go(message: &Value) -> &str {
    let rows = message["components"].as_array().expect("rows");
    let last = rows.last().expect("a row")["components"]
        .as_array()
        .expect("buttons");
    last.last().expect("a button")["custom_id"]
        .as_str()
        .expect("an id")
}

#[test]
fn what_was_wrong_is_said_above_the_choices_and_leads_back_into_the_words() {
    let draft = wrong_form();
    let shown = page(&draft);
    assert_eq!(
        shown["embeds"][0]["description"],
        "What since is: that is in the future"
    );
    assert_eq!(
        shown["components"][0]["components"][0]["options"][2]["default"],
        true
    );
    let fields = shown["embeds"][0]["fields"].as_array().expect("what was typed");
    let names: Vec<&Value> = fields.iter().map(|field| &field["name"]).collect();
    assert_eq!(names, ["What title is", "What works is", "What since is"]);
    assert_eq!(moved(go(&shown)), Some(("1234567890123456789", Move::On)));
    let words = modal(&draft);
    let value = |at: usize| &words["components"][at]["components"][0]["value"];
    assert_eq!((value(0), value(1)), (&json!("Labels"), &Value::Null));
}

#[test]
fn what_was_wrong_is_mended_by_somebody_who_never_saw_the_form() {
    let draft = wrong_form();
    let carried = Carried::on(&page(&draft), &draft.id).expect("a page of ours");
    let mut later = wrong_form();
    later.values = BTreeMap::from([("works".to_owned(), "orders".to_owned())]);
    later.take_up(carried);
    assert_eq!(
        (&later.values, later.words_left()),
        (&draft.values, 3),
        "all is asked again"
    );
    let kept = draft.carried();
    let message = kept
        .mending("That is in the future", &draft.id, &as_typed)
        .expect("what a message holds");
    holds("MessageCreateRequest", &message);
    let carried = Carried::on(&message, &draft.id).expect("a message of ours");
    assert_eq!(carried.values, kept.values, "choices, too");
}

#[test]
fn what_was_wrong_with_more_than_a_message_holds_is_said_without_it() {
    let mut draft = wrong_form();
    draft.fill(&["title".to_owned()], &values(&[("title", &"x".repeat(6_000))]));
    draft.is_wrong("too long");
    let shown = page(&draft);
    assert_eq!(shown["embeds"][0]["fields"], Value::Null);
    assert_eq!(Carried::on(&shown, &draft.id), None, "it would come back empty");
    assert_eq!(moved(go(&shown)), Some(("1234567890123456789", Move::On)));
}
