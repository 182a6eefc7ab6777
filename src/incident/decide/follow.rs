//! What follows from facts by itself, within the same commit: a gate that now holds opens the next phase, a quorum
//! clears a proposal, an answered precondition starts the attempt.

use chrono::TimeDelta;

use super::{Deciding, Fact};
use crate::incident::action::Check;
use crate::incident::event::{Asked, Event, Passage, Purpose, Recorded};
use crate::incident::plan::StepKind;
use crate::incident::proposal::{Containment, Proposal, Stage};
use crate::incident::state::{Life, Run, State};
use crate::incident::words::*;

impl State {
    /// An attempt of this incident that runs on a target, or may have run: nobody knows.
    fn attempt_open_on(&self, target: &str) -> Option<AttemptId> {
        let on_target = self
            .proposals
            .values()
            .filter(|proposal| proposal.terms.target == target);
        on_target
            .filter(|proposal| matches!(proposal.stage, Stage::Running { .. } | Stage::Unknown { .. }))
            .find_map(|proposal| proposal.stage.attempt())
    }
}

impl Deciding<'_> {
    pub(super) fn follow(&self, state: &State, just: &[Recorded]) -> Vec<Fact> {
        let mut facts = self.taken_up(state, just);
        let mut look_at_gate = false;
        let mut answered = Vec::new();
        for recorded in just {
            let Some(event) = &recorded.event else { continue };
            match event {
                Event::ClockJumped { back_ms } => facts.extend(self.void_after_jump(state, *back_ms)),
                Event::Framed { .. }
                | Event::DamageAssessed { .. }
                | Event::StepDone { .. }
                | Event::StepSkipped { .. }
                | Event::StepAnswered { .. }
                | Event::BranchTaken { .. } => look_at_gate = true,
                Event::Proposed { proposal, .. } | Event::Approved { proposal, .. } => {
                    facts.extend(self.clear(state, *proposal));
                }
                Event::GlassBroken { proposal, .. } => facts.extend(self.clear_by_glass(state, *proposal)),
                Event::Cleared { proposal, .. } => {
                    facts.extend(
                        state
                            .proposals
                            .get(proposal)
                            .map(|p| self.go_on(state, p))
                            .unwrap_or_default(),
                    );
                }
                Event::ProbeAnswered { run, .. } => {
                    let after = self.after_answer(state, *run);
                    // The runbook may want this very verdict before the phase is left.
                    look_at_gate |= after.is_empty();
                    facts.extend(after);
                }
                Event::AttemptFinished { attempt, .. } | Event::AttemptSettled { attempt, .. } => {
                    facts.extend(self.after_attempt(state, *attempt));
                }
                Event::Verified { proposal, worked, .. } => {
                    let after = self.after_verified(state, *proposal, *worked);
                    // A step that this finishes looks at the gate itself, once it is written down.
                    look_at_gate |= !after
                        .iter()
                        .any(|fact| matches!(fact.event, Event::StepDone { .. }));
                    facts.extend(after);
                }
                Event::SectionWritten { section, .. }
                    if matches!(state.review, Review::Reviewed | Review::Closed) =>
                {
                    // A review is of the words that were there.
                    let note = Some(format!("{section} was written after the review"));
                    facts.push(Fact::by_rule(Event::ReviewChanged {
                        to: Review::Draft,
                        note,
                    }));
                }
                _ => {}
            }
            answered.extend(self.answer_runbook(state, event));
        }
        // An answer that is about to be written down may shut the gate; it looks at the gate itself once it is.
        if look_at_gate && answered.is_empty() {
            facts.extend(self.pass_gate(state));
        }
        facts.extend(answered);
        facts
    }

    /// The runbook's own decision steps ask what the order asks as well: whoever answers one has answered the other.
    fn answer_runbook(&self, state: &State, event: &Event) -> Vec<Fact> {
        match event {
            Event::BranchTaken { step, branch, reason } if is_in(step, Phase::Contain) => {
                let ongoing = match branch.as_str() {
                    "yes" => true,
                    "no" => false,
                    _ => return Vec::new(),
                };
                let said = state
                    .damage
                    .as_ref()
                    .is_some_and(|damage| damage.ongoing == ongoing);
                if said {
                    Vec::new()
                } else {
                    vec![
                        Event::DamageAssessed {
                            ongoing,
                            detail: reason.clone(),
                        }
                        .into(),
                    ]
                }
            }
            Event::DamageAssessed { ongoing, detail } => {
                let branch = if *ongoing { "yes" } else { "no" };
                self.take_branch_of(state, Phase::Contain, branch, detail)
            }
            Event::Decided { way, reason, .. } => {
                self.take_branch_of(state, Phase::Decide, way.word(), &Some(reason.clone()))
            }
            _ => Vec::new(),
        }
    }

    fn take_branch_of(
        &self,
        state: &State,
        phase: Phase,
        branch: &str,
        reason: &Option<String>,
    ) -> Vec<Fact> {
        let open = state.steps_of(phase).into_iter().find(|step| match &step.kind {
            StepKind::Branch { branches, .. } => branches.iter().any(|known| known.name == branch),
            _ => false,
        });
        match open {
            Some(step) if state.branches.get(&step.id).map(String::as_str) != Some(branch) => {
                let (step, branch, reason) = (step.id.clone(), branch.to_owned(), reason.clone());
                vec![Fact::by_rule(Event::BranchTaken { step, branch, reason })]
            }
            _ => Vec::new(),
        }
    }

    /// Nobody can tell how long an approval stood while the clock was wrong, so none is left standing.
    fn void_after_jump(&self, state: &State, back_ms: i64) -> Vec<Fact> {
        let why = format!(
            "The clock jumped back by {} s, so nobody can tell how long this has stood. Propose it again.",
            back_ms / 1_000
        );
        state
            .proposals
            .values()
            .filter(|p| {
                matches!(
                    p.stage,
                    Stage::Drafted | Stage::Waiting { .. } | Stage::Cleared { .. }
                )
            })
            .map(|p| {
                Fact::by_rule(Event::Voided {
                    proposal: p.id,
                    why: why.clone(),
                })
            })
            .collect()
    }

    /// Confirm opens the next phase when the frame is whole; Contain closes when nothing is being damaged, or on a
    /// verified containment. The later phases wait for somebody to say `next`.
    fn pass_gate(&self, state: &State) -> Vec<Fact> {
        let by_itself = matches!(state.phase, Phase::Confirm | Phase::Contain);
        let Some(next) = state
            .phase
            .next()
            .filter(|_| by_itself && state.life == Life::Open)
        else {
            return Vec::new();
        };
        if !state.open_conditions().is_empty() {
            return Vec::new();
        }
        let passage = Passage::Gate;
        vec![Fact::by_rule(Event::PhaseEntered {
            phase: next,
            from: Some(state.phase),
            passage,
        })]
    }

    fn clear(&self, state: &State, id: ProposalId) -> Vec<Fact> {
        let Some(proposal) = state.proposals.get(&id) else {
            return Vec::new();
        };
        if !matches!(proposal.stage, Stage::Waiting { .. }) {
            return Vec::new();
        }
        let approvers = self.counting(proposal);
        if approvers.len() < proposal.terms.policy.quorum as usize {
            return Vec::new();
        }
        vec![Fact::by_rule(Event::Cleared {
            proposal: id,
            approvers,
        })]
    }

    fn clear_by_glass(&self, state: &State, id: ProposalId) -> Vec<Fact> {
        match state.proposals.get(&id).map(|proposal| &proposal.stage) {
            Some(Stage::Waiting { .. }) => {
                vec![Fact::by_rule(Event::Cleared {
                    proposal: id,
                    approvers: Vec::new(),
                })]
            }
            _ => Vec::new(),
        }
    }

    /// A cleared proposal on its way to its attempt. Everything that could have changed since the approvals is looked
    /// at again, right here, because the attempt starts in the same commit.
    pub(super) fn go_on(&self, state: &State, proposal: &Proposal) -> Vec<Fact> {
        let id = proposal.id;
        let Stage::Cleared { shown, held } = &proposal.stage else {
            return Vec::new();
        };
        let void = |why: String| vec![Fact::by_rule(Event::Voided { proposal: id, why })];
        if shown.expires <= self.clock {
            return vec![Fact::by_rule(Event::Expired { proposal: id })];
        }
        if self.around.entries.get(&proposal.terms.action) != Some(&proposal.terms.entry_digest) {
            return void("The catalog entry changed after it was proposed. Propose it again.".to_owned());
        }
        let quorum = proposal.terms.policy.quorum as usize;
        let short = proposal.break_glass.is_none() && self.counting(proposal).len() < quorum;
        if short && self.counting_when_read(proposal).len() < quorum {
            return void("Somebody who approved may no longer approve. Propose it again.".to_owned());
        }
        let target = &proposal.terms.target;
        if state.opening.drill && proposal.terms.environment != Environment::Drill {
            return void(format!("This is a drill and {target} is no target for drills."));
        }
        let hold = if let Some(role) = proposal.terms.policy.role.filter(|_| short) {
            Some(format!(
                "{} It goes on when that one can be read.",
                self.lost(role).trim()
            ))
        } else if let Some(freeze) = self.around.freeze_on(target) {
            Some(format!(
                "Frozen by {}: {}. It goes on when the freeze is lifted.",
                freeze.by, freeze.reason
            ))
        } else {
            let elsewhere = self.around.locks.get(target).copied();
            let here = || {
                state
                    .attempt_open_on(target)
                    .map(|attempt| (state.opening.number, attempt))
            };
            elsewhere.or_else(here).map(|(incident, attempt)| {
                format!(
                    "{incident} has attempt {attempt} open on {target}. It goes on when that one is settled."
                )
            })
        };
        match hold {
            Some(why) if held.as_ref() == Some(&why) => return Vec::new(),
            Some(why) => return vec![Fact::by_rule(Event::Held { proposal: id, why })],
            None => {}
        }
        match self.checks_before(state, proposal) {
            Checks::Ask(facts) => facts,
            Checks::Wait => Vec::new(),
            Checks::Failed { run, why } => {
                vec![Fact::by_rule(Event::PreconditionFailed {
                    proposal: id,
                    run,
                    why,
                })]
            }
            Checks::Passed => vec![Fact::by_rule(Event::AttemptStarted {
                proposal: id,
                attempt: AttemptId(state.attempts.len() as u32 + 1),
                operation: shown.preview.operation.clone(),
                digest: shown.digest.clone(),
            })],
        }
    }

    /// The precondition and the "before" view. An answer counts for a minute: a proposal that was held asks again.
    fn checks_before(&self, state: &State, proposal: &Proposal) -> Checks {
        let newest = |purpose: &Purpose| -> Option<&Run> {
            let runs = proposal.checks.iter().rev().filter_map(|run| state.runs.get(run));
            runs.filter(|run| run.asked.purpose == *purpose)
                .find(|run| match run.answered_at {
                    Some(at) => self.now - at <= TimeDelta::seconds(FRESH_S),
                    None => true,
                })
        };
        let precondition = Purpose::Precondition {
            proposal: proposal.id,
        };
        let before = Purpose::Before {
            proposal: proposal.id,
        };
        let wanted = [
            proposal
                .terms
                .precondition
                .as_ref()
                .map(|check| (precondition.clone(), check)),
            proposal.terms.verify.as_ref().map(|check| (before, check)),
        ];
        let (mut run, round) = state.next_run();
        let mut ask = Vec::new();
        let mut wait = false;
        for (purpose, check) in wanted.into_iter().flatten() {
            match newest(&purpose) {
                None => {
                    ask.push(asking(check, ProbeRunId(run), round, purpose));
                    run += 1;
                }
                Some(Run { answer: None, .. }) => wait = true,
                Some(Run {
                    answer: Some(answer),
                    asked,
                    ..
                }) => {
                    // The "before" view only has to exist; the precondition has to hold.
                    if purpose == precondition && answer.verdict != check.wants {
                        let why = format!(
                            "{} on {} answered {} and had to answer {}: {}",
                            check.probe, check.target, answer.verdict, check.wants, answer.summary
                        );
                        return Checks::Failed { run: asked.run, why };
                    }
                }
            }
        }
        match (ask.is_empty(), wait) {
            (false, _) => Checks::Ask(ask),
            (true, true) => Checks::Wait,
            (true, false) => Checks::Passed,
        }
    }

    fn after_answer(&self, state: &State, run: ProbeRunId) -> Vec<Fact> {
        let Some(run) = state.runs.get(&run) else {
            return Vec::new();
        };
        let Some(answer) = &run.answer else {
            return Vec::new();
        };
        match &run.asked.purpose {
            Purpose::Ask { step: Some(step) } if answer.verdict != Verdict::Unknown => {
                let open = state.open_steps().iter().any(|open| open.id == *step);
                let note = Some(format!("{} answered {}", run.asked.run, answer.verdict));
                let done = Event::StepDone {
                    step: step.clone(),
                    note,
                };
                if open {
                    vec![Fact::by_rule(done)]
                } else {
                    Vec::new()
                }
            }
            Purpose::Ask { .. } => Vec::new(),
            Purpose::Precondition { proposal } | Purpose::Before { proposal } => state
                .proposals
                .get(proposal)
                .map(|proposal| self.go_on(state, proposal))
                .unwrap_or_default(),
            Purpose::Verify { proposal } => state
                .proposals
                .get(proposal)
                .map(|proposal| self.verify(proposal, run))
                .unwrap_or_default(),
        }
    }

    fn verify(&self, proposal: &Proposal, run: &Run) -> Vec<Fact> {
        let (Some(check), Some(answer)) = (&proposal.terms.verify, &run.answer) else {
            return Vec::new();
        };
        let worked = answer.verdict == check.wants;
        let grounds = format!(
            "{} answered {}: {}",
            run.asked.run, answer.verdict, answer.summary
        );
        match proposal.stage {
            // The wanted state is there, so it happened. Any other answer proves nothing: it may still come.
            Stage::Unknown { attempt, .. } if worked => {
                vec![Fact::by_rule(Event::AttemptSettled {
                    attempt,
                    happened: true,
                    grounds,
                })]
            }
            Stage::Done { .. } if answer.verdict != Verdict::Unknown => {
                let run = Some(run.asked.run);
                vec![Fact::by_rule(Event::Verified {
                    proposal: proposal.id,
                    run,
                    worked,
                    grounds,
                })]
            }
            _ => Vec::new(),
        }
    }

    fn after_attempt(&self, state: &State, attempt: AttemptId) -> Vec<Fact> {
        let proposal = state
            .attempts
            .get(&attempt)
            .and_then(|id| state.proposals.get(id));
        let Some(proposal) = proposal else {
            return Vec::new();
        };
        let Some(check) = &proposal.terms.verify else {
            return Vec::new();
        };
        let settled_by_probe = proposal
            .checks
            .iter()
            .rev()
            .filter_map(|run| state.runs.get(run))
            .find(|run| {
                run.asked.purpose
                    == Purpose::Verify {
                        proposal: proposal.id,
                    }
            });
        match (&proposal.stage, settled_by_probe) {
            // The probe that settled it has verified it as well.
            (Stage::Done { .. }, Some(run))
                if run.answer.as_ref().is_some_and(|a| a.verdict == check.wants) =>
            {
                self.verify(proposal, run)
            }
            (Stage::Done { .. } | Stage::Unknown { .. }, _) => {
                let (run, round) = state.next_run();
                let purpose = Purpose::Verify {
                    proposal: proposal.id,
                };
                vec![asking(check, ProbeRunId(run), round, purpose)]
            }
            _ => Vec::new(),
        }
    }

    fn after_verified(&self, state: &State, id: ProposalId, worked: bool) -> Vec<Fact> {
        let Some(proposal) = state.proposals.get(&id) else {
            return Vec::new();
        };
        if !worked {
            return Vec::new();
        }
        let mut facts = Vec::new();
        if let Some(undone) = proposal.terms.undoes
            && let Some(original) = state.proposals.get(&undone)
            && matches!(
                original.containment,
                Some(Containment::InForce { .. } | Containment::Accepted { .. })
            )
        {
            let grounds = format!("undone by {id}");
            facts.push(Fact::by_rule(Event::ContainmentLifted {
                proposal: undone,
                grounds,
            }));
        }
        if proposal.terms.containment && !state.moments.contains_key(&Moment::Contained) {
            let provenance = format!("verified containment {id}");
            facts.push(Fact::by_rule(Event::MomentSet {
                moment: Moment::Contained,
                at: self.now,
                provenance,
            }));
        }
        let note = Some(format!("{id} verified"));
        facts.extend(state.steps_for_action(&proposal.terms.action).map(|step| {
            Fact::by_rule(Event::StepDone {
                step: step.to_owned(),
                note: note.clone(),
            })
        }));
        facts
    }
}

/// Seconds for which a check's answer may still start an attempt. Longer, and the system may have moved on; shorter,
/// and a slow "before" probe would outdate the precondition asked with it.
const FRESH_S: i64 = 60;

fn is_in(step: &str, phase: Phase) -> bool {
    step.split('.').next() == Some(phase.word())
}

enum Checks {
    Ask(Vec<Fact>),
    Wait,
    Failed { run: ProbeRunId, why: String },
    Passed,
}

fn asking(check: &Check, run: ProbeRunId, round: u32, purpose: Purpose) -> Fact {
    Fact::by_rule(Event::ProbeAsked {
        asked: Asked {
            run,
            round,
            probe: check.probe.clone(),
            target: check.target.clone(),
            params: check.params.clone(),
            purpose,
        },
    })
}
