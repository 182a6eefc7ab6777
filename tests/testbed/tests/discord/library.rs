//! The fake checked with serenity, which is what our own bot is made of.

use std::sync::Arc;

use orderly_testbed::discord::DiscordServer;
use serde_json::json;
use serenity::all::{
    ActionRowComponent, ButtonStyle, ChannelId, Client, CommandInteraction, CommandOptionType,
    ComponentInteraction, Context, CreateActionRow, CreateAttachment, CreateButton, CreateChannel,
    CreateCommand, CreateCommandOption, CreateEmbed, CreateInputText, CreateInteractionResponse,
    CreateInteractionResponseFollowup, CreateInteractionResponseMessage, CreateMessage, CreateModal,
    EditMessage, EventHandler, GatewayIntents, GuildId, Http, HttpBuilder, InputTextStyle, Interaction,
    Message, ModalInteraction, Reaction, Ready,
};
use serenity::async_trait;

/// A small incident bot.
struct Bot {
    guild: GuildId,
}

#[async_trait]
impl EventHandler for Bot {
    async fn ready(&self, context: Context, _: Ready) {
        let open = CreateCommandOption::new(CommandOptionType::SubCommand, "open", "Opens an incident")
            .add_sub_option(
                CreateCommandOption::new(CommandOptionType::String, "summary", "What is wrong")
                    .required(true),
            );
        let form = CreateCommandOption::new(CommandOptionType::SubCommand, "form", "Asks for everything");
        let command = CreateCommand::new("incident")
            .description("Runs an incident")
            .add_option(open)
            .add_option(form);
        self.guild
            .set_commands(&context.http, vec![command])
            .await
            .expect("registered");
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        match interaction {
            Interaction::Command(command) => self.command(&context.http, &command).await,
            Interaction::Component(component) => pressed(&context.http, &component).await,
            Interaction::Modal(modal) => self.submitted(&context.http, &modal).await,
            _ => {}
        }
    }

    async fn reaction_add(&self, context: Context, reaction: Reaction) {
        let message = reaction.message(&context.http).await.expect("a message");
        message
            .reply(&context.http, format!("Noted: {}", message.content))
            .await
            .expect("a reply");
    }

    async fn message(&self, context: Context, message: Message) {
        if let Some(file) = message.attachments.first().filter(|_| !message.author.bot) {
            let bytes = file.download().await.expect("a file");
            let said = format!("{} has {} bytes", file.filename, bytes.len());
            message.channel_id.say(&context.http, said).await.expect("said");
        }
    }
}

impl Bot {
    async fn command(&self, http: &Arc<Http>, command: &CommandInteraction) {
        let first = &command.data.options()[0];
        if first.name == "form" {
            let input = CreateInputText::new(InputTextStyle::Short, "Summary", "what");
            let modal = CreateModal::new("open", "Open an incident")
                .components(vec![CreateActionRow::InputText(input)]);
            command
                .create_response(http, CreateInteractionResponse::Modal(modal))
                .await
                .expect("a form");
            return;
        }
        command.defer_ephemeral(http).await.expect("deferred");
        let summary = match &first.value {
            serenity::all::ResolvedValue::SubCommand(options) => format!("{:?}", options[0].value),
            other => format!("{other:?}"),
        };
        let room = self.open(http, &summary).await;
        let after = CreateInteractionResponseFollowup::new().content(format!("<#{room}> is open"));
        command.create_followup(http, after).await.expect("a follow-up");
    }

    async fn open(&self, http: &Arc<Http>, summary: &str) -> ChannelId {
        let room = self
            .guild
            .create_channel(http, CreateChannel::new("inc-1").topic("SEV1"))
            .await
            .expect("a room");
        let card = CreateMessage::new()
            .embed(CreateEmbed::new().title("Incident 1").description(summary))
            .button(
                CreateButton::new("approve")
                    .label("Approve")
                    .style(ButtonStyle::Success),
            );
        let card = room.send_message(http, card).await.expect("a card");
        card.pin(http).await.expect("pinned");
        let notes = CreateAttachment::bytes(&b"# Notes"[..], "notes.md");
        room.id
            .send_files(http, vec![notes], CreateMessage::new().content("So far"))
            .await
            .expect("files");
        room.id
    }

