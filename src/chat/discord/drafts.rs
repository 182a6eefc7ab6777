//! Forms that people are filling in. In memory: what Discord gives back of a form says all of it (`carried`), so that it is
//! understood after a restart.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use super::form::Draft;
use crate::chat::lock;
use crate::incident::Identity;

/// Somebody who was called away comes back within this time.
const DRAFT_LIFE: TimeDelta = TimeDelta::hours(2);
const DRAFTS_MAX: usize = 1_000;

#[derive(Debug, Clone)]
pub struct Kept {
    pub draft: Draft,
    pub who: Identity,
    until: DateTime<Utc>,
}

#[derive(Default)]
pub struct Drafts(Mutex<HashMap<String, Kept>>);

impl Drafts {
    pub fn keep(&self, draft: Draft, who: &Identity, now: DateTime<Utc>) {
        let mut all = lock(&self.0);
        if all.len() >= DRAFTS_MAX {
            all.retain(|_, kept| kept.until > now && !kept.draft.is_sent());
        }
        if all.len() < DRAFTS_MAX {
            let kept = Kept {
                who: who.clone(),
                until: now + DRAFT_LIFE,
                draft,
            };
            all.insert(kept.draft.id.clone(), kept);
        }
    }

    /// Changes somebody's own draft and gives it back as it is then.
    pub fn change(&self, id: &str, who: &Identity, change: impl FnOnce(&mut Kept)) -> Option<Kept> {
        let mut all = lock(&self.0);
        let kept = all.get_mut(id).filter(|kept| kept.who == *who)?;
        change(kept);
        Some(kept.clone())
    }

    /// The key of the delivery of a form that was filled in with this interaction.
    pub fn sent_as(&self, id: &str, key: String) -> String {
        match lock(&self.0).get_mut(id) {
            Some(kept) => kept.draft.sent_as(key),
            None => key,
        }
    }
}
