//! Sentences about people and what they said.

use super::known::Known;
use super::sentence::{Names, Said};
use super::span::{full_stop, minute, size};
use super::{Lane, Tone};
use crate::incident::*;

/// Characters of a hash that people compare; the list of evidence has it whole.
const SHORT_HASH: usize = 12;

fn people(text: String) -> Said {
    Said::new(Lane::People, text)
}

pub(super) fn roles(known: &Known, names: Names<'_>, who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::Acknowledged => people(format!("{who} acknowledged the incident.")).key(),
        Event::RoleTaken { role, person } => {
            let name = names(person);
            match name == who {
                true => people(format!("{who} took the role {role}.")),
                false => people(format!("{who} gave the role {role} to {name}.")),
            }
        }
        Event::RoleReleased { role, person } => {
            let name = names(person);
            match name == who {
                true => people(format!("{who} gave up the role {role}.")),
                false => people(format!("{who} took the role {role} from {name}.")),
            }
        }
        Event::HandedOver { role, from, to, note } => people(format!(
            "The role {role} was handed over from {} to {}.",
            names(from),
            names(to)
        ))
        .key()
        .words(note.clone()),
        Event::RoleNudged { role } => {
            people(format!("Nobody held the role {role}; the room was asked.")).fine()
        }
        Event::Invited { people: invited } => {
            let invited: Vec<String> = invited.iter().map(names).collect();
            people(format!("{who} invited {}.", invited.join(", ")))
        }
        Event::Paged {
            page,
            role,
            people: paged,
            message,
        } => {
            let paged: Vec<String> = paged.iter().map(names).collect();
            let role = role.map(|role| format!("the {role} ")).unwrap_or_default();
            let text = format!("{who} paged {role}({}), page {page}.", listed(&paged));
            people(text).words(message.clone())
        }
        Event::PageRepeated { page, times } => people(format!(
            "Nobody had answered {}; it was sent again ({times} times by now).",
            known.page(*page)
        ))
        .fine()
        .tone(Tone::Warn),
        Event::PageAcknowledged { page } => {
            let paged: Vec<String> = known.paged(*page).iter().map(names).collect();
            // Anybody may take it over; whose page it was is said.
            let instead = match paged.is_empty() || paged.iter().any(|name| name == who) {
                true => String::new(),
                false => format!(", in the place of {}", listed(&paged)),
            };
            people(format!("{who} answered {}{instead}.", known.page(*page)))
        }
        _ => return None,
    })
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nobody was there to page".to_owned()
    } else {
        names.join(", ")
    }
}

pub(super) fn tasks(known: &Known, names: Names<'_>, who: &str, event: &Event) -> Option<Said> {
    let owned = |owner: &Option<PersonId>| {
        owner
            .as_ref()
            .map(|owner| format!(" for {}", names(owner)))
            .unwrap_or_default()
    };
    Some(match event {
        Event::TaskAdded {
            task, text, owner, ..
        } => people(format!("{who} added the task {task}{}.", owned(owner))).words(text.clone()),
        Event::TaskAssigned { task, owner } => {
            people(format!("{who} gave {} to {}.", known.task(*task), names(owner)))
        }
        Event::TaskDone { task, note } => people(format!("{who} finished {}.", known.task(*task)))
            .tone(Tone::Good)
            .words(note.clone()),
        Event::TaskDropped {
            task,
            reason,
            taken_back,
        } => dropped(who, &known.task(*task), reason.as_deref(), *taken_back),
        Event::FollowupAdded {
            followup,
            text,
            owner,
            due,
            ..
        } => {
            let due = due.map(|due| format!(", due {due}")).unwrap_or_default();
            people(format!(
                "{who} added the follow-up {followup}{}{due}.",
                owned(owner)
            ))
            .words(text.clone())
        }
        Event::FollowupChanged {
            followup,
            owner,
            due,
            tracker,
        } => {
            let changes: Vec<String> = [
                owner.as_ref().map(|owner| format!("owner {}", names(owner))),
                due.map(|due| format!("due {due}")),
                tracker.as_ref().map(|tracker| format!("tracker {tracker}")),
            ]
            .into_iter()
            .flatten()
            .collect();
            people(format!(
                "{who} changed {}: {}.",
                known.followup(*followup),
                changes.join(", ")
            ))
        }
        Event::FollowupDone { followup, note } => {
            people(format!("{who} finished {}.", known.followup(*followup)))
                .tone(Tone::Good)
                .words(note.clone())
        }
        Event::FollowupDropped {
            followup,
            reason,
            taken_back,
        } => dropped(who, &known.followup(*followup), reason.as_deref(), *taken_back),
        Event::Seconded { made, .. } => {
            people(format!("{who} asked for {} as well.", known.made(*made))).fine()
        }
        Event::ReactionTakenBack { made, .. } => people(format!(
            "{who} took the reaction back that asked for {}; it stays.",
            known.made(*made)
        ))
        .fine(),
        _ => return None,
    })
}

fn dropped(who: &str, what: &str, reason: Option<&str>, taken_back: bool) -> Said {
    match taken_back {
        true => people(format!("{who} took the reaction back that asked for {what}.")),
        false => people(format!("{who} dropped {what}.")).words(reason.map(str::to_owned)),
    }
}

pub(super) fn messages(who: &str, event: &Event) -> Option<Said> {
    let message = |text: String| Said::new(Lane::Messages, text);
    Some(match event {
        Event::Noted { text } => message(format!("{who} noted:")).words(text.clone()),
        Event::UpdateSent { text, next } => {
            let next = next
                .map(|next| format!(", the next one promised for {}", minute(next)))
                .unwrap_or_default();
            message(format!("{who} sent an update{next}."))
                .key()
                .words(text.clone())
        }
        Event::UpdateReminded { due } => message(format!(
            "An update was due at {}; the room was reminded.",
            minute(*due)
        ))
        .fine(),
        Event::UpdateSnoozed { until } => message(format!(
            "{who} put the reminder for the next update off until {}.",
            minute(*until)
        ))
        .fine(),
        Event::MessageMarked { marked, .. } => {
            let files = match marked.files.len() {
                0 => String::new(),
                1 => ", with one file".to_owned(),
                several => format!(", with {several} files"),
            };
            message(format!(
                "{} wrote in the room{files} (marked by {who}).",
                marked.author
            ))
            .words(marked.text.clone())
        }
        Event::MessageChanged { text, .. } => message(format!("{who} edited a message.")).words(text.clone()),
        Event::FileKept {
            name,
            media_type,
            size: bytes,
            sha256,
            ..
        } => {
            let hash: String = sha256.chars().take(SHORT_HASH).collect();
            let kind = format!("{media_type}, {}", size(*bytes));
            message(format!(
                "The file “{name}” ({kind}) is kept as evidence, SHA-256 {hash}…."
            ))
        }
        Event::FileMissed { name, why, .. } => message(format!(
            "The file “{name}” could not be kept as evidence: {}",
            full_stop(why)
        ))
        .tone(Tone::Warn),
        Event::MessageUnmarked { why, .. } => message(format!("{who} took a mark back.")).words(why.clone()),
        _ => return None,
    })
}
