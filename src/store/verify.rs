//! Checks a journal against its hashes, and says what was done to it.
//!
//! A chain without a key cannot show that its last events were cut off, or that it was computed anew from some event
//! on: for that, compare with a head that was noted outside ([`Mark`]).

use std::fmt;

use futures::future::BoxFuture;

use super::chain::{digest, hash};
use super::{Error, Head, Mark, Store, StoredEvent, Stream};

/// Events read at a time.
const PAGE: usize = 1_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The streams that hold together, up to where they do.
    pub heads: Vec<Head>,
    /// Events whose payload was redacted. Each has its fact in the journal, with the same marker, or was changed: that is for
    /// whoever can read events to see (`engine::told`).
    pub gaps: Vec<Gap>,
    /// The first fault of each stream that has one.
    pub faults: Vec<Fault>,
}

impl Report {
    pub fn sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// An event whose original payload was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub stream: Stream,
    pub seq: u64,
    /// What stands in its place; not covered by the chain.
    pub marker: String,
}

/// The first row of a stream that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub stream: Stream,
    pub seq: u64,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is said to be redacted, and no event of the journal tells of that.
    NotTold,
    /// Part of the row is not what was sealed.
    Changed {
        part: &'static str,
    },
    Removed,
    Inserted,
    /// The row that was written here now stands at `now`.
    Moved {
        now: u64,
    },
    /// The stream ends before the noted head.
    Shortened {
        end: u64,
    },
    /// The stream holds together, but not with the noted head: its hashes were computed anew.
    Recomputed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, seq, what } = self;
        match what {
            What::Changed { part } => write!(f, "{stream}: event {seq} was changed: {part}"),
            What::NotTold => write!(
                f,
                "{stream}: event {seq} was changed: it is marked as redacted, and no event of the journal tells that it was"
            ),
            What::Removed => write!(f, "{stream}: event {seq} was removed"),
            What::Inserted => write!(f, "{stream}: event {seq} was inserted"),
            What::Moved { now } => write!(f, "{stream}: event {seq} was moved to {now}"),
            What::Shortened { end } => {
                write!(
                    f,
                    "{stream}: event {seq} and what follows was cut off, the journal ends at {end}"
                )
            }
            What::Recomputed => {
                write!(
                    f,
                    "{stream}: event {seq} has another hash than the noted head; it was computed anew"
                )
            }
        }
    }
}

/// Verifies every stream of a store, and that the noted head is in it.
pub async fn verify(store: &dyn Store, mark: Option<&Mark>) -> Result<Report, Error> {
    let streams = store.streams().await?;
    check_streams(
        streams,
        &|stream, after, rows| store.events(stream, after, rows),
        mark,
    )
    .await
}

/// Reads a page of events: stream, after, rows. Boxed, because a closure that is async is not known to be `Send`.
pub(super) type Pages<'a> =
    &'a (dyn Fn(Stream, u64, usize) -> BoxFuture<'a, Result<Vec<StoredEvent>, Error>> + Sync);

pub(super) async fn check_streams(
    streams: Vec<Stream>,
    events: Pages<'_>,
    mark: Option<&Mark>,
) -> Result<Report, Error> {
    let mut report = Report {
        heads: Vec::new(),
        gaps: Vec::new(),
        faults: Vec::new(),
    };
    if let Some(mark) = mark
        && mark.seq > 0
        && !streams.contains(&mark.stream)
    {
        report.faults.push(Fault {
            stream: mark.stream,
            seq: 1,
            what: What::Shortened { end: 0 },
        });
    }
    for stream in streams.iter().copied() {
        let mut walk = Walk {
            head: Head::empty(stream),
            mark: mark.filter(|mark| mark.stream == stream),
            fits: true,
        };
        let found = walk.go(events, &mut report.gaps).await?;
        let fault = match found {
            End::Sound => walk.against_mark(),
            End::Unreadable => Some(walk.unreadable()),
            End::Broken => {
                // The row before may be the one that was changed, so look from there.
                match events(stream, walk.head.seq.saturating_sub(1), PAGE).await {
                    Ok(around) => Some(diagnose(&around, &walk.head, &streams)),
                    Err(Error::Corrupt { .. }) => Some(walk.unreadable()),
                    Err(error) => return Err(error),
                }
            }
        };
        report.faults.extend(fault);
        report.heads.push(walk.head);
    }
    Ok(report)
}

/// How far a stream holds together.
struct Walk<'a> {
    head: Head,
    mark: Option<&'a Mark>,
    /// No event seen so far contradicts the mark.
    fits: bool,
}

/// Why a walk ended.
enum End {
    Sound,
    Broken,
    Unreadable,
}

