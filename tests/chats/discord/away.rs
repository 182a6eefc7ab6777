//! What happened while nobody listened: read from the room's history and its threads, and filed once.

use std::time::Duration;

use orderly::incident::Event;

use super::kit::House;
use crate::kept::{journal, said, standing, to_do};

/// Nobody listens while this happens; afterwards the rooms have been read again, and then once more.
async fn while_away(house: House, happens: impl FnOnce(&House)) -> House {
    house.discord.hold_events();
    happens(&house);
    let house = house.restarted().await;
    read_again(&house).await;
    let house = house.restarted().await;
    read_again(&house).await;
    house
}

/// Time passes where Discord allows no more calls for now.
async fn read_again(house: &House) {
    let discord = house.app.discord.clone().expect("a server");
    let waiting = house.clock.waiting();
    let reading = tokio::spawn(discord.catch_up());
    while !reading.is_finished() {
        tokio::task::yield_now().await;
        if house.clock.waiting() > waiting {
            house.advance(Duration::from_millis(250));
        }
    }
    reading.await.expect("a reading");
    house.app.engine.quiet().await;
}

async fn opened() -> (House, String) {
    let house = House::open().await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    (house, room)
}

fn once(text: &str) -> [Option<String>; 1] {
    [Some(text.to_owned())]
}

