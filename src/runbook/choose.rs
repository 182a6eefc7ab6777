//! Which runbook an incident begins with.
//!
//! A label of the alert weighs more than any number of words in the title, and a word more than the process: a label
//! was set by somebody who knew the failure, a title is typed in haste, and a process suffers from many causes. When two
//! fit equally well nobody guesses: the general runbook is taken, and both are named.

use std::collections::{BTreeMap, BTreeSet};

use crate::incident::Process;

use super::front::{Front, Match};
use super::shelf::GENERAL;

/// What is known when an incident opens.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Labels of the alert, if one opened it.
    pub labels: BTreeMap<String, String>,
    pub process: Option<Process>,
    pub title: String,
}

/// The runbook to begin with, and why: what follows “because”.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub runbook: String,
    pub why: String,
}

/// How well a runbook fits: labels, then words of the title, then the process.
#[derive(Debug, Default)]
struct Fit {
    labels: Vec<String>,
    title: Vec<String>,
    process: Option<Process>,
}

impl Fit {
    fn of(wanted: &Match, hints: &Hints) -> Self {
        let title = words(&hints.title);
        let said = |phrase: &Vec<String>| {
            !phrase.is_empty() && title.windows(phrase.len()).any(|part| part == phrase.as_slice())
        };
        // `month-end` and `month end` are the same words and count once.
        let phrases: BTreeSet<Vec<String>> = wanted.title.iter().map(|phrase| words(phrase)).collect();
        Self {
            labels: matching_labels(&wanted.labels, &hints.labels),
            title: phrases
                .iter()
                .filter(|phrase| said(phrase))
                .map(|phrase| phrase.join(" "))
                .collect(),
            process: hints.process.filter(|process| wanted.processes.contains(process)),
        }
    }

    /// What is compared; nothing fits when all are zero.
    fn rank(&self) -> (usize, usize, bool) {
        (self.labels.len(), self.title.len(), self.process.is_some())
    }

    fn why(&self) -> String {
        let mut reasons = Vec::new();
        if !self.labels.is_empty() {
            reasons.push(format!("the alert says {}", self.labels.join(", ")));
        }
        if !self.title.is_empty() {
            let quoted: Vec<String> = self.title.iter().map(|word| format!("“{word}”")).collect();
            reasons.push(format!("the title says {}", quoted.join(" and ")));
        }
        if let Some(process) = self.process {
            reasons.push(format!("{} suffers", process.phrase()));
        }
        reasons.join(", and ")
    }
}

/// The labels, as `name=value`, when every one that is asked for is there; none otherwise.
fn matching_labels(wanted: &BTreeMap<String, Vec<String>>, given: &BTreeMap<String, String>) -> Vec<String> {
    let matched = wanted.iter().map(|(label, values)| {
        let value = given.get(label)?;
        values
            .iter()
            .any(|pattern| fits(pattern, value))
            .then(|| format!("{label}={value}"))
    });
    matched.collect::<Option<Vec<String>>>().unwrap_or_default()
}

fn fits(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => value.starts_with(start),
        None => value == pattern,
    }
}

/// The words of a text, lower case: `Month-end posting!` has three.
pub(super) fn words(text: &str) -> Vec<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Chooses among front matters.
pub(super) fn choose<'f>(fronts: impl Iterator<Item = &'f Front>, hints: &Hints) -> Choice {
    let mut fitting: Vec<(Fit, &Front)> = fronts
        .map(|front| (Fit::of(&front.matches, hints), front))
        .collect();
    fitting.retain(|(fit, _)| fit.rank() != Fit::default().rank());
    let best = fitting.iter().map(|(fit, _)| fit.rank()).max();
    fitting.retain(|(fit, _)| Some(fit.rank()) == best);
    let general = |why: String| Choice {
        runbook: GENERAL.to_owned(),
        why,
    };
    match fitting.as_slice() {
        [] => general("no other is made for this".to_owned()),
        [(fit, front)] => Choice {
            runbook: front.name.clone(),
            why: fit.why(),
        },
        several => {
            let mut names: Vec<&str> = several.iter().map(|(_, front)| front.name.as_str()).collect();
            names.sort_unstable();
            let names = super::nearest::listed(&names);
            general(format!("{names} fit equally well: it leads until somebody picks"))
        }
    }
}
