//! People and incidents without a bot that runs: the command owns the file for a moment.

use std::process::Stdio;

use super::{Place, os_user};

#[test]
fn somebody_added_gets_a_link_that_is_shown_once() {
    let place = Place::made();
    let said = place
        .run(&["person", "add", "ben", "--name", "Ben Ode", "--role", "approver"])
        .exits(0);
    assert!(said.out.contains("/sign-in?token="), "{}", said.out);
    let listed = place.run(&["person", "list"]).exits(0);
    assert_eq!(listed.out, "ben  Ben Ode  approver\n");
    assert!(!listed.out.contains("token"));
}

#[test]
fn roles_are_granted_and_revoked_and_a_change_that_is_none_is_refused() {
    let place = Place::made();
    place.run(&["person", "add", "ben"]).exits(0);
    place.run(&["person", "grant", "ben", "approver"]).exits(0);
    let said = place.run(&["person", "grant", "ben", "approver"]).exits(3);
    assert!(
        said.err.contains("ben has the role approver already"),
        "{}",
        said.err
    );
    place.run(&["person", "revoke", "ben", "approver"]).exits(0);
    place
        .run(&["person", "deactivate", "ben", "--reason", "left"])
        .exits(0);
    assert_eq!(
        place.run(&["person", "list"]).out,
        "ben  ben  no role  deactivated\n"
    );
    place.run(&["person", "link", "ben"]).exits(3);
    let said = place.run(&["person", "link", "cleo"]).exits(3);
    assert!(said.err.contains("There is no person cleo"), "{}", said.err);
}

#[test]
fn somebody_of_the_config_gets_a_link_and_their_roles_stay_with_the_config() {
    let place = Place::with_ana();
    let said = place.run(&["person", "link", "ana", "--json"]).exits(0).json();
    assert!(said["url"].as_str().unwrap().contains("/sign-in?token="));
    let said = place.run(&["person", "grant", "ana", "approver"]).exits(3);
    assert!(said.err.contains("stands in orderly.toml"), "{}", said.err);
    place.run(&["person", "add", "ana"]).exits(3);
}

#[test]
fn an_incident_is_opened_and_walked_from_the_terminal_alone() {
    let place = Place::with_ana();
    let said = place
        .run(&["incident", "open", "Labels do not print", "severity=SEV2"])
        .exits(0);
    assert!(
        said.out.contains("INC-1 is open: Labels do not print"),
        "{}",
        said.out
    );
    let said = place
        .run(&["incident", "INC-1", "role", "take", "commander"])
        .exits(0);
    assert!(!said.out.is_empty());
    let said = place.run(&["incident", "INC-1", "status"]).exits(0);
    assert!(
        said.out.contains("INC-1 · SEV2 · Labels do not print"),
        "{}",
        said.out
    );
    assert!(said.out.contains("Commander: Ana Bell"), "{}", said.out);
    assert!(
        said.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        said.out
    );
    let said = place.run(&["incident", "INC-1", "next"]).exits(3);
    assert!(said.err.contains("Confirm is not finished"), "{}", said.err);
    let json = place
        .run(&["incident", "--json", "INC-1", "status"])
        .exits(0)
        .json();
    assert_eq!(
        (json["accepted"].as_bool(), json["incident"].as_u64()),
        (Some(true), Some(1))
    );
    // Its room is there for those who come by the page.
    let events = place.run(&["journal", "show", "INC-1", "--json"]).exits(0).json();
    let opened = events
        .as_array()
        .unwrap()
        .iter()
        .any(|event| event["kind"] == "room_opened");
    assert!(opened, "{events:#}");
}

#[test]
fn commands_of_several_terminals_at_once_wait_for_each_other() {
    let place = Place::with_ana();
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    let notes = ["one", "two", "three", "four"];
    let typed = notes.map(|note| {
        let mut command = place.command(&["incident", "INC-1", "note", note]);
        command.stdout(Stdio::null()).spawn().unwrap()
    });
    for mut terminal in typed {
        assert_eq!(terminal.wait().unwrap().code(), Some(0));
    }
    let timeline = place.run(&["incident", "INC-1", "timeline"]).exits(0).out;
    for note in notes {
        assert!(timeline.contains(note), "{timeline}");
    }
}

#[test]
fn what_needs_a_form_is_refused_with_the_way_to_write_it() {
    let said = Place::with_ana().run(&["incident", "open"]).exits(3);
    assert!(said.err.contains("help open` shows"), "{}", said.err);
}

#[test]
fn a_mistyped_command_is_refused_with_the_right_one() {
    let said = Place::with_ana().run(&["incident", "INC-1 statsu"]).exits(3);
    assert!(said.err.contains("status"), "{}", said.err);
}

