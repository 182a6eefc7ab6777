//! A Discord of a test's own.
//!
//! It speaks the real wire: the API over HTTP, the gateway over WebSockets. It has what a guild has (people, roles,
//! channels, threads, messages, files, forms), Discord's rules, error codes, permissions and limits, and a clock that
//! only the test moves. It goes wrong on demand.
//!
//! ```no_run
//! # async fn test() {
//! use orderly_testbed::discord::DiscordServer;
//!
//! let discord = DiscordServer::start().await;
//! let ana = discord.person("ana");
//! let ops = discord.channel("ops");
//! // … start the bot with discord.api_url() and discord.bot_token(); let it register its commands …
//! discord.connected(1).await;
//! let answered = ana.types("/incident open summary:Orders hang", &ops).await;
//! assert_eq!(answered.kind, 5);
//! discord.until("the room", |state| state.find_channel("inc-1").is_some()).await;
//! assert_eq!(ana.sees(&ops), ["orderly: #inc-1 is open"]);
//! discord.assert_clean();
//! # }
//! ```
//!
//! **Violations.** An unknown address, a body that does not hold against Discord's own description of its API, an
//! unknown property, a limit which that description does not know: all are written down, and
//! [`DiscordServer::assert_clean`], or dropping the server, fails the test with the list.
//!
//! **Time.** It stands still. [`DiscordServer::advance`] moves it, and with it the rate limits, the three seconds of an
//! interaction and the quarter of an hour of its token. Heartbeats go by real time, because clients do. Waiting is for
//! changes of the state, never for time.
//!
//! **What is not here.** A second guild, voice, stickers, forums' posts, shards, compressed streams, and Discord's
//! opinion about five seconds between two identifies.

mod acts;
mod ask;
mod asked;
mod call;
mod check;
mod check_command;
mod content;
mod contract;
mod fail;
mod faults;
mod gateway;
mod headers;
mod interaction;
mod limits;
mod model;
mod options;
pub mod permission;
mod person;
mod press;
mod reach;
mod render;
mod routes;
mod sent;
mod server;
mod shown;
mod socket;
mod state;
mod wire;

use crate::shared::Told;

pub use faults::Fault;
pub use interaction::{Answer, Interaction};
pub use model::{
    Attachment, Channel, ChannelKind, Command, Member, Message, Modal, Overwrite, Reaction, Role, Thread,
    User,
};
pub use person::Person;
pub use sent::Sent;
pub use server::DiscordServer;
pub use state::{Call, GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT, Outcome, State};

/// The state, and what wakes those who wait for it.
type Shared = crate::shared::Shared<State>;

impl Told for State {
    fn told(&self) -> String {
        let last = self.calls.iter().rev().take(8).rev();
        let calls: Vec<String> = last
            .map(|call| format!("  {} -> {:?}", call.operation, call.answer))
            .collect();
        let mut said = format!("the last calls:\n{}\n{}", calls.join("\n"), self.connections());
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
