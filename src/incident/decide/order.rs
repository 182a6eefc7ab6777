//! Opening, framing, the phases and the steps of the runbook.

use chrono::{DateTime, Utc};

use super::{Deciding, Fact, Facts, maybe_said, said, titled};
use crate::incident::event::{Asked, Event, Frame, Opening, Passage, Purpose};
use crate::incident::plan::{Step, StepKind};
use crate::incident::refusal::Refusal;
use crate::incident::request::{ProbeRequest, Request};
use crate::incident::state::{Life, State};
use crate::incident::words::*;

/// Most probes asked by one request; a round of more would bury its own message.
const MOST_PROBES: usize = 64;

impl Deciding<'_> {
    pub(super) fn open(&self, opening: &Opening, frame: &Frame, detected: Option<DateTime<Utc>>) -> Facts {
        let mut opening = opening.clone();
        opening.title = titled(&opening.title)?;
        for (field, at) in [("since", frame.since), ("detected", detected)] {
            self.not_in_the_future(field, at)?;
        }
        if opening.retroactive && frame.since.is_none() {
            let words = "A retroactive incident needs the time it began: add `since=\"2026-11-21 14:00\"`.";
            return Err(Refusal::new(words).at("since"));
        }
        let (retroactive, here) = (opening.retroactive, opening.here.clone());
        let by = match self.by.person() {
            Some(person) => format!("said by {person}"),
            None => "opening".to_owned(),
        };
        let moment = |moment, at, provenance: &str| -> Fact {
            Event::MomentSet {
                moment,
                at,
                provenance: provenance.to_owned(),
            }
            .into()
        };
        let mut facts = vec![
            Event::Opened {
                opening: Box::new(opening),
            }
            .into(),
        ];
        facts.push(moment(Moment::Declared, self.now, "opening"));
        match detected {
            Some(at) => facts.push(moment(Moment::Detected, at, &by)),
            // Written down afterwards: when it was noticed, somebody has to say.
            None if retroactive => {}
            // Until somebody says otherwise, it was noticed when it was declared.
            None => facts.push(moment(Moment::Detected, self.now, "opening")),
        }
        let phase = if retroactive { Phase::Learn } else { Phase::Confirm };
        facts.push(
            Event::PhaseEntered {
                phase,
                from: None,
                passage: Passage::Start,
            }
            .into(),
        );
        if *frame != Frame::default() {
            facts.extend(self.framed(Frame::default(), frame)?);
        }
        // After the frame, because the onset says from when on the channel's messages count.
        if let Some(room) = here {
            facts.push(
                Event::RoomOpened {
                    room,
                    audience: Audience::Internal,
                    made: false,
                }
                .into(),
            );
        }
        Ok(facts)
    }

    fn not_in_the_future(&self, field: &'static str, at: Option<DateTime<Utc>>) -> Result<(), Refusal> {
        match at {
            Some(at) if at > self.now => {
                let words = format!(
                    "{} UTC lies in the future; it is {} UTC now. Give the time it happened.",
                    at.format("%Y-%m-%d %H:%M"),
                    self.now.format("%H:%M")
                );
                Err(Refusal::new(words).at(field))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn decide_order(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::Frame { frame } => self.frame(state, frame),
            Request::AssessDamage { ongoing, detail } => self.assess_damage(state, *ongoing, detail.clone()),
            Request::Next { reason } => self.next(state, reason.as_deref()),
            Request::Back { to, reason } => self.back(state, *to, reason),
            Request::DoStep { step, note } => state.open_step(step).and_then(|step| {
                not_a_choice(step)?;
                if let StepKind::Ask { question } = &step.kind {
                    let words = format!("Step {} asks: {question} Its answer is what counts.", step.id);
                    return Err(Refusal::new(words).offer("Answer", format!("step answer {}", step.id)));
                }
                Ok(vec![
                    Event::StepDone {
                        step: step.id.clone(),
                        note: maybe_said("note", "The note", note.as_ref())?,
                    }
                    .into(),
                ])
            }),
            Request::SkipStep { step, reason } => state.open_step(step).and_then(|step| {
                let reason = said("reason", "The reason for skipping", reason)?;
                Ok(vec![
                    Event::StepSkipped {
                        step: step.id.clone(),
                        reason,
                    }
                    .into(),
                ])
            }),
            Request::AnswerStep { step, answer } => state.open_step(step).and_then(|step| {
                not_a_choice(step)?;
                let answer = said("answer", "The answer", answer)?;
                Ok(vec![
                    Event::StepAnswered {
                        step: step.id.clone(),
                        answer,
                    }
                    .into(),
                ])
            }),
            Request::TakeBranch { step, branch, reason } => {
                self.take_branch(state, step, branch, reason.clone())
            }
            Request::AskProbes { probes } => self.ask_probes(state, probes),
            Request::AnswerProbe { run, answer } => match state.runs.get(run) {
                Some(asked) if asked.answer.is_none() => Ok(vec![Fact::by_rule(Event::ProbeAnswered {
                    run: *run,
                    answer: answer.clone(),
                })]),
                // A second answer to the same question changes nothing.
                _ => Ok(Vec::new()),
            },
            Request::RecordFinding {
                line,
                conclusion,
                text,
                evidence,
            } => self.record_finding(state, *line, *conclusion, text, evidence),
            Request::AcceptCause { finding, reason } => self.accept_cause(state, *finding, reason.as_ref()),
            Request::Decide { way, reason, facts } => self.decide_way(state, *way, reason, facts),
            Request::UseRunbook { plan, .. } if plan.digest == state.opening.plan.digest => {
                Err(Refusal::new(format!(
                    "{} follows {} already, in this very version. Its steps stay as they are.",
                    state.opening.number, plan.name
                ))
                .at("runbook"))
            }
            Request::UseRunbook { plan, reason } => said("reason", "The reason", reason).map(|reason| {
                vec![
                    Event::RunbookChanged {
                        plan: plan.clone(),
                        reason,
                    }
                    .into(),
                ]
            }),
            _ => return None,
        })
    }

    fn frame(&self, state: &State, frame: &Frame) -> Facts {
        self.not_in_the_future("since", frame.since)?;
        if *frame == Frame::default() {
            let questions = state.frame_questions();
            let words = match questions.is_empty() {
                true => {
                    "Say what changes: what is wrong, what works, who, how badly, or since when.".to_owned()
                }
                false => format!("That answers nothing yet. {}", questions.join(" ")),
            };
            return Err(Refusal::new(words));
        }
        self.framed(state.frame.clone(), frame)
    }

    /// Lays the new answers over the old ones.
    fn framed(&self, mut frame: Frame, new: &Frame) -> Facts {
        let text = |field, what, text: &Option<String>| -> Result<Option<String>, Refusal> {
            text.as_ref().map(|text| said(field, what, text)).transpose()
        };
        let onset_changed = new.since.is_some() && new.since != frame.since;
        frame.trouble = new.trouble.or(frame.trouble);
        frame.what = text("detail", "What is wrong", &new.what)?.or(frame.what);
        frame.works = text("works", "What still works", &new.works)?.or(frame.works);
        frame.who = text("who", "Who is affected", &new.who)?.or(frame.who);
        frame.impact = text("impact", "How badly", &new.impact)?.or(frame.impact);
        frame.since = new.since.or(frame.since);
        let (sentence, whole) = (frame.sentence(), frame.is_whole());
        let since = frame.since;
        let mut facts: Vec<Fact> = vec![
            Event::Framed {
                frame,
                sentence,
                whole,
            }
            .into(),
        ];
        if let (true, Some(at)) = (onset_changed, since) {
            let provenance = match self.by.person() {
                Some(person) => format!("frame, said by {person}"),
                None => "frame".to_owned(),
            };
            facts.push(
                Event::MomentSet {
                    moment: Moment::Onset,
                    at,
                    provenance,
                }
                .into(),
            );
        }
        Ok(facts)
    }

    fn assess_damage(&self, state: &State, ongoing: bool, detail: Option<String>) -> Facts {
        if state.phase == Phase::Confirm {
            let first = "First the frame: what, who and how badly, since when.";
            return Err(confirm_first(state, first, "Then the damage."));
        }
        if ongoing && state.life == Life::Resolved {
            return Err(Refusal::new(
                "It is resolved. If damage is going on it is not over: reopen it, then stop the damage first.",
            )
            .offer("Reopen", "reopen"));
        }
        let detail = maybe_said("detail", "The damage", detail.as_ref())?;
        let mut facts = vec![Event::DamageAssessed { ongoing, detail }.into()];
        if ongoing && state.phase > Phase::Contain {
            // Damage found later goes before everything else, at once.
            let reason = "Damage is going on: control it before anything else.".to_owned();
            facts.push(
                Event::PhaseEntered {
                    phase: Phase::Contain,
                    from: Some(state.phase),
                    passage: Passage::Back { reason },
                }
                .into(),
            );
        }
        Ok(facts)
    }

    fn next(&self, state: &State, reason: Option<&str>) -> Facts {
        let conditions = state.open_conditions();
        let Some(next) = state.phase.next() else {
            return Err(Refusal::new(
                "Learn is the last phase. Close the incident when the post-mortem is reviewed.",
            )
            .offer("Close", "close"));
        };
        let mut facts = Vec::new();
        let passage = if conditions.is_empty() {
            Passage::Gate
        } else {
            self.override_gate(state, "next", &conditions, reason)?
        };
        if state.phase == Phase::Triage && state.cause.is_some() {
            let lines = state.lines_without_finding();
            if !lines.is_empty() {
                let reason = "A cause is accepted.".to_owned();
                facts.push(Fact::by_rule(Event::TriageLeft { lines, reason }));
            }
        }
        if state.phase == Phase::Recover {
            facts.extend(self.resolved(state, None));
        }
        facts.push(
            Event::PhaseEntered {
                phase: next,
                from: Some(state.phase),
                passage,
            }
            .into(),
        );
        Ok(facts)
    }

    /// The commander may go on with a reason; the open conditions stand in the journal with it.
    pub(super) fn override_gate(
        &self,
        state: &State,
        command: &str,
        conditions: &[crate::incident::Condition],
        reason: Option<&str>,
    ) -> Result<Passage, Refusal> {
        let open: Vec<String> = conditions
            .iter()
            .map(|condition| condition.words.clone())
            .collect();
        let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) else {
            let mut refusal = Refusal::new(format!(
                "{} is not finished:\n• {}\nThe commander can go on anyway with a reason: `/{command} reason=\"…\"`.",
                capital(state.phase.word()),
                open.join("\n• ")
            ));
            for (label, line) in conditions
                .iter()
                .filter_map(|condition| condition.offer.clone())
                .take(4)
            {
                refusal = refusal.offer(label, line);
            }
            return Err(refusal);
        };
        self.leads(state, "go on before a phase is finished")?;
        Ok(Passage::Override {
            reason: said("reason", "The reason", reason)?,
            open,
        })
    }

    fn back(&self, state: &State, to: Phase, reason: &str) -> Facts {
        if to >= state.phase {
            let words = format!(
                "The incident is in {}; {to} does not lie before it. Use `/next` to go on.",
                state.phase
            );
            return Err(Refusal::new(words).at("phase"));
        }
        if matches!(state.life, Life::Resolved) {
            return Err(
                Refusal::new("It is resolved. Reopen it with a reason first.").offer("Reopen", "reopen")
            );
        }
        let reason = said("reason", "The reason for going back", reason)?;
        let passage = Passage::Back { reason };
        Ok(vec![
            Event::PhaseEntered {
                phase: to,
                from: Some(state.phase),
                passage,
            }
            .into(),
        ])
    }

    fn take_branch(&self, state: &State, step: &str, branch: &str, reason: Option<String>) -> Facts {
        let step = state.find_step(step)?;
        let StepKind::Branch { branches, .. } = &step.kind else {
            return Err(Refusal::new(format!(
                "Step {} is not a choice. Say `/step done {}`.",
                step.id, step.id
            )));
        };
        if !branches.iter().any(|known| known.name == branch) {
            let names: Vec<_> = branches.iter().map(|known| known.name.clone()).collect();
            return Err(Refusal::unknown("branch", branch, &names).at("branch"));
        }
        Ok(vec![
            Event::BranchTaken {
                step: step.id.clone(),
                branch: branch.to_owned(),
                reason: maybe_said("reason", "The reason", reason.as_ref())?,
            }
            .into(),
        ])
    }

    fn ask_probes(&self, state: &State, probes: &[ProbeRequest]) -> Facts {
        if probes.is_empty() {
            return Err(Refusal::new(
                "No probe to ask here. `/probe list` shows what can be asked.",
            ));
        }
        if probes.len() > MOST_PROBES {
            let words = format!(
                "{} probes at once are too many; {MOST_PROBES} is the most.",
                probes.len()
            );
            return Err(Refusal::new(words));
        }
        let (first, round) = state.next_run();
        Ok(probes
            .iter()
            .zip(first..)
            .map(|(probe, run)| {
                let asked = Asked {
                    run: ProbeRunId(run),
                    round,
                    probe: probe.probe.clone(),
                    target: probe.target.clone(),
                    params: probe.params.clone(),
                    purpose: Purpose::Ask {
                        step: probe.step.clone(),
                    },
                };
                Event::ProbeAsked { asked }.into()
            })
            .collect())
    }

    fn record_finding(
        &self,
        state: &State,
        line: Line,
        conclusion: Conclusion,
        text: &str,
        evidence: &[ProbeRunId],
    ) -> Facts {
        let text = said("text", "What you found", text)?;
        if let Some(missing) = evidence.iter().find(|run| !state.runs.contains_key(run)) {
            return Err(Refusal::unknown("probe run", missing, &ids(state.runs.keys())).at("evidence"));
        }
        let finding = FindingId(state.findings.len() as u32 + 1);
        Ok(vec![
            Event::FindingRecorded {
                finding,
                line,
                conclusion,
                text,
                evidence: evidence.to_vec(),
            }
            .into(),
        ])
    }

    fn accept_cause(&self, state: &State, finding: FindingId, reason: Option<&String>) -> Facts {
        match state.findings.get(&finding) {
            None => Err(Refusal::unknown("finding", finding, &ids(state.findings.keys()))),
            Some(found) if found.conclusion == Conclusion::Cleared => Err(Refusal::new(format!(
                "{finding} says that this was cleared, so it cannot be the cause. Accept a suspect."
            ))),
            Some(_) if state.cause == Some(finding) => {
                Err(Refusal::new(format!("{finding} is the accepted cause already.")))
            }
            Some(_) => {
                let reason = maybe_said("reason", "The reason", reason)?;
                Ok(vec![Event::CauseAccepted { finding, reason }.into()])
            }
        }
    }

    fn decide_way(&self, state: &State, way: Way, reason: &str, facts: &[String]) -> Facts {
        self.leads(state, "decide")?;
        if state.phase < Phase::Decide {
            return Err(Refusal::new(format!(
                "The incident is in {}. The decision comes after triage: find the cause first, or go on with `/next`.",
                state.phase
            ))
            .offer("Go on", "next"));
        }
        let reason = said("reason", "The reason", reason)?;
        let facts: Result<Vec<_>, _> = facts.iter().map(|fact| said("facts", "A fact", fact)).collect();
        let mut facts: Vec<String> = facts?.into_iter().map(|fact| state.in_full(fact)).collect();
        if let Some(cause) = state.cause {
            let cause = state.in_full(cause.to_string());
            if !facts.contains(&cause) {
                facts.push(cause);
            }
        }
        Ok(vec![Event::Decided { way, reason, facts }.into()])
    }
}

