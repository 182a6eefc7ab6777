//! One sentence for each event. Here the whole incident, the order, the questions and the record; actions and people
//! have files of their own.

use super::known::{Known, given, label};
use super::span::{full_stop, minute, titled};
use super::{Lane, Tone, Weight, tell_action, tell_people};
use crate::incident::*;

/// What an event says, before it gets its time and its actor.
pub(super) struct Said {
    pub lane: Lane,
    pub tone: Tone,
    pub weight: Weight,
    pub text: String,
    pub words: Option<String>,
}

impl Said {
    pub fn new(lane: Lane, text: impl Into<String>) -> Self {
        Self {
            lane,
            tone: Tone::Plain,
            weight: Weight::Plain,
            text: text.into(),
            words: None,
        }
    }

    pub fn key(mut self) -> Self {
        self.weight = Weight::Key;
        self
    }

    pub fn fine(mut self) -> Self {
        self.weight = Weight::Fine;
        self
    }

    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// What the person wrote, kept apart from what is composed.
    pub fn words(mut self, words: impl Into<Option<String>>) -> Self {
        self.words = words.into().filter(|words| !words.trim().is_empty());
        self
    }
}

impl Said {
    /// What Orderly adds by rule is told; only what people wrote is quoted.
    pub fn by_rule(mut self, event: &Event) -> Self {
        match event {
            Event::StepDone { .. } | Event::TriageLeft { .. } | Event::ContainmentLifted { .. } => {
                if let Some(words) = self.words.take() {
                    self.text = format!("{} {}", self.text, full_stop(&titled(&words)));
                }
            }
            // Whoever assessed or decided said it, and is quoted one line before.
            Event::BranchTaken { .. } => self.words = None,
            _ => {}
        }
        self
    }
}

pub(super) type Names<'a> = &'a dyn Fn(&PersonId) -> String;

pub(super) fn tell(known: &Known, names: Names<'_>, who: &str, event: &Event) -> Said {
    incident(who, event)
        .or_else(|| links_and_moments(who, event))
        .or_else(|| order(known, who, event))
        .or_else(|| questions(known, who, event))
        .or_else(|| recovery(who, event))
        .or_else(|| tell_action::proposals(known, names, who, event))
        .or_else(|| tell_action::attempts(known, who, event))
        .or_else(|| tell_action::aftermath(known, who, event))
        .or_else(|| tell_people::roles(known, names, who, event))
        .or_else(|| tell_people::tasks(known, names, who, event))
        .or_else(|| tell_people::messages(who, event))
        .or_else(|| record(who, event))
        // Reached only by a kind that is newer than this file; the test that walks all kinds fails on it.
        .unwrap_or_else(|| {
            Said::new(
                Lane::Record,
                format!("{who}: {}.", event.kind().replace('_', " ")),
            )
        })
}

fn rooms(who: &str, event: &Event) -> Option<Said> {
    let order = |text: String| Said::new(Lane::Order, text);
    Some(match event {
        Event::RoomOpened { room, audience, made } => {
            let how = if *made {
                "opened the room"
            } else {
                "made a room of"
            };
            order(format!("{who} {how} {room} ({audience}).")).fine()
        }
        Event::RoomAsked { platform, audience } => {
            order(format!("{who} asked for a room on {platform} ({audience}).")).fine()
        }
        Event::RoomFailed { why, .. } => {
            order(format!("The room could not be opened: {}", full_stop(why))).tone(Tone::Warn)
        }
        Event::RoomLeft { room, why: None } => order(format!("{who} left the room {room}.")).fine(),
        Event::RoomLeft { room, why: Some(why) } => {
            order(format!("The room {room} is lost: {}", full_stop(why))).tone(Tone::Warn)
        }
        Event::RoomArchived { room } => order(format!("The room {room} was archived.")).fine(),
        Event::RoomUnarchived { room, why: None, .. } => {
            order(format!("The room {room} was opened again.")).fine()
        }
        Event::RoomUnarchived {
            room, why: Some(why), ..
        } => order(format!(
            "The room {room} could not be archived: {}",
            full_stop(why)
        ))
        .tone(Tone::Warn),
        Event::PlatformLost { platform, since } => {
            order(format!("{platform} was out of reach from {} on.", minute(*since))).tone(Tone::Warn)
        }
        Event::PlatformBack { platform } => order(format!("{platform} was back.")).tone(Tone::Good),
        Event::CarryChanged { on } => {
            let switched = if *on { "on" } else { "off" };
            order(format!(
                "{who} switched the carrying over of messages {switched}."
            ))
            .fine()
        }
        _ => return None,
    })
}

