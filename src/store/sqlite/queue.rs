//! What is written next. Where deliveries pile up they go first, because somebody waits for each to be acknowledged;
//! decisions gather meanwhile, and get a share of the writer's time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::writer::Op;

/// Operations written together. Beyond this a larger group is no faster, only later.
const GROUP: usize = 512;

/// So many deliveries a group mean that they come faster than they are written one by one.
const PILE: usize = 4;

/// Where deliveries pile up, writing decisions takes one part in so many of the writer's time: on two cores about 3,000
/// decisions a second beside 12,000 deliveries.
const SHARE: u32 = 5;

/// Deliveries decided in one group. It takes a few milliseconds, for which those that just came have to wait.
const TURN: usize = 64;

/// When nothing came for so long, nothing piles up. Longer than it takes somebody who was answered to come back.
const LULL: Duration = Duration::from_millis(1);

/// The operations that wait for the writer.
pub(super) struct Queue {
    waiting: mpsc::Receiver<Op>,
    /// Everything but deliveries, in the order in which it came.
    held: VecDeque<Op>,
    /// Deliveries that came since something else was written, and the groups they came in.
    deliveries: usize,
    groups: usize,
    /// Until then everything else is held, where deliveries pile up.
    until: Instant,
}

impl Queue {
    pub fn new(waiting: mpsc::Receiver<Op>) -> Self {
        Self {
            waiting,
            held: VecDeque::new(),
            deliveries: 0,
            groups: 0,
            until: Instant::now(),
        }
    }

    /// What to write next, together. `None`: nobody is left to ask.
    pub async fn next(&mut self) -> Option<Vec<Op>> {
        loop {
            let mut group = Vec::new();
            let came = self.come(&mut group).await;
            if !came && self.held.is_empty() {
                return None;
            }
            self.held.extend(group.extract_if(.., |op| !op.is_delivery()));
            self.deliveries += group.len();
            self.groups += usize::from(!group.is_empty());
            if !came || !self.holds() {
                self.turn(&mut group);
            }
            if !group.is_empty() {
                return Some(group);
            }
        }
    }

    /// Whether anything came. While something waits its turn, no longer than it may be held.
    async fn come(&mut self, group: &mut Vec<Op>) -> bool {
        if self.held.is_empty() {
            return self.waiting.recv_many(group, GROUP).await > 0;
        }
        let now = Instant::now();
        let until = if self.holds() {
            self.until.min(now + LULL)
        } else {
            now
        };
        let came = timeout_at(until, self.waiting.recv_many(group, GROUP)).await;
        came.is_ok_and(|came| came > 0)
    }

    /// Whether deliveries go first now.
    fn holds(&self) -> bool {
        self.deliveries >= PILE * self.groups.max(1) && Instant::now() < self.until
    }

    /// Adds what has waited its turn.
    fn turn(&mut self, group: &mut Vec<Op>) {
        let mut decided = 0;
        while let Some(next) = self.held.front().filter(|_| group.len() < GROUP) {
            let more = next.decides();
            if decided > 0 && more > 0 && decided + more > TURN {
                break;
            }
            decided += more;
            group.extend(self.held.pop_front());
        }
    }

    /// Something else than deliveries was written, and took so long.
    pub fn turned(&mut self, took: Duration) {
        (self.deliveries, self.groups) = (0, 0);
        self.until = Instant::now() + took * (SHARE - 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::store::tests::delivery;
    use crate::store::{Commit, InboxDone, InboxId};

    struct Asked {
        queue: Queue,
        ask: mpsc::Sender<Op>,
    }

    impl Asked {
        fn new() -> Self {
            let (ask, waiting) = mpsc::channel(1_024);
            Self {
                queue: Queue::new(waiting),
                ask,
            }
        }

        fn deliver(&self, count: usize) {
            for _ in 0..count {
                let (answer, _) = oneshot::channel();
                self.put(Op::Receive(delivery("a"), answer));
            }
        }

        /// One commit that decides so many deliveries.
        fn decide(&self, count: usize) {
            let done = |_| InboxDone {
                inbox: InboxId(1),
                outcome: String::new(),
            };
            let commit = Commit {
                inbox_done: (0..count).map(done).collect(),
                ..Commit::default()
            };
            let (answer, _) = oneshot::channel();
            self.put(Op::Commit(Box::new(commit), answer));
        }

        fn put(&self, op: Op) {
            self.ask
                .try_send(op)
                .unwrap_or_else(|_| panic!("the queue is full"));
        }

        /// Deliveries and other operations of the next group.
        async fn next(&mut self) -> (usize, usize) {
            let group = self.queue.next().await.expect("somebody asks");
            let deliveries = group.iter().filter(|op| op.is_delivery()).count();
            (deliveries, group.len() - deliveries)
        }
    }

    /// Long enough for decisions to be held throughout a test.
    const TOOK: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn where_nothing_piles_up_all_that_waits_is_written_together() {
        let mut asked = Asked::new();
        asked.queue.turned(TOOK);
        asked.deliver(2);
        asked.decide(1);
        assert_eq!(asked.next().await, (2, 1));
    }

    #[tokio::test]
    async fn where_deliveries_pile_up_they_go_first() {
        let mut asked = Asked::new();
        asked.queue.turned(TOOK);
        asked.deliver(16);
        asked.decide(1);
        assert_eq!(asked.next().await, (16, 0));
        asked.deliver(5);
        assert_eq!(asked.next().await, (5, 0));
    }

    #[tokio::test]
    async fn decisions_get_their_share_however_many_deliveries_pile_up() {
        let mut asked = Asked::new();
        asked.queue.turned(TOOK);
        asked.decide(1);
        asked.deliver(16);
        assert_eq!(asked.next().await, (16, 0));
        asked.queue.until = Instant::now();
        asked.deliver(16);
        assert_eq!(asked.next().await, (16, 1));
    }

    #[tokio::test]
    async fn decisions_go_on_as_soon_as_nothing_comes() {
        let mut asked = Asked::new();
        asked.queue.turned(TOOK);
        asked.decide(1);
        asked.deliver(16);
        assert_eq!(asked.next().await, (16, 0));
        assert_eq!(asked.next().await, (0, 1));
    }

    #[tokio::test]
    async fn a_turn_is_no_longer_than_those_that_come_can_wait() {
        let mut asked = Asked::new();
        for _ in 0..3 {
            asked.decide(TURN / 2);
        }
        asked.decide(TURN * 2);
        asked.decide(0);
        assert_eq!(asked.next().await, (0, 2), "as many as fit");
        asked.deliver(1);
        assert_eq!(asked.next().await, (1, 1), "the next would be too much");
        assert_eq!(
            asked.next().await,
            (0, 2),
            "one alone is taken however much it decides"
        );
    }

    #[tokio::test]
    async fn what_waits_is_written_when_nobody_is_left_to_ask() {
        let mut asked = Asked::new();
        asked.queue.turned(TOOK);
        asked.decide(TURN);
        asked.decide(TURN);
        asked.deliver(16);
        drop(std::mem::replace(&mut asked.ask, mpsc::channel(1).0));
        assert_eq!(asked.next().await, (16, 0));
        assert_eq!(asked.next().await, (0, 1));
        assert_eq!(asked.next().await, (0, 1));
        assert!(asked.queue.next().await.is_none());
    }
}
