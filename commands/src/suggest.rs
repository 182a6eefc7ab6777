//! The nearest right word to a wrong one.

use strsim::osa_distance;

use crate::table::{groups, members, table};
use crate::words::fold;

/// Characters of a word that is still worth comparing. The longest command word has 11; a pasted log line is no typo,
/// and comparing it would cost its length for every word of the table.
const LONGEST_TYPO: usize = 24;

/// What people say elsewhere, and what it is called here.
const SYNONYMS: &[(&str, &str)] = &[
    ("declare", "open"),
    ("new", "open"),
    ("create", "open"),
    ("start", "open"),
    ("raise", "open"),
    ("outage", "open"),
    ("exercise", "drill"),
    ("gameday", "drill"),
    ("rename", "title"),
    ("sev", "severity"),
    ("priority", "severity"),
    ("level", "severity"),
    ("impact", "frame"),
    ("describe", "frame"),
    ("continue", "next"),
    ("proceed", "next"),
    ("advance", "next"),
    ("previous", "back"),
    ("return", "back"),
    ("query", "probe"),
    ("run", "probe run"),
    ("diagnose", "probe run"),
    ("suspect", "finding add"),
    ("cause", "finding accept"),
    ("suggest", "propose"),
    ("lgtm", "approve"),
    ("yes", "approve"),
    ("reject", "refuse"),
    ("deny", "refuse"),
    ("decline", "refuse"),
    ("revert", "undo"),
    ("retract", "withdraw"),
    ("stop", "freeze"),
    ("pause", "freeze"),
    ("unfreeze", "thaw"),
    ("resume", "thaw"),
    ("rollback", "decide roll-back"),
    ("fix", "decide fix-forward"),
    ("choose", "decide"),
    ("notify", "page"),
    ("call", "page"),
    ("escalate", "page"),
    ("acknowledge", "ack"),
    ("claim", "take"),
    ("ic", "role take commander"),
    ("commander", "role take commander"),
    ("lead", "role take commander"),
    ("who", "roles"),
    ("todo", "task"),
    ("action-item", "followup"),
    ("comment", "note"),
    ("log", "note"),
    ("announce", "update"),
    ("tell", "update"),
    ("summary", "brief"),
    ("catchup", "brief"),
    ("catch-up", "brief"),
    ("history", "timeline"),
    ("info", "status"),
    ("show", "status"),
    ("ls", "list"),
    ("dup", "duplicate"),
    ("merge", "duplicate"),
    ("mitigated", "resolve"),
    ("fixed", "resolve"),
    ("finish", "resolve"),
    ("end", "resolve"),
    ("archive", "close"),
    ("abort", "cancel"),
    ("delete", "redact"),
    ("mask", "redact"),
    ("pm", "postmortem"),
    ("rca", "postmortem"),
    ("retro", "postmortem"),
    ("report", "postmortem"),
];

/// What people say after a group's word, and what it is called there. `{}` stands for what follows; where there is none,
/// it follows the command.
const SECONDS: &[(&str, &[&str], &str)] = &[
    (
        "task",
        &["take", "claim", "grab", "accept", "start"],
        "assign {} me",
    ),
    ("task", &["give", "owner"], "assign"),
    (
        "task",
        &["finish", "finished", "close", "complete", "resolve", "tick"],
        "done",
    ),
    ("task", &["cancel", "delete", "remove", "skip"], "drop"),
    ("task", &["show"], "list"),
    (
        "followup",
        &["take", "claim", "grab", "accept", "start"],
        "change {} owner=me",
    ),
    (
        "followup",
        &["assign", "give", "edit", "move", "set", "postpone"],
        "change",
    ),
    (
        "followup",
        &["finish", "finished", "close", "complete", "resolve", "tick"],
        "done",
    ),
    ("followup", &["cancel", "delete", "remove", "skip"], "drop"),
    ("followup", &["show"], "list"),
    ("finding", &["confirm", "cause"], "accept"),
    ("step", &["finish", "close", "complete", "tick"], "done"),
];

/// What is meant by a word after a group's that is none of its commands, with what followed it.
pub(crate) fn second(group: &str, typed: &str, rest: &str) -> Option<String> {
    let folded = fold(typed);
    let (.., meant) = SECONDS
        .iter()
        .find(|(of, words, _)| *of == group && words.contains(&folded.as_str()))?;
    match meant.split_once("{}") {
        // More than a thing's number has no place there.
        Some(_) if rest.contains(char::is_whitespace) => None,
        Some((before, after)) => Some(format!("{before}{rest}{after}")),
        None => Some(format!("{meant} {rest}").trim_end().to_owned()),
    }
}

/// The command nearest to a first word that is none: what to type instead.
pub(crate) fn command(typed: &str) -> Option<&'static str> {
    let folded = fold(typed);
    if let Some((_, meant)) = SYNONYMS.iter().find(|(word, _)| *word == folded) {
        return Some(meant);
    }
    let singles = table()
        .iter()
        .flat_map(|spec| [Some(spec.path), spec.alias])
        .flatten();
    let grouped = groups()
        .iter()
        .flat_map(|group| [Some(group.name), group.alias])
        .flatten();
    let words = singles.filter(|word| !word.contains(' ')).chain(grouped);
    // A word that stands in one group only is meant with its group: `settle` would be found above, `use` is not.
    let seconds = || groups().iter().flat_map(members);
    nearest(typed, words).or_else(|| {
        let mut same = seconds().filter(|spec| spec.path.ends_with(&format!(" {folded}")));
        same.next()
            .map(|spec| spec.path)
            .filter(|_| same.next().is_none())
    })
}

/// The nearest of some words: the one it begins, else the one with the fewest slips, if those are few.
pub(crate) fn nearest(typed: &str, among: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let typed = fold(typed);
    let length = typed.chars().count();
    if length == 0 || length > LONGEST_TYPO {
        return None;
    }
    let allowed = match length {
        1..=3 => 1,
        4..=6 => 2,
        _ => 3,
    };
    let cost = |word: &str| {
        let word = fold(word);
        if length >= 3 && word.starts_with(&typed) {
            0
        } else {
            osa_distance(&typed, &word)
        }
    };
    // With as many slips as letters, any word is near any other.
    among
        .into_iter()
        .map(|word| (cost(word), word))
        .filter(|(cost, word)| *cost <= allowed && *cost < length.min(word.len()))
        // Letters in the wrong order are likelier than a wrong letter: `taks` is `task`, not `take`.
        .min_by_key(|(cost, word)| (*cost, letters(word) != letters(&typed)))
        .map(|(_, word)| word)
}

fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// Whether a word is so near to another that it must be a slip and not a word of its own.
pub(crate) fn is_slip(typed: &str, of: &str) -> bool {
    let typed = fold(typed);
    let length = typed.chars().count();
    if !(3..=LONGEST_TYPO).contains(&length) || typed == of {
        return false;
    }
    osa_distance(&typed, of) <= if length >= 6 { 2 } else { 1 }
}
