//! The menu of a message: Slack sends each pick once, and whoever picked is told where nothing comes of it.

use std::time::Duration;

use orderly_testbed::slack::{Ack, Fault, Kind, Sent};

use super::kit::{House, Transport};
use crate::held::{Held, Refusing};
use crate::kept::standing;

/// Longer than the bot waits for its database, and less than Slack waits for the bot.
const LONG: Duration = Duration::from_millis(1300);

const TIMELINE: &str = "orderly:timeline";

async fn opened(transport: Transport) -> (House, String) {
    let house = House::open(transport).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    (house, room)
}

/// What is sent is waited for as long as the bot does, and then it gives up.
async fn acknowledged_late(house: &House, send: impl FnOnce() -> Sent) -> Ack {
    let waiting = house.clock.waiting();
    let sent = send();
    while house.clock.waiting() <= waiting {
        tokio::task::yield_now().await;
    }
    house.advance(LONG);
    sent.await
}

#[tokio::test]
async fn a_pick_that_is_not_confirmed_in_time_says_so_and_counts_once() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let (ana, ben) = (house.person("ana"), house.person("ben"));
        ben.joins(&room);
        let said = ben.says(&room, "I restarted the import at 14:00");
        house.settled().await;
        let held = Held::database(&house.database(), &house.app).await;
        let ack = acknowledged_late(&house, || ana.shortcut_on(TIMELINE, &room, &said)).await;
        assert!(ack.payload.is_null(), "{:?}", ack.payload);
        ana.is_told(&room, "Not confirmed yet").await;
        held.let_go(&house.app).await;
        house.settled().await;
        assert_eq!(standing(&house.app).await, ["I restarted the import at 14:00"]);
        house.close().await;
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_to_whoever_picked_or_pressed_it() {
    let (house, room) = opened(Transport::Socket).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let said = ana.says(&room, "I restarted the import at 14:00");
    ben.opens_home();
    let home = ben.home().await;
    house.settled().await;
    let refusing = Refusing::database(&house.database()).await;
    ana.shortcut_on(TIMELINE, &room, &said).await;
    ana.is_told(&room, "It was not taken").await;
    // Slack gives no address for an answer in a home tab, and this time no form either.
    house.slack.fault("views.open", 1, Fault::Status(503));
    ben.presses_in(&home.id, "Open an incident").await;
    let direct = ben.direct();
    house
        .slack
        .until("words for ben alone", |slack| {
            let told = slack.texts(&direct);
            told.iter().any(|text| text.contains("It was not taken"))
        })
        .await;
    refusing.let_go().await;
    house.settled().await;
    house.close().await;
}

#[tokio::test]
async fn whoever_picks_where_nothing_can_come_of_it_is_told_why() {
    let (house, room) = opened(Transport::Socket).await;
    let [ana, cleo, dan] = ["ana", "cleo", "dan"].map(|name| house.person(name));
    house
        .slack
        .change_account(&cleo, |account| account.kind = Kind::Guest);
    cleo.joins(&room);
    dan.joins(&room);
    let said = ana.says(&room, "I restarted the import at 14:00");
    let elsewhere = ana.says(&house.ops, "is anything slow?");
    house.settled().await;
    let ours = house.slack.read(|slack| {
        let ours = slack.find(&room, "1 of 6").expect("the first prompt");
        ours.ts.clone()
    });
    for (who, channel, message, why) in [
        (&ana, &house.ops, &elsewhere, "not an incident's room"),
        (&cleo, &room, &said, "may read here, not command"),
        (&dan, &room, &said, "does not know you yet"),
        (&ana, &room, &ours, "in its journal already"),
    ] {
        who.shortcut_on(TIMELINE, channel, message).await;
        who.is_told(channel, why).await;
    }
    house.settled().await;
    assert!(standing(&house.app).await.is_empty());
    house.close().await;
}

#[tokio::test]
async fn what_another_bot_says_is_put_on_the_timeline_by_its_menu_and_stays_there() {
    let (house, room) = opened(Transport::Http).await;
    let alerts = house.slack.account("alertmanager", Kind::Bot);
    alerts.joins(&room);
    let alert = alerts.says(&room, "FIRING: labels wait for 20 minutes");
    house.settled().await;
    assert!(house.log(&room).await.is_empty(), "nobody said that it matters");
    house.person("ana").shortcut_on(TIMELINE, &room, &alert).await;
    house.settled().await;
    assert_eq!(standing(&house.app).await, ["FIRING: labels wait for 20 minutes"]);
    let house = house.restarted().await;
    house.app.slack.clone().expect("a workspace").catch_up().await;
    house.settled().await;
    assert_eq!(standing(&house.app).await, ["FIRING: labels wait for 20 minutes"]);
    house.close().await;
}
