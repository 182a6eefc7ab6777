//! Who the app is, and how it gets its connections.

use std::time::Duration;

use serde_json::{Value, json};

use crate::slack::args::Args;
use crate::slack::fail::{Result, fail};
use crate::slack::state::State;

/// How long the address from apps.connections.open can be used, and it can be used once.
const TICKET_LIVES: Duration = Duration::from_secs(30);

pub fn api_test(_: &mut State, args: &Args) -> Result<Value> {
    match args.text("error") {
        Some(code) => Err(fail(code)),
        None => Ok(json!({ "args": args.map })),
    }
}

pub fn test(state: &mut State, _: &Args) -> Result<Value> {
    Ok(json!({
        "url": format!("https://{}.slack.com/", state.domain),
        "team": "Acme",
        "user": "orderly",
        "team_id": state.team,
        "user_id": state.app.bot_user,
        "bot_id": state.app.bot_id,
        "is_enterprise_install": false,
    }))
}

pub fn connections_open(state: &mut State, _: &Args) -> Result<Value> {
    let ticket = format!("ticket-{}", state.next());
    state.tickets.insert(ticket.clone(), state.now + TICKET_LIVES);
    let url = format!(
        "ws://{}/link/?ticket={ticket}&app_id={}",
        state.address, state.app.id
    );
    let mut answer = json!({ "url": url });
    if !state.app.socket_mode {
        // No error: the address works, there is a hello, and nothing ever arrives.
        answer["response_metadata"] = json!({ "messages": ["[WARN] Socket Mode is not turned on."] });
    }
    Ok(answer)
}

pub fn bot(state: &mut State, args: &Args) -> Result<Value> {
    if args.need("bot")? != state.app.bot_id {
        return Err(fail("bot_not_found"));
    }
    Ok(json!({ "bot": {
        "id": state.app.bot_id, "deleted": false, "name": state.app.name, "updated": 1,
        "app_id": state.app.id, "user_id": state.app.bot_user, "icons": {},
    } }))
}

pub fn team(state: &mut State, args: &Args) -> Result<Value> {
    if args.text("team").is_some_and(|team| team != state.team) {
        return Err(fail("team_not_found"));
    }
    Ok(json!({ "team": {
        "id": state.team, "name": "Acme", "domain": state.domain, "email_domain": "example.com",
        "url": format!("https://{}.slack.com/", state.domain), "icon": { "image_default": true },
    } }))
}
