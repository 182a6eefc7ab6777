//! What happens to messages, whoever does it: the state changes, and the events that follow.

use serde_json::{Value, json};

use super::fail::{
    Result, THREAD_ARCHIVED, TOO_MANY_PINS, TOO_MANY_REACTIONS, UNKNOWN_EMOJI, UNKNOWN_MESSAGE,
};
use super::model::{Channel, ChannelKind, Message, PINNED, Pin, Reaction, THREAD_CREATED, Thread};
use super::permission::{MENTION_EVERYONE, VIEW_CHANNEL};
use super::render;
use super::shown::{emoji_json, merge, stamp};
use super::state::State;

/// Pins of a channel, and different reactions of a message.
const PINS: usize = 250;
const REACTIONS: usize = 20;

impl State {
    /// Puts a message into a channel and rings whom it names, as far as `allowed` and the author's permissions go.
    /// Its id is given here.
    pub(super) fn post(&mut self, mut message: Message, allowed: Option<&Value>) -> Result<String> {
        let there = self.channel_of(&message.channel)?;
        if let Some(thread) = &there.thread
            && thread.archived
        {
            if thread.locked {
                return Err(THREAD_ARCHIVED.into());
            }
            // Whoever speaks in an archived thread opens it again.
            let channel = message.channel.clone();
            self.change_thread(&channel, |thread| thread.archived = false)?;
        }
        let id = self.id();
        message.id.clone_from(&id);
        message.at = self.now;
        self.ring(&mut message, allowed);
        let (channel, author) = (message.channel.clone(), message.author.clone());
        let nonce = message.nonce.take();
        let there = self.channel_mut(&channel)?;
        there.messages.insert(id.clone(), message);
        if let Some(thread) = &mut there.thread {
            thread.members.insert(author);
        }
        self.announce(&channel, &id, nonce);
        Ok(id)
    }

    fn announce(&mut self, channel: &str, id: &str, nonce: Option<Value>) {
        let Some(mut event) = self.message_event(channel, id) else {
            return;
        };
        if let Some(nonce) = nonce {
            event["nonce"] = nonce;
        }
        self.channel_event(channel, "MESSAGE_CREATE", event);
    }

    /// A message as its events show it; nothing for one that only a person sees.
    pub(super) fn message_event(&self, channel: &str, id: &str) -> Option<Value> {
        let message = self.message(channel, id).ok()?;
        let mut event = self.message_json(message);
        event["channel_type"] = json!(self.channels.get(channel)?.kind as u64);
        if self.channels.get(channel)?.recipient.is_none() {
            event["guild_id"] = json!(self.guild.id);
            if let Some(member) = self.members.get(&message.author) {
                let mut member = self.member_json(member);
                member.as_object_mut()?.remove("user");
                event["member"] = member;
            }
        }
        Some(event)
    }

