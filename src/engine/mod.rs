//! The engine: load, decide, append; perform effects; come back after a restart.
//!
//! * [`intake`](self) makes deliveries durable and has them decided; [`lines`] is where they wait, one line per incident.
//! * [`handle`] understands a delivery and turns it into a decision.
//! * [`together`] decides several deliveries of one incident in one commit, where they wait.
//! * [`decide`] decides on the cached state, commits, and decides again when somebody else was first.
//! * [`work`] works off what waits in the [`outbox`]; how each effect ended is an [`end`], and what is too [`late`] goes
//!   into a digest.
//! * [`perform`] performs an effect and feeds its result back as a request; [`rooms`] opens and shuts rooms, [`posts`]
//!   speaks in them, [`carry`] carries over what people say, [`systems`] touches systems.
//! * [`opening`] is a new room: its first prompt, then everything else side by side.
//! * [`announcing`] keeps the line true where incidents are announced, and tells the team where it cannot.
//! * [`away`] notices that a platform cannot be reached; [`adopt`] looks at a channel before it becomes a room.
//! * [`overhear`] keeps what people say in a room, [`reactions`] what they mark of it.
//! * [`groups`] reads the groups that give roles, again before an approval counts and a role is taken.
//! * [`files`] keeps what people attached to the messages they marked.
//! * [`keep`] keeps the states of long journals, so that a start need not fold them whole.
//! * [`recover`] is what happens between the store's opening and the first new delivery.
//!
//! Nothing here knows a platform or a protocol; those sit behind the ports.

mod adopt;
mod anew;
mod announcing;
mod away;
mod carry;
mod decide;
mod end;
mod files;
mod forget;
mod forms;
mod groups;
mod handle;
mod index;
mod intake;
pub mod journal;
mod keep;
mod late;
mod lines;
mod link;
mod look;
mod measure;
mod opening;
mod outbox;
mod overhear;
mod perform;
mod plan;
pub mod ports;
mod posts;
mod reactions;
mod recover;
mod redact;
mod rooms;
mod shown;
mod systems;
#[cfg(test)]
mod tests;
mod timers;
mod together;
pub mod told;
mod work;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, Semaphore, watch};

use crate::chat::Chat;
use crate::clock::Clock;
use crate::desk;
use crate::incident::{IncidentId, Outcome, Recorded, Role, State, Surroundings};
use crate::store::{Committed, EffectId, Hash, InboxId, Store};

pub use away::Away;
pub use decide::Failed;
pub use groups::GroupSource;
pub use handle::{SHORTCUT_FOLLOWUP, SHORTCUT_TASK, SHORTCUT_TIMELINE};
pub use perform::Document;
pub use ports::{Act, Addressed, Asking, Carried, Documents, Hands, Listed, Looked, Meaning, Redact, Words};

use index::Index;

/// Everything the engine is joined from; see `app.rs`.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub hands: Arc<dyn Hands>,
    pub words: Arc<dyn Words>,
    pub meaning: Arc<dyn Meaning>,
    pub documents: Arc<dyn Documents>,
    pub chats: Vec<Arc<dyn Chat>>,
    /// A code that nobody can guess; `None`: the machine has no random numbers to give.
    pub code: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    /// Masks what looks like a secret.
    pub mask: Arc<dyn Fn(&str) -> String + Send + Sync>,
    pub options: Options,
}

/// What the config says about the engine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Emoji that put a message on the timeline, make it a task, make it a follow-up.
    pub timeline_emoji: String,
    pub task_emoji: String,
    pub followup_emoji: String,
    /// Where incidents are announced, by platform.
    pub announce: Option<crate::incident::RoomRef>,
    /// How long a platform may be out of reach before the other rooms are told.
    pub away_after: TimeDelta,
    /// Documents have the whole log of the room as an appendix.
    pub whole_log: bool,
    /// Groups of the platforms that give roles.
    pub groups: Vec<GroupSource>,
    /// Whoever is entitled to one of these is invited into a new room.
    pub invite: Vec<Role>,
}

/// Effects performed at the same time; each waits mostly for others.
const HANDS_FULL: usize = 64;

/// First wait after something failed; doubles with each try.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);

