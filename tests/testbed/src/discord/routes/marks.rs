//! Reactions.

use serde_json::{Value, json};

use super::{Route, bot, paced};
use crate::discord::asked::Asked;
use crate::discord::fail::Result;
use crate::discord::limits;
use crate::discord::permission::{ADD_REACTIONS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY};
use crate::discord::state::State;

/// People listed at a time.
const PAGE: usize = 100;

pub const ROUTES: &[Route] = &[
    paced(
        limits::REACTIONS,
        bot(
            "add_my_message_reaction",
            "PUT",
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me",
            add,
        ),
    ),
    paced(
        limits::REACTIONS,
        bot(
            "delete_my_message_reaction",
            "DELETE",
            "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me",
            take,
        ),
    ),
    bot(
        "delete_user_message_reaction",
        "DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/{user_id}",
        take_of,
    ),
    bot(
        "list_message_reactions_by_emoji",
        "GET",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}",
        list,
    ),
    bot(
        "delete_all_message_reactions_by_emoji",
        "DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}",
        clear_emoji,
    ),
    bot(
        "delete_all_message_reactions",
        "DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions",
        clear,
    ),
];

fn add(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, id, emoji) = (
        asked.place("channel_id"),
        asked.place("message_id"),
        asked.place("emoji_name"),
    );
    state.permitted(channel, READ_MESSAGE_HISTORY)?;
    let there = state
        .message(channel, id)?
        .reactions
        .iter()
        .any(|reaction| reaction.emoji == emoji);
    if !there {
        // Joining a reaction that is there needs no permission.
        state.permitted(channel, ADD_REACTIONS)?;
    }
    let bot = state.app.bot_user.clone();
    state.react(channel, id, &bot, emoji)?;
    Ok(Value::Null)
}

fn take(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, id) = (asked.place("channel_id"), asked.place("message_id"));
    state.permitted(channel, READ_MESSAGE_HISTORY)?;
    state.message(channel, id)?;
    let bot = state.app.bot_user.clone();
    state.unreact(channel, id, &bot, asked.place("emoji_name"))?;
    Ok(Value::Null)
}

fn take_of(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, id) = (asked.place("channel_id"), asked.place("message_id"));
    state.permitted(channel, MANAGE_MESSAGES)?;
    state.message(channel, id)?;
    state.unreact(channel, id, asked.place("user_id"), asked.place("emoji_name"))?;
    Ok(Value::Null)
}

fn list(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, emoji) = (asked.place("channel_id"), asked.place("emoji_name"));
    state.permitted(channel, READ_MESSAGE_HISTORY)?;
    let limit = asked.number("limit", 25, PAGE)?;
    let after = asked.query.get("after").map_or("", String::as_str);
    let message = state.message(channel, asked.place("message_id"))?;
    let reaction = message.reactions.iter().find(|reaction| reaction.emoji == emoji);
    let mut users: Vec<&String> = reaction
        .map(|reaction| reaction.users.iter().collect())
        .unwrap_or_default();
    users.sort();
    let page = users.into_iter().filter(|user| user.as_str() > after).take(limit);
    Ok(json!(page.map(|user| state.user_json(user)).collect::<Vec<_>>()))
}

fn clear(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = asked.place("channel_id");
    state.permitted(channel, MANAGE_MESSAGES)?;
    state.clear_reactions(channel, asked.place("message_id"), None)?;
    Ok(Value::Null)
}

fn clear_emoji(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = asked.place("channel_id");
    state.permitted(channel, MANAGE_MESSAGES)?;
    state.clear_reactions(
        channel,
        asked.place("message_id"),
        Some(asked.place("emoji_name")),
    )?;
    Ok(Value::Null)
}
