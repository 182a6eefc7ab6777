//! Words that are taken back: of a message by its link, and of what the bot itself said of them.

use orderly::incident::Event;

use super::hands::{BOT, Mark, Platform, Seen, words};
use super::house::House;
use super::life::directly;
use crate::kept::{journal, said_in_all};

const OPEN: &str = "open Labels do not print severity=SEV2 target=shop runbook=demo-shop";

/// A message and an answer to one are redacted by their links, though they are on no timeline; a link that leads nowhere
/// says what to copy.
async fn by_link(platform: Platform) {
    let house = House::on(platform).await;
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    let (hands, room) = (&house.hands, house.place().await);
    let stays = hands.says("ben", &room, None, "the printer is fine").await;
    let pasted = hands.says("ben", &room, None, "its password is tiger").await;
    let reply = hands.says("ben", &room, Some(&stays), "or tiger2").await;
    house.settled().await;
    let nowhere = hands.link(&room, "1000000000.000001");
    let told = house.types("ana", &format!("redact {nowhere} a password")).await;
    assert!(
        told.iter()
            .any(|seen| seen.text.contains("Copy the link of the message")),
        "{platform:?}: {told:#?}"
    );
    for message in [&pasted, &reply] {
        let link = hands.link(&room, message);
        house.types("ana", &format!("redact {link} a password")).await;
        house.settled().await;
    }
    let mut said = said_in_all(&house.app).await;
    said.sort();
    assert_eq!(
        said,
        ["[redacted]", "[redacted]", "the printer is fine"],
        "{platform:?}"
    );
    let told = house.room("ben").await;
    let stands = told
        .iter()
        .any(|seen| seen.by != BOT && seen.text.contains("tiger"));
    assert_eq!(
        stands,
        platform != Platform::Local,
        "what others keep is for its author to delete"
    );
    let told = told.iter().filter(|seen| {
        seen.text
            .contains("redacted a message that is on no timeline: a password")
    });
    assert_eq!(told.count(), 2, "{platform:?}");
    house.close().await;
}

#[tokio::test]
async fn a_message_is_redacted_by_its_link_on_every_platform() {
    for platform in Platform::ALL {
        by_link(platform).await;
    }
}

/// A password in a note and in a task that a reaction made; what the room shows after both were redacted, the program
/// having been started again in between.
async fn said_anew(platform: Platform) -> Vec<String> {
    let house = House::on(platform).await;
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    let room = house.place().await;
    house.types("ana", "note the board says tiger").await;
    house.settled().await;
    let task = house
        .hands
        .says("ben", &room, None, "change the word tiger")
        .await;
    house.hands.reacts("ana", &room, &task, Mark::Task).await;
    house.settled().await;
    let shown = |room: Vec<Seen>| -> Vec<String> {
        let ours = room.into_iter().filter(|seen| seen.by == BOT);
        ours.map(|seen| words(&seen.text)).collect()
    };
    let before = shown(house.room("ana").await);
    let told = before.iter().filter(|text| text.contains("tiger")).count();
    assert_eq!(told, 2, "{platform:?}: {before:#?}");

    let house = house.restarted().await;
    house.settled().await;
    for recorded in journal(&house.app).await {
        if matches!(
            recorded.event,
            Some(Event::Noted { .. } | Event::TaskAdded { .. })
        ) {
            house
                .types("ana", &format!("redact e{} a password", recorded.seq))
                .await;
            house.settled().await;
        }
    }
    let after = shown(house.room("ana").await);
    assert!(
        after.iter().all(|text| !text.contains("tiger")),
        "{platform:?}: {after:#?}"
    );
    let said = after.iter().filter(|text| text.contains("[redacted]"));
    let said = said.cloned().collect();
    house.close().await;
    said
}

#[tokio::test]
async fn what_the_bot_said_of_redacted_words_is_said_anew_alike() {
    let first = said_anew(Platform::ALL[0]).await;
    assert_eq!(first.len(), 2, "{first:#?}");
    for platform in &Platform::ALL[1..] {
        assert_eq!(said_anew(*platform).await, first, "{platform:?}");
    }
}

/// A password in a page, and one in the title: the room, the lobby and what was told directly say neither after a restart.
async fn far_from_the_room(platform: Platform) {
    let house = House::on(platform).await;
    house.types("ana", OPEN).await;
    house.types("ana", "take commander").await;
    house.types("ana", "title The key is tiger").await;
    house.types("ana", "page ben it is tiger2").await;
    house.settled().await;
    let lobby = house.hands.lobby();
    let seen = |room: Vec<Seen>, direct: Vec<Seen>, lobby: Option<Vec<Seen>>| {
        let all = room.into_iter().chain(direct).chain(lobby.unwrap_or_default());
        all.filter(|seen| seen.by == BOT)
            .map(|seen| words(&seen.text))
            .collect::<Vec<_>>()
    };
    let (room, direct) = (house.room("ana").await, directly(&house, "ben").await);
    let told_directly = direct.len();
    let before = seen(room, direct, house.hands.room("ana", &lobby).await);
    let told = before.iter().filter(|text| text.contains("tiger")).count();
    assert!(told >= 4, "{platform:?}: {before:#?}");

    let house = house.restarted().await;
    house.settled().await;
    for recorded in journal(&house.app).await {
        if matches!(recorded.event, Some(Event::Retitled { .. } | Event::Paged { .. })) {
            house
                .types("ana", &format!("redact e{} a password", recorded.seq))
                .await;
            house.settled().await;
        }
    }
    let (room, direct) = (house.room("ana").await, directly(&house, "ben").await);
    assert_eq!(
        direct.len(),
        told_directly,
        "{platform:?}: said anew where it stands: {direct:#?}"
    );
    let after = seen(room, direct, house.hands.room("ana", &lobby).await);
    let left: Vec<_> = after.iter().filter(|text| text.contains("tiger")).collect();
    assert!(left.is_empty(), "{platform:?}: {left:#?}");
    house.close().await;
}

#[tokio::test]
async fn redacted_words_are_gone_from_the_lobby_and_from_what_was_told_directly() {
    for platform in Platform::ALL {
        far_from_the_room(platform).await;
    }
}
