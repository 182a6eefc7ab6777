//! The life of an action, from the proposal to its undo.

use chrono::TimeDelta;
use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

#[test]
fn the_whole_life_in_one_go() {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    let id = story.proposed(stopping());
    assert_eq!(story.stage(1), "waiting for approval");
    let written = story.does("ben", approve(id));
    assert_eq!(
        kinds(&written),
        ["approved", "cleared", "probe_asked", "probe_asked"]
    );
    assert_eq!(story.stage(1), "approved");
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "running");
    story.ends(id, done());
    assert_eq!(story.stage(1), "done, being verified");
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "verified");
    assert_eq!(
        story.state().phase,
        Phase::Triage,
        "a verified containment closes the phase"
    );
    assert_eq!(
        story.state().moments[&Moment::Contained].provenance,
        "verified containment A1"
    );
}

#[test]
fn nothing_is_touched_before_the_frame() {
    let mut story = Story::opened();
    assert_snapshot!(story.refused("ana", propose(terms("stop", "odoo-prod"))), @"Nothing is touched before the incident is framed: what, who and how badly, since when. Then propose the action.");
}

#[test]
fn a_proposal_has_a_reason() {
    let mut story = Story::framed();
    let request = Request::Propose {
        terms: Box::new(terms("stop", "odoo-prod")),
        reason: " ".to_owned(),
    };
    assert_snapshot!(story.refused("ana", request), @"The reason for the action is missing. Say it in a few words.");
}

#[test]
fn the_same_action_stands_only_once() {
    let mut story = Story::framed();
    story.proposed(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("ben", propose(terms("stop", "odoo-prod"))), @"The same action stands already: A1 is waiting for approval.");
    story.does("ben", propose(terms("stop", "odoo-staging")));
}

#[test]
fn an_approver_cannot_approve_their_own_proposal() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("ana", approve(id)), @"You proposed A1, so your approval does not count. Somebody else has to look at it.");
}

#[test]
fn who_lacks_the_role_does_not_count() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("dan", approve(id)), @"A1 needs the approver role, which you do not hold. The approvers are: ana, ben, cleo.");
}

#[test]
fn an_empty_list_of_approvers_means_nobody() {
    let mut story = Story::framed();
    let id = story.proposed(Terms {
        policy: Policy {
            quorum: 1,
            role: Some(Role::Liaison),
            expires_s: 60,
        },
        ..terms("stop", "odoo-prod")
    });
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 needs the liaison role, which you do not hold. The liaisons are: nobody (ask the operator to give it to somebody).");
}

#[test]
fn one_person_is_one_vote() {
    let mut story = Story::framed();
    let id = story.proposed(two_approvals());
    story.does("ben", approve(id));
    assert_snapshot!(story.refused("ben", approve(id)), @"You approved A1 already; one more approval is needed.");
    assert_eq!(story.stage(1), "waiting for approval");
    story.does("cleo", approve(id));
    assert_eq!(story.stage(1), "running");
}

fn two_approvals() -> Terms {
    Terms {
        risk: Risk::High,
        policy: Policy {
            quorum: 2,
            role: Some(Role::Approver),
            expires_s: 1_800,
        },
        ..terms("stop", "odoo-prod")
    }
}

#[test]
fn one_who_lost_the_role_no_longer_counts() {
    let mut story = Story::framed();
    let id = story.proposed(two_approvals());
    story.does("ben", approve(id));
    story.lose_role("ben", Role::Approver);
    story.does("cleo", approve(id));
    assert_eq!(story.stage(1), "waiting for approval");
}

#[test]
fn one_who_lost_the_role_while_it_was_held_stops_it() {
    let mut story = Story::framed();
    story.freeze(None);
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.does("ben", approve(id));
    assert_eq!(story.stage(1), "approved, held");
    story.lose_role("ben", Role::Approver);
    story.around.freezes.clear();
    story.fires(TimerKey::Held { proposal: id });
    assert_eq!(story.stage(1), "void");
}

#[test]
fn a_quorum_of_nought_needs_nobody() {
    let mut story = Story::framed();
    let free = Policy {
        quorum: 0,
        role: None,
        expires_s: 60,
    };
    let id = story.proposed(Terms {
        policy: free,
        ..terms("stop", "odoo-prod")
    });
    assert_eq!(story.stage(id.0), "running");
}

