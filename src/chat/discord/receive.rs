//! What happens to a delivery: durable first, then answered.
//!
//! Discord waits three seconds for a first answer. What is decided by then is answered at once; what is not, is announced,
//! and the words come when they are there. What could not be stored is said to be so, never passed over in silence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::Live;
use super::api::Route;
use super::drafts::Kept;
use super::form::Move;
use super::incoming::{self, Did, Interaction, Names, Own};
use super::places::Spot;
use super::port::{CHANGE, MODAL, SAY};
use super::{DiscordChat, typed};
use crate::chat::taking::{NOT_CONFIRMED, Taken, take};
use crate::chat::{Delivery, Incoming, Intake, Message, Verdict};

/// Discord's three seconds, less the way there and back: whoever has no answer by then is told that it takes longer.
const ANSWER_MAX: Duration = Duration::from_millis(2_300);
/// What was decided gets its words through the outbox within this time, or it was not decided but only stored.
const SAY_MAX: Duration = Duration::from_secs(2);
/// Longest wait for what is nice to know before something is taken.
const LOOK_MAX: Duration = Duration::from_millis(1000);
/// Completions: people type on, and Discord drops what comes later.
const COMPLETE_MAX: Duration = Duration::from_millis(1500);

const LOST: &str = "This form was begun before Orderly was restarted. Run the command again; nothing was lost but the choices.";

fn saying(words: &str) -> Value {
    json!({
        "content": "",
        "embeds": [{ "description": super::markdown::escaped(words) }],
        "components": [],
        "allowed_mentions": { "parse": [] },
    })
}

