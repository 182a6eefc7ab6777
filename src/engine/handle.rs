//! One delivery: understood, decided, answered.

use std::sync::atomic::Ordering;

use super::decide::{Failed, Reply, With};
use super::intake::{Job, room_of};
use super::ports::{Act, Asking};
use super::{Engine, journal, plan, read};
use crate::chat::{Block, Delivery, Incoming, Message, Press, Trigger, Verdict};
use crate::incident::{By, Event, Identity, IncidentId, Marked, PersonId, Recorded, Refusal, Request, State};
use crate::store::{Commit, Hash, InboxDone, InboxId, LogEntry, NewEffect, Redaction, Stream};

/// What the menu of a message presses: not commands, because their object is the message itself.
pub const SHORTCUT_TIMELINE: &str = "shortcut:timeline";
pub const SHORTCUT_TASK: &str = "shortcut:task";
pub const SHORTCUT_FOLLOWUP: &str = "shortcut:followup";

impl Engine {
    pub(super) async fn handle(&self, job: Job) {
        let Job { inbox, delivery } = job;
        let verdict = match self.answer(inbox, &delivery).await {
            Ok(verdict) => verdict,
            Err(Failed::Refused(refusal)) => self.refused(inbox, &delivery, &refusal).await,
            Err(error) => {
                tracing::error!(inbox = inbox.0, %error, "a delivery could not be decided; it stays in the inbox");
                self.not_confirmed(&error)
            }
        };
        self.tell(inbox, &verdict);
    }

    async fn answer(&self, inbox: InboxId, delivery: &Delivery) -> Result<Verdict, Failed> {
        if let Some(reacted) = self.shortcut(delivery) {
            return self.overhear(inbox, &reacted).await;
        }
        match &delivery.incoming {
            Incoming::Command { from, .. } | Incoming::Press { from, .. } | Incoming::Submit { from, .. } => {
                self.obey(inbox, delivery, from).await
            }
            _ => self.overhear(inbox, delivery).await,
        }
    }

    /// An entry of a message's menu does what the reaction of the same meaning does.
    fn shortcut(&self, delivery: &Delivery) -> Option<Delivery> {
        let Incoming::Press {
            from,
            message,
            press: Press::Run { line },
            ..
        } = &delivery.incoming
        else {
            return None;
        };
        let options = &self.inner.parts.options;
        let emoji = match line.as_str() {
            SHORTCUT_TIMELINE => &options.timeline_emoji,
            SHORTCUT_TASK => &options.task_emoji,
            SHORTCUT_FOLLOWUP => &options.followup_emoji,
            _ => return None,
        };
        let incoming = Incoming::Reacted {
            from: from.clone(),
            message: message.clone(),
            emoji: emoji.clone(),
            present: true,
            at: delivery.received,
        };
        Some(Delivery {
            incoming,
            ..delivery.clone()
        })
    }

    /// Something addressed to the bot.
    async fn obey(&self, inbox: InboxId, delivery: &Delivery, from: &Identity) -> Result<Verdict, Failed> {
        let desk = self.desk();
        let Some(person) = desk.person_of(from).cloned() else {
            return Err(Refusal::new(format!(
                "Orderly does not know you yet ({}/{}). Ask the operator to add you with `orderly person add`.",
                from.platform, from.user
            ))
            .into());
        };
        let incident = self.incident_for(&delivery.incoming);
        if let Some(incident) = incident
            && !read(&self.inner.index).may_see(incident, &person)
        {
            // The same words whether it is private or not there, so that nothing can be learnt by asking.
            return Err(Refusal::new(format!(
                "There is no {incident} that you can see. `list` shows those you can."
            ))
            .into());
        }
        let act = self.understand(delivery, &person, incident).await?;
        self.act(inbox, delivery, person, incident, act).await
    }

