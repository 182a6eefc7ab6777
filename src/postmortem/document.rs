//! The post-mortem as data. Renderers see only this; its JSON form has a schema in `schemas/`.
//!
//! Whatever the bot composed carries the numbers of the events it rests on. Whatever a person wrote is a [`Words`].

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::Metric;
use crate::incident::*;
use crate::timeline::Entry;

/// Name of the shape of [`Document`]; changes when a reader of the JSON must change.
pub const SCHEMA: &str = "orderly.postmortem/1";

/// A sentence the bot composed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    pub text: String,
    /// Numbers of the events it rests on.
    pub events: Vec<u64>,
}

/// What a person wrote, as they wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    pub text: String,
    pub by: String,
    pub at: DateTime<Utc>,
    pub event: u64,
}

/// A part that people write. Until they do, what the journal knows stands in for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    pub section: Section,
    pub title: String,
    pub written: Option<Words>,
    pub composed: Vec<Fact>,
    /// Set while nobody has written it: says so.
    pub missing: Option<String>,
    /// The command that writes it, while it may still be written.
    pub how: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    pub schema: String,
    pub header: Header,
    pub summary: Part,
    pub frame: Option<FrameRecord>,
    pub impact: Impact,
    pub moments: Vec<MomentRecord>,
    pub metrics: Vec<Metric>,
    pub cause: Cause,
    pub prevention: Part,
    pub followups: Vec<Work>,
    pub went_well: Part,
    pub went_badly: Part,
    pub lucky: Part,
    pub actions: Vec<Action>,
    pub containment: Vec<Contained>,
    pub decision: Option<Decided>,
    pub resolution: Part,
    pub recovery: Vec<Fact>,
    pub changes: Vec<ManualChange>,
    /// Gates that were overridden, and ways back to an earlier phase.
    pub detours: Vec<Detour>,
    pub people: Vec<Person>,
    pub hand_overs: Vec<Said>,
    pub pages: Vec<Fact>,
    pub tasks: Vec<Work>,
    pub findings: Vec<FoundOut>,
    pub probe_groups: Vec<ProbeGroup>,
    pub probes: Vec<ProbeRecord>,
    pub evidence: Vec<Evidence>,
    pub updates: Vec<Words>,
    pub links: Vec<LinkRecord>,
    /// What one tells a colleague who comes late.
    pub highlights: Vec<Entry>,
    /// How many such lines had to be left out for length; they stand in the timeline.
    pub highlights_left_out: u64,
    pub timeline: Vec<Entry>,
    /// How the post-mortem itself was reviewed.
    pub reviews: Vec<Said>,
    pub gaps: Gaps,
    /// Every message of the rooms, where the config keeps all of them.
    pub room_log: Option<Vec<LogLine>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// `INC-7`.
    pub number: String,
    pub title: String,
    pub severity: Severity,
    /// The worst it ever was.
    pub worst: Severity,
    pub process: Process,
    /// `open`, `resolved`, `closed`, `cancelled`, `duplicate of INC-3`.
    pub life: String,
    /// Why it was cancelled.
    pub life_reason: Option<String>,
    pub review: Review,
    /// `drill`, `private`, `retroactive`.
    pub marks: Vec<String>,
    pub targets: Vec<String>,
    pub rooms: Vec<String>,
    pub runbook: String,
    /// SHA-256 of the runbook as pinned, hex.
    pub runbook_digest: String,
    /// SHA-256 of the catalog at the opening, hex.
    pub catalog_digest: String,
    pub declared: Fact,
    /// The events that the lines above rest on.
    pub cites: Cites,
    /// Number of the last event that is told here. Exports do not count.
    pub as_of: u64,
    /// When that event was written down. Durations that are still open end here.
    pub as_of_time: DateTime<Utc>,
    /// Head of the journal's chain at that event.
    pub head: String,
    /// Version of Orderly that assembled it, and the digest of the code that did.
    pub made_with: MadeWith,
}

