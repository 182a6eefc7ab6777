//! The page as browsers and scripts meet it: the real server, over HTTP.

mod guard;
mod hostile;
mod live;
mod room;
mod scripts;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::DateTime;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tokio::sync::watch;

use super::*;
use crate::chat::local::{LOBBY, Place, identity, room_ref};
use crate::chat::{
    Block, Button, Chat as _, Delivery, Field, FieldKind, Form, Incoming, Intake, Message, Refused, Rich,
    RoomSpec, Row, Style, Tone, Trigger, Verdict,
};
use crate::clock::ManualClock;
use crate::incident::Audience;

/// An inbox that keeps what it is given. A text with `nonsense` in it is refused; `form` opens a form.
struct Inbox {
    chat: Arc<LocalChat>,
    taken: Mutex<Vec<Delivery>>,
    full: AtomicBool,
}

#[async_trait]
impl Intake for Inbox {
    async fn take(&self, delivery: Delivery) -> Result<Option<u64>, Refused> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Refused::Full);
        }
        if let Incoming::Command {
            from,
            room,
            thread: None,
            text,
            trigger: Some(trigger),
        } = &delivery.incoming
            && text == "form"
        {
            self.chat
                .ask(trigger, room, from, &every_field("Open an incident"))
                .await
                .unwrap();
        }
        let mut taken = self.taken.lock().unwrap();
        taken.push(delivery);
        Ok(Some(taken.len() as u64))
    }

    async fn decided(&self, id: u64) -> Verdict {
        let delivery = self.taken.lock().unwrap()[id as usize - 1].clone();
        let told = serde_json::to_string(&delivery.incoming).unwrap();
        if told.contains("full disk") {
            return Verdict {
                accepted: false,
                message: said("Not confirmed yet: no space left. What you sent is stored"),
                field: None,
                incident: None,
            };
        }
        let accepted = !told.contains("nonsense");
        Verdict {
            accepted,
            message: said(if accepted {
                "done"
            } else {
                "Odoo is broken: what exactly, and what still works?"
            }),
            field: (!accepted).then(|| "what".into()),
            incident: accepted.then_some(7),
        }
    }

    fn masked(&self, typed: &str) -> String {
        typed.to_owned()
    }

    async fn complete(&self, _: &Identity, _: &RoomRef, typed: &str) -> Vec<(String, String)> {
        let all = [
            ("probe run", "Ask a system"),
            ("probe list", "What can be asked"),
            ("status", "Where we stand"),
        ];
        let fits = all.iter().filter(|(text, _)| text.starts_with(typed));
        fits.map(|(text, about)| ((*text).to_owned(), (*about).to_owned()))
            .collect()
    }
}

/// People by their user id, which is their token as well with `-token` behind it.
struct Known(Mutex<Vec<Arc<Person>>>);

#[async_trait]
impl People for Known {
    async fn by_token(&self, token: &str) -> Option<Arc<Person>> {
        self.by_user(token.strip_suffix("-token")?).await
    }

    async fn by_id(&self, id: &PersonId) -> Option<Arc<Person>> {
        self.by_user(&id.0).await
    }

    async fn by_user(&self, user: &str) -> Option<Arc<Person>> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .find(|person| person.identity.user == user)
            .cloned()
    }

    async fn all(&self) -> Vec<Arc<Person>> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Default)]
struct Wall {
    open: Mutex<Vec<OpenIncident>>,
    away: Mutex<Vec<OutOfReach>>,
    changed: watch::Sender<u64>,
}

#[async_trait]
impl Board for Wall {
    async fn open(&self, _: &Person) -> Vec<OpenIncident> {
        self.open.lock().unwrap().clone()
    }

