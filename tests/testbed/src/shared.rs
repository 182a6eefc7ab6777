//! What every service here has: its state, what wakes those who wait for a change of it, and what lets calls go that hang.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// How long a test may wait in real time for something that should happen at once. Generous, because two builds may be
/// running beside it; it only decides how long a broken test takes to fail.
const REAL_TIME_GUARD: Duration = Duration::from_secs(20);

pub struct Shared<S> {
    state: Mutex<S>,
    changed: watch::Sender<u64>,
    /// Lets hanging calls go.
    pub gate: watch::Sender<u64>,
    /// Closes every connection.
    pub cut: watch::Sender<u64>,
}

/// A state that a test waits for in vain.
pub trait Told {
    /// What the test wants to know then.
    fn told(&self) -> String;
}

impl<S> Shared<S> {
    pub fn new(state: S) -> Self {
        Self {
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            gate: watch::Sender::new(0),
            cut: watch::Sender::new(0),
        }
    }

    /// Asks. A test's assertion may panic in here; the state is whole all the same.
    pub fn read<R>(&self, ask: impl FnOnce(&S) -> R) -> R {
        ask(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes something, and wakes whoever waits.
    pub fn with<R>(&self, act: impl FnOnce(&mut S) -> R) -> R {
        let done = act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_modify(|changes| *changes += 1);
        done
    }
}

impl<S: Told> Shared<S> {
    /// Waits until the question has an answer. Woken by every change; the guard is for a test that hangs.
    pub async fn wait<R>(&self, what: &str, mut ask: impl FnMut(&S) -> Option<R>) -> R {
        let mut changed = self.changed.subscribe();
        let found = async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = self.read(&mut ask) {
                    return found;
                }
                // The sender lives in self.
                let _ = changed.changed().await;
            }
        };
        match tokio::time::timeout(REAL_TIME_GUARD, found).await {
            Ok(found) => found,
            Err(_) => panic!("waited in vain for {what}\n{}", self.read(S::told)),
        }
    }
}
