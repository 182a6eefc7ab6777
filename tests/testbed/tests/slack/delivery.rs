//! What reaches the bot, over both transports.

use std::time::Duration;

use orderly_testbed::slack::{Answer, Kind, SlackServer, signature};
use serde_json::{Value, json};

use crate::bot::{Api, endpoint};

#[tokio::test]
async fn what_people_do_arrives_as_events() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let mut socket = api.socket().await;

    let ts = ana.says(&ops, "5 < 6 & see https://example.com/x");
    let said = socket.event().await;
    assert_eq!(said["text"], "5 &lt; 6 &amp; see <https://example.com/x>");
    assert_eq!(
        (&said["channel_type"], &said["user"]),
        (&json!("channel"), &json!("U0ANA"))
    );
    ana.edits(&ops, &ts, "six");
    let edited = socket.event().await;
    assert_eq!(
        (&edited["subtype"], &edited["message"]["text"]),
        (&json!("message_changed"), &json!("six"))
    );
    assert_eq!(edited["message"]["edited"]["user"], "U0ANA");
    ana.reacts(&ops, &ts, "pushpin");
    assert_eq!(socket.event().await["item"]["ts"], json!(ts));
    let reply = ana.replies(&ops, &ts, &format!("<@{}> status", slack.bot_user()));
    let replied = socket.event().await;
    assert_eq!(
        (&replied["thread_ts"], &replied["ts"]),
        (&json!(ts), &json!(reply))
    );
    assert_eq!(socket.event().await["type"], "app_mention");
    ana.deletes(&ops, &reply);
    assert_eq!(socket.event().await["deleted_ts"], json!(reply));
    ana.uploads(&ops, "log.txt", "text/plain", b"lines");
    assert_eq!(socket.event().await["files"][0]["name"], "log.txt");
    assert_eq!(socket.event().await["type"], "file_shared");
    slack.all_delivered().await;
}

#[tokio::test]
async fn a_command_waits_for_its_acknowledgement_and_shows_its_answer() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let mut socket = api.socket().await;
    let sent = ana.types("/incident note <@U0ANA> saw it", &ops);
    let envelope = socket.next().await;
    assert_eq!(envelope["type"], "slash_commands");
    assert_eq!(envelope["payload"]["text"], "note <@U0ANA|ana> saw it");
    let url = envelope["payload"]["response_url"].as_str().unwrap().to_owned();
    slack.advance(Duration::from_secs(1));
    socket.ack(&envelope, json!({ "text": "Noted" })).await;
    let ack = sent.await;
    assert_eq!(ack.after, Duration::from_secs(1));
    for _ in 0..5 {
        assert_eq!(api.post(&url, &json!({ "text": "more" })).await.status(), 200);
    }
    assert_eq!(api.post(&url, &json!({ "text": "too much" })).await.status(), 404);
    assert_eq!(ana.whispers(&ops).len(), 6);
    assert_eq!(ana.whispers(&ops)[0], "Noted");
}

#[tokio::test]
async fn each_envelope_goes_to_one_connection_and_again_when_that_is_lost() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let (mut one, mut two) = (api.socket().await, api.socket().await);
    ana.says(&ops, "first");
    ana.says(&ops, "second");
    let (a, b) = (one.next().await, two.next().await);
    assert_eq!(
        (&a["payload"]["event"]["text"], &b["payload"]["event"]["text"]),
        (&json!("first"), &json!("second"))
    );
    two.ack(&b, Value::Null).await;
    drop(one);
    let again = two.next().await;
    assert_eq!(again["payload"]["event"]["text"], "first");
    assert_eq!(
        (&again["retry_attempt"], &again["payload"]["event_id"]),
        (&json!(1), &a["payload"]["event_id"])
    );
    two.ack(&again, Value::Null).await;
    slack.all_delivered().await;
}

#[tokio::test]
async fn an_event_that_is_not_acknowledged_comes_again_three_times() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let mut socket = api.socket().await;
    ana.says(&ops, "hello");
    for (attempt, wait) in [(0, 0), (1, 60), (2, 300), (3, 0)] {
        let envelope = socket.next().await;
        assert_eq!(envelope["retry_attempt"], attempt);
        slack.advance(Duration::from_secs(3));
        slack.advance(Duration::from_secs(wait));
    }
    slack.advance(Duration::from_secs(3600));
    assert_eq!(slack.read(|state| state.undelivered()), 0);
}

