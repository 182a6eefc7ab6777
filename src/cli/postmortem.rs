//! `orderly postmortem`: the document, as a file or on the terminal.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::reach;
use super::request::{Answer, Request};
use crate::store::Stream;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly postmortem INC-7
  orderly postmortem INC-7 --format html -o INC-7.html
  orderly postmortem INC-7 --format json --as-of 412

The same incident as of the same event gives the same bytes, whenever it is made.")]
pub struct Arguments {
    /// INC-7
    #[arg(value_parser = number)]
    incident: u64,
    #[arg(long, default_value = "markdown", value_parser = ["markdown", "html", "json"])]
    format: String,
    /// As of this event, instead of the last one.
    #[arg(long, value_name = "EVENT")]
    as_of: Option<u64>,
    /// Write to this file instead of the terminal.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// `INC-7`, `inc-7` or `7`.
pub fn number(text: &str) -> Result<u64, String> {
    // What was typed is quoted by whoever asked.
    let wrong = || "an incident is written like INC-7".to_owned();
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    match text.parse::<Stream>() {
        Ok(Stream::Incident(incident)) => Ok(incident.0),
        _ => Err(wrong()),
    }
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let request = Request::Postmortem {
        incident: arguments.incident,
        format: arguments.format,
        as_of: arguments.as_of,
    };
    match reach::ask(config, request).await? {
        Answer::Document { as_of, text, .. } => {
            match arguments.output {
                None => print!("{text}"),
                Some(file) => {
                    write(&file, &text).with_context(|| {
                        format!(
                            "{} cannot be written: may you write there, and is there space?",
                            file.display()
                        )
                    })?;
                    eprintln!("Written to {}, as of event #{as_of}.", file.display());
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        other => reach::refused(other).or_else(|_| reach::strange()),
    }
}

/// All of it, or what was there before: half a document would look like a whole one.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    // Through a link, to where it points.
    let place = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    if std::fs::metadata(&place).is_ok_and(|there| !there.is_file()) {
        // A pipe, or a terminal.
        return std::fs::write(&place, text);
    }
    let mut partial = place.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, &place));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written
}
