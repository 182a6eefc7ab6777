//! What the engine tells monitoring: whether it can work, and how it does.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Engine, lock};

impl Engine {
    /// Whether requests are taken and decided.
    pub fn ready(&self) -> Result<(), String> {
        match *self.inner.stop.borrow() {
            true => Err("shutting down".to_owned()),
            false => Ok(()),
        }
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
