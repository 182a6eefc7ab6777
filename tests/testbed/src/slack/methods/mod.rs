//! The Web API's methods: what each is called, how often, with which scopes and arguments.

mod auth;
mod bookmarks;
mod chat;
mod conversations;
mod files;
mod history;
mod marks;
mod members;
mod users;
mod views;

pub(super) use chat::answer_url;
pub(super) use files::{download, upload};

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::args::Args;
use super::fail::Result;
use super::limits::Tier;
use super::state::State;

/// Which token a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Bot,
    App,
    None,
}

pub struct Method {
    pub name: &'static str,
    pub tier: Tier,
    pub token: Token,
    /// One of these is needed; where it depends on the kind of channel, the method looks closer.
    pub scopes: &'static [&'static str],
    /// Every argument it knows, the token apart. Any other is a violation.
    pub args: &'static [&'static str],
    pub call: fn(&mut State, &Args) -> Result<Value>,
}

/// Arguments that Slack's own libraries give to every method, needed or not.
pub const ANYWHERE: &[&str] = &["team_id"];

/// Methods that do not read JSON bodies, as callers found out on the real thing.
const FORM_ONLY: &[&str] = &["files.getUploadURLExternal", "users.lookupByEmail"];

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
const MANAGE: &[&str] = &["channels:manage", "groups:write", "im:write", "mpim:write"];
const TOPIC: &[&str] = &[
    "channels:manage",
    "groups:write",
    "im:write",
    "mpim:write",
    "channels:write.topic",
    "groups:write.topic",
];
const INVITE: &[&str] = &[
    "channels:manage",
    "groups:write",
    "im:write",
    "mpim:write",
    "channels:write.invites",
    "groups:write.invites",
];

const MESSAGE_ARGS: &[&str] = &[
    "channel",
    "text",
    "blocks",
    "attachments",
    "thread_ts",
    "reply_broadcast",
    "metadata",
    "mrkdwn",
    "parse",
    "link_names",
    "unfurl_links",
    "unfurl_media",
    "username",
    "icon_emoji",
    "icon_url",
    "as_user",
    "markdown_text",
];
const UPDATE_ARGS: &[&str] = &[
    "channel",
    "ts",
    "text",
    "blocks",
    "attachments",
    "metadata",
    "parse",
    "link_names",
    "as_user",
    "file_ids",
    "reply_broadcast",
    "markdown_text",
    "unfurl_links",
    "unfurl_media",
];
const EPHEMERAL_ARGS: &[&str] = &[
    "channel",
    "user",
    "text",
    "blocks",
    "attachments",
    "thread_ts",
    "parse",
    "link_names",
    "username",
    "icon_emoji",
    "icon_url",
    "as_user",
    "markdown_text",
];
const HISTORY_ARGS: &[&str] = &[
    "channel",
    "ts",
    "cursor",
    "limit",
    "oldest",
    "latest",
    "inclusive",
    "include_all_metadata",
];

macro_rules! methods {
    ($($name:literal $tier:ident $token:ident $scopes:expr, $args:expr => $call:path;)*) => {
        &[$(Method {
            name: $name, tier: Tier::$tier, token: Token::$token, scopes: $scopes, args: $args, call: $call,
        }),*]
    };
}

