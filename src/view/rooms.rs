//! What is said about rooms, what guests see, and what is carried over from one room to another.
//!
//! What guests see is put together here from the few facts that are theirs, so that nothing of the team's can slip in with
//! a change elsewhere.

use super::{Draft, View, buttons, row, run, say, short, small};
use crate::chat::{Block, Message, Rich, Style, Tone};
use crate::engine::Carried;
use crate::incident::{Audience, Event, Life, Moment, Phase, Recorded, Room, State};

/// Carried-over messages told in one digest; the log has all of them.
const MOST_SAID: usize = 20;

/// Characters of one of them there.
const LONGEST_SAID: usize = 300;

/// The rooms of the incident, for the person who asks.
pub fn rooms(view: &View, state: &State) -> Message {
    let there = state.rooms.iter().map(|room| row_of(state, room));
    let asked = state
        .rooms_asked
        .iter()
        .map(|(platform, audience)| row(Tone::Busy, audience.word(), platform.clone(), "being made"));
    let rows: Vec<_> = there.chain(asked).collect();
    let carried = match (state.internal_rooms().count() > 1, state.carry) {
        (false, _) => "",
        (true, true) => "What people say in one room of the team is carried over to the others.",
        (true, false) => "Messages are not carried over: `/set carry on` changes that.",
    };
    let mut draft = Draft::default().block(Block::Header {
        text: format!("Rooms of {}", state.opening.number),
    });
    if rows.is_empty() {
        draft = draft.block(small("None yet."));
    } else {
        draft = draft.block(Block::Rows { rows });
    }
    if !carried.is_empty() {
        draft = draft.block(small(view.ours(carried)));
    }
    draft.done(format!("Rooms of {}", state.opening.number))
}

fn row_of(state: &State, room: &Room) -> crate::chat::Row {
    let made = if room.made {
        "made by Orderly"
    } else {
        "was there before"
    };
    let (tone, standing) = match (room.archived, state.lost.get(&room.at.platform)) {
        (Some(_), _) => (Tone::Quiet, "archived".to_owned()),
        (None, Some(since)) => (
            Tone::Bad,
            format!("out of reach since {} UTC", since.format("%H:%M")),
        ),
        (None, None) => (Tone::Good, made.to_owned()),
    };
    let place = format!("{}:{}", room.at.platform, room.at.room);
    row(tone, room.audience.word(), Rich::new().code(place), standing)
}

/// Which channels an incident that was over no longer has, and how each is added again; `None`: it has all it had.
pub(super) fn given_back(view: &View, state: &State) -> Option<Rich> {
    let number = state.opening.number;
    let again = state.given_back.iter().map(|(room, audience)| {
        let guest = match audience {
            Audience::Internal => "",
            Audience::Guest => " guest",
        };
        format!("{number} room {}:{}{guest}", room.platform, room.room)
    });
    if state.given_back.is_empty() {
        return None;
    }
    let none = match state.rooms.is_empty() {
        true => format!(" {number} has no room now."),
        false => String::new(),
    };
    let mut words = Rich::new().text(format!(
        "Channels that were there before went their own way when it was over, and may serve another incident by now.{none} \
         To add them again: "
    ));
    for (at, line) in again.enumerate() {
        words = words
            .text(if at == 0 { "" } else { ", " })
            .command(&view.command, line);
    }
    Some(words)
}

/// What the team is told of rooms and platforms; `None`: nothing worth a message.
pub(super) fn sentence(view: &View, state: &State, event: &Event, by: &str) -> Option<Rich> {
    let text = |words: String| Some(Rich::new().text(words));
    match event {
        Event::RoomOpened { room, audience, made } => {
            let whose = match audience {
                Audience::Internal => "of the team",
                Audience::Guest => "for guests",
            };
            let what = if *made {
                "has made a room"
            } else {
                "added a channel as a room"
            };
            text(format!("{by} {what} {whose} on {}.", room.platform))
        }
        Event::RoomAsked { platform, .. } => text(format!("A room is being made on {platform}.")),
        Event::RoomFailed { why, platform, .. } => {
            let asked = state.opening.asked_in.as_ref().map(|room| &room.platform);
            let again = platform.as_ref().or(asked).map(|platform| {
                view.ours(&format!(
                    " Once that is mended, `/room {platform}` asks for it again; `/room #channel` takes one that is there."
                ))
            });
            let told = Rich::new()
                .text(format!(
                    "A room of {} could not be opened: ",
                    state.opening.number
                ))
                .then(view.ours(&crate::timeline::full_stop(why)));
            Some(told.then(again.unwrap_or_default()))
        }
        Event::RoomLeft { room, why } => text(match why {
            None => format!(
                "{by} took a room on {} off: it is told nothing more.",
                room.platform
            ),
            Some(why) => {
                let lost = Rich::new().text(format!("A room on {} is lost: ", room.platform));
                return Some(lost.then(view.ours(why)));
            }
        }),
        Event::RoomUnarchived { why: Some(why), .. } => Some(
            Rich::new()
                .text("A room could not be archived: ")
                .then(view.ours(why)),
        ),
        Event::PlatformLost { platform, since } => Some(
            Rich::new()
                .bold(format!("{platform} is out of reach"))
                .text(" since ")
                .time(*since)
                .text(". The incident goes on here; its room there is caught up when it is back."),
        ),
        Event::PlatformBack { platform } => {
            let there: Vec<_> = state
                .rooms
                .iter()
                .filter(|room| room.at.platform == *platform)
                .collect();
            let rooms = if there.len() == 1 {
                "its room is"
            } else {
                "its rooms are"
            };
            text(format!("{platform} is back; {rooms} caught up."))
        }
        Event::CarryChanged { on: true } => text(format!(
            "{by} switched it on: what people say in one room of the team is carried over to the others."
        )),
        Event::CarryChanged { on: false } => text(format!(
            "{by} switched it off: messages are no longer carried over between rooms."
        )),
        _ => None,
    }
}

