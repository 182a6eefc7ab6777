//! What goes into the store and what comes out. Every body is opaque text; the store never looks inside.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::Error;
use super::chain::{Hash, Seal};
use crate::incident::{AttemptId, IncidentId};

/// A sequence of events with a hash chain of its own. Written `desk` or `inc-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    Desk,
    Incident(IncidentId),
}

impl Stream {
    /// The desk is 0, an incident its number.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Desk => 0,
            Self::Incident(IncidentId(number)) => number,
        }
    }

    pub(super) fn from_number(number: u64) -> Self {
        if number == 0 {
            Self::Desk
        } else {
            Self::Incident(IncidentId(number))
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Desk => f.write_str("desk"),
            Self::Incident(IncidentId(number)) => write!(f, "inc-{number}"),
        }
    }
}

impl FromStr for Stream {
    type Err = Error;

    /// Any case, because people type `INC-7`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let lower = text.to_ascii_lowercase();
        if lower == "desk" {
            return Ok(Self::Desk);
        }
        match lower.strip_prefix("inc-").map(str::parse) {
            Some(Ok(number)) if number > 0 => Ok(Self::Incident(IncidentId(number))),
            _ => Err(Error::invalid(format!(
                "`{text}` is no stream; write `desk` or `INC-7`"
            ))),
        }
    }
}

/// Declares an id that counts up within the store.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}

ids! {
    /// A delivery in the inbox. Ids grow in the order of arrival and have gaps.
    InboxId;
    /// An effect in the outbox. Urgent lanes have lower ids; within a lane they grow in the order of commits.
    EffectId;
    /// An entry of the room log, in the order of writing.
    LogId;
}

/// A fact to append. Times are kept to the nanosecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub kind: String,
    pub version: u16,
    /// JSON; hashed and kept byte by byte as given.
    pub payload: String,
    pub recorded: DateTime<Utc>,
    pub occurred: DateTime<Utc>,
    pub source: String,
    pub by: String,
}

/// A fact as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    pub stream: Stream,
    /// From 1, without gaps.
    pub seq: u64,
    /// When `redacted`, the payload is the marker that took the place of the original.
    pub event: NewEvent,
    pub redacted: bool,
    pub seal: Seal,
}

/// The end of a stream. An empty stream has `seq` 0 and the stream's genesis as its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub stream: Stream,
    pub seq: u64,
    pub hash: Hash,
}

/// Everything one decision changes. All of it is kept, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The time the decision was given.
    pub at: DateTime<Utc>,
    /// At most one per stream.
    pub appends: Vec<Append>,
    /// The deliveries that were decided: their bodies go, their keys stay.
    pub inbox_done: Vec<InboxDone>,
    /// About to be performed: after a crash it shows that the effect may have happened.
    pub effects_claimed: Vec<EffectId>,
    pub effects_retry: Vec<EffectRetry>,
    /// Performed, or dropped as too late: leaves the outbox, before the new ones enter it.
    pub effects_done: Vec<EffectId>,
    pub effects: Vec<NewEffect>,
    /// Cleared before the new ones are set.
    pub timers_cleared: Vec<(Stream, String)>,
    pub timers_set: Vec<Timer>,
    /// Released before the new ones are taken; releasing what is not held changes nothing.
    pub locks_released: Vec<Lock>,
    pub locks_taken: Vec<Lock>,
    pub posts: Vec<Post>,
    pub summaries: Vec<Summary>,
    pub evidence: Vec<Evidence>,
    pub room_log: Vec<LogEntry>,
    pub redactions: Vec<Redaction>,
}

/// Events for one stream. Without events it only asserts where the stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub stream: Stream,
    /// The last sequence the decision was made on.
    pub expected: u64,
    pub events: Vec<NewEvent>,
}

/// What a commit brought about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The new end of each stream in `appends`, in that order.
    pub heads: Vec<Head>,
    /// The hashes of the events of each stream in `appends`.
    pub hashes: Vec<Vec<Hash>>,
    /// One id per effect, in order. A doubled key without `merge` gets an id that is never due.
    pub effects: Vec<EffectId>,
    /// Only with redactions: whether the old bytes are gone from the file now. If not, a reader held an old page;
    /// the next redaction or a restart removes them.
    pub purged: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxDone {
    pub inbox: InboxId,
    /// JSON; what a duplicate of the delivery is answered with.
    pub outcome: String,
}

/// Something addressed to us, as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names this delivery (event id, trigger id, interaction id). Unique.
    pub delivery_key: String,
    /// Names what it is about (a message with its edit stamp), so that live events and a back-fill meet. Unique.
    pub subject_key: Option<String>,
    pub platform: String,
    pub body: String,
    pub received: DateTime<Utc>,
    /// An approval: may use the reserve of the inbox.
    pub urgent: bool,
}

/// Answer to a delivery; it is durable in both cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Fresh(InboxId),
    /// Known already, with its outcome when it was decided.
    Duplicate(InboxId, Option<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelivery {
    pub id: InboxId,
    pub platform: String,
    pub body: String,
    pub received: DateTime<Utc>,
    pub urgent: bool,
}

/// Which effects go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Lane {
    /// What everybody waits for: the room of a business that stands still.
    First,
    Urgent,
    #[default]
    Normal,
    Chatty,
}

