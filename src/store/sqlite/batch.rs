//! The rows of one group of operations, and how they are written in few round trips: the tables that nearly every group
//! touches go into a single text that also opens and ends the transaction.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::ns;
use super::rows::Rows;
use super::statements::*;
use crate::store::chain::Seal;
use crate::store::ledger::Admitted;
use crate::store::{
    Commit, Delivery, EffectId, Evidence, InboxId, Lock, NewEvent, Post, Redaction, Snapshot, Stream,
    Summary, Timer,
};

/// Everything one group writes. Where two commits of a group touch the same timer, lock, slot or summary, the later
/// one counts; the rest is written in the order of the commits.
pub(super) struct Batch {
    receive: Rows,
    wait: Rows,
    events: Rows,
    decide: Rows,
    wait_no_more: Rows,
    effects: Rows,
    effects_done: Rows,
    effects_claimed: Rows,
    effects_retry: Rows,
    room_log: Rows,
    timers: BTreeMap<(Stream, String), Option<Timer>>,
    locks: BTreeMap<String, Option<Lock>>,
    posts: BTreeMap<(u64, String), Post>,
    summaries: BTreeMap<u64, Summary>,
    evidence: Vec<Evidence>,
    snapshots: Vec<Snapshot>,
    redactions: Vec<Redaction>,
    empty: bool,
}

impl Batch {
    pub fn new() -> Self {
        Self {
            receive: Rows::of(&RECEIVE),
            wait: Rows::of(&WAIT),
            events: Rows::of(&EVENTS),
            decide: Rows::of(&DECIDE),
            wait_no_more: Rows::of(&WAIT_NO_MORE),
            effects: Rows::of(&EFFECTS),
            effects_done: Rows::of(&EFFECTS_DONE),
            effects_claimed: Rows::of(&EFFECTS_CLAIMED),
            effects_retry: Rows::of(&EFFECTS_RETRY),
            room_log: Rows::of(&ROOM_LOG),
            timers: BTreeMap::new(),
            locks: BTreeMap::new(),
            posts: BTreeMap::new(),
            summaries: BTreeMap::new(),
            evidence: Vec::new(),
            snapshots: Vec::new(),
            redactions: Vec::new(),
            empty: true,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.empty
    }

    pub fn redacts(&self) -> bool {
        !self.redactions.is_empty()
    }

    pub fn receive(&mut self, id: InboxId, delivery: &Delivery) {
        self.empty = false;
        self.receive.push([
            id.0.into(),
            (&delivery.delivery_key).into(),
            delivery.subject_key.as_ref().into(),
            (&delivery.platform).into(),
            ns(delivery.received).into(),
        ]);
        self.wait
            .push([id.0.into(), delivery.urgent.into(), (&delivery.body).into()]);
    }

    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        self.empty = false;
        self.snapshots.push(snapshot.clone());
    }

    pub fn commit(&mut self, commit: &Commit, admitted: &Admitted) {
        self.empty = false;
        for (append, seals) in commit.appends.iter().zip(&admitted.seals) {
            for (seq, (event, seal)) in (append.expected + 1..).zip(append.events.iter().zip(seals)) {
                self.event(append.stream, seq, event, seal);
            }
        }
        for done in &commit.inbox_done {
            self.decide
                .push([done.inbox.0.into(), ns(commit.at).into(), (&done.outcome).into()]);
            self.wait_no_more.push([done.inbox.0.into()]);
        }
        self.outbox(commit, &admitted.committed.effects);
        self.room_log(commit);
        for cleared in &commit.timers_cleared {
            self.timers.insert(cleared.clone(), None);
        }
        for timer in &commit.timers_set {
            self.timers
                .insert((timer.stream, timer.key.clone()), Some(timer.clone()));
        }
        for target in &admitted.released {
            self.locks.insert(target.clone(), None);
        }
        for lock in &commit.locks_taken {
            self.locks.insert(lock.target.clone(), Some(lock.clone()));
        }
        for post in &commit.posts {
            self.posts
                .insert((post.incident.0, post.slot.clone()), post.clone());
        }
        for summary in &commit.summaries {
            self.summaries.insert(summary.incident.0, summary.clone());
        }
        self.evidence.extend(commit.evidence.iter().cloned());
        self.redactions.extend(commit.redactions.iter().cloned());
    }

    fn event(&mut self, stream: Stream, seq: u64, event: &NewEvent, seal: &Seal) {
        self.events.push([
            stream.number().into(),
            seq.into(),
            (&event.kind).into(),
            i64::from(event.version).into(),
            ns(event.recorded).into(),
            ns(event.occurred).into(),
            (&event.source).into(),
            (&event.by).into(),
            (&event.payload).into(),
            seal.salt[..].into(),
            seal.digest.0[..].into(),
            seal.previous.0[..].into(),
            seal.hash.0[..].into(),
        ]);
    }

