//! Commands and interactions as Slack words them, and what Slack does with the bot's answer.

use serde_json::{Value, json};

use super::args::{Args, Encoding};
use super::deliver::{Carries, Then};
use super::form::{self, Place};
use super::model::{ChannelKind, Message, View};
use super::state::State;

/// Where an element was used.
#[derive(Debug, Clone)]
pub enum Surface {
    Message { channel: String, ts: String },
    View(String),
}

impl State {
    pub(super) fn user_ref(&self, user: &str) -> Value {
        let there = self.users.get(user);
        let name = there.map_or("", |user| user.name.as_str());
        let team = there.map_or(&self.team, |user| &user.team);
        json!({ "id": user, "username": name, "name": name, "team_id": team })
    }

    fn channel_name(&self, channel: &str) -> String {
        match self.channels.get(channel) {
            Some(channel) => match channel.kind {
                ChannelKind::Public => channel.name.clone(),
                ChannelKind::Private => "privategroup".to_owned(),
                ChannelKind::Direct => "directmessage".to_owned(),
                ChannelKind::GroupDirect => "mpdm".to_owned(),
            },
            None => String::new(),
        }
    }

    fn interaction(&self, kind: &str, user: &str) -> Value {
        json!({
            "type": kind, "token": self.app.verification_token, "team": self.team_json(),
            "user": self.user_ref(user), "api_app_id": self.app.id, "enterprise": null,
            "is_enterprise_install": false,
        })
    }

    pub(super) fn command(&mut self, user: &str, channel: &str, line: &str) -> u64 {
        let (command, text) = line.split_once(' ').unwrap_or((line, ""));
        let payload = json!({
            "token": self.app.verification_token, "team_id": self.team, "team_domain": self.domain,
            "channel_id": channel, "channel_name": self.channel_name(channel), "user_id": user,
            "user_name": self.users.get(user).map(|user| user.name.clone()),
            "command": command, "text": self.mentions_named(text.trim()), "api_app_id": self.app.id,
            "is_enterprise_install": "false",
            "response_url": self.new_response_url("commands", user, channel, None),
            "trigger_id": self.new_trigger(user),
        });
        let then = Then::Reply {
            user: user.to_owned(),
            channel: channel.to_owned(),
        };
        self.deliver(Carries::Command, payload, then)
    }

