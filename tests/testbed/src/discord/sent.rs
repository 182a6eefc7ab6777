//! Waiting: for a first response, and for anything else that should come about.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::interaction::{Answer, Interaction};
use super::state::State;
use super::{REAL_TIME_GUARD, Shared, lost};

/// An interaction that went to the bot. Awaiting it gives the first response; not awaiting it is fine too.
pub struct Sent {
    shared: Arc<Shared>,
    id: String,
}

impl Sent {
    pub(super) fn new(shared: &Arc<Shared>, id: String) -> Self {
        Self {
            shared: shared.clone(),
            id,
        }
    }

    /// What was sent, and what came of it so far.
    pub fn interaction(&self) -> Interaction {
        self.shared
            .read(|state| state.interactions.get(&self.id).cloned())
            .expect("interactions are kept")
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn token(&self) -> String {
        self.interaction().token
    }

    /// The first response, or what the person is told instead. Waits for either.
    pub async fn outcome(&self) -> Result<Answer, String> {
        let settled = |state: &State| state.interactions.get(&self.id)?.settled.clone();
        let what = format!("a response to {}", self.interaction().payload["data"]);
        self.shared.wait(&what, settled).await
    }
}

impl IntoFuture for Sent {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.outcome()
                .await
                .unwrap_or_else(|why| panic!("{why}: {}", self.interaction().payload["data"]))
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
