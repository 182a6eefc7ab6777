//! Whether damage goes on is a fold of what was reported, verified and lifted.

use chrono::{DateTime, TimeDelta, Utc};

use super::kit::*;
use crate::incident::*;

fn now(story: &Story) -> Option<DamageNow> {
    story.state().damage_now()
}

fn lift() -> Request {
    Request::LiftContainment {
        proposal: ProposalId(1),
        reason: "by hand".to_owned(),
    }
}

/// Damage, stopped by A1; when that was verified.
fn stopped() -> (Story, DateTime<Utc>) {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    story.later(TimeDelta::minutes(3));
    story.verified(stopping());
    let at = story.clock;
    story.later(TimeDelta::minutes(10));
    (story, at)
}

#[test]
fn nobody_has_said_then_it_goes_on_then_it_is_stopped() {
    let mut story = Story::framed();
    assert_eq!(now(&story), None);
    story.does("ana", damage(true));
    assert_eq!(now(&story), Some(DamageNow::GoingOn));
    let id = story.running(stopping());
    story.ends(id, done());
    assert_eq!(now(&story), Some(DamageNow::GoingOn), "done is not verified");
    story.answer_all(Verdict::Ok);
    assert_eq!(now(&story), Some(DamageNow::Stopped { by: id, at: start() }));
}

#[test]
fn no_damage_is_no_damage() {
    assert_eq!(now(&Story::in_triage()), Some(DamageNow::NotGoingOn));
}

#[test]
fn accepted_containment_still_contains() {
    let (mut story, at) = stopped();
    let accept = Request::AcceptContainment {
        proposal: ProposalId(1),
        reason: "until the release".to_owned(),
    };
    story.does("cleo", accept);
    assert_eq!(
        now(&story),
        Some(DamageNow::Stopped {
            by: ProposalId(1),
            at
        })
    );
}

#[test]
fn lifted_before_the_cause_is_dealt_with_it_goes_on_again() {
    let (mut story, _) = stopped();
    story.does("cleo", lift());
    let again = DamageNow::GoingOnAgain {
        lifted: ProposalId(1),
        at: story.clock,
    };
    assert_eq!(now(&story), Some(again));
}

#[test]
fn lifted_in_recover_it_stays_over() {
    let (mut story, _) = stopped();
    story.does("cleo", next_because("we know it"));
    story.does("cleo", decide(Way::RollBack));
    story.does("cleo", next());
    story.does("cleo", lift());
    let over = DamageNow::Over {
        lifted: ProposalId(1),
        at: story.clock,
    };
    assert_eq!(now(&story), Some(over));
}

#[test]
fn damage_reported_after_the_containment_goes_on() {
    let (mut story, _) = stopped();
    story.does("ana", damage(true));
    assert_eq!(now(&story), Some(DamageNow::GoingOn));
}

#[test]
fn what_was_never_verified_is_not_called_stopped_at_the_end() {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    let resolve = Request::Resolve {
        summary: None,
        reason: Some("it stopped by itself".to_owned()),
    };
    story.does("cleo", resolve);
    assert_eq!(now(&story), Some(DamageNow::Unverified));
}
