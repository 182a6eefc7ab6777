//! The guild: its channels, roles and members.

use serde_json::{Map, Value, json};

use super::{Route, bot, paced};
use crate::discord::asked::Asked;
use crate::discord::fail::{
    MISSING_PERMISSIONS, Result, TOO_MANY_CHANNELS, UNKNOWN_GUILD, UNKNOWN_MEMBER, UNKNOWN_ROLE, wrong,
};
use crate::discord::limits;
use crate::discord::model::{Channel, ChannelKind, Overwrite};
use crate::discord::permission::{ADMINISTRATOR, MANAGE_CHANNELS, MANAGE_ROLES};
use crate::discord::render;
use crate::discord::shown;
use crate::discord::state::{GUILD_MEMBERS, State};

/// Channels of a guild, threads not counted, and of a category.
const CHANNELS: usize = 500;
const IN_CATEGORY: usize = 50;

/// Members listed at a time.
const PAGE: usize = 1000;

pub const ROUTES: &[Route] = &[
    bot("get_guild", "GET", "/guilds/{guild_id}", guild),
    bot(
        "list_guild_channels",
        "GET",
        "/guilds/{guild_id}/channels",
        channels,
    ),
    bot(
        "create_guild_channel",
        "POST",
        "/guilds/{guild_id}/channels",
        create_channel,
    ),
    bot(
        "get_active_guild_threads",
        "GET",
        "/guilds/{guild_id}/threads/active",
        threads,
    ),
    bot("list_guild_roles", "GET", "/guilds/{guild_id}/roles", roles),
    bot(
        "get_guild_role",
        "GET",
        "/guilds/{guild_id}/roles/{role_id}",
        role,
    ),
    paced(
        limits::MEMBERS,
        bot("list_guild_members", "GET", "/guilds/{guild_id}/members", members),
    ),
    paced(
        limits::MEMBERS,
        bot(
            "search_guild_members",
            "GET",
            "/guilds/{guild_id}/members/search",
            search,
        ),
    ),
    bot(
        "get_guild_member",
        "GET",
        "/guilds/{guild_id}/members/{user_id}",
        member,
    ),
    bot(
        "add_guild_member_role",
        "PUT",
        "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
        give_role,
    ),
    bot(
        "delete_guild_member_role",
        "DELETE",
        "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
        take_role,
    ),
];

/// The guild of a path, if the bot is in it.
pub fn there(state: &State, asked: &Asked) -> Result<()> {
    let known = asked.place("guild_id") == state.guild.id;
    match known && state.members.contains_key(&state.app.bot_user) {
        true => Ok(()),
        false => Err(UNKNOWN_GUILD.into()),
    }
}

fn guild(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let mut out = state.guild_json();
    if asked.query.get("with_counts").is_some_and(|with| with == "true") {
        out["approximate_member_count"] = json!(state.members.len());
        out["approximate_presence_count"] = json!(state.members.len());
    }
    Ok(out)
}

/// Every channel, seen by the bot or not: Discord lists them all here, without what stands in them.
fn channels(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let all = state
        .channels
        .values()
        .filter(|channel| channel.thread.is_none() && channel.recipient.is_none());
    Ok(all.map(|channel| state.channel_json(channel)).collect())
}

fn threads(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let open = |channel: &&Channel| channel.thread.as_ref().is_some_and(|thread| !thread.archived);
    let seen = state
        .channels
        .values()
        .filter(open)
        .filter(|thread| state.hears(&thread.id));
    let seen: Vec<Value> = seen.map(|thread| state.channel_json(thread)).collect();
    Ok(json!({ "threads": seen, "members": [], "has_more": false }))
}

