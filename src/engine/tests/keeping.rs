//! States kept folded: they make a start faster, and change nothing.

use tempfile::TempDir;

use super::kit::*;
use crate::engine::journal;
use crate::engine::keep::EVERY;
use crate::incident::tests::kit::{Story, damage, stopping};
use crate::incident::*;
use crate::store::sqlite::{OpenOptions, open};
use crate::store::{Append, Commit, Hash, Head, Memory, Snapshot, Store, Stream};

/// The first one of a house.
const FIRST: IncidentId = IncidentId(1);

/// Every store there is, and the folder of the one on the disk.
async fn stores() -> (Vec<Box<dyn Store>>, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let file = open(folder.path().join("orderly.sqlite"), OpenOptions::default());
    let file = file.await.expect("a database");
    (vec![Box::new(Memory::default()), Box::new(file)], folder)
}

/// Writes what the journal of an incident has and the store has not.
async fn write(store: &dyn Store, incident: IncidentId, journal: &[Recorded]) -> Head {
    let stream = Stream::Incident(incident);
    let head = store.head(stream).await.expect("a head");
    let new = journal.iter().filter(|recorded| recorded.seq > head.seq);
    let append = Append {
        stream,
        expected: head.seq,
        events: new.filter_map(journal::row).collect(),
    };
    let commit = Commit {
        at: start(),
        appends: vec![append],
        ..Commit::default()
    };
    store.commit(commit).await.expect("it is written").heads[0]
}

async fn load(store: &dyn Store, incident: IncidentId) -> journal::Read {
    journal::load_state(store, incident)
        .await
        .expect("the journal reads")
}

#[tokio::test]
async fn what_is_kept_is_gone_on_from_and_changes_nothing() {
    let (stores, _folder) = stores().await;
    for store in &stores {
        let mut story = Story::framed();
        let incident = story.state().opening.number;
        let head = write(&**store, incident, &story.journal).await;
        let read = load(&**store, incident).await;
        assert_eq!((read.kept, &read.state), (0, &story.state));

        let snapshot = journal::snapshot(&read.state.expect("a state"), &head.hash);
        store
            .put_snapshot(snapshot.expect("nothing is under way"))
            .await
            .expect("it is kept");
        let read = load(&**store, incident).await;
        assert_eq!((read.kept, &read.state), (head.seq, &story.state));

        story.does("ana", damage(true));
        write(&**store, incident, &story.journal).await;
        let read = load(&**store, incident).await;
        assert_eq!((read.kept, &read.state), (head.seq, &story.state));
        assert_eq!(read.state, State::replay(&story.journal));
    }
}

#[tokio::test]
async fn what_is_stale_broken_or_of_another_journal_is_not_believed() {
    let (stores, _folder) = stores().await;
    for store in &stores {
        let story = Story::framed();
        let state = story.state().clone();
        let incident = state.opening.number;
        let head = write(&**store, incident, &story.journal).await;
        let right = journal::snapshot(&state, &head.hash).expect("nothing is under way");
        let mut flipped = right.bytes.clone();
        *flipped.last_mut().expect("bytes") ^= 1;
        let of_another = journal::snapshot(&state, &Hash::of(b"another")).expect("nothing is under way");
        let ahead = State {
            seq: head.seq + 1,
            ..state.clone()
        };
        let wrong = [
            Snapshot {
                version: right.version ^ 1,
                ..right.clone()
            },
            Snapshot {
                bytes: flipped,
                ..right.clone()
            },
            Snapshot {
                bytes: Vec::new(),
                ..right.clone()
            },
            Snapshot {
                seq: head.seq - 1,
                ..right.clone()
            },
            of_another,
            journal::snapshot(&ahead, &head.hash).expect("nothing is under way"),
        ];
        for wrong in wrong {
            store.put_snapshot(wrong).await.expect("it is kept");
            let read = load(&**store, incident).await;
            assert_eq!((read.kept, &read.state), (0, &story.state));
        }
    }
}

#[test]
fn an_action_under_way_comes_from_the_journal_alone() {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    assert!(story.state().to_bytes().is_some());
    story.proposed(stopping());
    assert_eq!(story.state().to_bytes(), None);
}

/// Notes until the incident is long enough to be kept.
async fn grown(house: House) -> House {
    let head = house.head(1).await;
    let now = house.state(1).await.last;
    let notes = (head + 1..=EVERY).map(|seq| Recorded {
        seq,
        recorded: now,
        occurred: now,
        source: "clock".to_owned(),
        by: By::Person {
            id: PersonId::new("ana"),
        },
        event: Some(Event::Noted {
            text: format!("the queue is at {seq}"),
        }),
    });
    write(&house.store, FIRST, &notes.collect::<Vec<_>>()).await;
    house.again().await
}

