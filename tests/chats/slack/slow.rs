//! A slow database: people are told in time that nothing is confirmed, and in the end there is exactly one outcome.

use std::time::Duration;

use orderly::incident::{Event, Recorded, Stage};
use orderly_testbed::slack::{Ack, Fault, Sent};
use serde_json::json;

use super::kit::{House, INCIDENT, Transport};
use super::story::lived_until;
use crate::held::Held;

const OPEN: &str = "open The shop sells at negative prices severity=SEV2 process=order-routing target=shop runbook=demo-shop";

/// Longer than the bot waits for its database, and less than Slack waits for the bot.
const LONG: Duration = Duration::from_millis(1300);

/// Something is sent, the bot waits for its database, and loses patience before Slack does.
async fn sent_in_vain(house: &House, send: impl FnOnce() -> Sent) -> Result<Ack, String> {
    let waiting = house.clock.waiting();
    let sent = send();
    while house.clock.waiting() <= waiting {
        tokio::task::yield_now().await;
    }
    house.advance(LONG);
    sent.outcome().await
}

async fn opened(transport: Transport) -> (House, String) {
    let house = House::open(transport).await;
    house.types("ana", OPEN).await;
    let room = house.room().await;
    (house, room)
}

async fn count(house: &House, wanted: impl Fn(&Event) -> bool) -> usize {
    let store = house.app.sqlite.as_ref().expect("a file");
    let journal: Vec<Recorded> = orderly::engine::journal::load(store, INCIDENT)
        .await
        .expect("a journal that can be read");
    let events = journal.iter().filter_map(|recorded| recorded.event.as_ref());
    events.filter(|event| wanted(event)).count()
}

#[tokio::test]
async fn a_command_is_not_confirmed_in_time_and_carried_out_once() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let ana = house.person("ana");
        let held = Held::database(&house.database(), &house.app).await;
        let ack = sent_in_vain(&house, || ana.types("/incident note the import hangs", &room)).await;
        let ack = ack.expect("an acknowledgement in time");
        assert!(
            ack.payload["text"]
                .as_str()
                .is_some_and(|text| text.starts_with("Not confirmed yet")),
            "{:?}",
            ack.payload
        );
        assert!(ack.after < Duration::from_secs(3), "{:?}", ack.after);
        assert_eq!(
            count(&house, |event| matches!(event, Event::Noted { .. })).await,
            0
        );
        held.let_go(&house.app).await;
        house.settled().await;
        assert_eq!(
            count(&house, |event| matches!(event, Event::Noted { .. })).await,
            1
        );
        house.close().await;
    }
}

#[tokio::test]
async fn a_command_that_is_refused_later_is_told_so() {
    let (house, room) = opened(Transport::Socket).await;
    let ana = house.person("ana");
    let held = Held::database(&house.database(), &house.app).await;
    let ack = sent_in_vain(&house, || ana.types("/incident approve A7", &room)).await;
    assert!(ack.is_ok(), "{ack:?}");
    held.let_go(&house.app).await;
    house.settled().await;
    ana.is_told(&room, "There is no action A7").await;
    house.close().await;
}

#[tokio::test]
async fn a_command_that_waits_for_slack_to_say_who_gave_it_is_not_confirmed_and_carried_out_once() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let ben = house.person("ben");
        house.slack.fault("users.info", 2, Fault::Limited(30));
        let sent = ben.types("/incident note the import hangs", &room);
        let ack = sent.outcome().await.expect("an acknowledgement");
        assert!(ack.payload.is_null(), "it is stored: {:?}", ack.payload);
        ben.is_told(
            &room,
            "Not confirmed yet: it cannot be told now whether you may command",
        )
        .await;
        let is_note = |event: &Event| matches!(event, Event::Noted { .. });
        assert_eq!(count(&house, is_note).await, 0);
        house.settled().await;
        assert_eq!(count(&house, is_note).await, 1);
        let told = house.slack.read(|slack| {
            let shown = &slack.channel(&room).ephemerals;
            let words = shown.iter().map(|shown| slack.plain(&shown.message));
            words.filter(|words| words.contains("Not confirmed")).count()
        });
        assert_eq!(told, 1, "not each time that it is tried");
        house.close().await;
    }
}

#[tokio::test]
async fn a_press_is_not_confirmed_in_time_and_counts_once() {
    let (house, room) = opened(Transport::Http).await;
    lived_until(&house, "approve-pause").await;
    let card = house.slack.read(|slack| {
        let card = slack.find(&room, "A1").expect("the proposal");
        card.ts.clone()
    });
    let ben = house.person("ben");
    let held = Held::database(&house.database(), &house.app).await;
    let ack = sent_in_vain(&house, || ben.presses(&room, &card, "Approve")).await;
    assert!(ack.is_ok_and(|ack| ack.payload.is_null()));
    ben.is_told(&room, "Not confirmed yet").await;
    held.let_go(&house.app).await;
    let state = house.settled().await.expect("an incident");
    let proposal = state.proposals.values().next().expect("a proposal");
    assert!(
        matches!(proposal.stage, Stage::Verified { worked: true, .. }),
        "{:?}",
        proposal.stage
    );
    assert_eq!(
        count(&house, |event| matches!(event, Event::Approved { .. })).await,
        1
    );
    house.close().await;
}

