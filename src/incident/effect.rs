//! What the bot does to the world because of an event. One closed enum, performed in one place; every result comes
//! back as a request.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::request::TimerKey;
use super::words::*;

/// A message that is kept true: posted once, then edited. It is rendered from the state at the moment it is performed,
/// so several changes waiting for the same slot become one edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "slot", rename_all = "snake_case")]
pub enum Slot {
    /// The pinned card.
    Card,
    /// The line in the lobby that links to the room.
    Announcement,
    /// The prompt of the phase entered by this event.
    Prompt {
        entered: u64,
    },
    Proposal {
        proposal: ProposalId,
    },
    /// Probes asked together.
    Round {
        round: u32,
    },
    Page {
        page: PageId,
    },
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Slot::Card => f.write_str("card"),
            Slot::Announcement => f.write_str("announcement"),
            Slot::Prompt { entered } => write!(f, "prompt:{entered}"),
            Slot::Proposal { proposal } => write!(f, "proposal:{proposal}"),
            Slot::Round { round } => write!(f, "round:{round}"),
            Slot::Page { page } => write!(f, "page:{page}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// The first room, where the incident was asked for.
    OpenRoom,
    /// A further one. `event` asked for it.
    MakeRoom {
        event: u64,
        platform: String,
        audience: Audience,
    },
    /// The very last thing, once everything else has been posted.
    Archive,
    Unarchive,
    /// Says goodbye where the incident is no longer told.
    Leave {
        room: RoomRef,
    },
    /// What was said in a channel before it became a room.
    ReadBack {
        room: RoomRef,
        since: DateTime<Utc>,
    },
    /// The document of an export, as of an event, as a file in the room.
    Attach {
        format: String,
        as_of: u64,
    },
    /// One message in place of what a room was not told, between these events.
    Digest {
        from: u64,
        to: u64,
    },
    /// A new room gets its people and what stands at its top.
    Furnish {
        room: RoomRef,
    },
    /// The room's topic: severity, state, commander.
    Topic,
    Show {
        slot: Slot,
    },
    /// A message of its own about one event.
    Notice {
        event: u64,
        /// Overtakes the chatter: a page, a broken glass, an outcome nobody knows.
        urgent: bool,
    },
    /// The same, told to one person directly.
    Direct {
        person: PersonId,
        event: u64,
    },
    /// Brings somebody into the rooms, who then also sees a private incident.
    Invite {
        person: PersonId,
    },
    /// Reads a file of a marked message and keeps its bytes.
    KeepFile {
        message: MessageRef,
        file: String,
    },
    AskProbe {
        run: ProbeRunId,
    },
    Preview {
        proposal: ProposalId,
    },
    Attempt {
        attempt: AttemptId,
    },
    SetTimer {
        key: TimerKey,
        at: DateTime<Utc>,
    },
    ClearTimer {
        key: TimerKey,
    },
    /// Committed together with the event: one attempt per target, over all incidents.
    TakeLock {
        target: String,
        attempt: AttemptId,
    },
    ReleaseLock {
        target: String,
        attempt: AttemptId,
    },
}
