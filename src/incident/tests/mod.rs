//! The rules, told as stories. Every story runs under the invariants of `invariants.rs`, whatever it is about.

mod actions;
mod clocks;
mod containment;
mod damage;
mod effects;
mod endings;
mod gates;
mod groups;
mod invariants;
pub(crate) mod kit;
mod marked;
mod opening;
mod order;
mod people;
mod properties;
mod recovery;
mod review;
mod rooms;
mod schema;
mod stages;
mod steps;
mod timeline;
mod updates;
