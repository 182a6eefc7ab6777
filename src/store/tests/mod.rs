//! Tests of the store. `contract` runs on every store; the rest is about one of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::sqlite::{OpenOptions, Sqlite, open};
use super::*;
use crate::incident::{AttemptId, IncidentId};

mod contract;
mod files;
mod heads;
mod memory;
mod property;
mod tamper;

/// Deliveries that may wait in a store of the tests: few enough to fill it.
pub const INBOX_BOUND: usize = 10_000;

/// A moment, in seconds after the first one.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(1_780_000_000_123_456_789) + TimeDelta::seconds(seconds)
}

pub fn inc(number: u64) -> IncidentId {
    IncidentId(number)
}

pub fn stream(number: u64) -> Stream {
    Stream::Incident(inc(number))
}

pub fn event(text: &str) -> NewEvent {
    NewEvent {
        kind: "noted".into(),
        version: 1,
        payload: serde_json::json!({ "text": text }).to_string(),
        recorded: at(10),
        occurred: at(5),
        source: "slack".into(),
        by: "ana".into(),
    }
}

pub fn append(stream: Stream, expected: u64, texts: &[&str]) -> Commit {
    let events = texts.iter().map(|text| event(text)).collect();
    Commit {
        at: at(10),
        appends: vec![Append {
            stream,
            expected,
            events,
        }],
        ..Commit::default()
    }
}

pub fn delivery(key: &str) -> Delivery {
    Delivery {
        delivery_key: key.into(),
        subject_key: None,
        platform: "slack".into(),
        body: format!("body of {key}"),
        received: at(0),
        urgent: false,
    }
}

pub fn effect(key: &str) -> NewEffect {
    NewEffect {
        key: key.into(),
        merge: false,
        lane: Lane::Normal,
        channel: "slack/T1/C1".into(),
        body: format!("body of {key}"),
        not_before: None,
        deadline: None,
    }
}

pub fn effects(effects: Vec<NewEffect>) -> Commit {
    Commit {
        at: at(10),
        effects,
        ..Commit::default()
    }
}

pub fn lock(target: &str, incident: u64) -> Lock {
    Lock {
        target: target.into(),
        incident: inc(incident),
        attempt: AttemptId(1),
    }
}

/// Receives something new.
pub async fn fresh(store: &dyn Store, key: &str) -> InboxId {
    match store.receive(delivery(key)).await {
        Ok(Received::Fresh(id)) => id,
        other => panic!("{key} is not new: {other:?}"),
    }
}

pub async fn texts(store: &dyn Store, stream: Stream) -> Vec<String> {
    let events = store.events(stream, 0, usize::MAX).await.unwrap();
    let text = |row: &StoredEvent| {
        let payload: serde_json::Value = serde_json::from_str(&row.event.payload).unwrap();
        payload["text"].as_str().unwrap_or("(redacted)").to_owned()
    };
    events.iter().map(text).collect()
}

/// Keys of the effects that are due.
pub async fn keys(store: &dyn Store, now: i64, busy: &[String]) -> Vec<String> {
    let due = store.due_effects(at(now), busy, 99).await.unwrap();
    due.into_iter().map(|stored| stored.effect.key).collect()
}

/// A database in a folder of its own.
pub struct File {
    folder: TempDir,
}

impl File {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.beside("orderly.db")
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn open(&self) -> Sqlite {
        open_counted(&self.path()).await
    }

    /// Changes the file behind the store's back.
    pub async fn sql(&self, sql: &'static str) {
        use sqlx::Connection;
        let mut connection = sqlx::SqliteConnection::connect(self.path().to_str().unwrap())
            .await
            .unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

pub async fn open_counted(path: &Path) -> Sqlite {
    open(
        path,
        OpenOptions {
            salts: Salts::Counted(0),
            inbox_bound: INBOX_BOUND,
        },
    )
    .await
    .unwrap()
}

/// A store to run the contract on, with what keeps it alive.
pub struct Fixture {
    pub store: Arc<dyn Store>,
    file: Option<File>,
    memory: Option<Memory>,
}

impl Fixture {
    pub async fn memory() -> Self {
        let memory = Memory::new(Salts::Counted(0), INBOX_BOUND);
        Self {
            store: Arc::new(memory.clone()),
            file: None,
            memory: Some(memory),
        }
    }

    pub async fn sqlite() -> Self {
        let file = File::new();
        Self {
            store: Arc::new(file.open().await),
            file: Some(file),
            memory: None,
        }
    }

    /// Ends the process and starts it again.
    pub async fn restart(&mut self) {
        if let Some(memory) = &self.memory {
            let again = memory.as_on_disk();
            self.store = Arc::new(again.clone());
            self.memory = Some(again);
        }
        if let Some(file) = &self.file {
            self.store.close().await.unwrap();
            self.store = Arc::new(file.open().await);
        }
    }
}
