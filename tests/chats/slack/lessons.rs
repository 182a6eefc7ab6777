//! What broke in other bots, and must not break here. The lessons that other modules hold are named in their tests.

use std::io::Write;
use std::sync::{Arc, Mutex};

use orderly_testbed::slack::{ChannelKind, Fault};
use tracing_subscriber::fmt::MakeWriter;

use super::kit::{House, Transport};
use super::story::{lived_through, nothing_stands_twice};

const OPEN: &str = "open Labels do not print severity=SEV2";

#[tokio::test]
async fn opening_an_incident_lists_no_channels() {
    let house = House::open(Transport::Http).await;
    house.types("ana", OPEN).await;
    house.room().await;
    for method in ["conversations.list", "users.conversations"] {
        assert!(house.slack.calls_of(method).is_empty(), "{method}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_room_half_made_is_found_behind_hundreds_of_ours_and_thousands_of_others() {
    let house = House::open(Transport::Http).await;
    for other in 0..450 {
        house
            .slack
            .channel(&format!("inc-1-labels-do-not-print-{other}"), &[]);
    }
    let dan = house.person("dan");
    for other in 0..5_000 {
        dan.creates(&format!("team-{other}"), ChannelKind::Public);
    }
    house.slack.fault("conversations.create", 1, Fault::DropAfter);
    house.types("ana", OPEN).await;
    house.settled().await;
    assert_eq!(
        house.slack.calls_of("users.conversations").len(),
        3,
        "as many pages as ours fill"
    );
    let room = house.room().await;
    let name = house.slack.read(|slack| slack.channel(&room).name.clone());
    assert_eq!(name, "inc-1-labels-do-not-print");
    house.close().await;
}

#[tokio::test]
async fn a_name_that_somebody_else_has_gets_a_number_and_their_channel_is_left_alone() {
    let house = House::open(Transport::Socket).await;
    let dan = house.person("dan");
    let taken = dan.creates("inc-1-labels-do-not-print", ChannelKind::Public);
    house.types("ana", OPEN).await;
    let room = house.room().await;
    assert_ne!(room, taken);
    let name = house.slack.read(|slack| slack.channel(&room).name.clone());
    assert_eq!(name, "inc-1-labels-do-not-print-2");
    assert!(house.slack.texts(&taken).is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_channel_of_ours_in_which_people_went_on_talking_is_no_room_half_made() {
    let house = House::open(Transport::Http).await;
    let dan = house.person("dan");
    let used = house.slack.channel("inc-1-labels-do-not-print", &[]);
    dan.joins(&used);
    // More than one page, and nothing of ours on the newest.
    for said in 0..201 {
        dan.says(&used, &format!("line {said} of an old incident"));
    }
    house.types("ana", OPEN).await;
    let room = house.room().await;
    let name = house.slack.read(|slack| slack.channel(&room).name.clone());
    assert_eq!(name, "inc-1-labels-do-not-print-2");
    house.close().await;
}

#[tokio::test]
async fn two_who_open_in_the_same_instant_get_two_numbers_and_two_rooms() {
    let house = House::open(Transport::Socket).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let first = ana.types("/incident open Labels do not print severity=SEV2", &house.ops);
    let second = ben.types("/incident open Orders hang severity=SEV2", &house.ops);
    first.await;
    second.await;
    house.settled().await;
    let mut rooms = house.slack.read(|slack| {
        let rooms = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-"));
        rooms
            .map(|channel| channel.name[..5].to_owned())
            .collect::<Vec<_>>()
    });
    rooms.sort();
    assert_eq!(rooms, ["inc-1", "inc-2"]);
    nothing_stands_twice(&house);
    house.close().await;
}

#[tokio::test]
async fn what_is_only_nice_to_have_stops_nothing() {
    let house = House::open(Transport::Socket).await;
    for method in [
        "conversations.setTopic",
        "conversations.setPurpose",
        "bookmarks.add",
    ] {
        house.slack.fault(method, 5, Fault::Error("restricted_action"));
    }
    house
        .slack
        .fault("conversations.invite", 1, Fault::Error("user_not_found"));
    let state = house.types("ana", OPEN).await.expect("an incident");
    assert_eq!(state.room_failed, None);
    let room = house.room().await;
    assert!(
        house.slack.texts(&room).iter().any(|text| text.contains("INC-1")),
        "{:#?}",
        house.slack.texts(&room)
    );
    house.close().await;
}

/// Everything that is logged, where a test can read it.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_holds_what_people_wrote_or_a_token() {
    let logged = Logged::default();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(logged.clone())
        .finish();
    // The test's own thread is the only one the program runs on.
    let _guard = tracing::subscriber::set_default(log);
    let house = House::open(Transport::Http).await;
    house.slack.fault("chat.postMessage", 2, Fault::DropAfter);
    house.slack.fault("chat.update", 1, Fault::Error("msg_too_long"));
    lived_through(&house).await;
    let room = house.room().await;
    let ben = house.person("ben");
    ben.joins(&room);
    let said = ben.says(&room, "the unmistakable sentence");
    house.types("ana", "note another unmistakable sentence").await;
    ben.edits(&room, &said, "the unmistakable sentence, edited");
    house.settled().await;
    let tokens = [house.slack.bot_token(), house.slack.signing_secret()];
    house.close().await;
    let log = String::from_utf8_lossy(&logged.0.lock().expect("a log")).into_owned();
    assert!(log.contains("to be tried again"), "the log was listened to");
    let ours = log.lines().filter(|line| line.contains("orderly::"));
    for line in ours {
        assert!(!line.contains("unmistakable"), "{line}");
        assert!(
            !tokens.iter().any(|token| line.contains(token.as_str())),
            "{line}"
        );
    }
}
