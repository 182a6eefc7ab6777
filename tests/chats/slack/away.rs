//! What happened while nobody listened: read from the room's history and its threads, and filed once.

use std::time::Duration;

use orderly::incident::Event;
use orderly_testbed::slack::Fault;

use super::kit::{House, Transport};
use crate::held::Unheard;
use crate::kept::{journal, said, standing, to_do};

/// Nobody listens while this happens; afterwards the rooms have been read again, and then once more.
async fn while_away(house: House, happens: impl FnOnce(&House)) -> House {
    house.slack.hold_events();
    happens(&house);
    let house = house.restarted().await;
    read_again(&house).await;
    let house = house.restarted().await;
    read_again(&house).await;
    house
}

async fn read_again(house: &House) {
    let slack = house.app.slack.clone().expect("a workspace");
    slack.catch_up().await;
    house.app.engine.quiet().await;
}

async fn opened(transport: Transport) -> (House, String) {
    let house = House::open(transport).await;
    house.types("ana", "open Labels do not print severity=SEV2").await;
    let room = house.room().await;
    house.person("ben").joins(&room);
    house.settled().await;
    (house, room)
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_filed_as_deleted_and_its_time_as_unknown() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let (ana, ben) = (house.person("ana"), house.person("ben"));
        let gone = ben.says(&room, "password on the screen");
        let stays = ben.says(&room, "the printer is fine");
        let headed = ben.says(&room, "here is why");
        let reply = ben.replies(&room, &headed, "because of the driver");
        let lost = ben.replies(&room, &headed, "or not");
        ana.reacts(&room, &gone, "pushpin");
        ana.reacts(&room, &stays, "pushpin");
        house.settled().await;
        let house = while_away(house, |_| {
            ben.deletes(&room, &gone);
            ben.deletes(&room, &headed);
            ben.deletes(&room, &lost);
        })
        .await;
        assert_eq!(
            said(&house.app, &gone).await,
            [Some("password on the screen".to_owned()), None]
        );
        assert_eq!(
            said(&house.app, &headed).await,
            [Some("here is why".to_owned()), None]
        );
        assert_eq!(said(&house.app, &lost).await, [Some("or not".to_owned()), None]);
        assert_eq!(
            said(&house.app, &stays).await,
            [Some("the printer is fine".to_owned())]
        );
        assert_eq!(
            said(&house.app, &reply).await,
            [Some("because of the driver".to_owned())]
        );
        assert_eq!(standing(&house.app).await, ["the printer is fine"]);
        let journal = journal(&house.app).await;
        let unmarked = journal.iter().find_map(|recorded| match &recorded.event {
            Some(Event::MessageUnmarked { why, .. }) => Some((recorded.source.as_str(), why.as_str())),
            _ => None,
        });
        let (source, why) = unmarked.expect("taken off the timeline");
        assert_eq!(source, "history");
        assert!(why.contains("not known exactly"), "{why}");
        // Slack's own word of it comes late, and changes nothing.
        house.slack.let_events_go(false);
        house.settled().await;
        assert_eq!(said(&house.app, &gone).await.len(), 2);
        house.close().await;
    }
}

#[tokio::test]
async fn what_was_edited_meanwhile_is_filed_once_at_its_own_time() {
    let (house, room) = opened(Transport::Http).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let known = ben.says(&room, "it began at 13:00");
    let reply = ana.replies(&room, &known, "are you sure");
    ana.reacts(&room, &known, "pushpin");
    house.settled().await;
    let mut unheard = String::new();
    let house = while_away(house, |house| {
        ben.edits(&room, &known, "it began at 14:00");
        ana.edits(&room, &reply, "are you sure?");
        unheard = ben.says(&room, "and nobody herd this");
        ben.edits(&room, &unheard, "and nobody heard this");
        house.advance(std::time::Duration::from_secs(600));
    })
    .await;
    let edited = |first: &str, then: &str| [Some(first.to_owned()), Some(then.to_owned())];
    assert_eq!(
        said(&house.app, &known).await,
        edited("it began at 13:00", "it began at 14:00")
    );
    assert_eq!(
        said(&house.app, &reply).await,
        edited("are you sure", "are you sure?")
    );
    assert_eq!(
        said(&house.app, &unheard).await,
        [Some("and nobody heard this".to_owned())]
    );
    assert_eq!(standing(&house.app).await, ["it began at 14:00"]);
    let changed = journal(&house.app)
        .await
        .into_iter()
        .find(|recorded| matches!(recorded.event, Some(Event::MessageChanged { .. })));
    let changed = changed.expect("a changed mark");
    assert!(
        changed.recorded - changed.occurred > chrono::TimeDelta::minutes(9),
        "at the time of the edit and not of the reading: {changed:?}"
    );
    // What Slack held back comes now, and the first version of what nobody heard with it.
    house.slack.let_events_go(true);
    house.settled().await;
    assert_eq!(
        said(&house.app, &unheard).await,
        edited("and nobody herd this", "and nobody heard this")
    );
    assert_eq!(said(&house.app, &known).await.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn reactions_that_came_and_went_meanwhile_are_filed_once() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let (ana, ben) = (house.person("ana"), house.person("ben"));
        let taken_back = ben.says(&room, "maybe the driver");
        let both = ben.says(&room, "certainly the driver");
        let by_menu = ben.says(&room, "the driver is from Monday");
        let added = ben.replies(&room, &both, "the new driver");
        let again = ben.says(&room, "the old one works");
        for message in [&taken_back, &both, &again] {
            ana.reacts(&room, message, "pushpin");
        }
        ben.reacts(&room, &both, "pushpin");
        ana.shortcut_on("orderly:timeline", &room, &by_menu).await;
        house.settled().await;
        ana.unreacts(&room, &again, "pushpin");
        house.settled().await;
        let house = while_away(house, |_| {
            ana.unreacts(&room, &taken_back, "pushpin");
            ana.unreacts(&room, &both, "pushpin");
            ana.reacts(&room, &added, "pushpin");
            ana.reacts(&room, &again, "pushpin");
        })
        .await;
        let wanted = [
            "certainly the driver",
            "the driver is from Monday",
            "the new driver",
            "the old one works",
        ];
        assert_eq!(standing(&house.app).await, wanted);
        let events = journal(&house.app).await.len();
        house.slack.let_events_go(true);
        house.settled().await;
        assert_eq!(standing(&house.app).await, wanted);
        assert_eq!(journal(&house.app).await.len(), events, "nothing is filed twice");
        house.close().await;
    }
}

