//! Forms that somebody is filling in while the program is restarted: nothing that was chosen or typed is lost.

use orderly_testbed::discord::Person;
use serde_json::json;

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
    let tomorrow = (house.discord.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let filled = json!({ "detail": "the price import", "since": tomorrow });
    let sent = ana.submits(&words, &filled);
    house.answered(&sent).await;
    ana.is_told(&room, "the price import").await;
    ana.is_told(&room, "future").await;
    let state = house.settled().await.expect("an incident");
    assert!(!state.frame.is_whole());
    house.close().await;
}
