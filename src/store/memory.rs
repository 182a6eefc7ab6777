//! The store in memory: the same rules, no disk. For tests, which can stop it at any write and start again on what
//! would then be on the disk.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::chain::Seal;
use super::ledger::{Admitted, Ledger};
use super::limits::INBOX_BOUND;
use super::{
    Append, Commit, Committed, Delivery, EffectId, Error, Evidence, Hash, Head, InboxId, LogId, NewEffect,
    Received, Redaction, Salts, Snapshot, StoredDelivery, StoredEffect, StoredEntry, StoredEvent, Stream,
    Summary, Timer, limits,
};
use crate::incident::IncidentId;

mod store;

/// Before or after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Edge {
    Before,
    After,
}

/// A point at which the process could end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Write {
    /// Counts receives and commits since this handle's store was started, from 1.
    pub number: u64,
    pub edge: Edge,
}

/// Asked at each point; `false` ends the process there.
pub type Probe = Arc<dyn Fn(Write) -> bool + Send + Sync>;

/// The store in memory. Cloning gives another handle to the same one; [`Memory::as_on_disk`] a store of its own.
#[derive(Clone)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    disk: Disk,
    writes: u64,
    probe: Option<Probe>,
    failures: VecDeque<Error>,
    stopped: bool,
}

/// What survives.
#[derive(Clone)]
struct Disk {
    ledger: Ledger,
    journal: BTreeMap<Stream, Vec<StoredEvent>>,
    /// All events, in the order of writing.
    written: Vec<(Stream, u64)>,
    inbox: BTreeMap<InboxId, Inboxed>,
    effects: BTreeMap<EffectId, StoredEffect>,
    timers: BTreeMap<(Stream, String), Timer>,
    posts: BTreeMap<(IncidentId, String), String>,
    summaries: BTreeMap<IncidentId, Summary>,
    snapshots: BTreeMap<Stream, Snapshot>,
    evidence: BTreeMap<Hash, Evidence>,
    room_log: Vec<StoredEntry>,
}

#[derive(Clone)]
struct Inboxed {
    delivery: Delivery,
    decided: Option<(DateTime<Utc>, String)>,
}

impl Default for Memory {
    /// Salts are counted, so that hashes are the same in every run.
    fn default() -> Self {
        Self::new(Salts::Counted(0), INBOX_BOUND)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        f.debug_struct("Memory")
            .field("writes", &inner.writes)
            .field("stopped", &inner.stopped)
            .finish()
    }
}

impl Memory {
    pub fn new(salts: Salts, inbox_bound: usize) -> Self {
        Self::on(Disk {
            ledger: Ledger::new(salts, inbox_bound),
            journal: BTreeMap::new(),
            written: Vec::new(),
            inbox: BTreeMap::new(),
            effects: BTreeMap::new(),
            timers: BTreeMap::new(),
            posts: BTreeMap::new(),
            summaries: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            evidence: BTreeMap::new(),
            room_log: Vec::new(),
        })
    }

