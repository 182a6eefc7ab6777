//! Answers to questions about the incident: seen by the person who asked, and by nobody else.

use std::sync::Arc;

use super::{
    Draft, View, ask, buttons, card, name, offered, prompt, row, run, say, several, short, small, who,
};
use crate::chat::{Block, Message, Rich, Row, Style, Tone};
use crate::desk;
use crate::engine::Listed;
use crate::incident::{
    Conclusion, Containment, Ended, PersonId, Proposal, Recorded, Review, Role, Section, Stage, State,
};
use crate::timeline;

/// Lines of a timeline in one message; the export has all of them.
const MOST_LINES: usize = 40;

/// Help, line by line as it was written.
pub fn help(view: &View, text: &str) -> Message {
    let mut shown = Rich::new();
    for (at, line) in text.lines().enumerate() {
        let (mark, line) = match line.strip_prefix("- ") {
            Some(item) => ("• ", item),
            None => ("", line),
        };
        let start = if at == 0 { "" } else { "\n" };
        shown = shown.text(format!("{start}{mark}")).then(view.markdown(line));
    }
    say(shown).done("Help")
}

/// Where it stands and what to do now, for the person who asks.
pub fn status(view: &View, state: &State, person: &PersonId, desk: &desk::State) -> Message {
    let mut draft = Draft::default().block(Block::Header {
        text: card::headline(state),
    });
    let sentence = state
        .sentence
        .clone()
        .unwrap_or_else(|| "Not framed yet.".to_owned());
    draft = draft.block(Block::Text {
        text: sentence.into(),
    });
    let commander = state
        .commander()
        .map_or("nobody yet".to_owned(), |person| name(desk, person));
    let standing = card::standing(state);
    draft = draft.block(Block::Text {
        text: Rich::new()
            .text("It is in ")
            .bold(standing)
            .text(format!(". Commander: {commander}.")),
    });
    if let Some(damage) = state.damage_now() {
        let text = Rich::new().text("Damage: ").then(card::damage_words(&damage));
        draft = draft.block(Block::Text { text: text.text(".") });
    }
    let conditions = state.open_conditions();
    if state.is_over() {
        draft = draft.block(small(
            view.ours("It is over. `/reopen` with a reason if it is not."),
        ));
    } else if conditions.is_empty() {
        draft = draft.block(Block::Text {
            text: Rich::new().bold("Nothing is open in this phase."),
        });
        draft = draft.block(buttons([run("Next phase", "next", Style::Primary)]));
    } else {
        draft = draft.block(Block::Text {
            text: Rich::new().bold("What is open now"),
        });
        let rows = conditions
            .iter()
            .map(|open| row(Tone::Warn, "open", view.ours(&open.words), ""))
            .collect();
        draft = draft.block(Block::Rows { rows });
        let offers = conditions.iter().filter_map(|open| open.offer.as_ref());
        let mut pressed = offered(offers.map(|(label, line)| (*label, line.as_str())));
        pressed.truncate(5);
        if !pressed.is_empty() {
            draft = draft.block(Block::Buttons { buttons: pressed });
        }
    }
    draft = draft.blocks(mine(state, person));
    draft
        .block(small(view.ours("Help: `/help`")))
        .done(card::headline(state))
}

/// What waits for this person.
fn mine(state: &State, person: &PersonId) -> Option<Block> {
    let mut rows: Vec<Row> = state
        .tasks
        .iter()
        .filter(|(_, task)| task.owner.as_ref() == Some(person) && task.end.is_none())
        .map(|(id, task)| row(Tone::Busy, "your task", format!("{id} {}", task.text), ""))
        .collect();
    let waits = state.proposals.values().filter(|proposal| {
        matches!(proposal.stage, Stage::Waiting { .. }) && proposal.proposer.as_ref() != Some(person)
    });
    rows.extend(waits.map(|proposal| {
        row(
            Tone::Warn,
            "to approve",
            format!(
                "{} {} on {}",
                proposal.id, proposal.terms.title, proposal.terms.target
            ),
            "",
        )
    }));
    (!rows.is_empty()).then_some(Block::Rows { rows })
}

