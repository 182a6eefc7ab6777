//! One call of Discord's REST API, and what its answer means: again, or never.
//!
//! The client is ours: the library's ignores another base address while it paces, and loses `retry_after` where it does
//! not. There is no retry here; the outbox tries again, with the key of the call.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode, redirect, retry};
use serde_json::Value;

use super::pace::{Pace, Told};
pub use super::route::Route;
use crate::chat;
use crate::clock::Clock;

/// Longest wait for an answer: Discord answers within a second or is in trouble.
const CALL_MAX: Duration = Duration::from_secs(10);
/// The same, where a file travels with it.
const FILE_CALL_MAX: Duration = Duration::from_secs(60);
/// When Discord limits us without saying for how long.
const LIMITED: Duration = Duration::from_secs(5);
/// Discord wants a name and a version.
const AGENT: &str = concat!("DiscordBot (orderly, ", env!("CARGO_PKG_VERSION"), ")");

/// Why a call did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Discord understood, and did not do it.
    #[error("{route}: {words} ({status}, {code})")]
    Code {
        route: &'static str,
        status: u16,
        /// Discord's own number; zero where it gave none.
        code: u64,
        /// Discord's words for it, and where in the body it is; never the body itself.
        words: String,
    },
    /// Not now: nothing was done.
    #[error("{route}: Discord allows no more of these for {} s", .after.as_secs())]
    Limited { route: &'static str, after: Duration },
    /// No answer: it may have been done.
    #[error("{route}: {why}")]
    Unclear { route: &'static str, why: String },
}

impl Failure {
    pub fn is(&self, codes: &[u64]) -> bool {
        matches!(self, Self::Code { code, .. } if codes.contains(code))
    }

    /// Not there, or not there for us.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Code { status: 404, .. })
    }
}

impl From<Failure> for chat::Error {
    fn from(failure: Failure) -> Self {
        let why = failure.to_string();
        match failure {
            Failure::Limited { after, .. } => Self::Retry {
                why,
                after: Some(after),
            },
            Failure::Unclear { .. } => Self::Retry { why, after: None },
            Failure::Code { status, code, .. } => Self::Gone {
                why: match advice(status, code) {
                    Some(advice) => format!("{advice}. Discord's own words: {why}"),
                    None => why,
                },
            },
        }
    }
}

/// Codes that Discord names: what is there no more, what is full, what we may not.
pub mod code {
    pub const UNKNOWN_CHANNEL: u64 = 10003;
    pub const UNKNOWN_MEMBER: u64 = 10007;
    pub const UNKNOWN_MESSAGE: u64 = 10008;
    pub const UNKNOWN_USER: u64 = 10013;
    pub const UNKNOWN_EMOJI: u64 = 10014;
    pub const MOST_PINS: u64 = 30003;
    pub const MOST_CHANNELS: u64 = 30013;
    pub const NO_ACCESS: u64 = 50001;
    pub const NO_DIRECT_MESSAGES: u64 = 50007;
    pub const NO_PERMISSION: u64 = 50013;
    pub const BAD_FORM: u64 = 50035;
    pub const THREAD_THERE: u64 = 160_004;
}

/// What somebody does about it.
fn advice(status: u16, number: u64) -> Option<&'static str> {
    Some(match (status, number) {
        (401, _) => {
            "The token no longer works: reset it on the page Bot of the developer portal, put the new one where [discord] \
             token points, and run `orderly doctor`"
        }
        (_, code::NO_PERMISSION | code::NO_ACCESS) => {
            "The bot may not do that there: `orderly doctor` says which permission is missing, `orderly manifest discord` \
             prints the address that grants it"
        }
        (_, code::MOST_CHANNELS) => {
            "This server has 500 channels and takes no more: delete old ones, then ask for the room again. The incident goes on \
             without a room: where it was opened, on the page, and on the terminal"
        }
        (_, code::MOST_PINS) => "The channel has 250 pinned messages and takes no more: unpin some",
        _ => return None,
    })
}

/// A file that travels with a body.
#[derive(Debug, Clone, Copy)]
pub struct Attached<'a> {
    pub name: &'a str,
    pub media_type: &'a str,
    pub bytes: &'a [u8],
}

/// The API with the token of one bot.
pub struct Api {
    client: Client,
    url: String,
    pace: Pace,
    clock: Arc<dyn Clock>,
}

