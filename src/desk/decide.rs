//! The rules of the desk.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::event::{Event, Recorded};
use super::groups::{self, Member};
use super::state::{Person, State};
use crate::incident::{By, Freeze, Identity, IncidentId, LONGEST_NAME, PersonId, Refusal, Role};

/// How long a code proves who somebody is: long enough to go to the other platform, too short to be found lying about.
pub const LINK_LASTS: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// The next number for an incident.
    Number,
    /// A person as the config or the operator describes them; what differs becomes events.
    PutPerson {
        person: PersonId,
        name: String,
        roles: BTreeSet<Role>,
        guest: bool,
        identities: BTreeSet<Identity>,
    },
    Grant {
        person: PersonId,
        role: Role,
    },
    Revoke {
        person: PersonId,
        role: Role,
    },
    Deactivate {
        person: PersonId,
        reason: String,
    },
    IssueToken {
        person: PersonId,
        sha256: String,
    },
    /// A code for somebody's other account.
    OfferLink {
        person: PersonId,
        sha256: String,
    },
    /// The code, typed by that account.
    ProveLink {
        sha256: String,
        identity: Identity,
    },
    /// An account is no longer this person's.
    Unlink {
        person: PersonId,
        platform: String,
    },
    Freeze {
        target: Option<String>,
        reason: String,
    },
    Thaw {
        target: Option<String>,
        reason: Option<String>,
    },
    /// A group as its platform tells it now. What differs becomes events.
    ReadGroup {
        group: String,
        roles: BTreeSet<Role>,
        members: Vec<Member>,
    },
    /// A group that cannot be read.
    LoseGroup {
        group: String,
        roles: BTreeSet<Role>,
        why: String,
    },
    /// The groups of the config; all others are dropped.
    KeepGroups {
        groups: BTreeSet<String>,
    },
}

/// Decides a request and folds the facts in. On a refusal the state is as before.
pub fn carry_out(
    state: &mut State,
    by: &By,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Vec<Recorded>, Refusal> {
    let now = now.max(state.last);
    let events = decide(state, by, request, now)?;
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        let recorded = Recorded {
            seq: state.seq + 1,
            recorded: now,
            by: by.clone(),
            event: Some(event),
        };
        state.apply(&recorded);
        written.push(recorded);
    }
    Ok(written)
}

fn decide(state: &State, by: &By, request: &Request, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    may_ask(state, by, request)?;
    match request {
        Request::Number => Ok(vec![Event::IncidentNumbered {
            incident: IncidentId(state.last_incident + 1),
        }]),
        Request::PutPerson {
            person,
            name,
            roles,
            guest,
            identities,
        } => put_person(state, person, name, roles, *guest, identities),
        Request::Grant { person, role } => {
            let same = format!("{person} has the role {role} already.");
            change_roles(state, person, same, |roles| roles.insert(*role))
        }
        Request::Revoke { person, role } => {
            let same = format!("{person} does not have the role {role}.");
            change_roles(state, person, same, |roles| roles.remove(role))
        }
        Request::Deactivate { person, reason } => {
            if !known(state, person)?.active {
                return Err(Refusal::new(format!("{person} is deactivated already.")));
            }
            Ok(vec![Event::PersonDeactivated {
                person: person.clone(),
                reason: reason.clone(),
            }])
        }
        Request::IssueToken { person, sha256 } => {
            if !known(state, person)?.active {
                return Err(Refusal::new(format!(
                    "{person} is deactivated and cannot sign in. Add them again with `orderly person add {person}`."
                )));
            }
            Ok(vec![Event::TokenIssued {
                person: person.clone(),
                sha256: sha256.clone(),
            }])
        }
        Request::OfferLink { person, sha256 } => {
            if !known(state, person)?.active {
                return Err(Refusal::new(format!("{person} is deactivated.")));
            }
            Ok(vec![Event::LinkOffered {
                person: person.clone(),
                sha256: sha256.clone(),
                until: now + LINK_LASTS,
            }])
        }
        Request::ProveLink { sha256, identity } => prove(state, sha256, identity, now),
        Request::Unlink { person, platform } => unlink(state, person, platform),
        Request::ReadGroup {
            group,
            roles,
            members,
        } => Ok(groups::read(state, group, roles, members)),
        Request::LoseGroup { group, roles, why } => Ok(groups::lose(state, group, roles, why)),
        Request::KeepGroups { groups } => Ok(groups::keep(state, groups)),
        Request::Freeze { target, reason } => freeze(state, by, target, reason),
        Request::Thaw { target, reason } => {
            if !state.freezes.iter().any(|freeze| freeze.target == *target) {
                let there: Vec<_> = state.freezes.iter().map(what_is_frozen).collect();
                let there = if there.is_empty() {
                    "Nothing is frozen".to_owned()
                } else {
                    format!("Frozen now: {}", there.join(", "))
                };
                return Err(Refusal::new(format!(
                    "{} is not frozen. {there}.",
                    target.as_deref().unwrap_or("Everything")
                )));
            }
            Ok(vec![Event::Thawed {
                target: target.clone(),
                reason: reason.clone(),
            }])
        }
    }
}

