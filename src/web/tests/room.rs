//! The room as a page, and what people do in it.

use super::*;

#[tokio::test]
async fn a_room_is_whole_without_a_script() {
    let s = site().await;
    let room = s.room("inc-7", false).await;
    let card = s
        .chat
        .post("c", &room, None, &every_block("The card"))
        .await
        .unwrap();
    s.chat.pin(&card).await.unwrap();
    let ana = s.browser("ana").await;
    let form = [
        ("token", ana.token.as_str()),
        ("text", "written without a script"),
    ];
    let answer = ana
        .bare(Method::POST, "/rooms/inc-7/say")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["location"], "/rooms/inc-7");
    let form = [
        ("token", ana.token.as_str()),
        ("text", "a reply"),
        ("thread", "2"),
    ];
    let answer = ana
        .bare(Method::POST, "/rooms/inc-7/say")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["location"], "/rooms/inc-7?thread=2");
    let form = [("token", ana.token.as_str()), ("text", "/incident status")];
    ana.bare(Method::POST, "/rooms/inc-7/say")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert!(
        s.taken()
            .iter()
            .any(|incoming| matches!(incoming, Incoming::Command { text, .. } if text == "status"))
    );

    let page = ana.page("/rooms/inc-7").await;
    for part in [
        "written without a script",
        "id=\"pinned\"",
        "The card",
        "a topic",
        "1 reply",
        "href=\"/rooms/lobby\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("a reply"), "replies are in their thread");
    assert!(ana.page("/rooms/inc-7?thread=2").await.contains("a reply"));
}

#[tokio::test]
async fn tones_are_words_as_well_as_colours() {
    let s = site().await;
    let row = |tone, mark: &str| Row {
        tone,
        mark: mark.into(),
        title: "t".into(),
        detail: "d".into(),
    };
    let rows = vec![
        row(Tone::Good, "ok"),
        row(Tone::Bad, "failing"),
        row(Tone::Warn, "suspect"),
        row(Tone::Busy, "running"),
    ];
    let message = Message {
        fallback: "probes".into(),
        blocks: vec![Block::Rows { rows }],
    };
    s.chat.post("p", &room_ref(LOBBY), None, &message).await.unwrap();
    let page = s.browser("ana").await.page("/").await;
    for (tone, word) in [
        ("good", "ok"),
        ("bad", "failing"),
        ("warn", "suspect"),
        ("busy", "running"),
    ] {
        assert!(
            page.contains(&format!("tone-{tone}\"><span class=\"mark\">{word}</span>")),
            "{tone} {word}"
        );
    }
}

#[tokio::test]
async fn times_carry_utc_so_that_everybody_means_the_same() {
    let s = site().await;
    s.chat
        .say(&identity("ana"), LOBBY, None, "now", None)
        .await
        .unwrap();
    let page = s.browser("ana").await.page("/").await;
    assert!(
        page.contains("datetime=\"2025-10-09T08:53:20.000Z\" title=\"2025-10-09 08:53:20 UTC\">08:53</time>"),
        "{page}"
    );
}

