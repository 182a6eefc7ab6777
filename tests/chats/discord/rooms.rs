//! Rooms: who sees them, what happens where there is no place, and how they end.

use orderly::chat::Chat;
use orderly::incident::RoomRef;
use orderly_testbed::discord::permission::{SEND_MESSAGES, VIEW_CHANNEL};

use super::kit::House;

#[tokio::test]
async fn a_private_incident_is_seen_by_those_invited_and_by_nobody_else() {
    let house = House::open().await;
    let dan = house.person("dan");
    house
        .types("ana", "open Salaries are visible severity=SEV2 --private")
        .await;
    let room = house.room().await;
    let sees = |who: &str| {
        let who = house.person(who);
        house.discord.read(|state| state.can_see(who.id(), &room))
    };
    assert!(sees("ana"));
    assert!(!sees("cleo") && !house.discord.read(|state| state.can_see(dan.id(), &room)));
    house.types("ana", "invite @cleo").await;
    assert!(sees("cleo"));
    let announced = house.discord.texts(&house.announce);
    assert!(
        announced.iter().all(|text| !text.contains("Salaries")),
        "{announced:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn who_the_category_lets_in_sees_the_room() {
    let house = House::open().await;
    let dan = house.person("dan");
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    assert!(house.discord.read(|state| state.can_see(dan.id(), &room)));
    house.close().await;
}

#[tokio::test]
async fn a_full_category_is_said_and_the_room_opens_beside_it() {
    let house = House::open().await;
    for number in 0..50 {
        house
            .discord
            .channel_in(&format!("old-{number}"), &house.category);
    }
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    assert_eq!(
        house.discord.read(|state| state.channel(&room).parent.clone()),
        None
    );
    let texts = house.discord.texts(&room);
    assert!(
        texts
            .iter()
            .any(|text| text.contains("category for incidents is full")),
        "{texts:#?}"
    );
    house.close().await;
}

#[tokio::test]
async fn roles_are_called_at_the_announcement_and_the_world_is_not() {
    let discord = orderly_testbed::discord::DiscordServer::start().await;
    let cleo = discord.person("cleo");
    let oncall = discord.role("oncall", &[&cleo]);
    discord.change_role(&oncall, |role| role.mentionable = true);
    let house = House::on(discord, &format!("notify = [\"{oncall}\"]")).await;
    house
        .types("ana", "open @everyone labels do not print severity=SEV2")
        .await;
    let (rung, roles) = house.discord.read(|state| {
        let messages = state.channels().flat_map(|channel| channel.messages.values());
        let mut rung = false;
        let mut roles = Vec::new();
        for message in messages {
            rung |= message.mention_everyone;
            roles.extend(message.mention_roles.clone());
        }
        (rung, roles)
    });
    assert!(!rung, "everybody was called");
    assert_eq!(roles, [oncall]);
    house.close().await;
}

#[tokio::test]
async fn a_closed_room_is_one_to_read() {
    let house = House::open().await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let chat = house.app.discord.clone().expect("an adapter");
    let place = RoomRef {
        platform: "discord".to_owned(),
        workspace: house.discord.guild_id(),
        room: room.clone(),
    };
    chat.archive(&place).await.expect("a closed room");
    let may = |who: &str, bit: u64| {
        let who = house.person(who);
        house.discord.read(|state| state.may(who.id(), &room, bit))
    };
    assert!(may("ana", VIEW_CHANNEL) && !may("ana", SEND_MESSAGES));
    assert!(may("cleo", VIEW_CHANNEL) && !may("cleo", SEND_MESSAGES));
    chat.archive(&place).await.expect("closed already");
    house.close().await;
}
