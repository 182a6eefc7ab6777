//! Staying below Discord's limits, so that they are met as a plan and not as refusals.
//!
//! Nothing waits here: who comes too early is told for how long, and the outbox, which knows what is urgent, decides who
//! comes first when the time is there. The buckets are Discord's own: it names them in its answers.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::chat::lock;

/// Requests of one bot, over all routes: 50 in a second, less some for what we do not count.
const ALL: (usize, TimeDelta) = (45, TimeDelta::seconds(1));
/// Refused requests (401, 403, 429) after which Discord bans the address: 10,000 in ten minutes. We stop well before.
const REFUSED: (usize, TimeDelta) = (5_000, TimeDelta::minutes(10));
/// Buckets remembered; those that have run out are forgotten first.
const BUCKETS_MAX: usize = 5_000;

/// What an answer says of its bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub bucket: Option<String>,
    pub limit: Option<u32>,
    pub remaining: Option<u32>,
    pub reset_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    remaining: u32,
    until: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Discord's name of the bucket in which a route counts.
    names: HashMap<&'static str, String>,
    /// By bucket and by what the route is about: channels and guilds count apart.
    buckets: HashMap<(String, String), Bucket>,
    /// How much a bucket takes from its beginning to its end, and how long that is: the same whatever a route is about.
    sizes: HashMap<String, (u32, TimeDelta)>,
    calls: VecDeque<DateTime<Utc>>,
    refused: VecDeque<DateTime<Utc>>,
    /// Nothing at all before then.
    held: Option<DateTime<Utc>>,
}

impl Seen {
    /// A bucket of which nothing is known now, or that has run out, is as full as all of its kind are at their beginning.
    fn begin(&mut self, place: &(String, String), now: DateTime<Utc>) {
        if self.buckets.get(place).is_some_and(|bucket| bucket.until > now) {
            return;
        }
        match self.sizes.get(&place.0) {
            Some(&(remaining, span)) => {
                let until = now + span;
                self.buckets.insert(place.clone(), Bucket { remaining, until });
            }
            None => drop(self.buckets.remove(place)),
        }
    }

    fn bucket(&self, route: &'static str, about: &str) -> (String, String) {
        let name = self.names.get(route).cloned();
        (name.unwrap_or_else(|| route.to_owned()), about.to_owned())
    }
}

#[derive(Debug, Default)]
pub struct Pace(Mutex<Seen>);

/// Calls within a span, and how long to wait for the next one.
fn wait(
    calls: &mut VecDeque<DateTime<Utc>>,
    (most, span): (usize, TimeDelta),
    now: DateTime<Utc>,
) -> TimeDelta {
    while calls.front().is_some_and(|first| *first + span <= now) {
        calls.pop_front();
    }
    // A clock that was set back must not stop everything until it has caught up.
    calls.retain(|call| *call <= now);
    match calls.front().filter(|_| calls.len() >= most) {
        Some(first) => *first + span - now,
        None => TimeDelta::zero(),
    }
}

impl Pace {
    /// Counts a call, or says how long to wait first.
    pub fn take(&self, route: &'static str, about: &str, now: DateTime<Utc>) -> Result<(), Duration> {
        let mut seen = lock(&self.0);
        let mut longest = wait(&mut seen.calls, ALL, now).max(wait(&mut seen.refused, REFUSED, now));
        if let Some(until) = seen.held {
            longest = longest.max(until - now);
        }
        let place = seen.bucket(route, about);
        seen.begin(&place, now);
        if let Some(bucket) = seen.buckets.get(&place)
            && bucket.remaining == 0
        {
            longest = longest.max(bucket.until - now);
        }
        if longest > TimeDelta::zero() {
            return Err(longest.to_std().unwrap_or_default());
        }
        seen.calls.push_back(now);
        if let Some(bucket) = seen.buckets.get_mut(&place) {
            // Several are under way at once: each takes one before its answer tells.
            bucket.remaining = bucket.remaining.saturating_sub(1);
        }
        Ok(())
    }

    /// What Discord said with an answer.
    pub fn told(&self, route: &'static str, about: &str, told: &Told, now: DateTime<Utc>) {
        let mut seen = lock(&self.0);
        if let Some(name) = &told.bucket {
            seen.names.insert(route, name.clone());
        }
        let (Some(remaining), Some(after)) = (told.remaining, told.reset_after) else {
            return;
        };
        let span = TimeDelta::from_std(after).unwrap_or(TimeDelta::minutes(1));
        if let (Some(name), Some(limit)) = (&told.bucket, told.limit) {
            let size = seen.sizes.entry(name.clone()).or_insert((limit, span));
            *size = (limit, size.1.max(span));
        }
        if seen.buckets.len() >= BUCKETS_MAX {
            seen.buckets.retain(|_, bucket| bucket.until > now);
        }
        let place = seen.bucket(route, about);
        // Answers overtake each other, and one says nothing of the calls that are still under way: those were counted.
        let counted = seen.buckets.get(&place).filter(|bucket| bucket.until > now);
        let remaining = counted.map_or(remaining, |bucket| bucket.remaining.min(remaining));
        let until = now + span;
        seen.buckets.insert(place, Bucket { remaining, until });
    }

