//! How a problem is told: what would be right, in words that can be copied.

use serde_json::Value;

use super::At;
use crate::config::schema::{properties, words};
use crate::config::secret::{REFERENCE_FORM, SETTING_FORM};

/// The sections that have this setting, as advice: `under [web]`, `at the top, before the first section`.
pub(in crate::config) fn homes(schema: &Value, key: &str, section: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, below) in properties(schema).into_iter().flatten() {
        if name == key {
            found.push(match section {
                "" => "at the top, before the first [section]".to_owned(),
                section => format!("under {section}"),
            });
        }
        let path = section.trim_matches(['[', ']']);
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let (title, below) = match below.get("items") {
            Some(items) => (format!("[[{path}]]"), items),
            None => (format!("[{path}]"), below),
        };
        // The inside of a reference or of free facts is no section.
        if below.get("x-form").is_none() {
            found.extend(homes(below, key, &title));
        }
    }
    found
}

/// `target.odoo-prod.probe.password` becomes `ODOO_PROD_PROBE_PASSWORD`.
pub(in crate::config) fn variable_for(name: &str) -> String {
    let own = name.split_once('.').map_or(name, |(_, own)| own);
    let letters: String = own
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    match letters.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{letters}"),
        false => letters,
    }
}

pub(in crate::config) fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// How to write it instead, at a place that takes references; elsewhere, where such a place is.
pub(in crate::config) fn no_secret_here(what: &str, at: &At) -> String {
    let key = at.key();
    let parts: Vec<&str> = at.section.split('.').collect();
    let variable = match parts.first() {
        Some(&"slack") => format!("SLACK_{}", variable_for(&at.name)),
        Some(&"discord") => format!("DISCORD_{}", variable_for(&at.name)),
        _ => variable_for(&at.name),
    };
    let password = |whose: &str| variable_for(&format!("{}.{whose}.password", owner(&at.name)));
    let advice = match parts.as_slice() {
        ["target", "probe" | "action", "password"]
        | ["target", "probe" | "action", "headers" | "env", _]
        | ["slack", "bot_token" | "app_token" | "signing_secret"]
        | ["discord", "token"] => {
            let file = variable.to_ascii_lowercase().replace('_', "-");
            format!(
                "Name the place where it is: {key} = {{ env = \"{variable}\" }} or {key} = {{ file = \"/etc/orderly/{file}\" }}"
            )
        }
        ["target", table @ ("headers" | "env"), name] => format!(
            "Below [target.probe] or [target.action], name the place where it is: \
             {table} = {{ {name} = {{ env = \"{variable}\" }} }}"
        ),
        ["target", whose @ ("probe" | "action"), ..] => format!(
            "Take it out and name its place below [target.{whose}]: password = {{ env = \"{}\" }}",
            password(whose)
        ),
        ["target", ..] => format!(
            "Take it out and name its place below [target.probe] or [target.action]: password = {{ env = \"{}\" }}",
            password("probe")
        ),
        _ => "Take it out: only targets, Slack and Discord have secrets".to_owned(),
    };
    format!("`{key}` {what} may not stand in this file. {advice}")
}

/// `target.odoo-prod.facts.x` belongs to `target.odoo-prod`.
pub(in crate::config) fn owner(name: &str) -> String {
    name.split('.').take(2).collect::<Vec<_>>().join(".")
}

pub(in crate::config) fn fits(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|one| one == name),
        Some(one) => one == name,
    }
}

pub(in crate::config) fn out_of_range(number: Option<i64>, schema: &Value) -> Option<String> {
    let bound = |key| schema.get(key).and_then(Value::as_i64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let inside =
        number.is_some_and(|n| least.is_none_or(|least| n >= least) && most.is_none_or(|most| n <= most));
    match (inside, least, most) {
        (true, _, _) => None,
        (false, Some(least), Some(most)) => Some(format!("a whole number from {least} to {most}")),
        (false, Some(least), None) => Some(format!("a whole number of at least {least}")),
        (false, _, _) => Some("a smaller whole number".to_owned()),
    }
}

/// What a setting wants, in words, when it was given something of another type.
pub(in crate::config) fn wanted(schema: &Value, form: &str, at: &At) -> String {
    let key = at.key();
    let plain = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match (form, plain) {
        (REFERENCE_FORM, _) => {
            format!("the place of a secret: {key} = {{ env = \"NAME\" }} or {key} = {{ file = \"/path\" }}")
        }
        (SETTING_FORM, _) => {
            format!("text or the place of a secret: {key} = \"…\" or {key} = {{ env = \"NAME\" }}")
        }
        (_, "string") => format!("text in quotes: {key} = {}", example(schema)),
        (_, "integer") => out_of_range(None, schema).unwrap_or_default(),
        (_, "boolean") => "true or false, without quotes".to_owned(),
        (_, "array") if schema["items"]["type"] == "object" && !at.section.contains('.') => {
            format!(
                "a list of tables: begin each with [[{}]] on a line of its own",
                at.section
            )
        }
        (_, "array") => format!("a list: {key} = [{}]", example(&schema["items"])),
        (_, "object") if !at.path.contains('[') => {
            format!(
                "a table: write [{}] on a line of its own, its settings below",
                at.section
            )
        }
        _ => format!("a table: {key} = {{ … }}"),
    }
}

/// A value to copy, for a message.
pub(in crate::config) fn example(schema: &Value) -> String {
    if let Some(word) = words(schema).first() {
        return match words(schema).len() {
            1 => format!("\"{word}\""),
            _ => format!("\"{word}\" (or {})", words(schema)[1..].join(", ")),
        };
    }
    match (
        schema.get("x-form").and_then(Value::as_str),
        schema.get("type").and_then(Value::as_str),
    ) {
        (Some("duration" | "duration or off"), _) => "\"15m\"".to_owned(),
        (Some("size"), _) => "\"256KiB\"".to_owned(),
        (Some("address"), _) => "\"127.0.0.1:8470\"".to_owned(),
        (_, Some("object")) => "{ … }".to_owned(),
        _ => "\"…\"".to_owned(),
    }
}

/// Letters that make a beginning tell enough.
const SHORTEST_BEGINNING: usize = 3;

/// The known word that was most likely meant.
pub(in crate::config) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let same = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let word = same(word);
    known
        .map(|known| match same(known) {
            // A beginning was meant: `prod`, `finance`.
            whole if word.len() >= SHORTEST_BEGINNING && whole.starts_with(&word) => (0, known),
            whole => (strsim::damerau_levenshtein(&word, &whole), known),
        })
        // A third of the letters may be wrong, two at least of a word that is not tiny.
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(usize::from(known.len() > 3)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
