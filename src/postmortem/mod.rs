//! PURE: the post-mortem. Journal in, [`Document`] out, and from that Markdown, HTML and JSON.
//!
//! An export is as of an event number. The same journal up to there gives the same bytes whenever it is made: open
//! durations end at the last event, no clock is read, and events that tell of an export are left out.
//!
//! ```text
//! events -> assemble -> Document -> render::{Templates::markdown, Templates::html, json}
//! ```

mod assemble;
mod document;
mod metrics;
mod render;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use assemble::{Source, as_of, assemble};
pub use document::*;
pub use metrics::{End, Metric, metrics};
pub use render::{TemplateError, Templates, html, json, markdown, schema};
