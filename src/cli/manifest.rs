//! `orderly manifest`: the app to create on a platform, made from the table of commands.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::output;
use crate::chat::slack::{Wanted, manifest};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly manifest slack
  orderly --config /etc/orderly/orderly.toml manifest slack > manifest.json

Paste it at https://api.slack.com/apps, Create New App, From a manifest. The command's name, the transport and the address come \
from the config.")]
pub struct Arguments {
    #[arg(value_enum)]
    platform: Platform,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Platform {
    Slack,
}

pub fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let config = super::load_or_default(config)?.unwrap_or_default();
    let Platform::Slack = arguments.platform;
    let address = config.slack_over_http().then(|| config.base_url());
    output::json(&manifest(&Wanted {
        command: &config.command,
        description: "Incident response in order. Alone: the form to open one, or where this one stands.",
        hint: &hint(),
        address: address.as_deref(),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// The first words that may follow the command, in the order of help.
fn hint() -> String {
    let mut words: Vec<&str> = Vec::new();
    for command in orderly_commands::table() {
        let word = command.path.split(' ').next().unwrap_or_default();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" | ")
}
