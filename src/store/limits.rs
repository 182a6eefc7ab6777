//! The bounds of the store, and the check that a commit keeps them.

use chrono::{DateTime, Utc};

use super::chain::nanos;
use super::{Commit, Delivery, Error, Redaction, Snapshot, Stream};

/// Deliveries that may wait for a decision: a minute of the fastest flood that two cores take in (12,000 a second), of
/// which they decide a quarter meanwhile. They take about 400 MB on the disk and 20 MB of memory, beside the first of each
/// line.
pub const INBOX_BOUND: usize = 600_000;

/// The part of the bound kept for approvals: more people than a company has on call.
pub const INBOX_RESERVE: usize = 500;

/// An event is a fact, not a file: a pinned runbook is the largest and has about 40 kB.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Bodies of deliveries, effects, timers, posts and summaries. Slack's largest message event is below 100 kB.
pub const MAX_BODY: usize = 512 << 10;

/// Keys, names and ids. The longest known, a Discord interaction with its room and user, has about 100 bytes.
pub const MAX_KEY: usize = 512;

/// A file or the output of a probe. A screenshot has 5 MB at most; larger belongs where files live.
pub const MAX_EVIDENCE: usize = 16 << 20;

/// The state of an incident of 10,000 events is about 5 MB.
pub const MAX_SNAPSHOT: usize = 32 << 20;

/// Rows of one kind in one commit; a decision makes about ten.
pub const MAX_ROWS: usize = 2_000;

fn text(what: &'static str, text: &str, limit: usize) -> Result<(), Error> {
    if text.len() > limit {
        return Err(Error::TooLarge {
            what,
            bytes: text.len(),
            limit,
        });
    }
    Ok(())
}

fn key(what: &'static str, value: &str) -> Result<(), Error> {
    text(what, value, MAX_KEY)
}

fn rows(what: &'static str, count: usize) -> Result<(), Error> {
    if count > MAX_ROWS {
        return Err(Error::TooLarge {
            what,
            bytes: count,
            limit: MAX_ROWS,
        });
    }
    Ok(())
}

fn time(time: DateTime<Utc>) -> Result<(), Error> {
    nanos(time).map(|_| ())
}

fn times(all: impl IntoIterator<Item = DateTime<Utc>>) -> Result<(), Error> {
    all.into_iter().try_for_each(time)
}

/// Streams are numbered from 1; SQLite's integers have a sign.
fn stream(stream: Stream) -> Result<(), Error> {
    match stream {
        Stream::Incident(id) if id.0 == 0 || i64::try_from(id.0).is_err() => Err(Error::invalid(format!(
            "{stream} is no stream; incidents count from 1"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn check_delivery(delivery: &Delivery) -> Result<(), Error> {
    key("the delivery key", &delivery.delivery_key)?;
    key(
        "the subject key",
        delivery.subject_key.as_deref().unwrap_or_default(),
    )?;
    key("the platform", &delivery.platform)?;
    time(delivery.received)?;
    text("the message", &delivery.body, MAX_BODY)
}

pub(super) fn check_snapshot(snapshot: &Snapshot) -> Result<(), Error> {
    stream(snapshot.stream)?;
    let bytes = snapshot.bytes.len();
    if bytes > MAX_SNAPSHOT {
        return Err(Error::TooLarge {
            what: "the snapshot",
            bytes,
            limit: MAX_SNAPSHOT,
        });
    }
    Ok(())
}

pub(super) fn check(commit: &Commit) -> Result<(), Error> {
    time(commit.at)?;
    check_events(commit)?;
    check_outbox(commit)?;
    check_rest(commit)?;
    check_room_log(commit)?;
    check_redactions(commit)
}

fn check_events(commit: &Commit) -> Result<(), Error> {
    for append in &commit.appends {
        stream(append.stream)?;
        rows("the number of events", append.events.len())?;
        for event in &append.events {
            key("the kind of an event", &event.kind)?;
            key("the source of an event", &event.source)?;
            key("the author of an event", &event.by)?;
            times([event.recorded, event.occurred])?;
            text("the payload of an event", &event.payload, MAX_PAYLOAD)?;
        }
    }
    rows("the number of decided deliveries", commit.inbox_done.len())?;
    let mut outcomes = commit.inbox_done.iter().map(|done| &done.outcome);
    outcomes.try_for_each(|outcome| text("the outcome", outcome, MAX_BODY))
}

fn check_outbox(commit: &Commit) -> Result<(), Error> {
    rows("the number of effects", commit.effects.len())?;
    for effect in &commit.effects {
        key("the key of an effect", &effect.key)?;
        key("the channel of an effect", &effect.channel)?;
        times(effect.not_before.into_iter().chain(effect.deadline))?;
        text("the body of an effect", &effect.body, MAX_BODY)?;
    }
    for retry in &commit.effects_retry {
        time(retry.not_before)?;
        text("the error of an effect", &retry.error, MAX_BODY)?;
    }
    Ok(())
}

fn check_rest(commit: &Commit) -> Result<(), Error> {
    for (of, name) in &commit.timers_cleared {
        stream(*of)?;
        key("the key of a timer", name)?;
    }
    for timer in &commit.timers_set {
        stream(timer.stream)?;
        key("the key of a timer", &timer.key)?;
        time(timer.due)?;
        text("the body of a timer", &timer.body, MAX_BODY)?;
    }
    for lock in commit.locks_taken.iter().chain(&commit.locks_released) {
        stream(Stream::Incident(lock.incident))?;
        key("the name of a target", &lock.target)?;
    }
    for post in &commit.posts {
        stream(Stream::Incident(post.incident))?;
        key("the slot of a post", &post.slot)?;
        text(
            "the reference of a post",
            post.message.as_deref().unwrap_or_default(),
            MAX_BODY,
        )?;
    }
    for summary in &commit.summaries {
        stream(Stream::Incident(summary.incident))?;
        text("the summary", &summary.body, MAX_BODY)?;
    }
    for evidence in &commit.evidence {
        stream(Stream::Incident(evidence.incident))?;
        key("the media type of a file", &evidence.media_type)?;
        let bytes = evidence.bytes.len();
        if bytes > MAX_EVIDENCE {
            return Err(Error::TooLarge {
                what: "the file",
                bytes,
                limit: MAX_EVIDENCE,
            });
        }
    }
    Ok(())
}

fn check_room_log(commit: &Commit) -> Result<(), Error> {
    rows("the number of messages", commit.room_log.len())?;
    for entry in &commit.room_log {
        stream(Stream::Incident(entry.incident))?;
        key("the room", &entry.room)?;
        key("the message id", &entry.message)?;
        key("the thread", entry.thread.as_deref().unwrap_or_default())?;
        key("the author", &entry.author)?;
        times([entry.at, entry.recorded])?;
        text("the message", entry.text.as_deref().unwrap_or_default(), MAX_BODY)?;
        text(
            "the files of the message",
            entry.files.as_deref().unwrap_or_default(),
            MAX_BODY,
        )?;
    }
    Ok(())
}

fn check_redactions(commit: &Commit) -> Result<(), Error> {
    for redaction in &commit.redactions {
        match redaction {
            Redaction::Event {
                stream: of, marker, ..
            } => {
                stream(*of)?;
                text("the marker", marker, MAX_PAYLOAD)?;
            }
            Redaction::Message { marker: body, .. }
            | Redaction::Delivery { body, .. }
            | Redaction::Outcomes { outcome: body, .. }
            | Redaction::Effect { body, .. } => text("the marker", body, MAX_BODY)?,
            Redaction::Evidence { .. } => {}
        }
    }
    Ok(())
}
