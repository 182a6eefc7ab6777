//! Cutting text made of spans, for platforms that limit how much stands in one place.

use super::{Rich, Span};
use crate::text::cut;

/// The first so many characters, cut where a reader would pause, and what is left.
pub fn split(rich: &Rich, most: usize) -> (Rich, Rich) {
    let mut room = most;
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for span in &rich.0 {
        let length = Rich(vec![span.clone()]).plain().chars().count();
        if !rest.is_empty() {
            rest.push(span.clone());
        } else if length <= room {
            room -= length;
            first.push(span.clone());
        } else {
            let again = |text: String| match span {
                Span::Bold { .. } => Span::Bold { text },
                Span::Code { .. } => Span::Code { text },
                _ => Span::Plain { text },
            };
            match span {
                Span::Plain { text } | Span::Bold { text } | Span::Code { text } if room > 0 => {
                    let cut = cut(text, room, "");
                    first.push(again(cut.shown.into_owned()));
                    rest.push(again(cut.rest.to_owned()));
                }
                _ => rest.push(span.clone()),
            }
        }
    }
    (Rich(first), Rich(rest))
}

/// In pieces of so many characters at most.
pub fn pieces(rich: &Rich, most: usize) -> Vec<Rich> {
    let mut pieces = Vec::new();
    let mut left = rich.clone();
    while !left.is_empty() {
        let (first, rest) = split(&left, most);
        // A link longer than the limit stays whole; the platform will cut what nobody can read anyway.
        if first.is_empty() {
            pieces.push(left);
            break;
        }
        pieces.push(first);
        left = rest;
    }
    pieces
}
