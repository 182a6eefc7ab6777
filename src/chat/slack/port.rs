//! The bot's side of Slack.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::api::Failure;
use super::incoming::{Own, TRIGGER_LIFE};
use super::posts::{OnItsWay, Uploaded};
use super::views::Opened;
use super::{PLATFORM, SlackChat, blocks, form, lock, messages, rooms};
use crate::chat::{
    Asker, Chat, Error, FileRef, Form, Found, Listening, Member, Message, RoomSpec, Standing, Trigger, Upload,
};
use crate::incident::{Identity, MessageRef, RoomRef};

/// Largest file that is posted: more than any export, less than what a call has time for.
const FILE_MAX: usize = 64 << 20;

/// Messages in which one answer to one person comes; whoever wants more reads the post-mortem.
const PARTS_MAX: usize = 5;

/// Where one person is shown something: in a channel, or in a thread of it.
struct Place<'a> {
    channel: &'a str,
    thread: Option<&'a str>,
}

/// Codes that say: this channel shows nothing to that person.
const NOT_THERE: &[&str] = &[
    "user_not_in_channel",
    "not_in_channel",
    "channel_not_found",
    "is_archived",
    "channel_type_not_supported",
];

/// The channel, if it is one of this workspace.
fn ours<'a>(own: &Own, room: &'a RoomRef) -> Result<&'a str, Error> {
    if room.platform == PLATFORM && room.workspace == own.team {
        Ok(&room.room)
    } else {
        Err(Error::Gone {
            why: format!("{room} is not a channel of this workspace"),
        })
    }
}

/// Slack may set a slash at the end.
fn same(link: &str, other: &str) -> bool {
    link.trim_end_matches('/') == other.trim_end_matches('/')
}

fn here<'a>(own: &Own, who: &'a Identity) -> Result<&'a str, Error> {
    if who.platform == PLATFORM && who.workspace == own.team {
        Ok(&who.user)
    } else {
        Err(Error::Gone {
            why: format!("{} is not a person of this workspace", who.user),
        })
    }
}

/// A channel id of a person, where a room is meant: they are spoken to directly.
fn is_user(room: &str) -> bool {
    room.starts_with(['U', 'W'])
}

impl SlackChat {
    /// The channel between the bot and one person.
    async fn direct_channel(&self, user: &str) -> Result<String, Failure> {
        if let Some(known) = lock(&self.directs).get(user) {
            return Ok(known.clone());
        }
        let answer = self
            .api
            .call("conversations.open", &json!({ "users": user }))
            .await?;
        let channel = answer["channel"]["id"].as_str().unwrap_or_default().to_owned();
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
        let channel = self.direct_channel(here(own, to)?).await?;
        self.post_once(own, key, &channel, None, message).await?;
        Ok(())
    }

    /// What only one person sees, in as many messages as it needs.
    fn parts(&self, own: &Own, message: &Message) -> Vec<blocks::Rendered> {
        let mut parts = Vec::new();
        let mut left = Some(message.clone());
        while let Some(message) = left {
            let rest = match parts.len() + 1 < PARTS_MAX {
                true => blocks::Rest::Follows,
                false => blocks::Rest::Dropped,
            };
            let mut rendered = self.looking(own, |look| blocks::render(&message, look, rest));
            left = rendered.rest.take().filter(|_| rest == blocks::Rest::Follows);
            parts.push(rendered);
        }
        parts
    }

    /// Shows the parts to one person that an earlier try did not; directly, where they are not in the channel.
    async fn show_all(
        &self,
        own: &Own,
        key: &str,
        place: &Place<'_>,
        (to, message): (&Identity, &Message),
        parts: &[blocks::Rendered],
    ) -> Result<(), Error> {
        loop {
            let shown = lock(&self.shown).get(key).copied().unwrap_or_default();
            let Some(part) = parts.get(shown) else { break };
            match self.show_to(place, to, part).await {
                Ok(()) => {
                    lock(&self.shown).insert(key.to_owned(), shown + 1);
                }
                Err(failure) if shown == 0 && failure.is(NOT_THERE) => {
                    return self.say_directly(own, key, to, message).await;
                }
                Err(failure) if shown == 0 || failure.passes() => return Err(failure.into()),
                // The beginning stands there; where nothing can follow it, that is not shown again.
                Err(failure) => {
                    tracing::warn!(%failure, "the rest of a long answer could not be shown");
                    break;
                }
            }
        }
        lock(&self.shown).remove(key);
        Ok(())
    }

