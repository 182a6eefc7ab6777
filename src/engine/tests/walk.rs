//! One whole incident, lived through again and again: the process ends before and after every single write, and before
//! and after every call to the world. Each time it is started again on what is on the disk, and the story goes on.

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::{Delivery, Incoming, Intake};
use crate::clock::ManualClock;
use crate::incident::*;
use crate::store::{Edge, Memory, Store, Write, verify};

/// Steps after which a story that has not ended will not end.
const MOST_STEPS: usize = 200;

/// Where the process ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Never,
    AtWrite(Write),
    /// And once more, so many writes after it was started again: while it is still coming back.
    AgainAtWrite(Write, u64),
    AtChat(Call),
    AtHands(Call),
}

/// What somebody does: says something to the bot, or writes and reacts in the room.
#[derive(Debug, Clone)]
enum Move {
    Says(&'static str, Said),
    InRoom(Incoming),
}

/// A file that Dan puts into the room and Ana onto the timeline.
const FILE: &[u8] = b"order;label\n7;\xff";

/// What was lived through.
struct Lived {
    house: House,
    /// Deliveries that were acknowledged.
    acknowledged: Vec<u64>,
    starts: usize,
    end: End,
}

/// What the people do next, looking at what they see.
fn next_move(state: Option<&State>, hands: &[(ProposalId, AttemptId)]) -> Option<Move> {
    let doing = |name, request| Some(Move::Says(name, Said::Do(Box::new(request))));
    let Some(state) = state else {
        return Some(Move::Says("ana", Said::Open(Box::new(open(opening())))));
    };
    if state.life == Life::Closed {
        return None;
    }
    if state.commander().is_none() {
        let person = PersonId::new("cleo");
        return doing(
            "cleo",
            Request::TakeRole {
                role: Role::Commander,
                person,
            },
        );
    }
    if let Some((name, request)) = about_actions(state, hands) {
        return doing(name, request);
    }
    let next = || Request::Next { reason: None };
    match state.phase {
        Phase::Triage if state.marks.is_empty() => Some(Move::InRoom(reacted())),
        Phase::Triage
            if !state.invited.contains(&PersonId::new("dan"))
                && !state.involved.contains(&PersonId::new("dan")) =>
        {
            doing(
                "ana",
                Request::Invite {
                    people: vec![PersonId::new("dan")],
                },
            )
        }
        Phase::Confirm => doing("ana", Request::Frame { frame: whole_frame() }),
        Phase::Contain if state.damage.is_none() => doing(
            "ana",
            Request::AssessDamage {
                ongoing: true,
                detail: None,
            },
        ),
        Phase::Contain => doing("ana", propose(stopping())),
        Phase::Triage if state.updates.is_empty() => doing(
            "ana",
            Request::SendUpdate {
                text: "it is contained".to_owned(),
                next_s: Some(60),
            },
        ),
        Phase::Triage if state.findings.is_empty() => doing(
            "dan",
            Request::RecordFinding {
                line: Line::Changes,
                conclusion: Conclusion::Suspect,
                text: "the deploy at two".to_owned(),
                evidence: Vec::new(),
            },
        ),
        Phase::Triage if state.cause.is_none() => doing(
            "dan",
            Request::AcceptCause {
                finding: FindingId(1),
                reason: None,
            },
        ),
        Phase::Decide if state.decision.is_none() => doing(
            "cleo",
            Request::Decide {
                way: Way::RollBack,
                reason: "it followed the deploy".to_owned(),
                facts: Vec::new(),
            },
        ),
        Phase::Recover => doing("ana", to_recover(state)),
        Phase::Learn => match state.review {
            Review::Draft => doing(
                "ana",
                Request::Review {
                    to: Review::InReview,
                    note: None,
                },
            ),
            Review::InReview => doing(
                "ben",
                Request::Review {
                    to: Review::Reviewed,
                    note: None,
                },
            ),
            _ => doing("cleo", Request::Close { reason: None }),
        },
        _ => doing("ana", next()),
    }
}

fn wrote() -> Incoming {
    Incoming::Wrote {
        from: identity("dan"),
        message: message("m1"),
        thread: None,
        text: "these went out wrong".to_owned(),
        at: start(),
        files: vec![FileRef {
            id: "F1".to_owned(),
            name: "labels.csv".to_owned(),
            media_type: "text/csv".to_owned(),
            size: FILE.len() as u64,
        }],
    }
}

fn reacted() -> Incoming {
    Incoming::Reacted {
        from: identity("ana"),
        message: message("m1"),
        emoji: "pushpin".to_owned(),
        present: true,
        at: start(),
    }
}

/// What the last action needs of people.
fn about_actions(state: &State, hands: &[(ProposalId, AttemptId)]) -> Option<(&'static str, Request)> {
    let (id, last) = state.proposals.iter().next_back()?;
    match &last.stage {
        Stage::Waiting { .. } => Some(("ben", approve(id.0))),
        // Somebody looks at the system, which knows.
        Stage::Unknown { attempt, .. } => Some((
            "dan",
            Request::Settle {
                proposal: *id,
                happened: hands.contains(&(*id, *attempt)),
                grounds: "I looked".to_owned(),
            },
        )),
        Stage::Done { .. } => Some((
            "dan",
            Request::Confirm {
                proposal: *id,
                worked: true,
                grounds: "I looked".to_owned(),
            },
        )),
        Stage::NotDone { .. } | Stage::PreconditionFailed { .. } | Stage::PreviewFailed { .. } => {
            Some(("ana", propose(last.terms.clone())))
        }
        _ => None,
    }
}

fn to_recover(state: &State) -> Request {
    let open = RecoveryItem::ALL
        .iter()
        .find(|item| !state.recovery.contains_key(item));
    if let Some(item) = open {
        return Request::CheckRecovery {
            item: *item,
            passed: true,
            count: Some(0),
            detail: None,
        };
    }
    match state.containment_in_force().next() {
        Some(undone) => propose(Terms {
            undoes: Some(undone),
            ..terms("start", "odoo-prod")
        }),
        None => Request::Next { reason: None },
    }
}

async fn live_through(end: End) -> Lived {
    let store = Memory::default();
    let house = House::on(
        store.clone(),
        ManualClock::at(start()),
        Default::default(),
        Default::default(),
    )
    .await;
    match end {
        End::Never => {}
        End::AtWrite(write) | End::AgainAtWrite(write, _) => store.stop_at(write),
        End::AtChat(call) => house.chat.calls.stop_at(call, &store),
        End::AtHands(call) => house.hands.calls.stop_at(call, &store),
    }
    house.chat.attach("F1", FILE);
    let mut lived = Lived {
        house,
        acknowledged: Vec::new(),
        starts: 1,
        end,
    };
    while lived.house.engine.desk().people.len() < PEOPLE.len() {
        for (name, roles) in PEOPLE {
            // Whoever adds people sees the error and does it again.
            let _ = lived.house.know(name, roles).await;
        }
        lived.look().await;
    }
    for step in 0..MOST_STEPS {
        let state = lived.look().await;
        let Some(next) = next_move(state.as_ref(), &lived.house.hands.attempts()) else {
            return lived;
        };
        match next {
            Move::Says(name, said) => {
                let incident = state.is_some().then_some(1);
                lived
                    .send(command(&format!("step-{step}"), name, incident, &said))
                    .await;
            }
            Move::InRoom(reaction) => {
                // What was said in the room comes first, whoever was there to hear it.
                for (part, incoming) in [wrote(), reaction].into_iter().enumerate() {
                    lived
                        .send(in_room(&format!("step-{step}-{part}"), incoming))
                        .await;
                    lived.look().await;
                }
            }
        }
        let due = lived.look().await.and_then(|state| state.update_due);
        if due.is_some_and(|due| due > lived.house.clock_now()) {
            lived.house.clock.advance(TimeDelta::seconds(61));
        }
    }
    panic!("the story does not end: {:?}", lived.look().await);
}

fn in_room(key: &str, incoming: Incoming) -> Delivery {
    Delivery {
        key: key.to_owned(),
        subject: None,
        received: start(),
        incoming,
    }
}

impl House {
    fn clock_now(&self) -> chrono::DateTime<chrono::Utc> {
        crate::clock::Clock::now(&self.clock)
    }
}

impl Lived {
    /// Waits for silence, starts the process again if it has ended, and looks at the incident.
    async fn look(&mut self) -> Option<State> {
        loop {
            self.house.engine.quiet().await;
            if !self.house.store.stopped() {
                let state = self.house.engine.state(IncidentId(1)).await;
                return state
                    .expect("the incident loads")
                    .map(std::sync::Arc::unwrap_or_clone);
            }
            self.start_again().await;
        }
    }

