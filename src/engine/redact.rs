//! Taking words out of the journal: what a redacted row still says, and where else the same words stand.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::decide::Failed;
use super::plan::Task;
use super::ports::Redact;
use super::{Engine, journal, plan, told};
use crate::chat::{Delivery, Incoming, Message, Verdict};
use crate::incident::{Event, FileFate, Gap, IncidentId, MessageRef, Recorded, Refusal, RoomRef};
use crate::store::{Hash, InboxId, NewEffect, Redaction, Stream};

/// What stands in place of what was removed.
pub(super) const GONE: &str = "[redacted]";

/// Deliveries that wait, read at a time.
const PAGE: usize = 1_000;

/// Tasks of the outbox looked through: more than wait after a day's outage.
const MOST_WAITING: usize = 100_000;

/// Also what is to be tried again later: nothing waits for longer.
const LONGEST_WAIT_OUT: TimeDelta = TimeDelta::days(7);

/// Kinds that approvals and attempts rest on.
pub(super) const KEPT: [&str; 4] = ["opened", "proposed", "approved", "attempt_started"];

/// Fields that hold what people or systems said. Everything else is a fixed word, a number or a reference: it carries
/// no secret, and the row has to read as what it was.
const FREE_TEXT: [&str; 30] = [
    "text",
    "reason",
    "detail",
    "note",
    "summary",
    "excerpt",
    "answer",
    "grounds",
    "message",
    "title",
    "what",
    "works",
    "who",
    "impact",
    "sentence",
    "why",
    "report",
    "author",
    "url",
    "reference",
    "facts",
    "effect",
    "display",
    "tracker",
    "intro",
    "question",
    "label",
    "caveats",
    "provenance",
    "open",
];

/// All that goes with it.
pub(super) struct Redacting {
    /// The first event of it; 0: none holds its words.
    pub row: u64,
    pub redactions: Vec<Redaction>,
    /// Messages of which nothing is said any more, whatever is told of them later.
    pub messages: Vec<MessageRef>,
    /// What makes true their copies in other rooms, and what Orderly itself said of them.
    pub effects: Vec<NewEffect>,
    /// The title that lists show.
    pub title: Option<String>,
}

impl Engine {
    /// Every place where the words stand: an event or all that were made of one message, the room log, files, copies. The
    /// rooms that were left count as well.
    /// Asked for by the delivery `inbox`.
    pub(super) async fn redacting(
        &self,
        incident: IncidentId,
        what: &Redact,
        inbox: InboxId,
    ) -> Result<Redacting, Failed> {
        let journal = journal::load(&*self.inner.parts.store, incident).await?;
        if journal.is_empty() {
            return Err(super::handle::no_incident().into());
        }
        let rooms = rooms_ever(&journal);
        let messages = match what {
            Redact::Row(row) => {
                let event = journal.iter().find(|recorded| recorded.seq == *row);
                let event = event.and_then(|recorded| recorded.event.as_ref());
                event.and_then(source).cloned().into_iter().collect()
            }
            Redact::Message(typed) => self.kept_as(&rooms, typed).await?,
        };
        let told_of = |recorded: &&Recorded| {
            let source = recorded.event.as_ref().and_then(source);
            source.is_some_and(|source| messages.contains(source))
        };
        let mut rows: Vec<u64> = journal
            .iter()
            .filter(told_of)
            .map(|recorded| recorded.seq)
            .collect();
        match what {
            Redact::Row(row) if !rows.contains(row) => rows.push(*row),
            Redact::Message(message) if messages.is_empty() => {
                return Err(Refusal::new(format!(
                    "No message `{message}` is kept for {incident}. Copy the link of the message and type that, or the number of \
                     its event, such as e12: `/timeline` shows them."
                ))
                .into());
            }
            _ => {}
        }
        let mut redactions: Vec<Redaction> = messages
            .iter()
            .map(|message| Redaction::Message {
                room: message.room.to_string(),
                message: message.message.clone(),
                marker: GONE.to_owned(),
            })
            .collect();
        for row in &rows {
            redactions.extend(self.row_redactions(incident, *row).await?);
        }
        redactions.extend(exports(&journal, &rows));
        redactions.extend(self.inbox_redactions(&messages, inbox).await?);
        redactions.extend(self.outbox_redactions().await?);
        let copies = messages.iter().flat_map(|message| {
            let others = rooms.iter().filter(|room| **room != message.room);
            others.map(|room| plan::carry(incident, message, room, false, self.now()))
        });
        let anew = match rows.is_empty() {
            true => None,
            false => self.said_anew(&journal, &rows, &rooms),
        };
        let (said, title) = anew.map(|anew| (anew.effects, anew.title)).unzip();
        Ok(Redacting {
            row: match what {
                Redact::Row(row) => *row,
                Redact::Message(_) => rows.first().copied().unwrap_or_default(),
            },
            effects: messages
                .iter()
                .map(|message| plan::scrub(incident, message))
                .chain(copies)
                .chain(said.into_iter().flatten())
                .collect(),
            title,
            redactions,
            messages,
        })
    }

