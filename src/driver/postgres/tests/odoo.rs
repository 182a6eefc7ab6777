//! The shipped Odoo entries, on the schemas of several versions, healthy and sick.

use orderly_testbed::{execute, odoo};

use super::entries::{assert_says, probe, propose, run, terms, verified};
use super::*;
use crate::incident::{Outcome, Verdict};

/// A server with an Odoo database of that version, as the target.
async fn with(scripts: &[&str]) -> (Server, Target) {
    let server = Server::start().await;
    for script in scripts.iter().chain([&odoo::GRANTS]) {
        server.run("odoo", script).await;
    }
    let target = Target {
        kind: "odoo".to_owned(),
        ..target(&server, "orderly_probe", "odoo")
    };
    (server, target)
}

const LATE: &str =
    "UPDATE ir_cron SET nextcall = (now() AT TIME ZONE 'UTC') - interval '1 hour' WHERE id = 2";

#[tokio::test]
async fn scheduled_actions_are_read_in_every_version() {
    for (script, counts) in [(odoo::V16, false), (odoo::V17, false), (odoo::V18, true)] {
        let (server, target) = with(&[script]).await;
        let words = if counts {
            "0 failing"
        } else {
            "this version does not count failures"
        };
        let healthy = probe(&target, "odoo.crons", json!({})).await;
        assert_says(&healthy, Verdict::Ok, "0 of 3 scheduled actions late");
        assert!(healthy.summary.contains(words), "{}", healthy.summary);
        server.run("odoo", LATE).await;
        let late = probe(&target, "odoo.crons", json!({})).await;
        assert_says(
            &late,
            Verdict::Suspect,
            "1 of 3 scheduled actions late (worst: Procurement: run scheduler, 36",
        );
        assert!(
            late.excerpt.contains("Procurement: run scheduler"),
            "{}",
            late.excerpt
        );
        server
            .run(
                "odoo",
                "UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'stock'",
            )
            .await;
        let held_up = probe(&target, "odoo.crons", json!({})).await;
        assert_says(&held_up, Verdict::Failing, "all are held up by 1 modules waiting");
    }
}

#[tokio::test]
async fn a_trigger_that_is_due_counts_and_so_do_failures_from_18_on() {
    let (server, target) = with(&[odoo::V18]).await;
    server.run("odoo", "INSERT INTO ir_cron_trigger (cron_id, call_at) VALUES (1, (now() AT TIME ZONE 'UTC') - interval '20 minutes')").await;
    assert_says(
        &probe(&target, "odoo.crons", json!({})).await,
        Verdict::Suspect,
        "worst: Account: Post draft entries",
    );
    server
        .run(
            "odoo",
            "DELETE FROM ir_cron_trigger; UPDATE ir_cron SET failure_count = 3 WHERE id = 1",
        )
        .await;
    assert_says(
        &probe(&target, "odoo.crons", json!({})).await,
        Verdict::Suspect,
        "1 failing",
    );
    server
        .run("odoo", "UPDATE ir_cron SET failure_count = 0; INSERT INTO ir_cron_progress (cron_id, timed_out_counter) VALUES (1, 2)")
        .await;
    assert_eq!(
        probe(&target, "odoo.crons", json!({})).await.verdict,
        Verdict::Suspect
    );
    let one = probe(
        &target,
        "odoo.cron",
        json!({ "cron": "account: post draft entries" }),
    )
    .await;
    assert_says(&one, Verdict::Ok, "Account: Post draft entries (number 1) is on");
}

#[tokio::test]
async fn a_finished_numbercall_does_not_look_late() {
    let (server, target) = with(&[odoo::V16]).await;
    server.run("odoo", LATE).await;
    server
        .run("odoo", "UPDATE ir_cron SET numbercall = 0 WHERE id = 2")
        .await;
    assert_says(
        &probe(&target, "odoo.crons", json!({})).await,
        Verdict::Ok,
        "0 of 2 scheduled actions late",
    );
}

