//! PURE: the journal as people read it. One sentence for each event, sorted by when it happened.
//!
//! Used by `/incident timeline`, by `brief`, and by the post-mortem. A message that was marked twice, edited or taken
//! back is still one line: it follows the message and keeps its earlier texts.

mod filter;
mod known;
mod sentence;
mod span;
mod tell_action;
mod tell_people;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::{By, Event, MessageRef, Moment, PersonId, Phase, Recorded};

pub use filter::Filter;
pub use known::{cut, given};
pub use sentence::way_words;
pub use span::{full_stop, minute, size, span, titled};

use known::Known;

/// Which row of the figure a line belongs to, and what people filter by.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Phases, steps, the frame, the whole incident.
    Order,
    Severity,
    Probes,
    /// Damage, findings, cause, decision, what recovery proved.
    Findings,
    /// Proposals, approvals, attempts, containment, changes.
    Actions,
    /// Roles, pages, tasks, follow-ups.
    People,
    /// Notes, marked messages, updates.
    Messages,
    /// The post-mortem and the journal itself.
    Record,
}

impl Lane {
    /// The word people type and read.
    pub fn word(self) -> &'static str {
        match self {
            Lane::Order => "order",
            Lane::Severity => "severity",
            Lane::Probes => "probes",
            Lane::Findings => "findings",
            Lane::Actions => "actions",
            Lane::People => "people",
            Lane::Messages => "messages",
            Lane::Record => "record",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        use strum::IntoEnumIterator;
        Self::iter().find(|lane| lane.word() == word)
    }
}

/// How good the news is. Shown as colour and shape or word, never as colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
    Unknown,
}

/// How much a reader in a hurry needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Bookkeeping: reminders, repeats, rooms.
    Fine,
    Plain,
    /// What one tells a colleague who comes late.
    Key,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Id of the event: `12` is shown as `#12`.
    pub event: u64,
    /// Further events about the same line: a second mark, an edit, a mark taken back.
    pub also: Vec<u64>,
    /// When it happened. For a moment that was set, the moment itself.
    pub at: DateTime<Utc>,
    /// When it was written down.
    pub recorded: DateTime<Utc>,
    /// Where `at` comes from: `clock`, `message`, `said`, `probe`. A moment that was set is `said`; its sentence names who
    /// or what said it.
    pub source: String,
    /// Short name of the person who caused it; `None`: Orderly itself.
    pub by: Option<PersonId>,
    /// Their name as people read it.
    pub actor: String,
    /// Kind of the event, as stored; `redacted` where the event cannot be read any more.
    pub kind: String,
    pub lane: Lane,
    pub tone: Tone,
    pub weight: Weight,
    /// Phase in which it was written down.
    pub phase: Option<Phase>,
    /// What happened, one sentence, composed from the event.
    pub sentence: String,
    /// What the person wrote, as they wrote it.
    pub words: Option<String>,
    /// Earlier texts of an edited message, oldest first.
    pub earlier: Vec<String>,
    /// Why the line was taken back, if it was. Left out of the usual reading.
    pub removed: Option<String>,
}

/// Everything that happened, in the order in which it happened. Exports are not part of it.
pub fn read<'a>(
    events: impl IntoIterator<Item = &'a Recorded>,
    names: &dyn Fn(&PersonId) -> String,
) -> Vec<Entry> {
    let mut reading = Reading::default();
    for recorded in events {
        reading.take(recorded, names);
    }
    reading.finish()
}

#[derive(Default)]
struct Reading {
    known: Known,
    entries: Vec<Entry>,
    /// Place of each marked message, and who marked it.
    marks: HashMap<MessageRef, (usize, BTreeSet<PersonId>)>,
    moments: BTreeMap<Moment, usize>,
}

