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

/// Edits of one message: nobody reads faster, and what comes meanwhile goes out with the next one.
const MESSAGE: (usize, TimeDelta) = (1, TimeDelta::seconds(1));

/// Edits of a minute that are kept for what is urgent: however much the cards change, an approval is shown at once.
const EDITS_KEPT: usize = 10;

/// Look-ups in a channel's history likewise: however many rooms are read again after an absence, an urgent post finds out
/// at once whether it stands there.
const LOOKS_KEPT: usize = 10;

/// Channels and messages remembered; more are talked to in five seconds by nobody.
const PLACES_MAX: usize = 2_000;

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
        | "conversations.unarchive"
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

/// What a call is about, as far as it is counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    pub channel: Option<&'a str>,
    /// The message that is edited.
    pub message: Option<&'a str>,
    /// Somebody waits for it.
    pub urgent: bool,
}

impl Place<'_> {
    /// Under which names a call is counted beside its method, and how often each is allowed in which span.
    fn counted(&self, method: &str) -> Vec<(String, (usize, TimeDelta))> {
        let counts = matches!(method, "chat.postMessage" | "chat.update");
        let Some(channel) = self.channel.filter(|_| counts) else {
            return Vec::new();
        };
        let there = (format!("{method} {channel}"), CHANNEL);
        let message = self.message.filter(|_| method == "chat.update");
        let message = message.map(|message| (format!("{method} {channel} {message}"), MESSAGE));
        std::iter::once(there).chain(message).collect()
    }
}

#[derive(Debug, Default)]
struct Seen {
    methods: HashMap<String, Calls>,
    /// By channel, and by message.
    places: HashMap<String, Calls>,
    /// Slack itself said to wait.
    told: HashMap<String, DateTime<Utc>>,
}

#[derive(Debug, Default)]
pub struct Pace(Mutex<Seen>);

impl Pace {
    /// Counts a call, or says how long to wait first.
    pub fn take(&self, method: &str, place: &Place<'_>, now: DateTime<Utc>) -> Result<(), Duration> {
        let mut seen = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut wait = seen.told.get(method).map(|until| *until - now);
        if let Some(most) = a_minute(method) {
            let kept = match method {
                "chat.update" if !place.urgent => EDITS_KEPT,
                "conversations.history" if !place.urgent => LOOKS_KEPT,
                _ => 0,
            };
            wait = wait.max(seen.methods.entry(method.to_owned()).or_default().wait(
                most - kept,
                MINUTE,
                now,
            ));
        }
        let counted = place.counted(method);
        for (name, (most, span)) in &counted {
            wait = wait.max(
                seen.places
                    .entry(name.clone())
                    .or_default()
                    .wait(*most, *span, now),
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
        for (name, _) in counted {
            seen.places.entry(name).or_default().0.push_back(now);
        }
        if seen.places.len() > PLACES_MAX {
            seen.places
                .retain(|_, calls| calls.0.back().is_some_and(|last| *last + CHANNEL.1 > now));
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

    const NOWHERE: Place<'_> = Place {
        channel: None,
        message: None,
        urgent: false,
    };

    fn there(channel: &str) -> Place<'_> {
        Place {
            channel: Some(channel),
            ..NOWHERE
        }
    }

    #[test]
    fn one_message_is_edited_once_a_second_and_its_neighbour_meanwhile() {
        let pace = Pace::default();
        let of = |message| Place {
            message: Some(message),
            ..there("C1")
        };
        assert_eq!(pace.take("chat.update", &of("1.1"), at(0)), Ok(()));
        assert_eq!(
            pace.take("chat.update", &of("1.1"), at(0)),
            Err(Duration::from_secs(1))
        );
        assert_eq!(pace.take("chat.update", &of("1.2"), at(0)), Ok(()));
        assert_eq!(pace.take("chat.update", &of("1.1"), at(1)), Ok(()));
    }

    #[test]
    fn however_much_is_edited_what_is_urgent_is_edited_at_once() {
        let pace = Pace::default();
        let rooms: Vec<String> = (0..60).map(|room| format!("C{room}")).collect();
        let edited = |room: &str, urgent| {
            let place = Place {
                urgent,
                ..there(room)
            };
            pace.take("chat.update", &place, at(0)).is_ok()
        };
        assert_eq!(rooms.iter().filter(|room| edited(room, false)).count(), 40);
        assert_eq!(
            rooms.iter().filter(|room| edited(room, true)).count(),
            10,
            "as many as Slack allows, and no more"
        );
    }

    #[test]
    fn however_many_rooms_are_read_again_what_is_urgent_is_looked_up_at_once() {
        let pace = Pace::default();
        let looked = |urgent| {
            let place = Place { urgent, ..NOWHERE };
            pace.take("conversations.history", &place, at(0)).is_ok()
        };
        assert_eq!((0..60).filter(|_| looked(false)).count(), 40);
        assert_eq!((0..60).filter(|_| looked(true)).count(), 10);
    }

    #[test]
    fn channels_are_opened_again_as_seldom_as_they_are_archived() {
        let pace = Pace::default();
        for method in ["conversations.archive", "conversations.unarchive"] {
            let taken = (0..60).filter(|_| pace.take(method, &NOWHERE, at(0)).is_ok());
            assert_eq!(taken.count(), 20, "{method}");
        }
    }

    #[test]
    fn a_tier_is_used_up_at_once_and_then_waited_for() {
        let pace = Pace::default();
        for _ in 0..20 {
            assert_eq!(pace.take("conversations.create", &NOWHERE, at(0)), Ok(()));
        }
        assert_eq!(
            pace.take("conversations.create", &NOWHERE, at(10)),
            Err(Duration::from_secs(50))
        );
        assert_eq!(
            pace.take("conversations.invite", &NOWHERE, at(10)),
            Ok(()),
            "another method has its own"
        );
        assert_eq!(pace.take("conversations.create", &NOWHERE, at(60)), Ok(()));
    }

    #[test]
    fn one_busy_channel_does_not_hold_up_another() {
        let pace = Pace::default();
        for _ in 0..4 {
            assert_eq!(pace.take("chat.postMessage", &there("C1"), at(0)), Ok(()));
        }
        assert_eq!(
            pace.take("chat.postMessage", &there("C1"), at(1)),
            Err(Duration::from_secs(3))
        );
        assert_eq!(
            pace.take("chat.update", &there("C1"), at(1)),
            Ok(()),
            "the card stays true all the same"
        );
        assert_eq!(pace.take("chat.postMessage", &there("C2"), at(1)), Ok(()));
    }

    #[test]
    fn what_slack_says_holds_for_the_method() {
        let pace = Pace::default();
        pace.told("chat.update", Duration::from_secs(30), at(0));
        assert_eq!(
            pace.take("chat.update", &there("C1"), at(1)),
            Err(Duration::from_secs(29))
        );
        assert_eq!(pace.take("chat.postMessage", &there("C1"), at(1)), Ok(()));
        assert_eq!(pace.take("chat.update", &there("C1"), at(30)), Ok(()));
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let pace = Pace::default();
        for _ in 0..20 {
            assert_eq!(pace.take("pins.add", &NOWHERE, at(0)), Ok(()));
        }
        assert_eq!(pace.take("pins.add", &NOWHERE, at(-3600)), Ok(()));
    }
}
