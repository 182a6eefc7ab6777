//! The rooms themselves: opening, topics, who is in them, archiving. What is said in them is in [`posts`](super::posts).
//! Every call has a key, so that calling again after a crash makes nothing twice.

use std::sync::Arc;
use std::time::Duration;

use super::decide::With;
use super::end::End;
use super::plan::{self, Place};
use super::{Engine, journal, lock};
use crate::chat;
use crate::desk;
use crate::incident::{
    Audience, By, Effect, Event, Identity, IncidentId, PersonId, Request, RoomRef, Slot, State,
};
use crate::store::{Commit, EffectId, Stream};

/// How soon it is looked again whether a room was told everything, before it is archived.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// A room that comes within this time is waited for: a question elsewhere would only be in the way.
const SOON: Duration = Duration::from_secs(5);

fn finishing(id: EffectId) -> With {
    With {
        effect: Some(id),
        ..With::default()
    }
}

impl Engine {
    /// The first room, on the platform where the incident was asked for.
    pub(super) async fn open_room(&self, id: EffectId, state: &State) -> End {
        let incident = state.opening.number;
        let asked_on = state.opening.asked_in.as_ref().map(|room| room.platform.as_str());
        let chats = &self.inner.parts.chats;
        let Some(chat) = chats
            .iter()
            .find(|chat| asked_on.is_none_or(|platform| platform == chat.platform()))
        else {
            let why = "No chat platform is connected. The terminal works: `orderly incident`.".to_owned();
            let failed = Request::RoomFailed { why, further: None };
            return self.back(incident, &failed, finishing(id)).await;
        };
        let spec = self.room_spec(state, chat.platform(), Audience::Internal);
        let opened = chat.open_room(&format!("{incident}/room"), &spec).await;
        let mut with = finishing(id);
        match &opened {
            Ok(room) => {
                with.posts = self.first_prompt(state, chat, room).await;
                self.asked_meanwhile(state, &mut with).await;
            }
            // A platform that lets a room wait takes messages all the same; one that fails at it, perhaps.
            Err(chat::Error::Retry { after, .. }) if after.is_none_or(|after| after > SOON) => {
                self.ask_meanwhile(state).await;
            }
            Err(_) => {}
        }
        self.room_made(incident, opened, Audience::Internal, None, with)
            .await
    }

    /// A further room.
    pub(super) async fn make_room(
        &self,
        id: EffectId,
        state: &State,
        event: u64,
        platform: &str,
        audience: Audience,
    ) -> End {
        let incident = state.opening.number;
        let opened = match self.chat(platform) {
            Ok(chat) => {
                let spec = self.room_spec(state, platform, audience);
                chat.open_room(&format!("{incident}/room/{event}"), &spec).await
            }
            Err(_) => Err(chat::Error::Gone {
                why: format!("the platform `{platform}` is not connected"),
            }),
        };
        self.room_made(incident, opened, audience, Some(platform), finishing(id))
            .await
    }

    async fn room_made(
        &self,
        incident: IncidentId,
        opened: Result<RoomRef, chat::Error>,
        audience: Audience,
        platform: Option<&str>,
        with: With,
    ) -> End {
        let request = match opened {
            Ok(room) => Request::RoomOpened { room, audience },
            Err(chat::Error::Gone { why }) => Request::RoomFailed {
                why,
                further: platform.map(|platform| (platform.to_owned(), audience)),
            },
            Err(error) => return error.into(),
        };
        self.back(incident, &request, with).await
    }

