//! Proposing, approving, attempting: the requests of an action's life. What follows by itself is in `follow`.

use chrono::TimeDelta;

use super::order::{confirm_first, ids};
use super::{Deciding, Fact, Facts, LONGEST_OPERATION, maybe_said, said};
use crate::incident::action::{Outcome, Preview, Terms};
use crate::incident::event::Event;
use crate::incident::plan::StepKind;
use crate::incident::proposal::{Containment, Proposal, Shown, Stage, digest};
use crate::incident::refusal::Refusal;
use crate::incident::request::{Request, TimerKey};
use crate::incident::state::State;
use crate::incident::words::*;

/// After this long the room is told again that a group cannot be read: once per round of asking again is enough.
const MISSED_AGAIN: TimeDelta = TimeDelta::minutes(10);

impl Deciding<'_> {
    pub(super) fn decide_action(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::Propose { terms, reason } => self.propose(state, terms, reason),
            Request::Previewed { proposal, preview } => self.previewed(state, *proposal, preview),
            Request::PreviewFailed { proposal, why } => match state.proposal(*proposal) {
                Ok(Proposal {
                    stage: Stage::Drafted,
                    ..
                }) => Ok(vec![Fact::by_rule(Event::PreviewFailed {
                    proposal: *proposal,
                    why: why.clone(),
                })]),
                _ => Ok(Vec::new()),
            },
            Request::Approve {
                proposal,
                digest,
                reason,
            } => self.approve(state, *proposal, digest.as_deref(), reason.clone()),
            Request::Refuse { proposal, reason } => self.refuse(state, *proposal, reason),
            Request::Withdraw { proposal, reason } => self.withdraw(state, *proposal, reason.clone()),
            Request::BreakGlass {
                proposal,
                target,
                reason,
            } => self.break_glass(state, *proposal, target, reason),
            Request::ReviewGlass { proposal, note } => self.review_glass(state, *proposal, note),
            Request::EndAttempt { attempt, outcome } => self.end_attempt(state, *attempt, outcome),
            Request::Settle {
                proposal,
                happened,
                grounds,
            } => self.settle(state, *proposal, *happened, grounds),
            Request::Confirm {
                proposal,
                worked,
                grounds,
            } => self.confirm(state, *proposal, *worked, grounds),
            Request::LiftContainment { proposal, reason } => self.lift_containment(state, *proposal, reason),
            Request::AcceptContainment { proposal, reason } => {
                self.accept_containment(state, *proposal, reason)
            }
            Request::MissGroup { group, why } => Ok(self.miss_group(state, group, why)),
            _ => return None,
        })
    }

    fn propose(&self, state: &State, terms: &Terms, reason: &str) -> Facts {
        if state.phase == Phase::Confirm {
            let first =
                "Nothing is touched before the incident is framed: what, who and how badly, since when.";
            return Err(confirm_first(state, first, "Then propose the action."));
        }
        let reason = said("reason", "The reason for the action", reason)?;
        if let Some(undone) = terms.undoes {
            self.may_undo(state, undone)?;
        }
        let same = state.proposals.values().find(|proposal| {
            !proposal.stage.is_over()
                && proposal.terms.action == terms.action
                && proposal.terms.target == terms.target
                && proposal.terms.params == terms.params
        });
        if let Some(same) = same {
            let words = format!(
                "The same action stands already: {} {}.",
                same.id,
                same.stage.says()
            );
            return Err(Refusal::new(words).offer("Show it", format!("action show {}", same.id)));
        }
        let proposal = ProposalId(state.proposals.len() as u32 + 1);
        let terms = Box::new(terms.clone());
        Ok(vec![
            Event::ProposalDrafted {
                proposal,
                terms,
                reason,
                break_glass: false,
            }
            .into(),
        ])
    }

    fn may_undo(&self, state: &State, undone: ProposalId) -> Result<(), Refusal> {
        let original = state.proposal(undone)?;
        match (&original.stage, &original.containment) {
            _ if state.undone_by(undone).is_some() => {
                Err(Refusal::new(format!("{undone} is undone already.")))
            }
            (_, Some(Containment::Lifted { grounds, .. })) => {
                Err(Refusal::new(format!("{undone} is lifted already: {grounds}.")))
            }
            (Stage::Verified { .. } | Stage::Done { .. }, _) => Ok(()),
            (stage, _) => Err(Refusal::new(format!(
                "{undone} {}; there is nothing to undo.",
                stage.says()
            ))),
        }
    }

    /// What is shown now is what an approval binds to. A drill stops here unless the target is for drills.
    fn previewed(&self, state: &State, id: ProposalId, preview: &Preview) -> Facts {
        let proposal = state.proposal(id)?;
        if proposal.stage != Stage::Drafted {
            return Ok(Vec::new());
        }
        let long = preview.operation.display.chars().count();
        if long > LONGEST_OPERATION {
            let why = format!(
                "What would run has {long} characters. People approve what they have read whole, so it must fit into one message: \
                 {LONGEST_OPERATION} characters. Shorten the catalog's entry, with a function of the database or a script, \
                 or the parameters."
            );
            return Ok(vec![Fact::by_rule(Event::PreviewFailed { proposal: id, why })]);
        }
        let terms = &proposal.terms;
        let expires = self.clock + TimeDelta::seconds(terms.policy.stands_for_s());
        let shown = Event::Proposed {
            proposal: id,
            preview: Box::new(preview.clone()),
            digest: digest(terms, &preview.operation),
            expires,
        };
        let mut facts = vec![Fact::by_rule(shown)];
        if state.opening.drill && terms.environment != Environment::Drill {
            let why = format!(
                "This is a drill and {} is a {} target: the exercise stops at the preview.",
                terms.target, terms.environment
            );
            facts.push(Fact::by_rule(Event::Voided { proposal: id, why }));
        }
        Ok(facts)
    }

    fn approve(&self, state: &State, id: ProposalId, seen: Option<&str>, reason: Option<String>) -> Facts {
        let proposal = state.proposal(id)?;
        let Some(person) = self.by.person() else {
            return Err(Refusal::new("Only a person can approve."));
        };
        let Stage::Waiting { shown } = &proposal.stage else {
            return Err(proposal.no_longer("approved"));
        };
        self.still_stands(proposal, shown)?;
        if seen.is_some_and(|seen| !shown.digest.starts_with(seen)) {
            return Err(Refusal::new(format!(
                "{id} is not what that button showed. Read what would run now, then approve that."
            ))
            .offer("Show it", format!("action show {id}")));
        }
        if proposal.proposer.as_ref() == Some(person) {
            return Err(Refusal::new(format!(
                "You proposed {id}, so your approval does not count. Somebody else has to look at it."
            )));
        }
        let role = proposal.terms.policy.role;
        if let Some(role) = role.filter(|role| !self.around.holds(person, *role)) {
            return Err(Refusal::new(format!(
                "{id} needs the {role} role, which you do not hold. The {role}s are: {}.{}",
                self.holders(role),
                self.lost(role)
            )));
        }
        if proposal
            .approvals
            .iter()
            .any(|approval| approval.by == *person && approval.digest == shown.digest)
        {
            return Err(Refusal::new(format!(
                "You approved {id} already; {}.",
                self.still_missing(proposal)
            )));
        }
        let reason = maybe_said("reason", "The reason", reason.as_ref())?;
        let through = role.and_then(|role| self.around.through(person, role));
        Ok(vec![
            Event::Approved {
                proposal: id,
                digest: shown.digest.clone(),
                reason,
                through: through.map(|group| group.name.clone()),
            }
            .into(),
        ])
    }

    /// Said once, and again when it is for another reason or after a while.
    fn miss_group(&self, state: &State, group: &str, why: &str) -> Vec<Fact> {
        let told = state.groups_missed.get(group);
        if told.is_some_and(|(said, at)| said == why && self.now - *at < MISSED_AGAIN) {
            return Vec::new();
        }
        vec![Fact::by_rule(Event::GroupMissed {
            group: group.to_owned(),
            why: why.to_owned(),
        })]
    }

    /// The timer that writes it down may come a moment later than the deadline.
    fn still_stands(&self, proposal: &Proposal, shown: &Shown) -> Result<(), Refusal> {
        if shown.expires > self.clock {
            return Ok(());
        }
        Err(Refusal::new(format!(
            "{} expired at {} UTC. Propose it again if it is still needed; the preview is made anew.",
            proposal.id,
            shown.expires.format("%H:%M")
        )))
    }

    fn holders(&self, role: Role) -> String {
        let holders: Vec<_> = self
            .around
            .people
            .iter()
            .filter(|(id, _)| self.around.holds(id, role))
            .map(|(_, standing)| standing.name.clone())
            .collect();
        if holders.is_empty() {
            "nobody (ask the operator to give it to somebody)".to_owned()
        } else {
            holders.join(", ")
        }
    }

    /// Why some who would hold a role do not now.
    pub(super) fn lost(&self, role: Role) -> String {
        let lost = self.around.lost(role);
        lost.map(|(group, why)| {
            format!(" The group {group} cannot be read ({why}), so it counts for nobody.")
        })
        .collect()
    }

    fn still_missing(&self, proposal: &Proposal) -> String {
        let have = self.counting(proposal).len();
        let need = (proposal.terms.policy.quorum as usize).saturating_sub(have);
        match need {
            0 => "nothing is missing".to_owned(),
            1 => "one more approval is needed".to_owned(),
            more => format!("{more} more approvals are needed"),
        }
    }

    /// The approvals that count at this moment: for what is shown, by people who still hold the role and may still
    /// command, never the proposer's, one vote a person.
    pub(super) fn counting(&self, proposal: &Proposal) -> Vec<PersonId> {
        self.approvers_who(proposal, |person| match proposal.terms.policy.role {
            Some(role) => self.around.holds(person, role),
            None => self.around.may_command(person),
        })
    }

    /// Those that would count, if only the groups that give the role could be read.
    pub(super) fn counting_when_read(&self, proposal: &Proposal) -> Vec<PersonId> {
        self.approvers_who(proposal, |person| match proposal.terms.policy.role {
            Some(role) => self.around.held_when_read(person, role),
            None => self.around.may_command(person),
        })
    }

    fn approvers_who(&self, proposal: &Proposal, may: impl Fn(&PersonId) -> bool) -> Vec<PersonId> {
        let Some(shown) = proposal.stage.shown() else {
            return Vec::new();
        };
        let mut people: Vec<PersonId> = proposal
            .approvals
            .iter()
            .filter(|approval| approval.digest == shown.digest)
            .map(|approval| &approval.by)
            .filter(|person| proposal.proposer.as_ref() != Some(person))
            .filter(|person| may(person))
            .cloned()
            .collect();
        people.sort();
        people.dedup();
        people
    }

    fn refuse(&self, state: &State, id: ProposalId, reason: &str) -> Facts {
        let proposal = state.proposal(id)?;
        if self.by.person().is_none() {
            return Err(Refusal::new("Only a person can refuse."));
        }
        if !matches!(proposal.stage, Stage::Waiting { .. } | Stage::Cleared { .. }) {
            return Err(proposal.no_longer("refused"));
        }
        let reason = said("reason", "The reason for refusing", reason)?;
        Ok(vec![Event::Refused { proposal: id, reason }.into()])
    }

    fn withdraw(&self, state: &State, id: ProposalId, reason: Option<String>) -> Facts {
        let proposal = state.proposal(id)?;
        if !matches!(
            proposal.stage,
            Stage::Drafted | Stage::Waiting { .. } | Stage::Cleared { .. }
        ) {
            return Err(proposal.no_longer("withdrawn"));
        }
        if proposal.proposer.as_ref() != self.by.person() {
            self.leads(state, "withdraw somebody else's proposal")?;
        }
        let reason = maybe_said("reason", "The reason", reason.as_ref())?;
        Ok(vec![Event::Withdrawn { proposal: id, reason }.into()])
    }

    fn break_glass(&self, state: &State, id: ProposalId, target: &str, reason: &str) -> Facts {
        let proposal = state.proposal(id)?;
        let Stage::Waiting { shown } = &proposal.stage else {
            return Err(proposal.no_longer("run by break-glass"));
        };
        self.still_stands(proposal, shown)?;
        let commander = state.commander();
        if commander.is_none() || commander != self.by.person() {
            let words = match commander {
                Some(commander) => format!(
                    "Only the commander ({commander}) breaks the glass, and no deputy. Ask them, or take over with `/handover`."
                ),
                None => "Only the commander breaks the glass, and nobody has taken that role yet.".to_owned(),
            };
            let refusal = Refusal::new(words);
            return Err(match commander {
                Some(_) => refusal,
                None => refusal.offer("Take command", "role take commander"),
            });
        }
        if target.trim() != proposal.terms.target {
            return Err(Refusal::new(format!(
                "Type the target exactly as it stands in the proposal, {}, so that it is certain you mean it.",
                proposal.terms.target
            ))
            .at("target"));
        }
        let reason = said("reason", "The reason for breaking the glass", reason)?;
        let typed_target = target.trim().to_owned();
        Ok(vec![
            Event::GlassBroken {
                proposal: id,
                typed_target,
                reason,
            }
            .into(),
        ])
    }

    fn review_glass(&self, state: &State, id: ProposalId, note: &str) -> Facts {
        let proposal = state.proposal(id)?;
        let Some(glass) = &proposal.break_glass else {
            return Err(Refusal::new(format!(
                "{id} did not run by break-glass; there is nothing to review."
            )));
        };
        if glass.by.as_ref() == self.by.person() {
            return Err(Refusal::new(format!(
                "You broke the glass for {id}. Somebody else has to review it."
            )));
        }
        let note = said("note", "What the review found", note)?;
        Ok(vec![Event::GlassReviewed { proposal: id, note }.into()])
    }

    fn end_attempt(&self, state: &State, attempt: AttemptId, outcome: &Outcome) -> Facts {
        let running = state
            .attempts
            .get(&attempt)
            .and_then(|id| state.proposals.get(id));
        match running.map(|proposal| &proposal.stage) {
            Some(Stage::Running { .. }) => Ok(vec![Fact::by_rule(Event::AttemptFinished {
                attempt,
                outcome: outcome.clone(),
            })]),
            // Told a second time, after a restart: the first word stands.
            _ => Ok(Vec::new()),
        }
    }

    /// A person says what an unknown attempt did, after having looked.
    fn settle(&self, state: &State, id: ProposalId, happened: bool, grounds: &str) -> Facts {
        let proposal = state.proposal(id)?;
        let Stage::Unknown { attempt, .. } = proposal.stage else {
            return Err(proposal.no_longer("settled"));
        };
        let grounds = said("reason", "How you know", grounds)?;
        Ok(vec![
            Event::AttemptSettled {
                attempt,
                happened,
                grounds,
            }
            .into(),
        ])
    }

    /// Verification by a person, where no probe can tell or the probe could not.
    fn confirm(&self, state: &State, id: ProposalId, worked: bool, grounds: &str) -> Facts {
        let proposal = state.proposal(id)?;
        if !matches!(
            proposal.stage,
            Stage::Done { .. } | Stage::Verified { worked: false, .. }
        ) {
            return Err(proposal.no_longer("verified"));
        }
        let grounds = said("reason", "How you know", grounds)?;
        Ok(vec![
            Event::Verified {
                proposal: id,
                run: None,
                worked,
                grounds,
            }
            .into(),
        ])
    }

    fn accept_containment(&self, state: &State, id: ProposalId, reason: &str) -> Facts {
        let proposal = state.proposal(id)?;
        self.leads(state, "accept that containment stays")?;
        match proposal.containment {
            Some(Containment::InForce { .. }) => {
                let reason = said("reason", "The reason why it stays", reason)?;
                Ok(vec![Event::ContainmentAccepted { proposal: id, reason }.into()])
            }
            _ => Err(Refusal::new(format!("{id} is no containment in force."))),
        }
    }

    /// What was undone by other hands is said by those who lead; an undo that is under way says it by itself.
    fn lift_containment(&self, state: &State, id: ProposalId, reason: &str) -> Facts {
        let proposal = state.proposal(id)?;
        self.leads(state, "say that containment is lifted")?;
        match &proposal.containment {
            Some(Containment::InForce { .. } | Containment::Accepted { .. }) => {}
            Some(Containment::Lifted { grounds, .. }) => {
                return Err(Refusal::new(format!("{id} is lifted already: {grounds}.")));
            }
            None => return Err(Refusal::new(format!("{id} is no containment in force."))),
        }
        let undo = state.proposals.values().find(|undo| {
            undo.terms.undoes == Some(id)
                && matches!(
                    undo.stage,
                    Stage::Running { .. } | Stage::Unknown { .. } | Stage::Done { .. }
                )
        });
        if let Some(undo) = undo {
            let words = format!(
                "{} undoes it and {}. Once that is verified, {id} is lifted by itself.",
                undo.id,
                undo.stage.says()
            );
            return Err(Refusal::new(words).offer("Show it", format!("action show {}", undo.id)));
        }
        let grounds = said("reason", "How you know", reason)?;
        Ok(vec![
            Event::ContainmentLifted {
                proposal: id,
                grounds,
            }
            .into(),
        ])
    }

    pub(super) fn timer(&self, state: &State, key: &TimerKey) -> Facts {
        Ok(match key {
            TimerKey::Expire { proposal } => match state.proposals.get(proposal).map(|p| &p.stage) {
                Some(Stage::Waiting { shown } | Stage::Cleared { shown, .. })
                    if shown.expires <= self.clock =>
                {
                    vec![Fact::by_rule(Event::Expired { proposal: *proposal })]
                }
                _ => Vec::new(),
            },
            TimerKey::AskAgain { proposal, circle } => {
                match state.proposals.get(proposal).map(|p| &p.stage) {
                    Some(Stage::Waiting { .. }) => {
                        vec![Fact::by_rule(Event::AskedAgain {
                            proposal: *proposal,
                            circle: *circle,
                        })]
                    }
                    _ => Vec::new(),
                }
            }
            TimerKey::Held { proposal } => match state.proposals.get(proposal) {
                Some(held) if matches!(held.stage, Stage::Cleared { held: Some(_), .. }) => {
                    self.go_on(state, held)
                }
                _ => Vec::new(),
            },
            TimerKey::Containment => {
                let proposals: Vec<_> = state.containment_in_force().collect();
                match proposals.is_empty() || state.is_over() {
                    true => Vec::new(),
                    false => vec![Fact::by_rule(Event::ContainmentReminded { proposals })],
                }
            }
            _ => return self.timer_of_people(state, key),
        })
    }
}

