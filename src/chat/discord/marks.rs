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
use crate::chat::{Delivery, Reacted, lock};

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
    /// How the marks of a message of history differ from what is known. Discord shows how many there are; who they are is
    /// asked for.
    pub(super) async fn marks_of(
        &self,
        own: &Own,
        spot: &Spot,
        message: &Value,
        known: &[Reacted],
    ) -> Result<Vec<Delivery>, Failure> {
        let mut found = Vec::new();
        let Some(id) = message["id"].as_str() else {
            return Ok(found);
        };
        let channel = spot.thread.as_deref().unwrap_or(&spot.room);
        let now = self.clock.now();
        let mut told = |user: &str, mark: &str, present: bool| {
            // A mark comes, goes and comes again: each time it is found is one of its own.
            let again = now.timestamp_micros();
            let key = format!("discord:{}:{channel}:{id}:{user}:{mark}:found:{again}", own.guild);
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
        let mut there: HashMap<String, (Vec<String>, bool)> = HashMap::new();
        for reaction in message["reactions"].as_array().into_iter().flatten() {
            let emoji = &reaction["emoji"];
            let Some(mark) = own.mark(emoji).filter(|mark| own.marks.contains(mark)) else {
                continue;
            };
            let (users, whole) = self.who_reacted(channel, id, &in_address(emoji)).await?;
            for user in users.iter().filter(|user| **user != own.user) {
                let is_known = |known: &Reacted| {
                    known.emoji == mark && known.who.iter().any(|known| known.user == *user)
                };
                match known.iter().any(is_known) {
                    true => self.marks.told(id, &mark, user, true),
                    false => told(user, &mark, true),
                }
            }
            there.insert(mark, (users, whole));
        }
        for mark in known.iter().map(|known| &known.emoji) {
            // Asked again before it counts as taken back: the message was read a while ago. The address of an emoji of
            // the server's own is not known where nobody shows it.
            if !there.contains_key(mark) && !mark.starts_with(':') {
                let users = self.who_reacted(channel, id, mark).await?;
                there.insert(mark.clone(), users);
            }
        }
        for known in known {
            let (users, whole) = there
                .get(&known.emoji)
                .map_or((&[][..], true), |(users, whole)| (users, *whole));
            let stands = known.who.iter().any(|identity| users.contains(&identity.user));
            if let Some(first) = known.who.first().filter(|_| whole && !stands) {
                told(&first.user, &known.emoji, false);
            }
        }
        Ok(found)
    }
}
