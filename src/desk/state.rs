//! The desk as it is now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::incident::{Freeze, Identity, IncidentId, PersonId, Role, Standing};

use super::event::{Event, Recorded};

/// A human, with every identity they are known by. However many those are, it is one vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub roles: BTreeSet<Role>,
    pub guest: bool,
    pub active: bool,
    pub identities: BTreeSet<Identity>,
    /// Those of them that they proved themselves.
    pub proven: BTreeSet<Identity>,
    pub token_sha256: Option<String>,
}

/// A code that waits to be typed on another platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub person: PersonId,
    pub until: DateTime<Utc>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Number of the last event folded in.
    pub seq: u64,
    /// When the last event was written down; the time given to decide never lies before it.
    pub last: DateTime<Utc>,
    pub last_incident: u64,
    pub people: BTreeMap<PersonId, Person>,
    pub freezes: Vec<Freeze>,
    /// By the SHA-256 of the code.
    pub offers: BTreeMap<String, Offer>,
}

impl State {
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> State {
        let mut state = State::default();
        for event in events {
            state.apply(event);
        }
        state
    }

    pub fn apply(&mut self, recorded: &Recorded) {
        self.seq = recorded.seq;
        self.last = self.last.max(recorded.recorded);
        match &recorded.event {
            Some(Event::IncidentNumbered {
                incident: IncidentId(number),
            }) => self.last_incident = *number,
            Some(Event::Frozen { freeze }) => {
                self.freezes.retain(|known| known.target != freeze.target);
                self.freezes.push(freeze.clone());
            }
            Some(Event::Thawed { target, .. }) => self.freezes.retain(|known| known.target != *target),
            Some(Event::PersonAdded {
                person,
                name,
                roles,
                guest,
            }) => {
                let added = Person {
                    name: name.clone(),
                    roles: roles.clone(),
                    guest: *guest,
                    active: true,
                    identities: BTreeSet::new(),
                    proven: BTreeSet::new(),
                    token_sha256: None,
                };
                self.people.insert(person.clone(), added);
            }
            Some(Event::LinkOffered {
                person,
                sha256,
                until,
            }) => {
                self.offers.retain(|_, offer| offer.person != *person);
                let (person, until) = (person.clone(), *until);
                self.offers.insert(sha256.clone(), Offer { person, until });
            }
            Some(event) => {
                if let Event::IdentityProven { sha256, .. } = event {
                    self.offers.remove(sha256);
                }
                self.apply_to_person(event);
            }
            None => {}
        }
    }

    fn apply_to_person(&mut self, event: &Event) {
        let (Event::PersonRenamed { person, .. }
        | Event::GuestChanged { person, .. }
        | Event::RolesChanged { person, .. }
        | Event::IdentityLinked { person, .. }
        | Event::IdentityUnlinked { person, .. }
        | Event::IdentityProven { person, .. }
        | Event::PersonDeactivated { person, .. }
        | Event::PersonReactivated { person }
        | Event::TokenIssued { person, .. }) = event
        else {
            return;
        };
        let Some(known) = self.people.get_mut(person) else {
            return;
        };
        match event {
            Event::PersonRenamed { name, .. } => known.name = name.clone(),
            Event::GuestChanged { guest, .. } => known.guest = *guest,
            Event::RolesChanged { roles, .. } => known.roles = roles.clone(),
            Event::IdentityLinked { identity, .. } => {
                known.identities.insert(identity.clone());
            }
            Event::IdentityUnlinked { identity, .. } => {
                known.identities.remove(identity);
                known.proven.remove(identity);
            }
            Event::IdentityProven { identity, .. } => {
                known.identities.insert(identity.clone());
                known.proven.insert(identity.clone());
            }
            Event::PersonDeactivated { .. } => {
                known.active = false;
                known.token_sha256 = None;
            }
            Event::PersonReactivated { .. } => known.active = true,
            Event::TokenIssued { sha256, .. } => known.token_sha256 = Some(sha256.clone()),
            _ => {}
        }
    }

    /// The person behind an identity, if exactly one has it.
    pub fn person_of(&self, identity: &Identity) -> Option<&PersonId> {
        self.people
            .iter()
            .find(|(_, person)| person.identities.contains(identity))
            .map(|(id, _)| id)
    }

    pub fn standings(&self) -> BTreeMap<PersonId, Standing> {
        self.people
            .iter()
            .map(|(id, person)| {
                let standing = Standing {
                    name: person.name.clone(),
                    roles: person.roles.clone(),
                    may_command: person.active && !person.guest,
                };
                (id.clone(), standing)
            })
            .collect()
    }
}
