//! People: what they do in their client, and what they see there.

use std::sync::Arc;

use serde_json::Value;

use super::Shared;
use super::fail::{Fail, MISSING_ACCESS, MISSING_PERMISSIONS, Result};
use super::interaction::COMMAND;
use super::interaction::COMPLETION;
use super::model::{Attachment, Message, Modal, REPLY, SAID};
use super::permission::{
    ADD_REACTIONS, CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_MESSAGES, PIN_MESSAGES,
    SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, USE_APPLICATION_COMMANDS, VIEW_CHANNEL,
};
use super::sent::Sent;
use super::state::State;

/// Somebody with an account. Everything done here is what Discord's own client lets a person do.
#[derive(Clone)]
pub struct Person {
    pub(super) shared: Arc<Shared>,
    pub(super) id: String,
}

impl Person {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How others mention them: `<@…>`.
    pub fn mention(&self) -> String {
        format!("<@{}>", self.id)
    }

    #[track_caller]
    fn act<R>(&self, act: impl FnOnce(&mut State) -> Result<R>) -> R {
        self.shared
            .with(act)
            .unwrap_or_else(|why| panic!("{} cannot do that: {}", self.name(), why.message))
    }

    #[track_caller]
    fn send(&self, act: impl FnOnce(&mut State) -> std::result::Result<String, String>) -> Sent {
        let id = self
            .shared
            .with(act)
            .unwrap_or_else(|why| panic!("{}: {why}", self.name()));
        Sent::new(&self.shared, id)
    }

    fn name(&self) -> String {
        self.shared.read(|state| {
            state
                .user(&self.id)
                .map(|user| user.name.clone())
                .unwrap_or_default()
        })
    }

    /// Whether they may do something in a channel.
    fn may(&self, state: &State, channel: &str, bits: u64) -> Result<()> {
        let channel = state.channel_of(channel)?;
        let has = state.permissions(&self.id, channel);
        match (has & VIEW_CHANNEL != 0, has & bits == bits) {
            (false, _) => Err(MISSING_ACCESS.into()),
            (_, false) => Err(MISSING_PERMISSIONS.into()),
            _ => Ok(()),
        }
    }

    // --- in the guild

    pub fn joins_guild(&self) {
        self.shared.with(|state| {
            state.add_member(&self.id);
            state.member_event("GUILD_MEMBER_ADD", &self.id);
        });
    }

    pub fn leaves_guild(&self) {
        self.shared.with(|state| {
            state.members.remove(&self.id);
            state.member_event("GUILD_MEMBER_REMOVE", &self.id);
        });
    }

    /// Takes another name in this guild.
    pub fn is_called(&self, nick: &str) {
        self.shared.with(|state| {
            state.add_member(&self.id).nick = Some(nick.to_owned());
            state.member_event("GUILD_MEMBER_UPDATE", &self.id);
        });
    }

    /// The direct conversation with the bot.
    pub fn direct(&self) -> String {
        self.shared.with(|state| state.direct(&self.id))
    }

    /// Deletes a channel or a thread, whoever made it.
    #[track_caller]
    pub fn deletes_channel(&self, channel: &str) {
        self.act(|state| state.delete_channel(channel).map(drop));
    }

    /// Gives a channel another name.
    #[track_caller]
    pub fn renames(&self, channel: &str, name: &str) {
        self.act(|state| state.change_channel(channel, |channel| name.clone_into(&mut channel.name)));
    }

    // --- messages

    /// Writes a message and gives its id. Mentions are written as `<@…>`.
    #[track_caller]
    pub fn says(&self, channel: &str, text: &str) -> String {
        self.writes(channel, None, text, None)
    }

    /// Answers a message with one that points at it.
    #[track_caller]
    pub fn replies(&self, channel: &str, message: &str, text: &str) -> String {
        self.writes(channel, Some(message), text, None)
    }

    /// Writes a message with a file.
    #[track_caller]
    pub fn uploads(&self, channel: &str, text: &str, name: &str, mimetype: &str, bytes: &[u8]) -> String {
        self.writes(channel, None, text, Some((name, mimetype, bytes)))
    }

    #[track_caller]
    fn writes(
        &self,
        channel: &str,
        answered: Option<&str>,
        text: &str,
        file: Option<(&str, &str, &[u8])>,
    ) -> String {
        self.act(|state| {
            let thread = state.channel_of(channel)?.thread.is_some();
            self.may(
                state,
                channel,
                if thread {
                    SEND_MESSAGES_IN_THREADS
                } else {
                    SEND_MESSAGES
                },
            )?;
            let attachments = file.map(|file| attach(state, file)).into_iter().collect();
            let message = Message {
                channel: channel.to_owned(),
                author: self.id.clone(),
                content: text.to_owned(),
                kind: if answered.is_some() { REPLY } else { SAID },
                reference: answered.map(str::to_owned),
                attachments,
                ..Message::default()
            };
            state.post(message, None)
        })
    }

