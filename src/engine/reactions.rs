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
use crate::chat::{Incoming, Reacted};
use crate::incident::{
    By, FileRef, Identity, LONGEST_TEXT, Marked, MarkedAt, Marking, MessageRef, Refusal, Request, State,
};
use crate::text::cut;

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
        // Marking is a command without words. Who picks it from a menu asks for an answer; a reaction is none of ours to
        // judge.
        let no = |refusal: Refusal| match through {
            Through::Menu => Err(Failed::Refused(refusal)),
            Through::Reaction => Ok(None),
        };
        if let Err(refusal) = self.takes_commands(&message.room) {
            return no(refusal);
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
        let person = match self.person(from, None) {
            Ok(person) => person,
            Err(refusal) => return no(refusal),
        };
        let by = By::Person { id: person.clone() };
        let versions = self.versions(message).await?;
        let Some(first) = whose(&versions).cloned() else {
            self.inner.reactions.waits(incoming, through);
            return no(Refusal::new(
                "There is nothing to put there: what Orderly says itself is in its journal already. A message that is \
                 still on its way is put there when it comes.",
            ));
        };
        match self.may_command(from).await {
            Err(Failed::Refused(refusal)) => return no(refusal),
            other => other?,
        }
        // A message that is gone has nothing to put anywhere; what it put there can be taken back.
        let says = versions.last().and_then(|last| last.entry.text.clone());
        let Some(text) = says.or_else(|| (!present).then(String::new)) else {
            return no(Refusal::new(
                "This message was deleted, and there is nothing left of it to put there.",
            ));
        };
        let marking = match through {
            Through::Menu => Marking::Asked,
            // At the original nothing of it stands where it was put on a copy.
            Through::Reaction if pointed_at != message => Marking::Copy,
            Through::Reaction => Marking::Reaction,
        };
        let source = MarkedAt {
            message: message.clone(),
            marking,
        };
        let files = unlisted(first.files.as_deref());
        let request = if *emoji == options.timeline_emoji {
            match present {
                true => Request::Mark {
                    at: first.at,
                    reacted: marking == Marking::Reaction,
                    marked: Marked {
                        message: message.clone(),
                        author: first.author,
                        text,
                        files,
                    },
                },
                false => Request::Unmark {
                    message: message.clone(),
                    why: format!("{person} took the reaction back"),
                    at: Some(*at),
                },
            }
        } else {
            let is_task = *emoji == options.task_emoji;
            to_be_done(is_task, present, to_do(&text, &files), source)
        };
        Ok(Some((by, request)))
    }

    /// The reactions that are known to stand at a message, of those that mark it.
    pub(super) fn reacted(&self, state: &State, message: &MessageRef) -> Vec<Reacted> {
        let options = &self.inner.parts.options;
        let mark = state.marks.get(message).filter(|mark| mark.removed.is_none());
        let marked = mark.into_iter().flat_map(|mark| &mark.reacted);
        let tasks = state.tasks.values();
        let tasks = tasks.filter(|task| task.source.as_ref() == Some(message));
        let followups = state.followups.values();
        let followups = followups.filter(|followup| followup.source.as_ref() == Some(message));
        let all = marked.map(|person| (&options.timeline_emoji, person));
        let all = all.chain(tasks.flat_map(|task| {
            let reacted = task.wanted.reacted();
            reacted.map(|person| (&options.task_emoji, person))
        }));
        let all = all.chain(followups.flat_map(|followup| {
            let reacted = followup.wanted.reacted();
            reacted.map(|person| (&options.followup_emoji, person))
        }));
        all.map(|(emoji, person)| Reacted {
            emoji: emoji.clone(),
            who: self.identities_on(person, &message.room),
        })
        .collect()
    }
}

/// A task or a follow-up, made or taken back.
fn to_be_done(is_task: bool, present: bool, text: String, source: MarkedAt) -> Request {
    match (is_task, present) {
        (true, true) => Request::AddTask {
            text,
            owner: None,
            source: Some(source),
        },
        (true, false) => Request::TakeTaskBack { source },
        (false, true) => Request::AddFollowup {
            text,
            owner: None,
            due: None,
            tracker: None,
            source: Some(source),
        },
        (false, false) => Request::TakeFollowupBack { source },
    }
}

/// What a message says there is to do: as much as a task holds, and the names of its files where it has no words.
fn to_do(text: &str, files: &[FileRef]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    let said = match text.trim().is_empty() {
        true => names.join(", "),
        false => text.to_owned(),
    };
    cut(&said, LONGEST_TEXT, "…").shown.into_owned()
}
