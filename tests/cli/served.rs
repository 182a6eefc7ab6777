//! While the bot runs, the terminal reaches it over the socket.

use std::os::unix::fs::PermissionsExt;

use super::Place;

#[test]
fn the_same_commands_go_to_the_bot_that_runs() {
    let place = Place::with_ana();
    let served = place.serve();
    let said = place
        .run(&["incident", "open", "Labels do not print", "severity=SEV1"])
        .exits(0);
    assert!(said.out.contains("INC-1 is open"), "{}", said.out);
    place.run(&["incident", "INC-1", "status"]).exits(0);
    place.run(&["incident", "INC-1", "next"]).exits(3);
    place.run(&["journal", "show", "INC-1"]).exits(0);
    place.run(&["journal", "verify"]).exits(0);
    place.run(&["postmortem", "INC-1"]).exits(0);
    assert_eq!(served.stop(), Some(0));
    // It was the bot's journal all along.
    let said = place.run(&["incident", "list"]).exits(0);
    assert!(said.out.contains("Labels do not print"), "{}", said.out);
}

#[test]
fn people_are_added_while_it_runs_and_their_link_names_its_address() {
    let place = Place::made();
    let served = place.serve();
    assert!(
        served
            .said
            .iter()
            .any(|line| line.contains("Nobody can sign in yet")),
        "{:?}",
        served.said
    );
    let listens = served.said.last().unwrap();
    let address = listens
        .split("http://")
        .nth(1)
        .unwrap()
        .split(". ")
        .next()
        .unwrap();
    let said = place.run(&["person", "add", "ben", "--json"]).exits(0).json();
    assert!(
        said["url"]
            .as_str()
            .unwrap()
            .starts_with(&format!("http://{address}/sign-in?token=")),
        "{said}"
    );
}

#[test]
fn the_socket_is_for_its_owner_alone_and_goes_with_the_bot() {
    let place = Place::made();
    let served = place.serve();
    let socket = place.path("orderly.sqlite.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(served.stop(), Some(0));
    assert!(!super::exists(&socket));
}

#[test]
fn a_socket_of_a_bot_that_was_killed_is_in_nobodys_way() {
    let place = Place::with_ana();
    let served = place.serve();
    served.signal("KILL");
    drop(served);
    assert!(super::exists(&place.path("orderly.sqlite.sock")));
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    let served = place.serve();
    place.run(&["incident", "INC-1", "status"]).exits(0);
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_second_bot_on_the_same_file_is_refused_with_the_first_ones_process() {
    let place = Place::made();
    let served = place.serve();
    let said = place.run(&["serve"]).exits(1);
    assert!(
        said.err
            .contains(&format!("orderly.sqlite is in use by process {}", served.pid())),
        "{}",
        said.err
    );
    let said = place.run(&["restore", "orderly.sqlite"]).exits(1);
    assert!(said.err.contains("in use by process"), "{}", said.err);
    let doctor = place.run(&["doctor"]).exits(0);
    assert!(
        doctor
            .out
            .contains(&format!("in use by process {}", served.pid())),
        "{}",
        doctor.out
    );
}

#[test]
fn a_hang_up_reads_the_catalog_anew_whole_or_not_at_all() {
    let place = Place::made();
    let mut served = place.serve();
    place.write("catalog/mine.toml", "[probe.\"mine.one\"]\n");
    served.signal("HUP");
    let mut said = served.line();
    while !said.contains("stays as it was") {
        assert!(said.contains("catalog/mine.toml"), "{said}");
        said = served.line();
    }
    std::fs::remove_file(place.path("catalog/mine.toml")).unwrap();
    served.signal("HUP");
    assert!(served.line().starts_with("The catalog was read anew"));
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_backup_is_made_while_it_runs_and_restored_when_it_does_not() {
    let place = Place::with_ana();
    let served = place.serve();
    place.run(&["incident", "open", "First"]).exits(0);
    place.run(&["backup", "copy.sqlite"]).exits(0);
    let said = place.run(&["backup", "copy.sqlite"]).exits(1);
    assert!(said.err.contains("exists already"), "{}", said.err);
    place.run(&["incident", "open", "Second"]).exits(0);
    assert_eq!(served.stop(), Some(0));
    place
        .run(&["journal", "verify", "--file", "copy.sqlite"])
        .exits(0);
    let said = place.run(&["restore", "copy.sqlite"]).exits(0);
    assert!(said.out.contains("is restored and whole"), "{}", said.out);
    let said = place.run(&["incident", "list"]).exits(0);
    assert!(
        said.out.contains("First") && !said.out.contains("Second"),
        "{}",
        said.out
    );
    assert!(super::exists(&place.path("orderly.sqlite.before-restore")));
}
