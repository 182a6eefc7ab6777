//! The program on chat platforms, on the real wire: what each of them does in its own way, each in its folder.

mod discord;
mod slack;
