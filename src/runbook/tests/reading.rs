use insta::{assert_debug_snapshot, assert_snapshot};
use serde_json::json;

use super::{FRONT, parse, read, steps};
use crate::incident::{Line, Phase, StepKind, Verdict};

fn outline(runbook: &super::Runbook) -> String {
    let mut text = String::new();
    for phase in runbook
        .plan
        .phases
        .iter()
        .filter(|phase| !phase.steps.is_empty() || !phase.intro.is_empty())
    {
        text += &format!("{}: {}\n", phase.phase, phase.intro);
        for step in &phase.steps {
            let branch = step
                .branch
                .as_ref()
                .map(|b| format!(" [{}={}]", b.step, b.branch))
                .unwrap_or_default();
            let line = step.line.map(|line| format!(" <{line}>")).unwrap_or_default();
            let required = if step.required { "" } else { " optional" };
            let kind = match &step.kind {
                StepKind::Do => "do".to_owned(),
                StepKind::Ask { question } => format!("ask ({question})"),
                StepKind::Probe { name, target, params } => {
                    format!("probe {name} {target:?} {}", json!(params))
                }
                StepKind::Action { name, target, params } => {
                    format!("action {name} {target:?} {}", json!(params))
                }
                StepKind::Branch { question, branches } => {
                    let names: Vec<_> = branches
                        .iter()
                        .map(|b| format!("{}: {}", b.name, b.label))
                        .collect();
                    format!("decide ({question}) {}", names.join(" | "))
                }
            };
            text += &format!(
                "  {}{branch}{line}{required} {kind}\n      {}\n",
                step.id,
                step.text.replace('\n', "⏎")
            );
        }
        if let Some(leave) = &phase.leave {
            text += &format!("  leave when {}\n", leave.text);
        }
    }
    text
}

