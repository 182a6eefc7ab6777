//! Interactions: how they are made, how long they live, and what becomes of the bot's first response.

use std::time::Duration;

use serde_json::{Value, json};

use super::check;
use super::fail::{ALREADY_ACKNOWLEDGED, Fail, Result, UNKNOWN_INTERACTION, wrong};
use super::model::{Attachment, COMMAND_ANSWER, EPHEMERAL, LOADING, MENU_ANSWER, Message, Modal, REPLY};
use super::state::State;

/// How long the first response may take, and how long the token takes anything at all.
const PATIENCE: Duration = Duration::from_secs(3);
const TOKEN_LIVES: Duration = Duration::from_secs(15 * 60);

/// What people see when the bot says nothing.
const SILENCE: &str = "The application did not respond";

pub const COMMAND: u8 = 2;
pub const COMPONENT: u8 = 3;
pub const COMPLETION: u8 = 4;
pub const SUBMITTED: u8 = 5;

/// Types of a first response.
pub const SAYS: u64 = 4;
pub const THINKS: u64 = 5;
pub const TAKES_NOTE: u64 = 6;
pub const CHANGES: u64 = 7;
pub const COMPLETES: u64 = 8;
pub const ASKS: u64 = 9;

/// The bot's first response.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Discord's number for it: 4 a message, 5 "is thinking", 6 nothing to see, 7 the message changed, 8 choices, 9 a form.
    pub kind: u64,
    /// What came with it; null where nothing did.
    pub data: Value,
    /// By the guild's clock, between the interaction and the response.
    pub after: Duration,
    /// The message it made or changed.
    pub message: Option<String>,
}

impl Answer {
    /// The names of the choices offered.
    pub fn choices(&self) -> Vec<String> {
        let choices = self.data["choices"].as_array().into_iter().flatten();
        choices
            .filter_map(|choice| choice["name"].as_str())
            .map(str::to_owned)
            .collect()
    }
}

#[derive(Debug, Clone)]
pub struct Interaction {
    pub id: String,
    pub token: String,
    pub kind: u8,
    pub user: String,
    pub channel: String,
    /// The message whose button or menu was used, or on which a form was opened.
    pub message: Option<String>,
    pub created: Duration,
    /// As it went over the gateway.
    pub payload: Value,
    /// The first response, or what the person was told instead.
    pub settled: Option<std::result::Result<Answer, String>>,
}

impl Interaction {
    /// The message that `@original` means.
    pub fn original(&self) -> Option<&str> {
        match &self.settled {
            Some(Ok(answer)) => answer.message.as_deref(),
            _ => None,
        }
    }

    /// Whether the token is still taken.
    pub fn lives(&self, now: Duration) -> bool {
        now < self.created + TOKEN_LIVES
    }

    /// As a message shows which interaction it answers.
    fn metadata(&self, state: &State) -> Value {
        let mut out = json!({
            "id": self.id, "type": self.kind, "user": state.user_json(&self.user),
            "authorizing_integration_owners": { "0": state.guild.id },
        });
        match (&self.message, self.kind) {
            (_, COMMAND) => {
                out["name"] = self.payload["data"]["name"].clone();
                out["command_type"] = self.payload["data"]["type"].clone();
            }
            (Some(message), COMPONENT) => out["interacted_message_id"] = json!(message),
            (_, SUBMITTED) => {
                out["triggering_interaction_metadata"] = json!({
                    "id": self.id, "type": COMMAND, "user": state.user_json(&self.user),
                    "authorizing_integration_owners": { "0": state.guild.id },
                    "name": "form", "command_type": 1,
                });
            }
            _ => {}
        }
        out
    }
}

impl State {
    /// Somebody did something that the app is told of. Gives the interaction's id.
    pub(super) fn interact(
        &mut self,
        kind: u8,
        user: &str,
        channel: &str,
        data: Value,
        message: Option<&str>,
    ) -> String {
        let id = self.id();
        // Random enough for a test, and as long as the real ones begin.
        let token = format!("aW50ZXJhY3Rpb246{id}{:016x}", id.len() * 0x9e37_79b9);
        let mut payload = json!({
            "id": id, "application_id": self.app.id, "type": kind, "data": data, "token": token, "version": 1,
            "channel_id": channel, "locale": "en-US", "entitlements": [], "attachment_size_limit": check::FILE_BYTES,
        });
        if let Some(there) = self.channels.get(channel) {
            let allowed = self.permissions(user, there);
            payload["app_permissions"] = json!(self.permissions(&self.app.bot_user, there).to_string());
            payload["channel"] = self.partial_channel(there, allowed);
            let member = self.members.get(user).filter(|_| there.recipient.is_none());
            match member {
                Some(member) => {
                    payload["member"] = self.member_json(member);
                    payload["member"]["permissions"] = json!(allowed.to_string());
                    payload["guild_id"] = json!(self.guild.id);
                    payload["guild"] = json!({ "id": self.guild.id, "locale": "en-US", "features": [] });
                    payload["guild_locale"] = json!("en-US");
                    payload["context"] = json!(0);
                    payload["authorizing_integration_owners"] = json!({ "0": self.guild.id });
                }
                None => {
                    payload["user"] = self.user_json(user);
                    payload["context"] = json!(1);
                    payload["authorizing_integration_owners"] = json!({ "0": "0" });
                }
            }
            if let Some(message) = message.and_then(|id| there.messages.get(id)) {
                payload["message"] = self.message_json(message);
            }
        }
        // Over the gateway, unless the portal says where else: then nothing arrives here.
        let heard = self.app.interactions_url.is_none() && self.gateway.sessions.iter().any(|one| one.lives);
        let interaction = Interaction {
            id: id.clone(),
            token,
            kind,
            user: user.to_owned(),
            channel: channel.to_owned(),
            message: message.map(str::to_owned),
            created: self.now,
            payload: payload.clone(),
            settled: (!heard).then(|| Err(SILENCE.to_owned())),
        };
        self.interactions.insert(id.clone(), interaction);
        if heard {
            self.event(0, "INTERACTION_CREATE", payload);
        }
        id
    }

