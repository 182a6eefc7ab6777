//! Writing messages, and with each thing a person did its delivery to the bot, in the same transaction.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::rooms::known_room;
use super::{After, Done, NewFile, No, Op, Post};
use crate::chat::local::live::What;
use crate::chat::local::message_ref;
use crate::chat::local::model::Rooms;
use crate::chat::{FileRef, Incoming};

/// Messages written by one statement: more cost no less each.
pub const AT_ONCE: usize = 64;

/// A message of the bot with nothing attached, and its key.
pub fn plain(op: &Op) -> Option<(&Post, &str)> {
    match op {
        Op::Post(post) if post.by.is_none() && post.thread.is_none() && post.file.is_none() => {
            Some((post, post.key.as_deref()?))
        }
        _ => None,
    }
}

/// Writes [`plain`] messages in this order. They come as one JSON text, so that the statement is the same for any
/// number of them and stays prepared.
pub async fn post_plain(
    db: &mut SqliteConnection,
    rooms: &Rooms,
    posts: &[(&Post, &str)],
    after: &mut After,
) -> Result<Vec<Result<Done, No>>, sqlx::Error> {
    let open = |(post, _): &(&Post, &str)| match known_room(rooms, after, &post.room) {
        None => Err(No::Room),
        Some(room) if room.archived => Err(No::Archived),
        Some(_) => Ok(()),
    };
    let open: Vec<_> = posts.iter().map(open).collect();
    let rows = posts.iter().zip(&open).filter(|(_, open)| open.is_ok());
    let rows: Vec<_> = rows
        .map(|((post, key), _)| (&post.room, &post.body, post.at.timestamp_millis(), key))
        .collect();
    let rows = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let written: Vec<(i64, String)> = sqlx::query_as(
        "INSERT INTO message (room, body, at, key) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 \
         FROM json_each(?) WHERE true ON CONFLICT (key) DO NOTHING RETURNING id, key",
    )
    .bind(rows)
    .fetch_all(&mut *db)
    .await?;
    let written: HashMap<String, i64> = written.into_iter().map(|(id, key)| (key, id)).collect();
    let mut told = HashSet::new();
    let mut answers = Vec::with_capacity(posts.len());
    for ((post, key), open) in posts.iter().zip(open) {
        answers.push(match (open, written.get(*key)) {
            (Err(no), _) => Err(no),
            (Ok(()), Some(id)) => {
                if told.insert(id) {
                    tell(after, &post.room, *id, None, None, true);
                }
                Ok(Done::Message(*id))
            }
            (Ok(()), None) => {
                let id = known_by(db, key).await?;
                // The bot tries again what it could not know to be done, and by now it may have other words.
                let _ = update(db, id, &post.room, &post.body, after).await?;
                Ok(Done::Message(id))
            }
        });
    }
    Ok(answers)
}

/// The message that was written with this key before.
async fn known_by(db: &mut SqliteConnection, key: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM message WHERE key = ?")
        .bind(key)
        .fetch_one(db)
        .await
}

pub async fn post_message(
    db: &mut SqliteConnection,
    rooms: &Rooms,
    post: &Post,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    if let Some(key) = &post.key
        && let Some(row) = sqlx::query("SELECT id FROM message WHERE key = ?")
            .bind(key)
            .fetch_optional(&mut *db)
            .await?
    {
        let id = row.get(0);
        // The bot tries again what it could not know to be done, and by now it may have other words.
        if post.by.is_none() {
            let _ = update(db, id, &post.room, &post.body, after).await?;
        }
        return Ok(Ok(Done::Message(id)));
    }
    match known_room(rooms, after, &post.room) {
        None => return Ok(Err(No::Room)),
        Some(room) if room.archived => return Ok(Err(No::Archived)),
        Some(_) => {}
    }
    let thread = match post.thread {
        None => None,
        Some(id) => match thread_root(db, id, &post.room).await? {
            None => return Ok(Err(No::Message)),
            root => root,
        },
    };
    let author = post.by.as_ref().map(|by| by.user.as_str());
    let id: i64 = sqlx::query(
        "INSERT INTO message (room, thread, author, body, at, key) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&post.room)
    .bind(thread)
    .bind(author)
    .bind(&post.body)
    .bind(post.at.timestamp_millis())
    .bind(&post.key)
    .fetch_one(&mut *db)
    .await?
    .get(0);
    let files = match &post.file {
        None => Vec::new(),
        Some(file) => vec![insert_file(db, id, file).await?],
    };
    if let Some(from) = post.by.clone() {
        let incoming = Incoming::Wrote {
            from,
            message: message_ref(&post.room, id),
            thread: thread.map(|thread| thread.to_string()),
            text: post.body.clone(),
            at: post.at,
            files,
        };
        deliver(db, &format!("{}/{id}@0", post.room), post.at, &incoming, after).await?;
    }
    tell(after, &post.room, id, thread, author, true);
    if let Some(root) = thread {
        sqlx::query("UPDATE message SET rev = rev + 1 WHERE id = ?")
            .bind(root)
            .execute(db)
            .await?;
        tell(after, &post.room, root, None, None, false);
    }
    Ok(Ok(Done::Message(id)))
}

/// The message a thread hangs on: a reply to a reply goes to the same thread.
async fn thread_root(db: &mut SqliteConnection, id: i64, room: &str) -> Result<Option<i64>, sqlx::Error> {
    let row = sqlx::query("SELECT coalesce(thread, id) FROM message WHERE id = ? AND room = ?")
        .bind(id)
        .bind(room)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| row.get(0)))
}

