//! What people ask of the bot: commands, presses, forms.
//!
//! None of these is a message, so nothing of them is kept here: they go straight into the bot's inbox, which is durable,
//! and which may be full.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::acts::own_key;
use super::{ActError as Error, Body, LocalChat, TEXT_MAX, room_ref};
use crate::chat::{Block, Delivery, Incoming, Intake, Message, Press, Trigger, Verdict};
use crate::incident::{Identity, MessageRef, RoomRef};

/// How long an answer may be a form. Beyond it the person has moved on, and a form would come as a surprise.
const TRIGGER_LIFE: TimeDelta = TimeDelta::seconds(60);
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
            thread: None,
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
