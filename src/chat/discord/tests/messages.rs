//! What the bot says, as Discord takes it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::embeds::{self, Rendered, render};
use super::super::ids::nonce;
use super::super::markdown::{escaped, units};
use super::{ANA, GUILD, ROOM, holds, look};
use crate::chat::look::Look;
use crate::chat::{Block, Button, Message, Press, Rich, Row, Style, Tone};
use crate::incident::PersonId;

fn rendered(blocks: Vec<Block>) -> Rendered {
    let message = Message {
        fallback: "INC-7 Labels do not print".to_owned(),
        blocks,
    };
    let mut rendered = render(&message, &look());
    rendered.keyed(GUILD, ROOM, &nonce("INC-7/card"));
    within_limits(&rendered);
    rendered
}

/// What Discord's description of its API says, and what it does not.
fn within_limits(rendered: &Rendered) {
    let mut body = rendered.body();
    body["nonce"] = json!(nonce("INC-7/card"));
    body["enforce_nonce"] = json!(true);
    holds("MessageCreateRequest", &body);
    assert!(units(&rendered.content) <= 2000);
    assert!(rendered.components.len() <= 5);
    let mut all = 0;
    for embed in &rendered.embeds {
        let text = |key: &str| embed[key].as_str().unwrap_or_default();
        assert!(units(text("title")) <= 256 && units(text("description")) <= 4096);
        all += units(text("title")) + units(text("description"));
        for field in embed["fields"].as_array().into_iter().flatten() {
            let (name, value) = (
                field["name"].as_str().unwrap_or_default(),
                field["value"].as_str().unwrap_or_default(),
            );
            assert!((1..=256).contains(&units(name)) && (1..=1024).contains(&units(value)));
            all += units(name) + units(value);
        }
    }
    assert!(all <= 6000, "{all} characters");
    let ids: Vec<&str> = rendered
        .components
        .iter()
        .flat_map(|row| row["components"].as_array().into_iter().flatten())
        .filter_map(|button| button["custom_id"].as_str())
        .collect();
    assert!(ids.iter().all(|id| id.chars().count() <= 100));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    assert!(!rendered.embeds.is_empty());
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

/// Every string that a reader sees in the embeds.
fn shown(rendered: &Rendered) -> String {
    let mut found = String::new();
    for embed in &rendered.embeds {
        for key in ["title", "description"] {
            found.push_str(embed[key].as_str().unwrap_or_default());
            found.push('\n');
        }
        for field in embed["fields"].as_array().into_iter().flatten() {
            found.push_str(&format!("{}: {}\n", text(field, "name"), text(field, "value")));
        }
    }
    found
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
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
            text: rich().person(&ana, "Ana").time(at).link("/incidents/7", text),
        },
        Block::Fields {
            fields: vec![(text.to_owned(), rich()), ("Severity".to_owned(), rich())],
        },
        Block::Rows {
            rows: vec![Row {
                tone: Tone::Bad,
                mark: "failing".to_owned(),
                title: rich(),
                detail: rich(),
            }],
        },
        Block::Code {
            text: text.to_owned(),
            diff: true,
        },
        Block::Details {
            title: "More".to_owned(),
            text: text.to_owned(),
        },
        Block::Divider,
        Block::Context { text: rich() },
        Block::Buttons {
            buttons: vec![button("Approve", "approve A3"), button("Approve", "approve A3")],
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_people_typed_stays_within_every_limit(text in "\\PC{0,200}", times in 1_usize..60) {
        rendered(everything(&text.repeat(times)));
    }
}

#[test]
fn what_people_typed_is_no_markup_and_calls_nobody() {
    let nasty = "@everyone <@1> **bold** [a](https://x.example) ||hidden|| `code`\n# Title\n> quoted\n- list";
    let rendered = rendered(vec![Block::Text { text: nasty.into() }]);
    let text = shown(&rendered);
    for mark in [
        "@everyone",
        "<@1>",
        "**bold**",
        "[a](",
        "||hidden||",
        "\n# Title",
        "\n> quoted",
        "\n- list",
    ] {
        let plain = text.replace(&format!("\\{}", &mark.trim_start()[..1]), "");
        assert!(
            !plain.contains(mark) || text.contains(&format!("\\{mark}")),
            "{mark} in {text}"
        );
    }
    assert!(!text.contains("@everyone"), "{text}");
    assert!(text.contains("\\<@\u{200b}1>"), "{text}");
    let body = rendered.body();
    assert_eq!(body["content"], "");
    assert_eq!(body["allowed_mentions"], json!({ "parse": [], "users": [] }));
}

#[test]
fn an_address_stays_one_that_can_be_followed() {
    assert_eq!(
        escaped("see https://git.example/a_b_c?x=*1 and a_b"),
        "see https://git.example/a_b_c?x=\\*1 and a\\_b"
    );
}

#[test]
fn somebody_who_is_mentioned_is_called_and_nobody_else() {
    let ana = PersonId::new("ana");
    let ben = PersonId::new("ben");
    let rendered = rendered(vec![Block::Text {
        text: Rich::new().person(&ana, "Ana").text(" and ").person(&ben, "Ben"),
    }]);
    let body = rendered.body();
    assert_eq!(body["content"], format!("<@{ANA}> INC-7 Labels do not print"));
    assert_eq!(body["allowed_mentions"], json!({ "parse": [], "users": [ANA] }));
    assert!(shown(&rendered).contains("**@\u{200b}ben**") || shown(&rendered).contains("**@\u{200b}Ben**"));
}

#[test]
fn a_time_is_shown_in_the_reader_s_own_zone() {
    let at = "2026-11-21T03:04:05Z".parse().expect("a time");
    let rendered = rendered(vec![Block::Text {
        text: Rich::new().text("since ").time(at),
    }]);
    assert!(shown(&rendered).contains("since <t:1795230245:f>"));
}

#[test]
fn what_does_not_fit_is_in_a_file_and_the_buttons_stay() {
    let long: String = (0..800)
        .map(|line| format!("line {line} of what would run\n"))
        .collect();
    let rendered = rendered(vec![
        Block::Header {
            text: "A3 Repair".to_owned(),
        },
        Block::Code {
            text: long,
            diff: false,
        },
        Block::Buttons {
            buttons: vec![button("Approve", "approve A3")],
        },
    ]);
    let text = shown(&rendered);
    assert!(text.contains("line 0 of") && text.contains("The rest is in the file rest.txt"));
    let rest = rendered.file.as_deref().unwrap_or_default();
    assert!(rest.contains("line 799 of") && !rest.contains("line 0 of"));
    let first = rest.lines().next().unwrap_or_default();
    assert!(!text.contains(first), "nothing stands twice: {first}");
    assert_eq!(rendered.components.len(), 1);
    assert_eq!(rendered.body()["attachments"][0]["filename"], "rest.txt");
}

#[test]
fn a_fence_in_a_text_does_not_end_ours() {
    let rendered = rendered(vec![Block::Code {
        text: "```\n@everyone".to_owned(),
        diff: false,
    }]);
    let text = shown(&rendered);
    assert_eq!(text.matches("```").count(), 2, "{text}");
}

#[test]
fn a_command_is_code_and_named_as_it_is_picked_here() {
    let rendered = rendered(vec![Block::Text {
        text: Rich::new()
            .text("Say ")
            .command("incident", "ack")
            .text(" or `this`"),
    }]);
    assert_eq!(shown(&rendered).trim(), "Say `/incident page ack` or \\`this\\`");
}

#[test]
fn whoever_is_called_reads_in_the_notification_what_can_be_picked_here() {
    let text = Rich::new()
        .person(&PersonId::new("ana"), "Ana")
        .text(" nobody has answered. Say ")
        .command("incident", "ack");
    let message = Message {
        fallback: text.bare(),
        blocks: vec![Block::Text { text }],
    };
    let body = embeds::render(&message, &look()).body();
    assert_eq!(
        body["content"],
        format!("<@{ANA}> @\u{200b}Ana nobody has answered. Say /incident page ack")
    );
}

#[test]
fn a_link_into_a_page_that_nobody_reaches_says_what_to_type_instead() {
    let link = Rich::new().into_page("/outputs/ab", "P1", "orderly probe output INC-7 P1");
    let unreached = Look { page: None, ..look() };
    let message = Message {
        fallback: String::new(),
        blocks: vec![Block::Text { text: link }],
    };
    let rendered = embeds::render(&message, &unreached);
    assert_eq!(
        rendered.embeds[0]["description"],
        "P1 (`orderly probe output INC-7 P1` on the machine)"
    );
}

#[test]
fn a_button_that_is_too_long_is_told_as_what_to_type() {
    let line = format!("note {}", "x".repeat(120));
    let rendered = rendered(vec![Block::Buttons {
        buttons: vec![button("Note it", &line), button("Status", "status")],
    }]);
    assert!(shown(&rendered).contains("To be typed instead of pressed: Note it (journal note text:xxx"));
    assert_eq!(
        rendered.components[0]["components"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_post_carries_its_key_where_history_shows_it() {
    let rendered = rendered(vec![Block::Text { text: "hello".into() }]);
    let message = json!({ "embeds": rendered.embeds });
    assert_eq!(embeds::key_of(&message), Some(nonce("INC-7/card").as_str()));
}
