//! What Slack sends, as the port tells it. Pure, and the same for both transports.
//!
//! Everything here is told by the platform's ids. Display names are never read for a decision.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::messages::{self, changed, deleted, is_bot, ours_gone, reacted, standing, team_of, written};
use super::rich::unescaped;
use super::{PLATFORM, form, press};
use crate::chat::{Delivery, Incoming, Press, Trigger};
use crate::incident::{Identity, MessageRef, RoomRef};

/// A trigger opens one view within this time.
pub const TRIGGER_LIFE: TimeDelta = TimeDelta::seconds(3);

/// Message shortcuts, by their callback id in the manifest, and what they press.
pub const SHORTCUTS: [(&str, &str, &str); 3] = [
    ("orderly:timeline", "Add to timeline", "shortcut:timeline"),
    ("orderly:task", "Make a task", "shortcut:task"),
    ("orderly:followup", "Make a follow-up", "shortcut:followup"),
];
/// The shortcut that is there everywhere.
pub const SHORTCUT_OPEN: &str = "orderly:open";

/// What must be known of ourselves to tell our own doings from those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    pub team: String,
    /// The bot's user.
    pub user: String,
    /// Emoji of the config that mark messages.
    pub marks: Vec<String>,
}

impl Own {
    pub fn room(&self, channel: &str) -> RoomRef {
        RoomRef {
            platform: PLATFORM.to_owned(),
            workspace: self.team.clone(),
            room: channel.to_owned(),
        }
    }

    pub fn message(&self, channel: &str, ts: &str) -> MessageRef {
        MessageRef {
            room: self.room(channel),
            message: ts.to_owned(),
        }
    }

    /// Somebody, with the workspace they belong to: a guest from a connected one is nobody of ours.
    pub fn identity(&self, team: Option<&str>, user: &str) -> Identity {
        Identity {
            platform: PLATFORM.to_owned(),
            workspace: team
                .filter(|team| !team.is_empty())
                .unwrap_or(&self.team)
                .to_owned(),
            user: user.to_owned(),
        }
    }
}