#[test]
fn a_user_of_this_machine_who_is_nobody_looks_but_does_not_approve() {
    let place = Place::with_ana();
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    place.change(
        "orderly.toml",
        &format!("os_user = \"{}\"", os_user()),
        "os_user = \"somebody-else\"",
    );
    let said = place.run(&["incident", "INC-1", "status"]).exits(0);
    assert!(said.out.contains("Labels do not print"), "{}", said.out);
    place.run(&["incident", "list"]).exits(0);
    place.run(&["incident", "INC-1", "timeline"]).exits(0);
    place.run(&["incident", "INC-1", "brief"]).exits(0);
    place.run(&["incident", "help"]).exits(0);
    for change in [
        ["INC-1", "approve", "A1"],
        ["INC-1", "note", "hello"],
        ["INC-1", "next", "now"],
    ] {
        let words: Vec<_> = ["incident"].into_iter().chain(change).collect();
        let said = place.run(&words).exits(3);
        if change[1] != "next" {
            assert!(
                said.err.contains(&format!("os_user = \"{}\"", os_user())),
                "{}",
                said.err
            );
        }
    }
    let before = place.run(&["journal", "show", "INC-1", "--json"]).json();
    assert!(
        before
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["kind"] != "noted")
    );
}

#[test]
fn a_post_mortem_goes_to_a_file_and_is_the_same_every_time() {
    let place = Place::with_ana();
    place.run(&["incident", "open", "Labels do not print"]).exits(0);
    place
        .run(&["postmortem", "INC-1", "--format", "html", "-o", "one.html"])
        .exits(0);
    place
        .run(&["postmortem", "INC-1", "--format", "html", "-o", "two.html"])
        .exits(0);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    assert!(read("one.html").contains("Labels do not print"));
    assert_eq!(read("one.html"), read("two.html"));
    let json = place
        .run(&["postmortem", "INC-1", "--format", "json"])
        .exits(0)
        .json();
    assert!(json.is_object());
    let said = place.run(&["postmortem", "INC-1", "--as-of", "9999"]).exits(3);
    assert!(said.err.contains("there is no #9999"), "{}", said.err);
    let said = place.run(&["postmortem", "INC-2"]).exits(3);
    assert!(said.err.contains("There is no INC-2"), "{}", said.err);
}

#[test]
fn as_of_an_event_a_post_mortem_is_the_same_whatever_is_renamed_or_set_later() {
    let place = Place::with_ana();
    place
        .run(&["incident", "open", "Labels do not print", "process=order-routing"])
        .exits(0);
    place
        .run(&["incident", "INC-1", "role", "take", "commander"])
        .exits(0);
    let as_of = |format: &str| {
        let words = ["postmortem", "INC-1", "--as-of", "6", "--format", format];
        place.run(&words).exits(0).out
    };
    let all = || ["markdown", "html", "json"].map(as_of);
    let before = all();
    assert!(before[0].contains("Ana Bell") && before[0].contains("`/incident postmortem edit"));

    place.change("orderly.toml", "name = \"Ana Bell\"", "name = \"Ana Bell-Ode\"");
    place.change("orderly.toml", "#command = \"incident\"", "command = \"oops\"");
    place.add(
        "orderly.toml",
        "\n[[process]]\nname = \"order-routing\"\nrto = \"1s\"\nrpo = \"1s\"\n",
    );
    assert_eq!(all(), before, "before anything else happens");
    place
        .run(&["incident", "INC-1", "note", "it began after lunch"])
        .exits(0);
    assert_eq!(all(), before, "and after");
    let now = place.run(&["postmortem", "INC-1"]).exits(0).out;
    assert!(now.contains("Ana Bell-Ode noted"), "{now}");
}

#[test]
fn names_that_nobody_could_read_are_refused_with_words() {
    let place = Place::with_ana();
    let flood = "x".repeat(100_000);
    for name in [flood.as_str(), "Ben\u{1b}[31m Ode", "Ben\nOde"] {
        let said = place.run(&["person", "add", "ben", "--name", name]).exits(3);
        assert!(
            said.err.contains("one line of at most 100 characters"),
            "{}",
            said.err
        );
        assert!(
            said.err.len() < 1_000 && !said.err.contains('\u{1b}'),
            "{}",
            said.err
        );
    }
    for words in [
        &["person", "add", &flood][..],
        &["person", "grant", &flood, "approver"],
        &["incident", "open", &flood],
        &["incident", &flood],
        &["incident", "INC-1", "title", &flood],
        &["runbook", "show", &flood],
        &["probe", "run", &flood],
        &["action", "show", &flood],
    ] {
        let said = place.run(words);
        assert!(said.code != Some(0) && !said.err.is_empty(), "{:?}", &words[..1]);
        assert!(
            said.err.len() < 4_000,
            "{:?} says {} bytes",
            &words[..1],
            said.err.len()
        );
    }
    let hostile = "<b>Labels</b> \u{202e}gpj\u{1b}[31m";
    place.run(&["incident", "open", hostile]).exits(0);
    let listed = place.run(&["incident", "list"]).exits(0);
    assert!(!listed.out.contains(['\u{1b}', '\u{202e}']), "{:?}", listed.out);
}
