//! How fast the store is, beside what the disk and SQLite allow: `cargo bench --bench store -- [SECONDS] [FOLDER]`.
//!
//! Every line runs for SECONDS (2 unless told) on a file in FOLDER (the system's temporary folder unless told; a
//! folder in memory says nothing about durability). Lines marked `floor` are plain SQLite in the same run.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use orderly::incident::IncidentId;
use orderly::store::sqlite::{OpenOptions, Sqlite, open};
use orderly::store::{
    Append, Commit, Delivery, EffectId, Evidence, InboxDone, InboxId, Lane, NewEffect, NewEvent, Received,
    Snapshot, Store, Stream, Summary, Which, verify,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

/// Connections of the web server in the goals.
const CALLERS: u64 = 16;
/// Incidents the load is spread over.
const INCIDENTS: u64 = 100;
/// A command as Slack posts it has about this size.
const BODY: usize = 300;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    // `cargo bench` adds a flag of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let time = Duration::from_secs_f64(args.next().map_or(Ok(2.0), |text| text.parse())?);
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder)?;
    let folder = folder.path();

    println!("{:<58}{:>12}{:>11}{:>11}", "", "per second", "p50 ms", "p99 ms");
    floor_single(folder, time).await?;
    floor_grouped(folder, time).await?;
    let store = Arc::new(open(folder.join("commits.db"), OpenOptions::default()).await?);
    commits(&store, time, INCIDENTS).await?;
    commits(&store, time, 1).await?;
    together(&store, time).await?;
    drop(store);
    cold(folder).await
}

struct Times {
    done: Vec<Duration>,
    took: Duration,
}

