//! The shipped catalog against real things: programs behind the sandbox, servers on loopback, repositories, logs.

mod entries;
mod sandbox;
mod shop;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use orderly::catalog::{Catalog, When};
use orderly::clock::ManualClock;
use orderly::driver::http::Http;
use orderly::driver::process::Process;
use orderly::driver::systems::Systems;
use orderly::driver::{Access, Driver, Limits, Target};
use orderly::incident::{Answer, Environment, Params};
use serde_json::Value;

/// This build of `orderly`, which builds the walls around a probe's program.
const LAUNCHER: &str = env!("CARGO_BIN_EXE_orderly");

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(20),
        output: 64 * 1024,
    }
}

fn now() -> DateTime<Utc> {
    "2026-05-04T04:00:00Z".parse().expect("a time")
}

fn onset() -> When {
    When::new("2026-05-04T03:10:00Z".parse().ok(), now())
}

fn target(kind: &str, url: &str) -> Target {
    let access = || Access {
        url: url.to_owned(),
        headers: Vec::new(),
        env: Vec::new(),
    };
    Target {
        name: format!("the-{kind}"),
        kind: kind.to_owned(),
        environment: Environment::Drill,
        tenant: None,
        probe: access(),
        action: Some(access()),
        facts: serde_json::Map::new(),
        accept_privileged_probe: false,
    }
}

fn systems(targets: Vec<Target>) -> Systems {
    let mut drivers: BTreeMap<String, Arc<dyn Driver>> = BTreeMap::new();
    let http = Http::new(Arc::new(ManualClock::at(now()))).expect("a client");
    drivers.insert("http".to_owned(), Arc::new(http));
    drivers.insert("process".to_owned(), Arc::new(Process::new(LAUNCHER)));
    Systems::new(Catalog::shipped(), targets, drivers, Arc::new(str::to_owned))
}

/// Asks a shipped probe about a target, as the engine would.
async fn ask(probe: &str, target: &Target, params: Value) -> Answer {
    let systems = systems(vec![target.clone()]);
    let given: Params = params.as_object().expect("a table").clone().into_iter().collect();
    let call = systems
        .resolve_probe(probe, None, &given, &onset())
        .unwrap_or_else(|problem| panic!("{problem}"));
    systems.ask(&call).await.0.clone()
}