    async fn understand(
        &self,
        delivery: &Delivery,
        person: &PersonId,
        incident: Option<IncidentId>,
    ) -> Result<Act, Failed> {
        let meaning = &self.inner.parts.meaning;
        let wants_journal = meaning.addressed(&delivery.incoming).journal;
        let journal = match incident {
            Some(incident) if wants_journal => Some(journal::load(&*self.inner.parts.store, incident).await?),
            _ => None,
        };
        let listed = self.listed(Some(person));
        let desk = self.desk();
        let asking = |state: Option<&State>| -> Result<Act, Refusal> {
            let asking = Asking {
                person,
                room: room_of(&delivery.incoming),
                now: self.now(),
                desk: &desk,
                incident: state,
                listed: &listed,
                journal: journal.as_deref(),
            };
            meaning.understand(&delivery.incoming, &asking)
        };
        match incident {
            None => Ok(asking(None)?),
            Some(incident) => {
                let loaded = self.loaded(incident);
                let mut loaded = loaded.lock().await;
                self.fill(incident, &mut loaded).await?;
                Ok(asking(loaded.state.as_ref())?)
            }
        }
    }

    async fn act(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        person: PersonId,
        incident: Option<IncidentId>,
        act: Act,
    ) -> Result<Verdict, Failed> {
        let by = By::Person { id: person };
        let said = std::sync::Mutex::new(None);
        let replying = |state: &State, written: &[Recorded]| {
            let message = self.inner.parts.words.done(state, written, &self.desk());
            let verdict = Verdict {
                accepted: true,
                message,
                field: None,
                incident: Some(state.opening.number.0),
            };
            let reply = self.reply(inbox, delivery, &verdict, false);
            *super::lock(&said) = Some(verdict);
            reply
        };
        let with = With {
            inbox: Some(inbox),
            ..With::default()
        };
        match act {
            Act::Incident(request) => {
                let Some(incident) = incident else {
                    return Err(no_incident().into());
                };
                self.decide(incident, &by, &request, with, Some(&replying))
                    .await?;
            }
            Act::Open(request) => {
                self.open(&by, &request, with, &replying).await?;
            }
            Act::Desk(request) => return self.act_on_desk(inbox, delivery, &by, &request).await,
            Act::Tell(message) => {
                let verdict = Verdict {
                    accepted: true,
                    message,
                    field: None,
                    incident: incident.map(|id| id.0),
                };
                return self.answer_only(inbox, delivery, verdict).await;
            }
            Act::Ask(form) => return self.ask(inbox, delivery, form).await,
            Act::Export { format, as_of } => {
                let Some(incident) = incident else {
                    return Err(no_incident().into());
                };
                return self.export(inbox, delivery, incident, format, as_of).await;
            }
            Act::Verify => {
                let Some(incident) = incident else {
                    return Err(no_incident().into());
                };
                let message = self.verify(incident).await?;
                let verdict = Verdict {
                    accepted: true,
                    message,
                    field: None,
                    incident: Some(incident.0),
                };
                return self.answer_only(inbox, delivery, verdict).await;
            }
            Act::RedactMessage { message, reason } => {
                let Some(incident) = incident else {
                    return Err(no_incident().into());
                };
                let (redactions, row) = self.message_redactions(incident, &message).await?;
                let request = Request::RecordRedaction { row, reason };
                let with = With { redactions, ..with };
                self.decide(incident, &by, &request, with, Some(&replying))
                    .await?;
                self.loaded(incident).lock().await.state = None;
            }
            Act::Redact { row, reason } => {
                let Some(incident) = incident else {
                    return Err(no_incident().into());
                };
                let redaction = self.redaction(incident, row).await?;
                let request = Request::RecordRedaction { row, reason };
                let with = With {
                    redactions: vec![redaction],
                    ..with
                };
                self.decide(incident, &by, &request, with, Some(&replying))
                    .await?;
                // What was in memory still says what was removed.
                self.loaded(incident).lock().await.state = None;
            }
        }
        let verdict = super::lock(&said).take();
        Ok(verdict.unwrap_or_else(|| Verdict {
            accepted: true,
            message: Message::default(),
            field: None,
            incident: incident.map(|id| id.0),
        }))
    }

