//! What happens in a room: kept in the room log, and on the timeline where people marked it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::decide::{Failed, Reply, With};
use super::reactions::Through;
use super::redact::GONE;
use super::{Engine, read};
use crate::chat::{Delivery, Incoming, Known, Message, Verdict};
use crate::incident::{
    By, FileRef, Identity, IncidentId, MessageRef, PersonId, Recorded, Refusal, Request, RoomRef, State,
};
use crate::store::{Commit, InboxDone, InboxId, LogEntry, StoredEntry};

impl Engine {
    /// What happens in a room: into the room log, and onto the timeline where people marked it.
    pub(super) async fn overhear(
        &self,
        inbox: InboxId,
        incident: Option<IncidentId>,
        delivery: &Delivery,
        through: Through,
    ) -> Result<Verdict, Failed> {
        let heard = self.keep(inbox, incident, delivery, through).await?;
        self.mark_at_last(&delivery.incoming).await;
        Ok(heard)
    }

    async fn keep(
        &self,
        inbox: InboxId,
        incident: Option<IncidentId>,
        delivery: &Delivery,
        through: Through,
    ) -> Result<Verdict, Failed> {
        let quiet = Verdict {
            accepted: true,
            message: Message::default(),
            field: None,
            incident: None,
        };
        let outcome = serde_json::to_string(&quiet).unwrap_or_default();
        let Some(incident) = incident else {
            if through == Through::Menu {
                return Err(not_in_a_room().into());
            }
            self.conclude(inbox, outcome, Vec::new()).await?;
            return Ok(quiet);
        };
        let version = self.version(incident, &delivery.incoming).await?;
        let overtaken = version.as_ref().is_some_and(|version| !version.latest);
        let mut commit = Commit {
            at: self.now(),
            room_log: version.and_then(|version| version.fresh).into_iter().collect(),
            effects: self.carrying(incident, &delivery.incoming).await?,
            ..Commit::default()
        };
        let marking = match overtaken {
            // What the message says now is on the timeline already.
            true => None,
            false => self.marking(delivery, through).await?,
        };
        let Some((by, request)) = marking else {
            commit.inbox_done = vec![InboxDone { inbox, outcome }];
            self.commit(commit).await?;
            return Ok(quiet);
        };
        if !commit.room_log.is_empty() || !commit.effects.is_empty() {
            self.commit(commit).await?;
        }
        let replying = |_: &State, _: &[Recorded]| Reply {
            outcome: outcome.clone(),
            effects: Vec::new(),
        };
        let with = With {
            inbox: Some(inbox),
            ..With::default()
        };
        match self.decide(incident, &by, &request, with, Some(&replying)).await {
            Err(Failed::Refused(_)) if through == Through::Reaction => {
                self.conclude(inbox, outcome.clone(), Vec::new()).await?;
            }
            other => drop(other?),
        }
        Ok(quiet)
    }

    /// The version of a message that a delivery tells of, filed at its own time: events overtake each other, and an
    /// edit or a deletion may come before what was written first.
    async fn version(&self, incident: IncidentId, incoming: &Incoming) -> Result<Option<Version>, Failed> {
        let (message, made) = match incoming {
            Incoming::Wrote { message, at, .. }
            | Incoming::Edited { message, at, .. }
            | Incoming::Deleted { message, at, .. } => (message, *at),
            _ => return Ok(None),
        };
        let known = self.versions(message).await?;
        // What was found gone has no stamp of the platform's: it comes after all that has one, whatever our clock says.
        let found_gone = matches!(incoming, Incoming::Deleted { found_gone: true, .. });
        let last = known.last().map(|last| last.entry.recorded);
        let made = last.filter(|last| found_gone && *last > made).unwrap_or(made);
        let told = match incoming {
            Incoming::Wrote {
                from,
                thread,
                at,
                files,
                ..
            } => Some(self.originally(incident, message, from, thread.as_deref(), *at, files)),
            Incoming::Edited { of: Some(of), .. } => {
                let thread = of.thread.as_deref();
                Some(self.originally(incident, message, &of.from, thread, of.at, &of.files))
            }
            _ => None,
        };
        // An edit that says nothing of its author takes that from what is known, or stands nameless until it is.
        let nameless = || LogEntry {
            incident,
            room: message.room.to_string(),
            message: message.message.clone(),
            thread: None,
            author: NAMELESS.to_owned(),
            at: made,
            recorded: made,
            text: None,
            files: None,
        };
        let base = told.or_else(|| whose(&known).cloned()).unwrap_or_else(nameless);
        let text = match incoming {
            Incoming::Wrote { text, .. } | Incoming::Edited { text, .. } => Some(text.clone()),
            _ => None,
        };
        let state = self.state(incident).await?;
        // An edit made before a redaction may be told after it, and history tells everything again.
        let redacted = state.is_some_and(|state| state.redacted.contains(message));
        let entry = LogEntry {
            recorded: made,
            text: text.map(|text| if redacted { GONE.to_owned() } else { text }),
            files: base.files.filter(|_| !redacted),
            ..base
        };
        // The very same version stands there already after a crash, or where live events and history meet.
        let twin = known.iter().rfind(|stored| stored.entry.recorded == made);
        let fresh = twin.is_none_or(|twin| twin.entry.text != entry.text);
        Ok(Some(Version {
            latest: known.last().is_none_or(|last| last.entry.recorded <= made),
            fresh: fresh.then_some(entry),
        }))
    }

