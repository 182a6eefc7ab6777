//! From the journal to the document. Every function here is pure.

mod actions;
mod cause;
mod impact;
mod people;
pub(super) mod pin;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::document::*;
use super::metrics::{End, metrics};
use crate::incident::*;
use crate::timeline::{self, Entry};

/// What a post-mortem is made of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The journal from its first event. Exports may be among them; they are left out.
    pub events: &'a [Recorded],
    /// Head of the chain at the event that [`as_of`] names (`INC-7@412:9f3c…`).
    pub head: &'a str,
    /// The name people read for a person.
    pub names: &'a dyn Fn(&PersonId) -> String,
    /// How people call the bot (`/incident`), for the hints in a draft.
    pub command: &'a str,
    /// What the affected process can bear, where that is known.
    pub objectives: Option<Objectives>,
    /// The appendix, where `timeline.capture = all`.
    pub room_log: Option<&'a [LogLine]>,
}

/// Number of the event that an export of this journal stands for: the last one that is not itself an export.
pub fn as_of(events: &[Recorded]) -> u64 {
    events
        .iter()
        .rev()
        .find(|recorded| !is_export(recorded))
        .map_or(0, |recorded| recorded.seq)
}

fn is_export(recorded: &Recorded) -> bool {
    matches!(recorded.event, Some(Event::Exported { .. }))
}

/// The document as of the last event; `None` before an incident was opened, as with [`State::replay`].
pub fn assemble(source: Source<'_>) -> Option<Document> {
    let events: Vec<&Recorded> = source
        .events
        .iter()
        .filter(|recorded| !is_export(recorded))
        .collect();
    let state = State::replay(events.iter().copied())?;
    let lines = timeline::read(events.iter().copied(), source.names);
    let facts = Facts::new(&source, &state, &events, &lines);
    let mut document = facts.document();
    document.timeline = lines.into_iter().filter(|line| line.removed.is_none()).collect();
    (document.highlights, document.highlights_left_out) = highlights(&document.timeline);
    Some(document)
}

/// Most lines of the short timeline: what one reads on two pages.
const MOST_HIGHLIGHTS: usize = 80;

/// The lines that weigh most. Where there are too many, whole lanes give way, so that what is shown stays complete
/// of its kind; only then the middle is left out.
fn highlights(timeline: &[Entry]) -> (Vec<Entry>, u64) {
    use crate::timeline::{Lane, Weight};
    const GIVE_WAY: [Lane; 4] = [Lane::Messages, Lane::People, Lane::Actions, Lane::Findings];
    let mut kept: Vec<&Entry> = timeline
        .iter()
        .filter(|entry| entry.weight == Weight::Key)
        .collect();
    let all = kept.len();
    for lane in GIVE_WAY {
        if kept.len() > MOST_HIGHLIGHTS {
            kept.retain(|entry| entry.lane != lane);
        }
    }
    if kept.len() > MOST_HIGHLIGHTS {
        let middle = MOST_HIGHLIGHTS / 2..kept.len() - MOST_HIGHLIGHTS / 2;
        kept.drain(middle);
    }
    let left_out = all - kept.len();
    (kept.into_iter().cloned().collect(), left_out as u64)
}

/// Everything the parts are made from.
struct Facts<'a> {
    source: &'a Source<'a>,
    state: &'a State,
    events: &'a [&'a Recorded],
    lines: &'a [Entry],
    line_of: HashMap<u64, &'a Entry>,
    /// Events of each proposal, in order.
    trails: BTreeMap<ProposalId, Vec<&'a Recorded>>,
    /// Last further event of each task, follow-up and manual change.
    tasks: HashMap<TaskId, u64>,
    followups: HashMap<FollowupId, u64>,
    settled: HashMap<ChangeId, u64>,
    /// When the last event was written down; open durations end here.
    end: DateTime<Utc>,
}

