//! Characters that lie to the eye or to a terminal.

use super::cut;

/// What stands at the end of a text that was longer than its limit.
const CUT_NOTE: &str = "… [cut]";

/// Text as it may be shown: one kind of newline, control characters made visible, nothing that reorders or hides
/// what is read, and at most `limit` characters.
///
/// Cleaning cleaned text changes nothing. Zero-width joiners stay, because emoji and several scripts need them; so
/// do the plain direction marks (U+200E, U+200F), which cannot reorder other people's text.
pub fn clean(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit.saturating_mul(4)));
    let mut room = limit.saturating_add(1); // one more than fits, so that the cut below sees that it is too long
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let kept = match char {
            '\r' => {
                chars.next_if_eq(&'\n');
                Some('\n')
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\n' | '\t' => Some(char),
            '\0' => None,
            // The control pictures: ESC becomes ␛, so that a terminal or a log viewer does not obey it.
            '\u{1}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(char)),
            '\u{7f}' => Some('\u{2421}'),
            '\u{80}'..='\u{9f}' => Some(char::REPLACEMENT_CHARACTER),
            _ if is_hidden(char) => None,
            _ => Some(char),
        };
        if let Some(kept) = kept {
            shown.push(kept);
            room -= 1;
            if room == 0 {
                break;
            }
        }
    }
    cut(&shown, limit, CUT_NOTE).shown.into_owned()
}

/// Bidirectional overrides, embeddings and isolates; zero-width space, word joiner, byte order mark; soft hyphen;
/// interlinear annotations; and the tag characters, which can carry a whole hidden message.
fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{200b}'
            | '\u{2060}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{ad}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}
