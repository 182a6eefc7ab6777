//! What a question brings back, and what it says when it brings nothing.

use super::*;

#[tokio::test]
async fn rows_come_back_as_json_with_typed_parameters_beside_the_statement() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "postgres");
    let call = json!({
        "sql": "SELECT $1 AS word, $2 + 1 AS next, $3 AS part, $4 AS flag, $5 AS at, $6 AS none -- that is all",
        "binds": [
            { "name": "word", "type": "text", "value": "x'; DROP TABLE y; --" },
            { "name": "count", "type": "integer", "value": 41 },
            { "name": "share", "type": "number", "value": 0.5 },
            { "name": "on", "type": "boolean", "value": true },
            { "name": "since", "type": "timestamp", "value": "2026-03-01T15:05:00.25+01:00" },
            { "name": "no", "type": "integer", "value": null },
        ],
    });
    let reading = Postgres.read(&target, &call, LIMITS).await.unwrap();
    assert_eq!(
        reading.answer,
        json!([{
            "word": "x'; DROP TABLE y; --", "next": 42, "part": 0.5, "flag": true,
            "at": "2026-03-01T14:05:00.25+00:00", "none": null,
        }])
    );
    assert!(reading.caveats.is_empty());

    let call = json!({ "sql": "SELECT $1 AS n", "binds": [{ "name": "pid", "type": "integer", "value": "7 OR true" }] });
    let why = Postgres.read(&target, &call, LIMITS).await.unwrap_err();
    assert_eq!(
        why.to_string(),
        "`pid` cannot be \"7 OR true\": it must be a whole number"
    );
}

#[tokio::test]
async fn one_row_can_be_the_answer_and_no_row_is_no_answer() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "postgres");
    let row = |sql: &str| json!({ "sql": sql, "answer": "row" });
    let read = async |sql: &str| Postgres.read(&target, &row(sql), LIMITS).await;
    assert_eq!(
        read("SELECT 7 AS lag;").await.unwrap().answer,
        json!({ "lag": 7 })
    );
    assert_eq!(read("SELECT 7 WHERE false").await.unwrap().answer, Value::Null);
    let why = read("SELECT generate_series(1, 2)").await.unwrap_err();
    assert!(
        why.to_string().contains("promises one row and its SQL gave 2"),
        "{why}"
    );
}

#[tokio::test]
async fn output_is_cut_at_rows_and_at_bytes_and_the_reading_says_so() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "postgres");

    let many = ask(&target, "SELECT generate_series(1, 5000) AS n")
        .await
        .unwrap();
    assert_eq!(many.answer.as_array().map(Vec::len), Some(1000));
    assert_eq!(
        many.caveats,
        ["only the first 1000 rows: the limit of rows was reached"]
    );

    let wide = ask(
        &target,
        "SELECT n, repeat('x', 30000) AS x FROM generate_series(1, 9) n",
    )
    .await
    .unwrap();
    assert_eq!(wide.answer.as_array().map(Vec::len), Some(2));
    assert!(wide.raw.len() <= LIMITS.output);
    assert_eq!(
        wide.caveats,
        ["only the first 2 rows: the output limit was reached"]
    );

    let huge = ask(
        &target,
        "SELECT repeat('x', 50000000) AS x UNION ALL SELECT 'small'",
    )
    .await
    .unwrap();
    assert_eq!(huge.answer, json!([{ "x": "small" }]));
    assert_eq!(
        huge.caveats,
        ["1 rows left out: each alone is above the output limit"]
    );
}

#[tokio::test]
async fn a_slow_question_is_cancelled_on_the_server_and_said_to_be_late() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "postgres");
    let hurry = Limits {
        timeout: Duration::from_millis(700),
        ..LIMITS
    };
    let why = Postgres
        .read(&target, &json!({ "sql": "SELECT pg_sleep(60)" }), hurry)
        .await
        .unwrap_err();
    assert!(matches!(why, Failure::Unreachable(_)));
    assert!(
        why.to_string().starts_with("shop-db did not finish within 700ms"),
        "{why}"
    );
    server
        .until("postgres", "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid())")
        .await;
}

#[tokio::test]
async fn a_locked_table_is_not_waited_for() {
    let server = Server::start().await;
    server.run("odoo", "CREATE TABLE ir_cron (id int)").await;
    let mut holder = server.connect("postgres", "odoo").await;
    orderly_testbed::execute(&mut holder, "BEGIN; LOCK TABLE ir_cron IN ACCESS EXCLUSIVE MODE").await;
    let why = ask(&target(&server, "orderly_probe", "odoo"), "SELECT * FROM ir_cron")
        .await
        .unwrap_err();
    assert!(matches!(why, Failure::Unreachable(_)));
    assert!(
        why.to_string().contains("ask `probe postgres.blocking` who"),
        "{why}"
    );
}

