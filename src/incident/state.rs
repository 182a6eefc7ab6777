//! What an incident is now: the fold of its events.
//!
//! Folding never fails: the journal is what happened. Whether something may happen is decided before it is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::action::Answer;
use super::event::{Asked, Frame, Link, Marked, Opening, Passage};
use super::proposal::{Illegal, Proposal};
use super::words::*;

/// Whether anything more is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    Open,
    /// Recovered; the lessons are being written.
    Resolved,
    Closed,
    Cancelled {
        reason: String,
    },
    Duplicate {
        of: IncidentId,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Journal number of the last event folded in; zero before the first.
    pub seq: u64,
    /// When the last event was written down. The time given to decide never lies before it.
    pub last: DateTime<Utc>,
    /// The clock jumped back and has not caught up with the journal.
    pub clock_behind: bool,
    /// What the clock is known to have shown last; a time before it is a jump backwards.
    pub clock_seen: DateTime<Utc>,
    pub opening: Opening,
    pub opened_by: By,
    pub life: Life,
    pub title: String,
    pub severity: Severity,
    pub process: Process,
    pub targets: Vec<String>,
    pub rooms: Vec<Room>,
    /// Further rooms that are being made.
    pub rooms_asked: Vec<(String, Audience)>,
    /// Platforms that nothing reaches, and since when.
    pub lost: BTreeMap<String, DateTime<Utc>>,
    /// What people say in one room of the team is carried over to its others.
    pub carry: bool,
    /// Why there is no room, where opening one was given up.
    pub room_failed: Option<String>,
    /// The event that brought the first one. What is said before it waits for it.
    pub first_room: Option<u64>,
    /// Channels that were there before and went their own way when the incident was over, and whose rooms they were.
    pub given_back: Vec<(RoomRef, Audience)>,
    pub moments: BTreeMap<Moment, MomentAt>,
    pub phase: Phase,
    /// Answers of probes from before this event prove nothing any more: the incident went back then. Zero: it never did.
    pub proven_from: u64,
    pub passages: Vec<PhasePassage>,
    pub frame: Frame,
    pub sentence: Option<String>,
    pub damage: Option<Damage>,
    pub steps: BTreeMap<String, StepState>,
    pub branches: BTreeMap<String, String>,
    pub runs: BTreeMap<ProbeRunId, Run>,
    pub findings: BTreeMap<FindingId, Finding>,
    pub cause: Option<FindingId>,
    pub lines_left: BTreeSet<Line>,
    pub proposals: BTreeMap<ProposalId, Proposal>,
    /// Groups that could not be read when they should have counted: why, and when that was told last.
    pub groups_missed: BTreeMap<String, (String, DateTime<Utc>)>,
    pub attempts: BTreeMap<AttemptId, ProposalId>,
    pub changes: BTreeMap<ChangeId, Change>,
    pub decision: Option<Decision>,
    pub recovery: BTreeMap<RecoveryItem, Recovery>,
    pub roles: BTreeMap<Role, BTreeSet<PersonId>>,
    pub involved: BTreeSet<PersonId>,
    /// Whom somebody brought in, whether or not they have done anything yet.
    pub invited: BTreeSet<PersonId>,
    pub pages: BTreeMap<PageId, Page>,
    pub tasks: BTreeMap<TaskId, Task>,
    pub followups: BTreeMap<FollowupId, Followup>,
    pub updates: Vec<Update>,
    pub update_due: Option<DateTime<Utc>>,
    #[serde(with = "by_message")]
    pub marks: BTreeMap<MessageRef, Mark>,
    /// Messages of which nothing is said any more.
    pub redacted: BTreeSet<MessageRef>,
    pub links: Vec<Link>,
    pub sections: BTreeMap<Section, Written>,
    pub review: Review,
    /// When the post-mortem is due, once the incident is resolved.
    pub postmortem_due: Option<DateTime<Utc>>,
    /// When the room is reminded of it next.
    pub postmortem_remind: Option<DateTime<Utc>>,
    /// Steps of actions in the journal that were not legal, and therefore not taken. Empty in every sound journal.
    #[serde(skip)]
    pub illegal: Vec<Illegal>,
}

