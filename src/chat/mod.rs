//! The chat port: what the bot needs of a chat platform, and what a platform tells the bot.
//!
//! Adapters (`local/`, `slack/`, `discord/`) implement [`Chat`] and push every [`Incoming`] into an
//! [`Intake`]; they never call the engine and never each other.

mod attached;
mod check;
pub mod discord;
pub mod local;
mod look;
mod message;
mod pieces;
mod posts;
mod rich;
pub mod slack;
mod taking;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use check::Check;
pub use message::{Block, Button, Field, FieldKind, Form, Message, Press, Row, Style, Tone};
pub use rich::{Rich, Span, elsewhere, typed};

pub use crate::incident::FileRef;
use crate::incident::{Audience, Identity, MessageRef, PersonId, RoomRef};

/// A room to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSpec {
    /// Wanted name; the platform's rules win, and a taken name gets a suffix.
    pub name: String,
    pub topic: String,
    pub private: bool,
    pub audience: Audience,
    pub invite: Vec<Identity>,
}

/// A channel that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub room: RoomRef,
    /// As people write it: `#ops`.
    pub name: String,
    /// By everybody of the workspace.
    pub readable: bool,
    /// The bot is in it.
    pub joined: bool,
    pub archived: bool,
}

/// Who asks for a channel that is there already. To anybody who may not read it, it is as if it were not there.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    /// Who they are on its platform.
    pub who: Vec<Identity>,
    /// Channels that they read without being looked for in them: where they asked, and the rooms of their incident.
    pub reads: Vec<RoomRef>,
}

/// Allows an answer to be tied to what a person just did (Slack's trigger, Discord's interaction token).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    pub token: String,
    pub expires: DateTime<Utc>,
}

/// A file on its way to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub comment: String,
}

/// Why a platform did not do it. The error itself says whether to try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not now: rate limit, time-out, platform down.
    #[error("{why}")]
    Retry { why: String, after: Option<Duration> },
    /// Never: room gone, token revoked, person unknown.
    #[error("{why}")]
    Gone { why: String },
}

/// What a platform says of somebody, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Member,
    /// Reads, and does not command: a guest, somebody of another workspace, a bot, a deactivated account.
    Reader,
}

/// Somebody in a group, by the name that the platform shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub who: Identity,
    pub name: String,
}

/// A room to listen to, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    pub room: RoomRef,
    pub since: DateTime<Utc>,
}

/// A message of a room as it is known here, for a platform that reads the room again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub message: String,
    pub thread: Option<String>,
    /// When it was written.
    pub at: DateTime<Utc>,
    pub deleted: bool,
    /// Reactions that mark it and stand as far as is known.
    pub reacted: Vec<Reacted>,
}

/// Somebody's reaction that marks a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reacted {
    /// As the config writes it.
    pub emoji: String,
    /// The accounts that the person has there.
    pub who: Vec<Identity>,
}

/// A chat platform. Every method that creates something takes a key and does it once per key, however often it is
/// called: after a crash the engine calls again.
#[async_trait]
pub trait Chat: Send + Sync {
    /// `local`, `slack`, `discord`.
    fn platform(&self) -> &'static str;

    /// Whether commands are picked from those that were registered: then a path is the only name that one has.
    fn picks(&self) -> bool {
        false
    }

    /// Whether it asks what becomes of everything that is typed or pressed, and tells whoever did that. Otherwise somebody
    /// whose command cannot be decided yet would hear nothing.
    fn follows(&self) -> bool {
        true
    }

    /// Where incidents are announced on this platform, if anywhere.
    async fn lobby(&self) -> Result<Option<RoomRef>, Error> {
        Ok(None)
    }

    /// What the platform says of this person. A platform without guests has members only.
    async fn standing(&self, _who: &Identity) -> Result<Standing, Error> {
        Ok(Standing::Member)
    }

    /// Who is in a group (a user group, a role of a guild), asked of the platform now and not remembered from earlier:
    /// those who may command, and nobody else. The error says in a few words why it cannot be read.
    async fn members(&self, group: &str) -> Result<Vec<Member>, Error> {
        Err(Error::Gone {
            why: format!("{} has no groups such as {group}", self.platform()),
        })
    }

    /// Makes the room. The first prompt waits for this call, so whatever can be done afterwards is left to
    /// [`Chat::furnish`].
    async fn open_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, Error>;
    /// Brings the people of the spec into a room that was made, and fits it out. Done again it changes nothing. For
    /// platforms whose rooms are made whole at once there is nothing left to do.
    async fn furnish(&self, _room: &RoomRef, _spec: &RoomSpec) -> Result<(), Error> {
        Ok(())
    }
    async fn invite(&self, room: &RoomRef, people: &[Identity]) -> Result<(), Error>;
    async fn set_topic(&self, room: &RoomRef, topic: &str) -> Result<(), Error>;
    async fn archive(&self, room: &RoomRef) -> Result<(), Error>;
    /// Takes the archiving back. [`Error::Gone`] where the platform does not let a bot do that.
    async fn unarchive(&self, _room: &RoomRef) -> Result<(), Error> {
        Err(Error::Gone {
            why: format!("{} does not let a bot open a room again", self.platform()),
        })
    }

