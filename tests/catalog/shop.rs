//! The HTTP probes and actions, against a small shop that speaks what the demo speaks and can be made ill.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use orderly::driver::Target;
use orderly::incident::Verdict;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{ask, onset, systems, target};

/// How the shop is doing.
#[derive(Clone, Default)]
struct Shop(Arc<Mutex<Health>>);

#[derive(Default)]
struct Health {
    down: bool,
    database_gone: bool,
    running: bool,
    wrong: u64,
    depth: u64,
    changes: Vec<Value>,
    log: Vec<&'static str>,
    flag: bool,
    since: Option<String>,
}

impl Shop {
    fn set(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.0.lock().expect("not poisoned"));
    }

    fn get<T>(&self, read: impl FnOnce(&mut Health) -> T) -> T {
        read(&mut self.0.lock().expect("not poisoned"))
    }

    /// Serves the shop on loopback.
    async fn open(&self, kind: &str) -> Target {
        let routes = Router::new()
            .route("/health", get(async |State(shop): State<Shop>| shop.get(health)))
            .route(
                "/web/health",
                get(async |State(shop): State<Shop>| shop.get(odoo_health)),
            )
            .route(
                "/jobs",
                get(async |State(shop): State<Shop>| shop.get(|it| Json(jobs(it)))),
            )
            .route("/jobs/{job}/{verb}", post(job))
            .route(
                "/records",
                get(async |State(shop): State<Shop>| shop.get(|it| Json(records(it)))),
            )
            .route(
                "/queue",
                get(async |State(shop): State<Shop>| shop.get(|it| Json(json!({ "depth": it.depth })))),
            )
            .route(
                "/changes",
                get(async |State(shop): State<Shop>| shop.get(|it| Json(json!(it.changes)))),
            )
            .route("/log", get(log))
            .route(
                "/flags/{flag}",
                get(async |State(shop): State<Shop>| shop.get(|it| Json(json!({ "enabled": it.flag })))),
            )
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        target(kind, &url)
    }
}

fn health(shop: &mut Health) -> Response {
    match shop.down {
        true => (StatusCode::SERVICE_UNAVAILABLE, "down for repair").into_response(),
        false => Json(json!({ "status": "pass" })).into_response(),
    }
}

fn odoo_health(shop: &mut Health) -> Response {
    match shop.database_gone {
        true => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({ "status": "fail", "db_server_status": false })),
        )
            .into_response(),
        false => Json(json!({ "status": "pass", "db_server_status": true })).into_response(),
    }
}

fn jobs(shop: &mut Health) -> Value {
    json!([{ "name": "reprice", "running": shop.running, "wrong": shop.wrong }, { "name": "mail", "running": true, "wrong": 0 }])
}

fn records(shop: &mut Health) -> Value {
    json!({ "total": 900, "wrong": shop.wrong, "repaired": 0, "last_wrong_at": null })
}

async fn job(State(shop): State<Shop>, Path((_, verb)): Path<(String, String)>) -> StatusCode {
    shop.set(|shop| shop.running = verb == "resume");
    StatusCode::OK
}

async fn log(State(shop): State<Shop>, Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    shop.get(|shop| {
        shop.since = query
            .into_iter()
            .find(|(key, _)| key == "since")
            .map(|(_, value)| value);
        Json(json!(shop.log))
    })
}

/// Asks while all is well, makes the shop ill, asks again.
async fn healthy_then_sick(
    probe: &str,
    params: Value,
    illness: impl FnOnce(&mut Health),
    sick: Verdict,
) -> [String; 2] {
    let shop = Shop::default();
    let target = shop
        .open(if probe.starts_with("odoo") { "odoo" } else { "demo" })
        .await;
    let well = ask(probe, &target, params.clone()).await;
    assert_eq!(well.verdict, Verdict::Ok, "{probe}: {}", well.summary);
    assert_eq!(well.impact, None);
    shop.set(illness);
    let ill = ask(probe, &target, params).await;
    assert_eq!(ill.verdict, sick, "{probe}: {}", ill.summary);
    [well.summary, ill.summary]
}