/// A choice is settled by choosing: its branches would stay shut otherwise.
fn not_a_choice(step: &Step) -> Result<(), Refusal> {
    let StepKind::Branch { branches, .. } = &step.kind else {
        return Ok(());
    };
    let names: Vec<_> = branches.iter().map(|branch| branch.name.clone()).collect();
    let mut refusal = Refusal::new(format!(
        "Step {} is a choice: pick {}.",
        step.id,
        names.join(" or ")
    ));
    for branch in branches.iter().take(4) {
        refusal = refusal.offer(
            branch.label.clone(),
            format!("step branch {} {}", step.id, branch.name),
        );
    }
    Err(refusal)
}

impl State {
    /// What an id stands for, with the id: whoever reads the decision later has no `D1` at hand. Other words stay.
    fn in_full(&self, fact: String) -> String {
        let named = |id: String| id.eq_ignore_ascii_case(&fact);
        let finding = self.findings.iter().find(|(id, _)| named(id.to_string()));
        let run = self.runs.iter().find(|(id, _)| named(id.to_string()));
        match (finding, run) {
            (Some((id, finding)), _) => format!("{id}: {}", finding.text),
            (None, Some((id, run))) => {
                let answer = run.answer.as_ref();
                let verdict = answer.map_or("has not answered", |answer| answer.verdict.word());
                format!("{id}: {} on {}: {verdict}", run.asked.probe, run.asked.target)
            }
            (None, None) => fact,
        }
    }

