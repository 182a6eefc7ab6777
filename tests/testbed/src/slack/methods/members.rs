//! Who is in a channel.

use serde_json::{Value, json};

use super::conversations::shown;
use super::{cursor_json, page};
use crate::slack::args::Args;
use crate::slack::fail::{Fail, Result, fail};
use crate::slack::model::{ChannelKind, Kind};
use crate::slack::state::State;

/// People invited in one call.
const MOST_INVITED: usize = 1000;

const USUAL_PAGE: usize = 100;

pub fn members(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?;
    state.need_for(id, &["read"])?;
    let all: Vec<String> = state.visible(id)?.members.iter().cloned().collect();
    let (members, cursor) = page(&all, args, USUAL_PAGE)?;
    Ok(json!({ "members": members, "response_metadata": cursor_json(&cursor) }))
}

/// Why a person cannot be invited.
fn refused(state: &State, channel: &str, user: &str) -> Option<&'static str> {
    if user == state.app.bot_user {
        return Some("cant_invite_self");
    }
    let Some(there) = state.users.get(user) else {
        return Some("user_not_found");
    };
    let member = state
        .channels
        .get(channel)
        .is_some_and(|c| c.members.contains(user));
    match there.kind {
        _ if there.deleted => Some("user_is_deactivated"),
        _ if member => Some("already_in_channel"),
        Kind::SingleChannelGuest => Some("ura_max_channels"),
        Kind::Stranger => Some("user_team_not_in_channel"),
        _ => None,
    }
}

pub fn invite(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?.to_owned();
    state.need_for(&id, &["manage", "write.invites"])?;
    state.open_channel(&id)?;
    let users = args.names("users");
    if users.is_empty() {
        return Err(fail("no_user"));
    }
    if users.len() > MOST_INVITED {
        return Err(fail("too_many_users"));
    }
    let wrong: Vec<(&String, &str)> = users
        .iter()
        .filter_map(|user| refused(state, &id, user).map(|why| (user, why)))
        .collect();
    let errors: Vec<Value> = wrong
        .iter()
        .map(|(user, why)| json!({ "user": user, "ok": false, "error": why }))
        .collect();
    let first = wrong.first().map(|(_, why)| (*why).to_owned());
    let fine: Vec<String> = users
        .iter()
        .filter(|user| wrong.iter().all(|(wrong, _)| wrong != user))
        .cloned()
        .collect();
    // Without force, one who cannot come keeps all others out.
    if let Some(first) = first.as_ref().filter(|_| fine.is_empty() || !args.flag("force")) {
        return Err(Fail::with(first, json!({ "errors": errors })));
    }
    let bot = state.app.bot_user.clone();
    for user in &fine {
        state.join(&id, user, Some(&bot))?;
    }
    let mut answer = json!({ "channel": shown(state, state.visible(&id)?, false) });
    if !errors.is_empty() {
        answer["errors"] = Value::Array(errors);
    }
    Ok(answer)
}

pub fn join(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?.to_owned();
    let channel = state.visible(&id)?;
    if channel.kind != ChannelKind::Public {
        return Err(fail("method_not_supported_for_channel_type"));
    }
    if channel.archived {
        return Err(fail("is_archived"));
    }
    let bot = state.app.bot_user.clone();
    if channel.members.contains(&bot) {
        return Ok(json!({
            "channel": shown(state, channel, false), "warning": "already_in_channel",
            "response_metadata": { "warnings": ["already_in_channel"] },
        }));
    }
    state.join(&id, &bot, None)?;
    Ok(json!({ "channel": shown(state, state.visible(&id)?, false) }))
}

pub fn leave(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?;
    state.need_for(id, &["manage"])?;
    let bot = state.app.bot_user.clone();
    if !state.visible(id)?.members.contains(&bot) {
        return Ok(json!({ "not_in_channel": true }));
    }
    state.leave(id, &bot)?;
    Ok(json!({}))
}

pub fn kick(state: &mut State, args: &Args) -> Result<Value> {
    let (id, user) = (args.need("channel")?, args.need("user")?);
    state.need_for(id, &["manage"])?;
    let channel = state.open_channel(id)?;
    if user == state.app.bot_user {
        return Err(fail("cant_kick_self"));
    }
    if !channel.members.contains(user) {
        return Err(fail("not_in_channel"));
    }
    state.leave(id, user)?;
    Ok(json!({}))
}