#[test]
fn an_old_button_does_not_approve_what_it_did_not_show() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let press = |digest: &str| Request::Approve {
        proposal: id,
        digest: Some(digest.to_owned()),
        reason: None,
    };
    assert_snapshot!(story.refused("ben", press("0000000000")), @"A1 is not what that button showed. Read what would run now, then approve that.");
    let shown = story.proposal(1).stage.shown().expect("shown").digest.clone();
    story.does("ben", press(&shown[..12]));
    assert_eq!(story.stage(1), "running");
}

#[test]
fn the_digest_binds_all_that_is_approved() {
    let terms = stopping();
    let operation = preview("update").operation;
    let bound = digest(&terms, &operation);
    let changed = [
        Terms {
            action: "other".to_owned(),
            ..terms.clone()
        },
        Terms {
            entry_digest: "other".to_owned(),
            ..terms.clone()
        },
        Terms {
            target: "other".to_owned(),
            ..terms.clone()
        },
        Terms {
            params: [("id".to_owned(), 4.into())].into(),
            ..terms.clone()
        },
        Terms {
            precondition: Some(probe("job.runs", Verdict::Failing)),
            ..terms.clone()
        },
        Terms {
            precondition: Some(Check {
                expression: "true".to_owned(),
                ..probe("job.runs", Verdict::Ok)
            }),
            ..terms.clone()
        },
    ];
    for other in &changed {
        assert_ne!(digest(other, &operation), bound);
    }
    assert_ne!(digest(&terms, &preview("delete").operation), bound);
    let reworded = Terms {
        title: "Stop it".to_owned(),
        ..terms.clone()
    };
    assert_eq!(
        digest(&reworded, &operation),
        bound,
        "words for people bind nothing"
    );
}

#[test]
fn an_approval_comes_too_late() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.later(TimeDelta::hours(1));
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 expired at 04:00 UTC. Propose it again if it is still needed; the preview is made anew.");
    story.fires(TimerKey::Expire { proposal: id });
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 cannot be approved: it is expired. Propose it again if it is still needed.");
}

#[test]
fn what_is_held_expires_as_well() {
    let mut story = Story::framed();
    story.freeze(Some("odoo-prod"));
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.does("ben", approve(id));
    story.later(TimeDelta::minutes(61));
    story.around.freezes.clear();
    story.fires(TimerKey::Held { proposal: id });
    assert_eq!(story.stage(1), "expired");
}

#[test]
fn a_changed_catalog_entry_voids_the_proposal() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    story
        .around
        .entries
        .insert("stop".to_owned(), "changed".to_owned());
    story.does("ben", approve(id));
    assert_eq!(story.stage(1), "void");
    let Stage::Voided { why } = &story.proposal(1).stage else {
        panic!()
    };
    assert_snapshot!(why, @"The catalog entry changed after it was proposed. Propose it again.");
}

#[test]
fn a_refusal_has_a_reason_and_ends_it() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let refuse = |reason: &str| Request::Refuse {
        proposal: id,
        reason: reason.to_owned(),
    };
    assert_snapshot!(story.refused("dan", refuse("")), @"The reason for refusing is missing. Say it in a few words.");
    story.does("dan", refuse("the night batch needs it"));
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 cannot be approved: it is refused. `/action show A1` tells more.");
}

#[test]
fn the_proposer_or_who_leads_withdraws() {
    let mut story = Story::framed();
    let withdraw = |proposal| Request::Withdraw {
        proposal,
        reason: None,
    };
    let id = story.proposed(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("ben", withdraw(id)), @"Only the commander (cleo) or the deputy may withdraw somebody else's proposal. Ask them, or take over with `/handover`.");
    story.does("ana", withdraw(id));
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.does("cleo", withdraw(id));
    assert_eq!(story.stage(2), "withdrawn");
}

#[test]
fn what_was_withdrawn_while_its_preview_was_made_stays_withdrawn() {
    let mut story = Story::framed();
    story.does("ana", propose(terms("stop", "odoo-prod")));
    story.does(
        "ana",
        Request::Withdraw {
            proposal: ProposalId(1),
            reason: None,
        },
    );
    story.shown(ProposalId(1));
    assert_eq!(story.stage(1), "withdrawn");
}

