//! What the engine tells monitoring: whether it can work, and how it does.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Engine, lock};
use crate::store;

/// A write of the last seconds tells how the next one will go; later, one is tried. Monitoring asks every five to ten
/// seconds, and a disk at rest is not to be woken more often than that.
const LATELY: TimeDelta = TimeDelta::seconds(5);

/// How the last write went.
pub(super) struct LastWrite {
    at: DateTime<Utc>,
    failed: Option<store::Error>,
}

impl Engine {
    /// Whether requests are taken and decided; else why not. That a disk is full shows here before anybody types.
    pub async fn ready(&self) -> Result<(), String> {
        if *self.inner.stop.borrow() {
            return Err("shutting down".to_owned());
        }
        let failed = match self.last_write() {
            Some(failed) => failed,
            None => {
                let tried = self.inner.parts.store.try_write().await;
                self.wrote(&tried);
                tried.err()
            }
        };
        match failed {
            None => Ok(()),
            Some(error) => Err(error.to_string()),
        }
    }

    /// Why the last write failed, if it did. The outer `None`: it was too long ago to say.
    fn last_write(&self) -> Option<Option<store::Error>> {
        let last = lock(&self.inner.last_write);
        let lately = last.as_ref().filter(|last| {
            let age = self.now() - last.at;
            // After a jump of the clock nobody knows how old it is.
            age < LATELY && age >= TimeDelta::zero()
        });
        lately.map(|last| last.failed.clone())
    }

    /// Keeps how a write went. What the store refuses by its rules says nothing of the disk.
    pub(super) fn wrote<T>(&self, written: &Result<T, store::Error>) {
        let failed = match written {
            Ok(_) => None,
            Err(error) if error.cannot_write() => Some(error.clone()),
            Err(_) => return,
        };
        *lock(&self.inner.last_write) = Some(LastWrite {
            at: self.now(),
            failed,
        });
    }

    /// The counters as Prometheus reads them. Private incidents appear in none: nothing here is by incident.
    pub async fn metrics(&self) -> String {
        let counters = self.counters();
        let depths = self.inner.parts.store.depths().await;
        let mut text = String::new();
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut put = |name: &str, kind: &str, help: &str, value: f64| {
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "# HELP orderly_{name} {help}\n# TYPE orderly_{name} {kind}\norderly_{name} {value}"
            );
        };
        put(
            "requests_total",
            "counter",
            "Deliveries taken into the inbox.",
            get(&counters.requests) as f64,
        );
        put(
            "refusals_total",
            "counter",
            "Requests that the rules refused.",
            get(&counters.refused) as f64,
        );
        put(
            "decide_seconds_total",
            "counter",
            "Time spent deciding and committing, in seconds.",
            get(&counters.decide_micros) as f64 / 1e6,
        );
        put(
            "decisions_total",
            "counter",
            "Decisions committed.",
            get(&counters.decisions) as f64,
        );
        put(
            "effects_total",
            "counter",
            "Effects performed.",
            get(&counters.effects) as f64,
        );
        put(
            "effects_late_total",
            "counter",
            "Effects dropped because they came too late.",
            get(&counters.effects_late) as f64,
        );
        put(
            "effects_failed_total",
            "counter",
            "Effects given up for good.",
            get(&counters.effects_failed) as f64,
        );
        put(
            "chat_dropped_total",
            "counter",
            "Chat outside incident rooms, dropped before storage.",
            get(&counters.chat_dropped) as f64,
        );
        put(
            "platforms_out_of_reach",
            "gauge",
            "Chat platforms that nothing has reached for a while.",
            self.unreached().len() as f64,
        );
        // Left out when the store cannot be read: a wrong number is worse than none.
        if let Ok(depths) = depths {
            put(
                "inbox_depth",
                "gauge",
                "Deliveries that wait for a decision.",
                depths.inbox as f64,
            );
            put(
                "outbox_depth",
                "gauge",
                "Effects that wait.",
                depths.outbox as f64,
            );
            let age = depths
                .oldest_effect
                .map_or(0, |oldest| (self.now() - oldest).num_milliseconds());
            put(
                "outbox_oldest_seconds",
                "gauge",
                "Age of the effect that waits longest.",
                age as f64 / 1e3,
            );
        }
        let outcomes = lock(&counters.outcomes);
        let _ = writeln!(
            text,
            "# HELP orderly_outcomes_total Answers of probes and ends of attempts.\n# TYPE orderly_outcomes_total counter"
        );
        for ((what, how), count) in outcomes.iter() {
            let _ = writeln!(
                text,
                "orderly_outcomes_total{{what=\"{what}\",how=\"{how}\"}} {count}"
            );
        }
        text
    }
}
