//! A refusal: what the core says instead of doing something. Words for the person, and what to do next.

use super::words::*;

/// Why a request was not carried out. Shown to the person who asked, and to nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is the matter and what to do next, in plain words.
    pub words: String,
    /// Commands that would help, offered as buttons: label and line.
    pub offers: Vec<(String, String)>,
    /// The option a form should mark.
    pub field: Option<&'static str>,
}

impl Refusal {
    pub fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            offers: Vec::new(),
            field: None,
        }
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
        Self::new(format!("There is no {what} {given} here; {there}."))
    }

    /// Only the commander or the deputy may do this.
    pub fn commander_only(what: &str, commander: Option<&PersonId>) -> Self {
        match commander {
            Some(person) => Self::new(format!(
                "Only the commander ({person}) or the deputy may {what}. Ask them, or take over with `handover`."
            )),
            None => Self::new(format!(
                "Only the commander may {what}, and nobody has taken that role yet."
            ))
            .offer("Take command", "role take commander"),
        }
    }
}
