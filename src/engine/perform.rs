//! Working the outbox off. Every result comes back as a request; nothing is performed anywhere else.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;

use super::decide::{Failed, With};
use super::plan::{Place, Task};
use super::redact::GONE;
use super::{Engine, FIRST_WAIT, HANDS_FULL, LONGEST_WAIT, backoff, lock, plan};
use crate::chat::{self, Chat, Message};
use crate::incident::{By, Effect, Identity, IncidentId, MessageRef, Request, RoomRef};
use crate::store::{Commit, Committed, EffectId, EffectRetry, Error, Lane, Post, StoredEffect};

/// After this many failed tries an effect no longer keeps the rest of its channel waiting: by then it is more likely
/// that this one message is the trouble than the platform.
const HOLDS_CHANNEL: u32 = 6;

/// Effects looked through for what else is too late: more than a room gets in a day.
const MOST_LATE: usize = 10_000;

/// Effects of one channel read and performed in a row: enough that reading costs little, few enough that the channels
/// that wait for a free hand get their turn.
const IN_A_ROW: usize = 16;

/// When so many effects wait, no more are waited for.
const ROUND: usize = 64;

/// Commits after which no more is waited for, so that what is written all the time keeps nothing from being shown: a
/// few hundredths of a second.
const PATIENCE: usize = 16;

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
pub(super) enum End {
    /// Done, and nothing more to write down.
    Done,
    /// There was nothing to do, and nobody was asked: it says nothing about whether a platform is there.
    Nothing,
    /// Done, and the effect was finished in the commit of its result.
    Written,
    /// Messages that now show something.
    Shown(Vec<Post>),
    Again {
        why: String,
        after: Option<Duration>,
        /// The platform itself could not be reached.
        away: bool,
    },
    /// An edit for which a platform has no room now. What is to be said in the room does not wait for it: the message
    /// stands, and edits have a limit of their own.
    Later { why: String, after: Duration },
    /// To be looked at again, with its row left exactly as it is: a claim must not be taken back.
    Rest(String),
    /// Never to succeed; said once, then dropped.
    Never(String),
}

impl End {
    pub(super) fn again(why: impl Into<String>) -> Self {
        End::Again {
            why: why.into(),
            after: None,
            away: false,
        }
    }

    /// The end of two calls for one task: if either is to be tried again, all of it is; every call has a key.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (End::Shown(mut posts), End::Shown(more)) => {
                posts.extend(more);
                End::Shown(posts)
            }
            (again @ (End::Again { .. } | End::Rest(_)), _)
            | (_, again @ (End::Again { .. } | End::Rest(_))) => again,
            (later @ End::Later { .. }, _) | (_, later @ End::Later { .. }) => later,
            (shown @ End::Shown(_), _) | (_, shown @ End::Shown(_)) => shown,
            (never @ End::Never(_), _) | (_, never @ End::Never(_)) => never,
            (End::Written, _) | (_, End::Written) => End::Written,
            (End::Done, _) | (_, End::Done) => End::Done,
            (End::Nothing, End::Nothing) => End::Nothing,
        }
    }
}

impl End {
    /// How an edit of a message that stands ended.
    pub(super) fn of_edit(result: Result<(), chat::Error>) -> Self {
        match result {
            Err(chat::Error::Retry {
                why,
                after: Some(after),
            }) => End::Later { why, after },
            other => other.into(),
        }
    }
}

impl From<Result<(), chat::Error>> for End {
    fn from(result: Result<(), chat::Error>) -> Self {
        match result {
            Ok(()) => End::Done,
            Err(error) => error.into(),
        }
    }
}

impl From<chat::Error> for End {
    fn from(error: chat::Error) -> Self {
        match error {
            chat::Error::Retry { why, after } => {
                let away = after.is_none();
                End::Again { why, after, away }
            }
            chat::Error::Gone { why } => End::Never(why),
        }
    }
}

impl From<Failed> for End {
    fn from(error: Failed) -> Self {
        match error {
            // The state has moved on; the result no longer matters to it.
            Failed::Refused(_) => End::Done,
            other => End::again(other.to_string()),
        }
    }
}

/// A channel in somebody's hands. Given back when dropped, also by a panic, so that it does not stand still for ever.
struct InHand {
    engine: Engine,
    channel: String,
    /// Not performed yet, the one under way among them.
    left: VecDeque<EffectId>,
}