    async fn act_on_desk(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        by: &By,
        request: &crate::desk::Request,
    ) -> Result<Verdict, Failed> {
        let words = match request {
            crate::desk::Request::Freeze { target, .. } => {
                format!(
                    "Frozen: {}. Nothing new runs there until `thaw`.",
                    target.as_deref().unwrap_or("everything")
                )
            }
            crate::desk::Request::Thaw { target, .. } => {
                format!(
                    "Thawed: {}. What was held goes on by itself.",
                    target.as_deref().unwrap_or("everything")
                )
            }
            _ => "Done.".to_owned(),
        };
        let message = Message {
            fallback: words.clone(),
            blocks: vec![Block::Text { text: words.into() }],
        };
        let verdict = Verdict {
            accepted: true,
            message,
            field: None,
            incident: None,
        };
        let reply = self.reply(inbox, delivery, &verdict, true);
        self.decide_desk(by, request, Some((inbox, reply))).await?;
        Ok(verdict)
    }

    /// The outcome of a delivery, with a whisper where the room does not show it anyway.
    fn reply(&self, inbox: InboxId, delivery: &Delivery, verdict: &Verdict, whisper: bool) -> Reply {
        let outcome = serde_json::to_string(verdict).unwrap_or_default();
        let mut effects = Vec::new();
        let waits_for_answer = matches!(delivery.incoming, Incoming::Submit { .. }) && !verdict.accepted;
        let empty = verdict.message == Message::default();
        if (whisper || !empty) && !waits_for_answer && !empty {
            effects.extend(self.whisper(inbox, delivery, verdict.message.clone()));
        }
        Reply { outcome, effects }
    }

    fn whisper(&self, inbox: InboxId, delivery: &Delivery, message: Message) -> Option<NewEffect> {
        let from = sender(&delivery.incoming)?;
        let room = room_of(&delivery.incoming).clone();
        Some(plan::whisper(
            format!("whisper/{inbox}"),
            room,
            from.clone(),
            message,
            self.now(),
        ))
    }

    /// Commits an answer that changes nothing.
    async fn answer_only(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        verdict: Verdict,
    ) -> Result<Verdict, Failed> {
        let reply = self.reply(inbox, delivery, &verdict, true);
        self.conclude(inbox, reply.outcome, reply.effects).await?;
        Ok(verdict)
    }

    async fn conclude(&self, inbox: InboxId, outcome: String, effects: Vec<NewEffect>) -> Result<(), Failed> {
        let inbox_done = Some(InboxDone { inbox, outcome });
        let commit = Commit {
            at: self.now(),
            inbox_done,
            effects,
            ..Commit::default()
        };
        self.inner.parts.store.commit(commit).await?;
        self.nudge();
        Ok(())
    }

    async fn ask(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        form: crate::chat::Form,
    ) -> Result<Verdict, Failed> {
        let message = Message {
            fallback: form.title.clone(),
            blocks: Vec::new(),
        };
        let verdict = Verdict {
            accepted: true,
            message,
            field: None,
            incident: None,
        };
        let (Some(from), Some(trigger)) = (sender(&delivery.incoming), trigger(&delivery.incoming)) else {
            return Err(Refusal::new(format!(
                "`{}` needs more than that here, where no form can be shown. `help {}` shows how to write it.",
                form.path, form.path
            ))
            .into());
        };
        let room = room_of(&delivery.incoming).clone();
        let effect = plan::form(format!("form/{inbox}"), room, from.clone(), trigger.clone(), form);
        let outcome = serde_json::to_string(&verdict).unwrap_or_default();
        self.conclude(inbox, outcome, vec![effect]).await?;
        Ok(verdict)
    }

