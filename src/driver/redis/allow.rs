//! Which commands a probe may send.

use redis::Value;

use super::line::Line;
use crate::driver::Failure;

/// Commands that only look but are not flagged so on every server (Redis 7.0 flags none of these `readonly`). The second
/// word is the subcommand that is meant; an empty one: any arguments.
const FIXED: &[(&str, &str)] = &[
    ("INFO", ""),
    ("PING", ""),
    ("SLOWLOG", "GET"),
    ("SLOWLOG", "LEN"),
    ("LATENCY", "LATEST"),
    ("LATENCY", "HISTORY"),
    ("CLIENT", "LIST"),
];

/// Flagged `readonly` and still not without effect: PFCOUNT writes its cache back and replicates it, TOUCH has no other
/// purpose than to change what is evicted next.
const NEVER: &[&str] = &["PFCOUNT", "TOUCH"];

/// A flag or category with which a command is refused although it is flagged `readonly`: KEYS holds the server up, EVAL_RO
/// runs a program, XREAD can wait.
const REFUSED: &[&str] = &[
    "write",
    "@write",
    "admin",
    "@admin",
    "dangerous",
    "@dangerous",
    "blocking",
    "@blocking",
    "@scripting",
    "noscript",
    "pubsub",
    "@pubsub",
    "may_replicate",
    "@transaction",
    "@connection",
];

/// Before Redis 7 the subcommands of these share the flags of their container, writing ones included.
const CONTAINERS: &[&str] = &[
    "MEMORY", "OBJECT", "XINFO", "CLIENT", "CONFIG", "ACL", "SCRIPT", "CLUSTER",
];

/// No command has a longer name; what is longer is somebody trying something.
const NAME_MAX: usize = 64;

/// What can be seen without asking: a name there must be, and of plain letters.
pub fn shape(argv: &[String]) -> Result<(), Failure> {
    let Some(name) = argv.first() else {
        return Err(Failure::Refused(
            "the entry has no command to send; correct the catalog entry".to_owned(),
        ));
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
        return Err(Failure::Refused(format!(
            "{name:?} is not the name of a Redis command"
        )));
    }
    Ok(())
}

/// Refuses what could change or hold up the server. Sends at most a `COMMAND INFO`.
pub async fn check(line: &mut Line, argv: &[String]) -> Result<(), Failure> {
    shape(argv)?;
    let name = argv[0].to_ascii_uppercase();
    let sub = argv
        .get(1)
        .map(|word| word.to_ascii_uppercase())
        .unwrap_or_default();
    if FIXED
        .iter()
        .any(|(command, wanted)| *command == name && (wanted.is_empty() || *wanted == sub))
    {
        return Ok(());
    }
    if NEVER.contains(&name.as_str()) {
        return Err(Failure::Refused(format!(
            "a probe may not send {name}: it changes what it looks at; nothing was sent"
        )));
    }
    let asked = ["COMMAND", "INFO", &name].map(str::to_owned);
    let known = line.send(&asked).await.map_err(|error| {
        Failure::Refused(format!(
            "a probe may send {name} only if the server says that it only reads, and it does not say: {error}. Allow \
             +command|info to the probe's user, or use one of the fixed commands"
        ))
    })?;
    let entry = match &known {
        Value::Array(entries) => entries.first(),
        _ => None,
    };
    let Some(Value::Array(entry)) = entry else {
        return Err(Failure::Refused(format!(
            "this server knows no command {name}; nothing was sent"
        )));
    };
    judge(&name, &sub, entry)
}

/// An entry of `COMMAND INFO`: name, arity, flags, keys (3), categories, and from Redis 7 on tips, key specifications and
/// subcommands.
fn judge(name: &str, sub: &str, entry: &[Value]) -> Result<(), Failure> {
    let parts = match entry.get(9) {
        Some(Value::Array(parts)) => parts.as_slice(),
        _ => &[],
    };
    if !parts.is_empty() {
        let full = format!("{name}|{sub}");
        let part = parts.iter().find_map(|part| match part {
            Value::Array(part)
                if part
                    .first()
                    .and_then(word)
                    .is_some_and(|it| it.eq_ignore_ascii_case(&full)) =>
            {
                Some(part)
            }
            _ => None,
        });
        let Some(part) = part else {
            return Err(Failure::Refused(format!(
                "{name} needs one of its own subcommands; nothing was sent"
            )));
        };
        return judge_flags(&full, part);
    }
    if CONTAINERS.contains(&name) {
        return Err(Failure::Refused(format!(
            "this server does not tell which subcommands of {name} only read; nothing was sent"
        )));
    }
    judge_flags(name, entry)
}

fn judge_flags(name: &str, entry: &[Value]) -> Result<(), Failure> {
    let words: Vec<String> = [2, 6]
        .into_iter()
        .filter_map(|at| entry.get(at))
        .flat_map(|list| match list {
            Value::Array(words) | Value::Set(words) => words.iter().filter_map(word).collect(),
            _ => Vec::new(),
        })
        .collect();
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    if let Some(why) = REFUSED.iter().find(|refused| has(refused)) {
        return Err(Failure::Refused(format!(
            "a probe may not send {name}: the server counts it as `{why}`; nothing was sent"
        )));
    }
    if !has("readonly") {
        return Err(Failure::Refused(format!(
            "a probe may not send {name}: the server does not flag it readonly; nothing was sent"
        )));
    }
    Ok(())
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::SimpleString(text) => Some(text.to_ascii_lowercase()),
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).to_ascii_lowercase()),
        _ => None,
    }
}
