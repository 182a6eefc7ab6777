//! From a name and what was typed to a complete call or complete terms.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::params::{self, When, stamp};
use super::problem::{Problem, did_you_mean, listed};
use super::raw::{self, Sensitivity};
use super::render::Values;
use super::{ActionEntry, Catalog, ProbeEntry};
use crate::driver::{Limits, Target};
use crate::incident::{Check, Params, Policy, Risk, Role, Terms, UndoTerms};

/// A probe ready to be asked.
#[derive(Debug, Clone)]
pub struct ProbeCall {
    pub probe: String,
    pub title: String,
    /// Name of the target.
    pub target: String,
    /// Validated and typed, defaults filled in.
    pub params: Params,
    pub driver: String,
    /// What the driver gets.
    pub call: Value,
    pub limits: Limits,
    /// Who may ask; `None`: anybody in the room.
    pub role: Option<Role>,
    pub sensitivity: Sensitivity,
    /// SHA-256 of the catalog entry, hex.
    pub entry_digest: String,
    /// Known before asking: the onset is a guess.
    pub caveats: Vec<String>,
}

/// An action's call, rendered from terms that were resolved before.
#[derive(Debug, Clone)]
pub struct ActionCall {
    pub driver: String,
    pub call: Value,
    pub limits: Limits,
}

/// How long a waiting proposal stands, by risk, in seconds: the more it can break, the fresher the yes.
const EXPIRES_LOW: u64 = 4 * 3600;
const EXPIRES_MEDIUM: u64 = 3600;
const EXPIRES_HIGH: u64 = 30 * 60;

/// The policy of a risk where the entry says nothing else.
pub fn default_policy(risk: Risk) -> Policy {
    match risk {
        Risk::Low => Policy {
            quorum: 1,
            role: None,
            expires_s: EXPIRES_LOW,
        },
        Risk::Medium => Policy {
            quorum: 1,
            role: Some(Role::Approver),
            expires_s: EXPIRES_MEDIUM,
        },
        Risk::High => Policy {
            quorum: 2,
            role: Some(Role::Approver),
            expires_s: EXPIRES_HIGH,
        },
    }
}

/// A database session says for which entry it was opened.
fn named(driver: &str, call: &mut Value, name: &str) {
    if let (true, Value::Object(call)) = (driver == "postgres", call) {
        call.insert("name".to_owned(), Value::String(name.to_owned()));
    }
}

fn policy(risk: Risk, own: Option<raw::Policy>) -> Policy {
    let default = default_policy(risk);
    match own {
        None => default,
        Some(own) => Policy {
            quorum: own.quorum.unwrap_or(default.quorum),
            role: own.role.or(default.role),
            expires_s: own.expires.map_or(default.expires_s, |period| period.0.as_secs()),
        },
    }
}

impl Catalog {
    /// A probe's call, or what is wrong with what was asked.
    pub fn resolve_probe(
        &self,
        name: &str,
        target: &Target,
        given: &Params,
        when: &When,
    ) -> Result<ProbeCall, Problem> {
        let entry = self.probe(name).ok_or_else(|| self.unknown_probe(name))?;
        fits("probe", name, &entry.raw.targets, target)?;
        let params = params::read(name, &entry.raw.params, given, when)?;
        let values = Values {
            params: &params,
            allowed: &entry.raw.params,
            target,
            when: Some(when),
        };
        let (driver, mut call) = values.probe(&entry.raw)?;
        named(driver, &mut call, name);
        let caveats = match when.guessed && entry.uses_since() {
            true => {
                let since = params
                    .get("since")
                    .and_then(Value::as_str)
                    .map_or_else(|| stamp(when.since), str::to_owned);
                vec![format!(
                    "Nobody has said yet when it began; this looks back to {since}."
                )]
            }
            false => Vec::new(),
        };
        Ok(ProbeCall {
            probe: name.to_owned(),
            title: entry.raw.title.clone(),
            target: target.name.clone(),
            driver: driver.to_owned(),
            call,
            limits: Limits {
                timeout: entry.raw.timeout.0,
                output: entry.raw.output_limit.0,
            },
            role: entry.raw.role,
            sensitivity: entry.raw.sensitivity,
            entry_digest: entry.digest.clone(),
            caveats,
            params,
        })
    }

    /// Complete terms of an action, or what is wrong with what was asked.
    pub fn resolve_action(
        &self,
        name: &str,
        target: &Target,
        given: &Params,
        when: &When,
    ) -> Result<Terms, Problem> {
        let entry = self.action(name).ok_or_else(|| self.unknown_action(name))?;
        fits("action", name, &entry.raw.targets, target)?;
        if target.action.is_none() {
            let right = "Add an `action` address and credentials to the target in orderly.toml, or do it by hand and note it.";
            return Err(Problem::new(format!("`{}` takes no actions", target.name), right));
        }
        let params = params::read(name, &entry.raw.params, given, when)?;
        // What cannot be rendered must not reach the people who approve.
        Values {
            params: &params,
            allowed: &entry.raw.params,
            target,
            when: None,
        }
        .action(&entry.raw)?;
        let check = |check: &Option<raw::Check>| {
            check
                .as_ref()
                .map(|check| self.check(check, &params, target, when))
                .transpose()
        };
        Ok(Terms {
            action: name.to_owned(),
            title: entry.raw.title.clone(),
            target: target.name.clone(),
            environment: target.environment,
            entry_digest: entry.digest.clone(),
            risk: entry.raw.risk,
            policy: policy(entry.raw.risk, entry.raw.policy),
            containment: entry.raw.containment,
            manual_change: entry.raw.manual_change,
            precondition: check(&entry.raw.precondition)?,
            verify: check(&entry.raw.verify)?,
            undo: self.undo(entry, &params)?,
            undoes: None,
            params,
        })
    }

