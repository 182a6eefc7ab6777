//! The process dies inside every call it makes, before it reached Slack or after Slack did it, and is started again.

use orderly::demo::guide;
use orderly::incident::State;
use orderly_testbed::slack::Fault;

use super::kit::{House, Transport};
use super::story::{holds_it_all, links_the_postmortem, nothing_stands_twice};
use crate::deaths::{Mortal, SHARES, deaths, lived_through_deaths};

impl Mortal for House {
    async fn hangs(&self) {
        self.slack
            .until("a call that hangs", |slack| slack.hanging() > 0)
            .await;
    }

    async fn settled(&self) -> Option<State> {
        Self::settled(self).await
    }

    async fn state(&self) -> Option<State> {
        Self::state(self).await
    }

    async fn says(&self, who: &str, line: &str) {
        let sent = self.sends(who, line).await;
        // Refused or lost: the guide says what is still to be typed.
        let _ = sent.outcome().await;
    }

    async fn killed(self) -> Self {
        Self::killed(self).await
    }

    fn has_file(&self, room: &str) -> bool {
        self.slack.read(|slack| {
            let mut messages = slack.channel(room).messages.values();
            messages.any(|message| !message.files.is_empty())
        })
    }
}

async fn dies(fault: Fault, share: usize) {
    let house = House::mortal(Transport::Http).await;
    house.slack.every_call_once(fault, SHARES, share);
    let house = lived_through_deaths(house).await;
    holds_it_all(&house).await;
    links_the_postmortem(&house).await;
    let rooms = house.slack.read(|slack| {
        let made = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-1"));
        made.count()
    });
    assert_eq!(rooms, 1, "one room, however often its making was interrupted");
    house.close().await;
}

deaths!(Fault);

/// It dies after each step, without a word to Slack.
async fn dies_after_every_step(transport: Transport) {
    let mut house = House::mortal(transport).await;
    for step in guide::steps() {
        let state = house.state().await;
        if state.is_some() && step.is_done(state.as_ref()) {
            continue;
        }
        house.types(step.who, &step.line(state.as_ref())).await;
        house = house.killed().await;
        house.settled().await;
    }
    holds_it_all(&house).await;
    links_the_postmortem(&house).await;
    house.close().await;
}

#[tokio::test]
async fn it_dies_after_every_step_over_sockets() {
    dies_after_every_step(Transport::Socket).await;
}

#[tokio::test]
async fn it_dies_after_every_step_over_signed_http() {
    dies_after_every_step(Transport::Http).await;
}

#[tokio::test]
async fn a_room_half_made_when_it_died_is_found_again_and_finished() {
    let mut house = House::mortal(Transport::Socket).await;
    house.slack.fault("conversations.create", 1, Fault::HangAfter);
    let sent = house.sends("ana", "open Labels do not print severity=SEV2").await;
    sent.await;
    house
        .slack
        .until("the creation to hang", |slack| slack.hanging() > 0)
        .await;
    house = house.killed().await;
    house.settled().await;
    let rooms = house.slack.read(|slack| {
        let made = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-1"));
        made.map(|channel| channel.name.clone()).collect::<Vec<_>>()
    });
    assert_eq!(rooms, ["inc-1-labels-do-not-print"]);
    let room = house.room().await;
    house.slack.read(|slack| {
        let room = slack.channel(&room);
        assert!(room.members.contains("U0ANA"));
        assert!(room.topic.value.contains("INC-1"), "{}", room.topic.value);
        assert_eq!(room.pins.len(), 1, "the card");
    });
    nothing_stands_twice(&house);
    house.close().await;
}
