//! Waiting: for a first response, and for anything else that should come about.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use super::Shared;
use super::interaction::{Answer, Interaction};
use super::state::State;

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
