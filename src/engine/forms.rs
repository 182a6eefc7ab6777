//! Forms that people asked for: shown while that can be, else it is said how to go on without.

use super::end::End;
use super::{Engine, plan};
use crate::chat::{self, Form, Trigger};
use crate::incident::{Identity, RoomRef};
use crate::store::{Commit, StoredEffect};

impl Engine {
    pub(super) async fn show_form(
        &self,
        stored: &StoredEffect,
        room: &RoomRef,
        to: &Identity,
        trigger: &Trigger,
        form: &Form,
    ) -> End {
        let chat = match self.chat(&to.platform) {
            Ok(chat) => chat,
            Err(end) => return end,
        };
        match chat.ask(trigger, room, to, form).await {
            Err(chat::Error::Gone { why }) => {
                tracing::warn!(effect = stored.effect.key, why, "a form could not be shown");
                self.without_form(stored, room, to, form).await
            }
            shown => shown.into(),
        }
    }

    /// A form that came too late is worth a word while somebody may still look for it.
    pub(super) async fn form_too_late(
        &self,
        stored: &StoredEffect,
        room: &RoomRef,
        to: &Identity,
        form: &Form,
    ) -> End {
        let deadline = stored.effect.deadline;
        match deadline.is_some_and(|deadline| deadline + plan::WHISPER_LATE < self.now()) {
            true => End::Done,
            false => self.without_form(stored, room, to, form).await,
        }
    }

    /// Whoever asked is told how to go on, and the form is done with.
    async fn without_form(&self, stored: &StoredEffect, room: &RoomRef, to: &Identity, form: &Form) -> End {
        let words = format!(
            "The form of `/{0}` could not be shown. Run `/{0}` again, or write it in one line: `/help {0}` shows how.",
            form.path
        );
        let whisper = plan::whisper(
            format!("formless/{}", stored.effect.key),
            (room.clone(), None),
            to.clone(),
            self.inner.parts.words.say(&words),
            self.now(),
        );
        let commit = Commit {
            at: self.now(),
            effects: vec![whisper],
            effects_done: vec![stored.id],
            ..Commit::default()
        };
        match self.commit(commit).await {
            Ok(_) => End::Written,
            Err(error) => End::again(error.to_string()),
        }
    }
}
