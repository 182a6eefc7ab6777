//! The table of stages: every pair, and that nothing gets around it.

use super::kit::*;
use crate::incident::*;

fn shown() -> Shown {
    Shown {
        preview: preview("update"),
        digest: "digest".to_owned(),
        expires: start(),
    }
}

/// One of each stage, with the event that leads to it.
fn stages() -> Vec<(Stage, Event)> {
    let proposal = ProposalId(1);
    let attempt = AttemptId(1);
    let why = || "because".to_owned();
    let finished = |outcome| Event::AttemptFinished { attempt, outcome };
    let verified = |worked| Event::Verified {
        proposal,
        run: None,
        worked,
        grounds: why(),
    };
    let operation = preview("update").operation;
    vec![
        (
            Stage::PreviewFailed { why: why() },
            Event::PreviewFailed { proposal, why: why() },
        ),
        (
            Stage::Waiting { shown: shown() },
            Event::Proposed {
                proposal,
                preview: Box::new(preview("update")),
                digest: "digest".to_owned(),
                expires: start(),
            },
        ),
        (
            Stage::Refused {
                by: person("ben"),
                reason: why(),
            },
            Event::Refused {
                proposal,
                reason: why(),
            },
        ),
        (
            Stage::Withdrawn {
                by: Some(person("ben")),
                reason: None,
            },
            Event::Withdrawn {
                proposal,
                reason: None,
            },
        ),
        (Stage::Expired, Event::Expired { proposal }),
        (
            Stage::Voided { why: why() },
            Event::Voided { proposal, why: why() },
        ),
        (
            Stage::Cleared {
                shown: shown(),
                held: None,
            },
            Event::Cleared {
                proposal,
                approvers: Vec::new(),
            },
        ),
        (
            Stage::Cleared {
                shown: shown(),
                held: Some(why()),
            },
            Event::Held { proposal, why: why() },
        ),
        (
            Stage::PreconditionFailed { why: why() },
            Event::PreconditionFailed {
                proposal,
                run: ProbeRunId(1),
                why: why(),
            },
        ),
        (
            Stage::Running {
                shown: shown(),
                attempt,
            },
            Event::AttemptStarted {
                proposal,
                attempt,
                operation,
                digest: "digest".to_owned(),
            },
        ),
        (
            Stage::Unknown {
                shown: shown(),
                attempt,
                why: why(),
            },
            finished(Outcome::Unknown { why: why() }),
        ),
        (
            Stage::NotDone { attempt, why: why() },
            finished(Outcome::NotDone { why: why() }),
        ),
        (
            Stage::Done {
                shown: shown(),
                attempt,
                report: why(),
            },
            finished(Outcome::Done { report: why() }),
        ),
        (
            Stage::Verified {
                shown: shown(),
                attempt,
                worked: true,
                grounds: why(),
            },
            verified(true),
        ),
        (
            Stage::Verified {
                shown: shown(),
                attempt,
                worked: false,
                grounds: why(),
            },
            verified(false),
        ),
    ]
}

/// The whole table, a line a stage: from, and all it may become.
const LEGAL: &[(&str, &[&str])] = &[
    (
        "preparing",
        &["no preview", "waiting for approval", "withdrawn", "void"],
    ),
    (
        "waiting for approval",
        &[
            "refused",
            "withdrawn",
            "expired",
            "void",
            "approved",
            "approved, held",
        ],
    ),
    (
        "approved",
        &[
            "refused",
            "withdrawn",
            "expired",
            "void",
            "approved",
            "approved, held",
            "stopped by its precondition",
            "running",
        ],
    ),
    (
        "approved, held",
        &[
            "refused",
            "withdrawn",
            "expired",
            "void",
            "approved",
            "approved, held",
            "stopped by its precondition",
            "running",
        ],
    ),
    (
        "running",
        &["outcome unknown", "not done", "done, being verified"],
    ),
    ("outcome unknown", &["not done", "done, being verified"]),
    ("done, being verified", &["verified", "done, did not help"]),
    ("done, did not help", &["verified", "done, did not help"]),
    ("no preview", &[]),
    ("refused", &[]),
    ("withdrawn", &[]),
    ("expired", &[]),
    ("void", &[]),
    ("stopped by its precondition", &[]),
    ("not done", &[]),
    ("verified", &[]),
];

fn every_stage() -> Vec<Stage> {
    let mut all: Vec<Stage> = stages().into_iter().map(|(stage, _)| stage).collect();
    all.push(Stage::Drafted);
    all
}

