//! The bot itself, its application, and where the gateway is.

use serde_json::{Value, json};

use super::{Route, bot, open};
use crate::discord::asked::Asked;
use crate::discord::fail::{Result, UNKNOWN_APPLICATION};
use crate::discord::gateway::SESSIONS_A_DAY;
use crate::discord::state::State;

pub const ROUTES: &[Route] = &[
    open("get_gateway", "GET", "/gateway", gateway),
    bot("get_bot_gateway", "GET", "/gateway/bot", bot_gateway),
    bot("get_my_user", "GET", "/users/@me", me),
    bot("list_my_guilds", "GET", "/users/@me/guilds", guilds),
    bot("create_dm", "POST", "/users/@me/channels", create_dm),
    bot("get_user", "GET", "/users/{user_id}", user),
    bot("get_my_application", "GET", "/applications/@me", application),
    bot(
        "get_my_oauth2_application",
        "GET",
        "/oauth2/applications/@me",
        application,
    ),
    bot(
        "get_application",
        "GET",
        "/applications/{application_id}",
        application_by_id,
    ),
];

fn gateway(state: &mut State, _: &Asked) -> Result<Value> {
    Ok(json!({ "url": format!("ws://{}", state.address) }))
}

fn bot_gateway(state: &mut State, _: &Asked) -> Result<Value> {
    let left = state.sessions_left();
    let after = u64::try_from(state.sessions_reset_after().as_millis()).unwrap_or(u64::MAX);
    Ok(json!({
        "url": format!("ws://{}", state.address), "shards": 1,
        "session_start_limit": {
            "total": SESSIONS_A_DAY, "remaining": left, "reset_after": after, "max_concurrency": 1,
        },
    }))
}

fn me(state: &mut State, _: &Asked) -> Result<Value> {
    let mut me = state.user_json(&state.app.bot_user);
    me["mfa_enabled"] = json!(true);
    me["locale"] = json!("en-US");
    me["premium_type"] = json!(0);
    me["email"] = Value::Null;
    me["verified"] = json!(true);
    Ok(me)
}

fn guilds(state: &mut State, _: &Asked) -> Result<Value> {
    if !state.members.contains_key(&state.app.bot_user) {
        return Ok(json!([]));
    }
    let allowed = state.guild_permissions(&state.app.bot_user);
    Ok(json!([{
        "id": state.guild.id, "name": state.guild.name, "icon": null, "banner": null, "owner": false,
        "permissions": allowed.to_string(), "features": [],
    }]))
}

fn create_dm(state: &mut State, asked: &Asked) -> Result<Value> {
    let who = asked.text("recipient_id").unwrap_or_default().to_owned();
    if !state.users.contains_key(&who) {
        return Err(crate::discord::fail::UNKNOWN_USER.into());
    }
    let id = state.direct(&who);
    Ok(state.channel_json(state.channel_of(&id)?))
}

fn user(state: &mut State, asked: &Asked) -> Result<Value> {
    let id = asked.place("user_id");
    if !state.users.contains_key(id) {
        return Err(crate::discord::fail::UNKNOWN_USER.into());
    }
    Ok(state.user_json(id))
}

fn application(state: &mut State, _: &Asked) -> Result<Value> {
    Ok(state.application_json())
}

fn application_by_id(state: &mut State, asked: &Asked) -> Result<Value> {
    if asked.place("application_id") != state.app.id {
        return Err(UNKNOWN_APPLICATION.into());
    }
    Ok(state.application_json())
}
