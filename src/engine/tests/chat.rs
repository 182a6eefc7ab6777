//! Chat is a view: what rooms show, when they show it, and what happens while the platform is away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::{Error, FileRef, Incoming, Intake, Press};
use crate::engine::SHORTCUT_TASK;
use crate::incident::*;

fn wrote(from: &str, id: &str, text: &str) -> Incoming {
    Incoming::Wrote {
        from: identity(from),
        message: message(id),
        thread: None,
        text: text.to_owned(),
        at: start() - TimeDelta::minutes(1),
        files: Vec::new(),
    }
}

fn reacted(from: &str, id: &str, emoji: &str, present: bool) -> Incoming {
    Incoming::Reacted {
        from: identity(from),
        message: message(id),
        emoji: emoji.to_owned(),
        present,
        at: start(),
    }
}

fn away() -> Error {
    Error::Retry {
        why: "the platform is away".to_owned(),
        after: None,
    }
}

#[tokio::test]
async fn an_incident_gets_a_room_with_a_card_a_prompt_and_a_line_in_the_lobby() {
    let house = House::new().await;
    house.opens(opening()).await;
    assert_eq!(house.chat.rooms(), ["inc-1"]);
    house.chat.one("inc-1", "card of INC-1");
    house.chat.one("inc-1", "prompt");
    assert_eq!(house.chat.one("lobby", "INC-1"), "INC-1 Labels do not print");
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn the_card_is_kept_true_and_not_posted_twice() {
    let house = House::new().await;
    house.framed().await;
    house
        .does(
            "ana",
            Request::Retitle {
                title: "Labels are late".to_owned(),
            },
        )
        .await;
    assert_eq!(
        house.chat.one("inc-1", "card"),
        "card of INC-1: Labels are late, contain, Open"
    );
}

#[tokio::test]
async fn a_card_that_somebody_deleted_is_posted_anew() {
    let house = House::new().await;
    house.framed().await;
    for title in ["One", "Two"] {
        house.chat.delete("card");
        house
            .does(
                "ana",
                Request::Retitle {
                    title: title.to_owned(),
                },
            )
            .await;
        assert_eq!(
            house.chat.one("inc-1", "card"),
            format!("card of INC-1: {title}, contain, Open")
        );
    }
}

fn take(role: Role, person: &str) -> Request {
    let person = PersonId::new(person);
    Request::TakeRole { role, person }
}

#[tokio::test]
async fn a_message_that_says_it_already_is_not_edited() {
    let house = House::new().await;
    house.opens(opening()).await;
    assert_eq!(house.chat.edits(), 0, "what was just posted is true");
    // Told, and nothing that this card shows.
    house.does("ana", take(Role::Scribe, "ana")).await;
    assert_eq!(house.chat.edits(), 0);
    let title = "Labels are late".to_owned();
    house.does("ana", Request::Retitle { title }).await;
    assert_eq!(house.chat.edits(), 2, "the card and the line in the lobby");
}

#[tokio::test]
async fn a_platform_is_told_for_which_edits_somebody_waits() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.does("ben", approve(1)).await;
    let urgent = house.chat.urgently();
    let of = |begins: &str| urgent.iter().any(|said| said.starts_with(begins));
    assert!(of("A1: ") && !of("card") && !of("INC-1 "), "{urgent:?}");
}

#[tokio::test]
async fn a_card_that_somebody_deleted_comes_back_with_the_next_event_although_it_says_the_same() {
    let house = House::new().await;
    house.opens(opening()).await;
    let card = house.chat.at("card of INC-1");
    house.chat.delete("card");
    house.engine.gone(&card);
    house.does("ana", take(Role::Scribe, "ana")).await;
    house.chat.one("inc-1", "card of INC-1");
    assert_ne!(house.chat.at("card of INC-1"), card);
}

#[tokio::test]
async fn a_deletion_that_nobody_told_of_is_seen_within_the_hour() {
    let house = House::new().await;
    house.opens(opening()).await;
    house.chat.delete("card");
    house.later(TimeDelta::hours(1)).await;
    house.does("ana", take(Role::Scribe, "ana")).await;
    house.chat.one("inc-1", "card of INC-1");
}

