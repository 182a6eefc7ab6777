//! What was redacted is said nowhere any more: not in what the bot said of it, and not in what it is still to say.

use std::time::Duration;

use super::*;
use crate::chat::local::{Call, Fault};
use crate::incident::Event;

/// What everybody may see of the bot's, wherever it stands.
async fn said_everywhere(bot: &Bot) -> String {
    let mut said = Vec::new();
    for room in [ROOM, "lobby", "@ana", "@ben", "@cleo"] {
        if bot.app.chat.messages(room, None, 1).await.is_ok() {
            said.extend(bot.shows(room).await);
        }
    }
    for list in ["list all", "actions", "tasks", "timeline", "status"] {
        said.push(bot.says("ana", list).await);
    }
    said.join("\n")
}

/// Redacts the newest event of a kind.
async fn redact(bot: &Bot, kind: &str) {
    let journal = journal::load(&**bot.app.engine.store(), IncidentId(1)).await;
    let journal = journal.expect("a journal");
    let of_kind =
        |recorded: &&crate::incident::Recorded| recorded.event.as_ref().map(Event::kind) == Some(kind);
    let row = journal.iter().rev().find(of_kind).expect("such an event").seq;
    bot.says("ana", &format!("redact e{row} a password")).await;
}

async fn commanded() -> Bot {
    let bot = Bot::opened().await;
    bot.says("ana", "take commander").await;
    bot
}

/// Says it, sees that it is said, redacts the event, and sees that it is said nowhere.
async fn goes(bot: &Bot, lines: &[&str], kind: &str) {
    for line in lines {
        bot.says("ana", line).await;
    }
    let before = said_everywhere(bot).await;
    assert!(before.contains("swordfish"), "{lines:?}: {before}");
    redact(bot, kind).await;
    let after = said_everywhere(bot).await;
    let left: Vec<_> = after.lines().filter(|line| line.contains("swordfish")).collect();
    assert!(left.is_empty(), "{lines:?}: {left:#?}");
    assert!(after.contains("[redacted]"));
}

#[tokio::test]
async fn a_title_goes_from_the_lists_the_lobby_and_the_topic() {
    let bot = commanded().await;
    goes(&bot, &["title The key is swordfish"], "retitled").await;
    let rooms = bot.app.engine.listed(None);
    assert_eq!(rooms[0].title, "[redacted]");
}

#[tokio::test]
async fn a_page_goes_from_the_room_and_from_what_each_was_told_directly() {
    let bot = commanded().await;
    bot.says("ana", "page @ben the key is swordfish").await;
    bot.later(TimeDelta::minutes(6)).await;
    assert!(bot.shows("@ben").await.len() >= 2, "told again");
    goes(&bot, &["note nothing yet"], "paged").await;
}

#[tokio::test]
async fn what_was_said_of_a_task_later_goes_with_it() {
    let bot = commanded().await;
    goes(
        &bot,
        &["task add look at swordfish", "task done T1"],
        "task_added",
    )
    .await;
    goes(
        &bot,
        &[
            "finding add logs suspect swordfish in the log",
            "finding accept D1",
        ],
        "finding_recorded",
    )
    .await;
}

#[tokio::test]
async fn an_exported_document_with_the_words_is_kept_no_longer() {
    let bot = commanded().await;
    bot.says("ana", "note the key is swordfish").await;
    bot.says("ana", "export markdown").await;
    let exported = || async {
        let journal = journal::load(&**bot.app.engine.store(), IncidentId(1)).await;
        let mut hashes =
            journal
                .expect("a journal")
                .into_iter()
                .filter_map(|recorded| match recorded.event {
                    Some(Event::Exported { sha256, .. }) => sha256.parse().ok(),
                    _ => None,
                });
        let last = hashes.next_back().expect("an export");
        bot.app
            .engine
            .store()
            .evidence(last)
            .await
            .expect("it reads")
            .expect("a row")
    };
    assert!(String::from_utf8_lossy(&exported().await.bytes).contains("swordfish"));
    redact(&bot, "noted").await;
    let kept = exported().await;
    assert!(kept.redacted && kept.bytes.is_empty());
}

#[tokio::test]
async fn an_answer_that_waits_for_chat_is_not_sent_with_the_words() {
    let bot = commanded().await;
    bot.says("ana", "note the key is swordfish").await;
    let slow = Fault::Retry {
        after: Some(Duration::from_secs(60)),
    };
    bot.app.chat.faults().next_of(Call::Whisper, 1, &slow);
    bot.says("ben", "timeline").await;
    let waits = || async {
        let until = bot.clock.now() + TimeDelta::hours(1);
        let waiting = bot.app.engine.store().due_effects(until, &[], 100).await;
        let bodies = waiting
            .expect("it reads")
            .into_iter()
            .map(|stored| stored.effect.body);
        bodies.collect::<Vec<_>>().join("\n")
    };
    assert!(waits().await.contains("swordfish"), "the answer waits");
    redact(&bot, "noted").await;
    let waits = waits().await;
    assert!(
        !waits.contains("swordfish") && waits.contains("not kept any more"),
        "{waits}"
    );
}
