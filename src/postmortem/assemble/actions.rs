//! What was done to systems and by whose approval, what of it is still in force, and what recovery proved.

use similar::{ChangeTag, TextDiff};

use super::Facts;
use crate::incident::*;
use crate::postmortem::document::*;
use crate::timeline::{minute, span};

impl<'a> Facts<'a> {
    pub(super) fn actions(&self) -> Vec<Action> {
        self.state
            .proposals
            .values()
            .map(|proposal| self.action(proposal))
            .collect()
    }

    fn action(&self, proposal: &Proposal) -> Action {
        let terms = &proposal.terms;
        let undone_by = self
            .state
            .proposals
            .values()
            .filter(|other| other.terms.undoes == Some(proposal.id));
        let proposer = proposal
            .proposer
            .as_ref()
            .map_or_else(|| "Orderly".to_owned(), |person| self.name(person));
        Action {
            id: proposal.id.to_string(),
            title: terms.title.clone(),
            action: terms.action.clone(),
            target: terms.target.clone(),
            environment: terms.environment,
            risk: terms.risk,
            policy: policy(&terms.policy),
            proposed: Words {
                text: proposal.reason.clone(),
                by: proposer,
                at: proposal.at,
                event: proposal.event,
            },
            stage: proposal.stage.word().to_owned(),
            containment: terms.containment,
            operation: self.operation(proposal.id),
            approvals: self.approvals(proposal.id),
            turns: self.turns(proposal.id),
            break_glass: self.glass(proposal),
            precondition: terms.precondition.as_ref().map(|check| {
                self.checked(proposal, check, |purpose| {
                    matches!(purpose, Purpose::Precondition { .. })
                })
            }),
            attempt: self.attempt(proposal.id),
            verify: terms.verify.as_ref().map(|check| {
                self.checked(proposal, check, |purpose| {
                    matches!(purpose, Purpose::Verify { .. })
                })
            }),
            verified: self.verified(proposal.id),
            before_after: self.before_after(proposal),
            undo: match &terms.undo {
                Some(undo) => format!("Can be taken back with {}.", undo.action),
                None => "Cannot be taken back.".to_owned(),
            },
            undone_by: undone_by
                .map(|other| format!("{} ({})", other.id, other.stage.word()))
                .collect(),
            undoes: terms.undoes.map(|undoes| undoes.to_string()),
        }
    }

