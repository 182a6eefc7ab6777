//! From the output of a program to what verdict expressions see.

use serde_json::{Map, Number, Value, json};

use super::run::{Ended, Ran};
use crate::catalog::raw::OutputShape;
use crate::driver::Failure;

/// `{exit, stderr}` with `lines`, `json` or `rows`.
pub(super) fn from(ran: &Ran, shape: &OutputShape) -> Result<Value, Failure> {
    let exit = match ran.ended {
        Ended::Code(code) => Value::from(code),
        Ended::Signal | Ended::Late => Value::Null,
    };
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let stderr = stderr.trim();
    let text = String::from_utf8_lossy(&ran.stdout);
    Ok(match shape {
        OutputShape::Lines => {
            json!({ "exit": exit, "stderr": stderr, "lines": whole_lines(&text, ran.truncated) })
        }
        OutputShape::Json => {
            let parsed: Value = serde_json::from_str(&text).map_err(|error| match ran.truncated {
                true => Failure::Refused(
                    "The output passed its limit, so its JSON is not whole; raise `output_limit`.".to_owned(),
                ),
                false => Failure::Refused(format!("The output is no JSON: {error}")),
            })?;
            json!({ "exit": exit, "stderr": stderr, "json": parsed })
        }
        OutputShape::Rows {
            columns,
            numbers,
            separator,
            skip,
        } => {
            let lines = whole_lines(&text, ran.truncated);
            let rows = lines
                .iter()
                .skip(*skip)
                .map(|line| row(line, columns, numbers, separator.as_deref()));
            json!({ "exit": exit, "stderr": stderr, "rows": rows.collect::<Vec<_>>() })
        }
    })
}

/// Lines that are not blank; the last one of a cut output is a part of a line and would mislead.
fn whole_lines(text: &str, cut: bool) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if cut && !text.ends_with('\n') {
        lines.pop();
    }
    lines
}

/// The last column takes the rest of the line, so that names with blanks in them stay whole.
fn row(line: &str, columns: &[String], numbers: &[String], separator: Option<&str>) -> Value {
    let mut rest = line.trim();
    let mut row = Map::new();
    for (n, column) in columns.iter().enumerate() {
        let last = n + 1 == columns.len();
        let (field, after) = match separator {
            _ if last => (rest, ""),
            Some(separator) => rest.split_once(separator).unwrap_or((rest, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        let field = field.trim();
        let value = if numbers.contains(column) {
            number(field)
        } else {
            Value::from(field)
        };
        row.insert(column.clone(), value);
        rest = if separator.is_some() {
            after
        } else {
            after.trim_start()
        };
    }
    Value::Object(row)
}

/// A number, also with a per cent sign behind it, as `df` writes them.
fn number(field: &str) -> Value {
    let text = field.strip_suffix('%').unwrap_or(field);
    let float = || {
        text.parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number)
    };
    text.parse::<i64>()
        .ok()
        .map(Value::from)
        .or_else(float)
        .unwrap_or(Value::Null)
}