impl Walk<'_> {
    async fn go(&mut self, events: Pages<'_>, gaps: &mut Vec<Gap>) -> Result<End, Error> {
        let mut rows = PAGE;
        loop {
            let page = match events(self.head.stream, self.head.seq, rows).await {
                Ok(page) => page,
                // One row of the page cannot be read: go on row by row to find which.
                Err(Error::Corrupt { .. }) if rows > 1 => {
                    rows = 1;
                    continue;
                }
                Err(Error::Corrupt { .. }) => return Ok(End::Unreadable),
                Err(error) => return Err(error),
            };
            if page.is_empty() {
                return Ok(End::Sound);
            }
            if !page.iter().all(|row| self.step(row, gaps)) {
                return Ok(End::Broken);
            }
        }
    }

    fn unreadable(&self) -> Fault {
        let what = What::Changed {
            part: "it cannot be read",
        };
        Fault {
            stream: self.head.stream,
            seq: self.head.seq + 1,
            what,
        }
    }

    /// Goes on by one row, if it follows.
    fn step(&mut self, row: &StoredEvent, gaps: &mut Vec<Gap>) -> bool {
        if !follows(row, &self.head) {
            return false;
        }
        self.head = Head {
            stream: row.stream,
            seq: row.seq,
            hash: row.seal.hash,
        };
        if row.redacted {
            let marker = row.event.payload.trim_end().to_owned();
            gaps.push(Gap {
                stream: row.stream,
                seq: row.seq,
                marker,
            });
        }
        if let Some(mark) = self.mark.filter(|mark| mark.seq == row.seq) {
            self.fits = mark.fits(&row.seal.hash);
        }
        true
    }

    fn against_mark(&self) -> Option<Fault> {
        let mark = self.mark?;
        let Head { stream, seq: end, .. } = self.head;
        if mark.seq > end {
            return Some(Fault {
                stream,
                seq: end + 1,
                what: What::Shortened { end },
            });
        }
        (!self.fits).then_some(Fault {
            stream,
            seq: mark.seq,
            what: What::Recomputed,
        })
    }
}

/// Whether the row is what was sealed as the next one after `head`.
fn follows(row: &StoredEvent, head: &Head) -> bool {
    row.seq == head.seq + 1 && row.seal.previous == head.hash && intact(row, row.seq).is_ok()
}

/// Whether the row is what was sealed as number `seq` of its stream; if not, which part differs.
fn intact(row: &StoredEvent, seq: u64) -> Result<(), &'static str> {
    let seal = &row.seal;
    let sealed = hash(row.stream, seq, &row.event, &seal.digest, &seal.previous);
    if sealed != Ok(seal.hash) {
        return Err("its kind, version, times, source, author or hashes differ");
    }
    if !row.redacted && digest(&seal.salt, &row.event.payload) != seal.digest {
        return Err("its payload differs");
    }
    Ok(())
}

/// The number under which the row was sealed, if that is one of those around it.
fn origin(row: &StoredEvent, around: &[StoredEvent]) -> Option<u64> {
    let first = around.first()?.seq;
    let last = around.last()?.seq + 1;
    std::iter::once(row.seq)
        .chain(first..=last)
        .find(|seq| intact(row, *seq).is_ok())
}

/// Says what was done to the first row after `good` that does not follow. `around` holds rows from `good` on.
fn diagnose(around: &[StoredEvent], good: &Head, streams: &[Stream]) -> Fault {
    let stream = good.stream;
    let seq = good.seq + 1;
    let fault = |seq, what| Fault { stream, seq, what };
    let at = |seq| around.iter().find(|row| row.seq == seq);
    // Where the row that belongs here is now.
    let elsewhere = || {
        let here = |row: &&StoredEvent| row.seq > seq && row.seal.previous == good.hash;
        around
            .iter()
            .filter(here)
            .find(|row| intact(row, seq).is_ok())
            .map(|row| row.seq)
    };
    let Some(row) = at(seq) else {
        return fault(seq, elsewhere().map_or(What::Removed, |now| What::Moved { now }));
    };
    match intact(row, seq) {
        // Sealed well, but not onto the row before: one of the two is not the one that was written.
        Ok(()) if elsewhere().is_some() => fault(seq, What::Inserted),
        Ok(()) => {
            let believed = at(seq + 1).is_none_or(|next| next.seal.previous == row.seal.hash);
            let changed = if believed && good.seq > 0 { good.seq } else { seq };
            fault(
                changed,
                What::Changed {
                    part: "its hash was computed anew",
                },
            )
        }
        Err(part) => match (origin(row, around), elsewhere()) {
            (Some(_), Some(now)) => fault(seq, What::Moved { now }),
            (None, Some(_)) => fault(seq, What::Inserted),
            // The rows from here on stand one too far up: the one before is not theirs.
            (Some(from), None) if from < seq => fault(good.seq, What::Inserted),
            (Some(_), None) => fault(seq, What::Removed),
            (None, None)
                if streams
                    .iter()
                    .any(|other| *other != stream && sealed_for(row, *other)) =>
            {
                fault(seq, What::Inserted)
            }
            (None, None) => fault(seq, What::Changed { part }),
        },
    }
}

/// Whether the row was written to another stream.
fn sealed_for(row: &StoredEvent, stream: Stream) -> bool {
    hash(stream, row.seq, &row.event, &row.seal.digest, &row.seal.previous) == Ok(row.seal.hash)
}
