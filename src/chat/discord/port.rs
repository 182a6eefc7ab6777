//! The bot's side of Discord.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answers::{First, Live, On};
use super::api::{Attached, Failure, Route, code};
use super::form::Draft;
use super::ids::{in_room, place};
use super::incoming::Own;
use super::places::{self, Spot};
use super::{DiscordChat, PLATFORM, embeds, posts, rooms};
use crate::chat::{
    Asker, Chat, Error, FileRef, Form, Found, Listening, Message, RoomSpec, Standing, Trigger, Upload, lock,
};
use crate::incident::{Identity, MessageRef, RoomRef};

/// Only the person sees it.
const EPHEMERAL: u64 = 1 << 6;
/// Kinds of first answers.
pub(super) const SAY: u8 = 4;
pub(super) const THINK: u8 = 5;
pub(super) const TAKE_NOTE: u8 = 6;
pub(super) const CHANGE: u8 = 7;
pub(super) const COMPLETE: u8 = 8;
pub(super) const MODAL: u8 = 9;
/// The first answer was given already: by us, in a call whose answer was lost.
const ANSWERED: u64 = 40060;
/// Name of a thread that we open, and days after which it folds.
const THREAD_NAME_MAX: usize = 100;
const THREAD_MINUTES: u32 = 10_080;

/// A first answer may come so late.
const FIRST_LIFE: TimeDelta = TimeDelta::milliseconds(2_500);

/// Tries at it within that time, where nobody else would try again.
const FIRST_TRIES: usize = 3;

/// The same, for what stands in the outbox: that tries again by itself, and goes on with other work until then.
const OUTBOX_TRIES: usize = 1;

fn wait(after: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX)
}

/// The channel, if it is one of this server.
fn ours<'a>(own: &Own, room: &'a RoomRef) -> Result<&'a str, Error> {
    if room.platform == PLATFORM && room.workspace == own.guild {
        Ok(&room.room)
    } else {
        Err(Error::Gone {
            why: format!("{room} is not a channel of this server"),
        })
    }
}

fn here<'a>(own: &Own, who: &'a Identity) -> Result<&'a str, Error> {
    if who.platform == PLATFORM && who.workspace == own.guild {
        Ok(&who.user)
    } else {
        Err(Error::Gone {
            why: format!("{} is not a person of this server", who.user),
        })
    }
}

impl DiscordChat {
    /// The channel between the bot and one person.
    async fn direct_channel(&self, user: &str) -> Result<String, Failure> {
        if let Some(known) = lock(&self.directs).get(user) {
            return Ok(known.clone());
        }
        let route = Route::new("POST /users/@me/channels", &[]);
        let answer = self.api.call(route, &json!({ "recipient_id": user })).await?;
        let channel = answer["id"].as_str().unwrap_or_default().to_owned();
        lock(&self.directs).insert(user.to_owned(), channel.clone());
        Ok(channel)
    }

    async fn say_directly(
        &self,
        own: &Own,
        key: &str,
        to: &Identity,
        message: &Message,
    ) -> Result<(), Error> {
        let user = here(own, to)?;
        let said = async {
            let channel = self.direct_channel(user).await?;
            self.post_once(own, key, &channel, message).await
        };
        match said.await {
            Err(failure) if failure.is(&[code::NO_DIRECT_MESSAGES]) => Err(Error::Gone {
                why: format!(
                    "{} takes no direct messages from this server: they can allow them in the server's privacy settings",
                    to.user
                ),
            }),
            said => Ok(said.map(drop)?),
        }
    }

