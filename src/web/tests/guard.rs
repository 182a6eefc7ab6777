//! Who gets in, and what another site's page cannot do.

use super::*;

#[tokio::test]
async fn signing_in_leaves_the_token_out_of_the_address() {
    let s = site().await;
    let answer = s
        .http()
        .get(s.url("/sign-in?token=ana-token"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], "/");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("ana"), "{cookie}");
    assert!(s.browser("ana").await.page("/").await.contains("Ana Ruiz"));
}

#[tokio::test]
async fn a_sign_in_link_clicked_on_another_site_goes_through_a_page_of_ours() {
    let s = site().await;
    let link = s
        .http()
        .get(s.url("/sign-in?token=ana-token"))
        .header("sec-fetch-site", "cross-site");
    let answer = link.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("set-cookie"));
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains(r#"http-equiv="refresh" content="0;url=&#x2f;""#)
    );
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let s = site().await;
    for path in [
        "/",
        "/rooms/lobby",
        "/files/1",
        "/incidents/7/files/1",
        "/incidents/7/postmortem.html",
        "/sign-in?token=eve",
        "/sign-in",
    ] {
        let answer = s.http().get(s.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(
            answer.text().await.unwrap().contains("Your sign-in token"),
            "{path}"
        );
    }
    for path in ["/api/rooms", "/events?room=lobby&after=x"] {
        let answer = s.http().get(s.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(error_of(answer).await.contains("sign-in link"));
    }
    let wrong = s.script("eve", Method::GET, "/api/rooms").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_person_who_was_removed_is_out_with_the_next_request() {
    let s = site().await;
    let ana = s.browser("ana").await;
    s.people.0.lock().unwrap().retain(|person| person.id.0 != "ana");
    assert_eq!(
        ana.bare(Method::GET, "/").send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_sign_in_holds_over_a_restart_and_ends_when_signed_out() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("chat.sqlite"));
    let s = site_at(place.clone(), settings()).await;
    let before = s.browser("ana").await;
    s.running.shutdown().await;
    s.chat.close().await;

    let s = site_at(place, settings()).await;
    let ana = Browser {
        base: s.url(""),
        http: s.http(),
        ..before
    };
    assert!(ana.page("/").await.contains("Ana Ruiz"));
    let out = ana
        .bare(Method::POST, "/sign-out")
        .form(&[("token", &ana.token)])
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        ana.bare(Method::GET, "/").send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_post_from_another_site_is_refused() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let path = "/api/rooms/lobby/messages";
    let body = serde_json::json!({ "text": "forged" });
    let forged = [
        ana.bare(Method::POST, path),
        ana.bare(Method::POST, path).header("x-orderly-token", "0000"),
        ana.send(Method::POST, path)
            .header("origin", "https://evil.example"),
        ana.bare(Method::POST, path)
            .header("x-orderly-token", &ana.token)
            .header("origin", "null"),
        ana.bare(Method::POST, path)
            .header("x-orderly-token", &ana.token)
            .header("sec-fetch-site", "cross-site"),
        ana.bare(Method::POST, path)
            .header("x-orderly-token", &ana.token)
            .header("sec-fetch-site", "same-site"),
    ];
    for request in forged {
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(error_of(answer).await.contains("nothing was done"));
    }
    for path in ["/rooms/lobby/say", "/sign-out", "/demo/switch"] {
        let form = [("token", "0000"), ("text", "forged"), ("person", "ben")];
        let answer = ana.bare(Method::POST, path).form(&form).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}");
    }
    assert!(s.chat.messages(LOBBY, None, 10).await.unwrap().is_empty());

    let own = ana
        .send(Method::POST, path)
        .header("origin", ana.base.as_str())
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(own.status(), StatusCode::CREATED);
    let form = [("token", ana.token.as_str()), ("text", "a plain form")];
    let plain = ana
        .bare(Method::POST, "/rooms/lobby/say")
        .header("sec-fetch-site", "same-origin")
        .header("origin", "null");
    assert_eq!(
        plain.form(&form).send().await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_name_pointed_at_this_machine_by_somebody_else_is_turned_away() {
    let public = Settings {
        public_url: Some("https://orderly.example.org".into()),
        ..settings()
    };
    let s = site_at(Place::Memory, public).await;
    let port = s.running.addr().port();
    let hosts = [
        ("evil.example".to_owned(), StatusCode::MISDIRECTED_REQUEST),
        (
            format!("localhost.evil.example:{port}"),
            StatusCode::MISDIRECTED_REQUEST,
        ),
        (format!("localhost:{port}"), StatusCode::OK),
        (format!("127.0.0.1:{port}"), StatusCode::OK),
        ("[::1]:80".to_owned(), StatusCode::OK),
        ("Orderly.example.org".to_owned(), StatusCode::OK),
    ];
    for (host, status) in hosts {
        let answer = s
            .script("ana", Method::GET, "/api/rooms")
            .header("host", &host)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
}

#[tokio::test]
async fn an_open_address_is_refused_unless_tls_stands_in_front() {
    let s = site().await;
    let open = Settings {
        listen: ([0, 0, 0, 0], 0).into(),
        ..settings()
    };
    let deps = |chat: &Arc<LocalChat>| Deps {
        chat: Arc::clone(chat),
        people: s.people.clone(),
        board: s.wall.clone(),
        documents: Arc::new(Shelf),
        guide: None,
        clock: Arc::new(ManualClock::at(DateTime::UNIX_EPOCH)),
        ready: Arc::new(|| Box::pin(async { Ok(()) })),
        metrics: Arc::new(|| Box::pin(async { String::new() })),
        platforms: axum::Router::new(),
    };
    let refused = serve(open.clone(), deps(&s.chat)).await.unwrap_err();
    assert!(refused.to_string().contains("behind_tls = true"), "{refused}");
    let wrong = Settings {
        public_url: Some("orderly".into()),
        ..settings()
    };
    assert!(
        serve(wrong, deps(&s.chat))
            .await
            .unwrap_err()
            .to_string()
            .contains("https://orderly.example.org")
    );
    let taken = Settings {
        listen: s.running.addr(),
        ..settings()
    };
    assert!(
        serve(taken, deps(&s.chat))
            .await
            .unwrap_err()
            .to_string()
            .contains("Choose another port")
    );

    let running = serve(
        Settings {
            behind_tls: true,
            ..open
        },
        deps(&s.chat),
    )
    .await
    .unwrap();
    let url = format!(
        "http://127.0.0.1:{}/sign-in?token=ana-token",
        running.addr().port()
    );
    let answer = s.http().get(url).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("__Host-orderly=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn every_answer_carries_the_strict_headers() {
    let s = site().await;
    let ana = s.browser("ana").await;
    for path in ["/", "/nothing", "/assets/any/app.js", "/api/rooms", "/metrics"] {
        let answer = ana.bare(Method::GET, path).send().await.unwrap();
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{path}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
    }
}

#[tokio::test]
async fn people_are_switched_in_the_demo_and_nowhere_else() {
    let s = site().await;
    let ana = s.browser("ana").await;
    let form = [("token", ana.token.as_str()), ("person", "ben")];
    let answer = ana
        .bare(Method::POST, "/demo/switch")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(!ana.page("/").await.contains("/demo/switch"));

    let s = site_at(
        Place::Memory,
        Settings {
            demo: true,
            ..settings()
        },
    )
    .await;
    let ana = s.browser("ana").await;
    let form = [("token", ana.token.as_str()), ("person", "ben")];
    let answer = ana
        .bare(Method::POST, "/demo/switch")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let ben = Browser {
        cookie: cookie_of(&answer),
        ..ana
    };
    assert!(ben.page("/").await.contains("data-user=\"ben\""));
}
