//! What lists and look-ups need of all incidents, without loading any.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::ports::Listed;
use crate::incident::{IncidentId, PersonId, RoomRef};
use crate::store::{self, Store, Which};

/// Lines read at a time.
const PAGE: usize = 1_000;

#[derive(Debug, Default)]
pub struct Index {
    listed: BTreeMap<IncidentId, Arc<Listed>>,
    rooms: HashMap<RoomRef, IncidentId>,
}

impl Index {
    pub async fn load(store: &dyn Store) -> Result<Self, store::Error> {
        let mut index = Self::default();
        let mut before = None;
        loop {
            let page = store.summaries(Which::All, before, PAGE).await?;
            for summary in &page {
                before = Some(summary.incident);
                match serde_json::from_str::<Listed>(&summary.body) {
                    Ok(listed) => index.put(listed),
                    Err(error) => {
                        tracing::error!(incident = %summary.incident, %error, "a line of the list cannot be read");
                    }
                }
            }
            if page.len() < PAGE {
                return Ok(index);
            }
        }
    }

    pub fn put(&mut self, listed: Listed) {
        // A room that was left is free.
        let before = self.listed.get(&listed.incident);
        for gone in before.into_iter().flat_map(|before| &before.rooms) {
            if !listed.rooms.contains(gone) && self.rooms.get(gone) == Some(&listed.incident) {
                self.rooms.remove(gone);
            }
        }
        for room in &listed.rooms {
            // A channel may have served several incidents: what happens in it belongs to the open one, else to the last.
            let rank = |listed: &Listed| (listed.open, listed.incident);
            let owner = self.rooms.get(room).and_then(|owner| self.listed.get(owner));
            if owner.is_none_or(|owner| rank(owner) <= rank(&listed)) {
                self.rooms.insert(room.clone(), listed.incident);
            }
        }
        self.listed.insert(listed.incident, Arc::new(listed));
    }

    pub fn incident_of(&self, room: &RoomRef) -> Option<IncidentId> {
        self.rooms.get(room).copied()
    }

    /// Whether what people say in this room is the incident's. In a channel that was there before it is not any more once
    /// the incident is over, although the room is still told of that.
    pub fn listens_in(&self, room: &RoomRef) -> bool {
        let listed = self
            .rooms
            .get(room)
            .and_then(|incident| self.listed.get(incident));
        listed.is_some_and(|listed| listed.open || !listed.joined.contains_key(&room.to_string()))
    }

    /// Whether guests are in this room, and nobody commands.
    pub fn is_for_guests(&self, room: &RoomRef) -> bool {
        let listed = self
            .rooms
            .get(room)
            .and_then(|incident| self.listed.get(incident));
        listed.is_some_and(|listed| listed.guest_rooms.contains(room))
    }

    /// Newest first; private ones only for their members.
    pub fn visible(&self, person: Option<&PersonId>) -> Vec<Arc<Listed>> {
        let may_see = |listed: &&Arc<Listed>| {
            !listed.private || person.is_none_or(|person| listed.members.contains(person))
        };
        self.listed.values().rev().filter(may_see).cloned().collect()
    }

    pub fn may_see(&self, incident: IncidentId, person: &PersonId) -> bool {
        self.listed
            .get(&incident)
            .is_some_and(|listed| !listed.private || listed.members.contains(person))
    }
}
