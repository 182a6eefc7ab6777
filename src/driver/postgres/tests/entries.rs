//! The shipped PostgreSQL entries, healthy and sick.

use chrono::{DateTime, TimeDelta, Utc};
use orderly_testbed::execute;
use sqlx::PgConnection;

use super::*;
use crate::catalog::{Catalog, When, judge};
use crate::clock::{Clock, SystemClock};
use crate::incident::{Answer, Approved, Outcome, Params, Preview, Terms, Verdict};

pub(super) fn given(values: Value) -> Params {
    values
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .collect()
}

fn when() -> When {
    When::new(
        Some(SystemClock.now() - TimeDelta::minutes(30)),
        SystemClock.now(),
    )
}

/// Asks as the engine does: from the catalog, through the driver, to a verdict.
pub(super) async fn probe(target: &Target, name: &str, params: Value) -> Answer {
    let catalog = Catalog::shipped();
    let call = catalog
        .resolve_probe(name, target, &given(params), &when())
        .unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(call.driver, "postgres");
    let reading = Postgres.read(target, &call.call, call.limits).await;
    judge(
        catalog.probe(name).unwrap(),
        reading.as_ref(),
        Duration::from_millis(1),
        &call.params,
        target,
    )
}

pub(super) fn assert_says(answer: &Answer, verdict: Verdict, words: &str) {
    assert_eq!(answer.verdict, verdict, "{answer:#?}");
    assert!(answer.summary.contains(words), "{answer:#?}");
    assert!(answer.caveats.is_empty(), "{answer:#?}");
    let bad = matches!(verdict, Verdict::Suspect | Verdict::Failing);
    assert_eq!(answer.impact.is_some(), bad, "{answer:#?}");
}

pub(super) fn terms(target: &Target, name: &str, params: Value) -> Terms {
    Catalog::shipped()
        .resolve_action(name, target, &given(params), &when())
        .unwrap_or_else(|why| panic!("{name}: {why}"))
}

pub(super) async fn propose(target: &Target, name: &str, params: Value) -> Result<Preview, Failure> {
    let call = Catalog::shipped()
        .render_action(&terms(target, name, params), target)
        .unwrap_or_else(|why| panic!("{name}: {why}"));
    Postgres.preview(target, &call.call, call.limits).await
}

pub(super) async fn run(target: &Target, preview: &Preview) -> Outcome {
    let approved = Approved::for_tests(&target.name, preview.operation.clone());
    Postgres.attempt(target, &approved, LIMITS).await
}

/// The probe an action is verified by, and whether it gives what it should.
pub(super) async fn verified(target: &Target, name: &str, params: Value) -> bool {
    let check = terms(target, name, params).verify.unwrap();
    let answer = probe(target, &check.probe, serde_json::to_value(&check.params).unwrap()).await;
    answer.verdict == check.wants
}

async fn pid(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(connection)
        .await
        .unwrap()
}

/// Runs a statement that will wait, on a session of its own.
async fn waiting(server: &Server, role: &str, statement: &'static str) -> tokio::task::JoinHandle<bool> {
    let mut session = server.connect(role, "odoo").await;
    tokio::spawn(async move { sqlx::raw_sql(statement).execute(&mut session).await.is_ok() })
}

const STOCK: &str = "CREATE TABLE stock (id int PRIMARY KEY, n int); INSERT INTO stock VALUES (1, 5), (2, 5);
    GRANT SELECT, UPDATE ON stock TO clerk, odoo";

