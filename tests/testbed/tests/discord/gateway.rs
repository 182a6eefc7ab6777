//! The gateway: who gets in, what they hear, and what is not lost.

use std::time::Duration;

use orderly_testbed::discord::{GUILD_MEMBERS, MESSAGE_CONTENT};
use serde_json::json;

use crate::bot::{Api, Ear, INTENTS, guild};

/// The code with which an identify like this is answered.
async fn closed(discord: &orderly_testbed::discord::DiscordServer, token: &str, intents: u64) -> Option<u16> {
    let mut ear = Ear::connect(discord).await;
    ear.identify(token, intents).await;
    assert!(ear.next().await.is_null());
    ear.closed
}

#[tokio::test]
async fn an_identify_is_refused_with_the_code_that_says_why() {
    let discord = guild().await;
    let api = Api::of(&discord);
    assert_eq!(closed(&discord, "wrong", INTENTS).await, Some(4004));
    assert_eq!(closed(&discord, &api.token, 1 << 40).await, Some(4013));
    discord.switch_intents(GUILD_MEMBERS);
    assert_eq!(closed(&discord, &api.token, INTENTS).await, Some(4014));
    discord.switch_intents(GUILD_MEMBERS | MESSAGE_CONTENT);
    let mut ear = api.hears(&discord, INTENTS).await;
    ear.identify(&api.token, INTENTS).await;
    assert!(ear.next().await.is_null());
    assert_eq!(ear.closed, Some(4005));
    let mut mute = Ear::connect(&discord).await;
    mute.say(json!({ "op": 3, "d": {} })).await;
    assert!(mute.next().await.is_null());
    assert_eq!(mute.closed, Some(4003));
}

#[tokio::test]
async fn without_the_content_intent_words_are_empty_unless_they_name_the_bot() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    let mut ear = api.hears(&discord, INTENTS & !MESSAGE_CONTENT).await;
    ana.says(&ops, "the queue is full");
    assert_eq!(ear.event("MESSAGE_CREATE").await["content"], "");
    let named = format!("<@{}> status", discord.bot_user());
    ana.says(&ops, &named);
    assert_eq!(ear.event("MESSAGE_CREATE").await["content"], named.as_str());
    ana.says(&ana.direct(), "and here?");
    assert_eq!(ear.event("MESSAGE_CREATE").await["content"], "and here?");
}

#[tokio::test]
async fn what_was_missed_comes_with_a_resume_and_in_order() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    let ear = api.hears(&discord, INTENTS).await;
    discord.drop_sockets();
    ana.says(&ops, "one");
    ana.says(&ops, "two");
    let mut again = Ear::connect(&discord).await;
    again.resume(&api.token, &ear.session, ear.seq).await;
    assert_eq!(again.event("MESSAGE_CREATE").await["content"], "one");
    assert_eq!(again.event("MESSAGE_CREATE").await["content"], "two");
    again.event("RESUMED").await;
    assert_eq!(
        discord.read(|state| (state.sessions_started(), state.sessions_resumed())),
        (1, 1)
    );
    let mut lost = Ear::connect(&discord).await;
    lost.resume(&api.token, "no such session", 1).await;
    assert_eq!(
        lost.next().await,
        json!({ "op": 9, "t": null, "s": null, "d": false })
    );
    let mut ahead = Ear::connect(&discord).await;
    ahead.resume(&api.token, &ear.session, 1000).await;
    assert!(ahead.next().await.is_null());
    assert_eq!(ahead.closed, Some(4007));
}

#[tokio::test]
async fn events_arrive_twice_reversed_unreadable_or_never_when_a_test_wants_it() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let ana = discord.person("ana");
    let ops = discord.channel("ops");
    let mut ear = api.hears(&discord, INTENTS).await;
    discord.every_event_twice(true);
    ana.says(&ops, "twice");
    assert_eq!(
        ear.event("MESSAGE_CREATE").await["id"],
        ear.event("MESSAGE_CREATE").await["id"]
    );
    discord.every_event_twice(false);
    discord.hold_events();
    ana.says(&ops, "one");
    ana.says(&ops, "two");
    discord.let_events_go(true);
    assert_eq!(ear.event("MESSAGE_CREATE").await["content"], "two");
    assert_eq!(ear.event("MESSAGE_CREATE").await["content"], "one");
    discord.lose_events(1);
    ana.says(&ops, "never");
    discord.garble_events(1);
    ana.says(&ops, "unreadable");
    assert!(ear.event("MESSAGE_CREATE").await["id"].is_object());
    assert_eq!(discord.texts("ops").len(), 5);
}

#[tokio::test]
async fn heartbeats_are_acknowledged_until_a_test_wants_otherwise() {
    let discord = guild().await;
    let api = Api::of(&discord);
    let mut ear = api.hears(&discord, INTENTS).await;
    ear.say(json!({ "op": 1, "d": ear.seq })).await;
    assert_eq!(ear.next().await["op"], 11);
    discord.all_heard().await;
    discord.acknowledge_heartbeats(false);
    ear.say(json!({ "op": 1, "d": ear.seq })).await;
    discord.ask_to_reconnect();
    // The heartbeat asked for by all_heard came first; then nothing but the wish to reconnect.
    assert_eq!(ear.next().await["op"], 1);
    assert_eq!(ear.next().await["op"], 7);
    discord.invalidate_sessions(false);
    assert_eq!(ear.next().await["d"], false);
    discord.close_sockets(4009);
    assert!(ear.next().await.is_null());
    assert_eq!(ear.closed, Some(4009));
}

#[tokio::test]
async fn sessions_of_a_day_are_counted_and_the_last_one_costs_the_token() {
    let discord = guild().await;
    let api = Api::of(&discord);
    api.hears(&discord, INTENTS).await;
    discord.spend_sessions(999);
    let limit = api.done("GET", "/gateway/bot", json!(null)).await["session_start_limit"].clone();
    assert_eq!(
        (&limit["remaining"], &limit["reset_after"]),
        (&json!(0), &json!(86_400_000))
    );
    assert_eq!(closed(&discord, &api.token, INTENTS).await, Some(4004));
    assert_eq!(api.refused("GET", "/users/@me", json!(null)).await, 0);
    assert_eq!(discord.take_violations().len(), 1);
    discord.revoke_token(false);
    discord.advance(Duration::from_secs(86_400));
    api.hears(&discord, INTENTS).await;
}
