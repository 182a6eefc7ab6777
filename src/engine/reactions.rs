//! Reactions and menus that mark a message. Reactions overtake each other, and their message: the latest word counts, and
//! one that comes first waits for its message.
//!
//! What is remembered here is gone after a restart; then the room is read again, with its reactions as they stand.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};

use super::decide::{Failed, With};
use super::intake::room_of;
use super::overhear::{unlisted, whose};
use super::{Engine, lock, read};
use crate::chat::Incoming;
use crate::incident::{By, Identity, Marked, MessageRef, Request};

/// Messages whose reactions are remembered: those of a busy day. Events are late by minutes, not by thousands.
const REMEMBERED: usize = 5_000;

/// How somebody marks a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Through {
    Reaction,
    /// The message's menu: nothing of it stands at the message.
    Menu,
}

/// The latest word on the reactions of a message, by person and emoji.
#[derive(Default)]
pub(super) struct Reactions(Mutex<HashMap<MessageRef, ByReaction>>);

type ByReaction = HashMap<(Identity, String), Latest>;

struct Latest {
    at: DateTime<Utc>,
    /// Told before its message.
    waits: Option<(Incoming, Through)>,
}

impl Reactions {
    /// Whether nothing later is known of this reaction; from now on this is the latest.
    fn is_latest(&self, incoming: &Incoming) -> bool {
        let Incoming::Reacted {
            from,
            message,
            emoji,
            at,
            ..
        } = incoming
        else {
            return false;
        };
        let mut all = lock(&self.0);
        if all.len() >= REMEMBERED && !all.contains_key(message) {
            all.clear();
        }
        let known = all.entry(message.clone()).or_default();
        let latest = known
            .entry((from.clone(), emoji.clone()))
            .or_insert(Latest { at: *at, waits: None });
        if *at < latest.at {
            return false;
        }
        *latest = Latest { at: *at, waits: None };
        true
    }

    fn waits(&self, incoming: &Incoming, through: Through) {
        if let Incoming::Reacted {
            from,
            message,
            emoji,
            present: true,
            ..
        } = incoming
            && let Some(latest) = lock(&self.0)
                .get_mut(message)
                .and_then(|known| known.get_mut(&(from.clone(), emoji.clone())))
        {
            latest.waits = Some((incoming.clone(), through));
        }
    }

    fn take_waiting(&self, message: &MessageRef) -> Vec<(Incoming, Through)> {
        let mut all = lock(&self.0);
        let known = all.get_mut(message).into_iter().flat_map(HashMap::values_mut);
        known.filter_map(|latest| latest.waits.take()).collect()
    }
}

impl Engine {
    /// Marks that came before the message they are about. One that cannot be made now waits on; the message itself is kept.
    pub(super) async fn mark_at_last(&self, told: &Incoming) {
        let (Incoming::Wrote { message, .. } | Incoming::Edited { message, .. }) = told else {
            return;
        };
        for (reacted, through) in self.inner.reactions.take_waiting(message) {
            if let Err(error) = self.mark(&reacted, through).await {
                tracing::warn!(%error, "a mark that came before its message waits on");
                self.inner.reactions.waits(&reacted, through);
            }
        }
    }

    async fn mark(&self, reacted: &Incoming, through: Through) -> Result<(), Failed> {
        let incident = read(&self.inner.index).incident_of(room_of(reacted));
        let Some(incident) = incident else {
            return Ok(());
        };
        let Some((by, request)) = self.reaction(reacted, through).await? else {
            return Ok(());
        };
        let decided = self.decide(incident, &by, &request, With::default(), None).await;
        match decided {
            Ok(_) | Err(Failed::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What a reaction asks for, if anything.
    pub(super) async fn reaction(
        &self,
        incoming: &Incoming,
        through: Through,
    ) -> Result<Option<(By, Request)>, Failed> {
        let Incoming::Reacted {
            from,
            message,
            emoji,
            present,
            at,
        } = incoming
        else {
            return Ok(None);
        };
        // Marking is a command without words, and guests' rooms take none.
        if read(&self.inner.index).is_for_guests(&message.room) {
            return Ok(None);
        }
        let pointed_at = message;
        let message = &self.original(pointed_at).await?;
        let present = *present;
        let options = &self.inner.parts.options;
        let marks = [
            &options.timeline_emoji,
            &options.task_emoji,
            &options.followup_emoji,
        ];
        if !marks.contains(&emoji) || !self.inner.reactions.is_latest(incoming) {
            return Ok(None);
        }
        let desk = self.desk();
        let Some(person) = desk.person_of(from) else {
            return Ok(None);
        };
        let by = By::Person { id: person.clone() };
        let versions = self.versions(message).await?;
        let Some(first) = whose(&versions).cloned() else {
            self.inner.reactions.waits(incoming, through);
            return Ok(None);
        };
        // Marking is a command without words.
        match self.may_command(from).await {
            Err(Failed::Refused(_)) => return Ok(None),
            other => other?,
        }
        // A message that is gone has nothing to put anywhere; what it put there can be taken back.
        let says = versions.last().and_then(|last| last.entry.text.clone());
        let Some(text) = says.or_else(|| (!present).then(String::new)) else {
            return Ok(None);
        };
        let source = Some(message.clone());
        if *emoji == options.timeline_emoji {
            let request = if present {
                let author = first.author;
                let marked = Marked {
                    message: message.clone(),
                    author,
                    text,
                    files: unlisted(first.files.as_deref()),
                };
                Request::Mark {
                    marked,
                    at: first.at,
                    // At the original nothing of it stands where it was put on a copy.
                    reacted: through == Through::Reaction && pointed_at == message,
                }
            } else {
                Request::Unmark {
                    message: message.clone(),
                    why: format!("{person} took the reaction back"),
                    at: Some(*at),
                }
            };
            return Ok(Some((by, request)));
        }
        // A task or a follow-up made by a reaction is a thing of its own: taking the reaction back does not unmake it.
        if present && *emoji == options.task_emoji {
            return Ok(Some((
                by,
                Request::AddTask {
                    text,
                    owner: None,
                    source,
                },
            )));
        }
        if present && *emoji == options.followup_emoji {
            return Ok(Some((
                by,
                Request::AddFollowup {
                    text,
                    owner: None,
                    due: None,
                    tracker: None,
                    source,
                },
            )));
        }
        Ok(None)
    }
}
