//! PURE: what an incident is and which rules hold. No I/O, no clock, no other room of the house.

mod action;
mod approved;
mod event;
mod fold;
mod plan;
mod proposal;
mod refusal;
mod state;
mod words;

pub use action::{Answer, Approval, Check, Operation, Outcome, Policy, Preview, Terms, UndoTerms};
pub use approved::Approved;
pub use event::{
    Asked, By, Event, Frame, Link, Marked, Opening, Passage, Purpose, Recorded, Settings, Unreadable, VERSION,
};
pub use plan::{Branch, BranchRef, Plan, PlanPhase, Step, StepKind};
pub use proposal::{BreakGlass, Containment, Proposal, Shown, Stage, digest};
pub use refusal::Refusal;
pub use state::*;
pub use words::*;
