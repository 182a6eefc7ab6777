//! People and their groups.

use serde_json::{Value, json};

use super::{conversations, cursor_json, page};
use crate::slack::args::Args;
use crate::slack::fail::{Result, fail};
use crate::slack::model::{Group, Kind, User};
use crate::slack::state::State;

const USUAL_PAGE: usize = 100;

fn profile_of(state: &State, user: &User) -> Value {
    let mut profile = json!({
        "title": "", "phone": "", "skype": "", "real_name": user.name, "real_name_normalized": user.name,
        "display_name": user.name, "display_name_normalized": user.name, "status_text": "", "status_emoji": "",
        "status_expiration": 0, "avatar_hash": "g0", "team": user.team, "image_48": "https://a.slack-edge.com/48.png",
    });
    if user.kind != Kind::Bot && state.app.scopes.contains("users:read.email") {
        profile["email"] = json!(user.email);
    }
    if let Some(bot) = &user.bot_id {
        profile["bot_id"] = json!(bot);
        profile["api_app_id"] = json!(state.app.id);
    }
    profile
}

impl State {
    pub(in crate::slack) fn user_json(&self, user: &User) -> Value {
        let mut shown = json!({
            "id": user.id, "team_id": user.team, "name": user.name, "deleted": user.deleted,
            "profile": profile_of(self, user), "is_bot": user.kind == Kind::Bot, "is_app_user": false,
            "updated": self.seconds(),
        });
        if !user.deleted {
            let fields = json!({
                "color": "9f69e7", "real_name": user.name, "tz": user.tz, "tz_label": user.tz, "tz_offset": 3600,
                "is_admin": user.admin, "is_owner": false, "is_primary_owner": false,
                "is_restricted": matches!(user.kind, Kind::Guest | Kind::SingleChannelGuest),
                "is_ultra_restricted": user.kind == Kind::SingleChannelGuest,
                "is_email_confirmed": true, "who_can_share_contact_card": "EVERYONE",
            });
            if let (Some(shown), Some(fields)) = (shown.as_object_mut(), fields.as_object()) {
                shown.extend(fields.clone());
            }
        }
        if user.kind == Kind::Stranger {
            shown["is_stranger"] = json!(true);
        }
        shown
    }
}

pub fn info(state: &mut State, args: &Args) -> Result<Value> {
    let user = state.person(args.need("user")?)?;
    Ok(json!({ "user": state.user_json(user) }))
}

pub fn list(state: &mut State, args: &Args) -> Result<Value> {
    let of_this_team = |user: &&User| user.kind != Kind::Stranger;
    let all: Vec<&User> = state.users.values().filter(of_this_team).collect();
    let (users, cursor) = page(&all, args, USUAL_PAGE)?;
    let members: Vec<Value> = users.into_iter().map(|user| state.user_json(user)).collect();
    Ok(json!({
        "members": members, "cache_ts": state.seconds(), "response_metadata": cursor_json(&cursor),
    }))
}

pub fn by_email(state: &mut State, args: &Args) -> Result<Value> {
    let email = args.need("email")?;
    let found = state.users.values().find(|user| {
        user.email == email && !user.deleted && !matches!(user.kind, Kind::Bot | Kind::Stranger)
    });
    let user = found.ok_or_else(|| fail("users_not_found"))?;
    Ok(json!({ "user": state.user_json(user) }))
}

pub fn profile(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.text("user").unwrap_or(&state.app.bot_user).to_owned();
    let user = state.person(&id)?;
    Ok(json!({ "profile": profile_of(state, user) }))
}

pub fn conversations(state: &mut State, args: &Args) -> Result<Value> {
    let user = args.text("user").unwrap_or(&state.app.bot_user).to_owned();
    let mut all = conversations::wanted(state, args)?;
    all.retain(|id| {
        state
            .channels
            .get(id)
            .is_some_and(|channel| channel.members.contains(&user))
    });
    let (ids, cursor) = page(&all, args, USUAL_PAGE)?;
    let channels = ids.iter().filter_map(|id| state.channels.get(id));
    let channels: Vec<Value> = channels.map(|c| conversations::shown(state, c, false)).collect();
    Ok(json!({ "channels": channels, "response_metadata": cursor_json(&cursor) }))
}

impl State {
    pub(in crate::slack) fn group_json(&self, group: &Group, users: bool, count: bool) -> Value {
        let mut shown = json!({
            "id": group.id, "team_id": self.team, "is_usergroup": true, "is_subteam": true, "name": group.handle,
            "description": "", "handle": group.handle, "is_external": false, "date_create": 1, "date_update": 1,
            "date_delete": if group.disabled { self.seconds() } else { 0 }, "auto_type": null,
            "created_by": "U0ADMIN001", "updated_by": "U0ADMIN001", "deleted_by": null,
            "prefs": { "channels": [], "groups": [] },
        });
        if users {
            shown["users"] = json!(group.members);
        }
        if users || count {
            shown["user_count"] = json!(group.members.len());
        }
        shown
    }
}

pub fn groups(state: &mut State, args: &Args) -> Result<Value> {
    let (users, count) = (args.flag("include_users"), args.flag("include_count"));
    let shown = state
        .groups
        .values()
        .filter(|group| args.flag("include_disabled") || !group.disabled)
        .map(|group| state.group_json(group, users && group.readable, count));
    Ok(json!({ "usergroups": shown.collect::<Vec<_>>() }))
}

pub fn group_members(state: &mut State, args: &Args) -> Result<Value> {
    let group = state
        .groups
        .get(args.need("usergroup")?)
        .ok_or_else(|| fail("no_such_subteam"))?;
    if !group.readable {
        return Err(fail("permission_denied"));
    }
    if group.disabled && !args.flag("include_disabled") {
        return Err(fail("subteam_disabled"));
    }
    Ok(json!({ "users": group.members }))
}
