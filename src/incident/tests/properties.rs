//! Any requests, in any order, by anybody, while people lose roles, targets freeze and clocks jump. What must hold is in
//! `invariants.rs` and is held after every single request.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::kit::*;
use crate::incident::*;

/// One thing that happens: what, who, and two numbers to choose by.
type Happening = (u8, u8, u8, u8);

const ACTIONS: [&str; 3] = ["stop", "start", "restart"];
const TARGETS: [&str; 2] = ["odoo-prod", "redis-prod"];

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec((0..74_u8, 0..6_u8, 0..8_u8, 0..8_u8), 1..120)
}

fn pick<T: Copy>(from: &[T], by: u8) -> T {
    from[by as usize % from.len()]
}

fn some_terms(a: u8, b: u8) -> Terms {
    let base = match a % 3 {
        0 => stopping(),
        1 => Terms {
            manual_change: true,
            ..terms(pick(&ACTIONS, a), pick(&TARGETS, b))
        },
        _ => terms(pick(&ACTIONS, a), pick(&TARGETS, b)),
    };
    let policy = Policy {
        quorum: u32::from(b % 3),
        role: a.is_multiple_of(2).then_some(Role::Approver),
        expires_s: 600,
    };
    Terms {
        policy,
        undoes: (b == 7).then_some(ProposalId(u32::from(a))),
        ..base
    }
}

fn some_outcome(by: u8) -> Outcome {
    match by % 3 {
        0 => done(),
        1 => unknown(),
        _ => Outcome::NotDone {
            why: "a guard".to_owned(),
        },
    }
}

fn of_the_order(what: u8, a: u8, b: u8) -> Option<Request> {
    let text = || "something was said".to_owned();
    Some(match what {
        0 => Request::Frame { frame: whole_frame() },
        1 => damage(a.is_multiple_of(2)),
        2 => next(),
        3 => next_because("we have to"),
        4 => back(pick(Phase::ALL, a)),
        5 => finding(pick(Line::ALL, a), pick(Conclusion::ALL, b), "it looks odd"),
        6 => Request::AcceptCause {
            finding: FindingId(u32::from(a)),
            reason: None,
        },
        7 => decide(pick(Way::ALL, a)),
        8 => check(pick(RecoveryItem::ALL, a), b != 0),
        9 => Request::WaiveRecovery {
            item: pick(RecoveryItem::ALL, a),
            reason: text(),
        },
        10 => Request::Resolve {
            summary: None,
            reason: a.is_multiple_of(2).then(text),
        },
        11 if a == 0 => Request::Reopen { reason: text() },
        12 if a == 0 => Request::Close {
            reason: b.is_multiple_of(2).then(text),
        },
        13 if (a, b) == (0, 0) => Request::Cancel { reason: text() },
        14 => Request::Review {
            to: pick(Review::ALL, a),
            note: None,
        },
        15 => Request::NoteChange { text: text() },
        16 => Request::ReconcileChange {
            change: ChangeId(u32::from(a)),
            reference: text(),
        },
        17 => Request::WaiveChange {
            change: ChangeId(u32::from(a)),
            reason: text(),
        },
        18 => Request::TakeBranch {
            step: "contain.1".to_owned(),
            branch: "yes".to_owned(),
            reason: None,
        },
        19 => Request::DoStep {
            step: "triage.1".to_owned(),
            note: None,
        },
        _ => return None,
    })
}

fn of_actions(what: u8, a: u8, b: u8) -> Option<Request> {
    let proposal = ProposalId(u32::from(a) + 1);
    let attempt = AttemptId(u32::from(a) + 1);
    let text = || "I looked at it".to_owned();
    Some(match what {
        20..=22 => propose(some_terms(a, b)),
        23..=24 => Request::Previewed {
            proposal,
            preview: Box::new(preview("update")),
        },
        25 => Request::PreviewFailed {
            proposal,
            why: text(),
        },
        26..=29 => approve(proposal),
        30 => Request::Refuse {
            proposal,
            reason: text(),
        },
        31 => Request::Withdraw {
            proposal,
            reason: None,
        },
        32 => Request::BreakGlass {
            proposal,
            target: pick(&TARGETS, b).to_owned(),
            reason: text(),
        },
        33 => Request::ReviewGlass {
            proposal,
            note: text(),
        },
        34..=35 => Request::EndAttempt {
            attempt,
            outcome: some_outcome(b),
        },
        36 => Request::Settle {
            proposal,
            happened: b.is_multiple_of(2),
            grounds: text(),
        },
        37 => confirm(proposal, b.is_multiple_of(2)),
        38 => Request::AcceptContainment {
            proposal,
            reason: text(),
        },
        39..=42 => Request::AnswerProbe {
            run: ProbeRunId(u32::from(a) * 3 + u32::from(b) + 1),
            answer: answer(pick(Verdict::ALL, b)),
        },
        43 => Request::Timer {
            key: TimerKey::Held { proposal },
        },
        44 => Request::Timer {
            key: TimerKey::Expire { proposal },
        },
        45 => Request::Timer {
            key: TimerKey::AskAgain {
                proposal,
                circle: u32::from(b),
            },
        },
        _ => return None,
    })
}

