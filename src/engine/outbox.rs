//! What waits in the outbox, by channel, in memory: the rows themselves stay in the store, which would have to look
//! through all that waits behind a slow channel to find what may go now.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::store::{EffectId, Lane};

#[derive(Default)]
pub(super) struct Waiting {
    channels: HashMap<Arc<str>, Channel>,
    /// What comes next in each channel that is free and waits for no time: found without looking at all channels.
    ready: BTreeSet<(EffectId, Arc<str>)>,
    /// Channels in which something waits for a time.
    timed: HashSet<Arc<str>>,
    worked_on: usize,
    len: usize,
}

#[derive(Default)]
struct Channel {
    /// In the order of work; the time before which it may not be tried again.
    effects: BTreeMap<EffectId, Option<DateTime<Utc>>>,
    /// Those that have such a time, by it: a slow channel holds thousands that have none.
    timed: BTreeSet<(DateTime<Utc>, EffectId)>,
    worked_on: bool,
    /// Something failed; what comes after does not overtake what failed.
    rests: Option<DateTime<Utc>>,
    /// As it stands in [`Waiting::ready`].
    ready: Option<EffectId>,
}

impl Channel {
    fn add(&mut self, id: EffectId, not_before: Option<DateTime<Utc>>) {
        let before = self.effects.insert(id, not_before).flatten();
        if let Some(before) = before {
            self.timed.remove(&(before, id));
        }
        self.timed.extend(not_before.map(|at| (at, id)));
    }

    fn remove(&mut self, id: EffectId) {
        if let Some(before) = self.effects.remove(&id).flatten() {
            self.timed.remove(&(before, id));
        }
    }

    /// Gives all that wait for a time another one.
    fn retime(&mut self, another: impl Fn(DateTime<Utc>) -> Option<DateTime<Utc>>) {
        for (before, id) in std::mem::take(&mut self.timed) {
            let not_before = another(before);
            self.effects.insert(id, not_before);
            self.timed.extend(not_before.map(|at| (at, id)));
        }
    }

    fn is_timed(&self) -> bool {
        self.rests.is_some() || !self.timed.is_empty()
    }

    /// When the next of those that still wait for their time may go.
    fn later(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let over = Bound::Excluded((now, EffectId(u64::MAX)));
        let mut later = self.timed.range((over, Bound::Unbounded));
        later.next().map(|(at, _)| *at)
    }

    fn next(&self, now: DateTime<Utc>) -> Option<EffectId> {
        if self.worked_on || self.rests.is_some_and(|until| until > now) {
            return None;
        }
        self.due(now).next()
    }

    fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = EffectId> {
        let due = move |not_before: &Option<DateTime<Utc>>| not_before.is_none_or(|at| at <= now);
        self.effects
            .iter()
            .filter(move |(_, not_before)| due(not_before))
            .map(|(id, _)| *id)
    }
}

/// The channel that goes first: what belongs to a room (`INC-7/chat@slack/T1/C1`) waits for what was said before there
/// was one (`INC-7/chat`).
fn before(channel: &str) -> Option<&str> {
    channel.split_once('@').map(|(first, _)| first)
}

impl Waiting {
    pub fn add(&mut self, id: EffectId, channel: &str, not_before: Option<DateTime<Utc>>) {
        // There is a room now: what waited for one is looked at again.
        if let Some(first) = before(channel).filter(|first| self.channels.contains_key(*first)) {
            self.change(first, |first| {
                first.rests = None;
                first.retime(|_| None);
            });
        }
        self.change(channel, |channel| channel.add(id, not_before));
    }

    /// Leaves a channel alone for a while. In memory only: after a restart everything is tried at once.
    pub fn rest(&mut self, channel: &str, until: DateTime<Utc>) {
        self.change(channel, |channel| {
            channel.rests = Some(until);
            // What failed before is tried again in its turn, not after what came later.
            channel.retime(|before| Some(until.min(before)));
        });
    }

