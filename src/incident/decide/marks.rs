//! Messages that people put on the timeline, and the files that came with them.

use super::{Deciding, Fact, Facts};
use crate::incident::event::Event;
use crate::incident::request::Request;
use crate::incident::state::State;
use crate::incident::words::*;

impl Deciding<'_> {
    pub(super) fn decide_marks(&self, state: &State, request: &Request) -> Option<Facts> {
        Some(match request {
            Request::Mark { marked, at, reacted } => {
                let known = state.marks.get(&marked.message);
                let mine = self.by.person();
                // Two people reacting to one message make one entry; the same person twice makes nothing.
                if known
                    .is_some_and(|mark| mark.removed.is_none() && mine.is_none_or(|me| mark.by.contains(me)))
                {
                    return Some(Ok(Vec::new()));
                }
                Ok(vec![Fact::at(
                    Event::MessageMarked {
                        marked: marked.clone(),
                        reacted: *reacted,
                    },
                    *at,
                    "message",
                )])
            }
            // An edit made before a redaction may be told after it.
            Request::MessageEdited { message, .. } if state.redacted.contains(message) => Ok(Vec::new()),
            Request::MessageEdited { message, text, at } => match state.marks.get(message) {
                Some(mark) if mark.marked.text != *text => Ok(vec![Fact::at(
                    Event::MessageChanged {
                        message: message.clone(),
                        text: text.clone(),
                    },
                    *at,
                    "message",
                )]),
                _ => Ok(Vec::new()),
            },
            Request::Unmark { message, why, at } => match state.marks.get(message) {
                // Only who marked it can take that back; a deleted message leaves by itself.
                Some(mark)
                    if mark.removed.is_none() && self.by.person().is_none_or(|me| mark.by.contains(me)) =>
                {
                    let event = Event::MessageUnmarked {
                        message: message.clone(),
                        why: why.clone(),
                    };
                    Ok(vec![match at {
                        Some(at) => Fact::at(event, *at, "message"),
                        // Found so when the room's history was read again.
                        None => Fact::at(event, self.now, "history"),
                    }])
                }
                _ => Ok(Vec::new()),
            },
            Request::KeepFile {
                message,
                file,
                size,
                sha256,
            } => Ok(settled_file(state, message, file, |found| Event::FileKept {
                message: message.clone(),
                file: file.clone(),
                name: found.name.clone(),
                media_type: found.media_type.clone(),
                size: *size,
                sha256: sha256.clone(),
            })),
            Request::MissFile { message, file, why } => {
                Ok(settled_file(state, message, file, |found| Event::FileMissed {
                    message: message.clone(),
                    file: file.clone(),
                    name: found.name.clone(),
                    why: why.clone(),
                }))
            }
            _ => return None,
        })
    }
}

/// What becomes of a file of a marked message; nothing where that is known already.
fn settled_file(
    state: &State,
    message: &MessageRef,
    file: &str,
    event: impl FnOnce(&FileRef) -> Event,
) -> Vec<Fact> {
    let open = state
        .marks
        .get(message)
        .filter(|mark| !mark.files.contains_key(file));
    let found = open.and_then(|mark| mark.marked.files.iter().find(|found| found.id == file));
    found.map(|found| event(found).into()).into_iter().collect()
}
