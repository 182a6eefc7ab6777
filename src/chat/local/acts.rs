//! What people do in rooms: writing, changing, reacting. It is stored first, together with its delivery to the bot.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::writer::{Done, NewFile, No, Op, Post};
use super::{EMOJI, FILE_MAX, LocalChat, Room, Session, TEXT_MAX, message_ref};
use crate::chat::{Refused, Upload};
use crate::incident::{Identity, MessageRef};

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

impl LocalChat {
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
        file: Upload,
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
pub(super) fn own_key(who: &Identity, key: &str) -> Result<String, Error> {
    if key.is_empty() || key.len() > KEY_MAX || key.chars().any(char::is_control) {
        return Err(Error::Key);
    }
    Ok(format!("{}:key:{}:{key}", who.platform, who.user))
}
