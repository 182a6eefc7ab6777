//! Pins and reactions.

use serde_json::{Value, json};

use crate::slack::args::Args;
use crate::slack::fail::{Result, fail};
use crate::slack::state::State;

/// Pins in a channel. Slack: one hundred.
const MOST_PINS: usize = 100;

/// Different reactions on a message, by all people, and by one.
const MOST_REACTIONS: usize = 50;
const MOST_OF_ONE: usize = 23;

pub fn pin(state: &mut State, args: &Args) -> Result<Value> {
    let (id, ts) = (
        args.need("channel")?.to_owned(),
        args.need("timestamp")?.to_owned(),
    );
    let channel = state.open_channel(&id)?;
    if channel.pins.iter().any(|pin| pin.ts == ts) {
        return Err(fail("already_pinned"));
    }
    if !channel.messages.contains_key(&ts) {
        return Err(fail("message_not_found"));
    }
    if channel.pins.len() >= MOST_PINS {
        return Err(fail("no_more_pins"));
    }
    let bot = state.app.bot_user.clone();
    state.pin(&id, &bot, &ts, true)?;
    Ok(json!({}))
}

pub fn unpin(state: &mut State, args: &Args) -> Result<Value> {
    let (id, ts) = (
        args.need("channel")?.to_owned(),
        args.need("timestamp")?.to_owned(),
    );
    state.open_channel(&id)?;
    if state.pinned(&id, &ts).is_none() {
        return Err(fail("no_pin"));
    }
    let bot = state.app.bot_user.clone();
    state.pin(&id, &bot, &ts, false)?;
    Ok(json!({}))
}

pub fn pins(state: &mut State, args: &Args) -> Result<Value> {
    let channel = state.joined(args.need("channel")?)?;
    let items = channel.pins.iter().filter_map(|pin| {
        let message = channel.messages.get(&pin.ts)?;
        let mut shown = state.message_json(message, false);
        shown["permalink"] = json!(state.permalink(message));
        shown["pinned_to"] = json!([channel.id]);
        Some(json!({
            "type": "message", "channel": channel.id, "message": shown, "created": pin.at, "created_by": pin.by,
        }))
    });
    Ok(json!({ "items": items.collect::<Vec<_>>() }))
}

/// The message that a reaction is for.
fn item(state: &State, args: &Args) -> Result<(String, String)> {
    let id = args.text("channel").ok_or_else(|| fail("no_item_specified"))?;
    let ts = args.text("timestamp").ok_or_else(|| fail("no_item_specified"))?;
    let channel = state.joined(id)?;
    if channel.archived {
        return Err(fail("is_archived"));
    }
    if !channel.messages.contains_key(ts) {
        return Err(fail("message_not_found"));
    }
    Ok((id.to_owned(), ts.to_owned()))
}

fn name(args: &Args) -> Result<String> {
    let name = args.need("name").map_err(|_| fail("invalid_name"))?;
    let fits = |c: char| c.is_alphanumeric() || "_-+':".contains(c);
    if name.chars().all(fits) && !name.starts_with(':') {
        Ok(name.to_owned())
    } else {
        Err(fail("invalid_name"))
    }
}

pub fn react(state: &mut State, args: &Args) -> Result<Value> {
    let name = name(args)?;
    let (channel, ts) = item(state, args)?;
    let bot = state.app.bot_user.clone();
    if let Some(message) = state.message(&channel, &ts) {
        let mine = message
            .reactions
            .iter()
            .filter(|r| r.users.contains(&bot))
            .count();
        if message.reactions.len() >= MOST_REACTIONS || mine >= MOST_OF_ONE {
            return Err(fail("too_many_reactions"));
        }
    }
    state.react(&channel, &ts, &bot, &name)?;
    Ok(json!({}))
}

pub fn unreact(state: &mut State, args: &Args) -> Result<Value> {
    let name = name(args)?;
    let (channel, ts) = item(state, args)?;
    let bot = state.app.bot_user.clone();
    state.unreact(&channel, &ts, &bot, &name)?;
    Ok(json!({}))
}

pub fn reactions(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.text("channel").ok_or_else(|| fail("no_item_specified"))?;
    let ts = args.text("timestamp").ok_or_else(|| fail("no_item_specified"))?;
    let channel = state.joined(id)?;
    let message = channel
        .messages
        .get(ts)
        .ok_or_else(|| fail("message_not_found"))?;
    let mut shown = state.message_json(message, false);
    shown["permalink"] = json!(state.permalink(message));
    Ok(json!({ "type": "message", "channel": id, "message": shown }))
}
