//! Bringing people in.

use super::*;
use crate::incident::PersonId;

#[tokio::test]
async fn somebody_invited_into_a_private_incident_gets_in_and_is_told_where_to_begin() {
    let bot = Bot::idle().await;
    bot.says("ana", "open Payroll is wrong --private").await;
    insta::assert_snapshot!(bot.refused("ben", "status").await, @"There is no INC-1 that you can see. /incident list shows those you can.");
    bot.says("ana", "invite @ben").await;
    insta::assert_snapshot!(bot.shows("@ben").await.join("\n"), @"@Ben Ode you are invited into INC-1 by Ana Ruiz: Payroll is wrong. Say `/incident brief` to catch up.");
    assert!(bot.app.chat.shows("ben", ROOM), "in the room");
    bot.says("ben", "status").await;
    for stranger in ["cleo", "dan"] {
        assert!(!bot.app.chat.shows(stranger, ROOM));
        assert!(bot.app.engine.listed(Some(&PersonId::new(stranger))).is_empty());
        assert!(
            !bot.tries(stranger, "list all")
                .await
                .message
                .fallback
                .contains("Payroll")
        );
    }
    insta::assert_snapshot!(bot.refused("ana", "invite @ben").await, @"ben is in already.");
    assert!(!bot.app.engine.metrics().await.contains("Payroll"));
}

#[tokio::test]
async fn the_timeline_tells_who_invited_whom() {
    let bot = Bot::opened().await;
    bot.says("ana", "role invite @cleo").await;
    let timeline = bot.says("ana", "timeline").await;
    assert!(timeline.contains("Ana Ruiz invited Cleo Hart."), "{timeline}");
}

#[tokio::test]
async fn whoever_answers_a_page_for_somebody_else_is_told_of_in_their_place() {
    let bot = Bot::opened().await;
    bot.says("ana", "ack").await;
    bot.says("ana", "page @ben the approval waits").await;
    insta::assert_snapshot!(bot.refused("cleo", "ack").await, @"No page waits for you. N1 waits for ben; /incident ack N1 takes it over in their place.");
    bot.says("cleo", "ack N1").await;
    let shown = bot.shows(ROOM).await.join("\n");
    assert!(
        shown.contains("Cleo Hart is on it, in the place of Ben Ode."),
        "{shown}"
    );
    let timeline = bot.says("ana", "timeline").await;
    assert!(
        timeline.contains("Cleo Hart answered page N1, in the place of Ben Ode."),
        "{timeline}"
    );
    let seq = bot.state().await.seq;
    let document = bot.app.engine.document(IncidentId(1), "markdown", seq).await;
    let text = String::from_utf8(document.expect("a document").bytes).expect("text");
    assert!(text.contains("Cleo Hart answered in their place"), "{text}");

    // Whoever was paged answers for themselves.
    bot.says("ana", "page @ben once more").await;
    bot.says("ben", "ack").await;
    let timeline = bot.says("ana", "timeline").await;
    assert!(timeline.contains("Ben Ode answered page N2."), "{timeline}");
}

#[tokio::test]
async fn an_incident_of_no_named_process_disturbs_the_business() {
    let bot = Bot::opened().await;
    let seq = bot.state().await.seq;
    let document = bot.app.engine.document(IncidentId(1), "markdown", seq).await;
    let text = String::from_utf8(document.expect("a document").bytes).expect("text");
    assert!(text.contains("INC-1 disturbed the business from "), "{text}");
    let opened = text.lines().find(|line| line.contains(" declared INC-1 "));
    assert!(opened.is_some_and(|line| !line.contains("other")), "{opened:?}");
}
