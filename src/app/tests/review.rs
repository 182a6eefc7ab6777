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

/// Both documents of a language that people read, as of an event.
async fn as_of(bot: &Bot, event: u64) -> [String; 2] {
    let read = async |format| {
        let made = bot.app.engine.document(IncidentId(1), format, event).await;
        String::from_utf8(made.expect("a document").bytes).expect("text")
    };
    [read("markdown").await, read("html").await]
}

#[tokio::test]
async fn what_is_said_after_an_event_is_not_in_the_document_as_of_it() {
    let bot = Bot::with("[timeline]\ncapture = \"all\"").await;
    bot.says("ana", "open Labels do not print").await;
    let dan = local::identity("dan");
    let say = async |text: &str| {
        let said = bot.app.chat.say(&dan, ROOM, None, text, None).await;
        bot.quiet().await;
        said.expect("said").message.parse::<i64>().expect("a number")
    };
    let first = say("the printer hums").await;
    bot.says("ana", "take commander").await;
    let event = bot.state().await.seq;
    let before = as_of(&bot, event).await;
    assert!(before.iter().all(|text| text.contains("the printer hums")));

    say("now it is quiet").await;
    bot.app
        .chat
        .edit(&dan, ROOM, first, "the printer sings")
        .await
        .expect("edited");
    bot.quiet().await;
    bot.says("ana", "note it was unplugged").await;
    assert_eq!(as_of(&bot, event).await, before);
    for text in as_of(&bot, u64::MAX).await {
        assert!(
            text.contains("the printer sings") && text.contains("now it is quiet"),
            "{text}"
        );
    }
}
