//! How fast commands are acknowledged and decided over HTTP: `cargo bench --bench requests -- [SECONDS] [FOLDER]`.
//!
//! Sixteen connections post `/incident note` for SECONDS (10 unless told), first spread over 100 incidents, then on one.
//! An answer counts when the command is durable. One that is told to come again later does so after a second.
//!
//! * `inbox` is the most that waited for a decision, `untold` what waited to be shown in chat at the end, `all told` how
//!   long that took after the last command.
//! * The client runs on the same machine, in a thread of its own; `client` is the share of one core that it takes.
//!
//! Last comes a command on an incident of 10,000 events: as the first after a start, and the median of those after it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use orderly::app::{App, Files, Keeping};
use orderly::chat::{Delivery, Incoming, Intake};
use orderly::clock::{Clock, SystemClock};
use orderly::config::Config;
use orderly::desk;
use orderly::engine::journal;
use orderly::incident::{By, Event, IncidentId, PersonId, Recorded};
use orderly::store::sqlite::{OpenOptions, open};
use orderly::store::{Append, Commit, NewEvent, Store, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// As the program has it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 16;
const INCIDENTS: usize = 100;
/// How long one waits that was refused: what the answer's `Retry-After` says.
const AGAIN: Duration = Duration::from_secs(1);

const CONFIG: &str = r#"
[web]
listen = "127.0.0.1:0"
[[person]]
id = "ana"
roles = ["commander"]
"#;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let time = Duration::from_secs_f64(args.next().map_or(Ok(10.0), |text| text.parse())?);
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    orderly::driver::install_tls();
    println!(
        "{:<28}{:>9}{:>11}{:>8}{:>8}{:>9}{:>8}{:>8}{:>10}{:>8}",
        "", "taken/s", "decided/s", "p50 ms", "p99 ms", "refused", "inbox", "untold", "all told", "client"
    );
    for (what, incidents) in [
        ("a note, over 100 incidents", INCIDENTS),
        ("a note, on one incident", 1),
    ] {
        let folder = tempfile::tempdir_in(&folder)?;
        run(what, incidents, time, folder.path()).await?;
    }
    large(tempfile::tempdir_in(&folder)?.path()).await
}

async fn open_app(path: &Path) -> Result<App> {
    let config = match Config::parse("bench.toml", CONFIG) {
        Ok(config) => config,
        Err(problems) => bail!("{}", problems[0]),
    };
    let keeping = Keeping::File(path.to_owned());
    Ok(App::open(Files::read(config)?, &keeping, Arc::new(SystemClock)).await?)
}

/// Ana types something in the lobby; how long it took until it was decided.
async fn says(app: &App, key: String, text: String) -> Result<Duration> {
    let delivery = Delivery {
        key,
        subject: None,
        received: SystemClock.now(),
        incoming: Incoming::Command {
            from: orderly::chat::local::identity("ana"),
            room: orderly::chat::local::room_ref("lobby"),
            text,
            trigger: None,
            thread: None,
        },
    };
    let begun = Instant::now();
    let taken = app.engine.take(delivery).await?;
    let verdict = app.engine.decided(taken.context("it was dropped")?).await;
    anyhow::ensure!(verdict.accepted, "{}", verdict.message.fallback);
    Ok(begun.elapsed())
}

async fn run(what: &str, incidents: usize, time: Duration, folder: &Path) -> Result<()> {
    let app = open_app(&folder.join("bench.sqlite")).await?;
    let (token, sha256) = orderly::app::token().context("no random numbers")?;
    let request = desk::Request::IssueToken {
        person: PersonId::new("ana"),
        sha256,
    };
    app.engine.on_desk(&By::Orderly, &request).await?;
    let page = app.serve_page(false, Arc::new(SystemClock)).await?;
    app.start().await?;
    for at in 0..incidents {
        says(
            &app,
            format!("open-{at}"),
            format!("open Incident {at} severity=SEV3"),
        )
        .await?;
    }
    app.engine.quiet().await;
    let decisions = || app.engine.counters().decisions.load(Ordering::Relaxed);
    let decided_before = decisions();
    let started = Instant::now();
    let to = page.addr();
    let mut rooms = Vec::new();
    for number in 1..=incidents as u64 {
        let state = app.engine.state(IncidentId(number)).await?;
        let room = state.and_then(|state| Some(state.internal_rooms().next()?.at.room.clone()));
        rooms.push(room.context("an incident without a room")?);
    }
    let client = tokio::task::spawn_blocking(move || client(to, &token, &rooms, time));
    let mut most = 0;
    while !client.is_finished() {
        tokio::time::sleep(Duration::from_millis(250)).await;
        most = most.max(app.engine.store().depths().await?.inbox);
    }
    let took = started.elapsed().as_secs_f64();
    let decided = decisions() - decided_before;
    let Posted {
        mut waits,
        refused,
        cpu,
    } = client.await??;
    let untold = app.engine.store().depths().await?.outbox;
    let last = Instant::now();
    app.engine.quiet().await;
    let all_told = last.elapsed().as_secs_f64();
    let all = decisions() - decided_before;
    anyhow::ensure!(
        all == waits.len() as u64,
        "{all} decided of {} taken",
        waits.len()
    );
    waits.sort_unstable();
    let at = |share: f64| {
        waits
            .get((waits.len() as f64 * share) as usize)
            .map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    };
    println!(
        "{what:<28}{:>9.0}{:>11.0}{:>8.2}{:>8.2}{refused:>9}{most:>8}{untold:>8}{all_told:>8.1} s{:>6.0} %",
        waits.len() as f64 / took,
        decided as f64 / took,
        at(0.5),
        at(0.99),
        cpu / took * 100.0,
    );
    page.shutdown().await;
    app.stop().await;
    Ok(())
}

