//! Looking without being written down: what the operator's own terminal may ask when nobody of the desk is behind it, and
//! what anybody may ask while the disk takes nothing.

use std::collections::VecDeque;

use super::decide::Failed;
use super::intake::room_of;
use super::ports::Act;
use super::{Engine, lock, read};
use crate::chat::{Block, Delivery, Incoming, Message, Verdict};
use crate::incident::{MessageRef, PersonId, Refusal};
use crate::store::{self, InboxId};

/// Answers kept for whoever asks for the verdict: a page or a terminal asks at once, and chat is told without asking.
const KEPT: usize = 64;

/// Their numbers count down from here: no inbox gets so far, and it is the largest that JavaScript takes.
const NUMBERED_FROM: u64 = (1 << 53) - 1;

/// What was answered without being stored first.
#[derive(Default)]
pub(super) struct Looked {
    all: u64,
    last: VecDeque<(InboxId, Verdict)>,
}

impl Looked {
    fn keep(&mut self, verdict: Verdict) -> InboxId {
        let id = InboxId(NUMBERED_FROM - self.all);
        self.all += 1;
        self.last.truncate(KEPT - 1);
        self.last.push_front((id, verdict));
        id
    }

    pub fn verdict(&self, id: InboxId) -> Option<Verdict> {
        let found = self.last.iter().find(|(known, _)| *known == id);
        found.map(|(_, verdict)| verdict.clone())
    }
}

impl Engine {
    /// Answers a question and keeps nothing of it. `None`: it is no question, for it would change something. `reader` is
    /// nobody of the desk, so private incidents stay hidden.
    pub async fn look(&self, delivery: &Delivery, reader: &PersonId) -> Result<Option<Verdict>, Failed> {
        let addressed = self.inner.parts.meaning.addressed(&delivery.incoming);
        let here = || read(&self.inner.index).incident_of(room_of(&delivery.incoming));
        let incident = addressed.incident.or_else(here);
        let hidden = incident.filter(|incident| !read(&self.inner.index).may_see(*incident, reader));
        let act = match hidden {
            Some(incident) => Err(Refusal::new(format!(
                "There is no {incident} that you can see. `/list` shows those you can."
            ))
            .into()),
            None => self.understand(delivery, addressed, reader, incident).await,
        };
        let (accepted, message) = match act {
            Ok(Act::Tell(message)) => (true, message),
            Ok(_) => return Ok(None),
            Err(Failed::Refused(refusal)) => (false, self.inner.parts.words.refusal(&refusal)),
            Err(error) => return Err(error),
        };
        Ok(Some(Verdict {
            accepted,
            message,
            field: None,
            incident: incident.map(|incident| incident.0),
        }))
    }

    /// While nothing can be stored, a question is answered all the same: nothing of it has to last. `None`: it would
    /// change something, or nobody here asked it.
    pub(super) async fn look_unstored(&self, delivery: &Delivery, why: &store::Error) -> Option<InboxId> {
        let (Incoming::Command { from, room, .. }
        | Incoming::Press {
            from,
            message: MessageRef { room, .. },
            ..
        }) = &delivery.incoming
        else {
            return None;
        };
        if self.shortcut(delivery).is_some() || self.takes_commands(room).is_err() {
            return None;
        }
        let person = self.person(from, None).ok()?;
        let mut verdict = self.look(delivery, &person).await.ok()??;
        let note = format!(
            "Nothing can be written down at the moment: {why}. Until then you can look, and change nothing."
        );
        verdict.message = with_note(verdict.message, &note);
        if let Some((place, to, message)) = self.whispered(delivery, verdict.message.clone()) {
            self.say_at_once(format!("looked/{}", delivery.key), place, to, message);
        }
        Some(lock(&self.inner.looked).keep(verdict))
    }
}

fn with_note(mut message: Message, note: &str) -> Message {
    if message.blocks.is_empty() {
        let text = message.fallback.as_str().into();
        message.blocks.push(Block::Text { text });
    }
    message.fallback = format!("{}\n{note}", message.fallback);
    message.blocks.push(Block::Context { text: note.into() });
    message
}
