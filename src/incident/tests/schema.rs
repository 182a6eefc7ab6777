//! Old data stays readable: the shapes of the events are checked in, and a journal of each version replays for ever.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::desk;
use crate::incident::*;

/// A line of a golden journal.
#[derive(Serialize, Deserialize)]
struct Line {
    kind: String,
    version: u16,
    recorded: chrono::DateTime<chrono::Utc>,
    occurred: chrono::DateTime<chrono::Utc>,
    source: String,
    by: By,
    payload: serde_json::Value,
}

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn same_as_checked_in<T: JsonSchema>(path: &str) {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(T)).expect("a schema is JSON") + "\n";
    let path = at_root(path);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &schema).expect("the schema can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == schema,
        "The shape of an event has changed, and {} does not know.\n\
         Journals of every earlier version must still read. If the change is deliberate:\n\
         1. raise VERSION in event.rs and bring old payloads up in Event::read, unless every old one still reads as it is,\n\
         2. add a golden journal of the new shape beside those in tests/golden/ (the old ones stay as they are),\n\
         3. run this test with UPDATE_SCHEMAS=1 and commit the schema with the change.",
        path.display()
    );
}

#[test]
fn the_events_of_an_incident_have_the_shape_that_is_checked_in() {
    same_as_checked_in::<Event>("schemas/incident-events.schema.json");
}

#[test]
fn the_events_of_the_desk_have_the_shape_that_is_checked_in() {
    same_as_checked_in::<desk::Event>("schemas/desk-events.schema.json");
}

/// Every kind there is, from the schema itself.
fn known_kinds<T: JsonSchema>() -> BTreeSet<String> {
    let schema = serde_json::to_value(schemars::schema_for!(T)).expect("a schema is JSON");
    let variants = schema["oneOf"]
        .as_array()
        .expect("an event is one of many")
        .iter();
    let kind = |variant: &serde_json::Value| {
        variant["properties"]["event"]["const"]
            .as_str()
            .map(str::to_owned)
    };
    variants
        .map(|variant| kind(variant).expect("each has its tag"))
        .collect()
}

/// A golden journal, written by `WRITE_GOLDEN=1` where it is not there yet. One that is there is never changed.
fn keep_golden(name: &str, missing: impl Fn() -> Vec<Line>) {
    let folder = at_root("tests/golden");
    let path = folder.join(format!("{name}.jsonl"));
    if !path.exists() && std::env::var_os("WRITE_GOLDEN").is_some() {
        let lines: Vec<_> = missing()
            .iter()
            .map(|line| serde_json::to_string(line).expect("a line"))
            .collect();
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(&path, lines.join("\n") + "\n").expect("the journal can be written");
    }
}

/// The golden journals whose name begins so, oldest first.
fn golden(prefix: &str, missing: impl Fn() -> Vec<Line>) -> Vec<Vec<Line>> {
    keep_golden(&format!("{prefix}-v1"), missing);
    kept_golden(prefix)
}

fn kept_golden(prefix: &str) -> Vec<Vec<Line>> {
    let folder = at_root("tests/golden");
    let files = std::fs::read_dir(&folder).expect("tests/golden is there");
    let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    let of_prefix = paths.iter().filter(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(prefix))
    });
    of_prefix
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a golden journal");
            text.lines()
                .map(|line| serde_json::from_str(line).expect("a line of it"))
                .collect()
        })
        .collect()
}

fn incident_lines(journal: &[Recorded]) -> Vec<Line> {
    let line = |recorded: &Recorded| {
        let event = recorded.event.as_ref()?;
        Some(Line {
            kind: event.kind().to_owned(),
            version: VERSION,
            recorded: recorded.recorded,
            occurred: recorded.occurred,
            source: recorded.source.clone(),
            by: recorded.by.clone(),
            payload: serde_json::to_value(event).ok()?,
        })
    };
    journal.iter().filter_map(line).collect()
}

