//! Runbooks: a Markdown file that people read on any Git host and the bot walks through as it stands.
//!
//! ```markdown
//! ---
//! name: stuck-job-queue
//! title: Background jobs are stuck
//! summary: Jobs wait and nothing is worked off.
//! match:
//!   labels: {alertname: [OdooQueueStuck]}
//!   title: [job queue, stuck jobs]
//! ---
//! # Background jobs are stuck
//!
//! ## Confirm
//!
//! Labels and confirmations go through this queue, so first see how long the line is.
//!
//! 1. See what waits, and since when: `probe odoo.queue_jobs`
//! 2. Which channel does not move?
//! 3. (optional) Tell the shift lead that labels will be late.
//!
//! > **Leave when** the channel and the hour are known, and `odoo.health is ok`.
//! ```
//!
//! The way: [`source`] cleans the text, [`front`] reads the front matter, [`read`], [`step`] and [`decision`] turn
//! headings and list items into an [`incident::Plan`](crate::incident::Plan), [`call`] takes inline code apart, [`lint`](mod@lint)
//! compares the whole with what the catalog offers, and [`Shelf`] holds the files and [chooses](Shelf::choose) among
//! them. Every problem names its line and column. Nothing here asks a system or reads the clock.
//!
//! `docs/runbooks.md` is the reference for authors.

mod call;
mod choose;
mod decision;
mod front;
mod lint;
mod nearest;
mod problem;
mod read;
mod shelf;
mod source;
mod step;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use crate::incident::Plan;

pub use choose::{Choice, Hints};
pub use front::{Front, Match};
pub use lint::{ParamInfo, Vocabulary, lint};
pub use problem::{Problem, Severity};
pub use shelf::{GENERAL, Shelf};

use problem::{Place, Problems};

/// A runbook file, understood.
#[derive(Debug, Clone)]
pub struct Runbook {
    /// The file's name, as in messages.
    pub file: String,
    pub front: Front,
    pub plan: Plan,
    /// The text as it was read.
    pub source: String,
    map: read::Map,
}

/// Reads a runbook. Says everything that keeps it from being one, in the order of the file.
pub fn parse(file_name: &str, text: &str) -> Result<Runbook, Vec<Problem>> {
    let mut problems = Problems::of(file_name);
    let runbook = understand(file_name, text, &mut problems);
    let problems = problems.sorted();
    match runbook {
        Some(runbook) if problems.is_empty() => Ok(runbook),
        _ => Err(problems),
    }
}

/// The JSON Schema of a runbook's front matter, as it is checked in under `schemas/runbook.schema.json`.
pub fn schema() -> serde_json::Value {
    // By way of its own serialization, which puts the keys into an order for people.
    serde_json::to_value(schemars::schema_for!(Front)).unwrap_or_default()
}

/// Everything there is to say about a file: what [`parse`] refuses and what [`lint`](fn@lint) finds, together and in order.
pub fn check(file_name: &str, text: &str, vocabulary: &dyn Vocabulary) -> Vec<Problem> {
    let mut problems = Problems::of(file_name);
    if let Some(runbook) = understand(file_name, text, &mut problems) {
        lint::examine(&runbook, vocabulary, &mut problems);
    }
    problems.sorted()
}

/// As much of a runbook as can be understood.
fn understand(file: &str, text: &str, problems: &mut Problems) -> Option<Runbook> {
    let clean = source::clean(text, problems)?;
    let (yaml, lines) = front::split(&clean, problems)?;
    let front = front::read(yaml, problems);
    let body_starts = clean.split_inclusive('\n').take(lines).map(str::len).sum();
    let body = format!("{}{}", "\n".repeat(lines), &clean[body_starts..]);
    let (phases, map) = read::body(&body, problems);
    let front = front?;
    let plan = Plan {
        name: front.name.clone(),
        title: front.title.clone(),
        digest: hex::encode(Sha256::digest(text.as_bytes())),
        phases,
    };
    Some(Runbook {
        file: file.to_owned(),
        front,
        plan,
        source: text.to_owned(),
        map,
    })
}

impl Runbook {
    /// Where a key of the front matter stands.
    fn place_of_key(&self, key: &str) -> Place {
        let mut unheard = Problems::of(&self.file);
        let clean = source::clean(&self.source, &mut unheard);
        let split = clean
            .as_deref()
            .and_then(|clean| front::split(clean, &mut unheard));
        split.map_or(Place::START, |(yaml, _)| front::place_of(yaml, key))
    }
}
