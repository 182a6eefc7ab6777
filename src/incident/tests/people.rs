use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn hand_over(role: Role, to: &str) -> Request {
    Request::HandOver {
        role,
        to: person(to),
        note: None,
    }
}

fn release(name: &str, role: Role) -> Request {
    Request::ReleaseRole {
        role,
        person: person(name),
    }
}

fn page(role: Option<Role>, people: &[&str]) -> Request {
    Request::Page {
        role,
        people: people.iter().map(|name| person(name)).collect(),
        message: None,
    }
}

#[test]
fn anybody_takes_a_command_that_nobody_has() {
    let mut story = Story::opened();
    story.does("dan", take("dan", Role::Commander));
    assert_eq!(story.state().commander(), Some(&person("dan")));
    assert_snapshot!(story.refused("dan", take("dan", Role::Commander)), @"dan holds the role commander already.");
}

#[test]
fn a_held_command_is_handed_over_or_taken_by_who_is_entitled() {
    let mut story = Story::opened();
    story.does("dan", take("dan", Role::Commander));
    assert_snapshot!(story.refused("ben", take("ben", Role::Commander)), @"dan holds the role commander. They can hand it over, or somebody entitled to it takes it.");
    story.does("cleo", take("cleo", Role::Commander));
    assert_eq!(story.state().commander(), Some(&person("cleo")));
    story.does("cleo", hand_over(Role::Commander, "ben"));
    assert_eq!(story.state().commander(), Some(&person("ben")));
}

#[test]
fn nobody_becomes_an_approver_in_a_room() {
    let mut story = Story::framed();
    assert_snapshot!(story.refused("dan", take("dan", Role::Approver)), @"dan is not entitled to approve. The operator gives that with `orderly person grant dan approver`; nobody can give it in a room.");
    story.does("ben", take("ben", Role::Approver));
    assert_snapshot!(story.refused("ben", hand_over(Role::Approver, "dan")), @"dan is not entitled to approve, so this role cannot be theirs.");
}

#[test]
fn a_guest_gets_no_role() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", take("guest", Role::Scribe)), @"guest is not a member here, so it cannot be theirs.");
}

#[test]
fn what_nobody_holds_cannot_be_handed_over() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", hand_over(Role::Commander, "ben")), @"Nobody holds the role commander, so there is nothing to hand over. Assign it instead.");
    story.does("cleo", take("cleo", Role::Commander));
    assert_snapshot!(story.refused("ana", hand_over(Role::Commander, "ben")), @"Only the commander (cleo) or the deputy may hand over somebody else's role. Ask them, or take over with `/handover`.");
    assert_snapshot!(story.refused("cleo", hand_over(Role::Commander, "cleo")), @"cleo holds the role commander already.");
}

#[test]
fn a_role_is_given_back_by_its_holder_or_taken_by_who_leads() {
    let mut story = Story::opened();
    story.does("cleo", take("cleo", Role::Commander));
    story.does("ben", take("ben", Role::Scribe));
    assert_snapshot!(story.refused("dan", release("cleo", Role::Commander)), @"Only the commander (cleo) or the deputy may take a role off somebody. Ask them, or take over with `/handover`.");
    assert_snapshot!(story.refused("dan", release("dan", Role::Scribe)), @"dan does not hold the role scribe here.");
    story.does("cleo", release("ben", Role::Scribe));
    story.does("cleo", release("cleo", Role::Commander));
    assert_eq!(story.state().commander(), None);
}

#[test]
fn an_unclaimed_command_is_asked_for() {
    let mut story = Story::opened();
    let nudge = TimerKey::Nudge {
        role: Role::Commander,
    };
    assert_eq!(kinds(&story.fires(nudge.clone())), ["role_nudged"]);
    story.does("cleo", take("cleo", Role::Commander));
    assert!(story.fires(nudge).is_empty());
}

