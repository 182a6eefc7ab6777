//! Tasks and follow-ups that people make of a message, and take back.

use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn at(marking: Marking) -> MarkedAt {
    MarkedAt {
        message: message("m1"),
        marking,
    }
}

fn task(marking: Marking) -> Request {
    Request::AddTask {
        text: "call the carrier".to_owned(),
        owner: None,
        source: Some(at(marking)),
    }
}

fn followup(marking: Marking) -> Request {
    Request::AddFollowup {
        text: "alert on the queue".to_owned(),
        owner: None,
        due: None,
        tracker: None,
        source: Some(at(marking)),
    }
}

fn task_back(marking: Marking) -> Request {
    Request::TakeTaskBack { source: at(marking) }
}

fn followup_back(marking: Marking) -> Request {
    Request::TakeFollowupBack { source: at(marking) }
}

const BY_REACTION: Marking = Marking::Reaction;

/// Which tasks are open, of those there are.
fn tasks(story: &Story) -> Vec<bool> {
    story
        .state()
        .tasks
        .values()
        .map(|task| task.end.is_none())
        .collect()
}

fn followups(story: &Story) -> Vec<bool> {
    let all = story.state().followups.values();
    all.map(|followup| followup.end.is_none()).collect()
}

fn says_that_it_stays(story: &Story, written: &[Recorded]) -> bool {
    let effects = written.iter().flat_map(|event| react(story.state(), event));
    let mut notices = effects.filter(|effect| matches!(effect, Effect::Notice { .. }));
    notices.next().is_some()
}

#[test]
fn what_a_reaction_made_goes_with_it() {
    let mut story = Story::opened();
    story.does("ana", task(BY_REACTION));
    story.does("ana", followup(BY_REACTION));
    story.does("ana", task_back(BY_REACTION));
    story.does("ana", followup_back(BY_REACTION));
    assert_eq!((tasks(&story), followups(&story)), (vec![false], vec![false]));
    let by = By::Person { id: person("ana") };
    assert_eq!(
        story.state().tasks[&TaskId(1)].end,
        Some(Ended::Dropped {
            by,
            reason: None,
            taken_back: true
        })
    );
    let again = story.does("ana", task_back(BY_REACTION));
    assert!(again.is_empty(), "it is taken back once: {again:?}");
}

#[test]
fn of_two_who_reacted_the_last_takes_it_back() {
    for (add, back) in [
        (task as fn(_) -> _, task_back as fn(_) -> _),
        (followup, followup_back),
    ] {
        let mut story = Story::opened();
        for name in ["ana", "ben"] {
            story.does(name, add(BY_REACTION));
        }
        let twice = story.does("ben", add(BY_REACTION));
        assert!(twice.is_empty(), "{twice:?}");
        let first = story.does("ana", back(BY_REACTION));
        let open = || [tasks(&story), followups(&story)].concat();
        assert_eq!(open(), [true]);
        assert!(
            !says_that_it_stays(&story, &first),
            "nobody wonders: ben still wants it"
        );
        story.does("ben", back(BY_REACTION));
        let open = || [tasks(&story), followups(&story)].concat();
        assert_eq!(open(), [false]);
    }
}

#[test]
fn a_reaction_that_comes_again_makes_it_again() {
    let mut story = Story::opened();
    for _ in 0..2 {
        story.does("ana", task(BY_REACTION));
        story.does("ana", task_back(BY_REACTION));
    }
    story.does("ana", task(BY_REACTION));
    assert_eq!(tasks(&story), [false, false, true]);
}

#[test]
fn a_task_that_somebody_took_on_is_left_alone_and_whoever_took_the_reaction_back_is_told() {
    let mut story = Story::opened();
    story.does("ana", task(BY_REACTION));
    story.does(
        "ben",
        Request::AssignTask {
            task: TaskId(1),
            owner: person("ben"),
        },
    );
    let written = story.does("ana", task_back(BY_REACTION));
    assert_eq!(tasks(&story), [true]);
    assert!(says_that_it_stays(&story, &written));
    let again = story.does("ana", task_back(BY_REACTION));
    assert!(again.is_empty(), "and told once: {again:?}");
}

#[test]
fn a_follow_up_that_somebody_changed_by_hand_is_left_alone() {
    let mut story = Story::opened();
    story.does("ana", followup(BY_REACTION));
    story.does(
        "ben",
        Request::ChangeFollowup {
            followup: FollowupId(1),
            owner: None,
            due: None,
            tracker: Some("https://tracker.example/1".to_owned()),
        },
    );
    let written = story.does("ana", followup_back(BY_REACTION));
    assert_eq!(followups(&story), [true]);
    assert!(says_that_it_stays(&story, &written));
}

