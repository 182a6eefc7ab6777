//! Who does what: roles, tasks, follow-ups.

use super::kind::ArgKind;
use super::{ArgSpec, Chapter, CommandSpec, command, may, must};

const ROLE: ArgSpec = must("role", ArgKind::Role, "Which one");
const TASK: ArgSpec = must("task", ArgKind::Task, "Which one");
const FOLLOWUP: ArgSpec = must("followup", ArgKind::Followup, "Which one");
const WHY_IF_ANY: ArgSpec = may("reason", ArgKind::Text, "Why");
const NOTE: ArgSpec = may("note", ArgKind::Text, "What came of it");

pub(super) const ROWS: &[CommandSpec] = &[
    command(Chapter::People, "role take", "Take a role")
        .alias("take")
        .example("take commander")
        .args(&[ROLE]),
    command(Chapter::People, "role assign", "Give a role to somebody")
        .example("role assign scribe @ana")
        .args(&[ROLE, must("person", ArgKind::Person, "To whom")]),
    command(Chapter::People, "role release", "Put a role down")
        .alias("release")
        .example("release scribe")
        .args(&[ROLE, may("person", ArgKind::Person, "Yours if left out")]),
    command(Chapter::People, "role handover", "Hand your role over")
        .alias("handover")
        .example("handover @ana commander the carrier calls back at six")
        .args(&[
            must("person", ArgKind::Person, "To whom"),
            may("role", ArgKind::Role, "Yours if left out"),
            may("note", ArgKind::Text, "What they must know"),
        ]),
    command(Chapter::People, "role invite", "Bring somebody in")
        .alias("invite")
        .example("invite @ben")
        .args(&[must("person", ArgKind::Person, "Whom")]),
    command(Chapter::People, "role link", "Prove another account is yours")
        .alias("link-me")
        .example("link-me")
        .args(&[may("code", ArgKind::Word, "From your other account")])
        .anywhere()
        .private(),
    command(Chapter::People, "role list", "Show who has which role")
        .alias("roles")
        .example("roles")
        .private(),
    command(Chapter::People, "page send", "Call people until one answers")
        .example("page approver A3 waits for you")
        .args(&[
            must("who", ArgKind::Who, "Role or person"),
            may("message", ArgKind::Text, "What you need"),
        ]),
    command(Chapter::People, "page ack", "Say that you are on it")
        .alias("ack")
        .example("ack")
        .args(&[may("page", ArgKind::Page, "The last one if left out")]),
    command(Chapter::People, "task add", "Add a task")
        .example("task add check the queue owner=@ana")
        .args(&[
            must("text", ArgKind::Text, "What to do"),
            may("owner", ArgKind::Person, "Who does it"),
        ]),
    command(Chapter::People, "task done", "Tick off a task")
        .example("task done T3")
        .args(&[TASK, NOTE]),
    command(Chapter::People, "task assign", "Give a task to somebody")
        .example("task assign T3 @ana")
        .args(&[TASK, must("person", ArgKind::Person, "To whom")]),
    command(Chapter::People, "task drop", "Drop a task")
        .example("task drop T3 not needed")
        .args(&[TASK, WHY_IF_ANY]),
    command(Chapter::People, "task list", "List the tasks")
        .alias("tasks")
        .example("tasks")
        .private(),
    command(Chapter::Learn, "followup add", "Add work that prevents a repeat")
        .example("followup add test the restore monthly owner=@ana due=2026-12-01")
        .args(&[
            must("text", ArgKind::Text, "What to do"),
            may("owner", ArgKind::Person, "Who does it"),
            may("due", ArgKind::Day, "By when"),
            may("url", ArgKind::Url, "Where it is tracked"),
        ]),
    command(Chapter::Learn, "followup done", "Tick off a follow-up")
        .example("followup done F3")
        .args(&[FOLLOWUP, NOTE]),
    command(Chapter::Learn, "followup change", "Change owner, day or tracker")
        .example("followup change F3 due=friday")
        .args(&[
            FOLLOWUP,
            may("owner", ArgKind::Person, "Who does it"),
            may("due", ArgKind::Day, "By when"),
            may("url", ArgKind::Url, "Where it is tracked"),
        ]),
    command(Chapter::Learn, "followup drop", "Drop a follow-up")
        .example("followup drop F3 done with F2")
        .args(&[FOLLOWUP, WHY_IF_ANY]),
    command(Chapter::Learn, "followup list", "List the follow-ups")
        .alias("followups")
        .example("followups")
        .private(),
];
