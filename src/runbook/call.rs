//! The words inside inline code that the bot acts on.
//!
//! ```text
//! step    = ("probe" | "action") SP entry *(SP parameter) [SP "on" SP target]
//! verdict = entry [SP "on" SP target] SP "is" SP word *(SP "or" SP word)
//!
//! parameter = name "=" value
//! value     = "true" | "false" | number | word | DQUOTE text DQUOTE      ; \" and \\ inside the quotes
//! ```

use serde_json::Value;

use crate::incident::{Verdict, WantedVerdict};

use super::nearest::{hint, nearest};

/// A word and where it stands: characters from the start of the code.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spot<T> {
    pub value: T,
    pub at: usize,
}

/// What is wrong inside a code span.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    pub at: usize,
    pub message: String,
}

fn wrong<T>(at: usize, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        at,
        message: message.into(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Probe,
    Action,
}

impl Verb {
    pub fn word(self) -> &'static str {
        match self {
            Verb::Probe => "probe",
            Verb::Action => "action",
        }
    }
}

/// `probe postgres.blocking min_seconds=5 on odoo-db`, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub verb: Verb,
    pub entry: Spot<String>,
    pub params: Vec<(Spot<String>, Value)>,
    pub target: Option<Spot<String>>,
}

/// Reads a code span. `None`: it is ordinary code, such as a command for people.
pub(super) fn read(code: &str) -> Option<Result<Call, Wrong>> {
    let mut first = code.split_whitespace();
    let word = first.next()?;
    let verb = match word {
        "probe" => Verb::Probe,
        "action" => Verb::Action,
        _ => return misspelled(word, first.next()).map(Err),
    };
    Some(tokens(code).and_then(|tokens| call(verb, &tokens)))
}

/// `prob odoo.health` and `Probe: odoo.health` would otherwise silently be text.
fn misspelled(word: &str, next: Option<&str>) -> Option<Wrong> {
    let entry = next.filter(|next| is_entry(next) && next.contains('.'))?;
    let near = nearest(word.trim_end_matches(':'), ["probe", "action"])?;
    Some(Wrong {
        at: 0,
        message: format!("`{word}` is not a word the bot knows. Did you mean `{near} {entry}`?"),
    })
}

fn call(verb: Verb, tokens: &[Spot<String>]) -> Result<Call, Wrong> {
    let word = verb.word();
    let Some(entry) = tokens.get(1) else {
        return wrong(
            0,
            format!(
                "`{word}` needs the name of an entry of the catalog, such as `{}`.",
                example(verb)
            ),
        );
    };
    if !is_entry(&entry.value) {
        let message = format!(
            "`{}` is no name of a catalog entry. Write it as in `{}`.",
            entry.value,
            example(verb)
        );
        return wrong(entry.at, message);
    }
    let mut call = Call {
        verb,
        entry: entry.clone(),
        params: Vec::new(),
        target: None,
    };
    let mut rest = tokens[2..].iter();
    while let Some(token) = rest.next() {
        if token.value == "on" {
            call.target = Some(target(token, rest.next())?);
            if let Some(more) = rest.next() {
                return wrong(more.at, "The target comes last: put the parameters before `on`.");
            }
            break;
        }
        let (name, value) = parameter(token)?;
        if call.params.iter().any(|(known, _)| known.value == name.value) {
            return wrong(
                name.at,
                format!("The parameter `{}` is given twice: keep one.", name.value),
            );
        }
        call.params.push((name, value));
    }
    Ok(call)
}

fn example(verb: Verb) -> &'static str {
    match verb {
        Verb::Probe => "probe postgres.blocking failing_after=5s",
        Verb::Action => "action odoo.cron.disable cron=\"Post entries\"",
    }
}

fn target(on: &Spot<String>, target: Option<&Spot<String>>) -> Result<Spot<String>, Wrong> {
    match target {
        Some(target) if is_target(&target.value) => Ok(target.clone()),
        Some(target) => wrong(
            target.at,
            format!("`{}` is no name of a target, such as `odoo-db`.", target.value),
        ),
        None => wrong(
            on.at,
            "`on` needs the name of a target behind it, such as `on odoo-db`.",
        ),
    }
}

fn parameter(token: &Spot<String>) -> Result<(Spot<String>, Value), Wrong> {
    let Some((name, written)) = token.value.split_once('=') else {
        let message = format!(
            "`{}` is neither a parameter (`name=value`) nor a target (`on odoo-db`).",
            token.value
        );
        return wrong(token.at, message);
    };
    if !is_name(name) {
        return wrong(
            token.at,
            format!("`{name}` is no name of a parameter: letters, digits and `_` only."),
        );
    }
    let value = value(written, token.at + name.chars().count() + 1)?;
    Ok((
        Spot {
            value: name.to_owned(),
            at: token.at,
        },
        value,
    ))
}