    /// Time has passed: who was not answered is told so.
    pub(super) fn tick(&mut self) {
        let now = self.now;
        self.late(|interaction| interaction.created + PATIENCE <= now);
    }

    /// Interactions that stand open and are late come to nothing.
    pub(super) fn late(&mut self, late: impl Fn(&Interaction) -> bool) {
        for interaction in self.interactions.values_mut() {
            if interaction.settled.is_none() && late(interaction) {
                interaction.settled = Some(Err(SILENCE.to_owned()));
            }
        }
    }

    /// The bot's first response.
    pub(super) fn respond(
        &mut self,
        id: &str,
        token: &str,
        body: &Value,
        files: Vec<Attachment>,
    ) -> Result<()> {
        let known = self.interactions.get(id).filter(|known| known.token == token);
        let interaction = known.ok_or(UNKNOWN_INTERACTION)?.clone();
        match &interaction.settled {
            Some(Ok(_)) => return Err(ALREADY_ACKNOWLEDGED.into()),
            Some(Err(_)) => return Err(UNKNOWN_INTERACTION.into()),
            None => {}
        }
        let (kind, data) = (body["type"].as_u64().unwrap_or(0), &body["data"]);
        let fits = match interaction.kind {
            COMMAND => matches!(kind, SAYS | THINKS | ASKS),
            COMPONENT => matches!(kind, SAYS..=CHANGES | ASKS),
            COMPLETION => kind == COMPLETES,
            _ => {
                matches!(kind, SAYS | THINKS)
                    || (interaction.message.is_some() && matches!(kind, TAKES_NOTE | CHANGES))
            }
        };
        if !fits {
            self.violation(format!(
                "an interaction of type {} was answered with type {kind}",
                interaction.kind
            ));
            return Err(wrong(
                "type",
                "INTERACTION_APPLICATION_COMMAND_INVALID_TYPE",
                "This type is not taken here.",
            ));
        }
        let message = match kind {
            SAYS => Some(self.answer_with(&interaction, data, files)?),
            THINKS => Some(self.think(&interaction, data)?),
            CHANGES => {
                let message = interaction.message.clone().unwrap_or_default();
                self.edit_with("callback", &interaction.channel, &message, data, files)?;
                Some(message)
            }
            TAKES_NOTE => interaction.message.clone(),
            COMPLETES => {
                let faults = check::choices(data["choices"].as_array().map_or(&[][..], Vec::as_slice));
                self.form_holds("callback", &faults)?;
                None
            }
            _ => {
                self.form_holds("callback", &check::modal(data))?;
                self.show(&interaction, data);
                None
            }
        };
        let answer = Answer {
            kind,
            data: data.clone(),
            after: self.now.saturating_sub(interaction.created),
            message,
        };
        if let Some(known) = self.interactions.get_mut(id) {
            known.settled = Some(Ok(answer));
        }
        Ok(())
    }

    /// Writes down what is wrong with a body, and refuses it.
    pub(super) fn form_holds(&mut self, what: &str, faults: &[super::fail::Fault]) -> Result<()> {
        if faults.is_empty() {
            return Ok(());
        }
        for (at, code, said) in faults {
            self.violation(format!("{what}: {at}: {said} ({code})"));
        }
        Err(Fail::form(faults))
    }

    fn show(&mut self, interaction: &Interaction, body: &Value) {
        let modal = Modal {
            id: interaction.id.clone(),
            user: interaction.user.clone(),
            channel: interaction.channel.clone(),
            message: interaction.message.clone(),
            body: body.clone(),
        };
        self.modals.insert(interaction.user.clone(), modal);
    }

    /// A message that answers an interaction, at first or afterwards.
    pub(super) fn answer_with(
        &mut self,
        interaction: &Interaction,
        body: &Value,
        files: Vec<Attachment>,
    ) -> Result<String> {
        let first = interaction.settled.is_none();
        let mut message = self.answer_to(interaction, body["flags"].as_u64().unwrap_or(0), first);
        self.fill("callback", &mut message, body, files)?;
        if message.is_empty() {
            return Err(super::fail::EMPTY_MESSAGE.into());
        }
        self.post(message, Some(&body["allowed_mentions"]))
    }

    fn think(&mut self, interaction: &Interaction, data: &Value) -> Result<String> {
        let flags = data["flags"].as_u64().unwrap_or(0);
        let message = self.answer_to(interaction, flags | LOADING, true);
        self.post(message, None)
    }

    fn answer_to(&self, interaction: &Interaction, flags: u64, first: bool) -> Message {
        let kind = match (interaction.kind, &interaction.message) {
            _ if !first => REPLY,
            (COMMAND, _) if interaction.payload["data"]["type"] != 1 => MENU_ANSWER,
            (_, Some(_)) => REPLY,
            _ => COMMAND_ANSWER,
        };
        let answered = if first {
            interaction.message.as_deref()
        } else {
            interaction.original()
        };
        Message {
            channel: interaction.channel.clone(),
            author: self.app.bot_user.clone(),
            kind,
            flags,
            reference: answered.filter(|_| kind == REPLY).map(str::to_owned),
            interaction: Some(interaction.metadata(self)),
            only_for: (flags & EPHEMERAL != 0).then(|| interaction.user.clone()),
            ..Message::default()
        }
    }
}
