//! What can go wrong in the store, in words that tell the operator what to do next.

use std::path::PathBuf;

use super::{InboxId, Lock, Stream};

/// An error of the store. `Clone`, because one failed group answers every caller in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else appended first: load the new events and decide again.
    #[error(
        "{stream} is at event {found}, the decision was made on event {expected}; decide again on the new state"
    )]
    Conflict {
        stream: Stream,
        expected: u64,
        found: u64,
    },

    /// Another attempt holds the target. Nothing was written.
    #[error("{} is held by attempt {} of {}; wait until it has ended", .holder.target, .holder.attempt, .holder.incident)]
    Locked { holder: Lock },

    /// The delivery was decided before, or was never received. Nothing was written.
    #[error(
        "inbox entry {inbox} is not waiting for a decision; look up its outcome instead of deciding again"
    )]
    NotPending { inbox: InboxId },

    /// The inbox is at its bound: the sender must try again, and was not acknowledged.
    #[error(
        "{pending} messages wait for a decision, {bound} is the bound; send this one again in a few seconds"
    )]
    Full { pending: usize, bound: usize },

    #[error("{what} is {bytes} bytes long, {limit} is the limit; shorten it or attach it as a file")]
    TooLarge {
        what: &'static str,
        bytes: usize,
        limit: usize,
    },

    /// A commit that contradicts itself: a mistake of the caller, never of the operator.
    #[error("{what}; please report this, nothing was written")]
    Invalid { what: String },

    /// Something typed or pasted that is not what it should be.
    #[error("{what}")]
    NotUnderstood { what: String },

    #[error("{path} cannot be written: make the file and its folder writable for this user, nothing was lost", path = .path.display())]
    ReadOnly { path: PathBuf },

    #[error(
        "{path} cannot be read here, because something would have to be written beside it first: run this as the user who \
         runs Orderly, or copy the file, with the `-wal` beside it, to a folder of your own and look at the copy",
        path = .path.display()
    )]
    Unreadable { path: PathBuf },

    #[error("no space left for {path}: free some space, the store goes on by itself; what was not acknowledged was not kept", path = .path.display())]
    DiskFull { path: PathBuf },

    #[error("{path} has schema version {found}, this program knows up to {known}: run the newer program, or restore the copy named {path}.before-v{found}", path = .path.display())]
    NewerSchema { path: PathBuf, found: i64, known: i64 },

    #[error("{path} is not a database of this program: check the path; the file was left as it is", path = .path.display())]
    Foreign { path: PathBuf },

    #[error("{path} is in use by process {pid}: stop that process, or send the command to it", path = .path.display(), pid = .pid.map_or("unknown".into(), |pid| pid.to_string()))]
    Owned { path: PathBuf, pid: Option<u32> },

    #[error(
        "{place} is damaged ({what}): stop, keep a copy of the file, run `orderly journal verify`, then `orderly restore` a backup"
    )]
    Corrupt { place: String, what: String },

    #[error("{what} exists already: name another file, or move that one away")]
    Exists { what: String },

    /// The store was closed, or a test stopped it.
    #[error("the store is closed; start the program again")]
    Stopped,

    #[error("{doing} failed: {cause}; check the disk and the folder's permissions, then try again")]
    Io { doing: String, cause: String },
}

impl Error {
    /// Whether the very same call may succeed later. [`Error::Conflict`] says no: its caller decides anew.
    pub fn retry(&self) -> bool {
        match self {
            Self::Full { .. } | Self::DiskFull { .. } | Self::ReadOnly { .. } | Self::Io { .. } => true,
            Self::Conflict { .. }
            | Self::Locked { .. }
            | Self::NotPending { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. }
            | Self::NotUnderstood { .. }
            | Self::NewerSchema { .. }
            | Self::Foreign { .. }
            | Self::Unreadable { .. }
            | Self::Owned { .. }
            | Self::Corrupt { .. }
            | Self::Exists { .. }
            | Self::Stopped => false,
        }
    }

    /// Whether nothing can be written, whatever it is; the others are about the call that they answer.
    pub fn cannot_write(&self) -> bool {
        match self {
            Self::DiskFull { .. }
            | Self::ReadOnly { .. }
            | Self::Io { .. }
            | Self::Corrupt { .. }
            | Self::Stopped => true,
            Self::Conflict { .. }
            | Self::Locked { .. }
            | Self::NotPending { .. }
            | Self::Full { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. }
            | Self::NotUnderstood { .. }
            | Self::NewerSchema { .. }
            | Self::Foreign { .. }
            | Self::Unreadable { .. }
            | Self::Owned { .. }
            | Self::Exists { .. } => false,
        }
    }

    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }
}
