//! What people say in one room of an incident is read in its others.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::kit::*;
use super::rooms::*;
use crate::chat::Incoming;
use crate::incident::*;
use crate::store::{LogId, Store};

/// With messages carried over.
async fn carrying() -> House {
    let house = House::on_two_platforms().await;
    let carry = RoomSettings {
        carry: true,
        ..RoomSettings::default()
    };
    house.opens(settled(carry)).await;
    house.does("cleo", take("cleo")).await;
    house.does("cleo", ask(Audience::Internal)).await;
    house.does("cleo", ask(Audience::Guest)).await;
    house
}

#[tokio::test]
async fn what_somebody_says_in_one_room_is_read_in_the_others_with_name_and_platform() {
    let house = carrying().await;
    let said = wrote(slack_room("inc-1"), "m1", "the password is hunter2");
    house.hears("m1", Some("m1"), said.clone()).await;
    house.hears("m1-again", Some("m1"), said).await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: the password is •••");
    let back = wrote(room("inc-1"), "m2", "thank you");
    house.hears("m2", None, back).await;
    assert_eq!(house.slack().one("inc-1", "["), "[local] dan: thank you");
    let guests = house.slack().reads("inc-1-guests");
    assert!(guests.iter().all(|text| !text.starts_with('[')), "{guests:?}");
    let theirs = wrote(slack_room("inc-1-guests"), "m3", "when is it done?");
    house.hears("m3", None, theirs).await;
    assert_eq!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .filter(|text| text.starts_with('['))
            .count(),
        1
    );
}

#[tokio::test]
async fn copies_follow_edits_and_deletes_also_when_late() {
    let house = carrying().await;
    let mut said = wrote(slack_room("inc-1"), "m1", "it is the printer");
    if let Incoming::Wrote { files, .. } = &mut said {
        files.push(FileRef {
            id: "F1".to_owned(),
            name: "printer.log".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 3,
        });
    }
    house.hears("m1", None, said).await;
    assert_eq!(
        house.chat.one("inc-1", "["),
        "[slack] dan: it is the printer +printer.log"
    );
    house.chat.down.store(true, Ordering::SeqCst);
    let edited = Incoming::Edited {
        message: at(slack_room("inc-1"), "m1"),
        text: "it is the driver".to_owned(),
        at: start() + TimeDelta::seconds(1),
        of: None,
    };
    house.hears("e1", None, edited).await;
    house.later(TimeDelta::minutes(30)).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(
        house.chat.one("inc-1", "["),
        "[slack] dan: it is the driver +printer.log"
    );
    let deleted = Incoming::Deleted {
        message: at(slack_room("inc-1"), "m1"),
        at: start() + TimeDelta::seconds(2),
        found_gone: false,
    };
    house.hears("d1", None, deleted).await;
    assert_eq!(
        house.chat.one("inc-1", "["),
        "[slack] dan: (deleted) +printer.log"
    );
}

#[tokio::test]
async fn a_mark_on_a_copy_is_a_mark_on_what_was_said() {
    let house = carrying().await;
    house
        .hears("m1", None, wrote(slack_room("inc-1"), "m1", "it began at noon"))
        .await;
    let posted = house.chat.posted();
    let copy = posted
        .iter()
        .find(|posted| posted.text.starts_with('['))
        .expect("a copy");
    let mark = |present: bool| Incoming::Reacted {
        from: identity("ana"),
        message: copy.at.clone(),
        emoji: "pushpin".to_owned(),
        present,
        at: start(),
    };
    house.hears("r1", None, mark(true)).await;
    let original = at(slack_room("inc-1"), "m1");
    assert_eq!(
        house.state(1).await.marks[&original].marked.text,
        "it began at noon"
    );
    house.hears("r2", None, mark(false)).await;
    assert!(house.state(1).await.marks[&original].removed.is_some());
}

async fn redact(house: &House, what: String) {
    let reason = "a password".to_owned();
    let verdict = house.says("cleo", Some(1), Said::Redact { what, reason }).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
}

