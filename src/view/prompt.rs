//! The prompt of a phase: why, what to do, what is still open, and the buttons for it.

use super::{Draft, View, ask, buttons, offer, row, run, small};
use crate::chat::{Block, Button, Message, Rich, Row, Style, Tone};
use crate::desk;
use crate::incident::{Life, Passage, Phase, Review, State, Step, StepKind, StepState};

/// Most buttons in one row of a prompt; more of them are a wall.
const MOST_BUTTONS: usize = 5;

pub fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Confirm => "Confirm",
        Phase::Contain => "Contain",
        Phase::Triage => "Triage",
        Phase::Decide => "Decide",
        Phase::Recover => "Recover",
        Phase::Learn => "Learn",
    }
}

/// The question of each phase, in one line.
fn question(phase: Phase) -> &'static str {
    match phase {
        Phase::Confirm => "What is wrong, who is hit and how badly, since when? Touch nothing yet.",
        Phase::Contain => {
            "Is damage going on: bad data, wrong documents, corrupt records? If so, stop it first, even crudely."
        }
        Phase::Triage => {
            "What changed? Then the logs, the resources, the dependencies. End each line in a finding."
        }
        Phase::Decide => {
            "Fix forward or roll back? Roll back what followed a change that can be cleanly undone."
        }
        Phase::Recover => {
            "Service restored is not recovered: smoke test, backlog, records, containment, manual changes."
        }
        Phase::Learn => {
            "Write it down while it is fresh: what happened, why, and what prevents a repeat. No blame."
        }
    }
}

pub fn prompt(view: &View, state: &State, entered: u64, _desk: &desk::State) -> Option<Message> {
    let passage = state.passages.iter().find(|passage| passage.event == entered)?;
    let phase = passage.phase;
    let at = Phase::ALL
        .iter()
        .position(|known| *known == phase)
        .unwrap_or_default()
        + 1;
    let heading = format!("{at} of 6 · {}", title(phase));
    let next = state.passages.iter().find(|next| next.event > entered);
    if next.is_some() || state.is_over() {
        let words = match next.map(|next| &next.passage) {
            _ if state.is_over() => "This incident is over.",
            Some(Passage::Gate) => "Done; the incident has moved on.",
            Some(Passage::Back { .. }) => "The incident went back from here.",
            _ => "The incident has moved on.",
        };
        return Some(
            Draft::default()
                .block(Block::Header {
                    text: heading.clone(),
                })
                .block(small(words))
                .done(heading),
        );
    }
    let mut draft = Draft::default()
        .block(Block::Header {
            text: heading.clone(),
        })
        .block(Block::Text {
            text: Rich::new().bold(question(phase)),
        });
    if let Passage::Back { reason } = &passage.passage {
        draft = draft.block(small(format!("Back here because: {reason}")));
    }
    let planned = state
        .opening
        .plan
        .phases
        .iter()
        .find(|planned| planned.phase == phase);
    if let Some(planned) = planned.filter(|planned| !planned.intro.is_empty()) {
        draft = draft.block(Block::Text {
            text: view.markdown(&planned.intro),
        });
    }
    let rows: Vec<Row> = state
        .steps_of(phase)
        .into_iter()
        .map(|step| step_row(view, state, step))
        .collect();
    if !rows.is_empty() {
        draft = draft.block(Block::Rows { rows });
    }
    draft = draft
        .blocks(still_open(view, state))
        .blocks(pressed(state, phase));
    let hint = view.ours("Go on with `/next`; back with `/back`.");
    Some(
        draft
            .block(small(hint))
            .done(format!("{heading}: {}", question(phase))),
    )
}

fn step_row(view: &View, state: &State, step: &Step) -> Row {
    let (tone, mark, detail) = match state.steps.get(&step.id) {
        Some(StepState::Done { note, .. }) => (Tone::Good, "done", note.clone().unwrap_or_default()),
        Some(StepState::Answered { answer, .. }) => (Tone::Good, "answered", answer.clone()),
        Some(StepState::Skipped { reason, .. }) => (Tone::Quiet, "skipped", reason.clone()),
        None if step.required => (Tone::Busy, "to do", String::new()),
        None => (Tone::Quiet, "optional", String::new()),
    };
    let title = Rich::new()
        .code(step.id.clone())
        .text(" ")
        .then(view.markdown(&step.text));
    row(tone, mark, title, detail)
}

