//! The front matter: who a runbook is for and when it is chosen.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::incident;

use super::nearest::{listed, meant};
use super::problem::{Place, Problems};

/// What stands between the two `---` lines at the top of a runbook.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Front matter of an Orderly runbook")]
pub struct Front {
    /// Short name people type, the same as the file's: lower-case words joined by hyphens.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"), length(max = 60))]
    pub name: String,
    /// What has gone wrong, in the words of whoever calls.
    #[schemars(length(min = 1, max = 80))]
    pub title: String,
    /// One sentence: when to use this runbook.
    #[schemars(length(min = 1, max = 200))]
    pub summary: String,
    /// The business processes that suffer; the first is proposed when the incident opens.
    #[serde(default)]
    pub processes: Vec<incident::Process>,
    /// The severity proposed when the incident opens.
    #[serde(default)]
    pub severity: Option<incident::Severity>,
    /// When this runbook is chosen by itself.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// Counted up with each change that matters.
    #[serde(default)]
    pub version: Option<u32>,
    /// Who keeps it true.
    #[serde(default)]
    pub owner: Option<String>,
    /// The day somebody last walked through it.
    #[serde(default)]
    pub reviewed: Option<NaiveDate>,
}

/// Any one of these is enough; an alert's labels weigh most, then words of the title, then the process.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Labels of the alert: every label named here must have one of its values. `*` at the end of a value stands for
    /// anything.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<String>>,
    /// The business process of the incident.
    #[serde(default)]
    pub processes: Vec<incident::Process>,
    /// Words or phrases in the incident's title; upper and lower case are the same.
    #[serde(default)]
    pub title: Vec<String>,
}

impl Match {
    /// Whether nothing is asked for, so that this runbook is never chosen by itself.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.processes.is_empty() && self.title.is_empty()
    }
}

/// Longest name: it must fit one option of a list on every chat platform beside its title.
const NAME_MAX: usize = 60;
/// Longest title and summary: one line on a phone, and below the limits of chat platforms' lists.
const TITLE_MAX: usize = 80;
const SUMMARY_MAX: usize = 200;

const EXAMPLE: &str =
    "Begin the file with `---`, then `name:`, `title:` and `summary:` on a line each, then `---` again.";

/// Splits the text (line ends already `\n`) into the YAML and the number of lines up to the body.
pub(super) fn split<'t>(text: &'t str, problems: &mut Problems) -> Option<(&'t str, usize)> {
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let fence = line.trim_end() == "---";
        match (index, fence) {
            (0, false) => {
                problems.error(Place::START, format!("There is no front matter. {EXAMPLE}"));
                return None;
            }
            (0, true) => {}
            (_, true) => return Some((&text["---".len()..at], index + 1)),
            (_, false) => {}
        }
        at += line.len();
    }
    let message = match text.is_empty() {
        true => format!("The file is empty. {EXAMPLE}"),
        false => "The front matter does not end: put a line with `---` alone below its last key.".to_owned(),
    };
    problems.error(Place::START, message);
    None
}

/// Reads the YAML; `yaml` begins right behind the opening fence, so that its lines count as the file's do.
pub(super) fn read(yaml: &str, problems: &mut Problems) -> Option<Front> {
    if let Some(place) = tab_in_front(yaml) {
        let message = "A tab indents this line, and YAML takes spaces only: replace it.";
        problems.error(place, message);
        return None;
    }
    let options = serde_saphyr::options! { strict_booleans: true };
    match serde_saphyr::from_str_with_options::<Front>(yaml, options) {
        Ok(front) => {
            check(&front, yaml, problems);
            Some(front)
        }
        Err(error) => {
            let error = error.without_snippet();
            let place = error.location().map_or(Place::START, |location| Place {
                line: usize::try_from(location.line()).unwrap_or(1).max(1),
                column: usize::try_from(location.column()).unwrap_or(1).max(1),
            });
            problems.error(place, explain(error, key_at(yaml, place.line)));
            None
        }
    }
}

/// The YAML reader reports a tab at a place far from it.
fn tab_in_front(yaml: &str) -> Option<Place> {
    yaml.lines().enumerate().find_map(|(index, line)| {
        let column = line
            .find(|c: char| c != ' ')
            .filter(|at| line[*at..].starts_with('\t'))?
            + 1;
        Some(Place {
            line: index + 1,
            column,
        })
    })
}

