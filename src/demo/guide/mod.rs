//! The demo's guide: what to type next, why, and who types it.
//!
//! A step knows two things about an incident: the line to type as it stands now (a proposal may be `A1` or `A2`), and
//! whether it is behind. So the guide never runs ahead of somebody who strays, and never repeats what is done. Where the
//! way is blocked, a [`Detour`] comes first: the one line that opens it again. The lines are those of the command table
//! and of the runbook `demo-shop`; the tests walk a real incident along them.

mod detour;

use std::cmp::Ordering;

use serde::Serialize;

pub use detour::Detour;

use crate::incident::{
    Containment, FindingId, Phase, Proposal, ProposalId, Recovery, RecoveryItem, Section, Stage, State,
    StepState,
};

/// One thing to type.
pub struct Step {
    /// Stable, for links and tests.
    pub id: &'static str,
    /// The phase it belongs to; a step of a phase that was left is behind.
    pub phase: Phase,
    /// Person of the demo who types it.
    pub who: &'static str,
    pub title: &'static str,
    /// Why now, in one or two sentences.
    pub why: &'static str,
    line: fn(Option<&State>) -> String,
    done: fn(&State) -> bool,
}

/// A step as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub id: &'static str,
    /// From 1.
    pub number: usize,
    pub phase: &'static str,
    /// Who types it; somebody else than planned, where people took other roles.
    pub who: String,
    pub title: &'static str,
    pub why: String,
    /// What to type after the slash command's name.
    pub line: String,
    pub done: bool,
    /// The one to do now; at most one is.
    pub current: bool,
    /// It cannot be done as things stand: title, reason and line are those of the way around.
    pub detour: bool,
}

/// All steps, in order.
pub fn steps() -> &'static [Step] {
    STEPS
}

/// The guide for an incident, or for the moment before there is one.
pub fn shown(state: Option<&State>) -> Vec<Shown> {
    let current = STEPS.iter().position(|step| !step.is_done(state));
    let show = |(index, step): (usize, &Step)| {
        let now = current == Some(index);
        let shown = Shown {
            id: step.id,
            number: index + 1,
            phase: step.phase.word(),
            who: state.map_or(step.who.to_owned(), |state| detour::who(state, step)),
            title: step.title,
            why: step.why.to_owned(),
            line: step.line(state),
            done: step.is_done(state),
            current: now,
            detour: false,
        };
        match state
            .filter(|_| now)
            .and_then(|state| detour::before(state, step))
        {
            Some(detour) => Shown {
                who: detour.who,
                title: detour.title,
                why: detour.why,
                line: detour.line,
                detour: true,
                ..shown
            },
            None => shown,
        }
    };
    STEPS.iter().enumerate().map(show).collect()
}

impl Step {
    /// What to type after the slash command's name, with the ids of this incident.
    pub fn line(&self, state: Option<&State>) -> String {
        (self.line)(state)
    }

    pub fn is_done(&self, state: Option<&State>) -> bool {
        let done = |state: &State| match state.phase.cmp(&self.phase) {
            _ if state.is_over() => true,
            Ordering::Greater => true,
            Ordering::Equal => (self.done)(state),
            Ordering::Less => false,
        };
        state.is_some_and(done)
    }

    /// The action whose proposal this step approves.
    fn approves(&self, state: &State) -> Option<ProposalId> {
        let of = |action| standing(state, action).map(|proposal| proposal.id);
        match self.id {
            "approve-pause" => of(PAUSE),
            "approve-rollback" => of(ROLLBACK),
            "approve-repair" => of(REPAIR),
            "approve-undo" => undoing(state),
            _ => None,
        }
    }

    /// Only who leads the response may type it.
    fn is_led(&self) -> bool {
        matches!(self.id, "decide" | "keep")
    }
}

const PAUSE: &str = "http.job.pause";
const ROLLBACK: &str = "demo.mapping.rollback";
const REPAIR: &str = "demo.records.repair";

/// A row: id, phase, who, title, why, line, whether it is behind.
macro_rules! steps {
    ($($id:literal $phase:ident $who:literal $title:literal $why:literal $line:expr => $done:expr;)*) => {
        &[$(Step {
            id: $id, phase: Phase::$phase, who: $who, title: $title, why: $why, line: $line, done: $done,
        }),*]
    };
}

