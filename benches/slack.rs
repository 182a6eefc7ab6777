//! Slack: `cargo bench --bench slack -- [SECONDS] [FOLDER]`.
//!
//! * A signed `/incident note` over HTTP until it is acknowledged, sixteen connections, for SECONDS (10 unless told): by
//!   `orderly serve`, where it is durable by then and decided afterwards, and by a bot on Bolt for JavaScript that
//!   acknowledges and does nothing at all. They take turns. Both get the same bodies from the same client, which runs on
//!   the same machine and takes its share of it. What Orderly decides meanwhile and says back counts into its CPU; what
//!   of it went into acknowledging follows from what the decisions cost that are left when a round has ended.
//! * 200 incidents within ten seconds, on Slack's own tiers, on a driven clock.

// The house of the tests and the rooms it stands on: of each the benchmark uses a part, and what is dead here lives there.
#[allow(dead_code)]
#[path = "../tests/chats/slack"]
mod slack {
    pub mod burst;
    pub mod kit;
    pub mod story;
}
#[allow(dead_code)]
#[path = "../tests/chats/agree.rs"]
mod agree;
#[allow(dead_code)]
#[path = "../tests/chats/kept.rs"]
mod kept;
#[allow(dead_code)]
#[path = "../tests/chats/process.rs"]
mod process;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::routing::post;
use orderly::chat::slack::{Wanted, manifest};
use orderly::clock::{Clock, SystemClock};
use orderly_testbed::chat_libraries;
use orderly_testbed::slack::{SlackServer, signature};
use slack::burst::{burst, holds};
use slack::kit::{House, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 16;
/// One for each connection, so that they are decided side by side; as many as Slack lets a bot open at once.
const INCIDENTS: usize = 16;
/// Both programs are warm before they are measured: one compiles itself while it runs.
const WARM: Duration = Duration::from_secs(3);
/// The two take turns: a shared machine is faster in one second than in the next.
const ROUNDS: u32 = 5;
/// Before memory at rest is read.
const REST: Duration = Duration::from_secs(5);

const BURST: usize = 200;
const BUSINESS_DOWN: usize = 10;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let time = Duration::from_secs_f64(args.next().map_or(Ok(10.0), |text| text.parse())?);
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    orderly::driver::install_tls();
    acknowledged(time, &folder).await?;
    let began = Instant::now();
    let house = House::open(Transport::Http).await;
    let went = burst(&house, BURST, BUSINESS_DOWN).await;
    holds(&house, &went, BURST, BUSINESS_DOWN);
    println!(
        "\n{BURST} incidents within ten seconds: the last room whole after {} s, at best {} s (x {:.2}); SEV1 first, none \
         doubled; {} calls, {} of them turned down; {:.1} s of real time",
        went.took.as_secs(),
        went.best.as_secs(),
        went.took.as_secs_f64() / went.best.as_secs_f64(),
        went.calls,
        went.limited,
        began.elapsed().as_secs_f64()
    );
    house.close().await;
    Ok(())
}

/// What one of the two programs did.
struct Measured {
    rest_mib: f64,
    after_mib: f64,
    a_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
    refused: u64,
    /// Cores that the client took.
    client: f64,
    decided: Option<Decided>,
}

/// What Orderly does with what it acknowledged.
struct Decided {
    /// While notes still came.
    a_second: f64,
    /// CPU for one, with what is said of it.
    cpu_us: f64,
    /// CPU for a note until it is acknowledged.
    acknowledged_us: f64,
}