/// Open ones, those that are over, or (`None`) both.
pub fn list(listed: &[Arc<Listed>], open: Option<bool>, desk: &desk::State) -> Message {
    let fits = |listed: &&Arc<Listed>| open.is_none_or(|open| listed.open == open);
    let shown: Vec<_> = listed.iter().filter(fits).take(MOST_LINES).collect();
    if shown.is_empty() {
        let words = if open == Some(true) {
            "No incident is open. Quiet is good."
        } else {
            "There is none."
        };
        return say(words)
            .block(buttons([ask("Open an incident", "open", [], Style::Plain)]))
            .done(words);
    }
    let rows = shown
        .iter()
        .map(|listed| {
            let drill = if listed.drill { "DRILL · " } else { "" };
            let private = if listed.private { "PRIVATE · " } else { "" };
            let title = Rich::new()
                .bold(format!("{drill}{private}{}", listed.incident))
                .text(format!(" {}", listed.title));
            let commander = listed
                .commander
                .as_ref()
                .map_or("nobody".to_owned(), |person| name(desk, person));
            let stands = if listed.life == "open" {
                listed.phase.word()
            } else {
                &listed.life
            };
            row(
                tone_of(listed),
                listed.severity.word(),
                title,
                format!("{stands} · commander: {commander}"),
            )
        })
        .collect();
    let heading = match open {
        Some(true) => "Open incidents",
        Some(false) => "Incidents that are over",
        None => "All incidents",
    };
    Draft::default()
        .block(Block::Header {
            text: heading.to_owned(),
        })
        .block(Block::Rows { rows })
        .done(format!("{heading}: {}", shown.len()))
}

fn tone_of(listed: &Listed) -> Tone {
    match (listed.open, listed.severity as usize) {
        (false, _) => Tone::Quiet,
        (true, 0 | 1) => Tone::Bad,
        (true, 2) => Tone::Warn,
        (true, _) => Tone::Busy,
    }
}

/// The catch-up for somebody who comes late: only what one would tell a colleague.
pub fn brief(view: &View, state: &State, journal: &[Recorded], desk: &desk::State) -> Message {
    let names = |person: &PersonId| name(desk, person);
    let entries = timeline::read(journal, &names);
    let mut draft = Draft::default().block(Block::Header {
        text: format!("Catch-up: {}", card::headline(state)),
    });
    let sentence = state
        .sentence
        .clone()
        .unwrap_or_else(|| "It is not framed yet.".to_owned());
    draft = draft.block(Block::Text {
        text: sentence.into(),
    });
    let mut facts = Vec::new();
    if let (Some(damage), Some(now)) = (&state.damage, state.damage_now()) {
        let detail = damage.detail.as_ref().map(|detail| format!(" ({detail})"));
        facts.push(format!(
            "Damage: {}{}",
            card::damage_words(&now).plain(),
            detail.unwrap_or_default()
        ));
    }
    facts.extend(state.containment_in_force().filter_map(|id| {
        state
            .proposals
            .get(&id)
            .map(|p| format!("In force: {id} {} on {}", p.terms.title, p.terms.target))
    }));
    if let Some(cause) = state.cause.and_then(|id| state.findings.get(&id)) {
        facts.push(format!("Cause: {}", cause.text));
    }
    if let Some(decision) = &state.decision {
        facts.push(format!(
            "Decided by {}: {} — {}",
            who(desk, &decision.by),
            decision.way,
            decision.reason
        ));
    }
    if !facts.is_empty() {
        draft = draft.block(Block::Text {
            text: facts.join("\n").into(),
        });
    }
    let key: Vec<_> = entries
        .iter()
        .filter(|entry| entry.weight == timeline::Weight::Key && entry.removed.is_none())
        .collect();
    let from = key.len().saturating_sub(12);
    draft = draft.block(Block::Rows {
        rows: key[from..].iter().map(|entry| line(entry)).collect(),
    });
    draft = draft.block(buttons([
        run("What now?", "status", Style::Primary),
        run("Whole timeline", "timeline", Style::Plain),
    ]));
    draft
        .block(small(view.ours("Only you see this. `/help`")))
        .done(format!("Catch-up: {}", card::headline(state)))
}

fn line(entry: &timeline::Entry) -> Row {
    let tone = match entry.tone {
        timeline::Tone::Plain => Tone::Quiet,
        timeline::Tone::Good => Tone::Good,
        timeline::Tone::Warn => Tone::Warn,
        timeline::Tone::Bad => Tone::Bad,
        timeline::Tone::Unknown => Tone::Quiet,
    };
    let words = entry
        .words
        .as_deref()
        .map(|words| short(words, 240))
        .unwrap_or_default();
    let title = Rich::new().time(entry.at).text(format!(" {}", entry.sentence));
    row(tone, format!("#{}", entry.event), title, words)
}

/// The timeline, newest last: the last so many lines, or as many as fit without the bookkeeping.
pub fn timeline(state: &State, journal: &[Recorded], last: Option<usize>, desk: &desk::State) -> Message {
    let names = |person: &PersonId| name(desk, person);
    let entries: Vec<_> = timeline::read(journal, &names)
        .into_iter()
        .filter(|entry| entry.removed.is_none())
        .filter(|entry| last.is_some() || entry.weight != timeline::Weight::Fine)
        .collect();
    let left_out = entries.len().saturating_sub(last.unwrap_or(MOST_LINES));
    let mut draft = Draft::default().block(Block::Header {
        text: format!("Timeline of {}", state.opening.number),
    });
    if left_out > 0 {
        draft = draft.block(small(format!(
            "{left_out} earlier lines are left out here; the post-mortem has all of them."
        )));
    }
    draft = draft.block(Block::Rows {
        rows: entries[left_out..].iter().map(line).collect(),
    });
    draft
        .block(buttons([run("Export", "postmortem export html", Style::Plain)]))
        .done(format!("Timeline of {}", state.opening.number))
}

