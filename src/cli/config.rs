//! `orderly config`: checked and shown.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::{FOUND, output};
use crate::config::{self, Config};
use crate::{catalog, postmortem, runbook};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly config check
  orderly --config /etc/orderly/orderly.toml config check --json
  orderly config show
  orderly config schema runbook > runbook.schema.json")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say what is wrong with orderly.toml, with line and column. Exit code 4 if anything is.
    #[command(after_help = "Example:\n  orderly config check")]
    Check {
        #[arg(long)]
        json: bool,
    },
    /// Show the settings in effect, defaults included. Of a secret, its place.
    #[command(after_help = "Example:\n  orderly config show --json")]
    Show {
        #[arg(long)]
        json: bool,
    },
    /// Print a JSON Schema, for editors.
    #[command(after_help = "\
Examples:
  orderly config schema > orderly.schema.json
  orderly config schema catalog > catalog.schema.json
  orderly config schema runbook > runbook.schema.json
  orderly config schema postmortem > postmortem.schema.json

Name the file in your editor: `#:schema orderly.schema.json` in the first line of a TOML file,
`# yaml-language-server: $schema=runbook.schema.json` in the front matter of a runbook.")]
    Schema {
        #[arg(value_enum, default_value_t = Of::Config)]
        of: Of,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// orderly.toml
    Config,
    /// A catalog file.
    Catalog,
    /// The front matter of a runbook.
    Runbook,
    /// What a post-mortem in JSON looks like.
    Postmortem,
}

pub fn run(path: &Path, arguments: Arguments) -> Result<ExitCode> {
    match arguments.what {
        What::Check { json } => return check(path, json),
        What::Show { json } => {
            let shown = super::load_or_default(path)?.unwrap_or_default().show();
            match json {
                true => output::json(&toml::from_str::<toml::Table>(&shown)?)?,
                false => print!("{shown}"),
            }
        }
        What::Schema { of: Of::Config } => output::json(&config::schema())?,
        What::Schema { of: Of::Catalog } => output::json(&catalog::schema())?,
        What::Schema { of: Of::Runbook } => output::json(&runbook::schema())?,
        What::Schema { of: Of::Postmortem } => println!("{}", postmortem::schema().trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

fn check(path: &Path, as_json: bool) -> Result<ExitCode> {
    let problems = match Config::load(path) {
        Ok(_) => Vec::new(),
        Err(problems) => problems,
    };
    if as_json {
        let listed: Vec<_> = problems
            .iter()
            .map(|problem| {
                json!({
                    "file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message,
                })
            })
            .collect();
        output::json(&listed)?;
    } else {
        problems.iter().for_each(|problem| println!("{problem}"));
        if problems.is_empty() {
            println!(
                "{} is in order. `orderly doctor` also looks at what it names.",
                path.display()
            );
        }
    }
    Ok(match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FOUND),
    })
}
