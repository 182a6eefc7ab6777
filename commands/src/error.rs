//! Why a line is no command: the spot, the nearest right one, and an example.

use std::ops::Range;

use crate::shown::{Spot, code_line, spot};
use crate::table::CommandSpec;

/// The slash command's name unless the config says otherwise.
pub const DEFAULT_NAME: &str = "incident";

/// Characters of a line for which a corrected one is offered: as much as a Slack button can carry.
const LONGEST_SUGGESTION: usize = 2_000;

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render(DEFAULT_NAME))]
pub struct ParseError {
    /// What is wrong and what would be right, as a sentence or two.
    pub message: String,
    /// What was typed: the line, or the one value of a form that is wrong. May be empty.
    pub typed: String,
    /// The spot, in bytes of `typed`. Empty at its end where something is missing.
    pub at: Range<usize>,
    /// What was probably meant: `typed` with the spot mended. Not certain to be a valid command.
    pub suggestion: Option<String>,
    /// A line that works, without the slash command's name.
    pub example: &'static str,
    /// The option it is about, where there is one; a form marks this field.
    pub option: Option<&'static str>,
}

impl ParseError {
    pub(crate) fn new(typed: &str, at: Range<usize>, message: String) -> Self {
        Self {
            message,
            typed: typed.to_owned(),
            at,
            suggestion: None,
            example: "help",
            option: None,
        }
    }

    pub(crate) fn of(mut self, spec: &CommandSpec) -> Self {
        self.example = spec.example;
        self
    }

    pub(crate) fn option(mut self, name: &'static str) -> Self {
        self.option = Some(name);
        self
    }

    /// Offers the line with something else in the place of the spot.
    pub(crate) fn instead(mut self, right: Option<impl AsRef<str>>) -> Self {
        let long = self.typed.chars().nth(LONGEST_SUGGESTION).is_some();
        self.suggestion = right.filter(|_| !long).map(|right| {
            format!(
                "{}{}{}",
                &self.typed[..self.at.start],
                right.as_ref(),
                &self.typed[self.at.end..]
            )
        });
        self
    }

    /// Offers another line.
    pub(crate) fn all_instead(mut self, line: String) -> Self {
        let long = line.chars().nth(LONGEST_SUGGESTION).is_some();
        self.suggestion = Some(line).filter(|_| !long);
        self
    }

    /// The line with the spot marked beneath it; `None` where nothing was typed.
    pub fn spot(&self) -> Option<Spot> {
        (!self.typed.is_empty()).then(|| spot(&self.typed, &self.at))
    }

    /// The whole message, for a slash command of this name. The spot is indented by four, to be shown in a font of
    /// fixed width.
    pub fn render(&self, command_name: &str) -> String {
        let mut text = self.message.clone();
        if let Some(Spot { line, marks }) = self.spot() {
            text.push_str(&format!("\n    {line}\n    {marks}"));
        }
        text.push('\n');
        text.push_str(&self.way_on(&format!("/{command_name} ")));
        text
    }
    /// What to type instead, a line each. Before every command stands `head`: `/incident `, where that is its name.
    pub fn way_on(&self, head: &str) -> String {
        let shown = |line: &str| code_line(&format!("{head}{line}"));
        let example = format!("Example: {}", shown(self.example));
        match &self.suggestion {
            Some(suggestion) => format!("Did you mean {}?\n{example}", shown(suggestion)),
            None => example,
        }
    }
}
