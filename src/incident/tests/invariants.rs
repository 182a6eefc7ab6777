//! What must hold in every incident at every moment, whatever was asked of it and by whom. Told a second time and in
//! other words than the rules themselves, so that a mistake in one shows in the other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::incident::*;

/// What an observer knows who only reads the journal.
#[derive(Debug, Default)]
pub struct Invariants {
    seq: u64,
    recorded: Option<DateTime<Utc>>,
    phase: Option<Phase>,
    commander: BTreeSet<PersonId>,
    deputy: BTreeSet<PersonId>,
    actions: BTreeMap<ProposalId, Action>,
    attempts: BTreeMap<AttemptId, ProposalId>,
    answers: BTreeMap<ProbeRunId, (Asked, Option<Verdict>)>,
    in_force: BTreeSet<ProposalId>,
    marked: BTreeMap<MessageRef, BTreeSet<PersonId>>,
    /// Who wants what was made of a message, and how they said so.
    wishes: BTreeMap<String, BTreeSet<(String, Marking)>>,
    drill: bool,
    /// What was last said about damage, and by which event.
    damage: Option<(bool, u64)>,
    /// Containment that was verified and not lifted, with the event that verified it.
    contains: BTreeMap<ProposalId, u64>,
    /// Files of marked messages, and whether it is known what became of them.
    files: BTreeMap<(MessageRef, String), bool>,
    review: Option<Review>,
    resolved: bool,
}

#[derive(Debug)]
struct Action {
    terms: Terms,
    proposer: Option<PersonId>,
    shown: Option<(String, Operation, DateTime<Utc>)>,
    approvals: Vec<(PersonId, String)>,
    glass: bool,
    /// Ended without an attempt.
    over: bool,
    attempt: Option<AttemptId>,
    /// Started, and nobody knows for certain how it ended.
    open: bool,
}

impl Invariants {
    /// Holds everything against one decision.
    pub fn after(
        &mut self,
        written: &[Recorded],
        clock: DateTime<Utc>,
        around: &Surroundings,
        journal: &[Recorded],
        state: Option<&State>,
    ) {
        for recorded in written {
            self.see(recorded, clock, around);
        }
        let Some(state) = state else { return };
        self.hold(state);
        assert_eq!(
            State::replay(journal).as_ref(),
            Some(state),
            "the state is the fold of the journal and nothing else"
        );
        for recorded in written {
            assert_eq!(react(state, recorded), react(state, recorded), "reacting is pure");
            reads_back(recorded);
        }
    }

    fn see(&mut self, recorded: &Recorded, clock: DateTime<Utc>, around: &Surroundings) {
        assert_eq!(recorded.seq, self.seq + 1, "the journal has no gaps");
        self.seq = recorded.seq;
        assert!(
            self.recorded.is_none_or(|last| recorded.recorded >= last),
            "time never runs backwards"
        );
        self.recorded = Some(recorded.recorded);
        let Some(event) = &recorded.event else { return };
        self.see_order(recorded, event);
        self.see_people(recorded, event);
        self.see_life(recorded, event);
        self.see_attempts(event, clock, around);
        self.see_damage(recorded, event);
        self.see_evidence(event);
        self.see_review(event, clock);
    }

    /// Contain is left by its gate only when no damage goes on, or when what stops it was verified after it was reported.
    fn see_damage(&mut self, recorded: &Recorded, event: &Event) {
        match event {
            Event::DamageAssessed { ongoing, .. } => self.damage = Some((*ongoing, recorded.seq)),
            Event::Reopened { .. } => self.damage = None,
            Event::Verified {
                proposal,
                worked: true,
                ..
            } if self.action(*proposal).terms.containment => {
                self.contains.insert(*proposal, recorded.seq);
            }
            Event::ContainmentLifted { proposal, .. } => {
                let lifted = self.contains.remove(proposal);
                assert!(
                    lifted.is_some(),
                    "{proposal} is lifted once, and only where it contained"
                );
            }
            Event::ContainmentAccepted { proposal, .. } => {
                assert!(
                    self.contains.contains_key(proposal),
                    "only containment is accepted"
                );
            }
            Event::PhaseEntered {
                from: Some(Phase::Contain),
                passage: Passage::Gate,
                ..
            } => {
                let (ongoing, reported) = self.damage.expect("somebody said whether damage goes on");
                let stopped = self.contains.values().any(|verified| *verified > reported);
                assert!(!ongoing || stopped, "Contain closes on a verified containment");
            }
            _ => {}
        }
    }

