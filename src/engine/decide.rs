//! One decision: on the cached state, in one commit, and again when the ground moved.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};

use super::{Engine, journal, plan, read, write};
use crate::desk;
use crate::incident::{self, By, IncidentId, Recorded, Refusal, Request, State, TimerKey};
use crate::store::{self, Append, Commit, EffectId, InboxDone, InboxId, NewEffect, Redaction, Stream};

/// How often a decision is made again when others append first. One process owns the file and one task an incident, so
/// the second try sees a quiet state; more than this is a defect worth an error.
const MOST_TRIES: usize = 8;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The rules say no; the words are for the person.
    #[error("{}", .0.words)]
    Refused(Refusal),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Journal(journal::Error),
    /// A platform that must say something first cannot say it now.
    #[error("{0}")]
    Platform(String),
    #[error("the decision was overtaken {MOST_TRIES} times; send it again")]
    Overtaken,
}

impl Failed {
    /// Whether the very same request may be carried out later.
    pub fn retry(&self) -> bool {
        match self {
            Failed::Store(error) => error.retry(),
            Failed::Overtaken | Failed::Platform(_) => true,
            Failed::Refused(_) | Failed::Journal(_) => false,
        }
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Failed::Refused(refusal)
    }
}

impl From<journal::Error> for Failed {
    fn from(error: journal::Error) -> Self {
        match error {
            journal::Error::Store(error) => Failed::Store(error),
            other => Failed::Journal(other),
        }
    }
}

/// What is finished by the commit of a decision, and what goes out with it beside the effects of the events.
#[derive(Default)]
pub struct With {
    pub inbox: Option<InboxId>,
    pub effect: Option<EffectId>,
    pub timer: Option<(IncidentId, TimerKey)>,
    pub evidence: Option<store::Evidence>,
    pub posts: Vec<store::Post>,
    pub redactions: Vec<Redaction>,
    pub effects: Vec<NewEffect>,
}

/// Words for the person and the answer to the delivery, made once the events are known.
pub struct Reply {
    /// JSON of the outcome, kept with the delivery's keys.
    pub outcome: String,
    pub effects: Vec<NewEffect>,
}

/// Makes the reply from the state after the decision and the events.
pub type Replying<'a> = &'a (dyn Fn(&State, &[Recorded]) -> Reply + Send + Sync);

