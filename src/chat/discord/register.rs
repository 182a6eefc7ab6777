//! Telling Discord the commands: only those that changed, since it counts how many are made in a day; and in one place only,
//! since it shows those of a server beside those of everywhere.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::api::{Api, Failure, Route};
use super::typed::commands;
use super::{Settings, ids};
use crate::chat::Error;
use crate::clock::Clock;

/// Who sees the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The configured server; at once.
    Guild,
    /// Every server in which the bot is; an hour later at most.
    Everywhere,
}

/// What became of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    Unchanged(String),
    Made(String),
    Changed(String),
    Removed(String),
    /// It was known in the other scope as well: people were shown it twice.
    Doubled(String),
}

/// Makes Discord know the commands of this version under this name.
pub async fn register(
    settings: &Settings,
    name: &str,
    scope: Scope,
    clock: Arc<dyn Clock>,
) -> Result<Vec<Registered>, Error> {
    let api = Api::new(&settings.api_url, &settings.token, clock).map_err(|error| Error::Gone {
        why: error.to_string(),
    })?;
    Ok(carried_out(&api, settings, name, scope).await?)
}

async fn carried_out(
    api: &Api,
    settings: &Settings,
    name: &str,
    scope: Scope,
) -> Result<Vec<Registered>, Failure> {
    let application = application(api).await?;
    let registry = Registry {
        api,
        application,
        guild: (scope == Scope::Guild).then(|| settings.guild.clone()),
    };
    let known = registry.known().await?;
    let mut done = Vec::new();
    for wanted in commands(name) {
        let label = name_of(&wanted);
        let there = known.iter().find(|there| same(there, &wanted));
        done.push(match there {
            Some(there) if plain(there) == plain(&wanted) => Registered::Unchanged(label),
            Some(_) => {
                registry.make(&wanted).await?;
                Registered::Changed(label)
            }
            None => {
                registry.make(&wanted).await?;
                Registered::Made(label)
            }
        });
    }
    let wanted = commands(name);
    for old in known
        .iter()
        .filter(|old| !wanted.iter().any(|wanted| same(old, wanted)))
    {
        registry.remove(old["id"].as_str().unwrap_or_default()).await?;
        done.push(Registered::Removed(name_of(old)));
    }
    let elsewhere = Registry {
        guild: (scope == Scope::Everywhere).then(|| settings.guild.clone()),
        ..registry
    };
    let doubles = match elsewhere.known().await {
        // Where the bot is not, nothing of it is known.
        Err(Failure::Code { .. }) => Vec::new(),
        known => known?,
    };
    for double in doubles {
        elsewhere
            .remove(double["id"].as_str().unwrap_or_default())
            .await?;
        done.push(Registered::Doubled(name_of(&double)));
    }
    Ok(done)
}

fn name_of(command: &Value) -> String {
    command["name"].as_str().unwrap_or_default().to_owned()
}

/// The application that the token belongs to.
pub async fn application(api: &Api) -> Result<String, Failure> {
    let answer = api.get(Route::new("GET /applications/@me", &[])).await?;
    Ok(answer["id"].as_str().unwrap_or_default().to_owned())
}

/// The commands of one application, in one server or everywhere.
pub struct Registry<'a> {
    pub api: &'a Api,
    pub application: String,
    pub guild: Option<String>,
}

impl Registry<'_> {
    pub async fn known(&self) -> Result<Vec<Value>, Failure> {
        let route = match &self.guild {
            Some(guild) => Route::new(
                "GET /applications/{}/guilds/{}/commands",
                &[&self.application, guild],
            ),
            None => Route::new("GET /applications/{}/commands", &[&self.application]),
        };
        let answer = self.api.get(route).await?;
        Ok(answer.as_array().cloned().unwrap_or_default())
    }

    /// Makes a command, or changes the one of this name.
    async fn make(&self, command: &Value) -> Result<(), Failure> {
        let mut command = command.clone();
        let route = match &self.guild {
            Some(guild) => {
                // These say where a command is offered that is known everywhere.
                if let Some(command) = command.as_object_mut() {
                    command.remove("contexts");
                    command.remove("integration_types");
                }
                Route::new(
                    "POST /applications/{}/guilds/{}/commands",
                    &[&self.application, guild],
                )
            }
            None => Route::new("POST /applications/{}/commands", &[&self.application]),
        };
        self.api.call(route, &command).await.map(drop)
    }

    async fn remove(&self, id: &str) -> Result<(), Failure> {
        let route = match &self.guild {
            Some(guild) => Route::new(
                "DELETE /applications/{}/guilds/{}/commands/{}",
                &[&self.application, guild, id],
            ),
            None => Route::new("DELETE /applications/{}/commands/{}", &[&self.application, id]),
        };
        self.api.act(route).await.map(drop)
    }
}

/// How the commands stand with Discord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Age {
    /// None of them is there.
    Missing,
    /// As this version has them; since when.
    Current(Option<chrono::DateTime<chrono::Utc>>),
    /// Of another version, or under another name.
    Old(Option<chrono::DateTime<chrono::Utc>>),
}

/// Compares what Discord knows with the commands of this version.
pub fn age(known: &[Value], name: &str) -> Age {
    let wanted = commands(name);
    let since = known
        .iter()
        .filter_map(|command| ids::moment(command["version"].as_str()?))
        .max();
    let there = |wanted: &Value| known.iter().find(|known| same(known, wanted));
    if !wanted.iter().any(|wanted| there(wanted).is_some()) {
        return Age::Missing;
    }
    let current = wanted
        .iter()
        .all(|wanted| there(wanted).is_some_and(|there| plain(there) == plain(wanted)));
    if current {
        Age::Current(since)
    } else {
        Age::Old(since)
    }
}

fn kind(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(1)
}

fn same(one: &Value, other: &Value) -> bool {
    one["name"] == other["name"] && kind(one) == kind(other)
}

/// A command without what Discord adds to it and leaves out of it: what we said, and nothing that is as good as unsaid.
fn plain(command: &Value) -> Value {
    const KEPT: &[&str] = &[
        "name",
        "description",
        "required",
        "autocomplete",
        "choices",
        "min_value",
        "max_value",
        "channel_types",
        "value",
    ];
    let mut plain = Map::new();
    plain.insert("type".to_owned(), json!(kind(command)));
    for key in KEPT {
        let value = &command[*key];
        let unsaid = value.is_null() || *value == false || *value == "" || value == &json!([]);
        if !unsaid {
            let value = match (*key, value.as_array()) {
                ("choices", Some(choices)) => choices.iter().map(plain_choice).collect(),
                _ => value.clone(),
            };
            plain.insert((*key).to_owned(), value);
        }
    }
    let options = command["options"].as_array().into_iter().flatten();
    let options: Vec<Value> = options.map(self::plain).collect();
    if !options.is_empty() {
        plain.insert("options".to_owned(), json!(options));
    }
    Value::Object(plain)
}

fn plain_choice(choice: &Value) -> Value {
    json!({ "name": choice["name"], "value": choice["value"] })
}
