// A small incident bot on discord.js. It does what `discord_sdk.rs` expects, with nothing but that library between it
// and the wire.
//
//   API_URL (http://127.0.0.1:PORT/api)  BOT_TOKEN  GUILD

import { createRequire } from "node:module";

const require = createRequire(`${process.env.SDK_FOLDER}/`);
const {
  ActionRowBuilder, ApplicationCommandType, AttachmentBuilder, ButtonBuilder, ButtonStyle, ChannelType, Client,
  ContextMenuCommandBuilder, EmbedBuilder, Events, GatewayIntentBits: Intents, MessageFlags, ModalBuilder, Partials,
  PermissionFlagsBits: Permissions, SlashCommandBuilder, StringSelectMenuBuilder, TextInputBuilder, TextInputStyle,
} = require("discord.js");

const { API_URL, BOT_TOKEN, GUILD } = process.env;
const client = new Client({
  rest: { api: API_URL },
  intents: [
    Intents.Guilds, Intents.GuildMembers, Intents.GuildMessages, Intents.GuildMessageReactions, Intents.MessageContent,
  ],
  partials: [Partials.Message, Partials.Reaction],
});

const command = new SlashCommandBuilder().setName("incident").setDescription("Runs an incident")
  .addSubcommand((sub) => sub.setName("open").setDescription("Asks what is wrong"))
  .addSubcommand((sub) => sub.setName("status").setDescription("Says how it stands")
    .addStringOption((option) => option.setName("target").setDescription("Of what").setRequired(true)
      .setAutocomplete(true))
    .addUserOption((option) => option.setName("for").setDescription("For whom")));
const menu = new ContextMenuCommandBuilder().setName("Make a task").setType(ApplicationCommandType.Message);

const row = (...components) => new ActionRowBuilder().addComponents(...components);
const whisper = (content) => ({ content, flags: MessageFlags.Ephemeral });

async function open(interaction) {
  const summary = new TextInputBuilder().setCustomId("what").setLabel("Summary").setStyle(TextInputStyle.Short);
  await interaction.showModal(new ModalBuilder().setCustomId("open").setTitle("Open an incident")
    .addComponents(row(summary)));
}

async function opened(interaction) {
  await interaction.deferReply({ flags: MessageFlags.Ephemeral });
  const view = Permissions.ViewChannel;
  const room = await interaction.guild.channels.create({
    name: "inc-1", type: ChannelType.GuildText, topic: "SEV1",
    permissionOverwrites: [
      { id: interaction.guild.roles.everyone, deny: [view] },
      { id: client.user.id, allow: [view] },
      { id: interaction.user.id, allow: [view] },
    ],
  });
  const card = await room.send({
    embeds: [new EmbedBuilder().setTitle("Incident 1").setDescription(interaction.fields.getTextInputValue("what"))],
    components: [
      row(new ButtonBuilder().setCustomId("approve").setLabel("Approve").setStyle(ButtonStyle.Success)),
      row(new StringSelectMenuBuilder().setCustomId("line").setPlaceholder("Next line")
        .addOptions({ label: "Logs", value: "logs" }, { label: "Changes", value: "changes" })),
    ],
    nonce: "card-1", enforceNonce: true,
  });
  await card.pin();
  await room.send({ content: "So far", files: [new AttachmentBuilder(Buffer.from("# Notes"), { name: "notes.md" })] });
  await interaction.editReply(`<#${room.id}> is open`);
}

client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    await interaction.respond([{ name: `Odoo ${typed}`, value: `odoo-${typed}` }]);
  } else if (interaction.isChatInputCommand() && interaction.options.getSubcommand() === "open") {
    await open(interaction);
  } else if (interaction.isChatInputCommand()) {
    const whom = interaction.options.getUser("for") ?? interaction.user;
    await interaction.reply(whisper(`${interaction.options.getString("target")} is well, <@${whom.id}>`));
  } else if (interaction.isModalSubmit()) {
    await opened(interaction);
  } else if (interaction.isButton()) {
    await interaction.update({ content: `approved by <@${interaction.user.id}>`, embeds: [], components: [] });
    await interaction.followUp(whisper("Thank you"));
  } else if (interaction.isStringSelectMenu()) {
    await interaction.deferUpdate();
    await interaction.channel.send(`next: ${interaction.values[0]}`);
  } else if (interaction.isMessageContextMenuCommand()) {
    await interaction.reply(whisper(`Task: ${interaction.targetMessage.content}`));
  }
});

client.on(Events.MessageReactionAdd, async (reaction, user) => {
  if (user.id === client.user.id) return;
  const message = await reaction.message.fetch();
  const thread = message.thread ?? (await message.startThread({ name: "Notes" }));
  await thread.send(`Noted: ${message.content}`);
});

client.on(Events.MessageUpdate, async (_, message) => {
  if (!message.author.bot && message.editedAt) await message.react("✏️");
});

client.once(Events.ClientReady, async () => {
  const guild = await client.guilds.fetch(GUILD);
  await guild.commands.set([command, menu]);
  const ops = guild.channels.cache.find((channel) => channel.name === "ops");
  await ops.send(`ready: ${client.user.username} in ${guild.name}`);
});

await client.login(BOT_TOKEN);
