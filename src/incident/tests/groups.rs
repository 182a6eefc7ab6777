//! Roles that a platform's group gives: they count while the group can be read, and for whoever is in it.

use chrono::TimeDelta;
use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

const APPROVERS: &str = "slack/@approvers";

/// Dan, who has no role of his own, is an approver by his group. Nobody but ana and he is one.
fn by_group() -> (Story, ProposalId) {
    let mut story = Story::framed();
    for name in ["ben", "cleo"] {
        story.lose_role(name, Role::Approver);
    }
    story.around.groups = vec![GroupStanding {
        name: APPROVERS.to_owned(),
        roles: [Role::Approver].into(),
        members: [person("dan")].into(),
        lost: None,
    }];
    story.does("ana", damage(true));
    let id = story.proposed(stopping());
    (story, id)
}

fn loses(story: &mut Story, why: Option<&str>) {
    story.around.groups[0].lost = why.map(str::to_owned);
}

fn missed(why: &str) -> Request {
    Request::MissGroup {
        group: APPROVERS.to_owned(),
        why: why.to_owned(),
    }
}

#[test]
fn an_approval_through_a_group_counts_and_the_journal_says_through_which() {
    let (mut story, id) = by_group();
    let written = story.does("dan", approve(id));
    let Some(Event::Approved { through, .. }) = &written[0].event else {
        panic!("{written:?}");
    };
    assert_eq!(through.as_deref(), Some(APPROVERS));
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "running");
}

#[test]
fn who_has_the_role_by_themselves_needs_no_group() {
    let (mut story, _) = by_group();
    story.does("dan", propose(terms("restart", "odoo-prod")));
    let id = story.shown(ProposalId(2));
    loses(&mut story, Some("no answer within 5 s"));
    let written = story.does("ana", approve(id));
    assert!(
        matches!(&written[0].event, Some(Event::Approved { through: None, .. })),
        "{written:?}"
    );
}

#[test]
fn a_group_that_cannot_be_read_counts_for_nobody_and_the_refusal_says_why() {
    let (mut story, id) = by_group();
    loses(&mut story, Some("it is disabled"));
    assert_snapshot!(story.refused("dan", approve(id)), @"A1 needs the approver role, which you do not hold. The approvers are: ana. The group slack/@approvers cannot be read (it is disabled), so it counts for nobody.");
}

#[test]
fn who_is_not_in_the_group_does_not_count() {
    let (mut story, id) = by_group();
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 needs the approver role, which you do not hold. The approvers are: ana, dan.");
}

#[test]
fn an_approved_action_is_held_while_its_group_cannot_be_read_and_then_goes_on() {
    let (mut story, id) = by_group();
    story.does("dan", approve(id));
    loses(&mut story, Some("Slack is away"));
    story.answer_all(Verdict::Ok);
    let Stage::Cleared { held: Some(why), .. } = &story.proposal(1).stage else {
        panic!("{}", story.stage(1));
    };
    assert_snapshot!(why, @"The group slack/@approvers cannot be read (Slack is away), so it counts for nobody. It goes on when that one can be read.");
    loses(&mut story, None);
    story.fires(TimerKey::Held { proposal: id });
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "running");
}

#[test]
fn who_left_the_group_since_no_longer_counts() {
    let (mut story, id) = by_group();
    story.does("dan", approve(id));
    story.around.groups[0].members.clear();
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "void");
}

#[test]
fn the_room_is_told_once_and_again_for_another_reason_or_after_a_while() {
    let (mut story, _) = by_group();
    assert_eq!(kinds(&story.returns(missed("it is disabled"))), ["group_missed"]);
    assert!(story.returns(missed("it is disabled")).is_empty());
    assert_eq!(kinds(&story.returns(missed("Slack is away"))), ["group_missed"]);
    story.later(TimeDelta::minutes(10));
    assert_eq!(kinds(&story.returns(missed("Slack is away"))), ["group_missed"]);
}
