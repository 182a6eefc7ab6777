//! An incident with rooms on Slack and on the page, while first one and then the other goes away; and the ways a channel
//! becomes a room, is left and is archived.

use std::time::Duration;

use orderly::chat::local::{self, Fault};
use orderly_testbed::slack::ChannelKind;

use super::kit::{House, Transport};
use super::story::nothing_stands_twice;

const OPEN: &str = "open Labels do not print severity=SEV2";

/// Time passes, and what is tried again on the way is tried.
async fn minutes(house: &House, count: u32) {
    for _ in 0..count * 6 {
        house.advance(Duration::from_secs(10));
        house.slack.all_delivered().await;
        house.app.engine.quiet().await;
    }
}

/// The room of the team on the page.
async fn on_the_page(house: &House) -> String {
    let state = house.state().await.expect("an incident");
    let mut rooms = state.rooms.iter().filter(|room| room.at.platform == "local");
    rooms.next().expect("a room on the page").at.room.clone()
}

/// What a room of the page shows, oldest first.
async fn page(house: &House, room: &str) -> Vec<String> {
    let messages = house.app.chat.messages(room, None, local::PAGE_MAX).await;
    let messages = messages.expect("messages").into_iter();
    messages.map(|stored| format!("{:?}", stored.body)).collect()
}

fn counted(texts: &[String], part: &str) -> usize {
    texts.iter().filter(|text| text.contains(part)).count()
}

/// Whether the first stands before the second, each once.
fn in_order(texts: &[String], first: &str, second: &str) -> bool {
    let at = |part: &str| texts.iter().position(|text| text.contains(part));
    counted(texts, first) == 1 && counted(texts, second) == 1 && at(first) < at(second)
}

async fn says_elsewhere(house: &House, line: &str) {
    let verdict = house.typed_elsewhere(local::identity("ana"), line).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
}

/// What is noted while Slack is out of reach is told on the page, and once that it is.
async fn goes_on_without_slack(house: &House, here: &str) {
    says_elsewhere(house, "INC-1 note the printers are off").await;
    minutes(house, 3).await;
    says_elsewhere(house, "INC-1 note the printers are on again").await;
    minutes(house, 3).await;
    let told = page(house, here).await;
    assert!(
        in_order(&told, "printers are off", "printers are on again"),
        "{told:#?}"
    );
    assert_eq!(counted(&told, "slack is out of reach"), 1, "{told:#?}");
}

#[tokio::test]
async fn first_one_platform_and_then_the_other_goes_away_and_the_response_goes_on() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", OPEN).await;
    house.types("ana", "room local").await;
    let (slack, here) = (house.room().await, on_the_page(&house).await);
    house.settled().await;

    house.slack.go_away();
    goes_on_without_slack(&house, &here).await;
    house.slack.come_back();
    house.advance(Duration::from_secs(60));
    house.slack.connected(2).await;
    // What was on its way as Slack went is lost there.
    house.slack.give_up_deliveries();
    house.settled().await;
    let caught_up = house.slack.texts(&slack);
    assert!(
        in_order(&caught_up, "printers are off", "printers are on again"),
        "{caught_up:#?}"
    );
    assert_eq!(counted(&caught_up, "slack is back"), 1, "{caught_up:#?}");

    let away = Fault::Retry { after: None };
    house.app.chat.faults().next(100_000, &away);
    let ana = house.person("ana");
    let said = ana.says(&slack, "the carrier <!channel> answers");
    house.slack.all_delivered().await;
    house.types("ana", "note labels print slowly").await;
    minutes(&house, 5).await;
    let told = house.slack.texts(&slack);
    assert_eq!(counted(&told, "local is out of reach"), 1, "{told:#?}");
    ana.edits(&slack, &said, "the carrier answers again");
    house.app.chat.faults().clear();
    house.settled().await;
    let caught_up = page(&house, &here).await;
    assert_eq!(counted(&caught_up, "labels print slowly"), 1, "{caught_up:#?}");
    assert_eq!(
        counted(&caught_up, "the carrier answers again"),
        1,
        "{caught_up:#?}"
    );
    assert_eq!(counted(&caught_up, "local is back"), 1, "{caught_up:#?}");
    nothing_stands_twice(&house);
    house.close().await;
}