    async fn start_again(&mut self) {
        let House {
            store,
            clock,
            chat,
            hands,
            ..
        } = &self.house;
        let disk = store.as_on_disk();
        if let (End::AgainAtWrite(write, later), 1) = (self.end, self.starts) {
            disk.stop_at(Write {
                number: later,
                edge: write.edge,
            });
        }
        let (clock, chat, hands) = (clock.clone(), chat.clone(), hands.clone());
        self.starts += 1;
        // One that ends while it starts is started again, as a service manager does.
        self.house = match House::try_on(disk.clone(), clock.clone(), chat.clone(), hands.clone()).await {
            Some(house) => house,
            None => {
                self.starts += 1;
                House::on(disk.as_on_disk(), clock, chat, hands).await
            }
        };
    }

    /// Sends until it is acknowledged, as every platform does: under the same key.
    async fn send(&mut self, delivery: Delivery) {
        loop {
            if let Ok(Some(inbox)) = self.house.engine.take(delivery.clone()).await {
                self.acknowledged.push(inbox);
                return;
            }
            assert!(
                self.house.store.stopped(),
                "only a process that ended does not acknowledge"
            );
            self.start_again().await;
        }
    }

    async fn hold(&mut self, end: End) {
        // Waits of failed calls run out.
        for _ in 0..3 {
            self.look().await;
            self.house.clock.advance(TimeDelta::minutes(2));
        }
        self.look().await;
        let house = &self.house;
        for inbox in &self.acknowledged {
            let outcome = house
                .store
                .outcome(crate::store::InboxId(*inbox))
                .await
                .expect("read");
            assert!(outcome.is_some(), "{end:?}: what was acknowledged is decided");
        }
        let depths = house.store.depths().await.expect("depths");
        assert_eq!(
            (depths.inbox, depths.outbox),
            (0, 0),
            "{end:?}: nothing is left to do"
        );
        assert!(
            house.store.locks().await.expect("locks").is_empty(),
            "{end:?}: no target stays taken"
        );
        self.hold_attempts(end).await;
        self.hold_unknown(end).await;
        self.hold_file(end).await;
        self.hold_rooms(end).await;
        let report = verify(&house.store, None).await.expect("the journal reads");
        assert!(report.sound(), "{end:?}: {report:?}");
        assert!(
            house.count(1, "update_reminded").await >= 1,
            "{end:?}: timers fire"
        );
    }

