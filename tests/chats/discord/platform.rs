//! Discord in people's hands, for the suite of all platforms.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use orderly::app::{App, discord_settings};
use orderly::chat::discord::{Scope, register};
use orderly::clock::ManualClock;
use orderly::incident::Identity;
use orderly_testbed::discord::{Channel, DiscordServer, Fault, Message, Outcome, Person, State};
use serde_json::{Value, json};

use super::kit::{is_waited_for, permissions};
use super::look::{self, Page};
use super::typing::{completing, natively};
use crate::one::hands::{Asks, Errors, Field, Form, Hands, Mark, Need, Platform, Seen, Trouble, Way};

/// Sockets that the program holds.
const SOCKETS: usize = 1;
/// What Discord asks a caller to wait, where it limits.
const PAUSE: Duration = Duration::from_secs(1);
/// More answers than a step of a test's day has: all of them are lost until the trouble ends.
const ANSWERS: usize = 3;

pub struct Guild {
    discord: DiscordServer,
    ops: String,
    incidents: String,
    category: String,
    registered: AtomicBool,
    /// Sessions that the program had begun when it was last reached.
    sessions: AtomicUsize,
    /// What people do is kept back, and arrives with the last first.
    reversed: AtomicBool,
    /// Calls that were told to wait before time passed last.
    limited: AtomicUsize,
    /// Messages that people put away.
    away: Mutex<BTreeSet<String>>,
}

impl Guild {
    pub async fn open(people: &[&str]) -> Self {
        let discord = DiscordServer::start().await;
        for name in people {
            discord.person(name);
        }
        // The bot may do what its own invitation asks for and no more.
        discord.grant_only(permissions());
        Self {
            ops: discord.channel("ops"),
            incidents: discord.channel("announcements"),
            category: discord.category("incidents"),
            discord,
            registered: AtomicBool::new(false),
            sessions: AtomicUsize::new(0),
            reversed: AtomicBool::new(false),
            limited: AtomicUsize::new(0),
            away: Mutex::default(),
        }
    }

    pub fn server(&self) -> &DiscordServer {
        &self.discord
    }

    fn person(&self, who: &str) -> Person {
        self.discord.person(who)
    }

    fn id(&self, who: &str) -> String {
        self.person(who).id().to_owned()
    }

    /// Where a message stands: in the room, or in a thread of it.
    fn channel_of(&self, room: &str, message: &str) -> String {
        self.discord.read(|state| {
            let mut channels = state.channels();
            let found = channels.find(|channel| channel.messages.contains_key(message));
            found.map_or_else(|| room.to_owned(), |channel| channel.id.clone())
        })
    }

    /// The thread on a message, opened by whoever first has something to say there.
    fn thread_on(&self, who: &str, room: &str, message: &str) -> String {
        let there = self.discord.read(|state| state.find_channel(message).is_some());
        match there {
            true => message.to_owned(),
            false => self.person(who).opens_thread(room, message, "thread"),
        }
    }

    /// What people say and mark from here on waits, where it is to arrive with the last first.
    fn held(&self) {
        if self.reversed.load(Ordering::SeqCst) {
            self.discord.hold_events();
        }
    }

    fn let_go(&self) {
        if self.reversed.load(Ordering::SeqCst) {
            self.discord.let_events_go(true);
        }
    }

    /// Everybody has an answer, or the bot was told to wait with one since time passed last.
    async fn replied(&self) {
        let known = self.limited.load(Ordering::SeqCst);
        self.discord
            .until("an answer, or a limit to wait for", |state| {
                state.unanswered() == 0 || limits(state) > known
            })
            .await;
    }

    /// The newest message with choices of a form that somebody has not put away.
    fn page(&self, who: &str) -> Option<Page> {
        let user = self.id(who);
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.discord.read(|state| look::page(state, &user, &away))
    }

