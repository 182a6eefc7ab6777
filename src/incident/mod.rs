//! PURE: what an incident is and which rules hold. No I/O, no clock, no other room of the house.

mod action;
mod approved;
mod plan;
mod words;

pub use action::{Answer, Approval, Check, Operation, Outcome, Policy, Preview, Terms, UndoTerms};
pub use approved::Approved;
pub use plan::{Branch, BranchRef, Leave, Plan, PlanPhase, Step, StepKind, WantedVerdict};
pub use words::*;
