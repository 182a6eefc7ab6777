//! One process owns a database file: a lock beside it, with the owner's process id in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::store::Error;

/// Held as long as the file is in use; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Owner {
    file: File,
}

/// `incidents.db` has `incidents.db.lock` beside it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Owner {
    /// Takes the file, or names the process that has it.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let lock = beside(path, ".lock");
        let io = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Error::ReadOnly {
                    path: path.to_owned(),
                }
            }
            _ => Error::Io {
                doing: format!("taking {}", lock.display()),
                cause: error.to_string(),
            },
        };
        // Not truncated: until the lock is ours, what stands in it is the owner's.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The owner may be between locking and writing; then the process stays unnamed.
                let _ = file.read_to_string(&mut pid);
                return Err(Error::Owned {
                    path: path.to_owned(),
                    pid: pid.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { file })
    }
}

impl Drop for Owner {
    /// The file stays: removing it would let two processes lock two files of one name.
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}
