//! Several rooms: on two platforms, for the team and for guests, made and found, shut at the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::Incoming;
use crate::incident::*;
use crate::store::{Edge, LogId, Store};

/// Framed, with a room of the team on each platform.
async fn on_both() -> House {
    let house = House::on_two_platforms().await;
    house.opens(settled(RoomSettings::default())).await;
    house.does("cleo", take("cleo")).await;
    house.does("ana", Request::Frame { frame: whole_frame() }).await;
    house.does("ana", ask(Audience::Internal)).await;
    house
}

fn settled(rooms: RoomSettings) -> Opening {
    let mut opening = opening();
    opening.settings.rooms = rooms;
    opening
}

fn take(name: &str) -> Request {
    Request::TakeRole {
        role: Role::Commander,
        person: PersonId::new(name),
    }
}

fn ask(audience: Audience) -> Request {
    Request::AskRoom {
        platform: "slack".to_owned(),
        audience,
    }
}

fn retitle(title: &str) -> Request {
    Request::Retitle {
        title: title.to_owned(),
    }
}

fn update(text: &str) -> Request {
    Request::SendUpdate {
        text: text.to_owned(),
        next_s: None,
    }
}

async fn adds(house: &House, name: &str, channel: &str, audience: Audience) -> crate::chat::Verdict {
    let channel = channel.to_owned();
    house
        .says(name, Some(1), Said::AddRoom { channel, audience })
        .await
}

async fn closed(house: &House) {
    let reason = "it was a planned restart".to_owned();
    house.does("cleo", Request::Cancel { reason }).await;
    house.later(TimeDelta::seconds(6)).await;
}

#[tokio::test]
async fn a_room_on_the_other_platform_shows_the_same_from_then_on() {
    let house = on_both().await;
    house.does("ana", note("both hear this")).await;
    for chat in [&*house.chat, house.slack()] {
        chat.one("inc-1", "card of INC-1");
        assert!(
            chat.notices("inc-1")
                .iter()
                .any(|notice| notice.ends_with("both hear this"))
        );
    }
    assert!(house.slack().invited("inc-1", "U-ana") || house.waits_in_outbox().await == 0);
}

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

#[tokio::test]
async fn a_first_room_that_cannot_be_made_yet_does_not_hold_up_a_second_one() {
    let house = House::on_two_platforms().await;
    house.chat.down.store(true, Ordering::SeqCst);
    house.opens(opening()).await;
    house.does("ana", note("nobody can read this yet")).await;
    house.slack().has_channel("ops", true, true);
    assert!(adds(&house, "ana", "#ops", Audience::Internal).await.accepted);
    house.slack().one("ops", "card of INC-1");
    let heard = house.slack().notices("ops");
    assert!(
        heard
            .iter()
            .any(|notice| notice.ends_with("nobody can read this yet")),
        "{heard:?}"
    );
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    house.chat.one("inc-1", "card of INC-1");
}

#[tokio::test]
async fn guests_get_updates_and_a_card_of_their_own_and_nothing_else() {
    let house = on_both().await;
    house.does("cleo", ask(Audience::Guest)).await;
    house.does("ana", note("we suspect the release")).await;
    house.does("ana", update("We are on it")).await;
    let propose = propose(stopping());
    house.does("ana", propose).await;
    house.does("ben", approve(1)).await;
    let shown = house.slack().reads("inc-1-guests");
    assert_eq!(shown, ["guests' card of INC-1", "update: We are on it"]);
    assert_eq!(
        house.slack().topic("inc-1-guests").as_deref(),
        Some("guests' topic of INC-1")
    );
}

#[tokio::test]
async fn an_update_reaches_guests_however_late() {
    let house = on_both().await;
    house.does("cleo", ask(Audience::Guest)).await;
    house.slack().down.store(true, Ordering::SeqCst);
    house.does("ana", update("First")).await;
    house.later(TimeDelta::minutes(20)).await;
    house.does("ana", update("Second")).await;
    house.later(TimeDelta::minutes(20)).await;
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    let shown = house.slack().reads("inc-1-guests");
    let updates: Vec<_> = shown.iter().filter(|text| text.starts_with("update")).collect();
    assert_eq!(updates, ["update: First", "update: Second"]);
}