#[tokio::test]
async fn redacted_words_leave_every_copy_and_an_edit_makes_no_new_one() {
    let house = carrying().await;
    house
        .hears(
            "m1",
            None,
            wrote(slack_room("inc-1"), "m1", "my password is tiger"),
        )
        .await;
    let mark = Incoming::Reacted {
        from: on_slack("ana"),
        message: at(slack_room("inc-1"), "m1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r1", None, mark).await;
    let row = house.head(1).await;
    redact(&house, row.to_string()).await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: [redacted]");
    house.does("ana", Request::SetCarry { on: false }).await;
    house
        .hears("m2", None, wrote(slack_room("inc-1"), "m2", "between us"))
        .await;
    let edited = Incoming::Edited {
        message: at(slack_room("inc-1"), "m2"),
        text: "still between us".to_owned(),
        at: start() + TimeDelta::seconds(1),
        of: None,
    };
    house.hears("e2", None, edited).await;
    house.chat.one("inc-1", "[");
}

#[tokio::test]
async fn what_was_said_during_a_long_outage_is_in_the_one_digest() {
    let house = carrying().await;
    house.chat.down.store(true, Ordering::SeqCst);
    for id in ["m1", "m2", "m3"] {
        house
            .hears(id, None, wrote(slack_room("inc-1"), id, &format!("word {id}")))
            .await;
    }
    let deleted = Incoming::Deleted {
        message: at(slack_room("inc-1"), "m2"),
        at: start() + TimeDelta::seconds(2),
        found_gone: false,
    };
    house.hears("d2", None, deleted).await;
    house.later(TimeDelta::minutes(30)).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    let digest = house.chat.one("inc-1", "digest");
    assert!(digest.ends_with("said: word m1, word m3"), "{digest}");
    assert!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .all(|text| !text.starts_with('['))
    );
    assert_eq!(house.waits_in_outbox().await, 0);
    redact(&house, "m1".to_owned()).await;
    assert_eq!(house.chat.one("inc-1", "digest"), "digest: [redacted]");
}

#[tokio::test]
async fn redacted_words_leave_the_copies_of_a_room_that_was_left() {
    let house = carrying().await;
    house
        .hears(
            "m1",
            None,
            wrote(slack_room("inc-1"), "m1", "my password is tiger"),
        )
        .await;
    let room = slack_room("inc-1");
    house.does("cleo", Request::LeaveRoom { room }).await;
    redact(&house, "m1".to_owned()).await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: [redacted]");
    let log = house.store.room_log(IncidentId(1), LogId(0), 100).await;
    let log = log.expect("a log");
    assert!(
        log.iter()
            .all(|stored| stored.entry.text.as_deref() != Some("my password is tiger"))
    );
}

#[tokio::test]
async fn a_reaction_on_a_copy_is_not_missed_at_the_original() {
    let house = carrying().await;
    house
        .hears("m1", None, wrote(slack_room("inc-1"), "m1", "it began at noon"))
        .await;
    let posted = house.chat.posted();
    let copy = posted.iter().find(|posted| posted.text.starts_with('['));
    let mark = Incoming::Reacted {
        from: identity("ana"),
        message: copy.expect("a copy").at.clone(),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r1", None, mark).await;
    let state = house.state(1).await;
    let mark = &state.marks[&at(slack_room("inc-1"), "m1")];
    assert!(mark.removed.is_none() && mark.reacted.is_empty(), "{mark:?}");
}

#[tokio::test]
async fn carrying_over_can_be_switched_for_one_incident() {
    let house = carrying().await;
    house.does("ana", Request::SetCarry { on: false }).await;
    house
        .hears("m1", None, wrote(slack_room("inc-1"), "m1", "between us"))
        .await;
    assert!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .all(|text| !text.starts_with('['))
    );
    house.does("ana", Request::SetCarry { on: true }).await;
    house
        .hears("m2", None, wrote(slack_room("inc-1"), "m2", "for all"))
        .await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: for all");
}
