//! The local page in people's hands: signed in as in a browser, every act posted as the page's script posts it, every
//! look at what the server rendered, forms out of the live stream.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use orderly::app::{self, App};
use orderly::chat::local::{Fault, LOBBY, LocalChat};
use orderly::desk;
use orderly::incident::{By, Identity, PersonId};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::html::Element;
use super::look::{form_of, seen_of};
use super::tab::{Address, GUARD, Shown, Tab};
use crate::one::hands::{Asks, Errors, Form, Hands, Mark, Need, Platform, Seen, Trouble, Way};

/// How long the chat asks the bot to wait, where it does.
const PAUSE: Duration = Duration::from_secs(2);

/// Somebody's browser.
struct Browser {
    cookie: String,
    /// What only our own pages know.
    token: String,
    tabs: BTreeMap<String, Tab>,
    /// Forms in front of them, of whichever tab.
    forms: Shown,
}

/// Where the program is, as long as it runs.
#[derive(Clone)]
struct Server {
    base: String,
    chat: Arc<LocalChat>,
}

pub struct Page {
    http: reqwest::Client,
    server: Mutex<Option<Server>>,
    browsers: Mutex<BTreeMap<String, Browser>>,
    people: Vec<String>,
    twice: AtomicBool,
    keys: AtomicU64,
}

