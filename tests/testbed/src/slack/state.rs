//! The workspace's state: what there is, what time it is, and what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::deliver::Deliveries;
use super::fail::{Fail, Result, fail};
use super::faults::Faults;
use super::limits::Limits;
use super::model::{
    Channel, ChannelKind, File, Group, Kind, Message, Pin, ResponseUrl, Said, Trigger, User, View,
};

/// How long a trigger opens a form. Slack: three seconds.
const TRIGGER_LIVES: Duration = Duration::from_secs(3);

/// How long, and how often, a response_url takes posts. Slack: 30 minutes, 5 times.
const RESPONSE_URL_LIVES: Duration = Duration::from_secs(30 * 60);
pub(super) const RESPONSE_URL_USES: u32 = 5;

/// A call of the Web API, as it arrived and as it was answered.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    /// The arguments, without the token. What a form carries as JSON text is JSON here.
    pub args: Map<String, Value>,
    /// By the workspace's own clock, since 1970.
    pub at: Duration,
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Not answered yet: it hangs, or is being worked on.
    Open,
    Done,
    /// Slack's error code.
    Error(String),
    /// 429.
    Limited,
    /// Another status than 200.
    Status(u16),
    /// The connection was closed; whether the call was carried out is said.
    Dropped {
        done: bool,
    },
}

/// What the app is, and what it may do.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub name: String,
    pub bot_user: String,
    pub bot_id: String,
    pub bot_token: String,
    pub app_token: String,
    pub signing_secret: String,
    pub verification_token: String,
    /// Why the bot's token no longer works: an error code.
    pub revoked: Option<&'static str>,
    pub scopes: BTreeSet<String>,
    /// What the app-level token may do.
    pub app_scopes: BTreeSet<String>,
    /// Events the app is subscribed to; without a manifest all of them.
    pub subscribed: Option<BTreeSet<String>>,
    /// Commands it registered; without a manifest any.
    pub commands: Option<BTreeSet<String>>,
    /// Callback ids of its shortcuts; without a manifest any.
    pub shortcuts: Option<BTreeSet<String>>,
    pub socket_mode: bool,
}

pub struct State {
    pub(super) address: String,
    pub(super) team: String,
    pub(super) domain: String,
    pub(super) app: App,
    pub(super) now: Duration,
    last_ts: u64,
    serial: u64,
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) files: BTreeMap<String, File>,
    pub(super) views: BTreeMap<String, View>,
    /// A person's open modals, the uppermost last.
    pub(super) modals: BTreeMap<String, Vec<String>>,
    pub(super) homes: BTreeMap<String, String>,
    pub(super) triggers: BTreeMap<String, Trigger>,
    pub(super) response_urls: BTreeMap<String, ResponseUrl>,
    pub(super) tickets: BTreeMap<String, Duration>,
    pub(super) calls: Vec<Call>,
    pub(super) violations: Vec<String>,
    pub(super) faults: Faults,
    /// Calls that get no answer for now.
    pub(super) hanging: usize,
    pub(super) limits: Limits,
    pub(super) deliveries: Deliveries,
}

impl State {
    pub(super) fn new(address: String, now: Duration) -> Self {
        let app = App {
            id: "A0ORDERLY1".to_owned(),
            name: "Orderly".to_owned(),
            bot_user: "U0ORDERLY1".to_owned(),
            bot_id: "B0ORDERLY1".to_owned(),
            bot_token: "xoxb-1000-2000-testbed".to_owned(),
            app_token: "xapp-1-A0ORDERLY1-3000-testbed".to_owned(),
            signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".to_owned(),
            verification_token: "verification-testbed".to_owned(),
            revoked: None,
            scopes: super::methods::every_scope(),
            app_scopes: BTreeSet::from(["connections:write".to_owned()]),
            subscribed: None,
            commands: None,
            shortcuts: None,
            socket_mode: true,
        };
        let mut state = Self {
            address,
            team: "T0ACME0001".to_owned(),
            domain: "acme".to_owned(),
            now,
            last_ts: 0,
            serial: 0,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            views: BTreeMap::new(),
            modals: BTreeMap::new(),
            homes: BTreeMap::new(),
            triggers: BTreeMap::new(),
            response_urls: BTreeMap::new(),
            tickets: BTreeMap::new(),
            calls: Vec::new(),
            violations: Vec::new(),
            faults: Faults::default(),
            hanging: 0,
            limits: Limits::default(),
            deliveries: Deliveries::default(),
            app,
        };
        let (id, bot_id) = (state.app.bot_user.clone(), state.app.bot_id.clone());
        state.add_user(&id, "orderly", Kind::Bot).bot_id = Some(bot_id);
        state
    }

