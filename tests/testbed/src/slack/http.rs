//! Signed requests to the bot's own addresses.

use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use url::Url;

use super::Shared;
use super::deliver::{Carries, Delivery};

/// Where the bot listens. Only addresses of this machine are taken: no test reaches a real host.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub events: String,
    pub commands: String,
    pub interactions: String,
}

/// One signed request.
pub struct Job {
    pub serial: u64,
    pub attempt: usize,
    events: bool,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// `v0=` and the HMAC of `v0:timestamp:body`.
pub fn signature(secret: &str, timestamp: u64, body: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("an HMAC takes a key of any length");
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// The request as Slack makes it.
pub fn job(
    endpoints: &Endpoints,
    delivery: &Delivery,
    attempt: usize,
    serial: u64,
    secret: &str,
    now: Duration,
) -> Job {
    let (url, kind, body) = match delivery.carries {
        Carries::Event => (
            &endpoints.events,
            "application/json",
            delivery.payload.to_string(),
        ),
        Carries::Command => (
            &endpoints.commands,
            "application/x-www-form-urlencoded",
            form(&delivery.payload),
        ),
        Carries::Interaction | Carries::Question => {
            let payload = Value::from_iter([("payload", delivery.payload.to_string())]);
            (
                &endpoints.interactions,
                "application/x-www-form-urlencoded",
                form(&payload),
            )
        }
    };
    let mut headers = vec![
        ("content-type", kind.to_owned()),
        (
            "user-agent",
            "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned(),
        ),
        ("accept", "*/*".to_owned()),
        ("x-slack-request-timestamp", now.as_secs().to_string()),
        ("x-slack-signature", signature(secret, now.as_secs(), &body)),
    ];
    if let Some(tried) = delivery.attempts.get(attempt).filter(|tried| tried.retry > 0) {
        headers.push(("x-slack-retry-num", tried.retry.to_string()));
        headers.push(("x-slack-retry-reason", tried.reason.clone()));
    }
    Job {
        serial,
        attempt,
        events: delivery.carries == Carries::Event,
        url: url.clone(),
        headers,
        body,
    }
}

fn form(fields: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => form.append_pair(name, text),
            other => form.append_pair(name, &other.to_string()),
        };
    }
    form.finish()
}

/// Sends what it is given. Events go one after the other, so that their order is a test's and not chance's;
/// commands and clicks do not wait for them.
pub fn start(shared: Weak<Shared>) -> UnboundedSender<Job> {
    let (jobs, mut queue) = unbounded_channel::<Job>();
    let (events, mut events_queue) = unbounded_channel::<Job>();
    let shared_by_events = shared.clone();
    tokio::spawn(async move {
        while let Some(job) = events_queue.recv().await {
            if let Some(done) = send(&shared_by_events, job) {
                // Aborted when it took too long.
                let _ = done.await;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(job) = queue.recv().await {
            if job.events {
                if events.send(job).is_err() {
                    break;
                }
            } else {
                send(&shared, job);
            }
        }
    });
    jobs
}

fn send(shared: &Weak<Shared>, job: Job) -> Option<tokio::task::JoinHandle<()>> {
    let there = shared.upgrade()?;
    let (serial, attempt) = (job.serial, job.attempt);
    // Given up while it stood in the queue.
    let wanted = there.read(|state| {
        let delivery = state.deliveries.all.get(&serial);
        delivery
            .and_then(|d| d.attempts.get(attempt))
            .is_some_and(|a| a.failed.is_none())
    });
    if !wanted {
        return None;
    }
    let shared = shared.clone();
    let task = tokio::spawn(async move {
        let answer = post(&job.url, &job.headers, job.body).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.with(|state| match answer {
            Ok((200..=299, _, body)) => state.acked(serial, attempt, body),
            Ok((status, true, _)) => state.give_up(serial, attempt, &format!("http_error {status}")),
            Ok(_) => state.attempt_failed(serial, attempt, "http_error"),
            Err(_) => state.attempt_failed(serial, attempt, "connection_failed"),
        });
    });
    let handle = task.abort_handle();
    there.with(|state| {
        let delivery = state.deliveries.all.get_mut(&serial);
        if let Some(attempt) = delivery.and_then(|d| d.attempts.get_mut(attempt)) {
            attempt.http = Some(handle);
        }
    });
    Some(task)
}

/// Posts to an address of this machine. Gives the status, whether retries are unwanted, and the body: JSON, or
/// text as a JSON string, or null where there is none.
pub async fn post(
    url: &str,
    headers: &[(&'static str, String)],
    body: String,
) -> Result<(u16, bool, Value), String> {
    let url = Url::parse(url).map_err(|why| format!("{url}: {why}"))?;
    let address = local(&url)?;
    let stream = TcpStream::connect(address).await.map_err(|why| why.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|why| why.to_string())?;
    let mut request = Request::post(url.path()).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|why| why.to_string())?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|why| why.to_string())?;
        let status = response.status().as_u16();
        let no_retry = response
            .headers()
            .get("x-slack-no-retry")
            .is_some_and(|value| value == "1");
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|why| why.to_string())?
            .to_bytes();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()))
        };
        Ok((status, no_retry, body))
    };
    // The connection lives as long as the exchange, and ends with it when it is given up.
    tokio::pin!(exchange);
    let mut connection = Box::pin(connection);
    tokio::select! {
        done = &mut exchange => done,
        ended = &mut connection => {
            ended.map_err(|why| why.to_string())?;
            exchange.await
        }
    }
}

/// Refuses every host but this machine.
pub fn local(url: &Url) -> Result<SocketAddr, String> {
    let refused = || format!("{url} is not on this machine: a test reaches no real host");
    if url.scheme() != "http" {
        return Err(refused());
    }
    let addresses = url.socket_addrs(|| Some(80)).map_err(|why| why.to_string())?;
    addresses
        .into_iter()
        .find(|address| address.ip().is_loopback())
        .ok_or_else(refused)
}
