//! Acting: one request, sent once. Whatever leaves a doubt is unknown.

use std::collections::BTreeMap;

use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::read::{body, late};
use super::{Http, ReadCall, address, parse, request, why};
use crate::driver::{Access, Failure, Limits, Target, guards};
use crate::incident::{Approved, Operation, Outcome, Preview};

/// Tells a server that knows it that this is one and the same request, however often a proxy in between repeats it.
const IDEMPOTENCY: &str = "idempotency-key";

/// The guard that goes out as `If-Match`.
const VERSION: &str = "etag";

/// Bytes of an answer that go into the journal as the report.
const REPORT: usize = 300;

#[derive(Debug, Deserialize)]
struct ActCall {
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    guards: BTreeMap<String, String>,
    #[serde(default)]
    if_match: bool,
    #[serde(default)]
    preview: Option<ReadCall>,
}

impl ActCall {
    fn method(&self) -> Result<Method, Failure> {
        match self.method.as_str() {
            "POST" => Ok(Method::POST),
            "PUT" => Ok(Method::PUT),
            "PATCH" => Ok(Method::PATCH),
            "DELETE" => Ok(Method::DELETE),
            other => Err(Failure::Refused(format!("An action cannot be sent with {other}"))),
        }
    }
}

impl Http {
    pub(super) async fn look(
        &self,
        target: &Target,
        call: &Value,
        limits: Limits,
    ) -> Result<Preview, Failure> {
        let parsed: ActCall = parse(call)?;
        let access = acting(target)?;
        let mut url = address(access, &parsed.path, &parsed.query)?;
        // What people read, and what is kept, holds no credentials.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let (guards, effect) = self.guards(target, &parsed, limits).await?;
        let mut display = format!("{} {url}", parsed.method()?);
        if let Some(body) = &parsed.body {
            display.push_str(&format!("\n{body:#}"));
        }
        if !guards.is_empty() {
            display.push_str(&format!("\n{}", guards::shown(&guards)));
        }
        let operation = Operation {
            driver: "http".to_owned(),
            display,
            call: call.clone(),
            guards,
        };
        Ok(Preview {
            operation,
            effect,
            dry_run: false,
        })
    }

    /// What guards an action now, and what was read for it as text.
    async fn guards(
        &self,
        target: &Target,
        call: &ActCall,
        limits: Limits,
    ) -> Result<(Map<String, Value>, String), Failure> {
        let Some(read) = &call.preview else {
            return Ok((Map::new(), String::new()));
        };
        let reading = self.ask(target, read, limits).await?;
        let mut found = guards::take(&reading.answer, &call.guards).map_err(Failure::Refused)?;
        if call.if_match {
            let version = reading.answer["headers"]
                .get(ETAG.as_str())
                .cloned()
                .ok_or_else(|| {
                    Failure::Refused(
                        "The server gave no ETag, so it cannot check that nothing changed".to_owned(),
                    )
                })?;
            found.insert(VERSION.to_owned(), version);
        }
        Ok((
            found,
            String::from_utf8_lossy(&reading.raw)
                .chars()
                .take(2_000)
                .collect(),
        ))
    }

    pub(super) async fn act(&self, target: &Target, approved: &Approved, limits: Limits) -> Outcome {
        let (call, url, method) = match self.prepare(target, approved, limits).await {
            Ok(ready) => ready,
            Err(failure) => {
                return Outcome::NotDone {
                    why: format!("Nothing was sent: {failure}"),
                };
            }
        };
        let Some(access) = &target.action else {
            return Outcome::NotDone {
                why: format!("`{}` takes no actions", target.name),
            };
        };
        let mut sending = request(&self.actions, access, method, url).header(IDEMPOTENCY, key(approved));
        if let Some(version) = approved.operation().guards.get(VERSION).and_then(Value::as_str) {
            sending = sending.header(IF_MATCH, version);
        }
        if let Some(body) = &call.body {
            sending = sending.json(body);
        }
        let sent = async {
            let response = sending.send().await?;
            let status = response.status();
            Ok((status, body(response, REPORT).await))
        };
        match timeout(limits.timeout, sent).await {
            Err(_) => Outcome::Unknown {
                why: format!("{}, and it was sent", late(limits)),
            },
            Ok(Err(error)) => lost(error),
            Ok(Ok((status, body))) => outcome(status, &body.bytes),
        }
    }

    /// Everything that can be refused before a byte is sent.
    async fn prepare(
        &self,
        target: &Target,
        approved: &Approved,
        limits: Limits,
    ) -> Result<(ActCall, reqwest::Url, Method), Failure> {
        let operation = approved.operation();
        let call: ActCall = parse(&operation.call)?;
        let url = address(acting(target)?, &call.path, &call.query)?;
        let method = call.method()?;
        let (now, _) = self.guards(target, &call, limits).await?;
        match guards::changed(&operation.guards, &now) {
            Some(why) => Err(Failure::Refused(why)),
            None => Ok((call, url, method)),
        }
    }
}

fn acting(target: &Target) -> Result<&Access, Failure> {
    target
        .action
        .as_ref()
        .ok_or_else(|| Failure::Refused(format!("`{}` takes no actions", target.name)))
}

/// Random, because numbers of proposals begin anew with each incident, and a server must not take two for one.
fn key(approved: &Approved) -> String {
    let random = getrandom::u64().unwrap_or_default();
    format!("{}-{}-{random:016x}", approved.proposal(), approved.attempt())
}

/// No answer: only a connection that never came about leaves no doubt.
fn lost(error: reqwest::Error) -> Outcome {
    match error.is_connect() || error.is_builder() {
        true => Outcome::NotDone {
            why: format!("Nothing was sent: {}", why(error)),
        },
        false => Outcome::Unknown {
            why: format!("It was sent, and no answer came: {}", why(error)),
        },
    }
}

fn outcome(status: StatusCode, body: &[u8]) -> Outcome {
    let said: String = String::from_utf8_lossy(body)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let said = if said.is_empty() {
        format!("HTTP {status}")
    } else {
        format!("HTTP {status}: {said}")
    };
    match status {
        _ if status.is_success() => Outcome::Done { report: said },
        StatusCode::REQUEST_TIMEOUT => Outcome::Unknown {
            why: format!("{said} (it may still go on)"),
        },
        _ if status.is_client_error() => Outcome::NotDone { why: said },
        _ if status.is_redirection() => Outcome::Unknown {
            why: format!(
                "{said}: it points elsewhere; that was not followed, and what happened here is not known"
            ),
        },
        // 502 and 504 come from a proxy whose backend may have done it; a 500 may come half way.
        _ => Outcome::Unknown {
            why: format!("{said}: it may have been done all the same"),
        },
    }
}
