//! What every store must do.

use super::*;

macro_rules! contract {
    ($($name:ident,)*) => {
        mod on_memory {
            use super::Fixture;
            $(#[tokio::test] async fn $name() { super::$name(Fixture::memory().await).await; })*
        }
        mod on_sqlite {
            use super::Fixture;
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(Fixture::sqlite().await).await; })*
        }
    };
}

contract! {
    events_come_back_as_they_went_in,
    the_second_of_two_appends_is_told_where_the_stream_is,
    a_commit_on_two_streams_is_kept_whole_or_not_at_all,
    of_many_at_once_one_wins_and_the_others_decide_again,
    hostile_text_comes_back_byte_by_byte,
    a_delivery_is_taken_in_once_whichever_key_comes_twice,
    a_decided_delivery_loses_its_body_and_keeps_its_outcome,
    a_delivery_is_decided_once,
    forgotten_deliveries_are_new_again,
    a_full_inbox_keeps_a_reserve_for_approvals_and_knows_duplicates,
    effects_come_by_lane_then_in_order,
    a_merged_effect_replaces_the_waiting_one_under_a_new_id,
    an_effect_that_is_not_merged_stays_as_it_was_first,
    a_finished_effect_frees_its_key_in_the_same_commit,
    a_retried_effect_waits_and_says_why,
    a_claimed_effect_is_still_due_after_a_restart,
    effects_of_busy_channels_are_left_out,
    timers_are_set_moved_and_cleared,
    a_target_is_held_by_one_attempt_and_the_refusal_names_it,
    a_lock_is_given_back_by_its_holder_only,
    posts_are_found_by_slot_and_by_message,
    lists_need_no_journal,
    a_file_is_kept_once,
    the_room_log_keeps_earlier_versions,
    a_redaction_removes_the_original_and_the_chain_still_verifies,
    redacting_an_event_that_is_not_there_changes_nothing,
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

    let nul = store.receive(delivery("a\0b")).await.unwrap_err();
    assert_eq!(
        nul.to_string(),
        "the delivery key contains the character U+0000; please report this, nothing was written"
    );
    assert!(verify(store, None).await.unwrap().sound());
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

async fn a_decided_delivery_loses_its_body_and_keeps_its_outcome(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let id = fresh(store, "Ev01").await;
    let waiting = store.pending(InboxId(0), 9).await.unwrap();
    assert_eq!(waiting[0].body, "body of Ev01");
    assert_eq!((waiting[0].id, waiting[0].received), (id, at(0)));
    assert_eq!(store.outcome(id).await.unwrap(), None);

    let mut commit = append(stream(1), 0, &["opened"]);
    commit.inbox_done = Some(InboxDone {
        inbox: id,
        outcome: "{\"opened\":1}".into(),
    });
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
        Some(InboxDone {
            inbox: id,
            outcome: outcome.into(),
        })
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

async fn forgotten_deliveries_are_new_again(fixture: Fixture) {
    let store = fixture.store.as_ref();
    for (key, when) in [("old", 0), ("new", 100)] {
        let id = fresh(store, key).await;
        let inbox_done = Some(InboxDone {
            inbox: id,
            outcome: "{}".into(),
        });
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

async fn a_full_inbox_keeps_a_reserve_for_approvals_and_knows_duplicates(fixture: Fixture) {
    let open = limits::INBOX_BOUND - limits::INBOX_RESERVE;
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
        let inbox_done = Some(InboxDone {
            inbox: waiting.id,
            outcome: "{}".into(),
        });
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

async fn keys(store: &dyn Store, now: i64, busy: &[String]) -> Vec<String> {
    let due = store.due_effects(at(now), busy, 99).await.unwrap();
    due.into_iter().map(|stored| stored.effect.key).collect()
}

async fn effects_come_by_lane_then_in_order(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let in_lane = |key, lane| NewEffect { lane, ..effect(key) };
    let all = vec![
        in_lane("chat", Lane::Chatty),
        in_lane("card", Lane::Normal),
        in_lane("page", Lane::Urgent),
        in_lane("room", Lane::Normal),
    ];
    let ids = store.commit(effects(all)).await.unwrap().effects;
    store
        .commit(effects(vec![in_lane("later page", Lane::Urgent)]))
        .await
        .unwrap();

    assert_eq!(
        keys(store, 99, &[]).await,
        ["page", "later page", "card", "room", "chat"]
    );
    let first = &store.due_effects(at(99), &[], 1).await.unwrap()[0];
    assert_eq!(
        (first.id, first.effect.lane, first.created),
        (ids[2], Lane::Urgent, at(10))
    );
    let depths = store.depths().await.unwrap();
    assert_eq!((depths.outbox, depths.oldest_effect), (5, Some(at(10))));
    store
        .commit(Commit {
            effects_done: ids,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(keys(store, 99, &[]).await, ["later page"]);
}

async fn a_merged_effect_replaces_the_waiting_one_under_a_new_id(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let card = |body: &str| NewEffect {
        merge: true,
        body: body.into(),
        ..effect("card")
    };
    let old = store
        .commit(effects(vec![card("one open step")]))
        .await
        .unwrap()
        .effects;
    let new = store
        .commit(effects(vec![card("two open steps")]))
        .await
        .unwrap()
        .effects;

    let due = store.due_effects(at(99), &[], 9).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(
        (due[0].id, due[0].effect.body.as_str()),
        (new[0], "two open steps")
    );
    // Somebody was just performing the old one.
    store
        .commit(Commit {
            effects_done: old,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(keys(store, 99, &[]).await, ["card"]);
}

async fn an_effect_that_is_not_merged_stays_as_it_was_first(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let post = |body: &str| NewEffect {
        body: body.into(),
        ..effect("inc-7/12/0")
    };
    store.commit(effects(vec![post("first")])).await.unwrap();
    store.commit(effects(vec![post("second")])).await.unwrap();
    let due = store.due_effects(at(99), &[], 9).await.unwrap();
    assert_eq!(
        due.iter()
            .map(|stored| stored.effect.body.as_str())
            .collect::<Vec<_>>(),
        ["first"]
    );
}

async fn a_finished_effect_frees_its_key_in_the_same_commit(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let first = store
        .commit(effects(vec![effect("digest")]))
        .await
        .unwrap()
        .effects;
    let next = Commit {
        effects_done: first.clone(),
        ..effects(vec![effect("digest")])
    };
    let second = store.commit(next).await.unwrap().effects;
    assert_ne!(first, second);
    assert_eq!(store.due_effects(at(99), &[], 9).await.unwrap()[0].id, second[0]);
}

async fn a_retried_effect_waits_and_says_why(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let id = store.commit(effects(vec![effect("post")])).await.unwrap().effects[0];
    let claim = Commit {
        at: at(11),
        effects_claimed: vec![id],
        ..Commit::default()
    };
    store.commit(claim).await.unwrap();
    let retry = EffectRetry {
        effect: id,
        not_before: at(60),
        error: "429, retry after 48 s".into(),
    };
    store
        .commit(Commit {
            effects_retry: vec![retry],
            ..Commit::default()
        })
        .await
        .unwrap();

    assert_eq!(keys(store, 59, &[]).await, Vec::<String>::new());
    assert_eq!(store.next_effect(at(59)).await.unwrap(), Some(at(60)));
    assert_eq!(store.next_effect(at(60)).await.unwrap(), None);
    let due = store.due_effects(at(60), &[], 9).await.unwrap();
    assert_eq!((due[0].attempts, due[0].claimed), (1, None));
    assert_eq!(due[0].last_error.as_deref(), Some("429, retry after 48 s"));
}

async fn a_claimed_effect_is_still_due_after_a_restart(mut fixture: Fixture) {
    let id = fixture
        .store
        .commit(effects(vec![effect("attempt")]))
        .await
        .unwrap()
        .effects[0];
    let claim = Commit {
        at: at(11),
        effects_claimed: vec![id],
        ..Commit::default()
    };
    fixture.store.commit(claim).await.unwrap();
    fixture.restart().await;
    let due = fixture.store.due_effects(at(12), &[], 9).await.unwrap();
    assert_eq!((due[0].id, due[0].claimed), (id, Some(at(11))));
    // Ids of effects that still wait are not given out again.
    let next = fixture
        .store
        .commit(effects(vec![effect("next")]))
        .await
        .unwrap()
        .effects[0];
    assert_ne!(next, id);
}

async fn effects_of_busy_channels_are_left_out(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let elsewhere = NewEffect {
        channel: "slack/T1/C2".into(),
        ..effect("elsewhere")
    };
    store
        .commit(effects(vec![effect("here"), elsewhere]))
        .await
        .unwrap();
    assert_eq!(keys(store, 99, &["slack/T1/C1".into()]).await, ["elsewhere"]);
    assert_eq!(
        keys(store, 99, &["slack/T1/C1".into(), "slack/T1/C2".into()]).await,
        Vec::<String>::new()
    );
}

async fn timers_are_set_moved_and_cleared(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let timer = |number, key: &str, due| Timer {
        stream: stream(number),
        key: key.into(),
        due: at(due),
        body: "{}".into(),
    };
    let timers_set = vec![
        timer(1, "update", 30),
        timer(1, "nudge", 20),
        timer(2, "update", 10),
    ];
    store
        .commit(Commit {
            timers_set,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(store.next_timer().await.unwrap(), Some(at(10)));
    assert_eq!(
        store.due_timers(at(20), 9).await.unwrap(),
        [timer(2, "update", 10), timer(1, "nudge", 20)]
    );
    assert_eq!(store.due_timers(at(20), 1).await.unwrap().len(), 1);

    let change = Commit {
        timers_cleared: vec![(stream(1), "update".into()), (stream(2), "update".into())],
        timers_set: vec![timer(1, "update", 40), timer(1, "nudge", 25)],
        ..Commit::default()
    };
    store.commit(change).await.unwrap();
    assert_eq!(
        store.timers(stream(1)).await.unwrap(),
        [timer(1, "nudge", 25), timer(1, "update", 40)]
    );
    assert_eq!(store.timers(stream(2)).await.unwrap(), []);
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
    }
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
    store
        .commit(log(vec![
            said("m1", 4, Some("all orders hang")),
            said("m1", 5, None),
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
    let inbox = fresh(store, "Ev01").await;
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
    ];
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