#[tokio::test]
async fn blocking_is_followed_to_the_root_blocker_and_ends_with_its_session() {
    let server = Server::start().await;
    server.run("odoo", STOCK).await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_says(
        &probe(&target, "postgres.blocking", json!({})).await,
        Verdict::Ok,
        "nobody waits for a lock",
    );

    let mut root = server.connect("clerk", "odoo").await;
    execute(&mut root, "BEGIN; UPDATE stock SET n = 4 WHERE id = 1").await;
    let root_pid = pid(&mut root).await;
    let middle = waiting(
        &server,
        "odoo",
        "BEGIN; UPDATE stock SET n = 3 WHERE id = 2; UPDATE stock SET n = 3 WHERE id = 1; COMMIT",
    )
    .await;
    server
        .until(
            "odoo",
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        .await;
    let last = waiting(&server, "odoo", "UPDATE stock SET n = 2 WHERE id = 2").await;
    server
        .until(
            "odoo",
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        .await;

    let answer = probe(&target, "postgres.blocking", json!({})).await;
    assert_says(
        &answer,
        Verdict::Suspect,
        &format!("2 sessions wait up to 0 s for 1 (pid {root_pid})"),
    );
    let lines: Vec<&str> = answer.excerpt.lines().collect();
    assert_eq!(
        lines.len(),
        4,
        "a heading, the root, the one that waits for it, and the next: {}",
        answer.excerpt
    );
    assert!(lines[1].contains("idle in transaction"), "{}", answer.excerpt);
    let sick = probe(&target, "postgres.blocking", json!({ "failing_after": "0s" })).await;
    assert_eq!(sick.verdict, Verdict::Failing);

    let preview = propose(&target, "postgres.terminate_backend", json!({ "pid": root_pid }))
        .await
        .unwrap();
    assert!(preview.effect.contains("role = clerk"), "{}", preview.effect);
    let Outcome::Done { report } = run(&target, &preview).await else {
        panic!()
    };
    assert!(report.contains("\"ended\":true"), "{report}");
    assert!(verified(&target, "postgres.terminate_backend", json!({ "pid": root_pid })).await);
    assert!(middle.await.unwrap() && last.await.unwrap(), "both went on");
    assert_eq!(
        probe(&target, "postgres.blocking", json!({})).await.verdict,
        Verdict::Ok
    );
    let Outcome::NotDone { why } = run(&target, &preview).await else {
        panic!()
    };
    assert!(why.starts_with("nothing fits the statement any more"), "{why}");
}

#[tokio::test]
async fn a_session_with_the_same_pid_but_another_start_is_left_alone() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let mut innocent = server.connect("clerk", "odoo").await;
    let pid = pid(&mut innocent).await;
    let mut preview = propose(&target, "postgres.terminate_backend", json!({ "pid": pid }))
        .await
        .unwrap();
    let mut call = preview.operation.call.clone();
    call["binds"][1]["value"] = json!("2020-01-01T00:00:00+00:00");
    preview.operation.call = call;
    assert!(matches!(run(&target, &preview).await, Outcome::NotDone { .. }));
    execute(&mut innocent, "SELECT 'still here'").await;
}

#[tokio::test]
async fn a_statement_is_cancelled_and_its_session_stays() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let mut session = server.connect("clerk", "odoo").await;
    let pid = pid(&mut session).await;
    let why = propose(&target, "postgres.cancel_backend", json!({ "pid": pid }))
        .await
        .unwrap_err();
    assert!(
        why.to_string().starts_with("nothing here fits"),
        "an idle session has nothing to cancel: {why}"
    );
    let working = tokio::spawn(async move {
        let cancelled = sqlx::raw_sql("SELECT pg_sleep(120)")
            .execute(&mut session)
            .await
            .is_err();
        (
            cancelled,
            sqlx::raw_sql("SELECT 1").execute(&mut session).await.is_ok(),
        )
    });
    server
        .until(
            "odoo",
            &format!("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = {pid}"),
        )
        .await;
    assert!(!verified(&target, "postgres.cancel_backend", json!({ "pid": pid })).await);
    let preview = propose(&target, "postgres.cancel_backend", json!({ "pid": pid }))
        .await
        .unwrap();
    assert!(matches!(run(&target, &preview).await, Outcome::Done { .. }));
    assert_eq!(working.await.unwrap(), (true, true));
    assert!(verified(&target, "postgres.cancel_backend", json!({ "pid": pid })).await);
}

#[tokio::test]
async fn a_superusers_session_cannot_be_ended_and_the_reason_is_the_servers() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let mut boss = server.connect("postgres", "odoo").await;
    let preview = propose(
        &target,
        "postgres.terminate_backend",
        json!({ "pid": pid(&mut boss).await }),
    )
    .await
    .unwrap();
    let Outcome::NotDone { why } = run(&target, &preview).await else {
        panic!()
    };
    // The words changed with PostgreSQL 16.
    let reasons = [
        "must be a superuser to terminate superuser process",
        "Only roles with the SUPERUSER attribute may terminate processes of roles with the SUPERUSER attribute; grant",
    ];
    assert!(reasons.iter().any(|reason| why.contains(reason)), "{why}");
}

