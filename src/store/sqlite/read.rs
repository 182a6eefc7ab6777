//! Everything that reads, on connections of their own that cannot write.

use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::decode::{EVENT_COLUMNS, Kept, bytes, event, number};
use super::{failed, ns, time};
use crate::incident::IncidentId;
use crate::store::{
    Delivery, Depths, EffectId, Error, Evidence, Hash, Head, InboxId, Lock, LogId, Post, Received, Snapshot,
    StoredDelivery, StoredEffect, StoredEntry, StoredEvent, Stream, Summary, Timer, Which,
};

/// Reads a database file.
#[derive(Clone)]
pub(super) struct Reader {
    pub pool: SqlitePool,
    pub path: std::sync::Arc<Path>,
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Ids for `json_each`.
fn listed(ids: impl Iterator<Item = u64>) -> Result<String, Error> {
    let ids: Vec<i64> = ids.map(u64::cast_signed).collect();
    serde_json::to_string(&ids).map_err(|error| Error::invalid(error.to_string()))
}

/// The end of a stream.
pub(super) const HEAD: &str = "SELECT seq, hash FROM events WHERE stream = ? ORDER BY seq DESC LIMIT 1";

/// What became of a delivery that came before.
pub(super) const KNOWN: &str = "SELECT id, outcome FROM inbox LEFT JOIN outcomes USING (id) WHERE delivery_key = ?1 OR subject_key = ?2 \
     ORDER BY id LIMIT 1";

pub(super) const LOCKS: &str = "SELECT target, incident, attempt FROM locks ORDER BY target";

/// By which a delivery is known again.
pub(super) struct Keys {
    delivery: String,
    subject: Option<String>,
}

impl From<&Delivery> for Keys {
    fn from(delivery: &Delivery) -> Self {
        Self {
            delivery: delivery.delivery_key.clone(),
            subject: delivery.subject_key.clone(),
        }
    }
}

/// Runs a query whose rows are `$row` and gives them in the store's words.
macro_rules! all {
    ($self:ident, $doing:literal, $query:expr) => {{
        let rows: Result<Vec<Kept<_>>, sqlx::Error> = $query.fetch_all(&$self.pool).await;
        rows.map(|rows| rows.into_iter().map(|Kept(row)| row).collect())
            .map_err(|e| failed($doing, &$self.path, e))
    }};
}

macro_rules! one {
    ($self:ident, $doing:literal, $query:expr) => {{
        let row: Result<Option<Kept<_>>, sqlx::Error> = $query.fetch_optional(&$self.pool).await;
        row.map(|row| row.map(|Kept(row)| row))
            .map_err(|e| failed($doing, &$self.path, e))
    }};
}

impl Reader {
    pub async fn pending(&self, after: InboxId, rows: usize) -> Result<Vec<StoredDelivery>, Error> {
        let sql = "SELECT id, platform, body, received, urgent FROM inbox_waiting JOIN inbox USING (id) \
                   WHERE id > ? ORDER BY id LIMIT ?";
        all!(
            self,
            "reading the inbox",
            sqlx::query_as(sql).bind(after.0.cast_signed()).bind(limit(rows))
        )
    }

    pub async fn waiting(&self, ids: &[InboxId]) -> Result<Vec<StoredDelivery>, Error> {
        let sql = "SELECT id, platform, body, received, urgent FROM inbox_waiting JOIN inbox USING (id) \
                   WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
        let ids = listed(ids.iter().map(|id| id.0))?;
        all!(self, "reading the inbox", sqlx::query_as(sql).bind(ids))
    }

    pub async fn count_waiting(&self) -> Result<usize, Error> {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM inbox_waiting")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| failed("counting what waits", &self.path, error))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    pub async fn known(&self, keys: &Keys) -> Result<Option<Received>, Error> {
        let row: Option<(i64, Option<String>)> = sqlx::query_as(KNOWN)
            .bind(&keys.delivery)
            .bind(&keys.subject)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| failed("looking up a delivery", &self.path, error))?;
        Ok(row.map(|(id, outcome)| Received::Duplicate(InboxId(id.unsigned_abs()), outcome)))
    }

