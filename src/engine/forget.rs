//! Forgetting what was decided long ago: its key, so that a duplicate is known, and what was answered.

use chrono::TimeDelta;

use super::Engine;
use crate::store::Error;

/// How long a decided delivery is known. Slack sends an event again for some minutes and, where it was held back, within
/// hours; Discord tells again what a session missed within minutes; a page or a script that sends again does so at once.
/// Three days are more than all of that, and leave a weekend: what an open incident's history tells after a reconnect is
/// known by its key until then, and by the room log after that.
pub(super) const KNOWN_FOR: TimeDelta = TimeDelta::days(3);

/// How often is looked. A day's deliveries are forgotten in parts that nobody notices.
const EVERY: TimeDelta = TimeDelta::hours(1);

impl Engine {
    /// Forgets at the start and every hour after, until told to stop.
    pub(super) async fn run_forgetting(&self) {
        let mut stop = self.inner.stop.subscribe();
        loop {
            let next = self.now() + EVERY;
            self.forget().await;
            tokio::select! {
                () = self.inner.parts.clock.until(next) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// A part at a time, so that whoever writes meanwhile waits for one part and not for all. What is left over is
    /// forgotten the next time.
    pub(super) async fn forget(&self) {
        let _busy = self.busy();
        let before = self.now() - KNOWN_FOR;
        while !*self.inner.stop.borrow() {
            match self.inner.parts.store.forget_deliveries(before).await {
                Ok(0) | Err(Error::Stopped) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "old deliveries could not be forgotten; that is tried again within the hour");
                    return;
                }
            }
        }
    }
}