fn still_open(view: &View, state: &State) -> Option<Block> {
    let conditions = state.open_conditions();
    if conditions.is_empty() {
        return Some(Block::Text {
            text: Rich::new().bold("Nothing is open here. Go on."),
        });
    }
    let rows = conditions
        .iter()
        .filter(|condition| !condition.words.starts_with("Step "))
        .map(|condition| row(Tone::Warn, "open", view.ours(&condition.words), ""))
        .collect::<Vec<_>>();
    (!rows.is_empty()).then_some(Block::Rows { rows })
}

fn pressed(state: &State, phase: Phase) -> Vec<Block> {
    let mut rows = Vec::new();
    let steps: Vec<Button> = state
        .open_steps()
        .into_iter()
        .flat_map(step_buttons)
        .take(MOST_BUTTONS)
        .collect();
    if !steps.is_empty() {
        rows.push(buttons(steps));
    }
    let own = match phase {
        Phase::Confirm => vec![ask("Frame it", "frame", [], Style::Primary)],
        Phase::Contain => vec![
            run("Damage is going on", "damage yes", Style::Danger),
            run("No damage", "damage no", Style::Plain),
            ask("Propose an action", "action propose", [], Style::Primary),
        ],
        Phase::Triage => vec![
            run("Ask all probes", "probe run", Style::Primary),
            ask("Record a finding", "finding add", [], Style::Plain),
            ask("Accept the cause", "finding accept", [], Style::Plain),
        ],
        Phase::Decide => vec![
            ask(
                "Roll back",
                "decide",
                [("way", "roll-back".to_owned())],
                Style::Primary,
            ),
            ask(
                "Fix forward",
                "decide",
                [("way", "fix-forward".to_owned())],
                Style::Plain,
            ),
        ],
        Phase::Recover => vec![
            ask(
                "Smoke test",
                "recovery check",
                [("item", "smoke-test".to_owned())],
                Style::Primary,
            ),
            ask(
                "Backlog",
                "recovery check",
                [("item", "backlog".to_owned())],
                Style::Plain,
            ),
            ask(
                "Records",
                "recovery check",
                [("item", "records".to_owned())],
                Style::Plain,
            ),
            ask("Change to reconcile", "recovery change", [], Style::Plain),
        ],
        Phase::Learn => vec![
            run("Read the post-mortem", "postmortem show", Style::Primary),
            ask("Write a section", "postmortem edit", [], Style::Plain),
            run("Export", "postmortem export html", Style::Plain),
            ask("Follow-up", "followup add", [], Style::Plain),
        ],
    };
    let mut own = own;
    let holds = state.open_conditions().is_empty();
    match phase {
        Phase::Learn if matches!(state.life, Life::Open | Life::Resolved) => {
            own.extend(review_buttons(state));
            if holds {
                own.push(run("Close", "close", Style::Plain));
            }
        }
        _ => own.push(run(
            "Next phase",
            "next",
            if holds { Style::Primary } else { Style::Plain },
        )),
    }
    rows.push(buttons(own));
    rows
}

/// The next steps of the post-mortem's review.
pub fn review_buttons(state: &State) -> Vec<Button> {
    match state.review {
        Review::Draft => vec![run("Submit for review", "postmortem submit", Style::Plain)],
        Review::InReview => vec![
            run("Approve it", "postmortem approve", Style::Plain),
            ask("Send it back", "postmortem review", [], Style::Plain),
        ],
        Review::Reviewed | Review::Closed => Vec::new(),
    }
}

/// The buttons that settle one step.
pub fn step_buttons(step: &Step) -> Vec<Button> {
    let id = step.id.clone();
    match &step.kind {
        StepKind::Do => vec![run(
            &format!("{id} done"),
            format!("step done {id}"),
            Style::Plain,
        )],
        StepKind::Ask { .. } => vec![ask(
            &format!("{id} answer"),
            "step answer",
            [("step", id.clone())],
            Style::Plain,
        )],
        StepKind::Probe { name, .. } => vec![run(
            &format!("{id} {name}"),
            format!("step run {id}"),
            Style::Plain,
        )],
        StepKind::Action { .. } => vec![offer(&format!("{id} propose"), &format!("step run {id}"))],
        StepKind::Branch { branches, .. } => branches
            .iter()
            .map(|branch| {
                run(
                    &branch.label,
                    format!("step branch {id} {}", branch.name),
                    Style::Plain,
                )
            })
            .collect(),
    }
}
