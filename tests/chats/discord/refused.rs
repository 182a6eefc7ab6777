//! The adapter alone: what Discord refuses a connection for, said with the switch to turn and not asked again and again; what
//! cannot be read; and what is answered while nobody decides.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use orderly::chat::discord::{DiscordChat, Scope, check, register};
use orderly::chat::{Asker, Chat, Check, Delivery, Intake, People, Refused, Verdict};
use orderly::clock::ManualClock;
use orderly::incident::{Identity, PersonId, RoomRef};
use orderly_testbed::discord::{Answer, DiscordServer, MESSAGE_CONTENT, Sent};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::doctor::settings;

/// Sessions of a day.
const SESSIONS: usize = 1000;

/// Everything that is logged, where a test can read it.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("a log")).into_owned()
    }

    async fn says(&self, part: &str) {
        while !self.text().contains(part) {
            tokio::task::yield_now().await;
        }
    }

    fn count(&self, part: &str) -> usize {
        self.text().matches(part).count()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The adapter alone on a server, with nobody who decides anything.
struct Alone {
    discord: DiscordServer,
    chat: Arc<DiscordChat>,
    clock: ManualClock,
}

struct Nobody;

#[async_trait]
impl Intake for Nobody {
    async fn take(&self, _delivery: Delivery) -> Result<Option<u64>, Refused> {
        Ok(Some(1))
    }

    async fn decided(&self, _id: u64) -> Verdict {
        std::future::pending().await
    }

    fn masked(&self, typed: &str) -> String {
        typed.to_owned()
    }

    async fn complete(&self, _from: &Identity, _room: &RoomRef, _typed: &str) -> Vec<(String, String)> {
        std::future::pending().await
    }
}

#[async_trait]
impl People for Nobody {
    fn identities(&self, _person: &PersonId) -> Vec<Identity> {
        Vec::new()
    }

    fn person(&self, _identity: &Identity) -> Option<PersonId> {
        None
    }
}

impl Alone {
    fn on(discord: DiscordServer) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = ManualClock::at(discord.now());
        let chat = DiscordChat::new(settings(&discord), Arc::new(clock.clone())).expect("an adapter");
        chat.connect(Arc::new(Nobody), Arc::new(Nobody));
        chat.listen();
        Self { discord, chat, clock }
    }

    fn asked(&self) -> usize {
        self.discord.calls_of("get_bot_gateway").len()
    }

    /// Time passes, and whoever waited for it has had the time to do something: a call goes to Discord and back.
    async fn advance(&self, by: Duration) {
        self.discord.advance(by);
        self.clock
            .advance(chrono::TimeDelta::from_std(by).expect("a span"));
        let found = self.chat.find_room("#nowhere", &Asker::default()).await;
        found.expect_err("no such channel");
    }

    /// Somebody does something that nobody decides, and so much time passes.
    async fn undecided(&self, does: impl FnOnce() -> Sent, passes: Duration) -> Answer {
        let waiting = self.clock.waiting();
        let sent = does();
        while self.clock.waiting() <= waiting {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            self.discord.read(|state| state.unanswered()),
            1,
            "answered too early"
        );
        self.advance(passes).await;
        sent.outcome().await.expect("an answer in time")
    }

    async fn doctor(&self) -> Vec<String> {
        let found = check(&settings(&self.discord), "incident", Arc::new(self.clock.clone())).await;
        let wrong = found.into_iter().filter_map(|check| match check {
            Check::Wrong { what, mend } => Some(format!("{what} → {mend}")),
            Check::Fine(_) | Check::Note { .. } => None,
        });
        wrong.collect()
    }
}

fn listened() -> (Logged, tracing::subscriber::DefaultGuard) {
    let logged = Logged::default();
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(logged.clone())
        .finish();
    // The test's own thread is the only one the adapter runs on.
    (logged, tracing::subscriber::set_default(log))
}