#[test]
fn every_pair_of_stages_is_in_the_table_or_illegal() {
    for from in every_stage() {
        let legal = LEGAL
            .iter()
            .find(|(word, _)| *word == from.word())
            .expect("a line of the table")
            .1;
        for to in every_stage() {
            assert_eq!(
                from.may_become(&to),
                legal.contains(&to.word()),
                "{} -> {}",
                from.word(),
                to.word()
            );
        }
    }
}

#[test]
fn an_illegal_step_in_a_journal_is_not_taken_and_names_both_stages() {
    let mut story = Story::framed();
    story.does("ana", propose(terms("stop", "odoo-prod")));
    for from in every_stage() {
        for (to, event) in stages() {
            let mut state = story.state.clone();
            if let Some(state) = &mut state {
                state.attempts.insert(AttemptId(1), ProposalId(1));
                let proposal = state.proposals.get_mut(&ProposalId(1)).expect("the proposal");
                proposal.stage = from.clone();
            }
            let recorded = Recorded {
                seq: story.state().seq + 1,
                recorded: start(),
                occurred: start(),
                source: "clock".to_owned(),
                by: By::Person { id: person("ben") },
                event: Some(event),
            };
            State::fold(&mut state, &recorded);
            let state = state.expect("a state");
            let stage = &state.proposals[&ProposalId(1)].stage;
            if from.may_become(&to) {
                assert_eq!((stage.word(), state.illegal.len()), (to.word(), 0));
            } else {
                assert_eq!(*stage, from);
                let named = state.illegal.first().expect("the illegal step").to_string();
                assert!(named.contains(from.word()), "{named}");
                assert!(
                    named.contains(to.word()) || to.word().starts_with("done"),
                    "{named}"
                );
            }
        }
    }
}

#[test]
fn what_is_told_of_an_illegal_step_says_what_to_do() {
    let illegal = Illegal {
        event: 12,
        proposal: ProposalId(3),
        from: "verified",
        to: "running",
    };
    insta::assert_snapshot!(illegal.to_string(), @"event #12: A3 is verified and cannot become running; run `orderly journal verify`, and report this");
}

#[test]
fn a_request_for_an_illegal_step_is_refused_or_changes_nothing() {
    let settle = |happened| Request::Settle {
        proposal: ProposalId(1),
        happened,
        grounds: "I looked".to_owned(),
    };
    let requests = || {
        vec![
            approve(ProposalId(1)),
            Request::Refuse {
                proposal: ProposalId(1),
                reason: "no".to_owned(),
            },
            Request::Withdraw {
                proposal: ProposalId(1),
                reason: None,
            },
            Request::BreakGlass {
                proposal: ProposalId(1),
                target: "odoo-prod".to_owned(),
                reason: "now".to_owned(),
            },
            settle(true),
            settle(false),
            confirm(ProposalId(1), true),
            confirm(ProposalId(1), false),
            Request::Previewed {
                proposal: ProposalId(1),
                preview: Box::new(preview("other")),
            },
            Request::PreviewFailed {
                proposal: ProposalId(1),
                why: "gone".to_owned(),
            },
            Request::EndAttempt {
                attempt: AttemptId(1),
                outcome: done(),
            },
            Request::EndAttempt {
                attempt: AttemptId(1),
                outcome: unknown(),
            },
            Request::Timer {
                key: TimerKey::Expire {
                    proposal: ProposalId(1),
                },
            },
            Request::Timer {
                key: TimerKey::Held {
                    proposal: ProposalId(1),
                },
            },
        ]
    };
    for from in every_stage() {
        for request in requests() {
            let mut story = Story::framed();
            story.does("ana", propose(terms("stop", "odoo-prod")));
            let state = story.state.as_mut().expect("open");
            state.attempts.insert(AttemptId(1), ProposalId(1));
            state
                .proposals
                .get_mut(&ProposalId(1))
                .expect("the proposal")
                .stage = from.clone();
            for by in [By::Person { id: person("cleo") }, By::Orderly] {
                let mut state = story.state.clone();
                // Whatever is answered: no step outside of the table.
                let _ = carry_out(&mut state, &by, &request, story.clock, &story.around);
                assert_eq!(
                    state.expect("open").illegal,
                    Vec::new(),
                    "{} and {request:?}",
                    from.word()
                );
            }
        }
    }
}