#[rustfmt::skip]
const METHODS: &[Method] = methods! {
    "api.test" Four None &[], &["error", "foo"] => auth::api_test;
    "auth.test" Hundreds Bot &[], &[] => auth::test;
    "apps.connections.open" One App &["connections:write"], &[] => auth::connections_open;
    "bots.info" Three Bot &["users:read"], &["bot"] => auth::bot;
    "team.info" Three Bot &["team:read"], &["team", "domain"] => auth::team;
    "bookmarks.add" Two Bot &["bookmarks:write"],
        &["channel_id", "title", "type", "link", "emoji", "entity_id", "parent_id", "access_level"] => bookmarks::add;
    "bookmarks.edit" Two Bot &["bookmarks:write"],
        &["channel_id", "bookmark_id", "title", "link", "emoji"] => bookmarks::edit;
    "bookmarks.list" Three Bot &["bookmarks:read"], &["channel_id"] => bookmarks::list;
    "bookmarks.remove" Two Bot &["bookmarks:write"], &["channel_id", "bookmark_id", "quip_section_id"] => bookmarks::remove;
    "chat.postMessage" Posting Bot &["chat:write"], MESSAGE_ARGS => chat::post;
    "chat.postEphemeral" Four Bot &["chat:write"], EPHEMERAL_ARGS => chat::ephemeral;
    "chat.update" Three Bot &["chat:write"], UPDATE_ARGS => chat::update;
    "chat.delete" Three Bot &["chat:write"], &["channel", "ts", "as_user"] => chat::delete;
    "chat.getPermalink" Free Bot &[], &["channel", "message_ts"] => chat::permalink;
    "conversations.create" Two Bot MANAGE, &["name", "is_private"] => conversations::create;
    "conversations.info" Three Bot READ, &["channel", "include_locale", "include_num_members"] => conversations::info;
    "conversations.list" Two Bot READ,
        &["types", "exclude_archived", "cursor", "limit"] => conversations::list;
    "conversations.rename" Two Bot MANAGE, &["channel", "name"] => conversations::rename;
    "conversations.archive" Two Bot MANAGE, &["channel"] => conversations::archive;
    "conversations.unarchive" Two Bot MANAGE, &["channel"] => conversations::unarchive;
    "conversations.setTopic" Two Bot TOPIC, &["channel", "topic"] => conversations::set_topic;
    "conversations.setPurpose" Two Bot TOPIC, &["channel", "purpose"] => conversations::set_purpose;
    "conversations.open" Three Bot &["im:write", "mpim:write", "channels:manage", "groups:write"],
        &["channel", "users", "return_im", "prevent_creation"] => conversations::open;
    "conversations.history" Three Bot HISTORY, HISTORY_ARGS => history::history;
    "conversations.replies" Three Bot HISTORY, HISTORY_ARGS => history::replies;
    "conversations.members" Four Bot READ, &["channel", "cursor", "limit"] => members::members;
    "conversations.invite" Three Bot INVITE, &["channel", "users", "force"] => members::invite;
    "conversations.join" Three Bot &["channels:join"], &["channel"] => members::join;
    "conversations.leave" Three Bot MANAGE, &["channel"] => members::leave;
    "conversations.kick" Three Bot MANAGE, &["channel", "user"] => members::kick;
    "files.getUploadURLExternal" Four Bot &["files:write"],
        &["filename", "length", "alt_txt", "alt_text", "snippet_type"] => files::upload_url;
    "files.completeUploadExternal" Four Bot &["files:write"],
        &["files", "channel_id", "channels", "thread_ts", "initial_comment", "blocks"] => files::complete;
    "files.info" Four Bot &["files:read"], &["file", "cursor", "limit", "count", "page"] => files::info;
    "files.list" Three Bot &["files:read"],
        &["channel", "user", "types", "ts_from", "ts_to", "count", "page"] => files::list;
    "files.delete" Three Bot &["files:write"], &["file"] => files::delete;
    "pins.add" Two Bot &["pins:write"], &["channel", "timestamp"] => marks::pin;
    "pins.remove" Two Bot &["pins:write"], &["channel", "timestamp"] => marks::unpin;
    "pins.list" Two Bot &["pins:read"], &["channel"] => marks::pins;
    "reactions.add" Three Bot &["reactions:write"], &["channel", "timestamp", "name"] => marks::react;
    "reactions.remove" Two Bot &["reactions:write"], &["channel", "timestamp", "name", "file"] => marks::unreact;
    "reactions.get" Three Bot &["reactions:read"], &["channel", "timestamp", "full", "file"] => marks::reactions;
    "users.info" Four Bot &["users:read"], &["user", "include_locale"] => users::info;
    "users.list" Two Bot &["users:read"], &["cursor", "limit", "include_locale"] => users::list;
    "users.lookupByEmail" Three Bot &["users:read.email"], &["email"] => users::by_email;
    "users.profile.get" Four Bot &["users.profile:read"], &["user", "include_labels"] => users::profile;
    "users.conversations" Three Bot READ,
        &["user", "types", "exclude_archived", "cursor", "limit"] => users::conversations;
    "usergroups.list" Two Bot &["usergroups:read"],
        &["include_count", "include_disabled", "include_users"] => users::groups;
    "usergroups.users.list" Two Bot &["usergroups:read"],
        &["usergroup", "include_disabled"] => users::group_members;
    "views.open" Four Bot &[], &["trigger_id", "interactivity_pointer", "view"] => views::open;
    "views.push" Four Bot &[], &["trigger_id", "interactivity_pointer", "view"] => views::push;
    "views.update" Four Bot &[], &["view_id", "external_id", "hash", "view"] => views::update;
    "views.publish" Four Bot &[], &["user_id", "hash", "view"] => views::publish;
};

pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

pub fn form_only(name: &str) -> bool {
    FORM_ONLY.contains(&name)
}

/// All scopes that any method asks of the bot, and those of events and commands: an app that may do everything.
pub fn every_scope() -> BTreeSet<String> {
    let of_the_bot = METHODS.iter().filter(|method| method.token == Token::Bot);
    let asked = of_the_bot.flat_map(|method| method.scopes);
    let more = [
        "commands",
        "app_mentions:read",
        "chat:write.public",
        "chat:write.customize",
    ];
    asked.chain(&more).map(|scope| (*scope).to_owned()).collect()
}

/// A page of a list. The cursor is the place of the next item, dressed as Slack dresses it.
fn page<T: Clone>(all: &[T], args: &Args, usual: usize) -> Result<(Vec<T>, String)> {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let start = match args.text("cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => base64
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("next:").and_then(|at| at.parse::<usize>().ok()))
            .ok_or_else(|| super::fail::fail("invalid_cursor"))?,
    };
    let limit = args.number("limit").map_or(usual, |n| n.clamp(1, 1000) as usize);
    let items: Vec<T> = all.iter().skip(start).take(limit).cloned().collect();
    let next = start + items.len();
    let cursor = if next < all.len() {
        base64.encode(format!("next:{next}"))
    } else {
        String::new()
    };
    Ok((items, cursor))
}

fn cursor_json(cursor: &str) -> Value {
    json!({ "next_cursor": cursor })
}
