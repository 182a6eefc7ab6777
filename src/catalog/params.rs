//! Parameters: what was typed becomes typed, bounded data, or a problem that says what is allowed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use regex::Regex;
use serde_json::{Number, Value};

use super::problem::{Problem, did_you_mean, listed};
use super::raw::{Param, ParamKind};
use super::units::Period;
use crate::incident::Params;
use crate::mask::Masker;

/// Longest text where the entry sets no bound: room for a name, too little for a pasted log.
const MOST_TEXT: usize = 200;

/// PostgreSQL cuts longer identifiers silently, which would name something else.
const MOST_IDENTIFIER: usize = 63;

/// The stand-in for the onset of the incident.
pub const SINCE: &str = "$since";

/// When something is asked, and since when the trouble is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The onset, or what stands in for it.
    pub since: DateTime<Utc>,
    /// The onset is not known yet and `since` is a guess; said on results that use it.
    pub guessed: bool,
}

/// How far back "since the onset" looks while nobody has said when it began: most trouble is noticed within the hour.
const GUESS: TimeDelta = TimeDelta::hours(1);

impl When {
    /// The onset if it is known, else an hour before `now`; to the whole second, since people read it in the answers.
    pub fn new(onset: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        Self {
            since: onset.unwrap_or(now - GUESS).trunc_subsecs(0),
            guessed: onset.is_none(),
        }
    }
}

/// Whether a parameter has to be given: it has no default, and nothing says that it may be left out.
pub fn is_required(param: &Param) -> bool {
    param.default.is_none() && !param.optional
}

/// Reads what was given against what the entry allows. `whose` names the entry in problems.
pub fn read(
    whose: &str,
    allowed: &BTreeMap<String, Param>,
    given: &Params,
    when: &When,
) -> Result<Params, Problem> {
    if let Some(stranger) = given.keys().find(|name| !allowed.contains_key(*name)) {
        let right = match allowed.is_empty() {
            true => format!("`{whose}` takes no parameters; leave it out."),
            false => did_you_mean(stranger, allowed.keys().map(String::as_str)),
        };
        return Err(Problem::new(
            format!("`{whose}` has no parameter `{stranger}`"),
            right,
        ));
    }
    let mut read = Params::new();
    for (name, param) in allowed {
        let value = match given
            .get(name)
            .filter(|value| !value.is_null())
            .or(param.default.as_ref())
        {
            Some(value) => one(name, param, value, when)?,
            None if param.optional => Value::Null,
            None => {
                let right = format!("Add {name}=…: {} ({}).", param.summary, describe(param));
                return Err(Problem::new(format!("`{whose}` needs `{name}`"), right));
            }
        };
        read.insert(name.clone(), value);
    }
    Ok(read)
}

/// Reads one value. Text is read as what the parameter is; a value of the right type passes as it is.
pub fn one(name: &str, param: &Param, value: &Value, when: &When) -> Result<Value, Problem> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(it) => it.to_string(),
        _ => return Err(wrong(name, "a list or a table", param)),
    };
    if looks_like_secret(&text) {
        let right = "Secrets are never parameters: name it in the target's entry of orderly.toml instead, \
                     and change it if it was real.";
        return Err(Problem::new(
            format!("the value of `{name}` looks like a secret"),
            right,
        ));
    }
    let read = match param.kind {
        ParamKind::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        ParamKind::Number => text
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number),
        ParamKind::Boolean => boolean(text.trim()).map(Value::Bool),
        ParamKind::Duration => match value {
            // Already read once: whole seconds.
            Value::Number(seconds) => seconds.as_u64().map(Value::from),
            _ => Period::parse(text.trim())
                .ok()
                .map(|period| Value::from(period.0.as_secs())),
        },
        ParamKind::Timestamp => moment(text.trim(), when).map(|at| Value::String(stamp(at))),
        ParamKind::Text => plain(&text, param.max_length.unwrap_or(MOST_TEXT)),
        ParamKind::Identifier => plain(&text, MOST_IDENTIFIER).filter(|_| !text.is_empty()),
        ParamKind::Choice => param.options.contains(&text).then(|| Value::String(text.clone())),
        ParamKind::Path => plain(&text, MOST_TEXT).filter(|_| is_path(&text)),
    };
    let read = read.filter(|read| within(param, read) && matches(param, read));
    read.ok_or_else(|| wrong(name, &format!("`{}`", shown(&text)), param))
}

