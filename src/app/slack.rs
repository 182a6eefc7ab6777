//! Slack, joined to the engine.

use std::sync::Arc;

use axum::Router;

use super::people::Known;
use super::{App, Error};
use crate::chat::slack::{Settings, SlackChat};
use crate::clock::Clock;
use crate::config::{Config, Reference, Transport, process_env};

/// The adapter as the config describes it; `None` where it names no workspace.
pub fn adapter(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Arc<SlackChat>>, Error> {
    let Some(settings) = settings(config)? else {
        return Ok(None);
    };
    let chat = SlackChat::new(settings, clock).map_err(|error| Error::Slack(error.to_string()))?;
    Ok(Some(chat))
}

/// What the config says, with its secrets read.
pub fn settings(config: &Config) -> Result<Option<Settings>, Error> {
    let Some(slack) = &config.slack else {
        return Ok(None);
    };
    let read = |name: &str, place: &Reference| {
        let secret = place.read(&process_env);
        secret.map_err(|why| Error::Slack(format!("[slack] {name}: {why}")))
    };
    let optional = |name: &str, place: &Option<Reference>| -> Result<Option<String>, Error> {
        place.as_ref().map(|place| read(name, place)).transpose()
    };
    let reactions = &config.reactions;
    Ok(Some(Settings {
        api_url: slack.api_url.trim_end_matches('/').to_owned(),
        bot_token: read("bot_token", &slack.bot_token)?,
        app_token: match slack.transport {
            Transport::Socket => optional("app_token", &slack.app_token)?,
            Transport::Http => None,
        },
        signing_secret: match slack.transport {
            Transport::Http => optional("signing_secret", &slack.signing_secret)?,
            Transport::Socket => None,
        },
        connections: slack.connections as usize,
        announce: slack.announce.clone(),
        groups: config
            .group
            .iter()
            .filter(|group| group.platform == "slack")
            .map(|group| group.group.clone())
            .collect(),
        marks: vec![
            reactions.timeline.clone(),
            reactions.task.clone(),
            reactions.followup.clone(),
        ],
        page: config.web.public_url.is_some().then(|| config.base_url()),
    }))
}

impl App {
    pub(super) fn join_slack(&self) {
        if let Some(slack) = &self.slack {
            let known = Arc::new(Known::new(self.engine.clone()));
            slack.connect(Arc::new(self.engine.clone()), known);
        }
    }

    pub(super) fn listen_to_slack(&self) {
        let Some(slack) = &self.slack else { return };
        match self.joined.config().slack_over_http() {
            true => slack.catch_up_once(),
            false => slack.listen(),
        }
    }

    /// The addresses that Slack calls, if it is to call us.
    pub(super) fn platform_routes(&self) -> Router {
        match &self.slack {
            Some(slack) if self.joined.config().slack_over_http() => slack.routes(),
            _ => Router::new(),
        }
    }
}