/// Longest wait between two tries, so that everything goes on soon after the cause is mended.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(1);

/// The wait after this many failed tries.
fn backoff(tries: u32) -> TimeDelta {
    (FIRST_WAIT * 2_i32.saturating_pow(tries.min(6))).min(LONGEST_WAIT)
}

/// The engine. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    /// The desk as it was last committed; held while a desk decision is under way.
    desk: tokio::sync::Mutex<()>,
    desk_now: RwLock<Arc<desk::State>>,
    incidents: Mutex<HashMap<IncidentId, Arc<tokio::sync::Mutex<Loaded>>>>,
    around: RwLock<Arc<Around>>,
    /// Held while looking around, so that an older look does not replace a newer one.
    looking: tokio::sync::Mutex<()>,
    index: RwLock<Index>,
    /// Held by whoever makes a channel a room, from the look at whose it is until that is written.
    adopting: tokio::sync::Mutex<()>,
    /// Held by whoever makes an incident a duplicate, from the look at the other until it is written.
    merging: tokio::sync::Mutex<()>,
    lines: Mutex<lines::Lines>,
    /// Lines of which the first is being decided.
    turns: Semaphore,
    reactions: reactions::Reactions,
    /// Whether the disk takes anything.
    last_write: Mutex<Option<measure::LastWrite>>,
    /// What was answered while nothing could be stored.
    looked: Mutex<look::Looked>,
    /// Who waits for a delivery to be decided.
    waiting: Mutex<HashMap<InboxId, intake::Awaited>>,
    /// What waits in the outbox.
    effects: Mutex<outbox::Waiting>,
    /// What our messages say.
    shown: shown::Shown,
    /// Platforms that nothing reaches.
    unreached: Mutex<away::Unreached>,
    /// Channels in which nothing can be announced.
    unannounced: Mutex<announcing::Unannounced>,
    /// Commits under way.
    committing: AtomicUsize,
    /// What is done and not yet written down as done, with its channel.
    done: Mutex<Vec<(EffectId, String)>>,
    /// Held while that is written down: whoever waits for it has the next go together.
    writing_done: tokio::sync::Mutex<()>,
    /// How attempts ended whose end could not be written yet.
    ended: Mutex<HashMap<EffectId, Outcome>>,
    /// When each group was asked for last. Held while reading, so that an older answer does not replace a newer one.
    groups_read: tokio::sync::Mutex<HashMap<String, DateTime<Utc>>>,
    /// Timers could not be handled; they are looked at again then.
    timers_rest: Mutex<Option<DateTime<Utc>>>,
    /// Something new may lie in the outbox.
    outbox: Notify,
    timers: Notify,
    /// Counts what the engine has under way, so that a stop and a test can wait for silence.
    busy: watch::Sender<usize>,
    stop: watch::Sender<bool>,
    /// Counts the changes of the list of incidents.
    list: watch::Sender<u64>,
    /// Counts what was decided and written.
    decided: watch::Sender<u64>,
    counters: Counters,
}

/// An incident's state in memory. `None`: not loaded, or dropped after a failed commit.
#[derive(Default)]
struct Loaded {
    /// Shared with whoever looks at it; changed in place when nobody does.
    state: Option<Arc<State>>,
    /// The last events with their hashes: what is about to be told of them need not be read again.
    recent: VecDeque<(Recorded, Hash)>,
    /// Up to where the state lies folded in the store, or soon will.
    kept: u64,
}

/// Events kept beside a state in memory; more than that seldom waits to be told.
const RECENT: usize = 64;

impl Loaded {
    /// Those of these events that are at hand, with their hashes.
    fn recent_of(&self, events: &[u64]) -> BTreeMap<u64, (Recorded, Hash)> {
        let wanted = self
            .recent
            .iter()
            .filter(|(recorded, _)| events.contains(&recorded.seq));
        wanted
            .map(|(recorded, hash)| (recorded.seq, (recorded.clone(), *hash)))
            .collect()
    }

    /// Takes in what was just written.
    fn keep(&mut self, state: Option<State>, written: Vec<Recorded>, committed: &Committed) {
        self.state = state.map(Arc::new);
        let hashes = committed.hashes.iter().flatten().copied();
        self.recent.extend(written.into_iter().zip(hashes));
        let over = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..over);
    }
}

