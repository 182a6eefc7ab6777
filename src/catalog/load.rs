//! Reads catalog files: every problem is collected, with the spot and what would be right.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::problem::{Problem, did_you_mean};
use super::raw::{Action, Probe};
use super::{ActionEntry, ProbeEntry, check, digest_of, references};

/// A file as parsed, kept until all checks are done so that they can point into it.
pub(super) struct Document<'a> {
    pub path: &'a Path,
    pub text: &'a str,
    table: Spanned<DeTable<'a>>,
}

impl Document<'_> {
    /// A problem at the deepest part of `keys` that is written in the file.
    pub fn problem(&self, keys: &[&str], problem: Problem) -> Problem {
        let mut span = 0..0;
        let mut table = Some(self.table.get_ref());
        for key in keys {
            let Some((written, value)) =
                table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
            else {
                break;
            };
            span = written.span();
            table = value.get_ref().as_table();
        }
        problem.at(self.path, self.text, span.start)
    }
}

/// What the files define, each entry with the document it stands in.
#[derive(Default)]
pub(super) struct Entries {
    pub probes: BTreeMap<String, (ProbeEntry, usize)>,
    pub actions: BTreeMap<String, (ActionEntry, usize)>,
}

/// Reads files in order. Files from `own_from` on are the operator's: they may replace what came before, once.
pub(super) fn read<'a>(
    files: impl IntoIterator<Item = (&'a Path, &'a str)>,
    own_from: usize,
) -> Result<Entries, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut entries = Entries::default();
    let mut documents = Vec::new();
    for (path, text) in files {
        let (table, errors) = DeTable::parse_recoverable(text);
        let broken = !errors.is_empty();
        problems.extend(errors.iter().map(|error| toml_problem(path, text, error, 0..0)));
        documents.push(Document { path, text, table });
        if !broken {
            file(
                documents.len() - 1,
                own_from,
                &documents,
                &mut entries,
                &mut problems,
            );
        }
    }
    // References between entries mean little while some of them could not be read.
    if problems.is_empty() {
        references::check(&entries, &documents, &mut problems);
    }
    problems.sort_by_cached_key(|problem| {
        problem
            .place
            .as_ref()
            .map(|at| (at.file.clone(), at.line, at.column))
    });
    if problems.is_empty() {
        Ok(entries)
    } else {
        Err(problems)
    }
}

fn file(
    index: usize,
    own_from: usize,
    documents: &[Document<'_>],
    entries: &mut Entries,
    problems: &mut Vec<Problem>,
) {
    let document = &documents[index];
    for (key, value) in document.table.get_ref() {
        let section = key.get_ref().as_ref();
        let Some(table) = value
            .get_ref()
            .as_table()
            .filter(|_| matches!(section, "probe" | "action"))
        else {
            let right = "A catalog file has [probe.\"…\"] and [action.\"…\"] tables.";
            let problem = Problem::new(format!("`{section}` does not belong here"), right);
            problems.push(problem.at(document.path, document.text, key.span().start));
            continue;
        };
        for (name, value) in table {
            let place = [section, name.get_ref().as_ref()];
            let taken = match section {
                "probe" => entries.probes.get(place[1]).map(|(_, at)| *at),
                _ => entries.actions.get(place[1]).map(|(_, at)| *at),
            };
            if let Some(other) = taken.filter(|other| *other >= own_from || index < own_from) {
                let what = format!("{section} `{}` is defined twice", place[1]);
                let right = format!(
                    "The other one is in {}; give one of them another name.",
                    documents[other].path.display()
                );
                problems.push(document.problem(&place, Problem::new(what, right)));
                continue;
            }
            if let Err(problem) = entry(document, &place, value, index, entries) {
                problems.extend(problem);
            }
        }
    }
}

fn entry(
    document: &Document<'_>,
    place: &[&str; 2],
    value: &Spanned<DeValue<'_>>,
    index: usize,
    entries: &mut Entries,
) -> Result<(), Vec<Problem>> {
    let [section, name] = *place;
    name_is_right(section, name).map_err(|problem| vec![document.problem(place, problem)])?;
    let mut found = Vec::new();
    if section == "probe" {
        let raw: Probe = read_entry(document, value).map_err(|problem| vec![problem])?;
        check::probe(name, &raw, &mut |keys, problem| {
            found.push(document.problem(&[place, keys].concat(), problem))
        });
        if found.is_empty() {
            let entry = ProbeEntry {
                name: name.to_owned(),
                digest: digest_of(&raw),
                raw,
            };
            entries.probes.insert(name.to_owned(), (entry, index));
        }
    } else {
        let raw: Action = read_entry(document, value).map_err(|problem| vec![problem])?;
        check::action(name, &raw, &mut |keys, problem| {
            found.push(document.problem(&[place, keys].concat(), problem))
        });
        if found.is_empty() {
            let entry = ActionEntry {
                name: name.to_owned(),
                digest: digest_of(&raw),
                raw,
            };
            entries.actions.insert(name.to_owned(), (entry, index));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Names are dotted, so that people can guess them and a command line needs no quotes.
fn name_is_right(section: &str, name: &str) -> Result<(), Problem> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
    };
    if name.contains('.') && name.split('.').all(part) {
        return Ok(());
    }
    let right = format!("Write a dotted name in quotes, such as [{section}.\"shop.orders\"].");
    Err(Problem::new(
        format!("`{name}` is no name for a {section}"),
        right,
    ))
}

fn read_entry<T: DeserializeOwned>(
    document: &Document<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<T, Problem> {
    let span = value.span();
    T::deserialize(ValueDeserializer::from(value.clone()))
        .map_err(|error| toml_problem(document.path, document.text, &error, span))
}

/// An error of the TOML reader in our words, with the nearest key where one was mistyped.
fn toml_problem(path: &Path, text: &str, error: &toml::de::Error, fallback: Range<usize>) -> Problem {
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let problem = match quoted.as_slice() {
        [typed, known @ ..] if message.starts_with("unknown field") => {
            let right = did_you_mean(typed, known.iter().copied());
            Problem::new(format!("`{typed}` is not known here"), right)
        }
        [typed, known @ ..] if message.starts_with("unknown variant") => {
            let right = did_you_mean(typed, known.iter().copied());
            Problem::new(format!("`{typed}` is not one of the values"), right)
        }
        [missing] if message.starts_with("missing field") => Problem::new(
            format!("`{missing}` is missing"),
            "Every entry of this kind needs it.",
        ),
        _ => Problem::new(message.replace('\n', "; "), ""),
    };
    problem.at(path, text, error.span().unwrap_or(fallback).start)
}