impl Page {
    pub fn new(people: &[&str]) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Self {
            http: http.build().expect("a client"),
            server: Mutex::default(),
            browsers: Mutex::default(),
            people: people.iter().map(|name| (*name).to_owned()).collect(),
            twice: AtomicBool::new(false),
            keys: AtomicU64::new(0),
        }
    }

    fn server(&self) -> Server {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.clone().expect("a program that runs")
    }

    /// Nobody who is not in the config has a browser here.
    fn browser<R>(&self, who: &str, with: impl FnOnce(&mut Browser) -> R) -> Option<R> {
        let mut browsers = self.browsers.lock().unwrap_or_else(PoisonError::into_inner);
        browsers.get_mut(who).map(with)
    }

    async fn sign_in(&self, app: &App, who: &str) {
        let (token, sha256) = app::token().expect("random numbers");
        let request = desk::Request::IssueToken {
            person: PersonId::new(who),
            sha256,
        };
        app.engine
            .on_desk(&By::Orderly, &request)
            .await
            .expect("a token for somebody of the config");
        let url = format!("{}/sign-in?token={token}", self.server().base);
        let answer = self.http.get(url).send().await.expect("an answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let browser = Browser {
            cookie,
            token: String::new(),
            tabs: BTreeMap::new(),
            forms: Shown::default(),
        };
        self.browsers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(who.to_owned(), browser);
        let page = self.page(who, "/").await.expect("the first page");
        let meta = page.all(&|element| element.attribute("name") == Some("orderly-token"));
        let token = meta[0].attribute("content").expect("a token").to_owned();
        self.browser(who, |browser| browser.token = token);
    }

    /// A page as this person's browser gets it; `None` where there is none for them.
    async fn page(&self, who: &str, path: &str) -> Option<Element> {
        let cookie = self.browser(who, |browser| browser.cookie.clone())?;
        let url = format!("{}{path}", self.server().base);
        let answer = self.http.get(url).header("cookie", cookie).send().await;
        let answer = answer.expect("an answer");
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        Some(Element::read(&answer.text().await.expect("a page")))
    }

    /// What the page's script does.
    async fn call(&self, who: &str, method: Method, room: &str, path: &str, body: Option<Value>) -> Answer {
        let tab = self.tab(who, room).await;
        let (cookie, token) = self
            .browser(who, |browser| (browser.cookie.clone(), browser.token.clone()))
            .unwrap_or_else(|| panic!("{who} is not signed in"));
        let url = format!("{}/api/rooms/{}{path}", self.server().base, encoded(room));
        let again =
            self.twice.load(Ordering::SeqCst) && body.as_ref().is_some_and(|body| body["key"].is_string());
        let mut answers = Vec::new();
        for _ in 0..=usize::from(again) {
            let mut request = self
                .http
                .request(method.clone(), &url)
                .header("cookie", &cookie)
                .header("x-orderly-token", &token)
                .header("x-orderly-tab", &tab);
            if let Some(body) = &body {
                request = request.json(body);
            }
            answers.push(Answer::of(request.send().await.expect("an answer")).await);
        }
        answers.swap_remove(0)
    }

    /// The same, for what must be taken.
    async fn done(&self, who: &str, method: Method, room: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.call(who, method, room, path, body).await;
        assert!(
            answer.status.is_success(),
            "{who}: {path}: {} {}",
            answer.status,
            answer.body
        );
        answer.body
    }

    /// The tab in which somebody looks at this room; opened where there is none.
    async fn tab(&self, who: &str, room: &str) -> String {
        let open = self.browser(who, |browser| {
            let tab = browser.tabs.get(room).filter(|tab| tab.is_open());
            tab.map(|tab| tab.name.clone())
        });
        if let Some(Some(name)) = open {
            return name;
        }
        let page = self
            .page(who, &format!("/rooms/{}", encoded(room)))
            .await
            .unwrap_or_else(|| panic!("{who} has no room {room}"));
        let body = page.all(&|element| element.tag == "body");
        let mark = body[0].attribute("data-mark").expect("where the page stands");
        let name = format!("tab{}", self.keys.fetch_add(1, Ordering::SeqCst));
        let (cookie, forms) = self
            .browser(who, |browser| (browser.cookie.clone(), browser.forms.clone()))
            .expect("a browser");
        let url = format!(
            "{}/events?room={}&tab={name}&after={}",
            self.server().base,
            encoded(room),
            encoded(mark)
        );
        let at = Address {
            http: self.http.clone(),
            url,
            cookie,
        };
        let tab = Tab::open(name.clone(), at, forms);
        self.browser(who, |browser| browser.tabs.insert(room.to_owned(), tab));
        name
    }

    fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::SeqCst))
    }

    /// Every article of a room, with its threads, as the script loads them.
    async fn articles(&self, who: &str, room: &str) -> Option<Vec<Article>> {
        let at = format!("/rooms/{}", encoded(room));
        let is_article = |element: &Element| element.tag == "article";
        let page = self.page(who, &at).await?;
        let log = page.all(&|element| element.attribute("id") == Some("messages"));
        let mut articles: Vec<Article> = log[0].all(&is_article).into_iter().map(seen_of).collect();
        let older = |articles: &[Article]| {
            let mut numbered = articles.iter();
            numbered.find_map(|article| article.seen.id.parse::<i64>().ok())
        };
        while let Some(first) = older(&articles) {
            let more = self.page(who, &format!("{at}/older?before={first}")).await?;
            let more: Vec<Article> = more.all(&is_article).into_iter().map(seen_of).collect();
            if more.is_empty() {
                break;
            }
            articles.splice(0..0, more);
        }
        let mut whole = Vec::new();
        for article in articles {
            let (id, replies) = (article.seen.id.clone(), article.replies);
            whole.push(article);
            if replies {
                let thread = self.page(who, &format!("{at}/threads/{id}")).await?;
                let answers = thread.all(&is_article).into_iter().map(seen_of);
                whole.extend(answers.filter(|article| article.seen.id != id));
            }
        }
        Some(whole)
    }

    async fn act(&self, who: &str, method: Method, room: &str, message: &str, path: &str) {
        let path = format!("/messages/{message}{path}");
        self.done(who, method, room, &path, None).await;
    }
}

/// One message on the page, and what of it is no part of its looks.
pub struct Article {
    pub seen: Seen,
    pub whisper: bool,
    pub replies: bool,
    /// What each button is called by the server.
    pub marks: Vec<(String, String)>,
    /// Where its files lie.
    pub files: Vec<(String, String)>,
}

struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    async fn of(answer: reqwest::Response) -> Self {
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        Self {
            status,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }
}

fn encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let one = |byte: u8| match kept(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn emoji(mark: Mark) -> &'static str {
    match mark {
        Mark::Timeline => "📌",
        Mark::Task => "✅",
        Mark::Followup => "🔁",
    }
}

#[async_trait]
impl Hands for Page {
    fn platform(&self) -> Platform {
        Platform::Local
    }

    fn config(&self, _: &Path) -> String {
        String::new()
    }