#[tokio::test]
async fn a_form_that_was_sent_gives_way_to_words_and_then_to_its_outcome() {
    let (house, room) = opened(Transport::Socket).await;
    let ana = house.person("ana");
    ana.types("/incident frame", &room).await;
    let form = house.form(&ana).await.id;
    house.settled().await;
    let held = Held::database(&house.database(), &house.app).await;
    let values = json!({
        "what": "function", "detail": "the price import", "works": "orders", "who": "every customer",
        "impact": "we pay customers", "since": house.slack.now().timestamp() - 120,
    });
    let ack = sent_in_vain(&house, || ana.submits(&form, values)).await;
    let ack = ack.expect("an acknowledgement in time");
    assert_eq!(ack.payload["response_action"], "update", "{:?}", ack.payload);
    assert!(ana.form().await.body.to_string().contains("Not confirmed yet"));
    held.let_go(&house.app).await;
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    house
        .slack
        .until("the outcome in the form", |slack| {
            slack
                .form(ana.id())
                .is_some_and(|view| view.body["title"]["text"] == "Done")
        })
        .await;
    house.close().await;
}

#[tokio::test]
async fn a_form_that_is_refused_later_says_so_or_the_channel_does() {
    for closed in [false, true] {
        let (house, room) = opened(Transport::Http).await;
        let ana = house.person("ana");
        ana.types("/incident frame", &room).await;
        let form = house.form(&ana).await.id;
        house.settled().await;
        let held = Held::database(&house.database(), &house.app).await;
        let tomorrow = house.slack.now().timestamp() + 86_400;
        let values = json!({ "what": "function", "detail": "the price import", "since": tomorrow });
        let ack = sent_in_vain(&house, || ana.submits(&form, values)).await;
        assert!(ack.is_ok(), "{ack:?}");
        if closed {
            ana.closes(&form);
        }
        held.let_go(&house.app).await;
        let state = house.settled().await.expect("an incident");
        assert!(!state.frame.is_whole());
        if closed {
            ana.is_told(&room, "future").await;
        } else {
            house
                .slack
                .until("the refusal in the form", |slack| {
                    slack
                        .form(ana.id())
                        .is_some_and(|view| view.body["title"]["text"] == "Not done")
                })
                .await;
        }
        house.close().await;
    }
}

#[tokio::test]
async fn a_typed_command_opens_its_form_at_once_and_fills_it_when_the_database_goes_on() {
    for line in ["/incident frame", "/incident propose"] {
        let (house, room) = opened(Transport::Socket).await;
        let ana = house.person("ana");
        let held = Held::database(&house.database(), &house.app).await;
        let sent = sent_in_vain(&house, || ana.types(line, &room)).await;
        assert!(sent.is_ok(), "{sent:?}");
        let waiting = ana.form().await;
        assert_eq!(waiting.body["callback_id"], "orderly:wait");
        assert!(waiting.body["submit"].is_null(), "nothing can be sent from it");
        // Longer than the trigger lives: the view stands all the same.
        house.clock.advance(chrono::TimeDelta::seconds(10));
        held.let_go(&house.app).await;
        assert_eq!(house.form(&ana).await.id, waiting.id, "{line}");
        house.settled().await;
        house.close().await;
    }
}

#[tokio::test]
async fn a_form_that_slack_does_not_open_comes_after_all_or_is_said_not_to() {
    for transport in [Transport::Socket, Transport::Http] {
        let house = House::open(transport).await;
        let ana = house.person("ana");
        // The trigger lives on for a moment.
        house.slack.fault("views.open", 1, Fault::Status(503));
        ana.types("/incident", &house.ops).await;
        let form = house.form(&ana).await;
        ana.closes(&form.id);
        house.slack.fault("views.open", 1, Fault::Limited(30));
        ana.types("/incident", &house.ops).await;
        ana.is_told(&house.ops, "Run /incident open again").await;
        assert_eq!(house.slack.read(|slack| slack.forms_open(ana.id())), 0);
        house.settled().await;
        house.close().await;
    }
}

#[tokio::test]
async fn a_form_that_may_not_be_filled_says_why_in_its_place() {
    let (house, room) = opened(Transport::Http).await;
    let cleo = house.person("cleo");
    house.slack.change_account(&cleo, |account| {
        account.kind = orderly_testbed::slack::Kind::Guest
    });
    house.settled().await;
    cleo.joins(&room);
    cleo.types("/incident frame", &room).await;
    house
        .slack
        .until("the reason", |slack| {
            slack
                .form(cleo.id())
                .is_some_and(|view| view.body.to_string().contains("may read here, not command"))
        })
        .await;
    house.settled().await;
    house.close().await;
}

#[tokio::test]
async fn an_event_is_not_acknowledged_and_filed_once_when_slack_sends_it_again() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let ben = house.person("ben");
        ben.joins(&room);
        house.settled().await;
        let held = Held::database(&house.database(), &house.app).await;
        let waiting = house.clock.waiting();
        ben.says(&room, "is it only the labels?");
        while house.clock.waiting() <= waiting {
            tokio::task::yield_now().await;
        }
        house.advance(LONG);
        house.advance(LONG);
        house.advance(LONG);
        held.let_go(&house.app).await;
        // Slack's second try is at once, its third a minute after that came to nothing.
        house.advance(Duration::from_secs(61));
        house.advance(Duration::from_secs(61));
        house.settled().await;
        let log = house.log(&room).await;
        assert_eq!(log, ["is it only the labels?"], "{transport:?}");
        house.close().await;
    }
}
