//! The neutral form as a modal, and what comes back of it. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rich::{Look, elements};
use crate::chat::pieces::pieces;
use crate::chat::{Field, FieldKind, Form, Message, Rich};
use crate::incident::PersonId;
use crate::text::cut;

/// Title, submit and close of a view.
const TITLE_MAX: usize = 24;
/// Blocks of a modal: 100. A form with more fields than this has no use for a person.
const FIELDS_MAX: usize = 95;
const LABEL_MAX: usize = 2000;
const INPUT_MAX: usize = 3000;
/// Text and value of an option: 75 in the reference of the types, 150 in a library. The smaller holds in both.
const OPTION_MAX: usize = 75;
/// Options of a select, and of checkboxes.
const SELECT_MAX: usize = 100;
const TICKS_MAX: usize = 10;
const METADATA_MAX: usize = 3000;
const TEXT_MAX: usize = 3000;
/// Written into every form, so that one that is open while the bot is renewed is still understood.
const VERSION: u8 = 1;
/// The one element of every input; which field it is stands in its block's id.
const ELEMENT: &str = "v";

/// What the callback of a submitted form names; anything else is no form of ours.
pub const CALLBACK: &str = "orderly:form";
/// The view that stands there until the form is known.
pub const WAITING: &str = "orderly:wait";

/// What a form remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    o: u8,
    /// The channel in which it was asked for.
    pub room: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, String>,
}

/// A form, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    pub kept: Kept,
    pub values: BTreeMap<String, String>,
    /// Names of the fields that were shown, in their order: where errors can stand.
    pub fields: Vec<String>,
}

/// The modal; the error says why Slack would not take it.
pub fn view(form: &Form, room: &str, look: &Look<'_>) -> Result<Value, String> {
    let kept = Kept {
        o: VERSION,
        room: room.to_owned(),
        path: form.path.clone(),
        fixed: form.fixed.clone(),
    };
    let metadata = serde_json::to_string(&kept).map_err(|error| error.to_string())?;
    if metadata.chars().count() > METADATA_MAX {
        return Err("what is settled already is too long for a form; type the command instead".to_owned());
    }
    let mut blocks = Vec::new();
    let title = cut(&form.title, TITLE_MAX, "…").shown.into_owned();
    if title != form.title {
        blocks.extend(paragraphs(&Rich::new().bold(form.title.clone()), look));
    }
    if let Some(intro) = &form.intro {
        blocks.extend(paragraphs(intro, look));
    }
    blocks.extend(
        form.fields
            .iter()
            .take(FIELDS_MAX)
            .map(|field| input(field, look)),
    );
    if blocks.is_empty() {
        blocks.extend(paragraphs(&Rich::from("There is nothing more to fill in."), look));
    }
    Ok(json!({
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": metadata,
        "title": plain(&title, TITLE_MAX),
        "submit": plain(&form.submit, TITLE_MAX),
        "close": plain("Cancel", TITLE_MAX),
        "blocks": blocks,
    }))
}

/// Opened at once, because a trigger lives for three seconds; filled in when the form is known.
pub fn waiting() -> Value {
    saying(
        "One moment",
        "Fetching what is known so far … If nothing comes, close this and try again.",
    )
}

/// A modal that only says something.
pub fn saying(title: &str, words: &str) -> Value {
    json!({
        "type": "modal",
        "callback_id": WAITING,
        "title": plain(title, TITLE_MAX),
        "close": plain("Close", TITLE_MAX),
        "blocks": [{ "type": "section", "text": plain(words, TEXT_MAX) }],
    })
}

/// What a message says, for a modal that has no place for more.
pub fn words(message: &Message) -> &str {
    &message.fallback
}

fn plain(text: &str, most: usize) -> Value {
    let shown = cut(text.trim(), most, "…").shown.into_owned();
    let shown = if shown.is_empty() { "…".to_owned() } else { shown };
    json!({ "type": "plain_text", "text": shown, "emoji": false })
}

fn paragraphs(text: &Rich, look: &Look<'_>) -> Vec<Value> {
    let block = |part: Rich| {
        json!({
            "type": "rich_text",
            "elements": [{ "type": "rich_text_section", "elements": elements(&part, look) }],
        })
    };
    let shown = |part: &Rich| !part.plain().trim().is_empty();
    pieces(text, TEXT_MAX)
        .into_iter()
        .filter(shown)
        .map(block)
        .collect()
}

fn input(field: &Field, look: &Look<'_>) -> Value {
    let mut block = json!({
        "type": "input",
        "block_id": field.name,
        "optional": !field.required,
        "label": plain(&field.label, LABEL_MAX),
        "element": element(field, look),
    });
    if let Some(hint) = hint(field) {
        block["hint"] = plain(&hint, LABEL_MAX);
    }
    block
}

