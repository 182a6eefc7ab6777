//! The neutral message as embeds and components, within Discord's limits. Pure.
//!
//! Everything stands in embeds; `content` only calls the people a message mentions, because a mention in an embed notifies
//! nobody. What does not fit becomes a file at the message ([`Rendered::file`]); buttons always stay.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::markdown::{Said, escaped, fenced, said, units};
use super::press;
use super::typed::picked_as;
use crate::chat::look::Look;
use crate::chat::pieces::{pieces, split};
use crate::chat::{Block, Button, Message, Rich, Row, Span, Style, Tone};
use crate::text::cut;

/// Over all embeds of a message, less the note that says where the rest is.
const CHARS_MAX: usize = 6000 - 120;
const EMBEDS_MAX: usize = 10;
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4096;
const FIELDS_MAX: usize = 25;
const FIELD_NAME_MAX: usize = 256;
const FIELD_VALUE_MAX: usize = 1024;
/// A part of a text before its markup; the whole of it, escaped, still fits where it stands alone.
const PART: usize = 1800;
const LABEL_MAX: usize = 80;
const ROWS_MAX: usize = 5;
const ROW_MAX: usize = 5;
/// People called by one message; Discord takes as many.
const CALLS_MAX: usize = 100;
/// What a notification shows after the names.
const CALL_WORDS: usize = 200;
/// What is shown of a text that opens on demand elsewhere.
const DETAILS_MAX: usize = 900;
/// Buttons told in words because they do not fit; whoever has more has the card.
const UNFIT_MAX: usize = 600;

/// Name of the file that holds what did not fit.
pub const REST_FILE: &str = "rest.txt";

/// A message as Discord takes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// Calls people; empty where nobody is mentioned.
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    /// Who may be notified.
    pub calls: BTreeSet<String>,
    /// What did not fit, as plain text.
    pub file: Option<String>,
}

/// A part of a message.
enum Piece {
    Title(String),
    Text {
        said: Said,
        plain: String,
    },
    Fields {
        fields: Vec<(String, Said)>,
        plain: String,
    },
}

pub fn render(message: &Message, look: &Look<'_>) -> Rendered {
    let mut page = Page::default();
    for block in &message.blocks {
        if !matches!(block, Block::Buttons { .. }) {
            for piece in shaped(block, look) {
                page.put(piece);
            }
        }
    }
    let buttons: Vec<&Button> = message
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Buttons { buttons } => Some(buttons),
            _ => None,
        })
        .flatten()
        .collect();
    let (components, unfit) = rows(&buttons);
    if let Some(words) = unfit {
        page.note(&words);
    }
    let fallback = message.fallback.trim();
    if page.is_empty() && buttons.is_empty() {
        let words = if fallback.is_empty() { "…" } else { fallback };
        for part in pieces(&Rich::from(words), PART) {
            page.put(text(part, look));
        }
    }
    let file = page.rest();
    if file.is_some() {
        page.note(&format!("-# The rest is in the file {REST_FILE}."));
    }
    let calls: BTreeSet<String> = page.calls.iter().take(CALLS_MAX).cloned().collect();
    Rendered {
        content: calling(&calls, &spoken(message)),
        embeds: page.embeds(tone(message)),
        components,
        calls,
        file,
    }
}

/// What a message says where there is no place for more than plain text, with commands named as they are picked here.
pub fn spoken(message: &Message) -> String {
    let text = match message.blocks.first() {
        Some(Block::Text { text }) if message.fallback.starts_with(&text.bare()) => text,
        _ => return message.fallback.trim().to_owned(),
    };
    let words = text.0.iter().map(|span| match span {
        Span::Command { name, line } => Span::Command {
            name: name.clone(),
            line: picked_as(line),
        },
        other => other.clone(),
    });
    Rich(words.collect()).bare().trim().to_owned()
}

/// The line that notifies people, with what it is about.
fn calling(calls: &BTreeSet<String>, words: &str) -> String {
    if calls.is_empty() {
        return String::new();
    }
    let names: Vec<String> = calls.iter().map(|user| format!("<@{user}>")).collect();
    let words = escaped(&cut(words, CALL_WORDS, "…").shown);
    format!("{} {words}", names.join(" ")).trim_end().to_owned()
}

/// One embed under way.
#[derive(Default)]
struct Embed {
    title: Option<String>,
    description: String,
    fields: Vec<(String, String)>,
}

