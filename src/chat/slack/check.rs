//! What `orderly doctor` looks at: tokens, scopes, Socket Mode, the channel for announcements, the clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::manifest::{EVENTS, SCOPES};
use super::{Settings, emoji, groups};
use crate::chat::Check;

/// Longest wait for each answer.
const ASK_MAX: Duration = Duration::from_secs(10);
/// Slack refuses nothing below five minutes; a clock that is off by one will be off by five.
const SKEW_MAX: TimeDelta = TimeDelta::seconds(60);

fn wrong(what: impl Into<String>, mend: impl Into<String>) -> Check {
    Check::Wrong {
        what: what.into(),
        mend: mend.into(),
    }
}

/// Looks at everything, changes nothing.
pub async fn check(settings: &Settings, now: DateTime<Utc>) -> Vec<Check> {
    let Ok(http) = reqwest::Client::builder().timeout(ASK_MAX).build() else {
        return vec![wrong("no HTTP client can be made", "See the log.")];
    };
    let asking = Asking {
        http,
        url: &settings.api_url,
    };
    let mut found = tokens(settings);
    let bot = asking.bot(settings, now, &mut found).await;
    if let Some(app_token) = &settings.app_token {
        asking.socket(app_token, &mut found).await;
    }
    if let Some(channel) = &settings.announce {
        let bot = bot.as_deref().unwrap_or("orderly");
        asking
            .channel(&settings.bot_token, channel, bot, &mut found)
            .await;
    }
    for group in &settings.groups {
        asking.group(&settings.bot_token, group, &mut found).await;
    }
    for mark in &settings.marks {
        if emoji::slack_name(mark).is_none() {
            found.push(Check::Note {
                what: format!(
                    "Slack's name of the reaction {mark} is not known here, so it marks nothing there"
                ),
                mend: "Write it as :name: in [reactions], the way Slack calls it.".to_owned(),
            });
        }
    }
    found.extend(unreadable(settings));
    found
}

/// Switches of the app that Slack shows to no bot's token, with the page of each.
fn unreadable(settings: &Settings) -> Vec<Check> {
    let over_http = settings.app_token.is_none();
    let at = |path: &str| match (&settings.page, over_http) {
        (Some(page), true) => format!(" with the Request URL {page}/slack/{path}"),
        _ => String::new(),
    };
    let note = |what: &str, mend: String| Check::Note {
        what: format!("{what} cannot be read with a bot's token"),
        mend,
    };
    let mut notes = vec![
        note(
            "whether events are on",
            format!(
                "If messages or reactions are not noticed: on the app's page Event Subscriptions, Enable Events must be \
                 on{}, and Subscribe to bot events must list {}.",
                at("events"),
                EVENTS.join(", "),
            ),
        ),
        note(
            "whether buttons, the slash command and the home tab are on",
            format!(
                "If a button or a form does nothing: page Interactivity & Shortcuts, Interactivity must be on{}. If Slack \
                 does not know the command: page Slash Commands must list it{}. If there is no home tab: page App Home, \
                 switch Home Tab on.",
                at("interactions"),
                at("commands"),
            ),
        ),
    ];
    if over_http {
        notes.push(note(
            "whether Socket Mode is off",
            "If nothing arrives over HTTP: on the app's page Socket Mode, Enable Socket Mode must be off; while it is on, \
             Slack calls no address."
                .to_owned(),
        ));
    }
    notes
}

/// Tokens that stand in each other's place.
fn tokens(settings: &Settings) -> Vec<Check> {
    let mut found = Vec::new();
    if !settings.bot_token.starts_with("xoxb-") {
        found.push(wrong(
            "bot_token is no bot's token: those begin with xoxb-",
            "Take the Bot User OAuth Token from the app's page OAuth & Permissions.",
        ));
    }
    let app_token = settings.app_token.as_deref();
    if app_token.is_some_and(|token| !token.starts_with("xapp-")) {
        found.push(wrong(
            "app_token is no app-level token: those begin with xapp-",
            "Make one on the app's page Basic Information, App-Level Tokens, with the scope connections:write.",
        ));
    }
    found
}

struct Asking<'a> {
    http: reqwest::Client,
    url: &'a str,
}