    /// The messages of these rooms' log that a link or an id means.
    async fn kept_as(&self, rooms: &BTreeSet<RoomRef>, typed: &str) -> Result<Vec<MessageRef>, Failed> {
        let mut linked = None;
        for chat in &self.inner.parts.chats {
            linked = linked.or(chat.linked(typed).await);
        }
        let meant: Vec<MessageRef> = match linked {
            Some(message) => vec![self.original(&message).await?],
            None => rooms
                .iter()
                .map(|room| MessageRef {
                    room: room.clone(),
                    message: typed.to_owned(),
                })
                .collect(),
        };
        let mut kept = Vec::new();
        for message in meant {
            if rooms.contains(&message.room) && !self.versions(&message).await?.is_empty() {
                kept.push(message);
            }
        }
        Ok(kept)
    }

    /// The row as it will stand after a redaction, and what it keeps as evidence.
    async fn row_redactions(&self, incident: IncidentId, row: u64) -> Result<Vec<Redaction>, Failed> {
        let stream = Stream::Incident(incident);
        let store = &self.inner.parts.store;
        let stored = store.events(stream, row.saturating_sub(1), 1).await?;
        let Some(stored) = stored.into_iter().find(|stored| stored.seq == row) else {
            return Err(Refusal::new(format!(
                "{incident} has no event #{row}. `/timeline` shows the numbers."
            ))
            .into());
        };
        let kind = stored.event.kind.as_str();
        if KEPT.contains(&kind) {
            return Err(Refusal::new(format!(
                "Event #{row} ({kind}) is what approvals and attempts rest on; it cannot be redacted. \
                 If a secret stands in it, change the secret, and say so with `/note`."
            ))
            .into());
        }
        let event = Event::read(kind, stored.event.version, &stored.event.payload).ok();
        let kept = match &event {
            Some(event) => self.bytes_of(incident, event).await?,
            None => Vec::new(),
        };
        let kept = kept.into_iter().map(|sha256| Redaction::Evidence { sha256 });
        let marked = Redaction::Event {
            stream,
            seq: row,
            marker: marker(&stored.event.payload),
        };
        Ok(kept.chain([marked]).collect())
    }

    /// What the inbox has of it: answers that may quote the words, and deliveries that wait and tell them again. What
    /// was decided has no body any more.
    async fn inbox_redactions(
        &self,
        messages: &[MessageRef],
        before: InboxId,
    ) -> Result<Vec<Redaction>, Failed> {
        let outcome = serde_json::to_string(&self.no_longer_kept()).unwrap_or_default();
        let mut redactions = vec![Redaction::Outcomes { before, outcome }];
        let mut after = InboxId(0);
        loop {
            let page = self.inner.parts.store.pending(after, PAGE).await?;
            for row in &page {
                after = row.id;
                let delivery = serde_json::from_str(&row.body).ok();
                let silent = delivery.and_then(|delivery| silenced(delivery, messages));
                let body = silent.and_then(|silent| serde_json::to_string(&silent).ok());
                redactions.extend(body.map(|body| Redaction::Delivery { inbox: row.id, body }));
            }
            if page.len() < PAGE {
                return Ok(redactions);
            }
        }
    }