impl Times {
    fn print(mut self, what: &str) {
        self.done.sort_unstable();
        let at = |share: f64| {
            let place = (self.done.len() as f64 * share) as usize;
            self.done
                .get(place.min(self.done.len() - 1))
                .map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        let rate = self.done.len() as f64 / self.took.as_secs_f64();
        println!("{what:<58}{rate:>12.0}{:>11.2}{:>11.2}", at(0.5), at(0.99));
    }
}

/// Runs `work(caller, turn)` over and over in as many tasks as there are callers.
async fn run<F, Out>(time: Duration, callers: u64, work: F) -> Result<Times>
where
    F: Fn(u64, u64) -> Out + Clone + Send + 'static,
    Out: Future<Output = Result<()>> + Send,
{
    let begin = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let work = work.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                for turn in 0.. {
                    let start = Instant::now();
                    work(caller, turn).await?;
                    done.push(start.elapsed());
                    if begin.elapsed() >= time {
                        break;
                    }
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut done = Vec::new();
    for task in tasks {
        done.extend(task.await??);
    }
    Ok(Times {
        done,
        took: begin.elapsed(),
    })
}

async fn plain(path: &Path) -> Result<SqliteConnection> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?;
    sqlx::query("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

async fn floor_single(folder: &Path, time: Duration) -> Result<()> {
    let mut connection = plain(&folder.join("single.db")).await?;
    let body = "x".repeat(BODY);
    let begin = Instant::now();
    let mut done = Vec::new();
    while begin.elapsed() < time {
        let start = Instant::now();
        sqlx::query("INSERT INTO rows (body) VALUES (?)")
            .bind(&body)
            .execute(&mut connection)
            .await?;
        done.push(start.elapsed());
    }
    Times {
        done,
        took: begin.elapsed(),
    }
    .print("floor: one row, one durable commit, one caller");
    Ok(())
}

async fn floor_grouped(folder: &Path, time: Duration) -> Result<()> {
    let mut connection = plain(&folder.join("grouped.db")).await?;
    let rows = serde_json::to_string(&vec!["x".repeat(BODY); CALLERS as usize])?;
    let begin = Instant::now();
    let mut done = Vec::new();
    while begin.elapsed() < time {
        let start = Instant::now();
        let sql = "INSERT INTO rows (body) SELECT value FROM json_each(?)";
        sqlx::query(sql).bind(&rows).execute(&mut connection).await?;
        done.extend(std::iter::repeat_n(start.elapsed(), CALLERS as usize));
    }
    Times {
        done,
        took: begin.elapsed(),
    }
    .print("floor: rows in durable commits of 16, one caller");
    Ok(())
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000)
}

fn delivery(key: &str) -> Delivery {
    Delivery {
        delivery_key: format!("slack/T024BE7LD/Ev{key}"),
        subject_key: None,
        platform: "slack".into(),
        body: "x".repeat(BODY),
        received: now(),
        urgent: false,
    }
}

fn event() -> NewEvent {
    NewEvent {
        kind: "finding_recorded".into(),
        version: 1,
        payload: format!("{{\"text\":\"{}\"}}", "x".repeat(BODY)),
        recorded: now(),
        occurred: now(),
        source: "slack".into(),
        by: "ana".into(),
    }
}

fn effect(key: String, channel: u64) -> NewEffect {
    NewEffect {
        key,
        merge: true,
        lane: Lane::Normal,
        channel: format!("slack/T024BE7LD/C{channel}"),
        body: "x".repeat(BODY),
        not_before: None,
        deadline: None,
    }
}

/// What one decision writes: an event, the inbox entry done, two effects, and one effect done.
async fn decide(
    store: &Sqlite,
    incident: u64,
    seq: u64,
    inbox: InboxId,
    done: Vec<EffectId>,
) -> Result<Vec<EffectId>> {
    let stream = Stream::Incident(IncidentId(incident));
    let committed = store
        .commit(Commit {
            at: now(),
            appends: vec![Append {
                stream,
                expected: seq,
                events: vec![event()],
            }],
            inbox_done: vec![InboxDone {
                inbox,
                outcome: "{\"ok\":true}".into(),
            }],
            effects: vec![
                effect(format!("inc-{incident}/{}/post", seq + 1), incident),
                effect(format!("inc-{incident}/card"), incident),
            ],
            effects_done: done,
            ..Commit::default()
        })
        .await?;
    Ok(committed.effects)
}

async fn one(store: &Sqlite, key: &str) -> Result<InboxId> {
    match store.receive(delivery(key)).await? {
        Received::Fresh(id) => Ok(id),
        Received::Duplicate(..) => anyhow::bail!("{key} was sent twice"),
    }
}

/// Deliveries of one round: they fit into the inbox, and are decided before the next round.
const ROUND: u64 = 8_000;

/// Rounds of receives and then of commits, each with a clock of its own.
async fn commits(store: &Arc<Sqlite>, time: Duration, incidents: u64) -> Result<()> {
    let mut received = Times {
        done: Vec::new(),
        took: Duration::ZERO,
    };
    let mut decided = Times {
        done: Vec::new(),
        took: Duration::ZERO,
    };
    for round in 0.. {
        if decided.took >= time {
            break;
        }
        let ids = receive_round(store, &format!("{incidents}-{round}"), &mut received).await?;
        decide_round(store, ids, incidents, &mut decided).await?;
    }
    if incidents > 1 {
        received.print("receive, 16 callers");
        decided.print("commit (1 event, 2 effects, 1 done), 100 incidents");
    } else {
        decided.print("the same on one single incident, one after the other");
    }
    Ok(())
}

async fn receive_round(store: &Arc<Sqlite>, round: &str, times: &mut Times) -> Result<Vec<Vec<InboxId>>> {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (store, round) = (store.clone(), round.to_owned());
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for turn in 0..ROUND / CALLERS {
                    let start = Instant::now();
                    mine.push((
                        one(&store, &format!("{round}-{caller}-{turn}")).await?,
                        start.elapsed(),
                    ));
                }
                anyhow::Ok(mine)
            })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        let (mine, done): (Vec<InboxId>, Vec<Duration>) = task.await??.into_iter().unzip();
        ids.push(mine);
        times.done.extend(done);
    }
    times.took += begin.elapsed();
    Ok(ids)
}

/// Each caller decides on incidents of its own: two decisions on one incident are one after the other by nature.
async fn decide_round(
    store: &Arc<Sqlite>,
    ids: Vec<Vec<InboxId>>,
    incidents: u64,
    times: &mut Times,
) -> Result<()> {
    let callers = if incidents == 1 { vec![ids.concat()] } else { ids };
    let count = callers.len() as u64;
    let base = if incidents == 1 { 1_000 } else { 0 };
    let begin = Instant::now();
    let tasks: Vec<_> = (0..count)
        .zip(callers)
        .map(|(caller, mine)| {
            let own: Vec<u64> = (1..=incidents)
                .filter(|n| n % count == caller)
                .map(|n| base + n)
                .collect();
            let own = if own.is_empty() { vec![base + 1] } else { own };
            tokio::spawn(decide_one_by_one(store.clone(), mine, own))
        })
        .collect();
    for task in tasks {
        times.done.extend(task.await??);
    }
    times.took += begin.elapsed();
    Ok(())
}

