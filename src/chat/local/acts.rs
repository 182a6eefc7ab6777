//! The people's side: what somebody does on the page or from a script.
//!
//! What is a message is stored first, together with its delivery to the bot; commands, presses and forms are no
//! messages and go straight into the bot's inbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::writer::{Done, NewFile, No, Op, Post};
use super::{Body, EMOJI, FILE_MAX, LocalChat, Room, Session, TEXT_MAX, message_ref, room_ref};
use crate::chat::{Block, Delivery, Incoming, Intake, Message, Press, Refused, Trigger, Verdict};
use crate::incident::{Identity, MessageRef, RoomRef};

/// How long an answer may be a form. Beyond it the person has moved on, and a form would come as a surprise.
const TRIGGER_LIFE: TimeDelta = TimeDelta::seconds(60);
/// A key a script gives to send the same thing again safely.
const KEY_MAX: usize = 128;

/// Why something was not done, in words for the person.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("There is no such room, or you are not in it.")]
    NoRoom,
    #[error("This room is archived: it can be read, but nothing new is written in it.")]
    Archived,
    #[error("That message is no longer there.")]
    NoMessage,
    #[error("Only the person who wrote a message can change or delete it.")]
    NotYours,
    #[error("There is nothing in it. Write something first.")]
    Empty,
    #[error("That is {0} bytes long, and a message takes {TEXT_MAX}. Attach it as a file instead.")]
    TooLong(usize),
    #[error("That file has {0} bytes, and {FILE_MAX} is the most. Cut it to the lines that matter.")]
    FileTooLarge(usize),
    #[error("That cannot be put on a message. These can: {}", EMOJI.join(" "))]
    Emoji,
    #[error("That button is no longer there: the message has changed. Look at it again, then choose.")]
    NoButton,
    #[error("A key has 1 to {KEY_MAX} printable characters.")]
    Key,
    #[error(
        "There is no command /{typed}. Did you mean /{command}? To write it as a message, put a space in front."
    )]
    NoCommand { typed: String, command: String },
    #[error("Orderly is still starting. Try again in a moment.")]
    Starting,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("The chat could not store this: {0}. It was not taken; check the disk, then send it again.")]
    Storage(String),
}

impl Error {
    pub(super) fn storage(error: impl std::fmt::Display) -> Self {
        Self::Storage(error.to_string())
    }
}

