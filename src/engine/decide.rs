//! One decision: on the cached state, in one commit, and again when the ground moved.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use chrono::{DateTime, Utc};

use super::{Around, Engine, Listed, Loaded, journal, plan, read, write};
use crate::desk;
use crate::incident::{self, By, IncidentId, Recorded, Refusal, Request, State, TimerKey};
use crate::store::{self, Append, Commit, EffectId, InboxDone, InboxId, NewEffect, Redaction, Stream};

/// How often a decision is made again when others append first. One process owns the file and one task an incident, so
/// the second try sees a quiet state; more than this is a defect worth an error.
pub(super) const MOST_TRIES: usize = 8;

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
    /// What lists say from now on, where the state in hand still holds words that are redacted with this.
    pub title: Option<String>,
}

/// Words for the person and the answer to the delivery, made once the events are known.
pub struct Reply {
    /// JSON of the outcome, kept with the delivery's keys.
    pub outcome: String,
    pub effects: Vec<NewEffect>,
}

/// Makes the reply from the state after the decision and the events.
pub type Replying<'a> = &'a (dyn Fn(&State, &[Recorded]) -> Reply + Send + Sync);

/// Decisions on one incident, each on the state that the one before it left, on their way into one commit.
pub(super) struct Draft {
    begun: Instant,
    around: Arc<Around>,
    pub now: DateTime<Utc>,
    pub state: Option<State>,
    pub commit: Commit,
    written: Vec<Recorded>,
    decisions: u64,
    /// See [`With::title`].
    title: Option<String>,
}

impl Draft {
    /// Decides one request. On a refusal everything is as before.
    pub fn carry_out(&mut self, by: &By, request: &Request) -> Result<Vec<Recorded>, Refusal> {
        let surroundings = &self.around.surroundings;
        let written = incident::carry_out(&mut self.state, by, request, self.now, surroundings)?;
        if let Some(state) = &self.state {
            plan::add(&mut self.commit, state, &written);
        }
        self.decisions += 1;
        self.written.extend(written.iter().cloned());
        Ok(written)
    }

    /// The end of a delivery, and what goes out with it.
    pub fn reply(&mut self, inbox: Option<InboxId>, reply: Reply) {
        let outcome = reply.outcome;
        let done = inbox.map(|inbox| InboxDone { inbox, outcome });
        self.commit.inbox_done.extend(done);
        self.commit.effects.extend(reply.effects);
    }

    /// Whether what was decided so far takes or releases a target. What comes next has to see that.
    pub fn moves_locks(&self) -> bool {
        !self.commit.locks_taken.is_empty() || !self.commit.locks_released.is_empty()
    }

    /// Nothing is written after all.
    pub fn give_back(self, loaded: &mut Loaded) {
        loaded.state = self.state.map(Arc::new);
    }
}

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
        for _ in 0..MOST_TRIES {
            let mut draft = self.draft(incident, &mut loaded).await?;
            let written = match draft.carry_out(by, request) {
                Ok(written) => written,
                Err(refusal) => {
                    draft.give_back(&mut loaded);
                    return Err(refusal.into());
                }
            };
            let Some(state) = &draft.state else {
                return Ok(written);
            };
            finish(&mut draft.commit, state, &with, draft.now);
            draft.title = with.title.clone();
            if let Some(replying) = replying {
                let reply = replying(state, &written);
                draft.reply(with.inbox, reply);
            }
            if self.write(incident, &mut loaded, draft).await? {
                return Ok(written);
            }
        }
        Err(Failed::Overtaken)
    }

    /// Takes the state out of the cache until what is decided on it is written: whatever happens in between, nobody
    /// sees what is not on disk.
    pub(super) async fn draft(&self, incident: IncidentId, loaded: &mut Loaded) -> Result<Draft, Failed> {
        let begun = Instant::now();
        self.fill(incident, loaded).await?;
        let around = read(&self.inner.around).clone();
        let now = self.now();
        let state = loaded.state.take().map(Arc::unwrap_or_clone);
        let before = state.as_ref().map_or(0, |state| state.seq);
        let append = Append {
            stream: Stream::Incident(incident),
            expected: before,
            events: Vec::new(),
        };
        Ok(Draft {
            begun,
            around,
            now,
            state,
            commit: Commit {
                at: now,
                appends: vec![append],
                ..Commit::default()
            },
            written: Vec::new(),
            decisions: 0,
            title: None,
        })
    }

    /// Whether it is written now. If not, somebody else was first, and it has to be decided again.
    pub(super) async fn write(
        &self,
        incident: IncidentId,
        loaded: &mut Loaded,
        draft: Draft,
    ) -> Result<bool, Failed> {
        let Draft {
            around,
            state,
            mut commit,
            written,
            title,
            ..
        } = draft;
        if !commit.locks_taken.is_empty() {
            // An attempt starts on what the desk says at this very moment: a freeze or a lost role in the same
            // instant comes first, or after, and never in between.
            commit.appends.push(plan::desk_stands_at(around.desk));
        }
        let listed = state
            .as_ref()
            .filter(|_| plan::changes_list(&written))
            .map(plan::listed)
            .map(|listed| match title {
                Some(title) => Listed { title, ..listed },
                None => listed,
            });
        commit.summaries.extend(listed.iter().map(plan::summary));
        let moved = !commit.locks_taken.is_empty() || !commit.locks_released.is_empty();
        let redacts = !commit.redactions.is_empty();
        match self.commit(commit).await {
            Ok(committed) => {
                // What was in memory still says what a redaction removed.
                match redacts {
                    true => *loaded = Loaded::default(),
                    false => {
                        loaded.keep(state, written, &committed);
                        self.keep_later(incident, loaded);
                    }
                }
                if let Some(listed) = listed {
                    self.put_listed(listed);
                }
                if moved {
                    self.look_again().await;
                }
                let micros = u64::try_from(draft.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                let counters = &self.inner.counters;
                counters.decide_micros.fetch_add(micros, Ordering::Relaxed);
                counters.decisions.fetch_add(draft.decisions, Ordering::Relaxed);
                self.moved_on();
                return Ok(true);
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
        Ok(false)
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
        let done = with.inbox.map(|inbox| InboxDone {
            inbox,
            outcome: reply.outcome,
        });
        commit.inbox_done.extend(done);
        commit.effects.extend(reply.effects);
        let listed = plan::listed(&state);
        commit.summaries.push(plan::summary(&listed));
        let committed = self.commit(commit).await?;
        *write(&self.inner.desk_now) = Arc::new(desk);
        self.look_again().await;
        self.put_listed(listed);
        loaded.keep(Some(state), written, &committed);
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
            commit.inbox_done.push(InboxDone {
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
    for effect in &with.effects {
        // The same message made true twice in one commit is one edit.
        if !commit.effects.iter().any(|known| known.key == effect.key) {
            commit.effects.push(effect.clone());
        }
    }
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
