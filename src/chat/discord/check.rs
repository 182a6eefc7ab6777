//! What `orderly doctor` looks at: token, intents, permissions in the category, roles, the channel for announcements, and
//! whether the commands are those of this version.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use super::api::{Api, Failure, Route};
use super::manifest::{PERMISSIONS, invite};
use super::register::{Age, Registry, age};
use super::rights::{ADMINISTRATOR, channel, in_channel, in_server};
use super::{Settings, ids};
use crate::chat::Check;
use crate::clock::Clock;

/// The application may read messages: as one of many servers, or of a few.
const MESSAGE_CONTENT: u64 = (1 << 18) | (1 << 19);
/// Sessions left of a day below which something is restarting too often.
const SESSIONS_LOW: u64 = 100;
const CATEGORY: u64 = 4;
/// How the commands are put right.
const MEND: &str = "Run `orderly register discord`.";

fn wrong(what: impl Into<String>, mend: impl Into<String>) -> Check {
    Check::Wrong {
        what: what.into(),
        mend: mend.into(),
    }
}

/// Looks at everything, changes nothing. `command` is the name of the slash command.
pub async fn check(settings: &Settings, command: &str, clock: Arc<dyn Clock>) -> Vec<Check> {
    let api = match Api::new(&settings.api_url, &settings.token, Arc::clone(&clock)) {
        Ok(api) => api,
        Err(error) => {
            return vec![wrong(
                error.to_string(),
                "Look at the place that token points to.",
            )];
        }
    };
    let mut looking = Looking {
        api,
        clock,
        settings,
        found: Vec::new(),
    };
    looking.all(command).await;
    looking.found
}

struct Looking<'a> {
    api: Api,
    clock: Arc<dyn Clock>,
    settings: &'a Settings,
    found: Vec<Check>,
}

