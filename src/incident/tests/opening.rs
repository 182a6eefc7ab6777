use chrono::TimeDelta;
use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn open(opening: Opening, frame: Frame) -> Request {
    Request::Open {
        opening: Box::new(opening),
        frame,
        detected: None,
    }
}

#[test]
fn an_incident_opens_in_confirm_and_says_when_it_was_declared() {
    let story = Story::opened();
    let state = story.state();
    assert_eq!(state.phase, Phase::Confirm);
    assert_eq!(state.life, Life::Open);
    assert_eq!(state.moments[&Moment::Declared].at, start());
    assert_eq!(state.moments[&Moment::Detected].provenance, "opening");
    assert_eq!(state.involved, [person("ana")].into());
}

#[test]
fn a_whole_frame_given_at_the_opening_leads_straight_to_contain() {
    let story = Story::opened_as(opening(), whole_frame());
    assert_eq!(story.state().phase, Phase::Contain);
    assert_snapshot!(story.state().sentence.as_deref().unwrap_or_default(), @"Label printing has been down since 2026-11-21 02:40 UTC; affected: the night shift (forty trucks wait); still works: picking.");
}

#[test]
fn the_time_it_was_noticed_is_kept_with_who_said_so() {
    let mut story = Story::blank();
    let at = start() - TimeDelta::minutes(5);
    story.does(
        "ana",
        Request::Open {
            opening: Box::new(opening()),
            frame: Frame::default(),
            detected: Some(at),
        },
    );
    let detected = &story.state().moments[&Moment::Detected];
    assert_eq!((detected.at, detected.provenance.as_str()), (at, "said by ana"));
}

#[test]
fn an_incident_needs_a_title_that_fits_a_line() {
    let mut story = Story::blank();
    let nameless = Opening {
        title: " \n".to_owned(),
        ..opening()
    };
    assert_snapshot!(story.refused("ana", open(nameless, Frame::default())), @"The title is missing. Say it in a few words.");
    let long = Opening {
        title: "x".repeat(201),
        ..opening()
    };
    assert_snapshot!(story.refused("ana", open(long, Frame::default())), @"The title has 201 characters; 200 is the most. Say it in a few words and put the rest into a note.");
    let two_lines = Opening {
        title: "Labels\n\tdo not print".to_owned(),
        ..opening()
    };
    story.does("ana", open(two_lines, Frame::default()));
    assert_eq!(story.state().title, "Labels do not print");
}

#[test]
fn nothing_began_in_the_future() {
    let mut story = Story::blank();
    let frame = Frame {
        since: Some(start() + TimeDelta::hours(1)),
        ..whole_frame()
    };
    assert_snapshot!(story.refused("ana", open(opening(), frame)), @"2026-11-21 04:00 UTC lies in the future; it is 03:00 UTC now. Give the time it happened.");
}

#[test]
fn a_guest_opens_nothing() {
    let mut story = Story::blank();
    assert_snapshot!(story.refused("guest", open(opening(), Frame::default())), @"guest may read here, not command. A member can do it, or the operator adds them with `orderly person add`.");
}

#[test]
fn what_is_not_open_takes_no_commands() {
    let mut story = Story::blank();
    assert_snapshot!(story.refused("ana", next()), @"There is no such incident. `/list` shows the open ones.");
}

#[test]
fn an_incident_is_opened_once() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", open(opening(), Frame::default())), @"INC-7 is open already.");
}

#[test]
fn a_retroactive_incident_begins_in_learn_and_asks_when_it_was() {
    let mut story = Story::blank();
    let written_later = Opening {
        retroactive: true,
        ..opening()
    };
    assert_snapshot!(story.refused("ana", open(written_later.clone(), Frame::default())), @r#"A retroactive incident needs the time it began: add `since="2026-11-21 14:00"`."#);
    story.does("ana", open(written_later, whole_frame()));
    let state = story.state();
    assert_eq!(state.phase, Phase::Learn);
    assert!(
        !state.moments.contains_key(&Moment::Detected),
        "nobody has said when it was noticed"
    );
    assert_eq!(state.moments[&Moment::Onset].at, start() - TimeDelta::minutes(20));
}

#[test]
fn taking_a_role_in_a_retroactive_incident_acknowledges_nothing() {
    let mut story = Story::blank();
    story.does(
        "ana",
        open(
            Opening {
                retroactive: true,
                ..opening()
            },
            whole_frame(),
        ),
    );
    story.does("ben", take("ben", Role::Commander));
    assert!(!story.state().moments.contains_key(&Moment::Acknowledged));
}

#[test]
fn a_drill_stops_at_the_preview_outside_of_drill_targets() {
    let mut story = Story::blank();
    story.does(
        "ana",
        open(
            Opening {
                drill: true,
                ..opening()
            },
            whole_frame(),
        ),
    );
    let id = story.proposed(terms("stop", "odoo-prod"));
    assert_eq!(story.stage(id.0), "void");
    let Stage::Voided { why } = &story.proposal(id.0).stage else {
        panic!()
    };
    assert_snapshot!(why, @"This is a drill and odoo-prod is a production target: the exercise stops at the preview.");
}

#[test]
fn a_drill_acts_on_drill_targets() {
    let mut story = Story::blank();
    story.does(
        "ana",
        open(
            Opening {
                drill: true,
                ..opening()
            },
            whole_frame(),
        ),
    );
    let id = story.running(Terms {
        environment: Environment::Drill,
        ..terms("stop", "odoo-drill")
    });
    assert_eq!(story.stage(id.0), "running");
}

#[test]
fn even_an_action_without_quorum_stops_at_the_preview_of_a_drill() {
    let mut story = Story::blank();
    story.does(
        "ana",
        open(
            Opening {
                drill: true,
                ..opening()
            },
            whole_frame(),
        ),
    );
    let free = Policy {
        quorum: 0,
        role: None,
        expires_s: 60,
    };
    let id = story.proposed(Terms {
        policy: free,
        ..terms("stop", "odoo-prod")
    });
    assert_eq!(story.stage(id.0), "void");
}

#[test]
fn the_frame_reads_as_a_sentence_whatever_was_typed() {
    let say = |trouble, what: &str, works: &str| {
        let frame = Frame {
            trouble,
            what: Some(what.to_owned()),
            works: Some(works.to_owned()),
            ..Frame::default()
        };
        frame.sentence()
    };
    assert_snapshot!(say(Some(Trouble::Slow), "odoo-prod", "the rest."), @"odoo-prod is slow; still works: the rest.");
    assert_snapshot!(say(Some(Trouble::Function), "posting of invoices. ", "sales"), @"Posting of invoices does not work; still works: sales.");
    assert_snapshot!(say(None, "étiquettes", "ça va"), @"Étiquettes is wrong; still works: ça va.");
    assert_snapshot!(say(Some(Trouble::Down), "iPad app", ""), @"iPad app is down; still works: .");
    assert_snapshot!(Frame::default().sentence(), @"Something is wrong.");
}