    /// The first answer to an interaction.
    async fn first(
        &self,
        (id, token): (&str, &str),
        kind: u8,
        (data, file): (Option<&Value>, Option<Attached<'_>>),
        most: usize,
    ) -> Result<(), Failure> {
        let mut body = json!({ "type": kind });
        if let Some(data) = data {
            body["data"] = data.clone();
        }
        let begun = self.clock.now();
        let mut tries = 0;
        loop {
            tries += 1;
            let asked = self.clock.now();
            let route = Route::new("POST /interactions/{}/{}/callback", &[id, token]);
            match self.api.call_with(route, &body, file).await {
                Err(failure) if failure.is(&[ANSWERED]) => return Ok(()),
                Err(Failure::Limited { after, .. })
                    if tries < most
                        && wait(after) <= FIRST_LIFE
                        && asked + wait(after) <= begun + FIRST_LIFE =>
                {
                    self.until_or_stopped(asked + wait(after)).await;
                }
                answered => return answered.map(drop),
            }
        }
    }

    /// Gives somebody who waits an answer of this kind, or what comes nearest to it now: in the first answer, in the place of
    /// "thinking", or after what was said.
    pub(super) async fn answer(
        &self,
        live: &Live,
        kind: u8,
        data: &Value,
        file: Option<Attached<'_>>,
    ) -> Result<(), Failure> {
        self.answered(live, kind, (data, file), FIRST_TRIES).await
    }

    async fn answered(
        &self,
        live: &Live,
        kind: u8,
        answer: (&Value, Option<Attached<'_>>),
        most: usize,
    ) -> Result<(), Failure> {
        self.give(live, kind, answer, most).await?;
        live.told.send_replace(true);
        Ok(())
    }

    /// The same, for what is not the answer yet.
    pub(super) async fn put(
        &self,
        live: &Live,
        kind: u8,
        data: &Value,
        file: Option<Attached<'_>>,
    ) -> Result<(), Failure> {
        self.give(live, kind, (data, file), FIRST_TRIES).await
    }

    async fn give(
        &self,
        live: &Live,
        kind: u8,
        (data, file): (&Value, Option<Attached<'_>>),
        most: usize,
    ) -> Result<(), Failure> {
        let mut first = live.first.lock().await;
        let mut data = data.clone();
        // Who sees what is there already was settled when it came.
        let replaces = live.on == On::Form && *first == First::None || *first == First::Thinking;
        let kind = if kind == SAY && replaces { CHANGE } else { kind };
        if kind == SAY {
            data["flags"] = json!(EPHEMERAL);
        }
        match *first {
            First::None => {
                self.first((&live.id, &live.token), kind, (Some(&data), file), most)
                    .await?;
                *first = if kind == MODAL { First::Form } else { First::Said };
            }
            First::Thinking => {
                let application = &self.own().await?.application;
                let route = Route::new(
                    "PATCH /webhooks/{}/{}/messages/@original",
                    &[application, &live.token],
                );
                self.api.call_with(route, &data, file).await?;
                *first = First::Said;
            }
            First::Quiet | First::Said | First::Form => {
                let application = &self.own().await?.application;
                let route = Route::new("POST /webhooks/{}/{}", &[application, &live.token]);
                self.api.call_with(route, &data, file).await?;
            }
        }
        Ok(())
    }

    /// The first answer, while there is none: without words, or that it takes longer.
    pub(super) async fn hold(&self, live: &Live) {
        let mut first = live.first.lock().await;
        if *first != First::None {
            return;
        }
        let (kind, data, then) = match live.on {
            On::Message => (TAKE_NOTE, None, First::Quiet),
            On::Form => (TAKE_NOTE, None, First::Thinking),
            On::Nothing => (THINK, Some(json!({ "flags": EPHEMERAL })), First::Thinking),
        };
        match self
            .first((&live.id, &live.token), kind, (data.as_ref(), None), FIRST_TRIES)
            .await
        {
            Ok(()) => *first = then,
            Err(failure) => {
                tracing::warn!(%failure, "somebody could not be told that their answer takes longer")
            }
        }
    }

    /// Takes away the first answer that says "thinking".
    pub(super) async fn take_away(&self, live: &Live) -> Result<(), Failure> {
        let mut first = live.first.lock().await;
        if *first != First::Thinking {
            return Ok(());
        }
        let application = &self.own().await?.application;
        let route = Route::new(
            "DELETE /webhooks/{}/{}/messages/@original",
            &[application, &live.token],
        );
        self.api.act(route).await?;
        *first = First::Quiet;
        Ok(())
    }

    /// The choices for what somebody is typing.
    pub(super) async fn offer(&self, id: &str, token: &str, choices: &[Value]) -> Result<(), Failure> {
        let data = json!({ "choices": choices });
        self.first((id, token), COMPLETE, (Some(&data), None), FIRST_TRIES)
            .await
    }

    /// Posts below a message, in the thread that hangs on it.
    async fn thread_of(&self, channel: &str, message: &MessageRef, name: &str) -> Result<String, Failure> {
        let (at, message) = place(channel, &message.message);
        if at != channel {
            return Ok(at.to_owned());
        }
        let name: String = name.chars().take(THREAD_NAME_MAX).collect();
        let name = if name.trim().is_empty() {
            "Thread".to_owned()
        } else {
            name
        };
        let route = Route::new("POST /channels/{}/messages/{}/threads", &[channel, message]);
        let body = json!({ "name": name, "auto_archive_duration": THREAD_MINUTES });
        match self.api.call(route, &body).await {
            // A thread has the id of the message on which it hangs.
            Err(failure) if failure.is(&[code::THREAD_THERE]) => Ok(message.to_owned()),
            made => {
                let made = made?;
                self.places.learn(&made);
                Ok(made["id"].as_str().unwrap_or(message).to_owned())
            }
        }
    }

    /// What a form begins with: a modal where it has words alone, or all else was chosen, else the message with its choices.
    fn beginning(&self, own: &Own, draft: &Draft, has_chosen: bool) -> (u8, Value) {
        let modal = match draft.begins_with_choices() && !has_chosen {
            true => None,
            false => draft.modal(),
        };
        match modal {
            Some(modal) => (MODAL, modal),
            None => (SAY, self.page_of(own, draft)),
        }
    }

    /// The message of a form with its choices.
    pub(super) fn page_of(&self, own: &Own, draft: &Draft) -> Value {
        let masked = |text: &str| match self.intake.get() {
            Some(intake) => intake.masked(text),
            None => String::new(),
        };
        self.looking(own, |look| draft.page(look, &masked))
    }
}

#[async_trait]
impl Chat for DiscordChat {
    fn picks(&self) -> bool {
        true
    }

    fn platform(&self) -> &'static str {
        PLATFORM
    }

    async fn lobby(&self) -> Result<Option<RoomRef>, Error> {
        match &self.settings.announce {
            Some(channel) => Ok(Some(self.own().await?.room(channel))),
            None => Ok(None),
        }
    }

    async fn standing(&self, who: &Identity) -> Result<Standing, Error> {
        let own = self.own().await?;
        Ok(self.standing_of(own, who).await?)
    }

    async fn open_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, Error> {
        self.make_room(key, spec).await
    }

    async fn invite(&self, room: &RoomRef, people: &[Identity]) -> Result<(), Error> {
        let own = self.own().await?;
        Ok(self.bring_in(own, ours(own, room)?, people).await?)
    }

    async fn set_topic(&self, room: &RoomRef, topic: &str) -> Result<(), Error> {
        let own = self.own().await?;
        let route = Route::new("PATCH /channels/{}", &[ours(own, room)?]);
        self.api
            .call(route, &json!({ "topic": rooms::topic(topic) }))
            .await?;
        Ok(())
    }

    async fn archive(&self, room: &RoomRef) -> Result<(), Error> {
        let own = self.own().await?;
        Ok(self.close_room(own, ours(own, room)?).await?)
    }

    async fn unarchive(&self, room: &RoomRef) -> Result<(), Error> {
        let own = self.own().await?;
        self.open_again(own, ours(own, room)?).await
    }

    async fn find_post(
        &self,
        key: &str,
        room: &RoomRef,
        between: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<MessageRef>, Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        let found = self.posted_between(own, key, channel, between).await?;
        let spot = Spot {
            room: channel.to_owned(),
            thread: None,
        };
        Ok(found.map(|message| own.at(&spot, &message)))
    }

    async fn linked(&self, link: &str) -> Option<MessageRef> {
        let (guild, channel, message) = places::linked(link)?;
        let own = self.own().await.ok().filter(|own| own.guild == guild)?;
        let spot = self.places.spot(&channel).unwrap_or(Spot {
            room: channel,
            thread: None,
        });
        Some(own.at(&spot, &message))
    }

    async fn find_room(&self, typed: &str, asker: &Asker) -> Result<Found, Error> {
        self.find_channel(typed, asker).await
    }

    async fn read_back(&self, room: &RoomRef, since: DateTime<Utc>) -> Result<(), Error> {
        let own = self.own().await?;
        ours(own, room)?;
        let Some(intake) = self.intake.get() else {
            return Ok(());
        };
        let room = room.clone();
        Ok(self.read_again(own, intake, &Listening { room, since }).await?)
    }

    async fn post(
        &self,
        key: &str,
        room: &RoomRef,
        thread: Option<&MessageRef>,
        message: &Message,
    ) -> Result<MessageRef, Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        let Some(thread) = thread else {
            let id = self.post_once(own, key, channel, message).await?;
            return Ok(own.message(channel, &id));
        };
        let thread = self.thread_of(channel, thread, &message.fallback).await?;
        let id = self.post_once(own, key, &thread, message).await?;
        Ok(own.message(channel, &in_room(Some(&thread), &id)))
    }

    async fn update(&self, at: &MessageRef, message: &Message) -> Result<(), Error> {
        let own = self.own().await?;
        let (channel, id) = place(ours(own, &at.room)?, &at.message);
        Ok(self.edit(own, channel, id, message).await?)
    }

    async fn pin(&self, at: &MessageRef) -> Result<(), Error> {
        let own = self.own().await?;
        let (channel, id) = place(ours(own, &at.room)?, &at.message);
        let route = Route::new("PUT /channels/{}/messages/pins/{}", &[channel, id]);
        self.api.act(route).await?;
        Ok(())
    }

    async fn upload(&self, key: &str, room: &RoomRef, file: &Upload) -> Result<MessageRef, Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        let id = self.upload_once(own, key, channel, file).await?;
        Ok(own.message(channel, &id))
    }

