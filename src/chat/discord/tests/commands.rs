//! Native commands: what is registered, and what comes back.

use serde_json::{Value, json};

use super::super::typed::{asked, choices, commands, line, picked_as};
use super::{ANA, holds};

/// Over names, descriptions, and the names and values of choices.
fn characters(option: &Value) -> usize {
    let text = |key: &str| option[key].as_str().map_or(0, |text| text.chars().count());
    let inner = |key: &str| -> usize { option[key].as_array().into_iter().flatten().map(characters).sum() };
    text("name") + text("description") + text("value") + inner("options") + inner("choices")
}

fn each(option: &Value, check: &mut dyn FnMut(&Value)) {
    check(option);
    for inner in option["options"].as_array().into_iter().flatten() {
        each(inner, check);
    }
}

#[test]
fn discord_takes_every_command_that_is_registered() {
    for command in commands("incident") {
        holds("ApplicationCommandCreateRequest", &command);
        assert!(
            characters(&command) <= 8_000,
            "{} characters",
            characters(&command)
        );
        let mut check = |option: &Value| {
            let name = option["name"].as_str().unwrap_or_default();
            assert!((1..=32).contains(&name.chars().count()), "{name}");
            if command["type"] == 1 {
                assert_eq!(name, name.to_lowercase());
                assert!(
                    name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)),
                    "{name}"
                );
            }
            let options = option["options"].as_array();
            assert!(options.is_none_or(|options| options.len() <= 25), "{name}");
            let required = options
                .into_iter()
                .flatten()
                .map(|option| option["required"] == true);
            assert!(
                required.is_sorted_by(|a, b| a >= b),
                "required options of {name} come first"
            );
            assert!(
                option["choices"].is_null() || option["autocomplete"].is_null(),
                "{name} has both"
            );
        };
        each(&command, &mut check);
    }
}

#[test]
fn a_command_in_a_text_is_named_as_it_is_picked_here() {
    for (typed, picked) in [
        ("", "open"),
        ("ack", "page ack"),
        ("next", "next"),
        (
            "approve A3 the row is the right one",
            "action approve proposal:A3 reason:the row is the right one",
        ),
        ("close reason=\"…\"", "mark closed reason:…"),
        ("room slack", "set room room:slack"),
        ("INC-7 severity SEV2", "set severity level:SEV2 incident:INC-7"),
        (
            "approve <proposal> [reason …]",
            "action approve <proposal> [reason …]",
        ),
        ("no command of ours", "no command of ours"),
    ] {
        assert_eq!(picked_as(typed), picked, "{typed}");
    }
}

#[test]
fn no_command_in_a_text_is_named_by_a_word_that_is_not_registered() {
    for spec in orderly_commands::table() {
        assert!(picked_as(spec.typed()).starts_with(spec.path), "{}", spec.typed());
        let example = picked_as(spec.example);
        assert!(example.starts_with(spec.path), "{example}");
    }
}

/// An option of a registered command, by the words that lead to it.
fn option(words: &[&str]) -> Value {
    let mut found = commands("incident").remove(0);
    for word in words {
        let inner = found["options"].as_array().into_iter().flatten();
        let mut named = inner.filter(|option| option["name"] == *word);
        found = named
            .next()
            .cloned()
            .unwrap_or_else(|| panic!("no {word} in {words:?}"));
    }
    found
}

#[test]
fn few_values_are_chosen_from_a_list_and_many_are_completed_while_somebody_types() {
    for (words, first) in [
        (["set", "severity", "level"], "SEV1"),
        (["postmortem", "export", "format"], "markdown"),
        (["finding", "add", "line"], "changes"),
    ] {
        assert_eq!(option(&words)["choices"][0]["value"], first, "{words:?}");
    }
    for words in [
        ["role", "take", "role"],
        ["set", "process", "process"],
        ["probe", "run", "probe"],
        ["action", "propose", "target"],
        ["runbook", "use", "runbook"],
        ["page", "send", "who"],
        ["journal", "timeline", "incident"],
    ] {
        assert_eq!(option(&words)["autocomplete"], true, "{words:?}");
    }
    for (words, kind) in [
        (["role", "assign", "person"], 6),
        (["journal", "timeline", "last"], 4),
    ] {
        assert_eq!(option(&words)["type"], kind, "{words:?}");
    }
    assert_eq!(option(&["open", "private"])["type"], 5);
}

#[test]
fn the_command_has_the_name_that_the_config_gives_it() {
    let named: Vec<Value> = commands("outage")
        .iter()
        .map(|command| command["name"].clone())
        .collect();
    assert_eq!(
        named,
        ["outage", "Add to timeline", "Make a task", "Make a follow-up"]
    );
}