impl Looking<'_> {
    async fn all(&mut self, command: &str) {
        let application = match self.api.get(Route::new("GET /applications/@me", &[])).await {
            Ok(application) => application,
            Err(failure) => return self.found.push(no_token(&failure)),
        };
        let id = application["id"].as_str().unwrap_or_default().to_owned();
        let bot = application["bot"]["id"].as_str().unwrap_or(&id).to_owned();
        let name = application["name"].as_str().unwrap_or("the bot");
        self.found
            .push(Check::Fine(format!("signed in as {name} ({id})")));
        self.intents(&application);
        self.sessions().await;
        self.server(&id, &bot).await;
        self.registration(id, command).await;
    }

    fn intents(&mut self, application: &Value) {
        let flags = application["flags"].as_u64().unwrap_or_default();
        self.found.push(match flags & MESSAGE_CONTENT != 0 {
            true => Check::Fine("Message Content Intent is switched on".to_owned()),
            false => wrong(
                "Message Content Intent is switched off: Discord ends the connection with 4014",
                "Switch it on: developer portal, your application, page Bot, Privileged Gateway Intents.",
            ),
        });
        if application["interactions_endpoint_url"]
            .as_str()
            .is_some_and(|url| !url.is_empty())
        {
            self.found.push(wrong(
                "an Interactions Endpoint URL is set, so Discord sends no commands over the gateway",
                "Empty that field: developer portal, your application, page General Information.",
            ));
        }
    }

    async fn sessions(&mut self) {
        let Ok(answer) = self.api.get(Route::new("GET /gateway/bot", &[])).await else {
            return;
        };
        let limit = &answer["session_start_limit"];
        let mend = "Look in the log why the bot is started so often.";
        match limit["remaining"].as_u64() {
            Some(0) => {
                let reset = TimeDelta::milliseconds(limit["reset_after"].as_i64().unwrap_or_default());
                let when = (self.clock.now() + reset).format("%Y-%m-%d %H:%M UTC");
                let what = format!(
                    "no more sessions may be begun before {when}: the bot waits until then, for one more would reset the token"
                );
                self.found.push(wrong(what, mend));
            }
            Some(left) if left < SESSIONS_LOW => self.found.push(Check::Note {
                what: format!(
                    "only {left} sessions may be begun today; after the last, the bot waits for the next day"
                ),
                mend: mend.to_owned(),
            }),
            _ => {}
        }
    }

    async fn server(&mut self, application: &str, bot: &str) {
        let guild = &self.settings.guild;
        let mend = format!("Let the bot in: {}", invite(application, Some(guild)));
        let asked = [
            Route::new("GET /guilds/{}/roles", &[guild]),
            Route::new("GET /guilds/{}/members/{}", &[guild, bot]),
            Route::new("GET /guilds/{}/channels", &[guild]),
        ];
        let mut answers = Vec::new();
        for route in asked {
            match self.api.get(route).await {
                Ok(answer) => answers.push(answer),
                Err(failure) => {
                    return self.found.push(wrong(
                        format!("the bot is not in the server {guild}: {failure}"),
                        mend,
                    ));
                }
            }
        }
        let [roles, member, channels] = &answers[..] else {
            return;
        };
        self.permissions(roles, member, channels, bot, &mend);
        self.channels(channels);
        self.roles(roles);
    }

    fn permissions(&mut self, roles: &Value, member: &Value, channels: &Value, bot: &str, mend: &str) {
        let server = in_server(roles, member, &self.settings.guild);
        let category = channel(channels, &self.settings.category);
        let here = match category {
            Some(category) => in_channel(server, category, member, bot, &self.settings.guild),
            None => server,
        };
        if server & ADMINISTRATOR != 0 {
            self.found.push(Check::Note {
                what: "the bot is an administrator of the server, which is more than it needs".to_owned(),
                mend: "Take that permission from its role; `orderly manifest discord` lists those it needs."
                    .to_owned(),
            });
            return;
        }
        let missing: Vec<String> = PERMISSIONS
            .iter()
            .filter(|(bit, ..)| here & bit == 0)
            .map(|(_, name, why)| format!("{name} ({why})"))
            .collect();
        self.found.push(match missing.is_empty() {
            true => Check::Fine("all permissions are there, in the category too".to_owned()),
            false => wrong(
                format!("permissions are missing in the category: {}", missing.join(", ")),
                format!("Grant them to the bot's role, in the category's settings too. {mend}"),
            ),
        });
    }

    fn channels(&mut self, channels: &Value) {
        let id = &self.settings.category;
        let inside = channels.as_array().into_iter().flatten();
        let inside = inside
            .filter(|channel| channel["parent_id"] == id.as_str())
            .count();
        self.found.push(match channel(channels, id) {
            Some(category) if category["type"] == CATEGORY && inside < 50 => Check::Fine(format!(
                "rooms open in {} ({inside} of 50 channels)",
                category["name"].as_str().unwrap_or(id)
            )),
            Some(category) if category["type"] == CATEGORY => Check::Note {
                what: "the category is full; new rooms open outside of it".to_owned(),
                mend: "Set archive_category in [discord], move old rooms elsewhere, or delete them.".to_owned(),
            },
            Some(_) => wrong(
                format!("category = {id} is no category"),
                "Take the id of a category: right-click it, Copy Channel ID (Developer Mode in the app's settings).",
            ),
            None => wrong(
                format!("category = {id} is not there, or the bot may not see it"),
                "Name another one in [discord], or let the bot see it.",
            ),
        });
        for (name, id) in [
            ("announce", &self.settings.announce),
            ("archive_category", &self.settings.archive),
        ] {
            let Some(id) = id else { continue };
            self.found.push(match channel(channels, id) {
                Some(there) => Check::Fine(format!("{name} is {}", there["name"].as_str().unwrap_or(id))),
                None => wrong(
                    format!("{name} = {id} is not there, or the bot may not see it"),
                    "Name another channel in [discord], or let the bot see it.",
                ),
            });
        }
    }

    fn roles(&mut self, roles: &Value) {
        let wanted = self.settings.roles.iter().chain(&self.settings.notify);
        let mut missing: Vec<&str> = wanted.filter(|id| !has(roles, id)).map(String::as_str).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            self.found.push(wrong(
                format!("the server has no role {}", missing.join(", ")),
                "Take its id: Server Settings, Roles, right-click, Copy Role ID. Then mend roles or notify in [discord].",
            ));
        } else if !self.settings.roles.is_empty() {
            self.found.push(Check::Fine(format!(
                "{} roles of the server give roles here",
                self.settings.roles.len()
            )));
        }
    }

    async fn registration(&mut self, application: String, command: &str) {
        let mut known = Vec::new();
        for guild in [Some(self.settings.guild.clone()), None] {
            let registry = Registry {
                api: &self.api,
                application: application.clone(),
                guild,
            };
            let found = registry.known().await.unwrap_or_default();
            if !found.is_empty() && !known.is_empty() {
                self.found.push(wrong(
                    "the commands are registered in the server and everywhere, so people are shown each of them twice",
                    MEND,
                ));
            }
            known.extend(found);
        }
        let on = |since: Option<chrono::DateTime<chrono::Utc>>| {
            since.map_or(String::new(), |since| {
                format!(" since {}", since.format("%Y-%m-%d %H:%M UTC"))
            })
        };
        self.found.push(match age(&known, command) {
            Age::Current(since) => Check::Fine(format!(
                "/{command} is registered as this version has it{}",
                on(since)
            )),
            Age::Old(since) => wrong(
                format!("/{command} is registered as another version had it{}", on(since)),
                MEND,
            ),
            Age::Missing => wrong(format!("/{command} is not registered"), MEND),
        });
    }
}

fn no_token(failure: &Failure) -> Check {
    match failure {
        Failure::Code { .. } => wrong(
            format!("the token does not work: {failure}"),
            "Reset it on the page Bot of the developer portal, and put the new one where token points.",
        ),
        _ => wrong(
            format!("Discord cannot be reached: {failure}"),
            "Look at the network and any proxy between.",
        ),
    }
}

fn has(roles: &Value, id: &str) -> bool {
    ids::is_id(id)
        && roles
            .as_array()
            .is_some_and(|roles| roles.iter().any(|role| role["id"] == id))
}
