//! The small words every other part speaks: ids, severities, roles, phases, verdicts.
//!
//! Nothing here has behaviour beyond naming and ordering. Text forms are what people type and read.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Number of an incident, unique on the desk. Written `INC-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct IncidentId(pub u64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INC-{}", self.0)
    }
}

/// A human, by the short name the desk gave them (`ana`). Never a display name, never a platform id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PersonId(pub String);

impl PersonId {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ids that count up within one incident, each with the letter people type.
macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident = $letter:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    )*};
}

counted! {
    /// A proposed action: `A3`.
    ProposalId = "A";
    /// One execution of an approved action: `X2`.
    AttemptId = "X";
    /// One asking of one probe: `P5`.
    ProbeRunId = "P";
    /// A finding: `D3`.
    FindingId = "D";
    /// A task for the response: `T1`.
    TaskId = "T";
    /// Work that outlives the incident: `F1`.
    FollowupId = "F";
    /// A manual change that must be reconciled into version control: `C1`.
    ChangeId = "C";
    /// A page sent to the holders of a role: `N1`.
    PageId = "N";
}

/// An enum whose every value has one word, the same in commands, storage and text.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The word people type and read.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// The value with this word, or `None`.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    )*};
}

words! {
    /// How bad it is. SEV1 stops the business, SEV5 is cosmetic.
    Severity { Sev1 = "SEV1", Sev2 = "SEV2", Sev3 = "SEV3", Sev4 = "SEV4", Sev5 = "SEV5" }

    /// The phases, in the one order there is.
    Phase {
        Confirm = "confirm", Contain = "contain", Triage = "triage",
        Decide = "decide", Recover = "recover", Learn = "learn",
    }

    /// What a person does in the response.
    Role {
        Commander = "commander", Deputy = "deputy", Scribe = "scribe",
        Responder = "responder", Approver = "approver", Liaison = "liaison",
    }

    /// The business process that suffers.
    Process {
        Warehouse = "warehouse-execution", Orders = "order-routing", Carriers = "carrier-connectivity",
        Inventory = "inventory-sync", Finance = "finance-posting", Other = "other",
    }

    /// What a probe concludes. `unknown` is an answer too: nobody may read silence as health.
    Verdict { Ok = "ok", Suspect = "suspect", Failing = "failing", Unknown = "unknown" }

    /// What a responder concludes.
    Conclusion { Suspect = "suspect", Cleared = "cleared" }

    /// The lines of triage, from the most recent and likely cause outward.
    Line { Changes = "changes", Logs = "logs", Resources = "resources", Dependencies = "dependencies" }

    /// What is wrong, in one word.
    Trouble { Down = "down", Slow = "slow", Function = "function" }

    /// The one decision.
    Way { FixForward = "fix-forward", RollBack = "roll-back" }

    /// Risk class of an action; sets the default approvals.
    Risk { Low = "low", Medium = "medium", High = "high" }

    /// Who may be in a room.
    Audience { Internal = "internal", Guest = "guest" }

    /// Points in time of an incident, each kept with its provenance.
    Moment {
        Onset = "onset", Detected = "detected", Declared = "declared", Acknowledged = "acknowledged",
        Contained = "contained", Mitigated = "mitigated", Recovered = "recovered",
        Validated = "validated", Closed = "closed",
    }

    /// What recovery must prove besides containment and reconciled changes.
    RecoveryItem { SmokeTest = "smoke-test", Backlog = "backlog", Records = "records" }

    /// Where the post-mortem stands.
    Review { Draft = "draft", InReview = "in-review", Reviewed = "reviewed", Closed = "closed" }

    /// How somebody asked for a task or a follow-up: in words or by a menu; by a reaction, which stands at the message and
    /// may be taken back there; or by one at a copy of the message in another room.
    Marking { Asked = "asked", Reaction = "reaction", Copy = "copy" }

    /// Parts of the post-mortem that people write.
    Section {
        Summary = "summary", Impact = "impact", Detection = "detection", Trigger = "trigger", Cause = "cause",
        Factors = "factors", Resolution = "resolution", WentWell = "went-well",
        WentBadly = "went-badly", Lucky = "lucky", Prevention = "prevention",
    }

    /// The environment of a target.
    Environment { Production = "production", Staging = "staging", Dr = "dr", Drill = "drill" }
}

impl Process {
    /// As it stands in a sentence; `other` is a choice, and no name of anything.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Other => "the business",
            named => named.word(),
        }
    }
}

impl Severity {
    /// So bad that one person leads, another writes along, and a third speaks to the outside.
    pub fn is_grave(self) -> bool {
        self <= Severity::Sev2
    }
}

impl Role {
    /// Those that are asked for beside the commander where it is grave.
    pub const BESIDE: [Role; 2] = [Role::Scribe, Role::Liaison];
}

impl Marking {
    pub fn is_asked(&self) -> bool {
        *self == Marking::Asked
    }
}

/// A room on a platform. Workspace and platform are always part of the name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RoomRef {
    /// `local`, `slack` or `discord`.
    pub platform: String,
    /// Team, guild, or `local`.
    pub workspace: String,
    /// The platform's id of the channel.
    pub room: String,
}

impl fmt::Display for RoomRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.platform, self.workspace, self.room)
    }
}

/// A message in a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct MessageRef {
    pub room: RoomRef,
    /// The platform's id of the message.
    pub message: String,
}

/// A task or a follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    Task(TaskId),
    Followup(FollowupId),
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Made::Task(task) => task.fmt(f),
            Made::Followup(followup) => followup.fmt(f),
        }
    }
}

/// A file attached to a message, as its platform names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRef {
    /// The platform's id of the file.
    pub id: String,
    pub name: String,
    pub media_type: String,
    /// In bytes, as the platform says.
    pub size: u64,
}

/// Who a platform says somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    pub platform: String,
    pub workspace: String,
    pub user: String,
}

/// Parameters of a probe or an action: always data, in a fixed order so that digests are stable.
pub type Params = std::collections::BTreeMap<String, serde_json::Value>;