    /// Changes a channel, and what is known of it beside it. An empty one is forgotten.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Channel)) {
        let name = match self.channels.get_key_value(name) {
            Some((name, _)) => name.clone(),
            None => name.into(),
        };
        let channel = self.channels.entry(name.clone()).or_default();
        let len = channel.effects.len();
        change(channel);
        self.len = self.len - len + channel.effects.len();
        let timed = channel.is_timed();
        let free = !timed && !channel.worked_on;
        let next = channel.effects.keys().next().copied().filter(|_| free);
        let before = std::mem::replace(&mut channel.ready, next);
        if channel.effects.is_empty() && channel.rests.is_none() && !channel.worked_on {
            self.channels.remove(&name);
        }
        if before != next {
            if let Some(before) = before {
                self.ready.remove(&(before, name.clone()));
            }
            self.ready.extend(next.map(|next| (next, name.clone())));
        }
        match timed {
            true => self.timed.insert(name),
            false => self.timed.remove(&name),
        };
    }

    /// Takes the channel whose next effect is the most urgent and the oldest, and its first effects with it. Nobody
    /// else gets the channel before [`Waiting::end`].
    pub fn take(&mut self, now: DateTime<Utc>, most: usize) -> Option<(String, Vec<EffectId>)> {
        let (_, name) = self.free(now).min()?;
        let name = name.clone();
        let mut taken = Vec::new();
        self.change(&name, |channel| {
            taken = channel.due(now).take(most).collect();
            taken.iter().for_each(|id| channel.remove(*id));
            channel.worked_on = true;
        });
        self.worked_on += 1;
        Some((name.to_string(), taken))
    }

    /// Whether `next` has to wait although it was taken: something more urgent came into the channel since, or something
    /// failed there a moment ago.
    pub fn gives_way(&self, channel: &str, next: EffectId) -> bool {
        self.channels.get(channel).is_some_and(|channel| {
            let first = channel
                .effects
                .iter()
                .find(|(_, not_before)| not_before.is_none());
            channel.rests.is_some() || first.is_some_and(|(first, _)| *first < next)
        })
    }

    /// The channel is free again.
    pub fn end(&mut self, name: &str) {
        if self.channels.contains_key(name) {
            self.worked_on -= 1;
            self.change(name, |channel| channel.worked_on = false);
        }
    }

    /// Everything that waits, for whatever.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether something of the first lane could be taken.
    pub fn is_urgent(&self) -> bool {
        let first = self.ready.first();
        first.is_some_and(|(id, _)| id.lane() == Lane::Urgent)
    }

    /// Channels in somebody's hands.
    pub fn worked_on(&self) -> usize {
        self.worked_on
    }

    /// Whether something could be taken now.
    pub fn any(&self, now: DateTime<Utc>) -> bool {
        self.free(now).next().is_some()
    }

    /// The next effect of every channel that may be worked on now: of those without a time, the first that need not wait
    /// for another channel.
    fn free(&self, now: DateTime<Utc>) -> impl Iterator<Item = (EffectId, &Arc<str>)> {
        let waits = |name: &Arc<str>| before(name).is_some_and(|first| self.is_busy(first));
        let timed = self
            .timed
            .iter()
            .filter_map(move |name| Some((self.channels.get(name)?.next(now)?, name)));
        let ready = self
            .ready
            .iter()
            .map(|(id, name)| (*id, name))
            .find(move |(_, name)| !waits(name));
        timed.filter(move |(_, name)| !waits(name)).chain(ready)
    }

    /// Whether something waits in a channel, or is being performed.
    pub fn is_busy(&self, name: &str) -> bool {
        let channel = self.channels.get(name);
        channel.is_some_and(|channel| channel.worked_on || !channel.effects.is_empty())
    }

    /// Whether a room is still to be told something of what is in the channels with this prefix; `but` not counted.
    pub fn has_more_for(&self, prefix: &str, room: &str, but: &str) -> bool {
        let mut names = self.channels.keys().filter(|name| name.starts_with(prefix));
        names.any(|name| {
            let elsewhere = name.split_once('@').is_some_and(|(_, there)| there != room);
            !elsewhere && !name.starts_with(but) && self.is_busy(name)
        })
    }

    /// Forgets rests that are over; says when the next thing may be taken that may not be taken now.
    pub fn wakes(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let over = |until: &mut DateTime<Utc>| *until <= now;
        let mut wakes: Option<DateTime<Utc>> = None;
        let timed: Vec<_> = self.timed.iter().cloned().collect();
        for name in timed {
            self.change(&name, |channel| {
                if channel.worked_on {
                    return;
                }
                channel.rests.take_if(over);
                let next = [wakes, channel.rests, channel.later(now)];
                wakes = next.into_iter().flatten().min();
            });
        }
        wakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap_or_default()
    }

    const URGENT: u64 = 0;
    const NORMAL: u64 = 1;
    const CHATTY: u64 = 2;

    /// As the store gives them out: in the order of work.
    fn id(lane: u64, count: u64) -> EffectId {
        EffectId(lane << 60 | count)
    }

    #[test]
    fn the_most_urgent_channel_comes_first_and_belongs_to_one() {
        let mut waiting = Waiting::default();
        waiting.add(id(CHATTY, 1), "a", None);
        waiting.add(id(CHATTY, 2), "a", None);
        waiting.add(id(URGENT, 3), "b", None);
        assert_eq!(
            waiting.take(at(0), 9),
            Some(("b".to_owned(), vec![id(URGENT, 3)]))
        );
        let both = vec![id(CHATTY, 1), id(CHATTY, 2)];
        assert_eq!(waiting.take(at(0), 9), Some(("a".to_owned(), both)));
        waiting.add(id(URGENT, 4), "a", None);
        assert_eq!(waiting.take(at(0), 9), None, "both are in somebody's hands");
        assert!(waiting.gives_way("a", id(CHATTY, 2)));
        waiting.end("a");
        assert_eq!(
            waiting.take(at(0), 9),
            Some(("a".to_owned(), vec![id(URGENT, 4)]))
        );
    }

    #[test]
    fn a_channel_that_rests_is_left_alone_until_it_has_rested() {
        let mut waiting = Waiting::default();
        waiting.add(id(NORMAL, 1), "a", None);
        waiting.rest("a", at(10));
        assert!(!waiting.any(at(9)));
        assert_eq!(waiting.wakes(at(9)), Some(at(10)));
        assert!(waiting.any(at(10)));
        assert_eq!(waiting.wakes(at(10)), None);
    }

    #[test]
    fn what_failed_often_waits_alone_while_the_rest_goes_on() {
        let mut waiting = Waiting::default();
        waiting.add(id(NORMAL, 1), "a", Some(at(10)));
        waiting.add(id(NORMAL, 2), "a", None);
        assert_eq!(
            waiting.take(at(5), 9),
            Some(("a".to_owned(), vec![id(NORMAL, 2)]))
        );
        waiting.end("a");
        assert_eq!(waiting.wakes(at(5)), Some(at(10)));
        assert_eq!(
            waiting.take(at(10), 9),
            Some(("a".to_owned(), vec![id(NORMAL, 1)]))
        );
    }

    #[test]
    fn an_empty_channel_is_forgotten() {
        let mut waiting = Waiting::default();
        waiting.add(id(NORMAL, 1), "a", None);
        let _ = waiting.take(at(0), 1);
        waiting.end("a");
        assert_eq!((waiting.channels.len(), waiting.worked_on()), (0, 0));
    }
}
