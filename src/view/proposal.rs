//! A proposed action: exactly what will run, its target, risk, undo and expiry, who proposed and who may approve.

use similar::TextDiff;

use super::notice::mention;
use super::{Draft, LONGEST_BLOCK, ask, buttons, name, row, run, several, short, small};
use crate::chat::{Block, Button, Message, Rich, Row, Style, Tone};
use crate::desk;
use crate::incident::{Containment, PersonId, Proposal, ProposalId, Purpose, Stage, State, Verdict};
use crate::text::cut;

/// What the card shows of the reason. However much somebody writes, it does not push away what will run.
const LONGEST_REASON: usize = 500;

/// At the end of what is cut here.
const REST_ELSEWHERE: &str = "… (the post-mortem has all of it)";

/// People called at once; whoever comes after them is asked again later, in wider circles.
const MENTIONED: usize = 12;

pub fn proposal(state: &State, proposal: &Proposal, desk: &desk::State) -> Message {
    let terms = &proposal.terms;
    let heading = format!("{} · {} · {}", proposal.id, terms.title, proposal.stage.word());
    let mut draft = Draft::default().block(Block::Header {
        text: heading.clone(),
    });
    if proposal.break_glass.is_some() {
        draft = draft.block(Block::Text {
            text: Rich::new().bold("BREAK-GLASS: this runs without its approvals."),
        });
    }
    if let Some(text) = called(state, proposal, desk) {
        draft = draft.block(Block::Text { text });
    }
    draft = draft.block(Block::Fields {
        fields: fields(proposal, desk),
    });
    if let Some(shown) = proposal.stage.shown() {
        let preview = &shown.preview;
        draft = draft
            .block(Block::Text {
                text: Rich::new().bold("What will run, exactly"),
            })
            .block(Block::Code {
                // Whole, whatever its length: longer ones are not shown for approval at all.
                text: preview.operation.display.clone(),
                diff: false,
            });
        if !preview.effect.is_empty() {
            let kind = if preview.dry_run {
                "What it changes (dry run on the server)"
            } else {
                "What it changes"
            };
            draft = draft
                .block(Block::Text {
                    text: Rich::new().bold(kind),
                })
                .block(Block::Code {
                    text: cut(&preview.effect, LONGEST_BLOCK, REST_ELSEWHERE)
                        .shown
                        .into_owned(),
                    diff: false,
                });
        }
    }
    let rows = life(state, proposal, desk);
    if !rows.is_empty() {
        draft = draft.block(Block::Rows { rows });
    }
    draft = draft
        .blocks(before_and_after(state, proposal))
        .blocks(pressed(proposal));
    if let Some(shown) = proposal.stage.shown() {
        let digest: String = shown.digest.chars().take(12).collect();
        draft = draft.block(small(format!("Approvals bind to digest {digest}.")));
    }
    draft.done(heading)
}

/// Those who may approve, mentioned. From the first moment on: platforms tell people of a mention in what is posted, and not
/// of one that an edit brings.
fn called(state: &State, proposal: &Proposal, desk: &desk::State) -> Option<Rich> {
    let policy = &proposal.terms.policy;
    let waits = matches!(proposal.stage, Stage::Drafted | Stage::Waiting { .. });
    if !waits || policy.quorum == 0 || proposal.break_glass.is_some() {
        return None;
    }
    let able: Vec<PersonId> = match policy.role {
        Some(role) => desk.holders(role).map(|(id, _)| id.clone()).collect(),
        None => state.members().into_iter().collect(),
    };
    let others = able
        .into_iter()
        .filter(|id| proposal.proposer.as_ref() != Some(id));
    let others: Vec<PersonId> = others.take(MENTIONED).collect();
    (!others.is_empty()).then(|| mention(desk, &others).text("may approve this."))
}

