//! What is offered while somebody types.

use orderly_commands::{ArgKind, MOST_COMPLETIONS, NoValues, Values, complete, complete_value, table};

struct Room;

impl Values for Room {
    fn values(&self, kind: ArgKind, typed: &str) -> Vec<String> {
        let all: &[&str] = match kind {
            ArgKind::Proposal => &["A3", "A4"],
            ArgKind::Probe => &["postgres.blocking", "postgres.connections", "redis.memory"],
            ArgKind::Targets => &["odoo-prod", "redis-prod"],
            ArgKind::Person => &["@ana", "@ana lopez"],
            ArgKind::Incident => &["INC-7", "INC-12"],
            _ => &[],
        };
        all.iter()
            .filter(|value| value.starts_with(typed))
            .map(|value| (*value).to_owned())
            .collect()
    }
}

/// The line after each completion.
fn lines(typed: &str) -> Vec<String> {
    complete(typed, &Room)
        .into_iter()
        .map(|found| format!("{}{}", &typed[..found.at], found.text))
        .collect()
}

#[test]
fn an_empty_line_offers_the_commands_and_groups() {
    let found = complete("", &NoValues);
    assert_eq!(found.len(), MOST_COMPLETIONS);
    assert_eq!(
        (found[0].text.as_str(), found[0].summary.as_str()),
        ("open", "Open an incident")
    );
    assert!(found.iter().any(|found| found.text == "action"));
}

#[test]
fn the_beginning_of_a_word_finds_aliases_too() {
    assert_eq!(lines("appr"), ["approve"]);
    assert_eq!(lines("INC-7 Appr"), ["INC-7 approve"]);
    assert_eq!(lines("xyz"), Vec::<String>::new());
}

#[test]
fn a_group_offers_its_commands_and_what_its_usual_one_takes() {
    assert_eq!(lines("task d"), ["task done", "task drop"]);
    assert_eq!(lines("role com"), ["role commander"]);
    assert_eq!(lines("probe redis"), ["probe redis.memory"]);
}

#[test]
fn the_incident_is_offered_to_every_command() {
    assert_eq!(lines("status incident=INC-1"), ["status incident=INC-12"]);
    assert_eq!(
        lines("probe run --incident INC-7"),
        ["probe run --incident INC-7"]
    );
    assert_eq!(
        lines("frame incident="),
        ["frame incident=INC-7", "frame incident=INC-12"]
    );
}

#[test]
fn the_next_argument_is_offered_then_the_options() {
    assert_eq!(lines("refuse "), ["refuse A3", "refuse A4", "refuse reason="]);
    assert_eq!(lines("damage "), ["damage yes", "damage no", "damage detail="]);
    assert_eq!(lines("probe run postgres.b"), ["probe run postgres.blocking"]);
}

#[test]
fn an_option_offers_its_values() {
    assert_eq!(
        lines("open Slow severity=SEV1 process=w"),
        ["open Slow severity=SEV1 process=warehouse-execution"]
    );
    assert_eq!(
        lines("open --process ware"),
        ["open --process warehouse-execution"]
    );
    assert_eq!(
        lines("open Slow --p"),
        ["open Slow --process ", "open Slow --private"]
    );
    assert_eq!(lines("task add owner=@ana "), Vec::<String>::new());
}

#[test]
fn the_last_of_several_values_is_completed() {
    assert_eq!(
        lines("open target=odoo-prod,r"),
        ["open target=odoo-prod,redis-prod"]
    );
}

#[test]
fn a_value_with_spaces_comes_in_quotes() {
    assert_eq!(
        lines("handover @ana"),
        ["handover @ana", "handover \"@ana lopez\""]
    );
}

#[test]
fn nothing_is_offered_within_text_or_after_a_mistake() {
    assert_eq!(lines("note the stat"), Vec::<String>::new());
    assert_eq!(lines("note \"the "), Vec::<String>::new());
    assert_eq!(lines("aprove A"), Vec::<String>::new());
    assert_eq!(lines("timeline 900 "), Vec::<String>::new());
}

#[test]
fn one_argument_can_be_completed_by_itself() {
    assert_eq!(
        complete_value(ArgKind::Severity, "sev", &NoValues),
        ["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"]
    );
    assert_eq!(complete_value(ArgKind::Proposal, "A", &Room), ["A3", "A4"]);
}

#[test]
fn every_command_can_be_completed_after_its_path() {
    for spec in table() {
        let typed = format!("{} ", spec.path);
        for found in complete(&typed, &NoValues) {
            assert!(
                found.at == typed.len() && !found.text.is_empty(),
                "{typed}{}",
                found.text
            );
        }
    }
}
