//! The same incident, while things go wrong.

use std::time::Duration;

use orderly::chat::{Block, Chat, Message};
use orderly::demo::guide;
use orderly_testbed::slack::Fault;

use super::kit::{House, Transport};
use super::story::{holds_it_all, links_the_postmortem, lived_through, lived_until, nothing_stands_twice};
use crate::deaths::Mortal;

async fn every_call_is_limited_once(transport: Transport) {
    let house = House::open(transport).await;
    // Over HTTP nothing is asked of Slack before the first delivery.
    house.types("ana", "list").await;
    house.slack.limit_every_call_once(2);
    lived_through(&house).await;
    holds_it_all(&house).await;
    links_the_postmortem(&house).await;
    house.close().await;
}

#[tokio::test]
async fn every_call_is_limited_once_and_nothing_is_lost_over_sockets() {
    every_call_is_limited_once(Transport::Socket).await;
}

#[tokio::test]
async fn every_call_is_limited_once_and_nothing_is_lost_over_signed_http() {
    every_call_is_limited_once(Transport::Http).await;
}

async fn every_event_comes_twice(transport: Transport) {
    let house = House::open(transport).await;
    house.slack.every_event_twice(true);
    lived_through(&house).await;
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn every_event_comes_twice_over_sockets_and_nothing_stands_twice() {
    every_event_comes_twice(Transport::Socket).await;
}

#[tokio::test]
async fn every_event_comes_twice_over_signed_http_and_nothing_stands_twice() {
    every_event_comes_twice(Transport::Http).await;
}

/// A step whose command was lost on the way is typed again, as people do; more often than this nobody would.
const TRIES: usize = 5;

#[tokio::test]
async fn the_sockets_drop_in_the_middle_of_every_step_and_the_story_goes_on() {
    let house = House::open(Transport::Socket).await;
    for step in guide::steps() {
        for _ in 0..TRIES {
            let state = house.state().await;
            // The last step asks for the post-mortem, and whoever sees it there does not ask again.
            let seen = state.is_some() && house.has_file(&house.place().await);
            if seen || (state.is_some() && step.is_done(state.as_ref())) {
                break;
            }
            // A socket that lived for half a minute is replaced at once.
            house.advance(Duration::from_secs(30));
            let sent = house.sends(step.who, &step.line(state.as_ref())).await;
            // It is on its way, or being decided, or answered.
            house.slack.drop_sockets();
            house.slack.connected(2).await;
            let _ = sent.outcome().await;
            // Slack sends events again that nobody acknowledged.
            house.advance(Duration::from_secs(61));
            house.settled().await;
        }
    }
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn the_sockets_drop_before_every_step_and_the_story_goes_on() {
    let house = House::open(Transport::Socket).await;
    for step in guide::steps() {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        // A socket that lived for half a minute is replaced at once. What is due by then is told before it is dropped.
        house.advance(Duration::from_secs(30));
        house.settled().await;
        house.slack.drop_sockets();
        house.slack.connected(2).await;
        house.types(step.who, &step.line(state.as_ref())).await;
    }
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn the_program_is_stopped_before_every_step_and_goes_on_where_it_was() {
    let mut house = House::open(Transport::Http).await;
    for step in guide::steps() {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        house.types(step.who, &step.line(state.as_ref())).await;
        house = house.restarted().await;
    }
    holds_it_all(&house).await;
    house.close().await;
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_and_not_posted_again() {
    let house = House::open(Transport::Socket).await;
    house.slack.fault("chat.postMessage", 3, Fault::DropAfter);
    house.types("ana", "open Labels do not print severity=SEV2").await;
    house.settled().await;
    nothing_stands_twice(&house);
    house.close().await;
}

#[tokio::test]
async fn an_approval_is_never_stuck_behind_chatter() {
    const NOTES: usize = 24;
    let house = House::open(Transport::Http).await;
    lived_until(&house, "pause").await;
    let room = house.room().await;
    // Far more than the channel takes at once.
    for at in 0..NOTES {
        house
            .sends("cleo", &format!("note {at}: still looking"))
            .await
            .await;
    }
    house.app.engine.quiet().await;
    let state = house.state().await;
    let step = guide::steps().iter().find(|step| step.id == "pause");
    let step = step.expect("a step of the guide");
    house.sends(step.who, &step.line(state.as_ref())).await.await;
    house.app.engine.quiet().await;
    // The channel takes four in as many seconds.
    house.advance(Duration::from_secs(4));
    house.app.engine.quiet().await;
    let texts = house.slack.texts(&room);
    let told = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!(told("may approve this"), 1, "{texts:#?}");
    assert!((1..NOTES).contains(&told("still looking")), "{texts:#?}");
    house.settled().await;
    house.close().await;
}

/// A post that goes on in two messages below it, under these words.
fn long_post(words: &[String]) -> Message {
    Message {
        fallback: "a long log".to_owned(),
        blocks: vec![Block::Text {
            text: words.join(" ").into(),
        }],
    }
}

#[tokio::test]
async fn what_a_long_post_goes_on_with_comes_once_whatever_fails_on_the_way() {
    let words: Vec<String> = (0..4_000).map(|at| format!("w{at:05}")).collect();
    for fault in [
        Fault::Limited(1),
        Fault::Status(500),
        Fault::DropBefore,
        Fault::DropAfter,
    ] {
        let house = House::open(Transport::Http).await;
        let room = house.lobby();
        house.slack.every_call_once(fault.clone(), 1, 0);
        let slack = house.app.slack.clone().expect("a workspace");
        let mut posted = None;
        for _ in 0..20 {
            posted = slack.post("a/long", &room, None, &long_post(&words)).await.ok();
            if posted.is_some() {
                break;
            }
            house.advance(Duration::from_secs(5));
        }
        let posted = posted.expect("it gets through");
        let below = || {
            house
                .slack
                .read(|slack| slack.thread(&house.ops, &posted.message))
        };
        let all = [house.slack.texts(&house.ops), below()].concat().join("\n");
        for word in &words {
            assert_eq!(all.matches(word.as_str()).count(), 1, "{word} after {fault:?}");
        }
        assert_eq!(below().len(), 2, "{fault:?}");
        house.advance(Duration::from_secs(5));
        house.slack.no_more_faults();
        let gone = Message {
            fallback: "[redacted]".to_owned(),
            blocks: vec![Block::Text {
                text: "[redacted]".into(),
            }],
        };
        let shown = || [house.slack.texts(&house.ops), below()].concat().join("\n");
        slack.reword(&posted, &gone).await.expect("it is taken back");
        assert_eq!(shown(), "[redacted]");
        house.advance(Duration::from_secs(5));
        slack
            .reword(&posted, &long_post(&words[2_000..]))
            .await
            .expect("it is said anew");
        let missing = words[2_000..]
            .iter()
            .find(|word| !shown().contains(word.as_str()));
        assert_eq!(missing, None, "an edit that is longer goes on below as well");
        house.close().await;
    }
}

#[tokio::test]
async fn a_long_answer_to_one_person_goes_on_where_it_was_held_back() {
    let words: Vec<String> = (0..4_000).map(|at| format!("w{at:05}")).collect();
    for fault in [
        Fault::Limited(1),
        Fault::Status(500),
        Fault::Error("internal_error"),
    ] {
        let house = House::open(Transport::Http).await;
        let ana = house.person("ana");
        let (room, to) = (house.lobby(), house.identity(&ana));
        let slack = house.app.slack.clone().expect("a workspace");
        // Once by the address that a command left behind, and once without one.
        for key in ["a/typed", "a/pressed"] {
            if key == "a/typed" {
                ana.types("/incident help", &house.ops).await;
                house.settled().await;
            } else {
                house.advance(Duration::from_secs(3_600));
            }
            let before = ana.whispers(&house.ops).len();
            house.slack.every_call_once(fault.clone(), 1, 0);
            let mut told = Err(());
            for _ in 0..20 {
                told = slack
                    .whisper(key, &room, &to, &long_post(&words))
                    .await
                    .map_err(drop);
                if told.is_ok() {
                    break;
                }
                house.advance(Duration::from_secs(5));
            }
            assert_eq!(told, Ok(()), "it gets through");
            house.slack.no_more_faults();
            let parts = ana.whispers(&house.ops).split_off(before);
            assert_eq!(parts.len(), 3, "{key} after {fault:?}");
            let all = parts.join("\n");
            for word in &words {
                assert_eq!(all.matches(word.as_str()).count(), 1, "{word} after {fault:?}");
            }
        }
        house.close().await;
    }
}

#[tokio::test]
async fn a_channel_whose_creation_was_lost_is_found_again_and_finished() {
    let house = House::open(Transport::Socket).await;
    house.slack.fault("conversations.create", 1, Fault::DropAfter);
    house.types("ana", "open Labels do not print severity=SEV2").await;
    house.advance(Duration::from_secs(5));
    house.settled().await;
    let rooms = house.slack.read(|slack| {
        let channels = slack.channels();
        channels
            .filter(|channel| channel.name.starts_with("inc-1"))
            .map(|channel| channel.name.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(rooms, ["inc-1-labels-do-not-print"]);
    let room = house.room().await;
    assert!(
        house
            .slack
            .read(|slack| slack.channel(&room).members.contains("U0ANA"))
    );
    house.close().await;
}

#[tokio::test]
async fn a_room_that_cannot_be_made_does_not_stop_the_incident() {
    let house = House::open(Transport::Socket).await;
    house
        .slack
        .fault("conversations.create", 1, Fault::Error("restricted_action"));
    let state = house.types("ana", "open Labels do not print severity=SEV2").await;
    let state = state.expect("an incident all the same");
    assert!(
        state
            .room_failed
            .as_deref()
            .is_some_and(|why| why.contains("restricted_action"))
    );
    house.close().await;
}

#[tokio::test]
async fn what_comes_while_slack_takes_its_time_to_tell_who_we_are_is_answered_with_words() {
    for is_command in [true, false] {
        let house = House::open(Transport::Http).await;
        let ana = house.person("ana");
        // What nobody told the bot of.
        house.slack.hold_events();
        let said = ana.says(&house.ops, "is anything slow?");
        house.slack.fault("auth.test", 1, Fault::Hang);
        let sent = match is_command {
            true => house.sends("ana", "list").await,
            false => ana.shortcut_on("orderly:timeline", &house.ops, &said),
        };
        // Slack's three seconds pass, in steps in which everything has its turn.
        let acknowledged = tokio::select! {
            biased;
            acknowledged = sent.outcome() => acknowledged,
            () = async {
                loop {
                    for _ in 0..200 {
                        tokio::task::yield_now().await;
                    }
                    house.advance(Duration::from_millis(250));
                }
            } => unreachable!("it goes on for ever"),
        };
        assert!(acknowledged.is_ok(), "{acknowledged:?}");
        ana.is_told(&house.ops, "Nothing was taken: try again").await;
        house.slack.release();
        house.sends("ana", "list").await.await;
        ana.is_told(&house.ops, "No incident").await;
        house.close().await;
    }
}

#[tokio::test]
async fn a_command_that_comes_before_slack_told_who_we_are_is_answered_with_words() {
    let house = House::open(Transport::Http).await;
    house.slack.fault("auth.test", 1, Fault::Limited(2));
    let sent = house.sends("ana", "open Labels do not print severity=SEV2").await;
    let told = sent.await.payload.to_string();
    assert!(told.contains("Nothing was taken: try again"), "{told}");
    house.advance(Duration::from_secs(2));
    let state = house.types("ana", "open Labels do not print severity=SEV2").await;
    assert!(state.is_some());
    house.close().await;
}

#[tokio::test]
async fn an_answer_is_shown_once_where_slacks_word_of_it_is_lost_and_another_way_where_it_failed() {
    let house = House::open(Transport::Http).await;
    let ana = house.person("ana");
    for fault in [Fault::DropAfter, Fault::Status(503)] {
        let before = ana.whispers(&house.ops).len();
        house.slack.fault("response_url", 1, fault.clone());
        house.types("ana", "status").await;
        let told = ana.whispers(&house.ops);
        assert_eq!(told.len(), before + 1, "{fault:?}: {told:#?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_file_that_slack_has_not_shown_yet_is_not_sent_again_for_its_link() {
    let house = House::open(Transport::Http).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    // Slack shares a file a moment after it said so, and holds back its link meanwhile.
    house.slack.fault("bookmarks.add", 1, Fault::Limited(2));
    house
        .slack
        .fault("conversations.history", 3, Fault::Error("not_there_yet"));
    house.types("ana", "export").await;
    let files = house.slack.read(|slack| {
        let messages = slack.channel(&room).messages.values();
        messages.map(|message| message.files.len()).sum::<usize>()
    });
    assert_eq!(files, 1);
    assert_eq!(house.slack.calls_of("files.completeUploadExternal").len(), 1);
    links_the_postmortem(&house).await;
    house.close().await;
}

#[tokio::test]
async fn the_page_stands_once_at_the_top_of_a_room_however_its_adding_went() {
    let page = "public_url = \"https://orderly.example.com\"\n";
    let house = House::with(Transport::Http, page).await;
    house.slack.fault("bookmarks.add", 2, Fault::DropAfter);
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let links = house.slack.read(|slack| slack.channel(&room).bookmarks.len());
    assert_eq!(links, 1);
    house.close().await;
}