#[tokio::test]
async fn a_scheduled_action_is_switched_off_and_on_again_in_every_version() {
    for script in [odoo::V16, odoo::V17, odoo::V18] {
        let (server, target) = with(&[script]).await;
        let cron = json!({ "cron": "Account: Post draft entries" });
        assert_says(
            &probe(&target, "odoo.cron", cron.clone()).await,
            Verdict::Ok,
            "is on",
        );
        let off = propose(&target, "odoo.cron.disable", cron.clone()).await.unwrap();
        assert!(
            off.dry_run && off.effect.contains("tried and taken back: id = 1"),
            "{}",
            off.effect
        );
        // Odoo runs it once more in between: that is no reason to ask again.
        server
            .run(
                "odoo",
                "UPDATE ir_cron SET lastcall = now(), nextcall = nextcall + interval '1 hour' WHERE id = 1",
            )
            .await;
        assert!(matches!(run(&target, &off).await, Outcome::Done { .. }));
        assert!(verified(&target, "odoo.cron.disable", cron.clone()).await);
        assert_says(
            &probe(&target, "odoo.cron", cron.clone()).await,
            Verdict::Failing,
            "is off",
        );

        let undo = terms(&target, "odoo.cron.disable", cron.clone()).undo.unwrap();
        assert_eq!(undo.action, "odoo.cron.enable");
        let on = propose(&target, &undo.action, serde_json::to_value(&undo.params).unwrap())
            .await
            .unwrap();
        assert!(matches!(run(&target, &on).await, Outcome::Done { .. }));
        assert!(verified(&target, "odoo.cron.enable", cron.clone()).await);
        assert_eq!(probe(&target, "odoo.cron", cron).await.verdict, Verdict::Ok);
    }
}

#[tokio::test]
async fn a_scheduled_action_that_somebody_edited_or_runs_is_not_touched() {
    let (server, target) = with(&[odoo::V17]).await;
    let off = propose(&target, "odoo.cron.disable", json!({ "cron": "1" }))
        .await
        .unwrap();
    let mut odoo = server.connect("odoo", "odoo").await;
    execute(
        &mut odoo,
        "BEGIN; SELECT FROM ir_cron WHERE id = 1 FOR NO KEY UPDATE SKIP LOCKED",
    )
    .await;
    let meanwhile = propose(&target, "odoo.cron.disable", json!({ "cron": "1" }))
        .await
        .unwrap();
    assert!(!meanwhile.dry_run, "one that runs can be proposed all the same");
    assert!(
        meanwhile
            .effect
            .contains("not tried: another session holds the row"),
        "{}",
        meanwhile.effect
    );
    let Outcome::NotDone { why } = run(&target, &off).await else {
        panic!()
    };
    assert!(why.contains("perhaps the very job that is running"), "{why}");
    assert_eq!(
        probe(&target, "odoo.cron", json!({ "cron": "1" })).await.verdict,
        Verdict::Ok,
        "a probe waits for no row"
    );
    execute(
        &mut odoo,
        "COMMIT; UPDATE ir_cron SET write_date = now() WHERE id = 1",
    )
    .await;
    let Outcome::NotDone { why } = run(&target, &off).await else {
        panic!()
    };
    assert!(why.starts_with("nothing fits the statement any more"), "{why}");
}

#[tokio::test]
async fn a_name_that_is_wrong_or_fits_twice_is_asked_for_again() {
    let (server, target) = with(&[odoo::V17]).await;
    let why = propose(&target, "odoo.cron.disable", json!({ "cron": "Post entries" }))
        .await
        .unwrap_err();
    assert!(why.to_string().starts_with("nothing here fits"), "{why}");
    assert_eq!(
        probe(&target, "odoo.cron", json!({ "cron": "Post entries" }))
            .await
            .verdict,
        Verdict::Unknown
    );
    server
        .run("odoo", "UPDATE ir_cron SET cron_name = 'Twin' WHERE id IN (1, 2)")
        .await;
    let why = propose(&target, "odoo.cron.disable", json!({ "cron": "Twin" }))
        .await
        .unwrap_err();
    assert_eq!(
        why.to_string(),
        "2 things fit; name one of them exactly, by its number"
    );
    propose(&target, "odoo.cron.disable", json!({ "cron": "2" }))
        .await
        .unwrap();
}

#[tokio::test]
async fn without_the_module_the_job_queue_is_unknown_and_says_why() {
    let (_server, target) = with(&[odoo::V17]).await;
    let answer = probe(&target, "odoo.queue_jobs", json!({})).await;
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(
        answer
            .summary
            .contains("The module queue_job (OCA) is not installed here"),
        "{}",
        answer.summary
    );
    let why = propose(&target, "odoo.queue.pause", json!({ "channel": "root" }))
        .await
        .unwrap_err();
    assert!(why.to_string().contains("ODOO_QUEUE_JOB_CHANNELS"), "{why}");
}

