//! The vocabulary and the core, held against each other: this is the one room that knows both.

use std::fmt::Display;

use orderly_commands::{ArgKind, LINES, MOMENTS, PHASES, PROCESSES, ROLES, SECTIONS, SEVERITIES, find};

use crate::incident::{
    Conclusion, Line, Moment, Phase, Process, RecoveryItem, Role, Section, Severity, Trouble, Way,
};

fn words<T: Display>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn what_can_be_typed_is_what_the_core_knows_in_the_same_order() {
    assert_eq!(words(Severity::ALL), SEVERITIES);
    assert_eq!(words(Role::ALL), ROLES);
    assert_eq!(words(Process::ALL), PROCESSES);
    assert_eq!(words(Phase::ALL), PHASES);
    assert_eq!(words(Line::ALL), LINES);
    assert_eq!(words(Moment::ALL), MOMENTS);
    assert_eq!(words(Section::ALL), SECTIONS);
}

/// The words an argument takes.
fn choices(path: &str, argument: &str) -> Vec<&'static str> {
    let command = find(path).unwrap_or_else(|| panic!("no command {path}"));
    let found = command.args.iter().find(|arg| arg.name == argument);
    match found.unwrap_or_else(|| panic!("{path} has no {argument}")).kind {
        ArgKind::Choice(words) => words.to_vec(),
        kind => panic!("{path} {argument} is {kind:?}"),
    }
}

#[test]
fn the_choices_of_single_commands_are_the_core_s_as_well() {
    assert_eq!(words(Trouble::ALL), choices("frame", "what"));
    assert_eq!(words(Way::ALL), choices("decide", "way"));
    assert_eq!(words(RecoveryItem::ALL), choices("recovery check", "item"));
    assert_eq!(words(RecoveryItem::ALL), choices("recovery waive", "item"));
    assert_eq!(words(Conclusion::ALL), choices("finding add", "verdict"));
    assert_eq!(words(Line::ALL), choices("finding clear", "line"));
    assert_eq!(words(Phase::ALL), choices("back", "phase"));
}
