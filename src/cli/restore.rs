//! `orderly restore`: a backup in the place of journal and chat, after proving that both are whole.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use serde_json::json;

use super::output::{self, counted, with_progress};
use crate::app::backup;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly restore /var/backups/orderly-2026-11-21.sqlite
  orderly restore old.sqlite --journal-only

The journal comes from the file you name, the chat of the local page from the one beside it
(`….chat.sqlite`). Both are verified before anything is replaced. What was there is kept beside it, as
`….before-restore`. Refused while `orderly serve` runs.")]
pub struct Arguments {
    /// The backup of the journal, with the one of the chat beside it.
    src: PathBuf,
    /// Leave the chat of the page as it is.
    #[arg(long)]
    journal_only: bool,
    #[arg(long)]
    json: bool,
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let dest = super::load(config)?.store.path;
    let restoring = backup::restore(&arguments.src, &dest, arguments.journal_only);
    let restored = with_progress("Verifying and copying", restoring).await?;
    let heads = &restored.report.heads;
    if arguments.json {
        output::json(&json!({
            "journal": dest,
            "heads": heads.iter().map(output::head).collect::<Vec<_>>(),
            "chat": restored.chat.map(|(rooms, messages)| json!({ "rooms": rooms, "messages": messages })),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let events: u64 = heads.iter().map(|head| head.seq).sum();
    let chat = match restored.chat {
        Some((rooms, messages)) => format!(
            "the page's chat with {} in {}",
            counted(messages, "message"),
            counted(rooms, "room")
        ),
        None => "the page's chat was left as it is".to_owned(),
    };
    println!(
        "{} is restored and whole: {} in {}; {chat}. Start the bot with `orderly serve`.",
        dest.display(),
        counted(events, "event"),
        counted(heads.len() as u64, "stream")
    );
    Ok(ExitCode::SUCCESS)
}