    /// Whoever turns to another message has done with the forms that still stand there.
    fn turns_from_forms(&self, who: &str, to: &str) {
        while let Some(page) = self.page(who).filter(|page| page.message != to) {
            self.puts_away(&page.message);
        }
    }

    fn puts_away(&self, message: &str) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.insert(message.to_owned());
    }

    /// The modal that opens, with what it asks for.
    async fn words(&self, who: &str) -> Form {
        let modal = self.person(who).form().await;
        look::modal(&modal)
    }

    /// Chooses what is chosen in menus and by switches.
    async fn chooses(&self, who: &str, form: &Form, page: &Page, values: &[(&str, &str)]) {
        let person = self.person(who);
        for (name, value) in values {
            let field = form.fields.iter().find(|field| field.name == *name);
            let field = field.unwrap_or_else(|| panic!("there is no field {name}: {form:?}"));
            let Some(id) = page.part(name) else { continue };
            match &field.asks {
                Asks::Several(_) => {
                    let chosen: Vec<&str> = value.split(',').collect();
                    person.chooses(&page.channel, &page.message, &id, &chosen);
                }
                Asks::Person => {
                    let id_of = self.id(value);
                    person.chooses(&page.channel, &page.message, &id, &[&id_of]);
                }
                Asks::Tick if field.value.is_some() => continue,
                Asks::Tick => drop(person.presses(&page.channel, &page.message, &id)),
                _ => drop(person.chooses(&page.channel, &page.message, &id, &[value])),
            }
            self.replied().await;
        }
    }

    /// Sends the modal in front of somebody, and what follows as long as more words are asked for.
    async fn sends(&self, who: &str, values: &[(&str, &str)]) {
        let person = self.person(who);
        loop {
            let modal = person.form().await;
            let asked = look::modal(&modal);
            let filled = values
                .iter()
                .filter(|(name, _)| asked.fields.iter().any(|field| field.name == *name))
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect();
            person.submits(&modal, &Value::Object(filled));
            self.replied().await;
            let Some(more) = self.page(who).filter(|page| page.goes_on()) else {
                return;
            };
            person.presses(&more.channel, &more.message, &more.go);
        }
    }
}

/// Calls that were told to wait, and that somebody waits for.
fn limits(state: &State) -> usize {
    let calls = state.calls().iter();
    calls
        .filter(|call| call.answer == Outcome::Limited && is_waited_for(call))
        .count()
}

fn emoji(mark: Mark) -> &'static str {
    match mark {
        Mark::Timeline => "📌",
        Mark::Task => "✅",
        Mark::Followup => "🔁",
    }
}

/// A channel with its threads below their messages.
fn whole(state: &State, channel: &Channel) -> Vec<Seen> {
    let below = |message: &Message| {
        let thread = state
            .thread_on(&message.id)
            .filter(|thread| thread.thread.is_some());
        let replies = thread.into_iter().flat_map(|thread| state.spoken(&thread.id));
        replies.map(|reply| look::seen(state, reply)).collect::<Vec<_>>()
    };
    let all = state.spoken(&channel.id);
    all.flat_map(|message| std::iter::once(look::seen(state, message)).chain(below(message)))
        .collect()
}

#[async_trait]
impl Hands for Guild {
    fn platform(&self) -> Platform {
        Platform::Discord
    }

    fn config(&self, folder: &Path) -> String {
        let file = folder.join("token");
        std::fs::write(&file, self.discord.bot_token()).expect("a secret written");
        format!(
            "[discord]\napi_url = \"{}\"\ntoken = {{ file = {:?} }}\nguild = \"{}\"\ncategory = \"{}\"\nannounce = \"{}\"\n",
            self.discord.api_url(),
            file.display().to_string(),
            self.discord.guild_id(),
            self.category,
            self.incidents,
        )
    }

    fn identity(&self, person: &str) -> Option<Identity> {
        Some(Identity {
            platform: "discord".to_owned(),
            workspace: self.discord.guild_id(),
            user: self.id(person),
        })
    }