#[tokio::test]
async fn a_database_that_is_no_odoo_is_unknown() {
    let server = Server::start().await;
    let target = Target {
        kind: "odoo".to_owned(),
        ..target(&server, "orderly_probe", "odoo")
    };
    for (name, params) in [
        ("odoo.crons", json!({})),
        ("odoo.cron", json!({ "cron": "1" })),
        ("odoo.modules_changed", json!({})),
    ] {
        let answer = probe(&target, name, params).await;
        assert_eq!(answer.verdict, Verdict::Unknown, "{name}");
        assert!(
            answer.summary.contains("This is no Odoo database"),
            "{}",
            answer.summary
        );
    }
}

#[tokio::test]
async fn the_job_queue_is_read_by_channel_with_late_failed_and_stale_jobs() {
    let (server, target) = with(&[odoo::V17, odoo::QUEUE_JOB]).await;
    let healthy = probe(&target, "odoo.queue_jobs", json!({})).await;
    assert_says(
        &healthy,
        Verdict::Ok,
        "3 pending (0 late), 1 running (0 stale), 0 failed",
    );
    assert!(healthy.excerpt.contains("root.edi"), "{}", healthy.excerpt);

    server
        .run(
            "odoo",
            "UPDATE queue_job SET date_created = date_created - interval '1 hour' WHERE uuid = 'pending-1'",
        )
        .await;
    assert_says(
        &probe(&target, "odoo.queue_jobs", json!({})).await,
        Verdict::Suspect,
        "(1 late)",
    );
    server.run("odoo", "UPDATE queue_job SET state = 'failed', exc_name = 'requests.exceptions.ReadTimeout' WHERE uuid = 'pending-1'").await;
    let failed = probe(&target, "odoo.queue_jobs", json!({})).await;
    assert_says(&failed, Verdict::Suspect, "1 failed");
    assert!(failed.excerpt.contains("ReadTimeout"), "{}", failed.excerpt);
    // The worker died: its job keeps the place in the channel.
    server
        .run(
            "odoo",
            "UPDATE queue_job SET date_started = date_started - interval '2 hours' WHERE uuid = 'running'",
        )
        .await;
    assert_says(
        &probe(&target, "odoo.queue_jobs", json!({})).await,
        Verdict::Failing,
        "1 running (1 stale)",
    );
}

const JOBS: &str =
    "SELECT string_agg(concat_ws('|', uuid, state, priority, coalesce(result, 'null')), ' ' ORDER BY uuid)
    FROM queue_job WHERE state <> 'done'";

#[tokio::test]
async fn a_channel_is_held_and_resumed_and_every_job_is_as_before() {
    let (server, target) = with(&[odoo::V17, odoo::QUEUE_JOB]).await;
    let before: String = server.value("odoo", JOBS).await;
    let edi = json!({ "channel": "root.edi" });
    let pause = propose(&target, "odoo.queue.pause", edi.clone()).await.unwrap();
    assert!(
        pause.effect.contains("pending = 2") && pause.dry_run,
        "{}",
        pause.effect
    );
    assert!(matches!(run(&target, &pause).await, Outcome::Done { .. }));
    assert!(verified(&target, "odoo.queue.pause", edi.clone()).await);
    assert_says(
        &probe(&target, "odoo.queue", edi.clone()).await,
        Verdict::Failing,
        "root.edi: 0 pending, 1 running, 2 held by Orderly",
    );
    assert_says(
        &probe(&target, "odoo.queue_jobs", json!({})).await,
        Verdict::Suspect,
        "2 held by Orderly",
    );
    let held: String = server.value("odoo", JOBS).await;
    assert!(
        held.contains("mail-1|pending|10"),
        "another channel is left alone: {held}"
    );
    assert!(
        held.contains("waiting|wait_dependencies|10|null"),
        "and so is a job that really waits: {held}"
    );
    assert!(
        held.contains("pending-2|wait_dependencies|11|Held by Orderly. Retried: carrier timed out"),
        "{held}"
    );

    // Odoo wakes what depends on a finished job; what is held depends on none.
    server
        .run(
            "odoo",
            "UPDATE queue_job SET state = 'pending' WHERE uuid = 'waiting'",
        )
        .await;
    assert!(
        !verified(&target, "odoo.queue.pause", edi.clone()).await,
        "a job that came later is said"
    );
    server
        .run(
            "odoo",
            "UPDATE queue_job SET state = 'wait_dependencies' WHERE uuid = 'waiting'",
        )
        .await;

    let undo = terms(&target, "odoo.queue.pause", edi.clone()).undo.unwrap();
    let resume = propose(&target, &undo.action, serde_json::to_value(&undo.params).unwrap())
        .await
        .unwrap();
    assert!(matches!(run(&target, &resume).await, Outcome::Done { .. }));
    assert!(verified(&target, "odoo.queue.resume", edi.clone()).await);
    assert_eq!(server.value::<String>("odoo", JOBS).await, before);
    let why = propose(&target, "odoo.queue.resume", edi).await.unwrap_err();
    assert!(why.to_string().starts_with("nothing here fits"), "{why}");
}

