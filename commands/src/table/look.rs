//! Reading without changing anything.

use super::kind::ArgKind;
use super::{Chapter, CommandSpec, command, may};

/// As many entries as one message can show.
const MOST_ENTRIES: i64 = 200;

pub(super) const ROWS: &[CommandSpec] = &[
    command(Chapter::Look, "status", "Show where the incident stands")
        .example("status")
        .private(),
    command(Chapter::Look, "journal brief", "Catch up; only you see it")
        .alias("brief")
        .example("brief since=\"20m ago\"")
        .args(&[may("since", ArgKind::When, "From when on")])
        .private(),
    command(Chapter::Look, "journal timeline", "Show the timeline")
        .alias("timeline")
        .example("timeline 20")
        .args(&[may(
            "last",
            ArgKind::Number {
                min: 1,
                max: MOST_ENTRIES,
            },
            "How many entries",
        )])
        .private(),
    command(Chapter::Look, "journal rooms", "List the rooms")
        .alias("rooms")
        .example("rooms")
        .private(),
    command(Chapter::Look, "list", "List incidents")
        .example("list mine")
        .args(&[may(
            "which",
            ArgKind::Choice(&["open", "mine", "closed", "all"]),
            "Open ones if left out",
        )])
        .anywhere()
        .private(),
    command(Chapter::Look, "help", "Explain the commands")
        .example("help approve")
        .args(&[may("topic", ArgKind::Text, "Command or phase")])
        .anywhere()
        .private(),
];
