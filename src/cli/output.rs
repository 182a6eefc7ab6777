//! What all verbs share in how they write.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::store::Head;

/// Columns that everything is readable in.
pub const WIDTH: usize = 80;

/// What is over sooner needs no sign that it goes on.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the sign of progress moves.
const TICK: Duration = Duration::from_millis(120);

/// Whether standard output takes colour: a terminal, and nobody said no (no-color.org).
pub fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !refused && !dumb
}

/// Pretty JSON on standard output.
pub fn json(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// The end of a journal's stream, as JSON has it.
pub fn head(head: &Head) -> serde_json::Value {
    serde_json::json!({ "stream": head.stream.to_string(), "event": head.seq, "hash": head.hash.to_string() })
}

/// `1 event`, `2 events`.
pub fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Rows in columns as wide as needed; the last one is wrapped below itself.
pub fn table(rows: &[Vec<String>]) -> String {
    const GAP: usize = 2;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let Some((last, before)) = row.split_last() else {
            continue;
        };
        let mut line = String::new();
        for (cell, width) in before.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat((width + GAP).saturating_sub(cell.chars().count())));
        }
        let indent = line.chars().count();
        line.push_str(&wrap(last, indent));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Longest refusal that is shown, in characters. It may quote what was typed, however long that was.
const REFUSAL_MAX: usize = 2_000;

/// A refusal as a terminal may show it.
pub fn refusal(words: &str) -> String {
    wrap(&crate::text::clean(words, REFUSAL_MAX), 0)
}

/// Breaks text between words, with every line but the first indented; the first begins at `indent` already.
pub fn wrap(text: &str, indent: usize) -> String {
    // A column that is squeezed to nothing would break every word.
    const NARROWEST: usize = 24;
    let most = WIDTH.saturating_sub(indent).max(NARROWEST);
    let mut wrapped = String::new();
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent));
        }
        let mut used = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > most {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                used = 0;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += length;
        }
    }
    wrapped
}

/// Waits for something; when it takes longer than a second, a terminal shows that it goes on.
pub async fn with_progress<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
        return done;
    }
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(TICK);
    let done = work.await;
    bar.finish_and_clear();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_last_column_is_wrapped_below_itself() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let text = table(&[
            row(&["http.health", "Does it answer?"]),
            row(&[
                "odoo.cron",
                "Which scheduled actions are on, which of them failed last, and when does each of them run again?",
            ]),
        ]);
        insta::assert_snapshot!(text, @"
        http.health  Does it answer?
        odoo.cron    Which scheduled actions are on, which of them failed last, and when
                     does each of them run again?
        ");
    }
}
