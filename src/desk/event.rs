//! What can have happened on the desk.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::incident::{By, Freeze, Identity, IncidentId, PersonId, Role, Unreadable};

/// Version written today.
pub const VERSION: u16 = 1;

/// An event as it stands in the desk's journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub seq: u64,
    pub recorded: DateTime<Utc>,
    pub by: By,
    /// `None`: redacted beyond reading.
    pub event: Option<Event>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr)]
#[serde(tag = "event", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// A number was given out; the incident opens in the same commit.
    IncidentNumbered {
        incident: IncidentId,
    },
    PersonAdded {
        person: PersonId,
        name: String,
        roles: BTreeSet<Role>,
        guest: bool,
    },
    PersonRenamed {
        person: PersonId,
        name: String,
    },
    /// A guest reads and does not command.
    GuestChanged {
        person: PersonId,
        guest: bool,
    },
    RolesChanged {
        person: PersonId,
        roles: BTreeSet<Role>,
    },
    IdentityLinked {
        person: PersonId,
        identity: Identity,
    },
    IdentityUnlinked {
        person: PersonId,
        identity: Identity,
    },
    PersonDeactivated {
        person: PersonId,
        reason: String,
    },
    PersonReactivated {
        person: PersonId,
    },
    /// Somebody asked for a code that proves, typed elsewhere, that they are the same person there. Only its SHA-256 is
    /// kept; a new one replaces the old.
    LinkOffered {
        person: PersonId,
        sha256: String,
        until: DateTime<Utc>,
    },
    /// The code was typed by this account. Unlike one the operator wrote down, it stays when the config is read anew.
    IdentityProven {
        person: PersonId,
        identity: Identity,
        sha256: String,
    },
    /// A sign-in token; only its SHA-256 is kept. A new one replaces the old.
    TokenIssued {
        person: PersonId,
        sha256: String,
    },
    /// Somebody whom a group brought, by the identity that its platform gave.
    MemberAdded {
        person: PersonId,
        name: String,
        identity: Identity,
    },
    /// Nobody but a group vouched for them, and none does any more.
    MemberLeft {
        person: PersonId,
    },
    MemberReturned {
        person: PersonId,
    },
    /// A group as its platform tells it: who is in it, and what that entitles them to.
    GroupRead {
        group: String,
        roles: BTreeSet<Role>,
        members: BTreeSet<Identity>,
    },
    /// It cannot be read; until it can, it counts for nobody.
    GroupLost {
        group: String,
        roles: BTreeSet<Role>,
        why: String,
    },
    /// The config no longer names it.
    GroupDropped {
        group: String,
    },
    Frozen {
        freeze: Freeze,
    },
    Thawed {
        target: Option<String>,
        reason: Option<String>,
    },
}

impl Event {
    /// The tag under which it is stored.
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