#[tokio::test]
async fn a_private_incident_and_its_room_do_not_exist_for_others() {
    let s = site().await;
    let room = s.room("payroll", true).await;
    let id = s
        .chat
        .say(&identity("ana"), "payroll", None, "salaries", None)
        .await
        .unwrap()
        .message;
    let file = crate::chat::Upload {
        name: "s.csv".into(),
        media_type: "text/csv".into(),
        bytes: vec![1],
        comment: "".into(),
    };
    s.chat
        .attach(&identity("ana"), "payroll", None, file)
        .await
        .unwrap();
    s.wall.open.lock().unwrap().push(OpenIncident {
        number: 9,
        title: "Payroll leak".into(),
        severity: Severity::Sev1,
        phase: Phase::Confirm,
        private: true,
        drill: false,
        room: Some(room),
    });
    let (ana, ben) = (s.browser("ana").await, s.browser("ben").await);
    assert!(ana.page("/").await.contains("Payroll leak"));
    let bens = ben.page("/").await;
    assert!(
        !bens.contains("Payroll leak") && !bens.contains("payroll"),
        "{bens}"
    );
    for path in [
        "/rooms/payroll",
        "/files/1",
        "/rooms/payroll/older",
        &format!("/rooms/payroll/threads/{id}"),
    ] {
        let answer = ben.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let paths = [
        (Method::GET, "/api/rooms/payroll/messages".to_owned()),
        (Method::POST, "/api/rooms/payroll/messages".to_owned()),
        (Method::POST, "/api/rooms/payroll/commands".to_owned()),
        (Method::PATCH, format!("/api/rooms/payroll/messages/{id}")),
        (Method::GET, "/events?room=payroll&after=x".to_owned()),
        (Method::GET, "/api/complete?room=payroll&typed=a".to_owned()),
    ];
    for (method, path) in paths {
        let request = ben.send(method, &path).json(&serde_json::json!({ "text": "hi" }));
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(
        ana.bare(Method::GET, "/files/1").send().await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn people_edit_delete_and_react_to_messages() {
    let s = site().await;
    let (ana, ben) = (s.browser("ana").await, s.browser("ben").await);
    let json = |text: &str| serde_json::json!({ "text": text });
    ana.send(Method::POST, "/api/rooms/lobby/messages")
        .json(&json("it is slow"))
        .send()
        .await
        .unwrap();
    let message = "/api/rooms/lobby/messages/1";
    let done = ana
        .send(Method::PATCH, message)
        .json(&json("it is down"))
        .send()
        .await
        .unwrap();
    assert_eq!(done.status(), StatusCode::NO_CONTENT);
    let refused = ben
        .send(Method::PATCH, message)
        .json(&json("all is well"))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(error_of(refused).await.starts_with("Only the person who wrote"));
    let pin = format!("{message}/reactions/%F0%9F%93%8C");
    assert_eq!(
        ben.send(Method::PUT, &pin).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let shown: serde_json::Value = ben
        .send(Method::GET, message)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(shown["body"]["text"], "it is down");
    assert_eq!(shown["reactions"], serde_json::json!([["📌", ["ben"]]]));
    assert_eq!(
        ben.send(Method::DELETE, &pin).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let odd = ben
        .send(Method::PUT, &format!("{message}/reactions/x"))
        .send()
        .await
        .unwrap();
    assert_eq!(odd.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        ana.send(Method::DELETE, message).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert!(ana.page("/").await.contains("This message was deleted"));
    s.chat.settled().await.unwrap();
    let kinds: Vec<String> = s
        .taken()
        .iter()
        .map(|incoming| {
            serde_json::to_value(incoming).unwrap()["what"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds, ["wrote", "edited", "reacted", "reacted", "deleted"]);
}

#[tokio::test]
async fn buttons_and_the_menu_send_presses_with_the_message() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let card = s
        .chat
        .post("c", &room_ref(LOBBY), None, &every_block("phase next"))
        .await
        .unwrap();
    let page = ana.page("/").await;
    let mark = between(&page, "data-press=\"", "\"").to_owned();
    let press = |body: serde_json::Value| {
        ana.send(Method::POST, "/api/rooms/lobby/messages/1/presses")
            .header("x-orderly-tab", "tab1")
            .json(&body)
            .send()
    };
    assert_eq!(
        press(serde_json::json!({ "button": mark }))
            .await
            .unwrap()
            .status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(
        press(serde_json::json!({ "menu": "timeline" }))
            .await
            .unwrap()
            .status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(
        press(serde_json::json!({ "menu": "drop tables" }))
            .await
            .unwrap()
            .status(),
        StatusCode::NOT_FOUND
    );
    s.chat.update(&card, &said("all done")).await.unwrap();
    let late = press(serde_json::json!({ "button": mark })).await.unwrap();
    assert_eq!(late.status(), StatusCode::CONFLICT);
    assert!(error_of(late).await.contains("the message has changed"));
    let presses: Vec<Press> = s
        .taken()
        .into_iter()
        .filter_map(|incoming| match incoming {
            Incoming::Press {
                press,
                message,
                trigger,
                ..
            } if message == card && trigger.is_some() => Some(press),
            _ => None,
        })
        .collect();
    assert_eq!(
        presses,
        [
            Press::Run {
                line: "phase next".into()
            },
            Press::Run {
                line: "timeline add".into()
            }
        ]
    );
}

#[tokio::test]
async fn earlier_messages_are_there_on_scrolling_up() {
    let s = site().await;
    for count in 0..130 {
        s.chat
            .say(&identity("ana"), LOBBY, None, &format!("message {count}."), None)
            .await
            .unwrap();
    }
    let ana = s.browser("ana").await;
    let page = ana.page("/").await;
    assert!(page.contains("message 129.") && page.contains("message 70.") && !page.contains("message 69."));
    assert!(page.contains("href=\"/rooms/lobby?before=71\""));
    let older = ana.page("/rooms/lobby/older?before=71").await;
    assert!(older.contains("message 69.") && older.contains("message 10.") && !older.contains("message 9."));
    assert!(ana.page("/rooms/lobby?before=11").await.contains("Back to now"));
}

#[tokio::test]
async fn the_page_keeps_the_reader_s_choice_of_light_or_dark() {
    let s = site().await;
    let ana = s.browser("ana").await;
    assert!(ana.page("/").await.contains("<html lang=\"en\">"));
    let dark = Browser {
        cookie: format!("{}; theme=dark", ana.cookie),
        ..ana
    };
    assert!(
        dark.page("/")
            .await
            .contains("<html lang=\"en\" data-theme=\"dark\">")
    );
    let odd = Browser {
        cookie: format!("{}; theme=\"><script>", dark.cookie.replace("theme=dark", "x=y")),
        ..dark
    };
    assert!(odd.page("/").await.contains("<html lang=\"en\">"));
}
