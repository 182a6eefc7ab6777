//! What kind of thing an argument is: what is accepted, how it is written back, what may be chosen.

/// How bad it is; SEV1 is worst.
pub const SEVERITIES: &[&str] = &["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"];

/// What a person does in the response.
pub const ROLES: &[&str] = &[
    "commander",
    "deputy",
    "scribe",
    "responder",
    "approver",
    "liaison",
];

/// The business processes.
pub const PROCESSES: &[&str] = &[
    "warehouse-execution",
    "order-routing",
    "carrier-connectivity",
    "inventory-sync",
    "finance-posting",
    "other",
];

/// The phases, in their order.
pub const PHASES: &[&str] = &["confirm", "contain", "triage", "decide", "recover", "learn"];

/// The lines of triage, from the most recent and likely cause outward.
pub const LINES: &[&str] = &["changes", "logs", "resources", "dependencies"];

/// Points in time that an incident keeps apart.
pub const MOMENTS: &[&str] = &[
    "onset",
    "detected",
    "declared",
    "acknowledged",
    "contained",
    "mitigated",
    "recovered",
    "validated",
    "closed",
];

/// Parts of the post-mortem that people write.
pub const SECTIONS: &[&str] = &[
    "summary",
    "impact",
    "detection",
    "trigger",
    "cause",
    "factors",
    "resolution",
    "went-well",
    "went-badly",
    "lucky",
    "prevention",
];

/// What a post-mortem is exported as.
pub const FORMATS: &[&str] = &["markdown", "html", "json"];

/// The kind of an argument. What each accepts is said in [`ArgKind::expects`]; what is kept of it in
/// [`Value`](crate::Value).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ArgKind {
    /// Free text: quoted, or the rest of the line up to the next option.
    Text,
    /// One word.
    Word,
    /// A whole number within bounds, both included.
    Number {
        min: i64,
        max: i64,
    },
    /// One of these, in any case, with or without its hyphens, or the only one that starts so.
    Choice(&'static [&'static str]),
    Severity,
    Role,
    Process,
    /// A person: `@ana`, `ana`, a platform's mention, or `me`.
    Person,
    /// A role, a person or a platform's group.
    Who,
    /// A room on a platform.
    Channel,
    /// `INC-7`
    Incident,
    /// `A3`
    Proposal,
    /// `T3`
    Task,
    /// `F3`
    Followup,
    /// `D3`
    Finding,
    /// A manual change: `C3`
    Change,
    /// `N3`
    Page,
    /// Answers of probes: `P5`, or `P5,P6`.
    Answers,
    /// An event of the journal: `e12`, `#12` or `12`.
    Event,
    /// An event of the journal, or a message by its link or id.
    Entry,
    Probe,
    Action,
    Target,
    /// Targets, joined by commas; may be given several times.
    Targets,
    Runbook,
    /// `contain.2`
    Step,
    /// `15m`, `1h30m`, `3d`
    Duration,
    /// A moment: `14:00`, `2026-11-21 14:00`, `10m ago`, `now`, RFC 3339.
    When,
    /// A day: `2026-12-01`, `friday`, `3d`, `tomorrow`.
    Day,
    Url,
    /// Any number of `key=value`.
    Params,
    /// `--name`, or `name=yes`.
    Flag,
}