/// A moment as every call and expression sees it.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A time, or one told from the onset: `$since`, `$since - 24h`.
fn moment(text: &str, when: &When) -> Option<DateTime<Utc>> {
    let Some(before) = text.strip_prefix(SINCE) else {
        return DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    };
    match before.trim().strip_prefix('-') {
        None => before.is_empty().then_some(when.since),
        Some(period) => when
            .since
            .checked_sub_signed(TimeDelta::from_std(Period::parse(period.trim()).ok()?.0).ok()?),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Text without control characters and not too long.
fn plain(text: &str, most: usize) -> Option<Value> {
    let fits = text.chars().count() <= most && !text.chars().any(char::is_control);
    fits.then(|| Value::String(text.to_owned()))
}

/// Absolute, and every part is a name: `..` would leave where the entry meant to look.
fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.split('/').any(|part| matches!(part, "." | ".."))
}

fn within(param: &Param, value: &Value) -> bool {
    let Some(number) = value.as_f64() else { return true };
    param.min.is_none_or(|min| number >= min) && param.max.is_none_or(|max| number <= max)
}

/// The whole value must match, whatever anchors the operator wrote.
fn matches(param: &Param, value: &Value) -> bool {
    match (&param.pattern, value) {
        (Some(pattern), Value::String(text)) => whole(pattern).is_ok_and(|pattern| pattern.is_match(text)),
        _ => true,
    }
}

/// A pattern that must cover the value from start to end.
pub(super) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{pattern})\z"))
}

fn wrong(name: &str, given: &str, param: &Param) -> Problem {
    Problem::new(
        format!("`{name}` cannot be {given}"),
        format!("Give {}.", describe(param)),
    )
}

/// Enough of a wrong value to recognise it.
fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let clean: String = text.chars().filter(|c| !c.is_control()).take(MOST).collect();
    match clean.len() < text.len() {
        true => format!("{clean}…"),
        false => clean,
    }
}

/// What is allowed, in words.
pub fn describe(param: &Param) -> String {
    let bounds = |unit: &str| match (param.min, param.max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}{unit}"),
        (Some(min), None) => format!(" of at least {min}{unit}"),
        (None, Some(max)) => format!(" of at most {max}{unit}"),
        (None, None) => String::new(),
    };
    match param.kind {
        ParamKind::Integer => format!("a whole number{}", bounds("")),
        ParamKind::Number => format!("a number{}", bounds("")),
        ParamKind::Boolean => "yes or no".to_owned(),
        ParamKind::Duration => format!("a period such as 15m{}", bounds(" seconds")),
        ParamKind::Timestamp => "a time such as 2026-05-04T03:10:00Z".to_owned(),
        ParamKind::Choice => format!("one of {}", listed(param.options.iter().map(String::as_str))),
        ParamKind::Identifier => format!(
            "the name of a {}",
            param.of.as_deref().unwrap_or("thing on the server")
        ),
        ParamKind::Path => "an absolute path such as /var/log, without `..`".to_owned(),
        ParamKind::Text => {
            let most = param.max_length.unwrap_or(MOST_TEXT);
            match &param.pattern {
                Some(pattern) => format!("text of at most {most} characters like `{pattern}`"),
                None => format!("text of at most {most} characters on one line"),
            }
        }
    }
}

/// Whether a value is a credential by its form, by the rules by which text is masked everywhere else.
fn looks_like_secret(text: &str) -> bool {
    static MASKER: LazyLock<Masker> = LazyLock::new(Masker::default);
    !MASKER.mask(text).found.is_empty()
}
