//! Staying below Slack's limits, so that they are met as a plan and not as refusals.
//!
//! Nothing waits here: who comes too early is told for how long, and the outbox, which knows what is urgent, decides who
//! comes first when the time is there.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The span in which Slack counts calls of a method.
const MINUTE: TimeDelta = TimeDelta::seconds(60);

/// Posts, and edits, in one channel: one a second, with bursts of which Slack gives no number.
const CHANNEL: (usize, TimeDelta) = (4, TimeDelta::seconds(4));

/// Channels remembered; more are talked to in five seconds by nobody.
const CHANNELS_MAX: usize = 2_000;

/// Calls of a method that Slack allows in a minute, by its tier. `None`: counted by channel only.
fn a_minute(method: &str) -> Option<usize> {
    const TIER_1: usize = 1;
    const TIER_2: usize = 20;
    const TIER_3: usize = 50;
    const TIER_4: usize = 100;
    match method {
        "chat.postMessage" => None,
        // Allowed more often than its tier in practice, and asked for only when a socket ended.
        "apps.connections.open" => Some(10 * TIER_1),
        "conversations.create"
        | "conversations.setTopic"
        | "conversations.setPurpose"
        | "conversations.archive"
        | "conversations.list"
        | "pins.add"
        | "bookmarks.add"
        | "usergroups.list"
        | "usergroups.users.list" => Some(TIER_2),
        "chat.postEphemeral"
        | "views.open"
        | "views.update"
        | "views.publish"
        | "users.info"
        | "files.getUploadURLExternal"
        | "files.completeUploadExternal" => Some(TIER_4),
        _ => Some(TIER_3),
    }
}

/// When calls were made, as far back as it counts.
#[derive(Debug, Default)]
struct Calls(VecDeque<DateTime<Utc>>);

impl Calls {
    /// How long to wait for the next one.
    fn wait(&mut self, most: usize, span: TimeDelta, now: DateTime<Utc>) -> Option<TimeDelta> {
        while self.0.front().is_some_and(|first| *first + span <= now) {
            self.0.pop_front();
        }
        // A clock that was set back must not stop everything until it has caught up.
        self.0.retain(|call| *call <= now);
        let first = self.0.front().filter(|_| self.0.len() >= most)?;
        Some(*first + span - now)
    }
}

#[derive(Debug, Default)]
struct Seen {
    methods: HashMap<String, Calls>,
    channels: HashMap<String, Calls>,
    /// Slack itself said to wait.
    told: HashMap<String, DateTime<Utc>>,
}

#[derive(Debug, Default)]
pub struct Pace(Mutex<Seen>);

impl Pace {
    /// Counts a call, or says how long to wait first.
    pub fn take(&self, method: &str, channel: Option<&str>, now: DateTime<Utc>) -> Result<(), Duration> {
        let mut seen = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut wait = seen.told.get(method).map(|until| *until - now);
        if let Some(most) = a_minute(method) {
            wait = wait.max(
                seen.methods
                    .entry(method.to_owned())
                    .or_default()
                    .wait(most, MINUTE, now),
            );
        }
        let counted = matches!(method, "chat.postMessage" | "chat.update");
        let place = channel
            .filter(|_| counted)
            .map(|channel| format!("{method} {channel}"));
        if let Some(place) = &place {
            let (most, span) = CHANNEL;
            wait = wait.max(
                seen.channels
                    .entry(place.clone())
                    .or_default()
                    .wait(most, span, now),
            );
        }
        if let Some(wait) = wait.filter(|wait| *wait > TimeDelta::zero()) {
            return Err(wait.to_std().unwrap_or_default());
        }
        if a_minute(method).is_some() {
            seen.methods
                .entry(method.to_owned())
                .or_default()
                .0
                .push_back(now);
        }
        if let Some(place) = place {
            seen.channels.entry(place).or_default().0.push_back(now);
            if seen.channels.len() > CHANNELS_MAX {
                seen.channels
                    .retain(|_, calls| calls.0.back().is_some_and(|last| *last + CHANNEL.1 > now));
            }
        }
        Ok(())
    }

    /// Slack said so: nothing of this method before then.
    pub fn told(&self, method: &str, after: Duration, now: DateTime<Utc>) {
        let until = now + TimeDelta::from_std(after).unwrap_or(MINUTE);
        let mut seen = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = seen.told.entry(method.to_owned()).or_insert(until);
        *known = until.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
    }

    #[test]
    fn a_tier_is_used_up_at_once_and_then_waited_for() {
        let pace = Pace::default();
        for _ in 0..20 {
            assert_eq!(pace.take("conversations.create", None, at(0)), Ok(()));
        }
        assert_eq!(
            pace.take("conversations.create", None, at(10)),
            Err(Duration::from_secs(50))
        );
        assert_eq!(
            pace.take("conversations.invite", None, at(10)),
            Ok(()),
            "another method has its own"
        );
        assert_eq!(pace.take("conversations.create", None, at(60)), Ok(()));
    }

    #[test]
    fn one_busy_channel_does_not_hold_up_another() {
        let pace = Pace::default();
        for _ in 0..4 {
            assert_eq!(pace.take("chat.postMessage", Some("C1"), at(0)), Ok(()));
        }
        assert_eq!(
            pace.take("chat.postMessage", Some("C1"), at(1)),
            Err(Duration::from_secs(3))
        );
        assert_eq!(
            pace.take("chat.update", Some("C1"), at(1)),
            Ok(()),
            "the card stays true all the same"
        );
        assert_eq!(pace.take("chat.postMessage", Some("C2"), at(1)), Ok(()));
    }

    #[test]
    fn what_slack_says_holds_for_the_method() {
        let pace = Pace::default();
        pace.told("chat.update", Duration::from_secs(30), at(0));
        assert_eq!(
            pace.take("chat.update", Some("C1"), at(1)),
            Err(Duration::from_secs(29))
        );
        assert_eq!(pace.take("chat.postMessage", Some("C1"), at(1)), Ok(()));
        assert_eq!(pace.take("chat.update", Some("C1"), at(30)), Ok(()));
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let pace = Pace::default();
        for _ in 0..20 {
            assert_eq!(pace.take("pins.add", None, at(0)), Ok(()));
        }
        assert_eq!(pace.take("pins.add", None, at(-3600)), Ok(()));
    }
}
