//! The one thread that writes. It takes what waits ([`Queue`] says what of it), writes it in one transaction, and answers
//! everybody after the one commit: sixteen callers share one sync of the disk. Nobody who has much to do keeps it from going
//! on, and SQLite runs on it, too: handing each group over to another thread and back took as long as writing it.
//!
//! Each operation is checked against the [`Ledger`] first, so one that is refused costs the others of its group
//! nothing. When a group fails as a whole, the ledger is read from the disk again and the operations are tried one by
//! one, so that only those fail that cannot be written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Result as Written};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::own::Owner;
use super::queue::Queue;
use super::{BUSY_TIMEOUT, failed, ns, write};
use crate::store::ledger::Ledger;
use crate::store::{Commit, Committed, Delivery, Error, InboxId, Received, Redaction, Snapshot, limits};

/// Operations that wait for the writer; whoever comes then waits to be let in. Far more than callers there are.
pub(super) const QUEUE: usize = 1_024;

/// Up to this size the file is rewritten after a redaction, in about half a second, so that nothing is left of what
/// SQLite may have copied inside it before. Larger files have the old bytes overwritten in place only.
const REWRITE_LIMIT: i64 = 64 << 20;

/// How long a redaction waits for readers before it leaves the log to the next one: everybody who writes waits too.
const PURGE_PATIENCE: Duration = Duration::from_millis(500);

/// Deliveries forgotten in one go, in about 20 ms, because everybody who writes waits for it.
const FORGET: i64 = 5_000;

type Answer<T> = oneshot::Sender<Result<T, Error>>;