/// What lies outside the incidents, and the event of the desk up to which that is true.
#[derive(Default)]
struct Around {
    desk: u64,
    surroundings: Surroundings,
}

/// What `/metrics` shows of the engine.
#[derive(Debug, Default)]
pub struct Counters {
    pub requests: std::sync::atomic::AtomicU64,
    pub refused: std::sync::atomic::AtomicU64,
    pub decisions: std::sync::atomic::AtomicU64,
    pub decide_micros: std::sync::atomic::AtomicU64,
    pub effects: std::sync::atomic::AtomicU64,
    pub effects_late: std::sync::atomic::AtomicU64,
    pub effects_failed: std::sync::atomic::AtomicU64,
    pub chat_dropped: std::sync::atomic::AtomicU64,
    pub outcomes: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

impl Counters {
    fn outcome(&self, what: &'static str, how: &'static str) {
        let mut outcomes = self
            .outcomes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *outcomes.entry((what, how)).or_default() += 1;
    }
}

/// A lock whose holder panicked still guards valid data: every change under these locks is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Something under way; silence is when there is none.
struct Busy(Engine);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.inner.busy.send_modify(|count| *count -= 1);
    }
}

impl Engine {
    /// Loads the desk and the lists. Nothing moves before [`Engine::start`].
    pub async fn load(parts: Parts) -> Result<Self, journal::Error> {
        let desk = journal::load_desk(&*parts.store).await?;
        let index = Index::load(&*parts.store).await?;
        let engine = Self {
            inner: Arc::new(Inner {
                parts,
                desk: tokio::sync::Mutex::new(()),
                desk_now: RwLock::new(Arc::new(desk)),
                incidents: Mutex::default(),
                around: RwLock::default(),
                looking: tokio::sync::Mutex::default(),
                index: RwLock::new(index),
                adopting: tokio::sync::Mutex::default(),
                merging: tokio::sync::Mutex::default(),
                lines: Mutex::default(),
                turns: Semaphore::new(together::AT_ONCE),
                reactions: reactions::Reactions::default(),
                last_write: Mutex::default(),
                looked: Mutex::default(),
                waiting: Mutex::default(),
                effects: Mutex::default(),
                shown: shown::Shown::default(),
                unreached: Mutex::default(),
                unannounced: Mutex::default(),
                committing: AtomicUsize::default(),
                done: Mutex::default(),
                writing_done: tokio::sync::Mutex::default(),
                ended: Mutex::default(),
                groups_read: tokio::sync::Mutex::default(),
                timers_rest: Mutex::default(),
                outbox: Notify::new(),
                timers: Notify::new(),
                busy: watch::Sender::new(0),
                stop: watch::Sender::new(false),
                list: watch::Sender::new(0),
                decided: watch::Sender::new(0),
                counters: Counters::default(),
            }),
        };
        engine.look_around().await?;
        Ok(engine)
    }

    /// Comes back to where the last run stopped, then works until [`Engine::stop`].
    pub async fn start(&self) -> Result<(), Failed> {
        self.recover().await?;
        self.read_groups_soon();
        let engine = self.clone();
        tokio::spawn(async move { engine.run_outbox().await });
        let engine = self.clone();
        tokio::spawn(async move { engine.run_timers().await });
        let engine = self.clone();
        tokio::spawn(async move { engine.run_forgetting().await });
        Ok(())
    }

    /// Takes nothing new in hand, and returns when what is in hand has ended.
    pub async fn stop(&self) {
        self.inner.stop.send_replace(true);
        let mut busy = self.inner.busy.subscribe();
        // The sender lives in self, so this cannot fail.
        let _ = busy.wait_for(|count| *count == 0).await;
    }

    /// Waits until nothing is under way and nothing could be: no delivery queued, no effect and no timer due now. What
    /// waits for a later time stays waiting.
    pub async fn quiet(&self) {
        let mut busy = self.inner.busy.subscribe();
        loop {
            // The sender lives in self, so neither wait can fail.
            let _ = busy.wait_for(|count| *count == 0).await;
            let work = self.has_work().await;
            // What was taken up meanwhile was work, and may have left more.
            if !work && !busy.has_changed().unwrap_or(false) {
                return;
            }
            if work {
                // A loop has been told of it and is about to take it up.
                let _ = busy.changed().await;
            }
        }
    }