#[tokio::test]
async fn an_intent_that_is_switched_off_is_told_with_its_switch_and_not_tried_in_a_circle() {
    let (logged, _guard) = listened();
    let discord = DiscordServer::start().await;
    discord.switch_intents(0);
    let alone = Alone::on(discord);
    logged.says("4014").await;
    let said = logged.text();
    for part in ["Message Content Intent is switched off (4014)", "page Bot"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(alone.asked(), 1);
    for _ in 0..4 {
        alone.advance(Duration::from_secs(60)).await;
    }
    assert_eq!(alone.asked(), 1, "asked again within minutes");
    assert_eq!(logged.count("4014"), 1);
    // Somebody turns the switch, and nobody has to start the program again.
    alone.discord.switch_intents(MESSAGE_CONTENT);
    alone.advance(Duration::from_secs(61)).await;
    alone.discord.connected(1).await;
    alone.chat.close();
}

#[tokio::test]
async fn an_intent_that_discord_does_not_know_is_told_and_not_tried_in_a_circle() {
    let (logged, _guard) = listened();
    let discord = DiscordServer::start().await;
    discord.refuse_sessions(Some((4013, "Invalid intent(s).")));
    let alone = Alone::on(discord);
    logged.says("4013").await;
    let said = logged.text();
    assert!(said.contains("(4013). Update Orderly"), "{said}");
    alone.advance(Duration::from_secs(240)).await;
    assert_eq!((alone.asked(), logged.count("4013")), (1, 1));
    alone.chat.close();
}

#[tokio::test]
async fn a_day_without_sessions_is_waited_for_and_said_in_the_log_and_by_the_doctor() {
    let (logged, _guard) = listened();
    let discord = DiscordServer::start().await;
    discord.use_up_sessions(SESSIONS);
    let alone = Alone::on(discord);
    logged.says("no more sessions today").await;
    let said = logged.text();
    assert!(said.contains("2026-03-03"), "{said}");
    let told = alone.doctor().await;
    assert!(
        told.iter()
            .any(|told| told.contains("no more sessions may be begun before 2026-03-03 09:00 UTC")),
        "{told:#?}"
    );
    let asked = alone.asked();
    for _ in 0..23 {
        alone.advance(Duration::from_secs(3600)).await;
    }
    assert_eq!(alone.asked(), asked, "it waits, and does not ask");
    assert_eq!(logged.count("no more sessions today"), 1);
    assert_eq!(alone.discord.read(|state| state.sessions_started()), 0);
    alone.advance(Duration::from_secs(3601)).await;
    alone.discord.connected(1).await;
    alone.chat.close();
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_the_log_and_nothing_of_what_it_holds() {
    let (logged, _guard) = listened();
    let alone = Alone::on(DiscordServer::start().await);
    alone.discord.connected(1).await;
    let guild = alone.discord.guild_id();
    let sends = |name, body| alone.discord.send_event(0, name, body);
    sends("SOMETHING_NEW", json!({ "guild_id": guild, "secret": "tiger" }));
    logged
        .says("an event that this version does not know kind=\"SOMETHING_NEW\"")
        .await;
    sends("MESSAGE_CREATE", json!({ "guild_id": guild, "content": "tiger" }));
    logged.says("an event that this version cannot read").await;
    sends(
        "INTERACTION_CREATE",
        json!({ "type": 2, "data": { "name": "tiger" } }),
    );
    logged.says("an interaction that this version cannot read").await;
    assert!(!logged.text().contains("tiger"), "{}", logged.text());
    alone.chat.close();
}

/// Discord's numbers for "is thinking" and for choices.
const THINKS: u64 = 5;
const OFFERS: u64 = 8;

#[tokio::test]
async fn what_takes_longer_is_announced_in_time_and_completions_do_not_wait() {
    let discord = DiscordServer::start().await;
    let (ana, ops) = (discord.person("ana"), discord.channel("ops"));
    let alone = Alone::on(discord);
    let settings = settings(&alone.discord);
    register(&settings, "incident", Scope::Guild, Arc::new(alone.clock.clone()))
        .await
        .expect("commands that Discord takes");
    alone.discord.connected(1).await;
    let said = alone
        .undecided(
            || ana.types("/incident status", &ops),
            Duration::from_millis(2400),
        )
        .await;
    assert_eq!(
        (said.kind, &said.data["flags"]),
        (THINKS, &json!(64)),
        "only for her"
    );
    let typed = "/incident runbook show runbook:d";
    let offered = alone
        .undecided(|| ana.completes(typed, &ops), Duration::from_millis(1600))
        .await;
    assert_eq!((offered.kind, offered.choices()), (OFFERS, Vec::new()));
    alone.chat.close();
}
