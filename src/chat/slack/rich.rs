//! Spans as Slack's rich text: text stays text, so nothing a person typed can become markup or a mention.
//!
//! Small print (`context`) takes no rich text; there plain spans go as plain text where they can, and escaped where a
//! link or a time stands between them.

use serde_json::{Value, json};

use super::PLATFORM;
pub use crate::chat::look::Look;
use crate::chat::pieces::split;
use crate::chat::{Rich, Span, elsewhere, typed};
use crate::text::cut;

/// How a time reads for those who cannot show it in their own zone.
fn utc(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The elements of a section of rich text.
pub fn elements(rich: &Rich, look: &Look<'_>) -> Vec<Value> {
    let rich = look.reachable(rich);
    rich.0.iter().filter_map(|span| element(span, look)).collect()
}

fn element(span: &Span, look: &Look<'_>) -> Option<Value> {
    let text = |text: &str| (!text.is_empty()).then(|| json!({ "type": "text", "text": text }));
    let styled = |shown: &str, style: &str| {
        let mut element = text(shown)?;
        element["style"] = json!({ style: true });
        Some(element)
    };
    match span {
        Span::Plain { text: plain } => text(plain),
        Span::Bold { text } => styled(text, "bold"),
        Span::Code { text } => styled(text, "code"),
        Span::Command { name, line } => styled(&typed(name, line), "code"),
        Span::Link { url, text: shown, .. } => match look.whole(url) {
            Some(url) if shown.is_empty() => Some(json!({ "type": "link", "url": url })),
            Some(url) => Some(json!({ "type": "link", "url": url, "text": shown })),
            None => text(shown),
        },
        Span::Person { id, name } => match (look.user_of)(id) {
            Some(user) => Some(json!({ "type": "user", "user_id": user })),
            None => styled(&format!("@{name}"), "bold"),
        },
        Span::Time { at } => Some(json!({
            "type": "date",
            "timestamp": at.timestamp(),
            "format": "{date_num} {time}",
            "fallback": utc(*at),
        })),
        Span::Room { at } if at.platform == PLATFORM => {
            Some(json!({ "type": "channel", "channel_id": at.room }))
        }
        Span::Room { at } => text(&elsewhere(at)),
    }
}

/// What Slack reads as control characters in mrkdwn, made harmless.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The reverse, for what Slack sends us.
pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// A text object: plain where there is nothing but text, so that not even an asterisk means anything.
pub fn text_object(rich: &Rich, look: &Look<'_>, most: usize) -> Option<Value> {
    if rich.plain().trim().is_empty() {
        return None;
    }
    let rich = &look.reachable(rich);
    let only_text = rich.0.iter().all(|span| matches!(span, Span::Plain { .. }));
    if only_text {
        return Some(
            json!({ "type": "plain_text", "text": cut(&rich.plain(), most, "…").shown, "emoji": false }),
        );
    }
    let mut room = most;
    loop {
        let (first, _) = split(rich, room);
        let text = mrkdwn(&first, look);
        if text.chars().count() <= most || room == 0 {
            return Some(json!({ "type": "mrkdwn", "text": text, "verbatim": true }));
        }
        room /= 2;
    }
}

fn mrkdwn(rich: &Rich, look: &Look<'_>) -> String {
    let spans = rich.0.iter().map(|span| match span {
        Span::Plain { text } => escaped(text),
        Span::Bold { text } => format!("*{}*", escaped(&text.replace('*', "∗"))),
        Span::Code { text } => inline(text),
        Span::Command { name, line } => inline(&typed(name, line)),
        Span::Link { url, text, .. } => match look.whole(url) {
            Some(url) => format!("<{}|{}>", escaped(&url.replace('|', "%7C")), escaped(text)),
            None => escaped(text),
        },
        Span::Person { id, name } => match (look.user_of)(id) {
            Some(user) => format!("<@{user}>"),
            None => escaped(&format!("@{name}")),
        },
        Span::Time { at } => format!("<!date^{}^{{date_num}} {{time}}|{}>", at.timestamp(), utc(*at)),
        Span::Room { at } if at.platform == PLATFORM => format!("<#{}>", at.room),
        Span::Room { at } => elsewhere(at),
    });
    spans.collect()
}

/// Code within a line. A back-tick in it would end it.
fn inline(text: &str) -> String {
    format!("`{}`", escaped(&text.replace('`', "ˋ").replace('\n', " ")))
}
