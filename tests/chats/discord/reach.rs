//! That nothing leaves for the real Discord, whatever is answered.

use orderly::chat::discord::{Scope, check, register};
use orderly_testbed::discord::DiscordServer;

use super::doctor::settings;
use super::kit::House;

/// Every call of a whole opening came to the stand-in; none of the addresses that the adapter itself knows is called.
#[tokio::test]
async fn no_request_leaves_for_a_real_host() {
    let house = House::open().await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let (said, bytes) = ("a log", b"ERROR: could not serialize access");
    let message = house
        .person("ben")
        .uploads(&room, said, "odoo.log", "text/plain", bytes);
    house.person("ana").reacts(&room, &message, "📌");
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.marks.values().next().map(|mark| mark.files.len()), Some(1));
    let unknown = house.discord.read(|discord| {
        let calls = discord.calls().iter();
        calls
            .filter(|call| call.operation.contains("://"))
            .map(|call| call.operation.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(unknown, Vec::<String>::new());
    house.close().await;
}

/// A stand-in that names another host as the gateway gets no token there: the adapter refuses to go.
#[tokio::test]
async fn a_gateway_elsewhere_gets_no_token() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let discord = DiscordServer::start().await;
    let mut settings = settings(&discord);
    // The same server under another name: what it names as its gateway is then another host.
    settings.api_url = settings.api_url.replace("127.0.0.1", "localhost");
    let clock = std::sync::Arc::new(orderly::clock::ManualClock::at(discord.now()));
    register(&settings, "incident", Scope::Guild, clock.clone())
        .await
        .expect("the API itself is where the config says");
    check(&settings, "incident", clock.clone()).await;
    let chat = orderly::chat::discord::DiscordChat::new(settings, clock).expect("an adapter");
    chat.listen();
    discord
        .until("the gateway's address to be asked for", |state| {
            state
                .calls()
                .iter()
                .filter(|call| call.operation == "get_bot_gateway")
                .count()
                >= 2
        })
        .await;
    assert_eq!(discord.read(|state| state.sessions_started()), 0);
    chat.close();
}
