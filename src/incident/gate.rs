//! What must hold before the next phase opens.

use chrono::{DateTime, Utc};

use super::plan::{Step, StepKind};
use super::proposal::{Containment, Proposal};
use super::state::{Change, DamageNow, Life, Recovery, State};
use super::words::*;

/// Something that does not hold yet: words for the person, as in a [`Refusal`](super::Refusal), and the command that helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub words: String,
    /// Button label and command line.
    pub offer: Option<(&'static str, String)>,
}

fn open(words: impl Into<String>) -> Condition {
    Condition {
        words: words.into(),
        offer: None,
    }
}

fn offering(words: impl Into<String>, label: &'static str, line: impl Into<String>) -> Condition {
    Condition {
        words: words.into(),
        offer: Some((label, line.into())),
    }
}

/// An open step, with the command that settles its kind.
fn open_step(step: &Step) -> Condition {
    let (label, verb) = match step.kind {
        StepKind::Do => ("Done", "done"),
        StepKind::Ask { .. } => ("Answer", "answer"),
        StepKind::Probe { .. } => ("Ask it", "run"),
        StepKind::Action { .. } => ("Propose it", "run"),
        StepKind::Branch { .. } => ("Choose", "branch"),
    };
    offering(
        format!("Step {} is open: {}", step.id, step.text),
        label,
        format!("step {verb} {}", step.id),
    )
}

impl Phase {
    /// The phase after this one; `None` after the last.
    pub fn next(self) -> Option<Phase> {
        let at = Phase::ALL.iter().position(|phase| *phase == self)?;
        Phase::ALL.get(at + 1).copied()
    }
}

impl State {
    /// What the present phase still waits for. Empty: the gate holds.
    pub fn open_conditions(&self) -> Vec<Condition> {
        let mut conditions = match self.phase {
            Phase::Confirm => self.confirm_gate(),
            Phase::Contain => self.contain_gate(),
            Phase::Triage => self.triage_gate(),
            Phase::Decide => self.decide_gate(),
            Phase::Recover => self.recover_gate(),
            Phase::Learn => self.learn_gate(),
        };
        // Without damage there is nothing to contain, so the steps for it do not count either.
        let nothing_to_contain =
            self.phase == Phase::Contain && self.damage.as_ref().is_some_and(|d| !d.ongoing);
        // Once a cause is accepted, the rest of triage may be left.
        let cause_accepted = self.phase == Phase::Triage && self.cause.is_some();
        if !nothing_to_contain && !cause_accepted {
            conditions.extend(
                self.open_steps()
                    .into_iter()
                    .filter(|step| step.required)
                    .map(open_step),
            );
        }
        if !nothing_to_contain {
            conditions.extend(self.open_verdicts());
        }
        conditions
    }

    /// Verdicts that the runbook wants before this phase is left.
    fn open_verdicts(&self) -> Vec<Condition> {
        let planned = self
            .opening
            .plan
            .phases
            .iter()
            .find(|planned| planned.phase == self.phase);
        let wanted = planned
            .and_then(|planned| planned.leave.as_ref())
            .into_iter()
            .flat_map(|leave| &leave.verdicts);
        wanted
            .filter_map(|wanted| {
                let runs = self
                    .runs
                    .values()
                    .rev()
                    .filter(|run| run.asked.probe == wanted.probe);
                let latest = runs
                    .filter(|run| {
                        wanted
                            .target
                            .as_ref()
                            .is_none_or(|target| run.asked.target == *target)
                    })
                    .filter(|run| run.answered.is_some_and(|answered| answered > self.proven_from))
                    .find_map(|run| run.answer.as_ref());
                if latest.is_some_and(|answer| wanted.verdicts.contains(&answer.verdict)) {
                    return None;
                }
                let words: Vec<_> = wanted.verdicts.iter().map(|verdict| verdict.word()).collect();
                let unasked = match self.proven_from {
                    0 => "has not been asked",
                    _ => "has not been asked since the incident went back",
                };
                let now = latest.map_or(unasked.to_owned(), |answer| {
                    format!("answered {}", answer.verdict)
                });
                let target = wanted
                    .target
                    .as_ref()
                    .map(|target| format!(" target={target}"))
                    .unwrap_or_default();
                Some(offering(
                    format!("{} must answer {}; it {now}.", wanted.probe, words.join(" or ")),
                    "Ask it",
                    format!("probe run {}{target}", wanted.probe),
                ))
            })
            .collect()
    }

