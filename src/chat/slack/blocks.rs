//! The neutral message as Block Kit, within Slack's limits. Pure.
//!
//! What does not fit goes into a thread below the message ([`Rendered::rest`]); buttons always stay.

use serde_json::{Value, json};

use super::press;
use super::rich::{Look, elements, escaped, text_object};
use crate::chat::pieces::pieces;
use crate::chat::{Block, Button, Message, Rich, Row, Style, Tone};
use crate::text::cut;

/// Blocks of a message: 50, less the note that says where the rest is.
const BLOCKS_MAX: usize = 49;
/// Characters in all blocks together. Slack answers `msg_blocks_too_long` at about 13,200; what stands between the
/// texts counts as well.
const CHARS_MAX: usize = 11_000;
/// A text object.
const TEXT_MAX: usize = 3000;
const HEADER_MAX: usize = 150;
const BUTTON_MAX: usize = 75;
/// Buttons in one block.
const ACTIONS_MAX: usize = 25;
/// What a notification shows; 40,000 would be allowed, and nobody reads that on a lock screen.
const FALLBACK_MAX: usize = 1000;
/// What is shown of a text that opens on demand elsewhere: Slack cannot fold, so it must not push the buttons away.
const DETAILS_MAX: usize = 900;

/// A message as Slack takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// For notifications; escaped.
    pub text: String,
    pub blocks: Vec<Value>,
    /// What did not fit, for the thread below.
    pub rest: Option<Message>,
}

/// One block and how much of the message it takes.
struct Piece {
    block: Value,
    chars: usize,
}

/// Where a reader finds what did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Posted below the message.
    Thread,
    /// Shown in another message after this one: what only one person sees has no thread of its own.
    Follows,
    /// Left out: an edit posts nothing.
    Dropped,
}

pub fn render(message: &Message, look: &Look<'_>, where_rest: Rest) -> Rendered {
    let is_buttons = |block: &Block| matches!(block, Block::Buttons { .. });
    let reserved: usize = message
        .blocks
        .iter()
        .filter(|block| is_buttons(block))
        .flat_map(|block| shaped(block, look))
        .map(|piece| piece.chars)
        .sum();
    let buttons = message.blocks.iter().filter(|block| is_buttons(block)).count();
    let (mut blocks, mut rest) = (Vec::new(), Vec::new());
    let (mut chars, mut room) = (
        CHARS_MAX.saturating_sub(reserved),
        BLOCKS_MAX.saturating_sub(buttons),
    );
    for block in &message.blocks {
        let pieces = shaped(block, look);
        if is_buttons(block) {
            blocks.extend(pieces.into_iter().map(|piece| piece.block));
            continue;
        }
        let needs: usize = pieces.iter().map(|piece| piece.chars).sum();
        if rest.is_empty() && needs <= chars && pieces.len() <= room {
            chars -= needs;
            room -= pieces.len();
            blocks.extend(pieces.into_iter().map(|piece| piece.block));
        } else if !pieces.is_empty() {
            rest.push(block.clone());
        }
    }
    // Alone, even one block can be too much: then it is cut, and only then.
    if blocks.is_empty() && !rest.is_empty() {
        for piece in shaped(&rest.remove(0), look) {
            if piece.chars > chars || room == 0 {
                break;
            }
            chars -= piece.chars;
            room -= 1;
            blocks.push(piece.block);
        }
    }
    if !rest.is_empty() {
        blocks.push(context(match where_rest {
            Rest::Thread => "The rest is in the thread below.",
            Rest::Follows => "The rest follows.",
            Rest::Dropped => "This is too long for one message; the post-mortem has all of it.",
        }));
    }
    let fallback = message.fallback.trim();
    let fallback = if fallback.is_empty() { "Orderly" } else { fallback };
    Rendered {
        text: escaped(&cut(fallback, FALLBACK_MAX, "…").shown),
        blocks,
        rest: (!rest.is_empty()).then(|| Message {
            fallback: format!("{fallback} (continued)"),
            blocks: rest,
        }),
    }
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "plain_text", "text": text, "emoji": false }] })
}

fn shaped(block: &Block, look: &Look<'_>) -> Vec<Piece> {
    match block {
        Block::Header { text } if text.trim().is_empty() => Vec::new(),
        Block::Header { text } => {
            let text = cut(text.trim(), HEADER_MAX, "…").shown.into_owned();
            vec![Piece {
                chars: text.len(),
                block: json!({ "type": "header", "text": { "type": "plain_text", "text": text, "emoji": false } }),
            }]
        }
        Block::Text { text } => sections(text, look),
        Block::Fields { fields } => {
            let mut lines = Rich::new();
            for (at, (label, value)) in fields.iter().enumerate() {
                let end = if at == 0 { "" } else { "\n" };
                lines = lines
                    .text(end)
                    .bold(format!("{label}:"))
                    .text(" ")
                    .then(value.clone());
            }
            sections(&lines, look)
        }
        Block::Rows { rows } => sections(&listed(rows), look),
        Block::Code { text, .. } => verbatim(text),
        Block::Details { title, text } => {
            let mut all = sections(&Rich::new().bold(title.clone()), look);
            all.extend(verbatim(&shortened(text)));
            all
        }
        Block::Buttons { buttons } => actions(buttons),
        Block::Context { text } => text_object(text, look, TEXT_MAX)
            .map(|text| Piece {
                chars: text["text"].as_str().map_or(0, str::len),
                block: json!({ "type": "context", "elements": [text] }),
            })
            .into_iter()
            .collect(),
        Block::Divider => vec![Piece {
            chars: 0,
            block: json!({ "type": "divider" }),
        }],
    }
}

