//! Backups: the journal and the chat of the local page, as they stood at one moment, and back again.
//!
//! The chat stands still while both are copied. Nothing that it heard and the journal does not know of, and nothing that
//! the journal calls said and the chat does not have, can be in such a pair. What the bot says meanwhile waits in the
//! outbox, and what people say waits at the chat.

use std::path::{Path, PathBuf};

use super::{App, Error, chat_path};
use crate::chat::local;
use crate::engine::told;
use crate::store;
use crate::store::sqlite::{self, Fresh, Restoring, Sqlite};
use crate::store::verify::Report;

impl App {
    /// Copies everything to `dest` and the file beside it, while it runs. `None`: nothing is kept on disk.
    pub async fn backup(&self, dest: &Path) -> Result<Option<Copied>, store::Error> {
        let (Some(sqlite), Some(chat)) = (&self.sqlite, &self.chat_file) else {
            return Ok(None);
        };
        let _still = self.chat.still().await;
        copy(sqlite, chat, dest).await.map(Some)
    }
}

/// The files of a backup.
#[derive(Debug)]
pub struct Copied {
    pub journal: PathBuf,
    /// `None`: the page was never opened.
    pub chat: Option<PathBuf>,
}

/// Copies both files. Nobody writes to the chat meanwhile. Both copies are there, or none.
pub async fn copy(journal: &Sqlite, chat: &Path, dest: &Path) -> Result<Copied, store::Error> {
    let mut copied = Copied {
        journal: dest.to_owned(),
        chat: None,
    };
    if chat.exists() {
        let beside = chat_path(dest);
        sqlite::copy_file(chat, &beside).await?;
        copied.chat = Some(beside);
    }
    if let Err(error) = journal.backup(dest).await {
        // Written a moment ago by ourselves: an older one would have been an error above.
        if let Some(half) = &copied.chat {
            let _ = std::fs::remove_file(half);
        }
        return Err(error);
    }
    Ok(copied)
}

/// What a backup held.
#[derive(Debug)]
pub struct Restored {
    pub report: Report,
    /// Rooms and messages of the page; `None`: left as they were.
    pub chat: Option<(u64, u64)>,
}

/// Nobody wrote something into the backup and called it redacted.
async fn gaps_are_told(journal: &Restoring, source: &Path) -> Result<(), store::Error> {
    let corrupt = |what: String| store::Error::Corrupt {
        place: source.display().to_string(),
        what,
    };
    let gaps = &journal.report.gaps;
    if gaps.is_empty() {
        return Ok(());
    }
    let store = sqlite::open_to_look(journal.path()).await?;
    let faults = told::check_gaps(&store, gaps).await;
    match faults.map_err(|error| corrupt(error.to_string()))?.first() {
        Some(fault) => Err(corrupt(fault.to_string())),
        None => Ok(()),
    }
}

/// Puts a backup in the place of a journal and its chat, after proving both whole. `journal_only` leaves the chat as it
/// is.
pub async fn restore(source: &Path, dest: &Path, journal_only: bool) -> Result<Restored, Error> {
    // Takes the lock of the journal, which guards the chat as well.
    let journal = Restoring::prepare(source, dest).await?;
    gaps_are_told(&journal, source).await?;
    let beside = chat_path(source);
    if journal_only {
        let report = journal.finish()?;
        return Ok(Restored { report, chat: None });
    }
    if !beside.exists() {
        return Err(Error::HalfBackup {
            backup: source.to_owned(),
            beside,
        });
    }
    let chat = Fresh::of(&beside, &chat_path(dest)).await?;
    let counted = local::verify_file(chat.path()).await?;
    chat.put_in_place()?;
    let report = journal.finish()?;
    Ok(Restored {
        report,
        chat: Some(counted),
    })
}
