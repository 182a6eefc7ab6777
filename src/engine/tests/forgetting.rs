//! The inbox forgets: what was decided long ago, and at once what was redacted.

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::{Delivery, Incoming, Intake};
use crate::engine::forget::KNOWN_FOR;
use crate::store::{InboxId, Store};

fn wrote(text: &str) -> Incoming {
    Incoming::Wrote {
        from: identity("dan"),
        message: message("m1"),
        thread: None,
        text: text.to_owned(),
        at: start(),
        files: Vec::new(),
    }
}

async fn outcome(house: &House, inbox: u64) -> Option<String> {
    house.store.outcome(InboxId(inbox)).await.expect("an inbox")
}

#[tokio::test]
async fn a_duplicate_is_known_for_days_and_its_answer_with_it() {
    let house = House::new().await;
    house.framed().await;
    let first = house.hears("w", None, wrote("full")).await.expect("kept");
    house.later(KNOWN_FOR - TimeDelta::minutes(1)).await;
    house.engine.forget().await;
    assert_eq!(house.hears("w", None, wrote("full")).await, Some(first));
    assert!(house.engine.decided(first).await.accepted);
}

#[tokio::test]
async fn what_was_decided_long_ago_is_forgotten_and_told_again_changes_nothing() {
    let house = House::new().await;
    house.framed().await;
    let first = house
        .hears("w", Some("m1 as written"), wrote("full"))
        .await
        .expect("kept");
    let reacted = Incoming::Reacted {
        from: identity("ana"),
        message: message("m1"),
        emoji: "todo".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r", None, reacted.clone()).await;
    house.later(KNOWN_FOR + TimeDelta::hours(2)).await;
    // The loop that does it has woken.
    while outcome(&house, first).await.is_some() {
        tokio::task::yield_now().await;
    }
    let (head, log) = (
        house.head(1).await,
        house.store.versions(&room("inc-1").to_string(), "m1").await,
    );
    let again = house
        .hears("w", Some("m1 as written"), wrote("full"))
        .await
        .expect("kept");
    assert_ne!(again, first, "it is taken in anew");
    house.hears("r", None, reacted).await;
    assert!(house.engine.decided(again).await.accepted);
    assert_eq!(house.head(1).await, head, "the journal knows it");
    let now = house.store.versions(&room("inc-1").to_string(), "m1").await;
    assert_eq!(
        now.expect("a log"),
        log.expect("a log"),
        "and so does the room log"
    );
}

#[tokio::test]
async fn what_still_waits_is_never_forgotten() {
    let house = House::new().await;
    house.framed().await;
    let waiting = crate::store::Delivery {
        delivery_key: "waits".to_owned(),
        subject_key: None,
        platform: "local".to_owned(),
        body: serde_json::to_string(&Delivery {
            key: "waits".to_owned(),
            subject: None,
            received: start(),
            incoming: command("waits", "ana", Some(1), &Said::Do(Box::new(note("after all")))).incoming,
        })
        .expect("JSON"),
        received: start(),
        urgent: false,
    };
    house.store.receive(waiting).await.expect("durable");
    house.later(KNOWN_FOR * 3).await;
    house.engine.forget().await;
    let house = house.again().await;
    house.engine.quiet().await;
    assert!(house.notes(1).await.contains(&"after all".to_owned()));
}

#[tokio::test]
async fn a_redaction_takes_the_answers_along_and_what_waits_with_the_words() {
    let house = House::new().await;
    house.framed().await;
    house.hears("w", None, wrote("it is tiger")).await;
    house.does("ana", note("the key is tiger")).await;
    let row = house.head(1).await;
    let asked = house
        .hears(
            "asked",
            None,
            command(
                "asked",
                "ana",
                Some(1),
                &Said::Tell("the key is tiger".to_owned()),
            )
            .incoming,
        )
        .await;
    let asked = asked.expect("kept");
    assert!(outcome(&house, asked).await.expect("an answer").contains("tiger"));
    let edit = Incoming::Edited {
        message: message("m1"),
        text: "it is tiger, sorry".to_owned(),
        at: start(),
        of: None,
    };
    let waits = crate::store::Delivery {
        delivery_key: "edit".to_owned(),
        subject_key: None,
        platform: "local".to_owned(),
        body: serde_json::to_string(&Delivery {
            key: "edit".to_owned(),
            subject: None,
            received: start(),
            incoming: edit,
        })
        .expect("JSON"),
        received: start(),
        urgent: false,
    };
    house.store.receive(waits).await.expect("durable");
    for what in [row.to_string(), "m1".to_owned()] {
        let redact = Said::Redact {
            what,
            reason: "a password".to_owned(),
        };
        let verdict = house.says("cleo", Some(1), redact).await;
        assert!(verdict.accepted, "{}", verdict.message.fallback);
    }
    let kept = outcome(&house, asked)
        .await
        .expect("it is known that it was decided");
    assert!(!kept.contains("tiger") && kept.contains("redacted"), "{kept}");
    let waiting = house.store.pending(InboxId(0), 10).await.expect("an inbox");
    assert!(
        waiting.iter().all(|row| !row.body.contains("tiger")),
        "{waiting:?}"
    );
    let house = house.again().await;
    house.engine.quiet().await;
    let log = house
        .store
        .versions(&room("inc-1").to_string(), "m1")
        .await
        .expect("a log");
    assert!(
        log.iter()
            .all(|stored| stored.entry.text.as_deref() == Some("[redacted]")),
        "{log:?}"
    );
}

#[tokio::test]
async fn whoever_waits_for_what_was_forgotten_is_told_that_it_was() {
    let house = House::new().await;
    house.framed().await;
    let first = house.hears("w", None, wrote("full")).await.expect("kept");
    // The newest is always known.
    house.does("ana", note("we look")).await;
    house.later(KNOWN_FOR + TimeDelta::hours(2)).await;
    while outcome(&house, first).await.is_some() {
        tokio::task::yield_now().await;
    }
    let time_passes = async {
        loop {
            house.clock.advance(TimeDelta::seconds(1));
            tokio::task::yield_now().await;
        }
    };
    let verdict = tokio::select! {
        verdict = house.engine.decided(first) => verdict,
        () = time_passes => unreachable!("it has no end"),
    };
    insta::assert_snapshot!(verdict.message.fallback, @"This was decided days ago, and what was answered is not kept any more; `/status` shows how things stand.");
}
