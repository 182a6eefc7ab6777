//! From a typed word to a value of its kind, and back to the one way of writing it.

use std::collections::BTreeMap;

use crate::shown::is_invisible;
use crate::suggest::nearest;
use crate::table::{ArgKind, noun_of};
use crate::time::{Day, When, read_span, write_span};
use crate::words::{Quoted, bare_end, fold, name, quote_if_needed, quoted, skip_space};

/// Characters of one word. Links of messages are the longest that are meant; more is a paste gone wrong.
pub const LONGEST_WORD: usize = 500;

/// Digits of an id that is counted up. More is the id of a message or of another system.
const ID_DIGITS: usize = 12;

/// Letters from which the beginning of a choice is taken for it, if no other begins so.
const SHORTEST_BEGINNING: usize = 3;

/// What an argument was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text, a word, a choice, a person, a name from the catalog.
    Text(String),
    /// A number; the number of a severity, or of what is counted (`A3` is 3).
    Number(i64),
    /// Numbers of several.
    Numbers(Vec<i64>),
    /// Names of several.
    List(Vec<String>),
    /// A time span in seconds.
    Seconds(u64),
    When(When),
    Day(Day),
    Params(BTreeMap<String, String>),
    /// A flag that is up. One that is down is not kept.
    Flag,
}

/// Why a typed text is no value of its kind.
#[derive(Debug, PartialEq)]
pub(crate) struct Misfit {
    /// A clause after "does not fit …:".
    pub why: String,
    /// What was probably meant.
    pub instead: Option<String>,
}

impl Misfit {
    fn new(kind: ArgKind) -> Self {
        Self {
            why: format!("it takes {}", kind.expects()),
            instead: None,
        }
    }

    /// A thing of another kind.
    fn other(noun: &str, kind: ArgKind) -> Self {
        Self::because(format!("that is {noun}, and it takes {}", kind.expects()))
    }

    fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            instead: None,
        }
    }
}

/// Reads a value. `Ok(None)`: a flag that was said to be down.
pub(crate) fn read(kind: ArgKind, typed: &str) -> Result<Option<Value>, Misfit> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Misfit::because(format!(
            "nothing is given; it takes {}",
            kind.expects()
        )));
    }
    let value = match kind {
        ArgKind::Text => Value::Text(typed.to_owned()),
        ArgKind::Flag => return read_flag(typed),
        ArgKind::Number { min, max } => match typed.parse() {
            Ok(number) if (min..=max).contains(&number) => Value::Number(number),
            _ => return Err(Misfit::new(kind)),
        },
        ArgKind::Choice(words) => Value::Text(read_choice(kind, words, typed)?.to_owned()),
        ArgKind::Role | ArgKind::Process => {
            Value::Text(read_choice(kind, kind.choices().unwrap_or_default(), typed)?.to_owned())
        }
        ArgKind::Severity => read_severity(typed)?,
        ArgKind::Answers => Value::Numbers(
            typed
                .split(',')
                .map(|one| read_id(kind, one.trim()))
                .collect::<Result<_, _>>()?,
        ),
        ArgKind::Targets => Value::List(read_names(kind, typed)?),
        ArgKind::Duration => Value::Seconds(read_span(typed).ok_or_else(|| Misfit::new(kind))?),
        ArgKind::When => Value::When(When::read(typed).ok_or_else(|| Misfit::new(kind))?),
        ArgKind::Day => Value::Day(Day::read(typed).ok_or_else(|| Misfit::new(kind))?),
        ArgKind::Params => Value::Params(read_params(typed)?),
        ArgKind::Person | ArgKind::Who | ArgKind::Channel => Value::Text(read_mention(kind, typed)?),
        ArgKind::Url => Value::Text(read_url(typed)?),
        ArgKind::Entry if !is_event(typed) => Value::Text(read_word(kind, unwrap_link(typed))?),
        ArgKind::Entry => Value::Number(read_id(ArgKind::Event, typed)?),
        ArgKind::Step => Value::Text(read_step(typed)?),
        kind if kind.letters().is_some() => Value::Number(read_id(kind, typed)?),
        kind => Value::Text(read_word(kind, typed)?),
    };
    Ok(Some(value))
}

