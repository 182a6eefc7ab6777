//! The whole program on much: `cargo bench --bench program -- [MESSAGES] [FOLDER]`.
//!
//! * Memory of `orderly serve` at rest, and with 100 open incidents and MESSAGES (100,000 unless told) in their rooms.
//! * From starting `orderly serve` to its first "ready", on 1,000 incidents with 1,000,000 events, 20 of them open.
//! * A round of 50 probes over 15 targets, one of which takes a second to answer.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::routing::get;
use orderly::app::{App, Files, Keeping};
use orderly::catalog::When;
use orderly::chat::{Delivery, Incoming, Intake, local};
use orderly::clock::{Clock, SystemClock};
use orderly::config::Config;
use orderly::desk;
use orderly::engine::journal;
use orderly::incident::{By, Event, IncidentId, Params, PersonId, Recorded};
use orderly::store::sqlite::{OpenOptions, open};
use orderly::store::{Append, Commit, Store, Stream};

const OPEN: usize = 100;
const ALL: u64 = 1_000;
const STILL_OPEN: u64 = 20;
const EVENTS: u64 = 1_000;
const TARGETS: usize = 15;
const PROBES: usize = 50;
/// People who write at the same time.
const WRITERS: usize = 16;
/// Before memory at rest is read.
const REST: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let messages: usize = args.next().map_or(Ok(100_000), |text| text.parse())?;
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    orderly::driver::install_tls();
    memory(&tempfile::tempdir_in(&folder)?, messages).await?;
    start(&tempfile::tempdir_in(&folder)?).await?;
    probes().await
}

/// An installation in a folder, and how to speak to it as Ana.
struct Place {
    token: String,
    port: u16,
}

impl Place {
    /// Writes the config, adds Ana, and opens incidents.
    async fn make(folder: &Path, incidents: usize) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = format!(
            "[store]\npath = \"orderly.sqlite\"\n[web]\nlisten = \"127.0.0.1:{port}\"\n\
             [[person]]\nid = \"ana\"\nroles = [\"commander\"]\n"
        );
        std::fs::write(folder.join("orderly.toml"), &config)?;
        let app = app(&config, &Keeping::File(folder.join("orderly.sqlite"))).await?;
        let (token, sha256) = orderly::app::token().context("no random numbers")?;
        let person = PersonId::new("ana");
        let request = desk::Request::IssueToken { person, sha256 };
        app.engine.on_desk(&By::Orderly, &request).await?;
        app.start().await?;
        for at in 1..=incidents {
            say(&app, &format!("open Incident {at} severity=SEV3")).await?;
        }
        app.engine.quiet().await;
        app.stop().await;
        Ok(Self { token, port })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn post(&self, client: &reqwest::Client, room: &str, text: &str) -> Result<()> {
        loop {
            let answer = client
                .post(self.url(&format!("/api/rooms/{room}/commands")))
                .bearer_auth(&self.token)
                .json(&serde_json::json!({ "text": text }))
                .send()
                .await?;
            match answer.status().as_u16() {
                200..300 => return Ok(()),
                // Full for the moment.
                503 => {}
                other => bail!("{other}: {}", answer.text().await?),
            }
        }
    }
}

async fn app(config: &str, keeping: &Keeping) -> Result<App> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let config = match Config::parse("orderly.toml", config) {
        Ok(config) => config,
        Err(problems) => bail!("{}", problems[0]),
    };
    Ok(App::open(Files::read(config)?, keeping, clock).await?)
}

async fn say(app: &App, text: &str) -> Result<()> {
    let delivery = Delivery {
        key: text.to_owned(),
        subject: None,
        received: SystemClock.now(),
        incoming: Incoming::Command {
            from: local::identity("ana"),
            room: local::room_ref("lobby"),
            text: text.to_owned(),
            trigger: None,
            thread: None,
        },
    };
    let taken = app.engine.take(delivery).await?.context("it was dropped")?;
    let verdict = app.engine.decided(taken).await;
    if !verdict.accepted {
        bail!("{text}: {}", verdict.message.fallback);
    }
    Ok(())
}

/// `orderly serve`, and how long it took until it was ready.
struct Served {
    child: Child,
    ready: Duration,
}

