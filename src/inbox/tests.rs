//! The vocabulary and the core, held against each other: this is the one room that knows both.

use std::fmt::Display;

use orderly_commands::{ArgKind, LINES, MOMENTS, PHASES, PROCESSES, ROLES, SECTIONS, SEVERITIES, find};

use super::meant;
use crate::chat::{Block, Incoming, Message, Rich, Span};
use crate::engine::Words;
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

/// What somebody is told whose line is no command.
fn told(line: &str) -> Message {
    let typed = Incoming::Command {
        from: crate::chat::local::identity("ana"),
        room: crate::chat::local::room_ref("lobby"),
        thread: None,
        text: line.to_owned(),
        trigger: None,
    };
    let refusal = meant(&typed).err().expect("a refusal");
    let view = crate::view::View {
        command: "oops".to_owned(),
        room_name: std::sync::Arc::new(|_| String::new()),
    };
    view.refusal(&refusal)
}

fn texts(message: &Message) -> impl Iterator<Item = &Rich> {
    message.blocks.iter().filter_map(|block| match block {
        Block::Text { text } => Some(text),
        _ => None,
    })
}

#[test]
fn a_mistyped_line_stands_in_letters_of_one_width_with_its_mark_below_it() {
    let message = told("severty 1");
    let [
        Block::Text { text: wrong },
        Block::Code {
            text: line,
            diff: false,
        },
        Block::Text { text: right },
    ] = &message.blocks[..]
    else {
        panic!("{message:#?}");
    };
    assert_eq!(line, "severty 1\n^^^^^^^");
    let code = |text: &str| Span::Code {
        text: text.to_owned(),
    };
    let command = |line: &str| Span::Command {
        name: "oops".to_owned(),
        line: line.to_owned(),
    };
    assert!(
        wrong.0.contains(&code("severty")) && wrong.0.contains(&code("help")),
        "{wrong:?}"
    );
    assert!(right.0.contains(&command("severity 1")), "{right:?}");
    insta::assert_snapshot!(message.fallback, @"
    There is no command “severty”. “help” lists them.
    Did you mean /oops severity 1?
    Example: /oops severity SEV1 all warehouses stand still
    ");
}

#[test]
fn the_mark_stands_below_its_word_also_behind_wide_letters() {
    let message = told("倉庫 open");
    let marks = message.blocks.iter().find_map(|block| match block {
        Block::Code { text, .. } => text.split_once('\n'),
        _ => None,
    });
    assert_eq!(marks, Some(("倉庫 open", "^^^^")));
}

#[test]
fn nothing_that_was_typed_ends_the_code_it_stands_in_or_becomes_a_command() {
    for line in [
        "``` <!channel> @everyone",
        "/status",
        "`/status` now",
        "severity `x",
        "open \"a `b` c\" SEV2",
    ] {
        let message = told(line);
        let fence = message.blocks.iter().find_map(|block| match block {
            Block::Code { text, .. } => Some(text),
            _ => None,
        });
        assert!(
            fence.is_some_and(|fence| !fence.contains('`')),
            "{line}: {message:#?}"
        );
        let first = texts(&message).next().expect("words");
        let commands = first.0.iter().any(|span| matches!(span, Span::Command { .. }));
        assert!(!commands, "{line}: {first:?}");
        assert!(
            texts(&message).all(|text| text.0.iter().all(|span| match span {
                Span::Plain { text } | Span::Code { text } => !text.contains('`'),
                _ => true,
            })),
            "{line}: {message:#?}"
        );
    }
}
