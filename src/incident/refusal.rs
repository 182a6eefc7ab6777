//! A refusal: what the core says instead of doing something. Words for the person, and what to do next.

use super::words::*;

/// Stands for a slash that begins no command; it looks the same.
pub const NO_COMMAND: char = '\u{2215}';

/// Why a request was not carried out. Shown to the person who asked, and to nobody else.
///
/// In its words back-ticks set apart what is typed or named: a command where a slash stands first (`` `/next` ``), else a value
/// or a name. What somebody typed has none of its own left, so it can neither end nor begin one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is the matter and what to do next, in plain words.
    pub words: String,
    /// What was typed, and on the line below where to look: both for letters of the same width.
    pub spot: Option<String>,
    /// What could be typed instead, below that.
    pub instead: Option<String>,
    /// Commands that would help, offered as buttons: label and line.
    pub offers: Vec<(String, String)>,
    /// The option a form should mark.
    pub field: Option<&'static str>,
}

impl Refusal {
    pub fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            spot: None,
            instead: None,
            offers: Vec::new(),
            field: None,
        }
    }

    /// In words that know no commands and name other things: what begins with a slash there is an address or a path.
    pub fn naming(words: impl Into<String>) -> Self {
        Self::new(words.into().replace("`/", &format!("`{NO_COMMAND}")))
    }

    pub fn offer(mut self, label: impl Into<String>, line: impl Into<String>) -> Self {
        self.offers.push((label.into(), line.into()));
        self
    }

    pub fn at(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// The thing named is not there; says what is.
    pub fn unknown(what: &str, given: impl std::fmt::Display, known: &[String]) -> Self {
        let there = if known.is_empty() {
            "there is none yet".to_owned()
        } else {
            format!("there is {}", known.join(", "))
        };
        let given = given.to_string().replace('`', "'");
        Self::new(format!("There is no {what} {given} here; {there}."))
    }

    /// Only the commander or the deputy may do this.
    pub fn commander_only(what: &str, commander: Option<&PersonId>) -> Self {
        match commander {
            Some(person) => Self::new(format!(
                "Only the commander ({person}) or the deputy may {what}. Ask them, or take over with `/handover`."
            )),
            None => Self::new(format!(
                "Only the commander may {what}, and nobody has taken that role yet."
            ))
            .offer("Take command", "role take commander"),
        }
    }
}
