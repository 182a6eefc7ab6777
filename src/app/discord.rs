//! Discord, joined to the engine.

use std::sync::Arc;

use super::people::Known;
use super::{App, Error};
use crate::chat::discord::{DiscordChat, Settings};
use crate::clock::Clock;
use crate::config::{Config, process_env};

/// The adapter as the config describes it; `None` where it names no server.
pub fn adapter(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Arc<DiscordChat>>, Error> {
    let Some(settings) = settings(config)? else {
        return Ok(None);
    };
    let chat = DiscordChat::new(settings, clock).map_err(|error| Error::Discord(error.to_string()))?;
    Ok(Some(chat))
}

/// What the config says, with its secret read.
pub fn settings(config: &Config) -> Result<Option<Settings>, Error> {
    let Some(discord) = &config.discord else {
        return Ok(None);
    };
    let token = discord.token.read(&process_env);
    let token = token.map_err(|why| Error::Discord(format!("[discord] token: {why}")))?;
    let reactions = &config.reactions;
    Ok(Some(Settings {
        api_url: discord.api_url.trim_end_matches('/').to_owned(),
        token: token.trim().to_owned(),
        guild: discord.guild.clone(),
        category: discord.category.clone(),
        archive: discord.archive_category.clone(),
        announce: discord.announce.clone(),
        notify: discord.notify.clone(),
        roles: discord.roles.values().flatten().cloned().collect(),
        marks: vec![
            reactions.timeline.clone(),
            reactions.task.clone(),
            reactions.followup.clone(),
        ],
        page: config.web.public_url.is_some().then(|| config.base_url()),
    }))
}

impl App {
    pub(super) fn join_discord(&self) {
        let Some(discord) = &self.discord else { return };
        let config = self.joined.config();
        let roles = config.discord.as_ref().map(|discord| discord.roles.clone());
        let known = Known::with_roles(self.engine.clone(), roles.unwrap_or_default(), config);
        discord.connect(Arc::new(self.engine.clone()), Arc::new(known));
    }

    pub(super) fn listen_to_discord(&self) {
        if let Some(discord) = &self.discord {
            discord.listen();
        }
    }
}
