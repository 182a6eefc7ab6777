//! Interactions: three seconds for the first response, a quarter of an hour for the rest.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bot::{Api, Ear, INTENTS, guild, text};
use orderly_testbed::discord::DiscordServer;

const EPHEMERAL: u64 = 64;

struct Day {
    discord: DiscordServer,
    api: Api,
    ear: Ear,
    ops: String,
}

async fn day() -> Day {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ops = discord.channel("ops");
    api.registers(json!([
        { "name": "incident", "description": "Runs an incident", "options": [
            { "type": 1, "name": "open", "description": "Opens one", "options": [
                { "type": 3, "name": "summary", "description": "What is wrong" } ] } ] },
        { "name": "Add to timeline", "type": 3 },
    ]))
    .await;
    let ear = api.hears(&discord, INTENTS).await;
    Day {
        discord,
        api,
        ear,
        ops,
    }
}

#[tokio::test]
async fn a_command_is_answered_and_a_second_answer_is_refused() {
    let Day {
        discord,
        api,
        mut ear,
        ops,
    } = day().await;
    let ana = discord.person("ana");
    let sent = ana.types("/incident open summary:Orders hang", &ops);
    let heard = ear.event("INTERACTION_CREATE").await;
    assert_eq!(heard["data"]["options"][0]["options"][0]["value"], "Orders hang");
    let data = json!({ "content": "Opened", "flags": EPHEMERAL });
    assert_eq!(api.responds(&heard, 4, data.clone()).await.0, 204);
    assert_eq!(api.responds(&heard, 4, data).await.1["code"], 40060);
    assert_eq!(sent.await.kind, 4);
    assert_eq!(ana.whispers(&ops), ["Opened"]);
    assert!(discord.person("ben").sees(&ops).is_empty());
    api.done(
        "PATCH",
        &api.after(&heard, "/messages/@original"),
        json!({ "content": "#inc-1 is open" }),
    )
    .await;
    assert_eq!(ana.whispers(&ops), ["#inc-1 is open"]);
    api.done("DELETE", &api.after(&heard, "/messages/@original"), json!(null))
        .await;
    assert!(ana.whispers(&ops).is_empty());
}

#[tokio::test]
async fn who_is_silent_for_three_seconds_is_too_late() {
    let Day {
        discord,
        api,
        mut ear,
        ops,
    } = day().await;
    let sent = discord.person("ana").types("/incident open", &ops);
    let heard = ear.event("INTERACTION_CREATE").await;
    discord.advance(Duration::from_secs(3));
    assert_eq!(
        sent.outcome().await.unwrap_err(),
        "The application did not respond"
    );
    assert_eq!(api.responds(&heard, 5, Value::Null).await.1["code"], 10062);
    assert_eq!(
        api.refused("POST", &api.after(&heard, ""), json!({ "content": "x" }))
            .await,
        10015
    );
    let path = format!("/interactions/1/{}/callback", text(&heard["token"]));
    assert_eq!(api.refused("POST", &path, json!({ "type": 5 })).await, 10062);
}

#[tokio::test]
async fn what_comes_after_think_takes_its_place_for_a_quarter_of_an_hour() {
    let Day {
        discord,
        api,
        mut ear,
        ops,
    } = day().await;
    let ana = discord.person("ana");
    ana.types("/incident open", &ops);
    let heard = ear.event("INTERACTION_CREATE").await;
    api.responds(&heard, 5, json!({ "flags": EPHEMERAL })).await;
    assert_eq!(ana.whispers(&ops), ["is thinking…"]);
    // A form cannot follow, and the first message after it is seen by whom the thinking was.
    let form = json!({ "custom_id": "f", "title": "Open", "components": [field("what", "Summary")] });
    assert_eq!(api.responds(&heard, 9, form).await.1["code"], 40060);
    api.done("POST", &api.after(&heard, ""), json!({ "content": "Here it is" }))
        .await;
    assert_eq!(ana.whispers(&ops), ["Here it is"]);
    api.done("POST", &api.after(&heard, ""), json!({ "content": "For all" }))
        .await;
    assert_eq!(discord.texts("ops"), ["For all"]);
    assert_eq!(
        api.refused("POST", &api.after(&heard, ""), json!({})).await,
        50006
    );
    assert_eq!(discord.take_violations(), ["execute_webhook: an empty message"]);
    discord.advance(Duration::from_secs(15 * 60));
    assert_eq!(
        api.refused("POST", &api.after(&heard, ""), json!({ "content": "late" }))
            .await,
        50027
    );
}

fn field(id: &str, label: &str) -> Value {
    json!({ "type": 1, "components": [{ "type": 4, "custom_id": id, "label": label, "style": 1, "max_length": 40 }] })
}

