//! The pinned card and the line in the lobby.

use super::{Draft, View, ask, buttons, name, row, run, say, small, told};
use crate::chat::{Block, Message, Rich, Style, Tone};
use crate::desk;
use crate::incident::{Containment, DamageNow, Life, Moment, Phase, Process, Role, RoomRef, Stage, State};

/// One word or two for where it stands.
pub fn standing(state: &State) -> String {
    match &state.life {
        Life::Open => state.phase.word().to_owned(),
        Life::Resolved => "resolved".to_owned(),
        Life::Closed => "closed".to_owned(),
        Life::Cancelled { .. } => "cancelled".to_owned(),
        Life::Duplicate { of } => format!("duplicate of {of}"),
    }
}

/// Marks that stand on everything: drill, private, retroactive.
pub fn marks(state: &State) -> String {
    let opening = &state.opening;
    [
        (opening.drill, "DRILL"),
        (opening.private, "PRIVATE"),
        (opening.retroactive, "RETROACTIVE"),
    ]
    .into_iter()
    .filter_map(|(on, mark)| on.then_some(format!("{mark} · ")))
    .collect()
}

pub fn headline(state: &State) -> String {
    format!(
        "{}{} · {} · {}",
        marks(state),
        state.opening.number,
        state.severity,
        state.title
    )
}

pub fn card(view: &View, state: &State, desk: &desk::State) -> Message {
    let mut draft = Draft::default().block(Block::Header {
        text: headline(state),
    });
    if let Some(sentence) = &state.sentence {
        draft = draft.block(Block::Text {
            text: sentence.clone().into(),
        });
    }
    draft = draft
        .block(Block::Fields {
            fields: fields(state, desk),
        })
        .block(way(state));
    let in_force = in_force(state);
    if !in_force.is_empty() {
        draft = draft.block(Block::Text {
            text: Rich::new().bold("Containment in force"),
        });
        draft = draft.block(Block::Rows { rows: in_force });
    }
    if let Some(update) = state.updates.last() {
        let text = Rich::new()
            .bold("Last update ")
            .time(update.at)
            .text(format!(": {}", update.text));
        draft = draft.block(Block::Text { text });
    }
    draft = draft.block(buttons([
        run("What now?", "status", Style::Primary),
        ask("Note", "note", [], Style::Plain),
        ask("Update", "update send", [], Style::Plain),
        run("Catch up", "brief", Style::Plain),
        run("Timeline", "timeline", Style::Plain),
    ]));
    let runbook = &state.opening.plan;
    let foot = Rich::new().text(format!(
        "Runbook: {} ({}) · event #{} · ",
        runbook.title,
        &runbook.digest.chars().take(8).collect::<String>(),
        state.seq,
    ));
    draft = draft.block(small(foot.then(view.ours("`/help`"))));
    draft.done(format!("{} · {}", headline(state), standing(state)))
}

fn fields(state: &State, desk: &desk::State) -> Vec<(String, Rich)> {
    let person = |role: Role| -> Rich {
        match state.roles.get(&role).filter(|holders| !holders.is_empty()) {
            Some(holders) => holders
                .iter()
                .map(|person| name(desk, person))
                .collect::<Vec<_>>()
                .join(", ")
                .into(),
            None => "nobody yet".into(),
        }
    };
    let since = match state.moments.get(&Moment::Onset) {
        Some(onset) => Rich::new().time(onset.at),
        None => "not said yet".into(),
    };
    let mut fields = vec![
        ("State".to_owned(), standing(state).into()),
        ("Process".to_owned(), state.process.word().into()),
        ("Commander".to_owned(), person(Role::Commander)),
        ("Since".to_owned(), since),
    ];
    if !state.targets.is_empty() {
        fields.push(("Targets".to_owned(), state.targets.join(", ").into()));
    }
    if let Some(due) = state.update_due {
        fields.push(("Next update".to_owned(), Rich::new().time(due)));
    }
    if let Some(damage) = state.damage_now() {
        fields.push(("Damage".to_owned(), damage_words(&damage)));
    }
    if let Some(due) = state.postmortem_due.filter(|_| !state.is_over()) {
        let words = Rich::new().text(format!("{}, due ", state.review)).time(due);
        fields.push(("Post-mortem".to_owned(), words));
    }
    let open_tasks = state.tasks.values().filter(|task| task.end.is_none()).count();
    if open_tasks > 0 {
        fields.push(("Open tasks".to_owned(), open_tasks.to_string().into()));
    }
    fields
}