const STEPS: &[Step] = steps! {
    "open" Confirm "ana" "Open the incident"
        "A customer bought a mug and was paid for it. Opening takes one line; the rest is asked for in order."
        |_| "open The shop sells at negative prices severity=SEV2 process=order-routing target=shop runbook=demo-shop".to_owned()
        => |_| true;

    "command" Confirm "ana" "Take command"
        "Somebody has to decide. Roles that nobody takes are asked for after a while."
        |_| "take commander".to_owned()
        => |state| state.commander().is_some();

    "look" Confirm "cleo" "Look before you touch"
        "Asks all probes of this phase at once. A probe only reads; nobody has to approve it."
        |_| "probe run".to_owned()
        => |state| settled_steps(state, &["confirm.1", "confirm.2"]);

    "frame" Confirm "ana" "Say it in one sentence"
        "What, who, how badly, since when. \"The shop is broken\" would be refused, with the question that is missing. Once the \
         frame is whole, the next phase opens by itself."
        |_| "frame function the price import works=\"orders and shipping\" who=\"every customer\" \
             impact=\"we pay customers to take goods\" since=\"2m ago\"".to_owned()
        => |state| state.frame.is_whole();

    "damage" Contain "ana" "Is damage going on?"
        "Every run of the job writes more wrong prices. So damage control comes before looking for the cause."
        |_| "damage yes wrong prices are written every few seconds".to_owned()
        => |state| state.damage.is_some();

    "jobs" Contain "cleo" "See which job does it"
        "The runbook's next step is a probe. It shows two jobs, and which of them writes the wrong prices."
        |_| "step run contain.2".to_owned()
        => |state| settled_steps(state, &["contain.2"]);

    "pause" Contain "ana" "Propose to pause the job"
        "You see the exact request that would be sent. Nothing is sent yet: somebody else has to approve just that."
        |_| "propose http.job.pause shop job=import-prices reason=\"it writes wrong prices\"".to_owned()
        => |state| proposed(state, PAUSE);

    "approve-pause" Contain "ben" "Approve it"
        "Switch to Ben, who is an approver. Ana's own approval would not count, and Cleo lacks the role. Once approved, the job is \
         looked at, paused, and looked at again."
        |state| format!("approve {}", named(state, PAUSE))
        => |state| worked(state, PAUSE);

    "count-again" Contain "cleo" "See that it holds"
        "The number of wrong prices must stand still. Containment that was verified closes this phase."
        |_| "step run contain.4".to_owned()
        => |state| settled_steps(state, &["contain.4"]);

    "round" Triage "cleo" "Ask everything at once"
        "The clock no longer runs against you. Changes, log and queue answer side by side, in one message."
        |_| "probe run".to_owned()
        => |state| state.cause.is_some() || (answered(state, "demo.changes") && answered(state, "demo.log"));

    "finding" Triage "cleo" "Record what you found"
        "Most incidents follow a change. A finding says what you conclude and carries the answer that shows it."
        |state| {
            let evidence = run_of(state, "demo.changes").map(|run| format!(" evidence={run}")).unwrap_or_default();
            format!("finding add changes suspect \"mapping v2 takes the discount for the price\"{evidence}")
        }
        => |state| !state.findings.is_empty();

    "accept" Triage "ana" "Accept it as the cause"
        "With a cause accepted, the other lines of triage may be left; the post-mortem says that they were."
        |state| format!("finding accept {}", suspect(state))
        => |state| state.cause.is_some();

    "to-decide" Triage "ana" "Go on"
        "The gate holds: a cause is accepted."
        |_| "next".to_owned()
        => |_| false;

    "decide" Decide "ana" "Decide: fix forward or roll back"
        "It followed a change that can be undone cleanly, so roll back. The commander decides, and says on what facts."
        |state| format!("decide roll-back the mapping can be undone cleanly facts={}", suspect(state))
        => |state| state.decision.is_some();

    "which" Decide "cleo" "Answer the runbook"
        "A step of the runbook can be a question. The answer goes into the record."
        |_| "answer decide.2 the import mapping, from v2 back to v1".to_owned()
        => |state| settled_steps(state, &["decide.2"]);

    "to-recover" Decide "ana" "Go on"
        "Decided is not done: now the way back is walked."
        |_| "next".to_owned()
        => |_| false;

    "rollback" Recover "ana" "Propose the rollback"
        "The same life as before: shown, approved, done, verified. The approval binds to the version of the mapping you see."
        |_| "propose demo.mapping.rollback shop reason=\"v2 takes the discount for the price\"".to_owned()
        => |state| proposed(state, ROLLBACK);

    "approve-rollback" Recover "ben" "Approve the rollback"
        "As Ben. If somebody changed the mapping in the meantime, nothing is sent."
        |state| format!("approve {}", named(state, ROLLBACK))
        => |state| worked(state, ROLLBACK);

    "undo" Recover "ana" "Undo the containment"
        "The job is still paused, and the list of containment in force says so. Its undo is a proposal of its own."
        |state| format!("undo {} the mapping is right again", named(state, PAUSE))
        => |state| !contained(state) || undoing(state).is_some();

    "approve-undo" Recover "ben" "Approve the undo"
        "As Ben, once more: an undo is a proposal like any other. The job runs again, and now it writes right prices."
        |state| format!("approve {}", state.and_then(undoing).map_or("A3".to_owned(), |id| id.to_string()))
        => |state| !contained(state);

    "wrong" Recover "cleo" "Write down how many are wrong"
        "The service is restored; the wrong prices are still in the books. That is why restored is not recovered. The number \
         stands in the post-mortem, beside what is left in the end."
        |state| format!("check records failed count={} wrong prices are still in the books", wrong_records(state))
        => |state| state.recovery.contains_key(&RecoveryItem::Records) || worked(state, REPAIR);

    "repair" Recover "cleo" "Propose the repair"
        "Every wrong price becomes the list price again; the right ones are left alone."
        |_| "propose demo.records.repair shop reason=\"wrong prices are still in the books\"".to_owned()
        => |state| proposed(state, REPAIR);

    "approve-repair" Recover "ana" "Approve the repair"
        "The risk is low, so any member but the proposer may approve it: Ana can. Afterwards the records are counted again."
        |state| format!("approve {}", named(state, REPAIR))
        => |state| worked(state, REPAIR);

    "recount" Recover "cleo" "Look at everything again"
        "The probes of this phase: wrong records, queue, health."
        |_| "probe run".to_owned()
        => |state| settled_steps(state, &["recover.1", "recover.2", "recover.3"]);

    "records" Recover "cleo" "Count the records to repair"
        "Counted and written down, also when it is none."
        |_| "check records passed count=0 all wrong prices are repaired".to_owned()
        => |state| checked(state, RecoveryItem::Records);

    "backlog" Recover "cleo" "Check the backlog"
        "Did orders pile up meanwhile?"
        |_| "check backlog passed orders are shipped as they come".to_owned()
        => |state| checked(state, RecoveryItem::Backlog);

    "smoke-test" Recover "cleo" "Say that the smoke test passed"
        "This is the moment at which the recovery counts as validated."
        |_| "check smoke-test passed a mug costs 8.90 again".to_owned()
        => |state| checked(state, RecoveryItem::SmokeTest);

    "keep" Recover "ana" "Settle the change by hand"
        "Pausing was a change by hand. It is undone, so nothing of it belongs into version control."
        |state| format!("recovery keep {} undone, the job runs again", change_of(state, PAUSE))
        => |state| settled(state, PAUSE);

    "reconcile" Recover "ana" "Reconcile the rollback"
        "The rollback must last: say where it stands in Git, or the next deployment brings the fault back."
        |state| format!("reconcile {} https://git.example/shop/commit/4f2a91c", change_of(state, ROLLBACK))
        => |state| settled(state, ROLLBACK);

    "to-learn" Recover "ana" "Go on"
        "Everything holds: the incident is resolved, and the post-mortem has written itself so far."
        |_| "next".to_owned()
        => |_| false;

    "lesson" Learn "cleo" "Answer the last question"
        "While it is fresh, and without blame."
        |_| "answer learn.1 a check in the import that refuses prices below zero".to_owned()
        => |state| matches!(state.steps.get("learn.1"), Some(StepState::Answered { .. } | StepState::Skipped { .. }));

    "followup" Learn "ana" "Give it an owner and a day"
        "A lesson without an owner is a wish."
        |_| "followup add refuse prices below zero in the import owner=@ben due=14d".to_owned()
        => |state| !state.followups.is_empty();

    "cause" Learn "ana" "Write what only people know"
        "Facts stand in the document already, each with its event. Sentences of people are marked as such."
        |_| "postmortem edit cause nobody ran mapping v2 against a real price list before it went live".to_owned()
        => |state| state.sections.contains_key(&Section::Cause);

    "export" Learn "ana" "Export the post-mortem"
        "One file with the figure in it, to open in a browser or to print. Review and closing are left: `help learn` says how."
        |_| "export html".to_owned()
        => |_| false;
};

