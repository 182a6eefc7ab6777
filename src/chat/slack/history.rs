//! What was said while nobody listened: read from history after every connection, and filed once, at its own time.
//!
//! Every version of a message has the same subject live and here, so what was told already is known. What is known here
//! and not in history any more was deleted meanwhile, and a reaction that is gone was taken back; when, nobody can tell.
//! What a workspace keeps no longer was deleted by nobody: only what is younger than the oldest line is missed.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::api::{Failure, next_cursor};
use super::incoming::{Own, text};
use super::messages::{self, moment};
use super::{PLATFORM, SlackChat};
use crate::chat::{Delivery, Intake, Known, Listening};

/// Messages on one page.
const PAGE: usize = 200;
/// Pages read of one room, or of one thread: ten thousand messages.
const PAGES_MAX: usize = 50;

/// Messages looked through before a room's first, for threads that people still answer in.
const BEFORE: usize = 100;
/// How long after a sign of missed events history is read: Slack sends again for a minute what it can, and holds events
/// back for as long. Signs come in crowds, and one reading serves them all.
const SOON: TimeDelta = TimeDelta::seconds(60);
/// Slack sends an event again for about five minutes: one that it gave up in a longer silence left no other sign.
const SILENCE: TimeDelta = TimeDelta::minutes(5);

/// Readings of history: one after the other, each beginning after what the one before has seen.
#[derive(Default)]
pub struct Readings {
    turn: tokio::sync::Mutex<()>,
    /// The next one is on its way.
    soon: AtomicBool,
    /// When Slack was heard last over HTTP, in seconds; 0 before the first time.
    heard: AtomicI64,
}

/// What was read of a room or a thread.
#[derive(Default)]
struct Pages {
    messages: Vec<Value>,
    /// There is no more, or no more is wanted.
    whole: bool,
}

/// What stands in history.
#[derive(Default)]
struct Seen {
    /// From when on everything that stands there was read.
    since: Option<DateTime<Utc>>,
    /// Messages that people see, by their stamp.
    there: HashSet<String>,
    /// Stamps of everything that was read, also what only says that something was deleted.
    read: HashSet<String>,
    /// Threads that are too long to be read to their end.
    cut: HashSet<String>,
}

/// When a message was written.
fn at(message: &Value) -> Option<DateTime<Utc>> {
    moment(text(message, "ts")?)
}

impl Seen {
    fn add(&mut self, message: &Value) {
        if let Some(ts) = text(message, "ts") {
            self.read.insert(ts.to_owned());
            if messages::is_said(message) {
                self.there.insert(ts.to_owned());
            }
        }
    }

    /// Whether a message that is known stands no more where it would have been read.
    fn misses(&self, known: &Known) -> bool {
        let is_young = self.since.is_some_and(|since| known.at > since);
        let was_read = match &known.thread {
            // A thread goes with its first message only if nobody answered, and then there is no reply either.
            Some(thread) => self.read.contains(thread) && !self.cut.contains(thread),
            None => true,
        };
        is_young && was_read && !known.deleted && !self.there.contains(&known.message)
    }
}

impl SlackChat {
    /// A request came. After a long silence nobody knows whether nothing happened, or nothing got here.
    pub(super) fn heard_over_http(self: &Arc<Self>) {
        let now = self.clock.now().timestamp();
        let last = self.readings.heard.swap(now, Ordering::Relaxed);
        if last != 0 && now - last >= SILENCE.num_seconds() {
            self.read_soon();
        }
    }

    /// Something may never be told: the rooms are read again in a minute, once for all who ask for it until then.
    pub(super) fn read_soon(self: &Arc<Self>) {
        if self.readings.soon.swap(true, Ordering::AcqRel) {
            return;
        }
        let chat = Arc::clone(self);
        tokio::spawn(async move {
            let stopped = chat.stopped_within(SOON).await;
            chat.readings.soon.store(false, Ordering::Release);
            if !stopped {
                chat.catch_up().await;
            }
        });
    }

    /// Reads the rooms of all open incidents. What fails for now is read in a minute, and the rest with the next connection.
    pub async fn catch_up(self: Arc<Self>) {
        let Some(intake) = self.intake.get().cloned() else {
            return;
        };
        let own = match self.own().await {
            Ok(own) => own,
            Err(failure) if failure.passes() => return self.read_soon(),
            // Whoever mends that starts the bot again.
            Err(_) => return,
        };
        let _turn = self.readings.turn.lock().await;
        for listening in intake.listening(PLATFORM).await {
            if listening.room.workspace != own.team {
                continue;
            }
            match self.read_again(own, &intake, &listening).await {
                Ok(true) => {}
                Ok(false) => self.read_soon(),
                Err(failure) => {
                    tracing::warn!(%failure, room = %listening.room, "what was said meanwhile could not be read");
                    if failure.passes() {
                        self.read_soon();
                    }
                }
            }
        }
    }

