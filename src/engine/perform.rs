//! Working the outbox off. Every result comes back as a request; nothing is performed anywhere else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::decide::{Failed, With};
use super::plan::Task;
use super::{Engine, HANDS_FULL, journal, lock, plan};
use crate::chat::{self, Chat, Message, RoomSpec, Upload};
use crate::desk;
use crate::incident::{
    AttemptId, Audience, By, Effect, Event, Identity, IncidentId, Moment, Outcome, PersonId, ProbeRunId,
    ProposalId, Request, RoomRef, Slot, State, TimerKey,
};
use crate::store::{Commit, EffectId, EffectRetry, Evidence, LogId, Post, StoredEffect, Stream};

/// First wait after a failed call; doubles with each try.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);

/// Longest wait between two tries, so that a room is caught up soon after its platform is back.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(1);

/// A document as it was made.
#[derive(Debug, Clone)]
pub struct Document {
    /// The last event it shows.
    pub as_of: u64,
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
    /// Name of the file.
    pub name: String,
}

/// How a task ended.
enum End {
    /// Done, and nothing more to write down.
    Done,
    /// Done, and the effect was finished in the commit of its result.
    Written,
    /// Messages that now show something.
    Shown(Vec<Post>),
    Again {
        why: String,
        after: Option<Duration>,
    },
    /// Never to succeed; said once, then dropped.
    Never(String),
}

impl From<chat::Error> for End {
    fn from(error: chat::Error) -> Self {
        match error {
            chat::Error::Retry { why, after } => End::Again { why, after },
            chat::Error::Gone { why } => End::Never(why),
        }
    }
}

impl From<Failed> for End {
    fn from(error: Failed) -> Self {
        match error {
            // The state has moved on; the result no longer matters to it.
            Failed::Refused(_) => End::Done,
            other => End::Again {
                why: other.to_string(),
                after: None,
            },
        }
    }
}

