//! The line that tells everybody of an incident, in the channel where incidents are announced.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::end::End;
use super::{Engine, lock};
use crate::incident::{RoomRef, Slot, State};

/// Channels in which nothing can be announced. In memory only: after a restart it is found again, and said again.
pub(super) type Unannounced = HashMap<RoomRef, Silence>;

/// Since when a channel hears nothing, and whether a team was told: one is enough.
#[derive(Debug)]
pub(super) struct Silence {
    since: DateTime<Utc>,
    told: bool,
}

impl Engine {
    /// The line in the lobby of a platform, and where the incident was opened if it has none.
    pub(super) async fn announce(&self, state: Arc<State>, platform: &str) -> End {
        if state.opening.private {
            return End::Done;
        }
        let rooms = match self.announced_in(&state, platform).await {
            Ok(rooms) => rooms,
            Err(end) => return end,
        };
        let mut end = End::Done;
        for room in rooms {
            let shown = self.show(Arc::clone(&state), Slot::Announcement, &room).await;
            end = end.and(self.heed_announced(&state, &room, shown).await);
        }
        end
    }

    /// Where an incident that is not private is announced on a platform.
    pub(super) async fn announced_in(&self, state: &State, platform: &str) -> Result<Vec<RoomRef>, End> {
        let lobby = self.chat(platform)?.lobby().await?;
        let mut rooms: Vec<RoomRef> = lobby.into_iter().collect();
        let here = |room: &RoomRef| room.platform == platform;
        rooms.extend(self.inner.parts.options.announce.clone().filter(here));
        rooms.dedup();
        if rooms.is_empty() {
            rooms.extend(self.asked_in(state).filter(here));
        }
        Ok(rooms)
    }

    /// How an announcement ended. That it can never be made is said to the team, once until it can be made again.
    async fn heed_announced(&self, state: &State, lobby: &RoomRef, end: End) -> End {
        let why = match &end {
            End::Never(why) => why,
            End::Done => {
                lock(&self.inner.unannounced).remove(lobby);
                return end;
            }
            // A post alone proves little: there are channels that take one from a bot which can keep nothing true there.
            End::Shown(_) => {
                let was_silent = lock(&self.inner.unannounced).contains_key(lobby);
                if was_silent
                    && let Ok(chat) = self.chat(&lobby.platform)
                    && chat.stands(lobby).await.is_ok()
                {
                    lock(&self.inner.unannounced).remove(lobby);
                }
                return end;
            }
            _ => return end,
        };
        let since = {
            let mut unannounced = lock(&self.inner.unannounced);
            let silence = unannounced.entry(lobby.clone()).or_insert_with(|| Silence {
                since: self.now(),
                told: false,
            });
            if std::mem::replace(&mut silence.told, true) {
                return End::Nothing;
            }
            silence.since
        };
        let told = self.tell_unannounced(state, lobby, why, since).await;
        if !matches!(told, End::Done)
            && let Some(silence) = lock(&self.inner.unannounced).get_mut(lobby)
        {
            silence.told = false;
        }
        match told {
            again @ End::Again { .. } => again,
            _ => end,
        }
    }

    async fn tell_unannounced(&self, state: &State, lobby: &RoomRef, why: &str, since: DateTime<Utc>) -> End {
        let message = self.inner.parts.words.unannounced(state, lobby, why);
        let mut end = End::Nothing;
        for room in state.internal_rooms() {
            let key = format!(
                "{}/unannounced/{}@{}",
                state.opening.number,
                since.timestamp(),
                room.at
            );
            let Ok(chat) = self.chat(&room.at.platform) else {
                continue;
            };
            end = end.and(chat.post(&key, &room.at, None, &message).await.map(drop).into());
        }
        end
    }
}
