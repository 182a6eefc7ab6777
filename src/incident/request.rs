//! What can be asked of an incident, by a person or by the bot's own hands. Imperative; resolved before it gets here:
//! names are ids, catalog entries are terms, times are UTC.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::action::{Answer, Outcome, Preview, Terms};
use super::event::{Frame, Gap, Link, Marked, Opening};
use super::plan::Plan;
use super::words::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    Open {
        opening: Box<Opening>,
        frame: Frame,
        detected: Option<DateTime<Utc>>,
    },
    RoomOpened {
        room: RoomRef,
        audience: Audience,
    },
    RoomFailed {
        why: String,
        /// Of a further room: where it was asked for, and for whom.
        further: Option<(String, Audience)>,
    },
    /// A channel that is there already becomes a room.
    AddRoom {
        room: RoomRef,
        audience: Audience,
        /// By everybody of the workspace, as its platform says.
        readable: bool,
    },
    /// A new room on a platform.
    AskRoom {
        platform: String,
        audience: Audience,
    },
    LeaveRoom {
        room: RoomRef,
    },
    /// The incident is over and was told to its end: a channel that was there before goes its own way again.
    GiveRoomBack {
        room: RoomRef,
    },
    RoomArchived {
        room: RoomRef,
    },
    RoomUnarchived {
        room: RoomRef,
        /// It could not be archived at all.
        why: Option<String>,
    },
    /// It cannot be used any more, for good.
    RoomLost {
        room: RoomRef,
        why: String,
    },
    PlatformLost {
        platform: String,
        since: DateTime<Utc>,
    },
    PlatformBack {
        platform: String,
    },
    SetCarry {
        on: bool,
    },

    Frame {
        frame: Frame,
    },
    AssessDamage {
        ongoing: bool,
        detail: Option<String>,
    },
    Next {
        reason: Option<String>,
    },
    Back {
        to: Phase,
        reason: String,
    },
    DoStep {
        step: String,
        note: Option<String>,
    },
    SkipStep {
        step: String,
        reason: String,
    },
    AnswerStep {
        step: String,
        answer: String,
    },
    TakeBranch {
        step: String,
        branch: String,
        reason: Option<String>,
    },

    AskProbes {
        probes: Vec<ProbeRequest>,
    },
    AnswerProbe {
        run: ProbeRunId,
        answer: Answer,
    },
    RecordFinding {
        line: Line,
        conclusion: Conclusion,
        text: String,
        evidence: Vec<ProbeRunId>,
    },
    AcceptCause {
        finding: FindingId,
        reason: Option<String>,
    },

    Propose {
        terms: Box<Terms>,
        reason: String,
    },
    Previewed {
        proposal: ProposalId,
        preview: Box<Preview>,
    },
    PreviewFailed {
        proposal: ProposalId,
        why: String,
    },
    Approve {
        proposal: ProposalId,
        digest: Option<String>,
        reason: Option<String>,
    },
    Refuse {
        proposal: ProposalId,
        reason: String,
    },
    Withdraw {
        proposal: ProposalId,
        reason: Option<String>,
    },
    BreakGlass {
        proposal: ProposalId,
        target: String,
        reason: String,
    },
    ReviewGlass {
        proposal: ProposalId,
        note: String,
    },
    EndAttempt {
        attempt: AttemptId,
        outcome: Outcome,
    },
    Settle {
        proposal: ProposalId,
        happened: bool,
        grounds: String,
    },
    Confirm {
        proposal: ProposalId,
        worked: bool,
        grounds: String,
    },
    /// It was undone outside of Orderly, or is no longer needed.
    LiftContainment {
        proposal: ProposalId,
        reason: String,
    },
    AcceptContainment {
        proposal: ProposalId,
        reason: String,
    },
    NoteChange {
        text: String,
    },
    ReconcileChange {
        change: ChangeId,
        reference: String,
    },
    WaiveChange {
        change: ChangeId,
        reason: String,
    },

    Decide {
        way: Way,
        reason: String,
        facts: Vec<String>,
    },
    CheckRecovery {
        item: RecoveryItem,
        passed: bool,
        count: Option<u64>,
        detail: Option<String>,
    },
    WaiveRecovery {
        item: RecoveryItem,
        reason: String,
    },
    Resolve {
        summary: Option<String>,
        reason: Option<String>,
    },
    Reopen {
        reason: String,
    },
    Close {
        reason: Option<String>,
    },
    Cancel {
        reason: String,
    },
    MarkDuplicate {
        of: IncidentId,
    },

    Acknowledge {
        page: Option<PageId>,
    },
    TakeRole {
        role: Role,
        person: PersonId,
    },
    ReleaseRole {
        role: Role,
        person: PersonId,
    },
    HandOver {
        role: Role,
        to: PersonId,
        note: Option<String>,
    },
    /// Into the rooms, and into a private incident.
    Invite {
        people: Vec<PersonId>,
    },
    Page {
        role: Option<Role>,
        people: Vec<PersonId>,
        message: Option<String>,
    },
    AddTask {
        text: String,
        owner: Option<PersonId>,
        source: Option<MarkedAt>,
    },
    AssignTask {
        task: TaskId,
        owner: PersonId,
    },
    FinishTask {
        task: TaskId,
        note: Option<String>,
    },
    DropTask {
        task: TaskId,
        reason: Option<String>,
    },
    /// The reaction that asked for a task of this message is gone.
    TakeTaskBack {
        source: MarkedAt,
    },
    AddFollowup {
        text: String,
        owner: Option<PersonId>,
        due: Option<NaiveDate>,
        tracker: Option<String>,
        source: Option<MarkedAt>,
    },
    ChangeFollowup {
        followup: FollowupId,
        owner: Option<PersonId>,
        due: Option<NaiveDate>,
        tracker: Option<String>,
    },
    FinishFollowup {
        followup: FollowupId,
        note: Option<String>,
    },
    DropFollowup {
        followup: FollowupId,
        reason: Option<String>,
    },
    TakeFollowupBack {
        source: MarkedAt,
    },

    Note {
        text: String,
    },
    /// A note about something that happened earlier.
    NoteAt {
        text: String,
        at: DateTime<Utc>,
    },
    SendUpdate {
        text: String,
        next_s: Option<u64>,
    },
    SnoozeUpdate {
        for_s: u64,
    },
    Mark {
        marked: Marked,
        at: DateTime<Utc>,
        /// By a reaction.
        reacted: bool,
    },
    MessageEdited {
        message: MessageRef,
        text: String,
        at: DateTime<Utc>,
    },
    Unmark {
        message: MessageRef,
        why: String,
        /// `None`: nobody saw when.
        at: Option<DateTime<Utc>>,
    },
    /// A file of a marked message was read; its bytes come with the same commit.
    KeepFile {
        message: MessageRef,
        file: String,
        size: u64,
        sha256: String,
    },
    /// It cannot be read, now or later.
    MissFile {
        message: MessageRef,
        file: String,
        why: String,
    },

    Retitle {
        title: String,
    },
    SetSeverity {
        to: Severity,
        reason: Option<String>,
    },
    SetProcess {
        to: Process,
    },
    AddTarget {
        target: String,
    },
    UseRunbook {
        plan: Box<Plan>,
        reason: String,
    },
    SetMoment {
        moment: Moment,
        at: DateTime<Utc>,
    },
    Link {
        link: Link,
    },

    WriteSection {
        section: Section,
        text: String,
    },
    Review {
        to: Review,
        note: Option<String>,
    },
    SnoozePostmortem {
        for_s: u64,
    },
    RecordExport {
        format: String,
        as_of: u64,
        sha256: String,
    },
    RecordRedaction {
        row: u64,
        reason: String,
        messages: Vec<MessageRef>,
        gaps: Vec<Gap>,
    },
    /// A group that should say who may approve cannot be read.
    MissGroup {
        group: String,
        why: String,
    },

    /// A timer of this incident is due.
    Timer {
        key: TimerKey,
    },
}

