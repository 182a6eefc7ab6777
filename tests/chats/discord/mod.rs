//! The program on a Discord server: whole days and bad ones.

mod away;
mod doctor;
mod faults;
mod forms;
mod hands;
mod killed;
mod kit;
mod look;
mod platform;
mod reach;
mod refused;
mod rooms;
mod slow;
mod story;
mod typing;

pub use platform::Guild;
