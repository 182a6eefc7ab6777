mod commands;
mod forms;
mod hearing;
mod messages;

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::incoming::{Names, Own};
use crate::chat::look::Look;
use crate::incident::PersonId;

pub const GUILD: &str = "1000000000000000001";
pub const ROOM: &str = "1000000000000000002";
pub const BOT: &str = "1000000000000000003";
pub const ANA: &str = "1000000000000000004";

/// Ana is known in this server, nobody else is.
pub fn user_of(person: &PersonId) -> Option<String> {
    (person.0 == "ana").then(|| ANA.to_owned())
}

pub fn look() -> Look<'static> {
    Look {
        user_of: &user_of,
        page: Some("https://orderly.example.com"),
    }
}

pub fn own() -> Own {
    Own {
        guild: GUILD.to_owned(),
        application: BOT.to_owned(),
        user: BOT.to_owned(),
        marks: vec!["📌".to_owned(), "✔️".to_owned(), ":todo:".to_owned()],
    }
}

pub fn names() -> Names<'static> {
    Names {
        user: &|id| (id == ANA).then(|| "ana".to_owned()),
        channel: &|id| (id == ROOM).then(|| "inc-7".to_owned()),
    }
}

/// Discord's own description of its API, where it can be found.
static CONTRACT: LazyLock<Option<Value>> = LazyLock::new(|| {
    let folder = match std::env::var_os("ORDERLY_CONTRACTS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/contracts"),
    };
    let file = folder.join("discord-openapi.json");
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!(
            "NOT CHECKED against Discord's description: {} is not there. Set ORDERLY_CONTRACTS.",
            file.display()
        );
    }
    text.map(|text| serde_json::from_str(&text).expect("a description"))
});

/// Holds a body against Discord's own description of it.
pub fn holds(name: &str, body: &Value) {
    let Some(contract) = &*CONTRACT else { return };
    let schema = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": contract["components"],
    });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        wrong.is_empty(),
        "{name}: {}\n{}",
        wrong.join("\n"),
        serde_json::to_string_pretty(body).unwrap_or_default()
    );
}
