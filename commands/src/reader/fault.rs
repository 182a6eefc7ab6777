//! What is said about arguments that cannot be read, and what is offered instead.

use std::ops::Range;

use super::Reader;
use crate::error::ParseError;
use crate::shown::code;
use crate::suggest::nearest;
use crate::table::{ArgKind, ArgSpec};
use crate::value;
use crate::words::{Name, bare_end, fold, quote, skip_space};

impl Reader<'_> {
    pub(super) fn error(&self, at: Range<usize>, message: String) -> ParseError {
        ParseError::new(self.line, at, message).of(self.spec)
    }

    pub(super) fn unknown(&self, name: Name) -> ParseError {
        let typed = &self.line[name.at.clone()];
        if fold(name.name) == "help" {
            let message = format!("`help` comes first: `help {}`.", self.spec.typed());
            let whole = ParseError::new(self.line, 0..self.line.len(), message);
            return ParseError {
                at: name.at,
                ..whole.instead(Some(format!("help {}", self.spec.typed())))
            };
        }
        let prose = self.spec.positional().any(|arg| arg.kind == ArgKind::Text);
        let hint = if prose {
            " If it is text, put the text in quotes."
        } else {
            ""
        };
        let message = format!(
            "{} is not an option of `{}`.{hint}",
            code(typed),
            self.spec.typed()
        );
        let dashes = typed.len() - name.name.len();
        let right = nearest(name.name, self.spec.args.iter().map(|arg| arg.name));
        self.error(name.at, message)
            .instead(right.map(|right| format!("{}{right}", &typed[..dashes])))
    }

    /// Where a value may be left out, a sentence in its place may be the text that comes after it.
    pub(super) fn or_is_it_text(&self, error: ParseError, arg: &ArgSpec, from: usize) -> ParseError {
        let text = self
            .spec
            .positional()
            .find(|arg| arg.kind == ArgKind::Text && !self.args.contains_key(arg.name));
        let rest = from..self.line.trim_end().len();
        let sentence = &self.line[rest.clone()];
        let doubtful = arg.required || error.suggestion.is_some() || !sentence.contains(char::is_whitespace);
        let Some(text) = text.filter(|_| !doubtful) else {
            return error;
        };
        let named = format!("{}={}", text.name, quote(sentence));
        let suggestion = ParseError::new(self.line, rest, String::new())
            .instead(Some(named))
            .suggestion;
        ParseError { suggestion, ..error }
    }

    /// Refuses a value that follows a text in quotes without its name: `open "Posting fails" SEV2`. Were it prose, the
    /// severity would end up in the title.
    pub(super) fn no_stray(&self, from: usize) -> Result<(), ParseError> {
        let at = skip_space(self.line, from);
        let end = bare_end(self.line, at);
        let typed = &self.line[at..end];
        let fits = |arg: &&ArgSpec| arg.kind.is_closed() && value::read(arg.kind, typed).is_ok();
        let mut free = self
            .spec
            .args
            .iter()
            .filter(|arg| !self.args.contains_key(arg.name));
        let Some(arg) = free.find(fits) else { return Ok(()) };
        let message = format!("After a text, `{}` is given by its name.", arg.name);
        let named = Some(format!("{}={typed}", arg.name));
        Err(self.error(at..end, message).instead(named).option(arg.name))
    }

    pub(super) fn unclosed(&self, mark: Range<usize>) -> ParseError {
        self.error(mark, "This quotation mark is never closed.".to_owned())
    }

    pub(super) fn too_many(&self) -> ParseError {
        let end = bare_end(self.line, self.at);
        let word = code(&self.line[self.at..end]);
        if self.text_end.is_some() {
            let message = format!("{word} is left over after an option. Put the whole text in quotes.");
            return self.error(self.at..end, message);
        }
        let text = self
            .spec
            .args
            .iter()
            .find(|arg| arg.kind == ArgKind::Text && !arg.by_name && !self.args.contains_key(arg.name));
        match text {
            Some(arg) => {
                let rest = self.line[self.at..].trim_end();
                let message = format!("{word} is left over. Is it the `{}`?", arg.name);
                self.error(self.at..self.at + rest.len(), message)
                    .instead(Some(format!("{}={}", arg.name, quote(rest))))
            }
            None => {
                let message = format!("{word} is one too many; the command is `{}`.", self.spec.usage());
                self.error(self.at..end, message)
            }
        }
    }
}
