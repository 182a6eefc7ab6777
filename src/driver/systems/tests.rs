//! The manners of probes, and what stops an action before it begins.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Notify;

use super::*;
use crate::catalog::tests::{given, target, when};
use crate::driver::{Limits, Reading};
use crate::incident::{Operation, Verdict};

/// A driver that answers when it is let, and counts.
#[derive(Default)]
struct Gate {
    open: Notify,
    begun: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
    attempts: AtomicUsize,
}

#[async_trait]
impl Driver for Gate {
    async fn read(&self, target: &Target, _: &Value, _: Limits) -> Result<Reading, Failure> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        if target.name != "fast" {
            self.open.notified().await;
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let json = json!({ "depth": 3, "password": "hunter2" });
        Ok(Reading {
            answer: json!({ "json": json }),
            raw: b"depth 3".to_vec(),
            caveats: Vec::new(),
        })
    }

    async fn preview(&self, _: &Target, call: &Value, _: Limits) -> Result<Preview, Failure> {
        let operation = Operation {
            driver: "http".to_owned(),
            display: "POST".to_owned(),
            call: call.clone(),
            guards: Default::default(),
        };
        Ok(Preview {
            operation,
            effect: String::new(),
            dry_run: false,
        })
    }

    async fn attempt(&self, _: &Target, _: &Approved, _: Limits) -> Outcome {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        Outcome::Done {
            report: "done".to_owned(),
        }
    }
}

fn systems(gate: &Arc<Gate>, targets: &[(&str, &str)]) -> Arc<Systems> {
    let targets = targets
        .iter()
        .map(|(name, kind)| target(name, kind, "http://127.0.0.1:1"));
    let driver: Arc<dyn Driver> = Arc::clone(gate) as Arc<dyn Driver>;
    let drivers = BTreeMap::from([("http".to_owned(), driver)]);
    let mask: Mask = Arc::new(|text| text.replace("hunter2", "[masked]"));
    Arc::new(Systems::new(Catalog::shipped(), targets, drivers, mask))
}

fn queue(systems: &Systems, target: &str, n: usize) -> ProbeCall {
    let given = given(json!({ "suspect_from": n }));
    systems
        .resolve_probe("demo.queue", Some(target), &given, &when())
        .expect("fits")
}

/// Lets tasks run until nothing changes by itself.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

fn ask_aside(systems: &Arc<Systems>, call: ProbeCall) -> tokio::task::JoinHandle<Arc<(Answer, Vec<u8>)>> {
    let systems = Arc::clone(systems);
    tokio::spawn(async move { systems.ask(&call).await })
}

#[tokio::test]
async fn at_most_four_probes_ask_one_target_at_a_time() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("slow", "demo")]);
    let asked: Vec<_> = (1..=9)
        .map(|n| ask_aside(&systems, queue(&systems, "slow", n)))
        .collect();
    settle().await;
    assert_eq!(gate.begun.load(Ordering::SeqCst), 4);
    for one in asked {
        while !one.is_finished() {
            gate.open.notify_one();
            settle().await;
        }
        assert_eq!(one.await.expect("asked").0.summary, "3 orders wait");
    }
    assert_eq!(
        (
            gate.begun.load(Ordering::SeqCst),
            gate.most.load(Ordering::SeqCst)
        ),
        (9, 4)
    );
}

#[tokio::test]
async fn a_slow_target_does_not_hold_up_another() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("slow", "demo"), ("fast", "demo")]);
    let slow: Vec<_> = (1..=6)
        .map(|n| ask_aside(&systems, queue(&systems, "slow", n)))
        .collect();
    settle().await;
    assert_eq!(
        systems.ask(&queue(&systems, "fast", 1)).await.0.verdict,
        Verdict::Suspect
    );
    assert!(slow.iter().all(|one| !one.is_finished()));
}

#[tokio::test]
async fn an_identical_probe_joins_the_one_that_runs() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("slow", "demo")]);
    let asked: Vec<_> = (0..3)
        .map(|_| ask_aside(&systems, queue(&systems, "slow", 7)))
        .collect();
    settle().await;
    assert_eq!(gate.begun.load(Ordering::SeqCst), 1);
    gate.open.notify_one();
    for one in asked {
        assert_eq!(one.await.expect("asked").1, b"depth 3");
    }
    // Asking again later means to know what holds then.
    let again = ask_aside(&systems, queue(&systems, "slow", 7));
    settle().await;
    assert_eq!(gate.begun.load(Ordering::SeqCst), 2);
    gate.open.notify_one();
    again.await.expect("asked");
}

#[tokio::test]
async fn who_stops_asking_does_not_take_the_answer_from_the_others() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("slow", "demo")]);
    let (first, second) = (
        ask_aside(&systems, queue(&systems, "slow", 7)),
        ask_aside(&systems, queue(&systems, "slow", 7)),
    );
    settle().await;
    first.abort();
    settle().await;
    gate.open.notify_one();
    assert_eq!(second.await.expect("asked").0.summary, "3 orders wait");
    assert_eq!(gate.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_driver_that_never_answers_is_left_at_the_deadline() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("slow", "demo")]);
    let mut call = queue(&systems, "slow", 1);
    call.limits.timeout = Duration::from_millis(1);
    let answered = systems.ask(&call).await;
    assert_eq!(answered.0.verdict, Verdict::Unknown);
    assert_eq!(answered.0.summary, "slow said nothing within 0.001 s.");
}

#[tokio::test]
async fn an_answer_is_masked_and_the_full_output_is_kept_as_received() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("fast", "demo")]);
    let answered = systems.ask(&queue(&systems, "fast", 1)).await;
    assert_eq!(answered.0.excerpt, "depth: 3\npassword: [masked]");
    assert_eq!(answered.1, b"depth 3");
}

