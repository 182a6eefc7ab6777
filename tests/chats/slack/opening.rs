//! From `/incident open` to a whole room: what people wait for comes first, and nothing else waits for each other.

use orderly::incident::IncidentId;
use orderly_testbed::slack::{Answer, Call, Fault, SlackServer, State};

use crate::slack::kit::{House, PEOPLE, Transport};

const OPEN: &str = "open Labels do not print severity=SEV2";
const PAGE: &str = "public_url = \"https://orderly.example.com\"\n";

/// What follows the first prompt, each by itself.
const AFTERWARDS: [&str; 5] = [
    "conversations.invite",
    "conversations.setTopic",
    "conversations.setPurpose",
    "bookmarks.add",
    "pins.add",
];

async fn house() -> House {
    House::of(SlackServer::start().await, Transport::Socket, &PEOPLE, PAGE).await
}

fn calls(house: &House) -> Vec<Call> {
    house.slack.read(|slack| slack.calls().to_vec())
}

fn posts_a(call: &Call, part: &str) -> bool {
    let key = call
        .args
        .get("metadata")
        .map(|metadata| metadata["event_payload"]["key"].to_string());
    call.method == "chat.postMessage" && key.is_some_and(|key| key.contains(part))
}

#[tokio::test]
async fn the_first_prompt_stands_after_two_calls_and_everything_else_follows_side_by_side() {
    let house = house().await;
    let before = calls(&house).len();
    // None of these is answered before all of them are under way, and the card is there all the same.
    for method in AFTERWARDS {
        house.slack.fault(method, 1, Fault::Hang);
    }
    house
        .person("ana")
        .types(&format!("/incident {OPEN}"), &house.ops)
        .await;
    house
        .slack
        .until("all of it to be under way", |slack| {
            AFTERWARDS.iter().all(|method| {
                let calls = slack.calls_of(method);
                calls.iter().any(|call| call.answer == Answer::Open)
            })
        })
        .await;
    house
        .slack
        .until("the announcement", |slack| {
            let channel = slack
                .find_channel("incidents")
                .expect("the channel for announcements");
            slack.texts(&channel.id).len() == 1
        })
        .await;
    let made = calls(&house)[before..].to_vec();
    let create = made.iter().position(|call| call.method == "conversations.create");
    let prompt = made.iter().position(|call| posts_a(call, "/prompt:"));
    let (create, prompt) = (create.expect("a channel"), prompt.expect("a prompt"));
    let methods: Vec<&str> = made.iter().map(|call| call.method.as_str()).collect();
    assert_eq!(prompt, create + 1, "{methods:?}");
    // Slack was never asked about Ana before.
    assert_eq!(methods[..prompt], ["users.info", "conversations.create"]);
    assert!(made[prompt + 1..].iter().any(|call| posts_a(call, "/card@")));
    house.slack.release();
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.opening.number, IncidentId(1));
    let room = house.room().await;
    house.slack.read(|slack| {
        let channel = slack.channel(&room);
        assert!(channel.topic.value.contains("INC-1"), "{}", channel.topic.value);
        assert!(channel.purpose.value.contains("room of an incident"));
        assert_eq!((channel.pins.len(), channel.bookmarks.len()), (1, 1));
        assert_eq!(channel.bookmarks[0].link, "https://orderly.example.com");
    });
    let first = house.slack.texts(&room);
    assert!(first[0].starts_with("1 of 6 · Confirm"), "{}", first[0]);
    house.close().await;
}

#[tokio::test]
async fn one_of_them_that_fails_does_not_stop_the_others() {
    for broken in AFTERWARDS {
        let house = house().await;
        house.slack.fault(broken, 99, Fault::Error("restricted_action"));
        house.types("ana", OPEN).await;
        let room = house.room().await;
        let texts = house.slack.texts(&room);
        assert!(
            texts.iter().any(|text| text.starts_with("1 of 6")),
            "{broken}: {texts:#?}"
        );
        assert!(
            texts.iter().any(|text| text.starts_with("INC-1 · SEV2")),
            "{broken}: {texts:#?}"
        );
        assert_eq!(house.slack.texts("incidents").len(), 1, "{broken}");
        house.slack.read(|slack| {
            let channel = slack.channel(&room);
            let there = [
                ("conversations.invite", channel.members.contains("U0BEN")),
                ("conversations.setTopic", !channel.topic.value.is_empty()),
                ("conversations.setPurpose", !channel.purpose.value.is_empty()),
                ("bookmarks.add", !channel.bookmarks.is_empty()),
                ("pins.add", !channel.pins.is_empty()),
            ];
            for (method, there) in there {
                assert_eq!(there, method != broken, "{method} while {broken} fails");
            }
        });
        house.close().await;
    }
}

