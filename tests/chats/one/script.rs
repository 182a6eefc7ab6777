//! A day as a script that reads as it is lived: who does what, a line each. Lines that begin with `#` say why.
//!
//! ```text
//! ana types take commander
//! ana presses What now?
//! ben fills Refuse: reason=not now | proposal=A1
//! ben @direct presses I am on it
//! ana is refused next
//! wait 15m
//! ```
//!
//! `{last}` is the number of the incident's last event.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use regex::Regex;

use super::alike::{asked, neutral, rooms_of, shown};
use orderly::incident::IncidentId;

use super::hands::{Errors, Seen};
use super::house::{House, INCIDENT};

/// What a script did, as people saw it.
#[derive(Default)]
pub struct Played {
    /// Each line with the answers that only one person saw.
    pub lines: Vec<String>,
    /// Paths of the commands that were typed and accepted, and of those that were refused as they should be.
    pub typed: BTreeSet<&'static str>,
}

/// Plays the script of this name to its end. Fails with every line that is not answered as it says.
pub async fn play(house: &House, name: &str) -> Played {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chats/one");
    let script = std::fs::read_to_string(folder.join(format!("{name}.txt"))).expect("a script");
    let mut played = Played::default();
    let mut failed = Vec::new();
    let moment = Regex::new(r"(\d{4}-\d{2}-\d{2} )?\d{2}:\d{2} UTC|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z")
        .expect("a pattern");
    for (number, line) in script.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let state = house.state_of(INCIDENT).await;
        let last = state.map_or(0, |state| state.seq);
        let said = line.replace("{last}", &last.to_string());
        let answers = match step(house, &said, &mut played).await {
            Ok(answers) => answers,
            Err(why) => {
                failed.push(format!("line {}: {said}: {why}", number + 1));
                continue;
            }
        };
        let rooms = match house.state_of(INCIDENT).await {
            Some(_) => rooms_of(house).await,
            None => Vec::new(),
        };
        played.lines.push(format!("> {line}"));
        // What can be typed, and how, is each platform's own.
        if path_of(line.split_once(" types ").map_or("", |(_, typed)| typed)) == Some("help") {
            continue;
        }
        let answers = answers.iter().map(|seen| shown(seen, &rooms));
        // How long a script takes is a platform's own: each paces what it is told.
        let timeless = |answer: String| moment.replace_all(&neutral(&answer, &rooms), "TIME").into_owned();
        played.lines.extend(answers.map(timeless));
    }
    let platform = house.hands.platform();
    let failed = failed.join("\n");
    assert!(
        failed.is_empty(),
        "{name}.txt went otherwise on {platform:?}:\n{failed}"
    );
    played
}

/// Takes one step; what only they were told who took it. The error says what came instead.
async fn step(house: &House, line: &str, played: &mut Played) -> Result<Vec<Seen>, String> {
    let (who, rest) = line.split_once(' ').ok_or("nobody does it")?;
    if who == "wait" {
        let wait =
            orderly_commands::parse(&format!("update snooze {rest}")).map_err(|error| error.message)?;
        let seconds = wait.duration_secs("for").ok_or("no time span")?;
        house.advance(Duration::from_secs(seconds));
        house.settled().await;
        return Ok(Vec::new());
    }
    let (place, rest) = match rest.strip_prefix('@') {
        Some(rest) => rest.split_once(' ').ok_or("nothing is done there")?,
        None => ("", rest),
    };
    let (deed, what) = ["types ", "is refused ", "presses ", "fills "]
        .into_iter()
        .find_map(|deed| Some((deed.trim(), rest.strip_prefix(deed)?)))
        .ok_or("there is no such deed")?;
    if place == "home" {
        return at_home(house, who, what).await;
    }
    let room = place_of(house, who, place)
        .await
        .ok_or("there is no such place")?;
    let before = house.app.engine.counters().refused.load(Ordering::Relaxed);
    let answers = match deed {
        "types" | "is refused" => {
            played.typed.extend(path_of(what));
            house.types_in(who, &room, what).await
        }
        "presses" => house.tries_in(who, &room, what).await?,
        _ => fills(house, who, (&room, what), played).await?,
    };
    let refused = house.app.engine.counters().refused.load(Ordering::Relaxed) - before;
    let words: Vec<&str> = answers.iter().map(|seen| seen.text.as_str()).collect();
    match (deed, refused) {
        ("is refused", 1) => Ok(answers),
        ("is refused", _) => Err(format!("it was taken: {}", words.join(" / "))),
        (_, 0) => Ok(answers),
        (_, _) => Err(words.join(" / ")),
    }
}

async fn fills(
    house: &House,
    who: &str,
    (room, what): (&str, &str),
    played: &mut Played,
) -> Result<Vec<Seen>, String> {
    let (label, values) = what.split_once(": ").unwrap_or((what, ""));
    let values: Vec<(&str, &str)> = values
        .split(" | ")
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let told = house.hands.told(who, room).await;
    house.tries_in(who, room, label).await?;
    let form = house.hands.form(who).await;
    played.lines.push(asked(&form));
    let unknown = values
        .iter()
        .find(|(name, _)| form.fields.iter().all(|field| field.name != *name));
    if let Some((name, _)) = unknown {
        return Err(format!("there is no field {name}: {form:?}"));
    }
    let errors = house.submits(who, &form, &values).await;
    match errors == Errors::new() {
        true => Ok(house.told_since(who, room, &told).await),
        false => Err(format!("{errors:?}")),
    }
}

/// A button of what they see who look at the bot itself. Where there is no such place, nothing is to be done.
async fn at_home(house: &House, who: &str, label: &str) -> Result<Vec<Seen>, String> {
    if let Some(home) = house.hands.home(who).await {
        let button = home.buttons.iter().find(|button| button.label == label);
        let button = button.ok_or_else(|| format!("there are {:?}", home.buttons))?;
        house.note_pressed(button);
        house.hands.presses(who, "", &home.id, label).await;
        house.settled().await;
    }
    Ok(Vec::new())
}

async fn place_of(house: &House, who: &str, place: &str) -> Option<String> {
    match place {
        "" => Some(house.place().await),
        "ops" => Some(house.hands.ops()),
        "lobby" => {
            let lobby = house.hands.lobby();
            house.hands.enters(who, &lobby).await;
            Some(lobby)
        }
        "direct" => house.hands.direct(who).await,
        "second" => house.room_of(IncidentId(2)).await,
        _ => None,
    }
}

fn path_of(line: &str) -> Option<&'static str> {
    match orderly_commands::parse(line) {
        Ok(parsed) => Some(parsed.path),
        Err(_) => orderly_commands::partial(line)
            .and_then(|(path, _)| orderly_commands::find(path).map(|spec| spec.path)),
    }
}
