//! Many incidents at once, against Slack's own tiers, on a clock that is driven.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use orderly_testbed::slack::Answer;

use crate::slack::kit::House;

/// Slack makes so many channels in a minute.
const CREATED_A_MINUTE: usize = 20;

/// Seconds within which all of them are typed.
const TYPED_WITHIN: usize = 10;

/// When the last room is whole, as a share of when its channel could have been made at best.
const LATE_AT_MOST: f64 = 1.1;

/// Seconds after which nobody is asked outside of their room any more.
const EDITED_WITHIN: usize = 300;

const SECOND: Duration = Duration::from_secs(1);

/// How it went, in the workspace's own time.
#[derive(Debug)]
pub struct Burst {
    /// From the first command until the last room was whole.
    pub took: Duration,
    /// When the last channel could have been made at best.
    pub best: Duration,
    /// Names of the channels, in the order in which they were made.
    pub made: Vec<String>,
    /// Calls that Slack itself turned down.
    pub limited: usize,
    pub calls: usize,
}

/// Opens so many incidents within ten seconds, of which the last ones stop the business, and waits until every room is
/// whole: prompt, pinned card, topic, purpose, people and announcement.
pub async fn burst(house: &House, count: usize, business_down: usize) -> Burst {
    let ana = house.person("ana");
    let begun = house.slack.now();
    for second in 0..TYPED_WITHIN {
        for at in (count * second / TYPED_WITHIN)..(count * (second + 1) / TYPED_WITHIN) {
            let severity = if at + business_down >= count {
                "SEV1"
            } else {
                "SEV3"
            };
            let line = format!("/incident open Dock {at} severity={severity}");
            ana.types(&line, &house.ops).await;
        }
        happens(house).await;
        house.advance(SECOND);
    }
    let best = SECOND * 60 * (count.div_ceil(CREATED_A_MINUTE) as u32 - 1);
    happens(house).await;
    while whole(house).len() < count {
        let waited = house.slack.now() - begun;
        assert!(
            waited.num_seconds() < 2 * best.as_secs() as i64 + 120,
            "only {} of {count} rooms are whole after {} s",
            whole(house).len(),
            waited.num_seconds()
        );
        house.advance(SECOND);
        happens(house).await;
    }
    let took = (house.slack.now() - begun).to_std().expect("time passes");
    // Edits have a limit of their own, and no room waits for them.
    for _ in 0..EDITED_WITHIN {
        if house
            .slack
            .texts(&house.ops)
            .iter()
            .all(|text| !text.starts_with("1 of 6"))
        {
            break;
        }
        house.advance(SECOND);
        happens(house).await;
    }
    house.slack.read(|slack| {
        let calls = slack.calls();
        let created = calls
            .iter()
            .filter(|call| call.method == "conversations.create" && call.answer == Answer::Done);
        Burst {
            took,
            best,
            made: created
                .map(|call| call.args["name"].as_str().unwrap_or_default().to_owned())
                .collect(),
            limited: calls.iter().filter(|call| call.answer == Answer::Limited).count(),
            calls: calls.len(),
        }
    })
}

/// Everything that can happen now has happened.
async fn happens(house: &House) {
    house.slack.all_delivered().await;
    house.app.engine.quiet().await;
}

/// The rooms that have everything.
fn whole(house: &House) -> BTreeSet<String> {
    house.slack.read(|slack| {
        let mut keys: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for channel in slack.channels() {
            for message in channel.messages.values() {
                if let Some(key) = message
                    .metadata
                    .as_ref()
                    .and_then(|it| it["event_payload"]["key"].as_str())
                {
                    let (incident, what) = key.split_once('/').unwrap_or((key, ""));
                    let what: String = what.chars().take_while(char::is_ascii_lowercase).collect();
                    keys.entry(incident).or_default().insert(what);
                }
            }
        }
        let rooms = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-"));
        let whole = rooms.filter(|channel| {
            let incident = channel
                .name
                .split('-')
                .take(2)
                .collect::<Vec<_>>()
                .join("-")
                .to_uppercase();
            let told = |what: &str| {
                keys.get(incident.as_str())
                    .is_some_and(|keys| keys.contains(what))
            };
            ["prompt", "card", "announcement"].into_iter().all(told)
                && channel.pins.len() == 1
                && !channel.topic.value.is_empty()
                && !channel.purpose.value.is_empty()
                && channel.members.contains("U0BEN")
        });
        whole.map(|channel| channel.name.clone()).collect()
    })
}

/// What must be true of every burst.
pub fn holds(house: &House, burst: &Burst, count: usize, business_down: usize) {
    let rooms: Vec<String> = house.slack.read(|slack| {
        let rooms = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-"));
        rooms.map(|channel| channel.name.clone()).collect()
    });
    assert_eq!(rooms.len(), count, "none is missing and none doubled: {rooms:?}");
    crate::slack::story::nothing_stands_twice(house);
    // All of a minute are asked for in one moment, and get there as the network has it.
    let next: Vec<&String> = burst
        .made
        .iter()
        .skip(CREATED_A_MINUTE)
        .take(CREATED_A_MINUTE)
        .collect();
    for at in count - business_down..count {
        let end = format!("-{at}");
        assert!(
            next.iter().any(|name| name.ends_with(&end)),
            "others came before the SEV1 Dock {at}: {next:?}"
        );
    }
    assert!(
        burst.limited * 100 <= burst.calls,
        "Slack turned down {} of {} calls: its limits are met as a plan",
        burst.limited,
        burst.calls
    );
    assert!(
        burst.took.as_secs_f64() <= burst.best.as_secs_f64() * LATE_AT_MOST,
        "the last room was whole after {:?}, at best after {:?}",
        burst.took,
        burst.best
    );
    // Who waits for a room is asked the first question where they opened the incident, and not twice.
    let ops = house.slack.texts(&house.ops);
    let asked = |asks: &str| ops.iter().filter(|text| text.starts_with(asks)).count();
    assert_eq!(
        (asked("1 of 6"), asked("INC-")),
        (0, count - CREATED_A_MINUTE),
        "{ops:#?}"
    );
}

/// On two threads, as in production: what is begun together must not race for Slack's slots. Long enough that the first
/// incidents are reminded of what nobody did while the last ones still wait for their rooms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_and_forty_incidents_within_ten_seconds_all_get_their_rooms_the_worst_first() {
    use crate::slack::kit::Transport;
    let house = House::open(Transport::Http).await;
    let burst = burst(&house, 140, 10).await;
    holds(&house, &burst, 140, 10);
    house.close().await;
}
