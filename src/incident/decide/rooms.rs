//! The rooms: adding, leaving, archiving, and what is said when a platform is away.

use super::{Deciding, Facts};
use crate::incident::event::Event;
use crate::incident::refusal::Refusal;
use crate::incident::request::Request;
use crate::incident::state::{Life, State};
use crate::incident::words::*;

/// Most rooms of one incident. Each is kept true on its own; with more, nobody knows where to look.
const MOST_ROOMS: usize = 8;

impl Deciding<'_> {
    pub(super) fn decide_rooms(&self, state: &State, request: &Request) -> Option<Facts> {
        let known = |room: &RoomRef| state.room(room).is_some();
        let only_if = |holds: bool, event: Event| match holds {
            true => Ok(vec![event.into()]),
            false => Ok(Vec::new()),
        };
        Some(match request {
            Request::RoomOpened { room, audience } => {
                let (room, audience) = (room.clone(), *audience);
                only_if(
                    !known(&room),
                    Event::RoomOpened {
                        room,
                        audience,
                        made: true,
                    },
                )
            }
            Request::RoomFailed { why, further } => {
                let (platform, audience) = further.clone().unzip();
                let why = why.clone();
                only_if(
                    true,
                    Event::RoomFailed {
                        why,
                        platform,
                        audience,
                    },
                )
            }
            Request::AddRoom {
                room,
                audience,
                readable,
            } => self.add_room(state, room, *audience, *readable),
            Request::AskRoom { platform, audience } => self.ask_room(state, platform, *audience),
            Request::LeaveRoom { room } => self.leave_room(state, room),
            Request::GiveRoomBack { room } => {
                let given = state.is_over() && state.room(room).is_some_and(|known| !known.made);
                let (room, why) = (room.clone(), None);
                only_if(given, Event::RoomLeft { room, why })
            }
            Request::RoomArchived { room } => {
                let open = state.room(room).is_some_and(|known| known.archived.is_none());
                only_if(open, Event::RoomArchived { room: room.clone() })
            }
            Request::RoomUnarchived { room, why } => {
                let archived = state.room(room).and_then(|known| known.archived);
                let (room, why, after) = (room.clone(), why.clone(), archived.unwrap_or_default());
                only_if(archived.is_some(), Event::RoomUnarchived { room, after, why })
            }
            Request::RoomLost { room, why } => Ok(lost(state, room, why)),
            Request::PlatformLost { platform, since } => only_if(
                !state.lost.contains_key(platform),
                Event::PlatformLost {
                    platform: platform.clone(),
                    since: *since,
                },
            ),
            Request::PlatformBack { platform } => {
                let platform = platform.clone();
                only_if(
                    state.lost.contains_key(&platform),
                    Event::PlatformBack { platform },
                )
            }
            Request::SetCarry { on } if *on == state.carry => Err(Refusal::new(match on {
                true => "Messages are carried over already.",
                false => "Messages are not carried over now.",
            })),
            Request::SetCarry { on } => only_if(true, Event::CarryChanged { on: *on }),
            _ => return None,
        })
    }

    /// Whoever lets customers look on answers for what they see.
    fn may_add(&self, state: &State, audience: Audience) -> Result<(), Refusal> {
        if state.rooms.len() + state.rooms_asked.len() >= MOST_ROOMS {
            return Err(Refusal::new(format!(
                "{} has {MOST_ROOMS} rooms, and that is the most. Leave one first: `/leave-room`.",
                state.opening.number
            )));
        }
        match audience {
            Audience::Guest => self.leads(state, "add a room for guests"),
            Audience::Internal => Ok(()),
        }
    }

    fn add_room(&self, state: &State, room: &RoomRef, audience: Audience, readable: bool) -> Facts {
        if let Some(known) = state.room(room) {
            return Err(Refusal::new(format!(
                "That is a room of {} already ({}).",
                state.opening.number, known.audience
            ))
            .at("room"));
        }
        if state.opening.private && readable {
            return Err(Refusal::new(format!(
                "{} is private, and everybody can read that channel. Use a private one.",
                state.opening.number
            ))
            .at("room"));
        }
        self.may_add(state, audience)?;
        let room = room.clone();
        Ok(vec![
            Event::RoomOpened {
                room,
                audience,
                made: false,
            }
            .into(),
        ])
    }

    fn ask_room(&self, state: &State, platform: &str, audience: Audience) -> Facts {
        let there = |room: &super::super::state::Room| {
            room.made && room.at.platform == platform && room.audience == audience
        };
        if state.rooms.iter().any(there) {
            return Err(Refusal::new(format!(
                "{} has a room for that on {platform} already. `/rooms` shows where.",
                state.opening.number
            ))
            .at("room"));
        }
        if state.rooms_asked.contains(&(platform.to_owned(), audience)) {
            return Err(Refusal::new("That room is being made already.").at("room"));
        }
        self.may_add(state, audience)?;
        let platform = platform.to_owned();
        Ok(vec![Event::RoomAsked { platform, audience }.into()])
    }

    fn leave_room(&self, state: &State, room: &RoomRef) -> Facts {
        let Some(known) = state.room(room) else {
            return Err(Refusal::new(format!(
                "That is no room of {}. `/rooms` shows those it has.",
                state.opening.number
            ))
            .at("room"));
        };
        let others = state.rooms.iter().filter(|other| other.is_internal()).count();
        if known.is_internal() && others < 2 && !state.is_over() {
            return Err(Refusal::new(
                "It is the only room of the team. Add another one before you leave it.",
            )
            .at("room"));
        }
        self.leads(state, "leave a room")?;
        let (room, why) = (room.clone(), None);
        Ok(vec![Event::RoomLeft { room, why }.into()])
    }
}

/// A room that is gone. The team gets another one on the same platform if it was its last and there is work to do.
fn lost(state: &State, room: &RoomRef, why: &str) -> Vec<super::Fact> {
    let Some(known) = state.room(room) else {
        return Vec::new();
    };
    let left = Event::RoomLeft {
        room: room.clone(),
        why: Some(why.to_owned()),
    };
    let mut facts = vec![left.into()];
    let another = state
        .rooms
        .iter()
        .any(|other| other.at != *room && other.is_internal());
    if known.is_internal() && !another && state.life == Life::Open {
        facts.push(
            Event::RoomAsked {
                platform: room.platform.clone(),
                audience: Audience::Internal,
            }
            .into(),
        );
    }
    facts
}
