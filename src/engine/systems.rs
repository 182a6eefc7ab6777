//! What is done to systems: probes, previews, attempts. Results come back as requests.

use super::decide::With;
use super::end::End;
use super::{Engine, lock};
use crate::incident::{AttemptId, IncidentId, Moment, Outcome, ProbeRunId, ProposalId, Request, State};
use crate::store::{Commit, EffectId, Evidence, StoredEffect};

impl Engine {
    pub(super) async fn ask_probe(&self, id: EffectId, state: &State, run: ProbeRunId) -> End {
        let Some(asked) = state.runs.get(&run).map(|run| run.asked.clone()) else {
            return End::Done;
        };
        let onset = state.moments.get(&Moment::Onset).map(|onset| onset.at);
        let (mut answer, output) = self.inner.parts.hands.ask(&asked, onset).await;
        self.inner.counters.outcome("probe", answer.verdict.word());
        let incident = state.opening.number;
        let evidence =
            (!output.is_empty()).then(|| Evidence::new(incident, "text/plain; charset=utf-8", output));
        answer.output = evidence.as_ref().map(|evidence| evidence.sha256.to_string());
        for text in [&mut answer.summary, &mut answer.excerpt] {
            *text = self.masked(text);
        }
        let with = With {
            effect: Some(id),
            evidence,
            ..With::default()
        };
        self.back(incident, &Request::AnswerProbe { run, answer }, with)
            .await
    }

    pub(super) async fn preview(&self, id: EffectId, state: &State, proposal: ProposalId) -> End {
        let Some(terms) = state
            .proposals
            .get(&proposal)
            .map(|proposal| proposal.terms.clone())
        else {
            return End::Done;
        };
        let onset = state.moments.get(&Moment::Onset).map(|onset| onset.at);
        let request = match self.inner.parts.hands.preview(&terms, onset).await {
            // The operation stays as it is: it is what runs.
            Ok(mut preview) => {
                preview.effect = self.masked(&preview.effect);
                let preview = Box::new(preview);
                Request::Previewed { proposal, preview }
            }
            Err(why) => Request::PreviewFailed {
                proposal,
                why: self.masked(&why),
            },
        };
        let with = With {
            effect: Some(id),
            ..With::default()
        };
        self.back(state.opening.number, &request, with).await
    }

    /// The one place where a system is changed. Claimed first: after a crash a claim says that it may have happened.
    pub(super) async fn attempt(&self, stored: &StoredEffect, state: &State, attempt: AttemptId) -> End {
        let (id, incident) = (stored.id, state.opening.number);
        let ended = lock(&self.inner.ended).get(&id).cloned();
        if let Some(outcome) = ended {
            return self.end_attempt(id, incident, attempt, outcome).await;
        }
        let Some(approved) = state.approved(attempt) else {
            return End::Done;
        };
        if stored.claimed.is_some() {
            let why = "It was started, and nobody was there to hear how it ended.".to_owned();
            return self
                .end_attempt(id, incident, attempt, Outcome::Unknown { why })
                .await;
        }
        let Some(terms) = state
            .proposals
            .get(&approved.proposal())
            .map(|proposal| proposal.terms.clone())
        else {
            return End::Done;
        };
        let claim = Commit {
            at: self.now(),
            effects_claimed: vec![id],
            ..Commit::default()
        };
        if let Err(error) = self.commit(claim).await {
            let why = format!("Nothing was sent: the start could not be stored ({error}).");
            return self
                .end_attempt(id, incident, attempt, Outcome::NotDone { why })
                .await;
        }
        let outcome = self.inner.parts.hands.attempt(&approved, &terms).await;
        let (word, outcome) = match outcome {
            Outcome::Done { report } => {
                let report = self.masked(&report);
                ("done", Outcome::Done { report })
            }
            Outcome::NotDone { why } => {
                let why = self.masked(&why);
                ("not-done", Outcome::NotDone { why })
            }
            Outcome::Unknown { why } => {
                let why = self.masked(&why);
                ("unknown", Outcome::Unknown { why })
            }
        };
        self.inner.counters.outcome("action", word);
        self.end_attempt(id, incident, attempt, outcome).await
    }

    /// Writes down how an attempt ended. Where that fails the end is kept in memory and the writing is tried again,
    /// never the action; if the process ends before it succeeds, the claim says that nobody knows.
    async fn end_attempt(
        &self,
        id: EffectId,
        incident: IncidentId,
        attempt: AttemptId,
        outcome: Outcome,
    ) -> End {
        let with = With {
            effect: Some(id),
            ..With::default()
        };
        let request = Request::EndAttempt {
            attempt,
            outcome: outcome.clone(),
        };
        match self.back(incident, &request, with).await {
            End::Again { why, .. } => {
                tracing::error!(%incident, %attempt, why, "the end of an attempt could not be stored");
                lock(&self.inner.ended).insert(id, outcome);
                End::Rest(why)
            }
            end => {
                lock(&self.inner.ended).remove(&id);
                end
            }
        }
    }

    fn masked(&self, text: &str) -> String {
        (self.inner.parts.mask)(text)
    }
}
