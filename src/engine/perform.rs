//! Working the outbox off. Every result comes back as a request; nothing is performed anywhere else.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::decide::{Failed, With};
use super::plan::Task;
use super::{Engine, FIRST_WAIT, HANDS_FULL, LONGEST_WAIT, backoff, lock, plan};
use crate::chat::{self, Chat};
use crate::incident::{By, Effect, IncidentId, Request};
use crate::store::{Commit, Committed, EffectId, EffectRetry, Error, Post, StoredEffect};

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
    /// Done, and the effect was finished in the commit of its result.
    Written,
    /// Messages that now show something.
    Shown(Vec<Post>),
    Again {
        why: String,
        after: Option<Duration>,
    },
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
            (shown @ End::Shown(_), _) | (_, shown @ End::Shown(_)) => shown,
            (never @ End::Never(_), _) | (_, never @ End::Never(_)) => never,
            (End::Written, _) | (_, End::Written) => End::Written,
            (End::Done, End::Done) => End::Done,
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
        let committed = self.inner.parts.store.commit(commit).await?;
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
            tokio::spawn(async move {
                engine.work_through(in_hand, ready).await;
                drop(busy);
            });
        }
    }

    /// Performs effects of one channel, one after the other. That one is done is written down while the next one is
    /// performed: should the process end in between, every call has a key.
    async fn work_through(&self, mut in_hand: InHand, mut ready: VecDeque<Ready>) {
        let mut ends = Vec::new();
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
                Some((incident, events)) if events.len() > 1 => self.tell_notices(incident, &events).await,
                _ => vec![self.perform(&ready[0]).await],
            };
            for (ready, end) in ready.drain(..performed.len()).zip(performed) {
                in_hand.left.retain(|left| *left != ready.stored.id);
                if let Some(commit) = self.end(&ready.stored, end) {
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

    /// The notices at the head, of one incident and none too late, as far as nothing else comes between them.
    fn notices_first(&self, ready: &VecDeque<Ready>) -> Option<(IncidentId, Vec<u64>)> {
        let mut notices = ready.iter().map_while(|ready| match &ready.task {
            Ok(Task::Incident {
                incident,
                effect: Effect::Notice { event, .. },
            }) if !self.is_late(&ready.stored) => Some((*incident, *event)),
            _ => None,
        });
        let (of, first) = notices.next()?;
        let others = notices.take_while(|(incident, _)| *incident == of);
        let events = std::iter::once(first).chain(others.map(|(_, event)| event));
        Some((of, events.collect()))
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
            End::Done => {
                lock(&self.inner.done).push((id, channel.clone()));
                return None;
            }
            End::Shown(posts) => {
                commit.effects_done.push(id);
                commit.effects.extend(posts.iter().filter_map(plan::after_post));
                commit.posts = posts;
            }
            End::Again { why, after } => {
                let asked = after.and_then(|after| TimeDelta::from_std(after).ok());
                let wait = asked.unwrap_or_else(|| backoff(stored.attempts));
                tracing::warn!(effect = stored.effect.key, why, "to be tried again");
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
        let Task::Incident {
            incident,
            effect: Effect::Notice { event, .. },
        } = *task
        else {
            return End::Done;
        };
        let now = self.now();
        let store = &self.inner.parts.store;
        // Also those that wait for their next try; none waits for a day.
        let waiting = match store.due_effects(now + TimeDelta::days(1), &[], MOST_LATE).await {
            Ok(waiting) => waiting,
            Err(error) => return End::again(error.to_string()),
        };
        let (mut from, mut to, mut done) = (event, event, vec![stored.id]);
        for other in waiting {
            match serde_json::from_str::<Task>(&other.effect.body) {
                Ok(Task::Incident {
                    incident: of,
                    effect: Effect::Notice { event, .. },
                }) if of == incident && other.effect.deadline.is_some_and(|deadline| deadline < now) => {
                    (from, to) = (from.min(event), to.max(event));
                    done.push(other.id);
                }
                // One that was not posted yet is replaced by this one, which covers it.
                Ok(Task::Digest {
                    incident: of,
                    from: earlier,
                    to: later,
                }) if of == incident => (from, to) = (from.min(earlier), to.max(later)),
                _ => {}
            }
        }
        done.sort();
        done.dedup();
        let commit = Commit {
            at: now,
            effects: vec![plan::digest(incident, from, to)],
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
            Task::Incident { incident, effect } => self.carry_out_effect(stored, incident, effect).await,
            Task::Whisper { room, to, message } => match self.chat(&to.platform) {
                Ok(chat) => chat
                    .whisper(&stored.effect.key, &room, &to, &message)
                    .await
                    .into(),
                Err(end) => end,
            },
            Task::Form {
                room,
                to,
                trigger,
                form,
            } => match self.chat(&to.platform) {
                Ok(chat) => chat.ask(&trigger, &room, &to, &form).await.into(),
                Err(end) => end,
            },
            Task::Pin { at } => match self.chat(&at.room.platform) {
                Ok(chat) => chat.pin(&at).await.into(),
                Err(end) => end,
            },
            Task::Digest { incident, from, to } => self.post_digest(incident, from, to).await,
            Task::Export {
                incident,
                format,
                as_of,
            } => self.post_export(stored.id, incident, &format, as_of).await,
        }
    }

    async fn carry_out_effect(&self, stored: &StoredEffect, incident: IncidentId, effect: Effect) -> End {
        let id = stored.id;
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Never(format!("{incident} has no journal")),
            Err(error) if matches!(effect, Effect::Attempt { .. }) => return End::Rest(error.to_string()),
            Err(error) => return error.into(),
        };
        match effect {
            Effect::OpenRoom => self.open_room(id, &state).await,
            Effect::Furnish { room } => self.furnish(&state, &room).await,
            Effect::Topic => self.set_topic(state).await,
            Effect::Show { slot } => self.show(state, slot).await,
            Effect::Notice { event, .. } => {
                drop(state);
                let mut told = self.tell_notices(incident, &[event]).await;
                told.pop().unwrap_or(End::Done)
            }
            Effect::Direct { person, event } => {
                drop(state);
                self.direct(incident, &person, event).await
            }
            Effect::Invite { person } => self.invite(&state, &person).await,
            Effect::KeepFile { message, file } => self.keep_file(id, &state, &message, &file).await,
            Effect::AskProbe { run } => self.ask_probe(id, &state, run).await,
            Effect::Preview { proposal } => self.preview(id, &state, proposal).await,
            Effect::Attempt { attempt } => self.attempt(stored, &state, attempt).await,
            Effect::SetTimer { .. }
            | Effect::ClearTimer { .. }
            | Effect::TakeLock { .. }
            | Effect::ReleaseLock { .. } => End::Never("this is no task of the outbox".to_owned()),
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
