//! What a room shows: messages, threads, files, earlier versions.

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::model::moment;
use super::{ActError, Body, LocalChat, Session, Stored, StoredFile};
use crate::chat::{Delivery, FileRef, Message};

/// Messages read at once; a page asks for more when somebody scrolls up.
pub const PAGE_MAX: u32 = 200;

/// The columns `stored` reads, for each of the ways to find messages.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, room, thread, author, body, at, edited, deleted IS NOT NULL, pinned IS NOT NULL, rev, ",
            "(SELECT count(*) FROM message reply WHERE reply.thread = message.id AND reply.deleted IS NULL) ",
            "FROM message ",
            $rest
        )
    };
}

impl LocalChat {
    /// The latest messages of a room before `before`, oldest first, without the replies in threads.
    pub async fn messages(
        &self,
        room: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Stored>, ActError> {
        let rows = sqlx::query(select!(
            "WHERE room = ? AND thread IS NULL AND id < ? ORDER BY id DESC LIMIT ?"
        ))
        .bind(room)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit.min(PAGE_MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(ActError::storage)?;
        self.whole(rows.into_iter().rev()).await
    }

    /// A thread: the message it hangs on and the latest replies, oldest first.
    pub async fn thread(&self, room: &str, root: i64) -> Result<Vec<Stored>, ActError> {
        let mut rows = sqlx::query(select!(
            "WHERE room = ?1 AND thread = ?2 ORDER BY id DESC LIMIT ?3"
        ))
        .bind(room)
        .bind(root)
        .bind(PAGE_MAX)
        .fetch_all(&self.pool)
        .await
        .map_err(ActError::storage)?;
        let root = sqlx::query(select!("WHERE room = ? AND id = ? AND thread IS NULL"))
            .bind(room)
            .bind(root)
            .fetch_optional(&self.pool)
            .await
            .map_err(ActError::storage)?
            .ok_or(ActError::NoMessage)?;
        rows.push(root);
        self.whole(rows.into_iter().rev()).await
    }

    /// The message of the bot's that was posted under this key.
    pub(super) async fn posted_under(&self, key: &str, room: &str) -> Result<Option<i64>, ActError> {
        sqlx::query_scalar("SELECT id FROM message WHERE key = ? AND room = ?")
            .bind(key)
            .bind(room)
            .fetch_optional(&self.pool)
            .await
            .map_err(ActError::storage)
    }

    pub async fn message(&self, room: &str, id: i64) -> Result<Option<Stored>, ActError> {
        let row = sqlx::query(select!("WHERE id = ? AND room = ?"))
            .bind(id)
            .bind(room)
            .fetch_optional(&self.pool)
            .await
            .map_err(ActError::storage)?;
        Ok(self.whole(row.into_iter()).await?.pop())
    }

    /// The message pinned last: in an incident's room, its card.
    pub async fn pinned(&self, room: &str) -> Result<Option<Stored>, ActError> {
        let row = sqlx::query(select!(
            "WHERE room = ? AND pinned IS NOT NULL ORDER BY pinned DESC, id DESC LIMIT 1"
        ))
        .bind(room)
        .fetch_optional(&self.pool)
        .await
        .map_err(ActError::storage)?;
        Ok(self.whole(row.into_iter()).await?.pop())
    }

    /// What a message said before it was edited or deleted, oldest first, and until when it said so.
    pub async fn versions(&self, id: i64) -> Result<Vec<(String, DateTime<Utc>)>, ActError> {
        let rows = sqlx::query("SELECT body, until FROM version WHERE message = ? ORDER BY rev")
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(ActError::storage)?;
        Ok(rows.iter().map(|row| (row.get(0), moment(row.get(1)))).collect())
    }

    /// A file with its bytes; `None` as well when its message was deleted.
    pub async fn file(&self, id: &str) -> Result<Option<StoredFile>, ActError> {
        let row = sqlx::query(
            "SELECT message.room, name, media_type, sha256, bytes FROM file JOIN message ON message.id = file.message \
             WHERE file.id = ? AND message.deleted IS NULL",
        )
        .bind(id.parse::<i64>().unwrap_or(0))
        .fetch_optional(&self.pool)
        .await
        .map_err(ActError::storage)?;
        Ok(row.map(|row| StoredFile {
            room: row.get(0),
            name: row.get(1),
            media_type: row.get(2),
            sha256: row.get(3),
            bytes: row.get(4),
        }))
    }

    /// Sign-ins that still hold.
    pub async fn sessions(&self) -> Result<Vec<Session>, ActError> {
        let rows = sqlx::query("SELECT digest, person, until FROM session WHERE until > ?")
            .bind(self.clock.now().timestamp_millis())
            .fetch_all(&self.pool)
            .await
            .map_err(ActError::storage)?;
        let session = |row: &SqliteRow| Session {
            digest: row.get(0),
            person: row.get(1),
            until: moment(row.get(2)),
        };
        Ok(rows.iter().map(session).collect())
    }

    /// What the bot does not have yet, oldest first, each with its row.
    pub(super) async fn undelivered(&self, limit: u32) -> Result<Vec<(i64, Delivery)>, ActError> {
        let rows = sqlx::query("SELECT id, subject, received, incoming FROM delivery ORDER BY id LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(ActError::storage)?;
        rows.iter()
            .map(|row| {
                let id: i64 = row.get(0);
                let incoming = serde_json::from_str(row.get(3)).map_err(ActError::storage)?;
                let delivery = Delivery {
                    key: format!("{}:{}:{id}", super::PLATFORM, self.id),
                    subject: Some(format!(
                        "{}:{}:{}",
                        super::PLATFORM,
                        self.id,
                        row.get::<&str, _>(1)
                    )),
                    received: moment(row.get(2)),
                    incoming,
                };
                Ok((id, delivery))
            })
            .collect()
    }

    /// Puts reactions and files to the rows.
    async fn whole(&self, rows: impl Iterator<Item = SqliteRow>) -> Result<Vec<Stored>, ActError> {
        let mut messages = rows.map(|row| stored(&row)).collect::<Result<Vec<_>, _>>()?;
        if messages.is_empty() {
            return Ok(messages);
        }
        let ids: Vec<i64> = messages.iter().map(|message| message.id).collect();
        let ids = serde_json::to_string(&ids).map_err(ActError::storage)?;
        let reactions = sqlx::query(
            "SELECT message, emoji, user FROM reaction \
             WHERE message IN (SELECT value FROM json_each(?)) ORDER BY message, emoji, user",
        )
        .bind(&ids)
        .fetch_all(&self.pool)
        .await
        .map_err(ActError::storage)?;
        let files = sqlx::query(
            "SELECT message, id, name, media_type, size FROM file \
             WHERE message IN (SELECT value FROM json_each(?)) ORDER BY id",
        )
        .bind(&ids)
        .fetch_all(&self.pool)
        .await
        .map_err(ActError::storage)?;
        for message in messages
            .iter_mut()
            .filter(|message| message.body != Body::Deleted)
        {
            message.reactions = gathered(reactions.iter().filter(|row| row.get::<i64, _>(0) == message.id));
            let own = files.iter().filter(|row| row.get::<i64, _>(0) == message.id);
            message.files = own
                .map(|row| FileRef {
                    id: row.get::<i64, _>(1).to_string(),
                    name: row.get(2),
                    media_type: row.get(3),
                    size: row.get::<i64, _>(4).unsigned_abs(),
                })
                .collect();
        }
        Ok(messages)
    }
}

fn gathered<'a>(rows: impl Iterator<Item = &'a SqliteRow>) -> Vec<(String, Vec<String>)> {
    let mut reactions: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let (emoji, user): (String, String) = (row.get(1), row.get(2));
        match reactions.last_mut() {
            Some((last, users)) if *last == emoji => users.push(user),
            _ => reactions.push((emoji, vec![user])),
        }
    }
    reactions
}

fn stored(row: &SqliteRow) -> Result<Stored, ActError> {
    let author: Option<String> = row.get(3);
    let text: String = row.get(4);
    let body = match (&author, row.get::<bool, _>(7)) {
        (_, true) => Body::Deleted,
        (Some(_), false) => Body::Text(text),
        (None, false) => Body::Bot(serde_json::from_str::<Message>(&text).map_err(ActError::storage)?),
    };
    Ok(Stored {
        id: row.get(0),
        room: row.get(1),
        thread: row.get(2),
        author,
        body,
        at: moment(row.get(5)),
        edited: row.get::<Option<i64>, _>(6).map(moment),
        pinned: row.get(8),
        rev: row.get(9),
        replies: row.get(10),
        reactions: Vec::new(),
        files: Vec::new(),
    })
}
