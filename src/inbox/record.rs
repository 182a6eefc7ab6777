//! Notes, updates, corrections, the end of an incident, the post-mortem.

use std::sync::Arc;

use orderly_commands::Parsed;

use super::{Inbox, Translated};
use crate::engine::{Act, Asking, Listed, Redact};
use crate::incident::{
    Audience, IncidentId, Link, Moment, Process, Refusal, Request, Review, Section, State,
};

impl Inbox {
    pub(super) fn record(&self, parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Translated {
        let text = |option: &str| parsed.text(option).map(str::to_owned);
        let must = |option: &str| parsed.text(option).unwrap_or_default().to_owned();
        let incident = |option: &str| {
            IncidentId(
                parsed
                    .number(option)
                    .and_then(|n| u64::try_from(n).ok())
                    .unwrap_or(0),
            )
        };
        Ok(Some(match parsed.path {
            "journal note" => match self.at(parsed, "at", asking)? {
                None => Request::Note { text: must("text") },
                Some(at) => Request::NoteAt {
                    text: must("text"),
                    at,
                },
            },
            "update send" => Request::SendUpdate {
                text: must("text"),
                next_s: parsed.duration_secs("next"),
            },
            "update snooze" => Request::SnoozeUpdate {
                for_s: parsed.duration_secs("for").unwrap_or_default(),
            },
            "set title" => Request::Retitle { title: must("title") },
            "set process" => Request::SetProcess {
                to: parsed
                    .text("process")
                    .and_then(Process::from_word)
                    .unwrap_or(state.process),
            },
            "set target" => Request::AddTarget {
                target: self.target_of(parsed)?.unwrap_or_default(),
            },
            "set moment" => Request::SetMoment {
                moment: parsed
                    .text("moment")
                    .and_then(Moment::from_word)
                    .unwrap_or(Moment::Onset),
                at: self.at(parsed, "at", asking)?.unwrap_or(asking.now),
            },
            "set link" => Request::Link {
                link: Link::Url {
                    url: must("url"),
                    title: text("title"),
                },
            },
            "set carry" => Request::SetCarry {
                on: parsed.text("switch") == Some("on"),
            },
            "mark related" => {
                let other = self.seen(incident("other"), asking)?;
                Request::Link {
                    link: Link::Related { incident: other },
                }
            }
            "mark duplicate" => Request::MarkDuplicate {
                of: self.worked_on(incident("original"), asking)?,
            },
            "mark resolved" => Request::Resolve {
                summary: text("summary"),
                reason: text("reason"),
            },
            "mark reopened" => Request::Reopen {
                reason: must("reason"),
            },
            "mark closed" => Request::Close {
                reason: text("reason"),
            },
            "mark cancelled" => Request::Cancel {
                reason: must("reason"),
            },
            "postmortem edit" => Request::WriteSection {
                section: parsed
                    .text("section")
                    .and_then(Section::from_word)
                    .unwrap_or(Section::Summary),
                text: must("text"),
            },
            "postmortem submit" => Request::Review {
                to: Review::InReview,
                note: text("note"),
            },
            "postmortem approve" => Request::Review {
                to: Review::Reviewed,
                note: text("note"),
            },
            "postmortem close" => Request::Review {
                to: Review::Closed,
                note: text("note"),
            },
            "postmortem snooze" => Request::SnoozePostmortem {
                for_s: parsed.duration_secs("for").unwrap_or_default(),
            },
            "postmortem review" => Request::Review {
                to: Review::Draft,
                note: text("note"),
            },
            _ => return Ok(None),
        }))
    }

    /// An incident that exists and that this person may see.
    fn seen(&self, incident: IncidentId, asking: &Asking<'_>) -> Result<IncidentId, Refusal> {
        visible(incident, asking).map(|listed| listed.incident)
    }

    /// One that is worked on, or was: of a duplicate, or of one that was none, nothing can be a duplicate. Else two could
    /// each be ended as the other, and nobody would be left with either.
    fn worked_on(&self, incident: IncidentId, asking: &Asking<'_>) -> Result<IncidentId, Refusal> {
        let listed = visible(incident, asking)?;
        match listed.life.as_str() {
            "open" | "resolved" | "closed" => Ok(incident),
            ended => Err(Refusal::new(format!(
                "{incident} is over ({ended}), so nobody works on it. Name the one that is worked on: `/list` shows them."
            ))
            .at("original")
            .offer("List incidents", "list")),
        }
    }

    /// Commands that make a document or remove something.
    pub(super) fn acts(&self, parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Result<Act, Refusal> {
        match parsed.path {
            "set room" => add_room(parsed, state, asking),
            "set leave" => leave_room(parsed, state, asking),
            "postmortem export" => Ok(Act::Export {
                format: parsed.text("format").unwrap_or("markdown").to_owned(),
                as_of: parsed.number("as-of").and_then(|n| u64::try_from(n).ok()),
            }),
            "journal redact" => Ok(Act::Redact {
                what: match parsed.number("entry").and_then(|n| u64::try_from(n).ok()) {
                    Some(row) => Redact::Row(row),
                    None => Redact::Message(parsed.text("entry").unwrap_or_default().to_owned()),
                },
                reason: parsed.text("reason").unwrap_or_default().to_owned(),
            }),
            "journal verify" => Ok(Act::Verify),
            other => Err(Refusal::new(format!(
                "`{other}` cannot be done here. `/help` lists what can."
            ))),
        }
    }
}

fn visible(incident: IncidentId, asking: &Asking<'_>) -> Result<Arc<Listed>, Refusal> {
    let mut listed = (asking.listed)().into_iter();
    listed.find(|listed| listed.incident == incident).ok_or_else(|| {
        Refusal::new(format!(
            "There is no {incident} that you can see. `/list all` shows those you can."
        ))
    })
}

/// Platforms by the words people type for them.
const PLATFORMS: [&str; 3] = ["local", "slack", "discord"];

/// A channel as it was typed: where, and which. `#ops` is one of the platform where it was typed, `slack:C0123ABCD` of another.
fn place<'a>(typed: &'a str, asking: &'a Asking<'_>) -> Result<(&'a str, &'a str), Refusal> {
    let named = typed
        .split_once(':')
        .filter(|(platform, _)| PLATFORMS.contains(platform));
    let (platform, channel) = named.unwrap_or((&asking.room.platform, typed));
    if platform == super::TERMINAL {
        let words = "From the terminal, say on which platform: `slack:C0123ABCD`.";
        return Err(Refusal::new(words).at("room"));
    }
    Ok((platform, channel))
}

fn add_room(parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Result<Act, Refusal> {
    let audience = parsed
        .text("audience")
        .and_then(Audience::from_word)
        .unwrap_or(Audience::Internal);
    let here = asking.room;
    let (platform, channel) = match parsed.text("room") {
        Some(platform) if PLATFORMS.contains(&platform) => {
            let platform = platform.to_owned();
            return Ok(Act::AskRoom { platform, audience });
        }
        Some(typed) => place(typed, asking)?,
        None if here.platform != super::TERMINAL && state.room(here).is_none() => {
            (here.platform.as_str(), here.room.as_str())
        }
        None => {
            let words = "Which room? Name a channel (`/room #carrier-help guest`), or a platform to have one made there \
                         (`/room slack`).";
            return Err(Refusal::new(words).at("room").offer("Show the rooms", "rooms"));
        }
    };
    Ok(Act::AddRoom {
        platform: platform.to_owned(),
        channel: channel.to_owned(),
        audience,
    })
}

fn leave_room(parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Result<Act, Refusal> {
    let leave = |room: &crate::incident::Room| {
        Act::Incident(Request::LeaveRoom {
            room: room.at.clone(),
        })
    };
    let Some(typed) = parsed.text("room") else {
        let here = state.room(asking.room);
        return here.map(leave).ok_or_else(|| {
            Refusal::new("Which room? `/rooms` shows them.")
                .at("room")
                .offer("Show the rooms", "rooms")
        });
    };
    let mut there = state.rooms.iter().filter(|room| room.at.platform == typed);
    if let (Some(only), None) = (there.next(), there.next()) {
        return Ok(leave(only));
    }
    let (platform, channel) = place(typed, asking)?;
    let same = |room: &&crate::incident::Room| {
        room.at.platform == platform && room.at.room == channel.trim_start_matches('#')
    };
    Ok(match state.rooms.iter().find(same) {
        Some(room) => leave(room),
        // By a name that only its platform knows.
        None => Act::LeaveRoom {
            platform: platform.to_owned(),
            channel: channel.to_owned(),
        },
    })
}