impl Engine {
    /// Performs what is due, until told to stop.
    pub(super) async fn run_outbox(&self) {
        let mut stop = self.inner.stop.subscribe();
        loop {
            let woken = self.inner.outbox.notified();
            let next = match self.take_in_hand().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    Some(self.now() + FIRST_WAIT)
                }
            };
            let until = next.unwrap_or(DateTime::<Utc>::MAX_UTC);
            tokio::select! {
                () = woken => {}
                () = self.inner.parts.clock.until(until) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Starts what can be started now; says when to look again.
    async fn take_in_hand(&self) -> Result<Option<DateTime<Utc>>, crate::store::Error> {
        let busy = self.busy();
        self.measure().await;
        let free = HANDS_FULL.saturating_sub(lock(&self.inner.in_hand).len());
        if free == 0 {
            return Ok(None);
        }
        let now = self.now();
        let channels = lock(&self.inner.channels).iter().cloned().collect::<Vec<_>>();
        let due = self
            .inner
            .parts
            .store
            .due_effects(now, &channels, HANDS_FULL * 2)
            .await?;
        let mut started = 0;
        for stored in due {
            if started == free {
                break;
            }
            let channel_free = lock(&self.inner.channels).insert(stored.effect.channel.clone());
            if !channel_free {
                continue;
            }
            lock(&self.inner.in_hand).insert(stored.id);
            started += 1;
            let (engine, busy) = (self.clone(), self.busy());
            tokio::spawn(async move {
                engine.perform(&stored).await;
                lock(&engine.inner.in_hand).remove(&stored.id);
                lock(&engine.inner.channels).remove(&stored.effect.channel);
                engine.inner.outbox.notify_one();
                drop(busy);
            });
        }
        drop(busy);
        self.inner.parts.store.next_effect(now).await
    }

    async fn perform(&self, stored: &StoredEffect) {
        let end = match serde_json::from_str::<Task>(&stored.effect.body) {
            Ok(_)
                if stored
                    .effect
                    .deadline
                    .is_some_and(|deadline| deadline < self.now()) =>
            {
                self.inner.counters.effects_late.fetch_add(1, Ordering::Relaxed);
                self.too_late(stored).await
            }
            Ok(task) => self.carry_out(stored.id, task).await,
            Err(error) => End::Never(format!("the task cannot be read: {error}")),
        };
        let mut commit = Commit {
            at: self.now(),
            ..Commit::default()
        };
        match end {
            End::Written => {
                self.inner.counters.effects.fetch_add(1, Ordering::Relaxed);
                return;
            }
            End::Done => commit.effects_done.push(stored.id),
            End::Shown(posts) => {
                commit.effects_done.push(stored.id);
                commit.posts = posts;
            }
            End::Again { why, after } => {
                let doubled = FIRST_WAIT * 2_i32.saturating_pow(stored.attempts.min(6));
                let wait = after
                    .and_then(|after| TimeDelta::from_std(after).ok())
                    .unwrap_or(doubled.min(LONGEST_WAIT));
                tracing::warn!(effect = stored.effect.key, why, "to be tried again");
                commit.effects_retry.push(EffectRetry {
                    effect: stored.id,
                    not_before: self.now() + wait,
                    error: why,
                });
            }
            End::Never(why) => {
                self.inner.counters.effects_failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(effect = stored.effect.key, why, "given up");
                commit.effects_done.push(stored.id);
            }
        }
        self.inner.counters.effects.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.inner.parts.store.commit(commit).await {
            // It will be performed again: every call has a key for that.
            tracing::error!(effect = stored.effect.key, %error, "the end of an effect could not be stored");
        }
    }

    /// A notice that came too late is told in a digest together with the others of its room.
    async fn too_late(&self, stored: &StoredEffect) -> End {
        let Ok(Task::Incident {
            incident,
            effect: Effect::Notice { event, .. },
        }) = serde_json::from_str::<Task>(&stored.effect.body)
        else {
            return End::Done;
        };
        let prefix = format!("{incident}/notice/");
        let due = self
            .inner
            .parts
            .store
            .due_effects(self.now(), &[], 10_000)
            .await
            .unwrap_or_default();
        let late: Vec<&StoredEffect> = due
            .iter()
            .filter(|other| other.effect.key.starts_with(&prefix))
            .filter(|other| {
                other
                    .effect
                    .deadline
                    .is_some_and(|deadline| deadline < self.now())
            })
            .collect();
        let events = late
            .iter()
            .filter_map(|late| late.effect.key.strip_prefix(&prefix)?.parse::<u64>().ok());
        let to = events.max().unwrap_or(event).max(event);
        let mut done: Vec<EffectId> = late.iter().map(|late| late.id).collect();
        if !done.contains(&stored.id) {
            done.push(stored.id);
        }
        let commit = Commit {
            at: self.now(),
            effects: vec![plan::digest(incident, event, to)],
            effects_done: done,
            ..Commit::default()
        };
        match self.inner.parts.store.commit(commit).await {
            Ok(_) => End::Written,
            Err(error) => End::Again {
                why: error.to_string(),
                after: None,
            },
        }
    }

    async fn carry_out(&self, id: EffectId, task: Task) -> End {
        match task {
            Task::Incident { incident, effect } => self.carry_out_effect(id, incident, effect).await,
            Task::Whisper { room, to, message } => match self.chat(&to.platform) {
                Ok(chat) => match chat.whisper(&format!("whisper/{id}"), &room, &to, &message).await {
                    Ok(()) => End::Done,
                    Err(error) => error.into(),
                },
                Err(end) => end,
            },
            Task::Form {
                room,
                to,
                trigger,
                form,
            } => match self.chat(&to.platform) {
                Ok(chat) => match chat.ask(&trigger, &room, &to, &form).await {
                    Ok(()) => End::Done,
                    Err(error) => error.into(),
                },
                Err(end) => end,
            },
            Task::Digest { incident, from, to } => self.post_digest(incident, from, to).await,
            Task::Export {
                incident,
                format,
                as_of,
            } => self.post_export(id, incident, &format, as_of).await,
        }
    }

    async fn carry_out_effect(&self, id: EffectId, incident: IncidentId, effect: Effect) -> End {
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Never(format!("{incident} has no journal")),
            Err(error) => return error.into(),
        };
        match effect {
            Effect::OpenRoom => self.open_room(id, &state).await,
            Effect::Topic => self.set_topic(&state).await,
            Effect::Show { slot } => self.show(&state, slot).await,
            Effect::Notice { event, .. } => self.notice(&state, event).await,
            Effect::Direct { person, event } => self.direct(&state, &person, event).await,
            Effect::AskProbe { run } => self.ask_probe(id, &state, run).await,
            Effect::Preview { proposal } => self.preview(id, &state, proposal).await,
            Effect::Attempt { attempt } => self.attempt(id, &state, attempt).await,
            Effect::SetTimer { .. }
            | Effect::ClearTimer { .. }
            | Effect::TakeLock { .. }
            | Effect::ReleaseLock { .. } => End::Never("this is no task of the outbox".to_owned()),
        }
    }