    fn trail(&self, id: ProposalId) -> impl DoubleEndedIterator<Item = (&'a Recorded, &'a Event)> {
        let trail = self.trails.get(&id).map(Vec::as_slice).unwrap_or_default();
        trail
            .iter()
            .filter_map(|recorded| Some((*recorded, recorded.event.as_ref()?)))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn operation(&self, id: ProposalId) -> Option<ShownOperation> {
        self.trail(id).rev().find_map(|(recorded, event)| match event {
            Event::Proposed {
                preview,
                digest,
                expires,
                ..
            } => Some(ShownOperation {
                driver: preview.operation.driver.clone(),
                display: preview.operation.display.clone(),
                effect: preview.effect.clone(),
                dry_run: preview.dry_run,
                digest: digest.clone(),
                expires: *expires,
                event: recorded.seq,
            }),
            _ => None,
        })
    }

    fn approvals(&self, id: ProposalId) -> Vec<Agreed> {
        let shown = self.operation(id).map(|operation| operation.digest);
        self.trail(id)
            .filter_map(|(recorded, event)| match event {
                Event::Approved { digest, reason, .. } => Some(Agreed {
                    by: self.who(&recorded.by),
                    at: recorded.occurred,
                    reason: reason.clone(),
                    same_digest: shown.as_ref() == Some(digest),
                    event: recorded.seq,
                }),
                _ => None,
            })
            .collect()
    }

    fn turns(&self, id: ProposalId) -> Vec<Said> {
        use Event::*;
        let turn = |event: &Event| {
            matches!(
                event,
                PreviewFailed { .. }
                    | Refused { .. }
                    | Withdrawn { .. }
                    | Expired { .. }
                    | Voided { .. }
                    | Held { .. }
                    | PreconditionFailed { .. }
                    | AttemptSettled { .. }
            )
        };
        self.trail(id)
            .filter(|(_, event)| turn(event))
            .filter_map(|(recorded, _)| self.said(recorded))
            .collect()
    }

    fn glass(&self, proposal: &Proposal) -> Option<Glass> {
        let glass = proposal.break_glass.as_ref()?;
        let mut events = vec![proposal.event];
        let mut reviewed = None;
        for (recorded, event) in self.trail(proposal.id) {
            match event {
                Event::GlassBroken { .. } => events.push(recorded.seq),
                Event::GlassReviewed { note, .. } => {
                    events.push(recorded.seq);
                    reviewed = Some(self.words(note, recorded));
                }
                _ => {}
            }
        }
        Some(Glass {
            by: glass
                .by
                .as_ref()
                .map_or_else(|| "Orderly".to_owned(), |person| self.name(person)),
            reason: glass.reason.clone(),
            reviewed,
            events,
        })
    }

    fn checked(&self, proposal: &Proposal, check: &Check, is: impl Fn(&Purpose) -> bool) -> Checked {
        let mut runs = proposal.checks.iter().filter_map(|run| self.state.runs.get(run));
        let last = runs.rfind(|run| is(&run.asked.purpose));
        let answer = last.and_then(|run| run.answer.as_ref());
        Checked {
            text: format!("{} on {} must answer {}", check.probe, check.target, check.wants),
            verdict: answer.map(|answer| answer.verdict),
            summary: answer.map(|answer| answer.summary.clone()),
            // Not asked yet: the proposal says that it will be.
            events: vec![last.map_or(proposal.event, |run| run.answered.unwrap_or(run.event))],
        }
    }

    fn attempt(&self, id: ProposalId) -> Option<Attempted> {
        let mut told: Option<Attempted> = None;
        for (recorded, event) in self.trail(id) {
            match event {
                Event::AttemptStarted { attempt, .. } => {
                    told = Some(Attempted {
                        id: attempt.to_string(),
                        started: recorded.occurred,
                        finished: None,
                        outcome: "running".to_owned(),
                        detail: String::new(),
                        events: vec![recorded.seq],
                    });
                }
                Event::AttemptFinished { outcome, .. } => {
                    let Some(told) = &mut told else { continue };
                    let (word, detail) = match outcome {
                        Outcome::Done { report } => ("done", report),
                        Outcome::NotDone { why } => ("not done", why),
                        Outcome::Unknown { why } => ("unknown", why),
                    };
                    told.finished = Some(recorded.occurred);
                    (told.outcome, told.detail) = (word.to_owned(), detail.clone());
                    told.events.push(recorded.seq);
                }
                _ => {}
            }
        }
        told
    }

    fn verified(&self, id: ProposalId) -> Option<Fact> {
        let verified = self
            .trail(id)
            .rev()
            .find(|(_, event)| matches!(event, Event::Verified { .. }));
        let said = self.said(verified?.0)?;
        Some(self.fact(said.text, [said.event]))
    }

    /// The newest answers of the same probe before and after the attempt.
    fn before_after(&self, proposal: &Proposal) -> Option<BeforeAfter> {
        let answered: Vec<&Run> = proposal
            .checks
            .iter()
            .filter_map(|run| self.state.runs.get(run))
            .filter(|run| run.answer.is_some())
            .collect();
        let after = answered
            .iter()
            .rfind(|run| matches!(run.asked.purpose, Purpose::Verify { .. }))?;
        let before = answered.iter().rfind(|run| {
            !matches!(run.asked.purpose, Purpose::Verify { .. })
                && (&run.asked.probe, &run.asked.target, &run.asked.params)
                    == (&after.asked.probe, &after.asked.target, &after.asked.params)
        })?;
        let (old, new) = (before.answer.as_ref()?, after.answer.as_ref()?);
        Some(BeforeAfter {
            probe: format!("{} on {}", after.asked.probe, after.asked.target),
            before: old.verdict,
            after: new.verdict,
            before_summary: old.summary.clone(),
            after_summary: new.summary.clone(),
            diff: diff(&old.excerpt, &new.excerpt),
            events: before.answered.into_iter().chain(after.answered).collect(),
        })
    }

    pub(super) fn containment(&self) -> Vec<Contained> {
        self.state
            .proposals
            .values()
            .filter_map(|proposal| self.contained(proposal))
            .collect()
    }

    fn contained(&self, proposal: &Proposal) -> Option<Contained> {
        let containment = proposal.containment.as_ref()?;
        let (mut since, mut until, mut events) = (None, None, Vec::new());
        for (recorded, event) in self.trail(proposal.id) {
            match event {
                Event::Verified { worked: true, .. } => since = Some(recorded.occurred),
                Event::ContainmentLifted { .. } => until = Some(recorded.occurred),
                Event::ContainmentAccepted { .. } => {}
                _ => continue,
            }
            events.push(recorded.seq);
        }
        let (state, grounds) = match containment {
            Containment::InForce { .. } => ("in force", None),
            Containment::Lifted { grounds, .. } => ("lifted", Some(grounds.clone())),
            Containment::Accepted { reason, .. } => ("accepted", Some(reason.clone())),
        };
        Some(Contained {
            proposal: proposal.id.to_string(),
            title: proposal.terms.title.clone(),
            target: proposal.terms.target.clone(),
            state: state.to_owned(),
            since,
            until,
            length: since.map(|since| span(until.unwrap_or(self.end) - since)),
            grounds,
            events,
        })
    }

    pub(super) fn changes(&self) -> Vec<ManualChange> {
        let told = |(id, change): (&ChangeId, &Change)| {
            let (state, detail) = match &change.settled {
                None => ("open", None),
                Some(ChangeSettled::Reconciled { reference }) => ("reconciled", Some(reference.clone())),
                Some(ChangeSettled::Waived { reason, .. }) => ("waived", Some(reason.clone())),
            };
            let settled = self.settled.get(id).copied();
            ManualChange {
                id: id.to_string(),
                text: change.text.clone(),
                state: state.to_owned(),
                detail,
                events: std::iter::once(change.event).chain(settled).collect(),
            }
        };
        self.state.changes.iter().map(told).collect()
    }

    /// What stands in for the part that tells how it was resolved.
    pub(super) fn resolution(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self
            .state
            .proposals
            .keys()
            .filter_map(|id| self.verified(*id))
            .collect();
        let resolved = self.told(|event| matches!(event, Event::Resolved { .. }));
        facts.extend(resolved.into_iter().map(|said| {
            let words = said
                .words
                .map(|words| format!(" “{}”", words.trim()))
                .unwrap_or_default();
            Fact {
                text: format!("{} {}{words}", minute(said.at), said.text),
                events: vec![said.event],
            }
        }));
        facts
    }

    pub(super) fn recovery(&self) -> Vec<Fact> {
        RecoveryItem::ALL
            .iter()
            .map(|item| self.recovered(*item))
            .collect()
    }

    fn recovered(&self, item: RecoveryItem) -> Fact {
        let name = match item {
            RecoveryItem::SmokeTest => "Smoke test",
            RecoveryItem::Backlog => "Backlog",
            RecoveryItem::Records => "Records to repair",
        };
        match self.state.recovery.get(&item) {
            None => self.fact(format!("{name}: not checked."), [self.state.seq]),
            Some(Recovery::Checked {
                passed,
                count,
                detail,
                by,
                event,
            }) => {
                let word = if *passed { "passed" } else { "did not pass" };
                let count = count
                    .map(|count| format!(", counted {count}"))
                    .unwrap_or_default();
                let detail = detail
                    .as_ref()
                    .map(|detail| format!(" “{}”", detail.trim()))
                    .unwrap_or_default();
                self.fact(
                    format!("{name}: {word}{count}, checked by {}.{detail}", self.who(by)),
                    [*event],
                )
            }
            Some(Recovery::Waived { reason, by, event }) => self.fact(
                format!("{name}: waived by {}. “{}”", self.who(by), reason.trim()),
                [*event],
            ),
        }
    }
}

/// `2 approvals by an approver, open for 30 min`.
fn policy(policy: &Policy) -> String {
    let whom = policy.role.map_or_else(
        || "anybody but the proposer".to_owned(),
        |role| format!("role {role}"),
    );
    let open = span(chrono::TimeDelta::seconds(
        i64::try_from(policy.expires_s).unwrap_or(i64::from(u32::MAX)),
    ));
    match policy.quorum {
        0 => "no approval needed, as the catalog says in so many words".to_owned(),
        1 => format!("1 approval ({whom}), open for {open}"),
        several => format!("{several} approvals ({whom}), open for {open}"),
    }
}

/// Both texts as one, line by line.
fn diff(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    diff.iter_all_changes()
        .map(|change| {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            format!("{sign} {}\n", change.value().trim_end_matches('\n'))
        })
        .collect()
}

pub(super) fn settled_by(event: &Event) -> Option<ChangeId> {
    match event {
        Event::ChangeReconciled { change, .. } | Event::ChangeWaived { change, .. } => Some(*change),
        _ => None,
    }
}

/// The proposal an event is about.
pub(super) fn proposal_of(state: &State, event: &Event) -> Option<ProposalId> {
    use Event::*;
    match event {
        ProposalDrafted { proposal, .. }
        | Proposed { proposal, .. }
        | PreviewFailed { proposal, .. }
        | Approved { proposal, .. }
        | Refused { proposal, .. }
        | Withdrawn { proposal, .. }
        | Expired { proposal }
        | Voided { proposal, .. }
        | AskedAgain { proposal, .. }
        | Cleared { proposal, .. }
        | Held { proposal, .. }
        | PreconditionFailed { proposal, .. }
        | GlassBroken { proposal, .. }
        | GlassReviewed { proposal, .. }
        | AttemptStarted { proposal, .. }
        | Verified { proposal, .. }
        | ContainmentLifted { proposal, .. }
        | ContainmentAccepted { proposal, .. } => Some(*proposal),
        AttemptFinished { attempt, .. } | AttemptSettled { attempt, .. } => {
            state.attempts.get(attempt).copied()
        }
        _ => None,
    }
}