#[tokio::test]
async fn long_and_idle_transactions_are_found_prepared_ones_too() {
    let server = Server::start_with(&[("max_prepared_transactions", "2")]).await;
    server.run("odoo", STOCK).await;
    let target = target(&server, "orderly_probe", "odoo");
    let now = json!({ "suspect_after": "0s", "failing_after": "1h" });
    assert_says(
        &probe(&target, "postgres.long_transactions", json!({})).await,
        Verdict::Ok,
        "0 transactions open",
    );
    assert_says(
        &probe(&target, "postgres.idle_in_transaction", json!({})).await,
        Verdict::Ok,
        "0 sessions idle",
    );

    let mut open = server.connect("clerk", "odoo").await;
    execute(&mut open, "BEGIN; UPDATE stock SET n = 1 WHERE id = 1").await;
    let idle = probe(&target, "postgres.idle_in_transaction", now.clone()).await;
    assert_says(&idle, Verdict::Suspect, "1 sessions idle in a transaction");
    assert!(idle.excerpt.contains("clerk"), "{}", idle.excerpt);
    execute(&mut open, "PREPARE TRANSACTION 'forgotten'").await;
    let long = probe(&target, "postgres.long_transactions", now).await;
    assert_says(&long, Verdict::Suspect, "1 transactions open");
    assert!(long.excerpt.contains("prepared transaction"), "{}", long.excerpt);
    let failing = json!({ "suspect_after": "0s", "failing_after": "0s" });
    assert_eq!(
        probe(&target, "postgres.long_transactions", failing.clone())
            .await
            .verdict,
        Verdict::Failing
    );
    assert_eq!(
        probe(&target, "postgres.idle_in_transaction", json!({}))
            .await
            .verdict,
        Verdict::Ok
    );
}

#[tokio::test]
async fn connections_are_counted_against_what_is_usable() {
    let server =
        Server::start_with(&[("max_connections", "13"), ("superuser_reserved_connections", "3")]).await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_says(
        &probe(&target, "postgres.connections", json!({})).await,
        Verdict::Ok,
        "of 10 connections used",
    );
    server
        .until(
            "odoo",
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'",
        )
        .await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(server.connect("odoo", "odoo").await);
    }
    let answer = probe(&target, "postgres.connections", json!({})).await;
    assert_says(&answer, Verdict::Suspect, "8 of 10 connections used (80 %)");
    assert!(answer.excerpt.contains("odoo"), "{}", answer.excerpt);
    let strict = probe(&target, "postgres.connections", json!({ "failing_percent": 80 })).await;
    assert_eq!(strict.verdict, Verdict::Failing);
    held.push(server.connect("odoo", "odoo").await);
    held.push(server.connect("odoo", "odoo").await);
    let none_left = probe(&target, "postgres.connections", json!({})).await;
    assert_eq!(none_left.verdict, Verdict::Unknown);
    assert!(
        none_left.summary.contains("takes no more connections"),
        "{}",
        none_left.summary
    );
}

