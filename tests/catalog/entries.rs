//! Host and repository probes, each healthy and sick.

use std::path::Path;
use std::process::Command;

use orderly::incident::Verdict;
use serde_json::json;

use super::{ask, target};

#[tokio::test]
async fn disk_space_is_fine_or_not_by_its_bounds() {
    let host = target("host", "/");
    let fine = ask(
        "host.disk",
        &host,
        json!({ "suspect_percent": 100, "failing_percent": 100 }),
    )
    .await;
    assert_eq!(fine.verdict, Verdict::Ok, "{}", fine.summary);
    assert!(fine.summary.contains("% full"), "{}", fine.summary);
    assert!(fine.excerpt.starts_with("mount"), "{}", fine.excerpt);
    let full = ask(
        "host.disk",
        &host,
        json!({ "suspect_percent": 1, "failing_percent": 1 }),
    )
    .await;
    assert_eq!(full.verdict, Verdict::Failing, "{}", full.summary);
    assert!(full.impact.is_some());
}

#[tokio::test]
async fn inodes_are_counted_where_the_file_system_counts_them() {
    let host = target("host", "/");
    let fine = ask(
        "host.inodes",
        &host,
        json!({ "suspect_percent": 100, "failing_percent": 100 }),
    )
    .await;
    assert_eq!(fine.verdict, Verdict::Ok, "{}", fine.summary);
    let full = ask(
        "host.inodes",
        &host,
        json!({ "suspect_percent": 1, "failing_percent": 1 }),
    )
    .await;
    assert_eq!(full.verdict, Verdict::Failing, "{}", full.summary);
}

#[tokio::test]
async fn memory_is_fine_or_not_by_its_bounds() {
    let host = target("host", "/");
    let fine = ask(
        "host.memory",
        &host,
        json!({ "suspect_percent": 1, "failing_percent": 1 }),
    )
    .await;
    assert_eq!(fine.verdict, Verdict::Ok, "{}", fine.summary);
    assert!(fine.summary.contains("GiB available"), "{}", fine.summary);
    let low = ask(
        "host.memory",
        &host,
        json!({ "suspect_percent": 100, "failing_percent": 100 }),
    )
    .await;
    assert_eq!(low.verdict, Verdict::Failing, "{}", low.summary);
}

const LOG: &str = "\
2026-05-04 02:00:00,001 12 ERROR prod odoo.sql_db: before it began
2026-05-04 03:09:59,001 12 INFO prod odoo.http: fine
2026-05-04 03:12:00,001 12 INFO prod odoo.http: fine
2026-05-04 03:12:01,001 12 ERROR prod odoo.sql_db: could not obtain lock
Traceback (most recent call last):
  File \"models.py\", line 1
2026-05-04T03:13:00Z CRITICAL worker died
";

#[tokio::test]
async fn errors_in_the_log_count_from_the_onset_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("odoo.log");
    std::fs::write(&log, LOG).expect("written");
    let mut host = target("host", &folder.path().display().to_string());
    host.facts.insert("log".to_owned(), json!(log));
    let some = ask("host.log_since", &host, json!({})).await;
    assert_eq!(some.verdict, Verdict::Suspect);
    assert_eq!(
        some.summary,
        "3 lines like ERROR|CRITICAL|FATAL|PANIC|Traceback since 2026-05-04T03:10:00Z, \
         the last: 2026-05-04T03:13:00Z CRITICAL worker died"
    );
    let many = ask("host.log_since", &host, json!({ "failing_from": 3 })).await;
    assert_eq!(many.verdict, Verdict::Failing);
    let quiet = ask(
        "host.log_since",
        &host,
        json!({ "since": "2026-05-04T03:30:00Z" }),
    )
    .await;
    assert_eq!(quiet.verdict, Verdict::Ok, "{}", quiet.summary);
    host.facts.insert("log".to_owned(), json!("/none.log"));
    let none = ask("host.log_since", &host, json!({})).await;
    assert_eq!(none.verdict, Verdict::Unknown, "{}", none.summary);
}

/// Written by a real journald: two lines of odoo and the kernel are errors, one is a warning, the rest is information.
const JOURNAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalog/fixtures");

#[tokio::test]
async fn errors_in_the_systemd_journal_count_from_the_onset_on() {
    let program = Path::new("/usr/bin/journalctl");
    assert!(
        program.exists(),
        "{} is missing: apt-get install systemd",
        program.display()
    );
    let mut host = target("host", "/");
    host.facts.insert("journal".to_owned(), json!(JOURNAL));
    let some = ask("host.journal_since", &host, json!({})).await;
    assert_eq!(some.verdict, Verdict::Suspect, "{}", some.summary);
    assert_eq!(
        some.summary,
        "2 lines of priority err or worse since 2026-05-04T03:10:00Z, the last: \
         2026-11-22T01:59:19+0000 shop-1 kernel[12227]: Out of memory: Killed process 4711 (odoo)"
    );
    let many = ask("host.journal_since", &host, json!({ "failing_from": 2 })).await;
    assert_eq!(many.verdict, Verdict::Failing, "{}", many.summary);
    let last = ask(
        "host.journal_since",
        &host,
        json!({ "lines": 1, "priority": "warning" }),
    )
    .await;
    assert!(
        last.summary.starts_with("1 lines of priority warning"),
        "{}",
        last.summary
    );
    let quiet = ask(
        "host.journal_since",
        &host,
        json!({ "since": "2026-11-22T02:00:00Z" }),
    )
    .await;
    assert_eq!(quiet.verdict, Verdict::Ok, "{}", quiet.summary);
    assert!(quiet.summary.starts_with("0 lines"), "{}", quiet.summary);
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_no_quiet_one() {
    let empty = tempfile::tempdir().expect("a folder");
    for folder in [empty.path().display().to_string(), "/nonexistent".to_owned()] {
        let mut host = target("host", "/");
        host.facts.insert("journal".to_owned(), json!(folder));
        let none = ask("host.journal_since", &host, json!({})).await;
        assert_eq!(none.verdict, Verdict::Unknown, "{folder}: {}", none.summary);
    }
}

fn git(folder: &Path, when: &str, arguments: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=Ana", "-c", "user.email=ana@example.com"])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", when)
        .env("GIT_COMMITTER_DATE", when)
        .current_dir(folder)
        .status();
    assert!(status.expect("git runs").success());
}

#[tokio::test]
async fn a_change_on_the_day_before_the_onset_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), "", &["init", "-q"]);
    let commit = ["commit", "-q", "--allow-empty", "-m"];
    git(
        folder.path(),
        "2026-04-01T00:00:00Z",
        &[commit.as_slice(), &["Long ago"]].concat(),
    );
    let repository = target("git", &folder.path().display().to_string());
    let calm = ask("git.changes", &repository, json!({})).await;
    assert_eq!(
        (calm.verdict, calm.summary.as_str()),
        (Verdict::Ok, "0 changes since 2026-05-03T03:10:00Z")
    );
    git(
        folder.path(),
        "2026-05-04T02:58:00Z",
        &[commit.as_slice(), &["Raise the price\tof pallets"]].concat(),
    );
    let changed = ask("git.changes", &repository, json!({})).await;
    assert_eq!(changed.verdict, Verdict::Suspect);
    assert!(
        changed.summary.ends_with("by Ana: Raise the price of pallets"),
        "{}",
        changed.summary
    );
    let none = ask("git.changes", &target("git", "/nonexistent"), json!({})).await;
    assert_eq!(none.verdict, Verdict::Unknown, "{}", none.summary);
}