impl Reading {
    fn take(&mut self, recorded: &Recorded, names: &dyn Fn(&PersonId) -> String) {
        let Some(event) = &recorded.event else {
            self.entries.push(unreadable(recorded, names, self.known.phase));
            return;
        };
        if matches!(event, Event::Exported { .. }) || self.follow_message(recorded, event) {
            return;
        }
        self.known.learn(event);
        let actor = actor(&recorded.by, names);
        let mut said = sentence::tell(&self.known, names, &actor, event);
        if recorded.by == By::Orderly {
            said = said.by_rule(event);
        }
        let mut entry = Entry {
            kind: event.kind().to_owned(),
            lane: said.lane,
            tone: said.tone,
            weight: said.weight,
            sentence: said.text,
            words: said.words.map(|words| cut(&words, LONGEST_WORDS)),
            actor,
            ..blank(recorded, self.known.phase)
        };
        match event {
            Event::MomentSet { moment, at, .. } => {
                entry.at = *at;
                if *at != recorded.occurred {
                    entry.source = "said".to_owned();
                }
                if let Some(before) = self.moments.insert(*moment, self.entries.len()) {
                    self.entries[before].sentence.push_str(" Corrected later.");
                    self.entries[before].weight = Weight::Fine;
                }
            }
            Event::MessageMarked { marked, .. } => {
                let by = recorded.by.person().cloned().into_iter().collect();
                self.marks
                    .insert(marked.message.clone(), (self.entries.len(), by));
            }
            Event::Reopened { .. } => {
                // What is set again after this is a new recovery, and corrects nothing.
                for moment in [Moment::Recovered, Moment::Validated, Moment::Closed] {
                    self.moments.remove(&moment);
                }
            }
            _ => {}
        }
        self.entries.push(entry);
    }

    /// A further event about a message that has its line already. Says whether it was one.
    fn follow_message(&mut self, recorded: &Recorded, event: &Event) -> bool {
        let message = match event {
            Event::MessageMarked { marked, .. } => &marked.message,
            Event::MessageChanged { message, .. } | Event::MessageUnmarked { message, .. } => message,
            _ => return false,
        };
        let Some((place, marked_by)) = self.marks.get_mut(message) else {
            return false;
        };
        let entry = &mut self.entries[*place];
        entry.also.push(recorded.seq);
        match event {
            Event::MessageChanged { text, .. } => {
                let text = cut(text, LONGEST_WORDS);
                entry.earlier.extend(entry.words.replace(text));
            }
            Event::MessageUnmarked { why, .. } => {
                // As in the state: it stays as long as somebody else wants it there.
                match recorded.by.person() {
                    Some(person) => drop(marked_by.remove(person)),
                    None => marked_by.clear(),
                }
                entry.removed = marked_by.is_empty().then(|| why.clone());
            }
            _ => {
                marked_by.extend(recorded.by.person().cloned());
                entry.removed = None;
            }
        }
        true
    }

    fn finish(mut self) -> Vec<Entry> {
        self.entries.sort_by_key(|entry| (entry.at, entry.event));
        self.entries
    }
}

/// Longest text of a person on one line of the timeline, in characters. Chat allows 40,000; the whole text stands in
/// the journal.
pub const LONGEST_WORDS: usize = 2_000;

fn actor(by: &By, names: &dyn Fn(&PersonId) -> String) -> String {
    by.person().map_or_else(|| "Orderly".to_owned(), names)
}

fn blank(recorded: &Recorded, phase: Option<Phase>) -> Entry {
    Entry {
        event: recorded.seq,
        also: Vec::new(),
        at: recorded.occurred,
        recorded: recorded.recorded,
        source: recorded.source.clone(),
        by: recorded.by.person().cloned(),
        actor: String::new(),
        kind: String::new(),
        lane: Lane::Record,
        tone: Tone::Plain,
        weight: Weight::Plain,
        phase,
        sentence: String::new(),
        words: None,
        earlier: Vec::new(),
        removed: None,
    }
}

fn unreadable(recorded: &Recorded, names: &dyn Fn(&PersonId) -> String, phase: Option<Phase>) -> Entry {
    Entry {
        actor: actor(&recorded.by, names),
        kind: "redacted".to_owned(),
        tone: Tone::Unknown,
        sentence: "What stood here was removed from the journal.".to_owned(),
        ..blank(recorded, phase)
    }
}
