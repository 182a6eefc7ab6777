//! What holds for every line, also the ones nobody would type on purpose.

use std::collections::BTreeMap;

use orderly_commands::*;
use proptest::prelude::*;

/// Pieces from which hostile lines are made: grammar in the wrong place, and characters that act.
const PIECES: &[&str] = &[
    "open",
    "approve",
    "task",
    "probe",
    "propose",
    "note",
    "set",
    "A3",
    "INC-7",
    "#",
    "severity=",
    "reason=",
    "at=",
    "--",
    "—",
    "--incident",
    "key=",
    "params=",
    "=",
    ":",
    "\"",
    "'",
    "“",
    "”",
    "„",
    "«",
    "»",
    "\\",
    "<@U1|a b>",
    "<@",
    "<https://x|y",
    ">",
    ",",
    "\0",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "🔥",
    "👩‍🚒",
    "e\u{301}",
    "\u{e0041}",
    "\n",
    "\r",
    "\t",
    " ",
    "  ",
    "\u{a0}",
    "now",
    "10m",
    "ago",
    "2026-11-21",
    "roll",
    "back",
    "yes",
    "`",
    "```",
    "@everyone",
    "<!channel>",
    "x",
];

fn hostile_line() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.join(" ")),
        any::<String>(),
    ]
}

/// A text as written for an argument of this kind, right more often than not.
fn written(kind: ArgKind) -> BoxedStrategy<String> {
    let few = |words: &'static [&'static str]| prop::sample::select(words).prop_map(str::to_owned).boxed();
    if let Some(words) = kind.choices() {
        return few(words);
    }
    if let Some(letters) = kind.letters() {
        return (1..1_000_000_u64)
            .prop_map(move |number| format!("{letters}{number}"))
            .boxed();
    }
    match kind {
        ArgKind::Text => hostile_line().boxed(),
        ArgKind::Number { min, max } => (min..=max).prop_map(|number| number.to_string()).boxed(),
        ArgKind::Person | ArgKind::Who => few(&["@ana", "<@U1|a b>", "me", "ben"]),
        ArgKind::Channel => few(&["#ops", "<#C1|ops>"]),
        ArgKind::Entry => few(&["e12", "#12", "https://a.example/1?b=c", "1312345678901234567"]),
        ArgKind::Step => few(&["contain.2", "2"]),
        ArgKind::Duration => (1..LONGEST_SPAN).prop_map(|span| format!("{span}s")).boxed(),
        ArgKind::When => few(&[
            "now",
            "5m ago",
            "14:00",
            "2026-11-21 14:00",
            "2026-11-21T14:00:01.5-03:30",
        ]),
        ArgKind::Day => few(&["today", "fri", "2w", "2026-12-01"]),
        ArgKind::Url => few(&["https://a.example/?x=1&y=\"2\"", "<http://a.example|a b>"]),
        ArgKind::Flag => few(&["yes", "no"]),
        ArgKind::Params => few(&["a=1", "b=\"x y\" c='\\'' d=--x", "Key.x-1_y=“”"]),
        _ => "[a-z0-9=:\"'“<#@|.,\\\\-]{1,12}".boxed(),
    }
}

/// A command by its separate values.
fn separate() -> impl Strategy<Value = (&'static str, BTreeMap<String, String>)> {
    prop::sample::select(table()).prop_flat_map(|spec| {
        let args: Vec<_> = spec
            .args
            .iter()
            .map(|arg| {
                (
                    Just(arg.name.to_owned()),
                    prop::option::weighted(if arg.required { 0.99 } else { 0.5 }, written(arg.kind)),
                )
            })
            .collect();
        let incident = prop::option::of(1..1_000_u64);
        (args, incident).prop_map(move |(args, incident)| {
            let given = args.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let incident = incident.map(|number| ("incident".to_owned(), number.to_string()));
            (spec.path, given.chain(incident).collect())
        })
    })
}

fn holds_for(parsed: &Parsed) -> Result<(), TestCaseError> {
    let line = parsed.to_line();
    prop_assert_eq!(parse(&line), Ok(parsed.clone()), "by its line {:?}", line);
    prop_assert_eq!(
        Parsed::from_options(parsed.path, parsed.options()),
        Ok(parsed.clone()),
        "by its options"
    );
    let json = serde_json::to_string(parsed).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(
        serde_json::from_str(&json).ok(),
        Some(parsed.clone()),
        "by its JSON {:?}",
        json
    );
    Ok(())
}

/// Safe to show: one line of text and one of marks, nothing in them that acts.
fn is_safe(error: &ParseError) -> Result<(), TestCaseError> {
    prop_assert!(
        error.typed.get(error.at.clone()).is_some(),
        "{:?} of {:?}",
        error.at,
        error.typed
    );
    let shown = error.to_string();
    let acts = |c: char| {
        c != '\n'
            && (c.is_control()
                || ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{202a}'..='\u{202e}').contains(&c))
    };
    prop_assert!(!shown.chars().any(acts), "{:?}", shown);
    prop_assert!(
        shown.chars().count() < 1_200,
        "{} characters",
        shown.chars().count()
    );
    prop_assert_eq!(shown.matches('`').count() % 2, 0, "{}", shown);
    if let Some(spot) = error.spot() {
        prop_assert!(spot.marks.ends_with('^') && !spot.line.contains('\n'));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_understood_or_explained(line in hostile_line()) {
        match parse(&line) {
            Ok(parsed) => holds_for(&parsed)?,
            Err(error) => is_safe(&error)?,
        }
    }

    #[test]
    fn every_command_survives_being_written_down((path, options) in separate()) {
        match Parsed::from_options(path, options) {
            Ok(parsed) => holds_for(&parsed)?,
            Err(error) => is_safe(&error)?,
        }
    }

    #[test]
    fn every_line_can_be_completed_and_looked_up(line in hostile_line()) {
        for found in complete(&line, &NoValues) {
            prop_assert!(line.is_char_boundary(found.at));
        }
        prop_assert!(help(Some(&line), "incident").chars().count() <= 2_000);
    }
}

/// A line as long as a pasted log is read in one pass: the square of 100 kB would take minutes.
#[test]
fn a_line_of_a_hundred_kilobytes_is_no_trouble() {
    for piece in [
        "a",
        "\" ",
        "'a ",
        "<@ ",
        "<@>",
        "“”",
        "x=",
        "at= ",
        "reasom=1 ",
        "--",
        "\\\"",
        "\0",
        "\u{202e}",
        "🔥 ",
    ] {
        for start in ["", "note ", "note \"", "propose x y ", "open severity="] {
            let line = format!("{start}{}", piece.repeat(100_000 / piece.len()));
            let _ = parse(&line).map_err(|error| error.to_string());
            complete(&line, &NoValues);
        }
    }
}
