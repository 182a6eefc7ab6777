//! One whole incident, lived through again and again: the process ends before and after every single write, and before
//! and after every call to the world. Each time it is started again on what is on the disk, and the story goes on.

use chrono::TimeDelta;

use super::kit::*;
use crate::chat::Intake;
use crate::clock::ManualClock;
use crate::incident::*;
use crate::store::{Edge, Memory, Store, Write, verify};

/// Steps after which a story that has not ended will not end.
const MOST_STEPS: usize = 200;

/// Where the process ends, once.
#[derive(Debug, Clone, Copy)]
enum End {
    Never,
    AtWrite(Write),
    AtChat(Call),
    AtHands(Call),
}

/// What was lived through.
struct Lived {
    house: House,
    /// Deliveries that were acknowledged.
    acknowledged: Vec<u64>,
    starts: usize,
}

/// What the people do next, looking at what they see.
fn next_move(state: Option<&State>, hands: &[(ProposalId, AttemptId)]) -> Option<(&'static str, Said)> {
    let doing = |name, request| Some((name, Said::Do(Box::new(request))));
    let Some(state) = state else {
        return Some(("ana", Said::Open(Box::new(open(opening())))));
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
        End::AtWrite(write) => store.stop_at(write),
        End::AtChat(call) => house.chat.calls.stop_at(call, &store),
        End::AtHands(call) => house.hands.calls.stop_at(call, &store),
    }
    let mut lived = Lived {
        house,
        acknowledged: Vec::new(),
        starts: 1,
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
        let Some((name, said)) = next_move(state.as_ref(), &lived.house.hands.attempts()) else {
            return lived;
        };
        lived.send(step, name, state.is_some(), &said).await;
        let due = lived.look().await.and_then(|state| state.update_due);
        if due.is_some_and(|due| due > lived.house.clock_now()) {
            lived.house.clock.advance(TimeDelta::seconds(61));
        }
    }
    panic!("the story does not end: {:?}", lived.look().await);
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
        let again = House::on(store.as_on_disk(), clock.clone(), chat.clone(), hands.clone()).await;
        self.house = again;
        self.starts += 1;
    }

    /// Sends until it is acknowledged, as every platform does: under the same key.
    async fn send(&mut self, step: usize, name: &str, there: bool, said: &Said) {
        let delivery = command(&format!("step-{step}"), name, there.then_some(1), said);
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
    assert_eq!(lived.starts, 1);
    assert_eq!(lived.house.hands.attempts().len(), 2, "the action and its undo");
}

/// Lives through the story once for each end, until the story has no more such points.
async fn walk(end_at: impl Fn(u64) -> End) -> u64 {
    let mut number = 1;
    loop {
        let end = end_at(number);
        let mut lived = live_through(end).await;
        if lived.starts == 1 {
            return number - 1;
        }
        lived.hold(end).await;
        number += 1;
    }
}

#[tokio::test]
async fn the_process_may_end_before_any_write() {
    let points = walk(|number| {
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
    let points = walk(|number| {
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
    let points = walk(|number| {
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
    let points = walk(|number| {
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
    let points = walk(|number| {
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
    let points = walk(|number| {
        End::AtHands(Call {
            number,
            edge: Edge::After,
        })
    })
    .await;
    assert!(points >= 7, "{points} calls were walked");
}