    /// Steps of the present phase that apply, in order.
    pub fn steps_of(&self, phase: Phase) -> Vec<&Step> {
        let planned = self
            .opening
            .plan
            .phases
            .iter()
            .find(|planned| planned.phase == phase);
        planned
            .into_iter()
            .flat_map(|planned| &planned.steps)
            .filter(|step| self.applies(step))
            .collect()
    }

    /// Steps of the present phase that nobody has done, skipped or answered.
    pub fn open_steps(&self) -> Vec<&Step> {
        self.steps_of(self.phase)
            .into_iter()
            .filter(|step| !self.steps.contains_key(&step.id))
            .collect()
    }

    fn applies(&self, step: &Step) -> bool {
        step.branch
            .as_ref()
            .is_none_or(|on| self.branches.get(&on.step) == Some(&on.branch))
    }

    fn confirm_gate(&self) -> Vec<Condition> {
        self.frame_questions()
            .into_iter()
            .map(|words| offering(words, "Frame it", "frame"))
            .collect()
    }

    /// The questions the frame does not answer yet.
    pub fn frame_questions(&self) -> Vec<&'static str> {
        let frame = &self.frame;
        let mut missing = Vec::new();
        match frame.trouble {
            None => missing.push("What is wrong: is it down, is it slow, or is one function broken?"),
            Some(Trouble::Function) if frame.what.is_none() => missing.push("Which function is broken?"),
            Some(_) if frame.what.is_none() => missing.push("What exactly is down or slow?"),
            Some(_) => {}
        }
        if frame.works.is_none() {
            missing.push("What still works?");
        }
        if frame.who.is_none() {
            missing.push("Who is affected?");
        }
        if frame.impact.is_none() {
            missing.push("How badly are they affected?");
        }
        if frame.since.is_none() {
            missing.push("Since when?");
        }
        missing
    }

    fn contain_gate(&self) -> Vec<Condition> {
        match &self.damage {
            None => vec![offering(
                "Is damage going on: bad data, wrong documents, corrupt records?",
                "Answer",
                "damage",
            )],
            Some(damage) if damage.ongoing && self.contained_since(damage.event).is_none() => vec![offering(
                "Damage is going on and no containment is verified yet. Stop the damage first, even crudely.",
                "Propose an action",
                "action propose",
            )],
            Some(_) => Vec::new(),
        }
    }

    /// Containment that was verified after the damage was last reported. What was in force before did not stop this
    /// damage.
    fn verified_since(&self, reported: u64) -> impl Iterator<Item = (&Proposal, DateTime<Utc>)> {
        self.proposals.values().filter_map(move |proposal| {
            proposal.verified.filter(|verified| *verified > reported)?;
            Some((proposal, proposal.verified_at?))
        })
    }

    /// The first such containment that has not been lifted.
    fn contained_since(&self, reported: u64) -> Option<(ProposalId, DateTime<Utc>)> {
        let in_force = |proposal: &Proposal| {
            matches!(
                proposal.containment,
                Some(Containment::InForce { .. } | Containment::Accepted { .. })
            )
        };
        self.verified_since(reported)
            .filter(|(proposal, _)| in_force(proposal))
            .min_by_key(|(_, at)| *at)
            .map(|(proposal, at)| (proposal.id, at))
    }

    /// What is true of the damage now; `None`: nobody has said.
    pub fn damage_now(&self) -> Option<DamageNow> {
        let damage = self.damage.as_ref()?;
        if !damage.ongoing {
            return Some(DamageNow::NotGoingOn);
        }
        if let Some((by, at)) = self.contained_since(damage.event) {
            return Some(DamageNow::Stopped { by, at });
        }
        let lifted = self
            .verified_since(damage.event)
            .filter_map(|(proposal, _)| match proposal.containment {
                Some(Containment::Lifted { at, .. }) => Some((proposal.id, at)),
                _ => None,
            })
            .max_by_key(|(_, at)| *at);
        // In Recover the way out is decided and taken: what contained the damage goes because the cause is gone.
        let on_its_way_out = self.phase >= Phase::Recover || self.life != Life::Open;
        Some(match (lifted, on_its_way_out) {
            (Some((lifted, at)), false) => DamageNow::GoingOnAgain { lifted, at },
            (Some((lifted, at)), true) => DamageNow::Over { lifted, at },
            (None, _) if self.life != Life::Open => DamageNow::Unverified,
            (None, _) => DamageNow::GoingOn,
        })
    }

    fn triage_gate(&self) -> Vec<Condition> {
        if self.cause.is_some() {
            return Vec::new();
        }
        let mut conditions: Vec<_> = self
            .lines_without_finding()
            .into_iter()
            .map(|line| {
                offering(
                    format!("No finding yet for: {line}."),
                    "Record a finding",
                    format!("finding add {line}"),
                )
            })
            .collect();
        if conditions.is_empty() {
            conditions.push(offering(
                "No cause is accepted yet.",
                "Accept a cause",
                "finding accept",
            ));
        }
        conditions
    }

    /// Lines of triage that have no finding.
    pub fn lines_without_finding(&self) -> Vec<Line> {
        let found = |line: Line| self.findings.values().any(|finding| finding.line == line);
        Line::ALL.iter().copied().filter(|line| !found(*line)).collect()
    }

    fn decide_gate(&self) -> Vec<Condition> {
        match self.decision {
            Some(_) => Vec::new(),
            None => vec![offering(
                "Fix forward or roll back? Nobody has decided.",
                "Decide",
                "decide",
            )],
        }
    }

    fn recover_gate(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for item in RecoveryItem::ALL {
            let words = match (item, self.recovery.get(item)) {
                (_, Some(Recovery::Waived { .. } | Recovery::Checked { passed: true, .. })) => continue,
                // Counted is enough: repairing them may outlive the incident, as a follow-up.
                (RecoveryItem::Records, Some(Recovery::Checked { count: Some(_), .. })) => continue,
                (RecoveryItem::SmokeTest, None) => "The smoke test has not been run.",
                (RecoveryItem::SmokeTest, Some(_)) => "The smoke test did not pass.",
                (RecoveryItem::Backlog, None) => "Nobody has looked whether a backlog is left.",
                (RecoveryItem::Backlog, Some(_)) => "The backlog is not drained.",
                (RecoveryItem::Records, _) => "The records to repair are not counted.",
            };
            conditions.push(offering(words, "Record it", format!("recovery check {item}")));
        }
        conditions.extend(self.left_on_systems());
        conditions
    }

    /// What the response changed on systems and nobody has settled: containment, actions, manual changes.
    fn left_on_systems(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (id, proposal) in &self.proposals {
            if let Some(Containment::InForce { .. }) = proposal.containment {
                conditions.push(offering(
                    format!(
                        "Containment {id} is still in force: {} on {}.",
                        proposal.terms.title, proposal.terms.target
                    ),
                    "Undo it",
                    format!("action undo {id}"),
                ));
            }
            if !proposal.stage.is_over() {
                conditions.push(open(format!("Action {id} {}.", proposal.stage.says())));
            }
        }
        for (id, change) in self.unsettled_changes() {
            conditions.push(offering(
                format!(
                    "Manual change {id} is not in version control yet: {}.",
                    // What somebody typed sets nothing apart.
                    change.text.replace('`', "'")
                ),
                "Reconciled",
                format!("recovery reconcile {id}"),
            ));
        }
        conditions
    }

    /// Manual changes that are neither reconciled nor waived.
    pub fn unsettled_changes(&self) -> impl Iterator<Item = (ChangeId, &Change)> {
        let unsettled = self.changes.iter().filter(|(_, change)| change.settled.is_none());
        unsettled.map(|(id, change)| (*id, change))
    }

    fn learn_gate(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if !matches!(self.review, Review::Reviewed | Review::Closed) {
            conditions.push(offering(
                format!("The post-mortem is not reviewed yet: it is {}.", self.review),
                "Open it",
                "postmortem show",
            ));
        }
        // Recovery may have been overridden: what is still in force does not go out of sight with the incident.
        conditions.extend(self.left_on_systems());
        conditions.extend(self.unreviewed_glass());
        conditions
    }

    /// Broken glass that nobody has looked at. Cannot be overridden.
    pub fn unreviewed_glass(&self) -> Vec<Condition> {
        self.proposals
            .iter()
            .filter(|(_, proposal)| {
                proposal
                    .break_glass
                    .as_ref()
                    .is_some_and(|glass| glass.reviewed.is_none())
            })
            .map(|(id, _)| {
                offering(
                    format!("{id} ran by break-glass and nobody has reviewed it."),
                    "Review it",
                    format!("action review {id}"),
                )
            })
            .collect()
    }
}
