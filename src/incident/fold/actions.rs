//! Proposals, attempts, containment and changes to reconcile.

use super::*;
use crate::incident::action::Approval;

impl State {
    pub(super) fn apply_action(&mut self, event: &Event, recorded: &Recorded) {
        match event {
            Event::ProposalDrafted {
                proposal,
                terms,
                reason,
                break_glass,
            } => {
                let by = recorded.by.person().cloned();
                let drafted = Proposal {
                    id: *proposal,
                    terms: (**terms).clone(),
                    reason: reason.clone(),
                    proposer: by.clone(),
                    at: recorded.occurred,
                    event: recorded.seq,
                    break_glass: break_glass.then(|| BreakGlass {
                        by,
                        reason: reason.clone(),
                        reviewed: None,
                    }),
                    stage: Stage::Drafted,
                    since: recorded.occurred,
                    approvals: Vec::new(),
                    asked_again: 0,
                    checks: Vec::new(),
                    containment: None,
                    verified: None,
                    verified_at: None,
                };
                self.proposals.insert(*proposal, drafted);
            }
            Event::AttemptStarted {
                proposal, attempt, ..
            } => {
                self.attempts.insert(*attempt, *proposal);
                self.step(*proposal, event, recorded);
            }
            Event::AttemptFinished { attempt, .. } | Event::AttemptSettled { attempt, .. } => {
                if let Some(proposal) = self.attempts.get(attempt).copied() {
                    self.step(proposal, event, recorded);
                    self.note_manual_change(proposal, recorded);
                }
            }
            Event::Proposed {
                proposal, expires, ..
            } => {
                self.step(*proposal, event, recorded);
                // While the journal's time stands still, a deadline tells what the clock showed.
                if let (true, Some(proposal)) = (self.clock_behind, self.proposals.get(proposal)) {
                    let stands = TimeDelta::seconds(proposal.terms.policy.stands_for_s());
                    self.clock_seen = self.clock_seen.max(*expires - stands);
                }
            }
            Event::PreviewFailed { proposal, .. }
            | Event::Approved { proposal, .. }
            | Event::Refused { proposal, .. }
            | Event::Withdrawn { proposal, .. }
            | Event::Expired { proposal }
            | Event::Voided { proposal, .. }
            | Event::AskedAgain { proposal, .. }
            | Event::Cleared { proposal, .. }
            | Event::Held { proposal, .. }
            | Event::PreconditionFailed { proposal, .. }
            | Event::GlassBroken { proposal, .. }
            | Event::GlassReviewed { proposal, .. }
            | Event::Verified { proposal, .. }
            | Event::ContainmentLifted { proposal, .. }
            | Event::ContainmentAccepted { proposal, .. } => {
                self.step(*proposal, event, recorded);
            }
            Event::ChangeNoted {
                change,
                text,
                proposal,
            } => {
                let noted = Change {
                    text: text.clone(),
                    proposal: *proposal,
                    settled: None,
                    event: recorded.seq,
                };
                self.changes.insert(*change, noted);
            }
            Event::ChangeReconciled { change, reference } => {
                self.settle_change(
                    *change,
                    ChangeSettled::Reconciled {
                        reference: reference.clone(),
                    },
                );
            }
            Event::ChangeWaived { change, reason } => {
                let waived = ChangeSettled::Waived {
                    reason: reason.clone(),
                    by: recorded.by.clone(),
                };
                self.settle_change(*change, waived);
            }
            Event::GroupMissed { group, why } => {
                self.groups_missed
                    .insert(group.clone(), (why.clone(), recorded.recorded));
            }
            _ => {}
        }
    }

    /// Moves a proposal on, if the table allows it.
    fn step(&mut self, id: ProposalId, event: &Event, recorded: &Recorded) {
        if let Some(proposal) = self.proposals.get_mut(&id)
            && let Err(illegal) = proposal.apply(event, recorded)
        {
            self.illegal.push(illegal);
        }
    }

    fn settle_change(&mut self, id: ChangeId, settled: ChangeSettled) {
        if let Some(change) = self.changes.get_mut(&id) {
            change.settled = Some(settled);
        }
    }

    /// A change made by an action is on the list to reconcile from the moment it is known to have happened.
    fn note_manual_change(&mut self, id: ProposalId, recorded: &Recorded) {
        let Some(proposal) = self.proposals.get(&id) else {
            return;
        };
        let known = self.changes.values().any(|change| change.proposal == Some(id));
        if matches!(proposal.stage, Stage::Done { .. }) && proposal.terms.manual_change && !known {
            let next = ChangeId(self.changes.len() as u32 + 1);
            let text = format!("{} on {}", proposal.terms.title, proposal.terms.target);
            let change = Change {
                text,
                proposal: Some(id),
                settled: None,
                event: recorded.seq,
            };
            self.changes.insert(next, change);
        }
    }
}