    fn outbox(&mut self, commit: &Commit, ids: &[EffectId]) {
        for (effect, id) in commit.effects.iter().zip(ids) {
            self.effects.push([
                id.0.into(),
                (&effect.key).into(),
                effect.merge.into(),
                (&effect.channel).into(),
                (&effect.body).into(),
                ns(commit.at).into(),
                effect.not_before.map(ns).into(),
                effect.deadline.map(ns).into(),
            ]);
        }
        for id in &commit.effects_claimed {
            self.effects_claimed.push([id.0.into(), ns(commit.at).into()]);
        }
        for retry in &commit.effects_retry {
            self.effects_retry.push([
                retry.effect.0.into(),
                ns(retry.not_before).into(),
                (&retry.error).into(),
            ]);
        }
        for id in &commit.effects_done {
            self.effects_done.push([id.0.into()]);
        }
    }

    fn room_log(&mut self, commit: &Commit) {
        for entry in &commit.room_log {
            self.room_log.push([
                entry.incident.0.into(),
                (&entry.room).into(),
                (&entry.message).into(),
                entry.thread.as_ref().into(),
                (&entry.author).into(),
                ns(entry.at).into(),
                ns(entry.recorded).into(),
                entry.text.as_ref().into(),
                entry.files.as_ref().into(),
            ]);
        }
    }

    /// How many deliveries it has.
    pub fn received(&self) -> usize {
        self.receive.len()
    }

