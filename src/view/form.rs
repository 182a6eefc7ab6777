//! The form of a command: its missing options as fields, pre-filled with what is known.

use std::collections::BTreeMap;

use orderly_commands::{ArgKind, ArgSpec, CommandSpec};

use crate::chat::{Field, FieldKind, Form};
use crate::incident::State;

/// What can be chosen for an option: value and label.
pub trait Choices {
    fn choices(&self, kind: ArgKind) -> Vec<(String, String)>;
}

/// The form of a command. Options in `fixed` are settled and not shown; the rest are fields, filled in beforehand
/// where the incident knows an answer.
pub fn form(
    spec: &CommandSpec,
    fixed: &BTreeMap<String, String>,
    state: Option<&State>,
    choices: &dyn Choices,
) -> Form {
    let shown = spec
        .args
        .iter()
        .filter(|arg| !fixed.contains_key(arg.name) && !is_for_buttons(arg));
    Form {
        path: spec.path.to_owned(),
        fixed: fixed.clone(),
        title: spec.summary.to_owned(),
        intro: None,
        fields: shown.map(|arg| field(spec, arg, state, choices)).collect(),
        submit: submit(spec.path).to_owned(),
    }
}

/// Options that only buttons fill in.
fn is_for_buttons(arg: &ArgSpec) -> bool {
    matches!(arg.name, "seen" | "override")
}

fn submit(path: &str) -> &'static str {
    match path {
        "open" | "drill" => "Open it",
        "frame" => "Frame it",
        "action propose" => "Propose",
        "action approve" => "Approve",
        "action refuse" => "Refuse",
        "action break-glass" => "Break the glass",
        "decide" => "Decide",
        "update send" => "Send",
        _ => "Save",
    }
}

fn field(spec: &CommandSpec, arg: &ArgSpec, state: Option<&State>, choices: &dyn Choices) -> Field {
    Field {
        name: arg.name.to_owned(),
        label: arg.summary.to_owned(),
        hint: hint(arg.kind),
        kind: kind(arg.kind, choices),
        value: known(spec, arg, state),
        required: arg.required || wanted(spec.path, arg.name),
    }
}

/// Options that the command line can do without and a form should ask for all the same.
fn wanted(path: &str, option: &str) -> bool {
    matches!((path, option), ("open" | "drill", "title") | ("frame", "what"))
}

fn kind(kind: ArgKind, choices: &dyn Choices) -> FieldKind {
    let select = |options: Vec<(String, String)>| FieldKind::Select { options };
    let words = |words: &[&str]| {
        select(
            words
                .iter()
                .map(|word| ((*word).to_owned(), (*word).to_owned()))
                .collect(),
        )
    };
    match kind {
        ArgKind::Text => FieldKind::Area,
        ArgKind::Number { .. } => FieldKind::Number,
        ArgKind::Flag => FieldKind::Tick,
        ArgKind::When => FieldKind::DateTime,
        ArgKind::Day => FieldKind::Day,
        ArgKind::Person => FieldKind::Person,
        ArgKind::Targets => {
            let options = choices.choices(kind);
            if options.is_empty() {
                FieldKind::Line
            } else {
                FieldKind::Several { options }
            }
        }
        _ => match kind.choices() {
            Some(known) => words(known),
            None => {
                let options = choices.choices(kind);
                if options.is_empty() {
                    FieldKind::Line
                } else {
                    select(options)
                }
            }
        },
    }
}

fn hint(kind: ArgKind) -> Option<String> {
    match kind {
        ArgKind::Duration => Some("15m, 2h, 3d".to_owned()),
        ArgKind::Params => Some("name=value, separated by spaces".to_owned()),
        ArgKind::Answers => Some("P5, or P5,P6".to_owned()),
        _ => None,
    }
}

/// What the incident knows already.
fn known(spec: &CommandSpec, arg: &ArgSpec, state: Option<&State>) -> Option<String> {
    if spec.path == "open" && arg.name == "severity" {
        return Some("SEV3".to_owned());
    }
    let state = state?;
    match (spec.path, arg.name) {
        ("frame", "what") => state.frame.trouble.map(|trouble| trouble.word().to_owned()),
        ("frame", "detail") => state.frame.what.clone(),
        ("frame", "works") => state.frame.works.clone(),
        ("frame", "who") => state.frame.who.clone(),
        ("frame", "impact") => state.frame.impact.clone(),
        ("frame", "since") => state.frame.since.map(|since| since.to_rfc3339()),
        ("set title", "title") => Some(state.title.clone()),
        ("finding accept", "finding") => state.findings.keys().next_back().map(ToString::to_string),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Forty;

    impl Choices for Forty {
        fn choices(&self, _: ArgKind) -> Vec<(String, String)> {
            (0..40)
                .map(|at| (format!("p{at}"), format!("Probe {at}")))
                .collect()
        }
    }

    #[test]
    fn a_form_offers_all_there_is_to_choose_from() {
        let spec = orderly_commands::find("probe show").expect("a command");
        let form = form(spec, &BTreeMap::new(), None, &Forty);
        let offered = form.fields.iter().filter_map(|field| match &field.kind {
            FieldKind::Select { options } => Some(options.len()),
            _ => None,
        });
        assert_eq!(offered.max(), Some(40));
    }
}