impl State {
    pub fn proposal(&self, id: ProposalId) -> Result<&Proposal, Refusal> {
        self.proposals
            .get(&id)
            .ok_or_else(|| Refusal::unknown("action", id, &ids(self.proposals.keys())))
    }

    pub fn containment_in_force(&self) -> impl Iterator<Item = ProposalId> + '_ {
        self.proposals
            .values()
            .filter(|proposal| matches!(proposal.containment, Some(Containment::InForce { .. })))
            .map(|proposal| proposal.id)
    }

    /// The proof that an attempt may run: it was started and has not ended.
    pub fn approved(&self, attempt: AttemptId) -> Option<crate::incident::Approved> {
        let proposal = self.proposals.get(self.attempts.get(&attempt)?)?;
        match &proposal.stage {
            Stage::Running {
                shown,
                attempt: running,
            } if *running == attempt => Some(crate::incident::Approved::new(
                proposal.id,
                attempt,
                proposal.terms.target.clone(),
                shown.preview.operation.clone(),
            )),
            _ => None,
        }
    }

    /// The action that took this one back, verified.
    pub fn undone_by(&self, id: ProposalId) -> Option<ProposalId> {
        let undo = self.proposals.values().find(|proposal| {
            proposal.terms.undoes == Some(id)
                && matches!(proposal.stage, Stage::Verified { worked: true, .. })
        });
        undo.map(|undo| undo.id)
    }

    /// Runbook steps of the present phase that this action answers.
    pub(super) fn steps_for_action<'a>(&'a self, action: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.open_steps()
            .into_iter()
            .filter(move |step| matches!(&step.kind, StepKind::Action { name, .. } if name == action))
            .map(|step| step.id.as_str())
    }
}

impl Proposal {
    /// What an old button is told: what is true now.
    fn no_longer(&self, wanted: &str) -> Refusal {
        let next = match &self.stage {
            Stage::Drafted => "Its preview is being made; wait a moment.".to_owned(),
            Stage::PreviewFailed { why } => format!("{why} Propose it again when that is mended."),
            Stage::Expired
            | Stage::Voided { .. }
            | Stage::PreconditionFailed { .. }
            | Stage::NotDone { .. } => "Propose it again if it is still needed.".to_owned(),
            Stage::Unknown { .. } => {
                format!(
                    "Look at the system and say what happened: `/action settle {} …`.",
                    self.id
                )
            }
            _ => format!("`/action show {}` tells more.", self.id),
        };
        Refusal::new(format!(
            "{} cannot be {wanted}: it {}. {next}",
            self.id,
            self.stage.says()
        ))
    }
}
