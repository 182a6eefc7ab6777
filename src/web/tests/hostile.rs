//! Text that tries to be more than text.

use super::*;

const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</textarea></dialog></article><script>alert(1)</script>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x",
    "/\\evil.example",
    "http://ok.example/\"onclick=\"alert(1)",
    "{{ 7 * 7 }}{% include 'room.html' %}",
    "```<script>alert(1)</script>``` `<b>` https://x.example/<script>",
    "a\u{202e}cod.exe\u{2066}\u{200b}",
    "\u{0}\u{1b}[31mred\u{7}\r\nevent: reload\r\rdata: x",
];

/// How the page begins to load its own script.
const OWN_SCRIPT: &str = "<script type=\"module\" src=\"/assets";

/// Nothing in the HTML is live that should be text.
fn assert_inert(html: &str) {
    let lower = html.to_ascii_lowercase();
    for live in [
        "<script>",
        "<img",
        "<b>rows",
        "onerror=alert(1)>",
        "href=\"javascript",
        "href=\"data:",
        "49{",
    ] {
        assert!(!lower.contains(live), "{live} in {html}");
    }
    for link in lower.split("href=\"").skip(1) {
        let link = link.split('"').next().unwrap();
        let fine = link.starts_with("http")
            || link.starts_with("&#x2f;")
            || link.starts_with('/')
            || link.starts_with('#');
        assert!(
            fine && !link.starts_with("&#x2f;&#x2f;") && !link.starts_with("//"),
            "{link}"
        );
    }
    for handler in [" onmouseover='", " onclick=\"", " onerror=alert(1)>"] {
        assert!(!html.contains(handler), "{handler} in {html}");
    }
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
    };
    assert!(!html.contains(hidden), "a hidden character in {html}");
    assert!(!html.contains("could not be shown"), "{html}");
}

#[tokio::test]
async fn what_people_write_stays_text() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana.listen(&format!("room=lobby&after={}", s.chat.mark())).await;
    for text in HOSTILE {
        let sent = ana
            .send(Method::POST, "/api/rooms/lobby/messages")
            .json(&serde_json::json!({ "text": text }));
        assert_eq!(
            sent.send().await.unwrap().status(),
            StatusCode::CREATED,
            "{text:?}"
        );
        let told = stream.next().await.unwrap();
        assert_eq!(told.name, "message", "{text:?}");
        assert_inert(&told.data);
    }
    let page = ana.page("/").await;
    assert_inert(&page.replace(OWN_SCRIPT, ""));
    assert!(
        page.contains("⟨U+202E⟩cod.exe") && page.contains("⟨U+0000⟩⟨U+001B⟩[31mred"),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;alert(1)&lt;"), "{page}");
}

#[tokio::test]
async fn what_the_bot_passes_on_stays_text_in_every_kind_of_block() {
    let s = site().await;
    let ana = s.browser("ana").await;
    for (index, text) in HOSTILE.iter().enumerate() {
        let room = s.room(&format!("room {index}"), false).await;
        s.chat.set_topic(&room, text).await.unwrap();
        let posted = s
            .chat
            .post(&format!("p{index}"), &room, None, &every_block(text))
            .await
            .unwrap();
        s.chat.pin(&posted).await.unwrap();
        s.chat
            .whisper("w", &room, &identity("ana"), &every_block(text))
            .await
            .unwrap();
        assert_inert(
            &ana.page(&format!("/rooms/room-{index}"))
                .await
                .replace(OWN_SCRIPT, ""),
        );
    }
}

#[tokio::test]
async fn forms_incidents_names_and_files_stay_text_as_well() {
    let s = site().await;
    for (index, text) in HOSTILE.iter().enumerate() {
        let person = Person {
            id: PersonId::new("ana"),
            name: (*text).into(),
            identity: identity("ana"),
        };
        s.people.0.lock().unwrap()[0] = Arc::new(person);
        *s.wall.open.lock().unwrap() = vec![OpenIncident {
            number: 7,
            title: (*text).into(),
            severity: Severity::Sev1,
            phase: Phase::Triage,
            private: false,
            drill: true,
            room: Some(room_ref(LOBBY)),
        }];
        let ana = s.browser("ana").await;
        let file = [("name", *text), ("comment", *text)];
        let sent = ana
            .send(Method::POST, "/api/rooms/lobby/files")
            .query(&file)
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
        assert_inert(&ana.page("/").await.replace(OWN_SCRIPT, ""));

        let mut stream = ana
            .listen(&format!("room=lobby&tab=tab1&after={}", s.chat.mark()))
            .await;
        let trigger = Trigger {
            token: "tab1".into(),
            expires: DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
        };
        s.chat
            .ask(&trigger, &room_ref(LOBBY), &identity("ana"), &every_field(text))
            .await
            .unwrap();
        let told = stream.next().await.unwrap();
        assert_eq!(told.name, "form", "{index}");
        assert_inert(&told.data);
        assert_eq!(told.data.matches("<dialog").count(), 1);
        assert_eq!(told.data.matches("class=\"field\"").count(), 9);
    }
}

