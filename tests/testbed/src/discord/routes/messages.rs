//! Messages: sent, read, changed, deleted.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Route, bot, paced};
use crate::discord::asked::Asked;
use crate::discord::check;
use crate::discord::fail::{
    CANNOT_SEND_TO_USER, EMPTY_MESSAGE, Fail, MISSING_PERMISSIONS, NO_TEXT_CHANNEL, NOT_YOURS, Result,
    SYSTEM_MESSAGE, UNKNOWN_MESSAGE, wrong,
};
use crate::discord::limits;
use crate::discord::model::{Attachment, Message, REPLY, SAID};
use crate::discord::permission::{
    ATTACH_FILES, EMBED_LINKS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY, SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
};
use crate::discord::render;
use crate::discord::state::State;

/// How long a nonce that is enforced is known. Discord: "the past few minutes".
const NONCE_LIVES: Duration = Duration::from_secs(5 * 60);

/// Messages read at a time, and deleted at a time.
const PAGE: usize = 100;
/// Older ones are not deleted in bulk.
const BULK_AGE: Duration = Duration::from_secs(14 * 86_400);

pub const ROUTES: &[Route] = &[
    bot("list_messages", "GET", "/channels/{channel_id}/messages", list),
    paced(
        limits::MESSAGES,
        bot(
            "create_message",
            "POST",
            "/channels/{channel_id}/messages",
            create,
        ),
    ),
    bot(
        "bulk_delete_messages",
        "POST",
        "/channels/{channel_id}/messages/bulk-delete",
        bulk_delete,
    ),
    bot(
        "get_message",
        "GET",
        "/channels/{channel_id}/messages/{message_id}",
        get,
    ),
    paced(
        limits::MESSAGES,
        bot(
            "update_message",
            "PATCH",
            "/channels/{channel_id}/messages/{message_id}",
            update,
        ),
    ),
    paced(
        limits::MESSAGES,
        bot(
            "delete_message",
            "DELETE",
            "/channels/{channel_id}/messages/{message_id}",
            delete,
        ),
    ),
];

/// The files of a call, if they may come with a message.
pub fn files(state: &mut State, what: &str, asked: &Asked) -> Result<Vec<Attachment>> {
    let sizes = asked
        .files
        .iter()
        .map(|file| (file.part.as_str(), file.bytes.len()));
    state.form_holds(what, &check::files(sizes))?;
    Ok(asked.attachments(|| state.id()))
}

/// What the bot needs to say this in a channel.
fn needed(state: &State, channel: &str, asked: &Asked) -> u64 {
    let thread = state
        .channels
        .get(channel)
        .is_some_and(|channel| channel.thread.is_some());
    let mut wanted = if thread {
        SEND_MESSAGES_IN_THREADS
    } else {
        SEND_MESSAGES
    };
    if asked.body["embeds"]
        .as_array()
        .is_some_and(|embeds| !embeds.is_empty())
    {
        wanted |= EMBED_LINKS;
    }
    if !asked.files.is_empty() {
        wanted |= ATTACH_FILES;
    }
    wanted
}

fn create(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = asked.place("channel_id").to_owned();
    let there = state.permitted(&channel, needed(state, &channel, asked))?;
    if !there.kind.holds_messages() {
        return Err(NO_TEXT_CHANNEL.into());
    }
    if there
        .recipient
        .as_ref()
        .is_some_and(|who| !state.members.contains_key(who))
    {
        // They share no guild with the bot.
        return Err(CANNOT_SEND_TO_USER.into());
    }
    let nonce = Some(&asked.body["nonce"])
        .filter(|nonce| !nonce.is_null())
        .cloned();
    if let Some(known) = known_nonce(state, asked) {
        return with_nonce(state, &known.0, &known.1, nonce);
    }
    let reference = reference(state, &channel, asked)?;
    let files = files(state, "create_message", asked)?;
    let mut message = Message {
        channel: channel.clone(),
        author: state.app.bot_user.clone(),
        kind: if reference.is_some() { REPLY } else { SAID },
        reference,
        ..Message::default()
    };
    state.fill("create_message", &mut message, &asked.body, files)?;
    if message.is_empty() {
        state.violation("create_message: an empty message".to_owned());
        return Err(EMPTY_MESSAGE.into());
    }
    message.nonce.clone_from(&nonce);
    let id = state.post(message, Some(&asked.body["allowed_mentions"]))?;
    if let Some(nonce) = &nonce {
        state
            .nonces
            .push((render::plain(nonce), state.now, channel.clone(), id.clone()));
    }
    with_nonce(state, &channel, &id, nonce)
}

/// The message that this nonce already made, if that is asked for and not too long ago.
fn known_nonce(state: &State, asked: &Asked) -> Option<(String, String)> {
    if asked.body["enforce_nonce"] != true {
        return None;
    }
    let nonce = render::plain(&asked.body["nonce"]);
    let known = state
        .nonces
        .iter()
        .rev()
        .find(|(known, at, ..)| *known == nonce && *at + NONCE_LIVES > state.now);
    let (.., channel, id) = known?;
    let there = state.message(channel, id).is_ok();
    there.then(|| (channel.clone(), id.clone()))
}

