//! What scripts, benchmarks and monitoring rely on.

use super::*;

fn command(s: &Site, query: &str, body: serde_json::Value) -> RequestBuilder {
    s.script("ana", Method::POST, &format!("/api/rooms/lobby/commands{query}"))
        .json(&body)
}

#[tokio::test]
async fn a_command_is_acknowledged_once_it_is_durable() {
    let s = site().await;
    for text in ["status", "/incident status", "/INCIDENT   status "] {
        let answer = command(&s, "", serde_json::json!({ "text": text, "key": "k" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let id: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(id["id"], s.taken().len());
    }
    let keys: Vec<String> = s
        .inbox
        .taken
        .lock()
        .unwrap()
        .iter()
        .map(|delivery| delivery.key.clone())
        .collect();
    assert!(keys.iter().all(|key| key == "local:key:ana:k"), "{keys:?}");
    assert!(s.taken().iter().all(|incoming| {
        matches!(incoming, Incoming::Command { text, trigger: None, from, .. } if text.trim() == "status" && from.user == "ana")
    }));
}

#[tokio::test]
async fn waiting_for_the_decision_gives_the_verdict() {
    let s = site().await;
    let good = command(&s, "?wait=decided", serde_json::json!({ "text": "status" }))
        .send()
        .await
        .unwrap();
    assert_eq!(good.status(), StatusCode::OK);
    let verdict: Verdict = good.json().await.unwrap();
    assert!(verdict.accepted && verdict.incident == Some(7));
    let bad = command(&s, "?wait=decided", serde_json::json!({ "text": "nonsense" }))
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let verdict: Verdict = bad.json().await.unwrap();
    assert_eq!(
        verdict.message.fallback,
        "Odoo is broken: what exactly, and what still works?"
    );
}

#[tokio::test]
async fn a_full_inbox_asks_to_send_again_before_anything_is_acknowledged() {
    let s = site().await;
    s.inbox.full.store(true, Ordering::SeqCst);
    let answer = command(&s, "", serde_json::json!({ "text": "status" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert!(error_of(answer).await.contains("send it again in a moment"));
}

#[tokio::test]
async fn a_mistyped_command_is_not_posted_for_all_to_read() {
    let s = site().await;
    for path in ["messages", "commands"] {
        let request = s.script("ana", Method::POST, &format!("/api/rooms/lobby/{path}"));
        let answer = request
            .json(&serde_json::json!({ "text": "/incidnt open" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            error_of(answer)
                .await
                .starts_with("There is no command /incidnt. Did you mean /incident?")
        );
    }
    let request = s.script("ana", Method::POST, "/api/rooms/lobby/messages");
    let answer = request
        .json(&serde_json::json!({ "text": "/incident status" }))
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::ACCEPTED,
        "a command, wherever it is typed"
    );
    assert!(s.chat.messages(LOBBY, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_form_is_submitted_and_a_refusal_names_the_field() {
    let s = site().await;
    let submit = |what: &str| {
        let body =
            serde_json::json!({ "path": "open", "fixed": { "drill": "yes" }, "values": { "what": what } });
        s.script("ana", Method::POST, "/api/rooms/lobby/forms?wait=decided")
            .json(&body)
            .send()
    };
    let refused = submit("nonsense").await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.json::<Verdict>().await.unwrap().field.as_deref(),
        Some("what")
    );
    assert_eq!(submit("labels fail").await.unwrap().status(), StatusCode::OK);
    let Some(Incoming::Submit {
        path, fixed, values, ..
    }) = s.taken().pop()
    else {
        panic!("no form")
    };
    assert_eq!(
        (path.as_str(), fixed["drill"].as_str(), values["what"].as_str()),
        ("open", "yes", "labels fail")
    );
}

/// A refusal invites to mend the form and to send it again, under another key. What is stored must not look like one.
#[tokio::test]
async fn a_form_that_is_not_confirmed_is_told_as_taken_and_the_form_goes() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let mut stream = ana
        .listen(&format!("room=lobby&tab=tab1&after={}", s.chat.mark()))
        .await;
    let trigger = Trigger {
        token: "tab1".into(),
        expires: DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
    };
    let form = every_field("Open an incident");
    s.chat
        .ask(&trigger, &room_ref(LOBBY), &identity("ana"), &form)
        .await
        .unwrap();
    assert_eq!(stream.next().await.unwrap().name, "form");
    let body = serde_json::json!({
        "path": form.path, "fixed": form.fixed, "values": { "what": "labels fail, on a full disk" }, "key": "once",
    });
    for _ in 0..2 {
        let answer = ana
            .send(Method::POST, "/api/rooms/lobby/forms?wait=decided")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let told: serde_json::Value = answer.json().await.unwrap();
        let words = told["message"]["fallback"].as_str().unwrap();
        assert!(words.starts_with("Not confirmed yet"), "{told}");
    }
    let open: serde_json::Value = s
        .script("ana", Method::GET, "/api/forms")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(!open.to_string().contains("Open an incident"), "{open}");
}

#[tokio::test]
async fn a_script_sees_its_open_forms_rooms_messages_and_completions() {
    let s = site().await;
    let trigger = Trigger {
        token: "t".into(),
        expires: DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
    };
    s.chat
        .ask(&trigger, &room_ref(LOBBY), &identity("ana"), &every_field("x"))
        .await
        .unwrap();
    s.chat
        .say(&identity("ben"), LOBBY, None, "hello", None)
        .await
        .unwrap();
    let get = |path: &'static str| {
        let request = s.script("ana", Method::GET, path);
        async move {
            request
                .send()
                .await
                .unwrap()
                .json::<serde_json::Value>()
                .await
                .unwrap()
        }
    };
    assert_eq!(get("/api/forms").await["forms"][0]["form"]["path"], "x");
    assert_eq!(get("/api/rooms").await["rooms"][0]["id"], "lobby");
    let messages = get("/api/rooms/lobby/messages").await;
    assert_eq!(messages["messages"][0]["body"]["text"], "hello");
    let found = get("/api/complete?room=lobby&typed=probe").await;
    assert_eq!(
        found["completions"][1],
        serde_json::json!({ "text": "probe list", "about": "What can be asked" })
    );
}

#[tokio::test]
async fn a_post_mortem_comes_in_three_forms_to_those_who_may_read_it() {
    let s = site().await;
    for (name, kind) in [
        ("md", "text/markdown"),
        ("html", "text/html"),
        ("json", "application/json"),
    ] {
        let path = format!("/incidents/7/postmortem.{name}");
        let answer = s.script("ana", Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(kind)
        );
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("style-src 'unsafe-inline'") && !policy.contains("script-src"),
            "{policy}"
        );
        let others = s.script("ben", Method::GET, &path).send().await.unwrap();
        assert_eq!(others.status(), StatusCode::NOT_FOUND);
    }
    for path in [
        "/incidents/7/postmortem.pdf",
        "/incidents/8/postmortem.md",
        "/incidents/x/postmortem.md",
    ] {
        let answer = s.script("ana", Method::GET, path).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}");
    }
}

#[tokio::test]
async fn monitoring_asks_without_a_token_and_by_any_host_name() {
    let s = site().await;
    let get = |path: &str| {
        s.http()
            .get(s.url(path))
            .header("host", "pod-7.cluster.local")
            .send()
    };
    assert_eq!(get("/healthz").await.unwrap().text().await.unwrap(), "alive\n");
    assert_eq!(get("/readyz").await.unwrap().text().await.unwrap(), "ready\n");
    s.ready.store(false, Ordering::SeqCst);
    let busy = get("/readyz").await.unwrap();
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy.text().await.unwrap(), "the store is busy\n");
    let metrics = s.http().get(s.url("/metrics")).send().await.unwrap();
    assert_eq!(metrics.text().await.unwrap(), "orderly_open_incidents 1\n");
}

#[tokio::test]
async fn assets_of_this_build_are_kept_by_browsers_and_load_without_signing_in() {
    let s = site().await;
    let page = s.browser("ana").await.page("/").await;
    let build = between(&page, "/assets/", "/favicon.svg").to_owned();
    for name in ["app.css", "app.js", "favicon.svg"] {
        for (build, kept) in [
            (build.as_str(), "public, max-age=31536000, immutable"),
            ("another", "no-cache"),
        ] {
            let path = format!("/assets/{build}/{name}");
            let answer = s.http().get(s.url(&path)).send().await.unwrap();
            assert_eq!(answer.headers()["cache-control"], kept, "{path}");
        }
    }
}

#[tokio::test]
async fn every_module_of_the_page_s_script_is_served_as_a_script_and_fetched_ahead() {
    let s = site().await;
    let page = s.browser("ana").await.page("/").await;
    let build = between(&page, "/assets/", "/favicon.svg").to_owned();
    let (mut known, mut waiting) = (vec!["app.js".to_owned()], vec!["app.js".to_owned()]);
    while let Some(name) = waiting.pop() {
        let ahead = format!("<link rel=\"modulepreload\" href=\"/assets/{build}/{name}\">");
        assert!(page.contains(&ahead), "{ahead} in {page}");
        let answer = s.http().get(s.url(&format!("/assets/{build}/{name}"))).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert_eq!(answer.headers()["content-type"], "text/javascript; charset=utf-8");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let text = answer.text().await.unwrap();
        for import in text.lines().filter(|line| line.starts_with("import ")) {
            let path = between(import, "\"./", "\"").to_owned();
            if !known.contains(&path) {
                known.push(path.clone());
                waiting.push(path);
            }
        }
    }
    assert_eq!(
        known.len(),
        page.matches("rel=\"modulepreload\"").count(),
        "a script that nobody imports: {known:?}"
    );
}