fn gone(text: &str) -> [Option<String>; 2] {
    [Some(text.to_owned()), None]
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_filed_as_deleted_and_its_time_as_unknown() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let lost = ben.says(&room, "password on the screen");
    let stays = ben.says(&room, "the printer is fine");
    let headed = ben.says(&room, "here is why");
    let thread = ben.opens_thread(&room, &headed, "why");
    let reply = ben.says(&thread, "because of the driver");
    let taken_back = ben.says(&thread, "or not");
    let other = ben.opens_thread(&room, &stays, "aside");
    let with_it = ben.says(&other, "goes with its thread");
    ana.reacts(&room, &lost, "📌");
    ana.reacts(&room, &stays, "📌");
    house.settled().await;
    assert_eq!(standing(&house.app).await.len(), 2);
    let house = while_away(house, |_| {
        ben.deletes(&room, &lost);
        ben.deletes(&thread, &taken_back);
        ben.deletes_channel(&other);
    })
    .await;
    assert_eq!(said(&house.app, &lost).await, gone("password on the screen"));
    assert_eq!(said(&house.app, &stays).await, once("the printer is fine"));
    let in_thread = |message: &str| format!("{thread}/{message}");
    assert_eq!(said(&house.app, &in_thread(&taken_back)).await, gone("or not"));
    assert_eq!(
        said(&house.app, &in_thread(&reply)).await,
        once("because of the driver")
    );
    assert_eq!(
        said(&house.app, &format!("{other}/{with_it}")).await,
        gone("goes with its thread")
    );
    assert_eq!(standing(&house.app).await, ["the printer is fine"]);
    let journal = journal(&house.app).await;
    let unmarked = journal.iter().find_map(|recorded| match &recorded.event {
        Some(Event::MessageUnmarked { why, .. }) => Some((recorded.source.as_str(), why.as_str())),
        _ => None,
    });
    let (source, why) = unmarked.expect("taken off the timeline");
    assert_eq!(source, "history");
    assert!(why.contains("not known exactly"), "{why}");
    // Discord's own word of it comes late, and changes nothing.
    house.discord.let_events_go(false);
    house.settled().await;
    assert_eq!(said(&house.app, &lost).await.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn what_was_edited_meanwhile_is_filed_once_at_its_own_time() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let known = ben.says(&room, "it began at 13:00");
    ana.reacts(&room, &known, "📌");
    house.settled().await;
    let mut unheard = String::new();
    let house = while_away(house, |house| {
        ben.edits(&room, &known, "it began at 14:00");
        unheard = ben.says(&room, "and nobody herd this");
        ben.edits(&room, &unheard, "and nobody heard this");
        house.advance(Duration::from_secs(600));
    })
    .await;
    let edited = |first: &str, then: &str| [Some(first.to_owned()), Some(then.to_owned())];
    assert_eq!(
        said(&house.app, &known).await,
        edited("it began at 13:00", "it began at 14:00")
    );
    assert_eq!(said(&house.app, &unheard).await, once("and nobody heard this"));
    assert_eq!(standing(&house.app).await, ["it began at 14:00"]);
    let changed = journal(&house.app)
        .await
        .into_iter()
        .find(|recorded| matches!(recorded.event, Some(Event::MessageChanged { .. })));
    let changed = changed.expect("a changed mark");
    assert!(
        changed.recorded - changed.occurred > chrono::TimeDelta::minutes(9),
        "at the time of the edit and not of the reading: {changed:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn reactions_that_came_and_went_meanwhile_are_filed_once() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let taken_back = ben.says(&room, "maybe the driver");
    let both = ben.says(&room, "certainly the driver");
    let by_menu = ben.says(&room, "the driver is from Monday");
    let thread = ben.opens_thread(&room, &both, "driver");
    let added = ben.says(&thread, "the new driver");
    let again = ben.says(&room, "the old one works");
    for message in [&taken_back, &both, &again] {
        ana.reacts(&room, message, "📌");
    }
    ben.reacts(&room, &both, "📌");
    let picked = ana.uses("Add to timeline", &room, &by_menu);
    house.answered(&picked).await;
    house.settled().await;
    ana.unreacts(&room, &again, "📌");
    house.settled().await;
    let house = while_away(house, |_| {
        ana.unreacts(&room, &taken_back, "📌");
        ana.unreacts(&room, &both, "📌");
        ana.reacts(&thread, &added, "📌");
        ana.reacts(&room, &again, "📌");
    })
    .await;
    let wanted = [
        "certainly the driver",
        "the driver is from Monday",
        "the new driver",
        "the old one works",
    ];
    assert_eq!(standing(&house.app).await, wanted);
    let events = journal(&house.app).await.len();
    house.discord.let_events_go(true);
    house.settled().await;
    assert_eq!(standing(&house.app).await, wanted);
    assert_eq!(journal(&house.app).await.len(), events, "nothing is filed twice");
    house.close().await;
}

#[tokio::test]
async fn who_reacted_is_asked_only_where_something_stands_or_stood() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let marked = ben.says(&room, "the printer is on fire");
    for text in ["yes", "no", "both"] {
        ben.says(&room, text);
    }
    ana.reacts(&room, &marked, "📌");
    house.settled().await;
    let before = house.discord.calls_of("list_message_reactions_by_emoji").len();
    read_again(&house).await;
    let asked = house.discord.calls_of("list_message_reactions_by_emoji").len();
    assert_eq!(asked - before, 1);
    house.close().await;
}

#[tokio::test]
async fn folded_threads_are_read_too_also_private_ones_and_long_lists_of_them() {
    let (house, room) = opened().await;
    let ben = house.person("ben");
    let private = ben.opens_private_thread(&room, "salaries");
    let heard = ben.says(&private, "only for us");
    house.settled().await;
    let mut unheard = Vec::new();
    let house = while_away(house, |house| {
        let more = ben.says(&private, "and this, too");
        unheard.push((private.clone(), more, "and this, too".to_owned()));
        ben.archives(&private);
        for number in 0..103 {
            house.advance(Duration::from_secs(1));
            let text = format!("about label {number}");
            let on = ben.says(&room, &text);
            let thread = ben.opens_thread(&room, &on, "label");
            let text = format!("in thread {number}");
            unheard.push((thread.clone(), ben.says(&thread, &text), text));
            ben.archives(&thread);
        }
    })
    .await;
    assert_eq!(
        said(&house.app, &format!("{private}/{heard}")).await,
        once("only for us")
    );
    for (thread, message, text) in &unheard {
        assert_eq!(said(&house.app, &format!("{thread}/{message}")).await, once(text));
    }
    house.close().await;
}

#[tokio::test]
async fn what_reactions_made_is_taken_back_when_they_are_gone_meanwhile() {
    let (house, room) = opened().await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let gone = ben.says(&room, "call the carrier");
    let both = ben.says(&room, "check the driver");
    let taken = ben.says(&room, "look at the queue");
    let by_hand = ben.says(&room, "ask the vendor");
    for message in [&gone, &both, &taken, &by_hand] {
        ana.reacts(&room, message, "✅");
        house.settled().await;
    }
    ana.reacts(&room, &gone, "🔁");
    ben.reacts(&room, &both, "✅");
    house.settled().await;
    for line in ["task assign T3 ben", "task drop T4"] {
        house.types("ben", line).await;
    }
    house.settled().await;
    let house = while_away(house, |_| {
        for message in [&gone, &both, &taken] {
            ana.unreacts(&room, message, "✅");
        }
        ana.unreacts(&room, &gone, "🔁");
    })
    .await;
    assert_eq!(to_do(&house.app).await, ["check the driver", "look at the queue"]);
    let events = journal(&house.app).await.len();
    house.discord.let_events_go(true);
    house.settled().await;
    read_again(&house).await;
    assert_eq!(journal(&house.app).await.len(), events, "nothing is filed twice");
    let house = while_away(house, |_| {
        ana.reacts(&room, &gone, "✅");
        ben.unreacts(&room, &both, "✅");
    })
    .await;
    assert_eq!(to_do(&house.app).await, ["call the carrier", "look at the queue"]);
    house.close().await;
}
