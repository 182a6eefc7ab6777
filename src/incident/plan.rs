//! The plan an incident follows: what a runbook says, in the form the core walks through.
//!
//! A plan is pinned when the incident opens and lies in the journal as a whole, so that a later edit of the runbook
//! file changes no incident that runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{Line, Params, Phase, Verdict};

/// A runbook as pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Name of the runbook (`month-end-posting`).
    pub name: String,
    pub title: String,
    /// SHA-256 of the file's bytes, hex.
    pub digest: String,
    /// All six phases, in order; a phase the runbook leaves out has no steps.
    pub phases: Vec<PlanPhase>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanPhase {
    pub phase: Phase,
    /// Why this phase, in a sentence or two of Markdown. May be empty.
    pub intro: String,
    pub steps: Vec<Step>,
    /// What must hold to leave this phase besides its required steps; `None` where the runbook adds nothing.
    #[serde(default)]
    pub leave: Option<Leave>,
}

/// The condition a runbook sets on leaving a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leave {
    /// As written, inline Markdown.
    pub text: String,
    /// The part of it a machine can check. Empty: people judge.
    pub verdicts: Vec<WantedVerdict>,
}

/// The latest answer of this probe in the incident must be one of these verdicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WantedVerdict {
    pub probe: String,
    /// `None`: on whichever target it was asked last.
    pub target: Option<String>,
    pub verdicts: Vec<Verdict>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// `contain.2`: phase and position; what people type.
    pub id: String,
    /// The step as written, inline Markdown.
    pub text: String,
    pub kind: StepKind,
    /// Must be done or skipped with a reason before the phase can be left.
    pub required: bool,
    /// Applies only when this branch of a decision step was taken.
    pub branch: Option<BranchRef>,
    /// The triage line it belongs to, where the runbook says so.
    pub line: Option<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BranchRef {
    /// Id of the decision step.
    pub step: String,
    /// Name of the branch.
    pub branch: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StepKind {
    /// A person does it and says so.
    Do,
    /// A person answers a question; the answer is kept.
    Ask { question: String },
    /// The bot asks a system.
    Probe {
        name: String,
        target: Option<String>,
        params: Params,
    },
    /// The bot proposes a change.
    Action {
        name: String,
        target: Option<String>,
        params: Params,
    },
    /// A person picks a way on; steps of the other branches no longer count.
    Branch { question: String, branches: Vec<Branch> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Branch {
    /// One word.
    pub name: String,
    /// What the button says.
    pub label: String,
}
