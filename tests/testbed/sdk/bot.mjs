// A small incident bot on Bolt for JavaScript. It does what `story.rs` expects, with nothing but Slack's own library
// between it and the wire, over Socket Mode or, where PORT is set, over signed HTTP.
//
//   API_URL  BOT_TOKEN  APP_TOKEN  SIGNING_SECRET  [PORT]

import { createRequire } from "node:module";

const require = createRequire(`${process.env.SDK_FOLDER}/`);
const { App, LogLevel } = require("@slack/bolt");

const { API_URL, BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, PORT } = process.env;
const common = {
  token: BOT_TOKEN,
  logLevel: LogLevel.WARN,
  clientOptions: { slackApiUrl: `${API_URL}/` },
};
const app = PORT
  ? new App({ ...common, signingSecret: SIGNING_SECRET, endpoints: [
      "/slack/events", "/slack/commands", "/slack/interactions"] })
  : new App({ ...common, appToken: APP_TOKEN, socketMode: true });

const plain = (text) => ({ type: "plain_text", text });
const mrkdwn = (text) => ({ type: "mrkdwn", text });
const form = {
  type: "modal",
  callback_id: "open",
  private_metadata: "ops",
  title: plain("Open an incident"),
  submit: plain("Open"),
  blocks: [
    { type: "input", block_id: "what", label: plain("Summary"),
      element: { type: "plain_text_input", action_id: "text" } },
    { type: "input", block_id: "where", label: plain("Target"),
      element: { type: "external_select", action_id: "target", min_query_length: 1 } },
  ],
};
const card = (text) => [
  { type: "header", text: plain("Incident 1") },
  { type: "section", text: mrkdwn(text) },
  { type: "actions", elements: [
    { type: "button", action_id: "approve", text: plain("Approve"), value: "proposal-1", style: "primary" },
  ] },
];

// The form opens at once; everything else comes after.
app.command("/incident", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: form });
});

app.options("target", async ({ ack, payload }) => {
  await ack({ options: [{ text: plain(`odoo ${payload.value}`), value: `odoo-${payload.value}` }] });
});

app.view("open", async ({ ack, body, view, client }) => {
  const summary = view.state.values.what.text.value;
  const target = view.state.values.where.target.selected_option.value;
  if (!summary.includes(" ")) {
    await ack({ response_action: "errors", errors: { what: "Say what is down, slow or wrong." } });
    return;
  }
  await ack();
  const room = (await client.conversations.create({ name: "inc-1" })).channel.id;
  await client.conversations.invite({ channel: room, users: body.user.id });
  await client.conversations.setTopic({ channel: room, topic: "SEV1" });
  const posted = await client.chat.postMessage({
    channel: room, text: summary, blocks: card(`${summary} on ${target}`),
    metadata: { event_type: "orderly", event_payload: { key: "card-1" } },
  });
  await client.pins.add({ channel: room, timestamp: posted.ts });
  await client.bookmarks.add({ channel_id: room, type: "link", title: "Runbook", link: "https://example.com/" });
  await client.filesUploadV2({
    channel_id: room, filename: "notes.md", title: "Notes", content: "# Notes", initial_comment: "So far",
  });
});

app.action("approve", async ({ ack, body, action, client, respond }) => {
  await ack();
  const { id: channel } = body.channel;
  await client.chat.update({
    channel, ts: body.message.ts, text: "approved",
    blocks: [{ type: "section", text: mrkdwn(`${action.value} approved by <@${body.user.id}>`) }],
  });
  await respond({ text: "Thank you", replace_original: false, response_type: "ephemeral" });
});

app.event("reaction_added", async ({ event, client }) => {
  const { channel, ts } = event.item;
  const found = await client.conversations.replies({ channel, ts, inclusive: true, limit: 1 });
  await client.chat.postMessage({ channel, thread_ts: ts, text: `Noted: ${found.messages[0].text}` });
});

app.event("app_mention", async ({ event, client }) => {
  await client.chat.postMessage({
    channel: event.channel, thread_ts: event.thread_ts ?? event.ts, text: `At your service, <@${event.user}>`,
  });
});

app.shortcut("task", async ({ ack, shortcut, client }) => {
  await ack();
  await client.chat.postEphemeral({
    channel: shortcut.channel.id, user: shortcut.user.id, text: `Task: ${shortcut.message.text}`,
  });
});

app.event("app_home_opened", async ({ event, client }) => {
  const blocks = [{ type: "section", text: mrkdwn("*Open incidents*") }];
  await client.views.publish({ user_id: event.user, view: { type: "home", blocks } });
});

const find = async (name) => {
  for await (const page of app.client.paginate("conversations.list", { limit: 1 })) {
    const found = page.channels.find((channel) => channel.name === name);
    if (found) return found.id;
  }
  throw new Error(`no channel ${name}`);
};

await app.start(...(PORT ? [Number(PORT)] : []));
const me = await app.client.auth.test();
const ops = await find("ops");
await app.client.chat.postMessage({ channel: ops, text: `ready: ${me.user_id} in ${me.team_id}` });