    /// What becomes of a file is known once, and only of files that somebody marked.
    fn see_evidence(&mut self, event: &Event) {
        match event {
            Event::MessageMarked { marked, .. } => {
                for file in &marked.files {
                    let file = (marked.message.clone(), file.id.clone());
                    self.files.entry(file).or_default();
                }
            }
            Event::FileKept { message, file, .. } | Event::FileMissed { message, file, .. } => {
                let known = self.files.get_mut(&(message.clone(), file.clone()));
                let known = known.expect("a file of a marked message");
                assert!(
                    !std::mem::replace(known, true),
                    "what became of {file} is said once"
                );
            }
            _ => {}
        }
    }

    /// A review goes one way, or back to the draft; nobody is reminded of what is reviewed or not due.
    fn see_review(&mut self, event: &Event, clock: DateTime<Utc>) {
        let now = self.review.unwrap_or(Review::Draft);
        match event {
            Event::ReviewChanged { to, .. } => {
                let legal = *to == Review::Draft
                    || matches!(
                        (now, *to),
                        (Review::Draft, Review::InReview)
                            | (Review::InReview, Review::Reviewed)
                            | (Review::Reviewed, Review::Closed)
                    );
                assert!(legal, "a review goes from {now} to {to}");
                self.review = Some(*to);
            }
            Event::Resolved { .. } => self.resolved = true,
            Event::Reopened { .. } => (self.resolved, self.review) = (false, None),
            Event::PhaseEntered {
                passage: Passage::Back { .. },
                ..
            } => self.review = None,
            Event::PostmortemReminded { due } => {
                assert!(self.resolved, "reminded of the post-mortem of what goes on");
                assert!(matches!(now, Review::Draft | Review::InReview), "it is {now}");
                assert!(*due <= clock, "it is not due yet");
            }
            _ => {}
        }
    }

    fn see_order(&mut self, recorded: &Recorded, event: &Event) {
        match event {
            Event::Opened { opening } => self.drill = opening.drill,
            Event::PhaseEntered { phase, from, passage } => {
                assert_eq!(*from, self.phase, "a passage says where it comes from");
                match (passage, self.phase) {
                    (Passage::Start, None) => {}
                    (Passage::Gate, Some(from)) => assert_eq!(from.next(), Some(*phase)),
                    (Passage::Override { reason, open }, Some(from)) => {
                        assert!(!reason.trim().is_empty(), "an override has a reason");
                        assert!(!open.is_empty(), "an override says what was left open");
                        assert!(*phase >= from, "an override goes on, not back");
                        let by = recorded.by.person().expect("a person overrides");
                        assert!(
                            self.commander.contains(by) || self.deputy.contains(by),
                            "{by} overrode a gate without leading"
                        );
                    }
                    (Passage::Back { reason }, Some(from)) => {
                        assert!(!reason.trim().is_empty(), "going back has a reason");
                        assert!(*phase < from || *phase == Phase::Confirm, "back is not forward");
                    }
                    (passage, from) => panic!("{passage:?} from {from:?}"),
                }
                self.phase = Some(*phase);
            }
            Event::ProposalDrafted { .. } => {
                assert_ne!(
                    self.phase,
                    Some(Phase::Confirm),
                    "nothing is proposed before the frame"
                );
            }
            Event::Closed => {
                let open: Vec<_> = self.actions.iter().filter(|(_, action)| action.open).collect();
                assert!(open.is_empty(), "closed with open attempts: {open:?}");
            }
            _ => {}
        }
    }

    fn see_people(&mut self, recorded: &Recorded, event: &Event) {
        match event {
            Event::RoleTaken { role, person } => {
                self.holders(*role, |holders| *holders = [person.clone()].into())
            }
            Event::RoleReleased { role, person } => self.holders(*role, |holders| {
                holders.remove(person);
            }),
            Event::HandedOver { role, from, to, .. } => self.holders(*role, |holders| {
                holders.remove(from);
                holders.insert(to.clone());
            }),
            Event::MessageMarked { marked, .. } => {
                let by = recorded.by.person().cloned();
                self.marked.entry(marked.message.clone()).or_default().extend(by);
            }
            Event::MessageUnmarked { message, .. } => {
                let marks = self.marked.entry(message.clone()).or_default();
                match recorded.by.person() {
                    Some(person) => {
                        marks.remove(person);
                    }
                    None => marks.clear(),
                }
            }
            _ => self.see_wishes(recorded, event),
        }
    }

