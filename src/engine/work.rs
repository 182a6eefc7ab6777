//! Working through what waits in the outbox: which channels are taken in hand, in what order, and what is written down of how
//! each effect ended.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;

use super::end::End;
use super::plan::{Place, Task};
use super::{Engine, FIRST_WAIT, HANDS_FULL, LONGEST_WAIT, backoff, lock, plan};
use crate::incident::{Effect, IncidentId, RoomRef};
use crate::store::{Commit, Committed, EffectId, EffectRetry, Error, StoredEffect};

/// After this many failed tries an effect no longer keeps the rest of its channel waiting: by then it is more likely
/// that this one message is the trouble than the platform.
const HOLDS_CHANNEL: u32 = 6;

/// Effects of one channel read and performed in a row: enough that reading costs little, few enough that the channels
/// that wait for a free hand get their turn.
const IN_A_ROW: usize = 16;

/// When so many effects wait, no more are waited for.
const ROUND: usize = 64;

/// Commits after which no more is waited for, so that what is written all the time keeps nothing from being shown: a
/// few hundredths of a second.
const PATIENCE: usize = 16;

/// A channel in somebody's hands. Given back when dropped, also by a panic, so that it does not stand still for ever.
struct InHand {
    engine: Engine,
    channel: String,
    /// Not performed yet, the one under way among them.
    left: VecDeque<EffectId>,
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
pub(super) struct Ready {
    pub stored: StoredEffect,
    pub task: Result<Task, serde_json::Error>,
}

impl From<StoredEffect> for Ready {
    fn from(stored: StoredEffect) -> Self {
        let task = serde_json::from_str(&stored.effect.body);
        Self { stored, task }
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
}
