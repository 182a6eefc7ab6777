use super::kit::*;
use crate::chat::{self, Intake};
use crate::incident::*;

async fn private() -> House {
    let house = House::new().await;
    house
        .opens(Opening {
            private: true,
            title: "Payroll".to_owned(),
            ..opening()
        })
        .await;
    house
}

#[tokio::test]
async fn a_private_incident_is_listed_for_its_members_only() {
    let house = private().await;
    let ana = PersonId::new("ana");
    assert_eq!(titles(&house.engine.listed(Some(&ana))), ["Payroll"]);
    assert!(house.engine.listed(Some(&PersonId::new("dan"))).is_empty());
    assert_eq!(
        titles(&house.engine.listed(None)),
        ["Payroll"],
        "the operator sees all"
    );
}

#[tokio::test]
async fn whether_it_is_private_or_not_there_the_words_are_the_same() {
    let house = private().await;
    let hidden = house.says("dan", Some(1), Said::Do(Box::new(note("?")))).await;
    let absent = house.says("dan", Some(2), Said::Do(Box::new(note("?")))).await;
    assert_eq!(
        hidden.message.fallback.replace("INC-1", "INC-n"),
        absent.message.fallback.replace("INC-2", "INC-n")
    );
    assert_eq!(house.notes(1).await.len(), 0);
}

#[tokio::test]
async fn it_is_not_announced_and_not_completed() {
    let house = private().await;
    assert!(house.chat.reads("lobby").is_empty());
    let completed = house.engine.complete(&identity("dan"), &room("inc-1"), "").await;
    assert!(completed.is_empty());
    let completed = house.engine.complete(&identity("ana"), &room("inc-1"), "").await;
    assert_eq!(completed.len(), 1);
}

#[tokio::test]
async fn who_is_paged_into_it_sees_it() {
    let house = private().await;
    let page = Request::Page {
        role: None,
        people: vec![PersonId::new("dan")],
        message: None,
    };
    house.does("ana", page).await;
    house.does("dan", note("I am here")).await;
    assert!(house.chat.invited("inc-1", "dan"));
}

#[tokio::test]
async fn whoever_is_invited_sees_it_and_is_in_its_room_and_nobody_else_is() {
    let house = private().await;
    let invite = Request::Invite {
        people: vec![PersonId::new("ben")],
    };
    let from_outside = house
        .says("dan", Some(1), Said::Do(Box::new(invite.clone())))
        .await;
    assert!(!from_outside.accepted, "a stranger brings nobody in");
    house.does("ana", invite).await;
    assert!(house.chat.invited("inc-1", "ben"));
    assert_eq!(
        titles(&house.engine.listed(Some(&PersonId::new("ben")))),
        ["Payroll"]
    );
    assert_eq!(house.chat.directs("ben").len(), 1, "told directly");
    house.does("ben", note("here")).await;
    assert!(!house.chat.invited("inc-1", "dan"));
    assert!(house.engine.listed(Some(&PersonId::new("dan"))).is_empty());
    assert!(house.chat.directs("dan").is_empty());
    // Still so after a restart.
    let house = house.again().await;
    assert_eq!(
        titles(&house.engine.listed(Some(&PersonId::new("ben")))),
        ["Payroll"]
    );
    assert!(house.engine.listed(Some(&PersonId::new("dan"))).is_empty());
}

#[tokio::test]
async fn without_a_room_its_questions_reach_whoever_opened_it_and_nobody_else() {
    let house = House::new().await;
    house.chat.fails(chat::Error::Gone {
        why: "the bot may not make rooms".to_owned(),
    });
    let private = Opening {
        private: true,
        ..opening()
    };
    house.opens(private).await;
    assert_eq!(house.count(1, "room_failed").await, 1);
    house.does("ana", Request::Frame { frame: whole_frame() }).await;
    let told = house.chat.directs("ana");
    let (prompts, others): (Vec<_>, Vec<_>) = told.iter().partition(|told| told.starts_with("prompt"));
    assert_eq!(prompts.len(), 2, "the question of each phase: {told:?}");
    assert!(others.len() == 1 && others[0].contains("room_failed"), "{told:?}");
    assert!(house.chat.posted().is_empty(), "{:?}", house.chat.posted());
    assert_eq!(house.waits_in_outbox().await, 0);
}