/// Where it stands, in words for people outside the team.
fn standing(state: &State) -> &'static str {
    match (&state.life, state.phase) {
        (Life::Open, Phase::Confirm) => "being looked into",
        (Life::Open, Phase::Contain) => "being contained",
        (Life::Open, Phase::Triage) => "the cause is being looked for",
        (Life::Open, Phase::Decide) => "the repair is being prepared",
        (Life::Open, Phase::Recover) => "being repaired",
        (Life::Open, Phase::Learn) | (Life::Resolved, _) => "service is restored",
        (Life::Closed, _) => "over",
        (Life::Cancelled { .. }, _) => "called off",
        (Life::Duplicate { .. }, _) => "handled as part of another incident",
    }
}

/// The title is part of what a private incident keeps to itself.
fn headline(state: &State) -> String {
    let drill = if state.opening.drill { "DRILL · " } else { "" };
    let title = match state.opening.private {
        true => String::new(),
        false => format!(" · {}", state.title),
    };
    format!("{drill}{} · {}{title}", state.opening.number, state.severity)
}

pub(super) fn guest_card(state: &State) -> Message {
    let mut fields: Vec<(String, Rich)> = vec![("State".to_owned(), standing(state).into())];
    if let Some(onset) = state.moments.get(&Moment::Onset) {
        fields.push(("Since".to_owned(), Rich::new().time(onset.at)));
    }
    if let Some(due) = state.update_due.filter(|_| !state.is_over()) {
        fields.push(("Next update".to_owned(), Rich::new().time(due)));
    }
    let mut draft = Draft::default()
        .block(Block::Header {
            text: headline(state),
        })
        .block(Block::Fields { fields });
    if let Some(update) = state.updates.last() {
        let text = Rich::new()
            .bold("Last update ")
            .time(update.at)
            .text(format!(": {}", update.text));
        draft = draft.block(Block::Text { text });
    }
    draft.done(format!("{} · {}", headline(state), standing(state)))
}

pub(super) fn guest_topic(state: &State) -> String {
    format!("{} · {}", headline(state), standing(state))
}

pub(super) fn guest_notice(recorded: &Recorded) -> Option<Message> {
    let Some(Event::UpdateSent { text, next }) = &recorded.event else {
        return None;
    };
    let words = super::notice::told_next(Rich::new().bold("Update: "), text, *next);
    let fallback = words.plain();
    Some(say(words).done(fallback))
}

fn line_of(carried: &Carried) -> Rich {
    let head = Rich::new().bold(format!("[{}] {}: ", carried.platform, carried.author));
    let Some(text) = &carried.text else {
        return head.text("(deleted)");
    };
    let files = match &carried.files[..] {
        [] => String::new(),
        files => format!(
            "{}(file: {})",
            if text.is_empty() { "" } else { " " },
            files.join(", ")
        ),
    };
    head.text(format!("{text}{files}"))
}

pub(super) fn carried(carried: &Carried) -> Message {
    let line = line_of(carried);
    let fallback = line.plain();
    say(line).done(fallback)
}

/// Stays as it is, so it says nothing that may change.
pub(super) fn goes_on(state: &State) -> Message {
    let number = state.opening.number;
    let words = format!("{number} goes on in its room, where the question is asked now.");
    let status = run("Status", format!("{number} status"), Style::Plain);
    say(words.clone()).block(buttons([status])).done(words)
}

pub(super) fn left(state: &State) -> Message {
    let words = format!("{} is no longer told here.", state.opening.number);
    say(words.clone()).done(words)
}

