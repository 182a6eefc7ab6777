//! PURE: what an incident is and which rules hold. No I/O, no clock, no other room of the house.

mod action;
mod approved;
mod decide;
mod effect;
mod event;
mod fold;
mod gate;
mod plan;
mod proposal;
mod react;
mod refusal;
mod remember;
mod request;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod words;

pub use action::{Answer, Approval, Check, Operation, Outcome, Policy, Preview, Terms, UndoTerms};
pub use approved::Approved;
pub use decide::{LONGEST_NAME, LONGEST_OPERATION, LONGEST_TEXT, carry_out};
pub use effect::{Effect, Slot};
pub use event::{
    Asked, By, Event, Frame, Gap, Link, Marked, Objectives, Opening, Passage, Purpose, Recorded,
    RoomSettings, Settings, Unreadable, VERSION,
};
pub use gate::Condition;
pub use plan::{Branch, BranchRef, Leave, Plan, PlanPhase, Step, StepKind, WantedVerdict};
pub use proposal::{BreakGlass, Containment, Illegal, Proposal, Shown, Stage, digest};
pub use react::{HELD_EVERY_S, react};
pub use refusal::{NO_COMMAND, Refusal};
pub use remember::FOLDING;
pub use request::{Freeze, GroupStanding, MarkedAt, ProbeRequest, Request, Standing, Surroundings, TimerKey};
pub use state::*;
pub use words::*;