    #[track_caller]
    pub fn edits(&self, channel: &str, message: &str, text: &str) {
        self.act(|state| {
            if state.message(channel, message)?.author != self.id {
                return Err(super::fail::NOT_YOURS.into());
            }
            state.change(channel, message, true, |message| {
                text.clone_into(&mut message.content)
            })
        });
    }

    #[track_caller]
    pub fn deletes(&self, channel: &str, message: &str) {
        self.act(|state| {
            if state.message(channel, message)?.author != self.id {
                self.may(state, channel, MANAGE_MESSAGES)?;
            }
            state.delete(channel, message)
        });
    }

    /// Discord shows a preview of a link in this message, which arrives as a change that nobody made.
    #[track_caller]
    pub fn link_is_unfurled(&self, channel: &str, message: &str, url: &str) {
        let preview =
            serde_json::json!({ "type": "link", "url": url, "title": "A page", "description": "Its text" });
        self.act(|state| state.change(channel, message, false, |message| message.embeds.push(preview)));
    }

    #[track_caller]
    pub fn reacts(&self, channel: &str, message: &str, emoji: &str) {
        self.act(|state| {
            self.may(state, channel, ADD_REACTIONS)?;
            state.react(channel, message, &self.id, emoji)
        });
    }

    #[track_caller]
    pub fn unreacts(&self, channel: &str, message: &str, emoji: &str) {
        self.act(|state| state.unreact(channel, message, &self.id, emoji));
    }

    #[track_caller]
    pub fn pins(&self, channel: &str, message: &str) {
        self.act(|state| {
            self.may(state, channel, PIN_MESSAGES)?;
            state.pin(channel, &self.id, message)
        });
    }

    #[track_caller]
    pub fn unpins(&self, channel: &str, message: &str) {
        self.act(|state| {
            self.may(state, channel, PIN_MESSAGES)?;
            state.unpin(channel, message)
        });
    }

    /// Opens a thread on a message and gives its id, in which one then says things.
    #[track_caller]
    pub fn opens_thread(&self, channel: &str, message: &str, name: &str) -> String {
        self.act(|state| {
            self.may(state, channel, CREATE_PUBLIC_THREADS)?;
            state.open_thread(channel, Some(message), &self.id, name, false)
        })
    }

    /// Opens a thread that only those see who are in it, the bot among them, and gives its id.
    #[track_caller]
    pub fn opens_private_thread(&self, channel: &str, name: &str) -> String {
        self.act(|state| {
            self.may(state, channel, CREATE_PRIVATE_THREADS)?;
            let id = state.open_thread(channel, None, &self.id, name, true)?;
            let bot = state.app.bot_user.clone();
            if let Some(thread) = &mut state.channel_mut(&id)?.thread {
                thread.members.insert(bot);
            }
            let event = state.channel_json(state.channel_of(&id)?);
            state.channel_event(&id, "THREAD_CREATE", event);
            Ok(id)
        })
    }

    /// Closes a thread: it folds, and is read and found as before.
    #[track_caller]
    pub fn archives(&self, thread: &str) {
        self.act(|state| {
            let now = state.now;
            state.change_thread(thread, |thread| {
                thread.archived = true;
                thread.since = now;
            })
        });
    }

    // --- commands

    /// Types a slash command: `/incident open summary:Orders hang severity:sev1`. A value goes on until the next option;
    /// people, channels and roles are named `@ana`, `#ops`, `@sre`. What the bot has not registered, Discord's client
    /// does not send: the test fails.
    #[track_caller]
    pub fn types(&self, line: &str, channel: &str) -> Sent {
        self.send(|state| {
            let typed = state.typed(line)?;
            self.sends_command(state, channel, COMMAND, &typed, None)
        })
    }

    /// The same from its parts: `incident open`, `json!({"summary": "a: b"})`.
    #[track_caller]
    pub fn commands(&self, path: &str, options: &Value, channel: &str) -> Sent {
        self.send(|state| self.sends_command(state, channel, COMMAND, &State::given(path, options), None))
    }

    /// Why Discord's own client would not send this command: what is missing, or is not among what can be chosen.
    pub fn refused(&self, path: &str, options: &Value) -> Option<String> {
        let typed = State::given(path, options);
        self.shared
            .read(|state| state.command_data(&self.id, &typed, None).err())
    }