#[tokio::test]
async fn health_is_told_from_a_service_that_is_down() {
    for probe in ["http.health", "demo.health"] {
        let [well, ill] =
            healthy_then_sick(probe, json!({}), |shop| shop.down = true, Verdict::Failing).await;
        assert!(
            well.starts_with("HTTP 200 in ") && ill.starts_with("HTTP 503 in "),
            "{well} / {ill}"
        );
        let gone = ask(probe, &target("demo", "http://127.0.0.1:1"), json!({})).await;
        assert_eq!(gone.verdict, Verdict::Failing, "nobody there: {}", gone.summary);
    }
}

#[tokio::test]
async fn odoo_that_lost_its_database_is_failing() {
    let [well, ill] = healthy_then_sick(
        "odoo.health",
        json!({}),
        |shop| shop.database_gone = true,
        Verdict::Failing,
    )
    .await;
    assert!(well.ends_with("status pass, database reached"), "{well}");
    assert!(ill.ends_with("status fail, database not reached"), "{ill}");
    let gone = ask("odoo.health", &target("odoo", "http://127.0.0.1:1"), json!({})).await;
    assert_eq!(gone.verdict, Verdict::Failing);
}

#[tokio::test]
async fn latency_is_judged_by_its_bounds() {
    let shop = Shop::default();
    let target = shop.open("http").await;
    let fast = ask(
        "http.latency",
        &target,
        json!({ "suspect_ms": 60000, "failing_ms": 60000 }),
    )
    .await;
    assert_eq!(fast.verdict, Verdict::Ok, "{}", fast.summary);
    let gone = ask(
        "http.latency",
        &super::target("http", "http://127.0.0.1:1"),
        json!({}),
    )
    .await;
    assert_eq!(
        gone.verdict,
        Verdict::Unknown,
        "no answer has no latency: {}",
        gone.summary
    );
}

