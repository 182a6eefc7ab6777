//! Slack: our rooms are channels, our cards are Block Kit, and what people do comes in over Socket Mode or signed HTTP.
//!
//! * Pure: `rich`, `blocks`, `form`, `press`, `emoji` say things as Slack takes them; `incoming` understands what it sends.
//! * `api` is one call of the Web API and what its answer means for the outbox: again, or never.
//! * `port`, `rooms`, `posts`, `accounts` and `groups` are the [`Chat`](super::Chat); `pace` keeps below Slack's limits.
//! * `receive` is what happens to a delivery, however it came: durable first, then acknowledged. `socket` and `http` are
//!   the two ways it comes, and know nothing else. `history` reads what was said while nobody listened.
//!
//! Deliberately absent: a retry of a call that failed (the outbox does that, with the call's key), a display name in any
//! decision, and a log line with the content of a message or of an error's body.

mod accounts;
mod api;
mod blocks;
mod check;
mod emoji;
mod files;
mod form;
mod groups;
mod history;
mod http;
mod incoming;
mod late;
mod manifest;
mod messages;
mod pace;
mod port;
mod posts;
mod press;
mod receive;
mod rich;
mod rooms;
mod socket;
mod views;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use tokio::sync::{OnceCell, watch};

use super::posts::Posts;
use super::{Intake, People, lock};
use crate::clock::Clock;
use crate::incident::{Identity, PersonId};
use accounts::Accounts;
use api::{Api, Failure};
use groups::Handles;
use history::Readings;
use incoming::Own;
use posts::OnItsWay;
use receive::Replies;
use rich::Look;
use views::Views;

pub use check::check;
pub use manifest::{Wanted, manifest};

/// Name of the platform in every stored reference.
pub const PLATFORM: &str = "slack";

/// What the adapter is told.
#[derive(Clone)]
pub struct Settings {
    /// Address of the Web API, without a slash at its end.
    pub api_url: String,
    pub bot_token: String,
    /// For Socket Mode.
    pub app_token: Option<String>,
    /// For HTTP.
    pub signing_secret: Option<String>,
    /// Sockets held open at the same time.
    pub connections: usize,
    /// The channel where incidents are announced.
    pub announce: Option<String>,
    /// User groups that give roles, as the config writes them.
    pub groups: Vec<String>,
    /// Emoji that mark messages, as the config writes them.
    pub marks: Vec<String>,
    /// Where people reach the local page, for links.
    pub page: Option<String>,
}

/// The workspace, as the bot sees it.
pub struct SlackChat {
    settings: Settings,
    api: Api,
    /// For the bytes of files, which the library cannot read. Follows nobody elsewhere.
    files_client: reqwest::Client,
    clock: Arc<dyn Clock>,
    /// Asked of Slack once; while Slack is away, nothing here works and everything else does.
    own: OnceCell<Own>,
    intake: OnceLock<Arc<dyn Intake>>,
    people: OnceLock<Arc<dyn People>>,
    posts: Posts,
    accounts: Accounts,
    handles: Handles,
    /// Channels that have their bookmark, and those that were made just now and have none yet.
    bookmarked: Mutex<HashMap<String, bool>>,
    /// Direct channels, by user.
    directs: Mutex<HashMap<String, String>>,
    /// Files that are not done with, by key. Few: each waits for its next call.
    files: Mutex<HashMap<String, OnItsWay>>,
    /// How many parts somebody sees of an answer to them alone that is not shown whole yet, by key. Few, as above.
    shown: Mutex<HashMap<String, usize>>,
    views: Views,
    replies: Replies,
    signed: http::Signed,
    readings: Readings,
    stop: watch::Sender<bool>,
}

impl SlackChat {
    /// Nothing is asked of Slack yet, so that the bot starts while Slack is away.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> std::io::Result<Arc<Self>> {
        let api = Api::new(
            &settings.api_url,
            &settings.bot_token,
            settings.app_token.as_deref(),
            Arc::clone(&clock),
        )?;
        let files_client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
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
            accounts: Accounts::default(),
            handles: Handles::default(),
            bookmarked: Mutex::default(),
            directs: Mutex::default(),
            files: Mutex::default(),
            shown: Mutex::default(),
            views: Views::default(),
            replies: Replies::default(),
            signed: http::Signed::default(),
            readings: Readings::default(),
            stop: watch::Sender::new(false),
        }))
    }

    /// Joins the adapter to where deliveries go and to who is who. Only the first call counts.
    pub fn connect(&self, intake: Arc<dyn Intake>, people: Arc<dyn People>) {
        let _ = self.intake.set(intake);
        let _ = self.people.set(people);
    }

    /// Ends the sockets; what was taken is in the inbox.
    pub fn close(&self) {
        self.stop.send_replace(true);
    }

    /// Who we are in this workspace.
    async fn own(&self) -> Result<&Own, Failure> {
        self.own
            .get_or_try_init(|| async {
                let answer = self.api.call("auth.test", &json!({})).await?;
                let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
                Ok(Own {
                    team: text("team_id"),
                    user: text("user_id"),
                    marks: self.settings.marks.clone(),
                })
            })
            .await
    }

    /// Renders with what is known of people in this workspace.
    fn looking<T>(&self, own: &Own, render: impl FnOnce(&Look<'_>) -> T) -> T {
        let user_of = |person: &PersonId| {
            let identities = self.people.get()?.identities(person);
            let ours = |identity: &Identity| identity.platform == PLATFORM && identity.workspace == own.team;
            identities.into_iter().find(ours).map(|identity| identity.user)
        };
        render(&Look {
            user_of: &user_of,
            page: self.settings.page.as_deref(),
        })
    }
}
