//! PostgreSQL.
//!
//! **What a probe cannot do, and why.** A question is *one prepared statement* (the extended protocol takes no second
//! one) that stands below a SELECT, where only a source of rows can stand; in a READ ONLY transaction that has its
//! snapshot already, so that it cannot be made READ WRITE; rolled back, so that NOTIFY and large objects vanish; on a
//! connection of its own that is closed afterwards, so that advisory locks and settings vanish too; and as a role
//! whose powers were looked at first ([`session`]). A superuser or any role that could write is refused, because a
//! READ ONLY transaction alone does not hold one: `COPY … TO PROGRAM`, `pg_reload_conf` and signals pass.
//!
//! **What remains.** For as long as it runs, at most its time limit, a question can hold an advisory lock that an
//! application also uses; it can end other sessions *of its own role* (other probes); it can write a record of no
//! effect to the WAL (`pg_logical_emit_message`, `txid_current`); and what a SECURITY DEFINER function does outside
//! the database is that function's own. Catalog entries are the operator's files: read what you add.
//!
//! **Changes** run on the action's own role, as one statement in one transaction that is never retried. Calls are
//! described in [`call`].

pub mod call;
mod change;
mod read;
mod session;
mod statement;
#[cfg(test)]
mod tests;
mod words;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Driver, Failure, Limits, Reading, Target};
use crate::incident::{Approved, Outcome, Preview};
use words::{Asked, Problem, Purpose, failure};

pub use session::PROPER_ROLE;

/// Asks and changes PostgreSQL servers. Holds nothing: each call has a connection of its own.
#[derive(Debug, Default, Clone, Copy)]
pub struct Postgres;

#[async_trait]
impl Driver for Postgres {
    async fn read(&self, target: &Target, call: &Value, limits: Limits) -> Result<Reading, Failure> {
        let ask = parsed(call)?;
        read::read(target, &ask, limits)
            .await
            .map_err(|problem| about(problem, target, Purpose::Probe, limits))
    }

    async fn preview(&self, target: &Target, call: &Value, limits: Limits) -> Result<Preview, Failure> {
        let change = parsed(call)?;
        change::preview(target, change, limits).await
    }

    async fn attempt(&self, target: &Target, approved: &Approved, limits: Limits) -> Outcome {
        let operation = approved.operation();
        if approved.target() != target.name || operation.driver != "postgres" {
            return Outcome::NotDone {
                why: format!(
                    "this was approved for {} on {}; nothing was sent",
                    operation.driver,
                    approved.target()
                ),
            };
        }
        change::attempt(target, &operation.call, limits).await
    }
}

/// Looks at the probe role alone, for `doctor`: what it may do beyond reading, or `None`.
pub async fn check_role(target: &Target, limits: Limits) -> Result<Option<String>, Failure> {
    let ask = call::Read {
        name: Some("doctor".to_owned()),
        sql: Some("SELECT 1 AS one".to_owned()),
        ..call::Read::default()
    };
    let reading = read::read(target, &ask, limits)
        .await
        .map_err(|problem| about(problem, target, Purpose::Probe, limits))?;
    Ok(reading.caveats.into_iter().next())
}

fn parsed<T: DeserializeOwned>(call: &Value) -> Result<T, Failure> {
    serde_json::from_value(call.clone())
        .map_err(|why| Failure::Refused(format!("the catalog entry makes no call for PostgreSQL: {why}")))
}

/// The failure in words, with the address of the role it is about.
fn about(problem: Problem, target: &Target, purpose: Purpose, limits: Limits) -> Failure {
    let access = match purpose {
        Purpose::Probe => Some(&target.probe),
        Purpose::Action => target.action.as_ref(),
    };
    let address = access
        .and_then(|access| session::address(access).ok())
        .map_or_else(|| target.name.clone(), |(_, address)| address);
    failure(
        problem,
        &Asked {
            target: &target.name,
            address: &address,
            purpose,
            allowed: limits.timeout,
        },
    )
}
