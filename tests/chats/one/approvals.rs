//! Who may approve, by button and typed, and who may not.

use orderly::incident::{Stage, State};

use super::alike::{assert_alike, in_order, rooms_of, shown};
use super::hands::{Platform, labels};
use super::house::House;
use super::life::lived_until;

fn stage(state: &State) -> &Stage {
    &state.proposals.values().next().expect("a proposal").stage
}

/// How somebody approves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Pressed,
    Typed,
}

async fn approves(house: &House, who: &str, how: How) -> String {
    let told = match how {
        How::Pressed => house.presses(who, "Approve").await,
        How::Typed => house.types(who, "approve A1").await,
    };
    let words: Vec<String> = told.iter().map(|seen| seen.text.clone()).collect();
    words.join("\n")
}

/// A proposal from its first sight to its end; what the room holds then.
async fn approved(platform: Platform, how: How) -> Vec<String> {
    let house = lived_until(House::on(platform).await, "approve-pause").await;
    let own = approves(&house, "ana", how).await;
    assert!(own.contains("You proposed A1"), "{own}");
    let role = approves(&house, "cleo", how).await;
    assert!(role.contains("needs the approver role"), "{role}");
    assert!(matches!(stage(&house.state().await), Stage::Waiting { .. }));
    let counts = approves(&house, "ben", how).await;
    assert!(counts.contains("Your approval of A1 counts"), "{counts}");
    assert!(matches!(
        stage(&house.state().await),
        Stage::Verified { worked: true, .. }
    ));
    let rooms = rooms_of(&house).await;
    let room = house.room("cleo").await;
    let card = room.iter().find(|seen| seen.text.starts_with("A1 "));
    let card = card.expect("the proposal's card");
    assert!(
        !labels(card).contains("Approve"),
        "what is done cannot be approved: {card:?}"
    );
    let lines = in_order(room.iter().map(|seen| shown(seen, &rooms)));
    house.close().await;
    lines
}

#[tokio::test]
async fn an_approval_is_somebody_elses_who_holds_the_role_pressed_or_typed() {
    let pressed = approved(Platform::Local, How::Pressed).await;
    for platform in Platform::ALL {
        for how in [How::Pressed, How::Typed] {
            let lines = approved(platform, how).await;
            assert_alike(&format!("the room on {platform:?}"), &pressed, &lines);
        }
    }
}

#[tokio::test]
async fn who_refuses_says_why_and_nothing_runs() {
    for platform in Platform::ALL {
        let house = lived_until(House::on(platform).await, "approve-pause").await;
        house
            .fills("ben", "Refuse", &[("reason", "the import is still needed")])
            .await;
        let state = house.state().await;
        assert!(
            matches!(stage(&state), Stage::Refused { .. }),
            "{:?}",
            stage(&state)
        );
        assert!(state.attempts.is_empty(), "nothing was sent");
        let room = house.room("ana").await;
        let said = |seen: &super::hands::Seen| seen.text.contains("the import is still needed");
        assert!(room.iter().any(said), "{room:#?}");
        house.close().await;
    }
}

#[tokio::test]
async fn a_button_that_was_there_before_the_restart_still_works() {
    for platform in Platform::ALL {
        let house = lived_until(House::on(platform).await, "approve-pause").await;
        let house = house.restarted().await;
        house.presses("ben", "Approve").await;
        let state = house.state().await;
        assert!(
            matches!(stage(&state), Stage::Verified { worked: true, .. }),
            "{:?}",
            stage(&state)
        );
        house.close().await;
    }
}