fn create_channel(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let allowed = state.guild_permissions(&state.app.bot_user);
    let parent = asked.text("parent_id").map(str::to_owned);
    match &parent {
        // In a category it is the category that says who may.
        Some(parent) => drop(state.permitted(parent, MANAGE_CHANNELS)?),
        None if allowed & MANAGE_CHANNELS == 0 => return Err(MISSING_PERMISSIONS.into()),
        None => {}
    }
    let all = state
        .channels
        .values()
        .filter(|channel| channel.thread.is_none() && channel.recipient.is_none());
    if all.count() >= CHANNELS {
        return Err(TOO_MANY_CHANNELS.into());
    }
    fits(state, parent.as_deref())?;
    let kind = kind(&asked.body["type"])?;
    let overwrites = match &asked.body["permission_overwrites"] {
        Value::Null => None,
        given => Some(overwrites(state, given, allowed)?),
    };
    // Without overwrites of its own a channel has those of its category.
    let inherited = parent
        .as_ref()
        .and_then(|id| state.channels.get(id))
        .map(|above| above.overwrites.clone());
    let name = name(kind, asked.text("name").unwrap_or_default())?;
    let channel = state.add_channel(&name, kind);
    channel.parent = parent;
    channel.overwrites = overwrites.or(inherited).unwrap_or_default();
    let id = channel.id.clone();
    set(state, &id, &asked.body)?;
    state.channel_made(&id);
    Ok(state.channel_json(state.channel_of(&id)?))
}

fn kind(value: &Value) -> Result<ChannelKind> {
    ChannelKind::of(value.as_u64().unwrap_or(0))
        .filter(|kind| {
            !matches!(
                kind,
                ChannelKind::Direct | ChannelKind::PublicThread | ChannelKind::PrivateThread
            )
        })
        .ok_or_else(|| {
            wrong(
                "type",
                "BASE_TYPE_CHOICES",
                "This channel type is not taken here.",
            )
        })
}

/// Whether a category takes another channel.
pub fn fits(state: &State, parent: Option<&str>) -> Result<()> {
    let Some(parent) = parent else { return Ok(()) };
    let above = state
        .channels
        .get(parent)
        .filter(|above| above.kind == ChannelKind::Category);
    if above.is_none() {
        return Err(wrong(
            "parent_id",
            "CHANNEL_PARENT_INVALID",
            "Category does not exist",
        ));
    }
    let inside = state
        .channels
        .values()
        .filter(|channel| channel.parent.as_deref() == Some(parent));
    match inside.count() >= IN_CATEGORY {
        true => {
            let said = "Maximum number of channels in category reached (50)";
            Err(wrong("parent_id", "CHANNEL_PARENT_MAX_CHANNELS", said))
        }
        false => Ok(()),
    }
}

/// A name as Discord keeps it: small and with hyphens, where messages are written.
pub fn name(kind: ChannelKind, name: &str) -> Result<String> {
    let length = name.chars().count();
    if !(1..=100).contains(&length) {
        return Err(wrong(
            "name",
            "BASE_TYPE_BAD_LENGTH",
            "Must be between 1 and 100 in length.",
        ));
    }
    if !kind.slugged() {
        return Ok(name.to_owned());
    }
    let mut out = String::new();
    for c in name.to_lowercase().chars() {
        let c = if c.is_whitespace() { '-' } else { c };
        let kept = c.is_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii();
        if kept && !(c == '-' && out.ends_with('-')) {
            out.push(c);
        }
    }
    match out.is_empty() {
        true => Err(wrong(
            "name",
            "CHANNEL_NAME_INVALID",
            "This name has no letter that a channel can have.",
        )),
        false => Ok(out),
    }
}

/// Overwrites as they come. Only what the bot may do itself can be given or taken, and nobody but an administrator
/// gives MANAGE_ROLES in a channel.
pub fn overwrites(state: &State, given: &Value, allowed: u64) -> Result<Vec<Overwrite>> {
    let list = given.as_array().into_iter().flatten().enumerate();
    let mut out: Vec<Overwrite> = Vec::new();
    for (at, one) in list {
        let overwrite = overwrite(state, one, allowed, &format!("permission_overwrites.{at}"))?;
        out.retain(|known| known.id != overwrite.id);
        out.push(overwrite);
    }
    Ok(out)
}

pub fn overwrite(state: &State, one: &Value, allowed: u64, at: &str) -> Result<Overwrite> {
    let bits = |key: &str| render::plain(&one[key]).parse::<u64>().unwrap_or(0);
    let overwrite = Overwrite {
        id: render::plain(&one["id"]),
        member: one["type"] == 1,
        allow: bits("allow"),
        deny: bits("deny"),
    };
    let known = match overwrite.member {
        true => state.users.contains_key(&overwrite.id),
        false => state.roles.contains_key(&overwrite.id),
    };
    if !known {
        let said = "There is no such role or member";
        return Err(wrong(
            &format!("{at}.id"),
            "CHANNEL_OVERWRITE_TARGET_INVALID",
            said,
        ));
    }
    let touched = overwrite.allow | overwrite.deny;
    let own = allowed & ADMINISTRATOR != 0;
    if !own && (touched & !allowed != 0 || touched & MANAGE_ROLES != 0) {
        return Err(MISSING_PERMISSIONS.into());
    }
    Ok(overwrite)
}

