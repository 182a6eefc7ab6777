//! Resolving, closing, reopening, and ending what was no incident.

use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn close(reason: Option<&str>) -> Request {
    Request::Close {
        reason: reason.map(str::to_owned),
    }
}

fn resolve(reason: Option<&str>) -> Request {
    Request::Resolve {
        summary: None,
        reason: reason.map(str::to_owned),
    }
}

fn reopen() -> Request {
    Request::Reopen {
        reason: "it is back".to_owned(),
    }
}

fn cancel() -> Request {
    Request::Cancel {
        reason: "a test alert".to_owned(),
    }
}

#[test]
fn resolving_early_is_an_override() {
    let mut story = Story::in_triage();
    assert_snapshot!(story.refused("cleo", resolve(None)), @r#"
    Triage is not finished:
    • No finding yet for: changes.
    • No finding yet for: logs.
    • No finding yet for: resources.
    • No finding yet for: dependencies.
    • The incident is in triage; recovery was not walked through.
    The commander can go on anyway with a reason: `/resolve reason="…"`.
    "#);
    assert_snapshot!(story.refused("ana", resolve(Some("it went away"))), @"Only the commander (cleo) or the deputy may go on before a phase is finished. Ask them, or take over with `/handover`.");
    story.does("cleo", resolve(Some("it went away")));
    assert_eq!(
        (story.state().life.clone(), story.state().phase),
        (Life::Resolved, Phase::Learn)
    );
    assert_snapshot!(story.refused("cleo", resolve(None)), @"It is resolved already. What is left is the post-mortem.");
}

#[test]
fn closing_comes_after_learning() {
    let mut story = Story::in_recover();
    assert_snapshot!(story.refused("cleo", close(None)), @"The incident is in recover. It can be closed after Learn, or cancelled if it was none.");
}

#[test]
fn closing_wants_the_post_mortem_reviewed() {
    let mut story = Story::in_learn();
    assert_snapshot!(story.refused("cleo", close(None)), @r#"
    Learn is not finished:
    • The post-mortem is not reviewed yet: it is draft.
    The commander can go on anyway with a reason: `/close reason="…"`.
    "#);
    story.review();
    story.does("ana", close(None));
    assert_eq!(story.state().life, Life::Closed);
    assert!(story.state().moments.contains_key(&Moment::Closed));
}

#[test]
fn the_commander_closes_without_a_review_and_says_why() {
    let mut story = Story::in_learn();
    story.does("cleo", close(Some("it was nothing")));
    assert!(matches!(
        story.state().passages.last().map(|p| &p.passage),
        Some(Passage::Override { .. })
    ));
}

#[test]
fn broken_glass_is_never_closed_unread() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let reason = "nobody is awake".to_owned();
    story.does(
        "cleo",
        Request::BreakGlass {
            proposal: id,
            target: "odoo-prod".to_owned(),
            reason,
        },
    );
    story.ends(id, done());
    story.does("ben", confirm(id, true));
    assert_snapshot!(story.refused("cleo", cancel()), @"It cannot be cancelled yet: A1 ran by break-glass and nobody has reviewed it. Undo, settle, review or withdraw that first.");
    story.does("cleo", resolve(Some("over")));
    story.review();
    assert_snapshot!(story.refused("cleo", close(Some("we know"))), @"A1 ran by break-glass and nobody has reviewed it. That cannot be skipped.");
    let review = Request::ReviewGlass {
        proposal: id,
        note: "it was right, at that hour".to_owned(),
    };
    assert_snapshot!(story.refused("cleo", review.clone()), @"You broke the glass for A1. Somebody else has to review it.");
    story.does("ben", review);
    story.does("cleo", close(None));
}

#[test]
fn what_still_runs_is_not_closed_over() {
    let mut story = Story::framed();
    story.running(terms("stop", "odoo-prod"));
    story.does("cleo", resolve(Some("over")));
    story.review();
    assert_snapshot!(story.refused("cleo", close(Some("I must go"))), @"Action A1 is running. Settle or withdraw it first.");
}

#[test]
fn containment_that_stays_is_looked_at_once_more_before_closing() {
    let mut story = Story::framed();
    story.verified(stopping());
    story.does("cleo", resolve(Some("over")));
    story.review();
    assert_snapshot!(story.refused("ana", close(None)), @r#"
    Learn is not finished:
    • Containment A1 is still in force: stop the job on odoo-prod.
    The commander can go on anyway with a reason: `/close reason="…"`.
    "#);
}

#[test]
fn a_closed_incident_takes_only_what_is_learnt_from_it() {
    let mut story = Story::closed();
    assert_snapshot!(story.refused("ana", Request::Note { text: "one more".to_owned() }), @"INC-7 is closed. Reopen it with a reason if it is not over.");
    assert!(
        story
            .refused("ana", propose(terms("stop", "odoo-prod")))
            .contains("is closed")
    );
    let text = "check the label queue".to_owned();
    let followup = Request::AddFollowup {
        text,
        owner: None,
        due: None,
        tracker: None,
        source: None,
    };
    story.does("ana", followup);
}

#[test]
fn reopening_begins_with_the_frame_and_proves_everything_anew() {
    let mut story = Story::closed();
    story.does("dan", reopen());
    let state = story.state();
    assert_eq!((state.life.clone(), state.phase), (Life::Open, Phase::Confirm));
    assert!(state.damage.is_none() && state.decision.is_none() && state.cause.is_none());
    assert!(state.recovery.is_empty() && state.steps.is_empty());
    assert!(!state.moments.contains_key(&Moment::Recovered));
    assert_eq!(state.findings.len(), 1, "what was found stays on record");
    assert_snapshot!(story.refused("dan", reopen()), @"It is open. To go back to an earlier phase, use `/back`.");
}

#[test]
fn reopening_has_a_reason() {
    let mut story = Story::closed();
    assert_snapshot!(story.refused("dan", Request::Reopen { reason: String::new() }), @"The reason for reopening is missing. Say it in a few words.");
}

#[test]
fn what_was_opened_by_mistake_is_cancelled() {
    let mut story = Story::opened();
    story.does("ana", cancel());
    assert_snapshot!(story.refused("ana", next()), @"INC-7 is cancelled. Reopen it with a reason if it is not over.");
    story.does("ana", reopen());
    assert_eq!(story.state().life, Life::Open);
}

#[test]
fn what_touched_a_system_was_no_mistake() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    assert_snapshot!(story.refused("cleo", cancel()), @"It cannot be cancelled yet: containment A1 is in force. Undo, settle, review or withdraw that first.");
    story.does(
        "cleo",
        Request::AcceptContainment {
            proposal: id,
            reason: "it stays".to_owned(),
        },
    );
    story.does(
        "ana",
        Request::NoteChange {
            text: "limits raised".to_owned(),
        },
    );
    assert_snapshot!(story.refused("cleo", cancel()), @"It cannot be cancelled yet: manual change C1 is not in version control. Undo, settle, review or withdraw that first.");
}

#[test]
fn a_duplicate_points_at_the_other() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", Request::MarkDuplicate { of: IncidentId(7) }), @"An incident cannot be a duplicate of itself. Name the other one.");
    story.does("ana", Request::MarkDuplicate { of: IncidentId(3) });
    assert_snapshot!(story.refused("ana", next()), @"INC-7 is a duplicate of INC-3. Reopen it with a reason if it is not over.");
}