#[tokio::test]
async fn text_that_is_too_long_is_refused_with_words_and_changes_nothing() {
    let s = site().await;
    let ana = s.browser("ana").await;
    for (path, size) in [
        ("messages", 100_000),
        ("messages", 2_000_000),
        ("commands", 100_000),
    ] {
        let body = serde_json::json!({ "text": "x".repeat(size) });
        let answer = ana
            .send(Method::POST, &format!("/api/rooms/lobby/{path}"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path} {size}");
        assert!(error_of(answer).await.contains("Attach it as a file instead"));
    }
    let large = vec![0u8; FILE_MAX + 1];
    let answer = ana
        .send(Method::POST, "/api/rooms/lobby/files?name=big")
        .body(large)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(error_of(answer).await.contains("too large"));
    assert!(s.taken().is_empty());

    let just = serde_json::json!({ "text": "\u{1}".repeat(40_000) });
    let fits = ana
        .send(Method::POST, "/api/rooms/lobby/messages")
        .json(&just)
        .send()
        .await
        .unwrap();
    assert_eq!(
        fits.status(),
        StatusCode::CREATED,
        "the longest text fits, however it is escaped"
    );
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_with_words() {
    let s = site().await;
    for body in ["", "{", "[]", "{\"text\": 7}"] {
        let answer = s
            .script("ana", Method::POST, "/api/rooms/lobby/messages")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        assert!(
            error_of(answer)
                .await
                .starts_with("The body is not the JSON expected")
        );
    }
}

#[tokio::test]
async fn files_and_outputs_are_downloads_that_run_nowhere() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let html = "<script>alert(1)</script>";
    let sent = ana
        .send(Method::POST, "/api/rooms/lobby/files?name=a%22%0d%0ab.html")
        .header("content-type", "text/html");
    assert_eq!(
        sent.body(html).send().await.unwrap().status(),
        StatusCode::CREATED
    );
    let digest = "ab".repeat(32);
    let evidence = format!("/incidents/7/files/{digest}");
    for path in [
        "/files/1".to_owned(),
        format!("/outputs/{digest}"),
        evidence.clone(),
    ] {
        let answer = ana.bare(Method::GET, &path).send().await.unwrap();
        let headers = answer.headers().clone();
        assert!(
            headers["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment;"),
            "{path}"
        );
        assert_eq!(
            headers["content-security-policy"],
            "default-src 'none'; sandbox; frame-ancestors 'none'"
        );
        assert_ne!(headers["content-type"], "text/html");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    let answer = ana.bare(Method::GET, &evidence).send().await.unwrap();
    assert_eq!(
        answer.headers()["content-disposition"],
        "attachment; filename*=UTF-8''labels%22.csv%0D%0A"
    );
    let ben = s.browser("ben").await;
    let answer = ben.bare(Method::GET, &evidence).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "he holds no role");
    let answer = ana.bare(Method::GET, "/files/1").send().await.unwrap();
    assert_eq!(
        answer.headers()["content-disposition"],
        "attachment; filename*=UTF-8''a%22%0D%0Ab.html"
    );
    assert_eq!(answer.text().await.unwrap(), html);
    for path in [
        "/outputs/zz",
        "/incidents/7/files/zz",
        "/outputs/..%2f..%2fetc",
        "/files/99",
        "/files/x",
        "/assets/any/..%2fmod.rs",
    ] {
        assert_eq!(
            ana.bare(Method::GET, path).send().await.unwrap().status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn long_and_hostile_names_in_addresses_are_answered_with_words() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let long = "x".repeat(30_000);
    let names = HOSTILE.iter().copied().chain([long.as_str()]);
    for name in names {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let name = name.replace('+', "%20");
        let message = serde_json::json!({ "text": "hello" });
        let said = ana
            .send(Method::POST, &format!("/api/rooms/{name}/messages"))
            .json(&message);
        let marked = ana.send(
            Method::PUT,
            &format!("/api/rooms/lobby/messages/1/reactions/{name}"),
        );
        for request in [said, marked] {
            let answer = request.send().await.unwrap();
            assert!(
                answer.status().is_client_error(),
                "{} for {name:.60}",
                answer.status()
            );
            let words = error_of(answer).await;
            assert!((1..1_000).contains(&words.len()), "{words:.300}");
        }
    }
    let file = [("name", long.as_str())];
    let sent = ana
        .send(Method::POST, "/api/rooms/lobby/files")
        .query(&file)
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED, "a file's name is cut");
    let page = ana.page("/").await;
    assert!(!page.contains(&long[..300]) && page.contains(&long[..200]));
}