/// What came in, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A slash command or a mention of the bot; `reply_to` answers it where it was typed.
    Command {
        delivery: Delivery,
        reply_to: Option<String>,
    },
    /// A button.
    Press {
        delivery: Delivery,
        reply_to: Option<String>,
    },
    Submit {
        delivery: Delivery,
        /// Its fields; an error about no field in particular stands at the first.
        fields: Vec<String>,
        /// The view it was sent from.
        view: String,
    },
    /// The menu of a message: the message itself, in case it was written before we listened, then what to do with it.
    Shortcut {
        message: Option<Delivery>,
        press: Delivery,
        reply_to: Option<String>,
    },
    /// Something that happened in a channel; where it is about a message that may not have been told of yet (events
    /// overtake each other), that message first.
    Event {
        before: Option<Delivery>,
        delivery: Delivery,
    },
    /// A message of the bot's own was deleted.
    OursGone { message: MessageRef },
    /// An account is no longer what it was.
    Account { user: String },
    /// Somebody looks at the home tab.
    Home { user: String },
    /// Slack holds events back because there are too many.
    Limited,
    /// The app was taken out of the workspace, or its token away.
    Revoked,
    /// Nothing to do with us; why, for the counters.
    Nothing(&'static str),
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A slash command, as JSON (Socket Mode) or as the fields of a form (HTTP).
pub fn command(body: &Value, own: &Own, now: DateTime<Utc>) -> Heard {
    let (Some(user), Some(channel), Some(trigger)) = (
        text(body, "user_id"),
        text(body, "channel_id"),
        text(body, "trigger_id"),
    ) else {
        return Heard::Nothing("a command without a sender");
    };
    let from = own.identity(text(body, "team_id"), user);
    Heard::Command {
        delivery: Delivery {
            key: format!("slack:command:{trigger}"),
            subject: None,
            received: now,
            incoming: Incoming::Command {
                from,
                room: own.room(channel),
                thread: None,
                text: typed(text(body, "text").unwrap_or_default()),
                trigger: Some(triggered(trigger, now)),
            },
        },
        reply_to: text(body, "response_url").map(str::to_owned),
    }
}

fn triggered(token: &str, now: DateTime<Utc>) -> Trigger {
    Trigger {
        token: token.to_owned(),
        expires: now + TRIGGER_LIFE,
    }
}

/// A press, a submitted form, a shortcut.
pub fn interaction(body: &Value, own: &Own, now: DateTime<Utc>) -> Heard {
    let Some(user) = body["user"]["id"].as_str() else {
        return Heard::Nothing("an interaction without a sender");
    };
    let from = own.identity(
        text(&body["user"], "team_id").or_else(|| text(&body["team"], "id")),
        user,
    );
    match body["type"].as_str() {
        Some("block_actions") => pressed(body, own, from, now),
        Some("view_submission") => submitted(body, own, from, now),
        Some("message_action") => picked(body, own, from, now),
        Some("shortcut") if body["callback_id"] == SHORTCUT_OPEN => asked(body, own, from, now),
        _ => Heard::Nothing("an interaction of another kind"),
    }
}

fn pressed(body: &Value, own: &Own, from: Identity, now: DateTime<Utc>) -> Heard {
    let action = &body["actions"][0];
    let Some(press) = text(action, "value").and_then(press::read) else {
        return Heard::Nothing("a button that is not ours");
    };
    // A button of the home tab stands in no channel; its command names what it is about.
    let container = &body["container"];
    let channel = body["channel"]["id"]
        .as_str()
        .or_else(|| text(container, "channel_id"))
        .unwrap_or(&from.user);
    let ts = text(container, "message_ts").or_else(|| body["message"]["ts"].as_str());
    let trigger = text(body, "trigger_id");
    let stamp = text(action, "action_ts").unwrap_or_default();
    Heard::Press {
        delivery: Delivery {
            key: format!("slack:press:{}:{stamp}", trigger.unwrap_or(&from.user)),
            subject: None,
            received: now,
            incoming: Incoming::Press {
                from: from.clone(),
                message: own.message(channel, ts.unwrap_or_default()),
                press,
                trigger: trigger.map(|trigger| triggered(trigger, now)),
            },
        },
        reply_to: text(body, "response_url").map(str::to_owned),
    }
}

fn submitted(body: &Value, own: &Own, from: Identity, now: DateTime<Utc>) -> Heard {
    let view = &body["view"];
    let Some(filled) = form::filled(view) else {
        return Heard::Nothing("a view that is not ours");
    };
    let id = text(view, "id").unwrap_or_default();
    // The same form may be sent again after an error; the trigger is another one each time.
    let trigger = text(body, "trigger_id")
        .or_else(|| text(view, "hash"))
        .unwrap_or_default();
    Heard::Submit {
        delivery: Delivery {
            key: format!("slack:submit:{id}:{trigger}"),
            subject: None,
            received: now,
            incoming: Incoming::Submit {
                from,
                room: own.room(&filled.kept.room),
                path: filled.kept.path,
                fixed: filled.kept.fixed,
                values: filled.values,
            },
        },
        fields: filled.fields,
        view: id.to_owned(),
    }
}

fn picked(body: &Value, own: &Own, from: Identity, now: DateTime<Utc>) -> Heard {
    let shortcut = SHORTCUTS
        .iter()
        .find(|(callback, _, _)| body["callback_id"] == *callback);
    let (Some((_, _, line)), Some(channel), Some(ts)) = (
        shortcut,
        body["channel"]["id"].as_str(),
        body["message"]["ts"].as_str(),
    ) else {
        return Heard::Nothing("a shortcut that is not ours");
    };
    let trigger = text(body, "trigger_id").unwrap_or_default();
    let stamp = text(body, "action_ts").unwrap_or_default();
    let press = Delivery {
        key: format!("slack:shortcut:{trigger}:{stamp}"),
        subject: None,
        received: now,
        incoming: Incoming::Press {
            from,
            message: own.message(channel, ts),
            press: Press::Run {
                line: (*line).to_owned(),
            },
            trigger: None,
        },
    };
    let message = messages::picked(&body["message"], channel, own, now).map(|mut delivery| {
        delivery.key = format!("slack:shortcut:{trigger}:{stamp}:message");
        delivery
    });
    Heard::Shortcut {
        message,
        press,
        reply_to: text(body, "response_url").map(str::to_owned),
    }
}

/// The shortcut that opens an incident from anywhere.
fn asked(body: &Value, own: &Own, from: Identity, now: DateTime<Utc>) -> Heard {
    let Some(trigger) = text(body, "trigger_id") else {
        return Heard::Nothing("a shortcut without a trigger");
    };
    Heard::Press {
        delivery: Delivery {
            key: format!("slack:press:{trigger}:open"),
            subject: None,
            received: now,
            incoming: Incoming::Press {
                // It was asked in no channel: what is said to this person goes to them directly.
                message: own.message(&from.user, ""),
                from: from.clone(),
                press: Press::Ask {
                    path: "open".to_owned(),
                    fixed: Default::default(),
                },
                trigger: Some(triggered(trigger, now)),
            },
        },
        reply_to: None,
    }
}

/// A delivery of the Events API.
pub fn event(body: &Value, own: &Own, now: DateTime<Utc>) -> Heard {
    if body["type"] == "app_rate_limited" {
        return Heard::Limited;
    }
    let event = &body["event"];
    let Some(id) = text(body, "event_id") else {
        return Heard::Nothing("an event without an id");
    };
    let keyed = |delivery: Option<Delivery>, before: Option<Delivery>| match delivery {
        Some(mut delivery) => {
            delivery.key = format!("slack:event:{id}");
            Heard::Event { before, delivery }
        }
        None => Heard::Nothing("nothing that counts"),
    };
    match event["type"].as_str() {
        Some("message") => {
            let Some(channel) = text(event, "channel") else {
                return Heard::Nothing("a message without a channel");
            };
            if let Some(ts) = ours_gone(event, own) {
                return Heard::OursGone {
                    message: own.message(channel, ts),
                };
            }
            match event["subtype"].as_str() {
                None | Some("file_share" | "thread_broadcast" | "me_message") => {
                    keyed(written(event, channel, own, now), None)
                }
                Some("message_changed") => keyed(
                    changed(event, channel, own, now),
                    standing(&event["previous_message"], channel, own, now),
                ),
                Some("message_deleted") => keyed(
                    deleted(event, channel, own, now),
                    standing(&event["previous_message"], channel, own, now),
                ),
                Some(_) => Heard::Nothing("what Slack itself says in a channel"),
            }
        }
        Some("reaction_added") => keyed(reacted(event, true, own, now), None),
        Some("reaction_removed") => keyed(reacted(event, false, own, now), None),
        Some("user_change") => match event["user"]["id"].as_str() {
            Some(user) => Heard::Account {
                user: user.to_owned(),
            },
            None => Heard::Nothing("nobody's account"),
        },
        Some("app_mention") => mentioned(event, id, own, now),
        Some("app_home_opened") if event["tab"] != "messages" => match text(event, "user") {
            Some(user) => Heard::Home {
                user: user.to_owned(),
            },
            None => Heard::Nothing("nobody's home"),
        },
        Some("tokens_revoked" | "app_uninstalled") => Heard::Revoked,
        _ => Heard::Nothing("an event that we do not need"),
    }
}

/// Inside a thread Slack allows no slash command, so naming the bot does the same, there and everywhere.
fn mentioned(event: &Value, id: &str, own: &Own, now: DateTime<Utc>) -> Heard {
    let (Some(user), Some(channel)) = (text(event, "user"), text(event, "channel")) else {
        return Heard::Nothing("a mention without a sender");
    };
    if is_bot(event, own) {
        return Heard::Nothing("what a bot says");
    }
    let said = text(event, "text").unwrap_or_default();
    let Some((_, line)) = after_mention(said, &own.user) else {
        return Heard::Nothing("a mention of somebody else");
    };
    Heard::Command {
        delivery: Delivery {
            key: format!("slack:event:{id}"),
            subject: text(event, "ts").map(|ts| format!("slack:{}:{channel}:{ts}:mention", own.team)),
            received: now,
            incoming: Incoming::Command {
                from: own.identity(team_of(event), user),
                room: own.room(channel),
                thread: text(event, "thread_ts").map(str::to_owned),
                text: typed(line),
                trigger: None,
            },
        },
        reply_to: None,
    }
}

/// What stands before and after the first mention of this user.
fn after_mention<'a>(text: &'a str, user: &str) -> Option<(&'a str, &'a str)> {
    let start = text.find(&format!("<@{user}"))?;
    let end = start + text[start..].find('>')? + 1;
    Some((text[..start].trim(), text[end..].trim()))
}

