//! What happens to a delivery: durable first, then answered.
//!
//! Discord waits three seconds for a first answer. What is decided by then is answered at once; what is not, is announced,
//! and the words come when they are there. What could not be stored is said to be so, never passed over in silence.

use std::future::Future;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answers::{First, Live, On};
use super::carried::Carried;
use super::drafts::Kept;
use super::incoming::{self, Did, Interaction, Names, Own};
use super::port::SAY;
use super::{DiscordChat, typed};
use crate::chat::taking::{Later, Taken, not_confirmed, take};
use crate::chat::{Block, Chat, Delivery, Incoming, Intake, Message};

/// Discord's three seconds, less the way there and back: whoever has no answer by then is told that it takes longer.
const ANSWER_MAX: TimeDelta = TimeDelta::milliseconds(2_300);
/// Completions: people type on, and Discord drops what comes later.
const COMPLETE_MAX: TimeDelta = TimeDelta::milliseconds(1500);

/// What was handed in, for how its verdict is told.
pub(super) enum Handed {
    /// Typed or pressed: the words, or the form, come through the outbox, so that a crash in between loses none of them.
    Act,
    /// A form, whose verdict is told here and nowhere else, with the draft to go back into.
    Form(Kept),
    /// The same, with the draft's id and all that is known of it, where it was begun before a restart.
    Words(String, Carried),
}

