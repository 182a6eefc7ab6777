//! `orderly manifest`: the app to create on a platform, made from the table of commands.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::output;
use crate::chat::discord;
use crate::chat::slack::{Wanted, manifest};
use crate::config::{Config, process_env};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly manifest slack
  orderly --config /etc/orderly/orderly.toml manifest slack > manifest.json
  orderly manifest discord

Slack: paste it at https://api.slack.com/apps, Create New App, From a manifest. Discord: open the address at `invite`, and switch \
on what `privileged_intents` names. The command's name, the transport and the address come from the config.")]
pub struct Arguments {
    #[arg(value_enum)]
    platform: Platform,
    /// Discord: the application's id, where the config's token cannot be read yet.
    #[arg(long, value_name = "ID")]
    application: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Platform {
    Slack,
    Discord,
}

pub fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let config = super::load_or_default(config)?.unwrap_or_default();
    match arguments.platform {
        Platform::Slack => slack(&config),
        Platform::Discord => on_discord(&config, arguments.application),
    }
}

/// The address that invites the bot, with what it may do and hear.
fn on_discord(config: &Config, application: Option<String>) -> Result<ExitCode> {
    let settings = config.discord.as_ref();
    let token = settings.and_then(|settings| settings.token.read(&process_env).ok());
    let application = application.or_else(|| discord::application_of(&token?));
    let Some(application) = application else {
        bail!(
            "the application's id is needed: orderly manifest discord --application ID. It stands on the page General \
             Information of https://discord.com/developers/applications; once the token is where [discord] token points, it is \
             read from there"
        );
    };
    let guild = settings.map(|settings| settings.guild.as_str());
    output::json(&discord::manifest(&application, guild))?;
    Ok(ExitCode::SUCCESS)
}

fn slack(config: &Config) -> Result<ExitCode> {
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
