//! People and incidents as the page asks for them.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::LOCAL;
use crate::config::Config;
use crate::engine::{Engine, GroupSource, Listed};
use crate::incident::{Identity, PersonId};
use crate::web::{Board, OpenIncident, People, Person};

/// Bytes of a sign-in token: as many as a key, so that guessing is hopeless.
const TOKEN_BYTES: usize = 32;

/// A new sign-in token and the SHA-256 of it that the desk keeps.
pub fn token() -> Result<(String, String), getrandom::Error> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    let token = hex::encode(bytes);
    let sha256 = hex::encode(Sha256::digest(token.as_bytes()));
    Ok((token, sha256))
}

/// The groups of the config, as the engine reads them.
pub fn groups(config: &Config) -> Vec<GroupSource> {
    let groups = config.group.iter();
    groups
        .map(|group| GroupSource {
            platform: group.platform.clone(),
            group: group.group.clone(),
            roles: group.roles.iter().copied().collect(),
        })
        .collect()
}

/// Who a user of this machine is.
pub fn on_terminal(os_user: &str) -> Identity {
    Identity {
        platform: crate::inbox::TERMINAL.to_owned(),
        workspace: LOCAL.to_owned(),
        user: os_user.to_owned(),
    }
}

/// The desk, as the page sees it.
pub struct Desk {
    pub engine: Engine,
}

impl Desk {
    fn found(&self, fits: impl Fn(&PersonId, &crate::desk::Person) -> bool) -> Option<Arc<Person>> {
        let desk = self.engine.desk();
        let mut found = desk
            .people
            .iter()
            .filter(|(id, person)| person.active && fits(id, person));
        found.next().map(|(id, person)| Arc::new(shown(id, person)))
    }
}

fn shown(id: &PersonId, person: &crate::desk::Person) -> Person {
    let local = person
        .identities
        .iter()
        .find(|identity| identity.platform == LOCAL)
        .cloned();
    Person {
        id: id.clone(),
        name: person.name.clone(),
        identity: local.unwrap_or_else(|| crate::chat::local::identity(&id.0)),
    }
}

#[async_trait]
impl People for Desk {
    async fn by_token(&self, token: &str) -> Option<Arc<Person>> {
        let given = hex::encode(Sha256::digest(token.as_bytes()));
        self.found(|_, person| {
            person
                .token_sha256
                .as_ref()
                .is_some_and(|known| bool::from(known.as_bytes().ct_eq(given.as_bytes())))
        })
    }

    async fn by_id(&self, id: &PersonId) -> Option<Arc<Person>> {
        self.found(|known, _| known == id)
    }

    async fn by_user(&self, user: &str) -> Option<Arc<Person>> {
        let identity = crate::chat::local::identity(user);
        self.found(|_, person| person.identities.contains(&identity))
    }

    async fn all(&self) -> Vec<Arc<Person>> {
        let desk = self.engine.desk();
        let active = desk.people.iter().filter(|(_, person)| person.active);
        active.map(|(id, person)| Arc::new(shown(id, person))).collect()
    }
}

#[async_trait]
impl Board for Desk {
    async fn open(&self, who: &Person) -> Vec<OpenIncident> {
        let mut listed: Vec<Arc<Listed>> = self
            .engine
            .listed(Some(&who.id))
            .into_iter()
            .filter(|l| l.open)
            .collect();
        listed.sort_by_key(|listed| (listed.severity, std::cmp::Reverse(listed.incident)));
        listed
            .into_iter()
            .map(|listed| OpenIncident {
                number: listed.incident.0,
                room: listed.rooms.iter().find(|room| room.platform == LOCAL).cloned(),
                title: listed.title.clone(),
                severity: listed.severity,
                phase: listed.phase,
                private: listed.private,
                drill: listed.drill,
            })
            .collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.engine.list_changes()
    }
}
