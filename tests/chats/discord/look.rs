//! What a person reads in Discord: messages, and forms in their two parts.

use std::collections::BTreeSet;

use orderly_testbed::discord::{Message, Modal, State};
use serde_json::Value;

use crate::one::hands::{Asks, BOT, Button, Field, Form, Seen};

/// What a form turns into where the room shows what came of it.
const IN_THE_ROOM: &str = "Done: the room shows it.";

/// The file in which stands what does not fit a message.
const REST: &str = "rest.txt";

/// What begins the ids of a form's parts.
const FORM: &str = "o1:f:";

/// Whether a message that only one person sees tells them something: a form asks, and is looked at as one.
pub fn is_answer(message: &Message) -> bool {
    let asks = parts(message).any(|part| id_of(part).starts_with(FORM));
    let done = message.embeds.len() == 1 && message.embeds[0]["description"] == IN_THE_ROOM;
    !asks && !done && !message.is_loading()
}

fn parts(message: &Message) -> impl Iterator<Item = &Value> + Clone {
    let rows = message.components.iter();
    rows.flat_map(|row| row["components"].as_array().into_iter().flatten())
}

fn id_of(part: &Value) -> &str {
    part["custom_id"].as_str().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A message as anybody sees it.
pub fn seen(state: &State, message: &Message) -> Seen {
    let by_bot = message.author == state.bot_user();
    let channel = state.find_channel(&message.channel);
    let in_thread = channel.is_some_and(|channel| channel.thread.is_some());
    let pinned = channel.is_some_and(|channel| channel.pins.iter().any(|pin| pin.message == message.id));
    let rest: Vec<_> = state
        .files(message)
        .filter(|file| by_bot && file.filename == REST)
        .collect();
    let mut said = Message {
        components: Vec::new(),
        attachments: Vec::new(),
        ..message.clone()
    };
    if by_bot && !said.embeds.is_empty() {
        // It calls people, and stands in the notification; all that there is to read is below it.
        said.content.clear();
    }
    let mut words = state.plain(&said);
    if by_bot {
        words = read(&words);
        if let Some(file) = rest.first() {
            let all = String::from_utf8_lossy(&file.bytes).into_owned();
            words = words.replace(&format!("The rest is in the file {REST}."), &all);
        }
    }
    let files = state.files(message).map(|file| file.filename.clone());
    Seen {
        id: message.id.clone(),
        by: match state.user(&message.author) {
            _ if by_bot => BOT.to_owned(),
            Some(known) => known.name.clone(),
            None => message.author.clone(),
        },
        text: words,
        buttons: parts(message)
            .filter(|part| part["type"] == 2)
            .map(button)
            .collect(),
        files: files.filter(|name| rest.is_empty() || name != REST).collect(),
        pinned,
        deleted: false,
        thread: in_thread.then(|| message.channel.clone()),
    }
}

fn button(part: &Value) -> Button {
    // `o1:<place>:r:<line>`, or `o1:<place>:a:<path>?<what is settled>`.
    let body = id_of(part).splitn(4, ':').nth(3).unwrap_or_default();
    let asks = id_of(part).split(':').nth(2) == Some("a");
    let does = if asks {
        body.split('?').next().unwrap_or_default()
    } else {
        body
    };
    Button {
        label: text(&part["label"]),
        does: does.to_owned(),
    }
}

/// Discord's Markdown as people read it: no signs around words, and the words of a link for the link.
pub fn read(marked: &str) -> String {
    let marked = marked.replace('\u{200b}', "");
    let mut shown = String::with_capacity(marked.len());
    for (at, part) in marked.split("```").enumerate() {
        match at % 2 {
            0 => spoken(part, &mut shown),
            _ => shown.push_str(part.strip_prefix("diff\n").unwrap_or(part)),
        }
    }
    shown
}

fn spoken(part: &str, shown: &mut String) {
    for (at, line) in part.split('\n').enumerate() {
        if at > 0 {
            shown.push('\n');
        }
        let line = line.strip_prefix("-# ").unwrap_or(line);
        let mut left = line;
        while let Some(c) = left.chars().next() {
            let after = &left[c.len_utf8()..];
            left = match c {
                '\\' => {
                    let kept = after.chars().next();
                    shown.extend(kept);
                    &after[kept.map_or(0, char::len_utf8)..]
                }
                '*' if after.starts_with('*') => &after[1..],
                '`' => {
                    let (code, rest) = after.split_once('`').unwrap_or((after, ""));
                    shown.push_str(code);
                    rest
                }
                '[' => match link(after) {
                    Some((words, rest)) => {
                        spoken(words, shown);
                        rest
                    }
                    None => {
                        shown.push(c);
                        after
                    }
                },
                c => {
                    shown.push(c);
                    after
                }
            };
        }
    }
}

/// The words of a link, and what comes after it.
fn link(after: &str) -> Option<(&str, &str)> {
    let (words, rest) = after.split_once("](")?;
    let (_, rest) = rest.split_once(')')?;
    (!words.contains('[')).then_some((words, rest))
}

/// A message with the choices of a form, with a button that goes on, or with what was wrong.
pub struct Page {
    pub channel: String,
    pub message: String,
    /// Its choices; the words come in a modal.
    pub form: Form,
    /// The id of the button that goes on.
    pub go: String,
    /// What that button says.
    label: String,
    /// Why a form was not taken.
    pub wrong: Option<String>,
    ids: Vec<String>,
}

impl Page {
    /// Whether words are asked for next.
    pub fn goes_on(&self) -> bool {
        self.label == "Go on"
    }

    /// The id of the menu or the switch of a field.
    pub fn part(&self, field: &str) -> Option<String> {
        let of = |id: &&String| id.rsplit(':').next() == Some(field);
        self.ids.iter().find(of).cloned()
    }
}

/// Whether this is the button that goes on, or back: `o1:f:<draft>:go` or `…:mend`, with what is settled after it where
/// there is space.
fn goes_on(id: &str) -> bool {
    matches!(way_on(id), "go" | "mend")
}

fn way_on(id: &str) -> &str {
    let what = id.strip_prefix(FORM).and_then(|rest| rest.split_once(':'));
    what.map_or("", |(_, what)| what.split(':').next().unwrap_or_default())
}

/// The newest such message that is before somebody and was not put away.
pub fn page(state: &State, user: &str, away: &BTreeSet<String>) -> Option<Page> {
    let all = state.channels().flat_map(|channel| channel.messages.values());
    let own = all.filter(|message| message.only_for.as_deref() == Some(user) && !away.contains(&message.id));
    let newest = own.max_by_key(|message| message.id.parse::<u64>().unwrap_or_default())?;
    let go = parts(newest).find(|part| goes_on(id_of(part)))?;
    let embed = &newest.embeds.first()?;
    let label = text(&go["label"]);
    let said = read(embed["description"].as_str().unwrap_or_default());
    let choices = parts(newest).filter(|part| id_of(part) != id_of(go));
    Some(Page {
        channel: newest.channel.clone(),
        message: newest.id.clone(),
        form: Form {
            id: newest.id.clone(),
            title: read(embed["title"].as_str().unwrap_or_default()),
            fields: choices.clone().map(choice).collect(),
        },
        go: id_of(go).to_owned(),
        wrong: (way_on(id_of(go)) == "mend").then_some(said),
        label,
        ids: choices.map(|part| id_of(part).to_owned()).collect(),
    })
}

/// A menu or a switch.
fn choice(part: &Value) -> Field {
    let name = id_of(part).rsplit(':').next().unwrap_or_default().to_owned();
    let options = part["options"].as_array().into_iter().flatten();
    let values: Vec<String> = options.clone().map(|option| text(&option["value"])).collect();
    let set: Vec<String> = options
        .filter(|option| option["default"] == true)
        .map(|option| text(&option["value"]))
        .collect();
    let label = text(&part["label"]);
    let several = part["max_values"].as_u64().is_some_and(|most| most > 1);
    let (asks, value) = match part["type"].as_u64() {
        Some(5) => (
            Asks::Person,
            part["default_values"][0]["id"].as_str().map(str::to_owned),
        ),
        Some(2) => (Asks::Tick, label.starts_with('☑').then(|| "yes".to_owned())),
        _ if several => (
            Asks::Several(values),
            Some(set.join(",")).filter(|set| !set.is_empty()),
        ),
        _ => (Asks::One(values), set.into_iter().next()),
    };
    let shown = if label.is_empty() {
        text(&part["placeholder"])
    } else {
        label
    };
    Field {
        name,
        label: shown.trim_start_matches(['☐', '☑', ' ']).to_owned(),
        required: part["min_values"] == 1,
        asks,
        value,
    }
}

/// A modal: words alone.
pub fn modal(modal: &Modal) -> Form {
    let rows = modal.body["components"].as_array().into_iter().flatten();
    let inputs = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let field = |input: &Value| Field {
        name: id_of(input).to_owned(),
        label: text(&input["label"]),
        required: input["required"] == true,
        asks: Asks::Text,
        value: input["value"].as_str().map(str::to_owned),
    };
    Form {
        id: modal.id.clone(),
        title: modal.title().to_owned(),
        fields: inputs.map(field).collect(),
    }
}
