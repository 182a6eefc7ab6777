//! The proof that an operation may run.

use super::action::Operation;
use super::words::{AttemptId, ProposalId};

/// An approved operation whose attempt stands in the journal.
///
/// Only the state of an incident makes one, and only for an attempt that was started and has not ended, so a driver
/// that takes this as an argument cannot run anything else.
#[derive(Debug, Clone)]
pub struct Approved {
    proposal: ProposalId,
    attempt: AttemptId,
    target: String,
    operation: Operation,
}

impl Approved {
    pub(super) fn new(
        proposal: ProposalId,
        attempt: AttemptId,
        target: String,
        operation: Operation,
    ) -> Self {
        Self {
            proposal,
            attempt,
            target,
            operation,
        }
    }

    pub fn proposal(&self) -> ProposalId {
        self.proposal
    }

    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Name of the target it was approved for.
    pub fn target(&self) -> &str {
        &self.target
    }

    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// A proof without an incident, for the tests of drivers.
    #[cfg(test)]
    pub fn for_tests(target: &str, operation: Operation) -> Self {
        Self::new(ProposalId(1), AttemptId(1), target.to_owned(), operation)
    }
}
