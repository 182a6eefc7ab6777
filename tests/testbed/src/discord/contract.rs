//! What the bot sends, held against Discord's own description of its API.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

/// Characters of a fault's description, from its beginning and from its end: between them it quotes the faulty value,
/// which may be a whole message.
const BEGINNING: usize = 80;
const END: usize = 200;

/// Where a schema of the description begins.
const SCHEMAS: &str = "#/components/schemas/";

struct Contract {
    whole: Value,
    checks: Mutex<BTreeMap<String, Arc<Validator>>>,
}

fn contract() -> Option<&'static Contract> {
    static READ: OnceLock<Option<Contract>> = OnceLock::new();
    READ.get_or_init(read).as_ref()
}

fn read() -> Option<Contract> {
    let folder = std::env::var_os("ORDERLY_CONTRACTS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contracts"),
        PathBuf::from,
    );
    let path = folder.join("discord-openapi.json");
    let text = std::fs::read_to_string(&path).map_err(|why| why.to_string());
    let whole = text.and_then(|text| serde_json::from_str(&text).map_err(|why| why.to_string()));
    match whole {
        Ok(mut whole) => {
            bitfields_travel_as_strings(&mut whole);
            // Ids are taken as numbers too, and the number of an attached file comes as one from most libraries.
            whole["components"]["schemas"]["SnowflakeType"]["type"] = json!(["string", "integer"]);
            Some(Contract {
                whole,
                checks: Mutex::new(BTreeMap::new()),
            })
        }
        Err(why) => {
            eprintln!(
                "\n*** BODIES ARE NOT CHECKED AGAINST DISCORD'S OWN DESCRIPTION: {}: {why}\n\
                 *** Set ORDERLY_CONTRACTS to the folder with discord-openapi.json.\n",
                path.display()
            );
            None
        }
    }
}

/// The description calls permissions integers. The API takes those, and strings, and its documentation says strings.
fn bitfields_travel_as_strings(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object.iter_mut() {
                let bits = matches!(
                    key.as_str(),
                    "allow" | "deny" | "permissions" | "default_member_permissions"
                );
                let number = match &inner["type"] {
                    Value::Array(types) => types.contains(&json!("integer")),
                    one => one == "integer",
                };
                if bits && number {
                    *inner = json!({ "type": ["integer", "string", "null"], "pattern": "^[0-9]+$" });
                } else {
                    bitfields_travel_as_strings(inner);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(bitfields_travel_as_strings),
        _ => {}
    }
}

/// Whether the description was found, so that bodies are held against it.
pub fn checked() -> bool {
    contract().is_some()
}

/// Discord's name for an operation; nothing where it has none, or where the description was not found.
#[cfg(test)]
pub fn operation(method: &str, path: &str) -> Option<&'static str> {
    contract()?.whole["paths"][path][method.to_ascii_lowercase()]["operationId"].as_str()
}

/// What is wrong with the body of a call, and what in it nobody knows.
pub fn body(method: &str, path: &str, body: &Value) -> Vec<String> {
    let Some(contract) = contract() else {
        return Vec::new();
    };
    let asked = &contract.whole["paths"][path][method.to_ascii_lowercase()]["requestBody"];
    if !asked.is_object() {
        let takes_none = !body.is_null() && body.as_object().is_none_or(|body| !body.is_empty());
        return if takes_none {
            vec!["takes no body".to_owned()]
        } else {
            Vec::new()
        };
    }
    if body.is_null() && asked["required"] != true {
        return Vec::new();
    }
    contract.wrong(&asked["content"]["application/json"]["schema"], body, true)
}

/// What is wrong with the fake's own answer.
pub fn answer(method: &str, path: &str, status: u16, answer: &Value) -> Vec<String> {
    let Some(contract) = contract() else {
        return Vec::new();
    };
    let answers = &contract.whole["paths"][path][method.to_ascii_lowercase()]["responses"];
    let said = &answers[status.to_string()];
    if !said.is_object() {
        return vec![format!("{status} is no answer to this")];
    }
    let schema = &said["content"]["application/json"]["schema"];
    match schema.is_object() {
        true => contract.wrong(schema, answer, false),
        false => Vec::new(),
    }
}

impl Contract {
    fn wrong(&self, schema: &Value, value: &Value, strictly: bool) -> Vec<String> {
        let mut why = Vec::new();
        // Of a union only the member that was meant is of interest.
        let meant = self.meant(schema, value);
        if meant.is_empty() {
            return vec![format!(
                "nothing of this type is taken here: {}",
                short(&value.to_string())
            )];
        }
        let faults = meant.iter().map(|schema| {
            let mut why = Vec::new();
            let check = self.check(schema);
            check
                .iter_errors(value)
                .for_each(|error| explain(&error, &mut why));
            why
        });
        why.extend(faults.min_by_key(Vec::len).unwrap_or_default());
        if strictly {
            self.unknown(&[schema], value, "", &mut why);
        }
        why
    }

