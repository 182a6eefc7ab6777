//! Text that people typed, made harmless. It can become neither HTML nor Markdown markup, and what would be invisible
//! or turn the reading direction around is shown by its code.

use std::fmt::{self, Write};

/// ASCII that has to be looked at; whatever else is ASCII is copied as it is, in runs.
type Looked = [bool; 128];

const IN_HTML: Looked = looked(b"<>&\"'");
const IN_MARKDOWN: Looked = looked(b"\\`*[]<|~$_&!:.@#+-=>)");
const IN_CODE: Looked = looked(b"");

/// These, and every control character.
const fn looked(at: &[u8]) -> Looked {
    let mut table = [false; 128];
    let mut place = 0;
    while place < table.len() {
        table[place] = place < 0x20 || place == 0x7f;
        place += 1;
    }
    place = 0;
    while place < at.len() {
        table[at[place] as usize] = true;
        place += 1;
    }
    table
}

/// What is written for a character.
enum Instead {
    Itself,
    /// Itself, behind a backslash.
    Escaped,
    Text(&'static str),
    /// Its code: it must not reach a reader as it is.
    Code,
}

/// What must not reach a reader as it is.
fn hidden(c: char) -> Instead {
    match c {
        '\r' => Instead::Text(""),
        '\u{0}'..='\u{8}'
        | '\u{b}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Instead::Code,
        _ => Instead::Itself,
    }
}

/// Writes a text, asking about each character that has to be looked at, with its place.
fn replaced(
    text: &str,
    table: &Looked,
    out: &mut impl Write,
    instead: impl Fn(usize, char) -> Instead,
) -> fmt::Result {
    let mut written = 0;
    for (place, c) in text.char_indices() {
        if table.get(c as usize) == Some(&false) {
            continue;
        }
        let instead = instead(place, c);
        if matches!(instead, Instead::Itself) {
            continue;
        }
        out.write_str(&text[written..place])?;
        written = place + c.len_utf8();
        match instead {
            Instead::Itself => {}
            Instead::Escaped => {
                out.write_char('\\')?;
                written = place;
            }
            Instead::Text(text) => out.write_str(text)?,
            Instead::Code => write!(out, "⟨U+{:04X}⟩", c as u32)?,
        }
    }
    out.write_str(&text[written..])
}

/// For HTML text and quoted attributes. Line breaks stay; the style decides what they do.
pub fn html(text: &str, out: &mut impl Write) -> fmt::Result {
    replaced(text, &IN_HTML, out, |_, c| match c {
        '<' => Instead::Text("&lt;"),
        '>' => Instead::Text("&gt;"),
        '&' => Instead::Text("&amp;"),
        '"' => Instead::Text("&quot;"),
        '\'' => Instead::Text("&#39;"),
        _ => hidden(c),
    })
}

/// For the middle of a line of Markdown, tables included: a line break becomes `<br>`.
pub fn inline(text: &str, out: &mut impl Write) -> fmt::Result {
    for (number, line) in text.trim().lines().enumerate() {
        if number > 0 {
            out.write_str("<br>")?;
        }
        markdown_line(line, out)?;
    }
    Ok(())
}

/// A block quote of Markdown that keeps lines and paragraphs.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut lines = text.trim().lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            out.push_str(">\n");
            continue;
        }
        out.push_str("> ");
        // A string takes whatever is written.
        let _ = markdown_line(line, &mut out);
        let goes_on = lines.peek().is_some_and(|next| !next.trim().is_empty());
        out.push_str(if goes_on { "\\\n" } else { "\n" });
    }
    out.trim_end().to_owned()
}

fn markdown_line(line: &str, out: &mut impl Write) -> fmt::Result {
    let start = line.trim_start();
    // Four spaces would begin a code block; spaces that do not break look the same and begin nothing.
    for c in line[..line.len() - start.len()].chars() {
        out.write_str(if c == '\t' {
            "\u{a0}\u{a0}\u{a0}\u{a0}"
        } else {
            "\u{a0}"
        })?;
    }
    let text = start.trim_end();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    replaced(text, &IN_MARKDOWN, out, |place, c| {
        let before = || text[..place].chars().next_back().unwrap_or(' ');
        let after = || text[place + c.len_utf8()..].chars().next().unwrap_or(' ');
        let begins = place == 0 && matches!(c, '#' | '+' | '-' | '=' | '>' | ':' | '~');
        let numbers = place == digits && digits > 0 && matches!(c, '.' | ')');
        let markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '|' | '~' | '$' => true,
            '_' => !(before().is_alphanumeric() && after().is_alphanumeric()),
            '&' => after().is_alphanumeric() || after() == '#',
            '!' => after() == '[',
            // Bare addresses become links in many renderers.
            ':' => after() == '/',
            '.' => text[..place].ends_with("www") || text[..place].ends_with("WWW"),
            '@' => before().is_alphanumeric() && after().is_alphanumeric(),
            _ => false,
        };
        match begins || numbers || markup {
            true => Instead::Escaped,
            false => hidden(c),
        }
    })
}

/// A code span of Markdown; `cell` where it stands in a table.
pub fn code(text: &str, cell: bool) -> String {
    let flat = flattened(text);
    let flat = if cell { flat.replace('|', "\\|") } else { flat };
    let fence = "`".repeat(longest_run(&flat) + 1);
    let pad = if flat.starts_with('`') || flat.ends_with('`') || flat.trim().is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{flat}{pad}{fence}")
}

/// A fenced block of Markdown.
pub fn block(text: &str, language: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let _ = replaced(text.trim_end(), &IN_CODE, &mut shown, |_, c| hidden(c));
    let fence = "`".repeat((longest_run(&shown) + 1).max(3));
    format!("{fence}{language}\n{shown}\n{fence}")
}

/// Markdown with single blank lines, as one would write it. What stands in fenced blocks is left alone.
pub fn tidied(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    let mut blank = true;
    for line in text.lines() {
        let ticks = &line[..line.bytes().take_while(|byte| *byte == b'`').count()];
        match fence {
            Some(open) if line == open => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            _ => {}
        }
        let line = if fence.is_none() { line.trim_end() } else { line };
        if line.is_empty() && blank && fence.is_none() {
            continue;
        }
        blank = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn flattened(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _ = replaced(text.trim(), &IN_CODE, &mut out, |_, c| match c {
        '\n' | '\t' => Instead::Text(" "),
        _ => hidden(c),
    });
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
