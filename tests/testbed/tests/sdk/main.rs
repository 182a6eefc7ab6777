//! The fakes of chat platforms, checked by driving them with libraries that others wrote.

mod bots;
mod discord;
mod slack;
