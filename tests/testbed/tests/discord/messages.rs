//! Messages: what is kept, what is refused, whom they ring.

use std::time::Duration;

use orderly_testbed::discord::{DiscordServer, permission};
use serde_json::json;

use crate::bot::{Api, INTENTS, guild, text};

#[tokio::test]
async fn a_message_is_sent_once_however_often_its_nonce_comes() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let path = format!("/channels/{ops}/messages");
    let body = json!({ "content": "Orders hang", "nonce": "card-1", "enforce_nonce": true });

    let first = api.done("POST", &path, body.clone()).await;
    let again = api.done("POST", &path, body.clone()).await;
    assert_eq!(
        (&first["id"], first["nonce"].as_str()),
        (&again["id"], Some("card-1"))
    );
    assert_eq!(discord.texts("ops"), ["Orders hang"]);

    // Discord knows it for a few minutes, and the history does not know it at all.
    discord.advance(Duration::from_secs(301));
    api.done("POST", &path, body).await;
    assert_eq!(discord.texts("ops").len(), 2);
    let history = api.done("GET", &path, json!(null)).await;
    assert!(history[0]["nonce"].is_null());
}

#[tokio::test]
async fn what_people_see_is_what_was_sent() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    let body = json!({
        "content": format!("{} look at <#{ops}> since <t:1772442000:f>", ana.mention()),
        "embeds": [{ "title": "Incident 1", "description": "Orders hang",
            "fields": [{ "name": "Phase", "value": "Confirm" }], "footer": { "text": "SEV1" } }],
        "components": [
            { "type": 1, "components": [
                { "type": 2, "style": 3, "label": "Approve", "custom_id": "approve" },
                { "type": 2, "style": 4, "label": "Refuse", "custom_id": "refuse", "disabled": true } ] },
            { "type": 1, "components": [
                { "type": 3, "custom_id": "line", "placeholder": "Next line",
                    "options": [{ "label": "Logs", "value": "logs" }] } ] },
        ],
        "allowed_mentions": { "parse": [] },
    });
    let said = api.done("POST", &format!("/channels/{ops}/messages"), body).await;
    assert_eq!(said["mentions"], json!([]));
    assert_eq!(
        ana.sees(&ops),
        ["orderly: @ana look at #ops since 2026-03-02 09:00 UTC\n\
          Incident 1\nOrders hang\nPhase: Confirm\nSEV1\n[Approve] [Refuse (off)]\n[Next line ▾]"]
    );
    let reply = json!({ "content": "so far", "message_reference": { "message_id": said["id"] } });
    api.done("POST", &format!("/channels/{ops}/messages"), reply)
        .await;
    let edit = json!({ "content": "done", "embeds": [], "components": [] });
    api.done(
        "PATCH",
        &format!("/channels/{ops}/messages/{}", text(&said["id"])),
        edit,
    )
    .await;
    assert_eq!(
        discord.read(|state| state.transcript("ops")),
        "orderly: done (edited)\n↳ orderly: so far\n"
    );
}

#[tokio::test]
async fn a_crowd_is_rung_only_where_that_is_allowed() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let (ops, sre) = (discord.channel("ops"), discord.role("sre", &[]));
    let path = format!("/channels/{ops}/messages");
    let said = format!("@everyone <@&{sre}>");
    api.done(
        "POST",
        &path,
        json!({ "content": said, "allowed_mentions": { "parse": [] } }),
    )
    .await;
    api.done("POST", &path, json!({ "content": format!("`{said}`") }))
        .await;
    assert!(discord.read(|state| state.alarms("ops")).is_empty());
    api.done(
        "POST",
        &path,
        json!({ "content": said, "allowed_mentions": { "roles": [sre] } }),
    )
    .await;
    assert_eq!(discord.read(|state| state.alarms("ops")), ["@sre"]);
    discord.take_permission(permission::MENTION_EVERYONE);
    api.done("POST", &path, json!({ "content": said })).await;
    assert_eq!(discord.read(|state| state.alarms("ops")), ["@sre"]);
}

#[tokio::test]
async fn bodies_that_discord_would_not_take_are_refused_and_written_down() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let path = format!("/channels/{ops}/messages");
    let button = json!({ "type": 2, "style": 1, "label": "Go", "custom_id": "go" });
    let row = json!({ "type": 1, "components": [button] });
    let row_of = |n: u8| {
        let button = json!({ "type": 2, "style": 1, "label": "Go", "custom_id": n.to_string() });
        json!({ "type": 1, "components": [button] })
    };
    let long = json!({ "description": "x".repeat(3001) });
    for (body, part) in [
        (json!({ "content": "x".repeat(2001) }), "2000 or fewer"),
        (json!({ "embeds": [long, long] }), "exceeds maximum size of 6000"),
        (
            json!({ "components": [row, row] }),
            "custom id cannot be duplicated",
        ),
        (
            json!({ "components": (0..6).map(row_of).collect::<Vec<_>>() }),
            "between 1 and 5",
        ),
        (json!({}), "an empty message"),
    ] {
        assert!(api.refused("POST", &path, body.clone()).await > 0, "{body}");
        let violations = discord.take_violations();
        assert!(
            violations.iter().any(|why| why.contains(part)),
            "{part}: {violations:?}"
        );
        discord.advance(Duration::from_secs(5));
    }
}