/// Writes a value as [`read`] takes it.
pub(crate) fn write(kind: ArgKind, value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => match kind {
            ArgKind::Severity => format!("SEV{number}"),
            ArgKind::Entry => format!("e{number}"),
            kind => format!("{}{number}", kind.letters().unwrap_or_default()),
        },
        Value::Numbers(numbers) => {
            let letters = kind.letters().unwrap_or_default();
            numbers
                .iter()
                .map(|number| format!("{letters}{number}"))
                .collect::<Vec<_>>()
                .join(",")
        }
        Value::List(names) => names.join(","),
        Value::Seconds(seconds) => write_span(*seconds),
        Value::When(when) => when.to_string(),
        Value::Day(day) => day.to_string(),
        Value::Params(params) => {
            let pairs = params
                .iter()
                .map(|(key, value)| format!("{key}={}", quote_if_needed(value)));
            pairs.collect::<Vec<_>>().join(" ")
        }
        Value::Flag => "yes".to_owned(),
    }
}

fn read_flag(typed: &str) -> Result<Option<Value>, Misfit> {
    match fold(typed).as_str() {
        "yes" | "y" | "true" | "on" | "1" => Ok(Some(Value::Flag)),
        "no" | "n" | "false" | "off" | "0" => Ok(None),
        _ => Err(Misfit::new(ArgKind::Flag)),
    }
}