    /// What an effect does in one room. One that was left meanwhile, or archived, is told nothing, and one that has guests
    /// now nothing that is not for guests.
    pub(super) async fn in_room(
        &self,
        id: EffectId,
        state: Arc<State>,
        effect: Effect,
        room: &RoomRef,
    ) -> End {
        let Some(known) = state.room(room) else {
            return End::Nothing;
        };
        if !plan::admits(&state, known, &effect) {
            return End::Nothing;
        }
        match effect {
            Effect::Archive => self.archive(&state, room).await,
            Effect::Unarchive => self.unarchive(id, &state, room).await,
            Effect::GiveBack => self.give_back(&state, room).await,
            Effect::Topic => self.set_topic(state, room).await,
            Effect::Invite { person } => self.invite(&person, room).await,
            Effect::Show { slot } => self.show(state, slot, room).await,
            Effect::Notice { event, .. } => {
                let incident = state.opening.number;
                drop(state);
                let mut told = self.tell_notices(incident, &[event], room).await;
                told.pop().unwrap_or(End::Nothing)
            }
            Effect::Attach { format, as_of } => self.attach(&state, &format, as_of, room).await,
            Effect::Digest { from, to } => self.post_digest(&state, (from, to), &[], room).await,
            _ => End::Never("this is nothing that is done in a room".to_owned()),
        }
    }

    /// Now that it is time, every room and platform that an effect concerns gets a task of its own.
    pub(super) async fn spread(&self, id: EffectId, state: Arc<State>, effect: Effect) -> End {
        let incident = state.opening.number;
        let places = match &effect {
            Effect::Show {
                slot: Slot::Announcement,
            } => {
                let chats = self.inner.parts.chats.iter().filter(|_| !state.opening.private);
                chats
                    .map(|chat| Place::Lobby(chat.platform().to_owned()))
                    .collect()
            }
            // Until the room exists the prompt appears where `/incident` was typed; of a private one, to whoever typed it.
            Effect::Show {
                slot: slot @ Slot::Prompt { .. },
            } if state.rooms.is_empty() && state.first_room.is_none() => {
                return match self.asked_in(&state) {
                    Some(room) if state.opening.private => {
                        self.prompt_opener(&state, *slot, &room.platform).await
                    }
                    Some(room) => self.show(state, *slot, &room).await,
                    None => End::Done,
                };
            }
            Effect::Notice { .. } | Effect::Digest { .. } if waits_for_room(&state) => {
                return End::again("the room is not open yet");
            }
            Effect::Notice { event, .. } => {
                let stream = Stream::Incident(incident);
                let stored = match self.inner.parts.store.events(stream, event - 1, 1).await {
                    Ok(stored) => stored,
                    Err(error) => return End::again(error.to_string()),
                };
                let happened = stored
                    .first()
                    .and_then(|stored| journal::read(stored).ok()?.event);
                let is_roomless = state.internal_rooms().next().is_none();
                if is_roomless && matches!(happened, Some(Event::RoomFailed { .. })) {
                    return self.tell_roomless(&state, *event).await;
                }
                plan::rooms_for(&state, happened.as_ref(), &effect)
            }
            _ => plan::rooms_for(&state, None, &effect),
        };
        if places.is_empty() {
            return End::Done;
        }
        let commit = Commit {
            at: self.now(),
            effects: plan::spread(&state, &effect, places, self.now()),
            effects_done: vec![id],
            ..Commit::default()
        };
        drop(state);
        match self.commit(commit).await {
            Ok(_) => End::Written,
            Err(error) => End::again(error.to_string()),
        }
    }

    async fn set_topic(&self, state: Arc<State>, room: &RoomRef) -> End {
        let words = &self.inner.parts.words;
        let topic = match state.room(room) {
            Some(known) if !known.is_internal() => words.guest_topic(&state),
            _ => words.topic(&state, &self.desk()),
        };
        // Not held while others wait for the chat: the next decision changes it in place.
        drop(state);
        match self.chat(&room.platform) {
            Ok(chat) => chat.set_topic(room, &topic).await.into(),
            Err(end) => end,
        }
    }

    async fn invite(&self, person: &PersonId, room: &RoomRef) -> End {
        let people = identities(&self.desk(), std::iter::once(person), &room.platform);
        if people.is_empty() {
            return End::Nothing;
        }
        match self.chat(&room.platform) {
            Ok(chat) => chat.invite(room, &people).await.into(),
            Err(end) => end,
        }
    }

