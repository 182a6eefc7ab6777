//! What happens in a room: kept in the room log, and on the timeline where people marked it.

use super::Engine;
use super::decide::{Failed, Reply, With};
use crate::chat::{Delivery, Incoming, Message, Verdict};
use crate::incident::{By, FileRef, Identity, IncidentId, Marked, MessageRef, Recorded, Request, State};
use crate::store::{Commit, InboxDone, InboxId, LogEntry};

impl Engine {
    /// What happens in a room: into the room log, and onto the timeline where people marked it.
    pub(super) async fn overhear(
        &self,
        inbox: InboxId,
        incident: Option<IncidentId>,
        delivery: &Delivery,
    ) -> Result<Verdict, Failed> {
        let quiet = Verdict {
            accepted: true,
            message: Message::default(),
            field: None,
            incident: None,
        };
        let outcome = serde_json::to_string(&quiet).unwrap_or_default();
        let Some(incident) = incident else {
            self.conclude(inbox, outcome, Vec::new()).await?;
            return Ok(quiet);
        };
        let mut commit = Commit {
            at: self.now(),
            room_log: self.log_entry(incident, delivery).await?.into_iter().collect(),
            ..Commit::default()
        };
        let Some((by, request)) = self.marking(delivery).await? else {
            commit.inbox_done = vec![InboxDone { inbox, outcome }];
            self.commit(commit).await?;
            return Ok(quiet);
        };
        if !commit.room_log.is_empty() {
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
            Err(Failed::Refused(_)) => self.conclude(inbox, outcome.clone(), Vec::new()).await?,
            other => drop(other?),
        }
        Ok(quiet)
    }

    /// The line of the room log, unless the very same version stands there already (a delivery after a crash).
    async fn log_entry(&self, incident: IncidentId, delivery: &Delivery) -> Result<Option<LogEntry>, Failed> {
        let entry = match &delivery.incoming {
            Incoming::Wrote {
                from,
                message,
                thread,
                text,
                at,
                files,
            } => LogEntry {
                incident,
                room: message.room.to_string(),
                message: message.message.clone(),
                thread: thread.clone(),
                author: self.name_of(from),
                at: *at,
                recorded: delivery.received,
                text: Some(text.clone()),
                files: listed(files),
            },
            Incoming::Edited { message, text, .. } => {
                let Some(first) = self.first_version(message).await? else {
                    return Ok(None);
                };
                LogEntry {
                    recorded: delivery.received,
                    text: Some(text.clone()),
                    ..first
                }
            }
            Incoming::Deleted { message, .. } => {
                let Some(first) = self.first_version(message).await? else {
                    return Ok(None);
                };
                LogEntry {
                    recorded: delivery.received,
                    text: None,
                    ..first
                }
            }
            _ => return Ok(None),
        };
        let versions = self
            .inner
            .parts
            .store
            .versions(&entry.room, &entry.message)
            .await?;
        let known = versions.last().is_some_and(|last| last.entry.text == entry.text);
        Ok((!known).then_some(entry))
    }

    async fn first_version(&self, message: &MessageRef) -> Result<Option<LogEntry>, Failed> {
        let versions = self
            .inner
            .parts
            .store
            .versions(&message.room.to_string(), &message.message)
            .await?;
        Ok(versions.into_iter().next().map(|stored| stored.entry))
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
    async fn marking(&self, delivery: &Delivery) -> Result<Option<(By, Request)>, Failed> {
        Ok(match &delivery.incoming {
            Incoming::Edited { message, text, .. } => Some((
                By::Orderly,
                Request::MessageEdited {
                    message: message.clone(),
                    text: text.clone(),
                },
            )),
            Incoming::Deleted { message, .. } => {
                let why = "the message was deleted".to_owned();
                Some((
                    By::Orderly,
                    Request::Unmark {
                        message: message.clone(),
                        why,
                    },
                ))
            }
            Incoming::Reacted {
                from,
                message,
                emoji,
                present,
                ..
            } => self.reaction(from, message, emoji, *present).await?,
            _ => None,
        })
    }

    async fn reaction(
        &self,
        from: &Identity,
        message: &MessageRef,
        emoji: &str,
        present: bool,
    ) -> Result<Option<(By, Request)>, Failed> {
        let desk = self.desk();
        let Some(person) = desk.person_of(from) else {
            return Ok(None);
        };
        let by = By::Person { id: person.clone() };
        let versions = self
            .inner
            .parts
            .store
            .versions(&message.room.to_string(), &message.message)
            .await?;
        let Some(last) = versions.last().map(|stored| stored.entry.clone()) else {
            return Ok(None);
        };
        let options = &self.inner.parts.options;
        let marks = [
            &options.timeline_emoji,
            &options.task_emoji,
            &options.followup_emoji,
        ];
        if !marks.iter().any(|mark| *mark == emoji) {
            return Ok(None);
        }
        // Marking is a command without words.
        match self.may_command(from).await {
            Err(Failed::Refused(_)) => return Ok(None),
            other => other?,
        }
        let text = last.text.unwrap_or_default();
        let source = Some(message.clone());
        if emoji == options.timeline_emoji {
            let request = if present {
                let author = last.author;
                let marked = Marked {
                    message: message.clone(),
                    author,
                    text,
                    files: unlisted(last.files.as_deref()),
                };
                Request::Mark { marked, at: last.at }
            } else {
                Request::Unmark {
                    message: message.clone(),
                    why: format!("{person} took the reaction back"),
                }
            };
            return Ok(Some((by, request)));
        }
        // A task or a follow-up made by a reaction is a thing of its own: taking the reaction back does not unmake it.
        if present && emoji == options.task_emoji {
            return Ok(Some((
                by,
                Request::AddTask {
                    text,
                    owner: None,
                    source,
                },
            )));
        }
        if present && emoji == options.followup_emoji {
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
fn unlisted(files: Option<&str>) -> Vec<FileRef> {
    files
        .and_then(|files| serde_json::from_str(files).ok())
        .unwrap_or_default()
}
