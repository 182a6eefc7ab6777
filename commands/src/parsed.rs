//! A command as understood: its path and the values of its arguments.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::ParseError;
use crate::shown::code;
use crate::table::{ArgKind, ArgSpec, CommandSpec, find};
use crate::time::{Day, When};
use crate::value::{self, Value};
use crate::words::{fold, quote_if_needed};

/// A command with its values. What it holds fits the table: every name is an argument of the path, every value of its
/// kind, and nothing required is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "Stored")]
pub struct Parsed {
    /// Path of the command; empty for a line without any word.
    pub path: &'static str,
    /// The incident that was named, where one was.
    pub incident: Option<u64>,
    args: BTreeMap<&'static str, Value>,
}

/// The shape in which a command is kept.
#[derive(Serialize, Deserialize)]
struct Stored {
    path: String,
    incident: Option<u64>,
    args: BTreeMap<String, String>,
}

/// The parameters of a command that was given none.
static NONE: BTreeMap<String, String> = BTreeMap::new();

impl Parsed {
    /// What an empty line means.
    pub(crate) fn empty() -> Self {
        Self {
            path: "",
            incident: None,
            args: BTreeMap::new(),
        }
    }

    /// Puts a command together once its values are read; the missing required one is given back.
    pub(crate) fn complete(
        spec: &'static CommandSpec,
        incident: Option<u64>,
        args: BTreeMap<&'static str, Value>,
    ) -> Result<Self, &'static ArgSpec> {
        match spec
            .args
            .iter()
            .find(|arg| arg.required && !args.contains_key(arg.name))
        {
            Some(missing) => Err(missing),
            None => Ok(Self {
                path: spec.path,
                incident,
                args,
            }),
        }
    }

    /// From values that are separate already: a platform's typed options, a form, a button. Names are those of the
    /// table, and `incident`. Empty values count as not given, as forms send them for fields left blank.
    pub fn from_options(path: &str, options: BTreeMap<String, String>) -> Result<Self, ParseError> {
        if path.is_empty() && options.is_empty() {
            return Ok(Self::empty());
        }
        let Some(spec) = find(path) else {
            return Err(ParseError::new(
                path,
                0..path.len(),
                format!("There is no command {}.", code(path)),
            ));
        };
        let mut incident = None;
        let mut args = BTreeMap::new();
        for (name, typed) in options.iter().filter(|(_, typed)| !typed.trim().is_empty()) {
            if name == "incident" {
                incident = read_option(spec, ArgKind::Incident, "incident", typed)?.map(number_of);
            } else if let Some(arg) = spec.arg(name) {
                let value = read_option(spec, arg.kind, arg.name, typed)?;
                if let Some(message) = value.as_ref().and_then(|value| reserved_key(spec, value)) {
                    return Err(ParseError::new(typed, 0..typed.len(), message)
                        .of(spec)
                        .option(arg.name));
                }
                args.extend(value.map(|value| (arg.name, value)));
            } else {
                let message = format!("{} is not an option of `{}`.", code(name), spec.typed());
                return Err(ParseError::new("", 0..0, message).of(spec));
            }
        }
        Self::complete(spec, incident, args).map_err(|missing| {
            ParseError::new("", 0..0, missing_message(spec, missing))
                .of(spec)
                .option(missing.name)
        })
    }

    /// The values as [`Parsed::from_options`] takes them.
    pub fn options(&self) -> BTreeMap<String, String> {
        find(self.path).map_or_else(BTreeMap::new, |spec| options_of(spec, self.incident, &self.args))
    }

    /// The one way of writing it as a line; parsing that gives the same command back.
    pub fn to_line(&self) -> String {
        let Some(spec) = find(self.path) else {
            return String::new();
        };
        let mut words: Vec<String> = self
            .incident
            .map(|number| format!("INC-{number}"))
            .into_iter()
            .collect();
        words.push(spec.path.to_owned());
        // By place as long as there is no gap; what follows a gap needs its name.
        let placed: Vec<&str> = spec
            .positional()
            .map(|arg| arg.name)
            .take_while(|name| self.args.contains_key(name))
            .collect();
        for name in &placed {
            words.extend(self.written(spec, name).map(|text| quote_if_needed(&text)));
        }
        for arg in spec.args.iter().filter(|arg| !placed.contains(&arg.name)) {
            words.extend(self.written(spec, arg.name).map(|text| match arg.kind {
                ArgKind::Params => text,
                ArgKind::Flag => format!("--{}", arg.name),
                _ => format!("{}={}", arg.name, quote_if_needed(&text)),
            }));
        }
        words.join(" ")
    }

    fn written(&self, spec: &CommandSpec, name: &str) -> Option<String> {
        Some(value::write(spec.arg(name)?.kind, self.args.get(name)?))
    }

    /// The value of an argument, whatever its kind.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.args.get(name)
    }

    /// Text, a word, a choice, a person, a name from the catalog, an address.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.args.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number: of [`ArgKind::Number`], of a severity (1 to 5), or of what is counted (`A3` is 3).
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.args.get(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The numbers of [`ArgKind::Answers`].
    pub fn numbers(&self, name: &str) -> &[i64] {
        match self.args.get(name) {
            Some(Value::Numbers(numbers)) => numbers,
            _ => &[],
        }
    }

    /// The names of [`ArgKind::Targets`].
    pub fn list(&self, name: &str) -> &[String] {
        match self.args.get(name) {
            Some(Value::List(names)) => names,
            _ => &[],
        }
    }

    /// Whether a flag is up.
    pub fn flag(&self, name: &str) -> bool {
        self.args.get(name) == Some(&Value::Flag)
    }

    /// The pairs of [`ArgKind::Params`], in order of their keys.
    pub fn params(&self, name: &str) -> &BTreeMap<String, String> {
        match self.args.get(name) {
            Some(Value::Params(params)) => params,
            _ => &NONE,
        }
    }

    /// A time span in seconds.
    pub fn duration_secs(&self, name: &str) -> Option<u64> {
        match self.args.get(name)? {
            Value::Seconds(seconds) => Some(*seconds),
            _ => None,
        }
    }

    /// A moment, not yet resolved against a clock.
    pub fn when(&self, name: &str) -> Option<When> {
        match self.args.get(name)? {
            Value::When(when) => Some(*when),
            _ => None,
        }
    }

    /// A day, not yet resolved against a clock.
    pub fn day(&self, name: &str) -> Option<Day> {
        match self.args.get(name)? {
            Value::Day(day) => Some(*day),
            _ => None,
        }
    }
}