#[tokio::test]
async fn bodies_that_discords_own_description_does_not_know_are_written_down() {
    let discord = guild().await;
    if !DiscordServer::contracts_checked() {
        // Said loudly already: there is no description to hold anything against.
        return;
    }
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let path = format!("/channels/{ops}/messages");
    for (body, part) in [
        (json!({ "content": 7 }), "7 is not of type"),
        (
            json!({ "content": "x", "components": [{ "type": 99 }] }),
            "99 is not one of",
        ),
        (
            json!({ "content": "x", "components": [{ "type": 1, "components": [{ "type": 2 }] }] }),
            "\"style\" is a required",
        ),
    ] {
        assert_eq!(api.refused("POST", &path, body.clone()).await, 50035, "{body}");
        let violations = discord.take_violations();
        assert!(
            violations.iter().any(|why| why.contains(part)),
            "{part}: {violations:?}"
        );
    }
    api.done("POST", &path, json!({ "content": "x", "text": "y" }))
        .await;
    let row = json!({ "type": 1, "components": [{ "type": 2, "style": 1, "label": "x", "custom_id": "x", "color": 1 }] });
    api.done("POST", &path, json!({ "content": "x", "components": [row] }))
        .await;
    assert_eq!(
        discord.take_violations(),
        [
            "create_message: unknown property /text",
            "create_message: unknown property /components/0/components/0/color"
        ]
    );
}

#[tokio::test]
async fn history_is_read_in_pages_the_newest_first() {
    let discord = guild().await;
    discord.limits(false);
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(api.says(&ops, &number.to_string()).await);
    }
    let page = async |query: &str| {
        let found = api
            .done("GET", &format!("/channels/{ops}/messages?{query}"), json!(null))
            .await;
        found
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| text(&one["content"]))
            .collect::<String>()
    };
    assert_eq!(page("limit=3").await, "654");
    assert_eq!(page(&format!("limit=3&before={}", ids[4])).await, "321");
    assert_eq!(page(&format!("limit=3&after={}", ids[2])).await, "543");
    assert_eq!(page(&format!("limit=3&around={}", ids[3])).await, "432");
    assert_eq!(
        api.refused("GET", &format!("/channels/{ops}/messages?limit=101"), json!(null))
            .await,
        50035
    );
}

#[tokio::test]
async fn pins_are_a_permission_of_their_own() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    let said = ana.says(&ops, "look here");
    let pin = format!("/channels/{ops}/messages/pins/{said}");
    api.done("PUT", &pin, json!(null)).await;
    let pins = api
        .done("GET", &format!("/channels/{ops}/messages/pins"), json!(null))
        .await;
    assert_eq!(pins["items"][0]["message"]["content"], "look here");
    let older = api
        .done("GET", &format!("/channels/{ops}/pins"), json!(null))
        .await;
    assert_eq!(older[0]["pinned"], true);
    assert_eq!(ana.sees(&ops), ["ana: look here", "orderly: pinned a message"]);
    api.done("DELETE", &format!("/channels/{ops}/pins/{said}"), json!(null))
        .await;

    discord.take_permission(permission::PIN_MESSAGES);
    assert_eq!(api.refused("PUT", &pin, json!(null)).await, 50013);
}

#[tokio::test]
async fn reactions_come_and_go() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let mut ear = api.hears(&discord, INTENTS).await;
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    ear.event("CHANNEL_CREATE").await;
    let said = ana.says(&ops, "the queue is full");
    assert_eq!(ear.event("MESSAGE_CREATE").await["member"]["roles"], json!([]));
    ana.reacts(&ops, &said, "📌");
    let event = ear.event("MESSAGE_REACTION_ADD").await;
    assert_eq!(
        (event["emoji"]["name"].as_str(), text(&event["user_id"])),
        (Some("📌"), ana.id().to_owned())
    );
    ana.unreacts(&ops, &said, "📌");
    ear.event("MESSAGE_REACTION_REMOVE").await;

    let mine = format!("/channels/{ops}/messages/{said}/reactions/%F0%9F%93%8C/@me");
    api.done("PUT", &mine, json!(null)).await;
    let who = api.done("GET", mine.trim_end_matches("/@me"), json!(null)).await;
    assert_eq!(who[0]["username"], "orderly");
    let named = format!("/channels/{ops}/messages/{said}/reactions/pushpin/@me");
    discord.advance(Duration::from_secs(1));
    assert_eq!(api.refused("PUT", &named, json!(null)).await, 10014);
}

#[tokio::test]
async fn files_go_with_a_message_and_come_back() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    let payload = json!({ "content": "Notes", "attachments": [{ "id": 0, "description": "So far" }] });
    let body = "--cut\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\r\n\r\n"
        .to_owned()
        + &payload.to_string()
        + "\r\n--cut\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"notes.md\"\r\n\
           Content-Type: text/markdown\r\n\r\n# Notes\r\n\r\n--cut--\r\n";
    let call = api
        .request("POST", &format!("/channels/{ops}/messages"))
        .header("content-type", "multipart/form-data; boundary=cut")
        .body(body);
    let said: serde_json::Value = call.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(said["attachments"][0]["filename"], "notes.md", "{said}");
    assert_eq!(said["attachments"][0]["description"], "So far");
    assert_eq!(discord.texts("ops"), ["Notes\n[file: notes.md]"]);
    let file = reqwest::get(text(&said["attachments"][0]["url"]))
        .await
        .expect("an answer");
    assert_eq!(file.bytes().await.expect("a body").as_ref(), b"# Notes\r\n");
}
