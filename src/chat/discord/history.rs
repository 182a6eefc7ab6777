//! What was said while nobody listened: read from history after every new session, threads included, and filed once, at its
//! own time.
//!
//! Every message has the same subject live and here, so what was told already is known. What was deleted meanwhile is not
//! in history and stays as it was told.

use std::sync::Arc;

use serde_json::Value;

use super::api::{Failure, Route};
use super::ids::since;
use super::incoming::{self, Own};
use super::places::Spot;
use super::{DiscordChat, PLATFORM};
use crate::chat::taking::{Taken, take};
use crate::chat::{Delivery, Intake, Listening};

/// Messages on one page, the most that Discord gives.
const PAGE: &str = "100";
const PAGE_LEN: usize = 100;
/// Pages read of one room, or of one thread: ten thousand messages.
const PAGES_MAX: usize = 100;

impl DiscordChat {
    /// Reads the rooms of all open incidents. What fails is said and tried with the next session.
    pub(super) async fn catch_up(self: Arc<Self>) {
        let Some(intake) = self.intake.get().cloned() else {
            return;
        };
        let Ok(own) = self.own().await else { return };
        let _reading = self.reading.lock().await;
        for listening in intake.listening(PLATFORM).await {
            if listening.room.workspace != own.guild {
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
        let room = &listening.room.room;
        let from = since(listening.since);
        let spot = Spot {
            room: room.clone(),
            thread: None,
        };
        self.read_channel(own, intake, &spot, &from).await?;
        for thread in self.threads(own, room).await? {
            let Some(spot) = self.places.learn(&thread) else {
                continue;
            };
            self.read_channel(own, intake, &spot, &from).await?;
        }
        Ok(())
    }

    /// The threads of a room, those that have folded included.
    async fn threads(&self, own: &Own, room: &str) -> Result<Vec<Value>, Failure> {
        let active = Route::new("GET /guilds/{}/threads/active", &[&own.guild]);
        let folded = Route::new("GET /channels/{}/threads/archived/public", &[room]);
        let mut all = Vec::new();
        for route in [active, folded] {
            let answer = self.patiently(route).await?;
            all.extend(answer["threads"].as_array().into_iter().flatten().cloned());
        }
        all.retain(|thread| thread["parent_id"] == room);
        Ok(all)
    }

    async fn read_channel(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        spot: &Spot,
        from: &str,
    ) -> Result<(), Failure> {
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        let mut after = from.to_owned();
        for _ in 0..PAGES_MAX {
            let route = Route::new("GET /channels/{}/messages", &[channel])
                .with(&[("after", &after), ("limit", PAGE)]);
            let page = self.patiently(route).await?;
            let mut messages: Vec<&Value> = page.as_array().into_iter().flatten().collect();
            // Newest first on the wire; a room is told in its order.
            messages.sort_by_key(|message| number(message));
            for message in &messages {
                self.file(own, intake, spot, message).await?;
            }
            let last = messages.last().and_then(|last| last["id"].as_str());
            match last {
                Some(last) if messages.len() >= PAGE_LEN => after = last.to_owned(),
                _ => break,
            }
        }
        Ok(())
    }

    /// Files a message, its edit and its marks.
    async fn file(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        spot: &Spot,
        message: &Value,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let told: Vec<Delivery> = self.naming(own, |names| {
            let written = incoming::written(message, spot, own, names, now);
            let edited = incoming::edited(message, spot, own, names, now);
            written.into_iter().chain(edited).collect()
        });
        if told.is_empty() {
            return Ok(());
        }
        let marks = self.marks_of(own, spot, message).await?;
        for delivery in told.into_iter().chain(marks) {
            if !matches!(take(intake, delivery).await, Taken::Yes(_)) {
                tracing::warn!(channel = spot.room, "a message of history could not be stored");
            }
        }
        Ok(())
    }

    /// The marks that a message has now, each once for each person.
    async fn marks_of(&self, own: &Own, spot: &Spot, message: &Value) -> Result<Vec<Delivery>, Failure> {
        let mut found = Vec::new();
        let Some(id) = message["id"].as_str() else {
            return Ok(found);
        };
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        for reaction in message["reactions"].as_array().into_iter().flatten() {
            let emoji = &reaction["emoji"];
            let Some(mark) = own.mark(emoji).filter(|mark| own.marks.contains(mark)) else {
                continue;
            };
            let name = emoji["name"].as_str().unwrap_or_default();
            let named = match emoji["id"].as_str() {
                Some(id) => format!("{name}:{id}"),
                None => name.to_owned(),
            };
            let route = Route::new(
                "GET /channels/{}/messages/{}/reactions/{}",
                &[channel, id, &named],
            )
            .with(&[("limit", PAGE)]);
            let users = self.patiently(route).await?;
            let users = users.as_array().into_iter().flatten();
            for user in users
                .filter_map(|user| user["id"].as_str())
                .filter(|user| *user != own.user)
            {
                let key = format!("discord:{}:{channel}:{id}:{user}:{mark}:found", own.guild);
                let stamp = (key, self.clock.now());
                self.marks.told(id, &mark, user, true);
                found.push(incoming::reacted(user, id, mark.clone(), true, spot, own, stamp));
            }
        }
        Ok(found)
    }

    /// A call that nobody waits for: held back as long as Discord wants, until the bot stops.
    async fn patiently(&self, route: Route) -> Result<Value, Failure> {
        loop {
            match self.api.get(route.clone()).await {
                Err(Failure::Limited { route, after }) => {
                    let wait = chrono::TimeDelta::from_std(after).unwrap_or(chrono::TimeDelta::seconds(60));
                    if self.stopped_within(wait).await {
                        return Err(Failure::Limited { route, after });
                    }
                }
                other => return other,
            }
        }
    }

    /// One message, as it is now.
    pub(super) async fn message_at(&self, own: &Own, spot: &Spot, id: &str) -> Option<Delivery> {
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        let route = Route::new("GET /channels/{}/messages/{}", &[channel, id]);
        let message = self.api.get(route).await.ok()?;
        self.naming(own, |names| {
            incoming::written(&message, spot, own, names, self.clock.now())
        })
    }
}

fn number(message: &Value) -> u64 {
    message["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .unwrap_or_default()
}