    fn on(disk: Disk) -> Self {
        let inner = Inner {
            disk,
            writes: 0,
            probe: None,
            failures: VecDeque::new(),
            stopped: false,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// A store started on what this one has on disk now, as after a crash. The two share nothing from here on.
    pub fn as_on_disk(&self) -> Self {
        Self::on(self.inner().disk.clone())
    }

    /// Asks `probe` before and after every receive and commit. Where it says `false` the store stops: at
    /// [`Edge::Before`] nothing of the write is kept, at [`Edge::After`] all of it is, and the caller learns of neither.
    pub fn set_probe(&self, probe: impl Fn(Write) -> bool + Send + Sync + 'static) {
        self.inner().probe = Some(Arc::new(probe));
    }

    /// Ends the process at one point.
    pub fn stop_at(&self, point: Write) {
        self.set_probe(move |write| write != point);
    }

    /// The next write answers this error and changes nothing; called again, the one after it too.
    pub fn fail_next(&self, error: Error) {
        self.inner().failures.push_back(error);
    }

    /// Receives and commits begun so far.
    pub fn writes(&self) -> u64 {
        self.inner().writes
    }

    pub fn stopped(&self) -> bool {
        self.inner().stopped
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic in a test's probe leaves the data whole: nothing is changed while a probe runs.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Disk) -> T) -> Result<T, Error> {
        let inner = self.inner();
        if inner.stopped {
            Err(Error::Stopped)
        } else {
            Ok(read(&inner.disk))
        }
    }

    fn write<T>(&self, write: impl FnOnce(&mut Disk) -> Result<T, Error>) -> Result<T, Error> {
        let mut inner = self.inner();
        if inner.stopped {
            return Err(Error::Stopped);
        }
        inner.writes += 1;
        let number = inner.writes;
        inner.pass(Write {
            number,
            edge: Edge::Before,
        })?;
        if let Some(error) = inner.failures.pop_front() {
            return Err(error);
        }
        let written = write(&mut inner.disk);
        inner.pass(Write {
            number,
            edge: Edge::After,
        })?;
        written
    }
}

impl Inner {
    fn pass(&mut self, point: Write) -> Result<(), Error> {
        if let Some(probe) = &self.probe
            && !probe(point)
        {
            self.stopped = true;
            return Err(Error::Stopped);
        }
        Ok(())
    }
}

impl Disk {
    fn waiting(&self, id: InboxId) -> Option<StoredDelivery> {
        let delivery = self.inbox.get(&id)?.delivery.clone();
        Some(StoredDelivery {
            id,
            platform: delivery.platform,
            body: delivery.body,
            received: delivery.received,
            urgent: delivery.urgent,
        })
    }

    fn head(&self, stream: Stream) -> Head {
        match self.journal.get(&stream).and_then(|events| events.last()) {
            Some(last) => Head {
                stream,
                seq: last.seq,
                hash: last.seal.hash,
            },
            None => Head::empty(stream),
        }
    }

    fn receive(&mut self, delivery: Delivery) -> Result<Received, Error> {
        limits::check_delivery(&delivery)?;
        let known = self.inbox.iter().find(|(_, known)| {
            let known = &known.delivery;
            let subject = known.subject_key.is_some() && known.subject_key == delivery.subject_key;
            known.delivery_key == delivery.delivery_key || subject
        });
        if let Some((id, known)) = known {
            let outcome = known.decided.as_ref().map(|(_, outcome)| outcome.clone());
            return Ok(Received::Duplicate(*id, outcome));
        }
        self.ledger.room(delivery.urgent)?;
        let id = self.ledger.next_inbox();
        self.inbox.insert(
            id,
            Inboxed {
                delivery,
                decided: None,
            },
        );
        Ok(Received::Fresh(id))
    }

    fn commit(&mut self, commit: Commit) -> Result<Committed, Error> {
        for append in &commit.appends {
            self.ledger.learn(self.head(append.stream));
        }
        for redaction in &commit.redactions {
            if let Redaction::Event { stream, .. } = redaction {
                self.ledger.learn(self.head(*stream));
            }
        }
        let admitted = self.ledger.admit(&commit)?;
        let mut committed = admitted.committed.clone();
        committed.purged = !commit.redactions.is_empty();
        self.append(&commit, &admitted);
        for done in &commit.inbox_done {
            if let Some(inboxed) = self.inbox.get_mut(&done.inbox) {
                inboxed.delivery.body = String::new();
                inboxed.decided = Some((commit.at, done.outcome.clone()));
            }
        }
        self.outbox(&commit, &committed.effects);
        for cleared in &commit.timers_cleared {
            self.timers.remove(cleared);
        }
        for timer in commit.timers_set {
            self.timers.insert((timer.stream, timer.key.clone()), timer);
        }
        for post in commit.posts {
            match post.message {
                Some(message) => self.posts.insert((post.incident, post.slot), message),
                None => self.posts.remove(&(post.incident, post.slot)),
            };
        }
        for summary in commit.summaries {
            self.summaries.insert(summary.incident, summary);
        }
        for evidence in commit.evidence {
            self.evidence.entry(evidence.sha256).or_insert(evidence);
        }
        for entry in commit.room_log {
            let id = LogId(self.room_log.len() as u64 + 1);
            let after = self.head(Stream::Incident(entry.incident)).seq;
            self.room_log.push(StoredEntry { id, after, entry });
        }
        commit
            .redactions
            .into_iter()
            .for_each(|redaction| self.redact(redaction));
        Ok(committed)
    }

    fn append(&mut self, commit: &Commit, admitted: &Admitted) {
        for (append, seals) in commit.appends.iter().zip(&admitted.seals) {
            let Append { stream, expected, .. } = *append;
            let events = (expected + 1..)
                .zip(append.events.iter().zip(seals))
                .map(|(seq, (event, seal))| StoredEvent {
                    stream,
                    seq,
                    event: event.clone(),
                    redacted: false,
                    seal: *seal,
                });
            self.journal.entry(stream).or_default().extend(events);
            let seqs = (expected + 1..).take(append.events.len());
            self.written.extend(seqs.map(|seq| (stream, seq)));
        }
        self.journal.retain(|_, events| !events.is_empty());
    }

    fn outbox(&mut self, commit: &Commit, ids: &[EffectId]) {
        for id in &commit.effects_claimed {
            if let Some(effect) = self.effects.get_mut(id) {
                effect.claimed = Some(commit.at);
            }
        }
        for retry in &commit.effects_retry {
            if let Some(effect) = self.effects.get_mut(&retry.effect) {
                effect.claimed = None;
                effect.attempts += 1;
                effect.effect.not_before = Some(retry.not_before);
                effect.last_error = Some(retry.error.clone());
            }
        }
        for id in &commit.effects_done {
            self.effects.remove(id);
        }
        for (effect, id) in commit.effects.iter().zip(ids) {
            self.add_effect(*id, effect.clone(), commit.at);
        }
    }

    fn add_effect(&mut self, id: EffectId, effect: NewEffect, created: DateTime<Utc>) {
        let same = self
            .effects
            .values()
            .find(|stored| stored.effect.key == effect.key)
            .map(|stored| stored.id);
        match same {
            Some(_) if !effect.merge => return,
            Some(old) => drop(self.effects.remove(&old)),
            None => {}
        }
        let stored = StoredEffect {
            id,
            effect,
            created,
            claimed: None,
            attempts: 0,
            last_error: None,
        };
        self.effects.insert(id, stored);
    }

    fn redact(&mut self, redaction: Redaction) {
        match redaction {
            Redaction::Event { stream, seq, marker } => {
                let row = self
                    .journal
                    .get_mut(&stream)
                    .into_iter()
                    .flatten()
                    .find(|row| row.seq == seq);
                if let Some(row) = row {
                    row.seal = Seal {
                        salt: Default::default(),
                        ..row.seal
                    };
                    row.event.payload = marker;
                    row.redacted = true;
                }
                self.snapshots.remove(&stream);
            }
            Redaction::Message {
                room,
                message,
                marker,
            } => {
                let versions = self.room_log.iter_mut().map(|stored| &mut stored.entry);
                for entry in versions.filter(|entry| entry.room == room && entry.message == message) {
                    if entry.text.is_some() {
                        entry.text = Some(marker.clone());
                        entry.files = None;
                    }
                }
            }
            Redaction::Evidence { sha256 } => {
                if let Some(evidence) = self.evidence.get_mut(&sha256) {
                    evidence.bytes = Vec::new();
                    evidence.redacted = true;
                }
            }
            Redaction::Delivery { inbox, body } => {
                if let Some(inboxed) = self
                    .inbox
                    .get_mut(&inbox)
                    .filter(|inboxed| inboxed.decided.is_none())
                {
                    inboxed.delivery.body = body;
                }
            }
            Redaction::Outcomes { before, outcome } => {
                let earlier = self.inbox.range_mut(..before);
                for (_, inboxed) in earlier {
                    if let Some((_, told)) = &mut inboxed.decided {
                        told.clone_from(&outcome);
                    }
                }
            }
            Redaction::Effect { effect, body } => {
                if let Some(stored) = self.effects.get_mut(&effect) {
                    stored.effect.body = body;
                }
            }
        }
    }
}