/// A choice by its word, in any case, with or without hyphens, or by a beginning that only one has.
fn read_choice(kind: ArgKind, words: &[&'static str], typed: &str) -> Result<&'static str, Misfit> {
    let bare = |word: &str| fold(word).replace(['-', ' '], "");
    let wanted = bare(typed);
    if let Some(word) = words.iter().find(|word| bare(word) == wanted) {
        return Ok(word);
    }
    let mut beginning = words.iter().filter(|word| bare(word).starts_with(&wanted));
    match (beginning.next(), beginning.next()) {
        (Some(word), None) if wanted.len() >= SHORTEST_BEGINNING => Ok(word),
        _ => {
            let instead = nearest(typed, words.iter().copied()).map(str::to_owned);
            Err(Misfit {
                instead,
                ..Misfit::new(kind)
            })
        }
    }
}

/// `SEV2`, `sev-2`, `2`
fn read_severity(typed: &str) -> Result<Value, Misfit> {
    let folded = fold(typed);
    match folded
        .strip_prefix("sev")
        .unwrap_or(&folded)
        .trim_start_matches('-')
    {
        level @ ("1" | "2" | "3" | "4" | "5") => Ok(Value::Number(i64::from(level.as_bytes()[0] - b'0'))),
        _ => Err(Misfit::new(ArgKind::Severity)),
    }
}

/// The number of `INC-7`, `inc7`, `#7` or `7`.
fn read_id(kind: ArgKind, typed: &str) -> Result<i64, Misfit> {
    let word = typed.strip_prefix('#').unwrap_or(typed);
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
    let letters = word[..word.len() - digits.len()].trim_end_matches('-');
    let known = kind.letters().unwrap_or_default().trim_end_matches('-');
    let counted = digits.len() <= ID_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<i64>() {
        Ok(number) if number > 0 && counted => {
            if letters.is_empty() || letters.eq_ignore_ascii_case(known) {
                return Ok(number);
            }
            let Some(noun) = noun_of(letters) else {
                return Err(Misfit::new(kind));
            };
            Err(Misfit::other(noun, kind))
        }
        _ => Err(Misfit::new(kind)),
    }
}

/// Whether an entry is meant by its number. A platform's message id is longer.
fn is_event(typed: &str) -> bool {
    let word = typed.strip_prefix('#').unwrap_or(typed);
    let digits = word.strip_prefix(['e', 'E']).unwrap_or(word);
    (1..=ID_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names joined by commas; at least one.
fn read_names(kind: ArgKind, typed: &str) -> Result<Vec<String>, Misfit> {
    let names = typed.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names
        .map(|name| read_word(kind, name))
        .collect::<Result<_, _>>()?;
    if names.is_empty() {
        Err(Misfit::new(kind))
    } else {
        Ok(names)
    }
}

/// A step has its position in it; a word without a digit is rather the beginning of a sentence.
fn read_step(typed: &str) -> Result<String, Misfit> {
    let letters = typed.trim_end_matches(|c: char| c.is_ascii_digit());
    match noun_of(letters) {
        Some(noun) if letters.len() < typed.len() => Err(Misfit::other(noun, ArgKind::Step)),
        _ if typed.contains(|c: char| c.is_ascii_digit()) => read_word(ArgKind::Step, typed),
        _ => Err(Misfit::new(ArgKind::Step)),
    }
}

fn read_word(kind: ArgKind, typed: &str) -> Result<String, Misfit> {
    if typed.chars().any(is_invisible) {
        return Err(Misfit::because(
            "it holds a character that cannot be seen; type it by hand",
        ));
    }
    if typed.chars().any(char::is_whitespace) {
        return Err(Misfit::new(kind));
    }
    if typed.chars().nth(LONGEST_WORD).is_some() {
        return Err(Misfit::because(format!(
            "it is longer than {LONGEST_WORD} characters"
        )));
    }
    Ok(typed.to_owned())
}

/// A person or channel: a word, or a platform's `<@U123|name>`, of which the id counts and the name does not.
fn read_mention(kind: ArgKind, typed: &str) -> Result<String, Misfit> {
    let Some(inner) = typed.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else {
        return read_word(kind, typed);
    };
    let is_channel = inner.starts_with('#');
    let is_group = inner.starts_with('!') || inner.starts_with("@&");
    match kind {
        ArgKind::Channel if !is_channel => return Err(Misfit::new(kind)),
        ArgKind::Person | ArgKind::Who if is_channel => {
            return Err(Misfit::other("a channel", kind));
        }
        ArgKind::Person if is_group => {
            return Err(Misfit::other("a group", kind));
        }
        _ => {}
    }
    let id = inner.split('|').next().unwrap_or(inner);
    read_word(kind, &format!("<{id}>"))
}

fn read_url(typed: &str) -> Result<String, Misfit> {
    let url = unwrap_link(typed);
    let folded = url.to_ascii_lowercase();
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| folded.strip_prefix(scheme));
    match host {
        Some(host) if !host.is_empty() => read_word(ArgKind::Url, url),
        _ => Err(Misfit::new(ArgKind::Url)),
    }
}

/// `<https://…|label>` as Slack sends a link, without its wrapping.
fn unwrap_link(typed: &str) -> &str {
    let inner = typed
        .strip_prefix("<http")
        .and_then(|rest| rest.strip_suffix('>'));
    match inner {
        Some(_) => typed[1..typed.len() - 1].split('|').next().unwrap_or_default(),
        None => typed,
    }
}

/// `key=value key="other value"`
fn read_params(typed: &str) -> Result<BTreeMap<String, String>, Misfit> {
    let mut params = BTreeMap::new();
    let mut at = 0;
    while at < typed.len() {
        let key = name(typed, at).filter(|key| !key.dashed && !key.colon);
        let Some((key, from)) = key.and_then(|key| Some((key.name.to_owned(), key.value?))) else {
            return Err(Misfit::new(ArgKind::Params));
        };
        let (value, end) = match quoted(typed, from) {
            Quoted::Closed { text, end } => (text, end),
            Quoted::Open(_) => return Err(Misfit::because("a quotation mark in it is never closed")),
            Quoted::No => {
                let end = bare_end(typed, from);
                (typed[from..end].to_owned(), end)
            }
        };
        if params.insert(key.clone(), value).is_some() {
            return Err(Misfit::because(format!("`{key}` is given twice")));
        }
        at = skip_space(typed, end);
    }
    Ok(params)
}
