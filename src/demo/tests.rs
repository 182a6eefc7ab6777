//! The demo as it is lived: the guide leads a real incident through the real shop, over the real catalog.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use orderly_commands::{Parsed, parse};
use tempfile::TempDir;

use super::{CATALOG, PEOPLE, Shop, TARGET, config, guide};
use crate::catalog::{Catalog, When};
use crate::clock::{Clock, ManualClock};
use crate::driver::http::Http;
use crate::driver::systems::Systems;
use crate::incident::{
    By, Conclusion, Effect, Frame, IncidentId, Life, Line, Moment, Opening, Params, PersonId, Phase,
    ProbeRequest, ProbeRunId, ProposalId, Recorded, RecoveryItem, Request, Role, Section, Standing, State,
    StepKind, Surroundings, Trouble, Way, carry_out, react,
};
use crate::runbook::Shelf;

/// The bot without its rooms: the core decides, the real systems answer.
struct House {
    _shop: Shop,
    clock: ManualClock,
    systems: Systems,
    around: Surroundings,
    state: Option<State>,
    _dir: TempDir,
}

async fn house() -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = ManualClock::at("2026-05-04T08:00:00Z".parse().expect("a time"));
    let dir = tempfile::tempdir().expect("a folder");
    let shop = Shop::start(dir.path(), Arc::new(clock.clone()), Duration::from_secs(5))
        .await
        .expect("an open shop");
    let config = config(&shop.url()).expect("the demo's config");
    let targets = config.targets(&|_| None).targets;
    let (path, text) = CATALOG;
    let catalog = Catalog::load(&[(path.into(), text.to_owned())]).expect("the demo's catalog");
    let http: Arc<dyn crate::driver::Driver> =
        Arc::new(Http::new(Arc::new(clock.clone())).expect("a client"));
    let drivers = BTreeMap::from([("http".to_owned(), http)]);
    let systems = Systems::new(catalog, targets, drivers, Arc::new(str::to_owned));
    let standing = |person: &crate::config::Person| {
        let standing = Standing {
            name: person.id.clone(),
            roles: person.roles.iter().copied().collect(),
            may_command: true,
        };
        (PersonId::new(&person.id), standing)
    };
    let around = Surroundings {
        people: config.person.iter().map(standing).collect(),
        entries: systems.entries(),
        ..Surroundings::default()
    };
    House {
        _shop: shop,
        clock,
        systems,
        around,
        state: None,
        _dir: dir,
    }
}

impl House {
    fn state(&self) -> &State {
        self.state.as_ref().expect("an incident")
    }

    fn when(&self) -> When {
        let onset = self
            .state
            .as_ref()
            .and_then(|state| state.moments.get(&Moment::Onset));
        When::new(onset.map(|onset| onset.at), self.clock.now())
    }

    fn decide(&mut self, by: &By, request: &Request) -> Result<Vec<Recorded>, String> {
        let now = self.clock.now();
        carry_out(&mut self.state, by, request, now, &self.around).map_err(|refusal| refusal.words)
    }

    /// Decides, and does what follows from it until nothing more follows.
    async fn carry(&mut self, by: By, request: Request) -> Result<(), String> {
        let mut waiting = vec![(by, request)];
        while let Some((by, request)) = waiting.pop() {
            for recorded in self.decide(&by, &request)? {
                for effect in react(self.state(), &recorded) {
                    if let Some(result) = self.perform(&effect).await {
                        waiting.insert(0, (By::Orderly, result));
                    }
                }
            }
        }
        Ok(())
    }

    async fn perform(&self, effect: &Effect) -> Option<Request> {
        let state = self.state();
        match effect {
            Effect::AskProbe { run } => {
                let asked = &state.runs[run].asked;
                let when = self.when();
                let asking = self
                    .systems
                    .ask_again(&asked.probe, &asked.target, &asked.params, &when);
                let answer = asking.await.0;
                Some(Request::AnswerProbe { run: *run, answer })
            }
            Effect::Preview { proposal } => {
                let preview = self.systems.preview(&state.proposals[proposal].terms).await;
                let preview = Box::new(preview.expect("a preview"));
                Some(Request::Previewed {
                    proposal: *proposal,
                    preview,
                })
            }
            Effect::Attempt { attempt } => {
                let approved = state.approved(*attempt)?;
                let terms = &state.proposals[&state.attempts[attempt]].terms;
                let outcome = self.systems.attempt(&approved, terms).await;
                Some(Request::EndAttempt {
                    attempt: *attempt,
                    outcome,
                })
            }
            _ => None,
        }
    }