    /// Whether a room is still there for the bot: looked at after something in it could not be done. [`Error::Gone`] says
    /// why it is not.
    async fn stands(&self, _room: &RoomRef) -> Result<(), Error> {
        Ok(())
    }

    /// A channel by what people type (`#ops`, an id). [`Error::Gone`]: there is none that both the bot and the asker can see.
    async fn find_room(&self, _typed: &str, _asker: &Asker) -> Result<Found, Error> {
        Err(Error::Gone {
            why: format!(
                "Orderly cannot use channels of {} that it did not make",
                self.platform()
            ),
        })
    }

    /// The message that a link points at, as people copy it from one; `None`: it is no link of the platform's.
    async fn linked(&self, _link: &str) -> Option<MessageRef> {
        None
    }

    /// Tells the intake what was said in a room since then. Platforms that keep no history have nothing to tell.
    async fn read_back(&self, _room: &RoomRef, _since: DateTime<Utc>) -> Result<(), Error> {
        Ok(())
    }

    /// A message that stands under this key already is brought up to date: between two tries, what is true may change.
    async fn post(
        &self,
        key: &str,
        room: &RoomRef,
        thread: Option<&MessageRef>,
        message: &Message,
    ) -> Result<MessageRef, Error>;
    /// Posts messages with their keys to one room, in this order; how each ended. Fewer ends than messages: nobody came
    /// to the rest. A platform that takes one at a time posts one, so that what is more urgent can come between.
    async fn post_all(&self, room: &RoomRef, posts: &[(String, &Message)]) -> Vec<Result<MessageRef, Error>> {
        match posts.first() {
            Some((key, message)) => vec![self.post(key, room, None, message).await],
            None => Vec::new(),
        }
    }
    /// The post that stands under this key and was made between these moments; `None`: it was deleted, or never made.
    async fn find_post(
        &self,
        key: &str,
        room: &RoomRef,
        between: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<MessageRef>, Error>;
    async fn update(&self, at: &MessageRef, message: &Message) -> Result<(), Error>;
    /// Edits a post that quotes people: none of its old words may stay, also not where it went on in other messages.
    async fn reword(&self, at: &MessageRef, message: &Message) -> Result<(), Error> {
        self.update(at, message).await
    }
    /// Takes the words of a person's message, and its files, off the platform. [`Error::Gone`] where that is for the person
    /// alone.
    async fn redact(&self, _at: &MessageRef, _marker: &str) -> Result<(), Error> {
        Err(Error::Gone {
            why: format!(
                "on {} only its author, or an administrator, takes a message back",
                self.platform()
            ),
        })
    }
    async fn pin(&self, at: &MessageRef) -> Result<(), Error>;
    async fn upload(&self, key: &str, room: &RoomRef, file: &Upload) -> Result<MessageRef, Error>;
    /// The bytes of a file that somebody attached to this message, exactly as they were uploaded. Never more than
    /// `most`: a file that has more is [`Error::Gone`], and not read to its end.
    async fn read_file(&self, at: &MessageRef, file: &FileRef, most: usize) -> Result<Vec<u8>, Error>;

    /// Seen by this person only, in this room.
    async fn whisper(&self, key: &str, room: &RoomRef, to: &Identity, message: &Message)
    -> Result<(), Error>;
    /// The same below a message, where the person spoke to the bot in its thread. Where a platform cannot do that, it is
    /// seen in the room.
    async fn whisper_below(
        &self,
        key: &str,
        thread: &MessageRef,
        to: &Identity,
        message: &Message,
    ) -> Result<(), Error> {
        self.whisper(key, &thread.room, to, message).await
    }
    /// The room of direct messages with a person, to find again what was told there. [`Error::Gone`]: there can be none.
    async fn direct_room(&self, to: &Identity) -> Result<RoomRef, Error>;
    /// A direct message.
    async fn direct(&self, key: &str, to: &Identity, message: &Message) -> Result<(), Error>;
    /// Opens a form for the person who holds the trigger.
    async fn ask(&self, trigger: &Trigger, room: &RoomRef, to: &Identity, form: &Form) -> Result<(), Error>;
}

/// What happened on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Incoming {
    /// A slash command, without the command's own name.
    Command {
        from: Identity,
        room: RoomRef,
        /// The message below which it was said, where that is a thread; the answer belongs there.
        #[serde(default)]
        thread: Option<String>,
        text: String,
        trigger: Option<Trigger>,
    },
    /// A button of one of our messages.
    Press {
        from: Identity,
        message: MessageRef,
        press: Press,
        trigger: Option<Trigger>,
    },
    /// A form, filled in.
    Submit {
        from: Identity,
        room: RoomRef,
        path: String,
        fixed: BTreeMap<String, String>,
        values: BTreeMap<String, String>,
    },
    /// Somebody wrote in a room.
    Wrote {
        from: Identity,
        message: MessageRef,
        thread: Option<String>,
        text: String,
        at: DateTime<Utc>,
        files: Vec<FileRef>,
    },
    Edited {
        message: MessageRef,
        text: String,
        /// When it was edited.
        at: DateTime<Utc>,
        /// The message itself, where the platform tells it with the edit: events overtake each other.
        #[serde(default)]
        of: Option<Origin>,
    },
    Deleted {
        message: MessageRef,
        /// When it was deleted, or found to be gone.
        at: DateTime<Utc>,
        /// Nobody saw when: it was there, and is not in the room's history any more.
        #[serde(default)]
        found_gone: bool,
    },
    /// A reaction as it is now: there or taken back.
    Reacted {
        from: Identity,
        message: MessageRef,
        emoji: String,
        present: bool,
        at: DateTime<Utc>,
    },
}