async fn decide_one_by_one(
    store: Arc<Sqlite>,
    mine: Vec<InboxId>,
    incidents: Vec<u64>,
) -> Result<Vec<Duration>> {
    let mut heads = Vec::new();
    for incident in &incidents {
        heads.push(store.head(Stream::Incident(IncidentId(*incident))).await?.seq);
    }
    let mut done = Vec::with_capacity(mine.len());
    let mut last = Vec::new();
    for (turn, inbox) in mine.into_iter().enumerate() {
        let turn = turn % incidents.len();
        let start = Instant::now();
        let mut effects = decide(
            &store,
            incidents[turn],
            heads[turn],
            inbox,
            std::mem::take(&mut last),
        )
        .await?;
        done.push(start.elapsed());
        effects.truncate(1);
        last = effects;
        heads[turn] += 1;
    }
    Ok(done)
}

/// Each caller receives, decides, receives: what a command costs the store from end to end.
async fn together(store: &Arc<Sqlite>, time: Duration) -> Result<()> {
    let shared = store.clone();
    let times = run(time, CALLERS, move |caller, turn| {
        let store = shared.clone();
        async move {
            let inbox = one(&store, &format!("together-{caller}-{turn}")).await?;
            decide(&store, 2_000 + caller, turn, inbox, Vec::new())
                .await
                .map(|_| ())
        }
    });
    times.await?.print("receive then commit, 16 callers");
    Ok(())
}

/// What a start and a cold load cost on a large file.
async fn cold(folder: &Path) -> Result<()> {
    const EVENTS: u64 = 1_000_000;
    let path = folder.join("large.db");
    let store = Arc::new(open(&path, OpenOptions::default()).await?);
    let filling: Vec<_> = (1..=1_000_u64)
        .map(|number| fill(store.clone(), number, EVENTS / 1_000))
        .collect();
    for chunk in futures::future::join_all(filling).await {
        chunk?;
    }
    fill(store.clone(), 1_001, 10_000).await?;
    let stream = Stream::Incident(IncidentId(1_001));
    store
        .put_snapshot(Snapshot {
            stream,
            seq: 9_990,
            version: 1,
            bytes: vec![7; 1 << 20],
        })
        .await?;
    let evidence = Evidence::new(IncidentId(1), "text/plain", vec![7; 1 << 20]);
    store
        .commit(Commit {
            evidence: vec![evidence],
            ..Commit::default()
        })
        .await?;
    store.close().await?;

    let ms = |start: Instant| start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let store = Arc::new(open(&path, OpenOptions::default()).await?);
    let open_ones = store.summaries(Which::Open, None, 1_000).await?;
    for summary in &open_ones {
        store.events(Stream::Incident(summary.incident), 990, 100).await?;
    }
    println!(
        "{:<58}{:>23.1}",
        "start: 1,000,000 events, 20 open loaded from a snapshot, ms",
        ms(start)
    );
    let start = Instant::now();
    let whole = store.events(stream, 0, 10_000).await?.len();
    println!(
        "{:<58}{:>23.1}",
        format!("load {whole} events of one incident, ms"),
        ms(start)
    );
    let start = Instant::now();
    let snapshot = store.snapshot(stream).await?.map_or(0, |snapshot| snapshot.seq);
    let rest = store.events(stream, snapshot, 10_000).await?.len();
    println!(
        "{:<58}{:>23.1}",
        format!("load a 1 MB snapshot and {rest} events, ms"),
        ms(start)
    );
    let start = Instant::now();
    let report = verify(store.as_ref(), None).await?;
    anyhow::ensure!(report.sound(), "the journal does not verify");
    println!("{:<58}{:>23.1}", "verify 1,010,000 events, ms", ms(start));
    store.close().await?;
    Ok(())
}

/// Fills one incident in commits of a hundred events.
async fn fill(store: Arc<Sqlite>, number: u64, events: u64) -> Result<()> {
    let incident = IncidentId(number);
    for expected in (0..events).step_by(100) {
        let append = Append {
            stream: Stream::Incident(incident),
            expected,
            events: vec![event(); 100],
        };
        let summary = Summary {
            incident,
            open: number <= 20,
            private: false,
            body: "{}".into(),
        };
        store
            .commit(Commit {
                appends: vec![append],
                summaries: vec![summary],
                ..Commit::default()
            })
            .await?;
    }
    Ok(())
}
