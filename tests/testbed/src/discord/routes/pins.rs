//! Pins: the newer addresses, and the older ones beside them.

use serde_json::{Value, json};

use super::{Route, bot};
use crate::discord::asked::Asked;
use crate::discord::fail::{Result, wrong};
use crate::discord::model::Pin;
use crate::discord::permission::{PIN_MESSAGES, READ_MESSAGE_HISTORY};
use crate::discord::shown::stamp;
use crate::discord::state::State;

/// Pins listed at a time.
const PAGE: usize = 50;

pub const ROUTES: &[Route] = &[
    bot("list_pins", "GET", "/channels/{channel_id}/messages/pins", list),
    bot(
        "create_pin",
        "PUT",
        "/channels/{channel_id}/messages/pins/{message_id}",
        pin,
    ),
    bot(
        "delete_pin",
        "DELETE",
        "/channels/{channel_id}/messages/pins/{message_id}",
        unpin,
    ),
    bot(
        "deprecated_list_pins",
        "GET",
        "/channels/{channel_id}/pins",
        list_old,
    ),
    bot(
        "deprecated_create_pin",
        "PUT",
        "/channels/{channel_id}/pins/{message_id}",
        pin,
    ),
    bot(
        "deprecated_delete_pin",
        "DELETE",
        "/channels/{channel_id}/pins/{message_id}",
        unpin,
    ),
];

fn list(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = state.permitted(asked.place("channel_id"), READ_MESSAGE_HISTORY)?;
    let limit = asked.number("limit", PAGE, PAGE)?;
    let before = match asked.query.get("before") {
        None => None,
        Some(before) => {
            let moment = chrono::DateTime::parse_from_rfc3339(before);
            let moment = moment.map_err(|_| {
                wrong(
                    "before",
                    "DATETIME_TYPE_PARSE",
                    "Could not parse this as a moment.",
                )
            })?;
            u64::try_from(moment.timestamp_micros()).ok()
        }
    };
    let older = |pin: &&Pin| before.is_none_or(|before| pin.at.as_micros() < u128::from(before));
    let left: Vec<&Pin> = channel.pins.iter().filter(older).collect();
    let items = left.iter().take(limit).filter_map(|pin| {
        let message = channel.messages.get(&pin.message)?;
        Some(json!({ "pinned_at": stamp(pin.at), "message": state.message_json(message) }))
    });
    Ok(json!({ "items": items.collect::<Vec<_>>(), "has_more": left.len() > limit }))
}

/// The older list has no pages: it stops after fifty.
fn list_old(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = state.permitted(asked.place("channel_id"), READ_MESSAGE_HISTORY)?;
    let pinned = channel
        .pins
        .iter()
        .take(PAGE)
        .filter_map(|pin| channel.messages.get(&pin.message));
    Ok(pinned.map(|message| state.message_json(message)).collect())
}

fn pin(state: &mut State, asked: &Asked) -> Result<Value> {
    let (channel, bot) = (asked.place("channel_id"), state.app.bot_user.clone());
    state.permitted(channel, PIN_MESSAGES)?;
    state.pin(channel, &bot, asked.place("message_id"))?;
    Ok(Value::Null)
}

fn unpin(state: &mut State, asked: &Asked) -> Result<Value> {
    let channel = asked.place("channel_id");
    state.permitted(channel, PIN_MESSAGES)?;
    state.unpin(channel, asked.place("message_id"))?;
    Ok(Value::Null)
}
