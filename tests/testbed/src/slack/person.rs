//! People: what they do in their client, and what they see there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use super::form::{self, Place};
use super::model::{Channel, ChannelKind, Message, View};
use super::payload::Surface;
use super::render;
use super::sent::Sent;
use super::state::State;

/// Somebody with an account. Everything done here is what Slack's own client lets a person do.
#[derive(Clone)]
pub struct Person {
    pub(super) shared: Arc<Shared>,
    pub(super) id: String,
}

impl Person {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How others mention them: `<@U…>`.
    pub fn mention(&self) -> String {
        format!("<@{}>", self.id)
    }

    #[track_caller]
    fn act<R>(&self, act: impl FnOnce(&mut State) -> super::fail::Result<R>) -> R {
        self.shared
            .with(act)
            .unwrap_or_else(|why| panic!("{} cannot do that: {}", self.id, why.code))
    }

    #[track_caller]
    fn send(&self, act: impl FnOnce(&mut State) -> Result<u64, String>) -> Sent {
        let serial = self
            .shared
            .with(act)
            .unwrap_or_else(|why| panic!("{}: {why}", self.id));
        Sent::new(&self.shared, serial)
    }

    /// Makes a channel and gives its id.
    pub fn creates(&self, name: &str, kind: ChannelKind) -> String {
        self.shared.with(|state| state.add_channel(name, kind, &self.id))
    }

    #[track_caller]
    pub fn joins(&self, channel: &str) {
        self.act(|state| state.join(channel, &self.id, None));
    }

    #[track_caller]
    pub fn leaves(&self, channel: &str) {
        self.act(|state| state.leave(channel, &self.id));
    }

    /// Brings somebody into a channel, the bot too.
    #[track_caller]
    pub fn invites(&self, user: &str, channel: &str) {
        self.act(|state| state.join(channel, user, Some(&self.id)));
    }

    #[track_caller]
    pub fn archives(&self, channel: &str) {
        self.act(|state| state.archive(channel, &self.id, true));
    }

    #[track_caller]
    pub fn unarchives(&self, channel: &str) {
        self.act(|state| state.archive(channel, &self.id, false));
    }

    #[track_caller]
    pub fn renames(&self, channel: &str, name: &str) {
        self.act(|state| state.rename(channel, &self.id, name));
    }

    /// Writes a message and gives its ts. Mentions are written as `<@U…>`; all else is text as typed.
    #[track_caller]
    pub fn says(&self, channel: &str, text: &str) -> String {
        self.writes(channel, None, text, Vec::new())
    }

    /// Answers in a thread.
    #[track_caller]
    pub fn replies(&self, channel: &str, thread: &str, text: &str) -> String {
        self.writes(channel, Some(thread), text, Vec::new())
    }

    /// Answers in a thread, and shows it in the channel too.
    #[track_caller]
    pub fn replies_to_all(&self, channel: &str, thread: &str, text: &str) -> String {
        let message = Message {
            channel: channel.to_owned(),
            user: self.id.clone(),
            subtype: Some("thread_broadcast".to_owned()),
            text: render::typed(text),
            thread_ts: Some(thread.to_owned()),
            broadcast: true,
            ..Message::default()
        };
        self.act(|state| state.post(message))
    }

    /// Writes a message with a file. Gives the message's ts and the file's id.
    #[track_caller]
    pub fn uploads(&self, channel: &str, name: &str, mimetype: &str, bytes: &[u8]) -> (String, String) {
        let file = self.shared.with(|state| {
            let id = state.add_file(&self.id, name, mimetype, bytes);
            if let Some(file) = state.files.get_mut(&id) {
                file.channels.push(channel.to_owned());
            }
            id
        });
        (self.writes(channel, None, "", vec![file.clone()]), file)
    }

    #[track_caller]
    fn writes(&self, channel: &str, thread: Option<&str>, text: &str, files: Vec<String>) -> String {
        let message = Message {
            channel: channel.to_owned(),
            user: self.id.clone(),
            subtype: (!files.is_empty()).then(|| "file_share".to_owned()),
            text: render::typed(text),
            thread_ts: thread.map(str::to_owned),
            files,
            ..Message::default()
        };
        self.act(|state| {
            if !state.channel_mut(channel)?.members.contains(&self.id) {
                return Err(super::fail::fail("not_in_channel"));
            }
            state.post(message)
        })
    }

