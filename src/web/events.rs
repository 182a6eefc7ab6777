//! The live stream of a page: every change as the HTML that replaces or follows what is shown.
//!
//! Each event carries a mark. A browser that lost the connection sends the last one, and gets what it missed; when that
//! is no longer known it is told to `reload`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream;
use minijinja::context;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Notify, watch};

use super::guard::Visitor;
use super::problem::Result;
use super::view::whisper_view;
use super::{App, Person, render};
use crate::chat::local::{Change, What};

/// Streams of one person. Browsers open six connections to a server at most, so the oldest tab rests and wakes when
/// somebody looks at it; otherwise the seventh tab would not load at all.
const STREAMS_MAX: usize = 4;
/// Shorter than what proxies close idle connections after.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

#[derive(Debug, Deserialize)]
pub(super) struct Since {
    room: String,
    /// Where the page stands.
    after: String,
    /// Names the tab, so that its forms find it.
    #[serde(default)]
    tab: String,
}

pub(super) async fn stream(
    State(app): State<App>,
    visitor: Visitor,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Result<impl IntoResponse> {
    let chat = &app.deps.chat;
    let room = chat.room(&visitor.person.identity, &since.room)?.id.clone();
    let last = headers
        .get("last-event-id")
        .and_then(|mark| mark.to_str().ok())
        .unwrap_or(&since.after);
    let seat = Seat::take(&app, &visitor.person.identity.user);
    let listener = Listener {
        seen: chat.read_mark(last),
        changes: chat.changes(),
        board: app.deps.board.changes(),
        guide: Guided::of(&app),
        stop: app.stop.clone(),
        who: visitor.person,
        room,
        tab: since.tab,
        ready: VecDeque::from([Event::default().comment("listening")]),
        ended: false,
        seat,
        app,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// One open page.
struct Listener {
    app: App,
    who: Arc<Person>,
    room: String,
    tab: String,
    /// The last change that was sent; `None`: unknown, the page must reload.
    seen: Option<u64>,
    changes: watch::Receiver<u64>,
    board: watch::Receiver<u64>,
    guide: Guided,
    stop: watch::Receiver<bool>,
    ready: VecDeque<Event>,
    ended: bool,
    seat: Seat,
}

/// What a page shows of the guide.
struct Guided {
    /// `None`: there is no guide here.
    changes: Option<watch::Receiver<u64>>,
    /// As it was sent last: most of what is written changes nothing of it.
    shown: Option<String>,
}

impl Guided {
    fn of(app: &App) -> Self {
        let mut changes = app.deps.guide.as_ref().map(|guide| guide.changes());
        // Something may have happened between the page and its stream.
        if let Some(changes) = &mut changes {
            changes.mark_changed();
        }
        Self { changes, shown: None }
    }

    /// Waits until the guide may be another one; for ever where there is none, or nobody tells any more.
    async fn changed(&mut self) {
        let told = match &mut self.changes {
            Some(changes) => changes.changed().await.is_ok(),
            None => false,
        };
        if !told {
            std::future::pending().await
        }
    }
}

/// Why a stream goes on.
enum Woken {
    Changed,
    Board,
    Guide,
    Rest,
    Stop,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended || *self.stop.borrow() {
                return None;
            }
            let Some(seen) = self.seen else {
                return Some(self.end("reload"));
            };
            self.changes.mark_unchanged();
            match self.app.deps.chat.changes_since(seen) {
                None => return Some(self.end("reload")),
                Some(changes) if !changes.is_empty() => {
                    for change in changes {
                        self.seen = Some(change.seq);
                        self.show(change).await;
                    }
                    continue;
                }
                Some(_) => {}
            }
            let woken = tokio::select! {
                changed = self.changes.changed() => changed.map_or(Woken::Stop, |()| Woken::Changed),
                // When nobody tells about incidents any more, the program is stopping.
                changed = self.board.changed() => changed.map_or(Woken::Stop, |()| Woken::Board),
                () = self.guide.changed() => Woken::Guide,
                () = async { let _ = self.stop.wait_for(|stop| *stop).await; } => Woken::Stop,
                () = self.seat.asked_to_rest() => Woken::Rest,
            };
            match woken {
                Woken::Changed => {}
                Woken::Board => self.sidebar().await,
                Woken::Guide => self.guide().await,
                Woken::Rest => return Some(self.end("rest")),
                Woken::Stop => return None,
            }
        }
    }

    fn end(&mut self, name: &str) -> Event {
        self.ended = true;
        Event::default().event(name).data("{}")
    }

    fn push(&mut self, name: &str, data: &str, seq: u64) {
        let mark = self.app.deps.chat.mark_of(seq);
        self.ready
            .push_back(Event::default().event(name).id(mark).data(data));
    }

    async fn sidebar(&mut self) {
        let lines = self.app.lines(&self.who).await;
        let html = self.app.sidebar(&self.who, &self.room, &lines);
        self.ready.push_back(Event::default().event("sidebar").data(html));
    }

    async fn guide(&mut self) {
        let Some(html) = self.app.guide(&self.who, &self.room).await else {
            return;
        };
        if self.guide.shown.as_ref() != Some(&html) {
            self.ready.push_back(Event::default().event("guide").data(&html));
            self.guide.shown = Some(html);
        }
    }

    async fn show(&mut self, Change { seq, what }: Change) {
        let app = self.app.clone();
        match what {
            What::Message {
                room,
                id,
                author,
                new,
                ..
            } if *room != *self.room => {
                let user = &self.who.identity.user;
                if new && author.as_deref() != Some(user) && app.deps.chat.shows(user, &room) {
                    self.push(
                        "unread",
                        &json!({ "room": &*room, "message": id }).to_string(),
                        seq,
                    );
                }
            }
            What::Message { id, .. } => match app.deps.chat.message(&self.room, id).await {
                Ok(Some(message)) => {
                    let html = app.fragment(message).await;
                    self.push("message", &html, seq);
                }
                // Reading failed: rather the whole room again than a room with a hole in it.
                Ok(None) | Err(_) => {
                    let end = self.end("reload");
                    self.ready.push_back(end);
                }
            },
            What::Pinned { room } => {
                if *room == *self.room
                    && let Ok(html) = app.pinned(&room).await
                {
                    self.push("pinned", &html, seq);
                }
            }
            What::Rooms => {
                if app.deps.chat.shows(&self.who.identity.user, &self.room) {
                    self.sidebar().await;
                } else {
                    let end = self.end("reload");
                    self.ready.push_back(end);
                }
            }
            What::Whisper { to, room, id } if *to == *self.who.identity.user => {
                let whisper = app.deps.chat.whispered(&to, id);
                match whisper.filter(|_| *room == *self.room) {
                    Some(whisper) => {
                        let view = whisper_view(&whisper);
                        let html = render::template("message.html", context! { m => render::value(view) });
                        self.push("whisper", &html, seq);
                    }
                    None => self.push("unread", &json!({ "room": &*room }).to_string(), seq),
                }
            }
            What::Form { to, asked } if *to == *self.who.identity.user && asked.tab == self.tab => {
                let html = app.form(&asked).await;
                self.push("form", &html, seq);
            }
            What::Whisper { .. } | What::Form { .. } => {}
        }
    }
}

/// The seat of a stream among those of its person; left when the stream ends.
struct Seat {
    app: App,
    user: String,
    rest: Arc<Notify>,
}

impl Seat {
    fn take(app: &App, user: &str) -> Self {
        let rest = Arc::new(Notify::new());
        let mut streams = app.streams.lock().unwrap_or_else(|broken| broken.into_inner());
        let own = streams.entry(user.to_owned()).or_default();
        if own.len() >= STREAMS_MAX
            && let Some(oldest) = own.pop_front()
        {
            oldest.notify_one();
        }
        own.push_back(Arc::clone(&rest));
        Self {
            app: app.clone(),
            user: user.to_owned(),
            rest,
        }
    }

    async fn asked_to_rest(&self) {
        self.rest.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = self
            .app
            .streams
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if let Some(own) = streams.get_mut(&self.user) {
            own.retain(|rest| !Arc::ptr_eq(rest, &self.rest));
            if own.is_empty() {
                streams.remove(&self.user);
            }
        }
    }
}
