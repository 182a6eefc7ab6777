use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn do_step(id: &str) -> Request {
    Request::DoStep {
        step: id.to_owned(),
        note: None,
    }
}

fn answer_step(id: &str, answer: &str) -> Request {
    Request::AnswerStep {
        step: id.to_owned(),
        answer: answer.to_owned(),
    }
}

fn branch(id: &str, branch: &str) -> Request {
    Request::TakeBranch {
        step: id.to_owned(),
        branch: branch.to_owned(),
        reason: None,
    }
}

fn choice(id: &str, names: &[&str]) -> Step {
    let branches = names.iter().map(|name| Branch {
        name: (*name).to_owned(),
        label: format!("Take {name}"),
    });
    step(
        id,
        StepKind::Branch {
            question: "Which way?".to_owned(),
            branches: branches.collect(),
        },
    )
}

fn in_confirm(steps: Vec<Step>) -> Story {
    Story::opened_with(plan(steps))
}

#[test]
fn a_required_step_holds_the_phase_until_it_is_done() {
    let mut story = in_confirm(vec![step("confirm.1", StepKind::Do)]);
    story.does("ana", Request::Frame { frame: whole_frame() });
    assert_snapshot!(story.refused("ana", next()), @r#"
    Confirm is not finished:
    • Step confirm.1 is open: the step confirm.1
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
    story.does("ana", do_step("confirm.1"));
    assert_eq!(story.state().phase, Phase::Contain);
}

#[test]
fn a_step_is_skipped_with_a_reason() {
    let mut story = in_confirm(vec![step("confirm.1", StepKind::Do)]);
    let skip = |reason: &str| Request::SkipStep {
        step: "confirm.1".to_owned(),
        reason: reason.to_owned(),
    };
    assert_snapshot!(story.refused("ana", skip("")), @"The reason for skipping is missing. Say it in a few words.");
    story.does("ana", skip("no printer here"));
    assert!(
        matches!(&story.state().steps["confirm.1"], StepState::Skipped { reason, .. } if reason == "no printer here")
    );
}

#[test]
fn a_question_wants_its_answer() {
    let ask = StepKind::Ask {
        question: "Which channel stands still?".to_owned(),
    };
    let mut story = in_confirm(vec![step("confirm.1", ask)]);
    assert_snapshot!(story.refused("ana", do_step("confirm.1")), @"Step confirm.1 asks: Which channel stands still? Its answer is what counts.");
    story.does("ana", answer_step("confirm.1", "labels"));
    assert_snapshot!(story.refused("ana", answer_step("confirm.1", "again")), @"Step confirm.1 is settled already.");
}

#[test]
fn a_choice_is_settled_by_choosing() {
    let mut story = in_confirm(vec![choice("confirm.1", &["queue", "database"])]);
    assert_snapshot!(story.refused("ana", do_step("confirm.1")), @"Step confirm.1 is a choice: pick queue or database.");
    assert_snapshot!(story.refused("ana", answer_step("confirm.1", "queue")), @"Step confirm.1 is a choice: pick queue or database.");
    assert_snapshot!(story.refused("ana", branch("confirm.1", "printer")), @"There is no branch printer here; there is queue, database.");
    story.does("ana", branch("confirm.1", "queue"));
    assert_eq!(story.state().branches["confirm.1"], "queue");
}

#[test]
fn only_the_steps_of_the_taken_branch_count() {
    let on = |id: &str, branch: &str| Step {
        branch: Some(BranchRef {
            step: "confirm.1".to_owned(),
            branch: branch.to_owned(),
        }),
        ..step(id, StepKind::Do)
    };
    let steps = vec![
        choice("confirm.1", &["queue", "database"]),
        on("confirm.2", "queue"),
        on("confirm.3", "database"),
    ];
    let mut story = in_confirm(steps);
    story.does("ana", branch("confirm.1", "queue"));
    let open: Vec<_> = story
        .state()
        .open_steps()
        .iter()
        .map(|step| step.id.clone())
        .collect();
    assert_eq!(open, ["confirm.2"]);
    story.does("ana", branch("confirm.1", "database"));
    let open: Vec<_> = story
        .state()
        .open_steps()
        .iter()
        .map(|step| step.id.clone())
        .collect();
    assert_eq!(open, ["confirm.3"], "people may think again");
    assert_snapshot!(story.refused("ana", do_step("confirm.2")), @"There is no step confirm.2 here; there is confirm.1, confirm.3.");
}

#[test]
fn a_step_is_settled_once_and_in_its_own_phase() {
    let mut story = in_confirm(vec![
        step("confirm.1", StepKind::Do),
        step("triage.1", StepKind::Do),
    ]);
    story.does("ana", do_step("confirm.1"));
    assert_snapshot!(story.refused("ana", do_step("confirm.1")), @"Step confirm.1 is settled already.");
    assert_snapshot!(story.refused("ana", do_step("triage.1")), @"There is no step triage.1 here; there is confirm.1.");
}

#[test]
fn only_a_choice_has_branches() {
    let mut story = in_confirm(vec![step("confirm.1", StepKind::Do)]);
    assert_snapshot!(story.refused("ana", branch("confirm.1", "queue")), @"Step confirm.1 is not a choice. Say `/step done confirm.1`.");
}

#[test]
fn a_probe_step_is_done_by_its_answer_and_silence_is_no_answer() {
    let kind = StepKind::Probe {
        name: "odoo.health".to_owned(),
        target: None,
        params: Params::new(),
    };
    let mut story = in_confirm(vec![step("confirm.1", kind)]);
    let ask = || Request::AskProbes {
        probes: vec![ProbeRequest {
            probe: "odoo.health".to_owned(),
            target: "odoo-prod".to_owned(),
            params: Params::new(),
            step: Some("confirm.1".to_owned()),
        }],
    };
    story.does("ana", ask());
    story.answer_all(Verdict::Unknown);
    assert!(!story.state().steps.contains_key("confirm.1"));
    story.does("ana", ask());
    story.answer_all(Verdict::Failing);
    assert!(
        matches!(&story.state().steps["confirm.1"], StepState::Done { by: By::Orderly, note: Some(note) } if note == "P2 answered failing")
    );
}

#[test]
fn an_answer_is_taken_once() {
    let mut story = Story::opened();
    story.does(
        "ana",
        Request::AskProbes {
            probes: vec![ProbeRequest {
                probe: "odoo.health".to_owned(),
                target: "odoo-prod".to_owned(),
                params: Params::new(),
                step: None,
            }],
        },
    );
    story.answers(ProbeRunId(1), Verdict::Ok);
    assert!(story.answers(ProbeRunId(1), Verdict::Failing).is_empty());
    assert!(
        story.answers(ProbeRunId(9), Verdict::Failing).is_empty(),
        "nobody asked that"
    );
}

#[test]
fn probes_asked_together_share_a_round() {
    let mut story = Story::opened();
    let one = ProbeRequest {
        probe: "odoo.health".to_owned(),
        target: "odoo-prod".to_owned(),
        params: Params::new(),
        step: None,
    };
    story.does(
        "ana",
        Request::AskProbes {
            probes: vec![one.clone(), one.clone()],
        },
    );
    story.does(
        "ana",
        Request::AskProbes {
            probes: vec![one.clone()],
        },
    );
    let rounds: Vec<_> = story.state().runs.values().map(|run| run.asked.round).collect();
    assert_eq!(rounds, [1, 1, 2]);
    assert_snapshot!(story.refused("ana", Request::AskProbes { probes: Vec::new() }), @"No probe to ask here. `/probe list` shows what can be asked.");
    assert_snapshot!(story.refused("ana", Request::AskProbes { probes: vec![one; 65] }), @"65 probes at once are too many; 64 is the most.");
}

#[test]
fn a_verified_action_does_its_step() {
    let kind = StepKind::Action {
        name: "stop".to_owned(),
        target: None,
        params: Params::new(),
    };
    let mut story = Story::opened_with(plan(vec![step("contain.1", kind)]));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", damage(true));
    story.verified(stopping());
    assert!(story.state().steps.contains_key("contain.1"));
    assert_eq!(story.state().phase, Phase::Triage);
}

#[test]
fn the_runbooks_own_question_of_damage_is_the_question() {
    let mut story = Story::opened_with(plan(vec![choice("contain.1", &["yes", "no"])]));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", branch("contain.1", "no"));
    assert_eq!(
        story.state().damage.as_ref().map(|damage| damage.ongoing),
        Some(false)
    );
    assert_eq!(story.state().phase, Phase::Triage);
}

#[test]
fn saying_it_by_command_answers_the_runbook_as_well() {
    let steps = vec![
        choice("contain.1", &["yes", "no"]),
        choice("decide.1", &["fix-forward", "roll-back"]),
    ];
    let mut story = Story::opened_with(plan(steps));
    story.does("cleo", take("cleo", Role::Commander));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", damage(true));
    assert_eq!(story.state().branches["contain.1"], "yes");
    story.does("cleo", next_because("no time"));
    story.does("cleo", next_because("no time"));
    story.does("cleo", decide(Way::FixForward));
    assert_eq!(story.state().branches["decide.1"], "fix-forward");
    assert!(story.state().open_steps().is_empty());
}

#[test]
fn another_runbook_starts_its_steps_anew() {
    let mut story = in_confirm(vec![step("confirm.1", StepKind::Do)]);
    story.does("ana", do_step("confirm.1"));
    let same = Box::new(story.state().opening.plan.clone());
    assert_snapshot!(story.refused("ana", Request::UseRunbook { plan: same, reason: "again".to_owned() }), @"INC-7 follows general already, in this very version. Its steps stay as they are.");
    let plan = Box::new(Plan {
        digest: "another".to_owned(),
        ..plan(vec![step("confirm.1", StepKind::Do)])
    });
    assert_snapshot!(story.refused("ana", Request::UseRunbook { plan: plan.clone(), reason: String::new() }), @"The reason is missing. Say it in a few words.");
    story.does(
        "ana",
        Request::UseRunbook {
            plan,
            reason: "it is the queue".to_owned(),
        },
    );
    assert_eq!(story.state().open_steps().len(), 1);
}

#[test]
fn a_hundred_kilobytes_do_not_fit_anywhere() {
    let flood = "x".repeat(100_000);
    let mut story = in_confirm(vec![step("confirm.1", StepKind::Do)]);
    story.does("cleo", take("cleo", Role::Commander));
    let page = |message| Request::Page {
        role: None,
        people: vec![person("ben")],
        message,
    };
    let requests = [
        Request::Note { text: flood.clone() },
        Request::DoStep {
            step: "confirm.1".to_owned(),
            note: Some(flood.clone()),
        },
        Request::Retitle { title: flood.clone() },
        Request::SendUpdate {
            text: flood.clone(),
            next_s: None,
        },
        Request::Frame {
            frame: Frame {
                what: Some(flood.clone()),
                ..Frame::default()
            },
        },
        Request::WriteSection {
            section: Section::Cause,
            text: flood.clone(),
        },
        Request::HandOver {
            role: Role::Commander,
            to: person("ben"),
            note: Some(flood.clone()),
        },
        page(Some(flood.clone())),
        Request::Cancel { reason: flood },
    ];
    for request in requests {
        let words = story.refused("cleo", request);
        assert!(words.contains("is the most"), "{words}");
        assert!(words.len() < 300, "a refusal does not repeat the flood");
    }
}

#[test]
fn damage_that_the_runbook_hears_of_keeps_contain_shut_though_there_was_none_before() {
    let yes_or_no = ["yes", "no"].map(|name| Branch {
        name: name.to_owned(),
        label: name.to_owned(),
    });
    let choice = StepKind::Branch {
        question: "Is damage going on?".to_owned(),
        branches: yes_or_no.to_vec(),
    };
    let mut story = Story::opened_with(plan(vec![step("contain.1", choice)]));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", damage(false));
    story.does("ana", back(Phase::Contain));
    let yes = Request::TakeBranch {
        step: "contain.1".to_owned(),
        branch: "yes".to_owned(),
        reason: None,
    };
    story.does("ana", yes);
    assert_eq!(story.state().phase, Phase::Contain);
    assert_eq!(story.state().damage_now(), Some(DamageNow::GoingOn));
}
