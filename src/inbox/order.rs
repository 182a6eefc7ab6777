//! Opening, framing, phases, steps, findings, the decision.

use std::collections::BTreeMap;

use orderly_commands::Parsed;

use super::{Inbox, Translated, person, time};
use crate::engine::Asking;
use crate::incident::{
    Conclusion, FindingId, Frame, IncidentId, Line, Opening, PersonId, Phase, ProbeRunId, Process, Refusal,
    Request, Role, RoomRef, Severity, State, StepKind, Trouble, Way,
};

impl Inbox {
    /// A point in time as typed, in UTC.
    pub(super) fn at(
        &self,
        parsed: &Parsed,
        option: &'static str,
        asking: &Asking<'_>,
    ) -> Result<Option<chrono::DateTime<chrono::Utc>>, Refusal> {
        let Some(when) = parsed.when(option) else {
            return Ok(None);
        };
        match time::moment(when, asking.now, self.offers.zone()) {
            Some(at) => Ok(Some(at)),
            None => Err(Refusal::new(format!(
                "{when} is no time that existed. Write `2026-11-21 14:00`."
            ))
            .at(option)),
        }
    }

    pub(super) fn open(&self, parsed: &Parsed, asking: &Asking<'_>) -> Result<Request, Refusal> {
        let drill = parsed.path == "drill" || parsed.flag("drill");
        let title = parsed.text("title").unwrap_or_default().to_owned();
        let process = parsed.text("process").and_then(Process::from_word);
        let targets = parsed.list("target").to_vec();
        let known = self.offers.targets();
        if let Some(unknown) = targets
            .iter()
            .find(|target| !known.iter().any(|(name, _)| name == *target))
        {
            let names: Vec<_> = known.into_iter().map(|(name, _)| name).collect();
            return Err(Refusal::unknown("target", unknown, &names).at("target"));
        }
        let (plan, chosen_because) = match parsed.text("runbook") {
            Some(name) => (self.plan(name)?, "it was asked for".to_owned()),
            None => self.offers.choose(process, &title),
        };
        let opening = Opening {
            number: IncidentId(0), // given out by the desk in the same commit
            title,
            severity: severity(parsed).unwrap_or(Severity::Sev3),
            process: process.unwrap_or(Process::Other),
            targets,
            private: parsed.flag("private"),
            drill,
            retroactive: parsed.flag("retroactive"),
            // The terminal is no room: nothing can be shown there later.
            asked_in: Some(asking.room.clone()).filter(|room| room.platform != super::TERMINAL),
            here: self.here(parsed, asking)?,
            history: parsed.flag("history"),
            plan,
            chosen_because,
            catalog: self.offers.catalog_digest(),
            settings: self.offers.settings(),
        };
        let frame = Frame {
            since: self.at(parsed, "since", asking)?,
            ..Frame::default()
        };
        Ok(Request::Open {
            opening: Box::new(opening),
            frame,
            detected: None,
        })
    }

    /// The channel where it was typed, if it is to be the room.
    fn here(&self, parsed: &Parsed, asking: &Asking<'_>) -> Result<Option<RoomRef>, Refusal> {
        if !parsed.flag("here") {
            let alone = "`--history` goes with `--here`: what was said in this channel since it began.";
            return match parsed.flag("history") {
                true => Err(Refusal::new(alone).at("history")),
                false => Ok(None),
            };
        }
        if asking.room.platform == super::TERMINAL {
            let words = "The terminal is no channel. Open it without `--here`, or type it where it is to be.";
            return Err(Refusal::new(words).at("here"));
        }
        Ok(Some(asking.room.clone()))
    }

    fn plan(&self, name: &str) -> Result<crate::incident::Plan, Refusal> {
        self.offers.plan(name).ok_or_else(|| {
            let known: Vec<_> = self.offers.runbooks().into_iter().map(|(name, _)| name).collect();
            Refusal::unknown("runbook", name, &known).at("runbook")
        })
    }

