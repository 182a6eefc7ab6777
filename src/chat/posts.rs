//! Which of our posts stand in which channel, so that none is posted twice.

use std::collections::HashMap;
use std::sync::Mutex;

use super::lock;

/// Posts remembered of one channel: those that may be asked for again are the last few.
const KEYS_MAX: usize = 500;
/// Channels remembered; one that falls out is looked through again.
const CHANNELS_MAX: usize = 1_000;

/// Channels whose recent posts are known, with those found in them, by key. A channel is looked through once after a
/// start, because the last run may have died between a post and its record, and again after every call whose answer
/// was lost.
#[derive(Debug, Default)]
pub struct Posts(Mutex<HashMap<String, HashMap<String, String>>>);

impl Posts {
    /// A channel that was made just now: nothing can be in it.
    pub fn fresh(&self, channel: &str) {
        let mut known = lock(&self.0);
        if known.len() >= CHANNELS_MAX {
            known.clear();
        }
        known.insert(channel.to_owned(), HashMap::new());
    }

    /// An answer was lost: what was sent may stand there.
    pub fn doubtful(&self, channel: &str) {
        lock(&self.0).remove(channel);
    }

    /// The post with this key: `None` where the channel must be looked through first.
    pub fn find(&self, channel: &str, key: &str) -> Option<Option<String>> {
        lock(&self.0).get(channel).map(|found| found.get(key).cloned())
    }

    /// A post that was made. What the engine does with it may fail next, and then it asks for it again.
    pub fn made(&self, channel: &str, key: &str, message: &str) {
        let mut known = lock(&self.0);
        let Some(found) = known.get_mut(channel) else {
            return;
        };
        if found.len() >= KEYS_MAX {
            found.clear();
        }
        found.insert(key.to_owned(), message.to_owned());
    }

    /// The keys of our own posts that stand in a channel.
    pub fn looked(&self, channel: &str, found: HashMap<String, String>) {
        self.fresh(channel);
        lock(&self.0).insert(channel.to_owned(), found);
    }

    /// Whether this message is known to be one of ours.
    pub fn is_ours(&self, channel: &str, message: &str) -> bool {
        let known = lock(&self.0);
        known
            .get(channel)
            .is_some_and(|found| found.values().any(|there| there == message))
    }
}
