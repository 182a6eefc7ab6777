//! Making the room of an incident: named within Slack's rules, found again when a crash left it half made.

use serde_json::{Value, json};

use super::api::{Failure, next_cursor};
use super::incoming::Own;
use super::rich::escaped;
use super::{PLATFORM, SlackChat, lock, posts};
use crate::chat::{Asker, Error, Found, RoomSpec};
use crate::incident::{Identity, RoomRef};
use crate::text::cut;

/// Longest name of a channel.
const NAME_MAX: usize = 80;
/// A topic, and a purpose.
const TOPIC_MAX: usize = 250;
/// Other names tried where one is taken; somebody who has that many has another problem.
const SUFFIXES: u32 = 9;
/// Channels on one page of the list, and members on one of a channel's; Slack recommends no more.
const PAGE: usize = 200;
/// People invited in one call: Slack takes no more.
const INVITED_AT_ONCE: usize = 1_000;
/// Channels whose bookmark is known of; asked again only while their room is being fitted out.
const BOOKMARKED_MAX: usize = 1_000;
/// What a channel is for.
const PURPOSE: &str = "The room of an incident. Orderly keeps its card and its journal.";
/// Pages looked through for one of the bot's channels, or for somebody in one: ten thousand.
const PAGES_MAX: usize = 50;

/// A name as Slack takes it: small letters, digits, dashes. The config's own rules see to most of it.
pub fn channel_name(wanted: &str, suffix: u32) -> String {
    let kept = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '-' || c == '_' => c,
        _ => '-',
    };
    let tail = if suffix < 2 {
        String::new()
    } else {
        format!("-{suffix}")
    };
    let name: String = wanted.chars().map(kept).take(NAME_MAX - tail.len()).collect();
    let name = name.trim_matches('-');
    format!("{}{tail}", if name.is_empty() { "incident" } else { name })
}

/// A topic is read as mrkdwn, and mentions in it would fire.
pub fn topic(text: &str) -> String {
    let mut most = TOPIC_MAX;
    loop {
        let shown = escaped(&cut(text, most, "…").shown);
        if shown.chars().count() <= TOPIC_MAX || most == 0 {
            return shown;
        }
        most /= 2;
    }
}

impl SlackChat {
    /// The channel alone: the first prompt waits for it.
    pub(super) async fn make_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, Error> {
        let own = self.own().await?;
        let channel = self.channel_for(own, key, spec).await?;
        Ok(own.room(&channel))
    }

    /// People, purpose and bookmark, side by side: none of these needs another.
    pub(super) async fn fit_out(&self, own: &Own, channel: &str, spec: &RoomSpec) -> Result<(), Failure> {
        let purpose = json!({ "channel": channel, "purpose": topic(PURPOSE) });
        let (invited, purpose, bookmark) = tokio::join!(
            self.bring_in(own, channel, &spec.invite),
            self.tolerated("conversations.setPurpose", purpose),
            self.bookmark(channel),
        );
        // One that is limited is done again, and so are the others, which change nothing the second time.
        invited.and(purpose).and(bookmark)
    }

