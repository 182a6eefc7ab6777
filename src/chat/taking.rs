//! Handing a delivery in, within the time that a platform waits.

use std::sync::Arc;
use std::time::Duration;

use super::{Delivery, Intake, Refused};

/// Platforms wait three seconds for an answer: this for storing, about as much for deciding, the rest for the way.
const TAKE_MAX: Duration = Duration::from_millis(1300);

/// What somebody is told who was not told in time: it may well be stored.
pub const NOT_CONFIRMED: &str =
    "Not confirmed yet: the database is slow. Look at the card before you try again; nothing is half done.";

pub enum Taken {
    Yes(Option<u64>),
    No(Refused),
    /// Not known in time; it may be stored all the same.
    Late,
}

/// Hands a delivery in. It is handed in whole even if nobody waits for it any more.
pub async fn take(intake: &Arc<dyn Intake>, delivery: Delivery) -> Taken {
    let intake = Arc::clone(intake);
    let handing = tokio::spawn(async move { intake.take(delivery).await });
    match tokio::time::timeout(TAKE_MAX, handing).await {
        Ok(Ok(Ok(id))) => Taken::Yes(id),
        Ok(Ok(Err(why))) => Taken::No(why),
        Ok(Err(_)) | Err(_) => Taken::Late,
    }
}
