//! A chat service on a bad day, on demand: what the tests of the engine lean on.

use std::collections::VecDeque;
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
pub struct Faults(Mutex<VecDeque<(Option<Call>, Fault)>>);

impl Faults {
    /// The next `times` calls of any kind go wrong this way.
    pub fn next(&self, times: usize, fault: &Fault) {
        self.add(times, None, fault);
    }

    /// The next `times` calls of this kind go wrong this way; others pass.
    pub fn next_of(&self, call: Call, times: usize, fault: &Fault) {
        self.add(times, Some(call), fault);
    }

    /// How many are still to come.
    pub fn left(&self) -> usize {
        self.plan().len()
    }

    pub fn clear(&self) {
        self.plan().clear();
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, VecDeque<(Option<Call>, Fault)>> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    fn add(&self, times: usize, call: Option<Call>, fault: &Fault) {
        self.plan()
            .extend(std::iter::repeat_n((call, fault.clone()), times));
    }

    fn take(&self, call: Call) -> Option<Fault> {
        let mut plan = self.plan();
        let at = plan
            .iter()
            .position(|(wanted, _)| wanted.is_none_or(|wanted| wanted == call))?;
        plan.remove(at).map(|(_, fault)| fault)
    }

    pub(super) async fn during<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match self.take(call) {
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
