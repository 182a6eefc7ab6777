//! Which runbook leads, and why; and whose runbooks are on the shelf.

use std::collections::BTreeMap;
use std::fs;

use insta::assert_snapshot;

use super::shown;
use crate::incident::Process;
use crate::runbook::{GENERAL, Hints, Shelf};

fn chosen(title: &str, process: Option<Process>, labels: &[(&str, &str)]) -> String {
    let labels: BTreeMap<String, String> = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let choice = Shelf::shipped().choose(&Hints {
        labels,
        process,
        title: title.to_owned(),
    });
    format!("{}: {}", choice.runbook, choice.why)
}

#[test]
fn an_alert_s_label_weighs_more_than_the_title() {
    assert_snapshot!(chosen("Jobs are stuck", None, &[("alertname", "PostgresLockContention")]), @"postgres-locks: the alert says alertname=PostgresLockContention");
}

#[test]
fn words_of_the_title_are_found_whole_and_in_any_case() {
    assert_snapshot!(chosen("MONTH-END: posting fails since 14:00", None, &[]), @"month-end-posting: the title says “month end” and “posting”");
    assert_snapshot!(chosen("Carrier labels are late", None, &[]), @"carrier-api: the title says “carrier” and “labels”");
    assert_snapshot!(chosen("Everything hangs after lunch", None, &[]), @"postgres-locks: the title says “hangs”");
    assert_snapshot!(chosen("Clockwork is late", None, &[]), @"production-incident: no other is made for this");
}

#[test]
fn a_process_is_enough_when_one_runbook_is_made_for_it() {
    assert_snapshot!(chosen("Something is odd", Some(Process::Finance), &[]), @"month-end-posting: finance-posting suffers");
    assert_snapshot!(chosen("Something is odd", Some(Process::Warehouse), &[]), @"production-incident: no other is made for this");
}

#[test]
fn nobody_guesses_between_two_that_fit_equally_well() {
    assert_snapshot!(chosen("Rollout of locks", None, &[]), @"production-incident: `faulty-release` and `postgres-locks` fit equally well: it leads until somebody picks");
}

#[test]
fn the_shop_s_runbook_is_on_the_demo_s_shelf_only() {
    assert!(Shelf::shipped().get("demo-shop").is_none());
    let hints = Hints {
        title: "Prices in the shop are negative".to_owned(),
        ..Hints::default()
    };
    assert_snapshot!(Shelf::demo().choose(&hints).runbook, @"demo-shop");
}

fn runbook(name: &str, title: &str) -> String {
    format!(
        "---\nname: {name}\ntitle: {title}\nsummary: Ours.\nmatch: {{labels: {{job: [\"odoo-*\"], team: [a]}}}}\n---\n## Confirm\n- Look.\n"
    )
}

#[test]
fn an_operator_s_runbook_replaces_the_shipped_one_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("month-end-posting.md"),
        runbook("month-end-posting", "Our own"),
    )
    .expect("a file");
    fs::write(folder.path().join("README.md"), "no runbook").expect("a file");
    fs::write(folder.path().join("notes.txt"), "no runbook").expect("a file");
    let shelf = Shelf::load(folder.path()).expect("a shelf");
    assert_eq!(
        shelf.get("month-end-posting").expect("ours").front.title,
        "Our own"
    );
    assert_eq!(shelf.list().count(), Shelf::shipped().list().count());
    assert!(shelf.get(GENERAL).is_some());
    let labels =
        [("job", "odoo-prod"), ("team", "a")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let hints = Hints {
        labels: labels.into(),
        ..Hints::default()
    };
    assert_snapshot!(shelf.choose(&hints).why, @"the alert says job=odoo-prod, team=a");
}

#[test]
fn one_broken_file_keeps_the_whole_folder_out() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.md"), runbook("ours", "Ours")).expect("a file");
    fs::write(folder.path().join("b.md"), runbook("ours", "Ours too")).expect("a file");
    fs::write(folder.path().join("c.md"), b"---\nname: c\ntitle: \xff\n---\n").expect("a file");
    fs::write(folder.path().join("d.md"), "## Confirm\n").expect("a file");
    fs::write(folder.path().join("e.md"), "x".repeat(1_000_000)).expect("a file");
    let problems = Shelf::load(folder.path()).expect_err("problems");
    let told = shown(&problems).replace(&folder.path().display().to_string(), "runbooks");
    assert_snapshot!(told, @"
    runbooks/b.md:2:1: error: `ours` is the name of runbooks/a.md too: rename one.
    runbooks/c.md:3:8: error: The file is not UTF-8 from here on: save it as UTF-8.
    runbooks/d.md:1:1: error: There is no front matter. Begin the file with `---`, then `name:`, `title:` and `summary:` on a line each, then `---` again.
    runbooks/e.md:1:1: error: The file has 977 KiB, and a runbook may have 64: nobody reads more in an incident. Split it by what has gone wrong.
    ");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let problems = Shelf::load(&folder.path().join("none")).expect_err("problems");
    let told = shown(&problems).replace(&folder.path().display().to_string(), "etc");
    assert_snapshot!(told, @"etc/none:1:1: error: The folder of runbooks cannot be read: No such file or directory (os error 2). Check `runbooks` in the config.");
}
