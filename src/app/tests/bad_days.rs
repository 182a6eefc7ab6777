//! Bad days as a responder lives through them: what the room is told, and what to do next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A service with one job. It answers the change as the test says, and no question after that.
async fn service(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let changes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&changes);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let posted = request[..read].starts_with(b"POST");
            let jobs = r#"[{"name":"import","running":true}]"#;
            let reply = match (posted, counted.load(Ordering::SeqCst)) {
                (true, _) => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    answer.to_owned()
                }
                (false, 0) => format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{jobs}",
                    jobs.len()
                ),
                (false, _) => {
                    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        .to_owned()
                }
            };
            // An empty answer is a connection that breaks off.
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    (port, changes)
}

/// A bot in Contain whose only target is there.
async fn with_a_service(port: u16) -> Bot {
    let target = format!(
        "[[target]]\nname = \"shop\"\nkind = \"http\"\nenvironment = \"production\"\nurl = \"http://127.0.0.1:{port}\"\naction = {{}}\n"
    );
    let bot = Bot::with(&target).await;
    bot.says("ana", "open Wrong prices target=shop").await;
    bot.says("ana", "take commander").await;
    let frame = "frame function the price import works=\"orders\" who=\"every customer\" impact=\"we lose money\" since=\"2m ago\"";
    bot.says("ana", frame).await;
    bot.says("ana", "next reason=\"looked at by hand\"").await;
    bot.says("ana", "damage yes").await;
    bot
}

const PAUSE: &str = "propose http.job.pause shop job=import reason=\"it writes wrong prices\"";

#[tokio::test]
async fn an_action_that_was_answered_in_doubt_is_put_to_people_and_never_sent_again() {
    for answer in [
        "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: /again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "",
    ] {
        let (port, changes) = service(answer).await;
        let bot = with_a_service(port).await;
        bot.says("ana", PAUSE).await;
        bot.says("ben", "approve A1").await;
        let told = bot.told("Nobody knows whether attempt X1 happened").await;
        assert!(told.contains("It will not be run again. Look at the system, then settle it."));
        let card = bot.card().await;
        assert!(
            card.contains("nobody knows whether it ran; look and settle it"),
            "{card}"
        );
        assert!(card.contains("Damage: going on"), "{card}");
        bot.later(TimeDelta::hours(2)).await;
        assert_eq!(changes.load(Ordering::SeqCst), 1, "sent once: {answer}");
        bot.says("ana", "settle A1 did-not-happen the job still shows as running")
            .await;
        assert!(
            bot.told("A1").await.contains("not done"),
            "it may be proposed again"
        );
    }
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_answers_unknown_and_says_so() {
    // A port that nobody listens on any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let bot = with_a_service(port).await;
    bot.says("cleo", "probe run http.job shop job=import").await;
    let round = bot.told("Probe P1").await;
    assert!(round.contains("unknown:"), "{round}");
    assert!(
        round.contains("Is it up, and may this machine reach it?"),
        "{round}"
    );
}

#[tokio::test]
async fn what_is_not_in_the_catalog_is_answered_with_what_is() {
    let (port, changes) = service("").await;
    let bot = with_a_service(port).await;
    let refused = bot
        .refused("ana", "propose http.job.pauze shop job=import reason=x")
        .await;
    assert!(refused.contains("http.job.pause"), "{refused}");
    let refused = bot
        .refused("ana", "propose http.job.pause shop jbo=import reason=x")
        .await;
    assert!(refused.contains("“job”"), "{refused}");
    assert_eq!(changes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn hostile_text_of_any_length_changes_nothing_but_itself() {
    let bot = Bot::opened().await;
    let hostile = "<script>alert(1)</script> **x** \u{202e}gpj.exe\u{7}\u{1b}[31m @here";
    bot.says("ana", &format!("note {hostile}")).await;
    assert_eq!(bot.notes().await[0], hostile, "the journal keeps what was said");
    let flood = "x".repeat(100_000);
    let refused = bot.refused("ana", &format!("note {flood}")).await;
    insta::assert_snapshot!(refused, @"The note has 100000 characters; 4000 is the most. Put the rest into a file and upload it here.");
    assert_eq!(bot.notes().await.len(), 1);
    let refused = bot.refused("ana", &format!("title {flood}")).await;
    assert!(refused.contains("characters"), "{refused}");
    assert_eq!(bot.state().await.title, "Labels do not print");
}

/// What is answered can be read, whatever was typed: it does not throw the flood back.
const READABLE: usize = 2_000;

#[tokio::test]
async fn names_of_a_hundred_kilobytes_are_refused_in_words_that_can_be_read() {
    let bot = Bot::opened().await;
    bot.says("ana", "task add call the carrier").await;
    let flood = "x".repeat(100_000);
    let spread = "\u{202e}<b>@here \u{1b}[31m".repeat(5_000);
    for name in [&flood, &spread] {
        for line in [
            "title {}",
            "{}",
            "task assign T1 {}",
            "role take {}",
            "role assign responder {}",
            "page {}",
            "set target {}",
            "set process {}",
            "runbook use {}",
            "probe run {}",
            "redact {} a password",
            "mark duplicate {}",
            "room {}",
            "severity {}",
            "help {}",
        ] {
            let line = line.replace("{}", name);
            let head: String = line.chars().take(30).collect();
            let verdict = bot.tries("ana", &line).await;
            let told = verdict.message.fallback.chars().count();
            assert!(
                (1..READABLE).contains(&told),
                "`{head}…` is answered with {told} characters: {}",
                verdict.message.fallback.chars().take(300).collect::<String>()
            );
        }
    }
    assert_eq!(bot.state().await.title, "Labels do not print");
}

#[tokio::test]
async fn somebody_unknown_is_told_who_adds_them() {
    let bot = Bot::opened().await;
    insta::assert_snapshot!(bot.refused("zoe", "status").await, @"Orderly does not know you yet (local/zoe). Ask the operator to add you with “orderly person add”. Known on another platform? Type /incident role link there.");
}
