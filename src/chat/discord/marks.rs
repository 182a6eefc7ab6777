//! Which marks stand on which messages, because Discord does not say whose were taken away when all of them are.
//!
//! Filled by every mark that is told, live or from history; after a start the history of all open rooms is read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use crate::chat::lock;

/// Messages remembered; people mark a few in each incident.
const MESSAGES_MAX: usize = 10_000;

/// Emoji and user.
type Mark = (String, String);

#[derive(Debug, Default)]
pub struct Marks(Mutex<HashMap<String, BTreeSet<Mark>>>);

impl Marks {
    pub fn told(&self, message: &str, emoji: &str, user: &str, present: bool) {
        let mut all = lock(&self.0);
        if all.len() >= MESSAGES_MAX && !all.contains_key(message) {
            all.clear();
        }
        let marks = all.entry(message.to_owned()).or_default();
        let mark = (emoji.to_owned(), user.to_owned());
        match present {
            true => marks.insert(mark),
            false => marks.remove(&mark),
        };
    }

    /// The marks of a message, or those of one emoji.
    pub fn on(&self, message: &str, emoji: Option<&str>) -> Vec<Mark> {
        let all = lock(&self.0);
        let marks = all.get(message).into_iter().flatten();
        let wanted = |(known, _): &&Mark| emoji.is_none_or(|emoji| known == emoji);
        marks.filter(wanted).cloned().collect()
    }
}
