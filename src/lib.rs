//! Orderly: an incident-response chat bot. See ARCHITECTURE.md for the walk of one event through these rooms.

pub mod app;
#[cfg(test)]
mod architecture;
pub mod catalog;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod desk;
pub mod driver;
pub mod engine;
pub mod inbox;
pub mod incident;
pub mod mask;
pub mod postmortem;
pub mod runbook;
pub mod store;
pub mod text;
pub mod timeline;
pub mod view;
pub mod web;