fn explain(error: &serde_saphyr::Error, key: &str) -> String {
    use serde_saphyr::Error as Yaml;
    match error {
        Yaml::SerdeUnknownField { field, expected, .. } => {
            format!("There is no key `{field}` here.{}", hint_or_all(field, expected))
        }
        Yaml::SerdeUnknownVariant {
            variant, expected, ..
        } => {
            format!(
                "`{variant}` is not one of the words known here.{}",
                hint_or_all(variant, expected)
            )
        }
        Yaml::SerdeMissingField { field, .. } => {
            format!("The front matter has no `{field}:`. {}", what_it_holds(field))
        }
        Yaml::DuplicateMappingKey { key: Some(key), .. } => {
            format!("The key `{key}` stands here a second time: keep one.")
        }
        other => match written(key) {
            Some(example) => format!(
                "`{key}:` cannot be read ({}). Write it as `{example}`.",
                plain(other)
            ),
            None => {
                let why = plain(other);
                format!(
                    "This is no YAML: {why}. Look for a tab, or for a bracket or quote that is not closed."
                )
            }
        },
    }
}

/// The key that a line of the YAML begins with.
fn key_at(yaml: &str, line: usize) -> &str {
    let line = yaml.lines().nth(line.saturating_sub(1)).unwrap_or("");
    line.split_once(':').map_or("", |(key, _)| key.trim())
}

/// How a key is written.
fn written(key: &str) -> Option<&'static str> {
    Some(match key {
        "name" => "name: month-end-posting",
        "title" => "title: Month-end posting fails",
        "summary" => "summary: Journal entries cannot be posted.",
        "processes" => "processes: [finance-posting]",
        "severity" => "severity: SEV2",
        "match" => "match: {title: [posting]}",
        "labels" => "labels: {alertname: [OdooPostingFailed]}",
        "version" => "version: 3",
        "owner" => "owner: finance-systems",
        "reviewed" => "reviewed: 2026-01-31",
        _ => return None,
    })
}

/// The YAML reader's own words, without the place, which every problem carries already.
fn plain(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::MessageFormatter;
    let text = serde_saphyr::UserMessageFormatter
        .format_message(error)
        .into_owned();
    text.trim_end_matches('.').to_owned()
}

/// The front matter has few words, so all of them may be listed.
fn hint_or_all(word: &str, expected: &[&'static str]) -> String {
    match meant(word, expected) {
        near if near.is_empty() => format!(" There is {}.", listed(expected)),
        near => near,
    }
}

fn what_it_holds(field: &str) -> &'static str {
    match field {
        "name" => "Give the short name people type, such as `name: month-end-posting`.",
        "title" => "Say what has gone wrong, such as `title: Month-end posting fails`.",
        _ => "Say in one sentence when to use this runbook.",
    }
}

fn check(front: &Front, yaml: &str, problems: &mut Problems) {
    let name_is_good = front.name.len() <= NAME_MAX
        && front.name.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
    if !name_is_good {
        let message = format!(
            "`{}` is no name people can type: use lower-case words joined by hyphens, at most {NAME_MAX} characters, \
             such as `month-end-posting`.",
            front.name
        );
        problems.error(place_of(yaml, "name"), message);
    }
    for (key, text, most) in [
        ("title", &front.title, TITLE_MAX),
        ("summary", &front.summary, SUMMARY_MAX),
    ] {
        let length = text.chars().count();
        if text.trim().is_empty() {
            problems.error(
                place_of(yaml, key),
                format!("`{key}:` is empty. {}", what_it_holds(key)),
            );
        } else if length > most {
            let message = format!("`{key}:` has {length} characters: say it in {most}.");
            problems.error(place_of(yaml, key), message);
        }
    }
    for (label, values) in &front.matches.labels {
        if values.is_empty() {
            let message =
                format!("The label `{label}` has no value, so nothing matches it: name one, or take it out.");
            problems.error(place_of(yaml, label), message);
        }
    }
    if front
        .matches
        .title
        .iter()
        .any(|words| super::choose::words(words).is_empty())
    {
        problems.error(
            place_of(yaml, "match"),
            "`match: title:` holds an empty word: take it out.",
        );
    }
}

/// Where a key stands; the start of the file when it is written in a way this does not see (such as in `{…}`).
pub(super) fn place_of(yaml: &str, key: &str) -> Place {
    let found = yaml.lines().enumerate().find_map(|(index, line)| {
        let indent = line.len() - line.trim_start().len();
        line.trim_start()
            .strip_prefix(key)?
            .trim_start()
            .starts_with(':')
            .then_some((index, indent))
    });
    found.map_or(Place::START, |(index, indent)| Place {
        line: index + 1,
        column: indent + 1,
    })
}
