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
            grounds: "undone by A2".to_owned()
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
    assert_snapshot!(story.refused("ana", accept(id)), @"Only the commander (cleo) or the deputy may accept that containment stays. Ask them, or take over with `handover`.");
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
