//! Messages and what becomes of them, live or from history. Pure.
//!
//! Each version of a message has a subject of its own, the same live and in history, so that it is filed once.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::ids::moment;
use super::incoming::{Names, Own, named, text};
use super::places::Spot;
use crate::chat::{Delivery, FileRef, Incoming, Origin};
use crate::incident::MessageRef;

/// Kinds of messages that people write: a plain one, and a reply. The rest is what Discord itself says.
const WRITTEN: [u64; 2] = [0, 19];

fn by_person(message: &Value, own: &Own) -> bool {
    let author = &message["author"];
    let kind = message["type"].as_u64().unwrap_or_default();
    author["bot"] != true
        && text(author, "id") != Some(&own.user)
        && text(message, "webhook_id").is_none()
        && WRITTEN.contains(&kind)
}

fn subject(own: &Own, at: &MessageRef) -> String {
    format!("discord:{}:{}:{}", own.guild, at.room.room, at.message)
}

/// A message, live or from history. Its key is the subject.
pub fn written(
    message: &Value,
    spot: &Spot,
    own: &Own,
    names: &Names<'_>,
    now: DateTime<Utc>,
) -> Option<Delivery> {
    if !by_person(message, own) {
        return None;
    }
    let at = own.at(spot, text(message, "id")?);
    let origin = origin(message, spot, own, now)?;
    let subject = subject(own, &at);
    Some(Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Wrote {
            from: origin.from,
            message: at,
            thread: origin.thread,
            text: named(&content(message), names),
            at: origin.at,
            files: origin.files,
        },
    })
}

/// What a message is beside its words.
fn origin(message: &Value, spot: &Spot, own: &Own, now: DateTime<Utc>) -> Option<Origin> {
    let files = message["attachments"].as_array().into_iter().flatten();
    Some(Origin {
        from: own.identity(text(&message["author"], "id")?),
        thread: spot.thread.clone(),
        at: moment(text(message, "id")?).unwrap_or(now),
        files: files.filter_map(file).collect(),
    })
}

/// What was written; of a forwarded message, what was forwarded.
fn content(message: &Value) -> String {
    let own = message["content"].as_str().unwrap_or_default();
    let snapshots = message["message_snapshots"].as_array().into_iter().flatten();
    let forwarded = snapshots.filter_map(|snapshot| text(&snapshot["message"], "content"));
    let all = std::iter::once(own)
        .chain(forwarded)
        .filter(|text| !text.is_empty());
    all.collect::<Vec<_>>().join("\n")
}

fn file(file: &Value) -> Option<FileRef> {
    Some(FileRef {
        id: text(file, "id")?.to_owned(),
        name: text(file, "filename").unwrap_or("file").to_owned(),
        media_type: text(file, "content_type")
            .unwrap_or("application/octet-stream")
            .to_owned(),
        size: file["size"].as_u64().unwrap_or_default(),
    })
}

/// A moment as Discord writes it.
pub fn stamp(written: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(written.as_str()?).ok()?;
    Some(at.with_timezone(&Utc))
}

/// A message as it stands in history, or beside what was done to it: the version of its last edit, if it was ever edited.
/// What it said before that is told by other events, or by nobody any more.
pub fn standing(
    message: &Value,
    spot: &Spot,
    own: &Own,
    names: &Names<'_>,
    now: DateTime<Utc>,
) -> Option<Delivery> {
    edited(message, spot, own, names, now).or_else(|| written(message, spot, own, names, now))
}

/// The edited version of a message, live or from history. Discord says the same of a link that got its preview; that has
/// no stamp, or the one that is known.
pub fn edited(
    message: &Value,
    spot: &Spot,
    own: &Own,
    names: &Names<'_>,
    now: DateTime<Utc>,
) -> Option<Delivery> {
    if !by_person(message, own) || !message["content"].is_string() {
        return None;
    }
    let stamp = stamp(&message["edited_timestamp"])?;
    let at = own.at(spot, text(message, "id")?);
    let subject = format!("{}:{}", subject(own, &at), stamp.timestamp_micros());
    Some(Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Edited {
            message: at,
            text: named(&content(message), names),
            at: stamp,
            of: origin(message, spot, own, now),
        },
    })
}

pub fn deleted(id: &str, spot: &Spot, own: &Own, now: DateTime<Utc>) -> Delivery {
    no_more(own.at(spot, id), false, own, now)
}

/// A message that was there and is not in history any more, by the id under which it is known.
pub fn found_gone(message: &str, room: &str, own: &Own, now: DateTime<Utc>) -> Delivery {
    no_more(own.message(room, message), true, own, now)
}

fn no_more(message: MessageRef, found_gone: bool, own: &Own, now: DateTime<Utc>) -> Delivery {
    let subject = format!("{}:deleted", subject(own, &message));
    Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Deleted {
            message,
            at: now,
            found_gone,
        },
    }
}

/// A reaction as it is now. No subject: it may come, go and come again, and each of these counts. `key` names the event.
pub fn reacted(
    user: &str,
    message: &str,
    emoji: String,
    present: bool,
    spot: &Spot,
    own: &Own,
    (key, now): (String, DateTime<Utc>),
) -> Delivery {
    Delivery {
        key,
        subject: None,
        received: now,
        incoming: Incoming::Reacted {
            from: own.identity(user),
            message: own.at(spot, message),
            emoji,
            present,
            at: now,
        },
    }
}
