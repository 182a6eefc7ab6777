//! What happens in channels, whoever does it: the state changes, and the events that follow.

use serde_json::{Value, json};

use super::fail::{Result, fail};
use super::model::{ChannelKind, Message, Pin, Reaction, Said};
use super::state::State;

impl State {
    /// An event of a channel reaches the bot if it is a member.
    pub(super) fn channel_event(&mut self, channel: &str, event: Value) {
        let bot = &self.app.bot_user;
        if self
            .channels
            .get(channel)
            .is_some_and(|c| c.members.contains(bot))
        {
            self.event(event);
        }
    }

    fn channel_type(&self, channel: &str) -> &'static str {
        self.channels
            .get(channel)
            .map_or("channel", |c| c.kind.type_name())
    }

    /// A user's message from a bot has its bot_id.
    pub(super) fn bot_of(&self, user: &str) -> Option<String> {
        self.users.get(user)?.bot_id.clone()
    }

    /// Puts a message into a channel. Its ts is given here.
    pub(super) fn post(&mut self, mut message: Message) -> Result<String> {
        let ts = self.next_ts();
        message.ts.clone_from(&ts);
        message.bot_id = self.bot_of(&message.user);
        self.give_ids(&mut message.blocks);
        let channel = message.channel.clone();
        if let Some(thread) = &message.thread_ts {
            // The parent may have been deleted: Slack keeps the thread under a tombstone.
            let parent = self
                .message(&channel, thread)
                .ok_or_else(|| fail("thread_not_found"))?;
            if parent.is_reply() {
                message.thread_ts.clone_from(&parent.thread_ts);
            }
        }
        self.channel_mut(&channel)?.messages.insert(ts.clone(), message);
        self.announce(&channel, &ts);
        Ok(ts)
    }

    /// The events of a new message.
    fn announce(&mut self, channel: &str, ts: &str) {
        let Some(message) = self.message(channel, ts).cloned() else {
            return;
        };
        let mut event = self.message_json(&message, true);
        event["channel"] = json!(channel);
        event["channel_type"] = json!(self.channel_type(channel));
        event["event_ts"] = json!(ts);
        self.channel_event(channel, event.clone());
        for file in &message.files {
            let event_ts = self.next_ts();
            self.channel_event(
                channel,
                json!({
                    "type": "file_shared", "file_id": file, "user_id": message.user, "file": { "id": file },
                    "channel_id": channel, "event_ts": event_ts,
                }),
            );
        }
        let mention = format!("<@{}", self.app.bot_user);
        let human =
            message.bot_id.is_none() && matches!(message.subtype.as_deref(), None | Some("file_share"));
        let direct = self.channel_type(channel) == "im";
        if human && !direct && message.text.contains(&mention) {
            event["type"] = json!("app_mention");
            if let Some(event) = event.as_object_mut() {
                event.remove("channel_type");
            }
            self.channel_event(channel, event);
        }
    }

    /// A line that Slack itself writes: somebody joined, the topic was set.
    pub(super) fn system(&mut self, channel: &str, user: &str, subtype: &str, text: String, extra: Value) {
        let message = Message {
            channel: channel.to_owned(),
            user: user.to_owned(),
            subtype: Some(subtype.to_owned()),
            text,
            extra: extra.as_object().cloned().unwrap_or_default(),
            ..Message::default()
        };
        // The channel is the caller's own, and a system message stands in no thread.
        let _ = self.post(message);
    }

    /// A message gets another content. `by` is who edits, and nobody for what Slack does itself (an unfurl).
    pub(super) fn change(
        &mut self,
        channel: &str,
        ts: &str,
        by: Option<&str>,
        change: impl FnOnce(&mut Message),
    ) -> Result<()> {
        let before = self.message_json(
            self.message(channel, ts)
                .ok_or_else(|| fail("message_not_found"))?,
            true,
        );
        let stamp = self.next_ts();
        let message = self.message_mut(channel, ts)?;
        change(message);
        if let Some(by) = by {
            message.edited = Some((by.to_owned(), stamp.clone()));
        }
        let mut blocks = std::mem::take(&mut message.blocks);
        self.give_ids(&mut blocks);
        let message = self.message_mut(channel, ts)?;
        message.blocks = blocks;
        let message = message.clone();
        let after = self.message_json(&message, true);
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true,
            "channel": channel, "channel_type": self.channel_type(channel),
            "message": after, "previous_message": before, "ts": stamp, "event_ts": stamp,
        });
        self.channel_event(channel, event);
        Ok(())
    }

    /// Takes a message away. One that has replies leaves a tombstone.
    pub(super) fn delete(&mut self, channel: &str, ts: &str) -> Result<()> {
        let there = self
            .message(channel, ts)
            .ok_or_else(|| fail("message_not_found"))?;
        let before = self.message_json(there, true);
        let thread = self.channels.get(channel).is_some_and(|c| {
            c.messages
                .values()
                .any(|m| m.is_reply() && m.thread_ts.as_deref() == Some(ts))
        });
        let stamp = self.next_ts();
        self.channel_mut(channel)?.pins.retain(|pin| pin.ts != ts);
        let mut event = json!({
            "type": "message", "hidden": true, "channel": channel,
            "channel_type": self.channel_type(channel), "previous_message": before,
            "ts": stamp, "event_ts": stamp,
        });
        if thread {
            let message = self.message_mut(channel, ts)?;
            message.subtype = Some("tombstone".to_owned());
            message.user = "USLACKBOT".to_owned();
            message.text = "This message was deleted.".to_owned();
            message.blocks.clear();
            message.files.clear();
            message.bot_id = None;
            event["subtype"] = json!("message_changed");
            let message = message.clone();
            event["message"] = self.message_json(&message, true);
        } else {
            self.channel_mut(channel)?.messages.remove(ts);
            event["subtype"] = json!("message_deleted");
            event["deleted_ts"] = json!(ts);
        }
        self.channel_event(channel, event);
        Ok(())
    }

    pub(super) fn react(&mut self, channel: &str, ts: &str, user: &str, name: &str) -> Result<()> {
        let message = self.message_mut(channel, ts)?;
        let author = message.user.clone();
        if let Some(there) = message.reactions.iter_mut().find(|r| r.name == name) {
            if there.users.iter().any(|u| u == user) {
                return Err(fail("already_reacted"));
            }
            there.users.push(user.to_owned());
        } else {
            message.reactions.push(Reaction {
                name: name.to_owned(),
                users: vec![user.to_owned()],
            });
        }
        self.reaction_event("reaction_added", channel, ts, user, name, &author);
        Ok(())
    }

    pub(super) fn unreact(&mut self, channel: &str, ts: &str, user: &str, name: &str) -> Result<()> {
        let message = self.message_mut(channel, ts)?;
        let author = message.user.clone();
        let there = message.reactions.iter_mut().find(|r| r.name == name);
        let Some(there) = there.filter(|r| r.users.iter().any(|u| u == user)) else {
            return Err(fail("no_reaction"));
        };
        there.users.retain(|u| u != user);
        message.reactions.retain(|r| !r.users.is_empty());
        self.reaction_event("reaction_removed", channel, ts, user, name, &author);
        Ok(())
    }

    fn reaction_event(&mut self, kind: &str, channel: &str, ts: &str, user: &str, name: &str, author: &str) {
        let event_ts = self.next_ts();
        let event = json!({
            "type": kind, "user": user, "reaction": name, "item_user": author,
            "item": { "type": "message", "channel": channel, "ts": ts }, "event_ts": event_ts,
        });
        self.channel_event(channel, event);
    }

    /// Adds a member. The bot hears of its own joining too.
    pub(super) fn join(&mut self, channel: &str, user: &str, inviter: Option<&str>) -> Result<()> {
        let there = self.channel_mut(channel)?;
        there.members.insert(user.to_owned());
        let letter = if there.kind == ChannelKind::Public {
            "C"
        } else {
            "G"
        };
        let extra = inviter.map_or_else(|| json!({}), |inviter| json!({ "inviter": inviter }));
        self.system(
            channel,
            user,
            "channel_join",
            format!("<@{user}> has joined the channel"),
            extra,
        );
        let team = self
            .users
            .get(user)
            .map_or(self.team.clone(), |user| user.team.clone());
        let mut event = json!({
            "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": letter,
            "team": team, "event_ts": self.next_ts(),
        });
        if let Some(inviter) = inviter {
            event["inviter"] = json!(inviter);
        }
        self.channel_event(channel, event);
        Ok(())
    }

    pub(super) fn leave(&mut self, channel: &str, user: &str) -> Result<()> {
        let letter = if self.channel_mut(channel)?.kind == ChannelKind::Public {
            "C"
        } else {
            "G"
        };
        self.system(
            channel,
            user,
            "channel_leave",
            format!("<@{user}> has left the channel"),
            json!({}),
        );
        let event = json!({
            "type": "member_left_channel", "user": user, "channel": channel, "channel_type": letter,
            "team": self.team, "event_ts": self.next_ts(),
        });
        self.channel_event(channel, event);
        self.channel_mut(channel)?.members.remove(user);
        Ok(())
    }

    pub(super) fn archive(&mut self, channel: &str, user: &str, archived: bool) -> Result<()> {
        let there = self.channel_mut(channel)?;
        there.archived = archived;
        let kind = match (there.kind, archived) {
            (ChannelKind::Public, true) => "channel_archive",
            (ChannelKind::Public, false) => "channel_unarchive",
            (_, true) => "group_archive",
            (_, false) => "group_unarchive",
        };
        let event = json!({ "type": kind, "channel": channel, "user": user, "event_ts": self.next_ts() });
        self.event(event);
        Ok(())
    }

    pub(super) fn rename(&mut self, channel: &str, user: &str, name: &str) -> Result<()> {
        let there = self.channel_mut(channel)?;
        let old = std::mem::replace(&mut there.name, name.to_owned());
        there.previous_names.insert(0, old.clone());
        let (created, kind) = (there.created, there.kind);
        let text = format!("has renamed the channel from \"{old}\" to \"{name}\"");
        self.system(
            channel,
            user,
            "channel_name",
            text,
            json!({ "old_name": old, "name": name }),
        );
        let private = kind != ChannelKind::Public;
        let event = json!({
            "type": if private { "group_rename" } else { "channel_rename" },
            "channel": {
                "id": channel, "name": name, "name_normalized": name, "created": created,
                "is_channel": !private, "is_mpim": false,
            },
            "event_ts": self.next_ts(),
        });
        self.event(event);
        Ok(())
    }

    pub(super) fn set_said(&mut self, channel: &str, user: &str, what: &str, value: &str) -> Result<()> {
        let said = Said {
            value: value.to_owned(),
            by: user.to_owned(),
            at: self.seconds(),
        };
        let there = self.channel_mut(channel)?;
        if what == "topic" {
            there.topic = said;
        } else {
            there.purpose = said;
        }
        let text = format!("set the channel {what}: {value}");
        self.system(
            channel,
            user,
            &format!("channel_{what}"),
            text,
            json!({ what: value }),
        );
        Ok(())
    }

    pub(super) fn pin(&mut self, channel: &str, user: &str, ts: &str, pinned: bool) -> Result<()> {
        let at = self.seconds();
        let there = self.channel_mut(channel)?;
        if pinned {
            let pin = Pin {
                ts: ts.to_owned(),
                by: user.to_owned(),
                at,
            };
            there.pins.insert(0, pin);
        } else {
            there.pins.retain(|pin| pin.ts != ts);
        }
        let Some(message) = self.message(channel, ts) else {
            return Ok(());
        };
        let item = self.message_json(message, false);
        let event = json!({
            "type": if pinned { "pin_added" } else { "pin_removed" }, "user": user, "channel_id": channel,
            "item": { "type": "message", "channel": channel, "created": at, "created_by": user, "message": item },
            "event_ts": self.next_ts(),
        });
        self.channel_event(channel, event);
        Ok(())
    }

    /// Blocks without an id get one, as Slack gives them.
    pub(super) fn give_ids(&mut self, blocks: &mut [Value]) {
        for block in blocks {
            if block["block_id"].is_null() {
                let id = format!("b{:04}", self.next());
                block["block_id"] = json!(id);
            }
        }
    }
}
