//! What a runbook sets on leaving a phase.

use super::kit::*;
use crate::incident::*;

fn wanting(phase: Phase, target: Option<&str>) -> Plan {
    let mut plan = plan(Vec::new());
    for planned in plan.phases.iter_mut().filter(|planned| planned.phase == phase) {
        planned.leave = Some(Leave {
            text: "`odoo.health is ok`".to_owned(),
            verdicts: vec![WantedVerdict {
                probe: "odoo.health".to_owned(),
                target: target.map(str::to_owned),
                verdicts: vec![Verdict::Ok],
            }],
        });
    }
    plan
}

fn ask(target: &str) -> Request {
    Request::AskProbes {
        probes: vec![ProbeRequest {
            probe: "odoo.health".to_owned(),
            target: target.to_owned(),
            params: Params::new(),
            step: None,
        }],
    }
}

#[test]
fn a_verdict_that_the_runbook_wants_is_named_until_it_is_there() {
    let mut story = Story::opened_with(wanting(Phase::Triage, None));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", damage(false));
    story.does("ana", finding(Line::Changes, Conclusion::Suspect, "the deploy"));
    story.does(
        "ana",
        Request::AcceptCause {
            finding: FindingId(1),
            reason: None,
        },
    );
    insta::assert_snapshot!(story.refused("ana", next()), @r#"
    Triage is not finished:
    • odoo.health must answer ok; it has not been asked.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
    story.does("ana", ask("odoo-prod"));
    story.answer_all(Verdict::Failing);
    assert!(story.refused("ana", next()).contains("it answered failing"));
    story.does("ana", ask("odoo-prod"));
    story.answer_all(Verdict::Ok);
    story.does("ana", next());
    assert_eq!(story.state().phase, Phase::Decide);
}

#[test]
fn a_later_bad_answer_takes_the_good_one_back() {
    let mut story = Story::opened_with(wanting(Phase::Recover, Some("odoo-prod")));
    for verdict in [Verdict::Ok, Verdict::Suspect] {
        story.does("ana", ask("odoo-prod"));
        story.answer_all(verdict);
    }
    story.does("ana", ask("odoo-staging"));
    story.answer_all(Verdict::Ok);
    let mut state = story.state().clone();
    state.phase = Phase::Recover;
    let words: Vec<_> = state
        .open_conditions()
        .into_iter()
        .map(|condition| condition.words)
        .collect();
    assert!(
        words.contains(&"odoo.health must answer ok; it answered suspect.".to_owned()),
        "another target does not count: {words:?}"
    );
}

#[test]
fn the_wanted_verdict_opens_contain_by_itself_once_the_frame_is_whole() {
    let mut story = Story::opened_with(wanting(Phase::Confirm, None));
    story.does("ana", Request::Frame { frame: whole_frame() });
    assert_eq!(story.state().phase, Phase::Confirm);
    story.does("ana", ask("odoo-prod"));
    story.answer_all(Verdict::Ok);
    assert_eq!(story.state().phase, Phase::Contain);
}

#[test]
fn without_damage_the_wanted_verdicts_of_contain_do_not_count() {
    let mut story = Story::opened_with(wanting(Phase::Contain, None));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", damage(false));
    assert_eq!(story.state().phase, Phase::Triage);
}

#[test]
fn every_open_condition_offers_what_helps() {
    for (story, phase) in [
        (Story::opened(), Phase::Confirm),
        (Story::framed(), Phase::Contain),
        (Story::in_triage(), Phase::Triage),
        (Story::in_decide(), Phase::Decide),
        (Story::in_recover(), Phase::Recover),
        (Story::in_learn(), Phase::Learn),
    ] {
        assert_eq!(story.state().phase, phase);
        let conditions = story.state().open_conditions();
        assert!(!conditions.is_empty());
        assert!(
            conditions.iter().all(|condition| condition.offer.is_some()),
            "{conditions:?}"
        );
    }
}

#[test]
fn an_answer_from_before_the_reopening_proves_nothing() {
    let mut story = Story::opened_with(wanting(Phase::Confirm, None));
    story.does("cleo", take("cleo", Role::Commander));
    story.does("ana", Request::Frame { frame: whole_frame() });
    story.does("ana", ask("odoo-prod"));
    story.answer_all(Verdict::Ok);
    assert_eq!(story.state().phase, Phase::Contain);
    let back = Request::Back {
        to: Phase::Confirm,
        reason: "it is something else".to_owned(),
    };
    story.does("cleo", back);
    insta::assert_snapshot!(story.refused("ana", next()), @r#"
    Confirm is not finished:
    • odoo.health must answer ok; it has not been asked since the incident went back.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
    story.does("ana", ask("odoo-prod"));
    story.answer_all(Verdict::Ok);
    assert_eq!(story.state().phase, Phase::Contain);
}
