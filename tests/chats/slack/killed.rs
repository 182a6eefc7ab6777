//! The process dies inside every call it makes, before it reached Slack or after Slack did it, and is started again.

use orderly::demo::guide;
use orderly::incident::{Phase, Stage};
use orderly_testbed::slack::Fault;

use super::kit::{House, Transport};
use super::story::{holds_it_all, nothing_stands_twice};

/// More deaths than the story has calls: what takes longer does not end.
const DEATHS_MAX: usize = 1_000;

/// The calls are shared out among so many tests: all of them in one take minutes.
const SHARES: usize = 6;

/// Waits until all that follows has happened, through as many deaths as that takes.
async fn outlived(mut house: House, deaths: &mut usize) -> House {
    loop {
        let hangs = {
            let hung = house
                .slack
                .until("a call that hangs", |slack| slack.hanging() > 0);
            tokio::select! {
                biased;
                () = hung => true,
                _ = house.settled() => false,
            }
        };
        if !hangs {
            return house;
        }
        *deaths += 1;
        assert!(*deaths < DEATHS_MAX, "it dies for ever");
        // What was sent to a system when it died, only a person can settle: the engine's own tests do that.
        while acts(&house).await {
            tokio::task::yield_now().await;
        }
        house = house.killed().await;
    }
}

/// Whether something approved is on its way to a system; none of that waits for Slack.
async fn acts(house: &House) -> bool {
    let state = house.state().await;
    let proposals = state.iter().flat_map(|state| state.proposals.values());
    proposals.into_iter().any(|proposal| {
        matches!(
            proposal.stage,
            Stage::Cleared { held: None, .. } | Stage::Running { .. } | Stage::Done { .. }
        )
    })
}

/// Whether the post-mortem stands in the room: the last thing the guide asks for, and asks for again and again.
async fn exported(house: &House) -> bool {
    let state = house.state().await;
    let Some(room) = state.and_then(|state| state.rooms.first().map(|room| room.at.room.clone())) else {
        return false;
    };
    house.slack.read(|slack| {
        let mut messages = slack.channel(&room).messages.values();
        messages.any(|message| !message.files.is_empty())
    })
}

/// The guide's way through the incident, with whatever detour a death makes necessary.
async fn lived_through_deaths(fault: Fault, share: usize) {
    let mut house = House::mortal(Transport::Http).await;
    house.slack.every_call_once(fault, SHARES, share);
    let mut deaths = 0;
    for _ in 0..DEATHS_MAX {
        house = outlived(house, &mut deaths).await;
        if exported(&house).await {
            break;
        }
        let state = house.state().await;
        let steps = guide::shown(state.as_ref());
        let Some(step) = steps.into_iter().find(|step| step.current) else {
            break;
        };
        // What was not acknowledged may be stored or not; then the guide says what is still to be typed.
        let sent = house.sends(&step.who, &step.line).await;
        let hung = house
            .slack
            .until("a call that hangs", |slack| slack.hanging() > 0);
        tokio::select! {
            _ = sent.outcome() => {}
            () = hung => {}
        }
    }
    assert!(deaths > 10, "{deaths} deaths");
    let state = house.state().await.expect("an incident");
    assert_eq!(state.phase, Phase::Learn);
    let proposals = state.proposals.values();
    let worked = proposals.filter(|proposal| matches!(proposal.stage, Stage::Verified { worked: true, .. }));
    assert_eq!(
        worked.count(),
        4,
        "the pause, the rollback, the undo and the repair"
    );
    holds_it_all(&house).await;
    nothing_stands_twice(&house);
    let rooms = house.slack.read(|slack| {
        let made = slack
            .channels()
            .filter(|channel| channel.name.starts_with("inc-1"));
        made.count()
    });
    assert_eq!(rooms, 1, "one room, however often its making was interrupted");
    house.close().await;
}

/// Each call of the story is the last one in one of these.
macro_rules! deaths {
    ($($name:ident: $fault:ident $share:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            lived_through_deaths(Fault::$fault, $share).await;
        }
    )*};
}

deaths! {
    it_dies_before_the_first_call_of_six_and_nothing_is_missing_or_doubled: Hang 0;
    it_dies_before_the_second_call_of_six_and_nothing_is_missing_or_doubled: Hang 1;
    it_dies_before_the_third_call_of_six_and_nothing_is_missing_or_doubled: Hang 2;
    it_dies_before_the_fourth_call_of_six_and_nothing_is_missing_or_doubled: Hang 3;
    it_dies_before_the_fifth_call_of_six_and_nothing_is_missing_or_doubled: Hang 4;
    it_dies_before_the_sixth_call_of_six_and_nothing_is_missing_or_doubled: Hang 5;
    it_dies_after_the_first_call_of_six_and_nothing_is_missing_or_doubled: HangAfter 0;
    it_dies_after_the_second_call_of_six_and_nothing_is_missing_or_doubled: HangAfter 1;
    it_dies_after_the_third_call_of_six_and_nothing_is_missing_or_doubled: HangAfter 2;
    it_dies_after_the_fourth_call_of_six_and_nothing_is_missing_or_doubled: HangAfter 3;
    it_dies_after_the_fifth_call_of_six_and_nothing_is_missing_or_doubled: HangAfter 4;
    it_dies_after_the_sixth_call_of_six_and_nothing_is_missing_or_doubled: HangAfter 5;
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
