//! The program on a Discord server: whole days and bad ones.

mod doctor;
mod faults;
mod hands;
mod kit;
mod look;
mod platform;
mod reach;
mod rooms;
mod story;
mod typing;

pub use platform::Guild;