    async fn show_to(
        &self,
        place: &Place<'_>,
        to: &Identity,
        rendered: &blocks::Rendered,
    ) -> Result<(), Failure> {
        let mut body = json!({
            "channel": place.channel,
            "user": to.user,
            "text": rendered.text,
            "blocks": rendered.blocks,
        });
        if let Some(thread) = place.thread {
            body["thread_ts"] = json!(thread);
        }
        self.api.call("chat.postEphemeral", &body).await?;
        Ok(())
    }

    /// The bytes of a file, sent to Slack and not shown anywhere yet. A later try goes on from here.
    async fn sent(&self, key: &str, file: &Upload) -> Result<String, Failure> {
        if let Some(OnItsWay::Sent { id }) = lock(&self.files).get(key) {
            return Ok(id.clone());
        }
        let arguments = [
            ("filename", file.name.clone()),
            ("length", file.bytes.len().to_string()),
        ];
        let place = self.api.get("files.getUploadURLExternal", &arguments).await?;
        let url = place["upload_url"].as_str().unwrap_or_default();
        self.api.put_file(url, &file.media_type, &file.bytes).await?;
        let id = place["file_id"].as_str().unwrap_or_default().to_owned();
        lock(&self.files).insert(key.to_owned(), OnItsWay::Sent { id: id.clone() });
        Ok(id)
    }

    /// Links a file that stands in a channel at the top of it, once. Slack adds the same link twice without a word, so one that
    /// may have been `tried` is looked for first.
    async fn link(&self, channel: &str, title: &str, link: &str, tried: bool) -> Result<(), Failure> {
        if tried && self.is_linked(channel, link).await? {
            return Ok(());
        }
        let body = json!({ "channel_id": channel, "title": title, "type": "link", "link": link });
        match self.api.call("bookmarks.add", &body).await {
            Err(failure @ Failure::Code { .. }) => {
                tracing::warn!(%failure, "the file is posted, and not linked at the top of the channel");
                Ok(())
            }
            added => added.map(drop),
        }
    }

    /// Whether a link stands at the top of a channel; where that cannot be read, it is taken for true: one is the likelier.
    pub(super) async fn is_linked(&self, channel: &str, link: &str) -> Result<bool, Failure> {
        let arguments = [("channel_id", channel.to_owned())];
        match self.api.get("bookmarks.list", &arguments).await {
            Err(failure @ Failure::Code { .. }) => {
                tracing::warn!(%failure, "what is linked at the top of a channel cannot be read");
                Ok(true)
            }
            listed => {
                let listed = listed?;
                let mut links = listed["bookmarks"].as_array().into_iter().flatten();
                Ok(links.any(|bookmark| bookmark["link"].as_str().is_some_and(|known| same(known, link))))
            }
        }
    }

    async fn put(&self, own: &Own, key: &str, channel: &str, file: &Upload) -> Result<Uploaded, Failure> {
        let body = json!({
            "files": [{ "id": self.sent(key, file).await?, "title": file.name }],
            "channel_id": channel,
            "initial_comment": super::rich::escaped(&file.comment),
        });
        let done = self.api.call("files.completeUploadExternal", &body).await?;
        let link = done["files"][0]["permalink"].as_str().map(str::to_owned);
        lock(&self.files).insert(key.to_owned(), OnItsWay::Posted { link: link.clone() });
        // Slack shares it a moment later; whoever wants its message finds it by what it says.
        let there = self.uploaded(own, channel, &file.name, &file.comment).await;
        Ok(Uploaded {
            ts: there.ok().flatten().map(|there| there.ts).unwrap_or_default(),
            link,
        })
    }