    /// Whom a message rings. Without `allowed` everybody it names.
    fn ring(&self, message: &mut Message, allowed: Option<&Value>) {
        let Some(channel) = self.channels.get(&message.channel) else {
            return;
        };
        let may = self.permissions(&message.author, channel) & MENTION_EVERYONE != 0;
        let allowed = allowed.filter(|allowed| !allowed.is_null());
        let lets = |kind: &str, id: Option<&str>| {
            let Some(allowed) = allowed else { return true };
            let has = |key: &str, what: &str| {
                allowed[key]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|one| one == what))
            };
            has("parse", kind) || id.is_some_and(|id| has(kind, id))
        };
        let named = render::mentions(&message.content);
        message.mentions = named
            .users
            .into_iter()
            .filter(|id| self.users.contains_key(id) && lets("users", Some(id)))
            .collect();
        message.mention_roles = named
            .roles
            .into_iter()
            .filter(|id| self.roles.get(id).is_some_and(|role| may || role.mentionable))
            .filter(|id| lets("roles", Some(id)))
            .collect();
        message.mention_everyone = named.everyone && may && lets("everyone", None);
        let answered = message.reference.as_ref().and_then(|id| channel.messages.get(id));
        let rings = allowed.is_none_or(|allowed| allowed["replied_user"] == true);
        if let Some(answered) = answered.filter(|_| rings)
            && !message.mentions.contains(&answered.author)
        {
            message.mentions.push(answered.author.clone());
        }
    }

    /// A message gets another content. `stamped` is whether it says "(edited)" afterwards.
    pub(super) fn change(
        &mut self,
        channel: &str,
        id: &str,
        stamped: bool,
        change: impl FnOnce(&mut Message),
    ) -> Result<()> {
        let now = self.now;
        let message = self.message_mut(channel, id)?;
        change(message);
        if stamped {
            message.edited = Some(now);
        }
        if let Some(event) = self.message_event(channel, id) {
            self.channel_event(channel, "MESSAGE_UPDATE", event);
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, channel: &str, id: &str) -> Result<()> {
        let there = self.channel_mut(channel)?;
        let message = there.messages.remove(id).ok_or(UNKNOWN_MESSAGE)?;
        there.pins.retain(|pin| pin.message != id);
        there.deleted.insert(id.to_owned());
        if message.only_for.is_none() {
            let event = self.in_guild(channel, json!({ "id": id, "channel_id": channel }));
            self.channel_event(channel, "MESSAGE_DELETE", event);
        }
        Ok(())
    }

    /// The same with the guild's id, unless the channel is a direct conversation.
    fn in_guild(&self, channel: &str, mut event: Value) -> Value {
        if self
            .channels
            .get(channel)
            .is_some_and(|channel| channel.recipient.is_none())
        {
            event["guild_id"] = json!(self.guild.id);
        }
        event
    }

    pub(super) fn react(&mut self, channel: &str, id: &str, user: &str, emoji: &str) -> Result<()> {
        if !render::is_emoji(emoji) {
            return Err(UNKNOWN_EMOJI.into());
        }
        let message = self.message_mut(channel, id)?;
        let (author, full) = (message.author.clone(), message.reactions.len() >= REACTIONS);
        match message
            .reactions
            .iter_mut()
            .find(|reaction| reaction.emoji == emoji)
        {
            Some(there) if there.users.iter().any(|known| known == user) => return Ok(()),
            Some(there) => there.users.push(user.to_owned()),
            None if full => return Err(TOO_MANY_REACTIONS.into()),
            None => message.reactions.push(Reaction {
                emoji: emoji.to_owned(),
                users: vec![user.to_owned()],
            }),
        }
        let mut event = self.reaction_event(channel, id, user, emoji);
        event["message_author_id"] = json!(author);
        if let Some(member) = self.members.get(user)
            && !event["guild_id"].is_null()
        {
            event["member"] = self.member_json(member);
        }
        self.channel_event(channel, "MESSAGE_REACTION_ADD", event);
        Ok(())
    }

    pub(super) fn unreact(&mut self, channel: &str, id: &str, user: &str, emoji: &str) -> Result<()> {
        let message = self.message_mut(channel, id)?;
        let there = message
            .reactions
            .iter_mut()
            .find(|reaction| reaction.emoji == emoji);
        let there = there.filter(|there| there.users.iter().any(|known| known == user));
        let there = there.ok_or(UNKNOWN_EMOJI)?;
        there.users.retain(|known| known != user);
        message.reactions.retain(|reaction| !reaction.users.is_empty());
        let event = self.reaction_event(channel, id, user, emoji);
        self.channel_event(channel, "MESSAGE_REACTION_REMOVE", event);
        Ok(())
    }

    fn reaction_event(&self, channel: &str, id: &str, user: &str, emoji: &str) -> Value {
        self.in_guild(channel, json!({
            "user_id": user, "channel_id": channel, "message_id": id, "emoji": emoji_json(emoji), "type": 0,
            "burst": false,
        }))
    }

    /// Every reaction of a message, or those of one emoji, are taken away.
    pub(super) fn clear_reactions(&mut self, channel: &str, id: &str, emoji: Option<&str>) -> Result<()> {
        let message = self.message_mut(channel, id)?;
        message
            .reactions
            .retain(|reaction| emoji.is_some_and(|emoji| reaction.emoji != emoji));
        let mut event = self.in_guild(channel, json!({ "channel_id": channel, "message_id": id }));
        let name = match emoji {
            Some(emoji) => {
                event["emoji"] = emoji_json(emoji);
                "MESSAGE_REACTION_REMOVE_EMOJI"
            }
            None => "MESSAGE_REACTION_REMOVE_ALL",
        };
        self.channel_event(channel, name, event);
        Ok(())
    }

    /// Pins a message, and says so in a line of Discord's own.
    pub(super) fn pin(&mut self, channel: &str, user: &str, id: &str) -> Result<()> {
        self.message(channel, id)?;
        let at = self.now;
        let there = self.channel_mut(channel)?;
        if there.pins.iter().any(|pin| pin.message == id) {
            return Ok(());
        }
        if there.pins.len() >= PINS {
            return Err(TOO_MANY_PINS.into());
        }
        let message = id.to_owned();
        there.pins.insert(0, Pin { message, at });
        self.pins_changed(channel, id);
        let line = Message {
            channel: channel.to_owned(),
            author: user.to_owned(),
            kind: PINNED,
            reference: Some(id.to_owned()),
            ..Message::default()
        };
        self.post(line, Some(&json!({ "parse": [] })))?;
        Ok(())
    }

    pub(super) fn unpin(&mut self, channel: &str, id: &str) -> Result<()> {
        self.message(channel, id)?;
        let there = self.channel_mut(channel)?;
        there.pins.retain(|pin| pin.message != id);
        self.pins_changed(channel, id);
        Ok(())
    }

    fn pins_changed(&mut self, channel: &str, id: &str) {
        if let Some(event) = self.message_event(channel, id) {
            self.channel_event(channel, "MESSAGE_UPDATE", event);
        }
        let last = self
            .channels
            .get(channel)
            .and_then(|channel| channel.pins.first());
        let last = last.map(|pin| stamp(pin.at));
        let event = json!({ "channel_id": channel, "last_pin_timestamp": last });
        let event = self.in_guild(channel, event);
        self.channel_event(channel, "CHANNEL_PINS_UPDATE", event);
    }

    // --- threads

    /// Opens a thread, on a message or by itself, and gives its id.
    pub(super) fn open_thread(
        &mut self,
        channel: &str,
        message: Option<&str>,
        by: &str,
        name: &str,
        private: bool,
    ) -> Result<String> {
        let since = self.now;
        let kind = if private {
            ChannelKind::PrivateThread
        } else {
            ChannelKind::PublicThread
        };
        self.channel_of(channel)?;
        let thread = self.add_channel(name, kind);
        thread.parent = Some(channel.to_owned());
        thread.thread = Some(Thread {
            owner: by.to_owned(),
            private,
            members: [by.to_owned()].into(),
            archived: false,
            locked: false,
            auto_archive: 4320,
            since,
        });
        let mut id = thread.id.clone();
        if let Some(message) = message
            && let Some(mut thread) = self.channels.remove(&id)
        {
            // A thread on a message has the message's id.
            message.clone_into(&mut id);
            thread.id.clone_from(&id);
            self.channels.insert(id.clone(), thread);
        }
        let mut event = self.channel_json(self.channel_of(&id)?);
        event["newly_created"] = json!(true);
        self.channel_event(&id, "THREAD_CREATE", event);
        if let Some(event) = message.and_then(|message| self.message_event(channel, message)) {
            self.channel_event(channel, "MESSAGE_UPDATE", event);
        }
        if message.is_none() && !private {
            let line = Message {
                channel: channel.to_owned(),
                author: by.to_owned(),
                content: name.to_owned(),
                kind: THREAD_CREATED,
                ..Message::default()
            };
            self.post(line, Some(&json!({ "parse": [] })))?;
        }
        Ok(id)
    }

    pub(super) fn change_thread(&mut self, id: &str, change: impl FnOnce(&mut Thread)) -> Result<()> {
        if let Some(thread) = &mut self.channel_mut(id)?.thread {
            change(thread);
        }
        self.channel_changed(id);
        Ok(())
    }

    // --- channels

    pub(super) fn channel_made(&mut self, id: &str) {
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        let event = self.channel_json(channel);
        self.channel_event(id, "CHANNEL_CREATE", event);
    }

    pub(super) fn channel_changed(&mut self, id: &str) {
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        let name = if channel.thread.is_some() {
            "THREAD_UPDATE"
        } else {
            "CHANNEL_UPDATE"
        };
        let event = self.channel_json(channel);
        self.channel_event(id, name, event);
    }

    /// A change of a channel's overwrites: who could see it and no longer can is told that it is gone.
    pub(super) fn change_channel(&mut self, id: &str, change: impl FnOnce(&mut Channel)) -> Result<()> {
        let heard = self.hears(id);
        change(self.channel_mut(id)?);
        let hears = self.hears(id);
        if heard && !hears {
            let event = self.channel_json(self.channel_of(id)?);
            self.event(super::gateway::GUILDS, "CHANNEL_DELETE", event);
        } else if hears && !heard {
            self.channel_made(id);
        } else {
            self.channel_changed(id);
        }
        Ok(())
    }

    /// A channel goes, with its threads; what stood in a category stays without it.
    pub(super) fn delete_channel(&mut self, id: &str) -> Result<Value> {
        let whole = self.channel_json(self.channel_of(id)?);
        let thread = self.channel_of(id)?.thread.is_some();
        if thread {
            let event = json!({ "id": id, "guild_id": self.guild.id, "parent_id": whole["parent_id"],
                "type": whole["type"] });
            self.channel_event(id, "THREAD_DELETE", event);
        } else {
            self.channel_event(id, "CHANNEL_DELETE", whole.clone());
        }
        self.channels.remove(id);
        self.channels
            .retain(|_, channel| channel.thread.is_none() || channel.parent.as_deref() != Some(id));
        for channel in self
            .channels
            .values_mut()
            .filter(|channel| channel.parent.as_deref() == Some(id))
        {
            channel.parent = None;
        }
        Ok(whole)
    }

    // --- people

    /// Somebody came into the guild, changed in it, or left.
    pub(super) fn member_event(&mut self, name: &'static str, user: &str) {
        let mut event = json!({ "guild_id": self.guild.id });
        match self.members.get(user) {
            Some(member) => merge(&mut event, self.member_json(member)),
            None => event["user"] = self.user_json(user),
        }
        self.event(super::state::GUILD_MEMBERS, name, event);
    }

    /// Whether somebody sees a channel.
    pub(super) fn sees(&self, user: &str, channel: &Channel) -> bool {
        self.permissions(user, channel) & VIEW_CHANNEL != 0
    }
}
