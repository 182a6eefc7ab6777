//! Summary, frame and impact: what a manager reads first.

use chrono::{DateTime, TimeDelta, Utc};

use super::Facts;
use crate::incident::*;
use crate::postmortem::document::*;
use crate::timeline::{full_stop, minute, span, way_words};

/// From when to when something stood, and by which events.
pub(super) struct Interval {
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
    pub(super) events: Vec<u64>,
}

impl Facts<'_> {
    /// Composed from the facts while nobody has written a summary.
    pub(super) fn summary(&self) -> Vec<Fact> {
        let state = self.state;
        let mut facts = vec![self.opening_line()];
        if let (Some(sentence), Some(frame)) = (&state.sentence, self.frame()) {
            facts.push(self.fact(full_stop(sentence), frame.events));
        }
        if let Some(damage) = &state.damage {
            let text = if damage.ongoing {
                "Damage was going on."
            } else {
                "No damage was going on."
            };
            facts.push(self.fact(text, [damage.event]));
        }
        facts.extend(self.containment().into_iter().map(|contained| {
            let since = contained
                .since
                .map(|since| format!(" from {}", minute(since)))
                .unwrap_or_default();
            let text = format!(
                "It was contained{since} by {} ({}); {}.",
                contained.proposal, contained.title, contained.state
            );
            Fact {
                text,
                events: contained.events,
            }
        }));
        if let Some(cause) = self.accepted() {
            let text = format!("Accepted as the cause: {}", full_stop(&cause.words.text));
            facts.push(Fact {
                text,
                events: cause.events,
            });
        }
        if let Some(decision) = &state.decision {
            let way = way_words(decision.way);
            facts.push(self.fact(
                format!("The decision was to {way}: {}", full_stop(&decision.reason)),
                [decision.event],
            ));
        }
        facts.extend(self.life_line());
        facts
    }

    fn opening_line(&self) -> Fact {
        let state = self.state;
        let opened = self.opened();
        let (since, mut events) = match state.moments.get(&Moment::Onset) {
            Some(onset) => (onset.at, vec![onset.event]),
            None => (opened.occurred, Vec::new()),
        };
        events.push(opened.seq);
        let (length, end_event) = self.length_from(since);
        events.extend(end_event);
        let on = if state.targets.is_empty() {
            String::new()
        } else {
            format!(" on {}", state.targets.join(", "))
        };
        let text = format!(
            "{} disturbed {}{on} from {}, {length}.",
            state.opening.number,
            state.process.phrase(),
            minute(since)
        );
        self.fact(text, events)
    }

    /// `for 3 h 20 min`, and the event that ended it.
    fn length_from(&self, since: DateTime<Utc>) -> (String, Option<u64>) {
        match self.state.moments.get(&Moment::Recovered) {
            Some(recovered) => (
                format!("for {}", span(recovered.at - since)),
                Some(recovered.event),
            ),
            None => (
                format!(
                    "for {} up to #{}, without a recovery on record",
                    span(self.end - since),
                    self.state.seq
                ),
                None,
            ),
        }
    }

    fn life_line(&self) -> Option<Fact> {
        let find = |is: fn(&Event) -> bool| {
            self.events
                .iter()
                .rev()
                .find(|recorded| recorded.event.as_ref().is_some_and(is))
        };
        let (word, recorded) = match &self.state.life {
            Life::Open => return None,
            Life::Resolved => ("resolved", find(|event| matches!(event, Event::Resolved { .. }))?),
            Life::Closed => ("closed", find(|event| matches!(event, Event::Closed))?),
            Life::Cancelled { .. } => (
                "cancelled",
                find(|event| matches!(event, Event::Cancelled { .. }))?,
            ),
            Life::Duplicate { .. } => (
                "marked as a duplicate",
                find(|event| matches!(event, Event::MarkedDuplicate { .. }))?,
            ),
        };
        let text = format!(
            "The incident was {word} on {} by {}.",
            minute(recorded.occurred),
            self.who(&recorded.by)
        );
        Some(self.fact(text, [recorded.seq]))
    }

    pub(super) fn frame(&self) -> Option<FrameRecord> {
        let framed = |recorded: &&&Recorded| matches!(recorded.event, Some(Event::Framed { .. }));
        let last = self.events.iter().rev().find(framed)?;
        Some(FrameRecord {
            sentence: self.state.sentence.clone(),
            frame: self.state.frame.clone(),
            events: vec![last.seq],
        })
    }

    pub(super) fn impact(&self) -> Impact {
        Impact {
            part: self.part(Section::Impact, self.impact_facts()),
            numbers: self.numbers(),
            severities: self.stretches(self.severities()),
            phases: self.stretches(self.phases()),
            business: self.business(),
        }
    }

    fn impact_facts(&self) -> Vec<Fact> {
        let Some(frame) = self.frame() else {
            return Vec::new();
        };
        let told = [
            ("Affected", &frame.frame.who),
            ("How badly", &frame.frame.impact),
            ("Still working", &frame.frame.works),
        ];
        told.iter()
            .filter_map(|(label, text)| {
                let text = text.as_ref()?;
                Some(Fact {
                    text: format!("{label}: {}", full_stop(text)),
                    events: frame.events.clone(),
                })
            })
            .collect()
    }

    fn numbers(&self) -> Vec<Number> {
        let mut numbers = vec![self.duration(), self.process()];
        numbers.extend(self.before_declaration());
        numbers.push(self.damage());
        numbers.extend(self.counted(RecoveryItem::Records, "Records to repair"));
        numbers.extend(self.counted(RecoveryItem::Backlog, "Backlog"));
        let attempts = self.state.attempts.len();
        let attempted = |recorded: &&&Recorded| matches!(recorded.event, Some(Event::AttemptStarted { .. }));
        let started = first_and_last(self.events.iter().filter(attempted).map(|recorded| recorded.seq));
        numbers.push(Number {
            label: "Changes made to systems".to_owned(),
            value: attempts.to_string(),
            detail: None,
            events: self.or_up_to_here(started),
        });
        numbers
    }

    fn duration(&self) -> Number {
        let moments = &self.state.moments;
        let (from, from_word, mut events) = match moments.get(&Moment::Onset) {
            Some(onset) => (onset.at, "onset", vec![onset.event]),
            None => (
                self.opened().occurred,
                "the declaration (no onset is set)",
                vec![self.opened().seq],
            ),
        };
        let (to, to_word) = match moments.get(&Moment::Recovered) {
            Some(recovered) => {
                events.push(recovered.event);
                (recovered.at, "recovery".to_owned())
            }
            None => (
                self.end,
                format!("#{}; recovery is not on record", self.state.seq),
            ),
        };
        Number {
            label: "Duration".to_owned(),
            value: span(to - from),
            detail: Some(format!("from {from_word} to {to_word}")),
            events,
        }
    }

    fn before_declaration(&self) -> Option<Number> {
        let onset = self.state.moments.get(&Moment::Onset)?;
        let opened = self.opened();
        let length = opened.occurred - onset.at;
        (length > TimeDelta::zero()).then(|| Number {
            label: "Before it was declared".to_owned(),
            value: span(length),
            detail: Some("from the onset; no severity had been set yet".to_owned()),
            events: vec![onset.event, opened.seq],
        })
    }

    fn process(&self) -> Number {
        let objectives = self.source.objectives.unwrap_or_default();
        let seconds = |seconds: u64| TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1_000));
        let mut detail: Vec<String> = Vec::new();
        if let Some(rto) = objectives.rto_s.map(seconds) {
            let from = self
                .state
                .moments
                .get(&Moment::Onset)
                .map_or(self.opened().occurred, |onset| onset.at);
            let recovered = self.state.moments.get(&Moment::Recovered);
            let over = recovered.map_or(self.end, |recovered| recovered.at) - from - rto;
            let kept = match (over > TimeDelta::zero(), recovered) {
                (true, _) => format!("exceeded by {}", span(over)),
                (false, Some(_)) => "kept".to_owned(),
                (false, None) => "not yet exceeded".to_owned(),
            };
            detail.push(format!("recovery time objective {}: {kept}", span(rto)));
        }
        detail.extend(
            objectives
                .rpo_s
                .map(|rpo| format!("recovery point objective {}", span(seconds(rpo)))),
        );
        Number {
            label: "Affected process".to_owned(),
            value: self.state.process.to_string(),
            detail: (!detail.is_empty()).then(|| detail.join("; ")),
            events: vec![self.opened().seq],
        }
    }

    fn damage(&self) -> Number {
        let damage = self.state.damage.as_ref();
        Number {
            label: "Damage was going on".to_owned(),
            value: damage
                .map_or("not assessed", |damage| if damage.ongoing { "yes" } else { "no" })
                .to_owned(),
            detail: damage.and_then(|damage| damage.detail.clone()),
            events: vec![damage.map_or(self.state.seq, |damage| damage.event)],
        }
    }

    /// What recovery counted, first and last.
    fn counted(&self, wanted: RecoveryItem, label: &str) -> Option<Number> {
        let counts: Vec<(u64, u64, &Recorded)> = self
            .events
            .iter()
            .filter_map(|recorded| match &recorded.event {
                Some(Event::RecoveryChecked {
                    item,
                    count: Some(count),
                    ..
                }) if *item == wanted => Some((*count, recorded.seq, *recorded)),
                _ => None,
            })
            .collect();
        let ((first, first_event, _), (last, last_event, recorded)) = (counts.first()?, counts.last()?);
        let mut events = vec![*first_event, *last_event];
        events.dedup();
        Some(Number {
            label: label.to_owned(),
            value: first.to_string(),
            detail: (counts.len() > 1).then(|| format!("{last} left at {}", minute(recorded.occurred))),
            events,
        })
    }

    fn business(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for run in self.state.runs.values() {
            let Some(answer) = &run.answer else { continue };
            let bad = matches!(answer.verdict, Verdict::Suspect | Verdict::Failing);
            let (Some(impact), true, Some(event)) = (&answer.impact, bad, run.answered) else {
                continue;
            };
            match facts.iter_mut().find(|fact| fact.text == *impact) {
                Some(fact) if fact.events.len() < MOST_CITED => fact.events.push(event),
                Some(_) => {}
                None => facts.push(self.fact(impact.clone(), [event])),
            }
        }
        facts
    }

    pub(super) fn severities(&self) -> Vec<(Severity, Interval)> {
        let mut told: Vec<(Severity, Interval)> = Vec::new();
        let mut now = self.state.opening.severity;
        for recorded in self.events {
            match &recorded.event {
                Some(Event::Opened { .. } | Event::Reopened { .. }) => begin(&mut told, now, recorded),
                Some(Event::SeverityChanged { to, .. }) => {
                    now = *to;
                    // A change after the end corrects the record; it does not start the clock again.
                    if told.last().is_some_and(|(_, interval)| interval.to.is_none()) {
                        end(&mut told, recorded);
                        begin(&mut told, now, recorded);
                    }
                }
                Some(event) if is_end(event) => end(&mut told, recorded),
                _ => {}
            }
        }
        told
    }

    fn phases(&self) -> Vec<(Phase, Interval)> {
        let mut told = Vec::new();
        for recorded in self.events {
            match &recorded.event {
                Some(Event::PhaseEntered { phase, .. }) => {
                    end(&mut told, recorded);
                    begin(&mut told, *phase, recorded);
                }
                Some(Event::Closed | Event::Cancelled { .. } | Event::MarkedDuplicate { .. }) => {
                    end(&mut told, recorded);
                }
                _ => {}
            }
        }
        told
    }

    fn stretches<T: ToString>(&self, told: Vec<(T, Interval)>) -> Vec<Stretch> {
        told.into_iter()
            .map(|(name, interval)| {
                let to = interval.to.unwrap_or(self.end).max(interval.from);
                let length = to - interval.from;
                Stretch {
                    name: name.to_string(),
                    from: interval.from,
                    to,
                    seconds: length.num_seconds(),
                    length: span(length),
                    open: interval.to.is_none(),
                    events: interval.events,
                }
            })
            .collect()
    }
}

/// Most events cited for one sentence: enough to look it up, few enough to read on.
pub(super) const MOST_CITED: usize = 8;

fn begin<T>(told: &mut Vec<(T, Interval)>, value: T, recorded: &Recorded) {
    told.push((
        value,
        Interval {
            from: recorded.occurred,
            to: None,
            events: vec![recorded.seq],
        },
    ));
}

fn end<T>(told: &mut [(T, Interval)], recorded: &Recorded) {
    if let Some((_, interval)) = told.last_mut()
        && interval.to.is_none()
    {
        interval.to = Some(recorded.occurred);
        interval.events.push(recorded.seq);
    }
}

fn is_end(event: &Event) -> bool {
    use Event::*;
    matches!(
        event,
        Resolved { .. } | Closed | Cancelled { .. } | MarkedDuplicate { .. }
    )
}

fn first_and_last(mut seqs: impl Iterator<Item = u64>) -> Vec<u64> {
    let first = seqs.next();
    first.into_iter().chain(seqs.last()).collect()
}
