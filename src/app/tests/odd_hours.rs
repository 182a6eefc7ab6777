//! What people type at three in the morning: to the wrong place, about the wrong thing, one word short.

use super::*;

#[tokio::test]
async fn whoever_hands_their_role_over_hands_over_their_own() {
    let bot = Bot::opened().await;
    bot.says("ana", "take commander").await;
    bot.says("ana", "role assign deputy @ben").await;
    insta::assert_snapshot!(bot.refused("cleo", "handover @dan").await, @"You hold no role here, so there is none of yours to hand over. Name the role; /incident roles shows who has which.");
    bot.says("ben", "handover @cleo").await;
    let state = bot.state().await;
    let holds = |role, name: &str| state.holds(role, &crate::incident::PersonId::new(name));
    assert!(holds(crate::incident::Role::Commander, "ana"));
    assert!(holds(crate::incident::Role::Deputy, "cleo"));
    bot.says("ana", "take scribe").await;
    insta::assert_snapshot!(bot.refused("ana", "handover @dan").await, @"You hold commander and scribe. Name the role to hand over.");
    bot.says("ana", "handover @dan scribe").await;
}

#[tokio::test]
async fn of_a_duplicate_nothing_is_a_duplicate() {
    let bot = Bot::opened().await;
    for title in ["Labels are late", "Labels are gone"] {
        bot.types("ana", &format!("open {title}")).await;
    }
    bot.says("ana", "duplicate INC-2").await;
    let marks = |line: &'static str| {
        let bot = &bot;
        async move {
            let verdict = bot.types("ana", line).await;
            (verdict.accepted, verdict.message.fallback)
        }
    };
    let (done, words) = marks("INC-2 duplicate INC-1").await;
    insta::assert_snapshot!(words, @"INC-1 is over (duplicate of INC-2), so nobody works on it. Name the one that is worked on: /incident list shows them.");
    assert!(!done, "both would be over, and nobody left with either");
    assert!(marks("INC-3 duplicate INC-2").await.0);
    assert!(marks("INC-2 cancel a test").await.0);
}

#[tokio::test]
async fn of_two_that_name_each_other_in_one_instant_one_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("orderly.sqlite");
    let bot = Bot::kept("", super::super::Keeping::File(journal)).await;
    for title in ["Labels do not print", "Labels are late"] {
        bot.types("ana", &format!("open {title}")).await;
    }
    let engine = &bot.app.engine;
    // Both are on the disk before either is looked at, and the disk is slower than looking.
    let (first, second) = tokio::join!(
        engine.take(bot.delivery("ana", "INC-1 duplicate INC-2")),
        engine.take(bot.delivery("ben", "INC-2 duplicate INC-1")),
    );
    let decided = async |taken: Result<Option<u64>, crate::chat::Refused>| {
        engine
            .decided(taken.expect("room in the inbox").expect("a command"))
            .await
    };
    let (first, second) = (decided(first).await, decided(second).await);
    bot.quiet().await;
    assert!(first.accepted != second.accepted, "{first:#?} {second:#?}");
    let refused = if first.accepted { second } else { first };
    let words = refused.message.fallback;
    assert!(
        words.contains("so nobody works on it. Name the one that is worked on"),
        "{words}"
    );
}

#[tokio::test]
async fn what_was_masked_reaches_no_system_however_it_was_typed() {
    let bot = Bot::opened().await;
    for line in [
        "propose http.job.pause job=AKIAIOSFODNN7EXAMPLE reason=x",
        "probe run http.latency url=AKIAIOSFODNN7EXAMPLE",
        "step run contain.3 job=AKIAIOSFODNN7EXAMPLE",
    ] {
        let refused = bot.refused("ana", line).await;
        assert!(
            refused.starts_with("That argument looks like a secret"),
            "{line}: {refused}"
        );
    }
    bot.says("ana", "note the key AKIAIOSFODNN7EXAMPLE was posted")
        .await;
}

#[tokio::test]
async fn an_update_and_when_the_next_one_follows_are_two_sentences() {
    let bot = Bot::opened().await;
    bot.says("ana", "update send Posting is stopped next=30m").await;
    let told = bot.told("Update from").await;
    assert!(
        told.starts_with("Update from Ana Ruiz: Posting is stopped. Next update 2026-11-16 14:30"),
        "{told}"
    );
    bot.says("ana", "update send \"Is it over?\" next=30m").await;
    let shown = bot.shows(ROOM).await;
    assert!(
        shown.iter().any(|text| text.contains("Is it over? Next update")),
        "{shown:#?}"
    );
}

#[tokio::test]
async fn everything_that_is_said_of_a_drill_says_that_it_is_one() {
    let bot = Bot::idle().await;
    let opened = bot.says("ana", "drill Warehouse stands severity=SEV2").await;
    assert!(opened.starts_with("DRILL · INC-1 is open"), "{opened}");
    for line in [
        "take commander",
        "page @ben come here",
        "invite @cleo",
        "update send all is well next=30m",
        "frame down label printing works=rest who=all impact=much since=5m",
        "note we go on",
    ] {
        bot.says("ana", line).await;
    }
    let mut shown = Vec::new();
    for room in ["drill-inc-1", "@ben", "@cleo", "lobby"] {
        shown.extend(bot.shows(room).await);
    }
    assert!(shown.len() > 8, "{shown:#?}");
    for said in shown {
        assert!(said.starts_with("DRILL"), "{said}");
    }
}
