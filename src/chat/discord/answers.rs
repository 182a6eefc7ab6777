//! People who wait for an answer in the very place where they typed or pressed.
//!
//! An interaction takes one first answer within three seconds, and more for a quarter of an hour. What is decided in time is
//! the first answer; what takes longer is announced by one that says "thinking". Nothing here survives a restart: then
//! people are told in a direct message.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::carried::Carried;
use super::incoming::Interaction;
use crate::chat::lock;
use crate::incident::Identity;

/// How long a token answers, less one minute for safety.
const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(14);
/// People who can be answered in place at the same time; whoever comes beyond that is answered another way.
const LIVE_MAX: usize = 2_000;

/// What the first answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    None,
    /// "Thinking", or a form, which the answer will replace.
    Thinking,
    /// Taken note of without words, for a button.
    Quiet,
    Said,
    /// A form, which is answered by being filled in.
    Form,
}

/// What somebody did something on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Nothing: a command, or a modal that stood alone. The answer is a message of its own.
    Nothing,
    /// A message of ours that others see, too: it is left as it is.
    Message,
    /// A message of a form, which only they see: the answer takes its place, so that nothing is left to be dismissed.
    Form,
}

/// Somebody who waits.
pub struct Live {
    pub id: String,
    pub token: String,
    pub who: Identity,
    pub room: String,
    pub on: On,
    until: DateTime<Utc>,
    /// What was answered first. Held while an answer is on its way, so that none overtakes another.
    pub first: tokio::sync::Mutex<First>,
    /// It has got its words, or they are on their way.
    claimed: AtomicBool,
    /// What they chose and typed already, in a form that goes on with words.
    carried: Mutex<Option<Carried>>,
    pub told: watch::Sender<bool>,
}

impl Live {
    /// Whoever claims it first, answers it; whoever fails gives it back.
    pub fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::SeqCst)
    }

    pub fn give_back(&self) {
        self.claimed.store(false, Ordering::SeqCst);
    }

    /// What the form that they are about to get begins with.
    pub fn carried(&self) -> Option<Carried> {
        lock(&self.carried).clone()
    }

    pub fn goes_on_from(&self, carried: Carried) {
        *lock(&self.carried) = Some(carried);
    }

    pub fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::SeqCst)
    }
}

#[derive(Default)]
pub struct Answers(Mutex<VecDeque<Arc<Live>>>);

impl Answers {
    /// Somebody waits from now on. `None` if they do already: a connection that is resumed tells some things again.
    pub fn begin(&self, interaction: &Interaction, on: On, now: DateTime<Utc>) -> Option<Arc<Live>> {
        let live = Arc::new(Live {
            id: interaction.id.clone(),
            token: interaction.token.clone(),
            who: interaction.from.clone(),
            room: interaction.spot.room.clone(),
            on,
            until: now + TOKEN_LIFE,
            first: tokio::sync::Mutex::new(First::None),
            claimed: AtomicBool::new(false),
            carried: Mutex::default(),
            told: watch::Sender::new(false),
        });
        let mut all = lock(&self.0);
        if all.iter().any(|known| known.id == live.id) {
            return None;
        }
        all.retain(|live| live.until > now);
        if all.len() >= LIVE_MAX {
            all.pop_front();
        }
        all.push_back(Arc::clone(&live));
        Some(live)
    }

    /// Where this person can be answered in this room: the oldest that has no words yet, else the newest.
    pub fn place(&self, who: &Identity, room: &str, now: DateTime<Utc>) -> Option<Arc<Live>> {
        let all = lock(&self.0);
        let theirs = || {
            all.iter()
                .filter(|live| live.who == *who && live.room == room && live.until > now)
        };
        let waiting = theirs().find(|live| !live.is_claimed());
        waiting.or_else(|| theirs().next_back()).cloned()
    }

    /// The one that a trigger names.
    pub fn of(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Live>> {
        let (id, _) = token.split_once('/')?;
        let all = lock(&self.0);
        all.iter()
            .rev()
            .find(|live| live.id == id && live.until > now)
            .cloned()
    }

    pub fn forget(&self, live: &Live) {
        lock(&self.0).retain(|known| known.id != live.id);
    }
}
