//! Orderly: an incident-response chat bot. See ARCHITECTURE.md for the walk of one event through these rooms.

pub mod clock;
pub mod config;
pub mod driver;
pub mod incident;
pub mod mask;
pub mod text;
