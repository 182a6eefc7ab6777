//! Events of the gateway: what people write, change, delete and mark, on its way to the inbox.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use super::DiscordChat;
use super::api::Route;
use super::incoming::Own;
use super::messages;
use super::places::Spot;
use crate::chat::taking::Taken;
use crate::chat::{Delivery, Intake};

/// Longest wait for what is nice to know before something is taken.
const LOOK_MAX: TimeDelta = TimeDelta::milliseconds(1000);

/// What an event does not say, though nobody could understand it without.
fn lacks(kind: &str, body: &Value) -> Option<&'static str> {
    let message = match kind {
        "MESSAGE_DELETE_BULK" => "ids",
        kind if kind.starts_with("MESSAGE_REACTION") => "message_id",
        _ => "id",
    };
    ["channel_id", message]
        .into_iter()
        .find(|field| body[*field].is_null())
}

impl DiscordChat {
    /// Where something was said. A channel that Discord did not tell of is asked for once.
    pub(super) async fn spot(&self, channel: &str) -> Spot {
        if let Some(known) = self.places.spot(channel) {
            return known;
        }
        let asked = self.api.get(Route::new("GET /channels/{}", &[channel])).await;
        let found = asked.ok().and_then(|channel| self.places.learn(&channel));
        found.unwrap_or(Spot {
            room: channel.to_owned(),
            thread: None,
        })
    }

    /// An event of the gateway. Whether it was taken: if not, it is asked for again.
    pub(super) async fn happened(self: &Arc<Self>, kind: &str, body: &Value, key: &str) -> bool {
        let Ok(own) = self.own().await else { return false };
        let Some(intake) = self.intake.get() else {
            return false;
        };
        match kind {
            "GUILD_CREATE" => {
                for list in ["channels", "threads"] {
                    self.learn_all(&body[list]);
                }
                return true;
            }
            "THREAD_LIST_SYNC" => {
                self.learn_all(&body["threads"]);
                return true;
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => {
                self.places.learn(body);
                return true;
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => {
                self.places.forget(body["id"].as_str().unwrap_or_default());
                return true;
            }
            _ => {}
        }
        if body["guild_id"].as_str() != Some(&own.guild) {
            return true;
        }
        if let Some(field) = lacks(kind, body) {
            tracing::warn!(
                kind,
                field,
                "an event that this version cannot read, for something is missing in it"
            );
            return true;
        }
        let channel = body["channel_id"].as_str().unwrap_or_default();
        let spot = self.spot(channel).await;
        let deliveries = match kind {
            "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => {
                self.reactions(own, &spot, kind, body, key).await
            }
            "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI" => {
                self.all_reactions_gone(own, &spot, body, key)
            }
            _ => self.messages(own, intake, &spot, kind, body),
        };
        for delivery in deliveries {
            if !matches!(self.take(intake, delivery).await, Taken::Yes(_)) {
                return false;
            }
        }
        true
    }

    fn learn_all(&self, channels: &Value) {
        for channel in channels.as_array().into_iter().flatten() {
            self.places.learn(channel);
        }
    }

    fn messages(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        spot: &Spot,
        kind: &str,
        body: &Value,
    ) -> Vec<Delivery> {
        let now = self.clock.now();
        let gone = |id: &str| {
            let ours = self
                .posts
                .is_ours(spot.thread.as_deref().unwrap_or(&spot.room), id);
            if ours {
                intake.gone(&own.at(spot, id));
            }
            (!ours).then(|| messages::deleted(id, spot, own, now))
        };
        self.naming(own, |names| match kind {
            "MESSAGE_CREATE" => messages::written(body, spot, own, names, now)
                .into_iter()
                .collect(),
            "MESSAGE_UPDATE" => messages::edited(body, spot, own, names, now)
                .into_iter()
                .collect(),
            "MESSAGE_DELETE" => body["id"].as_str().and_then(gone).into_iter().collect(),
            "MESSAGE_DELETE_BULK" => {
                let ids = body["ids"].as_array().into_iter().flatten();
                ids.filter_map(Value::as_str).filter_map(gone).collect()
            }
            _ => Vec::new(),
        })
    }

    /// A reaction, after the message that it marks: that may be a reply in a thread, or older than the bot in this channel.
    async fn reactions(&self, own: &Own, spot: &Spot, kind: &str, body: &Value, key: &str) -> Vec<Delivery> {
        let (Some(user), Some(message), Some(emoji)) = (
            body["user_id"].as_str().filter(|user| *user != own.user),
            body["message_id"].as_str(),
            own.mark(&body["emoji"]),
        ) else {
            return Vec::new();
        };
        if !own.marks.contains(&emoji) {
            return Vec::new();
        }
        let present = kind == "MESSAGE_REACTION_ADD";
        let mut all = Vec::new();
        if present {
            let asked = self.message_at(own, spot, message);
            all.extend(self.within(LOOK_MAX, asked).await.flatten());
        }
        let now = self.clock.now();
        let stamp = (key.to_owned(), now);
        self.marks.told(message, &emoji, user, present);
        all.push(messages::reacted(user, message, emoji, present, spot, own, stamp));
        all
    }

    /// Somebody took all marks off a message, or all of one emoji.
    fn all_reactions_gone(&self, own: &Own, spot: &Spot, body: &Value, key: &str) -> Vec<Delivery> {
        let Some(message) = body["message_id"].as_str() else {
            return Vec::new();
        };
        let emoji = own.mark(&body["emoji"]);
        let gone = self.marks.on(message, emoji.as_deref()).into_iter();
        gone.map(|(emoji, user)| {
            self.marks.told(message, &emoji, &user, false);
            let stamp = (format!("{key}:{user}:{emoji}"), self.clock.now());
            messages::reacted(&user, message, emoji, false, spot, own, stamp)
        })
        .collect()
    }
}
