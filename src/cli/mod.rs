//! The terminal: one file per verb.
//!
//! Verbs that need the journal send a [`socket`] request to `orderly serve` while it runs, and else take the file
//! themselves for as long as the command takes ([`reach`]). What a request does is written once, in [`request`].

mod action;
mod backup;
mod completions;
mod config;
mod demo;
mod doctor;
mod incident;
mod init;
mod journal;
mod manifest;
mod output;
mod person;
mod postmortem;
mod probe;
mod reach;
mod register;
mod render;
mod request;
mod resident;
mod restore;
mod runbook;
mod serve;
mod socket;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ContextValue;
use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::text::clean;

/// Where the config is looked for when nothing is said.
const CONFIG: &str = "orderly.toml";

/// Refused by the rules: a person may not, or not now.
const REFUSED: u8 = 3;

/// Longest argument that is quoted when a command line is wrong, in characters: enough to know it again.
const QUOTED_MAX: usize = 100;

/// Something to look at was found.
const FOUND: u8 = 4;

const EXIT_CODES: &str = "\
Examples:
  orderly demo
  orderly init && orderly doctor && orderly serve
  orderly person add ana --name \"Ana Bell\" --role commander
  orderly incident open \"Labels do not print\" severity=SEV2

Exit codes:
  0  done
  1  it went wrong
  2  the command line was wrong
  3  refused by the rules
  4  something to look at was found: by doctor, lint, a config check, a probe, or a verifier";

/// Incident response in order: confirm, contain, triage, decide, recover, learn.
#[derive(Debug, Parser)]
#[command(name = "orderly", version, about, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    /// The config.
    #[arg(long, global = true, value_name = "FILE", env = "ORDERLY_CONFIG", default_value = CONFIG)]
    config: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Live through an incident, on a small shop that really breaks.
    Demo(demo::Arguments),
    /// Write a config, runbooks and a catalog to begin with.
    Init(init::Arguments),
    /// Check everything, and say how to mend what is wrong.
    Doctor(doctor::Arguments),
    /// Run the bot.
    Serve(serve::Arguments),
    /// Take part in an incident from the terminal, also when chat is down.
    Incident(incident::Arguments),
    /// List, read and check runbooks.
    Runbook(runbook::Arguments),
    /// List probes, or ask one directly.
    Probe(probe::Arguments),
    /// List what can be proposed in an incident.
    Action(action::Arguments),
    /// Write the post-mortem of an incident to a file or the terminal.
    Postmortem(postmortem::Arguments),
    /// Verify, read and redact the journal.
    Journal(journal::Arguments),
    /// Add people, make their sign-in links, change their roles.
    Person(person::Arguments),
    /// Copy the journal and the page's chat, also while the bot runs.
    Backup(backup::Arguments),
    /// Put a backup in the place of the journal and the page's chat.
    Restore(restore::Arguments),
    /// Print the app to create on a chat platform.
    Manifest(manifest::Arguments),
    /// Make a chat platform know the commands.
    Register(register::Arguments),
    /// Check and show the config.
    Config(config::Arguments),
    /// Print the completions of a shell.
    Completions(completions::Arguments),
}

/// Parses, runs, and says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| shortened(error).exit());
    crate::driver::install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orderly: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            use crate::app::Error::{Catalog, Config, Runbooks};
            match error.downcast_ref() {
                // Each of these lines begins with its place, which editors turn into a link.
                Some(Config(_) | Catalog(_) | Runbooks(_)) => eprintln!("{error:#}"),
                _ => eprintln!("orderly: {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// What was wrong with a command line, with no more of what was typed than is needed to find it, and nothing in it that a
/// terminal obeys.
fn shortened(mut error: clap::Error) -> clap::Error {
    let typed: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, clean(text, QUOTED_MAX))),
            _ => None,
        })
        .collect();
    for (kind, text) in typed {
        error.insert(kind, ContextValue::String(text));
    }
    error
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = &cli.config;
    match cli.verb {
        Verb::Demo(arguments) => demo::run(arguments).await,
        Verb::Init(arguments) => init::run(arguments),
        Verb::Doctor(arguments) => doctor::run(config, arguments).await,
        Verb::Serve(arguments) => serve::run(config, arguments).await,
        Verb::Incident(arguments) => incident::run(config, arguments).await,
        Verb::Runbook(arguments) => runbook::run(config, arguments),
        Verb::Probe(arguments) => probe::run(config, arguments).await,
        Verb::Action(arguments) => action::run(config, arguments),
        Verb::Postmortem(arguments) => postmortem::run(config, arguments).await,
        Verb::Journal(arguments) => journal::run(config, arguments).await,
        Verb::Person(arguments) => person::run(config, arguments).await,
        Verb::Backup(arguments) => backup::run(config, arguments).await,
        Verb::Restore(arguments) => restore::run(config, arguments).await,
        Verb::Manifest(arguments) => manifest::run(config, arguments),
        Verb::Register(arguments) => register::run(config, arguments).await,
        Verb::Config(arguments) => config::run(config, arguments),
        Verb::Completions(arguments) => Ok(completions::run(arguments)),
    }
}

/// The config, whose absence is a problem.
fn load(path: &Path) -> anyhow::Result<Config> {
    Ok(Config::load(path).map_err(crate::app::Error::Config)?)
}

/// The config, or the defaults where none is there and none was named: lists and checks work without one.
fn load_or_default(path: &Path) -> anyhow::Result<Option<Config>> {
    match path == Path::new(CONFIG) && !path.exists() {
        true => Ok(None),
        false => load(path).map(Some),
    }
}