/// What is left of a form whose outcome the room shows.
const IN_THE_ROOM: &str = "Done: the room shows it.";

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

    pub(super) async fn take(&self, intake: &Arc<dyn Intake>, delivery: Delivery) -> Taken {
        take(intake, &*self.clock, delivery).await
    }

    /// What comes of this within a span; `None` if it takes longer.
    pub(super) async fn within<T>(&self, span: TimeDelta, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = what => Some(done),
            () = self.clock.until(self.clock.now() + span) => None,
        }
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
            match body["guild_id"].as_str() {
                Some(guild) if guild != own.guild => tracing::debug!("an interaction from another server"),
                _ => tracing::warn!(
                    kind = body["type"].as_u64(),
                    "an interaction that this version cannot read: whoever sent it gets no answer"
                ),
            }
            return;
        };
        if let Some(standing) = heard.standing {
            self.accounts.keep(&heard.from.user, standing, now);
        }
        self.did(own, &intake, heard).await;
    }

    /// What somebody's roles in the server mean here, before what they do is decided.
    async fn meet(&self, heard: &Interaction) {
        if let Some(people) = self.people.get()
            && heard.standing.is_some()
        {
            people.seen(&heard.from, &heard.name, &heard.roles).await;
        }
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
                let Some(live) = self.answers.begin(&heard, On::Nothing, now) else {
                    return;
                };
                let command = delivery(Incoming::Command {
                    from,
                    room,
                    text,
                    trigger: Some(trigger),
                    thread: None,
                });
                self.handed_in(intake, &heard, &live, command, Handed::Act).await;
            }
            Did::Pressed { message, press } => {
                let Some(live) = self.answers.begin(&heard, On::Message, now) else {
                    return;
                };
                let press = delivery(Incoming::Press {
                    from,
                    message,
                    press,
                    trigger: Some(trigger),
                });
                self.handed_in(intake, &heard, &live, press, Handed::Act).await;
            }
            Did::Picked {
                message,
                before,
                press,
            } => {
                let Some(live) = self.answers.begin(&heard, On::Nothing, now) else {
                    return;
                };
                if let Some(before) = before
                    && !matches!(self.take(intake, before).await, Taken::Yes(_))
                {
                    return self.words(&live, &not_confirmed()).await;
                }
                let press = delivery(Incoming::Press {
                    from,
                    message,
                    press,
                    trigger: None,
                });
                self.handed_in(intake, &heard, &live, press, Handed::Act).await;
            }
            Did::Moved { .. } => self.moved(own, intake, &heard).await,
            Did::Filled { .. } => self.filled(own, intake, &heard).await,
            Did::Unknown => {
                let Some(live) = self.answers.begin(&heard, On::Nothing, now) else {
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
        let found = async {
            self.meet(heard).await;
            intake.complete(&heard.from, &room, &asked.line).await
        };
        let found = self.within(COMPLETE_MAX, found).await.unwrap_or_default();
        let choices = typed::choices(&asked, &found);
        if let Err(failure) = self.offer(&heard.id, &heard.token, &choices).await {
            tracing::debug!(%failure, "completions came too late");
        }
    }

    /// Hands a delivery in and sees to it that the person gets an answer.
    pub(super) async fn handed_in(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        heard: &Interaction,
        live: &Arc<Live>,
        delivery: Delivery,
        what: Handed,
    ) {
        let (chat, waiting) = (Arc::clone(self), Arc::clone(live));
        tokio::spawn(async move { chat.hold_if_late(&waiting).await });
        self.meet(heard).await;
        match self.take(intake, delivery).await {
            Taken::Yes(id) => self.taken(intake, live, id, what).await,
            Taken::No(why) => self.words(live, &why.to_string()).await,
            Taken::Late(later) => self.see_through(intake, live, later, what).await,
        }
    }

    /// What the first answer could not say any more, because the database was slower than Discord waits.
    async fn see_through(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        live: &Arc<Live>,
        later: Later,
        what: Handed,
    ) {
        self.meanwhile(live, &not_confirmed()).await;
        match later.await {
            Ok(Ok(id)) => self.taken(intake, live, id, what).await,
            Ok(Err(why)) => self.words(live, &why.to_string()).await,
            // It failed badly, and the log has it.
            Err(_) => {}
        }
    }

    async fn taken(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        live: &Arc<Live>,
        id: Option<u64>,
        what: Handed,
    ) {
        match id {
            Some(id) => self.await_words(intake, live, id, what).await,
            None => self.noted(live).await,
        }
    }

    async fn hold_if_late(&self, live: &Live) {
        let mut told = live.told.subscribe();
        // The sender lives in what is waited for.
        let answered = async { drop(told.wait_for(|told| *told).await) };
        if self.within(ANSWER_MAX, answered).await.is_none() {
            self.hold(live).await;
        }
    }

    async fn await_words(
        self: &Arc<Self>,
        intake: &Arc<dyn Intake>,
        live: &Arc<Live>,
        id: u64,
        what: Handed,
    ) {
        let mut verdict = intake.decided(id).await;
        if !verdict.is_confirmed() {
            self.meanwhile(live, &verdict.message.fallback).await;
        }
        // Told each time that it could not be decided; the last word is the one that counts.
        while !verdict.is_confirmed() {
            verdict = intake.decided(id).await;
        }
        match what {
            Handed::Form(kept) if !verdict.accepted => return self.mend(live, kept, &verdict).await,
            Handed::Words(draft, carried) if !verdict.accepted => {
                let masked = |text: &str| intake.masked(text);
                return self.mend_unknown(live, &draft, &carried, &verdict, &masked).await;
            }
            _ => {}
        }
        if verdict.message == Message::default() {
            self.noted(live).await;
        }
    }

    /// Words before the last ones: the outbox, or whoever knows more, still has to answer.
    async fn meanwhile(&self, live: &Live, words: &str) {
        if let Err(failure) = self.put(live, SAY, &saying(words), None).await {
            tracing::warn!(%failure, "somebody could not be told that nothing is confirmed yet");
        }
    }

    /// Words of our own for somebody who waits: where they are, or directly if that place answers no more.
    pub(super) async fn words(&self, live: &Live, words: &str) {
        live.claim();
        let Err(failure) = self.answer(live, SAY, &saying(words), None).await else {
            return;
        };
        tracing::warn!(%failure, "somebody could not be answered in place");
        let message = Message {
            fallback: words.to_owned(),
            blocks: vec![Block::Text { text: words.into() }],
        };
        let key = format!("late/{}", live.id);
        if let Err(error) = self.direct(&key, &live.who, &message).await {
            tracing::warn!(%error, "somebody could not be answered");
        }
    }

    /// Done, and the room shows it: nothing is left to be read, and nothing to be dismissed. A form says in its own place that it
    /// went through, and whoever was told that nothing is confirmed yet is told that it is.
    async fn noted(&self, live: &Live) {
        if live.on == On::Form || *live.first.lock().await == First::Said {
            return self.words(live, IN_THE_ROOM).await;
        }
        live.claim();
        self.hold(live).await;
        if live.on != On::Message
            && let Err(failure) = self.take_away(live).await
        {
            tracing::warn!(%failure, "an answer that says nothing could not be taken away");
        }
        live.told.send_replace(true);
    }
}
