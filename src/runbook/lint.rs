//! What a reader would find: names that do not exist, and habits that hurt in an incident.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::incident::{Params, Phase, PlanPhase, Step, StepKind};

use super::Runbook;
use super::nearest::{hint, listed, nearest};
use super::problem::{Place, Problem, Problems};
use super::read::capital;
use super::shelf::GENERAL;
use super::step::buries_question;

/// A parameter of a probe or an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamInfo {
    pub name: String,
    /// A required one may still be left out of a runbook: then the responder is asked.
    pub required: bool,
}

/// What a runbook may name: the catalog and the targets of the installation.
pub trait Vocabulary {
    /// Parameters of the probe with this name; `None`: there is no such probe.
    fn probe(&self, name: &str) -> Option<Vec<ParamInfo>>;

    /// Parameters of the action with this name; `None`: there is no such action.
    fn action(&self, name: &str) -> Option<Vec<ParamInfo>>;

    fn probe_names(&self) -> Vec<String>;

    fn action_names(&self) -> Vec<String>;

    /// Whether a target exists; `None`: no configuration is at hand, so nobody can tell.
    fn target_exists(&self, name: &str) -> Option<bool>;

    fn target_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether a parameter may have this value; the error completes the sentence "`pid` …".
    fn check_param(&self, entry: &str, param: &str, value: &Value) -> Result<(), String> {
        let _ = (entry, param, value);
        Ok(())
    }

    /// Whether an entry fits the kind of a target; the error is a sentence.
    fn check_target(&self, entry: &str, target: &str) -> Result<(), String> {
        let _ = (entry, target);
        Ok(())
    }
}

/// Longest step without a warning, code blocks aside: more is not read at three in the morning.
const LONGEST_STEP: usize = 320;

/// Compares a runbook with what there is, and with what has proved readable.
pub fn lint(runbook: &Runbook, vocabulary: &dyn Vocabulary) -> Vec<Problem> {
    let mut problems = Problems::of(&runbook.file);
    examine(runbook, vocabulary, &mut problems);
    problems.sorted()
}

pub(super) fn examine(runbook: &Runbook, vocabulary: &dyn Vocabulary, problems: &mut Problems) {
    let mut linter = Linter {
        runbook,
        vocabulary,
        problems,
    };
    linter.front();
    linter.phases();
    linter.lines();
    for phase in &runbook.plan.phases {
        for step in &phase.steps {
            linter.step(phase.phase, step);
        }
        linter.duplicates(phase);
        linter.leave(phase);
    }
}

struct Linter<'r, 'p> {
    runbook: &'r Runbook,
    vocabulary: &'r dyn Vocabulary,
    problems: &'p mut Problems,
}

impl Linter<'_, '_> {
    fn text_place(&self, step: &Step) -> Place {
        self.runbook
            .map
            .steps
            .get(&step.id)
            .map_or(Place::START, |places| places.text)
    }

    fn front(&mut self) {
        let front = &self.runbook.front;
        let file = self.runbook.file.rsplit(['/', '\\']).next().unwrap_or("");
        if file.strip_suffix(".md").is_some_and(|stem| stem != front.name) {
            let message = format!(
                "The file is `{file}` and the runbook `{}`: people look for one name.",
                front.name
            );
            self.problems.warning(self.runbook.place_of_key("name"), message);
        }
        if front.matches.is_empty() && front.name != GENERAL {
            let message = "Nothing chooses this runbook. Add `match:` with labels of an alert, processes, or words of a \
                           title.";
            self.problems.warning(self.runbook.place_of_key("match"), message);
        }
        if let Some((place, title)) = &self.runbook.map.title
            && *title != front.title
        {
            let message = format!(
                "The heading says `{title}` and the front matter `{}`: say one thing.",
                front.title
            );
            self.problems.warning(*place, message);
        }
    }

