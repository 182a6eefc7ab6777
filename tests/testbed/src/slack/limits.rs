//! Slack's limits on calls, counted on the workspace's own clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How often a method may be called. The numbers are Slack's published ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    One,
    Two,
    Three,
    Four,
    /// auth.test: hundreds a minute.
    Hundreds,
    /// chat.postMessage: one a second in a channel, with bursts, and several hundred a minute in the workspace.
    Posting,
    /// Not limited in practice (chat.getPermalink).
    Free,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Slack says "1+ a minute", which only apps.connections.open has here, and lets an app open its ten sockets at once.
/// A test that drops the socket at every step does so within one minute of a clock that stands still.
const TIER_ONE: usize = 60;
const TIER_TWO: usize = 20;
const TIER_THREE: usize = 50;
const TIER_FOUR: usize = 100;
const HUNDREDS: usize = 300;

/// How many posts a channel takes at once, before it is one a second. Slack says "short bursts", and no number.
pub const BURST: usize = 4;

#[derive(Debug, Default)]
pub struct Limits {
    off: bool,
    taken: BTreeMap<String, VecDeque<Duration>>,
}

impl Limits {
    pub fn switch(&mut self, on: bool) {
        self.off = !on;
        self.taken.clear();
    }

    /// Counts the call, or says after how many seconds to come back.
    pub fn take(&mut self, method: &str, tier: Tier, channel: &str, now: Duration) -> Result<(), u64> {
        if self.off {
            return Ok(());
        }
        let per_minute = |most| (method.to_owned(), most, MINUTE);
        let windows = match tier {
            Tier::One => vec![per_minute(TIER_ONE)],
            Tier::Two => vec![per_minute(TIER_TWO)],
            Tier::Three => vec![per_minute(TIER_THREE)],
            Tier::Four => vec![per_minute(TIER_FOUR)],
            Tier::Hundreds => vec![per_minute(HUNDREDS)],
            Tier::Free => vec![],
            Tier::Posting => vec![
                per_minute(HUNDREDS),
                // A burst, then no faster than one a second: BURST in any BURST seconds.
                (
                    format!("{method} {channel}"),
                    BURST,
                    Duration::from_secs(BURST as u64),
                ),
            ],
        };
        for (key, most, span) in &windows {
            let taken = self.taken.entry(key.clone()).or_default();
            while taken.front().is_some_and(|at| *at + *span <= now) {
                taken.pop_front();
            }
            if taken.len() >= *most {
                let free = taken.front().map_or(now, |at| *at + *span);
                return Err((free.saturating_sub(now).as_millis().div_ceil(1000) as u64).max(1));
            }
        }
        for (key, ..) in windows {
            self.taken.entry(key).or_default().push_back(now);
        }
        Ok(())
    }
}