#[tokio::test]
async fn what_people_say_is_carried_over_both_ways_and_never_in_a_circle() {
    let house = House::open(Transport::Http).await;
    house.types("ana", OPEN).await;
    house.types("ana", "room local").await;
    let (slack, here) = (house.room().await, on_the_page(&house).await);
    let ana = house.person("ana");
    let said = ana.says(&slack, "is it the <printer> & the driver?");
    house.settled().await;
    let ben = local::identity("ben");
    let chat = &house.app.chat;
    let answer = chat
        .say(&ben, &here, None, "<!channel> it is *the driver*", None)
        .await;
    let answer = answer.expect("said");
    chat.settled().await.expect("heard");
    house.settled().await;
    let on_page = page(&house, &here).await;
    assert_eq!(
        counted(&on_page, "is it the <printer> & the driver?"),
        1,
        "{on_page:#?}"
    );
    let on_slack = house.slack.texts(&slack);
    assert_eq!(counted(&on_slack, "it is *the driver*"), 1, "{on_slack:#?}");
    assert_eq!(counted(&on_slack, "[local] ben: "), 1, "{on_slack:#?}");
    assert_eq!(
        counted(&on_slack, "[slack]"),
        0,
        "nothing comes back: {on_slack:#?}"
    );
    ana.deletes(&slack, &said);
    let number = answer.message.parse().expect("a number");
    chat.edit(&ben, &here, number, "it was the driver")
        .await
        .expect("edited");
    chat.settled().await.expect("heard");
    house.settled().await;
    assert_eq!(counted(&house.slack.texts(&slack), "it was the driver"), 1);
    assert_eq!(counted(&page(&house, &here).await, "(deleted)"), 1);
    nothing_stands_twice(&house);
    house.close().await;
}

#[tokio::test]
async fn a_channel_where_people_talk_already_becomes_the_room() {
    let house = House::open(Transport::Socket).await;
    let ana = house.person("ana");
    let channel = ana.creates("carrier-labels", ChannelKind::Public);
    let line = "/incident open Labels do not print severity=SEV2 --here";
    ana.types(line, &channel).await;
    ana.is_told(&channel, "not in #carrier-labels").await;
    ana.invites(&house.slack.bot_user(), &channel);
    ana.says(&channel, "said before it was opened");
    house.settled().await;
    ana.types(line, &channel).await;
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.rooms.len(), 1);
    assert_eq!(house.room().await, channel);
    ana.says(&channel, "said afterwards");
    house.settled().await;
    assert_eq!(house.log(&channel).await, ["said afterwards"]);
    house.slack.read(|slack| {
        let there = slack.channel(&channel);
        assert_eq!(there.topic.value, "", "left as it was");
        assert_eq!(there.pins.len(), 1, "the card");
    });
    let members = house.slack.read(|slack| slack.channel(&channel).members.len());
    house.types("ben", "take commander").await;
    assert_eq!(
        house.slack.read(|slack| slack.channel(&channel).members.len()),
        members
    );
    house.close().await;
}

#[tokio::test]
async fn what_was_said_since_it_began_comes_into_the_log_where_it_is_asked_for() {
    let house = House::open(Transport::Socket).await;
    let ana = house.person("ana");
    let channel = house.slack.channel("carrier-labels", &[&ana]);
    ana.says(&channel, "long before");
    minutes(&house, 2).await;
    ana.says(&channel, "the first label failed");
    minutes(&house, 1).await;
    let line = "/incident open Labels do not print --here --history since=\"2m ago\"";
    ana.types(line, &channel).await;
    house.settled().await.expect("an incident");
    assert_eq!(house.log(&channel).await, ["the first label failed"]);
    house.close().await;
}