#[test]
fn what_is_done_stays_done_and_needs_no_word() {
    let mut story = Story::opened();
    story.does("ana", task(BY_REACTION));
    story.does(
        "ben",
        Request::FinishTask {
            task: TaskId(1),
            note: None,
        },
    );
    let written = story.does("ana", task_back(BY_REACTION));
    assert!(matches!(
        story.state().tasks[&TaskId(1)].end,
        Some(Ended::Done { .. })
    ));
    assert!(!says_that_it_stays(&story, &written));
}

#[test]
fn what_was_dropped_by_hand_stays_dropped_while_the_reaction_stands() {
    let mut story = Story::opened();
    story.does("ana", task(BY_REACTION));
    story.does(
        "ben",
        Request::DropTask {
            task: TaskId(1),
            reason: None,
        },
    );
    assert!(story.does("ana", task(BY_REACTION)).is_empty(), "known already");
    story.does("cleo", task(BY_REACTION));
    assert_eq!(tasks(&story), [false]);
    for name in ["ana", "cleo"] {
        story.does(name, task_back(BY_REACTION));
    }
    story.does("ana", task(BY_REACTION));
    assert_eq!(
        tasks(&story),
        [false, true],
        "when all of them are gone, the next is a new one"
    );
}

#[test]
fn what_somebody_asked_for_by_the_menu_does_not_go_with_a_reaction() {
    for menu_first in [true, false] {
        let mut story = Story::opened();
        let mut marks = [("ana", Marking::Asked), ("ben", BY_REACTION)];
        if !menu_first {
            marks.reverse();
        }
        for (name, marking) in marks {
            story.does(name, task(marking));
        }
        story.does("ben", task_back(BY_REACTION));
        assert_eq!(tasks(&story), [true], "menu first: {menu_first}");
    }
}

#[test]
fn a_reaction_at_a_copy_is_not_the_one_at_the_message() {
    let mut story = Story::opened();
    story.does("ana", task(Marking::Copy));
    assert!(
        story.does("ana", task_back(BY_REACTION)).is_empty(),
        "none stood there"
    );
    story.does("ana", task_back(Marking::Copy));
    assert_eq!(tasks(&story), [false]);
}

#[test]
fn nobody_takes_back_what_others_made() {
    let mut story = Story::opened();
    story.does("ana", task(BY_REACTION));
    assert!(story.does("ben", task_back(BY_REACTION)).is_empty());
    assert_eq!(tasks(&story), [true]);
}

#[test]
fn a_follow_up_is_taken_back_after_the_end_and_a_task_is_not() {
    let mut story = Story::in_learn();
    story.does("ana", followup(BY_REACTION));
    story.does("ana", task(BY_REACTION));
    story.does(
        "cleo",
        Request::Close {
            reason: Some("all is said".to_owned()),
        },
    );
    story.does("ana", followup_back(BY_REACTION));
    assert_eq!(followups(&story), [false]);
    let refused = story.refused("ana", task_back(BY_REACTION));
    assert_snapshot!(refused, @"INC-7 is closed. Reopen it with a reason if it is not over.");
}

/// Rows of a program that did not know who asked by what: they read, and no reaction takes such a task back.
#[test]
fn rows_without_the_way_it_was_asked_for_read_as_asked_in_words() {
    let read = |payload: &str, kind: &str| Event::read(kind, VERSION, payload).expect("an old row reads");
    let place = r#"{"room":{"platform":"slack","workspace":"T1","room":"C1"},"message":"1.2"}"#;
    let added = format!(r#"{{"event":"task_added","task":1,"text":"call","owner":null,"source":{place}}}"#);
    let added = read(&added, "task_added");
    assert!(matches!(
        added,
        Event::TaskAdded {
            marking: Marking::Asked,
            ..
        }
    ));
    let dropped = r#"{"event":"task_dropped","task":1,"reason":null}"#;
    let dropped = read(dropped, "task_dropped");
    assert!(matches!(
        dropped,
        Event::TaskDropped {
            taken_back: false,
            ..
        }
    ));
    let written = serde_json::to_string(&dropped).expect("JSON");
    assert_eq!(
        written, r#"{"event":"task_dropped","task":1,"reason":null}"#,
        "and what has nothing new to say is written as before"
    );
}
