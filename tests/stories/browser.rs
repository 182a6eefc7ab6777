//! The demo's incident, lived through in a real browser.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use orderly::app::{App, Files};
use orderly::catalog::Catalog;
use orderly::clock::{Clock, SystemClock};
use orderly::demo::{self, Shop, guide};
use orderly::desk;
use orderly::incident::{By as Actor, PersonId, Stage};
use orderly::runbook::Shelf;
use orderly::web::Running;
use thirtyfour::prelude::*;

use crate::kit::{opened, settled, tls};

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";
/// A page on a loaded two-core machine is there within seconds; later it will not come.
const WITHIN: Duration = Duration::from_secs(40);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The browser's driver; dropped, it is gone, and the browser with it.
struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    async fn start() -> Self {
        for program in [CHROMIUM, DRIVER] {
            assert!(
                Path::new(program).exists(),
                "{program} is missing: apt-get install chromium chromium-driver"
            );
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let child = Command::new("setpriv")
            .args(["--pdeathsig=TERM", "--", DRIVER])
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("setpriv, from Debian's util-linux");
        let driver = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let asking = async {
            let mut tick = tokio::time::interval(ASK_EVERY);
            loop {
                tick.tick().await;
                if reqwest::get(format!("{}/status", driver.url)).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(WITHIN, asking)
            .await
            .expect("chromedriver answers");
        driver
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let mut end = Command::new("kill");
        // It takes the browser with it, which a kill would not.
        let _ = end.arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The demo, as `orderly demo` joins it.
struct Demo {
    app: App,
    page: Running,
    shop: Shop,
    token: String,
}

async fn demo_in(folder: &Path) -> Demo {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shop = Shop::start(folder, Arc::clone(&clock), Duration::from_secs(1))
        .await
        .expect("an open shop");
    let mut config = demo::config(&shop.url()).unwrap_or_else(|problems| panic!("{problems:?}"));
    config.web.listen.set_port(0);
    let catalog = Catalog::load(&[(demo::CATALOG.0.into(), demo::CATALOG.1.to_owned())]);
    let files = Files {
        catalog: catalog.unwrap_or_else(|problems| panic!("{problems:?}")),
        shelf: Shelf::demo(),
        ..Files::read(config).expect("whole files")
    };
    let app = opened(files, &folder.join("demo.sqlite")).await;
    let (token, sha256) = orderly::app::token().expect("a token");
    let request = desk::Request::IssueToken {
        person: PersonId::new("ana"),
        sha256,
    };
    app.engine
        .on_desk(&Actor::Orderly, &request)
        .await
        .expect("a token for ana");
    let page = app.serve_page(true, clock).await.expect("a page");
    app.start().await.expect("a program that starts");
    Demo {
        app,
        page,
        shop,
        token,
    }
}

/// Somebody in front of the page.
struct Person<'a> {
    web: WebDriver,
    demo: &'a Demo,
    pictures: PathBuf,
}

impl Person<'_> {
    /// The first element of this kind that can be seen, waiting for it.
    async fn sees(&self, css: &str) -> WebElement {
        let found = self.web.query(By::Css(css)).wait(WITHIN, ASK_EVERY);
        match found.and_displayed().first().await {
            Ok(element) => element,
            Err(error) => {
                self.picture("lost").await;
                panic!("{css} does not show: {error}");
            }
        }
    }

    async fn clicks(&self, css: &str) {
        let found = self.web.query(By::Css(css)).wait(WITHIN, ASK_EVERY);
        let element = found.and_clickable().first().await;
        let element = element.unwrap_or_else(|error| panic!("{css} cannot be clicked: {error}"));
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Waits until a message of the room holds these words.
    async fn reads(&self, words: &str) {
        let words = words.to_owned();
        let sought = words.clone();
        let found = self
            .web
            .query(By::Css("#messages .message, #pinned .message"))
            .wait(WITHIN, ASK_EVERY)
            .with_filter(move |message: WebElement| {
                let sought = sought.clone();
                async move { Ok(message.text().await.is_ok_and(|text| text.contains(&sought))) }
            });
        if let Err(error) = found.first().await {
            self.picture("lost").await;
            panic!("`{words}` is not on the page: {error}");
        }
    }

    /// Waits until the guide has come along, whether it was typed or pressed or by a form.
    async fn follows(&self, count: &str) {
        let shown = self.sees("#guide-count").await;
        let there = shown
            .wait_until()
            .wait(WITHIN, ASK_EVERY)
            .has_text(count.to_owned())
            .await;
        if there.is_err() {
            self.picture("lost").await;
            panic!("the guide does not say `{count}`");
        }
    }

    async fn picture(&self, name: &str) {
        self.web
            .screenshot(&self.pictures.join(format!("{name}.png")))
            .await
            .expect("a picture of the page");
    }

    /// The page is whole and its script runs.
    async fn arrives(&self, person: &str) {
        self.sees(&format!("html.js body[data-person='{person}'] #composer-text"))
            .await;
    }

    /// Becomes somebody else, as the demo allows.
    async fn becomes(&self, person: &str) {
        let body = self.sees("body").await;
        if body.attr("data-person").await.expect("a page").as_deref() == Some(person) {
            return;
        }
        self.clicks(&format!("#switch-person option[value='{person}']"))
            .await;
        self.arrives(person).await;
    }

    /// Types into the message box and sends it; an empty box says that it was taken.
    async fn types(&self, text: &str) {
        let area = self.sees("#composer-text").await;
        area.send_keys(text).await.expect("typing");
        self.sends().await;
    }

    async fn sends(&self) {
        self.clicks("#send").await;
        let area = self.sees("#composer-text").await;
        let taken = area.wait_until().wait(WITHIN, ASK_EVERY).has_value("");
        if taken.await.is_err() {
            self.picture("lost").await;
            let said = self.sees("#toasts").await.text().await.unwrap_or_default();
            panic!("the line was not taken: {said}");
        }
        settled(&self.demo.app).await;
    }

    /// Fills one field of the open form.
    async fn fills(&self, form: &str, field: &str, value: &str) {
        let css = format!("#forms dialog[data-path='{form}'] .field[data-field='{field}']");
        let kind = self.sees(&css).await.attr("data-kind").await.expect("a field");
        match kind.as_deref() {
            Some("select") => self.clicks(&format!("{css} option[value='{value}']")).await,
            _ => {
                let input = self.sees(&format!("{css} input, {css} textarea")).await;
                input.clear().await.expect("an empty field");
                input.send_keys(value).await.expect("typing");
            }
        }
    }

    /// Says the sentence of the incident by the form.
    async fn frames(&self) {
        self.types("/incident frame").await;
        let fields = [
            ("what", "function"),
            ("detail", "the price import"),
            ("works", "orders and shipping"),
            ("who", "every customer"),
            ("impact", "we pay customers to take goods"),
        ];
        for (field, value) in fields {
            self.fills("frame", field, value).await;
        }
        let since = self
            .sees("#forms dialog[data-path='frame'] .field[data-field='since'] input")
            .await;
        let ago = "const at = new Date(Date.now() - 120000 - new Date().getTimezoneOffset() * 60000); \
                   arguments[0].value = at.toISOString().slice(0, 19);";
        let since = vec![since.to_json().expect("an element")];
        self.web.execute(ago, since).await.expect("a time in the field");
        self.picture("form").await;
        self.clicks("#forms dialog[data-path='frame'] button[type=submit]")
            .await;
        let form = self.web.query(By::Css("#forms dialog[data-path='frame']"));
        let gone = form.wait(WITHIN, ASK_EVERY).wait_until_gone().await;
        if gone.is_err() {
            self.picture("lost").await;
            panic!("the form was refused");
        }
        settled(&self.demo.app).await;
    }

    /// Opens the incident with the help of the completion, and goes to its room.
    async fn opens(&self, line: &str) {
        let area = self.sees("#composer-text").await;
        area.send_keys("/incident op").await.expect("typing");
        // The list for all that was typed; one for fewer letters is about to be replaced.
        self.clicks("#complete[data-typed='/incident op'] li[role=option]")
            .await;
        let area = self.sees("#composer-text").await;
        area.wait_until()
            .wait(WITHIN, ASK_EVERY)
            .has_value("/incident open ")
            .await
            .expect("a completed command");
        let rest = line.strip_prefix("open ").expect("the line that opens");
        area.send_keys(rest).await.expect("typing");
        self.sends().await;
        self.sees("#sidebar a.room.incident[href]").await;
        self.picture("lobby").await;
        self.clicks("#sidebar a.room.incident[href]").await;
        self.sees("html.js #pinned").await;
        self.arrives("ana").await;
    }

    /// Does one step of the guide the way a person would.
    async fn does(&self, step: &guide::Step) {
        let state = settled(&self.demo.app).await;
        let line = step.line(state.as_deref());
        if step.id != "open" {
            self.becomes(step.who).await;
        }
        match step.id {
            "open" => self.opens(&line).await,
            "frame" => self.frames().await,
            "approve-pause" => self.approves(&line).await,
            _ => self.types(&format!("/incident {line}")).await,
        }
        if let "to-decide" | "to-recover" | "to-learn" | "export" = step.id {
            return;
        }
        let state = settled(&self.demo.app).await;
        if !step.is_done(state.as_deref()) {
            self.picture("lost").await;
            panic!("{}: `{line}` did not do it", step.id);
        }
    }

    /// Presses Approve at the proposal.
    async fn approves(&self, line: &str) {
        let id = line.strip_prefix("approve ").expect("a line that approves");
        self.reads("import-prices").await;
        self.picture("waiting").await;
        self.clicks(&format!(
            "#messages [data-act=press][data-line^='action approve {id}']"
        ))
        .await;
        let app = &self.demo.app;
        let worked = async {
            let mut tick = tokio::time::interval(ASK_EVERY);
            loop {
                tick.tick().await;
                let state = settled(app).await.expect("an incident");
                if let Some(Stage::Verified { worked: true, .. }) =
                    state.proposals.values().next().map(|proposal| &proposal.stage)
                {
                    return;
                }
            }
        };
        if tokio::time::timeout(WITHIN, worked).await.is_err() {
            self.picture("lost").await;
            panic!("the action was not verified after {WITHIN:?}");
        }
        self.reads("verified").await;
        self.picture("verified").await;
    }

    /// A document as this person's browser fetches it.
    async fn fetches(&self, path: &str) -> String {
        let script = "const done = arguments[arguments.length - 1]; \
                      fetch(arguments[0]).then((a) => a.text().then((t) => done(a.status + '\\n' + t)));";
        let answer = self
            .web
            .execute_async(script, vec![path.into()])
            .await
            .expect("an answer");
        let text: String = answer.convert().expect("text");
        let body = text.strip_prefix("200\n").map(str::to_owned);
        body.unwrap_or_else(|| panic!("{path}: {text}"))
    }
}

async fn browser(driver: &Driver, profile: &Path) -> WebDriver {
    let mut wanted = DesiredCapabilities::chrome();
    wanted.set_binary(CHROMIUM).expect("a path");
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1400,1040",
        "--force-prefers-reduced-motion",
        &format!("--user-data-dir={}", profile.display()),
    ] {
        wanted.add_arg(argument).expect("an argument");
    }
    WebDriver::new(&driver.url, wanted)
        .await
        .expect("a browser that starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_lives_through_an_incident_on_the_page() {
    tls();
    let folder = tempfile::tempdir().expect("a folder");
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let artifacts = std::env::var_os("ARTIFACTS").map_or_else(|| PathBuf::from("artifacts"), PathBuf::from);
    let pictures = artifacts.join("screenshots");
    std::fs::create_dir_all(&pictures).expect("a folder for the pictures");
    let (demo, driver) = tokio::join!(demo_in(folder.path()), Driver::start());
    let web = browser(&driver, profile.path()).await;
    let person = Person {
        web,
        demo: &demo,
        pictures,
    };

    let link = format!("http://{}/sign-in?token={}", demo.page.addr(), demo.token);
    person.web.goto(link).await.expect("the sign-in");
    person.arrives("ana").await;
    let steps = guide::steps();
    for (index, step) in steps.iter().enumerate() {
        person.does(step).await;
        if step.id == "accept" {
            let next = format!("Step {} of {}", index + 2, steps.len());
            person.follows(&next).await;
            looks(&person).await;
            a_message_is_redacted_by_its_link(&person).await;
        }
    }
    person.reads("postmortem").await;
    documents(&person, &artifacts).await;

    person.web.clone().quit().await.expect("a browser that ends");
    drop(driver);
    let Demo { app, page, shop, .. } = demo;
    page.shutdown().await;
    app.stop().await;
    shop.stop().await;
}

/// How much of the window's height the card takes, in percent, and whether it scrolls inside itself.
async fn card_height(person: &Person<'_>) -> (u64, bool) {
    let script = "const card = document.querySelector('#pinned'), inside = card.querySelector('.message'); \
                  return [Math.round(card.offsetHeight * 100 / innerHeight), inside.scrollHeight > inside.clientHeight];";
    let answer = person.web.execute(script, Vec::new()).await.expect("a card");
    answer.convert().expect("two numbers")
}

/// One line unless its reader opens it, by key as well; then it leaves the room its place, and is remembered.
async fn the_card_folds(person: &Person<'_>) {
    let (height, _) = card_height(person).await;
    assert!(height <= 5, "the folded card takes {height} % of the window");
    let summary = person.sees("#pinned:not([open]) > summary").await;
    summary.send_keys(Key::Enter).await.expect("a key");
    person.sees("#pinned[open] .card").await;
    person.picture("card").await;
    let (height, scrolls) = card_height(person).await;
    assert!(
        height <= 45 && scrolls,
        "the open card takes {height} % of the window"
    );
    person.web.refresh().await.expect("the page again");
    person.arrives("ana").await;
    let summary = person.sees("#pinned[open] > summary").await;
    summary.send_keys(Key::Enter).await.expect("a key");
    person.sees("#pinned:not([open])").await;
}

/// The room in light and in dark, and on a narrow screen.
async fn looks(person: &Person<'_>) {
    person.picture("room-light").await;
    the_card_folds(person).await;
    person.clicks("[data-act=theme]").await;
    person.sees("html[data-theme=dark]").await;
    person.picture("room-dark").await;
    person.clicks("[data-act=theme]").await;
    person.sees("html[data-theme=light]").await;
    let rect = person.web.get_window_rect().await.expect("a window");
    let narrow = person.web.set_window_rect(0, 0, 400, 900).await;
    narrow.expect("a narrow window");
    person.web.refresh().await.expect("the page again");
    person.arrives("ana").await;
    person.picture("narrow").await;
    let (height, _) = card_height(person).await;
    assert!(height <= 8, "the folded card takes {height} % of a narrow window");
    let wide = person
        .web
        .set_window_rect(0, 0, rect.width as u32, rect.height as u32)
        .await;
    wide.expect("a wide window");
}

/// A password in the room, on no timeline: the message's menu gives a link, and `redact` takes it.
async fn a_message_is_redacted_by_its_link(person: &Person<'_>) {
    person.types("the password is tiger").await;
    person.reads("the password is tiger").await;
    // What the browser lets a page copy is the browser's affair; what the page copies is ours.
    let listens =
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };";
    person.web.execute(listens, Vec::new()).await.expect("a page");
    let menu = "const own = [...document.querySelectorAll('#messages .message')] \
                .filter((one) => one.textContent.includes('tiger')); own.at(-1).querySelector('[data-act=menu]').click();";
    person.web.execute(menu, Vec::new()).await.expect("a menu");
    person.clicks("#menu [data-pick=link]").await;
    let copied = person.web.execute("return window.copied;", Vec::new()).await;
    let link: String = copied.expect("a page").convert().expect("a link");
    person.types(&format!("/incident redact {link} a password")).await;
    person.reads("redacted a message that is on no timeline").await;
}

/// The post-mortem says what a manager needs, in every form.
async fn documents(person: &Person<'_>, artifacts: &Path) {
    let html = person.fetches("/incidents/1/postmortem.html").await;
    std::fs::write(artifacts.join("postmortem.html"), &html).expect("a place for the document");
    let markdown = person.fetches("/incidents/1/postmortem.md").await;
    let json = person.fetches("/incidents/1/postmortem.json").await;
    serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
    for (form, text) in [("html", &html), ("markdown", &markdown), ("json", &json)] {
        for part in [
            "The shop sells at negative prices",
            "nobody ran mapping v2 against a real price list before it went live",
            "Ben (approver)",
            "import-prices/pause",
            "refuse prices below zero in the import",
        ] {
            assert!(text.contains(part), "`{part}` is missing in the {form}:\n{text}");
        }
    }
}
