//! The bot as Discord must know it: what it may do, what it hears, and the address that invites it. Pure.

use serde_json::{Value, json};

/// Permissions, as Discord numbers them.
pub mod allow {
    pub const MANAGE_CHANNELS: u64 = 1 << 4;
    pub const VIEW_CHANNEL: u64 = 1 << 10;
    pub const SEND_MESSAGES: u64 = 1 << 11;
    pub const EMBED_LINKS: u64 = 1 << 14;
    pub const ATTACH_FILES: u64 = 1 << 15;
    pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
    pub const MANAGE_ROLES: u64 = 1 << 28;
    pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
    pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
    /// Its own since February 2026; managing messages is not enough any more.
    pub const PIN_MESSAGES: u64 = 1 << 51;

    /// What the bot keeps in a room of its own making. None of these may be more than it has in the server.
    pub const ITSELF: u64 = VIEW_CHANNEL
        | SEND_MESSAGES
        | EMBED_LINKS
        | ATTACH_FILES
        | READ_MESSAGE_HISTORY
        | CREATE_PUBLIC_THREADS
        | SEND_MESSAGES_IN_THREADS
        | PIN_MESSAGES
        | MANAGE_CHANNELS;
    /// What somebody who is invited may do there.
    pub const INVITED: u64 = VIEW_CHANNEL
        | SEND_MESSAGES
        | EMBED_LINKS
        | ATTACH_FILES
        | READ_MESSAGE_HISTORY
        | SEND_MESSAGES_IN_THREADS;
    /// What nobody does in a room that is closed. A bot can deny only what it has.
    pub const TALKING: u64 = SEND_MESSAGES | CREATE_PUBLIC_THREADS | SEND_MESSAGES_IN_THREADS;
}

/// What the bot may do, and for what. No wider than needed.
pub const PERMISSIONS: &[(u64, &str, &str)] = &[
    (allow::VIEW_CHANNEL, "View Channels", "seeing its rooms"),
    (
        allow::SEND_MESSAGES,
        "Send Messages",
        "cards, prompts and answers",
    ),
    (allow::EMBED_LINKS, "Embed Links", "what they are made of"),
    (
        allow::ATTACH_FILES,
        "Attach Files",
        "the post-mortem, and what is too long for a message",
    ),
    (
        allow::READ_MESSAGE_HISTORY,
        "Read Message History",
        "what was said while the bot was away",
    ),
    (
        allow::MANAGE_CHANNELS,
        "Manage Channels",
        "opening, naming and closing rooms",
    ),
    (
        allow::MANAGE_ROLES,
        "Manage Roles",
        "letting people into a room (Discord: Manage Permissions)",
    ),
    (
        allow::CREATE_PUBLIC_THREADS,
        "Create Public Threads",
        "answering in a thread",
    ),
    (
        allow::SEND_MESSAGES_IN_THREADS,
        "Send Messages in Threads",
        "answering in a thread",
    ),
    (allow::PIN_MESSAGES, "Pin Messages", "the card on top"),
];

/// What the bot is told of. Only the last is privileged.
pub mod intent {
    pub const GUILDS: u64 = 1;
    pub const GUILD_MESSAGES: u64 = 1 << 9;
    pub const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
    pub const MESSAGE_CONTENT: u64 = 1 << 15;
    pub const ALL: u64 = GUILDS | GUILD_MESSAGES | GUILD_MESSAGE_REACTIONS | MESSAGE_CONTENT;
}

/// All permissions in one number.
pub fn permissions() -> u64 {
    PERMISSIONS.iter().map(|(bit, ..)| bit).sum()
}

/// The address at which somebody who may manage a server lets the bot in.
pub fn invite(application: &str, guild: Option<&str>) -> String {
    let guild = guild
        .map(|guild| format!("&guild_id={guild}"))
        .unwrap_or_default();
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={}{guild}",
        permissions()
    )
}

/// Everything about the app in one piece, for people and for scripts.
pub fn manifest(application: &str, guild: Option<&str>) -> Value {
    let permissions_named: Vec<Value> = PERMISSIONS
        .iter()
        .map(|(_, name, why)| json!({ "permission": name, "for": why }))
        .collect();
    json!({
        "invite": invite(application, guild),
        "permissions": permissions().to_string(),
        "permissions_named": permissions_named,
        "privileged_intents": ["Message Content Intent"],
        "intents": intent::ALL,
        "interactions_endpoint_url": "",
    })
}

/// The application that a token belongs to: its first part says so.
pub fn application_of(token: &str) -> Option<String> {
    use base64::Engine as _;
    let first = token.split('.').next()?.trim_end_matches('=');
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(first)
        .ok()?;
    let id = String::from_utf8(bytes).ok()?;
    super::ids::is_id(&id).then_some(id)
}