#[test]
fn where_it_is_grave_a_scribe_and_a_liaison_are_asked_for_as_well() {
    let timers = |story: &Story, written: &[Recorded]| -> Vec<(Role, i64)> {
        let effects = written.iter().flat_map(|recorded| react(story.state(), recorded));
        let set = effects.filter_map(|effect| match effect {
            Effect::SetTimer {
                key: TimerKey::Nudge { role },
                at,
            } => Some((role, (at - story.clock).num_minutes())),
            _ => None,
        });
        set.collect()
    };
    let sev3 = Opening {
        severity: Severity::Sev3,
        ..opening()
    };
    let mut story = Story::opened_as(sev3, Frame::default());
    assert_eq!(timers(&story, &story.journal), [(Role::Commander, 5)]);
    let scribe = TimerKey::Nudge { role: Role::Scribe };
    assert!(story.fires(scribe.clone()).is_empty(), "not for this");
    story.does("dan", take("dan", Role::Liaison));
    let worse = story.does(
        "ana",
        Request::SetSeverity {
            to: Severity::Sev1,
            reason: None,
        },
    );
    assert_eq!(timers(&story, &worse), [(Role::Scribe, 10)], "dan is the liaison");
    let nudged = story.fires(scribe.clone());
    assert_eq!(kinds(&nudged), ["role_nudged"]);
    assert!(timers(&story, &nudged).is_empty(), "once");
    story.does("ben", take("ben", Role::Scribe));
    assert!(story.fires(scribe).is_empty());
}

#[test]
fn several_respond() {
    let mut story = Story::opened();
    story.does("ben", take("ben", Role::Responder));
    story.does("dan", take("dan", Role::Responder));
    assert_eq!(
        story.state().roles[&Role::Responder],
        [person("ben"), person("dan")].into()
    );
    assert_snapshot!(story.refused("ben", hand_over(Role::Responder, "dan")), @"dan holds the role responder already.");
}

#[test]
fn the_first_word_of_somebody_else_takes_it_up() {
    let mut story = Story::opened();
    story.does(
        "ana",
        Request::Note {
            text: "anybody here?".to_owned(),
        },
    );
    assert!(!story.state().moments.contains_key(&Moment::Acknowledged));
    let written = story.does("ben", Request::Frame { frame: whole_frame() });
    assert_eq!(
        kinds(&written)
            .iter()
            .filter(|kind| **kind == "acknowledged")
            .count(),
        1
    );
    assert_eq!(
        story.state().moments[&Moment::Acknowledged].provenance,
        "taken up by ben"
    );
}

#[test]
fn a_page_is_repeated_until_one_acknowledges() {
    let mut story = Story::opened();
    story.does("ana", page(None, &["ben", "dan"]));
    let timer = TimerKey::Page { page: PageId(1) };
    assert_eq!(kinds(&story.fires(timer.clone())), ["page_repeated"]);
    story.does("dan", Request::Acknowledge { page: None });
    assert_eq!(story.state().pages[&PageId(1)].acknowledged, Some(person("dan")));
    assert!(story.fires(timer).is_empty());
    assert_snapshot!(story.refused("ben", Request::Acknowledge { page: Some(PageId(1)) }), @"It is acknowledged already; no page waits for you.");
    assert_snapshot!(story.refused("ben", Request::Acknowledge { page: Some(PageId(2)) }), @"There is no page N2 here; there is N1.");
}

#[test]
fn a_page_reaches_who_holds_the_role_or_else_who_could() {
    let mut story = Story::opened();
    story.does("ana", page(Some(Role::Approver), &[]));
    assert_eq!(
        story.state().pages[&PageId(1)].people,
        ["ana", "ben", "cleo"].map(person)
    );
    story.does("ben", take("ben", Role::Approver));
    story.does("ana", page(Some(Role::Approver), &[]));
    assert_eq!(story.state().pages[&PageId(2)].people, [person("ben")]);
    assert_snapshot!(story.refused("ana", page(Some(Role::Liaison), &[])), @"There is nobody to page: no one holds or is entitled to be a liaison. Name a person: `/page ana`.");
    assert_snapshot!(story.refused("ana", page(None, &["guest"])), @"guest is no member here and cannot be paged. Name somebody else, or ask the operator to add them.");
}

#[test]
fn who_is_paged_belongs_to_the_incident() {
    let mut story = Story::opened();
    story.does("ana", page(None, &["dan"]));
    assert!(story.state().members().contains(&person("dan")));
    assert!(
        !story.state().involved.contains(&person("dan")),
        "being asked is not having come"
    );
}

#[test]
fn tasks_have_an_owner_and_end_once() {
    let mut story = Story::opened();
    let add = |owner: &str| Request::AddTask {
        text: "call the carrier".to_owned(),
        owner: Some(person(owner)),
        source: None,
    };
    assert_snapshot!(story.refused("ana", add("guest")), @"guest is not a member here, so it cannot be theirs.");
    story.does("ana", add("ben"));
    story.does(
        "ana",
        Request::AssignTask {
            task: TaskId(1),
            owner: person("dan"),
        },
    );
    assert_eq!(story.state().tasks[&TaskId(1)].owner, Some(person("dan")));
    let finish = |task| Request::FinishTask {
        task,
        note: Some(" ".to_owned()),
    };
    story.does("dan", finish(TaskId(1)));
    assert!(matches!(
        story.state().tasks[&TaskId(1)].end,
        Some(Ended::Done { note: None, .. })
    ));
    assert_snapshot!(story.refused("dan", finish(TaskId(1))), @"T1 is done already.");
    assert_snapshot!(story.refused("dan", finish(TaskId(2))), @"There is no task T2 here; there is T1.");
    assert_snapshot!(story.refused("dan", Request::AddTask { text: String::new(), owner: None, source: None }), @"The task is missing. Say it in a few words.");
}

