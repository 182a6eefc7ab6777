//! Whether a room shows what its journal says: every notice and every slot, once, and as it is by now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orderly::app::App;
use orderly::chat::{Block, Message, Rich, Span};
use orderly::engine::Words as _;
use orderly::incident::{Effect, MessageRef, RoomRef, Slot, State, react};
use orderly::store::{Store, Stream};
use orderly::view::View;

use crate::kept::{INCIDENT, journal};

/// Beginning of the names of notices.
const NOTICE: &str = "notice/";

/// A slot says how far the journal was when it was shown; what changes nothing on it does not show it again.
const AT_EVENT: &str = "· event #";

/// More than any story has.
const EVENTS_MAX: usize = 10_000;

/// A post of the bot in a room.
pub struct Post {
    pub id: String,
    /// The key under which it was posted, as the platform keeps it.
    pub key: String,
    pub text: String,
}

/// How a post is found again.
enum Found {
    Under(String),
    At(String),
}

/// Letters and digits: what a platform adds for the eye is left out, and what it hides in markup.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// The words of a text; moments, people, rooms and addresses are each platform's own to show.
fn said(text: &Rich) -> impl Iterator<Item = &str> {
    text.0.iter().filter_map(|span| match span {
        Span::Plain { text } | Span::Bold { text } | Span::Code { text } | Span::Link { text, .. } => {
            Some(text.as_str())
        }
        // A command is typed on each platform in its own way.
        Span::Person { .. } | Span::Time { .. } | Span::Room { .. } | Span::Command { .. } => None,
    })
}

fn parts(message: &Message) -> Vec<&str> {
    let mut parts = Vec::new();
    for block in &message.blocks {
        match block {
            Block::Header { text } | Block::Code { text, .. } => parts.push(text.as_str()),
            Block::Text { text } | Block::Context { text } => parts.extend(said(text)),
            Block::Fields { fields } => {
                for (label, value) in fields {
                    parts.push(label);
                    parts.extend(said(value));
                }
            }
            Block::Rows { rows } => {
                for row in rows {
                    parts.extend(said(&row.title));
                    parts.extend(said(&row.detail));
                }
            }
            Block::Details { title, text } => parts.extend([title.as_str(), text]),
            Block::Buttons { .. } | Block::Divider => {}
        }
    }
    parts
}

/// What the journal wants to stand in the room.
async fn wanted(app: &App, state: &State, room: &RoomRef) -> BTreeMap<String, Message> {
    let view = View {
        command: "incident".to_owned(),
        room_name: Arc::new(|_| String::new()),
    };
    let store = app.sqlite.as_ref().expect("a file");
    let rows = store.events(Stream::Incident(INCIDENT), 0, EVENTS_MAX).await;
    let rows = rows.expect("a journal that can be read");
    let (desk, mut folded) = (app.engine.desk(), None);
    let mut wanted = BTreeMap::new();
    for (recorded, row) in journal(app).await.iter().zip(rows) {
        State::fold(&mut folded, recorded);
        let hash = row.seal.hash.to_string();
        for effect in react(folded.as_ref().expect("an incident"), recorded) {
            let (name, message) = match effect {
                Effect::Notice { event, .. } => {
                    let told = view.notice(state, recorded, &hash, &desk);
                    (format!("{NOTICE}{event}"), told)
                }
                Effect::Show { slot } if slot != Slot::Announcement => {
                    (slot.to_string(), view.slot(state, slot, &desk))
                }
                _ => continue,
            };
            wanted.extend(message.map(|message| (format!("{name}@{room}"), message)));
        }
    }
    wanted
}

/// Where something that is wanted should stand: a notice under its key, a slot where the store says.
async fn place(app: &App, name: &str, kept: impl Fn(&str) -> String) -> Found {
    if name.starts_with(NOTICE) {
        return Found::Under(kept(&format!("{INCIDENT}/{name}")));
    }
    let store = app.sqlite.as_ref().expect("a file");
    let post = store.post(INCIDENT, name).await;
    let post = post
        .expect("posts that can be read")
        .and_then(|post| post.message);
    let at = post.and_then(|at| serde_json::from_str::<MessageRef>(&at).ok());
    Found::At(at.map(|at| at.message).unwrap_or_default())
}

/// Fails where a room and its journal differ. `kept` is what this platform makes of a key.
pub async fn room_and_journal_agree(
    app: &App,
    state: &State,
    posts: &[Post],
    kept: impl Fn(&str) -> String + Copy,
) {
    let room = &state.rooms.first().expect("a room").at;
    let (mut wrong, mut known) = (Vec::new(), BTreeSet::new());
    for (name, message) in wanted(app, state, room).await {
        let found = place(app, &name, kept).await;
        let here = |post: &&Post| match &found {
            Found::Under(key) => post.key == *key,
            Found::At(id) => post.id == *id,
        };
        let here: Vec<&Post> = posts.iter().filter(here).collect();
        known.extend(here.iter().map(|post| post.id.as_str()));
        let [post] = here[..] else {
            let times = here.len();
            wrong.push(format!("{name} stands there {times} times: {}", message.fallback));
            continue;
        };
        let text = bare(&post.text);
        let missing = parts(&message)
            .into_iter()
            .find(|part| !text.contains(&bare(part.split(AT_EVENT).next().unwrap_or_default())));
        wrong.extend(missing.map(|missing| format!("{name} lacks {missing:?}: {}", post.text)));
    }
    let others = posts.iter().filter(|post| !known.contains(post.id.as_str()));
    wrong.extend(others.map(|post| format!("nobody wants {} there: {}", post.key, post.text)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