fn fields(proposal: &Proposal, desk: &desk::State) -> Vec<(String, Rich)> {
    let terms = &proposal.terms;
    let proposer = proposal
        .proposer
        .as_ref()
        .map_or("Orderly".to_owned(), |person| name(desk, person));
    let who = match terms.policy.role {
        Some(role) => {
            let holders = desk.holders(role).map(|(_, person)| person.name.clone());
            let names: Vec<_> = holders.filter(|name| *name != proposer).collect();
            let lost = desk.groups.iter().filter(|(_, group)| group.lost.is_some());
            let lost = lost.filter(|(_, group)| group.roles.contains(&role));
            let lost: String = lost.map(|(name, _)| format!("; {name} cannot be read")).collect();
            let names = if names.is_empty() {
                "nobody!".to_owned()
            } else {
                several(&names)
            };
            format!("{} of role {role}: {names}{lost}", terms.policy.quorum)
        }
        None => format!("{} of the members, not {proposer}", terms.policy.quorum),
    };
    let undo = terms.undo.as_ref().map_or("cannot be undone".to_owned(), |undo| {
        format!("by {}", undo.action)
    });
    let mut fields = vec![
        (
            "Target".to_owned(),
            Rich::new().text(format!("{} ({})", terms.target, terms.environment)),
        ),
        ("Risk".to_owned(), terms.risk.word().into()),
        ("Proposed by".to_owned(), proposer.into()),
        ("Approvals needed".to_owned(), who.into()),
        ("Undo".to_owned(), undo.into()),
        (
            "Why".to_owned(),
            cut(&proposal.reason, LONGEST_REASON, REST_ELSEWHERE)
                .shown
                .into_owned()
                .into(),
        ),
    ];
    if let Some(check) = &terms.precondition {
        fields.push((
            "Runs only if".to_owned(),
            format!("{} answers {}", check.probe, check.wants).into(),
        ));
    }
    if let Some(check) = &terms.verify {
        fields.push((
            "Worked if".to_owned(),
            format!("{} answers {}", check.probe, check.wants).into(),
        ));
    }
    if let (Some(shown), Stage::Waiting { .. }) = (proposal.stage.shown(), &proposal.stage) {
        fields.push(("Expires".to_owned(), Rich::new().time(shown.expires)));
    }
    fields
}

/// Who did what, so far.
fn life(state: &State, proposal: &Proposal, desk: &desk::State) -> Vec<Row> {
    let mut rows: Vec<Row> = proposal
        .approvals
        .iter()
        .map(|approval| {
            let detail = approval.reason.clone().unwrap_or_default();
            let title = Rich::new()
                .text(format!("{} ", name(desk, &approval.by)))
                .time(approval.at);
            row(Tone::Good, "approved", title, detail)
        })
        .collect();
    let approved = rows.len();
    rows.extend(match &proposal.stage {
        Stage::Drafted => Some(row(
            Tone::Busy,
            "preparing",
            "The exact operation is being made.",
            "",
        )),
        Stage::PreviewFailed { why } => Some(row(
            Tone::Bad,
            "no preview",
            why.clone(),
            "Nothing can be approved.",
        )),
        Stage::Refused { by, reason } => Some(row(Tone::Bad, "refused", name(desk, by), reason.clone())),
        Stage::Withdrawn { by, reason } => {
            let by = by.as_ref().map_or("Orderly".to_owned(), |by| name(desk, by));
            Some(row(
                Tone::Quiet,
                "withdrawn",
                by,
                reason.clone().unwrap_or_default(),
            ))
        }
        Stage::Expired => Some(row(
            Tone::Quiet,
            "expired",
            "Nobody approved it in time.",
            "Propose it again.",
        )),
        Stage::Voided { why } | Stage::PreconditionFailed { why } => Some(row(
            Tone::Warn,
            proposal.stage.word(),
            why.clone(),
            "Nothing ran.",
        )),
        Stage::Cleared { held: Some(why), .. } => Some(row(Tone::Warn, "held", why.clone(), "")),
        Stage::Cleared { held: None, .. } => Some(row(
            Tone::Busy,
            "checking",
            "Looking once more before it runs.",
            "",
        )),
        Stage::Running { attempt, .. } => Some(row(Tone::Busy, "running", format!("Attempt {attempt}"), "")),
        Stage::Unknown { attempt, why, .. } => Some(row(
            Tone::Bad,
            "unknown",
            format!("Attempt {attempt}: {why}"),
            "It may have happened. It will not be run again. Look at the system, then settle it.",
        )),
        Stage::NotDone { attempt, why } => Some(row(
            Tone::Bad,
            "not done",
            format!("Attempt {attempt}: {why}"),
            "Nothing was changed.",
        )),
        Stage::Done { report, .. } => Some(row(Tone::Busy, "done", report.clone(), "Being verified.")),
        Stage::Verified {
            worked: true,
            grounds,
            ..
        } => Some(row(Tone::Good, "verified", grounds.clone(), "")),
        Stage::Verified {
            worked: false,
            grounds,
            ..
        } => Some(row(
            Tone::Bad,
            "did not help",
            grounds.clone(),
            "It ran, and the check still fails.",
        )),
        Stage::Waiting { .. } => None,
    });
    if let (Some(last), false) = (rows.get_mut(approved), matches!(proposal.stage, Stage::Drafted)) {
        last.title = std::mem::take(&mut last.title).text(" ").time(proposal.since);
    }
    rows.extend(match &proposal.containment {
        Some(Containment::InForce { since }) => Some(row(
            Tone::Warn,
            "in force",
            Rich::new().text("since ").time(*since),
            "",
        )),
        Some(Containment::Lifted { grounds, .. }) => Some(row(Tone::Good, "lifted", grounds.clone(), "")),
        Some(Containment::Accepted { reason, .. }) => Some(row(Tone::Quiet, "stays", reason.clone(), "")),
        None => None,
    });
    if let Some(undone) = proposal.terms.undoes {
        let title = state.proposals.get(&undone).map_or(undone.to_string(), |known| {
            format!("{undone} {}", known.terms.title)
        });
        rows.push(row(Tone::Quiet, "undoes", title, ""));
    }
    rows
}

