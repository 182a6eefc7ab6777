//! The handle a test holds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::model::{ChannelKind, Group, Kind};
use super::person::Person;
use super::state::{Call, State};
use super::{Shared, wire};

/// Where the clock stands when nothing else is asked for: 2026-03-02 09:00:00 UTC, a Monday.
const START: i64 = 1_772_442_000;

/// A workspace with one app in it. Gone when dropped; dropping it fails the test if something was violated.
pub struct SlackServer {
    pub(super) shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<AbortHandle>,
}

impl SlackServer {
    /// A workspace on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_at(Utc.timestamp_opt(START, 0).single().expect("a moment")).await
    }

    /// A workspace whose clock stands at this moment.
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

    /// The base address of the Web API, without a slash at its end.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    pub fn bot_token(&self) -> String {
        self.read(|state| state.app.bot_token.clone())
    }

    pub fn app_token(&self) -> String {
        self.read(|state| state.app.app_token.clone())
    }

    pub fn signing_secret(&self) -> String {
        self.read(|state| state.app.signing_secret.clone())
    }

    pub fn team_id(&self) -> String {
        self.read(|state| state.team.clone())
    }

    pub fn app_id(&self) -> String {
        self.read(|state| state.app.id.clone())
    }

    /// The bot's user id.
    pub fn bot_user(&self) -> String {
        self.read(|state| state.app.bot_user.clone())
    }

    // --- who is there

    /// Somebody with this name: a full member, made when first asked for. The id follows from the name: `U0ANA`.
    pub fn person(&self, name: &str) -> Person {
        self.account(name, Kind::Person)
    }

    /// Somebody of another kind: a guest, a stranger, another bot.
    pub fn account(&self, name: &str, kind: Kind) -> Person {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let id = format!("U0{}", letters.to_uppercase());
        self.shared.with(|state| {
            let user = state.add_user(&id, name, kind);
            if user.kind == Kind::Bot {
                user.bot_id = Some(format!("B0{}", letters.to_uppercase()));
            }
        });
        Person {
            shared: self.shared.clone(),
            id,
        }
    }

    /// Changes an account: deactivated, admin, another time zone. The bot is told with `user_change`.
    #[track_caller]
    pub fn change_account(&self, person: &Person, change: impl FnOnce(&mut super::User)) {
        self.shared.with(|state| {
            let user = state
                .users
                .get_mut(person.id())
                .expect("an account of this workspace");
            change(user);
            let user = user.clone();
            let user = state.user_json(&user);
            let event = json!({
                "type": "user_change", "user": user, "cache_ts": state.seconds(), "event_ts": state.next_ts(),
            });
            state.event(event);
        });
    }

    /// A public channel with the bot and these people in it. Gives its id.
    pub fn channel(&self, name: &str, people: &[&Person]) -> String {
        self.filled(name, ChannelKind::Public, people)
    }

    /// A private channel with the bot and these people in it. Gives its id.
    pub fn private_channel(&self, name: &str, people: &[&Person]) -> String {
        self.filled(name, ChannelKind::Private, people)
    }

    /// The bot is taken out of a channel, without a word to it; for how a channel is that nobody invited it into.
    #[track_caller]
    pub fn without_bot(&self, channel: &str) {
        self.shared.with(|state| {
            let bot = state.app.bot_user.clone();
            let there = state.channel_mut(channel).expect("a channel");
            there.members.remove(&bot);
        });
    }

    fn filled(&self, name: &str, kind: ChannelKind, people: &[&Person]) -> String {
        self.shared.with(|state| {
            let bot = state.app.bot_user.clone();
            let creator = people.first().map_or(bot.clone(), |person| person.id.clone());
            let id = state.add_channel(name, kind, &creator);
            if let Ok(channel) = state.channel_mut(&id) {
                channel.members.insert(bot);
                channel
                    .members
                    .extend(people.iter().map(|person| person.id.clone()));
            }
            id
        })
    }

    /// A user group. Gives its id.
    pub fn group(&self, handle: &str, people: &[&Person]) -> String {
        self.shared.with(|state| {
            let id = state.id("S");
            let group = Group {
                id: id.clone(),
                handle: handle.to_owned(),
                members: people.iter().map(|person| person.id.clone()).collect(),
                disabled: false,
                readable: true,
            };
            state.groups.insert(id.clone(), group);
            id
        })
    }

    /// Changes a group: its members, whether it is disabled or readable. The bot is told with `subteam_updated`.
    #[track_caller]
    pub fn change_group(&self, id: &str, change: impl FnOnce(&mut Group)) {
        self.shared.with(|state| {
            let group = state.groups.get_mut(id).expect("a group of this workspace");
            change(group);
            let group = group.clone();
            let group = state.group_json(&group, true, true);
            let event_ts = state.next_ts();
            state.event(json!({ "type": "subteam_updated", "subteam": group, "event_ts": event_ts }));
        });
    }

    // --- the app

    /// Installs the app from its manifest: from here on it has these scopes, events, commands and shortcuts, and no
    /// others.
    pub fn install(&self, manifest: &Value) {
        let names = |list: &Value, key: Option<&str>| {
            let items = list.as_array().into_iter().flatten();
            let name = |item: &Value| key.map_or(item, |key| &item[key]).as_str().map(str::to_owned);
            items.filter_map(name).collect()
        };
        self.shared.with(|state| {
            let settings = &manifest["settings"];
            state.app.scopes = names(&manifest["oauth_config"]["scopes"]["bot"], None);
            state.app.subscribed = Some(names(&settings["event_subscriptions"]["bot_events"], None));
            state.app.commands = Some(names(&manifest["features"]["slash_commands"], Some("command")));
            state.app.shortcuts = Some(names(&manifest["features"]["shortcuts"], Some("callback_id")));
            state.app.socket_mode = settings["socket_mode_enabled"] == true;
        });
    }

    /// The app has these scopes and no others.
    pub fn grant_only(&self, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.shared.with(|state| state.app.scopes = scopes);
    }

    /// Takes a scope away, `connections:write` from the app-level token.
    pub fn take_scope(&self, scope: &str) {
        self.shared.with(|state| {
            state.app.scopes.remove(scope);
            state.app.app_scopes.remove(scope);
        });
    }

    /// Switches Socket Mode on or off. Off, a socket still opens and says hello; nothing arrives over it.
    pub fn socket_mode(&self, on: bool) {
        self.shared.with(|state| state.app.socket_mode = on);
    }

    /// The bot's token stops working with this code (`token_revoked`, `account_inactive`), or works again.
    /// The app is told with `tokens_revoked`.
    pub fn revoke_token(&self, code: Option<&'static str>) {
        self.shared.with(|state| {
            state.app.revoked = code;
            if code.is_some() {
                let (bot, event_ts) = (state.app.bot_user.clone(), state.next_ts());
                let tokens = json!({ "oauth": [], "bot": [bot] });
                state.event(json!({ "type": "tokens_revoked", "tokens": tokens, "event_ts": event_ts }));
            }
        });
    }

    /// Messages older than this are kept no longer, as on a plan without a full history; nobody is told.
    pub fn keeps_messages_for(&self, age: Duration) {
        self.shared.with(|state| {
            let oldest = state.now.saturating_sub(age).as_secs();
            let is_kept = |ts: &String| {
                let seconds = ts
                    .split('.')
                    .next()
                    .and_then(|seconds| seconds.parse::<u64>().ok());
                seconds.is_some_and(|seconds| seconds >= oldest)
            };
            for channel in state.channels.values_mut() {
                channel.messages.retain(|ts, _| is_kept(ts));
            }
        });
    }

    // --- time

    pub fn now(&self) -> DateTime<Utc> {
        self.read(|state| {
            let micros = i64::try_from(state.now.as_micros()).unwrap_or(i64::MAX);
            DateTime::from_timestamp_micros(micros).expect("a moment")
        })
    }

    /// Time passes: limits free up, triggers expire, late acknowledgements are retried. One step retries an event at
    /// most once, so that the bot can answer before the next.
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

    /// Rate limits, on as Slack's are or off. They are counted on the workspace's clock: where nobody moves it, a
    /// channel takes four posts and no fifth.
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

    /// Waits until so many sockets take envelopes.
    pub async fn connected(&self, sockets: usize) {
        self.until(&format!("{sockets} sockets"), |state| state.sockets() >= sockets)
            .await;
    }

    /// Waits until everything delivered is acknowledged or given up.
    pub async fn all_delivered(&self) {
        self.until("all deliveries", |state| state.undelivered() == 0)
            .await;
    }

    /// The calls of one method, oldest first.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.read(|state| state.calls_of(method).into_iter().cloned().collect())
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

    /// Fails the test if the bot did anything that the real Slack would not understand.
    #[track_caller]
    pub fn assert_clean(&self) {
        let violations = self.take_violations();
        assert!(
            violations.is_empty(),
            "Slack would not understand:\n  {}",
            violations.join("\n  ")
        );
    }

    /// Whether payloads are held against Slack's own types: the schemas were found.
    pub fn contracts_checked() -> bool {
        wire::contracts_checked()
    }
}

impl Drop for SlackServer {
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