    /// Types a line as a person, as the bot would understand it.
    async fn typed(&mut self, who: &str, line: &str) -> Result<(), String> {
        let parsed = parse(line).map_err(|error| error.to_string())?;
        let request = self.meant(&parsed);
        let by = By::Person {
            id: PersonId::new(who),
        };
        self.clock.advance(TimeDelta::seconds(1));
        self.carry(by, request).await
    }

    fn probes(&self, only: Option<&str>) -> Request {
        let state = self.state();
        let open = state.open_steps().into_iter();
        let probes = open
            .filter(|step| only.is_none_or(|id| step.id == id))
            .filter_map(|step| match &step.kind {
                StepKind::Probe { name, params, .. } => {
                    let call = self
                        .systems
                        .resolve_probe(name, None, params, &self.when())
                        .expect("a probe of the catalog");
                    Some(ProbeRequest {
                        probe: call.probe,
                        target: call.target,
                        params: call.params,
                        step: Some(step.id.clone()),
                    })
                }
                _ => None,
            });
        Request::AskProbes {
            probes: probes.collect(),
        }
    }

    /// The commands of the guide, and no others.
    fn meant(&self, line: &Parsed) -> Request {
        let text = |name: &str| line.text(name).map(str::to_owned);
        let said = |name: &str| text(name).unwrap_or_default();
        let number = |name: &str| u32::try_from(line.number(name).unwrap_or_default()).expect("small");
        match line.path {
            "open" => self.opening(line),
            "role take" => Request::TakeRole {
                role: Role::from_word(&said("role")).expect("a role"),
                person: PersonId::new("ana"),
            },
            "probe run" => self.probes(None),
            "step run" => self.probes(line.text("step")),
            "frame" => Request::Frame {
                frame: Frame {
                    trouble: Trouble::from_word(&said("what")),
                    what: text("detail"),
                    works: text("works"),
                    who: text("who"),
                    impact: text("impact"),
                    since: line
                        .when("since")
                        .map(|_| self.clock.now() - TimeDelta::minutes(2)),
                },
            },
            "damage" => Request::AssessDamage {
                ongoing: said("answer") == "yes",
                detail: text("detail"),
            },
            "action propose" => {
                let params: Params = line
                    .params("params")
                    .iter()
                    .map(|(k, v)| (k.clone(), v.as_str().into()))
                    .collect();
                let terms = self
                    .systems
                    .resolve_action(&said("action"), line.text("target"), &params, &self.when())
                    .expect("an action of the catalog");
                Request::Propose {
                    terms: Box::new(terms),
                    reason: said("reason"),
                }
            }
            "action approve" => Request::Approve {
                proposal: ProposalId(number("proposal")),
                digest: None,
                reason: None,
            },
            "action undo" => {
                let undone = ProposalId(number("proposal"));
                let proposal = &self.state().proposals[&undone];
                let preview = &proposal.stage.shown().expect("a preview").preview;
                let terms = self.systems.resolve_undo(&proposal.terms, preview, &self.when());
                let mut terms = terms.expect("fits").expect("undoable");
                terms.undoes = Some(undone);
                Request::Propose {
                    terms: Box::new(terms),
                    reason: said("reason"),
                }
            }
            _ => self.meant_later(line),
        }
    }