impl<'a> Facts<'a> {
    fn new(source: &'a Source<'a>, state: &'a State, events: &'a [&'a Recorded], lines: &'a [Entry]) -> Self {
        let mut facts = Self {
            source,
            state,
            events,
            lines,
            line_of: lines.iter().map(|line| (line.event, line)).collect(),
            trails: BTreeMap::new(),
            tasks: HashMap::new(),
            followups: HashMap::new(),
            settled: HashMap::new(),
            end: state.last,
        };
        for recorded in events {
            let Some(event) = &recorded.event else { continue };
            if let Some(proposal) = actions::proposal_of(state, event) {
                facts.trails.entry(proposal).or_default().push(recorded);
            }
            facts
                .tasks
                .extend(people::task_of(event).map(|task| (task, recorded.seq)));
            facts
                .followups
                .extend(people::followup_of(event).map(|followup| (followup, recorded.seq)));
            facts
                .settled
                .extend(actions::settled_by(event).map(|change| (change, recorded.seq)));
        }
        facts
    }

    fn document(&self) -> Document {
        Document {
            schema: SCHEMA.to_owned(),
            header: self.header(),
            summary: self.part(Section::Summary, self.summary()),
            frame: self.frame(),
            impact: self.impact(),
            moments: self.moments(),
            metrics: metrics(self.state, self.source.command),
            cause: self.cause(),
            prevention: self.part(Section::Prevention, Vec::new()),
            followups: self.followups(),
            went_well: self.part(Section::WentWell, Vec::new()),
            went_badly: self.part(Section::WentBadly, Vec::new()),
            lucky: self.part(Section::Lucky, Vec::new()),
            actions: self.actions(),
            containment: self.containment(),
            decision: self.decision(),
            resolution: self.part(Section::Resolution, self.resolution()),
            recovery: self.recovery(),
            changes: self.changes(),
            detours: self.detours(),
            people: self.people(),
            hand_overs: self.told(|event| matches!(event, Event::HandedOver { .. })),
            pages: self.pages(),
            tasks: self.tasks(),
            findings: self.findings(),
            probe_groups: self.probe_groups(),
            probes: self.probes(),
            evidence: self.evidence(),
            updates: self.updates(),
            links: self.links(),
            highlights: Vec::new(),
            highlights_left_out: 0,
            timeline: Vec::new(),
            reviews: self.told(|event| matches!(event, Event::ReviewChanged { .. })),
            gaps: self.gaps(),
            room_log: self.source.room_log.map(<[LogLine]>::to_vec),
        }
    }

    fn header(&self) -> Header {
        let (state, opening) = (self.state, &self.state.opening);
        let marks = [
            (opening.drill, "drill"),
            (opening.private, "private"),
            (opening.retroactive, "retroactive"),
        ];
        let (life, life_reason) = match &state.life {
            Life::Open => ("open".to_owned(), None),
            Life::Resolved => ("resolved".to_owned(), None),
            Life::Closed => ("closed".to_owned(), None),
            Life::Cancelled { reason } => ("cancelled".to_owned(), Some(reason.clone())),
            Life::Duplicate { of } => (format!("duplicate of {of}"), None),
        };
        let worst = self
            .severities()
            .iter()
            .map(|(severity, _)| *severity)
            .min()
            .unwrap_or(state.severity);
        Header {
            number: opening.number.to_string(),
            title: state.title.clone(),
            severity: state.severity,
            worst,
            process: state.process,
            life,
            life_reason,
            review: state.review,
            marks: marks
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, mark)| (*mark).to_owned())
                .collect(),
            targets: state.targets.clone(),
            rooms: state
                .rooms
                .iter()
                .map(|room| format!("{} ({})", room.at, room.audience))
                .collect(),
            runbook: opening.plan.title.clone(),
            runbook_digest: opening.plan.digest.clone(),
            catalog_digest: opening.catalog.clone(),
            declared: self.declared(),
            cites: self.cites(),
            as_of: state.seq,
            as_of_time: self.end,
            head: self.source.head.to_owned(),
            made_with: MadeWith {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                renderer: pin::renderer().to_owned(),
            },
        }
    }

    fn cites(&self) -> Cites {
        let opened = self.opened().seq;
        let last = |is: fn(&Event) -> bool| {
            let mut events = self.events.iter().rev();
            let found = events.find(|recorded| recorded.event.as_ref().is_some_and(is));
            found.map(|recorded| recorded.seq)
        };
        let all = |is: fn(&Event) -> bool| {
            let events = self.events.iter();
            let found = events.filter(|recorded| recorded.event.as_ref().is_some_and(is));
            found.map(|recorded| recorded.seq).collect::<Vec<u64>>()
        };
        let severities = self.severities();
        let worst = severities.iter().min_by_key(|(severity, _)| *severity);
        let worst = worst.and_then(|(_, interval)| interval.events.first().copied());
        let severity = last(|event| matches!(event, Event::SeverityChanged { .. })).unwrap_or(opened);
        let mut severity = vec![worst.unwrap_or(opened), severity];
        severity.dedup();
        let process = last(|event| matches!(event, Event::ProcessChanged { .. }));
        let life = last(|event| {
            use Event::{Cancelled, Closed, MarkedDuplicate, Opened, Reopened, Resolved};
            matches!(
                event,
                Opened { .. }
                    | Resolved { .. }
                    | Closed
                    | Cancelled { .. }
                    | MarkedDuplicate { .. }
                    | Reopened { .. }
            )
        });
        let runbook = last(|event| matches!(event, Event::RunbookChanged { .. }));
        let review = last(|event| matches!(event, Event::ReviewChanged { .. }));
        Cites {
            severity,
            process: vec![process.unwrap_or(opened)],
            targets: all(|event| matches!(event, Event::Opened { .. } | Event::TargetAdded { .. })),
            life: life.into_iter().collect(),
            review: vec![review.unwrap_or(self.state.seq)],
            rooms: self.or_up_to_here(all(|event| matches!(event, Event::RoomOpened { .. }))),
            runbook: vec![runbook.unwrap_or(opened)],
        }
    }

    fn declared(&self) -> Fact {
        let opened = self.opened();
        let text = format!(
            "Declared by {} on {}.",
            self.who(&opened.by),
            timeline::minute(opened.occurred)
        );
        self.fact(text, [opened.seq])
    }

    /// The event that opened the incident. There is one, or there would be no state.
    fn opened(&self) -> &'a Recorded {
        let opening = |recorded: &&&Recorded| matches!(recorded.event, Some(Event::Opened { .. }));
        self.events.iter().find(opening).unwrap_or(&self.events[0])
    }

    fn part(&self, section: Section, composed: Vec<Fact>) -> Part {
        let written = self.state.sections.get(&section).map(|written| Words {
            text: written.text.clone(),
            by: self.who(&written.by),
            at: written.at,
            event: written.event,
        });
        let draft = matches!(self.state.review, Review::Draft | Review::InReview);
        let missing = if draft {
            "Nobody has written this part yet."
        } else {
            "Nobody wrote this part."
        };
        let how = format!("{} postmortem edit {section} <text>", self.source.command);
        Part {
            section,
            title: part_title(section).to_owned(),
            missing: written.is_none().then(|| missing.to_owned()),
            how: (written.is_none() && draft).then_some(how),
            written,
            composed,
        }
    }

    fn moments(&self) -> Vec<MomentRecord> {
        Moment::ALL
            .iter()
            .map(|moment| {
                let End {
                    moment,
                    at,
                    provenance,
                    event,
                } = End::of(self.state, *moment);
                MomentRecord {
                    moment,
                    at,
                    provenance,
                    event,
                }
            })
            .collect()
    }

    fn name(&self, person: &PersonId) -> String {
        (self.source.names)(person)
    }

    fn who(&self, by: &By) -> String {
        by.person()
            .map_or_else(|| "Orderly".to_owned(), |person| self.name(person))
    }

    fn fact(&self, text: impl Into<String>, events: impl Into<Vec<u64>>) -> Fact {
        Fact {
            text: text.into(),
            events: events.into(),
        }
    }

    /// That something did not happen rests on the last event that was looked at.
    fn or_up_to_here(&self, events: Vec<u64>) -> Vec<u64> {
        match events.is_empty() {
            true => vec![self.state.seq],
            false => events,
        }
    }

    fn words(&self, text: &str, recorded: &Recorded) -> Words {
        Words {
            text: text.to_owned(),
            by: self.who(&recorded.by),
            at: recorded.occurred,
            event: recorded.seq,
        }
    }

    /// The events of a kind, as the timeline tells them.
    fn told(&self, is: impl Fn(&Event) -> bool) -> Vec<Said> {
        self.events
            .iter()
            .filter(|recorded| recorded.event.as_ref().is_some_and(&is))
            .filter_map(|recorded| self.said(recorded))
            .collect()
    }

    fn said(&self, recorded: &Recorded) -> Option<Said> {
        let line = self.line_of.get(&recorded.seq)?;
        Some(Said {
            at: line.at,
            text: line.sentence.clone(),
            words: line.words.clone(),
            event: line.event,
        })
    }
}

fn part_title(section: Section) -> &'static str {
    match section {
        Section::Summary => "Summary",
        Section::Impact => "Impact",
        Section::Detection => "How it was noticed",
        Section::Trigger => "What set it off",
        Section::Cause => "Cause",
        Section::Factors => "What contributed",
        Section::Resolution => "How it was resolved",
        Section::WentWell => "What went well",
        Section::WentBadly => "What did not go well",
        Section::Lucky => "Where we were lucky",
        Section::Prevention => "What prevents a repeat",
    }
}
