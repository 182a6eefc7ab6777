//! What goes wrong on demand.

use orderly_testbed::slack::{Answer, Fault, SlackServer};
use serde_json::{Value, json};

use crate::bot::Api;

#[tokio::test]
async fn calls_fail_in_every_way() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ops = slack.channel("ops", &[]);
    let post = |text: &str| {
        api.request("chat.postMessage", &json!({ "channel": ops, "text": text }))
            .send()
    };
    slack.fault("chat.postMessage", 1, Fault::Limited(7));
    assert_eq!(post("a").await.unwrap().headers()["retry-after"], "7");
    slack.fault("chat.postMessage", 1, Fault::Status(503));
    assert_eq!(post("b").await.unwrap().status(), 503);
    slack.fault("chat.postMessage", 1, Fault::Error("fatal_error"));
    assert_eq!(
        post("c").await.unwrap().json::<Value>().await.unwrap()["error"],
        "fatal_error"
    );
    slack.fault("chat.postMessage", 1, Fault::DropBefore);
    assert!(post("d").await.is_err());
    slack.fault("chat.postMessage", 1, Fault::DropAfter);
    assert!(post("e").await.is_err());
    assert_eq!(slack.texts("ops"), ["e"]);
    let answers: Vec<Answer> = slack
        .calls_of("chat.postMessage")
        .into_iter()
        .map(|call| call.answer)
        .collect();
    assert_eq!(
        answers[3..],
        [Answer::Dropped { done: false }, Answer::Dropped { done: true }]
    );
}

#[tokio::test]
async fn a_hanging_call_goes_on_when_released() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ops = slack.channel("ops", &[]);
    slack.fault("chat.postMessage", 1, Fault::Hang);
    let call = api.done("chat.postMessage", json!({ "channel": ops, "text": "late" }));
    let release = async {
        slack
            .until("the call", |state| state.calls_open("chat.postMessage") == 1)
            .await;
        assert!(slack.texts("ops").is_empty());
        slack.release();
    };
    tokio::join!(call, release);
    assert_eq!(slack.texts("ops"), ["late"]);
}

#[tokio::test]
async fn every_call_is_limited_once() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ops = slack.channel("ops", &[]);
    slack.limit_every_call_once(1);
    for text in ["a", "b"] {
        let post = || {
            api.request("chat.postMessage", &json!({ "channel": ops, "text": text }))
                .send()
        };
        assert_eq!(post().await.unwrap().status(), 429);
        assert_eq!(post().await.unwrap().status(), 200);
    }
    assert_eq!(slack.texts("ops"), ["a", "b"]);
}

#[tokio::test]
async fn answers_by_address_and_files_are_limited_once_as_well() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let mut socket = api.socket().await;
    let typed = ana.types("/incident list", &ops);
    let envelope = socket.next().await;
    socket.ack(&envelope, Value::Null).await;
    typed.await;
    let (_, file) = ana.uploads(&ops, "labels.csv", "text/csv", b"a,b");
    let file = api.form("files.info", &[("file", file.as_str())]).await;
    let file = file["file"]["url_private"].as_str().unwrap();
    let upload = [("filename", "post-mortem.md"), ("length", "5")];
    let place = api.form("files.getUploadURLExternal", &upload).await;
    slack.limit_every_call_once(1);
    let answer = envelope["payload"]["response_url"].as_str().unwrap();
    let upload = place["upload_url"].as_str().unwrap();
    for status in [429, 200] {
        let told = api.post(answer, &json!({ "text": "Nothing is open" })).await;
        assert_eq!(told.status(), status);
        assert_eq!(api.send(upload, b"# One".to_vec()).await.status(), status);
        assert_eq!(api.get(file, Some(&api.bot)).await.status(), status);
    }
    assert_eq!(ana.whispers(&ops), ["Nothing is open"]);
}

#[tokio::test]
async fn events_come_twice_and_in_reverse() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let mut socket = api.socket().await;
    slack.every_event_twice(true);
    ana.says(&ops, "twice");
    assert_eq!(
        (
            socket.event().await["text"].clone(),
            socket.event().await["text"].clone()
        ),
        (json!("twice"), json!("twice"))
    );
    slack.every_event_twice(false);
    slack.hold_events();
    ana.says(&ops, "three");
    ana.says(&ops, "four");
    slack.let_events_go(true);
    assert_eq!(
        (
            socket.event().await["text"].clone(),
            socket.event().await["text"].clone()
        ),
        (json!("four"), json!("three"))
    );
}

#[tokio::test]
async fn slack_goes_away_and_comes_back() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let mut socket = api.socket().await;
    slack.go_away();
    assert_eq!(socket.next().await, Value::Null);
    assert!(api.request("auth.test", &json!({})).send().await.is_err());
    slack.come_back();
    api.done("auth.test", json!({})).await;
    api.socket().await;
    slack.connected(1).await;
}
