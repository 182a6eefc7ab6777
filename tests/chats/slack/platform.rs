//! Slack in people's hands, for the suite of all platforms.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use orderly::app::App;
use orderly::chat::slack::{Wanted, manifest};
use orderly::incident::Identity;
use orderly_testbed::slack::{Channel, ChannelKind, Fault, Kind, Message, SlackServer, State, View};
use serde_json::{Value, json};

use crate::one::hands::{
    Asks, BOT, Button, Errors, Field, Form, Hands, Mark, Need, Platform, Seen, Trouble, Way,
};

/// Sockets that the program holds.
const SOCKETS: usize = 2;
/// What Slack asks a caller to wait, where it limits.
const PAUSE_S: u64 = 2;
/// More answers than a test's whole day has: all of them are lost until the trouble ends.
const ANSWERS: usize = 3;

pub struct Workspace {
    slack: SlackServer,
    ops: String,
    incidents: String,
    reversed: Mutex<bool>,
}

impl Workspace {
    pub async fn open(people: &[&str]) -> Self {
        let slack = SlackServer::start().await;
        slack.install(&manifest(&Wanted {
            command: "incident",
            description: "Incident response in order",
            hint: "open",
            address: None,
        }));
        let people: Vec<_> = people.iter().map(|name| slack.person(name)).collect();
        let ops = slack.channel("ops", &people.iter().collect::<Vec<_>>());
        let incidents = slack.channel("incidents", &[]);
        Self {
            slack,
            ops,
            incidents,
            reversed: Mutex::new(false),
        }
    }

    pub fn server(&self) -> &SlackServer {
        &self.slack
    }

    fn id(&self, who: &str) -> String {
        self.slack.person(who).id().to_owned()
    }
}

fn emoji(mark: Mark) -> &'static str {
    match mark {
        Mark::Timeline => "pushpin",
        Mark::Task => "white_check_mark",
        Mark::Followup => "repeat",
    }
}

/// Short name of a user; the bot's own for ours.
fn name_of(state: &State, user: &str) -> String {
    match state.user(user) {
        _ if user == state.bot_user() => BOT.to_owned(),
        Some(known) => known.name.clone(),
        None => user.to_owned(),
    }
}

/// Whether somebody's client lists this channel.
fn finds(channel: &Channel, user: &str) -> bool {
    channel.kind == ChannelKind::Public || channel.members.contains(user)
}

fn seen(state: &State, channel: &Channel, message: &Message) -> Seen {
    let rows = message.blocks.iter().filter(|block| block["type"] == "actions");
    let in_row =
        |block: &'_ Value| -> Vec<Value> { block["elements"].as_array().cloned().unwrap_or_default() };
    // What stands on buttons is told by them.
    let on_buttons: Vec<String> = rows
        .clone()
        .map(|row| {
            let labels = in_row(row)
                .into_iter()
                .map(|one| format!("[{}]", button(&one).label));
            labels.collect::<Vec<_>>().join(" ")
        })
        .collect();
    let files = message.files.iter().filter_map(|file| state.file(file));
    let (thread, broadcast) = (message.thread_ts.clone(), message.broadcast);
    let text: Vec<String> = state
        .plain(message)
        .lines()
        .filter(|line| !line.starts_with("[file: ") && !on_buttons.iter().any(|row| row == line))
        .map(str::to_owned)
        .collect();
    Seen {
        id: message.ts.clone(),
        by: name_of(state, &message.user),
        text: text.join("\n"),
        buttons: rows.flat_map(in_row).map(|element| button(&element)).collect(),
        files: files.map(|file| file.name.clone()).collect(),
        pinned: channel.pins.iter().any(|pin| pin.ts == message.ts),
        deleted: message.subtype.as_deref() == Some("tombstone"),
        thread: thread.filter(|thread| *thread != message.ts && !broadcast),
    }
}

fn button(element: &Value) -> Button {
    let value: Value =
        serde_json::from_str(element["value"].as_str().unwrap_or_default()).unwrap_or_default();
    let does = value["run"].as_str().or(value["ask"].as_str());
    Button {
        label: element["text"]["text"].as_str().unwrap_or_default().to_owned(),
        does: does.unwrap_or_default().to_owned(),
    }
}

fn form_of(view: &View) -> Form {
    let blocks = view.body["blocks"].as_array().into_iter().flatten();
    let long_title = view.body["blocks"][0]["elements"][0]["elements"][0]["text"].as_str();
    let title = view.body["title"]["text"].as_str().unwrap_or_default();
    // A title that Slack cuts stands whole above the fields.
    let title = if title.ends_with('…') {
        long_title.unwrap_or(title)
    } else {
        title
    };
    Form {
        id: view.id.clone(),
        title: title.to_owned(),
        fields: blocks
            .filter(|block| block["type"] == "input")
            .map(field)
            .collect(),
    }
}

