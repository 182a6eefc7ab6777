//! Posting once per key. Slack has no idempotency key, so every post carries ours in its metadata, and where an earlier
//! call may have gone through unseen, the channel's history is asked before posting again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::api::{Failure, next_cursor};
use super::incoming::Own;
use super::rich::escaped;
use super::{SlackChat, blocks};
use crate::chat::Message;

/// What marks a post as one of ours.
const EVENT: &str = "orderly_post";
/// At the end of the key of what continues the post of that key.
const MORE: &str = "/more";
/// How far back history is looked through. A retry comes within minutes of the post it repeats.
const LOOK_BACK: usize = 200;
/// Pages of history looked through for a post of a certain quarter of an hour.
const FIND_PAGES: usize = 5;

impl SlackChat {
    /// The stamp of the post with this key, if it is there.
    pub(super) async fn posted(&self, key: &str, channel: &str) -> Result<Option<String>, Failure> {
        if let Some(known) = self.posts.find(channel, key) {
            return Ok(known);
        }
        let found = keys(&self.lately(channel).await?);
        let there = found.get(key).cloned();
        self.posts.looked(channel, found);
        Ok(there)
    }

    /// The stamp of the post with this key, however long ago it was made.
    pub(super) async fn posted_between(
        &self,
        key: &str,
        channel: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<String>, Failure> {
        if let Some(Some(known)) = self.posts.find(channel, key) {
            return Ok(Some(known));
        }
        let mut cursor = String::new();
        for _ in 0..FIND_PAGES {
            let mut arguments = vec![
                ("channel", channel.to_owned()),
                ("oldest", from.timestamp().to_string()),
                ("latest", (to.timestamp() + 1).to_string()),
                ("limit", LOOK_BACK.to_string()),
                ("include_all_metadata", "true".to_owned()),
            ];
            if !cursor.is_empty() {
                arguments.push(("cursor", cursor));
            }
            let page = self.api.get("conversations.history", &arguments).await?;
            if let Some(found) = keys(&page).remove(key) {
                return Ok(Some(found));
            }
            let Some(next) = next_cursor(&page) else {
                break;
            };
            cursor = next;
        }
        Ok(None)
    }

    /// Posts a message once; gives its stamp. What does not fit goes into the thread below it.
    pub(super) async fn post_once(
        &self,
        own: &Own,
        key: &str,
        channel: &str,
        thread: Option<&str>,
        message: &Message,
    ) -> Result<String, Failure> {
        let rendered = self.looking(own, |look| blocks::render(message, look, blocks::Rest::Thread));
        let there = match thread {
            // Threads are not in a channel's history; what stands there follows a message that was just found or made.
            Some(_) => None,
            None => self.posted(key, channel).await?,
        };
        let made = there.is_none();
        let ts = match there {
            Some(ts) => {
                self.say_anew(channel, &ts, &rendered).await?;
                ts
            }
            None => {
                let body = post(channel, thread, key, &rendered.text, &rendered.blocks);
                let answer = self.api.call("chat.postMessage", &body).await;
                if matches!(answer, Err(Failure::Unclear { .. })) {
                    self.posts.doubtful(channel);
                }
                let ts = answer?["ts"].as_str().unwrap_or_default().to_owned();
                self.posts.made(channel, key, &ts);
                ts
            }
        };
        if let Some(rest) = rendered.rest {
            let below = (channel, thread.unwrap_or(&ts));
            // Below a message that was made just now nothing stands yet.
            let known = match made {
                true => HashMap::new(),
                false => keys(&self.below(below).await?),
            };
            match self.continue_below(own, key, below, Some(rest), &known).await {
                // The message stands; where nothing can follow it, it must not be lost for that.
                Err(failure) if !failure.passes() => {
                    tracing::warn!(%failure, key, "the rest of a long message could not be posted");
                }
                continued => continued?,
            }
        }
        Ok(ts)
    }

    /// Makes what stands below a post be what did not fit into it, in as many messages as it needs, each once: the message
    /// above is found by its key when this comes again after a limit or a crash, and those below it are found here.
    async fn continue_below(
        &self,
        own: &Own,
        key: &str,
        (channel, thread): (&str, &str),
        rest: Option<Message>,
        known: &HashMap<String, String>,
    ) -> Result<(), Failure> {
        let mut key = key.to_owned();
        let mut left = rest;
        while let Some(message) = left {
            key.push_str(MORE);
            let rendered = self.looking(own, |look| blocks::render(&message, look, blocks::Rest::Follows));
            match known.get(&key) {
                Some(ts) => self.say_anew(channel, ts, &rendered).await?,
                None => {
                    let body = post(channel, Some(thread), &key, &rendered.text, &rendered.blocks);
                    self.api.call("chat.postMessage", &body).await?;
                }
            }
            left = rendered.rest;
        }
        // It was longer before.
        key.push_str(MORE);
        while let Some(ts) = known.get(&key) {
            let body = json!({ "channel": channel, "ts": ts });
            match self.api.call("chat.delete", &body).await {
                Err(failure) if !failure.is(&["message_not_found"]) => return Err(failure),
                _ => key.push_str(MORE),
            }
        }
        Ok(())
    }

    /// Makes a post, and what stands below it because it was too long, say something else. Nothing of the old words stays.
    pub(super) async fn post_anew(
        &self,
        own: &Own,
        channel: &str,
        ts: &str,
        message: &Message,
    ) -> Result<(), Failure> {
        let rendered = self.looking(own, |look| blocks::render(message, look, blocks::Rest::Thread));
        self.edit(channel, ts, &rendered).await?;
        let below = match self.below((channel, ts)).await {
            // Nothing is read there, so nothing of it can be changed.
            Err(failure @ Failure::Code { .. }) => {
                tracing::debug!(%failure, "what stands below a post cannot be read");
                return Ok(());
            }
            below => keys(&below?),
        };
        // A thread is told with the message it stands below.
        match below.iter().find(|(_, known)| known.as_str() == ts) {
            Some((key, _)) => {
                self.continue_below(own, key, (channel, ts), rendered.rest, &below)
                    .await
            }
            None => Ok(()),
        }
    }

    /// The replies to a message, as far as one page goes: far more than one message needs to be continued.
    async fn below(&self, (channel, thread): (&str, &str)) -> Result<Value, Failure> {
        let arguments = [
            ("channel", channel.to_owned()),
            ("ts", thread.to_owned()),
            ("limit", LOOK_BACK.to_string()),
            ("include_all_metadata", "true".to_owned()),
        ];
        self.api.get("conversations.replies", &arguments).await
    }

    pub(super) async fn edit(
        &self,
        channel: &str,
        ts: &str,
        rendered: &blocks::Rendered,
    ) -> Result<(), Failure> {
        let body = json!({ "channel": channel, "ts": ts, "text": rendered.text, "blocks": rendered.blocks });
        self.api.call("chat.update", &body).await.map(drop)
    }

    /// A message as it must read now. One that somebody deleted stays so.
    pub(super) async fn say_anew(
        &self,
        channel: &str,
        ts: &str,
        rendered: &blocks::Rendered,
    ) -> Result<(), Failure> {
        match self.edit(channel, ts, rendered).await {
            Err(failure) if failure.is(&["message_not_found"]) => Ok(()),
            edited => edited,
        }
    }

    /// Where this file stands in the channel, if it does already. Files carry no key of ours, so the channel is always looked
    /// through: exports are rare.
    pub(super) async fn uploaded(
        &self,
        own: &Own,
        channel: &str,
        name: &str,
        comment: &str,
    ) -> Result<Option<Uploaded>, Failure> {
        let history = self.lately(channel).await?;
        Ok(found_file(&history, own, name, &escaped(comment)))
    }

    /// The last messages of a channel; none of one we may write to and not read.
    async fn lately(&self, channel: &str) -> Result<Value, Failure> {
        let arguments = [
            ("channel", channel.to_owned()),
            ("limit", LOOK_BACK.to_string()),
            ("include_all_metadata", "true".to_owned()),
        ];
        match self.api.get("conversations.history", &arguments).await {
            // Then nobody can tell what stands there, and once is the likelier.
            Err(failure @ Failure::Code { .. }) => {
                tracing::debug!(%failure, "a channel cannot be looked through");
                Ok(Value::Null)
            }
            history => history,
        }
    }
}

/// The body of `chat.postMessage`.
pub fn post(channel: &str, thread: Option<&str>, key: &str, text: &str, blocks: &[Value]) -> Value {
    let mut body = json!({
        "channel": channel,
        "text": text,
        "blocks": blocks,
        // Quoted links are evidence, not something to fetch and show.
        "unfurl_links": false,
        "unfurl_media": false,
        "metadata": { "event_type": EVENT, "event_payload": { "key": key } },
    });
    if let Some(thread) = thread {
        body["thread_ts"] = json!(thread);
    }
    body
}

/// The keys of our own posts in a piece of history.
fn keys(history: &Value) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for message in history["messages"].as_array().into_iter().flatten() {
        let Some(ts) = message["ts"].as_str() else {
            continue;
        };
        let metadata = &message["metadata"];
        if metadata["event_type"] == EVENT
            && let Some(key) = metadata["event_payload"]["key"].as_str()
        {
            found.insert(key.to_owned(), ts.to_owned());
        }
    }
    found
}

