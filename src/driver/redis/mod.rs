//! Redis and Valkey.
//!
//! **What a probe cannot do, and why.** A command is sent only when it is on a fixed list ([`allow`]) or when the server
//! itself, asked with `COMMAND INFO`, flags it `readonly` and does not count it as dangerous, blocking, scripting or
//! writing. Every command of a call is checked before the first one is sent. Arguments travel length-prefixed, so that
//! none of them can become a second command.
//!
//! **What remains.** A reading command costs the server time, and Redis has one thread: entries ask for little. Reading a
//! key counts as using it, for eviction. A module's own flags are believed. Give the probe a user of its own:
//! [`PROPER_USER`].
//!
//! **Changes** are one command on a fresh connection, sent once. Their shape is [`Change`].

mod allow;
mod line;
mod reply;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use redis::RedisError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Driver, Failure, Limits, Reading, Target};
use crate::incident::{Approved, Operation, Outcome, Preview};
use line::Line;

/// The access rule a probe's user needs; the order matters.
pub const PROPER_USER: &str = "ACL SETUSER orderly_probe on >… ~* resetchannels -@all +@read -@dangerous +info +ping \
     +slowlog|get +slowlog|len +latency|latest +latency|history +client|list +command|info";

/// A question: one command, or several by name. With several the answer has one key for each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    #[serde(default)]
    pub command: Vec<String>,
    #[serde(default)]
    pub commands: BTreeMap<String, Vec<String>>,
}

/// A change: one command, with arguments that the preview fills in (`{"guard": "addr"}`).
///
/// A reply of 0 or nothing counts as "nothing fitted": choose commands that say so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[serde(default)]
    pub preview: Option<Read>,
    /// Guard by name: where it stands in the preview's answer (`0.addr`).
    #[serde(default)]
    pub guards: BTreeMap<String, String>,
    pub command: Vec<Word>,
}

/// One argument.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Word {
    Text(String),
    Guard { guard: String },
}

/// A change with everything settled: what the approval is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ready {
    /// `user@host:port/db`: an approval for one server is none for another.
    address: String,
    command: Vec<String>,
}

/// Asks and changes Redis servers. Holds nothing: each call has a connection of its own.
#[derive(Debug, Default, Clone, Copy)]
pub struct Redis;

#[async_trait]
impl Driver for Redis {
    async fn read(&self, target: &Target, call: &Value, limits: Limits) -> Result<Reading, Failure> {
        let ask: Read = parsed(call)?;
        tokio::time::timeout(limits.timeout, read(target, &ask, limits))
            .await
            .unwrap_or_else(|_| Err(late(target, limits)))
    }

    async fn preview(&self, target: &Target, call: &Value, limits: Limits) -> Result<Preview, Failure> {
        let change: Change = parsed(call)?;
        tokio::time::timeout(limits.timeout, preview(target, &change, limits))
            .await
            .unwrap_or_else(|_| Err(late(target, limits)))
    }

    async fn attempt(&self, target: &Target, approved: &Approved, limits: Limits) -> Outcome {
        let operation = approved.operation();
        if approved.target() != target.name || operation.driver != "redis" {
            return Outcome::NotDone {
                why: format!(
                    "this was approved for {} on {}; nothing was sent",
                    operation.driver,
                    approved.target()
                ),
            };
        }
        attempt(target, &operation.call, limits).await
    }
}

fn parsed<T: DeserializeOwned>(call: &Value) -> Result<T, Failure> {
    serde_json::from_value(call.clone())
        .map_err(|why| Failure::Refused(format!("the catalog entry makes no call for Redis: {why}")))
}

fn late(target: &Target, limits: Limits) -> Failure {
    Failure::Unreachable(format!(
        "{} gave no answer within {:?}. Redis has one thread: a slow command may hold it up.",
        target.name, limits.timeout
    ))
}

async fn read(target: &Target, ask: &Read, limits: Limits) -> Result<Reading, Failure> {
    let several = !ask.commands.is_empty();
    let commands: Vec<(&str, &[String])> = if several {
        ask.commands
            .iter()
            .map(|(name, argv)| (name.as_str(), &argv[..]))
            .collect()
    } else {
        vec![("answer", &ask.command[..])]
    };
    // What can be refused without the server is refused before it is reached.
    for (_, argv) in &commands {
        allow::shape(argv)?;
    }
    let mut line = Line::open(&target.probe, &target.name, limits.output).await?;
    for (_, argv) in &commands {
        allow::check(&mut line, argv).await?;
    }
    let mut answers = Map::new();
    let mut raw = String::new();
    for (name, argv) in commands {
        let value = line.ask(argv).await?;
        raw.push_str(&format!(
            "> {}\n{}\n",
            argv.join(" "),
            reply::text(&value).trim_end()
        ));
        answers.insert(name.to_owned(), reply::shaped(argv, value));
    }
    let mut caveats = Vec::new();
    if raw.len() > limits.output {
        raw.truncate(raw.floor_char_boundary(limits.output));
        caveats.push("the kept output was cut at the output limit; the verdict saw all of it".to_owned());
    }
    let answer = match answers.remove("answer") {
        Some(only) if !several => only,
        Some(other) => {
            answers.insert("answer".to_owned(), other);
            Value::Object(answers)
        }
        None => Value::Object(answers),
    };
    Ok(Reading {
        answer,
        raw: raw.into_bytes(),
        caveats,
    })
}

