//! Messages as people see them, in plain text: what assertions read.

use chrono::DateTime;
use serde_json::Value;

use super::model::{Message, Modal, PINNED, THREAD_CREATED};
use super::state::State;

/// Whom a text names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub users: Vec<String>,
    pub roles: Vec<String>,
    pub everyone: bool,
}

/// A value as text, without the quotes of a string.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether it stands for an emoji in an address: one itself, or `name:id`.
pub fn is_emoji(emoji: &str) -> bool {
    match emoji.split_once(':') {
        Some((name, id)) => !name.is_empty() && !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()),
        // `1️⃣` begins with a digit, and every other one beyond Latin.
        None => emoji.chars().any(|c| u32::from(c) > 0xff) || matches!(emoji, "©" | "®"),
    }
}

/// What stands between `<` and `>`, and the text between such.
enum Piece<'a> {
    Text(&'a str),
    Token(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(open) = rest.find('<') {
        let token = rest[open + 1..]
            .find('>')
            .map(|end| &rest[open + 1..open + 1 + end]);
        match token.filter(|token| is_token(token)) {
            Some(token) => {
                found.push(Piece::Text(&rest[..open]));
                found.push(Piece::Token(token));
                rest = &rest[open + token.len() + 2..];
            }
            None => {
                found.push(Piece::Text(&rest[..=open]));
                rest = &rest[open + 1..];
            }
        }
    }
    found.push(Piece::Text(rest));
    found
}

fn is_token(token: &str) -> bool {
    let digits = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
    let moment = |rest: &str| {
        let (at, style) = rest.split_once(':').unwrap_or((rest, "f"));
        digits(at.trim_start_matches('-')) && style.len() == 1
    };
    ["@&", "@!", "@", "#"]
        .iter()
        .any(|mark| token.strip_prefix(mark).is_some_and(digits))
        || token.strip_prefix("t:").is_some_and(moment)
        || token.starts_with(':')
        || token.starts_with("a:")
        || token.starts_with('/') && token.contains(':')
}

/// Whom a text names. What stands in code names nobody.
pub fn mentions(text: &str) -> Named {
    let mut named = Named::default();
    let outside: String = outside_code(text);
    for piece in pieces(&outside) {
        let Piece::Token(token) = piece else { continue };
        let list = if token.starts_with("@&") {
            &mut named.roles
        } else {
            &mut named.users
        };
        if let Some(mention) = token.strip_prefix('@') {
            let id = mention.trim_start_matches(['&', '!']).to_owned();
            if !list.contains(&id) {
                list.push(id);
            }
        }
    }
    named.everyone = outside.contains("@everyone") || outside.contains("@here");
    named
}

fn outside_code(text: &str) -> String {
    let blocks = text
        .split("```")
        .enumerate()
        .filter(|(at, _)| at % 2 == 0)
        .map(|(_, part)| part);
    let lines: String = blocks.collect::<Vec<_>>().join(" ");
    let inline = lines
        .split('`')
        .enumerate()
        .filter(|(at, _)| at % 2 == 0)
        .map(|(_, part)| part);
    inline.collect::<Vec<_>>().join(" ")
}

/// A text with its mentions and moments read as people see them; Markdown stands as it was written.
pub fn decoded(state: &State, text: &str) -> String {
    let read = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Token(token) => self::token(state, token),
    };
    pieces(text).into_iter().map(read).collect()
}

fn token(state: &State, token: &str) -> String {
    if let Some(role) = token.strip_prefix("@&") {
        let name = state
            .roles
            .get(role)
            .map_or("deleted-role", |role| role.name.as_str());
        return format!("@{}", name.trim_start_matches('@'));
    }
    if let Some(user) = token.strip_prefix('@') {
        let user = state.users.get(user.trim_start_matches('!'));
        return format!("@{}", user.map_or("unknown-user", |user| user.name.as_str()));
    }
    if let Some(channel) = token.strip_prefix('#') {
        let channel = state.channels.get(channel);
        return format!("#{}", channel.map_or("unknown", |channel| channel.name.as_str()));
    }
    if let Some(moment) = token.strip_prefix("t:") {
        let seconds = moment
            .split(':')
            .next()
            .and_then(|at| at.parse().ok())
            .unwrap_or(0);
        let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        return moment.format("%Y-%m-%d %H:%M UTC").to_string();
    }
    if let Some(command) = token.strip_prefix('/') {
        return format!("/{}", command.split(':').next().unwrap_or_default());
    }
    let name = token.trim_start_matches("a:").trim_start_matches(':');
    format!(":{}:", name.split(':').next().unwrap_or_default())
}

