//! Replies as JSON that expressions can read.

use redis::Value as Reply;
use serde_json::{Map, Value, json};

/// Words of a slow command that are kept: its name and the key. What follows may be anybody's data.
const SLOW_WORDS: usize = 2;

/// Characters of such a word.
const SLOW_WORD_MAX: usize = 80;

/// Shaped by what was asked: INFO becomes an object with numbers, CLIENT LIST a list of objects, and so on.
pub fn shaped(argv: &[String], reply: Reply) -> Value {
    let word = |nth: usize| {
        argv.get(nth)
            .map(|word| word.to_ascii_uppercase())
            .unwrap_or_default()
    };
    match (word(0).as_str(), word(1).as_str()) {
        ("INFO", _) => info(&text(&reply)),
        ("CLIENT", "LIST") => Value::Array(
            text(&reply)
                .lines()
                .map(|line| pairs(line.split(' '), '='))
                .collect(),
        ),
        ("LATENCY", "LATEST") => rows(reply, &["event", "at", "latest_ms", "max_ms"]),
        ("LATENCY", "HISTORY") => rows(reply, &["at", "ms"]),
        ("SLOWLOG", "GET") => slow(reply),
        _ => json(reply),
    }
}

/// `key:value` lines; a value such as `keys=1,expires=0` becomes an object of its own.
fn info(text: &str) -> Value {
    let mut found = Map::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = if value.contains('=') && value.split(',').all(|part| part.contains('=')) {
            pairs(value.split(','), '=')
        } else {
            number(value)
        };
        found.insert(key.to_owned(), value);
    }
    Value::Object(found)
}

fn pairs<'a>(parts: impl Iterator<Item = &'a str>, between: char) -> Value {
    Value::Object(
        parts
            .filter_map(|part| part.split_once(between))
            .map(|(key, value)| (key.to_owned(), number(value)))
            .collect(),
    )
}

/// A number where it is one. Versions (`7.0.15`) and hashes stay text.
fn number(text: &str) -> Value {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    match (plain, text.parse::<i64>(), text.parse::<f64>()) {
        (true, Ok(whole), _) => json!(whole),
        (true, _, Ok(number)) => json!(number),
        _ => json!(text),
    }
}

fn rows(reply: Reply, names: &[&str]) -> Value {
    let Value::Array(rows) = json(reply) else {
        return Value::Array(Vec::new());
    };
    let named = rows.into_iter().map(|row| match row {
        Value::Array(cells) => Value::Object(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .zip(cells)
                .collect::<Map<_, _>>(),
        ),
        other => other,
    });
    Value::Array(named.collect())
}

/// Entries of the slow log, with the command cut to its name and key.
fn slow(reply: Reply) -> Value {
    let Value::Array(mut entries) = rows(reply, &["id", "at", "micros", "argv", "client", "client_name"])
    else {
        return Value::Array(Vec::new());
    };
    for entry in &mut entries {
        let Some(Value::Array(argv)) = entry.get("argv") else {
            continue;
        };
        let mut words: Vec<String> = argv
            .iter()
            .filter_map(Value::as_str)
            .take(SLOW_WORDS)
            .map(|word| word.chars().take(SLOW_WORD_MAX).collect())
            .collect();
        if argv.len() > SLOW_WORDS {
            words.push(format!("… {} more", argv.len() - SLOW_WORDS));
        }
        entry["command"] = json!(words.join(" "));
        if let Value::Object(entry) = entry {
            entry.remove("argv");
        }
    }
    Value::Array(entries)
}

fn json(reply: Reply) -> Value {
    match reply {
        Reply::Nil => Value::Null,
        Reply::Int(number) => json!(number),
        Reply::Double(number) => json!(number),
        Reply::Boolean(it) => json!(it),
        Reply::BulkString(bytes) => json!(String::from_utf8_lossy(&bytes)),
        Reply::SimpleString(text) => json!(text),
        Reply::VerbatimString { text, .. } => json!(text),
        Reply::Okay => json!("OK"),
        Reply::BigNumber(number) => json!(String::from_utf8_lossy(&number)),
        Reply::Array(items) | Reply::Set(items) => items.into_iter().map(json).collect(),
        Reply::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| (text(&key), json(value)))
            .collect::<Map<_, _>>()
            .into(),
        Reply::Attribute { data, .. } => json(*data),
        Reply::Push { data, .. } => data.into_iter().map(json).collect(),
        other => json!(format!("{other:?}")),
    }
}

/// As people read it.
pub fn text(reply: &Reply) -> String {
    match reply {
        Reply::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::SimpleString(text) | Reply::VerbatimString { text, .. } => text.clone(),
        Reply::Okay => "OK".to_owned(),
        Reply::Int(number) => number.to_string(),
        other => json(other.clone()).to_string(),
    }
}