async fn acknowledged(time: Duration, folder: &Path) -> Result<()> {
    let slack = SlackServer::start_at(SystemClock.now()).await;
    slack.limits(false);
    slack.install(&manifest(&Wanted {
        command: "incident",
        description: "Incident response in order",
        hint: "open",
        address: Some("https://orderly.example.com"),
    }));
    let replies = replies().await?;
    let folder = tempfile::tempdir_in(folder)?;
    let bolt = Program::bolt(&slack).await?;
    let mut bolt = Side::ready(&slack, bolt, replies).await?;
    let orderly = Program::orderly(&slack, folder.path()).await?;
    let mut orderly = Side::ready(&slack, orderly, replies).await?;
    for _ in 0..ROUNDS {
        bolt.round(time / ROUNDS).await?;
        orderly.round(time / ROUNDS).await?;
    }
    let (bolt, orderly) = (bolt.measured(), orderly.measured());
    println!(
        "{:<34}{:>10}{:>9}{:>9}{:>9}{:>10}{:>10}{:>9}",
        "a signed note, acknowledged",
        "a second",
        "p50 ms",
        "p99 ms",
        "CPU us",
        "rest MiB",
        "after MiB",
        "refused"
    );
    for (what, it) in [("orderly, durable", &orderly), ("Bolt, doing nothing", &bolt)] {
        println!(
            "{what:<34}{:>10.0}{:>9.2}{:>9.2}{:>9.0}{:>10.1}{:>10.1}{:>9}",
            it.a_second, it.p50_ms, it.p99_ms, it.cpu_us, it.rest_mib, it.after_mib, it.refused
        );
    }
    println!(
        "{:<34}{:>9.2}x{:>8.2}x{:>8.2}x{:>8.2}x{:>9.2}x",
        "orderly / Bolt",
        orderly.a_second / bolt.a_second,
        orderly.p50_ms / bolt.p50_ms,
        orderly.p99_ms / bolt.p99_ms,
        orderly.cpu_us / bolt.cpu_us,
        orderly.rest_mib / bolt.rest_mib,
    );
    println!(
        "the client took {:.2} cores for orderly, {:.2} for Bolt",
        orderly.client, bolt.client
    );
    if let Some(decided) = &orderly.decided {
        println!(
            "orderly decided {:.0} a second meanwhile, at {:.0} us of CPU each with what is said of it; a note until its \
             acknowledgement took {:.0} us (x {:.2} of Bolt)",
            decided.a_second,
            decided.cpu_us,
            decided.acknowledged_us,
            decided.acknowledged_us / bolt.cpu_us
        );
    }
    slack.take_violations();
    Ok(())
}

/// Where answers to commands go; Slack has an address for each.
async fn replies() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/reply", post(|| async { "{\"ok\":true}" }));
    tokio::spawn(async move {
        // Ends with the program.
        let _ = axum::serve(listener, router).await;
    });
    Ok(address)
}

