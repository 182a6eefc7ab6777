//! Messages, rooms and forms as the templates want them. The only place that knows both the chat and the templates.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;
use serde_json::json;

use super::render;
use super::{App, OpenIncident, Person};
use crate::chat::local::{Asked, Body, Room, Stored, Whisper, button_mark};
use crate::chat::{Block, FieldKind, FileRef, Message};
use crate::incident::Phase;

/// Rendered messages kept: a change goes to every open page, and all get the same HTML.
const FRAGMENTS_MAX: usize = 256;
/// Colours of the round pictures.
const HUES: u32 = 8;
/// Archived rooms in the list; older ones are found through their incident.
const PAST_MAX: usize = 30;
/// How the bot is called.
const BOT: &str = "Orderly";

/// Rendered messages by id and revision.
#[derive(Debug, Default)]
pub(super) struct Fragments(VecDeque<((i64, i64), Arc<str>)>);

#[derive(Debug, Serialize)]
pub(super) struct MessageView {
    id: String,
    rev: i64,
    room: String,
    author: String,
    name: String,
    initials: String,
    hue: u32,
    bot: bool,
    /// Has more than text: gets a frame.
    card: bool,
    whisper: bool,
    deleted: bool,
    pinned: bool,
    at: String,
    edited: Option<String>,
    thread: Option<i64>,
    replies: i64,
    /// The bot's one line for what has more.
    fallback: String,
    text: Vec<serde_json::Value>,
    blocks: Vec<serde_json::Value>,
    reactions: Vec<ReactionView>,
    files: Vec<FileRef>,
}

#[derive(Debug, Serialize)]
struct ReactionView {
    emoji: String,
    count: usize,
    /// User ids, with spaces between; the page marks its own reader's.
    users: String,
    names: String,
}

impl App {
    /// The messages for a template, in the same order.
    pub async fn views(&self, messages: Vec<Stored>) -> Vec<MessageView> {
        let names = self.names(&messages).await;
        messages
            .into_iter()
            .map(|message| view(message, &names))
            .collect()
    }

    async fn names(&self, messages: &[Stored]) -> HashMap<String, String> {
        let authors = messages.iter().filter_map(|message| message.author.as_ref());
        let reacted = messages
            .iter()
            .flat_map(|m| &m.reactions)
            .flat_map(|(_, users)| users);
        let users: BTreeSet<&String> = authors.chain(reacted).collect();
        let mut names = HashMap::with_capacity(users.len());
        for user in users {
            let person = self.deps.people.by_user(user).await;
            names.insert(
                user.clone(),
                person.map_or_else(|| user.clone(), |person| person.name.clone()),
            );
        }
        names
    }

    /// One message as HTML, the same for every reader.
    pub async fn fragment(&self, message: Stored) -> Arc<str> {
        let key = (message.id, message.rev);
        let found = self.kept(|kept| {
            kept.iter()
                .find(|(known, _)| *known == key)
                .map(|(_, html)| Arc::clone(html))
        });
        if let Some(html) = found {
            return html;
        }
        let view = self.views(vec![message]).await.pop();
        let html: Arc<str> = render::template("message.html", context! { m => render::value(view) }).into();
        self.kept(|kept| {
            if kept.len() == FRAGMENTS_MAX {
                kept.pop_front();
            }
            kept.push_back((key, Arc::clone(&html)));
        });
        html
    }

    fn kept<T>(&self, with: impl FnOnce(&mut VecDeque<((i64, i64), Arc<str>)>) -> T) -> T {
        with(
            &mut self
                .fragments
                .lock()
                .unwrap_or_else(|broken| broken.into_inner())
                .0,
        )
    }

    /// The card on top of a room; empty when there is none.
    pub async fn pinned(&self, room: &str) -> super::problem::Result<String> {
        Ok(match self.deps.chat.pinned(room).await? {
            None => String::new(),
            Some(message) => {
                let view = self.views(vec![message]).await.pop();
                render::template("pinned.html", context! { m => render::value(view) })
            }
        })
    }

