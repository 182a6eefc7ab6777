//! The local page: a war room in the browser, an API for scripts, and what a monitoring system asks for.
//!
//! * `guard` knows who is asking, from where, and refuses what another site's page could have sent.
//! * `pages` and `events` are the room: rendered on the server, then kept alive by server-sent events. Both use the
//!   same templates through `render` and `view`, so there is one way a message becomes HTML.
//! * `api` is what the page's script and other scripts post to.
//! * `documents` hands out files, post-mortems and probe outputs.
//! * `guide` shows what the demo asks for next.
//!
//! Deliberately absent: anything that calls the engine. People's acts go to [`LocalChat`], and from there to the inbox.

mod api;
mod documents;
mod events;
mod guard;
mod guide;
mod pages;
mod problem;
mod render;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use axum::serve::ListenerExt as _;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::chat::Press;
use crate::chat::local::{FILE_MAX, LocalChat};
use crate::clock::Clock;
use crate::incident::{Identity, PersonId, Phase, RoomRef, Severity};

/// Body of a request other than a file: a text of the longest kind, every character escaped in JSON.
const BODY_MAX: usize = 256 * 1024;
/// How long requests may take to finish when the program stops. Streams end at once.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Where and how the page is served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Loopback, unless TLS is in front.
    pub listen: SocketAddr,
    /// A proxy with TLS stands in front: allows an open address, and marks cookies as secure.
    pub behind_tls: bool,
    /// The address people use (`https://orderly.example.org`); its host is accepted besides loopback.
    pub public_url: Option<String>,
    /// Labels the page as a demo, allows switching between people, shows the guide.
    pub demo: bool,
    /// What can be done with any message, in its menu.
    pub menu: Vec<MenuItem>,
}

/// An entry of the menu of a message: a command that gets the message's reference.
#[derive(Debug, Clone, Serialize)]
pub struct MenuItem {
    /// One word, stable (`timeline`, `task`, `followup`).
    pub id: String,
    pub label: String,
    pub press: Press,
}

/// One step of the guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuideStep {
    /// The part of the way it belongs to; steps of one part stand together.
    pub part: String,
    pub title: String,
    pub text: String,
    pub turn: Turn,
    /// What to type; a click puts it in the message box.
    pub command: Option<String>,
    /// Who should do it, where that matters.
    pub person: Option<PersonId>,
    /// The room to go to first.
    pub room: Option<RoomRef>,
}

/// Where a step of the guide stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    Done,
    Now,
    Later,
}

/// The guide of the demo: what to do next, as things stand.
#[async_trait]
pub trait Guide: Send + Sync {
    /// All steps, for somebody who looks at this room.
    async fn steps(&self, room: &RoomRef) -> Vec<GuideStep>;
    /// Wakes when they may be others.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// Shown to others. Never used to decide anything.
    pub name: String,
    /// On this platform ([`crate::chat::local::identity`]).
    pub identity: Identity,
}

/// The people who may come in. Asked on every request, so it answers from memory; somebody who was removed is out
/// with their next request.
#[async_trait]
pub trait People: Send + Sync {
    async fn by_token(&self, token: &str) -> Option<Arc<Person>>;
    async fn by_id(&self, id: &PersonId) -> Option<Arc<Person>>;
    /// By user id of this platform.
    async fn by_user(&self, user: &str) -> Option<Arc<Person>>;
    /// Everybody, by name.
    async fn all(&self) -> Vec<Arc<Person>>;
}

/// An open incident, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    pub number: u64,
    pub title: String,
    pub severity: Severity,
    pub phase: Phase,
    pub private: bool,
    pub drill: bool,
    /// Its room on this platform.
    pub room: Option<RoomRef>,
}

/// Another platform that nothing reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfReach {
    pub platform: String,
    pub since: DateTime<Utc>,
    /// And what to do about it, where that is known.
    pub why: String,
}

/// The open incidents, and what is in their way.
#[async_trait]
pub trait Board: Send + Sync {
    /// Those this person may know of, worst first.
    async fn open(&self, who: &Person) -> Vec<OpenIncident>;
    /// Platforms whose rooms have heard nothing for a while.
    fn out_of_reach(&self) -> Vec<OutOfReach> {
        Vec::new()
    }
    /// Wakes when any of them looks different.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// The form of a post-mortem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Markdown,
    Html,
    Json,
}

/// Documents people may fetch. All answer `None` also for what this person may not see.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Bytes and media type.
    async fn postmortem(&self, incident: u64, format: Format, who: &Person) -> Option<(Vec<u8>, String)>;
    /// The full output of a probe, by its SHA-256 in hex.
    async fn output(&self, sha256: &str, who: &Person) -> Option<Vec<u8>>;
    /// A file kept as evidence of an incident, with its name.
    async fn file(&self, incident: u64, sha256: &str, who: &Person) -> Option<(String, Vec<u8>)>;
}

