//! Messages.

use serde_json::{Value, json};

use crate::slack::args::Args;
use crate::slack::contract;
use crate::slack::fail::{Result, fail};
use crate::slack::model::{ChannelKind, Ephemeral, Message};
use crate::slack::state::{RESPONSE_URL_USES, State};

/// Characters of `markdown_text`.
const MARKDOWN_CHARACTERS: usize = 12_000;

/// The content of a message, checked. What is wrong is the test's business and Slack's answer.
fn content(state: &mut State, method: &str, args: &Args) -> Result<Message> {
    let (blocks, attachments) = (args.list("blocks"), args.list("attachments"));
    let mut text = args.text("text").unwrap_or_default().to_owned();
    if let Some(markdown) = args.text("markdown_text") {
        if !text.is_empty() || !blocks.is_empty() {
            return Err(fail("markdown_text_conflict"));
        }
        if markdown.chars().count() > MARKDOWN_CHARACTERS {
            return Err(fail("msg_too_long"));
        }
        markdown.clone_into(&mut text);
    }
    if args.get("blocks").is_some_and(|blocks| !blocks.is_array()) {
        return Err(fail("invalid_blocks_format"));
    }
    if let Err(refused) = contract::message(Some(&text), &blocks, &attachments) {
        for why in &refused.why {
            state.violation(format!("{method}: {why}"));
        }
        return Err(refused.fail);
    }
    if text.is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err(fail("no_text"));
    }
    if let Some(metadata) = args.get("metadata")
        && (!metadata["event_type"].is_string() || !metadata["event_payload"].is_object())
        && metadata["entities"].is_null()
    {
        return Err(fail("invalid_metadata_format"));
    }
    Ok(Message {
        user: state.app.bot_user.clone(),
        username: args.text("username").map(str::to_owned),
        text,
        blocks,
        attachments,
        metadata: args.get("metadata").cloned(),
        ..Message::default()
    })
}

/// Where a post goes: a channel by id, or a person by theirs, which opens the direct conversation.
fn destination(state: &mut State, wanted: &str) -> Result<String> {
    if state.users.contains_key(wanted) {
        return Ok(state.direct(wanted));
    }
    let channel = state.visible(wanted)?;
    let member = channel.members.contains(&state.app.bot_user);
    let public = channel.kind == ChannelKind::Public && state.app.scopes.contains("chat:write.public");
    if !member && !public {
        return Err(fail("not_in_channel"));
    }
    if channel.archived {
        return Err(fail("is_archived"));
    }
    Ok(wanted.to_owned())
}

pub fn post(state: &mut State, args: &Args) -> Result<Value> {
    let wanted = args.need("channel")?;
    if args.text("username").is_some() || args.text("icon_emoji").is_some() {
        state.need(&["chat:write.customize"])?;
    }
    let whole = contract::posted(&Value::Object(typed(args)));
    let channel = destination(state, wanted)?;
    let mut message = content(state, "chat.postMessage", args)?;
    // Where the blocks are right, what is wrong is an argument around them.
    for why in whole {
        state.violation(format!("chat.postMessage: {why}"));
    }
    message.channel.clone_from(&channel);
    message.thread_ts = args.text("thread_ts").map(str::to_owned);
    message.broadcast = args.flag("reply_broadcast");
    let ts = state.post(message)?;
    let shown = state
        .message(&channel, &ts)
        .map(|message| state.message_json(message, true));
    Ok(json!({ "channel": channel, "ts": ts, "message": shown }))
}

/// A form has only texts: numbers and flags are put back before the schema looks at them.
fn typed(args: &Args) -> serde_json::Map<String, Value> {
    let mut map = args.map.clone();
    map.retain(|name, _| !super::ANYWHERE.contains(&name.as_str()));
    for (_, value) in &mut map {
        match value.as_str() {
            Some("true" | "1") => *value = json!(true),
            Some("false" | "0") => *value = json!(false),
            _ => {}
        }
    }
    for name in ["text", "channel", "thread_ts", "username"] {
        if let Some(original) = args.map.get(name) {
            map.insert(name.to_owned(), original.clone());
        }
    }
    map
}

pub fn ephemeral(state: &mut State, args: &Args) -> Result<Value> {
    let channel = args.need("channel")?.to_owned();
    let user = args.need("user")?.to_owned();
    state.open_channel(&channel)?;
    if !state.channel_mut(&channel)?.members.contains(&user) {
        return Err(fail("user_not_in_channel"));
    }
    let mut message = content(state, "chat.postEphemeral", args)?;
    message.channel.clone_from(&channel);
    message.thread_ts = args.text("thread_ts").map(str::to_owned);
    let ts = state.show(&user, message)?;
    Ok(json!({ "message_ts": ts }))
}

impl State {
    /// Shows a message to one person only.
    pub(in crate::slack) fn show(&mut self, user: &str, mut message: Message) -> Result<String> {
        let ts = self.next_ts();
        message.ts.clone_from(&ts);
        message.bot_id = self.bot_of(&message.user);
        self.give_ids(&mut message.blocks);
        let channel = self.channel_mut(&message.channel.clone())?;
        channel.ephemerals.push(Ephemeral {
            user: user.to_owned(),
            message,
        });
        Ok(ts)
    }
}

