//! `orderly demo`: a small shop that really breaks, the people who answer, and a guide that says what to type next.
//!
//! Nothing here is a special path through the bot. The shop is a service of its own behind HTTP, and the bot knows it
//! as it knows any other target: by [`config`] and by the catalog ([`CATALOG`] lies over the shipped entries).
//! [`guide`] reads the state of the incident and says which line comes next, and who types it.

pub mod guide;
mod shop;
#[cfg(test)]
mod tests;

pub use shop::{Error, Shop};

use crate::config::{Config, Problem};

/// What the demo adds to the shipped catalog: the way back from the broken import, and the repair.
pub const CATALOG: (&str, &str) = ("demo/catalog.toml", include_str!("catalog.toml"));

/// The demo's orderly.toml. `SHOP` stands for the address of the shop.
const CONFIG: &str = include_str!("orderly.toml");

/// The people of the demo, and who may approve.
pub const PEOPLE: [&str; 3] = ["ana", "ben", "cleo"];

/// Name of the demo's only target.
pub const TARGET: &str = "shop";

/// The config of the demo, for a shop at this address.
pub fn config(shop_url: &str) -> Result<Config, Vec<Problem>> {
    Config::parse("demo/orderly.toml", &CONFIG.replace("SHOP", shop_url))
}