    /// The incidents this person may see. A private one whose room does not show to them is left out here as well.
    pub async fn lines(&self, who: &Person) -> Vec<OpenIncident> {
        let mut lines = self.deps.board.open(who).await;
        lines.retain(|line| {
            let shows =
                |room: &crate::incident::RoomRef| self.deps.chat.shows(&who.identity.user, &room.room);
            !line.private || line.room.as_ref().is_none_or(shows)
        });
        lines
    }

    /// The list on the left.
    pub fn sidebar(&self, who: &Person, room: &str, lines: &[OpenIncident]) -> String {
        let mut of_incidents = BTreeSet::new();
        let incidents: Vec<Value> = lines
            .iter()
            .map(|line| {
                let room = line
                    .room
                    .as_ref()
                    .map(|room| room.room.as_str())
                    .unwrap_or_default();
                of_incidents.insert(room.to_owned());
                let step = Phase::ALL.iter().position(|phase| *phase == line.phase);
                context! {
                    number => line.number, title => line.title.as_str(), severity => line.severity.word(),
                    phase => line.phase.word(), step, drill => line.drill, private => line.private, room,
                }
            })
            .collect();
        let others = self.deps.chat.rooms(&who.identity);
        let others = others.iter().filter(|other| !of_incidents.contains(&other.id));
        let (mut past, mut rooms): (Vec<_>, Vec<_>) = others.partition(|other| other.archived);
        past.sort_by_key(|room| std::cmp::Reverse(room.opened));
        past.truncate(PAST_MAX);
        rooms.sort_by_key(|room| (room.id != crate::chat::local::LOBBY, room.direct.is_some()));
        let past_open = past.iter().any(|past| past.id == room);
        let view = |room: &Arc<Room>| room_view(room);
        let away: Vec<Value> = self
            .deps
            .board
            .out_of_reach()
            .into_iter()
            .map(|away| {
                let since = away.since.format("%H:%M UTC on %-d %B").to_string();
                context! { platform => away.platform, since, why => away.why }
            })
            .collect();
        let context = context! {
            room, incidents, past_open, away,
            rooms => rooms.into_iter().map(view).collect::<Vec<_>>(),
            past => past.into_iter().map(view).collect::<Vec<_>>(),
            phases => Phase::ALL.iter().map(|phase| phase.word()).collect::<Vec<_>>(),
            command => self.deps.chat.command_name(),
        };
        render::template("sidebar.html", context)
    }

    /// A form as a dialog.
    pub async fn form(&self, asked: &Asked) -> String {
        let mut form = serde_json::to_value(&asked.form).unwrap_or_default();
        for (field, shown) in asked
            .form
            .fields
            .iter()
            .zip(form["fields"].as_array_mut().into_iter().flatten())
        {
            if let FieldKind::Several { .. } = field.kind {
                let chosen: Vec<&str> = field.value.as_deref().unwrap_or_default().split(',').collect();
                shown["chosen"] = json!(chosen);
            }
        }
        let people: Vec<(String, String)> = self
            .deps
            .people
            .all()
            .await
            .iter()
            .map(|p| (p.id.to_string(), p.name.clone()))
            .collect();
        let fixed = serde_json::to_string(&asked.form.fixed).unwrap_or_default();
        let room = asked.room.as_str();
        let context = context! { id => asked.id, form => render::value(form), fixed, room, people };
        render::template("form.html", context)
    }
}

/// A room for the templates.
pub(super) fn room_view(room: &Room) -> Value {
    let (mark, name) = match &room.direct {
        Some(_) => ("•", "Orderly, to you"),
        None => ("#", room.id.as_str()),
    };
    let label = if room.direct.is_some() {
        name.to_owned()
    } else {
        format!("#{name}")
    };
    context! {
        id => room.id.as_str(), mark, name, label,
        topic => room.topic.as_str(), private => room.private, direct => room.direct.is_some(), archived => room.archived,
    }
}

/// A person for the templates.
pub(super) fn person_view(person: &Person) -> Value {
    context! {
        id => person.id.0.as_str(), user => person.identity.user.as_str(), name => person.name.as_str(),
        initials => initials(&person.name), hue => hue(&person.identity.user),
    }
}

