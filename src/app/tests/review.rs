//! The post-mortem's way through its review, as it is typed and shown.

use super::*;
use crate::incident::Review;

/// Resolved; the post-mortem is a draft.
async fn resolved() -> Bot {
    let bot = Bot::opened().await;
    bot.says("ana", "take commander").await;
    bot.says(
        "ana",
        "resolve labels print again reason=\"it was a loose cable\"",
    )
    .await;
    bot
}

#[tokio::test]
async fn every_step_of_the_review_has_a_command() {
    let bot = resolved().await;
    bot.says("ana", "postmortem edit cause a loose cable").await;
    bot.says("ana", "postmortem submit").await;
    bot.says("ben", "postmortem review what prevents a repeat?").await;
    assert_eq!(bot.state().await.review, Review::Draft);
    bot.says("ana", "postmortem submit").await;
    bot.says("ben", "postmortem approve").await;
    bot.says("ben", "postmortem close").await;
    assert_eq!(bot.state().await.review, Review::Closed);
    bot.says("ana", "close reason=\"the runbook's steps were done on paper\"")
        .await;
    insta::assert_snapshot!(bot.refused("ana", "postmortem snooze 1d").await, @"INC-1 is closed. Reopen it with a reason if it is not over.");
}

#[tokio::test]
async fn the_room_is_reminded_on_the_day_it_is_due_and_can_put_that_off() {
    let bot = resolved().await;
    assert!(
        bot.card()
            .await
            .contains("Post-mortem: draft, due 2026-11-26 14:00 UTC")
    );
    bot.later(TimeDelta::days(10)).await;
    insta::assert_snapshot!(bot.told("The post-mortem was due").await, @"The post-mortem was due 2026-11-26 14:00 UTC and is still a draft.");
    insta::assert_snapshot!(bot.says("ana", "postmortem snooze 2d").await, @"You are reminded of the post-mortem at 2026-11-28 14:00 UTC (#13).");
}

#[tokio::test]
async fn when_it_is_due_is_the_configs_to_say() {
    let bot = Bot::with("[postmortem.due]\nSEV3 = \"1d\"\n[followup]\ndue = \"7d\"").await;
    bot.says("ana", "open Labels do not print").await;
    bot.says("ana", "take commander").await;
    bot.says("ana", "resolve reason=\"it was nothing\"").await;
    assert!(
        bot.card()
            .await
            .contains("Post-mortem: draft, due 2026-11-17 14:00 UTC")
    );
    bot.says("ana", "followup add test the cable").await;
    let list = bot.says("ana", "followups").await;
    assert!(list.contains("2026-11-23"), "{list}");
}
