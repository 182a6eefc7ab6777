//! The same incident, while things go wrong.

use std::time::Duration;

use orderly::demo::guide;
use orderly_testbed::discord::{Fault, Outcome};

use super::kit::House;
use super::story::{holds_it_all, is_lived_through, lived_through, nothing_stands_twice};

const OPEN: &str = "open Labels do not print severity=SEV2";

#[tokio::test]
async fn every_call_is_limited_once_and_nothing_is_lost() {
    let house = House::open().await;
    house.discord.limit_every_call_once(Duration::from_secs(1));
    lived_through(&house).await;
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn every_call_fails_once_and_nothing_is_lost() {
    let house = House::open().await;
    house.discord.every_call_once(Fault::Status(500), 1, 0);
    lived_through(&house).await;
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn every_event_comes_twice_and_nothing_stands_twice() {
    let house = House::open().await;
    house.discord.every_event_twice(true);
    lived_through(&house).await;
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn the_connection_drops_before_every_step_and_is_resumed() {
    let house = House::open().await;
    for step in guide::steps() {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        house.discord.drop_sockets();
        house.discord.connected(1).await;
        house.types(step.who, &step.line(state.as_ref())).await;
    }
    is_lived_through(&house).await;
    holds_it_all(&house).await;
    let identified = house.discord.read(|discord| discord.sessions_started());
    assert_eq!(identified, 1, "everything else was resumed");
    house.close().await;
}

#[tokio::test]
async fn the_process_dies_before_every_step_and_goes_on_where_it_was() {
    let mut house = House::open().await;
    for step in guide::steps() {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        house.types(step.who, &step.line(state.as_ref())).await;
        house = house.restarted().await;
    }
    is_lived_through(&house).await;
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn what_happened_while_the_connection_was_gone_is_replayed_in_any_order() {
    let house = House::open().await;
    house.types("ana", OPEN).await;
    let room = house.room().await;
    house.discord.hold_events();
    let said = house.person("ben").says(&room, "said before it was marked");
    house.person("ana").reacts(&room, &said, "📌");
    house.person("ben").edits(&room, &said, "said, marked and mended");
    house.discord.let_events_go(true);
    let state = house.settled().await.expect("an incident");
    let marked: Vec<&str> = state
        .marks
        .values()
        .map(|mark| mark.marked.text.as_str())
        .collect();
    assert_eq!(marked, ["said, marked and mended"]);
    house.close().await;
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_and_not_posted_again() {
    let house = House::open().await;
    house.discord.fault("create_message", 3, Fault::DropAfter);
    house.types("ana", OPEN).await;
    house.settled().await;
    nothing_stands_twice(&house);
    house.close().await;
}

#[tokio::test]
async fn a_channel_whose_creation_was_lost_is_found_again_and_finished() {
    let house = House::open().await;
    house.discord.fault("create_guild_channel", 1, Fault::DropAfter);
    house.types("ana", OPEN).await;
    house.settled().await;
    let rooms = house.discord.read(|discord| {
        let channels = discord.channels();
        channels
            .filter(|channel| channel.name.starts_with("inc-1"))
            .map(|channel| channel.name.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(rooms, ["inc-1-labels-do-not-print"]);
    house.room().await;
    house.close().await;
}

#[tokio::test]
async fn a_room_that_cannot_be_made_does_not_stop_the_incident() {
    let house = House::open().await;
    house
        .discord
        .fault("create_guild_channel", 1, Fault::Error(400, 30013));
    let state = house.types("ana", OPEN).await.expect("an incident all the same");
    let why = state.room_failed.expect("it says why");
    assert!(why.contains("500 channels") && why.contains("goes on"), "{why}");
    let said = house.discord.texts(&house.ops);
    assert!(
        said.iter()
            .any(|text| text.contains("A room of INC-1 could not be opened")
                && text.contains("set room room:discord")),
        "it is said where it was opened: {said:#?}"
    );
    let announced = house.discord.texts(&house.announce);
    assert!(
        announced.iter().any(|text| text.contains("INC-1")),
        "{announced:#?}"
    );
    // Somebody made space, and asks again from where they are.
    house
        .types_in("ana", "INC-1 set room room=discord", &house.ops)
        .await;
    let room = house.room().await;
    assert!(
        house
            .discord
            .read(|discord| discord.channel(&room).name.starts_with("inc-1-"))
    );
    house.close().await;
}

#[tokio::test]
async fn discord_is_away_for_a_while_and_the_incident_goes_on_when_it_is_back() {
    let house = House::open().await;
    house.types("ana", OPEN).await;
    let room = house.room().await;
    house.discord.go_away();
    let line = "INC-1 note seen on the page";
    let verdict = house.typed_elsewhere(line).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
    house.discord.come_back();
    house.settled().await;
    assert!(
        house
            .discord
            .texts(&room)
            .iter()
            .any(|text| text.contains("seen on the page"))
    );
    nothing_stands_twice(&house);
    house.close().await;
}

/// Incidents that are opened within the same second, as in an outage that many people see at once.
const AT_ONCE: usize = 20;

#[tokio::test]
async fn many_incidents_at_once_all_get_their_rooms_and_discord_s_limits_are_met_as_a_plan() {
    let house = House::open().await;
    let ana = house.person("ana");
    let mut sent = Vec::new();
    for dock in 0..AT_ONCE {
        let options = serde_json::json!({ "title": format!("Dock {dock}"), "severity": "SEV3" });
        sent.push(ana.commands("incident open", &options, &house.ops));
    }
    for sent in &sent {
        house.answered(sent).await;
    }
    house.settled().await;
    let (rooms, turned_down, calls) = house.discord.read(|discord| {
        let rooms = discord
            .channels()
            .filter(|channel| channel.name.starts_with("inc-"));
        let whole = rooms.filter(|channel| channel.pins.len() == 1 && channel.topic.is_some());
        let limited = discord
            .calls()
            .iter()
            .filter(|call| call.answer == Outcome::Limited);
        let operations: Vec<String> = limited.map(|call| call.operation.clone()).collect();
        (whole.count(), operations, discord.calls().len())
    });
    let limited = turned_down.len();
    assert_eq!(rooms, AT_ONCE);
    assert!(
        limited * 50 <= calls,
        "Discord turned down {limited} of {calls} calls: {turned_down:?}"
    );
    nothing_stands_twice(&house);
    house.close().await;
}
