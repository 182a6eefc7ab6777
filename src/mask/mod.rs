//! Finding what looks like a secret, so that it is never stored, posted, exported or logged.
//!
//! A secret is replaced by a visible marker that says what stood there: `[masked: GitHub token]`. The words around it
//! stay, so that a log line can still be read.
//!
//! Looking like a secret is a matter of form: a well-known prefix, a checksum, or a name beside it (`password = …`).
//! There is deliberately no rule for "looks random": commit ids, digests and UUIDs are what an incident is discussed
//! with. Neither are IBANs masked: an account number is printed on every invoice, nobody can draw money with it alone,
//! and a posting failure cannot be discussed without it.

mod assign;
mod card;
mod judge;
mod pem;
mod rules;
mod seek;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an operator counts as a secret besides what is built in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// What the marker says: `[masked: <name>]`.
    pub name: String,
    /// Regular expression. If it has a group, only what the first group matches is masked.
    pub regex: String,
}

/// A pattern that cannot be used; the text says why and names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mask pattern \"{name}\": {why}")]
pub struct BadPattern {
    pub name: String,
    pub why: String,
}

/// A text with its secrets taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked<'a> {
    pub text: Cow<'a, str>,
    /// In the order of the text; empty if it came through unchanged.
    pub found: Vec<Found>,
}

/// One secret that was found. The secret itself is deliberately not kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `AWS access key`, `password`, or the name of an own pattern.
    pub kind: Arc<str>,
    /// Where it stood, in bytes of the original text.
    pub range: Range<usize>,
}

/// Finds secrets by the built-in rules and the operator's own.
#[derive(Debug, Clone)]
pub struct Masker {
    own: Vec<(Arc<str>, Regex)>,
    markers: Regex,
}

/// Longest name of an own pattern: the marker stands in the middle of a line that people read.
const NAME_LIMIT: usize = 40;

/// Compiled size of one own pattern, in bytes. Ample for any token format; a pattern beyond it would slow down
/// every message.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

/// Masking is repeated until nothing more is found, since a marker can uncover the next secret (the end of one is
/// the boundary of another). Two rounds settle all that was seen; the bound keeps the time linear.
const ROUNDS: usize = 6;

impl Default for Masker {
    /// The built-in rules alone.
    fn default() -> Self {
        Self {
            own: Vec::new(),
            markers: markers_of(&[]),
        }
    }
}

impl Masker {
    pub fn new(own_patterns: &[Pattern]) -> Result<Self, BadPattern> {
        let own = own_patterns
            .iter()
            .map(|pattern| Ok((Arc::from(pattern.name.as_str()), compile(pattern)?)))
            .collect::<Result<Vec<_>, BadPattern>>()?;
        Ok(Self {
            markers: markers_of(own_patterns),
            own,
        })
    }

    /// The text with every secret replaced by a marker. Masking masked text changes nothing.
    pub fn mask<'a>(&self, text: &'a str) -> Masked<'a> {
        let mut found: Vec<Found> = Vec::new();
        let mut masked = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            let spans = self.spans(&masked);
            if spans.is_empty() {
                break;
            }
            let origin = Origin::new(&found);
            let new: Vec<Found> = spans
                .into_iter()
                .map(|span| Found {
                    kind: span.kind,
                    range: origin.of(span.range.start)..origin.of(span.range.end),
                })
                .collect();
            found.extend(new);
            found.sort_by_key(|found| found.range.start);
            masked = Cow::Owned(replaced(text, &found));
        }
        Masked { text: masked, found }
    }

    /// What kind of secret this text holds, for refusing it as an argument; `None`: none that is known.
    pub fn looks_secret(&self, text: &str) -> Option<Arc<str>> {
        self.spans(text).into_iter().next().map(|span| span.kind)
    }

    /// Spans to mask, in order, apart from each other and from markers that stand in the text already.
    fn spans(&self, text: &str) -> Vec<Found> {
        let mut spans = Vec::new();
        pem::find(text, &mut spans);
        rules::find(text, &mut spans);
        assign::find(text, &mut spans);
        card::find(text, &mut spans);
        for (name, regex) in &self.own {
            let ranges = regex.captures_iter(text).filter_map(|groups| {
                let whole = groups.get(0)?;
                Some(groups.get(1).unwrap_or(whole).range())
            });
            spans.extend(ranges.map(|range| Found {
                kind: name.clone(),
                range,
            }));
        }
        if spans.is_empty() {
            return spans;
        }
        let markers: Vec<_> = self.markers.find_iter(text).map(|found| found.range()).collect();
        apart(spans, &markers)
    }
}

