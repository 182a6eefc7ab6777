//! Slack, as far as it can be looked at from here.

use super::Finding;
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;

pub async fn look(config: &Config, findings: &mut Vec<Finding>) {
    const ABOUT: &str = "slack";
    let settings = match app::slack_settings(config) {
        Ok(Some(settings)) => settings,
        Ok(None) => return,
        Err(error) => {
            findings.push(
                Finding::wrong(ABOUT, error.to_string())
                    .mend("README, \"Slack: from nothing to the first incident\"."),
            );
            return;
        }
    };
    if config.slack_over_http() && config.web.public_url.is_none() {
        findings.push(
            Finding::wrong(ABOUT, "transport is http, and nothing says where Slack reaches this bot").mend(
                "Set public_url = \"https://…\" in [web] and create the app with `orderly manifest slack`, or use \
                 transport = \"socket\".",
            ),
        );
    }
    let checks = crate::chat::slack::check(&settings, SystemClock.now()).await;
    findings.extend(checks.into_iter().map(|check| Finding::of(ABOUT, check)));
}
