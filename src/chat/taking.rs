//! Handing a delivery in, within the time that a platform waits.

use std::sync::Arc;

use chrono::TimeDelta;
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

/// Hands a delivery in. It is handed in whole even if nobody waits for it any more.
pub async fn take(intake: &Arc<dyn Intake>, clock: &dyn Clock, delivery: Delivery) -> Taken {
    let intake = Arc::clone(intake);
    let (tell, mut told) = oneshot::channel();
    tokio::spawn(async move {
        // Whoever gave up waiting needs no answer.
        let _ = tell.send(intake.take(delivery).await);
    });
    tokio::select! {
        biased;
        taken = &mut told => match taken {
            Ok(Ok(id)) => Taken::Yes(id),
            Ok(Err(why)) => Taken::No(why),
            Err(_) => Taken::Late(oneshot::channel().1),
        },
        () = clock.until(clock.now() + TAKE_MAX) => Taken::Late(told),
    }
}