/// What somebody typed, told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed<'a> {
    /// The command's text, without the command's own name.
    Command(&'a str),
    Message(&'a str),
    /// Looks like a command, and is not ours.
    Unknown(&'a str),
}

impl LocalChat {
    /// Tells a command from a message. `/var/log/odoo.log is full` is a message: no command has a slash in it.
    pub fn typed<'a>(&self, text: &'a str) -> Typed<'a> {
        let Some(rest) = text.strip_prefix('/') else {
            return Typed::Message(text);
        };
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.eq_ignore_ascii_case(&self.command) {
            Typed::Command(after.trim())
        } else if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-') {
            Typed::Unknown(word)
        } else {
            Typed::Message(text)
        }
    }

    /// The refusal of a command that is not ours.
    pub fn no_command(&self, typed: &str) -> Error {
        Error::NoCommand {
            typed: typed.to_owned(),
            command: self.command.clone(),
        }
    }

    /// The room, if this person may read it.
    pub fn room(&self, who: &Identity, room: &str) -> Result<Arc<Room>, Error> {
        self.rooms
            .get(room)
            .filter(|room| room.shows_to(&who.user))
            .ok_or(Error::NoRoom)
    }

    /// Whether this user may read this room; unknown rooms show to nobody.
    pub fn shows(&self, user: &str, room: &str) -> bool {
        self.rooms.get(room).is_some_and(|room| room.shows_to(user))
    }

    /// The rooms this person may read, by name.
    pub fn rooms(&self, who: &Identity) -> Vec<Arc<Room>> {
        let mut rooms = self.rooms.all();
        rooms.retain(|room| room.shows_to(&who.user));
        rooms
    }

    /// Writes a message. The same key again gives the message that is already there.
    pub async fn say(
        &self,
        who: &Identity,
        room: &str,
        thread: Option<i64>,
        text: &str,
        key: Option<&str>,
    ) -> Result<MessageRef, Error> {
        self.room(who, room)?;
        self.write_message(who, room, thread, checked(text)?.to_owned(), None, key)
            .await
    }

    /// Puts a file in the room, with a comment that may be empty.
    pub async fn attach(
        &self,
        who: &Identity,
        room: &str,
        thread: Option<i64>,
        file: crate::chat::Upload,
    ) -> Result<MessageRef, Error> {
        self.room(who, room)?;
        if file.bytes.len() > FILE_MAX {
            return Err(Error::FileTooLarge(file.bytes.len()));
        }
        if file.bytes.is_empty() || file.name.is_empty() {
            return Err(Error::Empty);
        }
        if file.comment.len() > TEXT_MAX {
            return Err(Error::TooLong(file.comment.len()));
        }
        let stored = NewFile {
            name: file.name,
            media_type: file.media_type,
            sha256: hex::encode(Sha256::digest(&file.bytes)),
            bytes: file.bytes,
        };
        self.write_message(who, room, thread, file.comment, Some(stored), None)
            .await
    }

    async fn write_message(
        &self,
        who: &Identity,
        room: &str,
        thread: Option<i64>,
        body: String,
        file: Option<NewFile>,
        key: Option<&str>,
    ) -> Result<MessageRef, Error> {
        let post = Post {
            key: key.map(|key| own_key(who, key)).transpose()?,
            room: room.to_owned(),
            thread,
            by: Some(who.clone()),
            body,
            file,
            at: self.now(),
        };
        match self.act(Op::Post(post)).await? {
            Done::Message(id) => Ok(message_ref(room, id)),
            _ => Err(Error::NoMessage),
        }
    }

    pub async fn edit(&self, who: &Identity, room: &str, id: i64, text: &str) -> Result<(), Error> {
        self.room(who, room)?;
        let (room, text, at) = (room.to_owned(), checked(text)?.to_owned(), self.now());
        self.act(Op::Edit {
            id,
            room,
            by: who.user.clone(),
            text,
            at,
        })
        .await
        .map(drop)
    }

    pub async fn delete(&self, who: &Identity, room: &str, id: i64) -> Result<(), Error> {
        self.room(who, room)?;
        let op = Op::Delete {
            id,
            room: room.to_owned(),
            by: who.user.clone(),
            at: self.now(),
        };
        self.act(op).await.map(drop)
    }

    /// Puts a reaction there (`present`) or takes it back; doing it twice is the same as once.
    pub async fn react(
        &self,
        who: &Identity,
        room: &str,
        id: i64,
        emoji: &str,
        present: bool,
    ) -> Result<(), Error> {
        self.room(who, room)?;
        if !EMOJI.contains(&emoji) {
            return Err(Error::Emoji);
        }
        let (room, emoji, at) = (room.to_owned(), emoji.to_owned(), self.now());
        self.act(Op::React {
            id,
            room,
            by: who.clone(),
            emoji,
            present,
            at,
        })
        .await
        .map(drop)
    }

    /// A slash command, without the command's own name. `tab` is where a form may be opened in answer; `key` lets a
    /// script send it again safely. Durable when it returns; the number is what [`LocalChat::verdict`] takes.
    pub async fn command(
        &self,
        who: &Identity,
        room: &str,
        text: &str,
        tab: Option<&str>,
        key: Option<&str>,
    ) -> Result<Option<u64>, Error> {
        self.room(who, room)?;
        if text.len() > TEXT_MAX {
            return Err(Error::TooLong(text.len()));
        }
        let trigger = self.trigger(tab);
        let incoming = Incoming::Command {
            from: who.clone(),
            room: room_ref(room),
            text: text.to_owned(),
            trigger,
        };
        self.hand_in(who, incoming, key).await
    }

    /// A button of a message, named by [`button_mark`]. It is looked up in the message as it is now, so that nobody
    /// presses what is no longer shown.
    pub async fn press(
        &self,
        who: &Identity,
        room: &str,
        message: &str,
        button: &str,
        tab: Option<&str>,
    ) -> Result<Option<u64>, Error> {
        self.room(who, room)?;
        let shown = self.shown(who, room, message).await?;
        let press = presses(&shown)
            .find(|press| button_mark(press) == button)
            .ok_or(Error::NoButton)?;
        self.press_on(who, room, message, press.clone(), tab).await
    }

    /// An entry of the menu every message has: a command about the message.
    pub async fn pick(
        &self,
        who: &Identity,
        room: &str,
        message: i64,
        press: &Press,
        tab: Option<&str>,
    ) -> Result<Option<u64>, Error> {
        self.room(who, room)?;
        let found = self.message(room, message).await?.ok_or(Error::NoMessage)?;
        if found.body == Body::Deleted {
            return Err(Error::NoMessage);
        }
        self.press_on(who, room, &message.to_string(), press.clone(), tab)
            .await
    }

    async fn press_on(
        &self,
        who: &Identity,
        room: &str,
        message: &str,
        press: Press,
        tab: Option<&str>,
    ) -> Result<Option<u64>, Error> {
        let message = MessageRef {
            room: room_ref(room),
            message: message.to_owned(),
        };
        let incoming = Incoming::Press {
            from: who.clone(),
            message,
            press,
            trigger: self.trigger(tab),
        };
        self.hand_in(who, incoming, None).await
    }

    /// A form, filled in.
    pub async fn submit(
        &self,
        who: &Identity,
        room: &str,
        path: &str,
        fixed: BTreeMap<String, String>,
        values: BTreeMap<String, String>,
        key: Option<&str>,
    ) -> Result<Option<u64>, Error> {
        self.room(who, room)?;
        let size: usize = fixed.values().chain(values.values()).map(String::len).sum();
        if size > TEXT_MAX {
            return Err(Error::TooLong(size));
        }
        let incoming = Incoming::Submit {
            from: who.clone(),
            room: room_ref(room),
            path: path.to_owned(),
            fixed,
            values,
        };
        self.hand_in(who, incoming, key).await
    }

    /// Closes the forms of a command that went through.
    pub fn submitted(&self, who: &Identity, path: &str, fixed: &BTreeMap<String, String>) {
        self.ephemeral.submitted(&who.user, path, fixed);
    }

    /// What became of a command, press or form.
    pub async fn verdict(&self, id: u64) -> Result<Verdict, Error> {
        Ok(self.intake()?.decided(id).await)
    }

    /// Completions for what somebody has typed after the command's name.
    pub async fn complete(
        &self,
        who: &Identity,
        room: &str,
        typed: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        self.room(who, room)?;
        let room: RoomRef = room_ref(room);
        Ok(self.intake()?.complete(who, &room, typed).await)
    }

    /// Remembers a sign-in over a restart.
    pub async fn sign_in(&self, session: Session) -> Result<(), Error> {
        self.act(Op::SignIn(session)).await.map(drop)
    }

    pub async fn sign_out(&self, digest: &str) -> Result<(), Error> {
        self.act(Op::SignOut {
            digest: digest.to_owned(),
        })
        .await
        .map(drop)
    }

    async fn act(&self, op: Op) -> Result<Done, Error> {
        match self.writer.apply(op).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(No::Room)) => Err(Error::NoRoom),
            Ok(Err(No::Archived)) => Err(Error::Archived),
            Ok(Err(No::Message)) => Err(Error::NoMessage),
            Ok(Err(No::NotYours)) => Err(Error::NotYours),
            Err(broken) => Err(Error::Storage(broken.0)),
        }
    }

    async fn hand_in(
        &self,
        who: &Identity,
        incoming: Incoming,
        key: Option<&str>,
    ) -> Result<Option<u64>, Error> {
        let key = match key {
            Some(key) => own_key(who, key)?,
            None => self.fresh("act"),
        };
        let delivery = Delivery {
            key,
            subject: None,
            received: self.now(),
            incoming,
        };
        Ok(self.intake()?.take(delivery).await?)
    }

    fn intake(&self) -> Result<&Arc<dyn Intake>, Error> {
        self.intake.get().ok_or(Error::Starting)
    }

    fn trigger(&self, tab: Option<&str>) -> Option<Trigger> {
        tab.map(|tab| Trigger {
            token: tab.to_owned(),
            expires: self.now() + TRIGGER_LIFE,
        })
    }

    /// The bot's message as this person sees it now; a whisper's id starts with `w`.
    async fn shown(&self, who: &Identity, room: &str, message: &str) -> Result<Message, Error> {
        if let Some(id) = message.strip_prefix('w') {
            let id = id.parse().map_err(|_| Error::NoMessage)?;
            let whisper = self
                .whispered(&who.user, id)
                .filter(|whisper| whisper.room == room);
            return whisper
                .map(|whisper| whisper.message.clone())
                .ok_or(Error::NoMessage);
        }
        let id = message.parse().map_err(|_| Error::NoMessage)?;
        match self.message(room, id).await?.map(|stored| stored.body) {
            Some(Body::Bot(message)) => Ok(message),
            _ => Err(Error::NoMessage),
        }
    }
}

/// What a message's buttons do, in order.
fn presses(message: &Message) -> impl Iterator<Item = &Press> {
    let buttons = message.blocks.iter().flat_map(|block| match block {
        Block::Buttons { buttons } => buttons.as_slice(),
        _ => &[],
    });
    buttons.map(|button| &button.press)
}

/// Names a button by what it does, so that a press is never taken for another one after an update.
pub fn button_mark(press: &Press) -> String {
    let json = serde_json::to_vec(press).unwrap_or_default();
    hex::encode(&Sha256::digest(json)[..8])
}

fn checked(text: &str) -> Result<&str, Error> {
    let text = text.trim_end();
    if text.trim_start().is_empty() {
        return Err(Error::Empty);
    }
    if text.len() > TEXT_MAX {
        return Err(Error::TooLong(text.len()));
    }
    Ok(text)
}

/// A script's key, apart from everybody else's.
fn own_key(who: &Identity, key: &str) -> Result<String, Error> {
    if key.is_empty() || key.len() > KEY_MAX || key.chars().any(char::is_control) {
        return Err(Error::Key);
    }
    Ok(format!("{}:key:{}:{key}", who.platform, who.user))
}
