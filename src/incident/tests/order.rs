use chrono::TimeDelta;
use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

#[test]
fn the_phases_come_in_the_one_order_there_is() {
    let story = Story::in_learn();
    let phases: Vec<_> = story
        .state()
        .passages
        .iter()
        .map(|passage| passage.phase)
        .collect();
    assert_eq!(phases, Phase::ALL);
    assert!(
        story.state().passages[1..]
            .iter()
            .all(|passage| passage.passage == Passage::Gate)
    );
}

#[test]
fn odoo_is_broken_is_no_frame() {
    let mut story = Story::opened();
    let broken = Frame {
        what: Some("Odoo".to_owned()),
        ..Frame::default()
    };
    story.does("ana", Request::Frame { frame: broken });
    assert_snapshot!(story.refused("ana", next()), @r#"
    Confirm is not finished:
    • What is wrong: is it down, is it slow, or is one function broken?
    • What still works?
    • Who is affected?
    • How badly are they affected?
    • Since when?
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn a_frame_that_answers_nothing_is_answered_with_the_questions() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", Request::Frame { frame: Frame::default() }), @"That answers nothing yet. What is wrong: is it down, is it slow, or is one function broken? What still works? Who is affected? How badly are they affected? Since when?");
}

#[test]
fn the_frame_may_come_in_pieces_and_opens_contain_when_it_is_whole() {
    let mut story = Story::opened();
    let whole = whole_frame();
    let pieces = [
        Frame {
            trouble: whole.trouble,
            what: whole.what,
            ..Frame::default()
        },
        Frame {
            works: whole.works,
            who: whole.who,
            ..Frame::default()
        },
        Frame {
            impact: whole.impact,
            since: whole.since,
            ..Frame::default()
        },
    ];
    for piece in pieces {
        assert_eq!(story.state().phase, Phase::Confirm);
        story.does("ana", Request::Frame { frame: piece });
    }
    assert_eq!(story.state().phase, Phase::Contain);
    assert_eq!(
        story.state().moments[&Moment::Onset].provenance,
        "frame, said by ana"
    );
}

#[test]
fn a_corrected_onset_moves_the_moment() {
    let mut story = Story::framed();
    let since = Some(start() - TimeDelta::hours(2));
    story.does(
        "ben",
        Request::Frame {
            frame: Frame {
                since,
                ..Frame::default()
            },
        },
    );
    let onset = &story.state().moments[&Moment::Onset];
    assert_eq!(
        (Some(onset.at), onset.provenance.as_str()),
        (since, "frame, said by ben")
    );
}

#[test]
fn the_frame_comes_before_the_damage() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", damage(true)), @"First the frame: what, who and how badly, since when. Then the damage.");
}

