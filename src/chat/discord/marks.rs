//! Which marks stand on which messages, because Discord does not say whose were taken away when all of them are.
//!
//! Filled by every mark that is told, live or from history; after a start the history of all open rooms is read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use serde_json::Value;

use super::DiscordChat;
use super::api::Failure;
use super::incoming::Own;
use super::messages;
use super::places::Spot;
use crate::chat::{Delivery, lock};
use crate::incident::Identity;

/// Messages remembered; people mark a few in each incident.
const MESSAGES_MAX: usize = 10_000;

/// Emoji and user.
type Mark = (String, String);

#[derive(Debug, Default)]
pub struct Marks(Mutex<HashMap<String, BTreeSet<Mark>>>);

impl Marks {
    pub fn told(&self, message: &str, emoji: &str, user: &str, present: bool) {
        let mut all = lock(&self.0);
        if all.len() >= MESSAGES_MAX && !all.contains_key(message) {
            all.clear();
        }
        let marks = all.entry(message.to_owned()).or_default();
        let mark = (emoji.to_owned(), user.to_owned());
        match present {
            true => marks.insert(mark),
            false => marks.remove(&mark),
        };
    }

    /// The marks of a message, or those of one emoji.
    pub fn on(&self, message: &str, emoji: Option<&str>) -> Vec<Mark> {
        let all = lock(&self.0);
        let marks = all.get(message).into_iter().flatten();
        let wanted = |(known, _): &&Mark| emoji.is_none_or(|emoji| known == emoji);
        marks.filter(wanted).cloned().collect()
    }
}

/// An emoji as it stands in an address.
fn in_address(emoji: &Value) -> String {
    let name = emoji["name"].as_str().unwrap_or_default();
    match emoji["id"].as_str() {
        Some(id) => format!("{name}:{id}"),
        None => name.to_owned(),
    }
}

impl DiscordChat {
    /// How the marks of a message of history differ from what is known: `reacted` has for each person who put it on the
    /// timeline the accounts that are theirs. Discord shows how many there are; who they are is asked for.
    pub(super) async fn marks_of(
        &self,
        own: &Own,
        spot: &Spot,
        message: &Value,
        reacted: &[Vec<Identity>],
    ) -> Result<Vec<Delivery>, Failure> {
        let mut found = Vec::new();
        let Some(id) = message["id"].as_str() else {
            return Ok(found);
        };
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        let timeline = own.marks.first().map_or("", String::as_str);
        let now = self.clock.now();
        let mut told = |user: &str, mark: &str, present: bool, again: &str| {
            let key = format!("discord:{}:{channel}:{id}:{user}:{mark}:found{again}", own.guild);
            self.marks.told(id, mark, user, present);
            found.push(messages::reacted(
                user,
                id,
                mark.to_owned(),
                present,
                spot,
                own,
                (key, now),
            ));
        };
        // A mark of the timeline comes, goes and comes again: each time it is found is one of its own. What the others
        // make is a thing of its own, and is made once.
        let again = format!(":{}", now.timestamp_micros());
        let mut there: Option<(Vec<String>, bool)> = None;
        for reaction in message["reactions"].as_array().into_iter().flatten() {
            let emoji = &reaction["emoji"];
            let Some(mark) = own.mark(emoji).filter(|mark| own.marks.contains(mark)) else {
                continue;
            };
            let (users, whole) = self.who_reacted(channel, id, &in_address(emoji)).await?;
            for user in users.iter().filter(|user| **user != own.user) {
                if mark != timeline {
                    told(user, &mark, true, "");
                } else if reacted.iter().flatten().any(|known| known.user == *user) {
                    self.marks.told(id, &mark, user, true);
                } else {
                    told(user, &mark, true, &again);
                }
            }
            if mark == timeline {
                there = Some((users, whole));
            }
        }
        let there = match there {
            Some(there) => there,
            // Asked again before it counts as taken back: the message was read a while ago. The address of an emoji of
            // the server's own is not known where nobody shows it.
            None if !reacted.is_empty() && !timeline.starts_with(':') => {
                self.who_reacted(channel, id, timeline).await?
            }
            None => (Vec::new(), true),
        };
        for person in reacted.iter().filter(|_| there.1) {
            let stands = person.iter().any(|identity| there.0.contains(&identity.user));
            if let Some(identity) = person.first().filter(|_| !stands) {
                told(&identity.user, timeline, false, &again);
            }
        }
        Ok(found)
    }
}
