//! Opening a file for reading only, also where nothing can be written beside it.
//!
//! SQLite reads the log of a database through a map of it that lies beside the file. A running program has made that map;
//! else the first who reads makes it, and in a folder that cannot be written nobody can. Then the file is as it will stay,
//! and can be read without.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::own::beside;
use super::{BUSY_TIMEOUT, ROWS_AHEAD, Said, Why, failed};
use crate::store::Error;

/// SQLite's file system without locks, for a file that nobody has open.
const NO_LOCKS: &str = "unix-none";

/// How the file can be read as it lies there.
pub(super) async fn options(path: &Path) -> Result<SqliteConnectOptions, Error> {
    // SQLite would name what is wrong with a file no better than "unable to open".
    std::fs::File::open(path).map_err(|error| Error::Io {
        doing: format!("opening {}", path.display()),
        cause: error.to_string(),
    })?;
    let usual = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging();
    let error = match try_reading(&usual).await {
        Ok(()) => return Ok(usual),
        Err(error) => Said::from(error),
    };
    if !wants_to_write(&error) {
        return Err(failed("opening the database", path, error));
    }
    // With a map beside it somebody may have it open, and then it must not be read past their locks.
    let shared = beside(path, "-shm").exists();
    let log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let still = match log {
        // The map is made in memory.
        true => usual.vfs(NO_LOCKS).locking_mode(SqliteLockingMode::Exclusive),
        false => usual.immutable(true),
    };
    match try_reading(&still).await {
        Ok(()) if !shared => Ok(still),
        _ => Err(Error::Unreadable {
            path: path.to_owned(),
        }),
    }
}

/// Opens a file that another process may own.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, Error> {
    let options = options(path).await?;
    let opened = options.connect().await;
    opened.map_err(|error| failed("opening the database", path, error))
}

async fn try_reading(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    let read = sqlx::query("SELECT count(*) FROM sqlite_schema")
        .execute(&mut connection)
        .await;
    connection.close().await?;
    read.map(drop)
}

/// Whether it could not be read only because something would have to be written first: "read-only" or "cannot open".
fn wants_to_write(said: &Said) -> bool {
    matches!(said.why, Why::Code(code) if matches!(code & 0xff, 8 | 14))
}
