//! The rows of one group of commits, and the SQL that writes them in few round trips.
//!
//! Each table takes its rows as one JSON array through `json_each`, so the text of a statement does not depend on the
//! number of rows and stays prepared. The tables that nearly every group touches go into a single text that also
//! opens and ends the transaction: one round trip to the connection's thread.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, SqliteConnection};

use super::ns;
use super::statements::*;
use crate::store::chain::Seal;
use crate::store::ledger::Admitted;
use crate::store::{
    Commit, Delivery, EffectId, Error, Evidence, InboxId, Lock, NewEvent, Post, Redaction, Snapshot, Stream,
    Summary, Timer,
};

/// Rows of one table as a JSON array.
#[derive(Default)]
struct Rows {
    json: Vec<u8>,
}

impl Rows {
    fn push(&mut self, row: &impl Serialize) -> Result<(), Error> {
        self.json.push(if self.json.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut self.json, row)
            .map_err(|error| Error::invalid(format!("a row is no JSON: {error}")))
    }

    fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    fn take(mut self) -> Result<String, Error> {
        self.json.push(b']');
        String::from_utf8(self.json).map_err(|error| Error::invalid(format!("a row is no text: {error}")))
    }
}

/// Bytes as `unhex` reads them.
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0_u8; 64];
        let digits = &mut digits[..self.0.len() * 2];
        hex::encode_to_slice(self.0, digits).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(std::str::from_utf8(digits).map_err(serde::ser::Error::custom)?)
    }
}