/// By which events the head of the document came to say what it says; the last one looked at, where none did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cites {
    /// Of the worst severity and of the last.
    pub severity: Vec<u64>,
    pub process: Vec<u64>,
    pub targets: Vec<u64>,
    pub life: Vec<u64>,
    pub review: Vec<u64>,
    pub rooms: Vec<u64>,
    pub runbook: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MadeWith {
    pub version: String,
    /// SHA-256 over the sources that assemble and render, hex.
    pub renderer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FrameRecord {
    pub sentence: Option<String>,
    pub frame: Frame,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    pub part: Part,
    pub numbers: Vec<Number>,
    pub severities: Vec<Stretch>,
    pub phases: Vec<Stretch>,
    /// What bad verdicts meant for the business, from the catalog.
    pub business: Vec<Fact>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Number {
    pub label: String,
    pub value: String,
    pub detail: Option<String>,
    pub events: Vec<u64>,
}

/// A severity or a phase for as long as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    pub name: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub seconds: i64,
    /// `1 d 3 h 20 min`.
    pub length: String,
    /// It had not ended at the last event.
    pub open: bool,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MomentRecord {
    pub moment: Moment,
    pub at: Option<DateTime<Utc>>,
    pub provenance: Option<String>,
    pub event: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    pub part: Part,
    pub accepted: Option<FoundOut>,
    pub detection: Part,
    pub trigger: Part,
    pub factors: Part,
    pub suspects: Vec<FoundOut>,
    pub lines: Vec<LineRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineRecord {
    pub line: Line,
    /// `examined`, `left`, `not examined`.
    pub state: String,
    pub detail: Option<String>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundOut {
    pub id: String,
    pub line: Line,
    pub conclusion: Conclusion,
    pub words: Words,
    /// Probe runs it rests on, in words, with the events of their answers.
    pub evidence: Vec<Fact>,
    pub events: Vec<u64>,
}

/// A task or a follow-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    pub id: String,
    pub text: String,
    pub owner: Option<String>,
    pub due: Option<NaiveDate>,
    pub tracker: Option<String>,
    /// The tracker, where it is an address that may become a link.
    pub tracker_url: Option<String>,
    /// `open`, `done`, `dropped`.
    pub state: String,
    pub note: Option<String>,
    pub events: Vec<u64>,
}

/// One proposed change with its whole life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    pub id: String,
    pub title: String,
    /// Name of the catalog entry.
    pub action: String,
    pub target: String,
    pub environment: Environment,
    pub risk: Risk,
    /// Who had to agree, in words.
    pub policy: String,
    pub proposed: Words,
    /// `verified`, `refused`, ...
    pub stage: String,
    pub containment: bool,
    pub operation: Option<ShownOperation>,
    pub approvals: Vec<Agreed>,
    /// What else befell the proposal: refused, withdrawn, void, held, settled.
    pub turns: Vec<Said>,
    pub break_glass: Option<Glass>,
    pub precondition: Option<Checked>,
    pub attempt: Option<Attempted>,
    pub verify: Option<Checked>,
    pub verified: Option<Fact>,
    pub before_after: Option<BeforeAfter>,
    /// How it can be taken back, or that it cannot.
    pub undo: String,
    /// Proposals that took it back.
    pub undone_by: Vec<String>,
    pub undoes: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownOperation {
    pub driver: String,
    /// What was approved, to the byte.
    pub display: String,
    pub effect: String,
    pub dry_run: bool,
    /// SHA-256 the approvals bind to, hex.
    pub digest: String,
    pub expires: DateTime<Utc>,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agreed {
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: Option<String>,
    /// The digest they were shown is the one that was offered last.
    pub same_digest: bool,
    pub event: u64,
}

/// A sentence of the bot with what the person said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    pub at: DateTime<Utc>,
    pub text: String,
    pub words: Option<String>,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Glass {
    pub by: String,
    pub reason: String,
    /// What the reviewer wrote; `None`: nobody has reviewed it yet.
    pub reviewed: Option<Words>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// What was asked and which verdict was wanted.
    pub text: String,
    pub verdict: Option<Verdict>,
    pub summary: Option<String>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempted {
    pub id: String,
    pub started: DateTime<Utc>,
    pub finished: Option<DateTime<Utc>>,
    /// `done`, `not done`, `unknown`, `running`.
    pub outcome: String,
    pub detail: String,
    pub events: Vec<u64>,
}

/// The same probe before and after an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BeforeAfter {
    pub probe: String,
    pub before: Verdict,
    pub after: Verdict,
    pub before_summary: String,
    pub after_summary: String,
    /// Lines that start with `-` were there before, with `+` after.
    pub diff: String,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contained {
    pub proposal: String,
    pub title: String,
    pub target: String,
    /// `in force`, `lifted`, `accepted`.
    pub state: String,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub length: Option<String>,
    pub grounds: Option<String>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    pub way: Way,
    pub words: Words,
    pub facts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManualChange {
    pub id: String,
    pub text: String,
    /// `open`, `reconciled`, `waived`.
    pub state: String,
    pub detail: Option<String>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Detour {
    pub phase: Phase,
    /// `override` or `back`.
    pub how: String,
    pub reason: Words,
    /// What did not hold when the gate was overridden.
    pub open: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub roles: Vec<Held>,
    /// Events this person caused.
    pub events: u64,
    pub first: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    pub role: Role,
    pub from: DateTime<Utc>,
    /// `None`: to the end.
    pub until: Option<DateTime<Utc>>,
    pub events: Vec<u64>,
}

/// All askings of one probe on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeGroup {
    pub probe: String,
    pub target: String,
    pub asked: u64,
    pub ok: u64,
    pub suspect: u64,
    pub failing: u64,
    pub unknown: u64,
    pub unanswered: u64,
    pub first: Option<Verdict>,
    pub last: Option<Verdict>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRecord {
    pub run: String,
    pub probe: String,
    pub target: String,
    pub params: String,
    pub asked_by: String,
    pub at: DateTime<Utc>,
    pub verdict: Option<Verdict>,
    pub summary: Option<String>,
    pub duration_ms: Option<u64>,
    pub caveats: Vec<String>,
    pub events: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it is: `output of postgres.blocking on odoo-prod (P3)`.
    pub what: String,
    /// SHA-256 over the bytes as received, hex.
    pub sha256: String,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkRecord {
    pub text: String,
    /// Set for `http` and `https` only: nothing else may become a link.
    pub url: Option<String>,
    pub events: Vec<u64>,
}

/// What a reader must know about the record itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Gaps {
    /// Events whose content was removed, and the reasons given.
    pub redacted: Vec<Said>,
    pub clock: Vec<Fact>,
    /// Lines that were taken back in the room.
    pub taken_back: Vec<Fact>,
}

impl Gaps {
    pub fn is_empty(&self) -> bool {
        self.redacted.is_empty() && self.clock.is_empty() && self.taken_back.is_empty()
    }
}

/// A message of a room, from the room log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    pub at: DateTime<Utc>,
    pub room: String,
    pub author: String,
    pub text: String,
    /// Earlier texts, oldest first.
    pub earlier: Vec<String>,
    pub deleted: bool,
    /// Files by SHA-256.
    pub files: Vec<String>,
}
