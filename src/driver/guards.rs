//! What a preview read and an attempt must find unchanged.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Takes the guarded values out of an answer: a name, and where it stands (`json.flags.0.enabled`).
pub(super) fn take(answer: &Value, places: &BTreeMap<String, String>) -> Result<Map<String, Value>, String> {
    let one = |(name, place): (&String, &String)| match at(answer, place) {
        Some(value) => Ok((name.clone(), value.clone())),
        None => Err(format!(
            "the answer has no `{place}`, so nothing could guard this action"
        )),
    };
    places.iter().map(one).collect()
}

fn at<'a>(answer: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('.').try_fold(answer, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        Value::Object(map) => map.get(part),
        _ => None,
    })
}

/// The first guard that no longer holds, in words.
pub(super) fn changed(approved: &Map<String, Value>, now: &Map<String, Value>) -> Option<String> {
    approved
        .iter()
        .find(|(name, was)| now.get(*name) != Some(*was))
        .map(|(name, was)| {
            let is = now.get(name).map_or_else(|| "gone".to_owned(), Value::to_string);
            format!("`{name}` was {was} when it was proposed and is {is} now; propose it again")
        })
}

/// The guards as text, for people who approve.
pub(super) fn shown(guards: &Map<String, Value>) -> String {
    let lines = guards
        .iter()
        .map(|(name, value)| format!("only while {name} = {value}"));
    lines.collect::<Vec<_>>().join("\n")
}
