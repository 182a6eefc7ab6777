//! Secrets stand in the config by the name of their place only.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Vars;

/// Largest secret that is read from a file, in bytes: a key with its chain of certificates fits many times over.
const FILE_LIMIT: u64 = 64 * 1024;

/// Where a secret is: `{ env = "NAME" }` or `{ file = "/path" }`. Never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reference {
    Env { env: String },
    File { file: PathBuf },
}

/// A value that may be secret (a header, a variable of a process): plain text, or the place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    Plain(String),
    Secret {
        /// Stands before the secret: `"Bearer "`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
        #[serde(flatten)]
        place: Reference,
    },
}

impl Reference {
    /// Reads the secret. The error names the place and what to do, never the content.
    pub fn read(&self, vars: Vars<'_>) -> Result<String, String> {
        match self {
            Self::Env { env } => match vars(env) {
                None => Err(format!(
                    "environment variable {env} is not set: export it before you start orderly, or name a file \
                     instead: {{ file = \"/path\" }}"
                )),
                Some(value) if value.is_empty() => {
                    Err(format!("environment variable {env} is empty: export it with its value"))
                }
                Some(value) => Ok(value),
            },
            Self::File { file } => read_file(file).map_err(|why| {
                format!(
                    "cannot read the secret from {}: {why}. Let the file hold the secret and nothing else, readable by \
                     the user who runs orderly",
                    file.display()
                )
            }),
        }
    }
}

fn read_file(file: &std::path::Path) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > FILE_LIMIT {
        return Err(format!(
            "it is larger than {}",
            crate::text::human_bytes(FILE_LIMIT)
        ));
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    // Editors end a file with a line break; it is never part of the secret.
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err("it is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}

impl Setting {
    pub(super) fn read(&self, vars: Vars<'_>) -> Result<String, String> {
        match self {
            Self::Plain(text) => Ok(text.clone()),
            Self::Secret { prefix, place } => Ok(format!(
                "{}{}",
                prefix.as_deref().unwrap_or_default(),
                place.read(vars)?
            )),
        }
    }

    pub(super) fn place(&self) -> Option<&Reference> {
        match self {
            Self::Plain(_) => None,
            Self::Secret { place, .. } => Some(place),
        }
    }
}

/// What the schema calls a reference, and a value that may be one; the check of the file reads this.
pub(super) const REFERENCE_FORM: &str = "secret";
pub(super) const SETTING_FORM: &str = "text or secret";

fn by_name() -> serde_json::Value {
    serde_json::json!({
        "env": { "type": "string", "description": "Name of the environment variable that holds the secret." },
        "file": { "type": "string", "description": "Path of the file that holds the secret." },
    })
}

impl JsonSchema for Reference {
    fn schema_name() -> Cow<'static, str> {
        "Reference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "x-form": REFERENCE_FORM,
            "properties": by_name(),
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

impl JsonSchema for Setting {
    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut properties = by_name();
        properties["prefix"] = serde_json::json!({
            "type": "string", "description": "Stands before the secret, such as \"Bearer \"."
        });
        json_schema!({
            "type": ["string", "object"],
            "x-form": SETTING_FORM,
            "properties": properties,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 2,
        })
    }
}
