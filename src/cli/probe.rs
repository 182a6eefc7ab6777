//! `orderly probe`: listed, or asked outside of any incident. Reads only.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::json;

use super::output::{self, colour, table, with_progress};
use super::reach;
use super::render::Look;
use super::request::{Answer as Answered, Request};
use super::{FOUND, REFUSED};
use crate::app::Files;
use crate::catalog::When;
use crate::chat::{Block, Message, Rich, Row, Tone};
use crate::clock::{Clock, SystemClock};
use crate::incident::{Answer, Params, Verdict};
use crate::text::clean;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly probe list
  orderly probe run http.health --target odoo-web
  orderly probe run postgres.blocking failing_after=30s --json
  orderly probe output INC-7 P1")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what can be asked.
    #[command(after_help = "Example:\n  orderly probe list --all --json")]
    List {
        /// Also those that fit no target of the config.
        #[arg(long)]
        all: bool,
        #[arg(long)]
        json: bool,
    },
    /// Ask one now. Nothing is changed, and no incident hears of it.
    #[command(after_help = "\
Examples:
  orderly probe run http.health
  orderly probe run postgres.blocking --target odoo-db failing_after=30s

Exit codes: 0 ok, 4 suspect or failing, 1 unknown, 3 it cannot be asked like this.")]
    Run {
        name: String,
        /// Needed where several targets fit.
        #[arg(long)]
        target: Option<String>,
        /// Parameters.
        #[arg(value_name = "NAME=VALUE")]
        params: Vec<String>,
        #[arg(long)]
        json: bool,
    },
    /// Print what a probe answered in an incident, in full.
    #[command(after_help = "\
Examples:
  orderly probe output INC-7 P1
  orderly probe output INC-7 P1 > locks.txt")]
    Output {
        /// INC-7
        #[arg(value_parser = super::postmortem::number)]
        incident: u64,
        /// The answer, as its message names it: P1.
        #[arg(value_parser = answer)]
        answer: u32,
    },
}

/// `P1`, `p1` or `1`.
fn answer(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix(['P', 'p']).unwrap_or(text);
    number
        .parse()
        .map_err(|_| "an answer is written like P1".to_owned())
}

/// The bytes as they are kept, for a file; made safe, for a terminal.
async fn print_output(config: &Path, incident: u64, run: u32) -> Result<ExitCode> {
    match reach::ask(config, Request::Output { incident, run }).await? {
        Answered::Output { text } => {
            match std::io::stdout().is_terminal() {
                true => print!("{}", clean(&text, usize::MAX)),
                false => print!("{text}"),
            }
            Ok(ExitCode::SUCCESS)
        }
        other => reach::refused(other).or_else(|_| reach::strange()),
    }
}

pub async fn run(path: &Path, arguments: Arguments) -> Result<ExitCode> {
    let read = || -> Result<Files> { Ok(Files::read(super::load_or_default(path)?.unwrap_or_default())?) };
    match arguments.what {
        What::List { all, json } => list(&read()?, all, json),
        What::Run {
            name,
            target,
            params,
            json,
        } => ask(&read()?, &name, target.as_deref(), &params, json).await,
        What::Output { incident, answer } => print_output(path, incident, answer).await,
    }
}