#[test]
fn follow_ups_have_an_owner_a_day_and_a_tracker() {
    let mut story = Story::opened();
    let due = chrono::NaiveDate::from_ymd_opt(2026, 12, 1);
    let add = Request::AddFollowup {
        text: "alert on the queue".to_owned(),
        owner: None,
        due: None,
        tracker: None,
        source: None,
    };
    story.does("ana", add);
    let change = |owner, due, tracker| Request::ChangeFollowup {
        followup: FollowupId(1),
        owner,
        due,
        tracker,
    };
    assert_snapshot!(story.refused("ana", change(None, None, None)), @"Say what changes: the owner, the due day or the tracker link.");
    story.does("ana", change(Some(person("ben")), None, None));
    story.does("ana", change(None, due, Some("https://tracker/1".to_owned())));
    let known = &story.state().followups[&FollowupId(1)];
    assert_eq!(
        (known.owner.clone(), known.due),
        (Some(person("ben")), due),
        "a change keeps the rest"
    );
    story.does(
        "ben",
        Request::DropFollowup {
            followup: FollowupId(1),
            reason: None,
        },
    );
    assert_snapshot!(story.refused("ben", Request::FinishFollowup { followup: FollowupId(1), note: None }), @"F1 was dropped.");
}

fn invite(name: &str) -> Request {
    Request::Invite {
        people: vec![person(name)],
    }
}

#[test]
fn whoever_is_invited_is_told_brought_into_the_rooms_and_a_member() {
    let mut story = Story::opened();
    let opened = Request::RoomOpened {
        room: room("inc-7"),
        audience: Audience::Internal,
    };
    story.returns(opened);
    let written = story.does("ana", invite("dan"));
    assert!(story.state().members().contains(&person("dan")));
    let effects: Vec<_> = written
        .iter()
        .flat_map(|event| react(story.state(), event))
        .collect();
    let brought = Effect::Invite {
        person: person("dan"),
    };
    assert!(effects.contains(&brought), "{effects:?}");
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Direct { person, .. } if person.0 == "dan")),
        "{effects:?}"
    );
    assert_snapshot!(story.refused("ana", invite("dan")), @"dan is in already.");
}

#[test]
fn guests_and_strangers_are_not_invited() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", invite("guest")), @"guest is no member here and cannot be invited. Ask the operator to add them with `orderly person add`.");
    assert!(story.refused("ana", invite("zoe")).contains("is no member here"));
    assert!(story.refused("guest", invite("dan")).contains("may read here"));
}

#[test]
fn whoever_is_given_a_follow_up_of_a_private_incident_may_see_it() {
    let opening = Opening {
        private: true,
        ..opening()
    };
    let mut story = Story::opened_as(opening, whole_frame());
    let room = room("war");
    let audience = Audience::Internal;
    story.returns(Request::RoomOpened { room, audience });
    let add = |owner: Option<&str>| Request::AddFollowup {
        text: "rotate the keys".to_owned(),
        owner: owner.map(person),
        due: None,
        tracker: None,
        source: None,
    };
    let invited = |story: &Story, written: &[Recorded]| -> Vec<PersonId> {
        let effects = written.iter().flat_map(|recorded| react(story.state(), recorded));
        let invited = effects.filter_map(|effect| match effect {
            Effect::Invite { person } => Some(person),
            _ => None,
        });
        invited.collect()
    };
    let written = story.does("ana", add(None));
    assert!(invited(&story, &written).is_empty());
    assert!(!story.state().members().contains(&person("dan")));
    let written = story.does("ana", add(Some("dan")));
    assert_eq!(invited(&story, &written), [person("dan")]);
    assert!(story.state().members().contains(&person("dan")));
    let given = Request::ChangeFollowup {
        followup: FollowupId(1),
        owner: Some(person("ben")),
        due: None,
        tracker: None,
    };
    let written = story.does("ana", given);
    assert_eq!(invited(&story, &written), [person("ben")]);
}
