//! `orderly backup`: a copy of journal and chat, also while the bot runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use serde_json::json;

use super::request::{Answer, Request};
use super::{output, reach};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly backup /var/backups/orderly-2026-11-21.sqlite
  orderly backup today.sqlite --json
  orderly backup today.sqlite && orderly journal verify --file today.sqlite

A backup is two files: the journal under the name you give, and beside it the chat of the local page
(`today.sqlite` and `today.chat.sqlite`). Both are as they stood at one moment. Each appears under its
name only when it is whole. Keep the two together, and put them back with `orderly restore`.")]
pub struct Arguments {
    /// The file to write the journal to; must not be there yet.
    dest: PathBuf,
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let dest = std::path::absolute(&arguments.dest)
        .with_context(|| format!("{} is no path to write to", arguments.dest.display()))?;
    match reach::ask(config, Request::Backup { dest }).await? {
        Answer::Copied { journal, chat } if arguments.json => {
            output::json(&json!({ "journal": journal, "chat": chat }))?;
        }
        Answer::Copied { journal, chat } => println!("{}", told(&journal, chat.as_deref())),
        other => return reach::refused(other).or_else(|_| reach::strange()),
    }
    Ok(ExitCode::SUCCESS)
}

fn told(journal: &Path, chat: Option<&Path>) -> String {
    let journal = journal.display();
    match chat {
        Some(chat) => format!(
            "The journal is copied to {journal}, the chat of the page to {}. Keep the two together.",
            chat.display()
        ),
        None => format!("The journal is copied to {journal}. The page has no chat yet."),
    }
}
