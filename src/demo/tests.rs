//! The demo as it is lived: the guide leads a real incident through the whole bot and the real shop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use orderly_commands::parse;
use tempfile::TempDir;

use super::guide::{self, Shown};
use super::{CATALOG, PEOPLE, Shop, TARGET, config};
use crate::app::{App, Files, Keeping};
use crate::catalog::Catalog;
use crate::chat::local::Body;
use crate::chat::{Block, Delivery, Incoming, Intake, local};
use crate::clock::{Clock, ManualClock};
use crate::incident::{IncidentId, Life, Phase, RoomRef, State};
use crate::runbook::Shelf;
use crate::web::{Guide as _, Turn};

/// Far more than a probe on loopback takes on a busy machine; past it, what is waited for never comes.
const LONGEST: Duration = Duration::from_secs(20);

struct Demo {
    app: App,
    clock: ManualClock,
    typed: u32,
    // Both are kept alive for the time of the test.
    _shop: Shop,
    _dir: TempDir,
}

async fn demo() -> Demo {
    // The program does so first of all; here another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = ManualClock::at("2026-05-04T08:00:00Z".parse().expect("a time"));
    let dir = tempfile::tempdir().expect("a folder");
    let shop = Shop::start(dir.path(), Arc::new(clock.clone()), Duration::from_secs(5))
        .await
        .expect("an open shop");
    let config = config(&shop.url()).expect("the demo's config");
    let files = Files {
        catalog: Catalog::load(&[(CATALOG.0.into(), CATALOG.1.to_owned())]).expect("the demo's catalog"),
        shelf: Shelf::demo(),
        ..Files::read(config).expect("the demo's files")
    };
    let app = App::open(files, &Keeping::Memory, Arc::new(clock.clone()))
        .await
        .expect("an app");
    app.start().await.expect("started");
    Demo {
        app,
        clock,
        typed: 0,
        _shop: shop,
        _dir: dir,
    }
}

impl Demo {
    async fn state(&self) -> Option<std::sync::Arc<State>> {
        self.app.engine.state(IncidentId(1)).await.expect("a journal")
    }

    async fn guide(&self) -> Vec<Shown> {
        guide::shown(self.state().await.as_deref())
    }

    async fn now(&self) -> Shown {
        let guide = self.guide().await;
        guide.into_iter().find(|step| step.current).expect("a next step")
    }

    /// Types a line as somebody, in any room; the words of a refusal come back.
    async fn types(&mut self, who: &str, line: &str) -> Result<(), String> {
        self.clock.advance(TimeDelta::seconds(1));
        self.typed += 1;
        let text = match self.state().await {
            Some(_) => format!("INC-1 {line}"),
            None => line.to_owned(),
        };
        let room = RoomRef {
            platform: "local".to_owned(),
            workspace: "local".to_owned(),
            room: "lobby".to_owned(),
        };
        let delivery = Delivery {
            key: format!("typed-{}", self.typed),
            subject: None,
            received: self.clock.now(),
            incoming: Incoming::Command {
                from: local::identity(who),
                room,
                thread: None,
                text,
                trigger: None,
            },
        };
        let taken = self
            .app
            .engine
            .take(delivery)
            .await
            .map_err(|refused| refused.to_string())?;
        let verdict = self
            .app
            .engine
            .decided(taken.expect("addressed to the bot"))
            .await;
        match verdict.accepted {
            true => Ok(()),
            false => Err(verdict.message.fallback),
        }
    }

