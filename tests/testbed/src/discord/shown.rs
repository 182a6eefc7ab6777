//! Things as the API and the events show them.

use std::time::Duration;

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::model::{Channel, ChannelKind, Command, Member, Message, Role, SAID, User};
use super::render;
use super::state::State;

/// A moment as Discord writes it.
pub fn stamp(at: Duration) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    let moment = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    moment.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

pub fn user(user: &User) -> Value {
    json!({
        "id": user.id, "username": user.name, "discriminator": "0", "global_name": user.global_name,
        "avatar": null, "avatar_decoration_data": null, "collectibles": null, "primary_guild": null,
        "bot": user.bot, "system": false, "banner": null, "accent_color": null, "public_flags": 0, "flags": 0,
    })
}

pub fn role(role: &Role) -> Value {
    json!({
        "id": role.id, "name": role.name, "permissions": role.permissions.to_string(), "position": role.position,
        "color": 0, "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
        "hoist": false, "managed": role.managed, "mentionable": role.mentionable, "icon": null,
        "unicode_emoji": null, "description": null, "flags": 0,
    })
}

/// Flag of a member who is a guest.
const IS_GUEST: u64 = 1 << 4;

impl State {
    pub(super) fn user_json(&self, id: &str) -> Value {
        match self.users.get(id) {
            Some(known) => user(known),
            None => json!({ "id": id, "username": "Deleted User", "discriminator": "0", "global_name": null,
                "avatar": null, "public_flags": 0, "flags": 0, "primary_guild": null }),
        }
    }

    /// A member without the user: as it stands beside an author.
    fn membership(&self, member: &Member) -> Value {
        json!({
            "nick": member.nick, "roles": member.roles, "joined_at": stamp(member.joined_at), "avatar": null,
            "banner": null, "deaf": false, "mute": false, "pending": false, "flags": if member.guest { IS_GUEST } else { 0 }, "premium_since": null,
            "communication_disabled_until": null,
        })
    }

    pub(super) fn member_json(&self, member: &Member) -> Value {
        let mut out = self.membership(member);
        out["user"] = self.user_json(&member.user);
        out
    }

    pub(super) fn channel_json(&self, channel: &Channel) -> Value {
        let last = channel
            .messages
            .values()
            .rfind(|message| message.only_for.is_none());
        let mut out = json!({
            "id": channel.id, "type": channel.kind as u64, "flags": 0,
            "last_message_id": last.map(|message| &message.id),
            "last_pin_timestamp": channel.pins.first().map(|pin| stamp(pin.at)),
        });
        if let Some(recipient) = &channel.recipient {
            out["recipients"] = json!([self.user_json(recipient)]);
            return out;
        }
        let overwrites = channel.overwrites.iter().map(|one| {
            json!({ "id": one.id, "type": u8::from(one.member), "allow": one.allow.to_string(), "deny": one.deny.to_string() })
        });
        out["guild_id"] = json!(self.guild.id);
        out["name"] = json!(channel.name);
        out["parent_id"] = json!(channel.parent);
        out["rate_limit_per_user"] = json!(channel.slowmode);
        if let Some(thread) = &channel.thread {
            let said = channel
                .messages
                .values()
                .filter(|message| !message.is_system())
                .count();
            out["owner_id"] = json!(thread.owner);
            out["member_count"] = json!(thread.members.len());
            out["message_count"] = json!(said);
            out["total_message_sent"] = json!(said);
            out["thread_metadata"] = json!({
                "archived": thread.archived, "locked": thread.locked, "invitable": true,
                "auto_archive_duration": thread.auto_archive, "archive_timestamp": stamp(thread.since),
                "create_timestamp": stamp(thread.since),
            });
            return out;
        }
        out["topic"] = json!(channel.topic);
        out["position"] = json!(channel.position);
        out["nsfw"] = json!(channel.nsfw);
        out["permission_overwrites"] = overwrites.collect();
        for (key, value) in &channel.extra {
            out[key] = value.clone();
        }
        out
    }

    /// A channel as it stands beside an interaction.
    pub(super) fn partial_channel(&self, channel: &Channel, permissions: u64) -> Value {
        let whole = self.channel_json(channel);
        let mut out = json!({ "permissions": permissions.to_string() });
        for key in [
            "id",
            "name",
            "type",
            "parent_id",
            "topic",
            "position",
            "guild_id",
            "nsfw",
            "thread_metadata",
        ] {
            if !whole[key].is_null() {
                out[key] = whole[key].clone();
            }
        }
        out
    }