    /// What was made of a message goes with a mark only if nobody else's stands for it.
    fn see_wishes(&mut self, recorded: &Recorded, event: &Event) {
        let by = recorded.by.person().map(ToString::to_string).unwrap_or_default();
        let mut wants = |made: Made, marking: Marking| {
            let wish = (by.clone(), marking);
            assert!(self.wishes.entry(made.to_string()).or_default().insert(wish));
        };
        match event {
            Event::TaskAdded { task, marking, .. } => wants(Made::Task(*task), *marking),
            Event::FollowupAdded {
                followup, marking, ..
            } => wants(Made::Followup(*followup), *marking),
            Event::Seconded { made, marking } => wants(*made, *marking),
            Event::ReactionTakenBack { made, marking } => {
                let wishes = self.wishes.entry(made.to_string()).or_default();
                assert!(wishes.remove(&(by, *marking)), "who takes back has wished for it");
            }
            Event::TaskDropped {
                task,
                taken_back: true,
                ..
            } => self.see_gone(&Made::Task(*task), &by),
            Event::FollowupDropped {
                followup,
                taken_back: true,
                ..
            } => self.see_gone(&Made::Followup(*followup), &by),
            _ => {}
        }
    }

    fn see_gone(&mut self, made: &Made, by: &str) {
        let wishes = self.wishes.remove(&made.to_string()).unwrap_or_default();
        assert_eq!(
            wishes.len(),
            1,
            "{made} is dropped with the last wish: {wishes:?}"
        );
        assert!(
            wishes
                .iter()
                .all(|(whose, marking)| whose == by && *marking != Marking::Asked)
        );
    }

    fn holders(&mut self, role: Role, change: impl FnOnce(&mut BTreeSet<PersonId>)) {
        match role {
            Role::Commander => change(&mut self.commander),
            Role::Deputy => change(&mut self.deputy),
            _ => {}
        }
    }

    fn see_life(&mut self, recorded: &Recorded, event: &Event) {
        let by = recorded.by.person().cloned();
        match event {
            Event::ProposalDrafted { proposal, terms, .. } => {
                let drafted = Action {
                    terms: (**terms).clone(),
                    proposer: by,
                    shown: None,
                    approvals: Vec::new(),
                    glass: false,
                    over: false,
                    attempt: None,
                    open: false,
                };
                assert!(
                    self.actions.insert(*proposal, drafted).is_none(),
                    "{proposal} is new"
                );
            }
            Event::Proposed {
                proposal,
                preview,
                digest,
                expires,
            } => {
                let action = self.action(*proposal);
                assert!(
                    action.shown.is_none(),
                    "what people approve is shown once and never exchanged"
                );
                action.shown = Some((digest.clone(), preview.operation.clone(), *expires));
            }
            Event::Approved { proposal, digest, .. } => {
                let action = self.action(*proposal);
                let by = by.expect("a person approves");
                assert_ne!(
                    action.proposer.as_ref(),
                    Some(&by),
                    "nobody approves their own proposal"
                );
                action.approvals.push((by, digest.clone()));
            }
            Event::GlassBroken {
                proposal,
                typed_target,
                reason,
            } => {
                let by = by.expect("a person breaks the glass");
                assert!(
                    self.commander.contains(&by),
                    "only the commander breaks the glass"
                );
                assert!(!reason.trim().is_empty(), "broken glass has a reason");
                let action = self.action(*proposal);
                assert_eq!(*typed_target, action.terms.target, "the target was typed");
                action.glass = true;
            }
            Event::PreviewFailed { proposal, .. }
            | Event::Refused { proposal, .. }
            | Event::Withdrawn { proposal, .. }
            | Event::Expired { proposal }
            | Event::Voided { proposal, .. }
            | Event::PreconditionFailed { proposal, .. } => {
                let action = self.action(*proposal);
                assert!(
                    action.attempt.is_none(),
                    "{proposal} ran and cannot be {}",
                    event.kind()
                );
                action.over = true;
            }
            Event::Verified { proposal, worked, .. } => {
                let action = self.action(*proposal);
                assert!(
                    action.attempt.is_some() && !action.open,
                    "only what was done is verified"
                );
                if *worked && action.terms.containment {
                    self.in_force.insert(*proposal);
                }
            }
            Event::ContainmentLifted { proposal, .. } | Event::ContainmentAccepted { proposal, .. } => {
                self.in_force.remove(proposal);
            }
            _ => {}
        }
    }

