//! Commands: what may be registered, and what people can then type.

use std::time::Duration;

use serde_json::json;

use crate::bot::{Api, INTENTS, guild, text};

#[tokio::test]
async fn registering_again_makes_nothing_new() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let command = json!({ "name": "incident", "description": "Runs an incident", "type": 1 });
    let first = api.registers(json!([command])).await;
    let again = api.registers(json!([command])).await;
    assert_eq!(
        (&first[0]["id"], &first[0]["version"]),
        (&again[0]["id"], &again[0]["version"])
    );
    let global = api.done("POST", &api.commands_path(), command).await;
    assert_eq!(global["dm_permission"], true);
    let one = format!("{}/{}", api.commands_path(), text(&global["id"]));
    let changed = api
        .done("PATCH", &one, json!({ "description": "Runs incidents" }))
        .await;
    assert_ne!(changed["version"], global["version"]);
    api.done("DELETE", &one, json!(null)).await;
    assert_eq!(api.refused("GET", &one, json!(null)).await, 10063);
    assert!(
        api.registers(json!([]))
            .await
            .as_array()
            .is_some_and(Vec::is_empty)
    );
}

#[tokio::test]
async fn a_day_has_two_hundred_new_commands() {
    let discord = guild().await;
    discord.limits(false);
    let api = Api::of(&discord);
    let batch = |from: usize| {
        (from..from + 100)
            .map(|n| json!({ "name": format!("c{n}"), "description": "x" }))
            .collect()
    };
    api.registers(batch(0)).await;
    api.registers(batch(100)).await;
    let one = json!({ "name": "one-more", "description": "x" });
    assert_eq!(
        api.refused("POST", &api.commands_path(), one.clone()).await,
        30034
    );
    discord.advance(Duration::from_secs(86_400));
    api.done("POST", &api.commands_path(), one).await;
}

#[tokio::test]
async fn commands_that_discord_would_not_take_are_refused() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let option = |name: &str, kind: u64| json!({ "type": kind, "name": name, "description": "x" });
    let with = |options: serde_json::Value| json!({ "name": "c", "description": "x", "options": options });
    let choice = "x".repeat(100);
    let choices: Vec<_> = (0..25)
        .map(|n| json!({ "name": format!("{n}{}", &choice[3..]), "value": choice }))
        .collect();
    let mut large = option("big", 3);
    large["choices"] = json!(choices);
    let mut required = option("b", 3);
    required["required"] = json!(true);
    let heavy =
        json!([{ "type": 1, "name": "s", "description": "x", "options": [large, named(&large, "b2")] }]);
    for (command, part) in [
        (
            json!({ "name": "Incident", "description": "x" }),
            "name is invalid",
        ),
        (
            json!({ "name": "in cident", "description": "x" }),
            "name is invalid",
        ),
        (json!({ "name": "c", "description": "" }), "between 1 and 100"),
        (with(json!([option("a", 3), option("a", 3)])), "must be unique"),
        (with(json!([option("a", 3), required])), "before non-required"),
        (
            with(json!([option("a", 1), option("b", 3)])),
            "mutually exclusive",
        ),
        (
            with(json!(
                (0..26).map(|n| option(&format!("o{n}"), 3)).collect::<Vec<_>>()
            )),
            "25",
        ),
        (with(heavy), "maximum size (8000)"),
        (
            json!({ "name": "Add to timeline", "type": 3, "description": "x" }),
            "no description",
        ),
    ] {
        assert_eq!(
            api.refused("POST", &api.commands_path(), command.clone()).await,
            50035,
            "{command}"
        );
        let violations = discord.take_violations();
        assert!(
            violations.iter().any(|why| why.contains(part)),
            "{part}: {violations:?}"
        );
    }
}

fn named(option: &serde_json::Value, name: &str) -> serde_json::Value {
    let mut option = option.clone();
    option["name"] = json!(name);
    option
}

#[tokio::test]
async fn what_people_type_arrives_as_the_types_that_were_registered() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ana = discord.person("ana");
    let (ops, sre) = (discord.channel("ops"), discord.role("sre", &[]));
    let option = |kind: u64, name: &str| json!({ "type": kind, "name": name, "description": "x" });
    let mut severity = option(3, "severity");
    severity["choices"] = json!([{ "name": "SEV1: all is down", "value": "sev1" }]);
    let mut runbook = option(3, "runbook");
    runbook["autocomplete"] = json!(true);
    let options = json!([
        severity,
        runbook,
        option(3, "summary"),
        option(4, "count"),
        option(5, "private"),
        option(6, "who"),
        option(7, "where"),
        option(8, "role"),
        option(10, "hours"),
    ]);
    let group = json!([{ "type": 2, "name": "room", "description": "x", "options": [
        { "type": 1, "name": "add", "description": "x", "options": options } ] }]);
    api.registers(json!([{ "name": "incident", "description": "x", "options": group }]))
        .await;
    let mut ear = api.hears(&discord, INTENTS).await;

    let line = "/incident room add severity:SEV1: all is down summary:Orders: they hang count:3 private:True \
                who:@ana where:#ops role:@sre hours:1.5";
    ana.types(line, &ops);
    let heard = ear.event("INTERACTION_CREATE").await;
    let given = &heard["data"]["options"][0]["options"][0]["options"];
    let values: Vec<_> = given
        .as_array()
        .expect("options")
        .iter()
        .map(|one| one["value"].clone())
        .collect();
    assert_eq!(
        json!(values),
        json!(["sev1", "Orders: they hang", 3, true, ana.id(), ops, sre, 1.5])
    );
    let resolved = &heard["data"]["resolved"];
    assert_eq!(resolved["users"][ana.id()]["username"], "ana");
    assert_eq!(resolved["channels"][ops.as_str()]["name"], "ops");
    assert_eq!(resolved["roles"][sre.as_str()]["name"], "sre");

    let sent = ana.completes("/incident room add summary:x runbook:red", &ops);
    let heard = ear.event("INTERACTION_CREATE").await;
    let focused = &heard["data"]["options"][0]["options"][0]["options"][1];
    assert_eq!(
        (&focused["value"], &focused["focused"]),
        (&json!("red"), &json!(true))
    );
    api.responds(
        &heard,
        8,
        json!({ "choices": [{ "name": "Redis is slow", "value": "redis" }] }),
    )
    .await;
    assert_eq!(sent.await.choices(), ["Redis is slow"]);
}

#[tokio::test]
#[should_panic(expected = "/incident has no “opne”; registered are: open")]
async fn what_is_not_registered_cannot_be_typed() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let open = json!({ "type": 1, "name": "open", "description": "x" });
    api.registers(json!([{ "name": "incident", "description": "x", "options": [open] }]))
        .await;
    discord
        .person("ana")
        .types("/incident opne", &discord.channel("ops"));
}