fn incident(who: &str, event: &Event) -> Option<Said> {
    let order = |text: String| Said::new(Lane::Order, text);
    Some(match event {
        Event::Opened { opening } => opened(who, opening),
        Event::RoomOpened { .. }
        | Event::RoomAsked { .. }
        | Event::RoomFailed { .. }
        | Event::RoomLeft { .. }
        | Event::RoomArchived { .. }
        | Event::RoomUnarchived { .. }
        | Event::PlatformLost { .. }
        | Event::PlatformBack { .. }
        | Event::CarryChanged { .. } => return rooms(who, event),
        Event::Retitled { title } => order(format!("{who} changed the title to “{title}”.")),
        Event::SeverityChanged { from, to, reason } => {
            let tone = if to < from { Tone::Bad } else { Tone::Good };
            Said::new(
                Lane::Severity,
                format!("{who} changed the severity from {from} to {to}."),
            )
            .key()
            .tone(tone)
            .words(reason.clone())
        }
        Event::ProcessChanged { from, to } => {
            let named = |process: &Process| match process {
                Process::Other => "no named one".to_owned(),
                named => named.to_string(),
            };
            order(format!(
                "{who} changed the affected process from {} to {}.",
                named(from),
                named(to)
            ))
        }
        Event::TargetAdded { target } => order(format!("{who} added the target {target}.")),
        Event::RunbookChanged { plan, reason } => {
            order(format!("{who} switched to the runbook “{}”.", plan.title)).words(reason.clone())
        }
        Event::MarkedDuplicate { of } => {
            order(format!("{who} marked this incident as a duplicate of {of}.")).key()
        }
        Event::Cancelled { reason } => order(format!("{who} cancelled the incident."))
            .key()
            .words(reason.clone()),
        Event::Resolved { summary } => order(format!("{who} resolved the incident."))
            .key()
            .tone(Tone::Good)
            .words(summary.clone()),
        Event::Reopened { reason } => order(format!("{who} reopened the incident."))
            .key()
            .tone(Tone::Warn)
            .words(reason.clone()),
        Event::Closed => order(format!("{who} closed the incident.")).key(),
        _ => return None,
    })
}

fn opened(who: &str, opening: &Opening) -> Said {
    let kinds = [
        (opening.drill, "a drill, "),
        (opening.private, "private, "),
        (opening.retroactive, "afterwards, "),
    ];
    let kind: String = kinds
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, word)| *word)
        .collect();
    let on = match opening.targets.as_slice() {
        [] => None,
        targets => Some(format!("on {}", targets.join(", "))),
    };
    let process = Some(opening.process).filter(|process| *process != Process::Other);
    let disturbed: Vec<String> = process
        .map(|process| process.to_string())
        .into_iter()
        .chain(on)
        .collect();
    let disturbed = match disturbed.as_slice() {
        [] => String::new(),
        words => format!(", {}", words.join(" ")),
    };
    let text = format!(
        "{who} declared {} ({kind}{}{disturbed}): “{}”. Runbook “{}”, because {}",
        opening.number,
        opening.severity,
        opening.title,
        opening.plan.title,
        full_stop(&opening.chosen_because),
    );
    Said::new(Lane::Order, text).key().tone(Tone::Bad)
}

fn links_and_moments(who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::MomentSet {
            moment,
            at,
            provenance,
        } => {
            let text = format!("{} at {} ({provenance}).", moment_words(*moment), minute(*at));
            let said = Said::new(Lane::Order, text);
            // The others have an event of their own that says the same.
            let alone = [
                Moment::Onset,
                Moment::Detected,
                Moment::Mitigated,
                Moment::Recovered,
                Moment::Validated,
            ];
            if alone.contains(moment) {
                said.key()
            } else {
                said.fine()
            }
        }
        Event::Linked {
            link: Link::Url { url, title },
        } => {
            let title = title
                .as_ref()
                .map(|title| format!("“{title}” "))
                .unwrap_or_default();
            Said::new(Lane::Messages, format!("{who} linked {title}{url}."))
        }
        Event::Linked {
            link: Link::Related { incident },
        } => Said::new(Lane::Order, format!("{who} linked {incident} as related.")),
        _ => return None,
    })
}