#[tokio::test]
async fn what_is_said_in_a_room_does_not_wait_for_an_edit_that_has_to() {
    let house = House::new().await;
    house.opens(opening()).await;
    house.chat.edits_wait.store(true, Ordering::SeqCst);
    let title = "Labels are late".to_owned();
    house.does("ana", Request::Retitle { title }).await;
    house.does("ana", note("the printer is fine")).await;
    let told = house.chat.notices("inc-1");
    assert!(
        told.iter().any(|notice| notice.ends_with("retitled"))
            && told.iter().any(|notice| notice.ends_with("the printer is fine")),
        "{told:?}"
    );
    assert!(house.chat.one("inc-1", "card").contains("Labels do not print"));
    house.chat.edits_wait.store(false, Ordering::SeqCst);
    house
        .later(TimeDelta::from_std(EDITS_WAIT).expect("a span"))
        .await;
    assert!(house.chat.one("inc-1", "card").contains("Labels are late"));
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn the_person_is_told_what_was_done_or_why_not() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", note("looking")).await;
    house.refused("ana", approve(1)).await;
    let whispers = house.chat.whispers("ana");
    assert!(whispers.contains(&"noted".to_owned()), "{whispers:?}");
    assert!(whispers.contains(&"There is no action A1 here; there is none yet.".to_owned()));
}