    pub(super) fn attachment_json(&self, id: &str) -> Option<Value> {
        let attachment = self.attachments.get(id)?;
        let url = format!("http://{}/attachments/{id}/{}", self.address, attachment.filename);
        let mut out = json!({
            "id": id, "filename": attachment.filename, "size": attachment.bytes.len(), "url": url, "proxy_url": url,
            "content_type": attachment.content_type,
        });
        if let Some(description) = &attachment.description {
            out["description"] = json!(description);
        }
        Some(out)
    }

    /// A message as the API shows it.
    pub(super) fn message_json(&self, message: &Message) -> Value {
        let mut out = self.bare_message(message);
        if let Some(reference) = &message.reference {
            let guild = self
                .channels
                .get(&message.channel)
                .filter(|channel| channel.recipient.is_none());
            out["message_reference"] =
                json!({ "type": 0, "channel_id": message.channel, "message_id": reference });
            if guild.is_some() {
                out["message_reference"]["guild_id"] = json!(self.guild.id);
            }
            let there = self.message(&message.channel, reference).ok();
            out["referenced_message"] = there.map_or(Value::Null, |there| self.bare_message(there));
        }
        out
    }

    fn bare_message(&self, message: &Message) -> Value {
        let attachments = message
            .attachments
            .iter()
            .filter_map(|id| self.attachment_json(id));
        let mut out = json!({
            "id": message.id, "channel_id": message.channel, "author": self.user_json(&message.author),
            "content": message.content, "timestamp": stamp(message.at),
            "edited_timestamp": message.edited.map(stamp), "tts": false,
            "mention_everyone": message.mention_everyone, "mention_roles": message.mention_roles,
            "mentions": message.mentions.iter().map(|id| self.user_json(id)).collect::<Vec<_>>(),
            "attachments": attachments.collect::<Vec<_>>(), "embeds": message.embeds,
            "components": message.components, "pinned": self.is_pinned(message), "type": message.kind,
            "flags": message.flags,
        });
        if !message.reactions.is_empty() {
            out["reactions"] = message
                .reactions
                .iter()
                .map(|reaction| {
                    let count = reaction.users.len();
                    json!({
                        "emoji": emoji_json(&reaction.emoji), "count": count,
                        "count_details": { "normal": count, "burst": 0 }, "burst_colors": [],
                        "me": reaction.users.contains(&self.app.bot_user), "me_burst": false,
                    })
                })
                .collect();
        }
        if let Some(interaction) = &message.interaction {
            out["interaction_metadata"] = interaction.clone();
        }
        if message.author == self.app.bot_user && message.kind != SAID {
            out["application_id"] = json!(self.app.id);
        }
        if message.interaction.is_some() {
            out["webhook_id"] = json!(self.app.id);
        }
        if let Some(thread) = self.channels.get(&message.id) {
            out["thread"] = self.channel_json(thread);
        }
        out
    }

    pub(super) fn is_pinned(&self, message: &Message) -> bool {
        let channel = self.channels.get(&message.channel);
        channel.is_some_and(|channel| channel.pins.iter().any(|pin| pin.message == message.id))
    }

    pub(super) fn command_json(&self, command: &Command) -> Value {
        let mut out = json!({
            "id": command.id, "application_id": self.app.id, "version": command.version, "type": command.kind(),
            "default_member_permissions": null, "name_localizations": null, "description": "",
            "description_localizations": null, "nsfw": false,
            "contexts": null, "integration_types": [0],
        });
        for (key, value) in command.body.as_object().into_iter().flatten() {
            out[key] = value.clone();
        }
        if let Some(options) = out["options"].as_array_mut() {
            options.iter_mut().for_each(without_unset);
        }
        if out["options"].as_array().is_none_or(Vec::is_empty) {
            out.as_object_mut().map(|out| out.remove("options"));
        }
        if !out["default_member_permissions"].is_null() {
            out["default_member_permissions"] = json!(render::plain(&out["default_member_permissions"]));
        }
        if command.guild {
            out["guild_id"] = json!(self.guild.id);
        } else {
            out["dm_permission"] = json!(command.body["dm_permission"].as_bool().unwrap_or(true));
        }
        out
    }

