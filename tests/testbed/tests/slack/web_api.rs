//! The Web API: what is kept, what is refused, and how fast it may be called.

use std::time::Duration;

use orderly_testbed::slack::{Kind, SlackServer};
use serde_json::json;

use crate::bot::Api;

#[tokio::test]
async fn a_room_is_made_filled_and_read_back() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let (ana, ben) = (slack.person("ana"), slack.person("ben"));
    let made = api.done("conversations.create", json!({ "name": "inc-1" })).await;
    let room = made["channel"]["id"].as_str().unwrap().to_owned();
    let users = format!("{},{}", ana.id(), ben.id());
    api.done("conversations.invite", json!({ "channel": room, "users": users }))
        .await;
    api.done(
        "conversations.setTopic",
        json!({ "channel": room, "topic": "SEV1" }),
    )
    .await;
    let posted = api
        .done(
            "chat.postMessage",
            json!({ "channel": room, "text": "Hello <@U0ANA> &amp; all" }),
        )
        .await;
    api.done("pins.add", json!({ "channel": room, "timestamp": posted["ts"] }))
        .await;
    let reply = json!({ "channel": room, "text": "more", "thread_ts": posted["ts"] });
    api.done("chat.postMessage", reply).await;

    let history = api
        .form("conversations.history", &[("channel", &room), ("limit", "1")])
        .await;
    assert_eq!(history["messages"][0]["text"], "Hello <@U0ANA> &amp; all");
    assert_eq!(history["messages"][0]["reply_count"], 1);
    assert_eq!(history["has_more"], true);
    slack.read(|state| {
        assert_eq!(state.texts("inc-1"), ["Hello @ana & all"]);
        assert_eq!(state.pinned_texts("inc-1"), ["Hello @ana & all"]);
        assert_eq!(
            state.transcript("inc-1"),
            "orderly: Hello @ana & all\n  ↳ orderly: more\n"
        );
        assert_eq!(state.channel("inc-1").topic.value, "SEV1");
        assert!(state.channel("inc-1").has(ben.id()));
    });
}

#[tokio::test]
async fn refusals_are_slacks_own() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    let hidden = ana.creates("hidden", orderly_testbed::slack::ChannelKind::Private);
    let open = ana.creates("open", orderly_testbed::slack::ChannelKind::Public);
    slack.take_scope("chat:write.public");

    let create = "conversations.create";
    assert_eq!(api.refused(create, json!({ "name": "ops" })).await, "name_taken");
    assert_eq!(
        api.refused(create, json!({ "name": "Ops" })).await,
        "invalid_name_specials"
    );
    assert_eq!(
        api.refused(create, json!({ "name": "o".repeat(81) })).await,
        "invalid_name_maxlength"
    );
    let post = "chat.postMessage";
    assert_eq!(
        api.refused(post, json!({ "channel": hidden, "text": "x" })).await,
        "channel_not_found"
    );
    assert_eq!(
        api.refused(post, json!({ "channel": open, "text": "x" })).await,
        "not_in_channel"
    );
    assert_eq!(api.refused(post, json!({ "channel": ops })).await, "no_text");
    let invite = "conversations.invite";
    let bot = slack.bot_user();
    assert_eq!(
        api.refused(invite, json!({ "channel": ops, "users": bot })).await,
        "cant_invite_self"
    );
    assert_eq!(
        api.refused(invite, json!({ "channel": ops, "users": "U0ANA" }))
            .await,
        "already_in_channel"
    );
    assert_eq!(
        api.refused("users.info", json!({ "user": "U1" })).await,
        "user_not_found"
    );
    ana.archives(&ops);
    assert_eq!(
        api.refused(post, json!({ "channel": ops, "text": "x" })).await,
        "is_archived"
    );
    slack.take_scope("pins:write");
    let missing = api
        .call("pins.add", json!({ "channel": ops, "timestamp": "1.0" }))
        .await;
    assert_eq!(
        (&missing["error"], &missing["needed"]),
        (&json!("missing_scope"), &json!("pins:write"))
    );
    slack.revoke_token(Some("token_revoked"));
    assert_eq!(api.refused("auth.test", json!({})).await, "token_revoked");
}

#[tokio::test]
async fn with_force_one_unknown_person_does_not_keep_the_others_out() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let (ana, eve) = (slack.person("ana"), slack.account("eve", Kind::Stranger));
    let room = slack.channel("inc-1", &[]);
    let mut invite = json!({ "channel": room, "users": format!("{},U0NOBODY,{}", ana.id(), eve.id()) });
    assert_eq!(
        api.refused("conversations.invite", invite.clone()).await,
        "user_not_found"
    );
    invite["force"] = json!(true);
    let done = api.done("conversations.invite", invite).await;
    assert_eq!(done["errors"][0]["error"], "user_not_found");
    assert!(slack.read(|state| state.channel(&room).has(ana.id()) && !state.channel(&room).has(eve.id())));
}

