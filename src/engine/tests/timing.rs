//! Timers, waits and clocks that are set.

use chrono::TimeDelta;

use super::kit::*;
use crate::incident::*;

#[tokio::test]
async fn timers_fire_when_they_are_due() {
    let house = House::new().await;
    house.opens(opening()).await;
    house.later(TimeDelta::seconds(299)).await;
    assert_eq!(house.count(1, "role_nudged").await, 0);
    house.later(TimeDelta::seconds(1)).await;
    assert_eq!(house.count(1, "role_nudged").await, 1);
}

#[tokio::test]
async fn timers_that_came_due_while_nobody_ran_fire_after_the_start() {
    let house = House::new().await;
    house.framed().await;
    house
        .does(
            "ana",
            Request::SendUpdate {
                text: "we look".to_owned(),
                next_s: Some(60),
            },
        )
        .await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.engine.stop().await;
    house.clock.advance(TimeDelta::hours(2));
    let house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.count(1, "update_reminded").await, 1);
    assert_eq!(house.stage(1, 1).await, "expired");
}

#[tokio::test]
async fn a_proposal_asks_again_and_then_expires() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    for _ in 0..61 {
        house.later(TimeDelta::minutes(1)).await;
    }
    assert_eq!(house.count(1, "asked_again").await, 3);
    assert_eq!(house.count(1, "expired").await, 1);
}

#[tokio::test]
async fn a_clock_that_jumps_back_leaves_no_approval_standing_and_is_written_down() {
    let house = House::new().await;
    house.framed().await;
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.clock.set(start() - TimeDelta::hours(1));
    house.does("dan", note("what time is it?")).await;
    assert_eq!(house.count(1, "clock_jumped").await, 1);
    assert_eq!(house.stage(1, 1).await, "void");
    let journal = house.journal(1).await;
    assert!(
        journal
            .windows(2)
            .all(|pair| pair[0].recorded <= pair[1].recorded)
    );
}

#[tokio::test]
async fn after_a_jump_back_timers_go_by_the_clock_and_not_by_the_journal() {
    let house = House::new().await;
    house.framed().await;
    house.clock.set(start() - TimeDelta::hours(5));
    house.does("ana", propose(terms("stop", "odoo-prod"))).await;
    house.later(TimeDelta::minutes(3)).await;
    assert_eq!(house.count(1, "asked_again").await, 1, "not five hours later");
    house.later(TimeDelta::minutes(58)).await;
    assert_eq!(house.stage(1, 1).await, "expired");
}

#[tokio::test]
async fn silence_means_that_nothing_is_left_to_do() {
    let house = House::new().await;
    for _ in 0..3 {
        house.framed().await;
    }
    let page = Request::Page {
        role: None,
        people: vec![PersonId::new("dan")],
        message: None,
    };
    house.does_in(2, "ana", page).await;
    assert_eq!(house.waits_in_outbox().await, 0);
    house.later(TimeDelta::minutes(30)).await;
    assert_eq!(house.waits_in_outbox().await, 0);
    let due = crate::store::Store::due_timers(&house.store, crate::clock::Clock::now(&house.clock), 10).await;
    assert!(due.expect("timers").is_empty());
}

#[tokio::test]
async fn the_reminder_of_the_post_mortem_outlives_a_restart_and_can_be_put_off() {
    let house = House::new().await;
    house.framed().await;
    let resolve = Request::Resolve {
        summary: None,
        reason: Some("it was nothing".to_owned()),
    };
    house.does("cleo", resolve).await;
    house.engine.stop().await;
    house.clock.advance(TimeDelta::days(5));
    let house = house.again().await;
    house.engine.quiet().await;
    assert_eq!(house.count(1, "postmortem_reminded").await, 1);
    assert!(
        house
            .chat
            .notices("inc-1")
            .iter()
            .any(|text| text.ends_with("postmortem_reminded"))
    );
    house
        .does("ana", Request::SnoozePostmortem { for_s: 3 * 86_400 })
        .await;
    let house = house.again().await;
    house.later(TimeDelta::days(2)).await;
    assert_eq!(house.count(1, "postmortem_reminded").await, 1);
    house.later(TimeDelta::days(1)).await;
    assert_eq!(house.count(1, "postmortem_reminded").await, 2);
}