impl Embed {
    fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_empty() && self.fields.is_empty()
    }
}

/// The embeds of a message, filled from top to bottom.
#[derive(Default)]
struct Page {
    done: Vec<Embed>,
    open: Embed,
    used: usize,
    calls: BTreeSet<String>,
    /// From the first piece that did not fit.
    rest: Vec<String>,
}

impl Page {
    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.open.is_empty() && self.rest.is_empty()
    }

    fn put(&mut self, piece: Piece) {
        let needs = match &piece {
            Piece::Title(title) => units(title),
            Piece::Text { said, .. } => units(&said.text) + 1,
            Piece::Fields { fields, .. } => fields
                .iter()
                .map(|(name, value)| units(name) + units(&value.text))
                .sum(),
        };
        let fits = self.rest.is_empty() && self.used + needs <= CHARS_MAX && self.place_for(&piece, needs);
        if !fits {
            self.rest.push(match piece {
                Piece::Title(title) => title,
                Piece::Text { plain, .. } | Piece::Fields { plain, .. } => plain,
            });
            return;
        }
        self.used += needs;
        match piece {
            Piece::Title(title) => self.open.title = Some(title),
            Piece::Text { said, .. } => {
                if !self.open.description.is_empty() {
                    self.open.description.push('\n');
                }
                self.open.description.push_str(&said.text);
                self.calls.extend(said.calls);
            }
            Piece::Fields { fields, .. } => {
                for (name, value) in fields {
                    self.open.fields.push((name, value.text));
                    self.calls.extend(value.calls);
                }
            }
        }
    }

    /// Whether there is a place for it; opens the next embed where the one under way cannot take it in its order.
    fn place_for(&mut self, piece: &Piece, needs: usize) -> bool {
        let here = match piece {
            Piece::Title(_) => self.open.is_empty(),
            Piece::Text { .. } => {
                self.open.fields.is_empty() && units(&self.open.description) + needs <= DESCRIPTION_MAX
            }
            Piece::Fields { fields, .. } => self.open.fields.len() + fields.len() <= FIELDS_MAX,
        };
        if here {
            return true;
        }
        if self.done.len() + 2 > EMBEDS_MAX {
            return false;
        }
        self.done.push(std::mem::take(&mut self.open));
        true
    }

    /// Words of our own, for which there is always space.
    fn note(&mut self, words: &str) {
        let embed = match self.open.fields.is_empty() {
            true => &mut self.open,
            false if self.done.len() + 1 < EMBEDS_MAX => {
                self.done.push(std::mem::take(&mut self.open));
                &mut self.open
            }
            false => return,
        };
        let room = DESCRIPTION_MAX.saturating_sub(units(&embed.description) + 1);
        if units(words) <= room {
            if !embed.description.is_empty() {
                embed.description.push('\n');
            }
            embed.description.push_str(words);
            self.used += units(words) + 1;
        }
    }

    fn rest(&self) -> Option<String> {
        (!self.rest.is_empty()).then(|| self.rest.join("\n\n"))
    }

    fn embeds(self, tone: Option<Tone>) -> Vec<Value> {
        let all = self.done.into_iter().chain([self.open]);
        all.filter(|embed| !embed.is_empty())
            .map(|embed| {
                let mut value = json!({});
                if let Some(title) = embed.title {
                    value["title"] = json!(title);
                }
                if !embed.description.is_empty() {
                    value["description"] = json!(embed.description);
                }
                if !embed.fields.is_empty() {
                    let field = |(name, value): (String, String)| json!({ "name": name, "value": value, "inline": true });
                    value["fields"] = embed.fields.into_iter().map(field).collect();
                }
                if let Some(colour) = tone.and_then(colour) {
                    value["color"] = json!(colour);
                }
                value
            })
            .collect()
    }
}

/// The worst that a message shows.
fn tone(message: &Message) -> Option<Tone> {
    let rank = |tone: &Tone| match tone {
        Tone::Bad => 4,
        Tone::Warn => 3,
        Tone::Busy => 2,
        Tone::Good => 1,
        Tone::Quiet => 0,
    };
    let rows = message.blocks.iter().filter_map(|block| match block {
        Block::Rows { rows } => Some(rows),
        _ => None,
    });
    rows.flatten().map(|row| row.tone).max_by_key(rank)
}