    #[track_caller]
    pub fn edits(&self, channel: &str, ts: &str, text: &str) {
        self.act(|state| {
            state.change(channel, ts, Some(&self.id), |message| {
                message.text = render::typed(text)
            })
        });
    }

    #[track_caller]
    pub fn deletes(&self, channel: &str, ts: &str) {
        self.act(|state| state.delete(channel, ts));
    }

    /// Slack shows a preview of a link in this message, which arrives as a change that nobody made.
    #[track_caller]
    pub fn link_is_unfurled(&self, channel: &str, ts: &str, url: &str) {
        let preview =
            json!({ "id": 1, "title": "A page", "title_link": url, "from_url": url, "text": "Its text" });
        self.act(|state| state.change(channel, ts, None, |message| message.attachments.push(preview)));
    }

    #[track_caller]
    pub fn reacts(&self, channel: &str, ts: &str, emoji: &str) {
        self.act(|state| state.react(channel, ts, &self.id, emoji));
    }

    #[track_caller]
    pub fn unreacts(&self, channel: &str, ts: &str, emoji: &str) {
        self.act(|state| state.unreact(channel, ts, &self.id, emoji));
    }

    #[track_caller]
    pub fn pins(&self, channel: &str, ts: &str) {
        self.act(|state| state.pin(channel, &self.id, ts, true));
    }

    #[track_caller]
    pub fn unpins(&self, channel: &str, ts: &str) {
        self.act(|state| state.pin(channel, &self.id, ts, false));
    }

    /// Types a slash command into a channel.
    #[track_caller]
    pub fn types(&self, line: &str, channel: &str) -> Sent {
        self.send(|state| {
            let command = line.split(' ').next().unwrap_or_default();
            if state
                .app
                .commands
                .as_ref()
                .is_some_and(|known| !known.contains(command))
            {
                return Err(format!(
                    "{command} is not a valid command: the manifest does not have it"
                ));
            }
            Ok(state.command(&self.id, channel, line))
        })
    }

    /// Presses a button of a message: by its action id, its block's id, or its words.
    #[track_caller]
    pub fn presses(&self, channel: &str, ts: &str, which: &str) -> Sent {
        self.chooses(channel, ts, which, Value::Null)
    }

    /// Chooses something in a message's menu: an option's value or words, a user's id, a date.
    #[track_caller]
    pub fn chooses(&self, channel: &str, ts: &str, which: &str, value: impl Into<Value>) -> Sent {
        let surface = message(channel, ts);
        self.send(|state| state.use_element(&self.id, &surface, which, &value.into(), &Value::Null))
    }

    /// Presses a button of a message that has fields, with these of them filled, named as in [`Self::submits`].
    #[track_caller]
    pub fn presses_with(&self, channel: &str, ts: &str, which: &str, fields: &Value) -> Sent {
        let surface = message(channel, ts);
        self.send(|state| state.use_element(&self.id, &surface, which, &Value::Null, fields))
    }

    /// Presses a button that this message had once and may have no longer, or that an older version of the bot posted:
    /// their client still showed it. `button` is the element as it was.
    pub fn presses_old(&self, channel: &str, ts: &str, block_id: &str, button: Value) -> Sent {
        let (surface, place) = (message(channel, ts), Place::of_old(block_id, button));
        let nothing = json!({ "values": {} });
        let serial = self
            .shared
            .with(|state| state.act_on(&self.id, &surface, &place, &Value::Null, nothing));
        Sent::new(&self.shared, serial)
    }

    /// Presses a button in a form or in the home tab.
    #[track_caller]
    pub fn presses_in(&self, view: &str, which: &str) -> Sent {
        self.chooses_in(view, which, Value::Null)
    }

    /// Chooses something in a form or in the home tab that tells the bot at once.
    #[track_caller]
    pub fn chooses_in(&self, view: &str, which: &str, value: impl Into<Value>) -> Sent {
        self.send(|state| {
            state.use_element(
                &self.id,
                &Surface::View(view.to_owned()),
                which,
                &value.into(),
                &Value::Null,
            )
        })
    }

    /// Types into a menu of a form that asks the bot for its options.
    #[track_caller]
    pub fn searches_in(&self, view: &str, which: &str, typed: &str) -> Sent {
        self.send(|state| state.ask_options(&self.id, &Surface::View(view.to_owned()), which, typed))
    }

