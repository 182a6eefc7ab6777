//! The bot as people meet it: real words, real understanding, the local chat, everything in memory.

mod bad_days;
mod files;
mod odd_hours;
mod people;
mod redacting;
mod review;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;

use super::{App, Files, Keeping};
use crate::chat::{Block, Delivery, Incoming, Intake, Message, Row, Verdict, local};
use crate::clock::{Clock, ManualClock};
use crate::config::Config;
use crate::engine::journal;
use crate::incident::{IncidentId, State};

/// Ana commands, Ben approves, Cleo responds; Dan is on the desk and entitled to nothing.
const PEOPLE: &str = r#"
[[person]]
id = "ana"
name = "Ana Ruiz"
roles = ["commander"]

[[person]]
id = "ben"
name = "Ben Ode"
roles = ["approver"]

[[person]]
id = "cleo"
name = "Cleo Hart"
roles = ["responder"]

[[person]]
id = "dan"
name = "Dan Roe"
"#;

/// The room of the first incident.
const ROOM: &str = "inc-1";

struct Bot {
    app: App,
    clock: ManualClock,
    typed: AtomicU32,
}

impl Bot {
    /// Nothing open yet.
    async fn idle() -> Self {
        Self::with("").await
    }

    /// With more in its config than people.
    async fn with(more: &str) -> Self {
        Self::kept(more, Keeping::Memory).await
    }

    async fn kept(more: &str, keeping: Keeping) -> Self {
        // The program does so first of all; here another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = format!("[room]\nname_template = \"inc-{{{{ number }}}}\"\n{more}\n{PEOPLE}");
        let config = Config::parse("orderly.toml", &text).expect("a config");
        let files = Files::read(config).expect("its files");
        let clock = ManualClock::at("2026-11-16T14:00:00Z".parse().expect("a time"));
        let app = App::open(files, &keeping, Arc::new(clock.clone()))
            .await
            .expect("an app");
        app.start().await.expect("started");
        Self {
            app,
            clock,
            typed: AtomicU32::new(0),
        }
    }

    /// Opened by Ana.
    async fn opened() -> Self {
        let bot = Self::idle().await;
        bot.says("ana", "open Labels do not print").await;
        bot
    }

    /// Of INC-1, once that is open.
    async fn tries(&self, who: &str, line: &str) -> Verdict {
        match self.app.engine.state(IncidentId(1)).await.expect("a journal") {
            Some(_) => self.types(who, &format!("INC-1 {line}")).await,
            None => self.types(who, line).await,
        }
    }

    async fn types(&self, who: &str, line: &str) -> Verdict {
        let delivery = self.delivery(who, line);
        let taken = self.app.engine.take(delivery).await.expect("room in the inbox");
        let verdict = self.app.engine.decided(taken.expect("a command")).await;
        self.quiet().await;
        verdict
    }

    fn delivery(&self, who: &str, line: &str) -> Delivery {
        let number = self.typed.fetch_add(1, Ordering::SeqCst);
        let text = line.to_owned();
        Delivery {
            key: format!("typed-{number}"),
            subject: None,
            received: self.clock.now(),
            incoming: Incoming::Command {
                from: local::identity(who),
                room: local::room_ref(local::LOBBY),
                thread: None,
                text,
                trigger: None,
            },
        }
    }

    /// What must be accepted; the answer comes back.
    async fn says(&self, who: &str, line: &str) -> String {
        let verdict = self.tries(who, line).await;
        let said = &verdict.message.fallback;
        assert!(verdict.accepted, "{who}: `{line}` was refused: {said}");
        plain(&verdict.message)
    }

    /// What must not be; the refusal comes back.
    async fn refused(&self, who: &str, line: &str) -> String {
        let verdict = self.tries(who, line).await;
        assert!(!verdict.accepted, "{who}: `{line}` was not refused");
        verdict.message.fallback
    }

    async fn quiet(&self) {
        self.app.chat.settled().await.expect("a chat that reads");
        self.app.engine.quiet().await;
    }

    async fn later(&self, by: TimeDelta) {
        self.clock.advance(by);
        self.quiet().await;
    }

    async fn state(&self) -> Arc<State> {
        let state = self.app.engine.state(IncidentId(1)).await;
        state.expect("a journal").expect("an incident")
    }

    async fn notes(&self) -> Vec<String> {
        let seen = self.state().await.seq;
        journal::notes(&**self.app.engine.store(), IncidentId(1), seen).await
    }

    /// What the bot said in a room, oldest first, as plain text.
    async fn shows(&self, room: &str) -> Vec<String> {
        let messages = self.app.chat.messages(room, None, 200).await.expect("a room");
        let said = messages.into_iter().filter_map(|message| match message.body {
            local::Body::Bot(message) => Some(plain(&message)),
            _ => None,
        });
        said.collect()
    }

    /// The pinned card as it is now.
    async fn card(&self) -> String {
        let pinned = self.app.chat.pinned(ROOM).await.expect("a room").expect("a card");
        match pinned.body {
            local::Body::Bot(message) => plain(&message),
            other => panic!("a card is the bot's: {other:?}"),
        }
    }

    /// The one thing the bot said that starts like this.
    async fn told(&self, begins: &str) -> String {
        let shown = self.shows(ROOM).await;
        let found: Vec<_> = shown.iter().filter(|text| text.starts_with(begins)).collect();
        assert_eq!(found.len(), 1, "{begins}: {shown:#?}");
        found[0].clone()
    }
}

/// A message as plain text: a line for each part, buttons left out.
fn plain(message: &Message) -> String {
    let row = |row: &Row| format!("{}: {} {}", row.mark, row.title.plain(), row.detail.plain());
    let lines = message.blocks.iter().filter_map(|block| match block {
        Block::Header { text } | Block::Code { text, .. } => Some(text.clone()),
        Block::Text { text } | Block::Context { text } => Some(text.plain()),
        Block::Fields { fields } => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.plain()));
            Some(fields.collect::<Vec<_>>().join("\n"))
        }
        Block::Rows { rows } => Some(rows.iter().map(row).collect::<Vec<_>>().join("\n")),
        Block::Details { title, text } => Some(format!("{title}\n{text}")),
        Block::Buttons { .. } | Block::Divider => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