#[tokio::test]
async fn a_guests_channel_gets_updates_and_a_card_and_takes_no_commands() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    let (ana, cleo) = (house.person("ana"), house.person("cleo"));
    let guests = house.slack.channel("carrier-help", &[&ana, &cleo]);
    house.types("ana", "room add #carrier-help guest").await;
    house
        .types("ana", "finding add changes suspect release 14.2 is the culprit")
        .await;
    house.types("ana", "update send We are on it next=30m").await;
    let shown = house.slack.texts(&guests);
    assert_eq!(shown.len(), 2, "{shown:#?}");
    assert_eq!(
        counted(&shown, "We are on it"),
        2,
        "the card and the update: {shown:#?}"
    );
    assert_eq!(counted(&shown, "culprit"), 0, "{shown:#?}");
    ana.types("/incident status", &guests).await;
    ana.is_told(&guests, "takes no commands").await;
    house.types("ana", "leave-room #carrier-help").await;
    assert_eq!(house.state().await.expect("an incident").rooms.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_private_channel_is_not_there_for_whoever_is_not_in_it() {
    let house = House::open(Transport::Http).await;
    house.types("ana", OPEN).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let board = ben.creates("board", ChannelKind::Private);
    ben.invites(&house.slack.bot_user(), &board);
    let room = house.room().await;
    for typed in ["#board", &board, "#nowhere"] {
        ana.types(&format!("/incident room add {typed}"), &room).await;
        ana.is_told(&room, &format!("Orderly sees no channel {typed}."))
            .await;
    }
    ben.types("/incident room add #board", &room).await;
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.rooms.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn the_room_is_archived_last_and_opened_again_with_the_incident() {
    let house = House::with(Transport::Socket, "[room]\narchive_on_close = true\n").await;
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    let room = house.room().await;
    house.types("ana", "cancel it was a planned restart").await;
    let archived = || house.slack.read(|slack| slack.channel(&room).archived);
    assert!(archived());
    assert_eq!(
        counted(
            &house.slack.texts(&room),
            "cancelled it: it was a planned restart"
        ),
        1
    );
    let ana = house.person("ana");
    ana.types("/incident INC-1 reopen it is back", &house.ops).await;
    house.settled().await;
    assert!(!archived());
    let shown = house.slack.texts(&room);
    assert_eq!(counted(&shown, "Chat was away"), 1, "{shown:#?}");
    house.close().await;
}

#[tokio::test]
async fn a_room_that_somebody_archived_is_told_once_and_the_team_gets_another() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", OPEN).await;
    let first = house.room().await;
    house.person("ana").archives(&first);
    for line in ["INC-1 note the printers are off", "INC-1 take commander"] {
        says_elsewhere(&house, line).await;
    }
    house.settled().await;
    let state = house.state().await.expect("an incident");
    assert_eq!(state.rooms.len(), 1, "{:?}", state.rooms);
    let second = house.room().await;
    assert_ne!(second, first);
    let told = house.slack.texts(&second);
    assert_eq!(
        counted(&told, "is lost: somebody archived the channel"),
        1,
        "{told:#?}"
    );
    assert_eq!(counted(&told, "1 of 6 · Confirm"), 1, "{told:#?}");
    assert!(house.slack.read(|slack| slack.channel(&second).pins.len()) == 1);
    nothing_stands_twice(&house);
    house.close().await;
}

#[tokio::test]
async fn a_room_archived_by_hand_after_the_end_is_left_alone() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    let room = house.room().await;
    house.types("ana", "cancel it was a planned restart").await;
    house.person("ana").archives(&room);
    says_elsewhere(&house, "INC-1 followup add buy another printer").await;
    house.settled().await;
    let made = house.slack.calls_of("conversations.create").len();
    assert_eq!(made, 1, "nobody works on it any more");
    house.close().await;
}

#[tokio::test]
async fn a_token_that_was_taken_away_is_told_elsewhere_and_loses_nothing() {
    let house = House::open(Transport::Http).await;
    house.types("ana", OPEN).await;
    house.types("ana", "room local").await;
    let (slack, here) = (house.room().await, on_the_page(&house).await);
    house.settled().await;
    house.slack.revoke_token(Some("token_revoked"));
    goes_on_without_slack(&house, &here).await;
    house.slack.revoke_token(None);
    minutes(&house, 1).await;
    house.settled().await;
    let caught_up = house.slack.texts(&slack);
    assert!(
        in_order(&caught_up, "printers are off", "printers are on again"),
        "{caught_up:#?}"
    );
    house.slack.take_violations();
    house.close().await;
}