    pub(super) fn guild_json(&self) -> Value {
        json!({
            "id": self.guild.id, "name": self.guild.name, "owner_id": self.guild.owner, "icon": null, "splash": null,
            "discovery_splash": null, "home_header": null, "banner": null, "description": null, "region": "europe",
            "afk_channel_id": null, "afk_timeout": 300, "system_channel_id": null, "system_channel_flags": 0,
            "widget_enabled": false, "widget_channel_id": null, "verification_level": 1,
            "default_message_notifications": 1, "mfa_level": 0, "explicit_content_filter": 0,
            "roles": self.roles.values().map(role).collect::<Vec<_>>(), "emojis": [], "stickers": [], "features": [],
            "application_id": null, "rules_channel_id": null, "public_updates_channel_id": null,
            "safety_alerts_channel_id": null, "max_presences": null, "max_members": 500_000,
            "max_video_channel_users": 25, "max_stage_video_channel_users": 50, "vanity_url_code": null,
            "premium_tier": 0, "premium_subscription_count": 0, "premium_progress_bar_enabled": false,
            "preferred_locale": "en-US", "nsfw": false, "nsfw_level": 0,
        })
    }

    /// The guild as the gateway shows it first.
    pub(super) fn guild_create(&self, members: bool) -> Value {
        let mut out = self.guild_json();
        let shown = self
            .members
            .values()
            .filter(|member| members || member.user == self.app.bot_user);
        let (threads, channels): (Vec<&Channel>, Vec<&Channel>) = self
            .channels
            .values()
            .filter(|channel| channel.kind != ChannelKind::Direct && self.hears(&channel.id))
            .partition(|channel| channel.thread.is_some());
        let extra = json!({
            "joined_at": stamp(self.now), "large": false, "unavailable": false, "member_count": self.members.len(),
            "members": shown.map(|member| self.member_json(member)).collect::<Vec<_>>(),
            "channels": channels.into_iter().map(|channel| self.channel_json(channel)).collect::<Vec<_>>(),
            "threads": threads.into_iter().map(|thread| self.channel_json(thread)).collect::<Vec<_>>(),
            "voice_states": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "soundboard_sounds": [],
        });
        merge(&mut out, extra);
        out
    }

    pub(super) fn application_json(&self) -> Value {
        let mut out = json!({
            "id": self.app.id, "name": self.app.name, "icon": null, "description": "Keeps a response in order.",
            "summary": "", "type": null, "bot": self.user_json(&self.app.bot_user), "bot_public": true,
            "bot_require_code_grant": false, "verify_key": self.app.public_key, "flags": self.app_flags(),
            "owner": self.user_json(&self.guild.owner), "team": null, "redirect_uris": [],
            "interactions_endpoint_url": self.app.interactions_url, "role_connections_verification_url": null,
            "approximate_guild_count": 1, "approximate_user_install_count": 0, "event_webhooks_status": 1,
            "integration_types_config": { "0": {} }, "explicit_content_filter": 0, "max_participants": null,
        });
        let more = json!({
            "is_verified": false, "is_discoverable": false, "is_monetized": false, "storefront_available": false,
            "hook": true, "internal_guild_restriction": 1, "rpc_application_state": 0, "store_application_state": 1,
            "verification_state": 1, "integration_public": true, "integration_require_code_grant": false,
            "discoverability_state": 1, "discovery_eligibility_flags": 0, "monetization_state": 1,
            "monetization_eligibility_flags": 0, "creator_monetization_state": 1, "tags": [],
            "flags_new": self.app_flags().to_string(), "approximate_user_authorization_count": 0,
            "eligible_oauth2_scopes": ["bot", "applications.commands"],
        });
        merge(&mut out, more);
        out
    }

    /// What the developer portal's switches look like from outside: presences, members, content, each limited as for
    /// an app in fewer than a hundred guilds.
    fn app_flags(&self) -> u64 {
        use super::state::{GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT};
        [
            (GUILD_PRESENCES, 1 << 13),
            (GUILD_MEMBERS, 1 << 15),
            (MESSAGE_CONTENT, 1 << 19),
        ]
        .into_iter()
        .filter(|(intent, _)| self.app.privileged & intent != 0)
        .fold(0, |flags, (_, flag)| flags | flag)
    }
}

/// An option as it comes back: what was not set is not there.
fn without_unset(option: &mut Value) {
    let Some(fields) = option.as_object_mut() else {
        return;
    };
    fields.retain(|_, value| !value.is_null() && !value.as_array().is_some_and(Vec::is_empty));
    if let Some(Value::Array(inner)) = fields.get_mut("options") {
        inner.iter_mut().for_each(without_unset);
    }
}

/// An emoji as it stands in a reaction: `name:id` is a guild's own.
pub fn emoji_json(emoji: &str) -> Value {
    match emoji.split_once(':') {
        Some((name, id)) => json!({ "id": id, "name": name, "animated": false }),
        None => json!({ "id": null, "name": emoji }),
    }
}

pub fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend::<Map<String, Value>>(more);
    }
}
