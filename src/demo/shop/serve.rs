//! The shop over HTTP. Every answer is JSON but the page for people.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::books::{Books, Changed};
use super::page;
use crate::clock::Clock;

#[derive(Clone)]
pub(super) struct Counter {
    pub books: Books,
    pub clock: Arc<dyn Clock>,
    pub every: Duration,
    address: SocketAddr,
}

pub(super) fn routes(books: Books, clock: Arc<dyn Clock>, every: Duration, address: SocketAddr) -> Router {
    let counter = Counter {
        books,
        clock,
        every,
        address,
    };
    Router::new()
        .route("/", get(people_s_page))
        .route("/health", get(health))
        .route("/jobs", get(jobs))
        .route("/jobs/{job}/pause", post(pause))
        .route("/jobs/{job}/resume", post(resume))
        .route("/records", get(records))
        .route("/records/repair", post(repair))
        .route("/changes", get(changes))
        .route("/log", get(log))
        .route("/queue", get(queue))
        .route("/mapping", get(mapping))
        .route("/mapping/rollback", post(roll_back))
        .fallback(async || {
            problem(
                StatusCode::NOT_FOUND,
                "the shop has no such page; / shows what it has",
            )
        })
        .layer(middleware::from_fn_with_state(counter.address, only_from_here))
        .with_state(counter)
}

pub(super) async fn until_stopped(listener: TcpListener, routes: Router, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stop).await {
        tracing::warn!(%error, "the demo's shop stopped answering");
    }
}

fn problem(status: StatusCode, message: impl Into<String>) -> Response {
    (status, Json(json!({ "error": message.into() }))).into_response()
}

/// A failure of the books, as the caller sees it.
struct Closed(sqlx::Error);

impl From<sqlx::Error> for Closed {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Closed {
    fn into_response(self) -> Response {
        tracing::warn!(error = %self.0, "the demo's shop cannot read its books");
        problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the shop cannot read its books; start the demo again",
        )
    }
}

type Reply = Result<Response, Closed>;

/// Pages of other sites, and names that point here, may not drive the shop through somebody's browser.
async fn only_from_here(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    if is_own(request.method(), request.headers(), address) {
        next.run(request).await
    } else {
        problem(
            StatusCode::FORBIDDEN,
            "the demo's shop answers to this machine only",
        )
    }
}

fn is_own(method: &Method, headers: &HeaderMap, address: SocketAddr) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host_is_own = header(header::HOST).is_none_or(|host| host == address.to_string());
    let origin_is_own = header(header::ORIGIN).is_none_or(|origin| origin == format!("http://{address}"));
    host_is_own && (origin_is_own || method == Method::GET)
}

async fn people_s_page(State(counter): State<Counter>) -> Reply {
    Ok(Html(page::render(&counter).await?).into_response())
}

async fn health(State(counter): State<Counter>) -> Reply {
    counter.books.depth().await?;
    Ok(Json(json!({ "status": "pass" })).into_response())
}

async fn jobs(State(counter): State<Counter>) -> Reply {
    Ok(Json(counter.books.jobs().await?).into_response())
}

#[derive(Deserialize)]
struct Which {
    state: Option<String>,
}

async fn records(State(counter): State<Counter>, Query(which): Query<Which>) -> Reply {
    Ok(match which.state.as_deref() {
        None => Json(counter.books.records().await?).into_response(),
        Some("wrong") => Json(counter.books.wrong_records().await?).into_response(),
        Some(_) => problem(
            StatusCode::BAD_REQUEST,
            "`state` can be `wrong`; without it you get the counts",
        ),
    })
}

async fn repair(State(counter): State<Counter>) -> Reply {
    let repaired = counter.books.repair(counter.clock.now()).await?;
    let wrong = counter.books.records().await?.wrong;
    Ok(Json(json!({ "repaired": repaired, "wrong": wrong })).into_response())
}

async fn changes(State(counter): State<Counter>) -> Reply {
    Ok(Json(counter.books.changes().await?).into_response())
}

#[derive(Deserialize)]
struct Since {
    since: Option<DateTime<Utc>>,
}

async fn log(State(counter): State<Counter>, since: Result<Query<Since>, QueryRejection>) -> Reply {
    Ok(match since {
        Ok(Query(Since { since })) => Json(counter.books.log_since(since).await?).into_response(),
        Err(_) => problem(
            StatusCode::BAD_REQUEST,
            "`since` is a time in RFC 3339, such as 2026-11-21T14:00:00Z",
        ),
    })
}

async fn queue(State(counter): State<Counter>) -> Reply {
    Ok(Json(json!({ "depth": counter.books.depth().await? })).into_response())
}

async fn mapping(State(counter): State<Counter>) -> Reply {
    let mapping = counter.books.mapping().await?;
    let version = format!("\"{}\"", mapping.change);
    Ok(([(header::ETAG, version)], Json(mapping)).into_response())
}

/// What a caller may say: the state it saw, so that a state that changed since answers 409 and is left alone.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Guard {
    expected: Option<String>,
}

/// The error is for the caller.
fn guard(body: &Bytes) -> Result<Guard, String> {
    if body.is_empty() {
        return Ok(Guard::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        format!("the body can be empty, or {{\"expected\": \"the state you saw\"}}: {error}")
    })
}

async fn pause(State(counter): State<Counter>, Path(job): Path<String>, body: Bytes) -> Reply {
    set_job(counter, job, false, body).await
}

async fn resume(State(counter): State<Counter>, Path(job): Path<String>, body: Bytes) -> Reply {
    set_job(counter, job, true, body).await
}

async fn set_job(counter: Counter, job: String, running: bool, body: Bytes) -> Reply {
    let guard = match guard(&body) {
        Ok(guard) => guard,
        Err(message) => return Ok(problem(StatusCode::BAD_REQUEST, message)),
    };
    let expected = guard.expected.as_deref();
    let changed = counter
        .books
        .set_job(&job, running, expected, counter.clock.now())
        .await?;
    Ok(told(changed, StatusCode::CONFLICT, "job", &job))
}

async fn roll_back(State(counter): State<Counter>, headers: HeaderMap, body: Bytes) -> Reply {
    let guard = match guard(&body) {
        Ok(guard) => guard,
        Err(message) => return Ok(problem(StatusCode::BAD_REQUEST, message)),
    };
    let seen = headers.get(header::IF_MATCH).and_then(|seen| seen.to_str().ok());
    // A version that is no number was never one of ours.
    let version = seen.map(|seen| seen.trim_matches('"').parse().unwrap_or(-1));
    let now = counter.clock.now();
    let changed = counter
        .books
        .roll_back(guard.expected.as_deref(), version, now)
        .await?;
    let otherwise = match version {
        Some(_) => StatusCode::PRECONDITION_FAILED,
        None => StatusCode::CONFLICT,
    };
    Ok(told(changed, otherwise, "mapping", IMPORT_S_MAPPING))
}

const IMPORT_S_MAPPING: &str = "mapping of import-prices";

fn told(changed: Changed, otherwise: StatusCode, what: &str, name: &str) -> Response {
    match changed {
        Changed::Done { before, after } => {
            let answer: Value = json!({ what: name, "before": before, "after": after });
            Json(answer).into_response()
        }
        Changed::Otherwise { now } => {
            let message = format!("{name} is {now}, not as you saw it; nothing was done");
            (otherwise, Json(json!({ "error": message, "now": now }))).into_response()
        }
        Changed::NoSuchJob { known } => {
            let message = format!("there is no job {name}; there is {}", known.join(", "));
            problem(StatusCode::NOT_FOUND, message)
        }
    }
}
