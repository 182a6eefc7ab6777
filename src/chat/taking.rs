//! Handing a delivery in, within the time that a platform waits.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Delivery, Intake, NOT_CONFIRMED, Refused};
use crate::clock::Clock;

/// Platforms wait three seconds for an answer: this for storing, about as much for deciding, the rest for the way.
const TAKE_MAX: TimeDelta = TimeDelta::milliseconds(1300);

/// What somebody is told who could not be told more in time: it may well be stored.
pub fn not_confirmed() -> String {
    format!(
        "{NOT_CONFIRMED}: the database is slow. Look at the card before you try again; nothing is half done."
    )
}

/// What becomes of a delivery that was not stored in time. Without an answer it failed badly, and the log has it.
pub type Later = oneshot::Receiver<Result<Option<u64>, Refused>>;

pub enum Taken {
    Yes(Option<u64>),
    No(Refused),
    /// Not known in time; it may be stored all the same.
    Late(Later),
}

impl Taken {
    /// Whether it is stored, however long that takes: for what nobody waits for.
    pub async fn in_the_end(self) -> bool {
        match self {
            Self::Yes(_) => true,
            Self::No(_) => false,
            Self::Late(later) => matches!(later.await, Ok(Ok(_))),
        }
    }
}

/// Hands a delivery in. It is handed in whole even if nobody waits for it any more.
pub async fn take(intake: &Arc<dyn Intake>, clock: &dyn Clock, delivery: Delivery) -> Taken {
    let intake = Arc::clone(intake);
    let handed_in = AssertUnwindSafe(async move { intake.take(delivery).await }).catch_unwind();
    let mut taking = Whole(Some(handed_in.boxed()));
    tokio::select! {
        biased;
        taken = &mut taking => match taken {
            Ok(Ok(id)) => Taken::Yes(id),
            Ok(Err(why)) => Taken::No(why),
            Err(_) => Taken::Late(oneshot::channel().1),
        },
        () = clock.until(clock.now() + TAKE_MAX) => Taken::Late(taking.later()),
    }
}

type HandedIn = Result<Result<Option<u64>, Refused>, Box<dyn Any + Send>>;

/// Goes on by itself when nobody waits for it any more. Not a task from the beginning: waking another thread for each
/// would cost more than handing it in does.
struct Whole(Option<BoxFuture<'static, HandedIn>>);

impl Whole {
    /// Goes on, and tells how it ended.
    fn later(mut self) -> Later {
        let (tell, told) = oneshot::channel();
        if let Some(rest) = self.0.take() {
            tokio::spawn(async move {
                if let Ok(taken) = rest.await {
                    // Whoever gave up waiting needs no answer.
                    let _ = tell.send(taken);
                }
            });
        }
        told
    }
}

impl Future for Whole {
    type Output = HandedIn;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<HandedIn> {
        let Some(rest) = &mut self.0 else {
            return Poll::Pending;
        };
        let taken = ready!(rest.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(taken)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // Without a runtime the program is ending, and what is stored is decided after the next start.
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use chrono::DateTime;
    use futures::{pin_mut, poll};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::chat::{Incoming, Verdict};
    use crate::clock::ManualClock;
    use crate::incident::{Identity, RoomRef};

    /// Takes a delivery in once it is let.
    struct Slow {
        let_in: Semaphore,
        taken: Semaphore,
    }

    #[async_trait]
    impl Intake for Slow {
        async fn take(&self, delivery: Delivery) -> Result<Option<u64>, Refused> {
            let let_in = self.let_in.acquire().await;
            let_in.expect("nobody closes it").forget();
            assert_ne!(delivery.key, "cursed");
            self.taken.add_permits(1);
            Ok(Some(7))
        }

        async fn decided(&self, _: u64) -> Verdict {
            std::future::pending().await
        }

        fn masked(&self, typed: &str) -> String {
            typed.to_owned()
        }

        async fn complete(&self, _: &Identity, _: &RoomRef, _: &str) -> Vec<(String, String)> {
            Vec::new()
        }
    }

    fn slow() -> (Arc<Slow>, Arc<dyn Intake>, ManualClock) {
        let slow = Arc::new(Slow {
            let_in: Semaphore::new(0),
            taken: Semaphore::new(0),
        });
        (Arc::clone(&slow), slow, ManualClock::at(DateTime::UNIX_EPOCH))
    }

    fn delivery(key: &str) -> Delivery {
        let from = Identity {
            platform: "page".to_owned(),
            workspace: String::new(),
            user: "ana".to_owned(),
        };
        let room = RoomRef {
            platform: "page".to_owned(),
            workspace: String::new(),
            room: "lobby".to_owned(),
        };
        Delivery {
            key: key.to_owned(),
            subject: None,
            received: DateTime::UNIX_EPOCH,
            incoming: Incoming::Command {
                from,
                room,
                text: "status".to_owned(),
                trigger: None,
                thread: None,
            },
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_handed_in_whole() {
        let (slow, intake, clock) = slow();
        {
            let taking = take(&intake, &clock, delivery("a"));
            pin_mut!(taking);
            assert!(poll!(&mut taking).is_pending());
        }
        slow.let_in.add_permits(1);
        slow.taken.acquire().await.expect("it is taken").forget();
    }

    #[tokio::test]
    async fn what_is_late_says_later_what_became_of_it() {
        let (slow, intake, clock) = slow();
        let taking = take(&intake, &clock, delivery("a"));
        pin_mut!(taking);
        assert!(poll!(&mut taking).is_pending());
        clock.advance(TAKE_MAX);
        let Taken::Late(later) = taking.await else {
            panic!("it cannot be known yet");
        };
        slow.let_in.add_permits(1);
        assert_eq!(later.await, Ok(Ok(Some(7))));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_stored_however_late() {
        let (slow, intake, clock) = slow();
        let stored = async { take(&intake, &clock, delivery("a")).await.in_the_end().await };
        pin_mut!(stored);
        assert!(poll!(&mut stored).is_pending());
        clock.advance(TAKE_MAX);
        assert!(poll!(&mut stored).is_pending());
        slow.let_in.add_permits(1);
        assert!(stored.await);
    }

    #[tokio::test]
    async fn a_defect_in_handing_in_costs_nobody_else_anything() {
        let (slow, intake, clock) = slow();
        slow.let_in.add_permits(1);
        let Taken::Late(later) = take(&intake, &clock, delivery("cursed")).await else {
            panic!("nobody knows what became of it");
        };
        assert!(later.await.is_err());
    }
}
