//! The program on a Slack workspace: whole days and bad ones, over both transports.

mod burst;
mod doctor;
mod faults;
mod groups;
mod hands;
mod kit;
mod opening;
mod story;