/// What can be set on a new channel and on an old one.
pub fn set(state: &mut State, id: &str, body: &Value) -> Result<()> {
    let mut extra = Map::new();
    for key in [
        "bitrate",
        "user_limit",
        "default_auto_archive_duration",
        "available_tags",
    ] {
        if !body[key].is_null() {
            extra.insert(key.to_owned(), body[key].clone());
        }
    }
    let channel = state.channel_mut(id)?;
    if let Some(topic) = body.get("topic") {
        let most = if channel.kind == ChannelKind::Forum {
            4096
        } else {
            1024
        };
        if topic.as_str().is_some_and(|topic| topic.chars().count() > most) {
            let said = format!("Must be {most} or fewer in length.");
            return Err(wrong("topic", "BASE_TYPE_MAX_LENGTH", &said));
        }
        channel.topic = topic
            .as_str()
            .filter(|topic| !topic.is_empty())
            .map(str::to_owned);
    }
    if let Some(nsfw) = body["nsfw"].as_bool() {
        channel.nsfw = nsfw;
    }
    if let Some(position) = body["position"].as_u64() {
        channel.position = position;
    }
    if let Some(slow) = body["rate_limit_per_user"].as_u64() {
        channel.slowmode = slow;
    }
    channel.extra.extend(extra);
    Ok(())
}

fn roles(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    Ok(state.roles.values().map(shown::role).collect())
}

fn role(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let role = state.roles.get(asked.place("role_id")).ok_or(UNKNOWN_ROLE)?;
    Ok(shown::role(role))
}

fn member(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let member = state.members.get(asked.place("user_id")).ok_or(UNKNOWN_MEMBER)?;
    Ok(state.member_json(member))
}

/// All members, by id. Only for an app that has the members' intent switched on.
fn members(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    if state.app.privileged & GUILD_MEMBERS == 0 {
        return Err(crate::discord::fail::MISSING_ACCESS.into());
    }
    let limit = asked.number("limit", 1, PAGE)?;
    let after = asked.query.get("after").map_or("", String::as_str);
    let page = state
        .members
        .values()
        .filter(|member| member.user.as_str() > after)
        .take(limit);
    Ok(page.map(|member| state.member_json(member)).collect())
}

fn search(state: &mut State, asked: &Asked) -> Result<Value> {
    there(state, asked)?;
    let limit = asked.number("limit", 1, PAGE)?;
    let query = asked.query.get("query").map_or("", String::as_str).to_lowercase();
    let found = state.members.values().filter(|member| {
        let user = state.users.get(&member.user);
        let names = [
            user.map(|user| &user.name),
            member.nick.as_ref(),
            user.and_then(|user| user.global_name.as_ref()),
        ];
        names
            .into_iter()
            .flatten()
            .any(|name| name.to_lowercase().starts_with(&query))
    });
    Ok(found
        .take(limit)
        .map(|member| state.member_json(member))
        .collect())
}

fn give_role(state: &mut State, asked: &Asked) -> Result<Value> {
    change_role(state, asked, true)
}

fn take_role(state: &mut State, asked: &Asked) -> Result<Value> {
    change_role(state, asked, false)
}

fn change_role(state: &mut State, asked: &Asked, given: bool) -> Result<Value> {
    there(state, asked)?;
    if state.guild_permissions(&state.app.bot_user) & MANAGE_ROLES == 0 {
        return Err(MISSING_PERMISSIONS.into());
    }
    let role = asked.place("role_id").to_owned();
    if !state.roles.contains_key(&role) {
        return Err(UNKNOWN_ROLE.into());
    }
    let user = asked.place("user_id").to_owned();
    let member = state.members.get_mut(&user).ok_or(UNKNOWN_MEMBER)?;
    if given {
        member.roles.insert(role);
    } else {
        member.roles.remove(&role);
    }
    state.member_event("GUILD_MEMBER_UPDATE", &user);
    Ok(Value::Null)
}
