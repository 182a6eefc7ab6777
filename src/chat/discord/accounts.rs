//! Whether somebody may command, by what Discord says of their account today.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::DiscordChat;
use super::api::{Failure, Route, code};
use super::incoming::Own;
use crate::chat::{Standing, lock};
use crate::incident::Identity;

/// How long an answer holds. What somebody does with the bot tells it anew each time; this is for everything else.
const HOLDS: TimeDelta = TimeDelta::minutes(5);
/// Accounts remembered.
const ACCOUNTS_MAX: usize = 5_000;

/// A guest of the server, by an invitation that ends with their visit.
const IS_GUEST: u64 = 1 << 4;

#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, (Standing, DateTime<Utc>)>>);

impl Accounts {
    fn known(&self, user: &str, now: DateTime<Utc>) -> Option<Standing> {
        let all = lock(&self.0);
        let (standing, until) = all.get(user)?;
        (*until > now).then_some(*standing)
    }

    pub fn keep(&self, user: &str, standing: Standing, now: DateTime<Utc>) {
        let mut all = lock(&self.0);
        if all.len() >= ACCOUNTS_MAX {
            all.clear();
        }
        all.insert(user.to_owned(), (standing, now + HOLDS));
    }
}

impl DiscordChat {
    pub(super) async fn standing_of(&self, own: &Own, who: &Identity) -> Result<Standing, Failure> {
        if who.workspace != own.guild {
            return Ok(Standing::Reader);
        }
        let now = self.clock.now();
        if let Some(known) = self.accounts.known(&who.user, now) {
            return Ok(known);
        }
        let route = Route::new("GET /guilds/{}/members/{}", &[&own.guild, &who.user]);
        let standing = match self.api.get(route).await {
            Ok(member) => standing(&member, now),
            Err(failure) if failure.is(&[code::UNKNOWN_MEMBER, code::UNKNOWN_USER]) => Standing::Reader,
            Err(failure) => return Err(failure),
        };
        self.accounts.keep(&who.user, standing, now);
        Ok(standing)
    }
}

/// What makes an account less than a member's: a bot, a guest, somebody who did not accept the rules yet or was silenced.
pub fn standing(member: &Value, now: DateTime<Utc>) -> Standing {
    let user = &member["user"];
    let is_guest = member["flags"].as_u64().unwrap_or_default() & IS_GUEST != 0;
    let silenced = member["communication_disabled_until"]
        .as_str()
        .and_then(|until| DateTime::parse_from_rfc3339(until).ok())
        .is_some_and(|until| until > now);
    let less = user["bot"] == true || user["system"] == true || member["pending"] == true;
    match user["id"].is_string() && !less && !is_guest && !silenced {
        true => Standing::Member,
        false => Standing::Reader,
    }
}
