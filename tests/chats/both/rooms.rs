//! Who sees what in two rooms, who may command, and who counts once.

use orderly::incident::Stage;

use super::kit::{House, OPEN};
use crate::one::hands::Hands as _;
use crate::one::hands::Platform::{Discord, Slack};

fn counted(texts: &[String], part: &str) -> usize {
    texts.iter().filter(|text| text.contains(part)).count()
}

/// What the siren answers the first time: afterwards nothing is left to repair.
const FIRST_SIREN: &str = r#"{"repaired":3,"wrong":0}"#;

/// An incident with both rooms in which ana has proposed what two must approve.
async fn proposed() -> House {
    let house = House::opened(OPEN).await;
    house.types(Slack, "ana", "take commander").await;
    let frame =
        "frame function the price import works=orders who=customers impact=\"we pay them\" since=\"2m ago\"";
    house.types(Slack, "ana", frame).await;
    house.types(Slack, "ana", "next reason=\"it is plain\"").await;
    let asked = house
        .types(Slack, "ana", "propose test.siren shop reason=\"wake everybody\"")
        .await;
    assert!(asked[0].text.contains("A1 is being prepared"), "{asked:#?}");
    house
}

#[tokio::test]
async fn two_who_approve_on_two_platforms_are_a_quorum_and_it_runs_once() {
    let house = proposed().await;
    house.types(Slack, "ana", "invite @eve").await;
    let first = house.presses(Slack, "ben", "Approve").await;
    assert!(first[0].text.contains("Your approval of A1 counts"), "{first:#?}");
    assert!(house.state().await.attempts.is_empty(), "two people, not one");
    let second = house.presses(Discord, "eve", "Approve").await;
    assert!(
        second[0].text.contains("Your approval of A1 counts"),
        "{second:#?}"
    );
    for platform in [Slack, Discord] {
        let texts = house.texts(platform).await;
        let card = texts.iter().find(|text| text.starts_with("A1 "));
        let card = card.unwrap_or_else(|| panic!("no proposal on {platform:?}: {texts:#?}"));
        assert!(card.contains(FIRST_SIREN), "{card}");
        let approved: Vec<&str> = card.lines().filter(|line| line.contains("approved")).collect();
        assert_eq!(approved.len(), 2, "{card}");
        for (line, who) in approved.iter().zip(["ben", "eve"]) {
            assert!(line.contains(who), "{who}, on {platform:?}: {line}");
        }
    }
    // Pressed once more, or typed elsewhere, it does not run again.
    house.types(Discord, "ben", "approve A1").await;
    house.types(Slack, "eve", "approve A1").await;
    house.minutes(15).await;
    let state = house.state().await;
    assert_eq!(state.attempts.len(), 1, "{:?}", state.attempts);
    house.close().await;
}

#[tokio::test]
async fn somebody_who_is_known_on_both_is_one_vote() {
    let house = proposed().await;
    let own = house.types(Discord, "ana", "approve A1").await;
    assert!(own[0].text.contains("You proposed A1"), "{own:#?}");
    let first = house.types(Slack, "ben", "approve A1").await;
    assert!(first[0].text.contains("Your approval of A1 counts"), "{first:#?}");
    house.types(Discord, "ben", "approve A1").await;
    let state = house.state().await;
    let stage = &state.proposals.values().next().expect("a proposal").stage;
    assert!(
        matches!(stage, Stage::Waiting { .. }),
        "two people, not two accounts: {stage:?}"
    );
    assert!(state.attempts.is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_private_incident_is_private_on_both() {
    let house = House::opened("open Payroll sends wrong amounts severity=SEV1 private=yes").await;
    house
        .types(Discord, "ana", "note account 4711 is the first")
        .await;
    house.types(Slack, "ana", "invite @ben").await;
    for platform in [Slack, Discord] {
        let hands = house.on(platform);
        let room = house.room(platform).await.expect("a room");
        assert!(
            hands.room("ben", &room).await.is_some(),
            "who is invited is in on {platform:?}"
        );
        let mut found = hands.rooms("dan").await;
        assert_eq!(hands.room("dan", &room).await, None, "on {platform:?}");
        for place in [hands.ops(), hands.lobby()] {
            let seen = hands.room("dan", &place).await.unwrap_or_default();
            found.extend(seen.into_iter().map(|seen| seen.text));
            hands.types("dan", &place, "list all").await;
            house.settled().await;
            found.extend(hands.told("dan", &place).await.into_iter().map(|seen| seen.text));
        }
        for secret in ["Payroll", "payroll", "4711"] {
            assert_eq!(counted(&found, secret), 0, "{secret} on {platform:?}: {found:#?}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn guests_on_the_other_platform_get_updates_and_status_and_do_not_command() {
    let house = House::open().await;
    let guests = house.discord.server().channel("carrier-help");
    house.types(Slack, "ana", OPEN).await;
    house.types(Slack, "ana", "take commander").await;
    let added = house
        .types(Slack, "ana", &format!("room discord:{guests} guest"))
        .await;
    assert_eq!(house.state().await.rooms.len(), 2, "{added:#?}");
    house
        .types(
            Slack,
            "ana",
            "finding add changes suspect release 14.2 is the culprit",
        )
        .await;
    house
        .types(Slack, "ana", "update send We are on it next=30m")
        .await;
    let shown = house
        .discord
        .room("dan", &guests)
        .await
        .expect("their own channel");
    let texts: Vec<String> = shown.into_iter().map(|seen| seen.text).collect();
    assert_eq!(texts.len(), 2, "the card and the update: {texts:#?}");
    assert_eq!(counted(&texts, "We are on it"), 2, "{texts:#?}");
    assert_eq!(counted(&texts, "culprit"), 0, "{texts:#?}");
    for who in ["ana", "dan"] {
        house.discord.types(who, &guests, "status").await;
        house.settled().await;
        let told = house.discord.told(who, &guests).await;
        assert!(told[0].text.contains("takes no commands"), "{told:#?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_guest_room_of_a_private_incident_shows_no_title() {
    let house = House::open().await;
    let guests = house.discord.server().channel("carrier-help");
    let dan = house.discord.server().person("dan");
    let server = house.discord.server();
    server.make_private(&guests, &[&server.person("ana"), &dan]);
    house
        .types(
            Slack,
            "ana",
            "open Payroll sends wrong amounts severity=SEV1 private=yes",
        )
        .await;
    house.types(Slack, "ana", "take commander").await;
    let added = house
        .types(Slack, "ana", &format!("room discord:{guests} guest"))
        .await;
    assert_eq!(house.state().await.rooms.len(), 2, "{added:#?}");
    house
        .types(Slack, "ana", "update send We are on it next=30m")
        .await;
    let shown = house
        .discord
        .room("dan", &guests)
        .await
        .expect("their own channel");
    let texts: Vec<String> = shown.into_iter().map(|seen| seen.text).collect();
    assert_eq!(counted(&texts, "We are on it"), 2, "{texts:#?}");
    assert_eq!(counted(&texts, "Payroll"), 0, "{texts:#?}");
    house.close().await;
}
