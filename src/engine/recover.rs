//! What happens between opening the store and the first new delivery.

use chrono::TimeDelta;

use super::decide::{Failed, With};
use super::plan::Task;
use super::{Engine, lock};
use crate::incident::{By, Effect, Outcome, Request};
use crate::store::{InboxId, StoredEffect};

/// Rows read at a time.
const PAGE: usize = 1_000;

/// Attempts that wait for a later try are settled too, also after the clock was set back.
const FAR: TimeDelta = TimeDelta::days(36_500);

impl Engine {
    /// Settles attempts that were under way, and queues what was acknowledged but not decided. Everything else in the
    /// outbox has a key and is simply performed.
    pub(super) async fn recover(&self) -> Result<(), Failed> {
        self.take_up_outbox().await?;
        self.look_around().await?;
        let mut after = InboxId(0);
        loop {
            let page = self.inner.parts.store.pending(after, PAGE).await?;
            for row in &page {
                after = row.id;
                if let Some(job) = self.job(row) {
                    self.queue(job);
                }
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// What waits in the outbox is taken up again, but for attempts: one is never run again by itself. One that was claimed may have happened; one that was not, did not, and
    /// is not started either, because the approvals were given for another moment.
    async fn take_up_outbox(&self) -> Result<(), Failed> {
        let due = self
            .inner
            .parts
            .store
            .due_effects(self.now() + FAR, &[], usize::MAX >> 1)
            .await?;
        for stored in due {
            let Ok(Task::Incident {
                incident,
                effect: Effect::Attempt { attempt },
                ..
            }) = serde_json::from_str::<Task>(&stored.effect.body)
            else {
                // What failed is tried at once and in its turn; what comes after must not overtake it.
                let waits = stored.effect.not_before.filter(|_| stored.attempts == 0);
                lock(&self.inner.effects).add(stored.id, &stored.effect.channel, waits);
                continue;
            };
            let outcome = outcome_after_crash(&stored);
            let with = With {
                effect: Some(stored.id),
                ..With::default()
            };
            let request = Request::EndAttempt { attempt, outcome };
            self.decide(incident, &By::Orderly, &request, with, None).await?;
        }
        Ok(())
    }
}

fn outcome_after_crash(stored: &StoredEffect) -> Outcome {
    match stored.claimed {
        Some(at) => Outcome::Unknown {
            why: format!(
                "Orderly stopped while it ran (started {} UTC).",
                at.format("%Y-%m-%d %H:%M:%S")
            ),
        },
        None => Outcome::NotDone {
            why: "Orderly stopped before anything was sent. Propose it again.".to_owned(),
        },
    }
}
