//! Spans as Slack's rich text: text stays text, so nothing a person typed can become markup or a mention.
//!
//! Small print (`context`) takes no rich text; there plain spans go as plain text where they can, and escaped where a
//! link or a time stands between them.

use serde_json::{Value, json};

use crate::chat::{Rich, Span};
use crate::incident::PersonId;
use crate::text::cut;

/// What rendering must know of the world.
pub struct Look<'a> {
    /// The user id of a person in this workspace.
    pub user_of: &'a dyn Fn(&PersonId) -> Option<String>,
    /// Where the local page is, for links that begin with a slash; without it they become plain text.
    pub page: Option<&'a str>,
}

impl Look<'_> {
    /// An address that works outside of the page.
    fn whole(&self, url: &str) -> Option<String> {
        match url.starts_with('/') {
            true => self
                .page
                .map(|page| format!("{}{url}", page.trim_end_matches('/'))),
            // Anything else than the web is shown as text: nobody should start a program by a click.
            false => (url.starts_with("https://") || url.starts_with("http://")).then(|| url.to_owned()),
        }
    }
}

/// How a time reads for those who cannot show it in their own zone.
fn utc(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The elements of a section of rich text.
pub fn elements(rich: &Rich, look: &Look<'_>) -> Vec<Value> {
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
        Span::Link { url, text: shown } => match look.whole(url) {
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
        Span::Code { text } => format!("`{}`", escaped(&text.replace('`', "ˋ"))),
        Span::Link { url, text } => match look.whole(url) {
            Some(url) => format!("<{}|{}>", escaped(&url.replace('|', "%7C")), escaped(text)),
            None => escaped(text),
        },
        Span::Person { id, name } => match (look.user_of)(id) {
            Some(user) => format!("<@{user}>"),
            None => escaped(&format!("@{name}")),
        },
        Span::Time { at } => format!("<!date^{}^{{date_num}} {{time}}|{}>", at.timestamp(), utc(*at)),
    });
    spans.collect()
}

/// The first so many characters, cut where a reader would pause, and what is left.
pub fn split(rich: &Rich, most: usize) -> (Rich, Rich) {
    let mut room = most;
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for span in &rich.0 {
        let length = Rich(vec![span.clone()]).plain().chars().count();
        if !rest.is_empty() {
            rest.push(span.clone());
        } else if length <= room {
            room -= length;
            first.push(span.clone());
        } else {
            let again = |text: String| match span {
                Span::Bold { .. } => Span::Bold { text },
                Span::Code { .. } => Span::Code { text },
                _ => Span::Plain { text },
            };
            match span {
                Span::Plain { text } | Span::Bold { text } | Span::Code { text } if room > 0 => {
                    let cut = cut(text, room, "");
                    first.push(again(cut.shown.into_owned()));
                    rest.push(again(cut.rest.to_owned()));
                }
                _ => rest.push(span.clone()),
            }
        }
    }
    (Rich(first), Rich(rest))
}

/// In pieces of so many characters at most.
pub fn pieces(rich: &Rich, most: usize) -> Vec<Rich> {
    let mut pieces = Vec::new();
    let mut left = rich.clone();
    while !left.is_empty() {
        let (first, rest) = split(&left, most);
        // A link longer than the limit stays whole; Slack will cut what nobody can read anyway.
        if first.is_empty() {
            pieces.push(left);
            break;
        }
        pieces.push(first);
        left = rest;
    }
    pieces
}
