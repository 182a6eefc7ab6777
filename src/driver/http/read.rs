//! Asking: the request, the bounded body, the answer.

use std::time::Instant;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{Http, ReadCall, address, request, why};
use crate::driver::{Failure, Limits, Reading, Target};

/// Headers that help to understand an answer. Others (cookies above all) are not kept.
const HEADERS: &[&str] = &[
    "age",
    "cache-control",
    "content-length",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "via",
    "x-cache",
    "x-request-id",
];

/// Characters of a text body that expressions and the card see; the whole of it is kept beside.
const TEXT: usize = 4_000;

/// A body as far as it was read.
pub(super) struct Body {
    pub bytes: Vec<u8>,
    /// The limit cut it.
    pub truncated: bool,
    /// The connection broke before the end.
    pub broken: Option<String>,
}

impl Http {
    pub(super) async fn ask(
        &self,
        target: &Target,
        call: &ReadCall,
        limits: Limits,
    ) -> Result<Reading, Failure> {
        let answered = match call.certificate {
            true => self.certificate(target, limits).await,
            false => self.get(target, call, limits).await,
        };
        match answered {
            Err(Failure::Unreachable(why)) if call.down_is_an_answer => Ok(Reading {
                raw: why.clone().into_bytes(),
                answer: json!({ "reached": false, "why": why }),
                caveats: Vec::new(),
            }),
            other => other,
        }
    }

    async fn get(&self, target: &Target, call: &ReadCall, limits: Limits) -> Result<Reading, Failure> {
        let method = match call.method.as_str() {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            other => {
                let why = format!("A probe asks with GET or HEAD, never with {other}. Nothing was sent.");
                return Err(Failure::Refused(why));
            }
        };
        let url = address(&target.probe, &call.path, &call.query)?;
        let begun = Instant::now();
        let asked = async {
            let response = request(&self.probes, &target.probe, method, url)
                .send()
                .await
                .map_err(failure)?;
            let latency = begun.elapsed();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok((status, headers, latency, body(response, limits.output).await))
        };
        let (status, headers, latency, body) = match timeout(limits.timeout, asked).await {
            Ok(answered) => answered?,
            Err(_) => return Err(Failure::Unreachable(late(limits))),
        };
        if !call.status.is_empty() && !call.status.contains(&status) {
            return Err(Failure::Refused(format!(
                "It answered HTTP {status}, where {:?} was expected",
                call.status
            )));
        }
        let parsed = serde_json::from_slice::<Value>(&body.bytes).ok();
        if call.json && parsed.is_none() {
            let why = match (body.truncated, &body.broken) {
                (true, _) => format!("its JSON passed the limit of {} bytes", limits.output),
                (false, Some(why)) => format!("its JSON broke off: {why}"),
                (false, None) => "but no JSON".to_owned(),
            };
            return Err(Failure::Refused(format!("It answered HTTP {status}, {why}")));
        }
        let mut caveats = Vec::new();
        if body.truncated {
            caveats.push(format!("The body was cut at {} bytes.", limits.output));
        }
        caveats.extend(
            body.broken
                .iter()
                .map(|why| format!("The body broke off: {why}.")),
        );
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let answer = json!({
            "reached": true,
            "status": status,
            "latency_ms": millis(latency),
            "total_ms": millis(begun.elapsed()),
            "headers": kept(&headers),
            "size": body.bytes.len(),
            "truncated": body.truncated,
            "json": parsed,
            "text": text(&headers, &body.bytes),
        });
        Ok(Reading {
            answer,
            raw: body.bytes,
            caveats,
        })
    }
}

/// Reads a body up to a limit. What came before a break still counts.
pub(super) async fn body(mut response: Response, limit: usize) -> Body {
    let mut body = Body {
        bytes: Vec::new(),
        truncated: false,
        broken: None,
    };
    loop {
        match response.chunk().await {
            Ok(None) => return body,
            Err(error) => {
                body.broken = Some(why(error));
                return body;
            }
            Ok(Some(chunk)) => {
                let fits = chunk.len().min(limit - body.bytes.len());
                body.bytes.extend_from_slice(&chunk[..fits]);
                if fits < chunk.len() {
                    body.truncated = true;
                    return body;
                }
            }
        }
    }
}

fn failure(error: reqwest::Error) -> Failure {
    if error.is_builder() {
        return Failure::Refused(format!("The request could not be built: {}", why(error)));
    }
    match error.is_timeout() {
        true => {
            Failure::Unreachable("No connection in time. Is it up, and may this machine reach it?".to_owned())
        }
        false => Failure::Unreachable(format!(
            "No connection: {}. Is it up, and may this machine reach it?",
            why(error)
        )),
    }
}

pub(super) fn late(limits: Limits) -> String {
    format!("No answer within {} s", limits.timeout.as_secs_f32())
}

fn kept(headers: &HeaderMap) -> Map<String, Value> {
    let one = |name: &&str| Some(((*name).to_owned(), json!(headers.get(*name)?.to_str().ok()?)));
    HEADERS.iter().filter_map(one).collect()
}

/// The body as text, if it is text.
fn text(headers: &HeaderMap, bytes: &[u8]) -> Option<String> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("text/plain");
    let textual = ["text/", "json", "xml", "javascript", "urlencoded"]
        .iter()
        .any(|part| kind.contains(part));
    (textual && !bytes.contains(&0)).then(|| String::from_utf8_lossy(bytes).chars().take(TEXT).collect())
}
