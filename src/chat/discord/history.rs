//! What was said while nobody listened: read from history after every new session, threads included, and filed once, at its
//! own time.
//!
//! Every version of a message has the same subject live and here, so what was told already is known. What is known here
//! and not in history any more was deleted meanwhile, and a reaction that is gone was taken back; when, nobody can tell.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::api::{Failure, Route, code};
use super::ids::{in_room, place, since};
use super::incoming::Own;
use super::messages;
use super::places::Spot;
use super::{DiscordChat, PLATFORM};
use crate::chat::{Delivery, Intake, Known, Listening};

/// Messages on one page, the most that Discord gives; also of threads and of people who reacted.
const PAGE: &str = "100";
const PAGE_LEN: usize = 100;
/// Pages read of one room, or of one thread: ten thousand messages.
const PAGES_MAX: usize = 100;
/// Pages of folded threads, and of people who put one mark on one message: a thousand of each.
const LISTS_MAX: usize = 10;

/// Threads that have folded: of everybody, private ones for who manages threads, and private ones that the bot is in.
const PUBLIC: &str = "GET /channels/{}/threads/archived/public";
const PRIVATE: &str = "GET /channels/{}/threads/archived/private";
const OWN_PRIVATE: &str = "GET /channels/{}/users/@me/threads/archived/private";

/// What stands in history.
#[derive(Default)]
struct Seen {
    /// The first id that was asked for.
    from: u64,
    /// Channels and threads that were read: up to this message, or to their end.
    read: HashMap<String, Option<u64>>,
    /// Threads that are there no more, and took what was said in them along.
    gone: HashSet<String>,
    /// Messages that are there, as they are known here.
    there: HashSet<String>,
}

impl Seen {
    /// Whether a message that is known stands no more where it would have been read.
    fn misses(&self, known: &Known, room: &str) -> bool {
        if known.deleted || self.there.contains(&known.message) {
            return false;
        }
        let (channel, message) = place(room, &known.message);
        let Ok(id) = message.parse::<u64>() else {
            return false;
        };
        let was_read = match self.read.get(channel) {
            Some(until) => id > self.from && until.is_none_or(|until| id <= until),
            None => false,
        };
        was_read || self.gone.contains(channel)
    }
}

/// A reading of one room.
struct Reading<'a> {
    own: &'a Own,
    intake: &'a Arc<dyn Intake>,
    /// Messages as they are known here.
    known: Vec<Known>,
    from: String,
    seen: Seen,
}

impl DiscordChat {
    /// Reads the rooms of all open incidents. What fails is said and tried with the next session.
    pub async fn catch_up(self: Arc<Self>) {
        let Some(intake) = self.intake.get().cloned() else {
            return;
        };
        let Ok(own) = self.own().await else { return };
        let _reading = self.reading.lock().await;
        for listening in intake.listening(PLATFORM).await {
            if listening.room.workspace != own.guild {
                continue;
            }
            if let Err(failure) = self.read_again(own, &intake, &listening).await {
                tracing::warn!(%failure, room = %listening.room, "what was said meanwhile could not be read");
            }
        }
    }

    pub(super) async fn read_again(
        &self,
        own: &Own,
        intake: &Arc<dyn Intake>,
        listening: &Listening,
    ) -> Result<(), Failure> {
        let room = &listening.room.room;
        let from = since(listening.since);
        // Before history is: what is heard from now on is in both, or only told live.
        let known = intake.known(&listening.room, listening.since).await;
        let mut reading = Reading {
            own,
            intake,
            known: known.unwrap_or_default(),
            seen: Seen {
                from: from.parse().unwrap_or_default(),
                ..Seen::default()
            },
            from,
        };
        let spot = Spot {
            room: room.clone(),
            thread: None,
        };
        self.read_channel(&mut reading, &spot).await?;
        for thread in self.threads(own, room, listening.since).await? {
            if let Some(spot) = self.places.learn(&thread) {
                self.read_thread(&mut reading, &spot).await?;
            }
        }
        self.read_unlisted(&mut reading, room).await?;
        let Reading { known, seen, .. } = reading;
        for gone in known.iter().filter(|known| seen.misses(known, room)) {
            let delivery = messages::found_gone(&gone.message, room, own, self.clock.now());
            self.hand_in(intake, delivery).await;
        }
        Ok(())
    }