    /// Discord refused a call for its pace: this bucket, or everything, rests so long.
    pub fn limited(
        &self,
        route: &'static str,
        about: &str,
        everything: bool,
        after: Duration,
        now: DateTime<Utc>,
    ) {
        let mut seen = lock(&self.0);
        let until = now + TimeDelta::from_std(after).unwrap_or(TimeDelta::minutes(1));
        if everything {
            seen.held = seen.held.max(Some(until));
        } else {
            let place = seen.bucket(route, about);
            seen.buckets.insert(place, Bucket { remaining: 0, until });
        }
    }

    /// An answer that Discord counts against us.
    pub fn refused(&self, now: DateTime<Utc>) {
        lock(&self.0).refused.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "POST /channels/{}/messages";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
    }

    fn told(remaining: u32, after: u64) -> Told {
        Told {
            bucket: Some("abc".to_owned()),
            limit: Some(5),
            remaining: Some(remaining),
            reset_after: Some(Duration::from_secs(after)),
        }
    }

    #[test]
    fn a_bucket_that_is_used_up_is_waited_for_and_another_channel_is_not() {
        let pace = Pace::default();
        assert_eq!(pace.take(POST, "1", at(0)), Ok(()));
        pace.told(POST, "1", &told(1, 5), at(0));
        assert_eq!(pace.take(POST, "1", at(1)), Ok(()));
        assert_eq!(pace.take(POST, "1", at(1)), Err(Duration::from_secs(4)));
        assert_eq!(pace.take(POST, "2", at(1)), Ok(()));
        assert_eq!(pace.take(POST, "1", at(5)), Ok(()));
    }

    #[test]
    fn a_channel_of_which_nothing_is_known_takes_as_much_as_any_other_and_no_more() {
        let pace = Pace::default();
        assert_eq!(pace.take(POST, "1", at(0)), Ok(()));
        pace.told(POST, "1", &told(4, 5), at(0));
        let taken = || (0..20).filter(|_| pace.take(POST, "2", at(10)).is_ok()).count();
        assert_eq!(taken(), 5);
        // An answer that knows nothing yet of the other four.
        pace.told(POST, "2", &told(4, 5), at(10));
        assert_eq!(taken(), 0);
        assert_eq!(pace.take(POST, "2", at(10)), Err(Duration::from_secs(5)));
        assert_eq!(pace.take(POST, "2", at(15)), Ok(()));
    }

    #[test]
    fn routes_of_one_bucket_count_together() {
        let pace = Pace::default();
        pace.told(POST, "1", &told(5, 5), at(0));
        pace.told("PATCH /channels/{}/messages/{}", "1", &told(0, 5), at(0));
        assert_eq!(pace.take(POST, "1", at(1)), Err(Duration::from_secs(4)));
    }

    #[test]
    fn a_global_limit_holds_everything_and_a_bucket_s_own_only_that() {
        let pace = Pace::default();
        pace.limited(POST, "1", false, Duration::from_secs(3), at(0));
        assert_eq!(pace.take(POST, "1", at(0)), Err(Duration::from_secs(3)));
        assert_eq!(pace.take("GET /guilds/{}/channels", "9", at(0)), Ok(()));
        pace.limited(POST, "1", true, Duration::from_secs(7), at(0));
        assert_eq!(
            pace.take("GET /guilds/{}/channels", "9", at(0)),
            Err(Duration::from_secs(7))
        );
        assert_eq!(pace.take("GET /guilds/{}/channels", "9", at(7)), Ok(()));
    }

    #[test]
    fn fifty_in_a_second_are_not_reached() {
        let pace = Pace::default();
        let about: Vec<String> = (0..60).map(|at| at.to_string()).collect();
        let taken = about.iter().filter(|about| pace.take(POST, about, at(0)).is_ok());
        assert_eq!(taken.count(), ALL.0);
        assert_eq!(pace.take(POST, "60", at(1)), Ok(()));
    }

    #[test]
    fn refused_calls_stop_everything_long_before_discord_bans_the_address() {
        let pace = Pace::default();
        for _ in 0..REFUSED.0 {
            pace.refused(at(0));
        }
        assert_eq!(pace.take(POST, "1", at(60)), Err(Duration::from_secs(540)));
        assert_eq!(pace.take(POST, "1", at(600)), Ok(()));
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let pace = Pace::default();
        for about in 0..ALL.0 {
            assert_eq!(pace.take(POST, &about.to_string(), at(0)), Ok(()));
        }
        assert_eq!(pace.take(POST, "x", at(-3600)), Ok(()));
    }
}