    fn out_of_reach(&self) -> Vec<OutOfReach> {
        self.away.lock().unwrap().clone()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// A guide with a step behind and one to do, as far as it was led.
#[derive(Default)]
struct Leading {
    next: Mutex<Option<GuideStep>>,
    moved: watch::Sender<u64>,
}

impl Leading {
    /// Asks for something else.
    fn ask(&self, step: GuideStep) {
        *self.next.lock().unwrap() = Some(step);
        self.moved.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Guide for Leading {
    async fn steps(&self, _: &RoomRef) -> Vec<GuideStep> {
        let behind = step(Turn::Done, "Open the incident", None);
        let next = self.next.lock().unwrap().clone();
        std::iter::once(behind).chain(next).collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }
}

fn step(turn: Turn, title: &str, command: Option<&str>) -> GuideStep {
    GuideStep {
        part: "confirm".into(),
        title: title.into(),
        text: format!("Why: {title}"),
        turn,
        command: command.map(str::to_owned),
        person: Some(PersonId::new("ben")),
        room: None,
    }
}

/// One post-mortem and one output, both for ana alone.
struct Shelf;

#[async_trait]
impl Documents for Shelf {
    async fn postmortem(&self, incident: u64, format: Format, who: &Person) -> Option<(Vec<u8>, String)> {
        let (bytes, kind) = match format {
            Format::Markdown => ("# INC-7", "text/markdown; charset=utf-8"),
            Format::Html => ("<style>h1{}</style><h1>INC-7</h1>", "text/html; charset=utf-8"),
            Format::Json => ("{}", "application/json"),
        };
        (incident == 7 && who.id.0 == "ana").then(|| (bytes.into(), kind.into()))
    }

    async fn output(&self, _: &str, who: &Person) -> Option<Vec<u8>> {
        (who.id.0 == "ana").then(|| b"<b>rows</b>".to_vec())
    }

    async fn file(&self, incident: u64, _: &str, who: &Person) -> Option<(String, Vec<u8>)> {
        let file = ("labels\".csv\r\n".to_owned(), b"<b>1;2</b>".to_vec());
        (incident == 7 && who.id.0 == "ana").then_some(file)
    }
}

struct Site {
    running: Running,
    chat: Arc<LocalChat>,
    inbox: Arc<Inbox>,
    people: Arc<Known>,
    wall: Arc<Wall>,
    guide: Arc<Leading>,
    ready: Arc<AtomicBool>,
}

fn settings() -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        behind_tls: false,
        public_url: None,
        demo: false,
        menu: vec![MenuItem {
            id: "timeline".into(),
            label: "Add to the timeline".into(),
            press: Press::Run {
                line: "timeline add".into(),
            },
        }],
    }
}

async fn site_at(place: Place, settings: Settings) -> Site {
    // The first test of the process installs it; for the others it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(
        DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
    ));
    let chat = LocalChat::open(place, "incident", Arc::clone(&clock))
        .await
        .unwrap();
    let inbox = Arc::new(Inbox {
        chat: Arc::clone(&chat),
        taken: Mutex::default(),
        full: AtomicBool::new(false),
    });
    chat.connect(inbox.clone());
    let person = |user: &str, name: &str| {
        Arc::new(Person {
            id: PersonId::new(user),
            name: name.into(),
            identity: identity(user),
        })
    };
    let people = Arc::new(Known(Mutex::new(vec![
        person("ana", "Ana Ruiz"),
        person("ben", "Ben Okafor"),
    ])));
    let (wall, ready) = (Arc::new(Wall::default()), Arc::new(AtomicBool::new(true)));
    let guide = Arc::new(Leading::default());
    let is_ready = Arc::clone(&ready);
    let deps = Deps {
        chat: Arc::clone(&chat),
        people: people.clone(),
        board: wall.clone(),
        documents: Arc::new(Shelf),
        guide: settings.demo.then(|| guide.clone() as Arc<dyn Guide>),
        clock,
        ready: Arc::new(move || {
            let ready = is_ready.load(Ordering::SeqCst).then_some(());
            Box::pin(async move { ready.ok_or("the store is busy".into()) })
        }),
        metrics: Arc::new(|| Box::pin(async { "orderly_open_incidents 1\n".into() })),
        platforms: axum::Router::new(),
    };
    let running = serve(settings, deps).await.unwrap();
    Site {
        running,
        chat,
        inbox,
        people,
        wall,
        guide,
        ready,
    }
}

async fn site() -> Site {
    site_at(Place::Memory, settings()).await
}

/// Somebody's browser: keeps the cookie, and knows the token in the page.
struct Browser {
    http: reqwest::Client,
    base: String,
    cookie: String,
    token: String,
}

impl Site {
    fn http(&self) -> reqwest::Client {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr())
    }

    /// A script, with its person's token.
    fn script(&self, user: &str, method: Method, path: &str) -> RequestBuilder {
        self.http()
            .request(method, self.url(path))
            .bearer_auth(format!("{user}-token"))
    }

    async fn browser(&self, user: &str) -> Browser {
        let http = self.http();
        let answer = http
            .get(self.url(&format!("/sign-in?token={user}-token")))
            .send()
            .await
            .unwrap();
        let cookie = cookie_of(&answer);
        let mut browser = Browser {
            http,
            base: self.url(""),
            cookie,
            token: String::new(),
        };
        let page = browser.page("/").await;
        browser.token = between(&page, "name=\"orderly-token\" content=\"", "\"").to_owned();
        browser
    }

    async fn room(&self, name: &str, private: bool) -> RoomRef {
        let spec = RoomSpec {
            name: name.into(),
            topic: "a topic".into(),
            private,
            audience: Audience::Internal,
            invite: vec![identity("ana")],
        };
        self.chat.open_room(name, &spec).await.unwrap()
    }

    fn taken(&self) -> Vec<Incoming> {
        self.inbox
            .taken
            .lock()
            .unwrap()
            .iter()
            .map(|delivery| delivery.incoming.clone())
            .collect()
    }
}

