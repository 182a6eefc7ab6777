//! Discord, as far as it can be looked at from here.

use std::sync::Arc;

use super::Finding;
use crate::app;
use crate::clock::SystemClock;
use crate::config::Config;

pub async fn look(config: &Config, findings: &mut Vec<Finding>) {
    const ABOUT: &str = "discord";
    let settings = match app::discord_settings(config) {
        Ok(Some(settings)) => settings,
        Ok(None) => return,
        Err(error) => {
            findings.push(
                Finding::wrong(ABOUT, error.to_string())
                    .mend("README, \"Discord: from nothing to the first incident\"."),
            );
            return;
        }
    };
    let checks = crate::chat::discord::check(&settings, &config.command, Arc::new(SystemClock)).await;
    findings.extend(checks.into_iter().map(|check| Finding::of(ABOUT, check)));
}