#[test]
fn without_a_preview_there_is_nothing_to_approve() {
    let mut story = Story::framed();
    story.does("ana", propose(terms("stop", "odoo-prod")));
    assert_snapshot!(story.refused("ben", approve(ProposalId(1))), @"A1 cannot be approved: it is preparing. Its preview is being made; wait a moment.");
    let why = "the row is not there".to_owned();
    story.returns(Request::PreviewFailed {
        proposal: ProposalId(1),
        why,
    });
    assert_snapshot!(story.refused("ben", approve(ProposalId(1))), @"A1 cannot be approved: it has no preview. the row is not there Propose it again when that is mended.");
}

#[test]
fn a_precondition_that_does_not_hold_stops_it() {
    let mut story = Story::framed();
    let id = story.proposed(stopping());
    story.does("ben", approve(id));
    story.answer_all(Verdict::Failing);
    let Stage::PreconditionFailed { why } = &story.proposal(1).stage else {
        panic!()
    };
    assert_snapshot!(why, @"job.runs on odoo-prod answered failing and had to answer ok: it is failing");
}

#[test]
fn a_precondition_without_an_answer_does_not_hold() {
    let mut story = Story::framed();
    let id = story.proposed(stopping());
    story.does("ben", approve(id));
    story.answer_all(Verdict::Unknown);
    assert_eq!(story.stage(1), "stopped by its precondition");
}

#[test]
fn the_view_before_only_has_to_exist() {
    let mut story = Story::framed();
    let id = story.proposed(stopping());
    story.does("ben", approve(id));
    story.answers(ProbeRunId(1), Verdict::Ok);
    assert_eq!(story.stage(1), "approved", "it is still being looked at");
    story.answers(ProbeRunId(2), Verdict::Failing);
    assert_eq!(story.stage(1), "running");
}

#[test]
fn an_old_answer_is_asked_for_again_before_anything_runs() {
    let mut story = Story::framed();
    let id = story.proposed(stopping());
    story.does("ben", approve(id));
    story.freeze(None);
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "approved, held");
    story.later(TimeDelta::minutes(5));
    story.around.freezes.clear();
    story.fires(TimerKey::Held { proposal: id });
    assert_eq!(story.state().runs.len(), 4, "both are asked again");
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "running");
}

#[test]
fn a_slow_look_beforehand_is_not_asked_for_ever() {
    let mut story = Story::framed();
    let id = story.proposed(stopping());
    story.does("ben", approve(id));
    story.later(TimeDelta::seconds(90));
    story.answer_all(Verdict::Ok);
    assert_eq!(
        story.stage(1),
        "running",
        "an answer counts from when it was given"
    );
}

#[test]
fn a_freeze_holds_it_and_names_who_froze() {
    let mut story = Story::framed();
    story.freeze(Some("odoo-prod"));
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.does("ben", approve(id));
    let Stage::Cleared { held: Some(why), .. } = &story.proposal(1).stage else {
        panic!()
    };
    assert_snapshot!(why, @"Frozen by dan: inventory count. It goes on when the freeze is lifted.");
    assert!(
        story.fires(TimerKey::Held { proposal: id }).is_empty(),
        "held for the same reason still"
    );
    story.around.freezes.clear();
    story.fires(TimerKey::Held { proposal: id });
    assert_eq!(story.stage(1), "running");
}

#[test]
fn a_freeze_holds_the_undo_as_well() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    story.freeze(None);
    let undo = story.proposed(undoing(id));
    story.does("ben", approve(undo));
    assert_eq!(story.stage(undo.0), "approved, held");
}

#[test]
fn a_freeze_elsewhere_holds_nothing() {
    let mut story = Story::framed();
    story.freeze(Some("odoo-staging"));
    story.running(terms("stop", "odoo-prod"));
}

#[test]
fn a_target_taken_by_another_incident_is_waited_for() {
    let mut story = Story::framed();
    story
        .around
        .locks
        .insert("odoo-prod".to_owned(), (IncidentId(3), AttemptId(1)));
    let id = story.proposed(terms("stop", "odoo-prod"));
    story.does("ben", approve(id));
    let Stage::Cleared { held: Some(why), .. } = &story.proposal(1).stage else {
        panic!()
    };
    assert_snapshot!(why, @"INC-3 has attempt X1 open on odoo-prod. It goes on when that one is settled.");
    story.around.locks.clear();
    story.fires(TimerKey::Held { proposal: id });
    assert_eq!(story.stage(1), "running");
}

