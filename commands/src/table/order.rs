//! Opening an incident and walking it through its phases and steps.

use super::kind::{ArgKind, LINES, PHASES};
use super::{Chapter, CommandSpec, command, may, must};

const OPEN_TITLE: &str = "What is wrong";
const SEVERITY: &str = "SEV1 is worst";
const TARGETS: &str = "Systems that are hit";
const RUNBOOK: &str = "Runbook to follow";

pub(super) const ROWS: &[CommandSpec] = &[
    command(Chapter::Confirm, "open", "Open an incident")
        .example("open Month-end posting fails severity=SEV2 process=finance-posting since=14:00")
        .args(&[
            may("title", ArgKind::Text, OPEN_TITLE),
            may("severity", ArgKind::Severity, SEVERITY),
            may("process", ArgKind::Process, "Process that suffers"),
            may("target", ArgKind::Targets, TARGETS),
            may("private", ArgKind::Flag, "Only for those invited"),
            may("drill", ArgKind::Flag, "This is an exercise"),
            may("retroactive", ArgKind::Flag, "It is over already"),
            may("here", ArgKind::Flag, "This channel is its room"),
            may("history", ArgKind::Flag, "With what was said since"),
            may("since", ArgKind::When, "When it began"),
            may("runbook", ArgKind::Runbook, RUNBOOK),
        ])
        .anywhere()
        .private(),
    command(Chapter::Confirm, "drill", "Open an exercise")
        .example("drill Carrier labels stop printing runbook=carrier-api")
        .args(&[
            may("title", ArgKind::Text, OPEN_TITLE),
            may("severity", ArgKind::Severity, SEVERITY),
            may("target", ArgKind::Targets, TARGETS),
            may("runbook", ArgKind::Runbook, RUNBOOK),
        ])
        .anywhere()
        .private(),
    command(
        Chapter::Confirm,
        "frame",
        "Say what is wrong, who is hit, since when",
    )
    .example(r#"frame function month-end posting works="all else" who="12 in finance" since=14:00"#)
    .args(&[
        may(
            "what",
            ArgKind::Choice(&["down", "slow", "function"]),
            "Down, slow, or one function",
        ),
        may("detail", ArgKind::Text, "Which function, what it does"),
        may("works", ArgKind::Text, "What still works"),
        may("who", ArgKind::Text, "Who is affected"),
        may("impact", ArgKind::Text, "How badly"),
        may("since", ArgKind::When, "When it began"),
    ]),
    command(Chapter::Contain, "damage", "Say whether damage is going on")
        .example("damage yes wrong delivery notes go out")
        .args(&[
            must(
                "answer",
                ArgKind::Choice(&["yes", "no"]),
                "Is bad data being written now?",
            ),
            may("detail", ArgKind::Text, "What is being damaged"),
        ]),
    command(
        Chapter::Triage,
        "finding add",
        "Record what a line of triage shows",
    )
    .example("finding add changes suspect release 14.2 went out at 13:50 evidence=P5")
    .args(&[
        must("line", ArgKind::Choice(LINES), "Line of triage"),
        must(
            "verdict",
            ArgKind::Choice(&["suspect", "cleared"]),
            "Suspect or cleared",
        ),
        must("text", ArgKind::Text, "What you saw"),
        may("evidence", ArgKind::Answers, "Answers of probes"),
    ]),
    command(Chapter::Triage, "finding clear", "Clear a line of triage")
        .example("finding clear logs no errors")
        .args(&[
            must("line", ArgKind::Choice(LINES), "Line of triage"),
            must("text", ArgKind::Text, "What you saw"),
            may("evidence", ArgKind::Answers, "Answers of probes"),
        ]),
    command(Chapter::Triage, "finding accept", "Accept a finding as the cause")
        .example("finding accept D3")
        .args(&[
            must("finding", ArgKind::Finding, "Which one"),
            may("reason", ArgKind::Text, "Why the rest may be left"),
        ]),
    command(Chapter::Triage, "finding list", "List the findings")
        .alias("findings")
        .example("findings")
        .private(),
    command(Chapter::Decide, "decide", "Fix forward or roll back")
        .example("decide roll-back the release can be undone cleanly facts=D3")
        .args(&[
            must(
                "way",
                ArgKind::Choice(&["fix-forward", "roll-back"]),
                "In doubt, restore service first",
            ),
            must("reason", ArgKind::Text, "Why"),
            may("facts", ArgKind::Text, "What it rests on"),
        ]),
    command(Chapter::Order, "next", "Go on to the next phase")
        .example("next")
        .args(&[may("reason", ArgKind::Text, "Why, though the gate is shut").by_name()]),
    command(Chapter::Order, "back", "Go back to an earlier phase")
        .example("back contain the job is running again")
        .args(&[
            must("phase", ArgKind::Choice(PHASES), "Which one"),
            must("reason", ArgKind::Text, "Why"),
        ]),
    command(
        Chapter::Order,
        "step show",
        "Show the steps of this phase, or one step",
    )
    .alias("steps")
    .example("steps")
    .args(&[may("step", ArgKind::Step, "Which one")])
    .private(),
    command(Chapter::Order, "step done", "Tick off a step")
        .alias("done")
        .example("done contain.2")
        .args(&[
            may("step", ArgKind::Step, "The current one if left out"),
            may("note", ArgKind::Text, "What came of it"),
        ]),
    command(
        Chapter::Order,
        "step run",
        "Ask the probe of a step, or propose its action",
    )
    .example("step run contain.2")
    .args(&[
        must("step", ArgKind::Step, "Which one"),
        may("reason", ArgKind::Text, "Why, for an action"),
        may("target", ArgKind::Target, "Which one"),
        may("params", ArgKind::Params, "What it needs, as key=value"),
    ]),
    command(Chapter::Order, "step skip", "Skip a step and say why")
        .alias("skip")
        .example("skip contain.2 nobody uses the portal at night")
        .args(&[
            must("step", ArgKind::Step, "Which one"),
            must("reason", ArgKind::Text, "Why"),
        ]),
    command(Chapter::Order, "step answer", "Answer what a step asks")
        .alias("answer")
        .example("answer confirm.1 since the 14:00 run")
        .args(&[
            must("step", ArgKind::Step, "Which one"),
            must("text", ArgKind::Text, "The answer"),
        ]),
    command(Chapter::Order, "step branch", "Choose a branch")
        .alias("branch")
        .example("branch triage.4 locks")
        .args(&[
            must("step", ArgKind::Step, "Which one"),
            must("branch", ArgKind::Word, "Which one"),
            may("reason", ArgKind::Text, "Why"),
        ]),
    command(Chapter::Order, "runbook show", "Show a runbook")
        .example("runbook show month-end-posting")
        .args(&[may("runbook", ArgKind::Runbook, "The one in use if left out")])
        .anywhere()
        .private(),
    command(Chapter::Order, "runbook list", "List the runbooks")
        .alias("runbooks")
        .example("runbooks")
        .anywhere()
        .private(),
    command(Chapter::Order, "runbook use", "Change to another runbook")
        .example("runbook use carrier-api labels fail, not posting")
        .args(&[
            must("runbook", ArgKind::Runbook, "Which one"),
            must("reason", ArgKind::Text, "Why"),
        ]),
];
