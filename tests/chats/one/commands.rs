//! Every command of the table: typed as it should be, with something missing, and with something wrong.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use orderly_commands::{ArgKind, ArgSpec, CommandSpec, table};

use super::alike::{assert_alike, in_order, neutral, rooms_of, shown};
use super::hands::{Form, Platform, Seen};
use super::house::House;
use super::life::lived_until;
use super::script::play;

#[tokio::test]
async fn every_command_is_typed_and_answered_alike() {
    let mut first = None;
    for platform in Platform::ALL {
        let house = House::on(platform).await;
        let played = play(&house, "commands").await;
        let all: BTreeSet<&str> = table().iter().map(|spec| spec.path).collect();
        let missing: Vec<&&str> = all.iter().filter(|path| !played.typed.contains(*path)).collect();
        assert!(
            missing.is_empty(),
            "these commands are in no line of commands.txt: {missing:?}"
        );
        house.close().await;
        let lines = in_order(played.lines);
        let first = first.get_or_insert_with(|| lines.clone());
        assert_alike(&format!("what commands answer on {platform:?}"), first, &lines);
    }
}

/// What stands in a form, whatever it looks like.
fn asked(form: &Form) -> String {
    let fields = form.fields.iter().map(|field| {
        let must = if field.required { "!" } else { "" };
        format!("{}{must} {} {:?}", field.name, field.label, field.asks)
    });
    format!("{}: {}", form.title, fields.collect::<Vec<_>>().join("; "))
}

#[tokio::test]
async fn a_command_that_lacks_something_asks_for_it_in_a_form() {
    let mut first = None;
    for platform in Platform::ALL {
        let house = lived_until(House::on(platform).await, "records").await;
        let mut lines = Vec::new();
        for spec in table()
            .iter()
            .filter(|spec| spec.args.iter().any(|arg| arg.required))
        {
            let place = house.place().await;
            house.hands.types("ana", &place, spec.path).await;
            house.settled().await;
            let form = house.hands.form("ana").await;
            assert!(
                spec.summary.starts_with(form.title.trim_end_matches('…')),
                "{}: {form:?}",
                spec.path
            );
            for arg in spec.args.iter().filter(|arg| arg.required) {
                let field = form.fields.iter().find(|field| field.name == arg.name);
                let field = field.unwrap_or_else(|| panic!("{} does not ask for {}", spec.path, arg.name));
                assert!(field.required, "{}: {field:?}", spec.path);
            }
            lines.push(format!("{}: {}", spec.path, asked(&form)));
            house.hands.closes("ana", &form).await;
        }
        house.close().await;
        let first = first.get_or_insert_with(|| lines.clone());
        assert_alike(&format!("what forms ask on {platform:?}"), first, &lines);
    }
}

/// A value that is none of this kind; `None` where every word is one.
fn wrong(kind: ArgKind) -> Option<&'static str> {
    Some(match kind {
        ArgKind::Text | ArgKind::Word | ArgKind::Params | ArgKind::Channel => return None,
        ArgKind::Number { .. } => "many",
        ArgKind::Choice(_) | ArgKind::Severity | ArgKind::Role | ArgKind::Process => "nonsense",
        ArgKind::Person | ArgKind::Who => "@nobody",
        ArgKind::Incident => "INC-99",
        ArgKind::Proposal => "A99",
        ArgKind::Task => "T99",
        ArgKind::Followup => "F99",
        ArgKind::Finding => "D99",
        ArgKind::Change => "C99",
        ArgKind::Page => "N99",
        ArgKind::Answers => "P99",
        ArgKind::Event | ArgKind::Entry => "e9999",
        ArgKind::Probe => "no.probe",
        ArgKind::Action => "no.action",
        ArgKind::Target | ArgKind::Targets => "nowhere",
        ArgKind::Runbook => "no-runbook",
        ArgKind::Step => "recover.99",
        ArgKind::Duration => "soon",
        ArgKind::When | ArgKind::Day => "someday",
        ArgKind::Url => "nonsense",
        ArgKind::Flag => "maybe",
    })
}

/// A value that the incident of these tests has.
fn right(kind: ArgKind) -> &'static str {
    match kind {
        ArgKind::Number { .. } => "1",
        ArgKind::Choice(words) => words[0],
        ArgKind::Severity => "SEV2",
        ArgKind::Role => "responder",
        ArgKind::Process => "other",
        ArgKind::Person | ArgKind::Who => "@ben",
        ArgKind::Incident => "INC-1",
        ArgKind::Proposal => "A1",
        ArgKind::Task => "T1",
        ArgKind::Followup => "F1",
        ArgKind::Finding => "D1",
        ArgKind::Change => "C1",
        ArgKind::Page => "N1",
        ArgKind::Answers => "P1",
        ArgKind::Event | ArgKind::Entry => "e2",
        ArgKind::Probe => "demo.health",
        ArgKind::Action => "http.job.pause",
        ArgKind::Target | ArgKind::Targets => "shop",
        ArgKind::Runbook => "demo-shop",
        ArgKind::Step => "recover.1",
        ArgKind::Duration => "15m",
        ArgKind::When => "now",
        ArgKind::Day => "tomorrow",
        ArgKind::Url => "https://tracker.example/1",
        ArgKind::Flag => "yes",
        ArgKind::Text | ArgKind::Word | ArgKind::Params | ArgKind::Channel => "words",
    }
}

/// The command with this argument wrong and all it must have besides.
fn line_with(spec: &CommandSpec, wrong_one: &ArgSpec, value: &str) -> String {
    let needed = spec
        .args
        .iter()
        .filter(|arg| arg.required && arg.name != wrong_one.name);
    let given = needed.map(|arg| format!(" {}={}", arg.name, right(arg.kind)));
    format!(
        "{} {}={value}{}",
        spec.path,
        wrong_one.name,
        given.collect::<String>()
    )
}

/// Whether an answer leads on: a button, a command to type, or words that say what is taken.
fn leads_on(seen: &Seen) -> bool {
    let says = [
        "`",
        "Did you mean",
        "such as",
        "Write ",
        "is one of",
        "Choose",
        "there is ",
    ];
    !seen.buttons.is_empty() || says.iter().any(|words| seen.text.contains(words))
}

#[tokio::test]
async fn a_command_with_something_wrong_says_what_to_do_instead() {
    let mut first = None;
    for platform in Platform::ALL {
        let house = lived_until(House::on(platform).await, "records").await;
        let (mut lines, mut lost) = (Vec::new(), Vec::new());
        for spec in table() {
            for arg in spec.args {
                let Some(value) = wrong(arg.kind) else { continue };
                let line = line_with(spec, arg, value);
                let refused = house.app.engine.counters().refused.load(Ordering::Relaxed);
                let told = house.types("ana", &line).await;
                let refused = house.app.engine.counters().refused.load(Ordering::Relaxed) - refused;
                let rooms = rooms_of(&house).await;
                let said: Vec<String> = told.iter().map(|seen| shown(seen, &rooms)).collect();
                if refused != 1 || said.len() != 1 || !told.iter().all(leads_on) {
                    lost.push(format!("{line}: {said:?}"));
                }
                lines.push(neutral(&format!("{line}: {}", said.join(" ")), &rooms));
            }
        }
        assert!(
            lost.is_empty(),
            "these lead nowhere on {platform:?}:\n{}",
            lost.join("\n")
        );
        house.close().await;
        let first = first.get_or_insert_with(|| lines.clone());
        assert_alike(&format!("refusals on {platform:?}"), first, &lines);
    }
}
