//! On a real PostgreSQL.

mod changing;
mod entries;
mod odoo;
mod reading;
mod writing;

use std::time::Duration;

use orderly_testbed::Postgres as Server;
use serde_json::{Map, Value, json};

use super::Postgres;
use crate::driver::{Access, Driver, Failure, Limits, Reading, Target};
use crate::incident::Environment;

pub(crate) fn access(url: String) -> Access {
    Access {
        url,
        headers: Vec::new(),
        env: Vec::new(),
    }
}

/// The server as a target, probed as `role`, acted on as `orderly_act`.
pub(crate) fn target(server: &Server, role: &str, database: &str) -> Target {
    Target {
        name: "shop-db".to_owned(),
        kind: "postgres".to_owned(),
        environment: Environment::Staging,
        tenant: None,
        probe: access(server.url_for(role, database)),
        action: Some(access(server.url_for("orderly_act", database))),
        facts: Map::new(),
        accept_privileged_probe: false,
    }
}

pub(crate) const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(20),
    output: 64 * 1024,
};

async fn ask(target: &Target, sql: &str) -> Result<Reading, Failure> {
    Postgres.read(target, &json!({ "sql": sql }), LIMITS).await
}

async fn rows(target: &Target, sql: &str) -> Value {
    ask(target, sql)
        .await
        .unwrap_or_else(|why| panic!("{sql}: {why}"))
        .answer
}

/// The words of a refusal.
async fn refusal(target: &Target, sql: &str) -> String {
    match ask(target, sql).await {
        Err(Failure::Refused(why)) => why,
        other => panic!("{sql} was not refused: {other:?}"),
    }
}
