//! The desk as it is now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::incident::{Freeze, GroupStanding, Identity, IncidentId, PersonId, Role, Standing};

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
    /// Known through a group alone: neither the config nor the operator named them.
    pub by_group: bool,
    /// No group vouches for them any more.
    pub left: bool,
}

/// A group of a platform that gives roles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    pub roles: BTreeSet<Role>,
    /// As it was read last.
    pub members: BTreeSet<Identity>,
    /// Why it cannot be read now.
    pub lost: Option<String>,
}

impl Person {
    /// Guests read; who is deactivated, or has left every group that vouched for them, does neither.
    pub fn may_command(&self) -> bool {
        self.active && !self.guest && !self.left
    }
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
    /// By platform and name: `slack/@approvers`.
    pub groups: BTreeMap<String, Group>,
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
                    by_group: false,
                    left: false,
                };
                self.people.insert(person.clone(), added);
            }
            Some(Event::MemberAdded {
                person,
                name,
                identity,
            }) => {
                let added = Person {
                    name: name.clone(),
                    roles: BTreeSet::new(),
                    guest: false,
                    active: true,
                    identities: BTreeSet::from([identity.clone()]),
                    proven: BTreeSet::new(),
                    token_sha256: None,
                    by_group: true,
                    left: false,
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
            Some(Event::GroupRead {
                group,
                roles,
                members,
            }) => {
                let read = Group {
                    roles: roles.clone(),
                    members: members.clone(),
                    lost: None,
                };
                self.groups.insert(group.clone(), read);
            }
            Some(Event::GroupLost { group, roles, why }) => {
                let known = self.groups.entry(group.clone()).or_default();
                known.roles = roles.clone();
                known.lost = Some(why.clone());
            }
            Some(Event::GroupDropped { group }) => {
                self.groups.remove(group);
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
        | Event::MemberLeft { person }
        | Event::MemberReturned { person }
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
            // The operator's word, from here on.
            Event::PersonReactivated { .. } => {
                (known.active, known.left, known.by_group) = (true, false, false)
            }
            Event::MemberLeft { .. } => known.left = true,
            Event::MemberReturned { .. } => known.left = false,
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

    /// What somebody is entitled to, by themselves and through the groups that can be read.
    pub fn roles_of(&self, person: &PersonId) -> BTreeSet<Role> {
        let Some(known) = self.people.get(person) else {
            return BTreeSet::new();
        };
        let vouching = self.groups.values().filter(|group| group.lost.is_none());
        let through = vouching.filter(|group| !group.members.is_disjoint(&known.identities));
        let through = through.flat_map(|group| group.roles.iter().copied());
        known.roles.iter().copied().chain(through).collect()
    }

    /// Everybody who is entitled to a role and may use it.
    pub fn holders(&self, role: Role) -> impl Iterator<Item = (&PersonId, &Person)> {
        let able = self.people.iter().filter(|(_, person)| person.may_command());
        able.filter(move |(id, _)| self.roles_of(id).contains(&role))
    }

    /// The groups, with the people behind their members.
    pub fn group_standings(&self) -> Vec<GroupStanding> {
        let groups = self.groups.iter();
        groups
            .map(|(name, group)| GroupStanding {
                name: name.clone(),
                roles: group.roles.clone(),
                members: self.people_in(group),
                lost: group.lost.clone(),
            })
            .collect()
    }

    fn people_in(&self, group: &Group) -> BTreeSet<PersonId> {
        let within = |person: &Person| !group.members.is_disjoint(&person.identities);
        let found = self.people.iter().filter(|(_, person)| within(person));
        found.map(|(id, _)| id.clone()).collect()
    }

    pub fn standings(&self) -> BTreeMap<PersonId, Standing> {
        self.people
            .iter()
            .map(|(id, person)| {
                let standing = Standing {
                    name: person.name.clone(),
                    roles: person.roles.clone(),
                    may_command: person.may_command(),
                };
                (id.clone(), standing)
            })
            .collect()
    }
}
