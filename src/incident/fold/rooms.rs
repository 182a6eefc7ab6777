//! The rooms of an incident: which there are, whose they are, and whether their platforms can be reached.

use crate::incident::event::{Event, Recorded};
use crate::incident::state::{Room, State};
use crate::incident::words::*;

impl State {
    pub(super) fn apply_rooms(&mut self, event: &Event, recorded: &Recorded) {
        match event {
            Event::RoomOpened { room, audience, made } if self.room(room).is_none() => {
                let said_before = !made && self.opening.history && self.opening.here.as_ref() == Some(room);
                let earliest = match said_before {
                    true => self.moments.get(&Moment::Onset).map(|onset| onset.at),
                    // Nobody said anything in it before it was there.
                    false if *made => self.moments.get(&Moment::Declared).map(|declared| declared.at),
                    false => None,
                };
                self.rooms.push(Room {
                    at: room.clone(),
                    audience: *audience,
                    made: *made,
                    archived: None,
                    since: earliest.unwrap_or(recorded.recorded),
                });
                self.asked_no_more(&room.platform, Some(*audience));
                self.room_failed = None;
                self.first_room.get_or_insert(recorded.seq);
                self.given_back.retain(|(given, _)| given != room);
            }
            Event::RoomAsked { platform, audience } => {
                self.rooms_asked.push((platform.clone(), *audience));
            }
            Event::RoomFailed {
                why,
                platform,
                audience,
            } => match platform {
                Some(platform) => self.asked_no_more(platform, *audience),
                None => self.room_failed = Some(why.clone()),
            },
            Event::RoomLeft { room, .. } => {
                let over = self.is_over();
                let given = self.room(room).filter(|known| over && !known.made);
                let given = given.map(|known| (known.at.clone(), known.audience));
                self.given_back.extend(given);
                self.rooms.retain(|known| known.at != *room);
            }
            Event::RoomArchived { room } => self.archived(room, Some(recorded.seq)),
            Event::RoomUnarchived { room, .. } => self.archived(room, None),
            Event::PlatformLost { platform, since } => {
                self.lost.insert(platform.clone(), *since);
            }
            Event::PlatformBack { platform } => {
                self.lost.remove(platform);
            }
            Event::CarryChanged { on } => self.carry = *on,
            _ => {}
        }
    }

    fn archived(&mut self, room: &RoomRef, event: Option<u64>) {
        for known in self.rooms.iter_mut().filter(|known| known.at == *room) {
            known.archived = event;
        }
    }

    fn asked_no_more(&mut self, platform: &str, audience: Option<Audience>) {
        let asked =
            |(on, whose): &(String, Audience)| on == platform && audience.is_none_or(|of| of == *whose);
        if let Some(at) = self.rooms_asked.iter().position(asked) {
            self.rooms_asked.remove(at);
        }
    }
}
