//! Answers to interactions: the first, and what comes after it for a quarter of an hour.

use serde_json::{Value, json};

use super::{Route, messages, open, paced};
use crate::discord::asked::Asked;
use crate::discord::fail::{EMPTY_MESSAGE, INVALID_WEBHOOK_TOKEN, Result, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK};
use crate::discord::interaction::{Interaction, TAKES_NOTE};
use crate::discord::limits;
use crate::discord::model::LOADING;
use crate::discord::state::State;

const ORIGINAL: &str = "/webhooks/{webhook_id}/{webhook_token}/messages/@original";
const ONE: &str = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";

pub const ROUTES: &[Route] = &[
    open(
        "create_interaction_response",
        "POST",
        "/interactions/{interaction_id}/{interaction_token}/callback",
        respond,
    ),
    paced(
        limits::MESSAGES,
        open(
            "execute_webhook",
            "POST",
            "/webhooks/{webhook_id}/{webhook_token}",
            follow_up,
        ),
    ),
    open("get_original_webhook_message", "GET", ORIGINAL, get),
    paced(
        limits::MESSAGES,
        open("update_original_webhook_message", "PATCH", ORIGINAL, update),
    ),
    open("delete_original_webhook_message", "DELETE", ORIGINAL, delete),
    open("get_webhook_message", "GET", ONE, get),
    paced(
        limits::MESSAGES,
        open("update_webhook_message", "PATCH", ONE, update),
    ),
    open("delete_webhook_message", "DELETE", ONE, delete),
];

fn respond(state: &mut State, asked: &Asked) -> Result<Value> {
    let (id, token) = (asked.place("interaction_id"), asked.place("interaction_token"));
    let files = messages::files(state, "create_interaction_response", asked)?;
    state.respond(id, token, &asked.body, files)?;
    if asked.query.get("with_response").is_none_or(|with| with != "true") {
        return Ok(Value::Null);
    }
    let interaction = &state.interactions[id];
    let kind = asked.body["type"].as_u64().unwrap_or(0);
    let mut out = json!({
        "interaction": { "id": id, "type": interaction.kind, "channel_id": interaction.channel,
            "guild_id": state.guild.id },
        "resource": { "type": kind },
    });
    if let Some(message) = interaction.original().filter(|_| kind != TAKES_NOTE) {
        let whole = &state.channel_of(&interaction.channel)?.messages[message];
        out["resource"]["message"] = state.message_json(whole);
        out["interaction"]["response_message_id"] = json!(message);
        out["interaction"]["response_message_loading"] = json!(whole.is_loading());
        out["interaction"]["response_message_ephemeral"] = json!(whole.only_for.is_some());
    }
    Ok(out)
}

/// The interaction of a token that is still taken and was answered.
fn answered(state: &State, asked: &Asked) -> Result<Interaction> {
    let (app, token) = (asked.place("webhook_id"), asked.place("webhook_token"));
    let known = state
        .interactions
        .values()
        .find(|known| known.token == token && app == state.app.id);
    let interaction = known.ok_or(UNKNOWN_WEBHOOK)?;
    if !interaction.lives(state.now) {
        return Err(INVALID_WEBHOOK_TOKEN.into());
    }
    match &interaction.settled {
        Some(Ok(_)) => Ok(interaction.clone()),
        _ => Err(UNKNOWN_WEBHOOK.into()),
    }
}

/// A message after the first answer. While the bot "is thinking", it takes that one's place, whoever was to see it.
fn follow_up(state: &mut State, asked: &Asked) -> Result<Value> {
    let interaction = answered(state, asked)?;
    let files = messages::files(state, "execute_webhook", asked)?;
    let loading = interaction
        .original()
        .filter(|id| is_loading(state, &interaction.channel, id))
        .map(str::to_owned);
    let id = match loading {
        Some(id) => {
            state.edit_with("execute_webhook", &interaction.channel, &id, &asked.body, files)?;
            id
        }
        None => state
            .answer_with(&interaction, &asked.body, files)
            .inspect_err(|why| {
                if why.code == crate::discord::fail::Fail::from(EMPTY_MESSAGE).code {
                    state.violation("execute_webhook: an empty message".to_owned());
                }
            })?,
    };
    shown(state, &interaction.channel, &id)
}

fn is_loading(state: &State, channel: &str, id: &str) -> bool {
    let message = state
        .channels
        .get(channel)
        .and_then(|channel| channel.messages.get(id));
    message.is_some_and(|message| message.flags & LOADING != 0)
}

fn shown(state: &State, channel: &str, id: &str) -> Result<Value> {
    let message = state
        .channel_of(channel)?
        .messages
        .get(id)
        .ok_or(UNKNOWN_MESSAGE)?;
    Ok(state.message_json(message))
}

/// The message that is meant: `@original`, or one of this interaction's own.
fn meant(state: &State, asked: &Asked, interaction: &Interaction) -> Result<String> {
    let id = match asked.places.contains_key("message_id") {
        true => Some(asked.place("message_id"))
            .filter(|id| *id != "@original")
            .or(interaction.original()),
        false => interaction.original(),
    };
    let id = id.ok_or(UNKNOWN_MESSAGE)?;
    let there = state
        .channel_of(&interaction.channel)?
        .messages
        .get(id)
        .ok_or(UNKNOWN_MESSAGE)?;
    let own = interaction.original() == Some(id)
        || there
            .interaction
            .as_ref()
            .is_some_and(|of| of["id"] == interaction.id.as_str());
    match own {
        true => Ok(id.to_owned()),
        false => Err(UNKNOWN_MESSAGE.into()),
    }
}

fn get(state: &mut State, asked: &Asked) -> Result<Value> {
    let interaction = answered(state, asked)?;
    let id = meant(state, asked, &interaction)?;
    shown(state, &interaction.channel, &id)
}

fn update(state: &mut State, asked: &Asked) -> Result<Value> {
    let interaction = answered(state, asked)?;
    let id = meant(state, asked, &interaction)?;
    let files = messages::files(state, "update_webhook_message", asked)?;
    state.edit_with(
        "update_webhook_message",
        &interaction.channel,
        &id,
        &asked.body,
        files,
    )?;
    shown(state, &interaction.channel, &id)
}

fn delete(state: &mut State, asked: &Asked) -> Result<Value> {
    let interaction = answered(state, asked)?;
    let id = meant(state, asked, &interaction)?;
    state.delete(&interaction.channel, &id)?;
    Ok(Value::Null)
}
