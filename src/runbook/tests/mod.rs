//! Runbooks as their authors and their readers meet them.

mod broken;
mod choosing;
mod reading;
mod reviewing;
mod shipped;
mod words;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ParamInfo, Problem, Runbook, Vocabulary, check, parse};
use crate::incident::{Phase, Step};

/// A front matter to put before a body in a test; the body begins at line 7.
const FRONT: &str = "---\nname: test\ntitle: Test\nsummary: For a test.\nmatch: {title: [test]}\n---\n";

/// A runbook of this body, or its problems as an author sees them.
fn read(body: &str) -> Result<Runbook, String> {
    parse("test.md", &format!("{FRONT}{body}")).map_err(|problems| shown(&problems))
}

fn shown(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What an author of this body is told.
fn told(body: &str) -> String {
    shown(&check("test.md", &format!("{FRONT}{body}"), &Entries::real()))
}

fn steps(runbook: &Runbook, phase: Phase) -> &[Step] {
    &runbook
        .plan
        .phases
        .iter()
        .find(|known| known.phase == phase)
        .expect("all six phases")
        .steps
}

/// Names of probes and actions with their parameters, and of targets.
struct Entries {
    probes: BTreeMap<&'static str, Vec<&'static str>>,
    actions: BTreeMap<&'static str, Vec<&'static str>>,
    targets: Vec<&'static str>,
}

fn table(rows: &[&'static str]) -> BTreeMap<&'static str, Vec<&'static str>> {
    let entries = rows.iter().filter_map(|row| {
        let mut words = row.split(' ');
        Some((words.next()?, words.collect()))
    });
    entries.collect()
}

impl Entries {
    /// What is in the catalog that runbooks are shipped with.
    fn real() -> Self {
        Self {
            probes: table(&[
                "postgres.blocking failing_after min_seconds",
                "postgres.long_transactions suspect_after failing_after",
                "postgres.idle_in_transaction suspect_after failing_after",
                "postgres.connections",
                "postgres.replication_lag",
                "postgres.size",
                "postgres.settings_changed",
                "postgres.deadlocks",
                "postgres.tenants",
                "postgres.wraparound",
                "postgres.vacuum",
                "odoo.crons",
                "odoo.cron cron",
                "odoo.queue_jobs channel",
                "odoo.modules_changed",
                "odoo.health",
                "redis.memory",
                "redis.latency",
                "redis.clients",
                "redis.persistence",
                "redis.replication",
                "redis.ping",
                "http.health",
                "http.latency",
                "http.tls_expiry",
                "host.disk",
                "host.memory",
                "host.log_since",
                "git.changes",
                "demo.health",
                "demo.jobs",
                "demo.wrong_records",
                "demo.changes",
                "demo.log",
                "demo.queue",
                "shop.health",
                "shop.jobs",
                "shop.records",
                "shop.changes",
                "shop.log",
                "shop.queue",
            ]),
            actions: table(&[
                "postgres.cancel_backend pid",
                "postgres.terminate_backend pid",
                "odoo.cron.disable cron",
                "odoo.cron.enable cron",
                "odoo.queue.pause channel",
                "odoo.queue.resume channel",
                "flag.set flag value",
                "script.run script",
                "http.job.pause job",
                "http.job.resume job",
                "shop.job.pause job",
                "shop.job.resume job",
            ]),
            targets: vec!["odoo-db", "odoo-web", "shop"],
        }
    }
}

fn params(names: Option<&Vec<&'static str>>) -> Option<Vec<ParamInfo>> {
    let info = |name: &&str| ParamInfo {
        name: (*name).to_owned(),
        required: true,
    };
    names.map(|names| names.iter().map(info).collect())
}

impl Vocabulary for Entries {
    fn probe(&self, name: &str) -> Option<Vec<ParamInfo>> {
        params(self.probes.get(name))
    }

    fn action(&self, name: &str) -> Option<Vec<ParamInfo>> {
        params(self.actions.get(name))
    }

    fn probe_names(&self) -> Vec<String> {
        self.probes.keys().map(|name| (*name).to_owned()).collect()
    }

    fn action_names(&self) -> Vec<String> {
        self.actions.keys().map(|name| (*name).to_owned()).collect()
    }

    fn target_exists(&self, name: &str) -> Option<bool> {
        Some(self.targets.contains(&name))
    }

    fn target_names(&self) -> Vec<String> {
        self.targets.iter().map(|name| (*name).to_owned()).collect()
    }

    fn check_param(&self, _entry: &str, param: &str, value: &Value) -> Result<(), String> {
        match (param, value) {
            ("min_seconds" | "pid", Value::Number(_)) => Ok(()),
            ("min_seconds" | "pid", _) => Err("must be a whole number.".to_owned()),
            _ => Ok(()),
        }
    }

    fn check_target(&self, entry: &str, target: &str) -> Result<(), String> {
        match (entry.split('.').next(), target) {
            (Some("postgres"), "odoo-web") => Err("`odoo-web` is no PostgreSQL server.".to_owned()),
            _ => Ok(()),
        }
    }
}
