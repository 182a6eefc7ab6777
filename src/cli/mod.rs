//! The terminal: one file per verb.
//!
//! Exit codes: 0 done, 1 it went wrong, 2 the command line was wrong, 3 refused by the rules, 4 something to look at was
//! found (a lint, a doctor's or a verifier's finding).

mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Where the config is looked for when nothing is said.
const CONFIG: &str = "orderly.toml";

/// Incident response in order: confirm, contain, triage, decide, recover, learn.
#[derive(Debug, Parser)]
#[command(name = "orderly", version, about, max_term_width = 110)]
struct Cli {
    /// The config.
    #[arg(long, global = true, value_name = "FILE", env = "ORDERLY_CONFIG", default_value = CONFIG)]
    config: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the bot.
    Serve(serve::Arguments),
}

/// Parses, runs, and says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    crate::driver::install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orderly: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.verb {
            Verb::Serve(arguments) => serve::run(&cli.config, arguments).await,
        }
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("orderly: {error:#}");
            ExitCode::FAILURE
        }
    }
}
