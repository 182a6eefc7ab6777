//! That what entries refer to is there, over the whole catalog.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::{Report, any_time};
use super::load::{Document, Entries};
use super::params;
use super::problem::{Problem, did_you_mean};
use super::raw::Param;

/// Probes and actions that an action names, and the parameters it gives them.
pub(super) fn check(entries: &Entries, documents: &[Document<'_>], problems: &mut Vec<Problem>) {
    for (name, (action, document)) in &entries.actions {
        let mut report = |keys: &[&str], problem: Problem| {
            problems.push(documents[*document].problem(&[&["action", name], keys].concat(), problem));
        };
        let checks = [
            ("precondition", &action.raw.precondition),
            ("verify", &action.raw.verify),
        ];
        for (key, check) in checks
            .into_iter()
            .filter_map(|(key, check)| Some((key, check.as_ref()?)))
        {
            match entries.probes.get(&check.probe) {
                Some((probe, _)) => given(
                    &check.probe,
                    &check.params,
                    &probe.raw.params,
                    &[key, "params"],
                    &mut report,
                ),
                None => {
                    let right = did_you_mean(&check.probe, entries.probes.keys().map(String::as_str));
                    report(
                        &[key, "probe"],
                        Problem::new(format!("there is no probe `{}`", check.probe), right),
                    );
                }
            }
        }
        if let Some(undo) = &action.raw.undo {
            match entries.actions.get(&undo.action) {
                Some((other, _)) => given(
                    &undo.action,
                    &undo.params,
                    &other.raw.params,
                    &["undo", "params"],
                    &mut report,
                ),
                None => {
                    let right = did_you_mean(&undo.action, entries.actions.keys().map(String::as_str));
                    report(
                        &["undo", "action"],
                        Problem::new(format!("there is no action `{}`", undo.action), right),
                    );
                }
            }
        }
    }
}

/// That a reference gives what the other entry takes, as far as that is known before anybody asks.
fn given(
    other: &str,
    params: &BTreeMap<String, Value>,
    allowed: &BTreeMap<String, Param>,
    at: &[&str],
    report: Report<'_>,
) {
    for (name, value) in params {
        let place = [at, &[name.as_str()]].concat();
        match allowed.get(name) {
            None => {
                let right = did_you_mean(name, allowed.keys().map(String::as_str));
                report(
                    &place,
                    Problem::new(format!("`{other}` has no parameter `{name}`"), right),
                );
            }
            Some(param) if !value.is_object() => {
                if let Err(problem) = params::one(name, param, value, &any_time()) {
                    report(&place, problem);
                }
            }
            Some(_) => {}
        }
    }
    let needed = |param: &Param| param.default.is_none() && !param.optional;
    if let Some((name, _)) = allowed
        .iter()
        .find(|(name, param)| needed(param) && !params.contains_key(*name))
    {
        let right = "Add it to `params`, as a value or as { from = \"…\" }.";
        report(at, Problem::new(format!("`{other}` needs `{name}`"), right));
    }
}
