//! Roles from user groups: read again before they count, and told in the room where they cannot be.

use std::time::Duration;

use orderly::incident::{PersonId, Stage};
use orderly_testbed::slack::{Fault, Kind, SlackServer};

use crate::slack::kit::{House, Transport};
use crate::slack::story::lived_until;

const GROUP: &str = "[[group]]\nplatform = \"slack\"\ngroup = \"@approvers\"\nroles = [\"approver\"]\n";

/// A workspace where nobody is an approver but by the group `@approvers`: ben, whom the config does not know. A
/// proposal of ana's waits.
async fn waiting() -> (House, String, String) {
    let slack = SlackServer::start().await;
    let group = slack.group("approvers", &[&slack.person("ben")]);
    let people = [
        ("ana", r#"["commander", "responder"]"#),
        ("cleo", r#"["responder"]"#),
    ];
    let house = House::of(slack, Transport::Socket, &people, GROUP).await;
    lived_until(&house, "approve-pause").await;
    let room = house.room().await;
    house.person("ben").joins(&room);
    house.settled().await;
    (house, room, group)
}

async fn approves(house: &House, who: &str, room: &str) {
    house.person(who).types("/incident approve A1", room).await;
    house.settled().await;
}

async fn stage(house: &House) -> Stage {
    let state = house.state().await.expect("an incident");
    let proposal = state.proposals.values().next().expect("a proposal");
    proposal.stage.clone()
}

fn told(house: &House, room: &str, part: &str) -> usize {
    let texts = house.slack.texts(room);
    texts.iter().filter(|text| text.contains(part)).count()
}

#[tokio::test]
async fn a_member_of_the_group_approves_and_the_group_is_read_first() {
    let (house, room, _) = waiting().await;
    let before = house.slack.calls_of("usergroups.users.list").len();
    approves(&house, "ben", &room).await;
    assert!(house.slack.calls_of("usergroups.users.list").len() > before);
    assert!(
        matches!(stage(&house).await, Stage::Verified { worked: true, .. }),
        "{:?}",
        stage(&house).await
    );
    let timeline = house
        .app
        .engine
        .document(crate::slack::kit::INCIDENT, "markdown", u64::MAX)
        .await;
    let text = String::from_utf8(timeline.expect("a document").bytes).expect("text");
    assert!(text.contains("as a member of slack/@approvers"), "{text}");
    let desk = house.app.engine.desk();
    assert_eq!(desk.people[&PersonId::new("slack.u0ben")].name, "ben");
    house.close().await;
}

#[tokio::test]
async fn who_was_taken_out_a_moment_ago_no_longer_counts() {
    let (house, room, group) = waiting().await;
    house.slack.change_group(&group, |group| group.members.clear());
    approves(&house, "ben", &room).await;
    house
        .person("ben")
        .is_told(&room, "may read here, not command")
        .await;
    assert!(matches!(stage(&house).await, Stage::Waiting { .. }));
    house.close().await;
}

#[tokio::test]
async fn who_came_in_a_moment_ago_counts() {
    let (house, room, group) = waiting().await;
    let cleo = house.person("cleo");
    approves(&house, "cleo", &room).await;
    cleo.is_told(&room, "needs the approver role").await;
    house
        .slack
        .change_group(&group, |group| group.members = vec![cleo.id().to_owned()]);
    approves(&house, "cleo", &room).await;
    assert!(
        matches!(stage(&house).await, Stage::Verified { .. }),
        "{:?}",
        stage(&house).await
    );
    house.close().await;
}

#[tokio::test]
async fn a_stranger_who_came_into_a_group_is_known_when_they_first_type() {
    let (house, room, group) = waiting().await;
    let dan = house.person("dan");
    dan.joins(&room);
    house.advance(Duration::from_secs(61));
    house
        .slack
        .change_group(&group, |group| group.members.push(dan.id().to_owned()));
    dan.types("/incident note I am here", &room).await;
    house.settled().await;
    assert_eq!(
        told(&house, &room, "I am here"),
        1,
        "{:#?}",
        house.slack.texts(&room)
    );
    house.close().await;
}

#[tokio::test]
async fn a_group_that_cannot_be_read_counts_for_nobody_and_the_room_hears_why() {
    let faults: [(&str, &str); 4] = [
        ("scope", "the scope usergroups:read is missing"),
        ("disabled", "it is disabled"),
        ("permission", "this workspace does not let the bot read it"),
        ("plan", "this workspace's plan has no user groups"),
    ];
    for (fault, words) in faults {
        let (house, room, group) = waiting().await;
        match fault {
            "scope" => house.slack.take_scope("usergroups:read"),
            "disabled" => house.slack.change_group(&group, |group| group.disabled = true),
            "permission" => house.slack.change_group(&group, |group| group.readable = false),
            _ => house
                .slack
                .fault("usergroups.users.list", 9, Fault::Error("paid_teams_only")),
        }
        // The handle is no longer taken for the same group.
        house.advance(Duration::from_secs(61));
        approves(&house, "ben", &room).await;
        approves(&house, "ben", &room).await;
        let line = format!("The group slack/@approvers cannot be read ({words}");
        assert_eq!(
            told(&house, &room, &line),
            1,
            "{fault}: {:#?}",
            house.slack.texts(&room)
        );
        house
            .person("ben")
            .is_told(&room, "so it counts for nobody")
            .await;
        assert!(matches!(stage(&house).await, Stage::Waiting { .. }), "{fault}");
        house.slack.take_violations();
        house.close().await;
    }
}

#[tokio::test]
async fn a_group_that_does_not_answer_in_time_counts_for_nobody() {
    let (house, room, _) = waiting().await;
    house.slack.fault("usergroups.users.list", 1, Fault::Hang);
    house.person("ben").types("/incident approve A1", &room).await;
    house
        .slack
        .until("the group to be asked", |slack| {
            let calls = slack.calls_of("usergroups.users.list");
            calls
                .last()
                .is_some_and(|call| call.answer == orderly_testbed::slack::Answer::Open)
        })
        .await;
    house.advance(Duration::from_secs(6));
    house.person("ben").is_told(&room, "no answer within 5 s").await;
    house.slack.release();
    house.settled().await;
    assert!(matches!(stage(&house).await, Stage::Waiting { .. }));
    // Once it can be read again, it counts again.
    approves(&house, "ben", &room).await;
    assert!(
        matches!(stage(&house).await, Stage::Verified { .. }),
        "{:?}",
        stage(&house).await
    );
    house.close().await;
}

#[tokio::test]
async fn guests_bots_and_deactivated_accounts_never_count_whatever_group_they_are_in() {
    let (house, room, group) = waiting().await;
    let (ben, guest) = (house.person("ben"), house.slack.account("gil", Kind::Guest));
    let bot = house.slack.account("hook", Kind::Bot);
    house.slack.change_group(&group, |group| {
        group.members.extend([guest.id().to_owned(), bot.id().to_owned()]);
    });
    house.slack.change_account(&ben, |account| account.deleted = true);
    house.settled().await;
    house.advance(Duration::from_secs(61));
    guest.joins(&room);
    approves(&house, "gil", &room).await;
    assert!(matches!(stage(&house).await, Stage::Waiting { .. }));
    let desk = house.app.engine.desk();
    assert_eq!(
        desk.holders(orderly::incident::Role::Approver).count(),
        0,
        "{:?}",
        desk.people.keys()
    );
    house.close().await;
}

/// A proposal waits; ben is only who the group `@commanders` says, and cleo no commander but by it.
async fn led_by_a_group() -> (House, String, String) {
    let slack = SlackServer::start().await;
    let group = slack.group("commanders", &[&slack.person("ben"), &slack.person("cleo")]);
    let people = [
        ("ana", r#"["commander", "responder"]"#),
        ("cleo", r#"["responder"]"#),
    ];
    let commanders = GROUP
        .replace("@approvers", "@commanders")
        .replace("\"approver\"", "\"commander\"");
    let house = House::of(slack, Transport::Socket, &people, &commanders).await;
    lived_until(&house, "approve-pause").await;
    let room = house.room().await;
    house.person("ben").joins(&room);
    house.types("ana", "take commander").await;
    (house, room, group)
}

async fn commander(house: &House) -> String {
    let state = house.state().await.expect("an incident");
    state.commander().expect("a commander").to_string()
}

#[tokio::test]
async fn who_was_taken_out_of_the_commanders_takes_over_no_more() {
    let (house, room, group) = led_by_a_group().await;
    let (ben, cleo) = (house.person("ben"), house.person("cleo"));
    house.slack.change_group(&group, |group| group.members.clear());
    house.types("cleo", "take commander").await;
    cleo.is_told(&room, "holds the role commander").await;
    house.types("ben", "take commander").await;
    ben.is_told(&room, "may read here, not command").await;
    assert_eq!(commander(&house).await, "ana");
    let back = vec![cleo.id().to_owned()];
    house.slack.change_group(&group, |group| group.members = back);
    house.types("cleo", "take commander").await;
    assert_eq!(commander(&house).await, "cleo");
    house.close().await;
}

#[tokio::test]
async fn who_was_taken_out_of_the_commanders_breaks_no_glass() {
    let (house, room, group) = led_by_a_group().await;
    let ben = house.person("ben");
    house.types("ben", "take commander").await;
    assert_eq!(commander(&house).await, "slack.u0ben");
    house.slack.change_group(&group, |group| group.members.clear());
    house.types("ben", "break-glass A1 shop nobody else is up").await;
    ben.is_told(&room, "may read here, not command").await;
    assert!(matches!(stage(&house).await, Stage::Waiting { .. }));
    house.close().await;
}
