//! What people see in one room: slots, notices, digests, documents. A platform that is away keeps no other room from
//! hearing of it, because every room has tasks of its own; and no task posts twice, because every call has a key.

use std::sync::Arc;

use chrono::TimeDelta;

use super::carry::quoted_slot;
use super::decide::{Failed, With};
use super::end::End;
use super::perform::Document;
use super::plan::{self, NOTICE_LATE};
use super::ports::Carried;
use super::rooms::waits_for_room;
use super::{Engine, journal};
use crate::chat::{self, Chat, Message, Upload};
use crate::desk;
use crate::incident::{
    Audience, Effect, Event, IncidentId, MessageRef, PersonId, Request, RoomRef, Slot, State,
};
use crate::store::{Commit, EffectId, Evidence, LogId, Post, Stream};

/// A platform's clock may differ from ours by so much, and a call takes its time.
pub(super) const CLOCKS_APART: TimeDelta = TimeDelta::minutes(2);

/// What one person is told is told however long a platform was away; no outage is looked for that was longer.
const DIRECT_LATE: TimeDelta = TimeDelta::hours(24);

/// Under which the notice of an event stands in a room.
fn notice_key(incident: IncidentId, event: u64, room: &RoomRef) -> String {
    format!("{incident}/notice/{event}@{room}")
}

/// Under which an event was told to one person.
fn direct_key(incident: IncidentId, event: u64, user: &str) -> String {
    format!("{incident}/direct/{event}/{user}")
}

/// A message shows a slot from now on.
pub(super) fn shown_at(incident: IncidentId, slot: String, at: &MessageRef) -> End {
    End::Shown(vec![Post {
        incident,
        slot,
        message: serde_json::to_string(at).ok(),
    }])
}

impl Engine {
    /// Makes one slot true in one room.
    pub(super) async fn show(&self, state: Arc<State>, slot: Slot, room: &RoomRef) -> End {
        let incident = state.opening.number;
        let words = &self.inner.parts.words;
        let message = match state.room(room).map(|known| known.audience) {
            Some(Audience::Guest) => (slot == Slot::Card).then(|| words.guest_card(&state)),
            _ => words.slot(&state, slot, &self.desk()),
        };
        let Some(mut message) = message else {
            return End::Nothing;
        };
        if state.room(room).is_none() {
            message = message.about(&incident.to_string());
        }
        let is_left = matches!(slot, Slot::Prompt { entered }
            if state.passages.last().is_some_and(|last| last.event != entered));
        // Not held while others wait for the chat: the next decision changes it in place.
        drop(state);
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        let there = match self.posted(incident, &format!("{slot}@{room}")).await {
            Ok(there) => there,
            Err(end) => return end,
        };
        // A phase that was left before it was ever asked here is not asked any more.
        if is_left && there.is_none() {
            return End::Nothing;
        }
        self.show_in(chat, incident, slot, room, there, &message).await
    }

    /// Makes one slot true in one room. `there`: the message that shows it so far.
    pub(super) async fn show_in(
        &self,
        chat: &Arc<dyn Chat>,
        incident: IncidentId,
        slot: Slot,
        room: &RoomRef,
        there: Option<MessageRef>,
        message: &Message,
    ) -> End {
        let name = format!("{slot}@{room}");
        let shown = &self.inner.shown;
        let key = match there {
            None => format!("{incident}/{name}"),
            Some(at) if shown.says(&at, message, self.now()) => return End::Nothing,
            Some(at) => {
                // Should the answer be lost, nobody knows which of the two it says.
                shown.doubt(&at);
                match chat.update(&at, message).await {
                    Err(chat::Error::Gone { .. }) => match chat.stands(room).await {
                        // Somebody deleted it: what should be true is posted anew, under a key of its own.
                        Ok(()) => format!("{incident}/{name}/after/{}", at.message),
                        // It may well stand there; we do not, and a new one would stand beside it.
                        Err(error) => return error.into(),
                    },
                    Ok(()) => {
                        shown.said(&at, message, self.now());
                        return End::Done;
                    }
                    waits => return End::of_edit(waits),
                }
            }
        };
        let at = match chat.post(&key, room, None, message).await {
            Ok(at) => at,
            Err(error) => return error.into(),
        };
        shown.said(&at, message, self.now());
        shown_at(incident, name, &at)
    }

