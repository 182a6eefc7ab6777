//! What was said while nobody listened: read from history after every connection, and filed once, at its own time.
//!
//! Every version of a message has the same subject live and here, so what was told already is known. What is known here
//! and not in history any more was deleted meanwhile, and a reaction that is gone was taken back; when, nobody can tell.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::api::{Failure, next_cursor};
use super::incoming::{Own, text};
use super::messages::{self, moment};
use super::{PLATFORM, SlackChat};
use crate::chat::taking::Taken;
use crate::chat::{Delivery, Intake, Known, Listening};

/// Messages on one page.
const PAGE: usize = 200;
/// Pages read of one room, or of one thread: ten thousand messages.
const PAGES_MAX: usize = 50;

/// What was read of a room or a thread.
#[derive(Default)]
struct Pages {
    messages: Vec<Value>,
    /// There is no more.
    whole: bool,
}

/// What stands in history.
#[derive(Default)]
struct Seen {
    /// From when on the room was read.
    since: Option<DateTime<Utc>>,
    /// Messages that people see, by their stamp.
    there: HashSet<String>,
    /// Stamps of everything that was read, also what only says that something was deleted.
    read: HashSet<String>,
    /// Threads that are too long to be read to their end.
    cut: HashSet<String>,
}

impl Seen {
    fn add(&mut self, message: &Value) {
        if let Some(ts) = text(message, "ts") {
            self.read.insert(ts.to_owned());
            if messages::is_said(message) {
                self.there.insert(ts.to_owned());
            }
        }
    }

    /// Whether a message that is known stands no more where it would have been read.
    fn misses(&self, known: &Known) -> bool {
        let was_read = match &known.thread {
            // A thread goes with its first message only if nobody answered, and then there is no reply either.
            Some(thread) => self.read.contains(thread) && !self.cut.contains(thread),
            None => self.since.is_some_and(|since| known.at > since),
        };
        was_read && !known.deleted && !self.there.contains(&known.message)
    }
}

impl SlackChat {
    /// Reads the rooms of all open incidents. What fails is said and tried with the next connection.
    pub async fn catch_up(self: Arc<Self>) {
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

    pub(super) async fn read_again(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        listening: &Listening,
    ) -> Result<(), Failure> {
        let channel = &listening.room.room;
        // Before history is: what is heard from now on is in both, or only told live.
        let known = intake.known(&listening.room, listening.since).await;
        let known = known.unwrap_or_default();
        let oldest = ("oldest", listening.since.timestamp().to_string());
        let base = [("channel", channel.clone()), oldest];
        let Pages { messages, whole } = self.pages("conversations.history", &base).await?;
        let mut seen = Seen {
            since: match whole {
                true => Some(listening.since),
                false => messages.last().and_then(|oldest| moment(text(oldest, "ts")?)),
            },
            ..Seen::default()
        };
        // Newest first on the wire; a room is told in its order.
        for message in messages.iter().rev() {
            self.file(own, intake, channel, message, &known).await;
            seen.add(message);
            if message["reply_count"].as_u64().unwrap_or_default() > 0
                && let Some(ts) = message["ts"].as_str()
            {
                let base = [("channel", channel.clone()), ("ts", ts.to_owned())];
                let thread = self.pages("conversations.replies", &base).await?;
                for reply in thread.messages.iter().filter(|reply| reply["ts"] != ts) {
                    self.file(own, intake, channel, reply, &known).await;
                    seen.add(reply);
                }
                if !thread.whole {
                    seen.cut.insert(ts.to_owned());
                }
            }
        }
        for gone in known.iter().filter(|known| seen.misses(known)) {
            let delivery = messages::found_gone(&gone.message, channel, own, self.clock.now());
            self.hand_in(intake, delivery).await;
        }
        Ok(())
    }

    /// A message as it stands in history, and its reactions as far as they are not what is known.
    async fn file(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        channel: &str,
        message: &Value,
        known: &[Known],
    ) {
        let now = self.clock.now();
        let Some(standing) = messages::standing(message, channel, own, now) else {
            return;
        };
        self.hand_in(intake, standing).await;
        let known = known.iter().find(|known| message["ts"] == known.message.as_str());
        let reacted = known.map_or(&[][..], |known| &known.reacted);
        for mut delivery in messages::marked(message, channel, own, now, reacted) {
            // Somebody may have changed their mind since the page was read.
            self.marked_message(&mut delivery).await;
            self.hand_in(intake, delivery).await;
        }
    }

    async fn hand_in(&self, intake: &Arc<dyn Intake>, delivery: Delivery) {
        if !matches!(self.take(intake, self.naming(delivery)).await, Taken::Yes(_)) {
            tracing::warn!("something that history tells could not be stored");
        }
    }

    async fn pages(&self, method: &str, base: &[(&str, String)]) -> Result<Pages, Failure> {
        let mut all = Pages::default();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut arguments = base.to_vec();
            arguments.push(("limit", PAGE.to_string()));
            if !cursor.is_empty() {
                arguments.push(("cursor", cursor));
            }
            let page = self.patiently(method, &arguments).await?;
            all.messages
                .extend(page["messages"].as_array().into_iter().flatten().cloned());
            let Some(next) = next_cursor(&page) else {
                all.whole = true;
                break;
            };
            cursor = next;
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
    pub(super) async fn message_at(&self, channel: &str, ts: &str) -> Option<Value> {
        let arguments = [
            ("channel", channel.to_owned()),
            ("ts", ts.to_owned()),
            ("limit", "1".to_owned()),
            ("inclusive", "true".to_owned()),
        ];
        let found = self.api.get("conversations.replies", &arguments).await.ok()?;
        let mut messages = found["messages"].as_array().into_iter().flatten();
        messages.find(|message| message["ts"] == ts).cloned()
    }
}