/// Done, answered or skipped: the runbook waits for none of them.
fn settled_steps(state: &State, steps: &[&str]) -> bool {
    steps.iter().all(|step| state.steps.contains_key(*step))
}

fn checked(state: &State, item: RecoveryItem) -> bool {
    let check = state.recovery.get(&item);
    check.is_some_and(|check| !matches!(check, Recovery::Checked { passed: false, .. }))
}

fn answered(state: &State, probe: &str) -> bool {
    let mut runs = state.runs.values();
    runs.any(|run| run.asked.probe == probe && run.answer.is_some())
}

/// The latest answered run of a probe, as people write it.
fn run_of(state: Option<&State>, probe: &str) -> Option<String> {
    let mut runs = state?.runs.iter().rev();
    runs.find(|(_, run)| run.asked.probe == probe && run.answer.is_some())
        .map(|(id, _)| id.to_string())
}

/// How many records were wrong when they were counted last: `141 of 171 records are wrong`.
fn wrong_records(state: Option<&State>) -> u64 {
    let counted = |state: &State| {
        let mut runs = state.runs.values().rev();
        let answer = runs.find_map(|run| {
            let wrong = run.asked.probe == "demo.wrong_records";
            run.answer.as_ref().filter(|_| wrong)
        })?;
        answer.summary.split(' ').next()?.parse().ok()
    };
    state.and_then(counted).unwrap_or(0)
}

