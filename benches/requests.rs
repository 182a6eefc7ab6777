//! How fast commands are acknowledged and decided over HTTP: `cargo bench --bench requests -- [SECONDS] [FOLDER]`.
//!
//! Sixteen connections post `/incident note` for SECONDS (10 unless told), first spread over 100 incidents, then on one.
//! An answer counts when the command is durable. The client runs on the same machine and takes its share of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use orderly::app::{App, Files, Keeping};
use orderly::chat::{Delivery, Incoming, Intake};
use orderly::clock::{Clock, SystemClock};
use orderly::config::Config;
use orderly::desk;
use orderly::incident::{By, PersonId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 16;
const INCIDENTS: usize = 100;

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
        "{:<44}{:>12}{:>12}{:>9}{:>9}{:>9}",
        "", "taken/s", "decided/s", "p50 ms", "p99 ms", "refused"
    );
    for (what, incidents) in [
        ("a note, over 100 incidents", INCIDENTS),
        ("a note, on one incident", 1),
    ] {
        let folder = tempfile::tempdir_in(&folder)?;
        run(what, incidents, time, folder.path()).await?;
    }
    Ok(())
}

async fn run(what: &str, incidents: usize, time: Duration, folder: &Path) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let config = match Config::parse("bench.toml", CONFIG) {
        Ok(config) => config,
        Err(problems) => bail!("{}", problems[0]),
    };
    let app = App::open(
        Files::read(config)?,
        &Keeping::File(folder.join("bench.sqlite")),
        clock.clone(),
    )
    .await?;
    let (token, sha256) = orderly::app::token().context("no random numbers")?;
    let request = desk::Request::IssueToken {
        person: PersonId::new("ana"),
        sha256,
    };
    app.engine.on_desk(&By::Orderly, &request).await?;
    let page = app.serve_page(false, clock.clone()).await?;
    app.start().await?;
    for at in 0..incidents {
        let incoming = Incoming::Command {
            from: orderly::chat::local::identity("ana"),
            room: orderly::chat::local::room_ref("lobby"),
            text: format!("open Incident {at} severity=SEV3"),
            trigger: None,
        };
        let delivery = Delivery {
            key: format!("open-{at}"),
            subject: None,
            received: clock.now(),
            incoming,
        };
        let taken = app.engine.take(delivery).await?;
        app.engine
            .decided(taken.context("the command was dropped")?)
            .await;
    }
    app.engine.quiet().await;
    let decided_before = app.engine.counters().decisions.load(Ordering::Relaxed);
    let started = Instant::now();
    let posting =
        (0..CONNECTIONS).map(|at| tokio::spawn(post(page.addr(), token.clone(), at, incidents, time)));
    let mut waits = Vec::new();
    let mut refused = 0;
    for posted in futures::future::join_all(posting).await {
        let posted = posted??;
        waits.extend(posted.waits);
        refused += posted.refused;
    }
    let took = started.elapsed().as_secs_f64();
    let decided = app.engine.counters().decisions.load(Ordering::Relaxed) - decided_before;
    waits.sort_unstable();
    let at = |share: f64| {
        waits
            .get((waits.len() as f64 * share) as usize)
            .map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    };
    println!(
        "{what:<44}{:>12.0}{:>12.0}{:>9.2}{:>9.2}{refused:>9}",
        waits.len() as f64 / took,
        decided as f64 / took,
        at(0.5),
        at(0.99),
    );
    page.shutdown().await;
    app.stop().await;
    Ok(())
}

struct Posted {
    waits: Vec<Duration>,
    /// Told to send again, because the inbox was at its bound.
    refused: u64,
}

/// One connection, one command after the other. Plain HTTP by hand, so that the client costs little.
async fn post(
    to: std::net::SocketAddr,
    token: String,
    at: usize,
    incidents: usize,
    time: Duration,
) -> Result<Posted> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut posted = Posted {
        waits: Vec::new(),
        refused: 0,
    };
    let mut answer = vec![0_u8; 4096];
    let until = Instant::now() + time;
    let mut count = at;
    while Instant::now() < until {
        count += CONNECTIONS;
        let body = format!(
            r#"{{"text":"/incident INC-{} note the queue is at {count}"}}"#,
            count % incidents + 1
        );
        let request = format!(
            "POST /api/rooms/lobby/commands HTTP/1.1\r\nHost: {to}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let read = read_answer(&mut stream, &mut answer).await?;
        match answer[..read].get(9..12) {
            Some(b"202") => posted.waits.push(sent.elapsed()),
            Some(b"503") => posted.refused += 1,
            _ => bail!("unexpected: {}", String::from_utf8_lossy(&answer[..read])),
        }
    }
    Ok(posted)
}

/// Reads one answer whole: head, then as many bytes as it says.
async fn read_answer(stream: &mut TcpStream, into: &mut [u8]) -> Result<usize> {
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
        let text = String::from_utf8_lossy(&into[..head]).to_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if read >= head + 4 + length.unwrap_or(0) {
            return Ok(read);
        }
    }
}
