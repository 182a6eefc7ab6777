//! One call: who calls, how often, with what, and what comes of it.

use std::time::Duration;

use serde_json::Value;

use super::asked::Asked;
use super::contract;
use super::fail::{Fail, UNAUTHORIZED, wrong};
use super::limits::{Bucket, Early};
use super::routes::{self, Auth, Route};
use super::state::{Outcome, State};

pub enum Done {
    /// Shut out before Discord even looks.
    ShutOut(Duration),
    Early(Early),
    Refused(Fail, Option<Bucket>),
    /// Status and body; null where there is none.
    Answered(u16, Value, Bucket),
}

impl Done {
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::ShutOut(_) | Self::Early(_) => Outcome::Limited,
            Self::Refused(why, _) => Outcome::Refused(why.status, why.code),
            Self::Answered(_, body, _) => Outcome::Done(body.clone()),
        }
    }
}

/// What makes something new answers 201.
const CREATES: [&str; 5] = [
    "create_guild_channel",
    "create_thread",
    "create_thread_from_message",
    "create_application_command",
    "create_guild_application_command",
];

/// A call from its token to its answer.
pub fn call(state: &mut State, route: &'static Route, asked: &Asked, token: &str) -> Done {
    let done = carried_out(state, route, asked, token);
    let unwanted = match &done {
        Done::Early(_) => true,
        Done::Refused(why, _) => matches!(why.status, 401 | 403),
        _ => false,
    };
    if unwanted {
        let now = state.now;
        state.limits.invalid(now);
    }
    done
}

fn carried_out(state: &mut State, route: &'static Route, asked: &Asked, token: &str) -> Done {
    let now = state.now;
    if let Some(after) = state.limits.shut_out(now) {
        return Done::ShutOut(after);
    }
    if route.auth == Auth::Bot && (token != format!("Bot {}", state.app.token) || state.app.revoked) {
        return Done::Refused(UNAUTHORIZED.into(), None);
    }
    let early = match route.auth {
        Auth::Bot => state.limits.take_global(now).err(),
        Auth::None => None,
    };
    if let Some(early) = early {
        return Done::Early(early);
    }
    let bucket = match state.limits.take(route.operation, major(asked), route.rate, now) {
        Ok(bucket) => bucket,
        Err(early) => return Done::Early(early),
    };
    if route.operation == "update_channel"
        && routes::renames(asked)
        && let Err(early) = routes::take_rename(state, asked)
    {
        return Done::Early(early);
    }
    if let Err(why) = as_described(state, route, asked) {
        return Done::Refused(why, Some(bucket));
    }
    match (route.call)(state, asked) {
        Err(why) => Done::Refused(why, Some(bucket)),
        Ok(body) => {
            let status = match &body {
                Value::Null => 204,
                _ if CREATES.contains(&route.operation) => 201,
                _ => 200,
            };
            if state.check_answers {
                for why in contract::answer(route.method, route.path, status, &body) {
                    state.violation(format!("the fake's own answer to {}: {why}", route.operation));
                }
            }
            Done::Answered(status, body, bucket)
        }
    }
}

/// A bucket is for one channel, guild or webhook.
fn major(asked: &Asked) -> &str {
    ["channel_id", "guild_id", "webhook_token", "interaction_token"]
        .into_iter()
        .map(|name| asked.place(name))
        .find(|place| !place.is_empty())
        .unwrap_or_default()
}

/// Holds a body against Discord's description.
fn as_described(state: &mut State, route: &Route, asked: &Asked) -> Result<(), Fail> {
    let faults = contract::body(route.method, route.path, &asked.body);
    let Some(first) = faults.first() else {
        return Ok(());
    };
    let fail = wrong("", "SCHEMA", first);
    // An unknown property is passed over by Discord, and a mistake all the same.
    let refused = faults.iter().any(|why| !why.starts_with("unknown property"));
    for why in faults {
        state.violation(format!("{}: {why}", route.operation));
    }
    if refused { Err(fail) } else { Ok(()) }
}
