//! One person with accounts on two platforms is one person.

use super::kit::*;
use super::rooms::*;
use crate::chat::Incoming;
use crate::incident::*;

#[tokio::test]
async fn somebody_proves_with_a_code_that_two_accounts_are_theirs_and_has_one_vote() {
    let house = on_both().await;
    let stranger = Identity {
        user: "U-benedict".to_owned(),
        ..on_slack("ben")
    };
    let from_slack = |said: &Said| Incoming::Command {
        from: stranger.clone(),
        room: slack_room("inc-1"),
        text: format!("INC-1 {}", serde_json::to_string(said).expect("JSON")),
        trigger: None,
        thread: None,
    };
    let approving = Said::Do(Box::new(approve(1)));
    house.does("ana", propose(two_votes())).await;
    house.hears("k1", None, from_slack(&approving)).await;
    assert!(!house.state(1).await.proposals.is_empty());
    let offered = house.says("ben", None, Said::Link(None)).await;
    assert!(
        offered.message.fallback.contains("role link ABCDE-FGHJK"),
        "{}",
        offered.message.fallback
    );
    let typed = from_slack(&Said::Link(Some("abcde fghjk".to_owned())));
    let inbox = house.hears("k2", None, typed.clone()).await.expect("kept");
    let verdict = crate::chat::Intake::decided(&house.engine, inbox).await;
    insta::assert_snapshot!(verdict.message.fallback, @"You are ben here too now. What you say on both platforms is one person's word, and one vote.");
    house.does("ben", approve(1)).await;
    house.hears("k3", None, from_slack(&approving)).await;
    assert_eq!(
        house.stage(1, 1).await,
        "waiting for approval",
        "twice the same person"
    );
    house.does("cleo", approve(1)).await;
    assert_ne!(house.stage(1, 1).await, "waiting for approval");
    house
        .know("ben", &[Role::Approver])
        .await
        .expect("the config is read anew");
    assert_eq!(
        house.engine.desk().person_of(&stranger),
        Some(&PersonId::new("ben"))
    );
    let inbox = house.hears("k4", None, typed).await.expect("kept");
    let again = crate::chat::Intake::decided(&house.engine, inbox).await;
    assert!(!again.accepted, "a code works once");
}

fn two_votes() -> Terms {
    Terms {
        policy: Policy {
            quorum: 2,
            role: None,
            ..stopping().policy
        },
        ..stopping()
    }
}

#[tokio::test]
async fn one_person_on_two_platforms_has_one_vote() {
    let house = on_both().await;
    house.does("ana", propose(two_votes())).await;
    house.does("ben", approve(1)).await;
    let again = Incoming::Command {
        from: on_slack("ben"),
        room: slack_room("inc-1"),
        text: serde_json::to_string(&Said::Do(Box::new(approve(1)))).expect("JSON"),
        trigger: None,
        thread: None,
    };
    house.hears("ben-on-slack", None, again).await;
    assert_eq!(house.stage(1, 1).await, "waiting for approval");
    house.does("cleo", approve(1)).await;
    assert_ne!(house.stage(1, 1).await, "waiting for approval");
}