/// The stripe beside an embed; the rows say the same in words.
fn colour(tone: Tone) -> Option<u32> {
    match tone {
        Tone::Bad => Some(0x00D9_3025),
        Tone::Warn => Some(0x00F9_AB00),
        Tone::Good => Some(0x0018_8038),
        Tone::Busy => Some(0x001A_73E8),
        Tone::Quiet => None,
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

fn text(part: Rich, look: &Look<'_>) -> Piece {
    Piece::Text {
        plain: part.plain(),
        said: said(&part, look),
    }
}

fn shaped(block: &Block, look: &Look<'_>) -> Vec<Piece> {
    match block {
        Block::Header { text } if text.trim().is_empty() => Vec::new(),
        Block::Header { text } => vec![Piece::Title(title(text))],
        Block::Text { text } => parts(text, look),
        Block::Fields { fields } => labelled(fields, look),
        Block::Rows { rows } => rows.iter().flat_map(|row| parts(&listed(row), look)).collect(),
        Block::Code { text, diff } => verbatim(text, *diff),
        Block::Details { title, text } => {
            let mut all = parts(&Rich::new().bold(title.clone()), look);
            all.extend(verbatim(&shortened(text), false));
            all
        }
        Block::Buttons { .. } => Vec::new(),
        Block::Context { text } => small(text, look),
        Block::Divider => Vec::new(),
    }
}

/// A title reads Markdown too, and links nowhere.
fn title(text: &str) -> String {
    let mut most = TITLE_MAX;
    loop {
        let shown = escaped(&cut(text.trim(), most, "…").shown);
        if units(&shown) <= TITLE_MAX || most == 0 {
            return shown;
        }
        most /= 2;
    }
}

/// A text in parts that each fit an embed, also once they are escaped.
fn parts(rich: &Rich, look: &Look<'_>) -> Vec<Piece> {
    let mut found = Vec::new();
    for part in pieces(rich, PART) {
        fitted(part, look, &mut found);
    }
    found
}

fn fitted(part: Rich, look: &Look<'_>, found: &mut Vec<Piece>) {
    let plain = part.plain();
    let said = said(&part, look);
    if units(&said.text) < DESCRIPTION_MAX {
        if !plain.trim().is_empty() {
            found.push(Piece::Text { said, plain });
        }
        return;
    }
    let (first, rest) = split(&part, plain.chars().count() / 2);
    if first.is_empty() || rest.is_empty() {
        // A single address longer than an embed: as plain text, which can be cut.
        let short = cut(&plain, PART / 2, "…").shown.into_owned();
        return found.push(text(Rich::from(short), look));
    }
    fitted(first, look, found);
    fitted(rest, look, found);
}

fn small(text: &Rich, look: &Look<'_>) -> Vec<Piece> {
    let mut all = parts(text, look);
    for piece in &mut all {
        if let Piece::Text { said, .. } = piece {
            let lines: Vec<String> = said.text.lines().map(|line| format!("-# {line}")).collect();
            said.text = lines.join("\n");
        }
    }
    all
}

fn listed(row: &Row) -> Rich {
    let mut line = Rich::new()
        .text(format!("{} ", dot(row.tone)))
        .bold(row.mark.clone())
        .text(" ")
        .then(row.title.clone());
    if !row.detail.plain().trim().is_empty() {
        line = line.text(" — ").then(row.detail.clone());
    }
    line
}

/// Beside each other where they are short, below each other where not.
fn labelled(fields: &[(String, Rich)], look: &Look<'_>) -> Vec<Piece> {
    let shown: Vec<(String, Said)> = fields
        .iter()
        .map(|(label, value)| (escaped(label.trim()), said(value, look)))
        .collect();
    let fits = |(name, value): &(String, Said)| {
        !name.is_empty()
            && units(name) <= FIELD_NAME_MAX
            && !value.text.trim().is_empty()
            && units(&value.text) <= FIELD_VALUE_MAX
    };
    let line = |(label, value): &(String, Rich)| format!("{label}: {}", value.plain());
    if !shown.is_empty() && shown.len() <= FIELDS_MAX && shown.iter().all(fits) {
        let plain: Vec<String> = fields.iter().map(line).collect();
        return vec![Piece::Fields {
            fields: shown,
            plain: plain.join("\n"),
        }];
    }
    let line = |(label, value): &(String, Rich)| {
        parts(
            &Rich::new()
                .bold(format!("{label}:"))
                .text(" ")
                .then(value.clone()),
            look,
        )
    };
    fields.iter().flat_map(line).collect()
}

/// Exactly as it is, white space included: this is what people approve. Cut between lines; a line is only cut where it is
/// longer than a part alone.
fn verbatim(text: &str, diff: bool) -> Vec<Piece> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let mut left = line;
        while !left.is_empty() {
            let end = left.char_indices().nth(PART).map_or(left.len(), |(at, _)| at);
            let (part, rest) = left.split_at(end);
            left = rest;
            match parts.last_mut() {
                Some(last) if last.chars().count() + part.chars().count() <= PART => last.push_str(part),
                _ => parts.push(part.to_owned()),
            }
        }
    }
    let shown = |part: &String| !part.trim().is_empty();
    let piece = |part: String| {
        let part = part.strip_suffix('\n').unwrap_or(&part).to_owned();
        Piece::Text {
            said: Said {
                text: fenced(&part, diff),
                calls: BTreeSet::new(),
            },
            plain: part,
        }
    };
    parts.into_iter().filter(shown).map(piece).collect()
}