    fn chat(&self, platform: &str) -> Result<&Arc<dyn Chat>, End> {
        let known = self
            .inner
            .parts
            .chats
            .iter()
            .find(|chat| chat.platform() == platform);
        known.ok_or_else(|| End::Never(format!("the platform `{platform}` is not configured")))
    }

    /// Commits a result; the effect is finished with it.
    async fn back(&self, incident: IncidentId, request: &Request, with: With) -> End {
        match self.decide(incident, &By::Orderly, request, with, None).await {
            Ok(_) => End::Written,
            Err(error) => error.into(),
        }
    }

    async fn open_room(&self, id: EffectId, state: &State) -> End {
        let incident = state.opening.number;
        let desk = self.desk();
        let with = || With {
            effect: Some(id),
            ..With::default()
        };
        let asked_on = state.opening.asked_in.as_ref().map(|room| room.platform.as_str());
        let chats = &self.inner.parts.chats;
        let Some(chat) = chats
            .iter()
            .find(|chat| asked_on.is_none_or(|platform| platform == chat.platform()))
        else {
            let why = "No chat platform is connected. The terminal works: `orderly incident`.".to_owned();
            return self.back(incident, &Request::RoomFailed { why }, with()).await;
        };
        let words = &self.inner.parts.words;
        let people = state.involved.iter().chain(state.roles.values().flatten());
        let spec = RoomSpec {
            name: words.room_name(state),
            topic: words.topic(state, &desk),
            private: state.opening.private,
            audience: Audience::Internal,
            invite: identities(&desk, people, chat.platform()),
        };
        match chat.open_room(&format!("{incident}/room"), &spec).await {
            Ok(room) => {
                let request = Request::RoomOpened {
                    room,
                    audience: Audience::Internal,
                };
                self.back(incident, &request, with()).await
            }
            Err(chat::Error::Gone { why }) => self.back(incident, &Request::RoomFailed { why }, with()).await,
            Err(error) => error.into(),
        }
    }

    async fn set_topic(&self, state: &State) -> End {
        let topic = self.inner.parts.words.topic(state, &self.desk());
        for (room, _) in &state.rooms {
            let set = match self.chat(&room.platform) {
                Ok(chat) => chat.set_topic(room, &topic).await,
                Err(end) => return end,
            };
            if let Err(error) = set {
                return error.into();
            }
        }
        End::Done
    }

    /// Where a message of this slot belongs now. Until the room exists the prompt appears where `/incident` was typed.
    fn rooms_for(&self, state: &State, slot: Slot) -> Vec<RoomRef> {
        let asked_in = || state.opening.asked_in.clone();
        match slot {
            Slot::Announcement if state.opening.private => Vec::new(),
            Slot::Announcement => self
                .inner
                .parts
                .options
                .announce
                .clone()
                .or_else(asked_in)
                .into_iter()
                .collect(),
            Slot::Prompt { .. } if state.rooms.is_empty() => asked_in().into_iter().collect(),
            _ => state.rooms.iter().map(|(room, _)| room.clone()).collect(),
        }
    }

