//! Finding a channel that is there already, by what people type.

use serde_json::Value;

use super::DiscordChat;
use super::api::{Failure, Route, code};
use super::incoming::Own;
use super::manifest::allow;
use super::rights::{in_channel, in_server, missing};
use crate::chat::{Asker, Error, Found};

const TEXT_CHANNEL: u64 = 0;
/// What the bot does in a room, whoever made it.
const NEEDED: u64 = allow::VIEW_CHANNEL
    | allow::SEND_MESSAGES
    | allow::EMBED_LINKS
    | allow::ATTACH_FILES
    | allow::READ_MESSAGE_HISTORY
    | allow::CREATE_PUBLIC_THREADS
    | allow::SEND_MESSAGES_IN_THREADS
    | allow::PIN_MESSAGES;

fn gone(why: String) -> Error {
    Error::Gone { why }
}

/// The text channel that somebody means, among those they see.
fn meant<'a>(channels: &[&'a Value], typed: &str) -> Result<&'a Value, Error> {
    let name = typed.trim_matches(['<', '>', '#']);
    if let Some(found) = channels.iter().find(|channel| channel["id"] == name) {
        return match found["type"].as_u64() {
            Some(TEXT_CHANNEL) => Ok(found),
            _ => Err(gone(format!(
                "{typed} is no text channel, and a room has to be one"
            ))),
        };
    }
    let named = |channel: &&&Value| channel["type"] == TEXT_CHANNEL && channel["name"] == name;
    let mut named = channels.iter().filter(named);
    match (named.next(), named.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(gone(format!(
            "There are several channels named #{name}. Give the id of the one you mean: right-click it, Copy Channel ID"
        ))),
        (None, _) => Err(gone(format!("This server has no channel {typed}"))),
    }
}

/// Permissions in the channels of a server.
struct Rights<'a> {
    roles: &'a Value,
    guild: &'a str,
}

impl Rights<'_> {
    fn may(&self, member: &Value, user: &str, channel: &Value) -> u64 {
        let server = in_server(self.roles, member, self.guild);
        in_channel(server, channel, member, user, self.guild)
    }

    fn sees(&self, member: &Value, user: &str, channel: &Value) -> bool {
        self.may(member, user, channel) & allow::VIEW_CHANNEL != 0
    }

    /// Whether somebody with no role and no overwrite of their own sees it.
    fn all_see(&self, channel: &Value) -> bool {
        self.sees(&Value::Null, "", channel)
    }
}

impl DiscordChat {
    /// A channel of the server that the asker sees, if the bot may do its work there.
    pub(super) async fn find_channel(&self, typed: &str, asker: &Asker) -> Result<Found, Error> {
        let own = self.own().await?;
        let guild = &own.guild;
        let channels = self
            .api
            .get(Route::new("GET /guilds/{}/channels", &[guild]))
            .await?;
        let roles = self.api.get(Route::new("GET /guilds/{}/roles", &[guild])).await?;
        let rights = Rights { roles: &roles, guild };
        let mut askers = Vec::new();
        for who in asker.who.iter().filter(|who| who.workspace == *guild) {
            askers.push((who.user.as_str(), self.member(own, &who.user).await?));
        }
        let shown = |channel: &&Value| {
            let room = own.room(channel["id"].as_str().unwrap_or_default());
            let mut askers = askers.iter();
            rights.all_see(channel)
                || asker.reads.contains(&room)
                || askers.any(|(user, member)| rights.sees(member, user, channel))
        };
        let shown: Vec<&Value> = channels.as_array().into_iter().flatten().filter(shown).collect();
        let found = meant(&shown, typed)?;
        let name = format!("#{}", found["name"].as_str().unwrap_or_default());
        let itself = self.member(own, &own.user).await?;
        let lacking = missing(rights.may(&itself, &own.user, found), NEEDED);
        if !lacking.is_empty() {
            return Err(gone(format!(
                "Orderly may not do its work in {name}. In that channel's settings, give its role these permissions: {}. Then \
                 say this again",
                lacking.join(", ")
            )));
        }
        let archive = self.settings.archive.as_deref();
        Ok(Found {
            room: own.room(found["id"].as_str().unwrap_or_default()),
            name,
            readable: rights.all_see(found),
            joined: true,
            archived: archive.is_some() && found["parent_id"].as_str() == archive,
        })
    }

    /// A member of the server; nobody, if they have left it.
    async fn member(&self, own: &Own, user: &str) -> Result<Value, Failure> {
        let route = Route::new("GET /guilds/{}/members/{}", &[&own.guild, user]);
        match self.api.get(route).await {
            Err(failure) if failure.is(&[code::UNKNOWN_MEMBER, code::UNKNOWN_USER]) => Ok(Value::Null),
            found => found,
        }
    }
}