impl Engine {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.inner.parts.clock.now()
    }

    /// Decides a request of an incident and commits it.
    pub(super) async fn decide(
        &self,
        incident: IncidentId,
        by: &By,
        request: &Request,
        with: With,
        replying: Option<Replying<'_>>,
    ) -> Result<Vec<Recorded>, Failed> {
        let loaded = self.loaded(incident);
        let mut loaded = loaded.lock().await;
        let started = std::time::Instant::now();
        for _ in 0..MOST_TRIES {
            self.fill(incident, &mut loaded).await?;
            let around = read(&self.inner.around).clone();
            let now = self.now();
            let before = loaded.state.as_ref().map_or(0, |state| state.seq);
            // Out of the cache until it is written: whatever happens in between, nobody sees what is not on disk.
            let mut decided = loaded.state.take().map(Arc::unwrap_or_clone);
            let written = match incident::carry_out(&mut decided, by, request, now, &around.surroundings) {
                Ok(written) => written,
                Err(refusal) => {
                    loaded.state = decided.map(Arc::new);
                    return Err(refusal.into());
                }
            };
            let Some(state) = decided.as_ref() else {
                return Ok(written);
            };
            let mut commit = plan::commit(state, before, &written, now);
            if !commit.locks_taken.is_empty() {
                // An attempt starts on what the desk says at this very moment: a freeze or a lost role in the same
                // instant comes first, or after, and never in between.
                commit.appends.push(plan::desk_stands_at(around.desk));
            }
            finish(&mut commit, state, &with, now);
            if let Some(replying) = replying {
                let reply = replying(state, &written);
                commit.inbox_done = with.inbox.map(|inbox| InboxDone {
                    inbox,
                    outcome: reply.outcome,
                });
                commit.effects.extend(reply.effects);
            }
            let listed = plan::changes_list(&written).then(|| plan::listed(state));
            commit.summaries.extend(listed.iter().map(plan::summary));
            let moved = !commit.locks_taken.is_empty() || !commit.locks_released.is_empty();
            match self.commit(commit).await {
                Ok(_) => {
                    // What was in memory still says what a redaction removed.
                    loaded.state = decided.filter(|_| with.redactions.is_empty()).map(Arc::new);
                    if let Some(listed) = listed {
                        self.put_listed(listed);
                    }
                    if moved {
                        self.look_again().await;
                    }
                    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.inner
                        .counters
                        .decide_micros
                        .fetch_add(micros, Ordering::Relaxed);
                    self.inner.counters.decisions.fetch_add(1, Ordering::Relaxed);
                    self.moved_on();
                    return Ok(written);
                }
                // The state in hand has run ahead of the journal and is forgotten, whatever the error was.
                Err(store::Error::Conflict {
                    stream: Stream::Desk, ..
                }) => {
                    // Wait for the decision of the desk that was first.
                    drop(self.inner.desk.lock().await);
                    self.look_again().await;
                }
                Err(store::Error::Conflict { .. }) => {}
                // Somebody else took the target in the same instant: decided again, it will be held.
                Err(store::Error::Locked { .. }) => self.look_again().await,
                Err(other) => return Err(other.into()),
            }
        }
        Err(Failed::Overtaken)
    }

    /// Opens an incident: the desk gives out the number in the same commit.
    pub(super) async fn open(
        &self,
        by: &By,
        request: &Request,
        with: With,
        replying: Replying<'_>,
    ) -> Result<IncidentId, Failed> {
        let _desk = self.inner.desk.lock().await;
        let now = self.now();
        let mut desk = (*self.desk()).clone();
        let desk_before = desk.seq;
        let numbered = desk::carry_out(&mut desk, by, &desk::Request::Number, now)?;
        let incident = IncidentId(desk.last_incident);
        let mut request = request.clone();
        if let Request::Open { opening, .. } = &mut request {
            opening.number = incident;
        }
        let around = read(&self.inner.around).clone();
        let mut state = None;
        let written = incident::carry_out(&mut state, by, &request, now, &around.surroundings)?;
        let Some(state) = state else {
            return Err(Failed::Overtaken);
        };
        // Held until the state is in place, so that the first effects do not run ahead of it.
        let loaded = self.loaded(incident);
        let mut loaded = loaded.lock().await;
        let mut commit = plan::commit(&state, 0, &written, now);
        finish(&mut commit, &state, &with, now);
        commit.appends.push(Append {
            stream: Stream::Desk,
            expected: desk_before,
            events: numbered.iter().filter_map(journal::desk_row).collect(),
        });
        let reply = replying(&state, &written);
        commit.inbox_done = with.inbox.map(|inbox| InboxDone {
            inbox,
            outcome: reply.outcome,
        });
        commit.effects.extend(reply.effects);
        let listed = plan::listed(&state);
        commit.summaries.push(plan::summary(&listed));
        self.commit(commit).await?;
        *write(&self.inner.desk_now) = Arc::new(desk);
        self.look_again().await;
        self.put_listed(listed);
        loaded.state = Some(Arc::new(state));
        self.moved_on();
        Ok(incident)
    }

    /// Decides a request of the desk and commits it. `reply` goes out with it.
    pub(super) async fn decide_desk(
        &self,
        by: &By,
        request: &desk::Request,
        reply: Option<(InboxId, Reply)>,
    ) -> Result<Vec<desk::Recorded>, Failed> {
        let _desk = self.inner.desk.lock().await;
        let now = self.now();
        let mut desk = (*self.desk()).clone();
        let expected = desk.seq;
        let written = desk::carry_out(&mut desk, by, request, now)?;
        let events: Vec<_> = written.iter().filter_map(journal::desk_row).collect();
        let mut commit = Commit {
            at: now,
            ..Commit::default()
        };
        if !events.is_empty() {
            commit.appends.push(Append {
                stream: Stream::Desk,
                expected,
                events,
            });
        }
        if let Some((inbox, reply)) = reply {
            commit.inbox_done = Some(InboxDone {
                inbox,
                outcome: reply.outcome,
            });
            commit.effects = reply.effects;
        }
        self.commit(commit).await?;
        *write(&self.inner.desk_now) = Arc::new(desk);
        self.look_again().await;
        self.moved_on();
        Ok(written)
    }

    /// A request of the desk from the operator or the config, outside any chat.
    pub async fn on_desk(&self, by: &By, request: &desk::Request) -> Result<Vec<desk::Recorded>, Failed> {
        self.decide_desk(by, request, None).await
    }

    /// What was written can be seen now.
    fn moved_on(&self) {
        self.inner.decided.send_modify(|count| *count += 1);
    }
}

fn finish(commit: &mut Commit, state: &State, with: &With, now: DateTime<Utc>) {
    commit.effects_done.extend(with.effect);
    commit.evidence.extend(with.evidence.clone());
    commit.posts.extend(with.posts.iter().cloned());
    commit.redactions.extend(with.redactions.iter().cloned());
    commit.effects.extend(with.effects.iter().cloned());
    if let Some((incident, key)) = &with.timer
        && !commit.timers_set.iter().any(|set| set.key == key.to_string())
    {
        match state.rearm(key, now) {
            Some(due) => commit.timers_set.push(plan::rearmed(*incident, key, due)),
            None => commit
                .timers_cleared
                .push((Stream::Incident(*incident), key.to_string())),
        }
    }
}
