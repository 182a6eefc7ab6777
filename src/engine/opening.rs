//! A new room: first its prompt, for which people wait, and then everything else side by side, none of it holding up
//! another.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::groups::STRANGERS_EVERY;
use super::perform::End;
use super::rooms::{identities, show_in};
use crate::chat::{Chat, RoomSpec};
use crate::incident::{Audience, PersonId, RoomRef, Slot, State};
use crate::store::Post;

impl Engine {
    /// What a room of the team is made of, and who comes in.
    pub(super) fn room_spec(&self, state: &State, platform: &str) -> RoomSpec {
        let desk = self.desk();
        let words = &self.inner.parts.words;
        let mut people: BTreeSet<PersonId> = state.members();
        people.extend(state.roles.values().flatten().cloned());
        if !state.opening.private {
            let wanted = self.inner.parts.options.invite.iter();
            let entitled = wanted.flat_map(|role| desk.holders(*role));
            people.extend(entitled.map(|(person, _)| person.clone()));
        }
        RoomSpec {
            name: words.room_name(state),
            topic: words.topic(state, &desk),
            private: state.opening.private,
            audience: Audience::Internal,
            invite: identities(&desk, people.iter(), platform),
        }
    }

    /// The first thing in a new room, right after it is there. What fails here is made true a moment later, with the rest
    /// of the room, under the same key.
    pub(super) async fn first_prompt(
        &self,
        state: &State,
        chat: &Arc<dyn Chat>,
        room: &RoomRef,
    ) -> Vec<Post> {
        let Some(passage) = state.passages.last() else {
            return Vec::new();
        };
        let slot = Slot::Prompt {
            entered: passage.event,
        };
        let Some(message) = self.inner.parts.words.slot(state, slot, &self.desk()) else {
            return Vec::new();
        };
        match show_in(chat, state.opening.number, slot, room, None, &message).await {
            End::Shown(posts) => posts,
            _ => Vec::new(),
        }
    }

    /// Whoever should be in a room comes in, and it is fitted out.
    pub(super) async fn furnish(&self, state: &State, room: &RoomRef) -> End {
        let wanted = &self.inner.parts.options.invite;
        let concerned = |roles: &BTreeSet<_>| wanted.iter().any(|role| roles.contains(role));
        let read = self.read_groups(STRANGERS_EVERY, |group| concerned(&group.roles));
        if let Err(error) = read.await {
            return error.into();
        }
        let spec = self.room_spec(state, &room.platform);
        match self.chat(&room.platform) {
            Ok(chat) => chat.furnish(room, &spec).await.into(),
            Err(end) => end,
        }
    }
}
