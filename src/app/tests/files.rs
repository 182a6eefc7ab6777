//! Files of marked messages are evidence: kept as received, hashed, shown by role.

use super::*;
use crate::app::documents::Shown;
use crate::chat::Upload;
use crate::incident::{FileFate, PersonId};
use crate::web::{self, Documents as _};

const LABELS: &[u8] = b"order;label\r\n7;\xff\xfe password=hunter2\r\n";

/// SHA-256 of [`LABELS`], by another program.
const DIGEST: &str = "a6d89441a8a7fe453416db8afb71f232ed8b2729628e8c7ad6480ed47e5dd112";

/// Dan uploads a file into the room, and Ana puts it on the timeline.
async fn marked() -> Bot {
    let bot = Bot::opened().await;
    let file = Upload {
        name: "labels of today.csv".to_owned(),
        media_type: "text/csv".to_owned(),
        bytes: LABELS.to_vec(),
        comment: "these went out wrong".to_owned(),
    };
    let dan = local::identity("dan");
    let at = bot
        .app
        .chat
        .attach(&dan, ROOM, None, file)
        .await
        .expect("uploaded");
    let id = at.message.parse().expect("a number");
    let ana = local::identity("ana");
    bot.app
        .chat
        .react(&ana, ROOM, id, "📌", true)
        .await
        .expect("a reaction");
    bot.quiet().await;
    bot
}

async fn opens(bot: &Bot, who: &str) -> Option<(String, Vec<u8>)> {
    let person = web::Person {
        id: PersonId::new(who),
        name: who.to_owned(),
        identity: local::identity(who),
    };
    let documents = Shown {
        engine: bot.app.engine.clone(),
    };
    assert_eq!(
        documents.output(DIGEST, &person).await,
        None,
        "a file has no second door"
    );
    documents.file(1, DIGEST, &person).await
}

#[tokio::test]
async fn a_file_on_a_marked_message_is_kept_and_the_room_is_told() {
    let bot = marked().await;
    insta::assert_snapshot!(bot.told("Kept as evidence").await, @"Kept as evidence: labels of today.csv (/incidents/1/files/a6d89441a8a7fe453416db8afb71f232ed8b2729628e8c7ad6480ed47e5dd112) (text/csv, 36 B). It opens for whoever holds a role.");
    let state = bot.state().await;
    let (_, _, fate) = state.kept_files().next().expect("one");
    let FileFate::Kept { size, sha256, .. } = fate else {
        panic!("it is kept");
    };
    assert_eq!((*size, sha256.as_str()), (LABELS.len() as u64, DIGEST));
}

#[tokio::test]
async fn a_kept_file_opens_for_those_who_hold_a_role_and_for_nobody_else() {
    let bot = marked().await;
    let kept = Some(("labels of today.csv".to_owned(), LABELS.to_vec()));
    for entitled in ["ana", "ben", "cleo"] {
        assert_eq!(opens(&bot, entitled).await, kept, "{entitled}");
    }
    assert_eq!(opens(&bot, "dan").await, None, "entitled to nothing");
    bot.says("ana", "role assign scribe @dan").await;
    assert_eq!(opens(&bot, "dan").await, kept, "the scribe of this incident");
}

#[tokio::test]
async fn the_post_mortem_lists_a_kept_file_with_its_hash() {
    let bot = marked().await;
    let document = bot.app.engine.document(IncidentId(1), "markdown", u64::MAX).await;
    let text = String::from_utf8(document.expect("a document").bytes).expect("text");
    let line = text.lines().find(|line| line.contains(DIGEST)).expect("the hash");
    insta::assert_snapshot!(line, @"- File “labels of today.csv” (text/csv, 36 B) posted by Dan Roe: SHA-256 `a6d89441a8a7fe453416db8afb71f232ed8b2729628e8c7ad6480ed47e5dd112` `#7`");
    assert!(!text.contains("hunter2"));
}

#[tokio::test]
async fn the_timeline_tells_of_a_kept_file() {
    let bot = marked().await;
    let timeline = bot.says("ana", "timeline").await;
    let line = timeline
        .lines()
        .find(|line| line.contains("kept as evidence"))
        .expect("a line");
    insta::assert_snapshot!(line, @"#7: 2026-11-16 14:00 UTC The file “labels of today.csv” (text/csv, 36 B) is kept as evidence, SHA-256 a6d89441a8a7….");
}

#[tokio::test]
async fn redacting_the_file_takes_its_bytes_away_and_keeps_its_hash() {
    let bot = marked().await;
    bot.says("ana", "take commander").await;
    let state = bot.state().await;
    let event = state.marks.values().next().expect("a mark").event;
    bot.says("ana", &format!("redact e{event} it has a password"))
        .await;
    assert_eq!(opens(&bot, "ana").await, None);
    let state = bot.state().await;
    assert_eq!(state.kept_files().count(), 1, "that there was one is no secret");
    let (_, file, _) = state.kept_files().next().expect("one");
    assert_eq!(file.name, "[redacted]");
}
