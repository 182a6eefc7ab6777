//! The text of a runbook by line, and the way from the parser's byte columns to what an editor shows.

use std::borrow::Cow;

use comrak::nodes::{LineColumn, Sourcepos};

use super::problem::{Place, Problems};

/// Largest runbook file. The plan is kept whole in every incident's journal, and no one reads more than this in an
/// incident; the longest shipped one has a tenth of it.
const MAX_BYTES: usize = 64 * 1024;

/// What to say of a file with so many bytes, if they are too many.
pub(super) fn too_long(bytes: u64) -> Option<String> {
    (bytes > MAX_BYTES as u64).then(|| {
        format!(
            "The file has {} KiB, and a runbook may have {}: nobody reads more in an incident. Split it by what has \
             gone wrong.",
            bytes.div_ceil(1024),
            MAX_BYTES / 1024
        )
    })
}

/// Line ends as `\n`, no byte order mark; refuses what people and the bot would read differently.
pub(super) fn clean<'t>(text: &'t str, problems: &mut Problems) -> Option<Cow<'t, str>> {
    if let Some(message) = too_long(text.len() as u64) {
        problems.error(Place::START, message);
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = match text.contains("\r\n") {
        true => Cow::Owned(text.replace("\r\n", "\n")),
        false => Cow::Borrowed(text),
    };
    let mut sound = true;
    for (index, line) in text.split('\n').enumerate() {
        if let Some((column, bad)) = line.chars().enumerate().find(|(_, c)| is_hidden(*c)) {
            let code = u32::from(bad);
            let message = format!(
                "The hidden character U+{code:04X} makes this line read differently from what it says: take it out."
            );
            problems.error(
                Place {
                    line: index + 1,
                    column: column + 1,
                },
                message,
            );
            sound = false;
        }
    }
    sound.then_some(text)
}

/// Control characters, and those that turn the direction of text: with them a reviewer sees another command than the
/// one that runs.
fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The lines of a text, counted from 1 as the Markdown parser does.
pub(super) struct Lines<'t>(Vec<&'t str>);

impl<'t> Lines<'t> {
    pub fn of(text: &'t str) -> Self {
        Self(text.split('\n').collect())
    }

    fn line(&self, number: usize) -> &'t str {
        number
            .checked_sub(1)
            .and_then(|index| self.0.get(index))
            .copied()
            .unwrap_or("")
    }

    /// From the parser's position (bytes) to the editor's (characters).
    pub fn place(&self, at: LineColumn) -> Place {
        let before = self
            .line(at.line)
            .get(..at.column.saturating_sub(1))
            .unwrap_or("");
        Place {
            line: at.line.max(1),
            column: before.chars().count() + 1,
        }
    }

    /// The source of a paragraph from `from` on, one line, without indentation and quote marks.
    pub fn text(&self, from: LineColumn, whole: Sourcepos) -> String {
        let mut text = String::new();
        for number in from.line..=whole.end.line {
            let line = self.line(number);
            let piece = match number == from.line {
                true => line.get(from.column.saturating_sub(1)..).unwrap_or(line),
                false => line.trim_start().trim_start_matches('>'),
            };
            let last = number == whole.end.line;
            let piece = if last {
                piece
            } else {
                piece.trim_end().trim_end_matches('\\')
            };
            if !text.is_empty() && !piece.trim().is_empty() {
                text.push(' ');
            }
            text.push_str(piece.trim());
        }
        text
    }

    /// A code span, whose text is `literal`, with the way back to where each of its characters stands.
    pub fn code(&self, literal: &str, span: Sourcepos) -> Code {
        let start = self.place(span.start);
        let line = self.line(span.start.line);
        let rest = line.get(span.start.column.saturating_sub(1)..).unwrap_or("");
        let mut skipped = rest.chars().take_while(|c| *c == '`').count();
        // The parser takes one space off both ends of `` ` code ` ``.
        if rest.chars().nth(skipped) == Some(' ') && !literal.starts_with(' ') {
            skipped += 1;
        }
        let mut pieces = vec![(
            start.right(skipped),
            rest.chars().count() - skipped.min(rest.chars().count()),
        )];
        for number in span.start.line + 1..=span.end.line {
            let line = self.line(number);
            let words = line.trim_start_matches([' ', '\t', '>']);
            let column = line.chars().count() - words.chars().count() + 1;
            pieces.push((Place { line: number, column }, words.chars().count()));
        }
        Code {
            text: literal.to_owned(),
            pieces,
        }
    }
}

/// The text of a code span and where it stands; a line end inside counts as one character.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub text: String,
    /// Where its part of each line begins, and how long that line goes on.
    pieces: Vec<(Place, usize)>,
}

impl Code {
    /// Where the character so many from the start stands.
    pub fn place(&self, mut at: usize) -> Place {
        let mut last = Place::START;
        for (place, length) in &self.pieces {
            last = place.right(at.min(*length));
            if at <= *length {
                break;
            }
            at -= length + 1;
        }
        last
    }
}
