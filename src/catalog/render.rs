//! From an entry and its parameters to the call a driver gets. Values are put in whole and typed, never as text.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::params::When;
use super::params::stamp;
use super::problem::Problem;
use super::raw::{
    Action, HttpRead, HttpWrite, Lookup, Param, ParamKind, PostgresRead, PostgresVariant, Probe, ProcessRead,
    RedisRead,
};
use crate::driver::Target;
use crate::incident::Params;

/// What names in a call stand for.
pub(super) struct Values<'a> {
    pub params: &'a Params,
    pub allowed: &'a BTreeMap<String, Param>,
    pub target: &'a Target,
    /// `None` for an action: what is approved must not move with the onset.
    pub when: Option<&'a When>,
}

/// Behind the name of a time: as `@` and the seconds since 1970, the form that all programs of GNU and systemd read.
pub(super) const EPOCH: &str = ".epoch";

fn epoch(moment: &Value) -> Result<Value, Problem> {
    let text = text_of(moment);
    match DateTime::parse_from_rfc3339(&text) {
        Ok(moment) => Ok(Value::String(format!("@{}", moment.timestamp()))),
        Err(_) => Err(Problem::new(
            format!("`{text}` is no time"),
            "Correct the catalog entry: `.epoch` stands behind the name of a time.",
        )),
    }
}

/// The name a string stands for: `$cron` is `cron`; `$$cron` and `costs $5` are text.
pub(super) fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain)).then_some(name)
}

/// The name a `{ param = "name" }` table stands for.
fn table_reference(table: &Map<String, Value>) -> Option<&str> {
    match (table.len(), table.get("param")) {
        (1, Some(Value::String(name))) => Some(name),
        _ => None,
    }
}

/// Every name a value refers to.
pub(super) fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(reference(text).map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(table) => match table_reference(table) {
            Some(name) => found.push(name.to_owned()),
            None => table.values().for_each(|value| references(value, found)),
        },
        _ => {}
    }
}

/// The `{name}`s of a path or a statement.
pub(super) fn braced(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        if name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            names.push(name);
        }
        rest = after;
    }
    names
}

