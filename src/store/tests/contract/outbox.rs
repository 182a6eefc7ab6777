//! Effects and timers.

use crate::store::tests::*;

contract! {
    effects_come_by_lane_then_in_order,
    a_merged_effect_replaces_the_waiting_one_under_a_new_id,
    an_effect_that_is_not_merged_stays_as_it_was_first,
    a_finished_effect_frees_its_key_in_the_same_commit,
    a_retried_effect_waits_and_says_why,
    a_claimed_effect_is_still_due_after_a_restart,
    effects_of_busy_channels_are_left_out,
    effects_are_read_by_their_ids_in_the_order_of_work,
    timers_are_set_moved_and_cleared,
}

async fn effects_are_read_by_their_ids_in_the_order_of_work(fixture: Fixture) {
    let store = fixture.store.as_ref();
    let later = NewEffect {
        not_before: Some(at(60)),
        ..effect("later")
    };
    let page = NewEffect {
        lane: Lane::Urgent,
        ..effect("page")
    };
    let ids = store
        .commit(effects(vec![
            later,
            effect("not asked for"),
            page,
            effect("done"),
        ]))
        .await
        .unwrap()
        .effects;
    let done = Commit {
        effects_done: vec![ids[3]],
        ..Commit::default()
    };
    store.commit(done).await.unwrap();
    let read = store.effects(&[ids[0], ids[3], ids[2]]).await.unwrap();
    let read: Vec<_> = read
        .iter()
        .map(|stored| (stored.id, &*stored.effect.key))
        .collect();
    assert_eq!(read, [(ids[2], "page"), (ids[0], "later")]);
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
