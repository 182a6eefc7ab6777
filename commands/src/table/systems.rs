//! Asking the systems and changing them.

use super::kind::ArgKind;
use super::{ArgSpec, Chapter, CommandSpec, command, may, must};

const PROPOSAL: ArgSpec = must("proposal", ArgKind::Proposal, "Which one");
const WHY: ArgSpec = must("reason", ArgKind::Text, "Why");
const WHY_IF_ANY: ArgSpec = may("reason", ArgKind::Text, "Why");
const TARGET: ArgSpec = may("target", ArgKind::Target, "Which one");

pub(super) const ROWS: &[CommandSpec] = &[
    command(
        Chapter::Triage,
        "probe run",
        "Ask one probe, or all of this phase",
    )
    .example("probe run postgres.blocking odoo-prod seconds=30")
    .args(&[
        may("probe", ArgKind::Probe, "All of this phase if left out"),
        TARGET,
        may("params", ArgKind::Params, "What it needs, as key=value"),
    ]),
    command(Chapter::Triage, "probe list", "List the probes")
        .alias("probes")
        .example("probes")
        .anywhere()
        .private(),
    command(
        Chapter::Triage,
        "probe show",
        "Show a probe's last answer in full",
    )
    .example("probe show postgres.blocking")
    .args(&[must("probe", ArgKind::Probe, "Which one"), TARGET])
    .private(),
    command(
        Chapter::Triage,
        "probe compare",
        "Compare a probe's answers, before and after",
    )
    .alias("compare")
    .example("compare postgres.blocking")
    .args(&[must("probe", ArgKind::Probe, "Which one"), TARGET]),
    command(Chapter::Contain, "action propose", "Propose a change")
        .alias("propose")
        .example(
            r#"propose odoo.cron.disable odoo-prod cron="Post entries" reason="it writes wrong records""#,
        )
        .args(&[
            must("action", ArgKind::Action, "Which one"),
            TARGET,
            WHY_IF_ANY,
            may("params", ArgKind::Params, "What it needs, as key=value"),
        ]),
    command(Chapter::Contain, "action approve", "Approve a proposal")
        .alias("approve")
        .example("approve A3")
        .args(&[
            PROPOSAL,
            WHY_IF_ANY,
            may("seen", ArgKind::Word, "Digest you were shown"),
        ]),
    command(Chapter::Contain, "action refuse", "Refuse a proposal")
        .alias("refuse")
        .example("refuse A3 the import is still running")
        .args(&[PROPOSAL, WHY]),
    command(Chapter::Contain, "action withdraw", "Take back your proposal")
        .alias("withdraw")
        .example("withdraw A3")
        .args(&[PROPOSAL, WHY_IF_ANY]),
    command(Chapter::Contain, "action undo", "Propose to undo an action")
        .alias("undo")
        .example("undo A3 the job is mended")
        .args(&[PROPOSAL, WHY_IF_ANY]),
    command(
        Chapter::Contain,
        "action settle",
        "Say what an unknown attempt did",
    )
    .alias("settle")
    .example("settle A3 happened the job shows as off")
    .args(&[
        PROPOSAL,
        must(
            "outcome",
            ArgKind::Choice(&["happened", "did-not-happen"]),
            "What happened",
        ),
        must("reason", ArgKind::Text, "How you know"),
    ]),
    command(Chapter::Contain, "action verify", "Say whether an action worked")
        .example("action verify A3 worked the queue drains")
        .args(&[
            PROPOSAL,
            must(
                "outcome",
                ArgKind::Choice(&["worked", "did-not-work"]),
                "Worked or not",
            ),
            must("reason", ArgKind::Text, "How you know"),
        ]),
    command(
        Chapter::Contain,
        "action break-glass",
        "Run without approvals; commander only",
    )
    .alias("break-glass")
    .example("break-glass A3 odoo-prod nobody else can be reached")
    .args(&[
        PROPOSAL,
        must("target", ArgKind::Target, "Its target, typed out"),
        WHY,
    ]),
    command(
        Chapter::Learn,
        "action review",
        "Close the review of a break-glass",
    )
    .example("action review A3 right call, add a second approver")
    .args(&[PROPOSAL, must("note", ArgKind::Text, "What you conclude")]),
    command(Chapter::Contain, "action freeze", "Hold every new action")
        .alias("freeze")
        .example("freeze odoo-prod restore is running")
        .args(&[may("target", ArgKind::Target, "All if left out"), WHY_IF_ANY])
        .anywhere(),
    command(Chapter::Contain, "action thaw", "End a freeze")
        .alias("thaw")
        .example("thaw odoo-prod")
        .args(&[may("target", ArgKind::Target, "All if left out"), WHY_IF_ANY])
        .anywhere(),
    command(
        Chapter::Contain,
        "action list",
        "List proposals and containment in force",
    )
    .alias("actions")
    .example("actions")
    .private(),
    command(Chapter::Contain, "action show", "Show exactly what would run")
        .example("action show A3")
        .args(&[PROPOSAL])
        .private(),
    command(
        Chapter::Recover,
        "action lift",
        "Say that a containment is lifted",
    )
    .alias("lift")
    .example("lift A3 the job is on again")
    .args(&[PROPOSAL, must("reason", ArgKind::Text, "How you know")]),
    command(
        Chapter::Recover,
        "action accept",
        "Let a containment stay in force",
    )
    .example("action accept A3 stays off until the release")
    .args(&[PROPOSAL, WHY]),
    command(Chapter::Recover, "recovery check", "Record a recovery check")
        .alias("check")
        .example("check backlog failed count=340 drains at 50 a minute")
        .args(&[
            must("item", ArgKind::Choice(RECOVERY), "What was checked"),
            must(
                "result",
                ArgKind::Choice(&["passed", "failed"]),
                "Passed or failed",
            ),
            may("detail", ArgKind::Text, "What you saw"),
            may(
                "count",
                ArgKind::Number {
                    min: 0,
                    max: MOST_RECORDS,
                },
                "How many are left",
            ),
        ]),
    command(Chapter::Recover, "recovery waive", "Go without a recovery check")
        .example("recovery waive backlog no jobs ran that night")
        .args(&[must("item", ArgKind::Choice(RECOVERY), "Which one"), WHY]),
    command(Chapter::Recover, "recovery change", "Note a change made by hand")
        .alias("change")
        .example("change raised max_connections to 300")
        .args(&[must("text", ArgKind::Text, "What was changed")]),
    command(
        Chapter::Recover,
        "recovery reconcile",
        "Say where it stands in Git",
    )
    .alias("reconcile")
    .example("reconcile C3 https://git.example/ops/commit/4f2a")
    .args(&[
        must("change", ArgKind::Change, "Which one"),
        must("reference", ArgKind::Text, "Commit or merge request"),
    ]),
    command(
        Chapter::Recover,
        "recovery keep",
        "Leave a change by hand out of Git",
    )
    .example("recovery keep C3 undone by the restart")
    .args(&[must("change", ArgKind::Change, "Which one"), WHY]),
];

/// What recovery must prove.
const RECOVERY: &[&str] = &["smoke-test", "backlog", "records"];

/// Beyond any table of a shop; keeps a pasted id from being taken for a count.
const MOST_RECORDS: i64 = 1_000_000_000;
