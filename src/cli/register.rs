//! `orderly register`: makes a platform know the commands of this version.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::output::with_progress;
use crate::app::discord_settings;
use crate::chat::discord::{Registered, Scope, register};
use crate::clock::SystemClock;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly register discord
  orderly register discord --everywhere

Sends only what changed, and may be run as often as you like: after an update, and after `command` was changed in the config. \
Slack needs nothing of the kind; its command is in `orderly manifest slack`.")]
pub struct Arguments {
    #[arg(value_enum)]
    platform: Platform,
    /// In every server where the bot is, instead of the configured one.
    #[arg(long)]
    everywhere: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Platform {
    Discord,
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let config = super::load(config)?;
    let Platform::Discord = arguments.platform;
    let Some(settings) = discord_settings(&config)? else {
        bail!(
            "orderly.toml has no [discord]: README, \"Discord: from nothing to the first incident\", says what belongs there"
        );
    };
    let scope = if arguments.everywhere {
        Scope::Everywhere
    } else {
        Scope::Guild
    };
    let registering = async {
        let done = register(&settings, &config.command, scope, Arc::new(SystemClock)).await;
        done.context("Discord did not take the commands; `orderly doctor` looks for what stands in the way")
    };
    for done in with_progress("Registering", registering).await? {
        println!("{}", told(&done));
    }
    Ok(ExitCode::SUCCESS)
}

fn told(done: &Registered) -> String {
    match done {
        Registered::Unchanged(name) => format!("{name}: as it was"),
        Registered::Made(name) => format!("{name}: made"),
        Registered::Changed(name) => format!("{name}: changed"),
        Registered::Removed(name) => format!("{name}: removed"),
        Registered::Doubled(name) => {
            format!("{name}: removed where it was known as well, so that nobody is shown it twice")
        }
    }
}