/// The lines that tell of incidents.
fn announced(house: &House) -> Vec<String> {
    house.slack.texts("incidents")
}

#[tokio::test]
async fn an_announcement_where_the_bot_is_not_is_made_once_and_the_team_is_told_once() {
    let house = House::open(Transport::Socket).await;
    let incidents = house.slack.read(|slack| slack.channel("incidents").id.clone());
    house.slack.without_bot(&incidents);
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    house.types("ana", "severity SEV1 the second depot too").await;
    let lines = announced(&house);
    assert_eq!(
        lines.len(),
        1,
        "Slack lets it post, and nobody deleted that: {lines:#?}"
    );
    let room = house.room().await;
    let told = house.slack.texts(&room);
    assert_eq!(
        counted(&told, "cannot be announced in #incidents"),
        1,
        "{told:#?}"
    );
    // Another one's line is posted there, and nothing is mended by that.
    let ana = house.person("ana");
    ana.types("/incident open Scanners hang severity=SEV3", &house.ops)
        .await;
    house.settled().await;
    house.types("ana", "severity SEV3 one printer only").await;
    let told = house.slack.texts(&room);
    assert_eq!(counted(&told, "cannot be announced in"), 1, "{told:#?}");

    // Invited, it keeps its line true.
    ana.joins(&incidents);
    ana.invites(&house.slack.bot_user(), &incidents);
    house.types("ana", "severity SEV2 one depot after all").await;
    let lines = announced(&house);
    assert!(lines.len() == 2 && lines[0].contains("SEV2"), "{lines:#?}");
    house.close().await;
}

#[tokio::test]
async fn a_line_that_somebody_deleted_is_announced_anew() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", OPEN).await;
    let incidents = house.slack.read(|slack| slack.channel("incidents").id.clone());
    let line = house
        .slack
        .read(|slack| slack.spoken("incidents").last().expect("a line").ts.clone());
    house.person("ana").deletes(&incidents, &line);
    house.types("ana", "severity SEV1 the second depot too").await;
    let lines = announced(&house);
    assert!(lines.len() == 1 && lines[0].contains("SEV1"), "{lines:#?}");
    house.close().await;
}

#[tokio::test]
async fn an_announcement_channel_that_is_gone_is_told_once_until_it_works_again() {
    let house = House::open(Transport::Http).await;
    let incidents = house.slack.read(|slack| slack.channel("incidents").id.clone());
    let ana = house.person("ana");
    ana.archives(&incidents);
    house.types("ana", OPEN).await;
    let first = house.room().await;
    let told = house.slack.texts(&first);
    assert_eq!(counted(&told, "cannot be announced in"), 1, "{told:#?}");
    assert_eq!(counted(&told, "archived"), 1, "{told:#?}");
    house.types("ana", "severity SEV1 the second depot too").await;
    ana.types("/incident open Scanners hang severity=SEV3", &house.ops)
        .await;
    house.settled().await;
    let everywhere = |house: &House| {
        let channels: Vec<String> = house.slack.read(|slack| {
            let channels = slack.channels();
            channels.map(|channel| channel.id.clone()).collect()
        });
        let texts = channels.iter().flat_map(|channel| house.slack.texts(channel));
        counted(&texts.collect::<Vec<_>>(), "cannot be announced in")
    };
    assert_eq!(everywhere(&house), 1, "one team is enough to see to it");

    ana.unarchives(&incidents);
    house.types("ana", "severity SEV2 one depot after all").await;
    assert_eq!(counted(&announced(&house), "Labels do not print"), 1);
    house.advance(Duration::from_secs(10));
    ana.archives(&incidents);
    house.types("ana", "severity SEV3 it prints again").await;
    assert_eq!(everywhere(&house), 2, "that it went again is something new");
    house.close().await;
}
