//! The whole life of an incident, plain and while things go wrong. In the end every platform says the same.

use chrono::TimeDelta;
use orderly::clock::Clock as _;
use orderly::demo::guide;
use orderly::incident::{Life, Phase};

use super::alike::{assert_alike, in_order, neutral, rooms_of, shown, unhurried};
use super::hands::{Platform, Seen, Trouble};
use super::house::{House, INCIDENT};

/// From one step of the guide to the next. Longer than any platform's pace or limit holds a message back, so that each
/// step begins at the same time on all of them; shorter than the three minutes after which an approval is asked for again.
const STEP: TimeDelta = TimeDelta::minutes(2);

/// The end of a step, left for what its time has brought.
const REST: TimeDelta = TimeDelta::seconds(40);

/// What goes wrong before every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    Plain,
    With(Trouble),
    /// The program dies after every step and is started again.
    Restarts,
}

/// All that people could see of an incident, and what is left of it.
struct Story {
    /// What each step was answered with, to those who took it alone.
    answers: Vec<String>,
    room: Vec<String>,
    lobby: Vec<String>,
    direct: Vec<String>,
    document: Vec<String>,
}

/// Walks the incident along the guide up to the step with this id, a step every two minutes.
pub async fn lived_until(house: House, id: &str) -> House {
    let (house, _) = walked(house, id, Day::Plain).await;
    house
}

async fn walked(mut house: House, id: &str, day: Day) -> (House, Vec<String>) {
    let mut begun = house.clock.now();
    let mut answers = Vec::new();
    for step in guide::steps().iter().take_while(|step| step.id != id) {
        let state = house.state_of(INCIDENT).await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        if let Day::With(trouble) = day {
            // Time has just passed, and what was due then is being posted.
            house.app.engine.quiet().await;
            house
                .hands
                .begin(trouble)
                .await
                .expect("a trouble of this platform");
        }
        let told = house.types(step.who, &step.line(state.as_ref())).await;
        answers.extend(
            told.iter()
                .map(|seen| format!("{}: {}", step.id, shown(seen, &[]))),
        );
        if day == Day::Restarts {
            house = house.restarted().await;
            house.settled().await;
        }
        begun += STEP;
        // What is due by now happens before the next step, however long the platform takes for it.
        house.advance_to(begun - REST);
        house.settled().await;
        assert!(house.clock.now() <= begun, "{} took longer than a step", step.id);
        house.advance_to(begun);
    }
    (house, answers)
}

async fn told(platform: Platform, day: Day) -> Story {
    let (house, answers) = walked(House::on(platform).await, "", day).await;
    house.hands.end_trouble();
    house.settled().await;
    let state = house.state().await;
    assert_eq!((state.phase, &state.life), (Phase::Learn, &Life::Resolved));
    let rooms = rooms_of(&house).await;
    let lines = |seen: Vec<Seen>| in_order(seen.iter().map(|seen| shown(seen, &rooms)));
    let lobby = house.hands.room("ana", &house.hands.lobby()).await;
    let story = Story {
        answers: in_order(answers.iter().map(|answer| neutral(answer, &rooms))),
        room: lines(house.room("ana").await),
        lobby: lines(lobby.unwrap_or_default()),
        direct: lines(directly(&house, "ana").await),
        document: document(&house, &rooms).await,
    };
    let exported = house
        .room("ana")
        .await
        .into_iter()
        .rfind(|seen| !seen.files.is_empty());
    let exported = exported.expect("the exported post-mortem");
    let place = house.place().await;
    let bytes = house
        .hands
        .file("ana", &place, &exported.id, &exported.files[0])
        .await;
    let document = String::from_utf8(bytes).expect("text");
    assert!(
        document.starts_with("<!doctype html>"),
        "{}",
        &document[..80.min(document.len())]
    );
    house.close().await;
    story
}

/// The post-mortem, without the figure: seconds by which a platform holds something up move its columns.
async fn document(house: &House, rooms: &[String]) -> Vec<String> {
    let text = house.document("markdown").await;
    let parts = text.split("```").filter(|part| !part.contains("moments   |"));
    in_order(parts.flat_map(str::lines).map(|line| neutral(line, rooms)))
}

/// What the bot wrote to somebody alone.
pub async fn directly(house: &House, who: &str) -> Vec<Seen> {
    match house.hands.direct(who).await {
        Some(room) => house.hands.room(who, &room).await.unwrap_or_default(),
        None => Vec::new(),
    }
}

/// The same day on every platform, held against a plain one.
async fn the_same_everywhere(day: Day) {
    let plain = told(Platform::Local, Day::Plain).await;
    for platform in Platform::ALL {
        if day == Day::Plain && platform == Platform::Local {
            continue;
        }
        if platform == Platform::Local && day == Day::With(Trouble::Reversed) {
            continue;
        }
        let story = told(platform, day).await;
        let alike = |part: &str, one: &[String], other: &[String]| {
            let what = format!("{part} on {platform:?}, {day:?}");
            match day {
                Day::Plain => assert_alike(&what, one, other),
                Day::With(_) | Day::Restarts => assert_alike(&what, &unhurried(one), &unhurried(other)),
            }
        };
        alike("the room", &plain.room, &story.room);
        alike("the lobby", &plain.lobby, &story.lobby);
        alike("what ana was told directly", &plain.direct, &story.direct);
        alike("the post-mortem", &plain.document, &story.document);
        alike("what people were answered", &plain.answers, &story.answers);
    }
}

#[tokio::test]
async fn an_incident_reads_the_same_on_every_platform() {
    the_same_everywhere(Day::Plain).await;
}

#[tokio::test]
async fn it_reads_the_same_where_every_call_is_told_to_wait_once() {
    the_same_everywhere(Day::With(Trouble::Limits)).await;
}

#[tokio::test]
async fn it_reads_the_same_where_answers_to_calls_are_lost() {
    the_same_everywhere(Day::With(Trouble::LostAnswers)).await;
}

#[tokio::test]
async fn it_reads_the_same_where_everything_arrives_twice() {
    the_same_everywhere(Day::With(Trouble::Twice)).await;
}

#[tokio::test]
async fn it_reads_the_same_where_the_last_arrives_first() {
    the_same_everywhere(Day::With(Trouble::Reversed)).await;
}

#[tokio::test]
async fn it_reads_the_same_where_connections_break() {
    the_same_everywhere(Day::With(Trouble::Dropped)).await;
}

#[tokio::test]
async fn it_reads_the_same_where_the_program_dies_after_every_step() {
    the_same_everywhere(Day::Restarts).await;
}
