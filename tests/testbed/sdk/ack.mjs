// What a bot on Bolt for JavaScript costs that acknowledges commands and does nothing at all, for comparison.
//
//   API_URL  BOT_TOKEN  SIGNING_SECRET  PORT

import { createRequire } from "node:module";

const require = createRequire(`${process.env.SDK_FOLDER}/`);
const { App, LogLevel } = require("@slack/bolt");

const { API_URL, BOT_TOKEN, SIGNING_SECRET, PORT } = process.env;
const app = new App({
  token: BOT_TOKEN,
  signingSecret: SIGNING_SECRET,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: `${API_URL}/` },
  endpoints: ["/slack/commands"],
});

app.command("/incident", async ({ ack }) => {
  await ack();
});

await app.start(Number(PORT));
