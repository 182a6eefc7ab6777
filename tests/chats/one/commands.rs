//! Every command of the table: typed as it should be, with something missing, and with something wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use orderly_commands::{ArgKind, ArgSpec, CommandSpec, table};

use super::alike::{asked, assert_alike, in_order, neutral, rooms_of, shown};
use super::hands::{Form, Need, Platform, Seen, Way};
use super::house::House;
use super::life::lived_until;
use super::script::play;

#[tokio::test]
async fn every_command_is_typed_and_answered_alike_on_the_page_and_on_slack() {
    typed_alike([Platform::Local, Platform::Slack]).await;
}

#[tokio::test]
async fn every_command_is_typed_and_answered_alike_on_the_page_and_on_discord() {
    typed_alike([Platform::Local, Platform::Discord]).await;
}

async fn typed_alike(platforms: [Platform; 2]) {
    let mut first = None;
    for platform in platforms {
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

/// What stands in a form, with a field of the platform's own for everything.
fn asked_natively(form: &Form) -> String {
    let fields = form.fields.iter().map(|field| {
        let must = if field.required { "!" } else { "" };
        format!("{}{must} {} {:?}", field.name, field.label, field.asks)
    });
    format!("{}: {}", form.title, fields.collect::<Vec<_>>().join("; "))
}

/// Answers by what was typed. What a platform's own client did not send has none there.
type Answers = BTreeMap<String, String>;

/// Holds against the first platform whatever was sent on this one.
fn assert_answered_alike(what: &str, first: &Answers, answers: &Answers) {
    let known = first.iter().filter(|(typed, _)| answers.contains_key(*typed));
    let lines = |(typed, answer): (&String, &String)| format!("{typed}: {answer}");
    let (known, lines): (Vec<String>, Vec<String>) =
        (known.map(lines).collect(), answers.iter().map(lines).collect());
    assert_alike(what, &known, &lines);
}

#[tokio::test]
async fn a_command_that_lacks_something_asks_for_it() {
    let mut first: Option<(Answers, Answers)> = None;
    for platform in Platform::ALL {
        let house = lived_until(House::on(platform).await, "records").await;
        let (mut natively, mut alike) = (Answers::new(), Answers::new());
        for spec in table()
            .iter()
            .filter(|spec| spec.args.iter().any(|arg| arg.required))
        {
            let mut required = spec.args.iter().filter(|arg| arg.required);
            if let Some(why) = house.hands.refuses("ana", spec.path) {
                let first = required.next().expect("one that is required");
                assert!(
                    why.contains("needs") && why.contains(first.name),
                    "{}: {why}",
                    spec.path
                );
                continue;
            }
            let place = house.place().await;
            house.hands.types("ana", &place, spec.path).await;
            house.settled().await;
            let form = house.hands.form("ana").await;
            let whole = form.title.trim_end_matches('…');
            assert!(spec.summary.starts_with(whole), "{}: {form:?}", spec.path);
            for arg in required {
                let field = form.fields.iter().find(|field| field.name == arg.name);
                let field = field.unwrap_or_else(|| panic!("{} does not ask for {}", spec.path, arg.name));
                assert!(field.required, "{}: {field:?}", spec.path);
            }
            natively.insert(spec.path.to_owned(), asked_natively(&form));
            alike.insert(spec.path.to_owned(), asked(&form));
            house.hands.closes("ana", &form).await;
        }
        let has_all = matches!(house.hands.way(Need::Picker), Way::Own(_));
        house.close().await;
        let (first_natively, first_alike) = first.get_or_insert_with(|| (natively.clone(), alike.clone()));
        let what = format!("what forms ask on {platform:?}");
        assert_answered_alike(&what, first_alike, &alike);
        if has_all {
            assert_answered_alike(&what, first_natively, &natively);
        }
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
        "/incident ",
        "it takes ",
        ". There is ",
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
async fn a_command_with_something_wrong_says_what_to_do_instead_on_the_page_and_on_slack() {
    refused_alike([Platform::Local, Platform::Slack]).await;
}

#[tokio::test]
async fn a_command_with_something_wrong_says_what_to_do_instead_on_the_page_and_on_discord() {
    refused_alike([Platform::Local, Platform::Discord]).await;
}

async fn refused_alike(platforms: [Platform; 2]) {
    let mut first = None;
    for platform in platforms {
        let house = lived_until(House::on(platform).await, "records").await;
        let (mut answers, mut lost) = (Answers::new(), Vec::new());
        for spec in table() {
            for arg in spec.args {
                let Some(value) = wrong(arg.kind) else { continue };
                let line = line_with(spec, arg, value);
                match house.hands.refuses("ana", &line) {
                    // It is said before anything is sent, at the option that is wrong.
                    Some(why) if why.contains(arg.name) => continue,
                    Some(why) => lost.push(format!("{line}: the platform says {why}")),
                    None => match refused(&house, &line).await {
                        Ok(said) => drop(answers.insert(line, said)),
                        Err(said) => lost.push(format!("{line}: {said}")),
                    },
                }
            }
        }
        assert!(
            lost.is_empty(),
            "these lead nowhere on {platform:?}:\n{}",
            lost.join("\n")
        );
        house.close().await;
        let first = first.get_or_insert_with(|| answers.clone());
        assert_answered_alike(&format!("refusals on {platform:?}"), first, &answers);
    }
}

/// What somebody is told whose command is refused; the error is what they are told that leads nowhere.
async fn refused(house: &House, line: &str) -> Result<String, String> {
    let count = || house.app.engine.counters().refused.load(Ordering::Relaxed);
    let before = count();
    let told = house.types("ana", line).await;
    let rooms = rooms_of(house).await;
    let said: Vec<String> = told.iter().map(|seen| shown(seen, &rooms)).collect();
    if count() - before != 1 || said.len() != 1 || !told.iter().all(leads_on) {
        return Err(format!("{said:?}"));
    }
    Ok(neutral(&said.concat(), &rooms))
}
