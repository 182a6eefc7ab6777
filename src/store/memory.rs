//! The store in memory: the same rules, no disk. For tests, which can stop it at any write and start again on what
//! would then be on the disk.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::chain::Seal;
use super::ledger::{Admitted, Ledger};
use super::{
    Append, Commit, Committed, Delivery, Depths, EffectId, Error, Evidence, Hash, Head, InboxId, Lock, LogId,
    NewEffect, Post, Received, Redaction, Salts, Snapshot, Store, StoredDelivery, StoredEffect, StoredEntry,
    StoredEvent, Stream, Summary, Timer, Which, limits,
};
use crate::incident::IncidentId;

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
        Self::new(Salts::Counted(0))
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
    pub fn new(salts: Salts) -> Self {
        Self::on(Disk {
            ledger: Ledger::new(salts),
            journal: BTreeMap::new(),
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
        if let Some(done) = &commit.inbox_done
            && let Some(inboxed) = self.inbox.get_mut(&done.inbox)
        {
            inboxed.delivery.body = String::new();
            inboxed.decided = Some((commit.at, done.outcome.clone()));
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
            self.room_log.push(StoredEntry { id, entry });
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
            Redaction::Effect { effect, body } => {
                if let Some(stored) = self.effects.get_mut(&effect) {
                    stored.effect.body = body;
                }
            }
        }
    }
}

#[async_trait]
impl Store for Memory {
    async fn receive(&self, delivery: Delivery) -> Result<Received, Error> {
        self.write(|disk| disk.receive(delivery))
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        self.write(|disk| disk.commit(commit))
    }

    async fn pending(&self, after: InboxId, limit: usize) -> Result<Vec<StoredDelivery>, Error> {
        self.read(|disk| {
            let waiting = disk.ledger.pending().iter().filter(|id| **id > after).take(limit);
            let stored =
                waiting.filter_map(|id| disk.inbox.get(id).map(|inboxed| (*id, inboxed.delivery.clone())));
            stored
                .map(|(id, delivery)| StoredDelivery {
                    id,
                    platform: delivery.platform,
                    body: delivery.body,
                    received: delivery.received,
                    urgent: delivery.urgent,
                })
                .collect()
        })
    }

    async fn outcome(&self, inbox: InboxId) -> Result<Option<String>, Error> {
        self.read(|disk| {
            disk.inbox
                .get(&inbox)?
                .decided
                .as_ref()
                .map(|(_, outcome)| outcome.clone())
        })
    }

    async fn forget_deliveries(&self, decided_before: DateTime<Utc>) -> Result<u64, Error> {
        let mut inner = self.inner();
        let inbox = &mut inner.disk.inbox;
        let before = inbox.len();
        let newest = inbox.keys().next_back().copied();
        inbox.retain(|id, inboxed| {
            Some(*id) == newest
                || inboxed
                    .decided
                    .as_ref()
                    .is_none_or(|(at, _)| *at >= decided_before)
        });
        Ok((before - inbox.len()) as u64)
    }

    async fn streams(&self) -> Result<Vec<Stream>, Error> {
        self.read(|disk| disk.journal.keys().copied().collect())
    }

    async fn head(&self, stream: Stream) -> Result<Head, Error> {
        self.read(|disk| disk.head(stream))
    }

    async fn events(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<StoredEvent>, Error> {
        self.read(|disk| {
            let events = disk.journal.get(&stream).into_iter().flatten();
            events
                .filter(|row| row.seq > after)
                .take(limit)
                .cloned()
                .collect()
        })
    }

    async fn snapshot(&self, stream: Stream) -> Result<Option<Snapshot>, Error> {
        self.read(|disk| disk.snapshots.get(&stream).cloned())
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), Error> {
        limits::check_snapshot(&snapshot)?;
        let mut inner = self.inner();
        if inner.stopped {
            return Err(Error::Stopped);
        }
        inner.disk.snapshots.insert(snapshot.stream, snapshot);
        Ok(())
    }

    async fn summaries(
        &self,
        which: Which,
        before: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<Summary>, Error> {
        self.read(|disk| {
            let below = disk
                .summaries
                .values()
                .rev()
                .filter(|one| before.is_none_or(|id| one.incident < id));
            below
                .filter(|one| which == Which::All || one.open)
                .take(limit)
                .cloned()
                .collect()
        })
    }

    async fn summary(&self, incident: IncidentId) -> Result<Option<Summary>, Error> {
        self.read(|disk| disk.summaries.get(&incident).cloned())
    }

    async fn due_effects(
        &self,
        now: DateTime<Utc>,
        busy: &[String],
        limit: usize,
    ) -> Result<Vec<StoredEffect>, Error> {
        self.read(|disk| {
            let due = disk.effects.values().filter(|stored| {
                let effect = &stored.effect;
                effect.not_before.is_none_or(|at| at <= now) && !busy.contains(&effect.channel)
            });
            let mut due: Vec<StoredEffect> = due.cloned().collect();
            due.sort_by_key(|stored| (stored.effect.lane, stored.id));
            due.truncate(limit);
            due
        })
    }

    async fn next_effect(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        self.read(|disk| {
            disk.effects
                .values()
                .filter_map(|stored| stored.effect.not_before)
                .filter(|at| *at > now)
                .min()
        })
    }

    async fn depths(&self) -> Result<Depths, Error> {
        self.read(|disk| Depths {
            inbox: disk.ledger.pending().len() as u64,
            outbox: disk.effects.len() as u64,
            oldest_effect: disk.effects.values().map(|stored| stored.created).min(),
        })
    }

    async fn due_timers(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Timer>, Error> {
        self.read(|disk| {
            let mut due: Vec<Timer> = disk
                .timers
                .values()
                .filter(|timer| timer.due <= now)
                .cloned()
                .collect();
            due.sort_by_key(|timer| timer.due);
            due.truncate(limit);
            due
        })
    }

    async fn next_timer(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.read(|disk| disk.timers.values().map(|timer| timer.due).min())
    }

    async fn timers(&self, stream: Stream) -> Result<Vec<Timer>, Error> {
        self.read(|disk| {
            disk.timers
                .values()
                .filter(|timer| timer.stream == stream)
                .cloned()
                .collect()
        })
    }

    async fn locks(&self) -> Result<Vec<Lock>, Error> {
        self.read(|disk| disk.ledger.locks().cloned().collect())
    }

    async fn posts(&self, incident: IncidentId) -> Result<Vec<Post>, Error> {
        self.read(|disk| disk.posts().filter(|post| post.incident == incident).collect())
    }

    async fn shown_by(&self, message: &str) -> Result<Option<Post>, Error> {
        self.read(|disk| disk.posts().find(|post| post.message.as_deref() == Some(message)))
    }

    async fn evidence(&self, sha256: Hash) -> Result<Option<Evidence>, Error> {
        self.read(|disk| disk.evidence.get(&sha256).cloned())
    }

    async fn room_log(
        &self,
        incident: IncidentId,
        after: LogId,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        self.read(|disk| {
            let entries = disk
                .room_log
                .iter()
                .filter(|one| one.entry.incident == incident && one.id > after);
            entries.take(limit).cloned().collect()
        })
    }

    async fn room_since(
        &self,
        room: &str,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        self.read(|disk| {
            let entries = disk
                .room_log
                .iter()
                .filter(|one| one.entry.room == room && one.entry.at >= since);
            let mut entries: Vec<StoredEntry> = entries.cloned().collect();
            entries.sort_by_key(|one| one.entry.at);
            entries.truncate(limit);
            entries
        })
    }

    async fn versions(&self, room: &str, message: &str) -> Result<Vec<StoredEntry>, Error> {
        self.read(|disk| {
            let entries = disk.room_log.iter();
            entries
                .filter(|one| one.entry.room == room && one.entry.message == message)
                .cloned()
                .collect()
        })
    }

    async fn close(&self) -> Result<(), Error> {
        self.inner().stopped = true;
        Ok(())
    }
}

impl Disk {
    fn posts(&self) -> impl Iterator<Item = Post> {
        self.posts.iter().map(|((incident, slot), message)| Post {
            incident: *incident,
            slot: slot.clone(),
            message: Some(message.clone()),
        })
    }
}
