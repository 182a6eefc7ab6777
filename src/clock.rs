//! The one file that reads the clock, so that every rule about time can be tested by hand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// Where the time comes from, and the only way to wait for it.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// Returns once `now` is at or past `at`.
    async fn until(&self, at: DateTime<Utc>);
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

/// Longest single wait of the system clock: a jump of the wall clock is noticed within this time, because timers
/// are due by wall time while the runtime counts monotonic time.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn until(&self, at: DateTime<Utc>) {
        while let Ok(left) = (at - self.now()).to_std() {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_WAIT)).await;
        }
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<watch::Sender<DateTime<Utc>>>,
}

impl ManualClock {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now: Arc::new(watch::Sender::new(now)),
        }
    }

    pub fn advance(&self, by: TimeDelta) {
        self.now.send_modify(|now| *now += by);
    }

    /// How many wait for it. A test that moves time on for somebody first sees that they wait.
    pub fn waiting(&self) -> usize {
        self.now.receiver_count()
    }

    /// Also backwards: clocks do that.
    pub fn set(&self, to: DateTime<Utc>) {
        self.now.send_replace(to);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.borrow()
    }

    async fn until(&self, at: DateTime<Utc>) {
        let mut now = self.now.subscribe();
        // The sender lives in self, so waiting cannot fail before the time is reached.
        let _ = now.wait_for(|now| *now >= at).await;
    }
}