impl Values<'_> {
    /// What a name stands for, with its type.
    fn named(&self, name: &str) -> Result<Value, Problem> {
        // A parameter called `since` comes first: somebody may have said another time.
        if let Some(value) = self.params.get(name) {
            return Ok(value.clone());
        }
        if let ("since", Some(when)) = (name, self.when) {
            return Ok(Value::String(stamp(when.since)));
        }
        if let Some(moment) = name.strip_suffix(EPOCH) {
            return self.named(moment).and_then(|moment| epoch(&moment));
        }
        let Some(fact) = name.strip_prefix("fact.") else {
            let right = "Correct the catalog entry.";
            return Err(Problem::new(format!("there is no parameter `{name}`"), right));
        };
        self.target.facts.get(fact).cloned().ok_or_else(|| {
            let right = format!(
                "Add `{fact}` to the facts of `{}` in orderly.toml.",
                self.target.name
            );
            Problem::new(
                format!("nothing says what `{fact}` is for `{}`", self.target.name),
                right,
            )
        })
    }

    /// A value with every reference in it replaced.
    pub fn fill(&self, value: &Value) -> Result<Value, Problem> {
        Ok(match value {
            Value::String(text) => match reference(text) {
                Some(name) => self.named(name)?,
                None if text.starts_with("$$") => Value::String(text[1..].to_owned()),
                None => value.clone(),
            },
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.fill(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(table) => match table_reference(table) {
                Some(name) => self.named(name)?,
                None => Value::Object(
                    table
                        .iter()
                        .map(|(key, value)| Ok((key.clone(), self.fill(value)?)))
                        .collect::<Result<_, Problem>>()?,
                ),
            },
            _ => value.clone(),
        })
    }

    /// Arguments of a program or a command: whole elements, as text. A null leaves its element out.
    fn words(&self, words: &[Value], guard_options: bool) -> Result<Value, Problem> {
        let mut filled = Vec::new();
        let mut options_ended = !guard_options;
        for word in words {
            let given = word
                .as_str()
                .and_then(reference)
                .filter(|name| self.allowed.contains_key(*name));
            let text = match self.fill(word)? {
                Value::Null => continue,
                // What the preview reads; only the driver of an action knows it.
                Value::Object(table) if table.len() == 1 && table.contains_key("guard") => {
                    filled.push(Value::Object(table));
                    continue;
                }
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(it) => it.to_string(),
                _ => {
                    return Err(Problem::new(
                        "an argument cannot be a list or a table",
                        "Give text or a number.",
                    ));
                }
            };
            if let Some(name) =
                given.filter(|_| !options_ended && text.starts_with('-') && word_is_free(self.allowed, word))
            {
                let right = "A program would read it as an option; leave the dash out.";
                return Err(Problem::new(format!("`{name}` cannot start with a dash"), right));
            }
            options_ended |= text == "--" && given.is_none();
            filled.push(Value::String(text));
        }
        Ok(Value::Array(filled))
    }

    fn query(&self, query: &BTreeMap<String, Value>) -> Result<Value, Problem> {
        let mut filled = Map::new();
        for (key, value) in query {
            match self.fill(value)? {
                Value::Null => {}
                Value::String(text) => drop(filled.insert(key.clone(), Value::String(text))),
                other => drop(filled.insert(key.clone(), Value::String(other.to_string()))),
            }
        }
        Ok(Value::Object(filled))
    }

    /// A path with each `{name}` as one percent-encoded segment, or a whole path of type `path`.
    fn path(&self, template: &str) -> Result<String, Problem> {
        if let Some(name) = reference(template) {
            let path = text_of(&self.named(name)?);
            return Ok(path.split('/').map(encoded).collect::<Vec<_>>().join("/"));
        }
        let mut path = String::new();
        let mut rest = template;
        for name in braced(template) {
            let Some((before, after)) = rest.split_once(&format!("{{{name}}}")) else {
                break;
            };
            let segment = text_of(&self.named(name)?);
            if matches!(segment.as_str(), "" | "." | "..") {
                let right = "Give the name of one thing.";
                return Err(Problem::new(
                    format!("`{name}` cannot be `{segment}` in an address"),
                    right,
                ));
            }
            path.push_str(before);
            path.push_str(&encoded(&segment));
            rest = after;
        }
        path.push_str(rest);
        Ok(path)
    }

    fn binds(&self, binds: &[String]) -> Result<Value, Problem> {
        binds
            .iter()
            .map(|name| self.bind(name))
            .collect::<Result<_, _>>()
            .map(Value::Array)
    }

    fn bind(&self, name: &str) -> Result<Value, Problem> {
        if name.starts_with("guard.") {
            return Ok(json!({ "name": name, "type": "guard" }));
        }
        let value = self.named(name)?;
        let kind = match (self.allowed.get(name), name) {
            (Some(param), _) => json!(param.kind),
            (None, "since") => json!(ParamKind::Timestamp),
            (None, _) => match &value {
                Value::Bool(_) => json!(ParamKind::Boolean),
                Value::Number(number) if number.is_i64() => json!(ParamKind::Integer),
                Value::Number(_) => json!(ParamKind::Number),
                _ => json!(ParamKind::Text),
            },
        };
        Ok(json!({ "name": name, "type": kind, "value": value }))
    }

    /// `{name}` in a statement: an identifier the driver checks on the server and quotes.
    fn identifiers(&self, sql: &str) -> Result<Value, Problem> {
        let named = braced(sql).into_iter().filter(|name| self.is_identifier(name));
        let found = named.map(|name| {
            let of = self.allowed.get(name).and_then(|param| param.of.clone());
            Ok(json!({ "name": name, "of": of, "value": self.named(name)? }))
        });
        found.collect::<Result<_, Problem>>().map(Value::Array)
    }

    fn is_identifier(&self, name: &str) -> bool {
        self.allowed
            .get(name)
            .is_some_and(|param| param.kind == ParamKind::Identifier)
    }

    fn statement(&self, sql: &str, binds: &[String]) -> Result<Map<String, Value>, Problem> {
        let mut call = Map::new();
        call.insert("sql".to_owned(), json!(sql));
        call.insert("binds".to_owned(), self.binds(binds)?);
        call.insert("identifiers".to_owned(), self.identifiers(sql)?);
        Ok(call)
    }

    fn statements(
        &self,
        sql: Option<&str>,
        binds: &[String],
        variants: &[PostgresVariant],
    ) -> Result<Map<String, Value>, Problem> {
        let mut call = match sql {
            Some(sql) => self.statement(sql, binds)?,
            None => Map::new(),
        };
        let variants = variants.iter().map(|variant| {
            let mut call = self.statement(&variant.sql, &variant.binds)?;
            call.insert("needs".to_owned(), json!(variant.needs));
            Ok(Value::Object(call))
        });
        call.insert(
            "variants".to_owned(),
            variants.collect::<Result<_, Problem>>().map(Value::Array)?,
        );
        Ok(call)
    }

    fn postgres_read(&self, read: &PostgresRead) -> Result<Value, Problem> {
        let mut call = self.statements(read.sql.as_deref(), &read.binds, &read.variants)?;
        call.insert("answer".to_owned(), json!(read.answer));
        call.insert("absent".to_owned(), json!(read.absent));
        Ok(Value::Object(call))
    }

    fn redis_read(&self, read: &RedisRead) -> Result<Value, Problem> {
        if !read.command.is_empty() {
            return Ok(json!({ "command": self.words(&read.command, false)? }));
        }
        let commands = read
            .commands
            .iter()
            .map(|(name, words)| Ok((name.clone(), self.words(words, false)?)));
        Ok(json!({ "commands": commands.collect::<Result<Map<_, _>, Problem>>()? }))
    }

    fn http_read(&self, read: &HttpRead) -> Result<Value, Problem> {
        Ok(json!({
            "method": read.method,
            "path": self.path(&read.path)?,
            "query": self.query(&read.query)?,
            "json": read.json,
            "status": read.status,
            "down_is_an_answer": read.down_is_an_answer,
            "certificate": read.certificate,
        }))
    }

    fn http_write(&self, write: &HttpWrite) -> Result<Map<String, Value>, Problem> {
        let body = write.body.as_ref().map(|body| self.fill(body)).transpose()?;
        let call = json!({
            "method": write.method,
            "path": self.path(&write.path)?,
            "query": self.query(&write.query)?,
            "body": body,
            "guards": write.guards,
            "if_match": write.if_match,
        });
        Ok(object(call))
    }

    fn process_read(&self, read: &ProcessRead) -> Result<Value, Problem> {
        Ok(json!({
            "argv": self.words(&read.argv, true)?,
            "network": read.network,
            "exit": read.exit,
            "output": read.output,
        }))
    }

    fn lookup(&self, lookup: &Lookup) -> Result<Value, Problem> {
        if let Some(read) = &lookup.postgres {
            return self.postgres_read(read);
        }
        if let Some(read) = &lookup.redis {
            return self.redis_read(read);
        }
        if let Some(read) = &lookup.http {
            return self.http_read(read);
        }
        lookup
            .process
            .as_ref()
            .map_or(Ok(Value::Null), |read| self.process_read(read))
    }

    /// The driver of a probe and its call.
    pub fn probe(&self, probe: &Probe) -> Result<(&'static str, Value), Problem> {
        if let Some(read) = &probe.postgres {
            return Ok(("postgres", self.postgres_read(read)?));
        }
        if let Some(read) = &probe.redis {
            return Ok(("redis", self.redis_read(read)?));
        }
        if let Some(read) = &probe.http {
            return Ok(("http", self.http_read(read)?));
        }
        let read = probe.process.as_ref().ok_or_else(no_driver)?;
        Ok(("process", self.process_read(read)?))
    }

    /// The driver of an action and its call, with what to read first under `preview`.
    pub fn action(&self, action: &Action) -> Result<(&'static str, Value), Problem> {
        let (driver, mut call) = if let Some(write) = &action.postgres {
            let mut call = self.statements(write.sql.as_deref(), &write.binds, &write.variants)?;
            call.insert("guards".to_owned(), json!(write.guards));
            call.insert("rows".to_owned(), json!(write.rows));
            call.insert("dry_run".to_owned(), json!(write.dry_run));
            call.insert("signals".to_owned(), json!(write.signals));
            call.insert("absent".to_owned(), json!(write.absent));
            ("postgres", call)
        } else if let Some(write) = &action.redis {
            let command = self.words(&write.command, false)?;
            (
                "redis",
                object(json!({ "command": command, "guards": write.guards })),
            )
        } else if let Some(write) = &action.http {
            ("http", self.http_write(write)?)
        } else {
            let write = action.process.as_ref().ok_or_else(no_driver)?;
            let argv = self.words(&write.argv, true)?;
            ("process", object(json!({ "argv": argv, "guards": write.guards })))
        };
        let preview = action
            .preview
            .as_ref()
            .map(|lookup| self.lookup(lookup))
            .transpose()?;
        call.insert("preview".to_owned(), preview.unwrap_or(Value::Null));
        Ok((driver, Value::Object(call)))
    }
}

/// Text that people choose freely; a number cannot be an option.
fn word_is_free(allowed: &BTreeMap<String, Param>, word: &Value) -> bool {
    let param = word
        .as_str()
        .and_then(reference)
        .and_then(|name| allowed.get(name));
    param.is_some_and(|param| matches!(param.kind, ParamKind::Text | ParamKind::Identifier))
}

fn no_driver() -> Problem {
    Problem::new(
        "the entry names no driver",
        "Add a `postgres`, `redis`, `http` or `process` table.",
    )
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encoded(segment: &str) -> String {
    let mut out = String::new();
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