    fn find_step(&self, id: &str) -> Result<&Step, Refusal> {
        let steps = self.steps_of(self.phase);
        steps.iter().copied().find(|step| step.id == id).ok_or_else(|| {
            let known: Vec<_> = steps.iter().map(|step| step.id.clone()).collect();
            Refusal::unknown("step", id, &known).at("step")
        })
    }

    fn open_step(&self, id: &str) -> Result<&Step, Refusal> {
        let step = self.find_step(id)?;
        match self.steps.contains_key(id) {
            true => Err(Refusal::new(format!("Step {id} is settled already."))),
            false => Ok(step),
        }
    }

    /// Numbers for the next probe run and the next round.
    pub(super) fn next_run(&self) -> (u32, u32) {
        let last = self.runs.values().next_back();
        last.map_or((1, 1), |run| (run.asked.run.0 + 1, run.asked.round + 1))
    }
}

impl Frame {
    /// Every question has an answer.
    pub fn is_whole(&self) -> bool {
        self.trouble.is_some()
            && self.what.is_some()
            && self.works.is_some()
            && self.who.is_some()
            && self.impact.is_some()
            && self.since.is_some()
    }

    /// The frame as one sentence, as far as it is known.
    pub fn sentence(&self) -> String {
        let what = opening_word(clause(self.what.as_deref().unwrap_or("something")));
        let (is, has_been) = match self.trouble {
            Some(Trouble::Down) => ("is down", "has been down"),
            Some(Trouble::Slow) => ("is slow", "has been slow"),
            Some(Trouble::Function) => ("does not work", "has not worked"),
            None => ("is wrong", "has been wrong"),
        };
        let mut sentence = match self.since {
            Some(since) => format!("{what} {has_been} since {} UTC", since.format("%Y-%m-%d %H:%M")),
            None => format!("{what} {is}"),
        };
        if let Some(who) = &self.who {
            sentence.push_str(&format!("; affected: {}", clause(who)));
        }
        if let Some(impact) = &self.impact {
            sentence.push_str(&format!(" ({})", clause(impact)));
        }
        if let Some(works) = &self.works {
            sentence.push_str(&format!("; still works: {}", clause(works)));
        }
        sentence.push('.');
        sentence
    }
}

