//! What people see: rooms, messages, documents. Every call has a key, so that calling again after a crash shows nothing
//! twice.

use std::sync::Arc;

use super::decide::{Failed, With};
use super::perform::{Document, End};
use super::{Engine, journal};
use crate::chat::{self, Chat, Message, Upload};
use crate::desk;
use crate::incident::{
    Audience, Event, Identity, IncidentId, MessageRef, PersonId, Request, RoomRef, Slot, State,
};
use crate::store::{EffectId, Evidence, LogId, Post, Stream};

impl Engine {
    pub(super) async fn open_room(&self, id: EffectId, state: &State) -> End {
        let incident = state.opening.number;
        let with = || With {
            effect: Some(id),
            ..With::default()
        };
        let asked_on = state.opening.asked_in.as_ref().map(|room| room.platform.as_str());
        let chats = &self.inner.parts.chats;
        let Some(chat) = chats
            .iter()
            .find(|chat| asked_on.is_none_or(|platform| platform == chat.platform()))
        else {
            let why = "No chat platform is connected. The terminal works: `orderly incident`.".to_owned();
            return self.back(incident, &Request::RoomFailed { why }, with()).await;
        };
        let spec = self.room_spec(state, chat.platform());
        match chat.open_room(&format!("{incident}/room"), &spec).await {
            Ok(room) => {
                let posts = self.first_prompt(state, chat, &room).await;
                let request = Request::RoomOpened {
                    room,
                    audience: Audience::Internal,
                };
                self.back(incident, &request, With { posts, ..with() }).await
            }
            Err(chat::Error::Gone { why }) => self.back(incident, &Request::RoomFailed { why }, with()).await,
            Err(error) => error.into(),
        }
    }

    // A platform that is away does not keep the others from hearing of it: every room is tried.

    pub(super) async fn set_topic(&self, state: Arc<State>) -> End {
        let topic = self.inner.parts.words.topic(&state, &self.desk());
        let rooms = state.rooms.clone();
        // Not held while others wait for the chat: the next decision changes it in place.
        drop(state);
        let mut end = End::Done;
        for (room, _) in &rooms {
            end = end.and(match self.chat(&room.platform) {
                Ok(chat) => chat.set_topic(room, &topic).await.into(),
                Err(end) => end,
            });
        }
        end
    }

    pub(super) async fn invite(&self, state: &State, person: &PersonId) -> End {
        let desk = self.desk();
        let mut end = End::Done;
        for (room, _) in &state.rooms {
            let people = identities(&desk, std::iter::once(person), &room.platform);
            if people.is_empty() {
                continue;
            }
            end = end.and(match self.chat(&room.platform) {
                Ok(chat) => chat.invite(room, &people).await.into(),
                Err(end) => end,
            });
        }
        end
    }

    /// Where a message of this slot belongs now. Until the room exists the prompt appears where `/incident` was typed.
    async fn rooms_for(&self, state: &State, slot: Slot) -> (Vec<RoomRef>, End) {
        let asked_in = || state.opening.asked_in.clone().into_iter();
        let rooms = match slot {
            Slot::Announcement if state.opening.private => Vec::new(),
            Slot::Announcement => return self.lobbies(state).await,
            Slot::Prompt { .. } if state.rooms.is_empty() => asked_in().collect(),
            _ => state.rooms.iter().map(|(room, _)| room.clone()).collect(),
        };
        (rooms, End::Done)
    }

    /// Every lobby, and where the incident was opened on a platform that has none. A platform that cannot tell now does
    /// not keep the others from hearing of it.
    async fn lobbies(&self, state: &State) -> (Vec<RoomRef>, End) {
        let parts = &self.inner.parts;
        let mut rooms: Vec<RoomRef> = parts.options.announce.clone().into_iter().collect();
        let mut end = End::Done;
        for chat in &parts.chats {
            match chat.lobby().await {
                Ok(lobby) => rooms.extend(lobby),
                Err(error) => end = end.and(error.into()),
            }
        }
        let asked_in = state.opening.asked_in.clone();
        let untold = |asked: &RoomRef| !rooms.iter().any(|room| room.platform == asked.platform);
        let asked_in = asked_in.filter(untold);
        rooms.extend(asked_in);
        rooms.dedup();
        (rooms, end)
    }

    pub(super) async fn show(&self, state: Arc<State>, slot: Slot) -> End {
        let incident = state.opening.number;
        let Some(message) = self.inner.parts.words.slot(&state, slot, &self.desk()) else {
            return End::Done;
        };
        let (rooms, mut end) = self.rooms_for(&state, slot).await;
        drop(state);
        let known = match self.inner.parts.store.posts(incident).await {
            Ok(known) => known,
            Err(error) => return End::again(error.to_string()),
        };
        for room in rooms {
            let name = format!("{slot}@{room}");
            let post = known.iter().find(|post| post.slot == name);
            let there = post.and_then(|post| serde_json::from_str(post.message.as_deref()?).ok());
            end = end.and(match self.chat(&room.platform) {
                Ok(chat) => show_in(chat, incident, slot, &room, there, &message).await,
                Err(end) => end,
            });
        }
        end
    }

