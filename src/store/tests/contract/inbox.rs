//! What comes in.

use crate::store::tests::*;

contract! {
    a_delivery_is_taken_in_once_whichever_key_comes_twice,
    new_and_known_deliveries_that_come_together_are_told_apart,
    deliveries_that_wait_are_found_by_their_ids,
    a_decided_delivery_loses_its_body_and_keeps_its_outcome,
    a_delivery_is_decided_once,
    deliveries_are_decided_together_or_not_at_all,
    forgotten_deliveries_are_new_again,
    many_deliveries_are_forgotten_in_parts,
    a_full_inbox_keeps_a_reserve_for_approvals_and_knows_duplicates,
}

async fn a_delivery_is_taken_in_once_whichever_key_comes_twice(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let live = Delivery {
        subject_key: Some("C1/1700.1".into()),
        ..delivery("Ev01")
    };
    let id = match store.receive(live.clone()).await.unwrap() {
        Received::Fresh(id) => id,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        store.receive(live.clone()).await.unwrap(),
        Received::Duplicate(id, None)
    );
    let from_history = Delivery {
        delivery_key: "history/1".into(),
        ..live.clone()
    };
    assert_eq!(
        store.receive(from_history).await.unwrap(),
        Received::Duplicate(id, None)
    );
    // The two kinds of key do not meet.
    let other = Delivery {
        subject_key: Some("Ev01".into()),
        ..delivery("C1/1700.1")
    };
    assert!(matches!(store.receive(other).await.unwrap(), Received::Fresh(_)));
    assert_eq!(store.pending(InboxId(0), 9).await.unwrap().len(), 2);

    let store = fixture.store;
    let same: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.receive(delivery("Ev99")).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for answer in same {
        new += usize::from(matches!(answer.await.unwrap(), Received::Fresh(_)));
    }
    assert_eq!(new, 1);
    assert_eq!(store.depths().await.unwrap().inbox, 3);
}

async fn new_and_known_deliveries_that_come_together_are_told_apart(fixture: Fixture) {
    let store = fixture.store;
    for number in 0..20 {
        fresh(store.as_ref(), &format!("Ev{number}")).await;
    }
    let together: Vec<_> = (0..40)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.receive(delivery(&format!("Ev{number}"))).await.unwrap() })
        })
        .collect();
    for (number, answer) in together.into_iter().enumerate() {
        let fresh = matches!(answer.await.unwrap(), Received::Fresh(_));
        assert_eq!(fresh, number >= 20, "Ev{number}");
    }
    assert_eq!(store.depths().await.unwrap().inbox, 40);
    assert_eq!(store.pending(InboxId(0), 99).await.unwrap().len(), 40);
}

