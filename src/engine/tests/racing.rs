//! Two at once: people, incidents, and the desk.

use futures::future::join_all;

use super::kit::*;
use crate::chat::Intake;
use crate::desk;
use crate::incident::*;
use crate::store::{Append, Commit, Error, NewEvent, Store, Stream};

#[tokio::test]
async fn two_approvers_in_the_same_instant_start_one_attempt() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    let approval = Said::Do(Box::new(approve(1)));
    let mut inboxes = Vec::new();
    for name in ["ben", "cleo"] {
        inboxes.push(
            house
                .takes(name, Some(1), &approval)
                .await
                .expect("taken")
                .expect("kept"),
        );
    }
    let verdicts = join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    house.engine.quiet().await;
    let accepted: Vec<_> = verdicts.iter().map(|verdict| verdict.accepted).collect();
    assert_eq!(accepted, [true, false]);
    insta::assert_snapshot!(verdicts[1].message.fallback, @"A1 cannot be approved: it is running. `/action show A1` tells more.");
    assert_eq!(house.hands.attempts(), [(ProposalId(1), AttemptId(1))]);
}

#[tokio::test]
async fn a_concurrent_append_makes_the_second_decide_again() {
    let house = House::new().await;
    house.framed().await;
    // Somebody else writes past the engine's cache.
    let expected = house.head(1).await;
    let event = Event::Noted {
        text: "from elsewhere".to_owned(),
    };
    let row = NewEvent {
        kind: event.kind().to_owned(),
        version: VERSION,
        payload: serde_json::to_string(&event).expect("JSON"),
        recorded: start(),
        occurred: start(),
        source: "clock".to_owned(),
        by: "dan".to_owned(),
    };
    let append = Append {
        stream: Stream::Incident(IncidentId(1)),
        expected,
        events: vec![row],
    };
    let commit = Commit {
        at: start(),
        appends: vec![append],
        ..Commit::default()
    };
    house.store.commit(commit).await.expect("written");
    house.does("ana", note("from here")).await;
    assert_eq!(house.notes(1).await, ["from elsewhere", "from here"]);
}

#[tokio::test]
async fn a_target_taken_by_another_incident_holds_the_second_until_it_is_released() {
    let house = House::new().await;
    for _ in 0..2 {
        house.framed().await;
    }
    let gate = house.hands.hold();
    house.does_in(1, "ana", propose(terms("stop", "odoo-prod"))).await;
    house
        .does_in(2, "ana", propose(terms("restart", "odoo-prod")))
        .await;
    // The first runs and does not end yet, so nobody can wait for quiet.
    let first = house
        .takes("ben", Some(1), &Said::Do(Box::new(approve(1))))
        .await
        .expect("taken")
        .expect("kept");
    house.engine.decided(first).await;
    let second = house
        .takes("ben", Some(2), &Said::Do(Box::new(approve(1))))
        .await
        .expect("taken")
        .expect("kept");
    house.engine.decided(second).await;
    assert_eq!(house.stage(2, 1).await, "approved, held");
    gate.add_permits(2);
    house.engine.quiet().await;
    assert_eq!(house.stage(1, 1).await, "done, being verified");
    house.later(chrono::TimeDelta::seconds(10)).await;
    assert_eq!(house.stage(2, 1).await, "done, being verified");
    assert_eq!(house.hands.attempts().len(), 2);
}

#[tokio::test]
async fn two_incidents_that_reach_for_one_target_in_the_same_instant_do_not_both_get_it() {
    let house = House::new().await;
    for _ in 0..2 {
        house.framed().await;
    }
    for incident in 1..=2 {
        house
            .does_in(incident, "ana", propose(terms("stop", "odoo-prod")))
            .await;
    }
    let gate = house.hands.hold();
    let mut inboxes = Vec::new();
    for incident in 1..=2 {
        let approval = Said::Do(Box::new(approve(1)));
        inboxes.push(
            house
                .takes("ben", Some(incident), &approval)
                .await
                .expect("taken")
                .expect("kept"),
        );
    }
    join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    let stages = [house.stage(1, 1).await, house.stage(2, 1).await];
    assert_eq!(stages, ["running", "approved, held"]);
    gate.add_permits(2);
    house.engine.quiet().await;
    house.later(chrono::TimeDelta::seconds(10)).await;
    assert_eq!(house.stage(2, 1).await, "done, being verified");
}

#[tokio::test]
async fn the_store_itself_refuses_a_target_that_is_taken() {
    let house = House::new().await;
    house.framed().await;
    let holder = crate::store::Lock {
        target: "odoo-prod".to_owned(),
        incident: IncidentId(9),
        attempt: AttemptId(4),
    };
    // Taken behind the engine's back, as another process would.
    let commit = Commit {
        at: start(),
        locks_taken: vec![holder],
        ..Commit::default()
    };
    house.store.commit(commit).await.expect("written");
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.does("ben", approve(1)).await;
    assert_eq!(house.stage(1, 1).await, "approved, held");
    assert!(house.hands.attempts().is_empty());
}

