//! What earlier events told, so that a later one can be said in words: what `P3` asked, what `A1` would do.

use std::collections::HashMap;

use crate::incident::*;

#[derive(Default)]
pub(super) struct Known {
    pub phase: Option<Phase>,
    runs: HashMap<ProbeRunId, (String, String)>,
    proposals: HashMap<ProposalId, (String, String)>,
    attempts: HashMap<AttemptId, ProposalId>,
    findings: HashMap<FindingId, String>,
    tasks: HashMap<TaskId, String>,
    followups: HashMap<FollowupId, String>,
    changes: HashMap<ChangeId, String>,
    pages: HashMap<PageId, (Option<Role>, Vec<PersonId>)>,
    steps: HashMap<String, String>,
}

/// Longest text repeated as a label, in characters: enough to recognise it.
const LABEL: usize = 80;

impl Known {
    pub fn learn(&mut self, event: &Event) {
        match event {
            Event::Opened { opening } => self.learn_plan(&opening.plan),
            Event::RunbookChanged { plan, .. } => self.learn_plan(plan),
            Event::PhaseEntered { phase, .. } => self.phase = Some(*phase),
            Event::ProbeAsked { asked } => {
                self.runs
                    .insert(asked.run, (asked.probe.clone(), asked.target.clone()));
            }
            Event::ProposalDrafted { proposal, terms, .. } => {
                self.proposals
                    .insert(*proposal, (terms.title.clone(), terms.target.clone()));
            }
            Event::AttemptStarted {
                proposal, attempt, ..
            } => {
                self.attempts.insert(*attempt, *proposal);
            }
            Event::FindingRecorded { finding, text, .. } => {
                self.findings.insert(*finding, text.clone());
            }
            Event::TaskAdded { task, text, .. } => {
                self.tasks.insert(*task, text.clone());
            }
            Event::FollowupAdded { followup, text, .. } => {
                self.followups.insert(*followup, text.clone());
            }
            Event::ChangeNoted { change, text, .. } => {
                self.changes.insert(*change, text.clone());
            }
            Event::Paged {
                page, role, people, ..
            } => {
                self.pages.insert(*page, (*role, people.clone()));
            }
            _ => {}
        }
    }

    fn learn_plan(&mut self, plan: &Plan) {
        let steps = plan.phases.iter().flat_map(|phase| &phase.steps);
        // As it reads, not as it is written: the runbook is Markdown.
        let read = |text: &str| text.replace('`', "");
        self.steps = steps.map(|step| (step.id.clone(), read(&step.text))).collect();
    }

    /// `postgres.blocking on odoo-prod (P3)`.
    pub fn run(&self, run: ProbeRunId) -> String {
        match self.runs.get(&run) {
            Some((probe, target)) => format!("{probe} on {target} ({run})"),
            None => format!("probe {run}"),
        }
    }

    /// `A1 (Switch off the scheduled action)`.
    pub fn proposal(&self, proposal: ProposalId) -> String {
        match self.proposals.get(&proposal) {
            Some((title, _)) => labelled(proposal, title),
            None => format!("action {proposal}"),
        }
    }

    pub fn target(&self, proposal: ProposalId) -> &str {
        self.proposals
            .get(&proposal)
            .map_or("its target", |(_, target)| target)
    }

    pub fn attempt(&self, attempt: AttemptId) -> String {
        match self.attempts.get(&attempt) {
            Some(proposal) => self.proposal(*proposal),
            None => format!("attempt {attempt}"),
        }
    }

    pub fn finding(&self, finding: FindingId) -> String {
        self.findings
            .get(&finding)
            .map_or_else(|| format!("finding {finding}"), |text| labelled(finding, text))
    }

    pub fn task(&self, task: TaskId) -> String {
        self.tasks
            .get(&task)
            .map_or_else(|| format!("task {task}"), |text| labelled(task, text))
    }

    pub fn followup(&self, followup: FollowupId) -> String {
        let text = self.followups.get(&followup);
        text.map_or_else(
            || format!("follow-up {followup}"),
            |text| labelled(followup, text),
        )
    }

    pub fn made(&self, made: Made) -> String {
        match made {
            Made::Task(task) => self.task(task),
            Made::Followup(followup) => self.followup(followup),
        }
    }

    pub fn change(&self, change: ChangeId) -> String {
        let text = self.changes.get(&change);
        text.map_or_else(
            || format!("manual change {change}"),
            |text| labelled(change, text),
        )
    }

    pub fn page(&self, page: PageId) -> String {
        match self.pages.get(&page) {
            Some((Some(role), _)) => format!("page {page} to the {role}"),
            _ => format!("page {page}"),
        }
    }

    /// Whom a page called.
    pub fn paged(&self, page: PageId) -> &[PersonId] {
        self.pages.get(&page).map_or(&[], |(_, people)| people)
    }

    pub fn step(&self, step: &str) -> String {
        self.steps.get(step).map_or_else(
            || format!("step {step}"),
            |text| labelled(format!("step {step}"), text),
        )
    }
}

fn labelled(id: impl std::fmt::Display, text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    format!("{id} ({})", label(first.trim_end_matches('.')))
}

/// `failing_after=30s, job=import-prices`: what a probe was given, as it would be typed.
pub fn given(params: &Params) -> String {
    let given = params.iter().map(|(name, value)| match value.as_str() {
        Some(text) if !text.contains([' ', ',', '"']) => format!("{name}={text}"),
        _ => format!("{name}={value}"),
    });
    given.collect::<Vec<_>>().join(", ")
}

/// As much of a text as is needed to recognise it, with whole words.
pub(super) fn label(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(LABEL) else {
        return text.to_owned();
    };
    let start = &text[..end];
    let words = start.rsplit_once(' ').map_or(start, |(words, _)| words);
    format!("{} …", words.trim_end_matches([',', ';', ':']))
}

/// At most this many characters; says how many are left out.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => {
            let left = text[end..].chars().count();
            format!("{} … ({left} more characters in the journal)", &text[..end])
        }
    }
}
