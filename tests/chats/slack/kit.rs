//! A workspace, the demo's shop in trouble, and the program between them. Time moves only when the test moves it, for
//! all three at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use orderly::app::{App, Files, Keeping};
use orderly::catalog::Catalog;
use orderly::chat::slack::{Wanted, manifest};
use orderly::chat::{Delivery, Incoming, Intake, Verdict, local};
use orderly::clock::{Clock, ManualClock};
use orderly::config::Config;
use orderly::demo::{self, Shop};
use orderly::incident::{Identity, IncidentId, RoomRef, State};
use orderly::runbook::Shelf;
use orderly::store::{LogId, Store};
use orderly::web::Running;
use orderly_testbed::slack::{Person, Sent, SlackServer, View};
use tempfile::TempDir;

use crate::process::{Process, released};

/// The incident of a story is the first of its journal.
pub const INCIDENT: IncidentId = IncidentId(1);

/// Name of the journal's file.
const JOURNAL: &str = "slack.sqlite";

/// Between two runs of the shop's jobs.
const EVERY: Duration = Duration::from_secs(3600);

/// Steps of a second after which everything that was paced has happened.
const PACED_OUT: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Socket,
    Http,
}

pub struct House {
    pub slack: SlackServer,
    pub app: App,
    pub clock: ManualClock,
    /// Where `/incident` is typed first.
    pub ops: String,
    transport: Transport,
    shop: Shop,
    page: Running,
    folder: TempDir,
    process: Process,
}