/// How far a file has come.
pub enum OnItsWay {
    /// Slack has it, and nobody sees it.
    Sent { id: String },
    /// Slack was told where to show it; what that is still linked by may be missing.
    Posted { link: Option<String> },
}

/// A file that stands in a channel.
pub(super) struct Uploaded {
    /// The stamp of its message; empty where Slack has not told it yet.
    pub ts: String,
    pub link: Option<String>,
}

/// The file of this name that we posted with this comment.
fn found_file(history: &Value, own: &Own, name: &str, comment: &str) -> Option<Uploaded> {
    let messages = history["messages"].as_array().into_iter().flatten();
    let mut ours =
        messages.filter(|message| message["user"] == own.user.as_str() && message["text"] == comment);
    ours.find_map(|message| {
        let mut files = message["files"].as_array().into_iter().flatten();
        let file =
            files.find(|file| file["name"].as_str().or_else(|| file["title"].as_str()) == Some(name))?;
        Some(Uploaded {
            ts: message["ts"].as_str()?.to_owned(),
            link: file["permalink"].as_str().map(str::to_owned),
        })
    })
}

/// Whether a channel holds no post of ours but such whose key begins so: any other makes it somebody's room already.
pub fn only_ours_begin(history: &Value, begin: &str) -> bool {
    let messages = history["messages"].as_array().into_iter().flatten();
    let mut ours = messages.filter(|message| message["metadata"]["event_type"] == EVENT);
    ours.all(|message| {
        let key = message["metadata"]["event_payload"]["key"].as_str();
        key.is_some_and(|key| key.starts_with(begin))
    })
}