fn user(id: &str) -> String {
    if id == ANA {
        "@ana".to_owned()
    } else {
        id.to_owned()
    }
}

#[test]
fn typed_options_read_as_the_line_that_somebody_would_have_typed() {
    let data = json!({ "name": "incident", "options": [{ "type": 2, "name": "followup", "options": [{
        "type": 1, "name": "add", "options": [
            { "type": 3, "name": "text", "value": "test the \"restore\" monthly" },
            { "type": 6, "name": "owner", "value": ANA },
            { "type": 3, "name": "due", "value": "friday" },
        ],
    }] }] });
    let typed = line(&data, &user);
    let parsed = orderly_commands::parse(&typed).expect("a command");
    assert_eq!(parsed.path, "followup add");
    assert_eq!(parsed.text("text"), Some("test the \"restore\" monthly"));
    assert_eq!(parsed.text("owner"), Some("@ana"));
}

#[test]
fn switches_numbers_and_parameters_read_as_typed() {
    let data = json!({ "name": "incident", "options": [{ "type": 1, "name": "open", "options": [
        { "type": 3, "name": "title", "value": "Labels do not print" },
        { "type": 5, "name": "private", "value": true },
        { "type": 5, "name": "drill", "value": false },
    ] }] });
    let parsed = orderly_commands::parse(&line(&data, &user)).expect("a command");
    assert!(parsed.flag("private") && !parsed.flag("drill"));
    let data = json!({ "name": "incident", "options": [{ "type": 2, "name": "probe", "options": [{
        "type": 1, "name": "run", "options": [
            { "type": 3, "name": "probe", "value": "postgres.blocking" },
            { "type": 3, "name": "params", "value": "seconds=30 cron=\"Post entries\"" },
        ],
    }] }] });
    let typed = line(&data, &user);
    assert_eq!(
        typed,
        "probe run probe=postgres.blocking seconds=30 cron=\"Post entries\""
    );
    assert!(orderly_commands::parse(&typed).is_ok());
}

#[test]
fn every_command_can_be_said_with_its_options_by_name() {
    // What Discord hands over for the examples of the table must be the same command.
    for spec in orderly_commands::table() {
        let parsed = orderly_commands::parse(spec.example).expect("an example");
        let options: Vec<Value> = parsed
            .options()
            .into_iter()
            .filter(|(name, _)| spec.arg(name).is_some())
            .map(|(name, value)| match spec.arg(&name).map(|arg| arg.kind) {
                Some(orderly_commands::ArgKind::Flag) => json!({ "type": 5, "name": name, "value": true }),
                Some(orderly_commands::ArgKind::Number { .. }) => {
                    json!({ "type": 4, "name": name, "value": value.parse::<i64>().expect("a number") })
                }
                _ => json!({ "type": 3, "name": name, "value": value }),
            })
            .collect();
        let mut words = spec.path.split(' ').rev();
        let command = words.next().unwrap_or_default();
        let mut data = json!({ "type": 1, "name": command, "options": options });
        if let Some(group) = words.next() {
            data = json!({ "type": 2, "name": group, "options": [data] });
        }
        let typed = line(&json!({ "options": [data] }), &user);
        let again = orderly_commands::parse(&typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        assert_eq!(again.path, spec.path, "{typed}");
        let named = |parsed: &orderly_commands::Parsed| {
            let mut options = parsed.options();
            options.retain(|name, _| spec.arg(name).is_some());
            options
        };
        assert_eq!(named(&again), named(&parsed), "{typed}");
    }
}

#[test]
fn what_is_being_typed_is_completed_and_only_its_value_goes_back() {
    let data = json!({ "name": "incident", "options": [{ "type": 2, "name": "action", "options": [{
        "type": 1, "name": "propose", "options": [
            { "type": 3, "name": "action", "value": "odoo.cron.disable" },
            { "type": 3, "name": "target", "value": "od", "focused": true },
        ],
    }] }] });
    let asked = asked(&data, &user).expect("something focused");
    assert_eq!(asked.line, "action propose action=odoo.cron.disable target=od");
    let found = vec![
        (format!("{}odoo-prod", &asked.line[..asked.at]), String::new()),
        (format!("{}\"two words\"", &asked.line[..asked.at]), String::new()),
    ];
    assert_eq!(
        choices(&asked, &found),
        [
            json!({ "name": "odoo-prod", "value": "odoo-prod" }),
            json!({ "name": "two words", "value": "two words" })
        ]
    );
}
