//! Forms on their way to Slack and back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::form::{filled, saying, view, waiting};
use super::{holds, look};
use crate::chat::{Field, FieldKind, Form};

fn field(name: &str, kind: FieldKind, value: Option<&str>) -> Field {
    Field {
        name: name.to_owned(),
        label: format!("The {name}"),
        hint: Some("15m, 2h".to_owned()),
        kind,
        value: value.map(str::to_owned),
        required: name == "line",
    }
}

fn options(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|at| (format!("t{at}"), format!("Target {at} {}", "x".repeat(90))))
        .collect()
}

fn form() -> Form {
    Form {
        path: "frame".to_owned(),
        fixed: BTreeMap::from([("incident".to_owned(), "INC-7".to_owned())]),
        title: "Say what is broken, for whom, since when".to_owned(),
        intro: Some("Three questions.".into()),
        fields: vec![
            field("line", FieldKind::Line, Some("as it was")),
            field("area", FieldKind::Area, None),
            field("number", FieldKind::Number, Some("4")),
            field("select", FieldKind::Select { options: options(25) }, Some("t3")),
            field("few", FieldKind::Several { options: options(3) }, Some("t0,t2")),
            field("many", FieldKind::Several { options: options(30) }, None),
            field("when", FieldKind::DateTime, Some("2026-11-21T03:00:00+00:00")),
            field("day", FieldKind::Day, Some("2026-11-28")),
            field("who", FieldKind::Person, Some("ana")),
            field("tick", FieldKind::Tick, None),
            field("none", FieldKind::Select { options: Vec::new() }, None),
        ],
        submit: "Frame it".to_owned(),
    }
}

#[test]
fn every_kind_of_field_is_as_slack_takes_it() {
    let view = view(&form(), "C1", &look()).expect("a view");
    holds("modal", &view);
    assert_eq!(view["title"]["text"], "Say what is broken, for…");
    let initial = |name: &str, key: &str| {
        let blocks = view["blocks"].as_array().expect("blocks");
        let block = blocks.iter().find(|block| block["block_id"] == name);
        block.expect("the field")["element"][key].clone()
    };
    assert_eq!(initial("line", "initial_value"), "as it was");
    assert_eq!(initial("select", "initial_option")["value"], "t3");
    assert_eq!(initial("few", "type"), "checkboxes");
    assert_eq!(initial("many", "type"), "multi_static_select");
    assert_eq!(initial("when", "initial_date_time"), 1_795_230_000);
    assert_eq!(initial("who", "initial_user"), "U0ANA");
    assert_eq!(
        initial("none", "type"),
        "plain_text_input",
        "a list without entries is a line"
    );
}

#[test]
fn the_views_that_only_say_something_are_as_slack_takes_them() {
    holds("modal", &waiting());
    holds("modal", &saying("Not now", &"x".repeat(5000)));
    holds("modal", &saying("Not now", ""));
}

#[test]
fn what_is_filled_in_comes_back_as_the_command_takes_it() {
    let mut view = view(&form(), "C1", &look()).expect("a view");
    view["id"] = json!("V1");
    let option = |value: &str| json!({ "text": { "type": "plain_text", "text": value }, "value": value });
    view["state"] = json!({ "values": {
        "line": { "v": { "type": "plain_text_input", "value": "down" } },
        "area": { "v": { "type": "plain_text_input", "value": null } },
        "number": { "v": { "type": "number_input", "value": "4" } },
        "select": { "v": { "type": "static_select", "selected_option": option("t3") } },
        "few": { "v": { "type": "checkboxes", "selected_options": [option("t0"), option("t2")] } },
        "many": { "v": { "type": "multi_static_select", "selected_options": [] } },
        "when": { "v": { "type": "datetimepicker", "selected_date_time": 1_795_230_000 } },
        "day": { "v": { "type": "datepicker", "selected_date": "2026-11-28" } },
        "who": { "v": { "type": "users_select", "selected_user": "U0BEN" } },
        "tick": { "v": { "type": "checkboxes", "selected_options": [option("yes")] } },
    }});
    let filled = filled(&view).expect("a form of ours");
    let values: Vec<(&str, &str)> = filled
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("day", "2026-11-28"),
            ("few", "t0,t2"),
            ("line", "down"),
            ("number", "4"),
            ("select", "t3"),
            ("tick", "yes"),
            ("when", "2026-11-21T03:00:00Z"),
            ("who", "U0BEN"),
        ]
    );
    assert_eq!(
        (filled.kept.room.as_str(), filled.kept.path.as_str()),
        ("C1", "frame")
    );
    assert_eq!(filled.kept.fixed, form().fixed);
    assert_eq!(filled.fields.first().map(String::as_str), Some("line"));
}

#[test]
fn a_form_that_another_version_opened_is_still_understood() {
    let view = json!({
        "callback_id": "orderly:form",
        "private_metadata": r#"{"o":1,"room":"C1","path":"action refuse","fixed":{"proposal":"A3"},"later":1}"#,
        "state": { "values": {} },
        "blocks": [],
    });
    assert_eq!(filled(&view).expect("ours").kept.path, "action refuse");
    assert_eq!(filled(&json!({ "callback_id": "another" })), None);
}

#[test]
fn what_is_too_much_for_a_form_is_said_and_not_cut() {
    let mut form = form();
    form.fixed.insert("evidence".to_owned(), "P1,".repeat(1500));
    assert!(matches!(view(&form, "C1", &look()), Err(why) if why.contains("type the command")));
}

#[test]
fn an_option_too_long_to_come_back_whole_makes_the_field_a_line() {
    let form = Form {
        fields: vec![field(
            "select",
            FieldKind::Select {
                options: vec![("x".repeat(80), "long".to_owned())],
            },
            None,
        )],
        ..form()
    };
    let view: Value = view(&form, "C1", &look()).expect("a view");
    holds("modal", &view);
    assert!(view.to_string().contains("plain_text_input"));
}

#[test]
fn what_is_more_than_a_list_takes_is_typed_and_all_of_it_named() {
    for (count, element) in [(100, "static_select"), (101, "plain_text_input")] {
        let mut select = field(
            "select",
            FieldKind::Select {
                options: options(count),
            },
            None,
        );
        select.hint = None;
        let form = Form {
            fields: vec![select],
            ..form()
        };
        let view: Value = view(&form, "C1", &look()).expect("a view");
        holds("modal", &view);
        let text = view.to_string();
        assert!(text.contains(element), "{count}: {text}");
        assert!(text.contains(&format!("t{}", count - 1)), "the last of {count}");
    }
}
