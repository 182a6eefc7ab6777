//! Discord's limits on calls, counted on the guild's own clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How often an operation may be called with the same channel, guild or webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub most: u64,
    pub span: Duration,
}

/// Discord publishes no numbers and says to read the headers; these are what it sends today, as far as libraries and
/// people have seen.
pub const MESSAGES: Rate = rate(5, 5_000);
pub const REACTIONS: Rate = rate(1, 250);
pub const ORDINARY: Rate = rate(50, 1_000);
pub const MEMBERS: Rate = rate(10, 10_000);

/// A channel's name and topic: twice in ten minutes, and no header says so beforehand.
const NAME_AND_TOPIC: Rate = rate(2, 600_000);

/// Calls a second over all, without those that answer interactions.
const GLOBAL: Rate = rate(50, 1_000);

/// Answers 401, 403 and 429 after which the address is shut out, and in which time.
pub const INVALID_MOST: usize = 10_000;
const INVALID_SPAN: Duration = Duration::from_secs(600);

const fn rate(most: u64, millis: u64) -> Rate {
    Rate {
        most,
        span: Duration::from_millis(millis),
    }
}

/// Where a call stands in its bucket, as the headers say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    pub id: String,
    pub limit: u64,
    pub remaining: u64,
    pub resets: Duration,
    pub after: Duration,
}

/// A call that comes too early.
#[derive(Debug, Clone, PartialEq)]
pub struct Early {
    pub after: Duration,
    pub global: bool,
    pub bucket: Option<Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Duration,
    used: u64,
}

#[derive(Debug, Default)]
pub struct Limits {
    off: bool,
    windows: BTreeMap<String, Window>,
    invalid: VecDeque<Duration>,
}

impl Limits {
    pub fn switch(&mut self, on: bool) {
        self.off = !on;
        self.windows.clear();
    }

    /// Counts a call of this operation with its major parameter.
    pub fn take(&mut self, operation: &str, major: &str, rate: Rate, now: Duration) -> Result<Bucket, Early> {
        let window = self.count(&format!("{operation} {major}"), rate, now);
        let bucket = Bucket {
            id: hex::encode(&Sha256::digest(operation.as_bytes())[..16]),
            limit: rate.most,
            remaining: rate.most.saturating_sub(window.used),
            resets: window.began + rate.span,
            after: (window.began + rate.span).saturating_sub(now),
        };
        if window.used > rate.most && !self.off {
            return Err(Early {
                after: bucket.after,
                global: false,
                bucket: Some(bucket),
            });
        }
        Ok(bucket)
    }

    /// Counts a call of any kind.
    pub fn take_global(&mut self, now: Duration) -> Result<(), Early> {
        self.hidden("over all", GLOBAL, now, true)
    }

    /// Counts a change of a channel's name or topic.
    pub fn take_rename(&mut self, channel: &str, now: Duration) -> Result<(), Early> {
        self.hidden(&format!("name and topic {channel}"), NAME_AND_TOPIC, now, false)
    }

    fn hidden(&mut self, key: &str, rate: Rate, now: Duration, global: bool) -> Result<(), Early> {
        let window = self.count(key, rate, now);
        if window.used <= rate.most || self.off {
            return Ok(());
        }
        Err(Early {
            after: (window.began + rate.span).saturating_sub(now),
            global,
            bucket: None,
        })
    }

    fn count(&mut self, key: &str, rate: Rate, now: Duration) -> Window {
        let fresh = Window { began: now, used: 0 };
        let window = self.windows.entry(key.to_owned()).or_insert(fresh);
        if window.began + rate.span <= now {
            *window = fresh;
        }
        window.used += 1;
        *window
    }

    /// Counts an answer that a well-behaved client does not get.
    pub fn invalid(&mut self, now: Duration) {
        self.invalid.push_back(now);
    }

    /// So many of them in the last ten minutes.
    pub fn invalid_now(&self, now: Duration) -> usize {
        let recent = self.invalid.iter().filter(|at| **at + INVALID_SPAN > now);
        recent.count()
    }

    /// How long the address is shut out, if it is.
    pub fn shut_out(&self, now: Duration) -> Option<Duration> {
        if self.invalid_now(now) < INVALID_MOST {
            return None;
        }
        let back = self.invalid.len().checked_sub(INVALID_MOST)?;
        self.invalid
            .get(back)
            .map(|at| (*at + INVALID_SPAN).saturating_sub(now))
    }

    /// As if so many had been answered already.
    pub fn spend_invalid(&mut self, count: usize, now: Duration) {
        self.invalid.extend(std::iter::repeat_n(now, count));
    }
}
