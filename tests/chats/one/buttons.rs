//! Every button that a message can offer is pressed, on every platform.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;

use regex::Regex;

use super::alike::{assert_alike, in_order};
use super::hands::{Button, Platform};
use super::house::House;
use super::script::play;

/// A button as the source makes it: what its label looks like, and the path of its command.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Made {
    label: String,
    path: &'static str,
    /// Only where the bot itself can be looked at.
    at_home: bool,
}

/// All that `src/view` can offer, read from the source, so that a new button without a line in `buttons.txt` is found.
fn made() -> BTreeSet<Made> {
    let literal = r#"&?(?:format!\(\s*)?"([^"]*)""#;
    let call = format!(r"\b(?:run|ask|offer)\(\s*(?:{literal}|&branch\.label)(?:\s*\))?,\s*{literal}");
    let call = Regex::new(&call).expect("a pattern");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view");
    let mut made = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the views") {
        let file = file.expect("a file").path();
        let source = std::fs::read_to_string(&file).expect("text");
        for found in call.captures_iter(&source) {
            let label = found.get(1).map_or("{}", |label| label.as_str());
            let line = &found[2];
            let path = path_of(line).unwrap_or_else(|| panic!("{}: {line} is no command", file.display()));
            made.insert(Made {
                label: label.to_owned(),
                path,
                at_home: file.ends_with("home.rs"),
            });
        }
    }
    made
}

/// The command that a line begins with, whichever incident it names first.
fn path_of(line: &str) -> Option<&'static str> {
    let mut words = line
        .split(' ')
        .filter(|word| !word.starts_with('{') && !word.starts_with("INC-"));
    let (first, second) = (words.next()?, words.next().unwrap_or_default());
    let found =
        orderly_commands::find(&format!("{first} {second}")).or_else(|| orderly_commands::find(first));
    found.map(|spec| spec.path)
}

impl Made {
    fn is(&self, button: &Button) -> bool {
        let holes = Regex::new(r"\\\{[^}]*\\\}").expect("a pattern");
        let label = holes.replace_all(&regex::escape(&self.label), ".+").into_owned();
        let label = Regex::new(&format!("^{label}$")).expect("a pattern");
        label.is_match(&button.label) && path_of(&button.does) == Some(self.path)
    }
}

#[tokio::test]
async fn every_button_is_pressed_and_answered_alike_on_the_page_and_on_slack() {
    pressed_alike([Platform::Local, Platform::Slack]).await;
}

#[tokio::test]
async fn every_button_is_pressed_and_answered_alike_on_the_page_and_on_discord() {
    pressed_alike([Platform::Local, Platform::Discord]).await;
}

async fn pressed_alike(platforms: [Platform; 2]) {
    let made = made();
    assert!(made.len() > 50, "the source is read: {made:#?}");
    let mut first = None;
    for platform in platforms {
        let house = House::on(platform).await;
        let played = play(&house, "buttons").await;
        let pressed = house
            .pressed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let has_home = house.hands.home("ana").await.is_some();
        let missing: Vec<&Made> = made
            .iter()
            .filter(|made| has_home || !made.at_home)
            .filter(|made| !pressed.iter().any(|button| made.is(button)))
            .collect();
        assert!(
            missing.is_empty(),
            "no line of buttons.txt presses these on {platform:?}: {missing:#?}"
        );
        house.close().await;
        let lines = in_order(played.lines);
        let first = first.get_or_insert_with(|| lines.clone());
        assert_alike(&format!("what buttons answer on {platform:?}"), first, &lines);
    }
}