/// A message with its embeds, components and files, one line or more each.
pub fn message(state: &State, message: &Message) -> String {
    let mut parts = Vec::new();
    match message.kind {
        PINNED => parts.push("pinned a message".to_owned()),
        THREAD_CREATED => parts.push(format!("started a thread: {}", message.content)),
        _ if message.is_loading() => parts.push("is thinking…".to_owned()),
        _ => parts.push(decoded(state, &message.content)),
    }
    parts.extend(message.embeds.iter().map(|embed| self::embed(state, embed)));
    parts.extend(
        message
            .components
            .iter()
            .map(|component| self::component(state, component)),
    );
    let files = message
        .attachments
        .iter()
        .filter_map(|id| state.attachments.get(id));
    parts.extend(files.map(|file| format!("[file: {}]", file.filename)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn embed(state: &State, embed: &Value) -> String {
    let text = |value: &Value| {
        value
            .as_str()
            .map(|text| decoded(state, text))
            .unwrap_or_default()
    };
    let mut parts = vec![
        text(&embed["author"]["name"]),
        text(&embed["title"]),
        text(&embed["description"]),
    ];
    for field in embed["fields"].as_array().into_iter().flatten() {
        parts.push(format!("{}: {}", text(&field["name"]), text(&field["value"])));
    }
    if embed["image"].is_object() {
        parts.push("[image]".to_owned());
    }
    parts.push(text(&embed["footer"]["text"]));
    if let Some(at) = embed["timestamp"].as_str() {
        parts.push(format!("({at})"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn component(state: &State, component: &Value) -> String {
    let text = |key: &str| component[key].as_str().unwrap_or_default();
    let inside = |between: &str| {
        let inside = component["components"].as_array().into_iter().flatten();
        let shown: Vec<String> = inside.map(|inner| self::component(state, inner)).collect();
        shown.join(between)
    };
    let off = if component["disabled"] == true {
        " (off)"
    } else {
        ""
    };
    match component["type"].as_u64().unwrap_or(0) {
        1 => inside(" "),
        2 => {
            let emoji = component["emoji"]["name"].as_str().unwrap_or_default();
            format!("[{}{off}]", format!("{emoji} {}", text("label")).trim())
        }
        3 => {
            let options = component["options"].as_array().into_iter().flatten();
            let chosen: Vec<&str> = options
                .filter(|option| option["default"] == true)
                .filter_map(|option| option["label"].as_str())
                .collect();
            let shown = if chosen.is_empty() {
                text("placeholder").to_owned()
            } else {
                chosen.join(", ")
            };
            format!("[{shown} ▾{off}]")
        }
        5..=8 => format!("[{} ▾{off}]", text("placeholder")),
        4 => field(component, text("label")),
        10 => decoded(state, text("content")),
        14 => "---".to_owned(),
        18 => match component["component"]["type"].as_u64() {
            Some(4) => field(&component["component"], text("label")),
            _ => format!(
                "{}: {}",
                text("label"),
                self::component(state, &component["component"])
            ),
        },
        9 => format!(
            "{}\n{}",
            inside("\n"),
            self::component(state, &component["accessory"])
        ),
        _ => inside("\n"),
    }
}

fn field(input: &Value, label: &str) -> String {
    let optional = if input["required"] == false {
        " (optional)"
    } else {
        ""
    };
    let shown = input["value"]
        .as_str()
        .or(input["placeholder"].as_str())
        .unwrap_or_default();
    format!("{label}{optional}: [{shown}]")
}

/// A form.
pub fn modal(state: &State, modal: &Modal) -> String {
    let rows = modal.body["components"].as_array().into_iter().flatten();
    let lines: Vec<String> = rows.map(|row| component(state, row)).collect();
    format!("== {} ==\n{}\n[Submit][Cancel]", modal.title(), lines.join("\n"))
}
