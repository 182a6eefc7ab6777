//! Probes asked together: one message, edited as the answers arrive.

use super::{Draft, LONGEST_BLOCK, ask, buttons, proposal, row, run, short, small};
use crate::chat::{Block, Message, Rich, Row, Style, Tone};
use crate::incident::{ProbeRunId, Purpose, Run, State, Verdict};

pub fn round(state: &State, round: u32) -> Option<Message> {
    let runs: Vec<&Run> = state
        .runs
        .values()
        .filter(|run| run.asked.round == round)
        .collect();
    // The checks around an attempt are shown on its proposal.
    if runs.is_empty()
        || runs
            .iter()
            .all(|run| !matches!(run.asked.purpose, Purpose::Ask { .. }))
    {
        return None;
    }
    let waiting = runs.iter().filter(|run| run.answer.is_none()).count();
    let heading = match (runs.len(), waiting) {
        (1, 0) => format!("Probe {}", runs[0].asked.run),
        (1, _) => format!("Probe {}: asking", runs[0].asked.run),
        (all, 0) => format!("{all} probes answered"),
        (all, waiting) => format!("{} of {all} probes answered", all - waiting),
    };
    let rows: Vec<Row> = runs.iter().map(|run| row_of(run)).collect();
    let mut draft = Draft::default()
        .block(Block::Header {
            text: heading.clone(),
        })
        .block(Block::Rows { rows });
    for run in runs.iter().filter(|run| worth_showing(run)) {
        let Some(answer) = &run.answer else { continue };
        let title = format!("{} {} on {}", run.asked.run, run.asked.probe, run.asked.target);
        draft = draft.block(Block::Details {
            title,
            text: short(&answer.excerpt, LONGEST_BLOCK),
        });
    }
    let outputs: Vec<_> = runs
        .iter()
        .filter_map(|run| Some((run.asked.run, run.answer.as_ref()?.output.clone()?)))
        .collect();
    if !outputs.is_empty() {
        let mut links = Rich::new().text("Full output:");
        for (run, sha256) in outputs {
            links = links
                .text(" ")
                .then(output(state, run, &sha256, &run.to_string()));
        }
        draft = draft.block(small(links));
    }
    if waiting == 0 {
        let evidence: Vec<String> = runs.iter().map(|run| run.asked.run.to_string()).collect();
        draft = draft.block(buttons([
            ask(
                "Record a finding",
                "finding add",
                [("evidence", evidence.join(","))],
                Style::Primary,
            ),
            run("Ask again", again(&runs), Style::Plain),
        ]));
    }
    Some(draft.done(heading))
}

/// The line that asks the same again: the probe where it was one, else the whole round of the phase.
fn again(runs: &[&Run]) -> String {
    match runs {
        [one] => {
            let mut line = format!("probe run {} target={}", one.asked.probe, one.asked.target);
            for (name, value) in &one.asked.params {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                line.push_str(&format!(" {name}={}", orderly_commands::quoted(&text)));
            }
            line
        }
        _ => "probe run".to_owned(),
    }
}

fn worth_showing(run: &Run) -> bool {
    run.answer
        .as_ref()
        .is_some_and(|answer| !answer.excerpt.is_empty())
}

fn row_of(run: &Run) -> Row {
    let title = Rich::new()
        .code(run.asked.run.to_string())
        .text(format!(" {} on {}", run.asked.probe, run.asked.target));
    let Some(answer) = &run.answer else {
        return row(Tone::Busy, "asking", title, "");
    };
    let mut detail = answer.summary.clone();
    if let Some(impact) = answer.impact.as_ref().filter(|_| answer.verdict != Verdict::Ok) {
        detail.push_str(&format!(" — {impact}"));
    }
    for caveat in &answer.caveats {
        detail.push_str(&format!(" [{caveat}]"));
    }
    detail.push_str(&format!(" ({})", milliseconds(answer.duration_ms)));
    row(
        proposal::tone(answer.verdict),
        answer.verdict.word(),
        title,
        detail,
    )
}

fn milliseconds(ms: u64) -> String {
    if ms < 1_000 {
        format!("{ms} ms")
    } else {
        format!("{:.1} s", ms as f64 / 1_000.0)
    }
}

/// Where the full output of an answer is read.
fn output(state: &State, run: ProbeRunId, sha256: &str, words: &str) -> Rich {
    let command = format!("orderly probe output {} {run}", state.opening.number);
    Rich::new().into_page(format!("/outputs/{sha256}"), words, command)
}

/// One answer in full, as far as a message holds it.
pub fn answered(state: &State, run: &Run) -> Message {
    let heading = format!("{} {} on {}", run.asked.run, run.asked.probe, run.asked.target);
    let mut draft = Draft::default()
        .block(Block::Header {
            text: heading.clone(),
        })
        .block(Block::Rows {
            rows: vec![row_of(run)],
        });
    if let Some(answer) = run.answer.as_ref() {
        if !answer.excerpt.is_empty() {
            draft = draft.block(Block::Code {
                text: short(&answer.excerpt, LONGEST_BLOCK),
                diff: false,
            });
        }
        if let Some(sha256) = &answer.output {
            draft = draft.block(small(output(state, run.asked.run, sha256, "Full output")));
        }
    }
    draft.done(heading)
}

/// Two answers of the same probe, as a diff.
pub fn compared(before: &Run, after: &Run) -> Message {
    let text = |run: &Run| {
        let answer = run.answer.as_ref();
        answer
            .map(|answer| format!("{}: {}\n{}", answer.verdict, answer.summary, answer.excerpt))
            .unwrap_or_default()
    };
    let heading = format!(
        "{} on {}: {} and {}",
        after.asked.probe, after.asked.target, before.asked.run, after.asked.run
    );
    let difference = proposal::diff(&text(before), &text(after));
    let shown = if difference.is_empty() {
        "No difference.".to_owned()
    } else {
        short(&difference, LONGEST_BLOCK)
    };
    Draft::default()
        .block(Block::Header {
            text: heading.clone(),
        })
        .block(Block::Code {
            text: shown,
            diff: true,
        })
        .done(heading)
}
