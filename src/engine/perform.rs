//! Performing one effect. Every result comes back as a request; nothing is performed anywhere else.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Engine;
use super::decide::With;
use super::end::End;
use super::plan::{Place, Task};
use super::redact::GONE;
use super::work::Ready;
use crate::chat::{self, Chat, Message};
use crate::incident::{By, Effect, Identity, IncidentId, MessageRef, Request, RoomRef};
use crate::store::{Lane, StoredEffect};

/// A document as it was made.
#[derive(Debug, Clone)]
pub struct Document {
    /// The last event it shows.
    pub as_of: u64,
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
    /// Name of the file.
    pub name: String,
}

impl Engine {
    /// Performs an effect.
    pub(super) async fn perform(&self, ready: &Ready) -> End {
        let Ready { stored, task } = ready;
        match task {
            Ok(task) if self.is_late(stored) => {
                self.inner.counters.effects_late.fetch_add(1, Ordering::Relaxed);
                self.too_late(stored, task).await
            }
            Ok(task) if stored.id.lane() <= Lane::Urgent => {
                chat::urgently(self.carry_out(stored, task.clone())).await
            }
            Ok(task) => self.carry_out(stored, task.clone()).await,
            Err(error) => End::Never(format!("the task cannot be read: {error}")),
        }
    }

    async fn carry_out(&self, stored: &StoredEffect, task: Task) -> End {
        match task {
            Task::Incident {
                incident,
                effect,
                place,
            } => self.carry_out_effect(stored, incident, effect, place).await,
            Task::Whisper {
                room,
                thread,
                to,
                message,
            } => match self.chat(&to.platform) {
                Ok(chat) => {
                    let key = &stored.effect.key;
                    whisper(&**chat, key, (room, thread), &to, &message).await.into()
                }
                Err(end) => end,
            },
            Task::Form {
                room,
                to,
                trigger,
                form,
            } => self.show_form(stored, &room, &to, &trigger, &form).await,
            Task::Digest {
                incident,
                from,
                to,
                room,
                said,
            } => self.digest(stored.id, incident, (from, to), room, said).await,
            Task::WhereOpened { incident, slot } => self.show_where_opened(incident, slot).await,
            Task::Pin { at } => match self.chat(&at.room.platform) {
                Ok(chat) => chat.pin(&at).await.into(),
                Err(end) => end,
            },
            Task::Carry {
                incident,
                message,
                room,
                new,
            } => {
                let end = self.carry(incident, &message, &room, new).await;
                self.heed(incident, &room, &end).await;
                end
            }
            Task::Reword {
                incident,
                event,
                room,
            } => {
                let end = self.reword(incident, event, &room).await;
                self.heed(incident, &room, &end).await;
                end
            }
            Task::RewordDirect {
                incident,
                event,
                person,
            } => self.reword_direct(incident, &person, event).await,
            Task::Scrub { message } => match self.chat(&message.room.platform) {
                Ok(chat) => match chat.redact(&message, GONE).await {
                    // It is for the author; the room was told so.
                    Err(chat::Error::Gone { .. }) => End::Nothing,
                    scrubbed => scrubbed.into(),
                },
                Err(end) => end,
            },
            Task::Export {
                incident,
                format,
                as_of,
            } => self.make_export(stored.id, incident, &format, as_of).await,
        }
    }

    async fn carry_out_effect(
        &self,
        stored: &StoredEffect,
        incident: IncidentId,
        effect: Effect,
        place: Option<Place>,
    ) -> End {
        let id = stored.id;
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Never(format!("{incident} has no journal")),
            Err(error) if matches!(effect, Effect::Attempt { .. }) => return End::Rest(error.to_string()),
            Err(error) => return error.into(),
        };
        match (effect, place) {
            (effect, Some(Place::Room(room))) => {
                let end = self.in_room(id, state, effect, &room).await;
                self.heed(incident, &room, &end).await;
                end
            }
            (_, Some(Place::Lobby(platform))) => self.announce(state, &platform).await,
            (Effect::OpenRoom, None) => self.open_room(id, &state).await,
            (
                Effect::MakeRoom {
                    event,
                    platform,
                    audience,
                },
                None,
            ) => self.make_room(id, &state, event, &platform, audience).await,
            (Effect::Furnish { room }, None) => self.furnish(&state, &room).await,
            (Effect::Leave { room, event }, None) => self.leave_room(&state, event, &room).await,
            (Effect::ReadBack { room, since }, None) => match self.chat(&room.platform) {
                Ok(chat) => chat.read_back(&room, since).await.into(),
                Err(end) => end,
            },
            (Effect::Direct { person, event }, None) => {
                drop(state);
                self.direct(incident, &person, event).await
            }
            (Effect::KeepFile { message, file }, None) => self.keep_file(id, &state, &message, &file).await,
            (Effect::AskProbe { run }, None) => self.ask_probe(id, &state, run).await,
            (Effect::Preview { proposal }, None) => self.preview(id, &state, proposal).await,
            (Effect::Attempt { attempt }, None) => self.attempt(stored, &state, attempt).await,
            (effect, None) => self.spread(id, state, effect).await,
        }
    }

    pub(super) fn chat(&self, platform: &str) -> Result<&Arc<dyn Chat>, End> {
        let chats = &self.inner.parts.chats;
        let known = chats.iter().find(|chat| chat.platform() == platform);
        known.ok_or_else(|| End::Never(format!("the platform `{platform}` is not configured")))
    }

    /// Commits a result; the effect is finished with it.
    pub(super) async fn back(&self, incident: IncidentId, request: &Request, with: With) -> End {
        if let Err(error) = self.groups_before(incident, &By::Orderly, request).await {
            return error.into();
        }
        match self.decide(incident, &By::Orderly, request, with, None).await {
            Ok(_) => End::Written,
            Err(error) => error.into(),
        }
    }
}

/// Says something to one person, where they spoke to the bot.
pub(super) async fn whisper(
    chat: &dyn Chat,
    key: &str,
    (room, thread): (RoomRef, Option<String>),
    to: &Identity,
    message: &Message,
) -> Result<(), chat::Error> {
    match thread {
        None => chat.whisper(key, &room, to, message).await,
        Some(thread) => {
            let below = MessageRef {
                room,
                message: thread,
            };
            chat.whisper_below(key, &below, to, message).await
        }
    }
}
