//! What both stories need: the program joined as it is served, and people who type.

use std::path::Path;
use std::sync::Arc;

use orderly::app::{App, Files, Keeping};
use orderly::chat::{Delivery, Incoming, Intake, Verdict, local};
use orderly::clock::{Clock, SystemClock};
use orderly::incident::{IncidentId, RoomRef, State};

/// The incident of a story is the first of its journal.
pub const INCIDENT: IncidentId = IncidentId(1);

/// One TLS implementation for the process, as the program's own `main` chooses it.
pub fn tls() {
    // Only the first call counts; a second one is no mistake.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The program on a journal in this folder, at work.
pub async fn opened(files: Files, journal: &Path) -> App {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    App::open(files, &Keeping::File(journal.to_owned()), clock)
        .await
        .expect("a program that opens")
}

/// The incident as it is once nothing is under way any more.
pub async fn settled(app: &App) -> Option<Arc<State>> {
    app.chat.settled().await.expect("a chat that can be read");
    app.engine.quiet().await;
    app.engine
        .state(INCIDENT)
        .await
        .expect("a journal that can be read")
}

/// People who type commands into the incident's room, or into the lobby while there is none.
pub struct Room<'a> {
    app: &'a App,
    typed: std::cell::Cell<u32>,
}

impl<'a> Room<'a> {
    pub fn new(app: &'a App) -> Self {
        Self {
            app,
            typed: std::cell::Cell::new(0),
        }
    }

    fn place(&self) -> RoomRef {
        let listed = self.app.engine.listed(None);
        let rooms = listed.into_iter().flat_map(|listed| listed.rooms.clone());
        rooms.last().unwrap_or_else(|| local::room_ref("lobby"))
    }

    /// Hands the line in as the page does, and waits until all that follows from it has happened.
    pub async fn tried(&self, who: &str, line: &str) -> Verdict {
        let count = self.typed.get() + 1;
        self.typed.set(count);
        let delivery = Delivery {
            key: format!("story-{count}"),
            subject: None,
            received: SystemClock.now(),
            incoming: Incoming::Command {
                from: local::identity(who),
                room: self.place(),
                thread: None,
                text: line.to_owned(),
                trigger: None,
            },
        };
        let taken = self.app.engine.take(delivery).await.expect("room in the inbox");
        let verdict = self
            .app
            .engine
            .decided(taken.expect("a command is always kept"))
            .await;
        self.app.engine.quiet().await;
        verdict
    }

    /// The same, for what must be accepted. Gives the incident as it is then.
    pub async fn says(&self, who: &str, line: &str) -> Arc<State> {
        let verdict = self.tried(who, line).await;
        assert!(
            verdict.accepted,
            "{who}: `{line}` was refused: {}",
            verdict.message.fallback
        );
        settled(self.app).await.expect("an incident")
    }
}