/// The steps of the phase, or one of them.
pub fn steps(view: &View, state: &State, step: Option<&str>) -> Message {
    let all = state.steps_of(state.phase);
    let shown: Vec<_> = all
        .into_iter()
        .filter(|known| step.is_none_or(|step| known.id == step))
        .collect();
    if shown.is_empty() {
        let words = format!("The runbook has no steps for {}.", prompt::title(state.phase));
        return say(words.clone()).done(words);
    }
    let rows = shown
        .iter()
        .map(|step| {
            let (tone, mark) = match (state.steps.contains_key(&step.id), step.required) {
                (true, _) => (Tone::Good, "settled"),
                (false, true) => (Tone::Busy, "to do"),
                (false, false) => (Tone::Quiet, "optional"),
            };
            row(
                tone,
                mark,
                Rich::new()
                    .code(step.id.clone())
                    .text(" ")
                    .then(view.markdown(&step.text)),
                "",
            )
        })
        .collect();
    let open = shown.iter().filter(|step| !state.steps.contains_key(&step.id));
    let pressed: Vec<_> = open.flat_map(|step| prompt::step_buttons(step)).take(5).collect();
    let mut draft = Draft::default()
        .block(Block::Header {
            text: format!("Steps of {}", prompt::title(state.phase)),
        })
        .block(Block::Rows { rows });
    if !pressed.is_empty() {
        draft = draft.block(Block::Buttons { buttons: pressed });
    }
    draft.done(format!("Steps of {}", prompt::title(state.phase)))
}

pub fn findings(view: &View, state: &State) -> Message {
    let rows: Vec<Row> = state
        .findings
        .iter()
        .map(|(id, finding)| {
            let tone = match finding.conclusion {
                Conclusion::Suspect => Tone::Warn,
                Conclusion::Cleared => Tone::Good,
            };
            let cause = if state.cause == Some(*id) {
                " (accepted as the cause)"
            } else {
                ""
            };
            row(
                tone,
                finding.conclusion.word(),
                format!("{id} {}: {}{cause}", finding.line, finding.text),
                "",
            )
        })
        .collect();
    listing(
        "Findings",
        rows,
        view.ours("No finding yet. `/finding add` records one."),
    )
}

pub fn actions(view: &View, state: &State) -> Message {
    let rows: Vec<Row> = state
        .proposals
        .values()
        .map(|proposal| {
            let tone = if proposal.stage.is_over() {
                Tone::Quiet
            } else {
                Tone::Busy
            };
            row(
                tone,
                proposal.stage.word(),
                format!("{} {}", proposal.id, proposal.terms.title),
                format!("{}{}", proposal.terms.target, contains(proposal)),
            )
        })
        .collect();
    listing(
        "Actions",
        rows,
        view.ours("No action was proposed yet. `/propose` does it."),
    )
}

/// Whether what an action contains is still contained by it.
fn contains(proposal: &Proposal) -> String {
    match &proposal.containment {
        None => String::new(),
        Some(Containment::InForce { since }) => {
            format!(
                " · containment in force since {} UTC",
                since.format("%Y-%m-%d %H:%M")
            )
        }
        Some(Containment::Lifted { grounds, .. }) => format!(" · containment lifted: {grounds}"),
        Some(Containment::Accepted { reason, .. }) => format!(" · containment stays: {reason}"),
    }
}

pub fn tasks(view: &View, state: &State, desk: &desk::State) -> Message {
    let rows: Vec<Row> = state
        .tasks
        .iter()
        .map(|(id, task)| {
            ended_row(
                id.to_string(),
                &task.text,
                task.owner.as_ref(),
                &task.end,
                "",
                desk,
            )
        })
        .collect();
    listing("Tasks", rows, view.ours("No task yet. `/task add` makes one."))
}

pub fn followups(view: &View, state: &State, desk: &desk::State) -> Message {
    let rows: Vec<Row> = state
        .followups
        .iter()
        .map(|(id, followup)| {
            let due = followup.due.map(|due| format!("due {due}")).unwrap_or_default();
            ended_row(
                id.to_string(),
                &followup.text,
                followup.owner.as_ref(),
                &followup.end,
                &due,
                desk,
            )
        })
        .collect();
    listing(
        "Follow-ups",
        rows,
        view.ours("No follow-up yet. `/followup add` makes one."),
    )
}