#[test]
fn two_attempts_of_one_incident_wait_for_each_other_too() {
    let mut story = Story::framed();
    story.running(terms("stop", "odoo-prod"));
    story.around.locks.clear();
    let second = story.proposed(terms("restart", "odoo-prod"));
    story.does("ben", approve(second));
    assert_eq!(story.stage(2), "approved, held");
    story.ends(ProposalId(1), done());
    story.fires(TimerKey::Held { proposal: second });
    assert_eq!(story.stage(2), "running");
}

#[test]
fn an_end_is_told_once() {
    let mut story = Story::framed();
    let id = story.running(terms("stop", "odoo-prod"));
    story.ends(id, done());
    let late = Outcome::NotDone {
        why: "late".to_owned(),
    };
    assert!(
        story
            .returns(Request::EndAttempt {
                attempt: AttemptId(1),
                outcome: late
            })
            .is_empty()
    );
    assert_eq!(story.stage(1), "done, being verified");
}

#[test]
fn what_was_not_done_is_proposed_again() {
    let mut story = Story::framed();
    let id = story.running(terms("stop", "odoo-prod"));
    story.ends(
        id,
        Outcome::NotDone {
            why: "the row changed".to_owned(),
        },
    );
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 cannot be approved: it was not done. Propose it again if it is still needed.");
    story.does("ana", propose(terms("stop", "odoo-prod")));
}

#[test]
fn unknown_is_never_read_as_failed_and_keeps_the_target() {
    let mut story = Story::framed();
    let id = story.running(terms("stop", "odoo-prod"));
    story.ends(id, unknown());
    assert_eq!(story.stage(1), "outcome unknown");
    assert!(story.around.locks.contains_key("odoo-prod"));
    assert_snapshot!(story.refused("ben", approve(id)), @"A1 cannot be approved: it has an unknown outcome. Look at the system and say what happened: `/action settle A1 …`.");
    assert_snapshot!(story.refused("ana", propose(terms("stop", "odoo-prod"))), @"The same action stands already: A1 has an unknown outcome.");
}

#[test]
fn a_probe_settles_an_unknown_attempt_when_it_finds_the_wanted_state() {
    let mut story = Story::framed();
    let id = story.running(stopping());
    story.ends(id, unknown());
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "verified");
    assert!(story.around.locks.is_empty());
}

#[test]
fn any_other_answer_proves_nothing() {
    let mut story = Story::framed();
    let id = story.running(stopping());
    story.ends(id, unknown());
    story.answer_all(Verdict::Failing);
    assert_eq!(story.stage(1), "outcome unknown");
}

#[test]
fn a_person_settles_what_no_probe_can() {
    let mut story = Story::framed();
    let settle = |happened, grounds: &str| Request::Settle {
        proposal: ProposalId(1),
        happened,
        grounds: grounds.to_owned(),
    };
    let id = story.running(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("dan", settle(true, "I looked")), @"A1 cannot be settled: it is running. `/action show A1` tells more.");
    story.ends(id, unknown());
    assert_snapshot!(story.refused("dan", settle(true, "")), @"How you know is missing. Say it in a few words.");
    story.does("dan", settle(false, "the row is as it was"));
    assert_eq!(story.stage(1), "not done");
    assert!(story.around.locks.is_empty());
}

#[test]
fn settled_as_done_it_is_verified_like_any_other() {
    let mut story = Story::framed();
    let id = story.running(stopping());
    story.ends(id, unknown());
    story.answer_all(Verdict::Failing);
    let grounds = "the log says so".to_owned();
    story.does(
        "dan",
        Request::Settle {
            proposal: id,
            happened: true,
            grounds,
        },
    );
    assert_eq!(story.stage(1), "done, being verified");
    story.answer_all(Verdict::Ok);
    assert_eq!(story.stage(1), "verified");
}

#[test]
fn what_did_not_help_says_so_and_may_be_confirmed_later() {
    let mut story = Story::framed();
    let id = story.running(stopping());
    story.ends(id, done());
    story.answer_all(Verdict::Failing);
    assert_eq!(story.stage(1), "done, did not help");
    assert_eq!(story.state().containment_in_force().count(), 0);
    story.does("dan", confirm(id, true));
    assert_eq!(story.stage(1), "verified");
}