async fn kept(house: &House) -> Option<Snapshot> {
    house.engine.quiet().await;
    house
        .store
        .snapshot(Stream::Incident(FIRST))
        .await
        .expect("it can be read")
}

#[tokio::test]
async fn a_long_incident_is_kept_once_it_is_looked_at_and_comes_back_the_same() {
    let house = House::new().await;
    house.framed().await;
    assert_eq!(kept(&house).await, None);
    let house = grown(house).await;
    let before = house.state(1).await;
    assert_eq!(kept(&house).await.map(|kept| kept.seq), Some(EVERY));

    let house = house.again().await;
    assert_eq!(load(&house.store, FIRST).await.kept, EVERY);
    assert_eq!(house.state(1).await, before);
    house.does("cleo", note("and on it goes")).await;
    assert_eq!(
        house.state(1).await,
        State::replay(&house.journal(1).await).expect("a state")
    );
}

#[tokio::test]
async fn it_is_kept_anew_as_it_grows() {
    let house = House::new().await;
    house.framed().await;
    let house = grown(house).await;
    house.state(1).await;
    let first = kept(&house).await.map(|kept| kept.seq);
    for text in 0..EVERY {
        house
            .takes("ana", Some(1), &Said::Do(Box::new(note(&format!("{text}")))))
            .await
            .expect("taken");
    }
    let second = kept(&house).await.map(|kept| kept.seq);
    assert!(first.is_some() && second > first, "{first:?} {second:?}");
}

#[tokio::test]
async fn a_redaction_takes_what_was_kept_with_it() {
    let house = House::new().await;
    house.framed().await;
    let section = Request::WriteSection {
        section: Section::Summary,
        text: "the key is swordfish".to_owned(),
    };
    house.does("cleo", section).await;
    let row = house.head(1).await;
    let house = grown(house).await;
    let has_key = |kept: Option<Snapshot>| {
        let bytes = kept.expect("it is kept").bytes;
        bytes.windows(9).any(|bytes| bytes == b"swordfish")
    };
    house.state(1).await;
    assert!(has_key(kept(&house).await));

    let redact = Said::Redact {
        what: row.to_string(),
        reason: "a password".to_owned(),
    };
    assert!(house.says("cleo", Some(1), redact).await.accepted);
    house.state(1).await;
    assert!(!has_key(kept(&house).await));
}

#[tokio::test]
async fn a_kept_state_is_held_against_its_journal() {
    let (stores, _folder) = stores().await;
    for store in &stores {
        let mut story = Story::framed();
        let incident = story.state().opening.number;
        let head = write(&**store, incident, &story.journal).await;
        let found = || journal::check_kept(&**store, None);
        assert_eq!(found().await.expect("it reads"), [], "nothing is kept");
        let right = journal::snapshot(story.state(), &head.hash).expect("nothing is under way");
        store.put_snapshot(right.clone()).await.expect("it is kept");
        assert_eq!(found().await.expect("it reads"), [], "it agrees");
        let lies = State {
            title: "All is well".to_owned(),
            ..story.state().clone()
        };
        let lies = journal::snapshot(&lies, &head.hash).expect("nothing is under way");
        store.put_snapshot(lies).await.expect("it is kept");
        // It still tells of the event it stands at when the journal has gone on.
        story.does("ana", damage(true));
        write(&**store, incident, &story.journal).await;
        let wrong = (incident, head.seq, journal::Kept::Wrong);
        assert_eq!(found().await.expect("it reads"), [wrong]);
        let of_another = journal::snapshot(
            &State::replay(&story.journal[..head.seq as usize]).expect("a state"),
            &Hash::of(b"another"),
        );
        store
            .put_snapshot(of_another.expect("nothing is under way"))
            .await
            .expect("it is kept");
        let stale = (incident, head.seq, journal::Kept::NotBelieved);
        assert_eq!(found().await.expect("it reads"), [stale]);
        let older = Snapshot {
            version: right.version ^ 1,
            ..right
        };
        store.put_snapshot(older).await.expect("it is kept");
        assert_eq!(found().await.expect("it reads"), [], "another program's");
        journal::forget_kept(&**store, incident)
            .await
            .expect("it is dropped");
        assert_eq!(found().await.expect("it reads"), []);
        assert_eq!(load(&**store, incident).await.state.as_ref(), Some(story.state()));
    }
}
