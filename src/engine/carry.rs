//! What people say in one room of the team, carried over to the others. Only what people wrote: what the bot posts is
//! never heard, so nothing goes round in circles.

use super::Engine;
use super::decide::Failed;
use super::end::End;
use super::overhear::{unlisted, whose};
use super::plan;
use super::ports::Carried;
use super::posts::shown_at;
use crate::chat::{self, Incoming};
use crate::incident::{IncidentId, MessageRef, RoomRef, State};
use crate::store::NewEffect;

impl Engine {
    /// The tasks that carry a message over to the other rooms, or make them true again.
    pub(super) async fn carrying(
        &self,
        incident: IncidentId,
        incoming: &Incoming,
    ) -> Result<Vec<NewEffect>, Failed> {
        let message = match incoming {
            Incoming::Wrote { message, .. }
            | Incoming::Edited { message, .. }
            | Incoming::Deleted { message, .. } => message,
            _ => return Ok(Vec::new()),
        };
        let state = self.state(incident).await?;
        let new = matches!(incoming, Incoming::Wrote { .. });
        // Switched off, nothing new goes out, and what did still follows its original.
        let state = state.filter(|state| state.carry || !new);
        Ok(match state {
            Some(state) => self.copies(&state, message, new),
            None => Vec::new(),
        })
    }

    /// A task for each copy of a message: to post it, or to make it true again.
    pub(super) fn copies(&self, state: &State, message: &MessageRef, new: bool) -> Vec<NewEffect> {
        let here = |room: &RoomRef| *room == message.room;
        if !state.internal_rooms().any(|room| here(&room.at)) {
            return Vec::new();
        }
        let others = state.internal_rooms().filter(|room| !here(&room.at));
        others
            .map(|room| plan::carry(state.opening.number, message, &room.at, new, self.now()))
            .collect()
    }

    /// The message that somebody means who points at its copy.
    pub(super) async fn original(&self, message: &MessageRef) -> Result<MessageRef, Failed> {
        let reference = serde_json::to_string(message).unwrap_or_default();
        let Some(post) = self.inner.parts.store.shown_by(&reference).await? else {
            return Ok(message.clone());
        };
        let there = format!("@{}", message.room);
        let said = post.slot.strip_prefix("said:");
        let said = said.and_then(|said| said.strip_suffix(&there)?.rsplit_once('/'));
        let Some((room, id)) = said else {
            return Ok(message.clone());
        };
        let state = self.state(post.incident).await?;
        let known = state.and_then(|state| {
            let mut rooms = state.rooms.iter().map(|known| known.at.clone());
            rooms.find(|known| known.to_string() == room)
        });
        Ok(match known {
            Some(room) => MessageRef {
                room,
                message: id.to_owned(),
            },
            None => message.clone(),
        })
    }

    /// A message as it is kept now; `None`: it is not kept.
    pub(super) async fn said(&self, message: &MessageRef) -> Result<Option<Carried>, End> {
        let room = message.room.to_string();
        let versions = self.inner.parts.store.versions(&room, &message.message).await;
        let versions = versions.map_err(|error| End::again(error.to_string()))?;
        let author = whose(&versions).map(|entry| entry.author.clone());
        Ok(versions.into_iter().next_back().map(|last| {
            let files = unlisted(last.entry.files.as_deref());
            Carried {
                platform: message.room.platform.clone(),
                author: author.unwrap_or_default(),
                text: last.entry.text,
                files: files.into_iter().map(|file| file.name).collect(),
            }
        }))
    }

    /// Posts the copy of a message in a room, or makes it say what the original says now.
    pub(super) async fn carry(
        &self,
        incident: IncidentId,
        message: &MessageRef,
        room: &RoomRef,
        new: bool,
    ) -> End {
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Nothing,
            Err(error) => return error.into(),
        };
        let team = [room, &message.room]
            .iter()
            .all(|one| state.internal_rooms().any(|known| known.at == **one));
        let redacted = state.redacted.contains(message);
        drop(state);
        // Words go to rooms of the team; that they were taken back goes wherever they stand.
        if !team && !redacted {
            return End::Nothing;
        }
        let said = match self.said(message).await {
            Ok(Some(said)) => said,
            Ok(None) => return End::Nothing,
            Err(end) => return end,
        };
        let slot = copy_slot(message, room);
        let copy = match self.posted(incident, &slot).await {
            Ok(copy) => copy,
            Err(end) => return end,
        };
        let quoted = match redacted {
            true => match self.posted(incident, &quoted_slot(message, room)).await {
                Ok(quoted) => quoted,
                Err(end) => return end,
            },
            false => None,
        };
        if copy.is_none() && quoted.is_none() && !new {
            return End::Nothing;
        }
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        let words = &self.inner.parts.words;
        let mut end = None;
        for (at, message) in [(&copy, words.carried(&said)), (&quoted, words.digest_redacted())] {
            let Some(at) = at else { continue };
            let updated = match chat.reword(at, &message).await {
                // Somebody deleted it, and meant it.
                Err(chat::Error::Gone { .. }) => End::Done,
                updated => End::of_edit(updated),
            };
            end = Some(match end {
                Some(end) => updated.and(end),
                None => updated,
            });
        }
        if let Some(end) = end {
            return end;
        }
        // What was said before the room was there, or in a digest, gets no copy because it was edited.
        if !new || !team || said.text.is_none() {
            return End::Nothing;
        }
        let key = format!("{incident}/{slot}");
        match chat.post(&key, room, None, &words.carried(&said)).await {
            Ok(at) => shown_at(incident, slot, &at),
            Err(error) => error.into(),
        }
    }
}

/// The digest in a room that quotes a message.
pub(super) fn quoted_slot(message: &MessageRef, room: &RoomRef) -> String {
    format!("quoted:{}/{}@{room}", message.room, message.message)
}

fn copy_slot(message: &MessageRef, room: &RoomRef) -> String {
    format!("said:{}/{}@{room}", message.room, message.message)
}