    async fn read_file(&self, at: &MessageRef, file: &FileRef, most: usize) -> Result<Vec<u8>, Error> {
        ours(self.own().await?, &at.room)?;
        self.bytes_of(at, file, most).await
    }

    async fn whisper(
        &self,
        key: &str,
        room: &RoomRef,
        to: &Identity,
        message: &Message,
    ) -> Result<(), Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        let Some(live) = self.answers.place(to, channel, self.clock.now()) else {
            return self.say_directly(own, key, to, message).await;
        };
        let claimed = live.claim();
        let rendered = self.looking(own, |look| embeds::render(message, look));
        let answered = self
            .answered(
                &live,
                SAY,
                (&rendered.body(), posts::rest(&rendered)),
                OUTBOX_TRIES,
            )
            .await;
        match answered {
            Ok(()) => Ok(()),
            // Used up or run out: there is another way.
            Err(Failure::Code { .. }) => {
                self.answers.forget(&live);
                self.say_directly(own, key, to, message).await
            }
            Err(failure) => {
                if claimed {
                    live.give_back();
                }
                Err(failure.into())
            }
        }
    }

    async fn direct_room(&self, to: &Identity) -> Result<RoomRef, Error> {
        let own = self.own().await?;
        let channel = self.direct_channel(here(own, to)?).await?;
        Ok(own.room(&channel))
    }

    async fn direct(&self, key: &str, to: &Identity, message: &Message) -> Result<(), Error> {
        let own = self.own().await?;
        self.say_directly(own, key, to, message).await
    }

    async fn ask(&self, trigger: &Trigger, room: &RoomRef, to: &Identity, asked: &Form) -> Result<(), Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        let now = self.clock.now();
        let (id, token) = trigger.token.split_once('/').unwrap_or((&trigger.token, ""));
        let mut draft = Draft::new(id, channel, asked);
        let live = self.answers.of(&trigger.token, now);
        let carried = live.as_ref().and_then(|live| live.carried());
        let has_chosen = carried.is_some();
        if let Some(carried) = carried {
            draft.take_up(carried);
        }
        let (kind, body) = self.beginning(own, &draft, has_chosen);
        self.drafts.keep(draft.clone(), to, now);
        let Some(live) = live else {
            // Asked for before a restart: a form can be the first answer and no later one.
            if trigger.expires < now {
                let why = format!(
                    "the form for {} came too late; they can run the command again",
                    to.user
                );
                return Err(Error::Gone { why });
            }
            self.first((id, token), kind, (Some(&body), None), OUTBOX_TRIES)
                .await?;
            return Ok(());
        };
        live.claim();
        let is_first = *live.first.lock().await == First::None;
        let sent = if is_first || kind == SAY {
            self.answered(&live, kind, (&body, None), OUTBOX_TRIES).await
        } else {
            // No modal may follow an answer, but a button may, and a modal may follow that.
            let button = draft.again(&format!("{}: the form is ready.", asked.title), "Open the form");
            self.answered(&live, SAY, (&button, None), OUTBOX_TRIES).await
        };
        if let Err(failure @ (Failure::Limited { .. } | Failure::Unclear { .. })) = sent {
            live.give_back();
            return Err(failure.into());
        }
        Ok(sent?)
    }
}