#[test]
fn no_timer_speaks_up_in_what_is_over() {
    let mut story = Story::opened();
    story.does(
        "ana",
        Request::SendUpdate {
            text: "we look".to_owned(),
            next_s: Some(60),
        },
    );
    story.does(
        "ana",
        Request::Page {
            role: None,
            people: vec![person("ben")],
            message: None,
        },
    );
    story.does("ana", cancel());
    story.later(chrono::TimeDelta::hours(3));
    for key in [
        TimerKey::Update,
        TimerKey::Nudge {
            role: Role::Commander,
        },
        TimerKey::Page { page: PageId(1) },
        TimerKey::Containment,
    ] {
        assert!(story.fires(key).is_empty());
    }
}

fn adopt(audience: Audience) -> Request {
    Request::AddRoom {
        room: room("ops"),
        audience,
        readable: true,
    }
}

#[test]
fn a_channel_that_was_there_before_is_given_back_once_and_only_when_it_is_over() {
    let mut story = Story::framed();
    story.does("cleo", adopt(Audience::Guest));
    let give = || Request::GiveRoomBack { room: room("ops") };
    assert!(story.returns(give()).is_empty(), "it is not over");
    story.does("cleo", cancel());
    assert_eq!(kinds(&story.returns(give())), ["room_left"]);
    assert!(story.returns(give()).is_empty());
    story.does("cleo", reopen());
    assert_eq!(story.state().room(&room("ops")), None);
    assert_eq!(story.state().given_back, [(room("ops"), Audience::Guest)]);
    story.does("cleo", adopt(Audience::Internal));
    assert!(story.state().given_back.is_empty(), "it is a room again");
}

#[test]
fn when_one_that_was_written_down_afterwards_was_over_somebody_has_to_say() {
    let opening = Opening {
        retroactive: true,
        ..opening()
    };
    let mut story = Story::opened_as(opening, whole_frame());
    story.does("cleo", take("cleo", Role::Commander));
    story.does("cleo", close(Some("nothing more to learn")));
    assert_eq!(story.state().life, Life::Closed);
    assert!(!story.state().moments.contains_key(&Moment::Recovered));
    let at = start() - chrono::TimeDelta::minutes(5);
    let moment = Moment::Recovered;
    story.does("cleo", Request::SetMoment { moment, at });
    assert_eq!(
        story.state().moments[&Moment::Recovered].at,
        at,
        "corrected though it is closed"
    );
}

#[test]
fn what_is_open_was_not_closed_at_any_time() {
    let mut story = Story::in_learn();
    let (moment, at) = (Moment::Closed, start());
    assert_snapshot!(story.refused("cleo", Request::SetMoment { moment, at }), @"It is not closed, so that has no time yet. `/close` closes it; when it was over is the moment `recovered`.");
}

#[test]
fn whoever_acts_too_early_after_a_reopening_is_told_to_look_at_the_frame() {
    let mut story = Story::closed();
    story.does("dan", reopen());
    assert_snapshot!(story.refused("ana", propose(terms("stop", "odoo-prod"))), @"The incident is in Confirm again. See whether the frame still holds, and go on with `/next`. Then propose the action.");
    assert_snapshot!(story.refused("ana", damage(true)), @"The incident is in Confirm again. See whether the frame still holds, and go on with `/next`. Then the damage.");
    story.does("ana", next());
    story.does("ana", damage(true));
}
