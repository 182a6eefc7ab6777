//! An incident from its first word to its post-mortem, in Discord alone.

use orderly::demo::guide;
use orderly::incident::{Phase, Stage};
use orderly_testbed::discord::{DiscordServer, Message};
use sha2::{Digest, Sha256};

use super::kit::House;
use crate::agree::{Post, room_and_journal_agree};

/// Walks the demo's incident along its guide, in Discord, up to the step with this id.
pub async fn lived_until(house: &House, id: &str) {
    for step in guide::steps().iter().take_while(|step| step.id != id) {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        let line = step.line(state.as_ref());
        house.types(step.who, &line).await;
    }
}

/// The whole of it.
pub async fn lived_through(house: &House) {
    lived_until(house, "").await;
    is_lived_through(house).await;
}

pub async fn is_lived_through(house: &House) {
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.phase, Phase::Learn);
    let worked = |stage: &Stage| matches!(stage, Stage::Verified { worked: true, .. });
    assert_eq!(
        state
            .proposals
            .values()
            .filter(|proposal| worked(&proposal.stage))
            .count(),
        4,
        "the pause, the rollback, the undo and the repair"
    );
}

/// What the room must hold at the end, whatever went wrong on the way.
pub async fn holds_it_all(house: &House) {
    let room = house.room().await;
    let state = house.state().await.expect("an incident");
    house.discord.read(|discord| {
        let channel = discord.channel(&room);
        assert!(channel.name.starts_with("inc-1-"), "{}", channel.name);
        assert_eq!(channel.parent.as_deref(), Some(house.category.as_str()));
        assert!(
            channel
                .topic
                .as_deref()
                .is_some_and(|topic| topic.contains("INC-1")),
            "{:?}",
            channel.topic
        );
        assert_eq!(channel.pins.len(), 1, "the card");
        let exports = channel.messages.values().filter(|message| {
            message.embeds.iter().any(|embed| {
                embed["description"]
                    .as_str()
                    .is_some_and(|text| text.contains("Post-mortem of"))
            })
        });
        assert_eq!(
            exports.filter(|message| !message.attachments.is_empty()).count(),
            1
        );
    });
    let texts = house.discord.texts(&room);
    for proposal in state.proposals.values() {
        let id = proposal.id.to_string();
        assert!(
            texts.iter().any(|text| text.contains(&id)),
            "{id} is not in the room: {texts:#?}"
        );
    }
    assert!(
        house
            .discord
            .texts(&house.announce)
            .iter()
            .any(|text| text.contains("INC-1")),
        "it was announced"
    );
    nothing_stands_twice(house);
    let posts: Vec<Post> = house.discord.read(|discord| {
        let ours = discord
            .spoken(&room)
            .filter(|message| message.author == discord.bot_user() && message.attachments.is_empty());
        let post = |message: &Message| Post {
            id: message.id.clone(),
            key: key_of(message).unwrap_or_default().to_owned(),
            text: discord.plain(message),
        };
        ours.map(post).collect()
    });
    room_and_journal_agree(&house.app, &state, &posts, nonce).await;
}

/// The key of a post, as Discord keeps it: the fragment of an address.
fn key_of(message: &Message) -> Option<&str> {
    let (_, nonce) = message.embeds.first()?["url"].as_str()?.split_once('#')?;
    Some(nonce)
}

/// What becomes of a key so that it fits there.
fn nonce(key: &str) -> String {
    format!("o{}", &hex::encode(Sha256::digest(key))[..24])
}

/// Every post has a key of its own, in every channel.
pub fn nothing_stands_twice(house: &House) {
    // Each post carries its key as the fragment of an address.
    let nonces: Vec<String> = house.discord.read(|discord| {
        let messages = discord.channels().flat_map(|channel| channel.messages.values());
        messages
            .filter(|message| message.only_for.is_none())
            .filter_map(|message| message.embeds.first()?["url"].as_str().map(str::to_owned))
            .collect()
    });
    let mut once = nonces.clone();
    once.sort();
    once.dedup();
    assert!(!nonces.is_empty());
    assert_eq!(once.len(), nonces.len(), "{nonces:#?}");
}

#[tokio::test]
async fn an_incident_is_lived_through() {
    assert!(DiscordServer::contracts_checked() || std::env::var_os("ORDERLY_CONTRACTS").is_none());
    let house = House::open().await;
    lived_through(&house).await;
    holds_it_all(&house).await;
    house.close().await;
}