/// A bot in a process of its own.
struct Program {
    child: Child,
    address: SocketAddr,
    /// Channels with an incident, once there are some.
    rooms: Vec<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Program {
    async fn bolt(slack: &SlackServer) -> Result<Self> {
        let address = free_port()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/sdk/ack.mjs");
        let child = Command::new("node")
            .arg(script)
            .env("NODE_ENV", "production")
            .env("SDK_FOLDER", chat_libraries())
            .env("API_URL", slack.api_url())
            .env("BOT_TOKEN", slack.bot_token())
            .env("SIGNING_SECRET", slack.signing_secret())
            .env("PORT", address.port().to_string())
            .stdin(Stdio::null())
            .spawn()
            .context("node cannot be started: run scripts/setup")?;
        let mut program = Self {
            child,
            address,
            rooms: vec!["C0NOWHERE".to_owned()],
        };
        program.ready().await?;
        Ok(program)
    }

    async fn orderly(slack: &SlackServer, folder: &Path) -> Result<Self> {
        let address = free_port()?;
        let (ana, ops) = (slack.person("ana"), slack.channel("ops", &[&slack.person("ana")]));
        let config = format!(
            "[web]\nlisten = \"{address}\"\n[slack]\ntransport = \"http\"\napi_url = \"{}\"\n\
             bot_token = {{ env = \"BOT_TOKEN\" }}\nsigning_secret = {{ env = \"SIGNING_SECRET\" }}\n\
             [[person]]\nid = \"ana\"\nroles = [\"commander\"]\n\
             identities = [{{ platform = \"slack\", workspace = \"{}\", user = \"{}\" }}]\n",
            slack.api_url(),
            slack.team_id(),
            ana.id()
        );
        std::fs::write(folder.join("orderly.toml"), config)?;
        let child = Command::new(env!("CARGO_BIN_EXE_orderly"))
            .arg("serve")
            .current_dir(folder)
            .env("BOT_TOKEN", slack.bot_token())
            .env("SIGNING_SECRET", slack.signing_secret())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut program = Self {
            child,
            address,
            rooms: vec![ops],
        };
        program.ready().await?;
        Ok(program)
    }

    async fn ready(&mut self) -> Result<()> {
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Opens the incidents on which notes are written.
    async fn opened(&mut self, slack: &SlackServer, client: &Client) -> Result<()> {
        let mut stream = TcpStream::connect(self.address).await?;
        for at in 0..INCIDENTS {
            let text = format!("open Dock {at} severity=SEV3");
            client.command(&mut stream, &self.rooms[0], &text).await?;
        }
        let rooms = || {
            slack.read(|slack| {
                let rooms = slack
                    .channels()
                    .filter(|channel| channel.name.starts_with("inc-"));
                rooms.map(|channel| channel.id.clone()).collect::<Vec<_>>()
            })
        };
        while rooms().len() < INCIDENTS {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.rooms = rooms();
        // The openings have been told everywhere.
        tokio::time::sleep(REST).await;
        Ok(())
    }

    /// Resident memory in MiB.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("no VmRSS")?;
        Ok(kib.trim().parse::<f64>()? / 1024.0)
    }

    async fn spent(&self) -> Result<Spent> {
        let mut spent = Spent {
            cpu: self.cpu()?,
            decided: 0.0,
            left: 0.0,
        };
        let metrics = reqwest::get(format!("http://{}/metrics", self.address)).await?;
        for line in metrics.text().await?.lines() {
            match line.split_once(' ') {
                Some(("orderly_decisions_total", count)) => spent.decided = count.parse()?,
                Some(("orderly_inbox_depth", count)) => spent.left = count.parse()?,
                _ => {}
            }
        }
        Ok(spent)
    }

    /// Waits until everything that was acknowledged is decided.
    async fn worked_off(&self) -> Result<Spent> {
        loop {
            let spent = self.spent().await?;
            if spent.left == 0.0 {
                return Ok(spent);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// CPU time used so far, of all its threads.
    fn cpu(&self) -> Result<Duration> {
        /// The kernel counts in hundredths of a second.
        const TICK: Duration = Duration::from_millis(10);
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name before it may hold anything, also blanks.
        let (_, rest) = stat.rsplit_once(')').context("no stat")?;
        let field = |at: usize| -> Result<u32> {
            Ok(rest.split_whitespace().nth(at).context("a short stat")?.parse()?)
        };
        Ok(TICK * (field(11)? + field(12)?))
    }
}

/// What a program has done so far.
struct Spent {
    cpu: Duration,
    /// Decisions so far, and deliveries that wait for one; Bolt has neither.
    decided: f64,
    left: f64,
}

/// A program under load, and what it has done in it.
struct Side {
    program: Program,
    client: Arc<Client>,
    rest_mib: f64,
    after_mib: f64,
    took: Duration,
    noted: Noted,
    cpu: Duration,
    /// Decisions while notes came; those after that, and what they cost.
    meanwhile: f64,
    afterwards: f64,
    afterwards_cpu: Duration,
}

impl Side {
    /// At rest, then warm.
    async fn ready(slack: &SlackServer, mut program: Program, replies: SocketAddr) -> Result<Self> {
        tokio::time::sleep(REST).await;
        let rest_mib = program.resident()?;
        let client = Arc::new(Client {
            secret: slack.signing_secret(),
            team: slack.team_id(),
            user: slack.person("ana").id().to_owned(),
            replies,
            count: AtomicU64::new(0),
        });
        if program.rooms[0] != "C0NOWHERE" {
            program.opened(slack, &client).await?;
        }
        load(&program, &client, WARM).await?;
        program.worked_off().await?;
        Ok(Self {
            program,
            client,
            rest_mib,
            after_mib: 0.0,
            took: Duration::ZERO,
            noted: Noted::default(),
            cpu: Duration::ZERO,
            meanwhile: 0.0,
            afterwards: 0.0,
            afterwards_cpu: Duration::ZERO,
        })
    }

    /// One round of load, and what it leaves to be done.
    async fn round(&mut self, time: Duration) -> Result<()> {
        let before = self.program.spent().await?;
        let began = Instant::now();
        let noted = load(&self.program, &self.client, time).await?;
        self.took += began.elapsed();
        let after = self.program.spent().await?;
        self.after_mib = self.after_mib.max(self.program.resident()?);
        self.noted.add(noted);
        self.cpu += after.cpu - before.cpu;
        self.meanwhile += after.decided - before.decided;
        let left = self.program.worked_off().await?;
        self.afterwards += left.decided - after.decided;
        self.afterwards_cpu += left.cpu - after.cpu;
        Ok(())
    }

    fn measured(mut self) -> Measured {
        self.noted.waits.sort_unstable();
        let (count, took) = (self.noted.waits.len().max(1) as f64, self.took.as_secs_f64());
        let spent_us = self.cpu.as_secs_f64() * 1e6;
        let at = |share: f64| {
            let wait = self.noted.waits.get((count * share) as usize);
            wait.map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
        };
        let decided = (self.afterwards > 0.0).then(|| {
            let cpu_us = self.afterwards_cpu.as_secs_f64() * 1e6 / self.afterwards;
            Decided {
                a_second: self.meanwhile / took,
                cpu_us,
                acknowledged_us: (spent_us - self.meanwhile * cpu_us) / count,
            }
        });
        Measured {
            rest_mib: self.rest_mib,
            after_mib: self.after_mib,
            a_second: count / took,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            cpu_us: spent_us / count,
            refused: self.noted.refused,
            client: self.noted.cpu / took,
            decided,
        }
    }
}

#[derive(Default)]
struct Noted {
    waits: Vec<Duration>,
    /// Told to send it again, because the inbox was at its bound.
    refused: u64,
    /// Seconds of work of the client.
    cpu: f64,
}

impl Noted {
    fn add(&mut self, more: Self) {
        self.waits.extend(more.waits);
        self.refused += more.refused;
        self.cpu += more.cpu;
    }
}

/// Posts from a thread of its own, which does nothing else.
async fn load(program: &Program, client: &Arc<Client>, time: Duration) -> Result<Noted> {
    let (client, address, rooms) = (Arc::clone(client), program.address, program.rooms.clone());
    let posting = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let before = worked()?;
        let posting = (0..CONNECTIONS).map(|at| notes(&client, address, &rooms[at % rooms.len()], time));
        let mut all = Noted::default();
        for noted in runtime.block_on(futures::future::join_all(posting)) {
            all.add(noted?);
        }
        all.cpu = worked()? - before;
        anyhow::Ok(all)
    });
    posting.await?
}

/// One connection, one note after the other.
async fn notes(client: &Client, to: SocketAddr, room: &str, time: Duration) -> Result<Noted> {
    let until = Instant::now() + time;
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut noted = Noted::default();
    while Instant::now() < until {
        let (taken, wait) = client
            .command(&mut stream, room, "note the queue of dock four is full")
            .await?;
        match taken {
            true => noted.waits.push(wait),
            false => noted.refused += 1,
        }
    }
    Ok(noted)
}

/// Seconds that this thread has worked.
fn worked() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = stat.split(' ').next().context("an empty schedstat")?.parse()?;
    Ok(nanos / 1e9)
}

/// Slack, as far as it sends commands.
struct Client {
    secret: String,
    team: String,
    user: String,
    replies: SocketAddr,
    /// No two deliveries are the same.
    count: AtomicU64,
}

impl Client {
    /// Types a command; whether it was taken, and how long that took. Plain HTTP by hand, so that the client costs little.
    async fn command(&self, stream: &mut TcpStream, room: &str, text: &str) -> Result<(bool, Duration)> {
        let now = SystemClock.now();
        let trigger = format!(
            "{}.{:016x}",
            now.timestamp(),
            self.count.fetch_add(1, Ordering::Relaxed)
        );
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", "verification")
            .append_pair("team_id", &self.team)
            .append_pair("team_domain", "acme")
            .append_pair("channel_id", room)
            .append_pair("channel_name", "inc")
            .append_pair("user_id", &self.user)
            .append_pair("user_name", "ana")
            .append_pair("command", "/incident")
            .append_pair("text", text)
            .append_pair("api_app_id", "A0ORDERLY1")
            .append_pair("is_enterprise_install", "false")
            .append_pair("response_url", &format!("http://{}/reply", self.replies))
            .append_pair("trigger_id", &trigger)
            .finish();
        let stamp = now.timestamp().unsigned_abs();
        let request = format!(
            "POST /slack/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: {}\r\nContent-Length: {}\r\n\r\n{body}",
            signature(&self.secret, stamp, &body),
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0_u8; 4096];
        let read = read_answer(stream, &mut answer).await?;
        let wait = sent.elapsed();
        let text = String::from_utf8_lossy(&answer[..read]);
        let (head, said) = text.split_once("\r\n\r\n").context("no head")?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("unexpected: {text}");
        }
        // What was not taken is told in the answer itself; an answer in chunks that says nothing ends with a nought.
        Ok((matches!(said.trim(), "" | "0"), wait))
    }
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
        if text.contains("transfer-encoding: chunked") {
            match into[..read].ends_with(b"\r\n0\r\n\r\n") {
                true => return Ok(read),
                false => continue,
            }
        }
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if read >= head + 4 + length.unwrap_or(0) {
            return Ok(read);
        }
    }
}