    async fn show(&self, state: &State, slot: Slot) -> End {
        let incident = state.opening.number;
        let Some(message) = self.inner.parts.words.slot(state, slot, &self.desk()) else {
            return End::Done;
        };
        let known = match self.inner.parts.store.posts(incident).await {
            Ok(posts) => posts,
            Err(error) => {
                return End::Again {
                    why: error.to_string(),
                    after: None,
                };
            }
        };
        let mut shown = Vec::new();
        for room in self.rooms_for(state, slot) {
            let chat = match self.chat(&room.platform) {
                Ok(chat) => chat,
                Err(end) => return end,
            };
            let name = format!("{slot}@{room}");
            let there = known
                .iter()
                .find(|post| post.slot == name)
                .and_then(|post| serde_json::from_str(post.message.as_deref()?).ok());
            match there {
                Some(at) => match chat.update(&at, &message).await {
                    Ok(()) => {}
                    // Somebody deleted it: a slot that should be true is posted anew.
                    Err(chat::Error::Gone { .. }) => {
                        match self.post_slot(chat, &room, incident, slot, &message).await {
                            Ok(post) => shown.push(post),
                            Err(error) => return error.into(),
                        }
                    }
                    Err(error) => return error.into(),
                },
                None => match self.post_slot(chat, &room, incident, slot, &message).await {
                    Ok(post) => shown.push(post),
                    Err(error) => return error.into(),
                },
            }
        }
        End::Shown(shown)
    }

    async fn post_slot(
        &self,
        chat: &Arc<dyn Chat>,
        room: &RoomRef,
        incident: IncidentId,
        slot: Slot,
        message: &Message,
    ) -> Result<Post, chat::Error> {
        let at = chat
            .post(&format!("{incident}/{slot}@{room}"), room, None, message)
            .await?;
        if slot == Slot::Card {
            chat.pin(&at).await?;
        }
        let message = serde_json::to_string(&at).ok();
        Ok(Post {
            incident,
            slot: format!("{slot}@{room}"),
            message,
        })
    }

    async fn notice(&self, state: &State, event: u64) -> End {
        let incident = state.opening.number;
        let Some(message) = (match self.notice_of(state, event).await {
            Ok(message) => message,
            Err(end) => return end,
        }) else {
            return End::Done;
        };
        for (room, audience) in &state.rooms {
            if *audience == Audience::Guest {
                continue;
            }
            let posted = match self.chat(&room.platform) {
                Ok(chat) => {
                    chat.post(&format!("{incident}/notice/{event}@{room}"), room, None, &message)
                        .await
                }
                Err(end) => return end,
            };
            if let Err(error) = posted {
                return error.into();
            }
        }
        End::Done
    }

    async fn notice_of(&self, state: &State, event: u64) -> Result<Option<Message>, End> {
        let stream = Stream::Incident(state.opening.number);
        let again = |why: String| End::Again { why, after: None };
        let stored = self
            .inner
            .parts
            .store
            .events(stream, event - 1, 1)
            .await
            .map_err(|e| again(e.to_string()))?;
        let Some(stored) = stored.first() else {
            return Ok(None);
        };
        let recorded = journal::read(stored).map_err(|error| End::Never(error.to_string()))?;
        let hash = stored.seal.hash.to_string();
        Ok(self
            .inner
            .parts
            .words
            .notice(state, &recorded, &hash, &self.desk()))
    }

    async fn direct(&self, state: &State, person: &PersonId, event: u64) -> End {
        let message = match self.notice_of(state, event).await {
            Ok(Some(message)) => message,
            Ok(None) => return End::Done,
            Err(end) => return end,
        };
        let desk = self.desk();
        let Some(known) = desk.people.get(person) else {
            return End::Done;
        };
        for identity in &known.identities {
            let Ok(chat) = self.chat(&identity.platform) else {
                continue;
            };
            let key = format!("{}/direct/{event}/{}", state.opening.number, identity.user);
            if let Err(error) = chat.direct(&key, identity, &message).await {
                return error.into();
            }
        }
        End::Done
    }