    /// A validator of one schema, with as much of the description as it needs.
    fn check(&self, schema: &Value) -> Arc<Validator> {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        let key = schema.to_string();
        let check = checks.entry(key).or_insert_with(|| {
            let mut needed = BTreeSet::new();
            self.needed(schema, &mut needed);
            let schemas = needed.into_iter().map(|name| {
                let schema = self.whole["components"]["schemas"][&name].clone();
                (name, schema)
            });
            let mut whole = schema.clone();
            whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
            whole["components"] = json!({ "schemas": schemas.collect::<Map<_, _>>() });
            Arc::new(jsonschema::validator_for(&whole).expect("the description is a schema"))
        });
        check.clone()
    }

    fn needed(&self, schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                let name = object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|at| at.strip_prefix(SCHEMAS));
                if let Some(name) = name
                    && found.insert(name.to_owned())
                {
                    self.needed(&self.whole["components"]["schemas"][name], found);
                }
                object.values().for_each(|inner| self.needed(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| self.needed(inner, found)),
            _ => {}
        }
    }

    /// The members of a schema's unions that a value can be: by its `type` where they have one.
    fn meant<'a>(&'a self, schema: &'a Value, value: &Value) -> Vec<&'a Value> {
        if let Some(name) = schema["$ref"].as_str().and_then(|at| at.strip_prefix(SCHEMAS)) {
            return self.meant(&self.whole["components"]["schemas"][name], value);
        }
        let unions = ["oneOf", "anyOf"]
            .iter()
            .filter_map(|key| schema[*key].as_array());
        let members: Vec<&Value> = unions.flatten().collect();
        if members.is_empty() || schema["type"].is_string() {
            return vec![schema];
        }
        let members = members.into_iter().flat_map(|member| self.meant(member, value));
        members.filter(|member| may_be(member, value)).collect()
    }

    /// Properties that none of the schemas has.
    fn unknown(&self, schemas: &[&Value], value: &Value, at: &str, why: &mut Vec<String>) {
        let meant: Vec<&Value> = schemas
            .iter()
            .flat_map(|schema| self.meant(schema, value))
            .collect();
        match value {
            Value::Object(object) => {
                let open = meant.iter().any(|schema| {
                    schema["additionalProperties"].is_object()
                        || (!schema["properties"].is_object() && schema["additionalProperties"] != false)
                });
                for (key, inner) in object {
                    let known: Vec<&Value> = meant
                        .iter()
                        .map(|schema| &schema["properties"][key])
                        .filter(|one| one.is_object())
                        .collect();
                    if !known.is_empty() {
                        self.unknown(&known, inner, &format!("{at}/{key}"), why);
                    } else if !open && !meant.is_empty() && !says_nothing(inner) {
                        why.push(format!("unknown property {at}/{key}"));
                    }
                }
            }
            Value::Array(list) => {
                let items: Vec<&Value> = meant
                    .iter()
                    .map(|schema| &schema["items"])
                    .filter(|one| one.is_object())
                    .collect();
                for (number, inner) in list.iter().enumerate() {
                    self.unknown(&items, inner, &format!("{at}/{number}"), why);
                }
            }
            _ => {}
        }
    }
}

/// Whether a value can be meant by a schema: by its kind, and by the `type` that Discord's unions differ in.
fn may_be(schema: &Value, value: &Value) -> bool {
    let kind = match value {
        Value::Null => "null",
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
    };
    let fits = |wanted: &Value| wanted == kind || (wanted == "integer" && kind == "number");
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(fits),
        Value::Null => true,
        one => fits(one),
    };
    let types = &schema["properties"]["type"]["enum"];
    let typed = types
        .as_array()
        .is_none_or(|types| types.contains(&value["type"]));
    kinds && (typed || kind != "object")
}

/// Libraries send what is not set as null, false or an empty list, for properties that are meant elsewhere.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn short(said: &str) -> String {
    let characters: Vec<char> = said.chars().collect();
    if characters.len() <= BEGINNING + END {
        return said.to_owned();
    }
    let beginning: String = characters[..BEGINNING].iter().collect();
    let end: String = characters[characters.len() - END..].iter().collect();
    format!("{beginning} … {end}")
}

/// Says what is wrong, and of a union only what is wrong by the member that has the fewest faults, where a wrong `type`
/// counts most.
fn explain(error: &ValidationError<'_>, why: &mut Vec<String>) {
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } =
        error.kind()
    {
        let faults = |branch: &&Vec<ValidationError<'static>>| {
            let kinds = branch.iter().filter(|error| {
                matches!(
                    error.kind(),
                    ValidationErrorKind::Enum { .. } | ValidationErrorKind::Type { .. }
                ) && (error.instance_path().as_str().ends_with("/type")
                    || matches!(error.kind(), ValidationErrorKind::Type { .. }))
            });
            (kinds.count(), branch.len())
        };
        if let Some(meant) = context.iter().min_by_key(faults) {
            return meant.iter().for_each(|error| explain(error, why));
        }
    }
    why.push(format!(
        "{} [{}]",
        short(&error.to_string()),
        error.instance_path()
    ));
}