    async fn export(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        incident: IncidentId,
        format: String,
        as_of: Option<u64>,
    ) -> Result<Verdict, Failed> {
        let head = self.inner.parts.store.head(Stream::Incident(incident)).await?;
        let as_of = as_of.unwrap_or(head.seq);
        if as_of == 0 || as_of > head.seq {
            return Err(Refusal::new(format!(
                "{incident} has events #1 to #{}; there is no #{as_of}.",
                head.seq
            ))
            .into());
        }
        let words = format!("Making the post-mortem of {incident} as of event #{as_of}.");
        let message = Message {
            fallback: words.clone(),
            blocks: vec![Block::Text { text: words.into() }],
        };
        let verdict = Verdict {
            accepted: true,
            message,
            field: None,
            incident: Some(incident.0),
        };
        let mut reply = self.reply(inbox, delivery, &verdict, true);
        reply.effects.push(plan::export(incident, format, as_of));
        self.conclude(inbox, reply.outcome, reply.effects).await?;
        Ok(verdict)
    }

    /// The chain of the incident's journal, checked from the first event to the last.
    async fn verify(&self, incident: IncidentId) -> Result<Message, Failed> {
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
    async fn message_redactions(
        &self,
        incident: IncidentId,
        message: &str,
    ) -> Result<(Vec<Redaction>, u64), Failed> {
        const MARKER: &str = "[redacted]";
        let state = self.state(incident).await?.ok_or_else(no_incident)?;
        let mut redactions = Vec::new();
        for (room, _) in &state.rooms {
            if !self
                .inner
                .parts
                .store
                .versions(&room.to_string(), message)
                .await?
                .is_empty()
            {
                let (room, message, marker) = (room.to_string(), message.to_owned(), MARKER.to_owned());
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
                Some(Event::MessageMarked { marked }) => &marked.message,
                Some(Event::MessageChanged { message, .. }) => message,
                _ => continue,
            };
            if about.message == message {
                first = if first == 0 { recorded.seq } else { first };
                redactions.push(self.redaction(incident, recorded.seq).await?);
            }
        }
        Ok((redactions, first))
    }

    /// The row as it will stand after a redaction: same shape, its texts gone.
    async fn redaction(&self, incident: IncidentId, row: u64) -> Result<Redaction, Failed> {
        let stream = Stream::Incident(incident);
        let stored = self
            .inner
            .parts
            .store
            .events(stream, row.saturating_sub(1), 1)
            .await?;
        let Some(stored) = stored.into_iter().find(|stored| stored.seq == row) else {
            return Err(Refusal::new(format!(
                "{incident} has no event #{row}. The timeline shows the numbers."
            ))
            .into());
        };
        if matches!(
            stored.event.kind.as_str(),
            "opened" | "attempt_started" | "proposed" | "approved"
        ) {
            return Err(Refusal::new(format!(
                "Event #{row} ({}) is what approvals and attempts rest on; it cannot be redacted.",
                stored.event.kind
            ))
            .into());
        }
        let mut payload: serde_json::Value = serde_json::from_str(&stored.event.payload).unwrap_or_default();
        blank(&mut payload);
        Ok(Redaction::Event {
            stream,
            seq: row,
            marker: payload.to_string(),
        })
    }

    async fn refused(&self, inbox: InboxId, delivery: &Delivery, refusal: &Refusal) -> Verdict {
        self.inner.counters.refused.fetch_add(1, Ordering::Relaxed);
        let message = self.inner.parts.words.refusal(refusal);
        let field = refusal.field.map(str::to_owned);
        let verdict = Verdict {
            accepted: false,
            message,
            field,
            incident: None,
        };
        let reply = self.reply(inbox, delivery, &verdict, true);
        match self.conclude(inbox, reply.outcome, reply.effects).await {
            Ok(()) => verdict,
            Err(error) => {
                tracing::error!(inbox = inbox.0, %error, "a refusal could not be stored; the delivery stays in the inbox");
                self.not_confirmed(&error)
            }
        }
    }

    /// The delivery is stored and stays so; after a restart it is decided again.
    fn not_confirmed(&self, error: &Failed) -> Verdict {
        let fallback = format!(
            "Not confirmed yet: {error}. What you sent is stored and will be decided when that is mended; look at the card \
             before sending it again."
        );
        Verdict {
            accepted: false,
            message: Message {
                fallback,
                blocks: Vec::new(),
            },
            field: None,
            incident: None,
        }
    }

    /// What happens in a room: into the room log, and onto the timeline where people marked it.
    async fn overhear(&self, inbox: InboxId, delivery: &Delivery) -> Result<Verdict, Failed> {
        let quiet = Verdict {
            accepted: true,
            message: Message::default(),
            field: None,
            incident: None,
        };
        let Some(incident) = self.incident_for(&delivery.incoming) else {
            self.conclude(inbox, "{}".to_owned(), Vec::new()).await?;
            return Ok(quiet);
        };
        let outcome = serde_json::to_string(&quiet).unwrap_or_default();
        let entry = self.log_entry(incident, delivery).await?;
        let logs = entry.is_some();
        let commit = Commit {
            at: self.now(),
            room_log: entry.into_iter().collect(),
            ..Commit::default()
        };
        if logs {
            self.inner.parts.store.commit(commit).await?;
        }
        if let Some((by, request)) = self.marking(delivery).await? {
            let replying = |_: &State, _: &[Recorded]| Reply {
                outcome: outcome.clone(),
                effects: Vec::new(),
            };
            let with = With {
                inbox: Some(inbox),
                ..With::default()
            };
            match self.decide(incident, &by, &request, with, Some(&replying)).await {
                Err(Failed::Refused(_)) => self.conclude(inbox, outcome.clone(), Vec::new()).await?,
                other => drop(other?),
            }
        } else {
            self.conclude(inbox, outcome, Vec::new()).await?;
        }
        Ok(quiet)
    }

    /// The line of the room log, unless the very same version stands there already (a delivery after a crash).
    async fn log_entry(&self, incident: IncidentId, delivery: &Delivery) -> Result<Option<LogEntry>, Failed> {
        let entry = match &delivery.incoming {
            Incoming::Wrote {
                from,
                message,
                thread,
                text,
                at,
                ..
            } => LogEntry {
                incident,
                room: message.room.to_string(),
                message: message.message.clone(),
                thread: thread.clone(),
                author: self.name_of(from),
                at: *at,
                recorded: delivery.received,
                text: Some(text.clone()),
            },
            Incoming::Edited { message, text, .. } => {
                let Some(first) = self.first_version(message).await? else {
                    return Ok(None);
                };
                LogEntry {
                    recorded: delivery.received,
                    text: Some(text.clone()),
                    ..first
                }
            }
            Incoming::Deleted { message, .. } => {
                let Some(first) = self.first_version(message).await? else {
                    return Ok(None);
                };
                LogEntry {
                    recorded: delivery.received,
                    text: None,
                    ..first
                }
            }
            _ => return Ok(None),
        };
        let versions = self
            .inner
            .parts
            .store
            .versions(&entry.room, &entry.message)
            .await?;
        let known = versions.last().is_some_and(|last| last.entry.text == entry.text);
        Ok((!known).then_some(entry))
    }

    async fn first_version(&self, message: &crate::incident::MessageRef) -> Result<Option<LogEntry>, Failed> {
        let versions = self
            .inner
            .parts
            .store
            .versions(&message.room.to_string(), &message.message)
            .await?;
        Ok(versions.into_iter().next().map(|stored| stored.entry))
    }

    fn name_of(&self, identity: &Identity) -> String {
        let desk = self.desk();
        let known = desk
            .person_of(identity)
            .and_then(|person| desk.people.get(person))
            .map(|person| person.name.clone());
        known.unwrap_or_else(|| format!("{}/{}", identity.platform, identity.user))
    }

    /// What a message's fate means for the timeline.
    async fn marking(&self, delivery: &Delivery) -> Result<Option<(By, Request)>, Failed> {
        Ok(match &delivery.incoming {
            Incoming::Edited { message, text, .. } => Some((
                By::Orderly,
                Request::MessageEdited {
                    message: message.clone(),
                    text: text.clone(),
                },
            )),
            Incoming::Deleted { message, .. } => {
                let why = "the message was deleted".to_owned();
                Some((
                    By::Orderly,
                    Request::Unmark {
                        message: message.clone(),
                        why,
                    },
                ))
            }
            Incoming::Reacted {
                from,
                message,
                emoji,
                present,
                ..
            } => self.reaction(from, message, emoji, *present).await?,
            _ => None,
        })
    }

    async fn reaction(
        &self,
        from: &Identity,
        message: &crate::incident::MessageRef,
        emoji: &str,
        present: bool,
    ) -> Result<Option<(By, Request)>, Failed> {
        let desk = self.desk();
        let Some(person) = desk.person_of(from) else {
            return Ok(None);
        };
        let by = By::Person { id: person.clone() };
        let versions = self
            .inner
            .parts
            .store
            .versions(&message.room.to_string(), &message.message)
            .await?;
        let Some(last) = versions.last().map(|stored| stored.entry.clone()) else {
            return Ok(None);
        };
        let options = &self.inner.parts.options;
        let text = last.text.unwrap_or_default();
        let source = Some(message.clone());
        if emoji == options.timeline_emoji {
            let request = if present {
                let author = last.author;
                let marked = Marked {
                    message: message.clone(),
                    author,
                    text,
                    files: Vec::new(),
                };
                Request::Mark { marked, at: last.at }
            } else {
                Request::Unmark {
                    message: message.clone(),
                    why: format!("{person} took the reaction back"),
                }
            };
            return Ok(Some((by, request)));
        }
        // A task or a follow-up made by a reaction is a thing of its own: taking the reaction back does not unmake it.
        if present && emoji == options.task_emoji {
            return Ok(Some((
                by,
                Request::AddTask {
                    text,
                    owner: None,
                    source,
                },
            )));
        }
        if present && emoji == options.followup_emoji {
            return Ok(Some((
                by,
                Request::AddFollowup {
                    text,
                    owner: None,
                    due: None,
                    tracker: None,
                    source,
                },
            )));
        }
        Ok(None)
    }

    /// Where evidence of an incident lies, by its hash.
    pub async fn evidence(&self, sha256: &str) -> Result<Option<crate::store::Evidence>, Failed> {
        match sha256.parse::<Hash>() {
            Ok(hash) => Ok(self.inner.parts.store.evidence(hash).await?),
            Err(_) => Ok(None),
        }
    }
}

/// Blanks every text of a payload but its tag, so that the row still reads as what it was.
fn blank(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = "[redacted]".to_owned(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(blank),
        // The reference of a message says where it is, not what it says.
        serde_json::Value::Object(fields) if fields.contains_key("room") => {}
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                // Words of fixed vocabularies and references stay: they carry no secret, and the row must still read.
                let free_text = matches!(
                    name.as_str(),
                    "text"
                        | "reason"
                        | "detail"
                        | "note"
                        | "summary"
                        | "excerpt"
                        | "answer"
                        | "grounds"
                        | "message"
                        | "title"
                        | "what"
                        | "works"
                        | "who"
                        | "impact"
                        | "sentence"
                        | "why"
                        | "report"
                        | "author"
                        | "url"
                        | "reference"
                        | "facts"
                        | "earlier"
                        | "display"
                        | "effect"
                );
                if free_text || field.is_object() || field.is_array() {
                    blank(field);
                }
            }
        }
        _ => {}
    }
}

fn no_incident() -> Refusal {
    Refusal::new(
        "This is not an incident's room. Say which one you mean: `--incident INC-7`, or go to its room.",
    )
    .offer("List incidents", "list")
    .offer("Open an incident", "open")
}

pub(super) fn sender(incoming: &Incoming) -> Option<&Identity> {
    match incoming {
        Incoming::Command { from, .. }
        | Incoming::Press { from, .. }
        | Incoming::Submit { from, .. }
        | Incoming::Wrote { from, .. }
        | Incoming::Reacted { from, .. } => Some(from),
        Incoming::Edited { .. } | Incoming::Deleted { .. } => None,
    }
}

fn trigger(incoming: &Incoming) -> Option<&Trigger> {
    match incoming {
        Incoming::Command { trigger, .. } | Incoming::Press { trigger, .. } => trigger.as_ref(),
        _ => None,
    }
}
