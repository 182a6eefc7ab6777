//! Making the room of an incident: a channel in the category, seen by whom it concerns, found again when a crash left it
//! half made.

use serde_json::{Value, json};

use super::api::{Failure, Route, code};
use super::ids::nonce;
use super::incoming::Own;
use super::manifest::{allow, permissions};
use super::rights::bits;
use super::{DiscordChat, PLATFORM};
use crate::chat::{Block, Error, Message, RoomSpec};
use crate::incident::{Identity, RoomRef};
use crate::text::cut;

const NAME_MAX: usize = 100;
const TOPIC_MAX: usize = 1024;
/// Channels in a category.
const CATEGORY_MAX: usize = 50;
/// Overwrites that are sent with a new channel.
const OVERWRITES_MAX: usize = 100;
const TEXT_CHANNEL: u8 = 0;
/// An overwrite is for a role, or for a member.
const FOR_ROLE: u8 = 0;
const FOR_MEMBER: u8 = 1;

/// A name as Discord shows it: small letters, digits, dashes.
pub fn channel_name(wanted: &str) -> String {
    let kept = |c: char| match c {
        c if c.is_alphanumeric() || c == '-' || c == '_' => c,
        _ => '-',
    };
    let name: String = wanted.to_lowercase().chars().map(kept).take(NAME_MAX).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "incident".to_owned()
    } else {
        name.to_owned()
    }
}

/// A topic with the key of the room under creation at its end.
fn keyed_topic(topic: &str, key: &str) -> String {
    let mark = format!(" [{key}]");
    format!("{}{mark}", cut(topic, TOPIC_MAX - mark.len(), "…").shown)
}

pub fn topic(text: &str) -> String {
    cut(text, TOPIC_MAX, "…").shown.into_owned()
}

/// One overwrite; permissions travel as text. A bot can give and take only what it has, and one bit more would refuse all
/// of them.
fn overwrite(id: &str, kind: u8, allow: u64, deny: u64) -> Value {
    let ours = permissions();
    json!({ "id": id, "type": kind, "allow": (allow & ours).to_string(), "deny": (deny & ours).to_string() })
}

/// Who sees the room: those whom the category lets in, or nobody but the invited.
fn overwrites(own: &Own, spec: &RoomSpec, category: Option<&Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    if spec.private {
        all.push(overwrite(&own.guild, FOR_ROLE, 0, allow::VIEW_CHANNEL));
    } else {
        let inherited = category.and_then(|category| category["permission_overwrites"].as_array());
        all.extend(inherited.into_iter().flatten().map(|known| {
            let kind = if known["type"] == 1 { FOR_MEMBER } else { FOR_ROLE };
            let id = known["id"].as_str().unwrap_or_default();
            overwrite(id, kind, bits(&known["allow"]), bits(&known["deny"]))
        }));
    }
    put(&mut all, overwrite(&own.user, FOR_MEMBER, allow::ITSELF, 0));
    for who in ours(own, &spec.invite) {
        put(&mut all, overwrite(&who.user, FOR_MEMBER, allow::INVITED, 0));
    }
    all.truncate(OVERWRITES_MAX);
    all
}

/// One overwrite for each role and member.
fn put(all: &mut Vec<Value>, new: Value) {
    all.retain(|known| known["id"] != new["id"]);
    all.push(new);
}

fn ours<'a>(own: &Own, people: &'a [Identity]) -> impl Iterator<Item = &'a Identity> {
    let guild = own.guild.clone();
    people
        .iter()
        .filter(move |who| who.platform == PLATFORM && who.workspace == guild)
}

