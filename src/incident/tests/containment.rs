use insta::assert_snapshot;

use super::kit::*;
use crate::incident::*;

fn accept(proposal: ProposalId) -> Request {
    Request::AcceptContainment {
        proposal,
        reason: "the old job is gone for good".to_owned(),
    }
}

#[test]
fn containment_is_listed_until_its_undo_is_verified() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    assert_eq!(story.state().containment_in_force().collect::<Vec<_>>(), [id]);
    let undo = story.running(undoing(id));
    story.ends(undo, done());
    assert_eq!(
        story.state().containment_in_force().count(),
        1,
        "done is not verified"
    );
    story.does("ben", confirm(undo, true));
    assert_eq!(story.state().containment_in_force().count(), 0);
    assert_eq!(
        story.proposal(1).containment,
        Some(Containment::Lifted {
            grounds: "undone by A2".to_owned(),
            at: story.clock,
        })
    );
}

#[test]
fn an_undo_needs_something_to_undo_and_happens_once() {
    let mut story = Story::framed();
    let id = story.proposed(stopping());
    assert_snapshot!(story.refused("ana", propose(undoing(id))), @"A1 is waiting for approval; there is nothing to undo.");
    story.does("ben", approve(id));
    story.answer_all(Verdict::Ok);
    story.ends(id, done());
    story.answer_all(Verdict::Ok);
    let undo = story.running(undoing(id));
    assert_snapshot!(story.refused("ben", propose(undoing(id))), @"The same action stands already: A2 is running.");
    story.ends(undo, done());
    story.does("ben", confirm(undo, true));
    assert_snapshot!(story.refused("ana", propose(undoing(id))), @"A1 is undone already.");
}

#[test]
fn what_contains_nothing_is_undone_once_as_well() {
    let mut story = Story::framed();
    let id = story.verified(terms("stop", "odoo-prod"));
    let undo = story.running(undoing(id));
    story.ends(undo, done());
    story.does("ben", confirm(undo, true));
    assert_snapshot!(story.refused("ana", propose(undoing(id))), @"A1 is undone already.");
}

#[test]
fn who_leads_accepts_that_containment_stays() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    assert_snapshot!(story.refused("ana", accept(id)), @"Only the commander (cleo) or the deputy may accept that containment stays. Ask them, or take over with `/handover`.");
    story.does("cleo", accept(id));
    assert_eq!(story.state().containment_in_force().count(), 0);
    assert_snapshot!(story.refused("cleo", accept(id)), @"A1 is no containment in force.");
}

#[test]
fn containment_is_reminded_of_while_it_is_in_force() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    let written = story.fires(TimerKey::Containment);
    assert_eq!(
        written[0].event,
        Some(Event::ContainmentReminded { proposals: vec![id] })
    );
    story.does("cleo", accept(id));
    assert!(story.fires(TimerKey::Containment).is_empty());
}

#[test]
fn damage_that_goes_on_needs_containment_verified_after_it() {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    story.verified(stopping());
    assert_eq!(story.state().phase, Phase::Triage);
    story.does("dan", damage(true));
    assert_eq!(
        story.state().phase,
        Phase::Contain,
        "what is in force did not stop this"
    );
    story.verified(Terms {
        containment: true,
        ..Terms {
            verify: stopping().verify,
            ..terms("restart", "odoo-prod")
        }
    });
    assert_eq!(story.state().phase, Phase::Triage);
}

#[test]
fn lifted_containment_contains_nothing() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    story.does("ana", damage(true));
    let again = story.verified(Terms {
        params: [("n".to_owned(), 2.into())].into(),
        ..stopping()
    });
    assert_eq!(story.state().phase, Phase::Triage);
    for undone in [id, again] {
        let undo = story.running(undoing(undone));
        story.ends(undo, done());
        story.does("ben", confirm(undo, true));
    }
    story.does("ana", back(Phase::Contain));
    assert!(story.refused("ana", next()).contains("Damage is going on"));
}

fn lift(proposal: ProposalId) -> Request {
    Request::LiftContainment {
        proposal,
        reason: "the team switched the job on by hand".to_owned(),
    }
}

#[test]
fn containment_undone_by_other_hands_is_lifted_by_who_leads_with_how_they_know() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    assert_snapshot!(story.refused("dan", lift(id)), @"Only the commander (cleo) or the deputy may say that containment is lifted. Ask them, or take over with `/handover`.");
    let silent = Request::LiftContainment {
        proposal: id,
        reason: " ".to_owned(),
    };
    assert_snapshot!(story.refused("cleo", silent), @"How you know is missing. Say it in a few words.");
    story.does("cleo", lift(id));
    assert_eq!(story.state().containment_in_force().count(), 0);
    assert_snapshot!(story.refused("cleo", lift(id)), @"A1 is lifted already: the team switched the job on by hand.");
    assert_snapshot!(story.refused("ana", propose(undoing(id))), @"A1 is lifted already: the team switched the job on by hand.");
}

#[test]
fn only_containment_is_lifted() {
    let mut story = Story::framed();
    let id = story.verified(terms("stop", "odoo-prod"));
    assert_snapshot!(story.refused("cleo", lift(id)), @"A1 is no containment in force.");
    assert_snapshot!(story.refused("cleo", lift(ProposalId(9))), @"There is no action A9 here; there is A1.");
}

#[test]
fn containment_that_is_being_undone_is_not_lifted_by_word() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    let undo = story.running(undoing(id));
    assert_snapshot!(story.refused("cleo", lift(id)), @"A2 undoes it and is running. Once that is verified, A1 is lifted by itself.");
    story.ends(undo, done());
    story.does("ben", confirm(undo, true));
    assert_eq!(story.state().containment_in_force().count(), 0);
}

#[test]
fn what_was_accepted_may_be_lifted_later() {
    let mut story = Story::framed();
    let id = story.verified(stopping());
    story.does("cleo", accept(id));
    story.does("cleo", lift(id));
    assert_snapshot!(story.refused("cleo", accept(id)), @"A1 is no containment in force.");
}

#[test]
fn recover_closes_once_containment_is_lifted() {
    let mut story = Story::framed();
    story.does("ana", damage(true));
    let id = story.verified(stopping());
    story.does(
        "ana",
        finding(Line::Changes, Conclusion::Suspect, "the deploy at two"),
    );
    let cause = Request::AcceptCause {
        finding: FindingId(1),
        reason: None,
    };
    story.does("ana", cause);
    story.does("ana", next());
    story.does("cleo", decide(Way::RollBack));
    story.does("cleo", next());
    for item in RecoveryItem::ALL {
        story.does("ana", check(*item, true));
    }
    assert!(
        story
            .refused("ana", next())
            .contains("Containment A1 is still in force")
    );
    story.does("cleo", lift(id));
    story.does("ana", next());
    assert_eq!(story.state().phase, Phase::Learn);
}