impl EffectId {
    /// The lane is in the upper bits, so that the order of the ids is the order of work.
    const LANE: u32 = 60;
    /// The bits that count.
    pub(super) const COUNT: u64 = (1 << Self::LANE) - 1;

    pub(super) fn new(lane: Lane, count: u64) -> Self {
        let lane = match lane {
            Lane::First => 0,
            Lane::Urgent => 1,
            Lane::Normal => 2,
            Lane::Chatty => 3,
        };
        Self(lane << Self::LANE | count)
    }

    pub fn lane(self) -> Lane {
        match self.0 >> Self::LANE {
            0 => Lane::First,
            1 => Lane::Urgent,
            2 => Lane::Normal,
            _ => Lane::Chatty,
        }
    }
}

/// Something to be done in the world after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEffect {
    pub key: String,
    /// A waiting effect with the same key is replaced by this one, under a new id, so that finishing the old one
    /// does not finish the new. Without `merge`, a waiting effect with the same key stays and this one is ignored.
    pub merge: bool,
    pub lane: Lane,
    /// Effects of one channel are performed one after the other: a room, a target.
    pub channel: String,
    pub body: String,
    pub not_before: Option<DateTime<Utc>>,
    pub deadline: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEffect {
    pub id: EffectId,
    pub effect: NewEffect,
    pub created: DateTime<Utc>,
    /// Set when it was claimed and neither finished nor retried: it may have happened.
    pub claimed: Option<DateTime<Utc>>,
    /// Failed tries so far.
    pub attempts: u32,
    pub last_error: Option<String>,
}

/// A try that failed: the effect waits until `not_before`, and its claim is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectRetry {
    pub effect: EffectId,
    pub not_before: DateTime<Utc>,
    pub error: String,
}

/// Setting a timer with the stream and key of another one moves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    pub stream: Stream,
    pub key: String,
    pub due: DateTime<Utc>,
    pub body: String,
}

/// One attempt at a time on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    pub target: String,
    pub incident: IncidentId,
    pub attempt: AttemptId,
}

/// Which message shows what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub incident: IncidentId,
    /// `card`, `proposal/A3`; one message each.
    pub slot: String,
    /// JSON of the message's reference; `None` forgets the slot.
    pub message: Option<String>,
}

/// A line of the list of incidents, so that a list loads no journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub incident: IncidentId,
    pub open: bool,
    pub private: bool,
    /// JSON: title, severity and what else lists show.
    pub body: String,
}

/// Which incidents to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Open,
    All,
}

/// A file or an output, kept as received. The same bytes are kept once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Of the original bytes.
    pub sha256: Hash,
    /// The incident that brought it first.
    pub incident: IncidentId,
    pub media_type: String,
    /// Empty once redacted.
    pub bytes: Vec<u8>,
    pub redacted: bool,
}

impl Evidence {
    pub fn new(incident: IncidentId, media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            sha256: Hash::of(&bytes),
            incident,
            media_type: media_type.into(),
            bytes,
            redacted: false,
        }
    }
}

/// A message of a room, or a later version of one. Earlier versions stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub incident: IncidentId,
    /// `platform/workspace/room`.
    pub room: String,
    pub message: String,
    pub thread: Option<String>,
    pub author: String,
    /// The message's own time, also for an edit.
    pub at: DateTime<Utc>,
    /// When this version was made.
    pub recorded: DateTime<Utc>,
    /// `None`: the message was deleted.
    pub text: Option<String>,
    /// JSON: what the platform calls the message's files. `None`: it has none.
    pub files: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub id: LogId,
    /// Number of the incident's last event when this was written: whatever stands for that event, or an earlier one, was
    /// made without it. 0 in rows from before it was kept.
    pub after: u64,
    pub entry: LogEntry,
}

/// Removes an original everywhere in the file. The fact that it was removed is journaled by the caller, in the same
/// commit. Copies made earlier by `backup` are out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redaction {
    /// Payload and salt go, the marker takes their place, digest and hash stay. Drops the stream's snapshot.
    Event {
        stream: Stream,
        seq: u64,
        marker: String,
    },
    /// The text of every version of a message.
    Message {
        room: String,
        message: String,
        marker: String,
    },
    /// The bytes of a file; its hash stays, and the same bytes are not taken in again.
    Evidence { sha256: Hash },
    /// The body of a delivery that still waits.
    Delivery { inbox: InboxId, body: String },
    /// The outcome of every delivery that was taken in before this one, where there is one: answers quote words, and
    /// nobody knows which.
    Outcomes { before: InboxId, outcome: String },
    /// The body of an effect that still waits.
    Effect { effect: EffectId, body: String },
}

/// The state of a fold at some event: a cache, dropped at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub stream: Stream,
    pub seq: u64,
    /// Of the program's state, not of the store's: a reader that knows another version folds from the start.
    pub version: u32,
    pub bytes: Vec<u8>,
}

/// How much waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Depths {
    pub inbox: u64,
    pub outbox: u64,
    /// When the effect that waits longest was created.
    pub oldest_effect: Option<DateTime<Utc>>,
}