#[tokio::test]
async fn a_form_opens_is_filled_and_sent() {
    let Day {
        discord,
        api,
        mut ear,
        ops,
    } = day().await;
    let ana = discord.person("ana");
    ana.types("/incident open", &ops);
    let heard = ear.event("INTERACTION_CREATE").await;
    let form =
        json!({ "custom_id": "open", "title": "Open an incident", "components": [field("what", "Summary")] });
    assert_eq!(api.responds(&heard, 9, form).await.0, 204);
    let form = ana.form().await;
    assert_eq!(
        discord.read(|state| state.form_text(&form)),
        "== Open an incident ==\nSummary: []\n[Submit][Cancel]"
    );
    let sent = ana.submits(&form, &json!({ "Summary": "Orders hang" }));
    let heard = ear.event("INTERACTION_CREATE").await;
    assert_eq!(
        heard["data"]["components"][0]["components"][0]["value"],
        "Orders hang"
    );
    // No form follows a form.
    let again = json!({ "custom_id": "open", "title": "Again", "components": [field("what", "Summary")] });
    assert_eq!(api.responds(&heard, 9, again).await.1["code"], 50035);
    assert_eq!(discord.take_violations().len(), 1);
    api.responds(&heard, 4, json!({ "content": "Opened" })).await;
    assert_eq!(
        sent.await.message.as_deref(),
        discord
            .read(|state| state.find("ops", "Opened").map(|m| m.id.clone()))
            .as_deref()
    );
}

#[tokio::test]
async fn buttons_and_menus_tell_who_used_them_and_change_their_message() {
    let Day {
        discord,
        api,
        mut ear,
        ops,
    } = day().await;
    let (ana, sre) = (discord.person("ana"), discord.role("sre", &[]));
    let rows = json!([
        { "type": 1, "components": [{ "type": 2, "style": 1, "label": "Approve", "custom_id": "approve:1" }] },
        { "type": 1, "components": [{ "type": 3, "custom_id": "line", "min_values": 1, "max_values": 2,
            "options": [{ "label": "Logs", "value": "l" }, { "label": "Changes", "value": "c" }] }] },
        { "type": 1, "components": [{ "type": 5, "custom_id": "who" }] },
        { "type": 1, "components": [{ "type": 6, "custom_id": "role" }] },
        { "type": 1, "components": [{ "type": 8, "custom_id": "where", "channel_types": [0] }] },
    ]);
    let card = api
        .done(
            "POST",
            &format!("/channels/{ops}/messages"),
            json!({ "content": "Card", "components": rows }),
        )
        .await;
    let card = text(&card["id"]);
    ear.event("MESSAGE_CREATE").await;

    ana.presses(&ops, &card, "Approve");
    let heard = ear.event("INTERACTION_CREATE").await;
    assert_eq!(
        (&heard["data"]["custom_id"], text(&heard["member"]["user"]["id"])),
        (&json!("approve:1"), ana.id().to_owned())
    );
    assert_eq!(heard["message"]["id"], card.as_str());
    api.responds(&heard, 7, json!({ "content": "Approved", "components": [] }))
        .await;
    assert_eq!(discord.texts("ops"), ["Approved"]);
    ear.event("MESSAGE_UPDATE").await;

    api.done(
        "PATCH",
        &format!("/channels/{ops}/messages/{card}"),
        json!({ "components": rows }),
    )
    .await;
    ear.event("MESSAGE_UPDATE").await;
    for (menu, chosen, expected) in [
        ("line", vec!["Logs", "c"], json!(["l", "c"])),
        ("who", vec![ana.id()], json!([ana.id()])),
        ("role", vec![sre.as_str()], json!([sre])),
        ("where", vec![ops.as_str()], json!([ops])),
    ] {
        ana.chooses(&ops, &card, menu, &chosen);
        let heard = ear.event("INTERACTION_CREATE").await;
        assert_eq!(heard["data"]["values"], expected);
        assert_eq!(heard["data"]["resolved"].is_object(), menu != "line");
        assert_eq!(api.responds(&heard, 6, Value::Null).await.0, 204);
    }
    // What their client still showed.
    let old = json!({ "type": 2, "custom_id": "approve:0" });
    ana.presses_old(&ops, &card, &old);
    assert_eq!(
        ear.event("INTERACTION_CREATE").await["data"]["custom_id"],
        "approve:0"
    );
}

#[tokio::test]
async fn a_message_is_handed_over_by_its_context_menu() {
    let Day {
        discord,
        api,
        mut ear,
        ops,
    } = day().await;
    let ana = discord.person("ana");
    let said = ana.says(&ops, "the queue is full");
    ear.event("MESSAGE_CREATE").await;
    ana.uses("Add to timeline", &ops, &said);
    let heard = ear.event("INTERACTION_CREATE").await;
    assert_eq!(
        heard["data"]["resolved"]["messages"][said.as_str()]["content"],
        "the queue is full"
    );
    let (status, answer) = {
        let (id, token) = (text(&heard["id"]), text(&heard["token"]));
        let path = format!("/interactions/{id}/{token}/callback?with_response=true");
        api.call(
            "POST",
            &path,
            json!({ "type": 4, "data": { "content": "Noted" } }),
        )
        .await
    };
    assert_eq!(
        (status, &answer["resource"]["message"]["type"]),
        (200, &json!(23))
    );
}

#[tokio::test]
async fn nothing_arrives_while_nobody_listens_or_an_address_is_set() {
    let Day {
        discord,
        api,
        ear,
        ops,
    } = day().await;
    let ana = discord.person("ana");
    discord.interactions_url(Some("https://example.com/discord"));
    assert!(ana.types("/incident open", &ops).outcome().await.is_err());
    discord.interactions_url(None);
    discord.close_sockets(4009);
    assert!(ana.types("/incident open", &ops).outcome().await.is_err());
    let me = api.done("GET", "/applications/@me", json!(null)).await;
    assert!(me["interactions_endpoint_url"].is_null());
    drop(ear);
}
