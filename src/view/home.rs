//! What one person sees who looks at the bot itself: what is open, and what waits for them.

use std::sync::Arc;

use super::{View, answer, ask, buttons, row, run, small};
use crate::chat::{Block, Message, Rich, Row, Style, Tone};
use crate::desk;
use crate::engine::Listed;
use crate::incident::{PersonId, Stage, State};

pub fn home(
    view: &View,
    person: &PersonId,
    listed: &[Arc<Listed>],
    states: &[Arc<State>],
    desk: &desk::State,
) -> Message {
    let mut message = answer::list(listed, Some(true), desk);
    let waiting: Vec<Row> = states.iter().flat_map(|state| approvals(state, person)).collect();
    if !waiting.is_empty() {
        message.blocks.push(heading("Waiting for approval"));
        message.blocks.push(Block::Rows { rows: waiting });
    }
    let tasks: Vec<Row> = states.iter().flat_map(|state| tasks(state, person)).collect();
    if !tasks.is_empty() {
        message.blocks.push(heading("Your tasks"));
        message.blocks.push(Block::Rows { rows: tasks });
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

/// Proposals of others, which this person may be able to approve. What exactly would run is shown in the room, and only
/// there can it be approved.
fn approvals(state: &State, person: &PersonId) -> Vec<Row> {
    let waits = state.proposals.values().filter(|proposal| {
        matches!(proposal.stage, Stage::Waiting { .. }) && proposal.proposer.as_ref() != Some(person)
    });
    let shown = |proposal: &crate::incident::Proposal| {
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
    waits.map(shown).collect()
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
