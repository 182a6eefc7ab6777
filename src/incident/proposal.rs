//! The life of an action, as one table: which stage may follow which.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::action::{Approval, Operation, Preview, Terms};
use super::words::*;

/// Where a proposal stands. Each stage owns just the data that is true in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Asked for; the exact operation is being rendered.
    Drafted,
    PreviewFailed {
        why: String,
    },
    /// Shown, open for approval.
    Waiting {
        shown: Shown,
    },
    Refused {
        by: PersonId,
        reason: String,
    },
    Withdrawn {
        by: Option<PersonId>,
        reason: Option<String>,
    },
    Expired,
    Voided {
        why: String,
    },
    /// Quorum reached; precondition and "before" are being asked, or a freeze or another attempt holds it.
    Cleared {
        shown: Shown,
        held: Option<String>,
    },
    PreconditionFailed {
        why: String,
    },
    Running {
        shown: Shown,
        attempt: AttemptId,
    },
    /// Sent, and nobody knows. Waits for a probe or a person.
    Unknown {
        shown: Shown,
        attempt: AttemptId,
        why: String,
    },
    NotDone {
        attempt: AttemptId,
        why: String,
    },
    /// Done, as the system says; being verified.
    Done {
        shown: Shown,
        attempt: AttemptId,
        report: String,
    },
    Verified {
        shown: Shown,
        attempt: AttemptId,
        worked: bool,
        grounds: String,
    },
}

/// What people saw and what their approval binds to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub preview: Preview,
    pub digest: String,
    pub expires: DateTime<Utc>,
}

/// Whether containment is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Containment {
    InForce { since: DateTime<Utc> },
    Lifted { grounds: String, at: DateTime<Utc> },
    Accepted { by: Option<PersonId>, reason: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    pub id: ProposalId,
    pub terms: Terms,
    /// Why it was proposed, in the proposer's words.
    pub reason: String,
    pub proposer: Option<PersonId>,
    pub at: DateTime<Utc>,
    /// Journal number of the draft, for citing it.
    pub event: u64,
    pub break_glass: Option<BreakGlass>,
    pub stage: Stage,
    /// When it came to this stage.
    pub since: DateTime<Utc>,
    pub approvals: Vec<Approval>,
    /// How often a waiting proposal asked again.
    pub asked_again: u32,
    /// Runs of the precondition, before and verify probes, newest last.
    pub checks: Vec<ProbeRunId>,
    pub containment: Option<Containment>,
    /// The verification that said it worked, by its journal number; later damage needs a later one.
    pub verified: Option<u64>,
    /// When that was.
    pub verified_at: Option<DateTime<Utc>>,
}

/// A step that the table of stages does not allow. The journal that asks for it was tampered with, or the program that
/// wrote it has a defect; the step is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "event #{event}: {proposal} is {from} and cannot become {to}; run `orderly journal verify`, and report this"
)]
pub struct Illegal {
    pub event: u64,
    pub proposal: ProposalId,
    pub from: &'static str,
    pub to: &'static str,
}

/// An attempt without its approvals. Stays open until somebody reviewed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    pub by: Option<PersonId>,
    pub reason: String,
    pub reviewed: Option<String>,
}

impl Stage {
    /// One word, for cards and for errors.
    pub fn word(&self) -> &'static str {
        match self {
            Stage::Drafted => "preparing",
            Stage::PreviewFailed { .. } => "no preview",
            Stage::Waiting { .. } => "waiting for approval",
            Stage::Refused { .. } => "refused",
            Stage::Withdrawn { .. } => "withdrawn",
            Stage::Expired => "expired",
            Stage::Voided { .. } => "void",
            Stage::Cleared { held: None, .. } => "approved",
            Stage::Cleared { held: Some(_), .. } => "approved, held",
            Stage::PreconditionFailed { .. } => "stopped by its precondition",
            Stage::Running { .. } => "running",
            Stage::Unknown { .. } => "outcome unknown",
            Stage::NotDone { .. } => "not done",
            Stage::Done { .. } => "done, being verified",
            Stage::Verified { worked: true, .. } => "verified",
            Stage::Verified { worked: false, .. } => "done, did not help",
        }
    }

    /// The same in a sentence: `A1 …`.
    pub fn says(&self) -> String {
        match self {
            Stage::PreviewFailed { .. } => "has no preview".to_owned(),
            Stage::Unknown { .. } => "has an unknown outcome".to_owned(),
            Stage::NotDone { .. } => "was not done".to_owned(),
            Stage::Verified { worked: false, .. } => "was done and did not help".to_owned(),
            stage => format!("is {}", stage.word()),
        }
    }

    /// The table of legal steps. Every other pair is an [`Illegal`] that names both.
    pub fn may_become(&self, next: &Stage) -> bool {
        use Stage::*;
        matches!(
            (self, next),
            (
                Drafted,
                PreviewFailed { .. } | Waiting { .. } | Withdrawn { .. } | Voided { .. }
            ) | (
                Waiting { .. },
                Refused { .. } | Withdrawn { .. } | Expired | Voided { .. } | Cleared { .. }
            ) | (
                Cleared { .. },
                Cleared { .. }
                    | Withdrawn { .. }
                    | Refused { .. }
                    | Expired
                    | Voided { .. }
                    | PreconditionFailed { .. }
                    | Running { .. }
            ) | (Running { .. }, Done { .. } | NotDone { .. } | Unknown { .. })
                | (Unknown { .. }, Done { .. } | NotDone { .. })
                | (Done { .. }, Verified { .. })
                | (Verified { worked: false, .. }, Verified { .. })
        )
    }

    /// Neither waiting for anybody nor running: nothing more will happen by itself.
    pub fn is_over(&self) -> bool {
        !matches!(
            self,
            Stage::Drafted
                | Stage::Waiting { .. }
                | Stage::Cleared { .. }
                | Stage::Running { .. }
                | Stage::Unknown { .. }
                | Stage::Done { .. }
        )
    }

    pub fn shown(&self) -> Option<&Shown> {
        match self {
            Stage::Waiting { shown }
            | Stage::Cleared { shown, .. }
            | Stage::Running { shown, .. }
            | Stage::Unknown { shown, .. }
            | Stage::Done { shown, .. }
            | Stage::Verified { shown, .. } => Some(shown),
            _ => None,
        }
    }

    /// The attempt, once there is one.
    pub fn attempt(&self) -> Option<AttemptId> {
        match self {
            Stage::Running { attempt, .. }
            | Stage::Unknown { attempt, .. }
            | Stage::NotDone { attempt, .. }
            | Stage::Done { attempt, .. }
            | Stage::Verified { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }
}

/// The digest an approval binds to: action, its entry, parameters, target, the rendered operation, and what the
/// precondition and the verification ask and want. Not what they answered: that is asked again right before.
pub fn digest(terms: &Terms, operation: &Operation) -> String {
    let bound = serde_json::json!({
        "action": terms.action,
        "entry": terms.entry_digest,
        "params": terms.params,
        "target": terms.target,
        "environment": terms.environment,
        "operation": operation,
        "precondition": terms.precondition,
        "verify": terms.verify,
        "undoes": terms.undoes,
    });
    hex::encode(Sha256::digest(bound.to_string().as_bytes()))
}
