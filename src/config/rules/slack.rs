//! Slack: each way in needs its own secret, and tokens travel over TLS.

use url::{Host, Url};

use super::Rules;
use crate::config::Config;
use crate::config::settings::Transport;

impl Rules<'_, '_> {
    pub(super) fn slack(&mut self, config: &Config) {
        let Some(slack) = &config.slack else { return };
        match slack.transport {
            Transport::Socket if slack.app_token.is_none() => self.at(
                "slack.transport",
                "Socket Mode needs an app-level token: app_token = { env = \"SLACK_APP_TOKEN\" }. Slack makes one under \
                 Basic Information, App-Level Tokens, with the scope connections:write",
            ),
            Transport::Http if slack.signing_secret.is_none() => self.at(
                "slack.transport",
                "requests over HTTP are told from forged ones by the signing secret: signing_secret = { env = \
                 \"SLACK_SIGNING_SECRET\" }. Slack shows it under Basic Information, App Credentials",
            ),
            Transport::Socket | Transport::Http => {}
        }
        if slack
            .announce
            .as_deref()
            .is_some_and(|channel| !is_channel(channel))
        {
            self.at(
                "slack.announce",
                "`announce` is the id of a channel, such as C0123ABCD: it stands at the end of the channel's details, and \
                 stays the same when the channel is renamed",
            );
        }
        if !is_safe(&slack.api_url) {
            self.at(
                "slack.api_url",
                "`api_url` begins with https://, for the tokens are sent there; plain http:// only to this machine itself",
            );
        }
    }
}

fn is_channel(id: &str) -> bool {
    id.len() > 1
        && id.starts_with(['C', 'G'])
        && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// Whether tokens may be sent to this address.
pub(super) fn is_safe(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}
