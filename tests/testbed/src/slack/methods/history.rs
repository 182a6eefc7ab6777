//! What was said in a channel.

use base64::Engine;
use serde_json::{Value, json};

use super::cursor_json;
use crate::slack::args::Args;
use crate::slack::fail::{Result, fail};
use crate::slack::model::Message;
use crate::slack::shown;
use crate::slack::state::State;

/// Messages in a page where no limit is asked for, and at most.
const USUAL: u64 = 100;
const MOST: u64 = 999;

/// Which messages are asked for.
struct Span<'a> {
    oldest: &'a str,
    latest: Option<&'a str>,
    inclusive: bool,
    limit: usize,
    /// The last message of the page before.
    after: Option<String>,
}

impl<'a> Span<'a> {
    fn read(args: &'a Args) -> Result<Self> {
        let base64 = base64::engine::general_purpose::STANDARD;
        let after = match args.text("cursor").filter(|cursor| !cursor.is_empty()) {
            None => None,
            Some(cursor) => Some(
                base64
                    .decode(cursor)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .and_then(|text| text.strip_prefix("next_ts:").map(str::to_owned))
                    .ok_or_else(|| fail("invalid_cursor"))?,
            ),
        };
        Ok(Self {
            oldest: args.text("oldest").unwrap_or("0"),
            latest: args
                .text("latest")
                .filter(|latest| !latest.is_empty() && *latest != "now"),
            inclusive: args.flag("inclusive"),
            limit: args.number("limit").unwrap_or(USUAL).clamp(1, MOST) as usize,
            after,
        })
    }

    fn holds(&self, ts: &str) -> bool {
        let (ts, oldest) = (stamp(ts), stamp(self.oldest));
        let after_oldest = ts > oldest || (self.inclusive && ts == oldest);
        let before_latest = self
            .latest
            .is_none_or(|latest| ts < stamp(latest) || (self.inclusive && ts == stamp(latest)));
        after_oldest && before_latest
    }
}

/// A ts as a number of microseconds: `1.5` and `1.500000` are the same moment.
fn stamp(ts: &str) -> u128 {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, ""));
    let micros: String = rest.chars().chain("000000".chars()).take(6).collect();
    seconds.parse::<u128>().unwrap_or(0) * 1_000_000 + micros.parse::<u128>().unwrap_or(0)
}

fn answer(state: &State, args: &Args, found: &[&Message], span: &Span) -> Value {
    let page: Vec<&&Message> = found.iter().take(span.limit).collect();
    let more = found.len() > page.len();
    let cursor = match page.last().filter(|_| more) {
        Some(last) => base64::engine::general_purpose::STANDARD.encode(format!("next_ts:{}", last.ts)),
        None => String::new(),
    };
    let metadata = args.flag("include_all_metadata");
    let messages: Vec<Value> = page
        .iter()
        .map(|message| state.message_json(message, metadata))
        .collect();
    let mut answer = json!({ "messages": messages, "has_more": more });
    if more {
        answer["response_metadata"] = cursor_json(&cursor);
    }
    answer
}

pub fn history(state: &mut State, args: &Args) -> Result<Value> {
    let id = args.need("channel")?;
    state.need_for(id, &["history"])?;
    let channel = state.joined(id)?;
    let span = Span::read(args)?;
    let found: Vec<&Message> = channel
        .messages
        .values()
        .rev()
        .filter(|message| !message.is_reply() || message.broadcast)
        .filter(|message| span.holds(&message.ts))
        .filter(|message| {
            span.after
                .as_ref()
                .is_none_or(|after| stamp(&message.ts) < stamp(after))
        })
        .collect();
    let mut answer = answer(state, args, &found, &span);
    answer["pin_count"] = json!(channel.pins.len());
    Ok(answer)
}

pub fn replies(state: &mut State, args: &Args) -> Result<Value> {
    let (id, ts) = (args.need("channel")?, args.need("ts")?);
    state.need_for(id, &["history"])?;
    let channel = state.joined(id)?;
    let span = Span::read(args)?;
    let parent = channel.messages.get(ts).ok_or_else(|| fail("thread_not_found"))?;
    let mut thread = vec![parent];
    if !parent.is_reply() {
        thread.extend(shown::replies(channel, ts));
    }
    // The parent stands at the head of every page, whatever span is asked for.
    let found: Vec<&Message> = thread
        .into_iter()
        .filter(|message| message.ts == ts || span.holds(&message.ts))
        .filter(|message| {
            let fresh = |after: &String| stamp(&message.ts) > stamp(after);
            span.after.as_ref().is_none_or(fresh)
        })
        .collect();
    Ok(answer(state, args, &found, &span))
}
