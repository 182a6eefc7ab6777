//! Text that people typed, made harmless. It can become neither HTML nor Markdown markup, and what would be invisible
//! or turn the reading direction around is shown by its code.

/// Writes the code of a character that must not reach a reader as it is. Says whether it was one.
fn push_code(c: char, out: &mut String) -> bool {
    let hidden = matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    if hidden && c != '\r' {
        out.push_str(&format!("⟨U+{:04X}⟩", c as u32));
    }
    hidden
}

/// For HTML text and quoted attributes. Line breaks stay; the style decides what they do.
pub fn html(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if push_code(c, out) => {}
            _ => out.push(c),
        }
    }
}

/// For the middle of a line of Markdown, tables included: a line break becomes `<br>`.
pub fn inline(text: &str, out: &mut String) {
    for (number, line) in text.trim().lines().enumerate() {
        if number > 0 {
            out.push_str("<br>");
        }
        markdown_line(line, out);
    }
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
        markdown_line(line, &mut out);
        let goes_on = lines.peek().is_some_and(|next| !next.trim().is_empty());
        out.push_str(if goes_on { "\\\n" } else { "\n" });
    }
    out.trim_end().to_owned()
}

fn markdown_line(line: &str, out: &mut String) {
    let start = line.trim_start();
    // Four spaces would begin a code block; spaces that do not break look the same and begin nothing.
    let indent = line[..line.len() - start.len()]
        .chars()
        .map(|c| if c == '\t' { 4 } else { 1 })
        .sum();
    out.extend(std::iter::repeat_n('\u{a0}', indent));
    let digits = start.bytes().take_while(u8::is_ascii_digit).count();
    let mut before = ' ';
    let mut rest = start.trim_end().char_indices().peekable();
    while let Some((place, c)) = rest.next() {
        let after = rest.peek().map_or(' ', |(_, c)| *c);
        let begins = place == 0 && matches!(c, '#' | '+' | '-' | '=' | '>' | ':' | '~');
        let numbers = place == digits && digits > 0 && matches!(c, '.' | ')');
        let markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '|' | '~' | '$' => true,
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            '&' => after.is_alphanumeric() || after == '#',
            '!' => after == '[',
            // Bare addresses become links in many renderers.
            ':' => after == '/',
            '.' => start[..place].ends_with("www") || start[..place].ends_with("WWW"),
            '@' => before.is_alphanumeric() && after.is_alphanumeric(),
            _ => false,
        };
        if begins || numbers || markup {
            out.push('\\');
        }
        if !push_code(c, out) {
            out.push(c);
        }
        before = c;
    }
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
    text.trim_end().chars().for_each(|c| {
        if !push_code(c, &mut shown) {
            shown.push(c);
        }
    });
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
    for c in text.trim().chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            _ if push_code(c, &mut out) => {}
            _ => out.push(c),
        }
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