impl DiscordChat {
    /// Runs something with the names that this server's people and channels have.
    pub(super) fn naming<T>(&self, own: &Own, run: impl FnOnce(&Names<'_>) -> T) -> T {
        let user = |id: &str| Some(self.people.get()?.person(&own.identity(id))?.0);
        let channel = |id: &str| self.places.name(id);
        run(&Names {
            user: &user,
            channel: &channel,
        })
    }

    /// Something that a person did with the bot.
    pub(super) async fn interacted(self: Arc<Self>, body: Value) {
        let Ok(own) = self.own().await else { return };
        let Some(intake) = self.intake.get().cloned() else {
            return;
        };
        let now = self.clock.now();
        let heard = self.naming(own, |names| incoming::interaction(&body, own, names, now));
        let Some(heard) = heard else {
            tracing::debug!("an interaction from another server, or from nobody");
            return;
        };
        if let Some(standing) = heard.standing {
            self.accounts.keep(&heard.from.user, standing, now);
        }
        if let Some(people) = self.people.get()
            && heard.standing.is_some()
        {
            people.seen(&heard.from, &heard.name, &heard.roles).await;
        }
        self.did(own, &intake, heard).await;
    }

    async fn did(self: &Arc<Self>, own: &Own, intake: &Arc<dyn Intake>, heard: Interaction) {
        let now = self.clock.now();
        let (key, trigger, room) = (heard.key(), heard.trigger(now), own.room(&heard.spot.room));
        let delivery = |incoming: Incoming| Delivery {
            key: key.clone(),
            subject: None,
            received: now,
            incoming,
        };
        let from = heard.from.clone();
        match heard.did.clone() {
            Did::Typing { line, at } => self.completing(own, intake, &heard, line, at).await,
            Did::Typed(text) => {
                let Some(live) = self.answers.begin(&heard, false, now) else {
                    return;
                };
                let command = delivery(Incoming::Command {
                    from,
                    room,
                    text,
                    trigger: Some(trigger),
                    thread: None,
                });
                self.handed_in(intake, &live, command, None).await;
            }
            Did::Pressed { message, press } => {
                let Some(live) = self.answers.begin(&heard, true, now) else {
                    return;
                };
                let press = delivery(Incoming::Press {
                    from,
                    message,
                    press,
                    trigger: Some(trigger),
                });
                self.handed_in(intake, &live, press, None).await;
            }
            Did::Picked {
                message,
                before,
                press,
            } => {
                let Some(live) = self.answers.begin(&heard, false, now) else {
                    return;
                };
                if let Some(before) = before
                    && !matches!(take(intake, before).await, Taken::Yes(_))
                {
                    return self.words(&live, NOT_CONFIRMED).await;
                }
                let press = delivery(Incoming::Press {
                    from,
                    message,
                    press,
                    trigger: None,
                });
                self.handed_in(intake, &live, press, None).await;
            }
            Did::Moved { draft, what, chosen } => {
                self.moved(own, intake, &heard, (&draft, what, chosen)).await;
            }
            Did::Filled { draft, kept, values } => {
                self.filled(own, intake, &heard, &draft, kept, values).await;
            }
            Did::Unknown => {
                let Some(live) = self.answers.begin(&heard, false, now) else {
                    return;
                };
                self.words(
                    &live,
                    "This version of Orderly does not know that button. Type the command instead.",
                )
                .await;
            }
        }
    }

    async fn completing(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        line: String,
        at: usize,
    ) {
        let room = own.room(&heard.spot.room);
        let asked = typed::Asked { line, at };
        let found = intake.complete(&heard.from, &room, &asked.line);
        let found = tokio::time::timeout(COMPLETE_MAX, found)
            .await
            .unwrap_or_default();
        let choices = typed::choices(&asked, &found);
        if let Err(failure) = self.offer(&heard.id, &heard.token, &choices).await {
            tracing::debug!(%failure, "completions came too late");
        }
    }

    /// Hands a delivery in and sees to it that the person gets an answer.
    async fn handed_in(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        live: &Arc<Live>,
        delivery: Delivery,
        form: Option<Kept>,
    ) {
        let (chat, waiting) = (Arc::clone(self), Arc::clone(live));
        tokio::spawn(async move { chat.hold_if_late(&waiting).await });
        match take(intake, delivery).await {
            Taken::Yes(Some(id)) => self.await_words(intake, live, id, form).await,
            Taken::Yes(None) => self.noted(live).await,
            Taken::No(why) => self.words(live, &why.to_string()).await,
            Taken::Late => self.words(live, NOT_CONFIRMED).await,
        }
    }

    async fn hold_if_late(&self, live: &Live) {
        let mut told = live.told.subscribe();
        let in_time = tokio::time::timeout(ANSWER_MAX, told.wait_for(|told| *told));
        let late = in_time.await.is_err();
        if late {
            self.hold(live).await;
        }
    }

    async fn await_words(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        live: &Arc<Live>,
        id: u64,
        form: Option<Kept>,
    ) {
        let verdict = intake.decided(id).await;
        if let Some(kept) = form {
            if verdict.accepted {
                self.drafts.forget(&kept.draft.id);
            } else {
                return self.mend(live, kept, &verdict).await;
            }
        }
        if verdict.message == Message::default() {
            return self.noted(live).await;
        }
        if verdict.accepted {
            // The words, or the form, come through the outbox, so that a crash in between loses none of them.
            return;
        }
        let mut told = live.told.subscribe();
        let in_time = tokio::time::timeout(SAY_MAX, told.wait_for(|told| *told));
        let untold = in_time.await.is_err();
        if untold && !live.is_claimed() {
            self.words(live, &verdict.message.fallback).await;
        }
    }

    /// Words of our own for somebody who waits.
    async fn words(&self, live: &Live, words: &str) {
        live.claim();
        if let Err(failure) = self.answer(live, SAY, &saying(words), None).await {
            tracing::warn!(%failure, "somebody could not be answered");
        }
    }

    /// Done, and the room shows it: a button needs no words, a command gets one.
    async fn noted(&self, live: &Live) {
        if live.on_message {
            live.claim();
            return self.hold(live).await;
        }
        self.words(live, "Done.").await;
    }

    /// What was wrong with a form, and the way back into it with everything that was typed.
    async fn mend(&self, live: &Live, kept: Kept, verdict: &Verdict) {
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
    async fn moved(
        self: &Arc<Self>,
        own: &Own,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        (id, what, chosen): (&str, Move, Vec<String>),
    ) {
        let now = self.clock.now();
        let on_form = what != Move::On;
        let Some(live) = self.answers.begin(heard, on_form, now) else {
            return;
        };
        let kept = self.drafts.change(id, &heard.from, |kept| match &what {
            Move::Chose(field) => kept.draft.choose(field, &chosen),
            Move::Turned(field) => kept.draft.turn(field),
            Move::On => {}
        });
        let Some(kept) = kept else {
            return self.words(&live, LOST).await;
        };
        live.claim();
        let sent = match what {
            Move::Chose(_) => return self.hold(&live).await,
            Move::Turned(_) => {
                let page = self.looking(own, |look| kept.draft.page(look));
                self.answer(&live, CHANGE, &page, None).await
            }
            Move::On => match kept.draft.modal(kept.filled) {
                Some(modal) => self.answer(&live, MODAL, &modal, None).await,
                None => {
                    live.give_back();
                    return self.submit(own, intake, heard, &live, kept).await;
                }
            },
        };
        if let Err(failure) = sent {
            tracing::warn!(%failure, "a form could not go on");
        }
    }

    async fn filled(
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
                    values,
                };
                self.submitted(intake, heard, &live, submit, None).await;
            }
            (None, None) => self.words(&live, LOST).await,
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
        self.submitted(intake, heard, live, submit, Some(kept)).await;
    }

    async fn submitted(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        live: &Arc<Live>,
        submit: Incoming,
        kept: Option<Kept>,
    ) {
        let delivery = Delivery {
            key: heard.key(),
            subject: None,
            received: self.clock.now(),
            incoming: submit,
        };
        // Without a draft there is nothing to go back into; what is wrong is said all the same.
        self.handed_in(intake, live, delivery, kept).await;
    }