#[tokio::test]
async fn nobody_commands_from_a_room_for_guests() {
    let house = on_both().await;
    house.does("cleo", ask(Audience::Guest)).await;
    let command = Incoming::Command {
        from: on_slack("cleo"),
        room: slack_room("inc-1-guests"),
        text: serde_json::to_string(&Said::Do(Box::new(note("hello")))).expect("JSON"),
        trigger: None,
        thread: None,
    };
    let inbox = house.hears("from-guests", None, command).await.expect("kept");
    let verdict = crate::chat::Intake::decided(&house.engine, inbox).await;
    assert!(!verdict.accepted);
    insta::assert_snapshot!(verdict.message.fallback, @"This room is for guests: it is told how things stand, and takes no commands. The response is led elsewhere.");
    let said = wrote(slack_room("inc-1-guests"), "g1", "it works again for us");
    house.hears("g1", None, said).await;
    let mark = Incoming::Reacted {
        from: on_slack("cleo"),
        message: at(slack_room("inc-1-guests"), "g1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("g2", None, mark).await;
    assert!(house.state(1).await.marks.is_empty());
}

#[tokio::test]
async fn only_who_leads_lets_guests_look_on() {
    let house = on_both().await;
    let refused = house.refused("ana", ask(Audience::Guest)).await;
    assert!(refused.contains("cleo"), "{refused}");
}

#[tokio::test]
async fn a_private_incident_takes_no_room_that_everybody_can_read() {
    let house = House::on_two_platforms().await;
    let private = Opening {
        private: true,
        ..opening()
    };
    house.opens(private).await;
    house.slack().has_channel("ops", true, true);
    house.slack().has_channel("war-room", false, true);
    house.slack().comes_in(&on_slack("ana"), "war-room");
    let verdict = adds(&house, "ana", "#ops", Audience::Internal).await;
    insta::assert_snapshot!(verdict.message.fallback, @"INC-1 is private, and everybody can read that channel. Use a private one.");
    assert!(
        adds(&house, "ana", "#war-room", Audience::Internal)
            .await
            .accepted
    );
    house.slack().one("war-room", "card of INC-1");
    let here = Opening {
        here: Some(slack_room("ops")),
        private: true,
        ..opening()
    };
    let verdict = house.says("ana", None, Said::Open(Box::new(open(here)))).await;
    assert!(!verdict.accepted && verdict.message.fallback.contains("everybody can read"));
    for chat in [&*house.chat, house.slack()] {
        assert!(chat.reads("lobby").is_empty(), "it is announced nowhere");
    }
}

#[tokio::test]
async fn a_channel_that_was_there_keeps_its_topic_and_its_people_and_is_not_archived() {
    let house = House::on_two_platforms().await;
    house.slack().has_channel("ops", true, true);
    let archive = RoomSettings {
        archive: true,
        ..RoomSettings::default()
    };
    let here = Opening {
        here: Some(slack_room("ops")),
        asked_in: Some(slack_room("ops")),
        ..settled(archive)
    };
    house.opens(here).await;
    house.slack().one("ops", "card of INC-1");
    house.slack().one("ops", "prompt");
    assert!(house.slack().rooms().is_empty(), "no other room is made");
    house.does("cleo", take("cleo")).await;
    assert_eq!(house.slack().topic("ops"), None);
    assert!(!house.slack().invited("ops", "U-cleo"));
    let before = wrote(slack_room("ops"), "w1", "this is about the incident");
    assert!(house.hears("w1", None, before).await.is_some());
    closed(&house).await;
    assert!(!house.slack().is_archived("ops"));
    let after = wrote(slack_room("ops"), "w2", "lunch?");
    assert_eq!(
        house.hears("w2", None, after).await,
        None,
        "it goes its own way again"
    );
    let again = Opening {
        here: Some(slack_room("ops")),
        ..opening()
    };
    assert_eq!(house.opens(again).await, 2, "and may serve another incident");
}

async fn adds_to(house: &House, incident: u64, channel: &str, audience: Audience) -> crate::chat::Verdict {
    let channel = channel.to_owned();
    house
        .says("cleo", Some(incident), Said::AddRoom { channel, audience })
        .await
}

#[tokio::test]
async fn an_incident_that_is_over_says_nothing_where_another_one_has_its_guests() {
    let house = House::on_two_platforms().await;
    house.slack().has_channel("ops", true, true);
    house.opens(opening()).await;
    house.does("cleo", take("cleo")).await;
    assert!(adds_to(&house, 1, "#ops", Audience::Internal).await.accepted);
    closed(&house).await;
    let told = |what: &str| {
        let notices = house.slack().notices("ops");
        notices.iter().filter(|notice| notice.ends_with(what)).count()
    };
    assert_eq!((told("cancelled"), told("room_left")), (1, 0), "told to the end");

    house.opens(opening()).await;
    house.does_in(2, "cleo", take("cleo")).await;
    assert!(adds_to(&house, 2, "#ops", Audience::Guest).await.accepted);
    let shown = house.slack().reads("ops");
    house
        .says("cleo", Some(1), Said::Export("markdown".to_owned()))
        .await;
    let related = Link::Related {
        incident: IncidentId(2),
    };
    house.does("cleo", Request::Link { link: related }).await;
    let reason = "it is back".to_owned();
    house.does("cleo", Request::Reopen { reason }).await;
    house.does("ana", note("only the team hears this")).await;
    house.later(TimeDelta::minutes(1)).await;
    assert_eq!(house.slack().reads("ops"), shown);
    assert!(house.slack().files().is_empty());
    let refused = adds_to(&house, 1, "#ops", Audience::Internal).await;
    insta::assert_snapshot!(refused.message.fallback, @"#ops is the room of another incident. Take another channel.");
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_channel_stays_the_incidents_until_it_was_told_that_it_is_over() {
    let house = House::on_two_platforms().await;
    house.slack().has_channel("ops", true, true);
    let here = Opening {
        here: Some(slack_room("ops")),
        asked_in: Some(slack_room("ops")),
        ..opening()
    };
    house.opens(here).await;
    house.does("cleo", take("cleo")).await;
    house.slack().down.store(true, Ordering::SeqCst);
    closed(&house).await;
    let house = house.again().await;
    assert!(house.state(1).await.room(&slack_room("ops")).is_some());
    let after = wrote(slack_room("ops"), "w1", "lunch?");
    assert_eq!(house.hears("w1", None, after).await, None);
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    house.later(TimeDelta::seconds(6)).await;
    assert!(
        house
            .slack()
            .notices("ops")
            .iter()
            .any(|notice| notice.ends_with("cancelled"))
    );
    assert_eq!(house.state(1).await.room(&slack_room("ops")), None);
    let shown = house.slack().reads("ops");
    let reason = "it is back".to_owned();
    house.does("cleo", Request::Reopen { reason }).await;
    house.later(TimeDelta::minutes(1)).await;
    assert_eq!(
        house.slack().reads("ops"),
        shown,
        "not even a prompt where it was opened"
    );
    assert_eq!(house.waits_in_outbox().await, 0, "nothing waits for a room");
    assert!(adds_to(&house, 1, "#ops", Audience::Internal).await.accepted);
    assert!(
        house.slack().rooms().is_empty() && house.chat.rooms().is_empty(),
        "no room was asked for"
    );
    let prompts = house
        .slack()
        .reads("ops")
        .into_iter()
        .filter(|text| text.starts_with("prompt"));
    assert_eq!(prompts.count(), 2, "the question of now is asked there again");
}

#[tokio::test]
async fn what_waited_for_the_team_is_not_told_to_the_guests_who_have_the_room_now() {
    let house = House::on_two_platforms().await;
    house.slack().has_channel("ops", true, true);
    house.opens(opening()).await;
    house.does("cleo", take("cleo")).await;
    assert!(adds(&house, "ana", "#ops", Audience::Internal).await.accepted);
    house.slack().sticks_at("Post-mortem");
    house
        .says("cleo", Some(1), Said::Export("markdown".to_owned()))
        .await;
    assert!(house.waits_in_outbox().await > 0);
    house
        .does(
            "cleo",
            Request::LeaveRoom {
                room: slack_room("ops"),
            },
        )
        .await;
    let added = adds(&house, "cleo", "#ops", Audience::Guest).await;
    assert!(added.accepted, "{}", added.message.fallback);
    house.slack().sticks_at("nothing any more");
    house.later(TimeDelta::minutes(2)).await;
    assert!(house.slack().files().is_empty());
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn several_notices_that_waited_for_a_room_are_dropped_when_it_is_left() {
    let house = on_both().await;
    house.slack().down.store(true, Ordering::SeqCst);
    for text in ["one", "two", "three"] {
        house.does("ana", note(text)).await;
    }
    let leave = Request::LeaveRoom {
        room: slack_room("inc-1"),
    };
    house.does("cleo", leave).await;
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    let shown = house.slack().reads("inc-1");
    assert!(shown.iter().all(|text| !text.contains("noted")), "{shown:?}");
    assert_eq!(shown.last().map(String::as_str), Some("goodbye"));
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_private_channel_is_there_only_for_whoever_is_in_it() {
    let house = House::on_two_platforms().await;
    house.slack().has_channel("board", false, true);
    house.opens(opening()).await;
    let hidden = adds(&house, "ana", "#board", Audience::Internal).await;
    insta::assert_snapshot!(hidden.message.fallback, @"There is no channel #board.");
    let said = Said::AddRoom {
        channel: "#board".to_owned(),
        audience: Audience::Internal,
    };
    let typed_in_it = Incoming::Command {
        from: on_slack("ben"),
        room: slack_room("board"),
        text: format!("INC-1 {}", serde_json::to_string(&said).expect("JSON")),
        trigger: None,
        thread: None,
    };
    let inbox = house.hears("in-there", None, typed_in_it).await.expect("kept");
    let verdict = crate::chat::Intake::decided(&house.engine, inbox).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
    house.does("cleo", take("cleo")).await;
    house
        .does(
            "cleo",
            Request::LeaveRoom {
                room: slack_room("board"),
            },
        )
        .await;
    house.slack().comes_in(&on_slack("ana"), "board");
    assert!(adds(&house, "ana", "#board", Audience::Internal).await.accepted);
}

#[tokio::test]
async fn of_two_incidents_that_reach_for_a_channel_at_once_one_gets_it() {
    let house = House::on_two_platforms().await;
    house.slack().has_channel("ops", true, true);
    house.opens(opening()).await;
    house.opens(opening()).await;
    let both = Arc::new(tokio::sync::Barrier::new(3));
    house.slack().meet_at(&both);
    let adds = Said::AddRoom {
        channel: "#ops".to_owned(),
        audience: Audience::Internal,
    };
    let first = house
        .takes("ana", Some(1), &adds)
        .await
        .expect("taken")
        .expect("kept");
    let second = house
        .takes("ben", Some(2), &adds)
        .await
        .expect("taken")
        .expect("kept");
    both.wait().await;
    // Both have found it free; neither can decide yet.
    let held = [1, 2].map(|number| house.engine.loaded(IncidentId(number)));
    let held = (
        held[0].clone().lock_owned().await,
        held[1].clone().lock_owned().await,
    );
    both.wait().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(held);
    let intake: &dyn crate::chat::Intake = &house.engine;
    let verdicts = [intake.decided(first).await, intake.decided(second).await];
    let refused: Vec<_> = verdicts.iter().filter(|verdict| !verdict.accepted).collect();
    assert_eq!(refused.len(), 1, "{verdicts:?}");
    insta::assert_snapshot!(refused[0].message.fallback, @"#ops is the room of another incident. Take another channel.");
}

#[tokio::test]
async fn a_channel_without_the_bot_or_with_another_incident_cannot_become_a_room() {
    let house = on_both().await;
    house.slack().has_channel("far", true, false);
    house.slack().has_channel("ops", true, true);
    let verdict = adds(&house, "ana", "#far", Audience::Internal).await;
    insta::assert_snapshot!(verdict.message.fallback, @"Orderly is not in #far. Invite it there first, then say this again.");
    assert!(adds(&house, "ana", "#ops", Audience::Internal).await.accepted);
    let here = Opening {
        here: Some(slack_room("ops")),
        ..opening()
    };
    let verdict = house.says("ana", None, Said::Open(Box::new(open(here)))).await;
    insta::assert_snapshot!(verdict.message.fallback, @"#ops is the room of another incident. Take another channel.");
    let gone = adds(&house, "ana", "#nowhere", Audience::Internal).await;
    insta::assert_snapshot!(gone.message.fallback, @"There is no channel #nowhere.");
}

#[tokio::test]
async fn a_room_that_was_left_is_told_nothing_more() {
    let house = on_both().await;
    let leave = Request::LeaveRoom {
        room: slack_room("inc-1"),
    };
    house.does("cleo", leave).await;
    house.does("ana", note("only the page hears this")).await;
    let last = house.slack().reads("inc-1").pop();
    assert_eq!(last.as_deref(), Some("goodbye"));
    let refused = house
        .refused("cleo", Request::LeaveRoom { room: room("inc-1") })
        .await;
    insta::assert_snapshot!(refused, @"It is the only room of the team. Add another one before you leave it.");
}

#[tokio::test]
async fn the_goodbye_is_said_once_whatever_happens_after_a_crash() {
    let house = on_both().await;
    let goodbye = Call {
        number: house.slack().calls.made() + 1,
        edge: Edge::After,
    };
    house.slack().calls.stop_at(goodbye, &house.store);
    let leave = Request::LeaveRoom {
        room: slack_room("inc-1"),
    };
    let taken = house.takes("cleo", Some(1), &Said::Do(Box::new(leave))).await;
    taken.expect("taken");
    house.engine.quiet().await;
    house.slack().down.store(true, Ordering::SeqCst);
    let house = house.again().await;
    house.does("ana", note("it goes on")).await;
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(house.slack().one("inc-1", "goodbye"), "goodbye");
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn rooms_are_archived_at_the_very_end_and_opened_again_with_the_incident() {
    let house = House::new().await;
    let archive = RoomSettings {
        archive: true,
        ..RoomSettings::default()
    };
    house.opens(settled(archive)).await;
    house.does("cleo", take("cleo")).await;
    closed(&house).await;
    assert!(house.chat.is_archived("inc-1"));
    assert!(
        house
            .chat
            .notices("inc-1")
            .iter()
            .any(|notice| notice.ends_with("cancelled")),
        "told first"
    );
    let followup = Request::Link {
        link: Link::Related {
            incident: IncidentId(9),
        },
    };
    house.does("cleo", followup).await;
    let quiet = house.chat.notices("inc-1").len();
    let reason = "it is back".to_owned();
    house.does("cleo", Request::Reopen { reason }).await;
    house.later(TimeDelta::seconds(6)).await;
    assert!(!house.chat.is_archived("inc-1"));
    house.chat.one("inc-1", "digest of #");
    assert_eq!(
        house.chat.notices("inc-1").len(),
        quiet,
        "what was missed is told in one"
    );
    assert!(house.chat.one("inc-1", "card").ends_with("Open"));
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn an_archive_waits_until_a_platform_is_back_and_everything_is_told() {
    let house = House::new().await;
    let archive = RoomSettings {
        archive: true,
        ..RoomSettings::default()
    };
    house.opens(settled(archive)).await;
    house.does("cleo", take("cleo")).await;
    house.chat.down.store(true, Ordering::SeqCst);
    closed(&house).await;
    house.later(TimeDelta::minutes(1)).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    house.later(TimeDelta::minutes(1)).await;
    assert!(house.chat.is_archived("inc-1"));
    assert!(
        house
            .chat
            .notices("inc-1")
            .iter()
            .any(|notice| notice.ends_with("cancelled"))
    );
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_platform_that_is_away_keeps_no_other_room_from_being_archived() {
    let house = House::on_two_platforms().await;
    let archive = RoomSettings {
        archive: true,
        ..RoomSettings::default()
    };
    house.opens(settled(archive)).await;
    house.does("cleo", take("cleo")).await;
    house.does("ana", ask(Audience::Internal)).await;
    let mut said = wrote(slack_room("inc-1"), "m1", "look");
    if let Incoming::Wrote { files, .. } = &mut said {
        files.push(FileRef {
            id: "F1".to_owned(),
            name: "labels.csv".to_owned(),
            media_type: "text/csv".to_owned(),
            size: 3,
        });
    }
    house.hears("m1", None, said).await;
    house.slack().down.store(true, Ordering::SeqCst);
    let mark = Incoming::Reacted {
        from: on_slack("ana"),
        message: at(slack_room("inc-1"), "m1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r1", None, mark).await;
    let invite = Request::Invite {
        people: vec![PersonId::new("dan")],
    };
    house.does("ana", invite).await;
    closed(&house).await;
    house.later(TimeDelta::seconds(6)).await;
    assert!(house.chat.is_archived("inc-1"));
    assert!(!house.slack().is_archived("inc-1"));
    house.slack().down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    house.later(TimeDelta::seconds(6)).await;
    assert!(house.slack().is_archived("inc-1"));
    assert_eq!(house.waits_in_outbox().await, 0);
}

fn at(room: RoomRef, id: &str) -> MessageRef {
    MessageRef {
        room,
        message: id.to_owned(),
    }
}

fn wrote(room: RoomRef, id: &str, text: &str) -> Incoming {
    let from = match room.platform.as_str() {
        "slack" => on_slack("dan"),
        _ => identity("dan"),
    };
    Incoming::Wrote {
        from,
        message: at(room, id),
        thread: None,
        text: text.to_owned(),
        at: start(),
        files: Vec::new(),
    }
}

/// With messages carried over.
async fn carrying() -> House {
    let house = House::on_two_platforms().await;
    let carry = RoomSettings {
        carry: true,
        ..RoomSettings::default()
    };
    house.opens(settled(carry)).await;
    house.does("cleo", take("cleo")).await;
    house.does("cleo", ask(Audience::Internal)).await;
    house.does("cleo", ask(Audience::Guest)).await;
    house
}

#[tokio::test]
async fn what_somebody_says_in_one_room_is_read_in_the_others_with_name_and_platform() {
    let house = carrying().await;
    let said = wrote(slack_room("inc-1"), "m1", "the password is hunter2");
    house.hears("m1", Some("m1"), said.clone()).await;
    house.hears("m1-again", Some("m1"), said).await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: the password is •••");
    let back = wrote(room("inc-1"), "m2", "thank you");
    house.hears("m2", None, back).await;
    assert_eq!(house.slack().one("inc-1", "["), "[local] dan: thank you");
    let guests = house.slack().reads("inc-1-guests");
    assert!(guests.iter().all(|text| !text.starts_with('[')), "{guests:?}");
    let theirs = wrote(slack_room("inc-1-guests"), "m3", "when is it done?");
    house.hears("m3", None, theirs).await;
    assert_eq!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .filter(|text| text.starts_with('['))
            .count(),
        1
    );
}

#[tokio::test]
async fn copies_follow_edits_and_deletes_also_when_late() {
    let house = carrying().await;
    let mut said = wrote(slack_room("inc-1"), "m1", "it is the printer");
    if let Incoming::Wrote { files, .. } = &mut said {
        files.push(FileRef {
            id: "F1".to_owned(),
            name: "printer.log".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 3,
        });
    }
    house.hears("m1", None, said).await;
    assert_eq!(
        house.chat.one("inc-1", "["),
        "[slack] dan: it is the printer +printer.log"
    );
    house.chat.down.store(true, Ordering::SeqCst);
    let edited = Incoming::Edited {
        message: at(slack_room("inc-1"), "m1"),
        text: "it is the driver".to_owned(),
        at: start() + TimeDelta::seconds(1),
        of: None,
    };
    house.hears("e1", None, edited).await;
    house.later(TimeDelta::minutes(30)).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(
        house.chat.one("inc-1", "["),
        "[slack] dan: it is the driver +printer.log"
    );
    let deleted = Incoming::Deleted {
        message: at(slack_room("inc-1"), "m1"),
        at: start() + TimeDelta::seconds(2),
        found_gone: false,
    };
    house.hears("d1", None, deleted).await;
    assert_eq!(
        house.chat.one("inc-1", "["),
        "[slack] dan: (deleted) +printer.log"
    );
}

#[tokio::test]
async fn a_mark_on_a_copy_is_a_mark_on_what_was_said() {
    let house = carrying().await;
    house
        .hears("m1", None, wrote(slack_room("inc-1"), "m1", "it began at noon"))
        .await;
    let posted = house.chat.posted();
    let copy = posted
        .iter()
        .find(|posted| posted.text.starts_with('['))
        .expect("a copy");
    let mark = |present: bool| Incoming::Reacted {
        from: identity("ana"),
        message: copy.at.clone(),
        emoji: "pushpin".to_owned(),
        present,
        at: start(),
    };
    house.hears("r1", None, mark(true)).await;
    let original = at(slack_room("inc-1"), "m1");
    assert_eq!(
        house.state(1).await.marks[&original].marked.text,
        "it began at noon"
    );
    house.hears("r2", None, mark(false)).await;
    assert!(house.state(1).await.marks[&original].removed.is_some());
}

async fn redact(house: &House, what: String) {
    let reason = "a password".to_owned();
    let verdict = house.says("cleo", Some(1), Said::Redact { what, reason }).await;
    assert!(verdict.accepted, "{}", verdict.message.fallback);
}

#[tokio::test]
async fn redacted_words_leave_every_copy_and_an_edit_makes_no_new_one() {
    let house = carrying().await;
    house
        .hears(
            "m1",
            None,
            wrote(slack_room("inc-1"), "m1", "my password is tiger"),
        )
        .await;
    let mark = Incoming::Reacted {
        from: on_slack("ana"),
        message: at(slack_room("inc-1"), "m1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r1", None, mark).await;
    let row = house.head(1).await;
    redact(&house, row.to_string()).await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: [redacted]");
    house.does("ana", Request::SetCarry { on: false }).await;
    house
        .hears("m2", None, wrote(slack_room("inc-1"), "m2", "between us"))
        .await;
    let edited = Incoming::Edited {
        message: at(slack_room("inc-1"), "m2"),
        text: "still between us".to_owned(),
        at: start() + TimeDelta::seconds(1),
        of: None,
    };
    house.hears("e2", None, edited).await;
    house.chat.one("inc-1", "[");
}

#[tokio::test]
async fn what_was_said_during_a_long_outage_is_in_the_one_digest() {
    let house = carrying().await;
    house.chat.down.store(true, Ordering::SeqCst);
    for id in ["m1", "m2", "m3"] {
        house
            .hears(id, None, wrote(slack_room("inc-1"), id, &format!("word {id}")))
            .await;
    }
    let deleted = Incoming::Deleted {
        message: at(slack_room("inc-1"), "m2"),
        at: start() + TimeDelta::seconds(2),
        found_gone: false,
    };
    house.hears("d2", None, deleted).await;
    house.later(TimeDelta::minutes(30)).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    let digest = house.chat.one("inc-1", "digest");
    assert!(digest.ends_with("said: word m1, word m3"), "{digest}");
    assert!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .all(|text| !text.starts_with('['))
    );
    assert_eq!(house.waits_in_outbox().await, 0);
    redact(&house, "m1".to_owned()).await;
    assert_eq!(house.chat.one("inc-1", "digest"), "digest: [redacted]");
}

#[tokio::test]
async fn redacted_words_leave_the_copies_of_a_room_that_was_left() {
    let house = carrying().await;
    house
        .hears(
            "m1",
            None,
            wrote(slack_room("inc-1"), "m1", "my password is tiger"),
        )
        .await;
    let room = slack_room("inc-1");
    house.does("cleo", Request::LeaveRoom { room }).await;
    redact(&house, "m1".to_owned()).await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: [redacted]");
    let log = house.store.room_log(IncidentId(1), LogId(0), 100).await;
    let log = log.expect("a log");
    assert!(
        log.iter()
            .all(|stored| stored.entry.text.as_deref() != Some("my password is tiger"))
    );
}

#[tokio::test]
async fn a_reaction_on_a_copy_is_not_missed_at_the_original() {
    let house = carrying().await;
    house
        .hears("m1", None, wrote(slack_room("inc-1"), "m1", "it began at noon"))
        .await;
    let posted = house.chat.posted();
    let copy = posted.iter().find(|posted| posted.text.starts_with('['));
    let mark = Incoming::Reacted {
        from: identity("ana"),
        message: copy.expect("a copy").at.clone(),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    };
    house.hears("r1", None, mark).await;
    let state = house.state(1).await;
    let mark = &state.marks[&at(slack_room("inc-1"), "m1")];
    assert!(mark.removed.is_none() && mark.reacted.is_empty(), "{mark:?}");
}

#[tokio::test]
async fn carrying_over_can_be_switched_for_one_incident() {
    let house = carrying().await;
    house.does("ana", Request::SetCarry { on: false }).await;
    house
        .hears("m1", None, wrote(slack_room("inc-1"), "m1", "between us"))
        .await;
    assert!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .all(|text| !text.starts_with('['))
    );
    house.does("ana", Request::SetCarry { on: true }).await;
    house
        .hears("m2", None, wrote(slack_room("inc-1"), "m2", "for all"))
        .await;
    assert_eq!(house.chat.one("inc-1", "["), "[slack] dan: for all");
}

#[tokio::test]
async fn somebody_proves_with_a_code_that_two_accounts_are_theirs_and_has_one_vote() {
    let house = on_both().await;
    let stranger = Identity {
        user: "U-benedict".to_owned(),
        ..on_slack("ben")
    };
    let from_slack = |said: &Said| Incoming::Command {
        from: stranger.clone(),
        room: slack_room("inc-1"),
        text: format!("INC-1 {}", serde_json::to_string(said).expect("JSON")),
        trigger: None,
        thread: None,
    };
    let approving = Said::Do(Box::new(approve(1)));
    house.does("ana", propose(two_votes())).await;
    house.hears("k1", None, from_slack(&approving)).await;
    assert!(!house.state(1).await.proposals.is_empty());
    let offered = house.says("ben", None, Said::Link(None)).await;
    assert!(
        offered.message.fallback.contains("role link ABCDE-FGHJK"),
        "{}",
        offered.message.fallback
    );
    let typed = from_slack(&Said::Link(Some("abcde fghjk".to_owned())));
    let inbox = house.hears("k2", None, typed.clone()).await.expect("kept");
    let verdict = crate::chat::Intake::decided(&house.engine, inbox).await;
    insta::assert_snapshot!(verdict.message.fallback, @"You are ben here too now. What you say on both platforms is one person's word, and one vote.");
    house.does("ben", approve(1)).await;
    house.hears("k3", None, from_slack(&approving)).await;
    assert_eq!(
        house.stage(1, 1).await,
        "waiting for approval",
        "twice the same person"
    );
    house.does("cleo", approve(1)).await;
    assert_ne!(house.stage(1, 1).await, "waiting for approval");
    house
        .know("ben", &[Role::Approver])
        .await
        .expect("the config is read anew");
    assert_eq!(
        house.engine.desk().person_of(&stranger),
        Some(&PersonId::new("ben"))
    );
    let inbox = house.hears("k4", None, typed).await.expect("kept");
    let again = crate::chat::Intake::decided(&house.engine, inbox).await;
    assert!(!again.accepted, "a code works once");
}

fn two_votes() -> Terms {
    Terms {
        policy: Policy {
            quorum: 2,
            role: None,
            ..stopping().policy
        },
        ..stopping()
    }
}

#[tokio::test]
async fn one_person_on_two_platforms_has_one_vote() {
    let house = on_both().await;
    house.does("ana", propose(two_votes())).await;
    house.does("ben", approve(1)).await;
    let again = Incoming::Command {
        from: on_slack("ben"),
        room: slack_room("inc-1"),
        text: serde_json::to_string(&Said::Do(Box::new(approve(1)))).expect("JSON"),
        trigger: None,
        thread: None,
    };
    house.hears("ben-on-slack", None, again).await;
    assert_eq!(house.stage(1, 1).await, "waiting for approval");
    house.does("cleo", approve(1)).await;
    assert_ne!(house.stage(1, 1).await, "waiting for approval");
}
