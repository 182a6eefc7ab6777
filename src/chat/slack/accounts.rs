//! Whether somebody may command, by what Slack says of their account today.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::api::Failure;
use super::incoming::Own;
use super::{SlackChat, lock};
use crate::chat::Standing;
use crate::incident::Identity;

/// How long an answer holds. A change is told by an event at once; this is for events that were missed.
const HOLDS: TimeDelta = TimeDelta::minutes(5);
/// Accounts remembered.
const ACCOUNTS_MAX: usize = 5_000;

#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, (Standing, DateTime<Utc>)>>);

impl Accounts {
    pub fn forget(&self, user: &str) {
        lock(&self.0).remove(user);
    }

    fn known(&self, user: &str, now: DateTime<Utc>) -> Option<Standing> {
        let all = lock(&self.0);
        let (standing, until) = all.get(user)?;
        (*until > now).then_some(*standing)
    }

    fn keep(&self, user: &str, standing: Standing, now: DateTime<Utc>) {
        let mut all = lock(&self.0);
        if all.len() >= ACCOUNTS_MAX {
            all.clear();
        }
        all.insert(user.to_owned(), (standing, now + HOLDS));
    }
}

impl SlackChat {
    pub(super) async fn standing_of(&self, own: &Own, who: &Identity) -> Result<Standing, Failure> {
        if who.workspace != own.team {
            return Ok(Standing::Reader);
        }
        let now = self.clock.now();
        if let Some(known) = self.accounts.known(&who.user, now) {
            return Ok(known);
        }
        let asked = self.api.get("users.info", &[("user", who.user.clone())]).await;
        let standing = match asked {
            Ok(answer) => standing(&answer["user"], own),
            Err(failure) if failure.is(&["user_not_found", "user_not_visible"]) => Standing::Reader,
            Err(failure) => return Err(failure),
        };
        self.accounts.keep(&who.user, standing, now);
        Ok(standing)
    }
}

/// Everything that makes an account less than a member's.
const LESS: &[&str] = &[
    "deleted",
    "is_restricted",
    "is_ultra_restricted",
    "is_stranger",
    "is_bot",
    "is_workflow_bot",
];

fn standing(user: &Value, own: &Own) -> Standing {
    let less = LESS.iter().any(|flag| user[*flag] == true);
    let elsewhere = user["team_id"].as_str().is_some_and(|team| team != own.team);
    match user["id"].is_string() && !less && !elsewhere {
        true => Standing::Member,
        false => Standing::Reader,
    }
}
