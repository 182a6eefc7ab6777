//! What one operation changes in the file, within the transaction that the writer has open.

use rusqlite::{Connection, OptionalExtension, Params, Result, Row, params};

use super::{ns, read};
use crate::incident::{AttemptId, IncidentId};
use crate::store::chain::Seal;
use crate::store::ledger::Admitted;
use crate::store::{
    Commit, Delivery, EffectId, Evidence, Hash, Head, InboxId, Lock, LogEntry, NewEffect, NewEvent, Post,
    Received, Redaction, Snapshot, Stream, Summary,
};

/// More statements than there are here; each stays prepared.
pub const PREPARED: usize = 64;

/// How many rows it changed.
fn run(to: &Connection, sql: &str, values: impl Params) -> Result<usize> {
    to.prepare_cached(sql)?.execute(values)
}

/// Takes a delivery in. `false`: one of its keys is known already.
pub fn receive(to: &Connection, id: InboxId, delivery: &Delivery) -> Result<bool> {
    let id = id.0.cast_signed();
    let fresh = run(
        to,
        "INSERT INTO inbox (id, delivery_key, subject_key, platform, received) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
        params![
            id,
            delivery.delivery_key,
            delivery.subject_key,
            delivery.platform,
            ns(delivery.received)
        ],
    )?;
    if fresh == 0 {
        return Ok(false);
    }
    run(
        to,
        "INSERT INTO inbox_waiting (id, urgent, body) VALUES (?, ?, ?)",
        params![id, delivery.urgent, delivery.body],
    )?;
    Ok(true)
}

/// What became of a delivery that came before.
pub fn known(to: &Connection, delivery: &Delivery) -> Result<Option<Received>> {
    to.prepare_cached(read::KNOWN)?
        .query_row(params![delivery.delivery_key, delivery.subject_key], |row| {
            Ok(Received::Duplicate(InboxId(number(row, 0)?), row.get(1)?))
        })
        .optional()
}

pub fn snapshot(to: &Connection, snapshot: &Snapshot) -> Result<()> {
    run(
        to,
        "INSERT INTO snapshots (stream, seq, version, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (stream) \
         DO UPDATE SET seq = excluded.seq, version = excluded.version, bytes = excluded.bytes",
        params![
            snapshot.stream.number().cast_signed(),
            snapshot.seq.cast_signed(),
            snapshot.version,
            snapshot.bytes
        ],
    )?;
    Ok(())
}

pub fn commit(to: &Connection, commit: &Commit, admitted: &Admitted) -> Result<()> {
    for (append, seals) in commit.appends.iter().zip(&admitted.seals) {
        for (seq, (event, seal)) in (append.expected + 1..).zip(append.events.iter().zip(seals)) {
            append_event(to, append.stream, seq, event, seal)?;
        }
    }
    let at = ns(commit.at);
    for done in &commit.inbox_done {
        let id = done.inbox.0.cast_signed();
        let sql = "INSERT INTO outcomes (id, decided, outcome) VALUES (?, ?, ?)";
        run(to, sql, params![id, at, done.outcome])?;
        run(to, "DELETE FROM inbox_waiting WHERE id = ?", [id])?;
    }
    outbox(to, commit, &admitted.committed.effects)?;
    for entry in &commit.room_log {
        log(to, entry)?;
    }
    timers(to, commit)?;
    for target in &admitted.released {
        run(to, "DELETE FROM locks WHERE target = ?", [target])?;
    }
    for lock in &commit.locks_taken {
        let sql = "INSERT INTO locks (target, incident, attempt) VALUES (?, ?, ?) ON CONFLICT (target) \
                   DO UPDATE SET incident = excluded.incident, attempt = excluded.attempt";
        let values = params![lock.target, lock.incident.0.cast_signed(), lock.attempt.0];
        run(to, sql, values)?;
    }
    for shown in &commit.posts {
        post(to, shown)?;
    }
    for listed in &commit.summaries {
        summary(to, listed)?;
    }
    for kept in &commit.evidence {
        evidence(to, kept)?;
    }
    for redaction in &commit.redactions {
        redact(to, redaction)?;
    }
    Ok(())
}

fn append_event(to: &Connection, stream: Stream, seq: u64, event: &NewEvent, seal: &Seal) -> Result<()> {
    let sql = "INSERT INTO events (stream, seq, kind, version, recorded, occurred, source, author, payload, salt, digest, \
               previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        stream.number().cast_signed(),
        seq.cast_signed(),
        event.kind,
        event.version,
        ns(event.recorded),
        ns(event.occurred),
        event.source,
        event.by,
        event.payload,
        seal.salt,
        seal.digest.0,
        seal.previous.0,
        seal.hash.0
    ];
    run(to, sql, values)?;
    Ok(())
}

