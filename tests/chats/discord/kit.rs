//! A server, the demo's shop in trouble, and the program between them. Time moves only when the test moves it, for all
//! three at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use orderly::app::{App, Files, Keeping, discord_settings};
use orderly::catalog::Catalog;
use orderly::chat::discord::{Scope, register};
use orderly::chat::{Delivery, Incoming, Intake, Verdict, local};
use orderly::clock::{Clock, ManualClock};
use orderly::config::Config;
use orderly::demo::{self, Shop};
use orderly::incident::{IncidentId, State};
use orderly::runbook::Shelf;
use orderly::store::{LogId, Store};
use orderly_testbed::discord::{Call, DiscordServer, Outcome, Person, Sent};
use tempfile::TempDir;

use super::typing::natively;
use crate::process::{Process, released};

/// The incident of a story is the first of its journal.
pub const INCIDENT: IncidentId = IncidentId(1);

/// Between two runs of the shop's jobs.
const EVERY: Duration = Duration::from_secs(3600);

/// Steps of a second after which everything that was paced has happened.
const PACED_OUT: usize = 120;

/// The journal's file.
const JOURNAL: &str = "discord.sqlite";

/// With this code Discord forgets a session.
const SESSION_TIMED_OUT: u16 = 4009;

/// From a death to the first call of the next life, at least.
const STARTED: Duration = Duration::from_secs(1);

/// In the keys of what may wait longer: a channel's topic is changed twice in ten minutes and not more often.
const TOPIC: &str = "/topic@";

pub struct House {
    pub discord: DiscordServer,
    pub app: App,
    pub clock: ManualClock,
    /// Where `/incident` is typed first.
    pub ops: String,
    pub category: String,
    pub announce: String,
    shop: Shop,
    folder: TempDir,
    process: Process,
}

/// What a test wants otherwise than usual, as lines of `[discord]`.
pub type More<'a> = &'a str;

