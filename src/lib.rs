//! Orderly: an incident-response chat bot. See ARCHITECTURE.md for the walk of one event through these rooms.

pub mod chat;
pub mod catalog;
pub mod clock;
pub mod config;
pub mod desk;
pub mod driver;
pub mod engine;
pub mod incident;
pub mod mask;
pub mod runbook;
pub mod store;
pub mod text;
pub mod postmortem;
pub mod timeline;
pub mod web;
