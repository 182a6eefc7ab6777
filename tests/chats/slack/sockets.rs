//! Sockets come and go, and no command is lost on the way: Slack sends none twice.

use std::time::Duration;

use orderly_testbed::slack::Sent;

use super::kit::{House, Transport};

/// How long a socket is read on when another one has taken its place.
const READ_ON: Duration = Duration::from_secs(20);

/// Turns of everything that is ready, more than opening a socket takes.
const TURNS: usize = 300;

/// Everything that is ready, or becomes so without time passing, has had its turn.
async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

fn asks(house: &House, times: usize) -> Vec<Sent> {
    let ana = house.person("ana");
    let ask = |_| ana.types("/incident list", &house.ops);
    (0..times).map(ask).collect()
}

/// Each socket gets as many commands as the other, and answers them.
async fn answer(house: &House, times: usize) {
    for sent in asks(house, times) {
        sent.await;
    }
}

#[tokio::test]
async fn a_renewed_socket_is_open_before_the_old_one_closes() {
    let house = House::open(Transport::Socket).await;
    answer(&house, 2).await;
    house.slack.refresh_sockets();
    house.slack.connected(2).await;
    answer(&house, 2).await;
    house.advance(READ_ON);
    house
        .slack
        .until("the old ones to be closed", |slack| slack.connections() == 2)
        .await;
    let fewest = house.slack.read(|slack| slack.fewest_connections());
    assert_eq!(fewest, 2, "at no time was one closed before the next was open");
    house.close().await;
}

#[tokio::test]
async fn a_socket_that_slack_is_about_to_end_answers_until_then() {
    let house = House::open(Transport::Socket).await;
    answer(&house, 2).await;
    house.slack.warn_sockets();
    house.slack.connected(4).await;
    answer(&house, 40).await;
    house.advance(READ_ON);
    house
        .slack
        .until("the old ones to be closed", |slack| slack.connections() == 2)
        .await;
    answer(&house, 2).await;
    house.close().await;
}

#[tokio::test]
async fn a_socket_that_has_gone_silent_is_replaced() {
    let house = House::open(Transport::Socket).await;
    answer(&house, 2).await;
    // Slack answers each ping for as long as it is there, and nothing is replaced.
    for _ in 0..90 {
        house.advance(Duration::from_secs(1));
        turns(10).await;
    }
    let opened = |house: &House| house.slack.calls_of("apps.connections.open").len();
    assert_eq!(opened(&house), 2);
    house.slack.freeze_sockets();
    for _ in 0..35 {
        house.advance(Duration::from_secs(1));
        turns(10).await;
    }
    house.slack.connected(4).await;
    let sent = asks(&house, 4);
    house
        .slack
        .until("the new ones to answer", |slack| slack.undelivered() == 2)
        .await;
    house.advance(Duration::from_secs(3));
    let mut answered = 0;
    for sent in sent {
        answered += usize::from(sent.outcome().await.is_ok());
    }
    assert_eq!(answered, 2, "Slack knows nothing yet of the two that are dead");
    house.close().await;
}

#[tokio::test]
async fn sockets_that_end_at_once_are_opened_less_often() {
    let house = House::open(Transport::Socket).await;
    answer(&house, 2).await;
    house.slack.drop_sockets();
    house.slack.connected(2).await;
    answer(&house, 2).await;
    house.slack.drop_sockets();
    tokio::select! {
        biased;
        () = house.slack.connected(1) => panic!("the second that ends at once is not replaced at once"),
        () = turns(TURNS) => {}
    }
    house.advance(Duration::from_secs(1));
    house.slack.connected(2).await;
    answer(&house, 2).await;
    // Those that lived for a while are as good as any.
    house.advance(Duration::from_secs(30));
    house.slack.drop_sockets();
    house.slack.connected(2).await;
    answer(&house, 2).await;
    house.close().await;
}
