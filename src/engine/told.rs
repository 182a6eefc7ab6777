//! Whether a journal tells of its own gaps. The chain does not cover what stands in the place of redacted words, so whoever
//! changes a row in the file could mark it as redacted and say anything. A redaction is an event itself, and names what it left.

use std::collections::{BTreeMap, BTreeSet};

use super::journal::{self, Error};
use super::redact::{KEPT, marker, source};
use crate::incident::{Event, MessageRef};
use crate::store::verify::{Fault, Gap, What};
use crate::store::{Hash, Store, Stream};

/// What the redactions of one journal say.
#[derive(Default)]
struct Told {
    /// The events they took the words of, and what may stand there.
    gaps: BTreeSet<(u64, String)>,
    /// Events and messages named by redactions that do not say what they left.
    rows: BTreeSet<u64>,
    messages: BTreeSet<MessageRef>,
}

/// Gaps of which their journal tells nothing: these rows were changed.
pub async fn check_gaps(store: &dyn Store, gaps: &[Gap]) -> Result<Vec<Fault>, Error> {
    let mut by_stream: BTreeMap<Stream, Vec<&Gap>> = BTreeMap::new();
    for gap in gaps {
        by_stream.entry(gap.stream).or_default().push(gap);
    }
    let mut faults = Vec::new();
    for (stream, gaps) in by_stream {
        let told = match stream {
            Stream::Incident(incident) => told(&journal::load(store, incident).await?),
            // Nothing redacts what the desk knows.
            Stream::Desk => Told::default(),
        };
        for gap in gaps {
            if !told.covers(gap, kind_of(store, gap).await?.as_deref()) {
                faults.push(Fault {
                    stream,
                    seq: gap.seq,
                    what: What::NotTold,
                });
            }
        }
    }
    Ok(faults)
}

fn told(journal: &[crate::incident::Recorded]) -> Told {
    let mut told = Told::default();
    for recorded in journal {
        let Some(Event::Redacted {
            row, messages, gaps, ..
        }) = &recorded.event
        else {
            continue;
        };
        if gaps.is_empty() {
            told.rows.insert(*row);
            told.messages.extend(messages.iter().cloned());
        }
        told.gaps
            .extend(gaps.iter().map(|gap| (gap.row, gap.sha256.clone())));
    }
    told
}

impl Told {
    fn covers(&self, gap: &Gap, kind: Option<&str>) -> bool {
        let left = Hash::of(gap.marker.as_bytes()).to_string();
        if self.gaps.contains(&(gap.seq, left)) {
            return true;
        }
        // An earlier program did not say what it left: no words, in any case, and never of what approvals rest on.
        let Some(kind) = kind.filter(|kind| !KEPT.contains(kind)) else {
            return false;
        };
        let event = Event::read(kind, crate::incident::VERSION, &gap.marker).ok();
        let of_message = event
            .as_ref()
            .and_then(source)
            .is_some_and(|message| self.messages.contains(message));
        (self.rows.contains(&gap.seq) || of_message) && marker(&gap.marker) == gap.marker
    }
}

async fn kind_of(store: &dyn Store, gap: &Gap) -> Result<Option<String>, Error> {
    let stored = store.events(gap.stream, gap.seq - 1, 1).await?;
    Ok(stored.into_iter().next().map(|stored| stored.event.kind))
}