/// What a message is beside its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub from: Identity,
    pub thread: Option<String>,
    /// When it was written first.
    pub at: DateTime<Utc>,
    pub files: Vec<FileRef>,
}

/// One delivery of something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Names the delivery (event id, trigger id): the same one twice is a duplicate.
    pub key: String,
    /// Names the subject (message with its edit stamp): lets live events and history meet.
    pub subject: Option<String>,
    pub received: DateTime<Utc>,
    pub incoming: Incoming,
}

/// Why a delivery was not taken. Nothing was acknowledged, so the sender must send again or tell the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("Orderly has more waiting than it may hold. Nothing was lost: send it again in a moment.")]
    Full,
    #[error("Orderly could not store this: {why}. It was not taken; {next}.")]
    Storage { why: String, next: String },
}

/// What became of a delivery once it was decided: what a form shows at its fields, what a script prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub accepted: bool,
    /// What to tell the person; for a refusal, what to do next.
    pub message: Message,
    /// The option a form should mark.
    pub field: Option<String>,
    /// The incident it ended up in.
    pub incident: Option<u64>,
}

/// How words begin that say that nothing is decided yet.
pub const NOT_CONFIRMED: &str = "Not confirmed yet";

impl Verdict {
    /// Whether it was decided. Else it is stored, and will be: trying again would do it twice.
    pub fn is_confirmed(&self) -> bool {
        self.accepted || !self.message.fallback.starts_with(NOT_CONFIRMED)
    }
}

/// Where adapters put what happened. Durable when `take` returns.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Stores a delivery; `Ok(None)`: not ours to keep (chat outside incident rooms), counted and dropped.
    async fn take(&self, delivery: Delivery) -> Result<Option<u64>, Refused>;

    /// Waits until a taken delivery is decided.
    async fn decided(&self, id: u64) -> Verdict;

    /// The rooms of a platform whose incident is open: what an adapter reads again after it was away.
    async fn listening(&self, _platform: &str) -> Vec<Listening> {
        Vec::new()
    }

    /// The messages of a room since then, as they are known here. `None`: that cannot be told now.
    async fn known(&self, _room: &RoomRef, _since: DateTime<Utc>) -> Option<Vec<Known>> {
        None
    }

    /// Whether this asks for a form: told at once and without looking anything up, so that a platform which must show
    /// one within seconds can begin.
    fn asks_form(&self, _incoming: &Incoming) -> bool {
        false
    }

    /// What a platform shows somebody who looks at the bot itself: open incidents, and what waits for them. `None` for
    /// somebody unknown. Changes nothing and is not kept.
    async fn home(&self, _who: &Identity) -> Option<Message> {
        None
    }

    /// A message of the bot's own is not there any more. Nothing is kept of it; what it showed is shown anew when it is next
    /// looked at.
    fn gone(&self, _message: &MessageRef) {}

    /// What may be kept and shown of something that somebody typed: what looks like a secret is masked.
    fn masked(&self, typed: &str) -> String;

    /// Completions for what somebody is typing; changes nothing and is not kept.
    async fn complete(&self, from: &Identity, room: &RoomRef, typed: &str) -> Vec<(String, String)>;
}

/// Who is who, as the desk has it.
#[async_trait]
pub trait People: Send + Sync {
    fn identities(&self, person: &PersonId) -> Vec<Identity>;
    fn person(&self, identity: &Identity) -> Option<PersonId>;

    /// Somebody with these roles of the platform did something with the bot. Where the config gives such a role a meaning,
    /// the desk learns of it before what they did is decided.
    async fn seen(&self, _who: &Identity, _name: &str, _roles: &[String]) {}
}

tokio::task_local! {
    static URGENT: ();
}

/// Makes calls for which somebody waits: a platform that takes few of them has kept some back.
pub async fn urgently<F: Future>(calls: F) -> F::Output {
    URGENT.scope((), calls).await
}

/// Whether the call that is about to be made is one of those.
pub fn is_urgent() -> bool {
    URGENT.try_with(|()| ()).is_ok()
}

/// The lock, whoever panicked under it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every change under these locks is a single assignment, so a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