    /// Seconds since 1970 by the workspace's clock.
    pub(super) fn seconds(&self) -> u64 {
        self.now.as_secs()
    }

    /// A message's or event's stamp: unique in the workspace and never running backwards.
    pub(super) fn next_ts(&mut self) -> String {
        let now = u64::try_from(self.now.as_micros()).unwrap_or(u64::MAX);
        self.last_ts = now.max(self.last_ts + 100);
        format!("{}.{:06}", self.last_ts / 1_000_000, self.last_ts % 1_000_000)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// An id like Slack's: a letter that says what it is, then capitals and digits.
    pub(super) fn id(&mut self, letter: &str) -> String {
        format!("{letter}{:09}", self.next())
    }

    pub(super) fn violation(&mut self, what: String) {
        if !self.violations.contains(&what) {
            self.violations.push(what);
        }
    }

    pub(super) fn add_user(&mut self, id: &str, name: &str, kind: Kind) -> &mut User {
        let team = match kind {
            Kind::Stranger => "T0OTHER001".to_owned(),
            _ => self.team.clone(),
        };
        self.users.entry(id.to_owned()).or_insert(User {
            id: id.to_owned(),
            name: name.to_owned(),
            email: format!("{name}@example.com"),
            kind,
            deleted: false,
            admin: false,
            tz: "Europe/Amsterdam".to_owned(),
            team,
            bot_id: None,
        })
    }

    pub(super) fn add_channel(&mut self, name: &str, kind: ChannelKind, creator: &str) -> String {
        let id = self.id(if kind == ChannelKind::Direct { "D" } else { "C" });
        let created = self.seconds();
        self.channels.insert(
            id.clone(),
            Channel {
                id: id.clone(),
                name: name.to_owned(),
                kind,
                creator: creator.to_owned(),
                created,
                members: BTreeSet::from([creator.to_owned()]),
                topic: Said::default(),
                purpose: Said::default(),
                archived: false,
                previous_names: Vec::new(),
                pins: Vec::new(),
                bookmarks: Vec::new(),
                messages: BTreeMap::new(),
                ephemerals: Vec::new(),
            },
        );
        id
    }

    /// The direct conversation of the bot and this person.
    pub(super) fn direct(&mut self, user: &str) -> String {
        let known = self
            .channels
            .values()
            .find(|c| c.kind == ChannelKind::Direct && c.members.contains(user))
            .map(|c| c.id.clone());
        known.unwrap_or_else(|| {
            let bot = self.app.bot_user.clone();
            let id = self.add_channel("", ChannelKind::Direct, &bot);
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.members.insert(user.to_owned());
            }
            id
        })
    }

    /// The channel, if the bot may know of it: a private one only exists for its members.
    pub(super) fn visible(&self, id: &str) -> Result<&Channel> {
        self.channels
            .get(id)
            .filter(|c| c.kind == ChannelKind::Public || c.members.contains(&self.app.bot_user))
            .ok_or_else(|| fail("channel_not_found"))
    }

    /// The channel, if the bot is in it.
    pub(super) fn joined(&self, id: &str) -> Result<&Channel> {
        let channel = self.visible(id)?;
        if channel.members.contains(&self.app.bot_user) {
            Ok(channel)
        } else {
            Err(fail("not_in_channel"))
        }
    }