/// Whether the damage goes on, and what stopped it when.
pub fn damage_words(damage: &DamageNow) -> Rich {
    match damage {
        DamageNow::NotGoingOn => "none going on".into(),
        DamageNow::GoingOn => "going on".into(),
        DamageNow::Stopped { by, at } => Rich::new()
            .text("stopped ")
            .time(*at)
            .text(format!(", {by} verified")),
        DamageNow::GoingOnAgain { lifted, at } => Rich::new()
            .text("going on again since ")
            .time(*at)
            .text(format!(", {lifted} was lifted")),
        DamageNow::Over { lifted, at } => Rich::new()
            .text(format!("stopped; {lifted} was lifted "))
            .time(*at),
        DamageNow::Unverified => "was going on; nothing that stopped it was verified".into(),
    }
}

/// The six phases as one line, the present one marked.
fn way(state: &State) -> Block {
    let rows = Phase::ALL
        .iter()
        .map(|phase| {
            let (tone, mark) = match (
                phase.cmp(&state.phase),
                state.life == Life::Open || state.phase == Phase::Learn,
            ) {
                (std::cmp::Ordering::Less, _) => (Tone::Good, "done"),
                (std::cmp::Ordering::Equal, true) if !state.is_over() => (Tone::Busy, "now"),
                (std::cmp::Ordering::Equal, _) => (Tone::Good, "done"),
                (std::cmp::Ordering::Greater, _) => (Tone::Quiet, "later"),
            };
            let open = if *phase == state.phase && !state.is_over() {
                state.open_conditions().len()
            } else {
                0
            };
            let detail = match open {
                0 => String::new(),
                1 => "one thing open".to_owned(),
                more => format!("{more} things open"),
            };
            row(tone, mark, Rich::new().bold(super::prompt::title(*phase)), detail)
        })
        .collect();
    Block::Rows { rows }
}

fn in_force(state: &State) -> Vec<crate::chat::Row> {
    state
        .proposals
        .values()
        .filter_map(|proposal| match (&proposal.containment, &proposal.stage) {
            (Some(Containment::InForce { since }), _) => {
                let title = Rich::new().text(format!(
                    "{} {} on {}",
                    proposal.id, proposal.terms.title, proposal.terms.target
                ));
                Some(row(
                    Tone::Warn,
                    "in force",
                    title,
                    Rich::new().text("since ").time(*since),
                ))
            }
            (None, Stage::Unknown { .. }) => {
                let title = format!(
                    "{} {} on {}",
                    proposal.id, proposal.terms.title, proposal.terms.target
                );
                Some(row(
                    Tone::Bad,
                    "unknown",
                    title,
                    "nobody knows whether it ran; look and settle it",
                ))
            }
            _ => None,
        })
        .collect()
}

/// That there is no line in the lobby, or one that is not true any more.
pub fn unannounced(state: &State, lobby: &RoomRef, why: &str) -> Message {
    let text = Rich::new()
        .text(format!("{} cannot be announced in ", state.opening.number))
        .room(lobby)
        .text(format!(
            ": {why}. Whoever looks only there does not see it, or sees it as it was: tell them another way. Whoever runs \
             Orderly finds out with "
        ))
        .code("orderly doctor")
        .text(" what to mend.");
    told(text)
}

/// The line in the lobby.
pub fn announcement(state: &State, desk: &desk::State) -> Message {
    let commander = state
        .commander()
        .map_or("nobody yet".to_owned(), |person| name(desk, person));
    let mut text = Rich::new().bold(headline(state));
    let process = match state.process {
        Process::Other => String::new(),
        named => format!(" · {named}"),
    };
    text = text.text(format!("\n{}{process} · commander: {commander}", standing(state)));
    if let Some(sentence) = &state.sentence {
        text = text.text(format!("\n{sentence}"));
    }
    let team = state.rooms.iter().filter(|room| room.is_internal());
    for (at, room) in team.enumerate() {
        text = text.text(if at == 0 { "\nRoom: " } else { ", " }).room(&room.at);
    }
    let number = state.opening.number;
    let mut pressed = vec![run("Status", format!("{number} status"), Style::Plain)];
    if state.commander().is_none() && !state.is_over() {
        pressed.insert(
            0,
            run(
                "Take command",
                format!("{number} role take commander"),
                Style::Primary,
            ),
        );
    }
    say(text).block(buttons(pressed)).done(headline(state))
}
