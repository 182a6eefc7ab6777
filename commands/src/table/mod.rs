//! The table: every command, its arguments and what they mean. Everything else in this crate reads it.
//!
//! A row says what a person can do; it says nothing about how the bot does it. Two levels and no more, because
//! Discord has two: a path is one word (`open`) or a group and a word (`action approve`). Where text is typed, the
//! frequent ones also have a word of their own (`approve`).

mod kind;
mod look;
mod order;
mod people;
mod record;
mod systems;

use std::sync::LazyLock;

pub use kind::{ArgKind, FORMATS, LINES, MOMENTS, PHASES, PROCESSES, ROLES, SECTIONS, SEVERITIES};
pub(crate) use kind::{noun_of, thing};

/// One command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CommandSpec {
    /// One word, or group and word; the command's id. Never reused for something else: buttons in old messages name it.
    pub path: &'static str,
    /// One word that means the same where text is typed.
    pub alias: Option<&'static str>,
    /// What it does, imperative, at most 100 characters.
    pub summary: &'static str,
    /// A whole command line that works, without the slash command's name.
    pub example: &'static str,
    /// In the order in which they are typed.
    pub args: &'static [ArgSpec],
    /// Whether it needs an incident.
    pub scope: Scope,
    /// Who sees the answer.
    pub visibility: Reply,
    /// Where help lists it.
    pub chapter: Chapter,
}

/// One argument of a command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArgSpec {
    /// The name in `name=value`; `^[-_a-z0-9]{1,32}$`, unique in its command, never `incident`.
    pub name: &'static str,
    pub kind: ArgKind,
    pub required: bool,
    /// Never taken by place, where a stray word would do harm (`next please` must not override a gate).
    pub by_name: bool,
    /// What to give, at most 100 characters.
    pub summary: &'static str,
}

/// Words that share their first word, such as `action propose` and `action approve`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSpec {
    pub name: &'static str,
    /// Another spelling of the first word, where text is typed.
    pub alias: Option<&'static str>,
    pub summary: &'static str,
    /// Path meant by the group's word alone (`task` is `task list`). `None`: the next word is asked for.
    pub bare: Option<&'static str>,
    /// Path meant when the next word is no command of the group (`task check the queue` is `task add …`).
    pub default: Option<&'static str>,
}

/// Whether a command needs an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Works without one; naming one is allowed.
    Anywhere,
    /// Typed in an incident's room, or with the incident named: `INC-7 status`, `status --incident INC-7`.
    Room,
}

/// Who sees the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The person who typed.
    Private,
    /// Everybody in the room.
    Room,
}

/// The chapters of help: the phases in their order, then what is used in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chapter {
    Confirm,
    Contain,
    Triage,
    Decide,
    Recover,
    Learn,
    Order,
    People,
    Record,
    Look,
}

impl Chapter {
    /// All, in the order in which help shows them.
    pub const ALL: [Chapter; 10] = [
        Chapter::Confirm,
        Chapter::Contain,
        Chapter::Triage,
        Chapter::Decide,
        Chapter::Recover,
        Chapter::Learn,
        Chapter::Order,
        Chapter::People,
        Chapter::Record,
        Chapter::Look,
    ];

    /// The heading, one word; also what `help <word>` takes.
    pub fn title(self) -> &'static str {
        match self {
            Chapter::Confirm => "Confirm",
            Chapter::Contain => "Contain",
            Chapter::Triage => "Triage",
            Chapter::Decide => "Decide",
            Chapter::Recover => "Recover",
            Chapter::Learn => "Learn",
            Chapter::Order => "Order",
            Chapter::People => "People",
            Chapter::Record => "Record",
            Chapter::Look => "Look",
        }
    }

    /// What the chapter is for.
    pub fn purpose(self) -> &'static str {
        match self {
            Chapter::Confirm => "what is wrong, who is hit, since when",
            Chapter::Contain => "stop the damage before looking for the cause",
            Chapter::Triage => "from the most recent change outward",
            Chapter::Decide => "fix forward or roll back",
            Chapter::Recover => "restored is not yet recovered",
            Chapter::Learn => "write it down while it is fresh",
            Chapter::Order => "steps, phases and the runbook",
            Chapter::People => "who does what",
            Chapter::Record => "what goes into the record",
            Chapter::Look => "read, change nothing",
        }
    }
}