    /// Creates the channel, or finds the one that an earlier try created and did not get to tell of.
    async fn channel_for(&self, own: &Own, key: &str, spec: &RoomSpec) -> Result<String, Failure> {
        for suffix in 1..=SUFFIXES {
            let name = channel_name(&spec.name, suffix);
            let body = json!({ "name": name, "is_private": spec.private });
            match self.api.call("conversations.create", &body).await {
                Ok(answer) => {
                    let channel = answer["channel"]["id"].as_str().unwrap_or_default().to_owned();
                    self.posts.fresh(&channel);
                    self.knows_bookmark(&channel, false);
                    return Ok(channel);
                }
                Err(failure) if failure.is(&["name_taken"]) => {
                    if let Some(channel) = self.half_made(own, &name, key).await? {
                        return Ok(channel);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Code {
            method: "conversations.create".to_owned(),
            code: "name_taken".to_owned(),
            detail: Some(format!("{} and eight more like it", spec.name)),
        })
    }

    /// A channel with exactly this name that we made and never used, but for this incident's first prompt. One we did use
    /// is another incident's.
    async fn half_made(&self, own: &Own, name: &str, key: &str) -> Result<Option<String>, Failure> {
        let Some(found) = self.own_channel(name, false).await? else {
            return Ok(None);
        };
        let ours = found["creator"] == own.user.as_str();
        let Some(id) = found["id"].as_str().filter(|_| ours) else {
            return Ok(None);
        };
        let arguments = [
            ("channel", id.to_owned()),
            ("limit", PAGE.to_string()),
            ("include_all_metadata", "true".to_owned()),
        ];
        let history = self.api.get("conversations.history", &arguments).await?;
        let begun = format!("{}/prompt:", key.split('/').next().unwrap_or(key));
        // One with more than a page was used, whatever the page says.
        let unused = next_cursor(&history).is_none() && posts::only_ours_begin(&history, &begun);
        Ok(unused.then(|| id.to_owned()))
    }

    /// Takes the archiving back. Slack lets a bot do that only where it is still in the channel afterwards.
    pub(super) async fn open_again(&self, channel: &str) -> Result<(), Error> {
        match self
            .api
            .call("conversations.unarchive", &json!({ "channel": channel }))
            .await
        {
            Err(failure) if !failure.is(&["not_archived"]) => return Err(failure.into()),
            _ => {}
        }
        let arguments = [("channel", channel.to_owned())];
        let info = self.api.get("conversations.info", &arguments).await?;
        match info["channel"]["is_member"] == true {
            true => Ok(()),
            false => Err(Error::Gone {
                why: "Slack took the bot out of the channel when it was archived".to_owned(),
            }),
        }
    }

    /// A channel by its id, or by its name if the bot is in it. A private one is there for its members alone.
    pub(super) async fn find_channel(&self, typed: &str, asker: &Asker) -> Result<Found, Error> {
        let own = self.own().await?;
        let name = typed.trim_matches(['<', '>', '#']);
        let is_id = name.starts_with(['C', 'G'])
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let channel = match is_id {
            true => self.channel_by_id(name).await?,
            false => self.own_channel(name, true).await?,
        };
        let not_there = || Error::Gone {
            why: format!(
                "Orderly sees no channel {typed}. Invite it there first, with its name in that channel"
            ),
        };
        let Some(channel) = channel.filter(|channel| channel["is_im"] != true && channel["is_mpim"] != true)
        else {
            return Err(not_there());
        };
        let id = channel["id"].as_str().unwrap_or_default();
        let found = Found {
            room: own.room(id),
            name: format!("#{}", channel["name"].as_str().unwrap_or(name)),
            readable: channel["is_private"] != true,
            joined: channel["is_member"] == true,
            archived: channel["is_archived"] == true,
        };
        let reads = found.readable || asker.reads.contains(&found.room);
        match reads || self.has_member(id, &asker.who).await? {
            true => Ok(found),
            false => Err(not_there()),
        }
    }

    /// Whether one of these accounts is in a channel.
    async fn has_member(&self, channel: &str, who: &[Identity]) -> Result<bool, Failure> {
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut arguments = vec![("channel", channel.to_owned()), ("limit", PAGE.to_string())];
            if !cursor.is_empty() {
                arguments.push(("cursor", cursor));
            }
            let page = self.api.get("conversations.members", &arguments).await?;
            let mut members = page["members"].as_array().into_iter().flatten();
            if members.any(|member| who.iter().any(|who| *member == *who.user)) {
                return Ok(true);
            }
            let Some(next) = next_cursor(&page) else {
                break;
            };
            cursor = next;
        }
        Ok(false)
    }

    async fn channel_by_id(&self, id: &str) -> Result<Option<Value>, Failure> {
        match self
            .api
            .get("conversations.info", &[("channel", id.to_owned())])
            .await
        {
            Ok(answer) => Ok(Some(answer["channel"].clone())),
            Err(failure) if failure.is(&["channel_not_found"]) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Whether a channel can still be spoken in. Where Slack will not say, it can; where it does not answer, nobody knows.
    pub(super) async fn still_there(&self, channel: &str) -> Result<(), Error> {
        let why = match self.channel_by_id(channel).await {
            Ok(None) => "Slack has the channel no more, or took the bot out of it",
            Ok(Some(channel)) if channel["is_archived"] == true => "somebody archived the channel",
            Ok(Some(channel)) if channel["is_member"] == false => "somebody took the bot out of the channel",
            Ok(Some(_)) | Err(Failure::Code { .. }) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        Err(Error::Gone { why: why.to_owned() })
    }

    /// Only among the bot's own, those it made among them: Slack lets nobody go through every channel of a large workspace
    /// in one minute, and each try would begin at the first.
    async fn own_channel(&self, name: &str, archived: bool) -> Result<Option<Value>, Failure> {
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut arguments = vec![
                ("types", "public_channel,private_channel".to_owned()),
                ("exclude_archived", (!archived).to_string()),
                ("limit", PAGE.to_string()),
            ];
            if !cursor.is_empty() {
                arguments.push(("cursor", cursor));
            }
            let page = self.api.get("users.conversations", &arguments).await?;
            let mut channels = page["channels"].as_array().into_iter().flatten();
            if let Some(found) = channels.find(|channel| channel["name"] == name) {
                // The list does not say whether we are in it; that we are is why it is listed.
                let mut found = found.clone();
                found["is_member"] = true.into();
                return Ok(Some(found));
            }
            let Some(next) = next_cursor(&page) else {
                break;
            };
            cursor = next;
        }
        Ok(None)
    }

    /// Invites all at once; whom Slack does not let in does not keep the others out.
    pub(super) async fn bring_in(
        &self,
        own: &Own,
        channel: &str,
        people: &[Identity],
    ) -> Result<(), Failure> {
        let ours = |who: &&Identity| who.platform == PLATFORM && who.workspace == own.team;
        let users: Vec<&str> = people.iter().filter(ours).map(|who| who.user.as_str()).collect();
        for users in users.chunks(INVITED_AT_ONCE) {
            let body = json!({ "channel": channel, "users": users.join(","), "force": true });
            match self.api.call("conversations.invite", &body).await {
                Ok(answer) => {
                    for refused in answer["errors"].as_array().into_iter().flatten() {
                        let (user, why) = (&refused["user"], &refused["error"]);
                        if *why != "already_in_channel" && *why != "cant_invite_self" {
                            tracing::warn!(%user, %why, "somebody could not be invited");
                        }
                    }
                }
                // The room itself is in trouble, and so is everybody else's invitation.
                Err(failure) if failure.is(&["channel_not_found", "is_archived", "not_in_channel"]) => {
                    return Err(failure);
                }
                // Nobody of them can come, each for a reason of their own.
                Err(failure @ Failure::Code { .. }) => {
                    if !failure.is(&["already_in_channel", "cant_invite_self"]) {
                        tracing::warn!(%failure, "nobody could be invited");
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// What is nice to have: refused, it is left undone; limited or unclear, it is tried again.
    async fn tolerated(&self, method: &str, body: Value) -> Result<(), Failure> {
        match self.api.call(method, &body).await {
            Err(failure @ Failure::Code { .. }) => {
                tracing::warn!(%failure, "left undone");
                Ok(())
            }
            other => other.map(drop),
        }
    }

    async fn bookmark(&self, channel: &str) -> Result<(), Failure> {
        let Some(page) = &self.settings.page else {
            return Ok(());
        };
        // Slack adds the same one twice without a word, so where it may be, that is asked first.
        let known = lock(&self.bookmarked).remove(channel);
        let there = match known {
            Some(there) => there,
            None => self.is_linked(channel, page).await?,
        };
        if !there {
            let body = json!({ "channel_id": channel, "title": "Orderly", "type": "link", "link": page });
            self.tolerated("bookmarks.add", body).await?;
        }
        self.knows_bookmark(channel, true);
        Ok(())
    }

    fn knows_bookmark(&self, channel: &str, there: bool) {
        let mut known = lock(&self.bookmarked);
        if known.len() >= BOOKMARKED_MAX {
            known.clear();
        }
        known.insert(channel.to_owned(), there);
    }
}
