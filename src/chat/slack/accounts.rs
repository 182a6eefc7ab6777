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

/// How long an answer holds for somebody who commands. A change is told by an event at once; this is for events that
/// were missed.
const HOLDS: TimeDelta = TimeDelta::minutes(5);
/// Accounts remembered.
const ACCOUNTS_MAX: usize = 5_000;

#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, Account>>);

/// What Slack says of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub standing: Standing,
    /// As Slack shows it; for reading only.
    pub name: String,
    asked: DateTime<Utc>,
}

impl Accounts {
    pub fn forget(&self, user: &str) {
        lock(&self.0).remove(user);
    }

    fn known(&self, user: &str) -> Option<Account> {
        lock(&self.0).get(user).cloned()
    }

    fn keep(&self, user: &str, account: &Account) {
        let mut all = lock(&self.0);
        if all.len() >= ACCOUNTS_MAX {
            all.clear();
        }
        all.insert(user.to_owned(), account.clone());
    }
}

impl SlackChat {
    pub(super) async fn standing_of(&self, own: &Own, who: &Identity) -> Result<Standing, Failure> {
        if who.workspace != own.team {
            return Ok(Standing::Reader);
        }
        let now = self.clock.now();
        match self.accounts.known(&who.user) {
            Some(known) if known.asked <= now && now < known.asked + HOLDS => Ok(known.standing),
            _ => Ok(self.asked_account(own, &who.user).await?.standing),
        }
    }

    /// An account as it was told last, however long ago: whoever commands is looked at again anyway.
    pub(super) async fn account(&self, own: &Own, user: &str) -> Result<Account, Failure> {
        match self.accounts.known(user) {
            Some(known) => Ok(known),
            None => self.asked_account(own, user).await,
        }
    }

    async fn asked_account(&self, own: &Own, user: &str) -> Result<Account, Failure> {
        let asked = self.api.get("users.info", &[("user", user.to_owned())]).await;
        let user_info = match asked {
            Ok(mut answer) => answer["user"].take(),
            Err(failure) if failure.is(&["user_not_found", "user_not_visible"]) => Value::Null,
            Err(failure) => return Err(failure),
        };
        let account = Account {
            standing: standing(&user_info, own),
            name: name(&user_info).unwrap_or(user).to_owned(),
            asked: self.clock.now(),
        };
        self.accounts.keep(user, &account);
        Ok(account)
    }
}

fn name(user: &Value) -> Option<&str> {
    let names = [&user["profile"]["real_name"], &user["real_name"], &user["name"]];
    let mut said = names.into_iter().filter_map(Value::as_str);
    said.find(|name| !name.trim().is_empty())
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
