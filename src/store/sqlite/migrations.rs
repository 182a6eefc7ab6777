//! The schema, step by step. A step that was released is never changed; a new one gets the next number, a file in
//! `migrations/sqlite/`, a line here, and sample rows in `migrations/sqlite/samples/` that the tests replay.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::own::beside;
use super::{copy, failed};
use crate::store::Error;

pub(super) struct Migration {
    pub version: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "0001_store",
        sql: include_str!("../../../migrations/sqlite/0001_store.sql"),
    },
    Migration {
        version: 2,
        name: "0002_files",
        sql: include_str!("../../../migrations/sqlite/0002_files.sql"),
    },
    Migration {
        version: 3,
        name: "0003_outcomes",
        sql: include_str!("../../../migrations/sqlite/0003_outcomes.sql"),
    },
    Migration {
        version: 4,
        name: "0004_heard_after",
        sql: include_str!("../../../migrations/sqlite/0004_heard_after.sql"),
    },
];

/// Marks the file as ours (`ORDL`), so that no other program's database is ever migrated.
const APPLICATION_ID: i64 = 0x4f52_444c;

/// The schema version this program writes.
pub(super) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

/// The schema version of a file; 0 when it is empty.
pub(super) async fn version(
    connection: &mut SqliteConnection,
    path: &Path,
    known: i64,
) -> Result<i64, Error> {
    let sql = "SELECT (SELECT count(*) FROM sqlite_schema), (SELECT application_id FROM pragma_application_id), \
               (SELECT user_version FROM pragma_user_version)";
    let row = sqlx::query(sql)
        .fetch_one(connection)
        .await
        .map_err(|error| failed("reading the schema version", path, error))?;
    let (tables, application, found): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    if tables > 0 && application != APPLICATION_ID {
        return Err(Error::Foreign {
            path: path.to_owned(),
        });
    }
    if found > known {
        return Err(Error::NewerSchema {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}

/// Brings the schema up to date, after copying the file to `<path>.before-v<version>` when there is anything in it.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    path: &Path,
    migrations: &[Migration],
) -> Result<(), Error> {
    let Some(last) = migrations.last() else {
        return Ok(());
    };
    let found = version(connection, path, last.version).await?;
    if found == last.version {
        return Ok(());
    }
    if found > 0 {
        let before = beside(path, &format!(".before-v{}", last.version));
        // One that is there already is from a migration that did not get through: this file is the newer truth.
        copy::into(connection, &before, copy::Replace::Yes).await?;
    }
    for migration in migrations.iter().filter(|migration| migration.version > found) {
        apply(connection, migration)
            .await
            .map_err(|error| failed(&format!("migration {}", migration.name), path, error))?;
    }
    Ok(())
}

/// One step, whole or not at all.
async fn apply(connection: &mut SqliteConnection, migration: &Migration) -> Result<(), sqlx::Error> {
    let script = format!(
        "BEGIN IMMEDIATE; {} ; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; COMMIT",
        migration.sql, migration.version
    );
    // Safe: the text is part of the program.
    let done = sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&mut *connection)
        .await;
    if done.is_err() {
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    done.map(|_| ())
}

#[cfg(test)]
#[path = "migrations_tests.rs"]
mod tests;
