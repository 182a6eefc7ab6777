//! Channels that were there before, looked at before they become rooms: whether the bot is in it, who can read it, whose it
//! is already. Asked at once, so that a refusal reaches the person who typed.
//!
//! Whose it is, is looked up and decided by one at a time. One process owns the store, every channel that becomes a room comes
//! through here, and the index knows of a room as soon as the commit that says so is written: so no row of the store has to
//! be unique for a channel to have one incident.

use super::decide::Failed;
use super::handle::no_incident;
use super::intake::room_of;
use super::ports::Act;
use super::rooms::identities;
use super::{Engine, read};
use crate::chat::{self, Asker, Delivery, Found};
use crate::incident::{IncidentId, PersonId, Refusal, Request, RoomRef};

/// Held from the look at whose a channel is until it is written whose it becomes.
pub(super) type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

impl Engine {
    /// What was asked about rooms, with channels looked up where they are named as people type them. Whoever takes one
    /// has the turn until it is decided.
    pub(super) async fn about_rooms(
        &self,
        delivery: &Delivery,
        person: &PersonId,
        incident: Option<IncidentId>,
        act: Act,
    ) -> Result<(Act, Option<Turn<'_>>), Failed> {
        let here = room_of(&delivery.incoming);
        let act = match act {
            Act::AddRoom {
                platform,
                channel,
                audience,
            } => {
                let incident = incident.ok_or_else(no_incident)?;
                let asker = self.asker(person, here, &platform, Some(incident)).await?;
                let found = self.usable(&platform, &channel, &asker).await?;
                let turn = self.turn_for(&found, Some(incident)).await?;
                let request = Request::AddRoom {
                    room: found.room,
                    audience,
                    readable: found.readable,
                };
                return Ok((Act::Incident(request), Some(turn)));
            }
            Act::LeaveRoom { platform, channel } => {
                let asker = self.asker(person, here, &platform, incident).await?;
                let room = self.found(&platform, &channel, &asker).await?.room;
                Act::Incident(Request::LeaveRoom { room })
            }
            Act::AskRoom { platform, audience } => {
                self.connected(&platform)?;
                Act::Incident(Request::AskRoom { platform, audience })
            }
            Act::Open(mut request) => {
                let turn = self.opening_here(person, here, &mut request).await?;
                return Ok((Act::Open(request), turn));
            }
            act => act,
        };
        Ok((act, None))
    }

    /// Who asks, as the platform of the channel knows them.
    async fn asker(
        &self,
        person: &PersonId,
        here: &RoomRef,
        platform: &str,
        incident: Option<IncidentId>,
    ) -> Result<Asker, Failed> {
        let mut reads = vec![here.clone()];
        if let Some(incident) = incident
            && let Some(state) = self.state(incident).await?
        {
            reads.extend(state.rooms.iter().map(|room| room.at.clone()));
        }
        let who = identities(&self.desk(), std::iter::once(person), platform);
        Ok(Asker { who, reads })
    }

    /// The channel that is to be the room of an opening is looked at.
    async fn opening_here(
        &self,
        person: &PersonId,
        typed_in: &RoomRef,
        request: &mut Request,
    ) -> Result<Option<Turn<'_>>, Failed> {
        let Request::Open { opening, .. } = request else {
            return Ok(None);
        };
        let Some(here) = opening.here.clone() else {
            return Ok(None);
        };
        let asker = self.asker(person, typed_in, &here.platform, None).await?;
        let found = self.usable(&here.platform, &here.room, &asker).await?;
        if opening.private && found.readable {
            return Err(Refusal::new(
                "A private incident cannot have a room that everybody can read. Open it without `--here`, or in a \
                 private channel.",
            )
            .at("here")
            .into());
        }
        let turn = self.turn_for(&found, None).await?;
        opening.here = Some(found.room);
        Ok(Some(turn))
    }

    /// The turn to take a channel, if it is nobody's else.
    async fn turn_for(&self, found: &Found, incident: Option<IncidentId>) -> Result<Turn<'_>, Failed> {
        let turn = self.inner.adopting.lock().await;
        let owner = read(&self.inner.index).incident_of(&found.room);
        match owner.filter(|owner| incident != Some(*owner)) {
            Some(_) => Err(Refusal::new(format!(
                "{} is the room of another incident. Take another channel.",
                found.name
            ))
            .at("room")
            .into()),
            None => Ok(turn),
        }
    }

    /// A platform on which a room can be made.
    fn connected(&self, platform: &str) -> Result<(), Refusal> {
        let chats = &self.inner.parts.chats;
        if chats.iter().any(|chat| chat.platform() == platform) {
            return Ok(());
        }
        let known: Vec<_> = chats.iter().map(|chat| chat.platform()).collect();
        let words = format!("{platform} is not connected. Connected: {}.", known.join(", "));
        Err(Refusal::new(words).at("room"))
    }

    /// A channel as its platform knows it.
    async fn found(&self, platform: &str, channel: &str, asker: &Asker) -> Result<Found, Failed> {
        self.connected(platform)?;
        let refused = |words: String| Failed::from(Refusal::new(words).at("room"));
        let Ok(chat) = self.chat(platform) else {
            return Err(refused(format!("{platform} is not connected.")));
        };
        match chat.find_room(channel, asker).await {
            Ok(found) => Ok(found),
            // Not tried again by itself: the rest of the incident would wait for it.
            Err(chat::Error::Retry { why, .. }) => Err(refused(format!(
                "{platform} cannot be asked about that channel now ({why}). Try again in a moment."
            ))),
            Err(chat::Error::Gone { why }) => Err(refused(format!("{why}."))),
        }
    }

    async fn usable(&self, platform: &str, channel: &str, asker: &Asker) -> Result<Found, Failed> {
        let refused = |words: String| Failed::from(Refusal::new(words).at("room"));
        let found = self.found(platform, channel, asker).await?;
        let name = &found.name;
        if !found.joined {
            return Err(refused(format!(
                "Orderly is not in {name}. Invite it there first, then say this again."
            )));
        }
        if found.archived {
            return Err(refused(format!(
                "{name} is archived. Open it again first, or take another one."
            )));
        }
        let lobby = match self.chat(platform) {
            Ok(chat) => chat.lobby().await.ok().flatten(),
            Err(_) => None,
        };
        let announce = &self.inner.parts.options.announce;
        let announced = lobby.iter().chain(announce).any(|lobby| *lobby == found.room);
        if announced {
            return Err(refused(format!(
                "Incidents are announced in {name}; one of them would bury the others. Take another channel."
            )));
        }
        Ok(found)
    }
}