    /// No action ran twice, and what ran is what the journal says.
    async fn hold_attempts(&self, end: End) {
        let ran = self.house.hands.attempts();
        let mut once = ran.clone();
        once.sort();
        once.dedup();
        assert_eq!(ran.len(), once.len(), "{end:?}: an action ran twice");
        let state = self.house.state(1).await;
        assert_eq!(state.illegal, Vec::new());
        for (attempt, proposal) in &state.attempts {
            let done = matches!(
                state.proposals[proposal].stage,
                Stage::Verified { worked: true, .. }
            );
            assert_eq!(
                done,
                ran.contains(&(*proposal, *attempt)),
                "{end:?}: the journal says what happened"
            );
        }
        assert_eq!(
            ran.iter()
                .filter(|(proposal, _)| state.proposals[proposal].terms.action == "stop")
                .count(),
            1,
            "{end:?}: the job was stopped once"
        );
    }

    /// An attempt of which nobody knew the end was asked about, by its probe or by a person, and never just forgotten.
    async fn hold_unknown(&self, end: End) {
        for attempt in self.unknown().await {
            let journal = self.house.journal(1).await;
            let settled = journal.iter().filter(|recorded| {
                matches!(&recorded.event, Some(Event::AttemptSettled { attempt: of, .. }) if *of == attempt)
            });
            assert_eq!(settled.count(), 1, "{end:?}: {attempt} is settled once");
        }
    }

    /// Attempts that were written down as unknown.
    async fn unknown(&self) -> Vec<AttemptId> {
        let journal = self.house.journal(1).await;
        let unknown = journal.iter().filter_map(|recorded| match &recorded.event {
            Some(Event::AttemptFinished {
                attempt,
                outcome: Outcome::Unknown { .. },
            }) => Some(*attempt),
            _ => None,
        });
        unknown.collect()
    }

    /// Who settled what nobody knew: a probe by itself, or people.
    async fn settled_by(&self) -> Vec<By> {
        let journal = self.house.journal(1).await;
        let settled = journal
            .iter()
            .filter(|recorded| matches!(recorded.event, Some(Event::AttemptSettled { .. })));
        settled.map(|recorded| recorded.by.clone()).collect()
    }

    /// The file that somebody marked is there, byte by byte, and was taken in once.
    async fn hold_file(&self, end: End) {
        let state = self.house.state(1).await;
        let kept: Vec<_> = state.kept_files().collect();
        let [(_, _, FileFate::Kept { sha256, .. })] = kept[..] else {
            panic!("{end:?}: one file is kept: {kept:?}");
        };
        let evidence = self.house.engine.evidence(sha256).await.expect("it reads");
        assert_eq!(evidence.expect("its bytes").bytes, FILE, "{end:?}");
        assert_eq!(self.house.count(1, "file_kept").await, 1, "{end:?}: kept once");
        for person in &state.invited {
            assert!(
                self.house.chat.invited("inc-1", &person.0),
                "{end:?}: who was invited is in the room"
            );
        }
    }

