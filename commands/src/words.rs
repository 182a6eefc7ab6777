//! Splitting a line: words, quoted values, the `name=` in front of a value.
//!
//! Every function takes the line and a byte position and gives positions back, so that an error can always point at
//! the place. Nothing here knows the table.

use std::ops::Range;

/// Bytes within which a `<` must find its `>`: a long link with its label. Without an end to the search, a line full of
/// `<` would take the square of its length.
const LONGEST_WRAPPED: usize = 500;

/// What stands in a line at a quotation mark.
pub(crate) enum Quoted {
    /// No quotation mark here.
    No,
    /// A mark that is never closed; where it stands.
    Open(Range<usize>),
    /// The text within, escapes resolved, and where the closing mark ends.
    Closed { text: String, end: usize },
}

/// A name in front of a value: `name=`, `name:` or `--name`.
pub(crate) struct Name<'a> {
    pub name: &'a str,
    /// Where it stands, dashes included, `=` not.
    pub at: Range<usize>,
    /// With dashes; then the value may also be the next word.
    pub dashed: bool,
    /// Where the value begins, if it is attached. A colon attaches only what is not a space, so that prose may use it.
    pub value: Option<usize>,
    /// Attached by a colon.
    pub colon: bool,
}

/// The position of the next word, or the end of the line.
pub(crate) fn skip_space(line: &str, from: usize) -> usize {
    line.len() - line[from..].trim_start().len()
}

/// Where the last word of a line begins: behind the last space, so at the end of a line that ends in one.
pub(crate) fn last_word(line: &str) -> usize {
    line.len()
        - line
            .chars()
            .rev()
            .take_while(|c| !c.is_whitespace())
            .map(char::len_utf8)
            .sum::<usize>()
}

/// Where the bare word at `from` ends. A mention or link that a platform wrapped in `<…>` is one word, spaces included.
pub(crate) fn bare_end(line: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(length) = wrapped_length(&line[at..]) {
        at += length;
    }
    line[at..]
        .find(char::is_whitespace)
        .map_or(line.len(), |length| at + length)
}

/// The length of the `<…>` that a text begins with.
fn wrapped_length(text: &str) -> Option<usize> {
    if !["<@", "<#", "<!", "<http"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return None;
    }
    let end = text
        .bytes()
        .take(LONGEST_WRAPPED)
        .position(|byte| matches!(byte, b'>' | b'\n'))?;
    text[end..].starts_with('>').then_some(end + 1)
}

/// Reads the quoted value that begins at `from`. Within it a backslash takes a mark or a backslash literally; before
/// anything else it is itself, so that `C:\temp` stays what it is.
pub(crate) fn quoted(line: &str, from: usize) -> Quoted {
    let Some(open) = line[from..].chars().next() else {
        return Quoted::No;
    };
    let Some(closing) = closing_marks(open) else {
        return Quoted::No;
    };
    let start = from + open.len_utf8();
    let mut text = String::new();
    let mut chars = line[start..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&(_, next))) if next == '\\' || closing_marks(next).is_some() => {
                text.push(next);
                chars.next();
            }
            (c, next) if closing.contains(&c) && ends_quote(open, next.map(|(_, c)| *c)) => {
                return Quoted::Closed {
                    text,
                    end: start + at + c.len_utf8(),
                };
            }
            _ => text.push(c),
        }
    }
    Quoted::Open(from..start)
}

/// What may close each opening mark. Keyboards and chat programs pair them differently by language, and swap a straight
/// one for a curled one on one side only.
fn closing_marks(open: char) -> Option<&'static [char]> {
    match open {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '“' | '”' | '„' => Some(&['”', '“', '"']),
        '‘' | '’' | '‚' => Some(&['’', '‘', '\'']),
        '«' => Some(&['»']),
        '»' => Some(&['«']),
        _ => None,
    }
}

/// A single mark within a word is an apostrophe, as in 'doesn't'.
fn ends_quote(open: char, next: Option<char>) -> bool {
    !matches!(open, '\'' | '‘' | '’' | '‚') || next.is_none_or(char::is_whitespace)
}

/// Reads the option name that begins at `from`, if one does. Long dashes count as two short ones: phones make them so.
pub(crate) fn name(line: &str, from: usize) -> Option<Name<'_>> {
    let rest = &line[from..];
    let dashes = ["--", "—", "–"]
        .iter()
        .find(|dash| rest.starts_with(*dash))
        .map_or(0, |dash| dash.len());
    let word = &rest[dashes..];
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let length = word.find(|c| !is_inner(c)).unwrap_or(word.len());
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = from + dashes + length;
    let after = line[end..].chars().next();
    let after_colon = || {
        line[end + 1..]
            .chars()
            .next()
            .is_some_and(|c| !c.is_whitespace() && c != '/')
    };
    let value = match after {
        Some('=') => Some(end + 1),
        Some(':') if after_colon() => Some(end + 1),
        None => None,
        Some(c) if c.is_whitespace() => None,
        Some(_) => return None,
    };
    if dashes == 0 && value.is_none() {
        return None;
    }
    let colon = value.is_some() && after == Some(':');
    Some(Name {
        name: &word[..length],
        at: from..end,
        dashed: dashes > 0,
        value,
        colon,
    })
}

/// Puts a text in quotes so that [`quoted`] gives it back.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        // Every backslash is doubled, so that none is taken for the escape of what follows it.
        if c == '"' || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A value as it can stand in a line: as it is where it is a plain word or a mention, else in quotes.
pub fn quote_if_needed(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/@#!&,+".contains(c);
    let mention = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let word = mention.unwrap_or(text);
    let is_plain = !word.is_empty() && !word.starts_with('-') && word.chars().all(plain);
    if is_plain { text.to_owned() } else { quote(text) }
}

/// The spelling by which words are compared: lower case, hyphens for underscores.
pub(crate) fn fold(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}
