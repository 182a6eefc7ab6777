//! Text that wants to be more than text.

use serde_json::Value;

use super::*;
use crate::incident::Event;
use crate::postmortem::sample::incident;

const HOSTILE: &str = "x</td></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onload='y' [a](javascript:alert(1)) \
    ![i](http://evil.example/x.png) <http://evil.example> https://evil.example/a www.evil.example | b | c\n\n# Heading\n- item\n1. one\n> quote\n\
    ```\nfence\n````\n~~~\n    code\n=====\n<!-- {{ 7*7 }} {% raw %} --> &lt; &#60; **bold** _it_ `code` ~~s~~ $m$ [^1]\n\n[^1]: note\n[r]: http://evil.example\n\u{202e}rtl\u{0}\u{7}\u{1b}[31m";

/// Fields whose text people or systems write; everything else is a word of ours.
const FREE: &[&str] = &[
    "title",
    "text",
    "reason",
    "detail",
    "note",
    "summary",
    "excerpt",
    "impact",
    "what",
    "works",
    "who",
    "sentence",
    "display",
    "effect",
    "report",
    "grounds",
    "author",
    "message_text",
    "provenance",
    "reference",
    "chosen_because",
    "tracker",
    "why",
    "answer_text",
    "url",
    "target",
    "probe",
    "driver",
    "action",
    "step",
    "sha256",
    "output",
];

/// Words of ours that stand under a name that is free elsewhere.
const PURPOSES: &[&str] = &["ask", "precondition", "before", "verify"];

fn poisoned(value: &mut Value, key: &str) {
    match value {
        Value::String(text) if FREE.contains(&key) && !PURPOSES.contains(&text.as_str()) => {
            *text = HOSTILE.to_owned()
        }
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(key, value)| poisoned(value, &key.clone())),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| poisoned(item, if key == "files" { "sha256" } else { key })),
        _ => {}
    }
}

fn hostile_document() -> Document {
    let mut events = incident();
    for recorded in &mut events {
        let Some(event) = &mut recorded.event else {
            continue;
        };
        let mut value = serde_json::to_value(&*event).unwrap();
        poisoned(&mut value, "");
        *event = Event::read(event.kind(), 1, &value.to_string()).unwrap();
    }
    let names = |_: &crate::incident::PersonId| HOSTILE.to_owned();
    let line = LogLine {
        at: events[0].occurred,
        room: HOSTILE.to_owned(),
        author: HOSTILE.to_owned(),
        text: HOSTILE.to_owned(),
        earlier: vec![HOSTILE.to_owned()],
        deleted: false,
        files: vec![HOSTILE.to_owned()],
    };
    let lines = [line];
    assemble(Source {
        head: HOSTILE,
        names: &names,
        room_log: Some(&lines),
        ..source(&events)
    })
    .unwrap()
}

/// Every tag of the page, without what stands between them.
fn tags(page: &str) -> Vec<&str> {
    page.split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap_or(rest))
        .collect()
}

#[test]
fn hostile_text_stays_text_in_html() {
    let page = html(&hostile_document()).unwrap();
    for tag in tags(&page) {
        let name = tag.split([' ', '\n']).next().unwrap_or(tag);
        assert!(
            !matches!(
                name,
                "script" | "img" | "iframe" | "object" | "link" | "base" | "form"
            ),
            "<{tag}>"
        );
        assert!(
            !tag.contains("onerror") && !tag.contains("onload") && !tag.contains("javascript:"),
            "<{tag}>"
        );
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("⟨U+202E⟩rtl⟨U+0000⟩⟨U+0007⟩⟨U+001B⟩"));
    assert!(page.contains("{{ 7*7 }}"));
}

#[test]
fn hostile_text_breaks_no_element_of_the_page() {
    const VOID: &[&str] = &["meta", "br", "!doctype", "line", "rect", "circle", "polygon"];
    let page = html(&hostile_document()).unwrap();
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(&page) {
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n', '/'])
            .next()
            .unwrap_or_default();
        if VOID.contains(&name) {
            continue;
        }
        match tag.starts_with('/') {
            true => assert_eq!(open.pop(), Some(name), "</{name}> closes something else"),
            false => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn hostile_text_becomes_no_markup_in_markdown() {
    let text = markdown(&hostile_document()).unwrap();
    let mut options = comrak::Options::default();
    options.render.r#unsafe = true;
    let extension = &mut options.extension;
    (
        extension.table,
        extension.autolink,
        extension.strikethrough,
        extension.footnotes,
    ) = (true, true, true, true);
    (extension.tasklist, extension.math_dollars, extension.alerts) = (true, true, true);
    let page = comrak::markdown_to_html(&text, &options);
    for tag in tags(&page) {
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap_or(tag);
        assert!(
            matches!(
                name,
                "h1" | "h2"
                    | "h3"
                    | "p"
                    | "ul"
                    | "li"
                    | "table"
                    | "thead"
                    | "tbody"
                    | "tr"
                    | "th"
                    | "td"
                    | "code"
                    | "pre"
                    | "strong"
                    | "em"
                    | "blockquote"
                    | "br"
                    | "br /"
            ),
            "<{tag}> in {}",
            &page[page.find(&format!("<{tag}")).unwrap_or(0)..]
                .chars()
                .take(300)
                .collect::<String>()
        );
    }
    // One title, and no heading of the text's own.
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(!page.contains("<h1>Heading"));
}

#[test]
fn hostile_text_moves_no_cell_of_a_markdown_table() {
    let text = markdown(&hostile_document()).unwrap();
    let record = text.split("## The full record").nth(1).unwrap();
    let rows = record.lines().filter(|line| line.starts_with("| 2026"));
    for row in rows {
        let cells = row.replace("\\|", "").matches('|').count();
        assert_eq!(cells, 5, "{row}");
    }
}

#[test]
fn json_keeps_hostile_text_as_it_was() {
    let document = hostile_document();
    let read: Document = serde_json::from_str(&json(&document)).unwrap();
    assert_eq!(read.header.title, HOSTILE);
    assert_eq!(read, document);
}
