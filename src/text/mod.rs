//! Text that strangers wrote, made safe to show; and small quantities, written for people and read from them.
//!
//! Escaping for a platform (Slack, Discord, HTML) is the business of its adapter and is deliberately absent here.

mod clean;
mod cut;
mod human;

pub use clean::clean;
pub use cut::{Cut, cut};
pub use human::{
    BadQuantity, human_bytes, human_duration, parse_bytes, parse_duration, write_bytes, write_duration,
};

#[cfg(test)]
mod tests;
