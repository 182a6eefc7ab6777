//! What people make of messages: marks, tasks and follow-ups, by reaction and by menu, taken back, edited, deleted; and
//! files as evidence.

use chrono::{DateTime, TimeDelta, Utc};
use orderly::clock::Clock as _;
use orderly::incident::State;

use super::alike::{assert_alike, in_order, neutral, rooms_of, shown};
use super::hands::{Mark, Platform};
use super::house::House;

const OPEN: &str = "open Labels do not print severity=SEV2 target=shop runbook=demo-shop";

/// What stands on the timeline by marks.
fn standing(state: &State) -> Vec<String> {
    let marks = state.marks.values().filter(|mark| mark.removed.is_none());
    let mut texts: Vec<String> = marks.map(|mark| mark.marked.text.clone()).collect();
    texts.sort();
    texts
}

/// What is still to be done.
fn open(state: &State) -> Vec<String> {
    let tasks = state.tasks.iter().filter(|(_, task)| task.end.is_none());
    let followups = state
        .followups
        .iter()
        .filter(|(_, followup)| followup.end.is_none());
    let tasks = tasks.map(|(id, _)| id.to_string());
    tasks.chain(followups.map(|(id, _)| id.to_string())).collect()
}

/// All that follows has happened, and a minute has passed on every platform alike.
async fn minute(house: &House, at: &mut DateTime<Utc>) {
    house.settled().await;
    *at += TimeDelta::minutes(1);
    house.advance_to(*at);
}

/// A day of marking; what is left of it in the room and in the post-mortem.
async fn marked(platform: Platform) -> Vec<String> {
    let house = House::on(platform).await;
    let mut at = house.clock.now();
    house.types("ana", OPEN).await;
    let room = house.place().await;
    let hands = &house.hands;
    let first = hands
        .says("ben", &room, None, "I restarted the import at 14:00")
        .await;
    let reply = hands
        .says("ben", &room, Some(&first), "it was the wrong one")
        .await;
    let task = hands.says("ben", &room, None, "check the other shop").await;
    let lesson = hands
        .says("ben", &room, None, "never restart without looking")
        .await;
    let gone = hands
        .says("ben", &room, None, "the password is on the board")
        .await;
    minute(&house, &mut at).await;

    hands.reacts("ana", &room, &first, Mark::Timeline).await;
    minute(&house, &mut at).await;
    hands.reacts("cleo", &room, &first, Mark::Timeline).await;
    minute(&house, &mut at).await;
    hands.reacts("ana", &room, &reply, Mark::Timeline).await;
    minute(&house, &mut at).await;
    hands.picks("ana", &room, &task, Mark::Task).await;
    minute(&house, &mut at).await;
    hands.picks("ana", &room, &lesson, Mark::Followup).await;
    minute(&house, &mut at).await;
    hands.picks("ana", &room, &gone, Mark::Timeline).await;
    minute(&house, &mut at).await;
    let state = house.state().await;
    assert_eq!(
        standing(&state),
        [
            "I restarted the import at 14:00",
            "it was the wrong one",
            "the password is on the board"
        ],
        "two people mark one message once"
    );
    assert!(
        state
            .tasks
            .values()
            .any(|task| task.text == "check the other shop")
    );
    assert!(
        state
            .followups
            .values()
            .any(|lesson| lesson.text == "never restart without looking")
    );

    // One of two takes it back: it stands. The other does as well: it is gone.
    hands.unreacts("ana", &room, &first, Mark::Timeline).await;
    minute(&house, &mut at).await;
    hands.edits("ben", &room, &reply, "it was the wrong import").await;
    minute(&house, &mut at).await;
    hands.deletes("ben", &room, &gone).await;
    minute(&house, &mut at).await;
    assert_eq!(
        standing(&house.state().await),
        ["I restarted the import at 14:00", "it was the wrong import"],
        "what is deleted is off the timeline"
    );
    hands.unreacts("cleo", &room, &first, Mark::Timeline).await;
    minute(&house, &mut at).await;
    assert!(!standing(&house.state().await).contains(&"I restarted the import at 14:00".to_owned()));

    // What a reaction makes goes with the last of them, unless somebody took it on.
    let left = hands.says("ben", &room, None, "call the carrier").await;
    minute(&house, &mut at).await;
    for name in ["ana", "cleo"] {
        hands.reacts(name, &room, &left, Mark::Task).await;
        minute(&house, &mut at).await;
        hands.reacts(name, &room, &left, Mark::Followup).await;
        minute(&house, &mut at).await;
    }
    house.types("ben", "task assign T2 ben").await;
    minute(&house, &mut at).await;
    hands.unreacts("ana", &room, &left, Mark::Followup).await;
    minute(&house, &mut at).await;
    assert_eq!(
        open(&house.state().await),
        ["T1", "T2", "F1", "F2"],
        "cleo wants it still"
    );
    for (name, mark) in [
        ("cleo", Mark::Followup),
        ("ana", Mark::Task),
        ("cleo", Mark::Task),
    ] {
        hands.unreacts(name, &room, &left, mark).await;
        minute(&house, &mut at).await;
    }
    assert_eq!(open(&house.state().await), ["T1", "T2", "F1"], "ben has T2");
    hands.reacts("cleo", &room, &left, Mark::Followup).await;
    minute(&house, &mut at).await;
    assert_eq!(open(&house.state().await), ["T1", "T2", "F1", "F3"]);

    let evidence = b"ERROR: could not serialize access".as_slice();
    let file = hands.uploads("ben", &room, "odoo.log", evidence).await;
    minute(&house, &mut at).await;
    hands.reacts("ana", &room, &file, Mark::Timeline).await;
    minute(&house, &mut at).await;
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(evidence));
    let kept = house
        .app
        .engine
        .evidence(&sha256)
        .await
        .expect("a store that can be read");
    assert_eq!(kept.expect("kept as evidence").bytes, evidence);

    let rooms = rooms_of(&house).await;
    // One platform leaves a mark where a message was deleted, another does not.
    let room = house.room("ana").await.into_iter().filter(|seen| !seen.deleted);
    let mut lines: Vec<String> = room.map(|seen| shown(&seen, &rooms)).collect();
    let document = house.document("markdown").await;
    lines.extend(document.lines().map(|line| neutral(line, &rooms)));
    house.close().await;
    in_order(lines)
}

#[tokio::test]
async fn messages_are_marked_followed_and_kept_alike() {
    let first = marked(Platform::ALL[0]).await;
    for platform in &Platform::ALL[1..] {
        let lines = marked(*platform).await;
        assert_alike(&format!("marks on {platform:?}"), &first, &lines);
    }
}
