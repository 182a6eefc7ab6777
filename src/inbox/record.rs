//! Notes, updates, corrections, the end of an incident, the post-mortem.

use orderly_commands::Parsed;

use super::{Inbox, Translated};
use crate::engine::{Act, Asking};
use crate::incident::{IncidentId, Link, Moment, Process, Refusal, Request, Review, Section, State};

impl Inbox {
    pub(super) fn record(&self, parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Translated {
        let text = |option: &str| parsed.text(option).map(str::to_owned);
        let must = |option: &str| parsed.text(option).unwrap_or_default().to_owned();
        let incident = |option: &str| {
            IncidentId(
                parsed
                    .number(option)
                    .and_then(|n| u64::try_from(n).ok())
                    .unwrap_or(0),
            )
        };
        Ok(Some(match parsed.path {
            "journal note" => match self.at(parsed, "at", asking)? {
                None => Request::Note { text: must("text") },
                Some(at) => Request::NoteAt {
                    text: must("text"),
                    at,
                },
            },
            "update send" => Request::SendUpdate {
                text: must("text"),
                next_s: parsed.duration_secs("next"),
            },
            "update snooze" => Request::SnoozeUpdate {
                for_s: parsed.duration_secs("for").unwrap_or_default(),
            },
            "set title" => Request::Retitle { title: must("title") },
            "set process" => Request::SetProcess {
                to: parsed
                    .text("process")
                    .and_then(Process::from_word)
                    .unwrap_or(state.process),
            },
            "set target" => Request::AddTarget {
                target: self.target_of(parsed)?.unwrap_or_default(),
            },
            "set moment" => Request::SetMoment {
                moment: parsed
                    .text("moment")
                    .and_then(Moment::from_word)
                    .unwrap_or(Moment::Onset),
                at: self.at(parsed, "at", asking)?.unwrap_or(asking.now),
            },
            "set link" => Request::Link {
                link: Link::Url {
                    url: must("url"),
                    title: text("title"),
                },
            },
            "set room" => {
                return Err(Refusal::new(
                    "Rooms on a second platform need that platform connected; here there is only this one.",
                ));
            }
            "mark related" => {
                let other = self.seen(incident("other"), asking)?;
                Request::Link {
                    link: Link::Related { incident: other },
                }
            }
            "mark duplicate" => Request::MarkDuplicate {
                of: self.seen(incident("original"), asking)?,
            },
            "mark resolved" => Request::Resolve {
                summary: text("summary"),
                reason: text("reason"),
            },
            "mark reopened" => Request::Reopen {
                reason: must("reason"),
            },
            "mark closed" => Request::Close {
                reason: text("reason"),
            },
            "mark cancelled" => Request::Cancel {
                reason: must("reason"),
            },
            "postmortem edit" => Request::WriteSection {
                section: parsed
                    .text("section")
                    .and_then(Section::from_word)
                    .unwrap_or(Section::Summary),
                text: must("text"),
            },
            "postmortem submit" => Request::Review {
                to: Review::InReview,
                note: text("note"),
            },
            "postmortem approve" => Request::Review {
                to: Review::Reviewed,
                note: text("note"),
            },
            "postmortem close" => Request::Review {
                to: Review::Closed,
                note: text("note"),
            },
            "postmortem snooze" => Request::SnoozePostmortem {
                for_s: parsed.duration_secs("for").unwrap_or_default(),
            },
            "postmortem review" => Request::Review {
                to: Review::Draft,
                note: text("note"),
            },
            _ => return Ok(None),
        }))
    }

    /// An incident that exists and that this person may see.
    fn seen(&self, incident: IncidentId, asking: &Asking<'_>) -> Result<IncidentId, Refusal> {
        if (asking.listed)().iter().any(|listed| listed.incident == incident) {
            return Ok(incident);
        }
        Err(Refusal::new(format!(
            "There is no {incident} that you can see. `list all` shows those you can."
        )))
    }

    /// Commands that make a document or remove something.
    pub(super) fn acts(&self, parsed: &Parsed, _state: &State, _asking: &Asking<'_>) -> Result<Act, Refusal> {
        match parsed.path {
            "postmortem export" => Ok(Act::Export {
                format: parsed.text("format").unwrap_or("markdown").to_owned(),
                as_of: parsed.number("as-of").and_then(|n| u64::try_from(n).ok()),
            }),
            "journal redact" => match parsed.number("entry").and_then(|n| u64::try_from(n).ok()) {
                Some(row) => Ok(Act::Redact {
                    row,
                    reason: parsed.text("reason").unwrap_or_default().to_owned(),
                }),
                None => Ok(Act::RedactMessage {
                    message: parsed.text("entry").unwrap_or_default().to_owned(),
                    reason: parsed.text("reason").unwrap_or_default().to_owned(),
                }),
            },
            "journal verify" => Ok(Act::Verify),
            other => Err(Refusal::new(format!(
                "`{other}` cannot be done here. `help` lists what can."
            ))),
        }
    }
}
