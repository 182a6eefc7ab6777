//! Posting once per key. The key's nonce makes Discord itself give back the message that is there, for some minutes; past
//! that, and after a start, the channel's history is asked, where every post of ours carries its nonce.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::api::{Attached, Failure, Route, code};
use super::embeds::{self, REST_FILE, Rendered};
use super::ids::{self, nonce};
use super::incoming::Own;
use super::{DiscordChat, markdown};
use crate::chat::{Message, Upload, lock};
use crate::text::cut;

/// How far back history is looked through. A retry comes within minutes of the post it repeats.
const LOOK_BACK: &str = "100";
/// Pages of history looked through for a post of a certain quarter of an hour.
const FIND_PAGES: usize = 10;
/// Posts whose keys are remembered until they are edited, which is at once.
const LOOKED_FOR_MAX: usize = 500;
/// What stands above a file.
const COMMENT_MAX: usize = 2_000;
/// "Request entity too large".
const TOO_LARGE: u64 = 40005;

impl DiscordChat {
    /// The message with this nonce, if it is there.
    async fn posted(&self, own: &Own, nonce: &str, channel: &str) -> Result<Option<String>, Failure> {
        if let Some(known) = self.posts.find(channel, nonce) {
            return Ok(known);
        }
        let route = Route::new("GET /channels/{}/messages", &[channel]).with(&[("limit", LOOK_BACK)]);
        let found = match self.api.get(route).await {
            Ok(history) => nonces(&history, own),
            // A channel we may write to and not read: then Discord's own memory of nonces is all there is.
            Err(failure @ Failure::Code { .. }) => {
                tracing::debug!(%failure, "a channel cannot be looked through");
                HashMap::new()
            }
            Err(failure) => return Err(failure),
        };
        let there = found.get(nonce).cloned();
        self.posts.looked(channel, found);
        Ok(there)
    }

