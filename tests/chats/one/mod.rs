//! One behaviour, whatever the platform: each scenario is told once, in the hands of people, and lived on all of them.
//!
//! `hands` is what people do and see; a platform joins by implementing it in its own folder. `house` is the program on one
//! platform, with the demo's shop. `alike` says what may differ between two platforms, and nothing else may.

pub mod alike;
mod approvals;
mod buttons;
mod commands;
pub mod hands;
pub mod house;
mod life;
mod marks;
mod private;
mod redacting;
mod script;
mod table;