/// Freezing and thawing is for every member. Who is who, and who may approve, is the operator's to say and nobody's in
/// a room: otherwise the first who wants an action through makes themselves an approver.
fn may_ask(state: &State, by: &By, request: &Request) -> Result<(), Refusal> {
    let Some(person) = by.person() else {
        return Ok(());
    };
    if !state.people.get(person).is_some_and(Person::may_command) {
        return Err(Refusal::new(format!(
            "{person} may read here, not command. A member can do it, or the operator adds them with \
             `orderly person add`."
        )));
    }
    match request {
        Request::Number | Request::Freeze { .. } | Request::Thaw { .. } => Ok(()),
        // Only ever about oneself.
        Request::OfferLink { person: about, .. } if about == person => Ok(()),
        Request::PutPerson { .. }
        | Request::Grant { .. }
        | Request::Revoke { .. }
        | Request::Deactivate { .. }
        | Request::OfferLink { .. }
        | Request::ProveLink { .. }
        | Request::Unlink { .. }
        | Request::IssueToken { .. }
        | Request::ReadGroup { .. }
        | Request::LoseGroup { .. }
        | Request::KeepGroups { .. } => Err(Refusal::new(
            "Only the operator can change who is who, with `orderly person` on the machine itself; nobody can do it in a room.",
        )),
    }
}

fn what_is_frozen(freeze: &Freeze) -> String {
    freeze.target.clone().unwrap_or_else(|| "everything".to_owned())
}

fn freeze(state: &State, by: &By, target: &Option<String>, reason: &str) -> Result<Vec<Event>, Refusal> {
    let Some(person) = by.person() else {
        return Err(Refusal::new("Only a person can freeze."));
    };
    if reason.trim().is_empty() {
        return Err(
            Refusal::new("Say why: a freeze without a reason is lifted by the first who wonders.")
                .at("reason"),
        );
    }
    if let Some(known) = state.freezes.iter().find(|freeze| freeze.target == *target) {
        return Err(Refusal::new(format!(
            "{} is frozen already, by {}: {}.",
            what_is_frozen(known),
            known.by,
            known.reason
        )));
    }
    let freeze = Freeze {
        target: target.clone(),
        by: person.clone(),
        reason: reason.trim().to_owned(),
    };
    Ok(vec![Event::Frozen { freeze }])
}

/// Longest id of a person: it is typed. Slack's and Discord's own ids, with the platform in front, are shorter.
const LONGEST_ID: usize = 32;

/// Whether this can be a person's id.
pub(super) fn is_id(id: &str) -> bool {
    let shape = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(shape)
}