fn ended_row(
    id: String,
    text: &str,
    owner: Option<&PersonId>,
    end: &Option<Ended>,
    due: &str,
    desk: &desk::State,
) -> Row {
    let (tone, mark) = match end {
        None => (Tone::Busy, "open"),
        Some(Ended::Done { .. }) => (Tone::Good, "done"),
        Some(Ended::Dropped { .. }) => (Tone::Quiet, "dropped"),
    };
    let owner = owner.map_or("nobody's yet".to_owned(), |owner| name(desk, owner));
    row(
        tone,
        mark,
        format!("{id} {text}"),
        [owner, due.to_owned()].join(" ").trim().to_owned(),
    )
}

pub fn roles(state: &State, desk: &desk::State) -> Message {
    let rows = Role::ALL
        .iter()
        .map(|role| {
            let holders: Vec<_> = state
                .roles
                .get(role)
                .into_iter()
                .flatten()
                .map(|person| name(desk, person))
                .collect();
            let entitled: Vec<_> = desk
                .holders(*role)
                .map(|(_, person)| person.name.clone())
                .collect();
            let detail = if entitled.is_empty() {
                String::new()
            } else {
                format!("entitled: {}", several(&entitled))
            };
            match holders.is_empty() {
                true => row(Tone::Quiet, role.word(), "nobody", detail),
                false => row(Tone::Good, role.word(), holders.join(", "), detail),
            }
        })
        .collect();
    listing("Roles", rows, "")
}

/// Probes that can be asked: name, question, targets.
pub fn probes(view: &View, known: &[(String, String, String)]) -> Message {
    let rows = known
        .iter()
        .map(|(probe, question, targets)| {
            row(
                Tone::Quiet,
                "probe",
                Rich::new().code(probe.clone()).text(format!(" {question}")),
                targets.clone(),
            )
        })
        .collect();
    listing(
        "Probes",
        rows,
        view.ours("No probe fits the targets in the config. `orderly doctor` tells more."),
    )
}

/// Runbooks on the shelf: name, title, whether it is the one in use.
pub fn runbooks(known: &[(String, String, bool)]) -> Message {
    let rows = known
        .iter()
        .map(|(runbook, title, used)| {
            let (tone, mark) = if *used {
                (Tone::Busy, "in use")
            } else {
                (Tone::Quiet, "runbook")
            };
            row(
                tone,
                mark,
                Rich::new().code(runbook.clone()).text(format!(" {title}")),
                "",
            )
        })
        .collect();
    listing("Runbooks", rows, "There is no runbook.")
}

fn listing(heading: &str, rows: Vec<Row>, empty: impl Into<Rich>) -> Message {
    let empty = empty.into();
    let draft = Draft::default().block(Block::Header {
        text: heading.to_owned(),
    });
    match rows.is_empty() {
        true => {
            let fallback = empty.bare();
            draft.block(Block::Text { text: empty }).done(fallback)
        }
        false => draft.block(Block::Rows { rows }).done(heading),
    }
}

/// Where the post-mortem stands, what is written, and where to read all of it.
pub fn postmortem(view: &View, state: &State) -> Message {
    let number = state.opening.number;
    let rows = Section::ALL
        .iter()
        .map(|section| match state.sections.get(section) {
            Some(written) => row(Tone::Good, "written", section.word(), short(&written.text, 240)),
            None => row(Tone::Quiet, "open", section.word(), "nobody wrote it yet"),
        })
        .collect();
    let command = format!("orderly postmortem {number}");
    let address = format!("/incidents/{}/postmortem", number.0);
    let links = Rich::new()
        .text("Read it: ")
        .into_page(
            format!("{address}.html"),
            "page",
            format!("{command} --format html"),
        )
        .text(" · ")
        .into_page(format!("{address}.md"), "Markdown", &command)
        .text(" · ")
        .into_page(
            format!("{address}.json"),
            "JSON",
            format!("{command} --format json"),
        );
    let review = match state.review {
        Review::Draft => vec![run("Submit for review", "postmortem submit", Style::Plain)],
        Review::InReview => vec![
            run("Approve", "postmortem approve", Style::Primary),
            ask("Send back", "postmortem review", [], Style::Plain),
        ],
        Review::Reviewed | Review::Closed => vec![run("Close the incident", "close", Style::Plain)],
    };
    let mut pressed = vec![
        ask("Write a section", "postmortem edit", [], Style::Primary),
        run("Export", "postmortem export html", Style::Plain),
    ];
    pressed.extend(review);
    Draft::default()
        .block(Block::Header {
            text: format!("Post-mortem of {number}: {}", state.review),
        })
        .block(Block::Text { text: links })
        .block(Block::Rows { rows })
        .block(buttons(pressed))
        .block(small(view.ours("Write a section with `/postmortem edit cause`.")))
        .done(format!("Post-mortem of {number}: {}", state.review))
}