/// The same probe before and after, as a diff.
fn before_and_after(state: &State, proposal: &Proposal) -> Option<Block> {
    let text = |purpose: Purpose| -> Option<String> {
        let runs = proposal.checks.iter().rev().filter_map(|run| state.runs.get(run));
        let answer = runs
            .filter(|run| run.asked.purpose == purpose)
            .find_map(|run| run.answer.as_ref())?;
        Some(format!(
            "{}: {}\n{}",
            answer.verdict, answer.summary, answer.excerpt
        ))
    };
    let before = text(Purpose::Before {
        proposal: proposal.id,
    })?;
    let after = text(Purpose::Verify {
        proposal: proposal.id,
    })?;
    Some(Block::Code {
        text: short(&diff(&before, &after), LONGEST_BLOCK),
        diff: true,
    })
}

/// Lines that went away with `-`, lines that came with `+`.
pub fn diff(before: &str, after: &str) -> String {
    // A last line without an end would be remarked upon, which tells nobody anything.
    let ended = |text: &str| format!("{}\n", text.trim_end_matches('\n'));
    TextDiff::from_lines(ended(before), ended(after))
        .unified_diff()
        .context_radius(3)
        .header("before", "after")
        .to_string()
}

fn fixed(id: ProposalId) -> [(&'static str, String); 1] {
    [("proposal", id.to_string())]
}

fn pressed(proposal: &Proposal) -> Option<Block> {
    let id = proposal.id;
    let settled =
        |id: ProposalId, outcome: &str| [("proposal", id.to_string()), ("outcome", outcome.to_owned())];
    let buttons_now = match &proposal.stage {
        Stage::Waiting { shown } => {
            let seen: String = shown.digest.chars().take(12).collect();
            vec![
                run(
                    "Approve",
                    format!("action approve {id} seen={seen}"),
                    Style::Primary,
                ),
                ask("Refuse", "action refuse", fixed(id), Style::Danger),
                run("Withdraw", format!("action withdraw {id}"), Style::Plain),
                ask("Break glass", "action break-glass", fixed(id), Style::Plain),
            ]
        }
        Stage::Cleared { held: Some(_), .. } => vec![
            ask("Refuse", "action refuse", fixed(id), Style::Danger),
            run("Withdraw", format!("action withdraw {id}"), Style::Plain),
        ],
        Stage::Unknown { .. } => vec![
            ask(
                "It happened",
                "action settle",
                settled(id, "happened"),
                Style::Primary,
            ),
            ask(
                "It did not happen",
                "action settle",
                settled(id, "did-not-happen"),
                Style::Plain,
            ),
        ],
        Stage::Done { .. } | Stage::Verified { worked: false, .. } if proposal.terms.verify.is_none() => {
            vec![ask("It worked", "action verify", fixed(id), Style::Primary)]
        }
        Stage::Verified { .. } | Stage::Done { .. } if proposal.terms.undo.is_some() => {
            let mut offered = vec![run("Propose the undo", format!("action undo {id}"), Style::Plain)];
            match proposal.containment {
                Some(Containment::Lifted { .. }) => Vec::new(),
                Some(Containment::InForce { .. }) => {
                    offered.extend(without_undo(id));
                    offered
                }
                _ => offered,
            }
        }
        Stage::Verified { .. } if matches!(proposal.containment, Some(Containment::InForce { .. })) => {
            without_undo(id).into()
        }
        _ => Vec::new(),
    };
    (!buttons_now.is_empty()).then(|| buttons(buttons_now))
}

/// Containment that goes, or stays, without an undo by Orderly.
fn without_undo(id: ProposalId) -> [Button; 2] {
    [
        ask("It is lifted", "action lift", fixed(id), Style::Plain),
        ask("It stays", "action accept", fixed(id), Style::Plain),
    ]
}

/// A tone for a verdict.
pub fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Ok => Tone::Good,
        Verdict::Suspect => Tone::Warn,
        Verdict::Failing => Tone::Bad,
        Verdict::Unknown => Tone::Quiet,
    }
}
