//! The slash-command vocabulary of Orderly: one table that yields grammar, parser, help and completion.
//!
//! To add a command, add a row to the file of [`table`](table()) where it belongs; parser, help and completion follow,
//! and the tests hold it against Discord's limits. To rename one, keep its path: buttons in old messages name it. Give
//! it another alias instead.
//!
//! There is no I/O here, no clock, and nothing of the bot: what a command does is decided elsewhere, and times are kept
//! as they were typed.

#![forbid(unsafe_code)]

mod table;

pub use table::{
    ArgKind, ArgSpec, Chapter, CommandSpec, FORMATS, GroupSpec, LINES, MOMENTS, PHASES, PROCESSES, ROLES,
    Reply, SECTIONS, SEVERITIES, Scope, find, find_group, groups, members, table,
};
