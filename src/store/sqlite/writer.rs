//! The one task that writes. It takes what waits ([`Queue`] says what of it), writes it in one transaction, and answers
//! everybody after the one commit: sixteen callers share one sync of the disk. It has a thread of its own, so that nobody
//! who has much to do keeps it from going on.
//!
//! Each operation is checked against the [`Ledger`] first, so one that is refused costs the others of its group
//! nothing. When a group fails as a whole, the ledger is read from the disk again and the operations are tried one by
//! one, so that only those fail that cannot be written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch::Batch;
use super::own::Owner;
use super::queue::Queue;
use super::{failed, ns, read};
use crate::store::ledger::Ledger;
use crate::store::{
    Commit, Committed, Delivery, EffectId, Error, InboxId, Received, Redaction, Snapshot, Stream, limits,
};

/// Operations that wait for the writer; whoever comes then waits to be let in. Far more than callers there are.
pub(super) const QUEUE: usize = 1_024;

/// Up to this size the file is rewritten after a redaction, in about half a second, so that nothing is left of what
/// SQLite may have copied inside it before. Larger files have the old bytes overwritten in place only.
const REWRITE_LIMIT: i64 = 64 << 20;

/// How long a redaction waits for readers before it leaves the log to the next one: everybody who writes waits too.
const PURGE_PATIENCE: &str = "PRAGMA busy_timeout = 500";

/// As the connection was opened, [`super::BUSY_TIMEOUT`].
const PATIENCE: &str = "PRAGMA busy_timeout = 5000";

/// Deliveries forgotten in one go, in about 20 ms, because everybody who writes waits for it.
const FORGET: i64 = 5_000;

type Answer<T> = oneshot::Sender<Result<T, Error>>;

pub(super) enum Op {
    Receive(Delivery, Answer<Received>),
    Commit(Box<Commit>, Answer<Committed>),
    Snapshot(Snapshot, Answer<()>),
    Forget(DateTime<Utc>, Answer<u64>),
    Close(Answer<()>),
    /// Lets a test change what the connection may do.
    #[cfg(test)]
    Pragma(&'static str, Answer<()>),
}

enum Reply {
    Received(Result<Received, Error>),
    Committed(Result<Committed, Error>),
    Kept(Result<(), Error>),
}

pub(super) struct Writer {
    pub connection: SqliteConnection,
    pub path: Arc<Path>,
    pub ledger: Ledger,
    /// The ledger may differ from the disk and must be read again first.
    pub stale: bool,
    /// Deliveries that wait, for whoever wants to know.
    pub pending: Arc<AtomicUsize>,
    /// Dropped last: the file is ours until the connection is closed.
    pub owner: Owner,
}

impl Op {
    pub fn is_delivery(&self) -> bool {
        matches!(self, Op::Receive(..))
    }

    /// How many deliveries it decides.
    pub fn decides(&self) -> usize {
        match self {
            Op::Commit(commit, _) => commit.inbox_done.len(),
            _ => 0,
        }
    }
}

impl Writer {
    pub async fn run(mut self, mut queue: Queue) {
        while let Some(group) = queue.next().await {
            let begun = Instant::now();
            let mut together = Vec::with_capacity(group.len());
            let turn = group.iter().any(|op| !op.is_delivery());
            let mut close = None;
            for op in group {
                match op {
                    Op::Receive(..) | Op::Commit(..) | Op::Snapshot(..) => together.push(op),
                    Op::Forget(before, answer) => {
                        let _ = answer.send(self.forget(before).await);
                    }
                    Op::Close(answer) => close = Some(answer),
                    #[cfg(test)]
                    Op::Pragma(sql, answer) => {
                        let done = sqlx::query(sql).execute(&mut self.connection).await;
                        let _ = answer.send(done.map(|_| ()).map_err(|error| failed(sql, &self.path, error)));
                    }
                }
            }
            if !together.is_empty() {
                self.write(together).await;
            }
            if let Some(answer) = close {
                drop(queue);
                let closed = self.connection.close().await;
                drop(self.owner);
                let _ =
                    answer.send(closed.map_err(|error| failed("closing the database", &self.path, error)));
                return;
            }
            if turn {
                queue.turned(begun.elapsed());
            }
        }
        // Nobody holds the store any more.
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database was not closed cleanly; nothing acknowledged is lost");
        }
    }

