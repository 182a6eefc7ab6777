//! Completion while typing: words of the table, names of options, choices, and values that only the bot knows.

use crate::parse::{leading_incident, meant, second};
use crate::reader::{INCIDENT, Reader};
use crate::table::{ArgKind, ArgSpec, CommandSpec, GroupSpec, find, find_group, groups, members, table};
use crate::words::{fold, last_word, name, quote_if_needed};

/// As many completions as Discord shows.
pub const MOST_COMPLETIONS: usize = 25;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What to put in the place of the line from `at` on.
    pub text: String,
    /// What it means, for people. May be empty.
    pub summary: String,
    /// Byte position in the line where the word being typed begins.
    pub at: usize,
}

/// Values that live outside the table: names of probes, proposals that wait, people.
pub trait Values {
    /// Values of a kind that fit what is typed so far; the best first.
    fn values(&self, kind: ArgKind, typed: &str) -> Vec<String>;
}

/// Knows no values; the table's own words are still completed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoValues;

impl Values for NoValues {
    fn values(&self, _: ArgKind, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// The ways to go on from a line that is being typed at its end. None where the line cannot be read, or free text is
/// being typed.
pub fn complete(line: &str, values: &dyn Values) -> Vec<Completion> {
    let at = last_word(line);
    let (head, typed) = line.split_at(at);
    let mut found = candidates(head, typed, values);
    found.truncate(MOST_COMPLETIONS);
    found
        .into_iter()
        .map(|(text, summary)| Completion { text, summary, at })
        .collect()
}

/// What fits one argument, for platforms that ask for each by itself. Of several joined by commas it is the last that is
/// completed.
pub fn complete_value(kind: ArgKind, typed: &str, values: &dyn Values) -> Vec<String> {
    let several = matches!(kind, ArgKind::Targets | ArgKind::Answers);
    let (before, last) = typed.split_at(typed.rfind(',').filter(|_| several).map_or(0, |comma| comma + 1));
    let found = match kind.choices() {
        Some(words) => {
            let begun = words.iter().filter(|word| fold(word).starts_with(&fold(last)));
            begun.map(|&word| word.to_owned()).collect()
        }
        None => values.values(kind, last),
    };
    found
        .into_iter()
        .take(MOST_COMPLETIONS)
        .map(|value| format!("{before}{value}"))
        .collect()
}

type Found = Vec<(String, String)>;

fn candidates(head: &str, typed: &str, values: &dyn Values) -> Found {
    let (_, start) = leading_incident(head);
    let words = head[start..].trim_end();
    if words.is_empty() {
        return first_words(typed);
    }
    if let Some(group) = find_group(&fold(words)) {
        let mut found = second_words(group, typed);
        if let Some(spec) = group.default.and_then(find) {
            found.extend(arguments(spec, "", 0, typed, values));
        }
        return found;
    }
    match meant(head) {
        Ok(meant) => arguments(meant.spec, head, meant.from, typed, values),
        Err(_) => Vec::new(),
    }
}

/// Commands and groups; the aliases too once something is typed. Without any letter they would crowd out the rest.
fn first_words(typed: &str) -> Found {
    let typed = fold(typed);
    let word = |spec: &'static CommandSpec| if typed.is_empty() { spec.path } else { spec.typed() };
    let commands = table()
        .iter()
        .map(|spec| (word(spec), spec.summary))
        .filter(|(word, _)| !word.contains(' '));
    let grouped = groups().iter().map(|group| (group.name, group.summary));
    begun(commands.chain(grouped), &typed)
}

fn second_words(group: &GroupSpec, typed: &str) -> Found {
    begun(
        members(group).map(|spec| (second(spec), spec.summary)),
        &fold(typed),
    )
}

fn begun(words: impl Iterator<Item = (&'static str, &'static str)>, typed: &str) -> Found {
    words
        .filter(|(word, _)| word.starts_with(typed))
        .map(|(word, summary)| (word.to_owned(), summary.to_owned()))
        .collect()
}

/// The next argument's values, then the options that are still free.
fn arguments(spec: &'static CommandSpec, head: &str, from: usize, typed: &str, values: &dyn Values) -> Found {
    // `--reason ` waits for its value; what stands before it is read without it.
    if let Some((head, arg)) = awaited(spec, head, from) {
        return Reader::read(head, from, spec, None)
            .map_or_else(|_| Vec::new(), |_| value_words(arg, "", typed, values));
    }
    let Ok(reader) = Reader::read(head, from, spec, None) else {
        return Vec::new();
    };
    if let Some(named) = name(typed, 0)
        && let (Some(arg), Some(value)) = (option(spec, named.name), named.value)
    {
        return value_words(arg, &typed[..value], &typed[value..], values);
    }
    let in_text = reader.text_end.is_some_and(|end| head[end..].trim().is_empty());
    let next = reader.next_place().filter(|_| !in_text);
    let mut found = next
        .map(|arg| value_words(arg, "", typed, values))
        .unwrap_or_default();
    if !in_text || typed.starts_with("--") {
        found.extend(option_words(spec, &reader, typed));
    }
    found
}

/// The option whose value is about to be typed, and the line before it.
fn awaited<'a>(spec: &CommandSpec, head: &'a str, from: usize) -> Option<(&'a str, &'static ArgSpec)> {
    let at = last_word(head.trim_end());
    let last = name(head.trim_end(), at).filter(|_| at >= from)?;
    let arg = option(spec, last.name).filter(|arg| arg.kind != ArgKind::Flag)?;
    (last.dashed && last.value.is_none()).then(|| (&head[..at], arg))
}

/// An option of a command, also the one that every command has.
fn option(spec: &CommandSpec, name: &str) -> Option<&'static ArgSpec> {
    let name = fold(name);
    spec.arg(&name)
        .or_else(|| (name == INCIDENT.name).then_some(&INCIDENT))
}

fn value_words(arg: &ArgSpec, before: &str, typed: &str, values: &dyn Values) -> Found {
    complete_value(arg.kind, typed, values)
        .into_iter()
        .map(|value| {
            (
                format!("{before}{}", quote_if_needed(&value)),
                arg.summary.to_owned(),
            )
        })
        .collect()
}

/// The options not given yet, in the spelling that was begun.
fn option_words(spec: &CommandSpec, reader: &Reader, typed: &str) -> Found {
    let free = spec
        .args
        .iter()
        .filter(|arg| arg.kind != ArgKind::Params && !reader.args.contains_key(arg.name));
    let placed = reader.next_place().map(|arg| arg.name);
    free.filter(|arg| Some(arg.name) != placed || typed.starts_with("--"))
        .map(|arg| {
            let text = match arg.kind {
                ArgKind::Flag => format!("--{}", arg.name),
                _ if typed.starts_with("--") => format!("--{} ", arg.name),
                _ => format!("{}=", arg.name),
            };
            (text, arg.summary.to_owned())
        })
        .filter(|(text, _)| text.starts_with(&fold(typed)))
        .collect()
}
