//! Channels, threads, and who may see them.

use orderly_testbed::discord::permission::{MANAGE_CHANNELS, MANAGE_ROLES, VIEW_CHANNEL};
use serde_json::json;

use crate::bot::{Api, INTENTS, guild, text};

#[tokio::test]
async fn a_private_room_is_seen_by_those_it_names_and_nobody_else() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let (ana, ben) = (discord.person("ana"), discord.person("ben"));
    let incidents = discord.category("incidents");
    let view = VIEW_CHANNEL.to_string();
    let body = json!({
        "name": "Inc 1: Orders", "type": 0, "parent_id": incidents, "topic": "SEV1",
        "permission_overwrites": [
            { "id": api.guild, "type": 0, "deny": view },
            { "id": discord.bot_user(), "type": 1, "allow": view },
            { "id": ana.id(), "type": 1, "allow": view },
        ],
    });
    let room = api
        .done("POST", &format!("/guilds/{}/channels", api.guild), body)
        .await;
    assert_eq!(room["name"], "inc-1-orders");
    let room = text(&room["id"]);
    api.says(&room, "Hello").await;
    assert_eq!(ana.sees(&room), ["orderly: Hello"]);
    assert!(ben.sees(&room).is_empty());

    // Giving somebody the room is editing roles, which is a permission of its own.
    let overwrite = format!("/channels/{room}/permissions/{}", ben.id());
    api.done("PUT", &overwrite, json!({ "type": 1, "allow": view }))
        .await;
    assert_eq!(ben.sees(&room), ["orderly: Hello"]);
    discord.take_permission(MANAGE_ROLES);
    assert_eq!(api.refused("DELETE", &overwrite, json!(null)).await, 50013);
}

#[tokio::test]
async fn a_bot_that_shuts_itself_out_sees_no_more() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let mut ear = api.hears(&discord, INTENTS).await;
    let body = json!({
        "name": "inc-1", "permission_overwrites": [{ "id": api.guild, "type": 0, "deny": VIEW_CHANNEL.to_string() }],
    });
    let room = api
        .done("POST", &format!("/guilds/{}/channels", api.guild), body)
        .await;
    let room = text(&room["id"]);
    assert_eq!(
        api.refused("GET", &format!("/channels/{room}"), json!(null))
            .await,
        50001
    );
    discord.owner().says(&room, "Is anybody there?");
    let ops = discord.channel("ops");
    assert_eq!(ear.event("CHANNEL_CREATE").await["id"], ops.as_str());
}

#[tokio::test]
async fn a_full_category_and_a_full_guild_say_so() {
    let discord = guild().await;
    discord.limits(false);
    let api = Api::of(&discord);
    let incidents = discord.category("incidents");
    let path = format!("/guilds/{}/channels", api.guild);
    for number in 0..50 {
        discord.channel_in(&format!("inc-{number}"), &incidents);
    }
    let (_, answer) = api
        .call("POST", &path, json!({ "name": "inc-50", "parent_id": incidents }))
        .await;
    assert_eq!(
        answer["errors"]["parent_id"]["_errors"][0]["code"],
        "CHANNEL_PARENT_MAX_CHANNELS"
    );
    for number in 51..500 {
        discord.channel(&format!("other-{number}"));
    }
    assert_eq!(
        api.refused("POST", &path, json!({ "name": "one-more" })).await,
        30013
    );
    discord.take_permission(MANAGE_CHANNELS);
    assert_eq!(
        api.refused("POST", &path, json!({ "name": "one-more" })).await,
        50013
    );
}

#[tokio::test]
async fn a_room_is_renamed_twice_in_ten_minutes_and_no_more() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let room = discord.channel("inc-1");
    let path = format!("/channels/{room}");
    api.done("PATCH", &path, json!({ "topic": "SEV1" })).await;
    api.done("PATCH", &path, json!({ "topic": "SEV2" })).await;
    let (status, answer) = api.call("PATCH", &path, json!({ "topic": "SEV3" })).await;
    assert_eq!((status, answer["retry_after"].as_f64()), (429, Some(600.0)));
    api.done("PATCH", &path, json!({ "parent_id": null })).await;
    assert_eq!(
        discord
            .read(|state| state.channel("inc-1").topic.clone())
            .as_deref(),
        Some("SEV2")
    );
}

#[tokio::test]
async fn threads_stand_beneath_their_message() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let mut ear = api.hears(&discord, INTENTS).await;
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    ear.event("CHANNEL_CREATE").await;
    let said = ana.says(&ops, "the queue is full");
    ear.event("MESSAGE_CREATE").await;
    let body = json!({ "name": "Queue", "auto_archive_duration": 1440 });
    let thread = api
        .done(
            "POST",
            &format!("/channels/{ops}/messages/{said}/threads"),
            body.clone(),
        )
        .await;
    assert_eq!(text(&thread["id"]), said);
    ear.event("THREAD_CREATE").await;
    assert_eq!(ear.event("MESSAGE_UPDATE").await["thread"]["name"], "Queue");
    assert_eq!(
        api.refused("POST", &format!("/channels/{ops}/messages/{said}/threads"), body)
            .await,
        160_004
    );

    ana.says(&said, "since nine");
    let heard = ear.event("MESSAGE_CREATE").await;
    assert_eq!(
        (text(&heard["channel_id"]), text(&heard["content"])),
        (said.clone(), "since nine".to_owned())
    );
    api.says(&said, "noted").await;
    assert_eq!(discord.texts("Queue"), ["since nine", "noted"]);
    api.done(
        "PATCH",
        &format!("/channels/{said}"),
        json!({ "archived": true, "locked": true }),
    )
    .await;
    let path = format!("/channels/{said}/messages");
    assert_eq!(
        api.refused("POST", &path, json!({ "content": "more" })).await,
        50083
    );
}

#[tokio::test]
async fn members_are_found_by_the_beginning_of_their_name() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let (ana, _) = (discord.person("ana"), discord.person("ben"));
    let sre = discord.role("sre", &[&ana]);
    let found = api
        .done(
            "GET",
            &format!("/guilds/{}/members/search?query=AN", api.guild),
            json!(null),
        )
        .await;
    assert_eq!(
        (found[0]["user"]["username"].as_str(), &found[0]["roles"]),
        (Some("ana"), &json!([sre]))
    );
    let all = api
        .done(
            "GET",
            &format!("/guilds/{}/members?limit=100", api.guild),
            json!(null),
        )
        .await;
    assert_eq!(all.as_array().map(Vec::len), Some(4));
    assert_eq!(
        api.refused("GET", &format!("/guilds/{}/members/1", api.guild), json!(null))
            .await,
        10007
    );
    let roles = api
        .done("GET", &format!("/guilds/{}/roles", api.guild), json!(null))
        .await;
    assert_eq!(roles.as_array().map(Vec::len), Some(3));
}
