//! The app as Slack creates it: what it may do, what it hears, what people can type and click. Pure.

use serde_json::{Value, json};

use super::incoming::{SHORTCUT_OPEN, SHORTCUTS};

/// What the bot may do, and for what. No wider than needed, and no user's token.
pub const SCOPES: &[(&str, &str)] = &[
    (
        "app_mentions:read",
        "commands by mention, where Slack allows no slash command",
    ),
    (
        "bookmarks:read",
        "not linking the post-mortem twice after a crash",
    ),
    (
        "bookmarks:write",
        "the page and the post-mortem at the top of a room",
    ),
    (
        "channels:history",
        "what was said in a room, also while the bot was away",
    ),
    ("channels:manage", "opening, naming and archiving rooms"),
    ("channels:read", "finding a room that a crash left half made"),
    ("chat:write", "cards, prompts and answers"),
    (
        "chat:write.public",
        "a prompt where an incident was opened, before its room is there",
    ),
    ("commands", "the slash command and the shortcuts"),
    (
        "files:read",
        "keeping files that were put on the timeline as evidence",
    ),
    ("files:write", "the post-mortem as a file"),
    ("groups:history", "the same for private incidents"),
    ("groups:read", "the same for private incidents"),
    ("groups:write", "the same for private incidents"),
    ("im:history", "not telling somebody the same thing twice"),
    ("im:write", "telling somebody directly that they are paged"),
    ("pins:write", "the card on top"),
    ("reactions:read", "marking messages for the timeline"),
    ("usergroups:read", "user groups that say who may approve and lead"),
    ("users:read", "telling members from guests"),
];

/// What the bot hears.
pub const EVENTS: &[&str] = &[
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
    "user_change",
];

/// Slack's limits for a command's description and its hint.
const DESCRIPTION_MAX: usize = 2000;
const HINT_MAX: usize = 1000;

/// What the manifest is made of.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Name of the slash command, without the slash.
    pub command: &'a str,
    pub description: &'a str,
    /// What can follow the command.
    pub hint: &'a str,
    /// Where Slack reaches the bot; `None` for Socket Mode.
    pub address: Option<&'a str>,
}

/// The manifest, for "Create New App, From a manifest".
pub fn manifest(wanted: &Wanted<'_>) -> Value {
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let shortcuts = SHORTCUTS.iter().map(|(callback, label, _)| {
        json!({ "name": label, "type": "message", "callback_id": callback, "description": label })
    });
    let open = json!({
        "name": "Open an incident",
        "type": "global",
        "callback_id": SHORTCUT_OPEN,
        "description": "Open an incident from anywhere",
    });
    let shortcuts: Vec<Value> = std::iter::once(open).chain(shortcuts).collect();
    let scopes: Vec<&str> = SCOPES.iter().map(|(scope, _)| *scope).collect();
    let mut manifest = json!({
        "display_information": {
            "name": "Orderly",
            "description": "Incident response in order: confirm, contain, triage, decide, recover, learn.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": true,
                "messages_tab_enabled": true,
                // The bot speaks there; it is spoken to by commands.
                "messages_tab_read_only_enabled": true,
            },
            "bot_user": { "display_name": "orderly", "always_online": true },
            "shortcuts": shortcuts,
            "slash_commands": [{
                "command": format!("/{}", wanted.command),
                "description": short(wanted.description, DESCRIPTION_MAX),
                "usage_hint": short(wanted.hint, HINT_MAX),
                // People arrive as their ids and not as names that anybody can take.
                "should_escape": true,
            }],
        },
        "oauth_config": { "scopes": { "bot": scopes } },
        "settings": {
            "event_subscriptions": { "bot_events": EVENTS },
            "interactivity": { "is_enabled": true },
            "org_deploy_enabled": false,
            "socket_mode_enabled": wanted.address.is_none(),
            "token_rotation_enabled": false,
        },
    });
    if let Some(address) = wanted.address {
        let at = |path: &str| json!(format!("{}/slack/{path}", address.trim_end_matches('/')));
        manifest["features"]["slash_commands"][0]["url"] = at("commands");
        manifest["settings"]["event_subscriptions"]["request_url"] = at("events");
        manifest["settings"]["interactivity"]["request_url"] = at("interactions");
    }
    manifest
}