    async fn write(&mut self, group: Vec<Op>) {
        match self.attempt(&group).await {
            Ok(replies) => group
                .into_iter()
                .zip(replies)
                .for_each(|(op, reply)| answer(op, reply)),
            Err(error) if group.len() == 1 => group.into_iter().for_each(|op| refuse(op, &error)),
            Err(_) => {
                for op in group {
                    match self.attempt(std::slice::from_ref(&op)).await {
                        Ok(mut replies) => {
                            if let Some(reply) = replies.pop() {
                                answer(op, reply);
                            }
                        }
                        Err(error) => refuse(op, &error),
                    }
                }
            }
        }
        self.ledger.trim();
    }

    /// Writes a group whole or not at all.
    async fn attempt(&mut self, group: &[Op]) -> Result<Vec<Reply>, Error> {
        if self.stale {
            self.reload().await?;
        }
        let mut batch = Batch::new();
        let replies = self.fill(group, &mut batch).await;
        let replies = match replies {
            Ok(replies) => replies,
            Err(error) => {
                self.stale = true;
                return Err(error);
            }
        };
        if batch.is_empty() {
            return Ok(replies);
        }
        let (redacts, received) = (batch.redacts(), batch.received());
        match batch.write(&mut self.connection).await {
            Ok(fresh) => {
                let mut replies = match fresh == received {
                    true => replies,
                    false => self.settle(group, replies).await?,
                };
                if redacts {
                    self.purge(group, &mut replies).await;
                }
                self.count();
                Ok(replies)
            }
            Err(error) => {
                self.stale = true;
                // SQLite may have rolled back by itself.
                let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
                Err(failed("writing", &self.path, error))
            }
        }
    }

    /// Checks each operation and adds it to the batch, or replies with a refusal.
    async fn fill(&mut self, group: &[Op], batch: &mut Batch) -> Result<Vec<Reply>, Error> {
        let mut replies = Vec::with_capacity(group.len());
        for op in group {
            replies.push(match op {
                Op::Receive(delivery, _) => Reply::Received(self.take_in(delivery, batch)),
                Op::Commit(commit, _) => {
                    self.learn_heads(commit).await?;
                    Reply::Committed(match self.ledger.admit(commit) {
                        Ok(admitted) => {
                            batch.commit(commit, &admitted);
                            Ok(admitted.committed)
                        }
                        Err(refused) => Err(refused),
                    })
                }
                Op::Snapshot(snapshot, _) => {
                    let checked = limits::check_snapshot(snapshot);
                    if checked.is_ok() {
                        batch.snapshot(snapshot);
                    }
                    Reply::Kept(checked)
                }
                _ => Reply::Kept(Err(Error::invalid(
                    "an operation that is written alone came in a group",
                ))),
            });
        }
        Ok(replies)
    }

    fn take_in(&mut self, delivery: &Delivery, batch: &mut Batch) -> Result<Received, Error> {
        limits::check_delivery(delivery)?;
        self.ledger.room(delivery.urgent)?;
        let id = self.ledger.next_inbox();
        batch.receive(id, delivery);
        Ok(Received::Fresh(id))
    }

    /// After the commit of a group of which not every delivery was new: looks at each.
    async fn settle(&mut self, group: &[Op], replies: Vec<Reply>) -> Result<Vec<Reply>, Error> {
        let mut settled = Vec::with_capacity(replies.len());
        for (op, reply) in group.iter().zip(replies) {
            let (Op::Receive(delivery, _), Reply::Received(Ok(Received::Fresh(id)))) = (op, &reply) else {
                settled.push(reply);
                continue;
            };
            let id = *id;
            let known = read::known(&mut self.connection, &delivery.into()).await;
            let known = known.map_err(|error| failed("looking up a delivery", &self.path, error));
            settled.push(match known {
                Ok(Some(Received::Duplicate(known, _))) if known == id => reply,
                known => {
                    self.ledger.forget_inbox(id);
                    let missing = || Error::invalid("a delivery is neither new nor known");
                    Reply::Received(known.and_then(|known| known.ok_or_else(missing)))
                }
            });
        }
        Ok(settled)
    }

    async fn learn_heads(&mut self, commit: &Commit) -> Result<(), Error> {
        let redacted = commit.redactions.iter().filter_map(|redaction| match redaction {
            Redaction::Event { stream, .. } => Some(*stream),
            _ => None,
        });
        let streams: Vec<Stream> = commit
            .appends
            .iter()
            .map(|append| append.stream)
            .chain(redacted)
            .collect();
        for stream in streams {
            if !self.ledger.knows(stream) {
                let head = read::head(&mut self.connection, stream)
                    .await
                    .map_err(|error| failed("reading the journal", &self.path, error))?;
                self.ledger.learn(head);
            }
        }
        Ok(())
    }