impl DiscordChat {
    pub(super) async fn make_room(&self, key: &str, spec: &RoomSpec) -> Result<RoomRef, Error> {
        let own = self.own().await?;
        let mark = nonce(key);
        let listed = self
            .api
            .get(Route::new("GET /guilds/{}/channels", &[&own.guild]))
            .await?;
        let channels = listed.as_array().map(Vec::as_slice).unwrap_or_default();
        let ends = format!("[{mark}]");
        let there = channels.iter().find(|channel| {
            channel["topic"]
                .as_str()
                .is_some_and(|topic| topic.ends_with(&ends))
        });
        if let Some(id) = there.and_then(|channel| channel["id"].as_str()) {
            return Ok(own.room(id));
        }
        let category = channels
            .iter()
            .find(|channel| channel["id"] == self.settings.category.as_str());
        if category.is_none() {
            return Err(Error::Gone {
                why: format!(
                    "the category {} is not there, or the bot may not see it: look at category in [discord], and run `orderly \
                     doctor`",
                    self.settings.category
                ),
            });
        }
        let inside = channels
            .iter()
            .filter(|channel| channel["parent_id"] == self.settings.category.as_str());
        let full = inside.count() >= CATEGORY_MAX;
        let mut body = json!({
            "name": channel_name(&spec.name),
            "type": TEXT_CHANNEL,
            "topic": keyed_topic(&spec.topic, &mark),
            "permission_overwrites": overwrites(own, spec, category),
        });
        let (id, outside) = match full {
            true => (self.create_channel(own, &body).await?, true),
            false => {
                body["parent_id"] = json!(self.settings.category);
                match self.create_channel(own, &body).await {
                    // Somebody was faster: another channel took the last place.
                    Err(failure) if about_the_category(&failure) => {
                        if let Some(body) = body.as_object_mut() {
                            body.remove("parent_id");
                        }
                        (self.create_channel(own, &body).await?, true)
                    }
                    created => (created?, false),
                }
            }
        };
        self.posts.fresh(&id);
        if outside {
            self.tell_outside(own, key, &id).await;
        }
        Ok(own.room(&id))
    }

    async fn create_channel(&self, own: &Own, body: &Value) -> Result<String, Failure> {
        let route = Route::new("POST /guilds/{}/channels", &[&own.guild]);
        let created = self.api.call(route, body).await?;
        self.places.learn(&created);
        Ok(created["id"].as_str().unwrap_or_default().to_owned())
    }

    /// A room that had no place in the category is as good as any, and somebody has to make space.
    async fn tell_outside(&self, own: &Own, key: &str, channel: &str) {
        let words = "The category for incidents is full (50 channels), so this room stands outside of it, with the same \
                     people in it. Move old rooms elsewhere or delete them when there is time.";
        let message = Message {
            fallback: words.to_owned(),
            blocks: vec![Block::Text { text: words.into() }],
        };
        let posted = self
            .post_once(own, &format!("{key}/outside"), channel, &message)
            .await;
        if let Err(failure) = posted {
            tracing::warn!(%failure, "it could not be said that the category is full");
        }
    }

