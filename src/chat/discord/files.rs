//! Reading a file that somebody attached. Its address is asked anew each time, because Discord's addresses run out.

use url::Url;

use super::DiscordChat;
use super::api::Route;
use super::ids::place;
use crate::chat::attached::{self, gone};
use crate::chat::{Error, FileRef};
use crate::incident::MessageRef;

/// Where Discord keeps files.
const HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];

impl DiscordChat {
    pub(super) async fn bytes_of(
        &self,
        at: &MessageRef,
        file: &FileRef,
        most: usize,
    ) -> Result<Vec<u8>, Error> {
        let (channel, message) = place(&at.room.room, &at.message);
        let route = Route::new("GET /channels/{}/messages/{}", &[channel, message]);
        let message = self.api.get(route).await?;
        let mut files = message["attachments"].as_array().into_iter().flatten();
        let found = files.find(|known| known["id"] == file.id.as_str());
        let address = found.and_then(|found| Url::parse(found["url"].as_str()?).ok());
        let address = address.ok_or_else(|| gone("Discord has it no more"))?;
        if !self.is_of_discord(&address) {
            return Err(gone(
                "it lies outside of Discord; keep a copy where it can be linked",
            ));
        }
        // Its address is the permission: no token goes there.
        let answer = attached::asked("Discord", self.files_client.get(address)).await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(gone(format!("Discord does not hand it out: HTTP {status}")));
        }
        attached::bytes(answer, most).await
    }

    /// Discord's own stores, or the stand-in that the config names.
    fn is_of_discord(&self, address: &Url) -> bool {
        let api = Url::parse(&self.settings.api_url).ok();
        let as_api = api.is_some_and(|api| api.origin() == address.origin());
        let of_discord =
            address.scheme() == "https" && address.host_str().is_some_and(|host| HOSTS.contains(&host));
        as_api || of_discord
    }
}