    fn see_attempts(&mut self, event: &Event, clock: DateTime<Utc>, around: &Surroundings) {
        match event {
            Event::ProbeAsked { asked } => {
                let before = self.answers.insert(asked.run, (asked.clone(), None));
                assert!(before.is_none(), "{} is asked once", asked.run);
            }
            Event::ProbeAnswered { run, answer } => {
                let (_, verdict) = self.answers.get_mut(run).expect("asked before it is answered");
                assert!(
                    verdict.replace(answer.verdict).is_none(),
                    "{run} is answered once"
                );
            }
            Event::AttemptStarted {
                proposal,
                attempt,
                operation,
                digest,
            } => {
                self.may_start(*proposal, operation, digest, clock, around);
                assert!(
                    self.attempts.insert(*attempt, *proposal).is_none(),
                    "{attempt} is new"
                );
                let action = self.action(*proposal);
                action.attempt = Some(*attempt);
                action.open = true;
            }
            Event::AttemptFinished { attempt, outcome } => {
                let proposal = self.attempts[attempt];
                self.action(proposal).open = matches!(outcome, Outcome::Unknown { .. });
            }
            Event::AttemptSettled { attempt, .. } => {
                let proposal = self.attempts[attempt];
                self.action(proposal).open = false;
            }
            _ => {}
        }
    }

    /// The two states that must never be possible end here: an action twice, or without its approvals.
    fn may_start(
        &self,
        proposal: ProposalId,
        operation: &Operation,
        digest: &str,
        clock: DateTime<Utc>,
        around: &Surroundings,
    ) {
        let action = &self.actions[&proposal];
        assert!(action.attempt.is_none(), "{proposal} is attempted at most once");
        assert!(!action.over, "{proposal} was over and ran all the same");
        let (shown, approved, expires) = action.shown.as_ref().expect("shown before it runs");
        assert_eq!(
            (digest, operation),
            (shown.as_str(), approved),
            "what was approved is what runs"
        );
        assert!(clock < *expires, "{proposal} ran after it expired");
        let counting: BTreeSet<_> = action
            .approvals
            .iter()
            .filter(|(_, digest)| digest == shown)
            .map(|(person, _)| person)
            .filter(|person| action.proposer.as_ref() != Some(person))
            .filter(|person| match action.terms.policy.role {
                Some(role) => around.holds(person, role),
                None => around.may_command(person),
            })
            .collect();
        assert!(
            action.glass || counting.len() >= action.terms.policy.quorum as usize,
            "{proposal} ran on {counting:?}"
        );
        let target = &action.terms.target;
        assert!(
            around.freeze_on(target).is_none(),
            "{proposal} ran on a frozen target"
        );
        assert!(
            !around.locks.contains_key(target),
            "{proposal} ran on a locked target"
        );
        let elsewhere = self
            .actions
            .values()
            .any(|other| other.open && other.terms.target == *target);
        assert!(!elsewhere, "two attempts at once on {target}");
        assert_eq!(
            around.entries.get(&action.terms.action),
            Some(&action.terms.entry_digest),
            "{proposal} ran although its catalog entry changed"
        );
        assert!(
            !self.drill || action.terms.environment == Environment::Drill,
            "a drill touched {target}"
        );
        if let Some(check) = &action.terms.precondition {
            let last = self.answers.values().rfind(|(asked, verdict)| {
                asked.purpose == Purpose::Precondition { proposal } && verdict.is_some()
            });
            assert_eq!(
                last.and_then(|(_, verdict)| *verdict),
                Some(check.wants),
                "{proposal} ran against its precondition"
            );
        }
    }

    fn action(&mut self, proposal: ProposalId) -> &mut Action {
        self.actions.get_mut(&proposal).expect("drafted first")
    }

    fn hold(&self, state: &State) {
        assert_eq!(state.illegal, Vec::new(), "every step is in the table of stages");
        assert_eq!(state.seq, self.seq);
        assert_eq!(Some(state.phase), self.phase);
        let listed: BTreeSet<_> = state.containment_in_force().collect();
        assert_eq!(
            listed, self.in_force,
            "containment is listed until it is lifted or accepted"
        );
        for (message, by) in &self.marked {
            let shown = state
                .marks
                .get(message)
                .is_some_and(|mark| mark.removed.is_none());
            assert_eq!(
                shown,
                !by.is_empty(),
                "a message is on the timeline while somebody wants it there"
            );
        }
        for attempt in self.attempts.keys() {
            let running = matches!(
                state.proposals[&self.attempts[attempt]].stage,
                Stage::Running { .. }
            );
            assert_eq!(
                state.approved(*attempt).is_some(),
                running,
                "only a running attempt may run"
            );
        }
        if state.life == Life::Closed {
            assert_eq!(
                state.unreviewed_glass(),
                Vec::new(),
                "broken glass is never closed unread"
            );
        }
    }
}

/// An event is the same after it was stored and read.
fn reads_back(recorded: &Recorded) {
    let Some(event) = &recorded.event else { return };
    let payload = serde_json::to_string(event).expect("an event is JSON");
    let read = Event::read(event.kind(), VERSION, &payload).expect("its payload reads");
    assert_eq!(read, *event, "an event reads back as it was");
}
