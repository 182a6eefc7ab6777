//! The program on the local page, over its real HTTP: what people do and see there.

mod html;
mod look;
mod platform;
mod tab;

pub use platform::Page;
