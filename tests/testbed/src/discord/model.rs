//! What a guild is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

/// Flags of a message: only one person sees it; the bot "is thinking"; the newer components.
pub const EPHEMERAL: u64 = 1 << 6;
pub const LOADING: u64 = 1 << 7;
pub const COMPONENTS_V2: u64 = 1 << 15;

/// Types of a message: said, pinned (a line of Discord's own), a thread opened (likewise), answered, a command's or a
/// context menu's answer.
pub const SAID: u8 = 0;
pub const PINNED: u8 = 6;
pub const THREAD_CREATED: u8 = 18;
pub const REPLY: u8 = 19;
pub const COMMAND_ANSWER: u8 = 20;
pub const MENU_ANSWER: u8 = 23;

#[derive(Debug, Clone)]
pub struct Guild {
    pub id: String,
    pub name: String,
    pub owner: String,
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: String,
    pub name: String,
    /// The name they are shown with, if they set one.
    pub global_name: Option<String>,
    pub bot: bool,
}

#[derive(Debug, Clone)]
pub struct Member {
    pub user: String,
    pub nick: Option<String>,
    pub roles: BTreeSet<String>,
    pub joined_at: Duration,
    /// Came by an invitation that ends with the visit.
    pub guest: bool,
}

#[derive(Debug, Clone)]
pub struct Role {
    pub id: String,
    pub name: String,
    pub permissions: u64,
    /// Whether anybody may ring it.
    pub mentionable: bool,
    pub managed: bool,
    pub position: u64,
}

/// What a channel changes for a role or a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overwrite {
    pub id: String,
    pub member: bool,
    pub allow: u64,
    pub deny: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Text = 0,
    Direct = 1,
    Voice = 2,
    Category = 4,
    Announcement = 5,
    PublicThread = 11,
    PrivateThread = 12,
    Forum = 15,
}

impl ChannelKind {
    pub fn of(number: u64) -> Option<Self> {
        [
            Self::Text,
            Self::Direct,
            Self::Voice,
            Self::Category,
            Self::Announcement,
            Self::PublicThread,
            Self::PrivateThread,
            Self::Forum,
        ]
        .into_iter()
        .find(|kind| *kind as u64 == number)
    }

    /// Whether its name is written small and with hyphens.
    pub fn slugged(self) -> bool {
        matches!(self, Self::Text | Self::Announcement | Self::Forum)
    }

    /// Whether messages stand in it.
    pub fn holds_messages(self) -> bool {
        !matches!(self, Self::Category | Self::Forum)
    }
}

#[derive(Debug, Clone)]
pub struct Thread {
    pub owner: String,
    pub private: bool,
    pub members: BTreeSet<String>,
    pub archived: bool,
    pub locked: bool,
    pub auto_archive: u64,
    pub since: Duration,
}

#[derive(Debug, Clone)]
pub struct Channel {
    pub id: String,
    pub kind: ChannelKind,
    pub name: String,
    pub topic: Option<String>,
    /// The category, or the channel of a thread.
    pub parent: Option<String>,
    pub overwrites: Vec<Overwrite>,
    pub position: u64,
    pub nsfw: bool,
    pub slowmode: u64,
    /// What else was set, as it came.
    pub extra: serde_json::Map<String, Value>,
    pub thread: Option<Thread>,
    /// Whom the bot speaks with, in a direct conversation.
    pub recipient: Option<String>,
    pub messages: BTreeMap<String, Message>,
    /// The newest pin first.
    pub pins: Vec<Pin>,
    /// Ids of deleted messages: to tell "gone" from "never there".
    pub deleted: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub struct Pin {
    pub message: String,
    pub at: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// As it stands in an address: the emoji itself, or `name:id` for a guild's own.
    pub emoji: String,
    pub users: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Attachment {
    pub id: String,
    pub filename: String,
    pub content_type: String,
    pub description: Option<String>,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Message {
    pub id: String,
    pub channel: String,
    pub author: String,
    pub content: String,
    pub kind: u8,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    /// Ids of attachments.
    pub attachments: Vec<String>,
    /// Whom it rang.
    pub mentions: Vec<String>,
    pub mention_roles: Vec<String>,
    pub mention_everyone: bool,
    /// The message it answers.
    pub reference: Option<String>,
    pub reactions: Vec<Reaction>,
    pub flags: u64,
    pub at: Duration,
    pub edited: Option<Duration>,
    pub nonce: Option<Value>,
    /// The interaction it answers.
    pub interaction: Option<Value>,
    /// The one person who sees it.
    pub only_for: Option<String>,
}

impl Message {
    /// A line of Discord's own, and nobody's words.
    pub fn is_system(&self) -> bool {
        matches!(self.kind, PINNED | THREAD_CREATED)
    }

    /// A command was used and the bot "is thinking" in its place.
    pub fn is_loading(&self) -> bool {
        self.flags & LOADING != 0
    }

    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
            && self.embeds.is_empty()
            && self.components.is_empty()
            && self.attachments.is_empty()
    }
}

/// A registered command, as it came, with what Discord adds.
#[derive(Debug, Clone)]
pub struct Command {
    pub id: String,
    /// Registered for the guild alone, and not everywhere.
    pub guild: bool,
    pub version: String,
    pub body: Value,
}

impl Command {
    pub fn name(&self) -> &str {
        self.body["name"].as_str().unwrap_or_default()
    }

    /// 1 typed, 2 on a person, 3 on a message.
    pub fn kind(&self) -> u64 {
        self.body["type"].as_u64().unwrap_or(1)
    }
}

/// A form in front of somebody.
#[derive(Debug, Clone)]
pub struct Modal {
    pub id: String,
    pub user: String,
    pub channel: String,
    /// The message whose button opened it.
    pub message: Option<String>,
    /// custom_id, title and components, as the bot gave them.
    pub body: Value,
}

impl Modal {
    pub fn title(&self) -> &str {
        self.body["title"].as_str().unwrap_or_default()
    }

    pub fn custom_id(&self) -> &str {
        self.body["custom_id"].as_str().unwrap_or_default()
    }
}
