//! Reading the arguments of a command.
//!
//! ```text
//! arguments = { option | value }
//! option    = name "=" value | name ":" value | "--" name [ "=" ] value | "--" flag
//! value     = quoted | word | text
//! text      = quoted                        followed by an option or the end
//!           | words up to the next option   anything else
//! ```
//!
//! Values without a name are taken in the order of the table, up to and with the first free text. A name counts as an
//! option only if the command knows it, so that prose with `=` in it stays prose; but a name one slip away from a known
//! one is an error, for at three in the morning `sevrity=SEV1` must not end up in the title.

mod fault;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::ParseError;
use crate::parsed::{misfit_message, number_of, reserved_key};
use crate::shown::code;
use crate::suggest::is_slip;
use crate::table::{ArgKind, ArgSpec, CommandSpec};
use crate::value::{self, Value};
use crate::words::{Name, Quoted, bare_end, fold, name, quoted, skip_space};

/// Words that one value without quotes may have: `did not happen`, `2026-11-21 14:00`.
const MOST_WORDS: usize = 3;

/// The incident a command is about; an option of every command, and so in none of the table's rows.
pub(crate) const INCIDENT: ArgSpec = ArgSpec {
    name: "incident",
    kind: ArgKind::Incident,
    required: false,
    by_name: true,
    summary: "Which incident",
};

/// What has been read so far.
pub(crate) struct Reader<'a> {
    line: &'a str,
    spec: &'static CommandSpec,
    at: usize,
    pub args: BTreeMap<&'static str, Value>,
    pub incident: Option<u64>,
    /// The end of the last free text without quotes, if one was read: more words would have belonged to it.
    pub text_end: Option<usize>,
}

/// What a name in the line means to the command.
enum Meaning {
    Option(&'static ArgSpec),
    /// A key of the parameters.
    Key,
    /// Nothing; a slip of this one, perhaps.
    Unknown(Option<&'static str>),
}

impl<'a> Reader<'a> {
    /// Reads everything from `from` on. Does not look whether something is missing.
    pub fn read(
        line: &'a str,
        from: usize,
        spec: &'static CommandSpec,
        incident: Option<u64>,
    ) -> Result<Self, ParseError> {
        let at = skip_space(line, from);
        let mut reader = Reader {
            line,
            spec,
            at,
            args: BTreeMap::new(),
            incident,
            text_end: None,
        };
        while reader.at < line.len() {
            match name(line, reader.at) {
                Some(name) => reader.named(name)?,
                None => reader.placed()?,
            }
            reader.at = skip_space(line, reader.at);
        }
        Ok(reader)
    }

    /// The argument that the next value without a name goes to.
    pub fn next_place(&self) -> Option<&'static ArgSpec> {
        self.spec
            .positional()
            .find(|arg| !self.args.contains_key(arg.name))
    }

    fn text_is_next(&self) -> bool {
        self.next_place().is_some_and(|arg| arg.kind == ArgKind::Text)
    }

    fn meaning(&self, name: &Name) -> Meaning {
        let folded = fold(name.name);
        if let Some(arg) = self.spec.arg(&folded) {
            return Meaning::Option(arg);
        }
        if folded == INCIDENT.name {
            return Meaning::Option(&INCIDENT);
        }
        let takes_params = self.params_arg().is_some();
        if takes_params && !name.colon && (name.dashed || name.value.is_some()) {
            return Meaning::Key;
        }
        let names = || self.spec.args.iter().map(|arg| arg.name).chain([INCIDENT.name]);
        Meaning::Unknown(names().find(|known| is_slip(&folded, known)))
    }

    fn params_arg(&self) -> Option<&'static ArgSpec> {
        self.spec.args.iter().find(|arg| arg.kind == ArgKind::Params)
    }

