//! Commands whose output nobody reads to its end.

use std::process::Stdio;

use super::Place;

/// Runs a command into a pipe that nobody reads; how it ended, and what it said beside.
fn unread(place: &Place, words: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.command(words);
    command.stdout(writer).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_command_whose_reader_left_ends_quietly() {
    let place = Place::with_ana();
    place
        .run(&["incident", "open", "Labels do not print", "severity=SEV2"])
        .exits(0);
    for line in [
        "--help",
        "--version",
        "completions bash",
        "config show",
        "config schema config",
        "runbook list",
        "runbook show production-incident",
        "probe list --all",
        "action list --json",
        "person list",
        "incident INC-1 status",
        "incident --json INC-1 status",
        "journal show INC-1",
        "journal verify",
        "postmortem INC-1",
        "manifest slack",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(unread(&place, &words), (Some(0), String::new()), "{line}");
    }
}

#[test]
fn a_refusal_that_nobody_reads_is_still_one() {
    let place = Place::with_ana();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.command(&["incident", "severty", "1"]);
    command.stdout(Stdio::null()).stderr(writer);
    assert_eq!(command.status().unwrap().code(), Some(3));
}