impl Asking<'_> {
    /// An answer with the headers that came with it.
    async fn ask(&self, method: &str, token: &str) -> Result<(reqwest::header::HeaderMap, Value), String> {
        let asked = self
            .http
            .post(format!("{}/{method}", self.url))
            .bearer_auth(token)
            .header("content-type", "application/x-www-form-urlencoded");
        // The error of the client names the address, which holds no secret; the token is in a header.
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        let headers = answer.headers().clone();
        let body = answer.json().await.map_err(|error| error.to_string())?;
        Ok((headers, body))
    }

    /// The bot's own account, and its name.
    async fn bot(&self, settings: &Settings, now: DateTime<Utc>, found: &mut Vec<Check>) -> Option<String> {
        let (headers, answer) = match self.ask("auth.test", &settings.bot_token).await {
            Ok(answer) => answer,
            Err(why) => {
                found.push(wrong(
                    format!("Slack cannot be reached: {why}"),
                    "Look at the network and any proxy between.",
                ));
                return None;
            }
        };
        if answer["ok"] != true {
            let code = answer["error"].as_str().unwrap_or("no reason");
            found.push(wrong(
                format!("the bot's token does not work: {code}"),
                "Install the app to the workspace (page Install App), and put the Bot User OAuth Token where bot_token points.",
            ));
            return None;
        }
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        found.push(Check::Fine(format!(
            "signed in to {} ({}) as {}",
            text("team"),
            text("team_id"),
            text("user")
        )));
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(scopes) = header("x-oauth-scopes") {
            found.push(scopes_of(scopes));
        }
        if let Some(theirs) = header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok()) {
            let skew = (now - theirs.with_timezone(&Utc)).abs();
            if skew > SKEW_MAX {
                found.push(wrong(
                    format!("this machine's clock is {} s away from Slack's", skew.num_seconds()),
                    "Let the system keep its time (chrony, systemd-timesyncd): from five minutes on, signed requests are \
                     refused.",
                ));
            }
        }
        answer["user"].as_str().map(str::to_owned)
    }

    async fn socket(&self, app_token: &str, found: &mut Vec<Check>) {
        let answer = self.ask("apps.connections.open", app_token).await;
        found.push(match answer {
            // Slack opens the socket all the same, and then sends nothing.
            Ok((_, answer)) if answer["ok"] == true && says_off(&answer) => wrong(
                "Socket Mode is switched off: Slack will send nothing".to_owned(),
                "Switch it on (page Socket Mode).",
            ),
            Ok((_, answer)) if answer["ok"] == true => Check::Fine("Socket Mode works".to_owned()),
            Ok((_, answer)) => wrong(
                format!(
                    "no socket may be opened: {}",
                    answer["error"].as_str().unwrap_or("no reason")
                ),
                "Switch Socket Mode on (page Socket Mode), and give the app-level token the scope connections:write (page \
                 Basic Information).",
            ),
            Err(why) => wrong(
                format!("Slack cannot be reached: {why}"),
                "Look at the network and any proxy between.",
            ),
        });
    }

    /// Without the bot in it, even a public channel can be posted in and neither read nor kept true.
    async fn channel(&self, bot_token: &str, channel: &str, bot: &str, found: &mut Vec<Check>) {
        let answer = self
            .ask(&format!("conversations.info?channel={channel}"), bot_token)
            .await;
        let Ok((_, answer)) = answer else { return };
        let info = &answer["channel"];
        let name = info["name"].as_str().unwrap_or(channel);
        found.push(if answer["ok"] != true {
            let code = answer["error"].as_str().unwrap_or("no reason");
            wrong(
                format!("announce = {channel}: {code}"),
                format!(
                    "Take the id from the end of the channel's details; if it is private, type /invite @{bot} in that channel."
                ),
            )
        } else if info["is_archived"] == true {
            wrong(
                format!("announce = {channel} is #{name}, and that is archived"),
                "Unarchive it, or name another channel.",
            )
        } else if info["is_member"] != true {
            wrong(
                format!("the bot is not in announce = {channel}, so it could not keep announcements true there"),
                format!("Type /invite @{bot} in #{name}."),
            )
        } else {
            Check::Fine(format!("incidents are announced in #{name}"))
        });
    }
}

impl Asking<'_> {
    /// A user group that gives roles, read as the bot reads it.
    async fn group(&self, bot_token: &str, group: &str, found: &mut Vec<Check>) {
        let about = format!("the user group {group}");
        let id = match groups::is_id(group) {
            true => Ok(group.to_owned()),
            false => {
                let list = self
                    .asked("usergroups.list?include_disabled=true", bot_token)
                    .await;
                list.and_then(|answer| groups::find(&answer, group))
            }
        };
        let members = match id {
            Ok(id) => {
                let method = format!("usergroups.users.list?usergroup={id}");
                self.asked(&method, bot_token).await
            }
            Err(why) => Err(why),
        };
        found.push(
            match members.map(|answer| answer["users"].as_array().map_or(0, Vec::len)) {
                Ok(0) => Check::Note {
                    what: format!("{about} is empty, so it gives its roles to nobody"),
                    mend: "Put somebody into it, or name another one in [[group]].".to_owned(),
                },
                Ok(users) => Check::Fine(format!("{about} can be read, with {users} in it")),
                Err(why) => wrong(
                    format!("{about} cannot be read, so it counts for nobody: {why}"),
                    groups::mend_of(&why),
                ),
            },
        );
    }

    async fn asked(&self, method: &str, token: &str) -> Result<Value, String> {
        let (_, answer) = self.ask(method, token).await?;
        match answer["error"].as_str() {
            Some(code) => Err(groups::why_of(code).map_or_else(|| code.to_owned(), str::to_owned)),
            None => Ok(answer),
        }
    }
}

fn scopes_of(granted: &str) -> Check {
    let granted: Vec<&str> = granted.split(',').map(str::trim).collect();
    let missing: Vec<String> = SCOPES
        .iter()
        .filter(|(scope, _)| !granted.contains(scope))
        .map(|(scope, why)| format!("{scope} ({why})"))
        .collect();
    if missing.is_empty() {
        return Check::Fine("all scopes are there".to_owned());
    }
    wrong(
        format!("scopes are missing: {}", missing.join(", ")),
        "On the app's page App Manifest, paste what `orderly manifest slack` prints, save, and install it again.",
    )
}

/// Whether an answer that is well otherwise says that Socket Mode is off.
fn says_off(answer: &Value) -> bool {
    let messages = answer["response_metadata"]["messages"].as_array();
    let texts = messages.into_iter().flatten().filter_map(Value::as_str);
    texts.into_iter().any(|text| text.contains("not turned on"))
}