    /// Types what the guide says, and waits until the guide sees it done.
    async fn follow(&mut self, step: &Shown) {
        if let Err(refused) = self.types(&step.who, &step.line).await {
            panic!("{}: `{}` was refused: {refused}", step.who, step.line);
        }
        let done = async {
            while step.id != "export" && !self.guide().await[step.number - 1].done {
                self.app.engine.quiet().await;
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(LONGEST, done).await.is_err() {
            panic!(
                "`{}` was typed, and the guide still asks for it: {:#?}",
                step.line,
                self.state().await
            );
        }
    }

    /// Follows the guide up to and including a step; the ids of the steps it went.
    async fn walk(&mut self, upto: &str) -> Vec<&'static str> {
        let mut walked = Vec::new();
        loop {
            let step = self.now().await;
            self.follow(&step).await;
            walked.push(step.id);
            if step.id == upto {
                return walked;
            }
        }
    }

    /// What the pinned card says of the damage.
    async fn damage(&self) -> String {
        self.app.engine.quiet().await;
        let room = &self.state().await.expect("an incident").rooms[0].at.room;
        let card = self.app.chat.pinned(room).await.expect("a room").expect("a card");
        let Body::Bot(card) = card.body else {
            panic!("a card is the bot's");
        };
        let fields = card.blocks.into_iter().find_map(|block| match block {
            Block::Fields { fields } => Some(fields),
            _ => None,
        });
        let mut fields = fields.expect("fields").into_iter();
        let damage = fields
            .find(|(name, _)| name == "Damage")
            .expect("a word about damage");
        damage.1.plain()
    }

    /// Types what the guide says, once it says it under this title.
    async fn takes_the_detour(&mut self, title: &str) {
        let led = async {
            loop {
                self.app.engine.quiet().await;
                let step = self.now().await;
                if step.title == title {
                    return step;
                }
                tokio::task::yield_now().await;
            }
        };
        let Ok(step) = tokio::time::timeout(LONGEST, led).await else {
            panic!("the guide says {:?} instead of `{title}`", self.now().await);
        };
        assert!(step.detour, "{step:?}");
        if let Err(refused) = self.types(&step.who, &step.line).await {
            panic!("{}: `{}` was refused: {refused}", step.who, step.line);
        }
        self.app.engine.quiet().await;
    }

    /// What the shop's jobs do, as the probe sees it.
    async fn jobs(&self) -> String {
        let shop = self.app.joined.systems().target(TARGET).expect("the shop");
        let answer = reqwest::get(format!("{}/jobs", shop.probe.url.trim_end_matches('/')));
        answer.await.expect("an answer").text().await.expect("text")
    }
}

#[tokio::test]
async fn the_guide_leads_from_the_first_line_to_the_post_mortem_without_a_detour() {
    let mut demo = demo().await;
    let walked = demo.walk("export").await;
    let all: Vec<_> = guide::steps().iter().map(|step| step.id).collect();
    assert_eq!(walked, all);
    let state = demo.state().await.expect("an incident");
    assert_eq!((state.phase, &state.life), (Phase::Learn, &Life::Resolved));
    let overridden = state
        .passages
        .iter()
        .filter(|passage| matches!(passage.passage, crate::incident::Passage::Override { .. }));
    assert_eq!(overridden.count(), 0, "every gate held by itself");
}

#[tokio::test]
async fn the_containment_of_the_guide_really_stops_the_job_and_its_undo_starts_it_again() {
    let mut demo = demo().await;
    let runs = r#""name":"import-prices","running":true"#;
    demo.walk("pause").await;
    assert!(
        demo.jobs().await.contains(runs),
        "nothing is sent before an approval"
    );
    demo.walk("approve-pause").await;
    assert!(!demo.jobs().await.contains(runs));
    demo.walk("approve-rollback").await;
    assert!(!demo.jobs().await.contains(runs), "a rollback resumes nothing");
    let view = crate::view::View {
        command: "incident".to_owned(),
        room_name: Arc::new(|state| state.opening.title.clone()),
    };
    let listed =
        |state: &State| serde_json::to_string(&crate::view::actions(&view, state)).expect("a message");
    let open = demo.state().await.expect("open");
    assert!(
        listed(&open).contains("containment in force since"),
        "{}",
        listed(&open)
    );
    demo.walk("approve-undo").await;
    let undone = demo.state().await.expect("open");
    assert!(
        listed(&undone).contains("containment lifted: undone by"),
        "{}",
        listed(&undone)
    );
    assert!(demo.jobs().await.contains(runs));
}

#[tokio::test]
async fn the_guide_shows_the_proposal_that_stands_after_one_was_refused() {
    let mut demo = demo().await;
    demo.walk("pause").await;
    demo.types("ben", "refuse A1 not yet").await.expect("refused");
    assert_eq!(demo.now().await.id, "pause", "it is proposed again");
    demo.walk("pause").await;
    let approve = demo.now().await;
    assert_eq!(
        (approve.who.as_str(), approve.line.as_str()),
        ("ben", "approve A2")
    );
}

#[tokio::test]
async fn somebody_who_strays_is_led_back_and_reaches_the_end() {
    let mut demo = demo().await;
    demo.types(
        "ana",
        "open The shop is odd target=shop runbook=production-incident",
    )
    .await
    .expect("another runbook");
    demo.takes_the_detour("Take the shop's runbook").await;
    demo.walk("jobs").await;

    // Ben proposes what only Ben could approve; somebody else pauses the wrong job.
    demo.types(
        "ben",
        "propose http.job.pause shop job=import-prices reason=\"it writes\"",
    )
    .await
    .expect("a proposal");
    demo.takes_the_detour("Take the proposal back").await;
    demo.types(
        "cleo",
        "propose http.job.pause shop job=ship-orders reason=\"why not\"",
    )
    .await
    .expect("a proposal");
    demo.app.engine.quiet().await;
    assert_eq!(demo.now().await.id, "pause", "the wrong job contains nothing");
    demo.walk("pause").await;
    assert_eq!(demo.now().await.line, "approve A3");

    // The command goes to Ben, who then decides. Ana's job is done all the same.
    demo.walk("to-decide").await;
    demo.types("ana", "handover @ben commander I sleep")
        .await
        .expect("handed over");
    let decide = demo.now().await;
    assert_eq!((decide.id, decide.who.as_str()), ("decide", "ben"));
    demo.walk("reconcile").await;
    demo.takes_the_detour("Take back what nobody needs").await;
    demo.walk("export").await;
    let state = demo.state().await.expect("an incident");
    assert_eq!((state.phase, &state.life), (Phase::Learn, &Life::Resolved));
}

#[tokio::test]
async fn what_is_approved_is_not_asked_for_again() {
    let mut demo = demo().await;
    demo.walk("pause").await;
    demo.types("cleo", "freeze shop a restore is running")
        .await
        .expect("frozen");
    demo.types("ben", "approve A1").await.expect("approved");
    demo.app.engine.quiet().await;
    let held = demo.now().await;
    assert_eq!(
        (held.title, held.line.as_str()),
        ("Approved, and held", "action show A1")
    );
    assert!(held.why.contains("a restore is running"), "{}", held.why);
}

#[tokio::test]
async fn who_passed_over_the_command_takes_it_before_deciding() {
    let mut demo = demo().await;
    demo.walk("to-decide").await;
    demo.types("ana", "release commander").await.expect("put down");
    demo.takes_the_detour("Take command").await;
    assert_eq!(demo.now().await.id, "decide");
}

#[tokio::test]
async fn the_page_of_the_demo_says_the_true_next_line_wherever_somebody_looks() {
    let mut demo = demo().await;
    let guide = demo.app.guide();
    let lobby = local::room_ref("lobby");
    let says = async |room: &RoomRef| {
        let steps = guide.steps(room).await;
        let now = steps.into_iter().find(|step| step.turn == Turn::Now);
        now.expect("a step to do").command.expect("a line")
    };
    assert!(says(&lobby).await.starts_with("/incident open "));
    demo.walk("pause").await;
    demo.types("ben", "refuse A1 not yet").await.expect("refused");
    demo.walk("pause").await;
    let state = demo.state().await.expect("an incident");
    let room = &state.rooms.first().expect("a room").at;
    assert_eq!(says(room).await, "/incident approve A2");
    assert_eq!(says(&lobby).await, "/incident INC-1 approve A2");

    demo.types("ana", "withdraw A2").await.expect("taken back");
    demo.types("ana", "cancel it was only practice")
        .await
        .expect("taken back");
    assert!(
        says(&lobby).await.starts_with("/incident open "),
        "it begins anew"
    );
}

#[tokio::test]
async fn the_card_says_what_is_true_of_the_damage_all_along() {
    let mut demo = demo().await;
    demo.walk("damage").await;
    assert_eq!(demo.damage().await, "going on");
    demo.walk("approve-pause").await;
    assert_eq!(demo.damage().await, "stopped 2026-05-04 08:00 UTC, A1 verified");
    demo.walk("approve-undo").await;
    assert_eq!(demo.damage().await, "stopped; A1 was lifted 2026-05-04 08:00 UTC");
}

#[tokio::test]
async fn containment_that_somebody_lifted_by_hand_is_said_to_the_room() {
    let mut demo = demo().await;
    demo.walk("approve-pause").await;
    let refused = demo.types("cleo", "lift A1 I started it again").await;
    assert!(refused.expect_err("not hers").contains("Only the commander"));
    demo.types("ana", "lift A1 started again on the shop's own page")
        .await
        .expect("the commander says so");
    assert_eq!(
        demo.damage().await,
        "going on again since 2026-05-04 08:00 UTC, A1 was lifted"
    );
    assert!(
        demo.types("ana", "undo A1").await.is_err(),
        "there is nothing to undo"
    );
}

#[tokio::test]
async fn who_the_guide_says_cannot_approve_really_cannot() {
    let mut demo = demo().await;
    demo.walk("pause").await;
    let own = demo.types("ana", "approve A1").await.expect_err("her own");
    assert!(own.contains("You proposed A1"), "{own}");
    let role = demo.types("cleo", "approve A1").await.expect_err("no approver");
    assert!(role.contains("needs the approver role"), "{role}");
}

#[tokio::test]
async fn going_back_brings_the_steps_of_that_phase_back() {
    let mut demo = demo().await;
    demo.walk("to-decide").await;
    demo.types("ana", "back triage look again").await.expect("back");
    assert_eq!(demo.now().await.id, "to-decide");
}

#[test]
fn every_line_of_the_guide_is_a_command_of_the_table() {
    for step in guide::shown(None) {
        let parsed = parse(&step.line).unwrap_or_else(|error| panic!("{}: {error}", step.line));
        assert!(!parsed.path.is_empty(), "{}", step.line);
        assert!(
            PEOPLE.contains(&step.who.as_str()),
            "{} is nobody of the demo",
            step.who
        );
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
fn the_demo_s_config_labels_its_target_and_its_people_can_approve() {
    let config = config("http://127.0.0.1:4711").expect("a config");
    let targets = config.targets(&|_| None);
    assert!(targets.problems.is_empty());
    let shop = &targets.targets[0];
    assert_eq!(
        (shop.name.as_str(), shop.kind.as_str(), shop.tenant.as_deref()),
        (TARGET, "demo", Some("DEMO"))
    );
    assert!(shop.action.is_some());
    let ids: Vec<_> = config.person.iter().map(|person| person.id.as_str()).collect();
    assert_eq!(ids, PEOPLE);
}
