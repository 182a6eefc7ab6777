//! What must be the same on every platform, and the few things that may differ.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use orderly::chat::NOT_CONFIRMED;
use regex::Regex;

use super::hands::{Asks, Form, Seen, words};
use super::house::House;

/// What differs between two runs, wherever they run: each pattern and what stands in its place.
static OWN: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let own = [
        // Digests cover the shop's address and the room's name.
        (r"\b([0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{64})\b", "DIGEST"),
        (r"127\.0\.0\.1:\d+", "SHOP"),
        // How long a real call took: the only time that a test does not move by hand.
        (r"\b\d+ ms\b", "SPAN"),
        (r"latency_ms\b[: ]+\d+", "latency_ms SPAN"),
        // Where a room is, and how a platform says that it has none of that name.
        (r"\b(local|slack|discord):ROOM", "PLATFORM:ROOM"),
        (
            r"There is no room (#[\w-]+) on the page\.|Orderly sees no channel (#[\w-]+)\. Invite it there first, with its name in that channel\.|This server has no channel (#[\w-]+)\.",
            "There is no room $1$2$3.",
        ),
        // A link into the room, as each platform writes it.
        (r"<#ROOM>|#ROOM|#inc-\d+[\w-]*", "#ROOM"),
        // Probes of one round race each other, so the events of their answers change places, and a card may be shown between
        // two of them. How far the journal was at a passage or an export, and how long it is, is no matter of chance.
        (r"#\d+", "#"),
    ];
    patterns(own)
});

/// What differs besides on a day on which something goes wrong: a platform that makes the bot wait puts what follows off by
/// seconds, and so do a connection that is made again and a program that is started again.
static LATE: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    patterns([
        (r"\b\d+(\.\d+)? (s|min)\b", "SPAN"),
        (r"(T\d{2}:\d{2}):\d{2}(\.\d+)?Z", "${1}Z"),
        (r"\bevent \d+", "event"),
    ])
});