    /// Rooms show every message once, and what they show is true.
    async fn hold_rooms(&self, end: End) {
        let chat = &self.house.chat;
        assert_eq!(chat.rooms(), ["inc-1"], "{end:?}");
        assert_eq!(
            chat.one("inc-1", "card"),
            "card of INC-1: Labels do not print, learn, Closed",
            "{end:?}"
        );
        chat.one("lobby", "INC-1");
        let shown = chat.reads("inc-1");
        let mut once = shown.clone();
        once.sort();
        once.dedup();
        let rounds = |texts: &[String]| texts.iter().filter(|text| !text.starts_with('A')).count();
        assert_eq!(
            rounds(&shown),
            rounds(&once),
            "{end:?}: a message stands there twice: {shown:?}"
        );
        for kind in [
            "framed",
            "damage_assessed",
            "finding_recorded",
            "decided",
            "closed",
            "update_sent",
        ] {
            let told = shown
                .iter()
                .filter(|text| text.starts_with('#') && text.ends_with(kind))
                .count();
            assert_eq!(told, 1, "{end:?}: {kind} is told once: {shown:?}");
        }
        let state = self.house.state(1).await;
        for (id, proposal) in &state.proposals {
            chat.one("inc-1", &format!("{id}: {}", proposal.stage.word()));
        }
    }
}

#[tokio::test]
async fn the_story_ends_well_when_nothing_happens_to_it() {
    let mut lived = live_through(End::Never).await;
    lived.hold(End::Never).await;
    assert_eq!(lived.house.count(1, "invited").await, 1);
    assert_eq!(lived.unknown().await, []);
    assert_eq!(lived.starts, 1);
    assert_eq!(lived.house.hands.attempts().len(), 2, "the action and its undo");
}

/// Lives through the story once for each end, until the story has no more such points. Says how many there were, and who
/// settled what nobody knew.
async fn walk(end_at: impl Fn(u64) -> End) -> (u64, Vec<By>) {
    let mut number = 1;
    let mut settled = Vec::new();
    loop {
        let end = end_at(number);
        let mut lived = live_through(end).await;
        if lived.starts == 1 {
            return (number - 1, settled);
        }
        lived.hold(end).await;
        settled.extend(lived.settled_by().await);
        number += 1;
    }
}

#[tokio::test]
async fn the_process_may_end_before_any_write() {
    let (points, _) = walk(|number| {
        End::AtWrite(Write {
            number,
            edge: Edge::Before,
        })
    })
    .await;
    assert!(points > 80, "{points} writes were walked");
}

#[tokio::test]
async fn the_process_may_end_after_any_write() {
    let (points, _) = walk(|number| {
        End::AtWrite(Write {
            number,
            edge: Edge::After,
        })
    })
    .await;
    assert!(points > 80, "{points} writes were walked");
}

#[tokio::test]
async fn the_process_may_end_before_any_message_is_shown() {
    let (points, _) = walk(|number| {
        End::AtChat(Call {
            number,
            edge: Edge::Before,
        })
    })
    .await;
    assert!(points > 50, "{points} calls were walked");
}

#[tokio::test]
async fn the_process_may_end_after_any_message_was_shown() {
    let (points, _) = walk(|number| {
        End::AtChat(Call {
            number,
            edge: Edge::After,
        })
    })
    .await;
    assert!(points > 50, "{points} calls were walked");
}

#[tokio::test]
async fn the_process_may_end_before_any_system_is_touched() {
    let (points, _) = walk(|number| {
        End::AtHands(Call {
            number,
            edge: Edge::Before,
        })
    })
    .await;
    assert!(points >= 7, "{points} calls were walked");
}

#[tokio::test]
async fn the_process_may_end_after_any_system_was_touched() {
    let (points, settled) = walk(|number| {
        End::AtHands(Call {
            number,
            edge: Edge::After,
        })
    })
    .await;
    assert!(points >= 7, "{points} calls were walked");
    // The containment has a probe that sees what it did; its undo has none.
    assert!(
        settled.contains(&By::Orderly),
        "a probe settles what it can see: {settled:?}"
    );
    let person = settled.iter().any(|by| by.person().is_some());
    assert!(person, "what no probe sees is put to a person: {settled:?}");
}

/// The second end is at the first write of its return, where attempts are settled.
async fn walk_twice(edge: Edge) -> u64 {
    let (points, _) = walk(|number| End::AgainAtWrite(Write { number, edge }, 1)).await;
    points
}

#[tokio::test]
async fn the_process_may_end_a_second_time_before_it_came_back() {
    let points = walk_twice(Edge::Before).await;
    assert!(points > 80, "{points} writes were walked");
}

#[tokio::test]
async fn the_process_may_end_a_second_time_as_it_comes_back() {
    let points = walk_twice(Edge::After).await;
    assert!(points > 80, "{points} writes were walked");
}
