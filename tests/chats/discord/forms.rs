//! Forms that somebody is filling in while the program is restarted: nothing that was chosen or typed is lost.

use std::collections::BTreeMap;

use orderly::chat::{Chat, Field, FieldKind, Form, Trigger};
use orderly::incident::Identity;
use orderly_testbed::discord::Person;
use serde_json::{Value, json};

use super::kit::House;

const MENU: &str = "Down, slow, or one function";

async fn opened() -> (House, String) {
    let house = House::open().await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    (house, room)
}

/// Somebody asks for the form of the frame; gives the message with its menus.
async fn page(house: &House, ana: &Person, room: &str) -> String {
    let sent = ana.types("/incident frame", room);
    house.answered(&sent).await;
    house.settled().await;
    ana.is_told(room, "Go on").await
}

async fn chooses(house: &House, ana: &Person, room: &str, page: &str) {
    let chosen = ana.chooses(room, page, MENU, &["function"]);
    house.answered(&chosen).await;
    house.settled().await;
}

/// Goes on to the words and sends them.
async fn ends(house: &House, ana: &Person, room: &str, page: &str) {
    let on = ana.presses(room, page, "Go on");
    house.answered(&on).await;
    house.settled().await;
    let words = ana.form().await;
    let filled = json!({
        "detail": "the price import", "since": "10m ago", "works": "orders", "who": "every customer",
        "impact": "we pay them",
    });
    let sent = ana.submits(&words, &filled);
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    assert!(
        format!("{:?}", state.frame).contains("the price import"),
        "{:?}",
        state.frame
    );
}

#[tokio::test]
async fn what_was_chosen_before_a_restart_needs_not_be_chosen_again() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = page(&house, &ana, &room).await;
    chooses(&house, &ana, &room, &form).await;
    let house = house.restarted().await;
    ends(&house, &ana, &room, &form).await;
    house.close().await;
}

#[tokio::test]
async fn a_page_that_was_shown_before_a_restart_still_takes_choices() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = page(&house, &ana, &room).await;
    let house = house.restarted().await;
    chooses(&house, &ana, &room, &form).await;
    ends(&house, &ana, &room, &form).await;
    house.close().await;
}

#[tokio::test]
async fn a_switch_keeps_its_place_over_a_restart() {
    let house = House::open().await;
    let ana = house.person("ana");
    let ops = house.ops.clone();
    let sent = ana.types("/incident open", &ops);
    house.answered(&sent).await;
    house.settled().await;
    let form = ana.is_told(&ops, "Open an incident").await;
    let chosen = ana.chooses(&ops, &form, "SEV1 is worst", &["SEV1"]);
    house.answered(&chosen).await;
    let house = house.restarted().await;
    let turned = ana.presses(&ops, &form, "☐ Only for those invited");
    house.answered(&turned).await;
    let on = ana.presses(&ops, &form, "Go on");
    house.answered(&on).await;
    house.settled().await;
    let words = ana.form().await;
    let sent = ana.submits(&words, &json!({ "What is wrong": "Labels do not print" }));
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.severity.to_string(), "SEV1");
    assert!(state.opening.private);
    house.close().await;
}

fn in_vain(house: &House) -> Value {
    let tomorrow = (house.discord.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    json!({ "detail": "the price import", "since": tomorrow, "works": "orders" })
}

const RIGHT: [(&str, &str); 3] = [
    ("since", "10m ago"),
    ("who", "every customer"),
    ("impact", "we pay them"),
];

/// Opens the form of which something was wrong, adds what is right, and sends it.
async fn mends(house: &House, ana: &Person, room: &str, wrong: &str) {
    let on = ana.presses(room, wrong, "Mend it");
    house.answered(&on).await;
    house.settled().await;
    let words = ana.form().await;
    let shown = house.discord.read(|state| state.form_text(&words));
    assert!(
        shown.contains("the price import") && shown.contains("orders"),
        "{shown}"
    );
    let right = RIGHT
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)));
    let sent = ana.submits(&words, &Value::Object(right.collect()));
    house.answered(&sent).await;
}

async fn is_mended(house: &House) {
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    assert_eq!(state.frame.works.as_deref(), Some("orders"));
}

#[tokio::test]
async fn words_that_were_refused_after_a_restart_are_given_back() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = page(&house, &ana, &room).await;
    chooses(&house, &ana, &room, &form).await;
    let on = ana.presses(&room, &form, "Go on");
    house.answered(&on).await;
    let words = ana.form().await;
    let house = house.restarted().await;
    let sent = ana.submits(&words, &in_vain(&house));
    house.answered(&sent).await;
    let wrong = ana.is_told(&room, "future").await;
    assert_eq!(ana.is_told(&room, "the price import").await, wrong);
    let state = house.settled().await.expect("an incident");
    assert!(!state.frame.is_whole());
    mends(&house, &ana, &room, &wrong).await;
    is_mended(&house).await;
    house.close().await;
}

#[tokio::test]
async fn what_was_wrong_before_a_restart_is_mended_after_it() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let form = page(&house, &ana, &room).await;
    chooses(&house, &ana, &room, &form).await;
    let on = ana.presses(&room, &form, "Go on");
    house.answered(&on).await;
    let words = ana.form().await;
    let sent = ana.submits(&words, &in_vain(&house));
    house.answered(&sent).await;
    let wrong = ana.is_told(&room, "When it began").await;
    let house = house.restarted().await;
    mends(&house, &ana, &room, &wrong).await;
    is_mended(&house).await;
    house.close().await;
}

