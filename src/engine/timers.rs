//! Firing what is due.

use chrono::{DateTime, Utc};

use super::decide::With;
use super::{Engine, FIRST_WAIT, HANDS_FULL, lock};
use crate::incident::{By, Request, TimerKey};
use crate::store::{Error, Stream, Timer};

impl Engine {
    /// Fires what is due, until told to stop.
    pub(super) async fn run_timers(&self) {
        let mut stop = self.inner.stop.subscribe();
        loop {
            let woken = self.inner.timers.notified();
            let next = match self.fire_timers().await {
                Ok(next) => next,
                Err(Error::Stopped) => return,
                Err(error) => {
                    tracing::error!(%error, "the timers cannot be read");
                    Some(self.timers_rest())
                }
            };
            tokio::select! {
                () = woken => {}
                () = self.inner.parts.clock.until(next.unwrap_or(DateTime::<Utc>::MAX_UTC)) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One that failed stays due, so all of them rest a moment rather than being tried without end.
    fn timers_rest(&self) -> DateTime<Utc> {
        let until = self.now() + FIRST_WAIT;
        *lock(&self.inner.timers_rest) = Some(until);
        until
    }

    /// Fires; says when to look again.
    async fn fire_timers(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let _busy = self.busy();
        let now = self.now();
        let resting = *lock(&self.inner.timers_rest);
        if let Some(until) = resting.filter(|until| *until > now) {
            return Ok(Some(until));
        }
        *lock(&self.inner.timers_rest) = None;
        let mut failed = false;
        for timer in self.inner.parts.store.due_timers(now, HANDS_FULL).await? {
            if *self.inner.stop.borrow() {
                return Ok(None);
            }
            failed |= !self.fire(&timer).await;
        }
        if failed {
            return Ok(Some(self.timers_rest()));
        }
        self.inner.parts.store.next_timer().await
    }

    /// Whether it was handled.
    async fn fire(&self, timer: &Timer) -> bool {
        let (Stream::Incident(incident), Ok(key)) =
            (timer.stream, serde_json::from_str::<TimerKey>(&timer.body))
        else {
            tracing::error!(key = timer.key, "a timer cannot be read");
            return false;
        };
        let with = With {
            timer: Some((incident, key.clone())),
            ..With::default()
        };
        let request = Request::Timer { key };
        if let Err(error) = self.groups_before(incident, &By::Orderly, &request).await {
            tracing::error!(%incident, key = timer.key, %error, "the groups could not be read before a timer");
            return false;
        }
        match self.decide(incident, &By::Orderly, &request, with, None).await {
            Ok(_) => true,
            Err(error) => {
                tracing::error!(%incident, key = timer.key, %error, "a timer could not be handled");
                false
            }
        }
    }
}
