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
        2,
        "it only looked"
    );
    let renamed = registered(&discord, &settings, "outage").await;
    assert!(
        renamed.contains(&Registered::Made("outage".to_owned()))
            && renamed.contains(&Registered::Removed("incident".to_owned())),
        "{renamed:?}"
    );
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
