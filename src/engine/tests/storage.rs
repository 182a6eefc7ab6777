//! Bad days of the disk, and defects.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::{Delivery, Intake, Refused};
use crate::incident::*;
use crate::store::{Error, Store};

fn full() -> Error {
    Error::DiskFull {
        path: PathBuf::from("orderly.sqlite"),
    }
}

#[tokio::test]
async fn what_could_not_be_stored_was_not_acknowledged() {
    let house = House::new().await;
    house.framed().await;
    house.store.fail_next(full());
    let refused = house.takes("ana", Some(1), &Said::Do(Box::new(note("a")))).await;
    let Err(error @ Refused::Storage { .. }) = refused else {
        panic!("{refused:?}")
    };
    insta::assert_snapshot!(error.to_string(), @"Orderly could not store this: no space left for orderly.sqlite: free some space, the store goes on by itself; what was not acknowledged was not kept. It was not taken; send it again once that is mended.");
}

#[tokio::test]
async fn a_full_inbox_asks_to_send_it_again() {
    let house = House::new().await;
    house.store.fail_next(Error::Full {
        pending: 9_500,
        bound: 9_500,
    });
    let refused = house.takes("ana", Some(1), &Said::Do(Box::new(note("a")))).await;
    assert_eq!(refused, Err(Refused::Full));
}