    /// The message that shows a slot.
    pub(super) async fn posted(&self, incident: IncidentId, slot: &str) -> Result<Option<MessageRef>, End> {
        let post = self.inner.parts.store.post(incident, slot).await;
        let post = post.map_err(|error| End::again(error.to_string()))?;
        Ok(post.and_then(|post| serde_json::from_str(post.message.as_deref()?).ok()))
    }

    /// Tells a room of events of one incident, in this order; how each ended. Fewer ends than events: the rest has to wait
    /// for what failed, or for what may be more urgent.
    pub(super) async fn tell_notices(
        &self,
        incident: IncidentId,
        events: &[u64],
        room: &RoomRef,
    ) -> Vec<End> {
        let told = match self.notices_of(incident, events, Some(room)).await {
            Ok(told) => told,
            Err(end) => return vec![end],
        };
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return vec![end],
        };
        let said = events
            .iter()
            .zip(&told)
            .filter_map(|(event, message)| Some((notice_key(incident, *event, room), message.as_ref()?)));
        let said: Vec<(String, &Message)> = said.collect();
        let mut posted = match said.is_empty() {
            true => Vec::new(),
            false => chat.post_all(room, &said).await,
        }
        .into_iter();
        let ends = told.iter().map_while(|message| match message {
            Some(_) => posted.next().map(|posted| posted.map(drop).into()),
            None => Some(End::Nothing),
        });
        ends.collect()
    }

    /// Makes what was said of an event in a room say what the event says now.
    pub(super) async fn reword(&self, incident: IncidentId, event: u64, room: &RoomRef) -> End {
        let key = notice_key(incident, event, room);
        self.say_anew(incident, event, (&key, room), Some(room), NOTICE_LATE)
            .await
    }

    /// The same of what one person was told directly, on every platform they are on.
    pub(super) async fn reword_direct(&self, incident: IncidentId, person: &PersonId, event: u64) -> End {
        let desk = self.desk();
        let known = desk.people.get(person).into_iter();
        let mut end = End::Nothing;
        for identity in known.flat_map(|known| &known.identities) {
            let Ok(chat) = self.chat(&identity.platform) else {
                continue;
            };
            let said = match chat.direct_room(identity).await {
                Ok(room) => {
                    let key = direct_key(incident, event, &identity.user);
                    self.say_anew(incident, event, (&key, &room), None, DIRECT_LATE)
                        .await
                }
                // Where nobody can be told anything, nothing stands.
                Err(chat::Error::Gone { .. }) => End::Nothing,
                Err(error) => error.into(),
            };
            end = end.and(said);
        }
        end
    }

    /// `of`: the room whose notice it is; `None`: it is what the team is told. `late`: how long after the event it may have
    /// been said.
    async fn say_anew(
        &self,
        incident: IncidentId,
        event: u64,
        (key, room): (&str, &RoomRef),
        of: Option<&RoomRef>,
        late: TimeDelta,
    ) -> End {
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        let store = &self.inner.parts.store;
        let stored = store.events(Stream::Incident(incident), event - 1, 1).await;
        let recorded = match stored.map(|mut stored| stored.pop()) {
            Ok(Some(stored)) => stored.event.recorded,
            Ok(None) => return End::Nothing,
            Err(error) => return End::again(error.to_string()),
        };
        let between = (recorded - CLOCKS_APART, recorded + late + CLOCKS_APART);
        let at = match chat.find_post(key, room, between).await {
            Ok(Some(at)) => at,
            // Never said here, or deleted by somebody.
            Ok(None) | Err(chat::Error::Gone { .. }) => return End::Nothing,
            Err(error) => return error.into(),
        };
        let told = match self.notices_of(incident, &[event], of).await {
            Ok(mut told) => told.pop().flatten(),
            Err(end @ End::Again { .. }) => return end,
            Err(_) => None,
        };
        let told = told.unwrap_or_else(|| self.inner.parts.words.notice_redacted());
        match chat.reword(&at, &told).await {
            Err(chat::Error::Gone { .. }) => End::Done,
            updated => End::of_edit(updated),
        }
    }

    /// What is said of events of an incident, as far as they are at hand or read in one go: of the first in any case.
    async fn notices_of(
        &self,
        incident: IncidentId,
        events: &[u64],
        room: Option<&RoomRef>,
    ) -> Result<Vec<Option<Message>>, End> {
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
            return Err(End::Nothing);
        };
        let words = &self.inner.parts.words;
        let desk = self.desk();
        // One person is told what the team is. A room that was left, or archived, is told nothing.
        let whose = match room {
            None => Some(Audience::Internal),
            Some(room) => state
                .room(room)
                .filter(|known| known.archived.is_none())
                .map(|known| known.audience),
        };
        let at_hand = events
            .iter()
            .take_while(|event| known.contains_key(event) || looked_at.contains(event));
        let told = at_hand.map(|event| {
            let (recorded, hash) = known.get(event)?;
            match whose? {
                Audience::Guest => words.guest_notice(state, recorded),
                Audience::Internal => words.notice(state, recorded, &hash.to_string(), &desk),
            }
        });
        Ok(told.collect())
    }

    /// Tells of an event what the team is told, in a room that is not the incident's.
    pub(super) async fn tell_elsewhere(&self, incident: IncidentId, event: u64, room: &RoomRef) -> End {
        let message = match self.notices_of(incident, &[event], None).await {
            Ok(mut told) => told.pop().flatten(),
            Err(end) => return end,
        };
        let (Some(message), Ok(chat)) = (message, self.chat(&room.platform)) else {
            return End::Done;
        };
        let message = message.about(&incident.to_string());
        let key = notice_key(incident, event, room);
        chat.post(&key, room, None, &message).await.map(drop).into()
    }

    pub(super) async fn direct(&self, incident: IncidentId, person: &PersonId, event: u64) -> End {
        let message = match self.notices_of(incident, &[event], None).await {
            Ok(mut told) => told.pop().flatten(),
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
            let key = direct_key(incident, event, &identity.user);
            end = end.and(chat.direct(&key, identity, &message).await.into());
        }
        end
    }

    /// One message in place of what came too late.
    pub(super) async fn digest(
        &self,
        id: EffectId,
        incident: IncidentId,
        (from, to): (u64, u64),
        room: Option<RoomRef>,
        said: Vec<MessageRef>,
    ) -> End {
        let state = match self.state(incident).await {
            Ok(Some(state)) => state,
            Ok(None) => return End::Done,
            Err(error) => return error.into(),
        };
        if let Some(room) = room {
            let digest = Effect::Digest { from, to };
            let still = state
                .room(&room)
                .is_some_and(|known| plan::admits(&state, known, &digest));
            let end = match still {
                true => self.post_digest(&state, (from, to), &said, &room).await,
                false => End::Nothing,
            };
            drop(state);
            self.heed(incident, &room, &end).await;
            return end;
        }
        if waits_for_room(&state) {
            return End::again("the room is not open yet");
        }
        let rooms = state.internal_rooms().map(|room| room.at.clone());
        let commit = Commit {
            at: self.now(),
            effects: rooms
                .map(|room| plan::digest(incident, from, to, Some(room), said.clone()))
                .collect(),
            effects_done: vec![id],
            ..Commit::default()
        };
        match self.commit(commit).await {
            Ok(_) => End::Written,
            Err(error) => End::again(error.to_string()),
        }
    }

    pub(super) async fn post_digest(
        &self,
        state: &State,
        (from, to): (u64, u64),
        said: &[MessageRef],
        room: &RoomRef,
    ) -> End {
        let incident = state.opening.number;
        let mut words = Vec::new();
        for message in said {
            match self.said(message).await {
                // What was taken back meanwhile need not be told at all.
                Ok(said) => words.extend(said.filter(|said: &Carried| said.text.is_some())),
                Err(end) => return end,
            }
        }
        let message = self
            .inner
            .parts
            .words
            .digest(state, from, to, &words, &self.desk());
        let last = said
            .last()
            .map(|last| format!("/{}", last.message))
            .unwrap_or_default();
        let key = format!("{incident}/digest/{to}{last}@{room}");
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        let at = match chat.post(&key, room, None, &message).await {
            Ok(at) => serde_json::to_string(&at).ok(),
            Err(error) => return error.into(),
        };
        // What is redacted later is taken out of it.
        let quoted = said.iter().map(|quoted| Post {
            incident,
            slot: quoted_slot(quoted, room),
            message: at.clone(),
        });
        End::Shown(quoted.collect())
    }

    /// The bytes of a document are kept as evidence with the event that says so; every room of the team then gets them.
    pub(super) async fn make_export(
        &self,
        id: EffectId,
        incident: IncidentId,
        format: &str,
        as_of: u64,
    ) -> End {
        let document = match self.document(incident, format, as_of).await {
            Ok(document) => document,
            Err(error) => return End::Never(error.to_string()),
        };
        let evidence = Evidence::new(incident, document.media_type, document.bytes);
        let request = Request::RecordExport {
            format: format.to_owned(),
            as_of: document.as_of,
            sha256: evidence.sha256.to_string(),
        };
        let with = With {
            effect: Some(id),
            evidence: Some(evidence),
            ..With::default()
        };
        self.back(incident, &request, with).await
    }

    /// Puts an exported document into a room. It is made again, so that what was redacted since is not shown.
    pub(super) async fn attach(&self, state: &State, format: &str, as_of: u64, room: &RoomRef) -> End {
        let incident = state.opening.number;
        let chat = match self.chat(&room.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        let document = match self.document(incident, format, as_of).await {
            Ok(document) => document,
            Err(error) => return End::Never(error.to_string()),
        };
        let Document {
            as_of,
            bytes,
            media_type,
            name,
        } = document;
        let sha256 = crate::store::Hash::of(&bytes);
        let file = Upload {
            name,
            media_type: media_type.to_owned(),
            bytes,
            comment: format!("Post-mortem of {incident} as of event #{as_of}, SHA-256 {sha256}"),
        };
        let key = format!("{incident}/export/{as_of}/{format}@{room}");
        chat.upload(&key, room, &file).await.map(drop).into()
    }

    /// A document of the journal up to an event. Exports are not part of what they show, so the document stands for the
    /// last event before them. What is shown of the desk and of the room log is what was there at that event: people get
    /// other names, and rooms go on talking.
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
            true => {
                let mut log = store.room_log(incident, LogId(0), usize::MAX >> 1).await?;
                log.retain(|stored| stored.after < as_of);
                Some(log)
            }
            false => None,
        };
        let desk = self.desk_at(stream, as_of).await?;
        let documents = &self.inner.parts.documents;
        let (bytes, media_type, name) = documents.export(format, &journal, &head, log.as_deref(), &desk)?;
        Ok(Document {
            as_of,
            bytes,
            media_type,
            name,
        })
    }

    /// The desk as it was when an event of another stream was written.
    async fn desk_at(&self, stream: Stream, seq: u64) -> Result<Arc<desk::State>, Failed> {
        let store = &*self.inner.parts.store;
        let now = self.desk();
        let then = store.written_before(Stream::Desk, stream, seq).await?;
        match then == now.seq {
            true => Ok(now),
            false => Ok(Arc::new(journal::desk_up_to(store, then).await?)),
        }
    }
}

/// Events read at once to be told of: one run of notices of a busy incident.
const IN_ONE_GO: u64 = 64;
