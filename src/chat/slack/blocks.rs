//! The neutral message as Block Kit, within Slack's limits. Pure.
//!
//! What does not fit goes into a thread below the message ([`Rendered::rest`]); buttons always stay.

use serde_json::{Value, json};

use super::press;
use super::rich::{Look, elements, escaped, text_object};
use crate::chat::pieces::{pieces, split};
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
    /// Shown in another message after this one.
    Follows,
    /// Left out: an edit posts nothing.
    Dropped,
}

/// A message that is filled, and how much still fits.
struct Page {
    blocks: Vec<Value>,
    chars: usize,
    room: usize,
}

impl Page {
    /// With place kept for the buttons, which always stay.
    fn beside(buttons: &[Piece], blocks: usize) -> Self {
        let taken: usize = buttons.iter().map(|piece| piece.chars).sum();
        Self {
            blocks: Vec::new(),
            chars: CHARS_MAX.saturating_sub(taken),
            room: BLOCKS_MAX.saturating_sub(blocks),
        }
    }

    /// Puts in all of it or nothing.
    fn put(&mut self, pieces: Vec<Piece>) -> bool {
        let needs: usize = pieces.iter().map(|piece| piece.chars).sum();
        let fits = needs <= self.chars && pieces.len() <= self.room;
        if fits {
            self.chars -= needs;
            self.room -= pieces.len();
            self.blocks.extend(pieces.into_iter().map(|piece| piece.block));
        }
        fits
    }

    /// As much of a block as fits; what is left of it.
    fn fill(&mut self, block: &Block, look: &Look<'_>) -> Option<Block> {
        let pieces = shaped(block, look);
        let needs: usize = pieces.iter().map(|piece| piece.chars).sum();
        if self.put(pieces) {
            return None;
        }
        let stands = !self.blocks.is_empty();
        // What the next message has place for goes there whole.
        if stands && needs <= CHARS_MAX / 2 {
            return Some(block.clone());
        }
        match parted(block, self.chars) {
            Some((first, left)) if self.put(shaped(&first, look)) => Some(left),
            // A link longer than a message cannot be parted; Slack says what it thinks of it.
            None if !stands && self.chars == CHARS_MAX => {
                self.blocks
                    .extend(shaped(block, look).into_iter().map(|piece| piece.block));
                None
            }
            _ => Some(block.clone()),
        }
    }
}

pub fn render(message: &Message, look: &Look<'_>, where_rest: Rest) -> Rendered {
    let is_buttons = |block: &&Block| matches!(block, Block::Buttons { .. });
    let all_buttons = message.blocks.iter().filter(is_buttons);
    let buttons: Vec<Piece> = all_buttons.flat_map(|block| shaped(block, look)).collect();
    let mut page = Page::beside(&buttons, buttons.len());
    let mut rest = Vec::new();
    for block in &message.blocks {
        if is_buttons(&block) {
            let pieces = shaped(block, look).into_iter();
            page.blocks.extend(pieces.map(|piece| piece.block));
        } else if rest.is_empty() {
            rest.extend(page.fill(block, look));
        } else {
            rest.push(block.clone());
        }
    }
    let mut blocks = page.blocks;
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

/// A block in two, the first of so many characters at most. `None`: it cannot be parted there.
fn parted(block: &Block, most: usize) -> Option<(Block, Block)> {
    let whole = |lengths: &mut dyn Iterator<Item = usize>| {
        let mut room = most;
        lengths
            .take_while(|length| {
                let fits = *length <= room;
                room = room.saturating_sub(*length);
                fits
            })
            .count()
    };
    match block {
        Block::Text { text } => {
            let (first, left) = split(text, most);
            let text = |text| Block::Text { text };
            (!first.is_empty() && !left.is_empty()).then(|| (text(first), text(left)))
        }
        Block::Rows { rows } => {
            let part = |rows: &[Row]| Block::Rows { rows: rows.to_vec() };
            let alone = |row| length(&listed(std::slice::from_ref(row))) + 1;
            match whole(&mut rows.iter().map(alone)) {
                0 => parted(&Block::Text { text: listed(rows) }, most),
                fit => Some((part(&rows[..fit]), part(&rows[fit..]))),
            }
        }
        Block::Fields { fields } => {
            let part = |fields: &[(String, Rich)]| Block::Fields {
                fields: fields.to_vec(),
            };
            let alone = |field| length(&labelled(std::slice::from_ref(field))) + 1;
            match whole(&mut fields.iter().map(alone)) {
                0 => parted(
                    &Block::Text {
                        text: labelled(fields),
                    },
                    most,
                ),
                fit => Some((part(&fields[..fit]), part(&fields[fit..]))),
            }
        }
        Block::Code { text, diff } => {
            let at = text.char_indices().nth(most)?.0;
            let line = text[..at].rfind('\n').map_or(at, |newline| newline + 1);
            let part = |text: &str| Block::Code {
                text: text.to_owned(),
                diff: *diff,
            };
            (line > 0).then(|| (part(&text[..line]), part(&text[line..])))
        }
        _ => None,
    }
}

fn length(text: &Rich) -> usize {
    text.plain().chars().count()
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "plain_text", "text": text, "emoji": false }] })
}

fn shaped(block: &Block, look: &Look<'_>) -> Vec<Piece> {
    match block {
        Block::Header { text } if text.trim().is_empty() => Vec::new(),
        Block::Header { text } => {
            let headed = cut(text.trim(), HEADER_MAX, "…");
            let mut all = vec![Piece {
                chars: headed.shown.chars().count(),
                block: json!({
                    "type": "header",
                    "text": { "type": "plain_text", "text": headed.shown, "emoji": false },
                }),
            }];
            if !headed.rest.is_empty() {
                all.extend(sections(&Rich::new().bold(format!("…{}", headed.rest)), look));
            }
            all
        }
        Block::Text { text } => sections(text, look),
        Block::Fields { fields } => sections(&labelled(fields), look),
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
                chars: text["text"].as_str().map_or(0, |text| text.chars().count()),
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

fn labelled(fields: &[(String, Rich)]) -> Rich {
    let mut lines = Rich::new();
    for (at, (label, value)) in fields.iter().enumerate() {
        let end = if at == 0 { "" } else { "\n" };
        lines = lines
            .text(end)
            .bold(format!("{label}:"))
            .text(" ")
            .then(value.clone());
    }
    lines
}

fn sections(text: &Rich, look: &Look<'_>) -> Vec<Piece> {
    let piece = |part: Rich| {
        let elements = elements(&part, look);
        (!part.plain().trim().is_empty() && !elements.is_empty()).then(|| Piece {
            chars: length(&part),
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
        chars: text.chars().count(),
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
                chars: serde_json::to_string(&elements).map_or(0, |text| text.chars().count()),
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
            chars: words.chars().count(),
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