    /// Lets people in one after the other, so that somebody unknown does not keep the others out.
    pub(super) async fn bring_in(
        &self,
        own: &Own,
        channel: &str,
        people: &[Identity],
    ) -> Result<(), Failure> {
        for who in ours(own, people) {
            let route = Route::new("PUT /channels/{}/permissions/{}", &[channel, &who.user]);
            let body = json!({
                "type": FOR_MEMBER,
                "allow": allow::INVITED.to_string(),
                "deny": "0",
            });
            match self.api.call(route, &body).await {
                Ok(_) => {}
                // The room itself is in trouble, and so is everybody else's invitation.
                Err(failure)
                    if failure.is(&[code::UNKNOWN_CHANNEL, code::NO_ACCESS, code::NO_PERMISSION]) =>
                {
                    return Err(failure);
                }
                Err(failure @ Failure::Code { .. }) => {
                    tracing::warn!(%failure, user = who.user, "somebody could not be let in");
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Discord knows no archive: the room becomes one to read, and moves where old rooms are kept.
    pub(super) async fn close_room(&self, own: &Own, channel: &str) -> Result<(), Failure> {
        let found = self.api.get(Route::new("GET /channels/{}", &[channel])).await;
        let found = match found {
            Err(failure) if failure.is(&[code::UNKNOWN_CHANNEL]) => return Ok(()),
            found => found?,
        };
        let known = found["permission_overwrites"].as_array();
        let mut all: Vec<Value> = Vec::new();
        for one in known.into_iter().flatten() {
            let kind = if one["type"] == 1 { FOR_MEMBER } else { FOR_ROLE };
            let id = one["id"].as_str().unwrap_or_default();
            let allowed = bits(&one["allow"]) & !allow::TALKING;
            all.push(overwrite(id, kind, allowed, bits(&one["deny"])));
        }
        let everyone = all.iter().find(|one| one["id"] == own.guild.as_str());
        let denied = everyone.map_or(0, |one| bits(&one["deny"])) | allow::TALKING;
        let allowed = everyone.map_or(0, |one| bits(&one["allow"]));
        put(&mut all, overwrite(&own.guild, FOR_ROLE, allowed, denied));
        // The bot still brings the card up to date.
        put(&mut all, overwrite(&own.user, FOR_MEMBER, allow::ITSELF, 0));
        let mut body = json!({ "permission_overwrites": all });
        if let Some(archive) = &self.settings.archive {
            body["parent_id"] = json!(archive);
        }
        self.change_place(channel, body, "old rooms").await
    }

    /// People talk again in a room that was closed, and it comes back to where rooms are opened.
    pub(super) async fn open_again(&self, own: &Own, channel: &str) -> Result<(), Error> {
        let found = self.api.get(Route::new("GET /channels/{}", &[channel])).await?;
        let category = Route::new("GET /channels/{}", &[&self.settings.category]);
        let category = match self.api.get(category).await {
            Ok(category) => category,
            // Without it a room is as good as any.
            Err(Failure::Code { .. }) => Value::Null,
            Err(failure) => return Err(failure.into()),
        };
        let mut body = json!({ "permission_overwrites": opened(own, &found, &category) });
        let archived = self.settings.archive.as_deref();
        if archived.is_some() && found["parent_id"].as_str() == archived && !category.is_null() {
            body["parent_id"] = json!(self.settings.category);
        }
        Ok(self.change_place(channel, body, "incidents").await?)
    }

    /// Changes a room and moves it to a category, or leaves it where it is if there is no place.
    async fn change_place(&self, channel: &str, mut body: Value, rooms: &str) -> Result<(), Failure> {
        let route = || Route::new("PATCH /channels/{}", &[channel]);
        match self.api.call(route(), &body).await {
            Err(failure) if about_the_category(&failure) => {
                tracing::warn!("the category for {rooms} is full or gone; a room stays where it is");
                if let Some(body) = body.as_object_mut() {
                    body.remove("parent_id");
                }
                self.api.call(route(), &body).await.map(drop)
            }
            done => done.map(drop),
        }
    }
}

/// The overwrite of a channel, or of its category, for somebody.
fn overwrite_of<'a>(channel: &'a Value, id: &str) -> Option<&'a Value> {
    let mut all = channel["permission_overwrites"].as_array()?.iter();
    all.find(|one| one["id"] == id)
}

/// The overwrites of a room that people may talk in again: as a new room in the category would have them, for all who
/// were let in.
fn opened(own: &Own, closed: &Value, category: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for one in closed["permission_overwrites"].as_array().into_iter().flatten() {
        let id = one["id"].as_str().unwrap_or_default();
        let (mut allowed, mut denied) = (bits(&one["allow"]), bits(&one["deny"]));
        let known = overwrite_of(category, id);
        if one["type"] == 1 {
            if allowed & allow::VIEW_CHANNEL != 0 {
                allowed |= allow::INVITED & allow::TALKING;
            }
            all.push(overwrite(id, FOR_MEMBER, allowed, denied));
            continue;
        }
        allowed |= known.map_or(0, |known| bits(&known["allow"])) & allow::TALKING;
        if id == own.guild {
            denied &= !allow::TALKING;
            denied |= known.map_or(0, |known| bits(&known["deny"])) & allow::TALKING;
        }
        all.push(overwrite(id, FOR_ROLE, allowed, denied));
    }
    put(&mut all, overwrite(&own.user, FOR_MEMBER, allow::ITSELF, 0));
    all
}

/// The category is full, or there no more.
fn about_the_category(failure: &Failure) -> bool {
    matches!(failure, Failure::Code { code: code::BAD_FORM, words, .. } if words.contains("parent_id"))
}
