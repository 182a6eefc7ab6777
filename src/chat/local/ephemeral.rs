//! Whispers and open forms: in memory and bounded, because no chat service keeps them over a restart.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::chat::{Form, Message};

/// Whispers kept for one person: a page that loads shows the latest of them.
const WHISPERS_MAX: usize = 50;
/// Forms kept for one person, for scripts that ask which are open.
const FORMS_MAX: usize = 8;

/// A message only one person sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whisper {
    pub id: u64,
    pub room: String,
    pub message: Message,
    pub at: DateTime<Utc>,
}

/// A form put before a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    pub id: u64,
    pub room: String,
    /// The tab where the person did what led to the form.
    pub tab: String,
    pub form: Form,
}

#[derive(Debug, Default)]
struct Own {
    whispers: VecDeque<(String, Arc<Whisper>)>,
    forms: VecDeque<Arc<Asked>>,
}

#[derive(Debug, Default)]
struct All {
    last: u64,
    people: HashMap<String, Own>,
}

#[derive(Debug, Default)]
pub(super) struct Ephemeral(Mutex<All>);

impl Ephemeral {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Keeps a whisper; `None`: this key was whispered already.
    pub fn whisper(
        &self,
        key: &str,
        to: &str,
        room: &str,
        message: Message,
        at: DateTime<Utc>,
    ) -> Option<u64> {
        let mut all = self.all();
        let id = all.last + 1;
        let own = all.people.entry(to.to_owned()).or_default();
        if own.whispers.iter().any(|(known, _)| known == key) {
            return None;
        }
        if own.whispers.len() == WHISPERS_MAX {
            own.whispers.pop_front();
        }
        let whisper = Whisper {
            id,
            room: room.to_owned(),
            message,
            at,
        };
        own.whispers.push_back((key.to_owned(), Arc::new(whisper)));
        all.last = id;
        Some(id)
    }

    pub fn ask(&self, to: &str, room: &str, tab: &str, form: Form) -> Arc<Asked> {
        let mut all = self.all();
        all.last += 1;
        let asked = Arc::new(Asked {
            id: all.last,
            room: room.to_owned(),
            tab: tab.to_owned(),
            form,
        });
        let own = all.people.entry(to.to_owned()).or_default();
        if own.forms.len() == FORMS_MAX {
            own.forms.pop_front();
        }
        own.forms.push_back(Arc::clone(&asked));
        asked
    }

    /// Takes away the forms of a command that was submitted.
    pub fn submitted(&self, user: &str, path: &str, fixed: &BTreeMap<String, String>) {
        if let Some(own) = self.all().people.get_mut(user) {
            own.forms
                .retain(|asked| asked.form.path != path || &asked.form.fixed != fixed);
        }
    }
}

impl super::LocalChat {
    /// What was whispered to this person in this room, oldest first.
    pub fn whispers(&self, user: &str, room: &str) -> Vec<Arc<Whisper>> {
        let all = self.ephemeral.all();
        let own = all.people.get(user).into_iter().flat_map(|own| &own.whispers);
        own.filter(|(_, whisper)| whisper.room == room)
            .map(|(_, whisper)| Arc::clone(whisper))
            .collect()
    }

    pub fn whispered(&self, user: &str, id: u64) -> Option<Arc<Whisper>> {
        let all = self.ephemeral.all();
        let (_, whisper) = all
            .people
            .get(user)?
            .whispers
            .iter()
            .find(|(_, whisper)| whisper.id == id)?;
        Some(Arc::clone(whisper))
    }

    /// The person has read it.
    pub fn dismiss(&self, user: &str, id: u64) {
        if let Some(own) = self.ephemeral.all().people.get_mut(user) {
            own.whispers.retain(|(_, whisper)| whisper.id != id);
        }
    }

    /// Forms put before this person and not yet submitted, oldest first.
    pub fn forms(&self, user: &str) -> Vec<Arc<Asked>> {
        self.ephemeral
            .all()
            .people
            .get(user)
            .map(|own| own.forms.iter().cloned().collect())
            .unwrap_or_default()
    }
}