    pub(super) fn order(&self, parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Translated {
        let text = |option: &str| parsed.text(option).map(str::to_owned);
        let must = |option: &str| parsed.text(option).unwrap_or_default().to_owned();
        Ok(Some(match parsed.path {
            "frame" => Request::Frame {
                frame: Frame {
                    trouble: parsed.text("what").and_then(Trouble::from_word),
                    what: text("detail"),
                    works: text("works"),
                    who: text("who"),
                    impact: text("impact"),
                    since: self.at(parsed, "since", asking)?,
                },
            },
            "damage" => Request::AssessDamage {
                ongoing: parsed.text("answer") == Some("yes"),
                detail: text("detail"),
            },
            "next" => Request::Next {
                reason: text("reason"),
            },
            "back" => Request::Back {
                to: parsed
                    .text("phase")
                    .and_then(Phase::from_word)
                    .unwrap_or(Phase::Confirm),
                reason: must("reason"),
            },
            "step done" => Request::DoStep {
                step: self.step_of(parsed, state)?,
                note: text("note"),
            },
            "step skip" => Request::SkipStep {
                step: must("step"),
                reason: must("reason"),
            },
            "step answer" => Request::AnswerStep {
                step: must("step"),
                answer: must("text"),
            },
            "step branch" => Request::TakeBranch {
                step: must("step"),
                branch: must("branch"),
                reason: text("reason"),
            },
            "step run" => self.run_step(parsed, state)?,
            "finding add" | "finding clear" => Request::RecordFinding {
                line: parsed
                    .text("line")
                    .and_then(Line::from_word)
                    .unwrap_or(Line::Changes),
                conclusion: match parsed.text("verdict") {
                    Some("suspect") => Conclusion::Suspect,
                    _ => Conclusion::Cleared,
                },
                text: must("text"),
                evidence: parsed
                    .numbers("evidence")
                    .iter()
                    .filter_map(|n| u32::try_from(*n).ok())
                    .map(ProbeRunId)
                    .collect(),
            },
            "finding accept" => Request::AcceptCause {
                finding: FindingId(counted(parsed, "finding")),
                reason: text("reason"),
            },
            "decide" => Request::Decide {
                way: parsed
                    .text("way")
                    .and_then(Way::from_word)
                    .unwrap_or(Way::FixForward),
                reason: must("reason"),
                facts: text("facts").into_iter().collect(),
            },
            "runbook use" => Request::UseRunbook {
                plan: Box::new(self.plan(&must("runbook"))?),
                reason: must("reason"),
            },
            "set severity" => Request::SetSeverity {
                to: severity(parsed).unwrap_or(state.severity),
                reason: text("reason"),
            },
            _ => return Ok(None),
        }))
    }

    /// The step that was named, or the one whose turn it is.
    fn step_of(&self, parsed: &Parsed, state: &State) -> Result<String, Refusal> {
        if let Some(step) = parsed.text("step") {
            return Ok(step.to_owned());
        }
        let next = state
            .open_steps()
            .into_iter()
            .find(|step| matches!(step.kind, StepKind::Do));
        next.map(|step| step.id.clone())
            .ok_or_else(|| Refusal::new("No step waits to be ticked off here. `/steps` shows them all."))
    }

    /// Runs what a step says: asks its probe, or proposes its action.
    fn run_step(&self, parsed: &Parsed, state: &State) -> Result<Request, Refusal> {
        let id = parsed.text("step").unwrap_or_default();
        let steps = state.steps_of(state.phase);
        let Some(step) = steps.iter().find(|step| step.id == id) else {
            let known: Vec<_> = steps.iter().map(|step| step.id.clone()).collect();
            return Err(Refusal::unknown("step", id, &known).at("step"));
        };
        // What somebody types stands above what the runbook says.
        let typed = |target: &'_ Option<String>| {
            parsed
                .text("target")
                .map(str::to_owned)
                .or_else(|| target.clone())
        };
        let given = |params| {
            let mut given = texts(params);
            given.extend(parsed.params("params").clone());
            given
        };
        match &step.kind {
            StepKind::Probe { name, target, params } => {
                let mut probe = self
                    .offers
                    .probe(name, typed(target).as_deref(), &given(params), state)?;
                probe.step = Some(step.id.clone());
                Ok(Request::AskProbes { probes: vec![probe] })
            }
            StepKind::Action { name, target, params } => {
                let terms = self
                    .offers
                    .action(name, typed(target).as_deref(), &given(params), state)?;
                let reason = parsed
                    .text("reason")
                    .map_or_else(|| format!("step {id} of the runbook"), str::to_owned);
                Ok(Request::Propose {
                    terms: Box::new(terms),
                    reason,
                })
            }
            _ => Err(Refusal::new(format!(
                "Step {id} is for people. Say `/step done {id}` when it is done."
            ))),
        }
    }

    /// Every probe of the phase's steps: the whole round at once, on one target if that was named.
    pub(super) fn round(&self, on: Option<&str>, state: &State) -> Result<Request, Refusal> {
        let mut probes = Vec::new();
        let mut problems = Vec::new();
        for step in state.steps_of(state.phase) {
            if let StepKind::Probe { name, target, params } = &step.kind {
                let target = on.or(target.as_deref());
                match self.offers.probe(name, target, &texts(params), state) {
                    Ok(mut probe) => {
                        probe.step = Some(step.id.clone());
                        probes.push(probe);
                    }
                    Err(refusal) => problems.push(refusal),
                }
            }
        }
        match (probes.is_empty(), problems.into_iter().next()) {
            (true, Some(problem)) => Err(problem),
            _ => Ok(Request::AskProbes { probes }),
        }
    }

