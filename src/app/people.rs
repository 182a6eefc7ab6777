//! People and incidents as the page asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::LOCAL;
use crate::config::Config;
use crate::desk;
use crate::engine::{Engine, GroupSource, Listed};
use crate::incident::{By, Identity, PersonId, Role};
use crate::web::{Board, OpenIncident, OutOfReach, People, Person};

/// Bytes of a sign-in token: as many as a key, so that guessing is hopeless.
const TOKEN_BYTES: usize = 32;

/// Longest short name that is made of a platform's name; the config allows no more than 40.
const SHORT_NAME: usize = 30;

/// A new sign-in token and the SHA-256 of it that the desk keeps.
pub fn token() -> Result<(String, String), getrandom::Error> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    let token = hex::encode(bytes);
    let sha256 = hex::encode(Sha256::digest(token.as_bytes()));
    Ok((token, sha256))
}

/// Letters of a code: none that is taken for another when read aloud. Thirty-two of them, so that every byte picks one evenly.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A code that proves who somebody is: fifty bits, hopeless to guess in the minutes it works.
pub fn code() -> Option<String> {
    let mut bytes = [0_u8; 10];
    getrandom::fill(&mut bytes).ok()?;
    let letters = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let mut code: String = letters.collect();
    code.insert(5, '-');
    Some(code)
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

/// The desk, as an adapter of a chat platform asks it. Roles that come from the platform are brought onto the desk before
/// what their holder did is decided.
pub struct Known {
    engine: Engine,
    /// For each role of ours, the platform's roles whose members have it.
    from_platform: BTreeMap<Role, Vec<String>>,
    /// Roles that the config gives by name: no platform takes these away.
    from_config: BTreeMap<PersonId, BTreeSet<Role>>,
}

impl Known {
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            from_platform: BTreeMap::new(),
            from_config: BTreeMap::new(),
        }
    }

    /// With roles that come from the platform.
    pub fn with_roles(engine: Engine, from_platform: BTreeMap<Role, Vec<String>>, config: &Config) -> Self {
        let named = config.person.iter();
        Self {
            engine,
            from_platform,
            from_config: named
                .map(|person| (PersonId::new(&person.id), person.roles.iter().copied().collect()))
                .collect(),
        }
    }

    /// Brings the desk's roles of somebody to what the platform says of them now.
    async fn follow(&self, person: &PersonId, roles: &BTreeSet<Role>) -> Result<(), crate::engine::Failed> {
        let has = match self.engine.desk().people.get(person) {
            Some(known) if known.active => known.roles.clone(),
            // Somebody whom the operator has taken off the desk stays off it, whatever the platform says.
            _ => return Ok(()),
        };
        let named = self.from_config.get(person);
        for role in self.from_platform.keys().copied() {
            let (person, given) = (person.clone(), roles.contains(&role));
            let kept = named.is_some_and(|named| named.contains(&role));
            let request = match (given, has.contains(&role)) {
                (true, false) => desk::Request::Grant { person, role },
                (false, true) if !kept => desk::Request::Revoke { person, role },
                _ => continue,
            };
            self.engine.on_desk(&By::Orderly, &request).await?;
        }
        Ok(())
    }

    /// Somebody new whose role on the platform the operator gave a meaning.
    async fn welcome(
        &self,
        who: &Identity,
        name: &str,
        roles: &BTreeSet<Role>,
    ) -> Result<(), crate::engine::Failed> {
        let Some(person) = self.free_id(name, &who.user) else {
            return Ok(());
        };
        let request = desk::Request::PutPerson {
            person,
            name: name.to_owned(),
            roles: roles.clone(),
            guest: false,
            identities: BTreeSet::from([who.clone()]),
        };
        self.engine.on_desk(&By::Orderly, &request).await?;
        Ok(())
    }

    /// A short name that nobody has: never one of somebody who is there already.
    fn free_id(&self, name: &str, user: &str) -> Option<PersonId> {
        let kept = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
        let short: String = name
            .to_lowercase()
            .replace(['.', '_'], "-")
            .chars()
            .filter(kept)
            .take(SHORT_NAME)
            .collect();
        let short = short.trim_matches('-');
        let short = if short.is_empty() || short == "me" {
            "member"
        } else {
            short
        };
        let end = &user[user.len().saturating_sub(6)..];
        let desk = self.engine.desk();
        let free = |id: &PersonId| !desk.people.contains_key(id);
        [short.to_owned(), format!("{short}-{end}")]
            .map(PersonId::new)
            .into_iter()
            .find(free)
    }
}

#[async_trait]
impl crate::chat::People for Known {
    fn identities(&self, person: &PersonId) -> Vec<Identity> {
        let desk = self.engine.desk();
        let known = desk.people.get(person);
        known
            .into_iter()
            .flat_map(|known| known.identities.iter().cloned())
            .collect()
    }

    fn person(&self, identity: &Identity) -> Option<PersonId> {
        self.engine.desk().person_of(identity).cloned()
    }

    async fn seen(&self, who: &Identity, name: &str, held: &[String]) {
        if self.from_platform.is_empty() {
            return;
        }
        let given = self
            .from_platform
            .iter()
            .filter(|(_, ids)| ids.iter().any(|id| held.contains(id)));
        let roles: BTreeSet<Role> = given.map(|(role, _)| *role).collect();
        let known = crate::chat::People::person(self, who);
        let done = match known {
            Some(person) => self.follow(&person, &roles).await,
            None if roles.is_empty() => Ok(()),
            None => self.welcome(who, name, &roles).await,
        };
        if let Err(error) = done {
            tracing::error!(%error, user = who.user, "roles of the platform could not be brought onto the desk");
        }
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

    fn out_of_reach(&self) -> Vec<OutOfReach> {
        let unreached = self.engine.unreached().into_iter();
        unreached
            .map(|away| OutOfReach {
                platform: away.platform,
                since: away.since,
                why: away.why,
            })
            .collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.engine.list_changes()
    }
}