#[tokio::test]
async fn replication_lag_is_told_in_bytes_on_the_primary_and_by_its_own_clock_on_the_replica() {
    let primary = Server::start().await;
    let replica = primary.replica().await;
    primary.run("odoo", "CREATE TABLE orders (note text)").await;
    let at_primary = target(&primary, "orderly_probe", "odoo");
    let at_replica = target(&replica, "orderly_probe", "odoo");
    primary
        .until(
            "odoo",
            "SELECT coalesce(bool_and(replay_lsn = pg_current_wal_lsn()), false) FROM pg_stat_replication",
        )
        .await;
    let caught_up = probe(&at_primary, "postgres.replication_lag", json!({ "replicas": 1 })).await;
    assert_says(
        &caught_up,
        Verdict::Ok,
        "primary with 1 replicas, the worst 0 bytes behind",
    );
    assert_says(
        &probe(&at_replica, "postgres.replication_lag", json!({})).await,
        Verdict::Ok,
        "replica 0 s and 0 bytes behind",
    );

    replica.run("odoo", "SELECT pg_wal_replay_pause()").await;
    replica
        .until("odoo", "SELECT pg_get_wal_replay_pause_state() = 'paused'")
        .await;
    primary
        .run(
            "odoo",
            "INSERT INTO orders SELECT repeat('x', 1000) FROM generate_series(1, 12000)",
        )
        .await;
    replica
        .until(
            "odoo",
            "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 12000000",
        )
        .await;
    primary.until("odoo", "SELECT bool_and(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 12000000) FROM pg_stat_replication").await;
    let behind = probe(
        &at_primary,
        "postgres.replication_lag",
        json!({ "suspect_mib": 10 }),
    )
    .await;
    assert_says(&behind, Verdict::Suspect, "primary with 1 replicas, the worst 1");
    let failing = probe(
        &at_primary,
        "postgres.replication_lag",
        json!({ "failing_mib": 10 }),
    )
    .await;
    assert_eq!(failing.verdict, Verdict::Failing);
    assert_says(
        &probe(&at_replica, "postgres.replication_lag", json!({})).await,
        Verdict::Suspect,
        "replay is paused",
    );

    let missing = probe(&at_primary, "postgres.replication_lag", json!({ "replicas": 2 })).await;
    assert_eq!(missing.verdict, Verdict::Failing);
    primary
        .run(
            "odoo",
            "SELECT pg_create_physical_replication_slot('forgotten', true)",
        )
        .await;
    let slot = probe(&at_primary, "postgres.replication_lag", json!({})).await;
    assert_says(&slot, Verdict::Suspect, "1 slots without a reader keep");
    drop(primary);
    replica.run("odoo", "SELECT pg_wal_replay_resume()").await;
    replica
        .until("odoo", "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
        .await;
    let alone = probe(&at_replica, "postgres.replication_lag", json!({})).await;
    assert_says(&alone, Verdict::Suspect, "not connected to its primary");
}

#[tokio::test]
async fn size_names_the_largest_tables_without_locking_them() {
    let server = Server::start().await;
    server.run("odoo", "CREATE TABLE attachments AS SELECT repeat('x', 1000) AS data FROM generate_series(1, 9000); ANALYZE attachments").await;
    let target = target(&server, "orderly_probe", "odoo");
    let mut holder = server.connect("postgres", "odoo").await;
    execute(
        &mut holder,
        "BEGIN; LOCK TABLE attachments IN ACCESS EXCLUSIVE MODE",
    )
    .await;
    let answer = probe(&target, "postgres.size", json!({})).await;
    assert_says(&answer, Verdict::Ok, "in this database");
    assert!(answer.excerpt.contains("attachments"), "{}", answer.excerpt);
    assert_eq!(
        probe(&target, "postgres.size", json!({ "limit_mib": 5 }))
            .await
            .verdict,
        Verdict::Failing
    );
}

#[tokio::test]
async fn wal_that_piles_up_is_suspect() {
    let server = Server::start_with(&[("max_wal_size", "32MB"), ("min_wal_size", "32MB")]).await;
    server
        .run(
            "odoo",
            "SELECT pg_create_physical_replication_slot('forgotten', true); CREATE TABLE t (n int)",
        )
        .await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_eq!(
        probe(&target, "postgres.size", json!({})).await.verdict,
        Verdict::Ok
    );
    for _ in 0..6 {
        server
            .run("odoo", "INSERT INTO t VALUES (1); SELECT pg_switch_wal()")
            .await;
    }
    assert_says(
        &probe(&target, "postgres.size", json!({})).await,
        Verdict::Suspect,
        "of WAL",
    );
}

#[tokio::test]
async fn settings_that_changed_since_the_onset_are_named() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let started: String = server
        .value("odoo", "SELECT to_char((pg_postmaster_start_time() + interval '1.5 s') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        .await;
    let after: DateTime<Utc> = started.parse().unwrap();
    SystemClock.until(after + TimeDelta::milliseconds(10)).await;
    let since = json!({ "since": after.to_rfc3339() });
    let quiet = probe(&target, "postgres.settings_changed", since.clone()).await;
    assert_says(&quiet, Verdict::Ok, "neither restarted nor reloaded since");
    let restarted = probe(&target, "postgres.settings_changed", json!({})).await;
    assert_says(&restarted, Verdict::Suspect, "restarted ");

    server.run("odoo", "ALTER SYSTEM SET max_connections = 50").await;
    server.run("odoo", "SELECT pg_reload_conf()").await;
    server
        .until("odoo", "SELECT bool_or(pending_restart) FROM pg_settings")
        .await;
    let changed = probe(&target, "postgres.settings_changed", since).await;
    assert_says(&changed, Verdict::Suspect, "1 settings wait for a restart");
    assert!(
        changed.summary.starts_with("settings loaded "),
        "{}",
        changed.summary
    );
    assert!(
        changed
            .excerpt
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("max_connections")),
        "{}",
        changed.excerpt
    );
}

