//! What comes first when a step of the guide is blocked: somebody strayed, and this is the line that leads back.

use super::Step;
use crate::demo::PEOPLE;
use crate::incident::{PersonId, Proposal, Role, Stage, State};

/// Runbook whose steps the guide follows.
const RUNBOOK: &str = "demo-shop";

/// Who may approve what needs the approver role; see the demo's orderly.toml.
const APPROVER: &str = "ben";

/// One line to type before the guide goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detour {
    pub who: String,
    pub title: &'static str,
    pub why: String,
    pub line: String,
}

/// Who types a step as things stand: somebody who may.
pub(super) fn who(state: &State, step: &Step) -> String {
    if step.is_led() {
        return leader(state).unwrap_or(step.who).to_owned();
    }
    let proposer = approved_by(state, step).and_then(|proposal| proposal.proposer.as_ref());
    match proposer {
        // Others come to mind only where anybody's approval counts; for the rest there is a detour.
        Some(PersonId(proposer)) if proposer == step.who => {
            let other = PEOPLE.into_iter().find(|person| person != proposer);
            other.unwrap_or(step.who).to_owned()
        }
        _ => step.who.to_owned(),
    }
}

/// What stands before this step, if anything does.
pub(super) fn before(state: &State, step: &Step) -> Option<Detour> {
    other_runbook(state)
        .or_else(|| nobody_leads(state, step))
        .or_else(|| own_approval(state, step))
        .or_else(|| under_way(state, step))
        .or_else(|| shut_gate(state, step))
}

fn other_runbook(state: &State) -> Option<Detour> {
    (state.opening.plan.name != RUNBOOK).then(|| Detour {
        who: "ana".to_owned(),
        title: "Take the shop's runbook",
        why: "The incident follows another runbook. This guide goes along with the one for the shop."
            .to_owned(),
        line: format!("runbook use {RUNBOOK} it is about the shop"),
    })
}

fn nobody_leads(state: &State, step: &Step) -> Option<Detour> {
    (step.is_led() && leader(state).is_none()).then(|| Detour {
        who: step.who.to_owned(),
        title: "Take command",
        why: "Only who leads the response may say what comes next here, and nobody does.".to_owned(),
        line: "take commander".to_owned(),
    })
}

/// The only one who could approve has proposed it.
fn own_approval(state: &State, step: &Step) -> Option<Detour> {
    let proposal = approved_by(state, step)?;
    let proposer = proposal.proposer.as_ref()?;
    let nobody_else = proposal.terms.policy.role == Some(Role::Approver) && proposer.0 == APPROVER;
    nobody_else.then(|| Detour {
        who: APPROVER.to_owned(),
        title: "Take the proposal back",
        why: "Nobody approves what they proposed, and no other approver is here. Take it back; Ana proposes it again."
            .to_owned(),
        line: format!("withdraw {}", proposal.id),
    })
}

/// Approved already: it goes on by itself, or something holds it.
fn under_way(state: &State, step: &Step) -> Option<Detour> {
    let proposal = approved_by(state, step)?;
    let look = format!("action show {}", proposal.id);
    let (title, why, line) = match &proposal.stage {
        Stage::Waiting { .. } => return None,
        Stage::Cleared { held: Some(why), .. } => ("Approved, and held", why.clone(), look),
        Stage::Unknown { why, .. } => (
            "Say what happened",
            format!("It was sent, and nobody knows whether it was done: {why}"),
            format!("settle {}", proposal.id),
        ),
        _ => (
            "It is on its way",
            "Approved. It is looked at, changed, and looked at again; that takes a moment.".to_owned(),
            look,
        ),
    };
    let who = step.who.to_owned();
    Some(Detour {
        who,
        title,
        why,
        line,
    })
}

/// Everything in the guide is done, and the phase still waits for something else.
fn shut_gate(state: &State, step: &Step) -> Option<Detour> {
    let goes_on = step.line(Some(state)) == "next" || step.phase > state.phase;
    if !goes_on {
        return None;
    }
    let who = leader(state).unwrap_or(step.who).to_owned();
    match state.open_conditions().into_iter().next() {
        Some(condition) => match condition.offer {
            Some((_, line)) => Some(Detour {
                who,
                title: "First what is still open",
                why: condition.words,
                line,
            }),
            None => left_over(state),
        },
        None if step.phase > state.phase => Some(Detour {
            who,
            title: "Go on",
            why: "The gate of this phase holds.".to_owned(),
            line: "next".to_owned(),
        }),
        None => None,
    }
}

/// A proposal beside the guide's that nobody ended.
fn left_over(state: &State) -> Option<Detour> {
    let mut open = state
        .proposals
        .values()
        .filter(|proposal| !proposal.stage.is_over());
    let proposal = open.next()?;
    let (title, line) = match proposal.stage {
        Stage::Waiting { .. } => ("Take back what nobody needs", "withdraw"),
        _ => ("First what is still open", "action show"),
    };
    Some(Detour {
        who: proposal
            .proposer
            .as_ref()
            .map_or("ana", |person| &person.0)
            .to_owned(),
        title,
        why: format!(
            "{} {}: {}.",
            proposal.id,
            proposal.stage.says(),
            proposal.terms.title
        ),
        line: format!("{line} {}", proposal.id),
    })
}

/// The proposal that this step approves, as long as it waits.
fn approved_by<'a>(state: &'a State, step: &Step) -> Option<&'a Proposal> {
    step.approves(state).and_then(|id| state.proposals.get(&id))
}

/// Who leads the response, among the people of the demo.
fn leader(state: &State) -> Option<&str> {
    let holders = [Role::Commander, Role::Deputy]
        .into_iter()
        .filter_map(|role| state.roles.get(&role));
    let mut holders = holders.flatten().map(|person| person.0.as_str());
    holders.find(|person| PEOPLE.contains(person))
}
