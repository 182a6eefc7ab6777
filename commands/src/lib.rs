//! The slash-command vocabulary of Orderly: one table that yields grammar, parser, help and completion.
//!
//! ```
//! use orderly_commands::{ParseError, parse};
//!
//! let command = parse("approve A3 the row is the right one")?;
//! assert_eq!(command.path, "action approve");
//! assert_eq!(command.number("proposal"), Some(3));
//! assert_eq!(command.text("reason"), Some("the row is the right one"));
//!
//! let error = parse("aprove A3").unwrap_err();
//! assert_eq!(error.suggestion.as_deref(), Some("approve A3"));
//! # Ok::<(), ParseError>(())
//! ```
//!
//! To add a command, add a row to the file of [`table`](table()) where it belongs; parser, help and completion follow,
//! and the tests hold it against Discord's limits. To rename one, keep its path: buttons in old messages name it. Give
//! it another alias instead.
//!
//! There is no I/O here, no clock, and nothing of the bot: what a command does is decided elsewhere, and times are kept
//! as they were typed.

#![forbid(unsafe_code)]

mod complete;
mod error;
mod help;
mod parse;
mod parsed;
mod reader;
mod shown;
mod suggest;
mod table;
mod time;
mod value;
mod words;

pub use complete::{Completion, MOST_COMPLETIONS, NoValues, Values, complete, complete_value};
pub use error::{DEFAULT_NAME, ParseError};
pub use help::{help, help_picked};
pub use parse::{head, parse, partial};
pub use parsed::Parsed;
pub use shown::Spot;
pub use table::{
    ArgKind, ArgSpec, Chapter, CommandSpec, FORMATS, GroupSpec, LINES, MOMENTS, PHASES, PROCESSES, ROLES,
    Reply, SECTIONS, SEVERITIES, Scope, find, find_group, groups, members, table,
};
pub use time::{Date, Day, LONGEST_SPAN, TimeOfDay, When};
pub use value::{LONGEST_WORD, Value};
pub use words::quote_if_needed as quoted;