fn element(field: &Field, look: &Look<'_>) -> Value {
    let value = field.value.as_deref();
    match &field.kind {
        FieldKind::Line => text(value, false),
        FieldKind::Area => text(value, true),
        FieldKind::Number => {
            let mut element =
                json!({ "type": "number_input", "action_id": ELEMENT, "is_decimal_allowed": false });
            if let Some(number) = value.filter(|value| value.parse::<i64>().is_ok()) {
                element["initial_value"] = json!(number);
            }
            element
        }
        FieldKind::Select { options } if fits(options, SELECT_MAX) => {
            let mut element =
                json!({ "type": "static_select", "action_id": ELEMENT, "options": offered(options) });
            let chosen = options.iter().find(|(known, _)| Some(known.as_str()) == value);
            if let Some(chosen) = chosen {
                element["initial_option"] = option(chosen);
            }
            element
        }
        FieldKind::Several { options } if fits(options, SELECT_MAX) => several(options, value),
        FieldKind::Select { .. } | FieldKind::Several { .. } => text(value, false),
        FieldKind::DateTime => {
            let mut element = json!({ "type": "datetimepicker", "action_id": ELEMENT });
            if let Some(at) = value.and_then(|value| DateTime::parse_from_rfc3339(value).ok()) {
                element["initial_date_time"] = json!(at.timestamp());
            }
            element
        }
        FieldKind::Day => {
            let mut element = json!({ "type": "datepicker", "action_id": ELEMENT });
            if let Some(day) = value.filter(|value| value.parse::<chrono::NaiveDate>().is_ok()) {
                element["initial_date"] = json!(day);
            }
            element
        }
        FieldKind::Person => {
            let mut element = json!({ "type": "users_select", "action_id": ELEMENT });
            if let Some(user) = value.and_then(|id| (look.user_of)(&PersonId::new(id))) {
                element["initial_user"] = json!(user);
            }
            element
        }
        FieldKind::Tick => {
            let yes = option(&("yes".to_owned(), "Yes".to_owned()));
            let mut element = json!({ "type": "checkboxes", "action_id": ELEMENT, "options": [yes.clone()] });
            if value == Some("yes") {
                element["initial_options"] = json!([yes]);
            }
            element
        }
    }
}

/// What is written below a field: how it is filled in, or what there is to choose from where that is too much for a list.
fn hint(field: &Field) -> Option<String> {
    let listed = match &field.kind {
        FieldKind::Select { options } | FieldKind::Several { options } if !fits(options, SELECT_MAX) => {
            let words: Vec<&str> = options.iter().map(|(value, _)| value.as_str()).collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
        _ => None,
    };
    field.hint.clone().or(listed)
}

fn text(value: Option<&str>, multiline: bool) -> Value {
    let mut element = json!({
        "type": "plain_text_input",
        "action_id": ELEMENT,
        "multiline": multiline,
        "max_length": INPUT_MAX,
    });
    if let Some(value) = value {
        element["initial_value"] = json!(cut(value, INPUT_MAX, "").shown);
    }
    element
}

/// Checkboxes while they can be seen at a glance, then a list.
fn several(options: &[(String, String)], value: Option<&str>) -> Value {
    let kind = if options.len() <= TICKS_MAX {
        "checkboxes"
    } else {
        "multi_static_select"
    };
    let mut element = json!({ "type": kind, "action_id": ELEMENT, "options": offered(options) });
    let chosen: Vec<&str> = value
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let chosen: Vec<Value> = options
        .iter()
        .filter(|(known, _)| chosen.contains(&known.as_str()))
        .map(option)
        .collect();
    if !chosen.is_empty() {
        element["initial_options"] = json!(chosen);
    }
    element
}

/// A value must come back as it was given, so one that is too long makes the field a line of text.
fn fits(options: &[(String, String)], most: usize) -> bool {
    let short = |(value, _): &(String, String)| !value.is_empty() && value.chars().count() <= OPTION_MAX;
    !options.is_empty() && options.len() <= most && options.iter().all(short)
}

fn offered(options: &[(String, String)]) -> Vec<Value> {
    options.iter().map(option).collect()
}

fn option((value, label): &(String, String)) -> Value {
    json!({ "text": plain(label, OPTION_MAX), "value": value })
}

/// Reads a submitted view; `None` if it is not ours.
pub fn filled(view: &Value) -> Option<Filled> {
    if view["callback_id"] != CALLBACK {
        return None;
    }
    let kept: Kept = serde_json::from_str(view["private_metadata"].as_str()?).ok()?;
    let mut values = BTreeMap::new();
    for (field, elements) in view["state"]["values"].as_object().into_iter().flatten() {
        let element = elements.as_object().and_then(|elements| elements.values().next());
        if let Some(value) = element.and_then(value_of) {
            values.insert(field.clone(), value);
        }
    }
    let inputs = view["blocks"].as_array().into_iter().flatten();
    let fields = inputs
        .filter(|block| block["type"] == "input")
        .filter_map(|block| block["block_id"].as_str().map(str::to_owned))
        .collect();
    Some(Filled { kept, values, fields })
}

fn value_of(element: &Value) -> Option<String> {
    let owned = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match element["type"].as_str()? {
        "static_select" => owned(&element["selected_option"]["value"]),
        "multi_static_select" | "checkboxes" => {
            let chosen = element["selected_options"].as_array()?.iter();
            let chosen: Vec<&str> = chosen.filter_map(|option| option["value"].as_str()).collect();
            (!chosen.is_empty()).then(|| chosen.join(","))
        }
        "datetimepicker" => {
            let at: DateTime<Utc> = DateTime::from_timestamp(element["selected_date_time"].as_i64()?, 0)?;
            Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
        }
        "datepicker" => owned(&element["selected_date"]),
        "users_select" => owned(&element["selected_user"]),
        _ => owned(&element["value"]),
    }
}
