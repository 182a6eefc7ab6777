//! Reading a file that somebody attached. Its address is asked anew each time, because Discord's addresses run out.

use url::Url;

use super::DiscordChat;
use super::api::Route;
use super::gateway::is_discord_s_own;
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

    fn is_of_discord(&self, address: &Url) -> bool {
        may_be_read(address, &self.settings.api_url)
    }
}

/// Discord's own stores; where the config names a stand-in as the API, that very host and nothing else.
fn may_be_read(address: &Url, api: &str) -> bool {
    let Ok(api) = Url::parse(api) else { return false };
    let is_discord =
        address.scheme() == "https" && address.host_str().is_some_and(|host| HOSTS.contains(&host));
    match is_discord_s_own(&api) {
        true => is_discord,
        false => api.origin() == address.origin(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_fetched_from_discord_or_from_the_stand_in_and_from_nowhere_else() {
        let may = |address: &str, api: &str| may_be_read(&Url::parse(address).expect("an address"), api);
        let real = "https://discord.com/api/v10";
        assert!(may("https://cdn.discordapp.com/attachments/1/2/a.log?ex=1", real));
        for elsewhere in [
            "http://cdn.discordapp.com/attachments/1/2/a.log",
            "https://cdn.discordapp.com.example.com/a.log",
            "http://127.0.0.1:4000/a.log",
            "https://discord.com/a.log",
        ] {
            assert!(!may(elsewhere, real), "{elsewhere}");
        }
        let stand_in = "http://127.0.0.1:4000/api/v10";
        assert!(may("http://127.0.0.1:4000/attachments/1/2/a.log", stand_in));
        assert!(!may("http://127.0.0.1:4001/a.log", stand_in));
        assert!(
            !may("https://cdn.discordapp.com/attachments/1/2/a.log", stand_in),
            "nothing leaves for the real one"
        );
    }
}