async fn deliveries_that_wait_are_found_by_their_ids(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let mut ids = Vec::new();
    for key in ["Ev01", "Ev02", "Ev03", "Ev04"] {
        ids.push(fresh(store, key).await);
    }
    let commit = Commit {
        inbox_done: vec![InboxDone {
            inbox: ids[2],
            outcome: "{}".into(),
        }],
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    let asked = [ids[3], ids[2], ids[0], InboxId(77)];
    let found = store.waiting(&asked).await.unwrap();
    let found: Vec<_> = found.iter().map(|row| (row.id, row.body.as_str())).collect();
    assert_eq!(found, [(ids[0], "body of Ev01"), (ids[3], "body of Ev04")]);
    assert_eq!(store.waiting(&[]).await.unwrap(), []);
}

async fn a_decided_delivery_loses_its_body_and_keeps_its_outcome(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let id = fresh(store, "Ev01").await;
    let waiting = store.pending(InboxId(0), 9).await.unwrap();
    assert_eq!(waiting[0].body, "body of Ev01");
    assert_eq!((waiting[0].id, waiting[0].received), (id, at(0)));
    assert_eq!(store.outcome(id).await.unwrap(), None);

    let mut commit = append(stream(1), 0, &["opened"]);
    commit.inbox_done = vec![InboxDone {
        inbox: id,
        outcome: "{\"opened\":1}".into(),
    }];
    store.commit(commit).await.unwrap();
    assert_eq!(store.pending(InboxId(0), 9).await.unwrap(), []);
    assert_eq!(store.outcome(id).await.unwrap().unwrap(), "{\"opened\":1}");
    assert_eq!(
        store.receive(delivery("Ev01")).await.unwrap(),
        Received::Duplicate(id, Some("{\"opened\":1}".into()))
    );
}

async fn a_delivery_is_decided_once(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let id = fresh(store, "Ev01").await;
    let done = |outcome: &str| {
        vec![InboxDone {
            inbox: id,
            outcome: outcome.into(),
        }]
    };
    store
        .commit(Commit {
            inbox_done: done("1"),
            ..Commit::default()
        })
        .await
        .unwrap();
    let again = Commit {
        inbox_done: done("2"),
        ..append(stream(1), 0, &["twice"])
    };

    let refused = store.commit(again).await.unwrap_err();
    assert_eq!(refused, Error::NotPending { inbox: id });
    assert_eq!(texts(store, stream(1)).await, Vec::<String>::new());
    assert_eq!(store.outcome(id).await.unwrap().unwrap(), "1");
}

async fn deliveries_are_decided_together_or_not_at_all(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let ids = [fresh(store, "Ev01").await, fresh(store, "Ev02").await];
    let together = |inboxes: &[InboxId], expected, texts: &[&str]| Commit {
        inbox_done: inboxes
            .iter()
            .map(|inbox| InboxDone {
                inbox: *inbox,
                outcome: format!("outcome of {inbox}"),
            })
            .collect(),
        ..append(stream(1), expected, texts)
    };
    let twice = store.commit(together(&[ids[0], ids[0]], 0, &["twice"])).await;
    assert_eq!(twice.unwrap_err(), Error::NotPending { inbox: ids[0] });
    let unknown = store
        .commit(together(&[ids[0], InboxId(77)], 0, &["unknown"]))
        .await;
    assert_eq!(unknown.unwrap_err(), Error::NotPending { inbox: InboxId(77) });
    assert_eq!(store.depths().await.unwrap().inbox, 2);

    let committed = store.commit(together(&ids, 0, &["a", "b"])).await.unwrap();
    let events = store.events(stream(1), 0, 9).await.unwrap();
    let hashes: Vec<Hash> = events.iter().map(|event| event.seal.hash).collect();
    assert_eq!(committed.hashes, [hashes]);
    assert_eq!(store.depths().await.unwrap().inbox, 0);
    for id in ids {
        let outcome = store.outcome(id).await.unwrap();
        assert_eq!(outcome.as_deref(), Some(format!("outcome of {id}").as_str()));
    }
}

async fn forgotten_deliveries_are_new_again(fixture: Fixture) {
    let store = fixture.store.as_ref();
    for (key, when) in [("old", 0), ("new", 100)] {
        let id = fresh(store, key).await;
        let inbox_done = vec![InboxDone {
            inbox: id,
            outcome: "{}".into(),
        }];
        store
            .commit(Commit {
                at: at(when),
                inbox_done,
                ..Commit::default()
            })
            .await
            .unwrap();
    }
    fresh(store, "waiting").await;
    assert_eq!(store.forget_deliveries(at(50)).await.unwrap(), 1);
    assert!(matches!(
        store.receive(delivery("old")).await.unwrap(),
        Received::Fresh(_)
    ));
    assert!(matches!(
        store.receive(delivery("new")).await.unwrap(),
        Received::Duplicate(..)
    ));
    assert!(matches!(
        store.receive(delivery("waiting")).await.unwrap(),
        Received::Duplicate(..)
    ));
}

async fn many_deliveries_are_forgotten_in_parts(fixture: Fixture) {
    const MANY: usize = 6_000;
    let store = fixture.store.clone();
    let tasks: Vec<_> = (0..MANY)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { fresh(store.as_ref(), &format!("Ev{number}")).await })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap());
    }
    ids.sort();
    let waits = ids.remove(3);
    for some in ids.chunks(limits::MAX_ROWS) {
        let done = some.iter().map(|id| InboxDone {
            inbox: *id,
            outcome: "{}".into(),
        });
        let commit = Commit {
            at: at(0),
            inbox_done: done.collect(),
            ..Commit::default()
        };
        store.commit(commit).await.unwrap();
    }
    let mut forgotten = 0;
    loop {
        match store.forget_deliveries(at(50)).await.unwrap() {
            0 => break,
            part => forgotten += part,
        }
    }
    assert_eq!(forgotten, MANY as u64 - 2, "all but what waits, and the newest");
    let pending = store.pending(InboxId(0), 9).await.unwrap();
    assert_eq!(pending.iter().map(|row| row.id).collect::<Vec<_>>(), [waits]);
    let next = fresh(store.as_ref(), "next").await;
    assert!(ids.iter().all(|id| *id < next), "no id is given out again");
}

async fn a_full_inbox_keeps_a_reserve_for_approvals_and_knows_duplicates(fixture: Fixture) {
    let open = INBOX_BOUND - limits::INBOX_RESERVE;
    let store = fixture.store;
    let tasks: Vec<_> = (0..open)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { fresh(store.as_ref(), &format!("Ev{number}")).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let refused = store.receive(delivery("one more")).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "9500 messages wait for a decision, 9500 is the bound; send this one again in a few seconds"
    );
    assert!(refused.retry());
    assert!(matches!(
        store.receive(delivery("Ev1")).await.unwrap(),
        Received::Duplicate(..)
    ));
    let approval = Delivery {
        urgent: true,
        ..delivery("approval")
    };
    assert!(matches!(
        store.receive(approval).await.unwrap(),
        Received::Fresh(_)
    ));

    for waiting in store.pending(InboxId(0), 2).await.unwrap() {
        let inbox_done = vec![InboxDone {
            inbox: waiting.id,
            outcome: "{}".into(),
        }];
        store
            .commit(Commit {
                inbox_done,
                ..Commit::default()
            })
            .await
            .unwrap();
    }
    assert!(matches!(
        store.receive(delivery("one more")).await.unwrap(),
        Received::Fresh(_)
    ));
}