    fn named(&mut self, name: Name) -> Result<(), ParseError> {
        match self.meaning(&name) {
            Meaning::Option(arg) => self.option(arg, name),
            Meaning::Key => self.param(name),
            // Prose may hold an `=` and any word a colon; dashes in front of a word are meant as an option.
            Meaning::Unknown(None) if !name.dashed && (name.colon || self.text_is_next()) => self.placed(),
            Meaning::Unknown(_) => Err(self.unknown(name)),
        }
    }

    fn option(&mut self, arg: &'static ArgSpec, name: Name) -> Result<(), ParseError> {
        let twice = match arg.kind {
            ArgKind::Targets | ArgKind::Params => false,
            _ => self.args.contains_key(arg.name) || arg.name == INCIDENT.name && self.incident.is_some(),
        };
        if twice {
            return Err(self
                .error(name.at, format!("`{}` is given twice.", arg.name))
                .option(arg.name));
        }
        if arg.kind == ArgKind::Flag && name.value.is_none() {
            self.at = name.at.end;
            self.args.insert(arg.name, Value::Flag);
            return Ok(());
        }
        let from = name.value.unwrap_or_else(|| skip_space(self.line, name.at.end));
        if bare_end(self.line, from) == from {
            let message = format!(
                "`{}` is given no value: it takes {}.",
                arg.name,
                arg.kind.expects()
            );
            return Err(self.error(name.at, message).option(arg.name));
        }
        self.at = from;
        let value = match quoted(self.line, from) {
            Quoted::No if arg.kind == ArgKind::Text => {
                let end = self.text_run()?;
                Some(Value::Text(self.line[from..end].to_owned()))
            }
            _ => self.value(arg)?,
        };
        if let Some(message) = value.as_ref().and_then(|value| reserved_key(self.spec, value)) {
            return Err(self.error(from..self.at, message).option(arg.name));
        }
        self.keep(arg, value);
        Ok(())
    }

    fn param(&mut self, name: Name) -> Result<(), ParseError> {
        let Some(arg) = self.params_arg() else {
            return Err(self.unknown(name));
        };
        let from = name.value.unwrap_or_else(|| skip_space(self.line, name.at.end));
        let (value, end) = self.quoted_or_word(from)?;
        if value.is_empty() && end == from {
            return Err(self.error(
                name.at,
                format!("The parameter {} is given no value.", code(name.name)),
            ));
        }
        let params = self
            .args
            .entry(arg.name)
            .or_insert_with(|| Value::Params(BTreeMap::new()));
        let Value::Params(params) = params else {
            return Ok(());
        };
        if params.insert(name.name.to_owned(), value).is_some() {
            return Err(self.error(
                name.at,
                format!("The parameter {} is given twice.", code(name.name)),
            ));
        }
        self.at = end;
        Ok(())
    }

    /// A value without a name.
    fn placed(&mut self) -> Result<(), ParseError> {
        let Some(arg) = self.next_place() else {
            return Err(self.too_many());
        };
        let from = self.at;
        if arg.kind != ArgKind::Text {
            let value = self
                .value(arg)
                .map_err(|error| self.or_is_it_text(error, arg, from))?;
            self.keep(arg, value);
            return Ok(());
        }
        let text = match quoted(self.line, from) {
            Quoted::Closed { text, end } if self.ends_text(end) => {
                self.at = end;
                text
            }
            Quoted::Open(mark) => return Err(self.unclosed(mark)),
            marked => {
                if let Quoted::Closed { end, .. } = marked {
                    self.no_stray(end)?;
                }
                // Words in quotes at the beginning of prose are a part of it.
                let end = self.text_run()?;
                self.line[from..end].to_owned()
            }
        };
        let value = self.fit(arg, &text, from..self.at)?;
        self.keep(arg, value);
        Ok(())
    }

    fn keep(&mut self, arg: &'static ArgSpec, value: Option<Value>) {
        match (value, self.args.get_mut(arg.name)) {
            (Some(value), _) if arg.name == INCIDENT.name => self.incident = Some(number_of(value)),
            (Some(Value::List(more)), Some(Value::List(names))) => names.extend(more),
            (Some(Value::Params(more)), Some(Value::Params(params))) => params.extend(more),
            (Some(value), _) => {
                self.args.insert(arg.name, value);
            }
            (None, _) => {}
        }
    }