    /// Tells of events of one incident, in this order; how each ended. Fewer ends than events: the rest has to wait
    /// for what failed, or for what may be more urgent.
    pub(super) async fn tell_notices(&self, incident: IncidentId, events: &[u64]) -> Vec<End> {
        let Noticed { told, rooms, no_room } = match self.notices_of(incident, events).await {
            Ok(noticed) => noticed,
            Err(end) => return vec![end],
        };
        if let Some(end) = no_room
            && told.first().is_some_and(Option::is_some)
        {
            return vec![end];
        }
        let said = events.iter().zip(&told);
        let said = said
            .filter_map(|(event, message)| Some((format!("{incident}/notice/{event}"), message.as_ref()?)));
        let said: Vec<(String, &Message)> = said.collect();
        let mut posted = self.post_all(&rooms, &said).await.into_iter();
        let ends = told.iter().map_while(|message| match message {
            Some(_) => posted.next(),
            None => Some(End::Done),
        });
        ends.collect()
    }

    /// Posts messages in every room of the team; how each ended. There are fewer ends where a room did not get to all.
    async fn post_all(&self, rooms: &[(RoomRef, Audience)], said: &[(String, &Message)]) -> Vec<End> {
        let mut ends: Vec<End> = said.iter().map(|_| End::Done).collect();
        for (room, audience) in rooms {
            if *audience == Audience::Guest || said.is_empty() {
                continue;
            }
            let posted: Vec<End> = match self.chat(&room.platform) {
                Ok(chat) => {
                    let keyed = said
                        .iter()
                        .map(|(key, message)| (format!("{key}@{room}"), *message));
                    let posted = chat.post_all(room, &keyed.collect::<Vec<_>>()).await;
                    posted.into_iter().map(|posted| posted.map(drop).into()).collect()
                }
                Err(_) => said
                    .iter()
                    .filter_map(|_| self.chat(&room.platform).err())
                    .collect(),
            };
            ends = ends
                .into_iter()
                .zip(posted)
                .map(|(end, posted)| end.and(posted))
                .collect();
        }
        ends
    }

    /// What is said of events of an incident, as far as they are at hand or read in one go: of the first in any case.
    async fn notices_of(&self, incident: IncidentId, events: &[u64]) -> Result<Noticed, End> {
        let loaded = self.loaded(incident);
        let mut loaded_now = loaded.lock().await;
        let mut known = loaded_now.recent_of(events);
        let mut looked_at = 0..0;
        if let Some(missing) = events.iter().find(|event| !known.contains_key(event)) {
            drop(loaded_now);
            looked_at = *missing..missing + IN_ONE_GO;
            let stream = Stream::Incident(incident);
            let stored = self
                .inner
                .parts
                .store
                .events(stream, missing - 1, IN_ONE_GO as usize)
                .await;
            for stored in stored.map_err(|error| End::again(error.to_string()))? {
                if !events.contains(&stored.seq) {
                    continue;
                }
                match journal::read(&stored) {
                    Ok(recorded) => drop(known.insert(stored.seq, (recorded, stored.seal.hash))),
                    Err(error) if stored.seq == events[0] => return Err(End::Never(error.to_string())),
                    Err(_) => looked_at.end = looked_at.end.min(stored.seq),
                }
            }
            loaded_now = loaded.lock().await;
        }
        self.fill(incident, &mut loaded_now).await?;
        let Some(state) = &loaded_now.state else {
            return Err(End::Done);
        };
        let desk = self.desk();
        let at_hand = events
            .iter()
            .take_while(|event| known.contains_key(event) || looked_at.contains(event));
        let told = at_hand.map(|event| {
            let (recorded, hash) = known.get(event)?;
            self.inner
                .parts
                .words
                .notice(state, recorded, &hash.to_string(), &desk)
        });
        Ok(Noticed {
            told: told.collect(),
            rooms: state.rooms.clone(),
            no_room: no_room_yet(state),
        })
    }

    pub(super) async fn direct(&self, incident: IncidentId, person: &PersonId, event: u64) -> End {
        let message = match self.notices_of(incident, &[event]).await {
            Ok(Noticed { mut told, .. }) => told.pop().flatten(),
            Err(end) => return end,
        };
        let Some(message) = message else {
            return End::Done;
        };
        let desk = self.desk();
        let mut end = End::Done;
        for identity in desk
            .people
            .get(person)
            .into_iter()
            .flat_map(|known| &known.identities)
        {
            let Ok(chat) = self.chat(&identity.platform) else {
                continue;
            };
            let key = format!("{incident}/direct/{event}/{}", identity.user);
            end = end.and(chat.direct(&key, identity, &message).await.into());
        }
        end
    }

