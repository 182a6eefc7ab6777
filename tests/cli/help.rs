//! Help, in which every verb shows how it is used.

use super::Place;

#[test]
fn the_help_of_every_verb_has_an_example() {
    let place = Place::empty();
    let verbs = "demo init doctor serve incident runbook probe action postmortem journal person backup restore config completions";
    let deeper = [
        "runbook list",
        "runbook show",
        "runbook lint",
        "probe list",
        "probe run",
        "action list",
        "action show",
        "journal verify",
        "journal show",
        "journal redact",
        "person add",
        "person link",
        "person list",
        "person grant",
        "person revoke",
        "person deactivate",
        "config check",
        "config show",
        "config schema",
    ];
    for verb in verbs.split(' ').chain(deeper) {
        let words: Vec<_> = verb.split(' ').chain(["--help"]).collect();
        let said = place.run(&words).exits(0);
        assert!(said.out.contains("Example"), "{verb}: {}", said.out);
    }
}

#[test]
fn the_help_says_what_the_exit_codes_mean() {
    let said = Place::empty().run(&["--help"]).exits(0);
    assert!(said.out.contains("3  refused by the rules"), "{}", said.out);
    assert!(
        said.out.contains("4  something to look at was found"),
        "{}",
        said.out
    );
}

#[test]
fn a_wrong_command_line_exits_with_two() {
    Place::empty().run(&["postmortem", "seven"]).exits(2);
    Place::empty()
        .run(&["person", "add", "ana", "--role", "captain"])
        .exits(2);
}

#[test]
fn a_long_argument_is_quoted_as_far_as_it_is_needed_to_know_it_again() {
    let place = Place::empty();
    let long = format!("seven\u{1b}[2J{}", "7".repeat(10_000));
    let wrong: [(&[&str], &str); 5] = [
        (&["postmortem", &long], "an incident is written like INC-7"),
        (&["manifest", &long], "[possible values: slack, discord]"),
        (&["serve", &long], "unexpected argument"),
        (&["person", "add", "ana", "--role", &long], "there is commander"),
        (&[&long], "unrecognized subcommand"),
    ];
    for (words, part) in wrong {
        let said = place.run(words).exits(2).err;
        assert!(said.contains("seven␛[2J777") && said.contains(part), "{said}");
        assert!(said.len() < 500, "{said}");
    }
}

#[test]
fn completions_know_the_verbs() {
    let said = Place::empty().run(&["completions", "bash"]).exits(0);
    assert!(said.out.contains("postmortem"), "{}", said.out);
}

#[test]
fn every_schema_is_printed_as_it_is_checked_in_and_named_in_the_help() {
    let place = Place::empty();
    let help = place.run(&["config", "schema", "--help"]).exits(0).out;
    for (of, file) in [
        ("config", "config"),
        ("catalog", "catalog"),
        ("runbook", "runbook"),
        ("postmortem", "postmortem"),
    ] {
        let printed = place.run(&["config", "schema", of]).exits(0).json();
        let path = format!("{}/schemas/{file}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let checked_in = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            printed,
            serde_json::from_str::<serde_json::Value>(&checked_in).unwrap(),
            "{of}"
        );
        assert!(
            of == "config" || help.contains(&format!("orderly config schema {of} >")),
            "{help}"
        );
    }
}