    /// The channel, if it may still be changed.
    pub(super) fn open_channel(&self, id: &str) -> Result<&Channel> {
        let channel = self.joined(id)?;
        if channel.archived {
            Err(fail("is_archived"))
        } else {
            Ok(channel)
        }
    }

    pub(super) fn channel_mut(&mut self, id: &str) -> Result<&mut Channel> {
        self.channels.get_mut(id).ok_or_else(|| fail("channel_not_found"))
    }

    pub(super) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.channels.get(channel)?.messages.get(ts)
    }

    pub(super) fn message_mut(&mut self, channel: &str, ts: &str) -> Result<&mut Message> {
        self.channel_mut(channel)?
            .messages
            .get_mut(ts)
            .ok_or_else(|| fail("message_not_found"))
    }

    pub(super) fn person(&self, id: &str) -> Result<&User> {
        self.users.get(id).ok_or_else(|| fail("user_not_found"))
    }

    pub(super) fn pinned(&self, channel: &str, ts: &str) -> Option<&Pin> {
        self.channels.get(channel)?.pins.iter().find(|pin| pin.ts == ts)
    }

    pub(super) fn new_trigger(&mut self, user: &str) -> String {
        let id = format!(
            "{}.{}.{:x}",
            self.seconds(),
            self.next(),
            0xfeed_beef_u64 + self.serial
        );
        let trigger = Trigger {
            user: user.to_owned(),
            expires: self.now + TRIGGER_LIVES,
            used: false,
        };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// Uses a trigger up; says whose it was.
    pub(super) fn use_trigger(&mut self, id: &str) -> Result<String> {
        let now = self.now;
        let trigger = self
            .triggers
            .get_mut(id)
            .ok_or_else(|| fail("invalid_trigger_id"))?;
        if trigger.used {
            return Err(fail("exchanged_trigger_id"));
        }
        if now > trigger.expires {
            return Err(fail("expired_trigger_id"));
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    pub(super) fn new_response_url(
        &mut self,
        door: &str,
        user: &str,
        channel: &str,
        message: Option<&str>,
    ) -> String {
        let serial = self.next();
        let path = format!("/{door}/{}/{serial}/secret", self.team);
        let url = format!("http://{}{path}", self.address);
        let leads = ResponseUrl {
            channel: channel.to_owned(),
            user: user.to_owned(),
            message: message.map(str::to_owned),
            expires: self.now + RESPONSE_URL_LIVES,
            uses: 0,
        };
        self.response_urls.insert(path, leads);
        url
    }

    pub(super) fn team_json(&self) -> Value {
        json!({ "id": self.team, "domain": self.domain })
    }

    pub(super) fn need(&self, any_of: &[&str]) -> Result<()> {
        needed(any_of, &self.app.scopes)
    }

    /// What a conversations method needs depends on the kind of the channel.
    pub(super) fn need_for(&self, channel: &str, verbs: &[&str]) -> Result<()> {
        let Some(channel) = self.channels.get(channel) else {
            return Ok(());
        };
        let scopes: Vec<String> = verbs
            .iter()
            .map(|verb| match (channel.kind, *verb) {
                (ChannelKind::Private, "manage") => "groups:write".to_owned(),
                (ChannelKind::Direct | ChannelKind::GroupDirect, "manage") => {
                    format!("{}:write", channel.kind.scope())
                }
                (kind, verb) => format!("{}:{verb}", kind.scope()),
            })
            .collect();
        self.need(&scopes.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Refuses a token that has none of these scopes.
pub(super) fn needed(any_of: &[&str], provided: &BTreeSet<String>) -> Result<()> {
    if any_of.is_empty() || any_of.iter().any(|scope| provided.contains(*scope)) {
        return Ok(());
    }
    let provided = provided.iter().cloned().collect::<Vec<_>>().join(",");
    Err(Fail::with(
        "missing_scope",
        json!({ "needed": any_of.join(","), "provided": provided }),
    ))
}