    async fn post_digest(&self, incident: IncidentId, from: u64, to: u64) -> End {
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Done,
            Err(error) => return error.into(),
        };
        let message = self.inner.parts.words.digest(&state, from, to, &self.desk());
        for (room, _) in &state.rooms {
            let posted = match self.chat(&room.platform) {
                Ok(chat) => {
                    chat.post(&format!("{incident}/digest/{to}@{room}"), room, None, &message)
                        .await
                }
                Err(end) => return end,
            };
            if let Err(error) = posted {
                return error.into();
            }
        }
        End::Done
    }

    async fn post_export(&self, id: EffectId, incident: IncidentId, format: &str, as_of: u64) -> End {
        let Document {
            as_of,
            bytes,
            media_type,
            name,
        } = match self.document(incident, format, as_of).await {
            Ok(document) => document,
            Err(error) => return End::Never(error.to_string()),
        };
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Done,
            Err(error) => return error.into(),
        };
        let evidence = Evidence::new(incident, media_type, bytes.clone());
        let sha256 = evidence.sha256.to_string();
        for (room, _) in &state.rooms {
            let chat = match self.chat(&room.platform) {
                Ok(chat) => chat,
                Err(end) => return end,
            };
            let comment = format!("Post-mortem of {incident} as of event #{as_of}, SHA-256 {sha256}");
            let (media_type, name) = (media_type.to_owned(), name.clone());
            let file = Upload {
                name,
                media_type,
                bytes: bytes.clone(),
                comment,
            };
            if let Err(error) = chat
                .upload(&format!("{incident}/export/{as_of}/{format}@{room}"), room, &file)
                .await
            {
                return error.into();
            }
        }
        let request = Request::RecordExport {
            format: format.to_owned(),
            as_of,
            sha256,
        };
        let with = With {
            effect: Some(id),
            evidence: Some(evidence),
            ..With::default()
        };
        self.back(incident, &request, with).await
    }

    /// A document of the journal up to an event. Exports are not part of what they show, so the document stands for the
    /// last event before them.
    pub async fn document(&self, incident: IncidentId, format: &str, as_of: u64) -> Result<Document, Failed> {
        let store = &self.inner.parts.store;
        let mut journal = journal::load(&**store, incident).await?;
        let is_export = |event: &Option<Event>| matches!(event, Some(Event::Exported { .. }));
        let last = journal
            .iter()
            .rev()
            .find(|recorded| recorded.seq <= as_of && !is_export(&recorded.event));
        let as_of = last.map_or(0, |last| last.seq);
        journal.retain(|recorded| recorded.seq <= as_of);
        let stream = Stream::Incident(incident);
        let last = store.events(stream, as_of.saturating_sub(1), 1).await?;
        let head = last.first().map_or(String::new(), |last| {
            format!("{incident}@{as_of}:{}", last.seal.hash)
        });
        let log = match self.inner.parts.options.whole_log {
            true => Some(store.room_log(incident, LogId(0), usize::MAX >> 1).await?),
            false => None,
        };
        let documents = &self.inner.parts.documents;
        let (bytes, media_type, name) =
            documents.export(format, &journal, &head, log.as_deref(), &self.desk())?;
        Ok(Document {
            as_of,
            bytes,
            media_type,
            name,
        })
    }

    async fn ask_probe(&self, id: EffectId, state: &State, run: ProbeRunId) -> End {
        let Some(asked) = state.runs.get(&run).map(|run| run.asked.clone()) else {
            return End::Done;
        };
        let onset = state.moments.get(&Moment::Onset).map(|onset| onset.at);
        let (mut answer, output) = self.inner.parts.hands.ask(&asked, onset).await;
        self.inner.counters.outcome("probe", answer.verdict.word());
        let incident = state.opening.number;
        let evidence =
            (!output.is_empty()).then(|| Evidence::new(incident, "text/plain; charset=utf-8", output));
        answer.output = evidence.as_ref().map(|evidence| evidence.sha256.to_string());
        for text in [&mut answer.summary, &mut answer.excerpt] {
            *text = (self.inner.parts.mask)(text);
        }
        let with = With {
            effect: Some(id),
            evidence,
            ..With::default()
        };
        self.back(incident, &Request::AnswerProbe { run, answer }, with)
            .await
    }

    async fn preview(&self, id: EffectId, state: &State, proposal: ProposalId) -> End {
        let Some(terms) = state
            .proposals
            .get(&proposal)
            .map(|proposal| proposal.terms.clone())
        else {
            return End::Done;
        };
        let onset = state.moments.get(&Moment::Onset).map(|onset| onset.at);
        let request = match self.inner.parts.hands.preview(&terms, onset).await {
            Ok(preview) => Request::Previewed {
                proposal,
                preview: Box::new(preview),
            },
            Err(why) => Request::PreviewFailed { proposal, why },
        };
        let with = With {
            effect: Some(id),
            ..With::default()
        };
        self.back(state.opening.number, &request, with).await
    }

    /// The one place where a system is changed. Claimed first: after a crash a claim says that it may have happened.
    async fn attempt(&self, id: EffectId, state: &State, attempt: AttemptId) -> End {
        let incident = state.opening.number;
        let with = || With {
            effect: Some(id),
            ..With::default()
        };
        let Some(approved) = state.approved(attempt) else {
            return End::Done;
        };
        let Some(terms) = state
            .proposals
            .get(&approved.proposal())
            .map(|proposal| proposal.terms.clone())
        else {
            return End::Done;
        };
        let claim = Commit {
            at: self.now(),
            effects_claimed: vec![id],
            ..Commit::default()
        };
        if let Err(error) = self.inner.parts.store.commit(claim).await {
            let why = format!("Nothing was sent: the start could not be stored ({error}).");
            return self
                .back(
                    incident,
                    &Request::EndAttempt {
                        attempt,
                        outcome: Outcome::NotDone { why },
                    },
                    with(),
                )
                .await;
        }
        let outcome = self.inner.parts.hands.attempt(&approved, &terms).await;
        self.inner.counters.outcome(
            "action",
            match &outcome {
                Outcome::Done { .. } => "done",
                Outcome::NotDone { .. } => "not-done",
                Outcome::Unknown { .. } => "unknown",
            },
        );
        match self
            .back(incident, &Request::EndAttempt { attempt, outcome }, with())
            .await
        {
            // Trying the result again means trying the write again, never the action.
            End::Again { why, .. } => self.end_unknown(id, incident, attempt, why).await,
            end => end,
        }
    }

    /// The action was performed and its result could not be written: what stands is that nobody knows.
    async fn end_unknown(&self, id: EffectId, incident: IncidentId, attempt: AttemptId, why: String) -> End {
        tracing::error!(%incident, %attempt, why, "the result of an attempt could not be stored");
        let outcome = Outcome::Unknown {
            why: format!("its result could not be stored: {why}"),
        };
        let with = With {
            effect: Some(id),
            ..With::default()
        };
        match self
            .back(incident, &Request::EndAttempt { attempt, outcome }, with)
            .await
        {
            // Still no way to write. The claim stays, so the next start settles it as unknown.
            End::Again { .. } => End::Written,
            end => end,
        }
    }

    /// Fires what is due, until told to stop.
    pub(super) async fn run_timers(&self) {
        let mut stop = self.inner.stop.subscribe();
        loop {
            let woken = self.inner.timers.notified();
            let busy = self.busy();
            self.fire_timers().await;
            let next = self.inner.parts.store.next_timer().await.ok().flatten();
            drop(busy);
            tokio::select! {
                () = woken => {}
                () = self.inner.parts.clock.until(next.unwrap_or(DateTime::<Utc>::MAX_UTC)) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn fire_timers(&self) {
        let due = match self.inner.parts.store.due_timers(self.now(), HANDS_FULL).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "the timers cannot be read");
                return;
            }
        };
        for timer in due {
            let (Stream::Incident(incident), Ok(key)) =
                (timer.stream, serde_json::from_str::<TimerKey>(&timer.body))
            else {
                tracing::error!(key = timer.key, "a timer cannot be read");
                continue;
            };
            let with = With {
                timer: Some((incident, key.clone())),
                ..With::default()
            };
            if let Err(error) = self
                .decide(incident, &By::Orderly, &Request::Timer { key }, with, None)
                .await
            {
                tracing::error!(%incident, %error, "a timer could not be handled");
            }
        }
    }
}

/// The identities of people on a platform.
fn identities<'a>(
    desk: &desk::State,
    people: impl Iterator<Item = &'a PersonId>,
    platform: &str,
) -> Vec<Identity> {
    let mut found: Vec<Identity> = people
        .filter_map(|person| desk.people.get(person))
        .flat_map(|person| person.identities.iter())
        .filter(|identity| identity.platform == platform)
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}
