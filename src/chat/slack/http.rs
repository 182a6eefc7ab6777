//! Signed requests, for those who have a public address and want no socket.
//!
//! A request counts if it is signed with our secret, younger than five minutes, and seen for the first time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::receive::Reply;
use super::{SlackChat, lock};

/// Slack's own window against replays.
const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// A body of Slack: a message has at most 40,000 characters, each at most six bytes in JSON, and is told twice in an edit.
const BODY_MAX: usize = 1 << 20;
/// Signatures remembered at most: as many as deliveries may wait, about 30 MB.
const SEEN_MAX: usize = 600_000;

/// Stands at an event that was sent before, and not acknowledged.
const RETRY: &str = "x-slack-retry-num";

/// Why a request does not count. Said to nobody but the log: a stranger learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    Missing,
    Old,
    Wrong,
    Replayed,
    /// More came than can be remembered: refused, because a replay among them would not be known.
    TooMany,
}

/// Signatures that counted already, as long as they would count again.
#[derive(Default)]
pub struct Signed(Mutex<Seen>);

type Signature = [u8; 32];

/// Two ages: one is filled, the other is forgotten whole.
#[derive(Default)]
struct Seen {
    young: HashSet<Signature>,
    old: HashSet<Signature>,
    /// When the young ones were begun.
    since: DateTime<Utc>,
}

impl Seen {
    fn add(&mut self, signature: Signature, now: DateTime<Utc>) -> Result<(), Unsigned> {
        // One may be stamped as far ahead as behind, so it counts for twice the window.
        if (now - self.since).abs() > WINDOW * 2 {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        if self.old.contains(&signature) || self.young.contains(&signature) {
            return Err(Unsigned::Replayed);
        }
        if self.young.len() + self.old.len() >= SEEN_MAX {
            return Err(Unsigned::TooMany);
        }
        self.young.insert(signature);
        Ok(())
    }
}

impl Signed {
    /// Whether this request is Slack's, and came for the first time.
    pub fn check(
        &self,
        secret: &str,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), Unsigned> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(stamp), Some(signature)) =
            (header("x-slack-request-timestamp"), header("x-slack-signature"))
        else {
            return Err(Unsigned::Missing);
        };
        let sent = stamp
            .parse()
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or(Unsigned::Missing)?;
        if (now - sent).abs() > WINDOW {
            return Err(Unsigned::Old);
        }
        let wanted = signature_of(secret, stamp, body).ok_or(Unsigned::Wrong)?;
        let written = written(&wanted);
        if !bool::from(written.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(Unsigned::Wrong);
        }
        lock(&self.0).add(wanted, now)
    }

    /// A request that was not taken may be sent again within the same second, and is the same to the letter then.
    pub fn forget(&self, headers: &HeaderMap) {
        let said = headers.get("x-slack-signature");
        let said = said.and_then(|value| value.to_str().ok()?.strip_prefix("v0="));
        let signature = said.and_then(|said| Signature::try_from(hex::decode(said).ok()?).ok());
        if let Some(signature) = signature {
            let mut seen = lock(&self.0);
            seen.young.remove(&signature);
            seen.old.remove(&signature);
        }
    }
}

/// HMAC-SHA256 over `v0:stamp:body`. `None` for an empty secret: that would sign for anybody.
fn signature_of(secret: &str, stamp: &str, body: &[u8]) -> Option<Signature> {
    if secret.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    for part in [b"v0:", stamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// As it stands in Slack's header.
fn written(signature: &Signature) -> String {
    format!("v0={}", hex::encode(signature))
}

impl SlackChat {
    /// The addresses that Slack calls, for the web server to serve beside the page.
    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/slack/events", post(events))
            .route("/slack/commands", post(commands))
            .route("/slack/interactions", post(interactive))
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(Arc::clone(self))
    }

    /// Slack sends an event again for five minutes and a bit; a bot that was down for longer reads what it missed. So does
    /// one that was up and out of reach, once it hears an event that had to be sent again, or anything after a long silence.
    pub fn catch_up_once(self: &Arc<Self>) {
        tokio::spawn(Arc::clone(self).catch_up());
    }

    fn signed_by_slack(self: &Arc<Self>, headers: &HeaderMap, body: &[u8]) -> bool {
        let secret = self.settings.signing_secret.as_deref().unwrap_or_default();
        match self.signed.check(secret, headers, body, self.clock.now()) {
            Ok(()) => {
                self.heard_over_http();
                true
            }
            Err(why) => {
                tracing::warn!(?why, "a request to Slack's addresses does not count");
                false
            }
        }
    }
}

type Chat = State<Arc<SlackChat>>;

fn refused() -> Response {
    StatusCode::UNAUTHORIZED.into_response()
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Reply::Empty => StatusCode::OK.into_response(),
            Reply::With(body) => axum::Json(body).into_response(),
            Reply::No => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

async fn events(State(chat): Chat, headers: HeaderMap, body: Bytes) -> Response {
    if !chat.signed_by_slack(&headers, &body) {
        return refused();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if body["type"] == "url_verification" {
        return axum::Json(json!({ "challenge": body["challenge"] })).into_response();
    }
    if headers.contains_key(RETRY) {
        chat.read_soon();
    }
    let reply = chat.deliver("events_api", &body).await;
    if matches!(reply, Reply::No) {
        chat.signed.forget(&headers);
    }
    reply.into_response()
}

async fn commands(State(chat): Chat, headers: HeaderMap, body: Bytes) -> Response {
    if !chat.signed_by_slack(&headers, &body) {
        return refused();
    }
    let fields = url::form_urlencoded::parse(&body);
    let fields: serde_json::Map<String, Value> = fields
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    // Slack looks whether the certificate holds.
    if fields.contains_key("ssl_check") {
        return StatusCode::OK.into_response();
    }
    chat.deliver("slash_commands", &Value::Object(fields))
        .await
        .into_response()
}

async fn interactive(State(chat): Chat, headers: HeaderMap, body: Bytes) -> Response {
    if !chat.signed_by_slack(&headers, &body) {
        return refused();
    }
    let mut fields = url::form_urlencoded::parse(&body);
    let payload = fields.find(|(name, _)| name == "payload").map(|(_, value)| value);
    let Some(payload) = payload.and_then(|payload| serde_json::from_str::<Value>(&payload).ok()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    chat.deliver("interactive", &payload).await.into_response()
}

#[cfg(test)]
pub(super) fn sign(secret: &str, stamp: &str, body: &[u8]) -> String {
    written(&signature_of(secret, stamp, body).expect("a secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_can_be_remembered_is_refused_until_the_oldest_no_longer_count() {
        let mut seen = Seen::default();
        let numbered = |number: usize| {
            let mut signature = Signature::default();
            signature[..8].copy_from_slice(&number.to_be_bytes());
            signature
        };
        let begun = DateTime::from_timestamp(1_531_420_618, 0).expect("a time");
        for number in 0..SEEN_MAX {
            assert_eq!(seen.add(numbered(number), begun), Ok(()));
        }
        let one_more = numbered(SEEN_MAX);
        assert_eq!(seen.add(one_more, begun), Err(Unsigned::TooMany));
        assert_eq!(seen.add(numbered(0), begun), Err(Unsigned::Replayed));
        let aged = begun + WINDOW * 2 + TimeDelta::seconds(1);
        assert_eq!(seen.add(one_more, aged), Err(Unsigned::TooMany));
        assert_eq!(
            seen.add(one_more, aged + WINDOW * 2 + TimeDelta::seconds(1)),
            Ok(())
        );
    }
}