impl ArgKind {
    /// What may be chosen, where that is a fixed list.
    pub fn choices(self) -> Option<&'static [&'static str]> {
        match self {
            ArgKind::Choice(words) => Some(words),
            ArgKind::Severity => Some(SEVERITIES),
            ArgKind::Role => Some(ROLES),
            ArgKind::Process => Some(PROCESSES),
            _ => None,
        }
    }

    /// The choices that a platform is told when the command is registered. Roles and processes recur in many commands and
    /// would take a tenth of the 8,000 characters that Discord allows: they are completed while somebody types.
    pub fn registered_choices(self) -> Option<&'static [&'static str]> {
        self.choices()
            .filter(|_| !matches!(self, ArgKind::Role | ArgKind::Process))
    }

    /// Whether only certain words are of this kind, so that a word which fits is meant as one.
    pub(crate) fn is_closed(self) -> bool {
        let timed = matches!(self, ArgKind::When | ArgKind::Day | ArgKind::Duration);
        timed || self.choices().is_some() || self.letters().is_some() || self == ArgKind::Url
    }

    /// The letters before the number, for what is counted within an incident or on the desk.
    pub fn letters(self) -> Option<&'static str> {
        LETTERS
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map(|(_, letters, _)| *letters)
    }

    /// What it takes, to be read after "it takes".
    pub fn expects(self) -> String {
        let fixed = match self {
            ArgKind::Choice(words) => return either(words),
            ArgKind::Role => return either(ROLES),
            ArgKind::Process => return either(PROCESSES),
            ArgKind::Number { min, max } => return format!("a whole number from {min} to {max}"),
            ArgKind::Severity => "SEV1 to SEV5",
            ArgKind::Text => "some words",
            ArgKind::Word => "one word",
            ArgKind::Person => "a person such as @ana",
            ArgKind::Who => "a role or a person, such as approver or @ana",
            ArgKind::Channel => "a channel such as #ops",
            ArgKind::Incident => "an incident such as INC-7",
            ArgKind::Proposal => "a proposal such as A3",
            ArgKind::Task => "a task such as T3",
            ArgKind::Followup => "a follow-up such as F3",
            ArgKind::Finding => "a finding such as D3",
            ArgKind::Change => "a manual change such as C3",
            ArgKind::Page => "a page such as N3",
            ArgKind::Answers => "answers of probes such as P5 or P5,P6",
            ArgKind::Event => "an event such as e12",
            ArgKind::Entry => "an event such as e12, or the link of a message",
            ArgKind::Probe => "a probe such as postgres.blocking",
            ArgKind::Action => "an action such as odoo.cron.disable",
            ArgKind::Target => "a target such as odoo-prod",
            ArgKind::Targets => "targets joined by commas, such as odoo-prod,redis-prod",
            ArgKind::Runbook => "a runbook such as month-end-posting",
            ArgKind::Step => "a step such as contain.2",
            ArgKind::Duration => "a time span such as 15m, 2h or 3d",
            ArgKind::When => "a time such as 14:00, 10m ago or 2026-11-21 14:00",
            ArgKind::Day => "a day such as 2026-12-01, friday or 3d",
            ArgKind::Url => "an address such as https://tracker.example/42",
            ArgKind::Params => "key=value",
            ArgKind::Flag => "yes or no",
        };
        fixed.to_owned()
    }
}

/// Kinds that are a number with letters before it, and what such a thing is called.
const LETTERS: &[(ArgKind, &str, &str)] = &[
    (ArgKind::Incident, "INC-", "an incident"),
    (ArgKind::Proposal, "A", "a proposal"),
    (ArgKind::Task, "T", "a task"),
    (ArgKind::Followup, "F", "a follow-up"),
    (ArgKind::Finding, "D", "a finding"),
    (ArgKind::Change, "C", "a manual change"),
    (ArgKind::Page, "N", "a page"),
    (ArgKind::Answers, "P", "an answer of a probe"),
    (ArgKind::Event, "e", "an event"),
];

/// What a thing with these letters is called ("a task" for `t`), for people who mixed two of them up.
pub(crate) fn noun_of(letters: &str) -> Option<&'static str> {
    let same = |known: &str| known.trim_end_matches('-').eq_ignore_ascii_case(letters);
    LETTERS
        .iter()
        .find(|(_, known, _)| same(known))
        .map(|(.., noun)| *noun)
}

/// The kind of thing that a word names by its letters and number (`T3`) or by its place (`contain.2`).
pub(crate) fn thing(word: &str) -> Option<ArgKind> {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &word[letters.len()..];
    if number.is_empty() {
        return None;
    }
    if let Some(phase) = letters.strip_suffix('.') {
        return PHASES.contains(&phase).then_some(ArgKind::Step);
    }
    let same = |known: &str| {
        known
            .trim_end_matches('-')
            .eq_ignore_ascii_case(letters.trim_end_matches('-'))
    };
    LETTERS
        .iter()
        .find(|(_, known, _)| same(known))
        .map(|(kind, ..)| *kind)
}

/// "a, b or c"
fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}