fn shortened(text: &str) -> String {
    let cut = cut(text, DETAILS_MAX, "");
    match cut.rest.lines().count() {
        0 => cut.shown.into_owned(),
        left => format!("{}\n… {left} more lines", cut.shown),
    }
}

/// The buttons in rows, and in words those that cannot be one.
fn rows(buttons: &[&Button]) -> (Vec<Value>, Option<String>) {
    let (mut elements, mut unfit) = (Vec::new(), Vec::new());
    for button in buttons {
        let element = (elements.len() < ROWS_MAX * ROW_MAX)
            .then(|| element(button, elements.len()))
            .flatten();
        match element {
            Some(element) => elements.push(element),
            None => unfit.push(in_words(button)),
        }
    }
    let rows = elements
        .chunks(ROW_MAX)
        .map(|row| json!({ "type": 1, "components": row }))
        .collect();
    let words = (!unfit.is_empty()).then(|| {
        let words = format!("To be typed instead of pressed: {}", unfit.join("; "));
        escaped(&cut(&words, UNFIT_MAX / 2, "…").shown)
    });
    (rows, words)
}

/// What does not fit a button, for somebody who types it.
fn in_words(button: &Button) -> String {
    match &button.press {
        crate::chat::Press::Run { line } => format!("{} ({})", button.label, picked_as(line)),
        crate::chat::Press::Ask { path, .. } => format!("{} ({path})", button.label),
    }
}

fn element(button: &Button, place: usize) -> Option<Value> {
    Some(pressable(
        &button.label,
        button.style,
        &press::written(&button.press, place)?,
    ))
}

/// A button.
pub fn pressable(label: &str, style: Style, id: &str) -> Value {
    let label = cut(label.trim(), LABEL_MAX, "…").shown.into_owned();
    let style = match style {
        Style::Primary => 1,
        Style::Plain => 2,
        Style::Danger => 4,
    };
    json!({
        "type": 2,
        "style": style,
        "label": if label.is_empty() { "…" } else { &label },
        "custom_id": id,
    })
}

impl Rendered {
    /// The body of a message: for a post, an edit, or an answer.
    pub fn body(&self) -> Value {
        let users: Vec<&String> = self.calls.iter().collect();
        let mut body = json!({
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            // Nobody else is notified, whatever stands in the text.
            "allowed_mentions": { "parse": [], "users": users },
        });
        if self.file.is_some() {
            body["attachments"] = json!([{ "id": "0", "filename": REST_FILE }]);
        }
        body
    }

    /// Writes the key of a post into it, where nobody sees it and history shows it: a title that links to its own room.
    pub fn keyed(&mut self, guild: &str, channel: &str, nonce: &str) {
        if self.embeds.is_empty() {
            self.embeds.push(json!({ "description": "\u{200b}" }));
        }
        self.embeds[0]["url"] = json!(format!("{LINK}{guild}/{channel}#{nonce}"));
    }
}

/// Where channels are, for people.
const LINK: &str = "https://discord.com/channels/";

/// The key of one of our posts, as it stands in it.
pub fn key_of(message: &Value) -> Option<&str> {
    let url = message["embeds"][0]["url"].as_str()?;
    url.strip_prefix(LINK)?.split_once('#').map(|(_, nonce)| nonce)
}
