//! Between the core's events and the store's rows.

use crate::desk;
use crate::incident::{self, By, IncidentId, PersonId, State};
use crate::store::{self, Hash, NewEvent, Snapshot, Store, StoredEvent, Stream};

/// Events read at a time: large enough that a long journal takes few queries, small enough that reading and folding
/// overlap.
const PAGE: usize = 2_000;

/// The bot's own name in the column `by`; a person's id cannot contain a colon.
const ORDERLY: &str = "orderly:";

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Unreadable(#[from] incident::Unreadable),
}

fn by_text(by: &By) -> String {
    match by {
        By::Person { id } => id.0.clone(),
        By::Orderly => ORDERLY.to_owned(),
    }
}

fn by_from(text: &str) -> By {
    match text {
        ORDERLY => By::Orderly,
        person => By::Person {
            id: PersonId::new(person),
        },
    }
}

/// A core event as a row. Serialising our own types cannot fail: every map has text keys.
pub fn row(recorded: &incident::Recorded) -> Option<NewEvent> {
    let event = recorded.event.as_ref()?;
    Some(NewEvent {
        kind: event.kind().to_owned(),
        version: incident::VERSION,
        payload: serde_json::to_string(event).ok()?,
        recorded: recorded.recorded,
        occurred: recorded.occurred,
        source: recorded.source.clone(),
        by: by_text(&recorded.by),
    })
}

pub fn desk_row(recorded: &desk::Recorded) -> Option<NewEvent> {
    let event = recorded.event.as_ref()?;
    Some(NewEvent {
        kind: event.kind().to_owned(),
        version: desk::VERSION,
        payload: serde_json::to_string(event).ok()?,
        recorded: recorded.recorded,
        occurred: recorded.recorded,
        source: "clock".to_owned(),
        by: by_text(&recorded.by),
    })
}

/// A row as a core event. A redacted payload that no longer reads is a gap, not an error.
pub fn read(stored: &StoredEvent) -> Result<incident::Recorded, incident::Unreadable> {
    let row = &stored.event;
    let event = match incident::Event::read(&row.kind, row.version, &row.payload) {
        Ok(event) => Some(event),
        Err(_) if stored.redacted => None,
        Err(error) => return Err(error),
    };
    Ok(incident::Recorded {
        seq: stored.seq,
        recorded: row.recorded,
        occurred: row.occurred,
        source: row.source.clone(),
        by: by_from(&row.by),
        event,
    })
}

fn read_desk(stored: &StoredEvent) -> Result<desk::Recorded, incident::Unreadable> {
    let row = &stored.event;
    let event = match desk::Event::read(&row.kind, row.version, &row.payload) {
        Ok(event) => Some(event),
        Err(_) if stored.redacted => None,
        Err(error) => return Err(error),
    };
    Ok(desk::Recorded {
        seq: stored.seq,
        recorded: row.recorded,
        by: by_from(&row.by),
        event,
    })
}

/// The whole journal of an incident.
pub async fn load(store: &dyn Store, incident: IncidentId) -> Result<Vec<incident::Recorded>, Error> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |event: &incident::Recorded| event.seq);
        let page = store.events(Stream::Incident(incident), after, PAGE).await?;
        let whole = page.len() < PAGE;
        for stored in &page {
            events.push(read(stored)?);
        }
        if whole {
            return Ok(events);
        }
    }
}

/// A state as it was read, and up to where it lies folded in the store.
#[derive(Debug, Default)]
pub struct Read {
    /// `None` if the incident was never opened.
    pub state: Option<State>,
    /// Zero where the whole journal was folded.
    pub kept: u64,
}

/// The state of an incident: what the store keeps folded, if the journal goes on from there, and the events after it.
pub async fn load_state(store: &dyn Store, incident: IncidentId) -> Result<Read, Error> {
    let stream = Stream::Incident(incident);
    // Cannot be read: costs time. If more is wrong, the journal says so.
    let kept = store.snapshot(stream).await.ok().flatten();
    if let Some((state, hash)) = kept.as_ref().and_then(unpack) {
        let kept = state.seq;
        let page = store.events(stream, kept.saturating_sub(1), PAGE).await?;
        let first = page.first();
        if first.is_some_and(|first| first.seq == kept && first.seal.hash == hash) {
            let state = fold_on(store, stream, Some(state), page).await?;
            return Ok(Read { state, kept });
        }
    }
    let page = store.events(stream, 0, PAGE).await?;
    let state = fold_on(store, stream, None, page).await?;
    Ok(Read { state, kept: 0 })
}

/// What is to be said of a kept state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Broken, or of another journal. Nobody goes on from it, and it is kept anew.
    NotBelieved,
    /// Whoever reads it takes it for what the journal says, and it is not.
    Wrong,
}

/// The kept states, of one incident or of all, that do not agree with their journals, and the event each says it stands
/// at. What another version of the program has kept is nobody's concern: this one reads the journal instead.
pub async fn check_kept(
    store: &dyn Store,
    of: Option<IncidentId>,
) -> Result<Vec<(IncidentId, u64, Kept)>, Error> {
    let mut found = Vec::new();
    let streams = match of {
        Some(incident) => vec![Stream::Incident(incident)],
        None => store.streams().await?,
    };
    for stream in streams {
        let Stream::Incident(incident) = stream else {
            continue;
        };
        let mut kept = store.snapshot(stream).await?;
        while let Some(snapshot) = kept {
            let Some(what) = compared(store, &snapshot).await? else {
                break;
            };
            // The bot may run, and has kept another meanwhile.
            kept = store.snapshot(stream).await?;
            if kept.as_ref() == Some(&snapshot) {
                found.push((incident, snapshot.seq, what));
                break;
            }
        }
    }
    Ok(found)
}

