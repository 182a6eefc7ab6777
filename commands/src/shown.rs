//! Showing what somebody typed without letting it act: control characters made visible, nothing that turns the
//! direction of the text, and only as much of a long line as is needed to find the spot.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Characters of a line that are shown. What fits beside the bot's name on a phone held upright, twice wrapped.
const SHOWN: usize = 72;

/// Characters of the marked spot that are shown; the rest of [`SHOWN`] is what stands around it.
const MARKED: usize = 40;

/// The typed line and, beneath it, where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The line, safe to show, cut around the spot.
    pub line: String,
    /// Spaces, then carets under the spot.
    pub marks: String,
}

/// Marks a byte range of a line.
pub(crate) fn spot(typed: &str, at: &Range<usize>) -> Spot {
    let marked = typed.get(at.clone()).unwrap_or_default();
    let (before, after) = (
        typed.get(..at.start).unwrap_or_default(),
        typed.get(at.end..).unwrap_or_default(),
    );
    let middle = head(marked, MARKED);
    let around = SHOWN.saturating_sub(middle.chars().count());
    let right = head(after, around / 2);
    let left = tail(before, around - right.chars().count());
    let carets = width(&middle).max(1);
    Spot {
        marks: format!("{}{}", " ".repeat(width(&left)), "^".repeat(carets)),
        line: format!("{left}{middle}{right}"),
    }
}

/// A typed text as inline code, short and safe.
pub(crate) fn code(typed: &str) -> String {
    format!("`{}`", head(typed, MARKED))
}

/// A longer text as inline code, for command lines to be copied.
pub(crate) fn code_line(typed: &str) -> String {
    format!("`{}`", head(typed, 2 * SHOWN))
}

/// The first characters, with an ellipsis for the rest.
fn head(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.chars().map(visible).collect(),
        Some(_) => text
            .chars()
            .take(most.saturating_sub(1))
            .map(visible)
            .chain(['…'])
            .collect(),
    }
}

/// The last characters, with an ellipsis for what came before.
fn tail(text: &str, most: usize) -> String {
    match text.char_indices().rev().nth(most) {
        None => text.chars().map(visible).collect(),
        Some(_) => {
            let mut last: Vec<char> = text
                .chars()
                .rev()
                .take(most.saturating_sub(1))
                .map(visible)
                .collect();
            last.push('…');
            last.into_iter().rev().collect()
        }
    }
}

/// Columns a text takes in a font of fixed width.
fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

/// The character itself, or one that can be seen in the place of one that cannot.
fn visible(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '␡',
        // Would end the inline code or the code block in which it is shown.
        '`' => '\'',
        c if is_invisible(c) => '\u{fffd}',
        c => c,
    }
}

/// Control characters, and those that have no shape but change what is seen around them: directions, joiners,
/// fillers, tags.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
