//! Rooms: who sees them, what happens where there is no place, and how they end.

use std::time::Duration;

use orderly::chat::{Asker, Block, Chat, Error, Message};
use orderly::incident::{Identity, RoomRef};
use orderly_testbed::discord::DiscordServer;
use orderly_testbed::discord::permission::{
    CREATE_PUBLIC_THREADS, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
};

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
async fn the_announcement_leads_into_the_room() {
    let house = House::open().await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let leads = house.discord.read(|discord| {
        let mut announced = discord.channel(&house.announce).messages.values();
        announced.any(|message| {
            message.embeds[0]
                .to_string()
                .contains(&format!("Room: <#{room}>"))
        })
    });
    assert!(leads, "{:?}", house.discord.texts(&house.announce));
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

/// A room as the port names it.
fn place(house: &House, room: &str) -> RoomRef {
    RoomRef {
        platform: "discord".to_owned(),
        workspace: house.discord.guild_id(),
        room: room.to_owned(),
    }
}

#[tokio::test]
async fn a_closed_room_is_opened_again_where_it_was_and_as_it_was() {
    let discord = DiscordServer::start().await;
    let old = discord.category("old-incidents");
    let house = House::on(discord, &format!("archive_category = \"{old}\"")).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let chat = house.app.discord.clone().expect("an adapter");
    let parent = || house.discord.read(|state| state.channel(&room).parent.clone());
    let may = |who: &str| {
        let who = house.person(who);
        let bits = SEND_MESSAGES | SEND_MESSAGES_IN_THREADS | CREATE_PUBLIC_THREADS;
        house.discord.read(|state| state.may(who.id(), &room, bits))
    };
    chat.archive(&place(&house, &room)).await.expect("a closed room");
    assert_eq!(parent(), Some(old));
    assert!(!may("cleo"));
    for _ in 0..2 {
        chat.unarchive(&place(&house, &room)).await.expect("an open room");
        assert_eq!(parent().as_ref(), Some(&house.category));
        assert!(may("cleo") && may("ana"));
    }
    house.close().await;
}

#[tokio::test]
async fn a_private_room_that_is_opened_again_is_still_private() {
    let house = House::open().await;
    let dan = house.person("dan");
    house
        .types("ana", "open Salaries are visible severity=SEV2 --private")
        .await;
    let room = house.room().await;
    let chat = house.app.discord.clone().expect("an adapter");
    chat.archive(&place(&house, &room)).await.expect("a closed room");
    chat.unarchive(&place(&house, &room)).await.expect("an open room");
    let may = |who: &str, bit| house.discord.read(|state| state.may(who, &room, bit));
    assert!(may(house.person("ana").id(), SEND_MESSAGES));
    assert!(!may(dan.id(), VIEW_CHANNEL));
    house.close().await;
}

#[tokio::test]
async fn the_room_is_archived_last_and_opened_again_with_the_incident() {
    let house = House::keeping("[room]\narchive_on_close = true\n").await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    house.types("ana", "take commander").await;
    let room = house.room().await;
    house.types("ana", "cancel it was a planned restart").await;
    let ana = house.person("ana");
    let may = || {
        house
            .discord
            .read(|state| state.may(ana.id(), &room, SEND_MESSAGES))
    };
    // Everything else is told first, and a topic is changed twice in ten minutes and not more often.
    for _ in 0..2 {
        house.advance(std::time::Duration::from_secs(600));
        house.settled().await;
    }
    assert!(!may());
    house.types("ana", "reopen it is back").await;
    assert!(may());
    house.close().await;
}

#[tokio::test]
async fn a_channel_where_people_talk_already_becomes_the_room() {
    let house = House::open().await;
    let ana = house.person("ana");
    let channel = house.discord.channel("carrier-labels");
    ana.says(&channel, "long before");
    house.advance(std::time::Duration::from_secs(120));
    ana.says(&channel, "the first label failed");
    house.advance(std::time::Duration::from_secs(60));
    let line = "open Labels do not print severity=SEV2 --here --history since=\"2m ago\"";
    let state = house.types_in("ana", line, &channel).await.expect("an incident");
    assert_eq!(state.rooms.len(), 1);
    assert_eq!(house.room().await, channel);
    house.settled().await;
    assert_eq!(house.log().await, ["the first label failed"]);
    ana.says(&channel, "said afterwards");
    house.settled().await;
    assert_eq!(house.log().await.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_channel_is_found_by_name_and_by_id_and_what_is_wrong_with_it_is_said() {
    let house = House::open().await;
    let chat = house.app.discord.clone().expect("an adapter");
    let ana = house.person("ana");
    let (help, twin, hidden) = (
        house.discord.channel("help"),
        house.discord.channel("twin"),
        house.discord.channel("hidden"),
    );
    house.discord.channel("twin");
    let closed = house.discord.channel("closed");
    house.discord.make_private(&closed, &[&ana]);
    let bot = house.discord.bot_user();
    house.discord.overwrite(&hidden, &bot, true, 0, VIEW_CHANNEL);
    let asking = |who: &str| Asker {
        who: vec![Identity {
            platform: "discord".to_owned(),
            workspace: house.discord.guild_id(),
            user: house.person(who).id().to_owned(),
        }],
        reads: Vec::new(),
    };
    let ana = asking("ana");
    for typed in ["#help", "help", help.as_str(), &format!("<#{help}>")] {
        let found = chat.find_room(typed, &ana).await.expect(typed);
        assert_eq!(
            (found.room.room.as_str(), found.name.as_str()),
            (help.as_str(), "#help")
        );
        assert!(found.readable && found.joined && !found.archived);
    }
    assert!(chat.find_room(&twin, &ana).await.is_ok());
    let found = chat.find_room(&closed, &ana).await.expect("a private channel");
    assert!(!found.readable);
    house.advance(Duration::from_secs(1));
    // To whom does not see it, it is not there.
    let cleo = asking("cleo");
    for typed in [closed.as_str(), "#closed"] {
        let Err(Error::Gone { why }) = chat.find_room(typed, &cleo).await else {
            panic!("{typed} was found");
        };
        assert!(why.contains(&format!("no channel {typed}")), "{why}");
    }
    let reads = vec![found.room];
    let here = Asker { reads, ..cleo };
    assert!(chat.find_room(&closed, &here).await.is_ok());
    for (typed, part) in [
        ("#nowhere", "no channel #nowhere"),
        ("#twin", "several channels named #twin"),
        (hidden.as_str(), "give its role these permissions: View Channels"),
        (house.category.as_str(), "no text channel"),
    ] {
        // Discord lets its members be asked for five times in a second.
        house.advance(Duration::from_secs(1));
        match chat.find_room(typed, &ana).await {
            Err(Error::Gone { why }) => assert!(why.contains(part), "{why}"),
            found => panic!("{typed}: {found:?}"),
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_post_under_a_known_key_says_what_is_true_now() {
    let house = House::open().await;
    let chat = house.app.discord.clone().expect("an adapter");
    let ops = place(&house, &house.ops);
    let says = |text: &str| Message {
        fallback: text.to_owned(),
        blocks: vec![Block::Text { text: text.into() }],
    };
    let first = chat
        .post("note/1", &ops, None, &says("two orders hang"))
        .await
        .expect("posted");
    let again = chat
        .post("note/1", &ops, None, &says("all orders hang"))
        .await
        .expect("posted");
    assert_eq!(first, again);
    let shown = house.discord.texts(&house.ops);
    assert!(
        shown.iter().any(|text| text.contains("all orders hang")),
        "{shown:?}"
    );
    assert_eq!(shown.len(), 1, "{shown:?}");
    // After a start the channel's history says which post has which key, edited or not.
    let house = house.restarted().await;
    let chat = house.app.discord.clone().expect("an adapter");
    let again = chat
        .post("note/1", &ops, None, &says("no order hangs"))
        .await
        .expect("posted");
    assert_eq!(first, again);
    let who = house.person("owner");
    who.deletes(&house.ops, &first.message);
    house.settled().await;
    let again = chat.post("note/1", &ops, None, &says("one order hangs")).await;
    assert_eq!(again, Ok(first), "what somebody deleted stays so");
    house.close().await;
}
