//! Questions that change nothing.

use chrono::TimeDelta;
use orderly_commands::Parsed;

use super::Inbox;
use crate::chat::{Block, Message, Rich};
use crate::engine::{Act, Asking};
use crate::incident::{ProposalId, Refusal, Slot, State};
use crate::view;

/// What a catch-up looks back on if nothing else is said.
const BRIEF_BACK: TimeDelta = TimeDelta::days(3_650);

impl Inbox {
    pub(super) fn look(
        &self,
        parsed: &Parsed,
        state: &State,
        asking: &Asking<'_>,
    ) -> Result<Option<Act>, Refusal> {
        let desk = asking.desk;
        let journal = asking.journal.unwrap_or_default();
        Ok(Some(self.tell(match parsed.path {
            "status" => view::status(&self.view, state, asking.person, desk),
            "journal brief" => {
                let since = self
                    .at(parsed, "since", asking)?
                    .unwrap_or(asking.now - BRIEF_BACK);
                let recent: Vec<_> = journal
                    .iter()
                    .filter(|recorded| recorded.occurred >= since)
                    .cloned()
                    .collect();
                view::brief(&self.view, state, &recent, desk)
            }
            "journal timeline" => {
                let last = parsed.number("last").and_then(|last| usize::try_from(last).ok());
                view::timeline(state, journal, last, desk)
            }
            "step show" => {
                let here = state.steps_of(state.phase);
                if let Some(step) = parsed
                    .text("step")
                    .filter(|step| here.iter().all(|known| known.id != *step))
                {
                    let known: Vec<_> = here.iter().map(|known| known.id.clone()).collect();
                    return Err(Refusal::unknown("step", step, &known).at("step"));
                }
                view::steps(&self.view, state, parsed.text("step"))
            }
            "finding list" => view::findings(&self.view, state),
            "action list" => view::actions(&self.view, state),
            "action show" => {
                let id = ProposalId(super::order::counted(parsed, "proposal"));
                state.proposal(id)?;
                crate::engine::Words::slot(&self.view, state, Slot::Proposal { proposal: id }, desk)
                    .unwrap_or_default()
            }
            "journal rooms" => view::rooms(&self.view, state),
            "role list" => view::roles(state, desk),
            "task list" => view::tasks(&self.view, state, desk),
            "followup list" => view::followups(&self.view, state, desk),
            "probe show" => self.show_probe(parsed, state)?,
            "probe compare" => self.compare(parsed, state)?,
            "postmortem show" => view::postmortem(&self.view, state),
            _ => return Ok(None),
        })))
    }

    pub(super) fn list(&self, parsed: &Parsed, asking: &Asking<'_>) -> Act {
        let mine = |listed: &&std::sync::Arc<crate::engine::Listed>| listed.members.contains(asking.person);
        let listed = (asking.listed)();
        self.tell(match parsed.text("which") {
            Some("mine") => {
                let mine: Vec<_> = listed.iter().filter(mine).cloned().collect();
                view::list(&mine, Some(true), asking.desk)
            }
            Some("closed") => view::list(&listed, Some(false), asking.desk),
            Some("all") => view::list(&listed, None, asking.desk),
            _ => view::list(&listed, Some(true), asking.desk),
        })
    }

    pub(super) fn help(&self, parsed: &Parsed, asking: &Asking<'_>) -> Act {
        let (topic, command) = (parsed.text("topic"), &self.view.command);
        let text = match asking.picks {
            true => orderly_commands::help_picked(topic, command),
            false => orderly_commands::help(topic, command),
        };
        self.tell(view::help(&self.view, &text))
    }

    pub(super) fn show_runbook(&self, parsed: &Parsed, asking: &Asking<'_>) -> Result<Act, Refusal> {
        let used = asking.incident.map(|state| state.opening.plan.name.clone());
        let Some(name) = parsed.text("runbook").map(str::to_owned).or(used) else {
            return Err(
                Refusal::new("Which runbook? `/runbook list` names them.").offer("List them", "runbook list")
            );
        };
        let Some(text) = self.offers.runbook_text(&name) else {
            let known: Vec<_> = self.offers.runbooks().into_iter().map(|(name, _)| name).collect();
            return Err(Refusal::unknown("runbook", name, &known).at("runbook"));
        };
        let mut blocks = vec![Block::Header {
            text: format!("Runbook {name}"),
        }];
        let followed = asking.incident.map(|state| &state.opening);
        let followed = followed.filter(|opening| opening.plan.name == name);
        let now = self.offers.plan(&name).map(|plan| plan.digest);
        if let Some(opening) = followed.filter(|opening| Some(&opening.plan.digest) != now.as_ref()) {
            blocks.push(Block::Text {
                text: view::ours(
                    &format!(
                        "This file was changed since. {} follows the version it started with: `/steps` shows what counts there, \
                         and `/runbook use {name}` takes this one.",
                        opening.number
                    ),
                    &self.view.command,
                ),
            });
        }
        blocks.push(Block::Code { text, diff: false });
        Ok(self.tell(Message {
            fallback: format!("Runbook {name}"),
            blocks,
        }))
    }

    fn answers<'a>(
        &self,
        parsed: &Parsed,
        state: &'a State,
    ) -> Result<Vec<&'a crate::incident::Run>, Refusal> {
        let probe = parsed.text("probe").unwrap_or_default();
        let target = parsed.text("target");
        let runs: Vec<_> = state
            .runs
            .values()
            .filter(|run| run.asked.probe == probe && target.is_none_or(|target| run.asked.target == target))
            .filter(|run| run.answer.is_some())
            .collect();
        if runs.is_empty() {
            return Err(
                Refusal::new(format!("{probe} has not answered yet in this incident."))
                    .offer("Ask it", format!("probe run {probe}")),
            );
        }
        Ok(runs)
    }

    fn show_probe(&self, parsed: &Parsed, state: &State) -> Result<Message, Refusal> {
        let runs = self.answers(parsed, state)?;
        let Some(last) = runs.last() else {
            return Ok(Message::default());
        };
        Ok(view::answered(state, last))
    }

    /// The last two answers of the same probe on the same target, as a diff.
    fn compare(&self, parsed: &Parsed, state: &State) -> Result<Message, Refusal> {
        let runs = self.answers(parsed, state)?;
        let last = runs.last();
        let before = last.and_then(|last| {
            runs.iter()
                .rev()
                .skip(1)
                .find(|run| run.asked.target == last.asked.target)
        });
        match (before, last) {
            (Some(before), Some(last)) => Ok(view::compared(before, last)),
            _ => Err(
                Refusal::new("There is only one answer so far; there is nothing to compare it with.").offer(
                    "Ask it again",
                    format!("probe run {}", parsed.text("probe").unwrap_or_default()),
                ),
            ),
        }
    }
}

/// So that a plain text answer is one call away.
impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self {
            fallback: text.to_owned(),
            blocks: vec![Block::Text {
                text: Rich::from(text),
            }],
        }
    }
}
