//! Every way known to write through a probe, tried.

use super::*;
use crate::driver::postgres::check_role;

/// A table, a writer function of its owner, and a sequence, all open to be abused as far as a careless DBA would go.
const PREY: &str = "
CREATE TABLE prey (n int);
INSERT INTO prey VALUES (1);
CREATE SEQUENCE prey_seq;
GRANT USAGE ON SEQUENCE prey_seq TO orderly_probe;
CREATE FUNCTION devour() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN DELETE FROM prey; RETURN 1; END $$;
CREATE FUNCTION unlock_and_devour() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true); DELETE FROM prey; RETURN 1; END $$;
CREATE FUNCTION obey(command text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN EXECUTE command; RETURN 1; END $$;
";

/// Each must be refused by the server, whatever the role, because it stands below a SELECT in a READ ONLY transaction.
const ATTEMPTS: &[&str] = &[
    "INSERT INTO prey VALUES (2)",
    "INSERT INTO prey VALUES (2) RETURNING n",
    "UPDATE prey SET n = 2 RETURNING n",
    "DELETE FROM prey RETURNING n",
    "MERGE INTO prey USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE prey",
    "CREATE TABLE more (n int)",
    "DROP TABLE prey",
    "SELECT 1 AS n INTO more",
    "WITH gone AS (DELETE FROM prey RETURNING n) SELECT n FROM gone",
    // These close our brackets and open others that fit what follows: two whole statements.
    "SELECT 1) AS asked) AS rows; DELETE FROM prey USING (SELECT 1 FROM (SELECT 1",
    "SELECT 1) AS asked) AS rows; COMMIT; DELETE FROM prey USING (SELECT 1 FROM (SELECT 1",
    "SELECT 1) AS asked LIMIT 1) AS rows; DELETE FROM prey; --",
    "SELECT 1; DELETE FROM prey",
    "SET TRANSACTION READ WRITE",
    "SET TRANSACTION READ WRITE; DELETE FROM prey",
    "COMMIT",
    "ROLLBACK; DELETE FROM prey",
    "DO $$ BEGIN DELETE FROM prey; END $$",
    "CALL devour()",
    "EXPLAIN ANALYZE DELETE FROM prey",
    "PREPARE x AS DELETE FROM prey",
    "COPY prey FROM PROGRAM 'echo 9'",
    "COPY prey TO PROGRAM 'touch /tmp/orderly-was-here'",
    "COPY (SELECT 1) TO '/tmp/orderly-was-here'",
    "NOTIFY prey",
    "LISTEN prey",
    "LOCK TABLE prey",
    "VACUUM prey",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "SELECT n FROM prey FOR UPDATE",
    "SELECT n FROM prey FOR SHARE",
    "SELECT n FROM prey FOR NO KEY UPDATE SKIP LOCKED",
    "SELECT devour()",
    "SELECT unlock_and_devour()",
    "SELECT obey('DELETE FROM prey')",
    "SELECT obey('SET TRANSACTION READ WRITE')",
    "SELECT obey('COMMIT')",
    "SELECT obey('COPY (SELECT 1) TO PROGRAM ''touch /tmp/orderly-was-here''') FROM set_config('role', 'pg_execute_server_program', true)",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT nextval('prey_seq')",
    "SELECT setval('prey_seq', 99)",
    "SELECT query_to_xml('DELETE FROM prey', true, true, '')",
    "SELECT query_to_xml('SET TRANSACTION READ WRITE', true, true, '')",
    "SELECT * FROM ts_stat('DELETE FROM prey RETURNING n::text::tsvector')",
];

/// Refused because a role that only reads has no right to it. A superuser could: hence the check of powers.
const ROLE_ATTEMPTS: &[&str] = &[
    "SELECT pg_reload_conf()",
    "SELECT pg_switch_wal()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_promote()",
    "SELECT pg_create_restore_point('x')",
    "SELECT pg_create_physical_replication_slot('x')",
    "SELECT pg_stat_reset()",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/orderly-was-here')",
    "SELECT set_config('role', 'postgres', true)",
    "SELECT set_config('session_authorization', 'postgres', true)",
    "SELECT pg_log_backend_memory_contexts(pg_backend_pid())",
];

#[tokio::test]
async fn no_way_of_writing_known_to_us_passes_a_probe() {
    let server = Server::start().await;
    server.run("odoo", PREY).await;
    let target = target(&server, "orderly_probe", "odoo");
    for sql in ATTEMPTS.iter().chain(ROLE_ATTEMPTS) {
        refusal(&target, sql).await;
    }
    unharmed(&server).await;
}

/// The transaction and the SELECT hold even a superuser for everything but functions that work outside the transaction.
#[tokio::test]
async fn a_superuser_that_was_accepted_still_cannot_write_in_the_transaction() {
    let server = Server::start().await;
    server.run("odoo", PREY).await;
    let mut target = target(&server, "postgres", "odoo");
    target.accept_privileged_probe = true;
    for sql in ATTEMPTS
        .iter()
        .filter(|sql| !sql.contains("pg_execute_server_program"))
    {
        refusal(&target, sql).await;
    }
    unharmed(&server).await;
}

async fn unharmed(server: &Server) {
    let count: i64 = server
        .value("odoo", "SELECT count(*) FROM prey WHERE n = 1")
        .await;
    assert_eq!(count, 1, "the table was written to");
    let called: bool = server.value("odoo", "SELECT is_called FROM prey_seq").await;
    assert!(!called, "the sequence moved");
    let tables: i64 = server
        .value("odoo", "SELECT count(*) FROM pg_class WHERE relname = 'more'")
        .await;
    assert_eq!(tables, 0, "a table was made");
    assert!(
        !std::path::Path::new("/tmp/orderly-was-here").exists(),
        "a program ran or a file was written"
    );
}

#[tokio::test]
async fn what_a_function_leaves_behind_vanishes_with_the_transaction_and_the_connection() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let mut listener = sqlx::postgres::PgListener::connect(&server.url_for("odoo", "odoo"))
        .await
        .unwrap();
    listener.listen_all(["prey", "end"]).await.unwrap();

    // These pass for anybody; none of them lasts.
    rows(&target, "SELECT pg_notify('prey', 'x')::text AS sent").await;
    rows(
        &target,
        "SELECT pg_advisory_lock(42)::text AS held, pg_advisory_xact_lock(43)::text AS too",
    )
    .await;
    // From PostgreSQL 16 on it is refused; before, it goes with the transaction.
    match ask(&target, "SELECT lo_create(4242) AS made").await {
        Ok(_) => {}
        Err(Failure::Refused(why)) => assert!(why.contains("a probe cannot write"), "{why}"),
        Err(other) => panic!("{other}"),
    }
    rows(&target, "SELECT set_config('work_mem', '1GB', false) AS set").await;
    rows(&target, "SELECT pg_export_snapshot() AS exported").await;

    server
        .until(
            "odoo",
            "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'",
        )
        .await;
    let objects: i64 = server
        .value("odoo", "SELECT count(*) FROM pg_largeobject_metadata")
        .await;
    assert_eq!(objects, 0);
    server.run("odoo", "NOTIFY \"end\"").await;
    let first = listener.recv().await.unwrap();
    assert_eq!(first.channel(), "end", "a probe's notification was delivered");
}