/// Drops what is kept of an incident: its journal is read from the first event the next time.
pub async fn forget_kept(store: &dyn Store, incident: IncidentId) -> Result<(), Error> {
    let nothing = Snapshot {
        stream: Stream::Incident(incident),
        seq: 0,
        version: 0,
        bytes: Vec::new(),
    };
    Ok(store.put_snapshot(nothing).await?)
}

/// `None`: it agrees, or is not for this program.
async fn compared(store: &dyn Store, snapshot: &Snapshot) -> Result<Option<Kept>, Error> {
    if snapshot.version != incident::FOLDING || snapshot.bytes.is_empty() {
        return Ok(None);
    }
    let Some((state, hash)) = unpack(snapshot) else {
        return Ok(Some(Kept::NotBelieved));
    };
    let (mut folded, mut last) = (None, None);
    let mut after = 0;
    loop {
        let page = store.events(snapshot.stream, after, PAGE).await?;
        for stored in page.iter().filter(|stored| stored.seq <= snapshot.seq) {
            fold(&mut folded, stored)?;
            last = Some((stored.seq, stored.seal.hash));
        }
        after = page.last().map_or(after, |last| last.seq);
        if page.len() < PAGE || after >= snapshot.seq {
            break;
        }
    }
    Ok(match last {
        Some(stands_at) if stands_at == (snapshot.seq, hash) => {
            (folded.as_ref() != Some(&state)).then_some(Kept::Wrong)
        }
        _ => Some(Kept::NotBelieved),
    })
}

/// Folds this page and all that come after it. While one is folded the store reads the next.
async fn fold_on(
    store: &dyn Store,
    stream: Stream,
    mut state: Option<State>,
    mut page: Vec<StoredEvent>,
) -> Result<Option<State>, Error> {
    loop {
        let last = page.last().filter(|_| page.len() == PAGE).map(|last| last.seq);
        let next = async {
            match last {
                Some(last) => store.events(stream, last, PAGE).await,
                None => Ok(Vec::new()),
            }
        };
        let fold = async {
            let folded = state.as_ref().map_or(0, |state| state.seq);
            let mut new = page.iter().filter(|stored| stored.seq > folded);
            new.try_for_each(|stored| fold(&mut state, stored))
        };
        let (next, folded) = futures::join!(next, fold);
        folded?;
        page = next?;
        if page.is_empty() {
            return Ok(state);
        }
    }
}

/// A state to be kept, as of the event with this hash. In front of it stand that hash, which binds it to the journal, and
/// one over the state itself, which finds a broken disk. `None`: see [`State::to_bytes`].
pub fn snapshot(state: &State, hash: &Hash) -> Option<Snapshot> {
    let folded = state.to_bytes()?;
    Some(Snapshot {
        stream: Stream::Incident(state.opening.number),
        seq: state.seq,
        version: incident::FOLDING,
        bytes: [&hash.0[..], &Hash::of(&folded).0, &folded].concat(),
    })
}

/// The state and the hash of the event it stands at, if this program made it and nothing is broken.
fn unpack(snapshot: &Snapshot) -> Option<(State, Hash)> {
    let (hash, rest) = snapshot.bytes.split_first_chunk::<32>()?;
    let (sum, folded) = rest.split_first_chunk::<32>()?;
    if snapshot.version != incident::FOLDING || Hash::of(folded).0 != *sum {
        return None;
    }
    let state = State::from_bytes(folded).filter(|state| state.seq == snapshot.seq)?;
    Some((state, Hash(*hash)))
}

fn fold(state: &mut Option<State>, stored: &StoredEvent) -> Result<(), incident::Unreadable> {
    State::fold(state, &read(stored)?);
    Ok(())
}

pub async fn load_desk(store: &dyn Store) -> Result<desk::State, Error> {
    desk_up_to(store, u64::MAX).await
}

/// The desk as it was when it had so many events.
pub async fn desk_up_to(store: &dyn Store, seq: u64) -> Result<desk::State, Error> {
    let mut state = desk::State::default();
    loop {
        let page = store.events(Stream::Desk, state.seq, PAGE).await?;
        for stored in page.iter().take_while(|stored| stored.seq <= seq) {
            state.apply(&read_desk(stored)?);
        }
        if page.len() < PAGE || state.seq >= seq {
            return Ok(state);
        }
    }
}

/// What was noted up to an event.
#[cfg(test)]
pub async fn notes(store: &dyn Store, incident: IncidentId, up_to: u64) -> Vec<String> {
    let events = load(store, incident).await.expect("a journal that reads");
    events
        .into_iter()
        .filter(|recorded| recorded.seq <= up_to)
        .filter_map(|recorded| match recorded.event {
            Some(incident::Event::Noted { text }) => Some(text),
            _ => None,
        })
        .collect()
}
