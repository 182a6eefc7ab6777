//! Heads of requests and answers.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use serde_json::json;

use super::Shared;
use super::call::Done;
use super::fail::Fail;
use super::limits::{Bucket, Early};

pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Who does not say what it is, is refused by the proxy before Discord.
pub fn unknown_client(shared: &Shared, headers: &HeaderMap) -> Option<Response> {
    let agent = text(headers, "user-agent");
    if agent.is_empty() {
        shared.with(|state| state.violation("a request without a User-Agent".to_owned()));
        return Some((StatusCode::FORBIDDEN, axum::response::Html("error code: 1010")).into_response());
    }
    if !agent.starts_with("DiscordBot (") {
        let said = format!("the User-Agent is not “DiscordBot (address, version)”: {agent}");
        shared.with(|state| state.violation(said));
    }
    None
}

fn json_answer(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub fn refused(why: &Fail) -> Response {
    json_answer(why.status, why.body().to_string())
}

/// The proxy's own page: no JSON, no fraction of a second.
pub fn shut_out(after: u64) -> Response {
    let head = [(header::RETRY_AFTER, after.to_string())];
    let page =
        axum::response::Html("<html><title>Access denied | discord.com used Cloudflare</title></html>");
    (StatusCode::TOO_MANY_REQUESTS, head, page).into_response()
}

/// The answer as it goes out, with the guild's time and where the call stands in its bucket.
pub fn answer(shared: &Shared, done: Done) -> Response {
    let seconds = shared.read(super::state::State::seconds);
    let (mut response, bucket) = match done {
        Done::ShutOut(after) => (shut_out(after.as_secs().max(1)), None),
        Done::Early(early) => (too_early(&early), early.bucket),
        Done::Refused(why, bucket) => (refused(&why), bucket),
        Done::Answered(204, _, bucket) => (StatusCode::NO_CONTENT.into_response(), Some(bucket)),
        Done::Answered(status, body, bucket) => (json_answer(status, body.to_string()), Some(bucket)),
    };
    let now = DateTime::from_timestamp(i64::try_from(seconds).unwrap_or(0), 0).unwrap_or_default();
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = value.parse() {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    put("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    put("via", "1.1 google".to_owned());
    if let Some(bucket) = bucket {
        for (name, value) in of_bucket(&bucket) {
            put(name, value);
        }
    }
    response
}

fn of_bucket(bucket: &Bucket) -> [(&'static str, String); 5] {
    let exact = |span: Duration| format!("{:.3}", span.as_secs_f64());
    [
        ("x-ratelimit-limit", bucket.limit.to_string()),
        ("x-ratelimit-remaining", bucket.remaining.to_string()),
        ("x-ratelimit-reset", exact(bucket.resets)),
        ("x-ratelimit-reset-after", exact(bucket.after)),
        ("x-ratelimit-bucket", bucket.id.clone()),
    ]
}

fn too_early(early: &Early) -> Response {
    // Rounded up: who comes back then is not early again.
    let millis = u64::try_from(early.after.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
    let after = Duration::from_millis(millis);
    let body = json!({
        "message": "You are being rate limited.", "retry_after": after.as_secs_f64(), "global": early.global,
    });
    let mut response = json_answer(429, body.to_string());
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = value.parse() {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    put("retry-after", millis.div_ceil(1000).max(1).to_string());
    put(
        "x-ratelimit-scope",
        if early.global { "global" } else { "user" }.to_owned(),
    );
    if early.global {
        put("x-ratelimit-global", "true".to_owned());
    }
    response
}