    /// A file that an earlier try posted: as its channel shows it, or as Slack said, which shares it a moment later.
    async fn posted_file(
        &self,
        own: &Own,
        key: &str,
        channel: &str,
        file: &Upload,
    ) -> Result<Option<Uploaded>, Failure> {
        let there = self.uploaded(own, channel, &file.name, &file.comment).await?;
        let known = || match lock(&self.files).get(key) {
            Some(OnItsWay::Posted { link }) => Some(Uploaded {
                ts: String::new(),
                link: link.clone(),
            }),
            _ => None,
        };
        Ok(there.or_else(known))
    }
}

#[async_trait]
impl Chat for SlackChat {
    fn follows(&self) -> bool {
        false
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

    async fn members(&self, group: &str) -> Result<Vec<Member>, Error> {
        self.members_of(group).await
    }

    async fn open_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, Error> {
        self.make_room(key, spec).await
    }

    async fn furnish(&self, room: &RoomRef, spec: &RoomSpec) -> Result<(), Error> {
        let own = self.own().await?;
        Ok(self.fit_out(own, ours(own, room)?, spec).await?)
    }

    async fn invite(&self, room: &RoomRef, people: &[Identity]) -> Result<(), Error> {
        let own = self.own().await?;
        Ok(self.bring_in(own, ours(own, room)?, people).await?)
    }

    async fn set_topic(&self, room: &RoomRef, topic: &str) -> Result<(), Error> {
        let own = self.own().await?;
        let body = json!({ "channel": ours(own, room)?, "topic": rooms::topic(topic) });
        self.api.call("conversations.setTopic", &body).await?;
        Ok(())
    }

    async fn archive(&self, room: &RoomRef) -> Result<(), Error> {
        let own = self.own().await?;
        let body = json!({ "channel": ours(own, room)? });
        match self.api.call("conversations.archive", &body).await {
            Err(failure) if !failure.is(&["already_archived"]) => Err(failure.into()),
            _ => Ok(()),
        }
    }

    async fn unarchive(&self, room: &RoomRef) -> Result<(), Error> {
        let own = self.own().await?;
        self.open_again(ours(own, room)?).await
    }

    async fn stands(&self, room: &RoomRef) -> Result<(), Error> {
        let own = self.own().await?;
        self.still_there(ours(own, room)?).await
    }

    async fn find_post(
        &self,
        key: &str,
        room: &RoomRef,
        between: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<MessageRef>, Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        let found = self.posted_between(key, channel, between).await?;
        Ok(found.map(|ts| own.message(channel, &ts)))
    }

    async fn linked(&self, link: &str) -> Option<MessageRef> {
        let (channel, ts) = messages::linked(link)?;
        Some(self.own().await.ok()?.message(&channel, &ts))
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
        self.read_again(own, intake, &Listening { room, since }).await?;
        Ok(())
    }

    async fn post(
        &self,
        key: &str,
        room: &RoomRef,
        thread: Option<&MessageRef>,
        message: &Message,
    ) -> Result<MessageRef, Error> {
        let own = self.own().await?;
        let channel = match ours(own, room)? {
            user if is_user(user) => self.direct_channel(user).await?,
            channel => channel.to_owned(),
        };
        let thread = thread.map(|thread| thread.message.as_str());
        let ts = self.post_once(own, key, &channel, thread, message).await?;
        Ok(own.message(&channel, &ts))
    }

    async fn update(&self, at: &MessageRef, message: &Message) -> Result<(), Error> {
        let own = self.own().await?;
        let rendered = self.looking(own, |look| blocks::render(message, look, blocks::Rest::Dropped));
        Ok(self.edit(ours(own, &at.room)?, &at.message, &rendered).await?)
    }

    async fn reword(&self, at: &MessageRef, message: &Message) -> Result<(), Error> {
        let own = self.own().await?;
        let channel = ours(own, &at.room)?;
        Ok(self.post_anew(own, channel, &at.message, message).await?)
    }

    async fn pin(&self, at: &MessageRef) -> Result<(), Error> {
        let own = self.own().await?;
        let body = json!({ "channel": ours(own, &at.room)?, "timestamp": at.message });
        match self.api.call("pins.add", &body).await {
            Err(failure) if !failure.is(&["already_pinned"]) => Err(failure.into()),
            _ => Ok(()),
        }
    }

    async fn upload(&self, key: &str, room: &RoomRef, file: &Upload) -> Result<MessageRef, Error> {
        let own = self.own().await?;
        let channel = ours(own, room)?;
        if file.bytes.len() > FILE_MAX {
            return Err(Error::Gone {
                why: format!(
                    "{} is larger than the {FILE_MAX} bytes a file may have",
                    file.name
                ),
            });
        }
        let there = self.posted_file(own, key, channel, file).await?;
        let tried = there.is_some();
        let posted = match there {
            Some(there) => there,
            None => self.put(own, key, channel, file).await?,
        };
        if let Some(link) = &posted.link {
            self.link(channel, &file.name, link, tried).await?;
        }
        lock(&self.files).remove(key);
        Ok(own.message(channel, &posted.ts))
    }

    async fn read_file(&self, at: &MessageRef, file: &FileRef, most: usize) -> Result<Vec<u8>, Error> {
        ours(self.own().await?, &at.room)?;
        self.bytes_of(file, most).await
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
        if is_user(channel) {
            return self.say_directly(own, key, to, message).await;
        }
        let place = Place {
            channel,
            thread: None,
        };
        let parts = self.parts(own, message);
        if let Some(first) = parts.first()
            && !lock(&self.shown).contains_key(key)
            && let Some(url) = self.replies.take(to, channel, self.clock.now())
        {
            let body = json!({
                "response_type": "ephemeral",
                "replace_original": false,
                "text": first.text,
                "blocks": first.blocks,
            });
            match self.api.reply(&url, &body).await {
                // Used up or run out: there is another way.
                Err(failure) if !failure.is_lost() => {
                    tracing::debug!(%failure, "an answer is shown another way");
                }
                // Where only Slack's word of it was lost, it would be shown twice.
                _ => {
                    lock(&self.shown).insert(key.to_owned(), 1);
                }
            }
        }
        self.show_all(own, key, &place, (to, message), &parts).await
    }

    async fn whisper_below(
        &self,
        key: &str,
        thread: &MessageRef,
        to: &Identity,
        message: &Message,
    ) -> Result<(), Error> {
        let own = self.own().await?;
        let place = Place {
            channel: ours(own, &thread.room)?,
            thread: Some(&thread.message),
        };
        let parts = self.parts(own, message);
        self.show_all(own, key, &place, (to, message), &parts).await
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
        let view = self
            .looking(own, |look| form::view(asked, channel, look))
            .map_err(|why| Error::Gone { why })?;
        let expires = match self.views.opened(&trigger.token).await {
            Opened::View(open) => {
                let body = json!({ "view_id": open, "view": view });
                return match self.api.call("views.update", &body).await {
                    // Whoever asked has closed it.
                    Err(failure) if failure.is(&["not_found"]) => Ok(()),
                    updated => Ok(updated.map(drop)?),
                };
            }
            // With a view the trigger would have lasted; as it is, it lives as long as Slack says.
            Opened::InVain(begun) => begun + TRIGGER_LIFE,
            Opened::Never => trigger.expires,
        };
        let left = expires - self.clock.now();
        let too_late = || Error::Gone {
            why: format!(
                "the form for {} came too late; they can run the command again",
                to.user
            ),
        };
        if left < TimeDelta::zero() {
            return Err(too_late());
        }
        let body = json!({ "trigger_id": trigger.token, "view": view });
        match self.api.call("views.open", &body).await {
            Err(Failure::Limited { after, .. }) if left.to_std().is_ok_and(|left| left < after) => {
                Err(too_late())
            }
            opened => Ok(opened.map(drop)?),
        }
    }
}
