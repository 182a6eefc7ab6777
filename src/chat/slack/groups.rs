//! User groups: who is in one, asked of Slack each time. Only which id a handle stands for is remembered, for a minute.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::api::Failure;
use super::incoming::Own;
use super::{SlackChat, lock};
use crate::chat::{Error, Member, Standing};

/// How long a handle is taken for the same group. Several groups are read in a row, and one list names them all.
const HANDLES_HOLD: TimeDelta = TimeDelta::seconds(60);

/// Accounts asked for at the same time; all of a group are asked for once, when it is first read.
const ACCOUNTS_AT_ONCE: usize = 8;

/// Groups by handle.
type ByHandle = HashMap<String, Listed>;

/// The groups there were when they were listed last.
#[derive(Default)]
pub struct Handles(Mutex<Option<(DateTime<Utc>, ByHandle)>>);

#[derive(Debug, Clone)]
struct Listed {
    id: String,
    disabled: bool,
}

/// An id, as Slack makes them: `S0123ABCD`. A handle has small letters.
pub fn is_id(group: &str) -> bool {
    group.len() > 1
        && group.starts_with('S')
        && group
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

const NONE_SUCH: &str = "there is no such user group";
const DISABLED: &str = "it is disabled";

/// What a code of Slack's means for a group, in words that say what to do.
pub fn why_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "missing_scope" => {
            "the scope usergroups:read is missing; paste what `orderly manifest slack` prints into the app's manifest and \
             install it again"
        }
        "no_such_subteam" | "subteam_not_found" => NONE_SUCH,
        "subteam_disabled" => DISABLED,
        "permission_denied" | "no_permission" | "restricted_action" => {
            "this workspace does not let the bot read it"
        }
        "paid_teams_only" | "plan_upgrade_required" | "team_not_eligible" => {
            "this workspace's plan has no user groups; name the people as [[person]], with their roles"
        }
        _ => return None,
    })
}

/// What an operator does about it.
pub fn mend_of(why: &str) -> &'static str {
    match why {
        DISABLED => {
            "In Slack, Directories, User groups, choose Enable group from its menu, or name another one in [[group]]."
        }
        NONE_SUCH => {
            "In Slack, Directories, User groups shows the handles: take one of those in [[group]], or name the people as \
             [[person]] with their roles."
        }
        _ => "Mend that, or name the people as [[person]] with their roles.",
    }
}

fn told(failure: Failure) -> Error {
    let words = match &failure {
        Failure::Code { code, .. } => why_of(code),
        Failure::Limited { .. } | Failure::Unclear { .. } => None,
    };
    match (words, Error::from(failure)) {
        (Some(words), _) => gone(words),
        (None, error) => error,
    }
}

fn gone(why: &str) -> Error {
    Error::Gone { why: why.to_owned() }
}

/// The id of a group in an answer of `usergroups.list`, by its handle.
pub fn find(answer: &Value, handle: &str) -> Result<String, String> {
    listed(&handles(answer), handle).map_err(str::to_owned)
}

fn listed(all: &ByHandle, handle: &str) -> Result<String, &'static str> {
    match all.get(&handle.trim_start_matches('@').to_lowercase()) {
        None => Err(NONE_SUCH),
        Some(Listed { disabled: true, .. }) => Err(DISABLED),
        Some(listed) => Ok(listed.id.clone()),
    }
}

impl SlackChat {
    pub(super) async fn members_of(&self, group: &str) -> Result<Vec<Member>, Error> {
        let own = self.own().await.map_err(told)?;
        let id = match is_id(group) {
            true => group.to_owned(),
            false => self.id_of(group).await?,
        };
        let answer = self
            .api
            .get("usergroups.users.list", &[("usergroup", id)])
            .await
            .map_err(told)?;
        let users: Vec<String> = answer["users"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|user| user.as_str().map(str::to_owned))
            .collect();
        let members = stream::iter(users)
            .map(|user| self.member(own, user))
            .buffered(ACCOUNTS_AT_ONCE);
        let members: Vec<Option<Member>> = members.try_collect().await.map_err(told)?;
        Ok(members.into_iter().flatten().collect())
    }

    /// Guests, bots and deactivated accounts are in groups, too, and count for nothing. Of whom Slack does not tell now is
    /// not counted now: one of a crowd must not keep the others out.
    async fn member(&self, own: &Own, user: String) -> Result<Option<Member>, Failure> {
        match self.account(own, &user).await {
            Ok(account) if account.standing == Standing::Member => Ok(Some(Member {
                who: own.identity(None, &user),
                name: account.name,
            })),
            Ok(_) | Err(Failure::Limited { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn id_of(&self, handle: &str) -> Result<String, Error> {
        let now = self.clock.now();
        let fresh = |read: &DateTime<Utc>| *read <= now && now < *read + HANDLES_HOLD;
        let known = lock(&self.handles.0).clone().filter(|(read, _)| fresh(read));
        let all = match known {
            Some((_, all)) => all,
            None => {
                let arguments = [("include_disabled", "true".to_owned())];
                let answer = self.api.get("usergroups.list", &arguments).await.map_err(told)?;
                let all = handles(&answer);
                *lock(&self.handles.0) = Some((now, all.clone()));
                all
            }
        };
        listed(&all, handle).map_err(gone)
    }
}

fn handles(answer: &Value) -> ByHandle {
    let groups = answer["usergroups"].as_array().into_iter().flatten();
    let listed = groups.filter_map(|group| {
        let listed = Listed {
            id: group["id"].as_str()?.to_owned(),
            disabled: group["date_delete"].as_u64().unwrap_or(0) > 0,
        };
        Some((group["handle"].as_str()?.to_lowercase(), listed))
    });
    listed.collect()
}
