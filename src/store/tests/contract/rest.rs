//! Locks, posts, lists, files, the room log, redaction.

use crate::store::tests::*;

contract! {
    a_target_is_held_by_one_attempt_and_the_refusal_names_it,
    a_lock_is_given_back_by_its_holder_only,
    posts_are_found_by_slot_and_by_message,
    lists_need_no_journal,
    a_file_is_kept_once,
    the_room_log_keeps_earlier_versions,
    a_redaction_removes_the_original_and_the_chain_still_verifies,
    redacting_an_event_that_is_not_there_changes_nothing,
}

fn said(message: &str, recorded: i64, text: Option<&str>) -> LogEntry {
    LogEntry {
        incident: inc(7),
        room: "slack/T1/C1".into(),
        message: message.into(),
        thread: (message == "m2").then(|| "m1".into()),
        author: "U1".into(),
        at: at(if message == "m1" { 1 } else { 2 }),
        recorded: at(recorded),
        text: text.map(Into::into),
        files: (message == "m1").then(|| r#"[{"name":"labels ☃.csv"}]"#.into()),
    }
}

async fn a_target_is_held_by_one_attempt_and_the_refusal_names_it(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let take = |target: &str, number| Commit {
        locks_taken: vec![lock(target, number)],
        ..append(stream(number), 0, &["started"])
    };
    store.commit(take("odoo-prod", 1)).await.unwrap();
    let refused = store.commit(take("odoo-prod", 2)).await.unwrap_err();

    assert_eq!(
        refused.to_string(),
        "odoo-prod is held by attempt X1 of INC-1; wait until it has ended"
    );
    assert_eq!(
        refused,
        Error::Locked {
            holder: lock("odoo-prod", 1)
        }
    );
    assert_eq!(store.head(stream(2)).await.unwrap().seq, 0);
    store.commit(take("redis-prod", 2)).await.unwrap();
    assert_eq!(
        store.locks().await.unwrap(),
        [lock("odoo-prod", 1), lock("redis-prod", 2)]
    );

    // One commit may hand a lock over, and cannot take one twice.
    let hand_over = Commit {
        locks_released: vec![lock("odoo-prod", 1)],
        locks_taken: vec![lock("odoo-prod", 3)],
        ..Commit::default()
    };
    store.commit(hand_over).await.unwrap();
    let twice = Commit {
        locks_taken: vec![lock("new", 1), lock("new", 2)],
        ..Commit::default()
    };
    assert!(matches!(store.commit(twice).await, Err(Error::Locked { .. })));
    assert_eq!(
        store.locks().await.unwrap(),
        [lock("odoo-prod", 3), lock("redis-prod", 2)]
    );
}

async fn a_lock_is_given_back_by_its_holder_only(mut fixture: Fixture) {
    let give_back = |number| Commit {
        locks_released: vec![lock("odoo-prod", number)],
        ..Commit::default()
    };
    let take = |number| Commit {
        locks_taken: vec![lock("odoo-prod", number)],
        ..Commit::default()
    };
    fixture.store.commit(take(1)).await.unwrap();
    fixture.store.commit(give_back(2)).await.unwrap();
    fixture.restart().await;
    assert_eq!(fixture.store.locks().await.unwrap(), [lock("odoo-prod", 1)]);
    assert!(matches!(
        fixture.store.commit(take(2)).await,
        Err(Error::Locked { .. })
    ));
    fixture.store.commit(give_back(1)).await.unwrap();
    fixture.store.commit(take(2)).await.unwrap();
}

async fn posts_are_found_by_slot_and_by_message(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let post = |slot: &str, message: Option<&str>| Post {
        incident: inc(7),
        slot: slot.into(),
        message: message.map(Into::into),
    };
    let show = |posts| Commit {
        posts,
        ..Commit::default()
    };
    store
        .commit(show(vec![
            post("card", Some("m1")),
            post("proposal/A1", Some("m2")),
        ]))
        .await
        .unwrap();
    store.commit(show(vec![post("card", Some("m3"))])).await.unwrap();
    assert_eq!(
        store.posts(inc(7)).await.unwrap(),
        [post("card", Some("m3")), post("proposal/A1", Some("m2"))]
    );
    assert_eq!(
        store.shown_by("m3").await.unwrap(),
        Some(post("card", Some("m3")))
    );
    assert_eq!(store.shown_by("m1").await.unwrap(), None);
    store.commit(show(vec![post("card", None)])).await.unwrap();
    assert_eq!(
        store.posts(inc(7)).await.unwrap(),
        [post("proposal/A1", Some("m2"))]
    );
    assert_eq!(store.posts(inc(8)).await.unwrap(), []);
}

async fn lists_need_no_journal(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let line = |number, open| Summary {
        incident: inc(number),
        open,
        private: number == 2,
        body: format!("{{\"n\":{number}}}"),
    };
    let summaries = (1..=5).map(|number| line(number, number != 3)).collect();
    store
        .commit(Commit {
            summaries,
            ..Commit::default()
        })
        .await
        .unwrap();
    store
        .commit(Commit {
            summaries: vec![line(4, false)],
            ..Commit::default()
        })
        .await
        .unwrap();

    assert_eq!(
        store.summaries(Which::Open, None, 9).await.unwrap(),
        [line(5, true), line(2, true), line(1, true)]
    );
    assert_eq!(
        store.summaries(Which::All, Some(inc(4)), 2).await.unwrap(),
        [line(3, false), line(2, true)]
    );
    assert_eq!(store.summary(inc(4)).await.unwrap(), Some(line(4, false)));
    assert_eq!(store.summary(inc(6)).await.unwrap(), None);
}

async fn a_file_is_kept_once(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let png = Evidence::new(inc(1), "image/png", vec![0, 159, 146, 150]);
    let again = Evidence::new(inc(2), "image/png", vec![0, 159, 146, 150]);
    store
        .commit(Commit {
            evidence: vec![png.clone()],
            ..Commit::default()
        })
        .await
        .unwrap();
    store
        .commit(Commit {
            evidence: vec![again],
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(store.evidence(png.sha256).await.unwrap(), Some(png));
    assert_eq!(store.evidence(Hash::of(b"other")).await.unwrap(), None);
}

async fn the_room_log_keeps_earlier_versions(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let log = |room_log| Commit {
        room_log,
        ..Commit::default()
    };
    store
        .commit(log(vec![
            said("m2", 2, Some("yes")),
            said("m1", 3, Some("all ordes hang")),
        ]))
        .await
        .unwrap();
    store.commit(append(stream(7), 0, &["heard"])).await.unwrap();
    store
        .commit(log(vec![
            said("m1", 5, None),
            said("m1", 4, Some("all orders hang")),
        ]))
        .await
        .unwrap();

    let entries = |stored: Vec<StoredEntry>| stored.into_iter().map(|one| one.entry).collect::<Vec<_>>();
    let versions = entries(store.versions("slack/T1/C1", "m1").await.unwrap());
    assert_eq!(
        versions,
        [
            said("m1", 3, Some("all ordes hang")),
            said("m1", 4, Some("all orders hang")),
            said("m1", 5, None)
        ]
    );
    let whole = store.room_log(inc(7), LogId(0), 9).await.unwrap();
    assert_eq!(entries(whole.clone())[0], said("m2", 2, Some("yes")));
    let after: Vec<u64> = whole.iter().map(|stored| stored.after).collect();
    assert_eq!(after, [0, 0, 1, 1]);
    assert_eq!(store.room_log(inc(7), whole[1].id, 1).await.unwrap(), whole[2..3]);
    assert_eq!(store.room_log(inc(8), LogId(0), 9).await.unwrap(), []);
    let by_time = entries(store.room_since("slack/T1/C1", at(1), 9).await.unwrap());
    assert_eq!(
        by_time
            .iter()
            .map(|entry| entry.message.as_str())
            .collect::<Vec<_>>(),
        ["m1", "m1", "m1", "m2"]
    );
    assert_eq!(store.room_since("slack/T1/C1", at(2), 9).await.unwrap().len(), 1);
    assert_eq!(store.room_since("slack/T1/C9", at(0), 9).await.unwrap(), []);
}

async fn a_redaction_removes_the_original_and_the_chain_still_verifies(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let file = Evidence::new(inc(7), "text/plain", b"hunter2".to_vec());
    let mut commit = append(stream(7), 0, &["before", "the password is hunter2", "after"]);
    commit.room_log = vec![said("m1", 1, Some("hunter2")), said("m1", 2, None)];
    commit.evidence = vec![file.clone()];
    commit.effects = vec![effect("hunter2")];
    let done = store.commit(commit).await.unwrap();
    let answered = fresh(store, "Ev00").await;
    let told = |inbox: InboxId| InboxDone {
        inbox,
        outcome: "you said hunter2".into(),
    };
    let answer = Commit {
        at: at(1),
        inbox_done: vec![told(answered)],
        ..Commit::default()
    };
    store.commit(answer).await.unwrap();
    let inbox = fresh(store, "Ev01").await;
    let asked = fresh(store, "Ev02").await;
    let snapshot = Snapshot {
        stream: stream(7),
        seq: 3,
        version: 1,
        bytes: b"hunter2".to_vec(),
    };
    store.put_snapshot(snapshot).await.unwrap();

    let marker = "{\"redacted\":\"a password\"}".to_owned();
    let mut redact = append(stream(7), 3, &["redacted event 2"]);
    redact.redactions = vec![
        Redaction::Event {
            stream: stream(7),
            seq: 2,
            marker: marker.clone(),
        },
        Redaction::Message {
            room: "slack/T1/C1".into(),
            message: "m1".into(),
            marker: "(redacted)".into(),
        },
        Redaction::Evidence { sha256: file.sha256 },
        Redaction::Effect {
            effect: done.effects[0],
            body: "(redacted)".into(),
        },
        Redaction::Delivery {
            inbox,
            body: "(redacted)".into(),
        },
        Redaction::Outcomes {
            before: asked,
            outcome: "(redacted)".into(),
        },
    ];
    redact.inbox_done = vec![InboxDone {
        inbox: asked,
        outcome: "it is redacted".into(),
    }];
    assert!(store.commit(redact).await.unwrap().purged);

    let events = store.events(stream(7), 0, 9).await.unwrap();
    assert_eq!(events[1].event.payload.trim_end(), marker);
    assert!(events[1].redacted && events[1].seal.salt == chain::Salt::default());
    let report = verify(store, None).await.unwrap();
    assert!(report.sound());
    assert_eq!(
        report.gaps,
        [verify::Gap {
            stream: stream(7),
            seq: 2,
            marker
        }]
    );
    assert_eq!(report.heads[0].seq, 4);

    let outcomes = [
        (answered, Some("(redacted)")),
        (inbox, None),
        (asked, Some("it is redacted")),
    ];
    for (id, outcome) in outcomes {
        assert_eq!(store.outcome(id).await.unwrap().as_deref(), outcome, "{id}");
    }
    assert!(
        matches!(store.receive(delivery("Ev00")).await.unwrap(), Received::Duplicate(id, _) if id == answered),
        "its key stays"
    );
    let versions = store.versions("slack/T1/C1", "m1").await.unwrap();
    assert_eq!(
        versions
            .iter()
            .map(|one| one.entry.text.as_deref())
            .collect::<Vec<_>>(),
        [Some("(redacted)"), None]
    );
    assert_eq!(store.snapshot(stream(7)).await.unwrap(), None);
    assert_eq!(
        store.due_effects(at(99), &[], 1).await.unwrap()[0].effect.body,
        "(redacted)"
    );
    assert_eq!(store.pending(InboxId(0), 9).await.unwrap()[0].body, "(redacted)");
    // The same file is not taken in again.
    store
        .commit(Commit {
            evidence: vec![file.clone()],
            ..Commit::default()
        })
        .await
        .unwrap();
    let kept = store.evidence(file.sha256).await.unwrap().unwrap();
    assert!(kept.redacted && kept.bytes.is_empty());
}

async fn redacting_an_event_that_is_not_there_changes_nothing(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let mut commit = append(stream(7), 0, &["one"]);
    commit.redactions = vec![Redaction::Event {
        stream: stream(7),
        seq: 1,
        marker: "{}".into(),
    }];
    let refused = store.commit(commit).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "inc-7 has no event 1 to redact; please report this, nothing was written"
    );
    assert_eq!(store.head(stream(7)).await.unwrap().seq, 0);
}
