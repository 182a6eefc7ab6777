//! Random commits: both stores keep the same, and what they keep holds together.

use proptest::prelude::*;

use super::*;

/// What a caller may try, right or wrong.
#[derive(Debug, Clone)]
enum Try {
    /// `off`: how far beside the real end of the stream the decision was made.
    Append {
        stream: u64,
        off: u64,
        events: usize,
        effects: Vec<(u8, bool, u8)>,
        take: Option<u8>,
        release: Option<u8>,
    },
    Receive {
        key: u8,
        subject: Option<u8>,
    },
    Decide {
        nth: usize,
    },
    Finish {
        nth: usize,
    },
    Timer {
        stream: u64,
        key: u8,
        due: Option<u8>,
    },
    Redact {
        stream: u64,
        seq: u64,
    },
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let effects = prop::collection::vec((0..4_u8, any::<bool>(), 0..3_u8), 0..3);
    let of = prop_oneof![
        5 => (0..3_u64, prop_oneof![9 => Just(0_u64), 1 => 1..3_u64], 0..4_usize, effects,
              prop::option::of(0..3_u8), prop::option::of(0..3_u8))
            .prop_map(|(stream, off, events, effects, take, release)| Try::Append { stream, off, events, effects, take, release }),
        3 => (0..12_u8, prop::option::of(0..6_u8)).prop_map(|(key, subject)| Try::Receive { key, subject }),
        2 => (0..6_usize).prop_map(|nth| Try::Decide { nth }),
        2 => (0..6_usize).prop_map(|nth| Try::Finish { nth }),
        1 => (0..3_u64, 0..3_u8, prop::option::of(0..50_u8)).prop_map(|(stream, key, due)| Try::Timer { stream, key, due }),
        1 => (0..3_u64, 0..6_u64).prop_map(|(stream, seq)| Try::Redact { stream, seq }),
    ];
    prop::collection::vec(of, 1..25)
}

async fn attempt(store: &dyn Store, one: &Try) -> String {
    let commit = match one {
        Try::Receive { key, subject } => {
            let subject_key = subject.map(|subject| format!("s{subject}"));
            let answer = store
                .receive(Delivery {
                    subject_key,
                    ..delivery(&format!("k{key}"))
                })
                .await;
            return format!("{answer:?}");
        }
        Try::Append {
            stream,
            off,
            events,
            effects,
            take,
            release,
        } => {
            let stream = Stream::from_number(*stream);
            let expected = store.head(stream).await.unwrap().seq + off;
            let texts: Vec<String> = (0..*events).map(|n| format!("event {n}")).collect();
            let mut commit = append(
                stream,
                expected,
                &texts.iter().map(String::as_str).collect::<Vec<_>>(),
            );
            let lanes = [Lane::Urgent, Lane::Normal, Lane::Chatty];
            commit.effects = effects
                .iter()
                .map(|(key, merge, lane)| NewEffect {
                    merge: *merge,
                    lane: lanes[usize::from(*lane)],
                    body: format!("on {expected}"),
                    ..effect(&format!("e{key}"))
                })
                .collect();
            let held = |target: &u8| lock(&format!("t{target}"), stream.number() + 1);
            commit.locks_taken = take.iter().map(held).collect();
            commit.locks_released = release.iter().map(held).collect();
            commit
        }
        Try::Decide { nth } => {
            let waiting = store.pending(InboxId(0), 99).await.unwrap();
            let inbox = waiting.get(*nth).map_or(InboxId(99), |one| one.id);
            Commit {
                inbox_done: vec![InboxDone {
                    inbox,
                    outcome: format!("{nth}"),
                }],
                ..Commit::default()
            }
        }
        Try::Finish { nth } => {
            let due = store.due_effects(at(99), &[], 99).await.unwrap();
            let effects_done = due.get(*nth).map(|one| one.id).into_iter().collect();
            Commit {
                effects_done,
                ..Commit::default()
            }
        }
        Try::Timer { stream, key, due } => {
            let (stream, key) = (Stream::from_number(*stream), format!("t{key}"));
            match due {
                None => Commit {
                    timers_cleared: vec![(stream, key)],
                    ..Commit::default()
                },
                Some(due) => {
                    let timer = Timer {
                        stream,
                        key,
                        due: at(i64::from(*due)),
                        body: "{}".into(),
                    };
                    Commit {
                        timers_set: vec![timer],
                        ..Commit::default()
                    }
                }
            }
        }
        Try::Redact { stream, seq } => {
            // As long as the original, so that both stores keep the same bytes.
            let marker = format!("{:<18}", "{\"gone\":1}");
            let redaction = Redaction::Event {
                stream: Stream::from_number(*stream),
                seq: *seq,
                marker,
            };
            Commit {
                redactions: vec![redaction],
                ..Commit::default()
            }
        }
    };
    format!("{:?}", store.commit(commit).await)
}

/// Everything that can be read.
async fn everything(store: &dyn Store) -> String {
    let mut all = String::new();
    for stream in store.streams().await.unwrap() {
        all += &format!("{stream} {:#?}\n", store.events(stream, 0, 999).await.unwrap());
        all += &format!("{:#?}\n", store.timers(stream).await.unwrap());
    }
    all += &format!("{:#?}\n", store.due_effects(at(99), &[], 999).await.unwrap());
    all += &format!("{:#?}\n", store.due_timers(at(99), 999).await.unwrap());
    all += &format!("{:#?}\n", store.pending(InboxId(0), 999).await.unwrap());
    all += &format!(
        "{:#?} {:#?}\n",
        store.locks().await.unwrap(),
        store.depths().await.unwrap()
    );
    all
}

/// Shows the first line that differs: the whole is too long to read.
fn same_lines(memory: &str, sqlite: &str) {
    for (number, (memory, sqlite)) in memory.lines().zip(sqlite.lines()).enumerate() {
        assert_eq!(memory, sqlite, "line {number}");
    }
    assert_eq!(memory.lines().count(), sqlite.lines().count());
}

/// Each case syncs the disk some forty times; the random part is in the sequences, not in their number.
const CASES: u32 = 24;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_answer_and_keep_the_same(tries in tries()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let memory = Memory::default();
            let file = File::new();
            let sqlite = file.open().await;
            for one in &tries {
                assert_eq!(attempt(&memory, one).await, attempt(&sqlite, one).await, "{one:?}");
            }
            same_lines(&everything(&memory).await, &everything(&sqlite).await);
            assert!(verify(&sqlite, None).await.unwrap().sound());
            assert!(verify(&memory, None).await.unwrap().sound());

            sqlite.close().await.unwrap();
            let again = file.open().await;
            same_lines(&everything(&memory.as_on_disk()).await, &everything(&again).await);
            again.close().await.unwrap();
        });
    }
}
