//! That the tests' Discord does what Discord does.

mod bot;
mod commands;
mod gateway;
mod interactions;
mod library;
mod limits;
mod messages;
mod rooms;