#[test]
fn a_runbook_becomes_the_plan_it_reads_like() {
    let runbook = read(
        r#"# Test

Text for the reader of the file.

## Confirm

Look first,
touch later.

1. `probe postgres.blocking min_seconds=5 on odoo-db` shows who waits.
2. Who is affected?
3. (optional) Tell the shift lead.
   She sits in hall 2.

> **Leave when** the frame is whole, and `odoo.health on odoo-web is ok or suspect`.

## Contain

1. Is damage going on?
   - **yes**: Stop it
     1. `action odoo.cron.disable cron="Post \"all\" entries"`
     2. Has it stopped? (optional)
   - **no**: Nothing gets worse

## Triage

### Changes

The last change is the first suspect.

- Look: `probe git.changes`

### Logs

- [ ] Run this. What does it say?
  ```sh
  kubectl logs deployment/odoo
  ```
- `ask` the night shift what they saw.
- `if yes` Look at what was stopped.
"#,
    )
    .expect("a sound runbook");
    assert_snapshot!(outline(&runbook), @r#"
    confirm: Look first, touch later.
      confirm.1 probe postgres.blocking Some("odoo-db") {"min_seconds":5}
          `probe postgres.blocking min_seconds=5 on odoo-db` shows who waits.
      confirm.2 ask (Who is affected?)
          Who is affected?
      confirm.3 optional do
          Tell the shift lead. She sits in hall 2.
      leave when the frame is whole, and `odoo.health on odoo-web is ok or suspect`.
    contain: 
      contain.1 decide (Is damage going on?) yes: Stop it | no: Nothing gets worse
          Is damage going on?
      contain.2 [contain.1=yes] action odoo.cron.disable None {"cron":"Post \"all\" entries"}
          `action odoo.cron.disable cron="Post \"all\" entries"`
      contain.3 [contain.1=yes] optional ask (Has it stopped?)
          Has it stopped?
    triage: **Changes**: The last change is the first suspect.
      triage.1 <changes> probe git.changes None {}
          Look: `probe git.changes`
      triage.2 <logs> ask (What does it say?)
          Run this. What does it say?⏎```sh⏎kubectl logs deployment/odoo⏎```
      triage.3 <logs> ask (Ask the night shift what they saw.)
          Ask the night shift what they saw.
      triage.4 [contain.1=yes] <logs> do
          Look at what was stopped.
    "#);
}

#[test]
fn parameters_keep_their_types() {
    let runbook = read(
        "## Confirm\n\n- `probe a.b whole=5 real=2.5 yes=true word=root.sale text=\"5\" lot=007 version=1.10 neg=-3 empty=\"\"`\n",
    )
    .expect("a sound runbook");
    let StepKind::Probe { params, .. } = &steps(&runbook, Phase::Confirm)[0].kind else {
        panic!("a probe")
    };
    assert_eq!(
        json!(params),
        json!({"whole": 5, "real": 2.5, "yes": true, "word": "root.sale", "text": "5", "lot": "007", "version": "1.10",
               "neg": -3, "empty": ""})
    );
}

#[test]
fn a_condition_on_leaving_names_probe_target_and_verdicts() {
    let runbook = read(
        "## Recover\n\n- Look.\n\n> **Leave when:** all is calm and `shop.health on shop is ok or suspect` and\n> `shop.queue is ok`.\n",
    )
    .expect("a sound runbook");
    let phase = runbook
        .plan
        .phases
        .iter()
        .find(|phase| phase.phase == Phase::Recover)
        .expect("recover");
    let leave = phase.leave.as_ref().expect("a condition");
    assert_eq!(
        leave.text,
        "all is calm and `shop.health on shop is ok or suspect` and `shop.queue is ok`."
    );
    assert_eq!(leave.verdicts.len(), 2);
    assert_eq!(leave.verdicts[0].probe, "shop.health");
    assert_eq!(leave.verdicts[0].target.as_deref(), Some("shop"));
    assert_eq!(leave.verdicts[0].verdicts, [Verdict::Ok, Verdict::Suspect]);
    assert_eq!(leave.verdicts[1].target, None);
}

#[test]
fn all_six_phases_are_in_the_plan_and_those_left_out_are_empty() {
    let runbook = read("## Triage\n\n### Logs\n\n- Read them.\n").expect("a sound runbook");
    let phases: Vec<Phase> = runbook.plan.phases.iter().map(|phase| phase.phase).collect();
    assert_eq!(phases, Phase::ALL);
    assert!(steps(&runbook, Phase::Confirm).is_empty());
    assert_eq!(steps(&runbook, Phase::Triage)[0].line, Some(Line::Logs));
}

#[test]
fn the_question_is_the_last_sentence_and_the_text_is_all_of_it() {
    let runbook =
        read("## Confirm\n\n- Run `psql -c \"a. B\"`. Slow, or down? Or neither?\n").expect("sound");
    let step = &steps(&runbook, Phase::Confirm)[0];
    assert_eq!(
        step.kind,
        StepKind::Ask {
            question: "Slow, or down? Or neither?".to_owned()
        }
    );
    assert_eq!(step.text, "Run `psql -c \"a. B\"`. Slow, or down? Or neither?");
}

#[test]
fn a_branch_may_be_picked_up_again_in_a_later_phase() {
    let runbook = read(
        "## Decide\n\n1. Which way?\n   - **roll-back**: Back\n   - **fix-forward**: On\n\n## Recover\n\n1. `if roll-back` See \
         that the old version runs.\n",
    )
    .expect("sound");
    let step = &steps(&runbook, Phase::Recover)[0];
    let branch = step.branch.as_ref().expect("a branch");
    assert_eq!(
        (branch.step.as_str(), branch.branch.as_str()),
        ("decide.1", "roll-back")
    );
    assert_eq!(step.text, "See that the old version runs.");
}

#[test]
fn the_front_matter_says_who_it_is_for() {
    let text = "---\nname: month-end\ntitle: Posting fails\nsummary: When posting fails.\nprocesses: [finance-posting]\n\
                severity: SEV2\nmatch:\n  labels: {alertname: [A, B]}\n  title: [posting]\nversion: 3\nowner: finance\n\
                reviewed: 2026-01-15\n---\n## Confirm\n- Look.\n";
    let front = parse("month-end.md", text).expect("sound").front;
    assert_debug_snapshot!(front, @r#"
    Front {
        name: "month-end",
        title: "Posting fails",
        summary: "When posting fails.",
        processes: [
            Finance,
        ],
        severity: Some(
            Sev2,
        ),
        matches: Match {
            labels: {
                "alertname": [
                    "A",
                    "B",
                ],
            },
            processes: [],
            title: [
                "posting",
            ],
        },
        version: Some(
            3,
        ),
        owner: Some(
            "finance",
        ),
        reviewed: Some(
            2026-01-15,
        ),
    }
    "#);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing_but_the_digest() {
    let unix = format!("{FRONT}## Confirm\n\nWhy.\n\n1. Look\n   twice.\n2. Who?\n");
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    let unix = parse("test.md", &unix).expect("sound");
    let windows = parse("test.md", &windows).expect("sound");
    assert_eq!(unix.plan.phases, windows.plan.phases);
    assert_ne!(unix.plan.digest, windows.plan.digest);
}

#[test]
fn tabs_indent_as_well_as_spaces_do() {
    let runbook = read("## Decide\n\n1.\tWhich way?\n\t- **back**: Back\n\t\t1. Undo it: `probe git.changes`\n\t- **on**: On\n")
        .expect("sound");
    assert_eq!(steps(&runbook, Phase::Decide).len(), 2);
}