#[test]
fn contain_asks_one_thing_first() {
    let mut story = Story::framed();
    assert_snapshot!(story.refused("ana", next()), @r#"
    Contain is not finished:
    • Is damage going on: bad data, wrong documents, corrupt records?
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn without_damage_contain_closes_at_once() {
    let mut story = Story::framed();
    story.does("ana", damage(false));
    assert_eq!(story.state().phase, Phase::Triage);
}

#[test]
fn with_damage_contain_waits_for_containment() {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    assert_eq!(story.state().phase, Phase::Contain);
    assert_snapshot!(story.refused("ana", next()), @r#"
    Contain is not finished:
    • Damage is going on and no containment is verified yet. Stop the damage first, even crudely.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn damage_found_later_goes_before_everything_else() {
    let mut story = Story::in_decide();
    story.does("dan", damage(true));
    assert_eq!(story.state().phase, Phase::Contain);
    let last = story.state().passages.last().expect("a passage");
    assert!(matches!(&last.passage, Passage::Back { reason } if reason.contains("Damage is going on")));
}

#[test]
fn triage_asks_for_every_line_until_a_cause_is_accepted() {
    let mut story = Story::in_triage();
    story.does(
        "ana",
        finding(Line::Changes, Conclusion::Suspect, "the deploy at two"),
    );
    assert_snapshot!(story.refused("ana", next()), @r#"
    Triage is not finished:
    • No finding yet for: logs.
    • No finding yet for: resources.
    • No finding yet for: dependencies.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn four_findings_without_a_cause_are_not_enough() {
    let mut story = Story::in_triage();
    for line in Line::ALL {
        story.does("ana", finding(*line, Conclusion::Cleared, "nothing there"));
    }
    assert_snapshot!(story.refused("ana", next()), @r#"
    Triage is not finished:
    • No cause is accepted yet.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn once_a_cause_is_accepted_the_rest_is_left_and_says_so() {
    let story = Story::in_decide();
    assert_eq!(
        story.state().lines_left,
        [Line::Logs, Line::Resources, Line::Dependencies].into()
    );
}

#[test]
fn what_was_cleared_is_not_the_cause() {
    let mut story = Story::in_triage();
    story.does("ana", finding(Line::Logs, Conclusion::Cleared, "quiet"));
    assert_snapshot!(story.refused("ana", Request::AcceptCause { finding: FindingId(1), reason: None }), @"D1 says that this was cleared, so it cannot be the cause. Accept a suspect.");
    assert_snapshot!(story.refused("ana", Request::AcceptCause { finding: FindingId(4), reason: None }), @"There is no finding D4 here; there is D1.");
}

#[test]
fn a_finding_names_evidence_that_is_there() {
    let mut story = Story::in_triage();
    let request = Request::RecordFinding {
        line: Line::Logs,
        conclusion: Conclusion::Suspect,
        text: "errors".to_owned(),
        evidence: vec![ProbeRunId(3)],
    };
    assert_snapshot!(story.refused("ana", request), @"There is no probe run P3 here; there is none yet.");
}

#[test]
fn the_decision_comes_after_triage_and_from_who_leads() {
    let mut story = Story::in_triage();
    assert_snapshot!(story.refused("cleo", decide(Way::RollBack)), @"The incident is in triage. The decision comes after triage: find the cause first, or go on with `/next`.");
    assert_snapshot!(story.refused("ana", decide(Way::RollBack)), @"Only the commander (cleo) or the deputy may decide. Ask them, or take over with `/handover`.");
}

#[test]
fn the_decision_stands_on_the_accepted_cause() {
    let story = Story::in_recover();
    let decision = story.state().decision.as_ref().expect("a decision");
    assert_eq!(decision.facts, ["D1: the deploy at two"]);
    assert_eq!(decision.by.person(), Some(&person("cleo")));
}

#[test]
fn going_on_without_a_decision_names_it() {
    let mut story = Story::in_decide();
    assert_snapshot!(story.refused("cleo", next()), @r#"
    Decide is not finished:
    • Fix forward or roll back? Nobody has decided.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn the_commander_goes_on_with_a_reason_and_it_stands_in_the_journal() {
    let mut story = Story::framed();
    story.does("cleo", next_because("the warehouse burns"));
    let last = story.state().passages.last().expect("a passage");
    let Passage::Override { reason, open } = &last.passage else {
        panic!("an override")
    };
    assert_eq!(reason, "the warehouse burns");
    assert_snapshot!(open.join("\n"), @"Is damage going on: bad data, wrong documents, corrupt records?");
}

#[test]
fn nobody_else_goes_on_before_a_phase_is_finished() {
    let mut story = Story::framed();
    assert_snapshot!(story.refused("ben", next_because("I am sure")), @"Only the commander (cleo) or the deputy may go on before a phase is finished. Ask them, or take over with `/handover`.");
}

#[test]
fn a_blank_reason_overrides_nothing() {
    let mut story = Story::framed();
    assert!(
        story
            .refused("cleo", next_because("  "))
            .starts_with("Contain is not finished")
    );
}

#[test]
fn the_deputy_may_go_on_as_well() {
    let mut story = Story::framed();
    story.does("dan", take("dan", Role::Deputy));
    story.does("dan", next_because("cleo sleeps"));
    assert_eq!(story.state().phase, Phase::Triage);
}

#[test]
fn anybody_may_go_back_with_a_reason() {
    let mut story = Story::in_decide();
    story.does("dan", back(Phase::Triage));
    assert_eq!(story.state().phase, Phase::Triage);
    assert_eq!(
        story.state().cause,
        Some(FindingId(1)),
        "what was found stays found"
    );
}

#[test]
fn back_leads_back_and_says_why() {
    let mut story = Story::in_triage();
    assert_snapshot!(story.refused("ana", back(Phase::Decide)), @"The incident is in triage; decide does not lie before it. Use `/next` to go on.");
    let silent = Request::Back {
        to: Phase::Confirm,
        reason: String::new(),
    };
    assert_snapshot!(story.refused("ana", silent), @"The reason for going back is missing. Say it in a few words.");
}

#[test]
fn what_is_resolved_is_reopened_not_walked_back() {
    let mut story = Story::in_learn();
    assert_snapshot!(story.refused("ana", back(Phase::Triage)), @"It is resolved. Reopen it with a reason first.");
    assert_snapshot!(story.refused("ana", damage(true)), @"It is resolved. If damage is going on it is not over: reopen it, then stop the damage first.");
}

#[test]
fn learn_is_the_last_phase() {
    let mut story = Story::in_learn();
    assert_snapshot!(story.refused("ana", next()), @"Learn is the last phase. Close the incident when the post-mortem is reviewed.");
}

#[test]
fn why_a_cause_was_accepted_stands_with_it() {
    let mut story = Story::in_triage();
    story.does("ana", finding(Line::Changes, Conclusion::Suspect, "the deploy"));
    let accept = Request::AcceptCause {
        finding: FindingId(1),
        reason: Some(" it failed with the first request after it ".to_owned()),
    };
    let written = story.does("ana", accept);
    let accepted = Event::CauseAccepted {
        finding: FindingId(1),
        reason: Some("it failed with the first request after it".to_owned()),
    };
    assert_eq!(written[0].event, Some(accepted));
}
