//! Where things are said: a channel of its own, or a thread of one. A thread's room is its channel.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::Value;
use url::Url;

use crate::chat::lock;

/// Kinds of channels that are threads: of announcements, public, private.
const THREADS: [u64; 3] = [10, 11, 12];
/// Where links to messages lead; the test versions of the client stand before them.
const HOSTS: [&str; 2] = ["discord.com", "discordapp.com"];
/// Channels remembered; a server has 500, and 1000 threads that are not archived.
const PLACES_MAX: usize = 20_000;

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The channel that counts as the room.
    pub room: String,
    /// The thread in it.
    pub thread: Option<String>,
}

#[derive(Debug, Clone)]
struct Place {
    parent: Option<String>,
    name: String,
}

/// Channels and threads that Discord told of.
#[derive(Debug, Default)]
pub struct Places(Mutex<HashMap<String, Place>>);

/// Where a channel, as Discord describes it, belongs.
pub fn spot_of(channel: &Value) -> Option<Spot> {
    let id = channel["id"].as_str()?.to_owned();
    let is_thread = channel["type"]
        .as_u64()
        .is_some_and(|kind| THREADS.contains(&kind));
    match channel["parent_id"].as_str().filter(|_| is_thread) {
        Some(parent) => Some(Spot {
            room: parent.to_owned(),
            thread: Some(id),
        }),
        None => Some(Spot {
            room: id,
            thread: None,
        }),
    }
}

/// Server, channel and message of a link such as `https://discord.com/channels/1234/5678/9012`.
pub fn linked(link: &str) -> Option<(String, String, String)> {
    let link = Url::parse(link).ok()?;
    let host = link.host_str()?;
    if !HOSTS
        .iter()
        .any(|known| host == *known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')))
    {
        return None;
    }
    let mut path = link.path_segments()?;
    let channels = path.next()? == "channels";
    let mut id = || path.next().filter(|id| !id.is_empty()).map(str::to_owned);
    let found = (id()?, id()?, id()?);
    channels.then_some(found)
}

impl Places {
    pub fn learn(&self, channel: &Value) -> Option<Spot> {
        let spot = spot_of(channel)?;
        let place = Place {
            parent: spot.thread.is_some().then(|| spot.room.clone()),
            name: channel["name"].as_str().unwrap_or_default().to_owned(),
        };
        let mut all = lock(&self.0);
        if all.len() >= PLACES_MAX {
            all.clear();
        }
        all.insert(spot.thread.clone().unwrap_or_else(|| spot.room.clone()), place);
        Some(spot)
    }

    pub fn forget(&self, channel: &str) {
        lock(&self.0).remove(channel);
    }

    /// Where a channel belongs, if Discord told of it.
    pub fn spot(&self, channel: &str) -> Option<Spot> {
        let all = lock(&self.0);
        let place = all.get(channel)?;
        Some(match &place.parent {
            Some(parent) => Spot {
                room: parent.clone(),
                thread: Some(channel.to_owned()),
            },
            None => Spot {
                room: channel.to_owned(),
                thread: None,
            },
        })
    }

    pub fn name(&self, channel: &str) -> Option<String> {
        let all = lock(&self.0);
        all.get(channel)
            .map(|place| place.name.clone())
            .filter(|name| !name.is_empty())
    }
}
