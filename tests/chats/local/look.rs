//! What a person reads on the page: messages and forms.

use serde_json::json;

use super::html::Element;
use super::platform::Article;
use crate::one::hands::{Asks, BOT, Button, Field, Form, Seen, TONES};

/// A message as it stands on the page.
pub fn seen_of(article: &Element) -> Article {
    let said = |name: &str| article.attribute(name).unwrap_or_default().to_owned();
    let bodies = article.all(&|element| element.has_class("body"));
    let buttons = article.all(&|element| element.attribute("data-act") == Some("press"));
    let files: Vec<(String, String)> = article
        .all(&|element| element.has_class("file"))
        .into_iter()
        .map(|file| {
            let name = file.all(&|element| element.tag == "bdi")[0].text();
            (name, file.attribute("href").unwrap_or_default().to_owned())
        })
        .collect();
    let label = |button: &Element| button.text().trim_end_matches('…').to_owned();
    let shown = |button: &&Element| Button {
        label: label(button),
        does: button.attribute("data-line").unwrap_or_default().to_owned(),
    };
    let is_bot = article.has_class("bot");
    let deleted = article.has_class("deleted");
    let seen = Seen {
        id: said("data-message"),
        by: if is_bot {
            BOT.to_owned()
        } else {
            said("data-author")
        },
        text: match bodies.first() {
            Some(body) if !deleted => lines(body),
            _ => String::new(),
        },
        buttons: buttons.iter().map(shown).collect(),
        files: files.iter().map(|(name, _)| name.clone()).collect(),
        pinned: article.has_class("pinned"),
        deleted,
        thread: Some(said("data-thread")).filter(|thread| !thread.is_empty()),
    };
    Article {
        seen,
        whisper: article.has_class("whisper"),
        replies: article.class("replies").is_some(),
        marks: buttons
            .iter()
            .map(|button| {
                let mark = button.attribute("data-press").unwrap_or_default();
                (label(button), mark.to_owned())
            })
            .collect(),
        files,
    }
}

/// The body of a message, a line for each thing in it.
fn lines(body: &Element) -> String {
    if body.has_class("text") {
        return body.text();
    }
    let lines: Vec<String> = body
        .elements()
        .map(block)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

fn block(block: &Element) -> String {
    let joined = |parts: Vec<String>| parts.join("\n");
    match block.tag.as_str() {
        "dl" => joined(
            block
                .elements()
                .map(|pair| {
                    let parts: Vec<String> = pair.elements().map(Element::text).collect();
                    parts.join(": ")
                })
                .collect(),
        ),
        "ul" => joined(block.elements().map(row).collect()),
        "details" => joined(block.elements().map(Element::text).collect()),
        // What stands on buttons is told by them.
        "div" => String::new(),
        _ => block.text(),
    }
}

/// A row with its colour.
fn row(row: &Element) -> String {
    let tone = TONES
        .iter()
        .find(|(name, _)| row.has_class(&format!("tone-{name}")));
    let parts: Vec<String> = row.elements().map(Element::text).collect();
    format!("{} {}", tone.expect("a tone").1, parts.join(" "))
}

/// A form as it was put before somebody. It keeps what it is about, as the page's script reads it.
pub fn form_of(html: &str) -> Form {
    let all = Element::read(html);
    let dialog = all.all(&|element| element.tag == "dialog")[0];
    let kept = |name: &str| dialog.attribute(name).unwrap_or_default();
    let fixed: serde_json::Value = serde_json::from_str(kept("data-fixed")).expect("JSON");
    let fields = dialog.all(&|element| element.has_class("field"));
    Form {
        id: json!({ "path": kept("data-path"), "room": kept("data-room"), "fixed": fixed }).to_string(),
        title: dialog.all(&|element| element.tag == "h2")[0].text(),
        fields: fields.into_iter().map(field).collect(),
    }
}

fn field(field: &Element) -> Field {
    let inputs = field.all(&|element| matches!(element.tag.as_str(), "input" | "select" | "textarea"));
    let options = field.all(&|element| element.tag == "option");
    let values = |elements: &[&Element]| -> Vec<String> {
        let values = elements.iter().filter_map(|element| element.attribute("value"));
        values
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let set = |elements: &[&Element], how: &str| -> Vec<String> {
        let set: Vec<&Element> = elements
            .iter()
            .filter(|element| element.attribute(how).is_some())
            .copied()
            .collect();
        values(&set)
    };
    let first = inputs[0];
    let of_input = |name: &str| first.attribute(name).map(str::to_owned);
    let (asks, value) = match field.attribute("data-kind").unwrap_or_default() {
        "number" => (Asks::Number, of_input("value")),
        "select" => (Asks::One(values(&options)), set(&options, "selected").pop()),
        "several" => (
            Asks::Several(values(&inputs)),
            Some(set(&inputs, "checked").join(",")),
        ),
        "date_time" => (Asks::Moment, of_input("data-value")),
        "day" => (Asks::Day, of_input("value")),
        "person" => (Asks::Person, set(&options, "selected").pop()),
        "tick" => (Asks::Tick, set(&inputs, "checked").pop()),
        "area" => (Asks::Text, Some(first.text().trim_start_matches('\n').to_owned())),
        _ => (Asks::Text, of_input("value")),
    };
    let labels = field.all(&|element| matches!(element.tag.as_str(), "label" | "legend"));
    let label = labels[0].text();
    Field {
        name: field.attribute("data-field").unwrap_or_default().to_owned(),
        label: label.trim().trim_end_matches("optional").trim().to_owned(),
        required: field.attribute("data-required").is_some(),
        asks,
        value: value.filter(|value| !value.is_empty()),
    }
}
