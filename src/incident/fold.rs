//! Folding events into the state.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::action::Outcome;
use super::event::{Event, Opening, Passage, Recorded};
use super::proposal::{BreakGlass, Containment, Illegal, Proposal, Shown, Stage};
use super::state::*;
use super::words::*;

/// Seconds between two reminders of a post-mortem that is due: once a day, because it is work for the day.
const POSTMORTEM_EVERY_S: u64 = 86_400;

/// Longest wait, in seconds: a year. Guards the arithmetic against a config that means never.
pub(super) const LONGEST_TIMER_S: u64 = 365 * 86_400;

/// The moment so many seconds later.
pub(super) fn after(at: DateTime<Utc>, seconds: u64) -> DateTime<Utc> {
    at + TimeDelta::seconds(seconds.min(LONGEST_TIMER_S) as i64)
}

impl State {
    /// The state after these events; `None` before an incident was opened.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> Option<State> {
        let mut state = None;
        for event in events {
            State::fold(&mut state, event);
        }
        state
    }

    /// Takes one more event in.
    pub fn fold(state: &mut Option<State>, recorded: &Recorded) {
        match (state.as_mut(), &recorded.event) {
            (Some(state), _) => state.apply(recorded),
            (None, Some(Event::Opened { opening })) => *state = Some(State::opened(opening, recorded)),
            // A journal whose opening was redacted beyond reading has no state; `journal verify` shows the gap.
            (None, _) => {}
        }
    }

    fn opened(opening: &Opening, recorded: &Recorded) -> State {
        let mut state = State {
            seq: recorded.seq,
            last: recorded.recorded,
            clock_behind: false,
            clock_seen: recorded.recorded,
            opening: opening.clone(),
            opened_by: recorded.by.clone(),
            life: Life::Open,
            title: opening.title.clone(),
            severity: opening.severity,
            process: opening.process,
            targets: opening.targets.clone(),
            rooms: Vec::new(),
            room_failed: None,
            moments: Default::default(),
            phase: Phase::Confirm,
            passages: Vec::new(),
            frame: Default::default(),
            sentence: None,
            damage: None,
            steps: Default::default(),
            branches: Default::default(),
            runs: Default::default(),
            findings: Default::default(),
            cause: None,
            lines_left: Default::default(),
            proposals: Default::default(),
            attempts: Default::default(),
            changes: Default::default(),
            decision: None,
            recovery: Default::default(),
            roles: Default::default(),
            involved: Default::default(),
            invited: Default::default(),
            pages: Default::default(),
            tasks: Default::default(),
            followups: Default::default(),
            updates: Vec::new(),
            update_due: None,
            marks: Default::default(),
            links: Vec::new(),
            sections: Default::default(),
            review: Review::Draft,
            postmortem_due: None,
            postmortem_remind: None,
            illegal: Vec::new(),
        };
        state.involved.extend(recorded.by.person().cloned());
        state
    }

    fn apply(&mut self, recorded: &Recorded) {
        self.seq = recorded.seq;
        if recorded.recorded > self.last {
            self.last = recorded.recorded;
            self.clock_behind = false;
            self.clock_seen = recorded.recorded;
        }
        self.involved.extend(recorded.by.person().cloned());
        let Some(event) = &recorded.event else { return };
        self.apply_incident(event, recorded);
        self.apply_order(event, recorded);
        self.apply_questions(event, recorded);
        self.apply_action(event, recorded);
        self.apply_people(event, recorded);
        self.apply_words(event, recorded);
    }

    fn apply_incident(&mut self, event: &Event, recorded: &Recorded) {
        match event {
            Event::RoomOpened { room, audience } if !self.rooms.iter().any(|(known, _)| known == room) => {
                self.rooms.push((room.clone(), *audience));
                self.room_failed = None;
            }
            Event::RoomFailed { why } => self.room_failed = Some(why.clone()),
            Event::Retitled { title } => self.title = title.clone(),
            Event::SeverityChanged { to, .. } => self.severity = *to,
            Event::ProcessChanged { to, .. } => self.process = *to,
            Event::TargetAdded { target } if !self.targets.contains(target) => {
                self.targets.push(target.clone())
            }
            Event::RunbookChanged { plan, .. } => {
                self.opening.plan = (**plan).clone();
                self.steps.clear();
                self.branches.clear();
            }
            Event::MomentSet {
                moment,
                at,
                provenance,
            } => {
                let set = MomentAt {
                    at: *at,
                    provenance: provenance.clone(),
                    event: recorded.seq,
                };
                self.moments.insert(*moment, set);
            }
            Event::Linked { link } if !self.links.contains(link) => self.links.push(link.clone()),
            Event::MarkedDuplicate { of } => self.life = Life::Duplicate { of: *of },
            Event::Cancelled { reason } => {
                self.life = Life::Cancelled {
                    reason: reason.clone(),
                }
            }
            Event::Resolved { .. } => {
                self.life = Life::Resolved;
                let due_s = self.opening.settings.postmortem_due_s[self.severity as usize];
                self.postmortem_due = due_s.map(|due_s| after(recorded.recorded, due_s));
                self.postmortem_remind = self.postmortem_due;
            }
            Event::Reopened { .. } => {
                self.life = Life::Open;
                self.review = Review::Draft;
                self.postmortem_due = None;
                self.postmortem_remind = None;
                // What was proven and decided before proves nothing about the new damage.
                self.recovery.clear();
                self.damage = None;
                self.cause = None;
                self.lines_left.clear();
                self.decision = None;
                self.steps.clear();
                self.branches.clear();
                for moment in [Moment::Recovered, Moment::Validated, Moment::Closed] {
                    self.moments.remove(&moment);
                }
            }
            Event::Closed => self.life = Life::Closed,
            Event::ClockJumped { back_ms } => {
                self.clock_behind = true;
                self.clock_seen = recorded.recorded - TimeDelta::milliseconds(*back_ms);
            }
            _ => {}
        }
    }

    fn apply_order(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::PhaseEntered { phase, passage, .. } => {
                self.phase = *phase;
                self.passages.push(PhasePassage {
                    phase: *phase,
                    at: recorded.occurred,
                    by,
                    passage: passage.clone(),
                    event: recorded.seq,
                });
                if let Passage::Back { .. } = passage {
                    self.review = Review::Draft;
                }
            }
            Event::Framed {
                frame,
                sentence,
                whole,
            } => {
                self.frame = frame.clone();
                self.sentence = whole.then(|| sentence.clone());
            }
            Event::DamageAssessed { ongoing, detail } => {
                self.damage = Some(Damage {
                    ongoing: *ongoing,
                    detail: detail.clone(),
                    by,
                    event: recorded.seq,
                });
            }
            Event::StepDone { step, note } => {
                self.steps.insert(
                    step.clone(),
                    StepState::Done {
                        by,
                        note: note.clone(),
                    },
                );
            }
            Event::StepSkipped { step, reason } => {
                self.steps.insert(
                    step.clone(),
                    StepState::Skipped {
                        by,
                        reason: reason.clone(),
                    },
                );
            }
            Event::StepAnswered { step, answer } => {
                self.steps.insert(
                    step.clone(),
                    StepState::Answered {
                        by,
                        answer: answer.clone(),
                    },
                );
            }
            Event::BranchTaken { step, branch, .. } => {
                self.branches.insert(step.clone(), branch.clone());
                self.steps.insert(
                    step.clone(),
                    StepState::Done {
                        by,
                        note: Some(branch.clone()),
                    },
                );
            }
            Event::Decided { way, reason, facts } => {
                self.decision = Some(Decision {
                    way: *way,
                    reason: reason.clone(),
                    facts: facts.clone(),
                    by,
                    at: recorded.occurred,
                    event: recorded.seq,
                });
            }
            Event::RecoveryChecked {
                item,
                passed,
                count,
                detail,
            } => {
                let checked = Recovery::Checked {
                    passed: *passed,
                    count: *count,
                    detail: detail.clone(),
                    by,
                    event: recorded.seq,
                };
                self.recovery.insert(*item, checked);
            }
            Event::RecoveryWaived { item, reason } => {
                let waived = Recovery::Waived {
                    reason: reason.clone(),
                    by,
                    event: recorded.seq,
                };
                self.recovery.insert(*item, waived);
            }
            _ => {}
        }
    }

    fn apply_questions(&mut self, event: &Event, recorded: &Recorded) {
        match event {
            Event::ProbeAsked { asked } => {
                use super::event::Purpose::*;
                if let Precondition { proposal } | Before { proposal } | Verify { proposal } = asked.purpose
                    && let Some(proposal) = self.proposals.get_mut(&proposal)
                {
                    proposal.checks.push(asked.run);
                }
                let run = Run {
                    asked: asked.clone(),
                    at: recorded.occurred,
                    by: recorded.by.clone(),
                    event: recorded.seq,
                    answer: None,
                    answered: None,
                    answered_at: None,
                };
                self.runs.insert(asked.run, run);
            }
            Event::ProbeAnswered { run, answer } => {
                if let Some(run) = self.runs.get_mut(run) {
                    run.answer = Some(answer.clone());
                    run.answered = Some(recorded.seq);
                    run.answered_at = Some(recorded.recorded);
                }
            }
            Event::FindingRecorded {
                finding,
                line,
                conclusion,
                text,
                evidence,
            } => {
                let recorded = Finding {
                    line: *line,
                    conclusion: *conclusion,
                    text: text.clone(),
                    evidence: evidence.clone(),
                    by: recorded.by.clone(),
                    at: recorded.occurred,
                    event: recorded.seq,
                };
                self.findings.insert(*finding, recorded);
            }
            Event::CauseAccepted { finding } => self.cause = Some(*finding),
            Event::TriageLeft { lines, .. } => self.lines_left.extend(lines.iter().copied()),
            _ => {}
        }
    }

    fn apply_action(&mut self, event: &Event, recorded: &Recorded) {
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

    fn apply_people(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::RoleTaken { role, person } => {
                let holders = self.roles.entry(*role).or_default();
                if role.is_single() {
                    holders.clear();
                }
                holders.insert(person.clone());
                self.involved.insert(person.clone());
            }
            Event::RoleReleased { role, person } => {
                if let Some(holders) = self.roles.get_mut(role) {
                    holders.remove(person);
                }
            }
            Event::HandedOver { role, from, to, .. } => {
                let holders = self.roles.entry(*role).or_default();
                holders.remove(from);
                holders.insert(to.clone());
                self.involved.insert(to.clone());
            }
            Event::Invited { people } => self.invited.extend(people.iter().cloned()),
            Event::Paged {
                page,
                role,
                people,
                message,
            } => {
                let paged = Page {
                    role: *role,
                    people: people.clone(),
                    message: message.clone(),
                    by,
                    times: 1,
                    acknowledged: None,
                };
                self.pages.insert(*page, paged);
            }
            Event::PageRepeated { page, times } => {
                if let Some(page) = self.pages.get_mut(page) {
                    page.times = *times;
                }
            }
            Event::PageAcknowledged { page } => {
                if let Some(page) = self.pages.get_mut(page) {
                    page.acknowledged = by.person().cloned();
                }
            }
            Event::TaskAdded {
                task,
                text,
                owner,
                source,
            } => {
                let added = Task {
                    text: text.clone(),
                    owner: owner.clone(),
                    source: source.clone(),
                    end: None,
                    event: recorded.seq,
                };
                self.tasks.insert(*task, added);
            }
            Event::TaskAssigned { task, owner } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.owner = Some(owner.clone());
                }
            }
            Event::TaskDone { task, note } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.end = Some(Ended::Done {
                        by,
                        note: note.clone(),
                    });
                }
            }
            Event::TaskDropped { task, reason } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.end = Some(Ended::Dropped {
                        by,
                        reason: reason.clone(),
                    });
                }
            }
            _ => self.apply_followups(event, recorded),
        }
    }

    fn apply_followups(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::FollowupAdded {
                followup,
                text,
                owner,
                due,
                tracker,
                source,
            } => {
                let added = Followup {
                    text: text.clone(),
                    owner: owner.clone(),
                    due: *due,
                    tracker: tracker.clone(),
                    source: source.clone(),
                    end: None,
                    event: recorded.seq,
                };
                self.followups.insert(*followup, added);
            }
            Event::FollowupChanged {
                followup,
                owner,
                due,
                tracker,
            } => {
                if let Some(followup) = self.followups.get_mut(followup) {
                    followup.owner = owner.clone().or(followup.owner.take());
                    followup.due = due.or(followup.due);
                    followup.tracker = tracker.clone().or(followup.tracker.take());
                }
            }
            Event::FollowupDone { followup, note } => {
                if let Some(followup) = self.followups.get_mut(followup) {
                    followup.end = Some(Ended::Done {
                        by,
                        note: note.clone(),
                    });
                }
            }
            Event::FollowupDropped { followup, reason } => {
                if let Some(followup) = self.followups.get_mut(followup) {
                    followup.end = Some(Ended::Dropped {
                        by,
                        reason: reason.clone(),
                    });
                }
            }
            _ => {}
        }
    }

    fn apply_words(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::UpdateSent { text, next } => {
                self.update_due = *next;
                let sent = Update {
                    text: text.clone(),
                    by,
                    at: recorded.occurred,
                    next: *next,
                    event: recorded.seq,
                };
                self.updates.push(sent);
            }
            Event::UpdateSnoozed { until } => self.update_due = Some(*until),
            Event::MessageMarked { marked } => {
                let mark = self.marks.entry(marked.message.clone()).or_insert_with(|| Mark {
                    marked: marked.clone(),
                    at: recorded.occurred,
                    by: BTreeSet::new(),
                    earlier: Vec::new(),
                    files: Default::default(),
                    removed: None,
                    event: recorded.seq,
                });
                mark.removed = None;
                mark.by.extend(by.person().cloned());
            }
            Event::MessageChanged { message, text } => {
                if let Some(mark) = self.marks.get_mut(message) {
                    mark.earlier
                        .push(std::mem::replace(&mut mark.marked.text, text.clone()));
                }
            }
            Event::MessageUnmarked { message, why } => {
                if let Some(mark) = self.marks.get_mut(message) {
                    // It stays as long as somebody else wants it there.
                    match by.person() {
                        Some(person) => drop(mark.by.remove(person)),
                        None => mark.by.clear(),
                    }
                    mark.removed = mark.by.is_empty().then(|| why.clone());
                }
            }
            Event::FileKept {
                message,
                file,
                size,
                sha256,
                ..
            } => {
                let kept = FileFate::Kept {
                    size: *size,
                    sha256: sha256.clone(),
                    event: recorded.seq,
                };
                self.settle_file(message, file, kept);
            }
            Event::FileMissed {
                message, file, why, ..
            } => {
                let missed = FileFate::Missed {
                    why: why.clone(),
                    event: recorded.seq,
                };
                self.settle_file(message, file, missed);
            }
            Event::Redacted { row, .. } => self.forget_files(*row, recorded.seq),
            Event::SectionWritten { section, text } => {
                let written = Written {
                    text: text.clone(),
                    by,
                    at: recorded.occurred,
                    event: recorded.seq,
                };
                self.sections.insert(*section, written);
            }
            Event::ReviewChanged { to, .. } => self.review = *to,
            Event::PostmortemReminded { .. } => {
                self.postmortem_remind = Some(after(recorded.recorded, POSTMORTEM_EVERY_S));
            }
            Event::PostmortemSnoozed { until } => self.postmortem_remind = Some(*until),
            _ => {}
        }
    }
}

impl State {
    /// What was not read yet when its message was redacted is not read any more.
    fn forget_files(&mut self, row: u64, event: u64) {
        for mark in self.marks.values_mut().filter(|mark| mark.event == row) {
            for file in &mark.marked.files {
                let missed = || FileFate::Missed {
                    why: "the message was redacted".to_owned(),
                    event,
                };
                mark.files.entry(file.id.clone()).or_insert_with(missed);
            }
        }
    }

    fn settle_file(&mut self, message: &MessageRef, file: &str, fate: FileFate) {
        if let Some(mark) = self.marks.get_mut(message) {
            mark.files.insert(file.to_owned(), fate);
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
        }
        let by = recorded.by.person().cloned();
        match event {
            Event::Approved { digest, reason, .. } => {
                if let Some(by) = by {
                    self.approvals.retain(|approval| approval.by != by);
                    self.approvals.push(super::action::Approval {
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

impl Role {
    /// One holder at a time; taking it takes it over.
    pub fn is_single(self) -> bool {
        matches!(self, Role::Commander | Role::Deputy | Role::Scribe)
    }
}
