//! Picking lines of the timeline.

use chrono::{DateTime, Utc};

use super::{Entry, Lane, Weight};
use crate::incident::{PersonId, Phase};

/// Which lines are wanted. The default wants all but those taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Empty: every lane.
    pub lanes: Vec<Lane>,
    pub person: Option<PersonId>,
    pub phase: Option<Phase>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only what came after this event, for somebody who was here before.
    pub after: Option<u64>,
    /// Only what weighs at least this much.
    pub weight: Option<Weight>,
    /// Only lines that contain this, whatever the case.
    pub text: Option<String>,
    /// Also lines that were taken back.
    pub removed: bool,
    /// At most this many, the latest.
    pub last: Option<usize>,
}

impl Filter {
    pub fn keeps(&self, entry: &Entry) -> bool {
        (self.lanes.is_empty() || self.lanes.contains(&entry.lane))
            && self
                .person
                .as_ref()
                .is_none_or(|person| entry.by.as_ref() == Some(person))
            && self.phase.is_none_or(|phase| entry.phase == Some(phase))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at <= until)
            && self
                .after
                .is_none_or(|after| entry.event > after || entry.also.iter().any(|also| *also > after))
            && self.weight.is_none_or(|weight| entry.weight >= weight)
            && self
                .text
                .as_ref()
                .is_none_or(|text| contains(entry, &text.to_lowercase()))
            && (self.removed || entry.removed.is_none())
    }

    /// The lines that are wanted, in their order.
    pub fn apply(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut kept: Vec<Entry> = entries.into_iter().filter(|entry| self.keeps(entry)).collect();
        if let Some(last) = self.last {
            kept.drain(..kept.len().saturating_sub(last));
        }
        kept
    }
}

fn contains(entry: &Entry, wanted: &str) -> bool {
    let texts = [Some(&entry.sentence), entry.words.as_ref(), Some(&entry.actor)];
    texts
        .into_iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(wanted))
}
