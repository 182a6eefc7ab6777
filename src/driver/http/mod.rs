//! HTTP: probes ask with GET and HEAD and nothing else, actions send one request, once.
//!
//! Deliberately absent, for both: redirects, retries, proxies from the environment, connections kept for later.

mod act;
mod certificate;
mod read;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder, Url, redirect, retry};
use serde::Deserialize;
use serde_json::Value;

use super::{Access, Driver, Failure, Limits, Reading, Target};
use crate::clock::Clock;
use crate::incident::{Approved, Outcome, Preview};

/// A connection that takes longer is not there; the rest of the time belongs to the answer.
const CONNECT: Duration = Duration::from_secs(5);

/// Speaks HTTP.
#[derive(Clone)]
pub struct Http {
    probes: Client,
    actions: Client,
    clock: Arc<dyn Clock>,
}

/// A read as the catalog renders it.
#[derive(Debug, Clone, Deserialize)]
struct ReadCall {
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    json: bool,
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    down_is_an_answer: bool,
    #[serde(default)]
    certificate: bool,
}

fn get() -> String {
    "GET".to_owned()
}

impl Http {
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        super::install_tls();
        let client = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT)
                .no_proxy()
                .user_agent(concat!("orderly/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Self {
            probes: client()?,
            actions: client()?,
            clock,
        })
    }
}

#[async_trait]
impl Driver for Http {
    async fn read(&self, target: &Target, call: &Value, limits: Limits) -> Result<Reading, Failure> {
        self.ask(target, &parse(call)?, limits).await
    }

    async fn preview(&self, target: &Target, call: &Value, limits: Limits) -> Result<Preview, Failure> {
        self.look(target, call, limits).await
    }

    async fn attempt(&self, target: &Target, approved: &Approved, limits: Limits) -> Outcome {
        self.act(target, approved, limits).await
    }
}

fn parse<T: for<'de> Deserialize<'de>>(call: &Value) -> Result<T, Failure> {
    T::deserialize(call).map_err(|error| Failure::Refused(format!("The call is not one for HTTP: {error}")))
}

/// The whole address of a call. The path was percent-encoded by the catalog.
fn address(access: &Access, path: &str, query: &BTreeMap<String, String>) -> Result<Url, Failure> {
    let wrong = |why: &str| {
        Failure::Refused(format!(
            "The target's address is wrong ({why}); check it in orderly.toml."
        ))
    };
    let mut url = Url::parse(&access.url).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must begin with http:// or https://"));
    }
    let base = url.path().trim_end_matches('/').to_owned();
    let whole = format!("{base}{path}");
    url.set_path(&whole);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

fn request(client: &Client, access: &Access, method: Method, url: Url) -> RequestBuilder {
    let request = client.request(method, url);
    access
        .headers
        .iter()
        .fold(request, |request, (name, value)| request.header(name, value))
}

/// What went wrong, from the innermost cause, without the address: it may hold credentials.
fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