    pub async fn outcome(&self, inbox: InboxId) -> Result<Option<String>, Error> {
        let row: Option<(String,)> = sqlx::query_as("SELECT outcome FROM outcomes WHERE id = ?")
            .bind(inbox.0.cast_signed())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| failed("reading the inbox", &self.path, error))?;
        Ok(row.map(|(outcome,)| outcome))
    }

    pub async fn streams(&self) -> Result<Vec<Stream>, Error> {
        // Steps from one stream to the next through the index instead of reading every event.
        let sql = "WITH RECURSIVE found (stream) AS (SELECT min(stream) FROM events UNION ALL \
                   SELECT (SELECT min(stream) FROM events WHERE stream > found.stream) FROM found \
                   WHERE found.stream IS NOT NULL) SELECT stream FROM found WHERE stream IS NOT NULL";
        let rows: Vec<(i64,)> = sqlx::query_as(sql)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| failed("listing the streams", &self.path, error))?;
        Ok(rows
            .into_iter()
            .map(|(number,)| Stream::from_number(number.unsigned_abs()))
            .collect())
    }

    pub async fn head(&self, stream: Stream) -> Result<Head, Error> {
        let head = sqlx::query(HEAD)
            .bind(stream.number().cast_signed())
            .try_map(|row: SqliteRow| {
                Ok(Head {
                    stream,
                    seq: number("seq", &row)?,
                    hash: Hash(bytes(1, &row)?),
                })
            })
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| failed("reading the journal", &self.path, error))?;
        Ok(head.unwrap_or_else(|| Head::empty(stream)))
    }

    pub async fn events(&self, stream: Stream, after: u64, rows: usize) -> Result<Vec<StoredEvent>, Error> {
        let sql =
            format!("SELECT {EVENT_COLUMNS} FROM events WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?");
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        sqlx::query(AssertSqlSafe(sql))
            .bind(stream.number().cast_signed())
            .bind(after)
            .bind(limit(rows))
            .try_map(|row| event(stream, &row))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| failed("reading the journal", &self.path, error))
    }

    pub async fn written_before(&self, stream: Stream, other: Stream, seq: u64) -> Result<u64, Error> {
        let sql = "SELECT seq FROM events WHERE stream = ? AND id < (SELECT id FROM events WHERE stream = ? AND seq = ?) \
                   ORDER BY seq DESC LIMIT 1";
        let row: Option<(i64,)> = sqlx::query_as(sql)
            .bind(stream.number().cast_signed())
            .bind(other.number().cast_signed())
            .bind(seq.cast_signed())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| failed("reading the journal", &self.path, error))?;
        Ok(row.map_or(0, |(seq,)| seq.unsigned_abs()))
    }

    pub async fn snapshot(&self, stream: Stream) -> Result<Option<Snapshot>, Error> {
        let row: Option<(i64, u32, Vec<u8>)> =
            sqlx::query_as("SELECT seq, version, bytes FROM snapshots WHERE stream = ?")
                .bind(stream.number().cast_signed())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| failed("reading a snapshot", &self.path, error))?;
        Ok(row.map(|(seq, version, bytes)| Snapshot {
            stream,
            seq: seq.unsigned_abs(),
            version,
            bytes,
        }))
    }

    pub async fn summaries(
        &self,
        which: Which,
        before: Option<IncidentId>,
        rows: usize,
    ) -> Result<Vec<Summary>, Error> {
        let sql = match which {
            Which::Open => {
                "SELECT number, open, private, body FROM incidents WHERE open = 1 AND number < ? \
                 ORDER BY number DESC LIMIT ?"
            }
            Which::All => {
                "SELECT number, open, private, body FROM incidents WHERE number < ? ORDER BY number DESC LIMIT ?"
            }
        };
        let before = before.map_or(i64::MAX, |id| i64::try_from(id.0).unwrap_or(i64::MAX));
        all!(
            self,
            "listing the incidents",
            sqlx::query_as(sql).bind(before).bind(limit(rows))
        )
    }

    pub async fn summary(&self, incident: IncidentId) -> Result<Option<Summary>, Error> {
        let sql = "SELECT number, open, private, body FROM incidents WHERE number = ?";
        one!(
            self,
            "listing the incidents",
            sqlx::query_as(sql).bind(incident.0.cast_signed())
        )
    }

    pub async fn due_effects(
        &self,
        now: DateTime<Utc>,
        busy: &[String],
        rows: usize,
    ) -> Result<Vec<StoredEffect>, Error> {
        let sql = "SELECT * FROM outbox WHERE (not_before IS NULL OR not_before <= ?) \
                   AND channel NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?";
        let busy = serde_json::to_string(busy).map_err(|error| Error::invalid(error.to_string()))?;
        all!(
            self,
            "reading the outbox",
            sqlx::query_as(sql).bind(ns(now)).bind(busy).bind(limit(rows))
        )
    }

    pub async fn effects(&self, ids: &[EffectId]) -> Result<Vec<StoredEffect>, Error> {
        let sql = "SELECT * FROM outbox WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
        let ids = listed(ids.iter().map(|id| id.0))?;
        all!(self, "reading the outbox", sqlx::query_as(sql).bind(ids))
    }

    pub async fn depths(&self, inbox: u64) -> Result<Depths, Error> {
        let sql = "SELECT count(*), min(created) FROM outbox";
        let (outbox, oldest): (i64, Option<i64>) = sqlx::query_as(sql)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| failed("counting what waits", &self.path, error))?;
        Ok(Depths {
            inbox,
            outbox: outbox.unsigned_abs(),
            oldest_effect: oldest.map(time),
        })
    }

    pub async fn due_timers(&self, now: DateTime<Utc>, rows: usize) -> Result<Vec<Timer>, Error> {
        let sql =
            "SELECT stream, key, due, body FROM timers WHERE due <= ? ORDER BY due, stream, key LIMIT ?";
        all!(
            self,
            "reading the timers",
            sqlx::query_as(sql).bind(ns(now)).bind(limit(rows))
        )
    }

    pub async fn next_timer(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let (next,): (Option<i64>,) = sqlx::query_as("SELECT min(due) FROM timers")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| failed("reading the timers", &self.path, error))?;
        Ok(next.map(time))
    }

    pub async fn timers(&self, stream: Stream) -> Result<Vec<Timer>, Error> {
        let sql = "SELECT stream, key, due, body FROM timers WHERE stream = ? ORDER BY key";
        all!(
            self,
            "reading the timers",
            sqlx::query_as(sql).bind(stream.number().cast_signed())
        )
    }

    pub async fn locks(&self) -> Result<Vec<Lock>, Error> {
        all!(self, "reading the locks", sqlx::query_as(LOCKS))
    }

    pub async fn posts(&self, incident: IncidentId) -> Result<Vec<Post>, Error> {
        let sql = "SELECT incident, slot, message FROM posts WHERE incident = ? ORDER BY slot";
        all!(
            self,
            "reading the posts",
            sqlx::query_as(sql).bind(incident.0.cast_signed())
        )
    }

    pub async fn post(&self, incident: IncidentId, slot: &str) -> Result<Option<Post>, Error> {
        let sql = "SELECT incident, slot, message FROM posts WHERE incident = ? AND slot = ?";
        let asked = sqlx::query_as(sql).bind(incident.0.cast_signed()).bind(slot);
        one!(self, "reading the posts", asked)
    }

    pub async fn shown_by(&self, message: &str) -> Result<Option<Post>, Error> {
        let sql =
            "SELECT incident, slot, message FROM posts WHERE message = ? ORDER BY incident, slot LIMIT 1";
        one!(self, "reading the posts", sqlx::query_as(sql).bind(message))
    }

    pub async fn evidence(&self, sha256: Hash) -> Result<Option<Evidence>, Error> {
        let row: Option<(i64, String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT incident, media_type, bytes FROM evidence WHERE sha256 = ?")
                .bind(sha256.0.to_vec())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| failed("reading a file", &self.path, error))?;
        Ok(row.map(|(incident, media_type, bytes)| Evidence {
            sha256,
            incident: IncidentId(incident.unsigned_abs()),
            media_type,
            redacted: bytes.is_none(),
            bytes: bytes.unwrap_or_default(),
        }))
    }

    pub async fn room_log(
        &self,
        incident: IncidentId,
        after: LogId,
        rows: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        let sql = "SELECT * FROM room_log WHERE incident = ? AND id > ? ORDER BY id LIMIT ?";
        let after = i64::try_from(after.0).unwrap_or(i64::MAX);
        let query = sqlx::query_as(sql).bind(incident.0.cast_signed()).bind(after);
        all!(self, "reading the room log", query.bind(limit(rows)))
    }

    pub async fn room_since(
        &self,
        room: &str,
        since: DateTime<Utc>,
        rows: usize,
    ) -> Result<Vec<StoredEntry>, Error> {
        let sql = "SELECT * FROM room_log WHERE room = ? AND at >= ? ORDER BY at, id LIMIT ?";
        all!(
            self,
            "reading the room log",
            sqlx::query_as(sql).bind(room).bind(ns(since)).bind(limit(rows))
        )
    }

    pub async fn versions(&self, room: &str, message: &str) -> Result<Vec<StoredEntry>, Error> {
        let sql = "SELECT * FROM room_log WHERE room = ? AND message = ? ORDER BY recorded, id";
        all!(
            self,
            "reading the room log",
            sqlx::query_as(sql).bind(room).bind(message)
        )
    }
}