/// What a moment means, as the start of a sentence.
fn moment_words(moment: Moment) -> &'static str {
    match moment {
        Moment::Onset => "It began",
        Moment::Detected => "It was detected",
        Moment::Declared => "The incident was declared",
        Moment::Acknowledged => "It was acknowledged",
        Moment::Contained => "The damage was contained",
        Moment::Mitigated => "The effect was mitigated",
        Moment::Recovered => "Service was recovered",
        Moment::Validated => "The recovery was validated",
        Moment::Closed => "The incident was closed",
    }
}

fn order(known: &Known, who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::PhaseEntered { phase, passage, .. } => passed(who, *phase, passage),
        Event::Framed {
            sentence: frame,
            whole: true,
            ..
        } => Said::new(
            Lane::Order,
            format!("{who} completed the frame: {}", full_stop(frame)),
        )
        .key(),
        Event::Framed { .. } => Said::new(
            Lane::Order,
            format!("{who} added to the frame; it is not whole yet."),
        ),
        Event::DamageAssessed { ongoing, detail } => {
            let (text, tone) = match ongoing {
                true => ("damage is going on", Tone::Bad),
                false => ("no damage is going on", Tone::Good),
            };
            Said::new(Lane::Findings, format!("{who} assessed: {text}."))
                .key()
                .tone(tone)
                .words(detail.clone())
        }
        Event::StepDone { step, note } => {
            Said::new(Lane::Order, format!("{who} did {}.", known.step(step))).words(note.clone())
        }
        Event::StepSkipped { step, reason } => {
            Said::new(Lane::Order, format!("{who} skipped {}.", known.step(step)))
                .tone(Tone::Warn)
                .words(reason.clone())
        }
        Event::StepAnswered { step, answer } => {
            Said::new(Lane::Order, format!("{who} answered {}.", known.step(step))).words(answer.clone())
        }
        Event::BranchTaken { step, branch, reason } => {
            let text = format!("{who} chose the branch “{branch}” at {}.", known.step(step));
            Said::new(Lane::Order, text).words(reason.clone())
        }
        _ => return None,
    })
}

fn passed(who: &str, phase: Phase, passage: &Passage) -> Said {
    let name = titled(phase.word());
    match passage {
        Passage::Start => Said::new(Lane::Order, format!("The response began with {name}.")),
        Passage::Gate => Said::new(Lane::Order, format!("The gate held; {who} opened {name}.")).key(),
        Passage::Override { reason, open } => {
            let text = format!(
                "{who} overrode the gate and opened {name}. Still open: {}",
                full_stop(&open.join("; "))
            );
            Said::new(Lane::Order, text)
                .key()
                .tone(Tone::Warn)
                .words(reason.clone())
        }
        Passage::Back { reason } => Said::new(Lane::Order, format!("{who} went back to {name}."))
            .key()
            .tone(Tone::Warn)
            .words(reason.clone()),
    }
}

fn questions(known: &Known, who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::ProbeAsked { asked } => {
            let why = match &asked.purpose {
                Purpose::Ask { step: Some(step) } => format!(", for step {step}"),
                Purpose::Ask { step: None } => String::new(),
                Purpose::Precondition { proposal } => format!(", as the precondition of {proposal}"),
                Purpose::Before { proposal } => format!(", to know the state before {proposal}"),
                Purpose::Verify { proposal } => format!(", to verify {proposal}"),
            };
            let given = match given(&asked.params) {
                none if none.is_empty() => none,
                given => format!(" with {}", label(&given)),
            };
            let text = format!("{who} asked {}{given}{why}.", known.run(asked.run));
            Said::new(Lane::Probes, text).fine()
        }
        Event::ProbeAnswered { run, answer } => {
            let tone = verdict_tone(answer.verdict);
            let text = format!(
                "{} answered {}: {}",
                known.run(*run),
                answer.verdict,
                full_stop(&answer.summary)
            );
            Said::new(Lane::Probes, text).tone(tone)
        }
        Event::FindingRecorded {
            finding,
            line,
            conclusion,
            text,
            ..
        } => {
            let (tone, word) = match conclusion {
                Conclusion::Suspect => (Tone::Warn, "suspect"),
                Conclusion::Cleared => (Tone::Good, "cleared"),
            };
            Said::new(
                Lane::Findings,
                format!("{who} recorded finding {finding} on {line}: {word}."),
            )
            .key()
            .tone(tone)
            .words(text.clone())
        }
        Event::CauseAccepted { finding, reason } => Said::new(
            Lane::Findings,
            format!("{who} accepted {} as the cause.", known.finding(*finding)),
        )
        .words(reason.clone())
        .key(),
        Event::TriageLeft { lines, reason } => {
            let lines: Vec<&str> = lines.iter().map(|line| line.word()).collect();
            let text = format!(
                "{who} left these lines of triage unexamined: {}.",
                lines.join(", ")
            );
            Said::new(Lane::Findings, text).words(reason.clone())
        }
        _ => return None,
    })
}

