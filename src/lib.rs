//! Orderly: an incident-response chat bot. See ARCHITECTURE.md for the walk of one event through these rooms.

pub mod chat;
pub mod clock;
pub mod driver;
pub mod incident;
pub mod web;