fn config(
    discord: &DiscordServer,
    shop: &str,
    folder: &Path,
    (category, announce, more): (&str, &str, More<'_>),
) -> Config {
    let file = folder.join("token");
    std::fs::write(&file, discord.bot_token()).expect("a secret written");
    let mut text = format!(
        "[web]\nlisten = \"127.0.0.1:0\"\n\n[discord]\napi_url = \"{}\"\ntoken = {{ file = {:?} }}\nguild = \"{}\"\ncategory = \
         \"{category}\"\nannounce = \"{announce}\"\n{more}\n",
        discord.api_url(),
        file.display().to_string(),
        discord.guild_id(),
    );
    for (id, roles) in [
        ("ana", r#"["commander", "deputy", "scribe", "responder"]"#),
        ("ben", r#"["approver", "deputy", "responder"]"#),
        ("cleo", r#"["responder", "scribe", "liaison"]"#),
    ] {
        text.push_str(&format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"{id}\"\nroles = {roles}\nidentities = [{{ platform = \"discord\", \
             workspace = \"{}\", user = \"{}\" }}]\n",
            discord.guild_id(),
            discord.person(id).id(),
        ));
    }
    text.push_str(&format!(
        "\n[[target]]\nname = \"shop\"\nkind = \"demo\"\nenvironment = \"production\"\nurl = \"{shop}\"\naction = {{}}\n"
    ));
    Config::parse("orderly.toml", &text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

impl House {
    pub async fn open() -> Self {
        Self::with("").await
    }

    /// The program on a server, at work.
    pub async fn with(more: More<'_>) -> Self {
        Self::on(DiscordServer::start().await, more).await
    }

    /// The same with tables of their own in the config.
    pub async fn keeping(tables: More<'_>) -> Self {
        Self::on(DiscordServer::start().await, &format!("\n{tables}")).await
    }

    /// The same, so that it can be [killed](Self::killed).
    pub async fn mortal() -> Self {
        Self::in_process(DiscordServer::start().await, Process::mortal(), "").await
    }

    pub async fn on(discord: DiscordServer, more: More<'_>) -> Self {
        Self::in_process(discord, Process::default(), more).await
    }

    async fn in_process(discord: DiscordServer, process: Process, more: More<'_>) -> Self {
        // Only the first call counts; a second one is no mistake.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let clock = ManualClock::at(discord.now());
        let (ops, category, announce) = (
            discord.channel("ops"),
            discord.category("incidents"),
            discord.channel("announcements"),
        );
        // The bot may do what its own invitation asks for and no more.
        discord.grant_only(permissions());
        let shop = Shop::start(folder.path(), Arc::new(clock.clone()), EVERY)
            .await
            .expect("an open shop");
        let config = config(&discord, &shop.url(), folder.path(), (&category, &announce, more));
        let settings = discord_settings(&config).expect("a token").expect("a server");
        register(&settings, "incident", Scope::Guild, Arc::new(clock.clone()))
            .await
            .expect("commands that Discord takes");
        let app = Self::program(&process, config, folder.path(), &clock).await;
        discord.connected(1).await;
        Self {
            discord,
            app,
            clock,
            ops,
            category,
            announce,
            shop,
            folder,
            process,
        }
    }

    async fn program(process: &Process, config: Config, folder: &Path, clock: &ManualClock) -> App {
        let (folder, clock) = (folder.to_owned(), clock.clone());
        let starting = async move { Self::started(config, &folder, &clock).await };
        process.runs(starting).await
    }

    async fn started(config: Config, folder: &Path, clock: &ManualClock) -> App {
        let catalog = Catalog::load(&[(demo::CATALOG.0.into(), demo::CATALOG.1.to_owned())]);
        let files = Files {
            catalog: catalog.unwrap_or_else(|problems| panic!("{problems:?}")),
            shelf: Shelf::demo(),
            ..Files::read(config).expect("whole files")
        };
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let app = App::open(files, &Keeping::File(folder.join(JOURNAL)), clock)
            .await
            .expect("a program that opens");
        app.start().await.expect("a program that starts");
        app
    }

    /// Time passes for everybody.
    pub fn advance(&self, by: Duration) {
        self.discord.advance(by);
        self.clock.advance(TimeDelta::from_std(by).expect("a span"));
    }

    /// Everything that follows has happened, also what had to wait its turn.
    pub async fn settled(&self) -> Option<State> {
        for _ in 0..PACED_OUT {
            self.app.engine.quiet().await;
            self.discord.all_heard().await;
            self.app.engine.quiet().await;
            if !self.waiting().await {
                break;
            }
            self.advance(Duration::from_secs(1));
        }
        self.state().await
    }

    /// What is decided later, or sent.
    async fn waiting(&self) -> bool {
        let store = self.app.sqlite.as_ref().expect("a file");
        let depths = store.depths().await.expect("a journal that can be read");
        let effects = store.due_effects(DateTime::<Utc>::MAX_UTC, &[], 100).await;
        let effects = effects.expect("an outbox that can be read");
        let sent_soon = effects.iter().any(|due| !due.effect.key.contains(TOPIC));
        depths.inbox > 0 || sent_soon
    }

    pub async fn state(&self) -> Option<State> {
        let state = self.app.engine.state(INCIDENT).await;
        let state = state.expect("a journal that can be read");
        state.map(|state| (*state).clone())
    }

    /// The incident's channel.
    pub async fn room(&self) -> String {
        let state = self.state().await.expect("an incident");
        let room = state.rooms.first();
        let room = &room
            .unwrap_or_else(|| panic!("no room: {:?}", state.room_failed))
            .at;
        assert_eq!(
            (room.platform.as_str(), room.workspace.as_str()),
            ("discord", self.discord.guild_id().as_str())
        );
        room.room.clone()
    }

    pub fn person(&self, name: &str) -> Person {
        self.discord.person(name)
    }

    /// The id of somebody, without bringing them into the server.
    pub fn person_id(&self, name: &str) -> String {
        self.discord.stranger(name).id().to_owned()
    }

    /// Where a person types: the room, or `ops` while there is none.
    async fn place(&self) -> String {
        let state = self.state().await;
        let room = state.and_then(|state| state.rooms.first().map(|room| room.at.room.clone()));
        room.unwrap_or_else(|| self.ops.clone())
    }

    /// Types a command, as a line of the vocabulary, and waits until all that follows from it has happened.
    pub async fn types(&self, who: &str, line: &str) -> Option<State> {
        let place = self.place().await;
        self.types_in(who, line, &place).await
    }

    pub async fn types_in(&self, who: &str, line: &str, place: &str) -> Option<State> {
        let sent = self.sends_in(who, line, place);
        self.answered(&sent).await;
        self.settled().await
    }

    /// Types a command, and nothing more.
    pub async fn sends(&self, who: &str, line: &str) -> Sent {
        let place = self.place().await;
        self.sends_in(who, line, &place)
    }

    fn sends_in(&self, who: &str, line: &str, place: &str) -> Sent {
        let (path, options) = natively(line);
        self.person(who)
            .commands(&format!("incident {path}"), &options, place)
    }

    /// Waits for the first answer; where a call of the bot was not taken, time passes, and it is tried again.
    pub async fn answered(&self, sent: &Sent) {
        let created = sent.interaction().created;
        let not_taken = |call: &Call| {
            let refused = matches!(call.answer, Outcome::Limited | Outcome::Status(_));
            refused && call.at >= created && is_waited_for(call)
        };
        loop {
            let settled = self
                .discord
                .wait_for("an answer, or a call that was not taken", |state| {
                    let mut all = state.interactions();
                    let settled = all.any(|one| one.id == sent.id() && one.settled.is_some());
                    (settled || state.calls().iter().any(not_taken)).then_some(settled)
                })
                .await;
            if settled {
                return;
            }
            self.app.engine.quiet().await;
            self.advance(Duration::from_secs(1));
        }
    }

    /// A command from somewhere else than Discord.
    pub async fn typed_elsewhere(&self, line: &str) -> Verdict {
        let delivery = Delivery {
            key: format!("elsewhere/{line}"),
            subject: None,
            received: self.clock.now(),
            incoming: Incoming::Command {
                from: local::identity("ben"),
                room: local::room_ref("lobby"),
                text: line.to_owned(),
                trigger: None,
                thread: None,
            },
        };
        let taken = self.app.engine.take(delivery).await.expect("room in the inbox");
        self.app.engine.decided(taken.expect("a command is kept")).await
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join(JOURNAL)
    }

    /// The messages of a room as they are kept, each version a line.
    pub async fn log(&self) -> Vec<String> {
        let store = self.app.sqlite.as_ref().expect("a file");
        let entries = store.room_log(INCIDENT, LogId(0), 1_000).await;
        let entries = entries.expect("a log that can be read").into_iter();
        entries.filter_map(|stored| stored.entry.text).collect()
    }

    /// It is stopped in good order and started again.
    pub async fn restarted(self) -> Self {
        let sessions = self.discord.read(|discord| discord.sessions_started());
        self.app.stop().await;
        // Calls that one second no longer allowed are allowed again.
        self.advance(STARTED);
        let config = self.app.joined.config().clone();
        let app = Self::program(&self.process, config, self.folder.path(), &self.clock).await;
        let house = Self { app, ..self };
        // The connection of before may still be closing.
        house.discord.session_after(sessions).await;
        house
    }

    /// It dies where it stands, with all it has under way, and is started again.
    pub async fn killed(mut self) -> Self {
        let config = self.app.joined.config().clone();
        self.process.dies().await;
        self.discord
            .until("its calls to end", |discord| discord.hanging() == 0)
            .await;
        // What was on its way to it is lost, and nobody takes its session up again.
        self.discord.close_sockets(SESSION_TIMED_OUT);
        self.discord.time_out_interactions();
        // Calls that one second no longer allowed are allowed again.
        self.advance(STARTED);
        released(&self.folder.path().join(JOURNAL)).await;
        let process = Process::mortal();
        let app = Self::program(&process, config, self.folder.path(), &self.clock).await;
        let house = Self { app, process, ..self };
        tokio::select! {
            () = house.discord.connected(1) => {}
            // It dies again before it is there.
            () = house.hangs() => {}
        }
        house
    }

    /// Waits until a call hangs.
    pub async fn hangs(&self) {
        self.discord
            .until("a call that hangs", |discord| discord.hanging() > 0)
            .await;
    }

    pub async fn close(self) {
        self.app.stop().await;
        self.shop.stop().await;
        self.discord.assert_clean();
    }

    /// The id of the newest message in a channel that shows this to everybody there.
    pub fn message(&self, channel: &str, part: &str) -> String {
        self.discord.read(|state| {
            let mut spoken: Vec<_> = state.spoken(channel).collect();
            spoken.retain(|message| message.only_for.is_none() && state.plain(message).contains(part));
            let found = spoken.last();
            found
                .unwrap_or_else(|| panic!("nothing shows {part:?}:\n{}", state.transcript(channel)))
                .id
                .clone()
        })
    }

    /// Presses a button and waits until all that follows has happened.
    pub async fn presses(&self, who: &str, channel: &str, part: &str, button: &str) -> Option<State> {
        let message = self.message(channel, part);
        let sent = self.person(who).presses(channel, &message, button);
        self.answered(&sent).await;
        self.settled().await
    }
}

/// Whether somebody may wait for what comes of it: nobody does for a channel's topic, which may rarely change.
pub fn is_waited_for(call: &Call) -> bool {
    call.operation != "update_channel"
}

/// What the invitation asks for.
pub fn permissions() -> u64 {
    let manifest = orderly::chat::discord::manifest("1000000000000000000", None);
    let text = manifest["permissions"].as_str().expect("permissions");
    text.parse().expect("a number")
}