#[tokio::test]
async fn a_probe_cannot_end_or_cancel_anybody_elses_session() {
    let server = Server::start().await;
    let target = target(&server, "orderly_probe", "odoo");
    let mut victim = server.connect("clerk", "odoo").await;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut victim)
        .await
        .unwrap();
    for function in ["pg_terminate_backend", "pg_cancel_backend"] {
        let why = refusal(&target, &format!("SELECT {function}({pid})")).await;
        // The words changed with PostgreSQL 16.
        let reasons = ["must be a member", "permission denied to"];
        let known = |reason: &&str| why.contains(&format!("has no right to this: {reason}"));
        assert!(reasons.iter().any(known), "{why}");
    }
    orderly_testbed::execute(&mut victim, "SELECT 'still here'").await;
}

#[tokio::test]
async fn the_server_says_what_a_careless_entry_tried() {
    let server = Server::start().await;
    server.run("odoo", PREY).await;
    let target = target(&server, "orderly_probe", "odoo");
    let why = refusal(&target, "SELECT devour()").await;
    assert_eq!(
        why,
        "a probe cannot write, and this one tried: cannot execute DELETE in a read-only transaction. Correct the catalog entry."
    );
    let two = "SELECT 1) AS asked) AS rows; DELETE FROM prey USING (SELECT 1 FROM (SELECT 1";
    assert_eq!(
        refusal(&target, two).await,
        "the entry's SQL is not one statement that gives rows: cannot insert multiple commands into a prepared \
         statement. Correct the catalog entry."
    );
}

