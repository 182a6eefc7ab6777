mod forms;
mod hearing;
mod messages;
mod signing;

use std::path::PathBuf;

use serde_json::Value;

use super::rich::Look;
use crate::incident::PersonId;

/// Ana is known in this workspace, nobody else is.
pub fn user_of(person: &PersonId) -> Option<String> {
    (person.0 == "ana").then(|| "U0ANA".to_owned())
}

pub fn look() -> Look<'static> {
    Look {
        user_of: &user_of,
        page: Some("https://orderly.example.com"),
    }
}

fn contracts() -> PathBuf {
    match std::env::var_os("ORDERLY_CONTRACTS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts"),
    }
}

/// Holds a payload against Slack's own types, with their limits.
pub fn holds(contract: &str, payload: &Value) {
    let file = contracts().join(format!("slack-{contract}.schema.json"));
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!(
            "NOT CHECKED against Slack's types: {} is not there. Set ORDERLY_CONTRACTS.",
            file.display()
        );
        return;
    };
    let schema: Value = serde_json::from_str(&text).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator
        .iter_errors(payload)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        wrong.is_empty(),
        "{contract}: {}\n{}",
        wrong.join("\n"),
        serde_json::to_string_pretty(payload).unwrap_or_default()
    );
}