    fn identity(&self, _: &str) -> Option<Identity> {
        None
    }

    async fn reach(&self, app: &App, page: SocketAddr) {
        let server = Server {
            base: format!("http://{page}"),
            chat: Arc::clone(&app.chat),
        };
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        for who in &self.people {
            // Who is signed in stays so, also when the program was started again.
            let known = self.browser(who, |browser| browser.tabs.clear());
            if known.is_none() {
                self.sign_in(app, who).await;
            }
        }
    }

    fn advance(&self, _: Duration) {}

    async fn delivered(&self) {
        let settled = self.server().chat.settled().await;
        settled.expect("a chat that can be read");
    }

    fn assert_clean(&self) {}

    fn ops(&self) -> String {
        LOBBY.to_owned()
    }

    fn lobby(&self) -> String {
        LOBBY.to_owned()
    }

    async fn rooms(&self, who: &str) -> Vec<String> {
        let Some(page) = self.page(who, "/").await else {
            return Vec::new();
        };
        let sidebar = page.all(&|element| element.attribute("id") == Some("sidebar"));
        let mut found: Vec<String> = sidebar[0]
            .all(&|element| element.has_class("room"))
            .into_iter()
            .map(Element::text)
            .collect();
        // Earlier rooms fold away; a script sees them all, with their topics.
        let url = format!("{}/api/rooms", self.server().base);
        let cookie = self.browser(who, |browser| browser.cookie.clone());
        let answer = self.http.get(url).header("cookie", cookie.unwrap_or_default());
        let body: Value = answer.send().await.expect("rooms").json().await.expect("JSON");
        let rooms = body["rooms"].as_array().expect("a list").iter();
        found.extend(rooms.map(|room| format!("{} {}", room["id"], room["topic"])));
        found
    }

    async fn enters(&self, who: &str, room: &str) {
        self.tab(who, room).await;
    }

    async fn types(&self, who: &str, room: &str, line: &str) {
        let text = format!("/incident {line}");
        let body = json!({ "text": text.trim_end(), "key": self.key() });
        self.done(who, Method::POST, room, "/messages", Some(body)).await;
    }

    async fn types_in_thread(&self, who: &str, room: &str, message: &str, line: &str) {
        let thread: i64 = message.parse().expect("a message's number");
        let body = json!({ "text": format!("/incident {line}"), "key": self.key(), "thread": thread });
        self.done(who, Method::POST, room, "/messages", Some(body)).await;
    }

    async fn presses(&self, who: &str, room: &str, message: &str, label: &str) {
        let articles = self.articles(who, room).await.unwrap_or_default();
        let article = articles.iter().find(|article| article.seen.id == message);
        let marks = article
            .map(|article| article.marks.as_slice())
            .unwrap_or_default();
        let (_, mark) = marks
            .iter()
            .find(|(known, _)| known == label)
            .unwrap_or_else(|| panic!("{message} has no button “{label}”: {marks:?}"));
        let path = format!("/messages/{message}/presses");
        let body = json!({ "button": mark });
        self.done(who, Method::POST, room, &path, Some(body)).await;
    }

    async fn form(&self, who: &str) -> Form {
        let shown = self
            .browser(who, |browser| browser.forms.clone())
            .unwrap_or_else(|| panic!("{who} is not signed in"));
        let html = tokio::time::timeout(GUARD, shown.next());
        form_of(&html.await.unwrap_or_else(|_| panic!("no form came for {who}")))
    }