/// A message of the bot's own.
fn own<'a>(state: &'a State, channel: &str, ts: &str, refusal: &str) -> Result<&'a Message> {
    let message = state
        .message(channel, ts)
        .ok_or_else(|| fail("message_not_found"))?;
    if message.user == state.app.bot_user {
        Ok(message)
    } else {
        Err(fail(refusal))
    }
}

pub fn update(state: &mut State, args: &Args) -> Result<Value> {
    let (channel, ts) = (args.need("channel")?.to_owned(), args.need("ts")?.to_owned());
    state.open_channel(&channel)?;
    own(state, &channel, &ts, "cant_update_message")?;
    let new = content(state, "chat.update", args)?;
    let has_blocks = args.get("blocks").is_some();
    let bot = state.app.bot_user.clone();
    state.change(&channel, &ts, Some(&bot), |message| {
        if args.get("text").is_some() || args.get("markdown_text").is_some() {
            message.text = new.text;
        }
        // A text without blocks takes the old blocks away; metadata stays unless it is sent.
        message.blocks = if has_blocks { new.blocks } else { Vec::new() };
        if args.get("attachments").is_some() {
            message.attachments = new.attachments;
        }
        if new.metadata.is_some() {
            message.metadata = new.metadata;
        }
    })?;
    let shown = state
        .message(&channel, &ts)
        .map(|message| state.message_json(message, true));
    let text = state.message(&channel, &ts).map(|message| message.text.clone());
    Ok(json!({ "channel": channel, "ts": ts, "text": text, "message": shown }))
}

pub fn delete(state: &mut State, args: &Args) -> Result<Value> {
    let (channel, ts) = (args.need("channel")?.to_owned(), args.need("ts")?.to_owned());
    state.open_channel(&channel)?;
    own(state, &channel, &ts, "cant_delete_message")?;
    state.delete(&channel, &ts)?;
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub fn permalink(state: &mut State, args: &Args) -> Result<Value> {
    let (channel, ts) = (args.need("channel")?, args.need("message_ts")?);
    state.visible(channel)?;
    let message = state
        .message(channel, ts)
        .ok_or_else(|| fail("message_not_found"))?;
    Ok(json!({ "channel": channel, "permalink": state.permalink(message) }))
}

impl State {
    pub(in crate::slack) fn permalink(&self, message: &Message) -> String {
        let base = format!("https://{}.slack.com/archives/{}", self.domain, message.channel);
        let link = format!("{base}/p{}", message.ts.replace('.', ""));
        match &message.thread_ts {
            Some(thread) if message.is_reply() => {
                format!("{link}?thread_ts={thread}&cid={}", message.channel)
            }
            _ => link,
        }
    }
}

/// A post to a response_url.
pub fn answer_url(state: &mut State, path: &str, args: &Args) -> Result<()> {
    let now = state.now;
    let leads = state
        .response_urls
        .get_mut(path)
        .ok_or_else(|| fail("invalid_url"))?;
    if now > leads.expires {
        return Err(fail("expired_url"));
    }
    if leads.uses >= RESPONSE_URL_USES {
        return Err(fail("used_url"));
    }
    leads.uses += 1;
    let leads = leads.clone();
    let known = [
        "text",
        "blocks",
        "attachments",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "mrkdwn",
        "unfurl_links",
        "unfurl_media",
        "metadata",
        "parse",
        "link_names",
    ];
    for name in args.map.keys().filter(|name| !known.contains(&name.as_str())) {
        state.violation(format!("response_url: unknown argument {name}"));
    }
    if args.flag("delete_original") {
        return state.retract(&leads.channel, &leads.user, leads.message.as_deref());
    }
    let mut message = content(state, "response_url", args)?;
    message.channel.clone_from(&leads.channel);
    message.thread_ts = args.text("thread_ts").map(str::to_owned);
    let original = leads.message.as_deref().filter(|_| args.flag("replace_original"));
    if let Some(ts) = original {
        return state.replace(&leads.channel, &leads.user, ts, message);
    }
    if args.text("response_type") == Some("in_channel") {
        state.post(message)?;
    } else {
        state.show(&leads.user, message)?;
    }
    Ok(())
}

impl State {
    fn retract(&mut self, channel: &str, user: &str, ts: Option<&str>) -> Result<()> {
        let ts = ts.ok_or_else(|| fail("message_not_found"))?;
        if self.message(channel, ts).is_some() {
            return self.delete(channel, ts);
        }
        let shown = &mut self.channel_mut(channel)?.ephemerals;
        shown.retain(|shown| shown.user != user || shown.message.ts != ts);
        Ok(())
    }

    fn replace(&mut self, channel: &str, user: &str, ts: &str, new: Message) -> Result<()> {
        if self.message(channel, ts).is_some() {
            let bot = self.app.bot_user.clone();
            return self.change(channel, ts, Some(&bot), |message| {
                message.text = new.text;
                message.blocks = new.blocks;
                message.attachments = new.attachments;
            });
        }
        let mut blocks = new.blocks;
        self.give_ids(&mut blocks);
        let shown = &mut self.channel_mut(channel)?.ephemerals;
        let old = shown
            .iter_mut()
            .find(|shown| shown.user == user && shown.message.ts == ts);
        let old = old.ok_or_else(|| fail("message_not_found"))?;
        old.message.text = new.text;
        old.message.blocks = blocks;
        Ok(())
    }
}
