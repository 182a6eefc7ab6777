//! An incident from its first word to its post-mortem, in Slack alone.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use orderly::demo::guide;
use orderly::incident::{Phase, Stage};
use orderly_testbed::slack::SlackServer;

use super::kit::{House, Transport};
use crate::agree::{Post, room_and_journal_agree};

/// Walks the demo's incident along its guide, in Slack, up to the step with this id.
pub async fn lived_until(house: &House, id: &str) {
    for step in guide::steps().iter().take_while(|step| step.id != id) {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        let line = step.line(state.as_ref());
        house.types(step.who, &line).await;
    }
}

/// The whole of it.
pub async fn lived_through(house: &House) {
    lived_until(house, "").await;
    let state = house.settled().await.expect("an incident");
    assert_eq!(state.phase, Phase::Learn);
    let worked = |stage: &Stage| matches!(stage, Stage::Verified { worked: true, .. });
    assert_eq!(
        state
            .proposals
            .values()
            .filter(|proposal| worked(&proposal.stage))
            .count(),
        4,
        "the pause, the rollback, the undo and the repair"
    );
}

/// What the room must hold at the end, whatever went wrong on the way.
pub async fn holds_it_all(house: &House) {
    let room = house.room().await;
    let state = house.state().await.expect("an incident");
    house.slack.read(|slack| {
        let channel = slack.channel(&room);
        assert!(channel.name.starts_with("inc-1-"), "{}", channel.name);
        assert!(channel.topic.value.contains("INC-1"), "{}", channel.topic.value);
        assert!(channel.members.contains("U0ANA"));
        assert_eq!(channel.pins.len(), 1, "the card");
        assert_eq!(
            channel
                .messages
                .values()
                .filter(|message| !message.files.is_empty())
                .count(),
            1
        );
    });
    let texts = house.slack.texts(&room);
    let cards = texts
        .iter()
        .filter(|text| text.contains("Commander: ana"))
        .count();
    assert!(cards >= 1, "{texts:#?}");
    for proposal in state.proposals.values() {
        let title = &proposal.terms.title;
        let id = proposal.id.to_string();
        let shown = texts
            .iter()
            .filter(|text| text.contains(&id) && text.contains(title.as_str()));
        assert!(shown.count() >= 1, "{id} {title} is not in the room: {texts:#?}");
    }
    nothing_stands_twice(house);
    let posts: Vec<Post> = house.slack.read(|slack| {
        let ours = slack.spoken(&room).filter_map(|message| {
            let metadata = message.metadata.as_ref()?;
            Some(Post {
                id: message.ts.clone(),
                key: metadata["event_payload"]["key"].as_str()?.to_owned(),
                text: slack.plain(message),
            })
        });
        ours.collect()
    });
    room_and_journal_agree(&house.app, &state, &posts, str::to_owned).await;
}

/// The post-mortem is linked at the top of the room, once.
pub async fn links_the_postmortem(house: &House) {
    let room = house.room().await;
    house.slack.read(|slack| {
        let channel = slack.channel(&room);
        let files = channel.messages.values().flat_map(|message| &message.files);
        for file in files.filter_map(|file| slack.file(file)) {
            let links = channel.bookmarks.iter().filter(|link| link.title == file.name);
            assert_eq!(links.count(), 1, "{} at the top of the room", file.name);
        }
    });
}

/// Every post has a key of its own, in every channel.
pub fn nothing_stands_twice(house: &House) {
    let keys: Vec<String> = house.slack.read(|slack| {
        let messages = slack.channels().flat_map(|channel| channel.messages.values());
        messages
            .filter_map(|message| message.metadata.as_ref())
            .map(|metadata| metadata["event_payload"]["key"].to_string())
            .collect()
    });
    let mut once = keys.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), keys.len(), "{keys:#?}");
}

/// An edit a second of any message, and no more: what comes meanwhile goes out with the next one.
fn edits_nothing_twice_a_second(house: &House) {
    let mut last = HashMap::new();
    for call in house.slack.calls_of("chat.update") {
        let message = (call.args["channel"].clone(), call.args["ts"].clone());
        if let Some(before) = last.insert(message.clone(), call.at) {
            assert!(
                call.at >= before + Duration::from_secs(1),
                "{message:?} at {before:?}"
            );
        }
    }
    assert!(!last.is_empty(), "the card is edited");
}

/// The answers of a round of probes stand in one message.
async fn rounds_are_one_message_each(house: &House) {
    let room = house.room().await;
    let state = house.state().await.expect("an incident");
    let rounds: BTreeSet<_> = state.runs.values().map(|run| run.asked.round).collect();
    let posts = house.slack.read(|slack| {
        let keys = slack.spoken(&room).filter_map(|message| {
            let key = message.metadata.as_ref()?["event_payload"]["key"].as_str()?;
            key.contains("/round:").then(|| key.to_owned())
        });
        keys.collect::<Vec<_>>()
    });
    assert!(rounds.len() < state.runs.len(), "some round asks more than one");
    assert!(
        (2..=rounds.len()).contains(&posts.len()),
        "{rounds:?}: {posts:#?}"
    );
}

async fn whole_story(transport: Transport) {
    assert!(SlackServer::contracts_checked() || std::env::var_os("ORDERLY_CONTRACTS").is_none());
    let house = House::open(transport).await;
    lived_through(&house).await;
    holds_it_all(&house).await;
    links_the_postmortem(&house).await;
    edits_nothing_twice_a_second(&house);
    rounds_are_one_message_each(&house).await;
    house.close().await;
}

#[tokio::test]
async fn an_incident_is_lived_through_over_socket_mode() {
    whole_story(Transport::Socket).await;
}

#[tokio::test]
async fn an_incident_is_lived_through_over_signed_http() {
    whole_story(Transport::Http).await;
}
