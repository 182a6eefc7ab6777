//! What a server on loopback sees, and what becomes of its answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::Http;
use crate::catalog::tests::target;
use crate::clock::SystemClock;
use crate::driver::{Driver, Failure, Limits, Target};
use crate::incident::{Approved, Operation, Outcome};

fn limits(millis: u64) -> Limits {
    Limits {
        timeout: Duration::from_millis(millis),
        output: 64 * 1024,
    }
}

/// Long enough that only a hang reaches it.
const PATIENT: u64 = 10_000;

fn http() -> Http {
    Http::new(Arc::new(SystemClock)).expect("a client")
}

/// Every request a server got, as `METHOD /path body`, with its headers.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

type Answering = Arc<dyn Fn(&Method, &Uri) -> Response + Send + Sync>;

/// A server that answers every request with what `answer` makes, and remembers what it was asked.
async fn server(answer: impl Fn(&Method, &Uri) -> Response + Send + Sync + 'static) -> (String, Seen) {
    let seen = Seen::default();
    let state: (Seen, Answering) = (Arc::clone(&seen), Arc::new(answer));
    let app = Router::new().fallback(all).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, seen)
}

async fn all(
    State((seen, answer)): State<(Seen, Answering)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let line = format!("{method} {uri} {}", String::from_utf8_lossy(&body));
    seen.lock()
        .expect("not poisoned")
        .push((line.trim_end().to_owned(), headers));
    answer(&method, &uri)
}

fn lines(seen: &Seen) -> Vec<String> {
    seen.lock()
        .expect("not poisoned")
        .iter()
        .map(|(line, _)| line.clone())
        .collect()
}

/// A raw server: counts connections and does with each what `serve` says.
async fn raw<F, W>(serve: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(tokio::net::TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    (address, count)
}

async fn act(url: &str, call: Value, guards: Value, limits: Limits) -> Outcome {
    let operation = Operation {
        driver: "http".to_owned(),
        display: String::new(),
        call,
        guards: guards.as_object().cloned().unwrap_or_default(),
    };
    http()
        .attempt(
            &target("shop", "http", url),
            &Approved::for_tests("shop", operation),
            limits,
        )
        .await
}

fn post() -> Value {
    json!({ "method": "POST", "path": "/jobs/reprice/pause", "body": { "why": "INC-7", "n": 1 } })
}

fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown { .. })
}

fn is_not_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotDone { .. })
}

#[tokio::test]
async fn a_probe_is_never_sent_with_a_method_that_writes() {
    let (url, seen) = server(|_, _| "ok".into_response()).await;
    for method in [
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "CONNECT",
        "OPTIONS",
        "TRACE",
        "PURGE",
        "get",
        "GET\r\nX: y",
        "",
    ] {
        let call = json!({ "method": method, "path": "/" });
        let refused = http()
            .read(&target("shop", "http", &url), &call, limits(PATIENT))
            .await
            .expect_err(method);
        assert!(
            matches!(&refused, Failure::Refused(why) if why.contains("Nothing was sent")),
            "{refused}"
        );
    }
    assert!(lines(&seen).is_empty(), "{:?}", lines(&seen));
}

