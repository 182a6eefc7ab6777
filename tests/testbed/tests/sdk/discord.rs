//! The fake Discord checked with discord.js: what that library sends and understands is Discord; what only we believe
//! is not.

use orderly_testbed::discord::{ChannelKind, DiscordServer};
use serde_json::json;

use crate::bots;

#[tokio::test]
async fn discord_js_lives_a_day() {
    let discord = DiscordServer::start().await;
    discord.check_answers();
    discord.limits(false);
    let (ana, ben) = (discord.person("ana"), discord.person("ben"));
    let ops = discord.channel("ops");
    let settings = [
        ("API_URL", format!("{}/api", discord.origin())),
        ("BOT_TOKEN", discord.bot_token()),
        ("GUILD", discord.guild_id()),
    ];
    let _bot = bots::start("node", "discord.mjs", &settings);
    discord
        .until("the bot to be ready", |state| {
            state.texts("ops") == ["ready: orderly in Acme"]
        })
        .await;

    let offered = ana.completes("/incident status target:north", &ops).await;
    assert_eq!(offered.choices(), ["Odoo north"]);
    ana.types("/incident status target:odoo-north for:@ben", &ops)
        .await;
    ana.is_told(&ops, "odoo-north is well, @ben").await;
    ana.types("/incident open", &ops).await;
    let form = ana.form().await;
    ana.submits(&form, &json!({ "Summary": "Orders hang" })).await;
    ana.is_told(&ops, "#inc-1 is open").await;
    assert!(ben.sees("inc-1").is_empty());
    let (room, card) = discord.read(|state| {
        let card = "Incident 1\nOrders hang\n[Approve]\n[Next line ▾]";
        assert_eq!(state.pinned_texts("inc-1"), [card]);
        assert_eq!(state.texts("inc-1"), [card, "So far\n[file: notes.md]"]);
        let room = state.channel("inc-1");
        assert_eq!(
            (room.kind, room.topic.as_deref()),
            (ChannelKind::Text, Some("SEV1"))
        );
        (
            room.id.clone(),
            state.find("inc-1", "Approve").expect("the card").id.clone(),
        )
    });

    ana.chooses(&room, &card, "Next line", &["Logs"]).await;
    discord
        .until("the line", |state| state.find("inc-1", "next: logs").is_some())
        .await;
    ana.presses(&room, &card, "Approve").await;
    ana.is_told(&room, "Thank you").await;
    assert_eq!(discord.texts("inc-1")[0], "approved by @ana");
    let said = ana.says(&room, "the queue is full");
    ana.uses("Make a task", &room, &said).await;
    ana.is_told(&room, "Task: the queue is full").await;
    ana.edits(&room, &said, "the queue is full since nine");
    discord
        .until("a mark on the edit", |state| {
            state.channel(&room).messages[&said]
                .reacted()
                .first()
                .is_some_and(|(emoji, _)| *emoji == "✏️")
        })
        .await;

    // A broken line: the session is taken up again, and what was missed comes with it.
    discord.drop_sockets();
    ana.reacts(&room, &said, "📌");
    discord
        .until("the note", |state| {
            state.thread_on(&said).is_some()
                && state.texts("Notes") == ["Noted: the queue is full since nine"]
        })
        .await;
    assert_eq!(
        discord.read(|state| (state.sessions_started(), state.sessions_resumed())),
        (1, 1)
    );
    discord.all_heard().await;
    // The one thing that it says too much.
    if DiscordServer::contracts_checked() {
        assert_eq!(
            discord.take_violations(),
            ["create_thread_from_message: unknown property /type"]
        );
    }
    discord.assert_clean();
}