fn outbox(to: &Connection, commit: &Commit, ids: &[EffectId]) -> Result<()> {
    let at = ns(commit.at);
    for id in &commit.effects_claimed {
        let sql = "UPDATE outbox SET claimed = ? WHERE id = ?";
        run(to, sql, [at, id.0.cast_signed()])?;
    }
    for retry in &commit.effects_retry {
        let sql = "UPDATE outbox SET claimed = NULL, attempts = attempts + 1, not_before = ?, last_error = ? WHERE id = ?";
        let values = params![ns(retry.not_before), retry.error, retry.effect.0.cast_signed()];
        run(to, sql, values)?;
    }
    // Done before new: the key of a finished effect is free again.
    for id in &commit.effects_done {
        run(to, "DELETE FROM outbox WHERE id = ?", [id.0.cast_signed()])?;
    }
    for (effect, id) in commit.effects.iter().zip(ids) {
        put(to, *id, effect, at)?;
    }
    Ok(())
}

fn put(to: &Connection, id: EffectId, effect: &NewEffect, at: i64) -> Result<()> {
    let sql = "INSERT INTO outbox (id, key, merge, channel, body, created, not_before, deadline) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET id = excluded.id, merge = 1, \
               channel = excluded.channel, body = excluded.body, created = excluded.created, \
               not_before = excluded.not_before, deadline = excluded.deadline, claimed = NULL, attempts = 0, \
               last_error = NULL WHERE excluded.merge = 1";
    let values = params![
        id.0.cast_signed(),
        effect.key,
        effect.merge,
        effect.channel,
        effect.body,
        at,
        effect.not_before.map(ns),
        effect.deadline.map(ns)
    ];
    run(to, sql, values)?;
    Ok(())
}

fn log(to: &Connection, entry: &LogEntry) -> Result<()> {
    let sql = "INSERT INTO room_log (incident, room, message, thread, author, at, recorded, text, files, after_event) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
               coalesce((SELECT max(seq) FROM events WHERE stream = ?1), 0))";
    let values = params![
        entry.incident.0.cast_signed(),
        entry.room,
        entry.message,
        entry.thread,
        entry.author,
        ns(entry.at),
        ns(entry.recorded),
        entry.text,
        entry.files
    ];
    run(to, sql, values)?;
    Ok(())
}

fn timers(to: &Connection, commit: &Commit) -> Result<()> {
    for (stream, key) in &commit.timers_cleared {
        let sql = "DELETE FROM timers WHERE stream = ? AND key = ?";
        run(to, sql, params![stream.number().cast_signed(), key])?;
    }
    for timer in &commit.timers_set {
        let sql = "INSERT INTO timers (stream, key, due, body) VALUES (?, ?, ?, ?) ON CONFLICT (stream, key) \
                   DO UPDATE SET due = excluded.due, body = excluded.body";
        let stream = timer.stream.number().cast_signed();
        run(to, sql, params![stream, timer.key, ns(timer.due), timer.body])?;
    }
    Ok(())
}

fn post(to: &Connection, post: &Post) -> Result<()> {
    let incident = post.incident.0.cast_signed();
    match &post.message {
        None => {
            let sql = "DELETE FROM posts WHERE incident = ? AND slot = ?";
            run(to, sql, params![incident, post.slot])?;
        }
        Some(message) => {
            let sql = "INSERT INTO posts (incident, slot, message) VALUES (?, ?, ?) ON CONFLICT (incident, slot) \
                       DO UPDATE SET message = excluded.message";
            run(to, sql, params![incident, post.slot, message])?;
        }
    }
    Ok(())
}

fn summary(to: &Connection, summary: &Summary) -> Result<()> {
    let sql = "INSERT INTO incidents (number, open, private, body) VALUES (?, ?, ?, ?) ON CONFLICT (number) \
               DO UPDATE SET open = excluded.open, private = excluded.private, body = excluded.body";
    let number = summary.incident.0.cast_signed();
    run(
        to,
        sql,
        params![number, summary.open, summary.private, summary.body],
    )?;
    Ok(())
}

fn evidence(to: &Connection, evidence: &Evidence) -> Result<()> {
    let sql = "INSERT INTO evidence (sha256, incident, media_type, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING";
    let incident = evidence.incident.0.cast_signed();
    run(
        to,
        sql,
        params![evidence.sha256.0, incident, evidence.media_type, evidence.bytes],
    )?;
    Ok(())
}