    /// The terms of taking an action back: `guards` is what its preview had read. `None`: it cannot be undone.
    pub fn resolve_undo(
        &self,
        terms: &Terms,
        guards: &Map<String, Value>,
        target: &Target,
        when: &When,
    ) -> Result<Option<Terms>, Problem> {
        let Some(undo) = &terms.undo else { return Ok(None) };
        let mut given = undo.params.clone();
        for (name, value) in &mut given {
            let Some(guard) = value
                .as_object()
                .and_then(|table| table.get("guard"))
                .and_then(Value::as_str)
            else {
                continue;
            };
            *value = guards.get(guard).cloned().ok_or_else(|| {
                let right = "Undo it by hand and note what you did.";
                Problem::new(format!("nobody read what `{name}` was before"), right)
            })?;
        }
        let mut resolved = self.resolve_action(&undo.action, target, &given, when)?;
        if let Some(policy) = &undo.policy {
            resolved.policy = policy.clone();
        }
        Ok(Some(resolved))
    }

    /// The call of an action whose terms stand in the journal. Refused when its entry changed since.
    pub fn render_action(&self, terms: &Terms, target: &Target) -> Result<ActionCall, Problem> {
        let entry = self
            .action(&terms.action)
            .ok_or_else(|| self.unknown_action(&terms.action))?;
        if entry.digest != terms.entry_digest {
            let right = "Propose it again, so that people approve what would run now.";
            return Err(Problem::new(
                format!(
                    "the catalog entry of `{}` changed since it was proposed",
                    terms.action
                ),
                right,
            ));
        }
        let values = Values {
            params: &terms.params,
            allowed: &entry.raw.params,
            target,
            when: None,
        };
        let (driver, mut call) = values.action(&entry.raw)?;
        named(driver, &mut call, &terms.action);
        Ok(ActionCall {
            driver: driver.to_owned(),
            call,
            limits: Limits {
                timeout: entry.raw.timeout.0,
                output: entry.raw.output_limit.0,
            },
        })
    }

    fn check(
        &self,
        check: &raw::Check,
        own: &Params,
        target: &Target,
        when: &When,
    ) -> Result<Check, Problem> {
        let given = passed_on(&check.params, own);
        let entry = self
            .probe(&check.probe)
            .ok_or_else(|| self.unknown_probe(&check.probe))?;
        let call = self.resolve_probe(&check.probe, target, &given, when)?;
        Ok(Check {
            probe: check.probe.clone(),
            target: target.name.clone(),
            params: call.params,
            wants: check.wants,
            expression: entry.expression(),
        })
    }

    fn undo(&self, entry: &ActionEntry, own: &Params) -> Result<Option<UndoTerms>, Problem> {
        let Some(undo) = &entry.raw.undo else {
            return Ok(None);
        };
        let other = self
            .action(&undo.action)
            .ok_or_else(|| self.unknown_action(&undo.action))?;
        Ok(Some(UndoTerms {
            action: undo.action.clone(),
            params: passed_on(&undo.params, own),
            policy: undo.policy.map(|lighter| policy(other.raw.risk, Some(lighter))),
        }))
    }

    /// What to say about a name that is not there.
    pub fn unknown_probe(&self, name: &str) -> Problem {
        unknown("probe", name, self.probe_names())
    }

    /// What to say about a name that is not there.
    pub fn unknown_action(&self, name: &str) -> Problem {
        unknown("action", name, self.action_names())
    }

    /// Names of the probes that fit a kind of target.
    pub fn probes_for<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a ProbeEntry> {
        self.probes()
            .filter(move |entry| entry.raw.targets.iter().any(|it| it == kind))
    }
}

/// `{ from = "x" }` and `{ not = "x" }` replaced by the action's own values.
fn passed_on(params: &BTreeMap<String, Value>, own: &Params) -> Params {
    let one = |value: &Value| -> Value {
        let Some(table) = value.as_object() else {
            return value.clone();
        };
        let named = |key: &str| {
            table
                .get(key)
                .and_then(Value::as_str)
                .and_then(|name| own.get(name))
        };
        match (named("from"), named("not").and_then(Value::as_bool)) {
            (Some(from), _) => from.clone(),
            (None, Some(not)) => Value::Bool(!not),
            (None, None) => value.clone(),
        }
    };
    params
        .iter()
        .map(|(name, value)| (name.clone(), one(value)))
        .collect()
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    Problem::new(format!("there is no {what} `{name}`"), did_you_mean(name, known))
}

fn fits(what: &str, name: &str, kinds: &[String], target: &Target) -> Result<(), Problem> {
    if kinds.contains(&target.kind) {
        return Ok(());
    }
    let right = format!(
        "Name a target of kind {}.",
        listed(kinds.iter().map(String::as_str))
    );
    let what = format!(
        "{what} `{name}` does not fit `{}`, which is of kind `{}`",
        target.name, target.kind
    );
    Err(Problem::new(what, right))
}
