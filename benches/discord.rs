//! How fast people on Discord are answered, and what the program weighs with two platforms connected:
//! `cargo bench --bench discord -- [SECONDS] [FOLDER]`.
//!
//! * Ana types `/incident journal note` 200 times a second for SECONDS (10 unless told), over five incidents: from the moment the
//!   interaction is on the wire until its first answer has come back. The answer follows the decision, which is durable.
//!   The tests' Discord runs in the same process on a thread of its own and takes its share of the machine.
//! * Memory of `orderly serve` at rest, connected to a Slack and a Discord, which run in this process.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use orderly::app::{App, Files, Keeping, discord_settings};
use orderly::chat::discord::{Scope, register};
use orderly::clock::{Clock, SystemClock};
use orderly::config::Config;
use orderly_testbed::discord::DiscordServer;
use orderly_testbed::slack::SlackServer;
use serde_json::json;
use tokio::runtime::Runtime;

const INCIDENTS: usize = 5;
/// Interactions a second.
const RATE: u64 = 200;
/// Longest wait for something that comes within a second.
const PATIENCE: Duration = Duration::from_secs(120);
/// After a start, until nothing moves any more.
const REST: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let time = Duration::from_secs_f64(args.next().map_or(Ok(10.0), |text| text.parse())?);
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    orderly::driver::install_tls();
    // Everything of Discord's runs here, and the program elsewhere.
    let there = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let here = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    answers(&there, &here, time, tempfile::tempdir_in(&folder)?.path())?;
    memory(&there, tempfile::tempdir_in(&folder)?.path())
}

/// A server, and the config of a program on it.
fn server(there: &Runtime, folder: &Path) -> Result<(Arc<DiscordServer>, String)> {
    let discord = there.block_on(DiscordServer::start_at(SystemClock.now()));
    // What is measured is not how long Discord lets somebody wait.
    discord.limits(false);
    let (category, announce) = (discord.category("incidents"), discord.channel("announcements"));
    let token = folder.join("token");
    std::fs::write(&token, discord.bot_token())?;
    let guild = discord.guild_id();
    let ana = discord.person("ana");
    let config = format!(
        "[discord]\napi_url = \"{}\"\ntoken = {{ file = {token:?} }}\nguild = \"{guild}\"\ncategory = \"{category}\"\n\
         announce = \"{announce}\"\n[[person]]\nid = \"ana\"\nroles = [\"commander\"]\n\
         identities = [{{ platform = \"discord\", workspace = \"{guild}\", user = \"{}\" }}]\n",
        discord.api_url(),
        ana.id(),
    );
    Ok((Arc::new(discord), config))
}

fn parsed(text: &str) -> Result<Config> {
    match Config::parse("orderly.toml", text) {
        Ok(config) => Ok(config),
        Err(problems) => bail!("{}", problems[0]),
    }
}

fn answers(there: &Runtime, here: &Runtime, time: Duration, folder: &Path) -> Result<()> {
    let (discord, config) = server(there, folder)?;
    let config = parsed(&format!("[web]\nlisten = \"127.0.0.1:0\"\n{config}"))?;
    let app = here.block_on(async {
        let settings = discord_settings(&config)?.context("no [discord]")?;
        register(&settings, "incident", Scope::Guild, Arc::new(SystemClock)).await?;
        let keeping = Keeping::File(folder.join("orderly.sqlite"));
        let app = App::open(Files::read(config)?, &keeping, Arc::new(SystemClock)).await?;
        app.start().await?;
        anyhow::Ok(app)
    })?;
    let mut waits = there.block_on(typed(&discord, time))?;
    here.block_on(app.stop());
    discord.take_violations();
    let sent = waits.len();
    waits.sort_unstable();
    let at = |share: f64| {
        let wait = waits.get((sent as f64 * share) as usize);
        wait.map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    };
    println!(
        "{:<66}{:>6.1} ms p50{:>8.1} ms p99{:>8.1} ms at most",
        format!("{sent} commands, {RATE} a second, until the first answer"),
        at(0.5),
        at(0.99),
        at(1.0 - 1.0 / sent as f64),
    );
    Ok(())
}

/// Ana types; how long she waited each time.
async fn typed(discord: &Arc<DiscordServer>, time: Duration) -> Result<Vec<Duration>> {
    discord.connected(1).await;
    let (ana, ops) = (discord.person("ana"), discord.channel("ops"));
    for number in 1..=INCIDENTS {
        let options = json!({ "title": format!("Incident {number}"), "severity": "SEV3" });
        let answer = ana.commands("incident open", &options, &ops).outcome().await;
        answer.map_err(anyhow::Error::msg)?;
    }
    let rooms = |state: &orderly_testbed::discord::State| -> Vec<String> {
        let rooms = state
            .channels()
            .filter(|channel| channel.name.starts_with("inc-"));
        rooms.map(|channel| channel.id.clone()).collect()
    };
    let rooms = tokio::time::timeout(PATIENCE, async {
        loop {
            let made = discord.read(rooms);
            if made.len() == INCIDENTS {
                return made;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .context("the rooms did not open")?;
    tokio::time::sleep(REST).await;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE)?);
    let mut sent = Vec::new();
    let until = Instant::now() + time;
    let mut number = 0;
    while Instant::now() < until {
        ticks.tick().await;
        number += 1;
        let options = json!({ "text": format!("the queue is at {number}") });
        let begun = Instant::now();
        let one = ana.commands("incident journal note", &options, &rooms[number % INCIDENTS]);
        sent.push(tokio::spawn(async move {
            let answer = one.outcome().await;
            (begun.elapsed(), answer)
        }));
    }
    let mut waits = Vec::new();
    for one in sent {
        let (wait, answer) = one.await?;
        answer.map_err(anyhow::Error::msg)?;
        waits.push(wait);
    }
    Ok(waits)
}

/// `orderly serve`, ended with this.
struct Served(Child);

impl Served {
    /// Resident memory in MiB.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("no VmRSS")?.trim().parse::<f64>()? / 1024.0)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn memory(there: &Runtime, folder: &Path) -> Result<()> {
    let (discord, config) = server(there, folder)?;
    let slack = there.block_on(SlackServer::start());
    let (bot, app) = (folder.join("bot"), folder.join("app"));
    std::fs::write(&bot, slack.bot_token())?;
    std::fs::write(&app, slack.app_token())?;
    let config = format!(
        "[store]\npath = \"orderly.sqlite\"\n[web]\nlisten = \"127.0.0.1:0\"\n[slack]\napi_url = \"{}\"\ntransport = \
         \"socket\"\nbot_token = {{ file = {bot:?} }}\napp_token = {{ file = {app:?} }}\n{config}",
        slack.api_url(),
    );
    parsed(&config)?;
    std::fs::write(folder.join("orderly.toml"), &config)?;
    let served = Served(
        Command::new(env!("CARGO_BIN_EXE_orderly"))
            .arg("serve")
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    there.block_on(async {
        discord.connected(1).await;
        slack.connected(2).await;
        tokio::time::sleep(REST).await;
    });
    println!(
        "{:<66}{:>6.1} MiB",
        "memory at rest, connected to Slack and Discord",
        served.resident()?
    );
    Ok(())
}
