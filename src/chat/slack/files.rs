//! Reading a file that somebody attached, with the bot's own token: nothing is ever made public for it.

use serde_json::Value;
use url::Url;

use super::SlackChat;
use crate::chat::attached::{self, gone};
use crate::chat::{Error, FileRef};

impl SlackChat {
    pub(super) async fn bytes_of(&self, file: &FileRef, most: usize) -> Result<Vec<u8>, Error> {
        let info = self.api.get("files.info", &[("file", file.id.clone())]).await?;
        let info = &info["file"];
        let address = address(info).ok_or_else(|| gone("Slack has it no more, or it lies elsewhere"))?;
        if !self.may_have_the_token(&address) {
            return Err(gone(
                "it lies outside of Slack; keep a copy where it can be linked",
            ));
        }
        let request = self.files_client.get(address);
        let answer = attached::asked("Slack", request.bearer_auth(&self.settings.bot_token)).await?;
        let status = answer.status();
        // Whoever may not read it is led to where people sign in, which answers as if all were well.
        let kind = answer.headers().get(reqwest::header::CONTENT_TYPE);
        let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if !status.is_success() || (is_page && !file.media_type.starts_with("text/html")) {
            return Err(gone(format!(
                "the bot may not read it (HTTP {status}); it needs the scope files:read and must be in the channel"
            )));
        }
        attached::bytes(answer, most).await
    }

    /// The token goes to Slack and to nobody else, whatever an answer says.
    fn may_have_the_token(&self, address: &Url) -> bool {
        let api = Url::parse(&self.settings.api_url).ok();
        let as_api = api.is_some_and(|api| api.origin() == address.origin());
        let of_slack = address.scheme() == "https"
            && address
                .host_str()
                .is_some_and(|host| host == "slack.com" || host.ends_with(".slack.com"));
        as_api || of_slack
    }
}

fn address(info: &Value) -> Option<Url> {
    let text = info["url_private_download"]
        .as_str()
        .or_else(|| info["url_private"].as_str())?;
    Url::parse(text).ok().filter(|_| info["is_external"] != true)
}