    /// Answers and forms that wait for their platform quote words as well, and nobody knows which. Whoever waits for one
    /// learns where to look.
    async fn outbox_redactions(&self) -> Result<Vec<Redaction>, Failed> {
        let until = self.now() + LONGEST_WAIT_OUT;
        let waiting = self
            .inner
            .parts
            .store
            .due_effects(until, &[], MOST_WAITING)
            .await?;
        let instead = self.no_longer_kept().message;
        let silent = waiting.into_iter().filter_map(|stored| {
            let silent = unanswered(serde_json::from_str(&stored.effect.body).ok()?, &instead)?;
            Some(Redaction::Effect {
                effect: stored.id,
                body: silent.body(),
            })
        });
        Ok(silent.collect())
    }

    /// What an event keeps as evidence: a file, the files of a message, the full output of a probe.
    async fn bytes_of(&self, incident: IncidentId, event: &Event) -> Result<Vec<Hash>, Failed> {
        let hashes: Vec<String> = match event {
            Event::FileKept { sha256, .. } => vec![sha256.clone()],
            Event::ProbeAnswered { answer, .. } => answer.output.clone().into_iter().collect(),
            Event::MessageMarked { marked, .. } => {
                let state = self.state(incident).await?;
                let mark = state.as_ref().and_then(|state| state.marks.get(&marked.message));
                let fates = mark.into_iter().flat_map(|mark| mark.files.values());
                fates
                    .filter_map(|fate| match fate {
                        FileFate::Kept { sha256, .. } => Some(sha256.clone()),
                        FileFate::Missed { .. } => None,
                    })
                    .collect()
            }
            _ => Vec::new(),
        };
        Ok(hashes.iter().filter_map(|hash| hash.parse().ok()).collect())
    }

    /// Stands in place of an answer: whoever sends the same again learns where to look.
    fn no_longer_kept(&self) -> Verdict {
        let words = "This was decided. What was answered is not kept any more, because words were redacted since; `/status` \
                     shows how things stand.";
        Verdict {
            accepted: true,
            message: self.inner.parts.words.say(words),
            field: None,
            incident: None,
        }
    }

    /// The chain of the incident's journal, checked from the first event to the last.
    pub(super) async fn verify(&self, incident: IncidentId) -> Result<Message, Failed> {
        let store = &self.inner.parts.store;
        let mut report = crate::store::verify(&**store, None).await?;
        report
            .faults
            .extend(told::check_gaps(&**store, &report.gaps).await?);
        let stream = Stream::Incident(incident);
        let head = store.head(stream).await?;
        let words = match report.faults.iter().find(|fault| fault.stream == stream) {
            None => {
                let kept = journal::check_kept(&**store, Some(incident)).await?;
                let wrong = kept.iter().any(|(.., what)| *what == journal::Kept::Wrong);
                let more = match wrong {
                    true => {
                        " What is kept folded of it does not agree with it: the operator drops that with \
                         `orderly journal verify --drop-kept`, and nothing is lost."
                    }
                    false => "",
                };
                format!(
                    "The journal of {incident} is whole: {} events, head {incident}@{}:{}.{more}",
                    head.seq, head.seq, head.hash
                )
            }
            Some(fault) => format!(
                "The journal of {incident} was tampered with: {fault}. Keep the file and call the operator."
            ),
        };
        Ok(self.inner.parts.words.say(&words))
    }
}

