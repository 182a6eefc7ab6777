//! What can have happened in an incident. Past tense, facts only; everything shown anywhere is a fold of these.
//!
//! Events are stored as JSON under their [`Event::kind`] and [`VERSION`]. Their schema is checked in
//! (`schemas/incident-events.schema.json`): a change to a shape here fails the build until the schema is renewed on
//! purpose, and a shape that old rows do not fit needs an upcast in [`Event::read`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{Answer, Operation, Outcome, Preview, Terms};
use super::plan::Plan;
use super::words::*;

/// Version written today.
pub const VERSION: u16 = 1;

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum By {
    Person {
        id: PersonId,
    },
    /// The bot itself: a timer, a probe's answer.
    Orderly,
}

impl By {
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            By::Person { id } => Some(id),
            By::Orderly => None,
        }
    }
}

/// An event as it stands in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Place in the incident's journal, from 1. The id of the event: `#12`.
    pub seq: u64,
    /// When it was written down.
    pub recorded: DateTime<Utc>,
    /// When it happened; may lie before.
    pub occurred: DateTime<Utc>,
    /// Where `occurred` comes from: `clock`, `message`, `said`, `probe`; `history`: found so when a room was read
    /// again, and nobody knows since when.
    pub source: String,
    pub by: By,
    /// `None`: redacted beyond reading.
    pub event: Option<Event>,
}

/// Why a phase was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Passage {
    /// The first phase.
    Start,
    /// The gate held.
    Gate,
    /// The commander went on although these conditions did not hold.
    Override { reason: String, open: Vec<String> },
    /// Back to an earlier phase.
    Back { reason: String },
}

/// The frame: what, who and how badly, since when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    pub trouble: Option<Trouble>,
    /// Which function is broken, or what is down or slow.
    pub what: Option<String>,
    /// What still works.
    pub works: Option<String>,
    pub who: Option<String>,
    /// How badly.
    pub impact: Option<String>,
    pub since: Option<DateTime<Utc>>,
}

/// Why a probe was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Purpose {
    /// A person or a runbook step asked.
    Ask { step: Option<String> },
    /// Right before an attempt: must hold, or nothing runs.
    Precondition { proposal: ProposalId },
    /// Right before an attempt, to be set beside the same probe's answer afterwards.
    Before { proposal: ProposalId },
    /// After an attempt: did it work? Also settles an unknown attempt.
    Verify { proposal: ProposalId },
}

/// One probe as asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    pub run: ProbeRunId,
    /// Runs with the same round were asked together and share one message.
    pub round: u32,
    pub probe: String,
    pub target: String,
    pub params: Params,
    pub purpose: Purpose,
}

/// What a person marked in the room for the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marked {
    pub message: MessageRef,
    pub author: String,
    pub text: String,
    /// Files of the message. What became of each is told by `file_kept` and `file_missed`.
    pub files: Vec<FileRef>,
}

/// How a related thing is related.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Link {
    Url { url: String, title: Option<String> },
    Related { incident: IncidentId },
}

/// What is asked when an incident is opened; resolved before it reaches the core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opening {
    pub number: IncidentId,
    pub title: String,
    pub severity: Severity,
    pub process: Process,
    pub targets: Vec<String>,
    pub private: bool,
    pub drill: bool,
    /// Written down after it was over.
    pub retroactive: bool,
    /// Where it was asked for; the first prompt is shown there until the room exists.
    pub asked_in: Option<RoomRef>,
    /// A channel that was there before and becomes the room.
    #[serde(default)]
    pub here: Option<RoomRef>,
    /// What was said in that channel since the onset belongs to the incident too.
    #[serde(default)]
    pub history: bool,
    pub plan: Plan,
    /// Why this runbook was chosen.
    pub chosen_because: String,
    /// SHA-256 of the catalog in force, hex.
    pub catalog: String,
    pub settings: Settings,
}

