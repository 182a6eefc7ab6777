//! Asking the guild: what people see, and what the bot did.

use super::gateway::Session;
use super::interaction::Interaction;
use super::model::{Attachment, Channel, Command, Member, Message, Modal, Role, User};
use super::permission::MENTION_EVERYONE;
use super::render;
use super::state::{Call, Outcome, State};

impl State {
    /// A channel or thread by id or by name. A test that names one which does not exist is told so.
    #[track_caller]
    pub fn channel(&self, id_or_name: &str) -> &Channel {
        self.find_channel(id_or_name).unwrap_or_else(|| {
            let there: Vec<&str> = self
                .channels
                .values()
                .map(|channel| channel.name.as_str())
                .collect();
            panic!(
                "there is no channel {id_or_name}; there are: {}",
                there.join(", ")
            )
        })
    }

    pub fn find_channel(&self, id_or_name: &str) -> Option<&Channel> {
        let by_name = || self.channels.values().find(|channel| channel.name == id_or_name);
        self.channels.get(id_or_name).or_else(by_name)
    }

    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    pub fn attachment(&self, id: &str) -> Option<&Attachment> {
        self.attachments.get(id)
    }

    /// Files of a message, with their content.
    pub fn files<'a>(&'a self, message: &'a Message) -> impl Iterator<Item = &'a Attachment> {
        message
            .attachments
            .iter()
            .filter_map(|id| self.attachments.get(id))
    }