/// What a person typed, as they saw it: mentions as `@U0123`, channels as `#name`, links as their address.
pub fn typed(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    let mut left = raw;
    while let Some(start) = left.find('<') {
        let Some(length) = left[start..].find('>') else {
            break;
        };
        shown.push_str(&unescaped(&left[..start]));
        let inner = &left[start + 1..start + length];
        let (id, label) = match inner.split_once('|') {
            Some((id, label)) => (id, Some(label).filter(|label| !label.is_empty())),
            None => (inner, None),
        };
        let shape = match id.as_bytes().first() {
            Some(b'@') => unescaped(id),
            Some(b'#') => unescaped(label.map_or(id.to_owned(), |name| format!("#{name}")).as_str()),
            // `<!subteam^S1|@oncall>`, `<!here>`, `<!date^…|12:00>`: as text, so that it never fires again.
            Some(b'!') => unescaped(label.unwrap_or(&format!("@{}", &id[1..]))),
            Some(_) if id.starts_with("mailto:") || id.starts_with("tel:") => unescaped(label.unwrap_or(id)),
            _ => unescaped(id),
        };
        shown.push_str(&shape);
        left = &left[start + length + 1..];
    }
    shown.push_str(&unescaped(left));
    shown
}

/// A text with `@U0123` written as `@ana` where somebody knows who that is.
pub fn named(text: &str, name: impl Fn(&str) -> Option<String>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find('@') {
        let (before, mention) = left.split_at(at + 1);
        shown.push_str(before);
        let end = mention
            .find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit())
            .unwrap_or(mention.len());
        let (user, rest) = mention.split_at(end);
        match name(user).filter(|_| user.len() > 1) {
            Some(name) => shown.push_str(&name),
            None => shown.push_str(user),
        }
        left = rest;
    }
    shown.push_str(left);
    shown
}