#[tokio::test]
async fn what_reactions_made_is_taken_back_when_they_are_gone_meanwhile() {
    let (house, room) = opened(Transport::Socket).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let gone = ben.says(&room, "call the carrier");
    let both = ben.says(&room, "check the driver");
    let taken = ben.says(&room, "look at the queue");
    let by_hand = ben.says(&room, "ask the vendor");
    for message in [&gone, &both, &taken, &by_hand] {
        ana.reacts(&room, message, "white_check_mark");
        house.settled().await;
    }
    ana.reacts(&room, &gone, "repeat");
    ben.reacts(&room, &both, "white_check_mark");
    house.settled().await;
    for line in ["task assign T3 ben", "task drop T4"] {
        house.types("ben", line).await;
    }
    house.settled().await;
    let house = while_away(house, |_| {
        for message in [&gone, &both, &taken] {
            ana.unreacts(&room, message, "white_check_mark");
        }
        ana.unreacts(&room, &gone, "repeat");
    })
    .await;
    assert_eq!(to_do(&house.app).await, ["check the driver", "look at the queue"]);
    let events = journal(&house.app).await.len();
    house.slack.let_events_go(true);
    house.settled().await;
    read_again(&house).await;
    assert_eq!(journal(&house.app).await.len(), events, "nothing is filed twice");
    let house = while_away(house, |_| {
        ana.reacts(&room, &gone, "white_check_mark");
        ben.unreacts(&room, &both, "white_check_mark");
    })
    .await;
    assert_eq!(to_do(&house.app).await, ["call the carrier", "look at the queue"]);
    house.close().await;
}

#[tokio::test]
async fn what_a_workspace_keeps_no_longer_was_deleted_by_nobody() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let (ana, ben) = (house.person("ana"), house.person("ben"));
        let old = ben.says(&room, "it began at 13:00");
        let answered = ben.says(&room, "here is why");
        let reply = ben.replies(&room, &answered, "because of the driver");
        ana.reacts(&room, &old, "pushpin");
        ana.reacts(&room, &reply, "pushpin");
        house.settled().await;
        house.advance(Duration::from_secs(600));
        house.settled().await;
        ben.says(&room, "the carrier was called");
        let gone = ben.says(&room, "password on the screen");
        ana.reacts(&room, &gone, "pushpin");
        house.settled().await;
        let house = while_away(house, |house| {
            house.slack.keeps_messages_for(Duration::from_secs(300));
            ben.deletes(&room, &gone);
        })
        .await;
        assert_eq!(
            standing(&house.app).await,
            ["because of the driver", "it began at 13:00"]
        );
        assert_eq!(said(&house.app, &old).await.len(), 1);
        assert_eq!(
            said(&house.app, &gone).await,
            [Some("password on the screen".to_owned()), None],
            "what somebody deleted is noticed all the same"
        );
        house.slack.give_up_deliveries();
        house.close().await;
    }
}

#[tokio::test]
async fn threads_from_before_the_incident_are_read_for_what_was_answered_in_them_since() {
    let house = House::open(Transport::Socket).await;
    let (ana, ben) = (house.person("ana"), house.person("ben"));
    let channel = house.slack.channel("carrier-labels", &[&ana, &ben]);
    let head = ana.says(&channel, "labels are odd today");
    let early = ana.replies(&channel, &head, "said before it was opened");
    let other = ana.says(&channel, "lunch?");
    ben.replies(&channel, &other, "no");
    house.advance(Duration::from_secs(120));
    ana.types("/incident open Labels do not print --here", &channel)
        .await;
    house.settled().await;
    house.advance(Duration::from_secs(120));
    let heard = ben.replies(&channel, &head, "with every carrier");
    house.settled().await;
    let mut unheard = String::new();
    let house = while_away(house, |_| {
        unheard = ben.replies(&channel, &head, "it is the driver");
        ben.deletes(&channel, &heard);
    })
    .await;
    assert_eq!(
        said(&house.app, &unheard).await,
        [Some("it is the driver".to_owned())]
    );
    assert_eq!(
        said(&house.app, &heard).await,
        [Some("with every carrier".to_owned()), None]
    );
    for before in [&head, &early, &other] {
        assert_eq!(said(&house.app, before).await.len(), 0);
    }
    house.slack.give_up_deliveries();
    house.close().await;
}

