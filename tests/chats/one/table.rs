//! `docs/platforms.md`: what each platform has, and what is done where it has nothing. A line stands there because
//! people did it here; `BLESS=1` writes the page anew.

use std::path::Path;
use std::time::Duration;

use orderly::clock::Clock as _;
use orderly::incident::IncidentId;
use strum::IntoEnumIterator as _;

use super::hands::{Asks, Errors, Mark, Need, Platform, Trouble, Way};
use super::house::{House, INCIDENT};
use super::life::directly;

const OPEN: &str = "open Labels do not print severity=SEV2 target=shop runbook=demo-shop";

const HEAD: &str = "# What each platform can do

Orderly behaves alike wherever people talk to it: the same commands, prompts, approvals and words, and the same record
in the end. Where a platform has nothing of its own for something, the next best is done; those lines begin with
*instead*.

This page is made by the tests. Each line was done by people on every platform, over its real wire
(`tests/chats/one`), and so were the whole life of an incident, every command, every button, and every fault.

";

fn title(need: Need) -> &'static str {
    match need {
        Need::Command => "Commands",
        Need::BareCommand => "The command alone",
        Need::Completion => "Help while typing",
        Need::Missing => "A command that lacks something",
        Need::ThreadCommand => "Commands in a thread",
        Need::Form => "Forms",
        Need::FieldError => "What is wrong in a form",
        Need::Picker => "Days, moments and people in forms",
        Need::Button => "Buttons",
        Need::Alone => "Answers that only you see",
        Need::Room => "A room for each incident",
        Need::Private => "Private incidents",
        Need::Lobby => "Announcements",
        Need::Direct => "Pages and invitations",
        Need::Home => "What waits for you",
        Need::Reaction => "Marks by reaction",
        Need::Menu => "Marks by menu",
        Need::Thread => "Threads",
        Need::Edit => "Edits and deletions",
        Need::Evidence => "Files as evidence",
        Need::Export => "The post-mortem",
        Need::Guest => "Guests",
        Need::Redelivery => "Everything arrives twice",
        Need::Order => "The last arrives first",
        Need::Limit => "Calls are limited",
        Need::Gap => "The connection breaks",
        Need::Restart => "Orderly is started again",
    }
}

/// Whether this platform has something of its own for it.
fn has(house: &House, need: Need) -> bool {
    matches!(house.hands.way(need), Way::Own(_))
}

/// Whether something that was said in the room stands there so many times.
async fn stands(house: &House, text: &str) -> usize {
    let room = house.room("ana").await;
    room.iter().filter(|seen| seen.text.contains(text)).count()
}

/// Opening, answering and asking.
async fn commands(house: &House) {
    let ops = house.hands.ops();
    house.hands.types("ana", &ops, "").await;
    let form = house.hands.form("ana").await;
    assert_eq!(form.title, "Open an incident");
    house.hands.closes("ana", &form).await;
    let told = house.types_in("ana", &ops, OPEN).await;
    assert!(told[0].text.contains("INC-1 is open"), "{told:#?}");
    let room = house.room("ana").await;
    assert!(
        room.iter()
            .any(|seen| seen.pinned && seen.text.contains("Labels do not print"))
    );
    let rooms = house.hands.rooms("ben").await;
    assert!(
        rooms.iter().any(|room| room.contains("commander: nobody yet")),
        "the topic: {rooms:#?}"
    );
    let lobby = house
        .hands
        .room("ana", &house.hands.lobby())
        .await
        .unwrap_or_default();
    assert!(
        lobby
            .iter()
            .any(|seen| seen.text.contains("Labels do not print") && seen.text.contains("Room: ")),
        "{lobby:#?}"
    );
    let told = house.presses("ana", "What now?").await;
    assert!(told[0].text.contains("What is open now"), "{told:#?}");
    let place = house.place().await;
    assert_eq!(house.hands.told("ben", &place).await, [], "only ana asked");

    let offered = house.hands.completions("ana", &place, "role take com").await;
    assert_eq!(offered.is_some(), has(house, Need::Completion));
    match offered {
        Some(offered) => assert!(
            offered.iter().any(|line| line.contains("commander")),
            "{offered:?}"
        ),
        None => {
            house.hands.types("ana", &place, "role take").await;
            let form = house.hands.form("ana").await;
            let Asks::One(roles) = &form.fields[0].asks else {
                panic!("a list to choose from: {form:?}");
            };
            assert!(roles.contains(&"commander".to_owned()));
            house.hands.closes("ana", &form).await;
        }
    }
}

