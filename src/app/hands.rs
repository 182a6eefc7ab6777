//! The engine's hands: probes and actions on real systems.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Joined;
use crate::catalog::When;
use crate::engine::Hands;
use crate::incident::{Answer, Approved, Asked, Outcome, Preview, Terms};

#[async_trait]
impl Hands for Joined {
    async fn ask(&self, asked: &Asked, onset: Option<DateTime<Utc>>) -> (Answer, Vec<u8>) {
        let when = When::new(onset, self.clock.now());
        self.systems
            .ask_again(&asked.probe, &asked.target, &asked.params, &when)
            .await
    }

    async fn preview(&self, terms: &Terms, _onset: Option<DateTime<Utc>>) -> Result<Preview, String> {
        self.systems
            .preview(terms)
            .await
            .map_err(|failure| failure.to_string())
    }

    async fn attempt(&self, approved: &Approved, terms: &Terms) -> Outcome {
        self.systems.attempt(approved, terms).await
    }

    fn entries(&self) -> BTreeMap<String, String> {
        self.systems.entries()
    }
}
