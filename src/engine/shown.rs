//! What our messages are known to say: one that says it already is not edited again, because platforms take only so many
//! edits in a minute, and every one that changes nothing keeps another waiting.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use super::lock;
use crate::chat::Message;
use crate::incident::MessageRef;
use crate::store::Hash;

/// Messages remembered; one that falls out is edited once more than needed. A few for each of a few thousand incidents.
const MOST: usize = 10_000;

/// How long what was said is believed to stand: a platform may fail to tell that somebody deleted it.
const BELIEVED: TimeDelta = TimeDelta::hours(1);

/// In memory only: after a restart everything is said once, as this version says it.
#[derive(Debug, Default)]
pub(super) struct Shown(Mutex<HashMap<MessageRef, (Hash, DateTime<Utc>)>>);

/// `None` for what cannot be compared.
fn digest(message: &Message) -> Option<Hash> {
    let bytes = serde_json::to_vec(message).ok()?;
    Some(Hash::of(&bytes))
}

impl Shown {
    /// Whether this stands there already.
    pub fn says(&self, at: &MessageRef, message: &Message, now: DateTime<Utc>) -> bool {
        let said = lock(&self.0).get(at).copied();
        said.is_some_and(|(said, when)| now - when < BELIEVED && digest(message) == Some(said))
    }

    pub fn said(&self, at: &MessageRef, message: &Message, now: DateTime<Utc>) {
        let mut shown = lock(&self.0);
        if shown.len() >= MOST {
            shown.clear();
        }
        match digest(message) {
            Some(said) => shown.insert(at.clone(), (said, now)),
            None => shown.remove(at),
        };
    }

    /// It is not known any more what it says, or that it is there.
    pub fn doubt(&self, at: &MessageRef) {
        lock(&self.0).remove(at);
    }
}