/// A commit under way. Whoever waits for more to come looks again when it ends, also by a panic.
struct Committing<'a>(&'a Engine);

impl<'a> Committing<'a> {
    fn begin(engine: &'a Engine) -> Self {
        engine.inner.committing.fetch_add(1, Ordering::AcqRel);
        Self(engine)
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.0.inner.committing.fetch_sub(1, Ordering::AcqRel);
        self.0.inner.outbox.notify_one();
    }
}

/// An effect as it was read.
struct Ready {
    stored: StoredEffect,
    task: Result<Task, serde_json::Error>,
}

impl From<StoredEffect> for Ready {
    fn from(stored: StoredEffect) -> Self {
        let task = serde_json::from_str(&stored.effect.body);
        Self { stored, task }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut waiting = lock(&self.engine.inner.effects);
        if std::thread::panicking() {
            waiting.rest(&self.channel, self.engine.now() + LONGEST_WAIT);
        }
        for id in self.left.drain(..) {
            waiting.add(id, &self.channel, None);
        }
        waiting.end(&self.channel);
        drop(waiting);
        self.engine.inner.outbox.notify_one();
    }
}

impl Engine {
    /// Commits, and takes up what the commit put into the outbox.
    pub(super) async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        let channels: Vec<_> = commit
            .effects
            .iter()
            .map(|effect| (effect.channel.clone(), effect.not_before))
            .collect();
        let timers = !commit.timers_set.is_empty() || !commit.timers_cleared.is_empty();
        let committing = Committing::begin(self);
        let committed = self.inner.parts.store.commit(commit).await;
        self.wrote(&committed);
        let committed = committed?;
        if !channels.is_empty() {
            let mut waiting = lock(&self.inner.effects);
            for (id, (channel, not_before)) in committed.effects.iter().zip(channels) {
                waiting.add(*id, &channel, not_before);
            }
        }
        drop(committing);
        if timers {
            self.inner.timers.notify_one();
        }
        Ok(committed)
    }

    /// Performs what is due, until told to stop.
    pub(super) async fn run_outbox(&self) {
        let mut stop = self.inner.stop.subscribe();
        let mut waited = 0;
        loop {
            let woken = self.inner.outbox.notified();
            let wait = waited < PATIENCE && self.more_is_coming();
            waited = if wait { waited + 1 } else { 0 };
            let wakes = if wait { None } else { self.take_in_hand() };
            let until = wakes.unwrap_or(DateTime::<Utc>::MAX_UTC);
            tokio::select! {
                () = woken => {}
                () = self.inner.parts.clock.until(until) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Whether little waits, nothing of it is urgent, and something is being written that wakes us again: many effects
    /// performed together cost the disk hardly more than one.
    fn more_is_coming(&self) -> bool {
        let waiting = lock(&self.inner.effects);
        waiting.len() < ROUND && !waiting.is_urgent() && self.inner.committing.load(Ordering::Acquire) > 0
    }

    /// Starts what can be started now; says when to look again.
    fn take_in_hand(&self) -> Option<DateTime<Utc>> {
        let now = self.now();
        let mut waiting = lock(&self.inner.effects);
        let wakes = waiting.wakes(now);
        let mut taken = Vec::new();
        while !*self.inner.stop.borrow()
            && waiting.worked_on() < HANDS_FULL
            && let Some((channel, left)) = waiting.take(now, IN_A_ROW)
        {
            taken.push(InHand {
                engine: self.clone(),
                channel,
                left: left.into(),
            });
        }
        if !taken.is_empty() {
            // Counted before anybody can see that nothing waits any more.
            let (engine, busy) = (self.clone(), self.busy());
            drop(waiting);
            tokio::spawn(async move {
                engine.hand_out(taken).await;
                drop(busy);
            });
        }
        wakes
    }

    /// Reads the effects of several channels at once, then works all channels off side by side.
    async fn hand_out(&self, taken: Vec<InHand>) {
        let ids: Vec<EffectId> = taken.iter().flat_map(|in_hand| &in_hand.left).copied().collect();
        let rest = |wait| taken.iter().for_each(|in_hand| self.rest(&in_hand.channel, wait));
        let stored = match self.inner.parts.store.effects(&ids).await {
            Ok(stored) => stored,
            // Nothing more will be read; without a rest it would be asked for again at once.
            Err(Error::Stopped) => return rest(LONGEST_WAIT),
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                return rest(FIRST_WAIT);
            }
        };
        let mut by_channel: HashMap<String, VecDeque<Ready>> = HashMap::new();
        for stored in stored {
            // After a failed write the store may give an id out again, to another channel: it is filed by its own name.
            let channel = by_channel.entry(stored.effect.channel.clone()).or_default();
            channel.push_back(Ready::from(stored));
        }
        for in_hand in taken {
            let ready = by_channel.remove(&in_hand.channel).unwrap_or_default();
            let (engine, busy) = (self.clone(), self.busy());
            let mut work = Box::pin(async move {
                // A defect in one channel must not stop the others that begin here.
                let done = AssertUnwindSafe(engine.work_through(in_hand, ready)).catch_unwind();
                if done.await.is_err() {
                    tracing::error!("performing an effect failed badly; its channel rests");
                }
                drop(busy);
            });
            // Begun here, one after the other: where a platform takes few calls, the most urgent asks first. Tasks of their
            // own would race for them.
            if futures::poll!(&mut work).is_pending() {
                tokio::spawn(work);
            }
        }
    }

    /// Performs effects of one channel, one after the other. That one is done is written down while the next one is
    /// performed: should the process end in between, every call has a key.
    async fn work_through(&self, mut in_hand: InHand, mut ready: VecDeque<Ready>) {
        let mut ends = Vec::new();
        // When what failed last is tried again, unless something that came after it went through.
        let mut failed = None;
        while let Some(id) = in_hand.left.front().copied() {
            if ready.front().is_none_or(|ready| ready.stored.id != id) {
                // Replaced by a later one, or told in a digest.
                in_hand.left.pop_front();
                continue;
            }
            if lock(&self.inner.effects).gives_way(&in_hand.channel, id) || *self.inner.stop.borrow() {
                break;
            }
            let performed = match self.notices_first(&ready) {
                Some((incident, room, events)) if events.len() > 1 => {
                    let told = self.tell_notices(incident, &events, &room).await;
                    if let Some(last) = told.last() {
                        self.heed(incident, &room, last).await;
                    }
                    told
                }
                _ => vec![self.perform(&ready[0]).await],
            };
            for (ready, end) in ready.drain(..performed.len()).zip(performed) {
                in_hand.left.retain(|left| *left != ready.stored.id);
                // What is merely put off or dropped says nothing about whether anything gets through.
                let asked = !self.is_late(&ready.stored) && !matches!(end, End::Nothing | End::Later { .. });
                let commit = self.end(&ready.stored, end);
                if asked {
                    let again = commit.as_ref().and_then(|commit| commit.effects_retry.first());
                    failed = again.map(|again| again.not_before);
                }
                if let Some(commit) = commit {
                    // What the next one looks at: which message shows what, or that it has to wait.
                    self.write_end(&ready.stored, commit).await;
                }
            }
            let (engine, busy) = (self.clone(), self.busy());
            ends.push(tokio::spawn(async move {
                engine.write_done().await;
                drop(busy);
            }));
        }
        if let Some(until) = failed {
            // It looks as if the platform were away: nothing new overtakes what could not be told.
            lock(&self.inner.effects).rest(&in_hand.channel, until);
        }
        for end in ends {
            // A panic in there has been told by the runtime.
            let _ = end.await;
        }
    }

    async fn write_end(&self, stored: &StoredEffect, commit: Commit) {
        let again = commit.effects_retry.first().map(|retry| retry.not_before);
        match self.commit(commit).await {
            Ok(_) => {
                if let Some(not_before) = again {
                    lock(&self.inner.effects).add(stored.id, &stored.effect.channel, Some(not_before));
                }
            }
            Err(error) => self.not_written(stored.id, &stored.effect.channel, &error),
        }
    }

    /// Writes down in one commit what is done by now, whoever did it.
    async fn write_done(&self) {
        let _turn = self.inner.writing_done.lock().await;
        let done = std::mem::take(&mut *lock(&self.inner.done));
        if done.is_empty() {
            return;
        }
        let commit = Commit {
            at: self.now(),
            effects_done: done.iter().map(|(id, _)| *id).collect(),
            ..Commit::default()
        };
        if let Err(error) = self.commit(commit).await {
            for (id, channel) in done {
                self.not_written(id, &channel, &error);
            }
        }
    }

    /// It will be performed again, every call has a key for that; not at once, the disk needs somebody first.
    fn not_written(&self, id: EffectId, channel: &str, error: &Error) {
        tracing::error!(effect = id.0, channel, %error, "the end of an effect could not be stored");
        let mut waiting = lock(&self.inner.effects);
        waiting.add(id, channel, None);
        waiting.rest(channel, self.now() + FIRST_WAIT);
    }

    fn rest(&self, channel: &str, wait: TimeDelta) {
        lock(&self.inner.effects).rest(channel, self.now() + wait);
    }

    /// Performs an effect.
    async fn perform(&self, ready: &Ready) -> End {
        let Ready { stored, task } = ready;
        match task {
            Ok(task) if self.is_late(stored) => {
                self.inner.counters.effects_late.fetch_add(1, Ordering::Relaxed);
                self.too_late(stored, task).await
            }
            Ok(task) if stored.id.lane() <= Lane::Urgent => {
                chat::urgently(self.carry_out(stored, task.clone())).await
            }
            Ok(task) => self.carry_out(stored, task.clone()).await,
            Err(error) => End::Never(format!("the task cannot be read: {error}")),
        }
    }

    fn is_late(&self, stored: &StoredEffect) -> bool {
        stored
            .effect
            .deadline
            .is_some_and(|deadline| deadline < self.now())
    }

    /// The notices at the head, of one incident in one room and none too late, as far as nothing else comes between them.
    fn notices_first(&self, ready: &VecDeque<Ready>) -> Option<(IncidentId, RoomRef, Vec<u64>)> {
        let mut notices = ready.iter().map_while(|ready| match &ready.task {
            Ok(Task::Incident {
                incident,
                effect: Effect::Notice { event, .. },
                place: Some(Place::Room(room)),
            }) if !self.is_late(&ready.stored) => Some((*incident, room, *event)),
            _ => None,
        });
        let (of, there, first) = notices.next()?;
        let others = notices.take_while(|(incident, room, _)| *incident == of && *room == there);
        let events = std::iter::once(first).chain(others.map(|(.., event)| event));
        Some((of, there.clone(), events.collect()))
    }

    /// What an end means for what waits; what is to be written down of it at once. That it is done is written with
    /// whatever else is done by then.
    fn end(&self, stored: &StoredEffect, end: End) -> Option<Commit> {
        self.inner.counters.effects.fetch_add(1, Ordering::Relaxed);
        let (id, channel) = (stored.id, &stored.effect.channel);
        let mut commit = Commit {
            at: self.now(),
            ..Commit::default()
        };
        match end {
            End::Written => return None,
            End::Rest(why) => {
                tracing::warn!(effect = stored.effect.key, why, "to be looked at again");
                let mut waiting = lock(&self.inner.effects);
                waiting.add(id, channel, None);
                waiting.rest(channel, self.now() + LONGEST_WAIT);
                return None;
            }
            End::Done | End::Nothing => {
                lock(&self.inner.done).push((id, channel.clone()));
                return None;
            }
            End::Shown(posts) => {
                commit.effects_done.push(id);
                commit.effects.extend(posts.iter().filter_map(plan::after_post));
                commit.posts = posts;
            }
            End::Again { why, after, .. } => {
                let asked = after.and_then(|after| TimeDelta::from_std(after).ok());
                let wait = asked.unwrap_or_else(|| backoff(stored.attempts));
                // Said once for each: while a platform is away, everything that waits for it is tried every minute.
                match stored.attempts {
                    0 => tracing::warn!(effect = stored.effect.key, why, "to be tried again"),
                    _ => tracing::debug!(effect = stored.effect.key, why, "to be tried again"),
                }
                // Told when to come back, it is not the message that is the trouble.
                if asked.is_some() || stored.attempts < HOLDS_CHANNEL {
                    self.rest(channel, wait);
                }
                commit.effects_retry.push(EffectRetry {
                    effect: id,
                    not_before: self.now() + wait,
                    error: why,
                });
            }
            End::Later { why, after } => {
                tracing::debug!(effect = stored.effect.key, why, "an edit waits");
                let wait = TimeDelta::from_std(after).unwrap_or(LONGEST_WAIT);
                commit.effects_retry.push(EffectRetry {
                    effect: id,
                    not_before: self.now() + wait,
                    error: why,
                });
            }
            End::Never(why) => {
                self.inner.counters.effects_failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(effect = stored.effect.key, why, "given up");
                lock(&self.inner.done).push((id, channel.clone()));
                return None;
            }
        }
        Some(commit)
    }

    /// A notice that came too late is told in a digest, together with all others of its room that are late by now.
    async fn too_late(&self, stored: &StoredEffect, task: &Task) -> End {
        let (incident, room, mut told, mut said) = match task.clone() {
            Task::Incident {
                incident,
                effect: Effect::Notice { event, .. },
                place,
            } => {
                let room = match place {
                    Some(Place::Room(room)) => Some(room),
                    _ => None,
                };
                (incident, room, Some((event, event)), Vec::new())
            }
            Task::Carry {
                incident,
                message,
                room,
                ..
            } => (incident, Some(room), None, vec![message]),
            Task::Form { room, to, form, .. } => {
                return self.form_too_late(stored, &room, &to, &form).await;
            }
            _ => return End::Done,
        };
        let now = self.now();
        let store = &self.inner.parts.store;
        // Also those that wait for their next try; none waits for a day.
        let waiting = match store.due_effects(now + TimeDelta::days(1), &[], MOST_LATE).await {
            Ok(waiting) => waiting,
            Err(error) => return End::again(error.to_string()),
        };
        let mut done = vec![stored.id];
        let covers = |told: Option<(u64, u64)>, from: u64, to: u64| match told {
            Some((first, last)) => Some((first.min(from), last.max(to))),
            None => Some((from, to)),
        };
        let late = |other: &StoredEffect| other.effect.deadline.is_some_and(|deadline| deadline < now);
        let here = |other: &StoredEffect| other.effect.channel == stored.effect.channel;
        for other in waiting.into_iter().filter(here) {
            match serde_json::from_str::<Task>(&other.effect.body) {
                Ok(Task::Incident {
                    incident: of,
                    effect: Effect::Notice { event, .. },
                    ..
                }) if of == incident && late(&other) => {
                    told = covers(told, event, event);
                    done.push(other.id);
                }
                Ok(Task::Carry {
                    incident: of,
                    message,
                    ..
                }) if of == incident && late(&other) => {
                    said.push(message);
                    done.push(other.id);
                }
                // One that was not posted yet is replaced by this one, which covers it.
                Ok(Task::Digest {
                    incident: of,
                    from,
                    to,
                    said: earlier,
                    ..
                }) if of == incident => {
                    told = if to > 0 { covers(told, from, to) } else { told };
                    said.splice(0..0, earlier);
                }
                _ => {}
            }
        }
        done.sort();
        done.dedup();
        let mut told_once = BTreeSet::new();
        said.retain(|message| told_once.insert(message.clone()));
        // Only people spoke: the digest is about no event.
        let (from, to) = told.unwrap_or_default();
        let commit = Commit {
            at: now,
            effects: vec![plan::digest(incident, from, to, room, said)],
            effects_done: done,
            ..Commit::default()
        };
        match self.commit(commit).await {
            Ok(_) => End::Written,
            Err(error) => End::again(error.to_string()),
        }
    }

    async fn carry_out(&self, stored: &StoredEffect, task: Task) -> End {
        match task {
            Task::Incident {
                incident,
                effect,
                place,
            } => self.carry_out_effect(stored, incident, effect, place).await,
            Task::Whisper {
                room,
                thread,
                to,
                message,
            } => match self.chat(&to.platform) {
                Ok(chat) => {
                    let key = &stored.effect.key;
                    whisper(&**chat, key, (room, thread), &to, &message).await.into()
                }
                Err(end) => end,
            },
            Task::Form {
                room,
                to,
                trigger,
                form,
            } => self.show_form(stored, &room, &to, &trigger, &form).await,
            Task::Digest {
                incident,
                from,
                to,
                room,
                said,
            } => self.digest(stored.id, incident, (from, to), room, said).await,
            Task::WhereOpened { incident, slot } => self.show_where_opened(incident, slot).await,
            Task::Pin { at } => match self.chat(&at.room.platform) {
                Ok(chat) => chat.pin(&at).await.into(),
                Err(end) => end,
            },
            Task::Carry {
                incident,
                message,
                room,
                new,
            } => {
                let end = self.carry(incident, &message, &room, new).await;
                self.heed(incident, &room, &end).await;
                end
            }
            Task::Reword {
                incident,
                event,
                room,
            } => {
                let end = self.reword(incident, event, &room).await;
                self.heed(incident, &room, &end).await;
                end
            }
            Task::RewordDirect {
                incident,
                event,
                person,
            } => self.reword_direct(incident, &person, event).await,
            Task::Scrub { message } => match self.chat(&message.room.platform) {
                Ok(chat) => match chat.redact(&message, GONE).await {
                    // It is for the author; the room was told so.
                    Err(chat::Error::Gone { .. }) => End::Nothing,
                    scrubbed => scrubbed.into(),
                },
                Err(end) => end,
            },
            Task::Export {
                incident,
                format,
                as_of,
            } => self.make_export(stored.id, incident, &format, as_of).await,
        }
    }

    async fn carry_out_effect(
        &self,
        stored: &StoredEffect,
        incident: IncidentId,
        effect: Effect,
        place: Option<Place>,
    ) -> End {
        let id = stored.id;
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Never(format!("{incident} has no journal")),
            Err(error) if matches!(effect, Effect::Attempt { .. }) => return End::Rest(error.to_string()),
            Err(error) => return error.into(),
        };
        match (effect, place) {
            (effect, Some(Place::Room(room))) => {
                let end = self.in_room(id, state, effect, &room).await;
                self.heed(incident, &room, &end).await;
                end
            }
            (_, Some(Place::Lobby(platform))) => self.announce(state, &platform).await,
            (Effect::OpenRoom, None) => self.open_room(id, &state).await,
            (
                Effect::MakeRoom {
                    event,
                    platform,
                    audience,
                },
                None,
            ) => self.make_room(id, &state, event, &platform, audience).await,
            (Effect::Furnish { room }, None) => self.furnish(&state, &room).await,
            (Effect::Leave { room, event }, None) => self.leave_room(&state, event, &room).await,
            (Effect::ReadBack { room, since }, None) => match self.chat(&room.platform) {
                Ok(chat) => chat.read_back(&room, since).await.into(),
                Err(end) => end,
            },
            (Effect::Direct { person, event }, None) => {
                drop(state);
                self.direct(incident, &person, event).await
            }
            (Effect::KeepFile { message, file }, None) => self.keep_file(id, &state, &message, &file).await,
            (Effect::AskProbe { run }, None) => self.ask_probe(id, &state, run).await,
            (Effect::Preview { proposal }, None) => self.preview(id, &state, proposal).await,
            (Effect::Attempt { attempt }, None) => self.attempt(stored, &state, attempt).await,
            (effect, None) => self.spread(id, state, effect).await,
        }
    }

    pub(super) fn chat(&self, platform: &str) -> Result<&Arc<dyn Chat>, End> {
        let chats = &self.inner.parts.chats;
        let known = chats.iter().find(|chat| chat.platform() == platform);
        known.ok_or_else(|| End::Never(format!("the platform `{platform}` is not configured")))
    }

    /// Commits a result; the effect is finished with it.
    pub(super) async fn back(&self, incident: IncidentId, request: &Request, with: With) -> End {
        if let Err(error) = self.groups_before(incident, &By::Orderly, request).await {
            return error.into();
        }
        match self.decide(incident, &By::Orderly, request, with, None).await {
            Ok(_) => End::Written,
            Err(error) => error.into(),
        }
    }
}

/// Says something to one person, where they spoke to the bot.
pub(super) async fn whisper(
    chat: &dyn Chat,
    key: &str,
    (room, thread): (RoomRef, Option<String>),
    to: &Identity,
    message: &Message,
) -> Result<(), chat::Error> {
    match thread {
        None => chat.whisper(key, &room, to, message).await,
        Some(thread) => {
            let below = MessageRef {
                room,
                message: thread,
            };
            chat.whisper_below(key, &below, to, message).await
        }
    }
}