    /// The threads of a room, those that have folded since then included.
    async fn threads(&self, own: &Own, room: &str, since: DateTime<Utc>) -> Result<Vec<Value>, Failure> {
        let active = Route::new("GET /guilds/{}/threads/active", &[&own.guild]);
        let answer = self.patiently(active).await?;
        let mut all: Vec<Value> = answer["threads"]
            .as_array()
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        all.retain(|thread| thread["parent_id"] == room);
        all.extend(self.folded(PUBLIC, room, since).await?);
        let private = self.folded(PRIVATE, room, since).await;
        all.extend(match private {
            // Only who manages threads may list those of others. What the bot hears live is what it is in.
            Err(failure) if failure.is(&[code::NO_PERMISSION, code::NO_ACCESS]) => {
                self.folded(OWN_PRIVATE, room, since).await?
            }
            private => private?,
        });
        Ok(all)
    }

    /// Threads that folded after a moment: nothing was said since then in those that folded before.
    async fn folded(
        &self,
        list: &'static str,
        room: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<Value>, Failure> {
        let folded = |thread: &Value| messages::stamp(&thread["thread_metadata"]["archive_timestamp"]);
        let is_new = |thread: &&Value| folded(thread).is_none_or(|at| at >= since);
        let mut all = Vec::new();
        let mut before: Option<String> = None;
        for _ in 0..LISTS_MAX {
            let mut arguments = vec![("limit", PAGE)];
            arguments.extend(before.as_deref().map(|before| ("before", before)));
            let page = self.patiently(Route::new(list, &[room]).with(&arguments)).await?;
            let threads = page["threads"].as_array().map_or(&[][..], Vec::as_slice);
            all.extend(threads.iter().filter(is_new).cloned());
            // The last to fold comes first; of its own, the bot is told by their ids, the newest first.
            let next = match (threads.last(), list == OWN_PRIVATE) {
                (Some(last), true) => last["id"].as_str(),
                (Some(last), false) if is_new(&last) => last["thread_metadata"]["archive_timestamp"].as_str(),
                _ => None,
            };
            match next {
                Some(next) if page["has_more"] == true => before = Some(next.to_owned()),
                _ => break,
            }
        }
        Ok(all)
    }

    /// Threads in which something is known to have been said, and which no list has: gone, or to be read by their ids.
    async fn read_unlisted(&self, reading: &mut Reading<'_>, room: &str) -> Result<(), Failure> {
        let threads = reading.known.iter().map(|known| place(room, &known.message).0);
        let unlisted: BTreeSet<String> = threads
            .filter(|channel| !reading.seen.read.contains_key(*channel))
            .map(str::to_owned)
            .collect();
        for thread in unlisted {
            match self.patiently(Route::new("GET /channels/{}", &[&thread])).await {
                Ok(found) => {
                    if let Some(spot) = self.places.learn(&found) {
                        self.read_thread(reading, &spot).await?;
                    }
                }
                Err(failure) if failure.is(&[code::UNKNOWN_CHANNEL]) => {
                    reading.seen.gone.insert(thread);
                }
                Err(failure @ Failure::Code { .. }) => {
                    tracing::debug!(%failure, "a thread cannot be read again")
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// A thread that may not be read keeps nobody from the others.
    async fn read_thread(&self, reading: &mut Reading<'_>, spot: &Spot) -> Result<(), Failure> {
        match self.read_channel(reading, spot).await {
            Err(failure @ Failure::Code { .. }) => {
                tracing::debug!(%failure, "a thread cannot be read again");
                Ok(())
            }
            read => read,
        }
    }

    async fn read_channel(&self, reading: &mut Reading<'_>, spot: &Spot) -> Result<(), Failure> {
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        let mut after = reading.from.clone();
        for _ in 0..PAGES_MAX {
            let route = Route::new("GET /channels/{}/messages", &[channel])
                .with(&[("after", &after), ("limit", PAGE)]);
            let page = self.patiently(route).await?;
            let mut messages: Vec<&Value> = page.as_array().into_iter().flatten().collect();
            // Newest first on the wire; a room is told in its order.
            messages.sort_by_key(|message| number(message));
            for message in &messages {
                self.file(reading, spot, message).await?;
            }
            let last = messages.last().and_then(|last| last["id"].as_str());
            let Some(last) = last.filter(|_| messages.len() >= PAGE_LEN) else {
                reading.seen.read.insert(channel.to_owned(), None);
                break;
            };
            last.clone_into(&mut after);
            reading.seen.read.insert(channel.to_owned(), last.parse().ok());
        }
        Ok(())
    }

    /// A message as it stands in history, and its marks as far as they are not what is known.
    async fn file(&self, reading: &mut Reading<'_>, spot: &Spot, message: &Value) -> Result<(), Failure> {
        let (own, now) = (reading.own, self.clock.now());
        let Some(id) = message["id"].as_str() else {
            return Ok(());
        };
        let at = in_room(spot.thread.as_deref(), id);
        reading.seen.there.insert(at.clone());
        let standing = self.naming(own, |names| messages::standing(message, spot, own, names, now));
        let Some(standing) = standing else {
            return Ok(());
        };
        self.hand_in(reading.intake, standing).await;
        let known = reading.known.iter().find(|known| known.message == at);
        let reacted = known.map_or(&[][..], |known| &known.reacted);
        for mark in self.marks_of(own, spot, message, reacted).await? {
            self.hand_in(reading.intake, mark).await;
        }
        Ok(())
    }

    async fn hand_in(&self, intake: &Arc<dyn Intake>, delivery: Delivery) {
        if !self.take(intake, delivery).await.in_the_end().await {
            tracing::warn!("something that history tells could not be stored");
        }
    }

    /// Who put this mark on a message; and whether these are all.
    pub(super) async fn who_reacted(
        &self,
        channel: &str,
        message: &str,
        emoji: &str,
    ) -> Result<(Vec<String>, bool), Failure> {
        const NAME: &str = "GET /channels/{}/messages/{}/reactions/{}";
        let mut all: Vec<String> = Vec::new();
        for _ in 0..LISTS_MAX {
            let mut arguments = vec![("limit", PAGE)];
            arguments.extend(all.last().map(|last| ("after", last.as_str())));
            let route = Route::new(NAME, &[channel, message, emoji]).with(&arguments);
            let page = match self.patiently(route).await {
                Ok(page) => page,
                // An emoji that is nowhere any more; or the message went meanwhile, and that is told elsewhere.
                Err(failure) if failure.is(&[code::UNKNOWN_EMOJI]) => return Ok((all, true)),
                Err(failure @ Failure::Code { .. }) => {
                    tracing::debug!(%failure, "who reacted cannot be read");
                    return Ok((all, false));
                }
                Err(failure) => return Err(failure),
            };
            let users = page.as_array().map_or(&[][..], Vec::as_slice);
            all.extend(
                users
                    .iter()
                    .filter_map(|user| user["id"].as_str())
                    .map(str::to_owned),
            );
            if users.len() < PAGE_LEN {
                return Ok((all, true));
            }
        }
        Ok((all, false))
    }

    /// A call that nobody waits for: held back as long as Discord wants, until the bot stops.
    async fn patiently(&self, route: Route) -> Result<Value, Failure> {
        loop {
            match self.api.get(route.clone()).await {
                Err(Failure::Limited { route, after }) => {
                    let wait = chrono::TimeDelta::from_std(after).unwrap_or(chrono::TimeDelta::seconds(60));
                    if self.stopped_within(wait).await {
                        return Err(Failure::Limited { route, after });
                    }
                }
                other => return other,
            }
        }
    }

    /// One message, as it is now.
    pub(super) async fn message_at(&self, own: &Own, spot: &Spot, id: &str) -> Option<Delivery> {
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        let route = Route::new("GET /channels/{}/messages/{}", &[channel, id]);
        let message = self.api.get(route).await.ok()?;
        self.naming(own, |names| {
            messages::standing(&message, spot, own, names, self.clock.now())
        })
    }
}

fn number(message: &Value) -> u64 {
    message["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .unwrap_or_default()
}