#[tokio::test]
async fn latency_of_a_slow_service_is_failing() {
    // Slower than a millisecond for certain: it answers only after many others were.
    let waiting = Arc::new(tokio::sync::Notify::new());
    let (slow, other) = (Arc::clone(&waiting), Arc::clone(&waiting));
    let routes = Router::new()
        .route("/health", get(async move || slow.notified().await))
        .route("/fast", get(async || "at once"))
        .route("/go", get(async move || other.notify_one()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = target(
        "http",
        &format!("http://{}", listener.local_addr().expect("an address")),
    );
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let asked = ask(
        "http.latency",
        &target,
        json!({ "suspect_ms": 1, "failing_ms": 1 }),
    );
    let go = async {
        for _ in 0..3 {
            ask("http.health", &target, json!({ "path": "/fast" })).await;
        }
        ask("http.health", &target, json!({ "path": "/go" })).await
    };
    let (slow, _) = tokio::join!(asked, go);
    assert_eq!(slow.verdict, Verdict::Failing, "{}", slow.summary);
}

#[tokio::test]
async fn a_number_in_json_is_judged_by_its_bounds() {
    let params = json!({ "path": "/queue", "field": "depth", "suspect_from": 5, "failing_from": 50 });
    let [well, ill] = healthy_then_sick(
        "http.json",
        params.clone(),
        |shop| shop.depth = 60,
        Verdict::Failing,
    )
    .await;
    assert_eq!([well.as_str(), ill.as_str()], ["depth is 0", "depth is 60"]);
    healthy_then_sick("http.json", params, |shop| shop.depth = 6, Verdict::Suspect).await;
}

#[tokio::test]
async fn a_job_is_compared_with_the_state_it_should_be_in() {
    let params = json!({ "job": "reprice", "running": false });
    let [well, ill] =
        healthy_then_sick("http.job", params, |shop| shop.running = true, Verdict::Failing).await;
    assert_eq!(
        [well.as_str(), ill.as_str()],
        ["reprice is paused", "reprice is running"]
    );
}

#[tokio::test]
async fn a_flag_is_compared_with_what_it_should_be() {
    let params = json!({ "flag": "new-router", "enabled": false });
    let [well, ill] =
        healthy_then_sick("flag.value", params, |shop| shop.flag = true, Verdict::Failing).await;
    assert_eq!(
        [well.as_str(), ill.as_str()],
        ["new-router is off", "new-router is on"]
    );
}

#[tokio::test]
async fn a_job_that_does_damage_is_failing_and_a_paused_one_is_not() {
    let damage = |shop: &mut Health| (shop.running, shop.wrong) = (true, 12);
    let [_, ill] = healthy_then_sick("demo.jobs", json!({}), damage, Verdict::Failing).await;
    assert_eq!(ill, "reprice runs, 12 wrong records; mail runs");
    let [_, ill] =
        healthy_then_sick("demo.jobs", json!({ "job": "reprice" }), damage, Verdict::Failing).await;
    assert_eq!(ill, "reprice runs, 12 wrong records");
    let shop = Shop::default();
    shop.set(|shop| shop.wrong = 12);
    let paused = ask("demo.jobs", &shop.open("demo").await, json!({ "job": "reprice" })).await;
    assert_eq!(paused.verdict, Verdict::Ok, "{}", paused.summary);
}

#[tokio::test]
async fn wrong_records_queue_changes_and_log_of_the_demo() {
    let [well, ill] = healthy_then_sick(
        "demo.wrong_records",
        json!({}),
        |shop| shop.wrong = 12,
        Verdict::Failing,
    )
    .await;
    assert_eq!(well, "0 of 900 records are wrong, 0 repaired");
    assert_eq!(ill, "12 of 900 records are wrong, 0 repaired");
    let [_, ill] =
        healthy_then_sick("demo.queue", json!({}), |shop| shop.depth = 150, Verdict::Failing).await;
    assert_eq!(ill, "150 orders wait");
    let change = json!({ "at": "2026-05-04T03:00:00Z", "what": "release 1.8", "by": "ana" });
    let [_, ill] = healthy_then_sick(
        "demo.changes",
        json!({}),
        |shop| shop.changes = vec![change],
        Verdict::Suspect,
    )
    .await;
    assert_eq!(
        ill,
        "1 changes, the last at 2026-05-04T03:00:00Z by ana: release 1.8"
    );
    let lines = |shop: &mut Health| shop.log = vec!["INFO fine", "ERROR no such depot"];
    healthy_then_sick("demo.log", json!({}), lines, Verdict::Failing).await;
}

#[tokio::test]
async fn the_log_is_asked_for_from_the_onset_on() {
    let shop = Shop::default();
    ask("demo.log", &shop.open("demo").await, json!({})).await;
    assert_eq!(
        shop.get(|shop| shop.since.clone()).as_deref(),
        Some("2026-05-04T03:10:00Z")
    );
}

#[tokio::test]
async fn a_preview_says_what_would_change_and_changes_nothing() {
    let shop = Shop::default();
    shop.set(|shop| shop.flag = true);
    let target = shop.open("demo").await;
    let systems = systems(vec![target]);
    let given = json!({ "flag": "new-router", "enabled": "off" })
        .as_object()
        .expect("a table")
        .clone()
        .into_iter()
        .collect();
    let terms = systems
        .resolve_action("flag.set", None, &given, &onset())
        .expect("fits");
    let preview = systems.preview(&terms).await.expect("a preview");
    assert_eq!(preview.effect, "new-router is on now and will be off.");
    assert_eq!(json!(preview.operation.guards), json!({ "enabled": true }));
    assert!(
        preview.operation.display.contains("PUT http://"),
        "{}",
        preview.operation.display
    );
    assert!(shop.get(|shop| shop.flag));
    let undo = systems
        .resolve_undo(&terms, &preview, &onset())
        .expect("fits")
        .expect("undoable");
    assert_eq!(undo.params["enabled"], json!(true));
}
