//! What a button carries: the neutral [`Press`], small, and readable by every later version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chat::Press;

/// Slack's limit for a button's value.
const VALUE_MAX: usize = 2000;

/// Written into every value. A later version may write another one and must go on reading this one: buttons stay in
/// rooms for as long as the rooms do.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Value {
    o: u8,
    /// A command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// Path of a command whose form is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    with: BTreeMap<String, String>,
}

/// The value of a button; `None` where it would be longer than Slack takes.
pub fn written(press: &Press) -> Option<String> {
    let value = match press {
        Press::Run { line } => Value {
            o: VERSION,
            run: Some(line.clone()),
            ask: None,
            with: BTreeMap::new(),
        },
        Press::Ask { path, fixed } => Value {
            o: VERSION,
            run: None,
            ask: Some(path.clone()),
            with: fixed.clone(),
        },
    };
    let text = serde_json::to_string(&value).ok()?;
    (text.chars().count() <= VALUE_MAX).then_some(text)
}

/// What a value says, of whichever version; `None` if it is not ours.
pub fn read(value: &str) -> Option<Press> {
    let value: Value = serde_json::from_str(value).ok()?;
    match (value.run, value.ask) {
        (Some(line), _) => Some(Press::Run { line }),
        (None, Some(path)) => Some(Press::Ask {
            path,
            fixed: value.with,
        }),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_the_same_after_the_way_through_slack() {
        let ask = Press::Ask {
            path: "action refuse".to_owned(),
            fixed: BTreeMap::from([("proposal".to_owned(), "A3".to_owned())]),
        };
        let run = Press::Run {
            line: "approve A3 \"a & b <c>\"".to_owned(),
        };
        for press in [ask, run] {
            assert_eq!(read(&written(&press).expect("short")), Some(press));
        }
    }

    #[test]
    fn buttons_posted_by_the_first_version_still_work() {
        assert_eq!(
            read(r#"{"o":1,"run":"action approve A3 seen=0123456789ab"}"#),
            Some(Press::Run {
                line: "action approve A3 seen=0123456789ab".to_owned()
            })
        );
        assert_eq!(
            read(r#"{"o":1,"ask":"action refuse","with":{"proposal":"A3"}}"#),
            Some(Press::Ask {
                path: "action refuse".to_owned(),
                fixed: BTreeMap::from([("proposal".to_owned(), "A3".to_owned())])
            })
        );
        assert_eq!(read("click_me_123"), None);
    }

    #[test]
    fn what_is_too_long_for_a_button_gets_none() {
        let long = Press::Run {
            line: "x".repeat(VALUE_MAX),
        };
        assert_eq!(written(&long), None);
    }
}