    async fn submits(&self, who: &str, form: &Form, values: &[(&str, &str)]) -> Errors {
        let mut filled = serde_json::Map::new();
        for field in &form.fields {
            let given = values.iter().find(|(name, _)| *name == field.name);
            let value = given
                .map(|(_, value)| (*value).to_owned())
                .or(field.value.clone());
            let Some(value) = value else { continue };
            if let Asks::One(options) = &field.asks {
                assert!(options.contains(&value), "{} is not offered: {options:?}", value);
            }
            filled.insert(field.name.clone(), value.into());
        }
        let known = |(name, _): &&(&str, &str)| !form.fields.iter().any(|field| field.name == *name);
        assert_eq!(
            values.iter().find(known),
            None,
            "there is no such field: {form:?}"
        );
        // The form knows its command and its room.
        let kept: Value = serde_json::from_str(&form.id).expect("what a form keeps");
        let room = kept["room"].as_str().expect("a room").to_owned();
        let body =
            json!({ "path": kept["path"], "fixed": kept["fixed"], "values": filled, "key": self.key() });
        let answer = self
            .call(who, Method::POST, &room, "/forms?wait=decided", Some(body))
            .await;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
            let words = answer.body["message"]["fallback"].as_str().unwrap_or_default();
            let field = answer.body["field"].as_str().unwrap_or_default();
            let shown = form.fields.iter().any(|known| known.name == field);
            let at = if shown { field } else { "" };
            return Errors::from([(at.to_owned(), words.to_owned())]);
        }
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
        self.browser(who, |browser| browser.forms.close());
        Errors::new()
    }

    async fn closes(&self, who: &str, _: &Form) {
        self.browser(who, |browser| browser.forms.close());
    }

    async fn says(&self, who: &str, room: &str, thread: Option<&str>, text: &str) -> String {
        let thread: Option<i64> = thread.map(|thread| thread.parse().expect("a message's number"));
        let body = json!({ "text": text, "key": self.key(), "thread": thread });
        let said = self.done(who, Method::POST, room, "/messages", Some(body)).await;
        said["message"].as_str().expect("a message").to_owned()
    }

    fn link(&self, room: &str, message: &str) -> String {
        format!("https://orderly.example/rooms/{room}#m{message}")
    }

    async fn edits(&self, who: &str, room: &str, message: &str, text: &str) {
        let path = format!("/messages/{message}");
        let body = json!({ "text": text });
        self.done(who, Method::PATCH, room, &path, Some(body)).await;
    }

    async fn deletes(&self, who: &str, room: &str, message: &str) {
        self.act(who, Method::DELETE, room, message, "").await;
    }

    async fn reacts(&self, who: &str, room: &str, message: &str, mark: Mark) {
        let path = format!("/reactions/{}", encoded(emoji(mark)));
        self.act(who, Method::PUT, room, message, &path).await;
    }

    async fn unreacts(&self, who: &str, room: &str, message: &str, mark: Mark) {
        let path = format!("/reactions/{}", encoded(emoji(mark)));
        self.act(who, Method::DELETE, room, message, &path).await;
    }

    async fn picks(&self, who: &str, room: &str, message: &str, mark: Mark) {
        let item = match mark {
            Mark::Timeline => "timeline",
            Mark::Task => "task",
            Mark::Followup => "followup",
        };
        let path = format!("/messages/{message}/presses");
        let body = json!({ "menu": item });
        self.done(who, Method::POST, room, &path, Some(body)).await;
    }

    async fn uploads(&self, who: &str, room: &str, name: &str, bytes: &[u8]) -> String {
        let tab = self.tab(who, room).await;
        let (cookie, token) = self
            .browser(who, |browser| (browser.cookie.clone(), browser.token.clone()))
            .expect("a browser");
        let url = format!(
            "{}/api/rooms/{}/files?name={}",
            self.server().base,
            encoded(room),
            encoded(name)
        );
        let request = self
            .http
            .post(url)
            .header("cookie", cookie)
            .header("x-orderly-token", token)
            .header("x-orderly-tab", tab)
            .header("content-type", "text/plain")
            .body(bytes.to_vec());
        let answer = Answer::of(request.send().await.expect("an answer")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["message"].as_str().expect("a message").to_owned()
    }

    async fn completions(&self, who: &str, room: &str, typed: &str) -> Option<Vec<String>> {
        let cookie = self.browser(who, |browser| browser.cookie.clone())?;
        let url = format!(
            "{}/api/complete?room={}&typed={}",
            self.server().base,
            encoded(room),
            encoded(typed)
        );
        let answer = self.http.get(url).header("cookie", cookie).send().await;
        let body: Value = answer.expect("an answer").json().await.expect("JSON");
        let found = body["completions"].as_array().expect("a list").iter();
        Some(
            found
                .map(|one| one["text"].as_str().unwrap_or_default().to_owned())
                .collect(),
        )
    }

    async fn room(&self, who: &str, room: &str) -> Option<Vec<Seen>> {
        let articles = self.articles(who, room).await?.into_iter();
        Some(
            articles
                .filter(|article| !article.whisper)
                .map(|article| article.seen)
                .collect(),
        )
    }

    async fn told(&self, who: &str, room: &str) -> Vec<Seen> {
        let articles = self.articles(who, room).await.unwrap_or_default().into_iter();
        articles
            .filter(|article| article.whisper)
            .map(|article| article.seen)
            .collect()
    }

    async fn direct(&self, who: &str) -> Option<String> {
        let room = format!("@{who}");
        self.room(who, &room).await.map(|_| room)
    }

    async fn home(&self, _: &str) -> Option<Seen> {
        None
    }

    async fn file(&self, who: &str, room: &str, message: &str, name: &str) -> Vec<u8> {
        let articles = self.articles(who, room).await.unwrap_or_default();
        let article = articles.iter().find(|article| article.seen.id == message);
        let mut files = article.into_iter().flat_map(|article| &article.files);
        let (_, address) = files.find(|(known, _)| known == name).expect("that file");
        let cookie = self
            .browser(who, |browser| browser.cookie.clone())
            .expect("a browser");
        let url = format!("{}{address}", self.server().base);
        let answer = self
            .http
            .get(url)
            .header("cookie", cookie)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{address}: {}", answer.status());
        answer.bytes().await.expect("bytes").to_vec()
    }

    fn way(&self, need: Need) -> Way {
        use Way::{Instead, Own};
        match need {
            Need::Command => Own("typed into the message box"),
            Need::BareCommand => Own("opens the form; in a room it says where things stand"),
            Need::Completion => Own("offered below the box while you type"),
            Need::Missing => Own("asked for in a form"),
            Need::ThreadCommand => Own("typed into the thread"),
            Need::Form => Own("a dialog on the page"),
            Need::FieldError => Own("at the field, with the form still open"),
            Need::Picker => Own("the browser's own for days and moments, a list for people"),
            Need::Button => Own("below the message"),
            Need::Alone => Own("in the room, marked as seen only by you; gone after a restart"),
            Need::Room => Own("a room with topic and pinned card"),
            Need::Private => Own("a room that only its members find"),
            Need::Lobby => Own("a line in the lobby, kept true, that leads into the room"),
            Need::Direct => Own("a room between the bot and you"),
            Need::Home => {
                Instead("open incidents stand on the left; what waits for you is in `/incident status`")
            }
            Need::Reaction => Own("put on a message, and taken back"),
            Need::Menu => Own("in the menu of every message"),
            Need::Thread => Own("beside the room; replies can be marked as well"),
            Need::Edit => Own("followed, with the earlier words kept"),
            Need::Evidence => Own("read from the page's own store, and hashed"),
            Need::Export => Own("a file in the room"),
            Need::Guest => Instead("there are none: whoever can sign in was named by the operator"),
            Need::Redelivery => Own("one act has one key, also when it is sent again"),
            Need::Order => Own("one line, in order, until the bot has it"),
            Need::Limit => Own("a call that comes too early waits for its turn"),
            Need::Gap => Own("kept in the page's own file, and handed on when the bot is back"),
            Need::Restart => Own("sign-ins, rooms and buttons stay as they were"),
        }
    }

    fn becomes_guest(&self, _: &str) -> bool {
        false
    }

    async fn begin(&self, trouble: Trouble) -> Result<(), &'static str> {
        let chat = self.server().chat;
        match trouble {
            Trouble::Limits => chat.faults().each_once(Fault::Retry { after: Some(PAUSE) }),
            Trouble::LostAnswers => chat.faults().each_once(Fault::DoneThenTimeout),
            Trouble::Twice => self.twice.store(true, Ordering::SeqCst),
            Trouble::Dropped => {
                let browsers = self.browsers.lock().unwrap_or_else(PoisonError::into_inner);
                let tabs = browsers.values().flat_map(|browser| browser.tabs.values());
                tabs.for_each(Tab::cut);
            }
            Trouble::Reversed => {
                return Err("the page's chat keeps what people do in one line, and hands it on in order");
            }
        }
        Ok(())
    }

    fn end_trouble(&self) {
        self.twice.store(false, Ordering::SeqCst);
        self.server().chat.faults().clear();
    }
}