async fn is_filed(house: &House, message: &str) {
    house
        .passes_until(async || !said(&house.app, message).await.is_empty())
        .await;
}

const A_MINUTE: Duration = Duration::from_secs(61);

fn readings(house: &House) -> usize {
    house.slack.calls_of("conversations.history").len()
}

#[tokio::test]
async fn a_bot_that_was_up_and_out_of_reach_reads_what_slack_gave_up() {
    let (house, room) = opened(Transport::Http).await;
    let ben = house.person("ben");
    // Nobody answers there.
    house.slack.deliver_over_http("http://127.0.0.1:1");
    let lost = ben.says(&room, "nobody heard this");
    house.slack.give_up_deliveries();
    ben.says(&room, "this comes again");
    let tried_again = |slack: &orderly_testbed::slack::State| {
        let open = slack.deliveries().filter(|delivery| delivery.settled.is_none());
        open.flat_map(|delivery| &delivery.attempts)
            .filter(|attempt| attempt.failed.is_some())
            .count()
            >= 2
    };
    house.slack.until("the first tries to fail", tried_again).await;
    house.slack.deliver_over_http(&house.address());
    let before = readings(&house);
    house.advance(A_MINUTE);
    house.slack.all_delivered().await;
    assert_eq!(readings(&house), before, "others may come by themselves yet");
    is_filed(&house, &lost).await;
    assert_eq!(readings(&house), before + 1, "once for all");
    house.settled().await;
    house.close().await;
}

#[tokio::test]
async fn what_slack_gave_up_in_a_long_silence_is_read_when_it_is_heard_again() {
    let (house, room) = opened(Transport::Http).await;
    let ben = house.person("ben");
    house.slack.deliver_over_http("http://127.0.0.1:1");
    let lost = ben.says(&room, "nobody heard this");
    house.slack.give_up_deliveries();
    house.advance(Duration::from_secs(299));
    house.slack.deliver_over_http(&house.address());
    let before = readings(&house);
    ben.says(&room, "just in time for Slack to send the first one again");
    house.slack.all_delivered().await;
    house.advance(A_MINUTE);
    house.settled().await;
    assert_eq!(
        readings(&house),
        before,
        "nothing tells that something is missing"
    );
    house.advance(Duration::from_secs(300));
    ben.says(&room, "is anybody there?");
    house.slack.all_delivered().await;
    is_filed(&house, &lost).await;
    assert_eq!(readings(&house), before + 1);
    house.settled().await;
    house.close().await;
}

#[tokio::test]
async fn what_could_not_be_stored_until_slack_gave_up_is_read_when_it_can_be() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let ben = house.person("ben");
        let unheard = Unheard::database(&house.database()).await;
        let lost = ben.says(&room, "the disk was full");
        house.slack.give_up_deliveries();
        let before = readings(&house);
        house.passes_until(async || readings(&house) > before).await;
        unheard.let_go().await;
        is_filed(&house, &lost).await;
        house.settled().await;
        house.close().await;
    }
}

#[tokio::test]
async fn what_slack_held_back_in_a_busy_minute_is_read_after_it() {
    for transport in [Transport::Socket, Transport::Http] {
        let (house, room) = opened(transport).await;
        let ben = house.person("ben");
        house.slack.hold_events();
        let lost = ben.says(&room, "one of thirty thousand");
        house.slack.give_up_deliveries();
        house.slack.let_events_go(false);
        let before = readings(&house);
        house.slack.limits_events();
        house.advance(Duration::from_secs(1));
        house.slack.limits_events();
        house.slack.all_delivered().await;
        is_filed(&house, &lost).await;
        assert_eq!(readings(&house), before + 1, "once for both");
        house.settled().await;
        house.close().await;
    }
}

#[tokio::test]
async fn a_start_while_slack_is_in_trouble_reads_what_was_missed_a_minute_later() {
    for (method, fault) in [
        ("auth.test", Fault::Status(500)),
        ("conversations.history", Fault::Error("internal_error")),
        ("conversations.history", Fault::DropBefore),
    ] {
        let (house, room) = opened(Transport::Http).await;
        house.slack.hold_events();
        let lost = house.person("ben").says(&room, "nobody heard this");
        house.slack.give_up_deliveries();
        house.slack.let_events_go(false);
        house.slack.fault(method, 1, fault);
        let house = house.restarted().await;
        is_filed(&house, &lost).await;
        house.settled().await;
        house.close().await;
    }
}