impl Proposal {
    fn apply(&mut self, event: &Event, recorded: &Recorded) -> Result<(), Illegal> {
        if let Some(next) = self.next_stage(event, recorded)? {
            if !self.stage.may_become(&next) {
                return Err(self.illegal(recorded, next.word()));
            }
            self.stage = next;
            self.since = recorded.occurred;
        }
        let by = recorded.by.person().cloned();
        match event {
            Event::Approved { digest, reason, .. } => {
                if let Some(by) = by {
                    self.approvals.retain(|approval| approval.by != by);
                    self.approvals.push(Approval {
                        by,
                        at: recorded.occurred,
                        reason: reason.clone(),
                        digest: digest.clone(),
                    });
                }
            }
            Event::AskedAgain { circle, .. } => self.asked_again = *circle,
            Event::GlassBroken { reason, .. } => {
                self.break_glass = Some(BreakGlass {
                    by,
                    reason: reason.clone(),
                    reviewed: None,
                });
            }
            Event::GlassReviewed { note, .. } => {
                if let Some(glass) = &mut self.break_glass {
                    glass.reviewed = Some(note.clone());
                }
            }
            Event::Verified { worked: true, .. } => {
                self.verified = Some(recorded.seq);
                self.verified_at = Some(recorded.occurred);
                if self.terms.containment {
                    let since = recorded.occurred;
                    self.containment = Some(Containment::InForce { since });
                }
            }
            Event::ContainmentLifted { grounds, .. } => {
                self.containment = Some(Containment::Lifted {
                    grounds: grounds.clone(),
                    at: recorded.occurred,
                });
            }
            Event::ContainmentAccepted { reason, .. } => {
                self.containment = Some(Containment::Accepted {
                    by,
                    reason: reason.clone(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// The stage an event leads to; `None`: it moves nothing. What only a shown operation can become is illegal before
    /// one was shown.
    fn next_stage(&self, event: &Event, recorded: &Recorded) -> Result<Option<Stage>, Illegal> {
        let by = recorded.by.person().cloned();
        Ok(Some(match event {
            Event::PreviewFailed { why, .. } => Stage::PreviewFailed { why: why.clone() },
            Event::Proposed {
                preview,
                digest,
                expires,
                ..
            } => Stage::Waiting {
                shown: Shown {
                    preview: (**preview).clone(),
                    digest: digest.clone(),
                    expires: *expires,
                },
            },
            Event::Refused { reason, .. } => Stage::Refused {
                by: by.ok_or_else(|| self.illegal(recorded, "refused by nobody"))?,
                reason: reason.clone(),
            },
            Event::Withdrawn { reason, .. } => Stage::Withdrawn {
                by,
                reason: reason.clone(),
            },
            Event::Expired { .. } => Stage::Expired,
            Event::Voided { why, .. } => Stage::Voided { why: why.clone() },
            Event::PreconditionFailed { why, .. } => Stage::PreconditionFailed { why: why.clone() },
            Event::Cleared { .. } => Stage::Cleared {
                shown: self.was_shown(recorded, "approved")?,
                held: None,
            },
            Event::Held { why, .. } => Stage::Cleared {
                shown: self.was_shown(recorded, "approved, held")?,
                held: Some(why.clone()),
            },
            Event::AttemptStarted { attempt, .. } => Stage::Running {
                shown: self.was_shown(recorded, "running")?,
                attempt: *attempt,
            },
            Event::AttemptFinished { attempt, outcome } => self.ended(*attempt, outcome, recorded)?,
            Event::AttemptSettled {
                attempt,
                happened,
                grounds,
            } => {
                let outcome = match happened {
                    true => Outcome::Done {
                        report: grounds.clone(),
                    },
                    false => Outcome::NotDone { why: grounds.clone() },
                };
                self.ended(*attempt, &outcome, recorded)?
            }
            Event::Verified { worked, grounds, .. } => Stage::Verified {
                shown: self.was_shown(recorded, "verified")?,
                attempt: self
                    .stage
                    .attempt()
                    .ok_or_else(|| self.illegal(recorded, "verified"))?,
                worked: *worked,
                grounds: grounds.clone(),
            },
            _ => return Ok(None),
        }))
    }

    fn ended(&self, attempt: AttemptId, outcome: &Outcome, recorded: &Recorded) -> Result<Stage, Illegal> {
        Ok(match outcome {
            Outcome::Done { report } => Stage::Done {
                shown: self.was_shown(recorded, "done, being verified")?,
                attempt,
                report: report.clone(),
            },
            Outcome::NotDone { why } => Stage::NotDone {
                attempt,
                why: why.clone(),
            },
            Outcome::Unknown { why } => Stage::Unknown {
                shown: self.was_shown(recorded, "outcome unknown")?,
                attempt,
                why: why.clone(),
            },
        })
    }

    fn was_shown(&self, recorded: &Recorded, to: &'static str) -> Result<Shown, Illegal> {
        let shown = self.stage.shown().cloned();
        shown.ok_or_else(|| self.illegal(recorded, to))
    }

    fn illegal(&self, recorded: &Recorded, to: &'static str) -> Illegal {
        Illegal {
            event: recorded.seq,
            proposal: self.id,
            from: self.stage.word(),
            to,
        }
    }
}
