//! Channels: made, named, listed, put away.

use serde_json::{Value, json};

use super::{cursor_json, page};
use crate::slack::args::Args;
use crate::slack::contract;
use crate::slack::fail::{Result, fail};
use crate::slack::model::{Channel, ChannelKind, Said};
use crate::slack::state::State;

/// Characters of a topic or a purpose.
const TOPIC_CHARACTERS: usize = 250;

/// What conversations.list gives where no limit is asked for.
const USUAL_PAGE: usize = 100;

pub fn shown(state: &State, channel: &Channel, count: bool) -> Value {
    let said = |said: &Said| json!({ "value": said.value, "creator": said.by, "last_set": said.at });
    if channel.kind == ChannelKind::Direct {
        let other = channel.members.iter().find(|user| **user != state.app.bot_user);
        return json!({
            "id": channel.id, "created": channel.created, "is_archived": false, "is_im": true,
            "is_org_shared": false, "context_team_id": state.team, "updated": 0, "user": other,
            "is_user_deleted": false, "is_open": true, "priority": 0,
        });
    }
    let private = channel.kind != ChannelKind::Public;
    let mut shown = json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name,
        "is_channel": !private, "is_group": private, "is_im": false, "is_mpim": false, "is_private": private,
        "created": channel.created, "is_archived": channel.archived, "is_general": false, "unlinked": 0,
        "is_shared": false, "is_org_shared": false, "is_pending_ext_shared": false, "is_ext_shared": false,
        "pending_shared": [], "pending_connected_team_ids": [], "shared_team_ids": [state.team],
        "context_team_id": state.team, "updated": channel.created * 1000, "parent_conversation": null,
        "creator": channel.creator, "is_member": channel.members.contains(&state.app.bot_user),
        "topic": said(&channel.topic), "purpose": said(&channel.purpose), "previous_names": channel.previous_names,
    });
    if count {
        shown["num_members"] = json!(channel.members.len());
    }
    shown
}

pub fn create(state: &mut State, args: &Args) -> Result<Value> {
    let private = args.flag("is_private");
    state.need(if private {
        &["groups:write"]
    } else {
        &["channels:manage"]
    })?;
    let name = args.text("name").unwrap_or_default().to_owned();
    contract::channel_name(&name)?;
    if state.channels.values().any(|channel| channel.name == name) {
        return Err(fail("name_taken"));
    }
    let kind = if private {
        ChannelKind::Private
    } else {
        ChannelKind::Public
    };
    let bot = state.app.bot_user.clone();
    let id = state.add_channel(&name, kind, &bot);
    let channel = shown(state, state.visible(&id)?, false);
    if !private {
        let event_ts = state.next_ts();
        let made = json!({ "id": id, "name": name, "created": state.seconds(), "creator": bot });
        state.event(json!({ "type": "channel_created", "channel": made, "event_ts": event_ts }));
    }
    let text = format!("<@{bot}> has joined the channel");
    state.system(&id, &bot, "channel_join", text, json!({}));
    Ok(json!({ "channel": channel }))
}

pub fn info(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?;
    state.need_for(id, &["read"])?;
    let channel = state.visible(id)?;
    Ok(json!({ "channel": shown(state, channel, args.flag("include_num_members")) }))
}

/// The channels that the bot may see, of the wanted types, in the order of their making.
pub fn wanted(state: &State, args: &Args) -> Result<Vec<String>> {
    let types = args.names("types");
    let types = if types.is_empty() {
        vec!["public_channel".to_owned()]
    } else {
        types
    };
    for kind in &types {
        let scope = match kind.as_str() {
            "public_channel" => "channels:read",
            "private_channel" => "groups:read",
            "im" => "im:read",
            "mpim" => "mpim:read",
            _ => return Err(fail("invalid_types")),
        };
        state.need(&[scope])?;
    }
    let fits = |channel: &&Channel| {
        types.iter().any(|kind| kind == channel.kind.listed_as())
            && !(args.flag("exclude_archived") && channel.archived)
            && state.visible(&channel.id).is_ok()
    };
    Ok(state
        .channels
        .values()
        .filter(fits)
        .map(|channel| channel.id.clone())
        .collect())
}

