//! What a workspace is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

/// What kind of account a user is. Only a [`Kind::Person`] is a full member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Person,
    /// A guest of several channels (`is_restricted`).
    Guest,
    /// A guest of one channel (`is_ultra_restricted`).
    SingleChannelGuest,
    /// A member of another workspace, met in a shared channel (`is_stranger`).
    Stranger,
    Bot,
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub kind: Kind,
    pub deleted: bool,
    pub admin: bool,
    /// An IANA name.
    pub tz: String,
    pub team: String,
    /// Set on bots.
    pub bot_id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub id: String,
    pub handle: String,
    pub members: Vec<String>,
    pub disabled: bool,
    /// Where false, asking for its members fails as it does on a plan without groups.
    pub readable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Public,
    Private,
    Direct,
    GroupDirect,
}

impl ChannelKind {
    /// What events call `channel_type`.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Public => "channel",
            Self::Private => "group",
            Self::Direct => "im",
            Self::GroupDirect => "mpim",
        }
    }

    /// The first half of the scopes that govern it.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Public => "channels",
            Self::Private => "groups",
            Self::Direct => "im",
            Self::GroupDirect => "mpim",
        }
    }

    /// The name of this kind in the `types` of conversations.list.
    pub fn listed_as(self) -> &'static str {
        match self {
            Self::Public => "public_channel",
            Self::Private => "private_channel",
            Self::Direct => "im",
            Self::GroupDirect => "mpim",
        }
    }
}

/// A topic or a purpose.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub value: String,
    pub by: String,
    pub at: u64,
}

#[derive(Debug, Clone)]
pub struct Bookmark {
    pub id: String,
    pub title: String,
    pub link: String,
    pub emoji: Option<String>,
    pub created: u64,
    pub updated: u64,
    pub by: String,
}

#[derive(Debug, Clone)]
pub struct Pin {
    pub ts: String,
    pub by: String,
    pub at: u64,
}

#[derive(Debug, Clone)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub kind: ChannelKind,
    pub creator: String,
    pub created: u64,
    pub members: BTreeSet<String>,
    pub topic: Said,
    pub purpose: Said,
    pub archived: bool,
    pub previous_names: Vec<String>,
    /// Newest first, as Slack lists them.
    pub pins: Vec<Pin>,
    pub bookmarks: Vec<Bookmark>,
    /// By ts, so in the order in which they were posted; replies among them.
    pub messages: BTreeMap<String, Message>,
    pub ephemerals: Vec<Ephemeral>,
}

#[derive(Debug, Clone)]
pub struct Reaction {
    pub name: String,
    pub users: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Message {
    pub ts: String,
    pub channel: String,
    pub user: String,
    pub bot_id: Option<String>,
    /// The name a post was given with `username`.
    pub username: Option<String>,
    pub subtype: Option<String>,
    /// As on the wire: escaped, with mentions as `<@U…>`.
    pub text: String,
    pub blocks: Vec<Value>,
    pub attachments: Vec<Value>,
    pub files: Vec<String>,
    pub metadata: Option<Value>,
    pub thread_ts: Option<String>,
    pub broadcast: bool,
    pub edited: Option<(String, String)>,
    pub reactions: Vec<Reaction>,
    /// Fields that only messages of one subtype have, such as `topic`.
    pub extra: Map<String, Value>,
}

impl Message {
    /// Whether it stands in a thread without beginning it.
    pub fn is_reply(&self) -> bool {
        self.thread_ts.as_ref().is_some_and(|thread| *thread != self.ts)
    }
}

/// A message that one person sees until they reload.
#[derive(Debug, Clone)]
pub struct Ephemeral {
    pub user: String,
    pub message: Message,
}

#[derive(Debug, Clone)]
pub struct File {
    pub id: String,
    pub name: String,
    pub title: String,
    pub mimetype: String,
    pub bytes: Vec<u8>,
    pub user: String,
    pub created: u64,
    pub channels: Vec<String>,
    /// How long the uploader said it would be.
    pub announced: usize,
    pub uploaded: bool,
    pub completed: bool,
    pub deleted: bool,
}

#[derive(Debug, Clone)]
pub struct View {
    pub id: String,
    pub user: String,
    /// As it was sent, with block ids filled in.
    pub body: Value,
    pub hash: String,
    pub root: String,
    pub previous: Option<String>,
    /// What was typed and chosen: block id, action id, the element's state.
    pub values: BTreeMap<String, BTreeMap<String, Value>>,
    /// What the last submission was refused with: block id and sentence.
    pub errors: BTreeMap<String, String>,
}

impl View {
    pub fn is_home(&self) -> bool {
        self.body["type"] == "home"
    }

    pub fn state(&self) -> Value {
        json!({ "values": self.values })
    }
}

/// What a person's click allows the bot to open, for three seconds and once.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub user: String,
    pub expires: Duration,
    pub used: bool,
}

/// Where a response_url leads.
#[derive(Debug, Clone)]
pub struct ResponseUrl {
    pub channel: String,
    pub user: String,
    /// The message whose button was pressed.
    pub message: Option<String>,
    pub expires: Duration,
    pub uses: u32,
}