pub use super::event::By;

impl State {
    /// Files as received may hold anything: they show to those who hold a role here, or are entitled to one.
    pub fn shows_files_to(&self, person: &PersonId, entitled: &BTreeSet<Role>) -> bool {
        let holds = self.roles.values().any(|holders| holders.contains(person));
        holds || !entitled.is_empty()
    }

    pub fn room(&self, room: &RoomRef) -> Option<&Room> {
        self.rooms.iter().find(|known| known.at == *room)
    }

    /// Rooms of the team, as they can be posted in.
    pub fn internal_rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms
            .iter()
            .filter(|room| room.is_internal() && room.archived.is_none())
    }

    /// Files kept as evidence, with the message each belongs to.
    pub fn kept_files(&self) -> impl Iterator<Item = (&Mark, &FileRef, &FileFate)> {
        let all = self
            .marks
            .values()
            .flat_map(|mark| mark.marked.files.iter().map(move |file| (mark, file)));
        let fates = all.filter_map(|(mark, file)| Some((mark, file, mark.files.get(&file.id)?)));
        fates.filter(|(_, _, fate)| matches!(fate, FileFate::Kept { .. }))
    }

    /// Everybody who belongs to the response: who did something, was asked to, or answers for something. They see a
    /// private incident.
    pub fn members(&self) -> BTreeSet<PersonId> {
        let paged = self.pages.values().flat_map(|page| page.people.iter());
        let owners = self.tasks.values().filter_map(|task| task.owner.as_ref());
        let later = self.followups.values();
        let owners = owners.chain(later.filter_map(|followup| followup.owner.as_ref()));
        let called = paged.chain(owners).chain(&self.invited);
        self.involved.iter().chain(called).cloned().collect()
    }
}

/// A room of the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub at: RoomRef,
    pub audience: Audience,
    /// By Orderly; else it was there before.
    pub made: bool,
    /// Nothing can be posted. The journal number of the event that said so.
    pub archived: Option<u64>,
    /// What was said in it from then on belongs to the incident.
    pub since: DateTime<Utc>,
}

impl Room {
    pub fn is_internal(&self) -> bool {
        self.audience == Audience::Internal
    }
}

/// A moment and where its time comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MomentAt {
    pub at: DateTime<Utc>,
    /// `said by ana`, `opening`, `verified containment A1`.
    pub provenance: String,
    /// Journal number of the event that set it.
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhasePassage {
    pub phase: Phase,
    pub at: DateTime<Utc>,
    pub by: By,
    pub passage: Passage,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub ongoing: bool,
    pub detail: Option<String>,
    pub by: By,
    pub event: u64,
}

/// What is true of the damage at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DamageNow {
    NotGoingOn,
    GoingOn,
    /// Contained by this action, verified then.
    Stopped {
        by: ProposalId,
        at: DateTime<Utc>,
    },
    /// What contained it was taken away before the cause was dealt with.
    GoingOnAgain {
        lifted: ProposalId,
        at: DateTime<Utc>,
    },
    /// Contained, and the containment taken away once the incident was on its way out.
    Over {
        lifted: ProposalId,
        at: DateTime<Utc>,
    },
    /// It was going on; nothing that stopped it was verified, and the incident is no longer open.
    Unverified,
}

/// What became of a step of the runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepState {
    Done { by: By, note: Option<String> },
    Skipped { by: By, reason: String },
    Answered { by: By, answer: String },
}

/// A probe that was asked, and its answer once it is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub asked: Asked,
    pub at: DateTime<Utc>,
    pub by: By,
    pub event: u64,
    pub answer: Option<Answer>,
    pub answered: Option<u64>,
    pub answered_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub line: Line,
    pub conclusion: Conclusion,
    pub text: String,
    pub evidence: Vec<ProbeRunId>,
    pub by: By,
    pub at: DateTime<Utc>,
    pub event: u64,
}

