//! The SQLite file: who owns it, what is left in it, and bad days.

use super::sqlite::{Restoring, verify_file};
use super::verify::Report;
use super::*;
use std::path::Path;

fn bytes_of(file: &File) -> Vec<u8> {
    let mut all = Vec::new();
    for name in ["orderly.db", "orderly.db-wal", "orderly.db-shm"] {
        all.extend(std::fs::read(file.beside(name)).unwrap_or_default());
    }
    all
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn error_of_opening(file: &File) -> Error {
    match open(file.path(), OpenOptions::default()).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_who_has_the_file() {
    let file = File::new();
    let store = file.open().await;
    let refused = error_of_opening(&file).await;
    let (path, pid) = (file.path(), std::process::id());
    assert_eq!(
        refused.to_string(),
        format!(
            "{} is in use by process {pid}: stop that process, or send the command to it",
            path.display()
        )
    );
    store.close().await.unwrap();
    file.open().await.close().await.unwrap();
}

#[tokio::test]
async fn a_store_that_nobody_holds_lets_go_of_its_file() {
    let file = File::new();
    drop(file.open().await);
    // The writer ends when the last handle is gone; give it its turns.
    for _ in 0..1_000 {
        match open(file.path(), OpenOptions::default()).await {
            Ok(store) => return store.close().await.unwrap(),
            Err(Error::Owned { .. }) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the file is still held");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let file = File::new();
    file.open().await.close().await.unwrap();
    file.sql("PRAGMA user_version = 99").await;
    let before = std::fs::read(file.path()).unwrap();
    let error = error_of_opening(&file).await;
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }));
    assert!(error.to_string().ends_with("orderly.db.before-v99"), "{error}");
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_left_alone() {
    let file = File::new();
    std::fs::write(
        file.path(),
        "Dear diary, today production was down again. ".repeat(99),
    )
    .unwrap();
    assert!(matches!(error_of_opening(&file).await, Error::Foreign { .. }));

    let other = File::new();
    std::fs::write(other.path(), "").unwrap();
    other.sql("CREATE TABLE songs (title TEXT)").await;
    let error = error_of_opening(&other).await;
    assert!(
        error
            .to_string()
            .ends_with("is not a database of this program: check the path; the file was left as it is")
    );
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let error = match open("/nowhere/orderly.db", OpenOptions::default()).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    };
    assert!(
        error.starts_with("taking /nowhere/orderly.db.lock failed"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_does_not_fit_and_goes_on_when_there_is_room() {
    let file = File::new();
    let store = file.open().await;
    store.commit(append(stream(1), 0, &["before"])).await.unwrap();
    let id = fresh(&store, "Ev01").await;
    store.pragma("PRAGMA max_page_count = 60").await.unwrap();

    let large = "x".repeat(500_000);
    let mut commit = append(stream(1), 1, &["small", &large]);
    commit.inbox_done = vec![InboxDone {
        inbox: id,
        outcome: "{}".into(),
    }];
    commit.effects = vec![effect("a")];
    let full = store.commit(commit.clone()).await.unwrap_err();
    assert!(full.retry());
    assert!(full.to_string().starts_with("no space left for "), "{full}");
    assert!(
        full.to_string()
            .contains("free some space, the store goes on by itself")
    );
    assert_eq!(texts(&store, stream(1)).await, ["before"]);
    assert_eq!(store.due_effects(at(99), &[], 9).await.unwrap(), []);

    // What fits still goes in, and a failed commit took nobody with it.
    let (small, huge) = tokio::join!(
        store.commit(append(stream(2), 0, &["small"])),
        store.commit(append(stream(3), 0, &[&large]))
    );
    assert!(small.is_ok());
    assert!(matches!(huge, Err(Error::DiskFull { .. })));

    store.pragma("PRAGMA max_page_count = 100000").await.unwrap();
    store.commit(commit).await.unwrap();
    assert_eq!(texts(&store, stream(1)).await, ["before", "small", &large]);
    assert!(verify(&store, None).await.unwrap().sound());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_became_read_only_is_said_and_nothing_is_half_written() {
    let file = File::new();
    let store = file.open().await;
    store.commit(append(stream(1), 0, &["before"])).await.unwrap();
    store.pragma("PRAGMA query_only = ON").await.unwrap();
    let error = store.commit(append(stream(1), 1, &["lost"])).await.unwrap_err();
    assert!(error.retry());
    assert!(
        error
            .to_string()
            .contains("cannot be written: make the file and its folder writable"),
        "{error}"
    );
    assert!(matches!(
        store.receive(delivery("Ev01")).await,
        Err(Error::ReadOnly { .. })
    ));
    assert!(matches!(store.try_write().await, Err(Error::ReadOnly { .. })));

    store.pragma("PRAGMA query_only = OFF").await.unwrap();
    store.try_write().await.unwrap();
    store.commit(append(stream(1), 1, &["after"])).await.unwrap();
    fresh(&store, "Ev01").await;
    assert_eq!(texts(&store, stream(1)).await, ["before", "after"]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_redacted_password_is_gone_from_the_bytes_of_the_file() {
    let file = File::new();
    let store = file.open().await;
    for round in 0..40 {
        for number in 1..=5 {
            let text = format!("password hunter2-{number}-{round} {}", "x".repeat(round * 17));
            store
                .commit(append(stream(number), round as u64, &[&text]))
                .await
                .unwrap();
        }
    }
    let id = fresh(&store, "hunter2-inbox").await;
    let inbox_done = vec![InboxDone {
        inbox: id,
        outcome: "{}".into(),
    }];
    store
        .commit(Commit {
            inbox_done,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert!(contains(&bytes_of(&file), "hunter2-3-20 "));

    let marker = "{\"redacted\":\"a password\"}".to_owned();
    let redactions = vec![Redaction::Event {
        stream: stream(3),
        seq: 21,
        marker,
    }];
    // A reader that is open all the time does not keep the old bytes alive.
    assert!(
        store
            .commit(Commit {
                redactions,
                ..append(stream(3), 40, &["redacted"])
            })
            .await
            .unwrap()
            .purged
    );
    let bytes = bytes_of(&file);
    assert!(!contains(&bytes, "hunter2-3-20 "));
    assert!(!contains(&bytes, "body of hunter2-inbox"));
    assert!(contains(&bytes, "hunter2-3-21 "), "the others are still there");
    assert!(verify(&store, None).await.unwrap().sound());
    store.close().await.unwrap();
}

async fn restored(source: &Path, dest: &Path) -> Result<Report, Error> {
    Restoring::prepare(source, dest).await?.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_taken_while_the_store_works_and_restores() {
    let file = File::new();
    let store = file.open().await;
    let busy = {
        let store = store.clone();
        tokio::spawn(async move {
            for expected in 0..100 {
                store.commit(append(stream(1), expected, &["x"])).await.unwrap();
            }
        })
    };
    store.commit(append(stream(2), 0, &["kept"])).await.unwrap();
    let copy = file.beside("copy.db");
    store.backup(&copy).await.unwrap();
    busy.await.unwrap();
    store
        .commit(append(stream(2), 1, &["after the backup"]))
        .await
        .unwrap();

    assert!(matches!(store.backup(&copy).await, Err(Error::Exists { .. })));
    assert!(verify_file(&copy, None).await.unwrap().sound());
    assert!(matches!(
        restored(&copy, &file.path()).await,
        Err(Error::Owned { .. })
    ));
    store.close().await.unwrap();

    let report = restored(&copy, &file.path()).await.unwrap();
    assert!(
        report.sound()
            && report
                .heads
                .iter()
                .any(|head| head.stream == stream(2) && head.seq == 1)
    );
    let store = file.open().await;
    assert_eq!(texts(&store, stream(2)).await, ["kept"]);
    store.commit(append(stream(2), 1, &["goes on"])).await.unwrap();
    store.close().await.unwrap();
    let before = verify_file(&file.beside("orderly.db.before-restore"), None)
        .await
        .unwrap();
    assert!(
        before
            .heads
            .iter()
            .any(|head| head.stream == stream(2) && head.seq == 2),
        "what was there is kept"
    );
}

#[tokio::test]
async fn a_backup_that_was_tampered_with_does_not_replace_anything() {
    let file = File::new();
    let store = file.open().await;
    store.commit(append(stream(1), 0, &["one", "two"])).await.unwrap();
    store.backup(&file.beside("copy.db")).await.unwrap();
    store.close().await.unwrap();
    {
        use sqlx::Connection;
        let path = file.beside("copy.db");
        let mut copy = sqlx::SqliteConnection::connect(path.to_str().unwrap())
            .await
            .unwrap();
        sqlx::query("UPDATE events SET author = 'x' WHERE seq = 2")
            .execute(&mut copy)
            .await
            .unwrap();
        copy.close().await.unwrap();
    }
    let refused = restored(&file.beside("copy.db"), &file.path())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("copy.db is damaged (inc-1: event 2 was changed"),
        "{refused}"
    );
    assert!(!file.beside("orderly.db.restoring").exists());
    std::fs::write(
        file.beside("half.db"),
        &std::fs::read(file.path()).unwrap()[..9_000],
    )
    .unwrap();
    assert!(restored(&file.beside("half.db"), &file.path()).await.is_err());
    assert!(restored(&file.beside("missing.db"), &file.path()).await.is_err());
    assert_eq!(texts(&file.open().await, stream(1)).await, ["one", "two"]);
}

#[tokio::test]
async fn a_copied_file_without_its_process_opens_with_what_was_acknowledged() {
    // As after a power cut: the log was never emptied into the database.
    let file = File::new();
    let store = file.open().await;
    store
        .commit(append(stream(1), 0, &["acknowledged"]))
        .await
        .unwrap();
    for suffix in ["", "-wal"] {
        std::fs::copy(
            file.beside(&format!("orderly.db{suffix}")),
            file.beside(&format!("cut.db{suffix}")),
        )
        .unwrap();
    }
    let cut = open_counted(&file.beside("cut.db")).await;
    assert_eq!(texts(&cut, stream(1)).await, ["acknowledged"]);
    cut.close().await.unwrap();
    store.close().await.unwrap();
}
