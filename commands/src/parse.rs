//! From a typed line to a command: which one is meant, then its arguments.
//!
//! ```text
//! line    = [ incident ] [ command arguments ]
//! command = word | alias | group word | group
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::ParseError;
use crate::parsed::{Parsed, missing_message, number_of, options_of};
use crate::reader::Reader;
use crate::shown::{code, code_line};
use crate::suggest::{self, is_slip, nearest};
use crate::table::{ArgKind, CommandSpec, GroupSpec, find, find_group, find_two, members, table, thing};
use crate::value;
use crate::words::{Quoted, bare_end, fold, name, quoted, skip_space};

/// Reads what was typed after the slash command's name. An empty line gives an empty path; an incident alone (`INC-7`)
/// is its status.
pub fn parse(line: &str) -> Result<Parsed, ParseError> {
    let start = skip_space(line, 0);
    if start == line.len() {
        return Ok(Parsed::empty());
    }
    let Meant { spec, from, incident } = meant(line)?;
    let reader = Reader::read(line, from, spec, incident)?;
    Parsed::complete(spec, reader.incident, reader.args).map_err(|missing| {
        let end = line.trim_end().len();
        ParseError::new(line, end..end, missing_message(spec, missing))
            .of(spec)
            .option(missing.name)
    })
}

/// Reads a line in which required arguments may still be missing: the command's path, and the values it has so far as
/// [`Parsed::from_options`] takes them. For buttons and forms that ask for the rest. `None` where the line is empty or
/// wrong in another way.
pub fn partial(line: &str) -> Option<(&'static str, BTreeMap<String, String>)> {
    if line.trim().is_empty() {
        return None;
    }
    let Meant { spec, from, incident } = meant(line).ok()?;
    let reader = Reader::read(line, from, spec, incident).ok()?;
    Some((spec.path, options_of(spec, reader.incident, &reader.args)))
}

/// The command that a line begins with, whatever its arguments are: the incident it names, the command's path, and the
/// rest of the line as it was typed.
pub fn head(line: &str) -> Option<(Option<u64>, &'static str, &str)> {
    let Meant { spec, from, incident } = meant(line).ok()?;
    Some((incident, spec.path, line.get(from..)?.trim()))
}

/// The command that a line begins with.
pub(crate) struct Meant {
    pub spec: &'static CommandSpec,
    /// Where its arguments begin.
    pub from: usize,
    pub incident: Option<u64>,
}

/// Finds the command of a line that is not empty.
pub(crate) fn meant(line: &str) -> Result<Meant, ParseError> {
    let (incident, start) = leading_incident(line);
    if start == line.len()
        && let Some(spec) = find("status")
    {
        return Ok(Meant {
            spec,
            from: start,
            incident,
        });
    }
    let end = bare_end(line, start);
    let word = fold(&line[start..end]);
    let (spec, from) = match find_group(&word) {
        Some(group) => second_word(line, group, start, end)?,
        None => {
            let next = skip_space(line, end);
            let next_end = bare_end(line, next);
            match find_two(&word, &fold(&line[next..next_end])) {
                Some(spec) => (spec, next_end),
                None => (
                    single(&word).ok_or_else(|| unknown_command(line, start, end))?,
                    end,
                ),
            }
        }
    };
    Ok(Meant { spec, from, incident })
}

/// An incident named before the command, and where the line goes on.
pub(crate) fn leading_incident(line: &str) -> (Option<u64>, usize) {
    let start = skip_space(line, 0);
    let end = bare_end(line, start);
    let word = &line[start..end];
    let named = word
        .get(..3)
        .is_some_and(|letters| letters.eq_ignore_ascii_case("inc"));
    match value::read(ArgKind::Incident, word) {
        Ok(Some(number)) if named => (Some(number_of(number)), skip_space(line, end)),
        _ => (None, start),
    }
}

/// A command by one word: its path, its alias, or the words of its path joined by a hyphen.
fn single(word: &str) -> Option<&'static CommandSpec> {
    find(word).or_else(|| table().iter().find(|spec| spec.path.replace(' ', "-") == word))
}

