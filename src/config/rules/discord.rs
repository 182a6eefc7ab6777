//! What `[discord]` must hold: ids, and an address to which a token may be sent.

use super::Rules;
use super::slack::is_safe;
use crate::config::Config;

/// Discord's ids are numbers of so many digits.
const ID_DIGITS: std::ops::RangeInclusive<usize> = 15..=20;

impl Rules<'_, '_> {
    pub(super) fn discord(&mut self, config: &Config) {
        let Some(discord) = &config.discord else { return };
        let ids = [
            ("guild", Some(&discord.guild)),
            ("category", Some(&discord.category)),
            ("archive_category", discord.archive_category.as_ref()),
            ("announce", discord.announce.as_ref()),
        ];
        for (name, id) in ids {
            if id.is_some_and(|id| !is_id(id)) {
                self.at(&format!("discord.{name}"), wanted(name));
            }
        }
        if discord.notify.iter().any(|id| !is_id(id)) {
            self.at("discord.notify", wanted("notify"));
        }
        for (role, ids) in &discord.roles {
            if ids.iter().any(|id| !is_id(id)) {
                let name = format!("roles.{}", role.word());
                self.at(&format!("discord.{name}"), wanted(&name));
            }
        }
        if !is_safe(&discord.api_url) {
            self.at(
                "discord.api_url",
                "`api_url` begins with https://, for the token is sent there; plain http:// only to this machine itself",
            );
        }
    }
}

fn is_id(text: &str) -> bool {
    ID_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn wanted(name: &str) -> String {
    format!(
        "`{name}` takes ids such as \"1234567890123456789\", which stay the same when something is renamed: switch on Developer \
         Mode in Discord (User Settings, Advanced), then right-click and Copy ID"
    )
}
