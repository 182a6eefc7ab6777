//! The program on a Slack workspace: whole days and bad ones, over both transports.

mod away;
mod burst;
mod disorder;
mod doctor;
mod faults;
mod groups;
mod hands;
mod hostile;
mod killed;
mod kit;
mod lessons;
mod menus;
mod opening;
mod platform;
mod rooms;
mod signed;
mod slow;
mod sockets;
mod story;
mod threads;

pub use platform::Workspace;
