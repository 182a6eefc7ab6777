//! Inside a thread, where Slack allows no slash command: a mention of the bot is one, and is answered right there.

use super::kit::{House, Transport};

async fn asked_in_a_thread(transport: Transport) {
    let house = House::open(transport).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let ana = house.person("ana");
    // An address that a slash command left behind answers in the channel; it is not for the thread.
    ana.types("/incident status", &room).await;
    house.settled().await;
    let said = ana.says(&room, "where do we stand?");
    let bot = house.slack.bot_user();
    ana.replies(&room, &said, &format!("<@{bot}> status"));
    house.settled().await;
    let answered = |thread: Option<&str>| {
        house.slack.read(|slack| {
            let shown = slack.channel(&room).ephemerals.iter();
            let mine =
                shown.filter(|shown| shown.user == ana.id() && shown.message.thread_ts.as_deref() == thread);
            mine.filter(|shown| slack.plain(&shown.message).contains("What is open now"))
                .count()
        })
    };
    assert_eq!((answered(Some(&said)), answered(None)), (1, 1));
    // What is refused is said there, too, to this person only.
    ana.replies(&room, &said, &format!("<@{bot}> approve A9"));
    house.settled().await;
    house.slack.read(|slack| {
        let shown = slack.channel(&room).ephemerals.iter();
        let refused = shown.filter(|shown| slack.plain(&shown.message).contains("no action A9"));
        let threads: Vec<_> = refused
            .map(|shown| (shown.user.as_str(), shown.message.thread_ts.as_deref()))
            .collect();
        assert_eq!(threads, [(ana.id(), Some(said.as_str()))]);
    });
    // And what matters to all is said to all, in the room.
    ana.replies(&room, &said, &format!("<@{bot}> severity SEV1"));
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.severity.to_string(), "SEV1");
    assert!(
        house.slack.texts(&room).iter().any(|text| text.contains("SEV1")),
        "{:#?}",
        house.slack.texts(&room)
    );
    assert_eq!(
        house.slack.read(|slack| slack.thread(&room, &said).len()),
        3,
        "nobody else speaks there"
    );
    house.close().await;
}

#[tokio::test]
async fn a_mention_in_a_thread_is_answered_in_that_thread() {
    for transport in [Transport::Socket, Transport::Http] {
        asked_in_a_thread(transport).await;
    }
}

#[tokio::test]
async fn a_form_asked_for_in_a_thread_is_explained_there() {
    let house = House::open(Transport::Socket).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    let ana = house.person("ana");
    let said = ana.says(&room, "what exactly is broken?");
    ana.replies(&room, &said, &format!("<@{}> frame", house.slack.bot_user()));
    house.settled().await;
    let told = ana.is_told(&room, "no form can be shown").await;
    house.slack.read(|slack| {
        let shown = slack.channel(&room).ephemerals.iter();
        let mut told = shown.filter(|shown| shown.message.ts == told);
        assert_eq!(
            told.next().and_then(|shown| shown.message.thread_ts.clone()),
            Some(said.clone())
        );
    });
    house.close().await;
}
