//! What probes and actions speak: one driver a protocol.
//!
//! A driver gets a *call*: the JSON that the catalog rendered from an entry and its parameters. Reading and acting are
//! separate methods with separate credentials. A driver never retries, never follows a redirect while acting, and
//! answers [`Outcome::Unknown`] whenever something was sent and no certain answer came back.

mod guards;
pub mod http;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod systems;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::incident::{Approved, Environment, Outcome, Preview};

/// Something that can be probed or acted on, as the config describes it, with its secrets already read.
#[derive(Clone)]
pub struct Target {
    /// Name in the config (`odoo-prod`).
    pub name: String,
    /// `odoo`, `postgres`, `redis`, `http`, `host`, `git`; an entry says which kinds it fits.
    pub kind: String,
    pub environment: Environment,
    pub tenant: Option<String>,
    /// Address for probes, with the probe credentials in it.
    pub probe: Access,
    /// Address for actions; `None`: this target takes no actions.
    pub action: Option<Access>,
    /// Facts entries may use in their calls (`version = "17.0"`, `log = "/var/log/odoo.log"`).
    pub facts: Map<String, Value>,
    /// The operator accepts a probe role that could write; said on every result.
    pub accept_privileged_probe: bool,
}

/// How to reach a target. `Debug` is deliberately absent: it holds credentials.
#[derive(Clone)]
pub struct Access {
    /// `postgres://…`, `redis://…`, `https://…`, or a folder for `git` and `host`.
    pub url: String,
    /// Sent as headers by the http driver, by name.
    pub headers: Vec<(String, String)>,
    /// Added to the clean environment of a process, by name.
    pub env: Vec<(String, String)>,
}

/// Bounds of one call. Every call has both.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub timeout: Duration,
    /// Bytes of output kept; the rest is cut and said.
    pub output: usize,
}

/// What a read brought back.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What verdict expressions see as `answer`.
    pub answer: Value,
    /// The output as received, cut at the limit: what is kept as evidence.
    pub raw: Vec<u8>,
    /// What limits the trust in it: truncated, asked as superuser, network allowed.
    pub caveats: Vec<String>,
}

/// Why a read or a preview gave nothing. The text is for people and says what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// Not reached, or no answer in time: asking again later may help.
    #[error("{0}")]
    Unreachable(String),
    /// The system or the driver said no: asking again will not help.
    #[error("{0}")]
    Refused(String),
}

/// A protocol. Implementations hold connection pools, never state of an incident.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Asks. Must be unable to change anything, whatever the call says.
    async fn read(&self, target: &Target, call: &Value, limits: Limits) -> Result<Reading, Failure>;

    /// Renders the exact operation and reads what guards it. Changes nothing.
    async fn preview(&self, target: &Target, call: &Value, limits: Limits) -> Result<Preview, Failure>;

    /// Performs an approved operation, once, checking its guards again inside the operation itself.
    async fn attempt(&self, target: &Target, approved: &Approved, limits: Limits) -> Outcome;
}

/// Makes ring the one TLS provider; called first thing by `main`. With two in the tree rustls does not choose by itself.
pub fn install_tls() {
    // Err: somebody called it before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