    pub(super) async fn post_digest(&self, incident: IncidentId, from: u64, to: u64) -> End {
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Done,
            Err(error) => return error.into(),
        };
        if let Some(end) = no_room_yet(&state) {
            return end;
        }
        let message = self.inner.parts.words.digest(&state, from, to, &self.desk());
        let said = (format!("{incident}/digest/{to}"), &message);
        let mut ends = self.post_all(&state.rooms, &[said]).await;
        ends.pop().unwrap_or(End::Done)
    }

    pub(super) async fn post_export(
        &self,
        id: EffectId,
        incident: IncidentId,
        format: &str,
        as_of: u64,
    ) -> End {
        let Document {
            as_of,
            bytes,
            media_type,
            name,
        } = match self.document(incident, format, as_of).await {
            Ok(document) => document,
            Err(error) => return End::Never(error.to_string()),
        };
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Done,
            Err(error) => return error.into(),
        };
        let evidence = Evidence::new(incident, media_type, bytes.clone());
        let sha256 = evidence.sha256.to_string();
        for (room, _) in &state.rooms {
            let chat = match self.chat(&room.platform) {
                Ok(chat) => chat,
                Err(end) => return end,
            };
            let comment = format!("Post-mortem of {incident} as of event #{as_of}, SHA-256 {sha256}");
            let (media_type, name) = (media_type.to_owned(), name.clone());
            let file = Upload {
                name,
                media_type,
                bytes: bytes.clone(),
                comment,
            };
            if let Err(error) = chat
                .upload(&format!("{incident}/export/{as_of}/{format}@{room}"), room, &file)
                .await
            {
                return error.into();
            }
        }
        let request = Request::RecordExport {
            format: format.to_owned(),
            as_of,
            sha256,
        };
        let with = With {
            effect: Some(id),
            evidence: Some(evidence),
            ..With::default()
        };
        self.back(incident, &request, with).await
    }

    /// A document of the journal up to an event. Exports are not part of what they show, so the document stands for the
    /// last event before them.
    pub async fn document(&self, incident: IncidentId, format: &str, as_of: u64) -> Result<Document, Failed> {
        let store = &self.inner.parts.store;
        let mut journal = journal::load(&**store, incident).await?;
        let is_export = |event: &Option<Event>| matches!(event, Some(Event::Exported { .. }));
        let last = journal
            .iter()
            .rev()
            .find(|recorded| recorded.seq <= as_of && !is_export(&recorded.event));
        let as_of = last.map_or(0, |last| last.seq);
        journal.retain(|recorded| recorded.seq <= as_of);
        let stream = Stream::Incident(incident);
        let last = store.events(stream, as_of.saturating_sub(1), 1).await?;
        let head = last.first().map_or(String::new(), |last| {
            format!("{incident}@{as_of}:{}", last.seal.hash)
        });
        let log = match self.inner.parts.options.whole_log {
            true => Some(store.room_log(incident, LogId(0), usize::MAX >> 1).await?),
            false => None,
        };
        let documents = &self.inner.parts.documents;
        let (bytes, media_type, name) =
            documents.export(format, &journal, &head, log.as_deref(), &self.desk())?;
        Ok(Document {
            as_of,
            bytes,
            media_type,
            name,
        })
    }
}

/// What is said of events, where anything is, and where it is said.
struct Noticed {
    told: Vec<Option<Message>>,
    rooms: Vec<(RoomRef, Audience)>,
    /// What is said waits for the room.
    no_room: Option<End>,
}

/// Events read at once to be told of: one run of notices of a busy incident.
const IN_ONE_GO: u64 = 64;

/// What is said in a room waits for the room, unless opening one was given up.
fn no_room_yet(state: &State) -> Option<End> {
    let expected = state.rooms.is_empty() && state.room_failed.is_none();
    expected.then(|| End::again("the room is not open yet"))
}

/// Makes one slot true in one room.
pub(super) async fn show_in(
    chat: &Arc<dyn Chat>,
    incident: IncidentId,
    slot: Slot,
    room: &RoomRef,
    there: Option<MessageRef>,
    message: &Message,
) -> End {
    let name = format!("{slot}@{room}");
    let key = match there {
        None => format!("{incident}/{name}"),
        Some(at) => match chat.update(&at, message).await {
            // Somebody deleted it: what should be true is posted anew, under a key of its own.
            Err(chat::Error::Gone { .. }) => format!("{incident}/{name}/after/{}", at.message),
            updated => return updated.into(),
        },
    };
    let at = match chat.post(&key, room, None, message).await {
        Ok(at) => at,
        Err(error) => return error.into(),
    };
    End::Shown(vec![Post {
        incident,
        slot: name,
        message: serde_json::to_string(&at).ok(),
    }])
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