fn file(id: &str) -> FileRef {
    FileRef {
        id: id.to_owned(),
        name: "labels.csv".to_owned(),
        media_type: "text/csv".to_owned(),
        size: 1,
    }
}

fn of_people(what: u8, a: u8, b: u8) -> Option<Request> {
    let somebody = person(PEOPLE[a as usize % PEOPLE.len()].0);
    let marked = Marked {
        message: message(if b.is_multiple_of(2) { "m1" } else { "m2" }),
        author: "Dan".to_owned(),
        text: "seen".to_owned(),
        files: ["F1", "F2"][..a as usize % 3].iter().map(|id| file(id)).collect(),
    };
    Some(match what {
        46 => Request::TakeRole {
            role: pick(Role::ALL, b),
            person: somebody,
        },
        47 => Request::ReleaseRole {
            role: pick(Role::ALL, b),
            person: somebody,
        },
        48 => Request::HandOver {
            role: pick(Role::ALL, b),
            to: somebody,
            note: None,
        },
        49 => Request::Page {
            role: Some(pick(Role::ALL, b)),
            people: vec![somebody],
            message: None,
        },
        50 => Request::Acknowledge { page: None },
        51 => Request::Mark {
            marked,
            at: start(),
            reacted: true,
        },
        52 => Request::Unmark {
            message: marked.message,
            why: "taken back".to_owned(),
            at: None,
        },
        53 => Request::SendUpdate {
            text: "we look".to_owned(),
            next_s: None,
        },
        _ => return None,
    })
}

/// What people make of a message, change by hand, and take back.
fn of_marks(what: u8, a: u8, b: u8) -> Option<Request> {
    let source = MarkedAt {
        message: message("m1"),
        marking: pick(
            &[
                Marking::Reaction,
                Marking::Reaction,
                Marking::Asked,
                Marking::Copy,
            ],
            b,
        ),
    };
    let task = TaskId(u32::from(a) + 1);
    let followup = FollowupId(u32::from(a) + 1);
    Some(match what {
        69 | 70 if a.is_multiple_of(2) => Request::AddTask {
            text: "call".to_owned(),
            owner: None,
            source: Some(source),
        },
        69 | 70 => Request::AddFollowup {
            text: "alert".to_owned(),
            owner: None,
            due: None,
            tracker: None,
            source: Some(source),
        },
        71 | 72 if a.is_multiple_of(2) => Request::TakeTaskBack { source },
        71 | 72 => Request::TakeFollowupBack { source },
        73 if b == 0 => Request::DropTask { task, reason: None },
        73 if b == 1 => Request::DropFollowup {
            followup,
            reason: None,
        },
        73 => Request::AssignTask {
            task,
            owner: person("ben"),
        },
        _ => return None,
    })
}

/// The record: files, invitations, reminders, parts of the post-mortem, containment that somebody says is lifted.
fn of_the_record(what: u8, a: u8, b: u8) -> Option<Request> {
    let of = message(if b.is_multiple_of(2) { "m1" } else { "m2" });
    let file = pick(&["F1", "F2"], a).to_owned();
    Some(match what {
        60 => Request::LiftContainment {
            proposal: ProposalId(u32::from(a) + 1),
            reason: "by hand".to_owned(),
        },
        61 => Request::KeepFile {
            message: of,
            file,
            size: 1,
            sha256: "ab".repeat(32),
        },
        62 => Request::MissFile {
            message: of,
            file,
            why: "it is gone".to_owned(),
        },
        63 => Request::Invite {
            people: vec![person(PEOPLE[a as usize % PEOPLE.len()].0)],
        },
        64 => Request::WriteSection {
            section: pick(Section::ALL, a),
            text: "it was the deploy".to_owned(),
        },
        65 => Request::SnoozePostmortem {
            for_s: u64::from(a) * 600,
        },
        66 => Request::Timer {
            key: TimerKey::Postmortem,
        },
        67 => Request::Timer {
            key: pick_timer(a, b),
        },
        _ => return None,
    })
}

fn pick_timer(a: u8, b: u8) -> TimerKey {
    match a % 4 {
        0 => TimerKey::Update,
        1 => TimerKey::Containment,
        2 => TimerKey::Nudge {
            role: pick(Role::ALL, b),
        },
        _ => TimerKey::Page {
            page: PageId(u32::from(b)),
        },
    }
}

