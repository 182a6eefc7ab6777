//! A password pasted by mistake goes, everywhere.

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::Incoming;
use crate::engine::redact::marker;
use crate::incident::*;
use crate::store::{LogId, Store, Stream, verify};

fn redact(row: u64) -> Said {
    Said::Redact {
        what: row.to_string(),
        reason: "a password".to_owned(),
    }
}

#[tokio::test]
async fn what_an_event_said_is_gone_and_the_chain_still_verifies() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", note("the key is swordfish")).await;
    let row = house.head(1).await;
    let verdict = house.says("cleo", Some(1), redact(row)).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
    let rows = house
        .store
        .events(Stream::Incident(IncidentId(1)), 0, 1_000)
        .await
        .expect("rows");
    assert!(rows.iter().all(|row| !row.event.payload.contains("swordfish")));
    assert_eq!(house.notes(1).await[0], "[redacted]");
    let report = verify(&house.store, None).await.expect("it can be read");
    assert!(report.sound());
    assert_eq!(report.gaps.len(), 1);
}

#[tokio::test]
async fn what_was_said_of_it_in_the_room_is_said_anew() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", note("the key is swordfish")).await;
    let row = house.head(1).await;
    house.engine.quiet().await;
    let quotes = || {
        let said = house.chat.notices("inc-1").into_iter();
        said.filter(|text| text.contains("swordfish")).count()
    };
    assert_eq!(quotes(), 1);
    assert!(house.says("cleo", Some(1), redact(row)).await.accepted);
    house.engine.quiet().await;
    assert_eq!(quotes(), 0, "{:#?}", house.chat.notices("inc-1"));
}

#[tokio::test]
async fn the_message_it_came_from_goes_as_well() {
    let house = House::new().await;
    house.framed().await;
    let wrote = Incoming::Wrote {
        from: identity("dan"),
        message: message("m1"),
        thread: None,
        text: "it is swordfish".to_owned(),
        at: start(),
        files: Vec::new(),
    };
    house.hears("w", None, wrote).await;
    let reacted = Incoming::Reacted {
        from: identity("ana"),
        message: message("m1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r", None, reacted).await;
    let row = house.head(1).await;
    assert!(house.says("cleo", Some(1), redact(row)).await.accepted);
    let log = house
        .store
        .room_log(IncidentId(1), LogId(0), 10)
        .await
        .expect("a log");
    assert!(
        log.iter()
            .all(|stored| stored.entry.text.as_deref() == Some("[redacted]"))
    );
    assert_eq!(
        house.state(1).await.marks[&message("m1")].marked.text,
        "[redacted]"
    );
}

#[tokio::test]
async fn all_that_was_made_of_a_message_goes_and_a_late_edit_brings_nothing_back() {
    let house = House::new().await;
    house.framed().await;
    let wrote = Incoming::Wrote {
        from: identity("dan"),
        message: message("m1"),
        thread: None,
        text: "it is tiggr".to_owned(),
        at: start(),
        files: Vec::new(),
    };
    house.hears("w", None, wrote).await;
    for (who, emoji) in [
        ("ana", "pushpin"),
        ("cleo", "pushpin"),
        ("ana", "todo"),
        ("ana", "later"),
    ] {
        let reacted = Incoming::Reacted {
            from: identity(who),
            message: message("m1"),
            emoji: emoji.to_owned(),
            present: true,
            at: start(),
        };
        house.hears(&format!("{who}-{emoji}"), None, reacted).await;
    }
    let edited = |seconds, text: &str| Incoming::Edited {
        message: message("m1"),
        text: text.to_owned(),
        at: start() + TimeDelta::seconds(seconds),
        of: None,
    };
    house.hears("e1", None, edited(1, "it is tiger")).await;
    let (first, last) = (house.head(1).await - 4, house.head(1).await);
    assert!(house.says("cleo", Some(1), redact(first)).await.accepted);
    house.hears("e2", None, edited(2, "it is tiger!")).await;
    let stream = Stream::Incident(IncidentId(1));
    let rows = house.store.events(stream, first - 1, 1_000).await.expect("rows");
    let told: Vec<_> = rows.iter().map(|row| row.event.kind.as_str()).collect();
    assert_eq!(
        told,
        [
            "message_marked",
            "message_marked",
            "task_added",
            "followup_added",
            "message_changed",
            "redacted"
        ]
    );
    assert!(rows.iter().all(|row| !row.event.payload.contains("tig")));
    assert!(rows.iter().all(|row| row.seq > last || row.redacted));
    let log = house.store.room_log(IncidentId(1), LogId(0), 10).await;
    let log = log.expect("a log");
    assert_eq!(log.len(), 3);
    for stored in &log {
        assert_eq!(stored.entry.text.as_deref(), Some("[redacted]"));
    }
}

#[tokio::test]
async fn redacting_is_for_who_leads_and_for_rows_that_are_there() {
    let house = House::new().await;
    house.framed().await;
    let refused = |row| {
        let house = &house;
        async move {
            let verdict = house.says("cleo", Some(1), redact(row)).await;
            assert!(!verdict.accepted);
            verdict.message.fallback
        }
    };
    insta::assert_snapshot!(refused(1).await, @"Event #1 (opened) is what approvals and attempts rest on; it cannot be redacted. If a secret stands in it, change the secret, and say so with `/note`.");
    insta::assert_snapshot!(refused(99).await, @"INC-1 has no event #99. `/timeline` shows the numbers.");
    house.does("ana", note("swordfish")).await;
    let row = house.head(1).await;
    assert!(!house.says("dan", Some(1), redact(row)).await.accepted);
    assert_eq!(house.notes(1).await[0], "swordfish");
}

#[test]
fn every_kind_of_event_reads_after_its_words_were_taken_out() {
    let golden = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(name);
        std::fs::read_to_string(path).expect("a golden journal")
    };
    let all = golden("incident-v1.jsonl") + golden("incident-v1b.jsonl").as_str();
    for line in all.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line");
        let kind = line["kind"].as_str().expect("a kind");
        let marked = marker(&line["payload"].to_string());
        let read = Event::read(kind, VERSION, &marked);
        assert!(read.is_ok(), "{kind}: {read:?}");
        assert!(!marked.contains("as it was"), "{kind}: {marked}");
    }
}