/// The command meant by a group's word and what follows it.
fn second_word(
    line: &str,
    group: &'static GroupSpec,
    start: usize,
    end: usize,
) -> Result<(&'static CommandSpec, usize), ParseError> {
    let next = skip_space(line, end);
    let bare = group.bare.and_then(find);
    let default = group.default.and_then(find);
    if next == line.len() {
        return bare
            .map(|spec| (spec, end))
            .ok_or_else(|| which(line, group, start, end));
    }
    let next_end = bare_end(line, next);
    let word = fold(&line[next..next_end]);
    if let Some(spec) = members(group).find(|spec| second(spec) == word) {
        return Ok((spec, next_end));
    }
    if !matches!(quoted(line, next), Quoted::No)
        && let Some(spec) = default
    {
        return Ok((spec, end));
    }
    if let Some(name) = name(line, next) {
        let of_default = default.filter(|spec| spec.arg(&fold(name.name)).is_some());
        if let Some(spec) = of_default.or(bare).or(default) {
            return Ok((spec, end));
        }
    }
    let is_slip = members(group).any(|spec| is_slip(&word, second(spec)));
    match default {
        Some(spec) if !is_slip && !is_about_a_thing(line, group, spec, next..next_end) => Ok((spec, end)),
        _ => Err(unknown_second(line, group, next, next_end)),
    }
}

/// Whether an unknown word after a group is meant as one of its commands, because a thing's number follows: `task take
/// T2`. What is counted elsewhere may well be spoken of in a text: `task check A3 on the other shop` is one, and only
/// `task check A3` is doubtful.
fn is_about_a_thing(line: &str, group: &GroupSpec, default: &CommandSpec, word: Range<usize>) -> bool {
    let Some(first) = default.positional().next() else {
        return false;
    };
    let is_text = first.kind == ArgKind::Text;
    if !is_text && value::read(first.kind, &line[word.clone()]).is_ok() {
        return false;
    }
    let at = skip_space(line, word.end);
    let end = bare_end(line, at);
    let Some(thing) = thing(&line[at..end]) else {
        return false;
    };
    let counted = || members(group).filter_map(|spec| spec.args.first());
    let own = counted().any(|arg| arg.kind == thing);
    let counts = counted().any(|arg| arg.kind.letters().is_some());
    own || is_text && counts && skip_space(line, end) == line.len()
}

/// The word of a path that tells it from others of its group.
pub(crate) fn second(spec: &CommandSpec) -> &'static str {
    spec.path.split_once(' ').map_or(spec.path, |(_, word)| word)
}

fn seconds(group: &GroupSpec) -> String {
    members(group)
        .map(|spec| format!("`{}`", second(spec)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn which(line: &str, group: &GroupSpec, start: usize, end: usize) -> ParseError {
    let message = format!("`{}` needs one more word: {}.", group.name, seconds(group));
    example_of(ParseError::new(line, start..end, message), members(group).next())
}

fn unknown_second(line: &str, group: &GroupSpec, at: usize, end: usize) -> ParseError {
    let word = &line[at..end];
    let message = format!(
        "`{}` has no {}; it has {}.",
        group.name,
        code(word),
        seconds(group)
    );
    let default = group.default.and_then(find);
    let texts = default.filter(|spec| {
        spec.positional()
            .next()
            .is_some_and(|arg| arg.kind == ArgKind::Text)
    });
    let message = match texts {
        Some(spec) => format!(
            "{message} For a text that begins so: {}.",
            code_line(&format!("{} {}", spec.path, line[at..].trim_end()))
        ),
        None => message,
    };
    let error = ParseError::new(line, at..end, message);
    if let Some(whole) = suggest::second(group.name, word, line[end..].trim()) {
        let whole = format!("{}{} {whole}", &line[..leading_incident(line).1], group.name);
        let spec = meant(&whole).ok().map(|meant| meant.spec);
        return example_of(error.all_instead(whole), spec);
    }
    let right = nearest(word, members(group).map(second));
    let spec = members(group)
        .find(|spec| Some(second(spec)) == right)
        .or_else(|| members(group).next());
    example_of(error.instead(right), spec)
}

fn unknown_command(line: &str, at: usize, end: usize) -> ParseError {
    let word = &line[at..end];
    let right = suggest::command(word);
    let message = format!("There is no command {}. `help` lists them.", code(word));
    let spec = right.and_then(|right| meant(right).ok()).map(|meant| meant.spec);
    example_of(ParseError::new(line, at..end, message).instead(right), spec)
}

fn example_of(error: ParseError, spec: Option<&'static CommandSpec>) -> ParseError {
    match spec {
        Some(spec) => error.of(spec),
        None => error,
    }
}
