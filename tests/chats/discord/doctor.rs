//! What `orderly doctor` says of a server that is not set up right, and what `orderly register` sends.

use std::sync::Arc;

use orderly::chat::Check;
use orderly::chat::discord::{Registered, Scope, Settings, check, register};
use orderly::clock::ManualClock;
use orderly_testbed::discord::{DiscordServer, permission};

use super::kit::permissions;

pub fn settings(discord: &DiscordServer) -> Settings {
    Settings {
        api_url: discord.api_url(),
        token: discord.bot_token(),
        guild: discord.guild_id(),
        category: discord.category("incidents"),
        archive: None,
        announce: Some(discord.channel("announcements")),
        notify: Vec::new(),
        roles: vec![discord.role("sre", &[])],
        marks: vec!["📌".to_owned()],
        page: None,
    }
}

fn clock(discord: &DiscordServer) -> Arc<ManualClock> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Arc::new(ManualClock::at(discord.now()))
}

async fn wrong(discord: &DiscordServer, settings: &Settings) -> Vec<String> {
    let found = check(settings, "incident", clock(discord)).await;
    let wrong = found.into_iter().filter_map(|check| match check {
        Check::Wrong { what, mend } => Some(format!("{what} → {mend}")),
        Check::Fine(_) | Check::Note { .. } => None,
    });
    wrong.collect()
}

async fn registered(discord: &DiscordServer, settings: &Settings, name: &str) -> Vec<Registered> {
    let done = register(settings, name, Scope::Guild, clock(discord)).await;
    done.expect("commands that Discord takes")
}

#[tokio::test]
async fn a_server_that_was_set_up_by_the_manifest_has_everything() {
    let discord = DiscordServer::start().await;
    discord.grant_only(permissions());
    let settings = settings(&discord);
    registered(&discord, &settings, "incident").await;
    assert_eq!(wrong(&discord, &settings).await, Vec::<String>::new());
}

#[tokio::test]
async fn only_what_changed_is_registered() {
    let discord = DiscordServer::start().await;
    let settings = settings(&discord);
    let first = registered(&discord, &settings, "incident").await;
    assert!(
        first.iter().all(|done| matches!(done, Registered::Made(_))),
        "{first:?}"
    );
    let calls = discord.read(|state| state.calls().len());
    let second = registered(&discord, &settings, "incident").await;
    assert!(
        second.iter().all(|done| matches!(done, Registered::Unchanged(_))),
        "{second:?}"
    );
    assert_eq!(
        discord.read(|state| state.calls().len()) - calls,
        3,
        "it only looked"
    );
    let renamed = registered(&discord, &settings, "outage").await;
    assert!(
        renamed.contains(&Registered::Made("outage".to_owned()))
            && renamed.contains(&Registered::Removed("incident".to_owned())),
        "{renamed:?}"
    );
}

/// A command that somebody registered otherwise: in the server, or everywhere.
async fn registers_otherwise(discord: &DiscordServer, place: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let app = discord.app_id();
    let answer = reqwest::Client::new()
        .post(format!(
            "{}/applications/{app}{place}/commands",
            discord.api_url()
        ))
        .header("authorization", format!("Bot {}", discord.bot_token()))
        .header("user-agent", "DiscordBot (test, 1)")
        .json(&serde_json::json!({ "name": "incident", "type": 1, "description": "As it was a year ago" }))
        .send()
        .await
        .expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test]
async fn commands_of_another_version_are_told_with_their_age_and_brought_up_to_date() {
    let discord = DiscordServer::start().await;
    discord.grant_only(permissions());
    let settings = settings(&discord);
    let place = format!("/guilds/{}", discord.guild_id());
    registers_otherwise(&discord, &place).await;
    let told = wrong(&discord, &settings).await.join("\n");
    let since = discord.now().format("%Y-%m-%d %H:%M UTC");
    let wanted = format!(
        "/incident is registered as another version had it since {since} → Run `orderly register discord`"
    );
    assert!(told.contains(&wanted), "{told}");
    let done = registered(&discord, &settings, "incident").await;
    assert!(
        done.contains(&Registered::Changed("incident".to_owned())),
        "{done:?}"
    );
    assert_eq!(wrong(&discord, &settings).await, Vec::<String>::new());
}

#[tokio::test]
async fn commands_that_are_registered_in_two_places_are_told_and_left_in_one() {
    let discord = DiscordServer::start().await;
    discord.grant_only(permissions());
    let settings = settings(&discord);
    registered(&discord, &settings, "incident").await;
    registers_otherwise(&discord, "").await;
    let told = wrong(&discord, &settings).await.join("\n");
    assert!(told.contains("shown each of them twice"), "{told}");
    let done = registered(&discord, &settings, "incident").await;
    assert!(
        done.contains(&Registered::Doubled("incident".to_owned())),
        "{done:?}"
    );
    assert_eq!(wrong(&discord, &settings).await, Vec::<String>::new());
    let everywhere = register(&settings, "incident", Scope::Everywhere, clock(&discord)).await;
    let everywhere = everywhere.expect("commands that Discord takes");
    let doubled = everywhere
        .iter()
        .filter(|done| matches!(done, Registered::Doubled(_)));
    assert_eq!(doubled.count(), 4, "{everywhere:?}");
    assert_eq!(wrong(&discord, &settings).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_missing_is_named_with_how_to_mend_it() {
    let discord = DiscordServer::start().await;
    discord.grant_only(permissions() & !permission::PIN_MESSAGES);
    discord.switch_intents(0);
    let mut settings = settings(&discord);
    settings.announce = Some("1111111111111111111".to_owned());
    settings.roles = vec!["2222222222222222222".to_owned()];
    let told = wrong(&discord, &settings).await;
    for part in [
        "Pin Messages (the card on top)",
        "4014 → Switch it on",
        "announce = 1111111111111111111",
        "no role 2222222222222222222",
        "/incident is not registered → Run `orderly register discord`",
    ] {
        assert!(told.iter().any(|told| told.contains(part)), "{part}: {told:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
    discord.take_violations();
}

#[tokio::test]
async fn a_token_that_was_reset_is_told_with_where_to_get_another() {
    let discord = DiscordServer::start().await;
    let settings = settings(&discord);
    discord.revoke_token(true);
    let told = wrong(&discord, &settings).await.join("\n");
    assert!(
        told.contains("the token does not work") && told.contains("page Bot"),
        "{told}"
    );
    discord.take_violations();
}
