//! Several rooms: on two platforms, for the team and for guests, made and found, shut at the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::Incoming;
use crate::incident::*;
use crate::store::Edge;

/// Framed, with a room of the team on each platform.
pub(super) async fn on_both() -> House {
    let house = House::on_two_platforms().await;
    house.opens(settled(RoomSettings::default())).await;
    house.does("cleo", take("cleo")).await;
    house.does("ana", Request::Frame { frame: whole_frame() }).await;
    house.does("ana", ask(Audience::Internal)).await;
    house
}

pub(super) fn settled(rooms: RoomSettings) -> Opening {
    let mut opening = opening();
    opening.settings.rooms = rooms;
    opening
}

pub(super) fn take(name: &str) -> Request {
    Request::TakeRole {
        role: Role::Commander,
        person: PersonId::new(name),
    }
}

pub(super) fn ask(audience: Audience) -> Request {
    Request::AskRoom {
        platform: "slack".to_owned(),
        audience,
    }
}

pub(super) fn retitle(title: &str) -> Request {
    Request::Retitle {
        title: title.to_owned(),
    }
}

pub(super) fn update(text: &str) -> Request {
    Request::SendUpdate {
        text: text.to_owned(),
        next_s: None,
    }
}

pub(super) async fn adds(
    house: &House,
    name: &str,
    channel: &str,
    audience: Audience,
) -> crate::chat::Verdict {
    let channel = channel.to_owned();
    house
        .says(name, Some(1), Said::AddRoom { channel, audience })
        .await
}

pub(super) async fn closed(house: &House) {
    let reason = "it was a planned restart".to_owned();
    house.does("cleo", Request::Cancel { reason }).await;
    house.later(TimeDelta::seconds(6)).await;
}

pub(super) fn at(room: RoomRef, id: &str) -> MessageRef {
    MessageRef {
        room,
        message: id.to_owned(),
    }
}

pub(super) fn wrote(room: RoomRef, id: &str, text: &str) -> Incoming {
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