/// Tone as colour and word, never colour alone.
fn dot(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "🟢",
        Tone::Warn => "🟡",
        Tone::Bad => "🔴",
        Tone::Quiet => "⚪",
        Tone::Busy => "🔵",
    }
}

fn listed(rows: &[Row]) -> Rich {
    let mut lines = Rich::new();
    for (at, row) in rows.iter().enumerate() {
        let start = if at == 0 { "" } else { "\n" };
        lines = lines
            .text(format!("{start}{} ", dot(row.tone)))
            .bold(row.mark.clone())
            .text(" ")
            .then(row.title.clone());
        if !row.detail.plain().trim().is_empty() {
            lines = lines.text(" — ").then(row.detail.clone());
        }
    }
    lines
}

fn sections(text: &Rich, look: &Look<'_>) -> Vec<Piece> {
    let piece = |part: Rich| {
        let elements = elements(&part, look);
        (!part.plain().trim().is_empty() && !elements.is_empty()).then(|| Piece {
            chars: part.plain().len(),
            block: json!({
                "type": "rich_text",
                "elements": [{ "type": "rich_text_section", "elements": elements }],
            }),
        })
    };
    pieces(text, TEXT_MAX).into_iter().filter_map(piece).collect()
}

/// Exactly as it is, white space included: this is what people approve.
fn verbatim(text: &str) -> Vec<Piece> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        for part in chunks(line, TEXT_MAX) {
            match parts.last_mut() {
                Some(last) if last.chars().count() + part.chars().count() <= TEXT_MAX => last.push_str(part),
                _ => parts.push(part.to_owned()),
            }
        }
    }
    let piece = |text: String| Piece {
        chars: text.len(),
        block: json!({
            "type": "rich_text",
            "elements": [{ "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": text }] }],
        }),
    };
    let shown = |text: &String| !text.trim().is_empty();
    parts.into_iter().filter(shown).map(piece).collect()
}

/// In pieces of so many characters; a line is only cut where it is longer than that alone.
fn chunks(line: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut left = line;
    while let Some((at, _)) = left.char_indices().nth(most) {
        let (part, rest) = left.split_at(at);
        parts.push(part);
        left = rest;
    }
    parts.push(left);
    parts
}

fn shortened(text: &str) -> String {
    let cut = cut(text, DETAILS_MAX, "");
    match cut.rest.lines().count() {
        0 => cut.shown.into_owned(),
        left => format!("{}\n… {left} more lines", cut.shown),
    }
}

fn actions(buttons: &[Button]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (part, buttons) in buttons.chunks(ACTIONS_MAX).enumerate() {
        let elements: Vec<Value> = buttons
            .iter()
            .enumerate()
            .filter_map(|(at, button)| element(button, part * ACTIONS_MAX + at))
            .collect();
        if !elements.is_empty() {
            pieces.push(Piece {
                chars: serde_json::to_string(&elements).map_or(0, |text| text.len()),
                block: json!({ "type": "actions", "elements": elements }),
            });
        }
    }
    let too_long = buttons
        .iter()
        .filter(|button| press::written(&button.press).is_none());
    let names: Vec<&str> = too_long.map(|button| button.label.as_str()).collect();
    if !names.is_empty() {
        let words = format!("Too long for a button, type it: {}", names.join(", "));
        let words = cut(&words, TEXT_MAX, "…").shown.into_owned();
        pieces.push(Piece {
            chars: words.len(),
            block: context(&words),
        });
    }
    pieces
}

/// A button; `action_id` only has to be unique within its block, what it does is in the value.
fn element(button: &Button, at: usize) -> Option<Value> {
    let label = cut(button.label.trim(), BUTTON_MAX, "…").shown.into_owned();
    let mut element = json!({
        "type": "button",
        "action_id": format!("o1:{at}"),
        "text": { "type": "plain_text", "text": if label.is_empty() { "…".to_owned() } else { label }, "emoji": false },
        "value": press::written(&button.press)?,
    });
    match button.style {
        Style::Plain => {}
        Style::Primary => element["style"] = json!("primary"),
        Style::Danger => element["style"] = json!("danger"),
    }
    Some(element)
}
