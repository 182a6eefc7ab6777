//! Events, and what holds for the store as a whole.

use crate::store::tests::*;

contract! {
    events_come_back_as_they_went_in,
    the_second_of_two_appends_is_told_where_the_stream_is,
    a_commit_on_two_streams_is_kept_whole_or_not_at_all,
    what_was_written_before_an_event_of_another_stream_is_found,
    of_many_at_once_one_wins_and_the_others_decide_again,
    hostile_text_comes_back_byte_by_byte,
    a_snapshot_is_replaced,
    what_is_too_large_is_refused_by_name,
    everything_survives_a_restart,
    a_closed_store_says_so,
}

async fn events_come_back_as_they_went_in(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let done = store.commit(append(stream(7), 0, &["one", "two"])).await.unwrap();
    let stored = store.events(stream(7), 0, 10).await.unwrap();

    assert_eq!(stored.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(stored[0].event, event("one"));
    assert_eq!(stored[0].seal.previous, chain::genesis(stream(7)));
    assert_eq!(stored[1].seal.previous, stored[0].seal.hash);
    assert_eq!(
        done.heads,
        [Head {
            stream: stream(7),
            seq: 2,
            hash: stored[1].seal.hash
        }]
    );
    assert_eq!(store.head(stream(7)).await.unwrap(), done.heads[0]);
    assert_eq!(store.head(Stream::Desk).await.unwrap(), Head::empty(Stream::Desk));
    assert_eq!(store.events(stream(7), 1, 10).await.unwrap(), stored[1..]);
    assert_eq!(store.events(stream(7), 0, 1).await.unwrap(), stored[..1]);
    assert_eq!(store.streams().await.unwrap(), [stream(7)]);
}

async fn the_second_of_two_appends_is_told_where_the_stream_is(fixture: Fixture) {
    let store = fixture.store.as_ref();
    store.commit(append(stream(7), 0, &["first"])).await.unwrap();
    let second = store.commit(append(stream(7), 0, &["second"])).await.unwrap_err();

    assert_eq!(
        second,
        Error::Conflict {
            stream: stream(7),
            expected: 0,
            found: 1
        }
    );
    assert_eq!(
        second.to_string(),
        "inc-7 is at event 1, the decision was made on event 0; decide again on the new state"
    );
    assert!(!second.retry());
    store
        .commit(append(stream(7), 1, &["second, decided again"]))
        .await
        .unwrap();
    assert_eq!(texts(store, stream(7)).await, ["first", "second, decided again"]);
}

async fn a_commit_on_two_streams_is_kept_whole_or_not_at_all(fixture: Fixture) {
    let store = fixture.store.as_ref();
    store.commit(append(Stream::Desk, 0, &["desk"])).await.unwrap();
    let mut both = append(stream(7), 0, &["incident"]);
    both.appends
        .extend(append(Stream::Desk, 0, &["too late"]).appends);
    both.effects = vec![effect("a")];

    assert!(matches!(
        store.commit(both.clone()).await,
        Err(Error::Conflict {
            stream: Stream::Desk,
            ..
        })
    ));
    assert_eq!(store.streams().await.unwrap(), [Stream::Desk]);
    assert_eq!(store.due_effects(at(99), &[], 9).await.unwrap(), []);

    both.appends[1].expected = 1;
    assert_eq!(store.commit(both).await.unwrap().heads.len(), 2);
    assert_eq!(texts(store, Stream::Desk).await, ["desk", "too late"]);
    assert_eq!(texts(store, stream(7)).await, ["incident"]);
}

async fn what_was_written_before_an_event_of_another_stream_is_found(mut fixture: Fixture) {
    let store = fixture.store.as_ref();
    store.commit(append(stream(7), 0, &["alone"])).await.unwrap();
    let mut both = append(Stream::Desk, 0, &["one", "two"]);
    both.appends.extend(append(stream(7), 1, &["with them"]).appends);
    store.commit(both).await.unwrap();
    store.commit(append(Stream::Desk, 2, &["three"])).await.unwrap();
    store.commit(append(stream(7), 2, &["last"])).await.unwrap();
    fixture.restart().await;

    let store = fixture.store.as_ref();
    for (seq, desk) in [(1, 0), (2, 2), (3, 3)] {
        assert_eq!(
            store.written_before(Stream::Desk, stream(7), seq).await.unwrap(),
            desk,
            "#{seq}"
        );
    }
    assert_eq!(store.written_before(stream(9), stream(7), 3).await.unwrap(), 0);
}

async fn of_many_at_once_one_wins_and_the_others_decide_again(fixture: Fixture) {
    let store = fixture.store;
    let callers: Vec<_> = (0..16)
        .map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                loop {
                    let head = store.head(stream(1)).await.unwrap();
                    match store
                        .commit(append(stream(1), head.seq, &[&format!("caller {caller}")]))
                        .await
                    {
                        Ok(_) => return,
                        Err(Error::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut all = texts(store.as_ref(), stream(1)).await;
    all.sort();
    let mut expected: Vec<String> = (0..16).map(|caller| format!("caller {caller}")).collect();
    expected.sort();
    assert_eq!(all, expected);
    assert!(verify(store.as_ref(), None).await.unwrap().sound());
}

async fn hostile_text_comes_back_byte_by_byte(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let hostile = "'; DROP TABLE events; -- \u{202e}\u{7}\u{1f}\"\\ ☃ 🦀\r\n".repeat(2_000);
    store
        .commit(append(stream(1), 0, &[&hostile, "\u{0}"]))
        .await
        .unwrap();
    assert_eq!(texts(store, stream(1)).await, [hostile.as_str(), "\u{0}"]);

    let mut message = delivery("hostile");
    message.body = hostile.clone();
    store.receive(message).await.unwrap();
    assert_eq!(store.pending(InboxId(0), 9).await.unwrap()[0].body, hostile);

    fresh(store, "a\0b").await;
    assert!(matches!(
        store.receive(delivery("a\0b")).await.unwrap(),
        Received::Duplicate(..)
    ));
    fresh(store, "a\0c").await;
    assert!(verify(store, None).await.unwrap().sound());
}

async fn a_snapshot_is_replaced(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let snapshot = |seq| Snapshot {
        stream: Stream::Desk,
        seq,
        version: 3,
        bytes: vec![0, 255, 7],
    };
    assert_eq!(store.snapshot(Stream::Desk).await.unwrap(), None);
    store.put_snapshot(snapshot(5)).await.unwrap();
    store.put_snapshot(snapshot(9)).await.unwrap();
    assert_eq!(store.snapshot(Stream::Desk).await.unwrap(), Some(snapshot(9)));
}

async fn what_is_too_large_is_refused_by_name(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let long = store
        .commit(append(stream(1), 0, &[&"x".repeat(limits::MAX_PAYLOAD)]))
        .await
        .unwrap_err();
    assert_eq!(
        long.to_string(),
        "the payload of an event is 1048587 bytes long, 1048576 is the limit; shorten it or attach it as a file"
    );
    let zero = store.commit(append(stream(0), 0, &["x"])).await.unwrap_err();
    assert_eq!(
        zero.to_string(),
        "inc-0 is no stream; incidents count from 1; please report this, nothing was written"
    );
    let mut early = append(stream(1), 0, &["x"]);
    early.appends[0].events[0].occurred = DateTime::from_timestamp(-99_999_999_999, 0).unwrap();
    assert!(
        store
            .commit(early)
            .await
            .unwrap_err()
            .to_string()
            .contains("outside the years 1678 to 2261")
    );
    assert_eq!(store.streams().await.unwrap(), []);
}

async fn everything_survives_a_restart(mut fixture: Fixture) {
    let store = fixture.store.as_ref();
    let inbox = fresh(store, "Ev01").await;
    let mut commit = append(stream(7), 0, &["one", "two"]);
    commit.effects = vec![effect("a")];
    commit.locks_taken = vec![lock("odoo-prod", 7)];
    commit.timers_set = vec![Timer {
        stream: stream(7),
        key: "t".into(),
        due: at(1),
        body: "{}".into(),
    }];
    let head = store.commit(commit).await.unwrap().heads[0];
    fixture.restart().await;

    let store = fixture.store.as_ref();
    assert_eq!(store.head(stream(7)).await.unwrap(), head);
    assert_eq!(store.pending(InboxId(0), 9).await.unwrap()[0].id, inbox);
    assert!(matches!(
        store.commit(append(stream(7), 0, &["x"])).await,
        Err(Error::Conflict { found: 2, .. })
    ));
    let taken = Commit {
        locks_taken: vec![lock("odoo-prod", 8)],
        ..Commit::default()
    };
    assert!(matches!(store.commit(taken).await, Err(Error::Locked { .. })));
    assert_eq!(store.due_timers(at(1), 9).await.unwrap().len(), 1);
    assert_eq!(keys(store, 99, &[]).await, ["a"]);
    assert!(fresh(store, "Ev02").await > inbox);
}

async fn a_closed_store_says_so(fixture: Fixture) {
    let store = fixture.store.as_ref();
    store.close().await.unwrap();
    assert_eq!(store.receive(delivery("Ev01")).await, Err(Error::Stopped));
    assert_eq!(store.head(Stream::Desk).await, Err(Error::Stopped));
    assert_eq!(
        Error::Stopped.to_string(),
        "the store is closed; start the program again"
    );
}
