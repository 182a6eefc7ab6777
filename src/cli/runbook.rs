//! `orderly runbook`: listed, read, linted.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::json;

use super::output::{self, table};
use super::{FOUND, REFUSED};
use crate::app::{Error, Files, Vocabulary};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::incident::Refusal;
use crate::runbook::{self, Problem, Shelf};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly runbook list
  orderly runbook show stuck-job-queue
  orderly runbook lint
  orderly runbook lint runbooks/stuck-job-queue.md")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what there is.
    #[command(after_help = "Example:\n  orderly runbook list --json")]
    List {
        #[arg(long)]
        json: bool,
    },
    /// Print one.
    #[command(after_help = "Example:\n  orderly runbook show production-incident")]
    Show { name: String },
    /// Check files, by default all of the config's. Exit code 4 if one cannot be used.
    #[command(after_help = "\
Examples:
  orderly runbook lint
  orderly runbook lint --strict --json runbooks/mine.md

Errors keep a runbook from being used; warnings are what somebody at three in the morning would wish were mended.")]
    Lint {
        files: Vec<PathBuf>,
        /// Exit code 4 for warnings too.
        #[arg(long)]
        strict: bool,
        #[arg(long)]
        json: bool,
    },
}

pub fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let config = super::load_or_default(config)?;
    match arguments.what {
        What::List { json } => list(&shelf(config.as_ref())?, json),
        What::Show { name } => {
            let shelf = shelf(config.as_ref())?;
            let Some(found) = shelf.get(&name) else {
                let known: Vec<_> = shelf.list().map(|runbook| runbook.front.name.clone()).collect();
                eprintln!(
                    "{}",
                    super::output::refusal(&Refusal::unknown("runbook", name, &known).words)
                );
                return Ok(ExitCode::from(REFUSED));
            };
            print!("{}", found.source);
            Ok(ExitCode::SUCCESS)
        }
        What::Lint { files, strict, json } => lint(config.as_ref(), &files, strict, json),
    }
}

fn shelf(config: Option<&Config>) -> Result<Shelf> {
    Ok(match config.and_then(|config| config.runbooks.dir.as_deref()) {
        Some(folder) => Shelf::load(folder).map_err(Error::Runbooks)?,
        None => Shelf::shipped(),
    })
}

fn list(shelf: &Shelf, as_json: bool) -> Result<ExitCode> {
    let runbooks: Vec<_> = shelf.list().collect();
    if as_json {
        let listed: Vec<_> = runbooks
            .iter()
            .map(|runbook| {
                let front = &runbook.front;
                json!({
                    "name": front.name, "title": front.title, "summary": front.summary, "file": runbook.file,
                    "digest": runbook.plan.digest,
                })
            })
            .collect();
        output::json(&listed)?;
    } else {
        let row =
            |runbook: &&runbook::Runbook| vec![runbook.front.name.clone(), runbook.front.summary.clone()];
        print!("{}", table(&runbooks.iter().map(row).collect::<Vec<_>>()));
    }
    Ok(ExitCode::SUCCESS)
}

fn lint(config: Option<&Config>, files: &[PathBuf], strict: bool, as_json: bool) -> Result<ExitCode> {
    let problems = problems(config, files)?;
    if as_json {
        let listed: Vec<_> = problems
            .iter()
            .map(|problem| {
                json!({
                    "file": problem.file, "line": problem.line, "column": problem.column,
                    "severity": if problem.is_error() { "error" } else { "warning" }, "message": problem.message,
                })
            })
            .collect();
        output::json(&listed)?;
    } else {
        problems.iter().for_each(|problem| println!("{problem}"));
        if problems.is_empty() {
            println!("Nothing to mend.");
        }
    }
    let found = problems.iter().any(|problem| strict || problem.is_error());
    Ok(if found {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    })
}

/// Everything there is to say about these files, or about all that the config names.
pub fn problems(config: Option<&Config>, files: &[PathBuf]) -> Result<Vec<Problem>> {
    let catalog = match config {
        Some(config) => Files::catalog(config)?,
        None => Catalog::shipped(),
    };
    let vocabulary = Vocabulary {
        catalog: &catalog,
        targets: config.map(|config| config.target.iter().map(|target| target.name.clone()).collect()),
    };
    if !files.is_empty() {
        let mut problems = Vec::new();
        for file in files {
            let what = || format!("{} cannot be read as text", file.display());
            let text = std::fs::read_to_string(file).with_context(what)?;
            problems.extend(runbook::check(&file.display().to_string(), &text, &vocabulary));
        }
        return Ok(problems);
    }
    let shelf = match config.and_then(|config| config.runbooks.dir.as_deref()) {
        Some(folder) => match Shelf::load(folder) {
            Ok(shelf) => shelf,
            Err(problems) => return Ok(problems),
        },
        None => Shelf::shipped(),
    };
    Ok(shelf
        .list()
        .flat_map(|runbook| runbook::lint(runbook, &vocabulary))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_runbooks_name_only_what_the_shipped_catalog_has() {
        let problems = problems(None, &[]).unwrap();
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(lines, Vec::<String>::new());
    }
}