/// The latest proposal of an action that is under way or has worked.
fn standing<'a>(state: &'a State, action: &str) -> Option<&'a Proposal> {
    let mut proposals = state.proposals.values().rev();
    proposals.find(|proposal| {
        proposal.terms.action == action
            && stops_the_import(proposal)
            && (!proposal.stage.is_over() || has_worked(proposal))
    })
}

/// A pause of the shop's other job contains nothing.
fn stops_the_import(proposal: &Proposal) -> bool {
    proposal.terms.action != PAUSE
        || proposal.terms.params.get("job").and_then(|job| job.as_str()) == Some("import-prices")
}

/// Whether it can be approved, or was: the exact operation stands in the room.
fn is_shown(proposal: &Proposal) -> bool {
    proposal.stage.shown().is_some()
}

fn proposed(state: &State, action: &str) -> bool {
    standing(state, action).is_some_and(is_shown)
}

fn has_worked(proposal: &Proposal) -> bool {
    matches!(proposal.stage, Stage::Verified { worked: true, .. })
}

fn worked(state: &State, action: &str) -> bool {
    standing(state, action).is_some_and(has_worked)
}

/// How people name the proposal of an action; before there is one, the name it will have in a walk without detours.
fn named(state: Option<&State>, action: &str) -> String {
    let id = state
        .and_then(|state| standing(state, action))
        .map(|proposal| proposal.id);
    let expected = match action {
        PAUSE => ProposalId(1),
        ROLLBACK => ProposalId(2),
        _ => ProposalId(4),
    };
    id.unwrap_or(expected).to_string()
}

fn contained(state: &State) -> bool {
    let in_force = |proposal: &Proposal| matches!(proposal.containment, Some(Containment::InForce { .. }));
    standing(state, PAUSE).is_some_and(in_force)
}

/// The proposal under way that takes the pause back.
fn undoing(state: &State) -> Option<ProposalId> {
    let pause = standing(state, PAUSE)?.id;
    let mut proposals = state.proposals.values().rev();
    proposals
        .find(|proposal| proposal.terms.undoes == Some(pause) && is_shown(proposal))
        .map(|proposal| proposal.id)
}

/// The accepted cause, or the latest finding.
fn suspect(state: Option<&State>) -> String {
    let latest = |state: &State| state.cause.or_else(|| state.findings.keys().next_back().copied());
    state.and_then(latest).unwrap_or(FindingId(1)).to_string()
}

/// The manual change that an action left behind.
fn change_of(state: Option<&State>, action: &str) -> String {
    let found = state.and_then(|state| {
        let proposal = standing(state, action)?.id;
        let mut changes = state.changes.iter();
        changes
            .find(|(_, change)| change.proposal == Some(proposal))
            .map(|(id, _)| id.to_string())
    });
    found.unwrap_or_else(|| if action == PAUSE { "C1" } else { "C2" }.to_owned())
}

/// Nothing is left of what the action changed by hand.
fn settled(state: &State, action: &str) -> bool {
    let Some(proposal) = standing(state, action) else {
        return true;
    };
    let mut changes = state.changes.values();
    changes.all(|change| change.proposal != Some(proposal.id) || change.settled.is_some())
}