#[test]
fn a_person_verifies_what_has_no_probe() {
    let mut story = Story::framed();
    let id = story.running(terms("stop", "odoo-prod"));
    story.ends(id, done());
    story.does("ana", confirm(id, true));
    assert_snapshot!(story.refused("ana", confirm(id, true)), @"A1 cannot be verified: it is verified. `/action show A1` tells more.");
}

#[test]
fn a_probe_that_cannot_tell_leaves_it_to_a_person() {
    let mut story = Story::framed();
    let id = story.running(stopping());
    story.ends(id, done());
    story.answer_all(Verdict::Unknown);
    assert_eq!(story.stage(1), "done, being verified");
}

#[test]
fn the_glass_is_broken_by_the_commander_who_types_the_target() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    let glass = |target: &str, reason: &str| Request::BreakGlass {
        proposal: id,
        target: target.to_owned(),
        reason: reason.to_owned(),
    };
    assert_snapshot!(story.refused("ana", glass("odoo-prod", "nobody is awake")), @"Only the commander (cleo) breaks the glass, and no deputy. Ask them, or take over with `/handover`.");
    assert_snapshot!(story.refused("cleo", glass("odoo", "nobody is awake")), @"Type the target exactly as it stands in the proposal, odoo-prod, so that it is certain you mean it.");
    assert_snapshot!(story.refused("cleo", glass("odoo-prod", "")), @"The reason for breaking the glass is missing. Say it in a few words.");
    let written = story.does("cleo", glass("odoo-prod", "nobody is awake"));
    assert_eq!(kinds(&written), ["glass_broken", "cleared", "attempt_started"]);
}

#[test]
fn broken_glass_does_not_break_a_freeze_nor_a_precondition() {
    let mut story = Story::framed();
    story.freeze(None);
    let id = story.proposed(stopping());
    let reason = "nobody is awake".to_owned();
    story.does(
        "cleo",
        Request::BreakGlass {
            proposal: id,
            target: "odoo-prod".to_owned(),
            reason,
        },
    );
    assert_eq!(story.stage(1), "approved, held");
    story.around.freezes.clear();
    story.fires(TimerKey::Held { proposal: id });
    story.answer_all(Verdict::Failing);
    assert_eq!(story.stage(1), "stopped by its precondition");
}

#[test]
fn without_a_commander_nobody_breaks_the_glass() {
    let mut story = Story::opened_as(opening(), whole_frame());
    let id = story.proposed(terms("stop", "odoo-prod"));
    let reason = "nobody is awake".to_owned();
    let glass = Request::BreakGlass {
        proposal: id,
        target: "odoo-prod".to_owned(),
        reason,
    };
    assert_snapshot!(story.refused("cleo", glass), @"Only the commander breaks the glass, and nobody has taken that role yet.");
}

#[test]
fn a_waiting_proposal_asks_again_in_wider_circles() {
    let mut story = Story::framed();
    let id = story.proposed(terms("stop", "odoo-prod"));
    for circle in 1..=3 {
        story.later(TimeDelta::minutes(3));
        let written = story.fires(TimerKey::AskAgain { proposal: id, circle });
        assert_eq!(kinds(&written), ["asked_again"]);
    }
    assert_eq!(story.proposal(1).asked_again, 3);
    story.does("ben", approve(id));
    assert!(
        story
            .fires(TimerKey::AskAgain {
                proposal: id,
                circle: 4
            })
            .is_empty()
    );
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let mut story = Story::framed();
    assert_snapshot!(story.refused("ben", approve(ProposalId(4))), @"There is no action A4 here; there is none yet.");
    story.proposed(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("ben", approve(ProposalId(4))), @"There is no action A4 here; there is A1.");
}

#[test]
fn what_cannot_be_read_whole_in_one_message_cannot_be_approved() {
    for (length, stage) in [
        (LONGEST_OPERATION, "waiting for approval"),
        (LONGEST_OPERATION + 1, "no preview"),
    ] {
        let mut story = Story::framed();
        story.does("ana", propose(terms("stop", "odoo-prod")));
        let preview = Box::new(preview(&"é".repeat(length)));
        let proposal = ProposalId(1);
        story.returns(Request::Previewed { proposal, preview });
        assert_eq!(story.stage(1), stage);
    }
}
