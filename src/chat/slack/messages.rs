//! Messages and what becomes of them, live or from history. Pure.
//!
//! Each version of a message has a subject of its own, the same live and in history, so that it is filed once.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::emoji;
use super::incoming::{Own, text, typed};
use crate::chat::{Delivery, FileRef, Incoming, Origin, Reacted};
use crate::incident::Identity;

/// When something happened, by Slack's own stamp: seconds, a dot, and a count that makes it unique.
pub fn moment(ts: &str) -> Option<DateTime<Utc>> {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, "0"));
    let micros: u32 = format!("{rest:0<6}").get(..6)?.parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, micros * 1000)
}

pub fn is_bot(message: &Value, own: &Own) -> bool {
    text(message, "bot_id").is_some() || text(message, "user") == Some(&own.user)
}

/// The workspace of a message's author.
pub fn team_of(message: &Value) -> Option<&str> {
    text(message, "user_team")
        .or_else(|| text(message, "source_team"))
        .or_else(|| text(message, "team"))
}

/// A message, live or from history. Its key is the subject; a live one gets the id of its event instead.
pub fn written(message: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    match is_bot(message, own) {
        true => None,
        false => as_written(message, channel, own, now),
    }
}

fn as_written(message: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    let ts = text(message, "ts")?;
    let subject = format!("slack:{}:{channel}:{ts}", own.team);
    let Origin {
        from,
        thread,
        at,
        files,
    } = origin(message, own)?;
    Some(Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Wrote {
            from,
            message: own.message(channel, ts),
            thread,
            text: said(message, own),
            at,
            files,
        },
    })
}

/// What a message is beside its words.
fn origin(message: &Value, own: &Own) -> Option<Origin> {
    // What comes by a webhook has no user.
    let author = text(message, "user").or_else(|| text(message, "bot_id"))?;
    let ts = text(message, "ts")?;
    let files = message["files"].as_array().into_iter().flatten();
    Some(Origin {
        from: own.identity(team_of(message), author),
        thread: text(message, "thread_ts")
            .filter(|thread| *thread != ts)
            .map(str::to_owned),
        at: moment(ts)?,
        files: files.filter_map(file).collect(),
    })
}

/// A message as it stands beside an event or in history: the version of its last edit, if it was ever edited. What it
/// said before that is told by other events, or by nobody any more.
pub fn standing(message: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    match is_bot(message, own) {
        true => None,
        false => as_it_stands(message, channel, own, now),
    }
}

/// The same of a message that somebody picked by its menu: what another bot says, an alert perhaps, counts because a
/// person says so. What we say ourselves is in the journal.
pub fn picked(message: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    match text(message, "user") == Some(&own.user) {
        true => None,
        false => as_it_stands(message, channel, own, now),
    }
}

fn as_it_stands(message: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    let edited = || edited(message, channel, own, now);
    is_said(message)
        .then(|| edited().or_else(|| as_written(message, channel, own, now)))
        .flatten()
}

/// Whether somebody said it, a bot perhaps, and not Slack itself: somebody joined, the topic was set, the message is gone.
pub fn is_said(message: &Value) -> bool {
    matches!(
        message["subtype"].as_str(),
        None | Some("file_share" | "thread_broadcast" | "me_message" | "bot_message")
    )
}

/// The words of a message. Bots say much in attachments and blocks; at what people write, these are previews of links.
fn said(message: &Value, own: &Own) -> String {
    let mut parts: Vec<&str> = text(message, "text").into_iter().collect();
    if is_bot(message, own) {
        let attachments = message["attachments"].as_array().into_iter().flatten();
        for attachment in attachments {
            let words = ["pretext", "title", "text"].map(|key| text(attachment, key));
            match words.iter().any(Option::is_some) {
                true => parts.extend(words.into_iter().flatten()),
                false => parts.extend(text(attachment, "fallback")),
            }
        }
        if parts.is_empty() {
            let blocks = message["blocks"].as_array().into_iter().flatten();
            parts.extend(blocks.filter_map(|block| text(&block["text"], "text")));
        }
    }
    typed(&parts.join("\n"))
}

fn file(file: &Value) -> Option<FileRef> {
    Some(FileRef {
        id: text(file, "id")?.to_owned(),
        name: text(file, "name")
            .or_else(|| text(file, "title"))
            .unwrap_or("file")
            .to_owned(),
        media_type: text(file, "mimetype")
            .unwrap_or("application/octet-stream")
            .to_owned(),
        size: file["size"].as_u64().unwrap_or_default(),
    })
}

/// An edit by a person. Slack says the same of a link that got its preview, and that is no edit.
pub fn changed(event: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    let (message, before) = (&event["message"], &event["previous_message"]);
    if message["subtype"] == "tombstone" {
        return deleted(event, channel, own, now);
    }
    if is_bot(message, own) {
        return None;
    }
    let stamp = text(&message["edited"], "ts")?;
    if before["edited"]["ts"].as_str() == Some(stamp) || before["text"] == message["text"] {
        return None;
    }
    edited(message, channel, own, now)
}

/// The edited version of a message, live or from history.
pub fn edited(message: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    let (ts, stamp) = (text(message, "ts")?, text(&message["edited"], "ts")?);
    let subject = format!("slack:{}:{channel}:{ts}:{stamp}", own.team);
    Some(Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Edited {
            message: own.message(channel, ts),
            text: said(message, own),
            at: moment(stamp)?,
            of: Some(origin(message, own)?),
        },
    })
}