fn put_person(
    state: &State,
    person: &PersonId,
    name: &str,
    roles: &BTreeSet<Role>,
    guest: bool,
    identities: &BTreeSet<Identity>,
) -> Result<Vec<Event>, Refusal> {
    if !is_id(&person.0) {
        return Err(Refusal::new(format!(
            "`{person}` cannot be a person's id: use 1 to {LONGEST_ID} lower-case letters, digits, `-`, `_` or `.`."
        )));
    }
    let length = name.chars().count();
    if length > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::new(format!(
            "A name is one line of at most {LONGEST_NAME} characters; the one of {person} has {length}. Give what people \
             call them by."
        )));
    }
    let mut events = Vec::new();
    for identity in identities {
        let holder = state.person_of(identity).filter(|other| *other != person);
        let Some(other) = holder else { continue };
        if state.people.get(other).is_some_and(|known| known.by_group) {
            // A group had brought them; the operator says who they are. What they said before stays theirs as it was.
            events.extend(groups::handed_on(state, other, identity));
        } else {
            return Err(Refusal::new(format!(
                "{}/{}/{} belongs to {other} already. One identity is one person.",
                identity.platform, identity.workspace, identity.user
            )));
        }
    }
    let known = state.people.get(person);
    let before = match known {
        None => {
            let (person, name) = (person.clone(), name.to_owned());
            events.push(Event::PersonAdded {
                person,
                name,
                roles: roles.clone(),
                guest,
            });
            BTreeSet::new()
        }
        Some(known) => {
            if known.name != name {
                events.push(Event::PersonRenamed {
                    person: person.clone(),
                    name: name.to_owned(),
                });
            }
            if known.guest != guest {
                let person = person.clone();
                events.push(Event::GuestChanged { person, guest });
            }
            if known.roles != *roles {
                events.push(Event::RolesChanged {
                    person: person.clone(),
                    roles: roles.clone(),
                });
            }
            if !known.active || known.by_group {
                events.push(Event::PersonReactivated {
                    person: person.clone(),
                });
            }
            // What somebody proved does not end because the config does not say it.
            known.identities.difference(&known.proven).cloned().collect()
        }
    };
    let proven = known.map(|known| known.proven.clone()).unwrap_or_default();
    let link = |identity: &Identity| Event::IdentityLinked {
        person: person.clone(),
        identity: identity.clone(),
    };
    let new = identities
        .difference(&before)
        .filter(|identity| !proven.contains(*identity));
    events.extend(new.map(link));
    let unlink = |identity: &Identity| Event::IdentityUnlinked {
        person: person.clone(),
        identity: identity.clone(),
    };
    events.extend(before.difference(identities).map(unlink));
    Ok(events)
}

fn prove(
    state: &State,
    sha256: &str,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let Some(offer) = state.offers.get(sha256).filter(|offer| offer.until > now) else {
        return Err(Refusal::new(
            "That code is not known, or it has run out. Type `/role link` where Orderly knows you to get another one.",
        )
        .at("code"));
    };
    if !known(state, &offer.person)?.active {
        return Err(Refusal::new(format!("{} is deactivated.", offer.person)));
    }
    match state.person_of(identity) {
        Some(same) if *same == offer.person => {
            let words =
                "That is your code, and Orderly knows you here already. Type it on the other platform.";
            Err(Refusal::new(words).at("code"))
        }
        Some(other) => Err(Refusal::new(format!(
            "This account is {other}'s already. One account is one person; the operator can take it off them with \
             `orderly person unlink`."
        ))),
        None => Ok(vec![Event::IdentityProven {
            person: offer.person.clone(),
            identity: identity.clone(),
            sha256: sha256.to_owned(),
        }]),
    }
}

fn unlink(state: &State, person: &PersonId, platform: &str) -> Result<Vec<Event>, Refusal> {
    let identities = &known(state, person)?.identities;
    let there = identities.iter().filter(|identity| identity.platform == platform);
    let events: Vec<Event> = there
        .map(|identity| Event::IdentityUnlinked {
            person: person.clone(),
            identity: identity.clone(),
        })
        .collect();
    if events.is_empty() {
        let known: Vec<_> = identities
            .iter()
            .map(|identity| identity.platform.as_str())
            .collect();
        return Err(Refusal::new(format!(
            "{person} has no account on {platform}. Known: {}.",
            known.join(", ")
        )));
    }
    Ok(events)
}

fn known<'a>(state: &'a State, person: &PersonId) -> Result<&'a super::Person, Refusal> {
    state.people.get(person).ok_or_else(|| {
        let known: Vec<_> = state.people.keys().map(ToString::to_string).collect();
        Refusal::unknown("person", person, &known)
    })
}

fn change_roles(
    state: &State,
    person: &PersonId,
    same: String,
    change: impl FnOnce(&mut BTreeSet<Role>) -> bool,
) -> Result<Vec<Event>, Refusal> {
    let mut roles = known(state, person)?.roles.clone();
    match change(&mut roles) {
        true => Ok(vec![Event::RolesChanged {
            person: person.clone(),
            roles,
        }]),
        false => Err(Refusal::new(same)),
    }
}