/// The job runner hears of each held job, and of nothing else, so that it drops it from its memory.
#[tokio::test]
async fn holding_a_channel_tells_the_job_runner() {
    let (server, target) = with(&[odoo::V17, odoo::QUEUE_JOB]).await;
    let mut runner = sqlx::postgres::PgListener::connect(&server.url_for("odoo", "odoo"))
        .await
        .unwrap();
    runner.listen("queue_job").await.unwrap();
    let pause = propose(&target, "odoo.queue.pause", json!({ "channel": "root.edi" }))
        .await
        .unwrap();
    run(&target, &pause).await;
    let mut heard = vec![
        runner.recv().await.unwrap().payload().to_owned(),
        runner.recv().await.unwrap().payload().to_owned(),
    ];
    heard.sort();
    assert_eq!(heard, ["pending-1", "pending-2"], "and nothing from the dry run");
}

#[tokio::test]
async fn a_large_channel_is_held_in_one_go() {
    let (server, target) = with(&[odoo::V17, odoo::QUEUE_JOB]).await;
    server
        .run("odoo", "INSERT INTO queue_job (uuid, state, channel, priority) SELECT 'bulk-' || n, 'pending', 'root.bulk', 10 FROM generate_series(1, 5000) n")
        .await;
    let pause = propose(&target, "odoo.queue.pause", json!({ "channel": "root.bulk" }))
        .await
        .unwrap();
    assert!(pause.effect.contains("… 5000 rows in all"), "{}", pause.effect);
    let Outcome::Done { report } = run(&target, &pause).await else {
        panic!()
    };
    assert!(report.ends_with("… and 4000 more rows"), "{report}");
    let held: i64 = server
        .value(
            "odoo",
            "SELECT count(*) FROM queue_job WHERE channel = 'root.bulk' AND state = 'wait_dependencies'",
        )
        .await;
    assert_eq!(held, 5000);
}

#[tokio::test]
async fn modules_changed_since_the_onset_are_named() {
    let (server, target) = with(&[odoo::V18]).await;
    assert_says(
        &probe(&target, "odoo.modules_changed", json!({})).await,
        Verdict::Ok,
        "0 modules changed since, 0 waiting",
    );
    server.run("odoo", "UPDATE ir_module_module SET write_date = now() AT TIME ZONE 'UTC', latest_version = '18.0.1.9' WHERE name = 'stock'").await;
    let changed = probe(&target, "odoo.modules_changed", json!({})).await;
    assert_says(&changed, Verdict::Suspect, "1 modules changed since");
    assert!(
        changed.excerpt.contains("stock") && changed.excerpt.contains("18.0.1.9"),
        "{}",
        changed.excerpt
    );
    server
        .run(
            "odoo",
            "UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'account'",
        )
        .await;
    assert_says(
        &probe(&target, "odoo.modules_changed", json!({})).await,
        Verdict::Failing,
        "1 waiting",
    );
}

#[tokio::test]
async fn the_actions_need_no_more_than_the_documented_grants() {
    let (server, target) = with(&[odoo::V17, odoo::QUEUE_JOB]).await;
    let mut act = server.connect("orderly_act", "odoo").await;
    for forbidden in [
        "UPDATE ir_cron SET user_id = 2",
        "DELETE FROM ir_cron",
        "UPDATE queue_job SET channel = 'root'",
        "DELETE FROM queue_job",
        "UPDATE res_users SET password = ''",
    ] {
        assert!(
            sqlx::raw_sql(forbidden).execute(&mut act).await.is_err(),
            "{forbidden}"
        );
    }
    let both = propose(&target, "odoo.cron.disable", json!({ "cron": "1" })).await;
    assert!(both.is_ok());
}
