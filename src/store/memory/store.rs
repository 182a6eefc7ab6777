//! The trait on the store in memory: reading is filtering.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Disk, Memory};
use crate::incident::IncidentId;
use crate::store::{
    Commit, Committed, Delivery, Depths, EffectId, Error, Evidence, Hash, Head, InboxId, Lock, LogId, Post,
    Received, Snapshot, Store, StoredDelivery, StoredEffect, StoredEntry, StoredEvent, Stream, Summary,
    Timer, Which, limits,
};

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
            waiting.filter_map(|id| disk.waiting(*id)).collect()
        })
    }

    async fn waiting(&self, ids: &[InboxId]) -> Result<Vec<StoredDelivery>, Error> {
        self.read(|disk| {
            let ids: BTreeSet<_> = ids.iter().copied().collect();
            let waiting = ids.intersection(disk.ledger.pending());
            waiting.filter_map(|id| disk.waiting(*id)).collect()
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

    async fn try_write(&self) -> Result<(), Error> {
        self.write(|_| Ok(()))
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

    async fn effects(&self, ids: &[EffectId]) -> Result<Vec<StoredEffect>, Error> {
        self.read(|disk| {
            let asked = disk.effects.values().filter(|stored| ids.contains(&stored.id));
            let mut asked: Vec<StoredEffect> = asked.cloned().collect();
            asked.sort_by_key(|stored| stored.id);
            asked
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

    async fn post(&self, incident: IncidentId, slot: &str) -> Result<Option<Post>, Error> {
        self.read(|disk| {
            disk.posts()
                .find(|post| post.incident == incident && post.slot == slot)
        })
    }

    async fn shown_by(&self, message: &str) -> Result<Option<Post>, Error> {
        self.read(|disk| disk.posts().find(|post| post.message.as_deref() == Some(message)))
    }

    async fn evidence(&self, sha256: Hash) -> Result<Option<Evidence>, Error> {
        self.read(|disk| disk.evidence.get(&sha256).cloned())
    }

    async fn written_before(&self, stream: Stream, other: Stream, seq: u64) -> Result<u64, Error> {
        self.read(|disk| {
            let earlier = disk.written.iter().take_while(|one| **one != (other, seq));
            let of_stream = earlier.filter(|one| one.0 == stream).last();
            of_stream.map_or(0, |one| one.1)
        })
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
            let mut versions: Vec<StoredEntry> = entries
                .filter(|one| one.entry.room == room && one.entry.message == message)
                .cloned()
                .collect();
            versions.sort_by_key(|one| (one.entry.recorded, one.id));
            versions
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
