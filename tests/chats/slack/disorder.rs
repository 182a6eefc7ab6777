//! The same incident while every burst of events arrives in reverse: what is kept of it says the same.

use std::collections::BTreeMap;

use orderly::demo::guide;
use orderly::incident::{Event, State};
use orderly::store::{LogId, Store};

use super::kit::{House, INCIDENT, Transport};
use super::story::holds_it_all;

/// What people do beside each step: they talk, correct themselves, answer, mark, change their minds.
fn burst(house: &House, room: &str, at: usize) {
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let said = ben.says(room, &format!("{at}: I see wrong price"));
    ben.edits(room, &said, &format!("{at}: I see wrong prices"));
    ana.reacts(room, &said, "pushpin");
    ben.edits(room, &said, &format!("{at}: I see wrong prices everywhere"));
    let reply = ana.replies(room, &said, &format!("{at}: since when?"));
    ben.reacts(room, &reply, "pushpin");
    ben.unreacts(room, &reply, "pushpin");
    ana.reacts(room, &reply, "pushpin");
    ana.unreacts(room, &reply, "pushpin");
    ana.reacts(room, &reply, "pushpin");
    let gone = ben.says(room, &format!("{at}: wrong channel"));
    ana.reacts(room, &gone, "pushpin");
    ben.edits(room, &gone, &format!("{at}: wrong channel, sorry"));
    ben.deletes(room, &gone);
    ben.says(
        room,
        &format!("<@{}> note {at}: seen by ben", house.slack.bot_user()),
    );
}

/// One message of the log: its author and all it ever said.
type Said = (String, Vec<Option<String>>);

/// What is kept of an incident in the end, without the numbers and stamps that no two runs share.
#[derive(Debug, PartialEq)]
struct Kept {
    log: Vec<Said>,
    marks: Vec<(String, bool, Vec<String>)>,
    decided: Vec<String>,
}

async fn kept(house: &House) -> Kept {
    let store = house.app.sqlite.as_ref().expect("a file");
    let mut log = store
        .room_log(INCIDENT, LogId(0), 10_000)
        .await
        .expect("a log that can be read");
    log.sort_by_key(|stored| (stored.entry.recorded, stored.id));
    let mut messages: BTreeMap<String, Said> = BTreeMap::new();
    for stored in log {
        let (author, said) = messages.entry(stored.entry.message).or_default();
        *author = stored.entry.author;
        said.push(stored.entry.text);
    }
    let state = house.state().await.expect("an incident");
    let journal = orderly::engine::journal::load(store, INCIDENT).await;
    let journal = journal.expect("a journal that can be read").into_iter();
    let decided = journal.filter_map(|recorded| recorded.event).filter(|event| {
        // A mark that came and went within a burst leaves no trace if it was heard of only afterwards.
        !matches!(
            event,
            Event::MessageMarked { .. } | Event::MessageUnmarked { .. } | Event::MessageChanged { .. }
        )
    });
    Kept {
        log: messages.into_values().collect(),
        marks: marks(&state),
        decided: decided.map(|event| event.kind().to_owned()).collect(),
    }
}

fn marks(state: &State) -> Vec<(String, bool, Vec<String>)> {
    let standing = state.marks.values().filter(|mark| mark.removed.is_none());
    let mut marks: Vec<_> = standing
        .map(|mark| {
            let by = mark.by.iter().map(ToString::to_string).collect();
            (mark.marked.text.clone(), mark.removed.is_none(), by)
        })
        .collect();
    marks.sort();
    marks
}

async fn lived(transport: Transport, reversed: bool) -> Kept {
    let house = House::open(transport).await;
    for (at, step) in guide::steps().iter().enumerate() {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        house.types(step.who, &step.line(state.as_ref())).await;
        let room = house.room().await;
        house.person("ben").joins(&room);
        house.slack.hold_events();
        burst(&house, &room, at);
        house.slack.let_events_go(reversed);
        house.settled().await;
    }
    holds_it_all(&house).await;
    let kept = kept(&house).await;
    house.close().await;
    kept
}

async fn says_the_same(transport: Transport) {
    let straight = lived(transport, false).await;
    assert!(straight.marks.len() > 10, "{:#?}", straight.marks);
    assert_eq!(lived(transport, true).await, straight);
}

#[tokio::test]
async fn events_in_reverse_order_over_sockets_leave_the_same_room_and_journal() {
    says_the_same(Transport::Socket).await;
}

#[tokio::test]
async fn events_in_reverse_order_over_signed_http_leave_the_same_room_and_journal() {
    says_the_same(Transport::Http).await;
}
