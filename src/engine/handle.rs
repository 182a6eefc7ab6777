//! One delivery: understood, decided, answered.

use std::sync::atomic::Ordering;

use super::decide::{Failed, Reply, With};
use super::intake::unconfirmed;
use super::intake::{Job, room_of};
use super::perform::whisper;
use super::ports::{Act, Addressed, Asking};
use super::reactions::Through;
use super::redact::gaps;
use super::{Engine, journal, plan, read};
use crate::chat::{
    self, Delivery, Incoming, Intake, Message, NOT_CONFIRMED, Press, Standing, Trigger, Verdict,
};
use crate::incident::{
    By, HELD_EVERY_S, Identity, IncidentId, PersonId, Recorded, Refusal, Request, RoomRef, State,
};
use crate::store::{self, Commit, Hash, InboxDone, InboxId, NewEffect, Stream};

/// What became of a delivery in a worker's hands.
pub(super) enum Handled {
    Decided,
    /// Something has to be mended first; the line waits, so that nothing overtakes it.
    Later,
    /// Left in the inbox: a restart, perhaps by another version, decides it.
    Left,
}

/// What the menu of a message presses: not commands, because their object is the message itself.
pub const SHORTCUT_TIMELINE: &str = "shortcut:timeline";
pub const SHORTCUT_TASK: &str = "shortcut:task";
pub const SHORTCUT_FOLLOWUP: &str = "shortcut:followup";

impl Engine {
    pub(super) async fn handle(&self, job: &Job) -> Handled {
        let answered = self.answer(job).await;
        self.settle(job, answered).await
    }

    /// What a delivery came to is told to whoever waits, also when it could not be written down.
    pub(super) async fn settle(&self, job: &Job, answered: Result<Verdict, Failed>) -> Handled {
        let (inbox, delivery) = (job.inbox, &job.delivery);
        let decided = match answered {
            Err(Failed::Refused(refusal)) => self.refused(inbox, delivery, &refusal).await,
            // It will never fit: said to the person, so that it does not block the line for ever.
            Err(Failed::Store(error @ (store::Error::TooLarge { .. } | store::Error::Invalid { .. }))) => {
                self.refused(inbox, delivery, &Refusal::new(format!("{error}.")))
                    .await
            }
            // Written after all, by a commit whose answer was lost.
            Err(Failed::Store(store::Error::NotPending { .. })) => self.outcome_of(inbox).await,
            decided => decided,
        };
        match decided {
            Ok(verdict) => {
                self.tell(inbox, &verdict);
                Handled::Decided
            }
            Err(error) => {
                tracing::error!(inbox = inbox.0, %error, "a delivery could not be decided; it stays in the inbox");
                self.tell_unconfirmed(job, not_confirmed(&error));
                if error.retry() {
                    Handled::Later
                } else {
                    Handled::Left
                }
            }
        }
    }

    /// Tells that nothing is decided yet; once to whoever typed or pressed something where nobody asks what becomes of it.
    pub(super) fn tell_unconfirmed(&self, job: &Job, verdict: Verdict) {
        let (inbox, delivery) = (job.inbox, &job.delivery);
        let is_news = self.tell(inbox, &verdict);
        let (Incoming::Command { from, .. } | Incoming::Press { from, .. }) = &delivery.incoming else {
            return;
        };
        let is_followed = self.chat(&from.platform).is_ok_and(|chat| chat.follows());
        if !is_news || is_followed || self.asks_form(&delivery.incoming) {
            return;
        }
        if let Some((place, to, message)) = self.whispered(delivery, verdict.message) {
            self.say_at_once(format!("unconfirmed/{inbox}"), place, to, message);
        }
    }

    /// Says it past the outbox: that is on the disk which may take nothing.
    pub(super) fn say_at_once(
        &self,
        key: String,
        place: (RoomRef, Option<String>),
        to: Identity,
        message: Message,
    ) {
        let (engine, busy) = (self.clone(), self.busy());
        tokio::spawn(async move {
            let _busy = busy;
            let Ok(chat) = engine.chat(&to.platform) else {
                return;
            };
            if let Err(error) = whisper(&**chat, &key, place, &to, &message).await {
                tracing::warn!(%error, key, "somebody could not be told at once");
            }
        });
    }