async fn insert_file(
    db: &mut SqliteConnection,
    message: i64,
    file: &NewFile,
) -> Result<FileRef, sqlx::Error> {
    let size = file.bytes.len() as u64;
    let id: i64 = sqlx::query(
        "INSERT INTO file (message, name, media_type, size, sha256, bytes) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(message)
    .bind(&file.name)
    .bind(&file.media_type)
    .bind(size as i64)
    .bind(&file.sha256)
    .bind(&file.bytes)
    .fetch_one(db)
    .await?
    .get(0);
    Ok(FileRef {
        id: id.to_string(),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        size,
    })
}

pub async fn update(
    db: &mut SqliteConnection,
    id: i64,
    room: &str,
    body: &str,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let Some(row) = sqlx::query(
        "SELECT thread, body FROM message WHERE id = ? AND room = ? AND author IS NULL AND deleted IS NULL",
    )
    .bind(id)
    .bind(room)
    .fetch_optional(&mut *db)
    .await?
    else {
        return Ok(Err(No::Message));
    };
    // Saying the same again is no change: nobody's page should flicker.
    if row.get::<&str, _>(1) != body {
        sqlx::query("UPDATE message SET body = ?, rev = rev + 1 WHERE id = ?")
            .bind(body)
            .bind(id)
            .execute(db)
            .await?;
        tell(after, room, id, row.get(0), None, false);
    }
    Ok(Ok(Done::Message(id)))
}

pub async fn redact(
    db: &mut SqliteConnection,
    id: i64,
    room: &str,
    marker: &str,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let row = sqlx::query("SELECT thread FROM message WHERE id = ? AND room = ? AND author IS NOT NULL")
        .bind(id)
        .bind(room)
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = row else {
        return Ok(Err(No::Message));
    };
    for statement in [
        "UPDATE message SET body = ?, rev = rev + 1 WHERE id = ?",
        "UPDATE version SET body = ? WHERE message = ?",
        "UPDATE file SET name = ?, bytes = x'', size = 0 WHERE message = ?",
    ] {
        sqlx::query(statement)
            .bind(marker)
            .bind(id)
            .execute(&mut *db)
            .await?;
    }
    tell(after, room, id, row.get(0), None, false);
    Ok(Ok(Done::Message(id)))
}

pub async fn pin(
    db: &mut SqliteConnection,
    id: i64,
    room: &str,
    at: DateTime<Utc>,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let Some(row) = sqlx::query("SELECT pinned FROM message WHERE id = ? AND room = ? AND deleted IS NULL")
        .bind(id)
        .bind(room)
        .fetch_optional(&mut *db)
        .await?
    else {
        return Ok(Err(No::Message));
    };
    if row.get::<Option<i64>, _>(0).is_none() {
        sqlx::query("UPDATE message SET pinned = ?, rev = rev + 1 WHERE id = ?")
            .bind(at.timestamp_millis())
            .bind(id)
            .execute(db)
            .await?;
        tell(after, room, id, None, None, false);
        after.tell.push(What::Pinned { room: room.into() });
    }
    Ok(Ok(Done::Nothing))
}

/// Edits a person's message (`text`), or deletes it; what it said is kept.
pub async fn rewrite(
    db: &mut SqliteConnection,
    id: i64,
    room: &str,
    by: &str,
    text: Option<&String>,
    at: DateTime<Utc>,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let Some(row) = sqlx::query(
        "SELECT thread, author, body, rev FROM message WHERE id = ? AND room = ? AND deleted IS NULL",
    )
    .bind(id)
    .bind(room)
    .fetch_optional(&mut *db)
    .await?
    else {
        return Ok(Err(No::Message));
    };
    if row.get::<Option<&str>, _>(1) != Some(by) {
        return Ok(Err(No::NotYours));
    }
    let (thread, before, rev): (Option<i64>, &str, i64) = (row.get(0), row.get(2), row.get(3));
    if text.is_some_and(|text| text == before) {
        return Ok(Ok(Done::Message(id)));
    }
    let stamp = at.timestamp_millis();
    sqlx::query("INSERT INTO version (message, rev, body, until) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(rev)
        .bind(before)
        .bind(stamp)
        .execute(&mut *db)
        .await?;
    let message = message_ref(room, id);
    let change = match text {
        Some(_) => sqlx::query("UPDATE message SET body = ?2, edited = ?3, rev = rev + 1 WHERE id = ?1"),
        None => sqlx::query(
            "UPDATE message SET body = ?2, deleted = ?3, pinned = NULL, rev = rev + 1 WHERE id = ?1",
        ),
    };
    change
        .bind(id)
        .bind(text.map_or("", String::as_str))
        .bind(stamp)
        .execute(&mut *db)
        .await?;
    let incoming = match text {
        Some(text) => Incoming::Edited {
            message,
            text: text.clone(),
            at,
            of: None,
        },
        None => Incoming::Deleted {
            message,
            at,
            found_gone: false,
        },
    };
    deliver(db, &format!("{room}/{id}@{}", rev + 1), at, &incoming, after).await?;
    tell(after, room, id, thread, Some(by), false);
    Ok(Ok(Done::Message(id)))
}

pub async fn react(
    db: &mut SqliteConnection,
    op: &Op,
    after: &mut After,
) -> Result<Result<Done, No>, sqlx::Error> {
    let Op::React {
        id,
        room,
        by,
        emoji,
        present,
        at,
    } = op
    else {
        return Ok(Err(No::Message));
    };
    let Some(row) =
        sqlx::query("SELECT thread, rev FROM message WHERE id = ? AND room = ? AND deleted IS NULL")
            .bind(id)
            .bind(room)
            .fetch_optional(&mut *db)
            .await?
    else {
        return Ok(Err(No::Message));
    };
    let (thread, rev): (Option<i64>, i64) = (row.get(0), row.get(1));
    let change = if *present {
        sqlx::query("INSERT OR IGNORE INTO reaction (message, emoji, user) VALUES (?, ?, ?)")
    } else {
        sqlx::query("DELETE FROM reaction WHERE message = ? AND emoji = ? AND user = ?")
    };
    let changed = change
        .bind(id)
        .bind(emoji)
        .bind(&by.user)
        .execute(&mut *db)
        .await?
        .rows_affected()
        > 0;
    if changed {
        sqlx::query("UPDATE message SET rev = rev + 1 WHERE id = ?")
            .bind(id)
            .execute(&mut *db)
            .await?;
        let incoming = Incoming::Reacted {
            from: by.clone(),
            message: message_ref(room, *id),
            emoji: emoji.clone(),
            present: *present,
            at: *at,
        };
        let subject = format!("{room}/{id}/{}/{emoji}@{}", by.user, rev + 1);
        deliver(db, &subject, *at, &incoming, after).await?;
        tell(after, room, *id, thread, None, false);
    }
    Ok(Ok(Done::Message(*id)))
}

async fn deliver(
    db: &mut SqliteConnection,
    subject: &str,
    at: DateTime<Utc>,
    incoming: &Incoming,
    after: &mut After,
) -> Result<(), sqlx::Error> {
    let incoming = serde_json::to_string(incoming).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query("INSERT INTO delivery (subject, received, incoming) VALUES (?, ?, ?)")
        .bind(subject)
        .bind(at.timestamp_millis())
        .bind(incoming)
        .execute(db)
        .await?;
    after.delivery = true;
    Ok(())
}

fn tell(after: &mut After, room: &str, id: i64, thread: Option<i64>, author: Option<&str>, new: bool) {
    after.tell.push(What::Message {
        room: room.into(),
        id,
        thread,
        author: author.map(Into::into),
        new,
    });
}