/// Fields, and what is said at them.
async fn forms(house: &House) {
    let place = house.place().await;
    house.hands.types("ana", &place, "frame").await;
    let form = house.hands.form("ana").await;
    let asks = |name: &str| {
        let field = form.fields.iter().find(|field| field.name == name);
        field.map(|field| field.asks.clone())
    };
    assert_eq!(asks("since") == Some(Asks::Moment), has(house, Need::Picker));
    let tomorrow = (house.clock.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let wrong = [
        ("what", "function"),
        ("detail", "labels"),
        ("since", tomorrow.as_str()),
    ];
    let errors = house.submits("ana", &form, &wrong).await;
    assert!(errors.contains_key("since"), "{errors:?}");
    house.hands.closes("ana", &form).await;
    if let Some(why) = house.hands.refuses("ana", "followup add") {
        assert!(why.contains("needs"), "{why}");
        return;
    }
    house.hands.types("ana", &place, "followup add").await;
    let form = house.hands.form("ana").await;
    let asked: Vec<Asks> = form.fields.iter().map(|field| field.asks.clone()).collect();
    let native = asked.contains(&Asks::Person) && asked.contains(&Asks::Day);
    assert_eq!(native, has(house, Need::Picker), "{asked:?}");
    let errors = house
        .submits("ana", &form, &[("text", "mend it"), ("owner", "ben")])
        .await;
    assert_eq!(errors, Errors::new());
}

/// What is said, marked and kept.
async fn talk(house: &House) {
    let (place, hands) = (house.place().await, &house.hands);
    let said = hands.says("ben", &place, None, "I restarted the printer").await;
    let reply = hands
        .says("ben", &place, Some(&said), "it was the wrong one")
        .await;
    house.settled().await;
    hands
        .types_in_thread("ana", &place, &said, "note written in a thread")
        .await;
    hands.reacts("ana", &place, &said, Mark::Timeline).await;
    hands.picks("ana", &place, &reply, Mark::Task).await;
    house.settled().await;
    assert_eq!(
        stands(house, "written in a thread").await,
        if has(house, Need::ThreadCommand) { 1 } else { 2 }
    );
    let state = house.state().await;
    assert!(
        state
            .tasks
            .values()
            .any(|task| task.text == "it was the wrong one")
    );
    hands
        .edits("ben", &place, &said, "I restarted the label printer")
        .await;
    let file = hands.uploads("ben", &place, "printer.log", b"out of paper").await;
    house.settled().await;
    hands.reacts("ana", &place, &file, Mark::Timeline).await;
    house.settled().await;
    let state = house.state().await;
    let mark = state
        .marks
        .values()
        .find(|mark| mark.marked.text.contains("label printer"));
    assert!(
        mark.is_some_and(|mark| mark.removed.is_none()),
        "{:?}",
        state.marks
    );
    assert!(
        state.marks.values().any(|mark| !mark.files.is_empty()),
        "{:?}",
        state.marks
    );
    hands.deletes("ben", &place, &said).await;
    house.settled().await;
    let state = house.state().await;
    let mark = state
        .marks
        .values()
        .find(|mark| mark.marked.text.contains("label printer"));
    assert!(
        mark.is_some_and(|mark| mark.removed.is_some()),
        "{:?}",
        state.marks
    );
    house.types("ana", "export html").await;
    let exported = house
        .room("ana")
        .await
        .into_iter()
        .rfind(|seen| !seen.files.is_empty());
    let exported = exported.expect("a file");
    let bytes = hands.file("ana", &place, &exported.id, &exported.files[0]).await;
    assert!(bytes.starts_with(b"<!doctype html>"));
}

/// Who is told, and who is not.
async fn people(house: &House) {
    house.types("ana", "page send ben we need you").await;
    let direct = directly(house, "ben").await;
    assert!(
        direct.iter().any(|seen| seen.text.contains("we need you")),
        "{direct:#?}"
    );
    let home = house.hands.home("ana").await;
    assert_eq!(home.is_some(), has(house, Need::Home));
    assert!(home.is_none_or(|home| home.text.contains("INC-1")));
    let ops = house.hands.ops();
    house
        .types_in("ana", &ops, "open Payroll is wrong private=yes")
        .await;
    let room = house.room_of(IncidentId(2)).await.expect("a room");
    assert!(house.hands.room("ana", &room).await.is_some());
    assert_eq!(house.hands.room("dan", &room).await, None);
    let guest = house.hands.becomes_guest("dan");
    assert_eq!(guest, has(house, Need::Guest));
    if guest {
        house.settled().await;
        let place = house.place().await;
        house.hands.enters("dan", &place).await;
        let told = house.types("dan", "note I am a guest").await;
        assert!(told[0].text.contains("may read here, not command"), "{told:#?}");
    }
}

/// What goes wrong, and stands once all the same.
async fn troubles(house: House) -> House {
    for (trouble, text) in [
        (Trouble::Twice, "said while all came twice"),
        (Trouble::Reversed, "said while the last came first"),
        (Trouble::Limits, "said while calls were limited"),
        (Trouble::Dropped, "said while the line was down"),
    ] {
        // A platform that cannot have this trouble is as good as one that bears it.
        if house.hands.begin(trouble).await.is_err() {
            continue;
        }
        let place = house.place().await;
        let message = house.hands.says("ben", &place, None, text).await;
        house.hands.reacts("ana", &place, &message, Mark::Timeline).await;
        house.types("ana", &format!("note noted, {text}")).await;
        house.hands.end_trouble();
        house.advance(Duration::from_secs(60));
        house.settled().await;
        assert_eq!(stands(&house, &format!("noted, {text}")).await, 1);
        let state = house.state().await;
        let marks = state.marks.values().filter(|mark| mark.marked.text == text);
        assert_eq!(marks.count(), 1, "{trouble:?}: {:?}", state.marks);
    }
    let house = house.restarted().await;
    let told = house.presses("ana", "What now?").await;
    assert!(told[0].text.contains("What is open now"), "{told:#?}");
    house
}

fn cell(way: Way) -> String {
    match way {
        Way::Own(words) => words.to_owned(),
        Way::Instead(words) => format!("*instead:* {words}"),
    }
}

#[tokio::test]
async fn the_page_about_platforms_is_what_people_found() {
    let mut columns = Vec::new();
    for platform in Platform::ALL {
        let house = House::on(platform).await;
        commands(&house).await;
        forms(&house).await;
        talk(&house).await;
        people(&house).await;
        let house = troubles(house).await;
        assert!(house.state_of(INCIDENT).await.is_some());
        columns.push(
            Need::iter()
                .map(|need| cell(house.hands.way(need)))
                .collect::<Vec<_>>(),
        );
        house.close().await;
    }
    let names: Vec<&str> = Platform::ALL.iter().map(|platform| platform.name()).collect();
    let mut page = format!(
        "{HEAD}| | {} |\n|---{}|\n",
        names.join(" | "),
        "|---".repeat(names.len())
    );
    for (at, need) in Need::iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[at].as_str()).collect();
        page.push_str(&format!("| **{}** | {} |\n", title(need), cells.join(" | ")));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/platforms.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &page).expect("a page written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/platforms.md is not what was found; BLESS=1 writes it anew"
    );
}