#[test]
fn a_target_without_its_secret_is_there_and_says_what_is_the_matter() {
    let gate = Arc::new(Gate::default());
    let closed = |name: &str| Closed {
        name: name.to_owned(),
        kind: "demo".to_owned(),
        acts: false,
        why: "What is the matter: no password.".to_owned(),
    };
    let resolve = |systems: &Systems, target: Option<&str>| {
        let resolved = systems.resolve_probe("demo.queue", target, &Params::new(), &when());
        resolved
            .map(|call| call.target)
            .map_err(|problem| problem.to_string())
    };
    let told = "`till` cannot be asked or changed from here. What is the matter: no password.";
    let none = Arc::into_inner(systems(&gate, &[("db", "postgres")])).expect("ours alone");
    let none = none.with_closed([closed("till")]);
    assert_eq!(resolve(&none, None), Err(told.to_owned()));
    assert_eq!(resolve(&none, Some("till")), Err(told.to_owned()));
    // The one that is left may not be the one that was meant.
    let one = Arc::into_inner(systems(&gate, &[("shop", "demo")])).expect("ours alone");
    let one = one.with_closed([closed("till")]);
    assert_eq!(
        resolve(&one, None),
        Err(
            "which one? 2 targets fit probe `demo.queue`. Add target=shop or another of: shop, till."
                .to_owned()
        )
    );
}

#[test]
fn without_a_target_the_only_one_that_fits_is_taken() {
    let gate = Arc::new(Gate::default());
    let nothing = Params::new();
    let resolve = |systems: &Systems, target: Option<&str>| {
        let resolved = systems.resolve_probe("demo.queue", target, &nothing, &when());
        resolved
            .map(|call| call.target)
            .map_err(|problem| problem.to_string())
    };
    let one = systems(&gate, &[("shop", "demo"), ("db", "postgres")]);
    assert_eq!(resolve(&one, None), Ok("shop".to_owned()));
    assert_eq!(
        resolve(&one, Some("shpo")),
        Err("there is no target `shpo`. Did you mean `shop`?".to_owned())
    );
    let two = systems(&gate, &[("shop", "demo"), ("shop2", "demo")]);
    assert_eq!(
        resolve(&two, None),
        Err(
            "which one? 2 targets fit probe `demo.queue`. Add target=shop or another of: shop, shop2."
                .to_owned()
        )
    );
    let none = systems(&gate, &[("db", "postgres")]);
    assert_eq!(
        resolve(&none, None),
        Err("no target fits probe `demo.queue`. Add a target of kind demo to orderly.toml.".to_owned())
    );
    let mistyped = none
        .resolve_probe("demo.queu", None, &nothing, &when())
        .expect_err("mistyped");
    assert_eq!(
        mistyped.to_string(),
        "there is no probe `demo.queu`. Did you mean `demo.queue`?"
    );
}

async fn proposed(systems: &Systems) -> (Terms, Approved) {
    let given = given(json!({ "job": "reprice" }));
    let terms = systems
        .resolve_action("http.job.pause", Some("shop"), &given, &when())
        .expect("fits");
    let preview = systems.preview(&terms).await.expect("a preview");
    (terms, Approved::for_tests("shop", preview.operation))
}

#[tokio::test]
async fn an_approved_operation_runs_once_and_its_effect_was_said_before() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("shop", "demo")]);
    let (terms, approved) = proposed(&systems).await;
    let preview = systems.preview(&terms).await.expect("a preview");
    assert_eq!(
        preview.effect,
        "reprice stops after the run it is in. Nothing is deleted; it can be resumed."
    );
    assert_eq!(
        systems.attempt(&approved, &terms).await,
        Outcome::Done {
            report: "done".to_owned()
        }
    );
    assert_eq!(gate.attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_operation_whose_entry_changed_is_not_begun() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("shop", "demo")]);
    let (terms, approved) = proposed(&systems).await;
    let own = "[action.\"http.job.pause\"]\ntitle = \"t\"\ntargets = [\"demo\"]\nrisk = \"low\"\n\
               params.job = { type = \"text\", summary = \"\" }\nhttp = { method = \"DELETE\", path = \"/jobs/{job}\" }";
    systems.replace_catalog(Catalog::load(&[("own.toml".into(), own.to_owned())]).expect("whole"));
    let outcome = systems.attempt(&approved, &terms).await;
    assert!(
        matches!(&outcome, Outcome::NotDone { why } if why.contains("changed since it was proposed")),
        "{outcome:?}"
    );
    assert_eq!(gate.attempts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_operation_for_another_target_is_not_begun() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("shop", "demo"), ("other", "demo")]);
    let (terms, approved) = proposed(&systems).await;
    let terms = Terms {
        target: "other".to_owned(),
        ..terms
    };
    let outcome = systems.attempt(&approved, &terms).await;
    assert_eq!(
        outcome,
        Outcome::NotDone {
            why: "It was approved for `shop`, not for `other`".to_owned()
        }
    );
    assert_eq!(gate.attempts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_stands_in_the_journal_is_asked_by_name_and_what_is_gone_is_unknown() {
    let gate = Arc::new(Gate::default());
    let systems = systems(&gate, &[("fast", "demo")]);
    let call = queue(&systems, "fast", 1);
    let (answer, raw) = systems
        .ask_again("demo.queue", "fast", &call.params, &when())
        .await;
    assert_eq!(
        (answer.summary.as_str(), raw.as_slice()),
        ("3 orders wait", b"depth 3".as_slice())
    );
    let (answer, _) = systems
        .ask_again("demo.queue", "gone", &call.params, &when())
        .await;
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert_eq!(
        answer.summary,
        "Not asked: there is no target `gone`. There is fast."
    );
}
