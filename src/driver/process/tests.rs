//! Actions by process. Probes run behind the sandbox, which needs the program itself: see `tests/catalog`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;

use super::*;
use crate::catalog::tests::target;

fn limits(millis: u64) -> Limits {
    Limits {
        timeout: Duration::from_millis(millis),
        output: 1024,
    }
}

/// Long enough that only a hang reaches it.
const PATIENT: u64 = 20_000;

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("run.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

/// Previews the script, then attempts what the preview rendered, `between` them.
async fn run(
    folder: &Path,
    path: &Path,
    arguments: &[&str],
    limits: Limits,
    between: impl FnOnce(),
) -> Outcome {
    let process = Process::new("/nonexistent");
    let mut target = target("web1", "host", &folder.display().to_string());
    target
        .action
        .as_mut()
        .expect("takes actions")
        .env
        .push(("TOKEN".to_owned(), "writer".to_owned()));
    let argv: Vec<String> = std::iter::once(path.display().to_string())
        .chain(arguments.iter().map(|it| (*it).to_owned()))
        .collect();
    let preview = process
        .preview(&target, &json!({ "argv": argv }), limits)
        .await
        .expect("a preview");
    between();
    process
        .attempt(&target, &Approved::for_tests("web1", preview.operation), limits)
        .await
}

#[tokio::test]
async fn the_operators_script_runs_with_its_arguments_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(
        folder.path(),
        "printf '%s|%s|%s' \"$1\" \"$TOKEN\" \"$HOME\"; pwd > here",
    );
    let outcome = run(folder.path(), &path, &["a b; echo $(id)"], limits(PATIENT), || ()).await;
    assert_eq!(
        outcome,
        Outcome::Done {
            report: "ended with 0: a b; echo $(id)|writer|".to_owned()
        }
    );
    assert!(folder.path().join("here").exists());
}

#[tokio::test]
async fn a_script_that_fails_may_have_done_a_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(folder.path(), "echo 'half way' >&2; exit 3");
    let outcome = run(folder.path(), &path, &[], limits(PATIENT), || ()).await;
    assert_eq!(
        outcome,
        Outcome::Unknown {
            why: "it ended with 3 and may have done a part: half way".to_owned()
        }
    );
}

#[tokio::test]
async fn a_script_that_changed_since_it_was_approved_is_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(folder.path(), "touch done");
    let outcome = run(folder.path(), &path, &[], limits(PATIENT), || {
        drop(script(folder.path(), "touch other"))
    })
    .await;
    assert!(
        matches!(&outcome, Outcome::NotDone { why } if why.contains("`program_sha256` was")),
        "{outcome:?}"
    );
    assert!(!folder.path().join("other").exists());
}

#[tokio::test]
async fn a_script_that_cannot_be_started_is_not_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.sh");
    std::fs::write(&path, "not executable").expect("written");
    let outcome = run(folder.path(), &path, &[], limits(PATIENT), || ()).await;
    assert!(
        matches!(&outcome, Outcome::NotDone { why } if why.contains("could not be started")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_script_that_does_not_exist_has_no_preview() {
    let process = Process::new("/nonexistent");
    let call = json!({ "argv": ["/opt/none.sh"] });
    let failed = process
        .preview(&target("web1", "host", "/"), &call, limits(PATIENT))
        .await
        .expect_err("none");
    assert!(
        failed.to_string().starts_with("`/opt/none.sh` cannot be read"),
        "{failed}"
    );
}

#[tokio::test]
async fn a_time_out_is_unknown_and_ends_everything_the_script_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = UnixListener::bind(folder.path().join("alive")).expect("a socket");
    // A grandchild holds a connection; its end is seen on the socket.
    let path = script(
        folder.path(),
        "(perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => shift); print $s \"up\"; $s->flush; sleep 600' \"$1\") & wait",
    );
    let address = folder.path().join("alive").display().to_string();
    let arguments = [address.as_str()];
    let outcome = run(folder.path(), &path, &arguments, limits(2_000), || ());
    let watched = async {
        let (mut held, _) = socket.accept().await.expect("connected");
        let mut said = String::new();
        held.read_to_string(&mut said).await.expect("closed by its end");
        said
    };
    let (outcome, said) = tokio::join!(outcome, watched);
    assert!(
        matches!(&outcome, Outcome::Unknown { why } if why.contains("was killed")),
        "{outcome:?}"
    );
    assert_eq!(said, "up");
}

#[tokio::test]
async fn an_action_goes_on_when_it_prints_more_than_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(folder.path(), "head -c 100000 /dev/zero; touch done");
    let outcome = run(folder.path(), &path, &[], limits(PATIENT), || ()).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert!(folder.path().join("done").exists());
}

#[tokio::test]
async fn a_target_that_takes_no_actions_is_left_alone() {
    let mut target = target("web1", "host", "/");
    target.action = None;
    let operation = Operation {
        driver: "process".to_owned(),
        display: String::new(),
        call: json!({ "argv": ["true"] }),
        guards: Map::new(),
    };
    let outcome = Process::new("/nonexistent")
        .attempt(&target, &Approved::for_tests("web1", operation), limits(PATIENT))
        .await;
    assert_eq!(
        outcome,
        Outcome::NotDone {
            why: "`web1` takes no actions".to_owned()
        }
    );
}

#[test]
fn an_argv_is_shown_as_it_would_be_typed() {
    let argv = ["ls", "-l", "a b", "it's", ""].map(str::to_owned);
    assert_eq!(shown(&argv), r"ls -l 'a b' 'it'\''s' ''");
}

#[test]
fn rows_are_cut_at_white_space_or_a_separator_and_the_last_field_keeps_its_blanks() {
    let ran = |text: &str| Ran {
        ended: Ended::Code(0),
        stdout: text.as_bytes().to_vec(),
        stderr: Vec::new(),
        truncated: false,
    };
    let rows = |text: &str, separator: Option<&str>| -> Value {
        let shape = OutputShape::Rows {
            columns: vec!["a".to_owned(), "n".to_owned(), "rest".to_owned()],
            numbers: vec!["n".to_owned()],
            separator: separator.map(str::to_owned),
            skip: 0,
        };
        answer::from(&ran(text), &shape).expect("rows")["rows"].clone()
    };
    assert_eq!(
        rows("1234567   93%  /mnt/my disk\n", None),
        json!([{ "a": "1234567", "n": 93, "rest": "/mnt/my disk" }])
    );
    assert_eq!(
        rows("x\t-\ta\tb\n", Some("\t")),
        json!([{ "a": "x", "n": null, "rest": "a\tb" }])
    );
}
