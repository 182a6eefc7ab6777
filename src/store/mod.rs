//! Everything that must survive a crash: journal, inbox, outbox, timers, locks, room log, evidence.
//!
//! The store knows nothing of what it keeps: payloads and bodies are opaque text. What it promises:
//!
//! * [`Store::receive`] and [`Store::commit`] answer when the data is on disk, not before.
//! * A commit is kept whole or not at all; one that does not fit the present state changes nothing and says why.
//! * Events of a stream are chained by hashes ([`chain`]); [`verify`](fn@verify) names the first row that was tampered with.
//! * A delivery is taken in once and decided once.
//!
//! How a decision is written:
//!
//! ```text
//! let head = store.head(stream).await?;                     // what the decision is made on
//! let commit = Commit { at: now, appends: vec![Append { stream, expected: head.seq, events }],
//!                       inbox_done: vec![InboxDone { inbox, outcome }], effects, ..Commit::default() };
//! match store.commit(commit).await {
//!     Err(Error::Conflict { .. }) => …,                     // load the new events, decide again
//!     Err(Error::Locked { holder }) => …,                   // a refusal that names the other incident
//!     Err(error) if error.retry() => …,                     // the same call again, later
//! ```
//!
//! A rule that both stores share belongs into `ledger.rs`, so that they cannot differ in it. SQL stays below
//! `sqlite/`; nothing of its dialect may show in this trait, because other databases come later.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::incident::IncidentId;

pub mod chain;
mod error;
mod ledger;
pub mod limits;
mod memory;
pub mod sqlite;
#[cfg(test)]
mod tests;
pub mod verify;
mod words;

pub use chain::{Hash, Mark};
pub use error::Error;
pub use ledger::Salts;
pub use memory::{Edge, Memory, Write};
pub use verify::verify;
pub use words::*;

/// The store, whatever is behind it.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes a delivery durable, or says that it is known already. Acknowledge only after this.
    async fn receive(&self, delivery: Delivery) -> Result<Received, Error>;

    /// Writes everything one decision changes.
    async fn commit(&self, commit: Commit) -> Result<Committed, Error>;

    /// Deliveries that wait for a decision, in the order of arrival, from after `after` ([`InboxId`] 0: all).
    async fn pending(&self, after: InboxId, limit: usize) -> Result<Vec<StoredDelivery>, Error>;

    /// Those of these deliveries that wait for a decision, in the order of arrival.
    async fn waiting(&self, ids: &[InboxId]) -> Result<Vec<StoredDelivery>, Error>;

    /// The outcome of a delivery; `None` while it waits or when it is unknown.
    async fn outcome(&self, inbox: InboxId) -> Result<Option<String>, Error>;

    /// Forgets the keys of what was decided before; a duplicate that comes later than that is taken as new. Does a
    /// part at a time: call again while it forgot any.
    async fn forget_deliveries(&self, decided_before: DateTime<Utc>) -> Result<u64, Error>;

    /// Writes to the disk without changing anything: whether the next write would succeed.
    async fn try_write(&self) -> Result<(), Error>;

    async fn streams(&self) -> Result<Vec<Stream>, Error>;

    async fn head(&self, stream: Stream) -> Result<Head, Error>;

    /// Events after `after` (0: from the start), at most `limit`.
    async fn events(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<StoredEvent>, Error>;

    /// Number of the last event of `stream` that was written before event `seq` of another stream; 0 where there is
    /// none. Says what was known then, whatever the clocks said.
    async fn written_before(&self, stream: Stream, other: Stream, seq: u64) -> Result<u64, Error>;

    async fn snapshot(&self, stream: Stream) -> Result<Option<Snapshot>, Error>;

    /// Replaces the stream's snapshot. Losing one costs time, never facts.
    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), Error>;

    /// Newest incidents first, below `before` (`None`: from the newest).
    async fn summaries(
        &self,
        which: Which,
        before: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<Summary>, Error>;

    async fn summary(&self, incident: IncidentId) -> Result<Option<Summary>, Error>;

    /// Effects that may be performed now, urgent lanes first, then oldest first, without those of `busy` channels.
    /// Claimed ones are among them: leave out what you have in hand.
    async fn due_effects(
        &self,
        now: DateTime<Utc>,
        busy: &[String],
        limit: usize,
    ) -> Result<Vec<StoredEffect>, Error>;

    /// These effects, due or not, in the order of their ids; those that are gone are left out.
    async fn effects(&self, ids: &[EffectId]) -> Result<Vec<StoredEffect>, Error>;

    async fn depths(&self) -> Result<Depths, Error>;

    /// Timers due by now, the longest overdue first.
    async fn due_timers(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Timer>, Error>;

    /// When the next timer is due, past or future.
    async fn next_timer(&self) -> Result<Option<DateTime<Utc>>, Error>;

    async fn timers(&self, stream: Stream) -> Result<Vec<Timer>, Error>;

    async fn locks(&self) -> Result<Vec<Lock>, Error>;

    async fn posts(&self, incident: IncidentId) -> Result<Vec<Post>, Error>;

    /// The message that shows this slot.
    async fn post(&self, incident: IncidentId, slot: &str) -> Result<Option<Post>, Error>;

    /// What a message shows, by its reference as it was given to [`Post`].
    async fn shown_by(&self, message: &str) -> Result<Option<Post>, Error>;

    async fn evidence(&self, sha256: Hash) -> Result<Option<Evidence>, Error>;

    /// All versions of all messages of an incident, in the order of writing.
    async fn room_log(
        &self,
        incident: IncidentId,
        after: LogId,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Error>;

    /// Messages of a room by their own time, from `since` on.
    async fn room_since(
        &self,
        room: &str,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Error>;

    /// Versions of one message, oldest first by when they were made, whenever they were written down.
    async fn versions(&self, room: &str, message: &str) -> Result<Vec<StoredEntry>, Error>;

    /// Finishes what was accepted and lets go of the file. Every later call answers [`Error::Stopped`].
    async fn close(&self) -> Result<(), Error>;
}