#[tokio::test]
async fn while_nothing_can_be_stored_a_question_is_answered_and_a_change_is_not_taken() {
    let house = House::new().await;
    house.framed().await;
    let before = house.journal(1).await.len();
    house.store.fail_next(full());
    let looked = house
        .takes("ana", Some(1), &Said::Tell("the card".to_owned()))
        .await
        .expect("answered")
        .expect("with a number to ask for");
    let verdict = house.engine.decided(looked).await;
    assert!(verdict.accepted);
    insta::assert_snapshot!(verdict.message.fallback, @"
    the card
    Nothing can be written down at the moment: no space left for orderly.sqlite: free some space, the store goes on by itself; what was not acknowledged was not kept. Until then you can look, and change nothing.
    ");
    house.engine.quiet().await;
    let whispers = house.chat.whispers("ana");
    assert!(
        whispers.iter().any(|said| said.starts_with("the card")),
        "{whispers:?}"
    );
    // What would change something is not, and neither is what a stranger asks.
    house.store.fail_next(full());
    let refused = house.takes("ana", Some(1), &Said::Do(Box::new(note("a")))).await;
    assert!(matches!(refused, Err(Refused::Storage { .. })), "{refused:?}");
    house.store.fail_next(full());
    let refused = house
        .takes("nobody", Some(1), &Said::Tell("the card".to_owned()))
        .await;
    assert!(matches!(refused, Err(Refused::Storage { .. })), "{refused:?}");
    assert_eq!(house.journal(1).await.len(), before);
}

#[tokio::test]
async fn it_is_not_ready_while_nothing_can_be_written_and_ready_after_the_next_write() {
    let house = House::new().await;
    house.framed().await;
    assert_eq!(house.engine.ready().await, Ok(()));
    house.store.fail_next(full());
    let refused = house.takes("ana", Some(1), &Said::Do(Box::new(note("a")))).await;
    assert!(refused.is_err());
    let why = house.engine.ready().await.expect_err("the disk is full");
    assert!(
        why.starts_with("no space left for orderly.sqlite: free some space"),
        "{why}"
    );
    house.does("ana", note("there is room again")).await;
    assert_eq!(house.engine.ready().await, Ok(()));
}

#[tokio::test]
async fn a_full_disk_shows_before_anybody_writes_and_so_does_its_end() {
    let house = House::new().await;
    house.framed().await;
    house.clock.advance(TimeDelta::minutes(1));
    house.engine.quiet().await;
    house.clock.advance(TimeDelta::seconds(10));
    house.store.fail_next(full());
    assert!(house.engine.ready().await.is_err(), "it was tried");
    assert!(
        house.engine.ready().await.is_err(),
        "and is not tried at once again"
    );
    house.clock.advance(TimeDelta::seconds(5));
    assert_eq!(house.engine.ready().await, Ok(()), "nobody had to type anything");
}

/// Takes a note whose decision meets these errors.
async fn noted_against(house: &House, text: &str, errors: Vec<Error>) -> u64 {
    let said = Said::Do(Box::new(note(text)));
    let inbox = house
        .takes("ana", Some(1), &said)
        .await
        .expect("taken")
        .expect("kept");
    // The delivery is stored and not decided yet: this thread has not let the worker run.
    for error in errors {
        house.store.fail_next(error);
    }
    inbox
}

#[tokio::test]
async fn a_full_disk_is_not_confirmed_yet_and_decided_when_it_has_room() {
    let house = House::new().await;
    house.framed().await;
    let inbox = noted_against(&house, "kept", vec![full()]).await;
    let verdict = house.engine.decided(inbox).await;
    assert!(!verdict.accepted);
    insta::assert_snapshot!(verdict.message.fallback, @"Not confirmed yet: no space left for orderly.sqlite: free some space, the store goes on by itself; what was not acknowledged was not kept. What you sent is stored and will be decided when that is mended; look at the card before sending it again.");
    assert!(
        house.notes(1).await.is_empty(),
        "nothing is shown that is not on disk"
    );
    // Meanwhile more is said; it waits its turn.
    let second = house
        .takes("ana", Some(1), &Said::Do(Box::new(note("after it"))))
        .await
        .expect("taken")
        .expect("kept");
    house.later(TimeDelta::seconds(2)).await;
    assert!(house.engine.decided(inbox).await.accepted);
    assert!(house.engine.decided(second).await.accepted);
    assert_eq!(house.notes(1).await, ["kept", "after it"]);
}

#[tokio::test]
async fn where_nobody_asks_what_becomes_of_a_command_its_silence_is_told() {
    for leaves_it in [false, true] {
        let house = House::new().await;
        house.framed().await;
        house.chat.leaves_it.store(leaves_it, Ordering::SeqCst);
        noted_against(&house, "kept", vec![full(), full()]).await;
        house.engine.quiet().await;
        let told = || {
            let told = house.chat.whispers("ana").into_iter();
            told.filter(|told| told.starts_with("Not confirmed yet")).count()
        };
        assert_eq!(told(), usize::from(leaves_it));
        // It is tried in vain once more, and then there is room.
        while house.notes(1).await.is_empty() {
            house.later(TimeDelta::minutes(1)).await;
        }
        assert_eq!(told(), usize::from(leaves_it));
    }
}

#[tokio::test]
async fn who_asks_after_it_failed_is_told_at_once_and_then_of_the_decision() {
    let house = House::new().await;
    house.framed().await;
    let inbox = noted_against(&house, "kept", vec![full()]).await;
    // The first attempt is over before anybody asks, and the clock stands still.
    house.engine.quiet().await;
    assert!(!house.engine.decided(inbox).await.is_confirmed());
    let decided = tokio::spawn({
        let engine = house.engine.clone();
        async move { engine.decided(inbox).await }
    });
    house.later(TimeDelta::seconds(2)).await;
    assert!(decided.await.expect("an answer").accepted);
    assert_eq!(house.notes(1).await, ["kept"]);
}

#[tokio::test]
async fn what_is_sent_again_after_it_was_not_confirmed_is_taken_once() {
    let house = House::new().await;
    house.framed().await;
    let form = || Delivery {
        key: "form 1".to_owned(),
        subject: None,
        received: start(),
        incoming: command("form 1", "ana", Some(1), &Said::Do(Box::new(note("once")))).incoming,
    };
    let first = house.engine.take(form()).await.expect("taken").expect("kept");
    house.store.fail_next(full());
    let verdict = house.engine.decided(first).await;
    assert!(!verdict.is_confirmed(), "{}", verdict.message.fallback);
    // Sent again at once, and again when there is room.
    let again = house.engine.take(form()).await.expect("taken");
    assert_eq!(again, Some(first));
    house.later(TimeDelta::seconds(2)).await;
    let late = house.engine.take(form()).await.expect("taken");
    assert_eq!(late, Some(first));
    assert!(house.engine.decided(first).await.accepted);
    assert_eq!(house.notes(1).await, ["once"]);
    let house = house.again().await;
    assert_eq!(house.engine.take(form()).await.expect("taken"), Some(first));
    house.engine.quiet().await;
    assert_eq!(house.notes(1).await, ["once"]);
}

#[tokio::test]
async fn a_full_disk_survived_by_a_restart_loses_nothing() {
    let house = House::new().await;
    house.framed().await;
    let inbox = noted_against(&house, "kept", vec![full()]).await;
    assert!(!house.engine.decided(inbox).await.accepted);
    let house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.notes(1).await.len(), 1);
    assert!(house.engine.decided(inbox).await.accepted);
}

#[tokio::test]
async fn what_never_fits_is_refused_and_does_not_block_the_rest() {
    let house = House::new().await;
    house.framed().await;
    let inbox = noted_against(
        &house,
        "huge",
        vec![Error::TooLarge {
            what: "an event",
            bytes: 2_000_000,
            limit: 1_048_576,
        }],
    )
    .await;
    let verdict = house.engine.decided(inbox).await;
    assert!(!verdict.accepted);
    insta::assert_snapshot!(verdict.message.fallback, @"an event is 2000000 bytes long, 1048576 is the limit; shorten it or attach it as a file.");
    house.engine.quiet().await;
    house.does("ana", note("small")).await;
    assert_eq!(house.store.depths().await.expect("depths").inbox, 0);
}

#[tokio::test]
async fn a_defect_in_one_decision_leaves_the_others_alone() {
    let house = House::new().await;
    house.framed().await;
    let verdict = house.says("ana", Some(1), Said::Panic).await;
    assert!(!verdict.accepted);
    assert!(verdict.message.fallback.starts_with("Not confirmed yet"));
    house.does("ana", note("still here")).await;
}

