//! The JSON Schema of orderly.toml, made from the settings, so that editors complete them and the check knows them.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Config;

/// The schema, as it is checked in under `schemas/config.schema.json`.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value();
    without_null(&mut schema);
    if let Ok(defaults) = serde_json::to_value(Config::default()) {
        with_defaults(&mut schema, &defaults);
    }
    schema
}

pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The words a setting may be; empty if it is free.
pub(super) fn words(schema: &Value) -> Vec<&str> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let plain = list("enum").filter_map(Value::as_str);
    let described = list("oneOf").filter_map(|one| one.get("const").and_then(Value::as_str));
    plain.chain(described).collect()
}

/// TOML has no null: what is optional is left out.
fn without_null(schema: &mut Value) {
    let is_null =
        |one: &Value| one == "null" || one.get("type").is_some_and(|of| of == "null") || one.is_null();
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| !(key == "default" && value.is_null()));
            for value in object.values_mut() {
                without_null(value);
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|one| !is_null(one));
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(words)) = object.get_mut("enum") {
                words.retain(|one| !is_null(one));
            }
            if let Some(Value::Array(mut choices)) = object.remove("anyOf") {
                choices.retain(|one| !is_null(one));
                match choices.as_slice() {
                    // What the field says of itself goes before what its type says.
                    [Value::Object(only)] => {
                        for (key, value) in only.clone() {
                            object.entry(key).or_insert(value);
                        }
                    }
                    _ => {
                        object.insert("anyOf".to_owned(), Value::Array(choices));
                    }
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Puts each default at its own setting, where an editor and the reference look for it.
fn with_defaults(schema: &mut Value, defaults: &Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    match (object.get_mut("properties"), defaults) {
        (Some(Value::Object(properties)), Value::Object(defaults)) => {
            for (name, property) in properties {
                let default = defaults.get(name).unwrap_or(&Value::Null);
                with_defaults(property, default);
            }
            object.remove("default");
        }
        (_, Value::Null) => {
            object.remove("default");
        }
        (_, default) => {
            object.insert("default".to_owned(), default.clone());
        }
    }
    if let Some(items) = object.get_mut("items") {
        without_empty_defaults(items);
    }
}

/// In an entry of a list, a default that is empty says nothing.
fn without_empty_defaults(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let says_nothing = |value: &Value| match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if object.get("default").is_some_and(says_nothing) {
        object.remove("default");
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(without_empty_defaults);
    }
}