#[tokio::test]
async fn a_freeze_that_came_first_holds_what_was_decided_on_the_desk_before_it() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    // Another process froze: the engine's own view of the desk is one event old.
    let event = desk::Event::Frozen {
        freeze: Freeze {
            target: None,
            by: PersonId::new("dan"),
            reason: "inventory count".to_owned(),
        },
    };
    let row = NewEvent {
        kind: event.kind().to_owned(),
        version: desk::VERSION,
        payload: serde_json::to_string(&event).expect("JSON"),
        recorded: start(),
        occurred: start(),
        source: "clock".to_owned(),
        by: "dan".to_owned(),
    };
    let expected = house.store.head(Stream::Desk).await.expect("a head").seq;
    let append = Append {
        stream: Stream::Desk,
        expected,
        events: vec![row],
    };
    house
        .store
        .commit(Commit {
            at: start(),
            appends: vec![append],
            ..Commit::default()
        })
        .await
        .expect("written");
    let words = house.says("ben", Some(1), Said::Do(Box::new(approve(1)))).await;
    assert!(house.hands.attempts().is_empty(), "{}", words.message.fallback);
}

#[tokio::test]
async fn freezing_and_thawing_hold_and_release() {
    let house = House::new().await;
    house.framed().await;
    let freeze = desk::Request::Freeze {
        target: Some("odoo-prod".to_owned()),
        reason: "count".to_owned(),
    };
    assert!(
        house
            .says("dan", None, Said::Desk(Box::new(freeze)))
            .await
            .accepted
    );
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.does("ben", approve(1)).await;
    assert_eq!(house.stage(1, 1).await, "approved, held");
    let thaw = desk::Request::Thaw {
        target: Some("odoo-prod".to_owned()),
        reason: None,
    };
    assert!(house.says("dan", None, Said::Desk(Box::new(thaw))).await.accepted);
    house.later(chrono::TimeDelta::seconds(10)).await;
    assert_eq!(house.hands.attempts().len(), 1);
}

#[tokio::test]
async fn nobody_makes_themselves_an_approver_in_a_room() {
    let house = House::new().await;
    let grant = desk::Request::Grant {
        person: PersonId::new("dan"),
        role: Role::Approver,
    };
    let verdict = house.says("dan", None, Said::Desk(Box::new(grant))).await;
    assert!(!verdict.accepted);
    insta::assert_snapshot!(verdict.message.fallback, @"Only the operator can change who is who, with `orderly person` on the machine itself; nobody can do it in a room.");
}

#[tokio::test]
async fn a_changed_catalog_entry_is_seen_when_the_catalog_is_read_again() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.hands.change_entry("stop");
    house.engine.look_around().await.expect("read again");
    house.does("ben", approve(1)).await;
    assert_eq!(house.stage(1, 1).await, "void");
}

#[tokio::test]
async fn many_incidents_at_once_each_keep_their_own_order() {
    let house = House::new().await;
    for _ in 0..5 {
        house.opens(opening()).await;
    }
    let mut inboxes = Vec::new();
    for at in 0..50_u64 {
        let said = Said::Do(Box::new(note(&at.to_string())));
        inboxes.push(
            house
                .takes("ana", Some(at % 5 + 1), &said)
                .await
                .expect("taken")
                .expect("kept"),
        );
    }
    join_all(inboxes.into_iter().map(|inbox| house.engine.decided(inbox))).await;
    house.engine.quiet().await;
    for incident in 1..=5_u64 {
        let expected: Vec<String> = (0..10).map(|at| (at * 5 + incident - 1).to_string()).collect();
        assert_eq!(house.notes(incident).await, expected);
    }
}

#[tokio::test]
async fn an_overtaken_decision_is_made_again() {
    let house = House::new().await;
    house.framed().await;
    let inbox = house
        .takes("ana", Some(1), &Said::Do(Box::new(note("a"))))
        .await
        .expect("taken")
        .expect("kept");
    // Taken and not decided yet: the worker has not had its turn.
    for _ in 0..3 {
        let stream = Stream::Incident(IncidentId(1));
        house.store.fail_next(Error::Conflict {
            stream,
            expected: 1,
            found: 2,
        });
    }
    assert!(house.engine.decided(inbox).await.accepted);
    house.engine.quiet().await;
    assert_eq!(house.notes(1).await.len(), 1);
}

#[tokio::test]
async fn what_nobody_can_know_is_never_run_again_by_itself() {
    let house = House::new().await;
    house.framed().await;
    house.hands.ends(Outcome::Unknown {
        why: "504 with password hunter2".to_owned(),
    });
    house.hands.answers_with("job.stopped", Verdict::Suspect);
    house.does("ana", propose(stopping())).await;
    house.does("ben", approve(1)).await;
    let state = house.state(1).await;
    let Stage::Unknown { why, .. } = &state.proposals[&ProposalId(1)].stage else {
        panic!()
    };
    assert_eq!(why, "504 with password •••");
    house.later(chrono::TimeDelta::hours(3)).await;
    let house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.stage(1, 1).await, "outcome unknown");
    assert_eq!(house.hands.attempts().len(), 1);
    let elsewhere = house.framed().await;
    house
        .does_in(elsewhere, "ana", propose(terms("restart", "odoo-prod")))
        .await;
    house.does_in(elsewhere, "ben", approve(1)).await;
    assert_eq!(
        house.stage(elsewhere, 1).await,
        "approved, held",
        "nobody acts there until somebody knows"
    );
}
