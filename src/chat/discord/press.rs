//! What a button carries: the neutral [`Press`] in a hundred characters, readable by every later version.
//!
//! `o1:<place>:r:<line>` runs a line, `o1:<place>:a:<path>?<option>=<value>&…` asks for a form. The place makes two
//! buttons of one message differ, as Discord wants it. Buttons stay in rooms for as long as the rooms do, so a later
//! version may write another beginning and must go on reading this one.

use std::collections::BTreeMap;

use crate::chat::Press;

/// Longest `custom_id`.
pub const ID_MAX: usize = 100;

const VERSION: &str = "o1";

/// The id of a button; `None` where it would be longer than Discord takes.
pub fn written(press: &Press, place: usize) -> Option<String> {
    let id = match press {
        Press::Run { line } => format!("{VERSION}:{place}:r:{line}"),
        Press::Ask { path, fixed } => format!("{VERSION}:{place}:a:{}", query(path, fixed)),
    };
    (id.encode_utf16().count() <= ID_MAX).then_some(id)
}

/// What an id says; `None` if it is not ours, or belongs to a form.
pub fn read(id: &str) -> Option<Press> {
    let mut parts = id.splitn(4, ':');
    let (version, _, kind, body) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != VERSION {
        return None;
    }
    match kind {
        "r" => Some(Press::Run {
            line: body.to_owned(),
        }),
        "a" => {
            let (path, fixed) = asked(body);
            Some(Press::Ask { path, fixed })
        }
        _ => None,
    }
}

/// A path and settled options in one line.
pub fn query(path: &str, fixed: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = fixed
        .iter()
        .map(|(name, value)| format!("{}={}", packed(name), packed(value)))
        .collect();
    match pairs.is_empty() {
        true => packed(path),
        false => format!("{}?{}", packed(path), pairs.join("&")),
    }
}

/// The reverse of [`query`].
pub fn asked(text: &str) -> (String, BTreeMap<String, String>) {
    let (path, pairs) = text.split_once('?').unwrap_or((text, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((unpacked(name), unpacked(value)))
    };
    (unpacked(path), pairs.split('&').filter_map(pair).collect())
}

const PACKED: [(char, &str); 4] = [('%', "%25"), ('&', "%26"), ('=', "%3D"), ('?', "%3F")];

fn packed(text: &str) -> String {
    let mut packed = String::with_capacity(text.len());
    for c in text.chars() {
        match PACKED.iter().find(|(plain, _)| *plain == c) {
            Some((_, code)) => packed.push_str(code),
            None => packed.push(c),
        }
    }
    packed
}

fn unpacked(text: &str) -> String {
    // The sign itself last, so that what it made is not read again.
    let unpack = |text: String, (plain, code): &(char, &str)| text.replace(code, &plain.to_string());
    PACKED.iter().rev().fold(text.to_owned(), unpack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_the_same_after_the_way_through_discord() {
        let ask = Press::Ask {
            path: "action refuse".to_owned(),
            fixed: BTreeMap::from([
                ("proposal".to_owned(), "A3".to_owned()),
                ("reason".to_owned(), "50% & a=b? %26".to_owned()),
            ]),
        };
        let run = Press::Run {
            line: "approve A3 \"a: b\"".to_owned(),
        };
        for press in [ask, run] {
            assert_eq!(read(&written(&press, 7).expect("short")), Some(press));
        }
    }

    #[test]
    fn buttons_posted_by_the_first_version_still_work() {
        assert_eq!(
            read("o1:0:r:action approve A3 seen=0123456789ab"),
            Some(Press::Run {
                line: "action approve A3 seen=0123456789ab".to_owned()
            })
        );
        assert_eq!(
            read("o1:1:a:action refuse?proposal=A3"),
            Some(Press::Ask {
                path: "action refuse".to_owned(),
                fixed: BTreeMap::from([("proposal".to_owned(), "A3".to_owned())])
            })
        );
        assert_eq!(read("click_me_123"), None);
        assert_eq!(read("o1:f:123:go"), None);
    }

    #[test]
    fn what_is_too_long_for_a_button_gets_none() {
        let long = Press::Run {
            line: "x".repeat(ID_MAX),
        };
        assert_eq!(written(&long, 0), None);
    }
}