#[tokio::test]
async fn a_role_that_could_write_is_refused_with_the_sql_for_a_proper_one() {
    let server = Server::start().await;
    server.run("odoo", PREY).await;
    server
        .run(
            "odoo",
            "CREATE ROLE writer LOGIN PASSWORD 'writer'; GRANT UPDATE (n) ON prey TO writer;
             CREATE ROLE owner LOGIN PASSWORD 'owner'; CREATE TABLE own (n int); ALTER TABLE own OWNER TO owner;
             CREATE ROLE maker LOGIN PASSWORD 'maker' CREATEROLE CREATEDB REPLICATION;
             CREATE ROLE member LOGIN PASSWORD 'member'; GRANT pg_write_all_data TO member;
             CREATE ROLE signaller LOGIN PASSWORD 'signaller'; GRANT pg_signal_backend TO signaller;
             CREATE ROLE runner LOGIN PASSWORD 'runner' NOINHERIT; GRANT pg_execute_server_program TO runner;
             CREATE ROLE sleeper LOGIN PASSWORD 'sleeper' NOINHERIT; GRANT writer TO sleeper;
             CREATE ROLE heir LOGIN PASSWORD 'heir' NOINHERIT; GRANT postgres TO heir;",
        )
        .await;
    let cases = [
        ("postgres", "is a superuser"),
        ("odoo", "owns database odoo"),
        ("writer", "may write to prey"),
        ("owner", "may write to own"),
        ("maker", "may create roles, may create databases, may replicate"),
        ("member", "is a member of pg_write_all_data"),
        ("signaller", "is a member of pg_signal_backend"),
        ("runner", "is a member of pg_execute_server_program"),
        ("sleeper", "may write to prey"),
        ("heir", "can become superuser postgres"),
    ];
    for (role, power) in cases {
        let why = refusal(&target(&server, role, "odoo"), "SELECT 1 AS one").await;
        assert!(why.contains(power), "{role}: {why}");
        assert!(
            why.contains("GRANT pg_monitor, pg_read_all_data TO orderly_probe"),
            "{why}"
        );
    }
    assert_eq!(
        check_role(&target(&server, "orderly_probe", "odoo"), LIMITS)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn an_accepted_role_that_could_write_is_named_on_every_result() {
    let server = Server::start().await;
    let mut target = target(&server, "postgres", "odoo");
    target.accept_privileged_probe = true;
    for _ in 0..2 {
        let reading = ask(&target, "SELECT 1 AS one").await.unwrap();
        assert_eq!(
            reading.caveats,
            ["asked with a role that could write (is a superuser); the read-only transaction held it"]
        );
    }
}

/// dblink opens a connection of its own, which no transaction of ours holds.
#[tokio::test]
async fn a_role_that_may_use_dblink_is_refused_until_it_may_not() {
    let server = Server::start().await;
    server.run("odoo", "CREATE EXTENSION dblink").await;
    let target = target(&server, "orderly_probe", "odoo");
    let why = refusal(&target, "SELECT 1 AS one").await;
    assert!(
        why.contains("REVOKE EXECUTE ON FUNCTION dblink_exec(text) FROM PUBLIC")
            || why.contains("REVOKE EXECUTE ON FUNCTION dblink"),
        "{why}"
    );
    server
        .run(
            "odoo",
            "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
        )
        .await;
    assert_eq!(rows(&target, "SELECT 1 AS one").await, json!([{ "one": 1 }]));
}
