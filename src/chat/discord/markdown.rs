//! Spans as Discord's Markdown: what a person typed stays text, and a mention fires only where the bot put one. Pure.
//!
//! Discord reads Markdown in everything that a bot may write at length, so every plain part is escaped. That nobody is
//! notified by accident is `allowed_mentions`' work, in `embeds`; here it is made sure that nothing looks like it.

use std::collections::BTreeSet;

use super::PLATFORM;
use super::typed::picked_as;
use crate::chat::look::Look;
use crate::chat::{Rich, Span, elsewhere, typed};

/// Marks that mean something wherever they stand.
const ANYWHERE: &[char] = &['\\', '*', '_', '~', '`', '|', '<', '['];
/// Marks that mean something at the beginning of a line: a quotation, a heading, small print, a list.
const AT_LINE_START: &[char] = &['>', '#', '-', '+'];

/// How long Discord takes a text to be. It counts more than letters in some emoji; this never counts less.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Text with nothing in it that Discord would read as markup.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + text.len() / 8);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            shown.push('\n');
        }
        escape_line(line, &mut shown);
    }
    shown
}

fn escape_line(line: &str, shown: &mut String) {
    let indent = line.len() - line.trim_start().len();
    shown.push_str(&line[..indent]);
    let line = &line[indent..];
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = digits > 0 && line[digits..].starts_with(". ");
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        if let Some(length) = address_length(&line[at..]) {
            // An address is shown as it is: an escape in it would become part of it.
            shown.push_str(&line[at..at + length]);
            at += length;
            continue;
        }
        let starts = at == 0 && AT_LINE_START.contains(&c);
        if ANYWHERE.contains(&c) || starts || (numbered && at == digits) {
            shown.push('\\');
        }
        shown.push(c);
        if c == '@' {
            // `@everyone` and `@here` need no markup to be read as a call.
            shown.push('\u{200b}');
        }
        at += c.len_utf8();
    }
}

/// How long the address is that a text begins with; zero is none.
fn address_length(text: &str) -> Option<usize> {
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || "<>|`\"\\*@~".contains(c);
    Some(text.find(ends).unwrap_or(text.len()))
}

/// Verbatim text in a fence. Three backticks in it would end the fence, so they are parted; nothing else is touched.
pub fn fenced(text: &str, diff: bool) -> String {
    let text = text.replace("```", "`\u{200b}`\u{200b}`");
    format!("```{}\n{text}\n```", if diff { "diff" } else { "" })
}

/// What a piece of text says, and whom it calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    /// Users who are mentioned.
    pub calls: BTreeSet<String>,
}

pub fn said(rich: &Rich, look: &Look<'_>) -> Said {
    let mut said = Said::default();
    for span in &look.reachable(rich).0 {
        match span {
            Span::Plain { text } => said.text.push_str(&escaped(text)),
            Span::Bold { text } if text.trim().is_empty() => said.text.push_str(text),
            Span::Bold { text } => said.text.push_str(&bold(text)),
            Span::Code { text } if text.is_empty() => {}
            Span::Code { text } => said.text.push_str(&inline(text)),
            Span::Command { name, line } => said.text.push_str(&inline(&typed(name, &picked_as(line)))),
            Span::Link { url, text, .. } => match look.whole(url) {
                Some(url) if text.is_empty() || *text == url => said.text.push_str(&bare(&url)),
                Some(url) => said.text.push_str(&format!("[{}]({})", linked(text), bare(&url))),
                None => said.text.push_str(&escaped(text)),
            },
            Span::Person { id, name } => match (look.user_of)(id) {
                Some(user) => {
                    said.text.push_str(&format!("<@{user}>"));
                    said.calls.insert(user);
                }
                None => said.text.push_str(&format!("**@\u{200b}{}**", escaped(name))),
            },
            Span::Time { at } => said.text.push_str(&format!("<t:{}:f>", at.timestamp())),
            Span::Room { at } if at.platform == PLATFORM => said.text.push_str(&format!("<#{}>", at.room)),
            Span::Room { at } => said.text.push_str(&elsewhere(at)),
        }
    }
    said
}

/// Code within a line. A back-tick in it would end it.
fn inline(text: &str) -> String {
    format!("`{}`", text.replace('`', "ˋ").replace('\n', " "))
}

/// Discord reads no bold text that begins or ends with a space, so those stand outside of it.
fn bold(text: &str) -> String {
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    format!(
        "{}**{}**{}",
        &text[..start],
        escaped(&text[start..end]),
        &text[end..]
    )
}

/// The words of a link; Discord shows none whose words look like another address.
fn linked(text: &str) -> String {
    escaped(&text.replace("://", ":\u{200b}//").replace(']', ")"))
}

/// An address that ends where it ends.
fn bare(url: &str) -> String {
    let mut shown = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' => shown.push_str("%28"),
            ')' => shown.push_str("%29"),
            '<' => shown.push_str("%3C"),
            '>' => shown.push_str("%3E"),
            ' ' | '\n' => shown.push_str("%20"),
            c => shown.push(c),
        }
    }
    shown
}
