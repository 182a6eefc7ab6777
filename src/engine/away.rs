//! Whether platforms can be reached. One that cannot is waited for in its own rooms; after a while the other rooms are
//! told, and told again when it is back. The page shows it as long as it lasts: there may be no other room.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::decide::With;
use super::end::End;
use super::{Engine, lock};
use crate::chat;
use crate::incident::{By, IncidentId, Request, RoomRef};

/// Platforms that nothing reaches. In memory only: after a restart every platform is tried at once.
pub(super) type Unreached = HashMap<String, Away>;

/// A platform that nothing reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    pub platform: String,
    pub since: DateTime<Utc>,
    /// What the last try said.
    pub why: String,
    /// For so long by now that people have to know.
    lasts: bool,
}

impl Engine {
    /// Draws the conclusion from what happened in a room.
    pub(super) async fn heed(&self, incident: IncidentId, room: &RoomRef, end: &End) {
        let away = match end {
            End::Again { away: true, why, .. } => Some(why),
            // Nothing was asked of the platform, so nothing is known of it.
            End::Again { .. } | End::Later { .. } | End::Rest(_) | End::Nothing => return,
            _ => None,
        };
        if matches!(end, End::Never(_)) {
            self.go_on_without(incident, room).await;
        }
        let now = self.now();
        let since = self.reached(&room.platform, away);
        let Ok(Some(state)) = self.state(incident).await else {
            return;
        };
        let platform = room.platform.clone();
        let lost = state.lost.contains_key(&platform);
        let request = match since {
            Some(since) => {
                let others = state.internal_rooms().any(|other| other.at.platform != platform);
                if lost || !others || now - since < self.inner.parts.options.away_after {
                    return;
                }
                Request::PlatformLost { platform, since }
            }
            None if lost => Request::PlatformBack { platform },
            None => return,
        };
        drop(state);
        if let Err(error) = self
            .decide(incident, &By::Orderly, &request, With::default(), None)
            .await
        {
            // It is looked at again with the next task of the room.
            tracing::warn!(%incident, %error, "that a platform went or came back could not be written down");
        }
    }

    /// Keeps whether a platform was reached; since when it was not.
    fn reached(&self, platform: &str, away: Option<&String>) -> Option<DateTime<Utc>> {
        let now = self.now();
        let mut unreached = lock(&self.inner.unreached);
        let (since, changed) = match away {
            Some(why) => {
                let known = unreached.entry(platform.to_owned()).or_insert_with(|| Away {
                    platform: platform.to_owned(),
                    since: now,
                    why: String::new(),
                    lasts: false,
                });
                known.why.clone_from(why);
                let lasts = now - known.since >= self.inner.parts.options.away_after;
                (
                    Some(known.since),
                    lasts != std::mem::replace(&mut known.lasts, lasts),
                )
            }
            None => (None, unreached.remove(platform).is_some_and(|known| known.lasts)),
        };
        drop(unreached);
        if changed {
            self.inner.list.send_modify(|count| *count += 1);
        }
        since
    }

    /// Platforms that have been out of reach for a while, by name.
    pub fn unreached(&self) -> Vec<Away> {
        let unreached = lock(&self.inner.unreached);
        let mut lasting: Vec<Away> = unreached.values().filter(|away| away.lasts).cloned().collect();
        lasting.sort_by(|a, b| a.platform.cmp(&b.platform));
        lasting
    }

    /// Something in a room can never be done. If that is because the room is gone, it is said once, where people still
    /// are, and the incident goes on without it.
    async fn go_on_without(&self, incident: IncidentId, room: &RoomRef) {
        let Ok(chat) = self.chat(&room.platform) else {
            return;
        };
        let Err(chat::Error::Gone { why }) = chat.stands(room).await else {
            return;
        };
        let room = room.clone();
        let lost = Request::RoomLost { room, why };
        let decided = self.decide(incident, &By::Orderly, &lost, With::default(), None);
        if let Err(error) = decided.await {
            // The next task of the room finds it gone as well.
            tracing::warn!(%incident, %error, "that a room is gone could not be written down");
        }
    }
}
