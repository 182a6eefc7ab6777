//! Private keys in PEM armour, over several lines or with `\n` written out, as in a service account's JSON.

use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::Found;

pub(super) const KIND: &str = "private key";

static BEGIN: LazyLock<Regex> =
    LazyLock::new(|| super::seek::built_in(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"));
static END: LazyLock<Regex> =
    LazyLock::new(|| super::seek::built_in(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"));

/// The whole block. A block without an end (cut by an output limit) is masked as far as it looks like one.
pub(super) fn find(text: &str, spans: &mut Vec<Found>) {
    let mut at = 0;
    let mut ends = END.find_iter(text).peekable();
    while let Some(begin) = BEGIN.find_at(text, at) {
        while ends.next_if(|end| end.start() < begin.end()).is_some() {}
        let next_begin = BEGIN
            .find_at(text, begin.end())
            .map_or(text.len(), |next| next.start());
        let end = match ends.peek() {
            Some(end) if end.start() < next_begin => end.end(),
            _ => begin.end() + body(&text[begin.end()..next_begin]),
        };
        spans.push(Found {
            kind: Arc::from(KIND),
            range: begin.start()..end,
        });
        at = end;
    }
}

/// What is longer than this and has no gap is no word of a language.
const LONGEST_WORD: usize = 30;

/// How far the text can be the inside of a key: base64, headers such as `Proc-Type: 4,ENCRYPTED`, line breaks.
fn body(text: &str) -> usize {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        let inside = line.trim().trim_end_matches("\\n");
        let is_base64 = inside
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+/=\\".contains(c));
        let is_header = inside.starts_with("Proc-Type:") || inside.starts_with("DEK-Info:");
        if !(is_base64 || is_header) {
            // The beginning of the line may still be key, if it is longer than a word.
            let start = line
                .find(|c: char| !(c.is_ascii_alphanumeric() || "+/=\\".contains(c)))
                .unwrap_or(0);
            return length + if start > LONGEST_WORD { start } else { 0 };
        }
        length += line.len();
    }
    length
}