    /// The last thing that is done to a room. First everything else is told in it; then the journal says that it is
    /// archived, so that nothing more is posted; then it is.
    async fn archive(&self, state: &State, room: &RoomRef) -> End {
        let incident = state.opening.number;
        if !state.is_over() {
            return End::Nothing;
        }
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        if state.room(room).is_some_and(|known| known.archived.is_none()) {
            if let Some(end) = self.tells_more(incident, room) {
                return end;
            }
            let archived = Request::RoomArchived { room: room.clone() };
            let decided = self.decide(incident, &By::Orderly, &archived, With::default(), None);
            if let Err(error) = decided.await {
                return error.into();
            }
        }
        match chat.archive(room).await {
            Err(chat::Error::Gone { why }) => {
                let (room, why) = (room.clone(), Some(why));
                let open = Request::RoomUnarchived { room, why };
                match self
                    .decide(incident, &By::Orderly, &open, With::default(), None)
                    .await
                {
                    Ok(_) => End::Done,
                    Err(error) => error.into(),
                }
            }
            archived => archived.into(),
        }
    }

    /// Set while a room is still to be told something.
    fn tells_more(&self, incident: IncidentId, room: &RoomRef) -> Option<End> {
        let more = lock(&self.inner.effects).has_more_for(
            &format!("{incident}/"),
            &room.to_string(),
            &plan::archiving(incident),
        );
        more.then(|| End::Again {
            why: "the room is told the rest before it is shut".to_owned(),
            after: Some(TOLD_EVERY),
            away: false,
        })
    }

    /// The last thing likewise for a channel that was there before: from here on nothing of the incident reaches it, and
    /// another one may have it.
    async fn give_back(&self, state: &State, room: &RoomRef) -> End {
        let incident = state.opening.number;
        if !state.is_over() {
            return End::Nothing;
        }
        if let Some(end) = self.tells_more(incident, room) {
            return end;
        }
        let given = Request::GiveRoomBack { room: room.clone() };
        let decided = self.decide(incident, &By::Orderly, &given, With::default(), None);
        match decided.await {
            // Nobody was asked anything.
            Ok(_) => End::Nothing,
            Err(error) => error.into(),
        }
    }

    async fn unarchive(&self, id: EffectId, state: &State, room: &RoomRef) -> End {
        let incident = state.opening.number;
        if state.is_over() || state.room(room).is_none_or(|known| known.archived.is_none()) {
            return End::Nothing;
        }
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        // An archived channel takes no edits: what was redacted meanwhile is taken out of it now.
        let redacted = state.redacted.iter().filter(|message| message.room != *room);
        let effects = redacted
            .map(|message| plan::carry(incident, message, room, false, self.now()))
            .collect();
        let room = room.clone();
        let request = match chat.unarchive(&room).await {
            Ok(()) => Request::RoomUnarchived { room, why: None },
            Err(chat::Error::Gone { why }) => Request::RoomLost { room, why },
            Err(error) => return error.into(),
        };
        let with = With {
            effects,
            ..finishing(id)
        };
        self.back(incident, &request, with).await
    }

    /// Says goodbye. That nothing more comes must not be taken for nothing going on.
    pub(super) async fn leave_room(&self, state: &State, event: u64, room: &RoomRef) -> End {
        if state.room(room).is_some() {
            return End::Done;
        }
        let message = self.inner.parts.words.left(state);
        let key = format!("{}/left/{event}@{room}", state.opening.number);
        match self.chat(&room.platform) {
            Ok(chat) => chat.post(&key, room, None, &message).await.map(drop).into(),
            Err(end) => end,
        }
    }
}

/// What is said in a room waits for the room that is being made, unless opening one was given up.
pub(super) fn waits_for_room(state: &State) -> bool {
    let being_made = state.first_room.is_none() || !state.rooms_asked.is_empty();
    state.rooms.is_empty() && state.room_failed.is_none() && being_made
}

/// The identities of people on a platform.
pub(super) fn identities<'a>(
    desk: &desk::State,
    people: impl Iterator<Item = &'a PersonId>,
    platform: &str,
) -> Vec<Identity> {
    let mut found: Vec<Identity> = people
        .filter_map(|person| desk.people.get(person))
        .flat_map(|person| person.identities.iter())
        .filter(|identity| identity.platform == platform)
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}