fn replay(lines: &[Line]) -> State {
    let read = |(at, line): (usize, &Line)| Recorded {
        seq: at as u64 + 1,
        recorded: line.recorded,
        occurred: line.occurred,
        source: line.source.clone(),
        by: line.by.clone(),
        event: Some(
            Event::read(&line.kind, line.version, &line.payload.to_string()).expect("every old line reads"),
        ),
    };
    let journal: Vec<_> = lines.iter().enumerate().map(read).collect();
    State::replay(&journal).expect("an incident")
}

#[test]
fn the_first_golden_journal_replays_for_ever() {
    let journals = golden("incident", || incident_lines(&everything().journal));
    let state = replay(&journals[0]);
    assert_eq!(state.illegal, Vec::new());
    let stages: Vec<_> = state
        .proposals
        .values()
        .map(|p| format!("{}: {}", p.id, p.stage.word()))
        .collect();
    insta::assert_snapshot!(stages.join("\n"), @r"
    A1: no preview
    A2: refused
    A3: withdrawn
    A4: expired
    A5: stopped by its precondition
    A6: verified
    A7: verified
    A8: verified
    A9: verified
    A10: void
    ");
    insta::assert_snapshot!(
        format!("{}, {:?}, {} events, {} findings, {} tasks, {} marks", state.title, state.life, state.seq, state.findings.len(), state.tasks.len(), state.marks.len()),
        @"Labels are late, Duplicate { of: IncidentId(3) }, 150 events, 1 findings, 2 tasks, 1 marks"
    );
}

#[test]
fn the_golden_journal_with_files_invitations_and_reminders_replays_for_ever() {
    keep_golden("incident-v1b", || incident_lines(&files_and_reminders().journal));
    let journals = golden("incident", || incident_lines(&everything().journal));
    let state = replay(&journals[1]);
    assert_eq!(state.illegal, Vec::new());
    let fates: Vec<_> = state.marks[&message("m1")].files.values().collect();
    insta::assert_debug_snapshot!(fates, @r#"
    [
        Kept {
            size: 12,
            sha256: "abababababababababababababababababababababababababababababababab",
            event: 13,
        },
        Missed {
            why: "as it was",
            event: 14,
        },
    ]
    "#);
    insta::assert_snapshot!(
        format!("{:?}, review {}, invited {:?}, {} events", state.life, state.review, state.invited, state.seq),
        @r#"Closed, review closed, invited {PersonId("dan")}, 39 events"#
    );
}

/// Rooms come, go, are shut and opened again; a platform goes and comes back.
fn rooms_story() -> Story {
    let mut story = Story::opened();
    let slack = |name: &str| RoomRef {
        platform: "slack".to_owned(),
        ..room(name)
    };
    story.does("ana", take("ana", Role::Commander));
    story.returns(Request::RoomOpened {
        room: room("inc-7"),
        audience: Audience::Internal,
    });
    story.does(
        "ana",
        Request::AddRoom {
            room: slack("ops"),
            audience: Audience::Guest,
            readable: true,
        },
    );
    let asked = Request::AskRoom {
        platform: "slack".to_owned(),
        audience: Audience::Internal,
    };
    story.does("ana", asked.clone());
    story.returns(Request::RoomFailed {
        why: "as it was".to_owned(),
        further: Some(("slack".to_owned(), Audience::Internal)),
    });
    story.does("ana", asked);
    story.returns(Request::RoomOpened {
        room: slack("inc-7"),
        audience: Audience::Internal,
    });
    story.does("ana", Request::SetCarry { on: true });
    let platform = || "slack".to_owned();
    story.returns(Request::PlatformLost {
        platform: platform(),
        since: start(),
    });
    story.returns(Request::PlatformBack { platform: platform() });
    story.does("ana", Request::LeaveRoom { room: slack("ops") });
    let reason = || "as it was".to_owned();
    story.does("ana", Request::Cancel { reason: reason() });
    story.returns(Request::RoomArchived { room: room("inc-7") });
    story.does("ana", Request::Reopen { reason: reason() });
    story.returns(Request::RoomUnarchived {
        room: room("inc-7"),
        why: None,
    });
    story.returns(Request::RoomLost {
        room: slack("inc-7"),
        why: reason(),
    });
    story
}

#[test]
fn the_golden_journal_with_several_rooms_replays_for_ever() {
    keep_golden("incident-v1r", || incident_lines(&rooms_story().journal));
    let state = replay(&kept_golden("incident-v1r")[0]);
    let rooms: Vec<_> = state
        .rooms
        .iter()
        .map(|room| format!("{} {} {}", room.at, room.audience, room.made))
        .collect();
    assert_eq!(rooms, ["local/local/inc-7 internal true"]);
    assert!(state.carry && state.lost.is_empty() && state.rooms_asked.is_empty());
}

#[test]
fn the_golden_journal_with_approvals_through_a_group_replays_for_ever() {
    keep_golden("incident-v1g", || incident_lines(&through_a_group().journal));
    let state = replay(&kept_golden("incident-v1g")[0]);
    assert_eq!(state.illegal, Vec::new());
    let missed: Vec<_> = state
        .groups_missed
        .iter()
        .map(|(group, (why, _))| format!("{group}: {why}"))
        .collect();
    insta::assert_snapshot!(missed.join("\n"), @"slack/@approvers: it is disabled");
    insta::assert_snapshot!(state.proposals[&ProposalId(1)].stage.word(), @"approved");
}

/// What people make of a message, and take back.
fn taken_back() -> Story {
    let mut story = Story::opened();
    let source = || MarkedAt {
        message: message("m1"),
        marking: Marking::Reaction,
    };
    for name in ["ana", "ben"] {
        let task = Request::AddTask {
            text: "call the carrier".to_owned(),
            owner: None,
            source: Some(source()),
        };
        story.does(name, task);
        let followup = Request::AddFollowup {
            text: "alert on the queue".to_owned(),
            owner: None,
            due: None,
            tracker: None,
            source: Some(source()),
        };
        story.does(name, followup);
    }
    for name in ["ana", "ben"] {
        story.does(name, Request::TakeTaskBack { source: source() });
        story.does(name, Request::TakeFollowupBack { source: source() });
    }
    story
}

#[test]
fn the_golden_journal_with_reactions_taken_back_replays_for_ever() {
    keep_golden("incident-v1t", || incident_lines(&taken_back().journal));
    let state = replay(&kept_golden("incident-v1t")[0]);
    assert_eq!(state.illegal, Vec::new());
    let ends = [&state.tasks[&TaskId(1)].end, &state.followups[&FollowupId(1)].end];
    for end in ends {
        assert!(
            matches!(end, Some(Ended::Dropped { taken_back: true, .. })),
            "{end:?}"
        );
    }
}

#[test]
fn every_kind_of_event_has_a_golden_line() {
    let journals = golden("incident", || incident_lines(&everything().journal));
    let there: BTreeSet<_> = journals.iter().flatten().map(|line| line.kind.clone()).collect();
    let missing: Vec<_> = known_kinds::<Event>().difference(&there).cloned().collect();
    assert!(
        missing.is_empty(),
        "add a golden journal that has {missing:?}; leave the others as they are"
    );
}

#[test]
fn a_newer_event_is_not_guessed_at() {
    let error = Event::read("noted", VERSION + 1, "{}").expect_err("newer");
    insta::assert_snapshot!(error.to_string(), @"event of kind `noted` version 2 cannot be read by this version of Orderly: it is newer. Use the version that wrote it, or a newer one.");
}

fn desk_lines() -> Vec<Line> {
    let mut state = desk::State::default();
    let identity = |user: &str| Identity {
        platform: "local".to_owned(),
        workspace: "local".to_owned(),
        user: user.to_owned(),
    };
    let put = |name: &str, roles: &[Role], guest, user: &str| desk::Request::PutPerson {
        person: person("ana"),
        name: name.to_owned(),
        roles: self::roles(roles),
        guest,
        identities: [identity(user)].into(),
    };
    let ana = By::Person { id: person("ana") };
    let requests = [
        (By::Orderly, put("Ana", &[], false, "u1")),
        (By::Orderly, put("Ana B.", &[Role::Approver], false, "u2")),
        (By::Orderly, put("Ana B.", &[Role::Approver], true, "u2")),
        (
            By::Orderly,
            desk::Request::Deactivate {
                person: person("ana"),
                reason: "left".to_owned(),
            },
        ),
        (By::Orderly, put("Ana B.", &[Role::Approver], false, "u2")),
        (
            By::Orderly,
            desk::Request::IssueToken {
                person: person("ana"),
                sha256: "ab".to_owned(),
            },
        ),
        (ana.clone(), desk::Request::Number),
        (
            ana.clone(),
            desk::Request::Freeze {
                target: None,
                reason: "inventory count".to_owned(),
            },
        ),
        (
            ana,
            desk::Request::Thaw {
                target: None,
                reason: None,
            },
        ),
    ];
    written_on(&mut state, requests)
}

/// Another account, proven by a code.
fn linked_lines() -> Vec<Line> {
    let mut state = desk::State::default();
    let identity = |platform: &str| Identity {
        platform: platform.to_owned(),
        workspace: "local".to_owned(),
        user: "u2".to_owned(),
    };
    let put = desk::Request::PutPerson {
        person: person("ana"),
        name: "Ana B.".to_owned(),
        roles: self::roles(&[Role::Approver]),
        guest: false,
        identities: [identity("local")].into(),
    };
    written_on(&mut state, [(By::Orderly, put)]);
    let sha256 = || "cd".to_owned();
    let offer = desk::Request::OfferLink {
        person: person("ana"),
        sha256: sha256(),
    };
    let prove = desk::Request::ProveLink {
        sha256: sha256(),
        identity: identity("slack"),
    };
    written_on(&mut state, [(By::Orderly, offer), (By::Orderly, prove)])
}

/// A group that comes, loses somebody, gets them back, cannot be read, and goes.
fn desk_lines_of_groups() -> Vec<Line> {
    let member = |user: &str| desk::Member {
        identity: Identity {
            platform: "slack".to_owned(),
            workspace: "T1".to_owned(),
            user: user.to_owned(),
        },
        name: user.to_owned(),
    };
    let read = |users: &[&str]| desk::Request::ReadGroup {
        group: "slack/@approvers".to_owned(),
        roles: self::roles(&[Role::Approver]),
        members: users.iter().map(|user| member(user)).collect(),
    };
    let lost = desk::Request::LoseGroup {
        group: "slack/@approvers".to_owned(),
        roles: self::roles(&[Role::Approver]),
        why: "it is disabled".to_owned(),
    };
    let none = desk::Request::KeepGroups {
        groups: BTreeSet::new(),
    };
    let requests = [
        read(&["U1", "U2"]),
        read(&["U1"]),
        read(&["U1", "U2"]),
        lost,
        none,
    ];
    let requests = requests.map(|request| (By::Orderly, request));
    written_on(&mut desk::State::default(), requests)
}

fn written_on(state: &mut desk::State, requests: impl IntoIterator<Item = (By, desk::Request)>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (by, request) in requests {
        let written = desk::carry_out(state, &by, &request, start()).expect("no refusal");
        lines.extend(written.into_iter().filter_map(|recorded| {
            let event = recorded.event?;
            Some(Line {
                kind: event.kind().to_owned(),
                version: desk::VERSION,
                recorded: recorded.recorded,
                occurred: recorded.recorded,
                source: "clock".to_owned(),
                by: recorded.by,
                payload: serde_json::to_value(&event).ok()?,
            })
        }));
    }
    lines
}

#[test]
fn the_desks_golden_journal_replays_for_ever() {
    keep_golden("desk-v1b", linked_lines);
    keep_golden("desk-v1g", desk_lines_of_groups);
    let journals = golden("desk", desk_lines);
    let mut state = desk::State::default();
    for (at, line) in journals.iter().flatten().enumerate() {
        let event = desk::Event::read(&line.kind, line.version, &line.payload.to_string())
            .expect("every old line reads");
        state.apply(&desk::Recorded {
            seq: at as u64 + 1,
            recorded: line.recorded,
            by: line.by.clone(),
            event: Some(event),
        });
    }
    let ana = &state.people[&person("ana")];
    assert_eq!(
        (ana.name.as_str(), ana.active, ana.guest, ana.identities.len()),
        ("Ana B.", true, false, 2)
    );
    assert_eq!((state.last_incident, state.freezes.len()), (1, 0));
    let there: BTreeSet<_> = journals.iter().flatten().map(|line| line.kind.clone()).collect();
    let missing: Vec<_> = known_kinds::<desk::Event>().difference(&there).cloned().collect();
    assert!(
        missing.is_empty(),
        "add a golden journal that has {missing:?}; leave the others as they are"
    );
}

/// An approval that counts by a group, which was not there a moment before.
fn through_a_group() -> Story {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    let id = story.proposed(stopping());
    story.lose_role("ben", Role::Approver);
    let mut group = GroupStanding {
        name: "slack/@approvers".to_owned(),
        roles: roles(&[Role::Approver]),
        members: [person("ben")].into(),
        lost: None,
    };
    story.returns(Request::MissGroup {
        group: group.name.clone(),
        why: "it is disabled".to_owned(),
    });
    group.lost = None;
    story.around.groups = vec![group];
    story.does("ben", approve(id));
    story
}

/// An incident in which everything happens that can happen.
fn everything() -> Story {
    let choice = |id: &str, names: [&str; 2]| {
        let branches = names.map(|name| Branch {
            name: name.to_owned(),
            label: name.to_owned(),
        });
        step(
            id,
            StepKind::Branch {
                question: "Which?".to_owned(),
                branches: branches.to_vec(),
            },
        )
    };
    let steps = vec![
        step("confirm.1", StepKind::Do),
        step("confirm.2", StepKind::Do),
        step(
            "confirm.3",
            StepKind::Ask {
                question: "Where?".to_owned(),
            },
        ),
        choice("contain.1", ["yes", "no"]),
    ];
    let mut story = Story::opened_with(plan(steps.clone()));
    before_the_frame(&mut story, steps);
    people_and_words(&mut story);
    story.does("ana", damage(true));
    lives_of_actions(&mut story);
    to_the_end(&mut story);
    story
}

fn before_the_frame(story: &mut Story, steps: Vec<Step>) {
    let text = || "as it was".to_owned();
    story.returns(Request::RoomFailed {
        why: "chat is down".to_owned(),
        further: None,
    });
    story.returns(Request::RoomOpened {
        room: room("inc-7"),
        audience: Audience::Internal,
    });
    story.fires(TimerKey::Nudge {
        role: Role::Commander,
    });
    story.does("ben", take("cleo", Role::Commander));
    story.does(
        "ana",
        Request::Retitle {
            title: "Labels are late".to_owned(),
        },
    );
    story.does(
        "ana",
        Request::SetSeverity {
            to: Severity::Sev1,
            reason: Some(text()),
        },
    );
    story.does(
        "ana",
        Request::SetProcess {
            to: Process::Carriers,
        },
    );
    story.does(
        "ana",
        Request::AddTarget {
            target: "redis-prod".to_owned(),
        },
    );
    story.does(
        "ana",
        Request::Link {
            link: Link::Related {
                incident: IncidentId(3),
            },
        },
    );
    story.does(
        "ana",
        Request::UseRunbook {
            plan: Box::new(Plan {
                digest: "another".to_owned(),
                ..plan(steps)
            }),
            reason: text(),
        },
    );
    story.does(
        "ana",
        Request::DoStep {
            step: "confirm.1".to_owned(),
            note: None,
        },
    );
    story.does(
        "ana",
        Request::SkipStep {
            step: "confirm.2".to_owned(),
            reason: text(),
        },
    );
    story.does(
        "ana",
        Request::AnswerStep {
            step: "confirm.3".to_owned(),
            answer: text(),
        },
    );
    story.does("ana", Request::Frame { frame: whole_frame() });
}

fn people_and_words(story: &mut Story) {
    let text = || "as it was".to_owned();
    story.does("ben", take("ben", Role::Scribe));
    story.does(
        "ben",
        Request::HandOver {
            role: Role::Scribe,
            to: person("dan"),
            note: None,
        },
    );
    story.does(
        "dan",
        Request::ReleaseRole {
            role: Role::Scribe,
            person: person("dan"),
        },
    );
    story.does(
        "ana",
        Request::Page {
            role: None,
            people: vec![person("ben")],
            message: Some(text()),
        },
    );
    story.fires(TimerKey::Page { page: PageId(1) });
    story.does("ben", Request::Acknowledge { page: None });
    for task in 1..=2 {
        story.does(
            "ana",
            Request::AddTask {
                text: text(),
                owner: None,
                source: None,
            },
        );
        story.does(
            "ana",
            Request::AddFollowup {
                text: text(),
                owner: None,
                due: None,
                tracker: None,
                source: None,
            },
        );
        story.does(
            "ana",
            Request::AssignTask {
                task: TaskId(task),
                owner: person("dan"),
            },
        );
    }
    story.does(
        "dan",
        Request::FinishTask {
            task: TaskId(1),
            note: None,
        },
    );
    story.does(
        "dan",
        Request::DropTask {
            task: TaskId(2),
            reason: None,
        },
    );
    let due = chrono::NaiveDate::from_ymd_opt(2026, 12, 1);
    story.does(
        "ana",
        Request::ChangeFollowup {
            followup: FollowupId(1),
            owner: None,
            due,
            tracker: None,
        },
    );
    story.does(
        "ana",
        Request::FinishFollowup {
            followup: FollowupId(1),
            note: None,
        },
    );
    story.does(
        "ana",
        Request::DropFollowup {
            followup: FollowupId(2),
            reason: None,
        },
    );
    story.does("ana", Request::Note { text: text() });
    story.does(
        "ana",
        Request::SendUpdate {
            text: text(),
            next_s: Some(60),
        },
    );
    story.later(chrono::TimeDelta::seconds(60));
    story.fires(TimerKey::Update);
    story.does("ana", Request::SnoozeUpdate { for_s: 60 });
    let marked = Marked {
        message: message("m1"),
        author: "Dan".to_owned(),
        text: text(),
        files: Vec::new(),
    };
    story.does(
        "ana",
        Request::Mark {
            marked,
            at: start(),
            reacted: true,
        },
    );
    story.returns(Request::MessageEdited {
        message: message("m1"),
        text: "edited".to_owned(),
        at: start(),
    });
    story.does(
        "ana",
        Request::Unmark {
            message: message("m1"),
            why: text(),
            at: Some(start()),
        },
    );
}

fn lives_of_actions(story: &mut Story) {
    let text = || "as it was".to_owned();
    let other = |n: u32| Terms {
        params: [("n".to_owned(), n.into())].into(),
        ..terms("restart", "redis-prod")
    };
    story.does("ana", propose(other(1)));
    story.returns(Request::PreviewFailed {
        proposal: ProposalId(1),
        why: text(),
    });
    let id = story.proposed(other(2));
    story.does(
        "ben",
        Request::Refuse {
            proposal: id,
            reason: text(),
        },
    );
    let id = story.proposed(other(3));
    story.does(
        "ana",
        Request::Withdraw {
            proposal: id,
            reason: None,
        },
    );
    let id = story.proposed(other(4));
    story.fires(TimerKey::AskAgain {
        proposal: id,
        circle: 1,
    });
    story.later(chrono::TimeDelta::hours(1));
    story.fires(TimerKey::Expire { proposal: id });
    let id = story.proposed(Terms {
        precondition: Some(probe("job.runs", Verdict::Ok)),
        ..other(5)
    });
    story.does("ben", approve(id));
    story.answer_all(Verdict::Failing);
    story.freeze(None);
    let id = story.proposed(other(6));
    story.does(
        "cleo",
        Request::BreakGlass {
            proposal: id,
            target: "redis-prod".to_owned(),
            reason: text(),
        },
    );
    story.around.freezes.clear();
    story.fires(TimerKey::Held { proposal: id });
    story.ends(id, unknown());
    story.does(
        "dan",
        Request::Settle {
            proposal: id,
            happened: true,
            grounds: text(),
        },
    );
    story.does("dan", confirm(id, true));
    story.does(
        "ben",
        Request::ReviewGlass {
            proposal: id,
            note: text(),
        },
    );
    let stopped = story.verified(stopping());
    story.fires(TimerKey::Containment);
    let undo = story.running(undoing(stopped));
    story.ends(undo, done());
    story.does("ben", confirm(undo, true));
    let again = story.verified(Terms {
        params: [("n".to_owned(), 7.into())].into(),
        ..stopping()
    });
    story.does(
        "cleo",
        Request::AcceptContainment {
            proposal: again,
            reason: text(),
        },
    );
    story.does("ana", propose(other(8)));
    story.later(chrono::TimeDelta::minutes(-10));
    story.does("ana", Request::Note { text: text() });
    story.later(chrono::TimeDelta::minutes(11));
}

fn to_the_end(story: &mut Story) {
    let text = || "as it was".to_owned();
    assert_eq!(story.state().phase, Phase::Triage);
    story.does(
        "ana",
        finding(crate::incident::Line::Changes, Conclusion::Suspect, "the deploy"),
    );
    story.does(
        "ana",
        Request::AcceptCause {
            finding: FindingId(1),
            reason: None,
        },
    );
    story.does("ana", next());
    story.does("cleo", decide(Way::RollBack));
    story.does("ana", next());
    story.does("ana", check(RecoveryItem::SmokeTest, true));
    story.does("ana", check(RecoveryItem::Records, true));
    story.does(
        "cleo",
        Request::WaiveRecovery {
            item: RecoveryItem::Backlog,
            reason: text(),
        },
    );
    story.does("ana", Request::NoteChange { text: text() });
    story.does("ana", Request::NoteChange { text: text() });
    story.does(
        "ana",
        Request::ReconcileChange {
            change: ChangeId(1),
            reference: text(),
        },
    );
    story.does(
        "cleo",
        Request::WaiveChange {
            change: ChangeId(2),
            reason: text(),
        },
    );
    story.does("ana", next());
    story.does(
        "ana",
        Request::WriteSection {
            section: Section::Cause,
            text: text(),
        },
    );
    story.review();
    story.returns(Request::RecordExport {
        format: "markdown".to_owned(),
        as_of: 9,
        sha256: "ab".to_owned(),
    });
    story.does(
        "cleo",
        Request::RecordRedaction {
            row: 20,
            reason: text(),
            messages: Vec::new(),
            gaps: Vec::new(),
        },
    );
    story.does("cleo", Request::Close { reason: None });
    story.does("dan", Request::Reopen { reason: text() });
    story.does("dan", Request::Cancel { reason: text() });
    story.does("dan", Request::Reopen { reason: text() });
    story.does("dan", Request::MarkDuplicate { of: IncidentId(3) });
}

/// What came after the first golden journal: files kept and missed, an invitation, lifting by word, the review's reminders.
fn files_and_reminders() -> Story {
    let text = || "as it was".to_owned();
    let mut story = Story::framed();
    let invite = Request::Invite {
        people: vec![person("dan")],
    };
    story.does("ana", invite);
    let file = |id: &str| FileRef {
        id: id.to_owned(),
        name: text(),
        media_type: "text/csv".to_owned(),
        size: 12,
    };
    let marked = Marked {
        message: message("m1"),
        author: "Dan".to_owned(),
        text: text(),
        files: vec![file("F1"), file("F2")],
    };
    story.does(
        "ana",
        Request::Mark {
            marked,
            at: start(),
            reacted: true,
        },
    );
    story.returns(Request::KeepFile {
        message: message("m1"),
        file: "F1".to_owned(),
        size: 12,
        sha256: "ab".repeat(32),
    });
    story.returns(Request::MissFile {
        message: message("m1"),
        file: "F2".to_owned(),
        why: text(),
    });
    let stopped = story.verified(stopping());
    let lift = Request::LiftContainment {
        proposal: stopped,
        reason: text(),
    };
    story.does("cleo", lift);
    let resolve = Request::Resolve {
        summary: Some(text()),
        reason: Some(text()),
    };
    story.does("cleo", resolve);
    story.later(chrono::TimeDelta::days(5));
    story.fires(TimerKey::Postmortem);
    story.does("ana", Request::SnoozePostmortem { for_s: 86_400 });
    story.review();
    story.does("cleo", Request::Close { reason: None });
    story
}