/// Events of the large incident.
const LARGE: u64 = 10_000;

async fn large(folder: &Path) -> Result<()> {
    let path = folder.join("large.sqlite");
    let app = open_app(&path).await?;
    app.start().await?;
    says(&app, "open".to_owned(), "open Large severity=SEV3".to_owned()).await?;
    app.engine.quiet().await;
    app.stop().await;
    drop(app);
    let store = open(&path, OpenOptions::default()).await?;
    let stream = Stream::Incident(IncidentId(1));
    let mut head = store.head(stream).await?.seq;
    while head < LARGE {
        let events = (head + 1..=LARGE).take(1_000).filter_map(noted).collect();
        let append = Append {
            stream,
            expected: head,
            events,
        };
        let commit = Commit {
            at: SystemClock.now(),
            appends: vec![append],
            ..Commit::default()
        };
        head = store.commit(commit).await?.heads[0].seq;
    }
    store.close().await?;
    let mut cold = Vec::new();
    let mut cached = Vec::new();
    let (mut decided, mut micros) = (0.0, 0.0);
    for start in 0..5 {
        let app = open_app(&path).await?;
        app.start().await?;
        app.engine.quiet().await;
        for at in 0..200 {
            let took = says(&app, format!("{start}-{at}"), format!("INC-1 note {start} {at}")).await?;
            match at {
                0 => {
                    cold.push(took);
                    decided -= counted(&app.engine.counters().decisions);
                    micros -= counted(&app.engine.counters().decide_micros);
                }
                _ => cached.push(took),
            }
        }
        decided += counted(&app.engine.counters().decisions);
        micros += counted(&app.engine.counters().decide_micros);
        app.engine.quiet().await;
        app.stop().await;
    }
    cold.sort_unstable();
    cached.sort_unstable();
    println!(
        "a command on an incident of {head} events: {:.1} ms cold (median of {}), then {:.2} ms (median); taken, decided and \
         written; of that decided and written {:.2} ms (mean)",
        cold[cold.len() / 2].as_secs_f64() * 1e3,
        cold.len(),
        cached[cached.len() / 2].as_secs_f64() * 1e3,
        micros / 1e3 / decided,
    );
    Ok(())
}

fn counted(counter: &AtomicU64) -> f64 {
    counter.load(Ordering::Relaxed) as f64
}

fn noted(seq: u64) -> Option<NewEvent> {
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

/// Posts from a thread of its own, which does nothing else.
fn client(to: SocketAddr, token: &str, rooms: &[String], time: Duration) -> Result<Posted> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let before = cpu()?;
    let mut all = runtime.block_on(async {
        let posting = (0..CONNECTIONS).map(|at| post(to, token, at, rooms, time));
        let mut all = Posted::default();
        for posted in futures::future::join_all(posting).await {
            let posted = posted?;
            all.waits.extend(posted.waits);
            all.refused += posted.refused;
        }
        anyhow::Ok(all)
    })?;
    all.cpu = cpu()? - before;
    Ok(all)
}

/// Seconds that this thread has worked.
fn cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = stat.split(' ').next().context("an empty schedstat")?.parse()?;
    Ok(nanos / 1e9)
}

#[derive(Default)]
struct Posted {
    waits: Vec<Duration>,
    /// Told to send again, because the inbox was at its bound.
    refused: u64,
    /// Seconds of work of the client.
    cpu: f64,
}

/// One connection, one command after the other. Plain HTTP by hand, so that the client costs little.
async fn post(to: SocketAddr, token: &str, at: usize, rooms: &[String], time: Duration) -> Result<Posted> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut posted = Posted::default();
    let mut answer = vec![0_u8; 4096];
    let until = Instant::now() + time;
    let mut count = at;
    while Instant::now() < until {
        count += CONNECTIONS;
        let body = format!(r#"{{"text":"/incident note the queue is at {count}"}}"#);
        let room = &rooms[count % rooms.len()];
        let request = format!(
            "POST /api/rooms/{room}/commands HTTP/1.1\r\nHost: {to}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let read = read_answer(&mut stream, &mut answer).await?;
        match answer[..read].get(9..12) {
            Some(b"202") => posted.waits.push(sent.elapsed()),
            Some(b"503") => {
                posted.refused += 1;
                tokio::time::sleep(AGAIN).await;
            }
            _ => bail!("unexpected: {}", String::from_utf8_lossy(&answer[..read])),
        }
    }
    Ok(posted)
}

/// Reads one answer whole: head, then as many bytes as it says.
async fn read_answer(stream: &mut TcpStream, into: &mut [u8]) -> Result<usize> {
    const LENGTH: &[u8] = b"content-length: ";
    let mut read = 0;
    loop {
        let got = stream.read(&mut into[read..]).await?;
        if got == 0 {
            bail!("the connection was closed");
        }
        read += got;
        let Some(head) = into[..read].windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let length = into[..head].windows(LENGTH.len()).position(|text| text == LENGTH);
        let length = length.context("an answer without a length")? + LENGTH.len();
        let digits = into[length..].iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
        if read >= head + 4 + length {
            return Ok(read);
        }
    }
}
