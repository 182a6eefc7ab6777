//! What was said while nobody listened: read from history after every connection, and filed once, at its own time.
//!
//! Every message has the same subject live and here, so what was told already is known. What was deleted meanwhile is not
//! in history and stays as it was told.

use std::sync::Arc;

use serde_json::Value;

use super::api::Failure;
use super::incoming::{self, Own};
use super::{PLATFORM, SlackChat};
use crate::chat::taking::{Taken, take};
use crate::chat::{Delivery, Intake, Listening};

/// Messages on one page.
const PAGE: usize = 200;
/// Pages read of one room, or of one thread: ten thousand messages.
const PAGES_MAX: usize = 50;

/// What a message of history tells: itself, its edit, its marks.
fn told(message: &Value, channel: &str, own: &Own, now: chrono::DateTime<chrono::Utc>) -> Vec<Delivery> {
    let Some(written) = incoming::written(message, channel, own, now) else {
        return Vec::new();
    };
    let subtype = message["subtype"].as_str();
    if !matches!(
        subtype,
        None | Some("file_share" | "thread_broadcast" | "me_message")
    ) {
        return Vec::new();
    }
    let mut all = vec![written];
    all.extend(incoming::edited(message, channel, own, now));
    all.extend(incoming::marked(message, channel, own, now));
    all
}

impl SlackChat {
    /// Reads the rooms of all open incidents. What fails is said and tried with the next connection.
    pub(super) async fn catch_up(self: Arc<Self>) {
        let Some(intake) = self.intake.get().cloned() else {
            return;
        };
        let Ok(own) = self.own().await else { return };
        let _reading = self.reading.lock().await;
        for listening in intake.listening(PLATFORM).await {
            if listening.room.workspace != own.team {
                continue;
            }
            if let Err(failure) = self.read_again(own, &intake, &listening).await {
                tracing::warn!(%failure, room = %listening.room, "what was said meanwhile could not be read");
            }
        }
    }

    async fn read_again(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        listening: &Listening,
    ) -> Result<(), Failure> {
        let channel = &listening.room.room;
        let oldest = ("oldest", listening.since.timestamp().to_string());
        let base = [("channel", channel.clone()), oldest];
        let messages = self.pages("conversations.history", &base).await?;
        // Newest first on the wire; a room is told in its order.
        for message in messages.iter().rev() {
            self.file(own, intake, channel, message).await;
            if message["reply_count"].as_u64().unwrap_or_default() > 0
                && let Some(ts) = message["ts"].as_str()
            {
                let base = [("channel", channel.clone()), ("ts", ts.to_owned())];
                let thread = self.pages("conversations.replies", &base).await?;
                for reply in thread.iter().filter(|reply| reply["ts"] != ts) {
                    self.file(own, intake, channel, reply).await;
                }
            }
        }
        Ok(())
    }

    async fn file(&self, own: &Own, intake: &Arc<dyn Intake>, channel: &str, message: &Value) {
        for delivery in told(message, channel, own, self.clock.now()) {
            if !matches!(take(intake, self.naming(delivery)).await, Taken::Yes(_)) {
                tracing::warn!(channel, "a message of history could not be stored");
            }
        }
    }

    async fn pages(&self, method: &str, base: &[(&str, String)]) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut arguments = base.to_vec();
            arguments.push(("limit", PAGE.to_string()));
            if !cursor.is_empty() {
                arguments.push(("cursor", cursor));
            }
            let page = self.patiently(method, &arguments).await?;
            all.extend(page["messages"].as_array().into_iter().flatten().cloned());
            cursor = page["response_metadata"]["next_cursor"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    /// A call that nobody waits for: held back as long as Slack wants, until the bot stops.
    async fn patiently(&self, method: &str, arguments: &[(&str, String)]) -> Result<Value, Failure> {
        loop {
            match self.api.get(method, arguments).await {
                Err(Failure::Limited { after, .. }) => {
                    let wait = chrono::TimeDelta::from_std(after).unwrap_or(chrono::TimeDelta::seconds(60));
                    if self.stopped_within(wait).await {
                        return Err(Failure::Limited {
                            method: method.to_owned(),
                            after,
                        });
                    }
                }
                other => return other,
            }
        }
    }

    /// One message, also where it is a reply.
    pub(super) async fn message_at(&self, own: &Own, channel: &str, ts: &str) -> Option<Delivery> {
        let arguments = [
            ("channel", channel.to_owned()),
            ("ts", ts.to_owned()),
            ("limit", "1".to_owned()),
            ("inclusive", "true".to_owned()),
        ];
        let found = self.api.get("conversations.replies", &arguments).await.ok()?;
        let mut messages = found["messages"].as_array().into_iter().flatten();
        let message = messages.find(|message| message["ts"] == ts)?;
        incoming::written(message, channel, own, self.clock.now())
    }
}