fn recovery(who: &str, event: &Event) -> Option<Said> {
    Some(match event {
        Event::Decided { way, reason, .. } => {
            Said::new(Lane::Findings, format!("{who} decided: {}.", way_words(*way)))
                .key()
                .words(reason.clone())
        }
        Event::RecoveryChecked {
            item,
            passed,
            count,
            detail,
        } => {
            let (word, tone) = if *passed {
                ("passed", Tone::Good)
            } else {
                ("did not pass", Tone::Bad)
            };
            let count = count
                .map(|count| format!(", counted {count}"))
                .unwrap_or_default();
            let text = format!("{who} checked the recovery: {} {word}{count}.", item_words(*item));
            Said::new(Lane::Findings, text)
                .key()
                .tone(tone)
                .words(detail.clone())
        }
        Event::RecoveryWaived { item, reason } => Said::new(
            Lane::Findings,
            format!("{who} waived a recovery check: {}.", item_words(*item)),
        )
        .key()
        .tone(Tone::Warn)
        .words(reason.clone()),
        _ => return None,
    })
}

fn record(who: &str, event: &Event) -> Option<Said> {
    let record = |text: String| Said::new(Lane::Record, text);
    Some(match event {
        Event::SectionWritten { section, .. } => record(format!(
            "{who} wrote the part “{}” of the post-mortem.",
            section.word()
        ))
        .fine(),
        Event::ReviewChanged { to, note } => {
            record(format!("{who} set the post-mortem to {}.", to.word())).words(note.clone())
        }
        Event::PostmortemReminded { due } => record(format!(
            "The post-mortem was due at {}; the room was reminded.",
            minute(*due)
        ))
        .fine(),
        Event::PostmortemSnoozed { until } => record(format!(
            "{who} put the reminder of the post-mortem off until {}.",
            minute(*until)
        ))
        .fine(),
        Event::Redacted { row, reason, .. } => {
            let said = match row {
                0 => "what a message said from the log of its room".to_owned(),
                row => format!("what #{row} said from the journal"),
            };
            record(format!("{who} removed {said}."))
                .tone(Tone::Warn)
                .words(reason.clone())
        }
        Event::ClockJumped { back_ms } => {
            let length = super::span(chrono::TimeDelta::milliseconds(*back_ms));
            record(format!("The machine's clock jumped back by {length}.")).tone(Tone::Warn)
        }
        Event::Exported { format, as_of, .. } => record(format!(
            "{who} exported the post-mortem as {format}, as of #{as_of}."
        ))
        .fine(),
        _ => return None,
    })
}

pub(super) fn verdict_tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Ok => Tone::Good,
        Verdict::Suspect => Tone::Warn,
        Verdict::Failing => Tone::Bad,
        Verdict::Unknown => Tone::Unknown,
    }
}

/// The decision in words.
pub fn way_words(way: Way) -> &'static str {
    match way {
        Way::FixForward => "fix forward",
        Way::RollBack => "roll back",
    }
}

pub(super) fn item_words(item: RecoveryItem) -> &'static str {
    match item {
        RecoveryItem::SmokeTest => "the smoke test",
        RecoveryItem::Backlog => "the backlog",
        RecoveryItem::Records => "the records to repair",
    }
}