#[tokio::test]
async fn a_form_is_one_message_that_turns_into_its_answer() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    let before = ana.whispers(&room).len();
    let form = page(&house, &ana, &room).await;
    chooses(&house, &ana, &room, &form).await;
    let on = ana.presses(&room, &form, "Go on");
    house.answered(&on).await;
    let words = ana.form().await;
    let sent = ana.submits(&words, &in_vain(&house));
    house.answered(&sent).await;
    let wrong = ana.is_told(&room, "When it began").await;
    assert_eq!(wrong, form, "what is wrong takes the place of the choices");
    mends(&house, &ana, &room, &wrong).await;
    is_mended(&house).await;
    let left = ana.whispers(&room);
    assert_eq!(left.len(), before + 1, "{left:#?}");
    for gone in ["Mend it", "Go on", MENU] {
        assert!(!left.concat().contains(gone), "{gone}: {left:#?}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_stood_between_two_modals_is_gone_with_the_last() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    begins(&house, &ana, &room).await;
    fills(&house, &ana, &first_words()).await;
    goes_on(&house, &ana, &room, "Fields left: 1", "Go on").await;
    fills(&house, &ana, &json!({ "since": "10m ago" })).await;
    is_framed(&house).await;
    let left = ana.whispers(&room).concat();
    assert!(
        !left.contains("Fields left") && !left.contains("Open the form"),
        "{left}"
    );
    house.close().await;
}

/// The frame asked for in words alone: more than a modal holds, as no command has them yet and one may.
fn long_form() -> Form {
    let field = |name: &str| Field {
        name: name.to_owned(),
        label: name.to_owned(),
        hint: None,
        kind: FieldKind::Line,
        value: None,
        required: false,
    };
    Form {
        path: "frame".to_owned(),
        fixed: BTreeMap::new(),
        title: "Say what is wrong".to_owned(),
        intro: None,
        fields: ["what", "detail", "works", "who", "impact", "since"]
            .map(field)
            .to_vec(),
        submit: "Frame it".to_owned(),
    }
}

/// Somebody is given that form, and opens its first words.
async fn begins(house: &House, ana: &Person, room: &str) {
    let sent = ana.types("/incident status", room);
    house.answered(&sent).await;
    let state = house.settled().await.expect("an incident");
    let (discord, guild) = (house.app.discord.clone(), house.discord.guild_id());
    let trigger = Trigger {
        token: format!("{}/{}", sent.id(), sent.token()),
        expires: house.discord.now(),
    };
    let who = Identity {
        platform: "discord".to_owned(),
        workspace: guild,
        user: ana.id().to_owned(),
    };
    let asked = discord.expect("a server");
    let asked = asked.ask(&trigger, &state.rooms[0].at, &who, &long_form()).await;
    asked.expect("a form");
    goes_on(house, ana, room, "the form is ready", "Open the form").await;
}

async fn goes_on(house: &House, ana: &Person, room: &str, told: &str, button: &str) {
    let message = ana.is_told(room, told).await;
    let on = ana.presses(room, &message, button);
    house.answered(&on).await;
    house.settled().await;
}

async fn fills(house: &House, ana: &Person, words: &Value) {
    let modal = ana.form().await;
    let sent = ana.submits(&modal, words);
    house.answered(&sent).await;
}

const FIRST_WORDS: [(&str, &str); 5] = [
    ("what", "function"),
    ("detail", "the *price* import"),
    ("works", "orders"),
    ("who", "every customer"),
    ("impact", "we pay them"),
];

fn first_words() -> Value {
    FIRST_WORDS
        .into_iter()
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

async fn is_framed(house: &House) {
    let state = house.settled().await.expect("an incident");
    assert!(state.frame.is_whole(), "{:?}", state.frame);
    assert_eq!(state.frame.what.as_deref(), Some("the *price* import"));
    assert_eq!(state.frame.impact.as_deref(), Some("we pay them"));
}

#[tokio::test]
async fn what_was_typed_first_is_there_after_a_restart_between_two_modals() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    begins(&house, &ana, &room).await;
    fills(&house, &ana, &first_words()).await;
    let house = house.restarted().await;
    goes_on(&house, &ana, &room, "Fields left: 1", "Go on").await;
    fills(&house, &ana, &json!({ "since": "10m ago" })).await;
    is_framed(&house).await;
    house.close().await;
}

#[tokio::test]
async fn a_second_modal_that_was_open_before_a_restart_is_taken_with_the_first() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    begins(&house, &ana, &room).await;
    fills(&house, &ana, &first_words()).await;
    goes_on(&house, &ana, &room, "Fields left: 1", "Go on").await;
    let house = house.restarted().await;
    fills(&house, &ana, &json!({ "since": "10m ago" })).await;
    is_framed(&house).await;
    house.close().await;
}

#[tokio::test]
async fn a_first_modal_that_was_open_before_a_restart_is_not_taken_for_the_whole() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    begins(&house, &ana, &room).await;
    let house = house.restarted().await;
    fills(&house, &ana, &first_words()).await;
    goes_on(&house, &ana, &room, "Fields left: 1", "Go on").await;
    fills(&house, &ana, &json!({ "since": "10m ago" })).await;
    is_framed(&house).await;
    house.close().await;
}

#[tokio::test]
async fn what_is_kept_between_two_modals_holds_no_secret() {
    let (house, room) = opened().await;
    let ana = house.person("ana");
    begins(&house, &ana, &room).await;
    let words = json!({ "what": "function", "detail": "the password is password=tiger-4711-lake" });
    fills(&house, &ana, &words).await;
    let kept = ana.is_told(&room, "Fields left: 1").await;
    let shown = house.discord.read(|discord| {
        let message = discord.channel(&room).messages.get(&kept);
        discord.plain(message.expect("the message between"))
    });
    assert!(
        shown.contains("the password is") && !shown.contains("tiger"),
        "{shown}"
    );
    house.close().await;
}