fn redact(to: &Connection, redaction: &Redaction) -> Result<()> {
    match redaction {
        Redaction::Event { stream, seq, marker } => redact_event(to, *stream, *seq, marker)?,
        Redaction::Message {
            room,
            message,
            marker,
        } => {
            // Versions that were deletions stay deletions. The names of files go too: people paste into those as well.
            let sql = "UPDATE room_log SET text = ?, files = NULL WHERE room = ? AND message = ? AND text IS NOT NULL";
            run(to, sql, params![marker, room, message])?;
        }
        Redaction::Evidence { sha256 } => {
            run(
                to,
                "UPDATE evidence SET bytes = NULL WHERE sha256 = ?",
                [sha256.0],
            )?;
        }
        Redaction::Delivery { inbox, body } => {
            let sql = "UPDATE inbox_waiting SET body = ? WHERE id = ?";
            run(to, sql, params![body, inbox.0.cast_signed()])?;
        }
        Redaction::Outcomes { before, outcome } => {
            let sql = "UPDATE outcomes SET outcome = ?1 WHERE id < ?2 AND outcome <> ?1";
            run(to, sql, params![outcome, before.0.cast_signed()])?;
        }
        Redaction::Effect { effect, body } => {
            let sql = "UPDATE outbox SET body = ? WHERE id = ?";
            run(to, sql, params![body, effect.0.cast_signed()])?;
        }
    }
    Ok(())
}

fn redact_event(to: &Connection, stream: Stream, seq: u64, marker: &str) -> Result<()> {
    let (stream, seq) = (stream.number().cast_signed(), seq.cast_signed());
    let bytes = to
        .prepare_cached("SELECT octet_length(payload) FROM events WHERE stream = ? AND seq = ?")?
        .query_row([stream, seq], |row| number(row, 0))?;
    let bytes = usize::try_from(bytes).unwrap_or_default();
    // As long as the original, the row is overwritten where it stands and its bytes are gone for sure.
    let padded = format!("{marker}{}", " ".repeat(bytes.saturating_sub(marker.len())));
    let sql = "UPDATE events SET payload = ?, redacted = 1, salt = zeroblob(16) WHERE stream = ? AND seq = ?";
    run(to, sql, params![padded, stream, seq])?;
    run(to, "DELETE FROM snapshots WHERE stream = ?", [stream])?;
    Ok(())
}

/// Forgets up to `most` of the deliveries that were decided before a time; how many that were. They are decided about in
/// order, so the oldest are looked at and no others, however many there are. The newest stays, so that its id is not given
/// out again.
pub fn forget(of: &Connection, before: i64, most: i64) -> Result<usize> {
    let sql = "SELECT id FROM (SELECT id, decided FROM outcomes ORDER BY id LIMIT ?) WHERE decided < ? \
               AND id < (SELECT max(id) FROM inbox)";
    let ids: Vec<i64> = of
        .prepare(sql)?
        .query_map([most, before], |row| row.get(0))?
        .collect::<Result<_>>()?;
    for id in &ids {
        run(of, "DELETE FROM inbox WHERE id = ?", [id])?;
        run(of, "DELETE FROM outcomes WHERE id = ?", [id])?;
    }
    Ok(ids.len())
}

/// The end of a stream.
pub fn head(of: &Connection, stream: Stream) -> Result<Head> {
    let found = of
        .prepare_cached(read::HEAD)?
        .query_row([stream.number().cast_signed()], |row| {
            Ok(Head {
                stream,
                seq: number(row, 0)?,
                hash: Hash(row.get(1)?),
            })
        })
        .optional()?;
    Ok(found.unwrap_or_else(|| Head::empty(stream)))
}

pub fn locks(of: &Connection) -> Result<Vec<Lock>> {
    let mut statement = of.prepare(read::LOCKS)?;
    let locks = statement.query_map([], |row| {
        Ok(Lock {
            target: row.get(0)?,
            incident: IncidentId(number(row, 1)?),
            attempt: AttemptId(row.get(2)?),
        })
    })?;
    locks.collect()
}

/// Deliveries that wait.
pub fn waiting(of: &Connection) -> Result<Vec<InboxId>> {
    let mut statement = of.prepare("SELECT id FROM inbox_waiting")?;
    let ids = statement.query_map([], |row| Ok(InboxId(number(row, 0)?)))?;
    ids.collect()
}

/// The last delivery and the last effect.
pub fn last_ids(of: &Connection) -> Result<(u64, u64)> {
    let sql =
        "SELECT coalesce((SELECT max(id) FROM inbox), 0), coalesce((SELECT max(id & ?) FROM outbox), 0)";
    of.query_row(sql, [EffectId::COUNT.cast_signed()], |row| {
        Ok((number(row, 0)?, number(row, 1)?))
    })
}

/// An id or a count, which are never negative.
fn number(row: &Row<'_>, at: usize) -> Result<u64> {
    row.get::<_, i64>(at).map(i64::unsigned_abs)
}
