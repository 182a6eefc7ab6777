//! Discord: our rooms are channels, our cards are embeds with buttons, and what people do comes in over the gateway.
//!
//! * Pure: `markdown`, `embeds`, `form`, `page`, `carried`, `press`, `typed`, `ids` say things as Discord takes them; `incoming`, `messages`
//!   and `rights` understand what it sends.
//! * `api` is one call of the REST API and what its answer means for the outbox: again, or never; `pace` keeps below
//!   Discord's limits.
//! * `port`, `rooms`, `found`, `posts`, `files` and `accounts` are the [`Chat`](super::Chat).
//! * `receive` is what happens to what people do with the bot: durable first, then answered; `filling` the same for forms.
//!   `answers` knows who waits, `drafts` which forms are being filled in. `gateway` is how deliveries come, `heard` what
//!   becomes of those that are no interaction; `history` reads what was said while nobody listened.
//! * `manifest`, `register` and `check` are for the operator.
//!
//! Deliberately absent: a retry of a call that failed (the outbox does that, with the call's key), a display name in any
//! decision, a token anywhere but with Discord, and a log line with the content of a message.

mod accounts;
mod answers;
mod api;
mod carried;
mod check;
mod drafts;
mod embeds;
mod files;
mod filling;
mod form;
mod found;
mod gateway;
mod heard;
mod history;
mod ids;
mod incoming;
mod manifest;
mod markdown;
mod marks;
mod messages;
mod pace;
mod page;
mod places;
mod port;
mod posts;
mod press;
mod receive;
mod register;
mod rights;
mod rooms;
mod route;
mod typed;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{OnceCell, watch};

use super::posts::Posts;
use super::{Intake, People};
use crate::chat::look::Look;
use crate::clock::Clock;
use crate::incident::PersonId;
use accounts::Accounts;
use answers::Answers;
use api::{Api, Failure, Route};
use drafts::Drafts;
use incoming::Own;
use marks::Marks;
use places::Places;

pub use check::check;
pub use ids::is_id;
pub use manifest::{application_of, invite, manifest};
pub use register::{Registered, Scope, register};
pub use typed::commands;

/// Name of the platform in every stored reference.
pub const PLATFORM: &str = "discord";

/// What the adapter is told.
#[derive(Clone)]
pub struct Settings {
    /// Address of the REST API with its version, without a slash at its end.
    pub api_url: String,
    pub token: String,
    /// The one server.
    pub guild: String,
    /// Where rooms are opened.
    pub category: String,
    /// Where rooms go when they are closed.
    pub archive: Option<String>,
    /// The channel where incidents are announced.
    pub announce: Option<String>,
    /// Roles of the server that are called there.
    pub notify: Vec<String>,
    /// Roles of the server that give roles of ours, for the doctor.
    pub roles: Vec<String>,
    /// Emoji that mark messages, as the config writes them.
    pub marks: Vec<String>,
    /// Where people reach the local page, for links.
    pub page: Option<String>,
}

/// The server, as the bot sees it.
pub struct DiscordChat {
    settings: Settings,
    api: Api,
    /// For the bytes of files, which lie elsewhere and whose address is the permission. Follows nobody, carries no token.
    files_client: reqwest::Client,
    clock: Arc<dyn Clock>,
    /// Asked of Discord once; while it is away, nothing here works and everything else does.
    own: OnceCell<Own>,
    intake: OnceLock<Arc<dyn Intake>>,
    people: OnceLock<Arc<dyn People>>,
    posts: Posts,
    /// Keys of posts that were looked for a second time, by message: they are edited next, and keep them.
    looked_for: Mutex<HashMap<String, String>>,
    accounts: Accounts,
    places: Places,
    marks: Marks,
    answers: Answers,
    drafts: Drafts,
    /// Direct channels, by user.
    directs: Mutex<HashMap<String, String>>,
    /// One reading of history after the other: each begins after what the one before has seen.
    reading: tokio::sync::Mutex<()>,
    stop: watch::Sender<bool>,
}

impl DiscordChat {
    /// Nothing is asked of Discord yet, so that the bot starts while it is away.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> std::io::Result<Arc<Self>> {
        let api = Api::new(&settings.api_url, &settings.token, Arc::clone(&clock))?;
        let files_client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Arc::new(Self {
            settings,
            api,
            files_client,
            clock,
            own: OnceCell::new(),
            intake: OnceLock::new(),
            people: OnceLock::new(),
            posts: Posts::default(),
            looked_for: Mutex::default(),
            accounts: Accounts::default(),
            places: Places::default(),
            marks: Marks::default(),
            answers: Answers::default(),
            drafts: Drafts::default(),
            directs: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            stop: watch::Sender::new(false),
        }))
    }

    /// Joins the adapter to where deliveries go and to who is who. Only the first call counts.
    pub fn connect(&self, intake: Arc<dyn Intake>, people: Arc<dyn People>) {
        let _ = self.intake.set(intake);
        let _ = self.people.set(people);
    }

    /// Ends the connection; what was taken is in the inbox.
    pub fn close(&self) {
        self.stop.send_replace(true);
    }

    /// Who we are.
    async fn own(&self) -> Result<&Own, Failure> {
        self.own
            .get_or_try_init(|| async {
                let answer = self.api.get(Route::new("GET /applications/@me", &[])).await?;
                let application = answer["id"].as_str().unwrap_or_default().to_owned();
                // Of every bot that was made since 2016 the two ids are one.
                let user = answer["bot"]["id"].as_str().unwrap_or(&application).to_owned();
                Ok(Own {
                    guild: self.settings.guild.clone(),
                    application,
                    user,
                    marks: self.settings.marks.clone(),
                })
            })
            .await
    }

    /// Renders with what is known of people in this server.
    fn looking<T>(&self, own: &Own, render: impl FnOnce(&Look<'_>) -> T) -> T {
        let user_of = |person: &PersonId| {
            let identities = self.people.get()?.identities(person);
            let ours = |identity: &crate::incident::Identity| {
                identity.platform == PLATFORM && identity.workspace == own.guild
            };
            identities.into_iter().find(ours).map(|identity| identity.user)
        };
        render(&Look {
            user_of: &user_of,
            page: self.settings.page.as_deref(),
        })
    }
}