/// A manual change that version control does not know yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub text: String,
    pub proposal: Option<ProposalId>,
    pub settled: Option<ChangeSettled>,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeSettled {
    Reconciled { reference: String },
    Waived { reason: String, by: By },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub way: Way,
    pub reason: String,
    pub facts: Vec<String>,
    pub by: By,
    pub at: DateTime<Utc>,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recovery {
    Checked {
        passed: bool,
        count: Option<u64>,
        detail: Option<String>,
        by: By,
        event: u64,
    },
    Waived {
        reason: String,
        by: By,
        event: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub role: Option<Role>,
    pub people: Vec<PersonId>,
    pub message: Option<String>,
    pub by: By,
    pub times: u32,
    pub acknowledged: Option<PersonId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub text: String,
    pub owner: Option<PersonId>,
    pub source: Option<MessageRef>,
    pub wanted: Wanted,
    pub end: Option<Ended>,
    pub event: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followup {
    pub text: String,
    pub owner: Option<PersonId>,
    pub due: Option<NaiveDate>,
    pub tracker: Option<String>,
    pub source: Option<MessageRef>,
    pub wanted: Wanted,
    pub end: Option<Ended>,
    pub event: u64,
}

/// Who wants a task or a follow-up, and whether it is more than a mark by now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub by: BTreeSet<(PersonId, Marking)>,
    /// Somebody took it on or changed it by hand.
    pub changed: bool,
}

impl Wanted {
    /// Those whose reaction stands at the message.
    pub fn reacted(&self) -> impl Iterator<Item = &PersonId> {
        let at_it = self
            .by
            .iter()
            .filter(|(_, marking)| *marking == Marking::Reaction);
        at_it.map(|(person, _)| person)
    }
}

impl State {
    /// Whether something is still to be done although every mark that asked for it is gone.
    pub fn stays(&self, made: Made) -> bool {
        let (wanted, end) = match made {
            Made::Task(task) => match self.tasks.get(&task) {
                Some(task) => (&task.wanted, &task.end),
                None => return false,
            },
            Made::Followup(followup) => match self.followups.get(&followup) {
                Some(followup) => (&followup.wanted, &followup.end),
                None => return false,
            },
        };
        wanted.by.is_empty() && end.is_none()
    }
}

/// How a task or follow-up ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    Done {
        by: By,
        note: Option<String>,
    },
    Dropped {
        by: By,
        reason: Option<String>,
        taken_back: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub text: String,
    pub by: By,
    pub at: DateTime<Utc>,
    pub next: Option<DateTime<Utc>>,
    pub event: u64,
}

/// A message marked for the timeline, with its earlier texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub marked: Marked,
    /// The message's own time.
    pub at: DateTime<Utc>,
    pub by: BTreeSet<PersonId>,
    /// Those of them who did it by a reaction.
    pub reacted: BTreeSet<PersonId>,
    pub earlier: Vec<String>,
    /// What became of its files, by the platform's id.
    pub files: BTreeMap<String, FileFate>,
    pub removed: Option<String>,
    pub event: u64,
}

/// What became of a file that was to be kept as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFate {
    Kept { size: u64, sha256: String, event: u64 },
    Missed { why: String, event: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub text: String,
    pub by: By,
    pub at: DateTime<Utc>,
    pub event: u64,
}

/// As a list: a key of JSON is a text.
mod by_message {
    use serde::{Deserializer, Serializer};

    use super::*;

    pub fn serialize<S: Serializer>(marks: &BTreeMap<MessageRef, Mark>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(marks)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<MessageRef, Mark>, D::Error> {
        let marks: Vec<(MessageRef, Mark)> = Vec::deserialize(from)?;
        Ok(marks.into_iter().collect())
    }
}
