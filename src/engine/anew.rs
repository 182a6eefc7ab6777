//! What Orderly itself has said of words that are redacted: whatever would read otherwise without them is said anew, wherever
//! it stands, however long ago it was. A notice quotes more than its own event (a task that is done, the title of a page),
//! so nobody lists what quotes what: both are rendered, with the words and without, and compared.

use std::collections::BTreeSet;

use super::redact::marker;
use super::{Engine, plan};
use crate::incident::{Effect, Event, PersonId, Recorded, RoomRef, Slot, State, VERSION, react};
use crate::store::NewEffect;

/// What reads otherwise.
#[derive(Default)]
struct Differs {
    notices: BTreeSet<u64>,
    directs: BTreeSet<(u64, PersonId)>,
    slots: BTreeSet<Slot>,
}

/// What is to be done about it.
pub(super) struct Anew {
    pub effects: Vec<NewEffect>,
    /// The title without the words.
    pub title: String,
}

impl Engine {
    /// `rows` lose their words; `rooms` are all that were ever told of the incident.
    pub(super) fn said_anew(
        &self,
        journal: &[Recorded],
        rows: &[u64],
        rooms: &BTreeSet<RoomRef>,
    ) -> Option<Anew> {
        let redacted: Vec<Recorded> = journal.iter().map(|recorded| without(recorded, rows)).collect();
        let mut differs = Differs::default();
        let (mut before, mut after) = (None, None);
        for (was, is) in journal.iter().zip(&redacted) {
            State::fold(&mut before, was);
            State::fold(&mut after, is);
            if let (Some(before), Some(after)) = (&before, &after) {
                self.compare(&mut differs, (before, was), (after, is), rows);
            }
        }
        let (before, after) = (before?, after?);
        for (was, is) in journal.iter().zip(&redacted) {
            // What was told late was told as things stood by then.
            if self.reads_otherwise((&before, was), (&after, is)) {
                told_of(&mut differs, &before, was);
            }
        }
        let words = &self.inner.parts.words;
        let desk = self.desk();
        let slots = every_slot(&before)
            .filter(|slot| words.slot(&before, *slot, &desk) != words.slot(&after, *slot, &desk));
        differs.slots.extend(slots);
        let (incident, now) = (before.opening.number, self.now());
        let notices = differs.notices.iter();
        let mut effects: Vec<NewEffect> = notices
            .flat_map(|event| rooms.iter().map(|room| plan::reword(incident, *event, room)))
            .collect();
        let directs = differs.directs.iter();
        effects.extend(directs.map(|(event, person)| plan::reword_direct(incident, *event, person)));
        let slots = differs.slots.into_iter();
        effects.extend(slots.flat_map(|slot| plan::effects(&before, &Effect::Show { slot }, now)));
        Some(Anew {
            effects,
            title: after.title,
        })
    }

    /// An event as it was told when it happened, and the messages that it changed.
    fn compare(
        &self,
        differs: &mut Differs,
        was: (&State, &Recorded),
        is: (&State, &Recorded),
        rows: &[u64],
    ) {
        if rows.contains(&was.1.seq) || self.reads_otherwise(was, is) {
            told_of(differs, was.0, was.1);
        }
        let words = &self.inner.parts.words;
        for effect in react(was.0, was.1) {
            // Card and announcement are looked at once, at the end: they are made true with every event.
            if let Effect::Show {
                slot: slot @ (Slot::Proposal { .. } | Slot::Round { .. } | Slot::Page { .. }),
            } = effect
                && !differs.slots.contains(&slot)
                && words.slot(was.0, slot, &self.desk()) != words.slot(is.0, slot, &self.desk())
            {
                differs.slots.insert(slot);
            }
        }
    }

    fn reads_otherwise(&self, was: (&State, &Recorded), is: (&State, &Recorded)) -> bool {
        let words = &self.inner.parts.words;
        let desk = self.desk();
        words.notice(was.0, was.1, "", &desk) != words.notice(is.0, is.1, "", &desk)
    }
}

/// Whom an event was told to.
fn told_of(differs: &mut Differs, state: &State, recorded: &Recorded) {
    for effect in react(state, recorded) {
        match effect {
            Effect::Notice { event, .. } => drop(differs.notices.insert(event)),
            Effect::Direct { person, event } => drop(differs.directs.insert((event, person))),
            _ => {}
        }
    }
}

/// The event as it will stand.
fn without(recorded: &Recorded, rows: &[u64]) -> Recorded {
    let mut recorded = recorded.clone();
    if rows.contains(&recorded.seq)
        && let Some(event) = &recorded.event
        && let Ok(payload) = serde_json::to_string(event)
    {
        recorded.event = Event::read(event.kind(), VERSION, &marker(&payload)).ok();
    }
    recorded
}

/// Every message that an incident keeps true.
fn every_slot(state: &State) -> impl Iterator<Item = Slot> {
    let prompts = state.passages.iter().map(|passage| Slot::Prompt {
        entered: passage.event,
    });
    let proposals = state
        .proposals
        .keys()
        .map(|proposal| Slot::Proposal { proposal: *proposal });
    let rounds: BTreeSet<u32> = state.runs.values().map(|run| run.asked.round).collect();
    let pages = state.pages.keys().map(|page| Slot::Page { page: *page });
    [Slot::Card, Slot::Announcement]
        .into_iter()
        .chain(prompts)
        .chain(proposals)
        .chain(rounds.into_iter().map(|round| Slot::Round { round }))
        .chain(pages)
}