impl Served {
    async fn start(folder: &Path, place: &Place) -> Result<Self> {
        let begin = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_orderly"))
            .arg("serve")
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut served = Self {
            child,
            ready: Duration::ZERO,
        };
        let client = reqwest::Client::new();
        loop {
            if let Some(status) = served.child.try_wait()? {
                bail!("`orderly serve` ended with {status}");
            }
            let answer = client.get(place.url("/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                served.ready = begin.elapsed();
                return Ok(served);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Resident memory in MiB.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("no VmRSS")?
            .trim()
            .parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn memory(folder: &tempfile::TempDir, messages: usize) -> Result<()> {
    let folder = folder.path();
    let empty = folder.join("empty");
    std::fs::create_dir(&empty)?;
    let place = Place::make(&empty, 0).await?;
    let served = Served::start(&empty, &place).await?;
    tokio::time::sleep(REST).await;
    println!("{:<66}{:>8.1} MiB", "at rest", served.resident()?);
    drop(served);

    let place = Arc::new(Place::make(folder, OPEN).await?);
    let served = Served::start(folder, &place).await?;
    let client = reqwest::Client::new();
    let rooms: serde_json::Value = client
        .get(place.url("/api/rooms"))
        .bearer_auth(&place.token)
        .send()
        .await?
        .json()
        .await?;
    let rooms: Arc<Vec<String>> = Arc::new(
        rooms["rooms"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|room| Some(room["id"].as_str()?.to_owned()))
            .filter(|room| room != "lobby" && !room.starts_with('@'))
            .collect(),
    );
    let next = Arc::new(AtomicUsize::new(0));
    let writers = (0..WRITERS).map(|_| {
        let (place, client, rooms, next) = (place.clone(), client.clone(), rooms.clone(), next.clone());
        tokio::spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= messages {
                    return anyhow::Ok(());
                }
                let room = &rooms[at % rooms.len()];
                let text = format!("the queue is at {at}, and the labels of dock four still do not print");
                place.post(&client, room, &text).await?;
            }
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer??;
    }
    // Every incident is looked at once more, so that all of them are in memory.
    for at in 1..=OPEN {
        place
            .post(&client, "lobby", &format!("/incident INC-{at} status"))
            .await?;
    }
    let what = format!(
        "with {OPEN} open incidents and {messages} messages in {} rooms",
        rooms.len()
    );
    println!("{what:<66}{:>8.1} MiB", served.resident()?);
    Ok(())
}

async fn start(folder: &tempfile::TempDir) -> Result<()> {
    let folder = folder.path();
    let place = Place::make(folder, usize::try_from(ALL)?).await?;
    let config = std::fs::read_to_string(folder.join("orderly.toml"))?;
    let path = folder.join("orderly.sqlite");
    let old = app(&config, &Keeping::File(path.clone())).await?;
    old.start().await?;
    for at in 1..=ALL - STILL_OPEN {
        say(&old, &format!("INC-{at} cancel opened by mistake")).await?;
    }
    old.engine.quiet().await;
    old.stop().await;
    drop(old);
    let store = open(&path, OpenOptions::default()).await?;
    let mut events = 0;
    for number in 1..=ALL {
        let stream = Stream::Incident(IncidentId(number));
        let head = store.head(stream).await?.seq;
        let append = Append {
            stream,
            expected: head,
            events: (head + 1..=EVENTS).filter_map(noted).collect(),
        };
        let commit = Commit {
            at: SystemClock.now(),
            appends: vec![append],
            ..Commit::default()
        };
        events += store.commit(commit).await?.heads[0].seq;
    }
    store.close().await?;
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(Served::start(folder, &place).await?.ready);
    }
    times.sort_unstable();
    let what = format!("ready, on {ALL} incidents with {events} events, {STILL_OPEN} open (median of 5)");
    println!("{what:<66}{:>8.0} ms", times[2].as_secs_f64() * 1e3);
    Ok(())
}

fn noted(seq: u64) -> Option<orderly::store::NewEvent> {
    let now = SystemClock.now();
    journal::row(&Recorded {
        seq,
        recorded: now,
        occurred: now,
        source: "clock".to_owned(),
        by: By::Person {
            id: PersonId::new("ana"),
        },
        event: Some(Event::Noted {
            text: format!("the queue is at {seq}"),
        }),
    })
}

/// Probes over real HTTP; every target is a service of its own.
async fn probes() -> Result<()> {
    let mut config = String::new();
    for at in 0..TARGETS {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let slow = async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            "late"
        };
        let router = Router::new()
            .route("/slow", get(slow))
            .fallback(get(async || "well"));
        config += &format!(
            "[[target]]\nname = \"t{at}\"\nkind = \"http\"\nenvironment = \"drill\"\nurl = \"http://{}\"\n",
            listener.local_addr()?
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    let config = match Config::parse("orderly.toml", &config) {
        Ok(config) => config,
        Err(problems) => bail!("{}", problems[0]),
    };
    let systems = Arc::new(Files::read(config)?.systems(Arc::new(SystemClock))?);
    let when = When::new(None, SystemClock.now());
    let begin = Instant::now();
    let asked = (0..PROBES).map(|at| {
        let (systems, when) = (systems.clone(), when);
        let path = if at == 0 {
            "/slow".to_owned()
        } else {
            format!("/health/{at}")
        };
        tokio::spawn(async move {
            let params = Params::from([("path".to_owned(), serde_json::json!(path))]);
            let target = format!("t{}", at % TARGETS);
            let call = systems.resolve_probe("http.health", Some(&target), &params, &when)?;
            anyhow::Ok((systems.ask(&call).await.0.summary.clone(), begin.elapsed()))
        })
    });
    let mut times = Vec::new();
    for answer in futures::future::join_all(asked).await {
        times.push(answer??.1);
    }
    times.sort_unstable();
    let at = |place: usize| times[place].as_secs_f64() * 1e3;
    println!(
        "{:<66}{:>8.0} ms (the others {:.0} ms)",
        format!("{PROBES} probes over {TARGETS} targets, one takes 1 s"),
        at(PROBES - 1),
        at(PROBES - 2)
    );
    Ok(())
}
