//! Waiting: for an acknowledgement, and for anything else that should come about.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::deliver::{Ack, Delivery};
use super::state::State;
use super::{REAL_TIME_GUARD, Shared, lost};

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

impl Shared {
    /// Waits until the question has an answer. Woken by every change; the guard is for a test that hangs.
    pub(super) async fn wait<R>(&self, what: &str, mut ask: impl FnMut(&State) -> Option<R>) -> R {
        let mut changed = self.changed.subscribe();
        let found = async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = self.read(&mut ask) {
                    return found;
                }
                // The sender lives in self.
                let _ = changed.changed().await;
            }
        };
        match tokio::time::timeout(REAL_TIME_GUARD, found).await {
            Ok(found) => found,
            Err(_) => panic!("waited in vain for {what}\n{}", lost(self)),
        }
    }
}
