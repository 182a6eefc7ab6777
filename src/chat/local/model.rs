//! What the chat is made of: rooms, stored messages, files, sign-ins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqlitePool};

use crate::chat::{FileRef, Message};
use crate::incident::Audience;

/// A room as everybody who may see it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its name too: people type it, addresses hold it. A direct room is `@` and the person.
    pub id: String,
    pub topic: String,
    pub private: bool,
    pub audience: Audience,
    /// The one person of a direct room.
    pub direct: Option<String>,
    pub archived: bool,
    pub opened: DateTime<Utc>,
    pub members: BTreeSet<String>,
}

impl Room {
    /// Whether this user may read the room at all.
    pub fn shows_to(&self, user: &str) -> bool {
        !self.private || self.members.contains(user)
    }
}

/// All rooms, in memory: asked on every request, changed seldom. A room takes well under a kilobyte.
#[derive(Debug, Clone, Default)]
pub(super) struct Rooms(Arc<RwLock<BTreeMap<String, Arc<Room>>>>);

impl Rooms {
    pub async fn load(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut rooms = BTreeMap::new();
        for row in sqlx::query("SELECT id, topic, private, audience, direct, archived, opened FROM room")
            .fetch_all(pool)
            .await?
        {
            let room = Room {
                id: row.get(0),
                topic: row.get(1),
                private: row.get(2),
                audience: Audience::from_word(row.get(3)).unwrap_or(Audience::Internal),
                direct: row.get(4),
                archived: row.get(5),
                opened: moment(row.get(6)),
                members: BTreeSet::new(),
            };
            rooms.insert(room.id.clone(), room);
        }
        for row in sqlx::query("SELECT room, user FROM member")
            .fetch_all(pool)
            .await?
        {
            if let Some(room) = rooms.get_mut(row.get::<&str, _>(0)) {
                room.members.insert(row.get(1));
            }
        }
        let rooms = rooms.into_iter().map(|(id, room)| (id, Arc::new(room))).collect();
        Ok(Self(Arc::new(RwLock::new(rooms))))
    }

    pub fn get(&self, id: &str) -> Option<Arc<Room>> {
        self.0
            .read()
            .unwrap_or_else(|broken| broken.into_inner())
            .get(id)
            .cloned()
    }

    pub fn all(&self) -> Vec<Arc<Room>> {
        self.0
            .read()
            .unwrap_or_else(|broken| broken.into_inner())
            .values()
            .cloned()
            .collect()
    }

    pub fn put(&self, room: Room) {
        let mut rooms = self.0.write().unwrap_or_else(|broken| broken.into_inner());
        rooms.insert(room.id.clone(), Arc::new(room));
    }
}

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub id: i64,
    pub room: String,
    /// The message this one answers.
    pub thread: Option<i64>,
    /// `None`: the bot.
    pub author: Option<String>,
    pub body: Body,
    pub at: DateTime<Utc>,
    pub edited: Option<DateTime<Utc>>,
    pub pinned: bool,
    /// Goes up with every visible change.
    pub rev: i64,
    pub replies: i64,
    /// Emoji, and who put it there.
    pub reactions: Vec<(String, Vec<String>)>,
    pub files: Vec<FileRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Text(String),
    Bot(Message),
    /// Deleted; what it said is kept as a version.
    Deleted,
}

/// A file with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub room: String,
    pub name: String,
    pub media_type: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// A sign-in on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's value, hex.
    pub digest: String,
    pub person: String,
    pub until: DateTime<Utc>,
}

/// A stored moment. One outside of what can be shown (a damaged file) reads as 1970.
pub(super) fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
