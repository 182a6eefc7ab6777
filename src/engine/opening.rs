//! A new room: first its prompt, for which people wait, and then everything else side by side, none of it holding up
//! another.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::decide::With;
use super::end::End;
use super::groups::STRANGERS_EVERY;
use super::posts::{CLOCKS_APART, shown_at};
use super::rooms::identities;
use super::{Engine, lock, plan, read};
use crate::chat::{self, Chat, RoomSpec};
use crate::desk;
use crate::incident::{Audience, IncidentId, MessageRef, PersonId, Role, RoomRef, Slot, State};
use crate::store::{Commit, Post};

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
        let incident = state.opening.number;
        match self.show_in(chat, incident, slot, room, None, &message).await {
            End::Shown(posts) => posts,
            _ => Vec::new(),
        }
    }

    /// Where the incident was opened, unless other people's guests are there now.
    pub(super) fn asked_in(&self, state: &State) -> Option<RoomRef> {
        let room = state.opening.asked_in.as_ref()?;
        (!read(&self.inner.index).is_for_guests(room)).then(|| room.clone())
    }

    /// The question of now is asked where the incident was opened, while its room has to wait.
    pub(super) async fn ask_meanwhile(&self, state: &State) {
        let Some((slot, room)) = self.asks_in(state) else {
            return;
        };
        let incident = state.opening.number;
        if let Ok(Some(_)) = self.posted(incident, &format!("{slot}@{room}")).await {
            return;
        }
        let commit = Commit {
            at: self.now(),
            effects: vec![plan::where_opened(state, slot, &room.platform)],
            ..Commit::default()
        };
        if let Err(error) = self.commit(commit).await {
            tracing::error!(%incident, %error, "nothing is asked until the room is there");
        }
    }

    /// What was asked meanwhile, or is just being asked, is asked there no longer now that there is a room.
    pub(super) async fn asked_meanwhile(&self, state: &State, with: &mut With) {
        let Some((slot, room)) = self.asks_in(state) else {
            return;
        };
        let effect = plan::where_opened(state, slot, &room.platform);
        let waits = lock(&self.inner.effects).is_busy(&effect.channel);
        match self.posted(state.opening.number, &format!("{slot}@{room}")).await {
            Ok(None) if !waits => {}
            _ => with.effects.push(effect),
        }
    }

    /// The question of now, and where it is asked while there is no room.
    fn asks_in(&self, state: &State) -> Option<(Slot, RoomRef)> {
        let entered = state.passages.last()?.event;
        Some((Slot::Prompt { entered }, self.asked_in(state)?))
    }

    /// What stands where an incident was opened: its question until there is a room, then where that is asked. Where the
    /// incident is announced, the announcement takes its place.
    pub(super) async fn show_where_opened(&self, incident: IncidentId, slot: Slot) -> End {
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Nothing,
            Err(error) => return error.into(),
        };
        let Some(room) = self.asked_in(&state).filter(|room| state.room(room).is_none()) else {
            return End::Nothing;
        };
        if state.rooms.is_empty() {
            return match (state.first_room, state.opening.private) {
                (Some(_), _) => End::Nothing,
                (None, true) => self.prompt_opener(&state, slot, &room.platform).await,
                (None, false) => self.show(state, slot, &room).await,
            };
        }
        let there = match self.asked_at(&state, slot, &room).await {
            Ok(Some(there)) => there,
            Ok(None) => return End::Nothing,
            Err(end) => return end,
        };
        match self.left_to_announcement(&state, &room, &there).await {
            Ok(None) => {}
            Ok(Some(end)) | Err(end) => return end,
        }
        let message = self.inner.parts.words.goes_on(&state);
        drop(state);
        match self.chat(&room.platform) {
            Ok(chat) => match chat.update(&there, &message.about(&incident.to_string())).await {
                // Somebody deleted it, and need not see it again.
                Err(chat::Error::Gone { .. }) => End::Nothing,
                updated => End::of_edit(updated),
            },
            Err(end) => end,
        }
    }

    /// Where the question stands that was asked while there was no room. Of one whose answer was lost nothing is written
    /// down, and it stands all the same.
    async fn asked_at(&self, state: &State, slot: Slot, room: &RoomRef) -> Result<Option<MessageRef>, End> {
        let (incident, name) = (state.opening.number, format!("{slot}@{room}"));
        let there = self.posted(incident, &name).await?;
        if there.is_some() || state.opening.private {
            return Ok(there);
        }
        let mut passages = state.passages.iter();
        let Some(since) =
            passages.find(|passage| matches!(slot, Slot::Prompt { entered } if entered == passage.event))
        else {
            return Ok(None);
        };
        let between = (since.at - CLOCKS_APART, self.now() + CLOCKS_APART);
        let key = format!("{incident}/{name}");
        match self.chat(&room.platform)?.find_post(&key, room, between).await {
            Err(chat::Error::Gone { .. }) => Ok(None),
            found => Ok(found?),
        }
    }

    /// Where the incident is announced, the announcement takes the place of the question there, unless it stands elsewhere
    /// already. `None`: it does not.
    async fn left_to_announcement(
        &self,
        state: &State,
        room: &RoomRef,
        there: &MessageRef,
    ) -> Result<Option<End>, End> {
        let (incident, slot) = (state.opening.number, format!("{}@{room}", Slot::Announcement));
        if let Some(announced) = self.posted(incident, &slot).await? {
            return Ok((announced == *there).then_some(End::Nothing));
        }
        match self.announced_in(state, &room.platform).await {
            Ok(rooms) if rooms.contains(room) => Ok(Some(shown_at(incident, slot, there))),
            Err(again @ End::Again { .. }) => Err(again),
            // It is announced elsewhere, or nowhere.
            _ => Ok(None),
        }
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