/// What the config says about how an incident is run, pinned at its opening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Seconds between stakeholder updates, for SEV1 to SEV5.
    pub update_every_s: [u64; 5],
    /// Seconds until an unclaimed commander role is asked for.
    pub nudge_after_s: u64,
    /// Seconds between reminders of containment in force.
    pub containment_every_s: u64,
    /// Seconds after which a waiting proposal asks again, each time in a wider circle.
    pub ask_again_s: Vec<u64>,
    /// Seconds between repeats of a page nobody acknowledged.
    pub page_every_s: u64,
    /// Seconds from the end of the incident until its post-mortem is due, for SEV1 to SEV5. `None`: nobody waits for it.
    #[serde(default)]
    pub postmortem_due_s: [Option<u64>; 5],
    /// Seconds until a follow-up is due if nobody says otherwise.
    #[serde(default)]
    pub followup_due_s: Option<u64>,
    #[serde(default)]
    pub rooms: RoomSettings,
    /// What each process can bear, so that a post-mortem measures against what held then.
    #[serde(default)]
    pub objectives: BTreeMap<Process, Objectives>,
    /// How people call the bot: `incident`. `None` in rows from before it was pinned.
    #[serde(default)]
    pub command: Option<String>,
}

/// Recovery time and recovery point objective of a process, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Objectives {
    pub rto_s: Option<u64>,
    pub rpo_s: Option<u64>,
}

/// What the config says about the rooms of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomSettings {
    /// Rooms that Orderly made are archived at the end.
    pub archive: bool,
    /// What people say in one room of the team is carried over to its others.
    pub carry: bool,
    /// A channel that was there before gets the incident's topic.
    pub adopted_topic: bool,
    /// People who join the response are invited into a channel that was there before.
    pub adopted_invite: bool,
}

impl Default for Settings {
    /// Updates as usual in the field: every half hour for SEV1, hourly for SEV2, then rarely.
    fn default() -> Self {
        Self {
            update_every_s: [1_800, 3_600, 14_400, 86_400, 604_800],
            nudge_after_s: 300,
            containment_every_s: 3_600,
            ask_again_s: vec![180, 360, 600],
            page_every_s: 300,
            postmortem_due_s: [Some(259_200), Some(432_000), Some(864_000), None, None],
            followup_due_s: None,
            rooms: RoomSettings::default(),
            objectives: BTreeMap::new(),
            command: None,
        }
    }
}

