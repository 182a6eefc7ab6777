//! A platform that cannot be reached holds up its own rooms and no others, and is caught up when it is back.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::kit::*;
use super::rooms::*;
use crate::incident::*;

#[tokio::test]
async fn a_platform_that_is_away_holds_nobody_else_up_and_is_caught_up_in_order() {
    for away_is_slack in [true, false] {
        let house = on_both().await;
        let (away, there) = match away_is_slack {
            true => (house.slack(), &*house.chat),
            false => (&*house.chat, house.slack()),
        };
        away.down.store(true, Ordering::SeqCst);
        for at in 0..5 {
            house.does("ana", note(&format!("word {at}"))).await;
            house.later(TimeDelta::seconds(40)).await;
            let heard = there.notices("inc-1");
            assert!(
                heard.iter().any(|notice| notice.ends_with(&format!("word {at}"))),
                "{heard:?}"
            );
        }
        away.down.store(false, Ordering::SeqCst);
        house.later(TimeDelta::minutes(2)).await;
        let caught_up = away.notices("inc-1");
        let words: Vec<_> = caught_up
            .iter()
            .filter(|notice| notice.contains("word"))
            .collect();
        assert_eq!(words.len(), 5, "each once: {caught_up:?}");
        assert!(words.is_sorted(), "{words:?}");
        assert_eq!(house.waits_in_outbox().await, 0);
    }
}

#[tokio::test]
async fn what_comes_while_a_platform_comes_back_does_not_overtake_what_waits() {
    let house = on_both().await;
    house.slack().down.store(true, Ordering::SeqCst);
    house.does("ana", note("first")).await;
    for _ in 0..10 {
        house.later(TimeDelta::seconds(45)).await;
    }
    let gone = Request::MessageEdited {
        message: at(slack_room("inc-1"), "nothing"),
        text: "nothing".to_owned(),
        at: start(),
    };
    house.does("ana", gone).await;
    assert_eq!(house.count(1, "platform_back").await, 0, "nothing got through");
    house.slack().down.store(false, Ordering::SeqCst);
    house.does("ana", note("second")).await;
    house.later(TimeDelta::minutes(2)).await;
    let words: Vec<_> = house.slack().notices("inc-1");
    let place = |word: &str| words.iter().position(|notice| notice.ends_with(word));
    assert!(
        place("first") < place("second") && place("first").is_some(),
        "{words:?}"
    );
}

#[tokio::test]
async fn the_only_platform_there_is_shows_elsewhere_as_away_until_it_is_back() {
    let house = House::new().await;
    house.framed().await;
    let away = || -> Vec<String> {
        let unreached = house.engine.unreached().into_iter();
        unreached.map(|away| away.platform).collect()
    };
    house.chat.down.store(true, Ordering::SeqCst);
    house.does("ana", note("one")).await;
    house.later(TimeDelta::minutes(1)).await;
    assert_eq!(away(), Vec::<String>::new(), "a hiccup is not shown");
    let mut list = house.engine.list_changes();
    list.mark_unchanged();
    for _ in 0..4 {
        house.later(TimeDelta::minutes(1)).await;
    }
    assert_eq!(away(), ["local"]);
    assert!(
        list.has_changed().expect("an engine"),
        "whoever looks is shown it"
    );
    list.mark_unchanged();
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(away(), Vec::<String>::new());
    assert!(list.has_changed().expect("an engine"));
}

#[tokio::test]
async fn the_others_are_told_when_a_platform_is_away_for_long_and_when_it_is_back() {
    let house = on_both().await;
    house.slack().down.store(true, Ordering::SeqCst);
    house.does("ana", note("one")).await;
    house.later(TimeDelta::minutes(1)).await;
    assert_eq!(house.count(1, "platform_lost").await, 0, "a hiccup is not told");
    for _ in 0..4 {
        house.later(TimeDelta::minutes(1)).await;
    }
    assert_eq!(house.count(1, "platform_lost").await, 1);
    let told =
        |chat: &TestChat, what: &str| chat.notices("inc-1").iter().any(|notice| notice.ends_with(what));
    assert!(told(&house.chat, "platform_lost"));
    house.does("ana", retitle("It goes on")).await;
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert!(told(&house.chat, "platform_back") && told(house.slack(), "platform_back"));
    assert!(
        !told(house.slack(), "platform_lost"),
        "nobody there could have read it"
    );
    assert_eq!(
        house.slack().one("inc-1", "card"),
        "card of INC-1: It goes on, contain, Open"
    );
    assert_eq!(house.state(1).await.lost.len(), 0);
}

#[tokio::test]
async fn after_a_long_outage_only_the_room_that_missed_it_gets_a_digest() {
    let house = on_both().await;
    house.slack().down.store(true, Ordering::SeqCst);
    for at in 0..20 {
        house.does("ana", note(&at.to_string())).await;
        house.later(TimeDelta::minutes(1)).await;
    }
    house.later(TimeDelta::minutes(12)).await;
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    house.slack().one("inc-1", "digest of #");
    assert!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .all(|text| !text.starts_with("digest"))
    );
    assert_eq!(
        house
            .chat
            .notices("inc-1")
            .iter()
            .filter(|text| text.contains("noted"))
            .count(),
        20
    );
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_an_outage_changes_nothing() {
    let house = on_both().await;
    house.slack().down.store(true, Ordering::SeqCst);
    for at in 0..3 {
        house.does("ana", note(&format!("word {at}"))).await;
        house.later(TimeDelta::minutes(1)).await;
    }
    let house = house.again().await;
    house.slack().down.store(false, Ordering::SeqCst);
    house.does("ana", note("word 3")).await;
    house.later(TimeDelta::minutes(2)).await;
    let notices = house.slack().notices("inc-1");
    let words: Vec<_> = notices.iter().filter(|notice| notice.contains("word")).collect();
    assert_eq!(words.len(), 4, "{notices:?}");
    assert!(words.is_sorted(), "{words:?}");
}