    pub(super) fn people(&self, parsed: &Parsed, state: &State, asking: &Asking<'_>) -> Translated {
        use crate::incident::{FollowupId, PageId, TaskId};
        let text = |option: &str| parsed.text(option).map(str::to_owned);
        let must = |option: &str| parsed.text(option).unwrap_or_default().to_owned();
        let role = || parsed.text("role").and_then(Role::from_word);
        let who = |option: &str| parsed.text(option).map(|typed| person(typed, asking)).transpose();
        let me = || asking.person.clone();
        let due = || -> Result<_, Refusal> {
            let Some(day) = parsed.day("due") else {
                return Ok(None);
            };
            let found = time::day(day, asking.now, self.offers.zone());
            found
                .map(Some)
                .ok_or_else(|| Refusal::new("That day does not exist. Write `2026-12-01`.").at("due"))
        };
        Ok(Some(match parsed.path {
            "role take" => Request::TakeRole {
                role: role().unwrap_or(Role::Responder),
                person: me(),
            },
            "role assign" => Request::TakeRole {
                role: role().unwrap_or(Role::Responder),
                person: who("person")?.unwrap_or_else(me),
            },
            "role release" => Request::ReleaseRole {
                role: role().unwrap_or(Role::Responder),
                person: who("person")?.unwrap_or_else(me),
            },
            "role invite" => Request::Invite {
                people: who("person")?.into_iter().collect(),
            },
            "role handover" => Request::HandOver {
                role: match role() {
                    Some(role) => role,
                    None => own_role(state, asking.person)?,
                },
                to: who("person")?.unwrap_or_else(me),
                note: text("note"),
            },
            "page send" => {
                let typed = must("who");
                let role = Role::from_word(typed.trim_start_matches('@'));
                let people = if role.is_some() {
                    Vec::new()
                } else {
                    vec![person(&typed, asking)?]
                };
                Request::Page {
                    role,
                    people,
                    message: text("message"),
                }
            }
            "page ack" => Request::Acknowledge {
                page: parsed
                    .number("page")
                    .and_then(|n| u32::try_from(n).ok())
                    .map(PageId),
            },
            "task add" => Request::AddTask {
                text: must("text"),
                owner: who("owner")?,
                source: None,
            },
            "task done" => Request::FinishTask {
                task: TaskId(counted(parsed, "task")),
                note: text("note"),
            },
            "task assign" => Request::AssignTask {
                task: TaskId(counted(parsed, "task")),
                owner: who("person")?.unwrap_or_else(me),
            },
            "task drop" => Request::DropTask {
                task: TaskId(counted(parsed, "task")),
                reason: text("reason"),
            },
            "followup add" => Request::AddFollowup {
                text: must("text"),
                owner: who("owner")?,
                due: due()?,
                tracker: text("url"),
                source: None,
            },
            "followup change" => Request::ChangeFollowup {
                followup: FollowupId(counted(parsed, "followup")),
                owner: who("owner")?,
                due: due()?,
                tracker: text("url"),
            },
            "followup done" => Request::FinishFollowup {
                followup: FollowupId(counted(parsed, "followup")),
                note: text("note"),
            },
            "followup drop" => Request::DropFollowup {
                followup: FollowupId(counted(parsed, "followup")),
                reason: text("reason"),
            },
            _ => return Ok(None),
        }))
    }
}

/// The one role that somebody holds, where they hand theirs over without saying which.
fn own_role(state: &State, person: &PersonId) -> Result<Role, Refusal> {
    let held: Vec<Role> = Role::ALL
        .iter()
        .copied()
        .filter(|role| state.holds(*role, person))
        .collect();
    match held.as_slice() {
        [role] => Ok(*role),
        [] => Err(Refusal::new(
            "You hold no role here, so there is none of yours to hand over. Name the role; `/roles` shows who has which.",
        )
        .at("role")),
        several => {
            let names: Vec<_> = several.iter().map(|role| role.word()).collect();
            Err(Refusal::new(format!("You hold {}. Name the role to hand over.", names.join(" and "))).at("role"))
        }
    }
}

/// The number of something counted: `A3` is 3. What the table let through fits.
pub(super) fn counted(parsed: &Parsed, option: &str) -> u32 {
    parsed
        .number(option)
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or_default()
}

fn severity(parsed: &Parsed) -> Option<Severity> {
    let number = parsed.number("severity").or_else(|| parsed.number("level"))?;
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    Severity::ALL.get(at).copied()
}

/// Parameters of a runbook step as a person would type them.
fn texts(params: &crate::incident::Params) -> BTreeMap<String, String> {
    params
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect()
}
