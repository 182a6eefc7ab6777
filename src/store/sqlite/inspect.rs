//! A look at a database file from outside, for `orderly doctor`: nothing is made, migrated or written.

use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::Connection;

use super::own::Owner;
use super::{failed, look, migrations, time};
use crate::store::Error;

/// What stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Version of its schema.
    pub version: i64,
    /// The version this program writes; a file of an older one is migrated when it is opened.
    pub known: i64,
    /// When the event written last was recorded.
    pub last: Option<DateTime<Utc>>,
    /// Whether a process has it open, and which one, if it says so.
    pub owner: Option<Option<u32>>,
}

/// Looks at a file that another process may own.
pub async fn inspect(path: &Path) -> Result<Inspection, Error> {
    let owner = match Owner::take(path) {
        Ok(_) => None,
        Err(Error::Owned { pid, .. }) => Some(pid),
        Err(error) => return Err(error),
    };
    if owner.is_none() {
        super::writable(path)?;
    }
    let mut connection = look::open(path).await?;
    let known = migrations::known();
    let version = migrations::version(&mut connection, path, known).await?;
    let mut last = None;
    if version > 0 {
        // The newest row, not the newest time: a clock that jumped back shows in the difference.
        let newest: Option<(i64,)> = sqlx::query_as("SELECT recorded FROM events ORDER BY id DESC LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .map_err(|error| failed("reading the journal", path, error))?;
        last = newest.map(|(recorded,)| time(recorded));
    }
    connection
        .close()
        .await
        .map_err(|error| failed("closing the database", path, error))?;
    Ok(Inspection {
        version,
        known,
        last,
        owner,
    })
}
