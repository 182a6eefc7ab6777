//! Changes: what is approved, what runs, and what is said when the line breaks.

use orderly_testbed::{Cut, Then};

use super::*;
use crate::incident::{Approved, Outcome, Preview};

const TABLE: &str = "
CREATE TABLE job (id int PRIMARY KEY, active bool, version int);
INSERT INTO job VALUES (1, true, 7), (2, true, 7);
GRANT SELECT, UPDATE ON job TO orderly_act;
";

fn switch_off(id: i64) -> Value {
    json!({
        "name": "job.off",
        "preview": {
            "sql": "SELECT id, active, version FROM job WHERE id = $1 AND active",
            "binds": [{ "name": "id", "type": "integer", "value": id }],
        },
        "guards": ["id", "version"],
        "sql": "UPDATE job SET active = false, version = version + 1 WHERE id = $1 AND version = $2 AND active RETURNING id, active",
        "binds": [{ "name": "guard.id", "type": "guard" }, { "name": "guard.version", "type": "guard" }],
        "dry_run": true,
    })
}

async fn preview(target: &Target, call: &Value) -> Preview {
    Postgres.preview(target, call, LIMITS).await.unwrap()
}

async fn attempt(target: &Target, preview: &Preview) -> Outcome {
    let approved = Approved::for_tests(&target.name, preview.operation.clone());
    Postgres.attempt(target, &approved, LIMITS).await
}

async fn active(server: &Server, id: i32) -> bool {
    server
        .value("odoo", &format!("SELECT active FROM job WHERE id = {id}"))
        .await
}

async fn table() -> (Server, Target) {
    let server = Server::start().await;
    server.run("odoo", TABLE).await;
    let target = target(&server, "orderly_probe", "odoo");
    (server, target)
}

#[tokio::test]
async fn a_preview_shows_the_exact_statement_and_its_effect_and_changes_nothing() {
    let (server, target) = table().await;
    let preview = preview(&target, &switch_off(1)).await;
    assert_eq!(
        preview.operation.guards,
        json!({ "id": 1, "version": 7 }).as_object().cloned().unwrap()
    );
    assert!(preview.dry_run);
    assert_eq!(
        preview.effect,
        "now: id = 1, active = true, version = 7\ntried and taken back: id = 1, active = false"
    );
    let address = format!("orderly_act@127.0.0.1:{}/odoo", server.port());
    assert_eq!(
        preview.operation.display,
        format!(
            "UPDATE job SET active = false, version = version + 1 WHERE id = $1 AND version = $2 AND active RETURNING id, active\n  \
             $1 guard.id = 1\n  $2 guard.version = 7\non shop-db as {address}"
        )
    );
    assert!(active(&server, 1).await);
}

#[tokio::test]
async fn what_was_previewed_is_done_once_and_a_second_time_finds_nothing() {
    let (server, target) = table().await;
    let preview = preview(&target, &switch_off(1)).await;
    assert_eq!(
        attempt(&target, &preview).await,
        Outcome::Done {
            report: "{\"id\":1,\"active\":false}".to_owned()
        }
    );
    assert!(!active(&server, 1).await);
    assert!(active(&server, 2).await);
    let Outcome::NotDone { why } = attempt(&target, &preview).await else {
        panic!()
    };
    assert!(why.starts_with("nothing fits the statement any more"), "{why}");
}

#[tokio::test]
async fn a_guard_that_no_longer_holds_stops_it() {
    let (server, target) = table().await;
    let preview = preview(&target, &switch_off(1)).await;
    server
        .run("odoo", "UPDATE job SET version = 8 WHERE id = 1")
        .await;
    assert!(matches!(
        attempt(&target, &preview).await,
        Outcome::NotDone { .. }
    ));
    assert!(active(&server, 1).await);
}

#[tokio::test]
async fn a_statement_that_would_touch_more_than_promised_is_rolled_back() {
    let (server, target) = table().await;
    let call = json!({ "sql": "UPDATE job SET active = false RETURNING id", "rows": 1 });
    let preview = Postgres.preview(&target, &call, LIMITS).await.unwrap();
    let Outcome::NotDone { why } = attempt(&target, &preview).await else {
        panic!()
    };
    assert_eq!(why, "the statement would touch 2 rows where 1 was expected");
    assert!(active(&server, 1).await);

    let mut any = call;
    any["rows"] = json!(0);
    let preview = Postgres.preview(&target, &any, LIMITS).await.unwrap();
    assert!(matches!(attempt(&target, &preview).await, Outcome::Done { .. }));
}

#[tokio::test]
async fn nothing_to_preview_or_too_much_is_refused_in_words() {
    let (_server, target) = table().await;
    let why = Postgres
        .preview(&target, &switch_off(99), LIMITS)
        .await
        .unwrap_err();
    assert!(why.to_string().starts_with("nothing here fits"), "{why}");
    let call = json!({ "preview": { "sql": "SELECT id FROM job" }, "sql": "SELECT 1" });
    let why = Postgres.preview(&target, &call, LIMITS).await.unwrap_err();
    assert_eq!(
        why.to_string(),
        "2 things fit; name one of them exactly, by its number"
    );
    let quiet = Target {
        action: None,
        ..target
    };
    let why = Postgres
        .preview(&quiet, &switch_off(1), LIMITS)
        .await
        .unwrap_err();
    assert!(why.to_string().starts_with("shop-db takes no actions"), "{why}");
}