#[tokio::test]
async fn an_attempt_whose_start_cannot_be_stored_is_not_made() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    // Once the decision is written, the disk is full for all that comes with it, the claim among that.
    let (store, before) = (house.store.clone(), house.store.writes());
    let fills = tokio::spawn(async move {
        while store.writes() < before + 2 {
            turn().await;
        }
        for _ in 0..4 {
            store.fail_next(full());
        }
    });
    house.does("ben", approve(1)).await;
    fills.await.expect("no panic");
    assert!(house.hands.attempts().is_empty());
    for _ in 0..3 {
        house.later(TimeDelta::minutes(1)).await;
    }
    assert_eq!(house.stage(1, 1).await, "not done");
}

/// Lets every other task have its turn once.
async fn turn() {
    let mut had = false;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        match std::mem::replace(&mut had, true) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}

/// A house whose action is under way, and what lets it end.
async fn in_the_middle_of_an_attempt() -> (House, Arc<tokio::sync::Semaphore>) {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    let gate = house.hands.hold();
    let approval = Said::Do(Box::new(approve(1)));
    let inbox = house
        .takes("ben", Some(1), &approval)
        .await
        .expect("taken")
        .expect("kept");
    house.engine.decided(inbox).await;
    while house.hands.attempts().is_empty() {
        tokio::task::yield_now().await;
    }
    (house, gate)
}

#[tokio::test]
async fn an_end_that_cannot_be_stored_is_written_later_and_the_action_is_not_made_again() {
    let (house, gate) = in_the_middle_of_an_attempt().await;
    for _ in 0..3 {
        house.store.fail_next(full());
    }
    gate.add_permits(1);
    house.engine.quiet().await;
    assert_eq!(
        house.stage(1, 1).await,
        "running",
        "nobody says what is not written"
    );
    for _ in 0..5 {
        house.later(TimeDelta::minutes(1)).await;
    }
    assert_eq!(house.stage(1, 1).await, "done, being verified");
    assert_eq!(house.hands.attempts().len(), 1);
}

#[tokio::test]
async fn an_end_that_was_never_stored_is_unknown_after_a_restart() {
    let (house, gate) = in_the_middle_of_an_attempt().await;
    let house = house.again().await;
    gate.add_permits(1);
    house.engine.quiet().await;
    assert_eq!(house.stage(1, 1).await, "outcome unknown");
    assert_eq!(house.hands.attempts().len(), 1);
    let grounds = "the row says so".to_owned();
    house
        .does(
            "dan",
            Request::Settle {
                proposal: ProposalId(1),
                happened: true,
                grounds,
            },
        )
        .await;
    assert_eq!(house.stage(1, 1).await, "done, being verified");
}

#[tokio::test]
async fn a_timer_that_cannot_be_written_is_tried_again_a_moment_later() {
    let house = House::new().await;
    house.opens(opening()).await;
    house.clock.advance(TimeDelta::minutes(5));
    house.store.fail_next(full());
    house.engine.quiet().await;
    house.later(TimeDelta::seconds(1)).await;
    assert_eq!(house.count(1, "role_nudged").await, 1);
}

#[tokio::test]
async fn after_a_stop_nothing_new_is_taken_in_hand() {
    let house = House::new().await;
    house.framed().await;
    house.engine.stop().await;
    let before = house.chat.calls.made();
    house
        .takes("ana", Some(1), &Said::Do(Box::new(note("a"))))
        .await
        .expect("still stored");
    house.engine.stop().await;
    assert_eq!(house.chat.calls.made(), before);
    let house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.notes(1).await.len(), 1);
    assert!(
        house
            .chat
            .notices("inc-1")
            .iter()
            .any(|notice| notice.ends_with(": a"))
    );
}

#[tokio::test]
async fn a_file_that_became_read_only_says_how_to_mend_it_and_loses_nothing() {
    let house = House::new().await;
    house.framed().await;
    let read_only = || Error::ReadOnly {
        path: "orderly.sqlite".into(),
    };
    house.store.fail_next(read_only());
    let refused = house
        .takes("ana", Some(1), &Said::Do(Box::new(note("not taken"))))
        .await;
    let refused = refused.expect_err("not acknowledged").to_string();
    assert!(
        refused.contains("make the file and its folder writable"),
        "{refused}"
    );
    let inbox = noted_against(&house, "kept", vec![read_only()]).await;
    let verdict = house.engine.decided(inbox).await;
    assert!(
        verdict
            .message
            .fallback
            .contains("make the file and its folder writable")
    );
    house.later(TimeDelta::seconds(2)).await;
    assert!(house.engine.decided(inbox).await.accepted);
    assert_eq!(
        house.notes(1).await,
        ["kept"],
        "what was not acknowledged was not kept"
    );
}