    async fn outcome_of(&self, inbox: InboxId) -> Result<Verdict, Failed> {
        let outcome = self.inner.parts.store.outcome(inbox).await?;
        let verdict = outcome.and_then(|outcome| serde_json::from_str(&outcome).ok());
        Ok(verdict.unwrap_or_else(unconfirmed))
    }

    async fn answer(&self, job: &Job) -> Result<Verdict, Failed> {
        let incident = self.incident_for(job);
        if let Some(reacted) = self.shortcut(&job.delivery) {
            return self.overhear(job.inbox, incident, &reacted, Through::Menu).await;
        }
        match &job.delivery.incoming {
            Incoming::Command { from, .. } | Incoming::Press { from, .. } | Incoming::Submit { from, .. } => {
                self.obey(job, incident, from).await
            }
            _ => {
                let through = Through::Reaction;
                self.overhear(job.inbox, incident, &job.delivery, through).await
            }
        }
    }

    /// An entry of a message's menu does what the reaction of the same meaning does.
    pub(super) fn shortcut(&self, delivery: &Delivery) -> Option<Delivery> {
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
    async fn obey(
        &self,
        job: &Job,
        incident: Option<IncidentId>,
        from: &Identity,
    ) -> Result<Verdict, Failed> {
        self.takes_commands(room_of(&job.delivery.incoming))?;
        if self.desk().person_of(from).is_none()
            && let Some(code) = self.inner.parts.meaning.code(&job.delivery.incoming)
        {
            return self.prove_link(job.inbox, &job.delivery, from, &code).await;
        }
        self.look_for(from).await?;
        let person = self.person(from, incident)?;
        let understanding = || self.understand(&job.delivery, job.addressed, &person, incident);
        let mut act = understanding().await?;
        // Of two that name each other in the same instant, the second sees what became of the first.
        let _merging = match act {
            Act::Incident(Request::MarkDuplicate { .. }) => {
                let turn = self.inner.merging.lock().await;
                act = understanding().await?;
                Some(turn)
            }
            _ => None,
        };
        if !matches!(act, Act::Tell(_)) {
            self.may_command(from).await?;
        }
        self.act(job.inbox, &job.delivery, person, incident, act).await
    }

    /// Nobody commands from a room of guests.
    pub(super) fn takes_commands(&self, room: &RoomRef) -> Result<(), Refusal> {
        match read(&self.inner.index).is_for_guests(room) {
            true => Err(Refusal::new(
                "This room is for guests: it is told how things stand, and takes no commands. The response is led elsewhere.",
            )),
            false => Ok(()),
        }
    }

    /// Who that is, if they are somebody here and may see the incident.
    pub(super) fn person(&self, from: &Identity, incident: Option<IncidentId>) -> Result<PersonId, Refusal> {
        let desk = self.desk();
        let Some(person) = desk.person_of(from).cloned() else {
            return Err(Refusal::new(format!(
                "Orderly does not know you yet ({}/{}). Ask the operator to add you with `orderly person add`. Known on \
                 another platform? Type `/role link` there.",
                from.platform, from.user
            )));
        };
        if let Some(incident) = incident
            && !read(&self.inner.index).may_see(incident, &person)
        {
            // The same words whether it is private or not there, so that nothing can be learnt by asking.
            return Err(Refusal::new(format!(
                "There is no {incident} that you can see. `/list` shows those you can."
            )));
        }
        Ok(person)
    }

    /// What the desk knows of somebody is the operator's word; what the platform says is what they are today.
    pub(super) async fn may_command(&self, from: &Identity) -> Result<(), Failed> {
        let chats = &self.inner.parts.chats;
        let Some(chat) = chats.iter().find(|chat| chat.platform() == from.platform) else {
            return Ok(());
        };
        match chat.standing(from).await {
            Ok(Standing::Member) => Ok(()),
            Ok(Standing::Reader) => Err(Refusal::new(
                "Guests, bots and people of other workspaces may read here, not command. Ask a member to do it.",
            )
            .into()),
            Err(chat::Error::Retry { why, .. }) => Err(Failed::Platform(format!(
                "it cannot be told now whether you may command ({why})"
            ))),
            Err(chat::Error::Gone { why }) => {
                Err(Refusal::new(format!("It cannot be told whether you may command: {why}.")).into())
            }
        }
    }

    /// Whether commands are picked in a room, not typed.
    pub(super) fn picks(&self, room: &RoomRef) -> bool {
        let mut chats = self.inner.parts.chats.iter();
        chats.any(|chat| chat.platform() == room.platform && chat.picks())
    }

    pub(super) async fn understand(
        &self,
        delivery: &Delivery,
        addressed: Addressed,
        person: &PersonId,
        incident: Option<IncidentId>,
    ) -> Result<Act, Failed> {
        let meaning = &self.inner.parts.meaning;
        let journal = match incident {
            Some(incident) if addressed.journal => {
                Some(journal::load(&*self.inner.parts.store, incident).await?)
            }
            _ => None,
        };
        let desk = self.desk();
        let asking = |state: Option<&State>| -> Result<Act, Refusal> {
            let asking = Asking {
                person,
                room: room_of(&delivery.incoming),
                picks: self.picks(room_of(&delivery.incoming)),
                now: self.now(),
                desk: &desk,
                incident: state,
                listed: &|| self.listed(Some(person)),
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
                Ok(asking(loaded.state.as_deref())?)
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
        if let Act::Link { code } = act {
            return self.link(inbox, delivery, person, code).await;
        }
        let (act, _turn) = self.about_rooms(delivery, &person, incident, act).await?;
        let by = By::Person { id: person };
        let said = std::sync::Mutex::new(None);
        let replying = |state: &State, written: &[Recorded]| {
            let verdict = self.done(delivery, state, written);
            let reply = self.reply(inbox, delivery, &verdict);
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
                self.groups_before(incident, &by, &request).await?;
                self.decide(incident, &by, &request, with, Some(&replying))
                    .await?;
            }
            Act::Open(request) => {
                self.open(&by, &request, with, &replying).await?;
            }
            // Resolved before.
            Act::AddRoom { .. } | Act::AskRoom { .. } | Act::LeaveRoom { .. } | Act::Link { .. } => {}
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
            Act::Redact { what, reason } => {
                let Some(incident) = incident else {
                    return Err(no_incident().into());
                };
                let redacting = self.redacting(incident, &what, inbox).await?;
                let request = Request::RecordRedaction {
                    row: redacting.row,
                    reason,
                    messages: redacting.messages,
                    gaps: gaps(&redacting.redactions),
                };
                let with = With {
                    redactions: redacting.redactions,
                    effects: redacting.effects,
                    title: redacting.title,
                    ..with
                };
                self.decide(incident, &by, &request, with, Some(&replying))
                    .await?;
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
                    "Frozen: {}. Nothing new runs there until `/thaw`.",
                    target.as_deref().unwrap_or("everything")
                )
            }
            crate::desk::Request::Thaw { target, .. } => {
                format!(
                    "Thawed: {}. What was held goes on by itself within {HELD_EVERY_S} s.",
                    target.as_deref().unwrap_or("everything")
                )
            }
            _ => "Done.".to_owned(),
        };
        let verdict = Verdict {
            accepted: true,
            message: self.inner.parts.words.say(&words),
            field: None,
            incident: None,
        };
        self.on_desk_with(inbox, delivery, by, request, verdict).await
    }

    /// Decides a request of the desk; what the person is told goes out with it.
    pub(super) async fn on_desk_with(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        by: &By,
        request: &crate::desk::Request,
        verdict: Verdict,
    ) -> Result<Verdict, Failed> {
        let reply = self.reply(inbox, delivery, &verdict);
        self.decide_desk(by, request, Some((inbox, reply))).await?;
        Ok(verdict)
    }

    /// The outcome of a delivery, with a whisper where the room does not show it anyway.
    pub(super) fn reply(&self, inbox: InboxId, delivery: &Delivery, verdict: &Verdict) -> Reply {
        let outcome = serde_json::to_string(verdict).unwrap_or_default();
        let mut effects = Vec::new();
        let waits_for_answer = matches!(delivery.incoming, Incoming::Submit { .. }) && !verdict.accepted;
        let empty = verdict.message == Message::default();
        if !empty && !waits_for_answer {
            effects.extend(self.whisper(inbox, delivery, verdict.message.clone()));
        }
        Reply { outcome, effects }
    }

    fn whisper(&self, inbox: InboxId, delivery: &Delivery, message: Message) -> Option<NewEffect> {
        let (place, to, message) = self.whispered(delivery, message)?;
        Some(plan::whisper(
            format!("whisper/{inbox}"),
            place,
            to,
            message,
            self.now(),
        ))
    }

    /// An answer as it is said in chat, with the room and the thread it belongs to, and whom it is for.
    pub(super) fn whispered(
        &self,
        delivery: &Delivery,
        message: Message,
    ) -> Option<((RoomRef, Option<String>), Identity, Message)> {
        let from = sender(&delivery.incoming)?;
        // The terminal is no chat: whoever asked there waits for the verdict itself.
        let chats = &self.inner.parts.chats;
        chats.iter().find(|chat| chat.platform() == from.platform)?;
        let room = room_of(&delivery.incoming).clone();
        // What somebody asks outside of the incident's room is answered there, and its buttons are pressed there.
        let here = read(&self.inner.index).incident_of(&room);
        let message = match self.inner.parts.meaning.addressed(&delivery.incoming).incident {
            Some(incident) if here != Some(incident) => message.about(&incident.to_string()),
            _ => message,
        };
        let thread = match &delivery.incoming {
            Incoming::Command { thread, .. } => thread.clone(),
            _ => None,
        };
        Some(((room, thread), from.clone(), message))
    }

    /// Commits an answer that changes nothing.
    async fn answer_only(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        verdict: Verdict,
    ) -> Result<Verdict, Failed> {
        let reply = self.reply(inbox, delivery, &verdict);
        self.conclude(inbox, reply.outcome, reply.effects).await?;
        Ok(verdict)
    }

    pub(super) async fn conclude(
        &self,
        inbox: InboxId,
        outcome: String,
        effects: Vec<NewEffect>,
    ) -> Result<(), Failed> {
        let inbox_done = vec![InboxDone { inbox, outcome }];
        let commit = Commit {
            at: self.now(),
            inbox_done,
            effects,
            ..Commit::default()
        };
        self.commit(commit).await?;
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
                "`{}` needs more than that here, where no form can be shown. `/help {}` shows how to write it.",
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
        let mut words = format!("Making the post-mortem of {incident} as of event #{as_of}.");
        let state = self.state(incident).await?;
        if state.is_some_and(|state| state.internal_rooms().next().is_none()) {
            words.push_str(&format!(
                " No room of it is open, so it is posted nowhere: `orderly postmortem {incident}` on the machine writes it."
            ));
        }
        let verdict = Verdict {
            accepted: true,
            message: self.inner.parts.words.say(&words),
            field: None,
            incident: Some(incident.0),
        };
        let mut reply = self.reply(inbox, delivery, &verdict);
        reply.effects.push(plan::export(incident, format, as_of));
        self.conclude(inbox, reply.outcome, reply.effects).await?;
        Ok(verdict)
    }

    async fn refused(
        &self,
        inbox: InboxId,
        delivery: &Delivery,
        refusal: &Refusal,
    ) -> Result<Verdict, Failed> {
        self.inner.counters.refused.fetch_add(1, Ordering::Relaxed);
        let verdict = self.no(refusal);
        let reply = self.reply(inbox, delivery, &verdict);
        self.conclude(inbox, reply.outcome, reply.effects).await?;
        Ok(verdict)
    }

    /// What is answered to something that was done.
    pub(super) fn done(&self, delivery: &Delivery, state: &State, written: &[Recorded]) -> Verdict {
        let typed_in = room_of(&delivery.incoming);
        let here = state.internal_rooms().any(|room| room.at == *typed_in);
        Verdict {
            accepted: true,
            message: self.inner.parts.words.done(state, written, &self.desk(), here),
            field: None,
            incident: Some(state.opening.number.0),
        }
    }

    /// What is answered to something that was refused.
    pub(super) fn no(&self, refusal: &Refusal) -> Verdict {
        Verdict {
            accepted: false,
            message: self.inner.parts.words.refusal(refusal),
            field: refusal.field.map(str::to_owned),
            incident: None,
        }
    }

    /// Where evidence of an incident lies, by its hash.
    pub async fn evidence(&self, sha256: &str) -> Result<Option<crate::store::Evidence>, Failed> {
        match sha256.parse::<Hash>() {
            Ok(hash) => Ok(self.inner.parts.store.evidence(hash).await?),
            Err(_) => Ok(None),
        }
    }
}

/// The delivery is stored and stays so; it is decided again, or after a restart.
fn not_confirmed(error: &Failed) -> Verdict {
    let fallback = format!(
        "{NOT_CONFIRMED}: {error}. What you sent is stored and will be decided when that is mended; look at the card \
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

pub(super) fn no_incident() -> Refusal {
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
