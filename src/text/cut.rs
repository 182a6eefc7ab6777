//! Cutting a long text where a reader would pause.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// A text cut to size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut<'a> {
    /// What fits, with the note at its end if anything is missing.
    pub shown: Cow<'a, str>,
    /// What did not fit; empty if all did. Never begins with the white space that stood at the cut.
    pub rest: &'a str,
}

/// Cuts `text` to at most `chars` characters, the note included, at the end of a paragraph, line, sentence or word,
/// whichever keeps at least half of what fits; never inside a grapheme, so an emoji sequence stays whole or goes.
///
/// Where a note does not fit, it is left out. Something is always shown if `chars` is not zero, so a caller who
/// pages through `rest` comes to an end.
pub fn cut<'a>(text: &'a str, chars: usize, note: &str) -> Cut<'a> {
    for whole in [text, text.trim_end()] {
        if fits(whole, chars) {
            return Cut {
                shown: Cow::Borrowed(whole),
                rest: "",
            };
        }
    }
    let note_chars = note.chars().count();
    let (room, note) = if note_chars < chars {
        (chars - note_chars, note)
    } else {
        (chars, "")
    };
    let window = &text[..last_grapheme_within(text, room)];
    let kept = window[..pause_in(window, &text[window.len()..])].trim_end();
    // White space alone is no reason to show nothing.
    let kept = if kept.is_empty() { window } else { kept };
    Cut {
        shown: Cow::Owned(format!("{kept}{note}")),
        rest: text[kept.len()..].trim_start(),
    }
}

fn fits(text: &str, chars: usize) -> bool {
    // A character has at least one byte: most texts are settled without counting.
    text.len() <= chars || text.chars().nth(chars).is_none()
}

/// Where the last whole grapheme within `chars` characters ends. One grapheme longer than that (a letter under a
/// thousand accents) is cut through: showing a part of it beats showing nothing.
fn last_grapheme_within(text: &str, chars: usize) -> usize {
    let mut end = 0;
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.chars().count();
        if used > chars {
            break;
        }
        end += grapheme.len();
    }
    if end == 0 {
        text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
    } else {
        end
    }
}

/// The best place to stop within the window, as a byte offset; `after` is what follows it.
fn pause_in(window: &str, after: &str) -> usize {
    let half = window.len() / 2;
    let good = |at: Option<usize>| at.filter(|at| *at >= half && *at > 0);
    if after.starts_with('\n') {
        return window.len();
    }
    let word_ends = after.starts_with(char::is_whitespace).then_some(window.len());
    good(window.rfind("\n\n"))
        .or_else(|| good(window.rfind('\n')))
        .or_else(|| good(sentence_end(window)))
        .or(word_ends)
        .or_else(|| good(window.rfind(char::is_whitespace)))
        .unwrap_or(window.len())
}

fn sentence_end(window: &str) -> Option<usize> {
    [". ", "! ", "? ", "; "]
        .iter()
        .filter_map(|mark| window.rfind(mark).map(|at| at + 1))
        .max()
}
