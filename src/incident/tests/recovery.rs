use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

#[test]
fn service_restored_is_not_recovered() {
    let mut story = Story::in_recover();
    assert_snapshot!(story.refused("ana", next()), @r#"
    Recover is not finished:
    • The smoke test has not been run.
    • Nobody has looked whether a backlog is left.
    • The records to repair are not counted.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn recovery_is_checked_once_the_way_out_is_decided() {
    let mut story = Story::in_triage();
    assert_snapshot!(story.refused("ana", check(RecoveryItem::SmokeTest, true)), @"The incident is in triage. Recovery is checked once the way out is decided.");
}

#[test]
fn a_smoke_test_that_fails_holds_the_gate() {
    let mut story = Story::in_recover();
    story.does("ana", check(RecoveryItem::SmokeTest, false));
    assert!(
        story
            .refused("ana", next())
            .contains("The smoke test did not pass.")
    );
    story.does("ana", check(RecoveryItem::SmokeTest, true));
    assert_eq!(
        story.state().moments[&Moment::Validated].provenance,
        "smoke test passed"
    );
    assert_eq!(
        story.state().moments[&Moment::Mitigated].provenance,
        "smoke test passed"
    );
}

#[test]
fn records_to_repair_are_counted() {
    let mut story = Story::in_recover();
    let uncounted = Request::CheckRecovery {
        item: RecoveryItem::Records,
        passed: true,
        count: None,
        detail: None,
    };
    assert_snapshot!(story.refused("ana", uncounted), @"Count the records to repair, and give the number: `/recovery check records count=0 …`. None is 0.");
    let counted = Request::CheckRecovery {
        item: RecoveryItem::Records,
        passed: false,
        count: Some(12),
        detail: None,
    };
    story.does("ana", counted);
    assert!(
        !story.refused("ana", next()).contains("records"),
        "counted is what the rule asks for"
    );
}

#[test]
fn who_leads_waives_a_part_of_it_with_a_reason() {
    let mut story = Story::in_recover();
    let waive = |reason: &str| Request::WaiveRecovery {
        item: RecoveryItem::Backlog,
        reason: reason.to_owned(),
    };
    assert_snapshot!(story.refused("ana", waive("no jobs ran")), @"Only the commander (cleo) or the deputy may waive a part of the recovery. Ask them, or take over with `/handover`.");
    assert_snapshot!(story.refused("cleo", waive(" ")), @"The reason is missing. Say it in a few words.");
    story.does("cleo", waive("no jobs ran"));
    assert!(!story.refused("ana", next()).contains("backlog"));
}

#[test]
fn containment_in_force_and_open_actions_hold_recovery() {
    let mut story = Story::in_recover();
    story.verified(stopping());
    story.proposed(terms("restart", "odoo-prod"));
    for item in RecoveryItem::ALL {
        story.does("ana", check(*item, true));
    }
    assert_snapshot!(story.refused("ana", next()), @r#"
    Recover is not finished:
    • Containment A1 is still in force: stop the job on odoo-prod.
    • Action A2 is waiting for approval.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
}

#[test]
fn every_manual_change_is_reconciled_or_waived() {
    let mut story = Story::in_recover();
    story.verified(Terms {
        manual_change: true,
        ..terms("stop", "odoo-prod")
    });
    story.does(
        "ana",
        Request::NoteChange {
            text: "limits raised by hand".to_owned(),
        },
    );
    for item in RecoveryItem::ALL {
        story.does("ana", check(*item, true));
    }
    story.does("ben", confirm(ProposalId(1), true));
    assert_snapshot!(story.refused("ana", next()), @r#"
    Recover is not finished:
    • Manual change C1 is not in version control yet: stop the job on odoo-prod.
    • Manual change C2 is not in version control yet: limits raised by hand.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
    let waive = Request::WaiveChange {
        change: ChangeId(2),
        reason: "gone with the pod".to_owned(),
    };
    assert_snapshot!(story.refused("ana", waive.clone()), @"Only the commander (cleo) or the deputy may waive the reconciliation of a change. Ask them, or take over with `/handover`.");
    story.does("cleo", waive.clone());
    assert_snapshot!(story.refused("cleo", waive), @"C2 is settled already.");
    let reconcile = |change| Request::ReconcileChange {
        change,
        reference: "a1b2c3d".to_owned(),
    };
    assert_snapshot!(story.refused("ana", reconcile(ChangeId(5))), @"There is no change C5 here; there is C1, C2.");
    story.does("ana", reconcile(ChangeId(1)));
    story.does("ana", next());
    assert_eq!(story.state().life, Life::Resolved);
}

#[test]
fn what_was_not_done_is_no_manual_change() {
    let mut story = Story::framed();
    let id = story.running(Terms {
        manual_change: true,
        ..terms("stop", "odoo-prod")
    });
    story.ends(id, unknown());
    assert!(story.state().changes.is_empty(), "nobody knows yet");
    story.does(
        "dan",
        Request::Settle {
            proposal: id,
            happened: true,
            grounds: "I looked".to_owned(),
        },
    );
    assert_eq!(story.state().changes.len(), 1);
}

#[test]
fn leaving_recovery_resolves_the_incident() {
    let story = Story::in_learn();
    assert_eq!(story.state().life, Life::Resolved);
    assert_eq!(
        story.state().moments[&Moment::Recovered].provenance,
        "recovery closed"
    );
}

#[test]
fn damage_found_while_recovering_has_everything_proven_and_decided_anew() {
    let mut story = Story::in_recover();
    for item in RecoveryItem::ALL {
        story.does("ana", check(*item, true));
    }
    assert!(story.state().moments.contains_key(&Moment::Validated));
    story.does("ana", damage(true));
    assert_eq!(story.state().phase, Phase::Contain);
    story.verified(stopping());
    assert_eq!(story.state().phase, Phase::Triage);
    story.does("ana", next());
    insta::assert_snapshot!(story.refused("ana", next()), @r#"
    Decide is not finished:
    • Fix forward or roll back? Nobody has decided.
    The commander can go on anyway with a reason: `/next reason="…"`.
    "#);
    story.does("cleo", decide(Way::FixForward));
    story.does("ana", next());
    let refused = story.refused("ana", next());
    assert!(refused.contains("The smoke test has not been run."), "{refused}");
    assert!(!story.state().moments.contains_key(&Moment::Validated));
}

#[test]
fn going_back_to_decide_asks_for_a_decision() {
    let mut story = Story::in_recover();
    let back = |to| Request::Back {
        to,
        reason: "another look".to_owned(),
    };
    story.does("cleo", back(Phase::Decide));
    assert!(story.state().decision.is_none());
    assert_eq!(
        story.state().cause,
        Some(FindingId(1)),
        "what was found is still found"
    );
}