pub(super) enum Op {
    Receive(Delivery, Answer<Received>),
    Commit(Box<Commit>, Answer<Committed>),
    Snapshot(Snapshot, Answer<()>),
    Forget(DateTime<Utc>, Answer<u64>),
    TryWrite(Answer<()>),
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
    pub connection: Connection,
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
                    Op::Forget(before, answer) => drop(answer.send(self.forget(before))),
                    Op::TryWrite(answer) => drop(answer.send(self.try_write())),
                    Op::Close(answer) => close = Some(answer),
                    #[cfg(test)]
                    Op::Pragma(sql, answer) => {
                        let done = self.connection.execute_batch(sql);
                        let _ = answer.send(done.map_err(|error| failed(sql, &self.path, error)));
                    }
                }
            }
            if !together.is_empty() {
                self.write(together);
            }
            if let Some(answer) = close {
                drop(queue);
                let closed = self.connection.close();
                drop(self.owner);
                let closed = closed.map_err(|(_, error)| failed("closing the database", &self.path, error));
                let _ = answer.send(closed);
                return;
            }
            if turn {
                queue.turned(begun.elapsed());
            }
        }
        // Nobody holds the store any more.
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the database was not closed cleanly; nothing acknowledged is lost");
        }
    }

    fn write(&mut self, group: Vec<Op>) {
        match self.attempt(&group) {
            Ok(replies) => group
                .into_iter()
                .zip(replies)
                .for_each(|(op, reply)| answer(op, reply)),
            Err(error) if group.len() == 1 => group.into_iter().for_each(|op| refuse(op, &error)),
            Err(_) => {
                for op in group {
                    match self.attempt(std::slice::from_ref(&op)) {
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
    fn attempt(&mut self, group: &[Op]) -> Result<Vec<Reply>, Error> {
        if self.stale {
            self.reload()?;
        }
        match self.transact(group) {
            Ok(mut replies) => {
                self.purge(group, &mut replies);
                self.count();
                Ok(replies)
            }
            Err(error) => {
                self.stale = true;
                // SQLite may have rolled back by itself.
                let _ = self.connection.execute_batch("ROLLBACK");
                Err(failed("writing", &self.path, error))
            }
        }
    }

    /// Returns once all of it is durable. After an error the transaction may still be open.
    fn transact(&mut self, group: &[Op]) -> Written<Vec<Reply>> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut replies = Vec::with_capacity(group.len());
        for op in group {
            replies.push(match op {
                Op::Receive(delivery, _) => Reply::Received(self.take_in(delivery)?),
                Op::Commit(commit, _) => Reply::Committed(self.commit(commit)?),
                Op::Snapshot(snapshot, _) => {
                    let checked = limits::check_snapshot(snapshot);
                    if checked.is_ok() {
                        write::snapshot(&self.connection, snapshot)?;
                    }
                    Reply::Kept(checked)
                }
                _ => Reply::Kept(Err(Error::invalid(
                    "an operation that is written alone came in a group",
                ))),
            });
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(replies)
    }

    fn take_in(&mut self, delivery: &Delivery) -> Written<Result<Received, Error>> {
        let fits = limits::check_delivery(delivery).and_then(|()| self.ledger.room(delivery.urgent));
        if let Err(refused) = fits {
            return Ok(Err(refused));
        }
        let id = self.ledger.next_inbox();
        if write::receive(&self.connection, id, delivery)? {
            return Ok(Ok(Received::Fresh(id)));
        }
        self.ledger.forget_inbox(id);
        let known = write::known(&self.connection, delivery)?;
        Ok(known.ok_or_else(|| Error::invalid("a delivery is neither new nor known")))
    }

    fn commit(&mut self, commit: &Commit) -> Written<Result<Committed, Error>> {
        let redacted = commit.redactions.iter().filter_map(|redaction| match redaction {
            Redaction::Event { stream, .. } => Some(*stream),
            _ => None,
        });
        let streams = commit.appends.iter().map(|append| append.stream);
        for stream in streams.chain(redacted) {
            if !self.ledger.knows(stream) {
                self.ledger.learn(write::head(&self.connection, stream)?);
            }
        }
        let admitted = match self.ledger.admit(commit) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused)),
        };
        write::commit(&self.connection, commit, &admitted)?;
        Ok(Ok(admitted.committed))
    }

    /// Reads the ledger from the disk.
    pub fn reload(&mut self) -> Result<(), Error> {
        let read = || {
            let of = &self.connection;
            let pending: BTreeSet<InboxId> = write::waiting(of)?.into_iter().collect();
            Ok((write::locks(of)?, pending, write::last_ids(of)?))
        };
        let (locks, pending, (inbox, effect)) =
            read().map_err(|error: rusqlite::Error| failed("reading the database", &self.path, error))?;
        self.ledger.reset(locks, pending, inbox, effect);
        self.count();
        self.stale = false;
        Ok(())
    }

    /// Before anybody is answered, so that whoever asks then is told the new number.
    fn count(&self) {
        self.pending.store(self.ledger.pending().len(), Ordering::Relaxed);
    }

    fn forget(&mut self, before: DateTime<Utc>) -> Result<u64, Error> {
        let mut forget = || {
            let transaction = self.connection.transaction()?;
            let forgotten = write::forget(&transaction, ns(before), FORGET)?;
            transaction.commit()?;
            Ok(forgotten as u64)
        };
        forget().map_err(|error: rusqlite::Error| failed("forgetting deliveries", &self.path, error))
    }

    /// Writes the version of the schema that stands there: SQLite writes and syncs the page it is on.
    fn try_write(&self) -> Result<(), Error> {
        let of = &self.connection;
        let write = || {
            let version: i64 = of.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            of.pragma_update(None, "user_version", version)
        };
        write().map_err(|error: rusqlite::Error| failed("writing", &self.path, error))
    }

    /// Empties the log after a redaction, which still holds the pages as they were before.
    fn purge(&self, group: &[Op], replies: &mut [Reply]) {
        let mut redacted: Vec<&mut Committed> = group
            .iter()
            .zip(replies)
            .filter_map(|written| match written {
                (Op::Commit(commit, _), Reply::Committed(Ok(committed))) => {
                    (!commit.redactions.is_empty()).then_some(committed)
                }
                _ => None,
            })
            .collect();
        if redacted.is_empty() {
            return;
        }
        let purged = self.try_purge().unwrap_or_else(|error| {
            tracing::warn!(%error, "a redaction is written, but old bytes may still be in the file's log");
            false
        });
        redacted
            .iter_mut()
            .for_each(|committed| committed.purged = purged);
    }

    fn try_purge(&self) -> Written<bool> {
        let of = &self.connection;
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let size: i64 = of.query_row(sql, [], |row| row.get(0))?;
        of.busy_timeout(PURGE_PATIENCE)?;
        let rewritten = match size <= REWRITE_LIMIT {
            true => of.execute_batch("VACUUM"),
            false => Ok(()),
        };
        let busy = of.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        of.busy_timeout(BUSY_TIMEOUT)?;
        let busy = busy?;
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
        Op::Snapshot(_, to) | Op::TryWrite(to) | Op::Close(to) => drop(to.send(Err(error.clone()))),
        Op::Forget(_, to) => drop(to.send(Err(error.clone()))),
        #[cfg(test)]
        Op::Pragma(_, to) => drop(to.send(Err(error.clone()))),
    }
}