/// How a command is written: by its second name or by its path, with what is given to it bare or by name. Each platform says
/// what can be typed there.
static COMMANDS: LazyLock<Vec<(Regex, String)>> = LazyLock::new(|| {
    let second_names = orderly_commands::table().iter().filter_map(|spec| {
        let alias = spec.alias?;
        let typed = Regex::new(&format!(r"/incident {alias}([^\w-]|$)")).expect("a pattern");
        Some((typed, format!("/incident {}$1", spec.path)))
    });
    let names = orderly_commands::table().iter().flat_map(|spec| spec.args);
    let names: BTreeSet<&str> = names.map(|arg| arg.name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let given = Regex::new(&format!(r#"\b({})[:=]"?([^\s"])"#, names.join("|"))).expect("a pattern");
    second_names.chain([(given, "$2".to_owned())]).collect()
});

fn patterns<const N: usize>(patterns: [(&str, &'static str); N]) -> Vec<(Regex, &'static str)> {
    patterns
        .map(|(pattern, instead)| (Regex::new(pattern).expect("a pattern"), instead))
        .into()
}

/// The number of an event of which no chance decides: `Journal INC-7 at event #17`, `as of event #112`.
static FIXED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(at|as of) event #(\d+)").expect("a pattern"));

fn replaced(text: String, patterns: &[(Regex, &'static str)]) -> String {
    patterns.iter().fold(text, |text, (own, instead)| {
        own.replace_all(&text, *instead).into_owned()
    })
}

/// Heading of what a new room is asked first.
const FIRST_PROMPT: &str = "1 of 6 Confirm";

/// An answer of a probe, by its number.
static ANSWER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bP\d+\b").expect("a pattern"));

/// A text without what is this run's own, and without the names of this platform's rooms.
pub fn neutral(text: &str, rooms: &[String]) -> String {
    let named = rooms
        .iter()
        .fold(text.to_owned(), |text, room| text.replace(room.as_str(), "ROOM"));
    let fixed = FIXED.replace_all(&named, "${1} event ${2}").into_owned();
    let one_way = COMMANDS
        .iter()
        .fold(replaced(fixed, &OWN), |text, (own, instead)| {
            own.replace_all(&text, instead).into_owned()
        });
    one_way.replace('"', "")
}

/// The same of a day on which something went wrong. What people are told meanwhile is told only where the bot had to wait.
pub fn unhurried(lines: &[String]) -> Vec<String> {
    let meanwhile = |line: &&String| line.contains(NOT_CONFIRMED);
    let lasting = lines.iter().filter(|line| !meanwhile(line));
    lasting.map(|line| replaced(line.clone(), &LATE)).collect()
}

/// How the rooms of this house are named on its platform.
pub async fn rooms_of(house: &House) -> Vec<String> {
    let mut names = Vec::new();
    let state = house.state().await;
    for room in state.rooms.iter().map(|room| &room.at) {
        names.push(format!("{}/{}/{}", room.platform, room.workspace, room.room));
        names.push(room.room.clone());
    }
    names
}

/// A message as everybody must see it, whatever the platform.
pub fn shown(seen: &Seen, rooms: &[String]) -> String {
    let labels: Vec<&str> = seen.buttons.iter().map(|button| button.label.as_str()).collect();
    let mark = |on: bool, mark: &'static str| if on { mark } else { "" };
    let line = format!(
        "{}{}{}{}: {} {labels:?} {:?}",
        mark(seen.thread.is_some(), "↳ "),
        seen.by,
        mark(seen.pinned, " (pinned)"),
        mark(seen.deleted, " (deleted)"),
        words(&seen.text),
        seen.files,
    );
    neutral(&line, rooms)
}

/// As much of a label or a title as every platform shows.
const LABEL: usize = 44;

/// Things to tick that every platform has a place for: beside the button that goes on, Discord has four in a row.
const TICKS: usize = 4;

/// What a form asks for as everybody must be asked, whatever the platform: choices first where a platform has them apart
/// from words, then what is ticked, and what it has no field of its own for as text.
pub fn asked(form: &Form) -> String {
    let short = |text: &str| text.chars().take(LABEL).collect::<String>();
    let (mut choices, mut ticks, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for field in &form.fields {
        let (group, asks) = match &field.asks {
            asks @ (Asks::One(_) | Asks::Several(_) | Asks::Person) => (&mut choices, asks),
            asks @ Asks::Tick if ticks.len() < TICKS => (&mut ticks, asks),
            _ => (&mut words, &Asks::Text),
        };
        let must = if field.required { "!" } else { "" };
        group.push((
            field.name.as_str(),
            format!("{must} {} {asks:?}", short(&field.label)),
        ));
    }
    // Where something is ticked in one place and typed in the other, it stands somewhere else among the words.
    words.sort();
    let fields = choices.into_iter().chain(ticks).chain(words);
    let fields: Vec<String> = fields.map(|(name, asks)| format!("{name}{asks}")).collect();
    format!("{}: {}", short(&form.title), fields.join("; "))
}

/// Lines in their order, except for those about answers of probes: which of a round answers first is nobody's doing. Nor is
/// whether the first prompt still comes in one breath with its room, where a platform makes the bot wait.
pub fn in_order(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let free = |line: &String| ANSWER.is_match(line) || line.contains(FIRST_PROMPT);
    let (mut free, mut others): (Vec<String>, Vec<String>) = lines.into_iter().partition(free);
    free.sort();
    others.extend(free);
    others
}

/// Fails with the first lines that differ.
#[track_caller]
pub fn assert_alike(what: &str, one: &[String], other: &[String]) {
    let differing: Vec<String> = similar::TextDiff::from_slices(
        &one.iter().map(String::as_str).collect::<Vec<_>>(),
        &other.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .iter_all_changes()
    .filter(|change| change.tag() != similar::ChangeTag::Equal)
    .map(|change| format!("{}{}", change.tag(), change.value()))
    .take(12)
    .collect();
    assert!(differing.is_empty(), "{what} differs:\n{}", differing.join("\n"));
}