/// Values as they are written, by name.
pub(crate) fn options_of(
    spec: &CommandSpec,
    incident: Option<u64>,
    args: &BTreeMap<&'static str, Value>,
) -> BTreeMap<String, String> {
    let given = args.iter().filter_map(|(name, value)| {
        let arg = spec.arg(name)?;
        Some(((*name).to_owned(), value::write(arg.kind, value)))
    });
    let incident = incident.map(|number| ("incident".to_owned(), format!("INC-{number}")));
    given.chain(incident).collect()
}

/// The sentence for a required argument that was not given.
pub(crate) fn missing_message(spec: &CommandSpec, missing: &ArgSpec) -> String {
    let expects = match missing.kind {
        ArgKind::Text => missing.summary.to_lowercase(),
        kind => kind.expects(),
    };
    format!("`{}` needs `{}`: {expects}.", spec.typed(), missing.name)
}

/// The sentence for a value that does not fit.
pub(crate) fn misfit_message(name: &str, typed: &str, why: &str) -> String {
    format!("{} does not fit `{name}`: {why}.", code(typed))
}

/// The sentence for a parameter whose key is an option of the command: typed as `key=value` it would be that option.
pub(crate) fn reserved_key(spec: &CommandSpec, value: &Value) -> Option<String> {
    let Value::Params(params) = value else { return None };
    let taken = |key: &&String| fold(key) == "incident" || spec.arg(&fold(key)).is_some();
    params.keys().find(taken).map(|key| {
        format!(
            "{} cannot be a parameter: it is an option of `{}`.",
            code(key),
            spec.typed()
        )
    })
}

pub(crate) fn number_of(value: Value) -> u64 {
    match value {
        Value::Number(number) => number.unsigned_abs(),
        _ => 0,
    }
}

/// Reads one separate value. There is no line to mend, so what was probably meant goes into the sentence.
fn read_option(
    spec: &CommandSpec,
    kind: ArgKind,
    name: &'static str,
    typed: &str,
) -> Result<Option<Value>, ParseError> {
    value::read(kind, typed).map_err(|misfit| {
        let mut message = misfit_message(name, typed, &misfit.why);
        if let Some(instead) = misfit.instead {
            message.push_str(&format!(" Did you mean {}?", code(&instead)));
        }
        ParseError::new(typed, 0..typed.len(), message)
            .of(spec)
            .option(name)
    })
}

impl From<Parsed> for Stored {
    fn from(parsed: Parsed) -> Self {
        let mut args = parsed.options();
        args.remove("incident");
        Self {
            path: parsed.path.to_owned(),
            incident: parsed.incident,
            args,
        }
    }
}

/// Written out because a derived one would ask for input that lives as long as the table.
impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let parsed = Parsed::from_options(&stored.path, stored.args).map_err(D::Error::custom)?;
        Ok(Parsed {
            incident: stored.incident,
            ..parsed
        })
    }
}