#[tokio::test]
async fn those_entitled_come_in_by_role_and_by_group_and_a_stranger_keeps_nobody_out() {
    let slack = SlackServer::start().await;
    slack.group("oncall", &[&slack.person("dan"), &slack.person("eva")]);
    let gone = slack.person("fay");
    let people = [
        ("ana", r#"["commander"]"#),
        ("ben", r#"["approver"]"#),
        ("cleo", r#"["responder"]"#),
        ("fay", r#"["approver"]"#),
    ];
    let group = "[[group]]\nplatform = \"slack\"\ngroup = \"@oncall\"\nroles = [\"deputy\"]\n";
    let house = House::of(slack, Transport::Socket, &people, group).await;
    house
        .slack
        .change_account(&gone, |account| account.deleted = true);
    house.types("ana", OPEN).await;
    let room = house.room().await;
    let mut members = house.slack.read(|slack| slack.channel(&room).members.clone());
    members.remove(&house.slack.bot_user());
    let members: Vec<_> = members.into_iter().collect();
    assert_eq!(members, ["U0ANA", "U0BEN", "U0DAN", "U0EVA"]);
    assert_eq!(
        house.slack.calls_of("conversations.invite").len(),
        1,
        "all in one call"
    );
    house.close().await;
}

#[tokio::test]
async fn nobody_comes_into_a_private_room_by_themselves() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", "open Payroll is wrong --private").await;
    let room = house.room().await;
    let members = house.slack.read(|slack| slack.channel(&room).members.clone());
    assert!(
        members.contains("U0ANA") && !members.contains("U0BEN"),
        "{members:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn a_room_that_got_its_first_prompt_before_the_crash_is_finished_and_not_made_twice() {
    let house = House::mortal(Transport::Http).await;
    house.slack.fault("chat.postMessage", 1, Fault::HangAfter);
    house
        .person("ana")
        .types(&format!("/incident {OPEN}"), &house.ops)
        .await;
    house
        .slack
        .until("the prompt", |slack| {
            slack.calls_of("chat.postMessage").len() == 1
        })
        .await;
    let house = house.killed().await;
    house.settled().await;
    let rooms = house.slack.read(|slack| {
        let rooms = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-"));
        rooms.count()
    });
    assert_eq!(rooms, 1);
    let room = house.room().await;
    let prompts = house.slack.texts(&room);
    let prompts = prompts.iter().filter(|text| text.starts_with("1 of 6"));
    assert_eq!(prompts.count(), 1);
    house.close().await;
}

/// An incident is opened, and the first question stands where that was typed: its room cannot be made yet.
async fn asked_where_it_was_opened(house: &House) {
    let command = format!("/incident {OPEN}");
    house.person("ana").types(&command, &house.ops).await;
    house.slack.all_delivered().await;
    house.app.engine.quiet().await;
    let asked = house.slack.texts(&house.ops);
    assert!(
        asked.len() == 1 && asked[0].starts_with("1 of 6 · Confirm"),
        "{asked:#?}"
    );
}

#[tokio::test]
async fn a_room_that_cannot_be_made_at_once_has_its_first_question_where_it_was_opened() {
    let house = House::open(Transport::Socket).await;
    house.slack.fault("conversations.create", 5, Fault::Status(500));
    let begun = house.slack.now();
    asked_where_it_was_opened(&house).await;
    assert_eq!(house.slack.now(), begun, "after the first failure");
    house.settled().await;
    let room = house.room().await;
    assert!(house.slack.texts(&room)[0].starts_with("1 of 6 · Confirm"));
    let left = house.slack.texts(&house.ops);
    assert!(
        left.len() == 1 && left[0].starts_with("INC-1 goes on in its room"),
        "{left:#?}"
    );
    house.close().await;
}

#[tokio::test]
async fn while_the_room_has_to_wait_the_first_question_stands_where_it_was_opened() {
    let house = House::open(Transport::Socket).await;
    house.slack.fault("conversations.create", 1, Fault::Limited(40));
    let begun = house.slack.now();
    asked_where_it_was_opened(&house).await;
    // Answered right there, without the room.
    let question = house.slack.read(|slack| {
        let messages = &slack.channel(&house.ops).messages;
        messages.keys().next().expect("the question").clone()
    });
    house
        .person("ana")
        .presses(&house.ops, &question, "Frame it")
        .await;
    house.form(&house.person("ana")).await;
    assert_eq!(house.slack.now(), begun, "nobody waited for that");
    house.settled().await;
    let room = house.room().await;
    assert!(house.slack.texts(&room)[0].starts_with("1 of 6 · Confirm"));
    let left = house.slack.texts(&house.ops);
    assert!(
        left.len() == 1 && left[0].starts_with("INC-1 goes on in its room"),
        "two prompts would be answered twice: {left:#?}"
    );
    house.close().await;
}

/// An incident is opened where incidents are announced, and its room cannot be made at once. What goes wrong with the first
/// question, which is asked there meanwhile, and the channel.
async fn opened_where_it_is_announced(fault: Fault, times: usize) -> (House, String) {
    let house = House::open(Transport::Socket).await;
    let find = |slack: &State| slack.find_channel("incidents").map(|channel| channel.id.clone());
    let incidents = house.slack.read(find).expect("a channel");
    house.slack.fault("conversations.create", 1, Fault::Status(500));
    house.slack.fault("chat.postMessage", times, fault);
    house
        .person("ana")
        .types(&format!("/incident {OPEN}"), &incidents)
        .await;
    house.slack.all_delivered().await;
    (house, incidents)
}

fn assert_announced_once(house: &House, incidents: &str) {
    let left = house.slack.texts(incidents);
    assert!(
        left.len() == 1 && left[0].contains("Labels do not print") && !left[0].contains("Confirm"),
        "{left:#?}"
    );
}

#[tokio::test]
async fn the_announcement_takes_the_place_of_a_question_that_is_still_being_asked_there() {
    let (house, incidents) = opened_where_it_is_announced(Fault::HangAfter, 1).await;
    house
        .slack
        .until("the question", |slack| slack.texts(&incidents).len() == 1)
        .await;
    let has_room = async || {
        house
            .state()
            .await
            .is_some_and(|state| state.first_room.is_some())
    };
    house.passes_until(has_room).await;
    house.slack.release();
    house.settled().await;
    assert_announced_once(&house, &incidents);
    house.close().await;
}

#[tokio::test]
async fn the_announcement_takes_the_place_of_a_question_whose_answer_was_lost() {
    let (house, incidents) = opened_where_it_is_announced(Fault::DropAfter, 3).await;
    house.settled().await;
    assert_announced_once(&house, &incidents);
    house.close().await;
}