#[tokio::test]
async fn a_refresh_gives_nothing_more_to_the_old_connections() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let mut old = api.socket().await;
    slack.refresh_sockets();
    assert_eq!(old.next().await["reason"], "refresh_requested");
    let mut new = api.socket().await;
    ana.says(&ops, "to the new one");
    assert_eq!(new.event().await["text"], "to the new one");
}

#[tokio::test]
async fn over_http_everything_is_signed_and_retried() {
    let slack = SlackServer::start().await;
    let (base, mut came) = endpoint().await;
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    slack.deliver_over_http(&base);
    let verify = slack.verify_url("prove it");
    let answer = async {
        let asked = came.recv().await.expect("a request");
        let challenge = asked.json()["challenge"].as_str().unwrap().to_owned();
        asked.answer(200, &challenge);
    };
    assert_eq!(tokio::join!(verify, answer).0, Ok((200, json!("prove it"))));

    ana.says(&ops, "hello");
    let first = came.recv().await.expect("an event");
    let stamp = first.header("x-slack-request-timestamp").parse().unwrap();
    assert_eq!(
        first.header("x-slack-signature"),
        signature(&slack.signing_secret(), stamp, &first.body)
    );
    assert_eq!(
        (first.path.as_str(), first.header("x-slack-retry-num")),
        ("/slack/events", "")
    );
    first.answer(500, "");
    let second = came.recv().await.expect("the event again");
    assert_eq!(second.header("x-slack-retry-num"), "1");
    assert_eq!(second.header("x-slack-retry-reason"), "http_error");
    second.answer(200, "");
    slack.all_delivered().await;

    let sent = ana.types("/incident", &ops);
    let command = came.recv().await.expect("a command");
    assert!(command.body.contains("command=%2Fincident"), "{}", command.body);
    command.answer(200, "");
    assert_eq!(sent.await.payload, Value::Null);
    let late = ana.types("/incident", &ops);
    let _never_answered = came.recv().await.expect("a command");
    slack.advance(Duration::from_secs(3));
    assert_eq!(late.outcome().await, Err("http_timeout".to_owned()));
    assert!(slack.read(|state| state.calls().iter().all(|call| call.answer == Answer::Done)));
}

#[tokio::test]
async fn only_what_the_manifest_asks_for_is_delivered_and_allowed() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    slack.install(&json!({
        "features": { "slash_commands": [{ "command": "/incident" }], "shortcuts": [] },
        "oauth_config": { "scopes": { "bot": ["chat:write", "commands", "reactions:read"] } },
        "settings": { "event_subscriptions": { "bot_events": ["reaction_added"] }, "socket_mode_enabled": true },
    }));
    let mut socket = api.socket().await;
    let ts = ana.says(&ops, "not subscribed to");
    ana.reacts(&ops, &ts, "eyes");
    assert_eq!(socket.event().await["type"], "reaction_added");
    assert_eq!(
        api.refused("conversations.create", json!({ "name": "x" })).await,
        "missing_scope"
    );
    api.done("chat.postMessage", json!({ "channel": ops, "text": "allowed" }))
        .await;
}

#[tokio::test]
async fn strangers_and_other_bots_are_told_apart() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let (eve, pager) = (
        slack.account("eve", Kind::Stranger),
        slack.account("pager", Kind::Bot),
    );
    let ops = slack.channel("ops", &[&eve, &pager]);
    let mut socket = api.socket().await;
    eve.says(&ops, "hello from outside");
    assert_ne!(socket.event().await["user_team"], json!(slack.team_id()));
    pager.says(&ops, "disk is full");
    let said = socket.event().await;
    assert_eq!(
        (&said["bot_id"], &said["app_id"]),
        (&json!("B0PAGER"), &json!("A0OTHER001"))
    );
    let info = api.form("users.info", &[("user", eve.id())]).await;
    assert_eq!(info["user"]["is_stranger"], true);
}