/// Rows written before channels could be joined are about rooms that Orderly made.
fn made() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr)]
#[serde(tag = "event", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    // The incident as a whole.
    Opened {
        opening: Box<Opening>,
    },
    RoomOpened {
        room: RoomRef,
        audience: Audience,
        /// By Orderly. One that was there before keeps its topic and its members, and is not archived.
        #[serde(default = "made")]
        made: bool,
    },
    /// A further room is to be made on a platform.
    RoomAsked {
        platform: String,
        audience: Audience,
    },
    RoomFailed {
        why: String,
        /// Of a further room: the platform it was asked for on.
        #[serde(default)]
        platform: Option<String>,
        /// And whose room it was to be. Earlier events do not say.
        #[serde(default)]
        audience: Option<Audience>,
    },
    /// It is no room of the incident any more.
    RoomLeft {
        room: RoomRef,
        why: Option<String>,
    },
    RoomArchived {
        room: RoomRef,
    },
    RoomUnarchived {
        room: RoomRef,
        /// Nothing was posted in it after this event.
        after: u64,
        /// It could not be archived at all.
        why: Option<String>,
    },
    /// Nothing has reached this platform since then.
    PlatformLost {
        platform: String,
        since: DateTime<Utc>,
    },
    PlatformBack {
        platform: String,
    },
    /// Whether what people say in one room is carried over to the others.
    CarryChanged {
        on: bool,
    },
    Retitled {
        title: String,
    },
    SeverityChanged {
        from: Severity,
        to: Severity,
        reason: Option<String>,
    },
    ProcessChanged {
        from: Process,
        to: Process,
    },
    TargetAdded {
        target: String,
    },
    RunbookChanged {
        plan: Box<Plan>,
        reason: String,
    },
    MomentSet {
        moment: Moment,
        at: DateTime<Utc>,
        provenance: String,
    },
    Linked {
        link: Link,
    },
    MarkedDuplicate {
        of: IncidentId,
    },
    Cancelled {
        reason: String,
    },
    Resolved {
        summary: Option<String>,
    },
    Reopened {
        reason: String,
    },
    Closed,

    // The order.
    PhaseEntered {
        phase: Phase,
        from: Option<Phase>,
        passage: Passage,
    },
    Framed {
        frame: Frame,
        sentence: String,
        whole: bool,
    },
    DamageAssessed {
        ongoing: bool,
        detail: Option<String>,
    },
    StepDone {
        step: String,
        note: Option<String>,
    },
    StepSkipped {
        step: String,
        reason: String,
    },
    StepAnswered {
        step: String,
        answer: String,
    },
    BranchTaken {
        step: String,
        branch: String,
        reason: Option<String>,
    },

    // Questions and what they showed.
    ProbeAsked {
        asked: Asked,
    },
    ProbeAnswered {
        run: ProbeRunId,
        answer: Answer,
    },
    FindingRecorded {
        finding: FindingId,
        line: Line,
        conclusion: Conclusion,
        text: String,
        evidence: Vec<ProbeRunId>,
    },
    CauseAccepted {
        finding: FindingId,
        /// Why, and why the rest of triage may be left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The lines of triage that were left once the cause was accepted.
    TriageLeft {
        lines: Vec<Line>,
        reason: String,
    },

    // Changes to a system.
    ProposalDrafted {
        proposal: ProposalId,
        terms: Box<Terms>,
        reason: String,
        break_glass: bool,
    },
    /// Rendered, shown, open for approval.
    Proposed {
        proposal: ProposalId,
        preview: Box<Preview>,
        digest: String,
        expires: DateTime<Utc>,
    },
    PreviewFailed {
        proposal: ProposalId,
        why: String,
    },
    Approved {
        proposal: ProposalId,
        digest: String,
        reason: Option<String>,
        /// The group that gave the role for it, where the approver has it from no other place: `slack/@approvers`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<String>,
    },
    /// A group that gives the role could not be read when it should have counted.
    GroupMissed {
        group: String,
        why: String,
    },
    Refused {
        proposal: ProposalId,
        reason: String,
    },
    Withdrawn {
        proposal: ProposalId,
        reason: Option<String>,
    },
    Expired {
        proposal: ProposalId,
    },
    Voided {
        proposal: ProposalId,
        why: String,
    },
    AskedAgain {
        proposal: ProposalId,
        circle: u32,
    },
    /// The quorum stands; the precondition is asked next, then the attempt starts.
    Cleared {
        proposal: ProposalId,
        approvers: Vec<PersonId>,
    },
    /// Cleared, but a freeze or another attempt holds it.
    Held {
        proposal: ProposalId,
        why: String,
    },
    PreconditionFailed {
        proposal: ProposalId,
        run: ProbeRunId,
        why: String,
    },
    GlassBroken {
        proposal: ProposalId,
        typed_target: String,
        reason: String,
    },
    GlassReviewed {
        proposal: ProposalId,
        note: String,
    },
    AttemptStarted {
        proposal: ProposalId,
        attempt: AttemptId,
        operation: Operation,
        digest: String,
    },
    AttemptFinished {
        attempt: AttemptId,
        outcome: Outcome,
    },
    /// A person or a probe says what an unknown attempt did.
    AttemptSettled {
        attempt: AttemptId,
        happened: bool,
        grounds: String,
    },
    Verified {
        proposal: ProposalId,
        run: Option<ProbeRunId>,
        worked: bool,
        grounds: String,
    },
    ContainmentLifted {
        proposal: ProposalId,
        grounds: String,
    },
    ContainmentAccepted {
        proposal: ProposalId,
        reason: String,
    },
    ContainmentReminded {
        proposals: Vec<ProposalId>,
    },
    ChangeNoted {
        change: ChangeId,
        text: String,
        proposal: Option<ProposalId>,
    },
    ChangeReconciled {
        change: ChangeId,
        reference: String,
    },
    ChangeWaived {
        change: ChangeId,
        reason: String,
    },

    // Decide and recover.
    Decided {
        way: Way,
        reason: String,
        facts: Vec<String>,
    },
    RecoveryChecked {
        item: RecoveryItem,
        passed: bool,
        count: Option<u64>,
        detail: Option<String>,
    },
    RecoveryWaived {
        item: RecoveryItem,
        reason: String,
    },

    // People.
    Acknowledged,
    RoleTaken {
        role: Role,
        person: PersonId,
    },
    RoleReleased {
        role: Role,
        person: PersonId,
    },
    HandedOver {
        role: Role,
        from: PersonId,
        to: PersonId,
        note: Option<String>,
    },
    RoleNudged {
        role: Role,
    },
    /// Brought into the rooms; sees the incident from now on if it is private.
    Invited {
        people: Vec<PersonId>,
    },
    Paged {
        page: PageId,
        role: Option<Role>,
        people: Vec<PersonId>,
        message: Option<String>,
    },
    PageRepeated {
        page: PageId,
        times: u32,
    },
    PageAcknowledged {
        page: PageId,
    },
    TaskAdded {
        task: TaskId,
        text: String,
        owner: Option<PersonId>,
        source: Option<MessageRef>,
        #[serde(default = "asked", skip_serializing_if = "Marking::is_asked")]
        marking: Marking,
    },
    TaskAssigned {
        task: TaskId,
        owner: PersonId,
    },
    TaskDone {
        task: TaskId,
        note: Option<String>,
    },
    TaskDropped {
        task: TaskId,
        reason: Option<String>,
        /// The last reaction that asked for it was taken back; nobody dropped it by hand.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_back: bool,
    },
    FollowupAdded {
        followup: FollowupId,
        text: String,
        owner: Option<PersonId>,
        due: Option<chrono::NaiveDate>,
        tracker: Option<String>,
        source: Option<MessageRef>,
        #[serde(default = "asked", skip_serializing_if = "Marking::is_asked")]
        marking: Marking,
    },
    FollowupChanged {
        followup: FollowupId,
        owner: Option<PersonId>,
        due: Option<chrono::NaiveDate>,
        tracker: Option<String>,
    },
    FollowupDone {
        followup: FollowupId,
        note: Option<String>,
    },
    FollowupDropped {
        followup: FollowupId,
        reason: Option<String>,
        /// As in `task_dropped`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_back: bool,
    },
    /// Somebody marked a message as well of which there is a task or a follow-up already.
    Seconded {
        made: Made,
        marking: Marking,
    },
    /// A reaction that asked for it is gone, and it stays: somebody else wants it, or it is more than a mark by now.
    ReactionTakenBack {
        made: Made,
        marking: Marking,
    },

    // Words.
    Noted {
        text: String,
    },
    UpdateSent {
        text: String,
        next: Option<DateTime<Utc>>,
    },
    UpdateReminded {
        due: DateTime<Utc>,
    },
    UpdateSnoozed {
        until: DateTime<Utc>,
    },
    MessageMarked {
        marked: Marked,
        /// By a reaction, which stands at the message and may be taken back there; not by a menu.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reacted: bool,
    },
    MessageChanged {
        message: MessageRef,
        text: String,
    },
    MessageUnmarked {
        message: MessageRef,
        why: String,
    },
    /// The bytes of a file of a marked message are stored as evidence, as they were received.
    FileKept {
        message: MessageRef,
        /// The platform's id of the file.
        file: String,
        name: String,
        media_type: String,
        /// In bytes.
        size: u64,
        sha256: String,
    },
    /// A file of a marked message could not be kept, for good.
    FileMissed {
        message: MessageRef,
        file: String,
        name: String,
        why: String,
    },

    // The post-mortem and the journal itself.
    SectionWritten {
        section: Section,
        text: String,
    },
    ReviewChanged {
        to: Review,
        note: Option<String>,
    },
    /// It was due then, and nobody has reviewed it.
    PostmortemReminded {
        due: DateTime<Utc>,
    },
    PostmortemSnoozed {
        until: DateTime<Utc>,
    },
    Exported {
        format: String,
        as_of: u64,
        sha256: String,
    },
    Redacted {
        row: u64,
        reason: String,
        /// Messages whose words went with it. Whatever is told of them later says nothing either.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        messages: Vec<MessageRef>,
        /// What stands in place of each event that lost its words. Rows written before there were these do not say.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gaps: Vec<Gap>,
    },
    ClockJumped {
        back_ms: i64,
    },
}

/// An event that lost its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    pub row: u64,
    /// SHA-256 of what stands there now, hex: nobody else may write something there and call it redacted.
    pub sha256: String,
}

/// What rows say that are older than the question.
fn asked() -> Marking {
    Marking::Asked
}

/// A row that could not be read. The journal itself is fine; the program is older than the row, or the row is damaged.
#[derive(Debug, thiserror::Error)]
#[error(
    "event of kind `{kind}` version {version} cannot be read by this version of Orderly: {why}. Use the version that wrote it, or a newer one."
)]
pub struct Unreadable {
    pub kind: String,
    pub version: u16,
    pub why: String,
}

impl Event {
    /// The tag under which it is stored (`phase_entered`).
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// Reads a stored payload, bringing older versions up to this one.
    pub fn read(kind: &str, version: u16, payload: &str) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable {
            kind: kind.to_owned(),
            version,
            why,
        };
        if version > VERSION {
            return Err(unreadable("it is newer".to_owned()));
        }
        serde_json::from_str(payload).map_err(|error| unreadable(error.to_string()))
    }
}
