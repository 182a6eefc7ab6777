//! The program on one platform, with the demo's shop in trouble and people at work. Time moves only when a test moves
//! it, for all of them at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use orderly::app::{App, Files, Keeping};
use orderly::catalog::Catalog;
use orderly::clock::{Clock, ManualClock};
use orderly::config::Config;
use orderly::demo::{self, Shop};
use orderly::incident::{IncidentId, State};
use orderly::runbook::Shelf;
use orderly::store::Store;
use orderly::web::Running;
use orderly_testbed::{Cut, Then};
use tempfile::TempDir;

use super::hands::{Button, Errors, Form, Hands, Platform, Seen};
use crate::discord::Guild;
use crate::local::Page;
use crate::slack::Workspace;

/// The incident of a story is the first of its journal.
pub const INCIDENT: IncidentId = IncidentId(1);

/// Who is in the config: id and roles. Dan is a member like any other, for what must not reach every member.
pub const PEOPLE: [(&str, &str); 4] = [
    ("ana", r#"["commander", "deputy", "scribe", "responder"]"#),
    ("ben", r#"["approver", "deputy", "responder"]"#),
    ("cleo", r#"["responder", "scribe", "liaison"]"#),
    ("dan", r#"["responder"]"#),
];

/// Actions that nobody can verify but people, beside those of the demo: a small one, and one that two must approve.
const BELL: &str = r#"
[action."test.bell"]
title = "Ring the bell"
targets = ["demo"]
timeout = "10s"
risk = "low"
effect = "The bell rings."
[action."test.bell".http]
method = "POST"
path = "/records/repair"
[action."test.siren"]
title = "Sound the siren"
targets = ["demo"]
timeout = "10s"
risk = "high"
effect = "The siren sounds."
[action."test.siren".http]
method = "POST"
path = "/records/repair"
"#;

/// Where the line to the mirror breaks: nobody learns whether its bell rang.
const BREAKS: &str = "POST /records/repair";

/// When the day begins: that of the tests' Slack.
pub const MORNING: &str = "2026-03-02T09:00:00Z";

/// Between two runs of the shop's jobs: none comes between two steps of a test.
pub const EVERY: Duration = Duration::from_secs(3_600);

/// Steps of a second after which everything that was paced has happened.
pub const PACED_OUT: usize = 240;

/// In the keys of changes that a platform may hold back for minutes, and that are as true then: a channel's topic.
const HELD_BACK: &str = "/topic@";

/// Effects looked through for others than those.
const EFFECTS: usize = 100;

pub struct House {
    pub app: App,
    pub clock: ManualClock,
    pub hands: Box<dyn Hands>,
    /// Buttons that were pressed.
    pub pressed: Mutex<BTreeSet<Button>>,
    shop: Shop,
    /// The same shop, over a line that breaks: the target `mirror`.
    _mirror: Cut,
    page: Running,
    folder: TempDir,
}

impl House {
    /// The program at work on this platform.
    pub async fn on(platform: Platform) -> Self {
        // Only the first call counts; a second one is no mistake.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let people = PEOPLE.map(|(who, _)| who);
        let hands: Box<dyn Hands> = match platform {
            Platform::Local => Box::new(Page::new(&people)),
            Platform::Slack => Box::new(Workspace::open(&people).await),
            Platform::Discord => Box::new(Guild::open(&people).await),
        };
        let clock = ManualClock::at(MORNING.parse().expect("a time"));
        let folder = tempfile::tempdir().expect("a folder");
        let shop = Shop::start(folder.path(), Arc::new(clock.clone()), EVERY)
            .await
            .expect("an open shop");
        let port = shop
            .url()
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let mirror = Cut::before(port.expect("a port"), BREAKS, Then::Lose).await;
        let config = config(&[&*hands], &PEOPLE, &shop.url(), mirror.port(), folder.path());
        let (app, page) = program(config, folder.path(), &clock).await;
        hands.reach(&app, page.addr()).await;
        Self {
            app,
            clock,
            hands,
            pressed: Mutex::default(),
            shop,
            _mirror: mirror,
            page,
            folder,
        }
    }

    /// The process dies where it stands and is started again.
    pub async fn restarted(self) -> Self {
        self.app.stop().await;
        self.page.shutdown().await;
        let config = self.app.joined.config().clone();
        let (app, page) = program(config, self.folder.path(), &self.clock).await;
        self.hands.reach(&app, page.addr()).await;
        Self { app, page, ..self }
    }

    pub async fn close(self) {
        self.app.stop().await;
        self.page.shutdown().await;
        self.shop.stop().await;
        self.hands.assert_clean();
    }

    /// Time passes for everybody.
    pub fn advance(&self, by: Duration) {
        self.hands.advance(by);
        self.clock.advance(TimeDelta::from_std(by).expect("a span"));
    }

    /// It is this late, unless it is later already.
    pub fn advance_to(&self, moment: DateTime<Utc>) {
        if let Ok(by) = (moment - self.clock.now()).to_std() {
            self.advance(by);
        }
    }

    /// Everything that follows has happened, also what had to wait its turn.
    pub async fn settled(&self) {
        for _ in 0..PACED_OUT {
            self.hands.delivered().await;
            self.app.engine.quiet().await;
            if !works(&self.app, self.hands.holds_back()).await {
                // No effect is left, so an answer is on its way by itself.
                self.hands.answered().await;
                if !self.hands.waits() {
                    return;
                }
            }
            self.advance(Duration::from_secs(1));
        }
        panic!("this waits for ever: {}", self.waiting().await);
    }

    /// What is still to be done, for whoever wonders why.
    async fn waiting(&self) -> String {
        let store = self.app.sqlite.as_ref().expect("a file");
        let depths = store.depths().await;
        let later = DateTime::<Utc>::MAX_UTC;
        let effects = store.due_effects(later, &[], 10).await.unwrap_or_default();
        let effects: Vec<String> = effects.iter().map(|effect| format!("{effect:?}")).collect();
        let answers = self.hands.waits();
        format!(
            "{depths:?}, answers: {answers}, at {}:\n{}",
            self.clock.now(),
            effects.join("\n")
        )
    }

    pub async fn state_of(&self, incident: IncidentId) -> Option<State> {
        let state = self.app.engine.state(incident).await;
        let state = state.expect("a journal that can be read");
        state.map(|state| (*state).clone())
    }

    pub async fn state(&self) -> State {
        self.state_of(INCIDENT).await.expect("an incident")
    }

    /// The room of an incident on this platform.
    pub async fn room_of(&self, incident: IncidentId) -> Option<String> {
        let state = self.state_of(incident).await?;
        state.rooms.first().map(|room| room.at.room.clone())
    }

    /// Where a person types: the room, or the place of everybody while there is none.
    pub async fn place(&self) -> String {
        let room = self.room_of(INCIDENT).await;
        room.unwrap_or_else(|| self.hands.ops())
    }

    /// Types a command where the incident is, and gives what only they are told in answer.
    pub async fn types(&self, who: &str, line: &str) -> Vec<Seen> {
        let place = self.place().await;
        self.types_in(who, &place, line).await
    }

    pub async fn types_in(&self, who: &str, place: &str, line: &str) -> Vec<Seen> {
        let before = self.hands.told(who, place).await;
        self.hands.types(who, place, line).await;
        self.told_since(who, place, &before).await
    }

    /// Presses the newest button with this label that somebody sees where the incident is.
    pub async fn presses(&self, who: &str, label: &str) -> Vec<Seen> {
        let place = self.place().await;
        self.presses_in(who, &place, label).await
    }

    pub async fn presses_in(&self, who: &str, place: &str, label: &str) -> Vec<Seen> {
        let pressed = self.tries_in(who, place, label).await;
        pressed.unwrap_or_else(|why| panic!("{who} cannot press “{label}”: {why}"))
    }

    /// The same; the error says which buttons there are.
    pub async fn tries_in(&self, who: &str, place: &str, label: &str) -> Result<Vec<Seen>, String> {
        let told = self.hands.told(who, place).await;
        let room = self.hands.room(who, place).await.unwrap_or_default();
        let mut all = room.iter().rev().chain(told.iter().rev());
        let found = all.find_map(|seen| {
            let mut buttons = seen.buttons.iter();
            Some((seen, buttons.find(|button| button.label == label)?))
        });
        let Some((seen, button)) = found else {
            let all = room.iter().chain(&told).flat_map(|seen| &seen.buttons);
            let labels: BTreeSet<&str> = all.map(|button| button.label.as_str()).collect();
            return Err(format!("there are {labels:?}"));
        };
        self.note_pressed(button);
        self.hands.presses(who, place, &seen.id, label).await;
        Ok(self.told_since(who, place, &told).await)
    }

    pub fn note_pressed(&self, button: &Button) {
        self.pressed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(button.clone());
    }

    /// Once everything has happened: what somebody is told now and was not told before.
    pub async fn told_since(&self, who: &str, place: &str, before: &[Seen]) -> Vec<Seen> {
        self.settled().await;
        let mut told = self.hands.told(who, place).await;
        told.retain(|seen| before.iter().all(|known| known.id != seen.id));
        told
    }

    /// Sends the form in front of somebody.
    pub async fn submits(&self, who: &str, form: &Form, values: &[(&str, &str)]) -> Errors {
        let errors = self.hands.submits(who, form, values).await;
        self.settled().await;
        errors
    }

    /// Presses a button that opens a form, and sends the form.
    pub async fn fills(&self, who: &str, label: &str, values: &[(&str, &str)]) {
        self.presses(who, label).await;
        let form = self.hands.form(who).await;
        let errors = self.submits(who, &form, values).await;
        assert_eq!(errors, Errors::new(), "{who}: {label}: {values:?}");
    }

    /// The incident's room as somebody sees it.
    pub async fn room(&self, who: &str) -> Vec<Seen> {
        let place = self.place().await;
        self.hands.room(who, &place).await.unwrap_or_default()
    }

    /// The post-mortem as a document.
    pub async fn document(&self, format: &str) -> String {
        let document = self.app.engine.document(INCIDENT, format, u64::MAX).await;
        String::from_utf8(document.expect("a document").bytes).expect("text")
    }
}

/// Whether something is still to be decided or sent, besides what a platform may hold back.
pub async fn works(app: &App, holds_back: bool) -> bool {
    let store = app.sqlite.as_ref().expect("a file");
    let depths = store.depths().await.expect("a journal that can be read");
    if depths.inbox > 0 || !holds_back {
        return depths.inbox + depths.outbox > 0;
    }
    let effects = store.due_effects(DateTime::<Utc>::MAX_UTC, &[], EFFECTS).await;
    let effects = effects.expect("an outbox that can be read");
    effects.iter().any(|due| !due.effect.key.contains(HELD_BACK))
}

/// The config of a program on these platforms.
pub fn config(
    platforms: &[&dyn Hands],
    people: &[(&str, &str)],
    shop: &str,
    mirror: u16,
    folder: &Path,
) -> Config {
    let mut text =
        "[web]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://orderly.example.org\"\n".to_owned();
    for hands in platforms {
        text.push_str(&format!("\n{}", hands.config(folder)));
    }
    for (id, roles) in people {
        text.push_str(&format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"{id}\"\nroles = {roles}\n"
        ));
        let known = platforms.iter().filter_map(|hands| hands.identity(id));
        let known: Vec<String> = known
            .map(|identity| {
                format!(
                    "{{ platform = \"{}\", workspace = \"{}\", user = \"{}\" }}",
                    identity.platform, identity.workspace, identity.user
                )
            })
            .collect();
        if !known.is_empty() {
            text.push_str(&format!("identities = [{}]\n", known.join(", ")));
        }
    }
    let mirror = format!("http://127.0.0.1:{mirror}");
    for (name, environment, url) in [("shop", "production", shop), ("mirror", "staging", &mirror)] {
        text.push_str(&format!(
            "\n[[target]]\nname = \"{name}\"\nkind = \"demo\"\nenvironment = \"{environment}\"\nurl = \"{url}\"\n\
             action = {{}}\n"
        ));
    }
    Config::parse("orderly.toml", &text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

/// The program at work, with its page.
pub async fn program(config: Config, folder: &Path, clock: &ManualClock) -> (App, Running) {
    let catalog = Catalog::load(&[
        (demo::CATALOG.0.into(), demo::CATALOG.1.to_owned()),
        ("bell.toml".into(), BELL.to_owned()),
    ]);
    let files = Files {
        catalog: catalog.unwrap_or_else(|problems| panic!("{problems:?}")),
        shelf: Shelf::demo(),
        ..Files::read(config).expect("whole files")
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let keeping = Keeping::File(folder.join("orderly.sqlite"));
    let app = App::open(files, &keeping, Arc::clone(&clock))
        .await
        .expect("a program that opens");
    let page = app.serve_page(false, clock).await.expect("a page");
    app.start().await.expect("a program that starts");
    (app, page)
}
