//! What is wrong with a runbook file, where, and what would be right.

use std::fmt;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The runbook cannot be used.
    Error,
    /// It can be used, and somebody at three in the morning would wish it were mended.
    Warning,
}

/// One thing to mend. `Display` is `file:line:col: error: …`, which editors turn into a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
    pub severity: Severity,
}

impl Problem {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Self {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {severity}: {message}")
    }
}

/// A spot in a file; line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    pub const START: Place = Place { line: 1, column: 1 };

    /// The spot so many characters to the right.
    pub fn right(self, characters: usize) -> Place {
        Place {
            line: self.line,
            column: self.column + characters,
        }
    }
}

/// Problems of one file as they are found.
#[derive(Debug)]
pub(super) struct Problems {
    file: String,
    found: Vec<Problem>,
}

impl Problems {
    pub fn of(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            found: Vec::new(),
        }
    }

    pub fn error(&mut self, place: Place, message: impl Into<String>) {
        self.push(place, message.into(), Severity::Error);
    }

    pub fn warning(&mut self, place: Place, message: impl Into<String>) {
        self.push(place, message.into(), Severity::Warning);
    }

    fn push(&mut self, place: Place, message: String, severity: Severity) {
        let file = self.file.clone();
        self.found.push(Problem {
            file,
            line: place.line,
            column: place.column,
            message,
            severity,
        });
    }

    /// In the order of the file.
    pub fn sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        self.found
    }
}