    fn phases(&mut self) {
        for (phase, place) in &self.runbook.map.phases {
            let steps = self.steps_of(*phase);
            if steps.is_empty() {
                let message =
                    format!("The phase `{phase}` has no steps: give it one, or take the heading out.");
                self.problems.error(*place, message);
            } else if *phase == Phase::Contain && !asks_for_damage(&steps[0]) {
                let message = "Contain begins with the question of damage. Make its first step a decision such as `Is \
                               damage going on?` with the branches `**yes**` and `**no**`, and put the containment \
                               below `yes`.";
                self.problems.error(*place, message);
            }
        }
        let has = |phase| self.runbook.map.phases.iter().any(|(known, _)| *known == phase);
        if !has(Phase::Contain)
            && let Some((next, place)) = self
                .runbook
                .map
                .phases
                .iter()
                .find(|(phase, _)| *phase > Phase::Contain)
        {
            let message = format!(
                "Nothing here stops the damage: put `## Contain` before `## {}`.",
                capital(next.word())
            );
            self.problems.warning(*place, message);
        }
    }

    fn steps_of(&self, phase: Phase) -> &[Step] {
        let found = self.runbook.plan.phases.iter().find(|known| known.phase == phase);
        found.map_or(&[], |phase| &phase.steps)
    }

    fn lines(&mut self) {
        let lines = &self.runbook.map.lines;
        for (line, place) in lines {
            if !self
                .steps_of(Phase::Triage)
                .iter()
                .any(|step| step.line == Some(*line))
            {
                let message =
                    format!("The line `{line}` has no steps: give it one, or take the heading out.");
                self.problems.error(*place, message);
            }
        }
        for pair in lines.windows(2) {
            let [(before, _), (after, place)] = pair else {
                continue;
            };
            if after < before {
                let message = format!(
                    "`{after}` comes before `{before}`: triage goes from the most recent and likely cause outward."
                );
                self.problems.warning(*place, message);
            }
        }
    }

    fn step(&mut self, phase: Phase, step: &Step) {
        let place = self.text_place(step);
        let length = prose(&step.text).chars().count();
        if length > LONGEST_STEP {
            let message = format!("This step has {length} characters; {LONGEST_STEP} are read: split it.");
            self.problems.warning(place, message);
        }
        match &step.kind {
            StepKind::Do if buries_question(&step.text) => {
                let message = "A question stands inside this step, so nobody is asked. End the step with it.";
                self.problems.warning(place, message);
            }
            StepKind::Do | StepKind::Ask { .. } | StepKind::Branch { .. } => {}
            StepKind::Probe { name, target, params } => {
                let known = self.vocabulary.probe(name);
                let other = self.vocabulary.action(name).map(|_| "action");
                self.call(step, "probe", name, known, other, params);
                self.target(step, name, target.as_deref());
            }
            StepKind::Action { name, target, params } => {
                if phase == Phase::Confirm {
                    let message = "Confirm looks and changes nothing: move this action to Contain.";
                    self.problems.warning(place, message);
                }
                let known = self.vocabulary.action(name);
                let other = self.vocabulary.probe(name).map(|_| "probe");
                self.call(step, "action", name, known, other, params);
                self.target(step, name, target.as_deref());
            }
        }
    }

    fn call(
        &mut self,
        step: &Step,
        verb: &str,
        name: &str,
        known: Option<Vec<ParamInfo>>,
        other: Option<&str>,
        params: &Params,
    ) {
        let Some(places) = self.runbook.map.steps.get(&step.id) else {
            return;
        };
        let Some(known) = known else {
            let message = match other {
                Some(other) => format!("`{name}` is no {verb}. Write `{other} {name}`."),
                None => format!(
                    "The catalog has no {verb} `{name}`.{}",
                    self.near_entry(verb, name)
                ),
            };
            return self.problems.error(places.entry, message);
        };
        let names: Vec<&str> = known.iter().map(|param| param.name.as_str()).collect();
        for (param, value) in params {
            let place = places.params.get(param).copied().unwrap_or(places.entry);
            if !names.contains(&param.as_str()) {
                let takes = match names.is_empty() {
                    true => " It takes none.".to_owned(),
                    false => hint(param, &names),
                };
                self.problems
                    .error(place, format!("`{name}` has no parameter `{param}`.{takes}"));
            } else if let Err(why) = self.vocabulary.check_param(name, param, value) {
                self.problems.error(place, format!("`{param}` {why}"));
            }
        }
    }