    fn meant_later(&self, line: &Parsed) -> Request {
        let text = |name: &str| line.text(name).map(str::to_owned);
        let said = |name: &str| text(name).unwrap_or_default();
        let number = |name: &str| u32::try_from(line.number(name).unwrap_or_default()).expect("small");
        match line.path {
            "finding add" => Request::RecordFinding {
                line: Line::from_word(&said("line")).expect("a line"),
                conclusion: Conclusion::from_word(&said("verdict")).expect("a conclusion"),
                text: said("text"),
                evidence: line
                    .numbers("evidence")
                    .iter()
                    .map(|run| ProbeRunId(*run as u32))
                    .collect(),
            },
            "finding accept" => Request::AcceptCause {
                finding: crate::incident::FindingId(number("finding")),
            },
            "next" => Request::Next { reason: None },
            "decide" => Request::Decide {
                way: Way::from_word(&said("way")).expect("a way"),
                reason: said("reason"),
                facts: text("facts").into_iter().collect(),
            },
            "step answer" => Request::AnswerStep {
                step: said("step"),
                answer: said("text"),
            },
            "recovery check" => Request::CheckRecovery {
                item: RecoveryItem::from_word(&said("item")).expect("an item"),
                passed: said("result") == "passed",
                count: line.number("count").map(|count| count as u64),
                detail: text("detail"),
            },
            "recovery keep" => Request::WaiveChange {
                change: crate::incident::ChangeId(number("change")),
                reason: said("reason"),
            },
            "recovery reconcile" => Request::ReconcileChange {
                change: crate::incident::ChangeId(number("change")),
                reference: said("reference"),
            },
            "followup add" => Request::AddFollowup {
                text: said("text"),
                owner: line.text("owner").map(PersonId::new),
                due: None,
                tracker: None,
                source: None,
            },
            "postmortem edit" => Request::WriteSection {
                section: Section::from_word(&said("section")).expect("a section"),
                text: said("text"),
            },
            "postmortem export" => Request::RecordExport {
                format: said("format"),
                as_of: self.state().seq,
                sha256: String::new(),
            },
            other => panic!("the guide uses `{other}`, which this test does not know"),
        }
    }

    fn opening(&self, line: &Parsed) -> Request {
        let runbook = line.text("runbook").expect("a runbook");
        let shelf = Shelf::demo();
        let plan = shelf.get(runbook).expect("the demo's runbook").plan.clone();
        let opening = Opening {
            number: IncidentId(1),
            title: line.text("title").expect("a title").to_owned(),
            severity: crate::incident::Severity::Sev2,
            process: crate::incident::Process::from_word(line.text("process").expect("a process"))
                .expect("known"),
            targets: line.list("target").to_vec(),
            private: false,
            drill: false,
            retroactive: false,
            asked_in: None,
            plan,
            chosen_because: "named".to_owned(),
            catalog: self.systems.catalog().digest(),
            settings: Default::default(),
        };
        Request::Open {
            opening: Box::new(opening),
            frame: Frame::default(),
            detected: None,
        }
    }
}

#[tokio::test]
async fn the_guide_leads_from_the_first_line_to_the_post_mortem_without_a_detour() {
    let mut house = house().await;
    let mut walked = Vec::new();
    loop {
        let shown = guide::shown(house.state.as_ref());
        let Some(step) = shown.iter().find(|step| step.current) else {
            break;
        };
        assert!(
            !walked.contains(&step.id),
            "`{}` is still asked for after it was typed",
            step.id
        );
        house
            .typed(step.who, &step.line)
            .await
            .unwrap_or_else(|refused| panic!("{}: `{}` was refused: {refused}", step.who, step.line));
        walked.push(step.id);
        if step.id == "export" {
            break;
        }
    }
    let all: Vec<_> = guide::steps().iter().map(|step| step.id).collect();
    assert_eq!(walked, all);
    let state = house.state();
    assert_eq!((state.phase, &state.life), (Phase::Learn, &Life::Resolved));
    let records = house
        .systems
        .ask_again("demo.wrong_records", TARGET, &Params::new(), &house.when())
        .await
        .0;
    assert!(records.summary.starts_with("0 of "), "{}", records.summary);
}

