//! Forms while somebody fills them in: choices, words, what was wrong, and forms that were begun before a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::Live;
use super::drafts::Kept;
use super::form::Move;
use super::incoming::{Did, Interaction, Own};
use super::port::{CHANGE, MODAL, SAY};
use super::receive::Handed;
use super::{DiscordChat, page};
use crate::chat::{Delivery, Incoming, Intake, Press, Verdict};
use crate::text::cut;

/// Longest words that are said in one piece.
const SAID_MAX: usize = 3_500;

const LOST: &str = "This form was begun before Orderly was restarted, and it is not known any more which one it was. Nothing of it was done: \
                    run the command again.";

/// Words, and what somebody typed: a modal that was sent is gone, and nobody types all that twice.
pub(super) fn with_typed(words: &str, typed: &BTreeMap<String, String>) -> String {
    if typed.is_empty() {
        return words.to_owned();
    }
    let lines: Vec<String> = typed
        .iter()
        .map(|(field, value)| format!("{field}: {value}"))
        .collect();
    let all = format!("{words}\nYou typed:\n{}", lines.join("\n"));
    cut(&all, SAID_MAX, "…").shown.into_owned()
}

impl DiscordChat {
    /// What was wrong with a form, and the way back into it with everything that was typed.
    pub(super) async fn mend(&self, live: &Live, kept: Kept, verdict: &Verdict) {
        let draft = &kept.draft;
        let field = verdict.field.as_deref().and_then(|field| draft.label(field));
        let words = match field {
            Some(label) => format!("{label}: {}", verdict.message.fallback),
            None => verdict.message.fallback.clone(),
        };
        self.drafts.change(&draft.id, &kept.who, |kept| kept.filled = 0);
        live.claim();
        let again = draft.again(&words, "Mend it");
        if let Err(failure) = self.answer(live, SAY, &again, None).await {
            tracing::warn!(%failure, "somebody could not be told what is wrong with a form");
        }
    }

    /// A menu, a switch or the button of a form.
    pub(super) async fn moved(self: &Arc<Self>, own: &Own, intake: &Arc<dyn Intake>, heard: &Interaction) {
        let Did::Moved {
            draft, what, chosen, ..
        } = &heard.did
        else {
            return;
        };
        let on_form = *what != Move::On;
        let Some(live) = self.answers.begin(heard, on_form, self.clock.now()) else {
            return;
        };
        let kept = self.drafts.change(draft, &heard.from, |kept| match what {
            Move::Chose(field) => kept.draft.choose(field, chosen),
            Move::Turned(field) => kept.draft.turn(field),
            Move::On => {}
        });
        let Some(kept) = kept else {
            return self.begun_before(intake, heard, &live).await;
        };
        let sent = match what {
            // The page says what was chosen on it, for a restart may come between.
            Move::Chose(_) | Move::Turned(_) => {
                live.claim();
                let page = self.looking(own, |look| kept.draft.page(look));
                self.answer(&live, CHANGE, &page, None).await
            }
            Move::On => match kept.draft.modal(kept.filled) {
                Some(modal) => {
                    live.claim();
                    self.answer(&live, MODAL, &modal, None).await
                }
                None => return self.submit(own, intake, heard, &live, kept).await,
            },
        };
        if let Err(failure) = sent {
            tracing::warn!(%failure, "a form could not go on");
        }
    }

    /// A form of which nobody here knows any more: its page says which one it is, and what was chosen.
    async fn begun_before(self: &Arc<Self>, intake: &Arc<dyn Intake>, heard: &Interaction, live: &Arc<Live>) {
        let Did::Moved {
            draft,
            what,
            chosen,
            message,
            components,
        } = &heard.did
        else {
            return;
        };
        let Some(carried) = page::carried(components, draft) else {
            return self.words(live, LOST).await;
        };
        if *what != Move::On {
            live.claim();
            let page = page::changed(components, draft, what, chosen);
            if let Err(failure) = self.answer(live, CHANGE, &page, None).await {
                tracing::warn!(%failure, "a form could not go on");
            }
            return;
        }
        let now = self.clock.now();
        let asked = Delivery {
            key: heard.key(),
            subject: None,
            received: now,
            incoming: Incoming::Press {
                from: heard.from.clone(),
                message: message.clone(),
                press: Press::Ask {
                    path: carried.path,
                    fixed: carried.settled,
                },
                trigger: Some(heard.trigger(now)),
            },
        };
        self.handed_in(intake, heard, live, asked, Handed::Act).await;
    }

    pub(super) async fn filled(
        self: &Arc<Self>,
        own: &Own,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        id: &str,
        self_told: Option<(String, BTreeMap<String, String>)>,
        values: BTreeMap<String, String>,
    ) {
        let Some(live) = self.answers.begin(heard, false, self.clock.now()) else {
            return;
        };
        let known = self.drafts.change(id, &heard.from, |kept| {
            kept.filled = kept.draft.fill(kept.filled, &values);
        });
        match (known, self_told) {
            (Some(kept), _) if kept.filled < kept.draft.words_count() => {
                live.claim();
                let left = kept.draft.words_count() - kept.filled;
                let words = format!("That is kept. Fields left: {left}.");
                let again = kept.draft.again(&words, "Go on");
                if let Err(failure) = self.answer(&live, SAY, &again, None).await {
                    tracing::warn!(%failure, "a form could not go on");
                }
            }
            (Some(kept), _) => self.submit(own, intake, heard, &live, kept).await,
            (None, Some((path, fixed))) => {
                let submit = Incoming::Submit {
                    from: heard.from.clone(),
                    room: own.room(&heard.spot.room),
                    path,
                    fixed,
                    values: values.clone(),
                };
                self.submitted(intake, heard, &live, submit, Handed::Words(values))
                    .await;
            }
            (None, None) => self.words(&live, &with_typed(LOST, &values)).await,
        }
    }

    async fn submit(
        self: &Arc<Self>,
        own: &Own,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        live: &Arc<Live>,
        kept: Kept,
    ) {
        let submit = Incoming::Submit {
            from: heard.from.clone(),
            room: own.room(&kept.draft.room),
            path: kept.draft.form.path.clone(),
            fixed: kept.draft.form.fixed.clone(),
            values: kept.draft.values.clone(),
        };
        self.submitted(intake, heard, live, submit, Handed::Form(kept))
            .await;
    }

    async fn submitted(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        live: &Arc<Live>,
        submit: Incoming,
        what: Handed,
    ) {
        let delivery = Delivery {
            key: heard.key(),
            subject: None,
            received: self.clock.now(),
            incoming: submit,
        };
        self.handed_in(intake, heard, live, delivery, what).await;
    }
}