/// Whether the program can do its work; the words say what is missing.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;
/// The metrics as Prometheus reads them.
pub type Metrics = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What the page is joined to.
#[derive(Clone)]
pub struct Deps {
    pub chat: Arc<LocalChat>,
    pub people: Arc<dyn People>,
    pub board: Arc<dyn Board>,
    pub documents: Arc<dyn Documents>,
    /// Shown in the demo.
    pub guide: Option<Arc<dyn Guide>>,
    pub clock: Arc<dyn Clock>,
    pub ready: Ready,
    pub metrics: Metrics,
    /// Addresses that platforms call. They answer for themselves: each request there is signed.
    pub platforms: Router,
}

/// Why the page is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "{0} can be reached from other machines, and the page has no TLS of its own. Listen on 127.0.0.1, or put a \
         proxy with TLS in front and say so with `behind_tls = true` and `public_url = \"https://…\"`"
    )]
    Open(SocketAddr),
    #[error(
        "`public_url` is not an address the page can be reached at: {0}. Write it like https://orderly.example.org"
    )]
    PublicUrl(String),
    #[error("cannot listen on {addr}: {why}. Is another Orderly running? Choose another port in the config")]
    Listen { addr: SocketAddr, why: String },
    #[error("the sign-ins cannot be read from the chat file: {0}")]
    Sessions(String),
}

/// Everything a handler needs.
struct Inner {
    settings: Settings,
    deps: Deps,
    sessions: RwLock<HashMap<[u8; 32], guard::Session>>,
    hosts: guard::Hosts,
    fragments: Mutex<view::Fragments>,
    streams: Mutex<HashMap<String, VecDeque<Arc<Notify>>>>,
    stop: watch::Receiver<bool>,
}

#[derive(Clone)]
struct App(Arc<Inner>);

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The page, being served.
pub struct Running {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// Where it listens; with port 0 in the settings, the port that was found.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no new requests, ends the streams, and lets the others finish.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_GRACE, &mut self.task).await.is_err() {
            tracing::warn!("requests to the page took too long to finish and were cut off");
            self.task.abort();
        }
    }
}

/// Serves the page until [`Running::shutdown`].
pub async fn serve(settings: Settings, deps: Deps) -> Result<Running, Error> {
    let listen = settings.listen;
    if !listen.ip().is_loopback() && !settings.behind_tls {
        return Err(Error::Open(listen));
    }
    let hosts = guard::Hosts::new(settings.public_url.as_deref())?;
    let sessions = deps
        .chat
        .sessions()
        .await
        .map_err(|error| Error::Sessions(error.to_string()))?;
    let platforms = deps.platforms.clone();
    let failed = |why: std::io::Error| Error::Listen {
        addr: listen,
        why: why.to_string(),
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let listener = listener.tap_io(|tcp| {
        // Small answers must not wait for each other; without it everything works, slower.
        let _ = tcp.set_nodelay(true);
    });
    let (stop, stopped) = watch::channel(false);
    let app = App(Arc::new(Inner {
        settings,
        deps,
        sessions: RwLock::new(guard::remembered(sessions)),
        hosts,
        fragments: Mutex::default(),
        streams: Mutex::default(),
        stop: stopped.clone(),
    }));
    let router = router(app).merge(platforms);
    let task = tokio::spawn(async move {
        let mut stopped = stopped;
        let until = async move {
            // A dropped sender means the program is going away, too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
            tracing::error!(%error, "the page stopped being served");
        }
    });
    Ok(Running { addr, stop, task })
}

fn router(app: App) -> Router {
    let rooms = Router::new()
        .route("/commands", post(api::command))
        .route("/messages", get(api::list).post(api::say))
        .route(
            "/messages/{message}",
            get(api::message).patch(api::edit).delete(api::delete),
        )
        .route(
            "/messages/{message}/reactions/{emoji}",
            put(api::react).delete(api::unreact),
        )
        .route("/messages/{message}/presses", post(api::press))
        .route("/forms", post(api::submit))
        .route("/files", post(api::attach).layer(DefaultBodyLimit::max(FILE_MAX)));
    Router::new()
        .nest("/api/rooms/{room}", rooms)
        .route("/api/rooms", get(api::rooms))
        .route("/api/forms", get(api::forms))
        .route("/api/complete", get(api::complete))
        .route("/api/whispers/{id}", axum::routing::delete(api::dismiss))
        .route("/", get(pages::home))
        .route("/rooms/{room}", get(pages::room))
        .route("/rooms/{room}/older", get(pages::older))
        .route("/rooms/{room}/threads/{message}", get(pages::thread))
        .route("/rooms/{room}/say", post(pages::say))
        .route("/events", get(events::stream))
        .route("/sign-in", get(pages::sign_in))
        .route("/sign-out", post(pages::sign_out))
        .route("/demo/switch", post(pages::switch))
        .route("/files/{file}", get(documents::file))
        .route("/incidents/{number}/{document}", get(documents::postmortem))
        .route("/outputs/{sha256}", get(documents::output))
        .route("/incidents/{number}/files/{sha256}", get(documents::evidence))
        .route("/assets/{build}/{name}", get(documents::asset))
        .route("/metrics", get(documents::metrics))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .fallback(pages::nothing_here)
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::gate))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(documents::ready))
        .with_state(app)
}