    /// Whether something is due now that nobody has in hand. A store that cannot be read has nothing to give.
    async fn has_work(&self) -> bool {
        let now = self.inner.parts.clock.now();
        if *self.inner.stop.borrow() {
            return false;
        }
        let effects = lock(&self.inner.effects).any(now);
        let timers = match *lock(&self.inner.timers_rest) {
            Some(until) if until > now => None,
            _ => Some(()),
        };
        let timers = match timers {
            Some(()) => self
                .inner
                .parts
                .store
                .due_timers(now, 1)
                .await
                .unwrap_or_default(),
            None => Vec::new(),
        };
        effects || !timers.is_empty()
    }

    pub fn desk(&self) -> Arc<desk::State> {
        read(&self.inner.desk_now).clone()
    }

    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.parts.store
    }

    /// The state of an incident as it is now.
    pub async fn state(&self, incident: IncidentId) -> Result<Option<Arc<State>>, Failed> {
        let loaded = self.loaded(incident);
        let mut loaded = loaded.lock().await;
        self.fill(incident, &mut loaded).await?;
        Ok(loaded.state.clone())
    }

    /// The list of incidents that a person may see, newest first. `None`: the operator on the terminal sees all.
    pub fn listed(&self, person: Option<&crate::incident::PersonId>) -> Vec<Arc<Listed>> {
        read(&self.inner.index).visible(person)
    }

    /// Wakes when any line of the list of incidents changed, and when a platform went or came back.
    pub fn list_changes(&self) -> watch::Receiver<u64> {
        self.inner.list.subscribe()
    }

    /// Wakes when anything was decided, in an incident or at the desk.
    pub fn decisions(&self) -> watch::Receiver<u64> {
        self.inner.decided.subscribe()
    }

    fn put_listed(&self, listed: Listed) {
        write(&self.inner.index).put(listed);
        self.inner.list.send_modify(|count| *count += 1);
    }

    fn busy(&self) -> Busy {
        self.inner.busy.send_modify(|count| *count += 1);
        Busy(self.clone())
    }

    fn loaded(&self, incident: IncidentId) -> Arc<tokio::sync::Mutex<Loaded>> {
        lock(&self.inner.incidents).entry(incident).or_default().clone()
    }

    async fn fill(&self, incident: IncidentId, loaded: &mut Loaded) -> Result<(), Failed> {
        if loaded.state.is_none() {
            let read = journal::load_state(&*self.inner.parts.store, incident).await?;
            loaded.state = read.state.map(Arc::new);
            loaded.kept = read.kept;
            self.keep_later(incident, loaded);
        }
        Ok(())
    }

    /// Reads anew what counts for decisions beside the incident: people, freezes, locks, catalog. If the locks cannot
    /// be read the rest is true all the same; the store itself refuses a target that is taken.
    pub(crate) async fn look_around(&self) -> Result<(), journal::Error> {
        let _looking = self.inner.looking.lock().await;
        let locks = self.inner.parts.store.locks().await;
        let desk = self.desk();
        let known = read(&self.inner.around).surroundings.locks.clone();
        let surroundings = Surroundings {
            people: desk.standings(),
            groups: desk.group_standings(),
            freezes: desk.freezes.clone(),
            locks: match &locks {
                Ok(locks) => locks
                    .iter()
                    .map(|lock| (lock.target.clone(), (lock.incident, lock.attempt)))
                    .collect(),
                Err(_) => known,
            },
            entries: self.inner.parts.hands.entries(),
        };
        let desk = desk.seq;
        *write(&self.inner.around) = Arc::new(Around { desk, surroundings });
        locks?;
        Ok(())
    }

    /// The same after a commit, which stands whether or not this succeeds.
    async fn look_again(&self) {
        if let Err(error) = self.look_around().await {
            tracing::error!(%error, "the locks cannot be read; the last known ones are used");
        }
    }
}