#[tokio::test]
async fn what_slack_does_not_know_is_told() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ops = slack.channel("ops", &[]);
    assert_eq!(api.refused("chat.shout", json!({})).await, "unknown_method");
    api.done(
        "chat.postMessage",
        json!({ "channel": ops, "text": "x", "loud": true }),
    )
    .await;
    let crooked = json!([{ "type": "section", "text": { "type": "mrkdwn", "txt": "x" } }]);
    if SlackServer::contracts_checked() {
        let refused = api
            .refused("chat.postMessage", json!({ "channel": ops, "blocks": crooked }))
            .await;
        assert_eq!(refused, "invalid_blocks");
    }
    let many = vec![json!({ "type": "divider" }); 51];
    assert_eq!(
        api.refused("chat.postMessage", json!({ "channel": ops, "blocks": many }))
            .await,
        "invalid_blocks"
    );
    let told = slack.take_violations().join("\n");
    for part in [
        "unknown method chat.shout",
        "unknown argument loud",
        "no more than 50 items",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    if SlackServer::contracts_checked() {
        assert!(told.contains("/blocks/0 (section)"), "{told}");
    }
}

#[tokio::test]
#[should_panic(expected = "unknown method chat.shout")]
async fn a_test_that_forgets_to_ask_fails_all_the_same() {
    let slack = SlackServer::start().await;
    Api::of(&slack).refused("chat.shout", json!({})).await;
}

#[tokio::test]
async fn limits_are_counted_on_the_workspaces_clock() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let ops = slack.channel("ops", &[]);
    let post = || {
        api.request("chat.postMessage", &json!({ "channel": ops, "text": "x" }))
            .send()
    };
    for _ in 0..4 {
        assert_eq!(post().await.unwrap().status(), 200);
    }
    let limited = post().await.unwrap();
    assert_eq!(
        (
            limited.status().as_u16(),
            limited.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "4")
    );
    slack.advance(Duration::from_secs(4));
    assert_eq!(post().await.unwrap().status(), 200);
    for n in 0..20 {
        api.done("conversations.create", json!({ "name": format!("inc-{n}") }))
            .await;
    }
    let create = api
        .request("conversations.create", &json!({ "name": "inc-20" }))
        .send();
    assert_eq!(create.await.unwrap().headers()["retry-after"], "60");
    slack.limits(false);
    api.done("conversations.create", json!({ "name": "inc-20" }))
        .await;
}

#[tokio::test]
async fn a_file_goes_up_in_three_steps_and_comes_down_with_the_token_only() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    let room = slack.channel("inc-1", &[]);
    let place = api
        .form(
            "files.getUploadURLExternal",
            &[("filename", "post-mortem.md"), ("length", "5")],
        )
        .await;
    let sent = api
        .send(place["upload_url"].as_str().unwrap(), b"# One".to_vec())
        .await;
    assert_eq!(sent.status(), 200);
    let complete = json!({
        "files": [{ "id": place["file_id"], "title": "Post-mortem" }], "channel_id": room, "initial_comment": "Done",
    });
    let done = api.done("files.completeUploadExternal", complete).await;
    assert_eq!(slack.texts("inc-1"), ["Done\n[file: Post-mortem]"]);
    let address = done["files"][0]["url_private"].as_str().unwrap();
    assert_eq!(
        api.get(address, Some(&api.bot)).await.text().await.unwrap(),
        "# One"
    );
    let stranger = api.get(address, None).await.text().await.unwrap();
    assert!(stranger.contains("Sign in"), "{stranger}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    for n in 0..5 {
        slack.channel(&format!("c{n}"), &[]);
    }
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let fields = [("limit", "2"), ("cursor", cursor.as_str())];
        let page = api.form("conversations.list", &fields).await;
        names.extend(
            page["channels"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["name"].to_string()),
        );
        cursor = page["response_metadata"]["next_cursor"]
            .as_str()
            .unwrap()
            .to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 5);
    let wrong = api.form("conversations.list", &[("cursor", "nonsense")]).await;
    assert_eq!(wrong["error"], "invalid_cursor");
}

#[tokio::test]
async fn answers_carry_the_workspaces_time_and_the_tokens_scopes() {
    let slack = SlackServer::start().await;
    let api = Api::of(&slack);
    slack.grant_only(&["chat:write", "commands"]);
    let answer = api.request("auth.test", &json!({})).send().await.unwrap();
    assert_eq!(answer.headers()["x-oauth-scopes"], "chat:write,commands");
    assert_eq!(answer.headers()["date"], "Mon, 02 Mar 2026 09:00:00 GMT");
}

#[tokio::test]
async fn with_socket_mode_off_a_socket_opens_and_nothing_arrives() {
    let slack = SlackServer::start().await;
    let mut api = Api::of(&slack);
    let ana = slack.person("ana");
    let ops = slack.channel("ops", &[&ana]);
    slack.socket_mode(false);
    let _socket = api.socket().await;
    ana.says(&ops, "anybody there?");
    assert_eq!(
        ana.types("/incident", &ops).outcome().await,
        Err("connection_failed".to_owned())
    );
    api.bot.clone_from(&api.app);
    let warned = api.done("apps.connections.open", json!({})).await;
    assert_eq!(
        warned["response_metadata"]["messages"][0],
        "[WARN] Socket Mode is not turned on."
    );
    slack.take_scope("connections:write");
    assert_eq!(
        api.refused("apps.connections.open", json!({})).await,
        "missing_scope"
    );
}