#[tokio::test]
async fn a_failed_call_is_made_again_after_a_growing_wait_and_in_order() {
    let house = House::new().await;
    house.framed().await;
    house.chat.down.store(true, Ordering::SeqCst);
    house.does("ana", note("one")).await;
    house.does("ana", note("two")).await;
    let before = house.chat.calls.made();
    house.later(TimeDelta::seconds(1)).await;
    assert!(house.chat.calls.made() > before, "it is tried again");
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    let notices = house.chat.notices("inc-1");
    let last: Vec<_> = notices.iter().rev().take(2).rev().collect();
    assert!(
        last[0].ends_with(": one") && last[1].ends_with(": two"),
        "{notices:?}"
    );
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_platform_that_names_its_wait_is_left_alone_for_as_long() {
    let house = House::new().await;
    house.framed().await;
    let before = house.chat.whispers("ana").len();
    let after = Some(Duration::from_secs(30));
    house.chat.fails(Error::Retry {
        why: "slow down".to_owned(),
        after,
    });
    house.says("ana", None, Said::Tell("the help".to_owned())).await;
    house.later(TimeDelta::seconds(29)).await;
    assert_eq!(house.chat.whispers("ana").len(), before);
    house.later(TimeDelta::seconds(1)).await;
    assert_eq!(house.chat.whispers("ana").len(), before + 1);
}

#[tokio::test]
async fn after_a_long_outage_a_room_gets_the_true_card_and_one_digest() {
    let house = House::new().await;
    house.framed().await;
    let before = house.chat.notices("inc-1").len();
    let from = house.head(1).await + 1;
    house.chat.down.store(true, Ordering::SeqCst);
    for at in 0..20 {
        house.does("ana", note(&at.to_string())).await;
        house.later(TimeDelta::minutes(1)).await;
    }
    house
        .does(
            "ana",
            Request::Retitle {
                title: "Labels are late".to_owned(),
            },
        )
        .await;
    house.later(TimeDelta::minutes(15)).await;
    let to = house.head(1).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert_eq!(
        house.chat.one("inc-1", "digest"),
        format!("digest of #{from} to #{to}")
    );
    assert_eq!(house.chat.notices("inc-1").len(), before, "no flood");
    assert_eq!(
        house.chat.one("inc-1", "card"),
        "card of INC-1: Labels are late, contain, Open"
    );
    assert!(house.engine.counters().effects_late.load(Ordering::Relaxed) > 0);
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn what_was_said_before_the_room_was_there_is_shown_in_it() {
    let house = House::new().await;
    house.chat.down.store(true, Ordering::SeqCst);
    house.framed().await;
    assert!(house.chat.posted().is_empty());
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    house.chat.one("inc-1", "card");
    assert!(
        house
            .chat
            .reads("inc-1")
            .iter()
            .any(|text| text.starts_with("prompt"))
    );
    let notices = house.chat.notices("inc-1");
    assert!(
        notices.iter().any(|notice| notice.ends_with("framed")),
        "{notices:?}"
    );
    assert_eq!(house.waits_in_outbox().await, 0);
}

#[tokio::test]
async fn a_room_that_cannot_be_opened_is_said_and_the_incident_goes_on() {
    let house = House::new().await;
    house.chat.fails(Error::Gone {
        why: "the token was revoked".to_owned(),
    });
    house.framed().await;
    assert_eq!(house.count(1, "room_failed").await, 1);
    assert_eq!(
        house.state(1).await.room_failed.as_deref(),
        Some("the token was revoked")
    );
    let told = house.chat.reads("lobby");
    assert!(
        told.iter().any(|told| told.contains("room_failed")),
        "where it was opened: {told:?}"
    );
    house.does("ana", note("we go on in the terminal")).await;
    assert_eq!(
        house.waits_in_outbox().await,
        0,
        "nothing waits for a room that will not come"
    );
}

#[tokio::test]
async fn who_is_paged_is_told_directly_and_let_in() {
    let house = House::new().await;
    house.framed().await;
    let page = Request::Page {
        role: None,
        people: vec![PersonId::new("dan")],
        message: None,
    };
    house.does("ana", page).await;
    assert_eq!(house.chat.directs("dan").len(), 1);
    assert!(house.chat.invited("inc-1", "dan"));
}

#[tokio::test]
async fn a_redelivery_is_acknowledged_and_ignored() {
    let house = House::new().await;
    house.framed().await;
    let delivery = command("event-1", "ana", Some(1), &Said::Do(Box::new(note("once"))));
    let first = house.engine.take(delivery.clone()).await.expect("taken");
    house.engine.quiet().await;
    let second = house.engine.take(delivery).await.expect("taken");
    house.engine.quiet().await;
    assert_eq!(first, second);
    assert_eq!(house.notes(1).await.len(), 1);
    assert_eq!(
        house.engine.decided(second.expect("kept")).await.message.fallback,
        "noted"
    );
}

#[tokio::test]
async fn one_message_that_comes_live_and_from_history_is_one_message() {
    let house = House::new().await;
    house.framed().await;
    house
        .hears("live-1", Some("m1@1"), wrote("dan", "m1", "the queue is full"))
        .await;
    house
        .hears("history-1", Some("m1@1"), wrote("dan", "m1", "the queue is full"))
        .await;
    let log = crate::store::Store::room_log(&house.store, IncidentId(1), Default::default(), 10)
        .await
        .expect("a log");
    assert_eq!(log.len(), 1);
}

#[tokio::test]
async fn chat_outside_of_our_rooms_is_dropped_before_storage_and_counted() {
    let house = House::new().await;
    let writes = crate::store::Memory::writes(&house.store);
    assert_eq!(house.hears("k", None, wrote("dan", "m1", "lunch?")).await, None);
    assert_eq!(house.store.writes(), writes);
    assert_eq!(house.engine.counters().chat_dropped.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn two_reactions_make_one_entry_that_follows_the_message() {
    let house = House::new().await;
    house.framed().await;
    house
        .hears("w", None, wrote("dan", "m1", "password is hunter2\0"))
        .await;
    for name in ["ana", "ben"] {
        house
            .hears(name, None, reacted(name, "m1", "pushpin", true))
            .await;
    }
    let mark = house.state(1).await.marks[&message("m1")].clone();
    assert_eq!((mark.by.len(), mark.marked.text.as_str()), (2, "password is •••"));
    assert_eq!(mark.at, start() - TimeDelta::minutes(1), "the message's own time");
    let edited = Incoming::Edited {
        message: message("m1"),
        text: "it is gone".to_owned(),
        at: start(),
        of: None,
    };
    house.hears("e", None, edited).await;
    assert_eq!(
        house.state(1).await.marks[&message("m1")].marked.text,
        "it is gone"
    );
    house
        .hears("t", None, reacted("ana", "m1", "pushpin", false))
        .await;
    assert_eq!(house.state(1).await.marks[&message("m1")].removed, None);
    house
        .hears(
            "d",
            None,
            Incoming::Deleted {
                message: message("m1"),
                at: start(),
                found_gone: false,
            },
        )
        .await;
    assert!(house.state(1).await.marks[&message("m1")].removed.is_some());
    let log = crate::store::Store::room_log(&house.store, IncidentId(1), Default::default(), 10)
        .await
        .expect("a log");
    let texts: Vec<_> = log.iter().map(|stored| stored.entry.text.as_deref()).collect();
    assert_eq!(texts, [Some("password is •••"), Some("it is gone"), None]);
}

#[tokio::test]
async fn a_reaction_makes_a_task_once() {
    let house = House::new().await;
    house.framed().await;
    house
        .hears("w", None, wrote("dan", "m1", "call the carrier"))
        .await;
    for name in ["ana", "ben"] {
        house.hears(name, None, reacted(name, "m1", "todo", true)).await;
        house
            .hears(&format!("{name}-later"), None, reacted(name, "m1", "later", true))
            .await;
    }
    let state = house.state(1).await;
    assert_eq!((state.tasks.len(), state.followups.len()), (1, 1));
}

/// Tasks and follow-ups that are still to be done.
async fn to_do(house: &House) -> (usize, usize) {
    let state = house.state(1).await;
    let tasks = state.tasks.values().filter(|task| task.end.is_none());
    let followups = state.followups.values();
    let followups = followups.filter(|followup| followup.end.is_none());
    (tasks.count(), followups.count())
}

#[tokio::test]
async fn what_reactions_made_goes_when_the_last_is_taken_back() {
    let house = House::new().await;
    house.framed().await;
    house
        .hears("w", None, wrote("dan", "m1", "call the carrier"))
        .await;
    for (turn, (present, left)) in [(true, [1, 1]), (false, [1, 0])].into_iter().enumerate() {
        for (name, left) in ["ana", "ben"].into_iter().zip(left) {
            for emoji in ["todo", "later"] {
                let key = format!("{name} {emoji} {turn}");
                house.hears(&key, None, reacted(name, "m1", emoji, present)).await;
            }
            assert_eq!(to_do(&house).await, (left, left), "after {name}'s");
        }
    }
    house
        .hears("again", None, reacted("ana", "m1", "todo", true))
        .await;
    assert_eq!(to_do(&house).await, (1, 0), "who reacts again means it again");
}

#[tokio::test]
async fn a_task_by_the_menu_does_not_go_with_a_reaction_that_never_was() {
    let house = House::new().await;
    house.framed().await;
    house
        .hears("w", None, wrote("dan", "m1", "call the carrier"))
        .await;
    let menu = Incoming::Press {
        from: identity("ana"),
        message: message("m1"),
        press: Press::Run {
            line: SHORTCUT_TASK.to_owned(),
        },
        trigger: None,
    };
    house.hears("menu", None, menu).await;
    house
        .hears("gone", None, reacted("ana", "m1", "todo", false))
        .await;
    assert_eq!(to_do(&house).await, (1, 0));
    let known = Intake::known(&house.engine, &room("inc-1"), start() - TimeDelta::hours(1)).await;
    let known = known.expect("a room that is known");
    assert_eq!(known[0].reacted, [], "history misses no reaction there");
}

#[tokio::test]
async fn a_room_that_is_read_again_is_told_which_reactions_stand() {
    let house = House::new().await;
    house.framed().await;
    house
        .hears("w", None, wrote("dan", "m1", "call the carrier"))
        .await;
    for (name, emoji) in [
        ("ana", "pushpin"),
        ("ana", "todo"),
        ("ben", "todo"),
        ("cleo", "later"),
    ] {
        let key = format!("{name} {emoji}");
        house.hears(&key, None, reacted(name, "m1", emoji, true)).await;
    }
    let dropped = Request::DropTask {
        task: TaskId(1),
        reason: None,
    };
    house.does("dan", dropped).await;
    house
        .hears("back", None, reacted("ben", "m1", "todo", false))
        .await;
    let known = Intake::known(&house.engine, &room("inc-1"), start() - TimeDelta::hours(1)).await;
    let known = known.expect("a room that is known");
    let reacted = known[0].reacted.iter();
    let reacted: Vec<_> = reacted
        .map(|reacted| (reacted.emoji.as_str(), reacted.who[0].user.as_str()))
        .collect();
    assert_eq!(
        reacted,
        [("pushpin", "ana"), ("todo", "ana"), ("later", "cleo")],
        "also where its task was dropped by hand"
    );
}

#[tokio::test]
async fn a_long_message_becomes_a_task_that_is_cut_and_one_without_words_is_named_by_its_files() {
    let house = House::new().await;
    house.framed().await;
    let long = "call ".repeat(20_000);
    house.hears("w1", None, wrote("dan", "m1", &long)).await;
    let mut bare = wrote("dan", "m2", "");
    if let Incoming::Wrote { files, .. } = &mut bare {
        files.push(FileRef {
            id: "F1".to_owned(),
            name: "labels.csv".to_owned(),
            media_type: "text/csv".to_owned(),
            size: 1,
        });
    }
    house.hears("w2", None, bare).await;
    for message in ["m1", "m2"] {
        let key = format!("task of {message}");
        house
            .hears(&key, None, reacted("ana", message, "todo", true))
            .await;
    }
    let state = house.state(1).await;
    let texts: Vec<_> = state.tasks.values().map(|task| task.text.as_str()).collect();
    assert_eq!(texts[0].chars().count(), LONGEST_TEXT);
    assert!(texts[0].ends_with('…'), "it says that there is more");
    assert_eq!(texts[1], "labels.csv");
}

#[tokio::test]
async fn a_stranger_is_told_who_adds_them() {
    let house = House::new().await;
    house.framed().await;
    let verdict = house
        .says("eve", Some(1), Said::Do(Box::new(note("hello"))))
        .await;
    assert!(!verdict.accepted);
    insta::assert_snapshot!(verdict.message.fallback, @"Orderly does not know you yet (local/eve). Ask the operator to add you with `orderly person add`. Known on another platform? Type `/role link` there.");
}

#[tokio::test]
async fn a_whisper_that_is_a_quarter_of_an_hour_late_is_dropped() {
    let house = House::new().await;
    house.framed().await;
    house.chat.down.store(true, Ordering::SeqCst);
    house.says("ana", None, Said::Tell("the help".to_owned())).await;
    house.later(TimeDelta::minutes(16)).await;
    house.chat.down.store(false, Ordering::SeqCst);
    house.later(TimeDelta::minutes(2)).await;
    assert!(!house.chat.whispers("ana").contains(&"the help".to_owned()));
    house.chat.fails(away());
    house.says("ana", None, Said::Tell("again".to_owned())).await;
    house.later(TimeDelta::seconds(2)).await;
    assert!(
        house.chat.whispers("ana").contains(&"again".to_owned()),
        "one in time is not"
    );
}

#[tokio::test]
async fn one_message_that_never_gets_through_does_not_hold_the_room_for_ever() {
    let house = House::new().await;
    house.framed().await;
    house.chat.sticks_at("poison");
    house.does("ana", note("poison")).await;
    house.does("ana", note("second")).await;
    let second = |house: &House| {
        house
            .chat
            .notices("inc-1")
            .iter()
            .any(|notice| notice.ends_with(": second"))
    };
    assert!(!second(&house), "order first");
    for _ in 0..40 {
        house.later(TimeDelta::seconds(5)).await;
    }
    assert!(second(&house), "and then the others");
}

#[tokio::test]
async fn whoever_looks_finds_their_task_however_many_incidents_are_newer() {
    let house = House::new().await;
    for _ in 0..2 {
        let incident = house.opens(opening()).await;
        let task = Request::AddTask {
            text: "call the carrier".to_owned(),
            owner: Some(PersonId::new("dan")),
            source: None,
        };
        house.does_in(incident, "ana", task).await;
        for _ in 0..60 {
            house.opens(opening()).await;
        }
    }
    let at_home = async |who: &str| {
        house
            .engine
            .home(&identity(who))
            .await
            .expect("somebody known")
            .fallback
    };
    assert_eq!(at_home("dan").await, "122 open, 2 to do, 0 left out");
    let left_out = 122 - crate::engine::intake::HOME_MAX;
    assert_eq!(
        at_home("ana").await,
        format!("122 open, 0 to do, {left_out} left out")
    );
}
