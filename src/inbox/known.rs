//! Values that only the bot knows, for completion and for the lists in forms.

use orderly_commands::{ArgKind, Values};

use super::Offers;
use crate::engine::Asking;
use crate::incident::{Stage, State};
use crate::view::Choices;

pub struct Known<'a> {
    pub offers: &'a dyn Offers,
    pub asking: &'a Asking<'a>,
}

impl Choices for Known<'_> {
    fn choices(&self, kind: ArgKind) -> Vec<(String, String)> {
        match kind {
            ArgKind::Probe => self
                .offers
                .probes()
                .into_iter()
                .map(|(name, question, _)| labelled(name, &question))
                .collect(),
            ArgKind::Action => self
                .offers
                .actions()
                .into_iter()
                .map(|(name, title)| labelled(name, &title))
                .collect(),
            ArgKind::Target | ArgKind::Targets => self
                .offers
                .targets()
                .into_iter()
                .map(|(name, kind)| labelled(name, &kind))
                .collect(),
            ArgKind::Runbook => self
                .offers
                .runbooks()
                .into_iter()
                .map(|(name, title)| labelled(name, &title))
                .collect(),
            ArgKind::Person => self.people(),
            ArgKind::Who => {
                let roles = orderly_commands::ROLES
                    .iter()
                    .map(|role| ((*role).to_owned(), format!("everybody who is {role}")));
                roles.chain(self.people()).collect()
            }
            ArgKind::Incident => {
                let listed = (self.asking.listed)();
                listed
                    .iter()
                    .map(|listed| labelled(listed.incident.to_string(), &listed.title))
                    .collect()
            }
            _ => self
                .asking
                .incident
                .map(|state| of_incident(kind, state))
                .unwrap_or_default(),
        }
    }
}

impl Values for Known<'_> {
    fn values(&self, kind: ArgKind, typed: &str) -> Vec<String> {
        let typed = typed.trim_start_matches('@').to_lowercase();
        let values = self.choices(kind).into_iter().map(|(value, _)| value);
        let (mut starts, within): (Vec<_>, Vec<_>) = values
            .filter(|value| value.to_lowercase().contains(&typed))
            .partition(|value| value.to_lowercase().starts_with(&typed));
        starts.extend(within);
        starts
    }
}

impl Known<'_> {
    fn people(&self) -> Vec<(String, String)> {
        let people = self.asking.desk.people.iter().filter(|(_, person)| person.active);
        people
            .map(|(id, person)| (id.to_string(), person.name.clone()))
            .collect()
    }
}

/// What the incident itself has, newest first where the newest is mostly meant.
fn of_incident(kind: ArgKind, state: &State) -> Vec<(String, String)> {
    match kind {
        ArgKind::Proposal => state
            .proposals
            .values()
            .rev()
            .map(|p| {
                (
                    p.id.to_string(),
                    format!("{} {} ({})", p.id, p.terms.title, stage(&p.stage)),
                )
            })
            .collect(),
        ArgKind::Task => {
            let open = state.tasks.iter().filter(|(_, task)| task.end.is_none());
            open.map(|(id, task)| labelled(id.to_string(), &task.text))
                .collect()
        }
        ArgKind::Followup => {
            let open = state
                .followups
                .iter()
                .filter(|(_, followup)| followup.end.is_none());
            open.map(|(id, followup)| labelled(id.to_string(), &followup.text))
                .collect()
        }
        ArgKind::Finding => state
            .findings
            .iter()
            .rev()
            .map(|(id, finding)| labelled(id.to_string(), &finding.text))
            .collect(),
        ArgKind::Change => {
            let open = state
                .changes
                .iter()
                .filter(|(_, change)| change.settled.is_none());
            open.map(|(id, change)| labelled(id.to_string(), &change.text))
                .collect()
        }
        ArgKind::Page => {
            let waiting = state.pages.iter().filter(|(_, page)| page.acknowledged.is_none());
            waiting
                .map(|(id, page)| labelled(id.to_string(), page.message.as_deref().unwrap_or("page")))
                .collect()
        }
        ArgKind::Step => state
            .open_steps()
            .into_iter()
            .map(|step| labelled(step.id.clone(), &step.text))
            .collect(),
        _ => Vec::new(),
    }
}

fn stage(stage: &Stage) -> &'static str {
    stage.word()
}

/// Labels are short everywhere: 75 characters is the most that Slack takes.
fn labelled(value: String, label: &str) -> (String, String) {
    const MOST: usize = 75;
    let label = if label.is_empty() {
        value.clone()
    } else {
        format!("{value}: {label}")
    };
    let label = label
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(MOST)
        .collect();
    (value, label)
}