    async fn reach(&self, app: &App, _: SocketAddr) {
        if !self.registered.swap(true, Ordering::SeqCst) {
            let settings = discord_settings(app.joined.config())
                .expect("a token")
                .expect("a server");
            let clock = Arc::new(ManualClock::at(self.discord.now()));
            register(&settings, "incident", Scope::Guild, clock)
                .await
                .expect("commands that Discord takes");
        }
        // A connection of before a restart may still be closing.
        let known = self.sessions.load(Ordering::SeqCst);
        self.discord.session_after(known).await;
        let started = self.discord.read(|discord| discord.sessions_started());
        self.sessions.store(started, Ordering::SeqCst);
    }

    fn advance(&self, by: Duration) {
        self.limited.store(self.discord.read(limits), Ordering::SeqCst);
        self.discord.advance(by);
    }

    async fn delivered(&self) {
        self.let_go();
        self.discord.connected(SOCKETS).await;
        self.discord.all_heard().await;
    }

    fn waits(&self) -> bool {
        self.discord.read(State::unanswered) > 0
    }

    async fn answered(&self) {
        self.replied().await;
    }

    fn holds_back(&self) -> bool {
        true
    }

    fn assert_clean(&self) {
        self.discord.assert_clean();
    }

    fn ops(&self) -> String {
        self.ops.clone()
    }

    fn lobby(&self) -> String {
        self.incidents.clone()
    }

    async fn rooms(&self, who: &str) -> Vec<String> {
        let user = self.id(who);
        self.discord.read(|state| {
            let all = state.channels();
            let found = all.filter(|channel| channel.thread.is_none() && state.can_see(&user, &channel.id));
            found
                .map(|channel| {
                    format!(
                        "{} {}",
                        channel.name,
                        channel.topic.as_deref().unwrap_or_default()
                    )
                })
                .collect()
        })
    }

    /// Whoever may see a channel is in it.
    async fn enters(&self, _: &str, _: &str) {}

    fn refuses(&self, who: &str, line: &str) -> Option<String> {
        let (path, options) = natively(line);
        self.person(who).refused(&format!("incident {path}"), &options)
    }

    async fn types(&self, who: &str, room: &str, line: &str) {
        self.let_go();
        let (path, options) = natively(line);
        self.person(who)
            .commands(&format!("incident {path}"), &options, room);
        self.replied().await;
    }

    async fn types_in_thread(&self, who: &str, room: &str, message: &str, line: &str) {
        let thread = self.thread_on(who, room, message);
        self.types(who, &thread, line).await;
    }

    async fn presses(&self, who: &str, room: &str, message: &str, label: &str) {
        self.let_go();
        self.turns_from_forms(who, message);
        let channel = self.channel_of(room, message);
        self.person(who).presses(&channel, message, label);
        self.replied().await;
    }

    async fn form(&self, who: &str) -> Form {
        let user = self.id(who);
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let what = format!("a form for {who}");
        let there = |state: &State| {
            let page = look::page(state, &user, &away);
            (page.is_some() || state.form(&user).is_some()).then_some(page)
        };
        let Some(page) = self.discord.wait_for(&what, there).await else {
            return self.words(who).await;
        };
        let mut form = page.form.clone();
        if page.goes_on() {
            // The words are looked at, and put away until the choices are made.
            let person = self.person(who);
            person.presses(&page.channel, &page.message, &page.go);
            self.replied().await;
            form.fields.extend(self.words(who).await.fields);
            person.closes_form();
        }
        form
    }