#[tokio::test]
async fn a_probe_brings_status_time_headers_and_json() {
    let (url, seen) = server(|_, _| {
        (
            [(header::SET_COOKIE, "session=1"), (header::ETAG, "\"7\"")],
            axum::Json(json!({ "depth": 3 })),
        )
            .into_response()
    })
    .await;
    let call = json!({ "method": "GET", "path": "/queue", "query": { "a b": "c&d" } });
    let reading = http()
        .read(
            &target("shop", "http", &format!("{url}/api/")),
            &call,
            limits(PATIENT),
        )
        .await
        .expect("read");
    assert_eq!(reading.answer["status"], 200);
    assert_eq!(reading.answer["json"], json!({ "depth": 3 }));
    assert_eq!(reading.answer["headers"]["etag"], "\"7\"");
    assert_eq!(reading.answer["headers"].get("set-cookie"), None);
    assert_eq!(reading.raw, br#"{"depth":3}"#);
    assert_eq!(lines(&seen), ["GET /api/queue?a+b=c%26d"]);
}

#[tokio::test]
async fn a_probe_does_not_follow_a_redirect_and_shows_where_it_points() {
    let (url, seen) =
        server(|_, _| (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response()).await;
    let call = json!({ "path": "/" });
    let reading = http()
        .read(&target("shop", "http", &url), &call, limits(PATIENT))
        .await
        .expect("read");
    assert_eq!(
        (&reading.answer["status"], &reading.answer["headers"]["location"]),
        (&json!(302), &json!("/elsewhere"))
    );
    assert_eq!(lines(&seen), ["GET /"]);
}

#[tokio::test]
async fn a_huge_body_is_cut_while_it_streams() {
    let (url, _) = server(|_, _| vec![b'x'; 8 * 1024 * 1024].into_response()).await;
    let reading = http()
        .read(
            &target("shop", "http", &url),
            &json!({ "path": "/" }),
            limits(PATIENT),
        )
        .await
        .expect("read");
    assert_eq!(reading.raw.len(), 64 * 1024);
    assert_eq!(reading.caveats, ["The body was cut at 65536 bytes."]);
    let call = json!({ "path": "/", "json": true });
    let refused = http()
        .read(&target("shop", "http", &url), &call, limits(PATIENT))
        .await
        .expect_err("cut");
    assert_eq!(
        refused.to_string(),
        "It answered HTTP 200, its JSON passed the limit of 65536 bytes"
    );
}

#[tokio::test]
async fn a_binary_body_is_kept_as_it_is_and_shown_as_nothing() {
    let (url, _) = server(|_, _| vec![0_u8, 159, 146, 150].into_response()).await;
    let reading = http()
        .read(
            &target("shop", "http", &url),
            &json!({ "path": "/" }),
            limits(PATIENT),
        )
        .await
        .expect("read");
    assert_eq!(
        (reading.answer["text"].clone(), reading.raw),
        (Value::Null, vec![0, 159, 146, 150])
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_unreachable_after_the_time_out() {
    let (url, _) = raw(async |_stream| std::future::pending().await).await;
    let failed = http()
        .read(&target("shop", "http", &url), &json!({ "path": "/" }), limits(50))
        .await
        .expect_err("hangs");
    assert_eq!(failed.to_string(), "No answer within 0.05 s");
    let call = json!({ "path": "/", "down_is_an_answer": true });
    let reading = http()
        .read(&target("shop", "http", &url), &call, limits(50))
        .await
        .expect("an answer too");
    assert_eq!(
        reading.answer,
        json!({ "reached": false, "why": "No answer within 0.05 s" })
    );
}

#[tokio::test]
async fn credentials_in_the_address_never_come_back_in_an_error() {
    let url = "http://odoo:hunter2@127.0.0.1:1";
    let failed = http()
        .read(
            &target("shop", "http", url),
            &json!({ "path": "/" }),
            limits(PATIENT),
        )
        .await
        .expect_err("closed");
    assert!(
        failed.to_string().contains("refused") && !failed.to_string().contains("hunter2"),
        "{failed}"
    );
    let preview = http()
        .preview(&target("shop", "http", url), &post(), limits(PATIENT))
        .await
        .expect("a preview");
    assert!(
        !preview.operation.display.contains("hunter2"),
        "{}",
        preview.operation.display
    );
}

#[tokio::test]
async fn a_preview_shows_the_exact_request_and_sends_nothing_that_writes() {
    let (url, seen) = server(|_, _| axum::Json(json!({ "enabled": true })).into_response()).await;
    let mut call = post();
    call["preview"] = json!({ "method": "GET", "path": "/flags/x", "json": true });
    call["guards"] = json!({ "enabled": "json.enabled" });
    let preview = http()
        .preview(&target("shop", "http", &url), &call, limits(PATIENT))
        .await
        .expect("a preview");
    assert_eq!(
        preview.operation.display,
        format!(
            "POST {url}/jobs/reprice/pause\n{{\n  \"why\": \"INC-7\",\n  \"n\": 1\n}}\nonly while enabled = true"
        )
    );
    assert_eq!(json!(preview.operation.guards), json!({ "enabled": true }));
    assert_eq!(lines(&seen), ["GET /flags/x"]);
}

#[tokio::test]
async fn a_preview_cannot_smuggle_a_write_into_its_reading() {
    let (url, seen) = server(|_, _| "ok".into_response()).await;
    let mut call = post();
    call["preview"] = json!({ "method": "DELETE", "path": "/flags/x" });
    http()
        .preview(&target("shop", "http", &url), &call, limits(PATIENT))
        .await
        .expect_err("refused");
    assert!(lines(&seen).is_empty());
}

#[tokio::test]
async fn a_success_is_done_and_carries_the_key_of_the_attempt() {
    let (url, seen) = server(|_, _| axum::Json(json!({ "paused": true })).into_response()).await;
    let outcome = act(&url, post(), Value::Null, limits(PATIENT)).await;
    assert_eq!(
        outcome,
        Outcome::Done {
            report: "HTTP 200 OK: {\"paused\":true}".to_owned()
        }
    );
    let seen = seen.lock().expect("not poisoned");
    let [(line, headers)] = seen.as_slice() else {
        panic!("one request")
    };
    assert_eq!(line, "POST /jobs/reprice/pause {\"why\":\"INC-7\",\"n\":1}");
    assert!(
        headers["idempotency-key"]
            .to_str()
            .expect("text")
            .starts_with("A1-X1-")
    );
}

#[tokio::test]
async fn a_refusal_of_the_server_is_not_done_and_says_what_it_said() {
    let (url, _) = server(|_, _| (StatusCode::CONFLICT, "already paused").into_response()).await;
    let outcome = act(&url, post(), Value::Null, limits(PATIENT)).await;
    assert_eq!(
        outcome,
        Outcome::NotDone {
            why: "HTTP 409 Conflict: already paused".to_owned()
        }
    );
}

#[tokio::test]
async fn answers_that_leave_a_doubt_are_unknown_and_never_sent_again() {
    for status in [307, 308, 301, 302, 408, 500, 502, 503, 504] {
        let code = StatusCode::from_u16(status).expect("a status");
        let (url, seen) = server(move |_, _| (code, [(header::LOCATION, "/again")]).into_response()).await;
        let outcome = act(&url, post(), Value::Null, limits(PATIENT)).await;
        assert!(is_unknown(&outcome), "{status}: {outcome:?}");
        assert_eq!(lines(&seen).len(), 1, "{status}: sent more than once");
    }
}

#[tokio::test]
async fn a_connection_reset_after_sending_is_unknown_and_never_sent_again() {
    let (url, count) = raw(async |mut stream| {
        let mut some = [0; 64];
        let _ = stream.read(&mut some).await;
        // Closing with unread bytes resets the connection.
        drop(stream);
    })
    .await;
    let outcome = act(&url, post(), Value::Null, limits(PATIENT)).await;
    assert!(is_unknown(&outcome), "{outcome:?}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_hang_after_sending_is_unknown() {
    let (url, count) = raw(async |_stream| std::future::pending().await).await;
    let outcome = act(&url, post(), Value::Null, limits(50)).await;
    assert_eq!(
        outcome,
        Outcome::Unknown {
            why: "No answer within 0.05 s, and it was sent".to_owned()
        }
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_success_whose_body_breaks_off_is_still_done() {
    let (url, _) = raw(async |mut stream| {
        let mut some = [0; 4096];
        let _ = stream.read(&mut some).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npaused")
            .await;
    })
    .await;
    let outcome = act(&url, post(), Value::Null, limits(PATIENT)).await;
    assert_eq!(
        outcome,
        Outcome::Done {
            report: "HTTP 200 OK: paused".to_owned()
        }
    );
}

#[tokio::test]
async fn a_refused_connection_is_not_done_because_nothing_was_sent() {
    let outcome = act("http://127.0.0.1:1", post(), Value::Null, limits(PATIENT)).await;
    assert!(is_not_done(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn a_guard_that_changed_stops_the_attempt_before_anything_is_sent() {
    let (url, seen) = server(|_, _| axum::Json(json!({ "enabled": false })).into_response()).await;
    let mut call = post();
    call["preview"] = json!({ "method": "GET", "path": "/flags/x", "json": true });
    call["guards"] = json!({ "enabled": "json.enabled" });
    let outcome = act(&url, call, json!({ "enabled": true }), limits(PATIENT)).await;
    let why = "Nothing was sent: `enabled` was true when it was proposed and is false now; propose it again";
    assert_eq!(outcome, Outcome::NotDone { why: why.to_owned() });
    assert_eq!(lines(&seen), ["GET /flags/x"]);
}

#[tokio::test]
async fn an_etag_goes_out_so_that_the_server_itself_checks() {
    let (url, seen) = server(|method, _| match *method {
        Method::GET => ([(header::ETAG, "\"7\"")], "{}").into_response(),
        _ => StatusCode::PRECONDITION_FAILED.into_response(),
    })
    .await;
    let mut call = post();
    call["preview"] = json!({ "method": "GET", "path": "/flags/x" });
    call["if_match"] = json!(true);
    let outcome = act(&url, call, json!({ "etag": "\"7\"" }), limits(PATIENT)).await;
    assert!(is_not_done(&outcome), "{outcome:?}");
    assert_eq!(seen.lock().expect("not poisoned")[1].1["if-match"], "\"7\"");
}

#[tokio::test]
async fn probes_and_actions_send_their_own_credentials() {
    let (url, seen) = server(|_, _| "{}".into_response()).await;
    let mut shop: Target = target("shop", "http", &url);
    shop.probe
        .headers
        .push(("authorization".to_owned(), "Bearer reader".to_owned()));
    let action = shop.action.as_mut().expect("takes actions");
    action
        .headers
        .push(("authorization".to_owned(), "Bearer writer".to_owned()));
    let mut call = post();
    call["preview"] = json!({ "path": "/x" });
    let operation = Operation {
        driver: "http".to_owned(),
        display: String::new(),
        call,
        guards: Default::default(),
    };
    http()
        .attempt(&shop, &Approved::for_tests("shop", operation), limits(PATIENT))
        .await;
    let seen = seen.lock().expect("not poisoned");
    let sent: BTreeMap<&str, &str> = seen
        .iter()
        .map(|(line, headers)| {
            (
                line.split(' ').next().unwrap_or(""),
                headers["authorization"].to_str().expect("text"),
            )
        })
        .collect();
    assert_eq!(
        sent,
        BTreeMap::from([("GET", "Bearer reader"), ("POST", "Bearer writer")])
    );
}