/// Everything one group writes. Where two commits of a group touch the same timer, lock, slot or summary, the later
/// one counts; the rest is written in the order of the commits.
#[derive(Default)]
pub(super) struct Batch {
    receive: Rows,
    events: Rows,
    inbox_done: Rows,
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
    filled: bool,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        !self.filled
    }

    pub fn redacts(&self) -> bool {
        !self.redactions.is_empty()
    }

    pub fn receive(&mut self, id: InboxId, delivery: &Delivery) -> Result<(), Error> {
        self.filled = true;
        self.receive.push(&(
            id.0,
            &delivery.delivery_key,
            &delivery.subject_key,
            &delivery.platform,
            u8::from(delivery.urgent),
            ns(delivery.received),
            &delivery.body,
        ))
    }

    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        self.filled = true;
        self.snapshots.push(snapshot.clone());
    }

    pub fn commit(&mut self, commit: &Commit, admitted: &Admitted) -> Result<(), Error> {
        self.filled = true;
        for (append, seals) in commit.appends.iter().zip(&admitted.seals) {
            for (seq, (event, seal)) in (append.expected + 1..).zip(append.events.iter().zip(seals)) {
                self.event(append.stream, seq, event, seal)?;
            }
        }
        if let Some(done) = &commit.inbox_done {
            self.inbox_done
                .push(&(done.inbox.0, ns(commit.at), &done.outcome))?;
        }
        self.outbox(commit, &admitted.committed.effects)?;
        self.room_log(commit)?;
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
        Ok(())
    }

    fn event(&mut self, stream: Stream, seq: u64, event: &NewEvent, seal: &Seal) -> Result<(), Error> {
        self.events.push(&(
            stream.number(),
            seq,
            &event.kind,
            event.version,
            ns(event.recorded),
            ns(event.occurred),
            &event.source,
            &event.by,
            &event.payload,
            Hex(&seal.salt),
            Hex(&seal.digest.0),
            Hex(&seal.previous.0),
            Hex(&seal.hash.0),
        ))
    }

    fn outbox(&mut self, commit: &Commit, ids: &[EffectId]) -> Result<(), Error> {
        for (effect, id) in commit.effects.iter().zip(ids) {
            self.effects.push(&(
                id.0,
                &effect.key,
                u8::from(effect.merge),
                effect.lane.number(),
                &effect.channel,
                &effect.body,
                ns(commit.at),
                effect.not_before.map(ns),
                effect.deadline.map(ns),
            ))?;
        }
        for id in &commit.effects_claimed {
            self.effects_claimed.push(&(id.0, ns(commit.at)))?;
        }
        for retry in &commit.effects_retry {
            self.effects_retry
                .push(&(retry.effect.0, ns(retry.not_before), &retry.error))?;
        }
        commit
            .effects_done
            .iter()
            .try_for_each(|id| self.effects_done.push(&id.0))
    }

    fn room_log(&mut self, commit: &Commit) -> Result<(), Error> {
        commit.room_log.iter().try_for_each(|entry| {
            self.room_log.push(&(
                entry.incident.0,
                &entry.room,
                &entry.message,
                &entry.thread,
                &entry.author,
                ns(entry.at),
                ns(entry.recorded),
                &entry.text,
            ))
        })
    }

    /// Writes everything in one transaction and returns once it is durable, with the ids of the deliveries that were
    /// new. After an error the transaction may still be open.
    pub async fn write(mut self, connection: &mut SqliteConnection) -> Result<Vec<InboxId>, sqlx::Error> {
        let rare = self.rare().map_err(odd)?;
        let blobs = !(self.evidence.is_empty() && self.snapshots.is_empty() && self.redactions.is_empty());
        if rare.is_empty() && !blobs {
            return self.write_often(connection, "BEGIN IMMEDIATE;", "COMMIT;").await;
        }
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        for (sql, rows) in rare {
            sqlx::query(sql).bind(rows).execute(&mut *connection).await?;
        }
        self.write_blobs(connection).await?;
        let redactions = std::mem::take(&mut self.redactions);
        let fresh = self.write_often(connection, "", "").await?;
        // Last, so that a commit may redact what an earlier one of its group wrote.
        for redaction in &redactions {
            redact(connection, redaction).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(fresh)
    }

    /// The tables that nearly every group touches, in one round trip.
    async fn write_often(
        self,
        connection: &mut SqliteConnection,
        begin: &str,
        end: &str,
    ) -> Result<Vec<InboxId>, sqlx::Error> {
        let mut text = String::with_capacity(2048);
        let mut arguments = SqliteArguments::default();
        let often = [
            (RECEIVE, self.receive),
            (EVENTS, self.events),
            (INBOX_DONE, self.inbox_done),
            // Done before new: the key of a finished effect is free again.
            (EFFECTS_DONE, self.effects_done),
            (EFFECTS, self.effects),
        ];
        text.push_str(begin);
        for (sql, rows) in often {
            if !rows.is_empty() {
                text.push_str(sql);
                arguments
                    .add(rows.take().map_err(odd)?)
                    .map_err(sqlx::Error::Encode)?;
            }
        }
        text.push_str(end);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        // Safe: joined from constants only.
        let fresh: Vec<(i64,)> = sqlx::query_as_with(AssertSqlSafe(text), arguments)
            .fetch_all(connection)
            .await?;
        Ok(fresh
            .into_iter()
            .map(|(id,)| InboxId(id.unsigned_abs()))
            .collect())
    }

    async fn write_blobs(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for evidence in std::mem::take(&mut self.evidence) {
            sqlx::query(EVIDENCE)
                .bind(evidence.sha256.0.to_vec())
                .bind(evidence.incident.0.cast_signed())
                .bind(evidence.media_type)
                .bind(evidence.bytes)
                .execute(&mut *connection)
                .await?;
        }
        for snapshot in std::mem::take(&mut self.snapshots) {
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

    /// Statements that a group seldom needs, with their rows.
    fn rare(&mut self) -> Result<Vec<(&'static str, String)>, Error> {
        let mut all: [(&'static str, Rows); 10] = [
            (EFFECTS_CLAIMED, std::mem::take(&mut self.effects_claimed)),
            (EFFECTS_RETRY, std::mem::take(&mut self.effects_retry)),
            (TIMERS_CLEARED, Rows::default()),
            (TIMERS_SET, Rows::default()),
            (LOCKS_RELEASED, Rows::default()),
            (LOCKS_TAKEN, Rows::default()),
            (POSTS_FORGOTTEN, Rows::default()),
            (POSTS, Rows::default()),
            (SUMMARIES, Rows::default()),
            (ROOM_LOG, std::mem::take(&mut self.room_log)),
        ];
        for ((stream, key), timer) in &self.timers {
            match timer {
                None => all[2].1.push(&(stream.number(), key))?,
                Some(timer) => all[3]
                    .1
                    .push(&(stream.number(), key, ns(timer.due), &timer.body))?,
            }
        }
        for (target, lock) in &self.locks {
            all[4].1.push(target)?;
            if let Some(lock) = lock {
                all[5].1.push(&(target, lock.incident.0, lock.attempt.0))?;
            }
        }
        for ((incident, slot), post) in &self.posts {
            match &post.message {
                None => all[6].1.push(&(incident, slot))?,
                Some(message) => all[7].1.push(&(incident, slot, message))?,
            }
        }
        for (number, summary) in &self.summaries {
            let row = (
                number,
                u8::from(summary.open),
                u8::from(summary.private),
                &summary.body,
            );
            all[8].1.push(&row)?;
        }
        all.into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(sql, rows)| Ok((sql, rows.take()?)))
            .collect()
    }
}

/// Rows that cannot be written as JSON: cannot happen with what the limits let through.
fn odd(error: Error) -> sqlx::Error {
    sqlx::Error::Protocol(error.to_string())
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