    fn originally(
        &self,
        incident: IncidentId,
        message: &MessageRef,
        from: &Identity,
        thread: Option<&str>,
        at: DateTime<Utc>,
        files: &[FileRef],
    ) -> LogEntry {
        LogEntry {
            incident,
            room: message.room.to_string(),
            message: message.message.clone(),
            thread: thread.map(str::to_owned),
            author: self.name_of(from),
            at,
            recorded: at,
            text: None,
            files: listed(files),
        }
    }

    /// The messages of a room since then, as they are known here.
    pub(super) async fn known_in(&self, room: &RoomRef, since: DateTime<Utc>) -> Option<Vec<Known>> {
        let store = &self.inner.parts.store;
        let log = store.room_since(&room.to_string(), since, KNOWN_MAX).await;
        let incident = read(&self.inner.index).incident_of(room)?;
        let (log, state) = match (log, self.state(incident).await) {
            (Ok(log), Ok(state)) => (log, state?),
            (Err(error), _) => {
                tracing::error!(%error, "what is known of a room cannot be read");
                return None;
            }
            (_, Err(error)) => {
                tracing::error!(%error, "what is known of a room cannot be read");
                return None;
            }
        };
        let mut messages: BTreeMap<String, Vec<StoredEntry>> = BTreeMap::new();
        for stored in log {
            messages
                .entry(stored.entry.message.clone())
                .or_default()
                .push(stored);
        }
        let known = messages.into_iter().filter_map(|(message, mut versions)| {
            versions.sort_by_key(|stored| (stored.entry.recorded, stored.id));
            let (whose, last) = (whose(&versions)?, versions.last()?);
            let at = MessageRef {
                room: room.clone(),
                message,
            };
            Some(Known {
                reacted: self.reacted(&state, &at),
                message: at.message,
                thread: whose.thread.clone(),
                at: whose.at,
                deleted: last.entry.text.is_none(),
            })
        });
        Some(known.collect())
    }

    pub(super) fn identities_on(&self, person: &PersonId, room: &RoomRef) -> Vec<Identity> {
        let desk = self.desk();
        let known = desk.people.get(person).into_iter();
        known
            .flat_map(|person| person.identities.iter())
            .filter(|identity| identity.platform == room.platform && identity.workspace == room.workspace)
            .cloned()
            .collect()
    }

    pub(super) async fn versions(&self, message: &MessageRef) -> Result<Vec<StoredEntry>, Failed> {
        let store = &self.inner.parts.store;
        Ok(store
            .versions(&message.room.to_string(), &message.message)
            .await?)
    }

    fn name_of(&self, identity: &Identity) -> String {
        let desk = self.desk();
        let known = desk
            .person_of(identity)
            .and_then(|person| desk.people.get(person))
            .map(|person| person.name.clone());
        known.unwrap_or_else(|| format!("{}/{}", identity.platform, identity.user))
    }

    /// What a message's fate means for the timeline.
    async fn marking(&self, delivery: &Delivery, through: Through) -> Result<Option<(By, Request)>, Failed> {
        Ok(match &delivery.incoming {
            Incoming::Edited {
                message, text, at, ..
            } => Some((
                By::Orderly,
                Request::MessageEdited {
                    message: message.clone(),
                    text: text.clone(),
                    at: *at,
                },
            )),
            Incoming::Deleted {
                message,
                at,
                found_gone,
            } => {
                let why = match found_gone {
                    false => "the message was deleted".to_owned(),
                    true => {
                        "the message was deleted while nobody listened; when is not known exactly".to_owned()
                    }
                };
                Some((
                    By::Orderly,
                    Request::Unmark {
                        message: message.clone(),
                        why,
                        at: (!found_gone).then_some(*at),
                    },
                ))
            }
            Incoming::Reacted { .. } => self.reaction(&delivery.incoming, through).await?,
            _ => None,
        })
    }
}

fn not_in_a_room() -> Refusal {
    Refusal::new(
        "This is not an incident's room, so there is nothing to put it on. The menu is for what is said in one.",
    )
}

/// Versions of messages looked through when a room is read again; more than the history that is read then.
const KNOWN_MAX: usize = 50_000;

/// A version of a message that was told of.
struct Version {
    /// What is to be written down of it; nothing where it stands there already.
    fresh: Option<LogEntry>,
    /// No later one is known.
    latest: bool,
}

/// The author of a message of which only an edit or a deletion was told so far.
pub const NAMELESS: &str = "";

/// The version that says whose message it is: the first one with a name.
pub(super) fn whose(versions: &[StoredEntry]) -> Option<&LogEntry> {
    let named = versions.iter().find(|stored| stored.entry.author != NAMELESS);
    named.or(versions.first()).map(|stored| &stored.entry)
}

/// Longest name of a file, in characters: what file systems keep.
const LONGEST_FILE_NAME: usize = 255;

/// Longest media type, in characters; real ones have about 70.
const LONGEST_MEDIA_TYPE: usize = 100;

/// Files as the room log keeps them. Serialising our own types cannot fail.
fn listed(files: &[FileRef]) -> Option<String> {
    let cut = |text: &str, most: usize| text.chars().take(most).collect();
    let files: Vec<FileRef> = files
        .iter()
        .map(|file| FileRef {
            name: cut(&file.name, LONGEST_FILE_NAME),
            media_type: cut(&file.media_type, LONGEST_MEDIA_TYPE),
            ..file.clone()
        })
        .collect();
    (!files.is_empty()).then(|| serde_json::to_string(&files).unwrap_or_default())
}

/// The files of a line of the room log. A line that cannot be read has none to offer; its text still counts.
pub(super) fn unlisted(files: Option<&str>) -> Vec<FileRef> {
    files
        .and_then(|files| serde_json::from_str(files).ok())
        .unwrap_or_default()
}
