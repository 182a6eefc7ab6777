//! Finding a channel that is there already, by what people type.

use serde_json::Value;

use super::DiscordChat;
use super::api::Route;
use super::manifest::allow;
use super::rights::{channel, in_channel, in_server, missing};
use crate::chat::{Error, Found};

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

/// The text channel that somebody means.
fn meant<'a>(channels: &'a Value, typed: &str) -> Result<&'a Value, Error> {
    let name = typed.trim_matches(['<', '>', '#']);
    if let Some(found) = channel(channels, name) {
        return match found["type"].as_u64() {
            Some(TEXT_CHANNEL) => Ok(found),
            _ => Err(gone(format!(
                "{typed} is no text channel, and a room has to be one"
            ))),
        };
    }
    let texts = channels.as_array().into_iter().flatten();
    let mut named = texts.filter(|channel| channel["type"] == TEXT_CHANNEL && channel["name"] == name);
    match (named.next(), named.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(gone(format!(
            "there are several channels named #{name}. Give the id of the one you mean: right-click it, Copy Channel ID"
        ))),
        (None, _) => Err(gone(format!("this server has no channel {typed}"))),
    }
}

impl DiscordChat {
    /// A channel of the server, if the bot may do its work there.
    pub(super) async fn find_channel(&self, typed: &str) -> Result<Found, Error> {
        let own = self.own().await?;
        let guild = &own.guild;
        let channels = self
            .api
            .get(Route::new("GET /guilds/{}/channels", &[guild]))
            .await?;
        let found = meant(&channels, typed)?;
        let name = format!("#{}", found["name"].as_str().unwrap_or_default());
        let roles = self.api.get(Route::new("GET /guilds/{}/roles", &[guild])).await?;
        let member = Route::new("GET /guilds/{}/members/{}", &[guild, &own.user]);
        let member = self.api.get(member).await?;
        let may = |member: &Value, user: &str| {
            let server = in_server(&roles, member, guild);
            in_channel(server, found, member, user, guild)
        };
        let lacking = missing(may(&member, &own.user), NEEDED);
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
            // Somebody with no role and no overwrite of their own.
            readable: may(&Value::Null, "") & allow::VIEW_CHANNEL != 0,
            joined: true,
            archived: archive.is_some() && found["parent_id"].as_str() == archive,
        })
    }
}
