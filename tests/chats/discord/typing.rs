//! A line of the vocabulary as people give it in Discord: a native command with its options.

use orderly_commands::{ArgKind, CommandSpec};
use serde_json::{Map, Value, json};

/// What Discord offers in place of the command alone.
const BARE: &str = "open";

/// A line as the path and the options of the native command. What the vocabulary does not understand is given as it
/// stands there, for Discord's own client to take or to refuse.
pub fn natively(line: &str) -> (String, Value) {
    if line.trim().is_empty() {
        return (BARE.to_owned(), json!({}));
    }
    let (path, values) = match orderly_commands::parse(line) {
        Ok(parsed) => (parsed.path, parsed.options()),
        Err(error) => match orderly_commands::partial(line) {
            Some(found) => found,
            None => return as_written(line).unwrap_or_else(|| panic!("{line}: {error}")),
        },
    };
    let spec = orderly_commands::find(path).unwrap_or_else(|| panic!("{line} is no command"));
    let mut options = Map::new();
    let mut params = Vec::new();
    for (name, value) in values {
        match spec.arg(&name).map(|arg| arg.kind) {
            Some(ArgKind::Flag) => options.insert(name, json!("true")),
            None if name != "incident" => {
                params.push(format!("{name}={}", orderly_commands::quoted(&value)));
                None
            }
            _ => options.insert(name, json!(value)),
        };
    }
    if !params.is_empty() {
        options.insert("params".to_owned(), json!(params.join(" ")));
    }
    (path.to_owned(), Value::Object(options))
}

/// `set severity severity=nonsense reason=words`, each pair an option.
fn as_written(line: &str) -> Option<(String, Value)> {
    let (spec, rest) = spec_of(line)?;
    let pairs = rest.split_whitespace().filter_map(|word| word.split_once('='));
    let options = pairs
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    Some((spec.path.to_owned(), Value::Object(options)))
}

/// The command that a line begins with, and what comes after it.
fn spec_of(line: &str) -> Option<(&'static CommandSpec, &str)> {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (second, left) = rest.split_once(' ').unwrap_or((rest, ""));
    let whole = orderly_commands::find(&format!("{first} {second}")).map(|spec| (spec, left));
    whole.or_else(|| orderly_commands::find(first).map(|spec| (spec, rest)))
}

/// What is being typed, as Discord's client has it: the cursor stands in the first option of the command, or in the one
/// that names an incident.
pub fn completing(typed: &str) -> String {
    let found = spec_of(typed).and_then(|(spec, rest)| Some((spec, spec.args.first()?, rest)));
    match found {
        Some((spec, arg, rest)) => format!("/incident {} {}:{rest}", spec.path, arg.name),
        None => format!("/incident status incident:{}", typed.trim_end()),
    }
}
