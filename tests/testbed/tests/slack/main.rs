//! That the fake Slack does what Slack does.

mod bot;
mod delivery;
mod faults;
mod forms;
mod web_api;