    /// The nearest name, or those that begin with the same word.
    fn near_entry(&self, verb: &str, name: &str) -> String {
        let all = if verb == "probe" {
            self.vocabulary.probe_names()
        } else {
            self.vocabulary.action_names()
        };
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        if nearest(name, all.iter().copied()).is_some() {
            return hint(name, &all);
        }
        let family = name.split('.').next().unwrap_or("");
        let mut related = all;
        related.retain(|entry| entry.split('.').next() == Some(family));
        match related.as_slice() {
            [] => format!(" `orderly {verb} list` shows what there is."),
            related => format!(" For `{family}` there is {}.", listed(related)),
        }
    }

    fn target(&mut self, step: &Step, entry: &str, target: Option<&str>) {
        let Some(target) = target else { return };
        let place = self
            .runbook
            .map
            .steps
            .get(&step.id)
            .map_or(Place::START, |places| places.target);
        match self.vocabulary.target_exists(target) {
            None => {}
            Some(false) => {
                let all = self.vocabulary.target_names();
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                self.problems.error(
                    place,
                    format!("The config has no target `{target}`.{}", hint(target, &all)),
                );
            }
            Some(true) => {
                if let Err(why) = self.vocabulary.check_target(entry, target) {
                    self.problems.error(place, why);
                }
            }
        }
    }

    fn duplicates(&mut self, phase: &PlanPhase) {
        let mut seen: BTreeMap<_, &str> = BTreeMap::new();
        for step in &phase.steps {
            let branch = step.branch.as_ref().map(|branch| (&branch.step, &branch.branch));
            let key = (
                branch,
                step.line.map(|line| line.word()),
                step.text.to_lowercase(),
            );
            if let Some(first) = seen.insert(key, &step.id) {
                let message = format!("This step says the same as {first}: take one out.");
                self.problems.warning(self.text_place(step), message);
            }
        }
    }

    /// A condition about a probe nobody asks keeps the phase shut.
    fn leave(&mut self, phase: &PlanPhase) {
        let Some(leave) = &phase.leave else { return };
        for (index, wanted) in leave.verdicts.iter().enumerate() {
            let place = self
                .runbook
                .map
                .conditions
                .get(&(phase.phase, index))
                .copied()
                .unwrap_or(Place::START);
            let name = &wanted.probe;
            if self.vocabulary.probe(name).is_none() {
                let message = format!(
                    "The catalog has no probe `{name}`.{}",
                    self.near_entry("probe", name)
                );
                self.problems.error(place, message);
                continue;
            }
            let up_to_here = self
                .runbook
                .plan
                .phases
                .iter()
                .filter(|before| before.phase <= phase.phase);
            let asked = up_to_here
                .flat_map(|before| &before.steps)
                .any(|step| matches!(&step.kind, StepKind::Probe { name: asked, .. } if asked == name));
            if !asked {
                let message = format!(
                    "No step up to here asks `{name}`, so this never holds by itself: add a step with `probe {name}`."
                );
                self.problems.warning(place, message);
            }
        }
    }
}

fn asks_for_damage(step: &Step) -> bool {
    let StepKind::Branch { branches, .. } = &step.kind else {
        return false;
    };
    let has = |name| branches.iter().any(|branch| branch.name == name);
    has("yes") && has("no") && step.text.to_lowercase().contains("damage")
}

/// The text without its code blocks.
fn prose(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut prose = String::new();
    for line in text.lines() {
        let mark = ["```", "~~~~"].into_iter().find(|mark| line.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => prose.push_str(line),
            _ => {}
        }
    }
    prose
}