    /// With the manifest's should_escape, mentions in a command carry the name too: `<@U1|ana>`.
    fn mentions_named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let users = self
            .users
            .values()
            .map(|user| (format!("<@{}>", user.id), format!("<@{}|{}>", user.id, user.name)));
        let channels = self
            .channels
            .values()
            .map(|c| (format!("<#{}>", c.id), format!("<#{}|{}>", c.id, c.name)));
        let groups = self.groups.values().map(|g| {
            (
                format!("<!subteam^{}>", g.id),
                format!("<!subteam^{}|@{}>", g.id, g.handle),
            )
        });
        for (plain, named) in users.chain(channels).chain(groups) {
            text = text.replace(&plain, &named);
        }
        text
    }

    /// A message, posted or shown to this person only.
    fn shown_to(&self, user: &str, channel: &str, ts: &str) -> Option<(Message, bool)> {
        if let Some(message) = self.message(channel, ts) {
            return Some((message.clone(), false));
        }
        let shown = &self.channels.get(channel)?.ephemerals;
        let shown = shown
            .iter()
            .find(|shown| shown.user == user && shown.message.ts == ts)?;
        Some((shown.message.clone(), true))
    }

    /// The blocks that a person sees in a message or a view.
    fn blocks_on(&self, user: &str, surface: &Surface) -> Result<Vec<Value>, String> {
        match surface {
            Surface::Message { channel, ts } => {
                let (message, _) = self
                    .shown_to(user, channel, ts)
                    .ok_or_else(|| format!("{user} sees no message {ts} in {channel}"))?;
                let attached = message
                    .attachments
                    .iter()
                    .filter_map(|a| a["blocks"].as_array())
                    .flatten();
                Ok(message.blocks.iter().chain(attached).cloned().collect())
            }
            Surface::View(id) => {
                let view = self
                    .views
                    .get(id)
                    .ok_or_else(|| format!("there is no view {id}"))?;
                Ok(view.body["blocks"].as_array().cloned().unwrap_or_default())
            }
        }
    }

    /// Where it happened: container, channel, message or view.
    fn surrounded(&mut self, payload: &mut Value, user: &str, surface: &Surface) {
        match surface {
            Surface::Message { channel, ts } => {
                let Some((message, ephemeral)) = self.shown_to(user, channel, ts) else {
                    return;
                };
                payload["container"] = json!({
                    "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": ephemeral,
                });
                if let Some(thread) = message.thread_ts.as_ref().filter(|thread| *thread != ts) {
                    payload["container"]["thread_ts"] = json!(thread);
                }
                payload["channel"] = json!({ "id": channel, "name": self.channel_name(channel) });
                if !ephemeral {
                    payload["message"] = self.message_json(&message, true);
                }
            }
            Surface::View(id) => {
                let Some(view) = self.views.get(id) else { return };
                payload["container"] = json!({ "type": "view", "view_id": id });
                payload["view"] = self.view_json(view);
            }
        }
    }

    /// Somebody presses a button or chooses something; in a message, with these of its fields filled.
    pub(super) fn use_element(
        &mut self,
        user: &str,
        surface: &Surface,
        which: &str,
        value: &Value,
        filled: &Value,
    ) -> Result<u64, String> {
        let blocks = self.blocks_on(user, surface)?;
        let place: Place = match surface {
            Surface::View(id) if !value.is_null() => {
                let view = self
                    .views
                    .get_mut(id)
                    .ok_or_else(|| format!("there is no view {id}"))?;
                form::fill(view, which, value)?
            }
            _ => form::find(&blocks, which)?,
        };
        if !place.dispatches {
            return Err(format!(
                "“{which}” is a field of a form: nothing is sent before the form is"
            ));
        }
        let used = form::touched(&place.element, value)?;
        let mut states = vec![(place.clone(), used.clone())];
        for (field, value) in filled.as_object().into_iter().flatten() {
            let place = form::find(&blocks, field)?;
            let state = form::touched(&place.element, value)?;
            states.push((place, state));
        }
        let state = form::message_state(&blocks, &states);
        Ok(self.act_on(user, surface, &place, &used, state))
    }

    /// The click itself, on an element that may no longer be there: an old client still shows it.
    pub(super) fn act_on(
        &mut self,
        user: &str,
        surface: &Surface,
        used: &Place,
        state: &Value,
        all: Value,
    ) -> u64 {
        let mut payload = self.interaction("block_actions", user);
        payload["trigger_id"] = json!(self.new_trigger(user));
        self.surrounded(&mut payload, user, surface);
        if let Surface::Message { channel, ts } = surface {
            payload["state"] = all;
            payload["response_url"] = json!(self.new_response_url("actions", user, channel, Some(ts)));
        }
        let ts = self.next_ts();
        payload["actions"] = json!([form::action(used, state, &ts)]);
        self.deliver(Carries::Interaction, payload, Then::Nothing)
    }

    /// Somebody types into a menu that asks the bot for its options.
    pub(super) fn ask_options(
        &mut self,
        user: &str,
        surface: &Surface,
        which: &str,
        typed: &str,
    ) -> Result<u64, String> {
        let place = form::find(&self.blocks_on(user, surface)?, which)?;
        let mut payload = self.interaction("block_suggestion", user);
        self.surrounded(&mut payload, user, surface);
        payload["action_id"] = json!(place.action_id());
        payload["block_id"] = json!(place.block_id);
        payload["value"] = json!(typed);
        Ok(self.deliver(Carries::Question, payload, Then::Nothing))
    }

    /// Somebody sends a form. Fields that must be filled and are not keep Slack's client from sending it.
    pub(super) fn submit(&mut self, user: &str, id: &str, values: &Value) -> Result<u64, String> {
        let view = self
            .views
            .get_mut(id)
            .ok_or_else(|| format!("there is no form {id}"))?;
        if view.body["submit"].is_null() {
            return Err("Slack shows no button to send it with".to_owned());
        }
        for (which, value) in values.as_object().into_iter().flatten() {
            form::fill(view, which, value)?;
        }
        let unfilled = form::unfilled(view);
        if !unfilled.is_empty() {
            return Err(format!(
                "Slack does not send the form while these are empty: {}",
                unfilled.join(", ")
            ));
        }
        view.errors.clear();
        let view = view.clone();
        let mut payload = self.interaction("view_submission", user);
        payload["trigger_id"] = json!(self.new_trigger(user));
        payload["view"] = self.view_json(&view);
        payload["response_urls"] = json!([]);
        let then = Then::Form { view: id.to_owned() };
        Ok(self.deliver(Carries::Question, payload, then))
    }

    /// Somebody closes a form; the bot hears of it if it wished to.
    pub(super) fn dismiss(&mut self, user: &str, id: &str) -> Option<u64> {
        let view = self.views.get(id)?.clone();
        if view.body["clear_on_close"] == true {
            self.close_all(user);
        } else {
            self.close_view(id);
        }
        if view.body["notify_on_close"] != true {
            return None;
        }
        let mut payload = self.interaction("view_closed", user);
        payload["view"] = self.view_json(&view);
        payload["is_cleared"] = json!(view.body["clear_on_close"] == true);
        Some(self.deliver(Carries::Interaction, payload, Then::Nothing))
    }

    pub(super) fn shortcut(
        &mut self,
        user: &str,
        callback: &str,
        on: Option<(&str, &str)>,
    ) -> Result<u64, String> {
        let kind = if on.is_some() {
            "message_action"
        } else {
            "shortcut"
        };
        let mut payload = self.interaction(kind, user);
        payload["callback_id"] = json!(callback);
        payload["action_ts"] = json!(self.next_ts());
        payload["trigger_id"] = json!(self.new_trigger(user));
        if let Some((channel, ts)) = on {
            let message = self
                .message(channel, ts)
                .ok_or_else(|| format!("no message {ts} in {channel}"))?;
            payload["message"] = self.message_json(message, true);
            payload["message_ts"] = json!(ts);
            payload["channel"] = json!({ "id": channel, "name": self.channel_name(channel) });
            payload["response_url"] = json!(self.new_response_url("app", user, channel, None));
        }
        Ok(self.deliver(Carries::Interaction, payload, Then::Nothing))
    }

    /// Does what the bot said in its acknowledgement.
    pub(super) fn heed(&mut self, then: &Then, payload: &Value) {
        match then {
            Then::Nothing => {}
            Then::Reply { user, channel } => self.reply(user, channel, payload),
            Then::Form { view } => self.after_form(view, payload),
        }
    }

    /// A command was answered in its acknowledgement.
    fn reply(&mut self, user: &str, channel: &str, payload: &Value) {
        let fields = match payload {
            Value::Object(fields) if !fields.is_empty() => fields.clone(),
            Value::String(text) if !text.is_empty() => {
                json!({ "text": text }).as_object().cloned().unwrap_or_default()
            }
            _ => return,
        };
        let url = self.new_response_url("commands", user, channel, None);
        let path = url
            .trim_start_matches("http://")
            .trim_start_matches(&self.address)
            .to_owned();
        let args = Args {
            map: fields,
            token: None,
            encoding: Encoding::Json,
        };
        if let Err(why) = super::methods::answer_url(self, &path, &args) {
            self.violation(format!("the answer to a command was refused: {}", why.code));
        }
    }

    /// A form was decided.
    fn after_form(&mut self, id: &str, payload: &Value) {
        let Some(view) = self.views.get(id).cloned() else {
            return;
        };
        let user = view.user.clone();
        match payload["response_action"].as_str() {
            None if payload.is_null() || payload.as_object().is_some_and(serde_json::Map::is_empty) => {
                self.close_view(id);
            }
            Some("clear") => self.close_all(&user),
            Some("errors") => self.form_errors(&view, &payload["errors"]),
            Some(action @ ("update" | "push")) => {
                let taken = self.take_view("response_action", &payload["view"]);
                let done = taken.and_then(|body| {
                    if action == "push" {
                        self.open_view(&user, body, true)
                    } else {
                        self.change_view(id, body)
                    }
                });
                if let Err(why) = done {
                    self.violation(format!("response_action {action} was refused: {}", why.code));
                }
            }
            _ => self.violation(format!(
                "a form was answered with something Slack does not know: {payload}"
            )),
        }
    }

    fn form_errors(&mut self, view: &View, errors: &Value) {
        let blocks = view.body["blocks"].as_array().cloned().unwrap_or_default();
        let inputs: Vec<&str> = blocks
            .iter()
            .filter(|block| block["type"] == "input")
            .filter_map(|block| block["block_id"].as_str())
            .collect();
        let errors = errors.as_object().cloned().unwrap_or_default();
        if errors.is_empty() {
            self.violation("response_action errors without errors".to_owned());
        }
        for (block, error) in errors {
            if !inputs.contains(&block.as_str()) {
                self.violation(format!(
                    "an error for {block}, which is no input block of the form"
                ));
            }
            if let Some(view) = self.views.get_mut(&view.id) {
                view.errors
                    .insert(block, error.as_str().unwrap_or_default().to_owned());
            }
        }
    }
}