    async fn submits(&self, who: &str, form: &Form, values: &[(&str, &str)]) -> Errors {
        let person = self.person(who);
        if let Some(page) = self.page(who).filter(|page| page.message == form.id) {
            self.chooses(who, form, &page, values).await;
            person.presses(&page.channel, &page.message, &page.go);
            self.replied().await;
            if page.goes_on() {
                self.sends(who, values).await;
            }
        } else {
            self.sends(who, values).await;
        }
        let wrong = self.page(who).and_then(|page| page.wrong);
        let Some(wrong) = wrong else {
            return Errors::new();
        };
        let (label, words) = wrong.split_once(": ").unwrap_or(("", &wrong));
        let at = |field: &&Field| label.starts_with(field.label.trim_end_matches('…'));
        Errors::from([match form.fields.iter().find(at) {
            Some(field) => (field.name.clone(), words.to_owned()),
            None => (String::new(), wrong.clone()),
        }])
    }

    async fn closes(&self, who: &str, form: &Form) {
        self.puts_away(&form.id);
        while let Some(page) = self.page(who) {
            self.puts_away(&page.message);
        }
        self.person(who).closes_form();
    }

    async fn says(&self, who: &str, room: &str, thread: Option<&str>, text: &str) -> String {
        self.held();
        match thread {
            Some(message) => {
                let thread = self.thread_on(who, room, message);
                self.person(who).says(&thread, text)
            }
            None => self.person(who).says(room, text),
        }
    }

    fn link(&self, room: &str, message: &str) -> String {
        let (guild, channel) = (self.discord.guild_id(), self.channel_of(room, message));
        format!("https://discord.com/channels/{guild}/{channel}/{message}")
    }

    async fn edits(&self, who: &str, room: &str, message: &str, text: &str) {
        self.held();
        let channel = self.channel_of(room, message);
        self.person(who).edits(&channel, message, text);
    }

    async fn deletes(&self, who: &str, room: &str, message: &str) {
        self.held();
        let channel = self.channel_of(room, message);
        self.person(who).deletes(&channel, message);
    }

    async fn reacts(&self, who: &str, room: &str, message: &str, mark: Mark) {
        self.held();
        let channel = self.channel_of(room, message);
        self.person(who).reacts(&channel, message, emoji(mark));
    }

    async fn unreacts(&self, who: &str, room: &str, message: &str, mark: Mark) {
        self.held();
        let channel = self.channel_of(room, message);
        self.person(who).unreacts(&channel, message, emoji(mark));
    }

    async fn picks(&self, who: &str, room: &str, message: &str, mark: Mark) {
        let command = match mark {
            Mark::Timeline => "Add to timeline",
            Mark::Task => "Make a task",
            Mark::Followup => "Make a follow-up",
        };
        self.let_go();
        let channel = self.channel_of(room, message);
        self.person(who).uses(command, &channel, message);
        self.replied().await;
    }

    async fn uploads(&self, who: &str, room: &str, name: &str, bytes: &[u8]) -> String {
        self.held();
        self.person(who).uploads(room, "", name, "text/plain", bytes)
    }

    async fn completions(&self, who: &str, room: &str, typed: &str) -> Option<Vec<String>> {
        let offered = self.person(who).completes(&completing(typed), room);
        Some(offered.await.choices())
    }

    async fn room(&self, who: &str, room: &str) -> Option<Vec<Seen>> {
        let user = self.id(who);
        self.discord.read(|state| {
            let channel = state.find_channel(room).filter(|_| state.can_see(&user, room))?;
            Some(whole(state, channel))
        })
    }

    async fn told(&self, who: &str, room: &str) -> Vec<Seen> {
        let user = self.id(who);
        self.discord.read(|state| {
            let here = |channel: &&Channel| {
                channel.id == room || channel.thread.is_some() && channel.parent.as_deref() == Some(room)
            };
            let all = state.channels().filter(here);
            let all = all.flat_map(|channel| channel.messages.values());
            let own = all.filter(|message| message.only_for.as_deref() == Some(user.as_str()));
            own.filter(|message| look::is_answer(message))
                .map(|message| look::seen(state, message))
                .collect()
        })
    }

    async fn direct(&self, who: &str) -> Option<String> {
        let user = self.id(who);
        self.discord.read(|state| {
            let mut channels = state.channels();
            let found = channels.find(|channel| channel.recipient.as_deref() == Some(user.as_str()));
            found.map(|channel| channel.id.clone())
        })
    }

