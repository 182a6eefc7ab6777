//! What the program keeps of an incident, as tests read it after an absence.

use std::sync::Arc;

use orderly::app::App;
use orderly::incident::{IncidentId, Recorded, State};
use orderly::store::{LogId, Store, StoredEntry};

/// The incident of a story is the first of its journal.
pub const INCIDENT: IncidentId = IncidentId(1);

pub async fn journal(app: &App) -> Vec<Recorded> {
    let store = app.sqlite.as_ref().expect("a file");
    let journal = orderly::engine::journal::load(store, INCIDENT).await;
    journal.expect("a journal that can be read")
}

/// The versions of each message, oldest first.
pub async fn said(app: &App, message: &str) -> Vec<Option<String>> {
    let log = log(app).await.into_iter();
    let mut versions: Vec<_> = log.filter(|stored| stored.entry.message == message).collect();
    versions.sort_by_key(|stored| stored.entry.recorded);
    versions.into_iter().map(|stored| stored.entry.text).collect()
}

/// What people said as it is kept now, in no order.
pub async fn said_in_all(app: &App) -> Vec<String> {
    let log = log(app).await.into_iter();
    log.filter_map(|stored| stored.entry.text).collect()
}

async fn log(app: &App) -> Vec<StoredEntry> {
    let store = app.sqlite.as_ref().expect("a file");
    let log = store.room_log(INCIDENT, LogId(0), 1_000).await;
    log.expect("a log that can be read")
}

async fn state(app: &App) -> Arc<State> {
    let state = app.engine.state(INCIDENT).await;
    state.expect("a journal that can be read").expect("an incident")
}

/// What stands on the timeline, in the order of its words.
pub async fn standing(app: &App) -> Vec<String> {
    let state = state(app).await;
    let marks = state.marks.values().filter(|mark| mark.removed.is_none());
    let mut texts: Vec<String> = marks.map(|mark| mark.marked.text.clone()).collect();
    texts.sort();
    texts
}

/// Tasks and follow-ups that are still to be done, in the order of their words.
pub async fn to_do(app: &App) -> Vec<String> {
    let state = state(app).await;
    let tasks = state.tasks.values().filter(|task| task.end.is_none());
    let followups = state.followups.values();
    let followups = followups.filter(|followup| followup.end.is_none());
    let tasks = tasks.map(|task| task.text.clone());
    let mut texts: Vec<String> = tasks.chain(followups.map(|known| known.text.clone())).collect();
    texts.sort();
    texts
}
