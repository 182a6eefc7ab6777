//! The arguments of a call, however they were sent.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::fail::{Fail, Result, fail};

/// Arguments whose value is a structure. In a form, and where a client likes it in JSON too, they come as JSON text.
const STRUCTURED: &[&str] = &["blocks", "attachments", "metadata", "view", "files", "file_ids"];

/// How a call's arguments were encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Form,
    Json,
}

#[derive(Debug, Clone)]
pub struct Args {
    pub map: Map<String, Value>,
    pub token: Option<String>,
    pub encoding: Encoding,
}

impl Args {
    /// Reads query, body and headers. The error is what Slack answers to a body it cannot read.
    pub fn read(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self> {
        let mut map = Map::new();
        let mut encoding = Encoding::Form;
        form(query.unwrap_or_default().as_bytes(), &mut map);
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if body.is_empty() {
        } else if kind.starts_with("application/json") {
            encoding = Encoding::Json;
            match serde_json::from_slice(body) {
                Ok(Value::Object(sent)) => map.extend(sent),
                Ok(_) => return Err(fail("json_not_object")),
                Err(_) => return Err(fail("invalid_json")),
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            form(body, &mut map);
        } else if kind.starts_with("multipart/form-data") {
            multipart(kind, body, &mut map)?;
        } else {
            return Err(fail("invalid_post_type"));
        }
        let in_body = map.remove("token");
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let token = bearer
            .map(str::to_owned)
            .or_else(|| in_body.and_then(|token| token.as_str().map(str::to_owned)));
        structure(&mut map)?;
        Ok(Self { map, token, encoding })
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The text, or what Slack says where it is missing.
    pub fn need(&self, name: &str) -> Result<&str> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| missing(name))
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            _ => false,
        }
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> Vec<Value> {
        self.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    }

    /// Names separated by commas, or a JSON list of them.
    pub fn names(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(|n| n.as_str().map(str::to_owned))
                .collect(),
            Some(Value::String(names)) => names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// What Slack says where an argument is missing.
pub fn missing(name: &str) -> Fail {
    Fail::detailed(
        "invalid_arguments",
        &[format!("[ERROR] missing required field: {name}")],
    )
}

fn form(bytes: &[u8], map: &mut Map<String, Value>) {
    for (name, value) in url::form_urlencoded::parse(bytes) {
        map.insert(name.into_owned(), Value::String(value.into_owned()));
    }
}

fn structure(map: &mut Map<String, Value>) -> Result<()> {
    for name in STRUCTURED {
        let Some(Value::String(text)) = map.get(*name) else {
            continue;
        };
        if text.is_empty() {
            map.remove(*name);
            continue;
        }
        let read = serde_json::from_str(text).map_err(|_| match *name {
            "blocks" => fail("invalid_blocks_format"),
            "metadata" => fail("invalid_metadata_format"),
            other => Fail::detailed("invalid_arguments", &[format!("[ERROR] {other} is no JSON")]),
        })?;
        map.insert((*name).to_owned(), read);
    }
    Ok(())
}

/// The text fields of a multipart body. Files go to upload addresses, never to a method.
fn multipart(kind: &str, body: &[u8], map: &mut Map<String, Value>) -> Result<()> {
    for (name, content) in parts(kind, body).ok_or_else(|| fail("invalid_form_data"))? {
        map.insert(name, Value::String(String::from_utf8_lossy(content).into_owned()));
    }
    Ok(())
}

/// The parts of a multipart body: name and content.
pub fn parts<'a>(kind: &str, body: &'a [u8]) -> Option<Vec<(String, &'a [u8])>> {
    let boundary = kind.split("boundary=").nth(1)?.trim_matches('"');
    let mark = format!("--{boundary}").into_bytes();
    let mut found = Vec::new();
    let mut rest = &body[position(body, &mark)? + mark.len()..];
    while !rest.starts_with(b"--") {
        let end = position(rest, &mark)?;
        let part = rest.get(2..end.checked_sub(2)?)?;
        let head = position(part, b"\r\n\r\n")?;
        let name = String::from_utf8_lossy(&part[..head])
            .split("name=\"")
            .nth(1)?
            .split('"')
            .next()?
            .to_owned();
        found.push((name, &part[head + 4..]));
        rest = &rest[end + mark.len()..];
    }
    Some(found)
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