    /// Types a command with a file for one of its options.
    #[track_caller]
    pub fn types_with_file(
        &self,
        line: &str,
        channel: &str,
        option: &str,
        name: &str,
        mimetype: &str,
        bytes: &[u8],
    ) -> Sent {
        self.send(|state| {
            let typed = state.typed(line)?;
            let id = attach(state, (name, mimetype, bytes));
            let file = state.attachments[&id].clone();
            self.sends_command(state, channel, COMMAND, &typed, Some((option, &file)))
        })
    }

    /// Is in the middle of typing the line's last option, and is offered what fits.
    #[track_caller]
    pub fn completes(&self, line: &str, channel: &str) -> Sent {
        self.send(|state| {
            let mut typed = state.typed(line)?;
            typed.focus_last()?;
            self.sends_command(state, channel, COMPLETION, &typed, None)
        })
    }

    fn sends_command(
        &self,
        state: &mut State,
        channel: &str,
        kind: u8,
        typed: &super::options::Typed,
        file: Option<(&str, &Attachment)>,
    ) -> std::result::Result<String, String> {
        self.may(state, channel, USE_APPLICATION_COMMANDS)
            .map_err(|why: Fail| why.message)?;
        let data = state.command_data(&self.id, typed, file)?;
        Ok(state.interact(kind, &self.id, channel, data, None))
    }

    /// Uses a command of a message's context menu.
    #[track_caller]
    pub fn uses(&self, command: &str, channel: &str, message: &str) -> Sent {
        self.send(|state| state.use_on(&self.id, command, channel, 3, message))
    }

    /// Uses a command of a person's context menu.
    #[track_caller]
    pub fn uses_on_person(&self, command: &str, channel: &str, person: &Self) -> Sent {
        self.send(|state| state.use_on(&self.id, command, channel, 2, &person.id))
    }

    // --- buttons, menus and forms

    /// Presses a button of a message: by its custom_id or its words.
    #[track_caller]
    pub fn presses(&self, channel: &str, message: &str, which: &str) -> Sent {
        self.chooses(channel, message, which, &[])
    }

    /// Chooses in a menu of a message: options by value or words, people, roles and channels by id.
    #[track_caller]
    pub fn chooses(&self, channel: &str, message: &str, which: &str, chosen: &[&str]) -> Sent {
        self.send(|state| state.press(&self.id, channel, message, which, chosen))
    }

    /// Presses a button that this message had once and may have no longer, or that an older version of the bot posted:
    /// their client still showed it. `button` is the component as it was.
    #[track_caller]
    pub fn presses_old(&self, channel: &str, message: &str, button: &Value) -> Sent {
        self.send(|state| state.press_this(&self.id, channel, message, button, &[]))
    }

    /// Sends a form with these fields filled, each named by custom_id or label: `json!({"Summary": "Orders hang"})`.
    #[track_caller]
    pub fn submits(&self, form: &Modal, values: &Value) -> Sent {
        self.send(|state| state.submit(&self.id, form, values))
    }

    /// Closes the form. The bot is told nothing.
    pub fn closes_form(&self) {
        self.shared.with(|state| state.modals.remove(&self.id));
    }

    // --- what they see

    /// The form in front of them, once there is one.
    pub async fn form(&self) -> Modal {
        let what = format!("a form for {}", self.name());
        self.shared
            .wait(&what, |state| state.form(&self.id).cloned())
            .await
    }

    /// Everything they see in a channel, with who said it; nothing if it is hidden from them.
    pub fn sees(&self, channel: &str) -> Vec<String> {
        self.shared.read(|state| state.seen_by(&self.id, channel))
    }

    /// What only they see in a channel, in order.
    pub fn whispers(&self, channel: &str) -> Vec<String> {
        self.shared.read(|state| state.whispers(&self.id, channel))
    }

    /// Waits until only they are shown something that contains this, and gives the message's id.
    pub async fn is_told(&self, channel: &str, part: &str) -> String {
        let found = |state: &State| {
            let shown = state.channels.get(channel)?.messages.values();
            let mut own = shown.filter(|message| message.only_for.as_deref() == Some(self.id.as_str()));
            own.rfind(|message| state.plain(message).contains(part))
                .map(|message| message.id.clone())
        };
        self.shared
            .wait(&format!("{} to be told “{part}”", self.name()), found)
            .await
    }
}

fn attach(state: &mut State, (name, mimetype, bytes): (&str, &str, &[u8])) -> String {
    let id = state.id();
    let file = Attachment {
        id: id.clone(),
        filename: name.to_owned(),
        content_type: mimetype.to_owned(),
        description: None,
        bytes: bytes.to_vec(),
    };
    state.attachments.insert(id.clone(), file);
    id
}
