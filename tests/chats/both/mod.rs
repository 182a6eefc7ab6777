//! One incident with a room on Slack and one on Discord, at once.

mod kit;
mod rooms;
mod story;
