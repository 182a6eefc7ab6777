//! The program on a Discord server: whole days and bad ones.

mod doctor;
mod faults;
mod hands;
mod kit;
mod reach;
mod rooms;
mod story;