/// People of the config, with what they are entitled to.
pub const PEOPLE: [(&str, &str); 3] = [
    ("ana", r#"["commander", "deputy", "scribe", "responder"]"#),
    ("ben", r#"["approver", "deputy", "responder"]"#),
    ("cleo", r#"["responder", "scribe", "liaison"]"#),
];

/// What the config says of people: each on Slack, too.
fn config(
    slack: &SlackServer,
    shop: &str,
    transport: Transport,
    folder: &Path,
    announce: &str,
    people: &[(&str, &str)],
    more: &str,
) -> Config {
    let secret = |name: &str, text: String| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a secret written");
        format!("{{ file = {:?} }}", file.display().to_string())
    };
    let way = match transport {
        Transport::Socket => format!(
            "transport = \"socket\"\napp_token = {}",
            secret("app", slack.app_token())
        ),
        Transport::Http => format!(
            "transport = \"http\"\nsigning_secret = {}",
            secret("signing", slack.signing_secret())
        ),
    };
    let mut text = format!(
        "[slack]\napi_url = \"{}\"\nbot_token = {}\nannounce = \"{announce}\"\n{way}\n",
        slack.api_url(),
        secret("bot", slack.bot_token()),
    );
    for (id, roles) in people {
        let user = slack.person(id);
        text.push_str(&format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"{id}\"\nroles = {roles}\nidentities = [{{ platform = \"slack\", \
             workspace = \"{}\", user = \"{}\" }}]\n",
            slack.team_id(),
            user.id(),
        ));
    }
    text.push_str(&format!(
        "\n[[target]]\nname = \"shop\"\nkind = \"demo\"\nenvironment = \"production\"\nurl = \"{shop}\"\naction = {{}}\n"
    ));
    text.push_str("\n[web]\nlisten = \"127.0.0.1:0\"\n");
    text.push_str(more);
    Config::parse("orderly.toml", &text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

impl House {
    pub async fn open(transport: Transport) -> Self {
        Self::with(transport, "").await
    }

    /// The same with something else in its config: first of [web], then of anything.
    pub async fn with(transport: Transport, more: &str) -> Self {
        Self::of(SlackServer::start().await, transport, &PEOPLE, more).await
    }

    /// The same, so that it can be [killed](Self::killed).
    pub async fn mortal(transport: Transport) -> Self {
        let slack = SlackServer::start().await;
        Self::on(slack, transport, Process::mortal(), &PEOPLE, "").await
    }

    /// The program on this workspace, at work, with these people in its config, and what else that says: first of [web],
    /// then of anything.
    pub async fn of(slack: SlackServer, transport: Transport, team: &[(&str, &str)], more: &str) -> Self {
        Self::on(slack, transport, Process::default(), team, more).await
    }

    async fn on(
        slack: SlackServer,
        transport: Transport,
        process: Process,
        team: &[(&str, &str)],
        more: &str,
    ) -> Self {
        // Only the first call counts; a second one is no mistake.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        // The app is what the bot itself says it must be: a scope or an event that is missing there fails here.
        slack.install(&manifest(&Wanted {
            command: "incident",
            description: "Incident response in order",
            hint: "open",
            address: (transport == Transport::Http).then_some("https://orderly.example.com"),
        }));
        let clock = ManualClock::at(slack.now());
        let people: Vec<Person> = ["ana", "ben", "cleo"].map(|name| slack.person(name)).to_vec();
        let ops = slack.channel("ops", &people.iter().collect::<Vec<_>>());
        let incidents = slack.channel("incidents", &[]);
        let shop = Shop::start(folder.path(), Arc::new(clock.clone()), EVERY)
            .await
            .expect("an open shop");
        let config = config(
            &slack,
            &shop.url(),
            transport,
            folder.path(),
            &incidents,
            team,
            more,
        );
        let (app, page) = Self::program(&process, config, folder.path(), &clock).await;
        let house = Self {
            slack,
            app,
            clock,
            ops,
            transport,
            shop,
            page,
            folder,
            process,
        };
        house.reachable().await;
        house
    }

    async fn program(
        process: &Process,
        config: Config,
        folder: &Path,
        clock: &ManualClock,
    ) -> (App, Running) {
        let (folder, clock) = (folder.to_owned(), clock.clone());
        let starting = async move { Self::started(config, &folder, &clock).await };
        process.runs(starting).await
    }

    async fn started(config: Config, folder: &Path, clock: &ManualClock) -> (App, Running) {
        let catalog = Catalog::load(&[(demo::CATALOG.0.into(), demo::CATALOG.1.to_owned())]);
        let files = Files {
            catalog: catalog.unwrap_or_else(|problems| panic!("{problems:?}")),
            shelf: Shelf::demo(),
            ..Files::read(config).expect("whole files")
        };
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let app = App::open(files, &Keeping::File(folder.join(JOURNAL)), Arc::clone(&clock))
            .await
            .expect("a program that opens");
        let page = app.serve_page(false, clock).await.expect("a page");
        app.start().await.expect("a program that starts");
        (app, page)
    }

    async fn reachable(&self) {
        match self.transport {
            Transport::Socket => self.slack.connected(2).await,
            Transport::Http => self
                .slack
                .deliver_over_http(&format!("http://{}", self.page.addr())),
        }
    }

    /// The channel that is no incident's, as the program names it.
    pub fn lobby(&self) -> RoomRef {
        RoomRef {
            platform: "slack".to_owned(),
            workspace: self.slack.team_id(),
            room: self.ops.clone(),
        }
    }

    /// Somebody, as the program names them.
    pub fn identity(&self, person: &Person) -> Identity {
        Identity {
            platform: "slack".to_owned(),
            workspace: self.slack.team_id(),
            user: person.id().to_owned(),
        }
    }

    /// Where Slack reaches the program over HTTP.
    pub fn address(&self) -> String {
        format!("http://{}", self.page.addr())
    }

    /// Time passes for everybody.
    pub fn advance(&self, by: Duration) {
        self.slack.advance(by);
        self.clock.advance(TimeDelta::from_std(by).expect("a span"));
    }

    /// Time passes in small steps until this is so: what has to come first may still be under way.
    pub async fn passes_until(&self, so: impl AsyncFn() -> bool) {
        while !so().await {
            self.advance(Duration::from_secs(5));
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Everything that follows has happened, also what had to wait its turn.
    pub async fn settled(&self) -> Option<State> {
        for _ in 0..PACED_OUT {
            self.slack.all_delivered().await;
            self.app.engine.quiet().await;
            match self.waiting().await {
                // What was done last may have been told to the bot as an event since.
                0 if self.slack.read(|slack| slack.undelivered()) == 0 => break,
                0 => {}
                _ => self.advance(Duration::from_secs(1)),
            }
        }
        self.state().await
    }

    /// What is decided or sent only later.
    async fn waiting(&self) -> u64 {
        let store = self.app.sqlite.as_ref().expect("a file");
        let depths = store.depths().await.expect("a journal that can be read");
        depths.inbox + depths.outbox
    }

    pub async fn state(&self) -> Option<State> {
        let state = self.app.engine.state(INCIDENT).await;
        let state = state.expect("a journal that can be read");
        state.map(|state| (*state).clone())
    }

    /// The incident's channel.
    pub async fn room(&self) -> String {
        let state = self.state().await.expect("an incident");
        let room = &state.rooms.first().expect("a room").at;
        assert_eq!(
            (room.platform.as_str(), room.workspace.as_str()),
            ("slack", self.slack.team_id().as_str())
        );
        room.room.clone()
    }

    pub fn person(&self, name: &str) -> Person {
        self.slack.person(name)
    }

    /// Where a person types: the room, or `ops` while there is none.
    pub async fn place(&self) -> String {
        let state = self.state().await;
        let room = state.and_then(|state| state.rooms.first().map(|room| room.at.room.clone()));
        room.unwrap_or_else(|| self.ops.clone())
    }

    /// Types a command, and nothing more.
    pub async fn sends(&self, who: &str, line: &str) -> Sent {
        let place = self.place().await;
        self.person(who).types(&format!("/incident {line}"), &place)
    }

    /// Types a command and waits until all that follows from it has happened.
    pub async fn types(&self, who: &str, line: &str) -> Option<State> {
        self.sends(who, line).await.await;
        self.settled().await
    }

    /// The form in front of somebody, once it is filled.
    pub async fn form(&self, person: &Person) -> View {
        let form = self.slack.wait_for("a filled form", |slack| {
            let view = slack.form(person.id())?;
            (view.body["callback_id"] == "orderly:form").then_some(view)
        });
        form.await
    }

    /// The journal's file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join(JOURNAL)
    }

    /// The messages of a room as they are kept, each version a line.
    pub async fn log(&self, room: &str) -> Vec<String> {
        let store = self.app.sqlite.as_ref().expect("a file");
        let entries = store.room_log(INCIDENT, LogId(0), 1_000).await;
        let entries = entries.expect("a log that can be read").into_iter();
        let here = entries.filter(|stored| stored.entry.room.ends_with(room));
        here.filter_map(|stored| stored.entry.text).collect()
    }

    /// A command from somewhere else than Slack.
    pub async fn typed_elsewhere(&self, from: Identity, line: &str) -> Verdict {
        let delivery = Delivery {
            key: format!("elsewhere/{line}"),
            subject: None,
            received: self.clock.now(),
            incoming: Incoming::Command {
                from,
                room: local::room_ref("lobby"),
                thread: None,
                text: line.to_owned(),
                trigger: None,
            },
        };
        let taken = self.app.engine.take(delivery).await.expect("room in the inbox");
        self.app.engine.decided(taken.expect("a command is kept")).await
    }

    /// It is stopped in good order and started again.
    pub async fn restarted(self) -> Self {
        self.app.stop().await;
        self.page.shutdown().await;
        let config = self.app.joined.config().clone();
        let (app, page) = Self::program(&self.process, config, self.folder.path(), &self.clock).await;
        let house = Self { app, page, ..self };
        house.reachable().await;
        house
    }

    /// It dies where it stands, with all it has under way, and is started again.
    pub async fn killed(mut self) -> Self {
        let config = self.app.joined.config().clone();
        self.process.dies().await;
        self.slack
            .until("its calls to end", |slack| slack.hanging() == 0)
            .await;
        // What was on its way to it is lost, and Slack gives it up.
        self.slack.give_up_deliveries();
        released(&self.folder.path().join(JOURNAL)).await;
        let process = Process::mortal();
        let (app, page) = Self::program(&process, config, self.folder.path(), &self.clock).await;
        let house = Self {
            app,
            page,
            process,
            ..self
        };
        house.reachable().await;
        house
    }

    pub async fn close(self) {
        self.app.stop().await;
        self.page.shutdown().await;
        self.shop.stop().await;
        self.slack.assert_clean();
    }
}
