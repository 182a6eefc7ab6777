//! The fake Slack checked with Slack's own libraries: a small bot on Bolt for JavaScript and one on slack_sdk live
//! through the same day. What those libraries send and understand is Slack; what only we believe is not.

use std::time::Duration;

use chrono::{DateTime, Utc};
use orderly_testbed::slack::{Fault, SlackServer};
use serde_json::json;

use crate::bots::{self, Bot};

fn start(program: &str, script: &str, slack: &SlackServer, port: Option<u16>) -> Bot {
    let mut settings = vec![
        ("API_URL", slack.api_url()),
        ("BOT_TOKEN", slack.bot_token()),
        ("APP_TOKEN", slack.app_token()),
        ("SIGNING_SECRET", slack.signing_secret()),
    ];
    settings.extend(port.map(|port| ("PORT", port.to_string())));
    bots::start(program, script, &settings)
}

/// Bolt compares the stamp of a signed request with the machine's clock.
#[allow(clippy::disallowed_methods)]
fn machine_time() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now())
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// What both bots live through.
async fn a_day(slack: &SlackServer) {
    let (ana, ben) = (slack.person("ana"), slack.person("ben"));
    let ops = slack.read(|state| state.channel("ops").id.clone());
    let ready = format!("ready: {} in {}", slack.bot_user(), slack.team_id());
    slack
        .until("the bot to be ready", |state| {
            state.texts("ops") == [ready.as_str()]
        })
        .await;

    ana.types("/incident", &ops).await;
    let form = ana.form().await;
    let asked = ana.searches_in(&form.id, "Target", "north").await;
    assert_eq!(asked.payload["options"][0]["value"], "odoo-north");
    ana.submits(&form.id, json!({ "Summary": "Orders", "Target": "odoo-north" }))
        .await;
    assert_eq!(
        ana.form().await.errors["what"],
        "Say what is down, slow or wrong."
    );
    slack.fault("chat.postMessage", 1, Fault::Limited(1));
    ana.submits(&form.id, json!({ "Summary": "Orders hang" })).await;
    slack
        .until("the file", |state| state.find("inc-1", "[file: Notes]").is_some())
        .await;
    let (room, card) = slack.read(|state| {
        let room = state.channel("inc-1");
        let card = room
            .messages
            .values()
            .find(|message| message.metadata.is_some())
            .expect("the card");
        assert_eq!(
            state.pinned_texts("inc-1"),
            ["Incident 1\nOrders hang on odoo-north\n[Approve]"]
        );
        assert_eq!(state.texts("inc-1")[1], "So far\n[file: Notes]");
        assert_eq!(
            (room.topic.value.as_str(), room.bookmarks[0].title.as_str()),
            ("SEV1", "Runbook")
        );
        assert_eq!(state.files().next().expect("a file").bytes, b"# Notes");
        assert!(room.has(ana.id()));
        (room.id.clone(), card.ts.clone())
    });

    ben.joins(&room);
    ben.presses(&room, &card, "Approve").await;
    ben.is_told(&room, "Thank you").await;
    assert_eq!(slack.texts("inc-1")[0], "proposal-1 approved by @ben");
    let said = ana.says(&room, "the queue is full");
    ben.reacts(&room, &said, "pushpin");
    slack
        .until("the note", |state| {
            state.thread(&room, &said) == ["Noted: the queue is full"]
        })
        .await;
    ana.replies(&room, &said, &format!("<@{}> status", slack.bot_user()));
    slack
        .until("an answer", |state| {
            state.find(&room, "At your service, @ana").is_some()
        })
        .await;
    ben.shortcut_on("task", &room, &said).await;
    ben.is_told(&room, "Task: the queue is full").await;
    ana.opens_home();
    let home = ana.home().await;
    assert_eq!(slack.read(|state| state.view_text(&home)), "*Open incidents*");
    slack.all_delivered().await;
}

/// New connections are made when Slack asks for them, and everything goes on.
async fn a_refresh(slack: &SlackServer) {
    let ana = slack.person("ana");
    let room = slack.read(|state| state.channel("inc-1").id.clone());
    slack.refresh_sockets();
    slack.connected(1).await;
    let said = ana.says(&room, "after the refresh");
    ana.reacts(&room, &said, "pushpin");
    slack
        .until("a note over the new socket", |state| {
            state.thread(&room, &said).len() == 1
        })
        .await;
}

async fn workspace() -> SlackServer {
    let slack = SlackServer::start_at(machine_time()).await;
    slack.limits(false);
    let ana = slack.person("ana");
    slack.channel("first", &[]);
    slack.channel("ops", &[&ana, &slack.person("ben")]);
    slack
}

#[tokio::test]
async fn bolt_for_javascript_lives_a_day_over_socket_mode() {
    let slack = workspace().await;
    let _bot = start("node", "bot.mjs", &slack, None);
    slack.connected(1).await;
    a_day(&slack).await;
    a_refresh(&slack).await;
    slack.assert_clean();
}

#[tokio::test]
async fn bolt_for_javascript_lives_a_day_over_signed_http() {
    let slack = workspace().await;
    let port = free_port();
    slack.deliver_over_http(&format!("http://127.0.0.1:{port}"));
    let _bot = start("node", "bot.mjs", &slack, Some(port));
    a_day(&slack).await;
    slack.advance(Duration::from_secs(60));
    slack.assert_clean();
}

#[tokio::test]
async fn slack_sdk_for_python_lives_a_day_over_socket_mode() {
    let slack = workspace().await;
    let _bot = start("python3", "bot.py", &slack, None);
    slack.connected(1).await;
    a_day(&slack).await;
    a_refresh(&slack).await;
    slack.assert_clean();
}