impl Browser {
    /// What the page's own script would send.
    fn send(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path)
            .header("x-orderly-token", &self.token)
            .header("sec-fetch-site", "same-origin")
    }

    /// With the cookie and nothing else.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn listen(&self, query: &str) -> Stream {
        let answer = self
            .bare(Method::GET, &format!("/events?{query}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        Stream {
            answer,
            seen: String::new(),
        }
    }
}

/// A live stream as a browser reads it.
struct Stream {
    answer: Response,
    seen: String,
}

#[derive(Debug)]
struct Told {
    name: String,
    id: String,
    data: String,
}

impl Stream {
    /// The next event; `None`: the stream ended.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.seen.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.seen = rest;
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|line| line.strip_prefix(name));
                    lines
                        .map(|line| line.trim_start_matches(' '))
                        .collect::<Vec<_>>()
                        .join("\n")
                };
                let told = Told {
                    name: field("event:"),
                    id: field("id:"),
                    data: field("data:"),
                };
                if !told.name.is_empty() {
                    return Some(told);
                }
            } else {
                let chunk = self.answer.chunk().await.ok()??;
                self.seen.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }
}

fn cookie_of(answer: &Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

async fn error_of(answer: Response) -> String {
    let json: serde_json::Value = answer.json().await.unwrap();
    json["error"]
        .as_str()
        .unwrap_or_else(|| panic!("no words in {json}"))
        .to_owned()
}

fn said(text: &str) -> Message {
    Message {
        fallback: text.into(),
        blocks: vec![Block::Text {
            text: Rich::from(text),
        }],
    }
}

/// A message with every kind of block, the text in every place that takes one.
fn every_block(text: &str) -> Message {
    let rich = || {
        Rich::from(text)
            .bold(text)
            .code(text)
            .link(text, text)
            .person(&PersonId::new(text), text)
    };
    let tones = [Tone::Good, Tone::Warn, Tone::Bad, Tone::Quiet, Tone::Busy];
    let row = |tone| Row {
        tone,
        mark: text.into(),
        title: rich(),
        detail: rich(),
    };
    let run = Press::Run { line: text.into() };
    let ask = Press::Ask {
        path: text.into(),
        fixed: [(text.to_owned(), text.to_owned())].into(),
    };
    let button = |style, press: &Press| Button {
        label: text.into(),
        style,
        press: press.clone(),
    };
    Message {
        fallback: text.into(),
        blocks: vec![
            Block::Header { text: text.into() },
            Block::Text {
                text: rich().time(DateTime::UNIX_EPOCH),
            },
            Block::Fields {
                fields: vec![(text.into(), rich())],
            },
            Block::Rows {
                rows: tones.map(row).into(),
            },
            Block::Code {
                text: format!("+{text}\n-{text}\n {text}"),
                diff: true,
            },
            Block::Code {
                text: text.into(),
                diff: false,
            },
            Block::Details {
                title: text.into(),
                text: text.into(),
            },
            Block::Buttons {
                buttons: vec![button(Style::Primary, &run), button(Style::Danger, &ask)],
            },
            Block::Divider,
            Block::Context { text: rich() },
        ],
    }
}

/// A form with every kind of field, the text in every place that takes one.
fn every_field(text: &str) -> Form {
    let options = || {
        vec![
            (text.to_owned(), text.to_owned()),
            ("b".to_owned(), "B".to_owned()),
        ]
    };
    let kinds = [
        FieldKind::Line,
        FieldKind::Area,
        FieldKind::Number,
        FieldKind::Select { options: options() },
        FieldKind::Several { options: options() },
        FieldKind::DateTime,
        FieldKind::Day,
        FieldKind::Person,
        FieldKind::Tick,
    ];
    let field = |(index, kind): (usize, FieldKind)| Field {
        name: format!("what{index}"),
        label: text.into(),
        hint: Some(text.into()),
        kind,
        value: Some(text.into()),
        required: index % 2 == 0,
    };
    Form {
        path: text.into(),
        fixed: [(text.to_owned(), text.to_owned())].into(),
        title: text.into(),
        intro: Some(Rich::from(text)),
        fields: kinds.into_iter().enumerate().map(field).collect(),
        submit: text.into(),
    }
}