pub(super) fn digest(state: &State, from: u64, to: u64, said: &[Carried]) -> Message {
    let number = state.opening.number;
    let mut draft = match to {
        0 => say("Chat was away. What people said in other rooms meanwhile:"),
        _ => say(format!(
            "Chat was away. Events #{from} to #{to} of {number} happened meanwhile; the card above shows what is true now."
        )),
    };
    let mut lines = Rich::new();
    for (at, one) in said.iter().take(MOST_SAID).enumerate() {
        let one = Carried {
            text: one.text.as_deref().map(|text| short(text, LONGEST_SAID)),
            ..one.clone()
        };
        lines = lines.text(if at == 0 { "" } else { "\n" }).then(line_of(&one));
    }
    if let Some(more) = said.len().checked_sub(MOST_SAID).filter(|more| *more > 0) {
        lines = lines.text(format!("\nand {more} more messages"));
    }
    if !lines.is_empty() {
        draft = draft.block(Block::Text { text: lines });
    }
    let fallback = format!("Chat was away; {number} went on meanwhile.");
    draft
        .block(buttons([run("Timeline", "timeline", Style::Plain)]))
        .done(fallback)
}

/// Name of a new room; one of an exercise says so. A room for guests of a private incident does not tell its title.
pub(super) fn room_name(view: &View, state: &State, audience: Audience) -> String {
    let name = match (audience, state.opening.private) {
        (Audience::Internal, _) => (view.room_name)(state),
        (Audience::Guest, false) => format!("{}-guests", (view.room_name)(state)),
        (Audience::Guest, true) => format!("inc-{}-guests", state.opening.number.0),
    };
    match state.opening.drill && !name.contains("drill") {
        true => format!("drill-{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::tests::kit::*;
    use crate::incident::{Conclusion, Line, Opening, Request};

    fn text(message: &Message) -> String {
        serde_json::to_string(message).expect("JSON")
    }

    fn told() -> crate::incident::tests::kit::Story {
        let mut story = Story::in_triage();
        story.does(
            "ana",
            finding(Line::Changes, Conclusion::Suspect, "the release at two"),
        );
        story.proposed(terms("stop", "odoo-prod"));
        let text = "We are on it".to_owned();
        story.does("ana", Request::SendUpdate { text, next_s: None });
        story
    }

    #[test]
    fn guests_see_where_it_stands_and_the_last_update_and_nothing_of_the_teams() {
        let story = told();
        let card = text(&guest_card(story.state()));
        for theirs in [
            "INC-",
            "the cause is being looked for",
            "We are on it",
            "Next update",
        ] {
            assert!(card.contains(theirs), "{theirs}: {card}");
        }
        for ours in ["release", "A1", "odoo-prod", "cleo", "Cleo", "button", "D1"] {
            assert!(!card.contains(ours), "{ours}: {card}");
        }
        let spoken: Vec<_> = story.journal.iter().filter_map(guest_notice).collect();
        assert_eq!(spoken.len(), 1, "the update alone");
    }

    #[test]
    fn whoever_reopens_it_reads_which_channels_it_no_longer_has() {
        let view = View {
            command: "incident".to_owned(),
            room_name: std::sync::Arc::new(|_| String::new()),
        };
        let mut story = Story::framed();
        let add = Request::AddRoom {
            room: room("ops"),
            audience: Audience::Guest,
            readable: true,
        };
        story.does("cleo", add);
        assert_eq!(given_back(&view, story.state()), None);
        let reason = "it was none".to_owned();
        story.does("cleo", Request::Cancel { reason });
        story.returns(Request::GiveRoomBack { room: room("ops") });
        let said = given_back(&view, story.state());
        insta::assert_snapshot!(said.unwrap_or_default().plain(), @"Channels that were there before went their own way when it was over, and may serve another incident by now. INC-7 has no room now. To add them again: `/incident INC-7 room local:ops guest`");
    }

    #[test]
    fn guests_of_a_private_incident_see_no_title() {
        let private = Opening {
            private: true,
            ..opening()
        };
        let story = Story::opened_as(private, whole_frame());
        let state = story.state();
        assert!(!text(&guest_card(state)).contains(&state.title));
        assert!(!guest_topic(state).contains(&state.title));
    }

    #[test]
    fn what_is_carried_over_says_who_said_it_where_and_is_never_markup() {
        let said = Carried {
            platform: "slack".to_owned(),
            author: "Ana".to_owned(),
            text: Some("<!channel> *look*".to_owned()),
            files: vec!["a.log".to_owned()],
        };
        let message = carried(&said);
        assert_eq!(message.fallback, "[slack] Ana: <!channel> *look* (file: a.log)");
        let Some(Block::Text { text }) = message.blocks.first() else {
            panic!("a text");
        };
        assert!(text.0.iter().all(|span| matches!(
            span,
            crate::chat::Span::Plain { .. } | crate::chat::Span::Bold { .. }
        )));
    }
}
