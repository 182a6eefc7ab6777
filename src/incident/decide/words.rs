//! Notes, updates, and the words of the post-mortem.

use chrono::{DateTime, Utc};

use super::{Deciding, Fact, Facts, LONGEST_WAIT_S, maybe_said, said, titled, wait};
use crate::incident::event::{Event, Link};
use crate::incident::refusal::Refusal;
use crate::incident::request::Request;
use crate::incident::state::{Life, State};
use crate::incident::words::*;

/// Longest section of a post-mortem in characters; a page and a half of text.
const LONGEST_SECTION: usize = 20_000;

impl Deciding<'_> {
    pub(super) fn decide_words(&self, state: &State, request: &Request) -> Facts {
        match request {
            Request::Note { text } => Ok(vec![
                Event::Noted {
                    text: said("text", "The note", text)?,
                }
                .into(),
            ]),
            Request::NoteAt { text, at } if *at > self.now => Err(Refusal::new(format!(
                "\"{text}\" lies in the future. Give the time it happened."
            ))
            .at("at")),
            Request::NoteAt { text, at } => Ok(vec![Fact::at(
                Event::Noted {
                    text: said("text", "The note", text)?,
                },
                *at,
                "said",
            )]),
            Request::SendUpdate { text, next_s } => self.send_update(state, text, *next_s),
            Request::SnoozeUpdate { for_s } => match state.update_due {
                Some(_) => {
                    let until = self.clock + wait("for", *for_s)?;
                    Ok(vec![Event::UpdateSnoozed { until }.into()])
                }
                None => Err(Refusal::new("No update is due, so there is nothing to snooze.")),
            },
            Request::WriteSection { section, text } => self.write_section(*section, text),
            Request::SnoozePostmortem { for_s } => self.snooze_postmortem(state, *for_s),
            Request::Review { to, note } => self.review(state, *to, note.clone()),
            Request::RecordExport {
                format,
                as_of,
                sha256,
            } => Ok(vec![
                Event::Exported {
                    format: format.clone(),
                    as_of: *as_of,
                    sha256: sha256.clone(),
                }
                .into(),
            ]),
            Request::RecordRedaction {
                row,
                reason,
                messages,
                gaps,
            } => {
                self.leads(state, "redact the journal")?;
                let event = Event::Redacted {
                    row: *row,
                    reason: said("reason", "The reason", reason)?,
                    messages: messages.clone(),
                    gaps: gaps.clone(),
                };
                Ok(vec![event.into()])
            }
            _ => self
                .decide_marks(state, request)
                .unwrap_or_else(|| self.edit(state, request)),
        }
    }

    fn send_update(&self, state: &State, text: &str, next_s: Option<u64>) -> Facts {
        let text = said("text", "The update", text)?;
        let every = state.opening.settings.update_every_s[state.severity as usize];
        let next_s = match state.life {
            Life::Open => Some(next_s.unwrap_or(every.min(LONGEST_WAIT_S))),
            // The last word to the stakeholders needs no next one unless it promises one.
            _ => next_s,
        };
        // What is promised to people is by the clock they see.
        let next = match next_s {
            Some(next_s) => Some(self.clock + wait("next", next_s)?),
            None => None,
        };
        Ok(vec![Event::UpdateSent { text, next }.into()])
    }

    fn snooze_postmortem(&self, state: &State, for_s: u64) -> Facts {
        let (Some(_), Some(due)) = (state.postmortem_waits(), state.postmortem_due) else {
            return Err(Refusal::new(
                "Nobody waits for this post-mortem now, so there is nothing to snooze.",
            ));
        };
        let until = self.clock + wait("for", for_s)?;
        if until < due {
            let due = due.format("%Y-%m-%d %H:%M");
            return Err(Refusal::new(format!(
                "It is due {due} UTC, and nobody is reminded before that. Put it off for longer, or not at all."
            ))
            .at("for"));
        }
        Ok(vec![Event::PostmortemSnoozed { until }.into()])
    }

    fn write_section(&self, section: Section, text: &str) -> Facts {
        let length = text.chars().count();
        if length > LONGEST_SECTION {
            let words =
                format!("{length} characters are too many for one section; {LONGEST_SECTION} is the most.");
            return Err(Refusal::new(words).at("text"));
        }
        Ok(vec![
            Event::SectionWritten {
                section,
                text: text.trim().to_owned(),
            }
            .into(),
        ])
    }

    fn review(&self, state: &State, to: Review, note: Option<String>) -> Facts {
        let note = maybe_said("note", "The note", note.as_ref())?;
        let from = state.review;
        let legal = matches!(
            (from, to),
            (Review::Draft, Review::InReview)
                | (Review::InReview, Review::Reviewed | Review::Draft)
                | (Review::Reviewed, Review::Closed | Review::Draft)
        );
        if !legal {
            return Err(Refusal::new(format!(
                "The post-mortem is {from}; it cannot become {to}. The way is draft, in-review, reviewed, closed."
            )));
        }
        if to == Review::Reviewed {
            let last_writer = state
                .sections
                .values()
                .max_by_key(|written| written.event)
                .map(|written| &written.by);
            if last_writer == Some(self.by) && self.others_may_review() {
                return Err(Refusal::new(
                    "You wrote the last word of it. Somebody else has to review it.",
                ));
            }
        }
        Ok(vec![Event::ReviewChanged { to, note }.into()])
    }

    /// A team of one reviews its own.
    fn others_may_review(&self) -> bool {
        self.around
            .people
            .iter()
            .any(|(id, standing)| standing.may_command && Some(id) != self.by.person())
    }

    fn edit(&self, state: &State, request: &Request) -> Facts {
        let changed = |event: Option<Event>, same: String| match event {
            Some(event) => Ok(vec![event.into()]),
            None => Err(Refusal::new(same)),
        };
        match request {
            Request::Retitle { title } => {
                let title = titled(title)?;
                let same = format!("The title is \"{title}\" already.");
                changed((title != state.title).then_some(Event::Retitled { title }), same)
            }
            Request::SetSeverity { to, reason } => {
                let reason = maybe_said("reason", "The reason", reason.as_ref())?;
                let from = state.severity;
                let event = Event::SeverityChanged {
                    from,
                    to: *to,
                    reason,
                };
                changed((from != *to).then_some(event), format!("It is {to} already."))
            }
            Request::SetProcess { to } => {
                let from = state.process;
                let event = Event::ProcessChanged { from, to: *to };
                changed(
                    (from != *to).then_some(event),
                    format!("The process is {to} already."),
                )
            }
            Request::AddTarget { target } => {
                let event = Event::TargetAdded {
                    target: target.clone(),
                };
                changed(
                    (!state.targets.contains(target)).then_some(event),
                    format!("{target} is a target already."),
                )
            }
            Request::SetMoment { moment, at } => self.set_moment(state, *moment, *at),
            Request::Link { link } => {
                if let Link::Related { incident } = link
                    && *incident == state.opening.number
                {
                    return Err(Refusal::new(
                        "An incident is always related to itself. Name another one.",
                    ));
                }
                let event = Event::Linked { link: link.clone() };
                changed(
                    (!state.links.contains(link)).then_some(event),
                    "That is linked already.".to_owned(),
                )
            }
            // Everything else was answered before; a request that comes here is a defect worth hearing about.
            other => Err(Refusal::new(format!(
                "Orderly does not know how to do this: {other:?}. Please report it."
            ))),
        }
    }

    fn set_moment(&self, state: &State, moment: Moment, at: DateTime<Utc>) -> Facts {
        if moment == Moment::Closed && state.life != Life::Closed {
            return Err(Refusal::new(
                "It is not closed, so that has no time yet. `/close` closes it; when it was over is the moment `recovered`.",
            )
            .at("moment")
            .offer("Close", "close"));
        }
        if at > self.now {
            return Err(Refusal::new("That time lies in the future. Give the time it happened.").at("at"));
        }
        let provenance = match self.by.person() {
            Some(person) => format!("said by {person}"),
            None => "said on the terminal".to_owned(),
        };
        Ok(vec![
            Event::MomentSet {
                moment,
                at,
                provenance,
            }
            .into(),
        ])
    }
}

impl State {
    /// When the room is to be reminded of the post-mortem; `None`: it is reviewed, or nobody waits for it.
    pub fn postmortem_waits(&self) -> Option<DateTime<Utc>> {
        let open = self.life == Life::Resolved && !matches!(self.review, Review::Reviewed | Review::Closed);
        self.postmortem_remind.filter(|_| open)
    }
}