/// What happens around the incident.
fn around_it(story: &mut Story, what: u8, a: u8, b: u8) {
    let name = PEOPLE[a as usize % PEOPLE.len()].0;
    let target = pick(&TARGETS, b).to_owned();
    match what {
        54 => story.later(TimeDelta::minutes(i64::from(a))),
        55 => story.later(TimeDelta::minutes(-i64::from(a))),
        56 if a.is_multiple_of(2) => story.freeze((b != 7).then_some(target.as_str())),
        56 => story.around.freezes.clear(),
        57 => {
            let standing = story
                .around
                .people
                .get_mut(&person(name))
                .expect("a known person");
            if b == 0 {
                standing.may_command = !standing.may_command;
            } else if !standing.roles.remove(&Role::Approver) {
                standing.roles.insert(Role::Approver);
            }
        }
        // Long enough that a post-mortem is due.
        68 => story.later(TimeDelta::days(i64::from(a))),
        // Another incident takes the target, or lets it go.
        58 => match story.around.locks.get(&target) {
            None => drop(story.around.locks.insert(target, (IncidentId(99), AttemptId(1)))),
            Some((IncidentId(99), _)) => drop(story.around.locks.remove(&target)),
            Some(_) => {}
        },
        59 => {
            let entry = if b == 0 {
                "changed".to_owned()
            } else {
                entry(pick(&ACTIONS, a))
            };
            story.around.entries.insert(pick(&ACTIONS, a).to_owned(), entry);
        }
        _ => {}
    }
}

fn with_steps() -> Story {
    let yes_or_no = ["yes", "no"].map(|name| Branch {
        name: name.to_owned(),
        label: name.to_owned(),
    });
    let question = "Is damage going on?".to_owned();
    let choice = StepKind::Branch {
        question,
        branches: yes_or_no.to_vec(),
    };
    Story::opened_with(plan(vec![
        step("contain.1", choice),
        step("triage.1", StepKind::Do),
    ]))
}

fn live_through(mut story: Story, happenings: &[Happening]) -> Story {
    for (what, who, a, b) in happenings.iter().copied() {
        let request = of_the_order(what, a, b)
            .or_else(|| of_actions(what, a, b))
            .or_else(|| of_people(what, a, b))
            .or_else(|| of_marks(what, a, b))
            .or_else(|| of_the_record(what, a, b));
        match request {
            Some(request) => {
                let by = match (&request, who) {
                    // The bot's own hands bring results and timers; nobody else can.
                    (
                        Request::Previewed { .. }
                        | Request::PreviewFailed { .. }
                        | Request::EndAttempt { .. }
                        | Request::AnswerProbe { .. }
                        | Request::KeepFile { .. }
                        | Request::MissFile { .. }
                        | Request::Timer { .. },
                        _,
                    ) => By::Orderly,
                    (_, who) => By::Person {
                        id: person(PEOPLE[who as usize % PEOPLE.len()].0),
                    },
                };
                let _ = story.ask(&by, &request);
            }
            None => around_it(&mut story, what, a, b),
        }
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_rules_hold(happenings in happenings()) {
        live_through(with_steps(), &happenings);
    }

    #[test]
    fn whatever_is_asked_in_the_middle_of_it_the_rules_hold(happenings in happenings()) {
        let mut story = Story::framed();
        story.does("ana", damage(true));
        story.proposed(stopping());
        live_through(story, &happenings);
    }

    #[test]
    fn whatever_is_asked_at_the_end_of_it_the_rules_hold(happenings in happenings()) {
        live_through(Story::in_learn(), &happenings);
    }

    #[test]
    fn whatever_is_asked_of_a_drill_it_touches_nothing(happenings in happenings()) {
        let drill = Opening { drill: true, ..opening() };
        let story = live_through(Story::opened_as(drill, whole_frame()), &happenings);
        prop_assert!(story.state().attempts.is_empty());
    }

    #[test]
    fn the_same_requests_make_the_same_journal(happenings in happenings()) {
        let once = live_through(with_steps(), &happenings);
        let again = live_through(with_steps(), &happenings);
        prop_assert_eq!(once.journal, again.journal);
    }

    /// Whatever two people ask, it makes a difference only who was first: either order keeps the rules.
    #[test]
    fn whoever_is_first_the_rules_hold(happenings in happenings(), at in 0..100_usize) {
        let mut swapped = happenings.clone();
        let at = at % swapped.len();
        swapped.rotate_left(at);
        live_through(with_steps(), &swapped);
    }

    /// Kept at any moment and read again, a state goes on as if all had been folded from the start.
    #[test]
    fn a_kept_state_goes_on_as_the_journal_does(happenings in happenings(), at in 0..100_usize) {
        let story = live_through(with_steps(), &happenings);
        let (mut state, mut kept) = (None, None);
        let until = at % story.journal.len();
        for (event, recorded) in story.journal.iter().enumerate() {
            State::fold(&mut state, recorded);
            State::fold(&mut kept, recorded);
            let bytes = state.as_ref().and_then(State::to_bytes).filter(|_| event <= until);
            if let Some(bytes) = bytes {
                kept = State::from_bytes(&bytes);
                prop_assert!(kept.is_some());
            }
        }
        prop_assert_eq!(kept, state);
    }
}