    /// The message with this key, however long ago it was made.
    pub(super) async fn posted_between(
        &self,
        own: &Own,
        key: &str,
        channel: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<String>, Failure> {
        let nonce = nonce(key);
        let found = match self.posts.find(channel, &nonce) {
            Some(Some(known)) => Some(known),
            _ => self.looked_through(own, &nonce, channel, (from, to)).await?,
        };
        if let Some(message) = &found {
            let mut looked_for = lock(&self.looked_for);
            if looked_for.len() >= LOOKED_FOR_MAX {
                looked_for.clear();
            }
            looked_for.insert(message.clone(), nonce);
        }
        Ok(found)
    }

    async fn looked_through(
        &self,
        own: &Own,
        nonce: &str,
        channel: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<String>, Failure> {
        let mut after = ids::since(from);
        for _ in 0..FIND_PAGES {
            let route = Route::new("GET /channels/{}/messages", &[channel])
                .with(&[("after", &after), ("limit", LOOK_BACK)]);
            let page = self.api.get(route).await?;
            if let Some(found) = nonces(&page, own).remove(nonce) {
                return Ok(Some(found));
            }
            let ids = page.as_array().into_iter().flatten();
            let last = ids
                .filter_map(|message| message["id"].as_str()?.parse::<u64>().ok())
                .max();
            match last.map(|last| last.to_string()) {
                Some(last) if ids::moment(&last).is_some_and(|at| at <= to) => after = last,
                _ => break,
            }
        }
        Ok(None)
    }

    /// Posts a message once; gives its id.
    pub(super) async fn post_once(
        &self,
        own: &Own,
        key: &str,
        channel: &str,
        message: &Message,
    ) -> Result<String, Failure> {
        let nonce = nonce(key);
        let there = self.posted(own, &nonce, channel).await?;
        let mut rendered = self.looking(own, |look| embeds::render(message, look));
        rendered.keyed(&own.guild, channel, &nonce);
        let mut body = rendered.body();
        if self.settings.announce.as_deref() == Some(channel) {
            self.call_roles(&mut body);
        }
        match there {
            Some(there) => {
                match self.say_anew(channel, &there, body, &rendered).await {
                    // One that somebody deleted stays so.
                    Err(failure) if failure.is(&[code::UNKNOWN_MESSAGE]) => {}
                    said => said?,
                }
                Ok(there)
            }
            None => self.create(channel, &nonce, body, rest(&rendered)).await,
        }
    }

    /// The roles that are called where incidents are announced, by their ids and nobody else.
    fn call_roles(&self, body: &mut Value) {
        let roles = &self.settings.notify;
        if roles.is_empty() {
            return;
        }
        let names: Vec<String> = roles.iter().map(|role| format!("<@&{role}>")).collect();
        let content = body["content"].as_str().unwrap_or_default();
        body["content"] = json!(format!("{} {content}", names.join(" ")).trim_end());
        body["allowed_mentions"]["roles"] = json!(roles);
    }

    async fn create(
        &self,
        channel: &str,
        nonce: &str,
        mut body: Value,
        file: Option<Attached<'_>>,
    ) -> Result<String, Failure> {
        body["nonce"] = json!(nonce);
        body["enforce_nonce"] = json!(true);
        let route = Route::new("POST /channels/{}/messages", &[channel]);
        let answer = self.api.call_with(route, &body, file).await;
        if matches!(answer, Err(Failure::Unclear { .. })) {
            self.posts.doubtful(channel);
        }
        let id = answer?["id"].as_str().unwrap_or_default().to_owned();
        self.posts.made(channel, nonce, &id);
        Ok(id)
    }

    /// Posts a file once; gives the id of its message.
    pub(super) async fn upload_once(
        &self,
        own: &Own,
        key: &str,
        channel: &str,
        file: &Upload,
    ) -> Result<String, Failure> {
        let nonce = nonce(key);
        if let Some(there) = self.posted(own, &nonce, channel).await? {
            return Ok(there);
        }
        let comment = cut(&file.comment, COMMENT_MAX, "…").shown.into_owned();
        let comment = if comment.is_empty() {
            file.name.clone()
        } else {
            comment
        };
        let mut rendered = Rendered {
            embeds: vec![json!({ "description": markdown::escaped(&comment) })],
            ..Rendered::default()
        };
        rendered.keyed(&own.guild, channel, &nonce);
        let mut body = rendered.body();
        body["attachments"] = json!([{ "id": "0", "filename": file.name }]);
        let attached = Attached {
            name: &file.name,
            media_type: &file.media_type,
            bytes: &file.bytes,
        };
        match self.create(channel, &nonce, body, Some(attached)).await {
            Err(Failure::Code {
                route, status, code, ..
            }) if status == 413 || code == TOO_LARGE => Err(Failure::Code {
                route,
                status,
                code,
                words: format!(
                    "{} has {} bytes, more than this server takes; fetch it from the page or with `orderly postmortem`",
                    file.name,
                    file.bytes.len()
                ),
            }),
            posted => posted,
        }
    }

    /// Makes a message of ours show something else.
    pub(super) async fn edit(
        &self,
        own: &Own,
        channel: &str,
        message: &str,
        shown: &Message,
    ) -> Result<(), Failure> {
        let mut rendered = self.looking(own, |look| embeds::render(shown, look));
        // What is kept true by its id needs no key; what was found by one is looked for by it again.
        let key = lock(&self.looked_for).get(message).cloned();
        rendered.keyed(&own.guild, channel, key.as_deref().unwrap_or(message));
        let body = rendered.body();
        self.say_anew(channel, message, body, &rendered).await
    }

    async fn say_anew(
        &self,
        channel: &str,
        message: &str,
        mut body: Value,
        rendered: &Rendered,
    ) -> Result<(), Failure> {
        if rendered.file.is_none() {
            // What did not fit before does not stay beside what is true now.
            body["attachments"] = json!([]);
        }
        let route = Route::new("PATCH /channels/{}/messages/{}", &[channel, message]);
        self.api.call_with(route, &body, rest(rendered)).await.map(drop)
    }
}

/// What did not fit, as a file.
pub fn rest(rendered: &Rendered) -> Option<Attached<'_>> {
    rendered.file.as_ref().map(|text| Attached {
        name: REST_FILE,
        media_type: "text/plain; charset=utf-8",
        bytes: text.as_bytes(),
    })
}

/// The nonces of our own posts in a piece of history.
fn nonces(history: &Value, own: &Own) -> HashMap<String, String> {
    let messages = history.as_array().into_iter().flatten();
    messages
        .filter(|message| message["author"]["id"] == own.user.as_str())
        .filter_map(|message| {
            let nonce = embeds::key_of(message).or_else(|| message["nonce"].as_str())?;
            Some((nonce.to_owned(), message["id"].as_str()?.to_owned()))
        })
        .collect()
}
