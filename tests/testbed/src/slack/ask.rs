//! Asking the workspace: what people see, and what the bot did.

use serde_json::Value;

use super::deliver::Delivery;
use super::form;
use super::model::{Channel, File, Message, User, View};
use super::render;
use super::shown;
use super::state::{Answer, Call, State};

impl State {
    /// A channel by id or by name. A test that names one which does not exist is told so.
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

    pub fn file(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }

    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values().filter(|file| file.completed && !file.deleted)
    }

    /// A message as people see it: its blocks if it has any, else its text; then attachments and files.
    pub fn plain(&self, message: &Message) -> String {
        let mut parts = Vec::new();
        if message.blocks.is_empty() {
            parts.push(render::decoded(self, &message.text));
        } else {
            // A file's comment stands above the blocks; any other text beside blocks is for notifications only.
            parts.push(render::blocks(self, &message.blocks));
        }
        for attachment in &message.attachments {
            match attachment["blocks"].as_array() {
                Some(blocks) => parts.push(render::blocks(self, blocks)),
                None => parts.push(render::decoded(
                    self,
                    attachment["text"].as_str().unwrap_or_default(),
                )),
            }
        }
        for file in message.files.iter().filter_map(|id| self.files.get(id)) {
            parts.push(format!("[file: {}]", file.title));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    /// The messages of a channel as people see them, oldest first, without replies and without Slack's own lines.
    #[track_caller]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        self.spoken(channel)
            .filter(|m| !m.is_reply() || m.broadcast)
            .map(|m| self.plain(m))
            .collect()
    }

    /// The replies of a thread as people see them.
    #[track_caller]
    pub fn thread(&self, channel: &str, ts: &str) -> Vec<String> {
        shown::replies(self.channel(channel), ts)
            .into_iter()
            .map(|m| self.plain(m))
            .collect()
    }

    /// What people and bots said, replies too.
    #[track_caller]
    pub fn spoken(&self, channel: &str) -> impl Iterator<Item = &Message> {
        let systems = ["channel_", "bot_", "group_", "tombstone"];
        self.channel(channel).messages.values().filter(move |message| {
            let subtype = message.subtype.as_deref().unwrap_or_default();
            !systems.iter().any(|system| subtype.starts_with(system))
        })
    }

    /// The whole channel with who said what, replies beneath their parents: for a look at everything.
    #[track_caller]
    pub fn transcript(&self, channel: &str) -> String {
        let mut out = String::new();
        let there = self.channel(channel);
        let line = |message: &Message, mark: &str| {
            let name = self
                .users
                .get(&message.user)
                .map_or(message.user.as_str(), |user| user.name.as_str());
            let reactions: Vec<String> = message
                .reactions
                .iter()
                .map(|r| format!(" :{}:{}", r.name, r.users.len()))
                .collect();
            let edited = if message.edited.is_some() { " (edited)" } else { "" };
            let text = self.plain(message).replace('\n', "\n    ");
            format!("{mark}{name}: {text}{edited}{}\n", reactions.concat())
        };
        for message in self.spoken(channel).filter(|message| !message.is_reply()) {
            out.push_str(&line(message, ""));
            for reply in shown::replies(there, &message.ts) {
                out.push_str(&line(reply, "  ↳ "));
            }
        }
        out
    }

    /// The first message that shows this, the newest first.
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
            .filter_map(|pin| channel.messages.get(&pin.ts));
        messages.map(|message| self.plain(message)).collect()
    }

    /// What only this person can see in a channel.
    pub fn whispers(&self, user: &str, channel: &str) -> Vec<String> {
        let shown = self
            .find_channel(channel)
            .map_or(&[][..], |channel| &channel.ephemerals);
        shown
            .iter()
            .filter(|shown| shown.user == user)
            .map(|shown| self.plain(&shown.message))
            .collect()
    }

    /// Every mention in the bot's messages that rings a crowd: `<!channel>`, `<!subteam^…>` and the like.
    #[track_caller]
    pub fn alarms(&self, channel: &str) -> Vec<String> {
        let own = self
            .channel(channel)
            .messages
            .values()
            .filter(|message| message.user == self.app.bot_user);
        own.flat_map(|message| {
            let mut found = render::alarms(&Value::String(message.text.clone()));
            found.extend(render::alarms(&Value::Array(message.blocks.clone())));
            found.dedup();
            found
        })
        .collect()
    }

    /// The form in front of this person.
    pub fn form(&self, user: &str) -> Option<View> {
        self.modals
            .get(user)?
            .last()
            .and_then(|id| self.views.get(id))
            .cloned()
    }

    /// How many forms they have open on top of each other.
    pub fn forms_open(&self, user: &str) -> usize {
        self.modals.get(user).map_or(0, Vec::len)
    }

    /// This person's home tab as last published.
    pub fn home(&self, user: &str) -> Option<View> {
        self.views.get(self.homes.get(user)?).cloned()
    }

    /// A form or home tab as people see it, errors beside their fields.
    pub fn view_text(&self, view: &View) -> String {
        let mut out = String::new();
        if let Some(title) = view.body["title"]["text"].as_str() {
            out.push_str(&format!("== {title} ==\n"));
        }
        for block in view.body["blocks"].as_array().into_iter().flatten() {
            let text = render::blocks(self, std::slice::from_ref(block));
            if !text.is_empty() {
                out.push_str(&format!("{text}\n"));
            }
            let error = block["block_id"].as_str().and_then(|id| view.errors.get(id));
            if let Some(error) = error {
                out.push_str(&format!("  ! {error}\n"));
            }
        }
        for button in ["submit", "close"] {
            if let Some(words) = view.body[button]["text"].as_str() {
                out.push_str(&format!("[{words}]"));
            }
        }
        out.trim_end().to_owned()
    }

    /// Every call so far, or those of one method.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub fn calls_of(&self, method: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.method == method).collect()
    }

    /// Calls that are waiting for an answer.
    pub fn calls_open(&self, method: &str) -> usize {
        self.calls_of(method)
            .iter()
            .filter(|call| call.answer == Answer::Open)
            .count()
    }

    pub fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.all.values()
    }

    /// Calls that hang, by a fault, and whose caller still waits.
    pub fn hanging(&self) -> usize {
        self.hanging
    }

    /// Deliveries that are neither acknowledged nor given up.
    pub fn undelivered(&self) -> usize {
        self.deliveries
            .all
            .values()
            .filter(|delivery| delivery.settled.is_none())
            .count()
    }

    /// What is delivered and not acknowledged, and what became of each try.
    pub(super) fn on_its_way(&self) -> String {
        let open = self.deliveries.all.values();
        let open = open.filter(|delivery| delivery.settled.is_none());
        open.map(|delivery| {
            let tries = delivery.attempts.iter().map(|attempt| attempt.failed.as_deref());
            let kind = &delivery.payload["event"]["type"];
            format!(
                "not acknowledged: {:?} {kind}, tries: {:?}\n",
                delivery.carries,
                tries.collect::<Vec<_>>()
            )
        })
        .collect()
    }

    /// Connections that are given envelopes.
    pub fn sockets(&self) -> usize {
        self.deliveries
            .sockets
            .iter()
            .filter(|socket| socket.takes)
            .count()
    }

    /// Connections that are open, whether or not they are given anything.
    pub fn connections(&self) -> usize {
        self.deliveries.sockets.len()
    }

    /// The fewest that were open at a time since they were last warned or asked to be renewed.
    pub fn fewest_connections(&self) -> usize {
        self.deliveries.fewest
    }

    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    pub fn bot_user(&self) -> &str {
        &self.app.bot_user
    }
}

impl View {
    /// What a field holds now, as Slack reports it.
    #[track_caller]
    pub fn field(&self, which: &str) -> &Value {
        let blocks = self.body["blocks"].as_array().map_or(&[][..], Vec::as_slice);
        let place = form::find(blocks, which).unwrap_or_else(|why| panic!("{why}"));
        &self.values[&place.block_id][place.action_id()]
    }
}

impl Channel {
    /// Whether this user is in it.
    pub fn has(&self, user: &str) -> bool {
        self.members.contains(user)
    }

    pub fn reactions(&self, ts: &str) -> Vec<(&str, &[String])> {
        let reactions = self
            .messages
            .get(ts)
            .map_or(&[][..], |message| &message.reactions);
        reactions
            .iter()
            .map(|r| (r.name.as_str(), r.users.as_slice()))
            .collect()
    }
}
