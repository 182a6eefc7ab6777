//! Events overtake each other: whatever order they come in, the room log and the timeline say the same in the end.

use chrono::{DateTime, TimeDelta, Utc};

use super::kit::*;
use crate::chat::{Incoming, Origin};
use crate::incident::*;
use crate::store::Store;

fn at(second: i64) -> DateTime<Utc> {
    start() - TimeDelta::minutes(1) + TimeDelta::seconds(second)
}

fn origin() -> Origin {
    Origin {
        from: identity("dan"),
        thread: None,
        at: at(1),
        files: Vec::new(),
    }
}

/// What becomes of one message: written, edited twice, marked; perhaps deleted. Some platforms tell whose it is with
/// each edit and some do not.
fn life(named: bool, deleted: bool) -> Vec<Incoming> {
    let edited = |text: &str, second| Incoming::Edited {
        message: message("m1"),
        text: text.to_owned(),
        at: at(second),
        of: named.then(origin),
    };
    let mut life = vec![
        Incoming::Wrote {
            from: identity("dan"),
            message: message("m1"),
            thread: None,
            text: "the queue is fu".to_owned(),
            at: at(1),
            files: Vec::new(),
        },
        edited("the queue is full", 2),
        edited("the queue is full of labels", 3),
        Incoming::Reacted {
            from: identity("ana"),
            message: message("m1"),
            emoji: "pushpin".to_owned(),
            present: true,
            at: at(4),
        },
    ];
    if deleted {
        life.push(Incoming::Deleted {
            message: message("m1"),
            at: at(5),
            found_gone: false,
        });
    }
    life
}

/// All orders of so many things.
fn orders(things: usize) -> Vec<Vec<usize>> {
    if things == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(things - 1).into_iter();
    shorter
        .flat_map(|order| {
            (0..things).map(move |place| {
                let mut order = order.clone();
                order.insert(place, things - 1);
                order
            })
        })
        .collect()
}

async fn lived(life: &[Incoming], order: &[usize]) -> House {
    let house = House::new().await;
    house.framed().await;
    for step in order {
        house
            .hears(&format!("event {step}"), None, life[*step].clone())
            .await;
    }
    house
}

async fn versions(house: &House) -> Vec<(String, Option<String>, i64)> {
    let versions = house
        .store
        .versions(&room("inc-1").to_string(), "m1")
        .await
        .expect("a log that can be read");
    let told = |stored: crate::store::StoredEntry| {
        let second = (stored.entry.recorded - at(0)).num_seconds();
        (stored.entry.author, stored.entry.text, second)
    };
    versions.into_iter().map(told).collect()
}

#[tokio::test]
async fn each_version_is_filed_at_its_own_time_in_every_order_of_arrival() {
    for (named, deleted) in [(true, true), (false, true), (true, false), (false, false)] {
        let life = life(named, deleted);
        for order in orders(life.len()) {
            let house = lived(&life, &order).await;
            let versions = versions(&house).await;
            let texts: Vec<Option<&str>> = versions.iter().map(|(_, text, _)| text.as_deref()).collect();
            let mut said = vec![
                Some("the queue is fu"),
                Some("the queue is full"),
                Some("the queue is full of labels"),
            ];
            said.extend(deleted.then_some(None));
            assert_eq!(texts, said, "in the order {order:?}");
            assert_eq!(versions[0].0, "dan", "in the order {order:?}");
        }
    }
}

#[tokio::test]
async fn the_timeline_shows_the_latest_version_in_every_order_of_arrival() {
    for named in [true, false] {
        let life = life(named, false);
        for order in orders(life.len()) {
            let house = lived(&life, &order).await;
            let state = house.state(1).await;
            let shown = state.marks.get(&message("m1"));
            let shown = shown.map(|mark| (mark.marked.text.as_str(), mark.removed.is_none()));
            let wanted = Some(("the queue is full of labels", true));
            assert_eq!(shown, wanted, "in the order {order:?}");
        }
    }
}

#[tokio::test]
async fn a_deleted_message_stands_on_the_timeline_in_no_order_of_arrival() {
    let life = life(true, true);
    for order in orders(life.len()) {
        let house = lived(&life, &order).await;
        let state = house.state(1).await;
        let standing = state.marks.values().filter(|mark| mark.removed.is_none());
        assert_eq!(standing.count(), 0, "in the order {order:?}");
    }
}

#[tokio::test]
async fn a_mark_stands_or_not_as_the_last_reaction_says_in_every_order_of_arrival() {
    let reacted = |present, second| Incoming::Reacted {
        from: identity("ana"),
        message: message("m1"),
        emoji: "pushpin".to_owned(),
        present,
        at: at(second),
    };
    for stands in [true, false] {
        let mut life = life(true, false)[..1].to_vec();
        life.extend([reacted(true, 4), reacted(false, 5)]);
        life.extend(stands.then(|| reacted(true, 6)));
        for order in orders(life.len()) {
            let house = lived(&life, &order).await;
            let state = house.state(1).await;
            let standing = state.marks.values().filter(|mark| mark.removed.is_none());
            assert_eq!(standing.count(), usize::from(stands), "in the order {order:?}");
        }
    }
}

#[tokio::test]
async fn an_edit_of_a_message_that_was_never_told_stands_under_its_author() {
    let life = life(true, false);
    let house = lived(&life, &[1]).await;
    let text = "the queue is full".to_owned();
    assert_eq!(versions(&house).await, [("dan".to_owned(), Some(text), 2)]);
}

#[tokio::test]
async fn a_mark_keeps_its_own_time_when_the_message_changes_and_goes() {
    let life = life(true, true);
    let house = lived(&life, &[0, 3, 1, 4]).await;
    let journal = house.journal(1).await;
    let when = |wanted: fn(&Event) -> bool| {
        let found = journal
            .iter()
            .find(|recorded| recorded.event.as_ref().is_some_and(wanted));
        found.map(|recorded| recorded.occurred)
    };
    assert_eq!(
        when(|event| matches!(event, Event::MessageMarked { .. })),
        Some(at(1))
    );
    assert_eq!(
        when(|event| matches!(event, Event::MessageChanged { .. })),
        Some(at(2))
    );
    assert_eq!(
        when(|event| matches!(event, Event::MessageUnmarked { .. })),
        Some(at(5))
    );
}
