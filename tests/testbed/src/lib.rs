//! Real servers for tests, and a Slack and a Discord of their own.
//!
//! `Postgres::start().await` and `Redis::start().await` give a server of the test's own on a free port of 127.0.0.1,
//! with roles to play with, and take it away when the value is dropped or the test process dies, however it dies.
//! `Cut` stands between a client and a server and breaks the line at a chosen moment. `odoo` has miniature Odoo
//! schemas with the real columns of each version.
//!
//! Those are no stand-ins: a missing server program fails the test and names the Debian package to install. Slack and
//! Discord cannot be had that way: `slack` and `discord` speak their wires, and are themselves checked by driving them
//! with Slack's own libraries, and with the libraries that most bots on Discord are made of.

mod calls;
mod cut;
pub mod discord;
pub mod odoo;
mod place;
mod postgres;
mod process;
mod redis;
mod shared;
pub mod slack;

pub use cut::{Cut, Then};
pub use place::chat_libraries;
pub use postgres::{Postgres, execute};
pub use redis::Redis;
