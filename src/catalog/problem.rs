//! What is wrong, where, and what would be right.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong in a catalog file or in what somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, when it comes from a file.
    pub place: Option<Place>,
    /// What is wrong.
    pub what: String,
    /// What would be right. May be empty.
    pub right: String,
}

/// A spot in a file, both numbers from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: PathBuf,
    pub line: usize,
    pub column: usize,
}

impl Problem {
    pub fn new(what: impl Into<String>, right: impl Into<String>) -> Self {
        Self {
            place: None,
            what: what.into(),
            right: right.into(),
        }
    }

    /// The same problem at a byte of a file.
    pub(super) fn at(mut self, file: &Path, text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.place = Some(Place {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        });
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}:{}: ", place.file.display(), place.line, place.column)?;
        }
        f.write_str(&self.what)?;
        match self.right.as_str() {
            "" => Ok(()),
            right => write!(f, ". {right}"),
        }
    }
}

impl std::error::Error for Problem {}

/// The known name closest to a mistyped one, if any is close enough to be what was meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + typed.chars().count() / 3;
    known
        .into_iter()
        .map(|name| (distance(typed, name), name))
        .filter(|(far, _)| *far <= most)
        .min()
        .map(|(_, name)| name)
}

/// Edits between two words, a swap of neighbours counting as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Names that are listed where nothing is near: as many as one reads at a glance.
const LISTED_MAX: usize = 10;

/// `a, b and c`, each in back-ticks.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What to say after an unknown name: the nearest one, else all of them.
pub(super) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(typed, known.clone()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            let all = known.clone().into_iter().count();
            let more = match all.saturating_sub(LISTED_MAX) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!("There is {}{more}.", listed(known.into_iter().take(LISTED_MAX)))
        }
    }
}
