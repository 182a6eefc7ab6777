//! The post-mortem on its way from draft to closed, and the day it is due.

use chrono::TimeDelta;
use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn to(to: Review) -> Request {
    Request::Review { to, note: None }
}

fn write(text: &str) -> Request {
    Request::WriteSection {
        section: Section::Cause,
        text: text.to_owned(),
    }
}

#[test]
fn a_post_mortem_goes_one_way_and_may_be_sent_back() {
    let mut story = Story::in_learn();
    assert_snapshot!(story.refused("cleo", to(Review::Closed)), @"The post-mortem is draft; it cannot become closed. The way is draft, in-review, reviewed, closed.");
    for step in [
        Review::InReview,
        Review::Draft,
        Review::InReview,
        Review::Reviewed,
        Review::Closed,
    ] {
        story.does("cleo", to(step));
        assert_eq!(story.state().review, step);
    }
    assert!(
        story.state().open_conditions().is_empty(),
        "the incident may be closed"
    );
}

#[test]
fn closing_the_incident_closes_what_was_reviewed() {
    assert_eq!(Story::closed().state().review, Review::Closed);
}

#[test]
fn closing_against_the_gate_calls_nothing_reviewed_that_was_not() {
    let mut story = Story::in_learn();
    let close = Request::Close {
        reason: Some("nobody is left".to_owned()),
    };
    story.does("cleo", close);
    assert_eq!(story.state().review, Review::Draft);
}

#[test]
fn what_is_written_after_the_review_is_reviewed_again() {
    let mut story = Story::in_learn();
    story.does("ana", write("the deploy"));
    story.review();
    story.does("ana", write("the deploy, and the missing alert"));
    assert_eq!(story.state().review, Review::Draft);
    assert!(!story.state().open_conditions().is_empty());
}

/// SEV2 of the defaults: five days.
const DUE: TimeDelta = TimeDelta::days(5);

#[test]
fn it_is_due_by_severity_and_reminded_of_every_day() {
    let mut story = Story::in_learn();
    assert_eq!(story.state().postmortem_due, Some(start() + DUE));
    assert!(story.fires(TimerKey::Postmortem).is_empty(), "not due yet");
    story.later(DUE);
    assert_eq!(kinds(&story.fires(TimerKey::Postmortem)), ["postmortem_reminded"]);
    assert!(story.fires(TimerKey::Postmortem).is_empty());
    story.later(TimeDelta::days(1));
    assert_eq!(kinds(&story.fires(TimerKey::Postmortem)), ["postmortem_reminded"]);
    assert_eq!(
        story.state().postmortem_due,
        Some(start() + DUE),
        "the day it was due stays"
    );
}

#[test]
fn the_reminder_can_be_put_off() {
    let mut story = Story::in_learn();
    let snooze = |days: u64| Request::SnoozePostmortem { for_s: days * 86_400 };
    assert_snapshot!(story.refused("ana", snooze(1)), @"It is due 2026-11-26 03:00 UTC, and nobody is reminded before that. Put it off for longer, or not at all.");
    story.later(DUE);
    story.does("ana", snooze(3));
    assert!(story.fires(TimerKey::Postmortem).is_empty());
    story.later(TimeDelta::days(3));
    assert_eq!(kinds(&story.fires(TimerKey::Postmortem)), ["postmortem_reminded"]);
    assert!(story.refused("ana", snooze(31)).contains("Thirty days"));
}

#[test]
fn nobody_is_reminded_of_what_is_reviewed_reopened_closed_or_not_waited_for() {
    let mut story = Story::in_learn();
    story.review();
    story.later(DUE);
    assert!(story.fires(TimerKey::Postmortem).is_empty());
    let snooze = || Request::SnoozePostmortem { for_s: 60 };
    assert_snapshot!(story.refused("ana", snooze()), @"Nobody waits for this post-mortem now, so there is nothing to snooze.");
    story.does("cleo", to(Review::Draft));
    assert_eq!(kinds(&story.fires(TimerKey::Postmortem)), ["postmortem_reminded"]);
    let reopen = Request::Reopen {
        reason: "it is back".to_owned(),
    };
    story.does("cleo", reopen);
    assert!(story.fires(TimerKey::Postmortem).is_empty());

    let settings = Settings {
        postmortem_due_s: [None; 5],
        ..Settings::default()
    };
    let silent = Opening {
        settings,
        ..opening()
    };
    let mut story = Story::opened_as(silent, whole_frame());
    story.does("cleo", take("cleo", Role::Commander));
    let resolve = Request::Resolve {
        summary: None,
        reason: Some("it was nothing".to_owned()),
    };
    story.does("cleo", resolve);
    story.later(TimeDelta::days(300));
    assert!(story.fires(TimerKey::Postmortem).is_empty());
}

#[test]
fn the_timer_is_set_and_cleared_with_what_it_waits_for() {
    let mut story = Story::in_learn();
    let timers = |story: &Story, written: &[Recorded]| -> Vec<Effect> {
        let effects = written.iter().flat_map(|event| react(story.state(), event));
        let about = |effect: &Effect| {
            matches!(
                effect,
                Effect::SetTimer {
                    key: TimerKey::Postmortem,
                    ..
                } | Effect::ClearTimer {
                    key: TimerKey::Postmortem
                }
            )
        };
        effects.filter(about).collect()
    };
    let resolved: Vec<_> = story
        .journal
        .iter()
        .filter(|recorded| matches!(recorded.event, Some(Event::Resolved { .. })))
        .cloned()
        .collect();
    let set = Effect::SetTimer {
        key: TimerKey::Postmortem,
        at: start() + DUE,
    };
    assert_eq!(timers(&story, &resolved), [set]);
    story.does("cleo", to(Review::InReview));
    let written = story.does("cleo", to(Review::Reviewed));
    let cleared = Effect::ClearTimer {
        key: TimerKey::Postmortem,
    };
    assert_eq!(timers(&story, &written), [cleared]);
}

#[test]
fn a_follow_up_is_due_as_the_config_says_unless_somebody_says_otherwise() {
    let settings = Settings {
        followup_due_s: Some(14 * 86_400),
        ..Settings::default()
    };
    let mut story = Story::opened_as(
        Opening {
            settings,
            ..opening()
        },
        whole_frame(),
    );
    let named = chrono::NaiveDate::from_ymd_opt(2027, 1, 1);
    for due in [None, named] {
        let add = Request::AddFollowup {
            text: "alert on the queue".to_owned(),
            owner: None,
            due,
            tracker: None,
            source: None,
        };
        story.does("ana", add);
    }
    let due: Vec<_> = story
        .state()
        .followups
        .values()
        .map(|followup| followup.due)
        .collect();
    assert_eq!(due, [chrono::NaiveDate::from_ymd_opt(2026, 12, 5), named]);
}
