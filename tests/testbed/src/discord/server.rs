//! The handle a test holds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::model::{ChannelKind, Overwrite, Role};
use super::permission::VIEW_CHANNEL;
use super::person::Person;
use super::state::{Call, State};
use super::{Shared, contract, wire};

/// Where the clock stands when nothing else is asked for: 2026-03-02 09:00:00 UTC, a Monday.
const START: i64 = 1_772_442_000;

/// A guild with one app in it. Gone when dropped; dropping it fails the test if something was violated.
pub struct DiscordServer {
    pub(super) shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<AbortHandle>,
}

impl DiscordServer {
    /// A guild on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_at(Utc.timestamp_opt(START, 0).single().expect("a moment")).await
    }

    /// A guild whose clock stands at this moment, which must be later than 2022: ids are made of the time.
    pub async fn start_at(now: DateTime<Utc>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::new(State::new(address.to_string(), since_1970(now))));
        let tasks = vec![tokio::spawn(wire::listen(shared.clone(), listener)).abort_handle()];
        Self {
            shared,
            address,
            tasks,
        }
    }

    /// The base address of the API with its version, without a slash at its end: `http://127.0.0.1:PORT/api/v10`.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/v10", self.address)
    }

    /// The same without path, as serenity's `proxy` takes it: `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the gateway is: what the API says when asked.
    pub fn gateway_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub fn bot_token(&self) -> String {
        self.read(|state| state.app.token.clone())
    }

    pub fn app_id(&self) -> String {
        self.read(|state| state.app.id.clone())
    }

    /// The bot's user id.
    pub fn bot_user(&self) -> String {
        self.read(|state| state.app.bot_user.clone())
    }

    pub fn guild_id(&self) -> String {
        self.read(|state| state.guild.id.clone())
    }

    // --- who is there

    /// Somebody with this name, a member of the guild, made when first asked for.
    pub fn person(&self, name: &str) -> Person {
        self.account(name, false, true)
    }

    /// Another bot in the guild.
    pub fn other_bot(&self, name: &str) -> Person {
        self.account(name, true, true)
    }

    /// Somebody who is not in the guild, and can speak with the bot only in private.
    pub fn stranger(&self, name: &str) -> Person {
        self.account(name, false, false)
    }

    /// The guild's owner, who may do everything.
    pub fn owner(&self) -> Person {
        self.person("owner")
    }

    fn account(&self, name: &str, bot: bool, member: bool) -> Person {
        let id = self.shared.with(|state| {
            let known = state
                .users
                .values()
                .find(|user| user.name == name)
                .map(|user| user.id.clone());
            let id = known.unwrap_or_else(|| {
                let id = state.id();
                state.add_user(&id, name, bot);
                id
            });
            if member {
                state.add_member(&id);
            }
            id
        });
        Person {
            shared: self.shared.clone(),
            id,
        }
    }

    /// A role with these people in it. Gives its id.
    pub fn role(&self, name: &str, people: &[&Person]) -> String {
        self.shared.with(|state| {
            let id = state.id();
            state.add_role(&id, name, 0);
            for person in people {
                state.add_member(&person.id).roles.insert(id.clone());
            }
            id
        })
    }

    /// Changes a role: who may ring it, what it permits. The bot is told with GUILD_ROLE_UPDATE.
    #[track_caller]
    pub fn change_role(&self, id: &str, change: impl FnOnce(&mut Role)) {
        self.shared.with(|state| {
            let role = state.roles.get_mut(id).expect("a role of this guild");
            change(role);
            let role = super::shown::role(role);
            let event = serde_json::json!({ "guild_id": state.guild.id, "role": role });
            state.event(super::gateway::GUILDS, "GUILD_ROLE_UPDATE", event);
        });
    }

    /// Gives somebody a role, or takes it. The bot is told with GUILD_MEMBER_UPDATE.
    pub fn set_role(&self, person: &Person, role: &str, has: bool) {
        self.shared.with(|state| {
            let member = state.add_member(&person.id);
            if has {
                member.roles.insert(role.to_owned());
            } else {
                member.roles.remove(role);
            }
            state.member_event("GUILD_MEMBER_UPDATE", &person.id);
        });
    }

    /// Somebody is a guest from here on: their membership ends with their visit. The bot is told with GUILD_MEMBER_UPDATE.
    pub fn make_guest(&self, person: &Person) {
        self.shared.with(|state| {
            state.add_member(&person.id).guest = true;
            state.member_event("GUILD_MEMBER_UPDATE", &person.id);
        });
    }

    // --- channels

    /// A text channel that everyone sees. Gives its id.
    pub fn channel(&self, name: &str) -> String {
        self.made(name, ChannelKind::Text, None)
    }

    /// A category. Gives its id.
    pub fn category(&self, name: &str) -> String {
        self.made(name, ChannelKind::Category, None)
    }

    /// A text channel in a category, with the category's overwrites. Gives its id.
    pub fn channel_in(&self, name: &str, category: &str) -> String {
        self.made(name, ChannelKind::Text, Some(category))
    }

    fn made(&self, name: &str, kind: ChannelKind, category: Option<&str>) -> String {
        self.shared.with(|state| {
            let above = category.and_then(|id| state.channels.get(id));
            let overwrites = above.map(|above| above.overwrites.clone()).unwrap_or_default();
            let channel = state.add_channel(name, kind);
            channel.parent = category.map(str::to_owned);
            channel.overwrites = overwrites;
            let id = channel.id.clone();
            state.channel_made(&id);
            id
        })
    }

    /// From here on a channel is only for the bot and these people.
    #[track_caller]
    pub fn make_private(&self, channel: &str, people: &[&Person]) {
        let (everyone, bot) = self.read(|state| (state.guild.id.clone(), state.app.bot_user.clone()));
        self.overwrite(channel, &everyone, false, 0, VIEW_CHANNEL);
        for id in people
            .iter()
            .map(|person| person.id.as_str())
            .chain([bot.as_str()])
        {
            self.overwrite(channel, id, true, VIEW_CHANNEL, 0);
        }
    }

    /// Sets what a channel changes for a role or a member.
    #[track_caller]
    pub fn overwrite(&self, channel: &str, id: &str, member: bool, allow: u64, deny: u64) {
        let overwrite = Overwrite {
            id: id.to_owned(),
            member,
            allow,
            deny,
        };
        self.shared
            .with(|state| {
                state.set_overwrite(channel, overwrite)?;
                state.change_channel(channel, |_| {})
            })
            .expect("a channel of this guild");
    }

    // --- the app

    /// The bot's role permits this and no more. The bits are in [`super::permission`].
    pub fn grant_only(&self, bits: u64) {
        self.shared.with(|state| {
            if let Some(role) = state.bot_role() {
                role.permissions = bits;
            }
        });
    }

    /// Takes permissions from the bot, those of everyone included.
    pub fn take_permission(&self, bits: u64) {
        self.shared.with(|state| {
            state
                .roles
                .values_mut()
                .for_each(|role| role.permissions &= !bits)
        });
    }

    /// Switches privileged intents on in the developer portal, and all others off.
    pub fn switch_intents(&self, bits: u64) {
        self.shared.with(|state| state.app.privileged = bits);
    }

    /// Whoever identifies is closed with this code, and with the words that Discord has for it.
    pub fn refuse_sessions(&self, with: Option<(u16, &'static str)>) {
        self.shared.with(|state| state.faults.refuse = with);
    }

    /// Of the sessions that a token may begin in a day, so many are begun.
    pub fn use_up_sessions(&self, count: usize) {
        self.shared.with(|state| state.use_up_sessions(count));
    }

    /// Sets an address for interactions in the developer portal: from here on none arrives over the gateway.
    pub fn interactions_url(&self, url: Option<&str>) {
        self.shared
            .with(|state| state.app.interactions_url = url.map(str::to_owned));
    }

    /// The token is reset: calls are answered 401, and the gateway closes with 4004.
    pub fn revoke_token(&self, revoked: bool) {
        self.shared.with(|state| {
            state.app.revoked = revoked;
            if revoked {
                state.forget_sessions();
                state.tell_sockets(|| super::gateway::Frame::Close(4004, "Authentication failed."));
            }
        });
    }

    /// The bot is thrown out of the guild.
    pub fn expel_bot(&self) {
        self.shared.with(|state| {
            let bot = state.app.bot_user.clone();
            state.members.remove(&bot);
            let event = serde_json::json!({ "id": state.guild.id });
            state.event(super::gateway::GUILDS, "GUILD_DELETE", event);
        });
    }

    // --- time

    pub fn now(&self) -> DateTime<Utc> {
        self.read(|state| {
            let micros = i64::try_from(state.now.as_micros()).unwrap_or(i64::MAX);
            DateTime::from_timestamp_micros(micros).expect("a moment")
        })
    }

    /// Time passes: limits free up, tokens expire, and who was not answered is told so.
    pub fn advance(&self, by: Duration) {
        self.shared.with(|state| {
            state.now += by;
            state.tick();
        });
    }

    /// Sets the clock, for a test that has one of its own. Never backwards.
    pub fn set_time(&self, now: DateTime<Utc>) {
        self.shared.with(|state| {
            state.now = state.now.max(since_1970(now));
            state.tick();
        });
    }

    /// Rate limits, on as Discord's are or off. They are counted on the guild's clock: where nobody moves it, a channel
    /// takes five messages and no sixth. The headers count on, either way.
    pub fn limits(&self, on: bool) {
        self.shared.with(|state| state.limits.switch(on));
    }

    // --- asking

    /// Asks the state something.
    pub fn read<R>(&self, ask: impl FnOnce(&State) -> R) -> R {
        self.shared.read(ask)
    }

    /// Waits until this is so. Woken by every change; `what` is what the test says if it never is.
    pub async fn until(&self, what: &str, mut so: impl FnMut(&State) -> bool) {
        self.shared.wait(what, |state| so(state).then_some(())).await;
    }

    /// Waits until the question has an answer, and gives it.
    pub async fn wait_for<R>(&self, what: &str, ask: impl FnMut(&State) -> Option<R>) -> R {
        self.shared.wait(what, ask).await
    }

    /// Waits until so many connections have a session.
    pub async fn connected(&self, sessions: usize) {
        self.until(&format!("{sessions} sessions"), |state| {
            state.connected() >= sessions
        })
        .await;
    }

    /// Waits until one more session was started than so many.
    pub async fn session_after(&self, sessions: usize) {
        self.until("a new session", |state| state.sessions_started() > sessions)
            .await;
    }

    /// Waits until the bot's library has read every event so far: it is asked for a heartbeat, which says how far it
    /// has come.
    pub async fn all_heard(&self) {
        self.shared.with(|state| {
            state.gateway.asking = true;
            let ask = super::socket::heartbeat_wanted().to_string();
            state.tell_sockets(|| super::gateway::Frame::Text(ask.clone()));
        });
        self.until("all events to be heard", State::all_heard).await;
        self.shared.with(|state| state.gateway.asking = false);
    }

    /// Waits until everything that people did has its first response, or none.
    pub async fn all_answered(&self) {
        self.until("all first responses", |state| state.unanswered() == 0)
            .await;
    }

    /// The calls of one operation, by Discord's name for it (`create_message`), oldest first.
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.read(|state| state.calls_of(operation).into_iter().cloned().collect())
    }

    /// The messages of a channel as people see them.
    #[track_caller]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        self.read(|state| state.texts(channel))
    }

    /// Takes the list of violations, for a test that made them on purpose.
    pub fn take_violations(&self) -> Vec<String> {
        self.shared.with(|state| std::mem::take(&mut state.violations))
    }

    /// Fails the test if the bot did anything that the real Discord would not understand.
    #[track_caller]
    pub fn assert_clean(&self) {
        let violations = self.take_violations();
        assert!(
            violations.is_empty(),
            "Discord would not understand:\n  {}",
            violations.join("\n  ")
        );
    }

    /// From here on the fake's own answers too are held against Discord's description.
    pub fn check_answers(&self) {
        self.shared.with(|state| state.check_answers = true);
    }

    /// Whether bodies are held against Discord's own description: it was found.
    pub fn contracts_checked() -> bool {
        contract::checked()
    }
}

impl Drop for DiscordServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.go_away();
        if !std::thread::panicking() {
            self.assert_clean();
        }
    }
}

fn since_1970(moment: DateTime<Utc>) -> Duration {
    Duration::from_micros(u64::try_from(moment.timestamp_micros()).unwrap_or(0))
}
