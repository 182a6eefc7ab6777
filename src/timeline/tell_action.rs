//! Sentences about changes to a system: from the proposal to what is left to reconcile.

use super::known::Known;
use super::sentence::{Names, Said};
use super::span::{full_stop, minute};
use super::{Lane, Tone};
use crate::incident::*;

fn action(text: String) -> Said {
    Said::new(Lane::Actions, text)
}

pub(super) fn proposals(known: &Known, names: Names<'_>, who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::ProposalDrafted {
            proposal,
            terms,
            reason,
            break_glass,
        } => {
            let glass = if *break_glass {
                " by break-glass, without waiting for approval"
            } else {
                ""
            };
            let label = known.proposal(*proposal);
            let text = format!(
                "{who} proposed {label} on {}{glass} ({} risk).",
                terms.target, terms.risk
            );
            action(text).key().words(reason.clone())
        }
        Event::Proposed {
            proposal, expires, ..
        } => {
            let label = known.proposal(*proposal);
            action(format!(
                "The exact operation of {label} was shown; open for approval until {}.",
                minute(*expires)
            ))
            .fine()
        }
        Event::PreviewFailed { proposal, why } => action(format!(
            "{} could not be prepared: {}",
            known.proposal(*proposal),
            full_stop(why)
        ))
        .tone(Tone::Warn),
        Event::Approved {
            proposal,
            reason,
            through,
            ..
        } => {
            let label = known.proposal(*proposal);
            let text = match through {
                Some(group) => format!("{who} approved {label}, as a member of {group}."),
                None => format!("{who} approved {label}."),
            };
            action(text).key().words(reason.clone())
        }
        Event::GroupMissed { group, why } => action(format!(
            "The group {group} could not be read ({why}) and counted for nobody."
        ))
        .tone(Tone::Warn),
        Event::Refused { proposal, reason } => {
            action(format!("{who} refused {}.", known.proposal(*proposal)))
                .key()
                .tone(Tone::Warn)
                .words(reason.clone())
        }
        Event::Withdrawn { proposal, reason } => {
            action(format!("{who} withdrew {}.", known.proposal(*proposal))).words(reason.clone())
        }
        Event::Expired { proposal } => action(format!(
            "{} expired before enough people had approved it.",
            known.proposal(*proposal)
        ))
        .tone(Tone::Warn),
        Event::Voided { proposal, why } => action(format!(
            "{} became void: {}",
            known.proposal(*proposal),
            full_stop(why)
        ))
        .tone(Tone::Warn),
        Event::AskedAgain { proposal, circle } => action(format!(
            "Approval of {} was asked for again (circle {circle}).",
            known.proposal(*proposal)
        ))
        .fine(),
        Event::Cleared { proposal, approvers } => {
            let label = known.proposal(*proposal);
            let approvers: Vec<String> = approvers.iter().map(names).collect();
            match approvers.is_empty() {
                true => action(format!("{label} was cleared to run without an approval.")).tone(Tone::Warn),
                false => action(format!(
                    "{label} was cleared to run; approved by {}.",
                    approvers.join(", ")
                )),
            }
        }
        Event::Held { proposal, why } => action(format!(
            "{} was held: {}",
            known.proposal(*proposal),
            full_stop(why)
        ))
        .tone(Tone::Warn),
        Event::GlassBroken { proposal, reason, .. } => action(format!(
            "{who} broke the glass for {}, and typed the target to confirm it.",
            known.proposal(*proposal)
        ))
        .key()
        .tone(Tone::Bad)
        .words(reason.clone()),
        Event::GlassReviewed { proposal, note } => action(format!(
            "{who} reviewed the break-glass of {}.",
            known.proposal(*proposal)
        ))
        .words(note.clone()),
        _ => return None,
    })
}

pub(super) fn attempts(known: &Known, who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::PreconditionFailed { proposal, why, .. } => {
            let text = format!(
                "{} was stopped by its precondition: {}",
                known.proposal(*proposal),
                full_stop(why)
            );
            action(text).key().tone(Tone::Warn)
        }
        Event::AttemptStarted {
            proposal, attempt, ..
        } => {
            let text = format!(
                "{} started on {} (attempt {attempt}).",
                known.proposal(*proposal),
                known.target(*proposal)
            );
            action(text)
        }
        Event::AttemptFinished { attempt, outcome } => {
            let label = known.attempt(*attempt);
            let (word, detail, tone) = match outcome {
                Outcome::Done { report } => ("was done", report, Tone::Good),
                Outcome::NotDone { why } => ("was not done", why, Tone::Warn),
                Outcome::Unknown { why } => ("was sent, and its outcome is unknown", why, Tone::Unknown),
            };
            action(format!("{label} {word}: {}", full_stop(detail)))
                .key()
                .tone(tone)
        }
        Event::AttemptSettled {
            attempt,
            happened,
            grounds,
        } => {
            let word = if *happened { "did happen" } else { "did not happen" };
            action(format!("{who} settled that {} {word}.", known.attempt(*attempt)))
                .key()
                .words(grounds.clone())
        }
        Event::Verified {
            proposal,
            worked,
            grounds,
            ..
        } => {
            let (word, tone) = if *worked {
                ("worked", Tone::Good)
            } else {
                ("did not help", Tone::Bad)
            };
            let text = format!(
                "Verified: {} {word}. {}",
                known.proposal(*proposal),
                full_stop(grounds)
            );
            action(text).key().tone(tone)
        }
        _ => return None,
    })
}

pub(super) fn aftermath(known: &Known, who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::ContainmentLifted { proposal, grounds } => action(format!(
            "The containment {} was lifted.",
            known.proposal(*proposal)
        ))
        .key()
        .tone(Tone::Good)
        .words(grounds.clone()),
        Event::ContainmentAccepted { proposal, reason } => action(format!(
            "{who} accepted that the containment {} stays.",
            known.proposal(*proposal)
        ))
        .key()
        .words(reason.clone()),
        Event::ContainmentReminded { proposals } => {
            let ids: Vec<String> = proposals.iter().map(ToString::to_string).collect();
            action(format!(
                "Containment still in force was brought to mind: {}.",
                ids.join(", ")
            ))
            .fine()
        }
        Event::ChangeNoted { change, text, .. } => action(format!(
            "{who} noted the manual change {change}, to be reconciled into Git."
        ))
        .words(text.clone()),
        Event::ChangeReconciled { change, reference } => {
            let text = format!(
                "{who} reconciled {} as {}",
                known.change(*change),
                full_stop(reference)
            );
            action(text).tone(Tone::Good)
        }
        Event::ChangeWaived { change, reason } => {
            action(format!("{who} waived reconciling {}.", known.change(*change)))
                .tone(Tone::Warn)
                .words(reason.clone())
        }
        _ => return None,
    })
}