async fn preview(target: &Target, change: &Change, limits: Limits) -> Result<Preview, Failure> {
    let access = target.action.as_ref().ok_or_else(|| {
        Failure::Refused(format!(
            "{} takes no actions: add an action url with a user of its own to this target in orderly.toml",
            target.name
        ))
    })?;
    let address = line::address(access, &target.name)?;
    let now = match &change.preview {
        Some(ask) => read(target, ask, limits).await?,
        None => Reading {
            answer: Value::Null,
            raw: Vec::new(),
            caveats: Vec::new(),
        },
    };
    let guards = guards(change, &now.answer)?;
    let command = change
        .command
        .iter()
        .map(|word| match word {
            Word::Text(text) => Ok(text.clone()),
            Word::Guard { guard } => guards.get(guard).map(plain).ok_or_else(|| {
                Failure::Refused(format!(
                    "the entry uses guard `{guard}` but does not list it; correct the catalog entry"
                ))
            }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let display = format!("{}\non {} as {address}", command.join(" "), target.name);
    let call = serde_json::to_value(Ready { address, command })
        .map_err(|why| Failure::Refused(format!("the operation cannot be written down: {why}")))?;
    let effect = match String::from_utf8_lossy(&now.raw).trim() {
        "" => String::new(),
        now => format!("now:\n{now}"),
    };
    Ok(Preview {
        operation: Operation {
            driver: "redis".to_owned(),
            display,
            call,
            guards,
        },
        effect,
        dry_run: false,
    })
}

/// Values out of the preview's answer. One that is not there means that the thing to change is not there.
fn guards(change: &Change, answer: &Value) -> Result<Map<String, Value>, Failure> {
    let mut guards = Map::new();
    for (name, path) in &change.guards {
        let found = path.split('.').try_fold(answer, |at, step| match at {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|nth| items.get(nth)),
            other => other.get(step),
        });
        let found = found.filter(|value| !value.is_null()).ok_or_else(|| {
            Failure::Refused(
                "nothing here fits: it is gone, or the name or number is wrong. Ask the probe again."
                    .to_owned(),
            )
        })?;
        guards.insert(name.clone(), found.clone());
    }
    Ok(guards)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Sends it, once.
async fn attempt(target: &Target, call: &Value, limits: Limits) -> Outcome {
    let not_done = |why: String| Outcome::NotDone {
        why: format!("nothing was sent: {why}"),
    };
    let ready: Ready = match serde_json::from_value(call.clone()) {
        Ok(ready) => ready,
        Err(why) => return not_done(format!("the approved operation cannot be read: {why}")),
    };
    let Some(access) = &target.action else {
        return not_done(format!("{} takes no actions", target.name));
    };
    match line::address(access, &target.name) {
        Ok(address) if address == ready.address => {}
        Ok(address) => {
            return not_done(format!(
                "this was approved for {} and the config now says {address}; propose it again",
                ready.address
            ));
        }
        Err(why) => return not_done(why.to_string()),
    }
    let until = tokio::time::Instant::now() + limits.timeout;
    let opening = Line::open(access, &target.name, limits.output);
    let mut line = match tokio::time::timeout_at(until, opening).await {
        Ok(Ok(line)) => line,
        Ok(Err(why)) => return not_done(why.to_string()),
        Err(_) => return not_done(late(target, limits).to_string()),
    };
    match tokio::time::timeout_at(until, line.send(&ready.command)).await {
        Ok(Ok(value)) => answered(&value),
        Ok(Err(error)) => failed(&error, &ready, target),
        Err(_) => Outcome::Unknown {
            why: format!(
                "sent to {}, and no answer within {:?}. It may or may not have happened: check before anything else",
                target.name, limits.timeout
            ),
        },
    }
}

fn answered(value: &redis::Value) -> Outcome {
    use redis::Value as Reply;
    match value {
        Reply::Nil | Reply::Int(0) | Reply::Boolean(false) => Outcome::NotDone {
            why: "the server found nothing that fits any more: it is gone or was changed meanwhile"
                .to_owned(),
        },
        done => Outcome::Done {
            report: reply::text(done),
        },
    }
}

/// A script can fail half way; any other command that the server answers with an error was not run.
const RUNS_PART_WAY: &[&str] = &["EVAL", "EVALSHA", "FCALL", "EXEC"];

fn failed(error: &RedisError, ready: &Ready, target: &Target) -> Outcome {
    let part_way = ready.command.first().is_some_and(|name| {
        RUNS_PART_WAY
            .iter()
            .any(|script| script.eq_ignore_ascii_case(name))
    });
    if error.code().is_some() && !part_way {
        return Outcome::NotDone {
            why: format!("{} refused and nothing was changed: {error}", target.name),
        };
    }
    Outcome::Unknown {
        why: format!(
            "sent to {}, and no certain answer came back ({error}). It may or may not have happened: check before \
             anything else",
            target.name
        ),
    }
}