    /// Whether free text is over at `from`: nothing follows, or an option.
    fn ends_text(&self, from: usize) -> bool {
        let at = skip_space(self.line, from);
        at == self.line.len()
            || name(self.line, at)
                .is_some_and(|name| name.dashed || !matches!(self.meaning(&name), Meaning::Unknown(_)))
    }

    /// Moves over free text without quotes; its end. What stands in quotes within it is never an option.
    fn text_run(&mut self) -> Result<usize, ParseError> {
        let mut end = self.at;
        // Marks that were seen never to close. Looking again for each of many would take the square of the line.
        let mut unclosed: Vec<char> = Vec::new();
        while self.at < self.line.len() {
            let mark = self.line[self.at..].chars().next().unwrap_or_default();
            end = if unclosed.contains(&mark) {
                bare_end(self.line, self.at)
            } else {
                match quoted(self.line, self.at) {
                    Quoted::Closed { end, .. } => end,
                    Quoted::Open(_) => {
                        unclosed.push(mark);
                        bare_end(self.line, self.at)
                    }
                    Quoted::No => bare_end(self.line, self.at),
                }
            };
            self.at = skip_space(self.line, end);
            match name(self.line, self.at).map(|name| (self.meaning(&name), name)) {
                Some((Meaning::Option(_) | Meaning::Key, _)) => break,
                Some((Meaning::Unknown(Some(_)), name)) => return Err(self.unknown(name)),
                Some((Meaning::Unknown(None), _)) | None => {}
            }
        }
        self.text_end = Some(end);
        Ok(end)
    }

    /// One value that is not free text: quoted, or as many words as fit.
    fn value(&mut self, arg: &'static ArgSpec) -> Result<Option<Value>, ParseError> {
        let from = self.at;
        if let Some((value, end)) = self.several_words(arg, from) {
            self.at = end;
            return Ok(Some(value));
        }
        let (typed, end) = self.quoted_or_word(from)?;
        self.at = end;
        self.fit(arg, &typed, from..end)
    }

    fn fit(&self, arg: &'static ArgSpec, typed: &str, at: Range<usize>) -> Result<Option<Value>, ParseError> {
        value::read(arg.kind, typed).map_err(|misfit| {
            let message = misfit_message(arg.name, typed, &misfit.why);
            self.error(at, message).instead(misfit.instead).option(arg.name)
        })
    }

    /// The longest run of words that reads as a value: `roll back`, `10m ago`.
    fn several_words(&self, arg: &ArgSpec, from: usize) -> Option<(Value, usize)> {
        if !matches!(arg.kind, ArgKind::Choice(_) | ArgKind::Process | ArgKind::When) {
            return None;
        }
        let mut ends = Vec::with_capacity(MOST_WORDS - 1);
        let mut end = bare_end(self.line, from);
        while ends.len() < MOST_WORDS - 1 {
            let next = skip_space(self.line, end);
            end = bare_end(self.line, next);
            // A dash between a choice and a sentence belongs to neither.
            if !self.line[next..end].contains(char::is_alphanumeric) {
                break;
            }
            ends.push(end);
        }
        ends.into_iter()
            .rev()
            .find_map(|end| Some((value::read(arg.kind, &self.line[from..end]).ok()??, end)))
    }

    fn quoted_or_word(&self, from: usize) -> Result<(String, usize), ParseError> {
        match quoted(self.line, from) {
            Quoted::Closed { text, end } => Ok((text, end)),
            Quoted::Open(mark) => Err(self.unclosed(mark)),
            Quoted::No => {
                let end = bare_end(self.line, from);
                Ok((self.line[from..end].to_owned(), end))
            }
        }
    }
}