impl CommandSpec {
    /// What people type: the alias where there is one, else the path.
    pub fn typed(&self) -> &'static str {
        self.alias.unwrap_or(self.path)
    }

    /// The argument with this name.
    pub fn arg(&self, name: &str) -> Option<&'static ArgSpec> {
        self.args.iter().find(|arg| arg.name == name)
    }

    /// The group, for a path of two words.
    pub fn group(&self) -> Option<&'static str> {
        self.path.split_once(' ').map(|(group, _)| group)
    }

    /// The arguments that may be given by place: those up to the first free text. Free text takes the rest of the
    /// line, so what stands after it in the table is given by name, as are flags and parameters everywhere, and what is
    /// marked so.
    pub fn positional(&self) -> impl Iterator<Item = &'static ArgSpec> + use<> {
        let text = self.args.iter().position(|arg| arg.kind == ArgKind::Text);
        let upto = text.map_or(self.args.len(), |at| at + 1);
        let named = |arg: &ArgSpec| arg.by_name || matches!(arg.kind, ArgKind::Flag | ArgKind::Params);
        self.args[..upto].iter().filter(move |arg| !named(arg))
    }

    /// How it is typed: `approve <proposal> [reason …]`.
    pub fn usage(&self) -> String {
        let placed: Vec<&str> = self.positional().map(|arg| arg.name).collect();
        let args = self.args.iter().map(|arg| {
            let name = arg.name;
            let shape = match arg.kind {
                ArgKind::Flag => format!("--{name}"),
                ArgKind::Params => "key=value …".to_owned(),
                ArgKind::Text if placed.contains(&name) => format!("{name} …"),
                _ if placed.contains(&name) => name.to_owned(),
                _ => format!("{name}=…"),
            };
            if arg.required {
                format!("<{shape}>")
            } else {
                format!("[{shape}]")
            }
        });
        std::iter::once(self.typed().to_owned())
            .chain(args)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The whole table, in the order of help.
pub fn table() -> &'static [CommandSpec] {
    static TABLE: LazyLock<Vec<CommandSpec>> =
        LazyLock::new(|| [order::ROWS, systems::ROWS, people::ROWS, record::ROWS, look::ROWS].concat());
    &TABLE
}

/// The groups, in the order of help.
pub fn groups() -> &'static [GroupSpec] {
    GROUPS
}

/// The command with this path, or with this alias.
pub fn find(path: &str) -> Option<&'static CommandSpec> {
    table()
        .iter()
        .find(|spec| spec.path == path || spec.alias == Some(path))
}

/// What two words mean that are natural to type and no path: a group of their own would be one too many for Discord.
pub(crate) fn find_two(first: &str, second: &str) -> Option<&'static CommandSpec> {
    let (.., path) = TWO_WORDS
        .iter()
        .find(|(one, other, _)| *one == first && *other == second)?;
    find(path)
}

const TWO_WORDS: &[(&str, &str, &str)] = &[
    ("room", "add", "set room"),
    ("room", "leave", "set leave"),
    ("room", "remove", "set leave"),
    ("room", "list", "journal rooms"),
];

/// The group with this name, or with this alias.
pub fn find_group(name: &str) -> Option<&'static GroupSpec> {
    GROUPS
        .iter()
        .find(|group| group.name == name || group.alias == Some(name))
}

/// The commands of a group.
pub fn members(group: &GroupSpec) -> impl Iterator<Item = &'static CommandSpec> {
    let name = group.name;
    table().iter().filter(move |spec| spec.group() == Some(name))
}

const GROUPS: &[GroupSpec] = &[
    group("step", "Work through the steps")
        .alone("step show")
        .otherwise("step show"),
    group("runbook", "The runbook in use")
        .alone("runbook show")
        .otherwise("runbook show"),
    group("probe", "Ask the systems, change nothing")
        .alone("probe run")
        .otherwise("probe run"),
    group("finding", "What triage found")
        .alone("finding list")
        .otherwise("finding add"),
    group("action", "Changes to a system").alone("action list"),
    group("recovery", "Prove that it is over"),
    group("page", "Call people").otherwise("page send"),
    group("role", "Who does what")
        .alone("role list")
        .otherwise("role take"),
    group("task", "Work for the response")
        .alone("task list")
        .otherwise("task add"),
    group("followup", "Work that outlives the incident")
        .alone("followup list")
        .otherwise("followup add"),
    group("update", "Tell the stakeholders").otherwise("update send"),
    group("set", "Correct what stands on the incident"),
    group("mark", "End, reopen or relate the incident"),
    group("journal", "The record").alone("journal timeline"),
    group("postmortem", "The post-mortem")
        .also("post-mortem")
        .alone("postmortem show"),
];

const fn group(name: &'static str, summary: &'static str) -> GroupSpec {
    GroupSpec {
        name,
        alias: None,
        summary,
        bare: None,
        default: None,
    }
}

impl GroupSpec {
    const fn also(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    const fn alone(mut self, path: &'static str) -> Self {
        self.bare = Some(path);
        self
    }

    const fn otherwise(mut self, path: &'static str) -> Self {
        self.default = Some(path);
        self
    }
}

/// A row, for commands that need an incident and answer in its room, as most do.
const fn command(chapter: Chapter, path: &'static str, summary: &'static str) -> CommandSpec {
    CommandSpec {
        path,
        alias: None,
        summary,
        example: path,
        args: &[],
        scope: Scope::Room,
        visibility: Reply::Room,
        chapter,
    }
}

impl CommandSpec {
    const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    const fn args(mut self, args: &'static [ArgSpec]) -> Self {
        self.args = args;
        self
    }

    const fn anywhere(mut self) -> Self {
        self.scope = Scope::Anywhere;
        self
    }

    const fn private(mut self) -> Self {
        self.visibility = Reply::Private;
        self
    }
}

/// An argument that must be given.
const fn must(name: &'static str, kind: ArgKind, summary: &'static str) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: true,
        by_name: false,
        summary,
    }
}

/// An argument that may be left out.
const fn may(name: &'static str, kind: ArgKind, summary: &'static str) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: false,
        by_name: false,
        summary,
    }
}

impl ArgSpec {
    const fn by_name(mut self) -> Self {
        self.by_name = true;
        self
    }
}
