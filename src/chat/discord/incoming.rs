//! What Discord sends, as the port tells it. Pure.
//!
//! Everything here is told by the platform's ids. Names are never read for a decision. It is read leniently: a field that
//! Discord adds or leaves out tomorrow must not lose what somebody did.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::accounts;
use super::carried::{self, Carried};
use super::form::{self, Move};
use super::ids::in_room;
use super::places::{Spot, spot_of};
use super::{PLATFORM, messages, press, typed};
use crate::chat::{Delivery, Press, Standing, Trigger};
use crate::incident::{Identity, MessageRef, RoomRef};

/// An interaction takes its first answer within this time.
const TRIGGER_LIFE: TimeDelta = TimeDelta::seconds(3);

/// Entries of a message's menu, and what they press.
pub const SHORTCUTS: [(&str, &str); 3] = [
    ("Add to timeline", "shortcut:timeline"),
    ("Make a task", "shortcut:task"),
    ("Make a follow-up", "shortcut:followup"),
];

/// What must be known of ourselves to tell our own doings from those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    pub guild: String,
    pub application: String,
    /// The bot's user.
    pub user: String,
    /// Emoji of the config that mark messages.
    pub marks: Vec<String>,
}

impl Own {
    pub fn room(&self, channel: &str) -> RoomRef {
        RoomRef {
            platform: PLATFORM.to_owned(),
            workspace: self.guild.clone(),
            room: channel.to_owned(),
        }
    }

    /// A message, by the id that names its thread as well.
    pub fn message(&self, room: &str, message: &str) -> MessageRef {
        MessageRef {
            room: self.room(room),
            message: message.to_owned(),
        }
    }

    pub fn identity(&self, user: &str) -> Identity {
        Identity {
            platform: PLATFORM.to_owned(),
            workspace: self.guild.clone(),
            user: user.to_owned(),
        }
    }

    pub fn at(&self, spot: &Spot, message: &str) -> MessageRef {
        self.message(&spot.room, &in_room(spot.thread.as_deref(), message))
    }

    /// An emoji as the config would write it.
    pub fn mark(&self, emoji: &Value) -> Option<String> {
        let name = emoji["name"].as_str()?;
        let written = match emoji["id"].as_str() {
            Some(_) => format!(":{name}:"),
            None => name.to_owned(),
        };
        let plain = |mark: &str| mark.trim_end_matches('\u{fe0f}').to_owned();
        let known = self.marks.iter().find(|mark| plain(mark) == plain(&written));
        Some(known.cloned().unwrap_or(written))
    }
}

/// People and channels in a text, by names.
pub struct Names<'a> {
    /// The short name of a user, if the desk knows them.
    pub user: &'a dyn Fn(&str) -> Option<String>,
    pub channel: &'a dyn Fn(&str) -> Option<String>,
}

/// Something that a person did with the bot, which Discord wants answered within three seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    pub id: String,
    pub token: String,
    pub from: Identity,
    /// Roles that the person has in the guild now.
    pub roles: Vec<String>,
    /// The person's account name, for somebody who is not known yet.
    pub name: String,
    /// What the account is in the guild; unknown in a direct message.
    pub standing: Option<Standing>,
    pub spot: Spot,
    pub did: Did,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Did {
    /// Typed a command.
    Typed(String),
    /// Is typing into an option: the line up to it, and where the value begins.
    Typing {
        line: String,
        at: usize,
    },
    Pressed {
        message: MessageRef,
        press: Press,
    },
    /// Moved on in a form, on this message.
    Moved {
        draft: String,
        what: Move,
        chosen: Vec<String>,
        message: MessageRef,
        /// What stands on it.
        page: Value,
    },
    /// Filled in words.
    Filled {
        draft: String,
        /// What the modal says of its form, or else the message from which it was opened.
        carried: Option<Carried>,
        asked: Vec<String>,
        values: BTreeMap<String, String>,
        /// It was opened from a message of the form.
        on_form: bool,
    },
    /// Picked an entry of a message's menu; the message comes along, in case it was written before we listened.
    Picked {
        message: MessageRef,
        before: Option<Delivery>,
        press: Press,
    },
    /// Something of ours that this version does not know.
    Unknown,
}

impl Interaction {
    pub fn key(&self) -> String {
        format!("discord:interaction:{}", self.id)
    }

    /// Ties an answer to what was just done.
    pub fn trigger(&self, now: DateTime<Utc>) -> Trigger {
        Trigger {
            token: format!("{}/{}", self.id, self.token),
            expires: now + TRIGGER_LIFE,
        }
    }
}

pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// Reads an interaction; `None` if it has no sender or comes from another server.
pub fn interaction(body: &Value, own: &Own, names: &Names<'_>, now: DateTime<Utc>) -> Option<Interaction> {
    let member = &body["member"];
    let user = match member["user"].is_object() {
        true => &member["user"],
        false => &body["user"],
    };
    if text(body, "guild_id").is_some_and(|guild| guild != own.guild) {
        return None;
    }
    let channel = text(body, "channel_id").or_else(|| text(&body["channel"], "id"))?;
    let spot = spot_of(&body["channel"]).unwrap_or(Spot {
        room: channel.to_owned(),
        thread: None,
    });
    let data = &body["data"];
    let person = |id: &str| (names.user)(id).map_or_else(|| id.to_owned(), |name| format!("@{name}"));
    let did = match body["type"].as_u64()? {
        2 if data["type"].as_u64() == Some(3) => picked(body, data, &spot, own, names, now),
        2 => Did::Typed(named(&typed::line(data, &person), names)),
        3 => pressed(body, data, &spot, own),
        4 => match typed::asked(data, &person) {
            Some(asked) => Did::Typing {
                line: asked.line,
                at: asked.at,
            },
            None => Did::Unknown,
        },
        5 => filled(data, &body["message"]),
        _ => Did::Unknown,
    };
    let roles = member["roles"].as_array().into_iter().flatten();
    Some(Interaction {
        id: text(body, "id")?.to_owned(),
        token: text(body, "token")?.to_owned(),
        from: own.identity(text(user, "id")?),
        roles: roles.filter_map(Value::as_str).map(str::to_owned).collect(),
        name: text(user, "username").unwrap_or_default().to_owned(),
        standing: member["user"]
            .is_object()
            .then(|| accounts::standing(member, now)),
        spot,
        did,
    })
}

fn pressed(body: &Value, data: &Value, spot: &Spot, own: &Own) -> Did {
    let Some(id) = text(data, "custom_id") else {
        return Did::Unknown;
    };
    let message = own.at(spot, text(&body["message"], "id").unwrap_or_default());
    if let Some((draft, what)) = form::moved(id) {
        let chosen = data["values"].as_array().into_iter().flatten();
        return Did::Moved {
            draft: draft.to_owned(),
            what,
            chosen: chosen.filter_map(Value::as_str).map(str::to_owned).collect(),
            message,
            page: body["message"].clone(),
        };
    }
    match press::read(id) {
        Some(press) => Did::Pressed { message, press },
        None => Did::Unknown,
    }
}

fn filled(data: &Value, page: &Value) -> Did {
    let Some((draft, kept)) = text(data, "custom_id").and_then(form::modal_id) else {
        return Did::Unknown;
    };
    Did::Filled {
        draft: draft.to_owned(),
        carried: kept.map(Carried::of_modal).or_else(|| Carried::on(page, draft)),
        asked: form::asked(&data["components"]),
        values: form::typed(&data["components"]),
        on_form: carried::is_of_form(page),
    }
}

fn picked(body: &Value, data: &Value, spot: &Spot, own: &Own, names: &Names<'_>, now: DateTime<Utc>) -> Did {
    let shortcut = SHORTCUTS.iter().find(|(label, _)| data["name"] == *label);
    let (Some((_, line)), Some(target)) = (shortcut, text(data, "target_id")) else {
        return Did::Unknown;
    };
    let message = &data["resolved"]["messages"][target];
    let before = messages::standing(message, spot, own, names, now).map(|mut delivery| {
        delivery.key = format!(
            "discord:interaction:{}:message",
            text(body, "id").unwrap_or_default()
        );
        delivery
    });
    Did::Picked {
        message: own.at(spot, target),
        before,
        press: Press::Run {
            line: (*line).to_owned(),
        },
    }
}

/// A text with `<@123>` written as `@ana` where somebody knows who that is, and nothing left that Discord would read as a
/// call when it is quoted.
pub fn named(raw: &str, names: &Names<'_>) -> String {
    let mut shown = String::with_capacity(raw.len());
    let mut left = raw;
    while let Some(start) = left.find('<') {
        shown.push_str(&left[..start]);
        let inside = &left[start + 1..];
        let Some((length, words)) = wrapped(inside, names) else {
            shown.push('<');
            left = inside;
            continue;
        };
        shown.push_str(&words);
        left = &inside[length..];
    }
    shown.push_str(left);
    shown
}

/// How long the rest of a `<…>` is, and what it says.
fn wrapped(inside: &str, names: &Names<'_>) -> Option<(usize, String)> {
    let end = inside.find('>')?;
    let inner = &inside[..end];
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let words = if let Some(role) = inner.strip_prefix("@&").filter(|id| is_number(id)) {
        format!("@role {role}")
    } else if let Some(user) = inner.strip_prefix('@') {
        let user = user.strip_prefix('!').unwrap_or(user);
        if !is_number(user) {
            return None;
        }
        format!("@{}", (names.user)(user).unwrap_or_else(|| user.to_owned()))
    } else if let Some(channel) = inner.strip_prefix('#').filter(|id| is_number(id)) {
        format!("#{}", (names.channel)(channel)?)
    } else if let Some(emoji) = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':')) {
        let (name, id) = emoji.split_once(':')?;
        if !is_number(id) {
            return None;
        }
        format!(":{name}:")
    } else {
        return None;
    };
    Some((end + 1, words))
}
