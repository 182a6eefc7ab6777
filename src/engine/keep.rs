//! Keeping folded what a long journal says. The journal stays the truth: what is kept here may be lost at any time.

use super::{Engine, Loaded, journal};
use crate::incident::IncidentId;
use crate::store::{Hash, Stream};

/// Events after which a state is kept anew. So many are read and folded in some milliseconds, and most incidents never
/// have as many.
pub(super) const EVERY: u64 = 1_000;

impl Engine {
    /// Has the state kept where it has moved far enough, once whoever has it in hand is done.
    pub(super) fn keep_later(&self, incident: IncidentId, loaded: &mut Loaded) {
        let Some(state) = &loaded.state else { return };
        if state.seq < loaded.kept + EVERY {
            return;
        }
        // Not tried again before the next turn, whatever comes of this one.
        loaded.kept = state.seq;
        let (engine, busy) = (self.clone(), self.busy());
        tokio::spawn(async move {
            engine.keep_state(incident).await;
            drop(busy);
        });
    }

    /// Held for as long as it takes: so nothing is kept that a redaction has removed in between.
    async fn keep_state(&self, incident: IncidentId) {
        let loaded = self.loaded(incident);
        let loaded = loaded.lock().await;
        let Some(hash) = self.stands_at(incident, &loaded).await else {
            return;
        };
        let snapshot = loaded
            .state
            .as_ref()
            .and_then(|state| journal::snapshot(state, &hash));
        let Some(snapshot) = snapshot else { return };
        if let Err(error) = self.inner.parts.store.put_snapshot(snapshot).await {
            tracing::warn!(%incident, %error, "a state could not be kept; the next start reads more of its journal");
        }
    }

    /// The hash of the last event that is in the state.
    async fn stands_at(&self, incident: IncidentId, loaded: &Loaded) -> Option<Hash> {
        let seq = loaded.state.as_ref()?.seq;
        match loaded.recent.back() {
            Some((last, hash)) if last.seq == seq => Some(*hash),
            _ => {
                let head = self
                    .inner
                    .parts
                    .store
                    .head(Stream::Incident(incident))
                    .await
                    .ok()?;
                (head.seq == seq).then_some(head.hash)
            }
        }
    }
}
