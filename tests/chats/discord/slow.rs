//! A slow database: people are told in time that nothing is confirmed, and in the end there is exactly one outcome.

use std::time::Duration;

use orderly::incident::{Event, Recorded};
use orderly_testbed::discord::{Answer, Modal, Person, Sent};
use serde_json::{Value, json};

use super::kit::{House, INCIDENT};
use super::story::lived_until;
use super::typing::natively;
use crate::held::{Held, Undecided};

const OPEN: &str = "open The shop sells at negative prices severity=SEV2 process=order-routing target=shop runbook=demo-shop";

/// Longer than the bot waits for its database, and less than Discord waits for the bot.
const LONG: Duration = Duration::from_millis(1300);

async fn opened() -> (House, String) {
    let house = House::open().await;
    house.types("ana", OPEN).await;
    let room = house.room().await;
    (house, room)
}

async fn held(house: &House) -> Held {
    Held::database(&house.database(), &house.app).await
}

/// Something is sent, the bot waits for its database and for its own patience, and loses the first before Discord does.
async fn sent_in_vain(house: &House, send: impl FnOnce() -> Sent) -> Answer {
    let waiting = house.clock.waiting();
    let sent = send();
    while house.clock.waiting() < waiting + 2 {
        tokio::task::yield_now().await;
    }
    house.advance(LONG);
    sent.outcome().await.expect("an answer in time")
}

async fn count(house: &House, wanted: impl Fn(&Event) -> bool) -> usize {
    let store = house.app.sqlite.as_ref().expect("a file");
    let journal: Vec<Recorded> = orderly::engine::journal::load(store, INCIDENT)
        .await
        .expect("a journal that can be read");
    let events = journal.iter().filter_map(|recorded| recorded.event.as_ref());
    events.filter(|event| wanted(event)).count()
}

/// Somebody gets as far as the words of a frame.
async fn frame(house: &House, ana: &Person, room: &str) -> Modal {
    let sent = ana.types("/incident frame", room);
    house.answered(&sent).await;
    let form = ana.is_told(room, "Go on").await;
    let chosen = ana.chooses(room, &form, "Down, slow, or one function", &["function"]);
    house.answered(&chosen).await;
    let on = ana.presses(room, &form, "Go on");
    house.answered(&on).await;
    house.settled().await;
    ana.form().await
}

fn words(since: &str) -> Value {
    json!({
        "detail": "the price import", "since": since, "works": "orders", "who": "every customer",
        "impact": "we pay them",
    })
}

fn told(ana: &Person, room: &str, part: &str) -> usize {
    let shown = ana.whispers(room);
    shown.iter().filter(|text| text.contains(part)).count()
}

#[tokio::test]
async fn a_command_is_not_confirmed_in_time_and_carried_out_once() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let held = held(&house).await;
    let (path, options) = natively("note the import hangs");
    let path = format!("incident {path}");
    let answer = sent_in_vain(&house, || ana.commands(&path, &options, &room)).await;
    assert!(
        answer.data.to_string().contains("Not confirmed yet"),
        "{answer:?}"
    );
    assert!(answer.after < Duration::from_secs(3), "{answer:?}");
    let is_note = |event: &Event| matches!(event, Event::Noted { .. });
    assert_eq!(count(&house, is_note).await, 0);
    held.let_go(&house.app).await;
    house.settled().await;
    assert_eq!(count(&house, is_note).await, 1);
    house.close().await;
}

#[tokio::test]
async fn a_command_that_is_refused_later_is_told_so() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let held = held(&house).await;
    let which = json!({ "proposal": "A7" });
    sent_in_vain(&house, || ana.commands("incident action approve", &which, &room)).await;
    held.let_go(&house.app).await;
    ana.is_told(&room, "There is no action A7").await;
    house.settled().await;
    assert_eq!(told(&ana, &room, "There is no action A7"), 1);
    assert_eq!(told(&ana, &room, "Not confirmed yet"), 1);
    house.close().await;
}

#[tokio::test]
async fn a_press_is_not_confirmed_in_time_and_counts_once() {
    let (house, room) = opened().await;
    lived_until(&house, "approve-pause").await;
    let card = house.message(&room, "A1");
    let ben = house.person("ben");
    let held = held(&house).await;
    sent_in_vain(&house, || ben.presses(&room, &card, "Approve")).await;
    ben.is_told(&room, "Not confirmed yet").await;
    held.let_go(&house.app).await;
    house.settled().await;
    let is_approval = |event: &Event| matches!(event, Event::Approved { .. });
    assert_eq!(count(&house, is_approval).await, 1);
    house.close().await;
}

#[tokio::test]
async fn a_form_that_was_sent_is_not_confirmed_and_done_once() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = frame(&house, &ana, &room).await;
    let held = held(&house).await;
    let answer = sent_in_vain(&house, || ana.submits(&form, &words("10m ago"))).await;
    assert!(
        answer.data.to_string().contains("Not confirmed yet"),
        "{answer:?}"
    );
    held.let_go(&house.app).await;
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    assert_eq!(told(&ana, &room, "Mend it"), 0);
    assert_eq!(told(&ana, &room, "Not confirmed yet"), 1);
    house.close().await;
}

#[tokio::test]
async fn a_form_whose_button_is_pressed_once_more_while_it_is_sent_counts_once() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = frame(&house, &ana, &room).await;
    let page = ana.is_told(&room, "Go on").await;
    let held = held(&house).await;
    let sent = ana.submits(&form, &words("10m ago"));
    let again = ana.presses(&room, &page, "Go on");
    held.let_go(&house.app).await;
    house.answered(&sent).await;
    house.answered(&again).await;
    house.settled().await;
    let is_frame = |event: &Event| matches!(event, Event::Framed { .. });
    assert_eq!(count(&house, is_frame).await, 1);
    house.close().await;
}

#[tokio::test]
async fn a_form_that_is_refused_later_says_what_is_wrong_and_comes_back_filled_in() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = frame(&house, &ana, &room).await;
    let held = held(&house).await;
    let tomorrow = (house.discord.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    sent_in_vain(&house, || ana.submits(&form, &words(&tomorrow))).await;
    assert_eq!(
        told(&ana, &room, "Mend it"),
        0,
        "nothing invites to send it twice"
    );
    held.let_go(&house.app).await;
    let wrong = ana.is_told(&room, "When it began").await;
    let again = ana.presses(&room, &wrong, "Mend it");
    house.answered(&again).await;
    let form = ana.form().await;
    let shown = house.discord.read(|state| state.form_text(&form));
    assert!(shown.contains("the price import"), "{shown}");
    house.close().await;
}

#[tokio::test]
async fn a_form_that_is_stored_and_not_decided_is_not_to_be_sent_again() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = frame(&house, &ana, &room).await;
    let undecided = Undecided::database(&house.database()).await;
    let tomorrow = (house.discord.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let sent = ana.submits(&form, &words(&tomorrow));
    ana.is_told(&room, "Not confirmed yet").await;
    sent.await;
    house.app.engine.quiet().await;
    assert_eq!(told(&ana, &room, "Mend it"), 0);
    undecided.let_go().await;
    house.settled().await;
    ana.is_told(&room, "When it began").await;
    house.settled().await;
    assert_eq!(told(&ana, &room, "Mend it"), 1);
    assert_eq!(told(&ana, &room, "Not confirmed yet"), 1);
    house.close().await;
}