    /// Registered commands: the guild's own, and the global ones.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
    }

    /// A message as people see it: its text, embeds, buttons and files.
    pub fn plain(&self, message: &Message) -> String {
        render::message(self, message)
    }

    fn name<'a>(&'a self, user: &'a str) -> &'a str {
        self.users.get(user).map_or(user, |user| user.name.as_str())
    }

    /// The messages of a channel as people see them, oldest first, without Discord's own lines and without what only
    /// one person sees.
    #[track_caller]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        self.spoken(channel).map(|message| self.plain(message)).collect()
    }

    /// What people and bots said for everybody.
    #[track_caller]
    pub fn spoken(&self, channel: &str) -> impl Iterator<Item = &Message> {
        let all = self.channel(channel).messages.values();
        all.filter(|message| !message.is_system() && message.only_for.is_none())
    }

    /// The thread on a message.
    pub fn thread_on(&self, message: &str) -> Option<&Channel> {
        self.channels.get(message)
    }

    /// The whole channel with who said what, for a look at everything.
    #[track_caller]
    pub fn transcript(&self, channel: &str) -> String {
        let line = |message: &Message| {
            let reactions: Vec<String> = message
                .reactions
                .iter()
                .map(|one| format!(" {}{}", one.emoji, one.users.len()))
                .collect();
            let edited = if message.edited.is_some() { " (edited)" } else { "" };
            let only = message
                .only_for
                .as_ref()
                .map(|user| format!(" (only for {})", self.name(user)));
            let answers = if message.reference.is_some() && !message.is_system() {
                "↳ "
            } else {
                ""
            };
            let text = self.plain(message).replace('\n', "\n    ");
            let name = self.name(&message.author);
            format!(
                "{answers}{name}: {text}{edited}{}{}\n",
                reactions.concat(),
                only.unwrap_or_default()
            )
        };
        self.channel(channel).messages.values().map(line).collect()
    }

    /// The newest message that shows this.
    #[track_caller]
    pub fn find(&self, channel: &str, part: &str) -> Option<&Message> {
        let messages: Vec<&Message> = self.find_channel(channel)?.messages.values().collect();
        messages
            .into_iter()
            .rev()
            .find(|message| self.plain(message).contains(part))
    }

    /// Pinned messages as people see them, the newest pin first.
    #[track_caller]
    pub fn pinned_texts(&self, channel: &str) -> Vec<String> {
        let channel = self.channel(channel);
        let messages = channel
            .pins
            .iter()
            .filter_map(|pin| channel.messages.get(&pin.message));
        messages.map(|message| self.plain(message)).collect()
    }

    /// What only this person sees in a channel.
    pub fn whispers(&self, user: &str, channel: &str) -> Vec<String> {
        let messages = self
            .find_channel(channel)
            .into_iter()
            .flat_map(|channel| channel.messages.values());
        let own = messages.filter(|message| message.only_for.as_deref() == Some(user));
        own.map(|message| self.plain(message)).collect()
    }

    /// Everything that this person sees in a channel, with who said it. Nothing where the channel is hidden from them.
    pub fn seen_by(&self, user: &str, channel: &str) -> Vec<String> {
        let channel = self
            .find_channel(channel)
            .filter(|channel| self.sees(user, channel));
        let messages = channel.into_iter().flat_map(|channel| channel.messages.values());
        let own = messages.filter(|message| message.only_for.as_deref().is_none_or(|only| only == user));
        own.map(|message| format!("{}: {}", self.name(&message.author), self.plain(message)))
            .collect()
    }

    /// Whether the channel is shown to them at all.
    pub fn can_see(&self, user: &str, channel: &str) -> bool {
        self.find_channel(channel)
            .is_some_and(|channel| self.sees(user, channel))
    }

    /// Whether somebody may do something in a channel; the bits are in [`super::permission`].
    pub fn may(&self, user: &str, channel: &str, bits: u64) -> bool {
        let channel = self.find_channel(channel);
        channel.is_some_and(|channel| self.permissions(user, channel) & bits == bits)
    }

    /// Every mention in the bot's messages that rings a crowd: `@everyone`, and the roles it rang.
    #[track_caller]
    pub fn alarms(&self, channel: &str) -> Vec<String> {
        let own = self
            .channel(channel)
            .messages
            .values()
            .filter(|message| message.author == self.app.bot_user);
        own.flat_map(|message| {
            let everyone = message.mention_everyone.then(|| "@everyone".to_owned());
            let roles = message.mention_roles.iter().filter_map(|id| self.roles.get(id));
            everyone
                .into_iter()
                .chain(roles.map(|role| format!("@{}", role.name)))
                .collect::<Vec<_>>()
        })
        .collect()
    }

    /// The form in front of this person.
    pub fn form(&self, user: &str) -> Option<&Modal> {
        self.modals.get(user)
    }

    /// A form as people see it.
    pub fn form_text(&self, form: &Modal) -> String {
        render::modal(self, form)
    }

    /// Every call so far.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub fn calls_of(&self, operation: &str) -> Vec<&Call> {
        self.calls
            .iter()
            .filter(|call| call.operation == operation)
            .collect()
    }

    /// Calls that are waiting for an answer.
    pub fn calls_open(&self, operation: &str) -> usize {
        let calls = self.calls_of(operation);
        calls.iter().filter(|call| call.answer == Outcome::Open).count()
    }

    pub fn interactions(&self) -> impl Iterator<Item = &Interaction> {
        self.interactions.values()
    }

    /// Interactions that have no first response yet.
    pub fn unanswered(&self) -> usize {
        self.interactions
            .values()
            .filter(|one| one.settled.is_none())
            .count()
    }

    /// Calls that hang, by a fault, and whose caller still waits.
    pub fn hanging(&self) -> usize {
        self.hanging
    }

    /// Calls of the last ten minutes that were answered 401, 403 or 429. At 10,000 the address is shut out.
    pub fn invalid_calls(&self) -> usize {
        self.limits.invalid_now(self.now)
    }

    /// Connections that have a session.
    pub fn connected(&self) -> usize {
        self.gateway
            .sockets
            .iter()
            .filter(|socket| socket.session.is_some())
            .count()
    }

    /// How often a session was started, and how often one was taken up again.
    pub fn sessions_started(&self) -> usize {
        self.gateway.sessions.len()
    }

    pub fn sessions_resumed(&self) -> usize {
        self.gateway.resumed
    }

    /// What the newest session asked to hear.
    pub fn intents(&self) -> u64 {
        self.gateway.sessions.last().map_or(0, |session| session.intents)
    }

    /// Whether every connection has acknowledged the last event of its session.
    pub(super) fn all_heard(&self) -> bool {
        self.gateway
            .sockets
            .iter()
            .filter(|socket| socket.session.is_some())
            .all(|socket| {
                let session = socket.session.as_deref().and_then(|id| self.session(id));
                session.is_some_and(|session: &Session| socket.heard == Some(session.seq))
            })
    }

    /// How far each connection has read, for whoever waits in vain.
    pub(super) fn connections(&self) -> String {
        let line = |socket: &super::gateway::Socket| {
            let session = socket.session.as_deref().and_then(|id| self.session(id));
            let sent = session.map(|session| session.seq);
            format!("a connection has heard {:?} of {sent:?}\n", socket.heard)
        };
        self.gateway.sockets.iter().map(line).collect()
    }

    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    pub fn bot_user(&self) -> &str {
        &self.app.bot_user
    }

    /// Whether the bot could ring everybody in a channel, if it wanted to.
    pub fn could_ring_everyone(&self, channel: &str) -> bool {
        self.may(&self.app.bot_user, channel, MENTION_EVERYONE)
    }
}

impl Message {
    /// Who reacted, emoji by emoji.
    pub fn reacted(&self) -> Vec<(&str, &[String])> {
        self.reactions
            .iter()
            .map(|one| (one.emoji.as_str(), one.users.as_slice()))
            .collect()
    }
}
