//! Every step is replayed over rows as the steps before left them.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::*;
use crate::store::sqlite::{OpenOptions, open_with};

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite")
}

fn samples(version: i64) -> String {
    let path = folder().join(format!("samples/{version:04}.sql"));
    std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("migration {version} has no sample rows: write {}", path.display()))
}

#[test]
fn every_file_is_a_step_and_steps_count_up() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".sql").map(Into::into))
        .collect();
    files.sort();
    assert_eq!(
        files,
        MIGRATIONS
            .iter()
            .map(|migration| migration.name)
            .collect::<Vec<_>>()
    );
    for (migration, expected) in MIGRATIONS.iter().zip(1..) {
        assert_eq!(migration.version, expected);
        assert!(
            migration.name.starts_with(&format!("{expected:04}_")),
            "{}",
            migration.name
        );
    }
}

#[tokio::test]
async fn all_steps_replay_over_sample_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orderly.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    for count in 1..=MIGRATIONS.len() {
        run(&mut connection, &path, &MIGRATIONS[..count]).await.unwrap();
        let version = MIGRATIONS[count - 1].version;
        sqlx::raw_sql(AssertSqlSafe(samples(version)))
            .execute(&mut connection)
            .await
            .unwrap();
        every_new_table_has_rows(&mut connection, version).await;
    }
    connection.close().await.unwrap();
    let store = crate::store::sqlite::open(&path, OpenOptions::default())
        .await
        .unwrap();
    crate::store::Store::close(&store).await.unwrap();
}

async fn every_new_table_has_rows(connection: &mut SqliteConnection, version: i64) {
    let tables =
        sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    for table in tables {
        let table: String = table.get(0);
        let count = format!("SELECT count(*) FROM {table}");
        let rows: i64 = sqlx::query(AssertSqlSafe(count))
            .fetch_one(&mut *connection)
            .await
            .unwrap()
            .get(0);
        assert!(rows > 0, "samples/{version:04}.sql has no row for {table}");
    }
}

const NEXT: &str = "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT; INSERT INTO later VALUES (1)";

fn with_one_more(sql: &'static str) -> Vec<Migration> {
    let copy = |one: &Migration| Migration {
        version: one.version,
        name: one.name,
        sql: one.sql,
    };
    let next = Migration {
        version: known() + 1,
        name: "next",
        sql,
    };
    MIGRATIONS.iter().map(copy).chain([next]).collect()
}

#[tokio::test]
async fn the_file_is_copied_before_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orderly.db");
    let close = async |store: crate::store::sqlite::Sqlite| crate::store::Store::close(&store).await.unwrap();
    close(
        crate::store::sqlite::open(&path, OpenOptions::default())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "a new file needs no copy"
    );

    close(
        open_with(path.clone(), OpenOptions::default(), &with_one_more(NEXT))
            .await
            .unwrap(),
    )
    .await;
    let copy = folder.path().join(format!("orderly.db.before-v{}", known() + 1));
    close(
        crate::store::sqlite::open(&copy, OpenOptions::default())
            .await
            .unwrap(),
    )
    .await;
    // The program from before refuses the migrated file.
    assert!(
        crate::store::sqlite::open(&path, OpenOptions::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orderly.db");
    let broken = with_one_more("CREATE TABLE later (id INTEGER PRIMARY KEY); INSERT INTO nowhere VALUES (1)");
    let store = crate::store::sqlite::open(&path, OpenOptions::default())
        .await
        .unwrap();
    crate::store::Store::close(&store).await.unwrap();
    let error = match open_with(path.clone(), OpenOptions::default(), &broken).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    };
    assert!(error.starts_with("migration next ("), "{error}");
    let store = crate::store::sqlite::open(&path, OpenOptions::default())
        .await
        .unwrap();
    crate::store::Store::close(&store).await.unwrap();
}
