//! What reaches an open page by itself.

use super::*;

#[tokio::test]
async fn a_message_its_edits_and_reactions_arrive_as_html_that_replaces_what_is_shown() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    let who = identity("ben");
    let id: i64 = s
        .chat
        .say(&who, LOBBY, None, "it is slow", None)
        .await
        .unwrap()
        .message
        .parse()
        .unwrap();
    let told = stream.next().await.unwrap();
    assert!(
        told.data.contains("it is slow") && told.data.contains("Ben Okafor"),
        "{}",
        told.data
    );
    assert!(
        told.data.contains("data-message=\"1\" data-rev=\"0\""),
        "{}",
        told.data
    );

    s.chat.edit(&who, LOBBY, id, "it is down").await.unwrap();
    let told = stream.next().await.unwrap();
    assert!(
        told.data.contains("it is down") && told.data.contains("class=\"edited\""),
        "{}",
        told.data
    );
    assert!(
        told.data.contains("data-message=\"1\" data-rev=\"1\""),
        "{}",
        told.data
    );

    s.chat
        .react(&identity("ana"), LOBBY, id, "📌", true)
        .await
        .unwrap();
    assert!(stream.next().await.unwrap().data.contains("data-users=\"ana\""));
    s.chat
        .say(&who, LOBBY, Some(id), "since ten", None)
        .await
        .unwrap();
    assert!(stream.next().await.unwrap().data.contains("data-thread=\"1\""));
    assert!(stream.next().await.unwrap().data.contains("1 reply"));
    s.chat.delete(&who, LOBBY, id).await.unwrap();
    let told = stream.next().await.unwrap();
    assert!(told.data.contains("This message was deleted") && !told.data.contains("it is down"));

    let card = s
        .chat
        .post("k", &room_ref(LOBBY), None, &every_block("card"))
        .await
        .unwrap();
    assert_eq!(stream.next().await.unwrap().name, "message");
    s.chat.pin(&card).await.unwrap();
    assert_eq!(stream.next().await.unwrap().name, "message");
    let told = stream.next().await.unwrap();
    assert_eq!(told.name, "pinned");
    assert!(told.data.contains("id=\"pinned\""));
}

#[tokio::test]
async fn a_page_that_lost_the_connection_gets_what_it_missed() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    s.chat
        .say(&identity("ben"), LOBBY, None, "one", None)
        .await
        .unwrap();
    let last = stream.next().await.unwrap().id;
    drop(stream);
    s.chat
        .say(&identity("ben"), LOBBY, None, "two", None)
        .await
        .unwrap();
    s.chat
        .say(&identity("ben"), LOBBY, None, "three", None)
        .await
        .unwrap();

    let again = ana
        .bare(Method::GET, "/events?room=lobby&after=ignored")
        .header("last-event-id", &last);
    let mut stream = Stream {
        answer: again.send().await.unwrap(),
        seen: String::new(),
    };
    assert!(stream.next().await.unwrap().data.contains("two"));
    assert!(stream.next().await.unwrap().data.contains("three"));
}