    /// Writes everything in one transaction and returns once it is durable, with the number of deliveries that were
    /// new. After an error the transaction may still be open.
    pub async fn write(mut self, connection: &mut SqliteConnection) -> Result<usize, sqlx::Error> {
        let mut tables = self.rare();
        let blobs = !(self.evidence.is_empty() && self.snapshots.is_empty() && self.redactions.is_empty());
        tables.extend([
            self.receive,
            self.wait,
            self.events,
            self.decide,
            self.wait_no_more,
            // Done before new: the key of a finished effect is free again.
            self.effects_done,
            self.effects,
        ]);
        if !blobs && tables.iter().all(|rows| rows.len() <= LARGEST) {
            return write_together(&mut tables, connection, "BEGIN IMMEDIATE;", "COMMIT;").await;
        }

        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        write_blobs(connection, self.evidence, self.snapshots).await?;
        let mut fresh = 0;
        for rows in &mut tables {
            while rows.len() > LARGEST {
                fresh += write_one(rows, connection).await?;
            }
        }
        fresh += write_together(&mut tables, connection, "", "").await?;
        // Last, so that a commit may redact what an earlier one of its group wrote.
        for redaction in &self.redactions {
            redact(connection, redaction).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(fresh)
    }

    /// Statements that a group seldom needs; those without rows are left out.
    fn rare(&mut self) -> Vec<Rows> {
        let mut timers = [Rows::of(&TIMERS_CLEARED), Rows::of(&TIMERS_SET)];
        for ((stream, key), timer) in &self.timers {
            match timer {
                None => timers[0].push([stream.number().into(), key.into()]),
                Some(timer) => {
                    let due = ns(timer.due).into();
                    timers[1].push([stream.number().into(), key.into(), due, (&timer.body).into()]);
                }
            }
        }
        let mut locks = [Rows::of(&LOCKS_RELEASED), Rows::of(&LOCKS_TAKEN)];
        for (target, lock) in &self.locks {
            locks[0].push([target.into()]);
            if let Some(lock) = lock {
                locks[1].push([
                    target.into(),
                    lock.incident.0.into(),
                    i64::from(lock.attempt.0).into(),
                ]);
            }
        }
        let mut posts = [Rows::of(&POSTS_FORGOTTEN), Rows::of(&POSTS)];
        for ((incident, slot), post) in &self.posts {
            match &post.message {
                None => posts[0].push([(*incident).into(), slot.into()]),
                Some(message) => posts[1].push([(*incident).into(), slot.into(), message.into()]),
            }
        }
        let mut summaries = Rows::of(&SUMMARIES);
        for (number, summary) in &self.summaries {
            let (open, private) = (summary.open.into(), summary.private.into());
            summaries.push([(*number).into(), open, private, (&summary.body).into()]);
        }
        let claimed = std::mem::replace(&mut self.effects_claimed, Rows::of(&EFFECTS_CLAIMED));
        let retry = std::mem::replace(&mut self.effects_retry, Rows::of(&EFFECTS_RETRY));
        let room_log = std::mem::replace(&mut self.room_log, Rows::of(&ROOM_LOG));
        let all = timers
            .into_iter()
            .chain(locks)
            .chain(posts)
            .chain([summaries, claimed, retry, room_log]);
        all.filter(|rows| !rows.is_empty()).collect()
    }
}

/// All tables in one round trip: handing over to the connection's thread and back takes longer than a few rows.
async fn write_together(
    tables: &mut [Rows],
    connection: &mut SqliteConnection,
    begin: &str,
    end: &str,
) -> Result<usize, sqlx::Error> {
    let mut text = String::with_capacity(4_096);
    let mut arguments = SqliteArguments::default();
    text.push_str(begin);
    for rows in tables.iter_mut().filter(|rows| !rows.is_empty()) {
        rows.take(&mut text, &mut arguments)?;
    }
    text.push_str(end);
    if text.is_empty() {
        Ok(0)
    } else {
        run(text, arguments, connection).await
    }
}

async fn write_one(rows: &mut Rows, connection: &mut SqliteConnection) -> Result<usize, sqlx::Error> {
    let mut text = String::with_capacity(4_096);
    let mut arguments = SqliteArguments::default();
    rows.take(&mut text, &mut arguments)?;
    run(text, arguments, connection).await
}

/// Runs text that was joined from the constants of [`super::statements`] only.
async fn run(
    text: String,
    arguments: SqliteArguments,
    connection: &mut SqliteConnection,
) -> Result<usize, sqlx::Error> {
    let fresh: Vec<(i64,)> = sqlx::query_as_with(AssertSqlSafe(text), arguments)
        .fetch_all(connection)
        .await?;
    let fresh = fresh
        .into_iter()
        .map(|(fresh,)| usize::try_from(fresh).unwrap_or_default());
    Ok(fresh.sum())
}

async fn write_blobs(
    connection: &mut SqliteConnection,
    evidence: Vec<Evidence>,
    snapshots: Vec<Snapshot>,
) -> Result<(), sqlx::Error> {
    for evidence in evidence {
        sqlx::query(EVIDENCE)
            .bind(evidence.sha256.0.to_vec())
            .bind(evidence.incident.0.cast_signed())
            .bind(evidence.media_type)
            .bind(evidence.bytes)
            .execute(&mut *connection)
            .await?;
    }
    for snapshot in snapshots {
        sqlx::query(SNAPSHOT)
            .bind(snapshot.stream.number().cast_signed())
            .bind(snapshot.seq.cast_signed())
            .bind(snapshot.version)
            .bind(snapshot.bytes)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn redact(connection: &mut SqliteConnection, redaction: &Redaction) -> Result<(), sqlx::Error> {
    match redaction {
        Redaction::Event { stream, seq, marker } => {
            let (stream, seq) = (stream.number().cast_signed(), seq.cast_signed());
            let (bytes,): (i64,) = sqlx::query_as(PAYLOAD_LENGTH)
                .bind(stream)
                .bind(seq)
                .fetch_one(&mut *connection)
                .await?;
            // As long as the original, the row is overwritten where it stands and its bytes are gone for sure.
            let missing = usize::try_from(bytes)
                .unwrap_or_default()
                .saturating_sub(marker.len());
            let padded = format!("{marker}{}", " ".repeat(missing));
            sqlx::query(REDACT_EVENT)
                .bind(padded)
                .bind(stream)
                .bind(seq)
                .execute(&mut *connection)
                .await?;
            sqlx::query("DELETE FROM snapshots WHERE stream = ?")
                .bind(stream)
                .execute(connection)
                .await?;
        }
        Redaction::Message {
            room,
            message,
            marker,
        } => {
            sqlx::query(REDACT_MESSAGE)
                .bind(marker)
                .bind(room)
                .bind(message)
                .execute(connection)
                .await?;
        }
        Redaction::Evidence { sha256 } => {
            sqlx::query(REDACT_EVIDENCE)
                .bind(sha256.0.to_vec())
                .execute(connection)
                .await?;
        }
        Redaction::Delivery { inbox, body } => {
            sqlx::query(REDACT_DELIVERY)
                .bind(body)
                .bind(inbox.0.cast_signed())
                .execute(connection)
                .await?;
        }
        Redaction::Outcomes { before, outcome } => {
            sqlx::query(REDACT_OUTCOMES)
                .bind(outcome)
                .bind(before.0.cast_signed())
                .execute(connection)
                .await?;
        }
        Redaction::Effect { effect, body } => {
            sqlx::query(REDACT_EFFECT)
                .bind(body)
                .bind(effect.0.cast_signed())
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}
