//! Taking words out of the journal: what a redacted row still says, and where else the same words stand.

use super::decide::Failed;
use super::{Engine, journal};
use crate::chat::{Block, Message};
use crate::incident::{Event, FileFate, IncidentId, MessageRef, Refusal};
use crate::store::{Hash, Redaction, Stream};

/// What stands in place of what was removed.
const GONE: &str = "[redacted]";

/// Kinds that approvals and attempts rest on.
const KEPT: [&str; 4] = ["opened", "proposed", "approved", "attempt_started"];

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

impl Engine {
    /// The row as it will stand after a redaction, and the message in the room log that says the same.
    pub(super) async fn redactions(&self, incident: IncidentId, row: u64) -> Result<Vec<Redaction>, Failed> {
        let stream = Stream::Incident(incident);
        let store = &self.inner.parts.store;
        let stored = store.events(stream, row.saturating_sub(1), 1).await?;
        let Some(stored) = stored.into_iter().find(|stored| stored.seq == row) else {
            return Err(Refusal::new(format!(
                "{incident} has no event #{row}. `timeline` shows the numbers."
            ))
            .into());
        };
        let kind = stored.event.kind.as_str();
        if KEPT.contains(&kind) {
            return Err(Refusal::new(format!(
                "Event #{row} ({kind}) is what approvals and attempts rest on; it cannot be redacted. \
                 If a secret stands in it, change the secret, and say so with `note`."
            ))
            .into());
        }
        let mut redactions = Vec::new();
        let event = Event::read(kind, stored.event.version, &stored.event.payload).ok();
        if let Some(message) = event.as_ref().and_then(source) {
            redactions.push(Redaction::Message {
                room: message.room.to_string(),
                message: message.message.clone(),
                marker: GONE.to_owned(),
            });
        }
        let kept = match &event {
            Some(event) => self.bytes_of(incident, event).await?,
            None => Vec::new(),
        };
        redactions.extend(kept.into_iter().map(|sha256| Redaction::Evidence { sha256 }));
        redactions.push(Redaction::Event {
            stream,
            seq: row,
            marker: marker(&stored.event.payload),
        });
        Ok(redactions)
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

    /// The chain of the incident's journal, checked from the first event to the last.
    pub(super) async fn verify(&self, incident: IncidentId) -> Result<Message, Failed> {
        let store = &self.inner.parts.store;
        let report = crate::store::verify(&**store, None).await?;
        let stream = Stream::Incident(incident);
        let head = store.head(stream).await?;
        let words = match report.faults.iter().find(|fault| fault.stream == stream) {
            None => format!(
                "The journal of {incident} is whole: {} events, head {incident}@{}:{}.",
                head.seq, head.seq, head.hash
            ),
            Some(fault) => format!(
                "The journal of {incident} was tampered with: {fault}. Keep the file and call the operator."
            ),
        };
        Ok(Message {
            fallback: words.clone(),
            blocks: vec![Block::Text { text: words.into() }],
        })
    }

    /// Everything that keeps the text of a message: the room log, and the events that marked or changed it.
    pub(super) async fn message_redactions(
        &self,
        incident: IncidentId,
        message: &str,
    ) -> Result<(Vec<Redaction>, u64), Failed> {
        let state = self
            .state(incident)
            .await?
            .ok_or_else(super::handle::no_incident)?;
        let mut redactions = Vec::new();
        for room in state.rooms.iter().map(|room| &room.at) {
            if !self
                .inner
                .parts
                .store
                .versions(&room.to_string(), message)
                .await?
                .is_empty()
            {
                let (room, message, marker) = (room.to_string(), message.to_owned(), GONE.to_owned());
                redactions.push(Redaction::Message {
                    room,
                    message,
                    marker,
                });
            }
        }
        if redactions.is_empty() {
            return Err(Refusal::new(format!("No message `{message}` is kept for {incident}.")).into());
        }
        let mut first = 0;
        for recorded in journal::load(&*self.inner.parts.store, incident).await? {
            let about = match &recorded.event {
                Some(Event::MessageMarked { marked, .. }) => &marked.message,
                Some(Event::MessageChanged { message, .. }) => message,
                _ => continue,
            };
            if about.message == message {
                first = if first == 0 { recorded.seq } else { first };
                let events = self.redactions(incident, recorded.seq).await?;
                redactions.extend(
                    events
                        .into_iter()
                        .filter(|one| !matches!(one, Redaction::Message { .. })),
                );
            }
        }
        Ok((redactions, first))
    }
}

/// The message an event took its words from.
fn source(event: &Event) -> Option<&MessageRef> {
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