/// A message of which a task or a follow-up is made, and how somebody asked for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedAt {
    pub message: MessageRef,
    pub marking: Marking,
}

/// A probe to be asked, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeRequest {
    pub probe: String,
    pub target: String,
    pub params: Params,
    /// The runbook step it belongs to.
    pub step: Option<String>,
}

/// What a timer is for. Its text form is its key in the store, so a timer set again replaces itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub enum TimerKey {
    /// A stakeholder update is due.
    Update,
    /// Nobody has taken this role.
    Nudge {
        role: Role,
    },
    /// Containment is still in force.
    Containment,
    /// A waiting proposal asks again, in a wider circle.
    AskAgain {
        proposal: ProposalId,
        circle: u32,
    },
    Expire {
        proposal: ProposalId,
    },
    /// A held proposal looks whether it may run now.
    Held {
        proposal: ProposalId,
    },
    Page {
        page: PageId,
    },
    /// The post-mortem is due.
    Postmortem,
}

impl std::fmt::Display for TimerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TimerKey::Update => f.write_str("update"),
            TimerKey::Nudge { role } => write!(f, "nudge:{role}"),
            TimerKey::Containment => f.write_str("containment"),
            TimerKey::AskAgain { proposal, .. } => write!(f, "ask:{proposal}"),
            TimerKey::Expire { proposal } => write!(f, "expire:{proposal}"),
            TimerKey::Held { proposal } => write!(f, "held:{proposal}"),
            TimerKey::Page { page } => write!(f, "page:{page}"),
            TimerKey::Postmortem => f.write_str("postmortem"),
        }
    }
}

