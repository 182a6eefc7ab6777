//! What the catalog, the shelf and the config offer to people.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::Files;
use crate::catalog::{self, Catalog, When};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::driver::systems::Systems;
use crate::inbox::Offers;
use crate::incident::{
    Containment, Moment, Objectives, Params, Plan, ProbeRequest, Process, Proposal, ProposalId, Refusal,
    RoomSettings, Settings, Severity, State, Terms,
};
use crate::postmortem::Templates;
use crate::runbook::{Hints, ParamInfo, Shelf};
use crate::timeline::titled;

/// Files and systems, joined for the engine and the inbox.
pub struct Joined {
    pub(super) systems: Systems,
    pub(super) config: Config,
    pub(super) shelf: Shelf,
    pub(super) templates: Templates,
    pub(super) clock: Arc<dyn Clock>,
}

impl Joined {
    pub(super) fn new(files: Files, systems: Systems, clock: Arc<dyn Clock>) -> Self {
        let Files {
            config,
            shelf,
            templates,
            ..
        } = files;
        Self {
            systems,
            shelf: shelf.citing(&config.command),
            config,
            templates,
            clock,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn systems(&self) -> &Systems {
        &self.systems
    }

    fn when(&self, state: &State) -> When {
        When::new(
            state.moments.get(&Moment::Onset).map(|onset| onset.at),
            self.clock.now(),
        )
    }

    /// The target meant: the one named, else the incident's own if exactly one of those fits, else the only one that fits.
    fn target<'a>(&self, named: Option<&'a str>, kinds: &[String], state: &'a State) -> Option<&'a str> {
        if named.is_some() {
            return named;
        }
        let fits = |name: &&String| {
            self.systems
                .target(name)
                .is_some_and(|target| kinds.contains(&target.kind))
        };
        let mut own = state.targets.iter().filter(fits);
        match (own.next(), own.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}

fn values(params: &BTreeMap<String, String>) -> Params {
    params
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::Value::String(value.clone())))
        .collect()
}

/// A problem of the catalog in words for the person who typed.
fn refused(problem: catalog::Problem) -> Refusal {
    Refusal::naming(titled(&problem.to_string()))
}

impl Offers for Joined {
    fn probe(
        &self,
        name: &str,
        target: Option<&str>,
        params: &BTreeMap<String, String>,
        state: &State,
    ) -> Result<ProbeRequest, Refusal> {
        let catalog = self.systems.catalog();
        let kinds = catalog
            .probe(name)
            .map(|entry| entry.raw.targets.clone())
            .unwrap_or_default();
        let target = self.target(target, &kinds, state);
        let call = self
            .systems
            .resolve_probe(name, target, &values(params), &self.when(state))
            .map_err(refused)?;
        Ok(ProbeRequest {
            probe: call.probe,
            target: call.target,
            params: call.params,
            step: None,
        })
    }

    fn action(
        &self,
        name: &str,
        target: Option<&str>,
        params: &BTreeMap<String, String>,
        state: &State,
    ) -> Result<Terms, Refusal> {
        let catalog = self.systems.catalog();
        let kinds = catalog
            .action(name)
            .map(|entry| entry.raw.targets.clone())
            .unwrap_or_default();
        let target = self.target(target, &kinds, state);
        let mut terms = self
            .systems
            .resolve_action(name, target, &values(params), &self.when(state))
            .map_err(refused)?;
        // Where the entry says nothing of its own, the operator's policy for the risk holds.
        if catalog
            .action(name)
            .is_some_and(|entry| entry.raw.policy.is_none())
        {
            terms.policy = self.config.policy(terms.risk);
        }
        Ok(terms)
    }

    fn undo(&self, proposal: &Proposal) -> Result<Terms, Refusal> {
        let Some(shown) = proposal.stage.shown() else {
            return Err(Refusal::new(format!(
                "{} was never shown, so there is nothing to undo.",
                proposal.id
            )));
        };
        let when = When::new(None, self.clock.now());
        let undo = self
            .systems
            .resolve_undo(&proposal.terms, &shown.preview, &when)
            .map_err(refused)?;
        let Some(mut terms) = undo else {
            let id = proposal.id;
            let stays = match proposal.containment {
                Some(Containment::InForce { .. }) => {
                    format!(", or accept that it stays, with a reason: `/action accept {id} …`")
                }
                _ => String::new(),
            };
            return Err(Refusal::new(format!(
                "{id} cannot be undone by Orderly. Do it by hand and note it with `/change`{stays}."
            )));
        };
        terms.undoes = Some::<ProposalId>(proposal.id);
        Ok(terms)
    }

    fn probes(&self) -> Vec<(String, String, String)> {
        let catalog = self.systems.catalog();
        catalog
            .probes()
            .filter_map(|entry| {
                let fits: Vec<_> = self
                    .systems
                    .targets()
                    .filter(|target| entry.raw.targets.contains(&target.kind))
                    .map(|target| target.name.clone())
                    .collect();
                (!fits.is_empty()).then(|| (entry.name.clone(), entry.raw.question.clone(), fits.join(", ")))
            })
            .collect()
    }

    fn actions(&self) -> Vec<(String, String)> {
        let catalog = self.systems.catalog();
        let fits = |kinds: &[String]| {
            self.systems
                .targets()
                .any(|target| target.action.is_some() && kinds.contains(&target.kind))
        };
        catalog
            .actions()
            .filter(|entry| fits(&entry.raw.targets))
            .map(|entry| (entry.name.clone(), entry.raw.title.clone()))
            .collect()
    }

    fn targets(&self) -> Vec<(String, String)> {
        // Also those that cannot be asked: an incident may well be about one.
        self.config
            .target
            .iter()
            .map(|target| {
                (
                    target.name.clone(),
                    format!("{} ({})", target.kind.word(), target.environment),
                )
            })
            .collect()
    }

    fn runbooks(&self) -> Vec<(String, String)> {
        self.shelf
            .list()
            .map(|runbook| (runbook.front.name.clone(), runbook.front.title.clone()))
            .collect()
    }

    fn plan(&self, name: &str) -> Option<Plan> {
        self.shelf.get(name).map(|runbook| runbook.plan.clone())
    }

    fn runbook_text(&self, name: &str) -> Option<String> {
        self.shelf.get(name).map(|runbook| runbook.source.clone())
    }

    fn choose(&self, process: Option<Process>, title: &str) -> (Plan, String) {
        let hints = Hints {
            process,
            title: title.to_owned(),
            ..Hints::default()
        };
        let choice = self.shelf.choose(&hints);
        let plan = self.plan(&choice.runbook).unwrap_or_else(|| Plan {
            name: choice.runbook.clone(),
            title: choice.runbook.clone(),
            digest: String::new(),
            phases: Vec::new(),
        });
        (plan, choice.why)
    }

    fn catalog_digest(&self) -> String {
        self.systems.catalog().digest()
    }

    fn settings(&self) -> Settings {
        let config = &self.config;
        let seconds = |period: Option<chrono::TimeDelta>| {
            // Switched off: a time nobody lives to see, so that the timer stands and is never due.
            const NEVER: u64 = 100 * 365 * 86_400;
            period
                .and_then(|period| u64::try_from(period.num_seconds()).ok())
                .unwrap_or(NEVER)
        };
        let default = Settings::default();
        let severities = [
            Severity::Sev1,
            Severity::Sev2,
            Severity::Sev3,
            Severity::Sev4,
            Severity::Sev5,
        ];
        Settings {
            update_every_s: severities.map(|severity| seconds(config.updates.of(severity))),
            nudge_after_s: seconds(config.nudge.roles_after.0),
            containment_every_s: seconds(config.containment.remind_every.0),
            ask_again_s: config
                .ask_again()
                .into_iter()
                .map(|again| seconds(Some(again)))
                .collect(),
            page_every_s: default.page_every_s,
            postmortem_due_s: severities
                .map(|severity| config.postmortem.due.of(severity).map(|due| seconds(Some(due)))),
            followup_due_s: Some(seconds(Some(config.followup.due.0))),
            rooms: RoomSettings {
                archive: config.room.archive_on_close,
                carry: config.room.carry_over,
                adopted_topic: config.room.adopted_topic,
                adopted_invite: config.room.adopted_invite,
            },
            objectives: objectives(config),
            command: Some(config.command.clone()),
        }
    }

    fn zone(&self) -> Tz {
        self.config.timezone.0
    }
}

fn objectives(config: &Config) -> BTreeMap<Process, Objectives> {
    let seconds = |period: chrono::TimeDelta| u64::try_from(period.num_seconds()).ok();
    let of = |process: &config::Objectives| Objectives {
        rto_s: seconds(process.rto.0),
        rpo_s: seconds(process.rpo.0),
    };
    let processes = config.process.iter();
    processes.map(|process| (process.name, of(process))).collect()
}

/// The catalog and the targets as a runbook's linter asks for them.
pub struct Vocabulary<'a> {
    pub catalog: &'a Catalog,
    /// `None`: no config at hand, so a target's name says nothing.
    pub targets: Option<Vec<String>>,
}

impl crate::runbook::Vocabulary for Vocabulary<'_> {
    fn probe(&self, name: &str) -> Option<Vec<ParamInfo>> {
        self.catalog.probe(name).map(|entry| infos(&entry.raw.params))
    }

    fn action(&self, name: &str) -> Option<Vec<ParamInfo>> {
        self.catalog.action(name).map(|entry| infos(&entry.raw.params))
    }

    fn probe_names(&self) -> Vec<String> {
        self.catalog.probe_names().map(str::to_owned).collect()
    }

    fn action_names(&self) -> Vec<String> {
        self.catalog.action_names().map(str::to_owned).collect()
    }

    fn target_exists(&self, name: &str) -> Option<bool> {
        self.targets
            .as_ref()
            .map(|targets| targets.iter().any(|target| target == name))
    }
}

fn infos(params: &BTreeMap<String, catalog::raw::Param>) -> Vec<ParamInfo> {
    params
        .iter()
        .map(|(name, param)| ParamInfo {
            name: name.clone(),
            required: catalog::params::is_required(param),
        })
        .collect()
}