#[tokio::test]
async fn a_session_says_who_asks_and_is_gone_afterwards() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "postgres");
    let call = json!({
        "name": "postgres.blocking", "answer": "row",
        "sql": "SELECT current_setting('application_name') AS name, current_setting('transaction_read_only') AS ro, \
                current_setting('TimeZone') AS zone",
    });
    let answer = Postgres.read(&target, &call, LIMITS).await.unwrap().answer;
    assert_eq!(
        answer,
        json!({ "name": "orderly probe postgres.blocking", "ro": "on", "zone": "UTC" })
    );
    server
        .until(
            "postgres",
            "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'orderly_probe'",
        )
        .await;
}

#[tokio::test]
async fn the_first_variant_that_fits_the_schema_is_taken() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let call = json!({
        "variants": [
            { "needs": ["ir_cron.failure_count"], "sql": "SELECT 'from 18' AS version" },
            { "needs": ["ir_cron"], "sql": "SELECT 'before 18' AS version" },
        ],
        "absent": "This is no Odoo database.",
    });
    let read = async || Postgres.read(&target, &call, LIMITS).await;
    let why = read().await.unwrap_err();
    assert_eq!(
        why.to_string(),
        "This is no Odoo database. (this database has no ir_cron)"
    );
    server.run("odoo", "CREATE TABLE ir_cron (id int)").await;
    assert_eq!(read().await.unwrap().answer, json!([{ "version": "before 18" }]));
    server
        .run("odoo", "ALTER TABLE ir_cron ADD failure_count int")
        .await;
    assert_eq!(read().await.unwrap().answer, json!([{ "version": "from 18" }]));
}

#[tokio::test]
async fn an_identifier_must_exist_and_is_quoted_by_the_server() {
    let server = Server::start().await;
    server
        .run(
            "odoo",
            r#"CREATE SCHEMA "Odd ""one"; CREATE TABLE "Odd ""one".t AS SELECT 5 AS n"#,
        )
        .await;
    let target = target(&server, "orderly_probe", "odoo");
    let call = |value: &str| {
        json!({
            "sql": "SELECT n FROM {place}.t",
            "identifiers": [{ "name": "place", "of": "schema", "value": value }],
        })
    };
    let found = Postgres
        .read(&target, &call(r#"Odd "one"#), LIMITS)
        .await
        .unwrap();
    assert_eq!(found.answer, json!([{ "n": 5 }]));
    let why = Postgres
        .read(&target, &call("pg_catalog.pg_class; --"), LIMITS)
        .await
        .unwrap_err();
    assert_eq!(
        why.to_string(),
        "there is no schema `pg_catalog.pg_class; --` here; check the spelling"
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_connection_is_said_without_the_password() {
    let server = Server::start().await;
    let at = |url: String| Target {
        probe: access(url),
        ..target(&server, "orderly_probe", "postgres")
    };
    let port = server.port();
    let cases = [
        (
            format!("postgres://orderly_probe:hunter2@127.0.0.1:{port}/postgres"),
            "Check role and password",
        ),
        (
            format!("postgres://orderly_probe:orderly_probe@127.0.0.1:{port}/nowhere"),
            "Check the database",
        ),
        (
            format!("postgres://orderly_probe:orderly_probe@127.0.0.1:{port}/postgres?sslmode=require"),
            "no TLS with",
        ),
        (
            "postgres://orderly_probe:hunter2@127.0.0.1:1/postgres".to_owned(),
            "Is the server up",
        ),
        (
            "postgres://orderly_probe:hunter2@[nonsense".to_owned(),
            "cannot be read; write postgres://",
        ),
    ];
    for (url, words) in cases {
        let why = ask(&at(url), "SELECT 1").await.unwrap_err().to_string();
        assert!(why.contains(words), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
}

#[tokio::test]
async fn a_server_without_a_free_connection_says_how_to_get_one() {
    let server = Server::start_with(&[
        ("max_connections", "5"),
        ("max_wal_senders", "0"),
        ("wal_level", "minimal"),
    ])
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(server.connect("clerk", "postgres").await);
    }
    let why = ask(&target(&server, "orderly_probe", "postgres"), "SELECT 1")
        .await
        .unwrap_err();
    assert!(matches!(why, Failure::Unreachable(_)));
    assert!(why.to_string().contains("takes no more connections"), "{why}");
}
