//! What is wrong with a file, and where.

use std::fmt;
use std::ops::Range;

/// One thing wrong with the config; reads as `orderly.toml:12:3: what is wrong and what would be right`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 if the file as a whole is meant.
    pub line: usize,
    /// From 1, in characters; 0 if the file as a whole is meant.
    pub column: usize,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.message),
        }
    }
}

/// Problems as they are found in one file.
pub(super) struct Report<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<(usize, Problem)>,
}

impl<'t> Report<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            file,
            text,
            found: Vec::new(),
        }
    }

    /// Notes a problem at a place in the text.
    pub(super) fn at(&mut self, place: &Range<usize>, message: impl Into<String>) {
        let start = self.text.floor_char_boundary(place.start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let problem = Problem {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        };
        self.found.push((start, problem));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(start, _)| *start);
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}
