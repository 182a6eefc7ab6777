//! Messages marked in the room.

use chrono::TimeDelta;

use super::kit::*;
use crate::incident::*;

fn mark(text: &str) -> Request {
    Request::Mark {
        marked: Marked {
            message: message("m1"),
            author: "Dan".to_owned(),
            text: text.to_owned(),
            files: Vec::new(),
        },
        at: start() - TimeDelta::minutes(3),
        reacted: true,
    }
}

fn unmark() -> Request {
    Request::Unmark {
        message: message("m1"),
        why: "taken back".to_owned(),
        at: Some(start()),
    }
}

fn edited(text: &str) -> Request {
    Request::MessageEdited {
        message: message("m1"),
        text: text.to_owned(),
        at: start(),
    }
}

fn only(story: &Story) -> &Mark {
    &story.state().marks[&message("m1")]
}

#[test]
fn two_people_who_mark_one_message_make_one_entry() {
    let mut story = Story::opened();
    story.does("ana", mark("the queue is full"));
    story.does("ben", mark("the queue is full"));
    assert_eq!(story.state().marks.len(), 1);
    assert_eq!(only(&story).by, [person("ana"), person("ben")].into());
}

#[test]
fn marking_twice_changes_nothing() {
    let mut story = Story::opened();
    story.does("ana", mark("full"));
    assert!(story.does("ana", mark("full")).is_empty());
}

#[test]
fn an_entry_has_the_messages_own_time() {
    let mut story = Story::opened();
    let written = story.does("ana", mark("full"));
    assert_eq!(written[0].occurred, start() - TimeDelta::minutes(3));
    assert_eq!(written[0].recorded, start());
    assert_eq!(written[0].source, "message");
}

#[test]
fn an_entry_stays_while_somebody_wants_it_there() {
    let mut story = Story::opened();
    story.does("ana", mark("full"));
    story.does("ben", mark("full"));
    story.does("ana", unmark());
    assert_eq!(only(&story).removed, None);
    story.does("ben", unmark());
    assert_eq!(only(&story).removed.as_deref(), Some("taken back"));
    assert!(story.does("ben", unmark()).is_empty());
    story.does("dan", mark("full"));
    assert_eq!(only(&story).removed, None, "and comes back when marked again");
}

#[test]
fn nobody_takes_back_the_mark_of_another() {
    let mut story = Story::opened();
    story.does("ana", mark("full"));
    assert!(story.does("ben", unmark()).is_empty());
    assert!(story.does("guest", unmark()).is_empty());
    assert_eq!(only(&story).removed, None);
}

#[test]
fn an_edit_keeps_the_earlier_words() {
    let mut story = Story::opened();
    story.does("ana", mark("the queue is full"));
    story.returns(edited("the queue is empty"));
    assert!(story.returns(edited("the queue is empty")).is_empty());
    assert_eq!(only(&story).marked.text, "the queue is empty");
    assert_eq!(only(&story).earlier, ["the queue is full"]);
}

#[test]
fn a_deleted_message_leaves_the_timeline_whoever_marked_it() {
    let mut story = Story::opened();
    story.does("ana", mark("full"));
    story.does("ben", mark("full"));
    let why = "the message was deleted".to_owned();
    story.returns(Request::Unmark {
        message: message("m1"),
        why,
        at: None,
    });
    assert_eq!(only(&story).removed.as_deref(), Some("the message was deleted"));
}

#[test]
fn what_nobody_marked_is_not_followed() {
    let mut story = Story::opened();
    assert!(story.returns(edited("anything")).is_empty());
    assert!(story.returns(unmark()).is_empty());
}

#[test]
fn a_guest_marks_nothing() {
    let mut story = Story::opened();
    insta::assert_snapshot!(story.refused("guest", mark("full")), @"guest may read here, not command. A member can do it, or the operator adds them with `orderly person add`.");
}

#[test]
fn an_edit_is_followed_after_the_incident_is_over() {
    let mut story = Story::opened();
    story.does("ana", mark("full"));
    story.does(
        "ana",
        Request::Cancel {
            reason: "a test".to_owned(),
        },
    );
    story.returns(edited("empty"));
    assert_eq!(only(&story).marked.text, "empty");
}