fn list(files: &Files, all: bool, as_json: bool) -> Result<ExitCode> {
    let fitting = |kinds: &[String]| -> Vec<String> {
        let targets = files.config.target.iter();
        let fits = targets.filter(|target| kinds.iter().any(|kind| json!(target.kind) == *kind));
        fits.map(|target| target.name.clone()).collect()
    };
    let entries: Vec<_> = files
        .catalog
        .probes()
        .map(|entry| (entry, fitting(&entry.raw.targets)))
        .filter(|(_, targets)| all || !targets.is_empty())
        .collect();
    if as_json {
        let listed: Vec<_> = entries
            .iter()
            .map(|(entry, targets)| {
                json!({
                    "name": entry.name, "title": entry.raw.title, "question": entry.raw.question,
                    "kinds": entry.raw.targets, "targets": targets, "params": entry.raw.params,
                })
            })
            .collect();
        output::json(&listed)?;
        return Ok(ExitCode::SUCCESS);
    }
    if entries.is_empty() {
        println!(
            "No probe fits, because orderly.toml has no [[target]] it could ask. `orderly probe list --all` shows the \
             whole catalog."
        );
    }
    let rows: Vec<_> = entries
        .iter()
        .map(|(entry, targets)| {
            let on = match targets.is_empty() {
                true => format!("({})", entry.raw.targets.join(", ")),
                false => targets.join(", "),
            };
            vec![entry.name.clone(), format!("{} {on}", entry.raw.question)]
        })
        .collect();
    print!("{}", table(&rows));
    Ok(ExitCode::SUCCESS)
}

async fn ask(
    files: &Files,
    name: &str,
    target: Option<&str>,
    params: &[String],
    as_json: bool,
) -> Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let systems = files.systems(Arc::clone(&clock))?;
    // What the secrets of a target lack is the answer, when that target was meant.
    let unread = files.config.targets(&crate::config::process_env).problems;
    if let Some(problem) = unread
        .iter()
        .find(|problem| target == Some(problem.target.as_str()))
    {
        bail!("{problem}");
    }
    let when = When::new(None, clock.now());
    let call = match systems.resolve_probe(name, target, &given(params)?, &when) {
        Ok(call) => call,
        Err(problem) => {
            eprintln!("{}", super::output::refusal(&problem.to_string()));
            return Ok(ExitCode::from(REFUSED));
        }
    };
    let answered = with_progress(&format!("Asking {name} on {}", call.target), systems.ask(&call)).await;
    let answer = &answered.0;
    if as_json {
        output::json(&json!({
            "probe": name, "target": call.target, "params": call.params, "answer": answer,
        }))?;
    } else {
        let look = Look {
            colour: colour(),
            incident: None,
            program: "orderly",
        };
        print!("{}", look.message(&shown(name, &call.target, answer)));
    }
    Ok(match answer.verdict {
        Verdict::Ok => ExitCode::SUCCESS,
        Verdict::Suspect | Verdict::Failing => ExitCode::from(FOUND),
        Verdict::Unknown => ExitCode::FAILURE,
    })
}

fn given(params: &[String]) -> Result<Params> {
    let mut given = BTreeMap::new();
    for param in params {
        let Some((name, value)) = param.split_once('=') else {
            bail!("`{param}` is no parameter: write it like failing_after=30s");
        };
        given.insert(name.to_owned(), serde_json::Value::String(value.to_owned()));
    }
    Ok(given)
}

fn shown(name: &str, target: &str, answer: &Answer) -> Message {
    let tone = match answer.verdict {
        Verdict::Ok => Tone::Good,
        Verdict::Suspect => Tone::Warn,
        Verdict::Failing => Tone::Bad,
        Verdict::Unknown => Tone::Quiet,
    };
    let row = Row {
        tone,
        mark: answer.verdict.word().to_owned(),
        title: Rich::new().text(format!("{name} on {target}")),
        detail: answer.summary.clone().into(),
    };
    let mut blocks = vec![Block::Rows { rows: vec![row] }];
    if let Some(impact) = &answer.impact {
        blocks.push(Block::Text {
            text: impact.clone().into(),
        });
    }
    if !answer.excerpt.is_empty() {
        blocks.push(Block::Code {
            text: answer.excerpt.clone(),
            diff: false,
        });
    }
    let caveats = answer.caveats.iter().map(|caveat| Block::Context {
        text: caveat.clone().into(),
    });
    blocks.extend(caveats);
    blocks.push(Block::Context {
        text: format!("{} ms", answer.duration_ms).into(),
    });
    Message {
        fallback: answer.summary.clone(),
        blocks,
    }
}
