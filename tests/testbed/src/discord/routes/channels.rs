//! One channel: read, changed, closed, and who sees it.

use serde_json::{Value, json};

use super::{Route, bot, guild};
use crate::discord::asked::Asked;
use crate::discord::fail::{Fail, MISSING_PERMISSIONS, Result, UNKNOWN_OVERWRITE, wrong};
use crate::discord::limits::Early;
use crate::discord::permission::{MANAGE_CHANNELS, MANAGE_ROLES, MANAGE_THREADS, SEND_MESSAGES};
use crate::discord::state::State;

pub const ROUTES: &[Route] = &[
    bot("get_channel", "GET", "/channels/{channel_id}", get),
    bot("update_channel", "PATCH", "/channels/{channel_id}", update),
    bot("delete_channel", "DELETE", "/channels/{channel_id}", delete),
    bot(
        "set_channel_permission_overwrite",
        "PUT",
        "/channels/{channel_id}/permissions/{overwrite_id}",
        set_overwrite,
    ),
    bot(
        "delete_channel_permission_overwrite",
        "DELETE",
        "/channels/{channel_id}/permissions/{overwrite_id}",
        delete_overwrite,
    ),
    bot(
        "trigger_typing_indicator",
        "POST",
        "/channels/{channel_id}/typing",
        typing,
    ),
];

fn get(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = state.permitted(asked.place("channel_id"), 0)?;
    Ok(state.channel_json(channel))
}

/// Name and topic change twice in ten minutes and no more: the wire asks before it calls.
pub fn renames(asked: &Asked) -> bool {
    ["name", "topic"].iter().any(|key| asked.body.get(*key).is_some())
}

/// Counts a change of name or topic.
pub fn take_rename(state: &mut State, asked: &Asked) -> std::result::Result<(), Early> {
    let now = state.now;
    state.limits.take_rename(asked.place("channel_id"), now)
}

fn update(state: &mut State, asked: &Asked) -> Result<Value> {
    let id = asked.place("channel_id").to_owned();
    if state.permitted(&id, 0)?.thread.is_some() {
        return update_thread(state, asked, &id);
    }
    let channel = state.permitted(&id, MANAGE_CHANNELS)?;
    let (kind, old) = (channel.kind, channel.parent.clone());
    let allowed = state.permissions(&state.app.bot_user, channel);
    let overwrites = match &asked.body["permission_overwrites"] {
        Value::Null => None,
        _ if allowed & MANAGE_ROLES == 0 => return Err(MISSING_PERMISSIONS.into()),
        given => Some(guild::overwrites(
            state,
            given,
            state.guild_permissions(&state.app.bot_user),
        )?),
    };
    let parent = asked
        .body
        .get("parent_id")
        .map(|parent| parent.as_str().map(str::to_owned));
    if let Some(parent) = parent.as_ref().filter(|parent| **parent != old) {
        guild::fits(state, parent.as_deref())?;
    }
    let name = asked
        .text("name")
        .map(|name| guild::name(kind, name))
        .transpose()?;
    guild::set(state, &id, &asked.body)?;
    state.change_channel(&id, |channel| {
        if let Some(name) = name {
            channel.name = name;
        }
        if let Some(parent) = parent {
            channel.parent = parent;
        }
        if let Some(overwrites) = overwrites {
            channel.overwrites = overwrites;
        }
    })?;
    Ok(state.channel_json(state.channel_of(&id)?))
}

fn update_thread(state: &mut State, asked: &Asked, id: &str) -> Result<Value> {
    let channel = state.permitted(id, 0)?;
    let allowed = state.permissions(&state.app.bot_user, channel);
    let thread = channel.thread.as_ref();
    let own = thread.is_some_and(|thread| thread.owner == state.app.bot_user && !thread.locked);
    // Whoever may write in a thread may open it again.
    let opens =
        asked.flag("archived") == Some(false) && asked.body.as_object().is_some_and(|body| body.len() == 1);
    if !own && allowed & MANAGE_THREADS == 0 && !(opens && thread.is_some_and(|thread| !thread.locked)) {
        return Err(MISSING_PERMISSIONS.into());
    }
    if let Some(name) = asked.text("name") {
        if !(1..=100).contains(&name.chars().count()) {
            return Err(wrong(
                "name",
                "BASE_TYPE_BAD_LENGTH",
                "Must be between 1 and 100 in length.",
            ));
        }
        name.clone_into(&mut state.channel_mut(id)?.name);
    }
    let now = state.now;
    state.change_thread(id, |thread| {
        if let Some(archived) = asked.flag("archived") {
            thread.archived = archived;
            thread.since = now;
        }
        if let Some(locked) = asked.flag("locked") {
            thread.locked = locked;
        }
        if let Some(minutes) = asked.body["auto_archive_duration"].as_u64() {
            thread.auto_archive = minutes;
        }
    })?;
    Ok(state.channel_json(state.channel_of(id)?))
}

fn delete(state: &mut State, asked: &Asked) -> Result<Value> {
    let id = asked.place("channel_id");
    let thread = state.permitted(id, 0)?.thread.is_some();
    state.permitted(id, if thread { MANAGE_THREADS } else { MANAGE_CHANNELS })?;
    state.delete_channel(id)
}

fn set_overwrite(state: &mut State, asked: &Asked) -> Result<Value> {
    let id = asked.place("channel_id").to_owned();
    state.permitted(&id, MANAGE_ROLES)?;
    let mut one = asked.body.clone();
    one["id"] = json!(asked.place("overwrite_id"));
    if one["type"].is_null() {
        return Err(wrong("type", "BASE_TYPE_REQUIRED", "This field is required"));
    }
    let allowed = state.guild_permissions(&state.app.bot_user);
    let overwrite = guild::overwrite(state, &one, allowed, "")?;
    state.change_channel(&id, |channel| {
        channel.overwrites.retain(|known| known.id != overwrite.id);
        channel.overwrites.push(overwrite);
    })?;
    Ok(Value::Null)
}

fn delete_overwrite(state: &mut State, asked: &Asked) -> Result<Value> {
    let (id, which) = (asked.place("channel_id").to_owned(), asked.place("overwrite_id"));
    let channel = state.permitted(&id, MANAGE_ROLES)?;
    if !channel.overwrites.iter().any(|one| one.id == which) {
        return Err(Fail::from(UNKNOWN_OVERWRITE));
    }
    state.change_channel(&id, |channel| channel.overwrites.retain(|one| one.id != which))?;
    Ok(Value::Null)
}

fn typing(state: &mut State, asked: &Asked) -> Result<Value> {
    state.permitted(asked.place("channel_id"), SEND_MESSAGES)?;
    Ok(Value::Null)
}
