//! Waiting: for an acknowledgement, and for anything else that should come about.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::Shared;
use super::deliver::{Ack, Delivery};
use super::state::State;

/// Something that went to the bot. Awaiting it gives the acknowledgement; not awaiting it is fine too.
pub struct Sent {
    shared: Arc<Shared>,
    serial: u64,
}

impl Sent {
    pub(super) fn new(shared: &Arc<Shared>, serial: u64) -> Self {
        Self {
            shared: shared.clone(),
            serial,
        }
    }

    /// What was sent, and every try to deliver it.
    pub fn delivery(&self) -> Delivery {
        self.shared
            .read(|state| state.deliveries.all.get(&self.serial).cloned())
            .expect("deliveries are kept")
    }

    pub fn trigger_id(&self) -> String {
        self.delivery().payload["trigger_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub fn response_url(&self) -> String {
        self.delivery().payload["response_url"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The acknowledgement, or why there will be none. Waits for either.
    pub async fn outcome(&self) -> Result<Ack, String> {
        let settled = |state: &State| {
            state
                .deliveries
                .all
                .get(&self.serial)
                .and_then(|d| d.settled.clone())
        };
        let what = format!("an acknowledgement of {}", self.delivery().payload);
        self.shared.wait(&what, settled).await
    }
}

impl IntoFuture for Sent {
    type Output = Ack;
    type IntoFuture = Pin<Box<dyn Future<Output = Ack> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.outcome()
                .await
                .unwrap_or_else(|why| panic!("not acknowledged ({why}): {}", self.delivery().payload))
        })
    }
}
