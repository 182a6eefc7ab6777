//! What can be done to a journal behind the program's back, and what `verify` says of it.

use super::verify::{Fault, What};
use super::*;

/// A desk and two incidents of six events; then the file is changed and verified.
async fn after(sql: &'static str, mark: Option<&str>) -> Vec<String> {
    let file = File::new();
    let store = file.open().await;
    store.commit(append(Stream::Desk, 0, &["a", "b"])).await.unwrap();
    for number in [7, 8] {
        store
            .commit(append(stream(number), 0, &["1", "2", "3", "4", "5", "6"]))
            .await
            .unwrap();
    }
    store.close().await.unwrap();
    file.sql(sql).await;
    let mark = mark.map(|mark| mark.parse().unwrap());
    let report = sqlite::verify_file(&file.path(), mark.as_ref()).await.unwrap();
    report.faults.iter().map(ToString::to_string).collect()
}

const FIELDS: &str = "its kind, version, times, source, author or hashes differ";

#[tokio::test]
async fn an_untouched_journal_is_sound() {
    assert_eq!(after("SELECT 1", None).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_changed_payload_is_named() {
    let sql = "UPDATE events SET payload = '{\"text\":\"9\"}' WHERE stream = 7 AND seq = 3";
    assert_eq!(
        after(sql, None).await,
        ["inc-7: event 3 was changed: its payload differs"]
    );
}

#[tokio::test]
async fn every_changed_field_is_named() {
    for sql in [
        "UPDATE events SET kind = 'x' WHERE stream = 7 AND seq = 3",
        "UPDATE events SET version = 2 WHERE stream = 7 AND seq = 3",
        "UPDATE events SET recorded = recorded + 1 WHERE stream = 7 AND seq = 3",
        "UPDATE events SET occurred = occurred - 1 WHERE stream = 7 AND seq = 3",
        "UPDATE events SET source = 'x' WHERE stream = 7 AND seq = 3",
        "UPDATE events SET author = 'ben' WHERE stream = 7 AND seq = 3",
        "UPDATE events SET digest = zeroblob(32) WHERE stream = 7 AND seq = 3",
        "UPDATE events SET previous = zeroblob(32) WHERE stream = 7 AND seq = 3",
        "UPDATE events SET hash = zeroblob(32) WHERE stream = 7 AND seq = 3",
    ] {
        assert_eq!(
            after(sql, None).await,
            [format!("inc-7: event 3 was changed: {FIELDS}")],
            "{sql}"
        );
    }
    let salt = "UPDATE events SET salt = zeroblob(16) WHERE stream = 7 AND seq = 6";
    assert_eq!(
        after(salt, None).await,
        ["inc-7: event 6 was changed: its payload differs"]
    );
}

#[tokio::test]
async fn a_removed_row_is_named_with_or_without_closing_the_gap() {
    let gap = "DELETE FROM events WHERE stream = 7 AND seq = 3";
    assert_eq!(after(gap, None).await, ["inc-7: event 3 was removed"]);
    let closed = "DELETE FROM events WHERE stream = 7 AND seq = 3;
                  UPDATE events SET seq = seq + 100 WHERE stream = 7 AND seq > 3;
                  UPDATE events SET seq = seq - 101 WHERE stream = 7 AND seq > 100";
    assert_eq!(after(closed, None).await, ["inc-7: event 3 was removed"]);
    let first = "DELETE FROM events WHERE stream = 7 AND seq = 1";
    assert_eq!(after(first, None).await, ["inc-7: event 1 was removed"]);
}

#[tokio::test]
async fn an_inserted_row_is_named() {
    let sql = "UPDATE events SET seq = seq + 100 WHERE stream = 7 AND seq >= 3;
               UPDATE events SET seq = seq - 99 WHERE stream = 7 AND seq > 100;
               INSERT INTO events (stream, seq, kind, version, recorded, occurred, source, author, payload, salt, digest,
               previous, hash) SELECT stream, 3, kind, version, recorded, occurred, source, author, '{}', salt, digest,
               previous, hash FROM events WHERE stream = 7 AND seq = 2";
    assert_eq!(after(sql, None).await, ["inc-7: event 3 was inserted"]);
}

#[tokio::test]
async fn a_row_of_another_incident_at_the_end_is_named() {
    let sql = "INSERT INTO events (stream, seq, kind, version, recorded, occurred, source, author, payload, salt, digest,
               previous, hash) SELECT 7, 7, kind, version, recorded, occurred, source, author, payload, salt, digest,
               previous, hash FROM events WHERE stream = 8 AND seq = 6;
               DELETE FROM events WHERE stream = 7 AND seq = 6;
               UPDATE events SET seq = 6 WHERE stream = 7 AND seq = 7";
    assert_eq!(after(sql, None).await, ["inc-7: event 6 was inserted"]);
}

#[tokio::test]
async fn a_moved_row_is_named_with_its_new_place() {
    let swap = "UPDATE events SET seq = 100 WHERE stream = 7 AND seq = 2;
                UPDATE events SET seq = 2 WHERE stream = 7 AND seq = 5;
                UPDATE events SET seq = 5 WHERE stream = 7 AND seq = 100";
    assert_eq!(after(swap, None).await, ["inc-7: event 2 was moved to 5"]);
    let neighbours = "UPDATE events SET seq = 100 WHERE stream = 7 AND seq = 2;
                      UPDATE events SET seq = 2 WHERE stream = 7 AND seq = 3;
                      UPDATE events SET seq = 3 WHERE stream = 7 AND seq = 100";
    assert_eq!(after(neighbours, None).await, ["inc-7: event 2 was moved to 3"]);
    let to_the_end = "UPDATE events SET seq = 7 WHERE stream = 7 AND seq = 2";
    assert_eq!(after(to_the_end, None).await, ["inc-7: event 2 was moved to 7"]);
}

#[tokio::test]
async fn faults_of_all_streams_are_named() {
    let sql = "UPDATE events SET author = 'x' WHERE seq = 2";
    let said = ["desk", "inc-7", "inc-8"].map(|stream| format!("{stream}: event 2 was changed: {FIELDS}"));
    assert_eq!(after(sql, None).await, said);
}

/// Changes a row and computes its own hash anew, as a careful forger would.
async fn forge(file: &File, seq: u64, upto: u64) {
    use sqlx::Connection;
    let store = file.open().await;
    let rows = store.events(stream(7), 0, 99).await.unwrap();
    store.close().await.unwrap();
    let before = |seq: u64| rows.iter().find(|row| row.seq == seq).unwrap();
    let mut head = Head {
        stream: stream(7),
        seq: seq - 1,
        hash: before(seq - 1).seal.hash,
    };
    let mut connection = sqlx::SqliteConnection::connect(file.path().to_str().unwrap())
        .await
        .unwrap();
    for seq in seq..=upto {
        let event = NewEvent {
            by: "mallory".into(),
            ..before(seq).event.clone()
        };
        let seal = chain::seal(&head, &event, before(seq).seal.salt).unwrap();
        sqlx::query("UPDATE events SET author = ?, previous = ?, hash = ? WHERE stream = 7 AND seq = ?")
            .bind(event.by)
            .bind(seal.previous.0.to_vec())
            .bind(seal.hash.0.to_vec())
            .bind(seq.cast_signed())
            .execute(&mut connection)
            .await
            .unwrap();
        head = Head {
            stream: stream(7),
            seq,
            hash: seal.hash,
        };
    }
    connection.close().await.unwrap();
}

async fn with_six_events() -> (File, Head) {
    let file = File::new();
    let store = file.open().await;
    let head = store
        .commit(append(stream(7), 0, &["1", "2", "3", "4", "5", "6"]))
        .await
        .unwrap()
        .heads[0];
    store.close().await.unwrap();
    (file, head)
}

async fn faults(file: &File, mark: Option<&Mark>) -> Vec<Fault> {
    sqlite::verify_file(&file.path(), mark).await.unwrap().faults
}

#[tokio::test]
async fn a_row_whose_hash_was_computed_anew_is_named_and_not_the_one_after() {
    let (file, _) = with_six_events().await;
    forge(&file, 3, 3).await;
    let what = What::Changed {
        part: "its hash was computed anew",
    };
    assert_eq!(
        faults(&file, None).await,
        [Fault {
            stream: stream(7),
            seq: 3,
            what
        }]
    );
}

#[tokio::test]
async fn a_chain_computed_anew_to_its_end_is_found_by_a_head() {
    let (file, head) = with_six_events().await;
    forge(&file, 3, 6).await;
    assert_eq!(
        faults(&file, None).await,
        [],
        "a chain without a key cannot show this"
    );
    let fault = Fault {
        stream: stream(7),
        seq: 6,
        what: What::Recomputed,
    };
    assert_eq!(
        faults(&file, Some(&head.into())).await,
        std::slice::from_ref(&fault)
    );
    assert_eq!(
        fault.to_string(),
        "inc-7: event 6 has another hash than the noted head; it was computed anew"
    );
}

#[tokio::test]
async fn a_shortened_journal_is_found_by_a_head() {
    let (file, head) = with_six_events().await;
    let mark = Mark::from(head);
    assert_eq!(faults(&file, Some(&mark)).await, []);
    file.sql("DELETE FROM events WHERE seq > 4").await;
    assert_eq!(faults(&file, None).await, []);
    let fault = faults(&file, Some(&mark)).await.remove(0);
    assert_eq!(
        fault.to_string(),
        "inc-7: event 5 and what follows was cut off, the journal ends at 4"
    );
    file.sql("DELETE FROM events").await;
    let fault = faults(&file, Some(&mark)).await.remove(0);
    assert_eq!(
        fault.to_string(),
        "inc-7: event 1 and what follows was cut off, the journal ends at 0"
    );
}

#[tokio::test]
async fn an_older_head_still_fits_a_journal_that_went_on() {
    let (file, head) = with_six_events().await;
    let store = file.open().await;
    store.commit(append(stream(7), 6, &["7"])).await.unwrap();
    let report = verify(&store, Some(&head.into())).await.unwrap();
    assert!(report.sound());
    assert_eq!(report.heads[0].seq, 7);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let (file, _) = with_six_events().await;
    file.sql("UPDATE events SET hash = x'00' WHERE seq = 4").await;
    let fault = faults(&file, None).await.remove(0);
    assert_eq!(fault.to_string(), "inc-7: event 4 was changed: it cannot be read");
}