/// The events that lose their words, and what will stand in their place.
pub(super) fn gaps(redactions: &[Redaction]) -> Vec<Gap> {
    let gaps = redactions.iter().filter_map(|redaction| match redaction {
        Redaction::Event { seq, marker, .. } => Some(Gap {
            row: *seq,
            sha256: Hash::of(marker.as_bytes()).to_string(),
        }),
        _ => None,
    });
    gaps.collect()
}

/// What one person waits for, without words of the incident; `None`: it holds none.
fn unanswered(task: Task, instead: &Message) -> Option<Task> {
    let (room, thread, to) = match task {
        Task::Whisper { room, thread, to, .. } => (room, thread, to),
        // A form comes filled in with what was said.
        Task::Form { room, to, .. } => (room, None, to),
        _ => return None,
    };
    Some(Task::Whisper {
        room,
        thread,
        to,
        message: instead.clone(),
    })
}

/// The documents that were exported while they still held the words. One that is asked for again is made anew.
fn exports(journal: &[Recorded], rows: &[u64]) -> Vec<Redaction> {
    let Some(first) = rows.iter().min() else {
        return Vec::new();
    };
    let held = journal.iter().filter_map(|recorded| match &recorded.event {
        Some(Event::Exported { as_of, sha256, .. }) if as_of >= first => sha256.parse().ok(),
        _ => None,
    });
    held.map(|sha256| Redaction::Evidence { sha256 }).collect()
}

/// A delivery that tells what one of these messages says, without the words; `None`: it tells nothing of them.
fn silenced(mut delivery: Delivery, messages: &[MessageRef]) -> Option<Delivery> {
    match &mut delivery.incoming {
        Incoming::Wrote {
            message, text, files, ..
        } if messages.contains(message) => {
            GONE.clone_into(text);
            files.clear();
        }
        Incoming::Edited {
            message, text, of, ..
        } if messages.contains(message) => {
            GONE.clone_into(text);
            if let Some(of) = of {
                of.files.clear();
            }
        }
        _ => return None,
    }
    Some(delivery)
}

/// Every room the incident ever had, those it has left included.
fn rooms_ever(journal: &[Recorded]) -> BTreeSet<RoomRef> {
    let rooms = journal.iter().filter_map(|recorded| match &recorded.event {
        Some(Event::RoomOpened { room, .. }) => Some(room.clone()),
        Some(Event::Opened { opening }) => opening.here.clone(),
        _ => None,
    });
    rooms.collect()
}

/// The message an event took its words from.
pub(super) fn source(event: &Event) -> Option<&MessageRef> {
    match event {
        Event::MessageMarked { marked, .. } => Some(&marked.message),
        Event::MessageChanged { message, .. } => Some(message),
        Event::TaskAdded { source, .. } | Event::FollowupAdded { source, .. } => source.as_ref(),
        _ => None,
    }
}

/// A payload without its words.
pub(super) fn marker(payload: &str) -> String {
    let mut payload: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
    blank(&mut payload);
    payload.to_string()
}

fn blank(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(blank),
        serde_json::Value::Object(fields) => {
            // Where a message is says nothing about what it says.
            let place = fields.contains_key("room");
            // Elsewhere a name is a fixed word; the name of a file is what somebody typed.
            let file = fields.contains_key("media_type") || fields.contains_key("file");
            for (name, field) in fields {
                match field {
                    serde_json::Value::String(text)
                        if !place && (FREE_TEXT.contains(&name.as_str()) || file && name == "name") =>
                    {
                        *text = GONE.to_owned();
                    }
                    serde_json::Value::Array(items) if FREE_TEXT.contains(&name.as_str()) => {
                        for item in items {
                            match item {
                                serde_json::Value::String(text) => *text = GONE.to_owned(),
                                other => blank(other),
                            }
                        }
                    }
                    // Its tag is called `why`; the rest are numbers.
                    _ if name == "purpose" => {}
                    other => blank(other),
                }
            }
        }
        _ => {}
    }
}
