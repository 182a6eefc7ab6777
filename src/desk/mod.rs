//! PURE: what spans incidents. Numbers, people, the groups that give them roles, freezes. The locks on targets are rows of the store, because two
//! incidents can reach for one in the same instant and only the commit can tell who was first.

mod decide;
mod event;
mod groups;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{LINK_LASTS, Request, carry_out};
pub use event::{Event, Recorded, VERSION};
pub use groups::Member;
pub use state::{Group, Offer, Person, State};
