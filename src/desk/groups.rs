//! Groups of a platform that give roles. A member nobody named before becomes a person, under an id made of the
//! platform's own: never of a name, which its owner can change.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::decide::is_id;
use super::event::Event;
use super::state::{Group, Person, State};
use crate::incident::{Identity, LONGEST_NAME, PersonId, Role};

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub identity: Identity,
    /// As the platform shows it; for reading, and for nothing else.
    pub name: String,
}

/// `slack.u0123abcd`. `None`: the platform's id has signs that an id of ours cannot have.
fn id_of(identity: &Identity) -> Option<PersonId> {
    let id = format!("{}.{}", identity.platform, identity.user).to_ascii_lowercase();
    is_id(&id).then(|| PersonId::new(id))
}

pub(super) fn read(state: &State, group: &str, roles: &BTreeSet<Role>, members: &[Member]) -> Vec<Event> {
    let identities: BTreeSet<Identity> = members.iter().map(|member| member.identity.clone()).collect();
    let mut events = Vec::new();
    for member in members {
        events.extend(brought(state, member));
    }
    let read = Group {
        roles: roles.clone(),
        members: identities.clone(),
        lost: None,
    };
    let known = state.groups.get(group);
    if known != Some(&read) {
        events.push(Event::GroupRead {
            group: group.to_owned(),
            roles: roles.clone(),
            members: identities.clone(),
        });
    }
    let gone = known.map_or_else(BTreeSet::new, |known| {
        known.members.difference(&identities).cloned().collect()
    });
    events.extend(left(state, &gone, &BTreeSet::from([group])));
    events
}

/// Somebody who was not there before, or has come back.
fn brought(state: &State, member: &Member) -> Option<Event> {
    let identity = &member.identity;
    if let Some(person) = state.person_of(identity) {
        let returns = state.people.get(person).is_some_and(|known| known.left);
        return returns.then(|| Event::MemberReturned {
            person: person.clone(),
        });
    }
    let person = id_of(identity)?;
    if state.people.contains_key(&person) {
        // Their identity was handed on to somebody whom the operator named, and later taken away there.
        return None;
    }
    let name = match member.name.trim() {
        "" => person.0.clone(),
        // Theirs to choose on the platform, so it is cut and not refused.
        name => {
            let plain = name.chars().filter(|c| !c.is_control());
            plain.take(LONGEST_NAME).collect()
        }
    };
    Some(Event::MemberAdded {
        person,
        name,
        identity: identity.clone(),
    })
}

/// Those known through these groups alone, who are in no other.
fn left(state: &State, gone: &BTreeSet<Identity>, groups: &BTreeSet<&str>) -> Vec<Event> {
    let others: Vec<&Group> = state
        .groups
        .iter()
        .filter(|(name, _)| !groups.contains(name.as_str()))
        .map(|(_, group)| group)
        .collect();
    let leaves = |person: &Person| {
        person.by_group
            && !person.left
            && !person.identities.is_disjoint(gone)
            && !others
                .iter()
                .any(|group| !group.members.is_disjoint(&person.identities))
    };
    let leaving = state.people.iter().filter(|(_, person)| leaves(person));
    leaving
        .map(|(person, _)| Event::MemberLeft {
            person: person.clone(),
        })
        .collect()
}

/// Who was in it stays known: that it cannot be read says nothing of them, and takes its roles away.
pub(super) fn lose(state: &State, group: &str, roles: &BTreeSet<Role>, why: &str) -> Vec<Event> {
    let known = state.groups.get(group);
    let told = known.is_some_and(|known| known.lost.as_deref() == Some(why) && known.roles == *roles);
    if told {
        return Vec::new();
    }
    vec![Event::GroupLost {
        group: group.to_owned(),
        roles: roles.clone(),
        why: why.to_owned(),
    }]
}

pub(super) fn keep(state: &State, wanted: &BTreeSet<String>) -> Vec<Event> {
    let dropped: Vec<(&String, &Group)> = state
        .groups
        .iter()
        .filter(|(name, _)| !wanted.contains(*name))
        .collect();
    let gone = dropped
        .iter()
        .flat_map(|(_, group)| group.members.iter().cloned());
    let names = dropped.iter().map(|(name, _)| name.as_str()).collect();
    let mut events = left(state, &gone.collect(), &names);
    events.extend(dropped.iter().map(|(name, _)| Event::GroupDropped {
        group: (*name).clone(),
    }));
    events
}

/// An identity of somebody whom a group brought goes to the person whom the operator says it is.
pub(super) fn handed_on(state: &State, from: &PersonId, identity: &Identity) -> Vec<Event> {
    let mut events = vec![Event::IdentityUnlinked {
        person: from.clone(),
        identity: identity.clone(),
    }];
    let known = state.people.get(from);
    if known.is_some_and(|known| !known.left && known.identities.len() == 1) {
        events.push(Event::MemberLeft { person: from.clone() });
    }
    events
}