fn view(message: Stored, names: &HashMap<String, String>) -> MessageView {
    let name_of = |user: &String| names.get(user).unwrap_or(user).clone();
    let name = message.author.as_ref().map_or_else(|| BOT.to_owned(), name_of);
    let reactions = message.reactions.iter().map(|(emoji, users)| ReactionView {
        emoji: emoji.clone(),
        count: users.len(),
        users: users.join(" "),
        names: users.iter().map(name_of).collect::<Vec<_>>().join(", "),
    });
    let mut view = MessageView {
        id: message.id.to_string(),
        rev: message.rev,
        room: message.room,
        initials: initials(&name),
        hue: hue(message.author.as_deref().unwrap_or_default()),
        author: message.author.clone().unwrap_or_default(),
        bot: message.author.is_none(),
        name,
        card: false,
        whisper: false,
        deleted: false,
        pinned: message.pinned,
        at: iso(message.at),
        edited: message.edited.map(iso),
        thread: message.thread,
        replies: message.replies,
        fallback: String::new(),
        text: Vec::new(),
        blocks: Vec::new(),
        reactions: reactions.collect(),
        files: message.files,
    };
    match message.body {
        Body::Text(text) => view.text = spans(&text),
        Body::Bot(message) => say(&mut view, &message),
        Body::Deleted => view.deleted = true,
    }
    view
}

/// A whisper looks like a message that only its reader has.
pub(super) fn whisper_view(whisper: &Whisper) -> MessageView {
    let stored = Stored {
        id: 0,
        room: whisper.room.clone(),
        thread: None,
        author: None,
        body: Body::Bot(whisper.message.clone()),
        at: whisper.at,
        edited: None,
        pinned: false,
        rev: 0,
        replies: 0,
        reactions: Vec::new(),
        files: Vec::new(),
    };
    let mut view = view(stored, &HashMap::new());
    view.id = format!("w{}", whisper.id);
    view.whisper = true;
    view
}

fn say(view: &mut MessageView, message: &Message) {
    view.card = message
        .blocks
        .iter()
        .any(|block| !matches!(block, Block::Text { .. } | Block::Context { .. }));
    view.fallback.clone_from(&message.fallback);
    view.blocks = message.blocks.iter().map(block_view).collect();
    if message.blocks.is_empty() {
        view.blocks = vec![json!({ "b": "text", "text": [{ "s": "plain", "text": message.fallback }] })];
    }
}

fn block_view(block: &Block) -> serde_json::Value {
    let mut shown = serde_json::to_value(block).unwrap_or_default();
    if let Block::Buttons { buttons } = block {
        for (button, shown) in buttons
            .iter()
            .zip(shown["buttons"].as_array_mut().into_iter().flatten())
        {
            shown["mark"] = json!(button_mark(&button.press));
        }
    }
    shown
}

/// What a person typed, as spans: code between back-ticks, addresses as links, everything else as it is.
fn spans(text: &str) -> Vec<serde_json::Value> {
    let mut spans = Vec::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            spans.push(json!({ "s": "pre", "text": part.trim_matches('\n') }));
        } else {
            inline(part, &mut spans);
        }
    }
    spans
}

fn inline(text: &str, spans: &mut Vec<serde_json::Value>) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        match after.split_once('`') {
            Some((code, behind)) if !code.is_empty() && !code.contains('\n') => {
                links(before, spans);
                spans.push(json!({ "s": "code", "text": code }));
                rest = behind;
            }
            _ => {
                links(&rest[..=before.len()], spans);
                rest = after;
            }
        }
    }
    links(rest, spans);
}

fn links(text: &str, spans: &mut Vec<serde_json::Value>) {
    let mut rest = text;
    while let Some(start) = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let tail = &rest[start..];
        let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"');
        let end = tail.find(ends).unwrap_or(tail.len());
        let url = tail[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'']);
        if start > 0 {
            spans.push(json!({ "s": "plain", "text": &rest[..start] }));
        }
        spans.push(json!({ "s": "link", "url": url, "text": url }));
        rest = &tail[url.len()..];
    }
    if !rest.is_empty() {
        spans.push(json!({ "s": "plain", "text": rest }));
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    first
        .into_iter()
        .chain(words.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

/// A colour that stays with the person.
fn hue(user: &str) -> u32 {
    user.bytes()
        .fold(7u32, |hue, byte| hue.wrapping_mul(31).wrapping_add(byte.into()))
        % HUES
}
