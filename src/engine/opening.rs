//! A new room: first its prompt, for which people wait, and then everything else side by side, none of it holding up
//! another.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::groups::STRANGERS_EVERY;
use super::perform::End;
use super::posts::show_in;
use super::rooms::identities;
use super::{Engine, read};
use crate::chat::{Chat, RoomSpec};
use crate::desk;
use crate::incident::{Audience, PersonId, Role, RoomRef, Slot, State};
use crate::store::Post;

/// Who is in a room of guests from the start: those who speak to them. Guests are let in by people, one by one.
const SPEAK_TO_GUESTS: [Role; 3] = [Role::Commander, Role::Deputy, Role::Liaison];

impl Engine {
    /// What a room is made of, and who comes in.
    pub(super) fn room_spec(&self, state: &State, platform: &str, audience: Audience) -> RoomSpec {
        let desk = self.desk();
        let words = &self.inner.parts.words;
        let holders = |role: &Role| state.roles.get(role).into_iter().flatten().cloned();
        let (topic, people): (String, BTreeSet<PersonId>) = match audience {
            Audience::Internal => (
                words.topic(state, &desk),
                self.team(state, &desk)
                    .chain(Role::ALL.iter().flat_map(holders))
                    .collect(),
            ),
            Audience::Guest => (
                words.guest_topic(state),
                SPEAK_TO_GUESTS.iter().flat_map(holders).collect(),
            ),
        };
        RoomSpec {
            name: words.room_name(state, audience),
            topic,
            private: state.opening.private,
            audience,
            invite: identities(&desk, people.iter(), platform),
        }
    }

    /// Whoever takes part, and unless it is private, whoever is entitled to what a response cannot do without.
    fn team(&self, state: &State, desk: &desk::State) -> impl Iterator<Item = PersonId> {
        let mut people = state.members();
        if !state.opening.private {
            let wanted = self.inner.parts.options.invite.iter();
            let entitled = wanted.flat_map(|role| desk.holders(*role));
            people.extend(entitled.map(|(person, _)| person.clone()));
        }
        people.into_iter()
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

    /// Where the incident was opened, unless other people's guests are there now.
    pub(super) fn asked_in(&self, state: &State) -> Option<RoomRef> {
        let room = state.opening.asked_in.as_ref()?;
        (!read(&self.inner.index).is_for_guests(room)).then(|| room.clone())
    }

    /// That there is no room is told where the incident was opened; of a private one, to whoever opened it.
    pub(super) async fn tell_roomless(&self, state: &State, event: u64) -> End {
        let incident = state.opening.number;
        match (self.asked_in(state), state.opened_by.person()) {
            (Some(room), _) if !state.opening.private => self.tell_elsewhere(incident, event, &room).await,
            (_, Some(person)) => self.direct(incident, person, event).await,
            _ => End::Done,
        }
    }

    /// Where a private incident has no room to be prompted in, whoever opened it goes on alone.
    pub(super) async fn prompt_opener(&self, state: &State, slot: Slot, platform: &str) -> End {
        let (incident, desk) = (state.opening.number, self.desk());
        let Some(message) = self.inner.parts.words.slot(state, slot, &desk) else {
            return End::Nothing;
        };
        let message = message.about(&incident.to_string());
        let chat = match self.chat(platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        let mut end = End::Nothing;
        for to in identities(&desk, state.opened_by.person().into_iter(), platform) {
            let key = format!("{incident}/{slot}/{}", to.user);
            end = end.and(chat.direct(&key, &to, &message).await.into());
        }
        end
    }

    /// Whoever should be in a room comes in, and it is fitted out.
    pub(super) async fn furnish(&self, state: &State, room: &RoomRef) -> End {
        let wanted = &self.inner.parts.options.invite;
        let concerned = |roles: &BTreeSet<_>| wanted.iter().any(|role| roles.contains(role));
        let read = self.read_groups(STRANGERS_EVERY, |group| concerned(&group.roles));
        if let Err(error) = read.await {
            return error.into();
        }
        let Some(known) = state.room(room) else {
            return End::Nothing;
        };
        let spec = self.room_spec(state, &room.platform, known.audience);
        match self.chat(&room.platform) {
            Ok(chat) => chat.furnish(room, &spec).await.into(),
            Err(end) => end,
        }
    }
}
