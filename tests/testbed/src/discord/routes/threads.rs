//! Threads: opened on a message or by themselves, joined, listed.

use serde_json::{Value, json};

use super::{Route, bot};
use crate::discord::asked::Asked;
use crate::discord::fail::{Result, THREAD_EXISTS, UNKNOWN_MEMBER, UNKNOWN_USER, WRONG_CHANNEL_TYPE, wrong};
use crate::discord::model::{Channel, ChannelKind};
use crate::discord::permission::{
    CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES_IN_THREADS,
};
use crate::discord::shown::stamp;
use crate::discord::state::State;

/// Threads listed at a time.
const PAGE: usize = 100;

pub const ROUTES: &[Route] = &[
    bot(
        "create_thread_from_message",
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        open_on_message,
    ),
    bot("create_thread", "POST", "/channels/{channel_id}/threads", open),
    bot(
        "list_public_archived_threads",
        "GET",
        "/channels/{channel_id}/threads/archived/public",
        archived,
    ),
    bot(
        "list_private_archived_threads",
        "GET",
        "/channels/{channel_id}/threads/archived/private",
        archived_private,
    ),
    bot(
        "list_thread_members",
        "GET",
        "/channels/{channel_id}/thread-members",
        members,
    ),
    bot(
        "join_thread",
        "PUT",
        "/channels/{channel_id}/thread-members/@me",
        join,
    ),
    bot(
        "leave_thread",
        "DELETE",
        "/channels/{channel_id}/thread-members/@me",
        leave,
    ),
    bot(
        "add_thread_member",
        "PUT",
        "/channels/{channel_id}/thread-members/{user_id}",
        add,
    ),
    bot(
        "delete_thread_member",
        "DELETE",
        "/channels/{channel_id}/thread-members/{user_id}",
        remove,
    ),
];

fn name(asked: &Asked) -> Result<String> {
    let name = asked.text("name").unwrap_or_default();
    match (1..=100).contains(&name.chars().count()) {
        true => Ok(name.to_owned()),
        false => Err(wrong(
            "name",
            "BASE_TYPE_BAD_LENGTH",
            "Must be between 1 and 100 in length.",
        )),
    }
}

fn open_on_message(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, message) = (asked.place("channel_id"), asked.place("message_id"));
    let there = state.permitted(channel, CREATE_PUBLIC_THREADS)?;
    if !matches!(there.kind, ChannelKind::Text | ChannelKind::Announcement) {
        return Err(WRONG_CHANNEL_TYPE.into());
    }
    state.message(channel, message)?;
    if state.channels.contains_key(message) {
        return Err(THREAD_EXISTS.into());
    }
    let (name, bot) = (name(asked)?, state.app.bot_user.clone());
    let id = state.open_thread(channel, Some(message), &bot, &name, false)?;
    set(state, &id, asked)
}

fn open(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = asked.place("channel_id");
    // Without a type it is private: Discord says that this will change, and to send one.
    let private = asked.body["type"].as_u64().unwrap_or(12) == 12;
    let wanted = if private {
        CREATE_PRIVATE_THREADS
    } else {
        CREATE_PUBLIC_THREADS
    };
    let there = state.permitted(channel, wanted)?;
    if there.kind != ChannelKind::Text {
        return Err(WRONG_CHANNEL_TYPE.into());
    }
    let (name, bot) = (name(asked)?, state.app.bot_user.clone());
    let id = state.open_thread(channel, None, &bot, &name, private)?;
    set(state, &id, asked)
}

fn set(state: &mut State, id: &str, asked: &Asked) -> Result<Value> {
    if let Some(minutes) = asked.body["auto_archive_duration"].as_u64()
        && let Some(thread) = &mut state.channel_mut(id)?.thread
    {
        thread.auto_archive = minutes;
    }
    Ok(state.channel_json(state.channel_of(id)?))
}

fn archived(state: &mut State, asked: &Asked) -> Result<Value> {
    list_archived(state, asked, false)
}

fn archived_private(state: &mut State, asked: &Asked) -> Result<Value> {
    list_archived(state, asked, true)
}

fn list_archived(state: &mut State, asked: &Asked, private: bool) -> Result<Value> {
    let channel = asked.place("channel_id");
    state.permitted(channel, READ_MESSAGE_HISTORY)?;
    let limit = asked.number("limit", 50, PAGE)?;
    let wanted = |thread: &&Channel| {
        let kind = thread
            .thread
            .as_ref()
            .is_some_and(|thread| thread.archived && thread.private == private);
        kind && thread.parent.as_deref() == Some(channel)
    };
    let found: Vec<&Channel> = state.channels.values().rev().filter(wanted).collect();
    let more = found.len() > limit;
    let page: Vec<Value> = found
        .into_iter()
        .take(limit)
        .map(|thread| state.channel_json(thread))
        .collect();
    Ok(json!({ "threads": page, "members": [], "has_more": more }))
}

fn members(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = state.permitted(asked.place("channel_id"), 0)?;
    let thread = channel.thread.as_ref().ok_or(WRONG_CHANNEL_TYPE)?;
    let shown = thread.members.iter().map(|user| {
        json!({ "id": channel.id, "user_id": user, "join_timestamp": stamp(thread.since), "flags": 0 })
    });
    Ok(shown.collect())
}

fn join(state: &mut State, asked: &Asked) -> Result<Value> {
    let bot = state.app.bot_user.clone();
    change(state, asked, &bot, true)
}

fn leave(state: &mut State, asked: &Asked) -> Result<Value> {
    let bot = state.app.bot_user.clone();
    change(state, asked, &bot, false)
}

fn add(state: &mut State, asked: &Asked) -> Result<Value> {
    let user = asked.place("user_id").to_owned();
    if !state.members.contains_key(&user) {
        return Err(UNKNOWN_USER.into());
    }
    state.permitted(asked.place("channel_id"), SEND_MESSAGES_IN_THREADS)?;
    change(state, asked, &user, true)
}

fn remove(state: &mut State, asked: &Asked) -> Result<Value> {
    let user = asked.place("user_id").to_owned();
    state.permitted(
        asked.place("channel_id"),
        crate::discord::permission::MANAGE_THREADS,
    )?;
    change(state, asked, &user, false)
}

fn change(state: &mut State, asked: &Asked, user: &str, joins: bool) -> Result<Value> {
    let id = asked.place("channel_id").to_owned();
    state.permitted(&id, 0)?;
    let guild = state.guild.id.clone();
    let thread = state
        .channel_mut(&id)?
        .thread
        .as_mut()
        .ok_or(WRONG_CHANNEL_TYPE)?;
    if joins {
        thread.members.insert(user.to_owned());
    } else if !thread.members.remove(user) {
        return Err(UNKNOWN_MEMBER.into());
    }
    let mut event = json!({ "id": id, "guild_id": guild, "member_count": thread.members.len() });
    event["added_members"] = json!([]);
    event["removed_member_ids"] = json!([]);
    if joins {
        event["added_members"] =
            json!([{ "id": id, "user_id": user, "join_timestamp": stamp(thread.since), "flags": 0 }]);
    } else {
        event["removed_member_ids"] = json!([user]);
    }
    state.channel_event(&id, "THREAD_MEMBERS_UPDATE", event);
    Ok(Value::Null)
}