/// The nonce comes back with the answer, and with no later reading: Discord does not keep it.
fn with_nonce(state: &State, channel: &str, id: &str, nonce: Option<Value>) -> Result<Value> {
    let mut out = state.message_json(state.message(channel, id)?);
    if let Some(nonce) = nonce {
        out["nonce"] = nonce;
    }
    Ok(out)
}

fn reference(state: &State, channel: &str, asked: &Asked) -> Result<Option<String>> {
    let reference = &asked.body["message_reference"];
    let Some(id) = reference["message_id"].as_str() else {
        return Ok(None);
    };
    state.permitted(channel, READ_MESSAGE_HISTORY)?;
    let elsewhere = reference["channel_id"]
        .as_str()
        .is_some_and(|other| other != channel);
    let known = state.message(channel, id).ok();
    match known {
        Some(known) if known.is_system() => Err(wrong(
            "message_reference",
            "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE",
            "Cannot reply to a system message",
        )),
        Some(_) if !elsewhere => Ok(Some(id.to_owned())),
        _ if reference["fail_if_not_exists"] == false => Ok(None),
        _ => Err(wrong(
            "message_reference",
            "REPLIES_UNKNOWN_MESSAGE",
            "Unknown message",
        )),
    }
}

fn list(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = state.permitted(asked.place("channel_id"), 0)?;
    let limit = asked.number("limit", 50, PAGE)?;
    if state.permissions(&state.app.bot_user, channel) & READ_MESSAGE_HISTORY == 0 {
        // Discord answers with nothing, and no refusal.
        return Ok(json!([]));
    }
    let all: Vec<&Message> = channel
        .messages
        .values()
        .filter(|message| message.only_for.is_none())
        .collect();
    let key = |name: &str| asked.query.get(name).and_then(|id| id.parse::<u64>().ok());
    let id = |message: &Message| message.id.parse::<u64>().unwrap_or(0);
    let page: Vec<&Message> = if let Some(around) = key("around") {
        let middle = all.partition_point(|message| id(message) < around);
        let from = middle.saturating_sub(limit / 2);
        all.into_iter().skip(from).take(limit).collect()
    } else if let Some(after) = key("after") {
        all.into_iter()
            .filter(|message| id(message) > after)
            .take(limit)
            .collect()
    } else {
        let before = key("before").unwrap_or(u64::MAX);
        let mut newest: Vec<&Message> = all
            .into_iter()
            .rev()
            .filter(|message| id(message) < before)
            .take(limit)
            .collect();
        newest.reverse();
        newest
    };
    // The newest first, whatever was asked for.
    Ok(page
        .into_iter()
        .rev()
        .map(|message| state.message_json(message))
        .collect())
}

fn get(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, id) = (asked.place("channel_id"), asked.place("message_id"));
    state.permitted(channel, READ_MESSAGE_HISTORY)?;
    Ok(state.message_json(state.message(channel, id)?))
}

fn update(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, id) = (
        asked.place("channel_id").to_owned(),
        asked.place("message_id").to_owned(),
    );
    state.permitted(&channel, VIEW_CHANNEL)?;
    let message = state.message(&channel, &id)?;
    if message.author != state.app.bot_user {
        return Err(NOT_YOURS.into());
    }
    if message.is_system() {
        return Err(SYSTEM_MESSAGE.into());
    }
    if state
        .channel_of(&channel)?
        .thread
        .as_ref()
        .is_some_and(|thread| thread.archived)
    {
        return Err(crate::discord::fail::THREAD_ARCHIVED.into());
    }
    let files = files(state, "update_message", asked)?;
    state.edit_with("update_message", &channel, &id, &asked.body, files)?;
    Ok(state.message_json(state.message(&channel, &id)?))
}

fn delete(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, id) = (
        asked.place("channel_id").to_owned(),
        asked.place("message_id").to_owned(),
    );
    let there = state.permitted(&channel, 0)?;
    let allowed = state.permissions(&state.app.bot_user, there);
    let message = state.message(&channel, &id)?;
    if message.author != state.app.bot_user && allowed & MANAGE_MESSAGES == 0 {
        return Err(MISSING_PERMISSIONS.into());
    }
    state.delete(&channel, &id)?;
    Ok(Value::Null)
}

fn bulk_delete(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = asked.place("channel_id").to_owned();
    state.permitted(&channel, MANAGE_MESSAGES)?;
    let ids = asked.body["messages"].as_array().into_iter().flatten();
    let ids: Vec<String> = ids.map(render::plain).collect();
    if !(2..=PAGE).contains(&ids.len()) {
        return Err(wrong(
            "messages",
            "BASE_TYPE_BAD_LENGTH",
            "Must be between 2 and 100 in length.",
        ));
    }
    let now = state.now;
    if ids.iter().any(|id| {
        state
            .message(&channel, id)
            .is_ok_and(|message| message.at + BULK_AGE < now)
    }) {
        return Err(Fail {
            status: 400,
            code: 50034,
            message: "You can only bulk delete messages that are under 14 days old.".to_owned(),
            errors: Value::Null,
        });
    }
    for id in ids {
        match state.delete(&channel, &id) {
            Err(why) if why.code != Fail::from(UNKNOWN_MESSAGE).code => return Err(why),
            _ => {}
        }
    }
    Ok(Value::Null)
}