pub fn list(state: &mut State, args: &Args) -> Result<Value> {
    let all = wanted(state, args)?;
    let (ids, cursor) = page(&all, args, USUAL_PAGE)?;
    let channels = ids.iter().filter_map(|id| state.channels.get(id));
    let channels: Vec<Value> = channels.map(|channel| shown(state, channel, true)).collect();
    Ok(json!({ "channels": channels, "response_metadata": cursor_json(&cursor) }))
}

/// A channel that the bot may manage: joined and not archived.
fn managed(state: &State, args: &Args, verbs: &[&str]) -> Result<String> {
    let id = args.need("channel")?;
    state.need_for(id, verbs)?;
    let channel = state.open_channel(id)?;
    if channel.kind == ChannelKind::Direct {
        return Err(fail("method_not_supported_for_channel_type"));
    }
    Ok(id.to_owned())
}

pub fn rename(state: &mut State, args: &Args) -> Result<Value> {
    let id = managed(state, args, &["manage"])?;
    let name = args.text("name").unwrap_or_default();
    contract::channel_name(name)?;
    if state
        .channels
        .values()
        .any(|channel| channel.name == name && channel.id != id)
    {
        return Err(fail("name_taken"));
    }
    let bot = state.app.bot_user.clone();
    state.rename(&id, &bot, name)?;
    Ok(json!({ "channel": shown(state, state.visible(&id)?, false) }))
}

pub fn archive(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?;
    if state.joined(id)?.archived {
        return Err(fail("already_archived"));
    }
    let id = managed(state, args, &["manage"])?;
    let bot = state.app.bot_user.clone();
    state.archive(&id, &bot, true)?;
    Ok(json!({}))
}

/// A bot cannot open what is archived: it left the channel with the archiving, as all its members did.
pub fn unarchive(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?;
    state.need_for(id, &["manage"])?;
    if !state.visible(id)?.archived {
        return Err(fail("not_archived"));
    }
    let bot = state.app.bot_user.clone();
    state.archive(id, &bot, false)?;
    Ok(json!({}))
}

fn set(state: &mut State, args: &Args, what: &str) -> Result<Value> {
    let id = managed(state, args, &["manage", "write.topic"])?;
    let value = args.text(what).unwrap_or_default();
    if value.chars().count() > TOPIC_CHARACTERS {
        return Err(fail("too_long"));
    }
    let bot = state.app.bot_user.clone();
    state.set_said(&id, &bot, what, value)?;
    Ok(json!({ "channel": shown(state, state.visible(&id)?, false) }))
}

pub fn set_topic(state: &mut State, args: &Args) -> Result<Value> {
    set(state, args, "topic")
}

pub fn set_purpose(state: &mut State, args: &Args) -> Result<Value> {
    set(state, args, "purpose")
}

pub fn open(state: &mut State, args: &Args) -> Result<Value> {
    let users = args.names("users");
    if let Some(channel) = args.text("channel") {
        state.visible(channel)?;
        return Ok(json!({ "channel": { "id": channel } }));
    }
    match users.as_slice() {
        [] => Err(fail("users_list_not_supplied")),
        [user] => {
            state.need(&["im:write"])?;
            let there = state.person(user)?;
            if there.deleted {
                return Err(fail("user_disabled"));
            }
            let id = state.direct(user);
            Ok(json!({ "no_op": false, "already_open": true, "channel": { "id": id } }))
        }
        several => {
            state.need(&["mpim:write"])?;
            for user in several {
                state.person(user)?;
            }
            let bot = state.app.bot_user.clone();
            let id = state.add_channel("mpdm", ChannelKind::GroupDirect, &bot);
            state.channel_mut(&id)?.members.extend(several.iter().cloned());
            Ok(json!({ "channel": { "id": id } }))
        }
    }
}