#[tokio::test]
async fn deadlocks_are_counted_by_the_day() {
    let server = Server::start().await;
    server.run("odoo", STOCK).await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_says(
        &probe(&target, "postgres.deadlocks", json!({})).await,
        Verdict::Ok,
        "0 deadlocks",
    );
    let mut one = server.connect("clerk", "odoo").await;
    execute(&mut one, "BEGIN; UPDATE stock SET n = 1 WHERE id = 1").await;
    let other = waiting(
        &server,
        "odoo",
        "BEGIN; UPDATE stock SET n = 2 WHERE id = 2; UPDATE stock SET n = 2 WHERE id = 1; COMMIT",
    )
    .await;
    server
        .until(
            "odoo",
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        .await;
    let mine = sqlx::raw_sql("UPDATE stock SET n = 1 WHERE id = 2")
        .execute(&mut one)
        .await
        .is_ok();
    execute(&mut one, "ROLLBACK").await;
    assert_ne!(
        mine,
        other.await.unwrap(),
        "exactly one of the two was the victim"
    );
    server
        .until("odoo", "SELECT sum(deadlocks) > 0 FROM pg_stat_database")
        .await;
    assert_says(
        &probe(&target, "postgres.deadlocks", json!({})).await,
        Verdict::Suspect,
        "1 deadlocks in 1 days",
    );
    assert_eq!(
        probe(&target, "postgres.deadlocks", json!({ "failing_a_day": 1 }))
            .await
            .verdict,
        Verdict::Failing
    );
}

#[tokio::test]
async fn a_noisy_neighbour_is_named_by_its_database() {
    let server = Server::start().await;
    server.run("postgres", "CREATE DATABASE other_tenant").await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_says(
        &probe(&target, "postgres.tenants", json!({})).await,
        Verdict::Ok,
        "no other database is active",
    );
    let mut noise = Vec::new();
    for _ in 0..6 {
        let mut session = server.connect("clerk", "other_tenant").await;
        noise.push(tokio::spawn(async move {
            sqlx::raw_sql("SELECT pg_sleep(600)")
                .execute(&mut session)
                .await
                .is_ok()
        }));
    }
    server
        .until(
            "odoo",
            "SELECT count(*) = 6 FROM pg_stat_activity WHERE datname = 'other_tenant' AND state = 'active'",
        )
        .await;
    let answer = probe(&target, "postgres.tenants", json!({})).await;
    assert_says(
        &answer,
        Verdict::Suspect,
        "other_tenant has 6 of 6 active sessions (100 %); this one has 0",
    );
    assert_eq!(
        probe(&target, "postgres.tenants", json!({ "least_active": 3 }))
            .await
            .verdict,
        Verdict::Failing
    );
}

#[tokio::test]
async fn transaction_ids_that_run_out_are_seen_long_before() {
    let healthy = Server::start().await;
    let answer = probe(
        &target(&healthy, "orderly_probe", "odoo"),
        "postgres.wraparound",
        json!({}),
    )
    .await;
    assert_says(&answer, Verdict::Ok, "0 % of the transaction ids used");
    let old = Server::start_at_transaction(1_900_000_000).await;
    let answer = probe(
        &target(&old, "orderly_probe", "odoo"),
        "postgres.wraparound",
        json!({}),
    )
    .await;
    assert_says(&answer, Verdict::Failing, "88 % of the transaction ids used");
}

#[tokio::test]
async fn dead_rows_that_nobody_cleans_up_are_seen() {
    let server = Server::start_with(&[("autovacuum", "on")]).await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_says(
        &probe(&target, "postgres.vacuum", json!({})).await,
        Verdict::Ok,
        "no table with many dead rows",
    );
    server
        .run(
            "odoo",
            "CREATE TABLE moves (n int) WITH (autovacuum_enabled = off); INSERT INTO moves SELECT generate_series(1, 20000)",
        )
        .await;
    server.run("odoo", "UPDATE moves SET n = n + 1").await;
    server
        .until(
            "odoo",
            "SELECT n_dead_tup >= 20000 FROM pg_stat_user_tables WHERE relname = 'moves'",
        )
        .await;
    assert_says(
        &probe(&target, "postgres.vacuum", json!({})).await,
        Verdict::Suspect,
        "moves is 50 % dead rows",
    );
    assert_eq!(
        probe(&target, "postgres.vacuum", json!({ "failing_percent": 50 }))
            .await
            .verdict,
        Verdict::Failing
    );
}

#[tokio::test]
async fn autovacuum_that_is_off_is_suspect() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    assert_says(
        &probe(&target, "postgres.vacuum", json!({})).await,
        Verdict::Suspect,
        "autovacuum is off",
    );
}
