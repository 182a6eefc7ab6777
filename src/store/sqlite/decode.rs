//! Rows in the store's words.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::time;
use crate::incident::{AttemptId, IncidentId};
use crate::store::chain::Seal;
use crate::store::{
    EffectId, Hash, InboxId, Lock, LogEntry, LogId, NewEffect, NewEvent, Post, StoredDelivery, StoredEffect,
    StoredEntry, StoredEvent, Stream, Summary, Timer,
};

/// A row as kept, and what it is in the store's words.
pub struct Kept<T>(pub T);

pub fn number(column: &str, row: &SqliteRow) -> Result<u64, sqlx::Error> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|error| decode(column, error))
}

fn decode(column: &str, error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    }
}

pub fn bytes<const N: usize>(at: usize, row: &SqliteRow) -> Result<[u8; N], sqlx::Error> {
    let bytes: &[u8] = row.try_get(at)?;
    bytes
        .try_into()
        .map_err(|error| decode(&format!("blob {at}"), error))
}

/// What [`event`] decodes. Every column of a row costs an allocation on its way out of the library, so flags and hashes
/// come joined: this halves the time of loading ten thousand events.
pub const EVENT_COLUMNS: &str = "seq, version << 1 | redacted, recorded, occurred, kind, source, author, payload, \
                                 CAST(salt || digest || previous || hash AS BLOB)";

pub fn event(stream: Stream, row: &SqliteRow) -> Result<StoredEvent, sqlx::Error> {
    let flags: i64 = row.try_get(1)?;
    let seal: [u8; 112] = bytes(8, row)?;
    let (salt, hashes) = seal.split_at(16);
    let part = |at: usize| <[u8; 32]>::try_from(&hashes[at * 32..][..32]).map(Hash);
    let odd = |error| decode("salt, digest, previous, hash", error);
    Ok(StoredEvent {
        stream,
        seq: row.try_get::<i64, _>(0)?.unsigned_abs(),
        event: NewEvent {
            kind: row.try_get(4)?,
            version: u16::try_from(flags >> 1).map_err(|error| decode("version", error))?,
            payload: row.try_get(7)?,
            recorded: time(row.try_get(2)?),
            occurred: time(row.try_get(3)?),
            source: row.try_get(5)?,
            by: row.try_get(6)?,
        },
        redacted: flags & 1 == 1,
        seal: Seal {
            salt: salt.try_into().map_err(odd)?,
            digest: part(0).map_err(odd)?,
            previous: part(1).map_err(odd)?,
            hash: part(2).map_err(odd)?,
        },
    })
}

impl FromRow<'_, SqliteRow> for Kept<StoredEffect> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let id = EffectId(number("id", row)?);
        let optional = |column| row.try_get::<Option<i64>, _>(column).map(|value| value.map(time));
        Ok(Self(StoredEffect {
            id,
            effect: NewEffect {
                key: row.try_get("key")?,
                merge: row.try_get("merge")?,
                lane: id.lane(),
                channel: row.try_get("channel")?,
                body: row.try_get("body")?,
                not_before: optional("not_before")?,
                deadline: optional("deadline")?,
            },
            created: time(row.try_get("created")?),
            claimed: optional("claimed")?,
            attempts: row.try_get("attempts")?,
            last_error: row.try_get("last_error")?,
        }))
    }
}

impl FromRow<'_, SqliteRow> for Kept<StoredDelivery> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(StoredDelivery {
            id: InboxId(number("id", row)?),
            platform: row.try_get("platform")?,
            body: row.try_get("body")?,
            received: time(row.try_get("received")?),
            urgent: row.try_get("urgent")?,
        }))
    }
}

impl FromRow<'_, SqliteRow> for Kept<Timer> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(Timer {
            stream: Stream::from_number(number("stream", row)?),
            key: row.try_get("key")?,
            due: time(row.try_get("due")?),
            body: row.try_get("body")?,
        }))
    }
}

impl FromRow<'_, SqliteRow> for Kept<Lock> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(Lock {
            target: row.try_get("target")?,
            incident: IncidentId(number("incident", row)?),
            attempt: AttemptId(row.try_get("attempt")?),
        }))
    }
}

impl FromRow<'_, SqliteRow> for Kept<Post> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(Post {
            incident: IncidentId(number("incident", row)?),
            slot: row.try_get("slot")?,
            message: row.try_get("message")?,
        }))
    }
}

impl FromRow<'_, SqliteRow> for Kept<Summary> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(Summary {
            incident: IncidentId(number("number", row)?),
            open: row.try_get("open")?,
            private: row.try_get("private")?,
            body: row.try_get("body")?,
        }))
    }
}

impl FromRow<'_, SqliteRow> for Kept<StoredEntry> {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(StoredEntry {
            id: LogId(number("id", row)?),
            after: number("after_event", row)?,
            entry: LogEntry {
                incident: IncidentId(number("incident", row)?),
                room: row.try_get("room")?,
                message: row.try_get("message")?,
                thread: row.try_get("thread")?,
                author: row.try_get("author")?,
                at: time(row.try_get("at")?),
                recorded: time(row.try_get("recorded")?),
                text: row.try_get("text")?,
                files: row.try_get("files")?,
            },
        }))
    }
}