    /// Where something was said. A channel that Discord did not tell of is asked for once.
    pub(super) async fn spot(&self, channel: &str) -> Spot {
        if let Some(known) = self.places.spot(channel) {
            return known;
        }
        let asked = self.api.get(Route::new("GET /channels/{}", &[channel])).await;
        let found = asked.ok().and_then(|channel| self.places.learn(&channel));
        found.unwrap_or(Spot {
            room: channel.to_owned(),
            thread: None,
        })
    }

    /// An event of the gateway. Whether it was taken: if not, it is asked for again.
    pub(super) async fn happened(self: &Arc<Self>, kind: &str, body: &Value, key: &str) -> bool {
        let Ok(own) = self.own().await else { return false };
        let Some(intake) = self.intake.get() else {
            return false;
        };
        match kind {
            "GUILD_CREATE" => {
                for list in ["channels", "threads"] {
                    self.learn_all(&body[list]);
                }
                return true;
            }
            "THREAD_LIST_SYNC" => {
                self.learn_all(&body["threads"]);
                return true;
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => {
                self.places.learn(body);
                return true;
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => {
                self.places.forget(body["id"].as_str().unwrap_or_default());
                return true;
            }
            _ => {}
        }
        let (Some(channel), true) = (
            body["channel_id"].as_str(),
            body["guild_id"].as_str() == Some(&own.guild),
        ) else {
            return true;
        };
        let spot = self.spot(channel).await;
        let deliveries = match kind {
            "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => {
                self.reactions(own, &spot, kind, body, key).await
            }
            "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI" => {
                self.all_reactions_gone(own, &spot, body, key)
            }
            _ => self.messages(own, &spot, kind, body),
        };
        for delivery in deliveries {
            if !matches!(take(intake, delivery).await, Taken::Yes(_)) {
                return false;
            }
        }
        true
    }

    fn learn_all(&self, channels: &Value) {
        for channel in channels.as_array().into_iter().flatten() {
            self.places.learn(channel);
        }
    }

    fn messages(&self, own: &Own, spot: &Spot, kind: &str, body: &Value) -> Vec<Delivery> {
        let now = self.clock.now();
        let gone = |id: &str| {
            let ours = self
                .posts
                .is_ours(spot.thread.as_deref().unwrap_or(&spot.room), id);
            (!ours).then(|| incoming::deleted(id, spot, own, now))
        };
        self.naming(own, |names| match kind {
            "MESSAGE_CREATE" => incoming::written(body, spot, own, names, now)
                .into_iter()
                .collect(),
            "MESSAGE_UPDATE" => incoming::edited(body, spot, own, names, now)
                .into_iter()
                .collect(),
            "MESSAGE_DELETE" => body["id"].as_str().and_then(gone).into_iter().collect(),
            "MESSAGE_DELETE_BULK" => {
                let ids = body["ids"].as_array().into_iter().flatten();
                ids.filter_map(Value::as_str).filter_map(gone).collect()
            }
            _ => Vec::new(),
        })
    }

    /// A reaction, after the message that it marks: that may be a reply in a thread, or older than the bot in this channel.
    async fn reactions(&self, own: &Own, spot: &Spot, kind: &str, body: &Value, key: &str) -> Vec<Delivery> {
        let (Some(user), Some(message), Some(emoji)) = (
            body["user_id"].as_str().filter(|user| *user != own.user),
            body["message_id"].as_str(),
            own.mark(&body["emoji"]),
        ) else {
            return Vec::new();
        };
        if !own.marks.contains(&emoji) {
            return Vec::new();
        }
        let present = kind == "MESSAGE_REACTION_ADD";
        let mut all = Vec::new();
        if present {
            let asked = self.message_at(own, spot, message);
            all.extend(tokio::time::timeout(LOOK_MAX, asked).await.ok().flatten());
        }
        let now = self.clock.now();
        let stamp = (key.to_owned(), now);
        self.marks.told(message, &emoji, user, present);
        all.push(incoming::reacted(user, message, emoji, present, spot, own, stamp));
        all
    }

    /// Somebody took all marks off a message, or all of one emoji.
    fn all_reactions_gone(&self, own: &Own, spot: &Spot, body: &Value, key: &str) -> Vec<Delivery> {
        let Some(message) = body["message_id"].as_str() else {
            return Vec::new();
        };
        let emoji = own.mark(&body["emoji"]);
        let gone = self.marks.on(message, emoji.as_deref()).into_iter();
        gone.map(|(emoji, user)| {
            self.marks.told(message, &emoji, &user, false);
            let stamp = (format!("{key}:{user}:{emoji}"), self.clock.now());
            incoming::reacted(&user, message, emoji, false, spot, own, stamp)
        })
        .collect()
    }
}
