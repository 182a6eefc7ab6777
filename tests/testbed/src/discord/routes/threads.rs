//! Threads: opened on a message or by themselves, joined, listed.

use std::cmp::Reverse;
use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Route, bot};
use crate::discord::asked::Asked;
use crate::discord::fail::{Result, THREAD_EXISTS, UNKNOWN_MEMBER, UNKNOWN_USER, WRONG_CHANNEL_TYPE, wrong};
use crate::discord::model::{Channel, ChannelKind, Thread};
use crate::discord::permission::{
    CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS, READ_MESSAGE_HISTORY,
    SEND_MESSAGES_IN_THREADS,
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
        "list_my_private_archived_threads",
        "GET",
        "/channels/{channel_id}/users/@me/threads/archived/private",
        archived_own,
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
    state.permitted(asked.place("channel_id"), READ_MESSAGE_HISTORY)?;
    list_archived(state, asked, |thread| !thread.private)
}

/// All of them, for who manages threads.
fn archived_private(state: &mut State, asked: &Asked) -> Result<Value> {
    state.permitted(asked.place("channel_id"), READ_MESSAGE_HISTORY | MANAGE_THREADS)?;
    list_archived(state, asked, |thread| thread.private)
}

/// The last that folded comes first.
fn list_archived(state: &State, asked: &Asked, wanted: fn(&Thread) -> bool) -> Result<Value> {
    let mut found = folded(state, asked, wanted);
    found.sort_by_key(|(channel, thread)| Reverse((thread.since, channel.id.clone())));
    if let Some(before) = asked.query.get("before") {
        let at = DateTime::parse_from_rfc3339(before)
            .map_err(|_| wrong("before", "DATE_TIME_TYPE_PARSE", "Could not parse."))?;
        let at = Duration::from_micros(u64::try_from(at.timestamp_micros()).unwrap_or_default());
        found.retain(|(_, thread)| thread.since < at);
    }
    page(state, asked, &found)
}

/// Those that the bot is in, the newest first.
fn archived_own(state: &mut State, asked: &Asked) -> Result<Value> {
    state.permitted(asked.place("channel_id"), READ_MESSAGE_HISTORY)?;
    let mut found = folded(state, asked, |thread| thread.private);
    found.retain(|(_, thread)| thread.members.contains(&state.app.bot_user));
    found.sort_by_key(|(channel, _)| Reverse(channel.id.clone()));
    if let Some(before) = asked.query.get("before") {
        found.retain(|(channel, _)| channel.id < *before);
    }
    page(state, asked, &found)
}

fn folded<'a>(
    state: &'a State,
    asked: &Asked,
    wanted: fn(&Thread) -> bool,
) -> Vec<(&'a Channel, &'a Thread)> {
    let parent = asked.place("channel_id");
    let below = state
        .channels
        .values()
        .filter(|thread| thread.parent.as_deref() == Some(parent));
    below
        .filter_map(|channel| Some((channel, channel.thread.as_ref()?)))
        .filter(|(_, thread)| thread.archived && wanted(thread))
        .collect()
}

fn page(state: &State, asked: &Asked, found: &[(&Channel, &Thread)]) -> Result<Value> {
    let limit = asked.number("limit", 50, PAGE)?;
    let page: Vec<Value> = found
        .iter()
        .take(limit)
        .map(|(thread, _)| state.channel_json(thread))
        .collect();
    Ok(json!({ "threads": page, "members": [], "has_more": found.len() > limit }))
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
    state.permitted(asked.place("channel_id"), MANAGE_THREADS)?;
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
