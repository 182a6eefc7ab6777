//! An incident on PostgreSQL with an Odoo database, Redis and an HTTP service, all of them real.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use orderly::app::Files;
use orderly::config::Config;
use orderly::incident::{Containment, Phase, Stage, State, Verdict};
use orderly_testbed::{Postgres, Redis, odoo};

use crate::kit::{INCIDENT, Room, opened, tls};

const CRON: &str = "Account: Post draft entries";
const ACTIVE: &str = "SELECT active FROM ir_cron WHERE cron_name = 'Account: Post draft entries'";

/// The e-invoicing portal: it answers 503 until it is mended.
async fn portal() -> (u16, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&well);
    let health = move || async move {
        match asked.load(Ordering::SeqCst) {
            true => (StatusCode::OK, "well\n"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "no entries arrive\n"),
        }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    let router = Router::new().route("/health", get(health));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, well)
}

/// Odoo 17 with the job queue; the scheduled posting is an hour late.
async fn database() -> Postgres {
    let server = Postgres::start().await;
    for script in [odoo::V17, odoo::QUEUE_JOB, odoo::GRANTS] {
        server.run("odoo", script).await;
    }
    server
        .run(
            "odoo",
            "UPDATE ir_cron SET nextcall = (now() AT TIME ZONE 'UTC') - interval '1 hour' WHERE id = 1",
        )
        .await;
    server
}

