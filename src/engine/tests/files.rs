//! Files of marked messages: read once, kept in the commit that says so, never lost on the way.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::{Error, Incoming, Press};
use crate::engine::SHORTCUT_TIMELINE;
use crate::incident::*;
use crate::store::limits::MAX_EVIDENCE;

const BYTES: &[u8] = b"order;label\n7;\xff";

fn file(size: u64) -> FileRef {
    FileRef {
        id: "F1".to_owned(),
        name: "labels.csv".to_owned(),
        media_type: "text/csv".to_owned(),
        size,
    }
}

fn wrote(files: Vec<FileRef>) -> Incoming {
    Incoming::Wrote {
        from: identity("dan"),
        message: message("m1"),
        thread: None,
        text: "look".to_owned(),
        at: start(),
        files,
    }
}

fn reacted(name: &str) -> Incoming {
    Incoming::Reacted {
        from: identity(name),
        message: message("m1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    }
}

/// A message with a file in the room of INC-1.
async fn with_a_file(size: u64) -> House {
    let house = House::new().await;
    house.framed().await;
    house.chat.attach("F1", BYTES);
    house.hears("w", None, wrote(vec![file(size)])).await;
    house
}

/// The bytes kept, if any.
async fn kept(house: &House) -> Option<Vec<u8>> {
    let state = house.state(1).await;
    let sha256 = match state.kept_files().next()?.2 {
        FileFate::Kept { sha256, .. } => sha256.clone(),
        FileFate::Missed { .. } => return None,
    };
    let evidence = house.engine.evidence(&sha256).await.expect("read");
    Some(evidence.expect("the bytes are there").bytes)
}

#[tokio::test]
async fn the_bytes_are_kept_as_they_are_once_for_two_people_who_mark() {
    let house = with_a_file(BYTES.len() as u64).await;
    for name in ["ana", "ben"] {
        house.hears(name, None, reacted(name)).await;
    }
    assert_eq!(kept(&house).await.as_deref(), Some(BYTES));
    assert_eq!(house.count(1, "file_kept").await, 1);
    assert!(
        house
            .chat
            .notices("inc-1")
            .iter()
            .any(|text| text.ends_with("file_kept"))
    );
}

#[tokio::test]
async fn the_entry_of_the_messages_menu_keeps_them_too() {
    let house = with_a_file(BYTES.len() as u64).await;
    let pressed = Incoming::Press {
        from: identity("ana"),
        message: message("m1"),
        press: Press::Run {
            line: SHORTCUT_TIMELINE.to_owned(),
        },
        trigger: None,
    };
    house.hears("p", None, pressed).await;
    assert_eq!(kept(&house).await.as_deref(), Some(BYTES));
}

#[tokio::test]
async fn files_of_messages_that_nobody_marked_are_left_where_they_are() {
    let house = with_a_file(BYTES.len() as u64).await;
    assert_eq!(kept(&house).await, None);
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_restart_while_the_platform_is_away_loses_no_file() {
    let house = with_a_file(BYTES.len() as u64).await;
    house.chat.down.store(true, Ordering::SeqCst);
    house.hears("r", None, reacted("ana")).await;
    assert_eq!(kept(&house).await, None);
    let house = house.again().await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(kept(&house).await.as_deref(), Some(BYTES));
    assert_eq!(house.count(1, "file_kept").await, 1);
}

#[tokio::test]
async fn a_file_that_is_gone_is_said_to_be_gone() {
    let house = with_a_file(BYTES.len() as u64).await;
    house.chat.fails(Error::Gone {
        why: "it was deleted; token hunter2".to_owned(),
    });
    house.hears("r", None, reacted("ana")).await;
    assert_eq!(house.count(1, "file_missed").await, 1);
    let state = house.state(1).await;
    let fate = &state.marks[&message("m1")].files["F1"];
    let FileFate::Missed { why, .. } = fate else {
        panic!("{fate:?}");
    };
    assert_eq!(why, "it was deleted; token •••");
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_even_read() {
    let house = with_a_file(MAX_EVIDENCE as u64 + 1).await;
    house.hears("r", None, reacted("ana")).await;
    let state = house.state(1).await;
    let fate = &state.marks[&message("m1")].files["F1"];
    let FileFate::Missed { why, .. } = fate else {
        panic!("{fate:?}");
    };
    insta::assert_snapshot!(why, @"it is larger than the 16 MB that are kept of one file; keep it where large files live and link it here");
}

#[tokio::test]
async fn what_looks_like_a_secret_in_a_files_name_is_masked_and_a_long_name_is_cut() {
    let house = House::new().await;
    house.framed().await;
    let named = FileRef {
        name: format!("hunter2-{}", "x".repeat(100_000)),
        ..file(1)
    };
    house.hears("w", None, wrote(vec![named])).await;
    house.hears("r", None, reacted("ana")).await;
    let state = house.state(1).await;
    let name = &state.marks[&message("m1")].marked.files[0].name;
    assert!(name.starts_with("•••-xxx"), "{name}");
    assert_eq!(name.chars().count(), 255);
}

#[tokio::test]
async fn what_was_redacted_before_it_was_read_is_not_read_any_more() {
    let house = with_a_file(BYTES.len() as u64).await;
    house.chat.down.store(true, Ordering::SeqCst);
    house.hears("r", None, reacted("ana")).await;
    let row = house.state(1).await.marks[&message("m1")].event;
    let (what, reason) = (row.to_string(), "a password".to_owned());
    let verdict = house.says("cleo", Some(1), Said::Redact { what, reason }).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(kept(&house).await, None);
    assert_eq!(house.waits_in_outbox().await, 0);
}