fn value(written: &str, at: usize) -> Result<Value, Wrong> {
    if written.is_empty() {
        return wrong(
            at,
            "The value is missing. Leave the whole parameter out if the responder is to be asked.",
        );
    }
    if let Some(inner) = written.strip_prefix('"') {
        return Ok(Value::String(unquoted(inner)));
    }
    if written.contains(['"', '\'', '“', '”', '‘', '’']) {
        return wrong(
            at,
            format!("Put text in straight double quotes, such as `cron=\"Post entries\"`, not {written}."),
        );
    }
    Ok(match written {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(written).unwrap_or_else(|| Value::String(written.to_owned())),
    })
}

/// A number only when it would be written back the same: `007` and `1.10` are names, not amounts.
fn number(written: &str) -> Option<Value> {
    if let Ok(whole) = written.parse::<i64>() {
        return (whole.to_string() == written).then(|| Value::from(whole));
    }
    let real = written
        .parse::<f64>()
        .ok()
        .filter(|real| real.is_finite() && real.to_string() == written)?;
    Some(Value::from(real))
}

/// The text of a quoted value; the closing quote is known to be there.
fn unquoted(inner: &str) -> String {
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => text.extend(characters.next()),
            _ => text.push(c),
        }
    }
    text
}

/// Splits at spaces outside quotes.
fn tokens(code: &str) -> Result<Vec<Spot<String>>, Wrong> {
    let mut characters = code.chars().enumerate().peekable();
    let mut tokens = Vec::new();
    while let Some((at, first)) = characters.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut token = String::from(first);
        while let Some((quote, c)) = characters.next_if(|(_, c)| !c.is_whitespace()) {
            token.push(c);
            if token.ends_with("=\"") {
                quoted(&mut characters, quote, &mut token)?;
                break;
            }
        }
        if let Some((at, _)) = characters.peek().filter(|(_, c)| !c.is_whitespace()) {
            return wrong(*at, "There must be a space behind the closing quote.");
        }
        tokens.push(Spot { value: token, at });
    }
    Ok(tokens)
}

/// Takes everything up to and with the closing quote, escapes as written.
fn quoted(
    characters: &mut impl Iterator<Item = (usize, char)>,
    opened: usize,
    token: &mut String,
) -> Result<(), Wrong> {
    while let Some((_, c)) = characters.next() {
        token.push(c);
        match c {
            '"' => return Ok(()),
            '\\' => token.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => {}
        }
    }
    wrong(opened, "The quote that opens here is never closed.")
}

/// Reads a condition on leaving a phase: `shop.health is ok`.
pub(super) fn read_condition(code: &str) -> Result<(Spot<String>, WantedVerdict), Wrong> {
    const SHAPE: &str =
        "Write a condition as `odoo.health is ok`, or `odoo.health on odoo-prod is ok or suspect`.";
    let tokens = tokens(code)?;
    let words: Vec<&str> = tokens.iter().map(|token| token.value.as_str()).collect();
    let (probe, target, verdicts) = match words.as_slice() {
        [probe, "on", target, "is", verdicts @ ..] => (*probe, Some(*target), verdicts),
        [probe, "is", verdicts @ ..] => (*probe, None, verdicts),
        _ => return wrong(0, format!("`{code}` is no condition the bot can check. {SHAPE}")),
    };
    if verdicts.len() % 2 == 0 || verdicts.iter().skip(1).step_by(2).any(|word| *word != "or") {
        return wrong(
            0,
            format!("`{code}` does not end in verdicts joined by `or`. {SHAPE}"),
        );
    }
    if !is_entry(probe) {
        return wrong(0, format!("`{probe}` is no name of a probe. {SHAPE}"));
    }
    let known: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
    let offset = tokens.len() - verdicts.len();
    let mut wanted = Vec::new();
    for (index, word) in verdicts.iter().enumerate().step_by(2) {
        match Verdict::from_word(word) {
            Some(verdict) => wanted.push(verdict),
            None => {
                let at = tokens[offset + index].at;
                return wrong(at, format!("`{word}` is not a verdict.{}", hint(word, &known)));
            }
        }
    }
    let probe = Spot {
        value: probe.to_owned(),
        at: tokens[0].at,
    };
    let target = target.map(str::to_owned);
    let condition = WantedVerdict {
        probe: probe.value.clone(),
        target,
        verdicts: wanted,
    };
    Ok((probe, condition))
}

fn is_entry(word: &str) -> bool {
    word.split('.').all(|part| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    })
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_target(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
