//! What goes into the record: notes, updates, corrections, how it ended, the post-mortem.

use super::kind::{ArgKind, FORMATS, MOMENTS, SECTIONS};
use super::{ArgSpec, Chapter, CommandSpec, command, may, must};

const WHY: ArgSpec = must("reason", ArgKind::Text, "Why");
const WHY_IF_ANY: ArgSpec = may("reason", ArgKind::Text, "Why");

pub(super) const ROWS: &[CommandSpec] = &[
    command(Chapter::Record, "journal note", "Write a note into the timeline")
        .alias("note")
        .example("note the 14:00 run was started by hand")
        .args(&[
            must("text", ArgKind::Text, "What happened"),
            may("at", ArgKind::When, "When it happened"),
        ]),
    command(
        Chapter::Record,
        "journal redact",
        "Remove a leaked secret everywhere",
    )
    .alias("redact")
    .example("redact e12 password in the log line")
    .args(&[must("entry", ArgKind::Entry, "Event or message"), WHY]),
    command(
        Chapter::Record,
        "journal verify",
        "Check that the record is whole",
    )
    .example("journal verify")
    .private(),
    command(Chapter::Record, "update send", "Tell the stakeholders")
        .example("update send Posting is stopped, no wrong invoices go out next=30m")
        .args(&[
            must("text", ArgKind::Text, "What they should know"),
            may("next", ArgKind::Duration, "When the next one follows"),
        ]),
    command(
        Chapter::Record,
        "update snooze",
        "Be reminded of the update later",
    )
    .alias("snooze")
    .example("snooze 15m")
    .args(&[must("for", ArgKind::Duration, "For how long")]),
    command(Chapter::Record, "set severity", "Change the severity")
        .alias("severity")
        .example("severity SEV1 all warehouses stand still")
        .args(&[must("level", ArgKind::Severity, "SEV1 is worst"), WHY_IF_ANY]),
    command(Chapter::Record, "set title", "Change the title")
        .alias("title")
        .example("title Month-end posting fails")
        .args(&[must("title", ArgKind::Text, "The new title")]),
    command(Chapter::Record, "set process", "Change the business process")
        .example("set process finance-posting")
        .args(&[must("process", ArgKind::Process, "Which one")]),
    command(Chapter::Record, "set target", "Add a system that is hit")
        .example("set target redis-prod")
        .args(&[must("target", ArgKind::Target, "Which one")]),
    command(Chapter::Record, "set moment", "Correct when something happened")
        .alias("moment")
        .example("moment detected 2026-11-21 14:10")
        .args(&[
            must("moment", ArgKind::Choice(MOMENTS), "Which one"),
            must("at", ArgKind::When, "When"),
        ]),
    command(Chapter::Record, "set link", "Add a link")
        .alias("link")
        .example("link https://tracker.example/42 carrier's ticket")
        .args(&[
            must("url", ArgKind::Url, "Address"),
            may("title", ArgKind::Text, "What it is"),
        ]),
    command(Chapter::Record, "set room", "Add a room, here or elsewhere")
        .alias("room")
        .example("room #carrier-help guest")
        .args(&[
            may("room", ArgKind::Channel, "Channel or platform"),
            may(
                "audience",
                ArgKind::Choice(&["internal", "guest"]),
                "Who is in it",
            ),
        ]),
    command(Chapter::Record, "set leave", "Take a room off the incident")
        .alias("leave-room")
        .example("leave-room #carrier-help")
        .args(&[may("room", ArgKind::Channel, "This one if left out")]),
    command(Chapter::Record, "set carry", "Carry messages between rooms")
        .alias("carry")
        .example("carry off")
        .args(&[must("switch", ArgKind::Choice(&["on", "off"]), "On or off")]),
    command(Chapter::Recover, "mark resolved", "Say that service is restored")
        .alias("resolve")
        .example("resolve posting works again since 15:20")
        .args(&[
            may("summary", ArgKind::Text, "What ended it"),
            may("reason", ArgKind::Text, "Why, though the gate is shut"),
        ]),
    command(Chapter::Recover, "mark reopened", "Open it again")
        .alias("reopen")
        .example("reopen the lock is back")
        .args(&[WHY]),
    command(Chapter::Learn, "mark closed", "Close the incident")
        .alias("close")
        .example("close")
        .args(&[may("reason", ArgKind::Text, "Why, though the gate is shut").by_name()]),
    command(Chapter::Record, "mark cancelled", "Cancel one opened by mistake")
        .alias("cancel")
        .example("cancel it was a planned restart")
        .args(&[WHY]),
    command(
        Chapter::Record,
        "mark duplicate",
        "Say that this is another incident",
    )
    .alias("duplicate")
    .example("duplicate INC-7")
    .args(&[must("original", ArgKind::Incident, "Which one")]),
    command(Chapter::Record, "mark related", "Relate it to another incident")
        .alias("related")
        .example("related INC-7")
        .args(&[must("other", ArgKind::Incident, "Which one")]),
    command(Chapter::Learn, "postmortem show", "Show the post-mortem")
        .example("postmortem show")
        .private(),
    command(
        Chapter::Learn,
        "postmortem edit",
        "Write a part of the post-mortem",
    )
    .example("postmortem edit cause the release changed the posting date")
    .args(&[
        must("section", ArgKind::Choice(SECTIONS), "Which one"),
        may("text", ArgKind::Text, "What it should say"),
    ]),
    command(
        Chapter::Learn,
        "postmortem submit",
        "Ask for a review of the post-mortem",
    )
    .example("postmortem submit")
    .args(&[may("note", ArgKind::Text, "What to look at")]),
    command(Chapter::Learn, "postmortem approve", "Approve the post-mortem")
        .example("postmortem approve")
        .args(&[may("note", ArgKind::Text, "A remark")]),
    command(
        Chapter::Learn,
        "postmortem review",
        "Send the post-mortem back with remarks",
    )
    .example("postmortem review the trigger is missing")
    .args(&[must("note", ArgKind::Text, "What is missing")]),
    command(
        Chapter::Learn,
        "postmortem close",
        "Close the reviewed post-mortem",
    )
    .example("postmortem close")
    .args(&[may("note", ArgKind::Text, "A remark")]),
    command(
        Chapter::Learn,
        "postmortem snooze",
        "Be reminded of the post-mortem later",
    )
    .example("postmortem snooze 2d")
    .args(&[must("for", ArgKind::Duration, "For how long")]),
    command(Chapter::Learn, "postmortem export", "Export the post-mortem")
        .alias("export")
        .example("export html")
        .args(&[
            may("format", ArgKind::Choice(FORMATS), "Markdown if left out"),
            may("as-of", ArgKind::Event, "As it stood at this event"),
        ]),
];