    /// Reads the ledger from the disk.
    pub async fn reload(&mut self) -> Result<(), Error> {
        let read = async {
            let locks = read::locks(&mut self.connection).await?;
            let pending: Vec<(i64,)> = sqlx::query_as("SELECT id FROM inbox_waiting")
                .fetch_all(&mut self.connection)
                .await?;
            let (inbox, effect): (i64, i64) = sqlx::query_as(
                "SELECT coalesce((SELECT max(id) FROM inbox), 0), coalesce((SELECT max(id & ?) FROM outbox), 0)",
            )
            .bind(EffectId::COUNT.cast_signed())
            .fetch_one(&mut self.connection)
            .await?;
            Ok((locks, pending, inbox, effect))
        };
        let (locks, pending, inbox, effect) = read
            .await
            .map_err(|error: sqlx::Error| failed("reading the database", &self.path, error))?;
        let pending: BTreeSet<InboxId> = pending
            .into_iter()
            .map(|(id,)| InboxId(id.unsigned_abs()))
            .collect();
        self.ledger
            .reset(locks, pending, inbox.unsigned_abs(), effect.unsigned_abs());
        self.count();
        self.stale = false;
        Ok(())
    }

    /// Before anybody is answered, so that whoever asks then is told the new number.
    fn count(&self) {
        self.pending.store(self.ledger.pending().len(), Ordering::Relaxed);
    }

    async fn forget(&mut self, before: DateTime<Utc>) -> Result<u64, Error> {
        // Deliveries are decided about in order, so the oldest rows are looked at and no others, however many there are. The
        // newest row stays, so that its id is not given out again.
        let sql = "DELETE FROM inbox WHERE id IN (SELECT id FROM (SELECT id, decided FROM inbox ORDER BY id LIMIT ?2) \
                   WHERE decided < ?1) AND id < (SELECT max(id) FROM inbox)";
        let done = sqlx::query(sql)
            .bind(ns(before))
            .bind(FORGET)
            .execute(&mut self.connection)
            .await;
        done.map(|done| done.rows_affected())
            .map_err(|error| failed("forgetting deliveries", &self.path, error))
    }

    /// Empties the log, which still holds the pages as they were before a redaction.
    async fn purge(&mut self, group: &[Op], replies: &mut [Reply]) {
        let purged = match self.try_purge().await {
            Ok(purged) => purged,
            Err(error) => {
                tracing::warn!(%error, "a redaction is written, but old bytes may still be in the file's log");
                false
            }
        };
        for (op, reply) in group.iter().zip(replies) {
            if let (Op::Commit(commit, _), Reply::Committed(Ok(committed))) = (op, reply) {
                committed.purged = purged && !commit.redactions.is_empty();
            }
        }
    }

    async fn try_purge(&mut self) -> Result<bool, sqlx::Error> {
        let (size,): (i64,) =
            sqlx::query_as("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
                .fetch_one(&mut self.connection)
                .await?;
        sqlx::query(PURGE_PATIENCE).execute(&mut self.connection).await?;
        let rewritten = if size <= REWRITE_LIMIT {
            sqlx::query("VACUUM")
                .execute(&mut self.connection)
                .await
                .map(|_| ())
        } else {
            Ok(())
        };
        let emptied = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut self.connection)
            .await;
        sqlx::query(PATIENCE).execute(&mut self.connection).await?;
        let (busy, _, _): (i64, i64, i64) = emptied?;
        rewritten.map(|()| busy == 0)
    }
}

fn answer(op: Op, reply: Reply) {
    // Whoever went away without waiting gets no answer; what was written stays written.
    match (op, reply) {
        (Op::Receive(_, to), Reply::Received(reply)) => drop(to.send(reply)),
        (Op::Commit(_, to), Reply::Committed(reply)) => drop(to.send(reply)),
        (Op::Snapshot(_, to), Reply::Kept(reply)) => drop(to.send(reply)),
        (op, _) => refuse(
            op,
            &Error::invalid("an operation was answered in another's words"),
        ),
    }
}

fn refuse(op: Op, error: &Error) {
    match op {
        Op::Receive(_, to) => drop(to.send(Err(error.clone()))),
        Op::Commit(_, to) => drop(to.send(Err(error.clone()))),
        Op::Snapshot(_, to) | Op::Close(to) => drop(to.send(Err(error.clone()))),
        Op::Forget(_, to) => drop(to.send(Err(error.clone()))),
        #[cfg(test)]
        Op::Pragma(_, to) => drop(to.send(Err(error.clone()))),
    }
}
