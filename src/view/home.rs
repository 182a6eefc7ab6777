//! What one person sees who looks at the bot itself: what is open, and what waits for them.

use std::sync::Arc;

use super::{View, answer, ask, buttons, row, run, small};
use crate::chat::{Block, Message, Rich, Row, Style, Tone};
use crate::desk;
use crate::engine::{Listed, Looked};
use crate::incident::{PersonId, Proposal, Stage, State};

pub fn home(
    view: &View,
    person: &PersonId,
    listed: &[Arc<Listed>],
    looked: Looked<'_>,
    desk: &desk::State,
) -> Message {
    let states = looked.states.iter();
    let mut message = answer::list(listed, Some(true), desk);
    let waiting: Vec<Row> = states
        .clone()
        .flat_map(|state| approvals(state, person, desk))
        .collect();
    if !waiting.is_empty() {
        message.blocks.push(heading("Waiting for your approval"));
        message.blocks.push(Block::Rows { rows: waiting });
    }
    let tasks: Vec<Row> = states.flat_map(|state| tasks(state, person)).collect();
    if !tasks.is_empty() {
        message.blocks.push(heading("Your tasks"));
        message.blocks.push(Block::Rows { rows: tasks });
    }
    if looked.left_out > 0 {
        message.blocks.push(small(format!(
            "Approvals and tasks are those of the newest {} incidents; {} more were not looked through.",
            looked.states.len(),
            looked.left_out
        )));
    }
    if !listed.is_empty() {
        message.blocks.push(buttons([
            ask("Open an incident", "open", [], Style::Plain),
            run("All incidents", "list all", Style::Plain),
        ]));
    }
    message.blocks.push(small(view.ours("Help: `/help`")));
    message
}

fn heading(text: &str) -> Block {
    Block::Text {
        text: Rich::new().bold(text),
    }
}

/// Proposals that this person's approval would bring further. What exactly would run is shown in the room, and only there
/// can it be approved.
fn approvals(state: &State, person: &PersonId, desk: &desk::State) -> Vec<Row> {
    let shown = |proposal: &Proposal| {
        let title = format!(
            "{} {} on {}",
            proposal.id, proposal.terms.title, proposal.terms.target
        );
        row(
            Tone::Warn,
            "to approve",
            title,
            format!("in the room of {}", state.opening.number),
        )
    };
    let waits = state.proposals.values();
    waits
        .filter(|proposal| waits_for(proposal, person, desk))
        .map(shown)
        .collect()
}

/// Whether it waits for somebody like them: not for whoever proposed it, approved it already, or may not.
fn waits_for(proposal: &Proposal, person: &PersonId, desk: &desk::State) -> bool {
    let Stage::Waiting { shown } = &proposal.stage else {
        return false;
    };
    let may = match proposal.terms.policy.role {
        Some(role) => desk.holders(role).any(|(holder, _)| holder == person),
        None => desk.people.get(person).is_some_and(desk::Person::may_command),
    };
    let mut approvals = proposal.approvals.iter();
    let approved = approvals.any(|approval| approval.by == *person && approval.digest == shown.digest);
    may && !approved && proposal.proposer.as_ref() != Some(person)
}

fn tasks(state: &State, person: &PersonId) -> Vec<Row> {
    let mine = state
        .tasks
        .iter()
        .filter(|(_, task)| task.owner.as_ref() == Some(person) && task.end.is_none());
    mine.map(|(id, task)| {
        row(
            Tone::Busy,
            "your task",
            format!("{id} {}", task.text),
            state.opening.number.to_string(),
        )
    })
    .collect()
}