    /// Types into a menu of a message that asks the bot for its options.
    #[track_caller]
    pub fn searches(&self, channel: &str, ts: &str, which: &str, typed: &str) -> Sent {
        let surface = message(channel, ts);
        self.send(|state| state.ask_options(&self.id, &surface, which, typed))
    }

    /// Fills a field of a form without sending it: by action id, block id or label.
    #[track_caller]
    pub fn fills(&self, view: &str, which: &str, value: impl Into<Value>) {
        let filled = self.shared.with(|state| {
            let view = state
                .views
                .get_mut(view)
                .ok_or_else(|| format!("there is no form {view}"))?;
            form::fill(view, which, &value.into())
        });
        filled.unwrap_or_else(|why| panic!("{}: {why}", self.id));
    }

    /// Sends a form with these fields filled, each named by action id, block id or label:
    /// `json!({"Summary": "Orders hang", "severity": "sev1", "since": 1700000000})`.
    #[track_caller]
    pub fn submits(&self, view: &str, values: Value) -> Sent {
        self.send(|state| state.submit(&self.id, view, &values))
    }

    /// Closes a form. Something goes to the bot only if it asked for that.
    pub fn closes(&self, view: &str) -> Option<Sent> {
        let serial = self.shared.with(|state| state.dismiss(&self.id, view))?;
        Some(Sent::new(&self.shared, serial))
    }

    /// Uses a shortcut from anywhere.
    #[track_caller]
    pub fn shortcut(&self, callback: &str) -> Sent {
        self.send(|state| {
            known_shortcut(state, callback)?;
            state.shortcut(&self.id, callback, None)
        })
    }

    /// Uses a shortcut on a message.
    #[track_caller]
    pub fn shortcut_on(&self, callback: &str, channel: &str, ts: &str) -> Sent {
        self.send(|state| {
            known_shortcut(state, callback)?;
            state.shortcut(&self.id, callback, Some((channel, ts)))
        })
    }

    /// Looks at the app's home tab.
    pub fn opens_home(&self) {
        self.shared.with(|state| {
            let mut event = json!({
                "type": "app_home_opened", "user": self.id, "channel": state.direct(&self.id), "tab": "home",
                "event_ts": state.next_ts(),
            });
            let view = state.homes.get(&self.id).and_then(|id| state.views.get(id));
            if let Some(view) = view {
                event["view"] = state.view_json(view);
            }
            state.event(event);
        });
    }

    /// The direct conversation with the bot.
    pub fn direct(&self) -> String {
        self.shared.with(|state| state.direct(&self.id))
    }

    /// The form in front of them, once there is one.
    pub async fn form(&self) -> View {
        self.shared
            .wait(&format!("a form for {}", self.id), |state| state.form(&self.id))
            .await
    }

    /// The home tab as last published, once it is.
    pub async fn home(&self) -> View {
        let home = |state: &State| state.home(&self.id);
        self.shared
            .wait(&format!("a home tab for {}", self.id), home)
            .await
    }

    /// What only they can see in this channel, in order.
    pub fn whispers(&self, channel: &str) -> Vec<String> {
        self.shared.read(|state| state.whispers(&self.id, channel))
    }

    /// Waits until only they are shown something that contains this, and gives its ts.
    pub async fn is_told(&self, channel: &str, part: &str) -> String {
        let found = |state: &State| {
            let shown = state.channels.get(channel).map(|c: &Channel| &c.ephemerals)?;
            let mine = shown.iter().filter(|shown| shown.user == self.id);
            mine.filter(|shown| state.plain(&shown.message).contains(part))
                .map(|s| s.message.ts.clone())
                .next_back()
        };
        self.shared
            .wait(&format!("{} to be told “{part}”", self.id), found)
            .await
    }
}

fn message(channel: &str, ts: &str) -> Surface {
    Surface::Message {
        channel: channel.to_owned(),
        ts: ts.to_owned(),
    }
}

fn known_shortcut(state: &State, callback: &str) -> Result<(), String> {
    match &state.app.shortcuts {
        Some(known) if !known.contains(callback) => Err(format!("the manifest has no shortcut {callback}")),
        _ => Ok(()),
    }
}
