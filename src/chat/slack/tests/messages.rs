//! What the bot says, as Slack takes it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::blocks::{Rendered, Rest, render};
use super::super::posts;
use super::super::rich::Look;
use super::{holds, look};
use crate::chat::{Block, Button, Message, Press, Rich, Row, Style, Tone};
use crate::incident::PersonId;

fn rendered(blocks: Vec<Block>) -> Rendered {
    let message = Message {
        fallback: "INC-7 Labels do not print".to_owned(),
        blocks,
    };
    let rendered = render(&message, &look(), Rest::Thread);
    let body = posts::post("C1", None, "INC-7/card", &rendered.text, &rendered.blocks);
    holds("chat.postMessage", &body);
    rendered
}

fn button(label: &str, line: &str) -> Button {
    Button {
        label: label.to_owned(),
        style: Style::Primary,
        press: Press::Run {
            line: line.to_owned(),
        },
    }
}

/// Every string that a reader sees, in order.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "text" => found.push(text.clone()),
                    other => texts(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

fn shown(rendered: &Rendered) -> String {
    let mut found = Vec::new();
    texts(&json!(rendered.blocks), &mut found);
    found.concat()
}

fn everything(text: &str) -> Vec<Block> {
    let rich = || Rich::new().text(text).bold(text).code(text);
    let at = "2026-11-21T03:04:05Z".parse().expect("a time");
    let ana = PersonId::new("ana");
    vec![
        Block::Header {
            text: text.to_owned(),
        },
        Block::Text {
            text: rich()
                .person(&ana, "Ana Bell")
                .time(at)
                .link("/outputs/abc", text),
        },
        Block::Fields {
            fields: vec![
                (text.to_owned(), rich()),
                ("Since".to_owned(), Rich::new().time(at)),
            ],
        },
        Block::Rows {
            rows: vec![Row {
                tone: Tone::Bad,
                mark: "failing".to_owned(),
                title: rich(),
                detail: text.into(),
            }],
        },
        Block::Code {
            text: text.to_owned(),
            diff: true,
        },
        Block::Details {
            title: text.to_owned(),
            text: text.to_owned(),
        },
        Block::Buttons {
            buttons: vec![button(text, text)],
        },
        Block::Context { text: text.into() },
        Block::Context {
            text: rich().time(at),
        },
        Block::Divider,
    ]
}

#[test]
fn every_kind_of_block_is_as_slack_takes_it() {
    let rendered = rendered(everything("Labels do not print"));
    let kinds: Vec<&str> = rendered
        .blocks
        .iter()
        .filter_map(|block| block["type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "header",
            "rich_text",
            "rich_text",
            "rich_text",
            "rich_text",
            "rich_text",
            "rich_text",
            "actions",
            "context",
            "context",
            "divider"
        ]
    );
    assert_eq!(rendered.rest, None);
    assert_eq!(
        rendered.blocks[1]["elements"][0]["elements"][3],
        json!({ "type": "user", "user_id": "U0ANA" })
    );
}

#[test]
fn what_a_person_typed_is_shown_and_never_fires() {
    let hostile = "<!channel> <@U0BOSS> *bold* & `code` :tada: <https://evil|click>";
    let rendered = rendered(everything(hostile));
    // Rich text and plain text are not parsed, so it stands there letter by letter.
    assert_eq!(
        rendered.blocks[1]["elements"][0]["elements"][0],
        json!({ "type": "text", "text": hostile })
    );
    let body = json!(rendered.blocks).to_string();
    assert!(!body.contains("\"broadcast\""));
    let mut parsed = Vec::new();
    for block in &rendered.blocks {
        for element in block["elements"].as_array().into_iter().flatten() {
            if element["type"] == "mrkdwn" {
                parsed.push(element["text"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    assert_eq!(parsed.len(), 1, "only small print with a time in it is markup");
    assert!(
        !parsed[0].contains("<!channel>") && !parsed[0].contains("<@U0BOSS>"),
        "{}",
        parsed[0]
    );
    let fallback = render(
        &Message {
            fallback: hostile.to_owned(),
            blocks: Vec::new(),
        },
        &look(),
        Rest::Thread,
    );
    assert!(
        fallback
            .text
            .starts_with("&lt;!channel&gt; &lt;@U0BOSS&gt; *bold* &amp;")
    );
}

#[test]
fn somebody_unknown_here_is_named_and_a_link_to_nowhere_is_text() {
    let rendered = rendered(vec![Block::Text {
        text: Rich::new()
            .person(&PersonId::new("ben"), "Ben Ode")
            .text(" ")
            .link("javascript:alert(1)", "look"),
    }]);
    assert_eq!(shown(&rendered), "@Ben Ode look");
    assert!(!json!(rendered.blocks).to_string().contains("javascript"));
}

#[test]
fn what_is_too_long_goes_into_the_thread_and_the_buttons_stay() {
    let rows: Vec<Block> = (0..60)
        .map(|at| Block::Text {
            text: format!("line {at} {}", "x".repeat(400)).into(),
        })
        .collect();
    let mut blocks = rows.clone();
    blocks.push(Block::Buttons {
        buttons: vec![button("Approve", "approve A1")],
    });
    let rendered = rendered(blocks);
    assert!(rendered.blocks.len() <= 50);
    assert!(json!(rendered.blocks).to_string().contains("approve A1"));
    assert!(shown(&rendered).ends_with("The rest is in the thread below."));
    let rest = rendered.rest.expect("a rest");
    assert!(rendered.blocks.len() + rest.blocks.len() >= rows.len());
}

/// What a reader finds of a message, in as many as it takes.
fn read_to_the_end(blocks: Vec<Block>) -> String {
    let mut all = String::new();
    let mut left = Some(Message {
        fallback: "INC-7".to_owned(),
        blocks,
    });
    for _ in 0..20 {
        let Some(message) = left else { return all };
        let rendered = render(&message, &look(), Rest::Follows);
        let body = posts::post("C1", None, "INC-7/answer", &rendered.text, &rendered.blocks);
        holds("chat.postMessage", &body);
        assert!(rendered.blocks.len() <= 50);
        all.push_str(&shown(&rendered));
        all.push('\n');
        left = rendered.rest;
    }
    panic!("it has no end");
}

#[test]
fn nothing_of_a_block_larger_than_a_message_is_lost() {
    let row = |text: &str| Row {
        tone: Tone::Quiet,
        mark: "note".to_owned(),
        title: text.to_owned().into(),
        detail: Rich::new(),
    };
    for sign in ["word", "слово", "単語", "🙂"] {
        let words: Vec<String> = (0..4_000).map(|at| format!("{sign}{at:04}")).collect();
        let all = words.join(" ");
        let lines: Vec<String> = words.chunks(20).map(|line| line.join(" ")).collect();
        let large = [
            Block::Text {
                text: all.as_str().into(),
            },
            Block::Rows {
                rows: lines.iter().map(|line| row(line)).collect(),
            },
            Block::Rows {
                rows: vec![row(&all)],
            },
            Block::Fields {
                fields: lines
                    .iter()
                    .map(|line| ("Line".to_owned(), line.as_str().into()))
                    .collect(),
            },
            Block::Code {
                text: lines.join("\n"),
                diff: false,
            },
            Block::Code {
                text: all.replace(' ', ","),
                diff: true,
            },
        ];
        for (at, block) in large.into_iter().enumerate() {
            let header = Block::Header {
                text: "Everything".to_owned(),
            };
            let buttons = Block::Buttons {
                buttons: vec![button("Approve", "approve A1")],
            };
            let end = Block::Text {
                text: "and the end".into(),
            };
            let read = read_to_the_end(vec![header, buttons, block, end]);
            let read = read.replace("The rest follows.", "").replace('\n', "");
            let mut left = read.as_str();
            for word in &words {
                let found = left.split_once(word.as_str());
                let Some((_, after)) = found else {
                    panic!("block {at} lost {word}, or has it out of its place");
                };
                left = after;
            }
            assert!(left.contains("and the end"));
        }
    }
}

#[test]
fn a_heading_longer_than_a_header_goes_on_below_it() {
    let title = "Labels do not print ".repeat(12);
    let rendered = rendered(vec![Block::Header { text: title.clone() }]);
    assert_eq!(rendered.blocks[0]["type"], "header");
    assert_eq!(shown(&rendered).replace("……", " "), title.trim());
}

#[test]
fn characters_are_counted_and_not_their_bytes() {
    let text = "問".repeat(9_000);
    let rendered = rendered(vec![Block::Text {
        text: text.as_str().into(),
    }]);
    assert!(rendered.rest.is_none());
    assert_eq!(shown(&rendered), text);
}

#[test]
fn what_will_run_is_shown_to_the_letter_however_long_its_lines() {
    let operation = format!("UPDATE ir_cron\n   SET active = false -- {}\n", "é".repeat(4000));
    let rendered = rendered(vec![Block::Code {
        text: operation.clone(),
        diff: false,
    }]);
    assert_eq!(shown(&rendered), operation);
}

#[test]
fn a_command_is_code_in_a_text_and_in_small_print() {
    let words = || {
        Rich::new()
            .text("Say ")
            .command("incident", "next")
            .text(" or `this`")
    };
    let rendered = rendered(vec![
        Block::Text { text: words() },
        Block::Context { text: words() },
    ]);
    let elements = &rendered.blocks[0]["elements"][0]["elements"];
    assert_eq!(
        elements[1],
        json!({ "type": "text", "text": "/incident next", "style": { "code": true } })
    );
    assert_eq!(elements[2]["text"], " or `this`");
    assert_eq!(
        rendered.blocks[1]["elements"][0],
        json!({ "type": "mrkdwn", "text": "Say `/incident next` or `this`", "verbatim": true })
    );
}

#[test]
fn a_link_into_a_page_that_nobody_reaches_says_what_to_type_instead() {
    let link = || Rich::new().into_page("/outputs/ab", "P1", "orderly probe output INC-7 P1");
    let unreached = Look { page: None, ..look() };
    let message = Message {
        fallback: String::new(),
        blocks: vec![Block::Text { text: link() }, Block::Context { text: link() }],
    };
    let rendered = render(&message, &unreached, Rest::Thread);
    assert_eq!(
        shown(&rendered),
        "P1 (orderly probe output INC-7 P1 on the machine)P1 (`orderly probe output INC-7 P1` on the machine)"
    );
}

#[test]
fn a_press_too_long_for_a_button_is_told_in_words() {
    let rendered = rendered(vec![Block::Buttons {
        buttons: vec![button("Ask again", &"x".repeat(2100)), button("Card", "card")],
    }]);
    assert_eq!(shown(&rendered), "CardToo long for a button, type it: Ask again");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_anybody_types_makes_a_message_slack_refuses(text in "\\PC{0,400}", times in 0_usize..12) {
        let text = text.repeat(times);
        let rendered = rendered(everything(&text));
        prop_assert!(rendered.blocks.len() <= 50);
        prop_assert!(json!(rendered.blocks).to_string().len() < 60_000);
    }
}