    async fn submitted(&self, http: &Arc<Http>, modal: &ModalInteraction) {
        let ActionRowComponent::InputText(text) = &modal.data.components[0].components[0] else {
            panic!("no text: {:?}", modal.data.components);
        };
        let said = CreateInteractionResponseMessage::new()
            .content(format!("Heard: {:?}", text.value))
            .ephemeral(true);
        modal
            .create_response(http, CreateInteractionResponse::Message(said))
            .await
            .expect("answered");
    }
}

async fn pressed(http: &Arc<Http>, component: &ComponentInteraction) {
    let said = CreateInteractionResponseMessage::new()
        .content(format!("approved by <@{}>", component.user.id))
        .embeds(vec![])
        .components(vec![]);
    component
        .create_response(http, CreateInteractionResponse::UpdateMessage(said))
        .await
        .expect("updated");
    let thanks = CreateInteractionResponseFollowup::new()
        .content("Thank you")
        .ephemeral(true);
    component
        .create_followup(http, thanks)
        .await
        .expect("a follow-up");
    let mut message = component.message.clone();
    message
        .edit(http, EditMessage::new().content("approved for good"))
        .await
        .expect("edited");
}

/// A client of serenity's, connected: its way out is only to this machine.
async fn client(discord: &DiscordServer) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = HttpBuilder::new(discord.bot_token())
        .proxy(discord.origin())
        .ratelimiter_disabled(true)
        .build();
    let intents =
        GatewayIntents::non_privileged() | GatewayIntents::MESSAGE_CONTENT | GatewayIntents::GUILD_MEMBERS;
    let guild = GuildId::new(discord.guild_id().parse().expect("an id"));
    let client = serenity::client::ClientBuilder::new_with_http(http, intents)
        .event_handler(Bot { guild })
        .await
        .expect("a client");
    assert_eq!(*client.ws_url.lock().await, discord.gateway_url());
    client
}

#[tokio::test]
async fn serenity_lives_a_day() {
    let discord = DiscordServer::start().await;
    discord.check_answers();
    discord.limits(false);
    let (ana, ben) = (discord.person("ana"), discord.person("ben"));
    let ops = discord.channel("ops");
    let mut client = client(&discord).await;
    let shards = client.shard_manager.clone();
    let running = tokio::spawn(async move { client.start().await });
    discord
        .until("the commands", |state| state.commands().count() == 1)
        .await;

    ana.types("/incident open summary:Orders hang", &ops).await;
    ana.is_told(&ops, "#inc-1 is open").await;
    let (room, card) = discord.read(|state| {
        let card = state.find("inc-1", "[Approve]").expect("the card");
        (card.channel.clone(), card.id.clone())
    });
    assert_eq!(
        discord.texts("inc-1"),
        [
            "Incident 1\nString(\"Orders hang\")\n[Approve]",
            "So far\n[file: notes.md]"
        ]
    );
    ben.presses(&room, &card, "Approve").await;
    ben.is_told(&room, "Thank you").await;
    discord
        .until("the edit", |state| {
            state.find("inc-1", "approved for good").is_some()
        })
        .await;

    ana.types("/incident form", &ops).await;
    let form = ana.form().await;
    ana.submits(&form, &json!({ "Summary": "All is slow" })).await;
    ana.is_told(&ops, "Heard: Some(\"All is slow\")").await;

    let said = ana.says(&room, "the queue is full");
    ben.reacts(&room, &said, "📌");
    discord
        .until("the note", |state| {
            state.find("inc-1", "Noted: the queue is full").is_some()
        })
        .await;

    // A broken line: the session is taken up again, and nothing was missed.
    discord.drop_sockets();
    ana.uploads(&room, "", "log.txt", "text/plain", b"error");
    discord
        .until("the file read", |state| {
            state.find("inc-1", "log.txt has 5 bytes").is_some()
        })
        .await;
    assert_eq!(
        discord.read(|state| (state.sessions_started(), state.sessions_resumed())),
        (1, 1)
    );
    discord.ask_to_reconnect();
    discord
        .until("a second resume", |state| state.sessions_resumed() == 2)
        .await;
    discord.all_heard().await;

    shards.shutdown_all().await;
    running.await.expect("the client").expect("a quiet end");
    discord.assert_clean();
}

#[tokio::test]
async fn serenity_is_told_which_switch_to_turn() {
    let discord = DiscordServer::start().await;
    discord.switch_intents(0);
    let mut client = client(&discord).await;
    let why = client.start().await.expect_err("no way in");
    assert!(format!("{why:?}").contains("DisallowedGatewayIntents"), "{why:?}");
}
