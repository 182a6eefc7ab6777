//! A call as it came: path, query, body and files.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fail::{Fail, Result, wrong};
use super::model::Attachment;

/// A file that came with a call, under `files[N]`.
#[derive(Debug, Clone)]
pub struct Upload {
    /// N, or the whole name of a part that Discord does not know.
    pub part: String,
    pub filename: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// What stands in the path's places: `channel_id`, `message_id`.
    pub places: BTreeMap<&'static str, String>,
    pub query: BTreeMap<String, String>,
    /// Null where nothing came.
    pub body: Value,
    pub files: Vec<Upload>,
    pub reason: Option<String>,
}

impl Asked {
    pub fn place(&self, name: &str) -> &str {
        self.places.get(name).map_or("", String::as_str)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.body[name].as_bool()
    }

    /// A number of the query, with what it is when it is not there and the most it may be.
    pub fn number(&self, name: &str, otherwise: usize, most: usize) -> Result<usize> {
        let Some(said) = self.query.get(name) else {
            return Ok(otherwise);
        };
        let number = said
            .parse::<usize>()
            .ok()
            .filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| {
            wrong(
                name,
                "NUMBER_TYPE_MAX",
                &format!("int value should be between 1 and {most}."),
            )
        })
    }

    /// The files as attachments, described by the body's `attachments` where it does.
    pub fn attachments(&self, mut id: impl FnMut() -> String) -> Vec<Attachment> {
        let described = |part: &str| {
            let list = self.body["attachments"].as_array().into_iter().flatten();
            list.into_iter()
                .find(|one| super::render::plain(&one["id"]) == part)
                .cloned()
                .unwrap_or_default()
        };
        let files = self.files.iter().map(|file| {
            let about = described(&file.part);
            Attachment {
                id: id(),
                filename: about["filename"].as_str().unwrap_or(&file.filename).to_owned(),
                content_type: file.content_type.clone(),
                description: about["description"].as_str().map(str::to_owned),
                bytes: file.bytes.clone(),
            }
        });
        files.collect()
    }
}

/// Body and files of a request, by its content type. The error is what Discord answers.
pub fn read(content_type: &str, bytes: &[u8]) -> Result<(Value, Vec<Upload>)> {
    if bytes.is_empty() {
        return Ok((Value::Null, Vec::new()));
    }
    if content_type.starts_with("application/json") {
        return Ok((json_of(bytes)?, Vec::new()));
    }
    if let Some(boundary) = boundary(content_type) {
        return multipart(&boundary, bytes);
    }
    Err(Fail {
        status: 400,
        code: 50035,
        message: format!(
            "Expected \"Content-Type\" header to be one of {{'application/json'}}, not {content_type}."
        ),
        errors: Value::Null,
    })
}

fn json_of(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|_| Fail {
        status: 400,
        code: 50109,
        message: "The request body contains invalid JSON.".to_owned(),
        errors: Value::Null,
    })
}

fn boundary(content_type: &str) -> Option<String> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let at = rest.find("boundary=")?;
    let value = rest[at + "boundary=".len()..].split(';').next()?.trim();
    Some(value.trim_matches('"').to_owned())
}

/// `payload_json`, or single fields, and the files.
fn multipart(boundary: &str, bytes: &[u8]) -> Result<(Value, Vec<Upload>)> {
    let (mut body, mut files) = (Map::new(), Vec::new());
    for part in parts(boundary, bytes).ok_or_else(|| wrong("", "MULTIPART", "This is no multipart form."))? {
        let name = part.parameter("name").unwrap_or_default();
        let number = name
            .strip_prefix("files[")
            .and_then(|rest| rest.strip_suffix(']'));
        if name == "payload_json" {
            let whole = json_of(part.content)?;
            body.extend(whole.as_object().cloned().unwrap_or_default());
        } else if number.is_some() || part.parameter("filename").is_some() {
            files.push(Upload {
                part: number.unwrap_or(&name).to_owned(),
                filename: part.parameter("filename").unwrap_or_else(|| "file".to_owned()),
                content_type: part.kind(),
                bytes: part.content.to_vec(),
            });
        } else {
            let text = String::from_utf8_lossy(part.content).into_owned();
            body.insert(name, json!(text));
        }
    }
    Ok((Value::Object(body), files))
}

struct Part<'a> {
    head: String,
    content: &'a [u8],
}

impl Part<'_> {
    fn parameter(&self, name: &str) -> Option<String> {
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("content-disposition"))?;
        let at = line.find(&format!("{name}=\""))?;
        // `name=` also ends `filename=`: that one has another letter before it.
        let before = line[..at].chars().next_back();
        if before.is_some_and(char::is_alphanumeric) {
            let rest = &line[at + 1..];
            let again = rest.find(&format!(" {name}=\""))?;
            return quoted(&rest[again + name.len() + 3..]);
        }
        quoted(&line[at + name.len() + 2..])
    }

    fn kind(&self) -> String {
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("content-type:"));
        let kind = line
            .and_then(|line| line.split_once(':'))
            .map(|(_, kind)| kind.trim().to_owned());
        kind.unwrap_or_else(|| "application/octet-stream".to_owned())
    }
}

fn quoted(rest: &str) -> Option<String> {
    rest.split('"').next().map(str::to_owned)
}

fn parts<'a>(boundary: &str, bytes: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let mut at = find(bytes, mark.as_bytes(), 0)? + mark.len();
    while !bytes[at..].starts_with(b"--") {
        let head = at + 2;
        let body = find(bytes, b"\r\n\r\n", head)? + 4;
        let end = find(bytes, format!("\r\n{mark}").as_bytes(), body - 2)?;
        found.push(Part {
            head: String::from_utf8_lossy(bytes.get(head..body - 4)?).into_owned(),
            content: bytes.get(body..end.max(body))?,
        });
        at = end + 2 + mark.len();
    }
    Some(found)
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len())
        .position(|window| window == what)
        .map(|at| at + from)
}