    async fn home(&self, _: &str) -> Option<Seen> {
        None
    }

    async fn file(&self, _: &str, room: &str, message: &str, name: &str) -> Vec<u8> {
        let channel = self.channel_of(room, message);
        self.discord.read(|state| {
            let message = &state.channel(&channel).messages[message];
            let mut files = state.files(message);
            let found = files.find(|file| file.filename == name);
            found.expect("that file").bytes.clone()
        })
    }

    fn way(&self, need: Need) -> Way {
        use Way::{Instead, Own};
        match need {
            Need::Command => Own(
                "a slash command with options, in any channel; one about another incident names it, or is typed in its \
                 channel",
            ),
            Need::BareCommand => Instead(
                "`/incident open` without options opens the form; in a room it says where things stand (Discord has \
                 no bare command beside sub-commands)",
            ),
            Need::Completion => Own("options, choices and suggestions of Discord's own"),
            Need::Missing => {
                Own("Discord's own options: what must be there is asked for, and what cannot be is not sent")
            }
            Need::ThreadCommand => Own("a slash command in the thread"),
            Need::Form => Own(
                "a message with menus first, where there is something to choose; then a modal with the words",
            ),
            Need::FieldError => Instead(
                "said by the field's name, with a button that brings the form back as it was filled in, also after a restart",
            ),
            Need::Picker => {
                Instead("a list for people; days and moments are typed: `14:00`, `10m ago`, `friday`")
            }
            Need::Button => Own("below the message"),
            Need::Alone => Own(
                "in the channel, seen only by you, until you dismiss it; a form turns into its answer; after a quarter of an hour \
                 directly",
            ),
            Need::Room => Own("a channel in the category, with topic and pinned card"),
            Need::Private => Own("a channel that only its members see"),
            Need::Lobby => Own("a line in the announcement channel, kept true, that leads into the room"),
            Need::Direct => Own("a direct message"),
            Need::Home => {
                Instead("`/incident list` has what is open; what waits for you is in `/incident status`")
            }
            Need::Reaction => Own("put on a message, and taken back"),
            Need::Menu => Own("in the menu of every message, under Apps"),
            Need::Thread => Own("replies can be marked as well"),
            Need::Edit => Own("followed, with the earlier words kept"),
            Need::Evidence => Own("downloaded, and hashed"),
            Need::Export => Own("a file in the channel"),
            Need::Guest => Own("guests, strangers, bots and who is timed out read, and do not command"),
            Need::Redelivery => Own("what comes again is known by its id and its subject"),
            Need::Order => Own("each message carries its own time; the timeline sorts by it"),
            Need::Limit => Own("a call that comes too early waits for its turn, urgent ones first"),
            Need::Gap => Own("resumed, and read from the history where that is not possible"),
            Need::Restart => {
                Own("channels and buttons stay as they were; a form goes on with what was chosen and typed")
            }
        }
    }

    fn becomes_guest(&self, who: &str) -> bool {
        self.discord.make_guest(&self.person(who));
        true
    }

    async fn begin(&self, trouble: Trouble) -> Result<(), &'static str> {
        match trouble {
            Trouble::Limits => self.discord.limit_every_call_once(PAUSE),
            Trouble::LostAnswers => self.discord.fault("create_message", ANSWERS, Fault::DropAfter),
            Trouble::Twice => self.discord.every_event_twice(true),
            Trouble::Dropped => {
                self.discord.drop_sockets();
                self.discord.connected(SOCKETS).await;
            }
            Trouble::Reversed => self.reversed.store(true, Ordering::SeqCst),
        }
        Ok(())
    }

    fn end_trouble(&self) {
        self.let_go();
        self.reversed.store(false, Ordering::SeqCst);
        self.discord.every_event_twice(false);
        self.discord.no_more_faults();
    }
}