#[tokio::test]
async fn the_containment_of_the_guide_really_stops_the_damage_and_its_undo_starts_the_job_again() {
    let mut house = house().await;
    let running = async |house: &House| {
        let jobs = house
            .systems
            .ask_again("demo.jobs", TARGET, &Params::new(), &house.when())
            .await
            .0;
        jobs.summary
    };
    walk(&mut house, "pause").await;
    assert!(
        running(&house).await.contains("import-prices runs"),
        "nothing is sent before an approval"
    );
    walk(&mut house, "approve-pause").await;
    assert!(running(&house).await.contains("import-prices is paused"));
    walk(&mut house, "approve-rollback").await;
    assert!(
        running(&house).await.contains("import-prices is paused"),
        "a rollback resumes nothing"
    );
    walk(&mut house, "approve-undo").await;
    assert!(running(&house).await.contains("import-prices runs"));
}

/// Follows the guide up to and including a step.
async fn walk(house: &mut House, upto: &str) {
    loop {
        let shown = guide::shown(house.state.as_ref());
        let step = shown.iter().find(|step| step.current).expect("a next step");
        house
            .typed(step.who, &step.line)
            .await
            .unwrap_or_else(|refused| panic!("{}: {refused}", step.line));
        if step.id == upto {
            return;
        }
    }
}

#[tokio::test]
async fn the_guide_shows_the_proposal_that_stands_after_one_was_refused() {
    let mut house = house().await;
    walk(&mut house, "pause").await;
    let refuse = Request::Refuse {
        proposal: ProposalId(1),
        reason: "not yet".to_owned(),
    };
    let ben = By::Person {
        id: PersonId::new("ben"),
    };
    house.carry(ben, refuse).await.expect("refused");
    let shown = guide::shown(house.state.as_ref());
    assert_eq!(
        shown.iter().find(|step| step.current).map(|step| step.id),
        Some("pause"),
        "propose it again"
    );
    walk(&mut house, "pause").await;
    let shown = guide::shown(house.state.as_ref());
    let approve = shown.iter().find(|step| step.current).expect("a next step");
    assert_eq!((approve.who, approve.line.as_str()), ("ben", "approve A2"));
}

#[tokio::test]
async fn going_back_brings_the_steps_of_that_phase_back() {
    let mut house = house().await;
    walk(&mut house, "to-decide").await;
    let back = Request::Back {
        to: Phase::Triage,
        reason: "look again".to_owned(),
    };
    house
        .carry(
            By::Person {
                id: PersonId::new("ana"),
            },
            back,
        )
        .await
        .expect("back");
    let shown = guide::shown(house.state.as_ref());
    assert_eq!(
        shown.iter().find(|step| step.current).map(|step| step.id),
        Some("to-decide")
    );
}

#[test]
fn every_line_of_the_guide_is_a_command_of_the_table() {
    for step in guide::shown(None) {
        let parsed = parse(&step.line).unwrap_or_else(|error| panic!("{}: {error}", step.line));
        assert!(!parsed.path.is_empty(), "{}", step.line);
        assert!(PEOPLE.contains(&step.who), "{} is nobody of the demo", step.who);
    }
}

#[test]
fn nobody_in_the_guide_approves_what_they_proposed() {
    let mut proposer = "";
    for step in guide::steps() {
        let line = step.line(None);
        match line.split(' ').next() {
            Some("propose" | "undo") => proposer = step.who,
            Some("approve") => assert_ne!(step.who, proposer, "{line}"),
            _ => {}
        }
    }
}

#[test]
fn the_steps_of_the_guide_stand_in_the_order_of_the_phases() {
    let ids: BTreeSet<_> = guide::steps().iter().map(|step| step.id).collect();
    assert_eq!(ids.len(), guide::steps().len(), "ids are unique");
    assert!(guide::steps().is_sorted_by_key(|step| step.phase));
}

#[test]
fn the_demo_s_config_labels_its_target_and_lets_ana_s_actions_be_approved() {
    let config = config("http://127.0.0.1:4711").expect("a config");
    assert_eq!(config.warnings(), Vec::<String>::new());
    let targets = config.targets(&|_| None);
    assert!(targets.problems.is_empty());
    let shop = &targets.targets[0];
    assert_eq!(
        (shop.name.as_str(), shop.kind.as_str(), shop.tenant.as_deref()),
        (TARGET, "demo", Some("DEMO"))
    );
    assert!(shop.action.is_some());
}
