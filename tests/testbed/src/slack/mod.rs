//! A Slack of a test's own.
//!
//! It speaks the real wire: the Web API over HTTP, Socket Mode over WebSockets, signed requests to the bot's addresses.
//! It has what a workspace has (people, channels, messages, files, forms), Slack's rules, error codes and limits, and a
//! clock that only the test moves. It goes wrong on demand.
//!
//! ```no_run
//! # async fn test() {
//! use orderly_testbed::slack::SlackServer;
//!
//! let slack = SlackServer::start().await;
//! let ana = slack.person("ana");
//! let ops = slack.channel("ops", &[&ana]);
//! // … start the bot with slack.api_url(), slack.bot_token() and slack.app_token() …
//! let answered = ana.types("/incident open Orders hang", &ops).await;
//! assert!(answered.payload.is_null());
//! slack.until("the room", |state| state.find_channel("inc-1").is_some()).await;
//! slack.assert_clean();
//! # }
//! ```
//!
//! **Violations.** An unknown method, an unknown argument, a payload that does not hold against Slack's own types: all
//! are written down, and [`SlackServer::assert_clean`], or dropping the server, fails the test with the list.
//!
//! **Time.** It stands still. [`SlackServer::advance`] moves it, and with it the rate limits, the three seconds of a
//! trigger, and the retries of events. Waiting is for changes of the state, never for time.

mod acts;
mod args;
mod ask;
mod contract;
mod deliver;
mod fail;
mod faults;
mod form;
mod http;
mod limits;
mod methods;
mod model;
mod payload;
mod person;
mod reach;
mod render;
mod sent;
mod server;
mod shown;
mod socket;
mod state;
mod wire;

use crate::shared::Told;

pub use deliver::{Ack, Attempt, Carries, Delivery};
pub use faults::Fault;
pub use http::signature;
pub use model::{
    Bookmark, Channel, ChannelKind, Ephemeral, File, Group, Kind, Message, Pin, Reaction, Said, User, View,
};
pub use person::Person;
pub use sent::Sent;
pub use server::SlackServer;
pub use state::{Answer, Call, State};

/// The state, and what wakes those who wait for it.
type Shared = crate::shared::Shared<State>;

impl Told for State {
    fn told(&self) -> String {
        let last = self.calls.iter().rev().take(8).rev();
        let calls: Vec<String> = last
            .map(|call| format!("  {} -> {:?}", call.method, call.answer))
            .collect();
        let mut said = format!("the last calls:\n{}\n{}", calls.join("\n"), self.on_its_way());
        for channel in self
            .channels
            .values()
            .filter(|channel| !channel.messages.is_empty())
        {
            said.push_str(&format!("#{}:\n{}", channel.name, self.transcript(&channel.id)));
        }
        said.push_str(&format!("violations: {:#?}", self.violations));
        said
    }
}