fn field(block: &Value) -> Field {
    let element = &block["element"];
    let options = |key: &str| -> Vec<String> {
        let options = element[key].as_array().into_iter().flatten();
        options.map(|option| text(&option["value"])).collect()
    };
    let first = |key: &str| element[key].as_str().map(str::to_owned);
    let (asks, value) = match element["type"].as_str().unwrap_or_default() {
        "number_input" => (Asks::Number, first("initial_value")),
        "static_select" => (
            Asks::One(options("options")),
            element["initial_option"]["value"].as_str().map(str::to_owned),
        ),
        "checkboxes" if options("options") == ["yes"] => {
            (Asks::Tick, options("initial_options").into_iter().next())
        }
        "checkboxes" | "multi_static_select" => (
            Asks::Several(options("options")),
            Some(options("initial_options").join(",")).filter(|chosen| !chosen.is_empty()),
        ),
        "datetimepicker" => (
            Asks::Moment,
            element["initial_date_time"].as_i64().map(|at| at.to_string()),
        ),
        "datepicker" => (Asks::Day, first("initial_date")),
        "users_select" => (Asks::Person, first("initial_user")),
        _ => (Asks::Text, first("initial_value")),
    };
    Field {
        name: text(&block["block_id"]),
        label: text(&block["label"]["text"]),
        required: block["optional"] != true,
        asks,
        value,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[async_trait]
impl Hands for Workspace {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    fn config(&self, folder: &Path) -> String {
        let secret = |name: &str, text: String| {
            let file = folder.join(name);
            std::fs::write(&file, text).expect("a secret written");
            format!("{{ file = {:?} }}", file.display().to_string())
        };
        format!(
            "[slack]\napi_url = \"{}\"\nbot_token = {}\napp_token = {}\nannounce = \"{}\"\ntransport = \"socket\"\n",
            self.slack.api_url(),
            secret("bot", self.slack.bot_token()),
            secret("app", self.slack.app_token()),
            self.incidents,
        )
    }

    fn identity(&self, person: &str) -> Option<Identity> {
        Some(Identity {
            platform: "slack".to_owned(),
            workspace: self.slack.team_id(),
            user: self.id(person),
        })
    }

    async fn reach(&self, _: &App, _: SocketAddr) {
        self.slack.connected(SOCKETS).await;
    }

    fn advance(&self, by: Duration) {
        self.slack.advance(by);
    }

    async fn delivered(&self) {
        if *self.reversed.lock().expect("no panic") {
            self.slack.let_events_go(true);
            self.slack.all_delivered().await;
            self.slack.hold_events();
        } else {
            self.slack.all_delivered().await;
        }
    }

    fn assert_clean(&self) {
        self.slack.assert_clean();
    }

    fn ops(&self) -> String {
        self.ops.clone()
    }

    fn lobby(&self) -> String {
        self.incidents.clone()
    }

    async fn rooms(&self, who: &str) -> Vec<String> {
        let user = self.id(who);
        self.slack.read(|state| {
            let channels = state.channels().filter(|channel| finds(channel, &user));
            channels
                .map(|channel| format!("{} {}", channel.name, channel.topic.value))
                .collect()
        })
    }

    async fn enters(&self, who: &str, room: &str) {
        let person = self.slack.person(who);
        let inside = self
            .slack
            .read(|state| state.channel(room).members.contains(person.id()));
        if !inside {
            person.joins(room);
        }
    }

    async fn types(&self, who: &str, room: &str, line: &str) {
        let line = format!("/incident {line}");
        self.slack.person(who).types(line.trim_end(), room).await;
    }

    async fn types_in_thread(&self, who: &str, room: &str, message: &str, line: &str) {
        // Slack knows no slash command in a thread; a mention of the bot does the same.
        self.enters(who, room).await;
        let text = format!("<@{}> {line}", self.slack.bot_user());
        self.slack.person(who).replies(room, message, &text);
    }

    async fn presses(&self, who: &str, room: &str, message: &str, label: &str) {
        let person = self.slack.person(who);
        let is_view = self
            .slack
            .read(|state| state.home(person.id()).is_some_and(|home| home.id == message));
        match is_view {
            true => person.presses_in(message, label).await,
            false => person.presses(room, message, label).await,
        };
    }

    async fn form(&self, who: &str) -> Form {
        let user = self.id(who);
        let whole = |view: &View| view.body["title"]["text"] != "One moment";
        let what = format!("a form for {who}");
        let view = self
            .slack
            .wait_for(&what, |state| state.form(&user).filter(whole));
        form_of(&view.await)
    }

    async fn submits(&self, who: &str, form: &Form, values: &[(&str, &str)]) -> Errors {
        let mut filled = serde_json::Map::new();
        for (name, value) in values {
            let field = form.fields.iter().find(|field| field.name == *name);
            let field = field.unwrap_or_else(|| panic!("there is no field {name}: {form:?}"));
            let value = match &field.asks {
                Asks::Several(_) => json!(value.split(',').collect::<Vec<_>>()),
                Asks::Tick => json!(["yes"]),
                Asks::Person => json!(self.id(value)),
                Asks::Moment => {
                    let at: chrono::DateTime<chrono::Utc> = value.parse().expect("a moment");
                    json!(at.timestamp())
                }
                _ => json!(value),
            };
            filled.insert((*name).to_owned(), value);
        }
        let ack = self
            .slack
            .person(who)
            .submits(&form.id, Value::Object(filled))
            .await;
        let errors = ack.payload["errors"].as_object().into_iter().flatten();
        let mut errors: Errors = errors
            .map(|(field, words)| (field.clone(), text(words)))
            .collect();
        // Words that have no field stand in the form's place.
        if ack.payload["response_action"] == "update" {
            let words = &ack.payload["view"]["blocks"][0]["text"]["text"];
            errors.insert(String::new(), text(words));
        }
        errors
    }

    async fn closes(&self, who: &str, form: &Form) {
        self.slack.person(who).closes(&form.id);
    }

    async fn says(&self, who: &str, room: &str, thread: Option<&str>, text: &str) -> String {
        self.enters(who, room).await;
        let person = self.slack.person(who);
        match thread {
            Some(thread) => person.replies(room, thread, text),
            None => person.says(room, text),
        }
    }

    fn link(&self, room: &str, message: &str) -> String {
        let message = message.replace('.', "");
        format!("<https://acme.slack.com/archives/{room}/p{message}>")
    }

    async fn edits(&self, who: &str, room: &str, message: &str, text: &str) {
        self.slack.person(who).edits(room, message, text);
    }

    async fn deletes(&self, who: &str, room: &str, message: &str) {
        self.slack.person(who).deletes(room, message);
    }

    async fn reacts(&self, who: &str, room: &str, message: &str, mark: Mark) {
        self.enters(who, room).await;
        self.slack.person(who).reacts(room, message, emoji(mark));
    }

    async fn unreacts(&self, who: &str, room: &str, message: &str, mark: Mark) {
        self.slack.person(who).unreacts(room, message, emoji(mark));
    }

    async fn picks(&self, who: &str, room: &str, message: &str, mark: Mark) {
        let callback = match mark {
            Mark::Timeline => "orderly:timeline",
            Mark::Task => "orderly:task",
            Mark::Followup => "orderly:followup",
        };
        self.slack.person(who).shortcut_on(callback, room, message).await;
    }

    async fn uploads(&self, who: &str, room: &str, name: &str, bytes: &[u8]) -> String {
        self.enters(who, room).await;
        let (message, _) = self.slack.person(who).uploads(room, name, "text/plain", bytes);
        message
    }

    async fn completions(&self, _: &str, _: &str, _: &str) -> Option<Vec<String>> {
        None
    }

    async fn room(&self, who: &str, room: &str) -> Option<Vec<Seen>> {
        let user = self.id(who);
        self.slack.read(|state| {
            let channel = state.find_channel(room).filter(|channel| finds(channel, &user))?;
            Some(whole(state, channel))
        })
    }

    async fn told(&self, who: &str, room: &str) -> Vec<Seen> {
        let user = self.id(who);
        self.slack.read(|state| {
            let Some(channel) = state.find_channel(room) else {
                return Vec::new();
            };
            let own = channel.ephemerals.iter().filter(|shown| shown.user == user);
            own.map(|shown| seen(state, channel, &shown.message)).collect()
        })
    }

    async fn direct(&self, who: &str) -> Option<String> {
        let user = self.id(who);
        self.slack.read(|state| {
            let mut channels = state.channels();
            let own = |channel: &&Channel| {
                let is_direct = channel.kind == ChannelKind::Direct;
                is_direct && channel.members.contains(user.as_str())
            };
            channels.find(own).map(|channel| channel.id.clone())
        })
    }

    async fn home(&self, who: &str) -> Option<Seen> {
        let person = self.slack.person(who);
        let before = self
            .slack
            .read(|state| state.home(person.id()).map(|view| view.hash));
        person.opens_home();
        let anew = |state: &State| {
            let home = state.home(person.id())?;
            (Some(&home.hash) != before.as_ref()).then(|| (state.view_text(&home), home))
        };
        let (text, home) = self.slack.wait_for("a new home tab", anew).await;
        let blocks = home.body["blocks"].as_array().into_iter().flatten();
        let actions = blocks.filter(|block| block["type"] == "actions");
        let elements = actions.flat_map(|block| block["elements"].as_array().into_iter().flatten());
        Some(Seen {
            id: home.id,
            by: BOT.to_owned(),
            text,
            buttons: elements.map(button).collect(),
            ..Seen::default()
        })
    }

    async fn file(&self, _: &str, room: &str, message: &str, name: &str) -> Vec<u8> {
        self.slack.read(|state| {
            let message = &state.channel(room).messages[message];
            let mut files = message.files.iter().filter_map(|id| state.file(id));
            files
                .find(|file| file.name == name)
                .expect("that file")
                .bytes
                .clone()
        })
    }

    fn way(&self, need: Need) -> Way {
        use Way::{Instead, Own};
        match need {
            Need::Command => Own("a slash command, in any channel"),
            Need::BareCommand => Own("opens the form; in a room it says where things stand"),
            Need::Completion => {
                Instead("a command that lacks something opens its form, whose lists hold what can be chosen")
            }
            Need::Missing => Own("asked for in a form"),
            Need::ThreadCommand => {
                Instead("mention the bot: `@orderly note …` (Slack has no slash commands there)")
            }
            Need::Form => Own("a modal"),
            Need::FieldError => Own("at the field, with the form still open"),
            Need::Picker => Own("Slack's own for days, moments and people"),
            Need::Button => Own("below the message"),
            Need::Alone => Own("in the channel, seen only by you, until you reload"),
            Need::Room => Own("a channel with topic and pinned card"),
            Need::Private => Own("a private channel"),
            Need::Lobby => Own("a line in the announcement channel, kept true, that leads into the room"),
            Need::Direct => Own("a direct message"),
            Need::Home => Own("the home tab: open incidents, and what waits for you"),
            Need::Reaction => Own("put on a message, and taken back"),
            Need::Menu => Own("message shortcuts"),
            Need::Thread => Own("replies can be marked as well"),
            Need::Edit => Own("followed, with the earlier words kept"),
            Need::Evidence => Own("downloaded, and hashed"),
            Need::Export => Own("a file in the channel"),
            Need::Guest => Own("guests, strangers and bots read, and do not command"),
            Need::Redelivery => Own("an event that comes again is known by its id and its subject"),
            Need::Order => Own("each event carries its own time; the timeline sorts by it"),
            Need::Limit => Own("a call that comes too early waits for its turn, urgent ones first"),
            Need::Gap => Own("read from the history when the bot is back"),
            Need::Restart => Own("channels and buttons stay as they were"),
        }
    }

    fn becomes_guest(&self, who: &str) -> bool {
        let person = self.slack.person(who);
        self.slack
            .change_account(&person, |account| account.kind = Kind::Guest);
        true
    }

    async fn begin(&self, trouble: Trouble) -> Result<(), &'static str> {
        match trouble {
            Trouble::Limits => self.slack.limit_every_call_once(PAUSE_S),
            Trouble::LostAnswers => self.slack.fault("chat.postMessage", ANSWERS, Fault::DropAfter),
            Trouble::Twice => self.slack.every_event_twice(true),
            Trouble::Dropped => {
                // What is on its way now is lost with them, and comes again after a minute, which no step waits for.
                self.slack.all_delivered().await;
                // Slack lets an app open ten sockets a minute: whoever drops them lets time pass.
                self.slack.drop_sockets();
                self.slack.connected(SOCKETS).await;
            }
            Trouble::Reversed => {
                *self.reversed.lock().expect("no panic") = true;
                self.slack.hold_events();
            }
        }
        Ok(())
    }

    fn end_trouble(&self) {
        *self.reversed.lock().expect("no panic") = false;
        self.slack.let_events_go(true);
        self.slack.every_event_twice(false);
        self.slack.no_more_faults();
    }
}

/// A channel with its threads below their messages.
fn whole(state: &State, channel: &Channel) -> Vec<Seen> {
    let messages: Vec<&Message> = state.spoken(&channel.id).collect();
    let (replies, roots): (Vec<&Message>, Vec<&Message>) =
        messages.into_iter().partition(|message| message.is_reply());
    let below = |root: &Message| {
        let own = replies
            .iter()
            .filter(|reply| reply.thread_ts.as_ref() == Some(&root.ts));
        own.map(|reply| seen(state, channel, reply)).collect::<Vec<_>>()
    };
    roots
        .into_iter()
        .flat_map(|root| std::iter::once(seen(state, channel, root)).chain(below(root)))
        .collect()
}
