//! The whole life of an incident in two rooms, while first one platform and then the other goes away.

use orderly::demo::guide;
use orderly::incident::{Life, Phase, Stage};

use super::kit::House;
use crate::one::alike::{assert_alike, in_order, neutral};
use crate::one::hands::Platform::{self, Discord, Slack};
use crate::one::hands::{BOT, words};

/// Steps of the guide: Discord is away for those from the first on until the second, then Slack.
const DISCORD_AWAY: (&str, &str) = ("damage", "count-again");
const SLACK_AWAY: (&str, &str) = ("rollback", "repair");

/// What one room alone is told: how the other's platform fares, and what happened before there were two rooms.
const OWN: [&str; 4] = [
    "out of reach",
    "is back; ",
    "Confirm begins",
    "A room is being made",
];

/// What the bot told a room, one line each, without what is that room's own.
async fn told(house: &House, platform: Platform) -> Vec<String> {
    let mut rooms = Vec::new();
    for platform in [Slack, Discord] {
        rooms.extend(house.room(platform).await);
    }
    let room = house.room(platform).await.expect("a room");
    let seen = house
        .on(platform)
        .room("ana", &room)
        .await
        .expect("a room to see");
    let own = |text: &str| OWN.iter().any(|part| text.contains(part));
    let shown = seen
        .iter()
        .filter(|seen| seen.by == BOT && !own(&seen.text))
        .map(|seen| neutral(&words(&seen.text), &rooms));
    in_order(shown)
}

fn counted(texts: &[String], part: &str) -> usize {
    texts.iter().filter(|text| text.contains(part)).count()
}

#[tokio::test]
async fn an_incident_goes_on_while_one_platform_and_then_the_other_is_away() {
    let house = House::open().await;
    let (mut step_number, mut away) = (0, None);
    for step in guide::steps() {
        let state = house.app.engine.state(crate::one::house::INCIDENT).await;
        let state = state.expect("a journal that can be read");
        let state = state.as_deref();
        if state.is_some() && step.is_done(state) {
            continue;
        }
        for ((from, until), platform) in [(DISCORD_AWAY, Discord), (SLACK_AWAY, Slack)] {
            if step.id == until && away == Some(platform) {
                house.comes_back(platform).await;
                away = None;
            }
            if step.id == from {
                house.goes_away(platform);
                away = Some(platform);
            }
        }
        // People work where they are, one after the other on either platform, as long as it is there.
        let platform = match away {
            Some(Slack) => Discord,
            Some(_) => Slack,
            None if step_number % 2 == 0 => Slack,
            None => Discord,
        };
        step_number += 1;
        house.types(platform, step.who, &step.line(state)).await;
        if step_number == 1 {
            house.types(Slack, "ana", "room discord").await;
        }
    }
    let state = house.state().await;
    assert_eq!((state.phase, &state.life), (Phase::Learn, &Life::Resolved));
    let worked = |stage: &Stage| matches!(stage, Stage::Verified { worked: true, .. });
    let proposals = state.proposals.values();
    assert_eq!(proposals.filter(|proposal| worked(&proposal.stage)).count(), 4);
    let (slack, discord) = (house.texts(Slack).await, house.texts(Discord).await);
    assert_eq!(counted(&slack, "discord is out of reach"), 1, "{slack:#?}");
    assert_eq!(counted(&slack, "discord is back; "), 1, "{slack:#?}");
    assert_eq!(counted(&discord, "slack is out of reach"), 1, "{discord:#?}");
    assert_eq!(counted(&discord, "slack is back; "), 1, "{discord:#?}");
    assert_alike(
        "what both rooms were told",
        &told(&house, Slack).await,
        &told(&house, Discord).await,
    );
    house.close().await;
}
