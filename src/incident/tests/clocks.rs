//! Clocks that are set, and what nobody gains by that.

use chrono::TimeDelta;

use super::kit::*;
use crate::incident::*;

#[test]
fn the_time_given_to_a_decision_never_runs_backwards() {
    let mut story = Story::framed();
    story.later(TimeDelta::minutes(-10));
    let written = story.does(
        "ana",
        Request::Note {
            text: "hm".to_owned(),
        },
    );
    assert_eq!(kinds(&written), ["clock_jumped", "noted"]);
    assert!(written.iter().all(|recorded| recorded.recorded == start()));
}

#[test]
fn drift_is_no_jump() {
    let mut story = Story::framed();
    story.later(TimeDelta::milliseconds(-1_500));
    assert_eq!(
        kinds(&story.does(
            "ana",
            Request::Note {
                text: "hm".to_owned()
            }
        )),
        ["noted"]
    );
}

#[test]
fn a_jump_is_written_down_once_until_the_clock_has_caught_up() {
    let mut story = Story::framed();
    let note = || Request::Note {
        text: "hm".to_owned(),
    };
    story.later(TimeDelta::minutes(-10));
    story.does("ana", note());
    story.later(TimeDelta::minutes(3));
    assert_eq!(kinds(&story.does("ana", note())), ["noted"]);
    story.later(TimeDelta::minutes(8));
    story.does("ana", note());
    assert!(!story.state().clock_behind);
    story.later(TimeDelta::minutes(-5));
    assert_eq!(kinds(&story.does("ana", note()))[0], "clock_jumped");
}

#[test]
fn a_second_jump_while_the_clock_is_behind_is_seen_as_well() {
    let mut story = Story::framed();
    let note = || Request::Note {
        text: "hm".to_owned(),
    };
    story.later(TimeDelta::minutes(-10));
    story.does("ana", note());
    story.later(TimeDelta::minutes(-10));
    assert_eq!(kinds(&story.does("ana", note()))[0], "clock_jumped");
}

#[test]
fn a_jump_leaves_no_approval_standing() {
    let mut story = Story::framed();
    story.freeze(Some("odoo-prod"));
    let held = story.proposed(terms("stop", "odoo-prod"));
    story.does("ben", approve(held));
    let waiting = story.proposed(terms("restart", "odoo-staging"));
    story.later(TimeDelta::minutes(-10));
    story.does(
        "dan",
        Request::Note {
            text: "hm".to_owned(),
        },
    );
    assert_eq!((story.stage(held.0), story.stage(waiting.0)), ("void", "void"));
    let Stage::Voided { why } = &story.proposal(1).stage else {
        panic!()
    };
    insta::assert_snapshot!(why, @"The clock jumped back by 600 s, so nobody can tell how long this has stood. Propose it again.");
}

#[test]
fn an_approval_that_comes_with_the_jump_does_not_count() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.later(TimeDelta::minutes(-10));
    assert!(story.refused("ben", approve(id)).contains("it is void"));
    story.fires(TimerKey::Expire { proposal: id });
    assert_eq!(story.stage(id.0), "void");
}

#[test]
fn what_is_proposed_while_the_clock_is_behind_expires_by_the_clock() {
    let mut story = Story::framed();
    story.later(TimeDelta::hours(-24));
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.later(TimeDelta::minutes(61));
    assert!(
        story.refused("ben", approve(id)).contains("expired"),
        "not a day later"
    );
    story.fires(TimerKey::Expire { proposal: id });
    assert_eq!(story.stage(id.0), "expired");
}

#[test]
fn a_jump_right_after_such_a_proposal_is_seen() {
    let mut story = Story::framed();
    story.later(TimeDelta::hours(-24));
    story.does(
        "dan",
        Request::Note {
            text: "hm".to_owned(),
        },
    );
    story.later(TimeDelta::hours(1));
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.later(TimeDelta::minutes(-30));
    assert!(story.refused("ben", approve(id)).contains("it is void"));
}

#[test]
fn a_promised_update_is_reminded_of_by_the_clock_people_see() {
    let mut story = Story::framed();
    story.later(TimeDelta::hours(-5));
    story.does(
        "ana",
        Request::SendUpdate {
            text: "we look".to_owned(),
            next_s: Some(600),
        },
    );
    story.later(TimeDelta::minutes(10));
    assert_eq!(kinds(&story.fires(TimerKey::Update)), ["update_reminded"]);
}

#[test]
fn a_leap_ahead_only_makes_things_expire() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.later(TimeDelta::days(400));
    assert!(story.refused("ben", approve(id)).contains("expired"));
}