    /// Whether all that was found is stored.
    pub(super) async fn read_again(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        listening: &Listening,
    ) -> Result<bool, Failure> {
        let channel = &listening.room.room;
        // Before history is: what is heard from now on is in both, or only told live.
        let known = intake.known(&listening.room, listening.since).await;
        let known = known.unwrap_or_default();
        let begun = listening.since.timestamp();
        let is_before = |message: &Value| at(message).is_some_and(|at| at.timestamp() < begun);
        // A bit further back than the incident goes: there its oldest threads are, and whatever stands there tells that
        // nothing younger has run out of the time that the workspace keeps messages.
        let enough = |read: &[Value]| read.iter().rev().take_while(|old| is_before(old)).count() >= BEFORE;
        let base = [("channel", channel.clone())];
        let Pages { messages, .. } = self.pages("conversations.history", &base, enough).await?;
        let oldest = messages.last().and_then(at);
        let mut seen = Seen {
            since: oldest.map(|oldest| oldest.max(listening.since)),
            ..Seen::default()
        };
        let mut stored = true;
        // Newest first on the wire; a room is told in its order.
        for message in messages.iter().rev() {
            let before = is_before(message);
            if !before {
                stored &= self.file(own, intake, channel, message, &known).await;
            }
            seen.add(message);
            let answered = match before {
                false => message["reply_count"].as_u64().unwrap_or_default() > 0,
                true => text(message, "latest_reply")
                    .and_then(moment)
                    .is_some_and(|at| at.timestamp() >= begun),
            };
            let Some(ts) = text(message, "ts").filter(|_| answered) else {
                continue;
            };
            let mut base = vec![("channel", channel.clone()), ("ts", ts.to_owned())];
            if before {
                base.push(("oldest", begun.to_string()));
            }
            let thread = self.pages("conversations.replies", &base, |_| false).await?;
            let replies = thread.messages.iter();
            for reply in replies.filter(|reply| reply["ts"] != ts && !is_before(reply)) {
                stored &= self.file(own, intake, channel, reply, &known).await;
                seen.add(reply);
            }
            if !thread.whole {
                seen.cut.insert(ts.to_owned());
            }
        }
        for gone in known.iter().filter(|known| seen.misses(known)) {
            let delivery = messages::found_gone(&gone.message, channel, own, self.clock.now());
            stored &= self.hand_in(intake, delivery).await;
        }
        Ok(stored)
    }

    /// A message as it stands in history, and its reactions as far as they are not what is known. Whether they are stored.
    async fn file(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        channel: &str,
        message: &Value,
        known: &[Known],
    ) -> bool {
        let now = self.clock.now();
        let Some(standing) = messages::standing(message, channel, own, now) else {
            return true;
        };
        let mut stored = self.hand_in(intake, standing).await;
        let known = known.iter().find(|known| message["ts"] == known.message.as_str());
        let reacted = known.map_or(&[][..], |known| &known.reacted);
        for mut delivery in messages::marked(message, channel, own, now, reacted) {
            // Somebody may have changed their mind since the page was read.
            self.marked_message(&mut delivery).await;
            stored &= self.hand_in(intake, delivery).await;
        }
        stored
    }

    async fn hand_in(&self, intake: &Arc<dyn Intake>, delivery: Delivery) -> bool {
        let taken = self.take(intake, self.naming(delivery)).await;
        let stored = taken.in_the_end().await;
        if !stored {
            tracing::warn!("something that history tells could not be stored");
        }
        stored
    }

    /// Page after page, until there is no more or what was read is enough.
    async fn pages(
        &self,
        method: &str,
        base: &[(&str, String)],
        enough: impl Fn(&[Value]) -> bool,
    ) -> Result<Pages, Failure> {
        let mut all = Pages::default();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut arguments = base.to_vec();
            arguments.push(("limit", PAGE.to_string()));
            if !cursor.is_empty() {
                arguments.push(("cursor", cursor));
            }
            let page = self.patiently(method, &arguments).await?;
            all.messages
                .extend(page["messages"].as_array().into_iter().flatten().cloned());
            match next_cursor(&page).filter(|_| !enough(&all.messages)) {
                Some(next) => cursor = next,
                None => {
                    all.whole = true;
                    break;
                }
            }
        }
        Ok(all)
    }

    /// A call that nobody waits for: held back as long as Slack wants, until the bot stops.
    async fn patiently(&self, method: &str, arguments: &[(&str, String)]) -> Result<Value, Failure> {
        loop {
            match self.api.get(method, arguments).await {
                Err(Failure::Limited { after, .. }) => {
                    let wait = chrono::TimeDelta::from_std(after).unwrap_or(chrono::TimeDelta::seconds(60));
                    if self.stopped_within(wait).await {
                        return Err(Failure::Limited {
                            method: method.to_owned(),
                            after,
                        });
                    }
                }
                other => return other,
            }
        }
    }

    /// One message, also where it is a reply.
    pub(super) async fn message_at(&self, channel: &str, ts: &str) -> Option<Value> {
        let arguments = [
            ("channel", channel.to_owned()),
            ("ts", ts.to_owned()),
            ("limit", "1".to_owned()),
            ("inclusive", "true".to_owned()),
        ];
        let found = self.api.get("conversations.replies", &arguments).await.ok()?;
        let mut messages = found["messages"].as_array().into_iter().flatten();
        messages.find(|message| message["ts"] == ts).cloned()
    }
}
