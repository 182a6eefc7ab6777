//! Folding events into the state: the incident and its order here, what is done to systems in `actions`, what people
//! agree and say in `people`.

mod actions;
mod people;
mod rooms;

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
            rooms_asked: Vec::new(),
            lost: Default::default(),
            carry: opening.settings.rooms.carry,
            room_failed: None,
            first_room: None,
            given_back: Vec::new(),
            moments: Default::default(),
            phase: Phase::Confirm,
            proven_from: 0,
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
            groups_missed: Default::default(),
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
            redacted: BTreeSet::new(),
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
        self.apply_rooms(event, recorded);
        self.apply_incident(event, recorded);
        self.apply_order(event, recorded);
        self.apply_questions(event, recorded);
        self.apply_action(event, recorded);
        self.apply_people(event, recorded);
        self.apply_words(event, recorded);
    }

    fn apply_incident(&mut self, event: &Event, recorded: &Recorded) {
        match event {
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
                // What was said before says nothing about the new damage. It goes back to Confirm with this.
                self.damage = None;
                self.cause = None;
                self.lines_left.clear();
                self.steps.clear();
                self.branches.clear();
                for moment in [Moment::Recovered, Moment::Closed] {
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
                    self.prove_anew(*phase, recorded.seq);
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

    /// What was proven before somebody went back proves nothing about what comes now, and what was decided rested on other
    /// facts.
    fn prove_anew(&mut self, from: Phase, event: u64) {
        self.proven_from = event;
        self.recovery.clear();
        self.moments.remove(&Moment::Validated);
        if from <= Phase::Decide {
            self.decision = None;
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
            Event::CauseAccepted { finding, .. } => self.cause = Some(*finding),
            Event::TriageLeft { lines, .. } => self.lines_left.extend(lines.iter().copied()),
            _ => {}
        }
    }
}

impl Role {
    /// One holder at a time; taking it takes it over.
    pub fn is_single(self) -> bool {
        matches!(self, Role::Commander | Role::Deputy | Role::Scribe)
    }
}
