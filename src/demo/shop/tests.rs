//! The shop over real HTTP, on a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Shop;
use crate::clock::ManualClock;

const EVERY: Duration = Duration::from_secs(5);

struct Open {
    shop: Shop,
    clock: ManualClock,
    dir: TempDir,
    http: reqwest::Client,
}

fn morning() -> DateTime<Utc> {
    "2026-05-04T08:00:00Z".parse().expect("a time")
}

async fn open() -> Open {
    let dir = tempfile::tempdir().expect("a folder");
    open_in(dir, ManualClock::at(morning())).await
}

async fn open_in(dir: TempDir, clock: ManualClock) -> Open {
    let shop = Shop::start(dir.path(), Arc::new(clock.clone()), EVERY)
        .await
        .expect("an open shop");
    let _ = rustls::crypto::ring::default_provider().install_default();
    Open {
        shop,
        clock,
        dir,
        http: reqwest::Client::new(),
    }
}

impl Open {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.shop.url()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    async fn post(&self, path: &str) -> Value {
        let (status, answer) = self.send(Method::POST, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Lets the jobs run this often.
    async fn run(&self, times: u64) {
        let mut runs = self.shop.runs();
        for _ in 0..times {
            let before = *runs.borrow_and_update();
            self.clock.advance(TimeDelta::seconds(5));
            runs.wait_for(|runs| *runs > before).await.expect("the jobs run");
        }
    }

    async fn wrong(&self) -> i64 {
        self.get("/records").await["wrong"].as_i64().expect("a number")
    }
}

fn job(jobs: &Value, name: &str) -> Value {
    let mut jobs = jobs.as_array().expect("a list").iter();
    jobs.find(|job| job["name"] == name).expect("the job").clone()
}

#[tokio::test]
async fn the_import_writes_more_wrong_records_with_every_run() {
    let open = open().await;
    assert_eq!(open.wrong().await, 3);
    open.run(4).await;
    assert_eq!(
        open.get("/records").await,
        json!({ "total": 27, "wrong": 15, "repaired": 0, "last_wrong_at": "2026-05-04T08:00:20.000Z" })
    );
    let wrong = open.get("/records?state=wrong").await;
    assert_eq!(wrong.as_array().expect("a list").len(), 15);
    assert!(wrong[0]["cents"].as_i64() < Some(0), "{}", wrong[0]);
    assert_eq!(job(&open.get("/jobs").await, "import-prices")["wrong"], 15);
}

#[tokio::test]
async fn a_paused_import_writes_nothing_while_the_other_job_goes_on() {
    let open = open().await;
    let depth = open.get("/queue").await["depth"].as_i64();
    let answer = open.post("/jobs/import-prices/pause").await;
    assert_eq!(
        answer,
        json!({ "job": "import-prices", "before": "running", "after": "paused" })
    );
    open.run(3).await;
    assert_eq!(open.wrong().await, 3);
    let jobs = open.get("/jobs").await;
    assert_eq!(job(&jobs, "import-prices")["running"], false);
    assert_eq!(job(&jobs, "ship-orders")["running"], true);
    assert!(
        open.get("/queue").await["depth"].as_i64() < depth,
        "orders are shipped"
    );
}

#[tokio::test]
async fn orders_pile_up_while_shipping_is_paused() {
    let open = open().await;
    let before = open.get("/queue").await["depth"].as_i64().expect("a number");
    open.post("/jobs/ship-orders/pause").await;
    open.run(5).await;
    assert_eq!(open.get("/queue").await["depth"], before + 10);
}

#[tokio::test]
async fn pausing_twice_is_pausing_once_and_says_so() {
    let open = open().await;
    open.post("/jobs/import-prices/pause").await;
    let again = open.post("/jobs/import-prices/pause").await;
    assert_eq!(
        (&again["before"], &again["after"]),
        (&json!("paused"), &json!("paused"))
    );
    let log = open.get("/log").await.to_string();
    assert_eq!(log.matches("import-prices was paused").count(), 1, "{log}");
}

#[tokio::test]
async fn a_job_that_is_not_as_the_caller_saw_it_is_left_alone() {
    let open = open().await;
    let expecting = |state: &str| Some(json!({ "expected": state }));
    let (status, answer) = open
        .send(Method::POST, "/jobs/import-prices/pause", expecting("paused"))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(answer["now"], "running");
    assert_eq!(
        answer["error"],
        "import-prices is running, not as you saw it; nothing was done"
    );
    assert_eq!(job(&open.get("/jobs").await, "import-prices")["running"], true);
    let (status, _) = open
        .send(Method::POST, "/jobs/import-prices/pause", expecting("running"))
        .await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_resumed_import_goes_on_doing_damage_until_the_mapping_is_rolled_back() {
    let open = open().await;
    open.post("/jobs/import-prices/pause").await;
    open.post("/jobs/import-prices/resume").await;
    open.run(1).await;
    assert_eq!(open.wrong().await, 6);

    let answer = open.post("/mapping/rollback").await;
    assert_eq!(
        (&answer["before"], &answer["after"]),
        (&json!("v2"), &json!("v1"))
    );
    open.run(2).await;
    let records = open.get("/records").await;
    assert_eq!(
        (&records["wrong"], &records["total"]),
        (&json!(6), &json!(24)),
        "right ones are written"
    );
    assert_eq!(
        open.get("/changes").await[0]["what"],
        "import mapping rolled back from v2 to v1"
    );
}

#[tokio::test]
async fn a_repair_mends_the_wrong_records_and_counts_them() {
    let open = open().await;
    open.run(1).await;
    assert_eq!(
        open.post("/records/repair").await,
        json!({ "repaired": 6, "wrong": 0 })
    );
    let records = open.get("/records").await;
    assert_eq!((&records["wrong"], &records["repaired"]), (&json!(0), &json!(6)));
    assert_eq!(
        records["last_wrong_at"], "2026-05-04T08:00:05.000Z",
        "it is still known when the last was written"
    );
    assert_eq!(open.post("/records/repair").await["repaired"], 0);
}

#[tokio::test]
async fn a_rollback_binds_to_the_version_of_the_mapping_that_was_seen() {
    let open = open().await;
    let url = format!("{}/mapping", open.shop.url());
    let seen = open.http.get(&url).send().await.expect("an answer");
    let version = seen.headers()["etag"].clone();
    let roll_back = async || {
        let request = open
            .http
            .post(format!("{url}/rollback"))
            .header("if-match", version.clone());
        request.send().await.expect("an answer").status()
    };
    assert_eq!(roll_back().await, StatusCode::OK);
    assert_eq!(roll_back().await, StatusCode::PRECONDITION_FAILED);
    let (status, _) = open
        .send(
            Method::POST,
            "/mapping/rollback",
            Some(json!({ "expected": "v2" })),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_change_that_broke_it_is_the_latest_change() {
    let open = open().await;
    let changes = open.get("/changes").await;
    assert_eq!(changes[0]["at"], "2026-05-04T08:00:00.000Z");
    assert_eq!(
        changes[0]["what"],
        "import mapping v2: the price is in the column `discount`"
    );
    assert_eq!(changes[0]["by"], "kim");
    assert_eq!(open.get("/mapping").await["column"], "discount");
}

#[tokio::test]
async fn the_log_names_the_failure_and_begins_where_it_is_asked_to() {
    let open = open().await;
    open.run(12).await;
    let all = open.get("/log").await;
    assert!(
        all[0]
            .as_str()
            .expect("a line")
            .ends_with("INFO import-prices reloaded its mapping: v2")
    );
    let text = all.to_string();
    assert!(
        text.contains("WARN import-prices: 3 prices are below zero"),
        "{text}"
    );
    assert!(
        text.contains("ERROR order ") && text.contains(" was sold below zero: "),
        "{text}"
    );
    let late = open.get("/log?since=2026-05-04T10:00:55%2B02:00").await;
    let late = late.as_array().expect("a list");
    assert!(late.len() < all.as_array().map_or(0, Vec::len), "{late:?}");
    assert!(
        late[0]
            .as_str()
            .expect("a line")
            .starts_with("2026-05-04T08:00:55"),
        "{late:?}"
    );
}

#[tokio::test]
async fn what_the_shop_does_not_understand_it_says_and_does_not_do() {
    let open = open().await;
    for (method, path, body, status, says) in [
        (
            Method::GET,
            "/log?since=yesterday",
            None,
            400,
            "`since` is a time in RFC 3339",
        ),
        (
            Method::GET,
            "/records?state=odd",
            None,
            400,
            "`state` can be `wrong`",
        ),
        (
            Method::POST,
            "/jobs/mail/pause",
            None,
            404,
            "there is import-prices, ship-orders",
        ),
        (
            Method::POST,
            "/jobs/import-prices/pause",
            Some(json!({ "expect": "x" })),
            400,
            "unknown field `expect`",
        ),
        (Method::GET, "/nowhere", None, 404, "no such page"),
    ] {
        let (answered, answer) = open.send(method, path, body).await;
        assert_eq!(answered.as_u16(), status, "{path}: {answer}");
        assert!(answer["error"].to_string().contains(says), "{path}: {answer}");
    }
    assert_eq!(job(&open.get("/jobs").await, "import-prices")["running"], true);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_drive_the_shop() {
    let open = open().await;
    let url = format!("{}/jobs/import-prices/pause", open.shop.url());
    let foreign = open.http.post(&url).header("origin", "https://elsewhere.example");
    assert_eq!(
        foreign.send().await.expect("an answer").status(),
        StatusCode::FORBIDDEN
    );
    let renamed = open
        .http
        .get(format!("{}/records", open.shop.url()))
        .header("host", "elsewhere.example");
    assert_eq!(
        renamed.send().await.expect("an answer").status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(job(&open.get("/jobs").await, "import-prices")["running"], true);
}

#[tokio::test]
async fn the_page_for_people_says_plainly_what_it_is_and_how_it_stands() {
    let open = open().await;
    let page = async || {
        let answer = open.http.get(open.shop.url()).send().await.expect("an answer");
        answer.text().await.expect("text")
    };
    let broken = page().await;
    assert!(broken.contains("This is the demo shop"), "{broken}");
    assert!(
        broken.contains("3 of 15 prices are wrong.") && broken.contains("-0.89 EUR"),
        "{broken}"
    );
    open.post("/mapping/rollback").await;
    open.post("/records/repair").await;
    let mended = page().await;
    assert!(
        mended.contains("All 15 prices are right.") && mended.contains("3 of them were repaired"),
        "{mended}"
    );
}

#[tokio::test]
async fn a_shop_that_opens_again_goes_on_with_its_books() {
    let open = open().await;
    open.run(1).await;
    open.post("/mapping/rollback").await;
    open.post("/jobs/ship-orders/pause").await;
    let Open { shop, clock, dir, .. } = open;
    let url = shop.url();
    shop.stop().await;
    assert!(
        reqwest::get(format!("{url}/health")).await.is_err(),
        "it is closed"
    );

    let again = open_in(dir, clock).await;
    assert_eq!(again.wrong().await, 6);
    assert_eq!(again.get("/mapping").await["active"], "v1");
    assert_eq!(job(&again.get("/jobs").await, "ship-orders")["running"], false);
    assert_eq!(again.get("/health").await, json!({ "status": "pass" }));
}

#[tokio::test]
async fn a_folder_that_cannot_hold_the_books_is_named_with_a_way_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let missing = dir.path().join("not-there");
    let clock = Arc::new(ManualClock::at(morning()));
    let Err(error) = Shop::start(&missing, clock, EVERY).await else {
        panic!("it opened");
    };
    let message = error.to_string();
    assert!(
        message.contains("not-there") && message.contains("TMPDIR"),
        "{message}"
    );
}