#[tokio::test]
async fn a_preview_says_which_role_lacks_what() {
    let (server, target) = table().await;
    server.run("odoo", "REVOKE UPDATE ON job FROM orderly_act").await;
    let why = Postgres
        .preview(&target, &switch_off(1), LIMITS)
        .await
        .unwrap_err();
    assert_eq!(
        why.to_string(),
        "the action role has no right to this: permission denied for table job. Grant it just this right; the catalog \
         entry says which."
    );
    let wrong = format!("postgres://orderly_act:hunter2@127.0.0.1:{}/odoo", server.port());
    let target = Target {
        action: Some(access(wrong)),
        ..target
    };
    let why = Postgres
        .preview(&target, &switch_off(1), LIMITS)
        .await
        .unwrap_err();
    assert!(
        why.to_string().starts_with("orderly_act@127.0.0.1") && !why.to_string().contains("hunter2"),
        "{why}"
    );
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_not_waited_for_to_the_end() {
    let (server, target) = table().await;
    let preview = preview(&target, &switch_off(1)).await;
    let mut holder = server.connect("postgres", "odoo").await;
    orderly_testbed::execute(
        &mut holder,
        "BEGIN; SELECT FROM job WHERE id = 1 FOR NO KEY UPDATE",
    )
    .await;
    let hurry = Limits {
        timeout: Duration::from_secs(1),
        ..LIMITS
    };
    let approved = Approved::for_tests("shop-db", preview.operation.clone());
    let Outcome::NotDone { why } = Postgres.attempt(&target, &approved, hurry).await else {
        panic!()
    };
    assert!(why.contains("another session holds the row"), "{why}");
}

#[tokio::test]
async fn an_approval_for_one_server_is_none_for_another() {
    let (server, target) = table().await;
    let preview = preview(&target, &switch_off(1)).await;
    let elsewhere = Target {
        action: Some(access(server.url_for("odoo", "odoo"))),
        ..target.clone()
    };
    let Outcome::NotDone { why } = attempt(&elsewhere, &preview).await else {
        panic!()
    };
    assert!(why.contains("this was approved for orderly_act@"), "{why}");
    let renamed = Target {
        name: "other".to_owned(),
        ..target
    };
    let approved = Approved::for_tests("shop-db", preview.operation);
    let outcome = Postgres.attempt(&renamed, &approved, LIMITS).await;
    assert!(matches!(outcome, Outcome::NotDone { .. }));
    assert!(active(&server, 1).await);
}

#[tokio::test]
async fn without_the_right_nothing_is_done_and_the_right_is_named() {
    let (server, target) = table().await;
    let preview = preview(&target, &switch_off(1)).await;
    server.run("odoo", "REVOKE UPDATE ON job FROM orderly_act").await;
    let Outcome::NotDone { why } = attempt(&target, &preview).await else {
        panic!()
    };
    assert_eq!(
        why,
        "shop-db refused and nothing was changed: permission denied for table job; grant the action role just this right, \
         or have it done by hand"
    );
}

/// The same operation over a line that breaks.
async fn over(server: &Server, target: &Target, pattern: &'static str, then: Then) -> Outcome {
    let cut = Cut::before(server.port(), pattern, then).await;
    let url = Server::url_at(cut.port(), "orderly_act", "odoo");
    let far = Target {
        action: Some(access(url)),
        ..target.clone()
    };
    let mut call = switch_off(1);
    call["dry_run"] = json!(false);
    let preview = preview(&far, &call).await;
    let hurry = Limits {
        timeout: Duration::from_secs(2),
        ..LIMITS
    };
    let approved = Approved::for_tests("shop-db", preview.operation);
    Postgres.attempt(&far, &approved, hurry).await
}

#[tokio::test]
async fn a_line_that_breaks_while_it_commits_is_unknown_and_it_may_well_have_happened() {
    let (server, target) = table().await;
    let Outcome::Unknown { why } = over(&server, &target, "COMMIT", Then::Lose).await else {
        panic!()
    };
    assert!(why.contains("may or may not have happened"), "{why}");
    server
        .until("odoo", "SELECT NOT active FROM job WHERE id = 1")
        .await;
}

#[tokio::test]
async fn a_line_that_breaks_before_the_commit_arrives_is_unknown_too() {
    let (server, target) = table().await;
    assert!(matches!(
        over(&server, &target, "COMMIT", Then::Drop).await,
        Outcome::Unknown { .. }
    ));
    assert!(active(&server, 1).await);
}

#[tokio::test]
async fn a_server_that_falls_silent_after_the_statement_is_unknown() {
    let (server, target) = table().await;
    let Outcome::Unknown { why } = over(&server, &target, "UPDATE job", Then::Stall).await else {
        panic!()
    };
    assert!(why.contains("no answer within 2s"), "{why}");
}

#[tokio::test]
async fn a_line_that_breaks_before_anything_was_sent_is_not_done() {
    let (server, target) = table().await;
    let Outcome::NotDone { why } = over(&server, &target, "BEGIN READ WRITE", Then::Drop).await else {
        panic!()
    };
    assert!(why.starts_with("nothing was sent"), "{why}");
    assert!(active(&server, 1).await);
}

#[tokio::test]
async fn a_deferred_constraint_that_fails_at_commit_is_not_done() {
    let (server, target) = table().await;
    server
        .run(
            "odoo",
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$;
             CREATE CONSTRAINT TRIGGER no AFTER UPDATE ON job DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no()",
        )
        .await;
    let preview = preview(&target, &switch_off(1)).await;
    let Outcome::NotDone { why } = attempt(&target, &preview).await else {
        panic!()
    };
    assert!(why.contains("refused and nothing was changed"), "{why}");
    assert!(active(&server, 1).await);
}