/// A person as the desk and the config see them at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub name: String,
    /// What they are entitled to, not what they took in this incident.
    pub roles: BTreeSet<Role>,
    /// Guests, bots, strangers and deactivated people may read, not command.
    pub may_command: bool,
}

/// A group of a platform that gives roles, as it was read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStanding {
    /// As the config names it, with its platform: `slack/@approvers`.
    pub name: String,
    pub roles: BTreeSet<Role>,
    pub members: BTreeSet<PersonId>,
    /// Why it cannot be read now. Then it counts for nobody, whoever was in it.
    pub lost: Option<String>,
}

/// Every new attempt on this target, or on all, is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Freeze {
    /// `None`: everything.
    pub target: Option<String>,
    pub by: PersonId,
    pub reason: String,
}

/// What lies outside the incident and counts for a decision, as it is at this moment.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub people: BTreeMap<PersonId, Standing>,
    /// Groups that give roles beside those that people have by themselves.
    pub groups: Vec<GroupStanding>,
    pub freezes: Vec<Freeze>,
    /// Targets on which an attempt runs or is unknown, with the incident that holds them.
    pub locks: BTreeMap<String, (IncidentId, AttemptId)>,
    /// Digest of every action's catalog entry.
    pub entries: BTreeMap<String, String>,
}

impl Surroundings {
    /// The freeze that holds a target, if any.
    pub fn freeze_on(&self, target: &str) -> Option<&Freeze> {
        self.freezes
            .iter()
            .find(|freeze| freeze.target.as_deref().is_none_or(|frozen| frozen == target))
    }

    /// Whether a person holds a role now, by themselves or through a group that can be read. Somebody unknown holds none.
    pub fn holds(&self, person: &PersonId, role: Role) -> bool {
        self.may_command(person)
            && (self.has_by_themselves(person, role) || self.through(person, role).is_some())
    }

    /// The same, if every group were as it was when it could be read last.
    pub fn held_when_read(&self, person: &PersonId, role: Role) -> bool {
        let mut giving = self.groups.iter().filter(|group| group.roles.contains(&role));
        self.holds(person, role)
            || (self.may_command(person) && giving.any(|group| group.members.contains(person)))
    }

    /// The group that gives somebody a role that they do not have by themselves.
    pub fn through(&self, person: &PersonId, role: Role) -> Option<&GroupStanding> {
        let gives = |group: &&GroupStanding| {
            group.lost.is_none() && group.roles.contains(&role) && group.members.contains(person)
        };
        match self.has_by_themselves(person, role) {
            true => None,
            false => self.groups.iter().find(gives),
        }
    }

    /// Groups that would give a role and cannot be read.
    pub fn lost(&self, role: Role) -> impl Iterator<Item = (&str, &str)> {
        let giving = self
            .groups
            .iter()
            .filter(move |group| group.roles.contains(&role));
        giving.filter_map(|group| Some((group.name.as_str(), group.lost.as_deref()?)))
    }

    fn has_by_themselves(&self, person: &PersonId, role: Role) -> bool {
        let standing = self.people.get(person);
        standing.is_some_and(|standing| standing.roles.contains(&role))
    }

    pub fn may_command(&self, person: &PersonId) -> bool {
        self.people
            .get(person)
            .is_some_and(|standing| standing.may_command)
    }
}
