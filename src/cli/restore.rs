//! `orderly restore`: a backup in the place of the database, after proving that it is whole.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::output::with_progress;
use crate::store::sqlite;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  orderly restore /var/backups/orderly-2026-11-21.sqlite

Refused while `orderly serve` runs. The database that was there is kept beside it, as `….before-restore`.")]
pub struct Arguments {
    /// The backup.
    src: PathBuf,
}

pub async fn run(config: &Path, arguments: Arguments) -> Result<ExitCode> {
    let dest = super::load(config)?.store.path;
    let report = with_progress("Verifying and copying", sqlite::restore(&arguments.src, &dest)).await?;
    let events: u64 = report.heads.iter().map(|head| head.seq).sum();
    println!(
        "{} is restored and whole: {events} events in {} streams. Start the bot with `orderly serve`.",
        dest.display(),
        report.heads.len()
    );
    Ok(ExitCode::SUCCESS)
}
