//! The short table of an answer: what a card can hold.

use serde_json::{Map, Value};

/// Rows on a card; more is read in the full output.
const ROWS: usize = 8;

/// Columns on a card, where the entry names none.
const COLUMNS: usize = 6;

/// Characters of a cell: enough to recognise a statement or a name.
const CELL: usize = 48;

/// Characters of free text, such as the body of an HTML error page.
const TEXT: usize = 400;

/// Rows of an answer as an aligned table, or its values line by line. May be empty.
pub(super) fn table(answer: &Value, columns: &[String]) -> String {
    match answer {
        Value::Null => String::new(),
        Value::Array(rows) => rows_table(rows, columns),
        Value::Object(map) => match only_list(map) {
            Some(rows) => rows_table(rows, columns),
            None => pairs(map, columns),
        },
        scalar => cut(&text(scalar), TEXT),
    }
}

/// The one list among the values of an answer.
fn only_list(map: &Map<String, Value>) -> Option<&Vec<Value>> {
    let mut lists = map.values().filter_map(Value::as_array);
    match (lists.next(), lists.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn pairs(map: &Map<String, Value>, columns: &[String]) -> String {
    let keys: Vec<&String> = if columns.is_empty() {
        map.keys().collect()
    } else {
        columns.iter().collect()
    };
    let scalar = |value: &&Value| !(value.is_object() || value.is_array() || value.is_null());
    let shown = keys
        .into_iter()
        .filter_map(|key| Some((key, map.get(key).filter(scalar)?)));
    let lines = shown
        .take(ROWS)
        .map(|(key, value)| format!("{key}: {}", cut(&text(value), TEXT)));
    lines.collect::<Vec<_>>().join("\n")
}

fn rows_table(rows: &[Value], columns: &[String]) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let columns: Vec<String> = match (columns, rows.first()) {
        ([], Some(Value::Object(first))) => first.keys().take(COLUMNS).cloned().collect(),
        (columns, _) => columns.to_vec(),
    };
    let tabular = rows.iter().any(Value::is_object);
    if tabular {
        lines.push(columns.clone());
    }
    for row in rows.iter().take(ROWS) {
        lines.push(match row {
            Value::Object(row) => columns
                .iter()
                .map(|column| {
                    row.get(column)
                        .map_or_else(String::new, |it| cut(&text(it), CELL))
                })
                .collect(),
            other => vec![cut(&text(other), CELL * 3)],
        });
    }
    let mut out = aligned(&lines);
    if rows.len() > ROWS {
        out.push_str(&format!("\n… and {} more", rows.len() - ROWS));
    }
    out
}

fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |line: &Vec<String>| {
        let cells = line
            .iter()
            .enumerate()
            .map(|(column, cell)| format!("{cell:<width$}", width = width(column)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// One line of at most `most` characters, nothing in it that could move the cursor or turn the text round.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut clean = String::new();
    for (n, c) in text.trim().chars().map(harmless).enumerate() {
        if n == most {
            clean.push('…');
            break;
        }
        clean.push(c);
    }
    clean
}

fn harmless(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        // Marks that reorder or hide text: a log line must read as it was written.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => '�',
        c if c.is_control() => '�',
        c => c,
    }
}