fn compile(pattern: &Pattern) -> Result<Regex, BadPattern> {
    let bad = |why: String| BadPattern {
        name: pattern.name.clone(),
        why,
    };
    let name_is_fine = !pattern.name.trim().is_empty()
        && pattern.name.chars().count() <= NAME_LIMIT
        && !pattern
            .name
            .contains(|c: char| c.is_control() || "[]".contains(c));
    if !name_is_fine {
        return Err(bad(format!(
            "its name stands in the marker: 1 to {NAME_LIMIT} characters, no brackets and no line breaks"
        )));
    }
    let regex = RegexBuilder::new(&pattern.regex)
        .size_limit(REGEX_SIZE_LIMIT)
        .build()
        .map_err(|error| bad(in_one_line(&error)))?;
    if regex.is_match("") {
        return Err(bad(
            "its regex matches the empty text, so it would match everywhere: ask for at least one character"
                .to_owned(),
        ));
    }
    Ok(regex)
}

/// The regex crate draws its syntax errors over several lines; the last one says what is wrong.
fn in_one_line(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "its regex is too large: use fewer or smaller repetitions".to_owned()
        }
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!(
                "its regex is not understood: {}",
                last.trim_start_matches("error: ")
            )
        }
    }
}

/// Finds the markers this masker writes, and no others: `[masked: hunter2]` is not one.
fn markers_of(own: &[Pattern]) -> Regex {
    let own = own.iter().map(|pattern| regex::escape(&pattern.name));
    let kinds: Vec<String> = rules::kinds().map(regex::escape).chain(own).collect();
    // Escaped words joined by bars are always a valid expression; only an absurd number of own patterns could make
    // it too large, and then no marker is known, which costs idempotence and hides nothing.
    Regex::new(&format!(r"\[masked: (?:{})\]", kinds.join("|"))).unwrap_or_else(|_| rules::never())
}

/// Joins what overlaps and takes markers out. The kind of the span that begins first stays, the longer one if two
/// begin together.
fn apart(mut spans: Vec<Found>, markers: &[Range<usize>]) -> Vec<Found> {
    spans.sort_by_key(|span| (span.range.start, std::cmp::Reverse(span.range.end)));
    let mut joined: Vec<Found> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
            }
            _ => joined.push(span),
        }
    }
    let mut parts = Vec::with_capacity(joined.len());
    let mut markers = markers.iter().peekable();
    for span in joined {
        let mut start = span.range.start;
        while markers.next_if(|marker| marker.end <= start).is_some() {}
        while let Some(marker) = markers.peek().filter(|marker| marker.start < span.range.end) {
            if start < marker.start {
                parts.push(Found {
                    kind: span.kind.clone(),
                    range: start..marker.start,
                });
            }
            start = start.max(marker.end);
            if marker.end > span.range.end {
                break; // it may reach into the next span as well
            }
            markers.next();
        }
        if start < span.range.end {
            parts.push(Found {
                kind: span.kind,
                range: start..span.range.end,
            });
        }
    }
    parts
}

fn marker(kind: &str) -> String {
    format!("[masked: {kind}]")
}

fn replaced(text: &str, found: &[Found]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for secret in found {
        masked.push_str(&text[done..secret.range.start]);
        masked.push_str(&marker(&secret.kind));
        done = secret.range.end;
    }
    masked.push_str(&text[done..]);
    masked
}

/// Maps an offset in a masked text back to the original. Only offsets outside of the markers are ever asked for.
struct Origin {
    /// For each marker: where it ends in the masked text, and where the secret ended in the original.
    ends: Vec<(usize, usize)>,
}

impl Origin {
    fn new(found: &[Found]) -> Self {
        let mut ends = Vec::with_capacity(found.len());
        let (mut masked, mut original) = (0, 0);
        for secret in found {
            masked += secret.range.start - original + marker(&secret.kind).len();
            original = secret.range.end;
            ends.push((masked, original));
        }
        Self { ends }
    }

    fn of(&self, offset: usize) -> usize {
        let before = self.ends.partition_point(|(masked, _)| *masked <= offset);
        match before.checked_sub(1).map(|last| self.ends[last]) {
            Some((masked, original)) => original + (offset - masked),
            None => offset,
        }
    }
}

#[cfg(test)]
mod tests;
