//! Channels that were there before, looked at before they become rooms: whether the bot is in it, who can read it, whose it
//! is already. Asked at once, so that a refusal reaches the person who typed.

use super::decide::Failed;
use super::handle::no_incident;
use super::ports::Act;
use super::{Engine, read};
use crate::chat::{self, Found};
use crate::incident::{Audience, IncidentId, Refusal, Request};

impl Engine {
    /// What was asked about rooms, with channels looked up where they are named as people type them.
    pub(super) async fn about_rooms(&self, incident: Option<IncidentId>, act: Act) -> Result<Act, Failed> {
        Ok(match act {
            Act::AddRoom {
                platform,
                channel,
                audience,
            } => {
                let incident = incident.ok_or_else(no_incident)?;
                Act::Incident(self.joining(incident, &platform, &channel, audience).await?)
            }
            Act::LeaveRoom { platform, channel } => {
                let room = self.found(&platform, &channel).await?.room;
                Act::Incident(Request::LeaveRoom { room })
            }
            Act::Incident(Request::AskRoom { platform, audience }) => {
                self.connected(&platform)?;
                Act::Incident(Request::AskRoom { platform, audience })
            }
            Act::Open(request) => Act::Open(Box::new(self.opening_here(*request).await?)),
            act => act,
        })
    }

    /// The request that makes a channel a room of this incident.
    async fn joining(
        &self,
        incident: IncidentId,
        platform: &str,
        channel: &str,
        audience: Audience,
    ) -> Result<Request, Failed> {
        let found = self.usable(platform, channel, Some(incident)).await?;
        Ok(Request::AddRoom {
            room: found.room,
            audience,
            readable: found.readable,
        })
    }

    /// An opening, with the channel that is to be its room looked at.
    async fn opening_here(&self, mut request: Request) -> Result<Request, Failed> {
        let Request::Open { opening, .. } = &mut request else {
            return Ok(request);
        };
        let Some(here) = opening.here.clone() else {
            return Ok(request);
        };
        let found = self.usable(&here.platform, &here.room, None).await?;
        if opening.private && found.readable {
            return Err(Refusal::new(
                "A private incident cannot have a room that everybody can read. Open it without `--here`, or in a \
                 private channel.",
            )
            .at("here")
            .into());
        }
        opening.here = Some(found.room);
        Ok(request)
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
    async fn found(&self, platform: &str, channel: &str) -> Result<Found, Failed> {
        self.connected(platform)?;
        let refused = |words: String| Failed::from(Refusal::new(words).at("room"));
        let Ok(chat) = self.chat(platform) else {
            return Err(refused(format!("{platform} is not connected.")));
        };
        match chat.find_room(channel).await {
            Ok(found) => Ok(found),
            // Not tried again by itself: the rest of the incident would wait for it.
            Err(chat::Error::Retry { why, .. }) => Err(refused(format!(
                "{platform} cannot be asked about that channel now ({why}). Try again in a moment."
            ))),
            Err(chat::Error::Gone { why }) => Err(refused(format!("{why}."))),
        }
    }

    async fn usable(
        &self,
        platform: &str,
        channel: &str,
        incident: Option<IncidentId>,
    ) -> Result<Found, Failed> {
        let refused = |words: String| Failed::from(Refusal::new(words).at("room"));
        let found = self.found(platform, channel).await?;
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
        let other = read(&self.inner.index).incident_of(&found.room);
        match other.filter(|other| incident != Some(*other)) {
            Some(_) => Err(refused(format!(
                "{name} is the room of another incident. Take another channel."
            ))),
            None => Ok(found),
        }
    }
}