/// The operator's orderly.toml. The two users of the database have a password file each.
fn config(folder: &std::path::Path, postgres: u16, redis: u16, portal: u16) -> Config {
    for role in ["orderly_probe", "orderly_act"] {
        std::fs::write(folder.join(role), role).expect("a password file");
    }
    let folder = folder.display();
    let text = format!(
        r#"
[[person]]
id = "ana"
name = "Ana Bell"
roles = ["commander", "responder"]

[[person]]
id = "ben"
name = "Ben Ode"
roles = ["approver", "responder"]

[[target]]
name = "odoo"
kind = "odoo"
environment = "production"
url = "postgres://127.0.0.1:{postgres}/odoo"
[target.probe]
user = "orderly_probe"
password = {{ file = "{folder}/orderly_probe" }}
[target.action]
user = "orderly_act"
password = {{ file = "{folder}/orderly_act" }}

[[target]]
name = "sessions"
kind = "redis"
environment = "production"
url = "redis://127.0.0.1:{redis}"

[[target]]
name = "portal"
kind = "http"
environment = "production"
url = "http://127.0.0.1:{portal}"
"#
    );
    Config::parse("orderly.toml", &text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What a probe answered last.
#[track_caller]
fn verdict(state: &State, probe: &str) -> (Verdict, String) {
    let mut runs = state.runs.values().rev();
    let answer = runs
        .find(|run| run.asked.probe == probe)
        .and_then(|run| run.answer.as_ref());
    let answer = answer.unwrap_or_else(|| panic!("{probe} has not answered"));
    (answer.verdict, answer.summary.clone())
}

/// Whether the latest proposal was done and looked at afterwards.
#[track_caller]
fn assert_verified(state: &State) {
    let (id, last) = state.proposals.iter().next_back().expect("a proposal");
    assert!(
        matches!(last.stage, Stage::Verified { worked: true, .. }),
        "{id} is {}",
        last.stage.word()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_incident_runs_against_postgresql_redis_and_http() {
    tls();
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("orderly.sqlite");
    let (odoo, sessions, (portal, portal_is_well)) = tokio::join!(database(), Redis::start(), portal());
    let files =
        Files::read(config(folder.path(), odoo.port(), sessions.port(), portal)).expect("whole files");
    let app = opened(files, &journal).await;
    app.start().await.expect("a program that starts");
    let room = Room::new(&app);
    let active = async || odoo.value::<bool>("odoo", ACTIVE).await;

    confirm(&room).await;
    contain(&room).await;
    assert!(active().await, "nothing runs before it is approved");
    let own = room.tried("ana", "approve A1").await;
    assert!(!own.accepted, "{}", own.message.fallback);
    let state = room.says("ben", "approve A1").await;
    assert_verified(&state);
    assert!(!active().await, "the row itself is off");

    triage(&room).await;
    recover(&room).await;
    assert!(!active().await, "an undo waits for its approval as well");
    let state = room.says("ben", "approve A2").await;
    assert_verified(&state);
    assert!(active().await, "the row itself is on again");
    assert!(
        !matches!(
            state.proposals.values().next().expect("A1").containment,
            Some(Containment::InForce { .. })
        ),
        "the containment is lifted"
    );
    // Odoo runs it, and finance's portal gets its entries.
    odoo.run(
        "odoo",
        "UPDATE ir_cron SET lastcall = now() AT TIME ZONE 'UTC', \
         nextcall = (now() AT TIME ZONE 'UTC') + interval '1 hour' WHERE id = 1",
    )
    .await;
    portal_is_well.store(true, Ordering::SeqCst);
    learn(&room).await;

    let document = app
        .engine
        .document(INCIDENT, "markdown", u64::MAX)
        .await
        .expect("a post-mortem");
    let text = String::from_utf8(document.bytes).expect("text");
    for part in [
        "Month-end posting fails",
        "UPDATE ir_cron SET active = false",
        "UPDATE ir_cron SET active = true",
        "Ben Ode",
        "release 14.2 books into the closed period",
        "test posting on a copy before every release",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    app.stop().await;
    let report = orderly::store::sqlite::verify_file(&journal, None)
        .await
        .expect("a journal that can be read");
    assert!(report.sound() && report.heads.len() >= 2, "{report:?}");
}

async fn confirm(room: &Room<'_>) {
    room.says(
        "ana",
        "open Month-end posting fails severity=SEV2 process=finance-posting target=odoo,sessions,portal \
         runbook=month-end-posting",
    )
    .await;
    room.says("ana", "take commander").await;
    room.says("ana", "probe run odoo.crons odoo").await;
    room.says("ana", "probe run redis.ping sessions").await;
    let state = room.says("ana", "probe run http.health portal").await;
    let (crons, summary) = verdict(&state, "odoo.crons");
    assert_eq!(crons, Verdict::Suspect, "{summary}");
    assert!(summary.contains(CRON), "{summary}");
    assert_eq!(verdict(&state, "redis.ping").0, Verdict::Ok);
    assert_eq!(verdict(&state, "http.health").0, Verdict::Failing);
    room.says(
        "ana",
        "frame function month-end posting works=\"everything else\" who=\"finance, 12 people\" \
         impact=\"the month cannot be closed\" since=\"1h ago\"",
    )
    .await;
    let state = room
        .says("ana", "next reason=\"finance confirms it by phone\"")
        .await;
    assert_eq!(state.phase, Phase::Contain);
}

async fn contain(room: &Room<'_>) {
    room.says("ana", "damage yes entries are posted into the closed period")
        .await;
    let state = room
        .says(
            "ana",
            &format!("propose odoo.cron.disable odoo cron=\"{CRON}\" reason=\"it posts wrong entries\""),
        )
        .await;
    let proposal = state.proposals.values().next().expect("a proposal");
    let shown = proposal.stage.shown().expect("a preview");
    assert!(shown.preview.effect.contains(CRON), "{}", shown.preview.effect);
}

async fn triage(room: &Room<'_>) {
    let state = room
        .says("ana", "next reason=\"finance posts nothing by hand\"")
        .await;
    assert_eq!(state.phase, Phase::Triage);
    room.says("ben", "probe run odoo.modules_changed odoo").await;
    room.says("ben", "probe run odoo.queue_jobs odoo").await;
    room.says("ben", "probe run redis.memory sessions").await;
    let state = room.says("ben", "finding clear resources nothing is full").await;
    assert_eq!(verdict(&state, "odoo.queue_jobs").0, Verdict::Ok);
    room.says(
        "ben",
        "finding add changes suspect \"release 14.2 books into the closed period\"",
    )
    .await;
    let cause = room.says("ana", "finding accept D2").await.cause;
    assert!(cause.is_some());
    assert_eq!(room.says("ana", "next").await.phase, Phase::Decide);
    room.says(
        "ana",
        "decide roll-back the release can be undone cleanly facts=D2",
    )
    .await;
    let state = room
        .says("ana", "next reason=\"finance has seen one entry of each kind\"")
        .await;
    assert_eq!(state.phase, Phase::Recover);
}

async fn recover(room: &Room<'_>) {
    let state = room.says("ana", "undo A1 release 14.1 is back").await;
    let undo = state.proposals.values().next_back().expect("the undo");
    assert_eq!(undo.terms.action, "odoo.cron.enable");
    assert!(!undo.stage.is_over());
}

async fn learn(room: &Room<'_>) {
    room.says("ana", "probe run http.health portal").await;
    let state = room.says("ana", "probe run odoo.crons odoo").await;
    assert_eq!(verdict(&state, "http.health").0, Verdict::Ok);
    assert_eq!(verdict(&state, "odoo.crons").0, Verdict::Ok);
    room.says(
        "ana",
        "check records passed count=0 finance reversed them in Odoo",
    )
    .await;
    room.says("ana", "check backlog passed no draft is left").await;
    let state = room
        .says("ana", "check smoke-test passed one entry of each kind")
        .await;
    let changes: Vec<_> = state.unsettled_changes().map(|(id, _)| id).collect();
    for change in changes {
        room.says("ana", &format!("recovery keep {change} the action is on again"))
            .await;
    }
    let state = room
        .says("ana", "next reason=\"finance signed off the trial balance\"")
        .await;
    assert_eq!(state.phase, Phase::Learn);
    room.says(
        "ana",
        "followup add test posting on a copy before every release owner=@ben due=14d",
    )
    .await;
    room.says(
        "ana",
        "postmortem edit cause release 14.2 books into the closed period",
    )
    .await;
    room.says("ana", "export markdown").await;
}