impl Api {
    /// `url` is the address of the API with its version and without a slash at its end.
    pub fn new(url: &str, token: &str, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::from_str(&format!("Bot {token}"))
            .map_err(|_| std::io::Error::other("the token holds characters that no token has"))?;
        bearer.set_sensitive(true);
        headers.insert(reqwest::header::AUTHORIZATION, bearer);
        let client = Client::builder()
            .user_agent(AGENT)
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            pace: Pace::default(),
            clock,
        })
    }

    /// A call that reads.
    pub async fn get(&self, route: Route) -> Result<Value, Failure> {
        self.send(route, None, None).await
    }

    /// A call without a body that changes something.
    pub async fn act(&self, route: Route) -> Result<Value, Failure> {
        self.send(route, None, None).await
    }

    pub async fn call(&self, route: Route, body: &Value) -> Result<Value, Failure> {
        self.send(route, Some(body), None).await
    }

    /// A call whose body brings a file along, if there is one.
    pub async fn call_with(
        &self,
        route: Route,
        body: &Value,
        file: Option<Attached<'_>>,
    ) -> Result<Value, Failure> {
        self.send(route, Some(body), file).await
    }

    async fn send(
        &self,
        route: Route,
        body: Option<&Value>,
        file: Option<Attached<'_>>,
    ) -> Result<Value, Failure> {
        if !route.is_answer() {
            let taken = self.pace.take(route.name, &route.about, self.clock.now());
            taken.map_err(|after| Failure::Limited {
                route: route.name,
                after,
            })?;
        }
        let request = self
            .client
            .request(route.method.clone(), format!("{}{}", self.url, route.path))
            .timeout(if file.is_some() { FILE_CALL_MAX } else { CALL_MAX });
        let request = match (body, file) {
            (Some(body), Some(file)) => {
                let (kind, bytes) = multipart(body, file);
                request.header(reqwest::header::CONTENT_TYPE, kind).body(bytes)
            }
            (Some(body), None) => request.json(body),
            (None, _) => request,
        };
        // The error of the client names the address; a token in it (of an interaction) must not get into a log.
        let unclear = |why: &str| Failure::Unclear {
            route: route.name,
            why: why.to_owned(),
        };
        let answer = request.send().await.map_err(|error| {
            unclear(if error.is_timeout() {
                "no answer in time"
            } else {
                "the connection failed"
            })
        })?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer
            .bytes()
            .await
            .map_err(|_| unclear("the answer broke off"))?;
        self.answered(&route, status, &headers, &bytes)
    }

    fn answered(
        &self,
        route: &Route,
        status: StatusCode,
        headers: &HeaderMap,
        bytes: &[u8],
    ) -> Result<Value, Failure> {
        let now = self.clock.now();
        if !route.is_answer() {
            self.pace.told(route.name, &route.about, &told(headers), now);
        }
        let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let scope = text(headers, "x-ratelimit-scope");
        // A limit that is shared by all bots of a server is not counted against us.
        if matches!(status.as_u16(), 401 | 403) || (status == 429 && scope != Some("shared")) {
            self.pace.refused(now);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = body["retry_after"]
                .as_f64()
                .or_else(|| text(headers, "retry-after")?.parse().ok());
            let after = seconds
                .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
                .map_or(LIMITED, Duration::from_secs_f64);
            let everything = body["global"] == true || scope == Some("global");
            self.pace
                .limited(route.name, &route.about, everything, after, now);
            return Err(Failure::Limited {
                route: route.name,
                after,
            });
        }
        if status.is_success() {
            return match bytes.is_empty() || !body.is_null() {
                true => Ok(body),
                false => Err(Failure::Unclear {
                    route: route.name,
                    why: "an answer that is not JSON".to_owned(),
                }),
            };
        }
        if status.is_server_error() {
            return Err(Failure::Unclear {
                route: route.name,
                why: format!("HTTP {}", status.as_u16()),
            });
        }
        Err(Failure::Code {
            route: route.name,
            status: status.as_u16(),
            code: body["code"].as_u64().unwrap_or_default(),
            words: words(&body),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn told(headers: &HeaderMap) -> Told {
    let seconds = text(headers, "x-ratelimit-reset-after").and_then(|seconds| seconds.parse::<f64>().ok());
    Told {
        bucket: text(headers, "x-ratelimit-bucket").map(str::to_owned),
        limit: text(headers, "x-ratelimit-limit").and_then(|limit| limit.parse().ok()),
        remaining: text(headers, "x-ratelimit-remaining").and_then(|left| left.parse().ok()),
        reset_after: seconds
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
            .map(Duration::from_secs_f64),
    }
}

/// Discord's words, and the place in the body that they are about.
fn words(body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or("no reason given");
    let mut place = Vec::new();
    let mut at = &body["errors"];
    while let Some((name, inner)) = at.as_object().and_then(|object| object.iter().next()) {
        if name == "_errors" {
            let first = inner[0]["code"].as_str().unwrap_or_default();
            return format!("{message}: {} {first}", place.join("."));
        }
        place.push(name.as_str());
        at = inner;
    }
    message.to_owned()
}

/// A body with a file, as a form of several parts. Its boundary must not stand in the file, so it is made of it.
fn multipart(body: &Value, file: Attached<'_>) -> (String, Vec<u8>) {
    use sha2::{Digest, Sha256};
    let boundary = format!("orderly-{}", hex::encode(Sha256::digest(file.bytes)));
    // Quotation marks and line ends would leave the header.
    let clean = |text: &str| text.replace(['"', '\r', '\n', '\\'], "_");
    let mut bytes = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: \
         application/json\r\n\r\n{body}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"files[0]\"; \
         filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
        clean(file.name),
        clean(file.media_type),
    )
    .into_bytes();
    bytes.extend_from_slice(file.bytes);
    bytes.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn api() -> Api {
        crate::driver::install_tls();
        let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        Api::new("http://127.0.0.1:1", "token", Arc::new(ManualClock::at(at))).expect("a client")
    }

    /// What Discord answers to a call, and how long another call has to wait after it.
    fn after(
        api: &Api,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Option<Duration> {
        let route = Route::new("GET /guilds/{}/roles", &["1"]);
        let status = StatusCode::from_u16(status).expect("a status");
        let headers = headers.iter().map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let answered = api.answered(&route, status, &headers.collect(), body.as_bytes());
        assert!(answered.is_err());
        api.pace
            .take("GET /guilds/{}/channels", "1", api.clock.now())
            .err()
    }

    #[test]
    fn a_global_limit_holds_every_call_for_as_long_as_discord_says() {
        let own = r#"{"message": "slow", "retry_after": 7.5, "global": false}"#;
        assert_eq!(after(&api(), 429, &[], own), None);
        let all = r#"{"message": "slow", "retry_after": 3.5, "global": true}"#;
        assert_eq!(after(&api(), 429, &[], all), Some(Duration::from_millis(3_500)));
        let without_body = [("x-ratelimit-scope", "global"), ("retry-after", "4")];
        assert_eq!(
            after(&api(), 429, &without_body, ""),
            Some(Duration::from_secs(4))
        );
    }

    #[test]
    fn what_discord_counts_against_the_address_stops_everything_in_time() {
        let limit = r#"{"message": "slow", "retry_after": 0.0}"#;
        let shared = [("x-ratelimit-scope", "shared")];
        let (counted, spared) = (api(), api());
        for _ in 0..5_000 {
            after(&counted, 403, &[], "{}");
            after(&spared, 429, &shared, limit);
            after(&spared, 404, &[], "{}");
        }
        // Only what is refused is looked at here, and not how many calls a second takes.
        let later = counted.clock.now() + chrono::TimeDelta::seconds(2);
        let take = |api: &Api| api.pace.take("GET /guilds/{}/channels", "1", later);
        assert!(take(&counted).is_err_and(|wait| wait > Duration::from_secs(500)));
        assert_eq!(take(&spared), Ok(()));
    }

    #[test]
    fn an_error_names_the_place_and_not_what_stands_there() {
        let body = serde_json::json!({
            "code": 50035, "message": "Invalid Form Body",
            "errors": { "embeds": { "0": { "description": { "_errors": [{ "code": "BASE_TYPE_MAX_LENGTH", "message": "hunter2" }] } } } },
        });
        assert_eq!(
            words(&body),
            "Invalid Form Body: embeds.0.description BASE_TYPE_MAX_LENGTH"
        );
    }

    #[test]
    fn a_file_s_name_cannot_leave_its_header() {
        let file = Attached {
            name: "a\"\r\nX: y",
            media_type: "text/plain",
            bytes: b"hi",
        };
        let (_, bytes) = multipart(&serde_json::json!({}), file);
        let text = String::from_utf8(bytes).expect("text");
        assert!(
            text.contains("filename=\"a___X: y\"") && !text.contains("\nX: y"),
            "{text}"
        );
    }
}
