//! Limits and faults: what comes too early, and what goes wrong on the way.

use std::time::Duration;

use orderly_testbed::discord::{Fault, Outcome};
use serde_json::json;

use crate::bot::{Api, guild};

#[tokio::test]
async fn a_bucket_says_how_full_it_is_and_when_it_empties() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let path = format!("/channels/{ops}/messages");
    let head = async || {
        let answer = api
            .request("POST", &path)
            .json(&json!({ "content": "x" }))
            .send()
            .await
            .expect("an answer");
        let of = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().expect("text").to_owned())
        };
        (
            answer.status().as_u16(),
            of("x-ratelimit-remaining"),
            of("x-ratelimit-reset-after"),
            of("retry-after"),
        )
    };
    assert_eq!(
        head().await,
        (200, Some("4".to_owned()), Some("5.000".to_owned()), None)
    );
    for _ in 0..4 {
        head().await;
    }
    discord.advance(Duration::from_millis(3500));
    assert_eq!(
        head().await,
        (
            429,
            Some("0".to_owned()),
            Some("1.500".to_owned()),
            Some("2".to_owned())
        )
    );
    discord.advance(Duration::from_millis(1500));
    assert_eq!(head().await.0, 200);
    assert_eq!(discord.read(|state| state.invalid_calls()), 1);
}

#[tokio::test]
async fn all_calls_together_are_fifty_a_second() {
    let discord = guild().await;
    let api = Api::of(&discord);
    for number in 0..50 {
        let path = ["/users/@me", "/gateway/bot"][number % 2];
        api.done("GET", path, json!(null)).await;
    }
    let (status, answer) = api.call("GET", "/users/@me", json!(null)).await;
    assert_eq!((status, &answer["global"]), (429, &json!(true)));
}

#[tokio::test]
async fn ten_thousand_refusals_shut_the_address_out() {
    let discord = guild().await;
    let mut api = Api::of(&discord);
    discord.spend_invalid_calls(9_999);
    let token = std::mem::replace(&mut api.token, "wrong".to_owned());
    assert_eq!(api.call("GET", "/users/@me", json!(null)).await.0, 401);
    api.token = token;
    let (status, answer) = api.call("GET", "/users/@me", json!(null)).await;
    assert_eq!((status, answer.is_null()), (429, true));
    discord.advance(Duration::from_secs(600));
    assert_eq!(api.call("GET", "/users/@me", json!(null)).await.0, 200);
}

#[tokio::test]
async fn calls_go_wrong_as_planned() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let path = format!("/channels/{ops}/messages");
    let say = json!({ "content": "x" });
    discord.fault("create_message", 1, Fault::Limited(Duration::from_millis(250)));
    assert_eq!(api.call("POST", &path, say.clone()).await.1["retry_after"], 0.25);
    discord.fault("*", 1, Fault::Status(502));
    assert_eq!(api.call("POST", &path, say.clone()).await.0, 502);
    discord.fault("create_message", 1, Fault::Error(403, 50013));
    assert_eq!(api.refused("POST", &path, say.clone()).await, 50013);
    discord.fault("create_message", 1, Fault::DropBefore);
    assert!(api.request("POST", &path).json(&say).send().await.is_err());
    assert!(discord.texts("ops").is_empty());
    discord.fault("create_message", 1, Fault::DropAfter);
    assert!(api.request("POST", &path).json(&say).send().await.is_err());
    assert_eq!(discord.texts("ops"), ["x"]);

    discord.fault("create_message", 1, Fault::Hang);
    let call = tokio::spawn(api.request("POST", &path).json(&say).send());
    discord
        .until("a hanging call", |state| state.calls_open("create_message") == 1)
        .await;
    discord.release();
    assert_eq!(call.await.expect("the call").expect("an answer").status(), 200);
    let outcomes: Vec<Outcome> = discord
        .calls_of("create_message")
        .into_iter()
        .map(|call| call.answer)
        .collect();
    assert_eq!(outcomes[0], Outcome::Limited);
    assert_eq!(outcomes[4], Outcome::Dropped { done: true });

    discord.go_away();
    assert!(api.request("GET", "/users/@me").send().await.is_err());
    discord.come_back();
    api.done("GET", "/users/@me", json!(null)).await;
}

#[tokio::test]
async fn what_is_not_there_is_a_violation() {
    let discord = guild().await;
    let api = Api::of(&discord);
    assert_eq!(api.call("GET", "/no/such/thing", json!(null)).await.0, 404);
    let bare = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = bare
        .get(format!("{}/gateway", discord.api_url()))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 403);
    assert_eq!(
        discord.take_violations(),
        [
            "there is no GET /no/such/thing here",
            "a request without a User-Agent"
        ]
    );
}