#[tokio::test]
async fn a_page_that_was_away_for_too_long_is_told_to_reload() {
    let s = site().await;
    let ana = s.browser("ana").await;
    for after in ["anotherrun-5", "", "x"] {
        let mut stream = ana.listen(&format!("room=lobby&after={after}")).await;
        assert_eq!(stream.next().await.unwrap().name, "reload", "{after}");
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn whispers_and_forms_reach_the_one_person_and_the_one_tab() {
    let s = site().await;
    let (ana, ben) = (s.browser("ana").await, s.browser("ben").await);
    let mark = s.chat.mark();
    let mut asking = ana.listen(&format!("room=lobby&tab=tab1&after={mark}")).await;
    let mut other_tab = ana.listen(&format!("room=lobby&tab=tab2&after={mark}")).await;
    let mut bens = ben.listen(&format!("room=lobby&tab=tab1&after={mark}")).await;
    let command = ana
        .send(Method::POST, "/api/rooms/lobby/commands")
        .header("x-orderly-tab", "tab1");
    command
        .json(&serde_json::json!({ "text": "/incident form" }))
        .send()
        .await
        .unwrap();
    let told = asking.next().await.unwrap();
    assert_eq!(told.name, "form");
    assert!(
        told.data.contains("Open an incident") && told.data.contains("Ben Okafor"),
        "people to choose from"
    );
    assert!(
        told.data.contains("data-fixed=\"{&quot;Open an incident&quot;"),
        "{}",
        told.data
    );

    s.chat
        .whisper("w", &room_ref(LOBBY), &identity("ana"), &said("psst"))
        .await
        .unwrap();
    assert_eq!(asking.next().await.unwrap().name, "whisper");
    let told = other_tab.next().await.unwrap();
    assert!(told.name == "whisper" && told.data.contains("Only you can see this"));
    s.chat
        .say(&identity("ana"), LOBBY, None, "for all", None)
        .await
        .unwrap();
    assert!(
        bens.next().await.unwrap().data.contains("for all"),
        "ben sees this first"
    );
    assert!(ana.page("/").await.contains("psst"));
    assert!(!ben.page("/").await.contains("psst"));
}

#[tokio::test]
async fn other_rooms_are_counted_and_private_ones_only_for_members() {
    let s = site().await;
    let private = s.room("payroll", true).await;
    let public = s.room("carriers", false).await;
    let (ana, ben) = (s.browser("ana").await, s.browser("ben").await);
    let mark = s.chat.mark();
    let mut anas = ana.listen(&format!("room=lobby&after={mark}")).await;
    let mut bens = ben.listen(&format!("room=lobby&after={mark}")).await;
    s.chat.post("1", &private, None, &said("salaries")).await.unwrap();
    s.chat.post("2", &public, None, &said("labels")).await.unwrap();
    assert!(anas.next().await.unwrap().data.contains("payroll"));
    assert!(anas.next().await.unwrap().data.contains("carriers"));
    let told = bens.next().await.unwrap();
    assert!(
        told.name == "unread" && told.data.contains("carriers"),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_list_of_incidents_follows_the_board() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    s.wall.open.lock().unwrap().push(OpenIncident {
        number: 7,
        title: "Labels fail".into(),
        severity: Severity::Sev2,
        phase: Phase::Contain,
        private: false,
        drill: true,
        room: None,
    });
    s.wall.changed.send_modify(|changed| *changed += 1);
    let told = stream.next().await.unwrap();
    assert_eq!(told.name, "sidebar");
    for part in ["Labels fail", "SEV2", "INC-7", "Contain", "drill"] {
        assert!(told.data.contains(part), "{part} in {}", told.data);
    }
}

#[tokio::test]
async fn a_platform_that_is_out_of_reach_stands_on_the_page_until_it_is_back() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    s.wall.away.lock().unwrap().push(OutOfReach {
        platform: "slack".into(),
        since: chrono::DateTime::UNIX_EPOCH,
        why: "chat.postMessage: token_revoked. Reinstall the app".into(),
    });
    s.wall.changed.send_modify(|changed| *changed += 1);
    let told = stream.next().await.unwrap().data;
    for part in [
        "slack is out of reach",
        "since 00:00 UTC on 1 January",
        "Reinstall the app",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    s.wall.away.lock().unwrap().clear();
    s.wall.changed.send_modify(|changed| *changed += 1);
    let told = stream.next().await.unwrap().data;
    assert!(!told.contains("out of reach"), "{told}");
}

#[tokio::test]
async fn the_fifth_tab_lets_the_first_one_rest() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let query = format!("room=lobby&after={}", s.chat.mark());
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(ana.listen(&query).await);
    }
    assert_eq!(streams[0].next().await.unwrap().name, "rest");
    assert!(streams[0].next().await.is_none());
    s.chat
        .say(&identity("ben"), LOBBY, None, "still here", None)
        .await
        .unwrap();
    for stream in &mut streams[1..] {
        assert!(stream.next().await.unwrap().data.contains("still here"));
    }
}

#[tokio::test]
async fn stopping_the_program_ends_the_streams_at_once() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    s.running.shutdown().await;
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn the_guide_of_the_demo_goes_along_with_what_happens() {
    let demo = Settings {
        demo: true,
        ..settings()
    };
    let s = site_at(Place::Memory, demo).await;
    s.guide
        .ask(step(Turn::Now, "Take command", Some("/incident take commander")));
    let ana = s.browser("ana").await;
    let page = ana.page("/").await;
    assert!(
        page.contains("Step 2 of 2") && page.contains("incident take commander"),
        "{page}"
    );
    assert!(page.contains("Switch to Ben Okafor"), "it is for somebody else");
    let bens = s.browser("ben").await.page("/").await;
    assert!(!bens.contains("Switch to Ben Okafor"), "it is for himself");

    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    let first = stream.next().await.unwrap();
    assert_eq!(
        first.name, "guide",
        "what happened before the stream is told as well"
    );
    s.guide
        .ask(step(Turn::Now, "Approve it", Some("/incident approve A2")));
    let told = stream.next().await.unwrap();
    assert_eq!(told.name, "guide");
    assert!(told.data.contains("incident approve A2"), "{}", told.data);

    // Where nothing is different, nothing is sent: the next thing told is the message.
    s.guide
        .ask(step(Turn::Now, "Approve it", Some("/incident approve A2")));
    s.chat
        .say(&identity("ben"), LOBBY, None, "hello", None)
        .await
        .unwrap();
    assert_eq!(stream.next().await.unwrap().name, "message");

    s.guide.ask(step(Turn::Done, "Approve it", None));
    let over = stream.next().await.unwrap();
    assert!(over.data.contains("All 2 done"), "{}", over.data);
}

#[tokio::test]
async fn outside_of_the_demo_there_is_no_guide() {
    let s = site().await;
    s.guide.ask(step(Turn::Now, "Take command", None));
    assert!(!s.browser("ana").await.page("/").await.contains("id=\"guide\""));
}
