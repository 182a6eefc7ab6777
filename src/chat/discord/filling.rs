//! Forms while somebody fills them in: choices, words, what was wrong, and forms that were begun before a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::{Live, On};
use super::carried::Carried;
use super::drafts::Kept;
use super::embeds::spoken;
use super::form::{Move, again};
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
fn with_typed(words: &str, typed: &BTreeMap<String, String>) -> String {
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

/// What was typed, as it may be said and kept.
fn masked(intake: &Arc<dyn Intake>, typed: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let typed = typed.iter();
    typed
        .map(|(field, value)| (field.clone(), intake.masked(value)))
        .collect()
}

impl DiscordChat {
    /// What was wrong with a form, and the way back into it with everything that was typed.
    pub(super) async fn mend(&self, live: &Live, kept: Kept, verdict: &Verdict) {
        let draft = &kept.draft;
        let field = verdict.field.as_deref().and_then(|field| draft.label(field));
        let words = match field {
            Some(label) => format!("{label}: {}", spoken(&verdict.message)),
            None => spoken(&verdict.message),
        };
        let wrong = self
            .drafts
            .change(&draft.id, &kept.who, |kept| kept.draft.is_wrong(&words));
        let (Some(kept), Ok(own)) = (wrong, self.own().await) else {
            return self.words(live, &words).await;
        };
        live.claim();
        let page = self.page_of(own, &kept.draft);
        if let Err(failure) = self.answer(live, SAY, &page, None).await {
            tracing::warn!(%failure, "somebody could not be told what is wrong with a form");
        }
    }

    /// The same of a form that was begun before a restart, as far as it is known.
    pub(super) async fn mend_unknown(
        &self,
        live: &Live,
        draft: &str,
        carried: &Carried,
        verdict: &Verdict,
        masked: &(dyn Fn(&str) -> String + Sync),
    ) {
        let words = &spoken(&verdict.message);
        let Some(message) = carried.mending(words, draft, masked) else {
            let typed = carried.values.iter();
            let typed = typed.map(|(field, value)| (field.clone(), masked(value)));
            return self.words(live, &with_typed(words, &typed.collect())).await;
        };
        live.claim();
        if let Err(failure) = self.answer(live, SAY, &message, None).await {
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
        let Some(live) = self.answers.begin(heard, On::Form, self.clock.now()) else {
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
                let page = self.page_of(own, &kept.draft);
                self.answer(&live, CHANGE, &page, None).await
            }
            Move::On => match kept.draft.modal() {
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
            page,
        } = &heard.did
        else {
            return;
        };
        let Some(carried) = Carried::on(page, draft) else {
            return self.words(live, LOST).await;
        };
        if *what != Move::On {
            live.claim();
            let page = page::changed(&page["components"], draft, what, chosen);
            if let Err(failure) = self.answer(live, CHANGE, &page, None).await {
                tracing::warn!(%failure, "a form could not go on");
            }
            return;
        }
        live.goes_on_from(carried.clone());
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
                    fixed: carried.fixed,
                },
                trigger: Some(heard.trigger(now)),
            },
        };
        self.handed_in(intake, heard, live, asked, Handed::Act).await;
    }

    /// The words of a modal.
    pub(super) async fn filled(self: &Arc<Self>, own: &Own, intake: &Arc<dyn Intake>, heard: &Interaction) {
        let Did::Filled {
            draft,
            carried,
            asked,
            values,
            on_form,
        } = &heard.did
        else {
            return;
        };
        let on = if *on_form { On::Form } else { On::Nothing };
        let Some(live) = self.answers.begin(heard, on, self.clock.now()) else {
            return;
        };
        let known = self
            .drafts
            .change(draft, &heard.from, |kept| kept.draft.fill(asked, values));
        match (known, carried.clone()) {
            (Some(kept), _) if kept.draft.words_left() > 0 => {
                self.half_filled(intake, &live, draft, &kept.draft.carried())
                    .await;
            }
            (Some(kept), _) => self.submit(own, intake, heard, &live, kept).await,
            (None, Some(mut carried)) => {
                carried.take(asked, values);
                if carried.left > 0 {
                    return self.half_filled(intake, &live, draft, &carried).await;
                }
                let submit = Incoming::Submit {
                    from: heard.from.clone(),
                    room: own.room(&heard.spot.room),
                    path: carried.path.clone(),
                    fixed: carried.fixed.clone(),
                    values: carried.values.clone(),
                };
                let words = Handed::Words(draft.clone(), carried);
                self.submitted(intake, heard, &live, submit, words).await;
            }
            (None, None) => {
                let words = with_typed(LOST, &masked(intake, values));
                self.words(&live, &words).await;
            }
        }
    }

    /// There are more words than a modal holds, and none may follow a modal: a message comes between, and holds what was typed.
    async fn half_filled(&self, intake: &Arc<dyn Intake>, live: &Live, draft: &str, carried: &Carried) {
        live.claim();
        let words = format!("That is kept. Fields left: {}.", carried.left);
        let between = carried.between(&words, draft, &|text| intake.masked(text));
        let message = between.unwrap_or_else(|| again(draft, &words, "Go on"));
        if let Err(failure) = self.answer(live, SAY, &message, None).await {
            tracing::warn!(%failure, "a form could not go on");
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
        let key = match &what {
            Handed::Form(kept) => self.drafts.sent_as(&kept.draft.id, heard.key()),
            Handed::Words(..) | Handed::Act => heard.key(),
        };
        let delivery = Delivery {
            key,
            subject: None,
            received: self.clock.now(),
            incoming: submit,
        };
        self.handed_in(intake, heard, live, delivery, what).await;
    }
}
