//! Updates and their reminders, and the words and numbers that people correct.

use chrono::TimeDelta;
use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn update(next_s: Option<u64>) -> Request {
    Request::SendUpdate {
        text: "labels print again in an hour".to_owned(),
        next_s,
    }
}

#[test]
fn an_update_promises_the_next_one_by_severity() {
    let mut story = Story::opened();
    story.does("ana", update(None));
    assert_eq!(
        story.state().update_due,
        Some(start() + TimeDelta::hours(1)),
        "SEV2 is hourly"
    );
    story.does("ana", update(Some(600)));
    assert_eq!(story.state().update_due, Some(start() + TimeDelta::minutes(10)));
}

#[test]
fn the_next_update_is_reminded_of_until_it_comes_or_is_snoozed() {
    let mut story = Story::opened();
    story.does("ana", update(Some(600)));
    assert!(story.fires(TimerKey::Update).is_empty(), "it is not due yet");
    story.later(TimeDelta::minutes(10));
    assert_eq!(kinds(&story.fires(TimerKey::Update)), ["update_reminded"]);
    story.does("ana", Request::SnoozeUpdate { for_s: 900 });
    assert!(story.fires(TimerKey::Update).is_empty());
    story.later(TimeDelta::minutes(15));
    assert_eq!(kinds(&story.fires(TimerKey::Update)), ["update_reminded"]);
}

#[test]
fn a_wait_has_a_length_that_means_something() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", Request::SnoozeUpdate { for_s: 60 }), @"No update is due, so there is nothing to snooze.");
    assert_snapshot!(story.refused("ana", update(Some(0))), @"No time at all is no wait. Give some minutes: `30m`.");
    assert_snapshot!(story.refused("ana", update(Some(u64::MAX))), @"Thirty days is the longest that Orderly waits. Make it a follow-up with a due day.");
    story.does("ana", update(None));
    assert!(
        story
            .refused("ana", Request::SnoozeUpdate { for_s: u64::MAX })
            .contains("Thirty days")
    );
}

#[test]
fn the_last_update_needs_no_next_one() {
    let mut story = Story::in_learn();
    story.does("ana", update(None));
    assert_eq!(story.state().update_due, None);
}

#[test]
fn what_people_correct_is_kept_with_what_it_was() {
    let mut story = Story::opened();
    let to = Severity::Sev1;
    let written = story.does("ana", Request::SetSeverity { to, reason: None });
    assert_eq!(
        written[0].event,
        Some(Event::SeverityChanged {
            from: Severity::Sev2,
            to,
            reason: None
        })
    );
    assert_snapshot!(story.refused("ana", Request::SetSeverity { to, reason: None }), @"It is SEV1 already.");
    story.does(
        "ana",
        Request::Retitle {
            title: "Labels are late".to_owned(),
        },
    );
    assert_snapshot!(story.refused("ana", Request::Retitle { title: "Labels are late".to_owned() }), @r#"The title is "Labels are late" already."#);
    story.does(
        "ana",
        Request::SetProcess {
            to: Process::Carriers,
        },
    );
    assert_snapshot!(story.refused("ana", Request::SetProcess { to: Process::Carriers }), @"The process is carrier-connectivity already.");
    story.does(
        "ana",
        Request::AddTarget {
            target: "redis-prod".to_owned(),
        },
    );
    assert_snapshot!(story.refused("ana", Request::AddTarget { target: "redis-prod".to_owned() }), @"redis-prod is a target already.");
}

#[test]
fn a_moment_is_said_by_somebody_and_lies_in_the_past() {
    let mut story = Story::opened();
    let at = start() - TimeDelta::minutes(9);
    story.does(
        "ben",
        Request::SetMoment {
            moment: Moment::Detected,
            at,
        },
    );
    let set = &story.state().moments[&Moment::Detected];
    assert_eq!((set.at, set.provenance.as_str()), (at, "said by ben"));
    let at = start() + TimeDelta::minutes(9);
    assert_snapshot!(story.refused("ben", Request::SetMoment { moment: Moment::Detected, at }), @"That time lies in the future. Give the time it happened.");
}

#[test]
fn a_link_is_kept_once_and_never_to_itself() {
    let mut story = Story::opened();
    let related = |number| Request::Link {
        link: Link::Related {
            incident: IncidentId(number),
        },
    };
    assert_snapshot!(story.refused("ana", related(7)), @"An incident is always related to itself. Name another one.");
    story.does("ana", related(3));
    assert_snapshot!(story.refused("ana", related(3)), @"That is linked already.");
}

#[test]
fn the_review_goes_its_way_and_by_other_eyes() {
    let mut story = Story::in_learn();
    let to = |to| Request::Review { to, note: None };
    assert_snapshot!(story.refused("ana", to(Review::Reviewed)), @"The post-mortem is draft; it cannot become reviewed. The way is draft, in-review, reviewed, closed.");
    let text = "the deploy dropped an index".to_owned();
    story.does(
        "ana",
        Request::WriteSection {
            section: Section::Cause,
            text,
        },
    );
    story.does("ana", to(Review::InReview));
    assert_snapshot!(story.refused("ana", to(Review::Reviewed)), @"You wrote the last word of it. Somebody else has to review it.");
    story.does("ben", to(Review::Reviewed));
    assert_eq!(story.state().review, Review::Reviewed);
}

#[test]
fn a_team_of_one_reviews_its_own() {
    let mut story = Story::in_learn();
    story.around.people.retain(|id, _| *id == person("cleo"));
    story.does(
        "cleo",
        Request::WriteSection {
            section: Section::Cause,
            text: "the deploy".to_owned(),
        },
    );
    story.review();
    assert_eq!(story.state().review, Review::Reviewed);
}

#[test]
fn redacting_is_for_who_leads_and_says_why() {
    let mut story = Story::framed();
    let redact = |reason: &str| Request::RecordRedaction {
        row: 3,
        reason: reason.to_owned(),
        messages: Vec::new(),
        gaps: Vec::new(),
    };
    assert_snapshot!(story.refused("dan", redact("a password")), @"Only the commander (cleo) or the deputy may redact the journal. Ask them, or take over with `/handover`.");
    assert_snapshot!(story.refused("cleo", redact("")), @"The reason is missing. Say it in a few words.");
    story.does("cleo", redact("a password"));
}
