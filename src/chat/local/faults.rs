//! A chat service on a bad day, on demand: what the tests of the engine lean on.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::chat::Error;

/// The bot's calls, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    OpenRoom,
    Invite,
    SetTopic,
    Archive,
    Unarchive,
    FindRoom,
    Post,
    Update,
    Pin,
    Upload,
    ReadFile,
    Whisper,
    Direct,
    Ask,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Not done; asks to be called again.
    Retry { after: Option<Duration> },
    /// Not done, and never will be.
    Gone,
    /// Done, and then reported as timed out: what leads to double posts.
    DoneThenTimeout,
    /// Done once the gate is opened.
    Held(Gate),
}

/// Holds calls up until it is opened.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn opened(&self) {
        // The sender lives in self, so waiting cannot fail before the gate opens.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

/// The faults to come, in order. Empty in normal use, and then a call costs one uncontended lock.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    /// One each, in order.
    next: VecDeque<(Option<Call>, Fault)>,
    /// Every call the first time it is made, and those that were made.
    each_once: Option<(Fault, BTreeSet<String>)>,
}

impl Faults {
    /// The next `times` calls of any kind go wrong this way.
    pub fn next(&self, times: usize, fault: &Fault) {
        self.add(times, None, fault);
    }

    /// The next `times` calls of this kind go wrong this way; others pass.
    pub fn next_of(&self, call: Call, times: usize, fault: &Fault) {
        self.add(times, Some(call), fault);
    }

    /// Every call goes wrong this way the first time it is made; the very same made again passes. Until [`Faults::clear`].
    pub fn each_once(&self, fault: Fault) {
        self.plan().each_once = Some((fault, BTreeSet::new()));
    }

    /// How many are still to come.
    pub fn left(&self) -> usize {
        self.plan().next.len()
    }

    pub fn clear(&self) {
        *self.plan() = Plan::default();
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    fn add(&self, times: usize, call: Option<Call>, fault: &Fault) {
        self.plan()
            .next
            .extend(std::iter::repeat_n((call, fault.clone()), times));
    }

    fn take(&self, call: Call, about: &dyn fmt::Debug) -> Option<Fault> {
        let mut plan = self.plan();
        let fits = |(wanted, _): &(Option<Call>, Fault)| wanted.is_none_or(|wanted| wanted == call);
        if let Some(at) = plan.next.iter().position(fits) {
            return plan.next.remove(at).map(|(_, fault)| fault);
        }
        let (fault, made) = plan.each_once.as_mut()?;
        made.insert(format!("{call:?} {about:?}")).then(|| fault.clone())
    }

    /// `about` tells one call from another of its kind; it is read only where that matters.
    pub(super) async fn during<T>(
        &self,
        call: Call,
        about: &(dyn fmt::Debug + Sync),
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match self.take(call, about) {
            None => work.await,
            Some(Fault::Retry { after }) => Err(Error::Retry {
                why: "the chat asks to slow down".into(),
                after,
            }),
            Some(Fault::Gone) => Err(Error::Gone {
                why: "the chat says that this is gone".into(),
            }),
            Some(Fault::DoneThenTimeout) => {
                work.await?;
                Err(Error::Retry {
                    why: "the chat did not answer in time".into(),
                    after: None,
                })
            }
            Some(Fault::Held(gate)) => {
                gate.opened().await;
                work.await
            }
        }
    }
}
