//! Many at once in one incident: what waits together is decided together, as if it had been one after the other.

use chrono::TimeDelta;
use futures::future::join_all;

use super::kit::*;
use crate::chat::{Intake, Verdict};
use crate::engine::lines::AT_HAND;
use crate::incident::*;
use crate::store::{Commit, Edge, Error, InboxId, Redaction, Store, Stream, Write, verify};

fn says(request: Request) -> Said {
    Said::Do(Box::new(request))
}

/// Ana says all of this about INC-1 before anything of it is decided.
async fn at_once(house: &House, all: Vec<Said>) -> Vec<Verdict> {
    let mut inboxes = Vec::new();
    for said in all {
        let taken = house.takes("ana", Some(1), &said).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    let verdicts = join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    house.engine.quiet().await;
    verdicts
}

fn words(verdicts: &[Verdict]) -> Vec<&str> {
    verdicts
        .iter()
        .map(|verdict| verdict.message.fallback.as_str())
        .collect()
}

fn accepted(verdicts: &[Verdict]) -> Vec<bool> {
    verdicts.iter().map(|verdict| verdict.accepted).collect()
}

#[tokio::test]
async fn what_waits_for_one_incident_is_decided_in_one_commit_and_told_in_order() {
    let house = House::new().await;
    house.framed().await;
    let (head, writes) = (house.head(1).await, house.store.writes());
    let notes = ["one", "two", "three"];
    let verdicts = at_once(&house, notes.iter().map(|text| says(note(text))).collect()).await;
    assert_eq!(accepted(&verdicts), [true; 3]);
    assert_eq!(house.notes(1).await, notes);
    assert_eq!(house.head(1).await, head + 3);
    let told = house.chat.notices("inc-1");
    let told: Vec<_> = told.iter().filter_map(|told| told.split(": ").nth(1)).collect();
    assert_eq!(told[told.len() - 3..], notes, "{told:?}");
    // Three were received and decided in one; how the notices went takes a few more.
    assert!(house.store.writes() - writes <= 3 + 1 + 3);
}

#[tokio::test]
async fn a_room_on_a_platform_that_is_not_connected_is_refused_among_others_too() {
    let house = House::new().await;
    house.framed().await;
    let ask = Request::AskRoom {
        platform: "slack".to_owned(),
        audience: Audience::Internal,
    };
    let verdicts = at_once(&house, vec![says(note("before")), says(ask), says(note("after"))]).await;
    assert_eq!(accepted(&verdicts), [true, false, true]);
    insta::assert_snapshot!(words(&verdicts)[1], @"slack is not connected. Connected: local.");
    assert_eq!(house.count(1, "room_asked").await, 0);
}

#[tokio::test]
async fn whoever_is_back_in_a_group_is_heard_although_much_waits() {
    let house = House::with_a_group().await;
    house.framed().await;
    let a_minute = TimeDelta::seconds(61);
    for members in [&["eve"][..], &[]] {
        house.chat.has_members(members);
        house.later(a_minute).await;
        house
            .says("nobody", Some(1), says(note("who is in the group?")))
            .await;
    }
    let refused = house.says("eve", Some(1), says(note("I have left"))).await;
    assert!(!refused.accepted);
    house.chat.has_members(&["eve"]);
    house.later(a_minute).await;
    let mut inboxes = Vec::new();
    for text in ["I am back", "and more"] {
        let taken = house.takes("eve", Some(1), &says(note(text))).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    let verdicts = join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    assert_eq!(accepted(&verdicts), [true; 2], "{:?}", words(&verdicts));
}

#[tokio::test]
async fn each_is_decided_on_what_the_one_before_it_left() {
    let house = House::new().await;
    house.framed().await;
    let verdicts = at_once(
        &house,
        vec![
            says(propose(terms("stop", "odoo-prod"))),
            says(Request::Withdraw {
                proposal: ProposalId(1),
                reason: None,
            }),
            says(Request::Withdraw {
                proposal: ProposalId(1),
                reason: None,
            }),
            says(note("after that")),
        ],
    )
    .await;
    assert_eq!(
        accepted(&verdicts),
        [true, true, false, true],
        "{:?}",
        words(&verdicts)
    );
    assert_eq!(house.stage(1, 1).await, "withdrawn");
    assert_eq!(house.notes(1).await, ["after that"]);
}

#[tokio::test]
async fn what_is_more_than_a_change_keeps_its_place_in_the_line() {
    let house = House::new().await;
    house.framed().await;
    let verdicts = at_once(
        &house,
        vec![
            says(note("one")),
            says(note("two")),
            Said::Tell("hello".to_owned()),
            says(note("three")),
            Said::Export("md".to_owned()),
            says(note("four")),
            says(note("five")),
        ],
    )
    .await;
    assert_eq!(accepted(&verdicts), [true; 7]);
    assert_eq!(verdicts[2].message.fallback, "hello");
    assert_eq!(house.notes(1).await, ["one", "two", "three", "four", "five"]);
    let exported = house.chat.files();
    assert_eq!(exported.len(), 1);
}

#[tokio::test]
async fn an_attempt_that_starts_is_seen_by_what_waits_behind_it() {
    let house = House::new().await;
    house.framed().await;
    house.does("cleo", propose(terms("stop", "odoo-prod"))).await;
    let gate = house.hands.hold();
    let mut inboxes = Vec::new();
    for said in [
        says(note("before")),
        says(approve(1)),
        says(propose(terms("restart", "odoo-prod"))),
    ] {
        inboxes.push(
            house
                .takes("ana", Some(1), &said)
                .await
                .expect("taken")
                .expect("kept"),
        );
    }
    join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    let second = house.takes("ben", Some(1), &says(approve(2))).await;
    house.engine.decided(second.expect("taken").expect("kept")).await;
    assert_eq!(house.stage(1, 1).await, "running");
    assert_eq!(house.stage(1, 2).await, "approved, held");
    gate.add_permits(2);
    house.engine.quiet().await;
}

#[tokio::test]
async fn if_somebody_else_appends_first_all_of_them_are_decided_again() {
    let house = House::new().await;
    house.framed().await;
    let mut inboxes = Vec::new();
    for text in ["one", "two"] {
        let taken = house.takes("ana", Some(1), &says(note(text))).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    house.store.fail_next(Error::Conflict {
        stream: Stream::Incident(IncidentId(1)),
        expected: 1,
        found: 2,
    });
    let verdicts = join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    house.engine.quiet().await;
    assert_eq!(accepted(&verdicts), [true; 2]);
    assert_eq!(house.notes(1).await, ["one", "two"]);
}

#[tokio::test]
async fn one_that_cannot_be_written_does_not_take_the_others_with_it() {
    let house = House::new().await;
    house.framed().await;
    let too_large = || Error::TooLarge {
        what: "an event",
        bytes: 2_000_000,
        limit: 1_048_576,
    };
    let mut inboxes = Vec::new();
    for text in ["huge", "two", "three"] {
        let taken = house.takes("ana", Some(1), &says(note(text))).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    // All of them together, and then the one that it was.
    house.store.fail_next(too_large());
    house.store.fail_next(too_large());
    let verdicts = join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    house.engine.quiet().await;
    assert_eq!(accepted(&verdicts), [false, true, true]);
    assert_eq!(house.notes(1).await, ["two", "three"]);
    assert_eq!(house.store.depths().await.expect("depths").inbox, 0);
}

#[tokio::test]
async fn a_defect_in_one_of_them_leaves_the_others_alone() {
    let house = House::new().await;
    house.framed().await;
    let all = vec![says(note("one")), Said::Panic, says(note("two"))];
    let verdicts = at_once(&house, all).await;
    assert_eq!(accepted(&verdicts), [true, false, true]);
    assert!(verdicts[1].message.fallback.starts_with("Not confirmed yet"));
    assert_eq!(house.notes(1).await, ["one", "two"]);
}

#[tokio::test]
async fn a_stranger_among_them_is_refused_and_holds_nobody_up() {
    let house = House::new().await;
    house.framed().await;
    let mut inboxes = Vec::new();
    for name in ["ana", "ben", "nobody", "ana"] {
        let taken = house.takes(name, Some(1), &says(note(name))).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    let verdicts = join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    assert_eq!(accepted(&verdicts), [true, true, false, true]);
    assert_eq!(house.notes(1).await, ["ana", "ben", "ana"]);
}

/// What is said at once in the walk below.
fn all() -> Vec<Said> {
    vec![
        says(note("one")),
        says(note("two")),
        says(approve(7)),
        says(propose(terms("stop", "odoo-prod"))),
        Said::Tell("hello".to_owned()),
        says(note("three")),
    ]
}

/// Lives through it with the process ending at one of its writes; whether there was such a write.
async fn ends_at(number: u64, edge: Edge) -> bool {
    let mut house = House::new().await;
    house.framed().await;
    house.store.stop_at(Write {
        number: house.store.writes() + number,
        edge,
    });
    let deliveries = all()
        .into_iter()
        .enumerate()
        .map(|(at, said)| command(&format!("at-once-{at}"), "ana", Some(1), &said));
    let deliveries: Vec<_> = deliveries.collect();
    for delivery in &deliveries {
        // Not acknowledged: sent again below.
        let _ = house.engine.take(delivery.clone()).await;
    }
    house.engine.quiet().await;
    if !house.store.stopped() {
        return false;
    }
    house = house.again().await;
    let mut inboxes = Vec::new();
    for delivery in deliveries {
        let taken = house.engine.take(delivery).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    for _ in 0..3 {
        house.later(TimeDelta::minutes(2)).await;
    }
    for inbox in inboxes {
        let outcome = house.store.outcome(InboxId(inbox)).await.expect("read");
        assert!(
            outcome.is_some(),
            "{number} {edge:?}: what was acknowledged is decided"
        );
    }
    let mut notes = house.notes(1).await;
    notes.sort();
    assert_eq!(notes, ["one", "three", "two"], "{number} {edge:?}: each once");
    assert_eq!(house.count(1, "proposed").await, 1, "{number} {edge:?}");
    let told = house.chat.notices("inc-1");
    for text in ["one", "two", "three"] {
        let times = told.iter().filter(|told| told.ends_with(&format!(": {text}")));
        assert_eq!(
            times.count(),
            1,
            "{number} {edge:?}: {text} is told once: {told:?}"
        );
    }
    let depths = house.store.depths().await.expect("depths");
    assert_eq!((depths.inbox, depths.outbox), (0, 0), "{number} {edge:?}");
    let report = verify(&house.store, None).await.expect("it reads");
    assert!(report.sound(), "{number} {edge:?}: {report:?}");
    true
}

#[tokio::test]
async fn the_process_may_end_at_any_write_while_several_wait() {
    for edge in [Edge::Before, Edge::After] {
        let mut number = 1;
        while ends_at(number, edge).await {
            number += 1;
        }
        assert!(number > 8, "{number} writes were walked");
    }
}

/// More than a line has in memory, three times over.
fn a_flood() -> Vec<String> {
    (0..3 * AT_HAND + 7).map(|at| format!("line {at}")).collect()
}

/// Ana says all of it about INC-1, and it is taken; under which number each.
async fn floods(house: &House, flood: &[String]) -> Vec<u64> {
    let mut inboxes = Vec::new();
    for text in flood {
        let taken = house.takes("ana", Some(1), &says(note(text))).await;
        inboxes.push(taken.expect("taken").expect("kept"));
    }
    inboxes
}

#[tokio::test]
async fn a_flood_is_decided_whole_and_in_its_order() {
    let house = House::new().await;
    house.framed().await;
    let flood = a_flood();
    let verdicts = at_once(&house, flood.iter().map(|text| says(note(text))).collect()).await;
    assert!(accepted(&verdicts).into_iter().all(|accepted| accepted));
    assert_eq!(house.notes(1).await, flood);
    assert_eq!(house.store.depths().await.expect("depths").inbox, 0);
}

#[tokio::test]
async fn a_flood_outlives_the_process() {
    let mut house = House::new().await;
    house.framed().await;
    let flood = a_flood();
    floods(&house, &flood).await;
    house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.notes(1).await, flood);
}

#[tokio::test]
async fn a_flood_does_not_hold_up_the_end_and_is_decided_after_it() {
    let mut house = House::new().await;
    house.framed().await;
    let flood = a_flood();
    floods(&house, &flood).await;
    house.engine.stop().await;
    let waiting = house.store.depths().await.expect("depths").inbox;
    assert_eq!(
        waiting as usize,
        flood.len() - AT_HAND,
        "what was in memory is decided"
    );
    house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.notes(1).await, flood);
}

#[tokio::test]
async fn one_of_a_flood_that_cannot_be_read_again_holds_nobody_up() {
    let house = House::new().await;
    house.framed().await;
    let mut flood = a_flood();
    let inboxes = floods(&house, &flood).await;
    let broken = 2 * AT_HAND;
    let redaction = Redaction::Delivery {
        inbox: InboxId(inboxes[broken]),
        body: "{".to_owned(),
    };
    let commit = Commit {
        redactions: vec![redaction],
        ..Commit::default()
    };
    house.store.commit(commit).await.expect("written");
    house.engine.quiet().await;
    flood.remove(broken);
    assert_eq!(house.notes(1).await, flood);
    let waiting = house.store.pending(InboxId(0), 9).await.expect("read");
    assert_eq!(waiting.len(), 1, "it stays where it is");
}