pub fn deleted(event: &Value, channel: &str, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    let before = &event["previous_message"];
    if is_bot(before, own) || !is_said(before) {
        return None;
    }
    let ts = text(event, "deleted_ts")
        .or_else(|| text(&event["message"], "ts"))
        .or_else(|| text(&event["previous_message"], "ts"))?;
    let at = text(event, "event_ts").or_else(|| text(event, "ts"));
    let subject = format!("slack:{}:{channel}:{ts}:deleted", own.team);
    Some(Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Deleted {
            message: own.message(channel, ts),
            at: at.and_then(moment).unwrap_or(now),
            found_gone: false,
        },
    })
}

/// The stamp of a message of our own that somebody deleted; where it had a thread, something stands in its place.
pub fn ours_gone<'a>(event: &'a Value, own: &Own) -> Option<&'a str> {
    let before = &event["previous_message"];
    let gone = event["subtype"] == "message_deleted" || event["message"]["subtype"] == "tombstone";
    let ours = text(before, "user") == Some(&own.user);
    text(before, "ts").filter(|_| gone && ours)
}

/// Whether a message has this person's reaction now; `None` where Slack does not list all who reacted.
pub fn has_reaction(message: &Value, user: &str, wanted: &str, own: &Own) -> Option<bool> {
    let mut whole = true;
    for reaction in message["reactions"].as_array().into_iter().flatten() {
        if emoji::as_configured(text(reaction, "name").unwrap_or_default(), &own.marks) != wanted {
            continue;
        }
        let users = reaction["users"].as_array().map_or(&[][..], Vec::as_slice);
        if users.iter().any(|known| known == user) {
            return Some(true);
        }
        let count = reaction["count"].as_u64().unwrap_or_default();
        whole &= count <= users.len() as u64;
    }
    whole.then_some(false)
}

/// A message that was there and is not in history any more.
pub fn found_gone(ts: &str, channel: &str, own: &Own, now: DateTime<Utc>) -> Delivery {
    let subject = format!("slack:{}:{channel}:{ts}:deleted", own.team);
    Delivery {
        key: subject.clone(),
        subject: Some(subject),
        received: now,
        incoming: Incoming::Deleted {
            message: own.message(channel, ts),
            at: now,
            found_gone: true,
        },
    }
}

/// How the marks of a message of history differ from what is known.
pub fn marked(
    message: &Value,
    channel: &str,
    own: &Own,
    now: DateTime<Utc>,
    known: &[Reacted],
) -> Vec<Delivery> {
    let Some(ts) = text(message, "ts").filter(|_| !is_bot(message, own)) else {
        return Vec::new();
    };
    let told = |from: Identity, emoji: &str, present: bool| Delivery {
        // A reaction comes, goes and comes again: each time it is found is one of its own.
        key: format!(
            "slack:{}:{channel}:{ts}:{}:{emoji}:found:{}",
            own.team,
            from.user,
            now.timestamp_micros()
        ),
        subject: None,
        received: now,
        incoming: Incoming::Reacted {
            from,
            message: own.message(channel, ts),
            emoji: emoji.to_owned(),
            present,
            // Slack does not say since when; a mark of the timeline itself stands at the message's own time.
            at: now,
        },
    };
    let mut found = Vec::new();
    let mut there = HashSet::new();
    for reaction in message["reactions"].as_array().into_iter().flatten() {
        let emoji = emoji::as_configured(text(reaction, "name").unwrap_or_default(), &own.marks);
        if !own.marks.contains(&emoji) {
            continue;
        }
        let users = reaction["users"].as_array().into_iter().flatten();
        for user in users.filter_map(Value::as_str).filter(|user| *user != own.user) {
            let is_known = known
                .iter()
                .any(|known| known.emoji == emoji && known.who.iter().any(|known| known.user == user));
            if !is_known && there.insert((emoji.clone(), user)) {
                found.push(told(own.identity(None, user), &emoji, true));
            }
        }
    }
    for known in known {
        // Of many, Slack lists a few: then nobody knows.
        let gone = |who: &Identity| has_reaction(message, &who.user, &known.emoji, own) == Some(false);
        if let Some(first) = known.who.first()
            && known.who.iter().all(gone)
        {
            found.push(told(first.clone(), &known.emoji, false));
        }
    }
    found
}

/// No subject: a reaction may come, go and come again, and each of these counts.
pub fn reacted(event: &Value, present: bool, own: &Own, now: DateTime<Utc>) -> Option<Delivery> {
    let item = &event["item"];
    let user = text(event, "user").filter(|user| *user != own.user)?;
    let (channel, ts) = (text(item, "channel")?, text(item, "ts")?);
    Some(Delivery {
        key: String::new(),
        subject: None,
        received: now,
        incoming: Incoming::Reacted {
            from: own.identity(text(event, "user_team"), user),
            message: own.message(channel, ts),
            emoji: emoji::as_configured(text(event, "reaction")?, &own.marks),
            present,
            at: text(event, "event_ts").and_then(moment).unwrap_or(now),
        },
    })
}

/// Channel and message of a link such as `https://acme.slack.com/archives/C0123/p1772442005000100`.
pub fn linked(link: &str) -> Option<(String, String)> {
    let link = Url::parse(link).ok()?;
    let host = link.host_str()?;
    if host != "slack.com" && !host.ends_with(".slack.com") {
        return None;
    }
    let mut path = link.path_segments()?;
    let (archives, channel, message) = (path.next()?, path.next()?, path.next()?);
    let digits = message.strip_prefix('p')?;
    // The last six are the fraction of the second.
    let (seconds, fraction) = digits.split_at_checked(digits.len().checked_sub(6)?)?;
    let sound = archives == "archives" && digits.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| (channel.to_owned(), format!("{seconds}.{fraction}")))
}