/// What somebody typed, as a part of a longer sentence: without a full stop of its own.
fn clause(typed: &str) -> &str {
    typed.trim().trim_end_matches(['.', ';', ',']).trim_end()
}

/// Begins as a sentence does. A name that is written in its own way (`odoo-prod`, `iPad app`) keeps it.
fn opening_word(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    match first.chars().all(char::is_lowercase) {
        true => capital(text),
        false => text.to_owned(),
    }
}

pub(super) fn ids<'a, T: std::fmt::Display + 'a>(ids: impl Iterator<Item = &'a T>) -> Vec<String> {
    ids.map(ToString::to_string).collect()
}

pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The refusal of what comes after Confirm. `frame` asks for the frame; once that is whole, the words say what is left.
pub(super) fn confirm_first(state: &State, frame: &str, then: &str) -> Refusal {
    if !state.frame_questions().is_empty() {
        return Refusal::new(format!("{frame} {then}")).offer("Frame it", "frame");
    }
    let open = state.open_conditions();
    if open.is_empty() {
        return Refusal::new(format!(
            "The incident is in Confirm again. See whether the frame still holds, and go on with `/next`. {then}"
        ))
        .offer("Go on", "next");
    }
    let left: Vec<&str> = open.iter().map(|open| open.words.trim_end_matches('.')).collect();
    Refusal::new(format!(
        "Confirm is not finished: {}. Settle that, or go on with `/next` and a reason. {then}",
        left.join("; ")
    ))
    .offer("What now?", "status")
}
