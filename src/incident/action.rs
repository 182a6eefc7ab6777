//! An action as it stands in the journal: its terms, its exact operation, and what became of it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{Environment, Params, PersonId, ProposalId, Risk, Role, Verdict};

/// What is asked for: resolved from the catalog and the config before it reaches the core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Name of the catalog entry (`odoo.cron.disable`).
    pub action: String,
    /// What it does, as a sentence for people.
    pub title: String,
    pub params: Params,
    pub target: String,
    pub environment: Environment,
    /// SHA-256 of the catalog entry, hex; a changed entry voids the proposal.
    pub entry_digest: String,
    pub risk: Risk,
    pub policy: Policy,
    /// Stops damage: a verified one closes the Contain phase and is listed until lifted.
    pub containment: bool,
    /// Changes the system by hand: must be reconciled into Git or waived before recovery closes.
    pub manual_change: bool,
    /// A probe that must hold right before the attempt.
    pub precondition: Option<Check>,
    /// A probe that tells whether it worked; also settles an unknown attempt.
    pub verify: Option<Check>,
    /// The action that takes it back; `None`: marked as not undoable.
    pub undo: Option<UndoTerms>,
    /// Set when this proposal itself undoes another.
    pub undoes: Option<ProposalId>,
}

/// Who must agree, and for how long the question stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Approvals needed; zero only where the catalog says `quorum = 0` in so many words.
    pub quorum: u32,
    /// Role that counts; `None`: any member but the proposer.
    pub role: Option<Role>,
    /// Seconds until a waiting proposal expires.
    pub expires_s: u64,
}

/// A probe with the verdict it must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    pub probe: String,
    pub target: String,
    pub params: Params,
    /// The verdict that passes.
    pub wants: Verdict,
    /// The probe's verdict expressions, so that the digest binds them.
    pub expression: String,
}

/// Longest time a proposal stands, in seconds: a day. Nobody should approve what was shown yesterday.
const LONGEST_OPEN_S: u64 = 86_400;

impl Policy {
    /// Seconds for which a proposal stands, within reason whatever the catalog says.
    pub fn stands_for_s(&self) -> i64 {
        self.expires_s.min(LONGEST_OPEN_S) as i64
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UndoTerms {
    pub action: String,
    pub params: Params,
    /// A lighter policy, if the catalog says so.
    pub policy: Option<Policy>,
}

/// The exact operation, rendered. What is approved is this, to the byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Operation {
    /// Driver that performs it (`postgres`, `http`, `redis`, `process`).
    pub driver: String,
    /// What people read: the statement with its bound values, the request, the argv.
    pub display: String,
    /// What the driver gets; its shape is the driver's own.
    pub call: serde_json::Value,
    /// What was read for the preview and is checked again by the operation itself (backend start time, row id).
    pub guards: serde_json::Map<String, serde_json::Value>,
}

/// What the preview found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    pub operation: Operation,
    /// What would change, as text: the row now, the server's dry run.
    pub effect: String,
    /// Whether a server-side dry run was done.
    pub dry_run: bool,
}

/// How an attempt ended, as far as the driver can know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The system answered that it did it.
    Done { report: String },
    /// Certain that nothing happened: refused by the system or by a guard, or nothing was ever sent.
    NotDone { why: String },
    /// Sent, and no certain answer. Never read as failed.
    Unknown { why: String },
}

/// One person's yes. Who may still count is asked anew each time it matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    pub by: PersonId,
    pub at: DateTime<Utc>,
    pub reason: Option<String>,
    /// The digest that was shown to them.
    pub digest: String,
}

/// The answer of a probe, as kept in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    pub verdict: Verdict,
    /// One line: the numbers that led to the verdict, masked.
    pub summary: String,
    /// A short table or text for the card, masked and cut.
    pub excerpt: String,
    /// What the bad verdict means for the business, from the catalog.
    pub impact: Option<String>,
    pub duration_ms: u64,
    /// The full output, kept beside the journal: SHA-256 of its bytes, hex.
    pub output: Option<String>,
    /// What limits the trust in it: truncated, run as superuser, network allowed.
    pub caveats: Vec<String>,
}
